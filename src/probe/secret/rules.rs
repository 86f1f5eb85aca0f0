//! The forms of secrets that the catalogue knows, compiled into what finds them.
//!
//! Each form is found one way, the cheapest that its data allows: by how it begins (`starts`, in runs of token bytes),
//! by a long text that stands in it (`sieve`), by the `://` of an address, by short words in files that can hold
//! settings, or by the name of its file. What a way finds is a place to look at; the form's pattern decides.

use std::{collections::BTreeSet, sync::OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use hashbrown::HashMap;
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::{
    check::Check,
    filter::{HEAD, RUN_MIN},
    parse::Parser,
};
use crate::{
    model::{Format, FormatSet, Harmless, NamePattern, path},
    probe::sieve::{LITERAL_MIN, Sieve},
};

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
    /// What must stand directly before the match; of forms that are found by how they begin.
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

    fn name(&self) -> Option<&NamePattern> {
        self.parts.first()
    }
}

/// Position of a form in [`SecretRules::forms`].
pub type FormNo = u16;

/// All forms, compiled.
#[derive(Debug)]
pub struct SecretRules {
    /// The forms, in the order of the catalogue.
    pub forms: Vec<Form>,
    /// How forms begin: all of them; those that begin where no word goes on; those that are sure of themselves anywhere.
    starts: Starts,
    free_starts: Starts,
    sure_starts: Starts,
    sieve: Sieve,
    /// The form of each text of the sieve.
    sieve_forms: Vec<FormNo>,
    /// Forms of addresses.
    pub(super) addresses: Vec<FormNo>,
    /// Short words of every file, of which there are few.
    pub(super) rare: Rare,
    /// Words of every text file, of files that can hold settings.
    pub(super) texts: Words,
    pub(super) settings: Words,
    /// Forms by the whole name of the file; those by a pattern for it.
    by_name: HashMap<Vec<u8>, Vec<FormNo>>,
    by_pattern: Vec<(NamePattern, FormNo)>,
}

impl SecretRules {
    /// Compiles forms; at most 65,535 of them.
    pub fn new(forms: Vec<Form>) -> Self {
        let (mut free_starts, mut sure_starts) = (Starts::default(), Starts::default());
        let (mut starts, mut literals, mut sieve_forms) = (Starts::default(), Vec::new(), Vec::new());
        let (mut addresses, mut rare, mut texts, mut settings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut by_name, mut by_pattern) = (HashMap::<Vec<u8>, Vec<FormNo>>::new(), Vec::new());
        for (no, form) in (0..FormNo::MAX).zip(&forms) {
            let file_names: BTreeSet<String> =
                form.files.iter().filter_map(FilePath::name).map(NamePattern::text).collect();
            for name in file_names {
                match name.contains('*') {
                    true => by_pattern.push((NamePattern::new(&name), no)),
                    false => by_name.entry(name.into_bytes()).or_default().push(no),
                }
            }
            if !form.files.is_empty() {
                continue;
            }
            match &form.find {
                Find::Start(all) => {
                    let sure = form.lead.is_some() || form.edge == Edge::None || form.check.is_some_and(Check::proves);
                    let some = if sure { &mut sure_starts } else { &mut free_starts };
                    for start in all {
                        starts.add(start.as_bytes(), no);
                        some.add(start.as_bytes(), no);
                    }
                }
                Find::Words { words, .. } if words.iter().any(|word| word == ADDRESS) => addresses.push(no),
                Find::Words { words, exact: true, scope: Scope::Any }
                    if words.iter().all(|word| word.len() >= LITERAL_MIN) =>
                {
                    literals.extend(words.iter().map(|word| word.clone().into_bytes()));
                    sieve_forms.extend(words.iter().map(|_| no));
                }
                Find::Words { words, exact: true, scope: Scope::Any } => {
                    rare.extend(words.iter().map(|word| (word.as_str(), no)));
                }
                Find::Words { words, scope: Scope::Config, .. } => {
                    settings.extend(words.iter().map(|word| (word.clone(), no)));
                }
                Find::Words { words, .. } => texts.extend(words.iter().map(|word| (word.clone(), no))),
                Find::File => {}
            }
        }
        let sieve = Sieve::new(literals.iter().map(|literal| (&literal[..], FormatSet::from_iter([Format::Other]))));
        let (rare, texts, settings) = (Rare::new(&rare), Words::new(texts), Words::new(settings));
        Self {
            forms,
            starts,
            free_starts,
            sure_starts,
            sieve,
            sieve_forms,
            addresses,
            rare,
            texts,
            settings,
            by_name,
            by_pattern,
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
        let name = path::name(file);
        let exact = self.by_name.get(name).into_iter().flatten().copied();
        let fits = self.by_pattern.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, no)| *no);
        let whole = |no: &FormNo| self.form(*no).is_some_and(|form| form.files.iter().any(|f| f.matches(file)));
        let forms: BTreeSet<FormNo> = exact.chain(fits).filter(whole).collect();
        forms.into_iter().collect()
    }

    /// Calls `hit` with form and offset of every place in a run of token bytes where a form may begin: `inside` a word
    /// too, or only where none goes on.
    pub fn starts(&self, run: &[u8], inside: bool, hit: &mut impl FnMut(FormNo, usize)) {
        let starts = if inside { &self.starts } else { &self.free_starts };
        starts.find(run, inside, hit);
        if !inside {
            self.sure_starts.find(run, true, hit);
        }
    }

    /// Whether a value begins like one that holds a checksum.
    pub fn begins_surely(&self, value: &[u8]) -> bool {
        value.first_chunk::<HEAD>().is_some_and(|head| {
            let starts = self.sure_starts.by_head.get(&key(*head)).into_iter().flatten();
            starts.filter(|(start, _)| start.len() > HEAD).any(|(start, _)| value.starts_with(start))
        })
    }

    /// Calls `hit` with form, offset and length of every long text.
    pub fn literals(&self, bytes: &[u8], hit: &mut impl FnMut(FormNo, usize, usize)) {
        self.sieve.scan(bytes, Format::Other, &mut |number, at| {
            if let Some(&form) = self.sieve_forms.get(usize::from(number)) {
                hit(form, at, self.sieve.literal(number).len());
            }
        });
    }
}

