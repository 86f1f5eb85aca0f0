//! Judges values of which only the place or the name is known.
//!
//! Nothing in such a value proves it. Where the place surely holds a password, everything is one but what stands in for
//! it; behind a name that only sounds like a secret, everything ordinary is left out as well.

use super::{
    Verdict, base64, known, looks_random as random_order,
    ordinary::{is_hash, ordinary, password_hash},
    placeholder,
    placeholder::{refers, well_known},
};
use crate::model::{Harmless, Standing};

/// Shortest and longest value that a name alone makes a secret.
const NAMED_LEN: std::ops::RangeInclusive<usize> = 6..=512;

/// From this length and entropy (bits per character) on, a random value behind a name fits a pattern.
const PATTERN_LEN: usize = 16;
const PATTERN_ENTROPY: f64 = 3.3;

/// The same for hexadecimal digits, of which there are only sixteen: 32 of them have 3.0 and more but for one in 2,000.
/// Sixteen are the id of a request or a commit as often as a secret.
const PATTERN_LEN_HEX: usize = 24;
const PATTERN_ENTROPY_HEX: f64 = 3.0;

/// Shannon entropy in bits per character.
pub fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    text.iter().for_each(|&b| counts[usize::from(b)] += 1);
    let len = text.len() as f64;
    let share = |count: &u32| f64::from(*count) / len;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

/// How many of these there are: lower case, upper case, digits, anything else.
pub fn classes(text: &[u8]) -> usize {
    let any = |is: fn(&u8) -> bool| usize::from(text.iter().any(is));
    any(u8::is_ascii_lowercase)
        + any(u8::is_ascii_uppercase)
        + any(u8::is_ascii_digit)
        + any(|b| !b.is_ascii_alphanumeric())
}

/// Letters and digits that stand in for nothing; for tokens whose prefix says the rest.
pub(super) fn mixed(text: &[u8]) -> Option<Verdict> {
    let fits = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    (fits && !placeholder(text) && !well_known(text)).then(|| Verdict::new(Standing::Pattern))
}

/// Longest prefix in front of a random body, in bytes.
const PREFIX_MAX: usize = 9;

/// Characters in random order, behind a prefix that ends in `_`.
pub(super) fn random(text: &[u8]) -> Option<Verdict> {
    // In base64url the body may hold one, too.
    let prefix = text.get(..PREFIX_MAX).unwrap_or(text);
    let start = prefix.iter().rposition(|&b| b == b'_').map_or(0, |at| at + 1);
    let body = text.get(start..)?;
    (random_order(body) && !placeholder(body)).then(|| Verdict::new(Standing::Pattern))
}

/// What stands where surely a password stands.
///
/// Defaults that everybody knows are said to be that; what refers to a secret elsewhere is none.
pub(super) fn password(text: &[u8]) -> Option<Verdict> {
    let text = text.trim_ascii();
    let readable = std::str::from_utf8(text).is_ok_and(|text| !text.chars().any(|c| c.is_control() && c != '\t'));
    if text.is_empty() || !readable {
        return None;
    }
    if password_hash(text) {
        return Some(Verdict::new(Standing::Pattern).remark("password hash"));
    }
    // Maven's own encryption; the key to it is in a file of its own.
    let braced = text.strip_prefix(b"{").and_then(|text| text.strip_suffix(b"}"));
    if braced.is_some_and(|text| text.iter().all(|&b| base64::is_digit(b) || b == b'=') && random_order(text)) {
        return Some(Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark("encrypted by Maven"));
    }
    if refers(text) || call(text) || port_and_query(text) {
        return None;
    }
    // As it has to be written in an address; anywhere else it is a part of the password.
    if let Some(plain) = without_percent(text).filter(|plain| placeholder(plain) || well_known(plain)) {
        return password(&plain);
    }
    if well_known(text) {
        return Some(Verdict::new(Standing::Named).harmless(Harmless::LocalDefault).remark("well-known default"));
    }
    if known::is_value(text) {
        return Some(Verdict::new(Standing::Named).harmless(Harmless::Public).remark("documentation"));
    }
    (!placeholder(text)).then(|| Verdict::new(Standing::Pattern))
}

