//! The state machine: blocks of 512 bytes go in, entries come out.
//!
//! It sees headers, extensions and sparse maps. Bodies and their padding are the drivers' business: after an entry
//! they skip [`Header::stored`] bytes and what is missing to the next block.

use super::{
    BLOCK, Block, EXTENSION_MAX, EntryKind, Fragment, Header, Limits, Part, Reason,
    number::{decimal, numeric, octal, text},
    pax::{Key, Pax},
};

/// What a block led to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// The next block is wanted.
    More,
    /// [`Machine::header`] holds an entry; its body comes next.
    Entry,
    /// The end marker is complete.
    End,
}

/// Everything that is remembered between two blocks.
#[derive(Debug)]
pub(super) struct Machine {
    header: Header,
    limits: Limits,
    entries: u64,
    name_bytes: u64,
    expects: Expects,
    /// The extension that is being read.
    extension: Vec<u8>,
    /// Records for the next entry.
    pax: Pax,
    /// GNU long names for the next entry; they beat PAX.
    long_path: Vec<u8>,
    long_link: Vec<u8>,
}

/// What the next block is.
#[derive(Debug)]
enum Expects {
    Header,
    SecondZeroBlock,
    Extension { flag: u8, left: u64 },
    OldSparseMap(OldSparse),
    PaxSparseMap(PaxSparse),
}

/// The map of an old GNU sparse file, which continues in blocks of its own.
#[derive(Debug)]
struct OldSparse {
    size: i64,
    fragments: Vec<Fragment>,
    blocks: u64,
}

/// The map of a sparse file in PAX format 1.0: decimal lines at the start of the body, filled up to a block.
#[derive(Debug)]
struct PaxSparse {
    size: i64,
    text: Vec<u8>,
    lines: u64,
    /// Lines the map has, once its first line is known.
    wanted: Option<u64>,
}

/// The layouts a header block can have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    V7,
    Ustar,
    Star,
    Gnu,
}

