//! How the dynamic loader finds libraries inside the image: glibc's and musl's search, over the finished tree.
//!
//! Answers which file a program or library gets for each name that it needs. What a program loads while it runs
//! (`dlopen`) is not known here, and nothing is judged.
//!
//! Sources: `ld.so(8)`, glibc 2.36 `elf/dl-load.c`, musl 1.2.5 `ldso/dynlink.c`. What they look at and this does not:
//! the secure mode of set-uid programs, `LD_PRELOAD`, and directories that depend on the processor beyond
//! `glibc-hwcaps`.

use std::collections::{HashMap, HashSet};

use super::{File, FileId, Inventory};
use crate::model::{Elf, Fact, ImageConfig, ImagePath, Kind, path};

/// Files of one program that are followed; LibreOffice, Chromium and Qt stay below 300.
const OBJECTS_MAX: usize = 4096;

/// Paths that are looked at for one program before the search is given up as incomplete.
const TRIES_MAX: usize = 1 << 18;

/// Run paths that hold for one object; more are left out, and the search is incomplete.
const DIRS_MAX: usize = 1024;

/// Longest path that is looked at, in bytes (`PATH_MAX` of Linux).
const PATH_MAX: usize = 4096;

/// Libraries of libraries over which `DT_RPATH` is followed.
const CHAIN_MAX: usize = 64;

/// Names that musl takes as itself, whatever stands behind them (`reserved` in `load_library`).
const MUSL_SELF: [&str; 8] = ["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.", "ld-musl-"];

/// Where libraries are that every build of glibc, or a distribution's, looks into without being told.
const GLIBC_DIRS: [&str; 14] = [
    "/lib",
    "/usr/lib",
    "/lib64",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib/i386-linux-gnu",
    "/usr/lib/i386-linux-gnu",
    "/lib/arm-linux-gnueabihf",
    "/usr/lib/arm-linux-gnueabihf",
    "/lib32",
    "/usr/lib32",
];

/// Below each directory glibc looks here, too, as far as the processor allows.
const GLIBC_HWCAPS: [&str; 3] = ["glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v4"];

/// What `$LIB` stands for, by distribution.
const LIB_NAMES: [&str; 4] = ["lib64", "lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"];

/// What `$PLATFORM` stands for.
const PLATFORMS: [&str; 4] = ["x86_64", "haswell", "aarch64", "i686"];

/// Paths that one path with `$LIB` and `$PLATFORM` may become.
const EXPANSIONS_MAX: usize = 64;

/// musl's directories where no `ld-musl-ARCH.path` names others.
const MUSL_DIRS: [&str; 3] = ["/lib", "/usr/local/lib", "/usr/lib"];

/// Looks for libraries as the dynamic loaders of the image do.
pub struct Loader<'a> {
    inventory: &'a Inventory,
    /// What glibc's cache says, by name.
    cache: HashMap<&'a str, Vec<&'a ImagePath>>,
    /// There is a cache, but it could not be read: what it would have is unknown.
    cache_unread: bool,
    /// musl's own list of directories, by architecture (`x86_64`).
    musl_dirs: HashMap<&'a [u8], &'a [ImagePath]>,
    /// `LD_LIBRARY_PATH`.
    library_path: Vec<String>,
    /// Where the program is started: relative paths begin there.
    cwd: ImagePath,
}

/// What became of a name that a file needs.
#[derive(Clone, Copy)]
pub enum Need<'a> {
    /// The loader finds it.
    Found {
        /// As the file asks for it.
        name: &'a str,
        /// What it gets.
        file: File<'a>,
    },
    /// The loader finds no file, or none for this machine.
    Missing {
        /// As the file asks for it.
        name: &'a str,
    },
}

