//! PAX extended headers: the records of one `x` or `g` entry.
//!
//! Reads the records and keeps the last value of each key; what the values do to an entry is said in `machine`.

use std::collections::BTreeMap;

use super::{Reason, number};

/// The keys that change an entry, in the order of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Path,
    LinkPath,
    Uid,
    Gid,
    Size,
    Mtime,
    Atime,
    Ctime,
    SparseName,
    SparseMajor,
    SparseMinor,
    SparseSize,
    SparseRealSize,
    SparseBlocks,
    SparseMap,
}

const KEYS: [&str; 15] = [
    "path",
    "linkpath",
    "uid",
    "gid",
    "size",
    "mtime",
    "atime",
    "ctime",
    "GNU.sparse.name",
    "GNU.sparse.major",
    "GNU.sparse.minor",
    "GNU.sparse.size",
    "GNU.sparse.realsize",
    "GNU.sparse.numblocks",
    "GNU.sparse.map",
];

const XATTR: &[u8] = b"SCHILY.xattr.";

/// The records of one extended header. Buffers are kept when it is read again.
#[derive(Debug, Default)]
pub(super) struct Pax {
    text: Vec<u8>,
    values: [Span; KEYS.len()],
    xattrs: Vec<(Span, Span)>,
    /// The map of a sparse file in format 0.0, which repeats two keys for each fragment, in the form of format 0.1.
    old_map: Option<Vec<u8>>,
}

/// A part of the text.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    len: usize,
}

impl Pax {
    /// Whether there was no record at all, not even an unknown one.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Forgets every record.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.forget();
    }

    /// Reads all records of `text` in place of the ones it held; `text` comes back with an old buffer.
    ///
    /// # Errors
    /// [`Reason::PaxRecord`]: then it holds no usable record.
    pub(super) fn read(&mut self, text: &mut Vec<u8>) -> Result<(), Reason> {
        std::mem::swap(&mut self.text, text);
        self.forget();
        let whole = std::mem::take(&mut self.text);
        let read = self.records(&whole);
        self.text = whole;
        read.ok_or(Reason::PaxRecord)
    }

    /// The last value of `key`; empty if there is none (an empty value means "none" in PAX as well).
    pub(super) fn get(&self, key: Key) -> &[u8] {
        match (key, &self.old_map) {
            (Key::SparseMap, Some(map)) => map,
            _ => self.values.get(key as usize).map(|&span| self.slice(span)).unwrap_or_default(),
        }
    }

    /// The last value of `key` as a whole number; `None` if there is none.
    pub(super) fn number(&self, key: Key) -> Result<Option<i64>, Reason> {
        match self.get(key) {
            b"" => Ok(None),
            text => number::decimal(text).map(Some).ok_or(Reason::PaxNumber(key.name())),
        }
    }

    /// Whether every number and time that there is can be read; `Ok` if so.
    pub(super) fn check_numbers(&self) -> Result<(), Reason> {
        for key in [Key::Uid, Key::Gid, Key::Size] {
            self.number(key)?;
        }
        for key in [Key::Mtime, Key::Atime, Key::Ctime] {
            let text = self.get(key);
            if !text.is_empty() && !number::is_time(text) {
                return Err(Reason::PaxNumber(key.name()));
            }
        }
        Ok(())
    }

    /// Puts the extended attributes into `out`: last value of each name, empty values left out, sorted.
    pub(super) fn xattrs(&self, out: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        out.clear();
        let last: BTreeMap<_, _> = self.xattrs.iter().map(|&(k, v)| (self.slice(k), self.slice(v))).collect();
        out.extend(last.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_vec(), v.to_vec())));
    }

    fn slice(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    fn forget(&mut self) {
        self.values = Default::default();
        self.xattrs.clear();
        self.old_map = None;
    }

    fn records(&mut self, whole: &[u8]) -> Option<()> {
        let mut old_map = Vec::new();
        let mut fields = 0usize;
        let mut start = 0;
        while start < whole.len() {
            let record = record(whole, start)?;
            start = record.end;
            let (key, value) = (record.key.of(whole), record.value.of(whole));
            match key {
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    let offset_is_due = fields.is_multiple_of(2);
                    if offset_is_due != (key == b"GNU.sparse.offset") || value.contains(&b',') {
                        return None;
                    }
                    if fields > 0 {
                        old_map.push(b',');
                    }
                    old_map.extend_from_slice(value);
                    fields += 1;
                }
                _ => self.keep(key, &record),
            }
        }
        self.old_map = (fields > 0).then_some(old_map);
        Some(())
    }

    fn keep(&mut self, key: &[u8], record: &Record) {
        if key.starts_with(XATTR) {
            let name = Span { start: record.key.start + XATTR.len(), len: record.key.len - XATTR.len() };
            self.xattrs.push((name, record.value));
        } else if let Some(at) = KEYS.iter().position(|known| known.as_bytes() == key)
            && let Some(value) = self.values.get_mut(at)
        {
            *value = record.value;
        }
    }
}

