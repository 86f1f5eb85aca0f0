//! Looks for texts in files of certain names: in their first bytes, or anywhere.
//!
//! What is looked for comes from the catalogue. A file whose name nothing is looked for under costs a look-up of its
//! name and nothing else.

use crate::model::{Fact, Format, FormatSet, NameIndex, Shape, ShapeWant, path};

use super::sieve::{LITERAL_MAX, Search, Sieve};

/// Bytes that count as the head of a file.
const HEAD: usize = 512;

/// Directories of installed packages (the last is Debian's, `/usr/share/nodejs`): what lies in them has an owner, so
/// their files are not searched to the end.
const PACKAGED: [&[u8]; 4] = [b"node_modules", b"site-packages", b"dist-packages", b"nodejs"];

/// A piece of a hole.
const ZEROS: [u8; HEAD] = [0; HEAD];

/// What is looked for under which names, compiled.
#[derive(Debug)]
pub struct Shapes {
    index: NameIndex<u16>,
    wants: Vec<ShapeWant>,
    sieve: Sieve,
}

impl Shapes {
    /// Compiles what the catalogue looks for; more than 65,535 tables are never looked for.
    pub fn new(wants: impl IntoIterator<Item = ShapeWant>) -> Self {
        let mut index = NameIndex::default();
        let mut all = Vec::new();
        for want in wants {
            let Ok(number) = u16::try_from(all.len()) else { break };
            want.names.iter().for_each(|name| index.insert(name, number));
            all.push(want);
        }
        let any = FormatSet::from_iter([Format::Text]);
        let mut texts: Vec<&[u8]> = all.iter().flat_map(|want| &want.body).map(|text| text.as_bytes()).collect();
        texts.sort_unstable();
        texts.dedup();
        let sieve = Sieve::new(texts.into_iter().map(|text| (text, any)));
        Self { index, wants: all, sieve }
    }
}

/// What there is to say about a file at `path` that is just `body`.
pub fn shape_of(shapes: &Shapes, path: &[u8], body: &[u8]) -> Option<Fact> {
    let mut look = ShapeLook::new(shapes);
    look.begin(path);
    look.feed(body);
    look.end()
}

/// Looks at one file at a time.
pub(super) struct ShapeLook<'p> {
    shapes: &'p Shapes,
    /// What is looked for in this file.
    wants: Vec<u16>,
    head: Vec<u8>,
    to_the_end: bool,
    search: Search,
    hits: Vec<u16>,
}

impl<'p> ShapeLook<'p> {
    pub fn new(shapes: &'p Shapes) -> Self {
        let (wants, head, hits) = Default::default();
        Self { shapes, wants, head, to_the_end: false, search: Search::default(), hits }
    }

    pub fn begin(&mut self, path: &[u8]) {
        self.wants.clear();
        self.wants.extend(self.shapes.index.find(path::name(path)));
        if self.wants.is_empty() {
            return;
        }
        self.head.clear();
        self.hits.clear();
        self.search.restart();
        let packaged = || path.split(|&b| b == b'/').any(|part| PACKAGED.contains(&part));
        self.to_the_end = self.wanted().any(|want| !want.body.is_empty()) && !packaged();
    }