/// A program with everything that is loaded before it starts.
pub struct Load<'a> {
    /// The loader: `None` for a static program or a library.
    pub interpreter: Option<Need<'a>>,
    /// The program, then its libraries in the order in which they are loaded.
    pub objects: Vec<Object<'a>>,
    /// What was not found.
    pub missing: Vec<Missing<'a>>,
    /// Which C library it gets.
    pub libc: Libc,
    /// Whether everything could be followed: else there may be more objects, and what is missing may be there.
    pub complete: bool,
}

/// A file that the loader maps.
pub struct Object<'a> {
    /// The file.
    pub file: File<'a>,
    /// As it was asked for; empty for the program.
    pub name: &'a str,
    /// Who asked first, by its place among the objects.
    pub by: Option<usize>,
    /// The directory it was found through, which `$ORIGIN` means; not that of the file behind a link.
    origin: Vec<u8>,
    elf: &'a Elf,
}

/// A library that is not there.
#[derive(Clone, Copy, Debug)]
pub struct Missing<'a> {
    /// As it was asked for.
    pub name: &'a str,
    /// Who asks, by its place among the objects.
    pub by: usize,
}

/// A C library, which brings the loader and its way to search.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Libc {
    /// The GNU C library.
    Glibc,
    /// musl.
    Musl,
}

impl<'a> Loader<'a> {
    /// The loaders of an image whose configuration says nothing about libraries.
    pub fn new(inventory: &'a Inventory) -> Self {
        let mut cache: HashMap<&str, Vec<&ImagePath>> = HashMap::new();
        let mut cache_unread = false;
        if let Some(file) = inventory.resolve(b"etc/ld.so.cache") {
            let facts = file.facts().find_map(|f| if let Fact::LoaderCache(all) = f { Some(&all[..]) } else { None });
            cache_unread = facts.is_none();
            for (name, file) in facts.unwrap_or_default() {
                cache.entry(name).or_default().push(file);
            }
        }
        let musl_dirs = inventory.under(b"etc").filter_map(|file| {
            let arch = path::name(file.path()).strip_prefix(b"ld-musl-")?.strip_suffix(b".path")?;
            let dirs = inventory.resolve(file.path())?.facts();
            Some((arch, dirs.into_iter().find_map(|f| if let Fact::LoaderPath(d) = f { Some(&d[..]) } else { None })?))
        });
        let musl_dirs = musl_dirs.collect();
        Self { inventory, cache, cache_unread, musl_dirs, library_path: Vec::new(), cwd: ImagePath::default() }
    }

    /// The loaders as they work for a container of this configuration: with its `LD_LIBRARY_PATH` and its directory.
    #[must_use]
    pub fn with_config(mut self, config: &ImageConfig) -> Self {
        let value = config.env.iter().rev().find_map(|v| v.strip_prefix("LD_LIBRARY_PATH="));
        let value = value.filter(|value| !value.is_empty());
        self.library_path = value.iter().flat_map(|v| v.split([':', ';'])).map(str::to_string).collect();
        self.cwd = ImagePath::new(config.working_dir.as_bytes());
        self
    }

