//! Makes secrets for examples and tests, each new from a seed: nothing in the source looks like one.
//!
//! Written apart from the validators (own checksums, own DER), so that both would have to be wrong in the same way.

#![cfg_attr(not(test), allow(dead_code, reason = "tests make more kinds than the examples of rules"))]

/// A linear congruential generator (Knuth's MMIX constants): the same numbers for the same seed, everywhere.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    pub(crate) const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    pub(crate) const DIGITS: &str = "0123456789";
    pub(crate) const HEX: &str = "0123456789abcdef";
    pub(crate) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    pub(crate) const PASSWORD: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#$%&*+-=?@^_~";

    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }

    pub(crate) fn text(&mut self, alphabet: &str, len: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..len).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    /// A number of exactly this many bits, odd.
    fn number(&mut self, bits: usize) -> Vec<u8> {
        let mut number = self.bytes(bits / 8);
        number[0] |= 0xc0;
        *number.last_mut().expect("numbers have digits") |= 1;
        number
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    let text = digits_of(bytes, Rng::BASE64);
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    digits_of(bytes, Rng::BASE64).replace('+', "-").replace('/', "_")
}

fn digits_of(bytes: &[u8], alphabet: &str) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    let digit = |bits: &[u8]| bits.iter().fold(0, |n, b| n << 1 | usize::from(*b)) << (6 - bits.len());
    bits.chunks(6).map(|bits| char::from(alphabet.as_bytes()[digit(bits)])).collect()
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

pub(crate) fn in_base(mut number: u32, alphabet: &str, len: usize) -> String {
    let base = alphabet.len() as u32;
    let mut digits = Vec::new();
    for _ in 0..len {
        digits.push(char::from(alphabet.as_bytes()[(number % base) as usize]));
        number /= base;
    }
    digits.iter().rev().collect()
}

/// A token of GitHub or npm: prefix, 30 characters, six of checksum.
pub(crate) fn crc32_base62(rng: &mut Rng, prefix: &str) -> String {
    let body = rng.text(Rng::BASE62, 30);
    format!("{prefix}{body}{}", in_base(crc32(body.as_bytes()), Rng::BASE62, 6))
}

/// A routable token of GitLab.
pub(crate) fn crc32_base36_routable(rng: &mut Rng) -> String {
    let token = format!("{}-{}.01.0{}", "glpat", rng.text(Rng::BASE62, 27), rng.text(Rng::LOWER, 1));
    let sum = in_base(crc32(token.as_bytes()), "0123456789abcdefghijklmnopqrstuvwxyz", 7);
    token + &sum
}

/// A token of Atlassian.
pub(crate) fn crc32_hex_tail(rng: &mut Rng) -> String {
    let token = format!("{}3{}=", "ATATT", rng.text(Rng::BASE62, 180));
    let sum = format!("{:08X}", crc32(token.as_bytes()));
    token + &sum
}

/// The id of an AWS key of this account.
pub(crate) fn aws_id(rng: &mut Rng, account: u64) -> String {
    let mut bits = format!("1{account:040b}");
    while bits.len() < 80 {
        bits += if rng.below(2) == 0 { "0" } else { "1" };
    }
    let digit = |bits: &[u8]| usize::from_str_radix(std::str::from_utf8(bits).expect("digits"), 2).expect("digits");
    let body: String = bits.as_bytes().chunks(5).map(|bits| char::from(Rng::BASE32.as_bytes()[digit(bits)])).collect();
    format!("{}{body}", "AKIA")
}

/// An identity of age.
pub(crate) fn age(rng: &mut Rng) -> String {
    let alphabet = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let name = "age-secret-key-";
    let bits: String = rng.bytes(32).iter().map(|b| format!("{b:08b}")).collect::<String>() + "0000";
    let data: Vec<u8> = bits
        .as_bytes()
        .chunks(5)
        .map(|c| u8::from_str_radix(std::str::from_utf8(c).expect("digits"), 2).expect("digits"))
        .collect();
    let mut all: Vec<u8> = name.bytes().map(|b| b >> 5).collect();
    all.push(0);
    all.extend(name.bytes().map(|b| b & 31));
    all.extend(&data);
    all.extend([0; 6]);
    let mut sum = 1_u32;
    for value in all {
        let top = sum >> 25;
        sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(value);
        for (i, generator) in [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].iter().enumerate() {
            if top >> i & 1 == 1 {
                sum ^= generator;
            }
        }
    }
    sum ^= 1;
    let tail = (0..6).map(|i| (sum >> (5 * (5 - i)) & 31) as u8);
    let text: String =
        data.iter().copied().chain(tail).map(|d| char::from(alphabet.as_bytes()[usize::from(d)])).collect();
    format!("{}1{text}", name.to_uppercase())
}

