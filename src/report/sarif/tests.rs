use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::{
    model::{PathGroup, Weakness},
    report::testing::{self, HOSTILE},
};

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
    let taxa = log.pointer("/runs/0/taxonomies/0/taxa").and_then(Value::as_array).cloned().unwrap_or_default();
    let known: HashSet<_> = taxa.iter().map(|taxon| text(taxon, "/id")).collect();
    assert_eq!(known.len(), taxa.len());
    let related = rules.iter().filter_map(|rule| rule["relationships"].as_array()).flatten();
    for relationship in related {
        assert!(known.contains(text(relationship, "/target/id")), "{relationship}");
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
    for (count, kept, said) in [
        (RESULTS_MAX - 1, RESULTS_MAX - 1, None),
        (RESULTS_MAX, RESULTS_MAX, None),
        (RESULTS_MAX + 1, RESULTS_MAX, Some("1 finding of the least severe left out: a run holds at most 5,000.")),
        // What GitHub refuses.
        (25_001, RESULTS_MAX, Some("20,001 findings of the least severe left out: a run holds at most 5,000.")),
    ] {
        let mut report = testing::many(count);
        for finding in &mut report.findings {
            (finding.evidence, finding.packages) = (Vec::new(), Vec::new());
        }
        let run = run(&report, count.min(RESULTS_MAX));
        assert_eq!(run.results.as_ref().map(Vec::len), Some(kept));
        assert_eq!(dropped(&run).as_deref(), said);
    }
    let log = printed(&testing::report());
    let first = &log["runs"][0]["results"][0]["properties"];
    assert_eq!((list(first, "/paths").len(), &first["pathsTotal"]), (LIST_MAX, &json!(480)));
}

/// The notification of what was left out.
fn dropped(run: &Run) -> Option<String> {
    let notes = run.invocations.as_ref()?.first()?.tool_execution_notifications.as_ref()?;
    notes.iter().filter_map(|note| note.message.text.clone()).find(|text| text.contains("least severe left out"))
}

#[test]
fn a_result_has_one_location_however_many_files_it_has() {
    for count in [999, 1_000, 1_001] {
        let mut report = testing::report();
        let files: Vec<ImagePath> = (0..count).map(|at| format!("opt/{at}").as_str().into()).collect();
        report.findings[0].evidence.clear();
        report.findings[0].paths = vec![PathGroup { root: "opt".into(), bytes: 1, files: files.clone() }];
        let place = |path: &ImagePath| SecretPlace { path: Some(path.clone()), ..SecretPlace::default() };
        report.findings[2].secrets = files.iter().map(place).collect();
        let log = printed(&report);
        claims(&log);
        for result in list(&log, "/runs/0/results") {
            assert!(result.get("relatedLocations").is_none() && result.get("codeFlows").is_none());
        }
        assert_eq!(log["runs"][0]["results"][0]["properties"]["pathsTotal"], count);
    }
}

#[test]
fn the_file_stays_under_the_limit_of_an_upload_whatever_the_names() {
    let mut report = testing::many(RESULTS_MAX);
    let mut noise = Noise(7);
    for finding in &mut report.findings {
        finding.evidence.truncate(1);
        finding.evidence[0].path = Some(ImagePath::new(noise.letters(400).as_bytes()));
        finding.subject = noise.letters(400);
        finding.version = Some(noise.letters(400));
        finding.removal.caution = Some(noise.letters(400));
        finding.need.witness = Some(noise.letters(400));
    }
    for finding in report.findings.iter_mut().take(600) {
        finding.paths[0].files = (0..60).map(|_| ImagePath::new(noise.letters(60).as_bytes())).collect();
    }
    let plain = bytes_of(&report);
    let size = packed(&plain).expect("a Vec takes everything");
    assert!(plain.len() > LISTS_BYTES_MAX, "the lists were filled");
    assert!(size <= PACKED_MAX && size > PACKED_MAX / 2, "{size} bytes, {} before", plain.len());
    let log: Value = serde_json::from_slice(&plain).expect("it is JSON");
    let kept = list(&log, "/runs/0/results").len();
    let notes = list(&log, "/runs/0/invocations/0/toolExecutionNotifications");
    let said = format!(
        "{} findings of the least severe left out: with more, the file would be larger than an upload may be.",
        text::count((RESULTS_MAX - kept) as u64)
    );
    assert!(kept < RESULTS_MAX && notes.iter().any(|note| note["message"]["text"] == said.as_str()), "{notes:?}");
}

