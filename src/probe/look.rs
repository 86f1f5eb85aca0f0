//! Looks at the files of a layer, one after the other, as their bytes pass by.
//!
//! Decides by path which files are collected whole (package databases, a few small records), by their first bytes
//! which are searched for literals, and keeps nothing of all others. Memory does not depend on the size of a file.

use std::{
    mem,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use crate::model::{Coverage, Fact, FileSecrets, Format, FormatSet, ImagePath, Lang, Manager, path};

use super::{
    apk,
    code::{Code, code_of, in_package},
    dpkg,
    elf::{self, GO_MAGIC, GO_MAX, HEAD_MAX},
    jvm,
    lang::{self, LangRecord},
    loader,
    malformed::Parsed,
    node::NodeFile,
    npm, passwd, python, release, rpm,
    secret::{Aside, Batch, Lost, Searched, SecretRules},
    served,
    shape::{ShapeLook, Shapes},
    sieve::{LITERAL_MAX, LITERAL_MIN, Search, Sieve},
};

/// Bytes that decide what a file is; files shorter than that are decided by what they have.
const SNIFF: usize = 512;

/// Go magics followed up in one file: the real one, and copies of it in programs that read it.
const GO_TRIES: usize = 8;

/// What is said of a file in which the search for secrets failed.
pub const UNSEARCHED: &str = "was not searched for secrets: the search failed, which is a bug in offcut";

/// What a piece of a hole in a sparse file reads as; longer than what any literal can reach over twice.
const ZEROS: [u8; 2 * LITERAL_MAX] = [0; 2 * LITERAL_MAX];

/// What is looked for in all files, made once from the catalogue.
pub struct Probes {
    sieve: Sieve,
    /// Number of the Go magic in the sieve.
    go_magic: u16,
    /// Numbers of the texts that tell that a Go program or a JavaScript file starts programs.
    starters: Range<u16>,
    shapes: Shapes,
    secrets: Option<Arc<SecretRules>>,
}

/// Functions of Go that start programs, as its table of functions names them, and node's module.
const STARTERS: [(&str, Format); 4] = [
    ("os/exec.(*Cmd).Start", Format::Elf),
    ("os.StartProcess", Format::Elf),
    ("child_process", Format::Js),
    ("child_process", Format::Script),
];

impl Probes {
    /// Compiles the catalogue's literals with the formats each is looked for in.
    pub fn new<'a>(literals: impl IntoIterator<Item = (&'a str, FormatSet)>) -> Self {
        let magic = (GO_MAGIC, FormatSet::from_iter([Format::Elf]));
        let starters = STARTERS.iter().map(|(text, format)| (text.as_bytes(), FormatSet::from_iter([*format])));
        let literals = literals.into_iter().map(|(text, formats)| (text.as_bytes(), formats));
        let sieve = Sieve::new(std::iter::once(magic).chain(starters).chain(literals));
        Self { sieve, go_magic: 0, starters: 1..1 + STARTERS.len() as u16, shapes: Shapes::new([]), secrets: None }
    }

    /// Looks for texts in files of certain names too.
    #[must_use]
    pub fn with_shapes(self, shapes: Shapes) -> Self {
        Self { shapes, ..self }
    }

    /// Looks for secrets too.
    #[must_use]
    pub fn with_secrets(self, rules: Arc<SecretRules>) -> Self {
        Self { secrets: Some(rules).filter(|rules| !rules.is_empty()), ..self }
    }
}

/// What a file turned out to be.
#[derive(Debug, Default)]
pub struct Seen {
    /// What its first bytes say.
    pub format: Format,
    /// What the probes found in it.
    pub facts: Vec<Fact>,
    /// What was wrong with it; each sentence is about this file.
    pub faults: Vec<String>,
    /// Whether [`Looker::batch`] gives it out to be searched for secrets.
    pub put_aside: bool,
}

/// How a file's body is treated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Plan {
    /// Its bytes are still being collected to decide; a path that promises a record still has to keep the promise.
    Undecided(Option<(Record, usize)>),
    /// Nothing more to see.
    Pass,
    /// Kept whole for a parser.
    Collect(Record, usize),
    /// Searched for literals as it passes.
    Search,
}

