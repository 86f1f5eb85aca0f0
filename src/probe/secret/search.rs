//! Searches bytes that lie in memory, and says of every secret in them what may be said.
//!
//! Knows nothing of files but what the [`Context`] tells, and nothing of pieces: [`super::hunt`] sees to those.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    ops::Range,
    sync::OnceLock,
};

use super::{
    check::{self, Check, Value, Verdict},
    filter::{self, Filter, Place, RUN_MIN},
    name::name_before,
    needle::Met,
    rules::{Find, Form, FormNo, MATCH_MAX, Pattern, Reader, Scope, SecretRules},
};
use crate::model::{Harmless, SeenSecret, Standing};

/// Bytes before a word in which its match may begin.
///
/// A service account's key stands before the word that names it when members are sorted.
pub const BEFORE_MAX: usize = 4 << 10;

/// Bytes in front of the beginning of a form that its `lead` sees.
const LEAD_MAX: usize = 256;

/// Bytes behind `://` in which a password must end.
const ADDRESS_MAX: usize = 512;

/// Entropy below which a value that nothing else vouches for is no secret, in bits for each character.
const ENTROPY_MIN: f64 = 2.0;

/// Bytes behind a word in which its name, the sign and the beginning of the value lie.
const NAME_REST: usize = 160;

/// Bytes behind a word in which an assignment ends, name and value together.
const ASSIGNED_MAX: usize = 512;

/// Shortest value that is worth a pattern, in bytes.
const VALUE_MIN: usize = 6;

/// Length of a public beginning that nothing else has.
const MARK_MIN: usize = 3;

/// Longest part of a symbol's name on either side of a value, in bytes.
const NAME_MAX: usize = 4096;

/// Length from which on a value of low entropy is a stand-in wherever it stands; shorter ones may be poor passwords.
const PLAIN_MIN: usize = 16;

/// Bytes that patterns may read in one search: so many at least, and so many for each byte of the text. A text that
/// nearly fits everywhere must not take time without bound.
const WORK: (u64, u64) = (8 << 20, 64);

/// What is known of the bytes beside themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Whether they are no text: values may stand in them with neither quotes nor spaces around.
    pub binary: bool,
    /// Whether they may hold settings.
    pub settings: bool,
}

impl Context {
    /// The widest scope of words that such bytes are in.
    fn scope(self) -> Scope {
        match self {
            Self { settings: true, .. } => Scope::Config,
            Self { binary: false, .. } => Scope::Text,
            Self { binary: true, .. } => Scope::Any,
        }
    }
}

/// A secret, and the bytes that it takes.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is said of it; `line` is left open.
    pub seen: SeenSecret,
    /// Where the value is in what was searched.
    pub span: Range<usize>,
    knows: Knows,
}

/// How much the way a secret was found knows of it. Ordered: a name that may mean anything knows the least.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Knows {
    /// A name in a file that may hold settings, which any secret may have.
    Guess,
    /// A name that says what it is of.
    Name,
    /// A name or a place in the image's configuration.
    Place,
    /// A form that many kinds of secrets share.
    General,
    /// The words around the value.
    Words,
    /// The file.
    File,
    /// The value itself says what it is.
    Token,
}

impl Found {
    /// A value that was found by its name or its place, and that a rule without a pattern tells.
    pub fn new(rule: &str, key: &str, span: Range<usize>, value: &[u8], verdict: Verdict) -> Self {
        let seen = SeenSecret {
            rule: rule.to_string(),
            form: String::new(),
            member: None,
            line: None,
            offset: span.start as u64,
            key: key.to_string(),
            length: u32::try_from(value.len()).unwrap_or(u32::MAX),
            shown: String::new(),
            standing: verdict.standing,
            guess: true,
            harmless: verdict.harmless,
            remark: verdict.remark,
            expires: verdict.expires,
            public_key: verdict.public_key,
            echo: echo(value),
        };
        Self { seen, span, knows: Knows::Place }
    }

    /// The part of it that lies in a range, counted from there.
    pub fn within(&self, range: &Range<usize>) -> Option<Self> {
        let (start, end) = (self.span.start.max(range.start), self.span.end.min(range.end));
        (start < end).then(|| Self { span: start - range.start..end - range.start, ..self.clone() })
    }
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The secrets, by their place; no two take the same bytes.
    pub found: Vec<Found>,
    /// Whether places were left out, since too many nearly fit.
    pub gave_up: bool,
}

