//! Zip archives, read from their first byte to their last by the headers in front of the members.
//!
//! The directory at the end is not needed, and what it calls a member does not count. So an archive whose directory
//! leaves members out, or that is cut, gives all that it holds.
//!
//! Format: PKWARE APPNOTE 6.3.10, section 4.3.

mod header;
#[cfg(test)]
mod tests;

use self::header::{DESCRIPTOR_LEN, Found, LOCAL_LEN, Method, Record, descriptor, local, record, search};
use super::{
    BROKEN, Decode, Flow, Out, Stop,
    expand::{Expander, Turn},
    intake::Intake,
    recognise::ZIP_LOCAL,
};
use crate::model::Unread;

/// What may stand behind a member.
const RECORDS: [&[u8; 4]; 4] = [ZIP_LOCAL, b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"];

/// What a data descriptor starts with. The format calls it optional; all writers seen put it.
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

/// What the block of signatures ends with that Android puts in front of the directory.
const APK_SIGNATURES: &[u8] = b"APK Sig Block 42";

pub(super) struct Zip {
    state: State,
    member: Member,
    inflate: Expander,
    zstd: Option<Expander>,
    /// Whether the directory was reached: no member is missing then.
    complete: bool,
    /// Whether it was said that the archive is damaged.
    said: bool,
    /// The last bytes of a gap.
    tail: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The script before the archive.
    Script,
    Record,
    /// A member as it is, of known length.
    Stored,
    /// A member as it is, up to the descriptor that fits.
    StoredOpen,
    Deflate,
    Zstd,
    /// What is left of a member.
    Rest,
    /// Perhaps a descriptor, behind a member.
    Descriptor,
    /// So many bytes of the directory.
    Directory(u64),
    /// Bytes that belong to no record, up to the next one.
    Gap {
        expected: bool,
    },
}

/// The member that is read.
#[derive(Default)]
struct Member {
    name: Vec<u8>,
    /// Whether a descriptor follows.
    streamed: bool,
    /// Bytes it has in the archive, if that is known.
    packed: Option<u64>,
    /// How many of them were read.
    taken: u64,
    /// Its own bytes that were given; nothing when it is only skipped.
    given: Option<u64>,
}

impl Zip {
    /// An archive that begins with its first member.
    pub(super) fn new() -> Self {
        Self {
            state: State::Record,
            member: Member::default(),
            inflate: Expander::deflate(),
            zstd: None,
            complete: false,
            said: false,
            tail: Vec::new(),
        }
    }

    /// An archive with something in front.
    pub(super) fn behind_script() -> Self {
        Self { state: State::Script, ..Self::new() }
    }
}

impl Decode for Zip {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        match self.state {
            State::Script => Ok(match self.seek(from, &[ZIP_LOCAL]) {
                Some(flow) => flow,
                None => self.go(State::Record),
            }),
            State::Record => self.record(from, out),
            State::Stored => self.stored(from, out),
            State::StoredOpen => self.stored_open(from, out),
            State::Deflate | State::Zstd => self.packed(from, out),
            State::Rest => Ok(self.rest(from)),
            State::Descriptor => Ok(self.descriptor(from)),
            State::Directory(0) => Ok(self.go(State::Record)),
            State::Directory(left) => {
                let used = from.skip(usize::try_from(left).unwrap_or(usize::MAX));
                self.state = State::Directory(left - used as u64);
                Ok(if used == 0 { Flow::Hungry } else { Flow::On })
            }
            State::Gap { expected } => {
                if let Some(flow) = self.seek(from, &RECORDS) {
                    return Ok(flow);
                }
                if !expected && !self.tail.ends_with(APK_SIGNATURES) {
                    self.broken(out)?;
                }
                Ok(self.go(State::Record))
            }
        }
    }

    fn end(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<(), Stop> {
        match self.state {
            // A script that is called like a jar.
            State::Script => Ok(()),
            State::Record | State::Directory(_) | State::Gap { .. } if self.complete || self.said => Ok(()),
            _ => Err(BROKEN),
        }
    }
}

impl Zip {
    fn go(&mut self, state: State) -> Flow {
        self.state = state;
        Flow::On
    }

    fn record(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Some(start) = from.peek(4) else { return Ok(Flow::Hungry) };
        if start == ZIP_LOCAL {
            return self.local(from, out);
        }
        match record(start) {
            None if self.complete => Ok(Flow::Over),
            None => {
                self.tail.clear();
                Ok(self.go(State::Gap { expected: false }))
            }
            Some(Record { fixed, variable }) => {
                let Some(head) = from.peek(fixed) else { return Ok(Flow::Hungry) };
                self.complete = true;
                Ok(self.go(State::Directory((fixed as u64).saturating_add(variable(head)))))
            }
        }
    }

    /// Begins a member.
    fn local(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Some(fixed) = from.peek(LOCAL_LEN) else { return Ok(Flow::Hungry) };
        let len = header::local_len(fixed);
        let Some(head) = from.peek(len) else { return Ok(Flow::Hungry) };
        let local = local(head).ok_or(BROKEN)?;
        self.member.name.clear();
        self.member.name.extend_from_slice(local.name);
        self.member.streamed = local.streamed;
        self.member.packed = local.packed;
        self.member.taken = 0;
        self.member.given = Some(0);
        let directory = local.name.ends_with(b"/") && local.packed == Some(0);
        let (method, size) = (local.method, local.size);
        from.skip(len);
        self.state = match method {
            Method::Closed(why) => {
                out.unread(&self.member.name, why)?;
                self.given_up()
            }
            _ if directory => self.behind_member(),
            method => {
                out.begin(&self.member.name, size)?;
                match (method, self.member.packed) {
                    (Method::Deflate, _) => {
                        self.inflate.restart();
                        State::Deflate
                    }
                    (Method::Zstd, _) => {
                        self.zstd = Expander::zstd();
                        State::Zstd
                    }
                    (_, Some(_)) => State::Stored,
                    (_, None) => State::StoredOpen,
                }
            }
        };
        Ok(Flow::On)
    }

    fn stored(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let left = self.member.left();
        let chunk = from.chunk();
        let piece = chunk.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(chunk);
        out.body(piece)?;
        let used = from.skip(piece.len());
        self.member.advance(used);
        if left == used as u64 {
            out.end();
            return Ok(self.go(self.behind_member()));
        }
        Ok(if used == 0 { Flow::Hungry } else { Flow::On })
    }

    /// The length is only in the descriptor behind the member: the first that fits is its end.
    fn stored_open(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let chunk = from.chunk();
        let piece = match search(chunk, &[DESCRIPTOR]) {
            Found::At(0) => {
                let Some(head) = from.peek(DESCRIPTOR_LEN) else { return Ok(Flow::Hungry) };
                if let Some(len) = descriptor(head, self.member.taken, self.member.given) {
                    from.skip(len);
                    out.end();
                    return Ok(self.go(State::Record));
                }
                1
            }
            Found::Perhaps(0) => return Ok(if from.peek(4).is_none() { Flow::Hungry } else { Flow::On }),
            Found::At(at) | Found::Perhaps(at) => at,
            Found::Not => chunk.len(),
        };
        out.body(from.chunk().get(..piece).unwrap_or_default())?;
        let used = from.skip(piece);
        self.member.advance(used);
        Ok(if used == 0 { Flow::Hungry } else { Flow::On })
    }

    fn packed(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let expand = match self.state {
            State::Zstd => self.zstd.as_mut().ok_or(BROKEN)?,
            _ => &mut self.inflate,
        };
        let mut given = self.member.given.unwrap_or_default();
        let turn = expand.run(from, self.member.left(), |piece| {
            given = given.wrapping_add(piece.len() as u64);
            out.body(piece)
        })?;
        self.member.given = Some(given);
        self.member.taken = expand.taken();
        let over = self.member.packed == Some(self.member.taken);
        let why = match turn {
            Turn::Hungry if !over => return Ok(Flow::Hungry),
            Turn::Done if over || self.member.packed.is_none() => None,
            Turn::Hungry | Turn::Done | Turn::Bad => Some(Unread::Broken),
            Turn::TooLarge => Some(Unread::Size),
        };
        out.end();
        let next = match why {
            None => self.behind_member(),
            Some(why) => {
                out.unread(&self.member.name, why)?;
                self.given_up()
            }
        };
        Ok(self.go(next))
    }

    fn rest(&mut self, from: &mut Intake<'_>) -> Flow {
        let left = self.member.left();
        if left == 0 {
            return self.go(self.behind_member());
        }
        let used = from.skip(usize::try_from(left).unwrap_or(usize::MAX));
        self.member.taken += used as u64;
        if used == 0 { Flow::Hungry } else { Flow::On }
    }

    fn descriptor(&mut self, from: &mut Intake<'_>) -> Flow {
        let Some(start) = from.peek(4) else { return Flow::Hungry };
        if !RECORDS.iter().any(|record| start == *record) {
            let Some(head) = from.peek(DESCRIPTOR_LEN) else { return Flow::Hungry };
            if let Some(len) = descriptor(head, self.member.taken, self.member.given) {
                from.skip(len);
            }
        }
        self.go(State::Record)
    }

    /// Skips to the next of some records; nothing when it is reached.
    fn seek(&mut self, from: &mut Intake<'_>, records: &[&[u8; 4]]) -> Option<Flow> {
        let chunk = from.chunk();
        let used = match search(chunk, records) {
            Found::At(0) => return None,
            Found::Perhaps(0) => return Some(if from.peek(4).is_none() { Flow::Hungry } else { Flow::On }),
            Found::At(at) | Found::Perhaps(at) => at,
            Found::Not => chunk.len(),
        };
        let passed = chunk.get(..used).unwrap_or_default();
        self.tail.extend_from_slice(passed.get(used.saturating_sub(APK_SIGNATURES.len())..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(APK_SIGNATURES.len()));
        from.skip(used);
        Some(if used == 0 { Flow::Hungry } else { Flow::On })
    }

    /// What follows a member that was read to its end.
    fn behind_member(&self) -> State {
        if self.member.streamed { State::Descriptor } else { State::Record }
    }

    /// How to get behind a member that can not be read.
    fn given_up(&mut self) -> State {
        self.member.given = None;
        self.tail.clear();
        if self.member.packed.is_some() { State::Rest } else { State::Gap { expected: true } }
    }

    fn broken(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        if std::mem::replace(&mut self.said, true) { Ok(()) } else { out.unread(b"", Unread::Broken) }
    }
}

impl Member {
    /// Bytes of it that are still to be read.
    fn left(&self) -> u64 {
        self.packed.map_or(u64::MAX, |packed| packed.saturating_sub(self.taken))
    }

    /// Counts bytes that are the same inside of the archive and outside.
    fn advance(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        self.given = Some(self.taken);
    }
}
