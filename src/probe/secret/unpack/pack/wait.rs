//! Differences whose base did not come yet. Git puts it in front, except in packs that it fetched and then completed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Id, header::Base};

/// Memory for what waits, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// Memory for a difference apart from its content.
const WAITING_BYTES: usize = 256;

#[derive(Default)]
pub(super) struct Waiting {
    by_base: BTreeMap<Base, Vec<Delta>>,
    offsets: BTreeSet<u64>,
    bytes: usize,
}

/// A difference that waits.
pub(super) struct Delta {
    /// Where it starts in the pack.
    pub(super) at: u64,
    pub(super) content: Box<[u8]>,
}

impl Waiting {
    /// Keeps a difference until its base comes, if it may come and there is room; tells whether it does.
    pub(super) fn put(&mut self, at: u64, base: Base, content: &[u8]) -> bool {
        // What an offset points to lies before; it is not there any more unless it waits itself.
        let may_come = match base {
            Base::At(base) => self.offsets.contains(&base),
            Base::Id(_) => true,
        };
        let bytes = self.bytes.saturating_add(content.len() + WAITING_BYTES);
        if !may_come || bytes > BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.offsets.insert(at);
        self.by_base.entry(base).or_default().push(Delta { at, content: content.into() });
        true
    }

    /// Those that waited for an object.
    pub(super) fn take(&mut self, at: u64, id: &Id) -> Vec<Delta> {
        if self.by_base.is_empty() {
            return Vec::new();
        }
        let bases = [Base::At(at), Base::Id(*id)];
        let taken: Vec<_> = bases.iter().filter_map(|base| self.by_base.remove(base)).flatten().collect();
        for delta in &taken {
            self.offsets.remove(&delta.at);
            self.bytes -= delta.content.len() + WAITING_BYTES;
        }
        taken
    }

    /// All that still wait, in the order of the pack.
    pub(super) fn take_all(&mut self) -> Vec<Delta> {
        let mut all: Vec<_> = std::mem::take(self).by_base.into_values().flatten().collect();
        all.sort_unstable_by_key(|delta| delta.at);
        all
    }
}
