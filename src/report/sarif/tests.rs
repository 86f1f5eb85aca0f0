use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::report::testing::{self, HOSTILE};

fn printed(report: &Report) -> Value {
    serde_json::from_slice(&bytes_of(report)).expect("it is JSON")
}

fn bytes_of(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    write(report, &mut out).expect("a Vec takes everything");
    out
}

fn schema() -> jsonschema::Validator {
    let schema = include_str!("../../../tests/schema/sarif-schema-2.1.0.json");
    jsonschema::validator_for(&serde_json::from_str(schema).expect("JSON")).expect("a schema")
}

fn faults(schema: &jsonschema::Validator, log: &Value) -> Vec<String> {
    schema.iter_errors(log).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

fn list<'a>(value: &'a Value, at: &str) -> &'a Vec<Value> {
    value.pointer(at).and_then(Value::as_array).unwrap_or_else(|| unreachable!("{at} is a list"))
}

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_else(|| unreachable!("{at} is a text in {value}"))
}

/// What GitHub and people rely on and the schema does not say.
fn claims(log: &Value) {
    let rules = list(log, "/runs/0/tool/driver/rules");
    let mut fingerprints = HashSet::new();
    for result in list(log, "/runs/0/results") {
        let index = result["ruleIndex"].as_u64().expect("a rule index");
        assert_eq!(rules[index as usize]["id"], result["ruleId"]);
        assert!(fingerprints.insert(text(result, "/partialFingerprints/primaryLocationLineHash").to_string()));
        let message = text(result, "/message/text");
        assert!(message.ends_with('.') && !message.ends_with(".."), "{message}");
        assert!(!message.contains(char::is_control), "{message:?}");
        assert_no_links(message);
        assert_eq!(list(result, "/locations").len(), 1);
        let physical = &result["locations"][0]["physicalLocation"];
        if physical["artifactLocation"]["uri"] == "Dockerfile" {
            assert!(physical["region"]["startLine"].as_u64() <= physical["region"]["endLine"].as_u64(), "{physical}");
        } else {
            assert_eq!(physical["region"], json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}));
            assert_relative(text(physical, "/artifactLocation/uri"));
        }
        for (name, most) in [("paths", LIST_MAX), ("packages", LIST_MAX), ("evidence", EVIDENCE_MAX)] {
            let (shown, total) =
                (list(&result["properties"], &format!("/{name}")).len(), &result["properties"][format!("{name}Total")]);
            assert!(shown <= most && shown as u64 <= total.as_u64().expect("a total"), "{name}");
        }
    }
    for rule in rules {
        assert_ne!(rule["id"], rule["name"]);
        for (member, most) in [("/shortDescription/text", 1_024), ("/fullDescription/text", 1_024), ("/name", 255)] {
            assert!(text(rule, member).chars().count() <= most, "{member}");
        }
        assert!(!text(rule, "/help/text").is_empty() && text(rule, "/help/markdown").contains("```dockerfile"));
        assert!(text(rule, "/helpUri").starts_with("https://"));
        assert!(list(rule, "/properties/tags").len() <= 10);
    }
    let category = text(log, "/runs/0/automationDetails/id");
    assert!(category.starts_with("offcut/") && category.ends_with('/') && !category.ends_with("//"), "{category}");
}

fn assert_relative(uri: &str) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%/".contains(&b);
    assert!(uri.bytes().all(plain), "{uri}");
    assert!(uri.split('/').count() >= 2, "{uri}: repository and path");
    for segment in uri.split('/') {
        assert!(!matches!(segment, "" | "." | ".."), "{uri}");
    }
    for (at, _) in uri.match_indices('%') {
        let hex = uri.get(at + 1..at + 3).unwrap_or_default();
        assert!(hex.len() == 2 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{uri}");
    }
}

