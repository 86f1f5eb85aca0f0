//! Checks vendors' tokens that carry a checksum or a number of their own.

use super::{Verdict, base64, placeholder};
use crate::model::Standing;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const HEX: &[u8; 16] = b"0123456789ABCDEF";
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// GitHub, npm: the last six characters are the CRC-32 of those between the prefix's `_` and them.
///
/// Source: github.blog, "Behind GitHub's new authentication token formats".
pub(super) fn crc32_base62(text: &[u8]) -> Option<Verdict> {
    let start = text.iter().rposition(|&b| b == b'_')? + 1;
    let (body, sum) = text.get(start..)?.split_last_chunk::<6>()?;
    (!body.is_empty() && *sum == crc_digits(BASE62, body)).then(|| Verdict::new(Standing::Validated))
}

/// GitLab's routable tokens: the last seven characters are the CRC-32 of all before them.
///
/// Source: GitLab handbook, design document "Routable tokens".
pub(super) fn crc32_base36(text: &[u8]) -> Option<Verdict> {
    let (body, sum) = text.split_last_chunk::<7>()?;
    (!body.is_empty() && *sum == crc_digits(BASE36, body)).then(|| Verdict::new(Standing::Validated))
}

/// Atlassian: the last eight characters are the CRC-32 of all before them.
pub(super) fn crc32_hex(text: &[u8]) -> Option<Verdict> {
    let (body, sum) = text.split_last_chunk::<8>()?;
    (!body.is_empty() && *sum == crc_digits(HEX, body)).then(|| Verdict::new(Standing::Validated))
}

/// An identity of age: Bech32 (BIP-173) of 32 bytes, in upper case; without Bitcoin's limit on the length.
pub(super) fn bech32_age(text: &[u8]) -> Option<Verdict> {
    const LEN_MAX: usize = 8192;

    if text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase) || text.len() > LEN_MAX {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let split = text.iter().rposition(|&b| b == b'1')?;
    let (name, data) = (text.get(..split)?, text.get(split + 1..)?);
    if !name.starts_with(b"age-secret-key") || data.len() < 58 {
        return None;
    }
    let high = name.iter().map(|b| b >> 5);
    let low = name.iter().map(|b| b & 31);
    let data: Option<Vec<u8>> = data.iter().map(|b| digit(BECH32, *b)).collect();
    let sum = high.chain([0]).chain(low).chain(data?).fold(1, polymod);
    (sum == 1).then(|| Verdict::new(Standing::Validated))
}

/// Discord: the first part is the bot's number in base64.
pub(super) fn discord(text: &[u8]) -> Option<Verdict> {
    let id = base64::decode_strictly(text.split(|&b| b == b'.').next()?)?;
    let fits = (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit) && !placeholder(text);
    fits.then(|| Verdict::new(Standing::Structured))
}

/// Slack: the number of the team stands in the token, but for two kinds; the end is no stand-in.
pub(super) fn slack(text: &[u8]) -> Option<Verdict> {
    let mut parts = text.split(|&b| b == b'-');
    let kind = parts.next()?;
    let is_number = |part: &[u8]| (10..=13).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    let last = text.rsplit(|&b| b == b'-').next()?;
    if last.len() < 8 || placeholder(last) {
        return None;
    }
    if kind.starts_with(b"xoxe") || text.starts_with(b"xoxa-2") {
        return Some(Verdict::new(Standing::Pattern));
    }
    parts.any(is_number).then(|| Verdict::new(Standing::Structured))
}

/// The CRC-32 as digits, zeros in front.
fn crc_digits<const LEN: usize>(alphabet: &[u8], body: &[u8]) -> [u8; LEN] {
    let mut sum = crc32fast::hash(body) as usize;
    let mut digits = [0; LEN];
    for slot in digits.iter_mut().rev() {
        *slot = alphabet.get(sum % alphabet.len()).copied().unwrap_or_default();
        sum /= alphabet.len();
    }
    digits
}