/// Short words that are looked for in every file, each by itself: for a handful that is faster than all at once.
#[derive(Debug)]
pub struct Rare {
    words: Vec<(Finder<'static>, FormNo)>,
}

impl Rare {
    fn new(words: &[(&str, FormNo)]) -> Self {
        Self { words: words.iter().map(|(word, form)| (Finder::new(word).into_owned(), *form)).collect() }
    }

    /// Calls `hit` with form, offset and length of every word.
    pub fn find(&self, bytes: &[u8], mut hit: impl FnMut(FormNo, usize, usize)) {
        for (finder, form) in &self.words {
            finder.find_iter(bytes).for_each(|at| hit(*form, at, finder.needle().len()));
        }
    }
}

/// Short words and their forms, compared without case.
#[derive(Debug, Default)]
pub struct Words {
    search: Option<AhoCorasick>,
    words: Vec<(String, FormNo)>,
}

impl Words {
    fn new(words: Vec<(String, FormNo)>) -> Self {
        let texts = words.iter().map(|(word, _)| word);
        let kind = Some(AhoCorasickKind::DFA);
        let built = AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(texts);
        Self { search: built.ok().filter(|_| !words.is_empty()), words }
    }

    /// Calls `hit` with form, offset and length of every word; whether case counts, the form's pattern knows.
    pub fn find(&self, bytes: &[u8], mut hit: impl FnMut(FormNo, usize, usize)) {
        let Some(search) = &self.search else { return };
        for found in search.find_overlapping_iter(bytes) {
            if let Some((_, form)) = self.words.get(found.pattern().as_usize()) {
                hit(*form, found.start(), found.len());
            }
        }
    }
}

/// Bits of the table that says in a nanosecond that nothing begins here, as a power of two.
const BITS: u32 = 16;

/// How forms begin, by their first three bytes.
#[derive(Debug)]
struct Starts {
    bitmap: Box<[u64; 1 << (BITS - 6)]>,
    by_head: HashMap<u32, Vec<(Box<[u8]>, FormNo)>>,
}

impl Default for Starts {
    fn default() -> Self {
        Self { bitmap: Box::new([0; 1 << (BITS - 6)]), by_head: HashMap::new() }
    }
}

impl Starts {
    fn add(&mut self, start: &[u8], form: FormNo) {
        let Some(head) = start.first_chunk::<HEAD>() else { return };
        let bit = slot(key(*head));
        self.bitmap[bit >> 6] |= 1 << (bit & 63);
        self.by_head.entry(key(*head)).or_default().push((start.into(), form));
    }

    fn find(&self, run: &[u8], inside: bool, hit: &mut impl FnMut(FormNo, usize)) {
        let mut word = false;
        for (at, head) in run.windows(HEAD).enumerate().take((run.len() + 1).saturating_sub(RUN_MIN)) {
            let [a, b, c] = *head else { continue };
            let goes_on = std::mem::replace(&mut word, a.is_ascii_alphanumeric());
            if goes_on && !inside {
                continue;
            }
            let head = key([a, b, c]);
            let bit = slot(head);
            if self.bitmap[bit >> 6] >> (bit & 63) & 1 == 1 {
                for (start, form) in self.by_head.get(&head).into_iter().flatten() {
                    if run[at..].starts_with(start) {
                        hit(*form, at);
                    }
                }
            }
        }
    }
}

fn key([a, b, c]: [u8; HEAD]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
fn slot(head: u32) -> usize {
    (head.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}
