//! Weaknesses of the CWE list, which rules find an instance of.

use serde::{Deserialize, Serialize};

/// An entry of the Common Weakness Enumeration.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Weakness {
    /// `CWE-` and its number, without leading zeros.
    pub id: String,
    /// Its name in the list.
    pub title: String,
}

impl Weakness {
    /// The number of an id such as `CWE-250`; `None` where it is no such id.
    pub fn number(id: &str) -> Option<u32> {
        let digits = id.strip_prefix("CWE-")?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0') && digits.len() <= 5;
        digits.parse().ok().filter(|_| plain)
    }

    /// Where it is published.
    pub fn link(&self) -> String {
        let number = self.id.trim_start_matches("CWE-");
        format!("https://cwe.mitre.org/data/definitions/{number}.html")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_ids_have_a_number() {
        assert_eq!(Weakness::number("CWE-5"), Some(5));
        assert_eq!(Weakness::number("CWE-1125"), Some(1125));
        for id in ["", "CWE-", "CWE-0", "CWE-0250", "CWE-+25", "CWE-25a", "cwe-250", "250", " CWE-250", "CWE-123456"] {
            assert_eq!(Weakness::number(id), None, "{id:?}");
        }
    }
}