impl Machine {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            header: Header::default(),
            limits,
            entries: 0,
            name_bytes: 0,
            expects: Expects::Header,
            extension: Vec::new(),
            pax: Pax::default(),
            long_path: Vec::new(),
            long_link: Vec::new(),
        }
    }

    /// The entry that the last [`Step::Entry`] announced.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Takes the next block.
    pub(super) fn block(&mut self, block: &Block) -> Result<Step, Reason> {
        match std::mem::replace(&mut self.expects, Expects::Header) {
            Expects::Header => self.header_block(block),
            Expects::SecondZeroBlock if is_zero(block) => Ok(Step::End),
            Expects::SecondZeroBlock => Err(Reason::LoneZeroBlock),
            Expects::Extension { flag, left } => self.extension_block(flag, left, block),
            Expects::OldSparseMap(map) => self.old_sparse_block(map, block),
            Expects::PaxSparseMap(map) => self.pax_sparse_block(map, block),
        }
    }

    /// Takes what is left at the end of the stream, less than a block.
    ///
    /// Go wants no padding behind the last extension, nor an end marker.
    pub(super) fn finish(&mut self, rest: &[u8]) -> Result<Step, Reason> {
        match std::mem::replace(&mut self.expects, Expects::Header) {
            Expects::Extension { flag, left } if left <= rest.len() as u64 => {
                match self.extension_block(flag, left, rest)? {
                    Step::Entry => Ok(Step::Entry),
                    Step::More | Step::End => Ok(Step::End),
                }
            }
            Expects::Extension { .. } => Err(Reason::Truncated(Part::Extension)),
            Expects::OldSparseMap(_) | Expects::PaxSparseMap(_) => Err(Reason::Truncated(Part::SparseMap)),
            Expects::Header | Expects::SecondZeroBlock if rest.is_empty() => Ok(Step::End),
            Expects::Header => Err(Reason::Truncated(Part::Header)),
            Expects::SecondZeroBlock => Err(Reason::Truncated(Part::EndMarker)),
        }
    }

    fn header_block(&mut self, block: &Block) -> Result<Step, Reason> {
        if is_zero(block) {
            self.expects = Expects::SecondZeroBlock;
            return Ok(Step::More);
        }
        let layout = Layout::of(block).ok_or(Reason::Checksum)?;
        let size = read_fields(&mut self.header, layout, block)?;
        let flag = self.header.flag;
        if size < 0 && !is_header_only(flag) {
            return Err(Reason::NegativeSize);
        }
        match flag {
            b'x' | b'g' | b'L' | b'K' => self.start_extension(flag, size.unsigned_abs()),
            _ => self.entry(layout, size, block),
        }
    }

    fn start_extension(&mut self, flag: u8, size: u64) -> Result<Step, Reason> {
        if size > EXTENSION_MAX {
            return Err(Reason::ExtensionTooLong(Part::Extension));
        }
        self.extension.clear();
        self.extension_block(flag, size, &[])
    }

    /// Takes the next bytes of an extension, of which `left` are wanting.
    fn extension_block(&mut self, flag: u8, left: u64, bytes: &[u8]) -> Result<Step, Reason> {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.extension.extend_from_slice(bytes.get(..taken).unwrap_or(bytes));
        let left = left.saturating_sub(taken as u64);
        if left > 0 {
            self.expects = Expects::Extension { flag, left };
            return Ok(Step::More);
        }
        match flag {
            b'L' => self.long_path = text(&self.extension).to_vec(),
            b'K' => self.long_link = text(&self.extension).to_vec(),
            b'g' => {
                self.pax.read(&mut self.extension)?;
                return self.global();
            }
            _ => self.pax.read(&mut self.extension)?,
        }
        Ok(Step::More)
    }

    /// Hands out a global header. What was gathered for the next entry is lost, as in Go.
    fn global(&mut self) -> Result<Step, Reason> {
        let path = std::mem::take(&mut self.header.path);
        self.header = Header { path, kind: EntryKind::Global, flag: b'g', ..Header::default() };
        if self.pax.check_numbers().is_ok() {
            replace(&mut self.header.path, self.pax.get(Key::Path));
            self.pax.xattrs(&mut self.header.xattrs);
        } else {
            self.header.path.clear();
        }
        self.hand_out()
    }

    /// Applies the extensions to the entry's own header and looks whether a sparse map follows.
    fn entry(&mut self, layout: Layout, own_size: i64, block: &Block) -> Result<Step, Reason> {
        let size = self.merge_pax()?.unwrap_or(own_size);
        replace(&mut self.header.path, &self.long_path);
        replace(&mut self.header.link, &self.long_link);
        let header = &mut self.header;
        if header.flag == 0 {
            header.flag = if header.path.ends_with(b"/") { b'5' } else { b'0' };
        }
        header.kind = kind(header.flag, layout, block);
        header.stored =
            if is_header_only(header.flag) { 0 } else { u64::try_from(size).map_err(|_| Reason::NegativeSize)? };
        header.size = header.stored;
        if header.flag == b'S' { self.start_old_sparse(layout, block) } else { self.start_pax_sparse(size) }
    }

    /// Applies the PAX records; returns the size they set.
    fn merge_pax(&mut self) -> Result<Option<i64>, Reason> {
        let Self { header, pax, .. } = self;
        if pax.is_empty() {
            return Ok(None);
        }
        pax.check_numbers()?;
        replace(&mut header.path, pax.get(Key::Path));
        replace(&mut header.link, pax.get(Key::LinkPath));
        if let Some(uid) = pax.number(Key::Uid)? {
            header.uid = uid as u32;
        }
        if let Some(gid) = pax.number(Key::Gid)? {
            header.gid = gid as u32;
        }
        pax.xattrs(&mut header.xattrs);
        pax.number(Key::Size)
    }

    fn start_old_sparse(&mut self, layout: Layout, block: &Block) -> Result<Step, Reason> {
        if layout != Layout::Gnu {
            return Err(Reason::SparseMap("the header is not GNU's"));
        }
        let size = numeric(&block[483..495]).ok_or(Reason::Number("real size"))?;
        let map = OldSparse { size, fragments: Vec::new(), blocks: 0 };
        self.old_sparse_fields(map, &block[386..482], block[482] != 0)
    }

    fn old_sparse_block(&mut self, mut map: OldSparse, block: &Block) -> Result<Step, Reason> {
        map.blocks += 1;
        if map.blocks > EXTENSION_MAX / BLOCK as u64 {
            return Err(Reason::ExtensionTooLong(Part::SparseMap));
        }
        self.old_sparse_fields(map, &block[..504], block[504] != 0)
    }

    /// Reads pairs of 12-byte numbers up to the first that starts with a NUL.
    fn old_sparse_fields(&mut self, mut map: OldSparse, fields: &[u8], more: bool) -> Result<Step, Reason> {
        for pair in fields.chunks_exact(24).take_while(|pair| pair[0] != 0) {
            let (offset, len) = pair.split_at(12);
            map.fragments.push(fragment(numeric(offset), numeric(len))?);
        }
        if more {
            self.expects = Expects::OldSparseMap(map);
            return Ok(Step::More);
        }
        self.sparse(map.size, map.fragments)
    }

    /// Looks for the records of a PAX sparse file. Unknown versions are no sparse files, as in Go.
    fn start_pax_sparse(&mut self, size: i64) -> Result<Step, Reason> {
        if self.pax.is_empty() {
            return self.hand_out();
        }
        let in_body = match (self.pax.get(Key::SparseMajor), self.pax.get(Key::SparseMinor)) {
            (b"0", b"0" | b"1") => false,
            (b"1", b"0") => true,
            (b"", b"") if !self.pax.get(Key::SparseMap).is_empty() => false,
            _ => return self.hand_out(),
        };
        replace(&mut self.header.path, self.pax.get(Key::SparseName));
        let real_size = match self.pax.number(Key::SparseSize)? {
            None => self.pax.number(Key::SparseRealSize)?,
            known => known,
        };
        let size = real_size.unwrap_or(size);
        if in_body {
            let map = PaxSparse { size, text: Vec::new(), lines: 0, wanted: None };
            return self.next_map_block(map);
        }
        let fragments = map_of_records(&self.pax)?;
        self.sparse(size, fragments)
    }

    /// Asks for one more block of a map that lies in the body.
    fn next_map_block(&mut self, map: PaxSparse) -> Result<Step, Reason> {
        if map.text.len() as u64 >= EXTENSION_MAX {
            return Err(Reason::ExtensionTooLong(Part::SparseMap));
        }
        let rest = self.header.stored.checked_sub(BLOCK as u64);
        self.header.stored = rest.ok_or(Reason::SparseMap("it is longer than the body"))?;
        self.expects = Expects::PaxSparseMap(map);
        Ok(Step::More)
    }

    fn pax_sparse_block(&mut self, mut map: PaxSparse, block: &Block) -> Result<Step, Reason> {
        map.text.extend_from_slice(block);
        map.lines += block.iter().filter(|&&b| b == b'\n').count() as u64;
        if map.wanted.is_none() && map.lines > 0 {
            let count = map.text.split(|&b| b == b'\n').next().and_then(fragment_count);
            map.wanted = Some(1 + 2 * count.ok_or(Reason::SparseMap(BAD_COUNT))?);
        }
        match map.wanted {
            Some(wanted) if map.lines >= wanted => {
                let fields =
                    map.text.split(|&b| b == b'\n').take(usize::try_from(wanted).unwrap_or(usize::MAX)).skip(1);
                let fragments = pairs(fields)?;
                self.sparse(map.size, fragments)
            }
            _ => self.next_map_block(map),
        }
    }

    /// Hands out a sparse file whose map is complete.
    fn sparse(&mut self, size: i64, fragments: Vec<Fragment>) -> Result<Step, Reason> {
        if is_header_only(self.header.flag) {
            return Err(Reason::SparseMap("the entry can have no body"));
        }
        let size = u64::try_from(size).map_err(|_| Reason::NegativeSize)?;
        let mut end = 0;
        let mut mapped = 0;
        for fragment in &fragments {
            if fragment.offset < end {
                return Err(Reason::SparseMap("it runs backwards"));
            }
            // Two numbers below 2^63 can not overflow.
            end = fragment.offset + fragment.len;
            if end > size {
                return Err(Reason::SparseMap("it goes beyond the file's end"));
            }
            mapped += fragment.len;
        }
        let stored = self.header.stored;
        if mapped != stored {
            return Err(Reason::SparseData { mapped, stored });
        }
        self.header.size = size;
        self.header.sparse = Some(fragments);
        self.hand_out()
    }

    /// Counts the entry and forgets the extensions that made it.
    fn hand_out(&mut self) -> Result<Step, Reason> {
        self.pax.clear();
        self.long_path.clear();
        self.long_link.clear();
        let Limits { entries, name_bytes } = self.limits;
        self.entries = self.entries.saturating_add(1);
        if self.entries > entries {
            return Err(Reason::TooManyEntries(entries));
        }
        let names = self.header.path.len() as u64 + self.header.link.len() as u64;
        self.name_bytes = self.name_bytes.saturating_add(names);
        if self.name_bytes > name_bytes {
            return Err(Reason::TooManyNameBytes(name_bytes));
        }
        Ok(Step::Entry)
    }
}

