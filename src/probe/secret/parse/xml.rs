//! Reads XML into a [`Tree`]: elements are maps, attributes and texts are values in them.
//!
//! A text has no name. What is not well-formed is read as far as it goes; entities that a document declares
//! itself are left as they are.

use super::{
    part::Part,
    tree::{Builder, Kind, Raw, Style, Tree},
};

/// Name of what stands between tags.
pub(super) const TEXT: &str = "";

/// Reads a whole file.
pub(super) fn read(file: &[u8]) -> Tree<'_> {
    let mut builder = Builder::new(file);
    let mut rest = Part::file(file);
    // Elements that are too deep to be opened, and so need no end.
    let mut skipped = 0_usize;
    while !rest.is_empty() {
        let bytes = rest.bytes();
        let end = |mark: &[u8]| memchr::memmem::find(bytes, mark).map_or(bytes.len(), |at| at + mark.len());
        let len = if bytes.starts_with(b"<!--") {
            end(b"-->")
        } else if let Some(inner) = rest.strip_prefix("<![CDATA[") {
            let len = memchr::memmem::find(inner.bytes(), b"]]>").unwrap_or(inner.bytes().len());
            text(&mut builder, inner.to(len), Style::Plain);
            end(b"]]>")
        } else if bytes.starts_with(b"<?") || bytes.starts_with(b"<!") {
            end(b">")
        } else if bytes.starts_with(b"</") {
            let len = end(b">");
            close(&mut builder, rest.to(len).from(2), &mut skipped);
            len
        } else if bytes.starts_with(b"<") {
            open(&mut builder, rest, &mut skipped)
        } else {
            let len = memchr::memchr(b'<', bytes).unwrap_or(bytes.len());
            text(&mut builder, rest.to(len), Style::Xml);
            len
        };
        rest = rest.from(len.max(1));
    }
    builder.end()
}

fn text(builder: &mut Builder<'_>, part: Part<'_>, style: Style) {
    let part = part.trim();
    let Some(value) = Raw::new(part.span(), style).filter(|_| !part.is_empty()) else { return };
    builder.leaf(Raw::EMPTY, value);
}

fn close(builder: &mut Builder<'_>, tag: Part<'_>, skipped: &mut usize) {
    if *skipped > 0 {
        *skipped -= 1;
        return;
    }
    let name = tag.to(tag.bytes().iter().position(|byte| !is_name(*byte)).unwrap_or(tag.bytes().len()));
    let up = builder.open_names().position(|open| open == name.bytes());
    if let Some(up) = up {
        builder.close_to(builder.depth().saturating_sub(up + 1));
    }
}

/// Opens an element with its attributes; returns the length of the tag.
fn open(builder: &mut Builder<'_>, tag: Part<'_>, skipped: &mut usize) -> usize {
    let name_len = tag.from(1).bytes().iter().take_while(|byte| is_name(**byte)).count();
    let name = tag.from(1).to(name_len);
    let Some(raw) = Raw::new(name.span(), Style::Plain).filter(|_| name_len > 0) else { return 1 };
    let opens = !builder.is_full();
    if opens {
        builder.open(raw, Kind::Map);
    }
    let mut at = 1 + name_len;
    while let Some(&byte) = tag.bytes().get(at) {
        match byte {
            b'>' => {
                at += 1;
                break;
            }
            b'<' => break,
            _ if is_name(byte) => {
                let (attribute, len) = attribute(tag.from(at));
                if let Some((name, value)) = attribute.filter(|_| opens) {
                    builder.leaf(name, value);
                }
                at += len.max(1);
            }
            _ => at += 1,
        }
    }
    match (opens, tag.to(at).bytes().ends_with(b"/>")) {
        (true, true) => builder.close(),
        (false, false) => *skipped += 1,
        _ => {}
    }
    at
}

/// `name="value"`, and its length.
fn attribute(text: Part<'_>) -> (Option<(Raw, Raw)>, usize) {
    let bytes = text.bytes();
    let name_len = bytes.iter().take_while(|byte| is_name(**byte)).count();
    let blank = |at: usize| bytes.iter().skip(at).take_while(|byte| byte.is_ascii_whitespace()).count();
    let sign = name_len + blank(name_len);
    if bytes.get(sign) != Some(&b'=') {
        return (None, name_len);
    }
    let start = sign + 1 + blank(sign + 1);
    let Some(&quote @ (b'"' | b'\'')) = bytes.get(start) else { return (None, start) };
    let inner = text.from(start + 1);
    let Some(len) = memchr::memchr(quote, inner.bytes()) else { return (None, bytes.len()) };
    let name = Raw::new(text.to(name_len).span(), Style::Plain);
    let value = Raw::new(inner.to(len).span(), Style::Xml);
    (name.zip(value), start + len + 2)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(file: &str) -> Vec<String> {
        let tree = read(file.as_bytes());
        let leaf =
            |node| tree.leaf(node).map(|leaf| format!("{}={}", tree.name(node), String::from_utf8_lossy(&leaf.value)));
        tree.all().filter_map(leaf).collect()
    }

    #[test]
    fn attributes_and_texts_are_members() {
        let file = "<?xml version='1.0'?><!-- <no x='1'/> --><a b=\"c &amp; &#x41;\">\n d<![CDATA[<e>]]><f g='h'/></a><i>j</i>";
        assert_eq!(show(file), ["b=c & A", "=d", "=<e>", "g=h", "=j"]);
        let tree = read(file.as_bytes());
        let top: Vec<String> = tree.documents().map(|node| tree.name(node)).collect();
        assert_eq!(top, ["a", "i"]);
        let a = tree.documents().next().unwrap();
        assert_eq!(tree.at(a, &["f", "g"]).and_then(|node| tree.leaf(node)).unwrap().value, b"h");
    }

    #[test]
    fn broken_files_are_read_as_far_as_they_go() {
        assert_eq!(show("<a b='c' d><e>f</a>g"), ["b=c", "=f", "=g"]);
        for noise in ["<", "<a", "<a>", "</a>", "<a b='", "<!--", "&#x;", "<a b=c/>", "<![CDATA["] {
            let _ = show(&noise.repeat(10_000));
        }
    }
}
