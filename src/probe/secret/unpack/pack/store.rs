//! Objects that others may be made from, up to a limit; the one that was not needed for longest goes first.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::{
    Id,
    header::{Base, Type},
};

/// Memory for objects, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Memory for an object apart from its content.
const OBJECT_BYTES: usize = 256;

#[derive(Default)]
pub(super) struct Store {
    objects: HashMap<u64, Object>,
    ids: HashMap<Id, u64>,
    /// Every use, oldest first: when, and of which object. A use that is not the object's last one means nothing.
    uses: VecDeque<(u64, u64)>,
    clock: u64,
    bytes: usize,
}

struct Object {
    id: Id,
    kind: Type,
    content: Box<[u8]>,
    used: u64,
}

impl Store {
    /// Keeps an object.
    pub(super) fn put(&mut self, at: u64, id: Id, kind: Type, content: &[u8]) {
        self.bytes += content.len() + OBJECT_BYTES;
        self.ids.insert(id, at);
        let before = self.objects.insert(at, Object { id, kind, content: content.into(), used: 0 });
        debug_assert!(before.is_none(), "each offset comes once");
        self.touch(at);
        while self.bytes > BYTES_MAX
            && let Some((used, at)) = self.uses.pop_front()
        {
            if self.objects.get(&at).is_some_and(|object| object.used == used) {
                self.drop(at);
            }
        }
    }

    /// The object a difference starts from, and where it is.
    pub(super) fn get(&mut self, base: Base) -> Option<(Type, &[u8])> {
        let at = match base {
            Base::At(at) => at,
            Base::Id(id) => *self.ids.get(&id)?,
        };
        self.touch(at);
        self.objects.get(&at).map(|object| (object.kind, &object.content[..]))
    }

    fn touch(&mut self, at: u64) {
        let Some(object) = self.objects.get_mut(&at) else { return };
        self.clock += 1;
        object.used = self.clock;
        self.uses.push_back((self.clock, at));
        if self.uses.len() > 4 * self.objects.len() + 64 {
            self.uses.retain(|(used, at)| self.objects.get(at).is_some_and(|object| object.used == *used));
        }
    }

    fn drop(&mut self, at: u64) {
        if let Some(object) = self.objects.remove(&at) {
            self.bytes -= object.content.len() + OBJECT_BYTES;
            if self.ids.get(&object.id) == Some(&at) {
                self.ids.remove(&object.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_stays() {
        let mut store = Store::default();
        let body = vec![0; 1 << 20];
        for at in 0..200 {
            store.put(at, [at as u8; 20], Type::Blob, &body);
            assert!(store.get(Base::Id([0; 20])).is_some());
        }
        assert!(store.get(Base::At(199)).is_some() && store.get(Base::At(150)).is_some());
        assert!(store.get(Base::At(100)).is_none() && store.get(Base::Id([100; 20])).is_none());
        assert!(store.bytes <= BYTES_MAX && store.objects.len() == store.ids.len());
    }

    #[test]
    fn many_uses_of_few_objects_take_no_memory() {
        let mut store = Store::default();
        store.put(1, [1; 20], Type::Tree, b"");
        for _ in 0..10_000 {
            assert!(store.get(Base::At(1)).is_some());
        }
        assert!(store.uses.len() < 100);
    }
}
