//! The byte ledger: every byte of the layers has one owner, and the sums equal the layers.
//!
//! It counts and judges nothing. The bytes of a file are those of its body in the archive, those of a sparse file
//! without its holes; a content with several names (hard links) is counted once. What findings say of bytes comes from
//! the same count, see [`Inventory::contents_of`].

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use serde::Serialize;

use super::{File, FileId, Inventory, Package, PackageId};
use crate::{
    catalogue::{PlaceKind, Places},
    model::{Compression, ImageConfig, ImageInfo, Kind, LayerRef, Manager, Origin, State, path},
};

/// Who owns bytes. Ordered as reports print it where bytes are equal.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A package of the distribution: deb, apk, rpm.
    Package,
    /// A package of a language's package manager.
    LanguagePackage,
    /// Owned by no package, below the working directory or beside the command of the image.
    Application,
    /// Owned by no package, in a place where caches are.
    Cache,
    /// Owned by no package: the databases of package managers and what they and the system generate.
    State,
    /// Owned by no package, elsewhere.
    Other,
    /// Hidden by an upper layer, and shipped all the same.
    Buried,
    /// In the archive and not in the layer: written again or removed by the same archive, or the body of a whiteout.
    Replaced,
    /// Not the body of any file: headers, padding, and what follows the last entry.
    Overhead,
}

impl Class {
    /// Every class, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Package,
        Self::LanguagePackage,
        Self::Application,
        Self::Cache,
        Self::State,
        Self::Other,
        Self::Buried,
        Self::Replaced,
        Self::Overhead,
    ];

    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::LanguagePackage => "language-package",
            Self::Application => "application",
            Self::Cache => "cache",
            Self::State => "state",
            Self::Other => "other",
            Self::Buried => "buried",
            Self::Replaced => "replaced",
            Self::Overhead => "overhead",
        }
    }
}

/// All bytes of an image, by layer and by owner. Both sum up to the tar streams.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Ledger {
    /// Sums over all layers.
    pub totals: Sums,
    /// The layers, lowest first.
    pub layers: Vec<LayerAccount>,
    /// The owners, most bytes first.
    pub owners: Vec<OwnerAccount>,
}

/// Where the bytes of one layer, or of all, went: the last four add up to `tar_bytes`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Sums {
    /// Bytes as stored, compressed or not: what a pull transfers.
    pub blob_bytes: u64,
    /// Bytes of the tar stream; for a directory those of its files.
    pub tar_bytes: u64,
    /// Bodies of files that are part of the finished tree.
    pub live_bytes: u64,
    /// Bodies of files that upper layers hide.
    pub buried_bytes: u64,
    /// Bodies in the archive that did not stay in the layer itself.
    pub replaced_bytes: u64,
    /// Everything else.
    pub overhead_bytes: u64,
}

impl Sums {
    /// Whether every byte of the tar stream has its place.
    pub fn is_balanced(&self) -> bool {
        let parts = [self.live_bytes, self.buried_bytes, self.replaced_bytes, self.overhead_bytes];
        parts.into_iter().try_fold(0_u64, u64::checked_add) == Some(self.tar_bytes)
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.blob_bytes, other.blob_bytes),
            (&mut self.tar_bytes, other.tar_bytes),
            (&mut self.live_bytes, other.live_bytes),
            (&mut self.buried_bytes, other.buried_bytes),
            (&mut self.replaced_bytes, other.replaced_bytes),
            (&mut self.overhead_bytes, other.overhead_bytes),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

/// One layer of the ledger.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LayerAccount {
    /// Position, digest and history.
    #[serde(flatten)]
    pub layer: LayerRef,
    /// Whether it came with the base image.
    pub origin: Origin,
    /// How it is stored.
    pub compression: Compression,
    /// Its bytes.
    #[serde(flatten)]
    pub sums: Sums,
    /// The same bytes by class; classes without bytes are left out.
    pub classes: BTreeMap<Class, u64>,
}

/// The bytes of one owner.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct OwnerAccount {
    /// What kind of owner.
    pub class: Class,
    /// Its name: `deb:gcc-12` for a package, the directory for files without one, for buried files who owned them;
    /// empty for what is no file. Escaped as paths are in reports.
    pub name: String,
    /// Whether the bytes came with the base image.
    pub origin: Origin,
    /// Its bytes.
    pub bytes: u64,
    /// Its files; a content with several names is one.
    pub files: u64,
    /// The bytes by layer.
    pub layers: Vec<LayerShare>,
}

