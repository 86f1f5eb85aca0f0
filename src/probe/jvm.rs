//! Reads the member names of a jar, war or ear while it passes by.
//!
//! The list stands at the end of the archive, so it is recognised by its mark; an archive that holds others without
//! compressing them, as Spring Boot's do, has several, and the last one is its own. Format: PKWARE's APPNOTE, 4.3.12
//! (central directory header). Content is not read.

use crate::model::Jar;

/// Nested archives kept; the largest known application has some 900.
const NESTED_MAX: usize = 10_000;

/// Longest member name that is looked at.
const NAME_MAX: usize = 512;

/// Mark of an entry of the list, without which it ends.
const ENTRY: &[u8] = b"PK\x01\x02";

/// Bytes of an entry before its name.
const HEADER: usize = 46;

/// Classes that tell a library which production does not need, with the directory that holds most of its classes:
/// JUnit 4, JUnit 5 and its launcher, TestNG, Mockito, Hamcrest, AssertJ, Spring Test, Spring Boot Test,
/// Testcontainers, Spring Boot Devtools, Lombok. Tried with the jars of Debian 12.
const MARKS: [(&str, &str); 12] = [
    ("org/junit/runner/JUnitCore.class", "org/junit/"),
    ("org/junit/jupiter/api/Test.class", "org/junit/"),
    ("org/junit/platform/launcher/Launcher.class", "org/junit/"),
    ("org/testng/TestNG.class", "org/testng/"),
    ("org/mockito/Mockito.class", "org/mockito/"),
    ("org/hamcrest/CoreMatchers.class", "org/hamcrest/"),
    ("org/assertj/core/api/Assertions.class", "org/assertj/"),
    ("org/springframework/test/context/TestContext.class", "org/springframework/"),
    ("org/springframework/boot/test/context/SpringBootTest.class", "org/springframework/boot/test/"),
    ("org/testcontainers/containers/GenericContainer.class", "org/testcontainers/"),
    ("org/springframework/boot/devtools/restart/Restarter.class", "org/springframework/boot/devtools/"),
    ("lombok/Getter.class", "lombok/"),
];

/// Whether the name of a file promises an archive of Java.
pub fn is_archive(path: &[u8]) -> bool {
    [&b".jar"[..], b".war", b".ear"].iter().any(|ending| path.ends_with(ending))
}

/// Follows one archive.
#[derive(Debug, Default)]
pub struct Scan {
    step: Step,
    /// The part of the next header and name that has passed by.
    part: Vec<u8>,
    /// What the list that is being read has, and what the last whole one had.
    list: List,
    last: List,
    /// Marks of nested archives.
    inner: Vec<&'static str>,
}

/// The list of one archive.
#[derive(Debug, Default)]
struct List {
    nested: Vec<(String, u64)>,
    /// Classes in all, and those of each library.
    classes: u64,
    of: [u64; MARKS.len()],
    marked: [bool; MARKS.len()],
}

impl List {
    fn keep(&mut self, name: &[u8], size: u64) {
        if name.ends_with(b".jar") && self.nested.len() < NESTED_MAX {
            self.nested.push((String::from_utf8_lossy(name).into_owned(), size));
        }
        if !name.ends_with(b".class") {
            return;
        }
        self.classes += 1;
        for ((mark, dir), (of, marked)) in MARKS.iter().zip(self.of.iter_mut().zip(&mut self.marked)) {
            *of += u64::from(name.starts_with(dir.as_bytes()));
            *marked |= name == mark.as_bytes();
        }
    }

