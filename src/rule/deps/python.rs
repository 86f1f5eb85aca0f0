//! Tells which installed Python distributions only development needs.
//!
//! A distribution is one when a group for development leads to it, and neither production nor anything else that is
//! installed does. Groups are told by the lock, by `pyproject.toml` or by lists of requirements; where none of them is
//! in the image, nothing is for development. What a distribution's package owns is never judged.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use crate::{
    inventory::{File, Inventory, Package},
    model::{
        Confidence, Evidence, EvidenceClass, Fact, ImageInfo, ImagePath, Lang, LockedDist, Manager, PackageRef,
        PythonProject, PythonTool, Requirement, State,
        path::{self, name, parent},
    },
};

use super::{
    DevPackages,
    graph::Graph,
    marker::{Environment, holds},
    project::{Homes, is_development},
};

/// Finds the dev dependencies of every Python environment of the image.
pub(super) fn find(inventory: &Inventory, image: &ImageInfo, records: &[(File<'_>, &Lang)]) -> Vec<DevPackages> {
    let projects = projects(records);
    if projects.is_empty() {
        return Vec::new();
    }
    let machine = image.platform.as_ref().and_then(|platform| machine(&platform.architecture));
    let trees = trees(inventory, machine);
    let homes = Homes::of(projects.iter().map(|project| project.dir), trees.keys().map(|(root, _)| *root));
    let mut locks = Locks { projects: &projects, said: HashMap::new() };
    let judge = |(at, (place, tree))| judge(place, tree, &homes.of_tree(at, place.0), &mut locks);
    trees.iter().enumerate().filter_map(judge).collect()
}

/// What the files of one directory say about a project.
#[derive(Default)]
struct Project<'a> {
    dir: &'a [u8],
    /// The lock that counts, and the others of the same directory.
    locks: BTreeMap<PythonTool, (File<'a>, &'a PythonProject)>,
    pyproject: Option<(File<'a>, &'a PythonProject)>,
    lists: Vec<(File<'a>, &'a PythonProject)>,
}

/// The projects by directory. Of a file that layers replace, the live or youngest one counts.
fn projects<'a>(records: &[(File<'a>, &'a Lang)]) -> Vec<Project<'a>> {
    let mut by_dir: BTreeMap<&[u8], Project<'a>> = BTreeMap::new();
    let mut files: Vec<_> = records
        .iter()
        .filter_map(|(file, lang)| if let Lang::PythonProject(project) = lang { Some((*file, project)) } else { None })
        .collect();
    files.sort_by_key(|(file, _)| (file.path(), file.state() == State::Live, file.layer()));
    for (file, said) in files {
        // `requirements/dev.txt` belongs to the directory above, as `requirements-dev.txt` does.
        let dir = match parent(file.path()) {
            dir if said.tool == PythonTool::Requirements && name(dir) == b"requirements" => parent(dir),
            dir => dir,
        };
        let project = by_dir.entry(dir).or_default();
        project.dir = dir;
        match said.tool {
            PythonTool::Pyproject => project.pyproject = Some((file, said)),
            PythonTool::Requirements => {
                project.lists.retain(|(other, _)| other.path() != file.path());
                project.lists.push((file, said));
            }
            tool => drop(project.locks.insert(tool, (file, said))),
        }
    }
    by_dir.into_values().collect()
}

/// One installed distribution.
struct Dist<'a> {
    package: &'a Package,
    requires: &'a [Requirement],
    /// Whether a package of the distribution owns it.
    foreign: bool,
}

/// A directory that distributions are installed into, live or buried.
struct Tree<'a> {
    dists: Vec<Dist<'a>>,
    /// Names that the live tree has, for a buried one.
    kept: HashSet<&'a str>,
    environment: Environment<'a>,
}

type Place<'a> = (&'a [u8], State);

