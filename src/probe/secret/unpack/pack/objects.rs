//! The objects of a pack: makes them of their differences, names them, and gives what is new in them.

use std::{mem, ops::Range};

use sha1::{Digest, Sha1};

use super::{
    super::{Out, Stop, recognise},
    Id, OBJECT_MAX,
    delta::{self, Inserted},
    header::{Base, Entry, Type},
    later::{LATER_MAX, Later},
    names::Names,
    store::Store,
    wait::Waiting,
};
use crate::model::Unread;

/// Largest object that is given whole though it is a difference.
const WHOLE_MAX: usize = 8 << 10;

/// Bytes that may be made of differences for each byte of the pack, and [`MADE_FREE`] to begin with.
///
/// A difference of ten bytes can ask for eight megabytes. Linux, with its long history, unpacks to about fifty times
/// its pack; what goes beyond is handled as if its base were not to be had.
const MADE_PER_BYTE: u64 = 64;

const MADE_FREE: u64 = 1 << 30;

/// Everything that is remembered of objects.
pub(super) struct Objects {
    store: Store,
    names: Names,
    waiting: Waiting,
    later: Later,
    /// The object that was made last, and what is new in it.
    made: Vec<u8>,
    added: Vec<Range<usize>>,
    /// Whether a difference had to be given without its surroundings.
    short: bool,
}

impl Objects {
    pub(super) fn new() -> Self {
        Self {
            store: Store::new(MADE_FREE),
            names: Names::default(),
            waiting: Waiting::default(),
            later: Later::default(),
            made: Vec::new(),
            added: Vec::new(),
            short: false,
        }
    }

    /// Takes an object that is held whole, and perhaps as the pack has it, where it took `read` bytes.
    pub(super) fn take(
        &mut self,
        entry: Entry,
        content: &[u8],
        packed: Option<&[u8]>,
        read: u64,
        out: &mut Out<'_>,
    ) -> Result<(), Stop> {
        self.store.allow(read.saturating_mul(MADE_PER_BYTE));
        if let Some(packed) = packed {
            self.store.put_packed(entry, packed);
        }
        let Entry { at, kind, .. } = entry;
        let Type::Delta(base) = kind else {
            let id = self.settle(at, kind, content, None, out)?;
            return self.wake(at, id, out);
        };
        if self.store.get(base).is_none() {
            return if self.waiting.put(at, base, content) { Ok(()) } else { self.shed(at, content, out) };
        }
        match self.make(at, base, content, out)? {
            Some(id) => self.wake(at, id, out),
            None => Ok(()),
        }
    }

    /// Begins to give a difference that can not be applied.
    pub(super) fn begin_shed(&mut self, at: u64, out: &mut Out<'_>) -> Result<Inserted, Stop> {
        self.short = true;
        out.begin(format!("delta at {at}").as_bytes(), None)?;
        out.gap(0, Some(0))?;
        Ok(Inserted::default())
    }

    /// Gives what a difference inserts, since it can not be applied.
    pub(super) fn shed(&mut self, at: u64, content: &[u8], out: &mut Out<'_>) -> Result<(), Stop> {
        let mut inserted = self.begin_shed(at, out)?;
        inserted.feed(content, out)?;
        inserted.end(out)?;
        out.end();
        Ok(())
    }

    /// Gives what still waits for something, and says what could not be given as it should.
    pub(super) fn finish(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        for waiting in self.waiting.take_all() {
            self.shed(waiting.at, &waiting.content, out)?;
        }
        self.give_later(true, out)?;
        if mem::take(&mut self.short) { out.unread(b"", Unread::Size) } else { Ok(()) }
    }

    /// Makes all that waited for an object, and for what is made then.
    fn wake(&mut self, at: u64, id: Id, out: &mut Out<'_>) -> Result<(), Stop> {
        let mut todo = vec![(at, id)];
        while let Some((at, id)) = todo.pop() {
            for waiting in self.waiting.take(at, &id) {
                let made = self.make(waiting.at, Base::At(at), &waiting.content, out)?;
                todo.extend(made.map(|id| (waiting.at, id)));
            }
        }
        Ok(())
    }

