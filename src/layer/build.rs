//! Turns the entries of one archive into layer facts: cleans names, understands whiteouts, lets the probes look.
//!
//! The result is settled: it says what stands there after this layer alone was unpacked, by the rules of the engines.

use std::collections::HashSet;

use crate::{
    layer::{
        error::PeelError,
        peel::Limits,
        settle::settle,
        tar::{EntryKind, Fragment, Header, Sink},
    },
    model::{Entry, EntryId, Fact, Format, ImagePath, Kind, LayerFacts, Notice, Observation, Whiteout, path},
    probe::{
        Looker, Probes, UNSEARCHED,
        secret::{Batch, Searched},
    },
};

/// The prefix of whiteout names (OCI image specification, layer.md, "Whiteouts").
const WHITEOUT: &[u8] = b".wh.";

/// The name that makes its directory opaque (layer.md, "Opaque Whiteout").
const OPAQUE: &[u8] = b".wh..wh..opq";

/// The prefix of the AUFS driver's own files, which engines skip.
const AUFS: &[u8] = b".wh..wh.";

/// Notices kept for one layer; the rest is counted.
const NOTICES_MAX: usize = 100;

/// Longest name and longest target of a link, in bytes: `PATH_MAX` of Linux, beyond which no engine can unpack.
const NAME_MAX: usize = 4096;

/// Collects the facts of one layer, entry by entry.
pub struct Builder<'p> {
    facts: LayerFacts,
    looker: Looker<'p>,
    /// The files that the looker put aside.
    aside: Vec<EntryId>,
    name: Vec<u8>,
    link: Vec<u8>,
    /// The regular file whose body is passing by.
    open: Option<EntryId>,
    /// Where the bytes of the open file belong, if it is a sparse one.
    sparse: Option<Sparse>,
    dropped_notices: u64,
    limits: Limits,
    /// Directories in which a name lies and the name before it does not; about as many are made without an entry of
    /// their own.
    entered_dirs: u64,
    last_name: Vec<u8>,
}

/// The holes of a sparse file while its stored bytes pass by.
struct Sparse {
    fragments: Vec<Fragment>,
    /// The fragment that the next bytes belong to.
    next: usize,
    /// Where in the expanded file the looker is.
    at: u64,
    size: u64,
}

impl Sparse {
    fn body(&mut self, mut bytes: &[u8], looker: &mut Looker<'_>) {
        while let (false, Some(fragment)) = (bytes.is_empty(), self.fragments.get(self.next)) {
            looker.skip(fragment.offset.saturating_sub(self.at));
            self.at = self.at.max(fragment.offset);
            let left = fragment.offset.saturating_add(fragment.len).saturating_sub(self.at);
            let (here, rest) = bytes.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
            looker.body(here);
            self.at = self.at.saturating_add(here.len() as u64);
            self.next += usize::from(here.len() as u64 == left);
            bytes = rest;
        }
    }

    fn end(&self, looker: &mut Looker<'_>) {
        looker.skip(self.size.saturating_sub(self.at));
    }
}

/// What is known of an entry beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Kind.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size of a regular file.
    pub size: u64,
}

impl<'p> Builder<'p> {
    /// A builder that has seen no entry.
    pub fn new(probes: &'p Probes, limits: Limits) -> Self {
        Self {
            facts: LayerFacts::default(),
            looker: Looker::new(probes).with_aside(),
            aside: Vec::new(),
            name: Vec::new(),
            link: Vec::new(),
            open: None,
            sparse: None,
            dropped_notices: 0,
            limits,
            entered_dirs: 0,
            last_name: Vec::new(),
        }
    }

    /// Adds an entry; the name is cleaned here. The body of a regular file follows with [`Builder::body`], and
    /// [`Builder::end`] ends every entry.
    ///
    /// # Errors
    /// [`PeelError::Entry`] for a whiteout that engines refuse, [`PeelError::Limit`] when the table is full.
    pub fn begin(&mut self, raw_name: &[u8], raw_link: &[u8], meta: Meta) -> Result<(), PeelError> {
        self.set_name(raw_name);
        if self.name.is_empty() || self.whiteout()? {
            return Ok(());
        }
        self.push(raw_link, meta)
    }

    /// As [`Builder::begin`] for a file of a directory tree, where a whiteout's name is a name like any other.
    ///
    /// # Errors
    /// [`PeelError::Limit`] when the table is full.
    pub fn begin_plain(&mut self, name: &[u8], link: &[u8], meta: Meta) -> Result<(), PeelError> {
        self.set_name(name);
        self.push(link, meta)
    }

    fn set_name(&mut self, raw: &[u8]) {
        self.name.clear();
        path::clean_into(raw, &mut self.name);
        self.open = None;
        self.sparse = None;
    }

