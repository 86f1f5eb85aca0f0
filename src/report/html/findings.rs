//! The findings, worst first, each with proof, place and remedy; then every remedy once, and what is allowed.
//!
//! Everything is there without a script: `details` only fold. What is part of a finding stands in it.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use super::{anchor, escape};
use crate::{
    model::{Evidence, EvidenceClass, Family, Finding, LayerRef, Origin, PathGroup, Report, Severity, State},
    report::{evaluated::Evaluated, table, text},
};

/// Findings that are unfolded from the start, and told in the overview. A page with thousands of them would be slow.
const UNFOLDED: usize = 120;
/// Findings that a browser lays out together, and not before they come near.
const BATCH: usize = 40;
/// Pieces of evidence of one finding; JSON has them all.
const EVIDENCE: usize = 8;
/// Directories of one finding.
const GROUPS: usize = 8;
/// Packages of one finding.
const PACKAGES: usize = 24;
/// Findings named beside a remedy.
const NAMED: usize = 12;

/// Writes the sections.
pub(super) fn write(report: &Report, evaluated: &Evaluated<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut held: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut shown = Vec::new();
    for (at, finding) in report.findings.iter().enumerate() {
        match (evaluated.whole(finding), &finding.part_of) {
            (Some(_), Some(whole)) => held.entry(whole.as_str()).or_default().push(at),
            _ => shown.push((at, finding)),
        }
    }
    writeln!(out, "<section id=\"findings\">\n<h2>Findings</h2>")?;
    if shown.is_empty() {
        writeln!(out, "<p>{}.</p>", escape::plain(&table::describe_outcome(report)))?;
    } else {
        overview(&shown, out)?;
    }
    for (nth, batch) in shown.chunks(BATCH).enumerate() {
        writeln!(out, "<div class=\"batch\">")?;
        for (at, finding) in batch {
            let parts = held.get(finding.fingerprint.as_str()).map_or(&[][..], Vec::as_slice);
            let parts: Vec<_> = parts.iter().filter_map(|&at| Some((at, report.findings.get(at)?))).collect();
            self::finding(report, (*at, finding), &parts, (nth + 1) * BATCH <= UNFOLDED, out)?;
        }
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</section>")?;
    remedies(&shown, out)?;
    allowed(report, out)
}

fn overview(shown: &[(usize, &Finding)], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section class=\"scroll\" tabindex=\"0\" aria-label=\"Overview of the findings\"><table \
         class=\"overview\">\n<thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Finding</th><th scope=\"col\" \
         class=\"num\">Layer</th><th scope=\"col\" class=\"num\">Size</th></tr></thead>\n<tbody>"
    )?;
    for (at, finding) in shown.iter().take(UNFOLDED) {
        writeln!(
            out,
            "<tr><td>{}</td><td><a href=\"#{}\">{}</a> <code class=\"id\">{}</code>{}{}</td><td class=\"num\">{}</td><td \
             class=\"num\">{}</td></tr>",
            badge(finding.severity),
            anchor(*at),
            escape::short(&name(finding)),
            escape::short(&finding.rule),
            place(finding).map_or_else(String::new, |place| format!(" <code class=\"id place\">{place}</code>")),
            if finding.allowed.is_some() { " <span class=\"tag\">allowed</span>" } else { "" },
            finding.layer.as_ref().map_or_else(|| "\u{2013}".to_string(), |layer| layer.number.to_string()),
            size(finding).unwrap_or_else(|| "\u{2013}".to_string()),
        )?;
    }
    writeln!(out, "</tbody>\n</table></section>")?;
    match shown.len().saturating_sub(UNFOLDED) {
        0 => Ok(()),
        more => writeln!(
            out,
            "<p class=\"aside\">{} stand below, folded: the worst {UNFOLDED} come first.</p>",
            text::plural(more, "more finding")
        ),
    }
}

