//! Reads the YAML of configuration files, line by line.
//!
//! Mappings, sequences, block scalars, quoted and flow values; tags and anchors are passed over. Not read: aliases, keys
//! with `?`, and plain values that go on in the next line. A template that is no YAML yet gives what can be read.

use super::{
    flow,
    part::Part,
    tree::{Builder, Kind, Raw, Style},
};

/// Reads all documents from `at` on.
pub(super) fn read<'a>(file: &'a [u8], at: usize, to: &mut Builder<'a>) {
    let mut reader = Reader { file, to, levels: Vec::new(), pending: None, unclosed: [false; 2] };
    let mut at = at;
    while at < file.len() {
        at = reader.line(at).max(at + 1);
    }
}

/// A mapping or a sequence that is open.
struct Level {
    indent: usize,
    kind: Kind,
}

struct Reader<'r, 'a> {
    file: &'a [u8],
    to: &'r mut Builder<'a>,
    levels: Vec<Level>,
    /// The key whose value follows in the next lines.
    pending: Option<Raw>,
    /// Whether a quote (`"`, `'`) was met that nothing closes; then none later has to be searched for.
    unclosed: [bool; 2],
}

impl<'a> Reader<'_, 'a> {
    /// Reads the line that begins here, and what belongs to it; returns where the next begins.
    fn line(&mut self, at: usize) -> usize {
        let line = self.rest_of_line(at);
        let next = line.span().end + 1;
        let text = line.trim();
        let indent = text.span().start - at;
        let bytes = text.bytes();
        if bytes.is_empty() || bytes.starts_with(b"#") || bytes.starts_with(b"{{") || bytes.starts_with(b"{%") {
            return next;
        }
        if indent == 0 && (bytes.starts_with(b"---") || bytes == b"...") {
            self.close_all();
            let rest = text.from(3).trim();
            return if rest.is_empty() || bytes == b"..." { next } else { self.value(rest, 0, Raw::EMPTY) };
        }
        self.entry(text, indent)
    }

    fn entry(&mut self, text: Part<'_>, indent: usize) -> usize {
        let next = text.span().end + 1;
        let (mut text, mut indent, mut item) = (text, indent, false);
        while matches!(text.bytes(), [b'-'] | [b'-', b' ' | b'\t', ..]) {
            if !self.enter(indent, Kind::List) {
                return next;
            }
            let inner = text.from(1).trim();
            item = true;
            indent += inner.span().start - text.span().start;
            text = inner;
        }
        if let Some((key, value)) = self.key(text) {
            if !self.enter(indent, Kind::Map) {
                return next;
            }
            return self.value(value, indent, key);
        }
        match item {
            true if !text.is_empty() => self.value(text, indent.saturating_sub(1), Raw::EMPTY),
            // A document that is one value, or what goes on from the line before.
            false if self.levels.is_empty() && matches!(text.bytes(), [b'{' | b'[', ..]) => {
                self.value(text, 0, Raw::EMPTY)
            }
            _ => next,
        }
    }

    /// Makes the mapping or sequence at this indent the innermost one.
    fn enter(&mut self, indent: usize, kind: Kind) -> bool {
        while let Some(level) = self.levels.last() {
            // A sequence may stand at the indent of its key.
            let beside = level.indent == indent && level.kind == Kind::List && kind == Kind::Map;
            if level.indent <= indent && !beside {
                break;
            }
            self.levels.pop();
            self.to.close();
            self.pending = None;
        }
        if self.levels.last().is_some_and(|level| level.indent == indent && level.kind == kind) {
            self.pending = None;
            return true;
        }
        if self.to.is_full() {
            return false;
        }
        self.to.open(self.pending.take().unwrap_or(Raw::EMPTY), kind);
        self.levels.push(Level { indent, kind });
        true
    }

    /// Splits `key: value`.
    fn key<'p>(&self, text: Part<'p>) -> Option<(Raw, Part<'p>)> {
        if let Some(b'"' | b'\'') = text.bytes().first() {
            let start = text.span().start;
            let (key, end) = flow::quoted(self.file.get(..text.span().end)?, start)?;
            let rest = text.from(end - start).trim();
            let value = rest.from(1);
            let ends = value.is_empty() || value.bytes().first().is_some_and(u8::is_ascii_whitespace);
            return (rest.bytes().starts_with(b":") && ends).then(|| (key, value.trim()));
        }
        if matches!(text.bytes().first(), Some(b'{' | b'[' | b'|' | b'>' | b'?' | b'%')) {
            return None;
        }
        let bytes = text.bytes();
        let sign = |at: &usize| {
            bytes.get(*at) == Some(&b':') && bytes.get(at + 1).is_none_or(|byte| matches!(byte, b' ' | b'\t'))
        };
        let sign = (0..bytes.len()).find(sign)?;
        let key = text.to(sign).trim();
        let comment = key.bytes().windows(2).any(|pair| pair == b" #");
        (!key.is_empty() && !comment).then_some(())?;
        Some((Raw::new(key.span(), Style::Plain)?, text.from(sign + 1).trim()))
    }

    /// Reads the value that begins here; returns where the next line begins.
    fn value(&mut self, text: Part<'_>, indent: usize, name: Raw) -> usize {
        let mut text = text;
        // Tags and anchors say nothing of the value.
        while matches!(text.bytes().first(), Some(b'!' | b'&')) {
            let len = text.bytes().iter().position(u8::is_ascii_whitespace).unwrap_or(text.bytes().len());
            text = text.from(len).trim();
        }
        let next = text.span().end + 1;
        let start = text.span().start;
        match text.bytes() {
            [] | [b'#', ..] => self.pending = Some(name),
            [b'{', b'{', ..] => self.plain(text, name),
            [b'{' | b'[', ..] => {
                let end = flow::read(self.file, start, name, self.to);
                return self.rest_of_line(end).span().end + 1;
            }
            [b'|' | b'>', head @ ..] if head.iter().all(|byte| !byte.is_ascii_alphabetic() || head.contains(&b'#')) => {
                return self.block(next, indent, name);
            }
            [quote @ (b'"' | b'\''), ..] => {
                let unclosed = self.unclosed.get_mut(usize::from(*quote == b'\''));
                let found = if unclosed.as_ref().is_some_and(|unclosed| **unclosed) {
                    flow::quoted(self.file.get(..text.span().end).unwrap_or_default(), start)
                } else {
                    let found = flow::quoted(self.file, start);
                    unclosed.into_iter().for_each(|unclosed| *unclosed = found.is_none());
                    found
                };
                if let Some((value, end)) = found {
                    self.to.leaf(name, value);
                    return self.rest_of_line(end).span().end + 1;
                }
            }
            _ => self.plain(text, name),
        }
        next
    }

    fn plain(&mut self, text: Part<'_>, name: Raw) {
        let comment = text.bytes().windows(2).position(|pair| pair == b" #" || pair == b"\t#");
        let text = comment.map_or(text, |end| text.to(end).trim());
        if let Some(value) = Raw::new(text.span(), Style::Plain) {
            self.to.leaf(name, value);
        }
    }

    /// Reads the lines behind `|` that are indented deeper than their key.
    fn block(&mut self, start: usize, indent: usize, name: Raw) -> usize {
        let (mut at, mut end, mut first) = (start, start, None);
        while at < self.file.len() {
            let line = self.rest_of_line(at);
            let text = line.trim();
            if !text.is_empty() {
                let depth = text.span().start - at;
                // The members of a sequence at the top may stand at the margin.
                if depth <= indent && !(self.levels.is_empty() && first.is_none()) {
                    break;
                }
                first.get_or_insert((depth, text.span().start));
                end = line.span().end;
            }
            at = line.span().end + 1;
        }
        if let Some((depth, first)) = first
            && let Some(value) = Raw::new(first..end, Style::Block(u16::try_from(depth).unwrap_or(u16::MAX)))
        {
            self.to.leaf(name, value);
        }
        at
    }

    fn close_all(&mut self) {
        self.levels.clear();
        self.to.close_to(0);
        self.pending = None;
    }

    fn rest_of_line(&self, at: usize) -> Part<'a> {
        let rest = self.file.get(at..).unwrap_or_default();
        Part::at(rest, at).to(memchr::memchr(b'\n', rest).unwrap_or(rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::flat;

    #[test]
    fn mappings_and_sequences_nest_by_indent() {
        let file = "a: one\nb:\n  c: two # comment\n  d:\n  - e: three\n    f: 'it''s'\n  - \"g\": \"x\\ty\"\nh:\n- i\n- - j\n  - k\n";
        let want = [
            "//a=one",
            "//b/c=two",
            "//b/d//e=three",
            "//b/d//f=it's",
            "//b/d//g=x\ty",
            "//h/=i",
            "//h//=j",
            "//h//=k",
        ];
        assert_eq!(flat(file), want);
        assert_eq!(flat(&file.replace('\n', "\r\n")), want);
    }

    #[test]
    fn blocks_lose_their_indent() {
        let file = "a: |\n  one\n    two\n\n  three\nb: >-\n  four\nc:\n  - |\n    five\n  - six\n";
        assert_eq!(
            flat(file),
            ["/a=one\n  two\n\nthree", "/b=four", "/c/=five", "/c/=six"].map(|line| format!("/{line}"))
        );
    }

    #[test]
    fn flow_values_quotes_and_tags_stand_in_lines() {
        let file = "a: {b: c, \"d\": [e,\n  f]}\ng: !!binary &x hi\nh: \"two\n  lines\"\ni: {{ .Values.x }}\nj: http://k:1 #no\n";
        assert_eq!(
            flat(file),
            ["//a/b=c", "//a/d/=e", "//a/d/=f", "//g=hi", "//h=two lines", "//i={{ .Values.x }}", "//j=http://k:1"]
        );
    }

    #[test]
    fn documents_are_told_apart() {
        assert_eq!(flat("---\na: 1\n---\na: 2\n...\n--- {a: 3}\n"), ["//a=1", "//a=2", "//a=3"]);
        assert_eq!(flat("# c\n{a: 3}"), ["//a=3"]);
    }

    #[test]
    fn noise_ends() {
        for noise in [
            "- ",
            "- -\n",
            "a: '\n",
            "a: \"\n",
            "a: {\n",
            "a: |\n",
            " a:\n",
            "?\n",
            ": \n",
            "\t",
            "'a': \n",
            "a:\n a:\n  - b: |\n",
        ] {
            let _ = flat(&noise.repeat(10_000));
        }
        let _ = flat(&(0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>());
    }
}
