//! Loose files, gathered by the project they lie in.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use super::{Judge, Key, any_of, roots, shape_of, sight::Sight};
use crate::{
    catalogue::{Files, Output, Place, RootOf},
    inventory::{File, FileId},
    model::{Evidence, EvidenceClass, FormatSet, ImagePath, Kind, NameIndex, Severity, State, path},
};

/// Where installed packages, interpreters and documentation are: what lies there is not the project's.
const INSTALLED: [&str; 22] = [
    "node_modules",
    "bower_components",
    "site-packages",
    "dist-packages",
    "gems",
    "lib/python*",
    "lib/ruby",
    "lib/perl*",
    "lib/R",
    "lib/erlang",
    "lib/elixir",
    "lib/php",
    "lib/jvm",
    "lib/node",
    "share/perl*",
    "share/nodejs",
    "share/doc",
    "include/python*",
    "include/node",
    "include/php",
    "include/ruby*",
    "include/pypy*",
];

/// Roots of one rule that are told apart; a finding for each of two hundred vendored projects would help nobody.
const ROOTS_MAX: usize = 8;

/// A file, and the position of the table that its name fits.
type Candidate<'a> = (usize, File<'a>);

/// Files of one root by the position of their table.
type ByTable<'a> = BTreeMap<usize, Vec<File<'a>>>;

impl<'a> Judge<'a> {
    /// Files loose files, those of the worst rule first.
    pub(super) fn files(&mut self, sight: &Sight<'a>) {
        let mut by_rule: BTreeMap<(Reverse<Severity>, usize), Vec<Candidate<'a>>> = BTreeMap::new();
        for &((rule, table), file) in &sight.files {
            let Some(severity) = self.rule(rule).map(|rule| rule.about.severity) else { continue };
            by_rule.entry((Reverse(severity), rule)).or_default().push((table, file));
        }
        let installed: Vec<Place> = INSTALLED.iter().map(|text| Place::new(text)).collect();
        for ((_, rule), candidates) in by_rule {
            self.of_rule(rule, candidates, &installed);
        }
    }

