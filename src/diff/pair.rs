//! Which finding of one image is which of the other, and what about it changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Change, What};
use crate::model::{Family, Finding, ImagePath, PackageRef, SecretPlace, State, path};

/// The findings of two images.
pub(super) struct Pairs<'a> {
    pub(super) new: Vec<&'a Finding>,
    pub(super) gone: Vec<&'a Finding>,
    /// In the order of the new image.
    pub(super) both: Vec<(&'a Finding, &'a Finding, How)>,
}

/// What two findings were recognised by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum How {
    Fingerprint,
    /// The same files at the same paths, one time live and the other time hidden.
    Files,
    /// The same files in another directory.
    Elsewhere,
}

/// Finds for each finding its counterpart: by fingerprint, then by its files. Where more than one fits, none does.
pub(super) fn pair<'a>(old: &'a [Finding], new: &'a [Finding]) -> Pairs<'a> {
    let mut partner: Vec<Option<(usize, How)>> = vec![None; new.len()];
    let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, finding) in old.iter().enumerate().rev() {
        waiting.entry(finding.fingerprint.as_str()).or_default().push(at);
    }
    for (finding, partner) in new.iter().zip(&mut partner) {
        let first = waiting.get_mut(finding.fingerprint.as_str()).and_then(Vec::pop);
        *partner = first.map(|at| (at, How::Fingerprint));
    }
    let mut left: BTreeSet<usize> = waiting.into_values().flatten().collect();
    match_by(old, new, &mut left, &mut partner, How::Files, same_place);
    match_by(old, new, &mut left, &mut partner, How::Elsewhere, same_files);
    let both = new.iter().zip(&partner).filter_map(|(after, partner)| {
        let (at, how) = (*partner)?;
        Some((old.get(at)?, after, how))
    });
    Pairs {
        both: both.collect(),
        new: new.iter().zip(&partner).filter(|(_, partner)| partner.is_none()).map(|(finding, _)| finding).collect(),
        gone: left.iter().filter_map(|&at| old.get(at)).collect(),
    }
}

/// Pairs what is left over and has the same key, where one of each side has it.
fn match_by<'a, K: Ord>(
    old: &'a [Finding],
    new: &'a [Finding],
    left: &mut BTreeSet<usize>,
    partner: &mut [Option<(usize, How)>],
    how: How,
    key: impl Fn(&'a Finding) -> Option<K>,
) {
    let mut keys: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for &at in left.iter() {
        if let Some(key) = old.get(at).and_then(&key) {
            keys.entry(key).or_default().0.push(at);
        }
    }
    for (at, finding) in new.iter().enumerate().filter(|(at, _)| matches!(partner.get(*at), Some(None))) {
        if let Some(key) = key(finding) {
            keys.entry(key).or_default().1.push(at);
        }
    }
    for (before, after) in keys.into_values() {
        if let ([before], [after]) = (before.as_slice(), after.as_slice())
            && let Some(partner) = partner.get_mut(*after)
        {
            *partner = Some((*before, how));
            left.remove(before);
        }
    }
}

/// Rule, subject and every file; not whether they are hidden. Of secrets also where in the file they stand.
fn same_place(finding: &Finding) -> Option<impl Ord + '_> {
    let files: BTreeSet<&ImagePath> = finding.paths.iter().flat_map(|group| &group.files).collect();
    let place = |place: &SecretPlace| (place.path.clone(), place.member.clone(), place.key.clone());
    let secrets: BTreeSet<_> = finding.secrets.iter().map(place).collect();
    (!files.is_empty()).then_some((&finding.rule, &finding.subject, files, secrets))
}

