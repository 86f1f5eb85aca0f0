//! The texts of an image's configuration and history in which secrets can stand, and the values that they name.
//!
//! Knows how builders write instructions down; nothing of secrets.
//!
//! Dialects: the classic builder and buildah write `/bin/sh -c #(nop)  ENV A=x`, BuildKit `ENV A=x`; both write the
//! build arguments of a command as `|2 A=x B=y /bin/sh -c ...`, BuildKit behind `RUN `.

use std::{collections::BTreeSet, fmt, ops::Range};

use crate::model::{History, ImageInfo, redact};

/// Where in an image's description a text stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Place {
    /// `ENV`, by the variable's name.
    Env(String),
    /// `ENTRYPOINT`, `CMD` or `HEALTHCHECK`.
    Command(&'static str),
    /// `LABEL`, by its name.
    Label(String),
    /// An entry of the history, from 0, and the layer that it made, the lowest being 0.
    History { entry: usize, layer: Option<u32> },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "ENV {name}"),
            Self::Command(instruction) => f.write_str(instruction),
            Self::Label(name) => write!(f, "LABEL {name}"),
            Self::History { entry, .. } => write!(f, "history entry {}", entry + 1),
        }
    }
}

/// A text and its place.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) place: Place,
    pub(super) text: String,
    /// The named values in it, by their place in the text.
    pub(super) values: Vec<(String, Range<usize>)>,
}

impl Text {
    /// `NAME=value`.
    pub(super) fn assignment(place: Place, name: &str, value: &str) -> Self {
        let text = format!("{name}={value}");
        let values = vec![(name.to_string(), name.len() + 1..text.len())];
        Self { place, text, values }
    }

    /// Words of a command in exec form, with a space between them.
    pub(super) fn command(instruction: &'static str, words: &[String]) -> Self {
        Self { place: Place::Command(instruction), text: words.join(" "), values: Vec::new() }
    }

    /// An entry of the history; `arguments` are the names of build arguments that earlier entries declare.
    pub(super) fn history(place: Place, created_by: &str, arguments: &BTreeSet<String>) -> Self {
        Self { place, text: created_by.to_string(), values: values(created_by, arguments) }
    }
}

/// All texts: configuration first, then the history from its beginning.
pub(super) fn texts(image: &ImageInfo) -> Vec<Text> {
    let mut all = Vec::new();
    if let Some(config) = &image.config {
        for variable in &config.env {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            all.push(Text::assignment(Place::Env(name.to_string()), name, value));
        }
        all.push(Text::command("ENTRYPOINT", &config.entrypoint));
        all.push(Text::command("CMD", &config.cmd));
        all.push(Text::command("HEALTHCHECK", &config.healthcheck));
        for (name, value) in &config.labels {
            all.push(Text::assignment(Place::Label(name.clone()), name, value));
        }
    }
    let arguments = arguments(image);
    let mut layer = 0;
    for (entry, history) in history(image).enumerate() {
        let made = (!history.empty_layer).then_some(layer);
        layer += u32::from(!history.empty_layer);
        all.push(Text::history(Place::History { entry, layer: made }, &history.created_by, &arguments));
    }
    all
}

/// The names of build arguments that some entry of the history declares.
pub(super) fn arguments(image: &ImageInfo) -> BTreeSet<String> {
    let declared = history(image).filter_map(|entry| {
        let (_, rest) = split_lead(&entry.created_by);
        let name = rest.strip_prefix("ARG ")?.split_whitespace().next()?;
        Some(name.split('=').next().unwrap_or(name).to_string())
    });
    declared.collect()
}

/// The history of the configuration; where there is none, what the layers have of it.
fn history(image: &ImageInfo) -> impl Iterator<Item = &History> {
    let whole = image.config.as_ref().map(|config| &config.history[..]).unwrap_or_default();
    let of_layers = image.layers.iter().filter_map(|layer| layer.history.as_ref()).filter(|_| whole.is_empty());
    whole.iter().chain(of_layers)
}

/// The named values of an instruction.
fn values(created_by: &str, arguments: &BTreeSet<String>) -> Vec<(String, Range<usize>)> {
    let (lead, rest) = split_lead(created_by);
    for instruction in ["ENV ", "ARG ", "LABEL "] {
        if let Some(assignments) = rest.strip_prefix(instruction) {
            return pairs(assignments, lead + instruction.len());
        }
    }
    let Some(counted) = rest.strip_prefix('|') else { return Vec::new() };
    let digits = counted.bytes().take_while(u8::is_ascii_digit).count();
    let from = lead + 1 + digits;
    counted_values(created_by, from, counted.get(..digits).and_then(|n| n.parse().ok()).unwrap_or(0), arguments)
}

