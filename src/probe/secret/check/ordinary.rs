//! Tells ordinary values of settings from those that might be secrets: paths, addresses, versions, names, code.
//!
//! Strict on purpose. It is asked only of values that no format and no checksum speaks for.

use super::{base64, der, der::Reader, generic::classes, looks_random, placeholder::contains};

/// Longest piece of a name that is not looked at more closely: `x86`, `utf8mb4`, `01T00`.
const SHORT: usize = 7;

/// Letters up to here are a word or an abbreviation whatever their order.
const ABBREVIATION: usize = 5;

/// Beginnings of values that say what they are, and that it is public.
#[rustfmt::skip]
const PUBLIC: &[&[u8]] = &[
    b"data:", b"urn:", b"AAAAB3NzaC1", b"AAAAC3NzaC1", b"AAAAE2VjZHNh", b"AAAAG", b"LS0tLS1CRUdJTi", b"-----BEGIN",
    b"age1", b"pk_live_", b"pk_test_", b"pk.", b"oci://", b"docker://", b"#!",
];

/// What only regular expressions have.
#[rustfmt::skip]
const PATTERNS: &[&[u8]] = &[
    b"[a-z", b"[A-Z", b"[0-9", b"[^", b"\\d", b"\\w", b"\\s", b"\\.", b"(?:", b"(?i", b".*", b".+", b"]+", b"]*",
    b"]{",
];

/// What hardly anything but code has.
#[rustfmt::skip]
const CODE: &[&[u8]] = &[
    b"&&", b"||", b"=>", b"->", b"::", b"![", b"==", b"!=", b"()", b"[]", b"{}", b"%s", b"%d", b"</", b"/>", b"\\n",
    b");", b"];",
];

/// Endings of the names of files.
#[rustfmt::skip]
const FILES: &[&[u8]] = &[
    b".pem", b".key", b".crt", b".cer", b".json", b".yaml", b".yml", b".toml", b".ini", b".conf", b".cfg", b".xml",
    b".txt", b".js", b".ts", b".py", b".rb", b".go", b".php", b".sh", b".java", b".jks", b".p12", b".pfx",
    b".properties", b".html", b".css", b".png", b".svg", b".jpg", b".gif", b".ico", b".md", b".log", b".db", b".sql",
    b".so", b".jar", b".gz", b".zip",
];

/// Numbers that things are called after: bits, ports, code pages, curves.
#[rustfmt::skip]
const TECHNICAL: &[&[u8]] = &[
    b"128", b"160", b"192", b"224", b"256", b"320", b"384", b"512", b"521", b"1024", b"2048", b"3072", b"4096",
    b"8192", b"443", b"8080", b"8443", b"25519", b"448", b"1305", b"1252", b"8859", b"2822", b"3339", b"8601", b"360",
    b"365", b"404",
];

/// Whether it is an ordinary value. White space is the caller's.
pub(super) fn ordinary(text: &[u8]) -> bool {
    number(text)
        || uuid(text)
        || address(text)
        || path(text)
        || color(text)
        || public_der(text)
        || PUBLIC.iter().any(|start| text.starts_with(start))
        || PATTERNS.iter().any(|piece| contains(text, piece))
        || (classes(text) < 4 && CODE.iter().any(|code| contains(text, code)))
        || escaped(text)
        || query(text)
        || named(text)
}

/// Whether it names itself the digest of something: `sha256-...`, `SHA256:...`, `name@sha256:...`.
pub(super) fn is_hash(text: &[u8]) -> bool {
    let lower: Vec<u8> = text.iter().take(128).map(u8::to_ascii_lowercase).collect();
    ["sha1", "sha224", "sha256", "sha384", "sha512", "md5", "h1", "blake2b", "blake3"].iter().any(|name| {
        let rest = lower.strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.len() > 16 && rest.first().is_some_and(|b| b"-:=".contains(b)))
    }) || contains(&lower, b"@sha256:")
}

