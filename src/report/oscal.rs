//! The report as OSCAL assessment results: an observation for each finding, and for each control that the rules speak to
//! whether it is satisfied.
//!
//! Identifiers are made of the image's digest and of what they name, so that the same scan gives the same document.
//!
//! Source: NIST OSCAL 1.1, assessment results model. Controls are those of NIST SP 800-53 revision 5 in `policies/frameworks/`,
//! where it stands which rule speaks to which control.

use std::io::{self, Write};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    NO_ATTESTATION,
    evaluated::{Answer, Evaluated, Outcome},
    text, verdict,
};
use crate::model::{Finding, Framework, Report, Severity, date};

/// The version of the model.
const VERSION: &str = "1.1.2";

/// The framework whose controls are told.
const FRAMEWORK: &str = "nist-800-53";

/// Writes the document; `at` is the time of the scan in seconds since 1970.
///
/// # Errors
/// Those of `out`, and when the rules are mapped to no controls.
pub fn write(report: &Report, at: i64, out: &mut dyn Write) -> io::Result<()> {
    let Some(framework) = report.frameworks.iter().find(|framework| framework.id == FRAMEWORK) else {
        return Err(io::Error::other(format!(
            "the policies have no framework \"{FRAMEWORK}\", whose controls it tells"
        )));
    };
    serde_json::to_writer_pretty(&mut *out, &json!({ "assessment-results": results(report, framework, at) }))?;
    out.write_all(b"\n")
}

