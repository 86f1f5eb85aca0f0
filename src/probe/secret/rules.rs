//! The forms of secrets that the catalogue knows, compiled into what finds them.
//!
//! Each form is found one way, the cheapest that its data allows: by how it begins (`starts`, in runs of token bytes),
//! by a long text that stands in it (`sieve`), by the `://` of an address, by short words in files that can hold
//! settings, or by the name of its file. What a way finds is a place to look at; the form's pattern decides.

use std::{collections::BTreeSet, sync::OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use hashbrown::HashMap;
use regex::bytes::{Regex, RegexBuilder};

use super::{check::Check, filter::HEAD, parse::Parser};
use crate::{
    model::{Format, FormatSet, Harmless, NameIndex, NamePattern, path},
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
    /// Whether it begins inside of a word.
    pub inside: bool,
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
    /// How forms begin.
    starts: Starts,
    sieve: Sieve,
    /// The form of each text of the sieve.
    sieve_forms: Vec<FormNo>,
    /// Short words of every file, of which there are few.
    pub(super) rare: Rare,
    /// Words of every text file, of files that can hold settings.
    pub(super) texts: Words,
    pub(super) settings: Words,
    /// Forms by the name of the file.
    by_name: NameIndex<FormNo>,
}

impl SecretRules {
    /// Compiles forms; at most 65,535 of them.
    pub fn new(forms: Vec<Form>) -> Self {
        let (mut starts, mut literals, mut sieve_forms) = (Starts::default(), Vec::new(), Vec::new());
        let (mut rare, mut texts, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        let mut by_name = NameIndex::default();
        for (no, form) in (0..FormNo::MAX).zip(&forms) {
            let file_names: BTreeSet<String> =
                form.files.iter().filter_map(FilePath::name).map(NamePattern::text).collect();
            for name in file_names {
                by_name.insert(&NamePattern::new(&name), no);
            }
            if !form.files.is_empty() {
                continue;
            }
            match &form.find {
                Find::Start(all) if form.inside => {
                    rare.extend(all.iter().map(|start| (start.as_str(), RareHit::Start(no))));
                }
                Find::Start(all) => all.iter().for_each(|start| starts.add(start.as_bytes(), no)),
                Find::Words { words, .. } if words.iter().any(|word| word == ADDRESS) => {
                    rare.push((ADDRESS, RareHit::Address(no)));
                }
                Find::Words { words, exact: true, scope: Scope::Any }
                    if words.iter().all(|word| word.len() >= LITERAL_MIN) =>
                {
                    literals.extend(words.iter().map(|word| word.clone().into_bytes()));
                    sieve_forms.extend(words.iter().map(|_| no));
                }
                Find::Words { words, exact: true, scope: Scope::Any } => {
                    rare.extend(words.iter().map(|word| (word.as_str(), RareHit::Word(no))));
                }
                Find::Words { words, scope: Scope::Config, .. } => {
                    settings.extend(words.iter().map(|word| (word.clone(), no)));
                }
                Find::Words { words, .. } => texts.extend(words.iter().map(|word| (word.clone(), no))),
                Find::File => {}
            }
        }
        let sieve = Sieve::new(literals.iter().map(|literal| (&literal[..], FormatSet::from_iter([Format::Other]))));
        let rare = Rare::new(rare);
        let (texts, settings) = (Words::new(texts), Words::new(settings));
        Self { forms, starts, sieve, sieve_forms, rare, texts, settings, by_name }
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
        let whole = |no: &FormNo| self.form(*no).is_some_and(|form| form.files.iter().any(|f| f.matches(file)));
        let mut forms: Vec<FormNo> = self.by_name.find(path::name(file)).filter(whole).collect();
        forms.sort_unstable();
        forms.dedup();
        forms
    }

    /// Calls `hit` with every form that may begin where `rest` does.
    pub fn starts(&self, rest: &[u8], hit: &mut impl FnMut(FormNo)) {
        self.starts.find(rest, hit);
    }

    /// Whether a value begins like one that holds a checksum.
    pub fn begins_surely(&self, value: &[u8]) -> bool {
        let proves = |no: FormNo| self.form(no).and_then(|form| form.check).is_some_and(Check::proves);
        value.first_chunk::<HEAD>().is_some_and(|head| {
            let starts = self.starts.by_head.get(&key(*head)).into_iter().flatten();
            starts
                .filter(|start| start.text.len() > HEAD && proves(start.form))
                .any(|start| value.starts_with(&start.text))
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

/// A handful of short words that are looked for in every file.
///
/// Words that can not lie over each other are looked for in one pass.
#[derive(Debug, Default)]
pub struct Rare {
    groups: Vec<RareGroup>,
}

#[derive(Debug)]
struct RareGroup {
    search: AhoCorasick,
    /// What each word means.
    hits: Vec<Vec<RareHit>>,
}

/// What a short word means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RareHit {
    /// It stands in the match of a form.
    Word(FormNo),
    /// A form begins with it, inside of a word perhaps.
    Start(FormNo),
    /// It is the sign of an address.
    Address(FormNo),
}

impl Rare {
    fn new(words: Vec<(&str, RareHit)>) -> Self {
        let mut groups: Vec<Vec<(&str, Vec<RareHit>)>> = Vec::new();
        for (word, hit) in words {
            if let Some((_, hits)) = groups.iter_mut().flatten().find(|(known, _)| *known == word) {
                hits.push(hit);
                continue;
            }
            match groups.iter_mut().find(|group| group.iter().all(|(known, _)| !clash(known, word))) {
                Some(group) => group.push((word, vec![hit])),
                None => groups.push(vec![(word, vec![hit])]),
            }
        }
        let build = |group: Vec<(&str, Vec<RareHit>)>| {
            let (words, hits): (Vec<&str>, Vec<_>) = group.into_iter().unzip();
            // The kind that its vector search takes.
            let kind = aho_corasick::MatchKind::LeftmostFirst;
            Some(RareGroup { search: AhoCorasick::builder().match_kind(kind).build(words).ok()?, hits })
        };
        Self { groups: groups.into_iter().filter_map(build).collect() }
    }

    /// Calls `hit` with meaning, offset and length of every word.
    pub fn find(&self, bytes: &[u8], mut hit: impl FnMut(RareHit, usize, usize)) {
        for RareGroup { search, hits } in &self.groups {
            for found in search.find_iter(bytes) {
                let meanings = hits.get(found.pattern().as_usize()).into_iter().flatten();
                meanings.for_each(|&meaning| hit(meaning, found.start(), found.len()));
            }
        }
    }
}

/// Whether two words can lie over each other.
fn clash(a: &str, b: &str) -> bool {
    let over = |a: &str, b: &str| (1..=a.len()).any(|from| b.as_bytes().starts_with(&a.as_bytes()[a.len() - from..]));
    a.contains(b) || b.contains(a) || over(a, b) || over(b, a)
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
    by_head: HashMap<u32, Vec<Start>>,
}

/// How one form begins.
#[derive(Debug)]
struct Start {
    text: Box<[u8]>,
    /// The first eight bytes of it as a number, and which bits of that count.
    word: u64,
    mask: u64,
    form: FormNo,
}

impl Start {
    fn new(text: &[u8], form: FormNo) -> Self {
        let mut word = [0; 8];
        text.iter().zip(&mut word).for_each(|(&byte, to)| *to = byte);
        let mask = u64::MAX >> (8 * (8 - text.len().clamp(1, 8)));
        Self { text: text.into(), word: u64::from_le_bytes(word), mask, form }
    }

    /// Whether `rest`, whose first eight bytes are `word`, begins so.
    fn fits(&self, word: u64, rest: &[u8]) -> bool {
        word & self.mask == self.word && (self.text.len() <= 8 || rest.starts_with(&self.text))
    }
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
        self.by_head.entry(key(*head)).or_default().push(Start::new(start, form));
    }

    #[inline]
    fn find(&self, rest: &[u8], hit: &mut impl FnMut(FormNo)) {
        let Some(head) = rest.first_chunk::<HEAD>() else { return };
        let head = key(*head);
        let bit = slot(head);
        if self.bitmap[bit >> 6] >> (bit & 63) & 1 == 1 {
            let word = rest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let starts = self.by_head.get(&head).into_iter().flatten();
            starts.filter(|start| start.fits(word, rest)).for_each(|start| hit(start.form));
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
