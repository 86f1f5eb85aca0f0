//! The time that a report shows: that of the clock, or the one that the user fixes so that the same image gives the same
//! bytes.

use std::{
    env,
    ffi::OsStr,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::error::{Error, Result};

/// The variable that fixes it, in seconds since 1970: <https://reproducible-builds.org/specs/source-date-epoch/>.
const FIXED: &str = "SOURCE_DATE_EPOCH";
/// The last second of the year 9999; dates have four digits.
const LAST: i64 = 253_402_300_799;

/// Seconds since 1970.
///
/// # Errors
/// A usage error when the variable is there and is no time; as its specification wants it.
pub(super) fn made() -> Result<i64> {
    read(env::var_os(FIXED).as_deref(), SystemTime::now())
}

fn read(fixed: Option<&OsStr>, clock: SystemTime) -> Result<i64> {
    let Some(fixed) = fixed.filter(|fixed| !fixed.is_empty()) else {
        let since = clock.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        return Ok(i64::try_from(since).unwrap_or(LAST).min(LAST));
    };
    let seconds = fixed.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    seconds.and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= LAST).ok_or_else(|| {
        Error::usage(format!("can not use {FIXED}"))
            .cause(format!("\"{}\" is no number of seconds since 1970", fixed.to_string_lossy()))
            .help(format!("unset {FIXED}, or set it to what `date +%s` prints"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_variable_wins_over_the_clock() {
        let clock = UNIX_EPOCH + Duration::from_secs(7);
        assert_eq!(read(None, clock), Ok(7));
        assert_eq!(read(Some(OsStr::new("")), clock), Ok(7));
        assert_eq!(read(Some(OsStr::new("1700000000")), clock), Ok(1_700_000_000));
        for bad in ["-1", "+1", "1.5", "now", "253402300800", "99999999999999999999"] {
            let error = read(Some(OsStr::new(bad)), clock).expect_err("it is no time");
            assert_eq!(error.fault, crate::error::Fault::Usage, "{bad}");
        }
    }
}
