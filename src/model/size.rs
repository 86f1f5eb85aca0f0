//! Sizes as people type them.

/// Reads `20GB`, `512MiB`, `1000000` as bytes.
///
/// # Errors
/// What a size looks like.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err("a size is a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 20GB".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a size starts with a whole number, such as 20GB".to_string())?;
    number.checked_mul(factor).ok_or_else(|| "the size is too large".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_kinds_of_units() {
        assert_eq!(parse("20GB"), Ok(20_000_000_000));
        assert_eq!(parse("512 MiB"), Ok(512 << 20));
        assert_eq!(parse("7"), Ok(7));
        assert_eq!(parse("0"), Ok(0));
        for bad in ["", "GB", "1.5GB", "-1", "1XB", "99999999999TB", "1é"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