/// Whether it is the hash of a password, in a form of crypt(5), LDAP or a framework: `$6$...`, `{SSHA}...`.
pub(super) fn password_hash(text: &[u8]) -> bool {
    const CRYPT: &[&[u8]] = &[
        b"$1$",
        b"$2$",
        b"$2a$",
        b"$2b$",
        b"$2x$",
        b"$2y$",
        b"$5$",
        b"$6$",
        b"$7$",
        b"$y$",
        b"$gy$",
        b"$apr1$",
        b"$argon2i$",
        b"$argon2id$",
        b"$argon2d$",
        b"$scrypt$",
        b"$pbkdf2",
        b"$P$",
        b"$H$",
        b"$S$",
        b"$sha1$",
        b"$md5$",
    ];
    const OTHERS: &[&[u8]] = &[
        b"{SSHA}",
        b"{SHA}",
        b"{SSHA256}",
        b"{SSHA512}",
        b"{CRYPT}",
        b"{bcrypt}",
        b"{PBKDF2",
        b"pbkdf2_sha256$",
        b"pbkdf2_sha1$",
        b"bcrypt_sha256$",
        b"bcrypt$",
        b"argon2$",
        b"scrypt:",
        b"pbkdf2:",
        b"SCRAM-SHA-256$",
        b"SCRAM-SHA-1$",
        b"grub.pbkdf2.",
    ];
    text.len() >= 16 && CRYPT.iter().chain(OTHERS).any(|start| text.starts_with(start))
}

/// Numbers, versions, dates, times, sizes, addresses of machines, ranges.
fn number(text: &[u8]) -> bool {
    let letters = text.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let plain = text.iter().all(|b| b.is_ascii_alphanumeric() || b" .,:+-_/%~^<>=TZ".contains(b));
    let starts = text.first().is_some_and(|b| b.is_ascii_digit() || b"v^~<>=-+.".contains(b));
    plain && starts && (letters == 0 || (letters <= 3 && letters * 3 <= text.len() && !unbroken(text)))
}

/// Whether letters and digits stand in one piece with letters in the middle of digits, twice or more.
fn unbroken(text: &[u8]) -> bool {
    let changes =
        text.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit())).count();
    text.iter().all(u8::is_ascii_alphanumeric) && changes >= 3
}

fn uuid(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}")).unwrap_or(text);
    text.len() == 36
        && text.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// An address without a login, or one of mail.
fn address(text: &[u8]) -> bool {
    if contains(text, b"://") {
        return true;
    }
    let Some(at) = text.iter().position(|&b| b == b'@') else { return false };
    let (user, host) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
    let is_name =
        |part: &[u8]| part.iter().all(|&b| b.is_ascii_alphanumeric() || b"._+-".contains(&b)) && !part.is_empty();
    let top = host.rsplit(|&b| b == b'.').next().unwrap_or_default();
    is_name(user) && is_name(host) && host.contains(&b'.') && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic)
}

