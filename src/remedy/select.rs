//! Says what the last stage takes: files of the build stage, and packages of the distribution.
//!
//! Everything that the image's own layers brought is taken unless something says that only the build needs it; what can
//! not be told is taken.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    Runs, Stop, Subject,
    base::{Chosen, is_as_package},
    evidence::{Evidence, is_file, is_gone, is_needed, of_distribution, unwanted},
};
use crate::{
    dockerfile::File as Dockerfile,
    inventory::{
        File, Inventory, Package,
        loader::{Loader, Need},
        reach::How,
    },
    model::{Fact, Family, Finding, ImageConfig, Kind, Manager, NamePattern, State, path},
};

/// Most lines of COPY: beyond that nobody would keep the file.
const PICKS_MAX: usize = 24;

/// Directories that are never copied whole, since every base has its own.
pub(super) const SYSTEM: [&[u8]; 24] = [
    b"",
    b"bin",
    b"boot",
    b"etc",
    b"home",
    b"lib",
    b"lib64",
    b"media",
    b"mnt",
    b"opt",
    b"root",
    b"sbin",
    b"srv",
    b"usr",
    b"usr/bin",
    b"usr/lib",
    b"usr/local",
    b"usr/local/bin",
    b"usr/local/lib",
    b"usr/local/sbin",
    b"usr/local/share",
    b"usr/share",
    b"usr/sbin",
    b"var",
];

/// Directories whose files are made by package managers and by running programs, and are no part of an application.
const VOLATILE: [&[u8]; 12] = [
    b"tmp",
    b"var/tmp",
    b"var/log",
    b"var/cache",
    b"var/lib/apt",
    b"var/lib/dpkg",
    b"lib/apk",
    b"run",
    b"dev",
    b"proc",
    b"sys",
    b"usr/share/doc",
];

/// Files of `/etc` that packages and builders write; those of users are taken over by name.
const OF_SYSTEM: [&[u8]; 16] = [
    b"etc/passwd",
    b"etc/passwd-",
    b"etc/group",
    b"etc/group-",
    b"etc/shadow",
    b"etc/shadow-",
    b"etc/gshadow",
    b"etc/gshadow-",
    b"etc/subuid",
    b"etc/subuid-",
    b"etc/subgid",
    b"etc/subgid-",
    b"etc/ld.so.cache",
    b"etc/hosts",
    b"etc/hostname",
    b"etc/resolv.conf",
];

/// Directories in the home of a user, or anywhere, in which toolchains keep what they fetch and make.
const TOOLCHAIN: [&[u8]; 13] = [
    b".cache",
    b"pnpm",
    b".cargo",
    b".rustup",
    b".npm",
    b".m2",
    b".gradle",
    b".pnpm-store",
    b"go",
    b".yarn",
    b".node-gyp",
    b".nuget",
    b".config",
];

/// Names of files of a project that say how it is built and what it is, and that no program reads.
const LITTER: [&str; 42] = [
    "Dockerfile",
    "Dockerfile.*",
    "*.Dockerfile",
    "Containerfile",
    "docker-compose*",
    "compose.y*ml",
    ".dockerignore",
    ".git*",
    "README*",
    "LICENSE*",
    "LICENCE*",
    "CHANGELOG*",
    "CONTRIBUTING*",
    "Makefile",
    "CMakeLists.txt",
    "go.mod",
    "go.sum",
    "go.work*",
    "Cargo.toml",
    "Cargo.lock",
    "pom.xml",
    "*.gradle",
    "*.gradle.kts",
    "gradlew*",
    "mvnw*",
    "tsconfig*.json",
    ".eslint*",
    ".prettier*",
    ".editorconfig",
    "jest.config.*",
    "webpack.config.*",
    "vite.config.*",
    "rollup.config.*",
    "babel.config.*",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "build.rs",
    ".babelrc",
    ".nvmrc",
    "*.cmake",
    "*.md",
];

/// Ends of names of sources of languages that are compiled.
const SOURCES: [&[u8]; 22] = [
    b".go", b".rs", b".c", b".cc", b".cpp", b".cxx", b".h", b".hh", b".hpp", b".hxx", b".o", b".a", b".d", b".java",
    b".kt", b".scala", b".s", b".S", b".hs", b".swift", b".zig", b".class",
];

/// What packages of a distribution make when they are installed.
const MADE: [&[u8]; 12] = [
    b"etc/php",
    b"etc/alternatives",
    b"etc/ssl/certs",
    b"etc/ca-certificates",
    b"etc/ca-certificates.conf",
    b"etc/rc0.d",
    b"etc/rc1.d",
    b"usr/lib/ssl",
    b"usr/share/info/dir",
    b"usr/share/mime",
    b"usr/local/share/man",
    b"var/lib",
];

/// What package managers of distributions write whenever they install.
const DATABASES: [&[u8]; 2] = [b"var/lib/dpkg/status", b"lib/apk/db/installed"];

