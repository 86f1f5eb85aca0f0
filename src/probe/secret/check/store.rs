//! Looks for private keys in key stores: those of Java, and PKCS#12.
//!
//! A store of certificates alone is public. No password is tried.

use super::{Verdict, der, der::Reader, oid};
use crate::model::Standing;

/// Largest store that is walked, in bytes; Java's own of all authorities has 160 KiB.
const STORE_MAX: usize = 16 * 1024 * 1024;

/// The keys of a JKS or JCEKS file: at most one verdict for all of them.
///
/// Format: OpenJDK `sun/security/provider/JavaKeyStore.java` and `com/sun/crypto/provider/JceKeyStore.java`.
pub fn jks(body: &[u8]) -> Vec<Verdict> {
    let (kind, rest) = match body.split_first_chunk() {
        Some((b"\xfe\xed\xfe\xed", rest)) => ("JKS", rest),
        Some((b"\xce\xce\xce\xce", rest)) => ("JCEKS", rest),
        _ => return Vec::new(),
    };
    if body.len() > STORE_MAX {
        return Vec::new();
    }
    match java_keys(rest) {
        Some(0) | None => Vec::new(),
        Some(keys) => vec![Verdict::new(Standing::Structured).remark(format!("{kind}, {}", counted(keys)))],
    }
}

/// The key bags of a PKCS#12 file: at most one verdict for all of them.
///
/// Bags inside of an encrypted part are not seen; the usual writers (OpenSSL, Java, NSS, Windows) encrypt the part with
/// the certificates as a whole, and each key on its own in a part that is readable.
/// Format: RFC 7292, section 4.
pub fn pkcs12(body: &[u8]) -> Vec<Verdict> {
    if body.len() > STORE_MAX || !is_pkcs12(body) {
        return Vec::new();
    }
    let (open, shrouded) = (bags(body, oid::KEY_BAG), bags(body, oid::SHROUDED_KEY_BAG));
    let remark = match (open, shrouded) {
        (0, 0) => return Vec::new(),
        (0, keys) => format!("PKCS#12, {}", counted(keys)),
        (keys, _) => format!("PKCS#12, {}, not encrypted", counted(keys)),
    };
    vec![Verdict::new(Standing::Structured).remark(remark)]
}

/// How many entries hold keys; `None` when the store is cut or no store.
fn java_keys(body: &[u8]) -> Option<u32> {
    let mut body = Java(body);
    let version = body.number()?;
    let count = body.number()?;
    let mut keys = 0;
    if !(1..=2).contains(&version) {
        return None;
    }
    for _ in 0..count {
        let tag = body.number()?;
        body.name()?;
        body.take(8)?;
        match tag {
            1 => {
                body.blob()?;
                for _ in 0..body.number()? {
                    body.certificate(version)?;
                }
                keys += 1;
            }
            2 => body.certificate(version)?,
            // A secret key, as a serialised object of Java: no length says where it ends.
            3 => return (body.0.starts_with(b"\xac\xed\0\x05")).then_some(keys + 1),
            _ => return None,
        }
    }
    // A digest with the password ends it.
    (body.0.len() == 20).then_some(keys)
}

/// Reads what `DataOutputStream` wrote.
struct Java<'a>(&'a [u8]);

impl<'a> Java<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    fn name(&mut self) -> Option<()> {
        let len = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        self.take(usize::from(len)).map(drop)
    }

    fn blob(&mut self) -> Option<()> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len).map(drop)
    }

    fn certificate(&mut self, version: u32) -> Option<()> {
        if version == 2 {
            self.name()?;
        }
        self.blob()
    }
}

/// Whether it starts as a store: version 3, then the contents in PKCS#7.
fn is_pkcs12(body: &[u8]) -> bool {
    let starts = |mut outer: Reader<'_>| {
        let version = outer.number()?;
        let mut contents = Reader::lenient(outer.rest())?;
        let kind = contents.take(der::OBJECT_ID)?;
        Some(version == [3] && (kind == oid::PKCS7_DATA || kind == oid::PKCS7_SIGNED))
    };
    Reader::lenient(body).and_then(starts).unwrap_or(false)
}

/// How often a bag of this kind begins.
///
/// Searched and not walked to: BER with indefinite lengths and strings in pieces, which Bouncy Castle and NSS write, puts
/// no more than these bytes where DER has them, too; and 13 bytes do not come about in an encrypted part by chance.
fn bags(body: &[u8], kind: &[u8]) -> u32 {
    let mark = der::wrap(der::OBJECT_ID, kind);
    let found = body.windows(mark.len()).filter(|window| *window == mark).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}

fn counted(keys: u32) -> String {
    if keys == 1 { "1 private key".to_string() } else { format!("{keys} private keys") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    #[test]
    fn java_stores_count_by_their_keys() {
        let mut rng = Rng::new(1);
        let remark =
            |tags: &[u8], rng: &mut Rng| jks(&testing::jks(rng, tags)).first().map(|verdict| verdict.remark.clone());
        assert_eq!(remark(&[2, 2, 2], &mut rng), None, "certificates alone");
        assert_eq!(remark(&[], &mut rng), None);
        assert_eq!(remark(&[2, 1, 2], &mut rng).as_deref(), Some("JKS, 1 private key"));
        assert_eq!(remark(&[1, 1], &mut rng).as_deref(), Some("JKS, 2 private keys"));
        let store = testing::jks(&mut rng, &[1]);
        for end in 0..store.len() {
            assert!(jks(&store[..end]).is_empty());
        }
    }

    #[test]
    fn pkcs12_stores_count_by_their_bags() {
        let mut rng = Rng::new(2);
        let found = pkcs12(&testing::pkcs12(&mut rng, true));
        assert_eq!(found.first().map(|verdict| verdict.remark.as_str()), Some("PKCS#12, 1 private key"));
        assert!(pkcs12(&testing::pkcs12(&mut rng, false)).is_empty(), "a trust store");
        assert!(pkcs12(&testing::encrypted_pkcs8(&mut rng)).is_empty());
    }
}
