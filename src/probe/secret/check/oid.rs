//! Object identifiers of keys, as DER writes them (without tag and length).

/// `rsaEncryption` of PKCS#1.
pub(super) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// `id-RSASSA-PSS`: the same key, for one kind of signature.
pub(super) const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
/// `id-ecPublicKey` of RFC 5480.
pub(super) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// `id-Ed25519` of RFC 8410.
pub(super) const ED25519: &[u8] = b"\x2b\x65\x70";
/// `data` of PKCS#7.
pub(super) const PKCS7_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
/// `signedData` of PKCS#7.
pub(super) const PKCS7_SIGNED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `keyBag` of PKCS#12.
pub(super) const KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01";
/// `pkcs8ShroudedKeyBag` of PKCS#12.
pub(super) const SHROUDED_KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";

/// Beginnings of what encrypts a private key: PKCS#5 (`pbeWith...`, PBES2) and PKCS#12 (`pbeWithSHA...`).
const ENCRYPTIONS: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x05", b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"];

/// An elliptic curve.
pub(super) struct Curve {
    /// Its identifier.
    pub(super) oid: &'static [u8],
    /// What people call it.
    pub(super) name: &'static str,
    /// Bytes of a number below the order.
    pub(super) len: usize,
}

/// Curves that keys are made on. SEC 2, RFC 5639, and GB/T 32918 for SM2.
const CURVES: [Curve; 10] = [
    Curve { oid: b"\x2a\x86\x48\xce\x3d\x03\x01\x07", name: "P-256", len: 32 },
    Curve { oid: b"\x2b\x81\x04\x00\x22", name: "P-384", len: 48 },
    Curve { oid: b"\x2b\x81\x04\x00\x23", name: "P-521", len: 66 },
    Curve { oid: b"\x2b\x81\x04\x00\x0a", name: "secp256k1", len: 32 },
    Curve { oid: b"\x2b\x81\x04\x00\x21", name: "P-224", len: 28 },
    Curve { oid: b"\x2a\x86\x48\xce\x3d\x03\x01\x01", name: "P-192", len: 24 },
    Curve { oid: b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", name: "brainpoolP256r1", len: 32 },
    Curve { oid: b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", name: "brainpoolP384r1", len: 48 },
    Curve { oid: b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", name: "brainpoolP512r1", len: 64 },
    Curve { oid: b"\x2a\x81\x1c\xcf\x55\x01\x82\x2d", name: "SM2", len: 32 },
];

/// Algorithms whose private key is a string of a fixed length: RFC 8410.
const EDWARDS: [(&[u8], &str, usize); 4] = [
    (ED25519, "Ed25519", 32),
    (b"\x2b\x65\x71", "Ed448", 57),
    (b"\x2b\x65\x6e", "X25519", 32),
    (b"\x2b\x65\x6f", "X448", 56),
];

/// Others that PKCS#8 is known to carry, by the beginning of the identifier.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\x2a\x86\x48\xce\x38\x04\x01", "DSA"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", "Diffie-Hellman"),
    (b"\x2a\x86\x48\xce\x3e\x02\x01", "Diffie-Hellman"),
    (b"\x2a\x85\x03", "GOST"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03", "post-quantum signature"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x04", "ML-KEM"),
    (b"\x2b\x06\x01\x04\x01", "vendor's algorithm"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01", "RSA"),
];

/// The curve with this identifier.
pub(super) fn curve(oid: &[u8]) -> Option<&'static Curve> {
    CURVES.iter().find(|curve| curve.oid == oid)
}

/// The curve that SSH calls so.
pub(super) fn ssh_curve(name: &[u8]) -> Option<&'static Curve> {
    CURVES
        .iter()
        .zip([&b"nistp256"[..], b"nistp384", b"nistp521"])
        .find(|(_, ssh)| *ssh == name)
        .map(|(curve, _)| curve)
}

/// Name and length of a key that is a plain string.
pub(super) fn edwards(oid: &[u8]) -> Option<(&'static str, usize)> {
    EDWARDS.iter().find(|(known, ..)| *known == oid).map(|&(_, name, len)| (name, len))
}

/// Name of any other algorithm.
pub(super) fn other(oid: &[u8]) -> Option<&'static str> {
    OTHERS.iter().find(|(known, _)| oid.starts_with(known)).map(|&(_, name)| name)
}

/// Whether it names a way to encrypt with a password.
pub(super) fn encrypts(oid: &[u8]) -> bool {
    ENCRYPTIONS.iter().any(|known| oid.starts_with(known))
}
