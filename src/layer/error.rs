//! Why a layer can not be judged.

use crate::{
    layer::{decode::DecodeError, tar::TarError},
    model::{Digest, path},
};

/// Why a layer can not be judged.
#[derive(Debug, thiserror::Error)]
pub enum PeelError {
    /// The stored bytes can not be read.
    #[error("the stored bytes can not be read: {0}")]
    Read(#[from] std::io::Error),
    /// The compression is unknown or broken.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The tar stream is broken.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// An entry that engines refuse.
    #[error("{what}: \"{}\"", path::escape(.name))]
    Entry {
        /// What is wrong with it.
        what: &'static str,
        /// Its name.
        name: Vec<u8>,
    },
    /// A limit was reached.
    #[error("limit exceeded: {0}")]
    Limit(String),
    /// The stored bytes are not the promised ones.
    #[error("blob {promised} does not match its digest: its {bytes} bytes have {got}")]
    Blob {
        /// The digest in the manifest.
        promised: Digest,
        /// The digest of what was read.
        got: Digest,
        /// What was read, in bytes.
        bytes: u64,
    },
    /// There are more or fewer stored bytes than promised.
    #[error("the manifest promises {promised} bytes, the blob has {got}")]
    BlobBytes {
        /// In the manifest.
        promised: u64,
        /// In the source.
        got: u64,
    },
    /// The tar stream is not the promised one.
    #[error("the layer's content does not match its diffID {promised}: it has {got}")]
    DiffId {
        /// In the configuration.
        promised: Digest,
        /// Of what was read.
        got: Digest,
    },
}
