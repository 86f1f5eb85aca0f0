//! Makes one finding of the signals that belong together: one for each rule, root and state, never one per file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use crate::{
    catalogue::{Catalogue, Rule},
    inventory::{File, FileId, Inventory},
    model::{
        Confidence, Digest, Evidence, EvidenceClass, Finding, ImageInfo, ImagePath, Kind, LayerRef, Need, Origin,
        PackageRef, PathGroup, Removal, Severity, State, path,
    },
};

use super::signal::{Root, Signal, has_substance, install_prefix};

/// Links in a chain that the kernel follows (`path_resolution(7)`); so many rounds find every chain.
const LINKS_MAX: usize = 40;

/// Groups signals into findings, in no particular order.
pub(super) fn findings(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    mut signals: Vec<Signal<'_>>,
) -> Vec<Finding> {
    fold_older_copies(inventory, &mut signals);
    let mut groups: BTreeMap<(usize, State, Root), Group> = BTreeMap::new();
    for signal in signals {
        groups.entry((signal.rule, signal.state, signal.root.clone())).or_default().add(signal);
    }
    groups.retain(|_, group| group.proved);
    add_links(inventory, &mut groups);
    join(catalogue, inventory, &mut groups);
    let finding = |((rule, state, root), group): ((usize, State, Root), Group)| {
        let rule = catalogue.rules.get(rule)?;
        Some(Make { inventory, image, rule, state, root, group }.finding())
    };
    groups.into_iter().filter_map(finding).collect()
}

/// What a judgement written in Rust found, on its way to one finding.
pub(super) struct Found {
    /// What the finding's parts share; part of the fingerprint.
    pub root: Root,
    pub state: State,
    pub confidence: Confidence,
    pub evidence: Vec<Evidence>,
    pub version: Option<String>,
    pub packages: Vec<PackageRef>,
    /// The files that make its bytes.
    pub files: Vec<FileId>,
}

/// Makes the finding of a judgement written in Rust; bytes, paths, layers and owner follow from the files.
pub(super) fn finding_of(inventory: &Inventory, image: &ImageInfo, rule: &Rule, found: Found) -> Finding {
    let Found { root, state, confidence, evidence, version, packages, files } = found;
    let owners = packages.iter().map(|package| package.manager.word()).collect();
    let group = Group {
        evidence: evidence.into_iter().collect(),
        versions: BTreeMap::new(),
        packages: packages.into_iter().collect(),
        files: files.into_iter().collect(),
        confidence: Some(confidence),
        owners,
        proved: true,
        raised: None,
        part_of: None,
    };
    Finding { version, ..Make { inventory, image, rule, state, root, group }.finding() }
}

/// A finding of a rule without anything that was seen; for judgements about no file.
pub(super) fn empty_finding(rule: &Rule, root: &str, state: State) -> Finding {
    let about = &rule.about;
    Finding {
        rule: about.id.clone(),
        family: rule.family,
        title: about.title.clone(),
        severity: about.severity,
        confidence: Confidence::Medium,
        subject: rule.subject.clone(),
        version: None,
        state,
        why: about.why.clone(),
        evidence: Vec::new(),
        paths: Vec::new(),
        packages: Vec::new(),
        bytes: 0,
        buried_bytes: 0,
        layer: None,
        hidden_by: None,
        owner: "none".to_string(),
        origin: Origin::Unknown,
        need: Need::default(),
        removal: Removal::default(),
        part_of: None,
        secrets: Vec::new(),
        line: None,
        patch: None,
        allowed: None,
        remedy: about.remedy.clone(),
        refs: about.refs.clone(),
        fingerprint: fingerprint(rule, root, state),
    }
}

