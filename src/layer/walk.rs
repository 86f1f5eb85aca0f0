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
    path::Path,
};

use crate::{
    layer::{
        Limits, PeelError,
        build::{Builder, Meta},
    },
    model::{Kind, LayerFacts},
    probe::Probes,
};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// Reads the tree below `root`, in the order of its names.
///
/// A file that can not be read is noted and left out.
///
/// # Errors
/// [`PeelError::Read`] when the root itself can not be listed, [`PeelError::Limit`] when there are too many files.
pub fn walk(root: &Path, probes: &Probes, limits: Limits) -> Result<LayerFacts, PeelError> {
    let device = fs::metadata(root)?.dev();
    let mut walk =
        Walk { builder: Builder::new(probes, limits), limits, device, links: HashMap::new(), entries: 0, bytes: 0 };
    let mut chunk = vec![0; CHUNK];
    let mut todo = vec![root.to_path_buf()];
    while let Some(dir) = todo.pop() {
        let name = dir.strip_prefix(root).unwrap_or(&dir).as_os_str().as_bytes().to_vec();
        let listed = fs::read_dir(&dir).and_then(|all| all.collect::<io::Result<Vec<_>>>());
        let mut names = match listed {
            Ok(listed) => listed.into_iter().map(|e| e.file_name()).collect::<Vec<_>>(),
            Err(e) if dir == root => return Err(e.into()),
            Err(e) => {
                walk.builder.unread(&name, format!("can not be listed: {e}"));
                continue;
            }
        };
        names.sort_unstable();
        // The last pushed directory is the next one read: keep the order of names.
        let mut dirs = Vec::new();
        for file in names {
            let path = dir.join(&file);
            let name =
                if name.is_empty() { file.as_bytes().to_vec() } else { [&name, &b"/"[..], file.as_bytes()].concat() };
            match fs::symlink_metadata(&path) {
                Ok(meta) => {
                    if walk.file(&path, &name, &meta, &mut chunk)? {
                        dirs.push(path);
                    }
                }
                Err(e) => walk.builder.unread(&name, format!("can not be read: {e}")),
            }
        }
        todo.extend(dirs.into_iter().rev());
    }
    let mut facts = walk.builder.finish();
    // There is no archive: its bytes are those of the files, whether they could be read or not.
    facts.tar_bytes = walk.bytes;
    facts.payload_bytes = walk.bytes;
    facts.blob_bytes = walk.bytes;
    Ok(facts)
}

struct Walk<'p> {
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
    /// Notes one file, and tells whether it is a directory to go into.
    fn file(&mut self, path: &Path, name: &[u8], meta: &Metadata, chunk: &mut [u8]) -> Result<bool, PeelError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(PeelError::Limit(format!("more than {} files", self.limits.entries)));
        }
        let kind = meta.file_type();
        let plain = |kind| Meta { kind, mode: meta.mode(), uid: meta.uid(), gid: meta.gid(), size: 0 };
        let (kind, link) = if kind.is_file() {
            return self.regular(path, name, meta, chunk).map(|()| false);
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

    fn regular(&mut self, path: &Path, name: &[u8], meta: &Metadata, chunk: &mut [u8]) -> Result<(), PeelError> {
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
        if let Err(e) = self.read(path, meta, chunk) {
            self.builder.notice(true, format!("can not be read: {e}"));
        }
        self.builder.end();
        Ok(())
    }

    fn read(&mut self, path: &Path, meta: &Metadata, chunk: &mut [u8]) -> io::Result<()> {
        let file = File::open(path)?;
        let opened = file.metadata()?;
        if (opened.dev(), opened.ino()) != (meta.dev(), meta.ino()) {
            return Err(io::Error::other("it was replaced while it was read"));
        }
        // A file that grows meanwhile is read up to the size it had.
        let mut file = file.take(meta.len());
        loop {
            match file.read(chunk)? {
                0 => return Ok(()),
                count => self.builder.body(&chunk[..count]),
            }
        }
    }
}