fn trees<'a>(inventory: &'a Inventory, machine: Option<&'static str>) -> BTreeMap<Place<'a>, Tree<'a>> {
    let mut trees: BTreeMap<Place<'a>, Tree<'a>> = BTreeMap::new();
    let mut live: HashMap<&[u8], HashSet<&str>> = HashMap::new();
    for package in inventory.packages().iter().filter(|package| package.manager == Manager::Pypi) {
        let home = inventory.file(package.home);
        let root = parent(parent(home.path()));
        let requires = home.facts().find_map(|fact| match fact {
            Fact::Python(dist) if !dist.name.is_empty() => Some(&dist.requires[..]),
            _ => None,
        });
        let foreign = home.owner().is_some_and(|owner| owner.manager != Manager::Pypi);
        if package.state == State::Live {
            live.entry(root).or_default().insert(&package.name);
        }
        let environment = Environment { python: version_of(root), machine, extra: "" };
        let tree = trees.entry((root, package.state)).or_insert_with(|| Tree {
            dists: Vec::new(),
            kept: HashSet::new(),
            environment,
        });
        tree.dists.push(Dist { package, requires: requires.unwrap_or_default(), foreign });
    }
    for ((root, state), tree) in &mut trees {
        if *state == State::Buried {
            tree.kept = live.remove(root).unwrap_or_default();
        }
    }
    trees
}

/// The Python that `lib/python3.11/site-packages` is for.
fn version_of(root: &[u8]) -> Option<(u32, u32)> {
    let part = root.split(|&b| b == b'/').rev().find_map(|part| part.strip_prefix(b"python"))?;
    let (major, minor) = std::str::from_utf8(part).ok()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// What `uname -m` says on an architecture, by the OCI's word for it.
fn machine(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "arm" => "armv7l",
        "386" => "i686",
        "ppc64le" => "ppc64le",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        _ => return None,
    })
}

/// Major and minor version of a Python, where known.
type Python = Option<(u32, u32)>;

/// What locks say, which is the same for all environments of one version of Python.
struct Locks<'p, 'a> {
    projects: &'p [Project<'a>],
    said: HashMap<(usize, Python), Option<Rc<Said<'a>>>>,
}

impl<'a> Locks<'_, 'a> {
    /// What a project says about a tree.
    fn said_by(
        &mut self,
        at: usize,
        tree: &Tree<'a>,
        installed: &HashSet<&str>,
        graph: &Graph<'a>,
    ) -> Option<Rc<Said<'a>>> {
        let project = self.projects.get(at)?;
        let locked = self.said.entry((at, tree.environment.python)).or_insert_with(|| {
            let said = |lock| said_by_lock(lock, project, tree.environment);
            project.locks.values().find_map(|lock| said(*lock)).map(Rc::new)
        });
        match locked {
            Some(said) => {
                // The lock of some other program, whose packages happen to be here, says nothing.
                let here = installed.iter().filter(|name| said.main.contains(**name)).count();
                (here * 2 >= said.main.len()).then(|| said.clone())
            }
            None => said_by_names(project, tree, installed, graph).map(Rc::new),
        }
    }
}

/// What a project says about the packages of one tree.
#[derive(Default)]
struct Said<'a> {
    main: HashSet<&'a str>,
    /// For development, with the versions that the lock allows; none: any.
    dev: HashMap<&'a str, Vec<&'a str>>,
    groups: BTreeSet<String>,
    file: Option<File<'a>>,
    confidence: Option<Confidence>,
}

