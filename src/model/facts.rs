//! What one layer says on its own: its entries, its whiteouts and what the probes saw in its files.
//!
//! A [`LayerFacts`] depends on the layer's bytes and on the catalogue, on nothing else: not on other layers, not on
//! the image, the machine, the clock or the number of threads. That makes it the unit of caching and of sharing.

use serde::{Deserialize, Serialize};

use super::{Coverage, Digest, FileSecrets, ImagePath, Imports, Lang, NodeRecord, Requirement, Script, Shape, Sums};

/// Raised whenever the meaning or the form of [`LayerFacts`] changes; part of every future cache key.
pub const FACTS_VERSION: u32 = 5;

/// Everything known about one layer after its bytes were read once.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Digest of the bytes as stored (compressed or not); `None` for a directory source.
    pub blob: Option<Digest>,
    /// Digest of the uncompressed tar stream; `None` for a directory source.
    pub diff_id: Option<Digest>,
    /// Stored size in bytes.
    pub blob_bytes: u64,
    /// Size of the uncompressed tar stream in bytes.
    pub tar_bytes: u64,
    /// Bytes of the file bodies in the tar stream, also of those that did not stay: that the same layer writes again or
    /// removes, and of whiteouts. The rest of the stream is headers, padding and what follows the last entry.
    pub payload_bytes: u64,
    /// How the layer was compressed, by its magic bytes.
    pub compression: Compression,
    /// The entries as they stand after the layer alone was unpacked, in the order of the archive.
    pub entries: EntryTable,
    /// What the layer hides of the layers below it.
    pub whiteouts: Vec<Whiteout>,
    /// What the probes saw, ordered by entry.
    pub observations: Vec<Observation>,
    /// What could not be read, or is odd enough to be said.
    pub notices: Vec<Notice>,
    /// How much was searched for secrets.
    pub coverage: Coverage,
}

/// Compression of a layer blob.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// A plain tar stream.
    #[default]
    None,
    /// Gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

/// Position of an entry in its layer's [`EntryTable`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct EntryId(pub u32);

/// The kind of a file, as the engine creates it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// Another name of a regular file of the same image.
    Hardlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
}

/// What the first bytes of a regular file say it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Nothing the probes know, or not a regular file.
    #[default]
    Other,
    /// No bytes at all.
    Empty,
    /// An ELF object (`7f 45 4c 46`).
    Elf,
    /// A zip archive or a jar (`PK\x03\x04`).
    Zip,
    /// A Java module file (`JM\x01\x00`).
    Jmod,
    /// A Java run-time image (`da da fe ca` or its reverse).
    Jimage,
    /// A script: starts with `#!`.
    Script,
    /// JavaScript by its file name (`.js`, `.cjs`, `.mjs`) and without a NUL in its first bytes.
    Js,
    /// An `ar` archive: a static library (`!<arch>\n`).
    Ar,
    /// Text: no NUL byte in its first bytes.
    Text,
}

/// A set of [`Format`]s.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FormatSet(u16);

impl FormatSet {
    /// Whether the set has this format.
    pub fn contains(self, format: Format) -> bool {
        self.0 & Self::bit(format) != 0
    }

    /// The set of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn bit(format: Format) -> u16 {
        1 << format as u16
    }
}

impl FromIterator<Format> for FormatSet {
    fn from_iter<I: IntoIterator<Item = Format>>(formats: I) -> Self {
        Self(formats.into_iter().fold(0, |set, format| set | Self::bit(format)))
    }
}

/// One entry, borrowed from an [`EntryTable`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its place in the layer.
    pub id: EntryId,
    /// Cleaned path, see [`ImagePath`].
    pub path: &'a [u8],
    /// Target of a link: raw for a symbolic link, a cleaned path for a hard link, else empty.
    pub link: &'a [u8],
    /// Kind of file.
    pub kind: Kind,
    /// What its first bytes say.
    pub format: Format,
    /// Permission bits with set-uid, set-gid and sticky (`0o7777`).
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size of a regular file in bytes (for a sparse file: of the expanded file); else 0.
    pub size: u64,
}

/// The fixed-size part of an entry.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Row {
    path: (u32, u32),
    link: (u32, u32),
    size: u64,
    uid: u32,
    gid: u32,
    mode: u16,
    kind: Kind,
    format: Format,
}

