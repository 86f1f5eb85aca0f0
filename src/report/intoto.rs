//! The verdict as in-toto statements, unsigned: for `cosign attest` and policy engines.
//!
//! Source: in-toto attestation framework, Statement v1, and the predicates test-result v0.1 and SVR (simple verification
//! result) v0.2. SVR lists only the properties that hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{Verdict, verdict};
use crate::{
    model::{Digest, Family, Report, Severity, date},
    policy::Gates,
};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const SVR: &str = "https://in-toto.io/attestation/svr/v0.2";

/// What each property of the SVR wants: no finding of these families at medium or above.
const PROPERTIES: [(&str, &[Family]); 5] = [
    ("OFFCUT_NO_BUILD_TOOLS", &[Family::BuildTool, Family::WrongStage]),
    ("OFFCUT_NO_DEV_DEPENDENCIES", &[Family::DevDependency]),
    ("OFFCUT_NO_SOURCES", &[Family::Source, Family::Vcs]),
    ("OFFCUT_NON_ROOT", &[Family::RootUser]),
    ("OFFCUT_NO_SECRETS", &[Family::Secret]),
];

/// What is written of an attestation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The statement: which image, what kind of predicate, and the predicate.
    Statement,
    /// The predicate alone; whoever signs it says which image it is about, as `cosign attest --predicate` does.
    Predicate,
}

/// Writes a test result: each rule is a test, which failed, warned or passed.
///
/// # Errors
/// Those of `out`, and for a statement, when the image has no digest that it could be about.
pub fn test_result(
    report: &Report,
    verdict: &Verdict,
    gates: &Gates,
    part: Part,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut found: BTreeMap<&str, bool> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.allowed.is_none()) {
        *found.entry(&finding.rule).or_default() |= gates.fails(finding);
    }
    let of = |fails: bool| found.iter().filter(move |(_, one)| **one == fails).map(|(rule, _)| *rule);
    let (failed, warned): (Vec<&str>, Vec<&str>) = (of(true).collect(), of(false).collect());
    let passed: BTreeSet<&str> =
        report.rules.iter().map(|rule| rule.id.as_str()).filter(|rule| !found.contains_key(rule)).collect();
    let result = match verdict {
        Verdict::Failed { .. } => "FAILED",
        // What was not read did not pass.
        Verdict::Partial { .. } => "FAILED",
        Verdict::Passed { .. } if warned.is_empty() => "PASSED",
        Verdict::Passed { .. } => "WARNED",
    };
    let rules = report.tool.catalogue.map(|digest| json!({ "name": "rules", "digest": sha256(&digest) }));
    let predicate = json!({
        "result": result,
        "configuration": rules.into_iter().collect::<Vec<_>>(),
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    });
    write(report, TEST_RESULT, predicate, part, out)
}

/// Writes a simple verification result: the properties that hold at the time `at`.
///
/// # Errors
/// Those of `out`, and for a statement, when the image has no digest that it could be about.
pub fn svr(report: &Report, at: i64, part: Part, out: &mut dyn Write) -> io::Result<()> {
    let holds = |families: &[Family]| {
        let secrets_unsearched = families.contains(&Family::Secret) && report.searched.is_none();
        let breaks = report
            .findings
            .iter()
            .any(|finding| families.contains(&finding.family) && finding.reaches(Severity::Medium));
        verdict::unread(report) == 0 && !secrets_unsearched && !breaks
    };
    let properties: Vec<&str> =
        PROPERTIES.iter().filter(|(_, families)| holds(families)).map(|(name, _)| *name).collect();
    let policies: Vec<Value> = report
        .tool
        .catalogue
        .iter()
        .map(|digest| json!({ "name": "offcut rules", "digest": sha256(digest) }))
        .collect();
    let predicate = json!({
        "verifier": { "id": format!("offcut/{}", report.tool.version), "policies": policies },
        "timeCreated": date::time(at),
        "properties": properties,
    });
    write(report, SVR, predicate, part, out)
}

fn write(report: &Report, kind: &str, predicate: Value, part: Part, out: &mut dyn Write) -> io::Result<()> {
    let document = match part {
        Part::Statement => statement(report, kind, predicate)?,
        Part::Predicate => predicate,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn statement(report: &Report, kind: &str, predicate: Value) -> io::Result<Value> {
    let Some(digest) = report.image.manifest.or(report.image.id) else {
        return Err(io::Error::other("a statement is about a digest, and a directory has none: scan an image"));
    };
    let name = super::text::plain(&report.image.reference);
    Ok(json!({
        "_type": STATEMENT,
        "subject": [{ "name": name, "digest": sha256(&digest) }],
        "predicateType": kind,
        "predicate": predicate,
    }))
}

fn sha256(digest: &Digest) -> Value {
    json!({ "sha256": digest.to_string().trim_start_matches("sha256:") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Coverage, report::testing};

    fn printed(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Value> {
        let mut out = Vec::new();
        fill(&mut out)?;
        Ok(serde_json::from_slice(&out).expect("JSON"))
    }

    #[test]
    fn each_rule_is_a_test() {
        let report = testing::report();
        let gates = Gates::at(Some(Severity::High));
        let verdict = Verdict::of(&report, &gates, None);
        let statement =
            printed(|out| test_result(&report, &verdict, &gates, Part::Statement, out)).expect("a statement");
        assert_eq!(statement["predicate"]["result"], "FAILED");
        assert_eq!(statement["predicate"]["failedTests"], json!(["build-tool/gcc"]));
        assert_eq!(statement["subject"][0]["digest"]["sha256"].as_str().map(str::len), Some(64));
        let clean = testing::empty();
        let verdict = Verdict::of(&clean, &gates, None);
        let statement =
            printed(|out| test_result(&clean, &verdict, &gates, Part::Statement, out)).expect("a statement");
        assert_eq!(statement["predicate"]["result"], "PASSED");
        assert_eq!(statement["predicate"]["passedTests"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn only_what_holds_is_a_property() {
        let names = |report: &Report| {
            printed(|out| svr(report, 0, Part::Statement, out)).expect("a statement")["predicate"]["properties"].clone()
        };
        let searched = Report { searched: Some(Coverage::default()), ..testing::empty() };
        assert_eq!(names(&searched).as_array().map(Vec::len), Some(PROPERTIES.len()));
        assert!(!names(&testing::empty()).to_string().contains("SECRETS"), "they were not looked for");
        let found = Report { findings: testing::report().findings, ..searched.clone() };
        assert_eq!(names(&found), json!(["OFFCUT_NO_DEV_DEPENDENCIES", "OFFCUT_NO_SOURCES", "OFFCUT_NO_SECRETS"]));
        let unread = Report { diagnostics: vec![testing::unread("x")], ..searched };
        assert_eq!(names(&unread), json!([]));
    }

    #[test]
    fn a_directory_has_no_digest_to_speak_of() {
        let mut report = testing::report();
        (report.image.id, report.image.manifest) = (None, None);
        let error = printed(|out| svr(&report, 0, Part::Statement, out)).expect_err("no digest");
        assert!(error.to_string().contains("scan an image"), "{error}");
        let predicate = printed(|out| svr(&report, 0, Part::Predicate, out)).expect("a predicate");
        assert!(predicate["verifier"]["id"].is_string() && predicate.get("_type").is_none(), "{predicate}");
    }
}