    fn of_rule(&mut self, at: usize, candidates: Vec<Candidate<'a>>, installed: &[Place]) {
        let Some(rule) = self.rule(at) else { return };
        let manifests: Vec<NameIndex<()>> = rule.files.iter().map(|files| roots::index(&files.manifest)).collect();
        let mut known = HashMap::new();
        let mut taken = HashSet::new();
        let mut groups: BTreeMap<(State, &'a [u8]), ByTable<'a>> = BTreeMap::new();
        for (table, file) in candidates {
            let (Some(files), Some(manifests)) = (rule.files.get(table), manifests.get(table)) else { continue };
            if !self.fits(files, &file) || taken.contains(&file.id()) || is_installed(&mut known, installed, &file) {
                continue;
            }
            if !files.manifest.is_empty() && !self.roots.has_manifest(file.path(), manifests) {
                continue;
            }
            taken.insert(file.id());
            let root = self.root(files, file.path());
            groups.entry((file.state(), root)).or_default().entry(table).or_default().push(file);
        }
        groups.retain(|(_, root), tables| {
            tables.retain(|&table, found| rule.files.get(table).is_some_and(|files| self.holds(files, root, found)));
            tables.keys().any(|&table| rule.files.get(table).is_some_and(|files| !files.company))
        });
        for ((state, root), tables) in gathered(groups) {
            self.file((at, state, ImagePath::new(root)), tables);
        }
    }

    /// Whether a file alone is one of them.
    fn fits(&self, files: &Files, file: &File<'a>) -> bool {
        let name = path::name(file.path());
        let size = file.target().map_or(file.size(), |target| target.size());
        if files.but.iter().any(|but| but.matches(name))
            || size < files.min_bytes.max(1)
            || !self.is_free(file, files.unowned)
            || files.formats != FormatSet::default() && !files.formats.contains(file.format())
        {
            return false;
        }
        let below = |places: &[Place]| places.iter().any(|place| place.above(file.path()).is_some());
        if !files.dirs.is_empty() && !below(&files.dirs) || below(&files.outside) {
            return false;
        }
        let asks = [&files.head, &files.no_head, &files.contains, &files.without].iter().any(|texts| !texts.is_empty());
        let shape = if asks { shape_of(file) } else { None };
        let (head, body) = (shape.map(|shape| &shape.head[..]), shape.map(|shape| &shape.body[..]));
        let has = |texts: &[String], found| !texts.is_empty() && any_of(texts, found);
        any_of(&files.head, head)
            && any_of(&files.contains, body)
            && !has(&files.no_head, head)
            && !has(&files.without, body)
    }

    fn root(&self, files: &Files, file: &'a [u8]) -> &'a [u8] {
        match files.root {
            RootOf::Project => self.roots.project(file),
            RootOf::Parent => path::parent(file),
            RootOf::Dirs => {
                let place = files.dirs.iter().filter_map(|place| place.above(file)).min_by_key(|dir| dir.len());
                place.unwrap_or_else(|| path::parent(file))
            }
        }
    }

    /// Whether the files of one table below one root are what the table means.
    fn holds(&self, files: &Files, root: &[u8], found: &[File<'a>]) -> bool {
        found.len() >= files.min
            && !self.command.names(&files.names, root)
            && files.output.as_ref().is_none_or(|output| self.is_compiled(output, root, found))
    }

    /// Whether sources were compiled to something else, and that is what runs.
    fn is_compiled(&self, output: &Output, root: &[u8], sources: &[File<'a>]) -> bool {
        let in_path = |program: &String| {
            let dirs = ["usr/local/bin", "usr/bin", "bin"];
            dirs.iter().any(|dir| self.inventory.resolve(format!("{dir}/{program}").as_bytes()).is_some())
        };
        if self.command.calls(&output.not_run_by) || self.command.is_unknown() && output.not_run_by.iter().any(in_path)
        {
            return false;
        }
        let mut stems = HashSet::new();
        for file in self.inventory.under(root).chain(self.inventory.buried_under(root)) {
            let name = path::name(file.path());
            let Some(ending) = output.endings.iter().find(|ending| name.ends_with(ending.as_bytes())) else { continue };
            let inside = file.path().get(root.len()..).unwrap_or_default();
            let mut parts = path::parent(inside).split(|&b| b == b'/');
            if parts.clone().any(|part| part == b"node_modules") || file.kind() != Kind::File {
                continue;
            }
            if parts.any(|part| output.dirs.iter().any(|dir| dir.as_bytes() == part)) {
                return true;
            }
            stems.extend(name.get(..name.len() - ending.len()));
        }
        let stem = |file: &File<'a>| {
            let name = path::name(file.path());
            name.iter().rposition(|&b| b == b'.').and_then(|at| name.get(..at)).unwrap_or(name)
        };
        sources.iter().filter(|file| stems.contains(stem(file))).count() * 2 >= sources.len()
    }

    fn file(&mut self, key: Key, tables: ByTable<'a>) {
        let mut all: Vec<FileId> = tables.values().flatten().map(File::id).collect();
        self.keep_freed(&mut all);
        let all: HashSet<FileId> = all.into_iter().collect();
        for (table, mut found) in tables {
            found.retain(|file| all.contains(&file.id()));
            let Some(files) = self.rule(key.0).and_then(|rule| rule.files.get(table)) else { continue };
            if let Some(evidence) = evidence(files, &found) {
                let remedy = (!files.company).then_some(files.remedy.as_ref());
                self.add(key.clone(), found.iter().map(File::id).collect(), evidence, remedy);
            }
        }
    }
}

/// Gathers the files of many roots under the directories that those lie in, until there are few.
fn gathered<'a>(groups: BTreeMap<(State, &'a [u8]), ByTable<'a>>) -> BTreeMap<(State, &'a [u8]), ByTable<'a>> {
    let mut gathered: BTreeMap<(State, &'a [u8]), ByTable<'a>> = BTreeMap::new();
    for state in [State::Live, State::Buried] {
        let roots = groups.keys().filter(|(of, _)| *of == state).map(|(_, root)| *root).collect();
        let outer = coarse(roots);
        for ((_, root), tables) in groups.iter().filter(|((of, _), _)| *of == state) {
            let into = gathered.entry((state, outer.get(root).copied().unwrap_or(root))).or_default();
            for (table, files) in tables {
                into.entry(*table).or_default().extend(files);
            }
        }
    }
    gathered
}

/// The directory that stands for each root: itself where there are few, else one further out. The deepest step out
/// first.
fn coarse(roots: Vec<&[u8]>) -> HashMap<&[u8], &[u8]> {
    let depth = |dir: &[u8]| if dir.is_empty() { 0 } else { 1 + dir.iter().filter(|&&b| b == b'/').count() };
    let mut levels: BTreeMap<usize, HashSet<&[u8]>> = BTreeMap::new();
    for root in &roots {
        levels.entry(depth(root)).or_default().insert(root);
    }
    let mut count: usize = levels.values().map(HashSet::len).sum();
    while count > ROOTS_MAX
        && let Some((deepest, dirs)) = levels.pop_last()
        && deepest > 0
    {
        let outer = levels.entry(deepest - 1).or_default();
        count -= dirs.len() + outer.len();
        outer.extend(dirs.into_iter().map(path::parent));
        count += outer.len();
    }
    let stands = |dir: &[u8]| levels.get(&depth(dir)).is_some_and(|dirs| dirs.contains(dir));
    let outer = |root| std::iter::successors(Some(root), |dir: &&[u8]| (!dir.is_empty()).then(|| path::parent(dir)));
    roots.into_iter().filter_map(|root| Some((root, outer(root).find(|dir| stands(dir))?))).collect()
}

/// Whether a file lies in an installed package; asked once for each directory.
fn is_installed<'a>(known: &mut HashMap<&'a [u8], bool>, installed: &[Place], file: &File<'a>) -> bool {
    let dir = path::parent(file.path());
    *known.entry(dir).or_insert_with(|| installed.iter().any(|place| place.above(file.path()).is_some()))
}

