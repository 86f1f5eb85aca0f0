//! Gzip: any number of members in a row are one file, as `gunzip` sees it.
//!
//! Format: RFC 1952.

use super::{
    BROKEN, Decode, Flow, Out, Stop,
    expand::{Expander, Turn},
    intake::{Intake, u16_at},
};

/// Longest header that is read; its name and comment have no limit of their own.
const HEADER_MAX: usize = 128 << 10;

/// Longest name that is taken from a header.
const NAME_MAX: usize = 4 << 10;

/// Bytes of checksum and length behind a member.
const TRAILER_LEN: usize = 8;

pub(super) struct Gzip {
    /// What the file holds, if the header does not say.
    name: Vec<u8>,
    inflate: Expander,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Header { first: bool },
    Body,
    Trailer,
    Between,
}

/// What a look at a header gave.
enum Header<'h> {
    Cut,
    Wrong,
    Whole { len: usize, name: &'h [u8] },
}

impl Gzip {
    pub(super) fn new(name: Vec<u8>) -> Self {
        Self { name, inflate: Expander::deflate(), state: State::Header { first: true } }
    }
}

impl Decode for Gzip {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        match self.state {
            State::Header { first } => {
                let head = from.look(HEADER_MAX);
                let len = match header(head) {
                    Header::Cut if head.len() < HEADER_MAX => {
                        from.keep();
                        return Ok(Flow::Hungry);
                    }
                    Header::Cut | Header::Wrong => return Err(BROKEN),
                    Header::Whole { len, name } => {
                        if first {
                            out.begin(if name.is_empty() { &self.name } else { name }, None)?;
                        }
                        len
                    }
                };
                from.skip(len);
                self.inflate.restart();
                self.state = State::Body;
            }
            State::Body => match self.inflate.run(from, u64::MAX, |piece| out.body(piece))? {
                Turn::Hungry => return Ok(Flow::Hungry),
                Turn::Done => self.state = State::Trailer,
                Turn::Bad | Turn::TooLarge => return Err(BROKEN),
            },
            State::Trailer => {
                if from.peek(TRAILER_LEN).is_none() {
                    return Ok(Flow::Hungry);
                }
                from.skip(TRAILER_LEN);
                self.state = State::Between;
            }
            State::Between => match from.peek(2) {
                None => return Ok(Flow::Hungry),
                Some([0x1f, 0x8b]) => self.state = State::Header { first: false },
                // What else follows is padding, or nothing that any reader would take.
                Some(_) => return Ok(Flow::Over),
            },
        }
        Ok(Flow::On)
    }

    fn end(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<(), Stop> {
        if self.state == State::Between { Ok(()) } else { Err(BROKEN) }
    }
}

fn header(head: &[u8]) -> Header<'_> {
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const CHECKSUM: u8 = 2;

    let Some(fixed) = head.first_chunk::<10>() else { return Header::Cut };
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else { return Header::Wrong };
    let mut len = fixed.len();
    if flags & EXTRA != 0 {
        let Some(extra) = u16_at(head, len) else { return Header::Cut };
        len += 2 + usize::from(extra);
    }
    let mut name = &b""[..];
    for field in [NAME, COMMENT] {
        if flags & field != 0 {
            let rest = head.get(len..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&b| b == 0) else { return Header::Cut };
            if field == NAME {
                name = rest.get(..end.min(NAME_MAX)).unwrap_or_default();
            }
            len += end + 1;
        }
    }
    if flags & CHECKSUM != 0 {
        len += 2;
    }
    if len > head.len() { Header::Cut } else { Header::Whole { len, name } }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::{super::testing::*, *};
    use crate::{model::Unread, probe::secret::unpack::Kind};

    fn gz(body: &[u8], build: GzBuilder) -> Vec<u8> {
        let mut to = build.write(Vec::new(), Compression::default());
        to.write_all(body).expect("to memory");
        to.finish().expect("to memory")
    }

    fn all_fields() -> GzBuilder {
        GzBuilder::new().filename("etc/app.conf").comment("made by hand").extra(b"ab\x02\0xy".to_vec())
    }

    #[test]
    fn members_in_a_row_are_one_file() {
        let text = noise(300_000);
        let (a, b) = text.split_at(100_000);
        for (blob, name) in [
            (gz(&text, GzBuilder::new()), "notes.txt"),
            (gz(&text, all_fields()), "etc/app.conf"),
            ([gz(a, GzBuilder::new()), gz(b"", all_fields()), gz(b, all_fields())].concat(), "notes.txt"),
            ([gz(a, all_fields()), gz(b, GzBuilder::new()), b"\0\0\0".to_vec()].concat(), "etc/app.conf"),
        ] {
            let seen = however_cut(Kind::Gzip, b"home/notes.txt.gz", &blob);
            assert_eq!(seen.names(), [name]);
            assert!(seen.members[0].bytes == text);
            assert_eq!(seen.unread, []);
        }
    }

    #[test]
    fn what_can_be_read_of_a_damaged_stream_is_given() {
        let text = noise(50_000);
        let whole = gz(&text, all_fields());
        for cut in (0..whole.len()).step_by(97).chain(whole.len() - 9..whole.len()) {
            let seen = unpack(Kind::Gzip, b"a.gz", &whole[..cut], 1_000);
            assert_eq!(seen.unread, [(Vec::new(), Unread::Broken)], "{cut}");
            assert!(seen.members.iter().all(|m| text.starts_with(&m.bytes)));
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x55;
        let seen = unpack(Kind::Gzip, b"a.gz", &flipped, 1_000);
        assert!(seen.members[0].bytes.len() > 10_000);
        bear(Kind::Gzip, &gz(&text[..300], all_fields()));
    }

    #[test]
    fn a_header_without_end_is_not_kept() {
        let endless = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\0"[..], &[b'a'; HEADER_MAX]].concat();
        let seen = unpack(Kind::Gzip, b"a.gz", &endless, 4_096);
        assert_eq!((seen.members.len(), &seen.unread[..]), (0, &[(Vec::new(), Unread::Broken)][..]));
    }
}
