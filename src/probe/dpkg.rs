//! Reads dpkg's databases: the packages, the files of a package, and the diverted files.
//!
//! Formats: dpkg's own manual pages deb-control(5), dpkg-query(1) (the three words of `Status`), deb-md5sums(5) and
//! dpkg-divert(1). Which file of an image is handed to which function is not decided here.

use std::{borrow::Cow, ops::Range};

use super::{
    malformed::{Parsed, TEXT_MAX, lines, names, quote, text},
    provides::settle,
    sum,
};
use crate::model::{Algorithm, ImagePath, PackageRow, Sums, path::clean_into};

/// The installed packages of `var/lib/dpkg/status`.
///
/// A stanza counts when its status ends in `ok installed`, whatever is wanted (`install`, `hold`, `deinstall`).
/// Removed packages that left configuration files (`deinstall ok config-files`) and those that were only unpacked do
/// not. `depends` holds `Depends` and `Pre-Depends`, every alternative of `a | b`, sorted, each once; `weak` holds
/// `Recommends` and `Suggests`, which apt follows when it looks for packages that nobody needs any more. `sums` holds
/// the `Conffiles`, with the digest of the package's own copy. A stanza without a name is a fault and no row; any other damage is a fault and leaves that field empty.
pub fn status(body: &[u8]) -> Parsed<Vec<PackageRow>> {
    packages(body, false)
}

/// The package of a file below `var/lib/dpkg/status.d/`, the form of distroless images.
///
/// Such a stanza has no `Status`; being there means installed. Where there is one it decides as in [`status`].
/// The files `NAME.md5sums` of the same directory are read by [`file_list`].
pub fn status_d(body: &[u8]) -> Parsed<Vec<PackageRow>> {
    packages(body, true)
}

/// The package and the files of `NAME.list`, `NAME:ARCH.list` or the same with `.md5sums`; `None` for another name.
///
/// A `.list` names directories too. Lines that are no path or longer than [`TEXT_MAX`] are faults.
pub fn file_list(file_name: &[u8], body: &[u8]) -> Option<Parsed<(String, Vec<ImagePath>)>> {
    let (stem, path_of): (_, PathOf) = match file_name.strip_suffix(b".list") {
        Some(stem) => (stem, list_line),
        None => (file_name.strip_suffix(b".md5sums")?, md5sums_line),
    };
    let package = package_of(stem)?;
    let mut files = Parsed::<Vec<ImagePath>>::default();
    for line in lines(body).filter(|line| !line.is_empty()) {
        match path_of(line) {
            Some(path) if path.len() <= TEXT_MAX => files.value.extend(not_root(ImagePath::new(&path))),
            _ => files.fault(format!("{} is no file of package {}", quote(line), quote(package.as_bytes()))),
        }
    }
    Some(files.map(|files| (package, files)))
}

/// The package and the digests of its files of `NAME.md5sums` or `NAME:ARCH.md5sums`; `None` for another name.
///
/// Lines that are none are passed over: nothing of the package is lost with them.
pub fn sums(file_name: &[u8], body: &[u8]) -> Option<(String, Sums)> {
    let package = package_of(file_name.strip_suffix(b".md5sums")?)?;
    let mut sums = Sums::default();
    let mut path = Vec::new();
    for line in lines(body) {
        let Some((digest, raw)) = md5sums_halves(line).filter(|(_, raw)| raw.len() <= TEXT_MAX) else { continue };
        path.clear();
        clean_into(&raw, &mut path);
        if let Some(digest) = sum::hex(digest, Algorithm::Md5) {
            sums.add(&path, Algorithm::Md5, digest);
        }
    }
    sums.shrink();
    Some((package, sums))
}

/// The diversions of `var/lib/dpkg/diversions`: the path that packages name, and where their file went instead.
///
/// The package on whose behalf the diversion was made (third line of each record) keeps the path itself; dpkg
/// writes `:` for the administrator. It is not given: the two files can be told apart by where they are.
pub fn diversions(body: &[u8]) -> Parsed<Vec<(ImagePath, ImagePath)>> {
    let mut found = Parsed::<Vec<_>>::default();
    let mut lines = lines(body);
    while let Some(from) = lines.next() {
        let (Some(to), Some(_)) = (lines.next(), lines.next()) else {
            found.fault(format!("the diversion of {} is cut short", quote(from)));
            break;
        };
        let absolute = |path: &[u8]| path.starts_with(b"/") && path.len() <= TEXT_MAX;
        if absolute(from) && absolute(to) {
            found.value.push((ImagePath::new(from), ImagePath::new(to)));
        } else {
            found.fault(format!("{} and {} are no diversion", quote(from), quote(to)));
        }
    }
    found
}

