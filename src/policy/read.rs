//! Reads TOML by hand, so that every fault is told with its line, its key, what was expected and what was perhaps meant.
//!
//! Knows tables and values; what they mean is for [`super::document`].

use std::cell::RefCell;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use crate::model::path;

/// Most faults that are told of one file.
const FAULTS_MAX: usize = 20;

/// The text of one file, and what is wrong with it.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Where each line but the first begins.
    lines: Vec<usize>,
    faults: RefCell<Vec<(usize, String)>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: lines.collect(), faults: RefCell::default() }
    }

    /// Hands the whole document to `read`; faults are told by their line, the first line first.
    pub(super) fn read<T>(&self, read: impl FnOnce(Table<'_>) -> T) -> Result<T, Vec<(usize, String)>> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(1, |span| self.line(span.start));
            vec![(line, format!("it is no TOML: {}", error.message().trim().replace('\n', ", ")))]
        })?;
        let value = read(Table { source: self, key: String::new(), line: 1, table: document.get_ref() });
        let mut faults = self.faults.take();
        faults.sort();
        faults.truncate(FAULTS_MAX);
        if faults.is_empty() { Ok(value) } else { Err(faults) }
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|&begin| begin <= at) + 1
    }

    fn fault(&self, line: usize, text: String) {
        // The file may come with a change that nobody has looked at: its words must do no harm in a log.
        self.faults.borrow_mut().push((line, printable(&text)));
    }
}

/// A table, and the key that leads to it.
#[derive(Clone)]
pub(super) struct Table<'a> {
    source: &'a Source<'a>,
    key: String,
    pub(super) line: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Tells every key that is none of these.
    pub(super) fn only(&self, known: &[&str]) {
        for (key, _) in self.table {
            let word = key.get_ref().as_ref();
            if !known.contains(&word) {
                let place = if self.key.is_empty() { "the file".to_string() } else { format!("`{}`", self.key) };
                let meant = nearest(word, known).map_or_else(String::new, |near| format!(" did you mean `{near}`?"));
                let line = self.source.line(key.span().start);
                let takes = list(known);
                self.source.fault(line, format!("unknown key `{}`;{meant} {place} takes {takes}", shown(word)));
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(self.value(name, value))
    }

    /// Every key with its value, in the order of the alphabet.
    pub(super) fn each(&self) -> impl Iterator<Item = (String, Value<'a>)> + '_ {
        self.table.iter().map(|(name, value)| (name.get_ref().to_string(), self.value(name, value)))
    }

    /// Tells what is wrong with the table as a whole.
    pub(super) fn fault(&self, text: String) {
        self.source.fault(self.line, text);
    }

    fn value(&self, name: &Spanned<DeString<'_>>, value: &'a Spanned<DeValue<'a>>) -> Value<'a> {
        let word = shown(name.get_ref());
        let key = if self.key.is_empty() { word } else { format!("{}.{word}", self.key) };
        Value { source: self.source, key, line: self.source.line(name.span().start), value: value.get_ref() }
    }
}

/// A value, and the key that leads to it.
pub(super) struct Value<'a> {
    source: &'a Source<'a>,
    key: String,
    pub(super) line: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    pub(super) fn text(&self, wants: &str) -> Option<&'a str> {
        match self.value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text),
            Some(_) => self.wrong(wants, "an empty text"),
            None => self.wrong_kind(wants),
        }
    }

    /// A text that `read` makes something of.
    pub(super) fn parsed<T>(&self, wants: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(wants)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.fault(&format!("can not be \"{}\": {why}", shown(text)));
                None
            }
        }
    }

    /// A date, as TOML writes it or as a text.
    pub(super) fn date(&self, wants: &str) -> Option<String> {
        match self.value {
            DeValue::Datetime(date) => Some(date.to_string()),
            DeValue::String(text) => Some(text.to_string()),
            _ => self.wrong_kind(wants),
        }
    }

    /// A text or a whole number, as a text.
    pub(super) fn number(&self, wants: &str) -> Option<String> {
        match self.value {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
            DeValue::String(text) => Some(text.to_string()),
            _ => self.wrong_kind(wants),
        }
    }

    pub(super) fn table(&self, wants: &str) -> Option<Table<'a>> {
        match self.value.as_table() {
            Some(table) => Some(Table { source: self.source, key: self.key.clone(), line: self.line, table }),
            None => self.wrong_kind(wants),
        }
    }

    /// The tables of `[[key]]`.
    pub(super) fn tables(&self) -> Vec<Table<'a>> {
        let wants = format!("tables, each under [[{}]]", self.key);
        let Some(array) = self.value.as_array() else {
            self.wrong_kind::<()>(&wants);
            return Vec::new();
        };
        let table = |item: &'a Spanned<DeValue<'a>>| match item.get_ref().as_table() {
            Some(table) => {
                let line = self.source.line(item.span().start);
                Some(Table { source: self.source, key: self.key.clone(), line, table })
            }
            None => self.wrong_kind(&wants),
        };
        array.iter().filter_map(table).collect()
    }

    /// A text, or several in a list.
    pub(super) fn texts(&self, wants: &str) -> Vec<Value<'a>> {
        let one = |value: &'a DeValue<'a>, line| Value { source: self.source, key: self.key.clone(), line, value };
        match self.value.as_array() {
            Some(array) if array.is_empty() => {
                self.fault(&format!("wants {wants}, not an empty list"));
                Vec::new()
            }
            Some(array) => array.iter().map(|item| one(item.get_ref(), self.source.line(item.span().start))).collect(),
            None => vec![one(self.value, self.line)],
        }
    }

    /// Tells what is wrong with the value; the key goes in front.
    pub(super) fn fault(&self, text: &str) {
        self.source.fault(self.line, format!("`{}` {text}", self.key));
    }

    fn wrong_kind<T>(&self, wants: &str) -> Option<T> {
        let kind = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(wants, kind)
    }

    fn wrong<T>(&self, wants: &str, is: &str) -> Option<T> {
        self.fault(&format!("wants {wants}, not {is}"));
        None
    }
}

