//! Collects what proves something: package rows, language packages, content and the shape of trees.
//!
//! A name alone is never a signal, and a symbolic link never is one. What belongs together is decided by
//! [`super::group`].

use std::{
    cell::OnceCell,
    collections::{BTreeSet, HashMap},
};

use crate::{
    catalogue::{Catalogue, Content, Glob, Member, Module, Rule, Structure, VersionFrom},
    inventory::{File, FileId, Inventory, Package},
    model::{
        Confidence, Elf, Evidence, EvidenceClass, Fact, Format, ImagePath, Kind, Manager, Severity, State,
        path::{self, ancestors, is_below, parent},
    },
};

/// Directories that many programs share: a tree that is recognised at one of them owns its members only.
const SHARED: [&[u8]; 9] = [b"", b"usr", b"usr/local", b"opt", b"srv", b"home", b"root", b"var", b"tmp"];

/// Where distributions put texts about a package; such files prove nothing.
const ABOUT: [&[u8]; 7] = [
    b"usr/share/doc",
    b"usr/share/man",
    b"usr/share/info",
    b"usr/share/locale",
    b"usr/share/lintian",
    b"usr/share/licenses",
    b"usr/share/bug",
];

/// Components below which an installation keeps its files: what stands before the first is its prefix.
const INSIDE_PREFIX: [&[u8]; 8] = [b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libexec", b"share", b"include"];

/// What signals of one rule have to share to become one finding.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Root {
    /// The packages of one distribution's package manager.
    Manager(Manager),
    /// A directory.
    Dir(ImagePath),
}

/// One proof of one rule.
pub(super) struct Signal<'a> {
    /// Position of the rule in the catalogue.
    pub rule: usize,
    pub root: Root,
    pub state: State,
    pub confidence: Confidence,
    pub evidence: Evidence,
    pub version: Option<String>,
    /// Whether others tell the version better: `gcc` has only links into `gcc-12`, and a version of its own.
    pub of_links: bool,
    pub package: Option<&'a Package>,
    /// The files that belong to it.
    pub files: Vec<FileId>,
    /// Whether it is proof, or only company of other signals: a package that holds nothing but texts.
    pub proof: bool,
}

/// Collects the signals of every rule.
pub(super) fn collect<'a>(catalogue: &'a Catalogue, inventory: &'a Inventory) -> Vec<Signal<'a>> {
    let mut collector =
        Collector { catalogue, inventory, named: HashMap::new(), removed: HashMap::new(), signals: Vec::new() };
    collector.packages();
    collector.modules();
    let trees = collector.structures();
    collector.contents(&trees);
    collector.signals
}

/// Whether a file can be proof of a package: bytes that are not text about it.
pub(super) fn has_substance(file: &File<'_>) -> bool {
    let bytes = match file.kind() {
        Kind::File => file.size() > 0,
        Kind::Hardlink => true,
        _ => false,
    };
    bytes && !ABOUT.iter().any(|dir| is_below(file.path(), dir))
}

/// The directory a file was installed under: what stands before the first `bin`, `lib` and the like, else the
/// directory it lies in.
pub(super) fn install_prefix(file: &[u8]) -> &[u8] {
    let mut at = 0;
    for part in file.split(|&b| b == b'/') {
        let last = at + part.len() == file.len();
        if INSIDE_PREFIX.contains(&part) && !last {
            return file.get(..at.saturating_sub(1)).unwrap_or_default();
        }
        at += part.len() + 1;
    }
    parent(file)
}

/// What live databases list as the files of a package, by manager and name.
type Lists<'a> = HashMap<(Manager, &'a str), Vec<&'a [ImagePath]>>;

fn lists_of(inventory: &Inventory) -> Lists<'_> {
    let mut lists = Lists::new();
    for (_, fact) in inventory.observed().filter(|(file, _)| file.state() == State::Live) {
        match fact {
            Fact::FileList { package, files } => {
                lists.entry((Manager::Deb, package)).or_default().push(files);
            }
            Fact::Packages { manager, rows } => {
                for row in rows.iter().filter(|row| !row.files.is_empty()) {
                    lists.entry((*manager, &row.name)).or_default().push(&row.files);
                }
            }
            _ => {}
        }
    }
    lists
}

