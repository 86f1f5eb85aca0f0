//! Where the bytes are: the share of the findings, a map of them, and what each layer, family and owner weighs.
//!
//! Sizes are those of the findings and of the layers as they were read. The exact account of every byte is the ledger's,
//! which a scan does not make.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{
    anchor, escape, family_name, findings,
    treemap::{self, Cell, Group},
};
use crate::{
    model::{Finding, LayerSummary, Origin, Report, Severity, State},
    report::text,
};

/// Cells of one family; what is smaller is drawn as one.
const CELLS: usize = 24;

/// Writes the section.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<section id=\"bytes\">\n<h2>Where the bytes are</h2>")?;
    share(report, out)?;
    map(report, out)?;
    layers(report, out)?;
    writeln!(out, "</section>")
}

/// Findings with bytes that need not ship: parts are counted in their whole, the file that holds a secret may be needed.
fn weighty(report: &Report) -> impl Iterator<Item = (usize, &Finding)> {
    let counted = |finding: &Finding| {
        finding.part_of.is_none() && finding.family != crate::model::Family::Secret && weight(finding) > 0
    };
    report.findings.iter().enumerate().filter(move |(_, finding)| counted(finding))
}

/// All that a finding ships, older copies included.
fn weight(finding: &Finding) -> u64 {
    finding.bytes.saturating_add(finding.buried_bytes)
}

/// One bar for the whole image.
fn share(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let whole = report.totals.bytes.saturating_add(report.totals.buried_bytes);
    let by_severity = Severity::ALL.map(|severity| {
        let of = weighty(report).filter(|(_, finding)| finding.severity == severity);
        (severity, of.fold(0_u64, |sum, (_, finding)| sum.saturating_add(weight(finding))))
    });
    let found = by_severity.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let segments: Vec<(&str, u64)> = by_severity.iter().map(|(severity, bytes)| (severity.word(), *bytes)).collect();
    // Findings may share files, so that their sum can be more than there is.
    write!(out, "<div class=\"share\">{}<ul class=\"legend\">", bar(&segments, whole.max(found), whole.max(found)))?;
    for (severity, bytes) in by_severity.iter().filter(|(_, bytes)| *bytes > 0) {
        let noted = if *severity == Severity::Note { ", may be needed" } else { "" };
        write!(out, "<li><i class=\"{severity}\"></i>{severity}{noted}: {}</li>", text::bytes(*bytes))?;
    }
    let rest = text::bytes(whole.saturating_sub(found));
    writeln!(out, "<li><i class=\"rest\"></i>everything else: {rest}</li></ul></div>")?;
    if report.totals.buried_bytes > 0 {
        let (bytes, files) = (text::bytes(report.totals.buried_bytes), text::count(report.totals.buried_files));
        writeln!(
            out,
            "<p class=\"aside\">{bytes} of it in {files} files are hidden by upper layers and still ship.</p>"
        )?;
    }
    Ok(())
}

/// The findings as areas, grouped by family; beside it what families and owners weigh.
fn map(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut families: BTreeMap<_, Vec<(usize, &Finding)>> = BTreeMap::new();
    let mut owners: BTreeMap<&str, u64> = BTreeMap::new();
    for (at, finding) in weighty(report) {
        families.entry(finding.family).or_default().push((at, finding));
        let owned = owners.entry(finding.owner.as_str()).or_default();
        *owned = owned.saturating_add(weight(finding));
    }
    if families.is_empty() {
        return Ok(());
    }
    let sum = |findings: &[(usize, &Finding)]| findings.iter().fold(0_u64, |sum, (_, f)| sum.saturating_add(weight(f)));
    let mut families: Vec<_> =
        families.into_iter().map(|(family, all)| (family_name(family), sum(&all), all)).collect();
    families.sort_by_key(|(_, bytes, _)| std::cmp::Reverse(*bytes));
    let groups: Vec<Group> = families.iter().map(|(name, _, all)| group(name, all)).collect();
    let narrow = treemap::draw(&groups, "narrow", 380.0, 560.0);
    writeln!(out, "<figure>\n{}{narrow}", treemap::draw(&groups, "wide", 1000.0, 430.0))?;
    writeln!(
        out,
        "<figcaption>Findings by family; an area is as large as its bytes. Hatched: hidden by an upper layer. Files that two \
         findings share are drawn twice. The list of findings says the same in words.</figcaption>\n</figure>"
    )?;
    let families = families.iter().map(|(name, bytes, _)| ((*name).to_string(), *bytes)).collect();
    let owners = owners.iter().map(|(&owner, &bytes)| (owner_name(owner), bytes)).collect();
    writeln!(out, "<div class=\"pair\">")?;
    rows("By family", families, out)?;
    rows("By owner of the files", owners, out)?;
    writeln!(out, "</div>")
}