    /// The loader that a program asks for; `None` for a static program, a library or what is no ELF file.
    pub fn interpreter(&self, elf: File<'a>) -> Option<Need<'a>> {
        let name = elf_of(elf)?.interpreter.as_deref().filter(|name| !name.is_empty())?;
        let file = self.inventory.resolve(&self.started_at(name.as_bytes())).filter(is_data);
        Some(file.map_or(Need::Missing { name }, |file| Need::Found { name, file }))
    }

    /// What a file alone asks for, without its interpreter and without the libraries of its libraries.
    ///
    /// A library may get what a program around it has loaded already; [`Loader::load`] knows that.
    pub fn needs(&self, elf: File<'a>) -> Vec<Need<'a>> {
        let Some(mut search) = Search::new(self, elf) else { return Vec::new() };
        search.needs_of(0);
        let Load { objects, missing, .. } = search.load;
        let mut needs: Vec<_> = objects.iter().skip(1).map(|o| Need::Found { name: o.name, file: o.file }).collect();
        needs.extend(missing.iter().map(|m| Need::Missing { name: m.name }));
        needs
    }

    /// A program or library with everything that is loaded with it; `None` for what is no ELF file.
    pub fn load(&self, program: File<'a>) -> Option<Load<'a>> {
        let mut search = Search::new(self, program)?;
        let mut at = 0;
        while at < search.load.objects.len() {
            search.needs_of(at);
            at += 1;
        }
        Some(search.load)
    }

    fn started_at(&self, place: &[u8]) -> Vec<u8> {
        if place.starts_with(b"/") { place.to_vec() } else { join(self.cwd.as_bytes(), place) }
    }

    /// Which C library a file gets.
    fn libc_of(&self, elf: &Elf, interpreter: Option<&Need<'a>>) -> Libc {
        let is_musl = |name: &str| name.starts_with("libc.musl-") || name == "libc.so";
        match interpreter {
            // Alpine's gcompat and libc6-compat answer to glibc's name and are musl, or start it.
            Some(Need::Found { file, .. })
                if elf_of(*file).is_some_and(|loader| {
                    loader.soname.as_deref().is_some_and(is_musl) || loader.needed.iter().any(|name| is_musl(name))
                }) =>
            {
                Libc::Musl
            }
            Some(Need::Found { name, .. } | Need::Missing { name }) if name.contains("/ld-musl-") => Libc::Musl,
            Some(_) => Libc::Glibc,
            None if elf.needed.iter().any(|name| is_musl(name)) => Libc::Musl,
            None if elf.needed.iter().any(|name| name == "libc.so.6") => Libc::Glibc,
            None if self.cache.is_empty() && !self.cache_unread && self.has_musl() => Libc::Musl,
            None => Libc::Glibc,
        }
    }

    /// Whether musl's loader is at its usual place.
    pub fn has_musl(&self) -> bool {
        let archs = ["x86_64", "aarch64", "armhf", "armv7", "i386", "powerpc64le", "s390x", "riscv64"];
        archs.iter().any(|arch| self.inventory.resolve(format!("lib/ld-musl-{arch}.so.1").as_bytes()).is_some())
    }
}

/// One program on its way to a [`Load`].
struct Search<'s, 'a> {
    loader: &'s Loader<'a>,
    load: Load<'a>,
    tries: usize,
    /// Names that are satisfied: as they were asked for, and what libraries call themselves.
    known: HashSet<&'a str>,
    /// Files that are mapped; another name of one loads nothing.
    mapped: HashSet<FileId>,
    /// Names that were looked for in vain everywhere but in the run paths of files.
    in_vain: HashSet<&'a str>,
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(loader: &'s Loader<'a>, program: File<'a>) -> Option<Self> {
        let elf = elf_of(program)?;
        let interpreter = loader.interpreter(program);
        let libc = loader.libc_of(elf, interpreter.as_ref());
        let origin = path::parent(program.path()).to_vec();
        let mut known = HashSet::new();
        let mut mapped = HashSet::from([program.content()]);
        if let Some(Need::Found { file, .. }) = interpreter {
            known.extend(elf_of(file).and_then(|loader| loader.soname.as_deref()));
            mapped.insert(file.content());
        }
        let objects = vec![Object { file: program, name: "", by: None, origin, elf }];
        let load = Load { interpreter, objects, missing: Vec::new(), libc, complete: true };
        Some(Self { loader, load, tries: 0, known, mapped, in_vain: HashSet::new() })
    }

    /// Finds what one object asks for.
    fn needs_of(&mut self, by: usize) {
        let Some(elf) = self.load.objects.get(by).map(|object| object.elf) else { return };
        let dirs = self.dirs(by);
        self.load.complete &= dirs.len() < DIRS_MAX;
        for name in elf.needed.iter().map(String::as_str) {
            if self.known.contains(name) || self.is_loader_itself(name) {
                continue;
            }
            if self.load.objects.len() >= OBJECTS_MAX || self.tries >= TRIES_MAX {
                self.load.complete = false;
                return;
            }
            match self.find(name, by, &dirs) {
                Some((file, origin)) => self.map(name, by, file, origin),
                None if self.loader.cache_unread && self.load.libc == Libc::Glibc => self.load.complete = false,
                None if self.load.missing.iter().any(|m| m.name == name) => {}
                None => self.load.missing.push(Missing { name, by }),
            }
        }
    }

    fn is_loader_itself(&self, name: &str) -> bool {
        self.load.libc == Libc::Musl && MUSL_SELF.iter().any(|own| name.starts_with(own))
    }

    fn map(&mut self, name: &'a str, by: usize, file: File<'a>, origin: Vec<u8>) {
        self.known.insert(name);
        let Some(elf) = elf_of(file) else { return };
        // musl knows a library by the name it was asked for, glibc by the one it has itself, too.
        if self.load.libc == Libc::Glibc {
            self.known.extend(elf.soname.as_deref());
        }
        if self.mapped.insert(file.content()) {
            self.load.objects.push(Object { file, name, by: Some(by), origin, elf });
        }
    }

    /// Looks for a library in the order of the loader; `dirs` are those that the configuration and the files name.
    fn find(&mut self, name: &'a str, by: usize, dirs: &[Vec<u8>]) -> Option<Place<'a>> {
        if name.contains('/') {
            let origin = self.load.objects.get(by).map(|object| &object.origin[..])?;
            let places = expand(name, origin, self.load.libc);
            return places.iter().find_map(|place| self.at(place).ok().flatten());
        }
        let glibc = self.load.libc == Libc::Glibc;
        match self.in_dirs(dirs, name) {
            Ok(None) => {}
            Ok(found) => return found,
            Err(Unfit) => return None,
        }
        if self.in_vain.contains(name) {
            return None;
        }
        let default = self.default_dirs();
        let found = if glibc { self.in_cache(name) } else { None };
        let found = found.or_else(|| self.in_dirs(&default, name).ok().flatten());
        let found = found.or_else(|| if glibc { self.in_hwcaps(&[dirs, &default].concat(), name) } else { None });
        if found.is_none() {
            self.in_vain.insert(name);
        }
        found
    }

    /// The directories that are searched for one object before the loader's own, in its order.
    fn dirs(&self, by: usize) -> Vec<Vec<u8>> {
        let library_path = self.library_path();
        let dirs = match self.load.libc {
            Libc::Glibc => [self.inherited(by), library_path, self.own(by)],
            Libc::Musl => [library_path, self.inherited(by), Vec::new()],
        };
        dirs.into_iter().flatten().take(DIRS_MAX).collect()
    }

    /// Directories that hold for an object because of the objects that loaded it: `DT_RPATH`, and for musl
    /// `DT_RUNPATH`, too.
    fn inherited(&self, by: usize) -> Vec<Vec<u8>> {
        let libc = self.load.libc;
        let object = |at: usize| self.load.objects.get(at);
        if libc == Libc::Glibc && object(by).is_some_and(|o| !o.elf.rpath && !o.elf.runpath.is_empty()) {
            return Vec::new();
        }
        let chain = std::iter::successors(object(by), |o| object(o.by?)).take(CHAIN_MAX);
        let counts = |object: &&Object<'_>| libc == Libc::Musl || object.elf.rpath;
        chain.filter(counts).flat_map(|object| run_path(object, libc)).take(DIRS_MAX).collect()
    }

    /// glibc's `DT_RUNPATH`, which holds for the object alone.
    fn own(&self, by: usize) -> Vec<Vec<u8>> {
        let object = self.load.objects.get(by).filter(|o| !o.elf.rpath);
        object.map(|object| run_path(object, Libc::Glibc).take(DIRS_MAX).collect()).unwrap_or_default()
    }

    fn library_path(&self) -> Vec<Vec<u8>> {
        let origin = self.load.objects.first().map(|program| &program.origin[..]).unwrap_or_default();
        self.loader.library_path.iter().flat_map(|dir| expand(dir, origin, self.load.libc)).take(DIRS_MAX).collect()
    }

    fn default_dirs(&self) -> Vec<Vec<u8>> {
        let interpreter = match self.load.interpreter {
            Some(Need::Found { name, file }) => Some((name, file)),
            _ => None,
        };
        let usual = |dirs: &[&str]| dirs.iter().map(|dir| dir.as_bytes().to_vec()).collect::<Vec<_>>();
        match (self.load.libc, interpreter) {
            (Libc::Musl, None) => self.listed_dirs(None).unwrap_or_else(|| usual(&MUSL_DIRS)),
            (Libc::Musl, Some((name, file))) => {
                let arch = musl_arch(name.as_bytes()).or_else(|| musl_arch(file.path()));
                self.listed_dirs(arch).unwrap_or_else(|| usual(&MUSL_DIRS))
            }
            (Libc::Glibc, None) => usual(&GLIBC_DIRS),
            // A loader looks where it was built to be, be that in /lib or in a store of its own.
            (Libc::Glibc, Some((_, file))) => {
                let home = absolute(path::parent(file.path()));
                let twin = home.strip_prefix(b"/usr").map_or_else(|| [&b"/usr"[..], &home].concat(), <[u8]>::to_vec);
                [vec![home, twin], usual(&GLIBC_DIRS)].concat()
            }
        }
    }

    fn listed_dirs(&self, arch: Option<&[u8]>) -> Option<Vec<Vec<u8>>> {
        let listed = match arch {
            Some(arch) => self.loader.musl_dirs.get(arch)?,
            None => self.loader.musl_dirs.values().next()?,
        };
        Some(listed.iter().map(|dir| absolute(dir.as_bytes())).collect())
    }

    fn in_cache(&mut self, name: &str) -> Option<Place<'a>> {
        let files = self.loader.cache.get(name)?;
        files.iter().find_map(|file| self.at(&absolute(file.as_bytes())).ok().flatten())
    }

    /// Looks into directories; musl ends the search where it meets a file that is none for the program.
    fn in_dirs(&mut self, dirs: &[Vec<u8>], name: &str) -> Result<Option<Place<'a>>, Unfit> {
        for dir in dirs {
            match self.at(&join(dir, name.as_bytes())) {
                Ok(None) => {}
                Err(Unfit) if self.load.libc == Libc::Glibc => {}
                found => return found,
            }
        }
        Ok(None)
    }

    /// Looks into what glibc prefers on newer processors. Last, since files that are only there are rare.
    fn in_hwcaps(&mut self, dirs: &[Vec<u8>], name: &str) -> Option<Place<'a>> {
        let special = |dir: &Vec<u8>| GLIBC_HWCAPS.map(|sub| join(dir, sub.as_bytes()));
        self.in_dirs(&dirs.iter().flat_map(special).collect::<Vec<_>>(), name).ok().flatten()
    }

    /// The library at a path, as it may serve the program.
    fn at(&mut self, place: &[u8]) -> Result<Option<Place<'a>>, Unfit> {
        self.tries += 1;
        let place = self.loader.started_at(place);
        let Some(file) = self.loader.inventory.resolve(&place).filter(is_data) else { return Ok(None) };
        let program = self.load.objects.first().map(|program| program.elf);
        let fits = |library: &Elf| program.is_none_or(|p| (p.machine, p.wide) == (library.machine, library.wide));
        match elf_of(file) {
            Some(library) if fits(library) => Ok(Some((file, path::parent(&place).to_vec()))),
            _ => Err(Unfit),
        }
    }
}

