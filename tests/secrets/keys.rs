//! Private keys and what looks like them, in the forms that OpenSSL, OpenSSH, GnuPG and PuTTY write.
//!
//! RSA keys are true keys. What nobody can check without the mathematics of curves (public points) is random.

use std::sync::OnceLock;

use crate::{
    chance::Chance,
    codec::{base64, crc24},
    number::Number,
};

const RSA_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_ID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256_ID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519_ID: &[u8] = &[0x2b, 0x65, 0x70];
const PBES2_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA256_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const AES256_ID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
const SHA256_RSA_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];

pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match body.len() {
        len @ 0..=0x7f => out.push(len as u8),
        len @ 0x80..=0xff => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    out.extend(body);
    out
}

pub fn seq(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

pub fn int(value: u8) -> Vec<u8> {
    der(2, &[&[value]])
}

fn id(oid: &[u8]) -> Vec<u8> {
    der(6, &[oid])
}

fn null() -> Vec<u8> {
    vec![5, 0]
}

/// An RSA key of 1024 bits; making one takes a while, so there are a few, used in turn.
pub struct Rsa {
    n: Number,
    e: Number,
    d: Number,
    p: Number,
    q: Number,
}

impl Rsa {
    fn new(chance: &mut Chance) -> Self {
        let (one, e) = (Number::small(1), Number::small(65_537));
        loop {
            let (p, q) = (Number::prime(512, chance), Number::prime(512, chance));
            let order = p.minus(&one).times(&q.minus(&one));
            if p != q && !order.divided(&e).1.is_zero() {
                return Self { n: p.times(&q), d: e.inverse_mod(&order), e, p, q };
            }
        }
    }

    pub fn any(chance: &mut Chance) -> &'static Self {
        static KEYS: OnceLock<Vec<Rsa>> = OnceLock::new();
        // One for each time the program runs would do; three keep equal values from hiding each other.
        let keys = KEYS.get_or_init(|| {
            let mut chance = chance.branch("rsa");
            (0..3).map(|_| Self::new(&mut chance)).collect()
        });
        chance.pick(keys)
    }

    pub fn pkcs1(&self) -> Vec<u8> {
        let one = Number::small(1);
        let rest = |by: &Number| self.d.divided(&by.minus(&one)).1;
        let numbers = [&self.n, &self.e, &self.d, &self.p, &self.q].map(|number| der(2, &[&number.bytes()]));
        let more = [rest(&self.p), rest(&self.q), self.q.inverse_mod(&self.p)].map(|number| der(2, &[&number.bytes()]));
        seq(&[&int(0), &numbers.concat(), &more.concat()])
    }

    pub fn pkcs8(&self) -> Vec<u8> {
        seq(&[&int(0), &seq(&[&id(RSA_ID), &null()]), &der(4, &[&self.pkcs1()])])
    }

    pub fn public(&self) -> Vec<u8> {
        let key = seq(&[&der(2, &[&self.n.bytes()]), &der(2, &[&self.e.bytes()])]);
        seq(&[&seq(&[&id(RSA_ID), &null()]), &der(3, &[&[0], &key])])
    }

    /// The same form with a modulus that the primes do not make.
    pub fn broken(&self) -> Vec<u8> {
        let wrong = Self {
            n: self.n.plus(&Number::small(2)),
            e: self.e.clone(),
            d: self.d.clone(),
            p: self.p.clone(),
            q: self.q.clone(),
        };
        wrong.pkcs1()
    }
}

pub fn sec1(chance: &mut Chance) -> Vec<u8> {
    let point = [&[0, 4][..], &chance.bytes(64)].concat();
    let scalar = [&[0x5a][..], &chance.bytes(31)].concat();
    seq(&[&int(1), &der(4, &[&scalar]), &der(0xa0, &[&id(P256_ID)]), &der(0xa1, &[&der(3, &[&point])])])
}

pub fn ec_pkcs8(chance: &mut Chance) -> Vec<u8> {
    let point = [&[0, 4][..], &chance.bytes(64)].concat();
    let key = seq(&[&int(1), &der(4, &[&chance.bytes(32)]), &der(0xa1, &[&der(3, &[&point])])]);
    seq(&[&int(0), &seq(&[&id(EC_ID), &id(P256_ID)]), &der(4, &[&key])])
}

pub fn ed25519_pkcs8(chance: &mut Chance) -> Vec<u8> {
    let key = der(4, &[&chance.bytes(32)]);
    seq(&[&int(0), &seq(&[&id(ED25519_ID)]), &der(4, &[&key])])
}

