//! The report as OSCAL assessment results: an observation for each finding, and for each control that the rules speak to
//! whether it is satisfied.
//!
//! Identifiers are made of the image's digest and of what they name, so that the same scan gives the same document.
//!
//! Source: NIST OSCAL 1.1, assessment results model. Controls are those of NIST SP 800-53 revision 5; which rule speaks to which
//! control is the opinion of offcut's authors, and no attestation.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{text, time, verdict};
use crate::model::{Family, Finding, Report, Severity};

/// The version of the model.
const VERSION: &str = "1.1.2";

/// The controls that the families of findings speak to.
fn controls(family: Family) -> &'static [&'static str] {
    match family {
        Family::BuildTool => &["cm-7", "cm-7.1"],
        Family::DevDependency => &["cm-7", "cm-8"],
        Family::Source | Family::Vcs => &["cm-7", "sc-28"],
        Family::Leftover | Family::Cache | Family::BrokenRuntime => &["cm-7"],
        Family::RootUser => &["ac-6", "ac-6.10"],
        Family::Setuid => &["ac-6"],
        Family::Secret => &["ia-5.7", "sc-28"],
        Family::WrongStage => &["cm-7", "sa-15"],
        Family::Config => &["cm-6"],
        Family::Dockerfile => &["cm-2", "sa-15"],
    }
}

/// Writes the document; `at` is the time of the scan in seconds since 1970.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, at: i64, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &json!({ "assessment-results": results(report, at) }))?;
    out.write_all(b"\n")
}

fn results(report: &Report, at: i64) -> Value {
    let digest = report.image.manifest.or(report.image.id);
    let of = digest.map_or_else(|| report.image.reference.clone(), |digest| digest.to_string());
    let id = |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("offcut:{of}:{what}").as_bytes()).to_string();
    let time = time::rfc3339(at);
    let image = text::plain(&report.image.reference);
    let subject = id("image");

    let mut by_control: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for family in report.rules.iter().filter_map(|rule| Family::of(&rule.id)) {
        for control in controls(family) {
            by_control.entry(control).or_default();
        }
    }
    for finding in &report.findings {
        controls(finding.family).iter().for_each(|control| by_control.entry(control).or_default().push(finding));
    }
    let observations: Vec<Value> = report
        .findings
        .iter()
        .enumerate()
        .map(|(at, finding)| {
            json!({
                "uuid": id(&format!("observation:{at}:{}", finding.fingerprint)),
                "title": text::plain(&format!("{}: {}", finding.title, finding.subject)),
                "description": text::plain(&finding.why),
                "methods": ["TEST"],
                "collected": time,
                "subjects": [{ "subject-uuid": subject, "type": "inventory-item", "title": image }],
                "relevant-evidence": evidence(finding),
                "props": props(finding),
            })
        })
        .collect();
    let unread = verdict::unread(report);
    let findings: Vec<Value> = by_control.iter().map(|(control, found)| {
        let counts = |f: &&&Finding| f.severity >= Severity::Medium && f.allowed.is_none();
        let satisfied = unread == 0 && !found.iter().any(|f| counts(&f));
        let state = if satisfied { "satisfied" } else { "not-satisfied" };
        let related: Vec<Value> = report.findings.iter().enumerate()
            .filter(|(_, f)| controls(f.family).contains(control))
            .map(|(at, f)| json!({ "observation-uuid": id(&format!("observation:{at}:{}", f.fingerprint)) }))
            .collect();
        let description = match (satisfied, unread) {
            (true, _) => "The rules that speak to this control found nothing at medium or above.".to_string(),
            (false, 0) => format!("{} at medium or above.", text::plural(found.iter().filter(counts).count(), "finding")),
            (false, unread) => format!("{} not read, so that nothing can be said for sure.", text::things(unread)),
        };
        let mut value = json!({
            "uuid": id(&format!("finding:{control}")),
            "title": format!("{} by the contents of the image", control.to_uppercase()),
            "description": description,
            "target": { "type": "objective-id", "target-id": format!("{control}_obj"), "status": { "state": state } },
        });
        if let (false, Some(value)) = (related.is_empty(), value.as_object_mut()) {
            value.insert("related-observations".into(), json!(related));
        }
        value
    }).collect();
    let reviewed: BTreeSet<&str> = by_control.keys().copied().collect();
    let include: Vec<Value> = reviewed.iter().map(|control| json!({ "control-id": control })).collect();

    let mut result = json!({
        "uuid": id("result"),
        "title": format!("offcut {} on {image}", report.tool.version),
        "description": "What the image holds that a builder stage should have kept. Which rule speaks to which control \
                        is the opinion of offcut's authors; it is no attestation of compliance.",
        "start": time,
        "end": time,
        "reviewed-controls": { "control-selections": [{ "include-controls": include }] },
        "findings": findings,
    });
    if let (false, Some(result)) = (observations.is_empty(), result.as_object_mut()) {
        result.insert("observations".into(), json!(observations));
    }
    json!({
        "uuid": id("results"),
        "metadata": {
            "title": format!("Contents of the container image {image}"),
            "last-modified": time,
            "version": of,
            "oscal-version": VERSION,
        },
        "import-ap": { "href": "#", "remarks": "There is no assessment plan: the rules of offcut are what was assessed." },
        "results": [result],
    })
}

