//! The templates that make the secrets of examples when they are needed.
//!
//! No token with a right checksum may stand in a repository: hosts of repositories refuse it and tell its vendor. So an
//! example says `<<base62*30>><<crc32-base62 30>>`, and gets the same token whenever it is tried.

pub(crate) mod make;

use self::make::Rng;
use super::{Example, ExampleFile};

/// Most characters that one template makes.
const LEN_MAX: usize = 4096;

/// An example with all of its templates expanded.
///
/// # Errors
/// What is wrong with a template, in a few words.
pub(crate) fn expanded(example: &Example) -> Result<Example, String> {
    let mut example = example.clone();
    for made in example.files.iter().filter_map(|file| file.make.as_ref()) {
        if binary(made).is_none() {
            return Err(format!("there is no `make` of \"{made}\""));
        }
    }
    let bodies = example.files.iter_mut().filter_map(|ExampleFile { body, .. }| body.as_mut());
    let lists = [&mut example.env, &mut example.labels, &mut example.cmd, &mut example.healthcheck];
    for text in bodies.chain(lists.into_iter().flatten()).chain(&mut example.created_by).chain(&mut example.dockerfile)
    {
        *text = expand(text)?;
    }
    Ok(example)
}

/// The binary file that an example's `make` asks for.
pub(crate) fn binary(kind: &str) -> Option<Vec<u8>> {
    let rng = &mut Rng::new(kind.len() as u64);
    Some(match kind {
        "jks-key" => make::jks(rng, &[2, 1]),
        "jks-certificates" => make::jks(rng, &[2, 2]),
        "pkcs12-key" => make::pkcs12(rng, true),
        "pkcs12-certificates" => make::pkcs12(rng, false),
        "der-key" => make::Rsa::new(rng, 1024).pkcs8(),
        "der-certificate" => make::tlv(0x30, &rng.bytes(600)),
        "pgp-key" => make::pgp(rng, make::Pgp::Open),
        "random" => rng.bytes(2000),
        _ => return None,
    })
}

/// A text with every `<<...>>` expanded; the same text gives the same result.
fn expand(text: &str) -> Result<String, String> {
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        // FNV-1a: any mixing would do.
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let (mut rng, mut out, mut rest) = (Rng::new(seed), String::new(), text);
    while let Some((before, template)) = rest.split_once("<<") {
        out.push_str(before);
        let Some((word, after)) = template.split_once(">>") else {
            // A shell's here-document is none.
            out.push_str("<<");
            rest = template;
            continue;
        };
        let made = make(word, &out, &mut rng).ok_or_else(|| format!("there is no template \"<<{word}>>\""))?;
        out.push_str(&made);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// What a template stands for, behind the text that is `before` it.
fn make(template: &str, before: &str, rng: &mut Rng) -> Option<String> {
    if let Some((alphabet, len)) = template.split_once('*') {
        let len = len.parse().ok().filter(|len| (1..=LEN_MAX).contains(len))?;
        return Some(mixed(rng, self::alphabet(alphabet)?, len));
    }
    let (word, rest) = template.split_once(' ').unwrap_or((template, ""));
    Some(match (word, rest) {
        ("crc32-base62", len) => {
            let from = before.len().checked_sub(len.parse().ok()?)?;
            make::in_base(make::crc32(before.get(from..)?.as_bytes()), Rng::BASE62, 6)
        }
        ("crc32-base36-routable", "") => {
            make::in_base(make::crc32(token(before).as_bytes()), "0123456789abcdefghijklmnopqrstuvwxyz", 7)
        }
        ("crc32-hex-tail", "") => format!("{:08X}", make::crc32(token(before).as_bytes())),
        ("base64", text) => make::base64(text.as_bytes()),
        ("jwt", kind) => jwt(rng, kind)?,
        ("pem", kind) => pem(rng, kind)?.trim_end().to_string(),
        // The host of the index, in parts.
        ("macaroon", "pypi") => format!("pypi-{}", make::macaroon(rng, &["pypi", "org"].join("."))),
        ("bech32", "age") | ("age", "") => make::age(rng),
        ("ppk", "ed25519" | "") => make::putty(rng, "none"),
        ("ppk", "encrypted") => make::putty(rng, "aes256-cbc"),
        ("random-password", "") => {
            let (head, tail) = (mixed(rng, Rng::BASE62, 12), mixed(rng, Rng::BASE62, 3));
            format!("{head}{}{tail}", ["!", "%", "*", "-", "_"][rng.below(5)])
        }
        ("uuid", "") => {
            let digits = rng.text(Rng::HEX, 32);
            let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_string();
            [part(0, 8), part(8, 12), format!("4{}", part(13, 16)), format!("a{}", part(17, 20)), part(20, 32)]
                .join("-")
        }
        ("sha256", "") => rng.text(Rng::HEX, 64),
        ("bcrypt", "") => format!("$2b$12${}", rng.text(CRYPT, 53)),
        ("sha512-crypt", "") => format!("$6${}${}", rng.text(CRYPT, 16), rng.text(CRYPT, 86)),
        ("apr1", "") => format!("$apr1${}${}", rng.text(CRYPT, 8), rng.text(CRYPT, 22)),
        ("aws-secret", "") => mixed(rng, Rng::BASE64, 40),
        _ => return None,
    })
}

/// The alphabet of `crypt(5)`.
const CRYPT: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn alphabet(word: &str) -> Option<&'static str> {
    Some(match word {
        "base62" | "alnum" => Rng::BASE62,
        "hex" => Rng::HEX,
        "HEX" => "0123456789ABCDEF",
        "digits" => Rng::DIGITS,
        "base32" => Rng::BASE32,
        "base64" => Rng::BASE64,
        "base64url" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        "lower" => Rng::LOWER,
        "upper" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "letters" => Rng::LETTERS,
        "lowernum" => "abcdefghijklmnopqrstuvwxyz0123456789",
        "uppernum" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "bech32" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        _ => return None,
    })
}

/// Characters of which each class that the alphabet has occurs where there is room, and that do not begin or end with a
/// sign, which would be an edge.
fn mixed(rng: &mut Rng, alphabet: &str, len: usize) -> String {
    let classes: [fn(&u8) -> bool; 3] = [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase];
    let wanted: Vec<_> = classes.into_iter().filter(|class| alphabet.bytes().any(|byte| class(&byte))).collect();
    loop {
        let text = rng.text(alphabet, len);
        let has_all = len < 6 || wanted.iter().all(|class| text.bytes().any(|byte| class(&byte)));
        let signs = text.starts_with(['-', '_', '+', '/']) || text.ends_with(['-', '_', '+', '/']);
        if has_all && !signs {
            return text;
        }
    }
}

/// The token at the end of a text.
fn token(before: &str) -> &str {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '=');
    let start = before.rfind(|c| !part(c)).map_or(0, |at| at + 1);
    let token = before.get(start..).unwrap_or_default();
    // A sign before the token is an assignment's, and not its own.
    token.find('=').filter(|&at| at + 1 < token.len()).map_or(token, |at| token.get(at + 1..).unwrap_or_default())
}

