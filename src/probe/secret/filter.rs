//! Finds in one pass over a buffer the few places where a form could be, faster than memory is filled.
//!
//! Blocks of 64 bytes are classified at once by vector instructions. Two kinds of places come of it: where a token may
//! begin, which is sixteen and more letters, digits and a few signs in a row after three bytes that some token begins with;
//! and where three bytes stand that some word holds. A few places are wrong ones (`heads`): the caller compares. Why not a
//! library: what `aho-corasick` compares by vectors are some sixty words, and its automata read byte by byte.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x16, u8x64};

use super::heads::{HEAD, Halves, Heads, Sets};

/// Shortest run of token bytes that is looked at.
pub const RUN_MIN: usize = 16;

/// Bytes that are classified at once, one for each bit of a word.
const BLOCK: usize = 64;

/// Blocks that are classified before they are looked at: one for each bit of a word.
const BATCH: usize = 64;

/// What the bytes of a file are looked at for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// A token may begin here.
    Start(usize),
    /// A word may hold the three bytes that stand here.
    Word(usize),
}

/// Calls `hit` with every place where sixteen token bytes begin with one of `starts`, and with every one of `words`; perhaps
/// with a few more. Tokens begin everywhere in a run, or only where no word goes on, if not `inside`. Behind what begins
/// an escape sequence every place is one. `before` is the byte in front of `bytes`.
pub fn places(bytes: &[u8], before: Option<u8>, inside: bool, filter: Filter<'_>, mut hit: impl FnMut(Place)) {
    let level = Level::new();
    let classify = |bytes, marks: &mut _| match cfg!(debug_assertions) {
        true => classify_plainly(bytes, filter.words, marks),
        false => dispatch!(level, simd => classify(simd, bytes, filter.words, marks)),
    };
    let begun = |block, before, among| match cfg!(debug_assertions) {
        true => begun_plainly(block, before, filter.starts, among),
        false => dispatch!(level, simd => begun(simd, block, before, filter.starts)) & among,
    };
    // Each block is read with the bytes behind it that its heads reach into.
    let whole = bytes.len().saturating_sub(HEAD - 1) / BLOCK;
    let rest = bytes.get(whole * BLOCK..).unwrap_or_default();
    let mut last = [0; 3 * BLOCK + HEAD - 1];
    last[..rest.len()].copy_from_slice(rest);
    let batches = (0..whole).step_by(BATCH).map(|first| {
        let count = BATCH.min(whole - first);
        (first * BLOCK, &bytes[first * BLOCK..(first + count) * BLOCK + HEAD - 1], count)
    });
    let block = |start: usize| match start.checked_sub(whole * BLOCK) {
        Some(at) => &last[at..at + BLOCK + HEAD - 1],
        None => &bytes[start..start + BLOCK + HEAD - 1],
    };
    // Where a token begins is known when the next block is, so the first mark is the last of the batch before; there is
    // nothing in front of the first block but a byte, and the last of all is empty.
    let mut marks = [Marks::default(); BATCH + 1];
    marks[0].word = u64::from(before.is_some_and(|byte| byte.is_ascii_alphanumeric())) << (BLOCK - 1);
    let mut goes_on = 0;
    for (base, piece, count) in batches.chain([(whole * BLOCK, &last[..], 3)]) {
        classify(piece, &mut marks[1..=count]);
        // Most blocks have nothing: those that do are noted first, without a branch for each.
        let (mut holds, mut begins) = (0, 0);
        for (number, pair) in marks[..=count].windows(2).enumerate() {
            holds |= u64::from(pair[1].held != 0) << number;
            begins |= u64::from(pair[0].may_begin(pair[1])) << number;
        }
        each(holds, |number| each(marks[number + 1].held, |at| hit(Place::Word(base + number * BLOCK + at))));
        each(begins, |number| {
            let (mark, next) = (marks[number], marks[number + 1]);
            let front = number.checked_sub(1).map_or(goes_on, |front| marks[front].word >> (BLOCK - 1));
            let joined = if inside { 0 } else { mark.word << 1 | front };
            let long = runs(mark.token, next.token) & !joined;
            if long != 0 {
                let from = base + number * BLOCK - BLOCK;
                let front = from.checked_sub(1).map_or(before, |front| bytes.get(front).copied());
                each(begun(block(from), front, long), |at| hit(Place::Start(from + at)));
            }
        });
        goes_on = marks[count - 1].word >> (BLOCK - 1);
        marks[0] = marks[count];
    }
}

