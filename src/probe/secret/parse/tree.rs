//! Names and values of JSON, YAML and XML, in one form that remembers where each value stands.
//!
//! Nodes lie in the order of the file, each before what is in it, so nothing here or in its readers is recursive.

use std::ops::Range;

use super::{
    flow,
    part::{NAME_MAX, Part},
    yaml,
};

/// Most nodes of one file; what comes behind them is not read. The largest Terraform state that was seen has 40,000.
const NODES_MAX: usize = 1 << 18;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 128;

/// Position of a node.
pub(super) type NodeNo = usize;

/// What a node is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Members with names.
    Map,
    /// Members without.
    List,
    /// A value.
    Text,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// Between `'`, which is doubled.
    Single,
    /// Between `"`, with `\` escapes.
    Double,
    /// Lines that are indented by so many bytes.
    Block(u16),
    /// With entities.
    Xml,
}

/// A text of the file, still as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    start: u32,
    end: u32,
    style: Style,
}

impl Raw {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0, style: Style::Plain };

    /// The text in these bytes; `None` in files larger than parsers get.
    pub(super) fn new(span: Range<usize>, style: Style) -> Option<Self> {
        Some(Self { start: u32::try_from(span.start).ok()?, end: u32::try_from(span.end).ok()?, style })
    }

    fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

struct Node {
    kind: Kind,
    /// Behind the last node in it.
    end: u32,
    name: Raw,
    value: Raw,
}

/// A value, decoded, and where it stands.
pub(super) struct Leaf {
    pub(super) span: Range<usize>,
    pub(super) value: Vec<u8>,
}

/// A file as nodes.
pub(super) struct Tree<'a> {
    file: &'a [u8],
    nodes: Vec<Node>,
}

impl<'a> Tree<'a> {
    /// Reads JSON, also with comments, and the YAML that people write.
    pub(super) fn read(file: &'a [u8]) -> Self {
        let mut builder = Builder::new(file);
        let text = Part::file(file);
        match text.trim().bytes().first() {
            Some(b'{' | b'[') if !text.trim().bytes().starts_with(b"{{") => {
                flow::read(file, text.span().start, Raw::EMPTY, &mut builder);
            }
            _ => yaml::read(file, text.span().start, &mut builder),
        }
        builder.end()
    }

    /// The values at the top: one in JSON, one for each document in YAML.
    pub(super) fn documents(&self) -> impl Iterator<Item = NodeNo> {
        self.children_in(0, self.nodes.len())
    }

    /// What is directly in a node.
    pub(super) fn children(&self, node: NodeNo) -> impl Iterator<Item = NodeNo> {
        self.children_in(node.saturating_add(1), self.end(node))
    }

    /// Everything in a node, at any depth.
    pub(super) fn within(&self, node: NodeNo) -> Range<NodeNo> {
        node.saturating_add(1)..self.end(node).max(node.saturating_add(1))
    }

    /// All nodes.
    pub(super) fn all(&self) -> Range<NodeNo> {
        0..self.nodes.len()
    }

    /// The member of that name.
    pub(super) fn child(&self, node: NodeNo, name: &str) -> Option<NodeNo> {
        self.children(node).find(|&child| self.is_named(child, name))
    }

    /// The member at the end of a path of names.
    pub(super) fn at(&self, node: NodeNo, path: &[&str]) -> Option<NodeNo> {
        path.iter().try_fold(node, |node, name| self.child(node, name))
    }

    pub(super) fn kind(&self, node: NodeNo) -> Option<Kind> {
        self.nodes.get(node).map(|node| node.kind)
    }

    pub(super) fn is_named(&self, node: NodeNo, name: &str) -> bool {
        self.nodes.get(node).is_some_and(|node| {
            self.file.get(node.name.span()) == Some(name.as_bytes()) || {
                let escaped = self.file.get(node.name.span()).is_some_and(|raw| raw.contains(&b'\\'));
                escaped && self.decode(node.name) == name.as_bytes()
            }
        })
    }

    /// The name of a member; empty in a list.
    pub(super) fn name(&self, node: NodeNo) -> String {
        self.nodes.get(node).map(|node| self.beginning(node.name)).unwrap_or_default()
    }

    /// The value of a node that has one: a text or a number.
    pub(super) fn leaf(&self, node: NodeNo) -> Option<Leaf> {
        let node = self.nodes.get(node).filter(|node| node.kind == Kind::Text)?;
        let value = self.decode(node.value);
        let none: &[&[u8]] = &[b"", b"null", b"~", b"true", b"false", b"yes", b"no", b"none"];
        let empty = node.value.style == Style::Plain && none.iter().any(|word| value.eq_ignore_ascii_case(word));
        (!empty && !value.is_empty()).then(|| Leaf { span: node.value.span(), value })
    }

    /// The value of the member of that name.
    pub(super) fn value(&self, node: NodeNo, name: &str) -> Option<Leaf> {
        self.leaf(self.child(node, name)?)
    }

    /// The same, as a text to print or to compare with.
    pub(super) fn word(&self, node: NodeNo, name: &str) -> Option<String> {
        let value = self.nodes.get(self.child(node, name)?).filter(|node| node.kind == Kind::Text)?.value;
        Some(self.beginning(value)).filter(|word| !word.is_empty())
    }

