//! The report as SARIF 2.1.0, in the form that GitHub code scanning takes.
//!
//! One run; one result for each finding, with lists cut to what such files may hold. Deterministic: no times, no
//! machine, no random ids. The location of a result is the line of the Dockerfile where that is known, and else a
//! synthetic relative URI made of the image's repository and the path inside the image; the latter is the logical location
//! of both.
//!
//! Sources: OASIS SARIF 2.1.0 (Errata 01); GitHub documentation, "SARIF support for code scanning", for the members
//! that are read and the limits.

mod fixes;
mod names;
mod rules;
mod weaknesses;

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, Notification, PhysicalLocation, PropertyBag,
    Region, Result as SarifResult, ResultKind, ResultLevel, Run, RunAutomationDetails, Sarif, Suppression, Tool,
    ToolComponent,
};

use self::names::{Names, escape, show, show_path};
use super::{text, verdict};
use crate::model::{Diagnostic, Family, Finding, ImagePath, Origin, Report, SecretPlace, Severity, Since, State};

/// Most results in one file: what GitHub keeps of one run. The least severe are left out, and a notification says so.
pub const RESULTS_MAX: usize = 5_000;
/// Most paths, and most packages, listed with one result.
pub const LIST_MAX: usize = 50;
/// Most pieces of evidence listed with one result.
pub const EVIDENCE_MAX: usize = 20;
/// Bytes of all lists of one file; results after that carry totals only. So a file that is too large loses lists before
/// it loses results.
pub const LISTS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most diagnostics that become notifications.
pub const NOTIFICATIONS_MAX: usize = 1_000;

/// Most bytes of the file, compressed: GitHub refuses more than 10 MB as a whole, and compressors differ a little.
const PACKED_MAX: usize = 9_500_000;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the report as SARIF with a final newline.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&fitting(report, PACKED_MAX)?)
}

/// The file with as many results as fit into so many bytes, compressed; the worst are kept.
fn fitting(report: &Report, packed_max: usize) -> io::Result<Vec<u8>> {
    let mut kept = report.findings.len().min(RESULTS_MAX);
    loop {
        let mut text = serde_json::to_vec_pretty(&log(report, kept))?;
        text.push(b'\n');
        // What is small as it is need not be compressed to know; so it is with all but huge reports.
        let packed = if text.len() <= packed_max { 0 } else { packed(&text)? };
        if packed <= packed_max || kept == 0 {
            return Ok(text);
        }
        // In proportion, and at least a tenth less, so that it ends soon.
        kept = kept.saturating_mul(packed_max) / packed;
        kept -= kept.div_ceil(10);
    }
}

/// The size that an upload has: at the level that GitHub's own uploader takes.
fn packed(text: &[u8]) -> io::Result<usize> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text)?;
    gzip.finish().map(|packed| packed.len())
}

fn log(report: &Report, kept: usize) -> Sarif {
    Sarif::builder().schema(SCHEMA).version("2.1.0").runs(vec![run(report, kept)]).build()
}

fn run(report: &Report, kept: usize) -> Run {
    let names = Names::of(&report.image);
    let (rules, index) = rules::descriptors(report);
    let taxonomy = weaknesses::taxonomy(&report.rules);
    let driver = ToolComponent::builder()
        .name("offcut")
        .semantic_version(report.tool.version.clone())
        .version(report.tool.version.clone())
        .opt_information_uri(rules::information_uri())
        .rules(rules)
        .opt_supported_taxonomies(taxonomy.is_some().then(|| vec![weaknesses::reference()]))
        .build();
    Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .automation_details(RunAutomationDetails::builder().id(format!("offcut/{}/", names.repository)).build())
        .invocations(vec![invocation(report, kept)])
        .results(results(report, kept, &names, &index))
        .opt_taxonomies(taxonomy.map(|taxonomy| vec![taxonomy]))
        .properties(run_properties(report))
        .build()
}

