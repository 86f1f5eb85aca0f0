//! Zstd: any number of frames in a row are one file.
//!
//! Format: RFC 8878.

use super::{
    BROKEN, Decode, Flow, Out, Stop,
    expand::{Expander, Turn},
    intake::Intake,
};
use crate::model::Unread;

pub(super) struct Zstd {
    /// What the file holds.
    name: Vec<u8>,
    expand: Option<Expander>,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Start,
    Frame,
    Between,
}

impl Zstd {
    pub(super) fn new(name: Vec<u8>) -> Self {
        Self { name, expand: Expander::zstd(), state: State::Start }
    }
}

impl Decode for Zstd {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        if from.chunk().is_empty() {
            return Ok(Flow::Hungry);
        }
        if self.state == State::Start {
            out.begin(&self.name, None)?;
        }
        self.state = State::Frame;
        let expand = self.expand.as_mut().ok_or(BROKEN)?;
        match expand.run(from, u64::MAX, |piece| out.body(piece))? {
            Turn::Hungry => return Ok(Flow::Hungry),
            Turn::Done => self.state = State::Between,
            Turn::Bad => return Err(BROKEN),
            Turn::TooLarge => return Err(Stop::Unread(Unread::Size)),
        }
        Ok(Flow::On)
    }

    fn end(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<(), Stop> {
        if self.state == State::Between { Ok(()) } else { Err(BROKEN) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zstd::{Encoder, stream::raw::CParameter};

    use super::super::testing::*;
    use crate::{model::Unread, probe::secret::unpack::Kind};

    fn frame(body: &[u8], window_log: u32) -> Vec<u8> {
        let mut to = Encoder::new(Vec::new(), 1).expect("an encoder");
        to.set_parameter(CParameter::WindowLog(window_log)).expect("supported");
        to.include_checksum(true).expect("supported");
        to.write_all(body).expect("to memory");
        to.finish().expect("to memory")
    }

    #[test]
    fn frames_in_a_row_are_one_file() {
        let text = noise(300_000);
        let (a, b) = text.split_at(100_000);
        let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
        for blob in [frame(&text, 20), [skippable, &frame(a, 25)[..], skippable, &frame(b, 10)].concat()] {
            let seen = however_cut(Kind::Zstd, b"a/data.tar.zst", &blob);
            assert_eq!(seen.names(), ["data.tar"]);
            assert!(seen.members[0].bytes == text);
            assert_eq!(seen.unread, []);
        }
    }

    #[test]
    fn a_window_that_wants_too_much_memory_is_said() {
        let seen = unpack(Kind::Zstd, b"a.zst", &frame(&noise(100), 27), 64);
        assert_eq!(seen.unread, [(Vec::new(), Unread::Size)]);
    }

    #[test]
    fn what_can_be_read_of_a_damaged_stream_is_given() {
        let text = noise(500_000);
        let whole = frame(&text, 20);
        for cut in [0, 1, 5, whole.len() / 2, whole.len() - 1] {
            let seen = unpack(Kind::Zstd, b"a.zst", &whole[..cut], 1_000);
            assert_eq!(seen.unread, [(Vec::new(), Unread::Broken)], "{cut}");
            assert!(seen.members.iter().all(|m| text.starts_with(&m.bytes)));
        }
        assert!(unpack(Kind::Zstd, b"a.zst", &whole[..whole.len() / 2], 99).members[0].bytes.len() > 100_000);
        bear(Kind::Zstd, &frame(&text[..300], 20));
    }
}