/// A file whose path says which parser may read it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Record {
    DpkgStatus,
    DpkgStatusD,
    DpkgList,
    DpkgSums,
    DpkgDiversions,
    ApkInstalled,
    Rpm,
    PackageJson,
    PythonMetadata,
    PythonFiles,
    PythonUrl,
    Passwd,
    Group,
    Lang(LangRecord),
    Node(NodeFile),
    LoaderCache,
    LoaderPath,
    ApkWorld,
    AutoInstalled,
    OsRelease,
    Served,
}

/// Looks at one file at a time; its buffers are used again for the next.
pub struct Looker<'p> {
    probes: &'p Probes,
    path: Vec<u8>,
    plan: Plan,
    format: Format,
    /// The whole file, or its head.
    buffer: Vec<u8>,
    /// Nothing, with the room that a buffer had.
    spare: Vec<u8>,
    offset: u64,
    search: Search,
    hits: Vec<u16>,
    /// The dynamic section, once the program headers have passed by.
    dynamic: Option<Window>,
    /// The name of the loader, where it is not in the head.
    interpreter: Option<Window>,
    go: Vec<Window>,
    /// How the file is read as code.
    code: Option<Code>,
    shape: ShapeLook<'p>,
    /// The members of a Java archive.
    jar: Option<jvm::Scan>,
    /// What is to be searched for secrets, and whether that waits for [`Looker::batch`].
    aside: Option<Aside<'p>>,
    waits: bool,
}

/// A range of a file that is copied while the file passes by.
#[derive(Debug, Default)]
struct Window {
    range: Range<u64>,
    bytes: Vec<u8>,
}

impl Window {
    /// Takes what `piece`, which starts at `offset`, has of the range.
    fn copy(&mut self, offset: u64, piece: &[u8]) {
        let next = self.range.start + self.bytes.len() as u64;
        if next >= offset && next < self.range.end {
            let clip = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX).min(piece.len());
            self.bytes.extend_from_slice(&piece[clip(next)..clip(self.range.end)]);
        }
    }
}

impl Window {
    /// Takes what a hole, which starts at `offset`, has of the range.
    fn fill(&mut self, offset: u64, zeros: u64) {
        let next = self.range.start + self.bytes.len() as u64;
        let end = self.range.end.min(offset.saturating_add(zeros));
        if next >= offset && next < end {
            let len = self.bytes.len().saturating_add(usize::try_from(end - next).unwrap_or(0));
            self.bytes.resize(len, 0);
        }
    }
}

impl<'p> Looker<'p> {
    /// A looker that has seen nothing yet.
    pub fn new(probes: &'p Probes) -> Self {
        Self {
            probes,
            path: Vec::new(),
            plan: Plan::Pass,
            format: Format::Other,
            buffer: Vec::new(),
            spare: Vec::new(),
            offset: 0,
            search: Search::default(),
            hits: Vec::new(),
            dynamic: None,
            interpreter: None,
            go: Vec::new(),
            code: None,
            shape: ShapeLook::new(&probes.shapes),
            jar: None,
            aside: probes.secrets.as_deref().map(Aside::new),
            waits: false,
        }
    }

    /// Puts files aside, for [`Looker::batch`] to search for secrets on several threads.
    #[must_use]
    pub fn with_aside(self) -> Self {
        Self { waits: self.aside.is_some(), ..self }
    }

    /// Whether files are put aside.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Until the next batch, bodies lie in this piece, which is given to [`Batch::search`] then.
    pub fn lies_in(&mut self, piece: &[u8]) {
        self.aside.iter_mut().for_each(|aside| aside.lies_in(piece));
    }

