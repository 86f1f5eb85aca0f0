//! The report that people print and keep: one HTML file that needs no network, no script and no other file.
//!
//! The verdict comes first, then where the bytes are, the findings with proof and remedy, and what auditors ask: which
//! frameworks they bear on, which rules found nothing, and which had nothing to look at. A policy of content in the file
//! itself forbids scripts and everything from outside, should escaping ever fail.

mod audit;
mod bytes;
mod escape;
mod evaluated;
mod findings;
mod treemap;

use std::io::{self, Write};

use self::evaluated::Evaluated;
use super::{Verdict, table, text, verdict};
use crate::model::{Coverage, Family, Report, date};

/// What a mapping to frameworks is not.
const NO_ATTESTATION: &str = "The mapping of rules to frameworks is made by the authors of offcut. It is not an \
                              attestation of compliance, and nobody who issues a framework has reviewed it. An item with \
                              nothing found is not an item that is met.";

const STYLE: &str = include_str!("style.css");

/// Writes the report as one HTML document. `made` is the time that it shows, in seconds since 1970.
///
/// The same report, verdict and time give the same bytes.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, verdict: &Verdict, made: i64, out: &mut dyn Write) -> io::Result<()> {
    let evaluated = Evaluated::new(report);
    head(report, verdict, out)?;
    writeln!(out, "<body>\n<header>")?;
    title(report, verdict, made, out)?;
    contents(report, out)?;
    writeln!(out, "</header>\n<main>")?;
    bytes::write(report, out)?;
    findings::write(report, &evaluated, out)?;
    diagnostics(report, out)?;
    audit::write(report, &evaluated, out)?;
    about(report, verdict, made, out)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn head(report: &Report, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let (word, _) = split(verdict);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src \
         data:\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" \
         content=\"light dark\">\n<meta name=\"generator\" content=\"offcut {}\">\n<title>{word}: {}</title>\n\
         <style>\n{STYLE}</style>\n</head>",
        escape::short(&report.tool.version),
        escape::clipped(&report.image.reference, 50),
    )
}

/// `FAILED` and the rest of a verdict.
fn split(verdict: &Verdict) -> (&'static str, String) {
    let word = match verdict {
        Verdict::Passed { .. } => "PASSED",
        Verdict::Failed { .. } => "FAILED",
        Verdict::Partial { .. } => "NOT JUDGED",
    };
    let line = verdict.to_string();
    let rest = line.strip_prefix(word).map_or(line.as_str(), |rest| rest.trim_start_matches(": "));
    (word, rest.to_string())
}

fn title(report: &Report, verdict: &Verdict, made: i64, out: &mut dyn Write) -> io::Result<()> {
    let class = match verdict {
        Verdict::Passed { .. } => "passed",
        Verdict::Failed { .. } => "failed",
        Verdict::Partial { .. } => "partial",
    };
    let (word, rest) = split(verdict);
    writeln!(
        out,
        "<p class=\"kicker\">offcut image audit <time datetime=\"{0}\">{0}</time></p>\n<h1>{1}</h1>\n<p class=\"verdict \
         {class}\"><strong>{word}</strong> <span>{2}</span></p>\n<p class=\"found\">{3}</p>\n<dl class=\"facts\">",
        date::time(made),
        escape::plain(&report.image.reference),
        escape::plain(&rest),
        escape::plain(&table::describe_outcome(report)),
    )?;
    let image = &report.image;
    if let Some(manifest) = &image.manifest {
        fact("Manifest", &format!("<code>{manifest}</code>"), out)?;
    }
    if let Some(id) = &image.id {
        fact("Image id", &format!("<code>{id}</code>"), out)?;
    }
    if let Some(platform) = &image.platform {
        fact("Platform", &escape::short(&platform.to_string()), out)?;
    }
    let totals = &report.totals;
    let size = format!(
        "{} in {} files, {}, {} packages",
        text::bytes(totals.bytes),
        text::count(totals.files),
        text::plural(report.layers.len(), "layer"),
        text::count(totals.packages)
    );
    fact("Size", &size, out)?;
    if let Some(user) = &report.user {
        fact("User", &escape::plain(&table::describe_user(user)), out)?;
    }
    if !report.role.how.is_empty() {
        fact("Role", &format!("{}: {}", report.role.name.word(), escape::plain(&report.role.how)), out)?;
    }
    if !report.base.how.is_empty() {
        fact("Base", &escape::plain(&table::describe_base(&report.base, report.layers.len())), out)?;
    }
    writeln!(out, "</dl>")
}

fn fact(label: &str, html: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<div><dt>{label}</dt><dd>{html}</dd></div>")
}

fn contents(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let remedies = report.findings.iter().any(|f| f.part_of.is_none() && f.severity > crate::model::Severity::Note);
    let parts = [
        ("bytes", "Where the bytes are", true),
        ("findings", "Findings", true),
        ("remedies", "What to do", remedies),
        ("allowed", "Allowed", report.findings.iter().any(|finding| finding.allowed.is_some())),
        ("diagnostics", "Notices", !report.diagnostics.is_empty()),
        ("frameworks", "Frameworks", !report.frameworks.is_empty()),
        ("rules", "Rules", true),
        ("about", "About this report", true),
    ];
    write!(out, "<nav aria-label=\"Contents\"><ul>")?;
    for (id, name, _) in parts.iter().filter(|(_, _, there)| *there) {
        write!(out, "<li><a href=\"#{id}\">{name}</a></li>")?;
    }
    writeln!(out, "</ul></nav>")
}

