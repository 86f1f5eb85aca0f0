//! Expands variables in words: `$X`, `${X}`, `${X:-a}`, `${X:+a}`, `${X:?a}`, `${X#a}`, `${X%a}`, `${X/a/b}`, quotes,
//! escapes.
//!
//! What is not known stays a gap in the result, so that a word can still be compared with what a builder wrote.
//! Semantics: BuildKit's `frontend/dockerfile/shell/lex.go`.

use std::{iter::Peekable, str::CharIndices};

use super::pattern;

/// Deepest nesting of `${...}`.
const DEPTH_MAX: usize = 32;

/// Most bytes that variables may add to a word: `ENV A=$A$A` doubles with each line.
const ADDED_MAX: usize = 64 * 1024;

/// What is known of a variable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Var {
    /// Its value, which may have gaps.
    Set(Expanded),
    /// It is surely not set.
    Unset,
    /// It may be set or not.
    Unknown,
}

/// A text with gaps where something is not known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expanded {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Gap,
}

impl Expanded {
    /// A text without gaps.
    pub fn text(text: impl Into<String>) -> Self {
        let mut made = Self::default();
        made.push_str(&text.into());
        made
    }

    /// Nothing known at all.
    pub fn gap() -> Self {
        Self { parts: vec![Part::Gap] }
    }

    /// The text, if it has no gaps.
    pub fn known(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether a text is this one with something, or nothing, in the gaps.
    pub fn matches(&self, text: &str) -> bool {
        let Some(known) = self.known() else { return self.matches_with_gaps(text) };
        known == text
    }

    fn matches_with_gaps(&self, text: &str) -> bool {
        let mut rest = text;
        let mut after_gap = false;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Gap => after_gap = true,
                Part::Text(part) => {
                    let found = match (after_gap, parts.peek().is_none()) {
                        (false, _) => rest.strip_prefix(part.as_str()),
                        (true, true) => rest.strip_suffix(part.as_str()).map(|_| ""),
                        (true, false) => rest.split_once(part.as_str()).map(|(_, behind)| behind),
                    };
                    let Some(behind) = found else { return false };
                    (rest, after_gap) = (behind, false);
                }
            }
        }
        after_gap || rest.is_empty()
    }

    /// Appends a text.
    pub fn push_str(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_string())),
        }
    }

    /// Appends a text with gaps.
    pub fn append(&mut self, other: &Self) {
        for part in &other.parts {
            match part {
                Part::Text(text) => self.push_str(text),
                Part::Gap => self.push_gap(),
            }
        }
    }

    fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    fn push_gap(&mut self) {
        if self.parts.last() != Some(&Part::Gap) {
            self.parts.push(Part::Gap);
        }
    }

    /// Its words, split at white space; a gap is taken to have no white space in it.
    pub fn words(&self) -> Vec<Self> {
        let mut words = vec![Self::default()];
        for part in &self.parts {
            let Part::Text(text) = part else {
                words.last_mut().into_iter().for_each(Self::push_gap);
                continue;
            };
            for (number, piece) in text.split(char::is_whitespace).enumerate() {
                if number > 0 {
                    words.push(Self::default());
                }
                words.last_mut().into_iter().for_each(|word| word.push_str(piece));
            }
        }
        words.retain(|word| *word != Self::default());
        words
    }

    /// The same with every run of white space made one blank, and none at either end.
    pub fn squeezed(&self) -> Self {
        let mut made = Self::default();
        let count = self.parts.len();
        for (number, part) in self.parts.iter().enumerate() {
            let Part::Text(text) = part else {
                made.push_gap();
                continue;
            };
            let words: Vec<&str> = text.split_whitespace().collect();
            let blank = |is_there: bool| if is_there { " " } else { "" };
            made.push_str(blank(number > 0 && text.starts_with(char::is_whitespace)));
            made.push_str(&words.join(" "));
            let is_last = number + 1 == count;
            made.push_str(blank(!is_last && !words.is_empty() && text.ends_with(char::is_whitespace)));
        }
        made
    }

    /// Bytes of text in it.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum()
    }

    /// Whether it surely has text in it.
    fn has_text(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Text(text) if !text.is_empty()))
    }
}

/// How a word is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) escape: char,
    /// Quotes stay in the result.
    pub(super) keeps_quotes: bool,
    /// Escapes stay in the result.
    pub(super) keeps_escapes: bool,
    /// Variables that are not set stay as they are.
    pub(super) keeps_unset: bool,
}