/// One line for the files of one table; the largest of them is the witness.
fn evidence(files: &Files, found: &[File<'_>]) -> Option<Evidence> {
    let largest = found.iter().max_by_key(|file| (file.size(), Reverse(file.path())))?;
    let by_content = !files.head.is_empty() || !files.contains.is_empty();
    let count = match found.len() {
        1 => "1 file".to_string(),
        many => format!("{many} files"),
    };
    Some(Evidence {
        class: if by_content { EvidenceClass::Content } else { EvidenceClass::Structure },
        witness: format!("{}: {count}", files.name),
        path: Some(ImagePath::new(largest.path())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_roots_are_told_as_the_directory_that_holds_them() {
        let few: Vec<String> = (0..ROOTS_MAX).map(|at| format!("srv/deps/p{at}")).collect();
        let few: Vec<&[u8]> = few.iter().map(|root| root.as_bytes()).collect();
        assert!(coarse(few.clone()).iter().all(|(root, outer)| root == outer));
        let many: Vec<&[u8]> = few.into_iter().chain([&b"app"[..]]).collect();
        let outer: HashSet<&[u8]> = coarse(many).into_values().collect();
        assert_eq!(outer, HashSet::from([&b"app"[..], b"srv/deps"]));
        let wide: Vec<String> = (0..100).map(|at| format!("d{at}/{}x", "a/".repeat(at))).collect();
        let wide = coarse(wide.iter().map(|root| root.as_bytes()).collect());
        assert!(wide.len() == 100 && wide.values().all(|outer| outer.is_empty()));
        assert!(coarse(Vec::new()).is_empty());
    }
}
