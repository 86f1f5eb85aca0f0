//! Reads the databases of rpm: `rpmdb.sqlite`, `Packages.db` (ndb) and `Packages` (Berkeley DB hash).
//!
//! The containers differ, what they hold does not: one header for each package, read by `header.rs`. Index files beside
//! the database are not read, and neither is a write-ahead log that was never written back (`rpmdb.sqlite-wal`).

mod bdb;
mod header;
mod ndb;
mod sqlite;

use std::collections::HashMap;

use self::header::Header;
use super::{
    malformed::{Malformed, Parsed, PathBudget, TEXT_MAX, names, quote, text},
    provides::{Provides, resolve},
    sum,
};
use crate::model::{Algorithm, ImagePath, PackageRow};

/// The installed packages with their files; which database it is, its first bytes tell.
///
/// `version` is `[epoch:]version-release`. `depends` holds what the packages require by name; a library, capability
/// or path is replaced by the installed package that provides it, and what rpm itself must understand
/// (`rpmlib(...)`) or only conditionally wants (`(a if b)`) is left out. Imported keys (`gpg-pubkey`) are no
/// packages. A header that can not be read is a fault and costs no other.
pub fn packages(body: &[u8]) -> Parsed<Vec<PackageRow>> {
    let mut headers = Headers::new(body.len());
    let read = if body.starts_with(sqlite::MAGIC) {
        sqlite::read(body, &mut headers)
    } else if body.starts_with(ndb::MAGIC) {
        ndb::read(body, &mut headers)
    } else if bdb::is_hash(body) {
        bdb::read(body, &mut headers)
    } else {
        Err(Malformed("the file is no rpm database: neither SQLite nor ndb nor a Berkeley DB hash".to_string()))
    };
    if let Err(fault) = read {
        headers.found.fault(fault.0);
    }
    headers.finish()
}

/// Takes the headers out of a database one by one.
struct Headers {
    found: Parsed<Vec<PackageRow>>,
    provides: Provides,
    paths: PathBudget,
    /// Bytes that headers may still have: together they can not have more than the file, unless parts of it are
    /// used again and again.
    left: usize,
}

impl Headers {
    fn new(body_bytes: usize) -> Self {
        Self {
            found: Parsed::default(),
            provides: Provides::default(),
            paths: PathBudget::new(body_bytes),
            left: body_bytes,
        }
    }

    /// Reads one header.
    ///
    /// # Errors
    /// When the headers together are larger than the database: reading must end.
    fn take(&mut self, blob: &[u8]) -> Result<(), Malformed> {
        let overlap = || Malformed("the headers overlap".to_string());
        self.left = self.left.checked_sub(blob.len()).ok_or_else(overlap)?;
        if let Err(fault) = self.row(blob) {
            self.found.fault(fault.0);
        }
        Ok(())
    }

    fn row(&mut self, blob: &[u8]) -> Result<(), Malformed> {
        let header = Header::new(blob)?;
        let name = header.string(header::NAME).ok_or_else(|| Malformed("a header names no package".to_string()))?;
        if name == b"gpg-pubkey" {
            return Ok(());
        }
        let mut row = PackageRow { name: text("a package name", name)?, ..PackageRow::default() };
        row.version = version(&header).unwrap_or_else(|fault| {
            self.found.fault(format!("package {}: {fault}", quote(name)));
            String::new()
        });
        row.arch = header.string(header::ARCH).and_then(|arch| text("", arch).ok()).unwrap_or_default();
        row.installed_bytes = header.number(header::LONGSIZE).or(header.number(header::SIZE)).unwrap_or_default();
        row.depends = names(header.strings(header::REQUIRENAME).filter(|name| is_plain(name)));
        for provided in names(header.strings(header::PROVIDENAME)) {
            self.provides.add(provided, self.found.value.len());
        }
        self.files(&header, &mut row);
        self.found.package(row);
        Ok(())
    }

