//! Reads a root file system from a directory as if it were the only layer of an image.
//!
//! Nothing outside the directory is read: links are noted, never followed, and other file systems mounted below it
//! are left out and said.

use std::{
    collections::HashMap,
    fs::{self, File, Metadata},
    io::{self, Read, Take},
    mem,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use crate::{
    layer::{
        ALIGN, Limits, PeelError,
        build::{Builder, Meta},
    },
    model::{EntryId, Kind, LayerFacts},
    probe::{Probes, secret::Batch},
};

/// Bytes read at a time of a file that is not read whole.
const CHUNK: usize = 256 << 10;

/// Room for what is read before it is searched for secrets, in bytes: for the largest file that is searched whole.
const PIECE: usize = 8 << 20;

/// Bytes of files that are searched together, while more are read.
const BATCH: usize = 4 << 20;

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
        open: None,
        piece: vec![0; PIECE],
        used: 0,
        builder: Builder::new(probes, limits),
        limits,
        device,
        links: HashMap::new(),
        entries: 0,
        bytes: 0,
    };
    walk.builder.lies_in(&walk.piece);
    let (mut waiting, mut spare) = (None, Vec::new());
    loop {
        // What was put aside is searched while more is read.
        let (more, told) = rayon::join(
            || walk.read_some(),
            || waiting.take().map(|((entries, batch), piece): Waiting<'_>| (entries, batch.search(&piece), piece)),
        );
        if let Some((entries, searched, piece)) = told {
            walk.builder.told(entries, searched);
            spare = piece;
        }
        let more = more?;
        waiting = walk.builder.batch().map(|batch| (batch, walk.next_piece(mem::take(&mut spare))));
        walk.used = 0;
        if !more && waiting.is_none() {
            break;
        }
    }
    let mut facts = walk.builder.finish();
    // There is no archive: its bytes are those of the files, whether they could be read or not.
    facts.tar_bytes = walk.bytes;
    facts.payload_bytes = walk.bytes;
    facts.blob_bytes = walk.bytes;
    Ok(facts)
}

/// What waits to be searched, and the piece that it lies in.
type Waiting<'p> = ((Vec<EntryId>, Batch<'p>), Vec<u8>);

