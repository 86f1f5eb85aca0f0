//! Finds literals in streams of bytes, far faster than the bytes can be decompressed.
//!
//! Every literal is at least [`LITERAL_MIN`] bytes long, so it is enough to look at one four-byte window every
//! seven bytes: one of them must fall into any occurrence. A bitmap says in a nanosecond that a window belongs to
//! no literal; the rare rest is compared in full. Why not a library: `benches/README.md` has the comparison with
//! `aho-corasick`, which this replaces at about a tenth of its cost.

use hashbrown::HashMap;

use crate::model::{Format, FormatSet};

/// Shortest literal, in bytes. Shorter ones would identify nothing either.
pub const LITERAL_MIN: usize = 10;

/// Longest literal, in bytes: what is carried over from one piece of a file to the next.
pub const LITERAL_MAX: usize = 256;

/// Bytes of the windows that are looked up.
const WINDOW: usize = 4;

/// Distance between two looked-up windows: the largest that leaves no literal between two of them.
const STRIDE: usize = LITERAL_MIN - WINDOW + 1;

/// Bits in the bitmap, as a power of two: 8 KiB, which stays in the first-level cache.
const BITS: u32 = 16;

/// The literals to find, compiled.
#[derive(Debug)]
pub struct Sieve {
    literals: Vec<(Box<[u8]>, FormatSet)>,
    wanted: FormatSet,
    bitmap: Box<[u64; 1 << (BITS - 6)]>,
    /// Window ► literals that hold it, and where in them.
    windows: HashMap<u32, Vec<(u16, u8)>>,
}

impl Sieve {
    /// Compiles literals; each with the formats it is looked for in.
    ///
    /// Literals shorter than [`LITERAL_MIN`] or longer than [`LITERAL_MAX`], and more than 65,535 of them, are never
    /// found: the catalogue refuses them when it is loaded.
    pub fn new<'a>(literals: impl IntoIterator<Item = (&'a [u8], FormatSet)>) -> Self {
        let mut sieve = Self {
            literals: Vec::new(),
            wanted: FormatSet::default(),
            bitmap: Box::new([0; 1 << (BITS - 6)]),
            windows: HashMap::new(),
        };
        for (literal, formats) in literals {
            let Ok(number) = u16::try_from(sieve.literals.len()) else { break };
            if !(LITERAL_MIN..=LITERAL_MAX).contains(&literal.len()) {
                continue;
            }
            sieve.literals.push((literal.into(), formats));
            sieve.wanted = sieve.wanted.union(formats);
            for (at, window) in literal.windows(WINDOW).take(STRIDE).enumerate() {
                let window = key(window);
                let bit = slot(window);
                sieve.bitmap[bit >> 6] |= 1 << (bit & 63);
                sieve.windows.entry(window).or_default().push((number, at as u8));
            }
        }
        sieve
    }

    /// Whether any literal is looked for in files of this format.
    pub fn wants(&self, format: Format) -> bool {
        self.wanted.contains(format)
    }

    /// The literal with this number.
    pub fn literal(&self, number: u16) -> &[u8] {
        self.literals.get(usize::from(number)).map_or(b"", |(bytes, _)| bytes)
    }

    /// Calls `hit` with number and offset of every literal that lies wholly in `bytes`, in no particular order, some
    /// perhaps twice.
    pub(super) fn scan(&self, bytes: &[u8], format: Format, hit: &mut impl FnMut(u16, usize)) {
        for (nth, chunk) in bytes.chunks(STRIDE).enumerate() {
            let Some(window) = chunk.first_chunk::<WINDOW>() else { break };
            let window = u32::from_le_bytes(*window);
            let bit = slot(window);
            if self.bitmap[bit >> 6] >> (bit & 63) & 1 == 1 {
                self.compare(bytes, nth * STRIDE, window, format, hit);
            }
        }
    }

    #[cold]
    fn compare(&self, bytes: &[u8], at: usize, window: u32, format: Format, hit: &mut impl FnMut(u16, usize)) {
        for &(number, within) in self.windows.get(&window).into_iter().flatten() {
            let (literal, formats) = &self.literals[usize::from(number)];
            let Some(start) = at.checked_sub(usize::from(within)) else { continue };
            if formats.contains(format) && bytes[start..].starts_with(literal) {
                hit(number, start);
            }
        }
    }
}

