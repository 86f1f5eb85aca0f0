//! Says what the last stage takes: files of the build stage, and packages of the distribution.
//!
//! Everything that the image's own layers brought is taken unless something says that only the build needs it; what can
//! not be told is taken.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    Runs, Stop, Subject,
    cover::{Leaf, PICKS_MAX, Pick, cover},
    evidence::{Evidence, is_file, of_distribution, unwanted},
    java::Loads,
    packages::{libraries, started},
    prune::{bound, prune, pruned},
    same::{Removed, Same, Turned},
    served::Served,
};
use crate::{
    dockerfile::File as Dockerfile,
    inventory::{File, Inventory},
    model::{Family, Finding, Kind, NamePattern, path},
};

/// Directories that are never copied whole, since every base has its own.
pub(super) const SYSTEM: [&[u8]; 27] = [
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
    b"run",
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
    b"var/cache",
    b"var/log",
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
const OF_SYSTEM: [&[u8]; 17] = [
    b"etc/.pwd.lock",
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
const TOOLCHAIN: [&[u8]; 14] = [
    b".cache",
    b".composer",
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
const LITTER: [&str; 43] = [
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
    "dependency-reduced-pom.xml",
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
const SOURCES: [&[u8]; 34] = [
    b".go", b".rs", b".c", b".cc", b".cpp", b".cxx", b".h", b".hh", b".hpp", b".hxx", b".o", b".a", b".d", b".java",
    b".kt", b".scala", b".s", b".S", b".hs", b".hi", b".swift", b".zig", b".class", b".ml", b".mli", b".cmi", b".cmx",
    b".cmt", b".cmti", b".cmxa", b".adb", b".ads", b".ali", b".f90",
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

/// Indexes of what is installed, which triggers of packages make below `/usr`.
const INDEXES: [&[u8]; 6] = [
    b"giomodule.cache",
    b"gschemas.compiled",
    b"icon-theme.cache",
    b"immodules.cache",
    b"loaders.cache",
    b"mimeinfo.cache",
];

/// What package managers of distributions write whenever they install.
const DATABASES: [&[u8]; 2] = [b"var/lib/dpkg/status", b"lib/apk/db/installed"];

/// Directories that package managers of distributions keep for themselves.
const OF_MANAGER: [&[u8]; 4] = [b"var/lib/apt", b"var/cache/apt", b"var/lib/dpkg", b"lib/apk"];

/// Directories that hold the packages of a language.
const PACKAGES: [&[u8]; 3] = [b"node_modules", b"site-packages", b"dist-packages"];

/// Directories into which compilers write; of these only what the command loads is taken.
const OUTPUTS: [&[u8]; 7] = [b"target", b"build", b"out", b"obj", b"CMakeFiles", b"_build", b".build"];

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
    /// Directories of the base to which others may write now, and the bits of that.
    pub modes: Vec<(Vec<u8>, u16)>,
    /// What the Dockerfile took away of the base that stays.
    pub removed: Vec<Removed>,
}

/// Selects it.
pub(super) fn select(subject: &Subject<'_>, evidence: &Evidence<'_>, same: Option<&Same>) -> Result<Wanted, Stop> {
    let mut wanted = Wanted { prune: prune(subject, evidence)?, ..Wanted::default() };
    let inventory = subject.inventory;
    let mut sieve = Sieve::new(subject, evidence, same);
    let bound = bound(subject, wanted.prune.as_deref(), evidence.runs);
    sieve.unwanted.retain(|file| !bound.contains(&file[..]));
    let pruned = pruned(subject, wanted.prune.as_deref(), evidence.runs, &sieve.unwanted);
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
    if let Some(same) = same {
        on_same(subject, same, changed, &mut wanted)?;
    }
    wanted.needs_shell |= !wanted.owned.is_empty();
    Ok(wanted)
}

/// What has to be said again where the base stays: what was taken away, given to somebody else, and made newer.
fn on_same(subject: &Subject<'_>, same: &Same, users: bool, wanted: &mut Wanted) -> Result<(), Stop> {
    wanted.removed = same.removed(subject.inventory)?;
    for Turned { path, owner, mode } in same.turned(subject.inventory) {
        if let Some(owner) = owner.filter(|_| wanted.owned.iter().all(|(owned, _)| *owned != path)) {
            wanted.owned.push((path.clone(), owner));
        }
        wanted.modes.extend(mode.map(|mode| (path, mode)));
    }
    wanted.needs_shell |= !wanted.removed.is_empty() || !wanted.modes.is_empty();
    wanted.packages.extend(same.upgraded(subject.inventory).map(str::to_string));
    // The settings of a server may name users, too.
    let text = subject.file.text();
    wanted.users |= users && (text.contains("useradd") || text.contains("adduser"));
    Ok(())
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

/// What is asked of every file.
struct Sieve<'s> {
    subject: &'s Subject<'s>,
    evidence: &'s Evidence<'s>,
    /// The base, where it stays.
    same: Option<&'s Same>,
    /// Files of findings that another stage keeps out.
    unwanted: HashSet<Vec<u8>>,
    litter: Vec<NamePattern>,
    /// What a server reads.
    served: Served,
    /// What Java loads of what a build made.
    loads: Loads,
    /// Directories into which Composer installed.
    vendors: Vec<Vec<u8>>,
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
    fn new(subject: &'s Subject<'s>, evidence: &'s Evidence<'s>, same: Option<&'s Same>) -> Self {
        let vendors = subject.inventory.files().filter_map(|file| {
            let vendor = file.path().strip_suffix(b"/composer/installed.json")?;
            (path::name(vendor) == b"vendor").then(|| vendor.to_vec())
        });
        let settings = subject.inventory.files().filter(|file| path::name(file.path()) == b"pyvenv.cfg");
        Self {
            subject,
            evidence,
            same,
            served: Served::of(subject.inventory, evidence.runs),
            unwanted: unwanted(subject),
            loads: Loads::of(subject, evidence),
            vendors: vendors.collect(),
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
        let of_base = || self.same.is_some_and(|same| same.is_changed(file));
        is_file(file) && of_distribution(file) && (settings || !self.managed.contains(&file.layer()) || of_base())
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
        if file.kind() == Kind::Symlink && file.link().starts_with(b"/dev/") || self.is_left_open(file) {
            return true;
        }
        if of_distribution(file) || below(&VOLATILE) || OF_SYSTEM.contains(&name) || self.is_generated(file) {
            return false;
        }
        // Packages of a language are taken as they were installed: one needs the other in ways that nobody can see.
        // What Composer wrote is another list of files when it has installed again: it is not named one by one.
        let installed = parts.iter().any(|part| PACKAGES.contains(part))
            || self.vendors.iter().any(|dir| path::is_below(name, dir));
        let in_environment = self.environments.iter().any(|dir| path::is_below(name, dir));
        if self.evidence.runs == Runs::Python && (installed || in_environment) {
            return true;
        }
        if self.unwanted.contains(name) {
            return false;
        }
        if !self.served.has(name) {
            return false;
        }
        if installed || self.evidence.dotnet.as_ref().is_some_and(|app| app.publishes(name)) {
            return true;
        }
        let places = &self.subject.catalogue.places;
        if path::is_below(name, b"etc") && self.is_setting(file) {
            return true;
        }
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
            Runs::Program | Runs::Java => self
                .loads
                .says(name)
                .unwrap_or_else(|| !is_source(last) && !parts.iter().any(|part| OUTPUTS.contains(part))),
            Runs::Dotnet => self.evidence.dotnet.as_ref().is_some_and(|app| app.may_read(name)),
            Runs::Server | Runs::Node | Runs::Python | Runs::Php | Runs::Ruby | Runs::Perl => true,
        }
    }

    /// Whether a file of `/etc` that no package owns was put there by the Dockerfile, and not by packages as they were installed.
    fn is_setting(&self, file: &File<'_>) -> bool {
        let dir = path::parent(file.path());
        let by_name = self.is_named(file.path()) || !SYSTEM.contains(&dir) && self.is_named(dir);
        by_name || !self.managed.contains(&file.layer())
    }

    /// Whether it is a file that the Dockerfile made for the program to write to: its log, the file with its number.
    fn is_left_open(&self, file: &File<'_>) -> bool {
        let name = file.path();
        let written = [&b"run"[..], b"var/log"].iter().any(|dir| path::is_below(name, dir));
        written && file.kind() == Kind::File && !of_distribution(file) && self.is_named(name)
    }

    /// Whether packages of the distribution made the file when they were installed: it belongs to none of them, and is made
    /// again.
    fn is_generated(&self, file: &File<'_>) -> bool {
        let name = file.path();
        let made = MADE.iter().any(|dir| name == *dir || path::is_below(name, dir));
        let compiled = name.split(|&byte| byte == b'/').any(|part| part == b"__pycache__")
            || INDEXES.contains(&path::name(name)) && self.managed.contains(&file.layer());
        let of_system = [&b"usr/lib"[..], b"usr/share"].iter().any(|dir| path::is_below(name, dir));
        let alternative =
            file.kind() == Kind::Symlink && path::is_below(&path::clean(file.link()), b"etc/alternatives");
        made && self.managed.contains(&file.layer()) && !self.is_named(name) || alternative || compiled && of_system
    }
}

/// Whether a name is that of a source of a compiled language, or of what its compiler wrote beside it.
pub(super) fn is_source(name: &[u8]) -> bool {
    SOURCES.iter().any(|end| name.ends_with(end))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_something_was_mounted_is_known() {
        let text = "FROM a\nRUN --mount=type=cache,target=/root/.cache/ --mount=type=bind,dst=/src b\nRUN c\n";
        let file = Dockerfile::parse(text).expect("it parses");
        assert_eq!(mounted(&file), [b"root/.cache".to_vec(), b"src".to_vec()]);
    }
}
