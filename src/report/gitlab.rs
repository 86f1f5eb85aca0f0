//! The report for GitLab: container scanning, secret detection and code quality.
//!
//! Source: GitLab's security report schemas 15.0.7 (container scanning, secret detection) and its documentation of the code
//! quality report. Secrets are in the second and no part of the first.

use std::io::{self, Write};

use serde_json::{Value, json};
use uuid::Uuid;

use super::text;
use crate::model::{Family, Finding, Report, Severity, date};

/// The version of the form.
const SCHEMA: &str = "15.0.7";

/// Longest name and longest solution that the schema takes, in characters.
const NAME_MAX: usize = 255;
const SOLUTION_MAX: usize = 7_000;

/// Writes the findings that are no secrets as a container scanning report; `at` is the time of the scan.
///
/// # Errors
/// Those of `out`.
pub fn container(report: &Report, at: i64, out: &mut dyn Write) -> io::Result<()> {
    let image = text::plain(&report.image.reference);
    let system = report.image.platform.as_ref().map_or_else(|| "unknown".to_string(), |p| text::plain(&p.os));
    let location = |finding: &Finding| {
        let package = finding.packages.first().map(|package| package.version.as_str());
        let version = finding.version.as_deref().or(package);
        json!({
            "dependency": {
                "package": { "name": text::plain(&finding.subject) },
                "version": text::plain(version.unwrap_or("unknown")),
            },
            "operating_system": system,
            "image": image,
        })
    };
    let findings = report.findings.iter().filter(|finding| finding.family != Family::Secret);
    let all: Vec<Value> = findings.map(|finding| vulnerability(report, finding, location(finding))).collect();
    document(report, "container_scanning", &all, at, out)
}

/// Writes the secrets as a secret detection report.
///
/// # Errors
/// Those of `out`.
pub fn secrets(report: &Report, at: i64, out: &mut dyn Write) -> io::Result<()> {
    let secrets = report.findings.iter().filter(|finding| finding.family == Family::Secret);
    let all: Vec<Value> = secrets
        .map(|finding| {
            let place = finding.secrets.first();
            let path = place.and_then(|place| place.path.as_ref());
            let file = path.map_or_else(|| "the image's configuration".to_string(), ToString::to_string);
            let mut location = json!({ "file": file, "commit": { "sha": "0000000" } });
            if let (Some(line), Some(location)) = (place.and_then(|place| place.line), location.as_object_mut()) {
                location.insert("start_line".into(), json!(line));
            }
            vulnerability(report, finding, location)
        })
        .collect();
    document(report, "secret_detection", &all, at, out)
}

/// Writes all findings as a code quality report: those with a line in the Dockerfile stand there.
///
/// # Errors
/// Those of `out`.
pub fn code_quality(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let issue = |finding: &Finding| {
        let (path, line) = match &finding.line {
            Some(line) => (text::plain(&line.file), line.first),
            None => (in_image(report, finding), 1),
        };
        json!({
            "description": format!("{}: {}", text::plain(&finding.title), text::plain(&finding.subject)),
            "check_name": finding.rule,
            "fingerprint": finding.fingerprint,
            "severity": match finding.severity {
                Severity::Critical => "blocker",
                Severity::High => "critical",
                Severity::Medium => "major",
                Severity::Low => "minor",
                Severity::Note => "info",
            },
            "location": { "path": path, "lines": { "begin": line } },
        })
    };
    let issues: Vec<Value> = report.findings.iter().filter(|finding| finding.allowed.is_none()).map(issue).collect();
    print(&json!(issues), out)
}

fn in_image(report: &Report, finding: &Finding) -> String {
    let path = finding.first_path().map_or_else(String::new, ToString::to_string);
    text::plain(&format!("{}{path}", report.image.reference))
}

