//! Follows the bytes of a layer's files, and of what is inside of them, and keeps what may be said of their secrets.
//!
//! A file of up to [`WHOLE_MAX`] bytes is searched whole; a larger one passes by in pieces that overlap by the longest
//! secret. Archives are opened while they pass by. Memory and work are bounded by the numbers below, not by the files.

use std::{mem, ops::Range};

use hashbrown::HashMap;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{
    aside::Told,
    name::{is_brought, may_hold_settings},
    rules::{MATCH_MAX, SecretRules},
    search::{self, BEFORE_MAX, Context, Found, Outcome},
    unpack::{self, Members, Unpacker, utf16::Utf16},
};
use crate::model::{Coverage, FileSecrets, FileSums, Format, ImagePath, SeenSecret, Unread, UnreadCount};

/// Largest file that is searched whole, in bytes: 99.98 % of the text files of real images are smaller. Only such a file
/// is read by the parsers of settings, and only its digests can be held against a package manager's record.
pub(super) const WHOLE_MAX: usize = 4 << 20;

/// Bytes at the end of a piece that wait for the next: what begins in them may end behind them.
const TAIL: usize = MATCH_MAX + 1;

/// Bytes that decide what a file is.
const HEAD: usize = 512;

/// Bytes of a buffer that stay for the next file.
const KEPT: usize = 256 << 10;

/// How deep archives are opened: a key store in a jar in a jar in a gzip stream.
const DEPTH_MAX: usize = 4;

/// Secrets of one rule that are told for one file; the rest is counted.
const TOLD_MAX: usize = 100;

/// Bytes that patterns may read in a layer: so many at least, and so many for each byte of its files.
const WORK: (u64, u64) = (256 << 20, 16);

/// Bytes that may come out of the archives of a layer.
const NESTED_MAX: u64 = 16 << 30;

/// Bytes that may come out of one archive: so many at least, so many for each of its bytes, and so many at most. Real
/// archives hold five to twenty times their size.
const NESTED: (u64, u64, u64) = (64 << 20, 50, 4 << 30);

/// Bytes that may come out of an archive of this size.
pub(super) fn nested_max(size: u64) -> u64 {
    NESTED.0.saturating_add(NESTED.1.saturating_mul(size)).min(NESTED.2)
}

/// What may still be done for the files that follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Bytes that patterns may read.
    pub work: u64,
    /// Bytes that may come out of archives.
    pub nested: u64,
    /// What was given for the bytes of files, on top of what there was.
    pub given: u64,
}

/// Follows the files of one layer, one after the other.
pub struct Hunter<'r> {
    shared: Shared<'r>,
    file: Level,
}

impl<'r> Hunter<'r> {
    /// A hunter that has seen nothing yet.
    pub fn new(rules: &'r SecretRules) -> Self {
        let shared = Shared {
            rules,
            coverage: Coverage::default(),
            work: WORK.0,
            given: 0,
            gave_up: false,
            nested: 0,
            nested_left: NESTED_MAX,
            path: Vec::new(),
            told: FileSecrets::default(),
            counts: HashMap::new(),
        };
        Self { shared, file: Level::default() }
    }

    /// Starts the regular file of this cleaned path and size.
    pub fn begin(&mut self, path: &[u8], size: u64) {
        let shared = &mut self.shared;
        shared.path.clear();
        shared.path.extend_from_slice(path);
        shared.nested = nested_max(size).min(shared.nested_left);
        shared.gave_up = false;
        self.file.begin(path, None, Some(size), 0);
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, piece: &[u8]) {
        self.file.feed(piece, &mut self.shared);
    }

    /// Passes over a hole of a sparse file: zeros, which hold no secret.
    pub fn skip(&mut self, zeros: u64) {
        self.file.skip(zeros, &mut self.shared);
    }

    /// Ends the file and tells what is in it.
    pub fn end(&mut self) -> Option<FileSecrets> {
        self.file.end(&mut self.shared);
        let shared = &mut self.shared;
        shared.coverage.files += 1;
        shared.coverage.bytes = shared.coverage.bytes.saturating_add(self.file.bytes);
        shared.counts.clear();
        let mut told = mem::take(&mut shared.told);
        // What a member holds uncompressed was met in the archive's own bytes, too.
        let members: Vec<u64> = told.seen.iter().filter(|s| s.member.is_some()).map(|s| s.echo).collect();
        told.seen.retain(|seen| seen.member.is_some() || !members.contains(&seen.echo));
        (!told.seen.is_empty()).then_some(told)
    }

