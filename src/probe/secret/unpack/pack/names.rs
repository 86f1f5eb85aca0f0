//! What the trees of a pack call its objects.

use hashbrown::HashMap;

use super::{ID_LEN, Id};

/// Memory for names, in bytes: about three hundred thousand.
///
/// Trees of the newest commits come first, so the names that are missed are old.
const BYTES_MAX: usize = 16 << 20;

/// Memory for a name apart from its text.
const PLACE_BYTES: usize = 40;

/// Components of a path that are kept, from its end. The rules that look at paths need no more.
const DEPTH: usize = 4;

/// Longest path.
const PATH_MAX: usize = 512;

/// Paths of blobs and trees by id; the first that was seen, or a longer one.
#[derive(Default)]
pub(super) struct Names {
    places: HashMap<Id, Place>,
    text: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Place {
    start: u32,
    len: u16,
}

impl Names {
    /// The path, or its end, that an object has in a tree.
    pub(super) fn path(&self, id: &Id) -> Option<&[u8]> {
        self.places.get(id).map(|place| self.text_of(*place))
    }

    /// Takes the entries of a tree, as far as they can be read.
    pub(super) fn learn(&mut self, tree: &Id, content: &[u8]) {
        let mut path = self.path(tree).unwrap_or_default().to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        let dir = path.len();
        let mut rest = content;
        while let (true, Some((entry, behind))) = (self.has_room(), entry(rest)) {
            rest = behind;
            path.truncate(dir);
            path.extend_from_slice(entry.name);
            if !entry.is_other_repository && path.len() <= PATH_MAX {
                self.put(entry.id, end_of(&path));
            }
        }
    }

    fn put(&mut self, id: &Id, path: &[u8]) {
        // Trees may come before the one that tells where they are.
        let known = self.path(id);
        if known.is_some_and(|known| known.len() >= path.len() || !path.ends_with(known)) {
            return;
        }
        if let (Ok(start), Ok(len)) = (u32::try_from(self.text.len()), u16::try_from(path.len())) {
            self.text.extend_from_slice(path);
            self.places.insert(*id, Place { start, len });
        }
    }

    /// Whether more can be learnt.
    pub(super) fn has_room(&self) -> bool {
        self.text.len() + self.places.len() * PLACE_BYTES < BYTES_MAX
    }

    fn text_of(&self, place: Place) -> &[u8] {
        let start = usize::try_from(place.start).unwrap_or(usize::MAX);
        self.text.get(start..).and_then(|rest| rest.get(..usize::from(place.len))).unwrap_or_default()
    }
}

/// One line of a tree.
struct Line<'t> {
    name: &'t [u8],
    id: &'t Id,
    /// A submodule, whose id is a commit elsewhere.
    is_other_repository: bool,
}

fn entry(tree: &[u8]) -> Option<(Line<'_>, &[u8])> {
    let space = tree.iter().take(8).position(|&b| b == b' ')?;
    let (mode, rest) = tree.split_at(space);
    let rest = rest.get(1..)?;
    let end = rest.iter().position(|&b| b == 0)?;
    let (name, rest) = rest.split_at(end);
    let (id, rest) = rest.get(1..)?.split_first_chunk::<ID_LEN>()?;
    Some((Line { name, id, is_other_repository: mode == b"160000" }, rest))
}

/// The last components of a path.
fn end_of(path: &[u8]) -> &[u8] {
    let cut = path.iter().enumerate().rev().filter(|(_, b)| **b == b'/').nth(DEPTH - 1);
    cut.and_then(|(at, _)| path.get(at + 1..)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(lines: &[(&str, &str, u8)]) -> Vec<u8> {
        lines.iter().flat_map(|(mode, name, id)| [format!("{mode} {name}\0").as_bytes(), &[*id; 20]].concat()).collect()
    }

    #[test]
    fn paths_are_joined_from_the_trees() {
        let mut names = Names::default();
        // The inner tree comes first, and again.
        let inner = tree(&[("100644", "config.json", 3), ("120000", "link", 4)]);
        names.learn(&[2; 20], &inner);
        assert_eq!(names.path(&[3; 20]), Some(&b"config.json"[..]));
        names.learn(&[1; 20], &tree(&[("40000", ".docker", 2), ("160000", "module", 5), ("100755", "run", 6)]));
        names.learn(&[2; 20], &inner);
        assert_eq!(names.path(&[3; 20]), Some(&b".docker/config.json"[..]));
        assert_eq!(names.path(&[4; 20]), Some(&b".docker/link"[..]));
        assert_eq!((names.path(&[5; 20]), names.path(&[6; 20])), (None, Some(&b"run"[..])));
    }

    #[test]
    fn of_a_deep_path_the_end_is_kept() {
        assert_eq!(end_of(b"a/b/c/d/e"), b"b/c/d/e");
        assert_eq!(end_of(b"a/b/c/d"), b"a/b/c/d");
        assert_eq!(end_of(b""), b"");
    }

    #[test]
    fn a_broken_tree_gives_what_it_has() {
        let whole = tree(&[("100644", "a", 1), ("100644", "b", 2)]);
        for cut in 0..whole.len() {
            let mut names = Names::default();
            names.learn(&[9; 20], &whole[..cut]);
            assert_eq!((names.path(&[1; 20]).is_some(), names.path(&[2; 20])), (cut >= 29, None));
        }
    }

    #[test]
    fn memory_has_a_limit() {
        let mut names = Names::default();
        for n in 0_u32..1_000_000 {
            let line = [&b"100644 a-name-of-some-length\0"[..], &n.to_be_bytes(), &[0; 16]].concat();
            names.learn(&[0xff; 20], &line);
        }
        assert!((200_000..400_000).contains(&names.places.len()), "{}", names.places.len());
    }
}
