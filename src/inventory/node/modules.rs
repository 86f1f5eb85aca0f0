//! Projects with a `node_modules`: who installed it, what it holds, and what production reaches of it.
//!
//! Names are resolved as Node.js does it, from a package's directory upwards; in pnpm's store by the links beside a
//! package, which are exactly what it was given.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet, VecDeque},
};

use super::{
    LINKS_MAX, NodeManager, NodePackage, NodeProject, NodeProof, Standing, View, join, leads_to,
    survey::{self, Survey, Team},
};
use crate::{
    inventory::{File, FileId, Inventory},
    model::{Confidence, ImagePath, Importer, Kind, NodeRecord, path},
};

/// Looks at a project in one state; `None` when it has no installed package there.
pub(super) fn project(
    survey: &Survey<'_>,
    team: &Team<'_>,
    view: View<'_>,
    lookups: &Cell<u64>,
) -> Option<NodeProject> {
    let manifests: Vec<File<'_>> =
        team.manifests.iter().map(|&id| view.inventory.file(id)).filter(|file| view.sees(file)).collect();
    if manifests.is_empty() {
        return None;
    }
    let installation = Installation::of(team, view);
    let mut packages: Vec<NodePackage> = manifests.iter().map(package).collect();
    let mut tree = Tree::new(survey, view, installation.manager, &manifests, lookups);
    let known = installation.importers.iter().any(|importer| !importer.asks.is_empty());
    if known && installation.holds_dev != Some(false) {
        tree.walk(&installation.importers, &mut packages);
        if lookups.get() == 0 {
            packages.iter_mut().for_each(|package| package.standing = Standing::Unknown);
        }
    } else if known {
        // The installation was asked to leave dev dependencies out: what is there is there for production.
        tree.walk(&installation.importers, &mut packages);
        for package in packages.iter_mut().filter(|package| package.standing == Standing::Development) {
            package.standing = Standing::Unreached;
        }
    }
    installation.apply_marks(team, &mut packages, known);
    Some(NodeProject {
        root: ImagePath::new(team.root),
        place: ImagePath::new(&join(team.root, b"node_modules")),
        manager: installation.manager,
        state: view.state(),
        hidden_by: view.before,
        proof: installation.proof,
        packages,
    })
}

fn package(manifest: &File<'_>) -> NodePackage {
    let dir = path::parent(manifest.path());
    let said = survey::package(manifest);
    let scope = path::name(path::parent(dir));
    let name = if scope.starts_with(b"@") { join(scope, path::name(dir)) } else { path::name(dir).to_vec() };
    NodePackage {
        home: manifest.id(),
        dir: ImagePath::new(dir),
        name: match said {
            Some(said) if !said.name.is_empty() => said.name.clone(),
            _ => path::escape(&name),
        },
        version: said.map(|said| said.version.clone()).unwrap_or_default(),
        standing: Standing::Unknown,
        via: None,
    }
}

/// What the project's own files say about the installation.
struct Installation<'a> {
    manager: NodeManager,
    importers: Vec<Asking<'a>>,
    /// What the installation itself says about dev dependencies.
    holds_dev: Option<bool>,
    /// The directories that npm's lock file marks.
    marks: Option<&'a [String]>,
    proof: NodeProof,
}

/// What the project or one workspace asks for.
struct Asking<'a> {
    dir: Vec<u8>,
    asks: Asks<'a>,
}

/// Names for production and for development.
#[derive(Default)]
struct Asks<'a> {
    production: Vec<&'a str>,
    development: Vec<&'a str>,
}

impl Asks<'_> {
    fn is_empty(&self) -> bool {
        self.production.is_empty() && self.development.is_empty()
    }
}