/// Paths of any system, names of files, patterns of them.
fn path(text: &[u8]) -> bool {
    let drive = matches!(text, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let rooted = [&b"/"[..], b"./", b"../", b"~/", b"\\\\", b"@/"].iter().any(|start| text.starts_with(start));
    let file = FILES.iter().any(|end| text.ends_with(end));
    if drive || file || (rooted && !coded(text)) {
        return true;
    }
    // `text/html`, `library/alpine:3.20`: every piece is a name.
    contains(text, b"/") && text.split(|&b| b == b'/').all(|piece| piece.is_empty() || named(piece))
}

/// Whether it is base64 as chance makes it, which may have slashes anywhere.
fn coded(text: &[u8]) -> bool {
    let body = text.len() - text.iter().rev().take_while(|&&b| b == b'=').count();
    let digits = text.get(..body).unwrap_or_default();
    text.len() >= 20
        && digits.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        && classes(digits) == 4
        && looks_random(digits)
}

fn color(text: &[u8]) -> bool {
    matches!(text, [b'#', digits @ ..] if matches!(digits.len(), 3 | 4 | 6 | 8) && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A certificate or a public key; private ones are the business of another rule.
fn public_der(text: &[u8]) -> bool {
    text.starts_with(b"MI")
        && base64::decode_strictly(text).is_some_and(|body| Reader::whole(&body, der::SEQUENCE).is_some())
}

/// `a%20b`.
fn escaped(text: &[u8]) -> bool {
    let codes =
        text.windows(3).filter(|w| matches!(w, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())).count();
    codes > 1 || (codes > 0 && !looks_random(text))
}

/// `a=1&b=two`: what it holds is found under its own names.
fn query(text: &[u8]) -> bool {
    let is_pair =
        |pair: &[u8]| pair.iter().position(|&b| b == b'=').is_some_and(|at| pair.get(..at).is_some_and(is_name));
    // The first may have lost its name to the caller.
    contains(text, b"&") && text.split(|&b| b == b'&').skip(1).all(is_pair)
}

fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|&b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// A name or several: identifiers in all the ways to write them, references, constants, hosts, lists of words.
fn named(text: &[u8]) -> bool {
    let mut pieces = text.split(|b| !b.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty());
    let signs = text.iter().filter(|b| !b.is_ascii_alphanumeric()).count();
    // Signs that names do not have: the pieces between them prove nothing.
    let odd = text.iter().any(|b| b"!#$%^&*?~+=@".contains(b)) && classes(text) >= 3;
    if odd && looks_random(text) {
        return false;
    }
    constant(text) || pieces.all(|piece| plain(piece, signs > 0))
}

/// `MAX_CONNECTION_V2`, `io_uring_zcrx_rqe`: one case, several short pieces, mostly letters.
fn constant(text: &[u8]) -> bool {
    let one_case = !(text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase));
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    let mut pieces = text.split(|&b| b == b'_');
    one_case
        && pieces.clone().count() >= 3
        && digits * 4 <= text.len()
        && pieces.all(|piece| (1..=12).contains(&piece.len()) && piece.iter().all(u8::is_ascii_alphanumeric))
}

/// A word, a number, or both one after the other.
fn plain(piece: &[u8], among_others: bool) -> bool {
    if among_others && piece.len() <= SHORT {
        return true;
    }
    let runs: Vec<&[u8]> = piece.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).collect();
    let word = |run: &[u8]| run.len() <= ABBREVIATION || !looks_random(run) || humps(run);
    match runs[..] {
        [only] => only.first().is_some_and(u8::is_ascii_digit) || word(only),
        // `oauth2`, `sha256`, `2fa`; more digits, or a capital before them, is how passwords are made.
        [letters, digits] if TECHNICAL.contains(&digits) && !capitalised(letters) => word(letters),
        [letters, digits] if letters.first().is_some_and(u8::is_ascii_alphabetic) => {
            let most = if among_others { 8 } else { 2 };
            (digits.len() <= most || piece.len() < SHORT)
                && word(letters)
                && !(capitalised(letters) && !among_others && digits.len() >= 2)
        }
        [_, letters] => letters.len() <= ABBREVIATION && piece.len() <= 12,
        [letters, digits, more] if letters.first().is_some_and(u8::is_ascii_alphabetic) => {
            let name = digits.len() == 1 || TECHNICAL.contains(&digits);
            let new_word = more.first().is_some_and(u8::is_ascii_uppercase) && humps(more);
            let one_case = digits.len() <= 3 && classes(piece) < 3 && !looks_random(piece);
            word(letters) && word(more) && ((name && new_word) || one_case)
        }
        _ => false,
    }
}

/// Whether letters of both cases are words that begin with capitals: three letters and more in the mean.
fn humps(letters: &[u8]) -> bool {
    let starts =
        letters.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    letters.len() >= 3 * (starts.count() + 1) && !looks_random(&letters.to_ascii_lowercase())
}

fn capitalised(letters: &[u8]) -> bool {
    letters.first().is_some_and(u8::is_ascii_uppercase) && letters.iter().skip(1).all(u8::is_ascii_lowercase)
}
