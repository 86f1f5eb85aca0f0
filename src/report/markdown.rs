//! The report as Markdown: the comment of a pull request, the summary of a job.
//!
//! Everything that came from the image is written with character references, so that nothing in it is markup, a link, a
//! mention or a command. What does not fit into a comment is counted, not cut in the middle.
//!
//! Sources: GitHub's limit of 65,536 characters for a comment and of 1 MiB for a job summary; GitHub Flavored Markdown.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{Verdict, text, verdict};
use crate::model::{Evidence, Family, Finding, Fix, Report, Rewrite, Severity, State};

/// Most bytes of the text: what a comment takes, less some room for what is put around it.
pub const BYTES_MAX: usize = 64_000;

/// Pieces of evidence shown of one finding.
const EVIDENCE_MAX: usize = 3;

/// Rows of the table, and findings told below it.
const FINDINGS_MAX: usize = 100;

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(report, verdict).as_bytes())
}

fn page(report: &Report, verdict: &Verdict) -> String {
    let mut page = head(report, verdict);
    let foot = foot(report);
    let room = |page: &String, more: &str| page.len() + more.len() + foot.len() + 200 < BYTES_MAX;
    let loud: Vec<&Finding> =
        report.findings.iter().filter(|f| f.severity > Severity::Note && f.part_of.is_none()).collect();
    let notes = report.findings.len() - loud.len();

    if !loud.is_empty() {
        page.push_str("| | what | size | where |\n|---|---|---:|---|\n");
        let mut rows = 0;
        for row in loud.iter().take(FINDINGS_MAX).map(|finding| row(finding)) {
            if !room(&page, &row) {
                break;
            }
            page.push_str(&row);
            rows += 1;
        }
        page.push('\n');
        if rows < loud.len() {
            page.push_str(&format!("{} left out of the table.\n\n", text::plural(loud.len() - rows, "more finding")));
        }
    }
    if let Some(fix) = report.fix.as_ref().and_then(fix).filter(|fix| room(&page, fix)) {
        page.push_str(&fix);
    }
    let mut told = 0;
    for part in loud.iter().take(FINDINGS_MAX).map(|finding| details(finding)) {
        if !room(&page, &part) {
            break;
        }
        page.push_str(&part);
        told += 1;
    }
    if told < loud.len() {
        page.push_str(&format!("{} not told here.\n\n", text::plural(loud.len() - told, "more finding")));
    }
    if notes > 0 {
        page.push_str(&format!("{} beside them.\n\n", text::plural(notes, "note")));
    }
    page + &foot
}

fn head(report: &Report, verdict: &Verdict) -> String {
    let sign = match verdict {
        Verdict::Passed { .. } => "✅",
        Verdict::Failed { .. } => "❌",
        Verdict::Partial { .. } => "⚠️",
    };
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    report.findings.iter().for_each(|f| *counts.entry(f.severity).or_default() += 1);
    let counts: Vec<String> = counts.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
    let found = if counts.is_empty() { "nothing found".to_string() } else { counts.join(", ") };
    format!(
        "### {sign} offcut: {}\n\n**{verdict}** · {found} · {} in {}\n\n",
        code(&report.image.reference),
        text::bytes(report.totals.bytes),
        text::plural(report.layers.len(), "layer"),
    )
}

fn row(finding: &Finding) -> String {
    let place = match (&finding.line, &finding.layer) {
        (Some(line), _) => code(&format!("{}:{}", line.file, line.first)),
        (None, Some(layer)) => format!("layer {}", layer.number),
        (None, None) => "configuration".to_string(),
    };
    let allowed = if finding.allowed.is_some() { " (allowed)" } else { "" };
    format!("| {}{allowed} | {} | {} | {place} |\n", badge(finding.severity), subject(finding), size(finding))
}