/// Searches `text` for the secrets that every file may hold, as far as they are met in `range`.
///
/// What is met there may reach [`BEFORE_MAX`] bytes to the left of it and [`MATCH_MAX`] to the right.
///
/// Patterns may read `work` bytes in all, and what they read is taken off.
pub fn search(rules: &SecretRules, text: &[u8], range: Range<usize>, context: Context, work: &mut u64) -> Outcome {
    let mut search = Search::new(rules, text, context, *work);
    let Range { start: from, end: to } = range;
    // A place at the end of the range is judged by what follows.
    let ahead = text.get(from..text.len().min(to.saturating_add(RUN_MIN))).unwrap_or_default();
    let before = text.get(..from).and_then(<[u8]>::last).copied();
    let needles = rules.needles(context.scope());
    let filter = Filter { starts: rules.starts.heads(), words: needles.heads() };
    filter::places(ahead, before, context.binary, filter, |place| match place {
        Place::Start(at) if from + at < to => search.token(from + at),
        Place::Start(_) => {}
        Place::Word(at) => needles.find(text, from + at, |met, word| {
            if range.contains(&word.start) {
                search.met(met, word);
            }
        }),
    });
    *work = work.saturating_sub(search.spent);
    search.end()
}

/// Reads a whole file for the forms that belong to files of its name.
pub fn read_file(rules: &SecretRules, forms: &[FormNo], text: &[u8], context: Context) -> Outcome {
    // Once for each file of a few names: such work needs no bound of its own.
    let mut search = Search::new(rules, text, context, u64::MAX);
    forms.iter().for_each(|&form| search.whole(form));
    search.end()
}

/// Lays what was found in two ways over each other: of what takes the same bytes the better one stays.
pub fn merge(mut found: Vec<Found>) -> Vec<Found> {
    // The better one first, so that of two that overlap the first stays.
    let rank = |found: &Found| {
        let told = found.knows == Knows::Token;
        (found.knows >= Knows::General, told, found.seen.standing, found.knows, found.span.len())
    };
    found.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.span.start.cmp(&b.span.start)));
    let mut kept: Vec<Found> = Vec::new();
    let mut taken = std::collections::BTreeMap::<usize, usize>::new();
    for next in found {
        let before = taken.range(..next.span.end).next_back();
        if before.is_none_or(|(_, &end)| end <= next.span.start) {
            taken.insert(next.span.start, next.span.end);
            kept.push(next);
        }
    }
    kept.sort_by_key(|found| found.span.start);
    kept
}

/// Whether what follows `://` looks like `user:password@`.
fn may_hold_password(rest: &[u8]) -> bool {
    let rest = rest.get(..ADDRESS_MAX).unwrap_or(rest);
    let ends = |&byte: &u8| byte == b'@' || byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | b'`' | b'\\');
    let Some(end) = rest.iter().position(ends) else { return false };
    rest.get(end) == Some(&b'@') && rest.get(..end).is_some_and(|user| user.contains(&b':'))
}

/// Whether a byte may stand in a token of any kind: neither space nor quote, bracket or comma.
fn is_solid(byte: &u8) -> bool {
    *byte > b' ' && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'(' | b')' | b'<' | b'>' | b'{' | b'}')
}

/// Whether a value begins with what nothing else has: the text of a form that is public, if it is no more than a syllable
/// not of letters and digits alone, as they come about in any text in base 64.
fn is_mark(form: &Form, value: &[u8]) -> bool {
    let mark = value.get(..form.show).unwrap_or_default();
    mark.len() > MARK_MIN || mark.len() == MARK_MIN && !mark.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether a value is that of a name and no more: `shop:shop@`, `shop:shop-password@`, `cacheuser:cachepass@`.
fn made_of(name: &[u8], value: &[u8]) -> bool {
    let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
    let stem = name.strip_suffix(b"user").filter(|stem| !stem.is_empty()).unwrap_or(&name);
    let says = |start: &[u8]| {
        let rest = value.strip_prefix(start).unwrap_or_default();
        let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"_")).unwrap_or(rest);
        matches!(rest, b"password" | b"passwd" | b"pass" | b"pwd" | b"pw" | b"secret")
    };
    name.len() >= 2 && (name == value || says(&name) || says(stem))
}