fn jwt(rng: &mut Rng, kind: &str) -> Option<String> {
    let claims = match kind {
        "" => "{\"iss\":\"https://id.shop.test\",\"sub\":\"4711\",\"iat\":1700000000,\"exp\":4102444800}".to_string(),
        "expired" => "{\"iss\":\"https://id.shop.test\",\"sub\":\"4711\",\"exp\":1500000000}".to_string(),
        "none" => return Some(make::jwt(rng, "{\"alg\":\"none\"}", "{\"sub\":\"4711\",\"admin\":true}", 0)),
        "kubernetes" => {
            let claim = |name: &str, value: &str| format!("\"kubernetes.io/serviceaccount/{name}\":\"{value}\"");
            let claims = [
                "\"iss\":\"kubernetes/serviceaccount\"".to_string(),
                claim("namespace", "shop"),
                claim("service-account.name", "deploy"),
                "\"sub\":\"system:serviceaccount:shop:deploy\"".to_string(),
            ];
            format!("{{{}}}", claims.join(","))
        }
        _ => return None,
    };
    Some(make::jwt(rng, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"a1\"}", &claims, 256))
}

fn pem(rng: &mut Rng, kind: &str) -> Option<String> {
    let key = |label: &str, body: &[u8]| Some(make::pem(label, body));
    match kind {
        "rsa" => key("RSA PRIVATE", &make::Rsa::new(rng, 1024).pkcs1()),
        "pkcs8" => key("PRIVATE", &make::Rsa::new(rng, 1024).pkcs8()),
        "ec" => key("EC PRIVATE", &make::sec1(rng)),
        "ed25519" => key("PRIVATE", &make::ed25519(rng)),
        "openssh" => key("OPENSSH PRIVATE", &make::openssh_ed25519(rng, false)),
        "openssh-encrypted" => key("OPENSSH PRIVATE", &make::openssh_ed25519(rng, true)),
        "pkcs8-encrypted" => key("ENCRYPTED PRIVATE", &make::encrypted_pkcs8(rng)),
        "rsa-encrypted" => Some(make::pem_proc_type(rng)),
        "public" => key("PUBLIC", &make::tlv(0x30, &rng.bytes(290))),
        "certificate" => Some(make::armour("CERTIFICATE", "", &make::base64(&make::tlv(0x30, &rng.bytes(600))))),
        "pgp" => Some(make::pgp_armour(&make::pgp(rng, make::Pgp::Open))),
        "pgp-protected" => Some(make::pgp_armour(&make::pgp(rng, make::Pgp::Locked))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_make_what_they_say_and_the_same_every_time() {
        for (template, pattern) in [
            ("x=<<base62*30>>", r"^x=[0-9A-Za-z]{30}$"),
            ("<<hex*8>>-<<digits*4>>", r"^[0-9a-f]{8}-[0-9]{4}$"),
            ("ghp_<<base62*30>><<crc32-base62 30>>", r"^ghp_[0-9A-Za-z]{36}$"),
            ("A=<<base64url*27>>.01.0a<<crc32-base36-routable>>", r"^A=[0-9A-Za-z_-]{27}\.01\.0a[0-9a-z]{7}$"),
            ("<<base64 a:b>>", "^YTpi$"),
            ("<<uuid>>", r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
            ("<<jwt>>", r"^eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{342}$"),
            ("<<pem rsa>>", r"(?s)^-----BEGIN RSA PRIVATE KEY-----\n.*\n-----END RSA PRIVATE KEY-----$"),
            ("cat <<EOF\na\nEOF\n", "(?s)^cat <<EOF\na\nEOF\n$"),
            ("", "^$"),
        ] {
            let made = expand(template).expect(template);
            assert!(regex::Regex::new(pattern).expect("a pattern").is_match(&made), "{template}: {made}");
            assert_eq!(expand(template).as_ref(), Ok(&made));
        }
        for wrong in ["<<base63*3>>", "<<hex*>>", "<<hex*0>>", "<<hex*99999>>", "<<crc32-base62 9>>", "<<pem x>>"] {
            assert!(expand(wrong).expect_err(wrong).contains(wrong), "{wrong}");
        }
    }
}