    /// What may still be done.
    pub fn budget(&self) -> Budget {
        Budget { work: self.shared.work, nested: self.shared.nested_left, given: self.shared.given }
    }

    /// Replaces what may still be done.
    pub fn grant(&mut self, Budget { work, nested, given }: Budget) {
        (self.shared.work, self.shared.nested_left, self.shared.given) = (work, nested, given);
    }

    /// Whether patterns had too little left for the last file.
    pub fn gave_up(&self) -> bool {
        self.shared.gave_up
    }

    /// Takes over what was done for files that were searched elsewhere.
    pub(super) fn account(&mut self, told: &Told) {
        let shared = &mut self.shared;
        shared.work = shared.work.saturating_add(told.given).saturating_sub(told.spent);
        shared.nested_left = shared.nested_left.saturating_sub(told.nested);
        shared.coverage.add(&told.coverage);
    }

    /// How much was searched, and what was not.
    pub fn coverage(&mut self) -> Coverage {
        mem::take(&mut self.shared.coverage)
    }
}

/// What the levels of nesting share.
struct Shared<'r> {
    rules: &'r SecretRules,
    coverage: Coverage,
    /// Bytes that patterns may still read.
    work: u64,
    /// What of that was given for the bytes of files.
    given: u64,
    /// Whether it did not reach for the file at hand.
    gave_up: bool,
    /// Bytes that may still come out of this file's archives, and of the layer's.
    nested: u64,
    nested_left: u64,
    /// Path of the file.
    path: Vec<u8>,
    /// What was found in it.
    told: FileSecrets,
    /// How many of each rule were told.
    counts: HashMap<String, usize>,
}

impl Shared<'_> {
    /// Gives patterns their work for so many more bytes.
    fn give(&mut self, bytes: usize) {
        let more = WORK.1.saturating_mul(bytes as u64);
        self.work = self.work.saturating_add(more);
        self.given = self.given.saturating_add(more);
    }

    fn unread(&mut self, why: Unread) {
        let count = self
            .coverage
            .unread
            .entry(why)
            .or_insert_with(|| UnreadCount { count: 0, first: ImagePath::new(&self.path) });
        count.count += 1;
    }

    fn tell(&mut self, seen: SeenSecret) {
        let count = self.counts.entry(seen.rule.clone()).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.told.seen.push(seen);
        } else {
            *self.told.more.entry(seen.rule).or_default() += 1;
        }
    }
}

/// A file, or a member of an archive.
#[derive(Default)]
struct Level {
    /// Its path; of a member the name in the archive.
    path: Vec<u8>,
    /// How the member is told; `None` for the file itself.
    label: Option<String>,
    size: Option<u64>,
    depth: usize,
    /// Whether a package manager brought it, or the archive that it is in.
    brought: bool,
    /// Bytes so far.
    bytes: u64,
    /// The whole so far, or in a stream what the last search left over.
    buffer: Vec<u8>,
    stream: Option<Streamed>,
    /// Whether it was searched while it lay in one piece.
    done: bool,
    inside: Option<Inside>,
}

/// A file that is too large to be searched whole.
struct Streamed {
    nature: Nature,
    /// Offset of the buffer in the file, and line ends before it.
    offset: u64,
    lines: u64,
    /// Where in the buffer the next search begins.
    fresh: usize,
    /// Turns UTF-16 into what is searched.
    utf16: Option<Utf16>,
    gave_up: bool,
}

impl Streamed {
    /// Counts the lines of bytes that were searched, if there are any in such a file.
    fn pass_lines(&mut self, bytes: &[u8]) {
        if self.nature.text {
            self.lines = self.lines.saturating_add(line_ends(bytes));
        }
    }
}

/// What a file is, by its head.
#[derive(Clone, Copy, Default)]
struct Nature {
    context: Context,
    /// Whether it has lines.
    text: bool,
}

/// An archive that is being opened, and the member that is passing by.
struct Inside {
    unpacker: Unpacker,
    member: Box<Level>,
    full: bool,
}

impl Level {
    fn begin(&mut self, path: &[u8], label: Option<String>, size: Option<u64>, depth: usize) {
        self.path.clear();
        self.path.extend_from_slice(path);
        self.label = label;
        self.size = size;
        self.depth = depth;
        self.brought = is_brought(path);
        self.bytes = 0;
        self.buffer.clear();
        self.stream = None;
        self.done = false;
        self.inside = None;
    }