    /// What was put aside since the last batch.
    pub fn batch(&mut self) -> Option<Batch<'p>> {
        self.aside.as_mut()?.batch()
    }

    /// Takes over what was done for a batch, and gives what came of its files, in the order in which they ended.
    pub fn settle(&mut self, searched: Searched<'p>) -> Vec<Result<Option<FileSecrets>, Lost>> {
        self.aside.as_mut().map(|aside| aside.settle(searched)).unwrap_or_default()
    }

    /// Starts the regular file at a cleaned path; `size` in bytes.
    pub fn begin(&mut self, path: &[u8], size: u64) {
        self.path.clear();
        self.path.extend_from_slice(path);
        self.plan = Plan::Undecided(record_of(path));
        self.format = Format::Other;
        self.buffer.clear();
        self.offset = 0;
        self.shape.begin(path);
        self.aside.iter_mut().for_each(|aside| aside.begin(path, size));
    }

    /// Takes the next bytes of the file.
    pub fn body(&mut self, piece: &[u8]) {
        self.shape.feed(piece);
        self.aside.iter_mut().for_each(|aside| aside.feed(piece));
        self.take(piece);
    }

    /// How much was searched for secrets since this was asked last.
    pub fn coverage(&mut self) -> Coverage {
        self.aside.as_mut().map(Aside::coverage).unwrap_or_default()
    }

    fn take(&mut self, mut piece: &[u8]) {
        match self.plan {
            Plan::Pass => {}
            Plan::Collect(_, limit) => {
                // One byte too many is kept, so that the end can tell that the file was too large.
                let room = limit.saturating_add(1).saturating_sub(self.buffer.len());
                self.buffer.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            Plan::Undecided(_) => {
                let wanted = SNIFF - self.buffer.len();
                let (head, rest) = piece.split_at(piece.len().min(wanted));
                self.buffer.extend_from_slice(head);
                piece = rest;
                if self.buffer.len() == SNIFF {
                    self.decide();
                }
                if !piece.is_empty() {
                    self.take(piece);
                }
            }
            Plan::Search => self.search(piece),
        }
    }

    /// Passes over a hole of a sparse file. It reads as zeros, but takes no time or memory however long it is.
    pub fn skip(&mut self, zeros: u64) {
        self.shape.skip(zeros);
        self.aside.iter_mut().for_each(|aside| aside.skip(zeros));
        self.pass(zeros);
    }

    fn pass(&mut self, zeros: u64) {
        let some = |most: usize| usize::try_from(zeros).unwrap_or(usize::MAX).min(most);
        match self.plan {
            Plan::Pass => {}
            Plan::Collect(_, limit) => {
                let room = limit.saturating_add(1).saturating_sub(self.buffer.len());
                self.buffer.resize(self.buffer.len() + some(room), 0);
            }
            Plan::Undecided(_) => {
                let head = some(SNIFF - self.buffer.len());
                self.take(&ZEROS[..head]);
                let left = zeros - head as u64;
                if left > 0 {
                    self.pass(left);
                }
            }
            Plan::Search => match zeros.checked_sub(ZEROS.len() as u64) {
                None | Some(0) => self.search(&ZEROS[..some(ZEROS.len())]),
                Some(middle) => {
                    self.search(&ZEROS[..LITERAL_MAX]);
                    self.jump(middle);
                    self.search(&ZEROS[LITERAL_MAX..]);
                }
            },
        }
    }

    /// Passes over zeros that no literal can lie in.
    fn jump(&mut self, zeros: u64) {
        self.search.jump(zeros);
        if self.format == Format::Elf {
            let room = HEAD_MAX.saturating_sub(self.buffer.len());
            self.buffer.resize(self.buffer.len() + usize::try_from(zeros).unwrap_or(room).min(room), 0);
            self.follow_dynamic(&[]);
        }
        for window in self.go.iter_mut().chain(&mut self.dynamic).chain(&mut self.interpreter) {
            window.fill(self.offset, zeros);
        }
        if let Some(jar) = &mut self.jar {
            jar.skip(zeros);
        }
        self.offset = self.offset.saturating_add(zeros);
    }

    /// Ends the file and tells what it is.
    pub fn end(&mut self) -> Seen {
        if let Plan::Undecided(_) = self.plan {
            self.decide();
        }
        // Whatever a parser does with a hostile file, it must not cost the report.
        let seen = panic::catch_unwind(AssertUnwindSafe(|| match self.plan {
            Plan::Collect(record, limit) => self.parse(record, limit),
            Plan::Search => Seen { format: self.format, facts: self.found(), ..Seen::default() },
            Plan::Pass | Plan::Undecided(_) => Seen { format: self.format, ..Seen::default() },
        }));
        let mut seen = seen.unwrap_or_else(|_| Seen {
            format: self.format,
            faults: vec!["could not be read: its parser failed, which is a bug in offcut".into()],
            ..Seen::default()
        });
        seen.facts.extend(self.shape.end());
        self.aside.iter_mut().for_each(Aside::end);
        seen.put_aside = self.waits;
        if !self.waits
            && let Some(batch) = self.batch()
        {
            match self.settle(batch.search(b"")).pop() {
                Some(Ok(secrets)) => seen.facts.extend(secrets.map(Fact::Secrets)),
                _ => seen.faults.push(UNSEARCHED.into()),
            }
        }
        // A database of many megabytes must not stay for the rest of the layer.
        self.buffer.clear();
        self.buffer.shrink_to(HEAD_MAX);
        self.spare.shrink_to(HEAD_MAX);
        seen
    }

    fn decide(&mut self) {
        self.format = sniff(&self.path, &self.buffer);
        if let Plan::Undecided(Some((record, limit))) = self.plan
            && may_be_record(record, self.format)
        {
            self.plan = Plan::Collect(record, limit);
            return;
        }
        self.code = code_of(&self.path, self.format, &self.buffer);
        self.jar = (self.format == Format::Zip && jvm::is_archive(&self.path)).then(jvm::Scan::default);
        let wanted = self.format == Format::Elf
            || self.code.is_some()
            || self.jar.is_some()
            || self.probes.sieve.wants(self.format);
        self.plan = if wanted { Plan::Search } else { Plan::Pass };
        if wanted {
            self.search.restart();
            self.hits.clear();
            self.go.clear();
            self.dynamic = None;
            self.interpreter = None;
            let head = mem::replace(&mut self.buffer, mem::take(&mut self.spare));
            self.search(&head);
            self.spare = if self.format == Format::Elf { head } else { mem::replace(&mut self.buffer, head) };
            self.spare.clear();
        }
    }

    fn search(&mut self, piece: &[u8]) {
        let Self { probes, search, hits, go, format, offset, .. } = self;
        search.feed(&probes.sieve, *format, piece, |number, at| {
            if number != probes.go_magic {
                if !hits.contains(&number) {
                    hits.push(number);
                }
            } else if at % 16 == 0 && go.len() < GO_TRIES && go.iter().all(|w| w.range.start != at) {
                let mut window = Window { range: at..at.saturating_add(GO_MAX as u64), bytes: Vec::new() };
                if at < *offset {
                    // It began in the piece before; the magic itself is all that can lie there.
                    let before = usize::try_from(*offset - at).unwrap_or(usize::MAX).min(GO_MAGIC.len());
                    window.bytes.extend_from_slice(&GO_MAGIC[..before]);
                }
                go.push(window);
            }
        });
        for window in &mut self.go {
            window.copy(self.offset, piece);
        }
        if let Some(jar) = &mut self.jar {
            jar.feed(piece);
        }
        if self.format == Format::Elf {
            let room = HEAD_MAX.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&piece[..piece.len().min(room)]);
            self.follow_dynamic(piece);
        } else if let Some(code) = self.code {
            let room = code.limit().saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        self.offset += piece.len() as u64;
    }

    /// Copies the dynamic section from the piece, which is in the head already if it still belongs there.
    fn follow_dynamic(&mut self, piece: &[u8]) {
        if let Some(window) = &mut self.interpreter {
            window.copy(self.offset, piece);
        }
        if let Some(window) = &mut self.dynamic {
            window.copy(self.offset, piece);
        } else if elf::headers_end(&self.buffer).is_some_and(|end| end <= self.buffer.len() as u64) {
            let range = elf::dynamic_range(&self.buffer).unwrap_or_default();
            let mut window = Window { range, bytes: Vec::new() };
            window.copy(0, &self.buffer);
            window.copy(self.offset, piece);
            self.dynamic = Some(window);
            self.interpreter = elf::interpreter_range(&self.buffer).map(|range| {
                let mut window = Window { range, bytes: Vec::new() };
                window.copy(0, &self.buffer);
                window.copy(self.offset, piece);
                window
            });
        }
    }

    /// The facts of a searched file.
    fn found(&mut self) -> Vec<Fact> {
        let text = |number: &u16| String::from_utf8_lossy(self.probes.sieve.literal(*number)).into_owned();
        let (starters, hits): (Vec<u16>, Vec<u16>) =
            self.hits.iter().partition(|number| self.probes.starters.contains(number));
        let mut literals: Vec<String> = hits.iter().map(text).collect();
        literals.sort_unstable();
        if self.format != Format::Elf {
            let mut facts = self.code.map(|code| code.facts(&self.buffer)).unwrap_or_default();
            facts.extend((!literals.is_empty()).then_some(Fact::Literals(literals)));
            facts.extend((!starters.is_empty() && in_package(&self.path)).then_some(Fact::StartsPrograms));
            facts.extend(self.jar.take().and_then(jvm::Scan::end).map(|jar| Fact::Lang(Lang::Jar(jar))));
            return facts;
        }
        let dynamic = self.dynamic.as_ref().map_or(&[][..], |window| &window.bytes);
        let mut elf = elf::read(&self.buffer, dynamic).unwrap_or_default();
        if let (Some(""), Some(window)) = (elf.interpreter.as_deref(), &self.interpreter) {
            elf.interpreter = elf::interpreter(&window.bytes).or(elf.interpreter);
        }
        elf.literals = literals;
        elf.go = self.go.iter().find_map(|window| elf::go_build(&window.bytes));
        // A Go program has no symbols to tell, but the names of its functions.
        if elf.go.is_some() {
            elf.starts_programs |= !starters.is_empty();
        } else if elf.program && elf.interpreter.is_none() && elf.needed.is_empty() {
            elf.starts_programs = true;
        }
        vec![Fact::Elf(elf)]
    }

    fn parse(&self, record: Record, limit: usize) -> Seen {
        let body = &self.buffer[..];
        let mut seen = Seen { format: sniff(&self.path, &body[..body.len().min(SNIFF)]), ..Seen::default() };
        if body.len() > limit {
            seen.faults.push(format!("is larger than {} MiB and was not read", limit >> 20));
            return seen;
        }
        if matches!(record, Record::DpkgList | Record::DpkgSums) {
            let sums = dpkg::sums(path::name(&self.path), body);
            seen.facts.extend(sums.map(|(package, sums)| Fact::Sums { package, sums }));
        }
        let packages = |manager, parsed: Parsed<_>| keep(parsed, |rows| Fact::Packages { manager, rows });
        let (fact, faults) = match record {
            Record::DpkgStatus => packages(Manager::Deb, dpkg::status(body)),
            Record::DpkgStatusD => packages(Manager::Deb, dpkg::status_d(body)),
            Record::DpkgList => match dpkg::file_list(path::name(&self.path), body) {
                Some(parsed) => keep(parsed, |(package, files)| Fact::FileList { package, files }),
                None => (None, Vec::new()),
            },
            Record::DpkgSums => (None, Vec::new()),
            Record::DpkgDiversions => keep(dpkg::diversions(body), Fact::Diversions),
            Record::ApkInstalled => packages(Manager::Apk, apk::installed(body)),
            Record::Rpm => packages(Manager::Rpm, rpm::packages(body)),
            Record::Passwd => keep(passwd::users(body), Fact::Users),
            Record::Group => keep(passwd::groups(body), Fact::Groups),
            Record::LoaderCache => match loader::cache(body) {
                Ok(libraries) => (Some(Fact::LoaderCache(libraries)), Vec::new()),
                Err(malformed) => (None, vec![malformed.0]),
            },
            Record::ApkWorld => (Some(Fact::World(apk::world(body))), Vec::new()),
            Record::AutoInstalled => (Some(Fact::AutoInstalled(dpkg::auto_installed(body))), Vec::new()),
            Record::OsRelease => (Some(Fact::Release(release::release(body))), Vec::new()),
            Record::Served => (Some(Fact::Served(served::places(body))), Vec::new()),
            Record::LoaderPath => (Some(Fact::LoaderPath(loader::path(body))), Vec::new()),
            Record::PythonMetadata => match python::metadata(body) {
                Ok(parsed) => keep(parsed, Fact::Python),
                Err(malformed) => (None, vec![malformed.0]),
            },
            Record::PythonFiles => keep(python::record(&ImagePath::new(&self.path), body), Fact::Python),
            Record::PythonUrl => (python::is_local(body).then_some(Fact::LocalDist), Vec::new()),
            Record::Lang(record) => {
                let (lang, faults) = lang::read(record, &ImagePath::new(&self.path), body);
                (lang.map(Fact::Lang), faults)
            }
            Record::Node(file) => match file.read(body) {
                Ok((record, released)) => {
                    seen.facts.extend((!released.is_empty()).then_some(Fact::Released(released)));
                    (record.map(Fact::Node), Vec::new())
                }
                Err(malformed) => (None, vec![malformed.0]),
            },
            // Test data of every second npm package is broken on purpose: no fault, just no package.
            Record::PackageJson => {
                (npm::package_json(npm::Place::of(&self.path), body).ok().flatten().map(Fact::Npm), Vec::new())
            }
        };
        seen.facts.extend(fact);
        seen.faults = faults;
        seen
    }
}

