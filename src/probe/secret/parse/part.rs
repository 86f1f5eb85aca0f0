//! A piece of a file that knows where it is, so that what is cut out of a line still has its place.

use std::ops::Range;

/// Longest name that is told, in bytes.
pub(super) const NAME_MAX: usize = 256;

/// Bytes of a file and their offset in it.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Part<'a> {
    /// A whole file, without the mark that some editors put in front of it.
    pub(super) fn file(bytes: &'a [u8]) -> Self {
        match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => Self { bytes: rest, at: 3 },
            None => Self { bytes, at: 0 },
        }
    }

    /// The same bytes as if they were in a file at this offset.
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn span(self) -> Range<usize> {
        self.at..self.at.saturating_add(self.bytes.len())
    }

    pub(super) fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The beginning, as a name that can be told. Names are repeated with each value, so they have to be short.
    pub(super) fn text(self) -> String {
        String::from_utf8_lossy(self.to(NAME_MAX).bytes).into_owned()
    }

    /// Whether these are the bytes, whatever their case.
    pub(super) fn is(self, word: &str) -> bool {
        self.bytes.eq_ignore_ascii_case(word.as_bytes())
    }

    /// Everything from an offset of this part on.
    pub(super) fn from(self, start: usize) -> Self {
        let start = start.min(self.bytes.len());
        Self { bytes: self.bytes.get(start..).unwrap_or_default(), at: self.at.saturating_add(start) }
    }

    /// Everything up to an offset of this part.
    pub(super) fn to(self, end: usize) -> Self {
        Self { bytes: self.bytes.get(..end).unwrap_or(self.bytes), at: self.at }
    }

    pub(super) fn trim(self) -> Self {
        let start = self.from(self.bytes.len() - self.bytes.trim_ascii_start().len());
        start.to(start.bytes.trim_ascii_end().len())
    }

    /// What stands behind a beginning, whatever its case.
    pub(super) fn strip_prefix(self, prefix: &str) -> Option<Self> {
        let head = self.bytes.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix.as_bytes()).then(|| self.from(prefix.len()))
    }

    pub(super) fn split_once(self, byte: u8) -> Option<(Self, Self)> {
        self.split_at_any(&[byte])
    }

    /// What stands before and behind the first of some bytes.
    pub(super) fn split_at_any(self, bytes: &[u8]) -> Option<(Self, Self)> {
        let at = self.bytes.iter().position(|byte| bytes.contains(byte))?;
        Some((self.to(at), self.from(at + 1)))
    }

    pub(super) fn split(self, byte: u8) -> impl Iterator<Item = Self> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let part = rest?;
            let (first, others) = match part.split_once(byte) {
                Some((first, others)) => (first, Some(others)),
                None => (part, None),
            };
            rest = others;
            Some(first)
        })
    }

    /// The lines, without what ends them.
    pub(super) fn lines(self) -> impl Iterator<Item = Self> {
        self.split(b'\n').map(|line| line.to(line.bytes.strip_suffix(b"\r").unwrap_or(line.bytes).len()))
    }

    /// The words between blanks.
    pub(super) fn words(self) -> impl Iterator<Item = Self> {
        let mut rest = self.trim();
        std::iter::from_fn(move || {
            let len = rest.bytes.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.bytes.len());
            let word = rest.to(len);
            rest = rest.from(len).trim();
            (!word.is_empty()).then_some(word)
        })
    }

    /// What stands between quotes at the beginning; without quotes, what stands before a comment.
    pub(super) fn unquote(self) -> Self {
        let part = self.trim();
        if let Some(&quote @ (b'"' | b'\'')) = part.bytes.first() {
            let inner = part.from(1);
            if let Some(end) = inner.bytes.iter().position(|&byte| byte == quote) {
                return inner.to(end);
            }
        }
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let comment = part.bytes.windows(2).position(|pair| pair.first().is_some_and(blank) && pair.ends_with(b"#"));
        comment.map_or(part, |end| part.to(end).trim())
    }

    /// Where a text is first, whatever its case.
    pub(super) fn find(self, text: &str) -> Option<usize> {
        self.bytes.windows(text.len()).position(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_where_they_are() {
        let file = b"\xef\xbb\xbfone = \"two\" # three\r\n\tfour\n";
        let lines: Vec<Part<'_>> = Part::file(file).lines().collect();
        assert_eq!(lines.len(), 3);
        let (name, value) = lines[0].split_once(b'=').unwrap();
        let value = value.unquote();
        assert_eq!((name.trim().bytes(), value.bytes()), (&b"one"[..], &b"two"[..]));
        assert_eq!(&file[value.span()], b"two");
        assert_eq!(&file[lines[1].trim().span()], b"four");
        assert!(lines[2].is_empty());
    }

    #[test]
    fn comments_end_what_has_no_quotes() {
        let unquoted = |text: &'static str| Part::file(text.as_bytes()).unquote().text();
        assert_eq!(unquoted("  plain#1 # comment"), "plain#1");
        assert_eq!(unquoted("'a # b' c"), "a # b");
        assert_eq!(unquoted("'open"), "'open");
        assert_eq!(unquoted(""), "");
    }

    #[test]
    fn words_stand_between_blanks() {
        let words: Vec<String> = Part::file(b" a\tbc \n d ").words().map(Part::text).collect();
        assert_eq!(words, ["a", "bc", "d"]);
    }
}