fn judge<'a>(place: &Place<'a>, tree: &Tree<'a>, projects: &[usize], locks: &mut Locks<'_, 'a>) -> Option<DevPackages> {
    let mut installed: HashSet<&str> = tree.dists.iter().map(|dist| dist.package.name.as_str()).collect();
    installed.extend(&tree.kept);
    let mut graph = Graph::default();
    tree.dists.iter().for_each(|dist| graph.add(&dist.package.name, dist.requires));
    let said: Vec<Rc<Said<'a>>> =
        projects.iter().filter_map(|&at| locks.said_by(at, tree, &installed, &graph)).collect();
    let is_dev = |dist: &Dist<'_>| {
        let allows = |said: &Said<'_>| {
            let versions = said.dev.get(dist.package.name.as_str());
            versions.is_some_and(|all| all.is_empty() || all.iter().any(|v| same_version(v, &dist.package.version)))
        };
        !dist.foreign
            && said.iter().any(|said| allows(said))
            && !said.iter().any(|said| said.main.contains(dist.package.name.as_str()))
    };
    // What nobody speaks of was installed for a reason of its own, and so was what it needs.
    let others = tree.dists.iter().filter(|dist| !is_dev(dist)).map(|dist| dist.package.name.as_str());
    let needed = graph.closure_of(others, tree.environment);
    let dev: Vec<&Dist<'_>> = tree
        .dists
        .iter()
        .filter(|dist| is_dev(dist) && !needed.contains(dist.package.name.as_str()))
        .filter(|dist| !tree.kept.contains(dist.package.name.as_str()))
        .filter(|dist| !dist.package.files.is_empty())
        .collect();
    if dev.is_empty() {
        return None;
    }
    let names: HashSet<&str> = dev.iter().map(|dist| dist.package.name.as_str()).collect();
    let telling: Vec<_> = said.iter().filter(|said| names.iter().any(|name| said.dev.contains_key(name))).collect();
    let (root, state) = *place;
    Some(DevPackages {
        root: ImagePath::new(root),
        place: ImagePath::new(root),
        state,
        confidence: telling.iter().filter_map(|said| said.confidence).min().unwrap_or(Confidence::Medium),
        evidence: telling.iter().filter_map(|said| evidence(said, &names)).collect(),
        count: dev.len(),
        of: tree.dists.len(),
        packages: dev
            .iter()
            .map(|dist| PackageRef {
                manager: Manager::Pypi,
                name: dist.package.name.clone(),
                version: dist.package.version.clone(),
            })
            .collect(),
        files: dev.iter().flat_map(|dist| dist.package.files.iter().copied()).collect(),
    })
}

/// What a lock says: each package has its groups, or the groups lead to packages.
fn said_by_lock<'a>(
    (file, lock): (File<'a>, &'a PythonProject),
    project: &Project<'a>,
    environment: Environment<'_>,
) -> Option<Said<'a>> {
    let mut said = Said { file: Some(file), confidence: Some(Confidence::Certain), ..Said::default() };
    let mut dev: HashSet<&'a str> = HashSet::new();
    if lock.packages.iter().any(|package| !package.groups.is_empty()) {
        for package in &lock.packages {
            for (group, _) in package.groups.iter().filter(|(_, marker)| holds(marker, environment)) {
                if is_development(group) {
                    dev.insert(&package.name);
                    said.groups.insert(group.clone());
                } else {
                    said.main.insert(&package.name);
                }
            }
        }
    } else {
        let roots =
            if lock.roots.is_empty() { project.pyproject.map_or(&[][..], |(_, p)| &p.roots) } else { &lock.roots };
        let mut graph = Graph::default();
        lock.packages.iter().for_each(|package| graph.add(&package.name, &package.requires));
        said.main = graph.closure(roots.iter().filter(|root| !is_dev_root(root)).map(|(_, root)| root), environment);
        dev = graph.closure(roots.iter().filter(|root| is_dev_root(root)).map(|(_, root)| root), environment);
        said.note_groups(roots);
    }
    for package in lock.packages.iter().filter(|package| dev.contains(package.name.as_str())) {
        said.add_dev(package);
    }
    (!said.dev.is_empty()).then_some(said)
}