impl Layout {
    /// Tells the layout by checksum and magic; `None` when the checksum is wrong.
    fn of(block: &Block) -> Option<Self> {
        let sum = i64::try_from(octal(&block[148..156])?).ok()?;
        if !checksum_matches(block, sum) {
            return None;
        }
        Some(match (&block[257..263], &block[263..265], &block[508..512]) {
            (b"ustar\0", _, b"tar\0") => Self::Star,
            (b"ustar\0", _, _) => Self::Ustar,
            (b"ustar ", b" \0", _) => Self::Gnu,
            _ => Self::V7,
        })
    }
}

/// Whether `sum` is the block's sum with the checksum field as spaces; of unsigned bytes, or of signed ones as old
/// writers took them.
fn checksum_matches(block: &Block, sum: i64) -> bool {
    let field = &block[148..156];
    let add = |bytes: &[u8]| bytes.iter().map(|&b| u32::from(b)).sum::<u32>();
    let unsigned = i64::from(add(block) - add(field)) + 8 * i64::from(b' ');
    if sum == unsigned {
        return true;
    }
    let high = |bytes: &[u8]| bytes.iter().filter(|b| !b.is_ascii()).count();
    sum == unsigned - 256 * (high(block) as i64 - high(field) as i64)
}

/// Fills `header` from a block, extensions not considered; returns the size field.
fn read_fields(header: &mut Header, layout: Layout, block: &Block) -> Result<i64, Reason> {
    let number = |range: std::ops::Range<usize>, name| block.get(range).and_then(numeric).ok_or(Reason::Number(name));
    header.flag = block[156];
    header.mode = number(100..108, "mode")? as u32;
    header.uid = number(108..116, "owner")? as u32;
    header.gid = number(116..124, "group")? as u32;
    number(136..148, "modification time")?;
    header.xattrs.clear();
    header.sparse = None;
    header.link.clear();
    header.link.extend_from_slice(text(&block[157..257]));
    header.path.clear();
    if layout != Layout::V7 {
        number(329..337, "major device number")?;
        number(337..345, "minor device number")?;
    }
    if layout == Layout::Star {
        number(476..488, "access time")?;
        number(488..500, "change time")?;
    }
    let prefix = prefix(layout, block);
    if !prefix.is_empty() {
        header.path.extend_from_slice(prefix);
        header.path.push(b'/');
    }
    header.path.extend_from_slice(text(&block[..100]));
    number(124..136, "size")
}

