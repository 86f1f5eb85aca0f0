//! Reads the header of one package as rpm's databases store it.
//!
//! Format: rpm's `docs/manual/format_v4.md`, "Header", without the magic of package files: two 32-bit big-endian
//! counts (entries, data bytes), 16 bytes of index for each entry (tag, type, offset, count), then the data. Offsets
//! and counts are not trusted; an entry that reaches outside the data, or has another type than its tag calls for, is
//! as good as absent. Signatures and digests are not checked.

use super::super::malformed::Malformed;

/// Name of the package.
pub const NAME: u32 = 1000;
/// Version.
pub const VERSION: u32 = 1001;
/// Release.
pub const RELEASE: u32 = 1002;
/// Epoch; most packages have none.
pub const EPOCH: u32 = 1003;
/// Installed size in bytes, when it fits 32 bits.
pub const SIZE: u32 = 1009;
/// Architecture.
pub const ARCH: u32 = 1022;
/// Paths of the files, as packages before rpm 4 have them.
pub const OLDFILENAMES: u32 = 1027;
/// Digest of each file in hexadecimal; empty for what is no regular file.
pub const FILEDIGESTS: u32 = 1035;
/// What the package provides.
pub const PROVIDENAME: u32 = 1047;
/// What the package requires.
pub const REQUIRENAME: u32 = 1049;
/// For each file the place of its directory among the [`DIRNAMES`].
pub const DIRINDEXES: u32 = 1116;
/// For each file its name without the directory.
pub const BASENAMES: u32 = 1117;
/// Directories, each once.
pub const DIRNAMES: u32 = 1118;
/// Installed size in bytes, when it does not fit 32 bits.
pub const LONGSIZE: u32 = 5009;

/// Number of the algorithm of [`FILEDIGESTS`], as OpenPGP counts them; MD5 where there is none.
pub const FILEDIGESTALGO: u32 = 5011;

/// Types of entries.
const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;

/// Most entries rpm itself accepts in a header (`HEADER_TAGS_MAX`).
const ENTRIES_MAX: usize = 0xffff;

/// A header whose counts fit its bytes.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    index: &'a [[u8; 16]],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes the header apart.
    ///
    /// # Errors
    /// When the counts promise more than there is.
    pub fn new(blob: &'a [u8]) -> Result<Self, Malformed> {
        let short = || Malformed(format!("a header of {} bytes is cut short", blob.len()));
        let (&entries, rest) = blob.split_first_chunk::<4>().ok_or_else(short)?;
        let (&data_len, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let entries = usize::try_from(u32::from_be_bytes(entries)).map_err(|_| short())?;
        let data_len = usize::try_from(u32::from_be_bytes(data_len)).map_err(|_| short())?;
        if entries > ENTRIES_MAX {
            return Err(Malformed(format!("a header claims {entries} entries, more than {ENTRIES_MAX}")));
        }
        let (index, rest) = rest.split_at_checked(entries * 16).ok_or_else(short)?;
        let data = rest.get(..data_len).ok_or_else(short)?;
        Ok(Self { index: index.as_chunks().0, data })
    }

    /// The string of a tag.
    pub fn string(&self, tag: u32) -> Option<&'a [u8]> {
        let (data, _) = self.entry(tag, STRING)?;
        strings(data, 1).next()
    }

    /// The strings of a tag; none when it is absent.
    pub fn strings(&self, tag: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let (data, count) = self.entry(tag, STRING_ARRAY).unwrap_or_default();
        strings(data, count)
    }

    /// The first number of a tag, of 32 or 64 bits.
    pub fn number(&self, tag: u32) -> Option<u64> {
        if let Some((data, _)) = self.entry(tag, INT64) {
            return data.first_chunk().map(|&bytes| u64::from_be_bytes(bytes));
        }
        self.numbers(tag).next().map(u64::from)
    }

    /// The 32-bit numbers of a tag; none when it is absent.
    pub fn numbers(&self, tag: u32) -> impl Iterator<Item = u32> + use<'a> {
        let (data, count) = self.entry(tag, INT32).unwrap_or_default();
        data.as_chunks().0.iter().take(count).map(|&bytes| u32::from_be_bytes(bytes))
    }

    /// The data from a tag's offset on, and how many values are there. The last entry of a tag wins: rpm appends
    /// what it changes when it installs a package.
    fn entry(&self, tag: u32, kind: u32) -> Option<(&'a [u8], usize)> {
        let word = |entry: &[u8; 16], at: usize| {
            let bytes = entry.as_chunks::<4>().0.get(at).copied().unwrap_or_default();
            u32::from_be_bytes(bytes)
        };
        let entry = self.index.iter().rfind(|entry| word(entry, 0) == tag && word(entry, 1) == kind)?;
        let data = self.data.get(usize::try_from(word(entry, 2)).ok()?..)?;
        Some((data, usize::try_from(word(entry, 3)).ok()?))
    }
}

/// At most `count` strings, each ended by a NUL; what the end of the data cuts off is none.
fn strings(data: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    data.split_inclusive(|&b| b == 0).map_while(|string| string.strip_suffix(&[0])).take(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entries: &[(u32, u32, u32, u32)], data: &[u8]) -> Vec<u8> {
        let mut blob = vec![];
        blob.extend((entries.len() as u32).to_be_bytes());
        blob.extend((data.len() as u32).to_be_bytes());
        for entry in entries {
            blob.extend([entry.0, entry.1, entry.2, entry.3].iter().flat_map(|word| word.to_be_bytes()));
        }
        blob.extend(data);
        blob
    }

    #[test]
    fn counts_never_reach_outside_the_data() {
        let entries = [
            (NAME, STRING, 0, 1),
            (VERSION, STRING, 5, 1),
            (ARCH, STRING, u32::MAX, 1),
            (BASENAMES, STRING_ARRAY, 0, u32::MAX),
            (DIRINDEXES, INT32, 1, u32::MAX),
            (SIZE, INT32, 6, 1),
            (LONGSIZE, INT64, 0, 1),
        ];
        let blob = header(&entries, b"gcc\0\0tail");
        let header = Header::new(&blob).expect("a header");
        assert_eq!(header.string(NAME), Some(&b"gcc"[..]));
        assert_eq!((header.string(VERSION), header.string(ARCH), header.string(RELEASE)), (None, None, None));
        assert_eq!(header.strings(BASENAMES).collect::<Vec<_>>(), [&b"gcc"[..], b""]);
        assert_eq!(header.numbers(DIRINDEXES).collect::<Vec<_>>(), [0x6363_0000, 0x7461_696c]);
        assert_eq!(header.number(SIZE), None);
        assert_eq!(header.number(LONGSIZE), Some(0x6763_6300_0074_6169));
    }

    #[test]
    fn the_last_entry_of_the_right_type_wins() {
        let entries = [(NAME, STRING, 0, 1), (NAME, STRING, 2, 1), (NAME, INT32, 0, 1)];
        let blob = header(&entries, b"a\0b\0");
        assert_eq!(Header::new(&blob).expect("a header").string(NAME), Some(&b"b"[..]));
    }

    #[test]
    fn a_header_larger_than_its_bytes_is_malformed() {
        let blob = header(&[(NAME, STRING, 0, 1)], b"gcc\0");
        for end in 0..blob.len() {
            assert!(Header::new(&blob[..end]).is_err(), "{end}");
        }
        assert!(Header::new(&[0xff; 64]).is_err());
    }
}
