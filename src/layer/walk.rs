//! Reads a root file system from a directory as if it were the only layer of an image.
//!
//! Nothing outside the directory is read: links are noted, never followed, and other file systems mounted below it
//! are left out and said.

use std::{
    collections::HashMap,
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use crate::{
    layer::{
        Limits, PeelError,
        build::{Builder, Meta},
    },
    model::{Kind, LayerFacts},
    probe::{Probes, secret::Batch},
};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes of small files that are searched for secrets together, while more are read.
const BATCH: usize = 1 << 20;

/// Reads the tree below `root`, in the order of its names.
///
/// A file that can not be read is noted and left out.
///
/// # Errors
/// [`PeelError::Read`] when the root itself can not be listed, [`PeelError::Limit`] when there are too many files.
pub fn walk(root: &Path, probes: &Probes, limits: Limits) -> Result<LayerFacts, PeelError> {
    let device = fs::metadata(root)?.dev();
    let mut walk = Walk {
        root,
        todo: vec![root.to_path_buf()],
        files: Vec::new().into_iter(),
        dirs: Vec::new(),
        chunk: vec![0; CHUNK],
        builder: Builder::new(probes, limits),
        limits,
        device,
        links: HashMap::new(),
        entries: 0,
        bytes: 0,
    };
    let mut aside = None;
    loop {
        // What was put aside is searched while more is read.
        let (more, told) = rayon::join(
            || walk.read_some(),
            || aside.take().map(|(entries, batch): (_, Batch<'_>)| (entries, batch.search(b""))),
        );
        if let Some((entries, searched)) = told {
            walk.builder.told(entries, searched);
        }
        if !more? {
            break;
        }
        aside = walk.builder.batch(BATCH);
    }
    let mut facts = walk.builder.finish();
    // There is no archive: its bytes are those of the files, whether they could be read or not.
    facts.tar_bytes = walk.bytes;
    facts.payload_bytes = walk.bytes;
    facts.blob_bytes = walk.bytes;
    Ok(facts)
}

struct Walk<'p> {
    root: &'p Path,
    /// Directories to read, the next one last.
    todo: Vec<PathBuf>,
    /// What is left of the directory at hand, and the directories that were met in it.
    files: std::vec::IntoIter<PathBuf>,
    dirs: Vec<PathBuf>,
    chunk: Vec<u8>,
    builder: Builder<'p>,
    limits: Limits,
    device: u64,
    /// Names of files with several, by device and inode.
    links: HashMap<(u64, u64), Vec<u8>>,
    entries: u64,
    /// Bytes of regular files, hard links counted once.
    bytes: u64,
}

impl Walk<'_> {
    /// Reads on until there are about [`BATCH`] bytes more, and tells whether anything is left.
    fn read_some(&mut self) -> Result<bool, PeelError> {
        let until = self.bytes.saturating_add(BATCH as u64);
        while self.bytes < until {
            let Some(path) = self.files.next() else {
                // The last pushed directory is the next one read: keep the order of names.
                self.todo.extend(self.dirs.drain(..).rev());
                let Some(dir) = self.todo.pop() else { return Ok(false) };
                self.list(&dir)?;
                continue;
            };
            let name = self.name(&path);
            match fs::symlink_metadata(&path) {
                Ok(meta) => {
                    if self.file(&path, &name, &meta)? {
                        self.dirs.push(path);
                    }
                }
                Err(e) => self.builder.unread(&name, format!("can not be read: {e}")),
            }
        }
        Ok(true)
    }

    fn name(&self, path: &Path) -> Vec<u8> {
        path.strip_prefix(self.root).unwrap_or(path).as_os_str().as_bytes().to_vec()
    }

    fn list(&mut self, dir: &Path) -> Result<(), PeelError> {
        let listed = fs::read_dir(dir).and_then(|all| all.collect::<io::Result<Vec<_>>>());
        let mut names: Vec<_> = match listed {
            Ok(listed) => listed.into_iter().map(|e| e.file_name()).collect(),
            Err(e) if dir == self.root => return Err(e.into()),
            Err(e) => {
                let name = self.name(dir);
                self.builder.unread(&name, format!("can not be listed: {e}"));
                return Ok(());
            }
        };
        names.sort_unstable();
        self.files = names.into_iter().map(|name| dir.join(name)).collect::<Vec<_>>().into_iter();
        Ok(())
    }

    /// Notes one file, and tells whether it is a directory to go into.
    fn file(&mut self, path: &Path, name: &[u8], meta: &Metadata) -> Result<bool, PeelError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(PeelError::Limit(format!("more than {} files", self.limits.entries)));
        }
        let kind = meta.file_type();
        let plain = |kind| Meta { kind, mode: meta.mode(), uid: meta.uid(), gid: meta.gid(), size: 0 };
        let (kind, link) = if kind.is_file() {
            return self.regular(path, name, meta).map(|()| false);
        } else if kind.is_dir() {
            (Kind::Dir, Vec::new())
        } else if kind.is_symlink() {
            let target = fs::read_link(path).map(|t| t.as_os_str().as_bytes().to_vec());
            (Kind::Symlink, target.unwrap_or_default())
        } else if kind.is_char_device() {
            (Kind::Char, Vec::new())
        } else if kind.is_block_device() {
            (Kind::Block, Vec::new())
        } else {
            (Kind::Fifo, Vec::new())
        };
        self.builder.begin_plain(name, &link, plain(kind))?;
        self.builder.end();
        let other = kind == Kind::Dir && meta.dev() != self.device;
        if other {
            self.builder.unread(name, "is another file system and was left out".into());
        }
        Ok(kind == Kind::Dir && !other)
    }

    fn regular(&mut self, path: &Path, name: &[u8], meta: &Metadata) -> Result<(), PeelError> {
        let entry = Meta { kind: Kind::File, mode: meta.mode(), uid: meta.uid(), gid: meta.gid(), size: meta.len() };
        if meta.nlink() > 1 {
            let first = self.links.entry((meta.dev(), meta.ino())).or_insert_with(|| name.to_vec()).clone();
            if first != name {
                self.builder.begin_plain(name, &first, Meta { kind: Kind::Hardlink, size: 0, ..entry })?;
                self.builder.end();
                return Ok(());
            }
        }
        self.builder.begin_plain(name, b"", entry)?;
        self.bytes = self.bytes.saturating_add(meta.len());
        if let Err(e) = self.read(path, meta) {
            self.builder.notice(true, format!("can not be read: {e}"));
        }
        self.builder.end();
        Ok(())
    }

    fn read(&mut self, path: &Path, meta: &Metadata) -> io::Result<()> {
        let file = File::open(path)?;
        let opened = file.metadata()?;
        if (opened.dev(), opened.ino()) != (meta.dev(), meta.ino()) {
            return Err(io::Error::other("it was replaced while it was read"));
        }
        // A file that grows meanwhile is read up to the size it had.
        let mut file = file.take(meta.len());
        loop {
            match file.read(&mut self.chunk)? {
                0 => return Ok(()),
                count => self.builder.body(self.chunk.get(..count).unwrap_or_default()),
            }
        }
    }
}
