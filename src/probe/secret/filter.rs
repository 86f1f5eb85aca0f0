//! Finds the few places of a buffer where a token could be, faster than memory is filled.
//!
//! Tokens are long: sixteen and more letters, digits and a few signs in a row, which in other bytes are rare. Blocks of
//! sixteen bytes are classified at once, in a form that compilers turn into vector instructions; only a run of such
//! bytes is looked at one by one, for the three bytes that some token begins with. Why not a library: an automaton over
//! the same beginnings reads 0.5 GB/s, this several times as much (`benches/README.md`).

use std::ops::Range;

/// Shortest run of token bytes that is looked at. Any run of fifteen holds an aligned block of eight.
pub const RUN_MIN: usize = 16;

/// Bytes of a beginning that are looked up.
pub const HEAD: usize = 3;

const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;

/// Whether a byte may stand in a token: letters, digits, `_`, `~` and `+ , - . / :`.
///
/// The last six are one range together with the digits, which makes the test cheap; a comma too many does no harm.
pub const fn is_token_byte(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'+') < 16 || byte == b'_' || byte == b'~'
}

/// Calls `run` with every run of at least [`RUN_MIN`] token bytes, in order.
pub fn runs(bytes: &[u8], mut run: impl FnMut(Range<usize>)) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let inside = match rest.first_chunk::<BLOCK>() {
            Some(block) => full_half(block),
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                full_half(&block)
            }
        };
        let Some(inside) = inside else {
            at += BLOCK;
            continue;
        };
        let inside = at + inside;
        let before = bytes[..inside].iter().rev().take_while(|&&byte| is_token_byte(byte)).count();
        let after = bytes[inside..].iter().take_while(|&&byte| is_token_byte(byte)).count();
        let found = inside - before..inside + after;
        // The byte behind the run is none; blocks may begin anywhere.
        at = found.end + 1;
        if found.len() >= RUN_MIN {
            run(found);
        }
    }
}

/// Where in a block eight token bytes begin that fill half of it.
fn full_half(block: &[u8; BLOCK]) -> Option<usize> {
    let mut mask = [0_u8; BLOCK];
    for (to, &byte) in mask.iter_mut().zip(block) {
        *to = if is_token_byte(byte) { 0xff } else { 0 };
    }
    let [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = mask;
    if u64::from_ne_bytes([a0, a1, a2, a3, a4, a5, a6, a7]) == u64::MAX {
        return Some(0);
    }
    (u64::from_ne_bytes([b0, b1, b2, b3, b4, b5, b6, b7]) == u64::MAX).then_some(HALF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> Vec<Range<usize>> {
        let (mut found, mut start) = (Vec::new(), 0);
        for at in 0..=bytes.len() {
            if bytes.get(at).is_none_or(|&byte| !is_token_byte(byte)) {
                found.extend((at - start >= RUN_MIN).then_some(start..at));
                start = at + 1;
            }
        }
        found
    }

    fn all(bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        runs(bytes, |run| found.push(run));
        found
    }

    #[test]
    fn every_run_is_found_wherever_it_begins_and_ends() {
        for before in 0..40 {
            for len in 12..40 {
                for after in 0..20 {
                    let text = [vec![b' '; before], vec![b'a'; len], vec![b' '; after]].concat();
                    assert_eq!(all(&text), plain(&text), "{before} {len} {after}");
                }
            }
        }
    }

    #[test]
    fn runs_in_noise_are_those_of_a_plain_search() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 28 == 0 { b' ' } else { b'+' + (state >> 24) as u8 % 80 }
        })
        .take(100_000)
        .collect();
        assert!(plain(&noise).len() > 100);
        assert_eq!(all(&noise), plain(&noise));
    }

    #[test]
    fn the_quick_test_of_a_byte_is_the_list_of_the_documentation() {
        let listed = |byte: u8| byte.is_ascii_alphanumeric() || b"_~+,-./:".contains(&byte);
        assert!((0..=255).all(|byte| is_token_byte(byte) == listed(byte)));
    }
}