/// Stable when the image is rebuilt: no version, layer or digest goes in.
fn fingerprint(rule: &Rule, root: &str, state: State) -> String {
    let mut hash = Sha256::new();
    for part in [&rule.about.id, &rule.subject, root, state.word()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut digits = Digest::new(hash.finalize().into()).hex();
    digits.truncate(16);
    digits
}

/// Drops from buried signals the older copies of files that a live signal of the same rule has; they count as its
/// buried bytes.
fn fold_older_copies(inventory: &Inventory, signals: &mut Vec<Signal<'_>>) {
    let mut live: HashMap<usize, HashSet<&[u8]>> = HashMap::new();
    for signal in signals.iter().filter(|signal| signal.state == State::Live) {
        live.entry(signal.rule).or_default().extend(signal.files.iter().map(|&id| inventory.file(id).path()));
    }
    signals.retain_mut(|signal| {
        let Some(paths) = live.get(&signal.rule).filter(|_| signal.state == State::Buried) else { return true };
        signal.files.retain(|&id| !paths.contains(inventory.file(id).path()));
        signal.proof &= signal.files.iter().any(|&id| has_substance(&inventory.file(id)));
        !signal.files.is_empty()
    });
}

/// Versions by the name of what has them.
type Versions = BTreeMap<String, BTreeSet<String>>;

/// Signals of one rule, state and root.
#[derive(Default)]
struct Group {
    evidence: BTreeSet<Evidence>,
    /// What tells better comes first; by the name of the package, which is empty for a file.
    versions: BTreeMap<(EvidenceClass, bool), Versions>,
    packages: BTreeSet<PackageRef>,
    files: BTreeSet<FileId>,
    confidence: Option<Confidence>,
    owners: BTreeSet<&'static str>,
    proved: bool,
    /// The worst severity of the groups that are part of this one.
    raised: Option<Severity>,
    /// The fingerprint of the finding that this one is part of.
    part_of: Option<String>,
}

impl Group {
    fn add(&mut self, signal: Signal<'_>) {
        if let Some(version) = signal.version {
            let by_name = self.versions.entry((signal.evidence.class, signal.of_links)).or_default();
            let name = signal.package.map(|package| package.name.clone()).unwrap_or_default();
            by_name.entry(name).or_default().insert(version);
        }
        self.evidence.insert(signal.evidence);
        self.files.extend(signal.files);
        self.proved |= signal.proof;
        self.confidence = self.confidence.max(signal.proof.then_some(signal.confidence));
        if let Some(package) = signal.package {
            self.owners.insert(package.manager.word());
            let (name, version) = (package.name.clone(), package.version.clone());
            self.packages.insert(PackageRef { manager: package.manager, name, version });
        }
    }
}

/// Lets the groups that catalogue and layer put into the company of another become part of it: the preprocessor, the
/// linker and make, which one command installed together with the compiler, are one thing to mend.
fn join(catalogue: &Catalogue, inventory: &Inventory, groups: &mut BTreeMap<(usize, State, Root), Group>) {
    let main_layer = |group: &Group| {
        let mut bytes: BTreeMap<u32, u64> = BTreeMap::new();
        for file in group.files.iter().map(|&id| inventory.file(id)) {
            let sum = bytes.entry(file.layer()).or_default();
            *sum = sum.saturating_add(file.size());
        }
        most(&bytes)
    };
    let mut joins = Vec::new();
    for ((rule, state, root), group) in &*groups {
        let Some(part) = catalogue.rules.get(*rule) else { continue };
        let holder = part.with.iter().find_map(|id| {
            let at = catalogue.rules.binary_search_by(|rule| rule.about.id.cmp(id)).ok()?;
            let key = (at, *state, root.clone());
            groups.get(&key).filter(|whole| main_layer(whole) == main_layer(group)).map(|_| key)
        });
        joins.extend(holder.map(|holder| ((*rule, *state, root.clone()), holder)));
    }
    for (part, holder) in joins {
        let (Some(rule), Some(whole)) = (catalogue.rules.get(part.0), catalogue.rules.get(holder.0)) else { continue };
        let whole = fingerprint(whole, &root_word(&holder.2), holder.1);
        let Some(group) = groups.get_mut(&part) else { continue };
        group.part_of = Some(whole);
        let (files, packages, owners) = (group.files.clone(), group.packages.clone(), group.owners.clone());
        let versions = group.versions.values().next().map(|versions| version(rule, versions));
        let version = versions.map_or_else(String::new, |version| format!(" {version}"));
        let witness = format!("{}{version} [{}]", rule.subject, rule.about.id);
        let path = group.evidence.iter().find_map(|evidence| evidence.path.clone());
        if let Some(whole) = groups.get_mut(&holder) {
            whole.files.extend(files);
            whole.packages.extend(packages);
            whole.owners.extend(owners);
            whole.evidence.insert(Evidence { class: EvidenceClass::Part, witness, path });
            whole.raised = whole.raised.max(Some(rule.about.severity));
        }
    }
}

/// A root as fingerprints have it.
fn root_word(root: &Root) -> String {
    match root {
        Root::Manager(manager) => manager.word().to_string(),
        Root::Dir(dir) => dir.to_string(),
    }
}

/// Adds every other name of the files: hard links, and symbolic links that lead to them.
fn add_links(inventory: &Inventory, groups: &mut BTreeMap<(usize, State, Root), Group>) {
    let mut by_content: HashMap<FileId, Vec<usize>> = HashMap::new();
    for (at, ((_, state, _), group)) in groups.iter().enumerate() {
        for file in
            group.files.iter().map(|&id| inventory.file(id)).filter(|file| is_data(file) && file.state() == *state)
        {
            let list = by_content.entry(file.content()).or_default();
            if list.last() != Some(&at) {
                list.push(at);
            }
        }
    }
    if by_content.is_empty() {
        return;
    }
    let mut more: Vec<Vec<FileId>> = vec![Vec::new(); groups.len()];
    let mut note = |link: File<'_>, content: FileId| {
        let groups = by_content.get(&content);
        for &at in groups.into_iter().flatten() {
            if let Some(list) = more.get_mut(at) {
                list.push(link.id());
            }
        }
        groups.is_some()
    };
    let mut names: HashSet<&[u8]> = HashSet::new();
    names.extend(groups.values().flat_map(|group| &group.files).map(|&id| path::name(inventory.file(id).path())));
    for link in inventory.all().filter(|file| file.kind() == Kind::Hardlink) {
        if note(link, link.content()) {
            names.insert(path::name(link.path()));
        }
    }
    // To follow every link of an image costs more than all the rest. One that leads to a file of a finding ends in
    // the name of that file, or of another link that does.
    let mut links: Vec<File<'_>> = inventory.files().filter(|file| file.kind() == Kind::Symlink).collect();
    for _ in 0..LINKS_MAX {
        let (candidates, rest): (Vec<_>, Vec<_>) =
            links.into_iter().partition(|link| names.contains(last_component(link.link())));
        let before = names.len();
        for link in candidates {
            if inventory.resolve(link.path()).is_some_and(|file| note(link, file.content())) {
                names.insert(path::name(link.path()));
            }
        }
        if names.len() == before {
            break;
        }
        links = rest;
    }
    for (((_, state, _), group), more) in groups.iter_mut().zip(more) {
        group.files.extend(more.into_iter().filter(|&id| inventory.file(id).state() == *state));
    }
}