/// Whether a value is the next variable: `A= B=x` leaves A empty.
fn is_assignment(value: &[u8]) -> bool {
    let name =
        value.iter().take_while(|&&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_').count();
    name > 0 && value.get(name) == Some(&b'=') && value.len() > name + 2
}

/// Whether the rest of a name is followed by a sign of assignment and by what could be a value.
fn is_assigned(rest: &[u8]) -> bool {
    let rest = rest.get(..NAME_REST).unwrap_or(rest);
    let Some(sign) = rest.iter().position(|byte| matches!(byte, b'=' | b':' | b'\n')) else { return false };
    let value = rest.get(sign..).unwrap_or_default();
    let between = |byte: &&u8| matches!(byte, b'=' | b':' | b'>' | b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'(');
    let start = value.iter().take_while(between).count();
    start > 0 && value.iter().skip(start).take(VALUE_MIN).filter(|byte| is_solid(byte)).count() == VALUE_MIN
}

/// Longest escape sequence, in bytes, without what begins it.
const ESCAPE_MAX: usize = 12;

/// Length of the rest of an escape sequence whose beginning stands at the end of `before`: `n` behind a backslash, two
/// digits behind `%`, the colour of a terminal behind `ESC [`.
fn escape_len(before: &[u8], run: &[u8]) -> usize {
    let hex = |from: usize, to: usize| run.get(from..to).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    match (before.last(), run.first()) {
        (Some(b'\\'), Some(b'n' | b'r' | b't' | b'b' | b'f')) => 1,
        (Some(b'\\'), Some(b'u')) if hex(1, 5) => 5,
        (Some(b'\\'), Some(b'x')) if hex(1, 3) => 3,
        (Some(b'%'), Some(_)) if hex(0, 2) => 2,
        (Some(b'[' | b';'), Some(_)) => {
            let digits = run.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let begins = before.iter().rev().take(ESCAPE_MAX).any(|&byte| byte == 0x1b);
            if digits < ESCAPE_MAX && run.get(digits) == Some(&b'm') && begins { digits + 1 } else { 0 }
        }
        _ => 0,
    }
}

struct Search<'s> {
    rules: &'s SecretRules,
    text: &'s [u8],
    context: Context,
    found: Vec<Found>,
    /// Values that were looked at, by form and place.
    done: HashSet<(FormNo, usize)>,
    /// Bytes that patterns may read, and have read.
    work: u64,
    spent: u64,
    gave_up: bool,
}

impl<'s> Search<'s> {
    fn new(rules: &'s SecretRules, text: &'s [u8], context: Context, work: u64) -> Self {
        let work = work.min(WORK.0.saturating_add(WORK.1.saturating_mul(text.len() as u64)));
        Self { rules, text, context, found: Vec::new(), done: HashSet::new(), work, spent: 0, gave_up: false }
    }

    /// A token may begin here.
    fn token(&mut self, at: usize) {
        let (left, rest) = self.text.split_at_checked(at).unwrap_or_default();
        for start in self.rules.starts.find(rest) {
            self.start(start.form, at);
        }
        // An escape sequence ends where the token begins, and its letters are none of a word.
        if matches!(left.last(), Some(b'\\' | b'%' | b'[' | b';')) {
            let escaped = escape_len(left, rest);
            let rest = rest.get(escaped..).filter(|_| escaped > 0).unwrap_or_default();
            for start in self.rules.starts.find(rest) {
                self.start(start.form, at + escaped);
            }
        }
    }

    /// A word stands here.
    fn met(&mut self, met: Met, word: Range<usize>) {
        match met {
            Met::Start(form) => self.start(form, word.start),
            Met::Word(form) => self.word(form, word),
            Met::Address(form) if may_hold_password(self.text.get(word.end..).unwrap_or_default()) => {
                self.word(form, word);
            }
            Met::Address(_) => {}
        }
    }

    /// A form may begin here.
    fn start(&mut self, no: FormNo, at: usize) {
        let Some((form, pattern)) = self.pattern(no) else { return };
        let beside = self.byte_before(at);
        let inside = beside.is_some_and(|byte| form.edge.holds(byte));
        // Strings of a program may lie side by side; then a length before it, a checksum or a beginning that nothing
        // else has must tell the token.
        let marked = || is_mark(form, self.text.get(at..).unwrap_or_default());
        let told = || self.context.binary && (beside.is_some_and(|len| len >= 16) || marked());
        if inside && form.lead.is_none() && !form.check.is_some_and(Check::proves) && !told() {
            return;
        }
        let Some(compiled) = pattern.compiled() else { return };
        let solid = self.text.get(at..at + compiled.solid).is_some_and(|bytes| bytes.iter().all(is_solid));
        if compiled.solid > 0 && !solid {
            return;
        }
        if let Some(lead) = &form.lead
            && !lead.compiled().is_some_and(|lead| lead.regex.is_match(self.before(at)))
        {
            return;
        }
        let end = self.text.len().min(at.saturating_add(compiled.reach.saturating_add(1)));
        let Some(window) = self.text.get(at..end) else { return };
        if !self.spend(window.len()) {
            return;
        }
        let Some(captures) = compiled.regex.captures(window) else { return };
        self.take(no, form, at, b"", &captures);
    }

