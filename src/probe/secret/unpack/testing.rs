//! A receiver that remembers, and the ways in which every decoder is fed.

#[path = "../../../layer/tar/testing.rs"]
#[allow(dead_code, clippy::duplicate_mod, reason = "it belongs to the layers' tests, which need more of it")]
pub(super) mod tars;

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, ZlibEncoder},
};

use super::{Kind, Members, PIECE, Unpacker};
use crate::model::Unread;

/// One member as it came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Member {
    pub name: String,
    pub size: Option<u64>,
    /// All that was given, in a row.
    pub bytes: Vec<u8>,
    /// Gaps: bytes of the member before it, given or not; its length; its lines.
    pub gaps: Vec<(u64, u64, Option<u64>)>,
}

/// Remembers everything, and holds the decoder to the order of calls.
#[derive(Debug, Default)]
pub struct Recorder {
    pub members: Vec<Member>,
    pub unread: Vec<(Vec<u8>, Unread)>,
    pub bytes: usize,
    /// Takes no more after so many bytes.
    pub limit: Option<usize>,
    inside: bool,
}

impl Recorder {
    pub fn names(&self) -> Vec<&str> {
        self.members.iter().map(|m| &m.name[..]).collect()
    }

    fn last(&mut self) -> &mut Member {
        assert!(self.inside && self.open(), "nothing comes outside of members, or to a shut receiver");
        self.members.last_mut().expect("it has begun")
    }
}

impl Members for Recorder {
    fn begin(&mut self, name: &[u8], size: Option<u64>) {
        assert!(!self.inside && self.open());
        self.inside = true;
        let name = String::from_utf8_lossy(name).into_owned();
        self.members.push(Member { name, size, ..Member::default() });
    }

    fn body(&mut self, piece: &[u8]) {
        assert!(!piece.is_empty());
        self.last().bytes.extend_from_slice(piece);
        self.bytes += piece.len();
    }

    fn gap(&mut self, bytes: u64, lines: Option<u64>) {
        let member = self.last();
        let before = member.bytes.len() as u64 + member.gaps.iter().map(|gap| gap.1).sum::<u64>();
        assert!(!member.gaps.is_empty() || before == 0, "a member that has gaps starts with one");
        member.gaps.push((before, bytes, lines));
    }

    fn end(&mut self) {
        assert!(std::mem::take(&mut self.inside), "a member ends once");
    }

    fn unread(&mut self, name: &[u8], why: Unread) {
        assert!(!self.inside && self.open());
        self.unread.push((name.to_vec(), why));
    }

    fn open(&self) -> bool {
        self.limit.is_none_or(|limit| self.bytes < limit)
    }
}

/// Unpacks a file that comes in pieces.
pub fn unpack(kind: Kind, path: &[u8], file: &[u8], piece: usize) -> Recorder {
    unpack_some(kind, path, file, piece, None)
}

/// As `unpack`, for a receiver with a limit.
pub fn unpack_some(kind: Kind, path: &[u8], file: &[u8], piece: usize, limit: Option<usize>) -> Recorder {
    let mut to = Recorder { limit, ..Recorder::default() };
    let mut unpacker = Unpacker::new(kind, path);
    file.chunks(piece).for_each(|piece| unpacker.feed(piece, &mut to));
    unpacker.end(&mut to);
    unpacker.end(&mut to);
    unpacker.feed(b"more", &mut to);
    assert!(unpacker.over() && !to.inside);
    to
}

/// Unpacks a file whole, byte by byte and in odd pieces, which must not matter; and up to a few limits.
pub fn however_cut(kind: Kind, path: &[u8], file: &[u8]) -> Recorder {
    let whole = unpack(kind, path, file, file.len().max(1));
    for piece in [1, 2, 7, 511, 4_099, 65_537] {
        let seen = unpack(kind, path, file, piece);
        assert!(seen.names() == whole.names(), "{piece}");
        assert!(seen.members == whole.members, "{piece}");
        assert!(seen.unread == whole.unread, "{piece}");
    }
    for limit in [0, 1, whole.bytes / 2, whole.bytes] {
        let seen = unpack_some(kind, path, file, 1_000, Some(limit));
        assert!(seen.bytes < limit + PIECE, "{limit}");
    }
    whole
}

/// Cuts a small file at every length and flips every byte of it; it is enough that the decoder bears it.
pub fn bear(kind: Kind, file: &[u8]) {
    for cut in 0..=file.len() {
        unpack(kind, b"a", &file[..cut], 5);
        unpack(kind, b"a", &file[..cut], cut.max(1));
    }
    for at in 0..file.len() {
        for mask in [0x01, 0x80, 0xff, 0x10] {
            let mut broken = file.to_vec();
            broken[at] ^= mask;
            let whole = unpack_some(kind, b"a", &broken, broken.len(), Some(1 << 20));
            let pieces = unpack_some(kind, b"a", &broken, 3, Some(1 << 20));
            // Of a damaged zstd block, or one behind it in the same piece, the library tells nothing.
            if whole.bytes < 1 << 20 && kind != Kind::Zstd {
                assert_eq!(whole.members, pieces.members, "{at} {mask}");
                assert_eq!(whole.unread, pieces.unread, "{at} {mask}");
            }
        }
    }
}

/// Bytes without much order, that still compress.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        b'a' + (state % 23) as u8
    };
    (0..len).map(|at| if at % 61 == 60 { b'\n' } else { next() }).collect()
}

/// A zlib stream.
pub fn zlib(body: &[u8]) -> Vec<u8> {
    let mut to = ZlibEncoder::new(Vec::new(), Compression::default());
    to.write_all(body).expect("to memory");
    to.finish().expect("to memory")
}

/// A deflate stream without header.
pub fn deflate(body: &[u8]) -> Vec<u8> {
    let mut to = DeflateEncoder::new(Vec::new(), Compression::default());
    to.write_all(body).expect("to memory");
    to.finish().expect("to memory")
}