fn group(name: &str, findings: &[(usize, &Finding)]) -> Group {
    let mut findings = findings.to_vec();
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(weight(finding)));
    let cell = |&(at, finding): &(usize, &Finding)| {
        let subject = findings::name(finding);
        Cell {
            title: format!("{}: {subject}, {}, {}", finding.severity, text::bytes(weight(finding)), finding.rule),
            name: subject,
            bytes: weight(finding),
            class: finding.severity.word(),
            hatched: finding.state == State::Buried,
            target: Some(anchor(at)),
        }
    };
    let mut cells: Vec<Cell> = findings.iter().take(CELLS).map(cell).collect();
    let more = findings.iter().skip(CELLS);
    let bytes = more.clone().fold(0_u64, |sum, (_, finding)| sum.saturating_add(weight(finding)));
    if bytes > 0 {
        let name = format!("{} more", text::count(more.len() as u64));
        let title = format!("{name} findings, {}", text::bytes(bytes));
        cells.push(Cell { name, title, bytes, class: "more", hatched: false, target: None });
        // The layout wants the largest first.
        cells.sort_by_key(|cell| std::cmp::Reverse(cell.bytes));
    }
    Group { name: name.to_string(), cells }
}

fn rows(title: &str, mut rows: Vec<(String, u64)>, out: &mut dyn Write) -> io::Result<()> {
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let most = rows.first().map_or(0, |(_, bytes)| *bytes);
    writeln!(out, "<div>\n<h3>{title}</h3>\n<ul class=\"rows\">")?;
    for (name, bytes) in &rows {
        let bar = bar(&[("plain", *bytes)], *bytes, most);
        writeln!(out, "<li><span>{}</span> <b>{}</b>{bar}</li>", escape::short(name), text::bytes(*bytes))?;
    }
    writeln!(out, "</ul>\n</div>")
}

/// One bar for each layer: what it unpacks to, and how much of that is findings.
fn layers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.layers.is_empty() {
        return Ok(());
    }
    let mut found: BTreeMap<u32, BTreeMap<Severity, u64>> = BTreeMap::new();
    for (_, finding) in weighty(report) {
        if let Some(layer) = &finding.layer {
            let bytes = found.entry(layer.number).or_default().entry(finding.severity).or_default();
            // Older copies are in other layers, which a finding does not name.
            *bytes = bytes.saturating_add(finding.bytes);
        }
    }
    let most = report.layers.iter().map(|layer| layer.tar_bytes).max().unwrap_or_default();
    writeln!(out, "<h3>By layer</h3>\n<ol class=\"layers\">")?;
    for layer in &report.layers {
        let found = found.get(&layer.layer.number);
        self::layer(report, layer, found, most, out)?;
    }
    writeln!(out, "</ol>")?;
    writeln!(
        out,
        "<p class=\"aside\">A bar is as long as what the layer unpacks to; the coloured part is findings, each counted in the \
         layer that brought most of it. <code>offcut ledger</code> accounts for every byte.</p>"
    )
}

