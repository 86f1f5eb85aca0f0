//! Judges the secrets that the probes saw: which are alarms, which are public material, which are one and the same.
//!
//! Values are not known here. What decides is how sure the probe is, whose file it is, and whether the bytes are those
//! that a package manager recorded. A word in a path decides nothing.

mod grade;
mod metadata;
mod places;

use std::collections::{BTreeMap, HashSet};

use self::grade::{Grade, Grader};
use super::group;
use crate::{
    catalogue::{Catalogue, Rule},
    inventory::{File, FileId, Inventory},
    model::{
        Confidence, Evidence, EvidenceClass, Fact, FileSecrets, Finding, ImageInfo, ImagePath, PathGroup, SecretPlace,
        SeenSecret, Severity, Standing, State,
    },
};

pub(super) use self::metadata::{judge as judge_metadata, judge_assignment, mask, mask_text};

/// Places of one finding that are told one by one.
const PLACES_MAX: usize = 50;

/// Judges the secrets in the image's files. `tools` are the files of build tools that came as a whole tree; `now` is in
/// seconds since 1970.
pub(super) fn judge(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    tools: &HashSet<FileId>,
    now: i64,
) -> Vec<Finding> {
    let grader = Grader::new(catalogue, inventory, tools, now);
    let mut sightings = Vec::new();
    for (file, fact) in inventory.observed() {
        if let Fact::Secrets(secrets) = fact {
            collect(catalogue, &grader, file, secrets, &mut sightings);
        }
    }
    let groups = gather(sightings);
    groups.into_iter().filter_map(|group| finding(catalogue, image, group)).collect()
}

/// A secret at its place, graded.
struct Sighting<'a> {
    /// Position of the rule.
    rule: usize,
    file: File<'a>,
    seen: &'a SeenSecret,
    grade: Grade,
    /// How many more of the rule the file holds that were not told.
    more: u64,
}

fn collect<'a>(
    catalogue: &Catalogue,
    grader: &Grader<'_>,
    file: File<'a>,
    secrets: &'a FileSecrets,
    to: &mut Vec<Sighting<'a>>,
) {
    let mut counted = HashSet::new();
    for seen in &secrets.seen {
        let Ok(rule) = catalogue.rules.binary_search_by(|rule| rule.about.id.cmp(&seen.rule)) else { continue };
        let Some(about) = catalogue.rules.get(rule) else { continue };
        if let Some(grade) = grader.grade(about, &file, seen, secrets.sums.as_ref()) {
            let first = counted.insert(rule);
            let more = secrets.more.get(&seen.rule).copied().filter(|_| first).unwrap_or(0);
            to.push(Sighting { rule, file, seen, grade, more });
        }
    }
}

/// What one finding is about: a rule, and the same value, or the same name in the same file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    rule: usize,
    severity: std::cmp::Reverse<Severity>,
    echo: u64,
}

/// Puts the places of one secret together. A copy that is buried belongs to the live one, if there is one.
fn gather(sightings: Vec<Sighting<'_>>) -> Vec<Vec<Sighting<'_>>> {
    let mut groups: BTreeMap<Key, Vec<Sighting<'_>>> = BTreeMap::new();
    for sighting in sightings {
        let key =
            Key { rule: sighting.rule, severity: std::cmp::Reverse(sighting.grade.severity), echo: sighting.seen.echo };
        groups.entry(key).or_default().push(sighting);
    }
    // Echoes differ from run to run: the order of places does not.
    let place = |s: &Sighting<'_>| {
        (s.file.state(), s.file.path().to_vec(), s.seen.member.clone(), s.file.layer(), s.seen.offset)
    };
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort_by_cached_key(place));
    groups.sort_by_cached_key(|group| group.first().map(|first| (first.rule, place(first), first.grade.severity)));
    groups
}

fn finding(catalogue: &Catalogue, image: &ImageInfo, group: Vec<Sighting<'_>>) -> Option<Finding> {
    let first = group.first()?;
    let rule = catalogue.rules.get(first.rule)?;
    let state = first.file.state();
    let mut finding = group::empty_finding(rule, &root(first), state);
    finding.severity = first.grade.severity;
    finding.confidence = group.iter().map(|s| confidence(s.seen.standing)).max().unwrap_or(Confidence::Medium);
    finding.layer = Some(image.layer_ref(first.file.layer()));
    finding.hidden_by = first.file.hidden_by().map(|layer| image.layer_ref(layer));
    finding.owner = first.grade.owner.to_string();
    finding.bytes = u64::from(first.seen.length);
    finding.buried_bytes = match state {
        State::Live => buried_bytes(&group),
        State::Buried => 0,
    };
    finding.evidence = group.iter().take(PLACES_MAX).map(evidence).collect();
    let untold = group.len().saturating_sub(PLACES_MAX) as u64 + group.iter().map(|s| s.more).sum::<u64>();
    if untold > 0 {
        let witness = format!("{untold} more places");
        finding.evidence.push(Evidence { class: EvidenceClass::Content, witness, path: None });
    }
    finding.secrets = group.iter().take(PLACES_MAX).map(secret_place).collect();
    finding.paths = paths(&group);
    if state == State::Buried {
        finding.title = format!("{} in a lower layer: removed later, still shipped", rule.subject);
    }
    finding.why = why(rule, &group);
    Some(finding)
}

