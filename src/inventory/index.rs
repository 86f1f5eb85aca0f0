//! Finds the position of a path in a list of paths that somebody else holds.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Positions by path; the paths themselves stay where they are.
///
/// A binary search would do, but takes some twenty cache misses for each of the hundred thousand paths that package
/// databases list.
#[derive(Default)]
pub(super) struct PathIndex {
    hasher: DefaultHashBuilder,
    /// Hash, so that growing asks for no path again, and position.
    table: HashTable<(u64, u32)>,
}

impl PathIndex {
    /// Indexes sorted paths by their position; of equal paths the first counts.
    pub fn build<'a>(paths: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut table = HashTable::with_capacity(paths.len());
        let mut last = None;
        for (at, path) in paths.enumerate() {
            if last.replace(path) == Some(path) {
                continue;
            }
            let hash = hasher.hash_one(path);
            table.insert_unique(hash, (hash, at as u32), |(hash, _)| *hash);
        }
        Self { hasher, table }
    }

    /// The position of a path; `is_it` tells whether a candidate is the one.
    pub fn find(&self, path: &[u8], is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let wanted = self.hasher.hash_one(path);
        self.table.find(wanted, |(hash, at)| *hash == wanted && is_it(*at)).map(|(_, at)| *at)
    }
}
