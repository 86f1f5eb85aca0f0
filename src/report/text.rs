//! Words, numbers and columns as people read them; shared by the reporters.
//!
//! Knows nothing of findings or formats. What comes out of [`plain`] holds no control byte and no character that
//! reorders the text around it.

use crate::model::path;

/// A size in decimal units with three digits, such as `312 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    // 999.5 and above would be printed as 1000 of the smaller unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.digits$} {}", UNITS.get(unit).unwrap_or(&"EB"))
}

/// A number with a comma between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number and its noun: `1 finding`, `2 findings`, `2 directories`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    let n = count(number as u64);
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("{n} {noun}"),
        Some(stem) => format!("{n} {stem}ies"),
        None => format!("{n} {noun}s"),
    }
}

/// `1 thing was`, `2 things were`.
pub(crate) fn things(number: usize) -> String {
    format!("{} {}", plural(number, "thing"), if number == 1 { "was" } else { "were" })
}

/// Foreign text on one line: white space becomes single blanks, what could harm a terminal is escaped.
///
/// Unlike a path, a text keeps its single backslashes: it is read, never typed back.
pub(crate) fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    path::escape(line.as_bytes()).replace("\\\\", "\\")
}

/// One line of foreign text whose blanks mean something: escaped like [`plain`], tabs as four blanks.
pub(crate) fn verbatim(line: &str) -> String {
    path::escape(line.replace('\t', "    ").trim_end().as_bytes()).replace("\\\\", "\\")
}

/// The command of a history entry without the shell and the marks that builders wrap around it.
///
/// The classic builder writes `|N NAME=value ... /bin/sh -c command` when build arguments were given: they go too,
/// since their values may be secret.
pub(crate) fn command(created_by: &str) -> String {
    const SHELL: &str = "/bin/sh -c ";
    let line = plain(created_by);
    let line = line.strip_suffix(" # buildkit").unwrap_or(&line);
    let run = line.strip_prefix("RUN ").unwrap_or(line);
    match run.split_once(SHELL) {
        Some((before, command)) if before.is_empty() || before.starts_with('|') => {
            command.strip_prefix("#(nop) ").map_or_else(|| format!("RUN {command}"), |c| c.to_string())
        }
        _ if run.starts_with('|') => "RUN (with build arguments)".to_string(),
        _ => line.to_string(),
    }
}

/// Columns that a text takes on a terminal: none for marks, two for the wide characters of East Asia and symbols.
///
/// An approximation of Unicode UAX #11 by blocks; off by a column for rare characters, which only costs alignment.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// At most `columns` of a text, with `...` where something was cut.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    const CUT: &str = "...";
    if width(text) <= columns {
        return text.to_string();
    }
    let room = columns.saturating_sub(CUT.len());
    let mut used = 0;
    let kept = text.chars().take_while(|&c| {
        used += char_width(c);
        used <= room
    });
    let mut out: String = kept.collect();
    out.push_str(CUT);
    out
}

/// Breaks a text at blanks into lines of at most `columns`; a longer word stands alone and whole, so that it can be
/// copied.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let wide = width(word);
        if !line.is_empty() && used + 1 + wide > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if !line.is_empty() {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += wide;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_decimal_units() {
        for (n, want) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_996, "10.0 kB"),
            (312_400_000, "312 MB"),
            (999_499, "999 kB"),
            (999_500, "1.00 MB"),
            (999_999_999, "1.00 GB"),
            (1_312_400_000, "1.31 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n), want, "{n}");
        }
    }

    #[test]
    fn numbers_and_nouns_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(plural(1, "directory"), "1 directory");
        assert_eq!(plural(1_200, "directory"), "1,200 directories");
        assert_eq!(plural(0, "finding"), "0 findings");
    }

    #[test]
    fn foreign_text_comes_out_on_one_harmless_line() {
        assert_eq!(plain("a\n\tb  \x1b[31mred\u{202e}"), "a b \\x1b[31mred\\xe2\\x80\\xae");
        assert_eq!(plain(r"sed s/\./_/"), r"sed s/\./_/");
        assert_eq!(plain(" \t\n"), "");
        assert_eq!(verbatim("\tRUN a  \\ \x1b[0m \r"), "    RUN a  \\ \\x1b[0m");
    }

    #[test]
    fn history_is_shown_as_the_dockerfile_had_it() {
        for (recorded, want) in [
            ("RUN /bin/sh -c apt-get install -y gcc # buildkit", "RUN apt-get install -y gcc"),
            ("COPY . /app # buildkit", "COPY . /app"),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("/bin/sh -c apk add  make", "RUN apk add make"),
            ("|1 TOKEN=s3cret /bin/sh -c npm ci", "RUN npm ci"),
            ("RUN |1 TOKEN=s3cret /bin/sh -c npm ci # buildkit", "RUN npm ci"),
            ("debootstrap", "debootstrap"),
            ("", ""),
        ] {
            assert_eq!(command(recorded), want, "{recorded}");
        }
        assert!(!command("|2 TOKEN=s3cret USER=x").contains("s3cret"), "cut short, still no value");
    }

    #[test]
    fn clipping_counts_columns_and_not_bytes() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abc...");
        assert_eq!(clip("日本語日本語", 8), "日本...");
        assert_eq!(width("e\u{301}日"), 3);
        assert_eq!(clip("abc", 0), "...");
    }

    #[test]
    fn wrapping_keeps_every_word_and_the_width() {
        let text = "one two three four five a-word-that-is-longer-than-the-line six";
        let lines = wrap(text, 12);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|l| l.len() <= 12 || !l.contains(' ')), "{lines:?}");
        assert!(wrap("", 10).is_empty());
    }
}