/// The package of a file in dpkg's `info`, from its name without the ending.
fn package_of(stem: &[u8]) -> Option<String> {
    text("the package name", stem.split(|&b| b == b':').next().unwrap_or_default()).ok()
}

/// Finds the path in a line; `None` when the line has none.
type PathOf = fn(&[u8]) -> Option<Vec<u8>>;

fn list_line(line: &[u8]) -> Option<Vec<u8>> {
    line.starts_with(b"/").then(|| line.to_vec())
}

/// Takes `<32 hex digits>  path`. `md5sum` marks a line whose name it had to escape by a leading backslash; debhelper
/// undoes that, others do not.
fn md5sums_halves(line: &[u8]) -> Option<(&[u8], Cow<'_, [u8]>)> {
    let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |rest| (true, rest));
    let (sum, rest) = line.split_at_checked(32)?;
    if !sum.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let path = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    if path.is_empty() {
        return None;
    }
    Some((sum, if escaped { unescape(path).into() } else { path.into() }))
}

fn md5sums_line(line: &[u8]) -> Option<Vec<u8>> {
    md5sums_halves(line).map(|(_, path)| path.into_owned())
}

fn unescape(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        out.push(match byte {
            b'\\' => match rest.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&other) => other,
                None => b'\\',
            },
            plain => plain,
        });
    }
    out
}

fn not_root(path: ImagePath) -> Option<ImagePath> {
    (!path.is_root()).then_some(path)
}

fn packages(body: &[u8], installed_without_status: bool) -> Parsed<Vec<PackageRow>> {
    let mut found = Parsed::<Vec<PackageRow>>::default();
    let mut stanza = Stanza::default();
    let mut field = Field::Other;
    let mut at = 0;
    for line in body.split_inclusive(|&b| b == b'\n') {
        let range = at..at + line.len();
        at = range.end;
        match line {
            [b'\n'] | [b'\r', b'\n'] => {
                std::mem::take(&mut stanza).finish(installed_without_status, &mut found);
                field = Field::Other;
            }
            // A continuation belongs to the value above it: the value stays one slice of the body.
            [b' ' | b'\t', ..] => stanza.extend(field, body, range.end),
            _ => field = stanza.begin(line, range),
        }
    }
    stanza.finish(installed_without_status, &mut found);
    found
}

#[derive(Clone, Copy)]
enum Field {
    Package,
    Status,
    Version,
    Architecture,
    InstalledSize,
    Depends,
    PreDepends,
    Provides,
    Recommends,
    Suggests,
    Essential,
    Protected,
    Conffiles,
    Other,
}

const FIELDS: [(&[u8], Field); 13] = [
    (b"Package", Field::Package),
    (b"Status", Field::Status),
    (b"Version", Field::Version),
    (b"Architecture", Field::Architecture),
    (b"Installed-Size", Field::InstalledSize),
    (b"Depends", Field::Depends),
    (b"Pre-Depends", Field::PreDepends),
    (b"Provides", Field::Provides),
    (b"Recommends", Field::Recommends),
    (b"Suggests", Field::Suggests),
    (b"Essential", Field::Essential),
    (b"Protected", Field::Protected),
    (b"Conffiles", Field::Conffiles),
];

