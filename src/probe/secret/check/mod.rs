//! Says of one value whether it is a secret of a kind, and how sure that is.
//!
//! Pure functions on bytes: nothing is read, no clock is asked, and no value leaves in a type that can be shown. What
//! surrounds a value (its name, its file, its owner) is not known here. All of them take time and memory in proportion
//! to the value, and nothing longer than [`VALUE_MAX`] is looked at.

mod bignum;
mod cloud;
mod der;
mod encoded;
mod generic;
mod jwt;
mod key;
mod known;
mod macaroon;
mod oid;
mod ordinary;
mod pairs;
mod pem;
mod pgp;
mod placeholder;
mod putty;
mod ssh;
mod store;
mod token;
mod value;
mod words;

use serde::Deserialize;

use crate::model::{Digest, Harmless, Standing, base64};

pub use self::{
    generic::{classes, entropy},
    key::der_key,
    known::is_value as is_published,
    pairs::looks_random,
    pgp::pgp_packets,
    placeholder::placeholder,
    store::{jks, pkcs12},
    value::Value,
};

/// Longest value that is looked at, in bytes.
///
/// An RSA key of 16,384 bits, the most that OpenSSL takes, has 13 KiB as PEM; one in four times escaped text fits.
pub const VALUE_MAX: usize = 64 * 1024;

/// A validator, by the word that policies use.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// CRC-32 in the last six characters, in base 62: GitHub, npm.
    Crc32Base62,
    /// CRC-32 in the last seven characters, in base 36: GitLab's routable tokens.
    Crc32Base36Routable,
    /// CRC-32 in the last eight characters, in upper-case hexadecimal: Atlassian.
    Crc32HexTail,
    /// The id of an AWS access key, which says the account.
    Base32,
    /// The secret of an AWS access key.
    AwsSecret,
    /// An identity of age, in Bech32.
    Bech32Age,
    /// A macaroon, as package indexes give them out.
    Macaroon,
    /// A signed JSON web token.
    Jwt,
    /// A JSON web token of a Kubernetes service account.
    JwtKubernetes,
    /// A private key in PEM, or its DER in base64.
    PrivateKey,
    /// A private key of OpenPGP in ASCII armour.
    PgpPrivateKey,
    /// A private key in PuTTY's format.
    PuttyKey,
    /// `user:password` in base64.
    DockerAuth,
    /// Printable text in base64.
    Base64Text,
    /// A JSON object in base64.
    Base64Json,
    /// Thirty-two bytes in base64.
    #[serde(rename = "base64-32-bytes")]
    Base64Of32,
    /// Sixty-four bytes in base64.
    #[serde(rename = "base64-64-bytes")]
    Base64Of64,
    /// A bot token of Discord, which starts with the bot's number.
    DiscordId,
    /// A token of Slack, which holds the number of the team.
    Slack,
    /// Letters and digits, and no stand-in.
    Mixed,
    /// Characters in an order that no language has.
    Random,
    /// What stands where surely a password stands.
    Password,
    /// What stands behind a name that sounds like a secret.
    GenericValue,
}

/// What a validator makes of a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// How sure it is.
    pub standing: Standing,
    /// Why it is no alarm.
    pub harmless: Option<Harmless>,
    /// What else is known, in a few words that are safe to print.
    pub remark: String,
    /// Until when it is valid, in seconds since 1970.
    pub expires: Option<i64>,
    /// SHA-256 of the public half (SubjectPublicKeyInfo) of a private key.
    pub public_key: Option<Digest>,
}

impl Verdict {
    /// A verdict that says nothing else.
    pub fn new(standing: Standing) -> Self {
        Self { standing, harmless: None, remark: String::new(), expires: None, public_key: None }
    }

    fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    fn harmless(mut self, why: impl Into<Option<Harmless>>) -> Self {
        self.harmless = why.into();
        self
    }
}

impl Check {
    /// Whether it can be sure of a value whatever stands around it, since a checksum is part of it.
    pub fn proves(self) -> bool {
        matches!(
            self,
            Self::Crc32Base62 | Self::Crc32Base36Routable | Self::Crc32HexTail | Self::Bech32Age | Self::Macaroon
        )
    }

