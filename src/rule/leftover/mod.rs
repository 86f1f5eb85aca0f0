//! Judges what was left from building: sources, version control, caches and other leftovers.
//!
//! Directories that are recognised whole come first, then loose files, the worst rule first; each file belongs to one
//! finding. What a tool's finding holds already, and what a package owns, is explained and not told again.

mod command;
mod files;
mod roots;
mod sight;
#[cfg(test)]
mod tests;
mod trees;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::{command::Command, roots::Roots, sight::Sight};
use super::{
    group::{self, Found},
    signal::Root,
};
use crate::{
    catalogue::{Catalogue, Rule},
    inventory::{File, FileId, Inventory},
    model::{
        Confidence, Evidence, EvidenceClass, Fact, Family, Finding, ImageInfo, ImagePath, Kind, Remedy, Severity,
        Shape, State,
    },
};

/// From how many bytes on a leftover is worth mending: a pull of less is slowed by less than a second at 500 Mbit/s.
const LARGE: u64 = 50_000_000;

/// Applies the rules about loose files and about directories. `claimed` are the files of other findings.
pub(super) fn judge(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    claimed: HashSet<FileId>,
) -> Vec<Finding> {
    let sight = Sight::take(catalogue, inventory);
    let mut judge = Judge {
        catalogue,
        inventory,
        command: Command::of(inventory, image),
        roots: Roots::new(image, &sight.manifests),
        other_names: other_names(inventory),
        claimed,
        groups: BTreeMap::new(),
    };
    judge.trees(&sight);
    judge.files(&sight);
    judge.findings(image)
}

/// What the parts share.
struct Judge<'a> {
    catalogue: &'a Catalogue,
    inventory: &'a Inventory,
    command: Command,
    roots: Roots<'a>,
    /// The hard links to a file, by that file.
    other_names: HashMap<FileId, Vec<FileId>>,
    /// The files that some finding holds.
    claimed: HashSet<FileId>,
    groups: BTreeMap<Key, Group<'a>>,
}

/// Position of the rule, state and root.
type Key = (usize, State, ImagePath);

/// What becomes one finding.
#[derive(Default)]
struct Group<'a> {
    files: Vec<FileId>,
    evidence: Vec<Evidence>,
    confidence: Option<Confidence>,
    /// What each of its parts says that is to be written instead, if it says anything of its own.
    remedies: Vec<Option<&'a Remedy>>,
}

impl<'a> Group<'a> {
    fn add(&mut self, files: Vec<FileId>, evidence: Evidence, remedy: impl IntoIterator<Item = Option<&'a Remedy>>) {
        let confidence = match evidence.class {
            EvidenceClass::Content => Confidence::Certain,
            _ => Confidence::High,
        };
        self.files.extend(files);
        self.evidence.push(evidence);
        self.confidence = self.confidence.max(Some(confidence));
        self.remedies.extend(remedy);
    }

    /// What all of its parts say, if they say the same.
    fn remedy(&self) -> Option<&'a Remedy> {
        let first = (*self.remedies.first()?)?;
        self.remedies.iter().all(|other| other.is_some_and(|other| other.id == first.id)).then_some(first)
    }
}

impl<'a> Judge<'a> {
    fn rule(&self, at: usize) -> Option<&'a Rule> {
        self.catalogue.rules.get(at)
    }

    /// Whether nothing else explains a file.
    fn is_free(&self, file: &File<'_>, unowned: bool) -> bool {
        !self.claimed.contains(&file.id()) && (!unowned || file.owner().is_none())
    }

    /// Drops the files that have another name which stays: to remove these frees nothing.
    fn keep_freed(&self, files: &mut Vec<FileId>) {
        if self.other_names.is_empty() {
            return;
        }
        let set: HashSet<FileId> = files.iter().copied().collect();
        files.retain(|&id| {
            let content = self.inventory.file(id).content();
            let names = self.other_names.get(&content).into_iter().flatten().copied().chain([content]);
            names.into_iter().all(|name| set.contains(&name) || self.inventory.file(name).state() == State::Buried)
        });
    }

    /// Files what belongs together; the files are claimed. `remedy` is none where it has no say in what is to be written.
    fn add(
        &mut self,
        key: Key,
        files: Vec<FileId>,
        evidence: Evidence,
        remedy: impl IntoIterator<Item = Option<&'a Remedy>>,
    ) {
        self.claimed.extend(&files);
        self.groups.entry(key).or_default().add(files, evidence, remedy);
    }

    fn findings(mut self, image: &ImageInfo) -> Vec<Finding> {
        self.fold_older_copies();
        let groups = std::mem::take(&mut self.groups);
        let finding = |((at, state, root), group): (Key, Group<'a>)| {
            let rule = self.rule(at)?;
            let remedy = group.remedy();
            let found = Found {
                root: Root::Dir(root),
                state,
                confidence: group.confidence?,
                evidence: group.evidence,
                version: None,
                packages: Vec::new(),
                files: group.files,
            };
            let finding = group::finding_of(self.inventory, image, rule, found);
            let severity = severity(rule, &finding);
            let remedy = remedy.cloned().unwrap_or_else(|| finding.remedy.clone());
            Some(Finding { severity, remedy, ..finding })
        };
        groups.into_iter().filter_map(finding).collect()
    }

    /// Older copies of files that a live finding of the same rule has count as its buried bytes.
    fn fold_older_copies(&mut self) {
        let mut live: HashSet<(usize, &[u8])> = HashSet::new();
        for ((rule, state, _), group) in &self.groups {
            if *state == State::Live {
                live.extend(group.files.iter().map(|&id| (*rule, self.inventory.file(id).path())));
            }
        }
        self.groups.retain(|(rule, state, _), group| {
            if *state == State::Buried {
                group.files.retain(|&id| !live.contains(&(*rule, self.inventory.file(id).path())));
            }
            !group.files.is_empty()
        });
    }
}

/// What is small is untidy and what is large is worth mending. A buried history can be read as well as a live one.
fn severity(rule: &Rule, finding: &Finding) -> Severity {
    let least = match (rule.family, rule.about.severity) {
        (Family::Vcs, severity) => severity.min(Severity::Medium),
        (_, Severity::Low) if finding.bytes > LARGE => Severity::Medium,
        _ => Severity::Note,
    };
    finding.severity.max(least)
}

fn other_names(inventory: &Inventory) -> HashMap<FileId, Vec<FileId>> {
    let mut names: HashMap<FileId, Vec<FileId>> = HashMap::new();
    for link in inventory.all().filter(|file| file.kind() == Kind::Hardlink) {
        names.entry(link.content()).or_default().push(link.id());
    }
    names
}

/// The texts that the probes found in a file.
fn shape_of<'a>(file: &File<'a>) -> Option<&'a Shape> {
    file.facts().find_map(|fact| if let Fact::Shape(shape) = fact { Some(shape) } else { None })
}

/// Whether one of `texts` was found; none asked for is fine.
fn any_of(texts: &[String], found: Option<&[String]>) -> bool {
    texts.is_empty() || found.is_some_and(|found| texts.iter().any(|text| found.contains(text)))
}