fn each(mut bits: u64, mut hit: impl FnMut(usize)) {
    while bits != 0 {
        hit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'h> {
    /// How tokens begin.
    pub starts: &'h Heads,
    /// What stands in words.
    pub words: &'h Heads,
}

/// Where in a block sixteen token bytes begin; `next` is the mask of what follows.
fn runs(mask: u64, next: u64) -> u64 {
    // Each step doubles what a bit stands for.
    let mut long = u128::from(mask) | u128::from(next) << BLOCK;
    long &= long >> 1;
    long &= long >> 2;
    long &= long >> 4;
    long &= long >> 8;
    long as u64
}

/// What the bytes of a block are, one bit for each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Marks {
    /// They may stand in a token.
    token: u64,
    /// They are letters or digits.
    word: u64,
    /// A word may hold them and the next two.
    held: u64,
}

impl Marks {
    /// Whether sixteen token bytes can begin in the block, with `next` behind it: they fill eight that lie together, there
    /// or at the beginning of the next one.
    fn may_begin(self, next: Self) -> bool {
        const EIGHT: u64 = 0xff;
        let others = !self.token;
        let full = others.wrapping_sub(0x0101_0101_0101_0101) & !others & 0x8080_8080_8080_8080;
        let over = self.token >> (BLOCK - 1) != 0 && next.token & EIGHT == EIGHT;
        full != 0 || over
    }
}

/// The kinds of bytes.
const KINDS: Sets = {
    let mut kinds = Sets::EMPTY;
    kinds.add(1, 0xfffe, 1 << 4 | 1 << 6); // A to O, a to o
    kinds.add(2, 0x07ff, 1 << 5 | 1 << 7); // P to Z, p to z
    kinds.add(4, 0x03ff, 1 << 3); // 0 to 9
    kinds.add(8, 1 << 11 | 1 << 13 | 1 << 14 | 1 << 15, 1 << 2); // + - . /
    kinds.add(16, 1 << 15, 1 << 5); // _
    kinds.add(32, 1 << 14, 1 << 7); // ~
    kinds.add(64, 1 << 11 | 1 << 12, 1 << 5); // [ and the backslash
    kinds.add(128, 1 << 5 | 1 << 11, 1 << 2 | 1 << 3); // % and ; and, as they share halves with these, + and 5
    kinds
};

/// The kind of each byte.
static KIND_OF: [u8; 256] = {
    let mut kind_of = [0; 256];
    let mut byte = 0;
    while byte < kind_of.len() {
        kind_of[byte] = KINDS.of(byte as u8);
        byte += 1;
    }
    kind_of
};

const WORD: u8 = 1 | 2 | 4;
const TOKEN: u8 = WORD | 8 | 16 | 32;
const ESCAPE: u8 = 64 | 128;

/// Tells of each byte what it is.
#[inline(always)]
fn classify<S: Simd>(simd: S, bytes: &[u8], words: &Heads, marks: &mut [Marks]) {
    let kinds = Table::new(simd, &KINDS);
    // The first row stays where vectors are: programs, which have the most bytes, want no other.
    let first = tables(simd, &words.first);
    for (number, mark) in marks.iter_mut().enumerate() {
        let here = three(simd, &bytes[number * BLOCK..]);
        let kinds = kinds.of(here[0]);
        let held = held(simd, here, first, &words.rest);
        *mark = Marks { token: any(simd, kinds, TOKEN), word: any(simd, kinds, WORD), held };
    }
}

