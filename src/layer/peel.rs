//! Reads one layer: stored bytes ► digest ► decompression ► diffID ► tar ► facts, in one pass.
//!
//! The four jobs of a chunk (decompress the next, hash the stored bytes, hash the tar stream, read the tar stream) are
//! forked on the rayon pool and joined, so that one fat layer uses several cores and nothing ever waits for a
//! channel. Memory is two output chunks and one input chunk for each layer being read.

use std::{
    io::Read,
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::ThreadPool;
use sha2::{Digest as _, Sha256};

use crate::{
    layer::{
        build::Builder,
        decode::{DecodeError, Decoder, MAGIC_LEN, Step, recognise},
        tar::{self, Feed, TarError, Trailer},
    },
    model::{Compression, Digest, LayerFacts, Notice, path},
    probe::Probes,
};

/// Stored bytes read at a time.
const INPUT: usize = 512 << 10;

/// Bytes of the tar stream handled at a time: with both buffers still in a second-level cache.
const OUTPUT: usize = 512 << 10;

/// Bytes of the tar stream before the ratio limit is looked at: small layers of zeros are common and harmless.
const RATIO_FROM: u64 = 1 << 30;

/// What an image may ask for; each has a command-line option, and `docs/limits.md` gives the reasons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Uncompressed bytes of all layers of an image together.
    pub image_bytes: u64,
    /// Uncompressed bytes for each stored byte, in layers of more than 1 GiB.
    pub ratio: u64,
    /// Archive entries of one layer.
    pub entries: u64,
    /// Bytes of file names of one layer.
    pub name_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { image_bytes: 256 << 30, ratio: 200, entries: 10_000_000, name_bytes: 1 << 30 }
    }
}

/// What the manifest promises of a layer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Promise {
    /// Digest of the stored bytes.
    pub blob: Option<Digest>,
    /// Number of stored bytes.
    pub blob_bytes: Option<u64>,
    /// Digest of the tar stream.
    pub diff_id: Option<Digest>,
}

impl Promise {
    /// Whether what was read is what was promised.
    ///
    /// # Errors
    /// [`PeelError::Blob`], [`PeelError::BlobBytes`] or [`PeelError::DiffId`].
    pub fn check(&self, facts: &LayerFacts) -> Result<(), PeelError> {
        let bytes = facts.blob_bytes;
        match (self.blob, facts.blob) {
            (Some(promised), Some(got)) if promised != got => return Err(PeelError::Blob { promised, got, bytes }),
            _ => {}
        }
        if let Some(promised) = self.blob_bytes.filter(|p| *p != bytes) {
            return Err(PeelError::BlobBytes { promised, got: bytes });
        }
        match (self.diff_id, facts.diff_id) {
            (Some(promised), Some(got)) if promised != got => Err(PeelError::DiffId { promised, got }),
            _ => Ok(()),
        }
    }
}

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

/// Reads layers of one image.
pub struct Peeler<'p> {
    /// Where the jobs run.
    pub pool: &'p ThreadPool,
    /// What is looked for in files.
    pub probes: &'p Probes,
    /// What the image may ask for.
    pub limits: Limits,
    /// Stored bytes read so far, for a progress bar.
    pub progress: &'p AtomicU64,
    /// Uncompressed bytes of all layers so far.
    pub image_bytes: &'p AtomicU64,
}