impl Key {
    fn name(self) -> &'static str {
        KEYS.get(self as usize).copied().unwrap_or_default()
    }
}

impl Span {
    fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start..).and_then(|tail| tail.get(..self.len)).unwrap_or_default()
    }
}

/// One record: where its parts are in the text and where the next one starts.
struct Record {
    key: Span,
    value: Span,
    end: usize,
}

/// Reads the record `<length> <key>=<value>\n` that starts at `start`.
fn record(whole: &[u8], start: usize) -> Option<Record> {
    let text = whole.get(start..)?;
    let space = text.iter().position(|&b| b == b' ')?;
    let len = usize::try_from(number::decimal(text.get(..space)?)?).ok()?;
    // The length counts itself; the shortest record is "5 k=\n".
    if len < 5 || len <= space + 1 || text.get(len - 1) != Some(&b'\n') {
        return None;
    }
    let body = text.get(space + 1..len - 1)?;
    let equals = body.iter().position(|&b| b == b'=')?;
    let (key, value) = (body.get(..equals)?, body.get(equals + 1..)?);
    // Values may hold NULs (extended attributes do), but not those that become names.
    let checked = if matches!(key, b"path" | b"linkpath" | b"uname" | b"gname") { value } else { key };
    if key.is_empty() || checked.contains(&0) {
        return None;
    }
    let key_start = start + space + 1;
    Some(Record {
        key: Span { start: key_start, len: equals },
        value: Span { start: key_start + equals + 1, len: value.len() },
        end: start + len,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing::record, *};

    fn read(text: &[u8]) -> Result<Pax, Reason> {
        let mut pax = Pax::default();
        pax.read(&mut text.to_vec())?;
        Ok(pax)
    }

    #[test]
    fn every_key_has_its_own_name() {
        for (key, name) in [(Key::Path, "path"), (Key::Ctime, "ctime"), (Key::SparseMap, "GNU.sparse.map")] {
            assert_eq!(key.name(), name);
        }
    }

    #[test]
    fn the_last_of_two_equal_keys_wins_even_if_empty() {
        let twice = [record("path", b"a"), record("path", b"b")].concat();
        assert_eq!(read(&twice).expect("two records").get(Key::Path), b"b");
        let emptied = [record("path", b"a"), record("path", b"")].concat();
        assert_eq!(read(&emptied).expect("two records").get(Key::Path), b"");
    }

    #[test]
    fn malformed_records_are_refused() {
        for text in [
            &b"path=a\n"[..],
            b"10 path=a",
            b"10 path=ab",
            b"11 path=a\n",
            b"8 path=a\n",
            b"4 a\n",
            b"5 ==\n",
            b"-1 path=a\n",
            b"99999999999999999999 path=a\n",
            b"10 patha\n\n",
            b"10 path=\0\n",
            b"10 pa\0h=a\n",
            b"7 =abc\n",
            b"\0",
            b"10 path=a\n\0",
            b"0000000010 =\n",
            b"+10 path=a\n",
        ] {
            assert_eq!(read(text).err(), Some(Reason::PaxRecord), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn odd_but_good_records_are_read() {
        assert_eq!(read(b"+11 path=a\n").expect("a sign is fine to Go").get(Key::Path), b"a");
        assert_eq!(read(b"014 path=a=b\n\n").expect("newline in the value").get(Key::Path), b"a=b\n");
        assert!(read(b"").expect("no record").get(Key::Path).is_empty());
    }

    #[test]
    fn extended_attributes_are_sorted_and_keep_the_last_value() {
        let records = [("b", &b"1"[..]), ("a", b"\0"), ("b", b"2"), ("c", b"")];
        let text = records.map(|(name, value)| record(&format!("SCHILY.xattr.{name}"), value)).concat();
        let mut xattrs = Vec::new();
        read(&text).expect("four records").xattrs(&mut xattrs);
        assert_eq!(xattrs, [(b"a".to_vec(), b"\0".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
    }

    #[test]
    fn sparse_0_0_pairs_become_a_map_and_must_alternate() {
        let (offset, len) = ("GNU.sparse.offset", "GNU.sparse.numbytes");
        let good = [record(offset, b"1"), record(len, b"2"), record(offset, b"9")].concat();
        assert_eq!(read(&good).expect("three fields").get(Key::SparseMap), b"1,2,9");
        assert!(read(&record(len, b"2")).is_err());
        assert!(read(&[record(offset, b"1"), record(offset, b"1")].concat()).is_err());
        assert!(read(&record(offset, b"1,2")).is_err());
    }
}
