//! Images whose layers can be read in any order: OCI layouts, and archives that are plain files.
//!
//! Layers are read by position, so that several threads can read several layers at once. Bytes are given as they are
//! stored; their digests are the caller's to check.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    contents::{ARCHIVE_LIMITS, Contents},
    document::cut,
    resolve::{self, Member, Members, Wanted},
};
use crate::{
    error::{Error, Result},
    layer::tar::Pull,
    model::ImageInfo,
};

/// An image with random access to its layers.
#[derive(Debug)]
pub struct Layout {
    /// The image's description.
    pub image: ImageInfo,
    layers: Vec<Place>,
}

/// Where the bytes of a layer lie.
#[derive(Debug)]
enum Place {
    /// A whole file, opened when it is read: an image may have more layers than a process may have files.
    File { path: PathBuf, bytes: u64 },
    /// A part of the archive.
    Part { archive: Arc<File>, offset: u64, bytes: u64 },
}

impl Layout {
    /// Opens an OCI layout directory.
    pub(super) fn directory(root: &Path, wanted: &Wanted) -> Result<Self> {
        let found = resolve::layout(&Directory(root), wanted)?;
        let place = |member: &Member| Place::File { path: root.join(&member.key), bytes: member.bytes };
        Ok(Self { image: found.image, layers: found.layers.iter().map(place).collect() })
    }

    /// Opens an uncompressed archive file.
    pub(super) fn archive(file: File, wanted: &Wanted) -> Result<Self> {
        let unreadable = |cause: String| {
            Error::judge(format!("can not read \"{}\" as a tar archive", wanted.reference)).cause(cause)
        };
        let mut contents = Contents::default();
        let mut pull = Pull::seekable(BufReader::new(&file), ARCHIVE_LIMITS).map_err(|e| unreadable(e.to_string()))?;
        while let Some(header) = pull.next_entry().map_err(|e| unreadable(e.to_string()))? {
            contents.add(&header, pull.body_offset());
        }
        contents.check()?;
        let archive = Archive { file: Arc::new(file), contents };
        let found = resolve::archive(&archive, wanted).map_err(|e| match archive.contents.guess() {
            Some(guess) if resolve::is_no_image(&e) => e.cause(guess),
            _ => e,
        })?;
        let layers = found.layers.iter().map(|member| archive.place(member)).collect::<Result<_>>()?;
        Ok(Self { image: found.image, layers })
    }

    /// The bytes of layer `at`, counted from the lowest, as they are stored: exactly as many as there were when
    /// the image was opened, or an error when they are gone.
    ///
    /// # Errors
    /// When there is no such layer or its file can not be opened.
    pub fn layer(&self, at: usize) -> Result<Box<dyn Read + Send>> {
        match self.layers.get(at) {
            Some(Place::File { path, bytes }) => {
                let file = File::open(path)
                    .map_err(|e| Error::judge(format!("can not open \"{}\"", path.display())).cause(e))?;
                Ok(Box::new(Part { file: Arc::new(file), offset: 0, left: *bytes }))
            }
            Some(Place::Part { archive, offset, bytes }) => {
                Ok(Box::new(Part { file: Arc::clone(archive), offset: *offset, left: *bytes }))
            }
            None => Err(Error::judge(format!("there is no layer {at}"))),
        }
    }
}

struct Directory<'p>(&'p Path);

impl Members for Directory<'_> {
    /// Links are followed: build systems make layouts of links into their caches, and every blob's digest is checked.
    fn find(&self, path: &str) -> Result<Option<Member>> {
        let file = self.0.join(path);
        match fs::metadata(&file) {
            Ok(meta) if meta.is_file() => Ok(Some(Member { key: path.to_string(), bytes: meta.len() })),
            Ok(_) => Err(Error::judge(format!("\"{}\" is no regular file", file.display()))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::judge(format!("can not open \"{}\"", file.display())).cause(e)),
        }
    }

    fn read(&self, member: &Member, limit: u64) -> Result<Vec<u8>> {
        let path = self.0.join(&member.key);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(limit.min(member.bytes)).read_to_end(&mut bytes));
        match read {
            Ok(_) => Ok(bytes),
            Err(e) => Err(Error::judge(format!("can not read \"{}\"", path.display())).cause(e)),
        }
    }
}

struct Archive {
    file: Arc<File>,
    contents: Contents,
}

impl Archive {
    fn place(&self, member: &Member) -> Result<Place> {
        match self.contents.find(&member.key)? {
            Some((_, offset)) => Ok(Place::Part { archive: Arc::clone(&self.file), offset, bytes: member.bytes }),
            None => Err(Error::judge(format!("\"{}\" is missing", cut(&member.key)))),
        }
    }
}

impl Members for Archive {
    fn find(&self, path: &str) -> Result<Option<Member>> {
        Ok(self.contents.find(path)?.map(|(member, _)| member))
    }

    fn read(&self, member: &Member, limit: u64) -> Result<Vec<u8>> {
        let offset = self.contents.find(&member.key)?.map_or(0, |(_, offset)| offset);
        let part = Part { file: Arc::clone(&self.file), offset, left: member.bytes };
        let mut bytes = Vec::new();
        match part.take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(e) => Err(Error::judge(format!("can not read \"{}\"", cut(&member.key))).cause(e)),
        }
    }
}

/// Reads a part of a file by position, so that readers do not disturb each other.
struct Part {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(into.get_mut(..most).unwrap_or_default(), self.offset)?;
        if read == 0 {
            let message = format!("the file ends {} bytes too early", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.offset = self.offset.saturating_add(read as u64);
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}