    pub fn feed(&mut self, piece: &[u8]) {
        if self.wants.is_empty() {
            return;
        }
        let room = HEAD.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..room).unwrap_or_default());
        if self.to_the_end {
            let Self { shapes, search, hits, .. } = self;
            search.feed(&shapes.sieve, Format::Text, piece, |number, _| {
                if !hits.contains(&number) {
                    hits.push(number);
                }
            });
        }
    }

    /// Passes over a hole, which no text lies in.
    pub fn skip(&mut self, zeros: u64) {
        if !self.wants.is_empty() {
            let some = usize::try_from(zeros).map_or(HEAD, |zeros| zeros.min(HEAD));
            self.feed(ZEROS.get(..some).unwrap_or_default());
            self.search.jump(zeros.saturating_sub(some as u64));
        }
    }

    pub fn end(&mut self) -> Option<Fact> {
        if self.wants.is_empty() {
            return None;
        }
        let mut shape = Shape::default();
        for want in self.wanted() {
            shape.head.extend(want.head.iter().filter(|text| holds(&self.head, text.as_bytes())).cloned());
            let found = |text: &&String| self.hits.iter().any(|&hit| self.shapes.sieve.literal(hit) == text.as_bytes());
            shape.body.extend(want.body.iter().filter(found).cloned());
        }
        self.wants.clear();
        for texts in [&mut shape.head, &mut shape.body] {
            texts.sort_unstable();
            texts.dedup();
        }
        (shape != Shape::default()).then_some(Fact::Shape(shape))
    }

    fn wanted(&self) -> impl Iterator<Item = &'p ShapeWant> {
        self.wants.iter().filter_map(|&at| self.shapes.wants.get(usize::from(at)))
    }
}

fn holds(head: &[u8], text: &[u8]) -> bool {
    // To compare at every place would be a call for each; one byte is compared in place.
    let Some((first, rest)) = text.split_first() else { return false };
    let starts = head.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.into_iter().any(|(at, _)| head.get(at + 1..).is_some_and(|after| after.starts_with(rest)))
}

const _: () = assert!(HEAD >= 2 * LITERAL_MAX, "a text could be found across a hole");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NamePattern;

    fn shapes() -> Shapes {
        let want = |name: &str, head: &[&str], body: &[&str]| ShapeWant {
            names: vec![NamePattern::new(name)],
            head: head.iter().map(|text| text.to_string()).collect(),
            body: body.iter().map(|text| text.to_string()).collect(),
        };
        Shapes::new([
            want("*.js.map", &["\"version\":3"], &["\"sourcesContent\":[\""]),
            want("*.js", &[], &["sourceMappingURL=data:"]),
            want("HEAD", &["ref: refs/"], &[]),
        ])
    }

    fn texts(path: &str, body: &[u8], piece: usize) -> Option<(Vec<String>, Vec<String>)> {
        let shapes = shapes();
        let mut look = ShapeLook::new(&shapes);
        look.begin(path.as_bytes());
        body.chunks(piece).for_each(|piece| look.feed(piece));
        match look.end()? {
            Fact::Shape(shape) => Some((shape.head, shape.body)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_are_found_however_the_body_is_cut_and_only_under_their_names() {
        let map = [&b"{\"version\":3,"[..], &[b' '; 3000], b"\"sourcesContent\":[\"import x\"]}"].concat();
        let want = Some((vec!["\"version\":3".to_string()], vec!["\"sourcesContent\":[\"".to_string()]));
        for piece in [1, 7, 511, 512, 513, map.len()] {
            assert_eq!(texts("app/dist/a.js.map", &map, piece), want, "{piece}");
        }
        assert_eq!(texts("app/dist/a.map", &map, 100), None);
        assert_eq!(texts("app/dist/a.js", &map, 100), None);
        let late = [&[b' '; HEAD][..], b"ref: refs/heads/main"].concat();
        assert_eq!(texts("x/HEAD", &late, 100), None, "the head is the first 512 bytes");
    }

    #[test]
    fn files_of_installed_packages_are_not_searched_to_the_end() {
        let body = b"//# sourceMappingURL=data:application/json";
        assert!(texts("app/dist/a.js", body, 9).is_some());
        assert_eq!(texts("app/node_modules/a/a.js", body, 9), None);
    }

    #[test]
    fn a_hole_costs_nothing_and_joins_no_texts() {
        let shapes = shapes();
        let mut look = ShapeLook::new(&shapes);
        look.begin(b"a.js");
        look.feed(b"sourceMapping");
        look.skip(1 << 62);
        look.feed(b"URL=data:");
        assert_eq!(look.end(), None);
    }
}