    fn files(&mut self, header: &Header<'_>, row: &mut PackageRow) {
        let dirs: Vec<_> = header.strings(header::DIRNAMES).collect();
        let mut in_dirs = header.strings(header::BASENAMES).zip(header.numbers(header::DIRINDEXES));
        let mut whole = header.strings(header::OLDFILENAMES).map(|path| (&b""[..], path));
        let mut next = || match in_dirs.next() {
            Some((name, dir)) => Some((usize::try_from(dir).ok().and_then(|dir| dirs.get(dir)).copied(), name)),
            None => whole.next().map(|(dir, path)| (Some(dir), path)),
        };
        let algorithm = algorithm(header);
        let mut digests = header.strings(header::FILEDIGESTS);
        while let Some((dir, name)) = next() {
            let digest = digests.next().and_then(|text| Some((algorithm?, sum::hex(text, algorithm?)?)));
            let path = match dir {
                Some(dir) if dir.len() + name.len() <= TEXT_MAX => self.paths.join(dir, name),
                _ => None,
            };
            match path {
                Some(path) => {
                    if let Some((algorithm, digest)) = digest {
                        row.sums.add(path.as_bytes(), algorithm, digest);
                    }
                    row.files.push(path);
                }
                None => {
                    let package = quote(row.name.as_bytes());
                    self.found.fault(format!("{} is no file of package {package}", quote(name)));
                }
            }
        }
        row.sums.shrink();
    }

    fn finish(mut self) -> Parsed<Vec<PackageRow>> {
        self.provide_paths();
        resolve(&mut self.found.value, &self.provides);
        self.found
    }

    /// Packages may require a file by its path without its owner providing it by name.
    fn provide_paths(&mut self) {
        let needs = self.found.value.iter().flat_map(|row| &row.depends).filter(|need| need.starts_with('/'));
        let needs: HashMap<ImagePath, &String> = needs.map(|need| (ImagePath::from(need.as_str()), need)).collect();
        for (at, row) in self.found.value.iter().enumerate() {
            for need in row.files.iter().filter_map(|file| needs.get(file)) {
                self.provides.add((*need).clone(), at);
            }
        }
    }
}

/// Which algorithm made the digests of the files, if it is one of those that are known.
fn algorithm(header: &Header<'_>) -> Option<Algorithm> {
    match header.number(header::FILEDIGESTALGO) {
        None | Some(1) => Some(Algorithm::Md5),
        Some(2) => Some(Algorithm::Sha1),
        Some(8) => Some(Algorithm::Sha256),
        _ => None,
    }
}

fn version(header: &Header<'_>) -> Result<String, Malformed> {
    let part = |what, tag| text(what, header.string(tag).unwrap_or_default());
    let (version, release) = (part("the version", header::VERSION)?, part("the release", header::RELEASE)?);
    Ok(match header.number(header::EPOCH) {
        Some(epoch) => format!("{epoch}:{version}-{release}"),
        None => format!("{version}-{release}"),
    })
}