struct Walk<'p> {
    root: &'p Path,
    /// Directories to read, the next one last.
    todo: Vec<PathBuf>,
    /// What is left of the directory at hand, and the directories that were met in it.
    files: std::vec::IntoIter<PathBuf>,
    dirs: Vec<PathBuf>,
    /// The file that is being read.
    open: Option<Take<File>>,
    /// What was read, and how much of it is kept for what waits.
    piece: Vec<u8>,
    used: usize,
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
    /// Another piece to read into, and the one that was.
    fn next_piece(&mut self, mut other: Vec<u8>) -> Vec<u8> {
        other.resize(PIECE, 0);
        let read = mem::replace(&mut self.piece, other);
        self.builder.lies_in(&self.piece);
        read
    }

    /// Reads on until there are some [`BATCH`] bytes more, and tells whether anything is left.
    fn read_some(&mut self) -> Result<bool, PeelError> {
        let until = self.bytes.saturating_add(BATCH as u64);
        loop {
            if self.open.is_some() {
                self.align();
                if self.used == PIECE {
                    return Ok(true);
                }
                self.read();
                continue;
            }
            if self.bytes >= until {
                return Ok(true);
            }
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
        match open(path, meta) {
            Ok(file) => self.open = Some(file),
            Err(e) => self.ended(Err(e)),
        }
        Ok(())
    }

    fn align(&mut self) {
        let rest = self.piece.get(self.used..).unwrap_or_default();
        self.used += rest.as_ptr().align_offset(ALIGN).min(rest.len());
    }

    /// Reads on in the open file: what fits in the piece at once, so that it needs no copy, and others by chunks.
    fn read(&mut self) {
        let Some(file) = &mut self.open else { return };
        let waits = self.builder.waits();
        let rest = self.piece.get_mut(self.used..).unwrap_or_default();
        let left = usize::try_from(file.limit()).unwrap_or(usize::MAX);
        let room = if waits && left <= rest.len() { left } else { CHUNK.min(rest.len()) };
        let room = rest.get_mut(..room).unwrap_or_default();
        match file.read(room) {
            Ok(0) => self.ended(Ok(())),
            Ok(count) => {
                self.builder.body(room.get(..count).unwrap_or_default());
                self.used += if waits { count } else { 0 };
                // At once: the piece may be full, and what is told of a file belongs to an entry that ended.
                if file.limit() == 0 {
                    self.ended(Ok(()));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => self.ended(Err(e)),
        }
    }

    fn ended(&mut self, read: io::Result<()>) {
        self.open = None;
        if let Err(e) = read {
            self.builder.notice(true, format!("can not be read: {e}"));
        }
        self.builder.end();
    }
}

/// Opens the file that was met; one that grows meanwhile is read up to the size it had.
fn open(path: &Path, meta: &Metadata) -> io::Result<Take<File>> {
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if (opened.dev(), opened.ino()) != (meta.dev(), meta.ino()) {
        return Err(io::Error::other("it was replaced while it was read"));
    }
    Ok(file.take(meta.len()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::Fact,
        probe::secret::{Edge, Find, Form, Holds, Pattern, Reader, SecretRules},
    };

    fn probes() -> Probes {
        let rules = SecretRules::new(vec![Form {
            rule: "secret/tok".to_string(),
            name: String::new(),
            find: Find::Start(vec!["tok_".to_string()]),
            files: Vec::new(),
            reader: Reader::Pattern(Pattern::new("tok_[0-9A-Za-z]{24}", Holds::Here)),
            inside: false,
            lead: None,
            before: 0,
            assigned: false,
            edge: Edge::Word,
            check: None,
            min_entropy: None,
            show: 0,
            harmless: None,
            general: false,
        }]);
        Probes::new([]).with_secrets(Arc::new(rules))
    }

    /// Path and offset of all secrets.
    fn found(root: &Path, threads: usize) -> Vec<(String, u64)> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let facts = pool.install(|| walk(root, &probes(), Limits::default())).expect("a tree");
        let files = facts.entries.iter().filter(|entry| entry.kind == Kind::File).count() as u64;
        assert_eq!((facts.coverage.files, facts.coverage.bytes), (files, facts.tar_bytes));
        assert!(facts.notices.is_empty(), "{:?}", facts.notices);
        let seen = facts.observations.iter().flat_map(|observation| {
            let Fact::Secrets(secrets) = &observation.fact else { return Vec::new() };
            let path = facts.entries.get(observation.entry).map(|entry| entry.path.to_vec()).unwrap_or_default();
            let path = String::from_utf8(path).expect("a name");
            secrets.seen.iter().map(|seen| (path.clone(), seen.offset)).collect()
        });
        seen.collect()
    }

    #[test]
    fn every_file_is_searched_wherever_it_lies_in_a_piece_and_told_of_by_its_own_name() {
        let dir = tempfile::tempdir().expect("a directory");
        // From nothing to more than two pieces, so that files end in every way that they can.
        let sizes = [0, 1, 100, 63 << 10, 3 << 20, 4 << 20, (4 << 20) + 1, 7 << 20, 20 << 20];
        let mut want = Vec::new();
        for (number, size) in sizes.iter().cycle().take(4 * sizes.len()).enumerate() {
            let mut body = vec![b'.'; *size];
            let name = format!("{number:02}");
            if number % 2 == 1 {
                // A secret of its own at the very end.
                body.extend_from_slice(format!(" tok_aZ3kQ9xW7bN2cV5mT8rYpL{number:02}").as_bytes());
                want.push((name.clone(), *size as u64 + 1));
            }
            fs::write(dir.path().join(name), body).expect("written");
        }
        assert_eq!(found(dir.path(), 1), want);
        assert_eq!(found(dir.path(), 2), want);
    }

    #[test]
    fn a_file_that_ends_with_the_piece_is_told_of_by_its_own_name() {
        // A file that goes on in the second piece leaves some hundred bytes of it; what comes next fills them to the end,
        // whatever the address of the piece.
        for size in (650..1000).step_by(ALIGN - 1) {
            let dir = tempfile::tempdir().expect("a directory");
            let secret = "tok_aZ3kQ9xW7bN2cV5mT8rYpLs4";
            fs::write(dir.path().join("1"), vec![b'.'; 2 * PIECE - 1000]).expect("written");
            fs::write(dir.path().join("2"), format!("{secret}{:>1$}", "", size - secret.len())).expect("written");
            fs::write(dir.path().join("3"), "nothing").expect("written");
            assert_eq!(found(dir.path(), 2), [("2".to_string(), 0)], "{size}");
        }
    }
}