/// Directories that package managers of distributions keep for themselves.
const OF_MANAGER: [&[u8]; 4] = [b"var/lib/apt", b"var/cache/apt", b"var/lib/dpkg", b"lib/apk"];

/// Directories that hold the packages of a language.
const PACKAGES: [&[u8]; 3] = [b"node_modules", b"site-packages", b"dist-packages"];

/// Directories into which compilers write; of these only what the command loads is taken.
const OUTPUTS: [&[u8]; 7] = [b"target", b"build", b"out", b"obj", b"CMakeFiles", b"_build", b".build"];

/// Packages that every image of Debian or Alpine has beside the essential ones; where a base is not at hand.
const EVERYWHERE: [&str; 17] = [
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "tzdata",
    "alpine-baselayout",
    "alpine-baselayout-data",
    "alpine-keys",
    "apk-tools",
    "busybox",
    "busybox-binsh",
    "ca-certificates-bundle",
    "libcrypto3",
    "libssl3",
    "musl",
    "musl-utils",
    "zlib",
];

/// What the last stage takes of the build stage.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// What is copied, by path.
    pub picks: Vec<Pick>,
    /// Links by path, and where they lead: copying one would copy what it leads to.
    pub links: Vec<(Vec<u8>, Vec<u8>)>,
    /// How dev dependencies are removed at the end of the build stage.
    pub prune: Option<String>,
    /// Packages of the distribution that the program needs.
    pub packages: BTreeSet<String>,
    /// Whether a shell or another program of the base is started.
    pub needs_shell: bool,
    /// Whether the loader's cache has to be made again.
    pub ldconfig: bool,
    /// Whether they are installed with what they recommend, as they were.
    pub recommended: bool,
    /// Whether users of the image's own are needed.
    pub users: bool,
    /// Directories that are taken in part and do not belong to root.
    pub owned: Vec<(Vec<u8>, (u32, u32))>,
}

/// Something to copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pick {
    /// Its cleaned path.
    pub path: Vec<u8>,
    /// Whether it is a directory, which is taken whole.
    pub is_dir: bool,
    /// Whose it is, where that is not root.
    pub owner: Option<(u32, u32)>,
    /// Its bytes.
    pub bytes: u64,
}

