//! The forms of secrets that the catalogue knows, compiled into what finds them.
//!
//! Each form is found one way: by how it begins, in runs of token bytes; by a word that stands in it, in every file, in
//! text or in files that can hold settings; or by the name of its file. What a way finds is a place to look at; the
//! form's pattern decides.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::{
    check::Check,
    heads::HEAD,
    needle::{Met, Needles, Starts, Word},
    parse::Parser,
};
use crate::model::{Harmless, NameIndex, NamePattern};

/// Longest match of a pattern, in bytes: an RSA key of 16,384 bits in PEM has 13 KB.
pub const MATCH_MAX: usize = 16 << 10;

/// Bytes of a compiled pattern (`RegexBuilder::size_limit`); the largest of ours takes a tenth.
const PATTERN_MAX: usize = 2 << 20;

/// The sign of an address, whose forms have a way of their own: it is too short and too common for the others.
const ADDRESS: &str = "://";

/// One form of a secret.
#[derive(Debug)]
pub struct Form {
    /// Rule id.
    pub rule: String,
    /// Name of the form; empty where the rule has one only.
    pub name: String,
    /// How it is found.
    pub find: Find,
    /// The only files it is found in; empty for all.
    pub files: Vec<FilePath>,
    /// What decides.
    pub reader: Reader,
    /// Whether it begins inside of a word.
    pub inside: bool,
    /// What must stand directly before the match, which then begins with what it is found by. A group `key` in it is the
    /// beginning of the name.
    pub lead: Option<Pattern>,
    /// Whether a word stands in a name, behind which `=` or `:` and a value follow.
    pub assigned: bool,
    /// Bytes before a word in which its match may begin.
    pub before: usize,
    /// What may not stand directly beside the value.
    pub edge: Edge,
    /// What the value must be.
    pub check: Option<Check>,
    /// Least entropy of the value, in bits for each character.
    pub min_entropy: Option<f64>,
    /// Leading characters of the value that everybody may see.
    pub show: usize,
    /// Why it is never an alarm.
    pub harmless: Option<Harmless>,
    /// Whether any other form that finds the same bytes tells them better.
    pub general: bool,
}

impl Form {
    /// Whether it only guesses by a name: everything else knows better.
    pub fn is_guess(&self) -> bool {
        matches!(self.check, Some(Check::GenericValue))
    }
}

/// How a form is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Find {
    /// Its match begins with one of these.
    Start(Vec<String>),
    /// One of these stands in its match.
    Words {
        /// The words.
        words: Vec<String>,
        /// Whether case counts.
        exact: bool,
        /// Where they are looked for.
        scope: Scope,
    },
    /// By the name of the file.
    File,
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// In every file.
    #[default]
    Any,
    /// In text.
    Text,
    /// In files that can hold settings, and in the image's configuration.
    Config,
}

/// What decides whether a place is a secret.
#[derive(Debug)]
pub enum Reader {
    /// A pattern.
    Pattern(Pattern),
    /// Code that reads the whole file.
    Parser(Parser),
}

/// Bytes that may stand neither directly before a value nor directly behind it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits, `+` and `/`.
    Base64,
    /// Letters, digits, `_` and `-`.
    Base64url,
    /// Hexadecimal digits.
    Hex,
    /// Any may.
    #[default]
    None,
}

impl Edge {
    /// Whether the byte would be part of the value.
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Base64 => byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/',
            Self::Base64url => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::None => false,
        }
    }
}

/// A pattern, compiled when it is first needed: most images need few, and to compile all takes as long as to read a
/// small image.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Option<Compiled>>,
}

/// Where a pattern is to hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// Somewhere in what it is shown.
    Anywhere,
    /// Where that begins.
    Here,
    /// Where that ends.
    Before,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Compiled {
    /// The pattern.
    pub regex: Regex,
    /// Longest match, in bytes, at most [`MATCH_MAX`].
    pub reach: usize,
    /// Bytes that every match begins with and among which there is neither space nor quote.
    pub solid: usize,
}

impl Pattern {
    /// A pattern that is to hold in one of three ways.
    pub fn new(text: &str, holds: Holds) -> Self {
        let text = match holds {
            Holds::Anywhere => text.to_string(),
            Holds::Here => format!("\\A(?:{text})"),
            Holds::Before => format!("(?:{text})\\z"),
        };
        Self { text, compiled: OnceLock::new() }
    }

    /// The pattern, with how it is held against a text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The compiled pattern; `None` when it does not compile, which [`Pattern::check`] tells beforehand.
    pub fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| self.compile().ok()).as_ref()
    }

    fn compile(&self) -> Result<Compiled, String> {
        let regex = RegexBuilder::new(&self.text).unicode(false).size_limit(PATTERN_MAX).build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large: repeat less".to_string(),
            error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_string(),
        })?;
        let parsed = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&self.text).ok();
        let lengths = parsed.map(|hir| (hir.properties().minimum_len(), hir.properties().maximum_len()));
        let (least, most) = lengths.unwrap_or_default();
        let spaced = [" ", "\\s", "[^", "\"", "'", ","].iter().any(|sign| self.text.contains(sign));
        let solid = if spaced { 0 } else { least.unwrap_or(0) };
        Ok(Compiled { regex, reach: most.unwrap_or(MATCH_MAX).min(MATCH_MAX), solid })
    }

    /// Whether the pattern can be used.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn check(&self) -> Result<(), String> {
        let compiled = self.compile()?;
        if compiled.regex.is_match(b"") {
            return Err("it fits nothing at all, so it would fit everywhere".into());
        }
        Ok(())
    }

    /// Whether the pattern can be used where it is to fit beside something: it may fit nothing at all.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn check_beside(&self) -> Result<(), String> {
        self.compile().map(drop)
    }
}

