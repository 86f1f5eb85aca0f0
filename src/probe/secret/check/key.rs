//! Reads private keys in DER: PKCS#1, PKCS#8 (plain and encrypted), SEC1, and OpenSSL's form of DSA.
//!
//! What does not hold together is no key: an RSA key whose primes do not make its modulus opens nothing. Only names,
//! sizes and the public half leave.

use sha2::{Digest as _, Sha256};

use super::{Verdict, bignum, der, der::Reader, known, oid};
use crate::model::{Digest, Harmless, Standing};

/// The private key that fills a file of DER; at most one.
pub fn der_key(body: &[u8]) -> Vec<Verdict> {
    if body.len() > super::VALUE_MAX {
        return Vec::new();
    }
    read(body).into_iter().collect()
}

/// The private key that fills these bytes.
pub(super) fn read(body: &[u8]) -> Option<Verdict> {
    let whole = Reader::whole(body, der::SEQUENCE)?;
    pkcs8(whole)
        .or_else(|| encrypted(whole))
        .or_else(|| pkcs1(whole))
        .or_else(|| sec1(whole, None))
        .or_else(|| dsa(whole))
}

/// An RSA key; numbers without leading zeros.
pub(super) struct Rsa<'a> {
    /// Modulus.
    pub(super) n: &'a [u8],
    /// Public exponent.
    pub(super) e: &'a [u8],
    /// First prime.
    pub(super) p: &'a [u8],
    /// Second prime.
    pub(super) q: &'a [u8],
}

impl Rsa<'_> {
    /// A verdict when the primes make the modulus.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let standing = match bignum::product_is(self.p, self.q, self.n) {
            Some(true) => Standing::Validated,
            // Too long to try.
            None => Standing::Structured,
            Some(false) => return None,
        };
        let trivial = [self.p, self.q, self.e].iter().any(|number| bignum::bits(number) < 2);
        if trivial {
            return None;
        }
        let key = der::sequence(&[&der::number(self.n), &der::number(self.e)]);
        let public = public_key(&[&der::wrap(der::OBJECT_ID, oid::RSA), &der::wrap(der::NULL, &[])], &key);
        Some(known(Verdict::new(standing).remark(self.name()), public))
    }

    fn name(&self) -> String {
        format!("RSA, {} bits", bignum::bits(self.n))
    }
}

/// A key on a curve; `point` is the public half, when it is known.
pub(super) fn on_curve(curve: &oid::Curve, scalar: &[u8], point: Option<&[u8]>) -> Option<Verdict> {
    // Some encoders cut leading zeros: more than four bytes of them in one key of 2^40.
    let digits = bignum::trim(scalar);
    if scalar.len() > curve.len + 1 || digits.len() > curve.len || digits.len() + 4 < curve.len {
        return None;
    }
    let mut verdict = Verdict::new(Standing::Structured).remark(format!("EC {}", curve.name));
    match point {
        // Not compressed: the form of which certificates and servers are made.
        Some([4, rest @ ..]) if rest.len() == 2 * curve.len => {
            let algorithm = [der::wrap(der::OBJECT_ID, oid::EC), der::wrap(der::OBJECT_ID, curve.oid)];
            let public = public_key(&[&algorithm[0], &algorithm[1]], point.unwrap_or_default());
            verdict = known(verdict, public);
        }
        Some([2 | 3, rest @ ..]) if rest.len() == curve.len => {}
        Some(_) => return None,
        None => {}
    }
    Some(verdict)
}

/// An Ed25519 key with this public half, when it is known.
pub(super) fn ed25519(standing: Standing, public: Option<&[u8]>) -> Verdict {
    let verdict = Verdict::new(standing).remark("Ed25519");
    match public {
        Some(public) => known(verdict, public_key(&[&der::wrap(der::OBJECT_ID, oid::ED25519)], public)),
        None => verdict,
    }
}

/// SHA-256 of the SubjectPublicKeyInfo (RFC 5280, 4.1).
fn public_key(algorithm: &[&[u8]], key: &[u8]) -> Digest {
    let info = der::sequence(&[&der::sequence(algorithm), &der::bit_string(key)]);
    Digest::new(Sha256::digest(info).into())
}

fn known(verdict: Verdict, public: Digest) -> Verdict {
    let harmless = known::is_public_key(&public).then_some(Harmless::Public);
    Verdict { public_key: Some(public), ..verdict.harmless(harmless) }
}