/// The last component of a link's raw target.
fn last_component(target: &[u8]) -> &[u8] {
    target.rsplit(|&b| b == b'/').find(|part| !part.is_empty()).unwrap_or_default()
}

fn is_data(file: &File<'_>) -> bool {
    matches!(file.kind(), Kind::File | Kind::Hardlink)
}

/// One group on its way to a finding. Sums saturate: a sparse file may claim any size.
struct Make<'a> {
    inventory: &'a Inventory,
    image: &'a ImageInfo,
    rule: &'a Rule,
    state: State,
    root: Root,
    group: Group,
}

impl Make<'_> {
    fn finding(self) -> Finding {
        let mut finding = empty_finding(self.rule, &root_word(&self.root), self.state);
        finding.severity = finding.severity.max(self.group.raised.unwrap_or(Severity::Note));
        let contents = self.contents();
        finding.bytes = contents.values().fold(0, |sum, size| size.saturating_add(sum));
        finding.paths = self.paths();
        finding.layer = self.layer(&contents);
        match self.state {
            State::Live => finding.buried_bytes = self.older_copies(&contents),
            State::Buried => {
                finding.severity = finding.severity.min(buried_severity(finding.bytes));
                finding.title = format!("{} in a lower layer: removed later, still shipped", self.rule.subject);
                finding.why = format!(
                    "{} A later layer hides the files; they can not be started, but their bytes are shipped with every \
                     pull and anybody can read them.",
                    finding.why
                );
                finding.hidden_by = self.hidden_by();
            }
        }
        if self.group.part_of.is_some() {
            finding.severity = Severity::Note;
        }
        finding.part_of.clone_from(&self.group.part_of);
        finding.confidence = self.group.confidence.unwrap_or(Confidence::Medium);
        finding.owner = self.owner();
        finding.version = self.group.versions.values().next().map(|versions| version(self.rule, versions));
        finding.evidence = self.group.evidence.into_iter().collect();
        finding.packages = self.group.packages.into_iter().collect();
        finding
    }

    fn files(&self) -> impl Iterator<Item = File<'_>> {
        self.group.files.iter().map(|&id| self.inventory.file(id))
    }

    /// The bytes behind the files, each content once, however many names it has.
    fn contents(&self) -> BTreeMap<FileId, u64> {
        self.inventory.contents_of(self.files())
    }

    /// The files by root directory; a content is counted where its first name stands.
    fn paths(&self) -> Vec<PathGroup> {
        let mut groups: BTreeMap<ImagePath, (u64, BTreeSet<ImagePath>)> = BTreeMap::new();
        let mut counted = HashSet::new();
        for file in self.files() {
            let root = match &self.root {
                Root::Dir(dir) if path::is_below(file.path(), dir.as_bytes()) => dir.clone(),
                _ => ImagePath::new(install_prefix(file.path())),
            };
            let (bytes, paths) = groups.entry(root).or_default();
            paths.insert(ImagePath::new(file.path()));
            if is_data(&file) && counted.insert(file.content()) {
                *bytes = bytes.saturating_add(self.inventory.file(file.content()).stored());
            }
        }
        let group = |(root, (bytes, paths)): (ImagePath, (u64, BTreeSet<_>))| PathGroup {
            root,
            bytes,
            files: paths.into_iter().collect(),
        };
        groups.into_iter().map(group).collect()
    }

    /// Bytes of what lower layers have at the same paths.
    fn older_copies(&self, contents: &BTreeMap<FileId, u64>) -> u64 {
        let older = self.files().flat_map(|file| self.inventory.buried_at(file.path()));
        let older: BTreeSet<FileId> =
            older.filter(is_data).map(|file| file.content()).filter(|id| !contents.contains_key(id)).collect();
        let older = older.into_iter().map(|id| self.inventory.file(id)).filter(|file| file.state() == State::Buried);
        older.fold(0, |sum, file| file.stored().saturating_add(sum))
    }

    /// The layer that brought most of the bytes; without bytes, that of the first file or record.
    fn layer(&self, contents: &BTreeMap<FileId, u64>) -> Option<LayerRef> {
        let mut bytes: BTreeMap<u32, u64> = BTreeMap::new();
        for (&id, size) in contents {
            let sum = bytes.entry(self.inventory.file(id).layer()).or_default();
            *sum = sum.saturating_add(*size);
        }
        let first = || {
            let record = self.group.evidence.iter().find_map(|evidence| evidence.path.as_ref());
            let record = record.and_then(|path| self.inventory.get(path.as_bytes()));
            self.files().next().or(record).map(|file| file.layer())
        };
        most(&bytes).or_else(first).map(|layer| self.image.layer_ref(layer))
    }

    /// The layer that hid most of the bytes.
    fn hidden_by(&self) -> Option<LayerRef> {
        let mut bytes: BTreeMap<u32, u64> = BTreeMap::new();
        for file in self.files() {
            if let Some(by) = file.hidden_by() {
                let sum = bytes.entry(by).or_default();
                *sum = sum.saturating_add(file.stored());
            }
        }
        most(&bytes).map(|layer| self.image.layer_ref(layer))
    }

    fn owner(&self) -> String {
        let of_files: BTreeSet<&str> =
            self.files().filter(is_data).map(|file| file.owner().map_or("none", |p| p.manager.word())).collect();
        let of_files = if of_files.len() == 1 { of_files.first().copied() } else { None };
        match &self.root {
            Root::Manager(manager) => manager.word(),
            Root::Dir(_) if self.group.owners.len() == 1 => self.group.owners.first().copied().unwrap_or("none"),
            Root::Dir(_) => of_files.unwrap_or("none"),
        }
        .to_string()
    }
}

