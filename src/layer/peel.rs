//! Reads one layer: stored bytes ► digest ► decompression ► diffID ► tar ► facts, in one pass.
//!
//! The four jobs of a chunk (decompress the next, hash the stored bytes, hash the tar stream, read the tar stream) are
//! forked on the rayon pool and joined, so that one fat layer uses several cores and nothing ever waits for a
//! channel. Memory is two output chunks and one input chunk for each layer being read.

use std::{
    io::Read,
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::ThreadPool;
use sha2::{Digest as _, Sha256};

use crate::{
    layer::{
        ALIGN,
        build::Builder,
        decode::{Decoder, MAGIC_LEN, Step, recognise},
        error::PeelError,
        tar::{self, Feed, Trailer},
    },
    model::{Compression, Digest, LayerFacts, Notice},
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
    /// Archive entries of all layers of an image together; a layer that comes twice counts twice.
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
    /// Entries of all layers so far.
    pub image_entries: &'p AtomicU64,
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
        let (mut facts, diff_id) = self.pool.install(|| scan.finish())?;
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

    /// Counts a layer that was read before and comes again.
    ///
    /// # Errors
    /// [`PeelError::Limit`] when the image has too many entries with it.
    pub fn again(&self, facts: &LayerFacts) -> Result<(), PeelError> {
        self.count_entries(facts.entries.len() as u64)
    }

    fn count_entries(&self, more: u64) -> Result<(), PeelError> {
        let all = self.image_entries.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if all > self.limits.entries {
            return Err(PeelError::Limit(format!("the layers have more than {} entries", self.limits.entries)));
        }
        Ok(())
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
            let scanned = self.pool.install(|| rayon::join(|| input.hasher.update(&*chunk), || scan.read(&chunk)).1);
            input.chunk = chunk;
            input.hashed = true;
            scanned?;
            self.count(input.chunk.len() as u64, scan, input.bytes)?;
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
                    hasher.update(&**chunk);
                }
            };
            let decode = || match left {
                [] => decoder.flush(&mut next).map(|written| Step { read: 0, written }),
                _ => decoder.step(left, &mut next),
            };
            let read_ready = || rayon::join(|| diff_id.update(&ready), || scan.read(&ready)).1;
            let (step, scanned) = self.pool.install(|| rayon::join(decode, || rayon::join(hash_stored, read_ready).1));
            *hashed = true;
            let step = step?;
            *at += step.read;
            scanned?;
            self.count(step.written as u64, scan, input.bytes)?;
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

    fn count(&self, written: u64, scan: &mut Scan<'_>, stored: u64) -> Result<(), PeelError> {
        let entries = scan.builder.entries();
        self.count_entries(entries - std::mem::replace(&mut scan.counted, entries))?;
        let tar_bytes = scan.bytes;
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

/// Bytes that were read together, behind as many others as let them begin where the kernel writes fast.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    pad: usize,
}

impl Chunk {
    fn fill(&mut self, from: &mut dyn Read) -> std::io::Result<()> {
        self.bytes.clear();
        self.bytes.reserve(INPUT + ALIGN);
        self.pad = self.bytes.as_ptr().align_offset(ALIGN).min(ALIGN);
        self.bytes.resize(self.pad, 0);
        from.take(INPUT as u64).read_to_end(&mut self.bytes).map(drop)
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.pad..).unwrap_or_default()
    }
}

/// The stored bytes of a layer and what is known of them.
struct Input<'r> {
    stored: &'r mut dyn Read,
    hasher: Sha256,
    bytes: u64,
    chunk: Chunk,
    /// How much of the chunk was decompressed.
    at: usize,
    /// Whether the chunk went into the digest.
    hashed: bool,
}

impl<'r> Input<'r> {
    fn new(stored: &'r mut dyn Read) -> Self {
        Self { stored, hasher: Sha256::new(), bytes: 0, chunk: Chunk::default(), at: 0, hashed: true }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.chunk.fill(self.stored)?;
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
                self.hasher.update(&*self.chunk);
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
    /// Entries that were counted for the image.
    counted: u64,
    trailer: Trailer,
    /// Digest of the tar stream where it is not the stored bytes'.
    diff_id: Option<Digest>,
}

impl<'p> Scan<'p> {
    fn new(peeler: &Peeler<'p>) -> Self {
        let limits = tar::Limits { entries: peeler.limits.entries, name_bytes: peeler.limits.name_bytes };
        let builder = Builder::new(peeler.probes, peeler.limits);
        Self {
            feed: Some(Feed::new(limits)),
            builder,
            bytes: 0,
            counted: 0,
            trailer: Trailer::default(),
            diff_id: None,
        }
    }

    /// Reads the next piece, and searches what it put aside while it is there.
    fn read(&mut self, piece: &[u8]) -> Result<(), PeelError> {
        self.builder.lies_in(piece);
        let read = self.take(piece);
        if let Some((entries, batch)) = self.builder.batch() {
            let searched = batch.search(piece);
            self.builder.told(entries, searched);
        }
        read
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::layer::decode::DecodeError;
    use crate::layer::tar::testing::{archive, file, item};

    fn tar_stream() -> Vec<u8> {
        let large: Vec<u8> =
            (0..900_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 12).to_le_bytes()).collect();
        let (passwd, whiteout) = (file(b"etc/passwd", b"root:x:0:0::/:/bin/sh\n"), file(b"a/.wh.gone", b""));
        let link = item(b'1', b"b").link(b"large").bytes();
        archive(&[&passwd, &file(b"./large", &large), &link, &whiteout, &file(b"a/.wh..wh..opq", b"")])
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(data).expect("to memory");
        to.finish().expect("to memory")
    }