impl Peeler<'_> {
    /// Reads a whole layer and checks every digest that was promised.
    ///
    /// Call it from a thread outside the pool: it may wait for `stored`, and a task of the pool must not.
    ///
    /// # Errors
    /// Whatever stops the reading. A blob that is damaged *and* has the wrong digest is reported by its digest.
    pub fn peel(&self, stored: &mut dyn Read, promise: Promise) -> Result<LayerFacts, PeelError> {
        let mut input = Input::new(stored);
        let mut scan = Scan::new(self);
        let result = self.read(&mut input, &mut scan, promise);
        let (compression, ignored) = match result {
            Ok(done) => done,
            Err(error @ (PeelError::Read(_) | PeelError::Limit(_))) => return Err(error),
            Err(error) => return Err(input.drain(promise).unwrap_or(error)),
        };
        let blob = input.digest();
        let (mut facts, diff_id) = scan.finish()?;
        let diff_id = diff_id.unwrap_or(blob);
        facts.blob = Some(blob);
        facts.diff_id = Some(diff_id);
        facts.blob_bytes = input.bytes;
        facts.compression = compression;
        promise.check(&facts)?;
        if ignored > 0 {
            facts.notices.push(Notice {
                path: None,
                text: format!("{ignored} bytes behind the compressed stream were ignored, as engines do"),
                unread: false,
            });
        }
        Ok(facts)
    }

    fn read(
        &self,
        input: &mut Input<'_>,
        scan: &mut Scan<'_>,
        promise: Promise,
    ) -> Result<(Compression, u64), PeelError> {
        self.fill(input, promise)?;
        let compression = recognise(&input.chunk[..input.chunk.len().min(MAGIC_LEN)])?;
        let ignored = match compression {
            Compression::None => self.read_plain(input, scan, promise)?,
            _ => self.read_compressed(Decoder::new(compression)?, input, scan, promise)?,
        };
        scan.end()?;
        Ok((compression, ignored))
    }

    /// Hashes and reads each chunk; the stored bytes are the tar stream, so one digest is both.
    fn read_plain(&self, input: &mut Input<'_>, scan: &mut Scan<'_>, promise: Promise) -> Result<u64, PeelError> {
        while !input.is_over() {
            let chunk = std::mem::take(&mut input.chunk);
            let scanned = self.pool.install(|| rayon::join(|| input.hasher.update(&chunk), || scan.take(&chunk)).1);
            input.chunk = chunk;
            input.hashed = true;
            scanned?;
            self.count(input.chunk.len() as u64, scan.bytes, input.bytes)?;
            self.fill(input, promise)?;
        }
        Ok(0)
    }

    /// Decompresses the next piece while the last one is hashed and read.
    fn read_compressed(
        &self,
        mut decoder: Decoder,
        input: &mut Input<'_>,
        scan: &mut Scan<'_>,
        promise: Promise,
    ) -> Result<u64, PeelError> {
        let mut diff_id = Sha256::new();
        let (mut ready, mut next) = (Vec::with_capacity(OUTPUT), vec![0; OUTPUT]);
        loop {
            let Input { chunk, hasher, at, hashed, .. } = &mut *input;
            let left = &chunk[*at..];
            let hash_stored = || {
                if !*hashed {
                    hasher.update(chunk.as_slice());
                }
            };
            let decode = || match left {
                [] => decoder.flush(&mut next).map(|written| Step { read: 0, written }),
                _ => decoder.step(left, &mut next),
            };
            let read_ready = || rayon::join(|| diff_id.update(&ready), || scan.take(&ready)).1;
            let (step, scanned) = self.pool.install(|| rayon::join(decode, || rayon::join(hash_stored, read_ready).1));
            *hashed = true;
            let step = step?;
            *at += step.read;
            scanned?;
            self.count(step.written as u64, scan.bytes, input.bytes)?;
            std::mem::swap(&mut ready, &mut next);
            ready.truncate(step.written);
            next.resize(OUTPUT, 0);
            if input.at < input.chunk.len() || step.written > 0 && input.is_over() {
                continue;
            }
            if input.is_over() {
                break;
            }
            self.fill(input, promise)?;
        }
        scan.diff_id = Some(Digest::new(diff_id.finalize().into()));
        Ok(decoder.finish()?)
    }

    /// Reads the next chunk of stored bytes.
    fn fill(&self, input: &mut Input<'_>, promise: Promise) -> Result<(), PeelError> {
        input.fill()?;
        self.progress.fetch_add(input.chunk.len() as u64, Ordering::Relaxed);
        match promise.blob_bytes {
            Some(promised) if input.bytes > promised => Err(PeelError::BlobBytes { promised, got: input.bytes }),
            _ => Ok(()),
        }
    }

    fn count(&self, written: u64, tar_bytes: u64, stored: u64) -> Result<(), PeelError> {
        let image = self.image_bytes.fetch_add(written, Ordering::Relaxed).saturating_add(written);
        if image > self.limits.image_bytes {
            return Err(PeelError::Limit(format!("the layers unpack to more than {} bytes", self.limits.image_bytes)));
        }
        if tar_bytes > RATIO_FROM && tar_bytes / stored.max(1) > self.limits.ratio {
            let ratio = self.limits.ratio;
            return Err(PeelError::Limit(format!("the layer unpacks to more than {ratio} times its stored size")));
        }
        Ok(())
    }
}

