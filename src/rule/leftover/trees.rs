//! Directories that are left whole: recognised by their place and by what they hold.

use std::collections::HashMap;

use super::{
    Judge, any_of, shape_of,
    sight::{Sight, Table},
};
use crate::{
    catalogue::{MemberPath, Tree, TreeMember},
    inventory::{File, FileId},
    model::{Evidence, EvidenceClass, ImagePath, Kind, State, path},
};

/// Entries of a directory that are looked through for a name with a `*`.
const CHILDREN_MAX: usize = 10_000;

/// Accepted trees by root.
type Accepted<'a> = HashMap<(&'a [u8], State), Vec<(Table, &'a Tree)>>;

/// A member that is there.
struct Present<'a> {
    path: Vec<u8>,
    /// The file, unless it is a directory.
    file: Option<File<'a>>,
    state: State,
}

impl<'a> Judge<'a> {
    /// Files every tree; the outer of two wins.
    pub(super) fn trees(&mut self, sight: &Sight<'a>) {
        let mut accepted = Accepted::new();
        for &(root, state, table) in &sight.trees {
            let Some(tree) = self.rule(table.0).and_then(|rule| rule.trees.get(table.1)) else { continue };
            if is_inside(&accepted, root, state, table) {
                continue;
            }
            let Some(members) = self.members(tree, root, state) else { continue };
            accepted.entry((root, state)).or_default().push((table, tree));
            let mut files = self.below(tree, root, state);
            self.keep_freed(&mut files);
            if files.iter().any(|&id| has_bytes(&self.inventory.file(id))) {
                let evidence = evidence(tree, root, &members);
                self.add((table.0, state, ImagePath::new(root)), files, evidence, [tree.remedy.as_ref()]);
            }
        }
    }

    /// The members of a tree, if all of them are there.
    fn members(&self, tree: &Tree, root: &[u8], state: State) -> Option<Vec<Present<'a>>> {
        let absent = |rest: &String| {
            let path = join(root, rest.as_bytes());
            self.inventory.get(&path).is_none()
                && (state == State::Live || self.inventory.buried_at(&path).next().is_none())
        };
        if !tree.without.iter().all(absent) {
            return None;
        }
        let mut members = Vec::new();
        for member in &tree.members {
            members.push(member.any.iter().find_map(|path| self.present(member, path, root, state))?);
        }
        // Of a tree that was removed, some part was really removed.
        members.iter().any(|member| member.state == state).then_some(members)
    }

    fn present(&self, member: &TreeMember, at: &MemberPath, root: &[u8], state: State) -> Option<Present<'a>> {
        if !at.plain {
            return self.starred(member, at, root, state);
        }
        let path = join(root, at.text.as_bytes());
        let live =
            || self.inventory.resolve(&path).filter(|file| fits(file, member, at)).map(|file| (file, State::Live));
        let buried =
            || self.inventory.buried_at(&path).find(|file| fits(file, member, at)).map(|file| (file, State::Buried));
        let found = if state == State::Live { live() } else { buried().or_else(live) };
        let found =
            found.map(|(file, state)| Present { path: path.clone(), file: (!at.is_dir).then_some(file), state });
        let implied = || {
            // Archives need not list directories.
            let inside = at.is_dir && state == State::Buried && self.inventory.buried_under(&path).next().is_some();
            inside.then(|| Present { path: path.clone(), file: None, state })
        };
        found.or_else(implied)
    }

    fn starred(&self, member: &TreeMember, at: &MemberPath, root: &[u8], state: State) -> Option<Present<'a>> {
        let dir = join(root, at.dir.as_bytes());
        let files: &mut dyn Iterator<Item = File<'a>> = match state {
            State::Live => &mut self.inventory.under(&dir),
            State::Buried => &mut self.inventory.buried_under(&dir),
        };
        files.take(CHILDREN_MAX).find_map(|file| {
            let rest = file.path().get(dir.len()..)?;
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            let (name, deeper) = match rest.iter().position(|&b| b == b'/') {
                Some(end) => (rest.get(..end)?, true),
                None => (rest, false),
            };
            let is_dir = deeper || file.kind() == Kind::Dir;
            if !at.name.matches(name) || is_dir != at.is_dir || !is_dir && !fits(&file, member, at) {
                return None;
            }
            Some(Present { path: join(&dir, name), file: (!is_dir).then_some(file), state })
        })
    }

    fn below(&self, tree: &Tree, root: &'a [u8], state: State) -> Vec<FileId> {
        let files: &mut dyn Iterator<Item = File<'a>> = match state {
            State::Live => &mut self.inventory.under(root),
            State::Buried => &mut self.inventory.buried_under(root),
        };
        let used = self.command.paths_below(root);
        let is_used = |file: &[u8]| used.iter().any(|path| file == *path || path::is_below(file, path));
        let belongs = |file: &File<'a>| {
            file.kind() != Kind::Dir
                && covers(tree, root, file.path())
                && self.is_free(file, tree.unowned)
                && !is_used(file.path())
        };
        files.filter(belongs).map(|file| file.id()).collect()
    }
}

/// Whether a tree lies in one that was accepted, or below one of its own table.
fn is_inside(accepted: &Accepted<'_>, root: &[u8], state: State, table: Table) -> bool {
    let known = |dir: &[u8], of: &dyn Fn(&Tree) -> bool| {
        let trees = accepted.get(&(dir, state));
        trees.is_some_and(|trees| trees.iter().any(|(other, tree)| *other == table || of(tree)))
    };
    known(root, &|tree| tree.only.is_empty())
        || path::ancestors(root).any(|dir| known(dir, &|tree| covers(tree, dir, root)))
}

/// Whether a path below the root belongs to the tree.
fn covers(tree: &Tree, root: &[u8], path: &[u8]) -> bool {
    let rest = if root.is_empty() { Some(path) } else { path.get(root.len() + 1..) };
    let mut parts = rest.unwrap_or_default().split(|&b| b == b'/');
    if !tree.only.is_empty() {
        return parts.any(|part| tree.only.iter().any(|name| name.matches(part)));
    }
    parts.next().is_none_or(|first| !tree.keep.iter().any(|name| name.as_bytes() == first))
}

fn fits(file: &File<'_>, member: &TreeMember, at: &MemberPath) -> bool {
    if at.is_dir {
        return file.kind() == Kind::Dir;
    }
    matches!(file.kind(), Kind::File | Kind::Hardlink)
        && member.format.is_none_or(|format| format == file.format())
        && any_of(&member.head, shape_of(file).map(|shape| &shape.head[..]))
}

fn has_bytes(file: &File<'_>) -> bool {
    file.size() > 0 || file.kind() == Kind::Hardlink
}

fn evidence(tree: &Tree, root: &[u8], members: &[Present<'_>]) -> Evidence {
    let relative = |path: &[u8]| ImagePath::new(path.get(root.len()..).unwrap_or(path)).to_string();
    let names: Vec<String> = members.iter().map(|member| relative(&member.path)).collect();
    let file = members.iter().find_map(|member| member.file);
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches('/')).collect();
    Evidence {
        class: EvidenceClass::Structure,
        witness: format!("{}: {}", tree.name, names.join(", ")),
        path: Some(ImagePath::new(file.map_or(root, |file| file.path()))),
    }
}

fn join(dir: &[u8], rest: &[u8]) -> Vec<u8> {
    path::clean(&[dir, b"/", rest].concat())
}