impl<'a> Installation<'a> {
    fn of(team: &Team<'a>, view: View<'a>) -> Self {
        let at = |rest: &[u8]| view.get(&join(team.root, rest));
        let lock = |rest: &[u8]| at(rest).and_then(|file| Some((file, survey::record(&file)?)));
        let store = lock(b"node_modules/.pnpm/lock.yaml").or_else(|| lock(b"pnpm-lock.yaml"));
        let pnpm = lock(b"node_modules/.modules.yaml");
        let yarn = lock(b"node_modules/.yarn-integrity");
        let berry = at(b"node_modules/.yarn-state.yml");
        let hidden = lock(b"node_modules/.package-lock.json");
        let npm = lock(b"npm-shrinkwrap.json").or_else(|| lock(b"package-lock.json"));
        let bun = lock(b"bun.lock");
        let bare = |rest: &[u8]| at(rest).map(|file| (file, None));
        let with = |(file, record): (File<'a>, &'a NodeRecord)| (file, Some(record));

        let (manager, confidence, record) = if pnpm.is_some() || at(b"node_modules/.pnpm").is_some() {
            (NodeManager::Pnpm, Confidence::Certain, store.or(pnpm).map(with))
        } else if let Some(state) = berry {
            (NodeManager::Yarn, Confidence::High, Some((state, None)))
        } else if let Some(integrity) = yarn {
            (NodeManager::Yarn, Confidence::High, Some(with(integrity)))
        } else if let Some(hidden) = hidden {
            (NodeManager::Npm, Confidence::Certain, Some(with(hidden)))
        } else if let Some(bun) = bun {
            (NodeManager::Bun, Confidence::High, Some(with(bun)))
        } else if let Some(bun) = bare(b"bun.lockb") {
            (NodeManager::Bun, Confidence::High, Some(bun))
        } else if let Some(npm) = npm {
            (NodeManager::Npm, Confidence::High, Some(with(npm)))
        } else if let Some(lock) = bare(b"yarn.lock") {
            (NodeManager::Yarn, Confidence::Medium, Some(lock))
        } else {
            (NodeManager::Npm, Confidence::Medium, at(b"package.json").map(|file| (file, None)))
        };
        let holds_dev = match pnpm.or(yarn) {
            Some((_, NodeRecord::Installed { dev })) if manager != NodeManager::Npm => Some(*dev),
            _ => None,
        };
        let marks = match record {
            Some((_, Some(NodeRecord::Npm { dev, .. }))) => Some(&dev[..]),
            _ => None,
        };
        // The hidden lock file does not repeat what the project asks for.
        let listed = [store, bun, npm, hidden].into_iter().flatten().map(|(file, _)| survey::importers(&file));
        let importers = importers(team, view, listed.flatten());
        let proof = NodeProof {
            confidence,
            text: record.map_or_else(String::new, |(file, _)| told_by(&file)),
            file: record.map(|(file, _)| ImagePath::new(file.path())),
        };
        Self { manager, importers, holds_dev, marks, proof }
    }

    /// Applies npm's own marks, which are what it would prune by, to the directories that are really there.
    fn apply_marks(&self, team: &Team<'_>, packages: &mut [NodePackage], known: bool) {
        let Some(marks) = self.marks else { return };
        let marked: HashSet<Vec<u8>> =
            marks.iter().map(|mark| path::clean(&join(team.root, mark.as_bytes()))).collect();
        for package in packages {
            package.standing = match package.standing {
                _ if marked.contains(package.dir.as_bytes()) => Standing::Development,
                // Reached by dev dependencies alone, and yet npm would keep it: something optional may want it.
                Standing::Development => Standing::Unreached,
                Standing::Unknown if !known => Standing::Production,
                standing => standing,
            };
        }
    }
}

/// What a file tells, for the evidence.
fn told_by(record: &File<'_>) -> String {
    let path = record.path();
    let what = match path::name(path) {
        b".package-lock.json" => "the installed tree's lock file marks them dev",
        b"package-lock.json" | b"npm-shrinkwrap.json" => "the lock file marks them dev, and they are installed",
        b"lock.yaml" | b"pnpm-lock.yaml" | b".modules.yaml" => "no link leads to them from a production dependency",
        _ => "only devDependencies lead to them",
    };
    what.to_string()
}

