//! Finds the packages of an image and which files each of them owns.
//!
//! A distribution's database wins over a language package, and a language package over nobody: Debian's own copy of
//! an npm module belongs to its deb.

use std::collections::{HashMap, HashSet};

use crate::model::{Fact, ImagePath, Kind, Manager, PackageRow, State, path};

use super::{File, FileId, Inventory, Package, PackageId};

type Owners = Vec<Option<PackageId>>;

/// Returns the packages, live ones first within each manager, and the owner of every file.
pub(super) fn find(inventory: &Inventory) -> (Vec<Package>, Owners) {
    let mut register = Register {
        inventory,
        lists: FileLists::read(inventory),
        dirs: HashMap::new(),
        packages: Vec::new(),
        owners: vec![None; inventory.nodes.len()],
        known: HashSet::new(),
    };
    // Live databases first: a row that a buried database repeats is the same package, not a removed one.
    let databases = |state| inventory.observed().filter(move |(file, _)| file.state() == state);
    for state in [State::Live, State::Buried] {
        for (file, fact) in databases(state) {
            if let Fact::Packages { manager, rows } = fact {
                for row in rows {
                    register.distribution_package(*manager, row, file);
                }
            }
        }
    }
    for state in [State::Live, State::Buried] {
        for (file, fact) in databases(state) {
            match fact {
                Fact::Python(dist) if !dist.name.is_empty() => {
                    register.python_package(&dist.name, &dist.version, file);
                }
                Fact::Npm(npm) => register.npm_package(&npm.name, &npm.version, file),
                _ => {}
            }
        }
    }
    (register.packages, register.owners)
}

/// What dpkg and Python write beside their package rows.
struct FileLists<'a> {
    /// Files of a deb by its name, with whether the list itself is live.
    deb: HashMap<&'a str, Vec<(State, &'a [ImagePath])>>,
    /// Files of a `RECORD` by its directory's path and layer.
    python: HashMap<(&'a [u8], u32), &'a [ImagePath]>,
    /// Where dpkg put a file instead.
    diverted: HashMap<&'a [u8], &'a [u8]>,
}

impl<'a> FileLists<'a> {
    fn read(inventory: &'a Inventory) -> Self {
        let mut lists = Self { deb: HashMap::new(), python: HashMap::new(), diverted: HashMap::new() };
        for (file, fact) in inventory.observed() {
            match fact {
                Fact::FileList { package, files } => {
                    lists.deb.entry(package).or_default().push((file.state(), files));
                }
                Fact::Python(dist) if dist.name.is_empty() => {
                    lists.python.insert((path::parent(file.path()), file.layer()), &dist.files);
                }
                Fact::Diversions(pairs) if file.state() == State::Live => {
                    lists.diverted.extend(pairs.iter().map(|(from, to)| (from.as_bytes(), to.as_bytes())));
                }
                _ => {}
            }
        }
        lists
    }
}

struct Register<'a> {
    inventory: &'a Inventory,
    lists: FileLists<'a>,
    /// Directories as databases spell them (`/bin`) and where the finished tree has them (`/usr/bin`).
    dirs: HashMap<&'a [u8], Option<Vec<u8>>>,
    packages: Vec<Package>,
    owners: Owners,
    known: HashSet<(Manager, &'a str, &'a str, &'a str)>,
}

