//! Reads an entry of a history: who wrote it, and which instruction it says it is.

use super::expect::squeezed;
use crate::{dockerfile::Keyword, model::History};

/// Who wrote an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Builder {
    /// `... # buildkit`; metadata without the mark, but with its comment.
    Buildkit,
    /// `/bin/sh -c #(nop) ...`: the classic builder of Docker, or buildah and podman.
    Nop,
    /// The instruction as it is written in the Dockerfile: kaniko.
    Written,
    /// Something else.
    Unknown,
}

/// An entry of a history.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) builder: Builder,
    /// The instruction that it is of.
    pub(super) keyword: Option<Keyword>,
    /// What follows the keyword; for a `RUN` the command as it was run.
    pub(super) rest: &'a str,
    /// The same, white space squeezed.
    pub(super) squeezed: String,
    /// All of it.
    pub(super) text: &'a str,
    pub(super) makes_layer: bool,
    /// What buildah says it was built upon: every step does, or since buildah 1.39 the first of a build.
    from: Option<&'a str>,
    /// Docker's `--squash` made it.
    pub(super) is_merge: bool,
}

impl<'a> Entry<'a> {
    /// Reads an entry.
    pub(super) fn read(history: &'a History) -> Self {
        let text = history.created_by.trim();
        let plain = text.strip_suffix("# buildkit").map_or(text, str::trim_end);
        let (builder, keyword, rest) = if let Some((_, instruction)) = split_nop(text) {
            let (keyword, rest) = split_keyword(instruction);
            (Builder::Nop, keyword, rest)
        } else if plain.len() != text.len() || history.comment.starts_with("buildkit.") {
            let (keyword, rest) = split_keyword(plain);
            (Builder::Buildkit, keyword, rest)
        } else {
            match split_keyword(text) {
                (Some(keyword), rest) if text.starts_with(keyword.word()) => (Builder::Written, Some(keyword), rest),
                _ if text.is_empty() => (Builder::Unknown, None, text),
                // A step that the classic builder ran has nothing but its command.
                _ => (Builder::Nop, Some(Keyword::Run), text),
            }
        };
        let from = history.comment.strip_prefix("FROM ").map(str::trim);
        let is_merge = history.comment.starts_with("merge sha256:");
        let squeezed = squeezed(rest);
        Self { builder, keyword, rest, squeezed, text, makes_layer: !history.empty_layer, from, is_merge }
    }

    /// Whether buildah made it, as it says itself.
    pub(super) fn is_of_buildah(&self) -> bool {
        self.from.is_some()
    }

    /// Whether buildah says that the step before belongs to the same build.
    pub(super) fn goes_on(&self) -> bool {
        self.from.is_some_and(|name| name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// Whether it is the last entry of a stage of which buildah made one layer: then it alone says what it is built upon.
    pub(super) fn is_whole_stage(&self, before: Option<&Self>) -> bool {
        self.from.is_some() && before.is_some_and(|before| before.from.is_none() && !before.makes_layer)
    }
}

/// Whether all steps of a build before `start` are those that the base image's `ONBUILD` asks for: buildah says of them,
/// too, that they belong to the build.
pub(super) fn are_triggered(entries: &[Entry<'_>], start: usize) -> bool {
    let first = entries.iter().take(start).rposition(|entry| !entry.goes_on()).unwrap_or(0);
    let below = entries.get(..first).unwrap_or_default();
    let triggers = below.iter().filter(|entry| entry.keyword == Some(Keyword::Onbuild));
    let triggers: Vec<Option<Keyword>> = triggers.map(|entry| split_keyword(entry.rest).0).collect();
    let steps: Vec<Option<Keyword>> =
        entries.get(first..start).unwrap_or_default().iter().map(|entry| entry.keyword).collect();
    !steps.is_empty() && triggers.ends_with(&steps)
}

/// What stands before and behind `#(nop)`, if that stands where builders write it.
fn split_nop(text: &str) -> Option<(&str, &str)> {
    let (shell, instruction) = text.split_once("#(nop)")?;
    let is_shell = shell.split_whitespace().count() <= 8 && !shell.contains(['\n', ';', '&', '|', '"', '\'']);
    is_shell.then(|| (shell, instruction.trim_start()))
}

/// The keyword that a text starts with, in any case, and what follows.
fn split_keyword(text: &str) -> (Option<Keyword>, &str) {
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    match Keyword::of(word) {
        Some(keyword) => (Some(keyword), rest.trim()),
        None => (None, text),
    }
}

/// The shell that the history's last `SHELL` set.
pub(super) fn shell(entries: &[Entry<'_>]) -> Option<String> {
    let last = entries.iter().rev().find(|entry| entry.keyword == Some(Keyword::Shell))?;
    let words = last.rest.strip_prefix('[')?.strip_suffix(']')?;
    Some(words.replace(['"', ','], ""))
}
