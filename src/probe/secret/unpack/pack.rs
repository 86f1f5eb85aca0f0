//! Git's packs: the objects of a repository, most of them as differences to others.
//!
//! Blobs, commits and tags are given, each under its id, blobs with the path at which a tree of the same pack has them:
//! `ID/config/.npmrc`. Trees are read for these paths and not given: they hold names and ids.
//!
//! Of an object that is a difference, only what it adds is given, with some bytes around: the rest was given as part of
//! another object. Small ones are given whole nevertheless, since they are configuration as often as not, and so are
//! archives, since nobody could open a part.
//!
//! Memory and work have limits that large repositories reach. Where an object that a difference starts from can not be
//! had, what is added is given as `delta at OFFSET` without anything around, and the pack is said to be read in part
//! ([`Unread::Size`](crate::model::Unread)). Objects above [`OBJECT_MAX`] are called `blob at OFFSET`, since their id
//! would come too late.
//!
//! Format: git's `gitformat-pack(5)`, versions 2 and 3. In repositories with SHA-256 the ids are wrong, and paths are
//! missing.

mod delta;
mod header;
mod later;
mod lru;
mod names;
mod objects;
mod store;
#[cfg(test)]
mod tests;
mod wait;

use self::{
    delta::Inserted,
    header::{Entry, Read, Type},
    objects::Objects,
};
use super::{
    BROKEN, Decode, Flow, Out, Stop,
    expand::{Expander, Turn},
    intake::Intake,
};

/// Largest object that is held whole, as far as other objects need it.
const OBJECT_MAX: u64 = 8 << 20;

/// Length of an id.
const ID_LEN: usize = 20;

/// Longest checksum at the end of a pack.
const TRAILER_MAX: usize = 32;

/// SHA-1 of an object's type, size and content.
type Id = [u8; ID_LEN];

pub(super) struct Pack {
    state: State,
    /// Objects that did not come yet.
    left: u32,
    inflate: Expander,
    /// The object that is read, inflated.
    buffer: Vec<u8>,
    shed: Inserted,
    objects: Objects,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Start,
    Object,
    /// An object that is held whole.
    Hold(Entry),
    /// An object that is passed on as it comes, of which this many bytes are missing.
    Pass(u64),
    /// A difference, of which is passed on what it adds.
    Shed(u64),
    /// The checksum of the pack.
    Trailer,
}

impl Pack {
    pub(super) fn new() -> Self {
        Self {
            state: State::Start,
            left: 0,
            inflate: Expander::zlib(),
            buffer: Vec::new(),
            shed: Inserted::default(),
            objects: Objects::new(),
        }
    }
}

impl Decode for Pack {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        match self.state {
            State::Start => {
                let Some([b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, count @ ..]) = from.peek(header::PACK_LEN) else {
                    return if from.chunk().len() < header::PACK_LEN { Ok(Flow::Hungry) } else { Err(BROKEN) };
                };
                self.left = count.first_chunk().map_or(0, |count| u32::from_be_bytes(*count));
                from.skip(header::PACK_LEN);
                self.state = State::Object;
                Ok(Flow::On)
            }
            State::Object if self.left == 0 => {
                self.objects.finish(out)?;
                self.objects = Objects::new();
                self.state = State::Trailer;
                Ok(Flow::On)
            }
            // Objects that were not counted, perhaps.
            State::Trailer if from.peek(TRAILER_MAX + 1).is_some() => Err(BROKEN),
            State::Trailer => Ok(Flow::Hungry),
            State::Object => self.object(from, out),
            State::Hold(_) | State::Pass(_) | State::Shed(_) => self.content(from, out),
        }
    }

    fn end(&mut self, _: &mut Intake<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
        if self.state == State::Trailer {
            return Ok(());
        }
        self.damaged(out)?;
        Err(BROKEN)
    }
}

impl Pack {
    /// Begins an object.
    fn object(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let at = from.offset();
        let (entry, len) = match header::read(from.look(header::ENTRY_MAX), at) {
            Read::Whole(entry, len) => (entry, len),
            Read::Cut => {
                from.keep();
                return Ok(Flow::Hungry);
            }
            Read::Wrong => {
                self.damaged(out)?;
                return Err(BROKEN);
            }
        };
        from.skip(len);
        self.left -= 1;
        self.buffer.clear();
        if entry.size <= OBJECT_MAX {
            self.inflate.restart_copying();
            self.state = State::Hold(entry);
            return Ok(Flow::On);
        }
        self.inflate.restart();
        self.state = match entry.kind {
            Type::Delta(_) => {
                self.shed = self.objects.begin_shed(at, out)?;
                State::Shed(entry.size)
            }
            Type::Tree => State::Pass(entry.size),
            kind => {
                out.begin(format!("{} at {at}", kind.word()).as_bytes(), Some(entry.size))?;
                State::Pass(entry.size)
            }
        };
        Ok(Flow::On)
    }

    /// Goes on with an object.
    fn content(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Self { state, inflate, buffer, shed, .. } = self;
        let mut fits = true;
        let turn = inflate.run(from, u64::MAX, |piece| {
            let room = match *state {
                State::Hold(entry) => entry.size.saturating_sub(buffer.len() as u64),
                State::Pass(left) | State::Shed(left) => left,
                _ => 0,
            };
            let promised = piece.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(piece);
            let left = room - promised.len() as u64;
            match state {
                State::Pass(rest) => {
                    *rest = left;
                    // A tree was not begun.
                    if *out.inside {
                        out.body(promised)?;
                    }
                }
                State::Shed(rest) => {
                    *rest = left;
                    shed.feed(promised, out)?;
                }
                _ => buffer.extend_from_slice(promised),
            }
            fits = promised.len() == piece.len();
            if fits { Ok(()) } else { Err(BROKEN) }
        });
        let whole = match *state {
            State::Hold(entry) => entry.size == buffer.len() as u64,
            State::Pass(left) | State::Shed(left) => left == 0,
            _ => true,
        };
        match turn {
            Ok(Turn::Hungry) => Ok(Flow::Hungry),
            Ok(Turn::Done) if whole => {
                if let State::Shed(_) = self.state {
                    self.shed.end(out)?;
                }
                out.end();
                if let State::Hold(entry) = std::mem::replace(&mut self.state, State::Object) {
                    let read = from.offset() - entry.at;
                    self.objects.take(entry, &self.buffer, self.inflate.copy(), read, out)?;
                }
                Ok(Flow::On)
            }
            Err(Stop::Shut) => Err(Stop::Shut),
            _ => {
                self.damaged(out)?;
                Err(BROKEN)
            }
        }
    }

    /// Gives what there is of the object that is read, and of those that wait for another.
    fn damaged(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        if let State::Shed(_) = self.state {
            self.shed.end(out)?;
        }
        out.end();
        if let State::Hold(Entry { at, kind, .. }) = std::mem::replace(&mut self.state, State::Object) {
            match kind {
                Type::Delta(_) => self.objects.shed(at, &self.buffer, out)?,
                Type::Tree => {}
                _ if self.buffer.is_empty() => {}
                _ => {
                    out.begin(format!("{} at {at}", kind.word()).as_bytes(), None)?;
                    out.long_body(&self.buffer)?;
                    out.end();
                }
            }
        }
        self.objects.finish(out)
    }
}
