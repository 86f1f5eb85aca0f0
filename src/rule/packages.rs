//! Judges groups of build packages that `apk add --virtual NAME` made: those that were forgotten, and those that never
//! had a member, so that their removal removed nothing.
//!
//! Source: apk-tools `src/app_add.c` (a virtual package gets the time as its version), Alpine 3.20.

use std::collections::{BTreeSet, HashSet};

use crate::{
    catalogue::{Catalogue, Judgement},
    inventory::{Inventory, Package},
    model::{Confidence, Evidence, EvidenceClass, Finding, ImageInfo, ImagePath, Manager, PackageRef, State, path},
};

use super::{
    group::{self, Found},
    removal,
    signal::Root,
};

/// Members of a group that a line names.
const NAMES_MAX: usize = 12;

/// Groups that are looked at; a Dockerfile has one or two.
const GROUPS_MAX: usize = 16;

/// Longest history entry that is read, in bytes; builders keep whole heredocs there.
const HISTORY_MAX: usize = 64 << 10;

/// Applies the rules about virtual packages.
pub(super) fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Vec<Finding> {
    let live = |package: &&Package| package.manager == Manager::Apk && package.state == State::Live;
    let installed: Vec<&Package> = inventory.packages().iter().filter(live).collect();
    if installed.is_empty() {
        return Vec::new();
    }
    let rule = |judgement| catalogue.rules.iter().find(|rule| rule.code == Some(judgement));
    let mut findings = Vec::new();
    for group in installed.iter().filter(|package| is_virtual(package)).take(GROUPS_MAX) {
        let judgement = if group.depends.is_empty() { Judgement::ApkVirtualEmpty } else { Judgement::ApkVirtual };
        findings.extend(
            rule(judgement)
                .map(|rule| group::finding_of(inventory, image, rule, forgotten(inventory, &installed, group))),
        );
    }
    let known: HashSet<&str> = installed.iter().map(|package| package.name.as_str()).collect();
    if let Some(rule) = rule(Judgement::ApkVirtualEmpty) {
        for layer in &image.layers {
            let text = layer.history.as_ref().map(|history| history.created_by.as_str()).unwrap_or_default();
            let text = text.get(..HISTORY_MAX).unwrap_or(text);
            let text = text.replace("\\\n", " ");
            findings.extend(never_filled(&text).into_iter().filter_map(|(group, added)| {
                let left: Vec<&str> = added.into_iter().filter(|name| known.contains(name)).collect();
                // While the group is there, it is found above.
                let found = (!left.is_empty() && !known.contains(group)).then(|| empty(group, &left))?;
                Some(group::finding_of(inventory, image, rule, found))
            }));
        }
    }
    findings
}

/// apk gives a virtual package the time as its version, and no files.
fn is_virtual(package: &Package) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let time = package.version.split_once('.').is_some_and(|(day, time)| digits(day, 8) && digits(time, 6));
    package.files.is_empty() && (time || package.name.starts_with('.') && package.version == "0")
}

/// A group that is still there, with what `apk del` of it would remove.
fn forgotten(inventory: &Inventory, installed: &[&Package], group: &Package) -> Found {
    let gone: BTreeSet<String> = removal::with_group(inventory, &group.name);
    let of_group = |package: &&&Package| package.name == group.name || gone.contains(&package.name);
    let members: Vec<&&Package> = installed.iter().filter(of_group).collect();
    let names = match group.depends.len() {
        0 => "it has no members".to_string(),
        _ => format!("it pulled in {}", listed(&group.depends.iter().map(String::as_str).collect::<Vec<_>>())),
    };
    let witness =
        format!("apk {} {}: {names}", path::escape(group.name.as_bytes()), path::escape(group.version.as_bytes()));
    let database = inventory.file(group.home).path();
    let reference = |package: &&&Package| PackageRef {
        manager: package.manager,
        name: package.name.clone(),
        version: package.version.clone(),
    };
    Found {
        root: Root::Dir(ImagePath::from(group.name.as_str())),
        state: State::Live,
        confidence: Confidence::Certain,
        evidence: vec![Evidence { class: EvidenceClass::Package, witness, path: Some(ImagePath::new(database)) }],
        version: None,
        packages: members.iter().map(reference).collect(),
        files: members.iter().flat_map(|package| package.files.iter().copied()).collect(),
    }
}

/// A group that was removed again, and had nothing in it.
fn empty(group: &str, left: &[&str]) -> Found {
    let group_shown = path::escape(group.as_bytes());
    let witness = format!(
        "RUN apk add --virtual {group_shown} has no package before its end, so that `apk del {group_shown}` removes \
         nothing; still installed: {}",
        listed(left)
    );
    let (version, packages, files) = Default::default();
    let evidence = vec![Evidence { class: EvidenceClass::Config, witness, path: None }];
    let root = Root::Dir(ImagePath::from(group));
    Found { root, state: State::Live, confidence: Confidence::High, evidence, version, packages, files }
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(|name| path::escape(name.as_bytes())).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Virtual groups that a command makes without members, with what the next `apk add` of the same command installs.
fn never_filled(command: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut open = false;
    for part in command.split(['&', ';', '|', '\n']) {
        let mut words = part.split_whitespace().skip_while(|word| *word != "apk");
        let is_add = words.next().is_some() && words.any(|word| word == "add");
        if !is_add {
            continue;
        }
        let (group, names) = added(words);
        match group {
            Some(group) if names.is_empty() => {
                found.push((group, Vec::new()));
                open = true;
            }
            None if open => {
                if let Some((_, added)) = found.last_mut() {
                    *added = names;
                }
                open = false;
            }
            _ => {}
        }
    }
    found
}

/// The name of the group and the packages among the words behind `apk add`.
fn added<'w>(mut words: impl Iterator<Item = &'w str>) -> (Option<&'w str>, Vec<&'w str>) {
    const WITH_VALUE: [&str; 6] = ["-X", "--repository", "-p", "--root", "--arch", "--keys-dir"];

    let (mut group, mut names) = (None, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "-t" | "--virtual" => group = words.next(),
            _ if WITH_VALUE.contains(&word) => {
                words.next();
            }
            _ if word.starts_with("--virtual=") => group = word.strip_prefix("--virtual="),
            _ if word.starts_with('-') => {}
            _ => names.push(word.split(['<', '>', '=', '~', '@']).next().unwrap_or_default()),
        }
    }
    (group, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_ends_before_its_members_is_seen() {
        let command = "RUN /bin/sh -c apk add --no-cache --virtual .deps && apk add gcc musl-dev make=4.4 && make && apk del .deps # buildkit";
        assert_eq!(never_filled(command), [(".deps", vec!["gcc", "musl-dev", "make"])]);
        for other in [
            "RUN apk add --no-cache --virtual .deps gcc && make && apk del .deps",
            "RUN apk add -t .deps gcc\napk add curl",
            "RUN apt-get install -y gcc",
            "RUN apk add gcc && apk add curl",
        ] {
            assert!(never_filled(other).is_empty(), "{other}");
        }
        assert_eq!(never_filled("apk add -t .a; apk add"), [(".a", vec![])]);
        assert_eq!(never_filled("apk add -t .a\napk add gcc"), [(".a", vec!["gcc"])]);
    }
}