    fn feed(&mut self, piece: &[u8], shared: &mut Shared<'_>) {
        let len = piece.len() as u64;
        let first = self.bytes == 0;
        self.bytes = self.bytes.saturating_add(len);
        if first && self.size == Some(len) && piece.len() <= WHOLE_MAX {
            self.whole(piece, shared);
            self.done = true;
            return;
        }
        let large = self.size.is_some_and(|size| size > WHOLE_MAX as u64);
        if self.stream.is_none() {
            let room = if large { HEAD } else { WHOLE_MAX };
            if self.buffer.len() + piece.len() <= room {
                self.buffer.extend_from_slice(piece);
                return;
            }
            let (head, rest) = piece.split_at(piece.len().min(room.saturating_sub(self.buffer.len())));
            self.buffer.extend_from_slice(head);
            let head = mem::take(&mut self.buffer);
            self.start_stream(&head, shared);
            self.pass(&head, shared);
            self.pass(rest, shared);
            return;
        }
        self.pass(piece, shared);
    }

    fn skip(&mut self, mut zeros: u64, shared: &mut Shared<'_>) {
        let large = self.size.is_some_and(|size| size > WHOLE_MAX as u64);
        if self.stream.is_none() {
            let room = if large { HEAD } else { WHOLE_MAX };
            let some = usize::try_from(zeros).unwrap_or(usize::MAX).min(room.saturating_sub(self.buffer.len()));
            self.buffer.resize(self.buffer.len() + some, 0);
            self.bytes = self.bytes.saturating_add(some as u64);
            zeros -= some as u64;
            if zeros == 0 {
                return;
            }
            let head = mem::take(&mut self.buffer);
            self.start_stream(&head, shared);
            self.pass(&head, shared);
        }
        // Nothing reaches over a hole: what is left is searched, and the search begins anew behind it.
        self.gap(zeros, Some(0), shared);
        if self.inside.take().is_some() {
            shared.unread(Unread::Broken);
        }
    }

    /// Passes over bytes that were searched elsewhere; `lines` of them end in it, if that is known.
    fn gap(&mut self, bytes: u64, lines: Option<u64>, shared: &mut Shared<'_>) {
        if self.stream.is_none() {
            let head = mem::take(&mut self.buffer);
            self.start_stream(&head, shared);
            self.pass(&head, shared);
        }
        self.flush(shared);
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(stream) = &mut self.stream {
            stream.offset = stream.offset.saturating_add(bytes);
            stream.lines = stream.lines.saturating_add(lines.unwrap_or(0));
            stream.nature.text &= lines.is_some();
        }
    }

    fn end(&mut self, shared: &mut Shared<'_>) {
        if self.stream.is_some() {
            self.flush(shared);
            self.close(shared);
            if self.stream.as_ref().is_some_and(|stream| stream.gave_up) {
                shared.unread(Unread::Size);
            }
        } else if !self.done || !self.buffer.is_empty() {
            let buffer = mem::take(&mut self.buffer);
            self.whole(&buffer, shared);
            self.buffer = buffer;
        }
        // A large file's buffer must not stay for the rest of the layer.
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
    }

    /// Searches a file that lies in memory.
    fn whole(&mut self, bytes: &[u8], shared: &mut Shared<'_>) {
        if bytes.is_empty() {
            return;
        }
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        self.open(head, shared);
        let decoded = unpack::utf16::recognise_utf16(head).map(|order| {
            let (mut utf16, mut text) = (Utf16::new(order), Vec::new());
            utf16.feed(bytes, &mut text);
            text
        });
        let text = decoded.as_deref().unwrap_or(bytes);
        let nature = self.nature(text.get(..HEAD).unwrap_or(text), bytes.len() as u64);
        self.unpack(bytes, shared);
        let mut outcome = Outcome::default();
        if !self.is_covered() {
            shared.give(text.len());
            outcome = search::search(shared.rules, text, 0..text.len(), nature.context, &mut shared.work);
        }
        let forms = shared.rules.of_file(&self.path);
        if !forms.is_empty() {
            let more = search::read_file(shared.rules, &forms, text, nature.context);
            outcome.found.extend(more.found);
            outcome.found = search::merge(outcome.found);
        }
        if outcome.gave_up {
            shared.gave_up = true;
            shared.unread(Unread::Size);
        }
        if !outcome.found.is_empty() && self.depth == 0 {
            shared.told.sums = Some(sums(bytes));
        }
        self.tell(outcome.found, text, (0, 0), nature, shared);
        self.close(shared);
    }

