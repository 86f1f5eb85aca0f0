//! Decodes base64, in either alphabet.

/// The decoded bytes of what people and programs leave in files: broken into lines, padded or not; `None` when something else
/// stands in between, or nothing at all.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut digits, mut padding) = (0_u32, 0_usize, 0_usize);
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            padding += 1;
            continue;
        }
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | digit(byte)?;
        digits += 1;
        if digits.is_multiple_of(4) {
            let [_, a, b, c] = bits.to_be_bytes();
            bytes.extend([a, b, c]);
            bits = 0;
        }
    }
    match digits % 4 {
        0 => {}
        2 => bytes.extend([(bits >> 4) as u8]),
        3 => bytes.extend([(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    (padding <= 2 && !bytes.is_empty()).then_some(bytes)
}

/// The decoded bytes of a text that is nothing else: one alphabet, padding as it has to be or none, and no spaces; `None` when a
/// character does not belong there or the length can not be. Bits that are left over are not looked at, as most decoders do not
/// either.
pub fn decode_strictly(text: &[u8]) -> Option<Vec<u8>> {
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
pub fn is_digit(byte: u8) -> bool {
    digit(byte).is_some()
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// Encodes, for tests that make their files.
#[cfg(test)]
pub(crate) use crate::catalogue::sample::make::base64 as encode;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make as testing;

    #[test]
    fn what_was_encoded_is_decoded_in_both_alphabets_and_over_lines() {
        for len in 1..40_u8 {
            let bytes: Vec<u8> = (0..len).map(|at| at.wrapping_mul(77)).collect();
            let text = encode(&bytes);
            assert_eq!(decode(text.as_bytes()), Some(bytes.clone()), "{text}");
            assert_eq!(
                decode(text.replace('+', "-").replace('/', "_").trim_end_matches('=').as_bytes()),
                Some(bytes.clone())
            );
            assert_eq!(decode(text.replace('Q', "Q\r\n ").as_bytes()), Some(bytes));
        }
    }

    #[test]
    fn what_is_no_base64_is_none() {
        for text in ["", "=", "A", "AAAAA", "ab:c", "{{ x }}", "AA==A", "A==="] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_nothing_else_comes_back_in_both_alphabets() {
        for len in 0..100 {
            let bytes = testing::Rng::new(len as u64).bytes(len);
            let text = testing::base64(&bytes);
            assert_eq!(decode_strictly(text.as_bytes()).as_ref(), Some(&bytes));
            let url = testing::base64url(&bytes);
            assert_eq!(decode_strictly(url.as_bytes()).as_ref(), Some(&bytes));
        }
    }

    #[test]
    fn wrong_characters_lengths_and_paddings_are_refused() {
        for text in ["A", "AAAAA", "AA=", "AAA==", "A===", "AA=A", "AA AA", "+-AA", "AAA\n", "===="] {
            assert!(decode_strictly(text.as_bytes()).is_none(), "{text}");
        }
    }
}