fn badge(severity: Severity) -> String {
    let sign = match severity {
        Severity::Critical => "🟣",
        Severity::High => "🔴",
        Severity::Medium => "🟠",
        Severity::Low => "🟡",
        Severity::Note => "⚪",
    };
    format!("{sign} {severity}")
}

fn subject(finding: &Finding) -> String {
    let version = finding.version.as_deref().map_or_else(String::new, |version| format!(" {}", prose(version)));
    let buried = if finding.state == State::Buried { " (deleted later, still shipped)" } else { "" };
    format!("**{}**{version}{buried} <sub>{}</sub>", prose(&finding.subject), prose(&finding.rule))
}

fn size(finding: &Finding) -> String {
    match finding.family {
        Family::Secret => String::new(),
        _ if finding.bytes == 0 => String::new(),
        _ => text::bytes(finding.bytes),
    }
}

fn details(finding: &Finding) -> String {
    let mut out = format!(
        "<details><summary>{} <b>{}</b>: {}</summary>\n\n{}\n\n",
        badge(finding.severity),
        prose(&finding.subject),
        prose(&finding.title),
        prose(&finding.why)
    );
    if let Some(reason) = &finding.allowed {
        out.push_str(&format!("Allowed: {}\n\n", prose(reason)));
    }
    if let Some(layer) = &finding.layer {
        let by = layer.created_by.as_deref().map_or_else(String::new, |by| format!(" {}", code(&text::command(by))));
        out.push_str(&format!("- layer {}{by}\n", layer.number));
    }
    for piece in finding.evidence.iter().take(EVIDENCE_MAX) {
        out.push_str(&format!("- {}\n", proof(piece)));
    }
    if let Some(more) = finding.evidence.len().checked_sub(EVIDENCE_MAX).filter(|&more| more > 0) {
        out.push_str(&format!("- and {} of evidence\n", text::plural(more, "more piece")));
    }
    if let Some(witness) = &finding.need.witness {
        out.push_str(&format!("- {}: {}\n", finding.need.reach.word(), prose(witness)));
    }
    out.push_str(&format!("\n**{}**. {}\n\n", prose(&finding.remedy.title), prose(&finding.remedy.text)));
    match &finding.patch {
        Some(patch) => {
            out.push_str(&format!("{}:\n\n{}", prose(&patch.what), fenced("dockerfile", &patch.text)));
        }
        None if !finding.remedy.own => out.push_str(&fenced("dockerfile", &finding.remedy.dockerfile)),
        None => {}
    }
    out.push_str("</details>\n\n");
    out
}

fn proof(piece: &Evidence) -> String {
    let place = piece.path.as_ref().map_or_else(String::new, |path| format!(" in {}", code(&path.to_string())));
    format!("{}: {}{place}", piece.class.word(), prose(&piece.witness))
}

fn fix(fix: &Fix) -> Option<String> {
    let rewrite: &Rewrite = match fix {
        Fix::Rewritten(rewrite) => rewrite,
        Fix::Refused(why) => return Some(format!("No Dockerfile is offered: {}.\n\n", prose(why))),
        Fix::Nothing(_) => return None,
    };
    let mut out = format!(
        "**The Dockerfile that mends it**: {} before, {} on top of {} then.\n\n",
        text::bytes(rewrite.before),
        text::bytes(rewrite.added),
        code(&rewrite.to)
    );
    if rewrite.file.is_some() {
        out.push_str(&fenced("diff", &rewrite.diff));
    } else {
        for guess in &rewrite.guessed {
            out.push_str(&format!("- a guess: {}\n", prose(guess)));
        }
        out.push('\n');
        out.push_str(&fenced("dockerfile", &rewrite.dockerfile));
    }
    out.push_str("<details><summary>What changes and why</summary>\n\n");
    for change in &rewrite.changes {
        out.push_str(&format!("- {}: {}\n", prose(&change.what), prose(&change.why)));
    }
    out.push_str("\n</details>\n\n");
    Some(out)
}

