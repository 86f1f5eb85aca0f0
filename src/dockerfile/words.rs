//! Splits what follows a keyword: flags, words, JSON arrays. Ranges are those of the joined text.
//!
//! Semantics: BuildKit's `frontend/dockerfile/parser` (`split_command.go`, `line_parsers.go`).

use std::ops::Range;

use super::error::Problem;

/// A word and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Piece {
    /// As written; the quotes are kept, except in flags and JSON.
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// White space between the keyword, the arguments of `FROM`, `EXPOSE`, `COPY` and the like.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

/// The flags (`--name=value`) that `text` starts with from an offset on, unquoted, and the offset of what follows them.
pub(super) fn flags(text: &str, from: usize, escape: char) -> (Vec<Piece>, usize) {
    let mut flags = Vec::new();
    let mut chars = text.get(from..).unwrap_or_default().char_indices().map(|(at, c)| (from + at, c)).peekable();
    loop {
        while chars.next_if(|&(_, c)| c.is_whitespace()).is_some() {}
        let Some(&(start, _)) = chars.peek() else { return (flags, text.len()) };
        if !text.get(start..).is_some_and(|rest| rest.starts_with("--")) {
            return (flags, start);
        }
        let (mut word, mut quote, mut has_quotes, mut end) = (String::new(), None, false, text.len());
        while let Some((at, c)) = chars.next() {
            if quote.is_none() && c.is_whitespace() {
                end = at;
                break;
            }
            if quote == Some(c) {
                quote = None;
            } else if quote.is_none() && matches!(c, '\'' | '"') {
                (quote, has_quotes) = (Some(c), true);
            } else if c == escape {
                word.extend(chars.next().map(|(_, c)| c));
            } else {
                word.push(c);
            }
        }
        if word == "--" {
            return (flags, end);
        }
        if has_quotes || !word.is_empty() {
            flags.push(Piece { text: word, range: start..end });
        }
    }
}

/// The words from an offset on, where quotes hold blanks together. Quotes and escapes are kept.
pub(super) fn quoted(text: &str, range: Range<usize>, escape: char) -> Vec<Piece> {
    let mut words = Vec::new();
    let (from, limit) = (range.start, range.end);
    let mut chars = text.get(range).unwrap_or_default().char_indices().map(|(at, c)| (from + at, c)).peekable();
    loop {
        while chars.next_if(|&(_, c)| c.is_whitespace()).is_some() {}
        let Some(&(start, _)) = chars.peek() else { return words };
        let (mut quote, mut end) = (None, limit);
        while let Some((at, c)) = chars.next() {
            if quote.is_none() && c.is_whitespace() {
                end = at;
                break;
            }
            if quote == Some(c) {
                quote = None;
            } else if c == escape && quote != Some('\'') {
                if chars.next().is_none() {
                    // A lone escape at the end is dropped.
                    end = at;
                }
            } else if quote.is_none() && matches!(c, '\'' | '"') {
                quote = Some(c);
            }
        }
        let word = text.get(start..end).unwrap_or_default();
        if !word.is_empty() {
            words.push(Piece { text: word.to_string(), range: start..end });
        }
    }
}