    fn push(&mut self, raw_link: &[u8], meta: Meta) -> Result<(), PeelError> {
        self.link.clear();
        match meta.kind {
            Kind::Hardlink => path::clean_into(raw_link, &mut self.link),
            Kind::Symlink => self.link.extend_from_slice(raw_link),
            _ => {}
        }
        self.check_name()?;
        let &Meta { kind, mode, uid, gid, size } = &meta;
        let format = if kind == Kind::File && size == 0 { Format::Empty } else { Format::Other };
        let mode = (mode & 0o7777) as u16;
        let entry = Entry { id: EntryId(0), path: &self.name, link: &self.link, kind, format, mode, uid, gid, size };
        let full = || PeelError::Limit("the layer has more than 4 GiB of file names or 2^32 entries".into());
        let id = self.facts.entries.push(&entry).ok_or_else(full)?;
        if kind == Kind::File {
            self.open = Some(id);
            self.looker.begin(&self.name, size);
        }
        Ok(())
    }

    /// Refuses names that no engine can unpack, and archives whose names need more directories than they may have
    /// entries: a few bytes of archive can ask for thousands of directories.
    fn check_name(&mut self) -> Result<(), PeelError> {
        for name in [&self.name, &self.link] {
            if name.len() > NAME_MAX {
                let name = name.get(..NAME_MAX / 16).unwrap_or_default().to_vec();
                return Err(PeelError::Entry { what: "a name longer than the 4,096 bytes of Linux", name });
            }
        }
        let shared = path::shared_dir(&self.last_name, &self.name);
        let dirs = path::ancestors(&self.name).take_while(|dir| dir.len() > shared && *dir != self.last_name);
        self.entered_dirs = self.entered_dirs.saturating_add(dirs.count() as u64);
        self.last_name.clone_from(&self.name);
        if self.entered_dirs > self.limits.entries {
            return Err(PeelError::Limit(format!("names lie in more than {} directories", self.limits.entries)));
        }
        Ok(())
    }

    /// Entries so far, without whiteouts.
    pub fn entries(&self) -> u64 {
        self.facts.entries.len() as u64
    }

    /// Takes the next bytes of the open file's body.
    pub fn body(&mut self, bytes: &[u8]) {
        match (self.open, &mut self.sparse) {
            (None, _) => {}
            (Some(_), None) => self.looker.body(bytes),
            (Some(_), Some(sparse)) => sparse.body(bytes, &mut self.looker),
        }
    }

    /// Ends the entry.
    pub fn end(&mut self) {
        let Some(entry) = self.open.take() else { return };
        if let Some(sparse) = self.sparse.take() {
            sparse.end(&mut self.looker);
        }
        let seen = self.looker.end();
        self.facts.entries.set_format(entry, seen.format);
        self.facts.observations.extend(seen.facts.into_iter().map(|fact| Observation { entry, fact }));
        if seen.put_aside {
            self.aside.push(entry);
        }
        for fault in seen.faults {
            self.notice(true, fault);
        }
    }

    /// Until the next batch, bodies lie in this piece, which is given to [`Batch::search`] then.
    pub fn lies_in(&mut self, piece: &[u8]) {
        self.looker.lies_in(piece);
    }

    /// Whether bodies are looked at again after their entry ended, by what [`Builder::batch`] gives.
    pub fn waits(&self) -> bool {
        self.looker.waits()
    }

    /// Files whose search for secrets was put off. They can be searched while more entries come; what came of it belongs
    /// to [`Builder::told`] before the next batch is taken.
    pub fn batch(&mut self) -> Option<(Vec<EntryId>, Batch<'p>)> {
        let batch = self.looker.batch()?;
        Some((std::mem::take(&mut self.aside), batch))
    }

    /// Takes over what was found in the files of a batch.
    pub fn told(&mut self, entries: Vec<EntryId>, searched: Searched<'p>) {
        for (entry, secrets) in entries.into_iter().zip(self.looker.settle(searched)) {
            match secrets {
                Ok(secrets) => {
                    let fact = secrets.map(|secrets| Observation { entry, fact: Fact::Secrets(secrets) });
                    self.facts.observations.extend(fact);
                }
                Err(_) => {
                    let path = self.facts.entries.get(entry).map(|e| e.path.to_vec()).unwrap_or_default();
                    self.notice_of(&path, true, UNSEARCHED.into());
                }
            }
        }
    }

    /// Says something about the entry at hand.
    pub fn notice(&mut self, unread: bool, text: impl Into<String>) {
        let name = std::mem::take(&mut self.name);
        self.notice_of(&name, unread, text.into());
        self.name = name;
    }

    fn notice_of(&mut self, path: &[u8], unread: bool, text: String) {
        if self.facts.notices.len() < NOTICES_MAX {
            self.facts.notices.push(Notice { path: Some(ImagePath::new(path)), text, unread });
        } else {
            self.dropped_notices += 1;
        }
    }

    /// Says that a file which is no entry could not be read.
    pub fn unread(&mut self, name: &[u8], text: String) {
        self.set_name(name);
        self.notice(true, text);
    }

    /// Ends the layer: the facts, settled.
    pub fn finish(mut self) -> LayerFacts {
        if let Some((entries, batch)) = self.batch() {
            self.told(entries, batch.search(b""));
        }
        // What batches told came late.
        self.facts.observations.sort_by_key(|observation| observation.entry);
        if self.dropped_notices > 0 {
            let text = format!("{} more notices about this layer are not listed", self.dropped_notices);
            self.facts.notices.push(Notice { path: None, text, unread: true });
        }
        self.facts.coverage = self.looker.coverage();
        settle(&mut self.facts);
        self.drop_whiteouts_of_new_dirs();
        self.facts.whiteouts.sort_unstable();
        self.facts.whiteouts.dedup();
        self.facts.entries.shrink();
        self.facts
    }

