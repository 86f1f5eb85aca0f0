//! Differences: copy these bytes of the base, insert those.
//!
//! Format: git's `gitformat-pack(5)`, "Deltified representation".

use std::ops::Range;

use super::{
    super::{Out, PIECE, Stop},
    header::{Varint, varint},
};

/// Bytes given on each side of what is inserted; a secret may begin or end in them.
pub(super) const AROUND: usize = 512;

/// A difference that can not be applied to its base.
#[derive(Debug)]
pub(super) struct Damaged;

/// Reads a difference that comes in pieces.
#[derive(Debug, Default)]
struct Reader {
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// In the first or the second of the two sizes.
    Size {
        second: bool,
    },
    Start,
    /// Bytes of a copy's offset and length; `wanted` has a bit for each that is still to come.
    Copy {
        wanted: u8,
        from: u32,
        len: u32,
    },
    Insert {
        left: usize,
    },
    Wrong,
}

/// One instruction, or a part of it.
enum Instruction<'d> {
    Copy { from: usize, len: usize },
    Insert(&'d [u8]),
}

/// Sizes of the base and of the result, as a difference promises them.
pub(super) fn sizes(delta: &[u8]) -> Option<(u64, u64)> {
    let Varint::Whole(base, len) = varint(delta) else { return None };
    let Varint::Whole(result, _) = varint(delta.get(len..)?) else { return None };
    Some((base, result))
}

/// Applies a difference: `made` becomes the result, and `added` the parts of it that are new, with what is around them.
///
/// New is what is inserted, and where two parts of the base meet that are apart there. The result has `size` bytes, and
/// is never longer meanwhile.
pub(super) fn apply(
    delta: &[u8],
    base: &[u8],
    size: usize,
    made: &mut Vec<u8>,
    added: &mut Vec<Range<usize>>,
) -> Result<(), Damaged> {
    made.clear();
    added.clear();
    let mut reader = Reader::default();
    // Where the copy before ended, in the base; at the start there is nothing to be torn from.
    let mut copied = None;
    reader.feed(delta, |instruction| {
        let start = made.len();
        let (part, new) = match instruction {
            Instruction::Copy { from, len } => {
                let end = from.checked_add(len).ok_or(Damaged)?;
                let seam = copied.replace(end).is_some_and(|copied| copied != from);
                (base.get(from..end), seam.then_some(0))
            }
            Instruction::Insert(part) => {
                copied = None;
                (Some(part), Some(part.len()))
            }
        };
        let part = part.filter(|part| part.len() <= size - start).ok_or(Damaged)?;
        if let Some(new) = new {
            // Even, so that UTF-16 stays what it is.
            let around = start.saturating_sub(AROUND) & !1..(start + new + AROUND).min(size);
            match added.last_mut() {
                Some(last) if around.start <= last.end => last.end = around.end,
                _ => added.push(around),
            }
        }
        made.extend_from_slice(part);
        Ok(())
    })?;
    if made.len() == size && reader.is_complete() { Ok(()) } else { Err(Damaged) }
}

/// Gives what a difference inserts when its base is not there.
#[derive(Default)]
pub(super) struct Inserted {
    reader: Reader,
    /// Insertions are short, and often follow each other.
    pending: Vec<u8>,
}

impl Inserted {
    pub(super) fn feed(&mut self, piece: &[u8], out: &mut Out<'_>) -> Result<(), Stop> {
        let Self { reader, pending } = self;
        reader.feed(piece, |instruction| match instruction {
            Instruction::Copy { len, .. } => {
                flush(pending, out)?;
                out.gap(len as u64, None)
            }
            Instruction::Insert(part) => {
                pending.extend_from_slice(part);
                if pending.len() > PIECE / 2 { flush(pending, out) } else { Ok(()) }
            }
        })
    }

    pub(super) fn end(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        flush(&mut self.pending, out)
    }
}

fn flush(pending: &mut Vec<u8>, out: &mut Out<'_>) -> Result<(), Stop> {
    out.body(pending)?;
    pending.clear();
    Ok(())
}

impl Default for Phase {
    fn default() -> Self {
        Self::Size { second: false }
    }
}