fn keep<T>(parsed: Parsed<T>, make: impl FnOnce(T) -> Fact) -> (Option<Fact>, Vec<String>) {
    (Some(make(parsed.value)), parsed.faults)
}

/// Which parser may read the file at a path, and the largest size in bytes it is given.
///
/// The limits are some ten times what the largest real images have; `docs/limits.md` lists them.
fn record_of(path: &[u8]) -> Option<(Record, usize)> {
    const MIB: usize = 1 << 20;

    let name = path::name(path);
    let record = match name {
        b"package.json" => (Record::PackageJson, MIB),
        b"METADATA" if path::parent(path).ends_with(b".dist-info") => (Record::PythonMetadata, 4 * MIB),
        b"PKG-INFO" if path::parent(path).ends_with(b".egg-info") => (Record::PythonMetadata, 4 * MIB),
        b"RECORD" if path::parent(path).ends_with(b".dist-info") => (Record::PythonFiles, 16 * MIB),
        b"direct_url.json" if path::parent(path).ends_with(b".dist-info") => (Record::PythonUrl, MIB),
        b"status" if path == b"var/lib/dpkg/status" => (Record::DpkgStatus, 64 * MIB),
        b"diversions" if path == b"var/lib/dpkg/diversions" => (Record::DpkgDiversions, 4 * MIB),
        b"installed" if matches!(path, b"lib/apk/db/installed" | b"usr/lib/apk/db/installed") => {
            (Record::ApkInstalled, 64 * MIB)
        }
        b"Packages" | b"Packages.db" | b"rpmdb.sqlite" if is_rpm_dir(path::parent(path)) => (Record::Rpm, 256 * MIB),
        b"passwd" if path == b"etc/passwd" => (Record::Passwd, MIB),
        b"group" if path == b"etc/group" => (Record::Group, MIB),
        b"world" if path == b"etc/apk/world" => (Record::ApkWorld, MIB),
        b"extended_states" if path == b"var/lib/apt/extended_states" => (Record::AutoInstalled, 16 * MIB),
        b"os-release" if matches!(path, b"etc/os-release" | b"usr/lib/os-release") => (Record::OsRelease, MIB),
        b"ld.so.cache" if path == b"etc/ld.so.cache" => (Record::LoaderCache, 16 * MIB),
        _ => match path::parent(path) {
            b"var/lib/dpkg/info" if name.ends_with(b".list") => (Record::DpkgList, 16 * MIB),
            b"var/lib/dpkg/info" if name.ends_with(b".md5sums") => (Record::DpkgSums, 16 * MIB),
            b"var/lib/dpkg/status.d" if name.ends_with(b".md5sums") => (Record::DpkgList, 16 * MIB),
            b"var/lib/dpkg/status.d" => (Record::DpkgStatusD, MIB),
            b"etc" if name.starts_with(b"ld-musl-") && name.ends_with(b".path") => (Record::LoaderPath, MIB),
            _ => {
                if let Some(file) = NodeFile::of(path) {
                    return Some((Record::Node(file), 64 * MIB));
                }
                if served::is_settings(path) {
                    return Some((Record::Served, MIB));
                }
                let (record, limit) = lang::record_of(path)?;
                (Record::Lang(record), limit)
            }
        },
    };
    Some(record)
}

