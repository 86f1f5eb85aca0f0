//! Objects that others start from, as far as memory goes.
//!
//! The most recent are held as they are; more of them as the pack has them, compressed and as differences, which is
//! a tenth of the room or less, and are made again when they are needed, as git does it.

use flate2::{Decompress, FlushDecompress, Status};
use hashbrown::HashMap;

use super::{
    Id,
    delta::{self, apply},
    header::{Base, Entry, Type},
    lru::Lru,
};

/// Memory for objects as they are, in bytes; the largest take half of it.
const MADE_MAX: usize = 16 << 20;

/// Memory for objects as the pack has them. Packs of this size lose nothing; of a pack of 84 MB with 84,000
/// differences, about 500 did (a few thousand if the oldest went first, 39,000 with objects as they are).
const PACKED_MAX: usize = 64 << 20;

/// What it costs to make an object, apart from its bytes.
const COST: u64 = 1 << 10;

pub(super) struct Store {
    made: Lru<Object>,
    packed: Lru<Packed>,
    /// Of what is in `packed`.
    ids: HashMap<Id, u64>,
    /// Bytes that may still be made.
    budget: u64,
    inflate: Decompress,
    /// Room for what is inflated and what is made of it.
    buffer: Vec<u8>,
    result: Vec<u8>,
}

struct Object {
    kind: Type,
    content: Box<[u8]>,
}

/// An object as the pack has it.
struct Packed {
    kind: Type,
    /// Bytes when inflated; it was seen that this is true.
    size: u64,
    id: Option<Id>,
    bytes: Box<[u8]>,
}

impl Store {
    /// An empty store that may make so many bytes.
    pub(super) fn new(budget: u64) -> Self {
        Self {
            made: Lru::new(MADE_MAX),
            packed: Lru::new(PACKED_MAX),
            ids: HashMap::new(),
            budget,
            inflate: Decompress::new(true),
            buffer: Vec::new(),
            result: Vec::new(),
        }
    }

    /// Allows so many bytes more.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.budget = self.budget.saturating_add(bytes);
    }

    /// Counts an object of so many bytes; false when that goes beyond what is allowed.
    pub(super) fn spend(&mut self, bytes: u64) -> bool {
        let left = self.budget.checked_sub(bytes.saturating_add(COST));
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    /// Keeps an object as the pack has it.
    pub(super) fn put_packed(&mut self, entry: Entry, bytes: &[u8]) {
        let packed = Packed { kind: entry.kind, size: entry.size, id: None, bytes: bytes.into() };
        let ids = &mut self.ids;
        self.packed.put(entry.at, packed, bytes.len(), |at, packed| {
            if let Some(id) = packed.id.filter(|id| ids.get(id) == Some(&at)) {
                ids.remove(&id);
            }
        });
    }

    /// Keeps an object as it is, and its id.
    pub(super) fn put(&mut self, at: u64, id: Id, kind: Type, content: &[u8]) {
        if let Some(packed) = self.packed.get(at) {
            packed.id = Some(id);
            self.ids.insert(id, at);
        }
        self.put_made(at, kind, content);
    }

    /// The object a difference starts from, if it is here or can be made.
    pub(super) fn get(&mut self, base: Base) -> Option<(Type, &[u8])> {
        let at = self.find(base)?;
        if self.made.get(at).is_none() {
            self.make(at)?;
        }
        self.made.get(at).map(|object| (object.kind, &object.content[..]))
    }

    fn find(&self, base: Base) -> Option<u64> {
        match base {
            Base::At(at) => Some(at),
            Base::Id(id) => self.ids.get(&id).copied(),
        }
    }

    fn put_made(&mut self, at: u64, kind: Type, content: &[u8]) {
        self.made.put(at, Object { kind, content: content.into() }, content.len(), |_, _| {});
    }

    /// Makes an object and all that it starts from.
    fn make(&mut self, at: u64) -> Option<()> {
        // An object has an id once it was made, and an offset points back: so this way has an end.
        let mut differences = Vec::new();
        let mut next = at;
        let (kind, mut below) = loop {
            if let Some(object) = self.made.get(next) {
                break (object.kind, next);
            }
            match self.packed.get(next)?.kind {
                Type::Delta(base) => {
                    differences.push(next);
                    next = self.find(base)?;
                }
                kind => {
                    self.inflate(next)?;
                    let content = std::mem::take(&mut self.buffer);
                    self.put_made(next, kind, &content);
                    self.buffer = content;
                    break (kind, next);
                }
            }
        };
        while let Some(at) = differences.pop() {
            self.inflate(at)?;
            let size = delta::sizes(&self.buffer)?.1;
            let base = &self.made.get(below)?.content;
            apply(&self.buffer, base, usize::try_from(size).ok()?, &mut self.result, &mut Vec::new()).ok()?;
            if !self.spend(size) {
                return None;
            }
            let content = std::mem::take(&mut self.result);
            self.put_made(at, kind, &content);
            self.result = content;
            below = at;
        }
        Some(())
    }

    /// Inflates an object into the buffer.
    fn inflate(&mut self, at: u64) -> Option<()> {
        let size = self.packed.get(at)?.size;
        if !self.spend(size) {
            return None;
        }
        let packed = self.packed.get(at)?;
        self.buffer.resize(usize::try_from(size).ok()?, 0);
        self.inflate.reset(true);
        let status = self.inflate.decompress(&packed.bytes, &mut self.buffer, FlushDecompress::Finish);
        (status.is_ok_and(|status| status == Status::StreamEnd) && self.inflate.total_out() == size).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::testing::{noise, zlib},
        *,
    };

    fn put(store: &mut Store, at: u64, kind: Type, body: &[u8], made: &[u8]) {
        store.put_packed(Entry { at, kind, size: body.len() as u64 }, &zlib(body));
        store.put(at, [at as u8; 20], Type::Blob, made);
    }

    /// A store with objects of 1 MiB, each a difference to the one before.
    fn chain(budget: u64) -> (Store, Vec<u8>) {
        let mut store = Store::new(budget);
        let base = noise(1 << 20);
        put(&mut store, 0, Type::Blob, &base, &base);
        // All of the base, copied.
        let delta = b"\x80\x80\x40\x80\x80\x40\xf0\0\0\x10";
        for at in 1..100 {
            put(&mut store, at, Type::Delta(Base::At(at - 1)), delta, &base);
        }
        (store, base)
    }

    #[test]
    fn what_is_not_held_is_made_again() {
        let (mut store, base) = chain(1 << 30);
        assert!(store.made.get(1).is_none());
        for at in [Base::At(50), Base::Id([3; 20]), Base::At(99)] {
            assert!(store.get(at).is_some_and(|found| found == (Type::Blob, &base[..])));
        }
        assert!(store.get(Base::Id([100; 20])).is_none() && store.get(Base::At(100)).is_none());
    }

    #[test]
    fn no_more_is_made_than_is_allowed() {
        let (mut store, _) = chain(10 << 20);
        assert!(store.get(Base::At(20)).is_none() && store.get(Base::At(99)).is_some());
        store.allow(100 << 20);
        assert!(store.get(Base::At(20)).is_some());
    }

    #[test]
    fn ids_go_with_their_objects() {
        let mut store = Store::new(1 << 30);
        let bytes = noise(1 << 20);
        for at in 0..100 {
            store.put_packed(Entry { at, kind: Type::Blob, size: 1 }, &bytes);
            store.put(at, [at as u8; 20], Type::Blob, b"x");
        }
        assert!((60..64).contains(&store.ids.len()));
    }
}
