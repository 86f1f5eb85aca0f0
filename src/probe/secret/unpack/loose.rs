//! One object of git's in a file of its own: a header and the content, as a zlib stream.
//!
//! Format: git's `gitformat-loose(5)`. The id is the file's path, and not computed.

use super::{
    BROKEN, Decode, Flow, Out, Stop,
    expand::{Expander, Turn},
    intake::Intake,
};

/// Longest header, `commit` and twenty digits.
const HEADER_MAX: usize = 32;

pub(super) struct Loose {
    inflate: Expander,
    /// The header, until it is complete.
    header: Vec<u8>,
    /// Bytes of content that are promised and did not come.
    left: Option<u64>,
}

impl Loose {
    pub(super) fn new() -> Self {
        Self { inflate: Expander::zlib(), header: Vec::new(), left: None }
    }
}

impl Decode for Loose {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Self { inflate, header, left } = self;
        let turn = inflate.run(from, u64::MAX, |mut piece| {
            if left.is_none() {
                let taken = piece.iter().position(|&b| b == 0).map_or(piece.len(), |end| end + 1);
                let (head, rest) = piece.split_at(taken.min(HEADER_MAX));
                header.extend_from_slice(head);
                piece = rest;
                match header.strip_suffix(&[0]) {
                    Some(header) => {
                        let (kind, size) = read(header).ok_or(BROKEN)?;
                        out.begin(kind, Some(size))?;
                        *left = Some(size);
                    }
                    None if header.len() < HEADER_MAX => return Ok(()),
                    None => return Err(BROKEN),
                }
            }
            let room = left.unwrap_or_default();
            let promised = piece.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(piece);
            out.body(promised)?;
            *left = Some(room - promised.len() as u64);
            if promised.len() < piece.len() { Err(BROKEN) } else { Ok(()) }
        })?;
        match turn {
            Turn::Hungry => Ok(Flow::Hungry),
            Turn::Done if self.left == Some(0) => Ok(Flow::Over),
            Turn::Done | Turn::Bad | Turn::TooLarge => Err(BROKEN),
        }
    }

    fn end(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<(), Stop> {
        Err(BROKEN)
    }
}

/// Type and size of the content.
fn read(header: &[u8]) -> Option<(&[u8], u64)> {
    let at = header.iter().position(|&b| b == b' ')?;
    let (kind, size) = header.split_at(at);
    let size = std::str::from_utf8(size.get(1..)?).ok()?.parse().ok()?;
    [&b"blob"[..], b"commit", b"tree", b"tag"].contains(&kind).then_some((kind, size))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::{model::Unread, probe::secret::unpack::Kind};

    #[test]
    fn an_object_is_called_by_its_type() {
        for (kind, body) in [("blob", noise(200_000)), ("commit", b"tree 0\n".to_vec()), ("tag", Vec::new())] {
            let content = [format!("{kind} {}\0", body.len()).as_bytes(), &body].concat();
            let seen = however_cut(Kind::GitObject, b"objects/aa/bb", &zlib(&content));
            assert_eq!(seen.names(), [kind]);
            assert!(seen.members[0].bytes == body);
            assert_eq!((seen.members[0].size, seen.unread.len()), (Some(body.len() as u64), 0));
        }
    }

    #[test]
    fn what_is_no_object_is_said() {
        for content in [&b"blob 2\0abc"[..], b"blob 4\0abc", b"blob x\0", b"blub 1\0a", b"blob 3", b"", &[b'a'; 99]] {
            let seen = unpack(Kind::GitObject, b"objects/aa/bb", &zlib(content), 3);
            assert_eq!(seen.unread, [(Vec::new(), Unread::Broken)], "{:?}", content.escape_ascii().to_string());
        }
        bear(Kind::GitObject, &zlib(b"blob 26\0abcdefghijklmnopqrstuvwxyz"));
    }
}