/// Selects it.
pub(super) fn select(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Result<Wanted, Stop> {
    let mut wanted = Wanted { prune: prune(subject, evidence)?, ..Wanted::default() };
    let inventory = subject.inventory;
    let sieve = Sieve::new(subject, evidence);
    let pruned = pruned(subject, &wanted, evidence.runs, &sieve.unwanted);
    let mut tree: BTreeMap<&[u8], Leaf> = BTreeMap::new();
    for file in inventory.files() {
        let own = file.layer() >= evidence.own_from;
        if !is_file(&file) {
            if own && sieve.keeps_empty(&file) {
                tree.insert(file.path(), Leaf::Empty { owner: (file.uid(), file.gid()) });
            }
            continue;
        }
        if own && pruned.contains(file.path()) {
            continue;
        }
        let leaf = match own {
            false => Leaf::Base(file.size()),
            true if sieve.keeps(&file) => {
                // A hard link is copied with the bytes that it shares with a file that may stay behind.
                let bytes = inventory.file(file.content()).size();
                Leaf::Kept { bytes, owner: (file.uid(), file.gid()) }
            }
            true => Leaf::Dropped,
        };
        tree.insert(file.path(), leaf);
    }
    let rows: Vec<(&[u8], Leaf)> = tree.into_iter().collect();
    cover(b"", &rows, &mut wanted.picks)?;
    if wanted.picks.len() > PICKS_MAX {
        let count = wanted.picks.len();
        return Stop::refused(format!("what the command needs lies in {count} places between what it does not need"));
    }
    if wanted.picks.is_empty() {
        return Stop::refused("nothing of the image's own layers would be left");
    }
    let link = |pick: &Pick| inventory.get(&pick.path).filter(|file| !pick.is_dir && file.kind() == Kind::Symlink);
    wanted.links =
        wanted.picks.iter().filter_map(link).map(|file| (file.path().to_vec(), file.link().to_vec())).collect();
    wanted.picks.retain(|pick| link(pick).is_none());
    wanted.needs_shell = !wanted.links.is_empty();
    libraries(subject, evidence, &rows, &mut wanted);
    started(subject, evidence, &mut wanted);
    let user = subject.image.config.as_ref().map_or("", |config| config.user.as_str());
    let by_number = user.split(':').all(|part| part.parse::<u32>().is_ok());
    let changed = inventory.get(b"etc/passwd").is_some_and(|file| file.layer() >= evidence.own_from);
    wanted.users = !user.is_empty() && !by_number && changed;
    wanted.owned = owned(subject, evidence, &wanted.picks);
    wanted.needs_shell |= !wanted.owned.is_empty();
    Ok(wanted)
}

/// Directories of the image's own that belong to somebody else than root, and of which only a part is copied: copying would
/// make them root's. Where the command is started is one of them.
fn owned(subject: &Subject<'_>, evidence: &Evidence<'_>, picks: &[Pick]) -> Vec<(Vec<u8>, (u32, u32))> {
    let mut dirs: BTreeSet<&[u8]> = BTreeSet::from([&evidence.dir[..]]);
    for pick in picks {
        let mut dir = path::parent(&pick.path);
        while !dir.is_empty() && dirs.insert(dir) {
            dir = path::parent(dir);
        }
    }
    let whole =
        |dir: &[u8]| picks.iter().any(|pick| pick.is_dir && (pick.path == dir || path::is_below(dir, &pick.path)));
    let found = dirs.into_iter().filter(|dir| !whole(dir)).filter_map(|dir| subject.inventory.get(dir));
    let own = found.filter(|dir| dir.layer() >= evidence.own_from && (dir.uid(), dir.gid()) != (0, 0));
    own.map(|dir| (dir.path().to_vec(), (dir.uid(), dir.gid()))).collect()
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Leaf {
    /// The base brought it.
    Base(u64),
    /// It is taken.
    Kept { bytes: u64, owner: (u32, u32) },
    /// It is a directory without anything in it, and is taken.
    Empty { owner: (u32, u32) },
    /// It is left behind.
    Dropped,
}

/// What is asked of every file.
struct Sieve<'s> {
    subject: &'s Subject<'s>,
    evidence: &'s Evidence<'s>,
    /// Files of findings that another stage keeps out.
    unwanted: HashSet<Vec<u8>>,
    litter: Vec<NamePattern>,
    /// Virtual environments of Python.
    environments: Vec<Vec<u8>>,
    /// Layers in which the package manager of the distribution ran.
    managed: HashSet<u32>,
    /// The text of the Dockerfile.
    text: &'s [u8],
    /// Where its commands had something mounted: the empty directory stays behind.
    mounted: Vec<Vec<u8>>,
    /// Directories of what another stage keeps out, sources aside: those lie between what is needed.
    kept_out: Vec<Vec<u8>>,
}

impl<'s> Sieve<'s> {
    fn new(subject: &'s Subject<'s>, evidence: &'s Evidence<'s>) -> Self {
        let settings = subject.inventory.files().filter(|file| path::name(file.path()) == b"pyvenv.cfg");
        Self {
            subject,
            evidence,
            unwanted: unwanted(subject),
            litter: LITTER.iter().map(|name| NamePattern::new(name)).collect(),
            environments: settings.map(|file| path::parent(file.path()).to_vec()).collect(),
            managed: DATABASES.iter().flat_map(|name| versions(subject.inventory, name)).collect(),
            text: subject.file.text().as_bytes(),
            mounted: mounted(subject.file),
            kept_out: kept_out(subject.findings),
        }
    }

    /// Whether a directory of the image's own is taken although nothing is in it: the program may write there.
    ///
    /// Those that packages make when they are installed are made again, and are told apart by their layer and by the Dockerfile,
    /// which names the others.
    fn keeps_empty(&self, dir: &File<'_>) -> bool {
        let name = dir.path();
        if dir.kind() != Kind::Dir || self.subject.inventory.under(name).next().is_some() {
            return false;
        }
        let parts = || name.split(|&byte| byte == b'/');
        let mounted = self.mounted.iter().any(|target| target == name || path::is_below(target, name));
        if mounted || name == self.evidence.dir || VOLATILE.contains(&name) {
            return false;
        }
        if parts().any(|part| PACKAGES.contains(&part) || TOOLCHAIN.contains(&part)) {
            return false;
        }
        let of_manager = OF_MANAGER.iter().any(|dir| name == *dir || path::is_below(name, dir));
        let kept_out = self.kept_out.iter().any(|dir| path::is_below(name, dir));
        let foreign = !kept_out && !self.managed.contains(&dir.layer()) && self.keeps(dir);
        !of_manager && !SYSTEM.contains(&name) && (foreign || self.is_named(name))
    }

    /// Whether the Dockerfile has this absolute path in it.
    fn is_named(&self, name: &[u8]) -> bool {
        memchr::memmem::find_iter(self.text, name).any(|at| {
            let before = at.checked_sub(1).and_then(|at| self.text.get(at));
            let end = self.text.get(at + name.len());
            before == Some(&b'/') && !end.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
        })
    }

    /// Whether a file of a package was written again by the Dockerfile: what is installed anew would be another one.
    fn is_changed(&self, file: &File<'_>) -> bool {
        let settings = path::is_below(file.path(), b"etc") && self.is_named(file.path());
        is_file(file) && of_distribution(file) && (settings || !self.managed.contains(&file.layer()))
    }

    /// Whether a file of the image's own is taken.
    fn keeps(&self, file: &File<'_>) -> bool {
        let name = file.path();
        let program = &self.evidence.program;
        if file.content() == program.content() {
            // Other names of the program, such as cargo's with a digest in it, are no part of what is started.
            return file.id() == program.id() && !of_distribution(file);
        }
        let below = |dirs: &[&[u8]]| dirs.iter().any(|dir| path::is_below(name, dir));
        let parts: Vec<&[u8]> = name.split(|&byte| byte == b'/').collect();
        if self.is_changed(file) {
            return true;
        }
        if of_distribution(file) || below(&VOLATILE) || OF_SYSTEM.contains(&name) || self.is_generated(file) {
            return false;
        }
        // Packages of a language are taken as they were installed: one needs the other in ways that nobody can see.
        let installed = parts.iter().any(|part| PACKAGES.contains(part));
        let in_environment = self.environments.iter().any(|dir| path::is_below(name, dir));
        if self.evidence.runs == Runs::Python && (installed || in_environment) {
            return true;
        }
        if self.unwanted.contains(name) {
            return false;
        }
        if installed {
            return true;
        }
        let places = &self.subject.catalogue.places;
        if places.dir(path::parent(name)).is_some() || places.file(name).is_some() {
            return false;
        }
        let dir = &self.evidence.dir;
        let in_project = dir.is_empty() || path::is_below(name, dir);
        let at_home = below(&[b"root", b"home"]) || parts.first().is_some_and(|part| TOOLCHAIN.contains(part));
        if !in_project && at_home && parts.iter().any(|part| TOOLCHAIN.contains(part)) {
            return false;
        }
        if self.evidence.reach.has(file.id()) {
            return true;
        }
        let last = path::name(name);
        if self.litter.iter().any(|pattern| pattern.matches(last)) {
            return false;
        }
        match self.evidence.runs {
            Runs::Program | Runs::Java => {
                let source = SOURCES.iter().any(|end| last.ends_with(end));
                let output = parts.iter().any(|part| OUTPUTS.contains(part));
                !source && !output
            }
            Runs::Node | Runs::Python | Runs::Php | Runs::Ruby | Runs::Perl => true,
        }
    }

    /// Whether packages of the distribution made the file when they were installed: it belongs to none of them, and is made
    /// again.
    fn is_generated(&self, file: &File<'_>) -> bool {
        let name = file.path();
        let made = MADE.iter().any(|dir| name == *dir || path::is_below(name, dir));
        let compiled = name.split(|&byte| byte == b'/').any(|part| part == b"__pycache__");
        let of_system = [&b"usr/lib"[..], b"usr/share"].iter().any(|dir| path::is_below(name, dir));
        let alternative =
            file.kind() == Kind::Symlink && path::is_below(&path::clean(file.link()), b"etc/alternatives");
        made && self.managed.contains(&file.layer()) && !self.is_named(name) || alternative || compiled && of_system
    }
}

/// The directories of findings that another stage keeps out, but for those of sources.
fn kept_out(findings: &[Finding]) -> Vec<Vec<u8>> {
    let families = [Family::BuildTool, Family::DevDependency, Family::Vcs, Family::Cache];
    let found = findings.iter().filter(|finding| families.contains(&finding.family));
    let roots = found.flat_map(|finding| &finding.paths).map(|group| group.root.as_bytes().to_vec());
    roots.filter(|root| !SYSTEM.contains(&&root[..])).collect()
}

/// The targets of all mounts.
fn mounted(file: &Dockerfile) -> Vec<Vec<u8>> {
    let mounts = file.instructions().iter().flat_map(|one| one.statement.mounts());
    mounts.filter_map(|mount| mount.target().map(|target| path::clean(target.as_bytes()))).collect()
}

/// The layers that have a file of this name, whichever is seen.
fn versions<'a>(inventory: &'a Inventory, name: &'static [u8]) -> impl Iterator<Item = u32> + 'a {
    inventory.get(name).into_iter().chain(inventory.buried_at(name)).map(|file| file.layer())
}

/// The files that go when dev dependencies are pruned.
fn pruned<'a>(
    subject: &'a Subject<'_>,
    wanted: &Wanted,
    runs: Runs,
    unwanted: &'a HashSet<Vec<u8>>,
) -> HashSet<&'a [u8]> {
    if wanted.prune.is_none() {
        return HashSet::new();
    }
    if runs == Runs::Python {
        return python_dev(subject).flat_map(|f| &f.paths).flat_map(|g| &g.files).map(|file| file.as_bytes()).collect();
    }
    let in_modules = |file: &&[u8]| file.split(|&byte| byte == b'/').any(|part| part == b"node_modules");
    unwanted.iter().map(Vec::as_slice).filter(in_modules).collect()
}

