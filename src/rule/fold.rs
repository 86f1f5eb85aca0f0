//! Says which findings are part of another one, so that nothing is complained about, or counted, twice.
//!
//! The compiler that came along with a project's dev dependencies goes when they go: it is named, but it is no alarm
//! of its own. Files are compared by path and state; nothing is removed from the report.

use std::collections::HashMap;

use crate::model::{Evidence, EvidenceClass, Family, Finding, ImagePath, Severity, State};

/// Marks every finding all of whose files another finding holds.
///
/// A finding is folded only into one that is judged no milder, with one exception: dev dependencies are as bad as the
/// worst tool among them, so they take over its severity. Secrets, and findings without files, always stand alone.
pub(super) fn fold(findings: &mut [Finding]) {
    let mut holders: HashMap<(State, &ImagePath), Vec<usize>> = HashMap::new();
    for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| may_hold(finding)) {
        for file in files(finding) {
            holders.entry((finding.state, file)).or_default().push(at);
        }
    }
    let folds: Vec<(usize, usize)> = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| may_be_part(finding))
        .filter_map(|(at, finding)| Some((at, holder(findings, &holders, at, finding)?)))
        .collect();
    for (at, holder) in folds {
        let Some((part, name)) = findings.get(at).map(|part| (part.severity, describe(part))) else { continue };
        let Some(whole) = findings.get_mut(holder) else { continue };
        whole.severity = whole.severity.max(part);
        whole.evidence.push(name);
        let fingerprint = whole.fingerprint.clone();
        if let Some(part) = findings.get_mut(at) {
            part.severity = Severity::Note;
            part.part_of = Some(fingerprint);
        }
    }
}

/// The finding that holds all files of this one: of several the one with the fewest files.
fn holder(
    findings: &[Finding],
    holders: &HashMap<(State, &ImagePath), Vec<usize>>,
    at: usize,
    part: &Finding,
) -> Option<usize> {
    let mut left: Option<Vec<usize>> = None;
    for file in files(part) {
        let with = holders.get(&(part.state, file)).map_or(&[][..], |list| list);
        left = Some(match left {
            None => with.iter().copied().filter(|&other| other != at).collect(),
            Some(left) => left.into_iter().filter(|other| with.contains(other)).collect(),
        });
        if left.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
    }
    let size = count(part);
    let fits = |&other: &usize| {
        findings.get(other).is_some_and(|whole| {
            count(whole) > size && (whole.family == Family::DevDependency || whole.severity >= part.severity)
        })
    };
    left?.into_iter().filter(fits).min_by_key(|&other| findings.get(other).map(count))
}

fn may_hold(finding: &Finding) -> bool {
    !matches!(finding.family, Family::Secret | Family::BrokenRuntime | Family::WrongStage | Family::Setuid)
}

/// Dev dependencies of one project inside another are still counted for themselves.
fn may_be_part(finding: &Finding) -> bool {
    may_hold(finding) && !matches!(finding.family, Family::DevDependency | Family::Vcs)
}

fn files(finding: &Finding) -> impl Iterator<Item = &ImagePath> {
    finding.paths.iter().flat_map(|group| &group.files)
}

fn count(finding: &Finding) -> usize {
    finding.paths.iter().map(|group| group.files.len()).sum()
}

fn describe(part: &Finding) -> Evidence {
    let version = part.version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
    let witness = format!("holds {}{version} [{}]", part.subject, part.rule);
    let path = part.evidence.iter().find_map(|evidence| evidence.path.clone());
    Evidence { class: EvidenceClass::Structure, witness, path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Confidence, PathGroup},
        report::testing,
    };

    fn finding(rule: &str, severity: Severity, files: &[&str]) -> Finding {
        let mut finding = testing::report().findings.remove(0);
        finding.rule = rule.to_string();
        finding.family = Family::of(rule).expect("a family");
        finding.fingerprint = rule.to_string();
        finding.severity = severity;
        finding.confidence = Confidence::Certain;
        finding.part_of = None;
        let files = files.iter().map(|file| ImagePath::new(file.as_bytes())).collect();
        finding.paths = vec![PathGroup { root: ImagePath::new(b""), bytes: 1, files }];
        finding
    }

    #[test]
    fn a_tool_among_dev_dependencies_is_named_there_and_gives_its_severity() {
        let mut findings = [
            finding("build-tool/typescript", Severity::High, &["a/typescript"]),
            finding("dev-dependency/npm", Severity::Medium, &["a/eslint", "a/typescript"]),
        ];
        fold(&mut findings);
        assert_eq!(findings[0].part_of.as_deref(), Some("dev-dependency/npm"));
        assert_eq!((findings[0].severity, findings[1].severity), (Severity::Note, Severity::High));
        let named = &findings[1].evidence.last().expect("evidence").witness;
        assert!(named.ends_with("[build-tool/typescript]"), "{named}");
    }

    #[test]
    fn one_file_outside_makes_it_a_finding_of_its_own() {
        let before = [
            finding("build-tool/typescript", Severity::High, &["a/typescript", "usr/bin/tsc"]),
            finding("dev-dependency/npm", Severity::Medium, &["a/eslint", "a/lint", "a/typescript"]),
        ];
        let mut after = before.clone();
        fold(&mut after);
        assert_eq!(after, before);
    }

    #[test]
    fn nothing_is_folded_into_something_milder() {
        let before = [
            finding("build-tool/gcc", Severity::High, &["c/gcc"]),
            finding("cache/npm", Severity::Low, &["c/gcc", "c/x"]),
        ];
        let mut after = before.clone();
        fold(&mut after);
        assert_eq!(after, before);
    }

    #[test]
    fn live_and_buried_files_are_different_files() {
        let mut before = [
            finding("build-tool/vite", Severity::Medium, &["a/vite"]),
            finding("dev-dependency/npm", Severity::Medium, &["a/vite", "a/x"]),
        ];
        before[0].state = State::Buried;
        before[1].state = State::Live;
        let mut after = before.clone();
        fold(&mut after);
        assert_eq!(after, before);
    }
}