/// What of an owner's bytes one layer holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct LayerShare {
    /// The layer, the lowest is 1.
    pub number: u32,
    /// The bytes.
    pub bytes: u64,
}

impl Inventory {
    /// The contents behind some names and their bytes in the archive: hard links once, holes not at all. What is no
    /// regular file has no content.
    pub fn contents_of<'a>(&self, files: impl IntoIterator<Item = File<'a>>) -> BTreeMap<FileId, u64> {
        let data = files.into_iter().filter(|file| matches!(file.kind(), Kind::File | Kind::Hardlink));
        data.map(|file| file.content()).map(|id| (id, self.file(id).stored())).collect()
    }

    /// The ledger of the whole image. `origin` says of each layer, counted from 0, whether it came with the base.
    pub fn ledger(&self, places: &Places, image: &ImageInfo, origin: impl Fn(u32) -> Origin) -> Ledger {
        let roots = Roots::of(self, image.config.as_ref());
        let mut book =
            Book { inventory: self, finder: Finder { places, roots: &roots, last: None }, cells: HashMap::new() };
        book.enter_files();
        book.enter_rest();
        let cells = book.cells;
        let layers = self.layer_accounts(image, &cells, &origin);
        let mut totals = Sums::default();
        layers.iter().for_each(|layer| totals.add(&layer.sums));
        Ledger { totals, layers, owners: self.owner_accounts(cells, &origin) }
    }

    fn layer_accounts(
        &self,
        image: &ImageInfo,
        cells: &Cells<'_>,
        origin: &impl Fn(u32) -> Origin,
    ) -> Vec<LayerAccount> {
        let account = |(number, facts): (usize, &crate::model::LayerFacts)| LayerAccount {
            layer: image.layer_ref(number as u32),
            origin: origin(number as u32),
            compression: facts.compression,
            sums: Sums { blob_bytes: facts.blob_bytes, tar_bytes: facts.tar_bytes, ..Sums::default() },
            classes: BTreeMap::new(),
        };
        let mut accounts: Vec<LayerAccount> = self.layers.iter().enumerate().map(account).collect();
        for ((class, _, layer), cell) in cells {
            let Some(LayerAccount { sums, classes, .. }) = accounts.get_mut(*layer as usize) else { continue };
            let sum = match class {
                Class::Buried => &mut sums.buried_bytes,
                Class::Replaced => &mut sums.replaced_bytes,
                Class::Overhead => &mut sums.overhead_bytes,
                _ => &mut sums.live_bytes,
            };
            *sum = sum.saturating_add(cell.bytes);
            let sum = classes.entry(*class).or_default();
            *sum = sum.saturating_add(cell.bytes);
        }
        accounts
    }

    /// Puts cells of one class, name and origin together: the same package may have several rows.
    fn owner_accounts(&self, cells: Cells<'_>, origin: &impl Fn(u32) -> Origin) -> Vec<OwnerAccount> {
        let mut owners: BTreeMap<(Class, String, Origin), BTreeMap<u32, Cell>> = BTreeMap::new();
        for ((class, key, layer), cell) in cells {
            let name = match key {
                Key::Package(id) => self.packages.get(id.0 as usize).map(package_name).unwrap_or_default(),
                Key::Dir(dir) => path::show(dir),
                Key::Nothing => String::new(),
            };
            let sum = owners.entry((class, name, origin(layer))).or_default().entry(layer).or_default();
            sum.add(cell.bytes, cell.files);
        }
        let account = |((class, name, origin), layers): (_, BTreeMap<u32, Cell>)| {
            let mut sum = Cell::default();
            layers.values().for_each(|cell| sum.add(cell.bytes, cell.files));
            let share =
                |(number, cell): (u32, Cell)| LayerShare { number: number.saturating_add(1), bytes: cell.bytes };
            let Cell { bytes, files } = sum;
            OwnerAccount { class, name, origin, bytes, files, layers: layers.into_iter().map(share).collect() }
        };
        let mut owners: Vec<OwnerAccount> = owners.into_iter().map(account).collect();
        // Stable: equal ones stay in the order of class and name.
        owners.sort_by_key(|owner| std::cmp::Reverse(owner.bytes));
        owners
    }
}

fn package_name(package: &Package) -> String {
    format!("{}:{}", package.manager.word(), path::escape(package.name.as_bytes()))
}

