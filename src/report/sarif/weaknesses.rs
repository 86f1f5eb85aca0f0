//! The CWE list as a taxonomy of SARIF: only the entries that rules of the file refer to.

use std::collections::BTreeMap;

use serde_sarif::sarif::{
    MultiformatMessageString, ReportingDescriptor, ReportingDescriptorReference, ReportingDescriptorRelationship,
    ToolComponent, ToolComponentReference,
};

use crate::model::{RuleAbout, Weakness};

/// What the taxonomy is called where it is referred to.
const NAME: &str = "CWE";

/// The taxonomy of these rules; `None` where none of them has a weakness.
pub(super) fn taxonomy(rules: &[RuleAbout]) -> Option<ToolComponent> {
    let all = rules.iter().flat_map(|rule| &rule.weaknesses);
    let used: BTreeMap<_, _> = all.map(|weakness| (Weakness::number(&weakness.id), weakness)).collect();
    if used.is_empty() {
        return None;
    }
    let taxa: Vec<_> = used.into_values().map(taxon).collect();
    let taxonomy = ToolComponent::builder()
        .name(NAME)
        .organization("MITRE")
        .short_description(text("The Common Weakness Enumeration of MITRE.".to_string()))
        .information_uri("https://cwe.mitre.org/data/published.html")
        .is_comprehensive(false)
        .taxa(taxa);
    Some(taxonomy.build())
}

/// How the driver names the taxonomy.
pub(super) fn reference() -> ToolComponentReference {
    ToolComponentReference::builder().name(NAME).index(0).build()
}

/// The weaknesses of a rule: each has the rule's findings among its own, and more.
pub(super) fn relationships(rule: &RuleAbout) -> Option<Vec<ReportingDescriptorRelationship>> {
    let relationship = |weakness: &Weakness| {
        let component = ToolComponentReference::builder().name(NAME).build();
        let target = ReportingDescriptorReference::builder().id(weakness.id.clone()).tool_component(component).build();
        ReportingDescriptorRelationship::builder().target(target).kinds(vec!["superset".to_string()]).build()
    };
    let all: Vec<_> = rule.weaknesses.iter().map(relationship).collect();
    (!all.is_empty()).then_some(all)
}

/// The tag that GitHub reads: the number has at least three digits.
pub(super) fn tag(weakness: &Weakness) -> Option<String> {
    Weakness::number(&weakness.id).map(|number| format!("external/cwe/cwe-{number:03}"))
}

fn taxon(weakness: &Weakness) -> ReportingDescriptor {
    ReportingDescriptor::builder()
        .id(weakness.id.clone())
        .short_description(text(format!("{}.", weakness.title)))
        .help_uri(weakness.link())
        .build()
}

fn text(text: String) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_three_digits_or_more() {
        let tag = |id: &str| tag(&Weakness { id: id.into(), title: String::new() });
        assert_eq!(tag("CWE-5").as_deref(), Some("external/cwe/cwe-005"));
        assert_eq!(tag("CWE-798").as_deref(), Some("external/cwe/cwe-798"));
        assert_eq!(tag("CWE-1125").as_deref(), Some("external/cwe/cwe-1125"));
        assert_eq!(tag("798"), None);
    }
}