struct Collector<'a> {
    catalogue: &'a Catalogue,
    inventory: &'a Inventory,
    /// The rules that name a package which is really there, by the package's address in the inventory.
    named: HashMap<*const Package, Vec<usize>>,
    /// Buried files of packages that are still installed, of those that rules name.
    removed: HashMap<FileId, &'a Package>,
    signals: Vec<Signal<'a>>,
}

/// What there is of a package's files.
enum Presence {
    /// Files that are more than texts.
    Files,
    /// Links that lead to such files.
    Links,
    /// The database does not tell which files it has.
    NotListed,
    /// Nothing but texts about it.
    Texts,
    /// No file of it is left.
    Gone,
}

impl<'a> Collector<'a> {
    /// Package rows of distributions.
    fn packages(&mut self) {
        let lists = OnceCell::new();
        for package in self.inventory.packages() {
            let names_it = |rule: &Rule| {
                rule.packages.iter().any(|(of, names)| *of == package.manager && names.matches(&package.name))
            };
            let rules = self.catalogue.rules.iter().enumerate();
            let rules: Vec<usize> = rules.filter(|(_, rule)| names_it(rule)).map(|(at, _)| at).collect();
            if rules.is_empty() {
                continue;
            }
            let lists = lists.get_or_init(|| lists_of(self.inventory));
            let removed = self.removed_files(package, lists);
            self.removed.extend(removed.iter().map(|&id| (id, package)));
            for rule in rules {
                self.package(package, rule, &removed, lists);
            }
        }
    }

    fn package(&mut self, package: &'a Package, rule: usize, removed: &[FileId], lists: &Lists<'a>) {
        let presence = self.presence(package, lists);
        let of_links = matches!(presence, Presence::Links);
        let signal = |state, confidence, files, proof| Signal {
            rule,
            root: Root::Manager(package.manager),
            state,
            confidence,
            evidence: self.package_evidence(package, EvidenceClass::Package),
            version: (proof && !package.version.is_empty()).then(|| package.version.clone()),
            of_links,
            package: Some(package),
            files,
            proof,
        };
        let present = match presence {
            Presence::Files | Presence::Links => Some((Confidence::Certain, true)),
            Presence::NotListed => Some((Confidence::High, true)),
            Presence::Texts => Some((Confidence::Medium, false)),
            Presence::Gone => None,
        };
        let present = present.map(|(confidence, proof)| {
            let files = package.files.iter().copied().filter(|&id| !self.is_root_link(id)).collect();
            signal(package.state, confidence, files, proof)
        });
        let removed = (!removed.is_empty()).then(|| {
            let proof = removed.iter().any(|&id| has_substance(&self.inventory.file(id)));
            signal(State::Buried, Confidence::Certain, removed.to_vec(), proof)
        });
        if present.is_some() || removed.is_some() {
            self.named.entry(std::ptr::from_ref(package)).or_default().push(rule);
        }
        self.signals.extend(present.into_iter().chain(removed));
    }

    /// The buried files of an installed package: what `rm` took away and the database still lists.
    fn removed_files(&self, package: &Package, lists: &Lists<'a>) -> Vec<FileId> {
        let mut files = BTreeSet::new();
        let listed = lists.get(&(package.manager, package.name.as_str())).filter(|_| package.state == State::Live);
        for path in listed.into_iter().flatten().flat_map(|list| list.iter()) {
            if self.inventory.get(path.as_bytes()).is_some() {
                continue;
            }
            let real = self.real_path(path.as_bytes());
            if self.inventory.get(&real).is_none() {
                let buried = self.inventory.buried_at(&real).filter(|file| file.kind() != Kind::Dir);
                files.extend(buried.map(|file| file.id()));
            }
        }
        files.into_iter().collect()
    }

