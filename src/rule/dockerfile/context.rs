//! A `COPY . .` that took along what is no part of the program.

use std::collections::{BTreeMap, HashMap};

use super::{View, is_whole, known};
use crate::{
    attribution::lines::Line,
    catalogue::Judgement,
    dockerfile::Command,
    inventory::Inventory,
    model::{Evidence, EvidenceClass, Finding, ImagePath, Kind, path},
    report::text,
};

/// Repositories and files of one line that are told.
const SHOWN_MAX: usize = 20;

/// Ends of names of files that show what goes into `.env` and hold nothing.
const SAMPLES: [&[u8]; 5] = [b".example", b".sample", b".template", b".dist", b".schema"];

pub(super) fn judge(view: &View<'_>, inventory: &Inventory) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::WholeContext) else { return Vec::new() };
    let mut copies = Vec::new();
    for &stage in &view.chain {
        view.walk(stage, |number, instruction, scope| {
            let (Command::Copy(transfer) | Command::Add(transfer)) = &instruction.statement.command else { return };
            let is_context = view.file.sources(stage, &instruction.statement).is_empty();
            let is_all = |path: &str| known(scope, path).is_some_and(|path| is_whole(&path));
            if is_context && transfer.paths().any(|word| is_all(&word.text)) {
                copies.push((number, transfer.dest.text.clone()));
            }
        });
    }
    let copies: Vec<(Line, String)> =
        copies.into_iter().filter_map(|(number, dest)| Some((view.line(number)?, dest))).collect();
    // Which of them made a layer.
    let makers: HashMap<u32, usize> = (0..)
        .zip(&view.lines.layers)
        .filter_map(|(layer, place)| Some((layer, copies.iter().position(|(line, _)| place.is(*line))?)))
        .collect();
    let mut along: BTreeMap<(usize, &[u8]), usize> = BTreeMap::new();
    for file in inventory.all().filter(|file| file.kind() == Kind::File) {
        let (Some(&copy), Some(what)) = (makers.get(&file.layer()), no_part(file.path())) else { continue };
        *along.entry((copy, what)).or_default() += 1;
    }
    // A directory of that name is a repository only with a HEAD in it.
    let has_head = |dir: &[u8]| {
        let head = [dir, b"/HEAD"].concat();
        inventory.get(&head).is_some() || inventory.buried_at(&head).next().is_some()
    };
    along.retain(|(_, what), _| path::name(what) != b".git" || has_head(what));
    let ignore = if view.dockerfile.has_ignore_file() {
        "the .dockerignore does not keep it out"
    } else {
        "there is no .dockerignore beside the Dockerfile"
    };
    let mut findings = Vec::new();
    for (at, (line, dest)) in copies.iter().enumerate() {
        let piece = |(&(_, what), &count): (&(usize, &[u8]), &usize)| Evidence {
            class: EvidenceClass::Structure,
            witness: format!(
                "line {} took {} along ({}): {ignore}",
                line.first_line,
                path::show(what),
                text::plural(count, "file")
            ),
            path: Some(ImagePath::new(what)),
        };
        let evidence: Vec<Evidence> =
            along.iter().filter(|((copy, _), _)| *copy == at).take(SHOWN_MAX).map(piece).collect();
        if !evidence.is_empty() {
            findings.push(Finding { evidence, ..view.finding(rule, *line, dest, Vec::new()) });
        }
    }
    findings
}

/// The repository or the file of variables that a path is of.
fn no_part(file: &[u8]) -> Option<&[u8]> {
    let mut start = 0;
    for part in file.split(|&b| b == b'/') {
        let end = start + part.len();
        if part == b".git" && end < file.len() {
            return file.get(..end);
        }
        start = end + 1;
    }
    let name = path::name(file);
    let is_env = name == b".env" || name.starts_with(b".env.");
    (is_env && !SAMPLES.iter().any(|end| name.ends_with(end))).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_and_files_of_variables_are_no_part_of_a_program() {
        for (file, want) in [
            ("app/.git/HEAD", Some("app/.git")),
            ("app/.git/objects/ab/cd", Some("app/.git")),
            ("app/.env", Some("app/.env")),
            ("app/.env.production", Some("app/.env.production")),
            ("app/.env.example", None),
            ("app/.git", None),
            ("app/.gitignore", None),
            ("app/.environment", None),
            ("app/x.git/HEAD", None),
        ] {
            assert_eq!(no_part(file.as_bytes()), want.map(str::as_bytes), "{file}");
        }
    }
}
