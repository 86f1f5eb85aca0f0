//! The report as a CycloneDX 1.6 bill of materials: the tools and the packages of development that were found, as
//! components of the image, and for each the claim that it need not ship.
//!
//! It is no inventory: what is as it should be is not in it, and a composition says so. Nor is anything in it a
//! vulnerability. Secrets, sources, leftovers and settings are no components, and other formats have them.
//!
//! Source: CycloneDX 1.6 (ECMA-424), JSON schema; identity evidence, and claims with their evidence below `declarations`.

mod purl;

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::text;
use crate::model::{
    Confidence, Evidence, EvidenceClass, Family, Finding, ImagePath, PackageRef, Reach, Report, Severity, State, date,
};

/// Most places and pieces of evidence listed with one component; a property has the number of all files.
const LIST_MAX: usize = 50;

/// What the image is called inside of the document.
const IMAGE: &str = "image";

/// Writes the document; `at` is the time of the scan in seconds since 1970.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, at: i64, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report, at))?;
    out.write_all(b"\n")
}

fn document(report: &Report, at: i64) -> Value {
    let found = || report.findings.iter().filter(|f| matches!(f.family, Family::BuildTool | Family::DevDependency));
    let components: Vec<Value> = found().enumerate().map(|(at, finding)| component(finding, at)).collect();
    let claimed = || found().enumerate().filter(|(_, finding)| is_claimed(finding));
    let claims: Vec<Value> = claimed().map(|(at, finding)| claim(finding, at)).collect();
    let evidence: Vec<Value> = claimed().map(|(number, finding)| evidence(finding, number, at)).collect();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(report, at),
        "version": 1,
        "metadata": metadata(report, at),
        "components": components,
        "compositions": [{ "aggregate": "incomplete", "assemblies": [IMAGE] }],
    });
    if let (false, Some(members)) = (claims.is_empty(), document.as_object_mut()) {
        members.insert("declarations".into(), json!({ "claims": claims, "evidence": evidence }));
    }
    document
}

/// The same for the same image, findings and time.
fn serial(report: &Report, at: i64) -> String {
    let digest = report.image.manifest.or(report.image.id);
    let of = digest.map_or_else(|| report.image.reference.clone(), |digest| digest.to_string());
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let name = format!("offcut:cyclonedx:{of}:{at}:{}:{}", report.tool.version, found.join(","));
    format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}

fn metadata(report: &Report, at: i64) -> Value {
    let image = &report.image;
    let mut component = json!({ "type": "container", "bom-ref": IMAGE, "name": text::plain(&image.reference) });
    // The digest of the manifest stands for the image in registries; the id is that of the configuration.
    if let (Some(digest), Some(members)) = (image.manifest.or(image.id), component.as_object_mut()) {
        let content = digest.to_string().trim_start_matches("sha256:").to_string();
        members.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": content }]));
    }
    let properties = [
        ("imageId", image.id.map(|id| id.to_string())),
        ("manifest", image.manifest.map(|digest| digest.to_string())),
        ("platform", image.platform.as_ref().map(|platform| text::plain(&platform.to_string()))),
        ("rules", report.tool.catalogue.map(|digest| digest.to_string())),
        ("unread", Some(super::verdict::unread(report).to_string())),
    ];
    json!({
        "timestamp": date::time(at),
        "tools": { "components": [{ "type": "application", "name": "offcut", "version": report.tool.version }] },
        "component": component,
        "properties": properties_of(properties),
    })
}

