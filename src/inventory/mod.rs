//! The merged image: live and buried files, who owns a path, packages, users.
//!
//! Answers questions about the whole image. It does not know where bytes came from, and it judges nothing.

mod index;
pub mod ledger;
pub mod loader;
mod merge;
pub mod node;
mod owner;
pub mod reach;
#[cfg(test)]
pub(crate) mod tests;
pub mod vouch;

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use crate::model::{
    Entry, EntryId, EntryTable, Fact, Format, Group, ImagePath, Kind, LayerFacts, Manager, Notice, Release, State,
    Totals, User, path,
};

pub use self::owner::is_module_dir;
use self::{
    index::PathIndex,
    merge::{Merged, Node},
    node::NodeProjects,
    vouch::Vouchers,
};

/// Links that are followed before a path counts as a loop, as Linux does (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// Hard links without a file that are listed; one is enough to know that the image was not read completely.
const LOST_LINKS_MAX: usize = 20;

/// A file of the image, live or buried: its position in the inventory.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId(u32);

/// A package of the image: its position in [`Inventory::packages`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PackageId(u32);

impl PackageId {
    /// The package at this position of [`Inventory::packages`].
    pub(crate) fn at(at: usize) -> Self {
        Self(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// Its position in [`Inventory::packages`].
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All layers of an image laid over each other.
pub struct Inventory {
    layers: Vec<LayerFacts>,
    implied: EntryTable,
    /// Live files sorted by path, then buried files sorted by path and layer.
    nodes: Vec<Node>,
    live: usize,
    /// The live nodes by path.
    index: PathIndex,
    /// The lowest of the buried nodes of each path, counted from the first buried one.
    hidden: PathIndex,
    /// For every hard link the file it is another name of.
    targets: Vec<(FileId, FileId)>,
    packages: Vec<Package>,
    owners: Vec<Option<PackageId>>,
    node: NodeProjects,
    /// Made when it is first asked for: most images never ask.
    vouchers: OnceLock<Vouchers>,
}

/// An installed package, or one that an upper layer removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    /// Whose record it is.
    pub manager: Manager,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Architecture, or empty.
    pub arch: String,
    /// Names of the packages it needs, every alternative among them.
    pub depends: Vec<String>,
    /// Of those the ones of which one is enough.
    pub choices: Vec<Vec<String>>,
    /// Names it goes by beside its own.
    pub provides: Vec<String>,
    /// Names of packages that it would like to have.
    pub weak: Vec<String>,
    /// Whether the package manager refuses to remove it.
    pub essential: bool,
    /// Buried: its record is only in a lower layer's database.
    pub state: State,
    /// Its record: `package.json`, `METADATA`, a gemspec and the like; the database's file for others.
    pub home: FileId,
    /// The files it owns that are in the image, without directories, in path order.
    pub files: Vec<FileId>,
}

impl Inventory {
    /// Merges the layers, lowest first, and finds the owner of every file.
    pub fn build(layers: Vec<LayerFacts>) -> Self {
        let Merged { nodes, live, implied } = merge::merge(&layers);
        let (index, hidden, targets, packages, owners, node, vouchers) = Default::default();
        let mut inventory =
            Self { layers, implied, nodes, live, index, hidden, targets, packages, owners, node, vouchers };
        inventory.index = PathIndex::build(inventory.files().map(|f| f.path()));
        inventory.hidden = PathIndex::build(inventory.buried().map(|f| f.path()));
        inventory.targets = inventory.find_hard_link_targets();
        inventory.note_lost_links();
        let found = owner::find(&inventory);
        inventory.packages = found.packages;
        inventory.owners = found.owners;
        if let Some(file) = found.crowded {
            let text = format!("has more than {} rows of one package; the rest was not read", owner::ROWS_MAX);
            inventory.note_unread(file, text);
        }
        inventory.node = NodeProjects::read(&inventory);
        if let Some(file) = inventory.node.undecided() {
            let text = "asks for more packages than are followed, so its dev dependencies were not judged";
            inventory.note_unread(file, text.to_string());
        }
        inventory
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[LayerFacts] {
        &self.layers
    }

    /// Every live file and directory, sorted by path bytes.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = File<'_>> + ExactSizeIterator {
        (0..self.live as u32).map(|at| self.file(FileId(at)))
    }

    /// Every file that an upper layer hides, sorted by path bytes and layer.
    pub fn buried(&self) -> impl DoubleEndedIterator<Item = File<'_>> + ExactSizeIterator {
        (self.live as u32..self.nodes.len() as u32).map(|at| self.file(FileId(at)))
    }

    /// Every file, the live ones first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = File<'_>> + ExactSizeIterator {
        (0..self.nodes.len() as u32).map(|at| self.file(FileId(at)))
    }