/// The known word that is a slip of the pen away.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), known);
    let (slips, near) = known.iter().map(|known| (distance(known), *known)).min()?;
    // Of a rule, the name behind the family: `build-tool/` is long and says little.
    let name = near.rsplit('/').next().unwrap_or(near);
    (slips <= (name.len() / 3).max(1)).then_some(near)
}

/// Words of a file in a message: on one line, and not at any length.
fn shown(text: &str) -> String {
    printable(text).chars().take(80).collect()
}

fn printable(text: &str) -> String {
    path::escape(text.as_bytes()).replace("\\\\", "\\")
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let known = ["severity", "rules", "bytes", "growth", "build-tool/gcc"];
        for (word, want) in [
            ("severty", Some("severity")),
            ("Severity", Some("severity")),
            ("rule", Some("rules")),
            ("byets", Some("bytes")),
            ("fail-on", None),
            ("x", None),
            ("build-tool/gccc", Some("build-tool/gcc")),
            ("buildtool/gcc", Some("build-tool/gcc")),
            ("build-tool/icc2", None),
        ] {
            assert_eq!(nearest(word, &known), want, "{word}");
        }
    }

    #[test]
    fn faults_come_by_line_and_with_their_key() {
        let text = "a = 1\n[b]\nc = [1]\nd = \"\"\nn = 0x10\n\"x\\n\" = 1\n";
        let source = Source::new(text);
        let faults = source.read(|table| {
            table.only(&["a", "b"]);
            table.get("a").map(|a| a.text("a word"));
            let b = table.get("b").and_then(|b| b.table("a table")).expect("it is one");
            b.only(&["c", "d", "n"]);
            b.get("c").map(|c| c.text("a word"));
            b.get("d").map(|d| d.text("a word"));
            b.get("n").map(|n| n.number("a size"));
        });
        let faults = faults.expect_err("there are some");
        let want = [
            (1, "`a` wants a word, not a number"),
            (3, "`b.c` wants a word, not a list"),
            (4, "`b.d` wants a word, not an empty text"),
            (5, "`b.n` wants a size, not a number"),
            (6, "unknown key `x\\x0a`; `b` takes `c`, `d` and `n`"),
        ];
        let faults: Vec<(usize, &str)> = faults.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(faults[..4], want[..4]);
        assert_eq!(faults[4].0, 6);
        assert!(faults[4].1.starts_with("unknown key `x\\x0a`"), "{}", faults[4].1);
        let faults = Source::new("a = \n").read(|_| ()).expect_err("no TOML");
        assert!(faults[0].0 == 1 && faults[0].1.starts_with("it is no TOML: "), "{faults:?}");
    }
}