    /// What it demands of a value, as the end of a sentence.
    pub fn demands(self) -> &'static str {
        match self {
            Self::Crc32Base62 => "its last six characters are the CRC-32 of the others, in base 62",
            Self::Crc32Base36Routable => "its last seven characters are the CRC-32 of the others, in base 36",
            Self::Crc32HexTail => "its last eight characters are the CRC-32 of the others, in hexadecimal digits",
            Self::Base32 => "it is base 32, as the ids of AWS are, and no example of the documentation",
            Self::AwsSecret => "it is 30 random bytes in base 64, and no example of the documentation",
            Self::Bech32Age => "its Bech32 checksum holds",
            Self::Macaroon => "it can be read as a macaroon",
            Self::Jwt => "its header and its claims can be read, and it is signed",
            Self::JwtKubernetes => "its claims are those of a Kubernetes service account",
            Self::PrivateKey => "it can be read as a private key whose numbers belong together",
            Self::PgpPrivateKey => "it can be read as a private key of OpenPGP",
            Self::PuttyKey => "it can be read as a private key of PuTTY",
            Self::DockerAuth => "it is a user and a password in base 64",
            Self::Base64Text => "it is text in base 64",
            Self::Base64Json => "it is a JSON object in base 64",
            Self::Base64Of32 => "it is 32 bytes in base 64",
            Self::Base64Of64 => "it is 64 bytes in base 64",
            Self::DiscordId => "its first part is the number of a bot",
            Self::Slack => "it holds the number of a team",
            Self::Mixed => "it has letters and digits and is no stand-in",
            Self::Random => "its characters are in an order that no language has",
            Self::Password => "it is no stand-in, no variable and no reference",
            Self::GenericValue => "it looks like a password or a key, and like nothing else",
        }
    }

    /// What the value is; `None` when it is no secret of this kind.
    pub fn look(self, value: Value<'_>) -> Option<Verdict> {
        let bytes = value.bytes();
        if bytes.is_empty() || bytes.len() > VALUE_MAX {
            return None;
        }
        match self {
            Self::Crc32Base62 => token::crc32_base62(bytes),
            Self::Crc32Base36Routable => token::crc32_base36(bytes),
            Self::Crc32HexTail => token::crc32_hex(bytes),
            Self::Base32 => cloud::aws_id(bytes),
            Self::AwsSecret => cloud::aws_secret(bytes),
            Self::Bech32Age => token::bech32_age(bytes),
            Self::Macaroon => macaroon::look(bytes),
            Self::Jwt => jwt::look(bytes),
            Self::JwtKubernetes => jwt::kubernetes(bytes),
            Self::PrivateKey => pem::private_key(bytes),
            Self::PgpPrivateKey => pem::pgp_private_key(bytes),
            Self::PuttyKey => putty::look(bytes),
            Self::DockerAuth => encoded::docker_auth(bytes),
            Self::Base64Text => encoded::text(bytes),
            Self::Base64Json => encoded::json(bytes),
            Self::Base64Of32 => encoded::key(bytes, 32),
            Self::Base64Of64 => encoded::key(bytes, 64),
            Self::DiscordId => token::discord(bytes),
            Self::Slack => token::slack(bytes),
            Self::Mixed => generic::mixed(bytes),
            Self::Random => generic::random(bytes),
            Self::Password => generic::password(bytes),
            Self::GenericValue => generic::look(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    const ALL: [Check; 23] = [
        Check::Crc32Base62,
        Check::Crc32Base36Routable,
        Check::Crc32HexTail,
        Check::Base32,
        Check::AwsSecret,
        Check::Bech32Age,
        Check::Macaroon,
        Check::Jwt,
        Check::JwtKubernetes,
        Check::PrivateKey,
        Check::PgpPrivateKey,
        Check::PuttyKey,
        Check::DockerAuth,
        Check::Base64Text,
        Check::Base64Json,
        Check::Base64Of32,
        Check::Base64Of64,
        Check::DiscordId,
        Check::Slack,
        Check::Mixed,
        Check::Random,
        Check::Password,
        Check::GenericValue,
    ];

    #[derive(Deserialize)]
    struct Table {
        check: Vec<Check>,
    }

    #[test]
    fn policies_name_validators_by_these_words() {
        let words = "crc32-base62 crc32-base36-routable crc32-hex-tail base32 aws-secret bech32-age macaroon jwt \
                     jwt-kubernetes private-key pgp-private-key putty-key docker-auth base64-text base64-json \
                     base64-32-bytes base64-64-bytes discord-id slack mixed random password generic-value";
        let words: Vec<String> = words.split_whitespace().map(|word| format!("{word:?}")).collect();
        let table: Table = toml::from_str(&format!("check = [{}]", words.join(", "))).expect("all words");
        assert_eq!(table.check, ALL);
    }

    /// One good value of everything that has a structure.
    fn samples() -> Vec<Vec<u8>> {
        let mut rng = Rng::new(1);
        let rng = &mut rng;
        let rsa = testing::Rsa::new(rng, 512);
        let claims = r#"{"iss":"kubernetes/serviceaccount","exp":4102444800}"#;
        let texts = [
            testing::crc32_base62(rng, "ghp_"),
            testing::crc32_base36_routable(rng),
            testing::crc32_hex_tail(rng),
            testing::aws_id(rng, 123_456_789_012),
            testing::age(rng),
            format!("pypi-{}", testing::macaroon(rng, "index.example")),
            testing::macaroon_1(rng),
            testing::jwt(rng, r#"{"alg":"RS256"}"#, claims, 256),
            testing::pem("RSA PRIVATE", &rsa.pkcs1()),
            testing::pem("OPENSSH PRIVATE", &testing::openssh_ed25519(rng, false)),
            testing::pem_proc_type(rng),
            testing::pgp_armour(&testing::pgp(rng, testing::Pgp::Open)),
            testing::putty(rng, "none"),
            testing::base64(b"user:some pass word 7"),
            testing::base64(&rng.bytes(32)),
            "${A}$(b){{c}}%D%@E@<f>****xxxx....changeme example \\u0041 &#65; %41".to_string(),
        ];
        let keys = [rsa.pkcs8(), testing::sec1(rng), testing::dsa(rng), testing::encrypted_pkcs8(rng)];
        let stores = [testing::jks(rng, &[1, 2]), testing::pkcs12(rng, true), testing::pgp(rng, testing::Pgp::Locked)];
        texts.map(String::into_bytes).into_iter().chain(keys).chain(stores).collect()
    }

    fn all_at(body: &[u8]) {
        for check in ALL {
            check.look(Value::new(body));
        }
        let found = [der_key(body), jks(body), pkcs12(body), pgp_packets(body)].concat();
        assert!(found.len() <= 3, "one from each");
        let _ = (placeholder(body), looks_random(body), entropy(body));
    }

    #[test]
    fn cut_values_do_no_harm() {
        for sample in samples() {
            let steps = sample.len() / 100 + 1;
            for end in (0..sample.len()).step_by(steps) {
                all_at(&sample[..end]);
                all_at(&sample[end..]);
            }
        }
    }

    #[test]
    fn flipped_values_do_no_harm() {
        let mut rng = Rng::new(2);
        for sample in samples() {
            for _ in 0..60 {
                let mut body = sample.clone();
                for _ in 0..1 + rng.below(3) {
                    let at = rng.below(body.len());
                    body[at] = rng.below(256) as u8;
                }
                all_at(&body);
            }
        }
    }

    #[test]
    fn noise_does_no_harm_and_is_no_key() {
        let mut rng = Rng::new(3);
        for len in 0..600 {
            let noise = rng.bytes(len % 200);
            all_at(&noise);
            assert!(Check::PrivateKey.look(Value::new(&noise)).is_none());
            assert!(jks(&noise).is_empty() && pkcs12(&noise).is_empty() && der_key(&noise).is_empty());
        }
    }

    #[test]
    fn huge_values_are_not_looked_at_and_large_ones_take_no_time() {
        let started = std::time::Instant::now();
        for body in [
            vec![b'A'; VALUE_MAX],
            b"-----BEGIN ".repeat(VALUE_MAX / 11),
            b"\\".repeat(VALUE_MAX),
            b"ey.J".repeat(9999),
        ] {
            all_at(&body);
        }
        for check in ALL {
            assert!(check.look(Value::new(&vec![b'A'; VALUE_MAX + 1])).is_none());
            assert!(check.look(Value::new(b"")).is_none());
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }

    #[test]
    fn no_remark_holds_a_part_of_a_value() {
        // What formats make public (account, namespace, location) is not in these samples.
        for sample in samples() {
            for verdict in ALL.iter().filter_map(|check| check.look(Value::new(&sample))) {
                for word in verdict.remark.split([' ', ',']).filter(|word| word.len() > 6) {
                    let word = word.as_bytes();
                    let public = [
                        "OpenPGP",
                        "123456789012",
                        "encrypted",
                        "documentation",
                        "default",
                        "Kubernetes",
                        "well-known",
                    ];
                    assert!(
                        public.iter().any(|known| known.as_bytes() == word)
                            || !placeholder::contains(&sample, word)
                            || word == b"index.example",
                        "{}",
                        verdict.remark
                    );
                }
            }
        }
    }
}
