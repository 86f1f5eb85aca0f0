//! What the terminal can do: columns and colours.

use std::env;

use super::args::Color;
use crate::report::table::Look;

/// Columns where nobody looks: a file, a pipe, a log.
const COLUMNS: usize = 100;
/// More columns than this are not used: longer lines are hard to read.
const COLUMNS_MAX: usize = 160;

/// How a table is to look on standard output.
pub(super) fn look(color: Color, is_terminal: bool) -> Look {
    let real = if is_terminal { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
    look_in(color, is_terminal, real, |name| env::var(name).ok())
}

/// How a table is to look in a file.
pub(super) fn look_in_file(color: Color) -> Look {
    Look { width: COLUMNS, color: color == Color::Always }
}

/// `COLUMNS` before the terminal's own answer. `NO_COLOR` and `CLICOLOR_FORCE` count if they are not empty, as
/// no-color.org and bixense.com/clicolors say; `NO_COLOR` wins.
fn look_in(color: Color, is_terminal: bool, real: Option<usize>, env: impl Fn(&str) -> Option<String>) -> Look {
    let set = |name| env(name).is_some_and(|value| !value.is_empty());
    let columns = env("COLUMNS").and_then(|c| c.parse().ok()).filter(|&c| c > 0);
    Look {
        width: columns.or(real).unwrap_or(COLUMNS).min(COLUMNS_MAX),
        color: match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if set("NO_COLOR") => false,
            Color::Auto if env("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") => true,
            Color::Auto => is_terminal && env("TERM").as_deref() != Some("dumb"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_with(color: Color, is_terminal: bool, set: &[(&str, &str)]) -> Look {
        let find = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string());
        look_in(color, is_terminal, is_terminal.then_some(132), find)
    }

    #[test]
    fn columns_come_from_the_environment_the_terminal_or_are_a_hundred() {
        assert_eq!(look_with(Color::Auto, true, &[("COLUMNS", "90")]).width, 90);
        assert_eq!(look_with(Color::Auto, true, &[("COLUMNS", "0")]).width, 132);
        assert_eq!(look_with(Color::Auto, true, &[]).width, 132);
        assert_eq!(look_with(Color::Auto, false, &[]).width, 100);
        assert_eq!(look_with(Color::Auto, false, &[("COLUMNS", "9999")]).width, 160);
    }

    #[test]
    fn colours_follow_the_option_then_the_environment_then_the_terminal() {
        for (color, is_terminal, set, want) in [
            (Color::Auto, true, &[][..], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            assert_eq!(look_with(color, is_terminal, set).color, want, "{color:?} {is_terminal} {set:?}");
        }
    }
}
