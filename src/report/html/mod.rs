//! The report that people print and keep: one HTML file that needs no network, no script and no other file.
//!
//! The verdict comes first, then where the bytes are, the findings with proof and remedy, and what auditors ask: which
//! frameworks they bear on, which rules found nothing, and which had nothing to look at. A policy of content in the file
//! itself forbids scripts and everything from outside, should escaping ever fail.

mod audit;
mod bytes;
mod escape;
mod findings;
mod treemap;

use std::io::{self, Write};

use super::{NO_ATTESTATION, Verdict, evaluated::Evaluated, table, text, verdict};
use crate::model::{Coverage, Family, Report, date};

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        catalogue::Catalogue,
        model::{Framework, Severity},
        report::testing,
    };

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        let verdict = Verdict::of(report, &crate::policy::Gates::at(Some(Severity::High)), None);
        write(report, &verdict, 1_700_000_000, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    fn frameworks() -> Vec<Framework> {
        Catalogue::builtin().expect("the policies compile").frameworks
    }

    /// The tags of a page with the names of their attributes, and all values of attributes. Panics where the page is no
    /// plain sequence of tags and text.
    fn tags(page: &str) -> (BTreeSet<String>, Vec<String>) {
        let (mut names, mut values) = (BTreeSet::new(), Vec::new());
        let (before, after) = page.split_once("<style>").expect("a style");
        let (_, after) = after.split_once("</style>").expect("its end");
        for part in before.split('<').skip(1).chain(after.split('<').skip(1)).filter(|part| !part.is_empty()) {
            let (mut tag, _) = part.split_once('>').unwrap_or_else(|| panic!("a tag that does not end: {part}"));
            let mut name = tag.split([' ', '\n']).next().unwrap_or_default().to_string();
            while let Some((left, right)) = tag.split_once("=\"") {
                let (value, rest) = right.split_once('"').expect("a quoted value");
                name = format!("{name} {}", left.rsplit(' ').next().unwrap_or_default());
                values.push(value.to_string());
                tag = rest;
            }
            assert!(!tag.contains(['"', '\'', '=']), "{part}");
            names.insert(name);
        }
        (names, values)
    }

    #[test]
    fn nothing_in_an_image_becomes_markup() {
        const MORE: [&str; 6] = [
            "\"><script>alert(1)</script>",
            "' onmouseover='alert(1)' x='",
            "</title></style></pre></details><h1>x",
            "<!--",
            "]]><![CDATA[",
            "&#60;b&#62; javascript:alert(1)",
        ];
        let frameworks = frameworks();
        let full = |name: &[u8]| {
            let mut report = testing::hostile(name);
            report.frameworks.clone_from(&frameworks);
            let text = String::from_utf8_lossy(name).into_owned();
            report.findings[1].allowed = Some(text.clone());
            report.findings[1].need.witness = Some(text.clone());
            report.findings[0].removal.also = vec![text.clone()];
            report.findings[0].removal.caution = Some(text.clone());
            report.findings[0].subject = text.clone();
            report.findings[0].line =
                Some(crate::model::DockerfileLine { file: text.clone(), first: 1, last: 2, instruction: text.clone() });
            report.findings[0].refs.push(text.clone());
            report.findings[0].refs.push(format!("https://{text}"));
            report.findings[0].remedy.dockerfile = text.clone();
            (report.role.how, report.base.how) = (text.clone(), text.clone());
            report.base.name = Some(text.clone());
            report.dockerfile = Some(text.clone());
            if let Some(config) = &mut report.image.config {
                config.healthcheck = vec![text.clone()];
                config.exposed_ports = vec![text.clone()];
                config.created = Some(text);
            }
            report
        };
        let (plain, _) = tags(&printed(&full(b"x")));
        for name in testing::HOSTILE.into_iter().chain(MORE.map(str::as_bytes)) {
            let page = printed(&full(name));
            let (names, values) = tags(&page);
            let new: Vec<_> = names.difference(&plain).collect();
            assert!(new.is_empty(), "{new:?} by {:?}", String::from_utf8_lossy(name));
            assert!(values.iter().all(|value| !value.starts_with("javascript")), "{values:?}");
            let raw = |c: char| {
                c != '\n' && c.is_control()
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{200b}')
            };
            assert!(!page.contains(raw), "{:?}", String::from_utf8_lossy(name));
        }
        let page = printed(&full(testing::HOSTILE[2]));
        assert!(page.contains("b\\xe2\\x80\\xaeidi\\xe2\\x81\\xa6"), "shown, not applied");
    }

    #[test]
    fn every_link_within_the_page_leads_somewhere_and_every_id_is_the_only_one() {
        let mut report = testing::report();
        report.frameworks = frameworks();
        report.findings[2].part_of = Some(report.findings[0].fingerprint.clone());
        report.findings[1].allowed = Some("behind a proxy".into());
        report.diagnostics.push(testing::unread("it ends early"));
        let page = printed(&report);
        let of = |key: &str| -> Vec<String> {
            let start = format!(" {key}=\"");
            page.split(&start)
                .skip(1)
                .filter_map(|rest| rest.split_once('"'))
                .map(|(value, _)| value.to_string())
                .collect()
        };
        let ids = of("id");
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for link in of("href").iter().filter_map(|link| link.strip_prefix('#')) {
            assert!(unique.contains(&link.to_string()), "{link}");
        }
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside_and_runs_nothing() {
        let mut report = testing::report();
        report.frameworks = frameworks();
        let page = printed(&report);
        assert!(page.contains(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src \
             data:\">"
        ));
        for loads in ["<script", "<link", "<img", "<iframe", "src=\"", "@import", "url(http", " style=\"", "<form"] {
            assert!(!page.contains(loads), "{loads}");
        }
    }

    #[test]
    fn the_verdict_and_what_tells_two_reports_apart_are_on_the_first_page() {
        let page = printed(&testing::report());
        let (top, _) = page.split_once("<nav").expect("contents");
        for wanted in [
            "<title>FAILED: docker:registry.example:5000/shop/api:1.4</title>",
            "<time datetime=\"2023-11-14T22:13:20Z\">2023-11-14T22:13:20Z</time>",
            "<strong>FAILED</strong> <span>1 finding is high or worse</span>",
            "3 findings (1 high, 1 medium, 1 low); 312 MB need not ship",
            &testing::report().image.id.expect("an id").to_string(),
        ] {
            assert!(top.contains(wanted), "{wanted}");
        }
        let (_, about) = page.split_once("id=\"about\"").expect("the end");
        assert!(about.contains(&testing::report().tool.catalogue.expect("a digest").to_string()));
        assert!(about.contains("not an attestation of compliance"));
        let mut partial = testing::empty();
        partial.diagnostics.push(testing::unread("it ends early"));
        let page = printed(&partial);
        assert!(page.contains("<strong>NOT JUDGED</strong> <span>1 thing was not read</span>"));
        assert!(page.contains("1 thing was not read: that nothing was found there means nothing"));
    }

    #[test]
    fn a_control_says_what_was_found_allowed_not_found_or_not_looked_at() {
        let mut report = testing::report();
        report.frameworks = frameworks();
        let row = |report: &Report, item: &str| {
            let page = printed(report);
            let (_, cis) = page.split_once("<h3>CIS Docker Benchmark 1.6.0</h3>").expect("the benchmark");
            let (_, row) = cis.split_once(&format!("<th scope=\"row\">{item}</th>")).expect("the item");
            row.split_once("</tr>").expect("its end").0.to_string()
        };
        let row_4_3 = row(&report, "4.3");
        assert!(row_4_3.contains("<span class=\"badge high\">high</span> <span class=\"word\">findings</span>"));
        assert!(row_4_3.contains("<a href=\"#f-1\">GCC 12.2.0-14</a>, <a href=\"#f-3\">GNU make 4.3 (buried)</a>"));
        assert!(row(&report, "4.1").contains("User: root (0:0): no USER is set"));
        assert!(row(&report, "4.4").contains("not evaluated") && row(&report, "4.4").contains("vulnerabilities"));
        assert!(row(&report, "4.6").contains("HEALTHCHECK: none in the configuration"));
        assert!(row(&report, "4.8").contains("No rule of this set looks for it."));
        report.findings[1].allowed = Some("behind a proxy".into());
        assert!(row(&report, "4.1").contains("<span class=\"badge plain\">allowed</span>"));
        report.findings.clear();
        assert!(row(&report, "4.3").contains("<span class=\"badge good\">nothing found</span>"));
    }

    #[test]
    fn five_thousand_findings_are_all_there_and_the_page_stays_small() {
        let page = printed(&testing::many(5_000));
        assert_eq!(page.matches("<details").count(), 5_000);
        assert_eq!(page.matches("<article").count(), 1, "a remedy is told once");
        assert!(page.len() < 20_000_000, "{} bytes", page.len());
    }

    #[test]
    fn a_command_of_megabytes_is_not_repeated() {
        let mut report = testing::many(50);
        for finding in &mut report.findings {
            if let Some(layer) = &mut finding.layer {
                layer.created_by = Some("RUN echo ".repeat(200_000));
            }
        }
        assert!(printed(&report).len() < 400_000);
    }
}
