//! What stands in front of each object of a pack.

use super::{ID_LEN, Id};

/// Length of the pack's own header.
pub(super) const PACK_LEN: usize = 12;

/// Bytes that are enough for any object's header.
pub(super) const ENTRY_MAX: usize = 32;

/// One object, as its header describes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    /// Where it starts in the pack.
    pub(super) at: u64,
    pub(super) kind: Type,
    /// Length when inflated; of a difference, its own.
    pub(super) size: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Type {
    Commit,
    Tree,
    Blob,
    Tag,
    Delta(Base),
}

/// What a difference starts from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Base {
    /// The object that starts there.
    At(u64),
    Id(Id),
}

/// What a look at a header gave.
pub(super) enum Read {
    /// The object, and the header's length.
    Whole(Entry, usize),
    Cut,
    Wrong,
}

impl Type {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
            Self::Delta(_) => "delta",
        }
    }
}

/// Reads the header of the object that starts at offset `at`.
pub(super) fn read(head: &[u8], at: u64) -> Read {
    let Some(&first) = head.first() else { return Read::Cut };
    let mut size = u64::from(first & 15);
    let mut len = 1;
    if first >= 0x80 {
        match varint(head.get(1..).unwrap_or_default()) {
            Varint::Whole(number, more) if number >> 60 == 0 => {
                size |= number << 4;
                len += more;
            }
            Varint::Cut => return Read::Cut,
            _ => return Read::Wrong,
        }
    }
    let rest = head.get(len..).unwrap_or_default();
    let kind = match first >> 4 & 7 {
        1 => Type::Commit,
        2 => Type::Tree,
        3 => Type::Blob,
        4 => Type::Tag,
        6 => match distance(rest) {
            Varint::Whole(back, more) if (1..=at).contains(&back) => {
                len += more;
                Type::Delta(Base::At(at - back))
            }
            Varint::Cut => return Read::Cut,
            _ => return Read::Wrong,
        },
        7 => match rest.first_chunk::<ID_LEN>() {
            Some(id) => {
                len += ID_LEN;
                Type::Delta(Base::Id(*id))
            }
            None => return Read::Cut,
        },
        _ => return Read::Wrong,
    };
    Read::Whole(Entry { at, kind, size }, len)
}

/// A number of variable length, and its length.
pub(super) enum Varint {
    Whole(u64, usize),
    Cut,
    Wrong,
}

/// Seven bits in a byte, the lowest first.
pub(super) fn varint(bytes: &[u8]) -> Varint {
    let mut number = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if at >= 9 {
            return Varint::Wrong;
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Varint::Whole(number, at + 1);
        }
    }
    Varint::Cut
}

/// Seven bits in a byte, the highest first, and one added for each byte but the last.
fn distance(bytes: &[u8]) -> Varint {
    let mut number = 0_u64;
    for (at, &byte) in bytes.iter().enumerate() {
        if at >= 8 {
            return Varint::Wrong;
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Varint::Whole(number, at + 1);
        }
        number += 1;
    }
    Varint::Cut
}
