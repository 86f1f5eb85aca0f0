//! Collects in one pass what belongs to JavaScript projects, and which directories are one project.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{Inventory, join};
use crate::{
    inventory::{File, FileId},
    model::{Fact, Importer, Kind, NodeRecord, NpmPackage, path, wild},
};

/// Records that lie in a project, strongest first.
pub(super) const RECORDS: [&[u8]; 8] = [
    b"node_modules/.pnpm/lock.yaml",
    b"node_modules/.package-lock.json",
    b"npm-shrinkwrap.json",
    b"package-lock.json",
    b"pnpm-lock.yaml",
    b"bun.lock",
    b".pnp.data.json",
    b".pnp.cjs",
];

/// Longest list of patterns of one `workspaces`.
const PATTERNS_MAX: usize = 1000;

/// Steps that matching directories with patterns may take in one image; a large monorepo takes some millions.
const STEPS_MAX: usize = 1_000_000_000;

/// Everything in the image that has to do with JavaScript projects.
pub(super) struct Survey<'a> {
    teams: Vec<Team<'a>>,
    /// The links of pnpm's store, by the `node_modules` they lie in.
    pub store_links: HashMap<&'a [u8], Vec<FileId>>,
}

/// A project with its workspaces.
#[derive(Default)]
pub(super) struct Team<'a> {
    /// The project's directory.
    pub root: &'a [u8],
    /// The directories with a `package.json` of their own: the root and its workspaces, as far as they are there.
    pub members: BTreeSet<&'a [u8]>,
    /// Every `package.json` of an installed package, live and buried, sorted by path.
    pub manifests: Vec<FileId>,
    /// The layers that removed something of it.
    pub hiders: BTreeSet<u32>,
}

/// What one pass over the image finds.
#[derive(Default)]
struct Finds<'a> {
    /// `package.json` files of installed packages, by the directory above the first `node_modules`.
    manifests: BTreeMap<&'a [u8], Vec<File<'a>>>,
    /// `package.json` files of applications and workspaces, by directory.
    own: BTreeMap<&'a [u8], Vec<File<'a>>>,
    /// Records of package managers, by project.
    records: BTreeMap<&'a [u8], Vec<File<'a>>>,
    links: HashMap<&'a [u8], Vec<FileId>>,
}

impl<'a> Survey<'a> {
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut finds = Finds::default();
        for file in inventory.all() {
            finds.take(file);
        }
        let claims = Claims::of(&finds);
        let mut teams: BTreeMap<&[u8], Team<'a>> = BTreeMap::new();
        for (&dir, files) in &finds.manifests {
            let root = claims.root_of(dir);
            let team = teams.entry(root).or_insert_with(|| Team { root, ..Team::default() });
            team.manifests.extend(files.iter().map(File::id));
            team.hiders.extend(files.iter().filter_map(File::hidden_by));
        }
        for (&dir, files) in &finds.records {
            // The map of Plug'n'Play is a project without a node_modules.
            if files.iter().any(|file| path::name(file.path()).starts_with(b".pnp.")) {
                let team = teams.entry(dir).or_insert_with(|| Team { root: dir, ..Team::default() });
                team.hiders.extend(files.iter().filter_map(File::hidden_by));
            }
        }
        for &dir in finds.own.keys() {
            if let Some(team) = teams.get_mut(claims.root_of(dir)) {
                team.members.insert(dir);
            }
        }
        for team in teams.values_mut() {
            team.manifests.sort_unstable_by(|a, b| inventory.file(*a).path().cmp(inventory.file(*b).path()));
        }
        Self { teams: teams.into_values().collect(), store_links: finds.links }
    }

    /// The projects, by directory.
    pub fn teams(&self) -> &[Team<'a>] {
        &self.teams
    }
}

impl<'a> Finds<'a> {
    fn take(&mut self, file: File<'a>) {
        let path = file.path();
        match file.kind() {
            Kind::File | Kind::Hardlink => {}
            Kind::Symlink => {
                if let Some(dir) = store_dir(path) {
                    self.links.entry(dir).or_default().push(file.id());
                }
                return;
            }
            _ => return,
        }
        let dir = path::parent(path);
        match path::name(path) {
            b"package.json" => match top(path) {
                Some(root) if is_package_dir(dir) => self.manifests.entry(root).or_default().push(file),
                Some(_) => {}
                None => self.own.entry(dir).or_default().push(file),
            },
            b"package-lock.json"
            | b"npm-shrinkwrap.json"
            | b"pnpm-lock.yaml"
            | b"bun.lock"
            | b".pnp.cjs"
            | b".pnp.data.json"
                if top(path).is_none() =>
            {
                self.records.entry(dir).or_default().push(file);
            }
            b".package-lock.json" | b"lock.yaml" => {
                let root = top(path).filter(|root| RECORDS.iter().any(|record| join(root, record) == path));
                if let Some(root) = root {
                    self.records.entry(root).or_default().push(file);
                }
            }
            _ => {}
        }
    }
}

/// The directory that holds the first `node_modules` of a path.
fn top(path: &[u8]) -> Option<&[u8]> {
    let mut at = 0_usize;
    for part in path.split(|&b| b == b'/') {
        if part == b"node_modules" {
            return path.get(..at.saturating_sub(1));
        }
        at = at.saturating_add(part.len()).saturating_add(1);
    }
    None
}

/// Whether a package is installed in a directory: `node_modules/a` or `node_modules/@b/a`.
fn is_package_dir(dir: &[u8]) -> bool {
    let parent = path::parent(dir);
    path::name(parent) == b"node_modules"
        || path::name(parent).starts_with(b"@") && path::name(path::parent(parent)) == b"node_modules"
}