/// Where in a block a token may begin; `before` is the byte in front of it.
#[inline(always)]
fn begun<S: Simd>(simd: S, block: &[u8], before: Option<u8>, starts: &Heads) -> u64 {
    let here = three(simd, block);
    let escape = any(simd, Table::new(simd, &KINDS).of(here[0]), ESCAPE);
    held(simd, here, tables(simd, &starts.first), &starts.rest) | escape << 1 | begins_escaped(before)
}

/// Whether what stands behind this byte may be an escape sequence.
fn begins_escaped(before: Option<u8>) -> u64 {
    u64::from(before.is_some_and(|byte| KIND_OF[usize::from(byte)] & ESCAPE != 0))
}

/// A block, and the same from its second and from its third byte on.
#[inline(always)]
fn three<S: Simd>(simd: S, bytes: &[u8]) -> [Split<S>; HEAD] {
    [Split::new(simd, bytes), Split::new(simd, &bytes[1..]), Split::new(simd, &bytes[2..])]
}

/// A block of bytes as their halves.
#[derive(Clone, Copy)]
struct Split<S: Simd> {
    low: u8x64<S>,
    high: u8x64<S>,
}

impl<S: Simd> Split<S> {
    #[inline(always)]
    fn new(simd: S, bytes: &[u8]) -> Self {
        let bytes = u8x64::from_slice(simd, &bytes[..BLOCK]);
        Self { low: bytes & u8x64::splat(simd, 15), high: bytes >> 4 }
    }
}

/// A set of bytes as vectors, by the halves of bytes.
#[derive(Clone, Copy)]
struct Table<S: Simd> {
    low: u8x64<S>,
    high: u8x64<S>,
}

impl<S: Simd> Table<S> {
    #[inline(always)]
    fn new(simd: S, sets: &Sets) -> Self {
        Self { low: four_times(simd, &sets.low), high: four_times(simd, &sets.high) }
    }

    #[inline(always)]
    fn of(self, bytes: Split<S>) -> u8x64<S> {
        self.low.swizzle_dyn_within_blocks(bytes.low) & self.high.swizzle_dyn_within_blocks(bytes.high)
    }
}

/// Most machines have shorter vectors, and need but one of these.
#[inline(always)]
fn four_times<S: Simd>(simd: S, halves: &Halves) -> u8x64<S> {
    let part = u8x16::from_slice(simd, halves);
    let two = part.combine(part);
    two.combine(two)
}

#[inline(always)]
fn tables<S: Simd>(simd: S, [first, second, third]: &[Sets; HEAD]) -> [Table<S>; HEAD] {
    [Table::new(simd, first), Table::new(simd, second), Table::new(simd, third)]
}

/// A bit for each byte that a head of these rows may begin with.
#[inline(always)]
fn held<S: Simd>(simd: S, here: [Split<S>; HEAD], first: [Table<S>; HEAD], rest: &[[Sets; HEAD]]) -> u64 {
    let mut groups = row(first, here);
    for more in rest {
        groups |= row(tables(simd, more), here);
    }
    any(simd, groups, u8::MAX)
}

/// Something for each byte that a head of the row may begin with.
#[inline(always)]
fn row<S: Simd>([first, second, third]: [Table<S>; HEAD], here: [Split<S>; HEAD]) -> u8x64<S> {
    first.of(here[0]) & second.of(here[1]) & third.of(here[2])
}

/// A bit for each byte that has one of these bits.
#[inline(always)]
fn any<S: Simd>(simd: S, bytes: u8x64<S>, bits: u8) -> u64 {
    !(bytes & u8x64::splat(simd, bits)).simd_eq(u8x64::splat(simd, 0)).to_bitmask()
}

