//! Reads signed JSON web tokens (RFC 7519): what they are for, and until when.
//!
//! A signature can not be checked without the key, but for the keys that everybody copies from documentation.

use serde_json::{Map, Value};

use super::{Verdict, base64, known, putty::hmac};
use crate::model::{Harmless, Standing};

/// Longest prefix before the token itself: `ghs_`, `sntrys_`.
const PREFIX_MAX: usize = 16;

/// Longest name of a Kubernetes object: RFC 1123.
const NAME_MAX: usize = 253;

/// Keys of the examples on jwt.io and in the first page of every tutorial: whoever signs with them hides nothing.
const EXAMPLE_KEYS: [&[u8]; 3] = [b"your-256-bit-secret", b"secret", b"a-string-secret-at-least-256-bits-long"];

type Object = Map<String, Value>;

/// Any signed token.
pub(super) fn look(text: &[u8]) -> Option<Verdict> {
    let token = Token::read(text)?;
    let mut verdict = token.verdict()?;
    if let Some(account) = token.service_account() {
        verdict.remark = format!("{}, {account}", verdict.remark);
    } else if let Some(role) = token.supabase_role() {
        verdict.remark = format!("{}, Supabase {role}", verdict.remark);
        // The key for browsers, and those of the start-up project that everybody has.
        if role == "anon" || token.claim("iss") == Some("supabase-demo") {
            verdict.harmless = Some(Harmless::Public);
        }
    }
    Some(verdict)
}

/// A token of a Kubernetes service account.
pub(super) fn kubernetes(text: &[u8]) -> Option<Verdict> {
    let token = Token::read(text)?;
    let account = token.service_account()?;
    let verdict = token.verdict()?;
    let remark = format!("{}, {account}", verdict.remark);
    Some(verdict.remark(remark))
}

/// The parts of a token.
struct Token<'a> {
    /// Header and payload as they are signed.
    signed: &'a [u8],
    /// The last part.
    tail: &'a [u8],
    signature: Vec<u8>,
    algorithm: &'static str,
    payload: Object,
}

impl<'a> Token<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        // Other vendors' tokens carry a prefix of their own; a header always starts with `{"`.
        let start = text.windows(3).take(PREFIX_MAX).position(|window| window == b"eyJ" || window == b"ewo")?;
        if start > 0 && !text.get(start - 1).is_some_and(|b| b"_-. ".contains(b)) {
            return None;
        }
        let text = text.get(start..)?;
        let dots: Vec<usize> = (0..text.len()).filter(|&at| text.get(at) == Some(&b'.')).take(3).collect();
        let [first, second] = dots[..] else { return None };
        let (signed, tail) = (text.get(..second)?, text.get(second + 1..)?);
        let header: Object = object(signed.get(..first)?)?;
        let payload: Object = object(signed.get(first + 1..)?)?;
        let algorithm = ALGORITHMS.iter().find(|(name, _)| header.get("alg").and_then(Value::as_str) == Some(name))?.0;
        Some(Self { signed, tail, signature: base64::decode_strictly(tail)?, algorithm, payload })
    }

    fn verdict(&self) -> Option<Verdict> {
        let fits = ALGORITHMS.iter().find(|(name, _)| *name == self.algorithm)?.1;
        let verdict = if self.algorithm == "none" {
            Verdict::new(Standing::Structured).harmless(Harmless::Public).remark("not signed")
        } else if self.signature.len() < SIGNATURE_MIN {
            return None;
        } else {
            // A signature of another length is cut, or invented.
            let standing = if fits(self.signature.len()) { Standing::Structured } else { Standing::Pattern };
            let public = known::is_value(self.tail) || self.has_example_key();
            Verdict::new(standing).harmless(public.then_some(Harmless::Public)).remark(self.algorithm)
        };
        let expires = self.payload.get("exp").and_then(|exp| exp.as_i64().or_else(|| Some(exp.as_f64()? as i64)));
        Some(Verdict { expires, ..verdict })
    }

    fn has_example_key(&self) -> bool {
        self.algorithm == "HS256" && EXAMPLE_KEYS.iter().any(|key| hmac(key, self.signed)[..] == self.signature)
    }

    fn claim(&self, name: &str) -> Option<&str> {
        self.payload.get(name)?.as_str()
    }

    /// `Kubernetes NAMESPACE/NAME`, of the claims of bound tokens, of legacy ones, and of the subject that both have.
    fn service_account(&self) -> Option<String> {
        if let Some(name) = self.claim("sub").and_then(|subject| subject.strip_prefix("system:serviceaccount:")) {
            return Some(kubernetes_name(name.split_once(':')));
        }
        let legacy = |name: &str| self.claim(&format!("kubernetes.io/serviceaccount/{name}"));
        let legacy = legacy("namespace").zip(legacy("service-account.name").or(Some("")));
        let bound = || {
            let claims = self.payload.get("kubernetes.io")?.as_object()?;
            let name = claims.get("serviceaccount").and_then(|account| account.get("name")?.as_str());
            claims.get("namespace")?.as_str().zip(name.or(Some("")))
        };
        let found = legacy.or_else(bound);
        let issued = self.claim("iss").is_some_and(|issuer| issuer == "kubernetes/serviceaccount");
        (found.is_some() || issued).then(|| kubernetes_name(found))
    }

    fn supabase_role(&self) -> Option<&'static str> {
        let issuer = self.claim("iss")?;
        if issuer != "supabase" && issuer != "supabase-demo" {
            return None;
        }
        ["anon", "service_role"].into_iter().find(|role| self.claim("role") == Some(role))
    }
}

/// Shortest signature: what is shorter is a word such as `signature`.
const SIGNATURE_MIN: usize = 15;