/// A file with the directory that it was found through.
type Place<'a> = (File<'a>, Vec<u8>);

/// A file of the right name that is no library for this program: of another machine, or no library at all.
struct Unfit;

/// What the probes read in an ELF file.
fn elf_of(file: File<'_>) -> Option<&Elf> {
    file.facts().find_map(|fact| if let Fact::Elf(elf) = fact { Some(elf) } else { None })
}

fn is_data(file: &File<'_>) -> bool {
    matches!(file.kind(), Kind::File | Kind::Hardlink)
}

/// `x86_64` of `ld-musl-x86_64.so.1`.
fn musl_arch(path: &[u8]) -> Option<&[u8]> {
    let name = path::name(path);
    let rest = name.strip_prefix(b"ld-musl-").or_else(|| name.strip_prefix(b"libc.musl-"))?;
    rest.split(|&b| b == b'.').next()
}

/// The directories that a file names. musl drops the whole list where it does not know a `$` in it.
fn run_path<'o>(object: &'o Object<'_>, libc: Libc) -> impl Iterator<Item = Vec<u8>> + use<'o> {
    let dirs = || object.elf.runpath.iter().filter(|dir| !dir.is_empty());
    let dropped = libc == Libc::Musl && dirs().any(|dir| expand(dir, &object.origin, libc).is_empty());
    dirs().filter(move |_| !dropped).flat_map(move |dir| expand(dir, &object.origin, libc))
}

