//! Content digests, `sha256:<64 hex digits>`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A SHA-256 digest as manifests write it.
///
/// Other algorithms of the OCI registry (`sha512`) are refused when parsed: no engine writes them into
/// images today, and a digest that is not checked must not look like one that is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps the 32 bytes that a hasher returned.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 64 lower-case hexadecimal digits, without the algorithm.
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> String {
        self.hex()[..12].to_string()
    }
}

impl FromStr for Digest {
    type Err = String;

    /// Reads `sha256:<64 lower-case hex digits>` and nothing else; so a digest can never hold a path.
    ///
    /// Source: OCI image specification, descriptor.md, "Digests".
    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix("sha256:").ok_or("the digest is not of the form sha256:<64 hex digits>")?;
        Self::from_hex(hex).ok_or_else(|| "sha256: wants 64 lower-case hex digits".to_string())
    }
}

impl Digest {
    /// Reads 64 lower-case hex digits, the form of a blob's file name.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let hex = hex.as_bytes();
        if hex.len() != 64 || !hex.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let digit = |b: u8| if b <= b'9' { b - b'0' } else { b - b'a' + 10 };
        let mut bytes = [0; 32];
        for (out, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *out = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_a_digest() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(good.parse::<Digest>().expect("good").to_string(), good);
        for bad in
            ["", "sha256:", "sha256:../../etc/passwd", &good.to_uppercase(), &good[..70], &good.replace("256", "512")]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