/// The same, byte by byte: a build for tests calls a function for each vector instruction, which takes ten times as long.
/// For the same reason it has no iterators.
fn classify_plainly(bytes: &[u8], words: &Heads, marks: &mut [Marks]) {
    for (number, mark) in marks.iter_mut().enumerate() {
        let start = number * BLOCK;
        *mark = Marks { held: held_plainly(&bytes[start..], words, u64::MAX), ..Marks::default() };
        let mut at = 0;
        while at < BLOCK {
            let kind = KIND_OF[bytes[start + at] as usize];
            if kind != 0 {
                mark.token |= ((kind & TOKEN != 0) as u64) << at;
                mark.word |= ((kind & WORD != 0) as u64) << at;
            }
            at += 1;
        }
    }
}

/// Where among these bytes of a block a token may begin.
fn begun_plainly(block: &[u8], before: Option<u8>, starts: &Heads, among: u64) -> u64 {
    let (mut at, mut escape) = (0, begins_escaped(before));
    while at + 1 < BLOCK {
        escape |= ((KIND_OF[block[at] as usize] & ESCAPE != 0) as u64) << (at + 1);
        at += 1;
    }
    escape & among | held_plainly(block, starts, among)
}

/// A bit for each byte among these that some head may begin with.
fn held_plainly(bytes: &[u8], heads: &Heads, among: u64) -> u64 {
    let (mut at, mut held) = (0, 0);
    while at < BLOCK {
        if among >> at & 1 == 1 && heads.begins[bytes[at] as usize] && heads.may_stand(&bytes[at..]) {
            held |= 1 << at;
        }
        at += 1;
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_token_byte(byte: &u8) -> bool {
        byte.is_ascii_alphanumeric() || b"_~+-./".contains(byte)
    }

    /// Heads that every text has.
    fn any() -> Heads {
        let mut sets = Sets::EMPTY;
        sets.add(1, u16::MAX, u16::MAX);
        Heads::of_rows([[sets; HEAD]])
    }

    fn filter<'h>(starts: &'h Heads, words: &'h Heads) -> Filter<'h> {
        Filter { starts, words }
    }

    fn heads(of: &[&str], exact: bool) -> Heads {
        let heads = of.iter().map(|head| (head.as_bytes().try_into().expect("three bytes"), exact));
        Heads::new(heads, 1)
    }

    fn found(bytes: &[u8], before: Option<u8>, inside: bool, [starts, words]: [&Heads; 2]) -> (Vec<usize>, Vec<usize>) {
        let (mut tokens, mut held) = (Vec::new(), Vec::new());
        places(bytes, before, inside, filter(starts, words), |place| match place {
            Place::Start(at) => tokens.push(at),
            Place::Word(at) => held.push(at),
        });
        (tokens, held)
    }

    fn plain(bytes: &[u8], before: Option<u8>, inside: bool) -> Vec<usize> {
        let starts = |&at: &usize| bytes.get(at..at + RUN_MIN).is_some_and(|run| run.iter().all(is_token_byte));
        let goes_on = |at: usize| {
            let byte = at.checked_sub(1).map_or(before, |at| bytes.get(at).copied());
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric())
        };
        (0..bytes.len()).filter(starts).filter(|&at| inside || !goes_on(at)).collect()
    }

    fn check(bytes: &[u8]) -> usize {
        let (any, none) = (any(), heads(&[], true));
        let mut count = 0;
        for (before, inside) in [(None, true), (None, false), (Some(b'x'), false), (Some(b'='), false)] {
            let want = plain(bytes, before, inside);
            assert_eq!(found(bytes, before, inside, [&any, &none]).0, want, "{:?}", String::from_utf8_lossy(bytes));
            count += want.len();
        }
        count
    }

    #[test]
    fn every_run_is_found_wherever_it_begins_and_ends() {
        for before in 0..40 {
            for len in 12..40 {
                for after in 0..20 {
                    check(&[vec![b' '; before], vec![b'a'; len], vec![b' '; after]].concat());
                    check(&[vec![b'-'; before], vec![b'a'; len], vec![b'/'; after]].concat());
                }
            }
        }
    }

    #[test]
    fn every_head_is_found_wherever_it_stands() {
        let none = heads(&[], true);
        let (exact, any_case) = (heads(&["tok", "://"], true), heads(&["tok", "://"], false));
        for before in 0..200 {
            for after in [0, 1, 2, 60, 61, 62, 63, 64, 65] {
                let text = |word: &[u8]| [&vec![b' '; before], word, &vec![b' '; after]].concat();
                for word in ["tok", "://"] {
                    assert_eq!(found(&text(word.as_bytes()), None, false, [&none, &exact]).1, [before]);
                }
                assert_eq!(found(&text(b"tOK"), None, false, [&none, &any_case]).1, [before]);
                assert_eq!(found(&text(b"tox"), None, false, [&none, &exact]).1, [] as [usize; 0]);
                assert_eq!(found(&text(b"tok_aZ3kQ9xW7bN2"), None, false, [&exact, &none]).0, [before]);
                assert_eq!(found(&text(b"tik_aZ3kQ9xW7bN2"), None, false, [&exact, &none]).0, [] as [usize; 0]);
                assert_eq!(found(&text(b"\\ntik_aZ3kQ9xW7bN2"), None, false, [&exact, &none]).0, [before + 1]);
            }
        }
    }

    /// The marks of a text and where a token may begin, by vector instructions and byte by byte.
    fn both(bytes: &[u8], [starts, words]: [&Heads; 2]) -> Vec<(Marks, u64)> {
        let count = (bytes.len() - (HEAD - 1)) / BLOCK;
        let (mut marks, mut plain) = (vec![Marks::default(); count], vec![Marks::default(); count]);
        dispatch!(Level::new(), simd => classify(simd, bytes, words, &mut marks));
        classify_plainly(bytes, words, &mut plain);
        assert_eq!(marks, plain);
        let begins = |(number, mark): (usize, Marks)| {
            let (block, before) = (&bytes[number * BLOCK..], number.checked_sub(1).map(|at| bytes[at * BLOCK + 63]));
            let begun = dispatch!(Level::new(), simd => begun(simd, block, before, starts)) & mark.token;
            assert_eq!(begun, begun_plainly(block, before, starts, mark.token));
            (mark, begun)
        };
        marks.into_iter().enumerate().map(begins).collect()
    }

    #[test]
    fn every_byte_is_of_the_kind_that_it_is() {
        for byte in 0..=255_u8 {
            let all = |is: bool| if is { u64::MAX } else { 0 };
            let (mark, begun) = both(&[byte; BLOCK + HEAD - 1], [&any(), &heads(&[], true)])[0];
            assert_eq!(
                (mark.token, mark.word),
                (all(is_token_byte(&byte)), all(byte.is_ascii_alphanumeric())),
                "{byte}"
            );
            assert_eq!((begun, mark.held), (mark.token, 0), "{byte}");
        }
    }

    #[test]
    fn places_in_noise_are_those_of_a_plain_search() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 28 == 0 { b' ' } else { b'+' + (state >> 24) as u8 % 80 }
        })
        .take(100_000)
        .collect();
        assert!(check(&noise) > 1000);
        let some = |from: usize| noise.windows(HEAD).skip(from).step_by(1000).map(|head| String::from_utf8_lossy(head));
        let some = |from| some(from).map(|head| head.into_owned()).collect::<Vec<_>>();
        let (some, others) = (some(0), some(500));
        let texts = |all: &[String]| heads(&all.iter().map(String::as_str).collect::<Vec<_>>(), true);
        let (starts, words) = (texts(&some), texts(&others));
        let marks = both(&noise, [&starts, &words]);
        assert!(marks.iter().any(|(_, begun)| *begun != 0) && marks.iter().any(|(mark, _)| mark.held != 0));
    }
}