/// A finding as a component; the packages that it is made of are its parts.
fn component(finding: &Finding, at: usize) -> Value {
    let kind = if finding.family == Family::BuildTool { "application" } else { "library" };
    let mut members = Map::from_iter([
        ("type".to_string(), json!(kind)),
        ("bom-ref".to_string(), json!(reference("finding", at))),
        ("name".to_string(), json!(text::plain(&finding.subject))),
    ]);
    if let Some(version) = &finding.version {
        members.insert("version".into(), json!(text::plain(version)));
    }
    members.insert("description".into(), json!(format!("{}.", text::plain(&finding.title).trim_end_matches('.'))));
    // Everything that the command can start or load was followed. Where that was not possible nothing is said.
    if finding.need.reach == Reach::Unreachable {
        members.insert("scope".into(), json!("excluded"));
    }
    let parts: Vec<Value> =
        finding.packages.iter().enumerate().map(|(part, package)| self::part(package, at, part)).collect();
    if !parts.is_empty() {
        members.insert("components".into(), json!(parts));
    }
    members.insert("evidence".into(), identity(finding));
    members.insert("properties".into(), properties(finding));
    Value::Object(members)
}

fn part(package: &PackageRef, at: usize, part: usize) -> Value {
    let mut members = Map::from_iter([
        ("type".to_string(), json!("library")),
        ("bom-ref".to_string(), json!(format!("{}/package-{}", reference("finding", at), part + 1))),
        ("name".to_string(), json!(text::plain(&package.name))),
    ]);
    if !package.version.is_empty() {
        members.insert("version".into(), json!(text::plain(&package.version)));
    }
    if let Some(purl) = purl::of(package) {
        members.insert("purl".into(), json!(purl));
    }
    let manager = [("manager", Some(package.manager.word().to_string()))];
    members.insert("properties".into(), properties_of(manager));
    Value::Object(members)
}

/// How it was recognised, and where it is.
fn identity(finding: &Finding) -> Value {
    let confidence = score(finding.confidence);
    let methods: Vec<Value> = finding.evidence.iter().take(LIST_MAX).map(|piece| {
        json!({ "technique": technique(piece.class), "confidence": confidence, "value": text::plain(&piece.witness) })
    }).collect();
    let mut identity = json!({ "field": "name", "confidence": confidence });
    if let (false, Some(members)) = (methods.is_empty(), identity.as_object_mut()) {
        members.insert("methods".into(), json!(methods));
    }
    let places: Vec<Value> =
        files(finding).take(LIST_MAX).map(|path| json!({ "location": path.to_string() })).collect();
    if places.is_empty() {
        json!({ "identity": [identity] })
    } else {
        json!({ "identity": [identity], "occurrences": places })
    }
}

/// What the words of confidence are as numbers, which this format wants: their order is meant, and no probability.
fn score(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::Certain => 1.0,
        Confidence::High => 0.8,
        Confidence::Medium => 0.5,
    }
}

fn technique(class: EvidenceClass) -> &'static str {
    match class {
        EvidenceClass::Package | EvidenceClass::Record => "manifest-analysis",
        EvidenceClass::Content => "binary-analysis",
        EvidenceClass::Structure => "filename",
        EvidenceClass::Config | EvidenceClass::Part => "other",
    }
}

fn properties(finding: &Finding) -> Value {
    properties_of([
        ("rule", Some(finding.rule.clone())),
        ("fingerprint", Some(finding.fingerprint.clone())),
        ("severity", Some(finding.severity.word().to_string())),
        ("confidence", Some(finding.confidence.word().to_string())),
        ("state", Some(finding.state.word().to_string())),
        ("reach", Some(finding.need.reach.word().to_string())),
        ("origin", Some(finding.origin.word().to_string())),
        ("layer", finding.layer.as_ref().map(|layer| layer.number.to_string())),
        ("hiddenByLayer", finding.hidden_by.as_ref().map(|layer| layer.number.to_string())),
        ("bytes", Some(finding.bytes.to_string())),
        ("files", Some(files(finding).count().to_string())),
        ("partOf", finding.part_of.clone()),
        ("remedy", Some(finding.remedy.id.clone())),
        ("allowed", finding.allowed.as_deref().map(text::plain)),
    ])
}