    /// Drops whiteouts of directories that the layer has an entry for.
    ///
    /// Docker makes the directory in the place of the whiteout and does not mark it opaque, so what lies below is live
    /// (seen with Docker 20.10 on overlay2; umoci hides it).
    fn drop_whiteouts_of_new_dirs(&mut self) {
        let LayerFacts { entries, whiteouts, notices, .. } = &mut self.facts;
        let gone = |whiteout: &Whiteout| match whiteout {
            Whiteout::Path(path) => Some(path.clone()),
            Whiteout::Opaque(_) => None,
        };
        let gone: HashSet<ImagePath> = whiteouts.iter().filter_map(gone).collect();
        if gone.is_empty() {
            return;
        }
        let dirs = entries.iter().filter(|e| e.kind == Kind::Dir).map(|e| ImagePath::new(e.path));
        let made: HashSet<ImagePath> = dirs.filter(|dir| gone.contains(dir)).collect();
        whiteouts.retain(|whiteout| !matches!(whiteout, Whiteout::Path(path) if made.contains(path)));
        if !made.is_empty() {
            let text = format!(
                "{} directories are removed and made again by this layer; Docker shows what lower layers put there, \
                 other engines hide it",
                made.len()
            );
            notices.push(Notice { path: made.into_iter().min(), text, unread: false });
        }
    }

    /// Notes a whiteout, and tells whether the entry at hand is one. Its type and its body do not matter to engines.
    fn whiteout(&mut self) -> Result<bool, PeelError> {
        let name = path::name(&self.name);
        let Some(hidden) = name.strip_prefix(WHITEOUT) else { return Ok(false) };
        let dir = path::parent(&self.name);
        if name == OPAQUE {
            if dir.is_empty() {
                // Overlay engines ignore it, so what lies below is live.
                self.notice(false, "an opaque mark in the root directory hides nothing");
            } else {
                self.facts.whiteouts.push(Whiteout::Opaque(ImagePath::new(dir)));
            }
        } else if !name.starts_with(AUFS) {
            if matches!(hidden, b"" | b"." | b"..") {
                return Err(PeelError::Entry { what: "a whiteout that names no file", name: self.name.clone() });
            }
            self.facts.whiteouts.push(Whiteout::Path(ImagePath::new(&[dir, b"/", hidden].concat())));
        }
        Ok(true)
    }
}

/// The overlay driver's key in the name of an extended attribute (Linux, `filesystems/overlayfs.rst`).
fn overlay_key(name: &[u8]) -> Option<&[u8]> {
    name.strip_prefix(b"trusted.overlay.").or_else(|| name.strip_prefix(b"user.overlay."))
}

impl Sink for Builder<'_> {
    type Error = PeelError;

    fn entry(&mut self, header: &Header) -> Result<(), PeelError> {
        let kind = match header.kind {
            EntryKind::File => Kind::File,
            EntryKind::Hardlink => Kind::Hardlink,
            EntryKind::Symlink => Kind::Symlink,
            EntryKind::Char { .. } => Kind::Char,
            EntryKind::Block { .. } => Kind::Block,
            EntryKind::Dir => Kind::Dir,
            EntryKind::Fifo => Kind::Fifo,
            EntryKind::Global => {
                self.open = None;
                return Ok(());
            }
            EntryKind::Other(_) => {
                let what = "an entry of a type that no engine unpacks";
                return Err(PeelError::Entry { what, name: header.path.clone() });
            }
        };
        let size = if kind == Kind::File { header.size } else { 0 };
        let &Header { mode, uid, gid, stored, .. } = header;
        self.begin(&header.path, &header.link, Meta { kind, mode, uid, gid, size })?;
        self.facts.payload_bytes = self.facts.payload_bytes.saturating_add(stored);
        if let Some(open) = self.open {
            self.facts.entries.set_stored(open, stored);
        }
        let sparse = |fragments: &Vec<Fragment>| Sparse { fragments: fragments.clone(), next: 0, at: 0, size };
        self.sparse = header.sparse.as_ref().filter(|_| self.open.is_some()).map(sparse);
        if let EntryKind::Char { major: 0, minor: 0 } = header.kind {
            self.notice(false, "a character device 0/0: overlay file systems take it for a whiteout");
        }
        for key in header.xattrs.iter().filter_map(|(name, _)| overlay_key(name)) {
            // These two fetch names or bytes from elsewhere; the others only hide.
            let moves = matches!(key, b"redirect" | b"metacopy");
            self.notice(moves, "an extended attribute of the overlay driver: some engines hide or move files by it");
            if moves {
                break;
            }
        }
        Ok(())
    }

    fn body(&mut self, bytes: &[u8]) -> Result<(), PeelError> {
        self.body(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), PeelError> {
        self.end();
        Ok(())
    }
}