/// What makes a place the same in the next build: path, member and name, never the value or its offset.
fn root(sighting: &Sighting<'_>) -> String {
    let path = ImagePath::new(sighting.file.path());
    let member = sighting.seen.member.as_deref().unwrap_or_default();
    format!("{path}!{member}#{}", sighting.seen.key)
}

/// Bytes of the copies that lower layers still ship.
fn buried_bytes(group: &[Sighting<'_>]) -> u64 {
    let buried = group.iter().filter(|s| s.file.state() == State::Buried);
    buried.map(|s| u64::from(s.seen.length)).sum()
}

fn confidence(standing: Standing) -> Confidence {
    match standing {
        Standing::Named => Confidence::Medium,
        Standing::Pattern => Confidence::High,
        Standing::Structured | Standing::Validated => Confidence::Certain,
    }
}

fn evidence(sighting: &Sighting<'_>) -> Evidence {
    let Sighting { file, seen, .. } = sighting;
    let mut witness = describe(seen);
    if let Some(by) = file.hidden_by() {
        witness += &format!("; shipped by layer {}, hidden by layer {}", file.layer() + 1, by + 1);
    }
    Evidence { class: EvidenceClass::Content, witness, path: Some(ImagePath::new(file.path())) }
}

/// Everything about a secret that may be told, in one line.
pub(super) fn describe(seen: &SeenSecret) -> String {
    let mut parts = Vec::new();
    parts.extend(seen.member.as_ref().map(|member| format!("in {member}")));
    parts.extend(seen.line.map(|line| format!("line {line}")));
    parts.extend((!seen.key.is_empty()).then(|| seen.key.clone()));
    parts.extend((!seen.form.is_empty()).then(|| seen.form.clone()));
    let begins = if seen.shown.is_empty() { String::new() } else { format!(" beginning {}", seen.shown) };
    parts.push(format!("{} characters{begins}", seen.length));
    parts.extend((!seen.remark.is_empty()).then(|| seen.remark.clone()));
    parts.push(
        match seen.standing {
            Standing::Validated => "its checksum or its numbers hold",
            Standing::Structured => "it has the structure of its kind",
            Standing::Pattern => "it has the form of its kind and looks random",
            Standing::Named => "its name says so",
        }
        .to_string(),
    );
    parts.join(", ")
}

fn secret_place(sighting: &Sighting<'_>) -> SecretPlace {
    let Sighting { file, seen, .. } = sighting;
    SecretPlace {
        path: Some(ImagePath::new(file.path())),
        member: seen.member.clone(),
        line: seen.line,
        key: seen.key.clone(),
        length: seen.length,
        shown: seen.shown.clone(),
        standing: seen.standing,
        layer: file.layer() + 1,
        hidden_by: file.hidden_by().map(|layer| layer + 1),
    }
}

/// The files, by directory. Their bytes are not the secret's: a program is not to go because of what it says.
fn paths(group: &[Sighting<'_>]) -> Vec<PathGroup> {
    let mut dirs: BTreeMap<ImagePath, Vec<ImagePath>> = BTreeMap::new();
    let state = group.first().map(|first| first.file.state());
    for sighting in group.iter().filter(|s| Some(s.file.state()) == state) {
        let path = sighting.file.path();
        let files = dirs.entry(ImagePath::new(crate::model::path::parent(path))).or_default();
        let path = ImagePath::new(path);
        if !files.contains(&path) {
            files.push(path);
        }
    }
    dirs.into_iter().map(|(root, files)| PathGroup { root, bytes: 0, files }).collect()
}

fn why(rule: &Rule, group: &[Sighting<'_>]) -> String {
    let mut why = rule.about.why.clone();
    let (live, buried): (Vec<_>, Vec<_>) = group.iter().partition(|s| s.file.state() == State::Live);
    if live.is_empty() {
        why += " A later layer hides it, and everybody who pulls the image has it all the same: to remove a file does \
                not take it out of the layer that brought it.";
    } else if !buried.is_empty() {
        why += " Lower layers ship it, too.";
    }
    if let Some(reason) = group.first().and_then(|first| first.grade.reason.as_ref()) {
        why += &format!(" {reason}");
    }
    why
}
