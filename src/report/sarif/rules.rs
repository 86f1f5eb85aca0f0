//! The rules of a report as SARIF reporting descriptors.

use std::collections::HashMap;

use serde_json::json;
use serde_sarif::sarif::{MultiformatMessageString, PropertyBag, ReportingConfiguration, ReportingDescriptor};

use super::{level, weaknesses};
use crate::model::{Family, Remedy, Report, RuleAbout, Severity};

/// Longest description that GitHub takes, in characters.
const DESCRIPTION_MAX: usize = 1_024;
/// Most tags that GitHub keeps of a rule.
const TAGS_MAX: usize = 10;

/// Where to read about offcut: the package's repository, if it names one.
pub(super) fn information_uri() -> Option<String> {
    let repository = env!("CARGO_PKG_REPOSITORY");
    (!repository.is_empty()).then(|| repository.to_string())
}

/// The descriptors of all rules, and the position of each by its id.
///
/// A finding's rule that the report does not describe is described by the finding itself, so that every index
/// resolves.
pub(super) fn descriptors(report: &Report) -> (Vec<ReportingDescriptor>, HashMap<&str, i64>) {
    let (mut rules, mut index) = (Vec::new(), HashMap::new());
    for rule in &report.rules {
        if !index.contains_key(rule.id.as_str()) {
            index.insert(rule.id.as_str(), rules.len() as i64);
            rules.push(descriptor(rule));
        }
    }
    for finding in &report.findings {
        if !index.contains_key(finding.rule.as_str()) {
            index.insert(finding.rule.as_str(), rules.len() as i64);
            rules.push(descriptor(&RuleAbout {
                id: finding.rule.clone(),
                title: finding.title.clone(),
                severity: finding.severity,
                why: finding.why.clone(),
                remedy: finding.remedy.clone(),
                refs: finding.refs.clone(),
                weaknesses: Vec::new(),
            }));
        }
    }
    (rules, index)
}

fn descriptor(rule: &RuleAbout) -> ReportingDescriptor {
    let help = MultiformatMessageString::builder().text(help_text(rule)).markdown(help_markdown(rule)).build();
    ReportingDescriptor::builder()
        .id(rule.id.clone())
        .name(pascal_case(&rule.id))
        .short_description(described(&rule.title))
        .full_description(described(&rule.why))
        .help(help)
        .opt_help_uri(rule.refs.first().filter(|r| r.starts_with("https://")).cloned().or_else(information_uri))
        .default_configuration(ReportingConfiguration::builder().level(json!(level(rule.severity))).build())
        .properties(properties(rule))
        .opt_relationships(weaknesses::relationships(rule))
        .build()
}

fn properties(rule: &RuleAbout) -> PropertyBag {
    let family = Family::of(&rule.id).map_or("config", Family::word);
    let mut members = std::collections::BTreeMap::from([
        ("precision".to_string(), json!("very-high")),
        ("problem.severity".to_string(), json!(problem(rule.severity))),
    ]);
    let mut tags = vec!["container".to_string(), family.to_string()];
    if let Some(score) = security_severity(rule.severity) {
        members.insert("security-severity".to_string(), json!(score));
        tags.push("security".to_string());
    }
    // More than these are also relationships.
    tags.extend(rule.weaknesses.iter().filter_map(weaknesses::tag));
    tags.truncate(TAGS_MAX);
    PropertyBag::builder().tags(tags).additional_properties(members).build()
}

/// The score GitHub shows as critical (over 9.0), high (7.0), medium (4.0) or low; a note is no security matter.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Note => None,
    }
}

fn problem(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Note => "recommendation",
    }
}

fn described(text: &str) -> MultiformatMessageString {
    let short: String = text.trim().trim_end_matches('.').chars().take(DESCRIPTION_MAX - 1).collect();
    MultiformatMessageString::builder().text(format!("{short}.")).build()
}

fn help_text(rule: &RuleAbout) -> String {
    let Remedy { title, text, dockerfile, .. } = &rule.remedy;
    let mut out = format!("{}\n\nRemedy: {title}\n\n{text}\n\n{dockerfile}", rule.why);
    for reference in &rule.refs {
        out += &format!("\n{reference}");
    }
    out
}

fn help_markdown(rule: &RuleAbout) -> String {
    let Remedy { title, text, dockerfile, .. } = &rule.remedy;
    let mut out = format!("{}\n\n## Remedy: {title}\n\n{text}\n", rule.why);
    if !dockerfile.trim().is_empty() {
        out += &format!("\n```dockerfile\n{}\n```\n", dockerfile.trim_end());
    }
    for reference in &rule.refs {
        out += &format!("\n- <{reference}>");
    }
    out
}

/// `build-tool/gcc` as `BuildToolGcc`: SARIF wants a name that differs from the id and has no punctuation.
fn pascal_case(id: &str) -> String {
    let words = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_pascal_case() {
        for (id, want) in [
            ("build-tool/gcc", "BuildToolGcc"),
            ("root-user/uid-0", "RootUserUid0"),
            ("build-tool/g++", "BuildToolG"),
            ("é/", ""),
        ] {
            assert_eq!(pascal_case(id), want);
        }
    }

    #[test]
    fn a_description_ends_with_one_period_and_is_not_too_long() {
        assert_eq!(described("It costs. ").text, "It costs.");
        assert_eq!(described(&"é".repeat(5_000)).text.chars().count(), DESCRIPTION_MAX);
    }
}
