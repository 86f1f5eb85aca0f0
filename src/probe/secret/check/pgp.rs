//! Reads private keys of OpenPGP: whether there is one, and whether a passphrase protects it.
//!
//! Format: RFC 9580, sections 3.7.2 (the string-to-key octet), 4.2 (packets), 5.5 (keys) and 6.1 (armour).

use super::{Verdict, base64};
use crate::model::{Harmless, Standing};

/// Packets read from one key ring.
const PACKETS_MAX: usize = 10_000;

/// Packet types: the key that signs, and those under it.
const SECRET_KEY: u8 = 5;
const SECRET_SUBKEY: u8 = 7;

/// The private keys of a key ring without armour, such as `secring.gpg`: at most one verdict for all of them.
pub fn pgp_packets(body: &[u8]) -> Vec<Verdict> {
    // A ring that starts with anything else is a signature or a public key.
    match Packets(body).next() {
        Some((SECRET_KEY, _)) => look(body, false).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What stands between the two lines of ASCII armour.
pub(super) fn armoured(text: &[u8]) -> Option<Verdict> {
    let mut body = Vec::new();
    let mut crc = None;
    for line in text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii) {
        match line {
            [b'=', digits @ ..] if digits.len() == 4 && !body.is_empty() => {
                crc = Some(base64::decode_strictly(digits)?)
            }
            // A header of the armour.
            _ if line.contains(&b':') && body.is_empty() => {}
            _ => body.extend_from_slice(line),
        }
    }
    let body = base64::decode_strictly(&body)?;
    let sums = crc.as_ref().is_some_and(|crc| *crc == crc24(&body));
    if crc.is_some() && !sums {
        return None;
    }
    look(&body, sums)
}

fn look(body: &[u8], sums: bool) -> Option<Verdict> {
    let keys = Packets(body).take(PACKETS_MAX).filter(|(tag, _)| matches!(*tag, SECRET_KEY | SECRET_SUBKEY));
    let kept: Vec<(Kept, &str)> = keys.filter_map(|(_, packet)| kept(packet)).collect();
    let name = kept.first()?.1;
    let standing = if sums { Standing::Validated } else { Standing::Structured };
    let open = kept.iter().find_map(|(kept, _)| match kept {
        Kept::Open { sums } => Some(*sums),
        _ => None,
    });
    if let Some(sums) = open {
        let standing = if sums { Standing::Validated } else { standing };
        return Some(Verdict::new(standing).remark(format!("OpenPGP, {name}")));
    }
    // Nothing but stubs: the keys are on a card or elsewhere.
    kept.iter().find(|(kept, _)| matches!(kept, Kept::Locked))?;
    Some(Verdict::new(standing).harmless(Harmless::Protected).remark(format!("OpenPGP, {name}, encrypted")))
}

/// How a packet keeps its secret.
enum Kept {
    /// As it is; and whether the two bytes of checksum behind it hold.
    Open { sums: bool },
    /// Encrypted.
    Locked,
    /// Not at all: GnuPG writes such stubs for keys that are elsewhere.
    Elsewhere,
}

/// Reads a key packet up to its secret.
fn kept(packet: &[u8]) -> Option<(Kept, &'static str)> {
    let mut fields = Fields(packet);
    let version = fields.byte()?;
    fields.take(if version == 3 { 6 } else { 4 })?;
    let algorithm = fields.byte()?;
    if version >= 5 {
        let len = u32::from_be_bytes(*fields.take(4)?.first_chunk()?);
        fields.take(usize::try_from(len).ok()?)?;
    } else {
        fields.public(algorithm)?;
    }
    if !(3..=6).contains(&version) {
        return None;
    }
    let name = match algorithm {
        1..=3 => "RSA",
        16 | 20 => "Elgamal",
        17 => "DSA",
        18 | 19 => "EC",
        22 => "EdDSA",
        25 => "X25519",
        26 => "X448",
        27 => "Ed25519",
        28 => "Ed448",
        _ => return None,
    };
    let kept = match fields.byte()? {
        0 => {
            if version == 5 {
                fields.take(4)?;
            }
            Kept::Open { sums: version != 6 && fields.sums()? }
        }
        253..=255 => {
            let head = fields.0;
            // Cipher, then the GNU extension 101: "dummy" and "divert to card".
            let stub =
                matches!(head, [_, 101, _, b'G', b'N', b'U', 1 | 2, ..] | [_, _, 101, _, b'G', b'N', b'U', 1 | 2, ..]);
            if stub { Kept::Elsewhere } else { Kept::Locked }
        }
        // A cipher without a string-to-key octet: old, and encrypted.
        1..=13 => Kept::Locked,
        _ => return None,
    };
    (matches!(kept, Kept::Elsewhere) || fields.0.len() >= 8).then_some((kept, name))
}

/// Reads the fields of a packet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number: its length in bits, and its bytes.
    fn number(&mut self) -> Option<()> {
        let bits = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        self.take(usize::from(bits).div_ceil(8)).map(drop)
    }

    /// A short string: its length in one byte, and its bytes.
    fn short(&mut self) -> Option<()> {
        let len = self.byte()?;
        self.take(usize::from(len)).map(drop)
    }

    /// The public part, which no length tells before version 5.
    fn public(&mut self, algorithm: u8) -> Option<()> {
        match algorithm {
            1..=3 => (0..2).try_for_each(|_| self.number()),
            17 => (0..4).try_for_each(|_| self.number()),
            16 | 20 => (0..3).try_for_each(|_| self.number()),
            19 | 22 => self.short().and_then(|()| self.number()),
            18 => self.short().and_then(|()| self.number()).and_then(|()| self.short()),
            25 | 27 => self.take(32).map(drop),
            26 => self.take(56).map(drop),
            28 => self.take(57).map(drop),
            _ => None,
        }
    }

    /// Whether the last two bytes are the sum of those before.
    fn sums(&self) -> Option<bool> {
        let (secret, sum) = self.0.split_last_chunk::<2>()?;
        let added = secret.iter().fold(0_u16, |sum, &b| sum.wrapping_add(u16::from(b)));
        Some(added == u16::from_be_bytes(*sum))
    }
}