    /// Where a path leads when the directories that are left of it are followed: `/lib/x` to `/usr/lib/x`.
    fn real_path(&self, path: &[u8]) -> Vec<u8> {
        let left = ancestors(path).find_map(|dir| Some((dir, self.inventory.resolve(dir)?)));
        match left {
            Some((dir, real)) => [real.path(), path.get(dir.len()..).unwrap_or_default()].concat(),
            None => path.to_vec(),
        }
    }

    /// Whether a file is a link such as `/lib -> usr/lib`: packages list the directory it stands for.
    fn is_root_link(&self, id: FileId) -> bool {
        let file = self.inventory.file(id);
        file.kind() == Kind::Symlink
            && parent(file.path()).is_empty()
            && self.inventory.resolve(file.path()).is_some_and(|target| target.kind() == Kind::Dir)
    }

    fn presence(&self, package: &Package, lists: &Lists<'a>) -> Presence {
        let mut files = package.files.iter().map(|&id| self.inventory.file(id));
        let leads_to_file = |file: &File<'_>| {
            let target = (file.kind() == Kind::Symlink).then(|| self.inventory.resolve(file.path())).flatten();
            target.is_some_and(|target| has_substance(&target))
        };
        if files.clone().any(|file| has_substance(&file)) {
            return Presence::Files;
        }
        if package.state == State::Live && files.any(|file| leads_to_file(&file)) {
            return Presence::Links;
        }
        if !package.files.is_empty() {
            return Presence::Texts;
        }
        let listed = lists.contains_key(&(package.manager, package.name.as_str()));
        if package.state == State::Live && package.manager == Manager::Deb && !listed {
            return Presence::NotListed;
        }
        Presence::Gone
    }

    fn package_evidence(&self, package: &Package, class: EvidenceClass) -> Evidence {
        let manager = match package.manager {
            Manager::Deb => "dpkg",
            other => other.word(),
        };
        let witness = format!("{manager} {} {}", package.name, package.version).trim_end().to_string();
        Evidence { class, witness, path: Some(ImagePath::new(self.inventory.file(package.home).path())) }
    }

    /// Language packages that hold the tool's files.
    fn modules(&mut self) {
        for package in self.inventory.packages() {
            for (at, rule) in self.catalogue.rules.iter().enumerate() {
                let mut modules = rule.modules.iter().filter(|m| m.manager == package.manager);
                if !modules.any(|module| module.name.matches(&package.name) && self.holds_file_of(package, module)) {
                    continue;
                }
                // A distribution's package owns its language packages: the rule has to name that one.
                let owner = self.inventory.owner(package.home).filter(|owner| is_distribution(owner.manager));
                let root = match owner {
                    Some(owner) if self.is_named(owner, at) => Root::Manager(owner.manager),
                    Some(_) => continue,
                    None => self.module_root(package),
                };
                self.named.entry(std::ptr::from_ref(package)).or_default().push(at);
                self.signals.push(Signal {
                    rule: at,
                    root,
                    state: package.state,
                    confidence: Confidence::Certain,
                    evidence: self.package_evidence(package, EvidenceClass::Record),
                    version: (!package.version.is_empty()).then(|| package.version.clone()),
                    of_links: false,
                    package: Some(package),
                    files: self.module_files(package),
                    proof: true,
                });
            }
        }
    }

    /// The files of a language package. What npm nested inside of one is there for that one alone, so it belongs to it.
    fn module_files(&self, package: &Package) -> Vec<FileId> {
        match (package.manager, package.state) {
            (Manager::Npm, State::Live) => {
                let home = parent(self.inventory.file(package.home).path());
                self.inventory.under(home).filter(|file| file.kind() != Kind::Dir).map(|file| file.id()).collect()
            }
            _ => package.files.clone(),
        }
    }

    fn holds_file_of(&self, package: &Package, module: &Module) -> bool {
        let home = parent(self.inventory.file(package.home).path());
        let fits = |path: &[u8], glob: &Glob| match package.manager {
            Manager::Npm => glob.root_of(path) == Some(home),
            _ => glob.root_of(path).is_some(),
        };
        package.files.iter().map(|&id| self.inventory.file(id)).any(|file| {
            (file.kind() == Kind::Hardlink || file.kind() == Kind::File && file.size() > 0)
                && module.files.iter().any(|glob| fits(file.path(), glob))
        })
    }

    /// The tree that language packages are installed into: the outermost `node_modules`, the site directory.
    fn module_root(&self, package: &Package) -> Root {
        let home = parent(self.inventory.file(package.home).path());
        let outermost = ancestors(home).filter(|dir| path::name(dir) == b"node_modules").last();
        Root::Dir(ImagePath::new(outermost.unwrap_or_else(|| parent(home))))
    }

    fn owner(&self, file: &File<'a>) -> Option<&'a Package> {
        file.owner().or_else(|| self.removed.get(&file.id()).copied())
    }

    fn is_named(&self, package: &Package, rule: usize) -> bool {
        self.named.get(&std::ptr::from_ref(package)).is_some_and(|rules| rules.contains(&rule))
    }

    fn is_named_at_all(&self, package: &Package) -> bool {
        self.named.contains_key(&std::ptr::from_ref(package))
    }

    /// Who explains a file: the root it belongs to, or `None` when another rule's package does.
    fn root_by_owner(&self, owners: &[&'a Package], rule: usize) -> Option<Option<Root>> {
        if let Some(owner) = owners.iter().find(|owner| self.is_named(owner, rule)) {
            return Some(Some(match is_distribution(owner.manager) {
                true => Root::Manager(owner.manager),
                false => self.module_root(owner),
            }));
        }
        (!owners.iter().any(|owner| self.is_named_at_all(owner))).then_some(None)
    }
}

fn is_distribution(manager: Manager) -> bool {
    matches!(manager, Manager::Deb | Manager::Apk | Manager::Rpm)
}

/// A tree that was recognised.
struct Tree {
    rule: usize,
    severity: Severity,
    state: State,
    /// Whether all that lies below belongs to it.
    whole: bool,
}

/// Recognised trees by root.
type Trees<'a> = HashMap<&'a [u8], Vec<Tree>>;

impl<'a> Collector<'a> {
    /// Shapes of trees. One pass over all files finds candidates, so that no tree is walked twice.
    fn structures(&mut self) -> Trees<'a> {
        let shapes: Vec<(usize, &Rule, &Structure)> = self
            .catalogue
            .rules
            .iter()
            .enumerate()
            .flat_map(|(at, rule)| rule.structures.iter().map(move |structure| (at, rule, structure)))
            .collect();
        let candidates = Candidates::find(self.inventory, &shapes);
        let mut trees = Trees::new();
        for (shape, &(rule, about, structure)) in shapes.iter().enumerate() {
            let rest = structure.members.get(1..).unwrap_or_default();
            for &(root, file) in candidates.of(shape, 0) {
                let state = file.state();
                // Sorted by root: an outer tree comes before those inside of it, which belong to it.
                if is_inside(&trees, root, rule, state) {
                    continue;
                }
                let mut files = vec![file.id()];
                let complete = rest.iter().enumerate().all(|(at, member)| {
                    let found = match member.path.plain_name() {
                        Some(_) => self.member(root, member, state),
                        None => candidates
                            .at(shape, at + 1, root)
                            .find(|file| state == State::Buried || file.state() == state),
                    };
                    files.extend(found.map(|file| file.id()));
                    found.is_some()
                });
                let owners: Vec<_> = self.owner(&file).into_iter().collect();
                let Some(by_owner) = self.root_by_owner(&owners, rule).filter(|_| complete) else { continue };
                let whole = structure.subtree && !SHARED.contains(&root);
                if whole {
                    files.extend(self.below(root, state));
                }
                let severity = about.about.severity;
                trees.entry(root).or_default().push(Tree { rule, severity, state, whole });
                let members: Vec<_> = structure.members.iter().map(|member| member.path.path.as_str()).collect();
                self.signals.push(Signal {
                    rule,
                    root: by_owner.unwrap_or_else(|| Root::Dir(ImagePath::new(root))),
                    state,
                    confidence: Confidence::High,
                    evidence: Evidence {
                        class: EvidenceClass::Structure,
                        witness: format!("{}: {}", structure.name, members.join(", ")),
                        path: Some(ImagePath::new(file.path())),
                    },
                    version: None,
                    of_links: false,
                    package: None,
                    files,
                    proof: true,
                });
            }
        }
        trees
    }

    /// The member of a tree at a plain path.
    fn member(&self, root: &[u8], member: &Member, state: State) -> Option<File<'a>> {
        let path = join(root, member.path.path.as_bytes());
        let buried = || self.inventory.buried_at(&path).find(|file| fits(file, member));
        let live = || self.inventory.resolve(&path).filter(|file| fits(file, member));
        // Of a tree that was removed in part, the rest is still there.
        if state == State::Buried { buried().or_else(live) } else { live() }
    }

    fn below(&self, root: &'a [u8], state: State) -> Vec<FileId> {
        let files: &mut dyn Iterator<Item = File<'a>> = match state {
            State::Live => &mut self.inventory.under(root),
            State::Buried => &mut self.inventory.buried_under(root),
        };
        files.filter(|file| file.kind() != Kind::Dir).map(|file| file.id()).collect()
    }
}