    /// The file with this id. Ids of another inventory give a wrong file or panic.
    pub fn file(&self, id: FileId) -> File<'_> {
        let node = &self.nodes[id.0 as usize];
        let entry = merge::table(&self.layers, &self.implied, node).get(node.entry);
        File { inventory: self, id, node, entry: entry.unwrap_or(NO_ENTRY) }
    }

    /// The live file at exactly this cleaned path; links on the way are not followed.
    pub fn get(&self, path: &[u8]) -> Option<File<'_>> {
        let at = self.index.find(path, |at| self.nodes.get(at as usize).is_some_and(|n| self.path_of(n) == path))?;
        Some(self.file(FileId(at)))
    }

    /// The live files below a directory, itself left out, sorted by path bytes.
    pub fn under(&self, dir: &[u8]) -> impl Iterator<Item = File<'_>> {
        self.range_below(0, self.live, dir)
    }

    /// The buried files below a directory, sorted by path bytes and layer.
    pub fn buried_under(&self, dir: &[u8]) -> impl Iterator<Item = File<'_>> {
        self.range_below(self.live, self.nodes.len(), dir)
    }

    /// The buried files that once were at this path, lowest layer first.
    pub fn buried_at(&self, path: &[u8]) -> impl Iterator<Item = File<'_>> {
        let is_it = |at: u32| self.nodes.get(self.live + at as usize).is_some_and(|node| self.path_of(node) == path);
        let from = self.live + self.hidden.find(path, is_it).unwrap_or(0) as usize;
        let nodes = self.nodes.get(from..).unwrap_or_default();
        let count = nodes.iter().take_while(|node| self.path_of(node) == path).count();
        (from..from + count).map(|at| self.file(FileId(at as u32)))
    }

    fn range_below(&self, from: usize, to: usize, dir: &[u8]) -> impl Iterator<Item = File<'_>> {
        let mut first = dir.to_vec();
        if !dir.is_empty() {
            first.push(b'/');
        }
        let nodes = &self.nodes[from..to];
        let start = nodes.partition_point(|n| self.path_of(n) < first.as_slice());
        let count = nodes[start..].partition_point(|n| self.path_of(n).starts_with(&first));
        (from + start..from + start + count).map(|at| self.file(FileId(at as u32)))
    }

    fn path_of(&self, node: &Node) -> &[u8] {
        merge::table(&self.layers, &self.implied, node).get(node.entry).map_or(b"", |e| e.path)
    }

    /// The live file that a path leads to in the finished tree, symbolic links followed as the kernel does inside
    /// the container; hard links are files of their own.
    pub fn resolve(&self, path: &[u8]) -> Option<File<'_>> {
        let mut todo: Vec<Vec<u8>> = components(path).rev().map(<[u8]>::to_vec).collect();
        let mut at: Vec<u8> = Vec::new();
        let mut found = None;
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                at.truncate(path::parent(&at).len());
                found = self.get(&at);
                continue;
            }
            let here = at.len();
            if here > 0 {
                at.push(b'/');
            }
            at.extend_from_slice(&part);
            let file = self.get(&at)?;
            if file.kind() == Kind::Symlink {
                links += 1;
                if links > LINKS_MAX {
                    return None;
                }
                let link = file.link();
                at.truncate(if link.starts_with(b"/") { 0 } else { here });
                todo.extend(components(link).rev().map(<[u8]>::to_vec));
                found = self.get(&at);
                continue;
            }
            if file.kind() != Kind::Dir && !todo.is_empty() {
                return None;
            }
            found = Some(file);
        }
        found
    }

    /// All packages: those of the live databases, then those that only lower layers' databases know.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The package that owns a file.
    pub fn owner(&self, file: FileId) -> Option<&Package> {
        let id = (*self.owners.get(file.0 as usize)?)?;
        self.packages.get(id.0 as usize)
    }

    /// The id of the package that owns a file.
    pub fn owner_id(&self, file: FileId) -> Option<PackageId> {
        *self.owners.get(file.0 as usize)?
    }

    /// The JavaScript projects, and what each of their packages is there for.
    pub fn node_projects(&self) -> &NodeProjects {
        &self.node
    }

    /// The users of the live `/etc/passwd`, in file order; empty if there is none.
    pub fn users(&self) -> &[User] {
        self.facts_at(b"etc/passwd")
            .find_map(|f| if let Fact::Users(all) = f { Some(&all[..]) } else { None })
            .unwrap_or(&[])
    }

    /// The groups of the live `/etc/group`, in file order; empty if there is none.
    pub fn groups(&self) -> &[Group] {
        self.facts_at(b"etc/group")
            .find_map(|f| if let Fact::Groups(all) = f { Some(&all[..]) } else { None })
            .unwrap_or(&[])
    }

    /// Which release of which distribution it is, where `os-release` tells.
    pub fn release(&self) -> Option<&Release> {
        self.facts_at(b"etc/os-release").find_map(|f| if let Fact::Release(release) = f { Some(release) } else { None })
    }

    /// The packages that were asked for by name, where apk's live `/etc/apk/world` tells.
    pub fn world(&self) -> Option<&[String]> {
        self.facts_at(b"etc/apk/world").find_map(|f| if let Fact::World(all) = f { Some(&all[..]) } else { None })
    }

    /// The packages that apt installed only because others need them, where its live record tells.
    pub fn auto_installed(&self) -> Option<&[String]> {
        self.facts_at(b"var/lib/apt/extended_states")
            .find_map(|f| if let Fact::AutoInstalled(all) = f { Some(&all[..]) } else { None })
    }

    fn facts_at(&self, path: &[u8]) -> impl Iterator<Item = &Fact> {
        self.resolve(path).into_iter().flat_map(|f| self.facts_of(f.content()))
    }

    /// What the probes saw in a file itself (for a hard link ask its [`File::content`]).
    fn facts_of(&self, id: FileId) -> impl Iterator<Item = &Fact> {
        let node = &self.nodes[id.0 as usize];
        let all = match self.layers.get(node.layer as usize) {
            Some(facts) if !node.implied => &facts.observations[..],
            _ => &[],
        };
        let from = all.partition_point(|o| o.entry < node.entry);
        all[from..].iter().take_while(|o| o.entry == node.entry).map(|o| &o.fact)
    }

    /// Every file that a probe had something to say about, with what it said: layer by layer, in archive order.
    pub fn observed(&self) -> impl Iterator<Item = (File<'_>, &Fact)> {
        self.all().filter(|f| f.kind() == Kind::File).flat_map(|f| self.facts_of(f.id).map(move |fact| (f, fact)))
    }

    /// What the layers' readers have to say, with the number of the layer (the lowest is 0).
    pub fn notices(&self) -> impl Iterator<Item = (u32, &Notice)> {
        self.layers.iter().enumerate().flat_map(|(at, l)| l.notices.iter().map(move |n| (at as u32, n)))
    }

    /// Sums over the whole image.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        let kept = self.kept_by_links();
        for file in self.all().filter(|f| matches!(f.kind(), Kind::File | Kind::Hardlink)) {
            let live = file.state() == State::Live;
            *(if live { &mut totals.files } else { &mut totals.buried_files }) += 1;
            let live = live || kept.contains(&file.id());
            let bytes = if live { &mut totals.bytes } else { &mut totals.buried_bytes };
            // A directory on disk may hold sparse files of any size.
            *bytes = bytes.saturating_add(file.stored());
        }
        totals.packages = self.packages.iter().filter(|p| p.state == State::Live).count() as u64;
        totals
    }

    /// The buried files whose content is live all the same, under the name of a hard link.
    fn kept_by_links(&self) -> HashSet<FileId> {
        let state = |id: FileId| self.file(id).state();
        let kept =
            |&&(link, content): &&(FileId, FileId)| state(link) == State::Live && state(content) == State::Buried;
        self.targets.iter().filter(kept).map(|&(_, content)| content).collect()
    }

    /// Pairs every hard link with the file that holds its content. Sorted by link.
    ///
    /// Links are looked at in the order in which engines make them, so that a link to a link is followed in one step.
    fn find_hard_link_targets(&self) -> Vec<(FileId, FileId)> {
        let mut links: Vec<File<'_>> = self.all().filter(|f| f.kind() == Kind::Hardlink).collect();
        links.sort_by_key(|link| (link.layer(), link.node.entry));
        let mut targets: HashMap<FileId, FileId> = HashMap::new();
        for link in links {
            let Some(meant) = self.meant_by(&link) else { continue };
            let content = if meant.kind() == Kind::Hardlink { targets.get(&meant.id).copied() } else { Some(meant.id) };
            targets.extend(content.map(|content| (link.id, content)));
        }
        let mut targets: Vec<_> = targets.into_iter().collect();
        targets.sort_unstable();
        targets
    }

    /// The file that a hard link was made to.
    fn meant_by(&self, link: &File<'_>) -> Option<File<'_>> {
        self.at_link(link.link(), link).or_else(|| {
            // Its directory may be a link of a lower layer.
            let dir = self.resolve(path::parent(link.link()))?;
            self.at_link(&[dir.path(), b"/", path::name(link.link())].concat(), link)
        })
    }

    /// The file that stood at a path when a hard link was made: an earlier entry of the same layer, else what the
    /// layers below show, be it that this layer hides it afterwards. Engines refuse a link to a later entry; here it
    /// is followed when nothing else is there.
    fn at_link(&self, path: &[u8], link: &File<'_>) -> Option<File<'_>> {
        let layer = link.layer();
        let stood = |f: &File<'_>| f.layer() < layer && f.hidden_by().is_none_or(|by| by >= layer);
        let all = || self.buried_at(path).chain(self.get(path));
        let own = all().find(|f| f.layer() == layer && f.id != link.id);
        let earlier = own.filter(|f| f.node.entry < link.node.entry);
        earlier.or_else(|| all().filter(stood).max_by_key(File::layer)).or(own)
    }

    /// Says which hard links lead nowhere: their content was not judged.
    fn note_lost_links(&mut self) {
        let lost = self.all().filter(|f| f.kind() == Kind::Hardlink && f.target().is_none()).take(LOST_LINKS_MAX);
        for link in lost.map(|f| f.id).collect::<Vec<_>>() {
            let text = "is a hard link to a file that is not in the image, so its content was not judged";
            self.note_unread(link, text.to_string());
        }
    }

    fn note_unread(&mut self, file: FileId, text: String) {
        let file = self.file(file);
        let (layer, path) = (file.layer() as usize, Some(ImagePath::new(file.path())));
        if let Some(facts) = self.layers.get_mut(layer) {
            facts.notices.push(Notice { path, text, unread: true });
        }
    }
}

const NO_ENTRY: Entry<'static> = Entry {
    id: EntryId(0),
    path: b"",
    link: b"",
    kind: Kind::File,
    format: Format::Other,
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
};

fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".")
}

/// One file of an [`Inventory`], borrowed.
#[derive(Clone, Copy)]
pub struct File<'a> {
    inventory: &'a Inventory,
    id: FileId,
    node: &'a Node,
    entry: Entry<'a>,
}

impl<'a> File<'a> {
    /// Its position in the inventory.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Cleaned path.
    pub fn path(&self) -> &'a [u8] {
        self.entry.path
    }

    /// Kind.
    pub fn kind(&self) -> Kind {
        self.entry.kind
    }

    /// What its first bytes say; for a hard link what its target's say.
    pub fn format(&self) -> Format {
        match self.target() {
            Some(target) => target.entry.format,
            None => self.entry.format,
        }
    }

    /// Bytes of the file's own: 0 for everything but regular files, so that a sum counts hard links once.
    pub fn size(&self) -> u64 {
        self.entry.size
    }

    /// Bytes of its own in the archive: its size, for a sparse file without its holes.
    pub fn stored(&self) -> u64 {
        merge::table(&self.inventory.layers, &self.inventory.implied, self.node).stored(self.node.entry)
    }

    /// Permission bits with set-uid, set-gid and sticky.
    pub fn mode(&self) -> u16 {
        self.entry.mode
    }

    /// Owning user.
    pub fn uid(&self) -> u32 {
        self.entry.uid
    }

    /// Owning group.
    pub fn gid(&self) -> u32 {
        self.entry.gid
    }

    /// Target of a link: raw for a symbolic link, a cleaned path for a hard link.
    pub fn link(&self) -> &'a [u8] {
        self.entry.link
    }

    /// The layer that brought it, the lowest is 0.
    pub fn layer(&self) -> u32 {
        self.node.layer
    }

    /// The layer that hid it, for a buried file.
    pub fn hidden_by(&self) -> Option<u32> {
        self.node.hidden_by
    }

    /// Live or buried.
    pub fn state(&self) -> State {
        if self.node.hidden_by.is_some() { State::Buried } else { State::Live }
    }

    /// The file that a hard link is another name of.
    pub fn target(&self) -> Option<File<'a>> {
        let targets = &self.inventory.targets;
        if self.entry.kind != Kind::Hardlink {
            return None;
        }
        let at = targets.binary_search_by_key(&self.id, |(link, _)| *link).ok()?;
        targets.get(at).map(|(_, target)| self.inventory.file(*target))
    }

    /// The file whose bytes these are: itself, or the target of a hard link. Equal for all names of one file.
    pub fn content(&self) -> FileId {
        self.target().map_or(self.id, |t| t.id)
    }

    /// What the probes saw in it (for a hard link: in the file it is another name of).
    pub fn facts(&self) -> impl Iterator<Item = &'a Fact> + use<'a> {
        self.inventory.facts_of(self.content())
    }

    /// The package that owns it.
    pub fn owner(&self) -> Option<&'a Package> {
        self.inventory.owner(self.id)
    }
}
