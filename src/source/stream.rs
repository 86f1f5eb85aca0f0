//! Images that come once, from start to end: standard input, compressed archives, an engine's export.
//!
//! Which members are layers may only be known at the end, since the manifest may come last; so everything that can
//! be a layer is offered, and documents are kept. No file is written, and memory is bounded.

use std::{
    collections::{HashMap, HashSet},
    io::{self, BufReader, Read},
};

use flate2::bufread::MultiGzDecoder;

use super::{
    contents::{ARCHIVE_LIMITS, Contents},
    document::cut,
    resolve::{self, CONFIG_MAX, Member, Members, Resolved, Wanted},
};
use crate::{
    error::{Error, Result},
    layer::tar::{EntryKind, Pull, PullError},
    model::{Digest, ImageInfo},
};

/// Most bytes of documents kept until the end.
const KEPT_MAX: u64 = 64 << 20;

/// Most bytes that may follow the end of the archive; GNU tar pads to 10 KiB, tapes to a few hundred.
const TAIL_MAX: u64 = 16 << 20;

/// How much of a member is looked at to tell a document from a layer: one tar header.
const HEAD: usize = 512;

/// Largest zstd window, as a power of two: 128 MiB, what the zstd command takes without being told more.
const WINDOW_LOG_MAX: u32 = 27;

/// An image that is read once.
pub struct Stream {
    body: Body,
    wanted: Wanted,
    contents: Contents,
    documents: HashMap<String, Vec<u8>>,
    kept: u64,
    offered: HashSet<String>,
    check: Option<Check>,
    notes: Vec<String>,
}

/// A look at what was found at the end, by whoever opened the stream.
pub(super) type Check = Box<dyn FnOnce(&mut Resolved) -> Result<()> + Send>;

/// A member that may be a layer.
pub struct Blob<'s> {
    /// Its name; [`Stream::finish`] says which names are layers.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Digest of its bytes that its name promises (`blobs/sha256/...`).
    pub promised: Option<Digest>,
    /// Its bytes as stored; what is not read is skipped.
    pub reader: &'s mut (dyn Read + Send),
}

impl Stream {
    /// Reads the archive that `from` gives, compressed or not.
    pub(super) fn new(
        from: Box<dyn Read + Send>,
        wanted: Wanted,
        max_bytes: Option<u64>,
        check: Option<Check>,
    ) -> Result<Self> {
        let plain = decompressed(from).map_err(|e| unreadable(&wanted, &e))?;
        let limited = Limited { from: plain, limit: max_bytes, left: max_bytes.unwrap_or(u64::MAX) };
        let pull = Pull::new(Box::new(limited) as Box<dyn Read + Send>, ARCHIVE_LIMITS);
        Ok(Self {
            body: Body { head: Vec::new(), at: 0, pull: Box::new(pull) },
            wanted,
            contents: Contents::default(),
            documents: HashMap::new(),
            kept: 0,
            offered: HashSet::new(),
            check,
            notes: Vec::new(),
        })
    }

    /// Adds a note to the description.
    pub(super) fn note(&mut self, note: Option<String>) {
        self.notes.extend(note);
    }

    /// The next member that may be a layer, in the order of the archive; `None` after the last.
    ///
    /// A member can turn out not to be a layer at all, so one that can not be read as a layer is no fault until
    /// [`Stream::finish`] names it.
    ///
    /// # Errors
    /// When the source fails, ends too early, or is no tar archive.
    pub fn next_blob(&mut self) -> Result<Option<Blob<'_>>> {
        while let Some((key, bytes)) = self.next_file()? {
            if self.body.looks_like_document() {
                if bytes <= CONFIG_MAX {
                    self.keep(key, bytes)?;
                    continue;
                }
            } else if key == "VERSION" || key.ends_with("/VERSION") {
                // Written beside each layer by Docker before 25.
                continue;
            }
            self.offered.insert(key.clone());
            let promised = resolve::blob_name(&key);
            return Ok(Some(Blob { key, bytes, promised, reader: &mut self.body }));
        }
        Ok(None)
    }

    /// Reads what is left and tells which image this was, and the key of each of its layers, lowest first. A key
    /// comes twice when a layer does.
    ///
    /// # Errors
    /// When the rest can not be read, or the archive is not one image whose documents agree.
    pub fn finish(mut self) -> Result<(ImageInfo, Vec<String>)> {
        while self.next_blob()?.is_some() {}
        self.contents.check()?;
        let mut found = resolve::archive(&self, &self.wanted).map_err(|e| match self.contents.guess() {
            Some(guess) if resolve::is_no_image(&e) => e.cause(guess),
            _ => e,
        })?;
        if let Some(layer) = found.layers.iter().find(|layer| !self.offered.contains(&layer.key)) {
            return Err(Error::judge(format!(
                "the layer \"{}\" is no tar archive, it looks like JSON",
                cut(&layer.key)
            )));
        }
        if let Some(check) = self.check.take() {
            check(&mut found)?;
        }
        found.image.notes.extend(self.notes);
        // A compressed stream's checksum comes at its very end.
        let tail = io::copy(&mut self.body.pull.into_inner().take(TAIL_MAX), &mut io::sink());
        match tail {
            Ok(TAIL_MAX) => Err(unreadable(&self.wanted, &format!("more than {TAIL_MAX} bytes follow its end"))),
            Ok(_) => Ok((found.image, found.layers.into_iter().map(|layer| layer.key).collect())),
            Err(e) => Err(unreadable(&self.wanted, &e)),
        }
    }

    /// Goes to the next regular file and reads its first bytes.
    fn next_file(&mut self) -> Result<Option<(String, u64)>> {
        loop {
            self.body.head.clear();
            let next = self.body.pull.next_entry().map_err(|e| self.broken(e))?;
            let Some(header) = next else { return Ok(None) };
            self.contents.add(&header, 0);
            if header.kind == EntryKind::File && header.sparse.is_none() {
                self.body.fill_head().map_err(|e| unreadable(&self.wanted, &e))?;
                return Ok(Some((Contents::key(&header.path), header.size)));
            }
        }
    }

    fn keep(&mut self, key: String, bytes: u64) -> Result<()> {
        let total = self.kept.saturating_add(bytes);
        if total <= KEPT_MAX {
            let mut document = Vec::new();
            self.body.read_to_end(&mut document).map_err(|e| unreadable(&self.wanted, &e))?;
            self.documents.insert(key, document);
            self.kept = total;
        }
        Ok(())
    }

    fn broken(&self, error: PullError) -> Error {
        match error {
            PullError::Io(e) => unreadable(&self.wanted, &e),
            PullError::Tar(e) => unreadable(&self.wanted, &e),
        }
    }
}