fn vulnerability(report: &Report, finding: &Finding, location: Value) -> Value {
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("offcut:{}:{}", report.image.reference, finding.fingerprint).as_bytes(),
    )
    .to_string();
    let layer = finding.layer.as_ref().map_or_else(String::new, |layer| format!(" in layer {}", layer.number));
    let witness =
        finding.evidence.first().map_or_else(String::new, |piece| format!(" Seen: {}.", text::plain(&piece.witness)));
    let links: Vec<Value> =
        finding.refs.iter().filter(|url| url.starts_with("https://")).map(|url| json!({ "url": url })).collect();
    json!({
        "id": id,
        "name": text::clip(&text::plain(&format!("{}: {}", finding.title, finding.named())), NAME_MAX),
        "description": format!("{}{layer}, {}.{witness}", text::plain(&finding.why), text::bytes(finding.bytes)),
        "severity": match finding.severity {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Note => "Info",
        },
        "solution": text::clip(&format!("{}. {}", text::plain(&finding.remedy.title), text::plain(&finding.remedy.text)), SOLUTION_MAX),
        "identifiers": [{ "type": "offcut", "name": finding.rule, "value": finding.rule }],
        "links": links,
        "location": location,
    })
}

fn document(report: &Report, kind: &str, all: &[Value], at: i64, out: &mut dyn Write) -> io::Result<()> {
    let tool = json!({
        "id": "offcut",
        "name": "offcut",
        "version": report.tool.version,
        "vendor": { "name": "offcut" },
    });
    let unread: Vec<Value> = report
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.unread)
        .map(|diagnostic| json!({ "level": "warn", "value": format!("not read: {}", text::plain(&diagnostic.text)) }))
        .collect();
    let time = date::zoneless(at);
    let status = if unread.is_empty() { "success" } else { "failure" };
    let scan = json!({
        "analyzer": tool, "scanner": tool, "start_time": time, "end_time": time,
        "status": status, "type": kind, "messages": unread,
    });
    print(&json!({ "version": SCHEMA, "scan": scan, "vulnerabilities": all }), out)
}

fn print(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn printed(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Value {
        let mut out = Vec::new();
        fill(&mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("JSON")
    }

    /// What GitLab's schema wants of every vulnerability.
    fn check(document: &Value, kind: &str) {
        assert_eq!((&document["version"], &document["scan"]["type"]), (&json!(SCHEMA), &json!(kind)));
        for key in ["start_time", "end_time"] {
            let time = document["scan"][key].as_str().expect("a time");
            assert!(time.len() == 19 && !time.ends_with('Z'), "{time}");
        }
        for one in document["vulnerabilities"].as_array().expect("a list") {
            assert!(one["name"].as_str().is_some_and(|name| name.chars().count() <= NAME_MAX));
            assert!(one["identifiers"][0]["value"].is_string() && one["id"].is_string());
            assert!(
                ["Info", "Low", "Medium", "High", "Critical"].contains(&one["severity"].as_str().unwrap_or_default())
            );
        }
    }

    #[test]
    fn findings_and_secrets_are_told_apart() {
        let mut report = testing::report();
        let all = report.findings.len();
        report.findings[2].family = Family::Secret;
        let container = printed(|out| container(&report, 0, out));
        check(&container, "container_scanning");
        assert_eq!(container["vulnerabilities"].as_array().map(Vec::len), Some(all - 1));
        assert_eq!(container["vulnerabilities"][0]["location"]["dependency"]["package"]["name"], "GCC");
        let secrets = printed(|out| secrets(&report, 0, out));
        check(&secrets, "secret_detection");
        assert_eq!(secrets["vulnerabilities"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn what_was_not_read_is_a_failure() {
        let mut report = testing::report();
        report.diagnostics.push(testing::unread("it is encrypted"));
        let document = printed(|out| container(&report, 0, out));
        assert_eq!(document["scan"]["status"], "failure");
        assert!(document["scan"]["messages"][0]["value"].as_str().is_some_and(|text| text.contains("encrypted")));
    }

    #[test]
    fn code_quality_points_to_the_dockerfile() {
        let issues = printed(|out| code_quality(&testing::mended(), out));
        assert_eq!(issues[0]["location"], json!({ "path": "Dockerfile", "lines": { "begin": 2 } }));
        assert_eq!((&issues[0]["severity"], &issues[0]["check_name"]), (&json!("critical"), &json!("build-tool/gcc")));
    }

    #[test]
    fn hostile_names_stay_inside_of_their_strings() {
        for name in testing::HOSTILE {
            let report = testing::hostile(name);
            check(&printed(|out| container(&report, 0, out)), "container_scanning");
            let text = printed(|out| code_quality(&report, out)).to_string();
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2066}']), "{text}");
        }
    }
}
