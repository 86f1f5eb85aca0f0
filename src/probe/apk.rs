//! Reads apk's database of installed packages, `lib/apk/db/installed` (newer: `usr/lib/apk/db/installed`).
//!
//! Format: apk-tools `src/database.c` (`apk_db_write_fdb`, `apk_db_read`): stanzas of `K:value` lines, an empty line
//! after each. What the other files of `lib/apk/db` say (scripts, triggers) is not read.

use super::{
    malformed::{Parsed, PathBudget, TEXT_MAX, lines, names, quote, text},
    provides::{Provides, resolve},
    sum,
};
use crate::model::{Algorithm, PackageRow};

/// The installed packages with their files.
///
/// `depends` holds the names of `D:`, conflicts left out; a library, command or path (`so:`, `cmd:`, `/bin/sh`) is
/// replaced by the installed package that provides it (`p:`); `provides` are other names of the package;
/// `sums` has the digests of `Z:`, of files and of the targets of links. A virtual package (`apk add -t NAME`) is a row without
/// files whose `depends` are what it pulled in. Damage is told as a fault and costs a line, or its package when that
/// is the name.
pub fn installed(body: &[u8]) -> Parsed<Vec<PackageRow>> {
    let mut reader = Reader { budget: PathBudget::new(body.len()), ..Reader::default() };
    for line in lines(body) {
        match line {
            [] => reader.finish(),
            [key, b':', value @ ..] => reader.field(*key, value),
            _ => reader.found.fault(format!("{} is no line of an apk database", quote(line))),
        }
    }
    reader.finish();
    let Reader { mut found, provides, .. } = reader;
    resolve(&mut found.value, &provides);
    found
}

#[derive(Default)]
struct Reader<'a> {
    found: Parsed<Vec<PackageRow>>,
    provides: Provides,
    budget: PathBudget,
    row: PackageRow,
    dir: Option<&'a [u8]>,
    /// Whether the last of the row's files is the one that lines tell of.
    in_file: bool,
    /// Whether the stanza has had a line at all.
    begun: bool,
}

impl<'a> Reader<'a> {
    fn field(&mut self, key: u8, value: &'a [u8]) {
        self.begun = true;
        match key {
            b'P' => self.row.name = self.text("a package name", value),
            b'V' => self.row.version = self.text("a version", value),
            b'A' => self.row.arch = self.text("an architecture", value),
            b'I' => self.row.installed_bytes = number(value),
            b'D' => self.row.depends = relations(value),
            b'p' => {
                let at = self.found.value.len();
                for name in relations(value) {
                    // Others need a package by such a name, and so may the world.
                    if !name.contains([':', '/']) {
                        self.row.provides.push(name.clone());
                    }
                    self.provides.add(name, at);
                }
            }
            b'F' => self.dir = Some(value),
            b'R' => self.file(value),
            b'Z' => self.digest(value),
            _ => {}
        }
    }

    fn text(&mut self, what: &str, value: &[u8]) -> String {
        text(what, value).unwrap_or_else(|fault| {
            self.found.fault(fault.0);
            String::new()
        })
    }

    fn file(&mut self, name: &[u8]) {
        let path = match self.dir {
            Some(dir) if !name.is_empty() && dir.len() + name.len() < TEXT_MAX => self.budget.join(dir, name),
            _ => None,
        };
        self.in_file = path.is_some();
        match path {
            Some(path) => self.row.files.push(path),
            None => {
                let package = quote(self.row.name.as_bytes());
                self.found.fault(format!("{} is no file of package {package}", quote(name)));
            }
        }
    }

    fn digest(&mut self, value: &[u8]) {
        let digest = match value {
            [b'Q', b'1', text @ ..] => sum::base64(text, Algorithm::Sha1).map(|digest| (Algorithm::Sha1, digest)),
            [b'Q', b'2', text @ ..] => sum::base64(text, Algorithm::Sha256).map(|digest| (Algorithm::Sha256, digest)),
            _ => None,
        };
        if let (true, Some(path), Some((algorithm, digest))) = (self.in_file, self.row.files.last(), digest) {
            self.row.sums.add(path.as_bytes(), algorithm, digest);
        }
    }

    fn finish(&mut self) {
        let mut row = std::mem::take(&mut self.row);
        row.sums.shrink();
        (self.dir, self.in_file) = (None, false);
        if !std::mem::take(&mut self.begun) {
            return;
        }
        if row.name.is_empty() {
            self.found.fault("a stanza names no package");
        } else {
            self.found.package(row);
        }
    }
}

/// The packages of `/etc/apk/world` that were asked for by name, sorted; what must not be installed is left out.
///
/// `apk add -t .build-deps gcc` writes `.build-deps=20261121.001141`. Format: apk-world(5).
pub fn world(body: &[u8]) -> Vec<String> {
    relations(body)
}

fn number(value: &[u8]) -> u64 {
    std::str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

/// The names of `busybox>=1.36 so:libz.so.1=1.3.1 !gcc foo@edge`, without what must not be there.
fn relations(value: &[u8]) -> Vec<String> {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.starts_with(b"!"));
    names(words.map(|word| {
        let end = word.iter().position(|b| b"<>=~@".contains(b)).unwrap_or(word.len());
        word.get(..end).unwrap_or_default()
    }))
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};
    use crate::model::{ImagePath, Sums, mark};

    /// Cut from Alpine 3.20.3's database, `T:virtual` as `apk add -t .build-deps musl zlib` wrote it.
    const INSTALLED: &str = "\
C:Q1yEsLSREUhcsIdEgi+bNKn6lST8w=
P:musl
V:1.2.5-r0
A:x86_64
S:407468
I:667648
T:the musl c library (libc) implementation
o:musl
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1HZA7d+LP0Q3TzAECd+MB9p1PxQU=
R:libc.musl-x86_64.so.1
a:0:0:777
Z:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=

