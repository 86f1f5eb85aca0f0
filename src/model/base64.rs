//! Decodes base64 as people and programs leave it in files: either alphabet, broken into lines, padded or not.

/// The decoded bytes; `None` when something else stands in between, or nothing at all.
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
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
