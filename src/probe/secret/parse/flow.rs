//! Reads what stands between braces and brackets: JSON, JSON with comments, and the flow style of YAML.
//!
//! Tolerant: what is no member is left out, and of a file that is cut everything before the cut is read.

use super::tree::{Builder, Kind, Raw, Style};

/// Reads one value from `at` on, and returns where it ends.
pub(super) fn read(file: &[u8], mut at: usize, name: Raw, to: &mut Builder<'_>) -> usize {
    let base = to.depth();
    let mut name = Some(name);
    loop {
        at = skip_blank(file, at);
        let Some(&byte) = file.get(at) else { break };
        match byte {
            b'{' | b'[' => {
                if to.is_full() {
                    // Nothing that people write; the rest has no place to go.
                    at = file.len();
                    break;
                }
                to.open(name.take().unwrap_or(Raw::EMPTY), if byte == b'{' { Kind::Map } else { Kind::List });
                at += 1;
            }
            b'}' | b']' => {
                at += 1;
                name = None;
                to.close_to(to.depth().saturating_sub(1).max(base));
            }
            b',' => {
                at += 1;
                name = None;
            }
            _ => {
                let (text, end) = scalar(file, at);
                at = end.max(at + 1);
                let Some(text) = text else { continue };
                if name.is_none() && to.kind() == Some(Kind::Map) {
                    let sign = skip_blank(file, at);
                    if file.get(sign) == Some(&b':') {
                        name = Some(text);
                        at = sign + 1;
                    }
                } else {
                    to.leaf(name.take().unwrap_or(Raw::EMPTY), text);
                }
            }
        }
        if to.depth() <= base {
            break;
        }
    }
    to.close_to(base);
    at
}

/// The text between quotes that begins here and where it ends; `None` when nothing closes it.
pub(super) fn quoted(file: &[u8], at: usize) -> Option<(Raw, usize)> {
    let quote = *file.get(at)?;
    let mut end = at + 1;
    loop {
        match *file.get(end)? {
            b'\\' if quote == b'"' => end += 2,
            byte if byte == quote => {
                if quote == b'\'' && file.get(end + 1) == Some(&quote) {
                    end += 2;
                    continue;
                }
                let style = if quote == b'"' { Style::Double } else { Style::Single };
                return Some((Raw::new(at + 1..end, style)?, end + 1));
            }
            _ => end += 1,
        }
    }
}

fn scalar(file: &[u8], at: usize) -> (Option<Raw>, usize) {
    let rest = file.get(at..).unwrap_or_default();
    if matches!(rest.first(), Some(b'"' | b'\'')) {
        // What is never closed has no end that could be told.
        return quoted(file, at).map_or((None, file.len()), |(text, end)| (Some(text), end));
    }
    let ends = |no: usize, byte: u8| {
        let next = rest.get(no + 1);
        match byte {
            b',' | b'}' | b']' | b'\n' | b'\r' => true,
            b':' => next.is_none_or(|next| next.is_ascii_whitespace()),
            b' ' | b'\t' => next == Some(&b'#'),
            _ => false,
        }
    };
    let len = rest.iter().enumerate().position(|(no, &byte)| ends(no, byte)).unwrap_or(rest.len());
    let len = rest.get(..len).unwrap_or_default().trim_ascii_end().len();
    (Raw::new(at..at + len, Style::Plain).filter(|_| len > 0), at + len)
}

/// Where something stands behind blanks and comments.
fn skip_blank(file: &[u8], mut at: usize) -> usize {
    while let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) {
        let line = || memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        at += match rest {
            [byte, ..] if byte.is_ascii_whitespace() => 1,
            [b'#', ..] | [b'/', b'/', ..] => line(),
            [b'/', b'*', ..] => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
            _ => break,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::testing::flat;

    #[test]
    fn members_have_their_names_and_values() {
        let file = r#"{"a": "x\ny\u0041", "b": {"c": [1, "two", {"d": null}], "e": true}, "f\"g": "h"}"#;
        assert_eq!(flat(file), ["//a=x\nyA", "//b/c/=1", "//b/c/=two", "//f\"g=h"]);
    }

    #[test]
    fn comments_and_trailing_commas_do_no_harm() {
        let file = "\u{feff}{ // one\r\n /* two \" */ \"a\": \"b\", # three\n \"c\": [ 'd', ], e: f g, }";
        assert_eq!(flat(file), ["//a=b", "//c/=d", "//e=f g"]);
    }

    #[test]
    fn of_a_cut_file_everything_before_the_cut_is_read() {
        let file = r#"{"a": "one", "b": {"c": "two"}, "d": ["three"]}"#;
        let whole = flat(file);
        for end in 0..file.len() {
            let cut = flat(&file[..end]);
            assert!(cut.len() <= whole.len(), "{end}");
            assert!(cut.iter().zip(&whole).all(|(a, b)| a == b || end < file.len()), "{end}");
        }
        assert_eq!(flat(&file[..20]), ["//a=one"]);
    }

    #[test]
    fn nesting_and_noise_end() {
        for noise in ["[", "{", "{\"a\":", "]", ":", ",", "'", "{a:", "[[]", "{\"a\" \"b\"", "/*", "{{}"] {
            let _ = flat(&noise.repeat(20_000));
        }
    }
}
