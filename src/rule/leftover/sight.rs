//! Finds in one pass over the image what the tables about leftovers may be about, by names alone.

use std::collections::HashMap;

use super::roots::{MANIFESTS, Manifests};
use crate::{
    catalogue::Catalogue,
    inventory::{File, Inventory},
    model::{Kind, NameIndex, NamePattern, State, path},
};

/// Position of a rule, and of one of its tables.
pub(super) type Table = (usize, usize);

/// Manifests of one directory that are told apart.
const MANIFESTS_MAX: usize = 32;

/// Components of a tree's root. Real caches lie ten deep; a name may have two thousand components.
const DEPTH_MAX: usize = 64;

/// Directories that are looked at more closely; a real image has some hundreds.
const TREES_MAX: usize = 100_000;

/// What may be something by its name.
pub(super) struct Sight<'a> {
    /// Roots of trees, sorted.
    pub trees: Vec<(&'a [u8], State, Table)>,
    /// Loose files in path order.
    pub files: Vec<(Table, File<'a>)>,
    /// The manifests of projects.
    pub manifests: Manifests<'a>,
}

/// What a name belongs to.
#[derive(Clone, Copy)]
enum Named {
    /// A file of a `[[rule.files]]`.
    Loose(Table),
    /// The first member of a `[[rule.tree]]` that may be anywhere.
    Anchor(Table),
    Manifest,
}

impl<'a> Sight<'a> {
    pub fn take(catalogue: &Catalogue, inventory: &'a Inventory) -> Self {
        let (names, places) = indexes(catalogue);
        let mut sight = Self { trees: Vec::new(), files: Vec::new(), manifests: HashMap::new() };
        let mut last: &[u8] = b"";
        for file in inventory.all() {
            // A live directory is in the inventory whether an archive lists it or not; a buried one is known by what
            // lies in it.
            if file.state() == State::Live {
                if file.kind() == Kind::Dir {
                    sight.dir(catalogue, &places, file.path(), State::Live);
                }
            } else {
                let shared = path::shared_dir(last, file.path());
                for dir in path::ancestors(file.path()).take_while(|dir| dir.len() > shared) {
                    sight.dir(catalogue, &places, dir, State::Buried);
                }
                last = file.path();
            }
            if matches!(file.kind(), Kind::File | Kind::Hardlink) {
                sight.file(catalogue, &names, file);
            }
        }
        sight.trees.sort_unstable();
        sight.trees.dedup();
        sight
    }

    fn dir(&mut self, catalogue: &Catalogue, places: &NameIndex<Table>, dir: &'a [u8], state: State) {
        for (rule, at) in places.find(path::name(dir)) {
            let tree = catalogue.rules.get(rule).and_then(|rule| rule.trees.get(at));
            if tree.is_some_and(|tree| tree.at.iter().any(|place| place.is(dir))) {
                self.tree(dir, state, (rule, at));
            }
        }
    }

    fn file(&mut self, catalogue: &Catalogue, names: &NameIndex<Named>, file: File<'a>) {
        for named in names.find(path::name(file.path())) {
            match named {
                Named::Loose((rule, at)) => {
                    let files = catalogue.rules.get(rule).and_then(|rule| rule.files.get(at));
                    // Nearly every file of an image has an owner: it need not be kept to be dropped later.
                    if files.is_some_and(|files| !files.unowned || file.owner().is_none()) {
                        self.files.push(((rule, at), file));
                    }
                }
                Named::Manifest => {
                    let names: &mut Vec<_> = self.manifests.entry(path::parent(file.path())).or_default();
                    if names.len() < MANIFESTS_MAX && !names.contains(&path::name(file.path())) {
                        names.push(path::name(file.path()));
                    }
                }
                Named::Anchor((rule, at)) => {
                    let tree = catalogue.rules.get(rule).and_then(|rule| rule.trees.get(at));
                    let member = tree.and_then(|tree| tree.members.first()).and_then(|member| member.any.first());
                    let root = member.and_then(|member| root_of(file.path(), &member.dir));
                    if let Some(root) = root {
                        self.tree(root, file.state(), (rule, at));
                    }
                }
            }
        }
    }

    fn tree(&mut self, root: &'a [u8], state: State, table: Table) {
        let depth = root.iter().filter(|&&b| b == b'/').count();
        if depth < DEPTH_MAX && self.trees.len() < TREES_MAX {
            self.trees.push((root, state, table));
        }
    }
}

/// The root below which a file lies in the directory `dir`.
fn root_of<'p>(file: &'p [u8], dir: &str) -> Option<&'p [u8]> {
    let parent = path::parent(file);
    if dir.is_empty() {
        return Some(parent);
    }
    let above = parent.strip_suffix(dir.as_bytes())?;
    if above.is_empty() { Some(above) } else { above.strip_suffix(b"/") }
}

/// The tables by names of files and by names of directories.
fn indexes(catalogue: &Catalogue) -> (NameIndex<Named>, NameIndex<Table>) {
    let (mut names, mut places) = (NameIndex::default(), NameIndex::default());
    for (at, rule) in catalogue.rules.iter().enumerate() {
        for (table, files) in rule.files.iter().enumerate() {
            files.names.iter().for_each(|name| names.insert(name, Named::Loose((at, table))));
            files.manifest.iter().for_each(|name| names.insert(name, Named::Manifest));
        }
        for (table, tree) in rule.trees.iter().enumerate() {
            tree.at.iter().filter_map(|place| place.last()).for_each(|name| places.insert(name, (at, table)));
            if let (true, Some(path)) = (tree.at.is_empty(), tree.members.first().and_then(|m| m.any.first())) {
                names.insert(&path.name, Named::Anchor((at, table)));
            }
        }
    }
    MANIFESTS.iter().for_each(|name| names.insert(&NamePattern::new(name), Named::Manifest));
    (names, places)
}
