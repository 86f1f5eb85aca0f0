//! Finds the few places of a buffer where a token could be, faster than memory is filled.
//!
//! Tokens are long: sixteen and more letters, digits and a few signs in a row, which in other bytes are rare. Blocks of
//! 64 bytes are classified at once, in a form that compilers turn into vector instructions; only a run of such
//! bytes is looked at one by one, for the three bytes that some token begins with. Why not a library: an automaton over
//! the same beginnings reads 0.5 GB/s, this several times as much (`benches/README.md`).

use std::ops::Range;

/// Shortest run of token bytes that is looked at.
pub const RUN_MIN: usize = 16;

/// Bytes of a beginning that are looked up.
pub const HEAD: usize = 3;

/// Bytes that are classified at once, one for each bit of a word.
const BLOCK: usize = 64;

/// Whether a byte may stand in a token: letters, digits, `_`, `~`, `+` and `- . /`.
///
/// The last three are one range together with the digits, which makes the test cheap.
pub const fn is_token_byte(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
        || byte.wrapping_sub(b'-') < 13
        || byte == b'_'
        || byte == b'~'
        || byte == b'+'
}

/// Calls `run` with every run of at least [`RUN_MIN`] token bytes, in order.
pub fn runs(bytes: &[u8], mut run: impl FnMut(Range<usize>)) {
    // Where the run began that reaches to the end of the last block.
    let mut open: Option<usize> = None;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    for (number, block) in blocks.iter().chain([&last]).enumerate() {
        let base = number * BLOCK;
        let mut mask = classify(block);
        if let Some(start) = open.take() {
            let more = mask.trailing_ones();
            if more == u64::BITS {
                open = Some(start);
                continue;
            }
            let end = base + more as usize;
            if end - start >= RUN_MIN {
                run(start..end);
            }
            mask &= u64::MAX << more;
        }
        // Where sixteen token bytes begin: each step doubles what a bit stands for.
        let mut long = mask & mask >> 1;
        long &= long >> 2;
        long &= long >> 4;
        long &= long >> 8;
        let reaching = mask.leading_ones();
        while long != 0 {
            let start = long.trailing_zeros();
            let len = (mask >> start).trailing_ones();
            if start + len == u64::BITS {
                break;
            }
            run(base + start as usize..base + (start + len) as usize);
            long &= u64::MAX << (start + len);
        }
        open = (reaching > 0).then(|| base + BLOCK - reaching as usize);
    }
}

/// A bit for each byte of the block: whether it may stand in a token.
fn classify(block: &[u8; BLOCK]) -> u64 {
    let mut bytes = [0_u8; BLOCK];
    for (to, &byte) in bytes.iter_mut().zip(block) {
        *to = if is_token_byte(byte) { 0xff } else { 0 };
    }
    let (lanes, _) = bytes.as_chunks::<8>();
    // Every byte of a lane keeps a bit of its own, and the product brings all eight into its highest byte.
    let bits = lanes
        .iter()
        .map(|lane| (u64::from_le_bytes(*lane) & 0x8040_2010_0804_0201).wrapping_mul(0x0101_0101_0101_0101) >> 56);
    bits.enumerate().fold(0, |mask, (number, bits)| mask | bits << (8 * number))
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
        let listed = |byte: u8| byte.is_ascii_alphanumeric() || b"_~+-./".contains(&byte);
        assert!((0..=255).all(|byte| is_token_byte(byte) == listed(byte)));
    }
}