/// `A=x B=y z /bin/sh -c ...`: as many as were counted. Values are not quoted, so the next name ends a value: one that
/// an entry declares, or what looks like one; the shell ends the last.
fn counted_values(text: &str, from: usize, count: usize, arguments: &BTreeSet<String>) -> Vec<(String, Range<usize>)> {
    let rest = text.get(from..).unwrap_or_default();
    let end = from + redact::shell(rest).unwrap_or(rest.len());
    let declared = |name: &str| arguments.contains(name);
    let mut starts: Vec<(String, usize, usize)> = Vec::new();
    let mut at = from;
    for word in text.get(from..end).unwrap_or_default().split(' ') {
        let name = word.split_once('=').map(|(name, _)| name).filter(|name| is_name(name));
        if let Some(name) = name.filter(|name| arguments.is_empty() || declared(name) || starts.is_empty()) {
            starts.push((name.to_string(), at, at + name.len() + 1));
        }
        at += word.len() + 1;
    }
    starts.truncate(count.max(1));
    let ends: Vec<usize> = starts.iter().skip(1).map(|(_, start, _)| start.saturating_sub(1)).chain([end]).collect();
    starts.into_iter().zip(ends).map(|((name, _, value), end)| (name, value..end.max(value))).collect()
}

/// `A=x B="y z"`, or the old form `A x`; quotes are left out of the value.
fn pairs(text: &str, base: usize) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let Some(name_len) = rest.find(['=', ' ']) else { break };
        let name = rest.get(..name_len).unwrap_or_default();
        let value_at = at + blank + name_len + 1;
        let value = text.get(value_at..).unwrap_or_default();
        if rest.as_bytes().get(name_len) == Some(&b' ') {
            // The old form: the rest is the value.
            if found.is_empty() {
                found.push((name.to_string(), base + value_at..base + text.trim_end().len().max(value_at)));
            }
            break;
        }
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (open, len) = match quote {
            Some(quote) => (1, value.get(1..).and_then(|v| v.find(quote)).unwrap_or(value.len().saturating_sub(1))),
            None => (0, value.find(' ').unwrap_or(value.len())),
        };
        found.push((name.to_string(), base + value_at + open..base + value_at + open + len));
        at = value_at + open + len + open;
    }
    found
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Length of what stands before the instruction, and the instruction.
fn split_lead(created_by: &str) -> (usize, &str) {
    let nop = created_by.find("#(nop)").map(|at| at + "#(nop)".len());
    let start = nop.or_else(|| created_by.starts_with("RUN |").then_some("RUN ".len())).unwrap_or(0);
    let rest = created_by.get(start..).unwrap_or_default();
    let trimmed = rest.trim_start();
    (start + rest.len() - trimmed.len(), trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(created_by: &str, declared: &[&str]) -> Vec<(String, String)> {
        let declared = declared.iter().map(ToString::to_string).collect();
        let text = Text::history(Place::History { entry: 0, layer: None }, created_by, &declared);
        text.values.iter().map(|(name, span)| (name.clone(), created_by[span.clone()].to_string())).collect()
    }

    #[test]
    fn values_are_named_in_every_dialect() {
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        for (created_by, want) in [
            ("|1 TOKEN=x /bin/sh -c npm ci", vec![pair("TOKEN", "x")]),
            ("RUN |2 A=x B=/y/z /bin/sh -c make # buildkit", vec![pair("A", "x"), pair("B", "/y/z")]),
            ("/bin/sh -c #(nop)  ENV A=x B=\"y z\" C=1", vec![pair("A", "x"), pair("B", "y z"), pair("C", "1")]),
            ("ENV A x y", vec![pair("A", "x y")]),
            ("ENV A='x y' B=z", vec![pair("A", "x y"), pair("B", "z")]),
            ("ARG TOKEN=x", vec![pair("TOKEN", "x")]),
            ("ARG TOKEN", vec![]),
            ("LABEL a.b=c", vec![pair("a.b", "c")]),
            ("RUN /bin/sh -c A=x make", vec![]),
            ("COPY a=b /c", vec![]),
            ("", vec![]),
            ("|", vec![]),
            ("|2 ", vec![]),
            ("ENV A=\"", vec![pair("A", "")]),
        ] {
            assert_eq!(named(created_by, &[]), want, "{created_by}");
        }
    }

    #[test]
    fn a_value_with_spaces_ends_where_the_next_declared_name_begins() {
        let got = named("|2 A=x C=d y B=z /bin/sh -c make", &["A", "B"]);
        assert_eq!(got, [("A".to_string(), "x C=d y".to_string()), ("B".to_string(), "z".to_string())]);
    }
}
