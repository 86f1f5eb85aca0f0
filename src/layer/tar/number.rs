//! The ways tar writes numbers and strings: fixed fields and PAX text.
//!
//! Knows no field by name; what an absent or a negative number means is the caller's business.

/// The bytes before the first NUL, or all of them.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.iter().position(|&b| b == 0).and_then(|end| field.get(..end)).unwrap_or(field)
}

/// A number field of a header: base-256 if the first bit is set, else octal.
///
/// `None` for junk and for what does not fit into 63 bits and a sign.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(&first) if first & 0x80 != 0 => base256(field, first & 0x40 != 0),
        // Go hands the 64 bits over unchecked; no field is long enough to reach the sign bit.
        _ => octal(field).map(u64::cast_signed),
    }
}

/// Two's complement, highest byte first; the first bit marks the encoding, the second is the sign.
fn base256(field: &[u8], negative: bool) -> Option<i64> {
    let flip = if negative { 0xff } else { 0 };
    let mut value = 0u64;
    for (at, &byte) in field.iter().enumerate() {
        let byte = if at == 0 { (byte ^ flip) & 0x7f } else { byte ^ flip };
        if value >> 56 != 0 {
            return None;
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if negative { !value } else { value })
}

/// Octal digits between any number of spaces and NULs; nothing at all is 0.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let mut digits = text(trim(field)).iter();
    digits.try_fold(0u64, |value, &byte| match byte {
        b'0'..=b'7' => Some(value.checked_mul(8)? | u64::from(byte - b'0')),
        _ => None,
    })
}

fn trim(mut field: &[u8]) -> &[u8] {
    while let [b' ' | 0, rest @ ..] | [rest @ .., b' ' | 0] = field {
        field = rest;
    }
    field
}

/// A whole decimal number with an optional sign, as PAX records and sparse maps have it.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether this is a PAX time: seconds, with an optional sign, and an optional fraction.
pub(super) fn is_time(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |&b| b == b'.');
    let seconds = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    decimal(seconds).is_some() && fraction.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_is_trimmed_of_spaces_and_nuls_only() {
        for (field, want) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b" 644 \0\0", Some(0o644)),
            (b"\0\0 17", Some(0o17)),
            (b"", Some(0)),
            (b" \0 ", Some(0)),
            (b"644\x0077", Some(0o644)),
            (b"64 4", None),
            (b"648", None),
            (b"+644", None),
            (b"-1", None),
            (b"0x1", None),
            (b"1777777777777777777777", Some(u64::MAX)),
            (b"2000000000000000000000", None),
        ] {
            assert_eq!(octal(field), want, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn base_256_reaches_both_ends_of_63_bits() {
        for (field, want) in [
            (&b"\x80\0\0\0\0\0\0\x01"[..], Some(1)),
            (b"\xff\xff\xff\xff", Some(-1)),
            (b"\xc0\0", Some(-(1 << 14))),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", Some(i64::MIN)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(numeric(field), want, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn decimals_and_times_follow_go() {
        for (text, want) in [
            ("12", Some(12)),
            ("+12", Some(12)),
            ("-0", Some(0)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("", None),
            ("+", None),
            (" 1", None),
            ("1_0", None),
        ] {
            assert_eq!(decimal(text.as_bytes()), want, "{text}");
        }
        for (text, want) in
            [("1", true), ("-1.5", true), ("1.", true), (".5", false), ("1.5e3", false), ("1e30", false), ("", false)]
        {
            assert_eq!(is_time(text.as_bytes()), want, "{text}");
        }
    }
}
