//! Tells whether the bytes of a file are those that its package came with.
//!
//! Owning a path is not enough, since anybody may have written over the file: the package's record must have the digest
//! of these bytes, or at least have come in the same layer as the file. Whether everybody can get the package, an image
//! does not tell; what was installed from its source is left out.

use hashbrown::{HashMap, HashSet};

use super::{File, FileId, Inventory, Package, PackageId};
use crate::model::{Algorithm, Fact, FileSums, Kind, Manager, State, Sums, mark, path, release};

/// Names of one file that are looked up, and directories that can be reached under a second name.
const NAMES_MAX: usize = 64;

/// Links near the root that are followed to see which of them lead to directories.
const ALIASES_MAX: usize = 1_000;

/// Digests that are looked at for one path: one for each package and layer that lists it.
const LINES_MAX: usize = 1_000;

/// Who vouches for the bytes of a file.
#[derive(Clone, Copy, Debug)]
pub struct Vouched<'a> {
    /// The package.
    pub package: &'a Package,
    /// How it does.
    pub how: How,
}

/// How a package vouches for the bytes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// Its record has the digest of exactly these bytes.
    Digest,
    /// It owns the file, of which its record has no digest or whose own is not known; and the file came in the layer
    /// that installed the package, so nobody changed it later.
    SameLayer,
    /// As [`How::SameLayer`], of a package that was taken from a registry as a whole and has no digests of files.
    Registry,
}

impl Inventory {
    /// The package that came with exactly the bytes of a file. `sums` are the digests of the file, `None` where they
    /// are not known.
    ///
    /// Live and buried files are asked for alike; the package may be a buried one, or one that is still installed
    /// while its file is buried.
    pub fn vouched(&self, file: FileId, sums: Option<&FileSums>) -> Option<Vouched<'_>> {
        let asked = self.file(file);
        if !matches!(asked.kind(), Kind::File | Kind::Hardlink) {
            return None;
        }
        let vouchers = self.vouchers.get_or_init(|| Vouchers::read(self));
        let content = asked.content();
        let links = vouchers.links.iter().skip(vouchers.links.partition_point(|(of, _)| *of < content));
        let links = links.take_while(|(of, _)| *of == content).map(|(_, link)| *link);
        let names = || [file, content].into_iter().chain(links.clone()).take(NAMES_MAX).map(|id| self.file(id));
        names()
            .find_map(|name| vouchers.by_digest(self, &name, sums?))
            .or_else(|| names().find_map(|name| vouchers.by_layer(self, &name, sums.is_some())))
    }
}

/// What the records of an image say, in a form that can be asked for a path.
#[derive(Default)]
pub(super) struct Vouchers {
    /// Every digest of every record, sorted by path.
    lines: Vec<Line>,
    records: Vec<(PackageId, Algorithm)>,
    /// Layers that brought a package, by its record.
    arrivals: HashSet<(PackageId, u32)>,
    /// Where dpkg put a file, and the path by which its package knows it.
    diverted: HashMap<Vec<u8>, Vec<u8>>,
    /// Directories and links that lead to them: records may use either name.
    aliases: Vec<(Vec<u8>, Vec<u8>)>,
    /// Contents and the hard links to them, sorted.
    links: Vec<(FileId, FileId)>,
    /// Releases that came from a registry, by the directory of the project.
    released: HashMap<Vec<u8>, HashSet<u64>>,
}

/// One digest of a record.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Line {
    path: u32,
    record: u32,
    digest: [u8; 8],
}