    /// The libraries that the archive is: most of its classes are theirs. One that merely has them in it is an
    /// application.
    fn marks(&self) -> impl Iterator<Item = &'static str> {
        let marks = MARKS.iter().zip(self.of.iter().zip(&self.marked));
        marks.filter(|(_, (of, marked))| **marked && *of * 2 >= self.classes).map(|((mark, _), _)| *mark)
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Step {
    /// Looking for the first entry of a list.
    #[default]
    Seek,
    /// Reading an entry and its name.
    Entry,
    /// Passing over the rest of an entry.
    Skip(usize),
}

impl Scan {
    /// Takes the next bytes of the archive.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            piece = match self.step {
                Step::Seek => self.seek(piece),
                Step::Entry => self.entry(piece),
                Step::Skip(left) => {
                    let (skipped, rest) = piece.split_at(piece.len().min(left));
                    self.step = if skipped.len() == left { Step::Entry } else { Step::Skip(left - skipped.len()) };
                    rest
                }
            };
        }
    }

    /// Passes over zeros, of which no more are looked at than one entry can hold.
    pub fn skip(&mut self, zeros: u64) {
        const SOME: [u8; 4096] = [0; 4096];

        let most = usize::try_from(zeros).unwrap_or(usize::MAX).min(2 * usize::from(u16::MAX) + HEADER + NAME_MAX);
        for _ in 0..most / SOME.len() {
            self.feed(&SOME);
        }
        self.feed(SOME.get(..most % SOME.len()).unwrap_or_default());
    }

    /// What matters of the archive's members; `None` if nothing does.
    pub fn end(mut self) -> Option<Jar> {
        if !matches!(self.step, Step::Seek) {
            self.close();
        }
        let marks: Vec<String> = self.last.marks().map(str::to_string).collect();
        // A nested archive's own list tells what it is, if it is not compressed.
        let mut inner: Vec<String> = self.inner.iter().map(ToString::to_string).collect();
        inner.sort_unstable();
        let nested = self.last.nested;
        (!nested.is_empty() || !marks.is_empty()).then_some(Jar { nested, marks, inner })
    }

    fn seek<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        // A mark may be cut by the end of a piece.
        if !self.part.is_empty() {
            let (first, rest) = piece.split_at(1);
            self.part.extend_from_slice(first);
            if self.part == ENTRY {
                self.step = Step::Entry;
            } else if !ENTRY.starts_with(&self.part) {
                self.part.clear();
                return if first == b"P" { piece } else { rest };
            }
            return rest;
        }
        let mut from = 0;
        while let Some(at) = find_p(piece.get(from..).unwrap_or_default()) {
            let rest = piece.get(from + at..).unwrap_or_default();
            let seen = rest.get(..ENTRY.len()).unwrap_or(rest);
            if ENTRY.starts_with(seen) {
                let (seen, rest) = rest.split_at(seen.len());
                self.part.extend_from_slice(seen);
                if seen == ENTRY {
                    self.step = Step::Entry;
                }
                return rest;
            }
            from += at + 1;
        }
        &[]
    }

    fn entry<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        let number = |part: &[u8], at: usize| {
            let bytes = part.get(at..at + 2).and_then(|b| <[u8; 2]>::try_from(b).ok());
            usize::from(bytes.map_or(0, u16::from_le_bytes))
        };
        let name = number(&self.part, 28);
        let wanted = match self.part.len() {
            0..4 => ENTRY.len(),
            4..HEADER => HEADER,
            _ => HEADER + name.min(NAME_MAX),
        };
        let (taken, rest) = piece.split_at(piece.len().min(wanted - self.part.len()));
        self.part.extend_from_slice(taken);
        if !self.part.starts_with(ENTRY.get(..self.part.len()).unwrap_or(ENTRY)) {
            self.close();
            self.step = Step::Seek;
            self.part.clear();
            return rest;
        }
        let name = number(&self.part, 28);
        if self.part.len() < HEADER || self.part.len() < HEADER + name.min(NAME_MAX) {
            return rest;
        }
        let size = self.part.get(20..24).and_then(|b| <[u8; 4]>::try_from(b).ok()).map_or(0, u32::from_le_bytes);
        if name <= NAME_MAX {
            let name = self.part.get(HEADER..).unwrap_or_default();
            self.list.keep(name, u64::from(size));
        }
        let left = name.saturating_sub(NAME_MAX) + number(&self.part, 30) + number(&self.part, 32);
        self.part.clear();
        self.step = if left == 0 { Step::Entry } else { Step::Skip(left) };
        rest
    }

    /// Ends a list: one that is not the last belonged to a nested archive.
    fn close(&mut self) {
        let list = std::mem::take(&mut self.list);
        let before = std::mem::replace(&mut self.last, list);
        for mark in before.marks() {
            if !self.inner.contains(&mark) {
                self.inner.push(mark);
            }
        }
    }
}