/// Bytes and contents by class, owner and layer.
type Cells<'a> = HashMap<(Class, Key<'a>, u32), Cell>;

/// An owner, before it gets its name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key<'a> {
    Package(PackageId),
    Dir(&'a [u8]),
    Nothing,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    bytes: u64,
    files: u64,
}

impl Cell {
    fn add(&mut self, bytes: u64, files: u64) {
        // A directory on disk may hold sparse files of any length.
        self.bytes = self.bytes.saturating_add(bytes);
        self.files = self.files.saturating_add(files);
    }
}

/// Collects the cells in one pass over the image.
struct Book<'a> {
    inventory: &'a Inventory,
    finder: Finder<'a>,
    cells: Cells<'a>,
}

impl<'a> Book<'a> {
    fn enter_files(&mut self) {
        let names = self.better_names();
        for file in self.inventory.all().filter(|f| f.kind() == Kind::File) {
            let bytes = file.stored();
            if bytes == 0 {
                continue;
            }
            let name = names.get(&file.id()).map_or(file, |name| self.inventory.file(*name));
            let (class, key) = match self.inventory.owner_id(name.id()) {
                Some(id) => (self.class_of(id), Key::Package(id)),
                None => self.finder.find(name.path()),
            };
            let class = if name.state() == State::Live { class } else { Class::Buried };
            self.cells.entry((class, key, file.layer())).or_default().add(bytes, 1);
        }
    }

    /// What no file of the finished layers accounts for.
    fn enter_rest(&mut self) {
        for (number, facts) in self.inventory.layers.iter().enumerate() {
            let standing = facts.entries.iter().fold(0_u64, |sum, e| sum.saturating_add(facts.entries.stored(e.id)));
            let replaced = facts.payload_bytes.saturating_sub(standing);
            let overhead = facts.tar_bytes.saturating_sub(facts.payload_bytes);
            for (class, bytes) in [(Class::Replaced, replaced), (Class::Overhead, overhead)] {
                if bytes > 0 {
                    self.cells.entry((class, Key::Nothing, number as u32)).or_default().add(bytes, 0);
                }
            }
        }
    }

    /// The hard links that tell more of a content than its first name: a live one, or one that a package owns.
    fn better_names(&self) -> HashMap<FileId, FileId> {
        let rank = |id: FileId| (self.inventory.file(id).state() == State::Live, self.inventory.owner_id(id).is_some());
        let mut best: HashMap<FileId, FileId> = HashMap::new();
        for &(link, content) in &self.inventory.targets {
            let now = best.get(&content).copied().unwrap_or(content);
            if rank(link) > rank(now) {
                best.insert(content, link);
            }
        }
        best
    }

    fn class_of(&self, id: PackageId) -> Class {
        match self.inventory.packages.get(id.0 as usize).map(|p| p.manager) {
            Some(Manager::Deb | Manager::Apk | Manager::Rpm) => Class::Package,
            _ => Class::LanguagePackage,
        }
    }
}

/// A class and who within it owns the bytes.
type Owner<'a> = (Class, Key<'a>);

/// Tells the class of files that no package owns.
struct Finder<'a> {
    places: &'a Places,
    roots: &'a Roots,
    /// The directory asked for last and the answer for it: files come in the order of their paths.
    last: Option<(&'a [u8], Option<Owner<'a>>)>,
}

