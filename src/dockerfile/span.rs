//! Places in a text: byte ranges, lines, columns.

/// A range of bytes in the text of a Dockerfile.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The range from one offset to another.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// What stands there; empty where the text has no such range.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Length in bytes.
    pub fn bytes(self) -> usize {
        self.end - self.start
    }
}

/// Where the lines of a text start. Lines end with a line feed, as they do for builders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let after_feeds = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_feeds).collect() }
    }

    /// The line of an offset, counted from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|&start| start <= offset)).unwrap_or(u32::MAX)
    }

    /// Line and column of an offset, both counted from 1; columns are characters.
    pub(super) fn position(&self, text: &str, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        let start = usize::try_from(line).ok().and_then(|line| self.starts.get(line.checked_sub(1)?)).copied();
        let before = text.get(start.unwrap_or_default()..offset).unwrap_or_default();
        (line, u32::try_from(before.chars().count()).map_or(u32::MAX, |count| count.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_start_at_one_and_columns_are_characters() {
        let text = "ab\n\u{e9}x\r\n\nlast";
        let lines = Lines::new(text);
        let at = |what: &str| lines.position(text, text.find(what).unwrap());
        assert_eq!(at("ab"), (1, 1));
        assert_eq!(at("x"), (2, 2));
        assert_eq!(at("\nlast"), (3, 1));
        assert_eq!(at("last"), (4, 1));
        assert_eq!(lines.position(text, text.len()), (4, 5));
    }
}