/// The first `P`. Blocks without one are passed over at once, which the compiler makes fast.
fn find_p(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;

    let mut at = 0;
    for block in bytes.chunks(BLOCK) {
        if block.iter().fold(false, |found, &b| found | (b == b'P')) {
            return block.iter().position(|&b| b == b'P').map(|inside| at + inside);
        }
        at += block.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zip archive with members stored as they are.
    fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let (mut out, mut list) = (Vec::new(), Vec::new());
        for (name, body) in members {
            let (offset, size, len) = (out.len() as u32, body.len() as u32, name.len() as u16);
            let common = |out: &mut Vec<u8>| {
                out.extend([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                out.extend([0; 4]);
                out.extend(size.to_le_bytes());
                out.extend(size.to_le_bytes());
                out.extend(len.to_le_bytes());
                out.extend([0; 2]);
            };
            out.extend(b"PK\x03\x04");
            common(&mut out);
            out.extend(name.as_bytes());
            out.extend(body);
            list.extend(b"PK\x01\x02\x0a\0");
            common(&mut list);
            list.extend([0; 10]);
            list.extend(offset.to_le_bytes());
            list.extend(name.as_bytes());
        }
        out.extend(&list);
        out.extend(b"PK\x05\x06");
        out.extend([0; 18]);
        out
    }

    fn scan(bytes: &[u8], piece: usize) -> Option<Jar> {
        let mut scan = Scan::default();
        bytes.chunks(piece).for_each(|piece| scan.feed(piece));
        scan.end()
    }

    #[test]
    fn the_list_of_the_archive_itself_counts_however_it_is_cut() {
        let junit = zip(&[("org/junit/runner/JUnitCore.class", vec![1; 90])]);
        let size = junit.len() as u64;
        let app = zip(&[
            ("BOOT-INF/classes/App.class", b"PPK\x01PK".to_vec()),
            ("BOOT-INF/lib/junit-4.13.jar", junit.clone()),
            ("BOOT-INF/lib/web.jar", zip(&[("lib/inner.jar", vec![0; 5])])),
        ]);
        for piece in [1, 2, 3, 7, 50, 51, 4096] {
            let jar = scan(&app, piece).expect("members");
            let names: Vec<_> = jar.nested.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["BOOT-INF/lib/junit-4.13.jar", "BOOT-INF/lib/web.jar"], "{piece}");
            assert_eq!(jar.nested[0].1, size);
            assert_eq!(
                (jar.marks.len(), jar.inner.join("")),
                (0, "org/junit/runner/JUnitCore.class".to_string()),
                "{piece}"
            );
            assert_eq!(scan(&junit, piece).expect("a mark").marks, ["org/junit/runner/JUnitCore.class"]);
        }
    }

    #[test]
    fn an_archive_without_anything_that_matters_is_no_fact() {
        assert_eq!(scan(&zip(&[("a/B.class", vec![0; 9])]), 64), None);
        assert_eq!(scan(b"PK\x03\x04", 64), None);
    }

    #[test]
    fn no_damage_panics() {
        let real = zip(&[("BOOT-INF/lib/a.jar", vec![b'P'; 9]), ("b", Vec::new())]);
        super::super::malformed::accept_parser(&real, |body| scan(body, 5));
        let mut long = real.clone();
        let at = long.windows(4).position(|w| w == ENTRY).expect("a list");
        long[at + 28..at + 34].fill(0xff);
        assert_eq!(scan(&long, 9), None);
    }
}
