//! Blobs whose name was not seen yet: they wait for a tree that knows them, as long as there is room.
//!
//! In the packs of `git gc` most trees come first, in those that a server sends often not.

use std::{collections::VecDeque, ops::Range};

use super::Id;

/// Memory for blobs, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// Memory for a blob apart from its content.
const BLOB_BYTES: usize = 128;

/// Largest blob that waits. What is known by its name is small: configuration, settings, keys.
pub(super) const LATER_MAX: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Later {
    blobs: VecDeque<Blob>,
    bytes: usize,
}

/// A blob that waits.
pub(super) struct Blob {
    pub(super) id: Id,
    pub(super) content: Box<[u8]>,
    pub(super) added: Option<Box<[Range<usize>]>>,
}

impl Later {
    /// Keeps a blob.
    pub(super) fn put(&mut self, id: Id, content: &[u8], added: Option<&[Range<usize>]>) {
        let blob = Blob { id, content: content.into(), added: added.map(Into::into) };
        self.bytes += blob.bytes();
        self.blobs.push_back(blob);
    }

    /// The blob that waits for longest, when there is no room for all; or at last, `whatever` room there is.
    pub(super) fn take(&mut self, whatever: bool) -> Option<Blob> {
        if !whatever && self.bytes <= BYTES_MAX {
            return None;
        }
        let blob = self.blobs.pop_front()?;
        self.bytes -= blob.bytes();
        Some(blob)
    }
}

impl Blob {
    fn bytes(&self) -> usize {
        let added = self.added.as_ref().map_or(0, |added| size_of_val(&**added));
        BLOB_BYTES + self.content.len() + added
    }
}
