//! Foreign text as HTML that can neither mark up nor disturb the page.
//!
//! Every string that is not a literal of the reporter goes through here, whatever is known of where it came from.

use crate::{model::ImagePath, report::text};

/// Columns of a text in a line of its own. No command that people wrote is longer, and a hostile one must not be repeated
/// in every finding.
const LONG: usize = 2_000;
/// Columns of a name, or of a command beside a finding.
const SHORT: usize = 240;

/// One line of text, at most as long as a paragraph.
pub(super) fn plain(text: &str) -> String {
    markup(&text::clip(&text::plain(head(text, LONG)), LONG))
}

/// A name, or the beginning of a command.
pub(super) fn short(text: &str) -> String {
    clipped(text, SHORT)
}

/// At most `columns` of a text.
pub(super) fn clipped(text: &str, columns: usize) -> String {
    markup(&text::clip(&text::plain(head(text, columns)), columns))
}

/// One line whose blanks mean something.
pub(super) fn verbatim(line: &str) -> String {
    markup(&text::clip(&text::verbatim(head(line, LONG)), LONG))
}

/// A path, whole unless it is absurdly long.
pub(super) fn path(path: &ImagePath) -> String {
    markup(&text::clip(&path.to_string(), LONG))
}

/// The beginning of a text that is long enough for a paragraph.
pub(super) fn start(text: &str) -> &str {
    head(text, LONG)
}

/// The beginning of a text, with more characters than so many columns need: the rest is never looked at.
fn head(text: &str, columns: usize) -> &str {
    let end = text.char_indices().nth(4 * columns + 4).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Escapes what means something in HTML, and shows what would be invisible.
fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if is_invisible(c) => {
                out.extend(c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\x{byte:02x}")));
            }
            _ => out.push(c),
        }
    }
    out
}

/// Characters that show nothing, so that two names look the same, and those that HTML forbids. Controls and what reorders
/// text are escaped before.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_marks_up() {
        assert_eq!(
            plain("</title><script>alert('1 & \"2\"')"),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)"
        );
        assert_eq!(plain("&lt;"), "&amp;lt;", "what is escaped already is shown as it is");
        assert_eq!(path(&"a/<b>".into()), "/a/&lt;b&gt;");
        assert_eq!(verbatim("  RUN a && b"), "  RUN a &amp;&amp; b");
    }

    #[test]
    fn what_can_not_be_seen_is_shown() {
        for (text, want) in [
            ("a\u{202e}b", "a\\xe2\\x80\\xaeb"),
            ("a\u{200b}b", "a\\xe2\\x80\\x8bb"),
            ("a\u{feff}b", "a\\xef\\xbb\\xbfb"),
            ("a\u{e0041}b", "a\\xf3\\xa0\\x81\\x81b"),
            ("a\u{fffe}b", "a\\xef\\xbf\\xbeb"),
            ("a\u{1}b", "a\\x01b"),
            ("日本 é \u{5d0}", "日本 é \u{5d0}"),
        ] {
            assert_eq!(plain(text), want);
        }
    }

    #[test]
    fn long_texts_are_cut_and_their_rest_is_not_looked_at() {
        assert_eq!(clipped("abcdef", 5), "ab...");
        let long = "日".repeat(4_000_000);
        assert!(short(&long).chars().count() < SHORT);
        assert!(plain(&long).ends_with("..."));
    }
}
