//! `[[rule.secret]]`: the forms of a secret, checked and made ready for the probe that finds them.
//!
//! Checks what a form means. Whether it finds what it should is proved by the rule's examples.

use serde::Deserialize;

use super::compile::Check as Fault;
use crate::{
    model::{Harmless, Severity},
    probe::secret::{
        BEFORE_MAX, Edge, FilePath, Find, Form, Holds, Pattern, Reader, Scope, check::Check, parse::Parser,
    },
};

/// Shortest beginning by which a form can be found, in bytes.
const START_MIN: usize = 3;

/// Shortest word, in bytes: two letters stand everywhere.
const WORD_MIN: usize = 3;

/// Bytes before a word in which a match may begin, where the form does not say: the rest of a name and what quotes it.
const BEFORE: usize = 80;

/// One `[[rule.secret]]` as it is written; `policies/README.md` explains the keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSecret {
    #[serde(default)]
    name: String,
    #[serde(default)]
    start: Vec<String>,
    #[serde(default)]
    lead: Option<String>,
    #[serde(default)]
    inside: bool,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    assigned: bool,
    #[serde(default)]
    before: Option<usize>,
    #[serde(default)]
    nocase: bool,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    parser: Option<Parser>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    edge: Edge,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    min_entropy: Option<f64>,
    #[serde(default)]
    show: usize,
    #[serde(default)]
    harmless: Option<Harmless>,
    #[serde(default)]
    general: bool,
    #[serde(default)]
    severity: Option<Severity>,
}

/// What the judgement has to know of a form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretForm {
    /// Its name; empty where the rule has one only.
    pub name: String,
    /// Severity, where it is not the rule's.
    pub severity: Option<Severity>,
}

impl RawSecret {
    /// What the judgement has to know.
    pub(super) fn about(&self) -> SecretForm {
        SecretForm { name: self.name.clone(), severity: self.severity }
    }

    /// The form, ready to be found; `None` when it can not work, which is a fault.
    pub(super) fn compile(self, rule: &str, trusted: bool, fault: &mut Fault<'_>) -> Option<Form> {
        let shown = if self.name.is_empty() { "secret".to_string() } else { format!("secret \"{}\"", self.name) };
        let ways = usize::from(!self.start.is_empty()) + usize::from(!self.words.is_empty());
        fault.needs(ways == 1 || ways == 0 && !self.files.is_empty(), || {
            format!("{shown} wants either `start` or `words`, or else `files`")
        });
        fault.needs(self.parser.is_some() != self.pattern.is_some(), || {
            format!("{shown} wants either `pattern` or `parser`")
        });
        fault.needs(self.parser.is_none() || !self.files.is_empty(), || {
            format!("{shown} has a `parser`, so it wants the `files` that it reads")
        });
        for start in self.start.iter().filter(|start| start.len() < START_MIN) {
            fault.fault(format!("`start` of {shown} wants {START_MIN} bytes or more, not \"{start}\""));
        }
        for word in self.words.iter().filter(|word| word.len() < WORD_MIN) {
            fault.fault(format!("`words` of {shown} wants {WORD_MIN} bytes or more, not \"{word}\""));
        }
        fault.needs(!self.inside || self.lead.is_some(), || format!("`inside` of {shown} wants `lead`"));
        fault.needs(self.lead.is_none() || ways == 1, || format!("`lead` of {shown} wants `start` or `words`"));
        fault.needs(self.lead.is_none() || self.before.is_none(), || {
            format!("{shown} has a `lead`, so its match begins with the word, and not `before` it")
        });
        fault.needs(self.min_entropy.is_none_or(|bits| (0.0..=8.0).contains(&bits)), || {
            format!("`min_entropy` of {shown} wants bits for each character, 0 to 8")
        });
        let begins = !self.start.is_empty() || self.lead.is_some();
        let holds = if begins { Holds::Here } else { Holds::Anywhere };
        let pattern = self.pattern.as_ref().map(|text| Pattern::new(text, holds));
        let lead = self.lead.as_ref().map(|text| Pattern::new(text, Holds::Before));
        // To compile a pattern takes as long as to read a small file, and those of the program are proved by a test.
        if !trusted {
            let checked =
                [("pattern", pattern.as_ref().map(Pattern::check)), ("lead", lead.as_ref().map(Pattern::check_beside))];
            for (key, checked) in checked {
                if let Some(Err(reason)) = checked {
                    fault.fault(format!("`{key}` of {shown} can not be used: {reason}"));
                }
            }
        }
        let reader = match (pattern, self.parser) {
            (Some(pattern), None) => Reader::Pattern(pattern),
            (None, Some(parser)) => Reader::Parser(parser),
            _ => return None,
        };
        let find = match (self.start.is_empty(), self.words.is_empty()) {
            (false, _) => Find::Start(self.start),
            (true, false) => {
                let scope = self.scope.unwrap_or(if self.nocase { Scope::Text } else { Scope::Any });
                Find::Words { words: self.words, exact: !self.nocase, scope }
            }
            (true, true) => Find::File,
        };
        Some(Form {
            rule: rule.to_string(),
            name: self.name,
            find,
            files: self.files.iter().map(|path| FilePath::new(path)).collect(),
            reader,
            inside: self.inside,
            lead,
            assigned: self.assigned,
            before: self.before.unwrap_or(BEFORE).min(BEFORE_MAX),
            edge: self.edge,
            check: self.check,
            min_entropy: self.min_entropy,
            show: self.show,
            harmless: self.harmless,
            general: self.general,
        })
    }
}
