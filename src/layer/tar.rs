//! Reads tar streams as Go's `archive/tar` does, since that is what container engines use.
//!
//! What Go accepts is accepted, what Go refuses is refused, and an entry has the kind, name, size and link that Go
//! gives it. One state machine (`machine`) eats 512-byte blocks; [`Feed`] pushes a stream of chunks of any size
//! through it without copying bodies, [`Pull`] reads from a reader and can seek over bodies. No file is written,
//! nothing is unpacked, names are not cleaned and whiteouts not understood here.
//!
//! Formats: POSIX.1-2017 `pax` ("ustar Interchange Format", "pax Interchange Format"), the GNU tar manual ("Basic Tar
//! Format", "Storing Sparse Files"), and the reader of Go's standard library for everything they leave open.
//!
//! Stricter than Go in three places, none of which real archives reach: the map of an old GNU sparse file is held to
//! [`EXTENSION_MAX`] (Go has that limit for all other extension data), a sparse file whose map does not add up to its
//! stored bytes is refused at its header (Go says so when the body is read), and the caller's [`Limits`].

mod feed;
mod machine;
mod number;
mod pax;
mod pull;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::{
    feed::{Feed, Sink, Trailer},
    pull::{Pull, PullError},
};

/// Largest extension (PAX records, GNU long name, sparse map) that is read, in bytes.
///
/// Go's `maxSpecialFileSize`, which is also libarchive's number; for PAX 1.0 sparse maps since Go 1.24.8 and 1.25.2
/// (CVE-2025-58183).
pub const EXTENSION_MAX: u64 = 1 << 20;

/// Bytes in a block; headers, extensions and bodies start on a multiple of it.
const BLOCK: usize = 512;

/// One block of the archive.
type Block = [u8; BLOCK];

/// One entry, after PAX and GNU extensions were applied.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// The name as the archive has it: not cleaned, may be empty, absolute or climb with `..`.
    pub path: Vec<u8>,
    /// The target of a link, as the archive has it.
    pub link: Vec<u8>,
    /// What the entry is.
    pub kind: EntryKind,
    /// The type flag behind `kind`; Go's `Typeflag`, so the NUL of old archives is already `0` or `5`.
    ///
    /// Engines refuse some flags that are [`EntryKind::File`] here: `7` and, if old GNU sparse, `S`.
    pub flag: u8,
    /// Bytes of the file; of a sparse file the expanded size. Nothing backs it but the archive's word.
    pub size: u64,
    /// Bytes of body that follow in the archive. Equals `size` unless `sparse` is set.
    pub stored: u64,
    /// Permission bits; higher bits of the field are kept as found, cut to 32.
    pub mode: u32,
    /// Owner, cut to 32 bits as the `chown` system call cuts it.
    pub uid: u32,
    /// Group, cut like `uid`.
    pub gid: u32,
    /// Extended attributes (PAX `SCHILY.xattr.*`) by name; sorted, each name once.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// For a sparse file where its stored bytes belong, in order and without overlap; everything else is a hole.
    ///
    /// The fragments' lengths add up to `stored`. Holes are never expanded: a body is the stored bytes.
    pub sparse: Option<Vec<Fragment>>,
}

/// A run of stored bytes in a sparse file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fragment {
    /// Where it starts in the expanded file.
    pub offset: u64,
    /// Its length in bytes; may be 0.
    pub len: u64,
}

/// What an entry is, by its type flag.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EntryKind {
    /// A regular file: flags `0`, `7`, `S` and NUL.
    #[default]
    File,
    /// Another name of an earlier entry (`1`); has no body, whatever its size field says.
    Hardlink,
    /// A symbolic link (`2`); no body.
    Symlink,
    /// A character device (`3`); no body.
    Char {
        /// Major number, cut to 32 bits.
        major: u32,
        /// Minor number, cut to 32 bits.
        minor: u32,
    },
    /// A block device (`4`); no body.
    Block {
        /// Major number, cut to 32 bits.
        major: u32,
        /// Minor number, cut to 32 bits.
        minor: u32,
    },
    /// A directory: flag `5`, or NUL with a name that ends in a slash; no body.
    Dir,
    /// A named pipe (`6`); no body.
    Fifo,
    /// A PAX global header (`g`): only `path` and `xattrs` mean something, and both are empty when one of its
    /// records is not a number where it should be. It changes no later entry, as in Go.
    Global,
    /// Any other flag; its body is the size field's.
    Other(u8),
}

/// What one stream may ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Entries, PAX global headers included.
    pub entries: u64,
    /// Bytes of paths and link targets over all entries.
    pub name_bytes: u64,
}

/// Why a tar stream can not be read further.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[error("{reason}, at byte {offset} of the tar stream")]
pub struct TarError {
    /// Where the block that showed it starts, in bytes from the start of the stream.
    pub offset: u64,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a tar stream.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum Reason {
    /// Damage, or no tar at all.
    #[error("this is no tar header: its checksum does not match")]
    Checksum,
    /// A number of a header block is neither octal nor base-256, or too large.
    #[error("the header's {0} is not a number")]
    Number(&'static str),
    /// A size below zero on an entry that can have a body.
    #[error("the entry's size is negative")]
    NegativeSize,
    /// A zero block starts the end marker, and something else follows.
    #[error("a lone zero block is followed by more data")]
    LoneZeroBlock,
    /// The stream ends too early.
    #[error("the tar stream ends inside {0}")]
    Truncated(Part),
    /// Extension data above [`EXTENSION_MAX`].
    #[error("{0} is longer than 1 MiB")]
    ExtensionTooLong(Part),
    /// A PAX record that is not `<length> <key>=<value>\n`, or holds a NUL byte where none may be.
    #[error("a PAX record is malformed")]
    PaxRecord,
    /// A PAX value that should be a number or a time.
    #[error("the PAX record {0} is not a number")]
    PaxNumber(&'static str),
    /// A sparse map that is not one, or that does not fit the file.
    #[error("the sparse file's map is wrong: {0}")]
    SparseMap(&'static str),
    /// A sparse map that does not add up to the bytes stored.
    #[error("the sparse file's map wants {mapped} bytes, the archive stores {stored}")]
    SparseData {
        /// Sum of the fragments.
        mapped: u64,
        /// Bytes stored.
        stored: u64,
    },
    /// More entries than [`Limits::entries`].
    #[error("limit exceeded: more than {0} entries")]
    TooManyEntries(u64),
    /// More name bytes than [`Limits::name_bytes`].
    #[error("limit exceeded: more than {0} bytes of file names")]
    TooManyNameBytes(u64),
    /// Reading went on after the sink or the reader had failed.
    #[error("reading had stopped before")]
    Stopped,
}

/// A part of a tar stream.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub enum Part {
    /// A header block.
    #[error("a header")]
    Header,
    /// PAX records, or a GNU long name.
    #[error("an extension header")]
    Extension,
    /// A sparse map.
    #[error("a sparse map")]
    SparseMap,
    /// A body.
    #[error("a file")]
    Body,
    /// The end marker.
    #[error("the end marker")]
    EndMarker,
}