fn key(window: &[u8]) -> u32 {
    window.first_chunk::<WINDOW>().map_or(0, |w| u32::from_le_bytes(*w))
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
fn slot(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

/// A search through one file that arrives in pieces.
#[derive(Debug, Default)]
pub struct Search {
    /// The end of what was seen, as long as the longest literal less one byte.
    tail: Vec<u8>,
    /// Where `tail` ends in the file.
    offset: u64,
    seam: Vec<u8>,
}

impl Search {
    /// Forgets the last file.
    pub fn restart(&mut self) {
        self.tail.clear();
        self.offset = 0;
    }

    /// Looks at the next piece of the file and calls `hit` with number and offset in the file of every literal that
    /// ends in it; some perhaps twice.
    pub fn feed(&mut self, sieve: &Sieve, format: Format, piece: &[u8], mut hit: impl FnMut(u16, u64)) {
        let overlap = LITERAL_MAX - 1;
        if !self.tail.is_empty() {
            self.seam.clear();
            self.seam.extend_from_slice(&self.tail);
            self.seam.extend_from_slice(&piece[..piece.len().min(overlap)]);
            let start = self.offset - self.tail.len() as u64;
            sieve.scan(&self.seam, format, &mut |number, at| hit(number, start + at as u64));
        }
        sieve.scan(piece, format, &mut |number, at| hit(number, self.offset + at as u64));
        self.offset += piece.len() as u64;
        if piece.len() >= overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - overlap..]);
        } else {
            let keep = (overlap - piece.len()).min(self.tail.len());
            self.tail.drain(..self.tail.len() - keep);
            self.tail.extend_from_slice(piece);
        }
    }

    /// Passes over zeros between zeros: what was fed last and what comes next is at least a literal's length of them.
    pub fn jump(&mut self, zeros: u64) {
        self.offset = self.offset.saturating_add(zeros);
    }

    /// The last bytes seen, up to 255 of them, and where they end in the file.
    pub fn tail(&self) -> (&[u8], u64) {
        (&self.tail, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn elf() -> FormatSet {
        FormatSet::from_iter([Format::Elf])
    }

    fn found(sieve: &Sieve, format: Format, pieces: &[&[u8]]) -> BTreeSet<(u16, u64)> {
        let (mut search, mut hits) = (Search::default(), BTreeSet::new());
        for piece in pieces {
            search.feed(sieve, format, piece, |number, at| {
                hits.insert((number, at));
            });
        }
        hits
    }

    #[test]
    fn a_literal_is_found_at_every_offset_and_across_every_cut() {
        let literal = b"GNU assembler version %s (%s)";
        let sieve = Sieve::new([(&literal[..], elf()), (&b"0123456789"[..], elf())]);
        for before in 0..40 {
            let text = [&vec![b'x'; before], &literal[..], b"012345678901"].concat();
            let want: BTreeSet<_> = [(0, before as u64), (1, (before + literal.len()) as u64)].into();
            for cut in 0..=text.len() {
                assert_eq!(found(&sieve, Format::Elf, &[&text[..cut], &text[cut..]]), want, "{before} {cut}");
            }
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(found(&sieve, Format::Elf, &bytes), want);
        }
    }

    #[test]
    fn the_shortest_literal_is_found_like_a_plain_search_finds_it() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 30) as u8
        })
        .take(200_000)
        .collect();
        let literals: Vec<&[u8]> = (0..64).map(|i| &noise[i * 997..i * 997 + LITERAL_MIN]).collect();
        let sieve = Sieve::new(literals.iter().map(|l| (*l, elf())));
        let mut want = BTreeSet::new();
        for (number, literal) in literals.iter().enumerate() {
            let places = noise.windows(LITERAL_MIN).enumerate().filter(|(_, w)| w == literal);
            want.extend(places.map(|(at, _)| (number as u16, at as u64)));
        }
        for size in [200_000, 4_096, 77] {
            let pieces: Vec<&[u8]> = noise.chunks(size).collect();
            assert_eq!(found(&sieve, Format::Elf, &pieces), want);
        }
    }

    #[test]
    fn a_literal_of_another_format_and_one_too_short_are_not_found() {
        let sieve = Sieve::new([(&b"0123456789"[..], elf()), (&b"012345678"[..], elf())]);
        assert!(found(&sieve, Format::Script, &[b"0123456789"]).is_empty());
        assert_eq!(found(&sieve, Format::Elf, &[b"0123456789"]).len(), 1);
        assert!(sieve.wants(Format::Elf) && !sieve.wants(Format::Zip));
    }
}