/// Those that are there, in a name space of their own, as the registry of properties asks for.
fn properties_of<const N: usize>(all: [(&str, Option<String>); N]) -> Value {
    let all = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    all.map(|(name, value)| json!({ "name": format!("offcut:{name}"), "value": value })).collect()
}

/// Whether it is said that this need not ship: not of what the command needs, what is merely noted, and what the user
/// lets pass.
fn is_claimed(finding: &Finding) -> bool {
    finding.need.reach != Reach::Reachable && finding.reaches(Severity::Low)
}

fn claim(finding: &Finding, at: usize) -> Value {
    let place = match finding.state {
        State::Live => "The image ships it",
        State::Buried => "A layer of the image ships it although an upper one hides it",
    };
    let need = match finding.need.reach {
        Reach::Unreachable => "nothing that the image's command starts or loads leads to it",
        Reach::Reachable | Reach::Unknown => {
            "it serves to build or to develop; whether the command needs it could not be followed"
        }
    };
    json!({
        "bom-ref": reference("claim", at),
        "target": reference("finding", at),
        "predicate": "It belongs in a builder stage and need not be part of this image.",
        "reasoning": format!("{place}; {need}. {} Remedy: {}.", text::plain(&finding.why), text::plain(&finding.remedy.title)),
        "evidence": [reference("evidence", at)],
    })
}

fn evidence(finding: &Finding, number: usize, at: i64) -> Value {
    let piece = |piece: &Evidence| match &piece.path {
        Some(path) => format!("{}: {} in {path}", piece.class.word(), text::plain(&piece.witness)),
        None => format!("{}: {}", piece.class.word(), text::plain(&piece.witness)),
    };
    let pieces: Vec<String> = finding.evidence.iter().take(LIST_MAX).map(piece).collect();
    json!({
        "bom-ref": reference("evidence", number),
        "description": format!("What offcut saw of {}", text::plain(&finding.named())),
        "data": [{
            "name": "evidence",
            "contents": { "attachment": { "contentType": "text/plain", "content": pieces.join("\n") } },
        }],
        "created": date::time(at),
    })
}

fn reference(what: &str, at: usize) -> String {
    format!("{what}-{}", at + 1)
}