    fn digest(bytes: &[u8]) -> Digest {
        Digest::new(Sha256::digest(bytes).into())
    }

    fn promise(stored: &[u8], tar: &[u8]) -> Promise {
        Promise { blob: Some(digest(stored)), blob_bytes: Some(stored.len() as u64), diff_id: Some(digest(tar)) }
    }

    fn peel_with(stored: &[u8], promise: Promise, threads: usize, limits: Limits) -> Result<LayerFacts, PeelError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let probes = Probes::new([]);
        let [progress, image_bytes, image_entries] = [0; 3].map(AtomicU64::new);
        let peeler = Peeler {
            pool: &pool,
            probes: &probes,
            limits,
            progress: &progress,
            image_bytes: &image_bytes,
            image_entries: &image_entries,
        };
        peeler.peel(&mut &stored[..], promise)
    }

    fn peel(stored: &[u8], promise: Promise) -> Result<LayerFacts, PeelError> {
        peel_with(stored, promise, 2, Limits::default())
    }

    #[test]
    fn a_layer_says_the_same_however_it_is_stored_and_on_any_number_of_threads() {
        let tar = tar_stream();
        let plain = peel(&tar, promise(&tar, &tar)).expect("a good layer");
        assert_eq!(plain.diff_id, Some(digest(&tar)));
        assert_eq!(plain.whiteouts.len(), 2);
        let names: Vec<_> = plain.entries.iter().map(|e| String::from_utf8_lossy(e.path).into_owned()).collect();
        assert_eq!(names, ["etc/passwd", "large", "b"]);
        assert_eq!(plain.observations.len(), 1);
        let zstd = zstd::encode_all(&tar[..], 1).expect("to memory");
        for stored in [gzip(&tar), zstd] {
            for threads in [1, 3] {
                let mut facts = peel_with(&stored, promise(&stored, &tar), threads, Limits::default()).expect("good");
                assert_eq!(facts.blob, Some(digest(&stored)));
                assert_ne!(facts.compression, Compression::None);
                (facts.blob, facts.blob_bytes, facts.compression) = (plain.blob, plain.blob_bytes, plain.compression);
                assert_eq!(facts, plain);
            }
        }
    }

    #[test]
    fn facts_survive_the_way_through_a_store() {
        let tar = tar_stream();
        let facts = peel(&tar, Promise::default()).expect("a good layer");
        let stored = serde_json::to_vec(&facts).expect("serialisable");
        assert_eq!(serde_json::from_slice::<LayerFacts>(&stored).expect("readable"), facts);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_reported_by_the_blob_it_is_in() {
        let tar = tar_stream();
        for stored in [tar.clone(), gzip(&tar)] {
            let promise = promise(&stored, &tar);
            for at in (0..stored.len()).step_by(stored.len() / 23) {
                let mut broken = stored.clone();
                broken[at] ^= 4;
                match peel(&broken, promise) {
                    Err(PeelError::Blob { promised, .. }) => assert_eq!(Some(promised), promise.blob),
                    other => panic!("byte {at}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_layer_that_is_not_what_the_manifest_promises_is_refused() {
        let tar = tar_stream();
        let stored = gzip(&tar);
        let good = promise(&stored, &tar);
        let wrong = Some(digest(b"something else"));
        assert!(matches!(peel(&stored, Promise { diff_id: wrong, ..good }), Err(PeelError::DiffId { .. })));
        assert!(matches!(peel(&stored, Promise { blob: wrong, ..good }), Err(PeelError::Blob { .. })));
        for bytes in [0, good.blob_bytes.expect("set") - 1, good.blob_bytes.expect("set") + 1] {
            let promise = Promise { blob: None, blob_bytes: Some(bytes), ..good };
            assert!(matches!(peel(&stored, promise), Err(PeelError::BlobBytes { .. })), "{bytes}");
        }
        let cut = &stored[..stored.len() - 9];
        assert!(matches!(peel(cut, Promise::default()), Err(PeelError::Decode(DecodeError::Truncated(_)))));
    }

    #[test]
    fn limits_are_errors_by_name() {
        let bomb = gzip(&archive(&[&file(b"zeros", &vec![0; 3 << 20])]));
        let limits = Limits { image_bytes: 2 << 20, ..Limits::default() };
        assert!(matches!(peel_with(&bomb, Promise::default(), 2, limits), Err(PeelError::Limit(_))));
        let limits = Limits { entries: 2, ..Limits::default() };
        assert!(matches!(peel_with(&tar_stream(), Promise::default(), 2, limits), Err(PeelError::Tar(_))));
        let deep = archive(&[&file(b"a/b/c/x", b""), &file(b"a/d/e/x", b"")]);
        let limits = |entries| Limits { entries, ..Limits::default() };
        assert!(peel_with(&deep, Promise::default(), 2, limits(5)).is_ok());
        assert!(matches!(peel_with(&deep, Promise::default(), 2, limits(4)), Err(PeelError::Limit(_))));
    }

    #[test]
    fn an_empty_layer_is_a_layer() {
        let facts = peel(b"", Promise::default()).expect("engines take it");
        assert!(facts.entries.is_empty());
    }

    #[test]
    fn a_whiteout_of_nothing_is_refused_as_engines_do() {
        for name in [&b"a/.wh."[..], b".wh...", b"x/.wh.."] {
            let tar = archive(&[&file(name, b"")]);
            assert!(matches!(peel(&tar, Promise::default()), Err(PeelError::Entry { .. })), "{name:?}");
        }
    }
}