fn finding(
    report: &Report,
    (at, finding): (usize, &Finding),
    parts: &[(usize, &Finding)],
    unfolded: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let open = if unfolded { " open" } else { "" };
    let base = if finding.origin == Origin::Base { " <span class=\"tag\">base</span>" } else { "" };
    let allowed = if finding.allowed.is_some() { " <span class=\"tag\">allowed</span>" } else { "" };
    let size = size(finding).map_or_else(String::new, |size| format!("<span class=\"size\">{size}</span>"));
    writeln!(
        out,
        "<details class=\"finding {}\"{open}><summary>{} <b>{}</b> <code class=\"id\">{}</code>{base}{allowed} \
         {size}</summary><div class=\"body\" id=\"{}\">",
        finding.severity,
        badge(finding.severity),
        escape::short(&name(finding)),
        escape::short(&finding.rule),
        anchor(at),
    )?;
    write!(out, "<p>{}</p><dl>", escape::plain(&finding.why))?;
    let layers = report.layers.len();
    if let Some(reason) = &finding.allowed {
        entry("Allowed", &escape::plain(reason), out)?;
    }
    if let Some(layer) = &finding.layer {
        entry("Layer", &self::layer(layer, layers, finding.origin), out)?;
    }
    if let Some(line) = &finding.line {
        let lines =
            if line.last > line.first { format!("{}-{}", line.first, line.last) } else { line.first.to_string() };
        let (file, instruction) = (escape::short(&line.file), escape::short(&line.instruction));
        entry("Dockerfile", &format!("<code>{file}:{lines}</code> <code>{instruction}</code>"), out)?;
    }
    if let (State::Buried, Some(layer)) = (finding.state, &finding.hidden_by) {
        entry("Hidden by", &self::layer(layer, layers, Origin::Unknown), out)?;
    }
    evidence(finding, out)?;
    self::parts(parts, out)?;
    packages(finding, out)?;
    if finding.family != Family::Secret {
        groups(&finding.paths, out)?;
    }
    if finding.buried_bytes > 0 {
        entry("Also", &format!("{} of older copies in lower layers", text::bytes(finding.buried_bytes)), out)?;
    }
    if let Some(witness) = &finding.need.witness {
        entry("Need", &format!("{}: {}", finding.need.reach.word(), escape::plain(witness)), out)?;
    }
    if !finding.removal.also.is_empty() {
        let names = listed(finding.removal.also.iter().map(|name| escape::short(name)), PACKAGES);
        entry("Takes along", &format!("{names} when it is removed"), out)?;
    }
    if let Some(caution) = &finding.removal.caution {
        entry("Caution", &escape::plain(caution), out)?;
    }
    let remedy = escape::short(&finding.remedy.title);
    if finding.severity > Severity::Note {
        entry("Remedy", &format!("<a href=\"#{}\">{remedy}</a>", remedy_anchor(&finding.remedy.id)), out)?;
    } else {
        entry("Remedy", &remedy, out)?;
    }
    references(&finding.refs, out)?;
    let confidence = finding.confidence.word();
    entry(
        "Confidence",
        &format!("{confidence}; fingerprint <code>{}</code>", escape::short(&finding.fingerprint)),
        out,
    )?;
    writeln!(out, "</dl></div></details>")
}

fn entry(label: &str, html: &str, out: &mut dyn Write) -> io::Result<()> {
    // No line ends: thousands of findings are half as many nodes for the browser.
    write!(out, "<div><dt>{label}</dt><dd>{html}</dd></div>")
}

fn layer(layer: &LayerRef, layers: usize, origin: Origin) -> String {
    let from = if origin == Origin::Base { ", of the base image" } else { "" };
    format!("{} of {layers}{from}: {}", layer.number, command(layer))
}

/// What made a layer.
pub(super) fn command(layer: &LayerRef) -> String {
    // A history entry of megabytes is not gone through for every finding of its layer.
    let command = layer.created_by.as_deref().map(|created_by| text::command(escape::start(created_by)));
    command.filter(|command| !command.is_empty()).map_or_else(
        || "the history does not say what made it".to_string(),
        |command| format!("<code>{}</code>", escape::short(&command)),
    )
}