/// The fields of one stanza that matter, each a slice of the body, with its place there.
#[derive(Default)]
struct Stanza<'a> {
    values: [Option<(usize, &'a [u8])>; FIELDS.len()],
    /// The first line that is neither field nor continuation.
    odd: Option<&'a [u8]>,
}

impl<'a> Stanza<'a> {
    fn begin(&mut self, line: &'a [u8], range: Range<usize>) -> Field {
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            self.odd.get_or_insert(line);
            return Field::Other;
        };
        let (name, value) = line.split_at(colon);
        let Some(&(_, field)) = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
            return Field::Other;
        };
        if let (Some(slot), Some(value)) = (self.values.get_mut(field as usize), value.get(1..)) {
            *slot = Some((range.start + colon + 1, value));
        }
        field
    }

    fn extend(&mut self, field: Field, body: &'a [u8], end: usize) {
        if let Some(Some((start, value))) = self.values.get_mut(field as usize) {
            *value = body.get(*start..end).unwrap_or(value);
        }
    }

    fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.values.get(field as usize).copied().flatten().map(|(_, value)| value.trim_ascii())
    }

    /// Appends the stanza's package, if it is installed, and what is wrong with it.
    fn finish(&self, installed_without_status: bool, found: &mut Parsed<Vec<PackageRow>>) {
        let Some(name) = self.get(Field::Package) else {
            if self.odd.is_some() || self.values.iter().any(Option::is_some) {
                found.fault("a stanza names no package");
            }
            return;
        };
        match self.get(Field::Status) {
            Some(status) if !is_installed(status) => return,
            None if !installed_without_status => {
                return found.fault(format!("package {} has no status", quote(name)));
            }
            _ => {}
        }
        if let Some(odd) = self.odd {
            found.fault(format!("{} is no field of package {}", quote(odd), quote(name)));
        }
        let (mut depends, choices) = self.needs();
        let choices = settle(&mut depends, choices);
        let yes = |field| self.get(field).is_some_and(|value| value.eq_ignore_ascii_case(b"yes"));
        match text("a package name", name) {
            Ok(name) => {
                let row = PackageRow {
                    version: self.text(Field::Version, "version", &name, found),
                    arch: self.text(Field::Architecture, "architecture", &name, found),
                    installed_bytes: self.get(Field::InstalledSize).and_then(kib).unwrap_or_default(),
                    depends,
                    choices,
                    provides: self.names(&[Field::Provides]),
                    weak: self.names(&[Field::Recommends, Field::Suggests]),
                    essential: yes(Field::Essential) || yes(Field::Protected),
                    files: Vec::new(),
                    sums: self.get(Field::Conffiles).map(conffiles).unwrap_or_default(),
                    name,
                };
                found.package(row);
            }
            Err(fault) => found.fault(fault.0),
        }
    }

    /// What must be there: packages, and groups of packages of which one must be there.
    fn needs(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let values = [Field::Depends, Field::PreDepends].into_iter().filter_map(|field| self.get(field));
        let relations = values.flat_map(|value| value.split(|&b| b == b','));
        let (choices, single): (Vec<&[u8]>, Vec<_>) = relations.partition(|relation| relation.contains(&b'|'));
        let (choices, same): (Vec<_>, Vec<_>) =
            choices.into_iter().map(|choice| names(relation_names(choice))).partition(|choice| choice.len() > 1);
        let mut single = names(single.into_iter().flat_map(relation_names));
        single.extend(same.into_iter().flatten());
        (single, choices)
    }

    fn names(&self, fields: &[Field]) -> Vec<String> {
        names(fields.iter().filter_map(|&field| self.get(field)).flat_map(relation_names))
    }

    /// A value that dpkg always writes: its absence is a fault and no reason to forget the package.
    fn text(&self, field: Field, what: &str, package: &str, found: &mut Parsed<Vec<PackageRow>>) -> String {
        text(what, self.get(field).unwrap_or_default()).unwrap_or_else(|fault| {
            found.fault(format!("package {}: {fault}", quote(package.as_bytes())));
            String::new()
        })
    }
}

/// The packages of `var/lib/apt/extended_states` that apt installed because others need them, sorted.
///
/// Format: apt's `apt-pkg/depcache.cc` (`readStateFile`): stanzas of `Package`, `Architecture`, `Auto-Installed`.
pub fn auto_installed(body: &[u8]) -> Vec<String> {
    let mut package = &b""[..];
    let mut found = Vec::new();
    for line in lines(body) {
        if let Some(name) = line.strip_prefix(b"Package:") {
            package = name;
        } else if line.is_empty() {
            package = b"";
        } else if line.strip_prefix(b"Auto-Installed:").is_some_and(|value| value.trim_ascii() == b"1") {
            found.push(package);
        }
    }
    names(found.into_iter())
}

/// Whether the three words of a `Status` (what is wanted, error flag, state) mean that the files are there.
fn is_installed(status: &[u8]) -> bool {
    let mut words = status.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1);
    words.next() == Some(b"ok") && words.next() == Some(b"installed") && words.next().is_none()
}

