//! Lays the layers over each other, as an overlay file system does, by plain names.
//!
//! Links are not followed here: an entry `bin/x` above a link `bin -> usr/bin` turns `bin` into a directory, because
//! that is what the kernel's overlay shows. Opaque marks and whiteouts hide lower layers only, wherever they stand in
//! their archive. What is hidden is kept as buried, since its bytes still ship.

use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;

use crate::model::{Entry, EntryId, EntryTable, Format, Kind, LayerFacts, Whiteout, path};

/// One file of the image: where it is, and whether something hides it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Node {
    /// The layer that brought it, the lowest is 0.
    pub layer: u32,
    /// Its row in the table of that layer, or in the table of implied directories.
    pub entry: EntryId,
    /// Whether the row is in the table of implied directories.
    pub implied: bool,
    /// The layer that hid it, for a buried file.
    pub hidden_by: Option<u32>,
}

/// The result of the merge: live nodes sorted by path, then buried nodes sorted by path and layer.
pub(super) struct Merged {
    pub nodes: Vec<Node>,
    pub live: usize,
    /// Directories that no live archive entry made but that live files lie in.
    pub implied: EntryTable,
}

/// What the layers above the one being read say about one path. Every number is the nearest such layer.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Has an entry here, or files below here.
    entry: Option<u32>,
    /// Has something other than a directory here, or a whiteout of this path.
    gone: Option<u32>,
    /// Hides what lower layers put below this path: as `gone`, or by an opaque mark.
    below: Option<u32>,
    /// Has files below here without an entry for this directory, which is live.
    implied: Option<u32>,
    /// Whether a live directory entry describes this path.
    described: bool,
}

type Sight<'a> = HashMap<&'a [u8], Seen>;

/// Merges the layers, lowest first.
pub(super) fn merge(layers: &[LayerFacts]) -> Merged {
    let mut seen = Sight::default();
    seen.reserve(layers.iter().map(|l| l.entries.len()).max().unwrap_or(0));
    let (mut live, mut buried, mut implied_paths) = (Vec::new(), Vec::new(), Vec::new());

    for (number, facts) in layers.iter().enumerate().rev() {
        let layer = number as u32;
        let first = live.len();
        let mut upper = Upper::default();
        for entry in facts.entries.iter() {
            let node = |hidden_by| Node { layer, entry: entry.id, implied: false, hidden_by };
            match upper.verdict(&seen, &entry) {
                Verdict::Live => live.push(node(None)),
                Verdict::Merged => {}
                Verdict::Hidden(by) => buried.push(node(Some(by))),
            }
        }
        record_entries(&mut seen, facts, layer);
        for dir in live[first..].iter().filter_map(|n| facts.entries.get(n.entry)).filter(|e| e.kind == Kind::Dir) {
            seen.entry(dir.path).or_default().described = true;
        }
        record_parents(&mut seen, facts, layer, &mut implied_paths);
        record_whiteouts(&mut seen, facts, layer);
    }

    let mut implied = EntryTable::default();
    for path in implied_paths {
        let Some(&Seen { implied: Some(layer), described: false, .. }) = seen.get(path) else { continue };
        if let Some(entry) = implied.push(&implied_dir(path)) {
            live.push(Node { layer, entry, implied: true, hidden_by: None });
        }
    }
    drop(seen);

    let count = live.len();
    let mut nodes = sorted(layers, &implied, live);
    nodes.extend(sorted(layers, &implied, buried));
    nodes.shrink_to_fit();
    Merged { nodes, live: count, implied }
}

/// Sorts nodes by path, then by layer. Stable sorting is the faster one here: archives list most directories in order.
fn sorted(layers: &[LayerFacts], implied: &EntryTable, nodes: Vec<Node>) -> Vec<Node> {
    let path = |node: &Node| table(layers, implied, node).get(node.entry).map_or(&b""[..], |e| e.path);
    let mut keyed: Vec<(&[u8], Node)> = nodes.into_iter().map(|node| (path(&node), node)).collect();
    keyed.par_sort_by(|(a, one), (b, other)| a.cmp(b).then(one.layer.cmp(&other.layer)));
    keyed.into_iter().map(|(_, node)| node).collect()
}

/// The table that holds a node's row.
pub(super) fn table<'a>(layers: &'a [LayerFacts], implied: &'a EntryTable, node: &Node) -> &'a EntryTable {
    match layers.get(node.layer as usize) {
        Some(facts) if !node.implied => &facts.entries,
        _ => implied,
    }
}