/// Replaces `$ORIGIN`, `$LIB` and `$PLATFORM`; several paths where the image does not tell what they mean. musl knows
/// `$ORIGIN` alone, and passes over a path with others.
fn expand(template: &str, origin: &[u8], libc: Libc) -> Vec<Vec<u8>> {
    let mut done: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = template;
    while let Some((plain, token)) = rest.split_once('$') {
        done.iter_mut().for_each(|path| path.extend_from_slice(plain.as_bytes()));
        let word = |name: &str| {
            let braced = token.strip_prefix('{').and_then(|t| t.strip_prefix(name)?.strip_prefix('}'));
            braced.or_else(|| token.strip_prefix(name))
        };
        if let Some(after) = word("ORIGIN") {
            done.iter_mut().for_each(|path| path.extend_from_slice(&absolute(origin)));
            rest = after;
        } else if libc == Libc::Musl {
            return Vec::new();
        } else if let Some(after) = word("LIB") {
            done = each(&done, &LIB_NAMES);
            rest = after;
        } else if let Some(after) = word("PLATFORM") {
            done = each(&done, &PLATFORMS);
            rest = after;
        } else {
            done.iter_mut().for_each(|path| path.push(b'$'));
            rest = token;
        }
        if done.len() > EXPANSIONS_MAX || done.iter().any(|path| path.len() > PATH_MAX) {
            return Vec::new();
        }
    }
    done.iter_mut().for_each(|path| path.extend_from_slice(rest.as_bytes()));
    done
}