/// Every bracket of a message is escaped; ours write none.
fn assert_no_links(message: &str) {
    let mut escaped = false;
    for c in message.chars() {
        assert!(escaped || !matches!(c, '[' | ']'), "{message}");
        escaped = c == '\\' && !escaped;
    }
    assert!(!escaped, "{message}");
}

#[test]
fn the_schema_takes_every_report() {
    let schema = schema();
    let mut reports = vec![testing::empty(), testing::report(), testing::mended()];
    reports.extend(HOSTILE.map(testing::hostile));
    for report in &reports {
        let log = printed(report);
        assert_eq!(faults(&schema, &log), Vec::<String>::new());
        claims(&log);
    }
}

#[test]
fn the_schema_at_hand_refuses_wrong_files() {
    let schema = schema();
    let good = printed(&testing::report());
    for (at, wrong) in [
        ("/version", json!("2.0.0")),
        ("/runs/0/results/0/level", json!("fatal")),
        ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
        ("/runs/0/tool/driver/name", Value::Null),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(at).unwrap_or_else(|| unreachable!("{at} is there")) = wrong;
        assert!(!schema.is_valid(&bad), "{at}");
    }
}

#[test]
fn a_message_stands_alone() {
    let log = printed(&testing::report());
    let messages: Vec<_> = list(&log, "/runs/0/results").iter().map(|r| text(r, "/message/text")).collect();
    assert_eq!(
        messages,
        [
            "GNU C compiler in the final image: 'GCC 12.2.0-14' takes 312 MB in layer 2 of image \
             'registry.example:5000/shop/api:1.4', seen in '/usr/bin/x86_64-linux-gnu-gcc-12'. Remedy: Compile in a \
             builder stage and copy the program.",
            "The image runs as root: 'root' in the configuration of image 'registry.example:5000/shop/api:1.4'. \
             Remedy: Run as a numeric user other than 0.",
            "GNU make in the final image: 'GNU make 4.3' takes 240 kB in layer 1 of image \
             'registry.example:5000/shop/api:1.4', seen in '/usr/bin/make', hidden by layer 2. \
             Remedy: Compile in a builder stage and copy the program.",
        ]
    );
}

#[test]
fn locations_name_the_repository_and_the_pinned_image() {
    let log = printed(&testing::report());
    let location = |at: usize| &list(&log, "/runs/0/results")[at]["locations"][0];
    assert_eq!(text(location(0), "/physicalLocation/artifactLocation/uri"), "shop/api/usr/bin/x86_64-linux-gnu-gcc-12");
    assert_eq!(text(location(1), "/physicalLocation/artifactLocation/uri"), "shop/api/image-configuration");
    assert_eq!(
        text(location(0), "/logicalLocations/0/fullyQualifiedName"),
        format!("registry.example:5000/shop/api:1.4@sha256:{}:/usr/bin/x86_64-linux-gnu-gcc-12", "01".repeat(32))
    );
    assert_eq!(log["runs"][0]["automationDetails"]["id"], "offcut/shop/api/");
}

#[test]
fn severities_become_levels_and_scores() {
    let log = printed(&testing::report());
    let levels: Vec<_> = list(&log, "/runs/0/results").iter().map(|r| text(r, "/level")).collect();
    assert_eq!(levels, ["error", "warning", "note"]);
    let rules = list(&log, "/runs/0/tool/driver/rules");
    let scores: Vec<_> = rules.iter().map(|r| r["properties"]["security-severity"].clone()).collect();
    assert_eq!(scores, ["8.0", "5.5", "2.0"]);
}

#[test]
fn something_unread_is_no_successful_execution() {
    let mut report = testing::report();
    let invocation = |report: &Report| printed(report)["runs"][0]["invocations"][0].clone();
    assert_eq!(invocation(&report)["executionSuccessful"], true);
    report.diagnostics.push(testing::unread("the gzip stream ends early"));
    let broken = invocation(&report);
    assert_eq!(broken["executionSuccessful"], false);
    assert_eq!(broken["toolExecutionNotifications"][0]["level"], "error");
    assert_eq!(
        broken["toolExecutionNotifications"][0]["message"]["text"],
        "Not read: layer 2, '/var/lib/x': the gzip stream ends early."
    );
}