fn kib(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The digests of ` /etc/a.conf cc3493ecd2d09837ffdcc3e25fdfff18 obsolete`, one line for each file.
fn conffiles(value: &[u8]) -> Sums {
    let mut sums = Sums::default();
    let mut path = Vec::new();
    for mut rest in lines(value).map(<[u8]>::trim_ascii) {
        // The path may have spaces, and up to two words may follow the digest.
        for _ in 0..3 {
            let Some(space) = rest.iter().rposition(|&b| b == b' ') else { break };
            let (before, word) = rest.split_at(space);
            rest = before;
            if let Some(digest) = sum::hex(word.trim_ascii(), Algorithm::Md5).filter(|_| before.len() <= TEXT_MAX) {
                path.clear();
                clean_into(before, &mut path);
                sums.add(&path, Algorithm::Md5, digest);
                break;
            }
        }
    }
    sums.shrink();
    sums
}

/// The names of `a (>= 1) | b:any, c [amd64]`.
fn relation_names(relations: &[u8]) -> impl Iterator<Item = &[u8]> {
    relations.split(|&b| b == b',' || b == b'|').map(|relation| {
        let relation = relation.trim_ascii();
        let end = relation.iter().position(|&b| b.is_ascii_whitespace() || b"(:[<".contains(&b));
        relation.get(..end.unwrap_or(relation.len())).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::malformed::{accept_parser, noise},
        *,
    };
    use crate::model::mark;

    /// Cut from the status file of a Debian 12 machine; `mime-support` had been removed, `libc6:i386` is made up.
    const STATUS: &str = "\
Package: adduser
Status: install ok installed
Priority: important
Section: admin
Installed-Size: 686
Maintainer: Debian Adduser Developers <adduser@packages.debian.org>
Architecture: all
Multi-Arch: foreign
Version: 3.134
Depends: passwd
Suggests: liblocale-gettext-perl, perl, cron, quota
Conffiles:
 /etc/adduser.conf cc3493ecd2d09837ffdcc3e25fdfff18
 /etc/deluser.conf 11a06baf8245fd8d690b99024d228c1f
Description: add and remove users and groups
 This package includes the 'adduser' and 'deluser' commands for creating
 .
Homepage: https://example.org/

Package: mime-support
Status: deinstall ok config-files
Priority: optional
Section: net
Installed-Size: 14
Architecture: all
Version: 3.66
Config-Version: 3.66

Package: debconf
Status: hold ok installed
Installed-Size: 535
Architecture: all
Version: 1.5.82
Pre-Depends: perl-base (>= 5.20.1-3~), debconf-english
  | debconf-i18n
Depends: perl:any, perl-base
Description: Debian configuration management system
";

    fn row(name: &str, version: &str, kib: u64, depends: &[&str]) -> PackageRow {
        PackageRow {
            name: name.to_string(),
            version: version.to_string(),
            arch: "all".to_string(),
            installed_bytes: kib * 1024,
            depends: depends.iter().map(ToString::to_string).collect(),
            ..PackageRow::default()
        }
    }

    fn paths(raw: &[&str]) -> Vec<ImagePath> {
        raw.iter().copied().map(ImagePath::from).collect()
    }

    #[test]
    fn only_installed_packages_count() {
        let debconf = row("debconf", "1.5.82", 535, &["debconf-english", "debconf-i18n", "perl", "perl-base"]);
        let choices = vec![["debconf-english", "debconf-i18n"].map(str::to_string).to_vec()];
        let weak = ["cron", "liblocale-gettext-perl", "perl", "quota"].map(str::to_string).to_vec();
        let mut sums = Sums::default();
        for (path, digest) in
            [("etc/adduser.conf", 0xcc34_93ec_d2d0_9837_u64), ("etc/deluser.conf", 0x11a0_6baf_8245_fd8d)]
        {
            sums.add(path.as_bytes(), Algorithm::Md5, digest.to_be_bytes());
        }
        let want =
            [PackageRow { weak, sums, ..row("adduser", "3.134", 686, &["passwd"]) }, PackageRow { choices, ..debconf }];
        assert_eq!(status(STATUS.as_bytes()), Parsed { value: want.to_vec(), faults: Vec::new() });
        let windows = STATUS.replace('\n', "\r\n");
        assert_eq!(status(windows.as_bytes()), Parsed { value: want.to_vec(), faults: Vec::new() });
    }

    #[test]
    fn every_state_but_ok_installed_is_not_installed() {
        for (state, installed) in [
            ("install ok installed", true),
            ("deinstall ok installed", true),
            ("hold  ok installed", true),
            ("install ok unpacked", false),
            ("install ok half-installed", false),
            ("install reinstreq installed", false),
            ("purge ok not-installed", false),
            ("ok installed", false),
            ("", false),
        ] {
            let body = format!("Package: a\nStatus: {state}\nArchitecture: all\nVersion: 1\n");
            assert_eq!(status(body.as_bytes()).value.len(), usize::from(installed), "{state}");
        }
    }

    #[test]
    fn a_damaged_stanza_costs_no_other() {
        let body = format!(
            "Status: install ok installed\n\nPackage: x\n\n{STATUS}\n\nPackage: y\n???\nStatus: a ok installed\n"
        );
        let parsed = status(body.as_bytes());
        let names: Vec<_> = parsed.value.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["adduser", "debconf", "y"]);
        assert_eq!(
            parsed.faults,
            [
                "a stanza names no package",
                "package \"x\" has no status",
                "\"???\\x0a\" is no field of package \"y\"",
                "package \"y\": version is empty",
                "package \"y\": architecture is empty",
            ]
        );
    }

    #[test]
    fn endless_names_and_versions_are_refused() {
        let long = "9".repeat(TEXT_MAX + 1);
        let parsed = status_d(format!("Package: {long}\nVersion: 1\n").as_bytes());
        assert_eq!((parsed.value.len(), parsed.faults.len()), (0, 1));
        let parsed = status_d(format!("Package: a\nVersion: {long}\nArchitecture: all\n").as_bytes());
        assert_eq!(parsed.value, [row("a", "", 0, &[])]);
        assert_eq!(parsed.faults, ["package \"a\": version has 4097 bytes, more than 4096"]);
    }

    #[test]
    fn what_a_package_may_lose_and_what_keeps_it_is_told_apart() {
        let body =
            b"Package: a\nVersion: 1\nArchitecture: all\nDepends: b | c, d, e | f, f\nPre-Depends: g:any (>= 1) | g\n\
            Provides: awk, mail (= 2)\nRecommends: h | i\nSuggests: j\nEssential: yes\n";
        let row = &status_d(body).value[0];
        assert_eq!(row.depends.join(" "), "b c d f g");
        assert_eq!(row.choices, [["b", "c"]], "e or f is no question where f is needed anyway");
        assert_eq!((row.provides.join(" "), row.weak.join(" ")), ("awk mail".to_string(), "h i j".to_string()));
        assert!(row.essential);
    }

    #[test]
    fn what_came_only_for_others_is_read() {
        let body = b"Package: make\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: gcc\nArchitecture: amd64\n\
            Auto-Installed: 0\n\nAuto-Installed: 1\n";
        assert_eq!(auto_installed(body), ["make"]);
        accept_parser(body, auto_installed);
    }

    #[test]
    fn a_distroless_stanza_needs_no_status() {
        let body = b"Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\nInstalled-Size: 2\n";
        assert_eq!(status_d(body).value, [row("tzdata", "2024a-0+deb12u1", 2, &[])]);
        assert_eq!(status(body).value, []);
        assert_eq!(status_d(b"Package: a\nStatus: deinstall ok config-files\n"), Parsed::default());
    }

    #[test]
    fn names_that_are_not_utf8_are_kept_readable() {
        let parsed = status_d(b"Package: g\xffc\nVersion: 1\nArchitecture: all\nDepends: \xfe\n");
        assert_eq!(parsed.value, [row("g\u{fffd}c", "1", 0, &["\u{fffd}"])]);
    }

    #[test]
    fn a_file_list_gives_its_package_and_its_paths() {
        let list = b"/.\n/usr\n/usr/bin/gcc-12\nusr/bin/nowhere\n";
        let (package, files) = file_list(b"gcc-12:amd64.list", list).expect("a list").value;
        assert_eq!((package.as_str(), files), ("gcc-12", paths(&["usr", "usr/bin/gcc-12"])));
        assert_eq!(
            file_list(b"gcc-12.list", list).expect("a list").faults,
            ["\"usr/bin/nowhere\" is no file of package \"gcc-12\""]
        );
        for other in [&b"gcc.postinst"[..], b".list", b":amd64.list", b"list"] {
            assert_eq!(file_list(other, list), None);
        }
    }

    #[test]
    fn md5sums_name_paths_with_and_without_escapes() {
        let sums = b"68b329da9893e34099c7d8ad5cb9c940  lib/systemd/system/a\\x2db.slice\n\
            \\68b329da9893e34099c7d8ad5cb9c940  a\\\\b\\nc\n\
            68b329da9893e34099c7d8ad5cb9c940 *usr/bin/x y\r\n\
            68b329da9893e34099c7d8ad5cb9c940\nzz\n";
        let parsed = file_list(b"a.md5sums", sums).expect("sums");
        let want = paths(&["lib/systemd/system/a\\x2db.slice", "a\\b\nc", "usr/bin/x y"]);
        assert_eq!(parsed.value, ("a".to_string(), want));
        assert_eq!(parsed.faults.len(), 2);
    }

    #[test]
    fn digests_are_read_of_lines_that_are_ones() {
        let body = b"68b329da9893e34099c7d8ad5cb9c940  ./lib/a\\x2db\n\\68b329da9893e34099c7d8ad5cb9c940 *a\\nc\r\n\
            68b329da9893e34099c7d8ad5cb9c94  short\n68b329da9893e34099c7d8ad5cb9c940\nzz\n";
        let (package, sums) = sums(b"libc6:i386.md5sums", body).expect("sums");
        let want = [&b"lib/a\\x2db"[..], b"a\nc"].map(mark);
        assert_eq!((package.as_str(), sums.iter().map(|sum| sum.path).collect::<Vec<_>>()), ("libc6", want.to_vec()));
        assert!(sums.iter().all(|sum| sum.digest == 0x68b3_29da_9893_e340_u64.to_be_bytes()));
        for other in [&b"a.list"[..], b".md5sums", b"md5sums"] {
            assert_eq!(super::sums(other, body), None);
        }
    }

    #[test]
    fn words_may_follow_the_digest_of_a_configuration_file() {
        let body = b"Package: a\nConffiles:\n /etc/a b 68b329da9893e34099c7d8ad5cb9c940 obsolete\n /etc/new newconffile\n \
            /etc/c 68b329da9893e34099c7d8ad5cb9c940 obsolete remove-on-upgrade\n /etc/d\nVersion: 1\nArchitecture: all\n";
        let sums = &status_d(body).value[0].sums;
        assert_eq!(sums.iter().map(|sum| sum.path).collect::<Vec<_>>(), [&b"etc/a b"[..], b"etc/c"].map(mark));
    }

    #[test]
    fn diversions_come_in_threes() {
        let body = b"/usr/bin/gcc\n/usr/bin/gcc.orig\n:\n/usr/share/man/man1/sh.1.gz\n\
            /usr/share/man/man1/sh.distrib.1.gz\ndash\nx\ny\nz\n/cut\n/short\n";
        let parsed = diversions(body);
        let pair = |from, to| (ImagePath::from(from), ImagePath::from(to));
        let want = [
            pair("usr/bin/gcc", "usr/bin/gcc.orig"),
            pair("usr/share/man/man1/sh.1.gz", "usr/share/man/man1/sh.distrib.1.gz"),
        ];
        assert_eq!(parsed.value, want);
        assert_eq!(parsed.faults, ["\"x\" and \"y\" are no diversion", "the diversion of \"/cut\" is cut short"]);
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(STATUS.as_bytes(), |body| {
            let file_list = file_list(b"a.md5sums", body);
            (status(body), status_d(body), file_list, sums(b"a.md5sums", body), diversions(body))
        });
        accept_parser(b"\\68b329da9893e34099c7d8ad5cb9c940  a\\n\\", |body| file_list(b"a.md5sums", body));
    }

    #[test]
    fn a_stanza_cut_short_keeps_those_before_it() {
        let first = STATUS.find("\n\n").expect("stanzas");
        for end in first..STATUS.len() {
            assert_eq!(status(&STATUS.as_bytes()[..end]).value[0].name, "adduser");
        }
    }

    #[test]
    fn a_megabyte_of_continuations_takes_no_time() {
        let body = [b"Package: a\nDepends: b\n".to_vec(), b" c,\n".repeat(250_000)].concat();
        assert_eq!(status_d(&body).value[0].depends, ["b c", "c"].map(|s| s.split(' ').next().expect("one")));
        let mut random = noise();
        status(&(0..1_000_000).map(|_| random()).collect::<Vec<_>>());
    }
}