/// The entries of one layer: names in one arena, one small row for each entry.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct EntryTable {
    names: Vec<u8>,
    rows: Vec<Row>,
    /// Rows whose bytes in the archive are not their size, which are sparse files; by position.
    sparse: Vec<(u32, u64)>,
}

impl EntryTable {
    /// Appends an entry; its `id` is ignored, the new one is returned.
    ///
    /// Returns `None` when the table is full (4 GiB of names or 2^32 entries).
    pub fn push(&mut self, entry: &Entry<'_>) -> Option<EntryId> {
        let id = EntryId(u32::try_from(self.rows.len()).ok()?);
        let path = self.store(entry.path)?;
        let link = self.store(entry.link)?;
        let &Entry { kind, format, mode, uid, gid, size, .. } = entry;
        self.rows.push(Row { path, link, size, uid, gid, mode, kind, format });
        Some(id)
    }

    fn store(&mut self, name: &[u8]) -> Option<(u32, u32)> {
        let start = u32::try_from(self.names.len()).ok()?;
        let len = u32::try_from(name.len()).ok()?;
        start.checked_add(len)?;
        self.names.extend_from_slice(name);
        Some((start, len))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes held by names.
    pub fn name_bytes(&self) -> usize {
        self.names.len()
    }

    /// The entry with this id, if the table has one.
    pub fn get(&self, id: EntryId) -> Option<Entry<'_>> {
        self.rows.get(id.0 as usize).map(|row| self.entry(id.0, row))
    }

    /// All entries in the order of the archive.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Entry<'_>> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(at, row)| self.entry(at as u32, row))
    }

    fn entry(&self, at: u32, row: &Row) -> Entry<'_> {
        let text = |(start, len): (u32, u32)| {
            let start = start as usize;
            self.names.get(start..start + len as usize).unwrap_or_default()
        };
        let &Row { size, uid, gid, mode, kind, format, .. } = row;
        Entry { id: EntryId(at), path: text(row.path), link: text(row.link), kind, format, mode, uid, gid, size }
    }

    /// Bytes of an entry's body in the archive: its size, unless it is a sparse file.
    pub fn stored(&self, id: EntryId) -> u64 {
        match self.sparse.binary_search_by_key(&id.0, |(row, _)| *row) {
            Ok(at) => self.sparse.get(at).map_or(0, |(_, stored)| *stored),
            Err(_) => self.rows.get(id.0 as usize).map_or(0, |row| row.size),
        }
    }

    /// Notes the bytes in the archive of the entry that was pushed last; call it before the next is.
    pub fn set_stored(&mut self, id: EntryId, stored: u64) {
        if self.rows.get(id.0 as usize).is_some_and(|row| row.size != stored) {
            self.sparse.push((id.0, stored));
        }
    }

    /// Sets what the first bytes of an entry said.
    pub fn set_format(&mut self, id: EntryId, format: Format) {
        if let Some(row) = self.rows.get_mut(id.0 as usize) {
            row.format = format;
        }
    }

    /// Keeps the entries whose id satisfies `keep`, in order; the ids of the others' successors move up.
    ///
    /// Returns the new id of every old entry.
    pub fn retain(&mut self, keep: impl Fn(EntryId) -> bool) -> Vec<Option<EntryId>> {
        let mut moved = Vec::with_capacity(self.rows.len());
        let (mut at, mut next) = (0, 0);
        self.rows.retain(|_| {
            let kept = keep(EntryId(at));
            moved.push(kept.then_some(EntryId(next)));
            at += 1;
            next += u32::from(kept);
            kept
        });
        let now = |row: u32| moved.get(row as usize).copied().flatten();
        self.sparse = self.sparse.iter().filter_map(|(row, stored)| Some((now(*row)?.0, *stored))).collect();
        moved
    }

    /// Gives back spare memory once the layer is read.
    pub fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.sparse.shrink_to_fit();
    }
}

/// What a layer hides of the layers below it (never of its own entries).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whiteout {
    /// `a/.wh.b`: the path `a/b` and everything below it is gone.
    Path(ImagePath),
    /// `a/.wh..wh..opq`: everything that lower layers put below `a` is gone.
    Opaque(ImagePath),
}

/// Something a probe saw in one file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The file.
    pub entry: EntryId,
    /// What it is.
    pub fact: Fact,
}