/// The version of what was found. Where packages differ, that of the one the tool is named after; where none is, each
/// version stands behind its package, since two numbers alone would read as two versions of one tool.
fn version(rule: &Rule, versions: &Versions) -> String {
    // Debian's gcc stands for gcc-12 and has a version of its own.
    let stands_for = |name: &str| {
        let release = |other: &str| other.strip_prefix(name).is_some_and(is_release);
        versions.keys().any(|other| release(other))
    };
    let versions: BTreeMap<&str, &BTreeSet<String>> =
        versions.iter().map(|(name, all)| (name.as_str(), all)).filter(|(name, _)| !stands_for(name)).collect();
    let id = rule.about.id.rsplit('/').next().unwrap_or_default();
    let named = versions.get(id).or_else(|| versions.get(rule.subject.to_lowercase().as_str()));
    let all: BTreeSet<&String> = versions.values().copied().flatten().collect();
    let words: Vec<String> = match named {
        Some(versions) => versions.iter().cloned().collect(),
        None if all.len() == 1 || versions.len() == 1 => all.into_iter().cloned().collect(),
        None => versions.iter().flat_map(|(name, all)| all.iter().map(move |one| format!("{name} {one}"))).collect(),
    };
    words.join(", ")
}

/// Whether a name goes on with a release: `-12`, `-1.63`.
fn is_release(rest: &str) -> bool {
    let digits = rest.strip_prefix('-').unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The most that a buried finding is worth: what is hidden can not be started, so only the bytes are left to mind.
///
/// The step at 50 MB is the one that leftovers have: below it a pull is slowed by less than a second at 500 Mbit/s.
fn buried_severity(bytes: u64) -> Severity {
    if bytes > 50_000_000 { Severity::Medium } else { Severity::Low }
}

/// The lowest layer with the highest number.
fn most(bytes: &BTreeMap<u32, u64>) -> Option<u32> {
    bytes.iter().max_by_key(|(layer, bytes)| (**bytes, std::cmp::Reverse(**layer))).map(|(layer, _)| *layer)
}