fn is_rpm_dir(dir: &[u8]) -> bool {
    matches!(dir, b"var/lib/rpm" | b"usr/lib/sysimage/rpm" | b"usr/share/rpm")
}

/// Whether a file of a record's name can be one: a program does not become a record by its name.
fn may_be_record(record: Record, format: Format) -> bool {
    // Yarn's map is a program by itself, and says so in its first line.
    let map = record == Record::Node(NodeFile::Pnp) && format == Format::Script;
    map || matches!(format, Format::Other | Format::Empty | Format::Text | Format::Js)
}

/// What a file is by its first bytes, up to 512 of them; the name only tells JavaScript from other text.
fn sniff(path: &[u8], head: &[u8]) -> Format {
    match head {
        [] => Format::Empty,
        [0x7f, b'E', b'L', b'F', ..] => Format::Elf,
        [b'P', b'K', 3, 4, ..] => Format::Zip,
        [b'J', b'M', 1, 0, ..] => Format::Jmod,
        [0xda, 0xda, 0xfe, 0xca, ..] | [0xca, 0xfe, 0xda, 0xda, ..] => Format::Jimage,
        _ if head.starts_with(b"!<arch>\n") => Format::Ar,
        [b'#', b'!', ..] if !head.contains(&0) => Format::Script,
        _ if head.contains(&0) => Format::Other,
        _ if [&b".js"[..], b".cjs", b".mjs"].iter().any(|ending| path.ends_with(ending)) => Format::Js,
        _ => Format::Text,
    }
}

