//! Looks into base64: a login, a text, an object, a key of a known length.

use super::{Verdict, base64, generic, known, placeholder};
use crate::model::{Harmless, Standing};

/// `user:password`, as registries take it; the password is judged as one.
pub(super) fn docker_auth(text: &[u8]) -> Option<Verdict> {
    let login = base64::decode_strictly(text)?;
    let colon = login.iter().position(|&b| b == b':')?;
    let (user, password) = (login.get(..colon)?, login.get(colon + 1..)?);
    let readable = std::str::from_utf8(&login).is_ok_and(|login| !login.chars().any(char::is_control));
    // Google's registry takes the whole file of a service account, line ends and all.
    let is_file = user == b"_json_key" && password.starts_with(b"{");
    if user.is_empty() || password.is_empty() || !(readable || is_file) {
        return None;
    }
    let verdict = if is_file { Verdict::new(Standing::Structured) } else { generic::password(password)? };
    let standing = if verdict.harmless.is_some() { verdict.standing } else { Standing::Structured };
    Some(Verdict::new(standing).harmless(verdict.harmless))
}

/// Printable text that is no stand-in.
pub(super) fn text(text: &[u8]) -> Option<Verdict> {
    // The prefix of Bedrock's keys is no part of the base64.
    let decoded = base64::decode_strictly(text)
        .filter(|decoded| printable(decoded))
        .or_else(|| base64::decode_strictly(text.strip_prefix(b"ABSK")?).filter(|decoded| printable(decoded)))?;
    (!placeholder(&decoded)).then(|| Verdict::new(Standing::Structured))
}

/// A JSON object, behind any prefix.
pub(super) fn json(text: &[u8]) -> Option<Verdict> {
    let start = text.windows(3).take(16).position(|window| window == b"eyJ" || window == b"ewo")?;
    // A signature may follow behind an underscore, as with Sentry.
    let rest = text.get(start..)?;
    let whole = object(rest).or_else(|| object(rest.get(..rest.iter().rposition(|&b| b == b'_')?)?));
    whole.filter(|object| !object.is_empty()).map(|_| Verdict::new(Standing::Structured))
}

/// As many bytes as a key has, escaped for an address or not.
pub(super) fn key(text: &[u8], len: usize) -> Option<Verdict> {
    if known::is_value(text) {
        return Some(Verdict::new(Standing::Structured).harmless(Harmless::Public).remark("documentation"));
    }
    let decoded = base64::decode_strictly(&unescape(text)?)?;
    let varied = decoded.windows(2).filter(|pair| pair.first() != pair.last()).count() > len / 2;
    (decoded.len() == len && varied && !placeholder(&decoded)).then(|| Verdict::new(Standing::Structured))
}

fn printable(decoded: &[u8]) -> bool {
    !decoded.is_empty()
        && std::str::from_utf8(decoded).is_ok_and(|text| text.chars().all(|c| !c.is_control() || c.is_whitespace()))
}

fn object(text: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_slice(&base64::decode_strictly(text)?).ok()
}

/// `%2B`, `%2F` and `%3D` as the characters they stand for.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        let byte = match first {
            b'%' => {
                let (digits, behind) = behind.split_first_chunk::<2>()?;
                rest = behind;
                match digits.to_ascii_uppercase().as_slice() {
                    b"2B" => b'+',
                    b"2F" => b'/',
                    b"3D" => b'=',
                    _ => return None,
                }
            }
            _ => first,
        };
        out.push(byte);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    #[test]
    fn a_login_has_a_user_and_a_password_of_its_own() {
        let auth = |login: &str| docker_auth(testing::base64(login.as_bytes()).as_bytes());
        let verdict = auth("bob:c0rrect horse:battery").expect("a login");
        assert_eq!((verdict.standing, verdict.harmless), (Standing::Structured, None));
        assert_eq!(auth("admin:admin").and_then(|verdict| verdict.harmless), Some(Harmless::LocalDefault));
        assert!(auth("_json_key:{\n  \"type\": \"x\"\n}").is_some());
        for login in ["bob:", ":secret99x", "bob", "user:your_password_here", "bob:${PASSWORD}", "bob:\u{1}\u{2}"] {
            assert!(auth(login).is_none(), "{login}");
        }
        assert!(docker_auth(b"not base64!").is_none());
    }

    #[test]
    fn text_and_objects_are_decoded() {
        assert!(text(testing::base64(b"hunter 2 is my dog").as_bytes()).is_some());
        assert!(text(testing::base64(b"changeme").as_bytes()).is_none());
        assert!(text(testing::base64(&[0xff; 20]).as_bytes()).is_none());
        let key = format!("ABSK{}", testing::base64(b"BedrockAPIKey-x7k2-at-918273645501:hd83hd"));
        assert!(text(key.as_bytes()).is_some());
        let object = testing::base64(br#"{"o":"123","n":"stack","k":"x"}"#);
        assert!(json(format!("glc_{object}").as_bytes()).is_some());
        assert!(json(format!("sntrys_{}_{}", object, "a7".repeat(20)).as_bytes()).is_some());
        assert!(json(testing::base64(b"[1, 2]").as_bytes()).is_none());
        assert!(json(format!("glc_eyJ{}", "hello".repeat(20)).as_bytes()).is_none());
    }

    #[test]
    fn keys_have_their_length() {
        let mut rng = Rng::new(1);
        let (short, long) = (testing::base64(&rng.bytes(32)), testing::base64(&rng.bytes(64)));
        assert!(key(short.as_bytes(), 32).is_some() && key(long.as_bytes(), 64).is_some());
        assert!(key(short.as_bytes(), 64).is_none() && key(long.as_bytes(), 32).is_none());
        let escaped = short.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
        assert!(key(escaped.as_bytes(), 32).is_some());
        assert!(key(testing::base64(&[0; 32]).as_bytes(), 32).is_none());
        assert!(key(testing::base64(b"0123456789abcdef0123456789abcdef").as_bytes(), 32).is_none());
    }
}