/// The pieces that say something new come first, as in the table.
fn evidence(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let mut told = HashSet::new();
    let all: Vec<&Evidence> = finding.evidence.iter().filter(|piece| piece.class != EvidenceClass::Part).collect();
    let (new, again): (Vec<_>, Vec<_>) = all.iter().copied().partition(|piece| told.insert(&piece.witness));
    if all.is_empty() {
        return Ok(());
    }
    let mut html = String::from("<ul>");
    for piece in new.into_iter().chain(again).take(EVIDENCE) {
        let path = piece.path.as_ref().map_or_else(String::new, |p| format!(" in <code>{}</code>", escape::path(p)));
        html.push_str(&format!("<li>{}: {}{path}</li>", piece.class.word(), escape::plain(&piece.witness)));
    }
    html.push_str(&more(all.len(), EVIDENCE, "piece"));
    html.push_str("</ul>");
    entry("Evidence", &html, out)
}

fn parts(parts: &[(usize, &Finding)], out: &mut dyn Write) -> io::Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let mut html = String::from("<ul>");
    for (at, part) in parts {
        let (subject, rule) = (escape::short(&name(part)), escape::short(&part.rule));
        let size = size(part).map_or_else(String::new, |size| format!(" {size}"));
        html.push_str(&format!("<li id=\"{}\">{subject} <code class=\"id\">{rule}</code>{size}</li>", anchor(*at)));
    }
    html.push_str("</ul>");
    entry("Holds", &html, out)
}

fn packages(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    if finding.packages.is_empty() {
        return Ok(());
    }
    let names = finding.packages.iter().map(|package| {
        let (name, version) = (escape::short(&package.name), escape::short(&package.version));
        format!("{name} {version}").trim_end().to_string()
    });
    let managers: HashSet<&str> = finding.packages.iter().map(|package| package.manager.word()).collect();
    let mut managers: Vec<_> = managers.into_iter().collect();
    managers.sort_unstable();
    entry("Packages", &format!("{}: {}", managers.join(", "), listed(names, PACKAGES)), out)
}

fn groups(groups: &[PathGroup], out: &mut dyn Write) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let mut groups: Vec<&PathGroup> = groups.iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.bytes));
    let mut html = String::from("<ul class=\"files\">");
    for group in groups.iter().take(GROUPS) {
        // One file is named; of many the directory says more than the first of them.
        let place = match group.files.as_slice() {
            [only] => escape::path(only),
            _ => escape::path(&group.root),
        };
        let (files, bytes) = (text::plural(group.files.len(), "file"), text::bytes(group.bytes));
        html.push_str(&format!("<li><code>{place}</code> <span class=\"num\">{files}, {bytes}</span></li>"));
    }
    html.push_str(&more(groups.len(), GROUPS, "directory"));
    html.push_str("</ul>");
    entry("Files", &html, out)
}

fn references(refs: &[String], out: &mut dyn Write) -> io::Result<()> {
    let link = |link: &String| {
        let shown = escape::short(link);
        // Anything else could be a script. A link that is cut short leads nowhere.
        let good = link.starts_with("https://") && link.len() < 200;
        if good { format!("<a href=\"{shown}\" rel=\"noreferrer\">{shown}</a>") } else { shown }
    };
    let links: Vec<String> = refs.iter().map(link).collect();
    if links.is_empty() { Ok(()) } else { entry("Documents", &links.join("<br>"), out) }
}