#[test]
fn results_are_left_out_from_the_first_byte_above_the_limit_on_and_the_worst_stay() {
    let mut report = testing::many(40);
    for (at, finding) in report.findings.iter_mut().enumerate() {
        finding.severity = if at < 5 { Severity::Critical } else { Severity::Low };
    }
    let whole = bytes_of(&report);
    let size = packed(&whole).expect("a Vec takes everything");
    let kept = |limit: usize| {
        let text = fitting(&report, limit).expect("a Vec takes everything");
        assert!(packed(&text).expect("a Vec takes everything") <= limit || limit < 1_000);
        let log: Value = serde_json::from_slice(&text).expect("it is JSON");
        let levels = list(&log, "/runs/0/results").iter().map(|result| text_of(&result["properties"]["severity"]));
        levels.collect::<Vec<_>>()
    };
    assert_eq!(kept(size).len(), 40);
    assert_eq!(kept(size + 1).len(), 40);
    let fewer = kept(size - 1);
    assert!(fewer.len() < 40 && fewer.len() > 20, "{}", fewer.len());
    assert_eq!(fewer.iter().filter(|severity| *severity == "critical").count(), 5);
    assert_eq!(kept(10).len(), 0, "and it ends");
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

#[test]
fn a_rule_has_ten_tags_at_most_and_every_weakness() {
    let tags_of = |count: u32| {
        let mut report = testing::report();
        let weakness = |at: u32| Weakness { id: format!("CWE-{}", at + 1), title: "One".into() };
        report.rules[0].weaknesses = (0..count).map(weakness).collect();
        let log = printed(&report);
        claims(&log);
        let rule = &list(&log, "/runs/0/tool/driver/rules")[0];
        assert_eq!(list(rule, "/relationships").len(), count as usize);
        list(rule, "/properties/tags").iter().map(text_of).collect::<Vec<_>>()
    };
    assert_eq!(tags_of(6).len(), 9);
    assert_eq!(tags_of(7).len(), 10);
    let tags = tags_of(8);
    assert_eq!(tags.len(), 10);
    assert_eq!(tags[..4], ["container", "build-tool", "security", "external/cwe/cwe-001"]);
}

#[test]
fn weaknesses_are_a_taxonomy_of_those_that_rules_refer_to() {
    let log = printed(&testing::report());
    let taxa: Vec<_> = list(&log, "/runs/0/taxonomies/0/taxa").iter().map(|taxon| text(taxon, "/id")).collect();
    assert_eq!(taxa, ["CWE-250"]);
    assert_eq!(log["runs"][0]["tool"]["driver"]["supportedTaxonomies"], json!([{ "name": "CWE", "index": 0 }]));
    let rules = list(&log, "/runs/0/tool/driver/rules");
    assert!(rules[0].get("relationships").is_none(), "a rule without a weakness");
    assert_eq!(
        rules[1]["relationships"],
        json!([{ "target": { "id": "CWE-250", "toolComponent": { "name": "CWE" } }, "kinds": ["superset"] }])
    );
    assert!(list(&rules[1], "/properties/tags").contains(&json!("external/cwe/cwe-250")));

    let mut report = testing::report();
    report.rules.iter_mut().for_each(|rule| rule.weaknesses.clear());
    let log = printed(&report);
    assert!(log["runs"][0].get("taxonomies").is_none());
    assert!(log["runs"][0]["tool"]["driver"].get("supportedTaxonomies").is_none());
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

    /// Letters that no compressor foresees, each as wide as one of ours: cuneiform and hieroglyphs.
    fn letters(&mut self, count: usize) -> String {
        let letter = |bytes: &[u8]| {
            let at = u32::from(bytes[0]) * 4 + u32::from(bytes[1]) % 4;
            char::from_u32(if bytes[1] & 4 == 0 { 0x12000 + at % 0x39a } else { 0x13000 + at })
        };
        let bytes: Vec<u8> = (0..2 * count).map(|_| self.any()).collect();
        bytes.chunks_exact(2).filter_map(letter).collect()
    }

    /// Half of them characters that mean something to somebody, so that short names meet the hard cases.
    fn byte(&mut self) -> u8 {
        const HARD: &[u8] = b"/.:\\[]{}%?#@'\"`\n\r\0\x1b\xe2\x80\xae\xff ";
        let any = self.any();
        if self.0 & 1 == 0 { any } else { HARD[any as usize % HARD.len()] }
    }

    fn any(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as u8
    }
}