impl Style {
    /// The way of arguments in instructions.
    pub(super) fn plain(escape: char) -> Self {
        Self { escape, keeps_quotes: false, keeps_escapes: false, keeps_unset: false }
    }
}

/// Expands a word.
///
/// # Errors
/// What is wrong with it, as BuildKit would say: a quote or brace without its partner, a modifier that there is none of.
pub(super) fn expand(word: &str, style: Style, look_up: &dyn Fn(&str) -> Var) -> Result<Expanded, String> {
    Ok(Lexer::new(word, style, look_up).until(None, style.keeps_escapes, 0)?.0)
}

/// A word of a line, with its offset.
pub(super) type PlacedWord = (usize, String);

/// Splits a line at white space outside of quotes.
///
/// # Errors
/// As [`expand`].
pub(super) fn split(line: &str, style: Style, look_up: &dyn Fn(&str) -> Var) -> Result<Vec<PlacedWord>, String> {
    let mut lexer = Lexer::new(line, style, look_up);
    lexer.splits = true;
    let words = lexer.until(None, style.keeps_escapes, 0)?.1;
    Ok(words.into_iter().map(|(at, word)| (at, word.known().unwrap_or_default().to_string())).collect())
}

struct Lexer<'a> {
    chars: Peekable<CharIndices<'a>>,
    style: Style,
    look_up: &'a dyn Fn(&str) -> Var,
    added: usize,
    /// Whether words are collected.
    splits: bool,
}

/// Words that are being collected.
#[derive(Default)]
struct Words {
    are_wanted: bool,
    done: Vec<(usize, Expanded)>,
    word: Expanded,
    start: usize,
}

impl Words {
    fn end(&mut self) {
        if self.word != Expanded::default() {
            self.done.push((self.start, std::mem::take(&mut self.word)));
        }
    }

    fn raw(&mut self, at: usize, text: &Expanded) {
        if !self.are_wanted {
            return;
        }
        if self.word == Expanded::default() {
            self.start = at;
        }
        self.word.append(text);
    }

    fn char(&mut self, at: usize, c: char, is_escaped: bool) {
        if !self.are_wanted {
            return;
        }
        if c.is_whitespace() && !is_escaped {
            return self.end();
        }
        if self.word == Expanded::default() {
            self.start = at;
        }
        self.word.push(c);
    }

    /// What a variable gives is split, too.
    fn split(&mut self, at: usize, text: &Expanded) {
        if !self.are_wanted {
            return;
        }
        for part in &text.parts {
            match part {
                Part::Text(text) => text.chars().for_each(|c| self.char(at, c, false)),
                Part::Gap => self.raw(at, &Expanded::gap()),
            }
        }
    }
}

type Read = Result<Expanded, String>;