/// What stands behind a name that sounds like a secret.
///
/// Hexadecimal values of any length are taken, those of the length of a digest, too: `SECRET_KEY` is as often 64
/// digits as the checksum of a file is, and only the name tells them apart, which is the caller's. A UUID is none: behind
/// such names it is an id more often than a key.
pub(super) fn look(text: &[u8]) -> Option<Verdict> {
    let visible = text.iter().all(u8::is_ascii_graphic);
    if !visible || !NAMED_LEN.contains(&text.len()) || refers(text) {
        return None;
    }
    if password_hash(text) {
        return Some(Verdict::new(Standing::Named).remark("password hash"));
    }
    if let Some(password) = login(text) {
        return self::password(password).map(|verdict| Verdict { standing: Standing::Named, ..verdict });
    }
    if placeholder(text) || says_nothing_encoded(text) || is_hash(text) || (ordinary(text) && !signed_word(text)) {
        return None;
    }
    let digit = text.iter().any(u8::is_ascii_digit);
    if well_known(text) {
        let verdict = Verdict::new(Standing::Named).harmless(Harmless::LocalDefault).remark("well-known default");
        return digit.then_some(verdict);
    }
    let random = random_order(text);
    let letters = text.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let mixed = letters >= 2 && digit && text.len() >= 8 && classes(text) >= 3;
    if !random && !mixed && !word_and_number(text) && !signed_word(text) {
        return None;
    }
    let hex = text.iter().all(u8::is_ascii_hexdigit);
    let (len, least) = if hex { (PATTERN_LEN_HEX, PATTERN_ENTROPY_HEX) } else { (PATTERN_LEN, PATTERN_ENTROPY) };
    let pattern = random && text.len() >= len && entropy(text) >= least;
    Some(Verdict::new(if pattern { Standing::Pattern } else { Standing::Named }))
}

/// `3306?user=alice`: what follows the host of a database, up to an address of mail in the query.
fn port_and_query(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = text.get(digits..).unwrap_or_default();
    (1..=5).contains(&digits) && matches!(rest.first(), Some(b'?' | b';')) && rest.contains(&b'=')
}

/// What is meant by a value in which characters are written as `%40`; `None` where none is.
fn without_percent(text: &[u8]) -> Option<Vec<u8>> {
    let (mut plain, mut rest, mut any) = (Vec::with_capacity(text.len()), text, false);
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                (rest, any) = (behind.get(2..).unwrap_or_default(), true);
            }
            _ => {
                plain.push(first);
                rest = behind;
            }
        }
    }
    any.then_some(plain)
}

/// Shortest text that is looked at behind base 64.
const ENCODED_MIN: usize = 8;

/// Whether it is text in base 64 that is no secret: a stand-in, words of a sentence, the head of a token without the rest.
fn says_nothing_encoded(text: &[u8]) -> bool {
    let Some(plain) = base64::decode_strictly(text).filter(|plain| plain.len() >= ENCODED_MIN) else { return false };
    let readable = plain.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    let words = || {
        let mut all = plain.split(|b| !b.is_ascii_alphanumeric());
        let is_word = |word: &&[u8]| word.len() >= 2 && word.iter().all(u8::is_ascii_lowercase);
        all.clone().filter(is_word).count() >= 4 && !all.any(random_order)
    };
    readable && (plain.starts_with(b"{\"alg\"") || placeholder(&plain) || words())
}

/// The password in `scheme://user:password@host`.
fn login(text: &[u8]) -> Option<&[u8]> {
    let at = text.windows(3).position(|window| window == b"://")?;
    let authority = text.get(at + 3..)?.split(|b| b"/?#".contains(b)).next()?;
    let login = authority.get(..authority.iter().rposition(|&b| b == b'@')?)?;
    login.get(login.iter().position(|&b| b == b':')? + 1..).filter(|password| !password.is_empty())
}