impl<'a> Finder<'a> {
    fn find(&mut self, path: &'a [u8]) -> Owner<'a> {
        let dir = path::parent(path);
        let of_dir = match self.last {
            Some((last, answer)) if last == dir => answer,
            _ => {
                let answer = self.dir(dir);
                self.last = Some((dir, answer));
                answer
            }
        };
        let of_file = || match self.places.file(path) {
            Some(kind) => (class_of_place(kind), Key::Dir(path)),
            None if self.roots.files.contains(path) => (Class::Application, Key::Dir(path)),
            None => (Class::Other, Key::Dir(group_dir(dir))),
        };
        of_dir.unwrap_or_else(of_file)
    }

    /// What the directory says of everything in it; a place within the application is a place.
    fn dir(&self, dir: &'a [u8]) -> Option<Owner<'a>> {
        if let Some((kind, place)) = self.places.dir(dir) {
            return Some((class_of_place(kind), Key::Dir(place)));
        }
        let root = self.roots.dirs.iter().rev().find(|root| dir == *root || path::is_below(dir, root));
        root.map(|root| (Class::Application, Key::Dir(root)))
    }
}

fn class_of_place(kind: PlaceKind) -> Class {
    match kind {
        PlaceKind::Cache => Class::Cache,
        PlaceKind::State => Class::State,
    }
}

/// The directory that stands for a file nobody owns: two levels, three where the second holds everything.
fn group_dir(dir: &[u8]) -> &[u8] {
    const DEEP: [&[u8]; 6] = [b"usr/local", b"usr/lib", b"usr/share", b"var/lib", b"usr/libexec", b"usr/src"];
    let mut ends =
        dir.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at).chain([dir.len()]).skip(1);
    let two = ends.next().and_then(|at| dir.get(..at)).unwrap_or(dir);
    match ends.next() {
        Some(at) if DEEP.contains(&two) => dir.get(..at).unwrap_or(two),
        _ => two,
    }
}

/// Where the application is, by the configuration.
#[derive(Debug, Default)]
struct Roots {
    dirs: BTreeSet<Vec<u8>>,
    files: HashSet<Vec<u8>>,
}

/// Directories that belong to nobody's application, although a command or a working directory may be there.
const SYSTEM_DIRS: [&str; 32] = [
    "",
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "media",
    "mnt",
    "nix/store",
    "opt",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/lib64",
    "usr/libexec",
    "usr/local",
    "usr/local/bin",
    "usr/local/lib",
    "usr/local/sbin",
    "usr/sbin",
    "usr/share",
    "var",
    "var/lib",
    "var/tmp",
];

/// Words of the command that are looked up.
const WORDS_MAX: usize = 64;

impl Roots {
    fn of(inventory: &Inventory, config: Option<&ImageConfig>) -> Self {
        let mut roots = Self::default();
        let Some(config) = config else { return roots };
        let work = path::clean(config.working_dir.as_bytes());
        if let Some(dir) = inventory.resolve(&work) {
            roots.add_dir(dir.path());
        }
        let words = config.entrypoint.iter().chain(&config.cmd).flat_map(|word| word.split_whitespace());
        for word in words.take(WORDS_MAX) {
            let word = word.as_bytes();
            let wanted = if word.starts_with(b"/") { word.to_vec() } else { [&work, &b"/"[..], word].concat() };
            let file =
                inventory.resolve(&path::clean(&wanted)).filter(|f| f.kind() != Kind::Dir && f.owner().is_none());
            let Some(file) = file else { continue };
            roots.files.insert(file.path().to_vec());
            let dir = path::parent(file.path());
            roots.add_dir(if path::name(dir) == b"bin" { path::parent(dir) } else { dir });
        }
        roots
    }