const _: () = assert!(ZEROS.len() >= SNIFF, "a hole would not fill the head");

const _: () = assert!(GO_MAGIC.len() >= LITERAL_MIN, "the sieve would never find the Go magic");

#[cfg(test)]
mod tests {
    use super::*;

    fn look(probes: &Probes, path: &str, body: &[u8], piece: usize) -> Seen {
        let mut looker = Looker::new(probes);
        looker.begin(path.as_bytes(), body.len() as u64);
        body.chunks(piece).for_each(|p| looker.body(p));
        looker.end()
    }

    #[test]
    fn the_first_bytes_and_not_the_name_decide() {
        let probes = Probes::new([]);
        for (path, body, want) in [
            ("bin/gcc", &b""[..], Format::Empty),
            ("bin/gcc", b"#!/bin/sh\n", Format::Script),
            ("a.txt", b"\x7fELF\x02\x01\x01", Format::Elf),
            ("a.txt", b"PK\x03\x04....", Format::Zip),
            ("a.js", b"var a", Format::Js),
            ("a.js", b"var\0a", Format::Other),
            ("a.md", b"# hello", Format::Text),
            ("lib/modules", b"\xda\xda\xfe\xca\0\0", Format::Jimage),
            ("liba.a", b"!<arch>\n", Format::Ar),
        ] {
            assert_eq!(look(&probes, path, body, 3).format, want, "{path}");
        }
    }