/// What a probe can say about one file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// An ELF program or library.
    Elf(Elf),
    /// Literals of the catalogue found in a file that is no ELF object.
    Literals(Vec<String>),
    /// The packages of a distribution's package database: dpkg `status` and `status.d`, apk `installed`, an rpm
    /// database.
    Packages {
        /// Whose database it is.
        manager: Manager,
        /// Its rows.
        rows: Vec<PackageRow>,
    },
    /// The files of one dpkg package (`info/NAME.list` or `NAME.md5sums`): package name (with `:arch` where the
    /// file name has it) and paths. Directories may be among them.
    FileList {
        /// Package name, without the architecture.
        package: String,
        /// Cleaned paths.
        files: Vec<ImagePath>,
    },
    /// The digests of the files of one dpkg package (`NAME.md5sums`).
    Sums {
        /// Package name, without the architecture.
        package: String,
        /// Its files but the configuration files, whose digests `status` has.
        sums: Sums,
    },
    /// dpkg diversions: the path a package believes it owns, and where the file really went.
    Diversions(Vec<(ImagePath, ImagePath)>),
    /// An npm package: its `package.json`.
    Npm(NpmPackage),
    /// A Python distribution: its `METADATA` and, from `RECORD`, its files.
    Python(PythonDist),
    /// A Python distribution that comes from its source or from a file of its builder: its `direct_url.json` says so.
    LocalDist,
    /// The packages that a lock file says came from a registry of JavaScript packages: the [`super::release`] of each.
    Released(Vec<u64>),
    /// The users of `/etc/passwd`, in file order.
    Users(Vec<User>),
    /// The groups of `/etc/group`, in file order.
    Groups(Vec<Group>),
    /// A record of a language's package manager, beside those above.
    Lang(Lang),
    /// A record of npm, pnpm, yarn or bun: a lock file, or what an installation left.
    Node(NodeRecord),
    /// A script: what it starts.
    Script(Script),
    /// JavaScript, TypeScript or Python of an application: what it loads and starts.
    Imports(Imports),
    /// JavaScript of an installed package that names the module which starts programs.
    StartsPrograms,
    /// glibc's `/etc/ld.so.cache`: names of libraries and where they are, in file order.
    LoaderCache(Vec<(String, ImagePath)>),
    /// apk's `/etc/apk/world`: names of the packages that were asked for, sorted.
    World(Vec<String>),
    /// apt's `extended_states`: names of the packages that came only because others need them, sorted.
    AutoInstalled(Vec<String>),
    /// `os-release`: which release of which distribution it is.
    Release(Release),
    /// musl's `/etc/ld-musl-ARCH.path`: the directories that are searched instead of the built-in ones.
    LoaderPath(Vec<ImagePath>),
    /// The settings of a web server: the places that they name; the empty one stands for all.
    Served(Vec<ImagePath>),
    /// Texts that tell what a loose file is.
    Shape(Shape),
    /// The secrets in a file, without their values.
    Secrets(FileSecrets),
}

/// A release of a distribution, as `os-release` names it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12` or `3.20.3`; empty where there is none.
    pub version: String,
    /// `VERSION_CODENAME`, such as `bookworm`; empty where there is none.
    pub codename: String,
}