/// What was not read or is odd.
fn diagnostics(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.diagnostics.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section id=\"diagnostics\">\n<h2>Notices</h2>")?;
    let unread = verdict::unread(report);
    if unread > 0 {
        let things = text::things(unread);
        writeln!(out, "<p>{things} not read: that nothing was found there means nothing.</p>")?;
    }
    writeln!(out, "<ul class=\"notices\">")?;
    for diagnostic in &report.diagnostics {
        let label = if diagnostic.unread { "<span class=\"badge high\">not read</span> " } else { "" };
        let layer = diagnostic.layer.map_or_else(String::new, |layer| format!("layer {layer}: "));
        let path = diagnostic.path.as_ref().map_or_else(String::new, |p| format!("<code>{}</code>: ", escape::path(p)));
        writeln!(out, "<li>{label}{layer}{path}{}</li>", escape::plain(&diagnostic.text))?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn about(report: &Report, verdict: &Verdict, made: i64, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"about\">\n<h2>About this report</h2>\n<dl class=\"facts\">")?;
    let image = &report.image;
    fact("Subject", &escape::plain(&image.reference), out)?;
    let names: Vec<String> = image.names.iter().take(20).map(|name| escape::short(name)).collect();
    if !names.is_empty() {
        fact("Known as", &names.join("<br>"), out)?;
    }
    match (&image.manifest, &image.id) {
        (None, None) => fact("Digest", "none: the subject has no manifest and no configuration", out)?,
        (manifest, id) => {
            let digests = [
                manifest.map(|digest| format!("manifest <code>{digest}</code>")),
                id.map(|digest| format!("configuration <code>{digest}</code>")),
            ];
            fact("Digest", &digests.into_iter().flatten().collect::<Vec<_>>().join("<br>"), out)?;
        }
    }
    if let Some(created) = image.config.as_ref().and_then(|config| config.created.as_ref()) {
        fact("Image made", &escape::short(created), out)?;
    }
    fact("Report made", &date::time(made), out)?;
    let tool = format!("offcut {}", escape::short(&report.tool.version));
    fact("Tool", &tool, out)?;
    let rules = text::plural(report.rules.len(), "rule");
    let digest = report.tool.catalogue.map_or_else(String::new, |digest| format!(", <code>{digest}</code>"));
    fact("Rule set", &format!("{rules}{digest}"), out)?;
    fact("Verdict", &escape::plain(&verdict.to_string()), out)?;
    let dockerfile = report.dockerfile.as_deref().map_or_else(|| "none was given or found".to_string(), escape::short);
    fact("Dockerfile", &dockerfile, out)?;
    fact("Secrets", &searched(report.searched.as_ref()), out)?;
    let allowed = report.findings.iter().filter(|finding| finding.allowed.is_some()).count();
    fact("Allowed", &text::plural(allowed, "finding"), out)?;
    writeln!(
        out,
        "</dl>\n<p>The report is made from the image alone, and from the Dockerfile where one is named; it runs nothing and asks \
         nobody. The complete lists of files and packages are in the JSON report of the same scan.</p>\n<p \
         class=\"notice\">{NO_ATTESTATION}</p>\n</section>"
    )
}

fn searched(coverage: Option<&Coverage>) -> String {
    let Some(coverage) = coverage else { return "not looked for".to_string() };
    let mut parts = vec![format!("{} files searched", text::count(coverage.files))];
    if coverage.opened > 0 {
        let (opened, members) = (text::count(coverage.opened), text::count(coverage.members));
        parts.push(format!("{members} files inside of {opened} archives and repositories"));
    }
    let closed: u64 = coverage.unread.values().map(|unread| unread.count).sum();
    if closed > 0 {
        parts.push(format!("{} not opened: other formats, encrypted or damaged", text::count(closed)));
    }
    parts.join("; ")
}

/// The anchor of a finding, by its place in the report: fingerprints are foreign text in kept reports.
fn anchor(at: usize) -> String {
    format!("f-{}", at + 1)
}

/// A family as people call it.
fn family_name(family: Family) -> &'static str {
    match family {
        Family::BuildTool => "Build tools",
        Family::DevDependency => "Dev dependencies",
        Family::Source => "Sources",
        Family::Vcs => "Version control data",
        Family::Leftover => "Leftovers of the build",
        Family::Cache => "Caches",
        Family::RootUser => "User",
        Family::Setuid => "Set-uid programs",
        Family::Secret => "Secrets",
        Family::WrongStage => "Wrong stage",
        Family::BrokenRuntime => "Image that can not start",
        Family::Config => "Configuration",
        Family::Dockerfile => "Dockerfile",
    }
}