fn is_inside(trees: &Trees<'_>, root: &[u8], rule: usize, state: State) -> bool {
    let known =
        |dir: &[u8]| trees.get(dir).is_some_and(|all| all.iter().any(|tree| tree.rule == rule && tree.state == state));
    let whole = |dir: &[u8]| {
        let fits = |tree: &Tree| tree.whole && tree.rule == rule && tree.state == state;
        trees.get(dir).is_some_and(|all| all.iter().any(fits))
    };
    known(root) || ancestors(root).any(whole)
}

fn join(dir: &[u8], rest: &[u8]) -> Vec<u8> {
    if dir.is_empty() { rest.to_vec() } else { [dir, b"/", rest].concat() }
}

fn fits(file: &File<'_>, member: &Member) -> bool {
    let kind = match file.kind() {
        Kind::Dir => member.dir,
        Kind::File | Kind::Hardlink => !member.dir,
        _ => false,
    };
    kind && member.format.is_none_or(|format| format == file.format())
}

/// A root and the file that would make it one.
type Candidate<'a> = (&'a [u8], File<'a>);

/// For every member that a search starts from, the files that fit it, with the root each would make.
struct Candidates<'a> {
    /// By position of the structure and of the member in it, sorted by root.
    found: HashMap<(usize, usize), Vec<Candidate<'a>>>,
}

