//! A table by offset with a limit in bytes: what was not used for longest goes first.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// Memory for an item apart from its content.
const ITEM_BYTES: usize = 192;

pub(super) struct Lru<V> {
    items: HashMap<u64, Item<V>>,
    /// Every use, oldest first: when, and of which item. A use that is not the item's last one means nothing.
    uses: VecDeque<(u64, u64)>,
    clock: u64,
    bytes: usize,
    most: usize,
}

struct Item<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<V> Lru<V> {
    /// An empty table of at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { items: HashMap::new(), uses: VecDeque::new(), clock: 0, bytes: 0, most }
    }

    /// Puts an item of so many bytes in the place of what is there, and tells which ones had to go.
    pub(super) fn put(&mut self, at: u64, value: V, bytes: usize, mut gone: impl FnMut(u64, V)) {
        let bytes = bytes + ITEM_BYTES;
        self.bytes += bytes;
        if let Some(before) = self.items.insert(at, Item { value, bytes, used: 0 }) {
            self.bytes -= before.bytes;
        }
        self.touch(at);
        while self.bytes > self.most
            && let Some((used, at)) = self.uses.pop_front()
        {
            if self.items.get(&at).is_some_and(|item| item.used == used)
                && let Some(item) = self.items.remove(&at)
            {
                self.bytes -= item.bytes;
                gone(at, item.value);
            }
        }
    }

    /// Uses an item.
    pub(super) fn get(&mut self, at: u64) -> Option<&mut V> {
        self.touch(at);
        self.items.get_mut(&at).map(|item| &mut item.value)
    }

    fn touch(&mut self, at: u64) {
        let Some(item) = self.items.get_mut(&at) else { return };
        self.clock += 1;
        item.used = self.clock;
        self.uses.push_back((self.clock, at));
        if self.uses.len() > 4 * self.items.len() + 64 {
            self.uses.retain(|(used, at)| self.items.get(at).is_some_and(|item| item.used == *used));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut table = Lru::new(100 * (ITEM_BYTES + 1_000));
        let mut gone = Vec::new();
        for at in 0..300 {
            table.put(at, at, 1_000, |at, value| gone.push((at, value)));
            assert_eq!(table.get(0), Some(&mut 0));
        }
        let expected: Vec<_> = (1..=200).map(|at| (at, at)).collect();
        assert_eq!(gone, expected);
        assert_eq!(table.items.len(), 100);
        assert_eq!(table.get(200), None);
        assert_eq!(table.get(201), Some(&mut 201));
    }

    #[test]
    fn an_item_may_be_replaced() {
        let mut table = Lru::new(2_000);
        for n in 0..100 {
            table.put(1, n, 500, |_, _| panic!("there is room for one"));
        }
        assert_eq!(table.get(1), Some(&mut 99));
        assert_eq!(table.bytes, 500 + ITEM_BYTES);
    }

    #[test]
    fn many_uses_of_few_items_take_no_memory() {
        let mut table = Lru::new(1_000);
        table.put(1, (), 0, |_, ()| {});
        for _ in 0..10_000 {
            assert!(table.get(1).is_some());
        }
        assert!(table.uses.len() < 100);
    }
}