/// The stored bytes of a layer and what is known of them.
struct Input<'r> {
    stored: &'r mut dyn Read,
    hasher: Sha256,
    bytes: u64,
    chunk: Vec<u8>,
    /// How much of the chunk was decompressed.
    at: usize,
    /// Whether the chunk went into the digest.
    hashed: bool,
}

impl<'r> Input<'r> {
    fn new(stored: &'r mut dyn Read) -> Self {
        Self { stored, hasher: Sha256::new(), bytes: 0, chunk: Vec::with_capacity(INPUT), at: 0, hashed: true }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.chunk.clear();
        (&mut *self.stored).take(INPUT as u64).read_to_end(&mut self.chunk)?;
        self.bytes += self.chunk.len() as u64;
        self.at = 0;
        self.hashed = false;
        Ok(())
    }

    /// Whether the last fill found the end.
    fn is_over(&self) -> bool {
        self.chunk.is_empty()
    }

    fn digest(&self) -> Digest {
        Digest::new(self.hasher.clone().finalize().into())
    }

    /// Reads what is left of a layer that failed, to tell whether it is the promised blob at all: a wrong digest
    /// explains everything else.
    fn drain(&mut self, promise: Promise) -> Option<PeelError> {
        let promised = promise.blob?;
        let most = promise.blob_bytes.unwrap_or(u64::MAX);
        loop {
            if !self.hashed {
                self.hasher.update(&self.chunk);
            }
            if self.is_over() || self.bytes > most {
                break;
            }
            self.fill().ok()?;
        }
        let got = self.digest();
        (got != promised).then_some(PeelError::Blob { promised, got, bytes: self.bytes })
    }
}

/// The reader of the tar stream.
struct Scan<'p> {
    feed: Option<Feed>,
    builder: Builder<'p>,
    bytes: u64,
    trailer: Trailer,
    /// Digest of the tar stream where it is not the stored bytes'.
    diff_id: Option<Digest>,
}

impl<'p> Scan<'p> {
    fn new(peeler: &Peeler<'p>) -> Self {
        let limits = tar::Limits { entries: peeler.limits.entries, name_bytes: peeler.limits.name_bytes };
        let builder = Builder::new(peeler.probes);
        Self { feed: Some(Feed::new(limits)), builder, bytes: 0, trailer: Trailer::default(), diff_id: None }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), PeelError> {
        self.bytes += piece.len() as u64;
        match &mut self.feed {
            Some(feed) => feed.feed(piece, &mut self.builder),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), PeelError> {
        if let Some(feed) = self.feed.take() {
            self.trailer = feed.finish(&mut self.builder)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(LayerFacts, Option<Digest>), PeelError> {
        let mut facts = self.builder.finish();
        facts.tar_bytes = self.bytes;
        if self.trailer.trailing_nonzero {
            let count = self.trailer.trailing_bytes;
            facts.notices.push(Notice {
                path: None,
                text: format!("{count} bytes follow the end of the archive; engines never read them"),
                unread: false,
            });
        }
        Ok((facts, self.diff_id))
    }
}