/// Whether a signature can have this many bytes.
type Fits = fn(usize) -> bool;

/// Algorithms of RFC 7518, 8037 and 8812, and whether a signature can be this long.
const ALGORITHMS: [(&str, Fits); 15] = [
    ("HS256", |len| len == 32),
    ("HS384", |len| len == 48),
    ("HS512", |len| len == 64),
    ("RS256", |len| len >= 64),
    ("RS384", |len| len >= 64),
    ("RS512", |len| len >= 96),
    ("PS256", |len| len >= 64),
    ("PS384", |len| len >= 96),
    ("PS512", |len| len >= 128),
    ("ES256", |len| len == 64),
    ("ES384", |len| len == 96),
    ("ES512", |len| len == 132),
    ("ES256K", |len| len == 64),
    ("EdDSA", |len| len == 64 || len == 114),
    ("none", |_| true),
];

fn object(part: &[u8]) -> Option<Object> {
    serde_json::from_slice(&base64::decode_strictly(part)?).ok()
}

/// Only names that Kubernetes itself would take are shown.
fn kubernetes_name(found: Option<(&str, &str)>) -> String {
    let is_name = |name: &str| {
        (1..=NAME_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
    };
    match found {
        Some((namespace, name)) if is_name(namespace) && is_name(name) => format!("Kubernetes {namespace}/{name}"),
        _ => "Kubernetes".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    fn token(header: &str, payload: &str, signature: usize) -> String {
        testing::jwt(&mut Rng::new(1), header, payload, signature)
    }

    #[test]
    fn a_token_says_algorithm_and_end() {
        let text = token(r#"{"typ":"JWT","alg":"HS256"}"#, r#"{"sub":"1","exp":1700000000}"#, 32);
        let verdict = look(text.as_bytes()).expect("a token");
        assert_eq!(verdict.standing, Standing::Structured);
        assert_eq!((verdict.harmless, verdict.remark.as_str(), verdict.expires), (None, "HS256", Some(1_700_000_000)));
        assert_eq!(look(format!("ghs_{text}").as_bytes()), Some(verdict), "with a vendor's prefix");
        let cut = token(r#"{"alg":"HS256"}"#, r#"{"exp":1.7e9}"#, 20);
        let verdict = look(cut.as_bytes()).expect("a token");
        assert_eq!((verdict.standing, verdict.expires), (Standing::Pattern, Some(1_700_000_000)));
    }

    #[test]
    fn what_has_no_structure_is_no_token() {
        for (header, payload, signature) in [
            (r#"{"alg":"XX999"}"#, "{}", 32),
            (r#"{"typ":"JWT"}"#, "{}", 32),
            (r#"{"alg":"HS256"}"#, "[1]", 32),
            (r#"{"alg":"HS256""#, "{}", 32),
            (r#"{"alg":"HS256"}"#, "{}", 3),
            (r#"["HS256"]"#, "{}", 32),
        ] {
            assert!(look(token(header, payload, signature).as_bytes()).is_none(), "{header} {payload}");
        }
        let good = token(r#"{"alg":"HS256"}"#, "{}", 32);
        assert!(look(format!("{good}.x").as_bytes()).is_none(), "four parts");
        assert!(look(good.rsplit_once('.').expect("a dot").0.as_bytes()).is_none(), "two parts");
    }

    #[test]
    fn unsigned_tokens_and_those_of_documentation_are_public() {
        let unsigned = token(r#"{"alg":"none"}"#, r#"{"sub":"1"}"#, 0);
        assert_eq!(look(unsigned.as_bytes()).and_then(|verdict| verdict.harmless), Some(Harmless::Public));
        let unsigned = token(r#"{"alg":"HS256"}"#, r#"{"sub":"someone"}"#, 0);
        let signed = unsigned.trim_end_matches('.');
        for (key, harmless) in [("secret", Some(Harmless::Public)), ("another one", None)] {
            let text = format!("{signed}.{}", testing::base64url(&hmac(key.as_bytes(), signed.as_bytes())));
            assert_eq!(look(text.as_bytes()).expect("a token").harmless, harmless);
        }
    }

    #[test]
    fn service_accounts_are_told_apart() {
        for (payload, remark) in [
            (
                r#"{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"default","kubernetes.io/serviceaccount/service-account.name":"builder"}"#,
                "RS256, Kubernetes default/builder",
            ),
            (r#"{"kubernetes.io":{"namespace":"prod","serviceaccount":{"name":"api"}}}"#, "RS256, Kubernetes prod/api"),
            (r#"{"sub":"system:serviceaccount:a:b"}"#, "RS256, Kubernetes a/b"),
            (r#"{"sub":"system:serviceaccount:a:Not A Name"}"#, "RS256, Kubernetes"),
        ] {
            let text = token(r#"{"alg":"RS256"}"#, payload, 256);
            assert_eq!(kubernetes(text.as_bytes()).expect("a service account").remark, remark);
            assert_eq!(look(text.as_bytes()).expect("a token").remark, remark);
        }
        assert!(kubernetes(token(r#"{"alg":"RS256"}"#, r#"{"sub":"me"}"#, 256).as_bytes()).is_none());
    }

    #[test]
    fn the_browser_key_of_supabase_is_public() {
        for (role, issuer, harmless) in [
            ("anon", "supabase", Some(Harmless::Public)),
            ("service_role", "supabase", None),
            ("service_role", "supabase-demo", Some(Harmless::Public)),
        ] {
            let text = token(r#"{"alg":"HS256"}"#, &format!(r#"{{"role":"{role}","iss":"{issuer}"}}"#), 32);
            let verdict = look(text.as_bytes()).expect("a token");
            assert_eq!((verdict.harmless, verdict.remark), (harmless, format!("HS256, Supabase {role}")));
        }
    }
}
