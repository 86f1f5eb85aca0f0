//! Times as reports write them.

use jiff::Timestamp;

/// `2026-11-27T22:36:56Z`: RFC 3339, of seconds since 1970. A time that no calendar has is the first second of 1970.
pub(crate) fn rfc3339(at: i64) -> String {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The same without its zone, which is UTC.
pub(crate) fn zoneless(at: i64) -> String {
    rfc3339(at).trim_end_matches('Z').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(rfc3339(1_795_819_016), "2026-11-27T22:36:56Z");
        assert_eq!(zoneless(0), "1970-01-01T00:00:00");
        assert_eq!(rfc3339(i64::MAX), "1970-01-01T00:00:00Z");
    }
}