/// The words of a range, split at blanks alone.
pub(super) fn plain(text: &str, range: Range<usize>) -> Vec<Piece> {
    let from = range.start;
    let part = text.get(range).unwrap_or_default();
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in part.char_indices().map(|(at, c)| (at, Some(c))).chain([(part.len(), None)]) {
        match (start, c.is_none_or(is_blank)) {
            (None, false) => start = Some(at),
            (Some(begin), true) => {
                let text = part.get(begin..at).unwrap_or_default().to_string();
                words.push(Piece { text, range: from + begin..from + at });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// The strings of a JSON array; `None` where the text is no JSON array, so that it is read as a command.
///
/// # Errors
/// When it is an array with other things than strings in it: builders refuse that.
pub(super) fn json(text: &str, range: Range<usize>) -> Result<Option<Vec<Piece>>, Problem> {
    let part = text.get(range.clone()).unwrap_or_default();
    if !part.trim_start().starts_with('[') {
        return Ok(None);
    }
    if let Some(strings) = strings(part, range.start) {
        return Ok(Some(strings));
    }
    match serde_json::from_str::<Vec<serde_json::Value>>(part) {
        Ok(_) => Err(Problem::new(range.start, "the JSON array has more than strings in it")),
        Err(_) => Ok(None),
    }
}

fn strings(part: &str, offset: usize) -> Option<Vec<Piece>> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let mut found = Vec::new();
    let start = part.find('[')?;
    let mut at = start + 1;
    let skip = |at: usize| part.get(at..).map(|rest| part.len() - rest.trim_start_matches(is_space).len());
    at = skip(at)?;
    if part.get(at..)?.starts_with(']') {
        at += 1;
    } else {
        loop {
            let (text, end) = string(part, at)?;
            found.push(Piece { text, range: offset + at..offset + end });
            at = skip(end)?;
            let c = part.get(at..)?.chars().next()?;
            at += 1;
            match c {
                ',' => at = skip(at)?,
                ']' => break,
                _ => return None,
            }
        }
    }
    part.get(at..)?.trim_start_matches(is_space).is_empty().then_some(found)
}

/// The JSON string that starts at an offset, and the offset behind it.
fn string(part: &str, start: usize) -> Option<(String, usize)> {
    let body = part.get(start..)?.strip_prefix('"')?;
    let mut text = String::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, start + 1 + at + 1)),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\' | '/') => text.push(c),
                'b' => text.push('\u{8}'),
                'f' => text.push('\u{c}'),
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'u' => {
                    let first = unit(&mut chars)?;
                    text.push(match first {
                        0xd800..=0xdbff => pair(&mut chars, first),
                        _ => char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
                    });
                }
                _ => return None,
            },
            '\0'..='\u{1f}' => return None,
            c => text.push(c),
        }
    }
    None
}

/// Four hexadecimal digits.
fn unit(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + chars.next()?.1.to_digit(16)?))
}

/// The character of two UTF-16 units; one alone is read as Go does, as U+FFFD.
fn pair(chars: &mut std::str::CharIndices<'_>, first: u32) -> char {
    let mut ahead = chars.clone();
    let second = match (ahead.next(), ahead.next()) {
        (Some((_, '\\')), Some((_, 'u'))) => unit(&mut ahead),
        _ => None,
    };
    match second {
        Some(second @ 0xdc00..=0xdfff) => {
            *chars = ahead;
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: Vec<Piece>) -> Vec<String> {
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn flags_end_at_the_first_other_word_and_lose_their_quotes() {
        let text = r#"COPY --from=a --chown="x y"  --chmod=\"7 src --not dst"#;
        let (found, rest) = flags(text, 4, '\\');
        assert_eq!(found.iter().map(|flag| flag.range.clone()).collect::<Vec<_>>(), [5..13, 14..27, 29..40]);
        assert_eq!(texts(found), ["--from=a", "--chown=x y", "--chmod=\"7"]);
        assert_eq!(text.get(rest..), Some("src --not dst"));
        let (found, rest) = flags("RUN -- --x", 3, '\\');
        assert_eq!((found.len(), rest), (0, 6));
        assert_eq!(texts(flags("RUN --x=\\", 3, '\\').0), ["--x="]);
    }

    #[test]
    fn quotes_hold_words_together_and_are_kept() {
        let text = r#"A="x y" B='\' C=\ z D=\" \"#;
        let words = quoted(text, 0..text.len(), '\\');
        assert_eq!(texts(words), [r#"A="x y""#, r"B='\'", r"C=\ z", r#"D=\""#]);
        assert_eq!(texts(plain("a\t b\u{a0}c ", 0..8)), ["a", "b\u{a0}c"]);
    }

    #[test]
    fn only_an_array_of_strings_is_the_exec_form() {
        let read = |text: &str| json(text, 0..text.len()).map(|found| found.map(texts));
        assert_eq!(
            read(r#" [ "a" , "b\tc\u00e9\ud83d\ude00\ud83d" ] "#),
            Ok(Some(vec!["a".into(), "b\tc\u{e9}\u{1f600}\u{fffd}".into()]))
        );
        assert_eq!(read("[]"), Ok(Some(vec![])));
        for shell in ["['a']", "[ -f x ] && y", r#"["a"] x"#, r#"["a",]"#, r#"["a""#, "[\"a\tb\"]", r#"["\x"]"#, "a"] {
            assert_eq!(read(shell), Ok(None), "{shell}");
        }
        assert!(read(r#"["a", 1]"#).is_err());
        assert!(read(r#"[{"a": 1}]"#).is_err());
    }
}