    /// Whether the member of that name is written as `true`.
    pub(super) fn is_true(&self, node: NodeNo, name: &str) -> bool {
        let value = self.child(node, name).and_then(|child| self.nodes.get(child)).map(|node| node.value);
        value.is_some_and(|value| value.style == Style::Plain && self.file.get(value.span()) == Some(b"true"))
    }

    fn end(&self, node: NodeNo) -> usize {
        self.nodes.get(node).map_or(0, |node| node.end as usize)
    }

    fn children_in(&self, from: NodeNo, to: NodeNo) -> impl Iterator<Item = NodeNo> {
        let mut next = from;
        std::iter::from_fn(move || {
            let child = (next < to).then_some(next)?;
            next = self.end(child).max(child + 1);
            Some(child)
        })
    }

    /// As much of a text as is told: names come again with each value.
    fn beginning(&self, raw: Raw) -> String {
        let end = raw.end.min(raw.start.saturating_add(NAME_MAX as u32));
        String::from_utf8_lossy(&self.decode(Raw { end, ..raw })).into_owned()
    }

    fn decode(&self, raw: Raw) -> Vec<u8> {
        let bytes = self.file.get(raw.span()).unwrap_or_default();
        match raw.style {
            Style::Plain => bytes.to_vec(),
            Style::Single => replace_all(bytes, b"''", b"'"),
            Style::Double => unescape(bytes),
            Style::Block(indent) => dedent(bytes, indent.into()),
            Style::Xml => entities(bytes),
        }
    }
}

/// Takes nodes from a reader.
pub(super) struct Builder<'a> {
    tree: Tree<'a>,
    open: Vec<NodeNo>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self { tree: Tree { file, nodes: Vec::new() }, open: Vec::new() }
    }

    /// How many nodes are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether nothing more can be opened.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= DEPTH_MAX || self.tree.nodes.len() >= NODES_MAX
    }

    /// What the innermost open node is.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.tree.kind(*self.open.last()?)
    }

    /// The open nodes, innermost first, by name as it is written.
    pub(super) fn open_names(&self) -> impl Iterator<Item = &'a [u8]> {
        let file = self.tree.file;
        self.open.iter().rev().filter_map(move |&no| file.get(self.tree.nodes.get(no)?.name.span()))
    }

    pub(super) fn open(&mut self, name: Raw, kind: Kind) {
        self.open.push(self.tree.nodes.len());
        self.tree.nodes.push(Node { kind, end: u32::MAX, name, value: Raw::EMPTY });
    }

    pub(super) fn leaf(&mut self, name: Raw, value: Raw) {
        if self.tree.nodes.len() < NODES_MAX {
            let end = self.tree.nodes.len() as u32 + 1;
            self.tree.nodes.push(Node { kind: Kind::Text, end, name, value });
        }
    }

    pub(super) fn close(&mut self) {
        let end = self.tree.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|no| self.tree.nodes.get_mut(no)) {
            node.end = end;
        }
    }

    pub(super) fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            self.close();
        }
    }

    pub(super) fn end(mut self) -> Tree<'a> {
        self.close_to(0);
        self.tree
    }
}

fn replace_all(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((&byte, others)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(others) => {
                out.extend_from_slice(to);
                rest = others;
            }
            None => {
                out.push(byte);
                rest = others;
            }
        }
    }
    out
}

/// The escapes of JSON and YAML; a line break is one space.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((&byte, others)) = rest.split_first() {
        rest = others;
        match (byte, others.first()) {
            (b'\\', Some(&escape)) => {
                rest = others.get(1..).unwrap_or_default();
                let digits = match escape {
                    b'x' => 2,
                    b'u' => 4,
                    b'U' => 8,
                    _ => 0,
                };
                match escape {
                    b'n' => out.push(b'\n'),
                    b't' => out.push(b'\t'),
                    b'r' => out.push(b'\r'),
                    b'0' => out.push(0),
                    b'x' | b'u' | b'U' => {
                        let (number, behind) = rest.split_at(digits.min(rest.len()));
                        let number = std::str::from_utf8(number).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
                        let character = number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                        rest = behind;
                    }
                    b'\n' => rest = rest.trim_ascii_start(),
                    other => out.push(other),
                }
            }
            (b'\n', _) => {
                out.truncate(out.trim_ascii_end().len());
                out.push(b' ');
                rest = rest.trim_ascii_start();
            }
            _ => out.push(byte),
        }
    }
    out
}

fn dedent(bytes: &[u8], indent: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let blank = line.iter().take(indent).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let line = line.get(blank..).unwrap_or_default();
        match line.strip_suffix(b"\r\n") {
            Some(line) => out.extend([line, b"\n"].concat()),
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn entities(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((&byte, others)) = rest.split_first() {
        let end = if byte == b'&' { rest.iter().take(12).position(|&byte| byte == b';') } else { None };
        let character = end.and_then(|end| entity(rest.get(1..end)?));
        match (character, end) {
            (Some(character), Some(end)) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push(byte);
                rest = others;
            }
        }
    }
    out
}

fn entity(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(number.ok()?)
        }
        _ => None,
    }
}