enum Verdict {
    /// Part of the finished tree.
    Live,
    /// A directory that an upper layer describes again; both are one directory.
    Merged,
    /// Hidden by that layer.
    Hidden(u32),
}

/// Answers for the entries of one layer what the layers above make of them.
#[derive(Default)]
struct Upper<'a> {
    /// The path asked for last.
    last: &'a [u8],
    /// For every directory of it the length of its path, and the nearest upper layer that hides what is below it or
    /// one above it: archives list the files of a directory together.
    dirs: Vec<(usize, Option<u32>)>,
}

impl<'a> Upper<'a> {
    fn verdict(&mut self, seen: &Sight<'a>, entry: &Entry<'a>) -> Verdict {
        let above = seen.get(entry.path).copied().unwrap_or_default();
        let over = if entry.kind == Kind::Dir { None } else { above.entry };
        match [self.parent_hidden(seen, entry.path), above.gone, over].into_iter().flatten().min() {
            Some(by) => Verdict::Hidden(by),
            None if above.described => Verdict::Merged,
            None => Verdict::Live,
        }
    }

    /// The nearest upper layer that hides everything below the parent of `path`.
    fn parent_hidden(&mut self, seen: &Sight<'a>, path: &'a [u8]) -> Option<u32> {
        let shared = path::shared_dir(self.last, path);
        self.last = path;
        while self.dirs.last().is_some_and(|(len, _)| *len > shared) {
            self.dirs.pop();
        }
        let root = seen.get(&b""[..]).and_then(|s| s.below);
        let mut hidden = self.dirs.last().map_or(root, |(_, hidden)| *hidden);
        let slashes = path.iter().enumerate().skip(shared).filter(|(at, byte)| **byte == b'/' && *at > shared);
        for dir in slashes.filter_map(|(at, _)| path.get(..at)) {
            let here = seen.get(dir).and_then(|s| s.below);
            hidden = hidden.into_iter().chain(here).min();
            self.dirs.push((dir.len(), hidden));
        }
        hidden
    }
}

/// Notes the entries of a layer for the layers below it.
fn record_entries<'a>(seen: &mut Sight<'a>, facts: &'a LayerFacts, layer: u32) {
    for entry in facts.entries.iter() {
        let s = seen.entry(entry.path).or_default();
        s.entry = Some(layer);
        if entry.kind != Kind::Dir {
            s.gone = Some(layer);
            s.below = Some(layer);
        }
    }
}

/// Notes the directories that a layer has files in but no entry for: engines make them.
///
/// The layer is settled: nothing of it lies below a file of its own, so `gone` and `below` of a parent can only come
/// from the layers above.
fn record_parents<'a>(seen: &mut Sight<'a>, facts: &'a LayerFacts, layer: u32, implied: &mut Vec<&'a [u8]>) {
    let root = seen.get(&b""[..]).and_then(|s| s.below);
    let mut upper = Upper::default();
    for entry in facts.entries.iter() {
        if !upper.last.is_empty() && path::parent(upper.last) == path::parent(entry.path) {
            continue;
        }
        upper.parent_hidden(seen, entry.path);
        for (at, (len, _)) in upper.dirs.iter().enumerate().rev() {
            let Some(dir) = entry.path.get(..*len) else { continue };
            let s = seen.entry(dir).or_default();
            if s.entry == Some(layer) {
                // Its own parents are noted when its entry, or the file that implied it, has its turn.
                break;
            }
            s.entry = Some(layer);
            let above = at.checked_sub(1).and_then(|at| upper.dirs.get(at));
            let hidden = s.gone.is_some() || above.map_or(root, |(_, hidden)| *hidden).is_some();
            if !hidden && s.implied.replace(layer).is_none() {
                implied.push(dir);
            }
        }
    }
}

/// Notes what a layer hides of the layers below it.
fn record_whiteouts<'a>(seen: &mut Sight<'a>, facts: &'a LayerFacts, layer: u32) {
    for whiteout in &facts.whiteouts {
        let (Whiteout::Path(path) | Whiteout::Opaque(path)) = whiteout;
        let s = seen.entry(path.as_bytes()).or_default();
        s.below = Some(layer);
        if matches!(whiteout, Whiteout::Path(_)) {
            s.gone = Some(layer);
        }
    }
}

/// The directory an engine makes for a file whose archive has no entry for its parent.
fn implied_dir(path: &[u8]) -> Entry<'_> {
    let (id, link, kind, format) = (EntryId(0), &b""[..], Kind::Dir, Format::Other);
    Entry { id, path, link, kind, format, mode: 0o755, uid: 0, gid: 0, size: 0 }
}