impl Vouchers {
    fn read(inventory: &Inventory) -> Self {
        let mut links: Vec<_> = inventory.targets.iter().map(|&(link, content)| (content, link)).collect();
        links.sort_unstable();
        let mut reader = Reader {
            rows: HashMap::new(),
            names: HashMap::new(),
            dists: HashMap::new(),
            local: HashSet::new(),
            taken: HashSet::new(),
            found: Self { links, aliases: aliases(inventory), ..Self::default() },
        };
        reader.know(inventory);
        let mut facts: Vec<(File<'_>, &Fact)> = inventory.observed().collect();
        // The lowest database that has a row shows which layer brought the package.
        facts.sort_by_key(|(file, _)| (file.layer(), file.id()));
        for (file, fact) in facts {
            reader.take(&file, fact);
        }
        reader.found.lines.sort_unstable();
        reader.found.lines.dedup();
        reader.found
    }

    /// The package whose record has the digest of a file; rather the one that owns the file than another.
    fn by_digest<'a>(&self, inventory: &'a Inventory, name: &File<'_>, sums: &FileSums) -> Option<Vouched<'a>> {
        let owner = inventory.owner_id(name.id());
        let mut found = None;
        for line in self.spellings(name.path()).iter().flat_map(|path| self.lines_of(path)) {
            let Some(&(id, algorithm)) = self.records.get(line.record as usize) else { continue };
            if start_of(sums, algorithm) == Some(&line.digest) {
                found = Some(id);
                if found == owner {
                    break;
                }
            }
        }
        let package = inventory.packages.get(found?.index())?;
        Some(Vouched { package, how: How::Digest })
    }

    /// The owner of a file, if the file came with it and no record has another digest of it.
    fn by_layer<'a>(&self, inventory: &'a Inventory, name: &File<'_>, summed: bool) -> Option<Vouched<'a>> {
        let id = inventory.owner_id(name.id())?;
        let package = inventory.packages.get(id.index())?;
        let layer = inventory.file(name.content()).layer();
        let home = inventory.file(package.home);
        let vouched = |how| Some(Vouched { package, how });
        match package.manager {
            Manager::Deb | Manager::Apk | Manager::Rpm | Manager::Pypi => {
                let same = |line: Line| {
                    let record = self.records.get(line.record as usize);
                    let of = record.and_then(|(id, _)| inventory.packages.get(id.index()));
                    of.is_some_and(|of| of.manager == package.manager && of.name == package.name)
                };
                let other_bytes = || self.spellings(name.path()).iter().any(|path| self.lines_of(path).any(same));
                if !self.arrivals.contains(&(id, layer)) || summed && other_bytes() {
                    return None;
                }
                vouched(How::SameLayer)
            }
            Manager::Npm if layer == home.layer() && self.is_released(package, &home) => vouched(How::Registry),
            // Only gems that were built and installed have a directory of this name beside `specifications`.
            Manager::Gem if layer == home.layer() && is_in_gem(name.path(), home.path()) => vouched(How::Registry),
            _ => None,
        }
    }

    /// Whether a lock file of the project around a module has its release from a registry.
    fn is_released(&self, package: &Package, manifest: &File<'_>) -> bool {
        let release = release(&package.name, &package.version);
        let projects = path::ancestors(manifest.path()).chain(std::iter::once(&b""[..]));
        projects.into_iter().any(|dir| self.released.get(dir).is_some_and(|all| all.contains(&release)))
    }

    fn lines_of(&self, path: &[u8]) -> impl Iterator<Item = Line> {
        let path = mark(path);
        let from = self.lines.partition_point(|line| line.path < path);
        self.lines.iter().skip(from).take_while(move |line| line.path == path).take(LINES_MAX).copied()
    }

    /// The paths by which records may know a file: through a linked directory, or before it was diverted.
    fn spellings(&self, path: &[u8]) -> Vec<Vec<u8>> {
        let mut all = vec![path.to_vec()];
        for (real, link) in &self.aliases {
            if path::is_below(path, real) {
                all.push([link, path.get(real.len()..).unwrap_or_default()].concat());
            }
        }
        let before: Vec<_> = all.iter().filter_map(|path| self.diverted.get(path).cloned()).collect();
        all.extend(before);
        all
    }
}

/// Reads the records of an image.
struct Reader<'a> {
    /// Packages of distributions by name, version and architecture.
    rows: HashMap<(Manager, &'a str, &'a str, &'a str), PackageId>,
    /// Debs by name, with whether their row is live.
    names: HashMap<&'a str, Vec<(State, PackageId)>>,
    /// Python distributions by the directory of their metadata, and its layer.
    dists: HashMap<(&'a [u8], u32), PackageId>,
    /// Directories of the metadata of what was installed from its source.
    local: HashSet<&'a [u8]>,
    /// Rows that were read in a lower layer.
    taken: HashSet<PackageId>,
    found: Vouchers,
}

impl<'a> Reader<'a> {
    /// Finds the packages that records will name.
    fn know(&mut self, inventory: &'a Inventory) {
        for (at, package) in inventory.packages.iter().enumerate() {
            let id = PackageId::at(at);
            let home = inventory.file(package.home);
            match package.manager {
                Manager::Pypi => _ = self.dists.entry((path::parent(home.path()), home.layer())).or_insert(id),
                Manager::Deb | Manager::Apk | Manager::Rpm => {
                    let key = (package.manager, &*package.name, &*package.version, &*package.arch);
                    self.rows.entry(key).or_insert(id);
                    if package.manager == Manager::Deb {
                        self.names.entry(&package.name).or_default().push((home.state(), id));
                    }
                }
                _ => {}
            }
        }
        let local = inventory.observed().filter(|(_, fact)| matches!(fact, Fact::LocalDist));
        self.local.extend(local.map(|(file, _)| path::parent(file.path())));
    }

    fn take(&mut self, file: &File<'a>, fact: &'a Fact) {
        match fact {
            Fact::Packages { manager, rows } => {
                for row in rows {
                    let Some(&id) = self.rows.get(&(*manager, &*row.name, &*row.version, &*row.arch)) else { continue };
                    if !self.taken.insert(id) {
                        continue;
                    }
                    self.sums(id, &row.sums);
                    if *manager != Manager::Deb {
                        self.found.arrivals.insert((id, file.layer()));
                    }
                }
            }
            Fact::FileList { package, .. } => {
                // A live list tells of a live row; see how files are given to their owners.
                let ids = self.names.get(package.as_str()).into_iter().flatten();
                let ids = ids.filter(|(state, _)| *state == file.state()).map(|(_, id)| (*id, file.layer()));
                self.found.arrivals.extend(ids);
            }
            Fact::Sums { package, sums } => {
                let ids = || self.names.get(package.as_str()).into_iter().flatten();
                let id = ids().find(|(state, _)| *state == file.state()).or_else(|| ids().next());
                if let Some(&(_, id)) = id {
                    self.sums(id, sums);
                }
            }
            Fact::Diversions(pairs) => {
                let pairs = pairs.iter().map(|(from, to)| (to.as_bytes().to_vec(), from.as_bytes().to_vec()));
                self.found.diverted.extend(pairs);
            }
            Fact::Python(dist) if dist.name.is_empty() => {
                let dir = path::parent(file.path());
                if let Some(&id) = self.dists.get(&(dir, file.layer()))
                    && !self.local.contains(dir)
                {
                    self.sums(id, &dist.sums);
                    self.found.arrivals.insert((id, file.layer()));
                }
            }
            Fact::Released(releases) => {
                let project = project_of(file.path()).to_vec();
                self.found.released.entry(project).or_default().extend(releases);
            }
            _ => {}
        }
    }

    fn sums(&mut self, package: PackageId, sums: &Sums) {
        let Ok(record) = u32::try_from(self.found.records.len()) else { return };
        if !sums.is_empty() {
            self.found.records.push((package, sums.algorithm()));
            self.found.lines.extend(sums.iter().map(|sum| Line { path: sum.path, record, digest: sum.digest }));
        }
    }
}

/// The directories near the root that links lead to, and the links: `/bin` is `/usr/bin`, `/var/run` is `/run`.
fn aliases(inventory: &Inventory) -> Vec<(Vec<u8>, Vec<u8>)> {
    let near = |file: &File<'_>| file.path().iter().filter(|byte| **byte == b'/').count() <= 1;
    let links = inventory.files().filter(|file| file.kind() == Kind::Symlink && near(file)).take(ALIASES_MAX);
    let dirs = links.filter_map(|link| {
        let dir = inventory.resolve(link.path()).filter(|dir| dir.kind() == Kind::Dir && !dir.path().is_empty())?;
        Some((dir.path().to_vec(), link.path().to_vec()))
    });
    dirs.take(NAMES_MAX).collect()
}

/// The directory of the project that a lock file tells of: above the first `node_modules`, if it lies in one.
fn project_of(lock: &[u8]) -> &[u8] {
    let modules = path::ancestors(lock).filter(|dir| path::name(dir) == b"node_modules");
    modules.last().map_or_else(|| path::parent(lock), path::parent)
}

/// Whether a file lies in the directory of the gem with this specification.
fn is_in_gem(file: &[u8], spec: &[u8]) -> bool {
    let home = path::parent(path::parent(spec));
    let full = path::name(spec).strip_suffix(b".gemspec").unwrap_or_default();
    path::name(path::parent(spec)) == b"specifications" && path::is_below(file, &[home, b"/gems/", full].concat())
}

/// The first bytes of the digest by this algorithm.
fn start_of(sums: &FileSums, algorithm: Algorithm) -> Option<&[u8; 8]> {
    match algorithm {
        Algorithm::Md5 => sums.md5.first_chunk(),
        Algorithm::Sha1 => sums.sha1.first_chunk(),
        Algorithm::Sha256 => sums.sha256.first_chunk(),
    }
}

#[cfg(test)]
mod tests {
    use md5::Md5;
    use sha1::Sha1;
    use sha2::{Digest as _, Sha256};

    use super::{
        super::tests::{Layer, image, layer},
        *,
    };
    use crate::{
        model::PackageRow,
        probe::{Looker, Probes},
    };

    /// Adds a file with what the probes see in it.
    fn put(layer: Layer, path: &str, body: &str) -> Layer {
        let probes = Probes::new([]);
        let mut looker = Looker::new(&probes);
        looker.begin(path.as_bytes(), body.len() as u64);
        looker.body(body.as_bytes());
        looker.end().facts.into_iter().fold(layer.file(path), Layer::fact)
    }

    fn files<const N: usize>(files: [(&str, &str); N]) -> Layer {
        files.into_iter().fold(layer(), |layer, (path, body)| put(layer, path, body))
    }

    fn sums(body: &str) -> FileSums {
        FileSums { md5: Md5::digest(body).into(), sha1: Sha1::digest(body).into(), sha256: Sha256::digest(body).into() }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
        let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let sextets = bits.chunks(6).map(|six| six.iter().chain(&[0; 6]).take(6).fold(0, |sum, bit| sum << 1 | bit));
        sextets.map(|six: u8| char::from(alphabet[usize::from(six)])).collect()
    }

    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// `package version how` of who vouches for a live file with these bytes.
    fn live(image: &Inventory, path: &str, body: Option<&str>) -> Option<String> {
        let file = image.get(path.as_bytes()).expect("a live file");
        shown(image.vouched(file.id(), body.map(sums).as_ref()))
    }

    fn buried(image: &Inventory, path: &str, body: Option<&str>) -> Option<String> {
        let file = image.buried_at(path.as_bytes()).next().expect("a buried file");
        shown(image.vouched(file.id(), body.map(sums).as_ref()))
    }

    fn shown(vouched: Option<Vouched<'_>>) -> Option<String> {
        vouched.map(|v| format!("{} {} {:?}", v.package.name, v.package.version, v.how))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_string())
    }

    const STATUS: &str = "var/lib/dpkg/status";

    fn status(version: &str) -> String {
        let conf = hex(&sums("conf").md5);
        format!(
            "Package: make\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\nConffiles:\n \
            /etc/make conf {conf}\n /etc/gone {conf} obsolete\n"
        )
    }

    /// A deb with a program, an example, a file without a digest and two configuration files.
    fn deb(version: &str, example: &str) -> Layer {
        let list = "/.\n/bin/make\n/usr/share/make/key.pem\n/usr/share/make/bare\n/etc/make conf\n/etc/gone\n";
        let (program, example) = (hex(&sums("program").md5), hex(&sums(example).md5));
        let md5sums = format!("{program}  bin/make\n{example}  usr/share/make/key.pem\n");
        let known = [
            ("etc/gone", ""),
            ("etc/make conf", ""),
            ("usr/bin/make", ""),
            ("usr/share/make/bare", ""),
            ("usr/share/make/key.pem", ""),
            ("var/lib/dpkg/info/make.list", list),
            ("var/lib/dpkg/info/make.md5sums", &md5sums),
            (STATUS, &status(version)),
        ];
        files(known).entry("bin", Kind::Symlink, "usr/bin", 0)
    }

    #[test]
    fn a_deb_vouches_for_its_bytes_and_for_no_others() {
        let image = image([deb("1", "key")]);
        let make = some("make 1 Digest");
        assert_eq!(live(&image, "usr/share/make/key.pem", Some("key")), make);
        assert_eq!(live(&image, "usr/share/make/key.pem", Some("changed in place")), None);
        assert_eq!(live(&image, "usr/bin/make", Some("program")), make, "through the linked directory");
        assert_eq!(live(&image, "etc/make conf", Some("conf")), make);
        assert_eq!(live(&image, "etc/make conf", Some("edited")), None);
        assert_eq!(live(&image, "etc/gone", Some("conf")), make);
        assert_eq!(live(&image, "usr/share/make/bare", Some("any")), some("make 1 SameLayer"));
        assert_eq!(live(&image, "usr/bin/make", None), some("make 1 SameLayer"), "too large to be hashed");
        assert_eq!(live(&image, STATUS, Some("key")), None);
    }

    #[test]
    fn what_a_later_layer_writes_is_vouched_for_only_by_its_digest() {
        let later = files([("usr/share/make/key.pem", ""), ("usr/share/make/bare", ""), ("usr/bin/make", "")]);
        let image = image([deb("1", "key"), later]);
        assert_eq!(live(&image, "usr/share/make/key.pem", Some("mine")), None);
        assert_eq!(live(&image, "usr/share/make/key.pem", None), None);
        assert_eq!(live(&image, "usr/share/make/bare", Some("any")), None);
        assert_eq!(live(&image, "usr/bin/make", Some("program")), some("make 1 Digest"), "its owner was changed");
        assert_eq!(buried(&image, "usr/share/make/key.pem", Some("key")), some("make 1 Digest"));
        assert_eq!(buried(&image, "usr/share/make/key.pem", Some("mine")), None);
    }

    #[test]
    fn a_buried_file_of_a_package_that_is_still_there_has_its_word() {
        let image = image([deb("1", "key"), layer().whiteout("usr/share/make")]);
        assert_eq!(buried(&image, "usr/share/make/key.pem", Some("key")), some("make 1 Digest"));
        assert_eq!(buried(&image, "usr/share/make/key.pem", Some("other")), None);
    }

    #[test]
    fn every_version_vouches_for_its_own_bytes() {
        let image = image([deb("1", "old key"), deb("2", "new key")]);
        assert_eq!(live(&image, "usr/share/make/key.pem", Some("new key")), some("make 2 Digest"));
        assert_eq!(buried(&image, "usr/share/make/key.pem", Some("old key")), some("make 1 Digest"));
        assert_eq!(live(&image, "usr/bin/make", None), some("make 2 SameLayer"));
        assert_eq!(buried(&image, "usr/bin/make", None), some("make 1 SameLayer"));
    }

    #[test]
    fn a_diverted_file_has_the_digest_of_the_path_it_was_diverted_from() {
        let diversions = "/bin/make\n/bin/make.real\n:\n";
        let diverted = put(deb("1", "key").file("usr/bin/make.real"), "var/lib/dpkg/diversions", diversions);
        let image = image([diverted]);
        assert_eq!(live(&image, "usr/bin/make.real", Some("program")), some("make 1 Digest"));
        assert_eq!(live(&image, "usr/bin/make.real", Some("wrapper")), None);
        assert_eq!(live(&image, "usr/bin/make", Some("wrapper")), None);
    }

    #[test]
    fn a_hard_link_has_the_word_of_its_other_names() {
        let image = image([deb("1", "key").hard("srv/key", "usr/share/make/key.pem").hard("srv/x", "usr/bin/make")]);
        assert_eq!(live(&image, "srv/key", Some("key")), some("make 1 Digest"));
        assert_eq!(live(&image, "srv/x", None), some("make 1 SameLayer"));
        assert_eq!(live(&image, "srv/x", Some("other")), None);
    }

    #[test]
    fn a_distroless_deb_has_its_digests_beside_its_stanza() {
        let sum = hex(&sums("zone").md5);
        let image = image([files([
            ("usr/share/zoneinfo/UTC", ""),
            ("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 1\nArchitecture: all\n"),
            ("var/lib/dpkg/status.d/tzdata.md5sums", &format!("{sum}  usr/share/zoneinfo/UTC\n")),
        ])]);
        assert_eq!(live(&image, "usr/share/zoneinfo/UTC", Some("zone")), some("tzdata 1 Digest"));
        assert_eq!(live(&image, "usr/share/zoneinfo/UTC", Some("mine")), None);
        assert_eq!(live(&image, "usr/share/zoneinfo/UTC", None), some("tzdata 1 SameLayer"));
    }

    #[test]
    fn an_apk_vouches_in_the_layer_that_brought_it_however_often_the_database_is_written() {
        let row = format!(
            "P:curl\nV:8\nA:x86_64\nF:etc\nR:curl.conf\nZ:Q1{}=\nF:usr/lib\nR:big\nZ:Q1{}=\n\n",
            base64(&sums("conf").sha1, STANDARD),
            base64(&sums("big").sha1, STANDARD)
        );
        let base = files([("etc/curl.conf", ""), ("usr/lib/big", ""), ("lib/apk/db/installed", &row)]);
        let more = format!("{row}P:jq\nV:1\nA:x86_64\nF:usr/bin\nR:jq\n\n");
        let next = files([("usr/bin/jq", ""), ("lib/apk/db/installed", &more)]);
        let image = image([base, next, layer().file("usr/bin/jq")]);
        assert_eq!(live(&image, "etc/curl.conf", Some("conf")), some("curl 8 Digest"));
        assert_eq!(live(&image, "etc/curl.conf", Some("edited")), None);
        assert_eq!(live(&image, "usr/lib/big", None), some("curl 8 SameLayer"));
        assert_eq!(live(&image, "usr/bin/jq", None), None, "it was written over");
        assert_eq!(buried(&image, "usr/bin/jq", None), None, "the owner is that of the live file");
    }

    #[test]
    fn an_rpm_vouches_by_the_algorithm_of_its_header() {
        let row = |name: &str, path: &str, algorithm, digest: &[u8]| {
            let mut row = PackageRow { name: name.into(), files: vec![path.into()], ..PackageRow::default() };
            row.sums.add(path.as_bytes(), algorithm, *digest.first_chunk().expect("bytes"));
            row
        };
        let rows = vec![
            row("new", "usr/share/a", Algorithm::Sha256, &sums("a").sha256),
            row("old", "usr/share/b", Algorithm::Md5, &sums("b").md5),
        ];
        let base = files([("usr/share/a", ""), ("usr/share/b", "")]).file("var/lib/rpm/rpmdb.sqlite");
        let image = image([base.fact(Fact::Packages { manager: Manager::Rpm, rows })]);
        assert_eq!(live(&image, "usr/share/a", Some("a")), some("new  Digest"));
        assert_eq!(live(&image, "usr/share/b", Some("b")), some("old  Digest"));
        assert_eq!(live(&image, "usr/share/b", Some("a")), None);
    }

    /// An installed wheel with a module, its compiled form and the given further files of its metadata.
    fn wheel<const N: usize>(more: [(&str, &str); N]) -> Layer {
        let record = format!(
            "jwt/keys.py,sha256={},4\njwt/__pycache__/keys.cpython-311.pyc,,\njwt-1.dist-info/RECORD,,\n",
            base64(&sums("keys").sha256, URL)
        );
        let known = [
            ("venv/jwt-1.dist-info/METADATA", "Name: jwt\nVersion: 1\n"),
            ("venv/jwt-1.dist-info/RECORD", &record),
            ("venv/jwt/__pycache__/keys.cpython-311.pyc", ""),
            ("venv/jwt/keys.py", ""),
            ("venv/jwt/added.py", ""),
        ];
        more.into_iter().fold(files(known), |layer, (path, body)| put(layer, path, body))
    }

    #[test]
    fn a_wheel_vouches_for_what_its_record_lists() {
        let image = image([wheel([]), layer().file("x")]);
        assert_eq!(live(&image, "venv/jwt/keys.py", Some("keys")), some("jwt 1 Digest"));
        assert_eq!(live(&image, "venv/jwt/keys.py", Some("patched")), None);
        assert_eq!(live(&image, "venv/jwt/__pycache__/keys.cpython-311.pyc", Some("?")), some("jwt 1 SameLayer"));
        assert_eq!(live(&image, "venv/jwt/added.py", Some("keys")), None);
    }

    #[test]
    fn what_was_installed_from_its_source_vouches_for_nothing() {
        let url = "venv/jwt-1.dist-info/direct_url.json";
        let editable = r#"{"url": "file:///app", "dir_info": {"editable": true}}"#;
        let remote = r#"{"url": "https://example.org/jwt.whl", "archive_info": {}}"#;
        let image_of = |body| image([wheel([(url, body)])]);
        for path in ["venv/jwt/keys.py", "venv/jwt/__pycache__/keys.cpython-311.pyc"] {
            assert_eq!(live(&image_of(editable), path, Some("keys")), None, "{path}");
        }
        assert_eq!(live(&image_of(remote), "venv/jwt/keys.py", Some("keys")), some("jwt 1 Digest"));
    }

    /// A project with two installed packages, as a lock file at this path tells of them.
    fn project(lock: &str) -> Layer {
        let body = r#"{"packages": {
            "node_modules/jws": {"version": "3.0.0", "resolved": "https://x/jws.tgz", "integrity": "sha512-x"},
            "node_modules/mine": {"version": "1.0.0", "resolved": "file:../mine"}}}"#;
        files([
            ("app/node_modules/jws/package.json", r#"{"name": "jws", "version": "3.0.0"}"#),
            ("app/node_modules/jws/test/key.pem", ""),
            ("app/node_modules/mine/package.json", r#"{"name": "mine", "version": "1.0.0"}"#),
            ("app/node_modules/mine/key.pem", ""),
            ("app/key.pem", ""),
            (lock, body),
        ])
    }

    #[test]
    fn a_package_of_a_registry_vouches_for_what_came_with_it() {
        for lock in ["app/package-lock.json", "app/node_modules/.package-lock.json", "package-lock.json"] {
            let image = image([project(lock), layer().file("app/node_modules/jws/late.pem")]);
            for sums in [Some("any"), None] {
                assert_eq!(
                    live(&image, "app/node_modules/jws/test/key.pem", sums),
                    some("jws 3.0.0 Registry"),
                    "{lock}"
                );
                assert_eq!(live(&image, "app/node_modules/mine/key.pem", sums), None);
                assert_eq!(live(&image, "app/node_modules/jws/late.pem", sums), None);
                assert_eq!(live(&image, "app/key.pem", sums), None);
            }
        }
        let image = image([project("other/package-lock.json")]);
        assert_eq!(live(&image, "app/node_modules/jws/test/key.pem", None), None, "the lock of another project");
    }

    #[test]
    fn an_installed_gem_vouches_for_its_directory_and_one_of_a_repository_does_not() {
        let spec = "# -*- encoding: utf-8 -*-\n# stub: jwt 2.0 ruby lib\n";
        let image = image([files([
            ("usr/lib/ruby/gems/3.2.0/gems/jwt-2.0/spec/key.pem", ""),
            ("usr/lib/ruby/gems/3.2.0/specifications/jwt-2.0.gemspec", spec),
            ("usr/lib/ruby/gems/3.2.0/bundler/gems/jwt-abc/key.pem", ""),
        ])]);
        let dir = "usr/lib/ruby/gems/3.2.0";
        assert_eq!(live(&image, &format!("{dir}/gems/jwt-2.0/spec/key.pem"), Some("x")), some("jwt 2.0 Registry"));
        assert_eq!(live(&image, &format!("{dir}/bundler/gems/jwt-abc/key.pem"), Some("x")), None);
    }
}