fn digit(alphabet: &[u8], b: u8) -> Option<u8> {
    u8::try_from(alphabet.iter().position(|&known| known == b)?).ok()
}

/// One step of the checksum of BIP-173.
fn polymod(sum: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(next, |sum, (_, step)| sum ^ step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    /// The token with another last character but one.
    fn broken(token: &str) -> String {
        let at = token.len() - 2;
        let other = if &token[at..=at] == "7" { "3" } else { "7" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    }

    #[test]
    fn checksums_prove_tokens_and_wrong_ones_refuse_them() {
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let github = testing::crc32_base62(&mut rng, "ghp_");
            let npm = testing::crc32_base62(&mut rng, "npm_");
            let gitlab = testing::crc32_base36_routable(&mut rng);
            let atlassian = testing::crc32_hex_tail(&mut rng);
            let age = testing::age(&mut rng);
            type Looker = fn(&[u8]) -> Option<Verdict>;
            let cases: [(&str, Looker); 5] = [
                (&github, crc32_base62),
                (&npm, crc32_base62),
                (&gitlab, crc32_base36),
                (&atlassian, crc32_hex),
                (&age, bech32_age),
            ];
            for (token, look) in cases {
                let verdict = look(token.as_bytes()).expect("a token");
                assert_eq!((verdict.standing, verdict.harmless), (Standing::Validated, None));
                assert!(look(broken(token).as_bytes()).is_none());
                assert!(look(&token.as_bytes()[..token.len() - 1]).is_none());
            }
        }
    }

    #[test]
    fn checksums_are_padded_with_zeros() {
        // Small checksums are rare: search one.
        let mut rng = Rng::new(5);
        let token =
            (0..20_000).map(|_| testing::crc32_base62(&mut rng, "gho_")).find(|token| token[34..].starts_with("00"));
        assert!(crc32_base62(token.expect("one in 3,844").as_bytes()).is_some());
    }

    #[test]
    fn an_age_recipient_is_no_identity() {
        let mut rng = Rng::new(2);
        let identity = testing::age(&mut rng);
        assert!(bech32_age(identity.to_lowercase().as_bytes()).is_some());
        assert!(bech32_age(identity.replace("SECRET-", "").as_bytes()).is_none());
        assert!(bech32_age(identity.replacen('A', "a", 1).as_bytes()).is_none(), "mixed case");
    }

    #[test]
    fn a_bot_token_starts_with_a_number() {
        let mut rng = Rng::new(3);
        let number = format!("1{}", rng.text(Rng::DIGITS, 17));
        let tail = format!("{}.{}", rng.text(Rng::BASE62, 6), rng.text(Rng::BASE62, 38));
        let good = format!("{}.{tail}", testing::base64url(number.as_bytes()));
        assert_eq!(discord(good.as_bytes()).expect("a token").standing, Standing::Structured);
        let bad = format!("{}.{tail}", testing::base64url(&rng.bytes(18)));
        assert!(discord(bad.as_bytes()).is_none());
    }

    #[test]
    fn a_slack_token_holds_the_number_of_a_team() {
        let mut rng = Rng::new(4);
        let (team, tail) = (format!("2{}", rng.text(Rng::DIGITS, 11)), rng.text(Rng::BASE62, 24));
        let kind =
            |kind: &str, rest: &str| slack(format!("xox{kind}-{rest}").as_bytes()).map(|verdict| verdict.standing);
        assert_eq!(kind("b", &format!("{team}-{team}-{tail}")), Some(Standing::Structured));
        assert_eq!(kind("e", &format!("1-{tail}")), Some(Standing::Pattern));
        assert_eq!(kind("b", &format!("not-a-team-{tail}")), None);
        assert_eq!(kind("b", &format!("{team}-{team}-{}", "x".repeat(24))), None);
    }
}