/// What the project and each of its workspaces ask for: by `package.json` where it is there, else by the lock file.
fn importers<'a>(team: &Team<'a>, view: View<'a>, listed: impl Iterator<Item = &'a Importer>) -> Vec<Asking<'a>> {
    let mut all: HashMap<Vec<u8>, Asks<'a>> = HashMap::new();
    for &dir in &team.members {
        if let Some(said) = view.get(&join(dir, b"package.json")).as_ref().and_then(survey::package) {
            let production = [&said.dependencies, &said.optional, &said.peer].into_iter().flatten();
            let asks = Asks {
                production: production.map(String::as_str).collect(),
                development: said.dev.iter().map(String::as_str).collect(),
            };
            all.insert(dir.to_vec(), asks);
        }
    }
    for importer in listed {
        let dir = path::clean(&join(team.root, importer.dir.as_bytes()));
        all.entry(dir).or_insert_with(|| Asks {
            production: importer.production.iter().map(String::as_str).collect(),
            development: importer.development.iter().map(String::as_str).collect(),
        });
    }
    let mut all: Vec<Asking<'a>> = all.into_iter().map(|(dir, asks)| Asking { dir, asks }).collect();
    all.sort_by(|a, b| a.dir.cmp(&b.dir));
    all
}

/// The installed packages and how names are found among them.
struct Tree<'s, 'a> {
    survey: &'s Survey<'a>,
    view: View<'s>,
    manager: NodeManager,
    manifests: &'s [File<'s>],
    by_dir: HashMap<&'s [u8], usize>,
    lookups: &'s Cell<u64>,
}

impl<'s, 'a> Tree<'s, 'a> {
    fn new(
        survey: &'s Survey<'a>,
        view: View<'s>,
        manager: NodeManager,
        manifests: &'s [File<'s>],
        lookups: &'s Cell<u64>,
    ) -> Self {
        let by_dir = manifests.iter().enumerate().map(|(at, file)| (path::parent(file.path()), at)).collect();
        Self { survey, view, manager, manifests, by_dir, lookups }
    }

    /// Sets what each package is there for: first all that production reaches, then what is left for development.
    fn walk(&mut self, importers: &[Asking<'_>], packages: &mut [NodePackage]) {
        packages.iter_mut().for_each(|package| package.standing = Standing::Unreached);
        for standing in [Standing::Production, Standing::Development] {
            let mut queue = VecDeque::new();
            for Asking { dir, asks } in importers {
                let names = if standing == Standing::Production { &asks.production } else { &asks.development };
                let found = names.iter().filter_map(|name| self.find(dir, name)).map(|at| (at, None));
                queue.extend(found);
            }
            while let Some((at, via)) = queue.pop_front() {
                let Some(package) = packages.get_mut(at).filter(|package| package.standing == Standing::Unreached)
                else {
                    continue;
                };
                package.standing = standing;
                package.via = via;
                queue.extend(self.needs(at).into_iter().map(|next| (next, Some(at))));
            }
        }
    }

    /// The packages that one package can load.
    fn needs(&self, at: usize) -> Vec<usize> {
        let Some(manifest) = self.manifests.get(at) else { return Vec::new() };
        let dir = path::parent(manifest.path());
        let mut needs = Vec::new();
        if let Some(links) = survey::store_dir_of(dir).and_then(|store| self.survey.store_links.get(store)) {
            let links = links.iter().map(|&id| self.view.inventory.file(id)).filter(|link| self.view.sees(link));
            needs.extend(links.filter_map(|link| self.follow(&leads_to(&link))));
        }
        if let Some(said) = survey::package(manifest) {
            let names = [&said.dependencies, &said.optional, &said.peer].into_iter().flatten();
            // npm, pnpm and bun keep what an optional peer finds installed; yarn does not.
            let more = (self.manager != NodeManager::Yarn).then_some(&said.optional_peer).into_iter().flatten();
            needs.extend(names.chain(more).filter_map(|name| self.find(dir, name)));
        }
        needs
    }

    /// The package that a name means in a directory: in its `node_modules`, or in that of the nearest one above.
    fn find(&self, from: &[u8], name: &str) -> Option<usize> {
        if name.is_empty() || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return None;
        }
        let above = std::iter::once(from).chain(path::ancestors(from)).chain(std::iter::once(&b""[..]));
        let mut candidate = Vec::new();
        for dir in above.filter(|dir| path::name(dir) != b"node_modules") {
            self.lookups.set(self.lookups.get().checked_sub(1)?);
            candidate.clear();
            candidate.extend_from_slice(dir);
            if !dir.is_empty() {
                candidate.push(b'/');
            }
            candidate.extend_from_slice(b"node_modules/");
            candidate.extend_from_slice(name.as_bytes());
            if let Some(found) = self.follow(&candidate) {
                return Some(found);
            }
        }
        None
    }

    /// The package at a path, links followed by their text.
    fn follow(&self, place: &[u8]) -> Option<usize> {
        if let Some(&at) = self.by_dir.get(place) {
            return Some(at);
        }
        let mut link = self.view.get(place)?;
        for _ in 0..LINKS_MAX {
            if link.kind() != Kind::Symlink {
                return None;
            }
            let target = leads_to(&link);
            if let Some(&at) = self.by_dir.get(target.as_slice()) {
                return Some(at);
            }
            link = self.view.get(&target)?;
        }
        None
    }
}

