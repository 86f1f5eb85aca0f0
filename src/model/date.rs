//! Days and times of the calendar, in UTC.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The day of a time in seconds since 1970, in UTC: `2026-11-27`.
///
/// The civil calendar from a count of days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
pub fn day(seconds: i64) -> String {
    // Days from 0000-03-01, so that the leap day ends a year.
    let days = seconds.div_euclid(DAY).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time in seconds since 1970 as RFC 3339 has it: `2026-11-27T22:55:00Z`.
pub fn time(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    format!("{}T{:02}:{:02}:{:02}Z", day(seconds), of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, want) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(day(seconds), want);
        }
    }

    #[test]
    fn times_are_those_of_the_day() {
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds), want);
        }
    }
}
