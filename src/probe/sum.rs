//! Reads digests as package databases write them: hexadecimal, or base64 in either alphabet.
//!
//! Only the first eight bytes are kept, see [`crate::model::Sums`]; the length must be that of the whole digest.

use crate::model::Algorithm;

/// The first bytes of a digest in hexadecimal, `None` when it is none of this algorithm.
pub fn hex(text: &[u8], algorithm: Algorithm) -> Option<[u8; 8]> {
    if text.len() != bytes_of(algorithm) * 2 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = text.first_chunk::<16>()?;
    let number =
        digits.iter().try_fold(0_u64, |sum, digit| Some(sum << 4 | u64::from(char::from(*digit).to_digit(16)?)));
    number.map(u64::to_be_bytes)
}

/// The first bytes of a digest in base64, with or without its padding, `None` when it is none of this algorithm.
pub fn base64(text: &[u8], algorithm: Algorithm) -> Option<[u8; 8]> {
    let text = text.strip_suffix(b"=").unwrap_or(text);
    if text.len() != (bytes_of(algorithm) * 4).div_ceil(3) {
        return None;
    }
    let digits = text.first_chunk::<11>()?;
    // Eleven digits are 66 bits.
    let number = digits.iter().try_fold(0_u128, |sum, digit| Some(sum << 6 | u128::from(sextet(*digit)?)))?;
    u64::try_from(number >> 2).ok().map(u64::to_be_bytes)
}

fn bytes_of(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Md5 => 16,
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
    }
}

fn sextet(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_digest_are_read_in_every_spelling() {
        // SHA-1 and SHA-256 of nothing.
        let sha1 = [0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d];
        let sha256 = [0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14];
        assert_eq!(hex(b"da39a3ee5e6b4b0d3255bfef95601890afd80709", Algorithm::Sha1), Some(sha1));
        assert_eq!(hex(b"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", Algorithm::Sha1), Some(sha1));
        assert_eq!(base64(b"2jmj7l5rSw0yVb/vlWAYkK/YBwk=", Algorithm::Sha1), Some(sha1));
        assert_eq!(base64(b"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", Algorithm::Sha256), Some(sha256));
        assert_eq!(base64(b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Algorithm::Sha256), Some(sha256));
    }

    #[test]
    fn what_has_another_length_or_other_digits_is_no_digest() {
        assert_eq!(hex(b"da39a3ee5e6b4b0d3255bfef95601890afd80709", Algorithm::Md5), None);
        assert_eq!(hex(b"ga39a3ee5e6b4b0d3255bfef95601890", Algorithm::Md5), None);
        assert_eq!(hex(b"", Algorithm::Md5), None);
        assert_eq!(base64(b"2jmj7l5rSw0yVb/vlWAYkK/YBwk=", Algorithm::Sha256), None);
        assert_eq!(base64(b"2jmj7l5r.w0yVb/vlWAYkK/YBwk=", Algorithm::Sha1), None);
        assert_eq!(base64(b"", Algorithm::Sha1), None);
    }
}