fn results(report: &Report, kept: usize, names: &Names, index: &HashMap<&str, i64>) -> Vec<SarifResult> {
    let mut seen = HashMap::<&str, usize>::new();
    let mut lists = Lists { left: LISTS_BYTES_MAX };
    let mut rewrites = 0;
    let kept = report.findings.iter().take(kept);
    kept.map(|finding| {
        let occurrence = seen.entry(&finding.fingerprint).or_default();
        *occurrence += 1;
        let fingerprint = format!("{}:{occurrence}", show(&finding.fingerprint));
        let mut result = result(finding, names, index, fingerprint, &mut lists);
        result.fixes = fixes::of(report, finding, &mut rewrites);
        result
    })
    .collect()
}

fn result(
    finding: &Finding,
    names: &Names,
    index: &HashMap<&str, i64>,
    fingerprint: String,
    lists: &mut Lists,
) -> SarifResult {
    let path = finding.first_path();
    let fingerprints =
        [("primaryLocationLineHash", fingerprint.clone()), ("offcut/v1", fingerprint)].map(|(k, v)| (k.to_string(), v));
    SarifResult::builder()
        .rule_id(finding.rule.clone())
        .opt_rule_index(index.get(finding.rule.as_str()).copied())
        .kind(ResultKind::Fail)
        .level(level(finding.severity))
        .message(Message::from(message(finding, names, path).as_str()))
        .locations(vec![written(finding, names, path).unwrap_or_else(|| location(names, path, line(finding, path)))])
        .partial_fingerprints(BTreeMap::from(fingerprints))
        .opt_suppressions(finding.allowed.as_deref().map(|reason| vec![suppression(finding, reason)]))
        .opt_baseline_state(finding.since.map(|since| match since {
            Since::New => json!("new"),
            Since::Risen | Since::Ended => json!("updated"),
            Since::Known => json!("unchanged"),
        }))
        .properties(properties(finding, lists))
        .build()
}