impl Reader {
    fn feed<'d, E>(
        &mut self,
        mut bytes: &'d [u8],
        mut each: impl FnMut(Instruction<'d>) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            if let Phase::Copy { wanted: 0, from, len } = self.phase {
                // A length of nothing means 64 KiB.
                let len = if len == 0 { 0x1_0000 } else { len };
                let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
                self.phase = Phase::Start;
                each(Instruction::Copy { from: number(from), len: number(len) })?;
            }
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            if let Phase::Insert { left } = self.phase {
                let (part, rest) = bytes.split_at(left.min(bytes.len()));
                bytes = rest;
                self.phase = if part.len() == left { Phase::Start } else { Phase::Insert { left: left - part.len() } };
                each(Instruction::Insert(part))?;
                continue;
            }
            bytes = rest;
            self.phase = match self.phase {
                Phase::Size { .. } if byte >= 0x80 => self.phase,
                Phase::Size { second: false } => Phase::Size { second: true },
                Phase::Size { second: true } => Phase::Start,
                Phase::Start if byte >= 0x80 => Phase::Copy { wanted: byte & 0x7f, from: 0, len: 0 },
                Phase::Start if byte > 0 => Phase::Insert { left: usize::from(byte) },
                Phase::Copy { wanted, mut from, mut len } => {
                    match wanted.trailing_zeros() {
                        place @ 0..4 => from |= u32::from(byte) << (8 * place),
                        place => len |= u32::from(byte) << (8 * (place - 4)),
                    }
                    Phase::Copy { wanted: wanted & (wanted - 1), from, len }
                }
                Phase::Start | Phase::Insert { .. } | Phase::Wrong => {
                    self.phase = Phase::Wrong;
                    return Ok(());
                }
            };
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(delta: &[u8], base: &[u8], size: usize) -> Result<(String, Vec<Range<usize>>), Damaged> {
        let (mut made, mut added) = (Vec::new(), Vec::new());
        apply(delta, base, size, &mut made, &mut added)?;
        Ok((String::from_utf8(made).expect("text"), added))
    }

    #[test]
    fn copies_and_insertions_make_the_result() {
        let delta = b"\x0a\x0c\x91\x02\x04\x03new\x90\x05";
        let (text, added) = made(delta, b"0123456789", 12).expect("it fits");
        assert_eq!((&text[..], added.len(), &added[0]), ("2345new01234", 1, &(0..12)));
        assert_eq!(sizes(delta), Some((10, 12)));
    }

    #[test]
    fn a_copy_without_length_has_64_kib() {
        let base = vec![b'a'; 0x1_0000];
        assert_eq!(made(b"\0\0\x80", &base, 0x1_0000).expect("it fits").0.len(), 0x1_0000);
    }

    #[test]
    fn what_is_new_is_given_with_what_is_around_it() {
        let base = vec![b'a'; 10_000];
        // 3001 copied, one new, 1000 copied, one new, 5000 copied, one new.
        let delta = b"\0\0\xb0\xb9\x0b\x01x\xb0\xe8\x03\x01y\xb0\x88\x13\x01z";
        let (_, added) = made(delta, &base, 9_004).expect("it fits");
        assert_eq!(added, [2_488..4_515, 8_490..9_004]);
    }

    #[test]
    fn where_parts_meet_is_new_unless_they_always_did() {
        let base = vec![b'a'; 10_000];
        let (_, added) = made(b"\0\0\xb0\x00\x10\xb1\x00\x00\x10\xb3\x00\x20\x00\x04", &base, 9_216).expect("it fits");
        assert_eq!(added, [3_584..4_608, 7_680..8_704]);
        let (_, added) = made(b"\0\0\xb0\x00\x10\xb3\x00\x10\x00\x10", &base, 8_192).expect("it fits");
        assert!(added.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_damage() {
        for (delta, size) in [
            (&b"\0\0\x90\x05"[..], 4),
            (b"\0\0\x90\x05", 6),
            (b"\0\0\x91\x08\x05", 5),
            (b"\0\0\x03ab", 2),
            (b"\0\0\0", 0),
            (b"\0", 0),
            (b"\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 1 << 20),
        ] {
            assert!(made(delta, b"0123456789", size).is_err(), "{delta:?}");
        }
    }
}