/// Findings of distributions that only development needs.
fn python_dev<'s>(subject: &Subject<'s>) -> impl Iterator<Item = &'s Finding> {
    let python = |f: &&Finding| f.rule == "dev-dependency/python" && f.state == State::Live && is_gone(f);
    subject.findings.iter().filter(python)
}

/// How the dev dependencies of a project are removed.
fn prune(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Result<Option<String>, Stop> {
    let dev = subject.findings.iter().any(|f| f.family == Family::DevDependency && f.state == State::Live);
    match evidence.runs {
        Runs::Node if dev => prune_node(subject, evidence),
        Runs::Python if dev => Ok(prune_python(subject)),
        _ => Ok(None),
    }
}

/// `pip uninstall` with the distributions that findings name, where there is one pip that removes them.
fn prune_python(subject: &Subject<'_>) -> Option<String> {
    let is_home = |dir: &[u8]| matches!(path::name(dir), b"site-packages" | b"dist-packages");
    let roots =
        python_dev(subject).flat_map(|f| &f.paths).map(|group| group.root.as_bytes()).filter(|root| is_home(root));
    let roots: BTreeSet<&[u8]> = roots.collect();
    let (Some(root), 1) = (roots.first(), roots.len()) else { return None };
    let pip = pip_of(subject.inventory, subject.image.config.as_ref()?, root)?;
    let names: BTreeSet<&str> =
        python_dev(subject).flat_map(|f| &f.packages).map(|package| package.name.as_str()).collect();
    let is_plain = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let plain = !names.is_empty() && names.iter().all(is_plain) && !pip.contains(char::is_whitespace);
    plain.then(|| format!("{pip} uninstall --yes {}", names.into_iter().collect::<Vec<_>>().join(" ")))
}

/// The pip that can remove what lies in `PREFIX/lib/python3.11/site-packages`, as a command of the build stage.
fn pip_of(inventory: &Inventory, config: &ImageConfig, packages: &[u8]) -> Option<String> {
    if !matches!(config.user.split(':').next().unwrap_or_default(), "" | "0" | "root") {
        return None;
    }
    let version = path::name(path::parent(packages));
    let prefix = path::parent(path::parent(path::parent(packages)));
    let there = |parts: &[&[u8]]| inventory.resolve(&path::clean(&parts.join(&b'/'))).is_some();
    if there(&[prefix, b"pyvenv.cfg"]) {
        return there(&[prefix, b"bin/pip"]).then(|| format!("{}/bin/pip", path::show(prefix)));
    }
    // PEP 668: pip leaves to the distribution what is the distribution's, unless it is told otherwise.
    let told = config.variable("PIP_BREAK_SYSTEM_PACKAGES").is_some_and(|value| !matches!(value, "" | "0"));
    let managed = |home: &[u8]| there(&[home, version, b"EXTERNALLY-MANAGED"]);
    if !told && (managed(b"usr/lib") || managed(b"usr/local/lib")) {
        return None;
    }
    config.path().split(':').any(|dir| there(&[dir.as_bytes(), b"pip"])).then(|| "pip".to_string())
}

/// How the package manager of a Node.js project removes them.
fn prune_node(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Result<Option<String>, Stop> {
    let has = |name: &str| {
        let at = [&evidence.dir[..], b"/", name.as_bytes()].concat();
        subject.inventory.resolve(&path::clean(&at)).is_some()
    };
    if has("pnpm-lock.yaml") {
        return Ok(Some("CI=true pnpm prune --prod".to_string()));
    }
    if has("yarn.lock") {
        if has(".yarnrc.yml") {
            return Stop::refused("dev dependencies are installed, and yarn 2 and above can not take them out again");
        }
        let words = "yarn install --production --ignore-scripts --prefer-offline --frozen-lockfile";
        return Ok(Some(words.to_string()));
    }
    if has("package.json") {
        return Ok(Some("npm prune --omit=dev".to_string()));
    }
    Stop::refused("dev dependencies are installed, and the directory of the command has no package.json")
}

/// Covers what is kept by as few directories and files as there can be. `rows` lie below `dir`, sorted.
fn cover(dir: &[u8], rows: &[(&[u8], Leaf)], picks: &mut Vec<Pick>) -> Result<(), Stop> {
    let kept = rows.iter().filter_map(|(_, leaf)| match leaf {
        Leaf::Kept { bytes, owner } => Some((*bytes, owner)),
        Leaf::Empty { owner } => Some((0, owner)),
        Leaf::Base(_) | Leaf::Dropped => None,
    });
    let (count, bytes) =
        kept.clone().fold((0, 0_u64), |(count, sum), (bytes, _)| (count + 1, sum.saturating_add(bytes)));
    if count == 0 {
        return Ok(());
    }
    let dropped = rows.iter().any(|(_, leaf)| *leaf == Leaf::Dropped);
    let of_base = rows.iter().map(|(_, leaf)| if let Leaf::Base(bytes) = leaf { *bytes } else { 0 }).sum::<u64>();
    let packages = matches!(path::name(dir), b"site-packages" | b"dist-packages");
    let whole = !dropped && !SYSTEM.contains(&dir) && (packages || of_base <= bytes / 5);
    let owners: BTreeSet<(u32, u32)> = kept.map(|(_, owner)| *owner).collect();
    if whole && owners.len() == 1 {
        let owner = owners.into_iter().next().filter(|owner| *owner != (0, 0));
        picks.push(Pick { path: dir.to_vec(), is_dir: true, owner, bytes: bytes.saturating_add(of_base) });
        return Ok(());
    }
    let depth = if dir.is_empty() { 0 } else { dir.len() + 1 };
    let mut at = 0;
    while let Some(&(name, leaf)) = rows.get(at) {
        let rest = name.get(depth..).unwrap_or_default();
        let Some(slash) = rest.iter().position(|&byte| byte == b'/') else {
            let of = |owner| Some(owner).filter(|owner| *owner != (0, 0));
            match leaf {
                Leaf::Kept { bytes, owner } => {
                    picks.push(Pick { path: name.to_vec(), is_dir: false, owner: of(owner), bytes });
                }
                Leaf::Empty { owner } => {
                    picks.push(Pick { path: name.to_vec(), is_dir: true, owner: of(owner), bytes: 0 })
                }
                Leaf::Base(_) | Leaf::Dropped => {}
            }
            at += 1;
            continue;
        };
        let child = name.get(..depth + slash).unwrap_or(name);
        let inside = |(path, _): &&(&[u8], Leaf)| path::is_below(path, child);
        let end = at + rows.iter().skip(at).take_while(inside).count().max(1);
        cover(child, rows.get(at..end).unwrap_or_default(), picks)?;
        if picks.len() > 10 * PICKS_MAX {
            return Stop::refused("what the command needs lies in many places between what it does not need");
        }
        at = end;
    }
    Ok(())
}

/// The packages that own the libraries of what is taken.
fn libraries(subject: &Subject<'_>, evidence: &Evidence<'_>, rows: &[(&[u8], Leaf)], wanted: &mut Wanted) {
    let Some(config) = &subject.image.config else { return };
    let loader = Loader::new(subject.inventory).with_config(config);
    let kept: HashSet<&[u8]> =
        rows.iter().filter(|(_, leaf)| matches!(leaf, Leaf::Kept { .. })).map(|(path, _)| *path).collect();
    for file in kept.iter().filter_map(|path| subject.inventory.get(path)) {
        if !file.facts().any(|fact| matches!(fact, Fact::Elf(_))) {
            continue;
        }
        let Some(load) = loader.load(file) else { continue };
        let interpreter =
            load.interpreter.and_then(|need| if let Need::Found { file, .. } = need { Some(file) } else { None });
        for library in load.objects.iter().skip(1).map(|object| object.file).chain(interpreter) {
            let real = subject.inventory.resolve(library.path()).unwrap_or(library);
            match real.owner().filter(|_| of_distribution(&real)) {
                Some(package) => drop(wanted.packages.insert(package.name.clone())),
                None if real.layer() >= evidence.own_from && evidence.runs == Runs::Program => {
                    wanted.ldconfig |= path::is_below(real.path(), b"usr/local/lib");
                }
                None => {}
            }
        }
    }
    let go = evidence.program.facts().any(|fact| matches!(fact, Fact::Elf(elf) if elf.go.is_some()));
    if go && subject.inventory.resolve(b"lib/apk/db/installed").is_some() {
        // Go falls back on the time zones of its toolchain, and Alpine has none of its own.
        let zones = subject.inventory.files().find(|file| file.path().ends_with(b"go/lib/time/zoneinfo.zip"));
        wanted.picks.extend(zones.map(|file| Pick {
            path: file.path().to_vec(),
            is_dir: false,
            owner: None,
            bytes: file.size(),
        }));
    }
    // A program that asks the network for anything wants to know whom to trust; the slim images do not say.
    let certificates =
        subject.inventory.packages().iter().any(|p| p.name == "ca-certificates" && p.state == State::Live);
    if certificates && evidence.runs == Runs::Program && !evidence.is_static {
        wanted.packages.insert("ca-certificates".to_string());
    }
}

/// The packages of what the command starts beside its program, and those that were installed by name for it.
fn started(subject: &Subject<'_>, evidence: &Evidence<'_>, wanted: &mut Wanted) {
    let config = subject.image.config.as_ref();
    let health = config.map_or(&[][..], |config| &config.healthcheck);
    let shell_form = |words: &[String]| words.first().is_some_and(|word| path::name(word.as_bytes()) == b"sh");
    wanted.needs_shell |= health.first().is_some_and(|word| word == "CMD-SHELL")
        || config.is_some_and(|config| shell_form(&config.entrypoint) || shell_form(&config.cmd));
    let flagged: HashSet<&str> = subject
        .findings
        .iter()
        .filter(|f| matches!(f.family, Family::BuildTool | Family::DevDependency | Family::Leftover) && !is_needed(f))
        .flat_map(|f| f.packages.iter().map(|package| package.name.as_str()))
        .collect();
    for id in evidence.reach.files() {
        let file = subject.inventory.file(id);
        let how = evidence.reach.how(id);
        if file.id() == evidence.program.id() || !of_distribution(&file) {
            // A script of the application's own wants its shell.
            let script = file.facts().any(|fact| matches!(fact, Fact::Script(_)));
            wanted.needs_shell |= script && matches!(how, Some(How::Starts | How::Command | How::Healthcheck));
            continue;
        }
        if matches!(how, Some(How::Starts | How::Command | How::Healthcheck)) {
            wanted.needs_shell = true;
            if let Some(package) = file.owner().filter(|package| !flagged.contains(package.name.as_str())) {
                wanted.packages.insert(package.name.clone());
            }
        }
    }
    let as_package = is_as_package(evidence);
    if as_package {
        wanted.needs_shell = true;
        wanted.recommended = !subject.file.text().contains("--no-install-recommends");
        wanted.packages.extend(evidence.interpreter.and_then(|file| Some(file.owner()?.name.clone())));
    }
    if evidence.starts_any || as_package {
        for package in by_name(subject, evidence).filter(|package| !flagged.contains(package.name.as_str())) {
            wanted.packages.insert(package.name.clone());
        }
    }
}

/// The packages that the Dockerfile installed by name.
fn by_name<'a>(subject: &Subject<'a>, evidence: &Evidence<'_>) -> impl Iterator<Item = &'a Package> {
    let inventory = subject.inventory;
    let own_from = evidence.own_from;
    let automatic: HashSet<&str> = inventory.auto_installed().unwrap_or_default().iter().map(String::as_str).collect();
    let world: Option<HashSet<&str>> = inventory.world().map(|all| all.iter().map(String::as_str).collect());
    inventory.packages().iter().filter(move |package| {
        let installed = package.files.first().is_some_and(|file| inventory.file(*file).layer() >= own_from);
        let asked = match package.manager {
            Manager::Deb => !automatic.contains(package.name.as_str()),
            Manager::Apk => world.as_ref().is_some_and(|world| world.contains(package.name.as_str())),
            _ => false,
        };
        package.state == State::Live && installed && asked && !package.name.ends_with("-dev")
    })
}

/// The packages that have to be installed on the new base.
pub(super) fn packages(
    subject: &Subject<'_>,
    wanted: &Wanted,
    chosen: &Chosen,
    known: Option<&Inventory>,
) -> Vec<String> {
    if !chosen.has_shell {
        return Vec::new();
    }
    let has = |name: &str| match known {
        Some(known) => known.packages().iter().any(|package| package.name == name && package.state == State::Live),
        // Where the base is not at hand: what no image of the distribution is without.
        None => {
            let essential =
                subject.inventory.packages().iter().any(|package| package.name == name && package.essential);
            essential || EVERYWHERE.contains(&name)
        }
    };
    wanted.packages.iter().filter(|name| !has(name)).cloned().collect()
}

/// Bytes of packages with everything they need that the base has not.
pub(super) fn installed_bytes(subject: &Subject<'_>, names: &[String], known: Option<&Inventory>) -> u64 {
    let inventory = subject.inventory;
    let there = |name: &str| {
        known.is_some_and(|known| known.packages().iter().any(|p| p.name == name && p.state == State::Live))
    };
    let mut todo: Vec<&str> = names.iter().map(String::as_str).collect();
    let (mut seen, mut bytes) = (HashSet::new(), 0_u64);
    while let Some(name) = todo.pop() {
        if there(name) || !seen.insert(name) {
            continue;
        }
        let Some(package) = inventory.packages().iter().find(|p| p.name == name && p.state == State::Live) else {
            continue;
        };
        bytes = package.files.iter().fold(bytes, |sum, file| sum.saturating_add(inventory.file(*file).size()));
        todo.extend(package.depends.iter().map(String::as_str));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, EntryId, Format, LayerFacts};

    const KEPT: Leaf = Leaf::Kept { bytes: 10, owner: (0, 0) };

    fn covered(rows: &[(&str, Leaf)]) -> Vec<String> {
        let rows: Vec<(&[u8], Leaf)> = rows.iter().map(|(path, leaf)| (path.as_bytes(), *leaf)).collect();
        let mut picks = Vec::new();
        cover(b"", &rows, &mut picks).expect("few places");
        let show = |pick: &Pick| {
            format!("{}{} {}", String::from_utf8_lossy(&pick.path), if pick.is_dir { "/" } else { "" }, pick.bytes)
        };
        picks.iter().map(show).collect()
    }

    #[test]
    fn a_directory_is_taken_whole_where_nothing_in_it_stays_behind() {
        let rows = [("app/dist/a.js", KEPT), ("app/dist/b.js", KEPT), ("app/src/a.ts", Leaf::Dropped), ("app/x", KEPT)];
        assert_eq!(covered(&rows), ["app/dist/ 20", "app/x 10"]);
        assert_eq!(covered(&[("app/a", KEPT), ("app/b/c", KEPT)]), ["app/ 20"]);
    }

    #[test]
    fn a_directory_of_the_system_or_of_the_base_is_never_taken_whole() {
        assert_eq!(covered(&[("usr/local/bin/app", KEPT)]), ["usr/local/bin/app 10"]);
        let of_base = [("usr/local/lib/x/a", KEPT), ("usr/local/lib/x/b", Leaf::Base(1000))];
        assert_eq!(covered(&of_base), ["usr/local/lib/x/a 10"]);
        let packages = [("usr/lib/site-packages/a", KEPT), ("usr/lib/site-packages/pip", Leaf::Base(1000))];
        assert_eq!(covered(&packages), ["usr/lib/site-packages/ 1010"], "one needs the other");
    }

    #[test]
    fn pip_is_called_where_it_removes_what_is_installed() {
        let entry = |path: &'static str| Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: b"",
            kind: Kind::File,
            format: Format::Other,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 10,
        };
        let asked = |files: &[&'static str], env: &[&str], user: &str, packages: &str| {
            let mut layer = LayerFacts::default();
            for path in files {
                layer.entries.push(&entry(path)).expect("room");
            }
            let env = env.iter().map(|one| one.to_string()).collect();
            let config = ImageConfig { env, user: user.to_string(), ..ImageConfig::default() };
            pip_of(&Inventory::build(vec![layer]), &config, packages.as_bytes())
        };
        let (global, own) = ("usr/local/lib/python3.11/site-packages", "opt/venv/lib/python3.11/site-packages");
        let (pip, held) = ("usr/local/bin/pip", "usr/lib/python3.11/EXTERNALLY-MANAGED");
        let (venv, its) = ("opt/venv/pyvenv.cfg", "opt/venv/bin/pip");
        for (files, env, user, packages, want) in [
            (&[pip][..], &[][..], "", global, Some("pip")),
            (&[pip], &[], "0:0", global, Some("pip")),
            (&[pip], &[], "app", global, None),
            (&[], &[], "", global, None),
            (&[pip], &["PATH=/usr/bin"], "", global, None),
            (&[pip, held], &[], "", global, None),
            (&[pip, held], &["PIP_BREAK_SYSTEM_PACKAGES=1"], "", global, Some("pip")),
            (&[pip, "usr/lib/python3.12/EXTERNALLY-MANAGED"], &[], "", global, Some("pip")),
            (&[pip, held, venv, its], &[], "", own, Some("/opt/venv/bin/pip")),
            (&[pip, venv], &[], "", own, None),
        ] {
            assert_eq!(asked(files, env, user, packages).as_deref(), want, "{files:?} {env:?} {user}");
        }
    }

    #[test]
    fn where_something_was_mounted_is_known() {
        let text = "FROM a\nRUN --mount=type=cache,target=/root/.cache/ --mount=type=bind,dst=/src b\nRUN c\n";
        let file = Dockerfile::parse(text).expect("it parses");
        assert_eq!(mounted(&file), [b"root/.cache".to_vec(), b"src".to_vec()]);
    }

    #[test]
    fn an_empty_directory_is_taken_as_one() {
        let (empty, other) = (Leaf::Empty { owner: (0, 0) }, Leaf::Empty { owner: (1000, 1000) });
        let rows = [("app/logs", empty), ("app/src/a", Leaf::Dropped), ("data", other), ("data.d/x", KEPT)];
        assert_eq!(covered(&rows), ["app/logs/ 0", "data/ 0", "data.d/ 10"]);
        assert_eq!(covered(&[("app/a", KEPT), ("app/logs", empty)]), ["app/ 10"], "with what is beside it");
        assert_eq!(covered(&[("app/a", KEPT), ("app/logs", other)]), ["app/a 10", "app/logs/ 0"], "another's");
    }

    #[test]
    fn files_of_several_owners_are_taken_one_by_one() {
        let other = Leaf::Kept { bytes: 1, owner: (1000, 1000) };
        assert_eq!(covered(&[("app/a", KEPT), ("app/b", other)]), ["app/a 10", "app/b 1"]);
    }

    #[test]
    fn a_name_that_begins_with_another_is_no_part_of_it() {
        let rows = [("app/a", KEPT), ("app/a.d/x", KEPT), ("app/b", Leaf::Dropped), ("app2/x", KEPT)];
        assert_eq!(covered(&rows), ["app/a 10", "app/a.d/ 10", "app2/ 10"]);
    }

    #[test]
    fn what_lies_in_too_many_places_is_refused() {
        let names: Vec<String> = (0..1000).map(|number| format!("app/{number:04}")).collect();
        let rows: Vec<(&[u8], Leaf)> = names
            .iter()
            .zip([KEPT, Leaf::Dropped].into_iter().cycle())
            .map(|(name, leaf)| (name.as_bytes(), leaf))
            .collect();
        assert!(matches!(cover(b"", &rows, &mut Vec::new()), Err(Stop::Refused(_))));
    }
}
