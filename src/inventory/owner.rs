//! Finds the packages of an image and which files each of them owns.
//!
//! A distribution's database wins over a language package, and a language package over nobody: Debian's own copy of
//! an npm module belongs to its deb.

use hashbrown::{HashMap, HashSet};

use crate::model::{Fact, ImagePath, Kind, Manager, NpmPackage, PackageRow, State, path};

use super::{File, FileId, Inventory, Package, PackageId};

/// Rows of one name that are taken: architectures, and versions in lower layers.
///
/// Lists of files belong to a name, so a database that repeats the name must not multiply them.
pub(super) const ROWS_MAX: usize = 64;

type Owners = Vec<Option<PackageId>>;

/// The packages, live ones first within each manager, and the owner of every file.
pub(super) struct Found {
    pub packages: Vec<Package>,
    pub owners: Owners,
    /// A database that has more than [`ROWS_MAX`] rows of one name, of which the rest was not taken.
    pub crowded: Option<FileId>,
}

/// Finds the packages of an image and the owners of its files.
pub(super) fn find(inventory: &Inventory) -> Found {
    let mut register = Register {
        inventory,
        lists: FileLists::read(inventory),
        dirs: HashMap::new(),
        packages: Vec::new(),
        owners: vec![None; inventory.nodes.len()],
        known: HashSet::new(),
        rows: HashMap::new(),
        crowded: None,
    };
    // Live databases first, then the younger of the buried: a row that an older database repeats is the same package.
    let mut records: Vec<(File<'_>, &Fact)> = inventory.observed().collect();
    records.sort_by_key(|(file, _)| (file.hidden_by().is_some(), std::cmp::Reverse(file.layer()), file.id()));
    let kept: HashSet<Manager> = records
        .iter()
        .filter(|(file, _)| file.state() == State::Live)
        .filter_map(|(_, fact)| if let Fact::Packages { manager, .. } = fact { Some(*manager) } else { None })
        .collect();
    for (file, fact) in &records {
        if let Fact::Packages { manager, rows } = fact {
            for row in rows {
                register.distribution_package(*manager, row, *file, kept.contains(manager));
            }
        }
    }
    for (file, fact) in &records {
        if let Fact::Python(dist) = fact
            && !dist.name.is_empty()
        {
            register.python_package(&dist.name, &dist.version, *file);
        }
    }
    register.npm_packages(&records);
    Found { packages: register.packages, owners: register.owners, crowded: register.crowded }
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
    /// Rows of one name so far.
    rows: HashMap<(Manager, &'a str), usize>,
    /// The first database in which a name has too many rows.
    crowded: Option<FileId>,
}

impl<'a> Register<'a> {
    /// Files a row of a distribution's database. `kept` tells whether there is a live database of that manager: where
    /// a layer deleted it (`rm -rf /var/lib/dpkg`), its last state still describes the files that stayed.
    fn distribution_package(&mut self, manager: Manager, row: &'a PackageRow, home: File<'a>, kept: bool) {
        if !self.known.insert((manager, &row.name, &row.version, &row.arch)) {
            return;
        }
        let rows = self.rows.entry((manager, &row.name)).or_default();
        *rows += 1;
        if *rows > ROWS_MAX {
            self.crowded.get_or_insert(home.id());
            return;
        }
        let listed: Vec<&'a [ImagePath]> = match manager {
            // A removed package's list is buried too; an installed one's is live.
            Manager::Deb => {
                let lists = self.lists.deb.get(row.name.as_str());
                lists.into_iter().flatten().filter(|(of, _)| *of == home.state()).map(|(_, files)| *files).collect()
            }
            _ => vec![&row.files],
        };
        let listed = listed.into_iter().flatten().map(ImagePath::as_bytes);
        let mut files: Vec<FileId> = match home.state() {
            State::Buried if kept => Vec::new(),
            state => {
                let live = listed.clone().filter_map(|path| self.live_file(path)).collect::<Vec<_>>();
                live.into_iter().filter(|id| state == State::Live || self.is_free(*id)).collect()
            }
        };
        let state = if home.state() == State::Live || !files.is_empty() { State::Live } else { State::Buried };
        if state == State::Buried {
            files = listed.flat_map(|path| self.buried_files(path)).collect();
        }
        self.add(Package {
            manager,
            name: row.name.clone(),
            version: row.version.clone(),
            arch: row.arch.clone(),
            depends: row.depends.clone(),
            choices: row.choices.clone(),
            provides: row.provides.clone(),
            weak: row.weak.clone(),
            essential: row.essential,
            state,
            home: home.id(),
            files,
        });
    }

    fn is_free(&self, file: FileId) -> bool {
        self.owners.get(file.0 as usize).is_some_and(Option::is_none)
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

    /// Files every npm module with the files of its directory, those of nested modules left out. One pass over the
    /// image: each file goes to the nearest module above it.
    fn npm_packages(&mut self, records: &[(File<'a>, &'a Fact)]) {
        let modules: Vec<(File<'a>, &NpmPackage)> = records
            .iter()
            .filter_map(|(file, fact)| if let Fact::Npm(npm) = fact { Some((*file, npm)) } else { None })
            .filter(|(file, npm)| !npm.name.is_empty() && is_module_dir(path::parent(file.path())))
            .collect();
        let layer_of = |file: &File<'_>| file.hidden_by().map(|_| file.layer());
        let homes: HashMap<(&[u8], Option<u32>), usize> = modules
            .iter()
            .enumerate()
            .map(|(at, (file, _))| ((path::parent(file.path()), layer_of(file)), at))
            .collect();
        let mut files: Vec<Vec<FileId>> = vec![Vec::new(); modules.len()];
        if !homes.is_empty() {
            for file in self.inventory.all().filter(|f| f.kind() != Kind::Dir) {
                let dirs = path::ancestors(file.path()).take_while(|dir| path::name(dir) != b"node_modules");
                let home = dirs.into_iter().find_map(|dir| homes.get(&(dir, layer_of(&file))));
                if let Some(files) = home.and_then(|&at| files.get_mut(at)) {
                    files.push(file.id());
                }
            }
        }
        for ((manifest, npm), files) in modules.into_iter().zip(files) {
            self.language_package(Manager::Npm, &npm.name, &npm.version, manifest, files);
        }
    }

    fn language_package(&mut self, manager: Manager, name: &str, version: &str, home: File<'a>, files: Vec<FileId>) {
        self.add(Package {
            manager,
            name: name.to_string(),
            version: version.to_string(),
            arch: String::new(),
            depends: Vec::new(),
            choices: Vec::new(),
            provides: Vec::new(),
            weak: Vec::new(),
            essential: false,
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
