//! What changed between two images: findings and bytes that are new, gone, moved, grown or worse.
//!
//! Compares two reports and nothing else, so a report that was kept compares like an image that is read now. Two findings
//! are one only where that is sure: by fingerprint, or by the same files elsewhere; a secret in another place may be
//! another secret, and is new.

mod baseline;
mod layers;
mod pair;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::model::{Digest, Finding, Platform, Report, Since, Totals};

pub use self::{
    baseline::{read_report, read_report_file},
    layers::Layers,
};

/// What changed from one image to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The image before.
    pub old: Side,
    /// The image after.
    pub new: Side,
    /// What became of the findings.
    pub findings: Findings,
    /// What became of the layers.
    pub layers: Layers,
    /// What makes the comparison less than sure, in one sentence each.
    pub notes: Vec<String>,
}

/// One of the two images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The reference as it was given.
    pub reference: String,
    /// Digest of the configuration: the image id.
    pub id: Option<Digest>,
    /// Operating system and architecture.
    pub platform: Option<Platform>,
    /// Totals over the merged image.
    pub totals: Totals,
    /// Bytes of its layers as they are stored.
    pub stored_bytes: u64,
    /// Findings, those that are part of others included.
    pub findings: usize,
    /// Things that were not read.
    pub unread: usize,
}

/// The findings of both images, each once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// Only the new image has them; worst first.
    pub new: Vec<Finding>,
    /// Only the old image has them; worst first.
    pub gone: Vec<Finding>,
    /// Both have them, and something about them changed; worst first.
    pub changed: Vec<Changed>,
    /// How many are the same in both.
    pub same: usize,
    /// Bytes of findings that came and went.
    pub bytes: Bytes,
}

/// Bytes of findings; what is part of another finding is counted there, secrets count nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Bytes {
    /// Of those that are new.
    pub new: u64,
    /// Of those that are gone.
    pub gone: u64,
    /// By which others grew.
    pub grown: u64,
    /// By which others shrank.
    pub shrunk: u64,
}

/// A finding that both images have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// What changed; never empty.
    pub changes: Vec<Change>,
    /// The finding before.
    pub old: Finding,
    /// The finding after.
    pub new: Finding,
}

/// One thing that changed about a finding.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// What changed.
    pub what: What,
    /// What it was.
    pub old: String,
    /// What it is.
    pub new: String,
}

/// What of a finding can change; the most important first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Its severity rose.
    Rose,
    /// Its severity fell.
    Fell,
    /// It has more bytes.
    Grew,
    /// It has fewer bytes.
    Shrank,
    /// It was hidden and is live again, or the other way round.
    State,
    /// Its version.
    Version,
    /// The same files are in another place.
    Path,
    /// Another step brought it.
    Layer,
    /// Another line of the Dockerfile brought it, or the secret stands in another line of its file.
    Line,
    /// A decision of the user lets it pass, or no longer does.
    Allowed,
}

impl What {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rose => "rose",
            Self::Fell => "fell",
            Self::Grew => "grew",
            Self::Shrank => "shrank",
            Self::State => "state",
            Self::Version => "version",
            Self::Path => "path",
            Self::Layer => "layer",
            Self::Line => "line",
            Self::Allowed => "allowed",
        }
    }
}

impl Changed {
    /// Whether its severity rose.
    pub fn rose(&self) -> bool {
        self.changes.iter().any(|change| change.what == What::Rose)
    }

    /// Whether an exception let it pass and no longer does.
    pub fn ended(&self) -> bool {
        self.old.allowed.is_some() && self.new.allowed.is_none()
    }

    /// Whether it can fail a gate although the old image has it.
    pub fn bites(&self) -> bool {
        self.rose() || self.ended()
    }

    /// Whether it is the same thing in another place: path, layer or line.
    pub fn moved(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.what, What::Path | What::Layer | What::Line))
    }
}

