//! Bytes that ship though a later line deletes or rewrites their files, measured in the layers.

use std::collections::BTreeMap;

use super::View;
use crate::{
    attribution::lines::Line,
    catalogue::Judgement,
    dockerfile::{Command, CommandLine, Keyword},
    inventory::{File, FileId, Inventory},
    model::{Confidence, Evidence, EvidenceClass, Finding, ImagePath, Kind, Severity, State, path},
    report::text,
    rule::{
        group::{self, Found},
        masked,
        signal::Root,
    },
};

/// Least bytes that are worth a line: every package manager rewrites its database, which is smaller.
const BYTES_MIN: u64 = 1_000_000;

/// From here on it is no longer low: the step that leftovers and buried tools have.
const BYTES_MEDIUM: u64 = 50_000_000;

/// Programs that change files without their content.
const CHANGERS: [&str; 6] = ["chown", "chmod", "chgrp", "setfacl", "setcap", "touch"];

/// Files of two lines: what one brought and the other hides.
type Pairs = BTreeMap<(Line, Line), Vec<FileId>>;

pub(super) fn judge(view: &View<'_>, inventory: &Inventory) -> Vec<Finding> {
    let (mut deleted, mut rewritten) = (Pairs::new(), Pairs::new());
    let mut changers: BTreeMap<Line, bool> = BTreeMap::new();
    let is_data = |file: &File<'_>| matches!(file.kind(), Kind::File | Kind::Hardlink);
    for file in inventory.buried().filter(is_data) {
        let Some((first, second)) = lines(view, &file) else { continue };
        let now = inventory.get(file.path());
        match now {
            None => deleted.entry((first, second)).or_default().push(file.id()),
            // The same length, written by a line that changes owners or permissions. A cache that the line fills again has
            // the same length, too, by chance or because it was not changed; there is nothing to be said of an owner.
            Some(now) if is_data(&now) && Some(now.layer()) == file.hidden_by() && now.size() == file.size() => {
                if *changers.entry(second).or_insert_with(|| changes_attributes(view, second)) {
                    rewritten.entry((first, second)).or_default().push(file.id());
                }
            }
            Some(_) => {}
        }
    }
    let mut findings = Vec::new();
    for (pairs, judgement) in [(deleted, Judgement::DeletedLater), (rewritten, Judgement::CopiedAgain)] {
        findings
            .extend(pairs.into_iter().filter_map(|(lines, files)| finding(view, inventory, judgement, lines, files)));
    }
    findings
}

/// Whether a line has a command that changes files without their content, also behind `find -exec` or `xargs`.
fn changes_attributes(view: &View<'_>, line: Line) -> bool {
    let Some(instruction) = view.file.instructions().get(line.instruction) else { return false };
    let is_one = |word: &str| CHANGERS.contains(&word.rsplit('/').next().unwrap_or_default());
    match &instruction.statement.command {
        Command::Run(CommandLine::Exec(words)) => words.iter().any(|word| is_one(&word.text)),
        _ => {
            let scripts = view.file.scripts(instruction);
            let commands = scripts.iter().flat_map(|script| script.commands());
            commands.flat_map(|command| command.words).any(|(word, _)| is_one(&word.text))
        }
    }
}

/// The lines that brought and hid a file, if both are sure and the second runs a command.
fn lines(view: &View<'_>, file: &File<'_>) -> Option<(Line, Line)> {
    let (first, second) = (view.lines.line(file.layer())?, view.lines.line(file.hidden_by()?)?);
    let keyword = view.file.instructions().get(second.instruction)?.statement.keyword;
    (first != second && keyword == Some(Keyword::Run)).then_some((first, second))
}

fn finding(
    view: &View<'_>,
    inventory: &Inventory,
    judgement: Judgement,
    (first, second): (Line, Line),
    files: Vec<FileId>,
) -> Option<Finding> {
    let rule = view.rule(judgement)?;
    let contents = inventory.contents_of(files.iter().map(|&id| inventory.file(id)));
    let bytes = contents.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
    if bytes < BYTES_MIN {
        return None;
    }
    let does = if judgement == Judgement::DeletedLater { "deletes" } else { "writes again" };
    let (brought, hides) = (view.shown(first), view.shown(second));
    let told = [
        format!(
            "line {} brings {} in {} that line {} {does}",
            first.first_line,
            text::bytes(bytes),
            text::plural(files.len(), "file"),
            second.first_line
        ),
        format!("line {}: {hides}", second.first_line),
    ];
    let piece = |witness| Evidence { class: EvidenceClass::Structure, witness, path: None };
    let found = Found {
        root: Root::Dir(ImagePath::new(&common(files.iter().map(|&id| path::parent(inventory.file(id).path()))))),
        state: State::Buried,
        confidence: Confidence::Certain,
        evidence: told.map(piece).into(),
        version: None,
        packages: Vec::new(),
        files,
    };
    let made = group::finding_of(inventory, view.image, rule, found);
    // Its texts are the rule's: those of a buried tool are about starting it.
    let named = group::empty_finding(rule, &format!("{brought}\n{hides}"), State::Buried);
    Some(Finding {
        title: named.title,
        why: named.why,
        fingerprint: named.fingerprint,
        severity: if bytes >= BYTES_MEDIUM { named.severity.max(Severity::Medium) } else { named.severity },
        line: view.dockerfile.line(first, |text| masked(view.catalogue, text)),
        ..made
    })
}

/// The directory that all of some directories are, or are in.
fn common<'a>(mut dirs: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let Some(first) = dirs.next() else { return Vec::new() };
    let parts = |dir: &'a [u8]| dir.split(|&b| b == b'/');
    let mut shared: Vec<&[u8]> = parts(first).collect();
    for dir in dirs {
        let same = shared.iter().zip(parts(dir)).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    shared.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_directory_is_that_of_whole_names() {
        let of = |dirs: &[&str]| String::from_utf8(common(dirs.iter().map(|dir| dir.as_bytes()))).expect("text");
        assert_eq!(of(&["usr/lib/gcc/12", "usr/lib/gcc"]), "usr/lib/gcc");
        assert_eq!(of(&["usr/lib", "usr/libexec"]), "usr");
        assert_eq!(of(&["usr", "var"]), "");
        assert_eq!(of(&["tmp"]), "tmp");
        assert_eq!(of(&[]), "");
    }
}