fn evidence(finding: &Finding) -> Value {
    let shown = finding.evidence.iter().take(20).map(|piece| {
        let place = piece.path.as_ref().map_or_else(String::new, |path| format!(" in {path}"));
        json!({ "description": text::plain(&format!("{}: {}{place}", piece.class.word(), piece.witness)) })
    });
    shown.collect()
}

fn props(finding: &Finding) -> Value {
    let mut props = vec![
        json!({ "name": "rule", "value": finding.rule }),
        json!({ "name": "severity", "value": finding.severity.word() }),
        json!({ "name": "fingerprint", "value": finding.fingerprint }),
    ];
    if let Some(layer) = &finding.layer {
        props.push(json!({ "name": "layer", "value": layer.number.to_string() }));
    }
    if finding.allowed.is_some() {
        props.push(json!({ "name": "allowed", "value": "yes" }));
    }
    json!(props)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn states(report: &Report) -> BTreeMap<String, String> {
        let value = results(report, 0);
        let findings = value["results"][0]["findings"].as_array().expect("a list").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        findings.iter().map(|f| (text(&f["target"]["target-id"]), text(&f["target"]["status"]["state"]))).collect()
    }

    #[test]
    fn a_control_is_satisfied_where_nothing_speaks_against_it() {
        let found = states(&testing::report());
        assert_eq!(found["cm-7_obj"], "not-satisfied");
        assert_eq!(found["ac-6_obj"], "not-satisfied");
        assert!(states(&testing::empty()).values().all(|state| state == "satisfied"));
        let mut unread = testing::empty();
        unread.diagnostics.push(testing::unread("x"));
        assert!(states(&unread).values().all(|state| state == "not-satisfied"));
    }

    #[test]
    fn the_same_scan_gives_the_same_document_and_every_reference_leads_somewhere() {
        let report = testing::report();
        assert_eq!(results(&report, 5), results(&report, 5));
        let value = results(&report, 5);
        let result = &value["results"][0];
        let ids: BTreeSet<&str> =
            result["observations"].as_array().into_iter().flatten().filter_map(|o| o["uuid"].as_str()).collect();
        assert_eq!(ids.len(), report.findings.len());
        for finding in result["findings"].as_array().into_iter().flatten() {
            for related in finding["related-observations"].as_array().into_iter().flatten() {
                assert!(ids.contains(related["observation-uuid"].as_str().unwrap_or_default()));
            }
        }
    }
}
