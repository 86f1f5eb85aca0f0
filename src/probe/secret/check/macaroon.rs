//! Reads macaroons (libmacaroons' formats, version 1 in packets and version 2 in binary): whether one is complete.
//!
//! A prefix alone flags cut copies in documentation as well; those have no signature.

use super::{Verdict, base64};
use crate::model::Standing;

/// Longest location that is shown.
const LOCATION_MAX: usize = 64;

const SIGNATURE_LEN: usize = 32;

/// The token, with or without a vendor's prefix of lower-case letters and a hyphen.
pub(super) fn look(text: &[u8]) -> Option<Verdict> {
    let prefix = text.iter().take(12).position(|&b| b == b'-').map_or(0, |at| at + 1);
    let has_prefix = text.get(..prefix)?.iter().all(|&b| b.is_ascii_lowercase() || b == b'-');
    let text = if has_prefix { text.get(prefix..)? } else { text };
    let body = base64::decode_strictly(text)?;
    let location = if body.first() == Some(&2) { version_2(&body)? } else { version_1(&body)? };
    let is_host = location.len() <= LOCATION_MAX
        && location.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b':' || b == b'/');
    let remark = if is_host && !location.is_empty() {
        format!("for {}", String::from_utf8_lossy(location))
    } else {
        String::new()
    };
    Some(Verdict::new(Standing::Structured).remark(remark))
}

/// Fields of a type, a length and as many bytes; a zero ends a section.
fn version_2(body: &[u8]) -> Option<&[u8]> {
    const END: u8 = 0;
    const LOCATION: u8 = 1;
    const IDENTIFIER: u8 = 2;
    const VERIFICATION: u8 = 4;
    const SIGNATURE: u8 = 6;

    let mut fields = Fields(body.get(1..)?);
    let (mut kind, mut field) = fields.next()?;
    let mut location = &body[..0];
    if kind == LOCATION {
        location = field;
        (kind, field) = fields.next()?;
    }
    if kind != IDENTIFIER || field.is_empty() || fields.next()?.0 != END {
        return None;
    }
    // Caveats, each a section of its own; an empty one ends them.
    while let (kind, _) = fields.next()?
        && kind != END
    {
        let mut kind = kind;
        while kind != END {
            if !matches!(kind, LOCATION | IDENTIFIER | VERIFICATION) {
                return None;
            }
            kind = fields.next()?.0;
        }
    }
    let (kind, signature) = fields.next()?;
    (kind == SIGNATURE && signature.len() == SIGNATURE_LEN && fields.0.is_empty()).then_some(location)
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Type and bytes; the end of a section has none.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&kind, mut rest) = self.0.split_first()?;
        let mut len = 0_usize;
        if kind != 0 {
            // Seven bits a byte, the least first; three bytes are more than a token has.
            for shift in [0, 7, 14] {
                let (&byte, behind) = rest.split_first()?;
                rest = behind;
                len |= usize::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
            }
        }
        let (field, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((kind, field))
    }
}

/// Packets of four hexadecimal digits that count all of it, a name, a space, the value and a line end.
fn version_1(mut body: &[u8]) -> Option<&[u8]> {
    let mut location = None;
    let mut identified = false;
    loop {
        let digits = std::str::from_utf8(body.get(..4)?).ok()?;
        let len = usize::from_str_radix(digits, 16).ok()?;
        let (packet, rest) = body.split_at_checked(len)?;
        body = rest;
        let packet = packet.get(4..)?.strip_suffix(b"\n")?;
        let space = packet.iter().position(|&b| b == b' ')?;
        let (name, value) = (packet.get(..space)?, packet.get(space + 1..)?);
        match name {
            b"location" if location.is_none() => location = Some(value),
            b"identifier" => identified = true,
            b"cid" | b"vid" | b"cl" if identified => {}
            b"signature" => {
                let complete = identified && value.len() == SIGNATURE_LEN && body.is_empty();
                return location.filter(|_| complete);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    #[test]
    fn complete_macaroons_say_their_location() {
        let mut rng = Rng::new(1);
        let token = testing::macaroon(&mut rng, "index.example");
        for text in [token.clone(), format!("pypi-{token}")] {
            assert_eq!(look(text.as_bytes()).expect("a macaroon").remark, "for index.example");
        }
        assert_eq!(look(testing::macaroon_1(&mut rng).as_bytes()).expect("version 1").remark, "for http://mybank/");
        assert_eq!(look(testing::macaroon(&mut rng, "a b").as_bytes()).expect("a macaroon").remark, "");
    }

    #[test]
    fn cut_and_lengthened_ones_are_none() {
        let mut rng = Rng::new(2);
        for token in [testing::macaroon(&mut rng, "index.example"), testing::macaroon_1(&mut rng)] {
            for len in 0..token.len() {
                // A character more or less than a whole byte needs is the same token.
                let same = token.len() % 4 != 0 && len + 1 >= token.len() && len * 6 / 8 == token.len() * 6 / 8;
                assert!(same || look(&token.as_bytes()[..len]).is_none(), "{len}");
            }
            assert!(look(format!("{token}AAAA").as_bytes()).is_none());
        }
        assert!(look(format!("pypi-{}", rng.text(Rng::BASE62, 160)).as_bytes()).is_none());
    }
}
