//! Checksums and encodings, written from their standards and apart from the program's own.

use crate::chance::{BASE62, BASE64, BASE64URL, HEX, LOWER_DIGITS};

/// CRC-32 of IEEE 802.3, bit by bit.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Six digits of base 62, as GitHub and npm end their tokens.
pub fn crc32_base62(text: &str) -> String {
    number(u64::from(crc32(text.as_bytes())), BASE62, 6)
}

/// Seven digits of base 36, as GitLab ends its routable tokens.
pub fn crc32_base36(text: &str) -> String {
    let digits: Vec<u8> = LOWER_DIGITS[26..].iter().chain(&LOWER_DIGITS[..26]).copied().collect();
    number(u64::from(crc32(text.as_bytes())), &digits, 7)
}

fn number(mut value: u64, digits: &[u8], len: usize) -> String {
    let mut text = vec![digits[0]; len];
    for place in text.iter_mut().rev() {
        *place = digits[(value % digits.len() as u64) as usize];
        value /= digits.len() as u64;
    }
    String::from_utf8(text).expect("digits are ASCII")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).map(char::from).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    encode(bytes, BASE64, true)
}

/// The form of URLs, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    encode(bytes, BASE64URL, false)
}

fn encode(bytes: &[u8], digits: &[u8], pad: bool) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let value = (0..3).fold(0_u32, |value, at| value << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..4 {
            if at <= chunk.len() {
                text.push(char::from(digits[(value >> (18 - 6 * at) & 63) as usize]));
            } else if pad {
                text.push('=');
            }
        }
    }
    text
}

/// Everything but letters, digits and `-._~`.
pub fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") }).collect()
}

pub fn utf16(text: &str, little: bool) -> Vec<u8> {
    let mark = std::iter::once(0xfeff);
    mark.chain(text.encode_utf16())
        .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
        .collect()
}

/// An identity of age: 32 bytes with the checksum of BIP 173.
pub fn bech32(human: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect::<Vec<_>>();
    let mut values: Vec<u8> =
        bits.chunks(5).map(|five| (0..5).fold(0, |value, at| value << 1 | five.get(at).unwrap_or(&0))).collect();
    let polymod = |values: &[u8]| {
        values.iter().fold(1_u32, |check, &value| {
            let top = check >> 25;
            let next = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
            const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
            (0..5).filter(|bit| top >> bit & 1 == 1).fold(next, |check, bit| check ^ GENERATOR[bit])
        })
    };
    let mut all: Vec<u8> = human.bytes().map(|byte| byte >> 5).collect();
    all.push(0);
    all.extend(human.bytes().map(|byte| byte & 31));
    all.extend(&values);
    all.extend([0; 6]);
    let check = polymod(&all) ^ 1;
    values.extend((0..6).map(|at| (check >> (25 - 5 * at) & 31) as u8));
    let body: String = values.iter().map(|&value| char::from(DIGITS[usize::from(value)])).collect();
    format!("{human}1{body}")
}

/// The checksum of OpenPGP's ASCII armour.
pub fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 16, |crc, _| {
            let crc = crc << 1;
            if crc & 0x0100_0000 != 0 { crc ^ 0x0186_4cfb } else { crc }
        }) & 0x00ff_ffff
    })
}

/// A text as it stands between the quotes of JSON, of JavaScript and of most languages.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n")
}

pub fn xml_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn the_checksums_are_those_of_the_standards() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    assert_eq!(base64url(&[0xff]), "_w");
    // BIP 173 says so: the empty data part of the human part `a`.
    assert_eq!(bech32("a", &[]), "a12uel5l");
}