    fn add_dir(&mut self, dir: &[u8]) {
        if !SYSTEM_DIRS.iter().any(|system| system.as_bytes() == dir) {
            self.dirs.insert(dir.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{Layer, image, layer},
        *,
    };
    use crate::{
        catalogue::Catalogue,
        model::{Fact, PackageRow},
    };

    /// An image with a package and this command, below this working directory.
    fn ledger<const N: usize>(layers: [Layer; N], work: &str, command: &[&str]) -> Ledger {
        let config = ImageConfig {
            working_dir: work.to_string(),
            cmd: command.iter().map(|word| word.to_string()).collect(),
            ..ImageConfig::default()
        };
        let info = ImageInfo { config: Some(config), ..ImageInfo::default() };
        let catalogue = Catalogue::builtin().expect("checked when built");
        let origin = |layer| if layer == 0 { Origin::Base } else { Origin::Own };
        image(layers).ledger(&catalogue.places, &info, origin)
    }

    /// `class name origin bytes files` of every owner, sorted.
    fn owners(ledger: &Ledger) -> Vec<String> {
        let line =
            |o: &OwnerAccount| format!("{} {} {} {} {}", o.class.word(), o.name, o.origin.word(), o.bytes, o.files);
        let mut lines: Vec<_> = ledger.owners.iter().map(line).collect();
        lines.sort();
        lines
    }

    fn apk(name: &str, files: &[&str]) -> Fact {
        let files = files.iter().map(|path| (*path).into()).collect();
        let row = PackageRow { name: name.into(), version: "1".into(), files, ..PackageRow::default() };
        Fact::Packages { manager: Manager::Apk, rows: vec![row] }
    }

    #[test]
    fn every_file_has_the_owner_that_says_most() {
        let files = [
            "app/server",
            "app/node_modules/x",
            "app/a/__pycache__/b.pyc",
            "etc/passwd",
            "home/me/.cache/x",
            "opt/tool/share/doc/x",
            "root-file",
            "usr/bin/make",
            "usr/local/bin/start",
            "usr/local/bin/other",
            "usr/local/lib/a/b/c",
            "var/cache/apk/x",
        ];
        let base = files.iter().fold(layer(), |layer, path| layer.file(path));
        let base = base.file("lib/apk/db/installed").fact(apk("make", &["usr/bin/make"]));
        let ledger = ledger([base], "/app", &["/usr/local/bin/start", "./server", "--port", "80"]);
        assert_eq!(
            owners(&ledger),
            [
                "application /app base 20 2",
                "application /usr/local/bin/start base 10 1",
                "cache /app/a/__pycache__ base 10 1",
                "cache /home/me/.cache base 10 1",
                "cache /var/cache base 10 1",
                "other / base 10 1",
                "other /opt/tool base 10 1",
                "other /usr/local/bin base 10 1",
                "other /usr/local/lib base 10 1",
                "package apk:make base 10 1",
                "state /etc base 10 1",
                "state /lib/apk/db base 10 1",
            ]
        );
    }

    #[test]
    fn the_directory_of_the_command_is_the_application_and_a_system_directory_is_not() {
        let files = || layer().file("srv/web/bin/run").file("srv/web/lib/x").file("usr/bin/x").file("y");
        let shown = |work, command| owners(&ledger([files()], work, command));
        assert_eq!(
            shown("/", &["srv/web/bin/run"]),
            ["application /srv/web base 20 2", "other / base 10 1", "other /usr/bin base 10 1"]
        );
        assert_eq!(
            shown("/usr/bin", &["sh", "-c", "exec x"]),
            ["application /usr/bin/x base 10 1", "other / base 10 1", "other /srv/web base 20 2"]
        );
    }

    #[test]
    fn what_an_upper_layer_hides_is_buried_under_the_name_of_its_owner() {
        let base = layer().file("usr/bin/make").file("x/old").file("lib/apk/db/installed");
        let base = base.fact(apk("make", &["usr/bin/make"]));
        let own = layer().file("x/old").whiteout("usr/bin/make").file("lib/apk/db/installed");
        let ledger = ledger([base, own], "", &[]);
        assert_eq!(
            owners(&ledger),
            [
                "buried /lib/apk/db base 10 1",
                "buried /x base 10 1",
                "buried apk:make base 10 1",
                "other /x own 10 1",
                "state /lib/apk/db own 10 1",
            ]
        );
        assert_eq!(ledger.totals.buried_bytes, 30);
        assert_eq!(ledger.layers.iter().map(|l| l.sums.live_bytes).collect::<Vec<_>>(), [0, 20]);
    }

    #[test]
    fn a_content_with_several_names_counts_once_and_where_it_is_live() {
        let base = layer().file("a/x").hard("b/x", "a/x").hard("c/x", "a/x");
        let kept = ledger([base, layer().whiteout("a/x")], "", &[]);
        assert_eq!(owners(&kept), ["other /b base 10 1"]);
        let base = layer().file("a/x").hard("b/x", "a/x");
        let gone = ledger([base, layer().whiteout("a/x").whiteout("b/x")], "", &[]);
        assert_eq!(owners(&gone), ["buried /a base 10 1"]);
        let base = layer().file("a/x").hard("usr/bin/make", "a/x").file("lib/apk/db/installed");
        let owned = ledger([base.fact(apk("make", &["usr/bin/make"]))], "", &[]);
        assert_eq!(owners(&owned), ["package apk:make base 10 1", "state /lib/apk/db base 10 1"]);
    }

    #[test]
    fn one_name_is_one_row_for_each_origin_however_many_layers_and_versions() {
        let row = |layer: Layer| layer.file("opt/x/a").file("opt/x/b");
        let ledger = ledger([row(layer()), layer().file("opt/x/c"), layer().file("opt/x/d")], "", &[]);
        assert_eq!(owners(&ledger), ["other /opt/x base 20 2", "other /opt/x own 20 2"]);
        let own = ledger.owners.iter().find(|owner| owner.origin == Origin::Own).expect("it is there");
        assert_eq!(own.layers, [LayerShare { number: 2, bytes: 10 }, LayerShare { number: 3, bytes: 10 }]);
    }
}
