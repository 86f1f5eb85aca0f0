//! How bad a secret is: by what it opens, how sure it is, and whose bytes it stands in.
//!
//! Only ever downwards from what the rule says.

use std::collections::HashSet;

use crate::{
    catalogue::{Catalogue, Rule},
    inventory::{
        File, FileId, Inventory,
        vouch::{How, Vouched},
    },
    model::{FileSums, Harmless, SeenSecret, Severity, Standing, date},
};

/// The judgement of one place.
pub(super) struct Grade {
    /// How bad.
    pub severity: Severity,
    /// Why it is less bad than the rule says, in one sentence with a full stop.
    pub reason: Option<String>,
    /// The word of the package manager that owns the file, or `none`.
    pub owner: &'static str,
}

/// Grades secrets of one image.
pub(super) struct Grader<'a> {
    catalogue: &'a Catalogue,
    inventory: &'a Inventory,
    tools: &'a HashSet<FileId>,
    now: i64,
}

impl<'a> Grader<'a> {
    pub(super) fn new(
        catalogue: &'a Catalogue,
        inventory: &'a Inventory,
        tools: &'a HashSet<FileId>,
        now: i64,
    ) -> Self {
        Self { catalogue, inventory, tools, now }
    }

    /// The grade of a secret in a file; `None` when it is not worth a word.
    pub(super) fn grade(
        &self,
        rule: &Rule,
        file: &File<'_>,
        seen: &SeenSecret,
        sums: Option<&FileSums>,
    ) -> Option<Grade> {
        let owner = file.owner();
        let note = |reason: Option<String>| Grade {
            severity: Severity::Note,
            reason,
            owner: owner.map_or("none", |package| package.manager.word()),
        };
        if let Some(name) = seen.public_key.and_then(|key| self.catalogue.known_keys.get(&key)) {
            return Some(note(Some(format!("It is a note only: {name} publishes this key."))));
        }
        if let Some(vouched) = self.inventory.vouched(file.id(), sums) {
            return published(rule, seen, &vouched, self.now);
        }
        if seen.standing <= Standing::Named && owner.is_some() {
            return None;
        }
        if self.tools.contains(&file.id()) {
            return match seen.standing {
                Standing::Named | Standing::Pattern => None,
                _ => Some(note(Some(
                    "It is a note only: the file is part of a toolchain's own tree, with which it is published.".into(),
                ))),
            };
        }
        Some(Grade { owner: note(None).owner, ..grade_value(rule, seen, self.now) })
    }
}

/// The grade of a secret in a file that its package came with: everybody has it who has the package.
fn published(rule: &Rule, seen: &SeenSecret, vouched: &Vouched<'_>, now: i64) -> Option<Grade> {
    let Vouched { package, how } = vouched;
    // A guess about what thousands of others have just the same says nothing about this image.
    if seen.guess || seen.standing == Standing::Named {
        return None;
    }
    let owner = package.manager.word();
    let note = |severity, how: &str| {
        let reason = format!(
            "It is a {severity} only: the file is part of the package {} {}, {how}.",
            package.name, package.version
        );
        Some(Grade { severity, reason: Some(reason), owner })
    };
    match how {
        How::Digest => note(Severity::Note, "which publishes it with just these bytes"),
        How::SameLayer => note(Severity::Note, "which brought it, and nobody changed it later"),
        // Nothing proves these bytes: what surely opens a door is an alarm wherever it lies.
        How::Registry if seen.standing == Standing::Validated && seen.public_key.is_none() => {
            Some(Grade { owner, ..grade_value(rule, seen, now) })
        }
        How::Registry if seen.standing == Standing::Pattern => {
            note(Severity::Low.min(rule.about.severity), "which was installed from a registry")
        }
        How::Registry => note(Severity::Note, "which was installed from a registry, where everybody can get it"),
    }
}

/// The grade of a secret by itself, wherever it stands.
pub(super) fn grade_value(rule: &Rule, seen: &SeenSecret, now: i64) -> Grade {
    let form = rule.secrets.iter().find(|form| form.name == seen.form);
    let worst = form.and_then(|form| form.severity).unwrap_or(rule.about.severity);
    let note = |reason: String| Grade { severity: Severity::Note, reason: Some(reason), owner: "none" };
    if let Some(harmless) = seen.harmless {
        return note(harmless_reason(harmless).to_string());
    }
    if let Some(expires) = seen.expires.filter(|&expires| expires < now) {
        return note(format!("It is a note only: it expired on {}.", date::day(expires)));
    }
    if seen.standing == Standing::Named {
        return note("It is a note only: its name says so, and its value proves nothing.".to_string());
    }
    let reason = seen.expires.map(|expires| format!("It is valid until {}.", date::day(expires)));
    Grade { severity: worst, reason, owner: "none" }
}

fn harmless_reason(harmless: Harmless) -> &'static str {
    match harmless {
        Harmless::Protected => {
            "It is a note only: a passphrase protects it. Whoever has the image can try to guess it."
        }
        Harmless::Public => "It is a note only: it is published for everyone.",
        Harmless::TestMode => "It is a note only: it opens a test environment.",
        Harmless::LocalDefault => "It is a note only: it is a default that everybody knows.",
    }
}