/// A macaroon of version 2, in base64url.
pub(crate) fn macaroon(rng: &mut Rng, location: &str) -> String {
    let field = |kind: u8, body: &[u8]| [&[kind, body.len() as u8], body].concat();
    let caveat = [field(2, b"[0, 1800000000]"), vec![0]].concat();
    let parts = [
        vec![2],
        field(1, location.as_bytes()),
        field(2, &rng.bytes(36)),
        vec![0],
        caveat,
        vec![0],
        field(6, &rng.bytes(32)),
    ];
    base64url(&parts.concat())
}

/// A macaroon of version 1, in base64url.
pub(crate) fn macaroon_1(rng: &mut Rng) -> String {
    let packet = |name: &str, body: &[u8]| {
        let len = 4 + name.len() + 1 + body.len() + 1;
        [format!("{len:04x}{name} ").as_bytes(), body, b"\n"].concat()
    };
    let parts = [
        packet("location", b"http://mybank/"),
        packet("identifier", b"key 5"),
        packet("cid", b"x < 1"),
        packet("signature", &rng.bytes(32)),
    ];
    base64url(&parts.concat())
}

/// A token with a signature of this many bytes.
pub(crate) fn jwt(rng: &mut Rng, header: &str, payload: &str, signature: usize) -> String {
    format!("{}.{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()), base64url(&rng.bytes(signature)))
}

pub(crate) fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = body.len();
    let head = match len {
        0..128 => vec![tag, len as u8],
        128..256 => vec![tag, 0x81, len as u8],
        256..65536 => vec![tag, 0x82, (len >> 8) as u8, len as u8],
        _ => vec![tag, 0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [head, body.to_vec()].concat()
}

fn int(digits: &[u8]) -> Vec<u8> {
    tlv(2, &[&[0], digits].concat())
}

/// Numbers that fit together as those of an RSA key do (they are no primes: nobody asks).
pub(crate) struct Rsa {
    pub(crate) n: Vec<u8>,
    pub(crate) d: Vec<u8>,
    pub(crate) p: Vec<u8>,
    pub(crate) q: Vec<u8>,
}

impl Rsa {
    pub(crate) fn new(rng: &mut Rng, bits: usize) -> Self {
        let (p, q) = (rng.number(bits / 2), rng.number(bits / 2));
        let mut product = vec![0_u32; p.len() + q.len()];
        for (i, a) in p.iter().rev().enumerate() {
            for (j, b) in q.iter().rev().enumerate() {
                product[i + j] += u32::from(*a) * u32::from(*b);
            }
        }
        let mut carry = 0;
        let digits = product.iter().map(|sum| {
            carry += sum;
            let digit = carry as u8;
            carry >>= 8;
            digit
        });
        let mut n: Vec<u8> = digits.collect();
        n.reverse();
        Self { n, d: rng.number(bits), p, q }
    }

    /// PKCS#1 in DER.
    pub(crate) fn pkcs1(&self) -> Vec<u8> {
        let part = &self.p[1..];
        let numbers = [&[0][..], &self.n, &[1, 0, 1], &self.d, &self.p, &self.q, part, part, part];
        tlv(0x30, &numbers.map(int_short).concat())
    }

    /// PKCS#8 in DER.
    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        pkcs8(&tlv(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"), &self.pkcs1())
    }
}

/// Zero is zero, all else gets a sign's zero.
fn int_short(digits: &[u8]) -> Vec<u8> {
    if digits == [0] { tlv(2, &[0]) } else { int(digits) }
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(2, &[0]), algorithm, &tlv(4, key)].concat())
}

const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

fn sec1_parts(rng: &mut Rng, curve: &[u8]) -> Vec<u8> {
    let point = [vec![4], rng.bytes(64)].concat();
    let scalar = [vec![7], rng.bytes(31)].concat();
    let public = tlv(0xa1, &tlv(3, &[vec![0], point].concat()));
    let curve = if curve.is_empty() { vec![] } else { tlv(0xa0, curve) };
    tlv(0x30, &[tlv(2, &[1]), tlv(4, &scalar), curve, public].concat())
}

/// A key on P-256 as SEC1 has it.
pub(crate) fn sec1(rng: &mut Rng) -> Vec<u8> {
    sec1_parts(rng, P256)
}

/// A key on P-256 in PKCS#8.
pub(crate) fn ec_pkcs8(rng: &mut Rng) -> Vec<u8> {
    let algorithm = tlv(0x30, &[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", P256].concat());
    pkcs8(&algorithm, &sec1_parts(rng, b""))
}

/// An Ed25519 key in PKCS#8.
pub(crate) fn ed25519(rng: &mut Rng) -> Vec<u8> {
    pkcs8(&tlv(0x30, b"\x06\x03\x2b\x65\x70"), &tlv(4, &rng.bytes(32)))
}

/// An encrypted PKCS#8 key.
pub(crate) fn encrypted_pkcs8(rng: &mut Rng) -> Vec<u8> {
    let parameters = tlv(0x30, &tlv(4, &rng.bytes(16)));
    let algorithm = tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", &parameters[..]].concat());
    tlv(0x30, &[algorithm, tlv(4, &rng.bytes(1232))].concat())
}

/// A DSA key in OpenSSL's own form.
pub(crate) fn dsa(rng: &mut Rng) -> Vec<u8> {
    let numbers = [vec![0], rng.number(1024), rng.number(160), rng.number(1016), rng.number(1016), rng.number(152)];
    tlv(0x30, &numbers.iter().map(|n| int_short(n)).collect::<Vec<_>>().concat())
}

/// A block with lines of 64 characters. The label comes in two parts, so that no source holds a header.
pub(crate) fn pem(label: &str, body: &[u8]) -> String {
    armour(&format!("{label} KEY"), "", &base64(body))
}

pub(crate) fn armour(label: &str, head: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base 64 is ASCII")).collect();
    format!("-----BEGIN {label}-----\n{head}{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A key that OpenSSL encrypted in its old way.
pub(crate) fn pem_proc_type(rng: &mut Rng) -> String {
    let head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n";
    armour("RSA PRIVATE KEY", head, &base64(&rng.bytes(608)))
}

fn wire(part: &[u8]) -> Vec<u8> {
    [&(part.len() as u32).to_be_bytes(), part].concat()
}

fn openssh(cipher: &str, kdf: &str, options: &[u8], public: &[u8], mut private: Vec<u8>) -> Vec<u8> {
    for pad in 1.. {
        if private.len().is_multiple_of(16) {
            break;
        }
        private.push(pad);
    }
    let head = [wire(cipher.as_bytes()), wire(kdf.as_bytes()), wire(options)].concat();
    [b"openssh-key-v1\0".to_vec(), head, vec![0, 0, 0, 1], wire(public), wire(&private)].concat()
}

/// An Ed25519 key of OpenSSH, encrypted or not.
pub(crate) fn openssh_ed25519(rng: &mut Rng, encrypted: bool) -> Vec<u8> {
    let half = rng.bytes(32);
    let public = [wire(b"ssh-ed25519"), wire(&half)].concat();
    if encrypted {
        return openssh("aes256-ctr", "bcrypt", &rng.bytes(24), &public, rng.bytes(144));
    }
    let check = rng.bytes(4);
    let both = [rng.bytes(32), half.clone()].concat();
    let private = [check.clone(), check, wire(b"ssh-ed25519"), wire(&half), wire(&both), wire(b"me@host")].concat();
    openssh("none", "none", b"", &public, private)
}

/// An RSA key of OpenSSH.
pub(crate) fn openssh_rsa(rng: &mut Rng, bits: usize) -> Vec<u8> {
    let rsa = Rsa::new(rng, bits);
    let mpint = |n: &[u8]| wire(&[&[0], n].concat());
    let e = wire(&[1, 0, 1]);
    let public = [wire(b"ssh-rsa"), e.clone(), mpint(&rsa.n)].concat();
    let check = rng.bytes(4);
    let numbers = [mpint(&rsa.n), e, mpint(&rsa.d), mpint(&rsa.p), mpint(&rsa.p), mpint(&rsa.q)].concat();
    openssh("none", "none", b"", &public, [check.clone(), check, wire(b"ssh-rsa"), numbers, wire(b"")].concat())
}

/// How an OpenPGP key is kept.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Pgp {
    Open,
    Locked,
    Stub,
}

/// The packets of an OpenPGP key (EdDSA, version 4): key, user id, subkey.
pub(crate) fn pgp(rng: &mut Rng, kept: Pgp) -> Vec<u8> {
    let mut key = |tag: u8| {
        let mut body = [vec![4], rng.bytes(4), vec![22, 9], b"\x2b\x06\x01\x04\x01\xda\x47\x0f\x01".to_vec()].concat();
        body.extend([1, 7, 0x40]);
        body.extend(rng.bytes(32));
        match kept {
            Pgp::Open => {
                let secret = [vec![0, 255, 0x7f], rng.bytes(31)].concat();
                let sum = secret.iter().map(|b| u32::from(*b)).sum::<u32>() as u16;
                body.push(0);
                body.extend(&secret);
                body.extend(sum.to_be_bytes());
            }
            Pgp::Locked => {
                body.extend([254, 7, 3, 8]);
                body.extend(rng.bytes(8 + 1 + 16 + 54));
            }
            Pgp::Stub => body.extend(b"\xff\x00\x65\x00GNU\x01"),
        }
        [vec![0xc0 | tag, body.len() as u8], body].concat()
    };
    [key(5), vec![0xcd, 4], b"user".to_vec(), key(7)].concat()
}

/// ASCII armour with its checksum.
pub(crate) fn pgp_armour(packets: &[u8]) -> String {
    let mut crc = 0xb704ce_u32;
    for b in packets {
        crc ^= u32::from(*b) << 16;
        for _ in 0..8 {
            crc = if crc & 0x80_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x186_4cfb };
        }
    }
    let body = base64(packets);
    let text = armour("PGP PRIVATE KEY BLOCK", "Comment: it's a key\n\n", &body);
    let end = text.rfind("-----END").expect("an armour has an end");
    format!("{}={}\n{}", &text[..end], base64(&crc.to_be_bytes()[1..]), &text[end..])
}

/// A key of PuTTY, version 2, with this encryption.
pub(crate) fn putty(rng: &mut Rng, encryption: &str) -> String {
    let rsa = Rsa::new(rng, 1024);
    let mpint = |n: &[u8]| wire(&[&[0], n].concat());
    let public = [wire(b"ssh-rsa"), wire(&[1, 0, 1]), mpint(&rsa.n)].concat();
    let mut private = [mpint(&rsa.d), mpint(&rsa.p), mpint(&rsa.q), mpint(&rsa.p)].concat();
    if encryption != "none" {
        private = rng.bytes(432);
    }
    let lines = |bytes: &[u8]| {
        let text = base64(bytes);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base 64 is ASCII")).collect();
        format!("{}\r\n{}", lines.len(), lines.join("\r\n"))
    };
    format!(
        "{}-2: ssh-rsa\r\nEncryption: {encryption}\r\nComment: a key\r\nPublic-Lines: {}\r\nPrivate-Lines: {}\r\nPrivate-MAC: {}\r\n",
        "PuTTY-User-Key-File",
        lines(&public),
        lines(&private),
        rng.text(Rng::HEX, 40)
    )
}

/// A JKS store of entries with these tags.
pub(crate) fn jks(rng: &mut Rng, tags: &[u8]) -> Vec<u8> {
    let mut store = [&0xfeed_feed_u32.to_be_bytes()[..], &[0, 0, 0, 2, 0, 0, 0, tags.len() as u8]].concat();
    let certificate = |rng: &mut Rng| [&[0, 5][..], b"X.509", &wire(&rng.bytes(700))].concat();
    for tag in tags {
        store.extend([0, 0, 0, *tag, 0, 3]);
        store.extend(b"abc");
        store.extend(rng.bytes(8));
        if *tag == 1 {
            store.extend(wire(&rng.bytes(1000)));
            store.extend([0, 0, 0, 1]);
        }
        store.extend(certificate(rng));
    }
    store.extend(rng.bytes(20));
    store
}

/// A PKCS#12 store with one encrypted part, and with a key beside it or not.
pub(crate) fn pkcs12(rng: &mut Rng, with_key: bool) -> Vec<u8> {
    let data = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let key = encrypted_pkcs8(rng);
    let bag = tlv(0x30, &[b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02", &tlv(0xa0, &key)[..]].concat());
    let open = tlv(0x30, &[&data[..], &tlv(0xa0, &tlv(4, &tlv(0x30, &bag)))].concat());
    let closed =
        tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", &tlv(0xa0, &rng.bytes(900))[..]].concat());
    let parts = if with_key { [closed, open].concat() } else { closed };
    let contents = tlv(0x30, &[&data[..], &tlv(0xa0, &tlv(4, &tlv(0x30, &parts)))].concat());
    tlv(0x30, &[tlv(2, &[3]), contents, tlv(0x30, &rng.bytes(60))].concat())
}