/// The first part of a name that was split in two.
fn prefix(layout: Layout, block: &Block) -> &[u8] {
    match layout {
        Layout::V7 => b"",
        Layout::Ustar => text(&block[345..500]),
        Layout::Star => text(&block[345..476]),
        // GNU has two times here and no prefix. Go before 1.8 wrote prefixes all the same, so where the times make
        // no sense, ASCII is taken for a prefix (golang/go issues 12594 and 21005).
        Layout::Gnu => {
            let is_time = |field: &[u8]| field[0] == 0 || numeric(field).is_some();
            if is_time(&block[345..357]) && is_time(&block[357..369]) {
                return b"";
            }
            let prefix = text(&block[345..500]);
            if prefix.is_ascii() { prefix } else { b"" }
        }
    }
}

fn kind(flag: u8, layout: Layout, block: &Block) -> EntryKind {
    let device = |at: usize| match layout {
        Layout::V7 => 0,
        _ => block.get(at..at + 8).and_then(numeric).unwrap_or_default() as u32,
    };
    match flag {
        b'0' | b'7' | b'S' => EntryKind::File,
        b'1' => EntryKind::Hardlink,
        b'2' => EntryKind::Symlink,
        b'3' => EntryKind::Char { major: device(329), minor: device(337) },
        b'4' => EntryKind::Block { major: device(329), minor: device(337) },
        b'5' => EntryKind::Dir,
        b'6' => EntryKind::Fifo,
        other => EntryKind::Other(other),
    }
}

