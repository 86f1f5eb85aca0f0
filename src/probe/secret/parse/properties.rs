//! Reads Java's properties: `name=value`, `name: value` or `name value`, with lines that go on behind a backslash.
//!
//! Format: documentation of `java.util.Properties.load`.

use std::ops::Range;

use super::part::Part;

/// A name, its value and where the value stands.
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
    pub(super) span: Range<usize>,
}

/// The properties, in order.
pub(super) fn properties(file: Part<'_>) -> impl Iterator<Item = Property> {
    let mut lines = file.lines();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?.trim();
            if line.is_empty() || matches!(line.bytes().first(), Some(b'#' | b'!')) {
                continue;
            }
            // What goes on is joined only when there is more; the span reaches over all of it.
            let mut text = line.bytes().to_vec();
            let mut end = line.span().end;
            while goes_on(&text) {
                text.pop();
                let Some(more) = lines.next() else { break };
                let more = more.trim();
                text.extend_from_slice(more.bytes());
                end = more.span().end;
            }
            let Some((name, sign)) = name(&text) else { continue };
            let value = text.get(sign..).unwrap_or_default();
            let start = (line.span().start + sign).min(end);
            return Some(Property { name, value: unescape(value), span: start..end });
        }
    })
}

fn goes_on(text: &[u8]) -> bool {
    text.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// The name, and where the value begins.
fn name(text: &[u8]) -> Option<(String, usize)> {
    let mut escaped = false;
    let ends = |&byte: &u8| {
        let ends = !escaped && (matches!(byte, b'=' | b':') || byte.is_ascii_whitespace());
        escaped = !escaped && byte == b'\\';
        ends
    };
    let len = text.iter().position(ends)?;
    let blank = |at: usize| text.iter().skip(at).take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut value = len + blank(len);
    if matches!(text.get(value), Some(b'=' | b':')) {
        value += 1;
        value += blank(value);
    }
    let name = unescape(text.get(..len)?);
    Some((String::from_utf8_lossy(&name).into_owned(), value))
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'\\' {
            out.extend(bytes.next().copied());
        } else {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_parted_by_any_of_three_signs() {
        let file = "# no=1\n!no=2\na=1\n b : 2\nc 3 4\nd\\=e = f\\:g\nh = one \\\r\n   two\n\nlast=\\";
        let read: Vec<_> = properties(Part::file(file.as_bytes()))
            .map(|property| format!("{}={}", property.name, String::from_utf8_lossy(&property.value)))
            .collect();
        assert_eq!(read, ["a=1", "b=2", "c=3 4", "d=e=f:g", "h=one two", "last="]);
        let spans: Vec<_> = properties(Part::file(file.as_bytes())).map(|p| file[p.span].to_string()).collect();
        assert_eq!(spans, ["1", "2", "3 4", "f\\:g", "one \\\r\n   two", "\\"]);
    }
}