    /// What the lead of a form sees.
    fn before(&self, at: usize) -> &'s [u8] {
        self.text.get(at.saturating_sub(LEAD_MAX)..at).unwrap_or_default()
    }

    /// A word of a form stands here.
    fn word(&mut self, no: FormNo, word: Range<usize>) {
        let Some((form, pattern)) = self.pattern(no) else { return };
        if form.assigned && !is_assigned(self.text.get(word.end..).unwrap_or_default()) {
            return;
        }
        let Some(compiled) = pattern.compiled() else { return };
        let reach = if form.assigned { compiled.reach.min(ASSIGNED_MAX) } else { compiled.reach };
        let end = self.text.len().min(word.end.saturating_add(reach));
        if let Some(lead) = form.lead.as_ref().and_then(Pattern::compiled) {
            let Some(window) = self.text.get(word.start..end) else { return };
            if !self.spend(window.len()) {
                return;
            }
            // What fails does so at once, since it begins with the word.
            let Some(captures) = compiled.regex.captures(window) else { return };
            let Some(front) = lead.regex.captures(self.before(word.start)) else { return };
            let key = front.name("key").map_or(&b""[..], |key| key.as_bytes());
            self.take(no, form, word.start, key, &captures);
            return;
        }
        let begin = word.start.saturating_sub(form.before.min(reach));
        let mut at = begin;
        while at <= word.start {
            let Some(window) = self.text.get(at..end) else { return };
            if !self.spend(window.len()) {
                return;
            }
            let Some(captures) = compiled.regex.captures(window) else { return };
            let Some(whole) = captures.get(0) else { return };
            if at + whole.start() > word.start {
                return;
            }
            if at + whole.end() >= word.end {
                self.take(no, form, at, b"", &captures);
                return;
            }
            at += whole.end().max(1);
        }
    }

    /// Reads the whole text by a form that belongs to the file.
    fn whole(&mut self, no: FormNo) {
        let (text, rules) = (self.text, self.rules);
        let Some(form) = rules.form(no) else { return };
        match &form.reader {
            Reader::Pattern(pattern) => {
                let Some(compiled) = pattern.compiled() else { return };
                for captures in compiled.regex.captures_iter(text) {
                    self.take(no, form, 0, b"", &captures);
                }
            }
            Reader::Parser(parser) => {
                for item in parser.read(text) {
                    let verdict = match form.check {
                        Some(check) => check.look(Value::new(&item.value)),
                        None => Some(item.verdict),
                    };
                    let plain = item.value.len() >= PLAIN_MIN && check::entropy(&item.value) < ENTROPY_MIN;
                    if let Some(verdict) = verdict.filter(|_| !plain) {
                        self.add(no, form, item.span, &item.value, item.key, verdict);
                    }
                }
            }
        }
    }

    fn pattern(&self, no: FormNo) -> Option<(&'s Form, &'s Pattern)> {
        let form = self.rules.form(no)?;
        match &form.reader {
            Reader::Pattern(pattern) => Some((form, pattern)),
            Reader::Parser(_) => None,
        }
    }

    /// Whether patterns may read so many more bytes.
    fn spend(&mut self, bytes: usize) -> bool {
        self.spent = self.spent.saturating_add(bytes as u64);
        self.gave_up |= self.spent > self.work;
        !self.gave_up
    }

    /// Judges the value of a match in a window that begins at `base`; its key may have begun with `front` before that.
    fn take(&mut self, no: FormNo, form: &Form, base: usize, front: &[u8], captures: &regex::bytes::Captures<'_>) {
        let value = captures.name("secret").or_else(|| captures.get(1)).or_else(|| captures.get(0));
        let Some(value) = value.filter(|value| !value.as_bytes().is_empty()) else { return };
        let span = base + value.start()..base + value.end();
        if !self.done.insert((no, span.start)) {
            return;
        }
        let Some(span) = self.within_edges(form, span) else { return };
        let bytes = self.text.get(span.clone()).unwrap_or_default();
        // What begins like a token with a checksum and is none is a broken one, and no guess makes more of it.
        if form.is_guess() && (self.rules.begins_surely(bytes) || is_assignment(bytes)) {
            return;
        }
        let entropy = form.min_entropy.or((form.check.is_none()).then_some(ENTROPY_MIN));
        if entropy.is_some_and(|least| check::entropy(bytes) < least) {
            return;
        }
        let verdict = match form.check {
            Some(check) => check.look(Value::new(bytes)),
            // What its prefix says is no part of the test: `sk_test_` is no placeholder.
            None if form.lead.is_none() && check::placeholder(bytes.get(form.show..).unwrap_or_default()) => None,
            None => Some(Verdict::new(Standing::Pattern)),
        };
        let Some(verdict) = verdict else { return };
        let key = match captures.name("key") {
            Some(key) => String::from_utf8_lossy(&[front, key.as_bytes()].concat()).into_owned(),
            None => name_before(self.text, span.start).unwrap_or_default(),
        };
        let verdict = match made_of(key.as_bytes(), bytes) {
            true if verdict.standing <= Standing::Pattern && verdict.harmless.is_none() => Verdict {
                harmless: Some(Harmless::LocalDefault),
                remark: "made of the name before it".to_string(),
                ..verdict
            },
            _ => verdict,
        };
        let bytes = bytes.to_vec();
        self.add(no, form, span, &bytes, key, verdict);
    }

    /// The byte before a place; none where that is the end of an escape sequence.
    fn byte_before(&self, at: usize) -> Option<u8> {
        let before = self.text.get(at.saturating_sub(ESCAPE_MAX)..at)?;
        let ends = (1..before.len()).any(|len| {
            let (rest, escape) = before.split_at(before.len() - len);
            escape_len(rest, escape) == len
        });
        before.last().copied().filter(|_| !ends)
    }

    /// The value where nothing of its kind stands beside it. In binary files strings may lie side by side: there the
    /// length in front of it, a checksum, or a beginning that nothing else has will do.
    fn within_edges(&self, form: &Form, span: Range<usize>) -> Option<Range<usize>> {
        // What leads up to a value was seen by its own pattern.
        let left = self.byte_before(span.start).filter(|_| form.lead.is_none());
        let right = self.text.get(span.end).copied();
        let holds = |byte: Option<u8>| byte.is_some_and(|byte| form.edge.holds(byte));
        if !holds(left) && !holds(right) {
            return Some(span);
        }
        let told = || left.map(usize::from) == Some(span.len());
        let proved = || {
            form.check.is_some_and(Check::proves) && {
                let value = self.text.get(span.clone()).unwrap_or_default();
                form.check
                    .and_then(|check| check.look(Value::new(value)))
                    .is_some_and(|v| v.standing == Standing::Validated)
            }
        };
        let marked = || {
            let value = self.text.get(span.clone()).unwrap_or_default();
            form.lead.is_none() && is_mark(form, value) && !self.is_in_name(&span)
        };
        (proved() || self.context.binary && (told() || marked())).then_some(span)
    }

    /// Whether a string that ends with a zero, as the names of a symbol table do, is one name with these bytes in it: no
    /// other string lies beside them there.
    fn is_in_name(&self, span: &Range<usize>) -> bool {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.');
        let (left, right) = (self.text.get(..span.start), self.text.get(span.end..));
        let before = left.unwrap_or_default().iter().rev().take(NAME_MAX).find(|byte| !is_part(byte));
        let behind = right.unwrap_or_default().iter().take(NAME_MAX).find(|byte| !is_part(byte));
        (before, behind) == (Some(&0), Some(&0))
    }

    fn add(&mut self, no: FormNo, form: &Form, span: Range<usize>, value: &[u8], key: String, verdict: Verdict) {
        let shown = value.get(..form.show.min(value.len() / 2)).unwrap_or_default();
        self.done.insert((no, span.start));
        let mut found = Found::new(&form.rule, &key, span, value, verdict);
        found.seen.guess = form.is_guess();
        found.knows = match &form.find {
            _ if form.is_guess() && form.general => Knows::Guess,
            _ if form.is_guess() => Knows::Name,
            _ if form.general => Knows::General,
            Find::Start(_) => Knows::Token,
            _ if !form.files.is_empty() => Knows::File,
            _ => Knows::Words,
        };
        found.seen.form.clone_from(&form.name);
        found.seen.shown = String::from_utf8_lossy(shown).into_owned();
        found.seen.harmless = form.harmless.or(found.seen.harmless);
        self.found.push(found);
    }

    fn end(self) -> Outcome {
        Outcome { found: merge(self.found), gave_up: self.gave_up }
    }
}

/// A number that equal values share for as long as the program runs, and that tells nothing of them.
fn echo(value: &[u8]) -> u64 {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    KEY.get_or_init(RandomState::new).hash_one(value)
}

const _: () = assert!(BEFORE_MAX + MATCH_MAX < 64 << 10, "what is carried from piece to piece is small");