/// `Summer2024`, `hunter123`: a word and a number as people make passwords, and as they do not call things.
fn word_and_number(text: &[u8]) -> bool {
    let letters = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, digits) = text.split_at_checked(letters).unwrap_or((text, b""));
    let capital = word.first().is_some_and(u8::is_ascii_uppercase) && word.iter().skip(1).all(u8::is_ascii_lowercase);
    let least = if capital && letters >= 5 { 2 } else { 3 };
    letters >= 4 && (least..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// `hunter2!`: a word, a number, and a sign at the end that names do not have.
fn signed_word(text: &[u8]) -> bool {
    let end = text.iter().rev().take_while(|b| b"!@#$%^&*?".contains(b)).count();
    let word = text.get(..text.len() - end).unwrap_or_default();
    let letters = word.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let digits = word.get(letters..).unwrap_or_default();
    (1..=3).contains(&end) && letters >= 4 && (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// `get_password("x")`: the whole is a call.
fn call(text: &[u8]) -> bool {
    let name = text.iter().take_while(|&&b| b.is_ascii_alphanumeric() || b"_.:$".contains(&b)).count();
    let rest = text.get(name..).unwrap_or_default();
    let word =
        text.get(..name).is_some_and(|name| name.first().is_some_and(u8::is_ascii_alphabetic) && !random_order(name));
    word && rest.starts_with(b"(") && (rest.ends_with(b")") || rest.ends_with(b");"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::Rng;

    fn standing(text: &str) -> Option<Standing> {
        look(text.as_bytes()).map(|verdict| verdict.standing)
    }

    #[test]
    fn entropy_and_classes_are_counted() {
        assert!(entropy(b"aaaa").abs() < 1e-9 && (entropy(b"abcd") - 2.0).abs() < 1e-9);
        assert!(entropy(b"") == 0.0);
        assert_eq!(["", "a", "aB", "aB3", "aB3!"].map(|text| classes(text.as_bytes())), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn random_values_of_all_alphabets_fit_a_pattern() {
        let mut rng = Rng::new(1);
        for (alphabet, len, most) in [
            (Rng::BASE62, 20, 20),
            (Rng::BASE62, 32, 2),
            (Rng::BASE64, 40, 2),
            (Rng::HEX, 32, 10),
            (Rng::HEX, 40, 2),
            (Rng::HEX, 64, 2),
            (Rng::PASSWORD, 16, 60),
            (Rng::PASSWORD, 24, 30),
        ] {
            let missed = (0..2000).filter(|_| standing(&rng.text(alphabet, len)) != Some(Standing::Pattern)).count();
            assert!(missed <= most, "{missed} of {alphabet} {len}");
        }
        for (alphabet, len, most) in [(Rng::BASE62, 12, 60), (Rng::PASSWORD, 10, 200), (Rng::LOWER, 24, 20)] {
            let missed = (0..2000).filter(|_| standing(&rng.text(alphabet, len)).is_none()).count();
            assert!(missed <= most, "{missed} of {alphabet} {len}");
        }
    }

    #[test]
    fn passwords_of_people_are_named() {
        for text in
            ["Sup3rS3cret!", "Summer2024", "Tr0ub4dor&3", "hunter2024!", "Kx91mmpw", "MyD0gIsB1g", "blue42Horse"]
        {
            assert_eq!(standing(text), Some(Standing::Named), "{text}");
        }
        let verdict = look(b"postgres://app:Zx8-kq7-Lw2@db:5432/app").expect("a login");
        assert_eq!((verdict.standing, verdict.harmless), (Standing::Named, None));
        assert_eq!(look(b"admin123").expect("a default").harmless, Some(Harmless::LocalDefault));
    }

    #[test]
    fn ordinary_values_are_silent() {
        for text in [
            "/etc/ssl/private/key.pem",
            "./secrets/token",
            "~/.ssh/id_rsa",
            "C:\\Users\\me\\token.txt",
            "https://example.com/token",
            "me@example.com",
            "1.2.3-beta4",
            "v1.22.0",
            "2024-01-31T12:00:00Z",
            "12345678901",
            "10.0.0.1:8080",
            "30s",
            "512MB",
            "6b3f1b1e-7c2a-4f0e-9d35-2f1f7f0c9a11",
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "application/json",
            "text/html;charset=utf-8",
            "Europe/Berlin",
            "AUTH_TOKEN_NAME",
            "authToken",
            "auth.token.name",
            "my-secret-name",
            "kubernetes.io/tls",
            "SecretKeyRef",
            "getPassword()",
            "config.get('token')",
            "user_password_hash",
            "oauth2",
            "sha256",
            "utf8mb4_general_ci",
            "x86_64-linux-gnu",
            "base64url",
            "rsa-sha2-512",
            "aes-256-gcm",
            "HS256",
            "ed25519",
            "#ff00aa",
            "[a-z0-9]+",
            "^\\w+$",
            "%s:%s",
            "{0}_{1}",
            "password",
            "Password",
            "secret",
            "token:",
            "true",
            "@/components/Login",
            "org.springframework.security",
            "X-Auth-Token",
            "application/vnd.api+json",
            "localhost:5432",
            "a=1&b=two&c=3",
            "hello%20world",
            "data:image/png;base64,iVBORw0KGgo",
            "docker.io/library/alpine:3.20",
            "node_modules/.bin",
            "AA:BB:CC:DD:EE:FF",
            "pk_test_something",
            "id_ed25519",
            "PKCS8",
            "RS256,ES256",
            "*.example.org",
            "src/**/*.rs",
            "i18n",
            "Passwort eingeben",
            "Gib dein Passwort ein",
            "\u{5bc6}\u{7801}",
            "0 5 * * *",
            "ThisTokenIsUsedForTests",
            "arn:aws:iam::123456789012:role/x",
            "projects/p/secrets/s",
            "request.headers.authorization",
            "e.target.value",
            "r.x",
            "DataProtectionScope.CurrentUser",
            "com.example.app.SecretActivity",
            "grant_type=password",
            "required|min:8",
        ] {
            assert_eq!(standing(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_encoded_is_judged_by_what_it_means() {
        let encoded = |text: &str| standing(&base64::encode(text.as_bytes()));
        for text in [
            "my-secret-key-which-should-be-changed-in-production-and-be-base64-encoded",
            "example-app-secret",
            r#"{"alg":"RS256","typ":"JWT"}"#,
        ] {
            assert_eq!(encoded(text), None, "{text}");
        }
        for text in ["Zx8-kq7-Lw2-pQ9", "shop:Zx8kq7Lw2pQ9", "Kq9Zx2LmPw4Tr7Bn", "a b c Zx8kq7Lw2pQ9"] {
            assert!(encoded(text).is_some(), "{text}");
        }
        let at = |text: &str| password(text.as_bytes()).map(|verdict| verdict.harmless);
        assert_eq!(at("Zx8%40kq7Lw2"), Some(None));
        assert_eq!(at("changeme%21"), None);
        assert_eq!(at("100%"), Some(None));
        assert_eq!([at("3306?user=alice"), at("1433;user=sa"), at("3306")], [None, None, Some(None)]);
    }

    #[test]
    fn a_place_for_passwords_holds_one_unless_it_refers_to_it() {
        let at = |text: &str| password(text.as_bytes());
        for text in [
            "hunter2",
            "kV9example!x8Qz2",
            "correct horse battery",
            "sunshine",
            "1q2w3e4r5t",
            "$uper$ecret9",
            "p%40ss",
            "x9",
        ] {
            let verdict = at(text).unwrap_or_else(|| unreachable!("{text}"));
            assert_eq!((verdict.standing, verdict.harmless), (Standing::Pattern, None), "{text}");
        }
        for text in ["password", "postgres", "root", "admin", "guest", "secret", "changeit"] {
            let verdict = at(text).unwrap_or_else(|| unreachable!("{text}"));
            assert_eq!((verdict.standing, verdict.harmless), (Standing::Named, Some(Harmless::LocalDefault)), "{text}");
        }
        for text in
            ["$6$saltsalt$hashhashhashhash", "$2b$10$abcdefghijklmnopqrstuv", "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr"]
        {
            assert_eq!(at(text).expect("a hash").remark, "password hash", "{text}");
        }
        for text in [
            "${DB_PASSWORD}",
            "$PASSWORD",
            "changeme",
            "****",
            "null",
            "getenv('X')",
            "get_secret(\"db\")",
            "",
            "a\u{0}b",
            "<none>",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        assert_eq!(
            at("{COQLCE6DU6GtcS5P72Aq8Kk3Lm9Zx=}").and_then(|verdict| verdict.harmless),
            Some(Harmless::Protected)
        );
        // Those of Ruby's documentation, and one that is like them.
        for (text, harmless) in
            [("S3nsit1ve", Some(Harmless::Public)), ("V3ry_S3nsit1ve", Some(Harmless::Public)), ("S3nsit1vf", None)]
        {
            assert_eq!(at(text).map(|verdict| verdict.harmless), Some(harmless), "{text}");
        }
    }

    #[test]
    fn mixed_and_random_want_more_than_a_prefix() {
        let mut rng = Rng::new(2);
        let token = format!("{}_{}", "gsk", rng.text(Rng::BASE62, 52));
        assert!(mixed(token.as_bytes()).is_some());
        for body in ["x".repeat(52), "0".repeat(52), "1234567890".repeat(5), "your1api2key3here".to_string()] {
            assert!(mixed(format!("{}_{body}", "gsk").as_bytes()).is_none(), "{body}");
        }
        assert!(mixed(b"lettersonly").is_none() && mixed(b"1234509876").is_none());
        assert!(random(format!("{}_{}", "hf", rng.text(Rng::LETTERS, 34)).as_bytes()).is_some());
        assert!(random(b"hf_DatasetDownloadConfigurationManager").is_none());
    }
}