/// Whether a requirement is a name, neither rpm's own affair nor a condition.
fn is_plain(requirement: &[u8]) -> bool {
    !requirement.starts_with(b"rpmlib(") && !requirement.starts_with(b"(")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{
        super::malformed::{accept_parser, noise},
        *,
    };
    use crate::model::mark;

    /// The same packages in the databases that real tools wrote; `testdata/pkgdb/make.sh` tells how.
    const SQLITE: &[u8] = include_bytes!("../../../testdata/pkgdb/rpmdb.sqlite.gz");
    const BDB_LITTLE: &[u8] = include_bytes!("../../../testdata/pkgdb/Packages.little.gz");
    const BDB_BIG: &[u8] = include_bytes!("../../../testdata/pkgdb/Packages.big.gz");

    fn gunzip(gz: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        flate2::read::GzDecoder::new(gz).read_to_end(&mut body).expect("a gzip file");
        body
    }

    /// The headers of the SQLite database, in its order.
    fn blobs() -> Vec<Vec<u8>> {
        let mut db = rusqlite::Connection::open_in_memory().expect("SQLite");
        let body = gunzip(SQLITE);
        let body = [&body[..18], &[1, 1], &body[20..]].concat();
        db.deserialize_read_exact("main", body.as_slice(), body.len(), true).expect("a database");
        let mut query = db.prepare("SELECT blob FROM Packages").expect("a query");
        query.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("blobs")
    }

    /// Writes an ndb file: one page of slots, and the blobs behind it.
    fn ndb(blobs: &[Vec<u8>]) -> Vec<u8> {
        let words = |words: [u32; 4]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        let magic = |magic: &[u8; 4]| u32::from_le_bytes(*magic);
        let mut file = words([magic(b"RpmP"), 0, 7, 1]);
        file.extend(words([blobs.len() as u32 + 1, 0, 0, 0]));
        let mut data = Vec::new();
        for (blob, package) in blobs.iter().zip(1..) {
            let mut bytes = words([magic(b"BlbS"), package, 7, blob.len() as u32]);
            bytes.extend(blob);
            bytes.extend(b"sum.len.BlbE");
            bytes.resize(bytes.len().next_multiple_of(16), 0);
            let at = (4096 + data.len()) / 16;
            file.extend(words([magic(b"Slot"), package, at as u32, bytes.len() as u32 / 16]));
            data.extend(bytes);
        }
        while file.len() < 4096 {
            file.extend(words([magic(b"Slot"), 0, 0, 0]));
        }
        [file, data].concat()
    }

    fn database(sql: &str) -> Vec<u8> {
        let mut db = rusqlite::Connection::open_in_memory().expect("SQLite");
        db.execute_batch(sql).expect("SQL");
        db.serialize("main").expect("a database").to_vec()
    }

    fn sorted(body: &[u8]) -> Parsed<Vec<PackageRow>> {
        packages(body).map(|mut rows| {
            rows.sort();
            rows
        })
    }

    #[test]
    fn real_databases_of_every_kind_give_the_same_packages() {
        let Parsed { value: rows, faults } = sorted(&gunzip(SQLITE));
        assert_eq!(faults, [] as [String; 0]);
        let shown: Vec<_> = rows.iter().map(|row| format!("{} {} {}", row.name, row.version, row.arch)).collect();
        assert_eq!(shown, ["offcut-one 1.2-3 noarch", "offcut-three 1.2-3 noarch", "offcut-two 4:1.2-3 noarch"]);
        assert_eq!(rows[0].depends, [] as [String; 0]);
        assert_eq!(rows[2].depends, ["offcut-absent", "offcut-one", "offcut-three"]);
        let paths = ["usr/bin/offcut-one", "usr/share/offcut-one", "usr/share/offcut-one/sub"].map(ImagePath::from);
        assert_eq!(rows[0].files[..3], paths);
        assert_eq!(rows[0].files[3..], [ImagePath::from("usr/share/offcut-one/sub/file-1")]);
        assert_eq!(rows[1].files.len(), 123);
        // The files hold `x` and `1`; directories have no digest.
        let sums: Vec<_> = rows[0].sums.iter().map(|sum| (sum.path, u64::from_be_bytes(sum.digest))).collect();
        let path = |at: usize| mark(rows[0].files[at].as_bytes());
        assert_eq!(sums, [(path(0), 0x73cb_3858_a687_a849), (path(3), 0x4355_a46b_19d3_48dc)]);
        assert_eq!((rows[0].sums.algorithm(), rows[1].sums.iter().len()), (Algorithm::Sha256, 121));
        assert_eq!(rows.iter().map(|row| row.installed_bytes).collect::<Vec<_>>(), [4, 374, 4]);
        for body in [gunzip(BDB_LITTLE), gunzip(BDB_BIG), ndb(&blobs())] {
            assert_eq!(sorted(&body), Parsed { value: rows.clone(), faults: Vec::new() });
        }
    }

    #[test]
    fn other_files_are_no_database() {
        for body in [&b""[..], b"RpmX", b"SQLite format 4\0", &[0; 8192]] {
            let faults = ["the file is no rpm database: neither SQLite nor ndb nor a Berkeley DB hash"];
            assert_eq!(packages(body).faults, faults);
        }
    }

    #[test]
    fn a_damaged_header_costs_no_other_package() {
        let mut blobs = blobs();
        let one = blobs.iter().position(|blob| blob.windows(10).any(|name| name == b"offcut-one")).expect("one");
        blobs[one].truncate(200);
        let parsed = sorted(&ndb(&blobs));
        assert_eq!(parsed.value.len(), 2);
        assert_eq!(parsed.faults, ["a header of 200 bytes is cut short"]);
    }

    #[test]
    fn headers_that_overlap_end_the_reading() {
        let mut body = ndb(&blobs());
        // Every slot shows the first blob, under its own package number.
        let (first, slots) = (body[32..48].to_vec(), 32..4096);
        body[slots.clone()].copy_from_slice(&first.repeat(slots.len() / 16));
        let parsed = packages(&body);
        assert!(parsed.value.len() < 10);
        assert_eq!(parsed.faults, ["the headers overlap"]);
    }

    #[test]
    fn overflow_pages_are_read_once() {
        let body = gunzip(BDB_LITTLE);
        let last = |kind: u8| (1..body.len() / 4096).rfind(|page| body[page * 4096 + 25] == kind).expect("a page");
        let overflow = last(7);
        let mut looping = body.clone();
        looping[overflow * 4096 + 16..][..4].copy_from_slice(&(overflow as u32).to_le_bytes());
        looping[overflow * 4096 + 22..][..2].copy_from_slice(&[1, 0]);
        let parsed = packages(&looping);
        assert_eq!((parsed.value.len(), parsed.faults.len()), (2, 1), "{:?}", parsed.faults);
        let mut empty = body.clone();
        empty[overflow * 4096 + 22..][..2].copy_from_slice(&[0, 0]);
        assert_eq!(packages(&empty).faults.len(), 1);
    }

    #[test]
    fn a_view_in_place_of_the_table_is_not_run() {
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS blob FROM n";
        let parsed = packages(&database(&format!("CREATE VIEW Packages AS {endless}")));
        assert_eq!(parsed.faults, ["the SQLite database has no table Packages"]);
    }

    #[test]
    fn a_table_that_computes_its_blobs_meets_the_limits() {
        let generated = "CREATE TABLE Packages (hnum, blob AS (zeroblob(900000000))); INSERT INTO Packages VALUES (1)";
        let parsed = packages(&database(generated));
        assert_eq!(parsed.faults, ["SQLite can not read the rpm database: string or blob too big"]);
    }

    #[test]
    fn a_table_with_more_rows_than_headers_could_fill_ends() {
        let rows = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
            INSERT INTO Packages SELECT i, NULL FROM n";
        let body = database(rows);
        let mut headers = Headers::new(body.len());
        let end = sqlite::read(&body, &mut headers).map_err(|fault| fault.0);
        assert_eq!(end, Err("SQLite can not read the rpm database: interrupted".to_string()));
        assert_eq!(headers.finish().value, []);
    }

    #[test]
    fn no_damage_to_a_header_panics() {
        let blob = blobs().into_iter().min_by_key(Vec::len).expect("headers");
        accept_parser(&blob, |blob| Headers::new(1 << 20).take(blob));
    }

    #[test]
    fn no_damage_to_a_database_panics_or_hangs() {
        let mut random = noise();
        for body in [gunzip(SQLITE), gunzip(BDB_LITTLE), gunzip(BDB_BIG), ndb(&blobs())] {
            for end in (0..600).chain((600..body.len()).step_by(997)) {
                packages(&body[..end.min(body.len())]);
            }
            for _ in 0..300 {
                let mut spoiled = body.clone();
                for _ in 0..20 {
                    let at = usize::from_le_bytes(std::array::from_fn(|_| random())) % spoiled.len();
                    // Structure stands at the front of files and pages: half of the damage goes there.
                    let at = if random() < 128 { at } else { at / 4096 * 4096 + at % 64 };
                    spoiled[at.min(body.len() - 1)] = random();
                }
                packages(&spoiled);
            }
        }
    }
}