/// The files of some packages of a project, with the links that lead to them and their commands in `.bin`.
pub(super) fn files(project: &NodeProject, inventory: &Inventory, packages: &[&NodePackage]) -> Vec<FileId> {
    let dirs: HashSet<&[u8]> = packages.iter().map(|package| package.dir.as_bytes()).collect();
    let kept = project.packages.iter().filter(|package| !dirs.contains(package.dir.as_bytes()));
    let kept: HashSet<&str> = kept.flat_map(|package| commands(inventory, package)).collect();
    let commands: HashSet<&str> = packages.iter().flat_map(|package| commands(inventory, package)).collect();
    let belongs = |file: &File<'_>| {
        let inside = |path: &[u8]| {
            let above = std::iter::once(path).chain(path::ancestors(path));
            above.take_while(|dir| path::name(dir) != b"node_modules").any(|dir| dirs.contains(dir))
        };
        let name = path::name(file.path());
        match file.kind() {
            Kind::Dir => false,
            _ if dirs.contains(file.path()) => true,
            Kind::Symlink if is_reference(file.path()) => inside(&leads_to(file)),
            // pnpm and bun write small programs instead of links.
            _ if path::name(path::parent(file.path())) == b".bin" => {
                str::from_utf8(name).is_ok_and(|name| commands.contains(name) && !kept.contains(name))
            }
            _ => inside(path::parent(file.path())),
        }
    };
    let root = project.root.as_bytes();
    let mut files: Vec<FileId> = match project.hidden_by {
        None => inventory.under(root).filter(belongs).map(|file| file.id()).collect(),
        Some(by) => {
            let gone = inventory.buried_under(root).filter(|file| file.hidden_by() == Some(by));
            gone.filter(belongs).map(|file| file.id()).collect()
        }
    };
    // Archives may be in a cache for all projects.
    let elsewhere = packages.iter().filter(|package| !path::is_below(package.dir.as_bytes(), root));
    files.extend(elsewhere.map(|package| package.home));
    files
}

fn commands<'a>(inventory: &'a Inventory, package: &NodePackage) -> impl Iterator<Item = &'a str> + use<'a> {
    let said = survey::package(&inventory.file(package.home));
    said.into_iter().flat_map(|said| &said.bin).map(|(command, _)| command.as_str())
}

/// Whether a link stands for a package or for a command of one.
fn is_reference(link: &[u8]) -> bool {
    let dir = path::parent(link);
    let modules = if path::name(dir).starts_with(b"@") { path::parent(dir) } else { dir };
    path::name(dir) == b".bin" || path::name(modules) == b"node_modules"
}