fn foot(report: &Report) -> String {
    let mut out = String::new();
    let unread = verdict::unread(report);
    if unread > 0 {
        out.push_str(&format!("**{} not read.**\n\n", text::things(unread)));
    }
    let rules = report.tool.catalogue.map_or_else(String::new, |digest| format!(", rules {}", digest.short()));
    let id = report.image.manifest.or(report.image.id).map_or_else(String::new, |id| format!(" of {id}"));
    out.push_str(&format!("<sub>offcut {}{rules}{id}</sub>\n", prose(&report.tool.version)));
    out
}

/// Foreign text that stays text: letters, digits and blanks as they are, all else as character references.
fn prose(foreign: &str) -> String {
    let mut out = String::new();
    for c in text::plain(foreign).chars() {
        match c {
            ' ' | ',' | ')' | '/' => out.push(c),
            // No mention begins behind an invisible space, and no address.
            '@' => out.push_str("&#8203;&#64;&#8203;"),
            '.' | ':' => {
                out.push(c);
                out.push_str("&#8203;");
            }
            c if c.is_alphanumeric() || !c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out.replace(".&#8203; ", ". ").replace(":&#8203; ", ": ").trim_end_matches("&#8203;").to_string()
}

/// Foreign text as code, which nothing in it ends.
fn code(foreign: &str) -> String {
    let mut out = String::from("<code>");
    for c in text::plain(foreign).chars() {
        match c {
            ' ' | '/' | '-' | ',' => out.push(c),
            c if c.is_alphanumeric() || !c.is_ascii() => out.push(c),
            c => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out.push_str("</code>");
    out
}

/// A block of code whose fence is longer than any in it.
fn fenced(language: &str, block: &str) -> String {
    let lines: Vec<String> = block.lines().map(text::verbatim).collect();
    let ticks = |line: &String| line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(lines.iter().map(ticks).max().unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn printed(report: &Report) -> String {
        page(report, &Verdict::of(report, Some(Severity::High)))
    }

    #[test]
    fn the_verdict_comes_first_and_the_diff_is_there_to_be_taken() {
        let text = printed(&testing::mended());
        assert!(text.starts_with("### ❌ offcut: <code>"), "{text}");
        assert!(text.contains("FAILED: 1 finding is high or worse"), "{text}");
        assert!(text.contains("```diff\n--- a/Dockerfile\n+++ b/Dockerfile\n"), "{text}");
        assert!(text.contains("<code>Dockerfile&#58;2</code>"), "{text}");
        assert!(text.contains("USER 65532:65532\nCMD"), "the change of the line: {text}");
    }

    #[test]
    fn nothing_of_an_image_is_markup_a_link_or_a_mention() {
        for name in testing::HOSTILE {
            let text = printed(&testing::hostile(name));
            for bad in
                ["<img", "[link]", "](", "**bold**", "`code`", "http://", "@user", "\u{1b}", "\u{202e}", "\u{2066}"]
            {
                assert!(!text.contains(bad), "{bad} in {text}");
            }
            // The rows of the table have their four cells.
            for line in text.lines().filter(|line| line.starts_with('|')) {
                assert_eq!(line.matches('|').count(), 5, "{line}");
            }
        }
        assert_eq!(prose("see www.x.org, @me"), "see www.&#8203;x.&#8203;org, &#8203;&#64;&#8203;me");
    }

    #[test]
    fn a_fence_is_longer_than_those_in_it() {
        assert_eq!(fenced("x", "a\n````\n"), "`````x\na\n````\n`````\n\n");
    }

    #[test]
    fn what_a_comment_does_not_take_is_counted() {
        let text = printed(&testing::many(5_000));
        assert!(text.len() <= BYTES_MAX, "{}", text.len());
        assert!(text.contains("4,900 more findings left out of the table"), "{text}");
        assert!(text.ends_with("</sub>\n"));
    }
}