/// Every remedy that a finding names, once, in the order of the findings; what is merely noted needs none.
fn remedies(shown: &[(usize, &Finding)], out: &mut dyn Write) -> io::Result<()> {
    let mut order = Vec::new();
    let mut users: HashMap<&str, Vec<(usize, &Finding)>> = HashMap::new();
    for &(at, finding) in shown.iter().filter(|(_, finding)| finding.severity > Severity::Note) {
        let used = users.entry(finding.remedy.id.as_str()).or_default();
        if used.is_empty() {
            order.push(&finding.remedy);
        }
        used.push((at, finding));
    }
    if order.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section id=\"remedies\">\n<h2>What to do</h2>")?;
    for remedy in order {
        let users = users.get(remedy.id.as_str()).map_or(&[][..], Vec::as_slice);
        let names = users.iter().map(|(at, f)| format!("<a href=\"#{}\">{}</a>", anchor(*at), escape::short(&name(f))));
        writeln!(
            out,
            "<article id=\"{}\">\n<h3>{}</h3>\n<p>{}</p>",
            remedy_anchor(&remedy.id),
            escape::short(&remedy.title),
            escape::plain(&remedy.text)
        )?;
        if !remedy.dockerfile.trim().is_empty() {
            let lines: Vec<String> = remedy.dockerfile.trim_end().lines().map(escape::verbatim).collect();
            writeln!(out, "<pre tabindex=\"0\"><code>{}</code></pre>", lines.join("\n"))?;
        }
        writeln!(out, "<p class=\"aside\">For {}</p>\n</article>", listed(names, NAMED))?;
    }
    writeln!(out, "</section>")
}

fn allowed(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let all = report.findings.iter().enumerate();
    let mut allowed = all.filter_map(|(at, finding)| Some((at, finding, finding.allowed.as_ref()?))).peekable();
    if allowed.peek().is_none() {
        return Ok(());
    }
    writeln!(
        out,
        "<section id=\"allowed\">\n<h2>Allowed</h2>\n<p>Somebody looked at these findings and lets them pass; they fail no \
         gate.</p>\n<section class=\"scroll\" tabindex=\"0\" aria-label=\"Allowed findings\"><table>\n<thead><tr>\
         <th scope=\"col\">Finding</th><th scope=\"col\">Reason</th></tr></thead>\n<tbody>"
    )?;
    for (at, finding, reason) in allowed {
        writeln!(
            out,
            "<tr><td>{} <a href=\"#{}\">{}</a> <code class=\"id\">{}</code></td><td>{}</td></tr>",
            badge(finding.severity),
            anchor(at),
            escape::short(&name(finding)),
            escape::short(&finding.rule),
            escape::plain(reason)
        )?;
    }
    writeln!(out, "</tbody>\n</table></section>\n</section>")
}

pub(super) fn badge(severity: Severity) -> String {
    format!("<span class=\"badge {severity}\">{severity}</span>")
}

/// What a finding is called: the tool, or what is wrong where there is none.
pub(super) fn name(finding: &Finding) -> String {
    let of_no_tool = [
        Family::RootUser,
        Family::BrokenRuntime,
        Family::WrongStage,
        Family::Secret,
        Family::Config,
        Family::Dockerfile,
    ];
    if of_no_tool.contains(&finding.family) { text::plain(&finding.title) } else { table::subject(finding) }
}

/// Where most of it is, for one line.
fn place(finding: &Finding) -> Option<String> {
    const COLUMNS: usize = 64;
    let path = match finding.paths.iter().max_by_key(|group| group.bytes) {
        Some(PathGroup { root, files, .. }) => files.first().filter(|_| files.len() == 1).or(Some(root)),
        None => finding.evidence.iter().find_map(|piece| piece.path.as_ref()),
    };
    path.map(|path| escape::clipped(&path.to_string(), COLUMNS))
}

/// What a finding weighs; what a secret weighs does not matter.
fn size(finding: &Finding) -> Option<String> {
    (finding.bytes > 0 && finding.family != Family::Secret).then(|| text::bytes(finding.bytes))
}

/// Ids of remedies are words, but nothing here has seen to that.
fn remedy_anchor(id: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("remedy-{}", id.chars().take(80).map(word).collect::<String>())
}

fn more(all: usize, shown: usize, noun: &str) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("<li>and {} in the JSON report</li>", text::plural(more, &format!("more {noun}"))),
    }
}

/// Names that are escaped already, joined; how many more there are.
fn listed(names: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let names: Vec<String> = names.take(most).collect();
    let tail = if more > 0 { format!(" and {} more", text::count(more as u64)) } else { String::new() };
    format!("{}{tail}", names.join(", "))
}
