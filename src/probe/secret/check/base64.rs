//! Decodes base64 as it stands in configuration files: either alphabet, with padding or without.
//!
//! Bits that are left over are not looked at, as most decoders do not either.

/// The decoded bytes; `None` when a character does not belong there or the length can not be.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let text = text.get(..text.len() - padding)?;
    if padding > 2 || text.len() % 4 == 1 || (padding > 0 && !(text.len() + padding).is_multiple_of(4)) {
        return None;
    }
    let standard = text.iter().any(|b| b"+/".contains(b));
    let url = text.iter().any(|b| b"-_".contains(b));
    if standard && url {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for &b in group {
            bits = bits << 6 | digit(b)?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, a, b, c] = bits.to_be_bytes();
        bytes.extend([a, b, c].into_iter().take(group.len() - 1));
    }
    Some(bytes)
}

/// Whether the byte is one of the 64, in either alphabet.
pub(super) fn is_digit(b: u8) -> bool {
    digit(b).is_some()
}

fn digit(b: u8) -> Option<u32> {
    Some(u32::from(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make as testing;

    #[test]
    fn what_was_encoded_comes_back_in_both_alphabets() {
        for len in 0..100 {
            let bytes = testing::Rng::new(len as u64).bytes(len);
            let text = testing::base64(&bytes);
            assert_eq!(decode(text.as_bytes()).as_ref(), Some(&bytes));
            let url = testing::base64url(&bytes);
            assert_eq!(decode(url.as_bytes()).as_ref(), Some(&bytes));
        }
    }

    #[test]
    fn wrong_characters_lengths_and_paddings_are_refused() {
        for text in ["A", "AAAAA", "AA=", "AAA==", "A===", "AA=A", "AA AA", "+-AA", "AAA\n", "===="] {
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
    }
}
