//! Finds the packages of an image and which files each of them owns.
//!
//! A distribution's database wins over a language package, and a language package over nobody: Debian's own copy of
//! an npm module belongs to its deb.

use hashbrown::{HashMap, HashSet};

use crate::model::{
    ComposerPackage, CondaPackage, Fact, Gem, ImagePath, Kind, Lang, Manager, NpmPackage, PackageRow, PythonDist,
    State, path,
};

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
    // Conda is rather a distribution: what it installed is not pip's.
    for (file, fact) in &records {
        if let Fact::Lang(Lang::Conda(package)) = fact {
            register.conda_package(package, *file);
        }
    }
    for (file, fact) in &records {
        if let Fact::Python(dist) = fact
            && !dist.name.is_empty()
        {
            register.python_package(dist, *file);
        }
    }
    register.npm_packages(&records);
    register.composer_packages(&records);
    register.gems(&records);
    register.nuget_packages(&records);
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

    fn python_package(&mut self, dist: &'a PythonDist, metadata: File<'a>) {
        let home = path::parent(metadata.path());
        let files = match self.lists.python.get(&(home, metadata.layer())).copied() {
            Some(listed) => self.listed_files(listed, metadata),
            None => below(self.inventory, metadata, home).collect(),
        };
        // What only an extra asks for is not needed as such.
        let needed = dist.requires.iter().filter(|requirement| !requirement.marker.contains("extra"));
        let depends = needed.map(|requirement| requirement.name.clone()).collect();
        self.language_package(Manager::Pypi, (&dist.name, &dist.version), depends, metadata, files);
    }

    fn conda_package(&mut self, package: &'a CondaPackage, record: File<'a>) {
        let mut files = self.listed_files(&package.files, record);
        files.push(record.id());
        let depends = package.depends.clone();
        self.language_package(Manager::Conda, (&package.name, &package.version), depends, record, files);
    }

    /// The files that a record lists, as live or buried as the record.
    fn listed_files(&mut self, listed: &'a [ImagePath], record: File<'a>) -> Vec<FileId> {
        match record.state() {
            State::Live => listed.iter().filter_map(|p| self.live_file(p.as_bytes())).collect(),
            State::Buried => listed.iter().flat_map(|p| self.buried_files(p.as_bytes())).collect(),
        }
    }

    /// Files every package of Composer that is there with the files of its directory and its links in `vendor/bin`.
    fn composer_packages(&mut self, records: &[(File<'a>, &'a Fact)]) {
        let mut packages: Vec<(File<'a>, &ComposerPackage)> = Vec::new();
        let mut dirs = Dirs::default();
        for (file, fact) in records {
            let Fact::Lang(Lang::ComposerInstalled(installed)) = fact else { continue };
            for package in &installed.packages {
                // A directory that holds the record itself is not that of one package.
                let dir =
                    package.dir.as_ref().filter(|dir| !dir.is_root() && !path::is_below(file.path(), dir.as_bytes()));
                if let Some(dir) = dir {
                    dirs.add(dir.as_bytes(), file, packages.len());
                    packages.push((*file, package));
                }
            }
        }
        let files = dirs.files(self.inventory, packages.len());
        for ((record, package), mut files) in packages.into_iter().zip(files) {
            if files.is_empty() {
                continue;
            }
            let bin = [path::parent(path::parent(record.path())), b"/bin/"].concat();
            for program in &package.bin {
                let proxy = [&bin, path::name(program.as_bytes())].concat();
                files.extend(same_file(self.inventory, &proxy, &record));
            }
            let depends = package.depends.clone();
            self.language_package(Manager::Composer, (&package.name, &package.version), depends, record, files);
        }
    }

    /// Files every gem with its directory, its native parts and what RubyGems keeps beside them.
    fn gems(&mut self, records: &[(File<'a>, &'a Fact)]) {
        let mut gems: Vec<(File<'a>, &Gem)> = Vec::new();
        let mut dirs = Dirs::default();
        let mut homes: HashSet<&[u8]> = HashSet::new();
        for (file, fact) in records {
            let Fact::Lang(Lang::Gem(gem)) = fact else { continue };
            let home = path::parent(path::parent(file.path()));
            let full = path::name(file.path()).strip_suffix(b".gemspec").unwrap_or_default();
            for part in [&b"gems"[..], b"doc"] {
                dirs.add(&[home, b"/", part, b"/", full].concat(), file, gems.len());
            }
            // `extensions/x86_64-linux/3.1.0/NAME-VERSION`
            if homes.insert(home) {
                dirs.inside.push([home, b"/extensions"].concat());
            }
            dirs.names.insert((home.to_vec(), full.to_vec(), file.hidden_by().map(|_| file.layer())), gems.len());
            gems.push((*file, gem));
        }
        let files = dirs.files(self.inventory, gems.len());
        for ((spec, gem), mut files) in gems.into_iter().zip(files) {
            let home = path::parent(path::parent(spec.path()));
            let full = path::name(spec.path()).strip_suffix(b".gemspec").unwrap_or_default();
            files.push(spec.id());
            for (dir, ending) in [(&b"/cache/"[..], &b".gem"[..]), (b"/build_info/", b".info")] {
                files.extend(same_file(self.inventory, &[home, dir, full, ending].concat(), &spec));
            }
            self.language_package(Manager::Gem, (&gem.name, &gem.version), gem.depends.clone(), spec, files);
        }
    }

    /// Files every NuGet package that a program was published with and whose libraries lie beside the program.
    fn nuget_packages(&mut self, records: &[(File<'a>, &'a Fact)]) {
        for (record, fact) in records {
            let Fact::Lang(Lang::DotnetDeps(packages)) = fact else { continue };
            let dir = path::parent(record.path());
            for package in packages {
                let beside = |name: &String| same_file(self.inventory, &[dir, b"/", name.as_bytes()].concat(), record);
                let files: Vec<FileId> = package.files.iter().filter_map(beside).collect();
                if !files.is_empty() {
                    let depends = package.depends.clone();
                    self.language_package(Manager::Nuget, (&package.name, &package.version), depends, *record, files);
                }
            }
        }
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
            self.language_package(Manager::Npm, (&npm.name, &npm.version), Vec::new(), manifest, files);
        }
    }

    fn language_package(
        &mut self,
        manager: Manager,
        (name, version): (&str, &str),
        depends: Vec<String>,
        home: File<'a>,
        files: Vec<FileId>,
    ) {
        self.add(Package {
            manager,
            name: name.to_string(),
            version: version.to_string(),
            arch: String::new(),
            depends,
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

/// The layer of a buried record, whose files lie in the same one; `None` for a live record.
type Buried = Option<u32>;

/// Directories that belong to packages, by number.
#[derive(Default)]
struct Dirs {
    of: HashMap<Buried, HashMap<Vec<u8>, usize>>,
    /// Directories below which the third component tells the package, with [`Dirs::names`].
    inside: Vec<Vec<u8>>,
    names: HashMap<(Vec<u8>, Vec<u8>, Buried), usize>,
}

impl Dirs {
    fn add(&mut self, dir: &[u8], record: &File<'_>, package: usize) {
        let layer = record.hidden_by().map(|_| record.layer());
        self.of.entry(layer).or_default().entry(path::clean(dir)).or_insert(package);
    }

    /// The files of each package: those of its directories, except what lies in a directory of another. Each file of
    /// the image is looked at once.
    fn files(&self, inventory: &Inventory, count: usize) -> Vec<Vec<FileId>> {
        let mut files: Vec<Vec<FileId>> = vec![Vec::new(); count];
        let mut dirs: Vec<&Vec<u8>> = self.of.values().flat_map(HashMap::keys).collect();
        dirs.sort_unstable();
        let mut outer: Option<&[u8]> = None;
        let mut outers: HashSet<&[u8]> = HashSet::new();
        for dir in dirs {
            if outer == Some(dir) || path::ancestors(dir).any(|above| outers.contains(above)) {
                continue;
            }
            outer = Some(dir);
            outers.insert(dir);
            for file in inventory.under(dir).chain(inventory.buried_under(dir)).filter(|f| f.kind() != Kind::Dir) {
                let layer = file.hidden_by().map(|_| file.layer());
                let Some(homes) = self.of.get(&layer) else { continue };
                let home = path::ancestors(file.path()).find_map(|dir| homes.get(dir));
                if let Some(files) = home.and_then(|&at| files.get_mut(at)) {
                    files.push(file.id());
                }
            }
        }
        for dir in &self.inside {
            for file in inventory.under(dir).chain(inventory.buried_under(dir)).filter(|f| f.kind() != Kind::Dir) {
                let name = file.path().get(dir.len() + 1..).unwrap_or_default().split(|&b| b == b'/').nth(2);
                let layer = file.hidden_by().map(|_| file.layer());
                let key = (path::parent(dir).to_vec(), name.unwrap_or_default().to_vec(), layer);
                if let Some(files) = self.names.get(&key).and_then(|&at| files.get_mut(at)) {
                    files.push(file.id());
                }
            }
        }
        files
    }
}

/// The file at a path that is as live as the record, or buried in the same layer.
fn same_file(inventory: &Inventory, path: &[u8], record: &File<'_>) -> Option<FileId> {
    let path = path::clean(path);
    let file = match record.state() {
        State::Live => inventory.get(&path),
        State::Buried => inventory.buried_at(&path).find(|file| file.layer() == record.layer()),
    };
    file.filter(|file| file.kind() != Kind::Dir).map(|file| file.id())
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