impl<'a> Candidates<'a> {
    /// The first member of a structure, and those with a `*`.
    fn find(inventory: &'a Inventory, shapes: &[(usize, &Rule, &Structure)]) -> Self {
        let mut plain: HashMap<&[u8], Vec<(usize, usize, &Member)>> = HashMap::new();
        let mut starred = Vec::new();
        for (shape, (_, _, structure)) in shapes.iter().enumerate() {
            for (at, member) in structure.members.iter().enumerate() {
                match member.path.plain_name() {
                    None => starred.push((shape, at, member)),
                    Some(name) if at == 0 => plain.entry(name.as_bytes()).or_default().push((shape, at, member)),
                    Some(_) => {}
                }
            }
        }
        let mut found: HashMap<_, Vec<Candidate<'a>>> = HashMap::new();
        for file in inventory.all() {
            let named = plain.get(path::name(file.path())).into_iter().flatten();
            for &(shape, at, member) in named.chain(&starred) {
                if let Some(root) = member.path.root_of(file.path()).filter(|_| fits(&file, member)) {
                    found.entry((shape, at)).or_default().push((root, file));
                }
            }
        }
        for list in found.values_mut() {
            list.sort_by_key(|(root, file)| (*root, file.id()));
        }
        Self { found }
    }

    /// All files that fit a member.
    fn of(&self, shape: usize, member: usize) -> &[Candidate<'a>] {
        self.found.get(&(shape, member)).map_or(&[], Vec::as_slice)
    }