impl Members for Stream {
    fn find(&self, path: &str) -> Result<Option<Member>> {
        Ok(self.contents.find(path)?.map(|(member, _)| member))
    }

    fn read(&self, member: &Member, _limit: u64) -> Result<Vec<u8>> {
        self.documents.get(&member.key).cloned().ok_or_else(|| {
            Error::judge(format!("\"{}\" was not kept", cut(&member.key)))
                .cause(format!("it does not look like JSON, or the archive holds more than {KEPT_MAX} bytes of JSON"))
                .help("save the archive to a file and scan the file")
        })
    }
}

/// The current member: what was read of it to look at it, then the rest.
struct Body {
    head: Vec<u8>,
    at: usize,
    pull: Box<Pull<Box<dyn Read + Send>>>,
}

impl Body {
    fn fill_head(&mut self) -> io::Result<()> {
        self.at = 0;
        self.head.clear();
        (&mut self.pull).take(HEAD as u64).read_to_end(&mut self.head)?;
        Ok(())
    }

    /// Whether the member starts like JSON; no JSON holds a NUL byte, and every tar header does.
    fn looks_like_document(&self) -> bool {
        matches!(self.head.trim_ascii_start(), [b'{' | b'[', ..]) && !self.head.contains(&0)
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.head.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return self.pull.read(into);
        }
        let read = rest.read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// Ends a stream that is longer than it may be.
struct Limited {
    from: Box<dyn Read + Send>,
    limit: Option<u64>,
    left: u64,
}

impl Read for Limited {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                let limit = self.limit.unwrap_or(u64::MAX);
                return Err(io::Error::other(format!("limit exceeded: the image has more than {limit} bytes")));
            }
        }
        Ok(read)
    }
}

/// How a file starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    Gzip,
    Zstd,
    /// Something that is no image archive, by its name.
    Alien(&'static str),
    /// A tar archive, or nothing known.
    Other,
}

/// Bytes that [`start`] wants to see.
pub(super) const START: usize = 6;

/// Tells how a file starts.
pub(super) fn start(head: &[u8]) -> Start {
    match head {
        [] => Start::Alien("an empty file"),
        [0x1f, 0x8b, ..] => Start::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Start::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Start::Alien("an xz archive; decompress it first"),
        [b'B', b'Z', b'h', ..] => Start::Alien("a bzip2 archive; decompress it first"),
        [b'P', b'K', 3, 4, ..] => Start::Alien("a zip archive"),
        [0x7f, b'E', b'L', b'F', ..] => Start::Alien("a program"),
        [b'h', b's', b'q', b's', ..] => Start::Alien("a squashfs file system"),
        [b'#', b'!', ..] => Start::Alien("a script"),
        [b'F', b'R', b'O', b'M', b' ', ..] => Start::Alien("a Dockerfile; build it and scan the image"),
        [b'{' | b'[', ..] => Start::Alien("a JSON document"),
        _ => Start::Other,
    }
}

fn decompressed(from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    // Large enough for an engine's chunks to pass without being cut.
    const BUFFER: usize = 128 << 10;
    let mut from = from;
    let mut head = Vec::new();
    from.by_ref().take(START as u64).read_to_end(&mut head)?;
    let start = start(&head);
    let from = BufReader::with_capacity(BUFFER, io::Cursor::new(head).chain(from));
    match start {
        Start::Gzip => Ok(Box::new(MultiGzDecoder::new(from))),
        Start::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(from)?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            Ok(Box::new(decoder))
        }
        Start::Alien(what) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it looks like {what}"))),
        Start::Other => Ok(Box::new(from)),
    }
}

fn unreadable(wanted: &Wanted, why: &dyn std::fmt::Display) -> Error {
    Error::judge(format!("can not read the image archive \"{}\"", wanted.reference)).cause(why)
}