/// RFC 5958: version, algorithm, the key in an OCTET STRING, attributes, public key.
fn pkcs8(mut whole: Reader<'_>) -> Option<Verdict> {
    if bignum::bits(whole.number()?) > 1 {
        return None;
    }
    let mut algorithm = whole.enter(der::SEQUENCE)?;
    let key = whole.take(der::OCTET_STRING)?;
    let _attributes = whole.take(0xa0);
    // [1] IMPLICIT BIT STRING; some encoders write it EXPLICIT.
    let public = whole.take(0x81).or_else(|| whole.enter(0xa1)?.take(der::BIT_STRING)).and_then(whole_bytes);
    if !whole.is_empty() {
        return None;
    }
    let name = algorithm.take(der::OBJECT_ID)?;
    if name == oid::RSA || name == oid::RSA_PSS {
        return pkcs1(Reader::whole(key, der::SEQUENCE)?);
    }
    if name == oid::EC {
        return sec1(Reader::whole(key, der::SEQUENCE)?, Some(algorithm));
    }
    if let Some((name, len)) = oid::edwards(name) {
        let secret = Reader::new(key).take(der::OCTET_STRING)?;
        if secret.len() != len || constant(secret) {
            return None;
        }
        let public = public.filter(|public| public.len() == len);
        return Some(match name {
            "Ed25519" => ed25519(Standing::Structured, public),
            _ => Verdict::new(Standing::Structured).remark(name),
        });
    }
    let name = oid::other(name)?;
    (key.len() >= 16 && !constant(key)).then(|| Verdict::new(Standing::Structured).remark(name))
}

/// `EncryptedPrivateKeyInfo`: algorithm, ciphertext.
fn encrypted(mut whole: Reader<'_>) -> Option<Verdict> {
    let name = whole.enter(der::SEQUENCE)?.take(der::OBJECT_ID)?;
    let text = whole.take(der::OCTET_STRING)?;
    let fits = oid::encrypts(name) && whole.is_empty() && text.len() >= 16 && !constant(text);
    fits.then(|| Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark("encrypted PKCS#8"))
}

/// RFC 8017, A.1.2: version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p, more primes.
fn pkcs1(mut whole: Reader<'_>) -> Option<Verdict> {
    let version = bignum::bits(whole.number()?);
    let [n, e, d, p, q] = [whole.number()?, whole.number()?, whole.number()?, whole.number()?, whole.number()?];
    let rest = [whole.number()?, whole.number()?, whole.number()?];
    let filled = rest.iter().chain([&d]).all(|number| !number.is_empty());
    let rsa = Rsa { n, e, p, q };
    match version {
        0 if filled && whole.is_empty() => rsa.verdict(),
        // The product of three primes and more is not tried: nobody uses such keys.
        1 if filled && bignum::bits(n) > 1 => {
            whole.take(der::SEQUENCE)?;
            whole.is_empty().then(|| Verdict::new(Standing::Structured).remark(rsa.name()))
        }
        _ => None,
    }
}

/// RFC 5915: version 1, private number, parameters, public point. In PKCS#8 the parameters stand outside.
fn sec1(mut whole: Reader<'_>, algorithm: Option<Reader<'_>>) -> Option<Verdict> {
    if whole.number()? != [1] {
        return None;
    }
    let scalar = whole.take(der::OCTET_STRING)?;
    let inside = whole.enter(0xa0);
    let point = match whole.enter(0xa1) {
        Some(mut point) => Some(whole_bytes(point.take(der::BIT_STRING)?)?),
        None => None,
    };
    if !whole.is_empty() || constant(scalar) {
        return None;
    }
    let (tag, curve) = inside.or(algorithm)?.element()?;
    match (tag, oid::curve(curve)) {
        (der::OBJECT_ID, Some(curve)) => on_curve(curve, scalar, point),
        // A rare curve, or one that is written out.
        (der::OBJECT_ID | der::SEQUENCE, None) if scalar.len() >= 14 => {
            Some(Verdict::new(Standing::Structured).remark("EC"))
        }
        _ => None,
    }
}

/// OpenSSL's own form: version 0, p, q, g, public y, private x.
fn dsa(mut whole: Reader<'_>) -> Option<Verdict> {
    let version = whole.number()?;
    let [p, q, g, y, x] = [whole.number()?, whole.number()?, whole.number()?, whole.number()?, whole.number()?];
    let fits = version.is_empty()
        && whole.is_empty()
        && bignum::bits(p) >= 512
        && (160..=256).contains(&bignum::bits(q))
        && [g, y].iter().all(|number| (2..=bignum::bits(p)).contains(&bignum::bits(number)))
        && (2..=bignum::bits(q)).contains(&bignum::bits(x));
    fits.then(|| Verdict::new(Standing::Structured).remark(format!("DSA, {} bits", bignum::bits(p))))
}

/// The bytes of a BIT STRING that has no odd bits.
fn whole_bytes(body: &[u8]) -> Option<&[u8]> {
    body.strip_prefix(&[0])
}

/// Whether all bytes are the same: a stand-in, and no key.
fn constant(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|pair| pair.first() == pair.last())
}
