//! The texts that forms are found by: how tokens begin, and words that stand in a match.
//!
//! [`super::filter`] tells places where one may be; here it is compared.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};

use super::{
    filter::RUN_MIN,
    heads::{HEAD, Heads, common},
    rules::FormNo,
};

/// Bits of the table that says in a nanosecond that nothing is here, as a power of two.
const BITS: u32 = 16;

/// Rows for the beginnings of tokens, which are compared in runs only.
const ROWS: usize = 3;

/// A set of three-byte texts that may say yes too often.
#[derive(Debug)]
struct Bitmap(Box<[u64; 1 << (BITS - 6)]>);

impl Bitmap {
    fn new(keys: impl IntoIterator<Item = u32>) -> Self {
        let mut bits = Box::new([0; 1 << (BITS - 6)]);
        for slot in keys.into_iter().map(slot) {
            bits[slot >> 6] |= 1 << (slot & 63);
        }
        Self(bits)
    }

    fn holds(&self, key: u32) -> bool {
        let slot = slot(key);
        self.0[slot >> 6] >> (slot & 63) & 1 == 1
    }
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
fn slot(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

fn key([a, b, c]: [u8; HEAD]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

/// How forms begin, by their first three bytes.
#[derive(Debug)]
pub struct Starts {
    heads: Heads,
    bitmap: Bitmap,
    by_head: HashMap<u32, Vec<Start>>,
}

/// How one form begins.
#[derive(Debug)]
pub struct Start {
    text: Box<[u8]>,
    /// The first eight bytes of it as a number, and which bits of that count.
    word: u64,
    mask: u64,
    /// The form.
    pub form: FormNo,
}

impl Start {
    fn new(text: &[u8], form: FormNo) -> Self {
        let mut word = [0; 8];
        text.iter().zip(&mut word).for_each(|(&byte, to)| *to = byte);
        let mask = u64::MAX >> (8 * (8 - text.len().clamp(1, 8)));
        Self { text: text.into(), word: u64::from_le_bytes(word), mask, form }
    }

    /// Whether `rest`, whose first eight bytes are `word`, begins so.
    fn fits(&self, word: u64, rest: &[u8]) -> bool {
        word & self.mask == self.word && (self.text.len() <= 8 || rest.starts_with(&self.text))
    }

    /// Bytes of it.
    pub fn len(&self) -> usize {
        self.text.len()
    }
}

impl Starts {
    /// Takes beginnings of three bytes and more; shorter ones are never found.
    pub fn new<'a>(starts: impl IntoIterator<Item = (&'a str, FormNo)>) -> Self {
        let mut by_head = HashMap::<u32, Vec<Start>>::new();
        let mut heads = Vec::new();
        for (start, form) in starts {
            let Some(head) = start.as_bytes().first_chunk::<HEAD>() else { continue };
            by_head.entry(key(*head)).or_default().push(Start::new(start.as_bytes(), form));
            heads.push((*head, true));
        }
        Self { heads: Heads::new(heads, ROWS), bitmap: Bitmap::new(by_head.keys().copied()), by_head }
    }

    /// What the filter looks for.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The beginnings that `rest` has; one of less than eight bytes is too short for any token, and has none.
    #[inline]
    pub fn find<'s>(&'s self, rest: &'s [u8]) -> impl Iterator<Item = &'s Start> {
        let head = rest.first_chunk::<HEAD>().map(|head| key(*head)).filter(|&head| self.bitmap.holds(head));
        let starts = head.and_then(|head| self.by_head.get(&head));
        let word = rest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        starts.into_iter().flatten().filter(move |start| start.fits(word, rest))
    }
}

/// What a word means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Met {
    /// It stands in the match of a form.
    Word(FormNo),
    /// A form begins with it, inside of a word perhaps.
    Start(FormNo),
    /// It is the sign of an address.
    Address(FormNo),
}

/// A word to look for.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    /// Its text, of at least three bytes.
    pub text: &'a str,
    /// Whether case counts.
    pub exact: bool,
    /// What it means.
    pub met: Met,
}

/// Words, by three bytes of each.
#[derive(Debug)]
pub struct Needles {
    heads: Heads,
    bitmap: Bitmap,
    by_head: HashMap<u32, Vec<Needle>>,
}

#[derive(Debug)]
struct Needle {
    text: Box<[u8]>,
    /// Where in it the three bytes stand by which it is found.
    within: usize,
    exact: bool,
    met: Met,
}