    fn start_stream(&mut self, head: &[u8], shared: &mut Shared<'_>) {
        self.open(head.get(..HEAD).unwrap_or(head), shared);
        let utf16 = unpack::utf16::recognise_utf16(head.get(..HEAD).unwrap_or(head)).map(Utf16::new);
        let mut nature = self.nature(head.get(..HEAD).unwrap_or(head), u64::MAX);
        nature.text |= utf16.is_some();
        nature.context.binary &= utf16.is_none();
        self.stream = Some(Streamed { nature, offset: 0, lines: 0, fresh: 0, utf16, gave_up: false });
    }

    /// Searches the next piece of a large file.
    fn pass(&mut self, piece: &[u8], shared: &mut Shared<'_>) {
        self.unpack(piece, shared);
        if self.is_covered() {
            self.flush(shared);
            if let Some(stream) = &mut self.stream {
                stream.offset = stream.offset.saturating_add(piece.len() as u64);
                stream.nature.text = false;
            }
            return;
        }
        let mut decoded = Vec::new();
        let piece = match self.stream.as_mut().and_then(|stream| stream.utf16.as_mut()) {
            Some(utf16) => {
                utf16.feed(piece, &mut decoded);
                &decoded[..]
            }
            None => piece,
        };
        let Some(stream) = &mut self.stream else { return };
        let carry = self.buffer.len();
        // So much of the piece makes the search of what was left over complete.
        let join = (TAIL + BEFORE_MAX).min(piece.len());
        if carry > 0 || piece.len() <= TAIL + BEFORE_MAX {
            self.buffer.extend_from_slice(piece.get(..join).unwrap_or_default());
            let until = self.buffer.len().saturating_sub(TAIL);
            if until <= stream.fresh && join == piece.len() {
                return;
            }
            let buffer = mem::take(&mut self.buffer);
            self.part(&buffer, 0..until, shared);
            self.buffer = buffer;
            if join == piece.len() {
                self.keep(until);
                return;
            }
        }
        // The piece itself, as far as it was not part of that.
        let Some(stream) = &mut self.stream else { return };
        if carry > 0 {
            stream.offset = stream.offset.saturating_add(carry as u64);
            stream.pass_lines(self.buffer.get(..carry).unwrap_or_default());
            stream.fresh = join.saturating_sub(TAIL);
        }
        self.buffer.clear();
        let until = piece.len().saturating_sub(TAIL);
        self.part(piece, 0..until, shared);
        let dropped = self.pass_over(piece, until);
        self.buffer.extend_from_slice(piece.get(dropped..).unwrap_or_default());
    }

    /// Searches `text`, which begins where the buffer does, from where the last search ended.
    fn part(&mut self, text: &[u8], range: Range<usize>, shared: &mut Shared<'_>) {
        let Some(stream) = &mut self.stream else { return };
        let range = stream.fresh.min(range.end)..range.end;
        shared.give(range.len());
        let context = stream.nature.context;
        let Outcome { found, gave_up } = search::search(shared.rules, text, range.clone(), context, &mut shared.work);
        stream.gave_up |= gave_up;
        stream.fresh = range.end;
        let (base, nature) = ((stream.offset, stream.lines), stream.nature);
        self.tell(found, text, base, nature, shared);
    }

    /// Drops from the buffer what no later search needs; `until` is where the next one begins.
    fn keep(&mut self, until: usize) {
        let buffer = mem::take(&mut self.buffer);
        let dropped = self.pass_over(&buffer, until);
        self.buffer = buffer;
        self.buffer.drain(..dropped);
    }

    /// Passes over what no later search needs of `text`, which begins where the buffer does, and tells how much that is.
    fn pass_over(&mut self, text: &[u8], until: usize) -> usize {
        let Some(stream) = &mut self.stream else { return 0 };
        let drop = until.saturating_sub(BEFORE_MAX);
        stream.pass_lines(text.get(..drop).unwrap_or_default());
        stream.offset = stream.offset.saturating_add(drop as u64);
        stream.fresh = until - drop;
        drop
    }

    /// Searches what is left over to its end.
    fn flush(&mut self, shared: &mut Shared<'_>) {
        let buffer = mem::take(&mut self.buffer);
        self.part(&buffer, 0..buffer.len(), shared);
        if let Some(stream) = &mut self.stream {
            stream.offset = stream.offset.saturating_add(buffer.len() as u64);
            stream.pass_lines(&buffer);
            stream.fresh = 0;
        }
    }