/// Type and body of one packet after the other, up to the first that is broken.
struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&first, rest) = self.0.split_first()?;
        if first & 0x80 == 0 {
            return None;
        }
        let (tag, (len, rest)) = if first & 0x40 == 0 {
            ((first >> 2) & 15, old_len(first & 3, rest)?)
        } else {
            (first & 63, new_len(rest)?)
        };
        let (body, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, body))
    }
}

fn old_len(kind: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    let (digits, rest) = match kind {
        0..=2 => rest.split_at_checked(1 << kind)?,
        // To the end of the file.
        _ => return Some((rest.len(), rest)),
    };
    let len = digits.iter().fold(0_u64, |len, &b| len << 8 | u64::from(b));
    Some((usize::try_from(len).ok()?, rest))
}

/// Partial lengths are for data, and keys do not have them.
fn new_len(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = rest.split_first()?;
    match first {
        0..=191 => Some((usize::from(first), rest)),
        192..=223 => {
            let (&second, rest) = rest.split_first()?;
            Some(((usize::from(first) - 192) * 256 + usize::from(second) + 192, rest))
        }
        255 => {
            let (digits, rest) = rest.split_first_chunk()?;
            Some((usize::try_from(u32::from_be_bytes(*digits)).ok()?, rest))
        }
        _ => None,
    }
}

/// The checksum of ASCII armour.
pub(super) fn crc24(bytes: &[u8]) -> [u8; 3] {
    let mut crc = 0x00b7_04ce_u32;
    for &b in bytes {
        crc ^= u32::from(b) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    let [_, a, b, c] = crc.to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::sample::make::{self as testing, Pgp, Rng},
        probe::secret::check::pem::pgp_private_key,
    };

    #[test]
    fn open_keys_are_told_from_locked_ones() {
        let mut rng = Rng::new(1);
        for (kept, harmless) in [(Pgp::Open, None), (Pgp::Locked, Some(Harmless::Protected))] {
            let packets = testing::pgp(&mut rng, kept);
            let armour = testing::pgp_armour(&packets);
            let verdict = pgp_private_key(armour.as_bytes()).expect("a key");
            assert_eq!((verdict.standing, verdict.harmless), (Standing::Validated, harmless));
            assert!(verdict.remark.starts_with("OpenPGP, EdDSA"), "{}", verdict.remark);
            assert_eq!(pgp_packets(&packets).len(), 1);
            for text in [armour.replace('\n', "\r\n"), armour.replace('\n', "\\n"), armour.replace('\n', "\n    ")] {
                assert!(pgp_private_key(text.as_bytes()).is_some());
            }
        }
        assert!(pgp_packets(&testing::pgp(&mut rng, Pgp::Stub)).is_empty(), "the key is elsewhere");
    }

    #[test]
    fn wrong_checksums_and_cut_armour_are_no_key() {
        let mut rng = Rng::new(2);
        let armour = testing::pgp_armour(&testing::pgp(&mut rng, Pgp::Open));
        let at = armour.find("\n\n").expect("a body") + 20;
        let other = if &armour[at..=at] == "A" { "B" } else { "A" };
        let broken = format!("{}{other}{}", &armour[..at], &armour[at + 1..]);
        assert!(pgp_private_key(broken.as_bytes()).is_none());
        for end in 0..armour.len() - 7 {
            assert!(pgp_private_key(&armour.as_bytes()[..end]).is_none());
        }
    }

    #[test]
    fn lengths_of_packets_are_read_in_all_their_forms() {
        assert_eq!(new_len(&[191, 0]), Some((191, &[0][..])));
        assert_eq!(new_len(&[192, 0]), Some((192, &[][..])));
        assert_eq!(new_len(&[223, 255]), Some((8383, &[][..])));
        assert_eq!(new_len(&[255, 0, 1, 0, 0]), Some((65_536, &[][..])));
        assert_eq!(new_len(&[224, 0]), None);
        assert_eq!(old_len(1, &[1, 0, 9]), Some((256, &[9][..])));
        assert_eq!(old_len(3, &[1, 0, 9]), Some((3, &[1, 0, 9][..])));
    }
}
