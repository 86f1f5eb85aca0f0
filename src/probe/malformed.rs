//! What the parsers of package databases share: how damage is told, and the limits that hostile files meet.
//!
//! Knows no format.

use std::fmt;

use crate::model::{ImagePath, PackageRow, path::escape};

/// Longest name, version or path that is believed, in bytes.
///
/// `PATH_MAX` of Linux; no package manager allows longer names.
pub const TEXT_MAX: usize = 4096;

/// Faults kept for one file; the rest is only known to exist.
pub const FAULTS_MAX: usize = 8;

/// Packages read from one database.
///
/// Debian as a whole has fewer; a row takes thirty times the bytes of the shortest stanza.
pub const PACKAGES_MAX: usize = 100_000;

/// Why a file is not of the format its name promises, in one lower-case sentence without a full stop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// What a damaged file still gave, and what was wrong with the rest.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parsed<T> {
    /// The good part.
    pub value: T,
    /// What is missing from it and why: at most [`FAULTS_MAX`] sentences, escaped.
    pub faults: Vec<String>,
}

impl<T> Parsed<T> {
    /// Notes a fault; those beyond [`FAULTS_MAX`] and repetitions of the last one are dropped.
    pub fn fault(&mut self, text: impl Into<String>) {
        let text = text.into();
        if self.faults.len() < FAULTS_MAX && self.faults.last() != Some(&text) {
            self.faults.push(text);
        }
    }

    /// Makes another value of the good part and keeps the faults.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Parsed<U> {
        Parsed { value: make(self.value), faults: self.faults }
    }
}

impl Parsed<Vec<PackageRow>> {
    /// Adds a package; those beyond [`PACKAGES_MAX`] are dropped with a fault.
    pub fn package(&mut self, row: PackageRow) {
        if self.value.len() < PACKAGES_MAX {
            self.value.push(row);
        } else {
            self.fault(format!("more than {PACKAGES_MAX} packages"));
        }
    }
}

/// Reads a name or a version: white space around it dropped, bytes that are not UTF-8 replaced.
///
/// # Errors
/// When there is nothing left or more than [`TEXT_MAX`] bytes; the text names it as `what`.
pub fn text(what: &str, raw: &[u8]) -> Result<String, Malformed> {
    let raw = raw.trim_ascii();
    match raw.len() {
        0 => Err(Malformed(format!("{what} is empty"))),
        1..=TEXT_MAX => Ok(String::from_utf8_lossy(raw).into_owned()),
        len => Err(Malformed(format!("{what} has {len} bytes, more than {TEXT_MAX}"))),
    }
}

/// Reads the names that are neither empty nor longer than [`TEXT_MAX`], sorted, each once.
///
/// They become strings last: a list that says `a` a million times stays small.
pub fn names<'a>(raw: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut raw: Vec<_> = raw.map(<[u8]>::trim_ascii).collect();
    raw.sort_unstable();
    raw.dedup();
    raw.into_iter().filter_map(|name| text("", name).ok()).collect()
}

/// Quotes bytes of an image for a fault: escaped, and cut when they are long.
pub fn quote(raw: &[u8]) -> String {
    const SHOWN: usize = 60;
    match raw.get(..SHOWN) {
        Some(start) => format!("\"{}...\"", escape(start)),
        None => format!("\"{}\"", escape(raw)),
    }
}

/// Joins directories and names to paths, and stops when a small file asks for a lot of memory.
///
/// Databases that store a directory once and then the names in it can ask for 4 KiB of path with three bytes of
/// name. Real ones (Alpine's base, pip's site-packages, 30 packages of rpm) stay below a factor of 2.
#[derive(Debug, Default)]
pub struct PathBudget {
    left: usize,
}

impl PathBudget {
    /// Allows paths of 32 times the bytes they are read from, and 64 KiB for tiny files.
    pub fn new(source_bytes: usize) -> Self {
        Self { left: source_bytes.saturating_mul(32).saturating_add(64 * 1024) }
    }