/// Kinds that have no body, whatever their size field says.
fn is_header_only(flag: u8) -> bool {
    matches!(flag, b'1'..=b'6')
}

const BAD_COUNT: &str = "its number of fragments is wrong";

/// The map of sparse formats 0.0 and 0.1, which is in the records.
fn map_of_records(pax: &Pax) -> Result<Vec<Fragment>, Reason> {
    let count = fragment_count(pax.get(Key::SparseBlocks)).ok_or(Reason::SparseMap(BAD_COUNT))?;
    let map = pax.get(Key::SparseMap);
    let fields = if map.is_empty() { 0 } else { 1 + map.iter().filter(|&&b| b == b',').count() as u64 };
    if fields != 2 * count {
        return Err(Reason::SparseMap(BAD_COUNT));
    }
    pairs(map.split(|&b| b == b',').take(if map.is_empty() { 0 } else { usize::MAX }))
}

/// A number of fragments; what would not fit the largest map is refused at once.
fn fragment_count(text: &[u8]) -> Option<u64> {
    decimal(text).and_then(|count| u64::try_from(count).ok()).filter(|&count| count <= EXTENSION_MAX)
}

fn pairs<'a>(mut fields: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Fragment>, Reason> {
    let mut fragments = Vec::new();
    while let (Some(offset), Some(len)) = (fields.next(), fields.next()) {
        fragments.push(fragment(decimal(offset), decimal(len))?);
    }
    Ok(fragments)
}

fn fragment(offset: Option<i64>, len: Option<i64>) -> Result<Fragment, Reason> {
    let part = |number: Option<i64>| {
        number.and_then(|n| u64::try_from(n).ok()).ok_or(Reason::SparseMap("it holds something that is no number"))
    };
    Ok(Fragment { offset: part(offset)?, len: part(len)? })
}

/// Puts `with` in place of `name`, unless it is empty.
fn replace(name: &mut Vec<u8>, with: &[u8]) {
    if !with.is_empty() {
        name.clear();
        name.extend_from_slice(with);
    }
}

fn is_zero(block: &Block) -> bool {
    *block == [0; BLOCK]
}
