//! What loose files look like: patterns for their names, and the texts that a probe found in them.
//!
//! Knows names and texts; nothing about rules.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Texts of the catalogue that a file holds, of those that are looked for under its name. Never empty.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Texts in its first 512 bytes, sorted.
    pub head: Vec<String>,
    /// Texts anywhere in it, sorted.
    pub body: Vec<String>,
}

/// What is looked for in files of certain names.
#[derive(Clone, Debug)]
pub struct ShapeWant {
    /// The names.
    pub names: Vec<NamePattern>,
    /// Texts in the first 512 bytes.
    pub head: Vec<String>,
    /// Texts anywhere; 10 to 256 bytes each.
    pub body: Vec<String>,
}

/// Matches a sequence with wild cards in time of the product of both lengths: where it goes wrong, the last wild card
/// takes one element more. To go back to that one is enough: what an earlier one could take, it can take as well.
pub fn wild<P, T>(pattern: &[P], text: &[T], is_wild: impl Fn(&P) -> bool, same: impl Fn(&P, &T) -> bool) -> bool {
    let (mut p, mut t) = (0_usize, 0_usize);
    let mut last: Option<(usize, usize)> = None;
    while let Some(element) = text.get(t) {
        match pattern.get(p) {
            Some(part) if is_wild(part) => {
                p = p.saturating_add(1);
                last = Some((p, t));
            }
            Some(part) if same(part, element) => (p, t) = (p.saturating_add(1), t.saturating_add(1)),
            _ => {
                let Some((after, taken)) = last else { return false };
                (p, t) = (after, taken.saturating_add(1));
                last = Some((p, t));
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(is_wild)
}

/// A file name that may hold one `*`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamePattern {
    head: String,
    tail: Option<String>,
}

impl NamePattern {
    /// Reads a pattern; every `*` after the first is a plain letter.
    pub fn new(text: &str) -> Self {
        match text.split_once('*') {
            Some((head, tail)) => Self { head: head.to_string(), tail: Some(tail.to_string()) },
            None => Self { head: text.to_string(), tail: None },
        }
    }

    /// Whether it fits a whole name.
    pub fn matches(&self, name: &[u8]) -> bool {
        match &self.tail {
            None => name == self.head.as_bytes(),
            Some(tail) => {
                name.len() >= self.head.len() + tail.len()
                    && name.ends_with(tail.as_bytes())
                    && name.starts_with(self.head.as_bytes())
            }
        }
    }

    /// Whether every name fits.
    pub fn is_any(&self) -> bool {
        self.head.is_empty() && self.tail.as_ref().is_some_and(String::is_empty)
    }

    /// The pattern as it was written.
    pub fn text(&self) -> String {
        match &self.tail {
            None => self.head.clone(),
            Some(tail) => format!("{}*{tail}", self.head),
        }
    }
}

/// Finds what belongs to a file name, at the price of two or three look-ups however many patterns there are.
#[derive(Debug)]
pub struct NameIndex<T> {
    exact: HashMap<Box<[u8]>, Vec<T>>,
    /// Whole endings such as `*.js`, the dot with them; most patterns are.
    plain: HashMap<Box<[u8]>, Vec<T>>,
    /// The others by the last extension.
    endings: HashMap<Box<[u8]>, Vec<(NamePattern, T)>>,
    /// By what stands before the first dot that is not at the beginning.
    stems: HashMap<Box<[u8]>, Vec<(NamePattern, T)>>,
    /// The few that neither helps with.
    others: Vec<(NamePattern, T)>,
}

impl<T> Default for NameIndex<T> {
    fn default() -> Self {
        let (exact, plain, endings, stems, others) = Default::default();
        Self { exact, plain, endings, stems, others }
    }
}

impl<T: Copy> NameIndex<T> {
    /// Adds what belongs to a pattern.
    pub fn insert(&mut self, pattern: &NamePattern, value: T) {
        let head = pattern.head.as_bytes();
        let Some(tail) = &pattern.tail else {
            self.exact.entry(head.into()).or_default().push(value);
            return;
        };
        let entry = (pattern.clone(), value);
        if head.is_empty() && ending(tail.as_bytes()) == Some(tail.as_bytes()) {
            self.plain.entry(tail.as_bytes().into()).or_default().push(value);
        } else if let Some(ending) = ending(tail.as_bytes()) {
            self.endings.entry(ending.into()).or_default().push(entry);
        } else if let Some(stem) = stem(head) {
            self.stems.entry(stem.into()).or_default().push(entry);
        } else {
            self.others.push(entry);
        }
    }

    /// Everything whose pattern fits a name; something with two fitting patterns comes twice.
    pub fn find<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = T> + 'a {
        let ending = ending(name);
        let plain = ending.and_then(|ending| self.plain.get(ending));
        let exact = self.exact.get(name).into_iter().chain(plain).flatten().copied();
        let endings = ending.and_then(|ending| self.endings.get(ending));
        let stems = stem(name).and_then(|stem| self.stems.get(stem));
        let starred = endings.into_iter().flatten().chain(stems.into_iter().flatten()).chain(&self.others);
        exact.chain(starred.filter(move |(pattern, _)| pattern.matches(name)).map(|(_, value)| *value))
    }
}

/// `.map` of `a.js.map`.
fn ending(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().rposition(|&b| b == b'.')?;
    name.get(at..)
}

/// `Dockerfile` of `Dockerfile.dev`, `.eslintrc` of `.eslintrc.json`.
fn stem(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().skip(1).position(|&b| b == b'.')?;
    name.get(..=at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_every_pattern_that_fits_it_and_no_other() {
        let patterns =
            ["*.js.map", "*.map", "Dockerfile", "Dockerfile.*", ".eslintrc.*", "*_Packages", "test_*.py", "a*"];
        let mut index = NameIndex::default();
        for (at, pattern) in patterns.iter().enumerate() {
            index.insert(&NamePattern::new(pattern), at);
        }
        for name in [
            "x.js.map",
            ".map",
            "x.map.js",
            "Dockerfile",
            "Dockerfile.",
            "Dockerfile.dev.old",
            "Dockerfiles",
            ".eslintrc.json",
            ".eslintrc",
            "main_Packages",
            "Packages",
            "test_a.py",
            "test.py",
            "a.map",
            "a",
            "",
            ".",
        ] {
            let mut found: Vec<usize> = index.find(name.as_bytes()).collect();
            found.sort_unstable();
            let want: Vec<usize> =
                (0..patterns.len()).filter(|&at| NamePattern::new(patterns[at]).matches(name.as_bytes())).collect();
            assert_eq!(found, want, "{name}");
        }
    }
}
