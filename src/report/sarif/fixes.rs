//! Changes of the Dockerfile as SARIF fixes, which editors can apply.
//!
//! Regions end at the start of the line behind what goes, so that a change takes the line ends with it.

use serde_sarif::sarif::{ArtifactChange, ArtifactContent, ArtifactLocation, Fix, Message, Region, Replacement};

use super::names;
use crate::model::{self, Finding, Patch, Report, Rewrite};

/// Most results that carry the whole rewrite: it is the same for all of them.
pub const REWRITES_MAX: usize = 20;

/// What mends a finding: a change of its line, or the rewrite of the file.
pub(super) fn of(report: &Report, finding: &Finding, rewrites: &mut usize) -> Option<Vec<Fix>> {
    let file = finding.line.as_ref().map(|line| line.file.as_str());
    let patch = finding.patch.as_ref().and_then(|patch| local(file?, patch));
    let whole = match &report.fix {
        Some(model::Fix::Rewritten(rewrite)) if finding.remedy.own && *rewrites < REWRITES_MAX => whole(rewrite),
        _ => None,
    };
    *rewrites += usize::from(whole.is_some());
    let fixes: Vec<Fix> = patch.into_iter().chain(whole).collect();
    (!fixes.is_empty()).then_some(fixes)
}

fn local(file: &str, patch: &Patch) -> Option<Fix> {
    fix(file, &patch.what, vec![replacement(patch.first, patch.last, &format!("{}\n", patch.text))])
}

/// The hunks of the diff, each run of changed lines a replacement.
fn whole(rewrite: &Rewrite) -> Option<Fix> {
    let mut replacements = Vec::new();
    let (mut line, mut first, mut new) = (1, 1, String::new());
    for text in rewrite.diff.lines().skip(2).chain(["@@ -0 +0 @@"]) {
        let goes_on = text.starts_with(['-', '+']);
        if !goes_on && (first < line || !new.is_empty()) {
            replacements.push(replacement(first, line - 1, &new));
            new.clear();
        }
        match text.split_at_checked(1) {
            Some(("-", _)) => line += 1,
            Some(("+", rest)) => {
                new.push_str(rest);
                new.push('\n');
            }
            Some((" ", _)) => line += 1,
            Some(("@", rest)) => {
                let start = rest.split(['-', ',', ' ']).filter_map(|number| number.parse().ok()).next();
                line = start.unwrap_or(line).max(1);
            }
            _ => {}
        }
        if !goes_on {
            first = line;
        }
    }
    let what = format!("Build in a stage of its own and ship on {}", rewrite.to);
    fix(rewrite.file.as_deref()?, &what, replacements)
}

fn fix(file: &str, what: &str, replacements: Vec<Replacement>) -> Option<Fix> {
    let artifact = ArtifactLocation::builder().uri(names::file_uri(file)?).build();
    let change = ArtifactChange::builder().artifact_location(artifact).replacements(replacements).build();
    let what = Message::from(format!("{}.", names::escape(&names::show(what))).as_str());
    Some(Fix::builder().description(what).artifact_changes(vec![change]).build())
}

/// `last` is one less than `first` where nothing goes.
fn replacement(first: u32, last: u32, text: &str) -> Replacement {
    let region = Region::builder()
        .start_line(i64::from(first))
        .start_column(1)
        .end_line(i64::from(last) + 1)
        .end_column(1)
        .build();
    let content = ArtifactContent::builder().text(text.to_string()).build();
    Replacement::builder().deleted_region(region).inserted_content(content).build()
}

#[cfg(test)]
mod tests {
    use similar::TextDiff;

    use super::*;

    /// What an editor makes of a fix.
    fn applied(old: &str, fix: &Fix) -> String {
        let mut lines: Vec<String> = old.lines().map(|line| format!("{line}\n")).collect();
        for one in fix.artifact_changes[0].replacements.iter().rev() {
            let region = &one.deleted_region;
            let at = |line: Option<i64>| usize::try_from(line.expect("a line") - 1).expect("a number");
            let text = one.inserted_content.as_ref().and_then(|content| content.text.clone()).unwrap_or_default();
            lines.splice(at(region.start_line)..at(region.end_line), [text]);
        }
        lines.concat()
    }

    #[test]
    fn the_replacements_make_the_new_file_of_the_old_one() {
        for (old, new) in [
            ("FROM a\nRUN b\nCMD c\n", "FROM a AS build\nRUN b\n\nFROM d\nCOPY --from=build x y\nCMD c\n"),
            ("FROM a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nCMD c\n", "FROM b\n1\n2\n3\n4\n5\n6\n7\n8\n9\nCMD d\nUSER 1\n"),
            ("FROM a\nRUN b\n", "FROM a\n"),
            ("FROM a\n", "# b\nFROM a\n"),
        ] {
            let diff = TextDiff::from_lines(old, new).unified_diff().header("a/x", "b/x").to_string();
            let rewrite = Rewrite { file: Some("x".into()), diff, ..Rewrite::default() };
            assert_eq!(applied(old, &whole(&rewrite).expect("a fix")), new);
        }
        let patch = Patch { what: "a".into(), first: 2, last: 3, text: "x".into() };
        assert_eq!(applied("1\n2\n3\n4\n", &local("f", &patch).expect("a fix")), "1\nx\n4\n");
    }
}