fn each(paths: &[Vec<u8>], words: &[&str]) -> Vec<Vec<u8>> {
    paths.iter().flat_map(|path| words.iter().map(|word| [path, word.as_bytes()].concat())).collect()
}

fn absolute(path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() }
}

fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    [dir, b"/", name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, EntryId, Format, LayerFacts, Observation};

    const X86_64: u16 = 62;

    fn add(layer: &mut LayerFacts, path: &str, kind: Kind, link: &str, fact: Option<Fact>) {
        let (path, link, format) = (path.as_bytes(), link.as_bytes(), Format::Elf);
        let entry = Entry { id: EntryId(0), path, link, kind, format, mode: 0o755, uid: 0, gid: 0, size: 1 };
        let entry = layer.entries.push(&entry).expect("room");
        layer.observations.extend(fact.map(|fact| Observation { entry, fact }));
    }

    /// Lines of `path needs interpreter=… rpath=… runpath=… soname=… machine=…` or `path -> target`.
    fn image(lines: &[&str], cache: Option<&[(&str, &str)]>) -> Inventory {
        let mut layer = LayerFacts::default();
        for line in lines {
            if let Some((path, target)) = line.split_once(" -> ") {
                add(&mut layer, path, Kind::Symlink, target, None);
                continue;
            }
            let mut words = line.split(' ');
            let path = words.next().unwrap_or_default();
            let mut elf = Elf { machine: X86_64, wide: true, ..Elf::default() };
            for word in words {
                match word.split_once('=') {
                    Some(("interpreter", value)) => elf.interpreter = Some(value.to_string()),
                    Some(("soname", value)) => elf.soname = Some(value.to_string()),
                    Some(("machine", value)) => elf.machine = value.parse().expect("a number"),
                    Some((key @ ("rpath" | "runpath"), value)) => {
                        elf.runpath = value.split(':').map(str::to_string).collect();
                        elf.rpath = key == "rpath";
                    }
                    _ => elf.needed.push(word.to_string()),
                }
            }
            add(&mut layer, path, Kind::File, "", Some(Fact::Elf(elf)));
        }
        if let Some(cache) = cache {
            let cache = cache.iter().map(|(name, file)| (name.to_string(), ImagePath::from(*file))).collect();
            add(&mut layer, "etc/ld.so.cache", Kind::File, "", Some(Fact::LoaderCache(cache)));
        }
        Inventory::build(vec![layer])
    }

    /// `name=path` of what is loaded with a program, then `name!` of what is missing.
    fn loaded(loader: &Loader<'_>, program: &str) -> String {
        let load = loader.load(loader.inventory.get(program.as_bytes()).expect("a file")).expect("an ELF file");
        assert!(load.complete);
        let found =
            load.objects.iter().skip(1).map(|o| format!("{}={}", o.name, String::from_utf8_lossy(o.file.path())));
        found.chain(load.missing.iter().map(|m| format!("{}!", m.name))).collect::<Vec<_>>().join(" ")
    }

    const GLIBC: &str = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 soname=ld-linux-x86-64.so.2";
    const GLIBC_LINK: &str = "lib64/ld-linux-x86-64.so.2 -> ../usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    const ASKS_GLIBC: &str = "interpreter=/lib64/ld-linux-x86-64.so.2";
    const MUSL: &str = "lib/ld-musl-x86_64.so.1 soname=libc.musl-x86_64.so.1";
    const ASKS_MUSL: &str = "interpreter=/lib/ld-musl-x86_64.so.1";

    #[test]
    fn glibc_takes_the_cache_and_its_own_directories_and_no_other() {
        let app = format!("app {ASKS_GLIBC} liba.so libb.so libc.so libd.so ld-linux-x86-64.so.2");
        let lines = [
            GLIBC,
            GLIBC_LINK,
            &app,
            "opt/liba.so",
            "usr/lib/x86_64-linux-gnu/libb.so -> libb.so.1",
            "usr/lib/x86_64-linux-gnu/libb.so.1",
            "usr/local/lib/libc.so",
            "opt/libd.so machine=183",
            "usr/lib/libd.so",
        ];
        let image = image(&lines, Some(&[("liba.so", "/opt/liba.so"), ("libd.so", "/opt/libd.so")]));
        let want = "liba.so=opt/liba.so libb.so=usr/lib/x86_64-linux-gnu/libb.so.1 libd.so=usr/lib/libd.so libc.so!";
        assert_eq!(loaded(&Loader::new(&image), "app"), want);
    }

    #[test]
    fn an_old_run_path_holds_for_libraries_of_libraries_and_a_new_one_does_not() {
        for (key, want) in [
            ("rpath", "liba.so=opt/lib/liba.so libb.so=opt/lib/libb.so"),
            ("runpath", "liba.so=opt/lib/liba.so libb.so!"),
        ] {
            let app = format!("opt/bin/app {ASKS_GLIBC} {key}=$ORIGIN/../lib liba.so");
            let image = image(&[GLIBC, GLIBC_LINK, &app, "opt/lib/liba.so libb.so", "opt/lib/libb.so"], None);
            assert_eq!(loaded(&Loader::new(&image), "opt/bin/app"), want, "{key}");
            let app = format!("opt/bin/app {ASKS_MUSL} {key}=$ORIGIN/../lib liba.so");
            let lines = [MUSL, &app, "opt/lib/liba.so libb.so libc.so.6", "opt/lib/libb.so"];
            let image = self::image(&lines, None);
            let want = "liba.so=opt/lib/liba.so libb.so=opt/lib/libb.so";
            assert_eq!(loaded(&Loader::new(&image), "opt/bin/app"), want, "musl inherits both");
        }
    }

    #[test]
    fn a_library_that_is_loaded_already_needs_no_path() {
        let app = format!("opt/app {ASKS_GLIBC} runpath=${{ORIGIN}}/lib libjvm.so libjava.so");
        let lines = [GLIBC, GLIBC_LINK, &app, "opt/lib/libjvm.so soname=libjvm.so.1", "opt/lib/libjava.so libjvm.so.1"];
        let image = image(&lines, None);
        let want = "libjvm.so=opt/lib/libjvm.so libjava.so=opt/lib/libjava.so";
        assert_eq!(loaded(&Loader::new(&image), "opt/app"), want);
        let alone = Loader::new(&image).needs(image.get(b"opt/lib/libjava.so").expect("a file"));
        assert!(matches!(alone[..], [Need::Missing { name: "libjvm.so.1" }]));
    }

    #[test]
    fn musl_drops_a_list_with_a_word_it_does_not_know_and_stops_at_a_file_of_another_machine() {
        let app = format!("bin/app {ASKS_MUSL} runpath=/opt/a:$LIB liba.so libb.so");
        let lines = [MUSL, &app, "opt/a/liba.so", "lib/libb.so machine=183", "usr/lib/libb.so"];
        assert_eq!(loaded(&Loader::new(&image(&lines, None)), "bin/app"), "liba.so! libb.so!");
    }

    #[test]
    fn the_environment_is_searched_and_relative_names_begin_in_the_working_directory() {
        let app = format!("srv/app {ASKS_GLIBC} liba.so ./lib/libb.so");
        let image = image(&[GLIBC, GLIBC_LINK, &app, "opt/liba.so", "srv/lib/libb.so"], None);
        let env = ["LD_LIBRARY_PATH=/nowhere".to_string(), "LD_LIBRARY_PATH=/tmp:/opt".to_string()].to_vec();
        let config = ImageConfig { env, working_dir: "/srv".to_string(), ..ImageConfig::default() };
        let loader = Loader::new(&image).with_config(&config);
        assert_eq!(loaded(&loader, "srv/app"), "liba.so=opt/liba.so ./lib/libb.so=srv/lib/libb.so");
        assert_eq!(loaded(&Loader::new(&image), "srv/app"), "liba.so! ./lib/libb.so!");
    }

    #[test]
    fn a_missing_loader_is_said_with_its_name() {
        let app = format!("app {ASKS_GLIBC} libc.so.6");
        let image = image(&[MUSL, &app], None);
        let load = Loader::new(&image).load(image.get(b"app").expect("a file")).expect("an ELF file");
        assert!(matches!(load.interpreter, Some(Need::Missing { name: "/lib64/ld-linux-x86-64.so.2" })));
        assert_eq!(load.libc, Libc::Glibc);
    }

    #[test]
    fn libraries_that_need_each_other_and_endless_run_paths_come_to_an_end() {
        let long = vec!["$ORIGIN/$LIB/$PLATFORM"; 2000].join(":");
        let app = format!("app {ASKS_GLIBC} rpath={long} liba.so libx.so liby.so");
        let image = image(&[GLIBC, GLIBC_LINK, &app, "lib/liba.so libb.so", "lib/libb.so liba.so"], None);
        let load = Loader::new(&image).load(image.get(b"app").expect("a file")).expect("an ELF file");
        assert!(!load.complete);
        assert_eq!(load.objects.len(), 3);
        assert_eq!(load.missing.len(), 2);
    }
}