/// How the path of a file ends: whole components, each with at most one `*`; the whole path with a leading `/`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilePath {
    /// As it was written.
    text: String,
    whole: bool,
    /// The last component first.
    parts: Vec<NamePattern>,
}

impl FilePath {
    /// Reads `etc/apt/auth.conf.d/*`; a `**/` in front means what is meant without it.
    pub fn new(text: &str) -> Self {
        let (whole, written) = (text.starts_with('/'), text.to_string());
        let text = text.trim_start_matches("**/").trim_matches('/');
        Self { text: written, whole, parts: text.rsplit('/').map(NamePattern::new).collect() }
    }

    /// Whether a cleaned path ends so.
    pub fn matches(&self, path: &[u8]) -> bool {
        let mut names = path.rsplit(|&byte| byte == b'/');
        let fits = self.parts.iter().all(|part| names.next().is_some_and(|name| part.matches(name)));
        fits && (!self.whole || names.next().is_none())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Position of a form in [`SecretRules::forms`].
pub type FormNo = u16;

/// All forms, compiled.
#[derive(Debug)]
pub struct SecretRules {
    /// The forms, in the order of the catalogue.
    pub forms: Vec<Form>,
    /// How forms begin.
    pub(super) starts: Starts,
    /// Words of every file, those and the words of text, and all: also those of files that can hold settings.
    everywhere: Needles,
    text: Needles,
    settings: Needles,
    /// Forms, and which of their files, by the name of the file.
    by_name: NameIndex<(FormNo, usize)>,
    /// Those of every name in a directory, by the name of that.
    by_dir: NameIndex<(FormNo, usize)>,
}

impl SecretRules {
    /// Compiles forms; at most 65,535 of them.
    pub fn new(forms: Vec<Form>) -> Self {
        let (mut starts, mut words) = (Vec::new(), Vec::new());
        let (mut by_name, mut by_dir) = (NameIndex::default(), NameIndex::default());
        for (no, form) in (0..FormNo::MAX).zip(&forms) {
            for (nth, file) in form.files.iter().enumerate() {
                match &file.parts[..] {
                    [any, dir, ..] if any.is_any() => by_dir.insert(dir, (no, nth)),
                    [name, ..] => by_name.insert(name, (no, nth)),
                    [] => {}
                }
            }
            if !form.files.is_empty() {
                continue;
            }
            match &form.find {
                Find::Start(all) if form.inside => {
                    let word = |text| (Scope::Any, Word { text, exact: true, met: Met::Start(no) });
                    words.extend(all.iter().map(|text| word(text.as_str())));
                }
                Find::Start(all) => starts.extend(all.iter().map(|start| (start.as_str(), no))),
                Find::Words { words: all, exact, scope } => {
                    let met = |text| if text == ADDRESS { Met::Address(no) } else { Met::Word(no) };
                    let word = |text| (*scope, Word { text, exact: *exact, met: met(text) });
                    words.extend(all.iter().map(|text| word(text.as_str())));
                }
                Find::File => {}
            }
        }
        let of = |scopes: &[Scope], row_max| {
            Needles::new(words.iter().filter(|(scope, _)| scopes.contains(scope)).map(|(_, word)| *word), row_max)
        };
        // Text has five times as much of what is like a word as programs have.
        let everywhere = of(&[Scope::Any], 50);
        let text = of(&[Scope::Any, Scope::Text], 18);
        let settings = of(&[Scope::Any, Scope::Text, Scope::Config], 24);
        let starts = Starts::new(starts);
        Self { forms, starts, everywhere, text, settings, by_name, by_dir }
    }

    /// The words that are looked for in bytes of this scope.
    pub(super) fn needles(&self, scope: Scope) -> &Needles {
        match scope {
            Scope::Any => &self.everywhere,
            Scope::Text => &self.text,
            Scope::Config => &self.settings,
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The forms of a rule.
    pub fn of_rule<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Form> {
        self.forms.iter().filter(move |form| form.rule == rule)
    }

    /// The form with this number.
    pub fn form(&self, no: FormNo) -> Option<&Form> {
        self.forms.get(usize::from(no))
    }

    /// The forms that are looked for in files of this path alone.
    pub fn of_file(&self, file: &[u8]) -> Vec<FormNo> {
        let whole = |&(no, nth): &(FormNo, usize)| {
            self.form(no).and_then(|form| form.files.get(nth)).is_some_and(|path| path.matches(file))
        };
        let mut names = file.rsplit(|&byte| byte == b'/');
        let (name, dir) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let found = self.by_name.find(name).chain(self.by_dir.find(dir));
        let mut forms: Vec<FormNo> = found.filter(whole).map(|(no, _)| no).collect();
        forms.sort_unstable();
        forms.dedup();
        forms
    }

    /// Whether a value begins like one that holds a checksum.
    pub fn begins_surely(&self, value: &[u8]) -> bool {
        let proves = |no: FormNo| self.form(no).and_then(|form| form.check).is_some_and(Check::proves);
        self.starts.find(value).any(|start| start.len() > HEAD && proves(start.form))
    }
}