/// Rule, subject, version, packages, bytes, and every file as seen from its root.
fn same_files(finding: &Finding) -> Option<impl Ord + '_> {
    // The value of a secret is not known here: elsewhere it may be another one.
    if finding.family == Family::Secret {
        return None;
    }
    let inside = |root: &ImagePath, file: &ImagePath| -> Vec<u8> {
        let (root, file) = (root.as_bytes(), file.as_bytes());
        let rest = file.strip_prefix(root).filter(|_| path::is_below(file, root));
        rest.unwrap_or(file).to_vec()
    };
    let files = finding.paths.iter().flat_map(|group| group.files.iter().map(|file| inside(&group.root, file)));
    let files: BTreeSet<Vec<u8>> = files.collect();
    let packages: BTreeSet<&PackageRef> = finding.packages.iter().collect();
    let what = (&finding.rule, &finding.subject, &finding.version, finding.state == State::Live);
    (!files.is_empty() && finding.bytes > 0).then_some((what, packages, finding.bytes, files))
}

/// What is not the same about a finding, the most important first.
pub(super) fn changes(old: &Finding, new: &Finding, how: How) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |what, old: String, new: String| changes.push(Change { what, old, new });
    if old.severity != new.severity {
        let what = if new.severity > old.severity { What::Rose } else { What::Fell };
        change(what, old.severity.to_string(), new.severity.to_string());
    }
    let bytes = |finding: &Finding| finding.bytes.saturating_add(finding.buried_bytes);
    let (was, is) = (bytes(old), bytes(new));
    // A secret weighs what its file does, which says nothing.
    if was != is && new.family != Family::Secret {
        change(if is > was { What::Grew } else { What::Shrank }, was.to_string(), is.to_string());
    }
    if old.state != new.state {
        change(What::State, old.state.word().to_string(), new.state.word().to_string());
    }
    if old.version != new.version {
        let version = |finding: &Finding| finding.version.clone().unwrap_or_else(|| "unknown".to_string());
        change(What::Version, version(old), version(new));
    }
    if how == How::Elsewhere
        && let (Some(was), Some(is)) = (root(old), root(new))
    {
        change(What::Path, was.to_string(), is.to_string());
    }
    // A line says better than a layer where something is from.
    if old.line.as_ref().zip(new.line.as_ref()).is_none()
        && let (Some(was), Some(is)) = (&old.layer, &new.layer)
        && step(was.created_by.as_deref()).zip(step(is.created_by.as_deref())).is_none_or(|(was, is)| was != is)
    {
        let known = was.created_by.is_some() && is.created_by.is_some();
        if known || was.number != is.number {
            change(
                What::Layer,
                layer(was.number, was.created_by.as_deref()),
                layer(is.number, is.created_by.as_deref()),
            );
        }
    }
    if let (Some(was), Some(is)) = (&old.line, &new.line)
        && (&was.file, was.first) != (&is.file, is.first)
    {
        change(What::Line, format!("{}:{}", was.file, was.first), format!("{}:{}", is.file, is.first));
    }
    if let ([was], [is]) = (old.secrets.as_slice(), new.secrets.as_slice())
        && let (Some(before), Some(after), Some(file)) = (was.line, is.line, &is.path)
        && before != after
    {
        change(What::Line, format!("{file}:{before}"), format!("{file}:{after}"));
    }
    if old.allowed.is_some() != new.allowed.is_some() {
        let word = |finding: &Finding| if finding.allowed.is_some() { "yes" } else { "no" }.to_string();
        change(What::Allowed, word(old), word(new));
    }
    changes
}

fn root(finding: &Finding) -> Option<&ImagePath> {
    finding.paths.first().map(|group| &group.root)
}

fn layer(number: u32, created_by: Option<&str>) -> String {
    created_by.map_or_else(|| number.to_string(), |created_by| format!("{number}: {created_by}"))
}

/// A step of the history without what changes in every build: the classic builder names copied files by the digest of
/// their content (`COPY file:<64 digits> in /app`). `None` where the history does not say.
pub(super) fn step(created_by: Option<&str>) -> Option<String> {
    let text = created_by.filter(|text| !text.is_empty())?;
    let words = text.split(' ').map(|word| match word.split_once(':') {
        Some((kind @ ("file" | "dir" | "multi"), digest))
            if digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            format!("{kind}:")
        }
        _ => word.to_string(),
    });
    Some(words.collect::<Vec<_>>().join(" "))
}
