//! An instruction as builders read it: its lines joined, without continuation marks, comments and empty lines between
//! them; and the way back from a place in it to the place in the file.

use std::ops::Range;

use super::span::Span;

/// The joined text of an instruction.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Logical {
    text: String,
    /// Where each part of the text starts, here and in the file.
    parts: Vec<(usize, usize)>,
}

impl Logical {
    /// Appends what stands at an offset of the file.
    pub(super) fn push(&mut self, text: &str, offset: usize) {
        if !text.is_empty() || self.parts.is_empty() {
            self.parts.push((self.text.len(), offset));
            self.text.push_str(text);
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The range of the file that a range of the text comes from. It has continuation marks and comments in it when the
    /// range goes over a line's end.
    pub fn span(&self, range: Range<usize>) -> Span {
        let start = self.offset(range.start);
        let last = range.end.checked_sub(1).filter(|&last| last >= range.start);
        Span::new(start, last.map_or(start, |last| self.offset(last).saturating_add(1)))
    }

    /// The offset in the file of an offset in the text.
    fn offset(&self, at: usize) -> usize {
        let after = self.parts.partition_point(|&(start, _)| start <= at);
        let part = after.checked_sub(1).and_then(|part| self.parts.get(part));
        part.map_or(0, |&(start, offset)| offset.saturating_add(at.saturating_sub(start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_joined_text_is_found_in_the_file() {
        let file = "RUN a \\\n  # why\n  b";
        let mut logical = Logical::default();
        logical.push("RUN a ", 0);
        logical.push("  b", 16);
        assert_eq!(logical.text(), "RUN a   b");
        assert_eq!(logical.span(4..5).of(file), "a");
        assert_eq!(logical.span(8..9).of(file), "b");
        assert_eq!(logical.span(4..9).of(file), "a \\\n  # why\n  b");
        assert_eq!(logical.span(9..9), Span::new(19, 19));
    }
}