C:Q1sSSpMPpGJqjpcsS5LC1XeVFCGx8=
P:zlib
V:1.3.1-r1
A:x86_64
S:54253
I:110592
D:so:libc.musl-x86_64.so.1 musl>=1.2.3_git20230424 !zlib-ng /bin/sh
p:so:libz.so.1=1.3.1
F:lib
R:libz.so.1
F:
R:.marker

C:Q1hSTQDYoDTsVmIZGXWqhmVXHvRVg=
P:.build-deps
V:20261121.001141
A:noarch
S:0
I:0
T:virtual meta package
U:
L:
D:musl zlib so:libz.so.1

";

    fn row(name: &str, version: &str, arch: &str, size: u64, depends: &[&str], files: &[&str]) -> PackageRow {
        PackageRow {
            name: name.to_string(),
            version: version.to_string(),
            arch: arch.to_string(),
            installed_bytes: size,
            depends: depends.iter().map(ToString::to_string).collect(),
            files: files.iter().copied().map(ImagePath::from).collect(),
            ..PackageRow::default()
        }
    }

    fn all() -> Vec<PackageRow> {
        let musl = ["lib/ld-musl-x86_64.so.1", "lib/libc.musl-x86_64.so.1"];
        let mut sums = Sums::default();
        sums.add(musl[0].as_bytes(), Algorithm::Sha1, 0x1d90_3b77_e2cf_d10d_u64.to_be_bytes());
        sums.add(musl[1].as_bytes(), Algorithm::Sha1, 0xef22_7724_5372_a40e_u64.to_be_bytes());
        vec![
            PackageRow { sums, ..row("musl", "1.2.5-r0", "x86_64", 667_648, &[], &musl) },
            row("zlib", "1.3.1-r1", "x86_64", 110_592, &["/bin/sh", "musl"], &["lib/libz.so.1", ".marker"]),
            row(".build-deps", "20261121.001141", "noarch", 0, &["musl", "zlib"], &[]),
        ]
    }

    #[test]
    fn packages_come_with_files_and_the_packages_they_need() {
        assert_eq!(installed(INSTALLED.as_bytes()), Parsed { value: all(), faults: Vec::new() });
        let windows = INSTALLED.replace('\n', "\r\n");
        assert_eq!(installed(windows.as_bytes()), Parsed { value: all(), faults: Vec::new() });
        assert_eq!(installed(INSTALLED.trim_end().as_bytes()), Parsed { value: all(), faults: Vec::new() });
    }

    #[test]
    fn a_digest_belongs_to_the_file_above_it() {
        let sum = "Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=";
        let sha256 = "Q247DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let lost = "x".repeat(5000);
        let body = format!(
            "P:a\nZ:{sum}\nF:d\nZ:{sum}\nR:one\nR:two\nZ:{sum}\nR:{lost}\nZ:{sum}\nR:x\nZ:Q1x\n\n\
            Z:{sum}\nP:b\nF:d\nR:x\nZ:{sha256}\n"
        );
        let rows = installed(body.as_bytes()).value;
        let shown = |row: &PackageRow| (row.sums.algorithm(), row.sums.iter().map(|sum| sum.path).collect::<Vec<_>>());
        assert_eq!(shown(&rows[0]), (Algorithm::Sha1, vec![mark(b"d/two")]));
        assert_eq!(shown(&rows[1]), (Algorithm::Sha256, vec![mark(b"d/x")]));
    }

    #[test]
    fn other_names_of_a_package_are_kept_and_what_is_in_it_is_not() {
        let parsed = installed(b"P:musl-utils\np:libc-utils=0.7 cmd:ldd=1 so:x.so=1 /bin/sh\n");
        assert_eq!(parsed.value[0].provides, ["libc-utils"]);
    }

    #[test]
    fn the_world_is_what_was_asked_for() {
        let body = b".build-deps=20261121.001141\nbusybox>=1.36\n!gcc\nnginx@edge\n\n";
        assert_eq!(world(body), [".build-deps", "busybox", "nginx"]);
    }

    #[test]
    fn a_damaged_stanza_costs_no_other() {
        let body = format!("R:lost\nV:1\n\n{INSTALLED}P:{}\n\nnonsense\nP:last\nF:usr\nR:\n", "x".repeat(5000));
        let parsed = installed(body.as_bytes());
        let names: Vec<_> = parsed.value.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["musl", "zlib", ".build-deps", "last"]);
        assert_eq!(
            parsed.faults,
            [
                "\"lost\" is no file of package \"\"",
                "a stanza names no package",
                "a package name has 5000 bytes, more than 4096",
                "a stanza names no package",
                "\"nonsense\" is no line of an apk database",
                "\"\" is no file of package \"last\"",
            ]
        );
    }

    #[test]
    fn paths_stay_in_the_image_and_keep_their_bytes() {
        let parsed = installed(b"P:a\nF:../../etc\nR:\xff\n");
        assert_eq!(parsed.value[0].files, [ImagePath::new(b"etc/\xff")]);
    }

    #[test]
    fn a_long_directory_with_many_files_stops_at_the_budget() {
        let mut body = b"P:a\nF:".to_vec();
        body.extend(vec![b'd'; 4000]);
        body.extend(b"\nR:f".repeat(100_000));
        let parsed = installed(&body);
        let bytes: usize = parsed.value[0].files.iter().map(|path| path.as_bytes().len()).sum();
        assert!(bytes < body.len() * 33, "{bytes} bytes of path from {}", body.len());
        assert_eq!(parsed.faults, ["\"f\" is no file of package \"a\""]);
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(INSTALLED.as_bytes(), installed);
    }
}