/// The `node_modules` of one package in pnpm's store, for a link in it: `.pnpm/a@1.0.0/node_modules`.
fn store_dir(link: &[u8]) -> Option<&[u8]> {
    let dir = path::parent(link);
    let modules = if path::name(dir).starts_with(b"@") { path::parent(dir) } else { dir };
    let store = path::parent(path::parent(modules));
    (path::name(modules) == b"node_modules" && path::name(store) == b".pnpm").then_some(modules)
}

/// The `node_modules` of one package in pnpm's store, for the package's directory.
pub(super) fn store_dir_of(package: &[u8]) -> Option<&[u8]> {
    store_dir(package)
}

/// Which projects have which workspaces.
struct Claims<'a> {
    patterns: HashMap<&'a [u8], Vec<&'a str>>,
    /// The project that names a directory in its lock file.
    named: HashMap<Vec<u8>, &'a [u8]>,
    /// Steps that matching may still take.
    steps: Cell<usize>,
}

impl<'a> Claims<'a> {
    fn of(finds: &Finds<'a>) -> Self {
        let mut claims = Self { patterns: HashMap::new(), named: HashMap::new(), steps: Cell::new(STEPS_MAX) };
        for (&dir, files) in &finds.own {
            let patterns = files.iter().filter_map(package).flat_map(|package| &package.workspaces);
            let patterns: Vec<&str> = patterns.map(String::as_str).take(PATTERNS_MAX).collect();
            if !patterns.is_empty() {
                claims.patterns.insert(dir, patterns);
            }
        }
        for (&dir, files) in &finds.records {
            for importer in files.iter().flat_map(importers).filter(|importer| !importer.dir.is_empty()) {
                claims.named.insert(path::clean(&join(dir, importer.dir.as_bytes())), dir);
            }
        }
        claims
    }

    /// The project that a directory belongs to: the nearest above that calls it a workspace, else itself.
    fn root_of(&self, dir: &'a [u8]) -> &'a [u8] {
        if dir.is_empty() {
            return dir;
        }
        let namer = self.named.get(dir);
        let mut above = path::ancestors(dir).chain(std::iter::once(&b""[..]));
        let claiming = above.find(|root| namer == Some(root) || self.chooses(root, dir));
        claiming.unwrap_or(dir)
    }

    /// Whether the patterns of a project choose a directory below it; `!` takes it out again.
    fn chooses(&self, root: &[u8], dir: &[u8]) -> bool {
        let Some(patterns) = self.patterns.get(root) else { return false };
        let rest = dir.get(root.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        patterns.iter().fold(false, |chosen, pattern| {
            let Some(left) = self.steps.get().checked_sub(pattern.len().saturating_mul(rest.len())) else {
                return chosen;
            };
            self.steps.set(left);
            match pattern.strip_prefix('!') {
                Some(not) => chosen && !fits(not, rest),
                None => chosen || fits(pattern, rest),
            }
        })
    }
}

/// Whether a pattern fits a whole path: `*` stands for anything within a component, `**` for components.
fn fits(pattern: &str, dir: &[u8]) -> bool {
    let pattern = path::clean(pattern.as_bytes());
    let pattern: Vec<&[u8]> = pattern.split(|&b| b == b'/').collect();
    let dir: Vec<&[u8]> = dir.split(|&b| b == b'/').collect();
    let within = |pattern: &&[u8], part: &&[u8]| wild(pattern, part, |byte| *byte == b'*', |a, b| a == b);
    wild(&pattern, &dir, |part| *part == b"**", within)
}

/// What a `package.json` says.
pub(super) fn package<'a>(file: &File<'a>) -> Option<&'a NpmPackage> {
    file.facts().find_map(|fact| if let Fact::Npm(package) = fact { Some(package) } else { None })
}

/// What a record says.
pub(super) fn record<'a>(file: &File<'a>) -> Option<&'a NodeRecord> {
    file.facts().find_map(|fact| if let Fact::Node(record) = fact { Some(record) } else { None })
}

/// The importers that a record lists.
pub(super) fn importers<'a>(file: &File<'a>) -> &'a [Importer] {
    match record(file) {
        Some(NodeRecord::Npm { importers, .. } | NodeRecord::Importers(importers)) => importers,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_workspaces_choose_whole_paths() {
        for (pattern, dir, want) in [
            ("packages/*", "packages/a", true),
            ("./packages/*/", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/**", "packages/a/b", true),
            ("**/x-*", "a/b/x-1", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("app", "apps", false),
        ] {
            assert_eq!(fits(pattern, dir.as_bytes()), want, "{pattern} {dir}");
        }
        assert!(!fits(&format!("{}b", "*a".repeat(2000)), "a".repeat(4000).as_bytes()), "and it ends soon");
    }

    #[test]
    fn the_project_of_a_path_stands_before_the_first_node_modules() {
        assert_eq!(top(b"a/b/node_modules/c/node_modules/d/package.json"), Some(&b"a/b"[..]));
        assert_eq!(top(b"node_modules/c/package.json"), Some(&b""[..]));
        assert_eq!(top(b"a/my_node_modules/c"), None);
        let store = Some(&b"a/node_modules/.pnpm/x@1/node_modules"[..]);
        assert_eq!(store_dir(b"a/node_modules/.pnpm/x@1/node_modules/@s/y"), store);
        assert_eq!(store_dir(b"a/node_modules/.pnpm/node_modules/y"), None);
    }
}
