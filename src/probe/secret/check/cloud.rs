//! Checks the two halves of an AWS access key.

use super::{
    Verdict, base64,
    generic::{classes, entropy},
    known, looks_random, placeholder,
};
use crate::model::{Harmless, Standing};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Largest number of an account: twelve digits.
const ACCOUNT_MAX: u64 = 999_999_999_999;

/// Least entropy of a secret in bits per character: all but one random secret in a thousand have more.
const SECRET_ENTROPY: f64 = 4.2;

/// The id: four letters that say the kind, then base32 that holds the account's number.
pub(super) fn aws_id(text: &[u8]) -> Option<Verdict> {
    let (_, body) = text.split_first_chunk::<4>()?;
    let digits: Option<Vec<u8>> = body.iter().map(|b| digit(*b)).collect();
    let digits = digits.filter(|digits| digits.len() >= 12)?;
    if body.ends_with(b"EXAMPLE") {
        return Some(Verdict::new(Standing::Structured).harmless(Harmless::Public).remark("documentation"));
    }
    if placeholder(body) || (classes(body) == 1 && !looks_random(body)) {
        return None;
    }
    // Ids of before 2019 start with I or J and hold no number.
    let old = matches!(body.first(), Some(b'I' | b'J'));
    Some(match account(&digits).filter(|_| !old) {
        Some(account) => Verdict::new(Standing::Structured).remark(format!("account {account:012}")),
        None => Verdict::new(Standing::Pattern),
    })
}

/// The secret: forty characters of base64.
pub(super) fn aws_secret(text: &[u8]) -> Option<Verdict> {
    if text.len() != 40 || !text.iter().all(|b| base64::is_digit(*b)) {
        return None;
    }
    // Every secret of the documentation ends so.
    if text.ends_with(b"EXAMPLEKEY") || known::is_value(text) {
        return Some(Verdict::new(Standing::Pattern).harmless(Harmless::Public).remark("documentation"));
    }
    let mixed = text.iter().any(u8::is_ascii_lowercase)
        && text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(u8::is_ascii_digit)
        && !text.iter().all(u8::is_ascii_hexdigit);
    // Both are paths or names in camel case.
    let random = looks_random(text) && !text.split(|&b| b == b'/').all(|part| part.len() < 12 && !looks_random(part));
    let fits = mixed && random && !placeholder(text) && entropy(text) > SECRET_ENTROPY;
    fits.then(|| Verdict::new(Standing::Pattern))
}

/// The account's number, in the first six bytes: 40 bits behind the first.
fn account(digits: &[u8]) -> Option<u64> {
    let bits = digits.get(..10)?.iter().fold(0_u64, |all, &digit| all << 5 | u64::from(digit));
    let account = bits >> 2 >> 7 & 0xff_ffff_ffff;
    (account <= ACCOUNT_MAX).then_some(account)
}

fn digit(b: u8) -> Option<u8> {
    u8::try_from(BASE32.iter().position(|&known| known == b)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    #[test]
    fn an_id_says_its_account() {
        let mut rng = Rng::new(1);
        for account in [0, 1, 123_456_789_012, 999_999_999_999] {
            let verdict = aws_id(testing::aws_id(&mut rng, account).as_bytes()).expect("an id");
            // Account 0 and the like make a first letter that old ids have, too.
            assert!(
                verdict.remark == format!("account {account:012}") || verdict.remark.is_empty(),
                "{}",
                verdict.remark
            );
        }
        let verdict = aws_id(testing::aws_id(&mut rng, 210_987_654_321).as_bytes()).expect("an id");
        assert_eq!((verdict.standing, verdict.remark.as_str()), (Standing::Structured, "account 210987654321"));
    }

    #[test]
    fn nearly_all_random_ids_are_ids() {
        let mut rng = Rng::new(2);
        let missed =
            (0..2000).filter(|_| aws_id(format!("{}{}", "ASIA", rng.text(Rng::BASE32, 16)).as_bytes()).is_none());
        assert!(missed.count() <= 2);
    }

    #[test]
    fn ids_of_documentation_are_public_and_stand_ins_are_none() {
        let id = |tail: &str| aws_id(format!("{}{tail}", "AKIA").as_bytes());
        assert_eq!(id("IOSFODNN7EXAMPLE").and_then(|verdict| verdict.harmless), Some(Harmless::Public));
        for tail in
            ["XXXXXXXXXXXXXXXX", "YOURACCESSKEYIDA", "ABCDEFGHIJKLMNOP", "0123456789ABCDEF", "abcdefgh23456723", ""]
        {
            assert!(id(tail).is_none(), "{tail}");
        }
    }

    #[test]
    fn secrets_are_random_base64() {
        let mut rng = Rng::new(3);
        let missed = (0..2000).filter(|_| aws_secret(rng.text(Rng::BASE64, 40).as_bytes()).is_none()).count();
        assert!(missed <= 10, "{missed}");
        for text in [
            "src/main/java/com/company/project/Foo123",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "TheQuickBrownFoxJumpsOverTheLazyDog12345",
            "0123456789abcdefABCDEFGHIJ0123456789abcd",
            "internalVersionedRequestHandlerFactory42",
        ] {
            assert_eq!(text.len(), 40);
            assert!(aws_secret(text.as_bytes()).is_none(), "{text}");
        }
        let documented = format!("{}EXAMPLEKEY", rng.text(Rng::BASE64, 30));
        assert_eq!(aws_secret(documented.as_bytes()).and_then(|verdict| verdict.harmless), Some(Harmless::Public));
    }
}