    /// The files that fit a member of the tree at `root`.
    fn at(&self, shape: usize, member: usize, root: &[u8]) -> impl Iterator<Item = File<'a>> {
        let all = self.of(shape, member);
        let from = all.partition_point(|(of, _)| *of < root);
        all.iter().skip(from).take_while(move |(of, _)| *of == root).map(|(_, file)| *file)
    }
}
/// What a probe saw in one file, as content rules ask for it.
enum Seen<'a> {
    Elf(&'a Elf),
    Literals(&'a [String]),
}

impl<'a> Collector<'a> {
    /// Content of single files, under any name.
    fn contents(&mut self, trees: &Trees<'a>) {
        let links = self.hard_links();
        for (file, fact) in self.inventory.observed() {
            let seen = match fact {
                Fact::Elf(elf) => Seen::Elf(elf),
                Fact::Literals(literals) => Seen::Literals(literals),
                _ => continue,
            };
            for (at, rule) in self.catalogue.rules.iter().enumerate() {
                for content in &rule.contents {
                    if let Some(witness) = witness(content, file.format(), &seen) {
                        self.content(at, content, file, &links, trees, witness, &seen);
                    }
                }
            }
        }
    }

    /// The hard links of the image by the file whose content they are.
    fn hard_links(&self) -> HashMap<FileId, Vec<File<'a>>> {
        let mut links: HashMap<FileId, Vec<File<'a>>> = HashMap::new();
        for file in self.inventory.all().filter(|file| file.kind() == Kind::Hardlink) {
            links.entry(file.content()).or_default().push(file);
        }
        links
    }

    #[allow(clippy::too_many_arguments, reason = "one call, and every one of them is a plain value")]
    fn content(
        &mut self,
        at: usize,
        content: &Content,
        file: File<'a>,
        links: &HashMap<FileId, Vec<File<'a>>>,
        trees: &Trees<'a>,
        witness: String,
        seen: &Seen<'_>,
    ) {
        // A hard link keeps the content alive when the name it was linked to is gone.
        let others = links.get(&file.id()).into_iter().flatten().copied();
        let names: Vec<File<'a>> = std::iter::once(file).chain(others).collect();
        let live = names.iter().any(|name| name.state() == State::Live);
        let state = if live { State::Live } else { State::Buried };
        let names: Vec<File<'a>> = names.into_iter().filter(|name| name.state() == state).collect();
        let Some(first) = names.first() else { return };

        let owners: Vec<&Package> = names.iter().filter_map(|name| self.owner(name)).collect();
        if content.unowned && !owners.is_empty() {
            return;
        }
        let Some(by_owner) = self.root_by_owner(&owners, at) else { return };
        let root = match by_owner {
            Some(root) => root,
            None => match self.tree_around(trees, first.path(), at, state, owners.is_empty()) {
                Around::Own(root) => Root::Dir(ImagePath::new(root)),
                Around::Other => return,
                Around::None => Root::Dir(ImagePath::new(install_prefix(first.path()))),
            },
        };
        self.signals.push(Signal {
            rule: at,
            root,
            state,
            confidence: Confidence::Certain,
            evidence: Evidence { class: EvidenceClass::Content, witness, path: Some(ImagePath::new(first.path())) },
            version: version(content, seen),
            of_links: false,
            package: None,
            files: names.iter().map(File::id).collect(),
            proof: true,
        });
    }

    /// Looks for a recognised tree that a file lies in.
    ///
    /// A tree of another rule explains the file only if it is judged no milder: nobody hides a compiler by laying it
    /// into a tree that is merely noted.
    fn tree_around(&self, trees: &Trees<'a>, file: &'a [u8], rule: usize, state: State, unowned: bool) -> Around<'a> {
        let severity = self.catalogue.rules.get(rule).map(|rule| rule.about.severity);
        let mut around = Around::None;
        for dir in ancestors(file) {
            for tree in trees.get(dir).into_iter().flatten().filter(|tree| tree.state == state) {
                if tree.rule == rule {
                    return Around::Own(dir);
                }
                if tree.whole && unowned && Some(tree.severity) >= severity {
                    around = Around::Other;
                }
            }
        }
        around
    }
}

