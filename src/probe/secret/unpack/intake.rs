//! The bytes a decoder has not used yet: the rest of the piece that was fed, and before it the few that had to be kept
//! because what they begin was not complete.

/// What is remembered between two pieces.
#[derive(Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    /// How many of `bytes` are used.
    at: usize,
    /// Bytes used since the start of the file.
    offset: u64,
}

/// What can be read now.
pub(super) struct Intake<'p> {
    kept: &'p mut Kept,
    piece: &'p [u8],
}

impl<'p> Intake<'p> {
    pub(super) fn new(kept: &'p mut Kept, piece: &'p [u8]) -> Self {
        Self { kept, piece }
    }

    /// Bytes used since the start of the file.
    pub(super) fn offset(&self) -> u64 {
        self.kept.offset
    }

    /// The next bytes that lie in a row; none when there are none at all.
    pub(super) fn chunk(&self) -> &[u8] {
        match self.kept.rest() {
            [] => self.piece,
            rest => rest,
        }
    }

    /// The next bytes, `count` of them or as many as there are.
    pub(super) fn look(&mut self, count: usize) -> &[u8] {
        let have = self.kept.rest().len();
        if have == 0 {
            return self.piece.get(..count).unwrap_or(self.piece);
        }
        if have < count {
            self.keep_some(count - have);
        }
        let rest = self.kept.rest();
        rest.get(..count).unwrap_or(rest)
    }

    /// The next `count` bytes, or nothing yet; then all that came is kept.
    pub(super) fn peek(&mut self, count: usize) -> Option<&[u8]> {
        if self.look(count).len() < count {
            self.keep();
            return None;
        }
        self.look(count).get(..count)
    }

    /// Keeps all that came.
    pub(super) fn keep(&mut self) {
        self.keep_some(self.piece.len());
    }

    /// Uses up to `count` bytes, and says how many.
    pub(super) fn skip(&mut self, count: usize) -> usize {
        let kept = count.min(self.kept.rest().len());
        self.kept.at += kept;
        if self.kept.at == self.kept.bytes.len() {
            self.kept.bytes.clear();
            self.kept.at = 0;
        }
        let (used, rest) = self.piece.split_at(self.piece.len().min(count - kept));
        self.piece = rest;
        let count = kept + used.len();
        self.kept.offset += count as u64;
        count
    }

    fn keep_some(&mut self, count: usize) {
        let (moved, rest) = self.piece.split_at(self.piece.len().min(count));
        self.kept.bytes.extend_from_slice(moved);
        self.piece = rest;
    }
}

impl Kept {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// A little-endian number at `at`.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A little-endian number at `at`.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_peeked_stays_until_it_is_used() {
        let mut kept = Kept::default();
        let mut from = Intake::new(&mut kept, b"abc");
        assert_eq!(from.peek(2), Some(&b"ab"[..]));
        assert_eq!(from.peek(5), None);
        let mut from = Intake::new(&mut kept, b"defgh");
        assert_eq!(from.look(4), b"abcd");
        assert_eq!(from.peek(5), Some(&b"abcde"[..]));
        assert_eq!(from.skip(6), 6);
        assert_eq!((from.chunk(), from.offset()), (&b"gh"[..], 6));
        assert_eq!(from.look(9), b"gh");
        assert_eq!(from.skip(9), 2);
        assert_eq!((from.chunk(), from.offset()), (&b""[..], 8));
    }
}
