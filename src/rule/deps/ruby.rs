//! Tells which installed gems only development needs: what the literal groups of a `Gemfile` lead to in its lock, and
//! nothing else.
//!
//! Gems that come with Ruby are none: their specifications are elsewhere, no lock of the image names them, or they are
//! among those that Ruby installs beside its own and lie in the same layer. That Bundler was told to leave groups out (`BUNDLE_WITHOUT`) matters only where it did: what is there, is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    inventory::{File, Inventory, Package},
    model::{
        Confidence, Evidence, EvidenceClass, GemLock, Gemfile, ImagePath, Lang, Manager, PackageRef, State,
        path::{escape, parent},
    },
};

use super::{
    DevPackages,
    graph::names_needed,
    project::{Homes, is_development},
};

/// Gems that Ruby installs beside its own, where others are installed as well: `gems/bundled_gems` of its sources, 2.7 to 3.4.
const BUNDLED: [&str; 29] = [
    "abbrev",
    "base64",
    "bigdecimal",
    "csv",
    "debug",
    "drb",
    "getoptlong",
    "matrix",
    "minitest",
    "mutex_m",
    "net-ftp",
    "net-imap",
    "net-pop",
    "net-smtp",
    "net-telnet",
    "nkf",
    "observer",
    "power_assert",
    "prime",
    "racc",
    "rake",
    "rbs",
    "repl_type_completor",
    "resolv-replace",
    "rexml",
    "rinda",
    "rss",
    "syslog",
    "test-unit",
];

