//! Reads private keys of PuTTY (`.ppk`), versions 1 to 3.
//!
//! Format: PuTTY user manual, appendix C, "PPK file format".

use sha2::{Digest as _, Sha256};

use super::{Verdict, base64, key, oid, ssh::Wire};
use crate::model::{Harmless, Standing};

const MAGIC: &str = "PuTTY-User-Key-File-";

/// The key that the lines hold.
pub(super) fn look(text: &[u8]) -> Option<Verdict> {
    let text = String::from_utf8_lossy(text);
    let start = text.find(MAGIC)?;
    let file = File::read(text.get(start..)?)?;
    let mut public = Wire(&file.public);
    if public.string()? != file.algorithm.as_bytes() || file.private.len() < 16 {
        return None;
    }
    if file.encryption != "none" {
        let fits = file.private.len().is_multiple_of(16);
        let remark = format!("PuTTY, {}, encrypted", name(file.algorithm));
        return fits.then(|| Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark(remark));
    }
    let found = file.verdict(public)?;
    let standing = if file.mac_holds() { Standing::Validated } else { found.standing };
    let remark = format!("PuTTY, {}", found.remark);
    Some(Verdict { standing, ..found.remark(remark) })
}

/// The parts of a file.
struct File<'a> {
    version: &'a str,
    algorithm: &'a str,
    encryption: &'a str,
    comment: &'a str,
    public: Vec<u8>,
    private: Vec<u8>,
    mac: &'a str,
}

impl<'a> File<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim);
        let (version, algorithm) = lines.next()?.strip_prefix(MAGIC)?.split_once(": ")?;
        let mut file =
            Self { version, algorithm, encryption: "", comment: "", public: Vec::new(), private: Vec::new(), mac: "" };
        while let Some(line) = lines.next() {
            // Nothing behind the last field belongs to the key.
            let Some((field, value)) = line.split_once(':') else { break };
            let value = value.trim();
            match field {
                "Encryption" => file.encryption = value,
                "Comment" => file.comment = value,
                "Public-Lines" => file.public = blob(&mut lines, value)?,
                "Private-Lines" => file.private = blob(&mut lines, value)?,
                "Private-MAC" | "Private-Hash" => {
                    file.mac = value;
                    break;
                }
                // Argon2 and its numbers.
                _ => {}
            }
        }
        matches!(version, "1" | "2" | "3").then_some(file)
    }

    /// What the two halves are, when they fit together.
    fn verdict(&self, mut public: Wire<'_>) -> Option<Verdict> {
        let mut private = Wire(&self.private);
        match self.algorithm {
            "ssh-rsa" => {
                let [e, n] = [public.mpint()?, public.mpint()?];
                let [_d, p, q] = [private.mpint()?, private.mpint()?, private.mpint()?];
                key::Rsa { n, e, p, q }.verdict()
            }
            "ssh-ed25519" => {
                let (half, secret) = (public.string()?, private.string()?);
                (half.len() == 32 && secret.len() <= 33).then(|| key::ed25519(Standing::Structured, Some(half)))
            }
            _ if self.algorithm.starts_with("ecdsa-sha2-") => {
                let (curve, point, scalar) = (public.string()?, public.string()?, private.mpint()?);
                key::on_curve(oid::ssh_curve(curve)?, scalar, Some(point))
            }
            _ => {
                private.string()?;
                Some(Verdict::new(Standing::Structured).remark(name(self.algorithm)))
            }
        }
    }

    /// Whether the checksum holds. Only version 3 is tried: version 2 takes SHA-1, and fits to the halves anyway.
    fn mac_holds(&self) -> bool {
        if self.version != "3" {
            return false;
        }
        let mut text = Vec::new();
        let parts: [&[u8]; 5] = [
            self.algorithm.as_bytes(),
            self.encryption.as_bytes(),
            self.comment.as_bytes(),
            &self.public,
            &self.private,
        ];
        for part in parts {
            text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            text.extend_from_slice(part);
        }
        let mac = hmac(&[], &text);
        mac.iter().map(|b| format!("{b:02x}")).collect::<String>().eq_ignore_ascii_case(self.mac)
    }
}

/// As many lines of base64 as the field says.
fn blob<'a>(lines: &mut impl Iterator<Item = &'a str>, count: &str) -> Option<Vec<u8>> {
    let count: usize = count.parse().ok()?;
    let mut text = Vec::new();
    for _ in 0..count {
        text.extend_from_slice(lines.next()?.as_bytes());
    }
    base64::decode_strictly(&text)
}

fn name(algorithm: &str) -> &'static str {
    match algorithm {
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        "ssh-ed25519" => "Ed25519",
        "ssh-ed448" => "Ed448",
        "ecdsa-sha2-nistp256" => "EC P-256",
        "ecdsa-sha2-nistp384" => "EC P-384",
        "ecdsa-sha2-nistp521" => "EC P-521",
        _ => "key",
    }
}

/// HMAC with SHA-256 (RFC 2104), for keys of up to a block.
pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let pad = |with: u8| -> Vec<u8> {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(slot, b)| *slot ^= b);
        block.to_vec()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    #[test]
    fn keys_are_read_whole() {
        let mut rng = Rng::new(1);
        let text = testing::putty(&mut rng, "none");
        let verdict = look(text.as_bytes()).expect("a key");
        assert_eq!((verdict.standing, verdict.harmless), (Standing::Validated, None), "the primes fit");
        assert_eq!(verdict.remark, "PuTTY, RSA, 1024 bits");
        assert!(verdict.public_key.is_some());
        assert!(look(text.replace("\r\n", "\n").as_bytes()).is_some());
        let locked = look(testing::putty(&mut rng, "aes256-cbc").as_bytes()).expect("a key");
        assert_eq!((locked.harmless, locked.remark.as_str()), (Some(Harmless::Protected), "PuTTY, RSA, encrypted"));
    }

    #[test]
    fn headers_alone_and_broken_keys_are_none() {
        let text = testing::putty(&mut Rng::new(2), "none");
        let private = text.find("Private-Lines").expect("a private part");
        assert!(look(&text.as_bytes()[..private]).is_none());
        assert!(look(text.replace("ssh-rsa", "ssh-ed25519").as_bytes()).is_none());
        assert!(look(text.replace("Public-Lines: 4", "Public-Lines: 3").as_bytes()).is_none());
        assert!(look(b"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n").is_none());
    }

    #[test]
    fn codes_of_authentication_are_those_of_rfc_4231() {
        let mac = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