/// What an ELF file says about itself.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Elf {
    /// Whether it can be started: an executable, or a shared object with an interpreter.
    pub program: bool,
    /// ELF machine number (`e_machine`).
    pub machine: u16,
    /// Whether it is a 64-bit object (`EI_CLASS`).
    pub wide: bool,
    /// `PT_INTERP`, the dynamic loader.
    pub interpreter: Option<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RUNPATH`, or `DT_RPATH` where there is none: loaders ignore the one for the other.
    pub runpath: Vec<String>,
    /// Whether `runpath` is the older `DT_RPATH`, which holds for the libraries of libraries, too.
    pub rpath: bool,
    /// The Go build information, if the file carries it.
    pub go: Option<GoBuild>,
    /// Literals of the catalogue found in the file, sorted.
    pub literals: Vec<String>,
    /// Whether it calls what starts other programs (`execve`, `system`), as far as its symbols tell.
    pub starts_programs: bool,
    /// Whether it calls what loads libraries by a name (`dlopen`).
    pub loads_libraries: bool,
}

/// The Go build information of a program.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct GoBuild {
    /// Version of the Go toolchain that built it, such as `go1.22.1`.
    pub version: String,
    /// Path of the main package.
    pub path: String,
    /// Main module and its version, where recorded.
    pub module: Option<(String, String)>,
}

/// A package manager whose records the probes can read.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// dpkg: Debian, Ubuntu, distroless.
    Deb,
    /// apk: Alpine, Wolfi.
    Apk,
    /// rpm: Fedora, RHEL, SUSE.
    Rpm,
    /// npm, pnpm, yarn: a `package.json` below `node_modules`.
    Npm,
    /// pip, uv: a `*.dist-info` directory.
    Pypi,
    /// RubyGems, Bundler: a `specifications/*.gemspec`.
    Gem,
    /// Composer: `vendor/composer/installed.json`.
    Composer,
    /// NuGet: a library of a `*.deps.json`.
    Nuget,
    /// Conda: `conda-meta/*.json`.
    Conda,
    /// Maven, Gradle: a jar in a directory of libraries or in another archive.
    Maven,
}

impl Manager {
    /// Whether it installs packages of a programming language, and not those of a distribution.
    pub fn is_language(self) -> bool {
        !matches!(self, Self::Deb | Self::Apk | Self::Rpm)
    }

    /// The word used in policies and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
            Self::Conda => "conda",
            Self::Maven => "maven",
        }
    }
}

/// One row of a distribution's package database.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct PackageRow {
    /// Package name.
    pub name: String,
    /// Version as the database has it.
    pub version: String,
    /// Architecture, or empty.
    pub arch: String,
    /// Installed size in bytes, as the database claims; 0 if unknown.
    pub installed_bytes: u64,
    /// Names of packages it needs; version constraints dropped. Every alternative is among them.
    pub depends: Vec<String>,
    /// Of those the ones of which one is enough, sorted.
    pub choices: Vec<Vec<String>>,
    /// Names it goes by beside its own (dpkg, apk).
    pub provides: Vec<String>,
    /// Names of packages that it would like to have; they are reasons to keep a package, not to install it (dpkg).
    pub weak: Vec<String>,
    /// Whether the package manager refuses to remove it (dpkg: `Essential`, `Protected`).
    pub essential: bool,
    /// Files it owns where the database itself lists them (apk, rpm); empty for dpkg, see [`Fact::FileList`].
    pub files: Vec<ImagePath>,
    /// Digests of files as they came with the package: of all that have one (apk, rpm), of configuration files (dpkg).
    pub sums: Sums,
}

/// A `package.json`: of an installed package, of an application, or of a mere directory (then without a name).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct NpmPackage {
    /// `name`, or empty.
    pub name: String,
    /// `version`, or empty.
    pub version: String,
    /// Names in `dependencies`.
    pub dependencies: Vec<String>,
    /// Names in `optionalDependencies`.
    pub optional: Vec<String>,
    /// Names in `peerDependencies`, those that may be missing left out.
    pub peer: Vec<String>,
    /// Names in `peerDependencies` that `peerDependenciesMeta` calls optional.
    pub optional_peer: Vec<String>,
    /// Names in `devDependencies`; only of a package outside of `node_modules`.
    pub dev: Vec<String>,
    /// `bin`: command and file, in order.
    pub bin: Vec<(String, String)>,
    /// `scripts`: name and command; only of a package outside of `node_modules`.
    pub scripts: Vec<(String, String)>,
    /// `main`, or empty.
    pub main: String,
    /// `workspaces`: the patterns; only of a package outside of `node_modules`.
    pub workspaces: Vec<String>,
}

/// An installed Python distribution (`*.dist-info`).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PythonDist {
    /// Name, normalised as PEP 503 says (`Foo_Bar` is `foo-bar`).
    pub name: String,
    /// Version.
    pub version: String,
    /// The files of `RECORD` as cleaned paths in the image; empty for the observation of `METADATA`, and
    /// name and version are empty for the observation of `RECORD`.
    pub files: Vec<ImagePath>,
    /// The digests of `RECORD`.
    pub sums: Sums,
    /// `Requires-Dist`.
    pub requires: Vec<Requirement>,
}

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
}

/// One line of `/etc/group`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Group id.
    pub gid: u32,
}

/// Something about a layer that the reader should know: what was not read, or an oddity.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Notice {
    /// The file it is about.
    pub path: Option<ImagePath>,
    /// What happened, in one sentence without a full stop.
    pub text: String,
    /// Whether something was left unread, so that the image can not be called clean.
    pub unread: bool,
}