    /// Gives the cleaned path of `name` in `dir`; `None` when the budget is used up.
    pub fn join(&mut self, dir: &[u8], name: &[u8]) -> Option<ImagePath> {
        let len = dir.len().checked_add(name.len())?.checked_add(1)?;
        self.left = self.left.checked_sub(len)?;
        let mut raw = Vec::with_capacity(len);
        raw.extend_from_slice(dir);
        raw.push(b'/');
        raw.extend_from_slice(name);
        Some(ImagePath::new(&raw))
    }
}

/// The lines of a text file, without `\n` or `\r\n`; an empty line after the last line break is none.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split_inclusive(|&b| b == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// Shows a parser everything that must not make it panic: a real file whole, cut at every length, with each byte
/// spoiled, and noise.
#[cfg(test)]
pub(crate) fn accept_parser<T>(real: &[u8], parse: impl Fn(&[u8]) -> T) {
    for end in 0..=real.len() {
        parse(&real[..end]);
        parse(&real[end..]);
    }
    let mut random = noise();
    let mut spoiled = real.to_vec();
    for at in 0..spoiled.len() {
        let old = spoiled[at];
        spoiled[at] = random();
        parse(&spoiled);
        spoiled[at] = 0xff;
        parse(&spoiled);
        spoiled[at] = old;
    }
    for len in 0..300 {
        parse(&(0..len).map(|_| random()).collect::<Vec<_>>());
    }
}

/// A fixed stream of pseudo-random bytes (xorshift), so that a failing test fails again.
#[cfg(test)]
pub(crate) fn noise() -> impl FnMut() -> u8 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_faults_are_kept() {
        let mut parsed = Parsed { value: (), faults: Vec::new() };
        (0..100).for_each(|n| parsed.fault((n / 2).to_string()));
        assert_eq!(parsed.faults.join(" "), "0 1 2 3 4 5 6 7");
    }

    #[test]
    fn a_database_has_a_last_package() {
        let mut parsed = Parsed::<Vec<PackageRow>>::default();
        (0..PACKAGES_MAX + 9).for_each(|_| parsed.package(PackageRow::default()));
        assert_eq!(parsed.value.len(), PACKAGES_MAX);
        assert_eq!(parsed.faults, ["more than 100000 packages"]);
    }

    #[test]
    fn a_name_is_neither_empty_nor_endless() {
        assert_eq!(text("the name", b" gcc\r"), Ok("gcc".to_string()));
        assert_eq!(text("the name", b"\xffx"), Ok("\u{fffd}x".to_string()));
        assert_eq!(text("the name", b" \t"), Err(Malformed("the name is empty".to_string())));
        assert!(text("the name", &vec![b'a'; TEXT_MAX]).is_ok());
        let long = text("the name", &vec![b'a'; TEXT_MAX + 1]);
        assert_eq!(long, Err(Malformed("the name has 4097 bytes, more than 4096".to_string())));
    }

    #[test]
    fn names_are_sorted_and_each_once() {
        let long = [b'n'; TEXT_MAX + 1];
        assert_eq!(names([&b"b"[..], b" a", b"", b"b ", &long, b"a"].into_iter()), ["a", "b"]);
    }

    #[test]
    fn a_small_file_can_not_ask_for_endless_paths() {
        let mut budget = PathBudget::new(1000);
        let dir = vec![b'd'; 4000];
        let given = std::iter::from_fn(|| budget.join(&dir, b"n")).count();
        assert_eq!(given, (32_000 + 65_536) / 4002);
        assert_eq!(budget.join(&[b'd'; 9000], b"n"), None);
    }

    #[test]
    fn lines_end_in_lf_or_crlf() {
        assert_eq!(lines(b"a\r\n\nb\rc\n").collect::<Vec<_>>(), [&b"a"[..], b"", b"b\rc"]);
        assert_eq!(lines(b"").count(), 0);
    }
}
