//! The bytes of a possible secret, in a type that can not be shown.

/// The bytes of a possible secret.
///
/// It has no `Debug`, no `Display` and no `Serialize`, and is not meant to get them: a value that can not be shown can
/// not slip into a report, a log or a message of a panic.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// Wraps the bytes of a match.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The bytes, for those who judge them.
    pub(in crate::probe::secret) fn bytes(self) -> &'a [u8] {
        self.0
    }
}