#[test]
fn what_does_not_fit_is_counted() {
    let log = printed(&testing::many(RESULTS_MAX + 1));
    claims(&log);
    assert_eq!(list(&log, "/runs/0/results").len(), RESULTS_MAX);
    let notes = list(&log, "/runs/0/invocations/0/toolExecutionNotifications");
    let dropped = "1 finding of the least severe left out: a run holds at most 5,000.";
    assert!(notes.iter().any(|n| n["message"]["text"] == dropped), "{notes:?}");

    let log = printed(&testing::report());
    let first = &log["runs"][0]["results"][0]["properties"];
    assert_eq!((list(first, "/paths").len(), &first["pathsTotal"]), (LIST_MAX, &json!(480)));
}

#[test]
fn the_file_stays_under_the_limit_of_an_upload_whatever_the_names() {
    let mut report = testing::many(RESULTS_MAX);
    let mut noise = Noise(7);
    for finding in &mut report.findings {
        finding.evidence.truncate(1);
        finding.evidence[0].path = Some(ImagePath::new(&noise.bytes(400)));
    }
    let long: Vec<_> = (0..60).map(|_| ImagePath::new(&noise.bytes(700))).collect();
    for finding in report.findings.iter_mut().take(600) {
        finding.paths[0].files = long.clone();
    }
    let plain = bytes_of(&report);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain).expect("a Vec takes everything");
    let packed = gzip.finish().expect("a Vec takes everything").len();
    assert!(plain.len() > LISTS_BYTES_MAX, "the lists were filled");
    assert!(packed < 10_000_000, "{packed} bytes, {} before", plain.len());
}

#[test]
fn two_findings_with_one_fingerprint_are_told_apart() {
    let mut report = testing::report();
    report.findings.push(report.findings[0].clone());
    let log = printed(&report);
    claims(&log);
    let last = &list(&log, "/runs/0/results")[3];
    assert_eq!(text(last, "/partialFingerprints/primaryLocationLineHash"), "00112233445566aa:2");
}

#[test]
fn a_rule_the_report_does_not_describe_still_resolves() {
    let mut report = testing::report();
    report.rules.clear();
    claims(&printed(&report));
}

#[test]
fn fingerprints_and_locations_survive_a_rebuild_under_another_tag() {
    let before = testing::report();
    let mut after = before.clone();
    after.image.reference = "docker:other.example/shop/api:9".into();
    after.image.names = vec!["other.example/shop/api:9".into()];
    after.image.id = None;
    let stable = |report: &Report| {
        let log = printed(report);
        let of = |r: &Value| (r["partialFingerprints"].clone(), r["locations"][0]["physicalLocation"].clone());
        (list(&log, "/runs/0/results").iter().map(of).collect::<Vec<_>>(), log["runs"][0]["automationDetails"].clone())
    };
    assert_eq!(stable(&before), stable(&after));
}

#[test]
fn any_bytes_as_names_make_a_valid_file() {
    let schema = schema();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for round in 0..200 {
        let length = round % 40 + 1;
        let log = printed(&testing::hostile(&noise.bytes(length)));
        assert_eq!(faults(&schema, &log), Vec::<String>::new());
        claims(&log);
    }
}

/// Marsaglia's xorshift64: the same bytes on every run.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Half of them characters that mean something to somebody, so that short names meet the hard cases.
    fn byte(&mut self) -> u8 {
        const HARD: &[u8] = b"/.:\\[]{}%?#@'\"`\n\r\0\x1b\xe2\x80\xae\xff ";
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let any = (self.0 >> 24) as u8;
        if self.0 & 1 == 0 { any } else { HARD[any as usize % HARD.len()] }
    }
}