impl Diff {
    /// Compares two reports.
    pub fn between(old: &Report, new: &Report) -> Self {
        let pair::Pairs { new: fresh, gone, both } = pair::pair(&old.findings, &new.findings);
        let mut findings = Findings::default();
        for (before, after, how) in both {
            let (was, is) = (weight(before), weight(after));
            findings.bytes.grown = findings.bytes.grown.saturating_add(is.saturating_sub(was));
            findings.bytes.shrunk = findings.bytes.shrunk.saturating_add(was.saturating_sub(is));
            let changes = pair::changes(before, after, how);
            if changes.is_empty() {
                findings.same += 1;
            } else {
                findings.changed.push(Changed { changes, old: before.clone(), new: after.clone() });
            }
        }
        let sum = |list: &[&Finding]| list.iter().fold(0_u64, |sum, finding| sum.saturating_add(weight(finding)));
        (findings.bytes.new, findings.bytes.gone) = (sum(&fresh), sum(&gone));
        findings.new = fresh.into_iter().cloned().collect();
        findings.gone = gone.into_iter().cloned().collect();
        let notes = notes(old, new, &findings.new);
        Self { old: side(old), new: side(new), findings, layers: Layers::between(&old.layers, &new.layers), notes }
    }

    /// Notes on each finding of the report that is new here what it is beside the old one.
    pub fn mark(&self, new: &mut Report) {
        let changed = self.findings.changed.iter().map(|changed| (&changed.new, since(changed)));
        let fresh = self.findings.new.iter().map(|finding| (finding, Since::New));
        let mut marks: HashMap<&str, Vec<(&Finding, Since)>> = HashMap::new();
        for (finding, since) in fresh.chain(changed) {
            marks.entry(&finding.fingerprint).or_default().push((finding, since));
        }
        for finding in &mut new.findings {
            let marks = marks.get(finding.fingerprint.as_str());
            let mark = marks.and_then(|marks| marks.iter().find(|(marked, _)| *marked == finding));
            finding.since = Some(mark.map_or(Since::Known, |(_, since)| *since));
        }
    }
}

fn since(changed: &Changed) -> Since {
    if changed.ended() {
        Since::Ended
    } else if changed.rose() {
        Since::Risen
    } else {
        Since::Known
    }
}

/// What a finding adds to sums.
fn weight(finding: &Finding) -> u64 {
    use crate::model::Family;

    if finding.part_of.is_some() || finding.family == Family::Secret {
        return 0;
    }
    finding.bytes.saturating_add(finding.buried_bytes)
}

fn side(report: &Report) -> Side {
    Side {
        reference: report.image.reference.clone(),
        id: report.image.id,
        platform: report.image.platform.clone(),
        totals: report.totals,
        stored_bytes: report.layers.iter().fold(0, |sum, layer| layer.blob_bytes.saturating_add(sum)),
        findings: report.findings.len(),
        unread: unread(report),
    }
}

fn unread(report: &Report) -> usize {
    report.diagnostics.iter().filter(|diagnostic| diagnostic.unread).count()
}

/// Why something may look new or gone and not be.
fn notes(old: &Report, new: &Report, fresh: &[Finding]) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(was), Some(is)) = (&old.image.platform, &new.image.platform)
        && was != is
    {
        notes.push(format!("the images are for different machines, {was} and {is}"));
    }
    if (old.tool.catalogue, &old.tool.version) != (new.tool.catalogue, &new.tool.version) {
        let known: BTreeSet<&str> = old.rules.iter().map(|rule| rule.id.as_str()).collect();
        let unknown = fresh.iter().filter(|finding| !known.contains(finding.rule.as_str())).count();
        let (was, is) = (&old.tool.version, &new.tool.version);
        notes.push(format!(
            "the two were judged by different rules (offcut {was} and {is}); {unknown} of the new findings are of rules \
             that the old image was not judged by"
        ));
    }
    match (&old.searched, &new.searched) {
        (None, Some(_)) => {
            notes.push("the old image was not searched for secrets, so each secret looks new".to_string())
        }
        (Some(_), None) => {
            notes.push("the new image was not searched for secrets, so each secret looks gone".to_string());
        }
        _ => {}
    }
    for (report, which, looks) in [(old, "old", "new"), (new, "new", "gone")] {
        let count = unread(report);
        if count > 0 {
            let things = if count == 1 { "1 thing".to_string() } else { format!("{count} things") };
            notes.push(format!("{things} of the {which} image not read: what is there may look {looks}"));
        }
    }
    notes
}