    /// Makes an object of a difference and its base; nothing when that can not be.
    fn make(&mut self, at: u64, base: Base, content: &[u8], out: &mut Out<'_>) -> Result<Option<Id>, Stop> {
        let sizes = delta::sizes(content).filter(|(_, size)| *size <= OBJECT_MAX);
        let Some((base_size, size)) = sizes.filter(|(_, size)| self.store.spend(*size)) else {
            self.shed(at, content, out)?;
            return Ok(None);
        };
        let (Some((kind, base)), Ok(size)) = (self.store.get(base), usize::try_from(size)) else {
            self.shed(at, content, out)?;
            return Ok(None);
        };
        let made = if base_size == base.len() as u64 {
            delta::apply(content, base, size, &mut self.made, &mut self.added)
        } else {
            Err(delta::Damaged)
        };
        if made.is_err() {
            self.shed(at, content, out)?;
            out.unread(format!("delta at {at}").as_bytes(), Unread::Broken)?;
            return Ok(None);
        }
        let (made, added) = (mem::take(&mut self.made), mem::take(&mut self.added));
        let id = self.settle(at, kind, &made, Some(&added), out)?;
        (self.made, self.added) = (made, added);
        Ok(Some(id))
    }

    /// Names an object, gives it, or what was added to it, and keeps it for others.
    fn settle(
        &mut self,
        at: u64,
        kind: Type,
        content: &[u8],
        added: Option<&[Range<usize>]>,
        out: &mut Out<'_>,
    ) -> Result<Id, Stop> {
        let mut sum = Sha1::new_with_prefix(format!("{} {}\0", kind.word(), content.len()));
        sum.update(content);
        let id: Id = sum.finalize().into();
        let path = self.names.path(&id).unwrap_or_default();
        if kind == Type::Tree {
            self.names.learn(&id, content);
        } else if kind == Type::Blob && path.is_empty() && content.len() <= LATER_MAX && self.names.has_room() {
            self.later.put(id, content, added);
            self.give_later(false, out)?;
        } else {
            give(&id, path, content, added, out)?;
        }
        self.store.put(at, id, kind, content);
        Ok(id)
    }

    /// Gives the blobs that can not wait for a name any longer.
    fn give_later(&mut self, all: bool, out: &mut Out<'_>) -> Result<(), Stop> {
        while let Some(blob) = self.later.take(all) {
            let path = self.names.path(&blob.id).unwrap_or_default();
            give(&blob.id, path, &blob.content, blob.added.as_deref(), out)?;
        }
        Ok(())
    }
}

fn give(id: &Id, path: &[u8], content: &[u8], added: Option<&[Range<usize>]>, out: &mut Out<'_>) -> Result<(), Stop> {
    // Less of what was given already.
    if added.is_some_and(<[_]>::is_empty) {
        return Ok(());
    }
    let whole = content.len() <= WHOLE_MAX || is_archive(path, content);
    let mut name: Vec<u8> = id.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]).collect();
    if !path.is_empty() {
        name.push(b'/');
        name.extend_from_slice(path);
    }
    out.begin(&name, Some(content.len() as u64))?;
    match added.filter(|_| !whole) {
        None => out.long_body(content)?,
        Some(added) => {
            out.gap(0, Some(0))?;
            let mut at = 0;
            for range in added {
                let passed = content.get(at..range.start).unwrap_or_default();
                if !passed.is_empty() {
                    let lines = passed.iter().filter(|&&b| b == b'\n').count();
                    out.gap(passed.len() as u64, Some(lines as u64))?;
                }
                out.long_body(content.get(range.clone()).unwrap_or_default())?;
                at = range.end;
            }
        }
    }
    out.end();
    Ok(())
}

fn is_archive(path: &[u8], content: &[u8]) -> bool {
    recognise(path, content.get(..super::super::HEAD_LEN).unwrap_or(content)).is_some()
}

fn hex(digit: u8) -> u8 {
    match digit {
        0..10 => b'0' + digit,
        _ => b'a' + digit - 10,
    }
}