    fn nature(&self, head: &[u8], size: u64) -> Nature {
        let text = !head.contains(&0);
        let format = match head {
            [b'#', b'!', ..] => Format::Script,
            _ if text => Format::Text,
            _ => Format::Elf,
        };
        let settings = text && may_hold_settings(&self.path, self.brought, format, size);
        Nature { context: Context { binary: !text, settings }, text }
    }

    fn tell(
        &self,
        found: Vec<Found>,
        text: &[u8],
        (offset, lines): (u64, u64),
        nature: Nature,
        shared: &mut Shared<'_>,
    ) {
        // Found in the order of their places: each line end is counted once.
        let (mut at, mut line) = (0, lines);
        for Found { mut seen, span, .. } in found {
            if nature.text {
                line += line_ends(text.get(at..span.start).unwrap_or_default());
                at = span.start;
                seen.line = u32::try_from(line.saturating_add(1)).ok();
            }
            seen.offset = seen.offset.saturating_add(offset);
            seen.member.clone_from(&self.label);
            shared.tell(seen);
        }
    }

    /// Starts to open an archive.
    fn open(&mut self, head: &[u8], shared: &mut Shared<'_>) {
        let Some(kind) = unpack::recognise(&self.path, head) else { return };
        // The objects of a static library lie in it as they are, and have no names that a rule knows.
        if kind == unpack::Kind::Ar && !head.get(8..).is_some_and(|name| name.starts_with(b"debian-binary")) {
            return;
        }
        if self.depth >= DEPTH_MAX {
            shared.unread(Unread::Depth);
            return;
        }
        shared.coverage.opened += u64::from(!matches!(kind, unpack::Kind::Closed(_)));
        self.inside = Some(Inside { unpacker: Unpacker::new(kind, &self.path), member: Box::default(), full: false });
    }

    fn unpack(&mut self, piece: &[u8], shared: &mut Shared<'_>) {
        let Some(Inside { unpacker, member, full }) = &mut self.inside else { return };
        let mut sink =
            Sink { label: self.label.as_deref(), depth: self.depth, brought: self.brought, member, full, shared };
        unpacker.feed(piece, &mut sink);
    }

    /// Whether the bytes so far are searched as those of members.
    fn is_covered(&self) -> bool {
        self.inside.as_ref().is_some_and(|inside| inside.unpacker.covers())
    }

    fn close(&mut self, shared: &mut Shared<'_>) {
        let Some(Inside { mut unpacker, mut member, mut full }) = self.inside.take() else { return };
        let (member, full) = (&mut member, &mut full);
        let mut sink =
            Sink { label: self.label.as_deref(), depth: self.depth, brought: self.brought, member, full, shared };
        unpacker.end(&mut sink);
    }
}

/// Takes the members of an archive.
struct Sink<'a, 'r> {
    label: Option<&'a str>,
    depth: usize,
    brought: bool,
    member: &'a mut Level,
    full: &'a mut bool,
    shared: &'a mut Shared<'r>,
}

impl Members for Sink<'_, '_> {
    fn begin(&mut self, name: &[u8], size: Option<u64>) {
        self.shared.coverage.members += 1;
        let shown = String::from_utf8_lossy(name);
        let label = match self.label {
            Some(above) => format!("{above}!/{shown}"),
            None => shown.into_owned(),
        };
        // Sizes are promises: they only say whether it pays to wait for the whole.
        self.member.begin(name, Some(label), size.filter(|&size| size > 0), self.depth + 1);
        self.member.brought |= self.brought;
    }

    fn body(&mut self, piece: &[u8]) {
        let len = piece.len() as u64;
        if self.shared.nested < len {
            if !*self.full {
                self.shared.unread(Unread::Size);
            }
            *self.full = true;
            return;
        }
        self.shared.nested -= len;
        self.shared.nested_left = self.shared.nested_left.saturating_sub(len);
        self.shared.coverage.member_bytes = self.shared.coverage.member_bytes.saturating_add(len);
        self.member.feed(piece, self.shared);
    }

    fn gap(&mut self, bytes: u64, lines: Option<u64>) {
        self.member.gap(bytes, lines, self.shared);
    }

    fn end(&mut self) {
        self.member.end(self.shared);
    }

    fn unread(&mut self, _name: &[u8], why: Unread) {
        self.shared.unread(why);
    }

    fn open(&self) -> bool {
        !*self.full
    }
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

fn sums(bytes: &[u8]) -> FileSums {
    FileSums { md5: Md5::digest(bytes).into(), sha1: Sha1::digest(bytes).into(), sha256: Sha256::digest(bytes).into() }
}