impl Needles {
    /// Takes words; shorter ones are never found. So many of their heads share a row: with more of them a vector says yes too
    /// often, with fewer it takes longer.
    pub fn new<'a>(words: impl IntoIterator<Item = Word<'a>>, row_max: usize) -> Self {
        let mut words: Vec<Word<'a>> = words.into_iter().filter(|word| word.text.len() >= HEAD).collect();
        // What has no choice chooses first, and the others join it where they can.
        words.sort_by_key(|word| word.text.len());
        let (mut heads, mut by_head) = (HashSet::new(), HashMap::<u32, Vec<Needle>>::new());
        for Word { text, exact, met } in words {
            let text = text.as_bytes();
            let places = text.windows(HEAD).take(RUN_MIN - HEAD).enumerate().filter_map(|(at, head)| {
                let head = *head.first_chunk::<HEAD>()?;
                let cost: u64 = head.iter().map(|&byte| common(byte)).product();
                // Rows of one byte are longer than one word needs.
                let cost = if head == [head[0]; HEAD] { u64::MAX } else { cost };
                Some((if heads.contains(&(head, exact)) { 0 } else { cost }, at, head))
            });
            let Some((_, within, head)) = places.min() else { continue };
            heads.insert((head, exact));
            by_head.entry(folded(head)).or_default().push(Needle { text: text.into(), within, exact, met });
        }
        let rows = heads.len().div_ceil(row_max);
        Self { heads: Heads::new(heads, rows), bitmap: Bitmap::new(by_head.keys().copied()), by_head }
    }

    /// What the filter looks for.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Calls `hit` with each word whose three bytes stand at `at`, and where it lies.
    #[inline]
    pub fn find(&self, text: &[u8], at: usize, hit: impl FnMut(Met, Range<usize>)) {
        let head = text.get(at..).and_then(<[u8]>::first_chunk::<HEAD>).map(|head| folded(*head));
        if let Some(head) = head.filter(|&head| self.bitmap.holds(head)) {
            self.compare(text, at, head, hit);
        }
    }

    fn compare(&self, text: &[u8], at: usize, head: u32, mut hit: impl FnMut(Met, Range<usize>)) {
        for needle in self.by_head.get(&head).into_iter().flatten() {
            let Some(start) = at.checked_sub(needle.within) else { continue };
            let range = start..start + needle.text.len();
            let Some(here) = text.get(range.clone()) else { continue };
            let is = if needle.exact { *here == *needle.text } else { here.eq_ignore_ascii_case(&needle.text) };
            if is {
                hit(needle.met, range);
            }
        }
    }
}

/// A number that heads share which differ in nothing but case.
fn folded(head: [u8; HEAD]) -> u32 {
    key(head) | 0x0020_2020
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [(&str, bool); 9] = [
        ("password", false),
        ("passwd", false),
        ("_KEY", false),
        ("api_key", false),
        ("://", true),
        ("T3BlbkFJ", true),
        ("aaaa", true),
        ("-----BEGIN PRIVATE KEY-----", true),
        ("key", true),
    ];

    fn needles() -> Needles {
        let words = (0..).zip(WORDS).map(|(no, (text, exact))| Word { text, exact, met: Met::Word(no) });
        Needles::new(words.chain([Word { text: "ab", exact: true, met: Met::Start(0) }]), 50)
    }

    fn found(text: &str) -> Vec<(usize, FormNo)> {
        let (needles, mut found) = (needles(), Vec::new());
        for at in 0..text.len() {
            needles.find(text.as_bytes(), at, |met, range| match met {
                Met::Word(no) => found.push((range.start, no)),
                other => panic!("{other:?}"),
            });
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn every_word_is_found_wherever_it_stands_and_over_others() {
        let text = "x://PASSWORD=aaaaa api_Key key KEY T3BlbkFJ t3blbkfj passw ab -----BEGIN PRIVATE KEY-----";
        let mut want = Vec::new();
        for (no, (word, exact)) in (0..).zip(WORDS) {
            let same = |here: &str| if exact { here == word } else { here.eq_ignore_ascii_case(word) };
            let places = (0..text.len()).filter(|&at| text.get(at..at + word.len()).is_some_and(same));
            want.extend(places.map(|at| (at, no)));
        }
        want.sort_unstable();
        assert_eq!(found(text), want);
        assert!(want.len() > 8);
    }

    #[test]
    fn what_words_are_found_by_lies_near_their_beginning_and_is_shared() {
        let needles = needles();
        assert!(needles.by_head.values().flatten().all(|needle| needle.within + HEAD <= RUN_MIN));
        assert!(needles.by_head.len() < WORDS.len());
    }

    #[test]
    fn beginnings_are_told_by_all_of_their_bytes() {
        let starts = Starts::new([("ghp_", 1), ("ghp", 2), ("github_pat_", 3), ("gh", 4)]);
        let forms = |rest: &str| starts.find(rest.as_bytes()).map(|start| start.form).collect::<Vec<_>>();
        assert_eq!(forms("ghp_12345"), [1, 2]);
        assert_eq!(forms("ghpx12345"), [2]);
        assert_eq!(forms("github_pat_"), [3]);
        for other in ["github_pat", "gh", "", "gho_12345", "ghp_123"] {
            assert_eq!(forms(other), [] as [FormNo; 0], "{other}");
        }
    }
}