/// What `openssl pkcs8 -topk8` writes: PBES2 with AES-256. The ciphertext is as good as random.
pub fn encrypted_pkcs8(chance: &mut Chance) -> Vec<u8> {
    let kdf = seq(&[&der(4, &[&chance.bytes(16)]), &der(2, &[&[0x27, 0x10]]), &seq(&[&id(HMAC_SHA256_ID), &null()])]);
    let cipher = seq(&[&id(AES256_ID), &der(4, &[&chance.bytes(16)])]);
    let algorithm = seq(&[&id(PBES2_ID), &seq(&[&seq(&[&id(PBKDF2_ID), &kdf]), &cipher])]);
    seq(&[&algorithm, &der(4, &[&chance.bytes(640)])])
}

/// A certificate with everything but a signature that holds.
pub fn certificate(chance: &mut Chance) -> Vec<u8> {
    let name = seq(&[&der(0x31, &[&seq(&[&id(&[0x55, 4, 3]), &der(0x0c, &[b"service.internal"])])])]);
    let validity = seq(&[&der(0x17, &[b"250101000000Z"]), &der(0x17, &[b"350101000000Z"])]);
    let algorithm = seq(&[&id(SHA256_RSA_ID), &null()]);
    let public = Rsa::any(chance).public();
    let serial = der(2, &[&[0x41], &chance.bytes(15)]);
    let body = seq(&[&der(0xa0, &[&int(2)]), &serial, &algorithm, &name, &validity, &name, &public]);
    seq(&[&body, &algorithm, &der(3, &[&[0], &chance.bytes(128)])])
}

pub fn request(chance: &mut Chance) -> Vec<u8> {
    let name = seq(&[&der(0x31, &[&seq(&[&id(&[0x55, 4, 3]), &der(0x0c, &[b"service.internal"])])])]);
    let body = seq(&[&int(0), &name, &Rsa::any(chance).public(), &der(0xa0, &[])]);
    seq(&[&body, &seq(&[&id(SHA256_RSA_ID), &null()]), &der(3, &[&[0], &chance.bytes(128)])])
}

/// RFC 7468, with the label put together here so that no file of the project holds the header of a key.
pub fn pem(label: &str, body: &[u8]) -> String {
    pem_wide(label, "", body, 64)
}

pub fn pem_wide(label: &str, headers: &str, body: &[u8], width: usize) -> String {
    let text = base64(body);
    let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
    format!("-----BEGIN {label}-----\n{headers}{}\n-----END {label}-----\n", lines.join("\n"))
}