    #[test]
    fn what_is_found_does_not_depend_on_how_the_body_is_cut() {
        let elf = FormatSet::from_iter([Format::Elf]);
        let probes = Probes::new([("GNU assembler version %s", elf), ("not in the file", elf)]);
        let mut body = b"\x7fELF\x02\x01\x01".to_vec();
        body.resize(4000, b'.');
        body.extend_from_slice(b"GNU assembler version %s");
        body.resize(8192, 0);
        body.extend_from_slice(
            &[GO_MAGIC, &[8, 2], &[0; 16], b"\x06go1.19\x3b0123456789abcdefpath\tcmd/asm\n"].concat(),
        );
        body.resize(10_000, b'x');
        for piece in [1, 7, 512, 513, 4096, 10_000] {
            let Some(Fact::Elf(elf)) = look(&probes, "opt/helper", &body, piece).facts.pop() else {
                panic!("an ELF file")
            };
            assert_eq!(elf.literals, ["GNU assembler version %s"], "{piece}");
            assert_eq!(elf.go.map(|go| go.path).as_deref(), Some("cmd/asm"), "{piece}");
        }
    }

    #[test]
    fn libraries_are_read_however_far_behind_the_headers_they_are_named() {
        let probes = Probes::new([]);
        // This very test is an ELF program with a dozen program headers and libraries to load.
        let body = std::fs::read(std::env::current_exe().expect("a path")).expect("readable");
        for piece in [1_000, 4_096, 524_288, body.len()] {
            let Some(Fact::Elf(elf)) = look(&probes, "opt/test", &body, piece).facts.pop() else {
                panic!("an ELF file")
            };
            assert!(elf.program && elf.interpreter.is_some(), "{piece}");
            assert!(elf.needed.iter().any(|library| library.starts_with("libc.")), "{piece}: {:?}", elf.needed);
        }
    }

    #[test]
    fn a_record_that_is_too_large_is_said_and_not_read() {
        let probes = Probes::new([]);
        let seen = look(&probes, "etc/passwd", &vec![b'a'; (1 << 20) + 1], 4096);
        assert_eq!(seen.facts, []);
        assert_eq!(seen.faults, ["is larger than 1 MiB and was not read"]);
    }
}