/// Finds the dev dependencies of every directory that gems are installed into.
pub(super) fn find(inventory: &Inventory, records: &[(File<'_>, &Lang)]) -> Vec<DevPackages> {
    let said = said(records);
    if said.is_empty() {
        return Vec::new();
    }
    let mut trees: BTreeMap<(&[u8], State), Vec<&Package>> = BTreeMap::new();
    for package in inventory.packages().iter().filter(|package| package.manager == Manager::Gem) {
        let home = parent(parent(inventory.file(package.home).path()));
        trees.entry((home, package.state)).or_default().push(package);
    }
    let homes = Homes::of(said.iter().map(|said| said.dir), trees.keys().map(|(root, _)| *root));
    let mut found = Vec::new();
    for (at, ((root, state), gems)) in trees.iter().enumerate() {
        let kept = (*state == State::Buried).then(|| trees.get(&(*root, State::Live))).flatten();
        let said: Vec<&Said<'_>> = homes.of_tree(at, root).into_iter().filter_map(|at| said.get(at)).collect();
        found.extend(judge(inventory, (root, *state), gems, kept.map_or(&[][..], |kept| kept), &said));
    }
    found
}

/// What a Gemfile and its lock say.
struct Said<'a> {
    dir: &'a [u8],
    file: File<'a>,
    main: HashSet<&'a str>,
    /// Names for development only, with their versions.
    dev: HashMap<&'a str, &'a str>,
    groups: BTreeSet<&'a str>,
}

fn said<'a>(records: &[(File<'a>, &'a Lang)]) -> Vec<Said<'a>> {
    let mut files: Vec<_> = records.iter().collect();
    files.sort_by_key(|(file, _)| (file.state() == State::Live, file.layer()));
    let mut gemfiles: BTreeMap<&[u8], (File<'a>, &'a Gemfile)> = BTreeMap::new();
    let mut locks: HashMap<&[u8], &'a GemLock> = HashMap::new();
    for (file, lang) in files {
        match lang {
            Lang::Gemfile(gemfile) => drop(gemfiles.insert(parent(file.path()), (*file, gemfile))),
            Lang::GemLock(lock) => drop(locks.insert(parent(file.path()), lock)),
            _ => {}
        }
    }
    let pairs = gemfiles.into_iter().filter_map(|(dir, (file, gemfile))| Some((dir, file, gemfile, *locks.get(dir)?)));
    pairs.filter_map(|(dir, file, gemfile, lock)| said_by(dir, file, gemfile, lock)).collect()
}

fn said_by<'a>(dir: &'a [u8], file: File<'a>, gemfile: &'a Gemfile, lock: &'a GemLock) -> Option<Said<'a>> {
    let mut groups = BTreeSet::new();
    let mut named: HashMap<&str, bool> = HashMap::new();
    for (name, of) in &gemfile.gems {
        let is_dev = !of.is_empty() && of.iter().all(|group| is_development(group));
        *named.entry(name).or_insert(true) &= is_dev;
        groups.extend(of.iter().filter(|_| is_dev).map(String::as_str));
    }
    let own: HashSet<&str> = lock.own.iter().map(String::as_str).collect();
    // A `gemspec` line puts the development dependencies of that gem into the group `development`.
    let is_dev = |name: &str| match named.get(name) {
        Some(is_dev) => *is_dev,
        None => gemfile.gemspec && !own.contains(name),
    };
    if gemfile.gemspec {
        groups.insert("development");
    }
    let mut needs: HashMap<&str, Vec<&[String]>> = HashMap::new();
    lock.gems.iter().for_each(|(name, _, depends)| needs.entry(name).or_default().push(depends));
    let roots = || lock.roots.iter().map(String::as_str);
    let main = names_needed(&needs, roots().filter(|name| !is_dev(name)));
    let dev = names_needed(&needs, roots().filter(|name| is_dev(name)));
    let versions = lock.gems.iter().map(|(name, version, _)| (name.as_str(), version.as_str()));
    let dev: HashMap<_, _> = versions.filter(|(name, _)| dev.contains(name) && !main.contains(name)).collect();
    (!dev.is_empty()).then_some(Said { dir, file, main, dev, groups })
}

/// The layer in which Ruby itself installed its own gems into this directory.
fn layer_of_ruby(inventory: &Inventory, root: &[u8]) -> Option<u32> {
    let own = [root, b"/specifications/default"].concat();
    inventory.resolve(&own)?;
    inventory.files().find(|file| parent(file.path()) == own).map(|file| file.layer())
}

fn judge(
    inventory: &Inventory,
    (root, state): (&[u8], State),
    gems: &[&Package],
    kept: &[&Package],
    said: &[&Said<'_>],
) -> Option<DevPackages> {
    let installed: HashSet<&str> = gems.iter().chain(kept).map(|gem| gem.name.as_str()).collect();
    // The lock of some other program, whose gems happen to be here, says nothing.
    let said: Vec<_> = said
        .iter()
        .filter(|said| installed.iter().filter(|name| said.main.contains(**name)).count() * 2 >= said.main.len())
        .collect();
    let ruby = layer_of_ruby(inventory, root);
    let is_dev = |gem: &Package| {
        let named = |said: &Said<'_>| said.dev.get(gem.name.as_str()).is_some_and(|version| *version == gem.version);
        let home = inventory.file(gem.home);
        home.owner().is_none_or(|owner| owner.manager == Manager::Gem)
            && !(ruby == Some(home.layer()) && BUNDLED.contains(&gem.name.as_str()))
            && said.iter().any(|said| named(said))
            && !said.iter().any(|said| said.main.contains(gem.name.as_str()))
    };
    let mut needs: HashMap<&str, Vec<&[String]>> = HashMap::new();
    gems.iter().for_each(|gem| needs.entry(&gem.name).or_default().push(&gem.depends));
    // What nobody speaks of was installed for a reason of its own, and so was what it needs.
    let others = gems.iter().filter(|gem| !is_dev(gem)).map(|gem| gem.name.as_str());
    let needed = names_needed(&needs, others);
    let kept: HashSet<(&str, &str)> = kept.iter().map(|gem| (gem.name.as_str(), gem.version.as_str())).collect();
    let dev: Vec<&&Package> = gems
        .iter()
        .filter(|gem| is_dev(gem) && !needed.contains(gem.name.as_str()))
        .filter(|gem| !kept.contains(&(gem.name.as_str(), gem.version.as_str())))
        .collect();
    if dev.is_empty() {
        return None;
    }
    let evidence = |said: &Said<'_>| {
        let count = dev.iter().filter(|gem| said.dev.contains_key(gem.name.as_str())).count();
        let groups: Vec<&str> = said.groups.iter().copied().collect();
        let groups = escape(groups.join(", ").as_bytes());
        let witness = format!("{count} of the gems are for {groups} only, not for production");
        let path = Some(ImagePath::new(said.file.path()));
        (count > 0).then_some(Evidence { class: EvidenceClass::Record, witness, path })
    };
    Some(DevPackages {
        root: ImagePath::new(root),
        place: ImagePath::new(root),
        state,
        confidence: Confidence::High,
        evidence: said.iter().filter_map(|said| evidence(said)).collect(),
        count: dev.len(),
        of: gems.len(),
        packages: dev
            .iter()
            .map(|gem| PackageRef { manager: Manager::Gem, name: gem.name.clone(), version: gem.version.clone() })
            .collect(),
        files: dev.iter().flat_map(|gem| gem.files.iter().copied()).collect(),
    })
}
