//! Patterns for paths and for names of images: `*` and `?` inside of a component, `[a-z]`, and `**` for any components.
//!
//! Knows bytes and slashes; what a path or a name is, is for those who ask.

use std::{fmt, iter::Peekable, str::Chars};

use crate::model::wild;

/// Longest pattern, in bytes; longer than any path that an image may hold.
const PATTERN_MAX: usize = 4_096;

/// A pattern that was checked.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    /// `**`: any number of components, none included.
    Components,
    Name(Vec<Piece>),
}

#[derive(Clone, Debug)]
enum Piece {
    Letter(char),
    /// `*`: any characters of one component.
    Letters,
    /// `?`: one character.
    Any,
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A character of a name; what is no UTF-8 counts as one a byte.
#[derive(Clone, Copy)]
enum Glyph {
    Letter(char),
    Byte,
}

impl Pattern {
    /// Reads a pattern for paths: one that begins with `/` means the whole path, any other the end of it.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn path(text: &str) -> Result<Self, String> {
        match text.strip_prefix('/') {
            Some(rest) => Self::new(text, rest, false),
            None => Self::new(text, text, true),
        }
    }

    /// Reads a pattern for whole names.
    ///
    /// # Errors
    /// As [`Pattern::path`].
    pub(super) fn name(text: &str) -> Result<Self, String> {
        Self::new(text, text, false)
    }

    fn new(text: &str, rest: &str, is_end: bool) -> Result<Self, String> {
        if text.len() > PATTERN_MAX {
            return Err(format!("it is longer than {PATTERN_MAX} bytes"));
        }
        if rest.is_empty() {
            return Err("it is empty".to_string());
        }
        if rest.ends_with('/') {
            return Err(format!("it ends with a slash; \"{text}**\" is what lies below"));
        }
        let mut parts: Vec<Part> = is_end.then_some(Part::Components).into_iter().collect();
        for component in rest.split('/') {
            parts.push(match component {
                "" => return Err("it has two slashes side by side".to_string()),
                "." | ".." => return Err(format!("no path has a component \"{component}\"")),
                "**" => Part::Components,
                name => Part::Name(pieces(name)?),
            });
        }
        Ok(Self { text: text.to_string(), parts })
    }

    /// Whether it fits; components are divided by `/`.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let components: Vec<&[u8]> = text.split(|&byte| byte == b'/').collect();
        let is_any = |part: &Part| matches!(part, Part::Components);
        wild(&self.parts, &components, is_any, |part, component| match part {
            Part::Components => true,
            Part::Name(pieces) => name_fits(pieces, component),
        })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn pieces(name: &str) -> Result<Vec<Piece>, String> {
    if name.contains("**") {
        return Err("`**` stands for whole components and has nothing beside it, as in \"opt/**/x\"".to_string());
    }
    let mut letters = name.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' => Piece::Letters,
            '?' => Piece::Any,
            '[' => class(&mut letters)?,
            letter => Piece::Letter(letter),
        });
    }
    Ok(pieces)
}

/// What stands behind `[`: `abc]`, `a-z]`, `!a-z]`; a `]` at the beginning is a letter.
fn class(letters: &mut Peekable<Chars<'_>>) -> Result<Piece, String> {
    let not = letters.next_if(|letter| matches!(letter, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let from = match letters.next() {
            None => return Err("a `[` has no `]`; the letter itself is written `[[]`".to_string()),
            Some(']') if !ranges.is_empty() => return Ok(Piece::Class { not, ranges }),
            Some(letter) => letter,
        };
        let mut ahead = letters.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                letters.nth(1);
                to
            }
            _ => from,
        };
        if to < from {
            return Err(format!("the range {from}-{to} goes backwards"));
        }
        ranges.push((from, to));
    }
}

fn name_fits(pieces: &[Piece], name: &[u8]) -> bool {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| -> Vec<Glyph> {
        let invalid = chunk.invalid().iter().map(|_| Glyph::Byte);
        chunk.valid().chars().map(Glyph::Letter).chain(invalid).collect()
    };
    let glyphs: Vec<Glyph> = name.utf8_chunks().flat_map(chunk).collect();
    let is_any = |piece: &Piece| matches!(piece, Piece::Letters);
    wild(pieces, &glyphs, is_any, |piece, glyph| match (piece, glyph) {
        (Piece::Letters | Piece::Any, _) => true,
        (Piece::Letter(want), Glyph::Letter(letter)) => want == letter,
        (Piece::Class { not, ranges }, Glyph::Letter(letter)) => {
            ranges.iter().any(|(from, to)| (from..=to).contains(&letter)) != *not
        }
        (Piece::Class { not, .. }, Glyph::Byte) => *not,
        (Piece::Letter(_), Glyph::Byte) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_the_end_of_a_path_unless_it_begins_with_a_slash() {
        for (pattern, path, want) in [
            ("app/*.pem", "srv/app/a.pem", true),
            ("app/*.pem", "app/a.pem", true),
            ("app/*.pem", "myapp/a.pem", false),
            ("/app/*.pem", "srv/app/a.pem", false),
            ("/app/*.pem", "app/a.pem", true),
            ("app/*.pem", "app/x/a.pem", false),
            ("**/a.pem", "a.pem", true),
            ("/opt/**", "opt/a/b/c", true),
            ("/opt/**", "optional/a", false),
            ("/opt/**/c", "opt/c", true),
            ("/opt/**/c", "opt/a/b/c", true),
            ("/opt/**/c", "opt/a/bc", false),
            ("/a/**/b/**/c", "a/b/x/b/y/c", true),
            ("a?c", "abc", true),
            ("a?c", "aöc", true),
            ("a?c", "ac", false),
            ("a?c", "a/c", false),
            ("lib*.so*", "usr/lib/libx.so.1", true),
            ("lib*.so*", "usr/lib/libx.s", false),
            ("ab*bc", "abc", false),
            ("*a*b*a", "aabba", true),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[!a-c]x", "dx", true),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("[[]id].js", "[id].js", true),
            ("a", "A", false),
        ] {
            assert_eq!(Pattern::path(pattern).expect(pattern).matches(path.as_bytes()), want, "{pattern} {path}");
        }
        let whole = Pattern::name("shop/*").expect("good");
        assert!(whole.matches(b"shop/api") && !whole.matches(b"x/shop/api") && !whole.matches(b"shop/a/b"));
        assert!(Pattern::path("a?*b").expect("good").matches(b"a\xff\xfeb"));
        assert!(!Pattern::path("a[x]b").expect("good").matches(b"a\xffb"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (text, want) in [
            ("", "it is empty"),
            ("/", "it is empty"),
            ("a/", "\"a/**\" is what lies below"),
            ("a//b", "two slashes"),
            ("a/../b", "\"..\""),
            ("a**", "whole components"),
            ("[a", "has no `]`"),
            ("[]", "has no `]`"),
            ("[z-a]", "goes backwards"),
            (&"a".repeat(5_000), "longer than"),
        ] {
            let error = Pattern::path(text).expect_err(want);
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let pattern = Pattern::path(&format!("{}b", "*a".repeat(1_000))).expect("good");
        assert!(!pattern.matches("a".repeat(4_000).as_bytes()));
        let pattern = Pattern::path(&format!("{}b", "**/a/".repeat(400))).expect("good");
        assert!(!pattern.matches("a/".repeat(2_000).as_bytes()));
    }
}