impl<'a> Lexer<'a> {
    fn new(text: &'a str, style: Style, look_up: &'a dyn Fn(&str) -> Var) -> Self {
        Self { chars: text.char_indices().peekable(), style, look_up, added: 0, splits: false }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|&(_, c)| c)
    }

    fn next(&mut self) -> Option<char> {
        self.chars.next().map(|(_, c)| c)
    }

    /// Reads up to a character, which is taken away, or to the end.
    fn until(
        &mut self,
        stop: Option<char>,
        keeps_escapes: bool,
        depth: usize,
    ) -> Result<(Expanded, Vec<(usize, Expanded)>), String> {
        if depth > DEPTH_MAX {
            return Err("substitutions are nested too deep".to_string());
        }
        let (mut result, mut words) = (Expanded::default(), Words { are_wanted: self.splits, ..Words::default() });
        while let Some(&(at, c)) = self.chars.peek() {
            if stop == Some(c) {
                self.next();
                words.end();
                return Ok((result, words.done));
            }
            match c {
                '$' => {
                    let value = self.dollar(depth)?;
                    result.append(&value);
                    words.split(at, &value);
                }
                '\'' | '"' | '<' => {
                    let text = match c {
                        '\'' => self.single_quoted()?,
                        '"' => self.double_quoted(keeps_escapes, depth)?,
                        _ => Expanded::text(self.heredoc_mark()),
                    };
                    result.append(&text);
                    words.raw(at, &text);
                }
                _ => {
                    self.next();
                    if c != self.style.escape {
                        result.push(c);
                        words.char(at, c, false);
                        continue;
                    }
                    if keeps_escapes {
                        result.push(c);
                        words.char(at, c, true);
                    }
                    let Some(c) = self.next() else { break };
                    result.push(c);
                    words.char(at, c, true);
                }
            }
        }
        if let Some(stop) = stop {
            return Err(format!("\"{stop}\" is missing"));
        }
        words.end();
        Ok((result, words.done))
    }

    fn single_quoted(&mut self) -> Read {
        let quote = if self.style.keeps_quotes { "'" } else { "" };
        let mut text = quote.to_string();
        self.next();
        loop {
            match self.next() {
                None => return Err("a single quote does not end".to_string()),
                Some('\'') => return Ok(Expanded::text(text + quote)),
                Some(c) => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self, keeps_escapes: bool, depth: usize) -> Read {
        let mut text = Expanded::default();
        let quote = if self.style.keeps_quotes { "\"" } else { "" };
        self.next();
        text.push_str(quote);
        loop {
            match self.peek() {
                None => return Err("a double quote does not end".to_string()),
                Some('"') => {
                    self.next();
                    text.push_str(quote);
                    return Ok(text);
                }
                Some('$') => text.append(&self.dollar(depth)?),
                Some(c) => {
                    self.next();
                    if c != self.style.escape {
                        text.push(c);
                        continue;
                    }
                    if keeps_escapes {
                        text.push(c);
                    }
                    match self.peek() {
                        // The quote is missing: said in the next round.
                        None => {}
                        Some(next) if matches!(next, '"' | '$') || next == self.style.escape => {
                            self.next();
                            text.push(next);
                        }
                        Some(_) => text.push(c),
                    }
                }
            }
        }
    }

    /// `<`, or `<<` with the blanks behind it, which belong to the mark.
    fn heredoc_mark(&mut self) -> String {
        let mut text = String::new();
        text.extend(self.next());
        if self.peek() == Some('<') {
            text.extend(self.next());
            while let Some(c) = self.peek().filter(|c| matches!(c, '\t' | '\r' | ' ')) {
                self.next();
                text.push(c);
            }
        }
        text
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if name.is_empty() && c.is_numeric() {
                while let Some(digit) = self.peek().filter(|c| c.is_numeric()) {
                    self.next();
                    name.push(digit);
                }
                return name;
            }
            if name.is_empty() && matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
                self.next();
                return c.to_string();
            }
            if !c.is_alphanumeric() && c != '_' {
                break;
            }
            self.next();
            name.push(c);
        }
        name
    }

    /// The value of a variable, with what it adds counted.
    fn value(&mut self, name: &str) -> Result<Var, String> {
        let value = (self.look_up)(name);
        if let Var::Set(value) = &value {
            self.added = self.added.saturating_add(value.bytes());
            if self.added > ADDED_MAX {
                return Err("the variables in it make it too long".to_string());
            }
        }
        Ok(value)
    }

    fn dollar(&mut self, depth: usize) -> Read {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(Expanded::text("$"));
            }
            return Ok(match self.value(&name)? {
                Var::Set(value) => value,
                Var::Unset if self.style.keeps_unset => Expanded::text(format!("${name}")),
                Var::Unset => Expanded::default(),
                Var::Unknown => Expanded::gap(),
            });
        }
        self.next();
        match self.peek() {
            None => return Err("\"}\" is missing".to_string()),
            Some('{' | '}' | ':') => return Err("bad substitution".to_string()),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => Ok(match self.value(&name)? {
                Var::Set(value) => value,
                Var::Unset if self.style.keeps_unset => Expanded::text(format!("${{{name}}}")),
                Var::Unset => Expanded::default(),
                Var::Unknown => Expanded::gap(),
            }),
            Some(':') => match self.next() {
                Some(modifier @ ('+' | '-' | '?')) => self.choice(&name, modifier, true, depth),
                _ => Err("there is no such modifier in a substitution".to_string()),
            },
            Some(modifier @ ('+' | '-' | '?')) => self.choice(&name, modifier, false, depth),
            Some(side @ ('#' | '%')) => self.trim(&name, side, depth),
            Some('/') => self.replace(&name, depth),
            _ => Err("there is no such modifier in a substitution".to_string()),
        }
    }

    /// `${X-a}`, `${X+a}`, `${X?a}`; with a colon an empty value counts as none.
    fn choice(&mut self, name: &str, modifier: char, empty_is_unset: bool, depth: usize) -> Read {
        let word = self.until(Some('}'), false, depth + 1)?.0;
        let value = self.value(name)?;
        if value == Var::Unset && self.style.keeps_unset {
            let colon = if empty_is_unset { ":" } else { "" };
            let mut text = Expanded::text(format!("${{{name}{colon}{modifier}"));
            text.append(&word);
            text.push_str("}");
            return Ok(text);
        }
        let is_set = match &value {
            Var::Unknown => None,
            Var::Unset => Some(false),
            Var::Set(_) if !empty_is_unset => Some(true),
            Var::Set(value) if value.has_text() => Some(true),
            Var::Set(value) => value.known().map(|value| !value.is_empty()),
        };
        let value = || if let Var::Set(value) = &value { value.clone() } else { Expanded::default() };
        match (modifier, is_set) {
            (_, None) => Ok(Expanded::gap()),
            ('-', Some(true)) | ('?', Some(true)) => Ok(value()),
            ('-', Some(false)) | ('+', Some(true)) => Ok(word),
            ('+', Some(false)) => Ok(Expanded::default()),
            _ => Err(format!("{name} has to be set")),
        }
    }

    /// `${X#a}`, `${X##a}`, `${X%a}`, `${X%%a}`.
    fn trim(&mut self, name: &str, side: char, depth: usize) -> Read {
        let word = self.until(Some('}'), true, depth + 1)?.0;
        let value = match self.value(name)? {
            Var::Unset if self.style.keeps_unset => {
                let mut text = Expanded::text(format!("${{{name}{side}"));
                text.append(&word);
                text.push_str("}");
                return Ok(text);
            }
            Var::Unset => Expanded::default(),
            Var::Unknown => Expanded::gap(),
            Var::Set(value) => value,
        };
        let (Some(word), Some(value)) = (word.known(), value.known()) else { return Ok(Expanded::gap()) };
        let (word, longest) = word.strip_prefix(side).map_or((word, false), |word| (word, true));
        let trimmed = match side {
            '#' => pattern::trim_prefix(value, word, longest),
            _ => pattern::trim_suffix(value, word, longest),
        };
        trimmed.map(Expanded::text)
    }

    /// `${X/a/b}`, `${X//a/b}`.
    fn replace(&mut self, name: &str, depth: usize) -> Read {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let what = self.until(Some('/'), true, depth + 1)?.0;
        let with = self.until(Some('}'), true, depth + 1)?.0;
        let value = match self.value(name)? {
            Var::Unset if self.style.keeps_unset => {
                let mut text = Expanded::text(format!("${{{name}/"));
                text.append(&what);
                text.push_str("/");
                text.append(&with);
                text.push_str("}");
                return Ok(text);
            }
            Var::Unset => Expanded::default(),
            Var::Unknown => Expanded::gap(),
            Var::Set(value) => value,
        };
        let (Some(what), Some(with), Some(value)) = (what.known(), with.known(), value.known()) else {
            return Ok(Expanded::gap());
        };
        let most = value.len().saturating_add(1).saturating_mul(with.len().max(1));
        if most > 16 * ADDED_MAX {
            return Err("the replacement makes it too long".to_string());
        }
        pattern::replace(value, what, with, all).map(Expanded::text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(name: &str) -> Var {
        match name {
            "X" => Var::Set(Expanded::text("a/b/c.tar.gz")),
            "E" => Var::Set(Expanded::default()),
            "S" => Var::Set(Expanded::text("one two")),
            "U" => Var::Unknown,
            "P" => Var::Set({
                let mut path = Expanded::text("/opt:");
                path.append(&Expanded::gap());
                path
            }),
            _ => Var::Unset,
        }
    }

    fn read(word: &str) -> Result<String, String> {
        let expanded = expand(word, Style::plain('\\'), &vars)?;
        Ok(expanded.parts.iter().map(|part| if let Part::Text(text) = part { text } else { "?" }).collect())
    }

    #[test]
    fn words_are_expanded_as_buildkit_does() {
        let table = [
            ("$X", "a/b/c.tar.gz"),
            ("${X}x", "a/b/c.tar.gzx"),
            ("$Xx", ""),
            ("$", "$"),
            ("a$/b", "a$/b"),
            ("$1a", "a"),
            ("\\$X", "$X"),
            ("'$X'", "$X"),
            ("\"$E$S\\\"\\n\"", "one two\"\\n"),
            ("${N:-d}", "d"),
            ("${N-d}", "d"),
            ("${E:-d}", "d"),
            ("${E-d}", ""),
            ("${X:-d}", "a/b/c.tar.gz"),
            ("${N:-${S}!}", "one two!"),
            ("${X:+d}", "d"),
            ("${E:+d}", ""),
            ("${E+d}", "d"),
            ("${N+d}", ""),
            ("${X?no}", "a/b/c.tar.gz"),
            ("${X#*/}", "b/c.tar.gz"),
            ("${X##*/}", "c.tar.gz"),
            ("${X%.*}", "a/b/c.tar"),
            ("${X%%.*}", "a/b/c"),
            ("${X%.t?r.gz}", "a/b/c"),
            ("${X/b/-}", "a/-/c.tar.gz"),
            ("${X//\\//-}", "a-b-c.tar.gz"),
            ("${N#x}", ""),
            ("\u{e9}${X%/*}\u{e9}", "\u{e9}a/b\u{e9}"),
            ("a\\", "a"),
            ("x<<y", "x<<y"),
        ];
        for (word, told) in table {
            assert_eq!(read(word).as_deref(), Ok(told), "{word}");
        }
        for wrong in
            ["'a", "\"a", "${X", "${", "${}", "${:x}", "${X:#a}", "${X!}", "${N?gone}", "${E:?empty}", "${X/a}"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_known_stays_a_gap() {
        assert_eq!(read("a$U/b").as_deref(), Ok("a?/b"));
        assert_eq!(read("${U:-x}").as_deref(), Ok("?"));
        assert_eq!(read("${U%x}$P").as_deref(), Ok("?/opt:?"));
        assert_eq!(read("${P:+x}").as_deref(), Ok("x"));
        let word = expand("PATH=$P:/bin", Style::plain('\\'), &vars).unwrap();
        assert!(word.matches("PATH=/opt:/sbin:/bin"));
        assert!(word.matches("PATH=/opt::/bin"));
        assert!(!word.matches("PATH=/opt:/sbin:/bin:/x"));
        assert!(!word.matches("PATH=/op:/sbin:/bin"));
        assert!(!Expanded::text("ab").matches("abc"));
        assert!(Expanded::gap().matches(""));
    }

    #[test]
    fn neither_nesting_nor_doubling_is_without_end() {
        let deep = "${N:-".repeat(100_000) + &"}".repeat(100_000);
        assert!(read(&deep).is_err());
        let big = |_: &str| Var::Set(Expanded::text("x".repeat(1000)));
        assert!(expand(&"$X".repeat(1000), Style::plain('\\'), &big).is_err());
    }

    #[test]
    fn lines_are_split_outside_of_quotes() {
        let style = Style { keeps_quotes: true, keeps_escapes: true, keeps_unset: true, escape: '\\' };
        let words = split(r#"RUN  cat <<"E F" 3<< X '' a\ b "${Q:-x y}""#, style, &|_| Var::Unset).unwrap();
        let told: Vec<(usize, &str)> = words.iter().map(|(at, word)| (*at, word.as_str())).collect();
        let expected =
            [(0, "RUN"), (5, "cat"), (9, "<<\"E F\""), (17, "3<< X"), (23, "''"), (26, "a\\ b"), (31, "\"${Q:-x y}\"")];
        assert_eq!(told, expected);
    }

    #[test]
    #[ignore = "holds words against BuildKit's own table (frontend/dockerfile/shell/envVarTest), named in WORDS"]
    fn words_are_those_of_buildkits_table() {
        let vars = |name: &str| match name {
            "PWD" => Var::Set(Expanded::text("/home")),
            "SHELL" => Var::Set(Expanded::text("bash")),
            "KOREAN" => Var::Set(Expanded::text("\u{d55c}\u{ad6d}\u{c5b4}")),
            "NULL" => Var::Set(Expanded::default()),
            _ => Var::Unset,
        };
        let table = std::fs::read_to_string(std::env::var("WORDS").unwrap()).unwrap();
        let (mut count, mut wrong) = (0, Vec::new());
        for line in table.lines().filter(|line| line.starts_with(['A', 'U'])) {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let told = expand(parts[1], Style::plain('\\'), &vars);
            let told = told.as_ref().map_or("error", |word| word.known().unwrap());
            count += 1;
            if told != parts[2] {
                wrong.push(format!("{}: {told}, not {}", parts[1], parts[2]));
            }
        }
        assert!(wrong.is_empty() && count > 100, "{count} words, wrong: {wrong:#?}");
    }
}