/// OpenSSL's old way to protect a key: the DER is gone, its ciphertext is as good as random.
pub fn pem_encrypted_rsa(chance: &mut Chance) -> String {
    let headers = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n\n", chance.text(b"0123456789ABCDEF", 32));
    pem_wide("RSA PRIVATE KEY", &headers, &chance.bytes(1200), 64)
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// `openssh-key-v1` with an Ed25519 key, with a passphrase or without.
pub fn openssh(chance: &mut Chance, protected: bool) -> String {
    let public = chance.bytes(32);
    let blob = [string(b"ssh-ed25519"), string(&public)].concat();
    let private = if protected {
        chance.bytes(144)
    } else {
        let check = chance.bytes(4);
        let secret = [&chance.bytes(32)[..], &public].concat();
        let mut private =
            [check.clone(), check, string(b"ssh-ed25519"), string(&public), string(&secret), string(b"deploy@build")]
                .concat();
        private.extend((1..).take((8 - private.len() % 8) % 8));
        private
    };
    let (cipher, kdf, options) = if protected {
        (&b"aes256-ctr"[..], &b"bcrypt"[..], [string(&chance.bytes(16)), 16_u32.to_be_bytes().to_vec()].concat())
    } else {
        (&b"none"[..], &b"none"[..], Vec::new())
    };
    let parts =
        [string(cipher), string(kdf), string(&options), 1_u32.to_be_bytes().to_vec(), string(&blob), string(&private)];
    pem_wide("OPENSSH PRIVATE KEY", "", &[&b"openssh-key-v1\0"[..], &parts.concat()].concat(), 70)
}

/// A secret key of OpenPGP (RFC 4880, 5.5.3): Ed25519, and the user's name.
pub fn pgp(chance: &mut Chance, protected: bool) -> String {
    let mpi = |bytes: &[u8]| {
        let bits = bytes.len() * 8 - bytes[0].leading_zeros() as usize;
        [&(bits as u16).to_be_bytes()[..], bytes].concat()
    };
    let point = [&[0x40][..], &chance.bytes(32)].concat();
    let curve = [&[9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1][..], &mpi(&point)].concat();
    let mut body = [&[4, 0x65, 0x12, 0x34, 0x56, 22][..], &curve].concat();
    if protected {
        // 254: the rest is encrypted, with a SHA-1 inside; AES-256, iterated and salted SHA-256.
        body.extend([254, 9, 3, 8]);
        body.extend(chance.bytes(8));
        body.push(0xf0);
        body.extend(chance.bytes(16 + 54));
    } else {
        body.push(0);
        let secret = mpi(&[&[0x71][..], &chance.bytes(31)].concat());
        let sum = secret.iter().fold(0_u16, |sum, &byte| sum.wrapping_add(byte.into()));
        body.extend(secret);
        body.extend(sum.to_be_bytes());
    }
    let user = b"Release <release@shop.internal>";
    let packets =
        [&[0x94 | 1, (body.len() >> 8) as u8, body.len() as u8][..], &body, &[0xb4, user.len() as u8], user].concat();
    let check = base64(&crc24(&packets).to_be_bytes()[1..]);
    let label = "PGP PRIVATE KEY BLOCK";
    let text = pem_wide(label, "\n", &packets, 64);
    text.replace(&format!("\n-----END {label}"), &format!("\n={check}\n-----END {label}"))
}

/// A public key of OpenPGP.
pub fn pgp_public(chance: &mut Chance) -> String {
    pem_wide("PGP PUBLIC KEY BLOCK", "\n", &[&[0x98, 0x33][..], &chance.bytes(51)].concat(), 64)
}

/// A key file of PuTTY.
pub fn putty(chance: &mut Chance, protected: bool) -> String {
    let public = chance.bytes(32);
    let blob = base64(&[string(b"ssh-ed25519"), string(&public)].concat());
    let (first, last) = blob.split_at(64.min(blob.len()));
    let secret = if protected { base64(&chance.bytes(48)) } else { base64(&string(&chance.bytes(32))) };
    let cipher = if protected { "aes256-cbc" } else { "none" };
    let mac = chance.text(b"0123456789abcdef", 64);
    let kdf = if protected {
        format!(
            "Key-Derivation: Argon2id\nArgon2-Memory: 8192\nArgon2-Passes: 21\nArgon2-Parallelism: 1\nArgon2-Salt: {}\n",
            chance.text(b"0123456789abcdef", 32)
        )
    } else {
        String::new()
    };
    format!(
        "PuTTY-User-Key-File-{}: ssh-ed25519\nEncryption: {cipher}\nComment: deploy\nPublic-Lines: 2\n{first}\n{last}\n{kdf}Private-Lines: 1\n{secret}\nPrivate-MAC: {mac}\n",
        3
    )
}

/// A Java key store with one entry: a private key with its certificate, or only a trusted certificate.
pub fn jks(chance: &mut Chance, key: bool) -> Vec<u8> {
    let utf = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let block = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let certificate = [utf("X.509"), block(&certificate(chance))].concat();
    let mut out = [0xfe_ed_fe_ed_u32.to_be_bytes(), 2_u32.to_be_bytes(), 1_u32.to_be_bytes()].concat();
    out.extend(if key { 1_u32 } else { 2 }.to_be_bytes());
    out.extend(utf("service"));
    out.extend(1_700_000_000_000_u64.to_be_bytes());
    if key {
        // Sun's own cipher, 1.3.6.1.4.1.42.2.17.1.1
        let algorithm = seq(&[&id(&[0x2b, 6, 1, 4, 1, 0x2a, 2, 0x11, 1, 1]), &null()]);
        out.extend(block(&seq(&[&algorithm, &der(4, &[&chance.bytes(660)])])));
        out.extend(1_u32.to_be_bytes());
    }
    out.extend(certificate);
    out.extend(chance.bytes(20));
    out
}

/// A PKCS#12 store with a shrouded key, or with a certificate only.
pub fn pkcs12(chance: &mut Chance, key: bool) -> Vec<u8> {
    let pkcs = |rest: &[u8]| id(&[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01][..], rest].concat());
    let bag = if key {
        seq(&[&pkcs(&[12, 10, 1, 2]), &der(0xa0, &[&encrypted_pkcs8(chance)])])
    } else {
        let certificate = seq(&[&pkcs(&[9, 22, 1]), &der(0xa0, &[&der(4, &[&certificate(chance)])])]);
        seq(&[&pkcs(&[12, 10, 1, 3]), &der(0xa0, &[&certificate])])
    };
    let data = |content: &[u8]| seq(&[&pkcs(&[7, 1]), &der(0xa0, &[&der(4, &[content])])]);
    let safe = data(&seq(&[&data(&seq(&[&bag]))]));
    let sha256 = seq(&[&id(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]), &null()]);
    let mac =
        seq(&[&seq(&[&sha256, &der(4, &[&chance.bytes(32)])]), &der(4, &[&chance.bytes(8)]), &der(2, &[&[8, 0]])]);
    seq(&[&int(3), &safe, &mac])
}