fn results(report: &Report, framework: &Framework, at: i64) -> Value {
    let digest = report.image.manifest.or(report.image.id);
    let of = digest.map_or_else(|| report.image.reference.clone(), |digest| digest.to_string());
    let id = |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("offcut:{of}:{what}").as_bytes()).to_string();
    let time = date::time(at);
    let image = text::plain(&report.image.reference);
    let subject = id("image");

    let name = |(at, finding): (usize, &Finding)| id(&format!("observation:{at}:{}", finding.fingerprint));
    let names: Vec<String> = report.findings.iter().enumerate().map(name).collect();
    let observations: Vec<Value> = report
        .findings
        .iter()
        .zip(&names)
        .map(|(finding, name)| {
            json!({
                "uuid": name,
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
    let observation = |at: usize| names.get(at).map(|name| json!({ "observation-uuid": name }));
    let unread = verdict::unread(report);
    let evaluated = Evaluated::new(report);
    let answers = framework.controls.iter().map(|control| (control_id(&control.id), evaluated.control(control)));
    // A control that no rule looked at was not reviewed.
    let answers: Vec<(String, Answer)> = answers.filter(|(_, answer)| answer.outcome != Outcome::Not).collect();
    let findings: Vec<Value> = answers
        .iter()
        .map(|(control, answer)| {
            let (state, reason, description) = state(answer, unread);
            let mut value = json!({
                "uuid": id(&format!("finding:{control}")),
                "title": format!("{} by the contents of the image", control.to_uppercase()),
                "description": description,
                "target": {
                    "type": "objective-id",
                    "target-id": format!("{control}_obj"),
                    "status": { "state": state, "reason": reason },
                },
            });
            let related: Vec<Value> = answer.found.iter().filter_map(|at| observation(*at)).collect();
            if let (false, Some(value)) = (related.is_empty(), value.as_object_mut()) {
                value.insert("related-observations".into(), json!(related));
            }
            value
        })
        .collect();
    let include: Vec<Value> = answers.iter().map(|(control, _)| json!({ "control-id": control })).collect();

    let mut result = json!({
        "uuid": id("result"),
        "title": format!("offcut {} on {image}", report.tool.version),
        "description": format!("What the image holds that a builder stage should have kept. {NO_ATTESTATION}"),
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

/// `AC-6(10)` as the catalogues of OSCAL have it, `ac-6.10`.
fn control_id(id: &str) -> String {
    id.to_lowercase().replace('(', ".").replace(')', "")
}

/// Whether a control is satisfied, why, and in a sentence. What was not looked at is never satisfied.
fn state(answer: &Answer, unread: usize) -> (&'static str, &'static str, String) {
    let quiet = |text: &str| ("satisfied", "pass", text.to_string());
    match answer.outcome {
        Outcome::Found(worst) if worst >= Severity::Medium => (
            "not-satisfied",
            "fail",
            format!("{}, the worst of them {worst}.", text::plural(answer.found.len(), "finding")),
        ),
        _ if unread > 0 => (
            "not-satisfied",
            "other",
            format!("{} not read, so that nothing can be said for sure.", text::things(unread)),
        ),
        Outcome::Partly | Outcome::Not => {
            let missing = answer.missing.join("; ");
            (
                "not-satisfied",
                "other",
                format!("The rules that looked found nothing, and others could not look: {missing}."),
            )
        }
        Outcome::Found(worst) => quiet(&format!("Nothing worse than {worst} was found.")),
        Outcome::Allowed => quiet("What was found was allowed, each with its reason."),
        Outcome::Nothing => quiet("The rules that speak to this control found nothing."),
    }
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
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{
        catalogue::Catalogue,
        model::{Coverage, RuleAbout},
        report::testing,
    };

    /// The results with the real mapping, and every rule there is.
    fn told(mut report: Report) -> Value {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let about = report.rules[0].clone();
        report.rules =
            catalogue.rules.iter().map(|rule| RuleAbout { id: rule.about.id.clone(), ..about.clone() }).collect();
        let framework = catalogue.frameworks.iter().find(|framework| framework.id == FRAMEWORK).expect("it is there");
        results(&report, framework, 5)
    }

    fn states(report: Report) -> BTreeMap<String, String> {
        let value = told(report);
        let findings = value["results"][0]["findings"].as_array().expect("a list").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        findings.iter().map(|f| (text(&f["target"]["target-id"]), text(&f["target"]["status"]["state"]))).collect()
    }

    /// Everything was looked at.
    fn whole(report: Report) -> Report {
        Report { searched: Some(Coverage::default()), dockerfile: Some("Dockerfile".into()), ..report }
    }

    #[test]
    fn a_control_is_satisfied_where_all_looked_and_nothing_speaks_against_it() {
        let found = states(whole(testing::report()));
        assert_eq!((found["cm-7_obj"].as_str(), found["ac-6_obj"].as_str()), ("not-satisfied", "not-satisfied"));
        assert_eq!(found["ac-6.10_obj"], "not-satisfied");
        assert_eq!(found["ia-5.7_obj"], "satisfied");
        assert!(states(whole(testing::empty())).values().all(|state| state == "satisfied"));
        let mut unread = whole(testing::empty());
        unread.diagnostics.push(testing::unread("x"));
        assert!(states(unread).values().all(|state| state == "not-satisfied"));
    }

    #[test]
    fn what_was_not_looked_at_is_not_satisfied() {
        let no_secrets = Report { searched: None, ..whole(testing::empty()) };
        assert_eq!(states(no_secrets)["ia-5.7_obj"], "not-satisfied");
        let mut directory = whole(testing::empty());
        directory.image.config = None;
        assert!(!states(directory).contains_key("ac-6_obj"), "no rule looked at a user");
    }

    #[test]
    fn the_same_scan_gives_the_same_document_and_every_reference_leads_somewhere() {
        let value = told(testing::report());
        assert_eq!(value, told(testing::report()));
        let result = &value["results"][0];
        let ids: BTreeSet<&str> =
            result["observations"].as_array().into_iter().flatten().filter_map(|o| o["uuid"].as_str()).collect();
        assert_eq!(ids.len(), testing::report().findings.len());
        let mut related = 0;
        for finding in result["findings"].as_array().into_iter().flatten() {
            for one in finding["related-observations"].as_array().into_iter().flatten() {
                related += 1;
                assert!(ids.contains(one["observation-uuid"].as_str().unwrap_or_default()));
            }
        }
        assert!(related > 0, "nothing is related");
    }

    #[test]
    fn policies_without_the_framework_are_told() {
        let error = write(&testing::report(), 0, &mut Vec::new()).expect_err("no framework");
        assert!(error.to_string().contains(FRAMEWORK), "{error}");
    }
}