/// What lists of requirements and the groups of a project file say; the packages themselves tell what they need.
fn said_by_names<'a>(
    project: &Project<'a>,
    tree: &Tree<'a>,
    installed: &HashSet<&str>,
    graph: &Graph<'a>,
) -> Option<Said<'a>> {
    let lists = Lists::of(project);
    let file_roots = project.pyproject.map_or(&[][..], |(_, project)| &project.roots[..]);
    let in_file = |dev: bool| file_roots.iter().filter(move |root| is_dev_root(root) == dev).map(|(_, root)| root);
    let main = || in_file(false).chain(lists.main.iter().flat_map(|(_, list)| &list.roots).map(|(_, root)| root));
    let dev = || in_file(true).chain(lists.dev.iter().flat_map(|(_, list)| &list.roots).map(|(_, root)| root));
    let mut wanted = main().filter(|root| holds(&root.marker, tree.environment)).peekable();
    // Without versions, only the presence of all that production asks for ties the project to this environment.
    if wanted.peek().is_none() || !wanted.all(|root| installed.contains(root.name.as_str())) {
        return None;
    }
    let mut said = Said { confidence: Some(Confidence::High), ..Said::default() };
    said.main = graph.closure(main(), tree.environment);
    said.dev = graph.closure(dev(), tree.environment).into_iter().map(|name| (name, Vec::new())).collect();
    said.note_groups(file_roots);
    said.groups.extend(lists.dev.iter().map(|(file, _)| path::escape(name(file.path()))));
    said.file = lists.dev.first().map(|(file, _)| *file).or(project.pyproject.map(|(file, _)| file));
    Some(said)
}

impl<'a> Said<'a> {
    fn note_groups(&mut self, roots: &'a [(String, Requirement)]) {
        let groups: BTreeSet<&str> = roots.iter().filter(|r| is_dev_root(r)).map(|(group, _)| group.as_str()).collect();
        // What an extra is for is a custom and no rule.
        if groups.iter().any(|group| group.starts_with('[')) {
            self.confidence = Some(Confidence::Medium);
        }
        self.groups.extend(groups.into_iter().map(str::to_string));
    }

    fn add_dev(&mut self, package: &'a LockedDist) {
        let versions = self.dev.entry(&package.name).or_default();
        if !package.version.is_empty() {
            versions.push(&package.version);
        }
    }
}

/// The lists of requirements of a project.
#[derive(Default)]
struct Lists<'p, 'a> {
    main: Vec<&'p (File<'a>, &'a PythonProject)>,
    dev: Vec<&'p (File<'a>, &'a PythonProject)>,
}

impl<'p, 'a> Lists<'p, 'a> {
    /// A list is for development by its name, unless a list of production includes it.
    fn of(project: &'p Project<'a>) -> Self {
        let by_name: HashMap<&[u8], usize> =
            project.lists.iter().enumerate().map(|(at, (file, _))| (name(file.path()), at)).collect();
        let mut is_main = vec![false; project.lists.len()];
        let mut todo: Vec<usize> = by_name
            .iter()
            .filter(|(file, _)| !is_development(&String::from_utf8_lossy(file)))
            .map(|(_, at)| *at)
            .collect();
        while let Some(at) = todo.pop() {
            let Some(seen) = is_main.get_mut(at).filter(|seen| !**seen) else { continue };
            *seen = true;
            let included = project.lists.get(at).into_iter().flat_map(|(_, list)| &list.includes);
            todo.extend(included.filter_map(|file| by_name.get(name(file.as_bytes()))));
        }
        let mut lists = Self::default();
        for (list, is_main) in project.lists.iter().zip(is_main) {
            if is_main { lists.main.push(list) } else { lists.dev.push(list) }
        }
        lists
    }
}

fn is_dev_root((group, _): &(String, Requirement)) -> bool {
    is_development(group)
}

/// Whether two spellings of a version mean the same: `1.0` and `1.0.0`, `2024.01` and `2024.1`.
fn same_version(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let parts = |version: &str| {
        let version = version.trim().to_ascii_lowercase();
        let mut parts: Vec<String> = version
            .trim_start_matches('v')
            .split(['.', '-', '_', '+'])
            .map(|part| part.trim_start_matches('0').to_string())
            .collect();
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        parts
    };
    parts(one) == parts(other)
}

fn evidence(said: &Said<'_>, dev: &HashSet<&str>) -> Option<Evidence> {
    let file = said.file?;
    let count = dev.iter().filter(|name| said.dev.contains_key(*name)).count();
    let groups: Vec<&str> = said.groups.iter().map(String::as_str).collect();
    let witness = format!(
        "{} of the packages are for {} only, not for production",
        count,
        path::escape(groups.join(", ").as_bytes())
    );
    Some(Evidence { class: EvidenceClass::Record, witness, path: Some(ImagePath::new(file.path())) })
}
