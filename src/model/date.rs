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

/// The same without its zone, which is UTC: `2026-11-27T22:55:00`.
pub fn zoneless(seconds: i64) -> String {
    time(seconds).trim_end_matches('Z').to_string()
}

/// Whether a text is a day of the calendar, `2026-12-31`, from the year 1970 on. Such texts sort as the days do.
pub fn is_day(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| (part.len(), part.parse::<u16>(), part));
    let mut next = |digits: usize| {
        let (len, number, part) = parts.next()?;
        number.ok().filter(|_| len == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u16::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    year >= 1970 && (1..=days).contains(&day) && text.len() == 10
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

    #[test]
    fn what_is_no_day_of_the_calendar_is_none() {
        for day in ["1970-01-01", "2024-02-29", "2000-02-29", "2026-12-31", "9999-04-30"] {
            assert!(is_day(day), "{day}");
        }
        for no_day in [
            "",
            "2026",
            "2026-1-1",
            "2026-02-29",
            "1900-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "1969-12-31",
            "+026-01-01",
            "2026-12-31-",
            "2026-12-31T00:00:00Z",
            "31.12.2026",
            "soon",
        ] {
            assert!(!is_day(no_day), "{no_day}");
        }
    }
}