fn layer(
    report: &Report,
    layer: &LayerSummary,
    found: Option<&BTreeMap<Severity, u64>>,
    most: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let LayerSummary { layer: at, blob_bytes, tar_bytes, .. } = layer;
    let origin = match report.base.layers {
        Some(base) if at.number <= base => Origin::Base,
        Some(_) => Origin::Own,
        None => Origin::Unknown,
    };
    let origin = match origin {
        Origin::Base => " <span class=\"tag\">base</span>",
        Origin::Own | Origin::Unknown => "",
    };
    let bytes = found.map_or(0, |found| found.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes)));
    let share = if bytes > 0 { format!("; {} in findings", text::bytes(bytes)) } else { String::new() };
    let segments: Vec<(&str, u64)> =
        found.into_iter().flatten().rev().map(|(severity, bytes)| (severity.word(), *bytes)).collect();
    writeln!(
        out,
        "<li><div class=\"head\"><b>{}</b>{origin} <span class=\"num\">{} unpacked, {} stored{share}</span></div>\
         <p>{}</p>{}</li>",
        at.number,
        text::bytes(*tar_bytes),
        text::bytes(*blob_bytes),
        findings::command(at),
        // Less than a pixel says nothing.
        if *tar_bytes > most / 500 || bytes > 0 { bar(&segments, *tar_bytes, most) } else { String::new() },
    )
}

/// A bar of segments: it is `whole` long on a scale of `most`, and segments that are more than it are cut.
fn bar(segments: &[(&str, u64)], whole: u64, most: u64) -> String {
    const LENGTH: f64 = 1000.0;
    let scale = |bytes: u64| if most == 0 { 0.0 } else { bytes as f64 / most as f64 * LENGTH };
    let mut svg = format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect \
         class=\"track\" width=\"1000\" height=\"10\"/><rect class=\"rest\" width=\"{:.1}\" height=\"10\"/>",
        scale(whole)
    );
    let mut at = 0.0;
    for (class, bytes) in segments.iter().filter(|(_, bytes)| *bytes > 0) {
        let width = scale(*bytes).min(scale(whole) - at).max(0.0);
        svg.push_str(&format!("<rect class=\"{class}\" x=\"{at:.1}\" width=\"{width:.1}\" height=\"10\"/>"));
        at += width;
    }
    svg.push_str("</svg>");
    svg
}

/// Owners as people call them.
fn owner_name(owner: &str) -> String {
    if owner == "none" { "no package".to_string() } else { format!("{owner} packages") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_bar_is_the_image_and_its_segments_the_findings() {
        let page = printed(&testing::report());
        // 731 MB live and 21 MB buried; 312 MB of GCC and 240 kB of make are findings.
        assert!(page.contains("<li><i class=\"high\"></i>high: 312 MB</li>"), "{page}");
        assert!(page.contains("<i class=\"rest\"></i>everything else: 440 MB"), "{page}");
        assert!(page.contains(&format!("class=\"high\" x=\"0.0\" width=\"{:.1}\"", 312.0 / 752.0 * 1000.0)), "{page}");
    }

    #[test]
    fn a_layer_tells_what_findings_it_brought() {
        let page = printed(&testing::report());
        assert!(page.contains("80.0 MB unpacked, 31.0 MB stored; 312 MB in findings"), "{page}");
        assert!(page.contains("<b>1</b> <span class=\"tag\">base</span>"), "{page}");
        assert!(page.contains("<p><code>RUN apt-get install -y gcc</code></p>"), "{page}");
    }

    #[test]
    fn segments_never_leave_their_bar() {
        assert!(bar(&[("high", 400), ("low", 400)], 500, 1_000).contains("x=\"400.0\" width=\"100.0\""));
        assert!(!bar(&[("high", 0)], 0, 0).contains("NaN"));
    }

    #[test]
    fn parts_and_secrets_weigh_nothing() {
        let mut report = testing::report();
        report.findings[2].part_of = Some(report.findings[0].fingerprint.clone());
        report.findings[0].family = crate::model::Family::Secret;
        assert!(!printed(&report).contains("<figure>"));
    }

    #[test]
    fn many_small_findings_are_one_area() {
        let page = printed(&testing::many(500));
        assert_eq!(page.matches("<title>476 more findings").count(), 2, "in both drawings");
    }
}
