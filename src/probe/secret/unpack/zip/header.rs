//! The records of a zip archive.
//!
//! Format: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4 (fields) and 4.5.3 (zip64).

use super::super::intake::{u16_at, u32_at, u64_at};
use crate::model::Unread;

/// Length of a local header without name and extra fields.
pub(super) const LOCAL_LEN: usize = 30;

/// Length of the longest data descriptor. The end of the directory is nearly as long, so there are always that many
/// bytes behind a member.
pub(super) const DESCRIPTOR_LEN: usize = 24;

/// A size that stands in the extra field for zip64.
const ELSEWHERE: u32 = u32::MAX;

/// What is in front of a member.
pub(super) struct Local<'h> {
    pub(super) name: &'h [u8],
    pub(super) method: Method,
    /// Bytes in the archive.
    pub(super) packed: Option<u64>,
    /// Bytes of the member.
    pub(super) size: Option<u64>,
    /// Whether sizes may follow in a descriptor.
    pub(super) streamed: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Stored,
    Deflate,
    Zstd,
    Closed(Unread),
}

/// A record of the directory.
pub(super) struct Record {
    /// Bytes that tell its length.
    pub(super) fixed: usize,
    /// How many more there are.
    pub(super) variable: fn(&[u8]) -> u64,
}

/// What a search found.
pub(super) enum Found {
    At(usize),
    /// The last bytes, from here on, are the start of something.
    Perhaps(usize),
    Not,
}

/// Length of the whole local header, by its fixed part.
pub(super) fn local_len(fixed: &[u8]) -> usize {
    LOCAL_LEN + usize::from(u16_at(fixed, 26).unwrap_or_default()) + usize::from(u16_at(fixed, 28).unwrap_or_default())
}

/// Reads a whole local header.
pub(super) fn local(head: &[u8]) -> Option<Local<'_>> {
    const ENCRYPTED: u16 = 1;
    const STREAMED: u16 = 1 << 3;
    const MASKED: u16 = 1 << 13;

    let (flags, method) = (u16_at(head, 6)?, u16_at(head, 8)?);
    let (packed, size) = (u32_at(head, 18)?, u32_at(head, 22)?);
    let (name, extra) = head.get(LOCAL_LEN..)?.split_at_checked(usize::from(u16_at(head, 26)?))?;
    let (packed, size) = zip64(extra, packed, size);
    let streamed = flags & STREAMED != 0;
    let method = match method {
        _ if flags & (ENCRYPTED | MASKED) != 0 => Method::Closed(Unread::Encrypted),
        // AES, which is the method of its own.
        99 => Method::Closed(Unread::Encrypted),
        // An empty file that was not even packed.
        8 | 93 if !streamed && packed == 0 && size == 0 => Method::Stored,
        0 => Method::Stored,
        8 => Method::Deflate,
        93 => Method::Zstd,
        _ => Method::Closed(Unread::Format),
    };
    // A writer that can not go back leaves zeros. A directory has no body all the same.
    let unknown = |number: u64| streamed && number == 0 && !(method == Method::Stored && name.ends_with(b"/"));
    Some(Local {
        name,
        method,
        packed: Some(packed).filter(|packed| !unknown(*packed)),
        size: Some(size).filter(|size| !unknown(*size)),
        streamed,
    })
}

/// The sizes, of which each may be in the extra field: the unpacked one first.
fn zip64(mut extra: &[u8], packed: u32, size: u32) -> (u64, u64) {
    let mut sizes = (u64::from(packed), u64::from(size));
    while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some((field, rest)) = extra.get(4..).and_then(|rest| rest.split_at_checked(usize::from(len))) else {
            break;
        };
        extra = rest;
        if id != 1 {
            continue;
        }
        let at = if size == ELSEWHERE { 8 } else { 0 };
        if let (ELSEWHERE, Some(number)) = (size, u64_at(field, 0)) {
            sizes.1 = number;
        }
        if let (ELSEWHERE, Some(number)) = (packed, u64_at(field, at)) {
            sizes.0 = number;
        }
    }
    sizes
}

/// Length of the descriptor at `head`, if it is one behind a member of these sizes. `given` is unknown for what was
/// not read.
///
/// With or without its magic, its sizes have eight bytes or four, and nothing tells which. The long one is tried first:
/// where it is short, a record follows, whose magic is no size.
pub(super) fn descriptor(head: &[u8], packed: u64, given: Option<u64>) -> Option<usize> {
    let fits = |number: u64, mask: u64| number == packed & mask;
    let given_fits = |number: u64, mask: u64| given.is_none_or(|given| number == given & mask);
    let short = u64::from(u32::MAX);
    let at = |start: usize| {
        let long = u64_at(head, start + 4).zip(u64_at(head, start + 12));
        if long.is_some_and(|(p, g)| fits(p, u64::MAX) && given_fits(g, u64::MAX)) {
            return Some(start + 20);
        }
        let (p, g) = (u32_at(head, start + 4)?, u32_at(head, start + 8)?);
        (fits(p.into(), short) && given_fits(g.into(), short)).then_some(start + 12)
    };
    match head.starts_with(super::DESCRIPTOR) {
        true => at(4).or_else(|| at(0)),
        false => at(0),
    }
}

/// The record of the directory that starts so.
pub(super) fn record(start: &[u8]) -> Option<Record> {
    fn short(head: &[u8], at: usize) -> u64 {
        u16_at(head, at).map_or(0, u64::from)
    }
    let (fixed, variable): (_, fn(&[u8]) -> u64) = match start {
        b"PK\x01\x02" => (46, |head| short(head, 28) + short(head, 30) + short(head, 32)),
        b"PK\x05\x06" => (22, |head| short(head, 20)),
        b"PK\x06\x06" => (12, |head| u64_at(head, 4).unwrap_or_default()),
        b"PK\x06\x07" => (20, |_| 0),
        b"PK\x05\x05" => (6, |head| short(head, 4)),
        b"PK\x06\x08" => (8, |head| u32_at(head, 4).map_or(0, u64::from)),
        _ => return None,
    };
    Some(Record { fixed, variable })
}

/// Looks for the first of some magics.
pub(super) fn search(chunk: &[u8], magics: &[&[u8; 4]]) -> Found {
    let mut at = 0;
    while let Some(found) = chunk.get(at..).and_then(|rest| rest.iter().position(|&b| b == b'P')) {
        at += found;
        let rest = chunk.get(at..).unwrap_or_default();
        match rest.first_chunk::<4>() {
            Some(four) if magics.contains(&four) => return Found::At(at),
            None if magics.iter().any(|magic| magic.starts_with(rest)) => return Found::Perhaps(at),
            _ => at += 1,
        }
    }
    Found::Not
}