impl<'a> Register<'a> {
    fn distribution_package(&mut self, manager: Manager, row: &'a PackageRow, home: File<'a>) {
        if !self.known.insert((manager, &row.name, &row.version, &row.arch)) {
            return;
        }
        let state = home.state();
        let listed: Vec<&'a [ImagePath]> = match manager {
            // A removed package's list is buried too; an installed one's is live.
            Manager::Deb => {
                let lists = self.lists.deb.get(row.name.as_str());
                lists.into_iter().flatten().filter(|(of, _)| *of == state).map(|(_, files)| *files).collect()
            }
            _ => vec![&row.files],
        };
        let mut files: Vec<FileId> = Vec::new();
        for path in listed.into_iter().flatten() {
            match state {
                State::Live => files.extend(self.live_file(path.as_bytes())),
                State::Buried => files.extend(self.buried_files(path.as_bytes())),
            }
        }
        self.add(Package {
            manager,
            name: row.name.clone(),
            version: row.version.clone(),
            arch: row.arch.clone(),
            depends: row.depends.clone(),
            state,
            home: home.id(),
            files,
        });
    }

    /// The live file that a database means by a path: diverted, or reached through a linked directory.
    fn live_file(&mut self, listed: &'a [u8]) -> Option<FileId> {
        let wanted = self.lists.diverted.get(listed).copied().unwrap_or(listed);
        let real = self.real_path(wanted);
        self.inventory.get(&real).filter(|f| f.kind() != Kind::Dir).map(|f| f.id())
    }

    fn buried_files(&mut self, listed: &'a [u8]) -> Vec<FileId> {
        let real = self.real_path(listed);
        let at = |path| self.inventory.buried_at(path).filter(|f| f.kind() != Kind::Dir).map(|f| f.id());
        if real == listed { at(listed).collect() } else { at(listed).chain(at(&real)).collect() }
    }

    /// Follows links in the directory part of a path, as `/bin -> /usr/bin` wants it.
    fn real_path(&mut self, wanted: &'a [u8]) -> Vec<u8> {
        let dir = path::parent(wanted);
        let real = self.dirs.entry(dir).or_insert_with(|| self.inventory.resolve(dir).map(|f| f.path().to_vec()));
        match real {
            Some(real) if real.as_slice() != dir => [real, &b"/"[..], path::name(wanted)].concat(),
            _ => wanted.to_vec(),
        }
    }

    fn python_package(&mut self, name: &'a str, version: &'a str, metadata: File<'a>) {
        let home = path::parent(metadata.path());
        let files = match self.lists.python.get(&(home, metadata.layer())).copied() {
            Some(listed) => match metadata.state() {
                State::Live => listed.iter().filter_map(|p| self.live_file(p.as_bytes())).collect(),
                State::Buried => listed.iter().flat_map(|p| self.buried_files(p.as_bytes())).collect(),
            },
            None => below(self.inventory, metadata, home).collect(),
        };
        self.language_package(Manager::Pypi, name, version, metadata, files);
    }

    fn npm_package(&mut self, name: &'a str, version: &'a str, manifest: File<'a>) {
        let home = path::parent(manifest.path());
        if name.is_empty() || !is_module_dir(home) {
            return;
        }
        let own = |f: &File<'_>| !contains_part(&f.path()[home.len()..], b"node_modules");
        let inventory = self.inventory;
        let ids: Vec<FileId> = match manifest.state() {
            State::Live => {
                inventory.under(home).filter(own).filter(|f| f.kind() != Kind::Dir).map(|f| f.id()).collect()
            }
            State::Buried => inventory
                .buried_under(home)
                .filter(|f| f.layer() == manifest.layer() && own(f) && f.kind() != Kind::Dir)
                .map(|f| f.id())
                .collect(),
        };
        self.language_package(Manager::Npm, name, version, manifest, ids);
    }

    fn language_package(&mut self, manager: Manager, name: &str, version: &str, home: File<'a>, files: Vec<FileId>) {
        self.add(Package {
            manager,
            name: name.to_string(),
            version: version.to_string(),
            arch: String::new(),
            depends: Vec::new(),
            state: home.state(),
            home: home.id(),
            files,
        });
    }

    /// Files the package; the first owner of a file stays its owner.
    fn add(&mut self, mut package: Package) {
        package.files.sort_unstable();
        package.files.dedup();
        let id = PackageId(self.packages.len() as u32);
        for file in &package.files {
            self.owners[file.0 as usize].get_or_insert(id);
        }
        self.packages.push(package);
    }
}

fn below<'a>(inventory: &'a Inventory, like: File<'a>, dir: &'a [u8]) -> Box<dyn Iterator<Item = FileId> + 'a> {
    match like.state() {
        State::Live => Box::new(inventory.under(dir).filter(|f| f.kind() != Kind::Dir).map(|f| f.id())),
        State::Buried => Box::new(
            inventory
                .buried_under(dir)
                .filter(move |f| f.layer() == like.layer() && f.kind() != Kind::Dir)
                .map(|f| f.id()),
        ),
    }
}

/// Whether a directory is where a package manager puts one module: `node_modules/name`, `node_modules/@scope/name`,
/// or Debian's `/usr/share/nodejs/name`.
pub fn is_module_dir(dir: &[u8]) -> bool {
    let parent = path::parent(dir);
    let holds_modules = |p: &[u8]| path::name(p) == b"node_modules" || p == b"usr/share/nodejs";
    holds_modules(parent) || path::name(parent).starts_with(b"@") && holds_modules(path::parent(parent))
}

fn contains_part(path: &[u8], part: &[u8]) -> bool {
    path.split(|&b| b == b'/').any(|p| p == part)
}