enum Around<'a> {
    Own(&'a [u8]),
    Other,
    None,
}

/// The exact text that proves it, if the content fits.
fn witness(content: &Content, format: Format, seen: &Seen<'_>) -> Option<String> {
    if !content.formats.contains(format) {
        return None;
    }
    let literals = match seen {
        Seen::Elf(elf) => &elf.literals[..],
        Seen::Literals(literals) => literals,
    };
    let has = |literal: &&String| literals.contains(literal);
    if !content.all.iter().all(|literal| has(&literal)) || content.none.iter().any(|literal| has(&literal)) {
        return None;
    }
    let one = content.any.iter().find(has);
    if one.is_none() && !content.any.is_empty() {
        return None;
    }
    let mut words: Vec<String> = content.all.iter().chain(one).map(|literal| format!("\"{literal}\"")).collect();
    match seen {
        Seen::Elf(elf) => words.extend(header_witness(content, elf)?),
        Seen::Literals(_) if asks_for_header(content) => return None,
        Seen::Literals(_) => {}
    }
    Some(format!("{}: {}", content.name, words.join(", ")))
}

fn asks_for_header(content: &Content) -> bool {
    let lists = [&content.needed, &content.soname, &content.go_path];
    content.program.is_some() || lists.iter().any(|list| !list.is_empty())
}

/// What the ELF headers say for it; `None` when they say otherwise.
fn header_witness(content: &Content, elf: &Elf) -> Option<Vec<String>> {
    if content.program.is_some_and(|program| program != elf.program) {
        return None;
    }
    let mut words = Vec::new();
    let starts = |name: &str, list: &[String]| list.iter().any(|start| name.starts_with(start.as_str()));
    if !content.needed.is_empty() {
        let library = elf.needed.iter().find(|library| starts(library, &content.needed))?;
        words.push(format!("needs {library}"));
    }
    if !content.soname.is_empty() {
        let soname = elf.soname.as_ref().filter(|soname| starts(soname, &content.soname))?;
        words.push(format!("is {soname}"));
    }
    if !content.go_path.is_empty() {
        let go = elf.go.as_ref()?;
        let fits = |want: &String| if want.ends_with('/') { go.path.starts_with(want) } else { go.path == *want };
        let module = content.go_module.is_none_or(|wanted| wanted == go.module.is_some());
        if !module || !content.go_path.iter().any(fits) {
            return None;
        }
        words.push(format!("built from {} by {}", go.path, go.version));
    }
    Some(words)
}

/// The version that the file itself tells.
fn version(content: &Content, seen: &Seen<'_>) -> Option<String> {
    let Seen::Elf(Elf { go: Some(go), .. }) = seen else { return None };
    match content.version? {
        VersionFrom::Go => Some(go.version.strip_prefix("go").unwrap_or(&go.version).to_string()),
        // `(devel)` is what Go writes when it was built from a checkout.
        VersionFrom::Module => go.module.as_ref().map(|(_, version)| version.clone()).filter(|v| !v.starts_with('(')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_what_stands_before_bin_or_lib() {
        for (file, want) in [
            ("usr/bin/gcc", "usr"),
            ("usr/local/lib/x/y", "usr/local"),
            ("opt/x/bin/y", "opt/x"),
            ("opt/x/helper", "opt/x"),
            ("bin/x", ""),
            ("helper", ""),
            ("srv/lib", "srv"),
            ("home/lib/share/a", "home"),
        ] {
            assert_eq!(install_prefix(file.as_bytes()), want.as_bytes(), "{file}");
        }
    }
}
