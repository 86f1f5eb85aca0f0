//! Makes secrets from templates, and remembers which of their characters are random.
//!
//! `{w36}` is 36 characters of a class; other names in braces stand for what has an inner structure. The text around them
//! is what the vendor documents. No template and no part of one is a token by itself.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    chance::{self, Chance},
    codec::{self, base64, base64url, crc32},
    keys,
};

/// A secret as it is written into a file.
#[derive(Clone, Debug)]
pub struct Token {
    pub text: String,
    /// For each byte of the text, whether it is random: what no output may ever hold.
    pub random: Vec<bool>,
}

impl Token {
    fn new() -> Self {
        Self { text: String::new(), random: Vec::new() }
    }

    /// A text that is random throughout, such as a key.
    pub fn whole(text: String) -> Self {
        Self { random: vec![true; text.len()], text }
    }

    /// Fills a template.
    pub fn make(template: &str, chance: &mut Chance) -> Self {
        let mut token = Self::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            token.fixed(&rest[..open]);
            rest = &rest[open + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                token.fixed("{");
                rest = after;
                continue;
            }
            let close = rest.find('}').expect("every brace of a template is closed");
            token.fill(&rest[..close], chance);
            rest = &rest[close + 1..];
        }
        token.fixed(rest);
        token
    }

    fn fixed(&mut self, text: &str) {
        self.text += text;
        self.random.resize(self.text.len(), false);
    }

    fn drawn(&mut self, text: &str) {
        self.text += text;
        self.random.resize(self.text.len(), true);
    }

    fn fill(&mut self, what: &str, chance: &mut Chance) {
        let class = what.chars().next().unwrap_or_default();
        if let Ok(len) = what[1..].parse::<usize>() {
            let text = match class {
                'd' => chance.text(chance::DIGITS, len),
                'h' => chance.text(chance::HEX, len),
                'H' => chance.text(chance::HEX_UPPER, len),
                'w' => chance.text(chance::BASE62, len),
                'u' => chance.text(chance::BASE64URL, len),
                'b' => chance.text(chance::BASE64, len),
                'l' => chance.text(chance::LOWER, len),
                'L' => chance.text(chance::LETTERS, len),
                'a' => chance.text(chance::LOWER_DIGITS, len),
                'A' => chance.text(chance::UPPER_DIGITS, len),
                't' => chance.text(chance::BASE32, len),
                's' => chance.text(chance::BASE32, len).to_lowercase(),
                'p' => chance.text(chance::PASSWORD, len),
                // of bytes, with padding, and in the form of URLs without
                'B' => base64(&chance.bytes(len)),
                'V' => base64url(&chance.bytes(len)),
                _ => unreachable!("class {class}"),
            };
            self.drawn(&text);
            return;
        }
        let tail = self.random.iter().rev().take_while(|&&random| random).count();
        let run = self.text[self.text.len() - tail..].to_string();
        match what {
            "crc62" => self.drawn(&codec::crc32_base62(&run)),
            "crc36" => self.drawn(&codec::crc32_base36(&self.text.clone())),
            "crchex" => self.drawn(&format!("{:08X}", crc32(self.text.as_bytes()))),
            "uuid" => self.drawn(&chance.uuid()),
            "human" => self.drawn(&human(chance)),
            "hard" => self.drawn(&format!("{}$%&#{}", chance.text(chance::BASE62, 8), chance.text(chance::BASE62, 6))),
            "jwt" => self.jwt(r#"{"alg":"HS256","typ":"JWT"}"#, &claims(chance, 86_400 * 3_650), chance),
            "jwt-rs" => self.jwt(r#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#, &claims(chance, 86_400 * 900), chance),
            "jwt-forever" => self.jwt(
                r#"{"alg":"HS256","typ":"JWT"}"#,
                r#"{"role":"service","iss":"shop","iat":1700000000}"#,
                chance,
            ),
            "jwt-expired" => self.jwt(r#"{"alg":"HS256","typ":"JWT"}"#, &claims(chance, -86_400 * 400), chance),
            "jwt-kubernetes" => {
                let account = chance.word();
                let claims = format!(
                    r#"{{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"prod","kubernetes.io/serviceaccount/secret.name":"{account}-token","sub":"system:serviceaccount:prod:{account}"}}"#
                );
                self.jwt(r#"{"alg":"RS256","kid":""}"#, &claims, chance);
            }
            "age" => {
                let text = codec::bech32("age-secret-key-", &chance.bytes(32)).to_uppercase();
                let (prefix, rest) = text.split_at(16);
                self.fixed(prefix);
                self.drawn(rest);
            }
            "macaroon" => self.macaroon(&["pypi", "org"].join("."), chance),
            "macaroon-test" => self.macaroon(&["test", "pypi", "org"].join("."), chance),
            "discord" => {
                let id = format!("1{}", chance.text(chance::DIGITS, 17));
                self.drawn(base64(id.as_bytes()).trim_end_matches('='));
            }
            "reftkn" => {
                let inner = format!("reftkn:01:1800000000:{}", chance.text(chance::BASE62, 28));
                self.encoded(&inner, 21);
            }
            "bedrock" => {
                let inner = format!(
                    "BedrockAPIKey-ab12-at-{}:{}",
                    chance.text(chance::DIGITS, 12),
                    chance.text(chance::BASE62, 44)
                );
                self.encoded(&inner, 33);
            }
            "grafana" => {
                let (number, key) = (chance.below(900_000) + 100_000, chance.text(chance::BASE62, 24));
                self.encoded(
                    &format!(r#"{{"o":"{number}","n":"stack-{number}-writer","k":"{key}","m":{{"r":"eu"}}}}"#),
                    45,
                );
            }
            "sentry" => {
                let json = r#"{"iat":1700000000.5,"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"shop"}"#;
                self.fixed(&base64(json.as_bytes()));
            }
            "onepassword" => {
                let (a, b) = (chance.text(chance::BASE62, 40), chance.text(chance::BASE64URL, 120));
                let json = format!(
                    r#"{{"signInAddress":"my.1password.com","userAuth":{{"method":"SRPg-4096","alg":"PBES2g-HS256","iterations":650000}},"email":"x@1passwordserviceaccounts.com","srpX":"{a}","muk":"{b}"}}"#
                );
                self.encoded(&json, 180);
            }
            "sas" => {
                let raw = base64(&chance.bytes(32));
                self.drawn(&raw.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
            }
            "awsid" => {
                // No sample may end as the documented ones do.
                self.drawn(&chance.text(chance::BASE32, 16));
            }
            "pem-rsa" => self.drawn(&keys::pem("RSA PRIVATE KEY", &keys::Rsa::any(chance).pkcs1())),
            other => unreachable!("no such part of a template: {other}"),
        }
    }

    fn jwt(&mut self, header: &str, claims: &str, chance: &mut Chance) {
        self.fixed(&format!("{}.{}.", base64url(header.as_bytes()), base64url(claims.as_bytes())));
        self.drawn(&base64url(&chance.bytes(32)));
    }

    /// Version 2 of the format that PyPI uses: location, identifier, a caveat, and the signature.
    fn macaroon(&mut self, location: &str, chance: &mut Chance) {
        let field = |tag: u8, body: &[u8]| [&[tag, body.len() as u8][..], body].concat();
        let identifier = chance.uuid();
        let caveat = format!("[3, \"{}\"]", chance.uuid());
        let mut bytes = vec![2];
        bytes.extend(field(1, location.as_bytes()));
        let known = bytes.len();
        bytes.extend(field(2, identifier.as_bytes()));
        bytes.push(0);
        bytes.extend(field(2, caveat.as_bytes()));
        bytes.extend([0, 0]);
        bytes.extend(field(6, &chance.bytes(32)));
        let text = base64url(&bytes);
        let (prefix, rest) = text.split_at(known * 4 / 3 + 8);
        self.fixed(prefix);
        self.drawn(rest);
    }

    /// Base64 of a text whose first bytes are no secret.
    fn encoded(&mut self, inner: &str, known: usize) {
        let text = base64(inner.as_bytes());
        let (prefix, rest) = text.split_at(known.div_ceil(3) * 4);
        self.fixed(prefix);
        self.drawn(rest);
    }
}

fn claims(chance: &mut Chance, lasts: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    format!(
        r#"{{"sub":"{}","iss":"https://login.shop.internal","iat":1600000000,"exp":{}}}"#,
        chance.uuid(),
        now + lasts
    )
}

/// A password as people make them up: two words, a sign, digits.
fn human(chance: &mut Chance) -> String {
    const FIRST: &[&str] =
        &["Blue", "Quick", "Silent", "Purple", "Frozen", "Golden", "Rusty", "Velvet", "Copper", "Windy"];
    const LAST: &[&str] =
        &["Kite", "Heron", "Maple", "Anvil", "Falcon", "Meadow", "Lantern", "Harbor", "Cobalt", "Badger"];
    let (a, b) = (chance.pick(FIRST), chance.pick(LAST));
    format!("{a}{}{}{b}{}", chance.below(9) + 1, chance.pick(&['!', '-', '_', '.']), chance.text(chance::DIGITS, 2))
}
