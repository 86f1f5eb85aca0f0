//! Finds the few places of a buffer where a token could be, faster than memory is filled.
//!
//! Tokens are long: sixteen and more letters, digits and a few signs in a row, which in other bytes are rare. Blocks of
//! 64 bytes are classified at once by vector instructions; only where such a run begins, or a word in it, are the three bytes
//! looked up that some token begins with. Why not a library: an automaton over the same beginnings reads 0.5 GB/s, this
//! several times as much (`benches/README.md`).

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Shortest run of token bytes that is looked at.
pub const RUN_MIN: usize = 16;

/// Bytes of a beginning that are looked up.
pub const HEAD: usize = 3;

/// Bytes that are classified at once, one for each bit of a word.
const BLOCK: usize = 64;

/// Blocks that are classified before their runs are looked at.
const BATCH: usize = 64;

/// What may stand in a token beside letters: digits and `- . /`, which are one range, and some signs.
const TOKEN: [(u8, u8); 4] = [(b'-', b'9'), (b'_', b'_'), (b'~', b'~'), (b'+', b'+')];

/// Calls `hit` with every place where sixteen token bytes begin: everywhere in a run of them, or only where no word goes
/// on, if not `inside`. `before` is the byte in front of `bytes`.
pub fn places(bytes: &[u8], before: Option<u8>, inside: bool, mut hit: impl FnMut(usize)) {
    let level = Level::new();
    let classify = |blocks, masks: &mut _, words: &mut _| match cfg!(debug_assertions) {
        true => classify_plainly(blocks, masks, words),
        false => dispatch!(level, simd => classify(simd, blocks, masks, words)),
    };
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut last = [[0; BLOCK]];
    last[0][..rest.len()].copy_from_slice(rest);
    let (mut masks, mut words) = ([0; BATCH], [0; BATCH]);
    // A block is judged when the next one is known.
    let (mut mask, mut word, mut base) = (0, 0, None);
    let mut goes_on = u64::from(before.is_some_and(|byte| byte.is_ascii_alphanumeric()));
    for batch in blocks.chunks(BATCH).chain([&last[..], &[[0; BLOCK]]]) {
        classify(batch, &mut masks, &mut words);
        for (&next, &next_word) in masks.iter().zip(&words).take(batch.len()) {
            if let Some(start) = base {
                // Sixteen in a row fill eight that lie together.
                if has_full_byte(mask) || next & 0xff == 0xff {
                    let joined = if inside { 0 } else { word << 1 | goes_on };
                    let mut found = runs(mask, next) & !joined;
                    while found != 0 {
                        hit(start + found.trailing_zeros() as usize);
                        found &= found - 1;
                    }
                }
                goes_on = word >> (BLOCK - 1);
            }
            base = Some(base.map_or(0, |start| start + BLOCK));
            (mask, word) = (next, next_word);
        }
    }
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

/// Whether all bits of one of its bytes are set.
fn has_full_byte(mask: u64) -> bool {
    let zeros = !mask;
    zeros.wrapping_sub(0x0101_0101_0101_0101) & !zeros & 0x8080_8080_8080_8080 != 0
}

/// Gives each block two numbers with a bit for each of its bytes: whether it may stand in a token, and in a word.
#[inline(always)]
fn classify<S: Simd>(simd: S, blocks: &[[u8; BLOCK]], masks: &mut [u64], words: &mut [u64]) {
    let all = |byte| u8x64::splat(simd, byte);
    for ((mask, word), block) in masks.iter_mut().zip(words).zip(blocks) {
        let bytes = u8x64::from_slice(simd, block);
        let lower = bytes | all(0x20);
        let letters = lower.simd_ge(all(b'a')) & lower.simd_le(all(b'z'));
        let digits = bytes.simd_ge(all(b'0')) & bytes.simd_le(all(b'9'));
        let mut holds = letters;
        for (first, last) in TOKEN {
            holds |= bytes.simd_ge(all(first)) & bytes.simd_le(all(last));
        }
        (*mask, *word) = (holds.to_bitmask(), (letters | digits).to_bitmask());
    }
}

/// The same, byte by byte: a build for tests calls a function for each vector instruction, which takes ten times as long.
fn classify_plainly(blocks: &[[u8; BLOCK]], masks: &mut [u64], words: &mut [u64]) {
    for ((mask, word), block) in masks.iter_mut().zip(words).zip(blocks) {
        for &byte in block {
            let (token, plain) = KINDS[usize::from(byte)];
            (*mask, *word) = (*mask >> 1 | token, *word >> 1 | plain);
        }
    }
}

/// The highest bit for each byte that may stand in a token, and in a word.
static KINDS: [(u64, u64); 256] = {
    let mut kinds = [(0, 0); 256];
    let mut byte = 0;
    while byte < kinds.len() {
        let letter = byte as u8;
        let mut token = letter.is_ascii_alphabetic();
        let mut at = 0;
        while at < TOKEN.len() {
            token |= TOKEN[at].0 <= letter && letter <= TOKEN[at].1;
            at += 1;
        }
        kinds[byte] = ((token as u64) << (BLOCK - 1), (letter.is_ascii_alphanumeric() as u64) << (BLOCK - 1));
        byte += 1;
    }
    kinds
};

#[cfg(test)]
mod tests {
    use super::*;

    fn is_token_byte(byte: &u8) -> bool {
        byte.is_ascii_alphanumeric() || b"_~+-./".contains(byte)
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
        let mut count = 0;
        for (before, inside) in [(None, true), (None, false), (Some(b'x'), false), (Some(b'='), false)] {
            let mut found = Vec::new();
            places(bytes, before, inside, |at| found.push(at));
            assert_eq!(found, plain(bytes, before, inside), "{:?}", String::from_utf8_lossy(bytes));
            count += found.len();
        }
        count
    }

    #[test]
    fn every_place_is_found_wherever_its_run_begins_and_ends() {
        for before in 0..40 {
            for len in 12..40 {
                for after in 0..20 {
                    check(&[vec![b' '; before], vec![b'a'; len], vec![b' '; after]].concat());
                    check(&[vec![b'-'; before], vec![b'a'; len], vec![b'/'; after]].concat());
                }
            }
        }
    }

    /// The masks of blocks, by vector instructions and byte by byte.
    fn both(blocks: &[[u8; BLOCK]]) -> Vec<(u64, u64)> {
        let (mut masks, mut words) = (vec![0; blocks.len()], vec![0; blocks.len()]);
        let (mut plain_masks, mut plain_words) = (masks.clone(), words.clone());
        dispatch!(Level::new(), simd => classify(simd, blocks, &mut masks, &mut words));
        classify_plainly(blocks, &mut plain_masks, &mut plain_words);
        assert_eq!((&masks, &words), (&plain_masks, &plain_words));
        masks.into_iter().zip(words).collect()
    }

    #[test]
    fn every_byte_is_of_the_kind_that_it_is() {
        for byte in 0..=255_u8 {
            let (mask, word) = both(&[[byte; BLOCK]])[0];
            assert_eq!(mask, if is_token_byte(&byte) { u64::MAX } else { 0 }, "{byte}");
            assert_eq!(word, if byte.is_ascii_alphanumeric() { u64::MAX } else { 0 }, "{byte}");
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
        assert!(both(noise.as_chunks().0).iter().any(|&(mask, word)| mask != word));
    }
}