/// Who lets it pass, why and until when. Readers show the justification alone, so it says everything.
fn suppression(finding: &Finding, reason: &str) -> Suppression {
    let builder = Suppression::builder().kind("external").status("accepted");
    let Some(by) = &finding.allowed_by else { return builder.justification(show(reason)).build() };
    let (owner, expires) = (by.owner.as_deref().map(show), by.expires.as_deref().map(show));
    let terms: Vec<String> = [
        owner.as_ref().map(|owner| format!("owner {owner}")),
        expires.as_ref().map(|expires| format!("until {expires}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let terms = if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(", ")) };
    builder
        .justification(format!("{}{terms}", show(reason)))
        .properties(bag([("owner", json!(owner)), ("expires", json!(expires)), ("entry", json!(show(&by.entry)))]))
        .build()
}

/// One paragraph that says everything to someone who sees nothing else.
fn message(finding: &Finding, names: &Names, path: Option<&ImagePath>) -> String {
    let subject = escape(&show(&finding.named()));
    let mut out = format!("{}: '{subject}'", escape(&show(&finding.title)));
    let image = escape(&names.image);
    match &finding.layer {
        Some(layer) => {
            let base = if finding.origin == Origin::Base { " (base image)" } else { "" };
            let takes = match finding.family {
                Family::Secret => String::new(),
                _ => format!(" takes {}", text::bytes(finding.bytes)),
            };
            out += &format!("{takes} in layer {}{base} of image '{image}'", layer.number);
        }
        None => {
            let place = match (&finding.line, finding.family) {
                (Some(line), Family::Dockerfile) => format!("line {} of the Dockerfile", line.first),
                _ => "the configuration".to_string(),
            };
            out += &format!(" in {place} of image '{image}'");
        }
    }
    if let Some(path) = path {
        out += &format!(", seen in '{}'", escape(&show_path(path)));
    }
    if let (State::Buried, Some(layer)) = (finding.state, &finding.hidden_by) {
        out += &format!(", hidden by layer {}", layer.number);
    }
    let remedy = escape(&show(&finding.remedy.title));
    format!("{out}. Remedy: {}.", remedy.trim_end_matches('.'))
}

/// The line of a secret in the file that stands for its finding; the first where lines mean nothing.
fn line(finding: &Finding, path: Option<&ImagePath>) -> i64 {
    let place = finding.secrets.iter().find(|place| place.path.as_ref() == path && place.member.is_none());
    place.and_then(|place| place.line).map_or(1, i64::from)
}

/// The line of the Dockerfile, which is a file that viewers have; the path in the image is the logical location.
fn written(finding: &Finding, names: &Names, path: Option<&ImagePath>) -> Option<Location> {
    let line = finding.line.as_ref()?;
    let region = Region::builder().start_line(i64::from(line.first)).end_line(i64::from(line.last)).build();
    let artifact = ArtifactLocation::builder().uri(names::file_uri(&line.file)?).build();
    let place = PhysicalLocation::builder().artifact_location(artifact).region(region).build();
    Some(Location::builder().physical_location(place).logical_locations(vec![logical(names, path)]).build())
}

fn location(names: &Names, path: Option<&ImagePath>, line: i64) -> Location {
    let region = Region::builder().start_line(line).start_column(1).end_line(line).end_column(1).build();
    let artifact = ArtifactLocation::builder().uri(names.uri(path)).build();
    Location::builder()
        .physical_location(PhysicalLocation::builder().artifact_location(artifact).region(region).build())
        .logical_locations(vec![logical(names, path)])
        .build()
}

fn logical(names: &Names, path: Option<&ImagePath>) -> LogicalLocation {
    let shown = path.map_or_else(|| "/".to_string(), show_path);
    LogicalLocation::builder()
        .fully_qualified_name(format!("{}:{shown}", names.pinned))
        .name(shown)
        .kind("resource")
        .build()
}

fn properties(finding: &Finding, lists: &mut Lists) -> PropertyBag {
    let files = finding.paths.iter().flat_map(|group| &group.files);
    let files_total: usize = finding.paths.iter().map(|group| group.files.len()).sum();
    let packages =
        finding.packages.iter().map(|p| format!("{}:{} {}", p.manager.word(), show(&p.name), show(&p.version)));
    let evidence = finding.evidence.iter().map(|e| match &e.path {
        Some(path) => format!("{}: {} in {}", e.class.word(), show(&e.witness), show_path(path)),
        None => format!("{}: {}", e.class.word(), show(&e.witness)),
    });
    bag([
        ("family", json!(finding.family.word())),
        ("subject", json!(finding.subject)),
        ("version", json!(finding.version.as_deref().map(show))),
        ("severity", json!(finding.severity.word())),
        ("state", json!(finding.state.word())),
        ("layer", json!(finding.layer.as_ref().map(|l| l.number))),
        ("layerDiffId", json!(finding.layer.as_ref().and_then(|l| l.diff_id))),
        ("hiddenByLayer", json!(finding.hidden_by.as_ref().map(|l| l.number))),
        ("bytes", json!(finding.bytes)),
        ("buriedBytes", json!(finding.buried_bytes)),
        ("owner", json!(finding.owner)),
        ("origin", json!(finding.origin.word())),
        ("reach", json!(finding.need.reach.word())),
        ("reachWitness", json!(finding.need.witness.as_deref().map(show))),
        ("removesAlso", lists.take(finding.removal.also.iter().map(|name| show(name)), LIST_MAX)),
        ("removesAlsoTotal", json!(finding.removal.also.len())),
        ("caution", json!(finding.removal.caution.as_deref().map(show))),
        ("partOf", json!(finding.part_of)),
        ("confidence", json!(finding.confidence.word())),
        ("secrets", secrets(finding, lists)),
        ("allowed", json!(finding.allowed.as_deref().map(show))),
        ("ratedBefore", json!(finding.rated.as_ref().map(|rated| rated.severity.word()))),
        ("evidenceDigest", json!(finding.evidence_digest)),
        ("remedy", json!(finding.remedy.id)),
        ("evidence", lists.take(evidence, EVIDENCE_MAX)),
        ("evidenceTotal", json!(finding.evidence.len())),
        ("paths", lists.take(files.map(show_path), LIST_MAX)),
        ("pathsTotal", json!(files_total)),
        ("packages", lists.take(packages, LIST_MAX)),
        ("packagesTotal", json!(finding.packages.len())),
    ])
}

/// The places of a secret in one line each; null for other findings.
fn secrets(finding: &Finding, lists: &mut Lists) -> Value {
    if finding.secrets.is_empty() {
        return Value::Null;
    }
    let place = |place: &SecretPlace| {
        let file = place.path.as_ref().map(show_path);
        let parts = [file, place.member.as_deref().map(show), place.line.map(|line| line.to_string())];
        let key = if place.key.is_empty() { String::new() } else { format!(" {}", show(&place.key)) };
        format!("{}{key}", parts.into_iter().flatten().collect::<Vec<_>>().join(":"))
    };
    lists.take(finding.secrets.iter().map(place), EVIDENCE_MAX)
}

/// Cuts lists to their own bound and to what is left for the whole file.
struct Lists {
    left: usize,
}

impl Lists {
    fn take(&mut self, items: impl Iterator<Item = String>, most: usize) -> Value {
        let mut taken = Vec::new();
        let most = if self.left == 0 { 0 } else { most };
        for item in items.take(most) {
            let Some(left) = self.left.checked_sub(item.len()) else {
                self.left = 0;
                break;
            };
            self.left = left;
            taken.push(item);
        }
        json!(taken)
    }
}

fn invocation(report: &Report, kept: usize) -> Invocation {
    let mut notifications: Vec<_> = report.diagnostics.iter().take(NOTIFICATIONS_MAX).map(diagnostic).collect();
    let silent = report.diagnostics.len().saturating_sub(NOTIFICATIONS_MAX);
    if silent > 0 {
        notifications.push(notification(
            "warning",
            format!("{} left out of this file.", text::plural(silent, "more diagnostic")),
        ));
    }
    let dropped = report.findings.len().saturating_sub(kept);
    if dropped > 0 {
        let reason = if kept < RESULTS_MAX {
            "with more, the file would be larger than an upload may be".to_string()
        } else {
            format!("a run holds at most {}", text::count(RESULTS_MAX as u64))
        };
        let findings = text::plural(dropped, "finding");
        notifications.push(notification("warning", format!("{findings} of the least severe left out: {reason}.")));
    }
    Invocation::builder()
        .execution_successful(verdict::unread(report) == 0)
        .tool_execution_notifications(notifications)
        .build()
}

fn diagnostic(diagnostic: &Diagnostic) -> Notification {
    let place = [
        diagnostic.layer.map(|n| format!("layer {n}")),
        diagnostic.path.as_ref().map(|path| format!("'{}'", escape(&show_path(path)))),
    ];
    let place: Vec<_> = place.into_iter().flatten().collect();
    let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) };
    let (level, read) = if diagnostic.unread { ("error", "Not read: ") } else { ("note", "") };
    notification(level, format!("{read}{place}{}", sentence(&diagnostic.text)))
}

fn notification(level: &str, text: String) -> Notification {
    Notification::builder().level(level).message(Message::from(text.as_str())).build()
}

/// Foreign text as the end of a sentence.
fn sentence(text: &str) -> String {
    format!("{}.", escape(show(text).trim_end_matches('.')))
}

/// Image facts under the names that dashboards already read from other scanners' files.
fn run_properties(report: &Report) -> PropertyBag {
    let image = &report.image;
    let (digests, tags): (Vec<_>, Vec<_>) = image.names.iter().map(|n| show(n)).partition(|n| n.contains("@sha256:"));
    let layers = report.layers.iter().map(|l| {
        json!({ "number": l.layer.number, "diffId": l.layer.diff_id, "bytes": l.blob_bytes, "uncompressedBytes": l.tar_bytes })
    });
    bag([
        ("imageName", json!(show(&image.reference))),
        ("imageID", json!(image.id)),
        ("repoTags", json!(tags)),
        ("repoDigests", json!(digests)),
        ("role", json!(report.role.name.word())),
        ("baseLayers", json!(report.base.layers)),
        ("platform", json!(image.platform.as_ref().map(|p| show(&p.to_string())))),
        ("layers", layers.collect()),
        ("bytes", json!(report.totals.bytes)),
        ("catalogue", json!(report.tool.catalogue)),
    ])
}

/// The members that are not null.
fn bag<const N: usize>(members: [(&str, Value); N]) -> PropertyBag {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let members: BTreeMap<_, _> = members.map(|(name, value)| (name.to_string(), value)).collect();
    PropertyBag::builder().additional_properties(members).build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Critical | Severity::High => ResultLevel::Error,
        Severity::Medium => ResultLevel::Warning,
        Severity::Low | Severity::Note => ResultLevel::Note,
    }
}

#[cfg(test)]
mod tests;