fn files(finding: &Finding) -> impl Iterator<Item = &ImagePath> {
    finding.paths.iter().flat_map(|group| &group.files)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        model::Manager,
        report::testing::{self, HOSTILE},
    };

    fn printed(report: &Report) -> Value {
        let mut out = Vec::new();
        write(report, 1_700_000_000, &mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("it is JSON")
    }

    fn list<'a>(value: &'a Value, at: &str) -> &'a [Value] {
        value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn property<'a>(component: &'a Value, name: &str) -> Option<&'a str> {
        let own =
            list(component, "/properties").iter().find(|property| property["name"] == format!("offcut:{name}"))?;
        own["value"].as_str()
    }

    /// Every reference of the document, and whether it is one that is made or one that is followed.
    fn references(value: &Value, made: &mut Vec<String>, followed: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, made, followed)),
            Value::Object(members) => {
                made.extend(members.get("bom-ref").and_then(Value::as_str).map(str::to_string));
                followed.extend(members.get("target").and_then(Value::as_str).map(str::to_string));
                for name in ["assemblies", "evidence"] {
                    let list = members.get(name).and_then(Value::as_array);
                    followed.extend(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_string));
                }
                members.values().for_each(|member| references(member, made, followed));
            }
            _ => {}
        }
    }

    #[test]
    fn tools_are_components_and_nothing_else_is() {
        let log = printed(&testing::report());
        let names: Vec<_> = list(&log, "/components").iter().map(|component| &component["name"]).collect();
        assert_eq!(names, ["GCC", "GNU make"], "the user root is no component");
        let gcc = &log["components"][0];
        assert_eq!(
            (&gcc["type"], &gcc["version"], &gcc["scope"]),
            (&json!("application"), &json!("12.2.0-14"), &json!("excluded"))
        );
        let parts: Vec<_> = list(gcc, "/components").iter().map(|part| &part["name"]).collect();
        assert_eq!(parts, ["cpp-12", "gcc-12"]);
        assert_eq!(list(gcc, "/evidence/occurrences").len(), LIST_MAX);
        assert_eq!((property(gcc, "files"), property(gcc, "rule")), (Some("480"), Some("build-tool/gcc")));
        let method = &gcc["evidence"]["identity"][0]["methods"][2];
        assert_eq!(method["technique"], "binary-analysis");
        assert_eq!(method["value"], "gcc driver: \"Exit with highest error\"");
        let make = &log["components"][1];
        assert!(make.get("scope").is_none(), "what can not be followed is not said to be excluded");
        assert_eq!((property(make, "state"), property(make, "hiddenByLayer")), (Some("buried"), Some("2")));
        assert_eq!(log["compositions"], json!([{ "aggregate": "incomplete", "assemblies": ["image"] }]));
        assert!(log.get("vulnerabilities").is_none());
    }

    #[test]
    fn a_claim_is_made_only_of_what_should_not_ship() {
        let claims = |change: &dyn Fn(&mut Finding)| {
            let mut report = testing::report();
            change(&mut report.findings[0]);
            let log = printed(&report);
            list(&log, "/declarations/claims").iter().map(|claim| claim["target"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(claims(&|_| {}), ["finding-1", "finding-2"]);
        assert_eq!(claims(&|gcc| gcc.need.reach = Reach::Reachable), ["finding-2"], "the command needs it");
        assert_eq!(claims(&|gcc| gcc.severity = Severity::Note), ["finding-2"], "merely noted");
        assert_eq!(claims(&|gcc| gcc.allowed = Some("ours".into())), ["finding-2"], "let pass");
        assert_eq!(claims(&|gcc| gcc.need.reach = Reach::Unknown), ["finding-1", "finding-2"]);
        assert!(printed(&testing::empty()).get("declarations").is_none());
    }

    #[test]
    fn every_reference_is_made_once_and_leads_somewhere() {
        let mut reports = vec![testing::empty(), testing::report(), testing::many(30)];
        reports.extend(HOSTILE.map(testing::hostile));
        for report in &reports {
            let (mut made, mut followed) = (Vec::new(), Vec::new());
            references(&printed(report), &mut made, &mut followed);
            let known: HashSet<&String> = made.iter().collect();
            assert_eq!(known.len(), made.len(), "{made:?}");
            assert!(followed.iter().all(|reference| known.contains(reference)), "{followed:?}");
        }
    }

    #[test]
    fn packages_of_development_have_addresses() {
        let mut report = testing::report();
        report.findings.truncate(1);
        let finding = &mut report.findings[0];
        finding.family = Family::DevDependency;
        let package = |manager, name: &str| PackageRef { manager, name: name.into(), version: "1.2.3".into() };
        finding.packages = vec![package(Manager::Npm, "@types/node"), package(Manager::Deb, "gcc-12")];
        let log = printed(&report);
        assert_eq!(log["components"][0]["type"], "library");
        let parts = list(&log, "/components/0/components");
        assert_eq!(parts[0]["purl"], "pkg:npm/%40types/node@1.2.3");
        assert!(parts[1].get("purl").is_none(), "whose package of Debian it is, is not known");
    }

    #[test]
    fn the_same_scan_gives_the_same_document_and_another_time_another_serial_number() {
        let serial = |at: i64| document(&testing::report(), at)["serialNumber"].clone();
        assert_eq!(serial(5), serial(5));
        assert_ne!(serial(5), serial(6));
        assert_eq!(printed(&testing::report()), printed(&testing::report()));
    }

    #[test]
    fn no_name_in_an_image_stays_raw() {
        for name in HOSTILE {
            let log = printed(&testing::hostile(name)).to_string();
            let raw = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!log.contains(raw), "{log}");
        }
    }
}
