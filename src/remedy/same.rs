//! The image that the old stage stands on, as the base of the last one as well.
//!
//! Its layers are part of the image that was read, so its files, packages and bytes are known without any engine. What has
//! to be told is what the Dockerfile did to them: what it took away would be there again, and directories that it gave to
//! somebody else would be as they were.

use std::collections::{HashMap, HashSet};

use super::{
    Runs, Stop, Subject,
    evidence::{Evidence, is_gone},
};
use crate::{
    inventory::{File, Inventory, Package},
    model::{Family, Finding, Kind, Manager, State, path},
};

/// Most words that repeat what was taken away: beyond that nobody could say what they are for.
const REMOVED_MAX: usize = 24;

/// Removed entries of a directory that was emptied, from which on a star stands for them.
const STAR: usize = 4;

/// Directories of which nothing is missed when it is there again: it costs bytes that the base has anyway.
const OF_NO_USE: [&[u8]; 12] = [
    b"dev",
    b"lib/apk",
    b"proc",
    b"run",
    b"sys",
    b"tmp",
    b"usr/share/doc",
    b"usr/share/info",
    b"usr/share/man",
    b"var/cache",
    b"var/lib/apt",
    b"var/tmp",
];

/// The base image, made again of the lowest layers.
pub(super) struct Same {
    /// Its files.
    pub base: Inventory,
    /// Why nothing smaller is known.
    pub why: String,
    /// The fingerprints of findings that another stage would keep out elsewhere, and that stay since the base brought them.
    pub stays: Vec<String>,
    /// Their names, in a few words.
    pub names: String,
    own_from: u32,
}

/// A directory of the base that the Dockerfile gave to somebody else, or to which it let others write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Turned {
    pub path: Vec<u8>,
    pub owner: Option<(u32, u32)>,
    pub mode: Option<u16>,
}

impl Same {
    /// Takes the base out of the image.
    ///
    /// # Errors
    /// When nothing that should go lies above it.
    pub(super) fn of(subject: &Subject<'_>, evidence: &Evidence<'_>, why: String) -> Result<Self, Stop> {
        let count = usize::try_from(evidence.own_from).unwrap_or(usize::MAX);
        let layers = subject.inventory.layers().get(..count).unwrap_or_default();
        if layers.is_empty() {
            return Stop::refused(format!("{why}, and none of its layers were told from those above it"));
        }
        let gone = || subject.findings.iter().filter(|finding| is_gone(finding));
        let stays: Vec<&Finding> = gone().filter(|finding| brought(subject, finding, evidence.own_from)).collect();
        let names = named(&stays);
        // Who compiles on a base to run what comes of it needs the base for nothing else.
        let is_builder =
            evidence.runs == Runs::Program && stays.iter().any(|finding| finding.family == Family::BuildTool);
        if is_builder || !stays.is_empty() && stays.len() == gone().count() {
            return Stop::refused(format!(
                "{why}, and another stage upon it would keep too little out: it brought {names} itself. \
                 Build on it, and end with a stage on an image of yours that runs programs only"
            ));
        }
        let stays = stays.into_iter().map(|finding| finding.fingerprint.clone()).collect();
        Ok(Self { base: Inventory::build(layers.to_vec()), why, own_from: evidence.own_from, stays, names })
    }

    /// Whether a file of the image's own was part of the base, and is another one for a reason that no package manager had.
    pub(super) fn is_changed(&self, file: &File<'_>) -> bool {
        let Some(old) = self.base.get(file.path()) else { return false };
        match (old.owner(), file.owner()) {
            (Some(old), Some(new)) => old.version == new.version,
            (None, None) => true,
            _ => false,
        }
    }

    /// The packages of the base that are there in another version.
    pub(super) fn upgraded<'s>(&'s self, now: &'s Inventory) -> impl Iterator<Item = &'s str> {
        let of_system = |one: &&Package| {
            one.state == State::Live && matches!(one.manager, Manager::Deb | Manager::Apk | Manager::Rpm)
        };
        let old = self.base.packages().iter().filter(of_system);
        let old: HashMap<&str, &str> = old.map(|one| (one.name.as_str(), one.version.as_str())).collect();
        let newer = move |one: &&Package| old.get(one.name.as_str()).is_some_and(|version| *version != one.version);
        now.packages().iter().filter(of_system).filter(newer).map(|one| one.name.as_str())
    }

    /// The words of `rm -rf` that repeat what the Dockerfile took away of the base.
    ///
    /// # Errors
    /// When they are too many to be said.
    pub(super) fn removed(&self, now: &Inventory) -> Result<Vec<Removed>, Stop> {
        // In the order of the bytes of paths: behind `x` may come `x-y`, and then `x/z`.
        let (mut gone, mut away) = (Vec::<&[u8]>::new(), HashSet::<&[u8]>::new());
        let all: Vec<File<'_>> = self.base.files().collect();
        for file in &all {
            let name = file.path();
            if away.contains(path::parent(name)) {
                away.insert(name);
                continue;
            }
            // A link where a directory was, or the other way round, can not be laid over it.
            let there = now.get(name).is_some_and(|new| (new.kind() == Kind::Dir) == (file.kind() == Kind::Dir));
            if !there && !is_of_no_use(file) {
                gone.push(name);
                away.insert(name);
            }
        }
        let too_many = || {
            Stop::refused(format!(
                "the Dockerfile takes {} files of its base image away, too many to say that again: they would come back",
                away.len()
            ))
        };
        let mut by_dir: HashMap<&[u8], usize> = HashMap::new();
        for name in &gone {
            *by_dir.entry(path::parent(name)).or_default() += 1;
        }
        // Each directory wants a word at least, and to look whether one was emptied takes a look at all files.
        if by_dir.len() > REMOVED_MAX {
            return too_many();
        }
        let emptied = |dir: &[u8]| {
            let mut inside = all.iter().filter(|file| path::parent(file.path()) == dir && !file.path().is_empty());
            let seen = |file: &File<'_>| !path::name(file.path()).starts_with(b".");
            inside.all(|file| gone.binary_search(&file.path()).is_ok() && seen(file))
        };
        let stars = by_dir.into_iter().filter(|(dir, count)| *count >= STAR && !dir.is_empty());
        let stars: HashSet<&[u8]> = stars.map(|(dir, _)| dir).filter(|dir| emptied(dir)).collect();
        let mut words: Vec<Removed> = Vec::new();
        for name in &gone {
            let dir = path::parent(name);
            let word = match stars.contains(dir) {
                true => Removed::Inside(dir.to_vec()),
                false => Removed::Path(name.to_vec()),
            };
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
        if words.len() > REMOVED_MAX { too_many() } else { Ok(words) }
    }

    /// The directories of the base that belong to somebody else now, or that other people may write to.
    pub(super) fn turned(&self, now: &Inventory) -> Vec<Turned> {
        let dirs = self.base.files().filter(|file| file.kind() == Kind::Dir && !is_of_no_use_but_cache(file.path()));
        let turned = dirs.filter_map(|old| {
            let new = now.get(old.path()).filter(|new| new.kind() == Kind::Dir && new.layer() >= self.own_from)?;
            let (owner, mode) = ((new.uid(), new.gid()), new.mode());
            Some(Turned {
                path: old.path().to_vec(),
                owner: (owner != (old.uid(), old.gid())).then_some(owner),
                mode: (mode != old.mode()).then_some(mode),
            })
        });
        turned.filter(|turned| turned.owner.is_some() || turned.mode.is_some()).collect()
    }
}

/// A word of `rm -rf`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Removed {
    /// This, with everything below it.
    Path(Vec<u8>),
    /// Everything in this directory.
    Inside(Vec<u8>),
}

/// Whether a finding came with the layers below this one, at least a part of it.
fn brought(subject: &Subject<'_>, finding: &Finding, own_from: u32) -> bool {
    let files = finding.paths.iter().flat_map(|group| &group.files);
    let mut found = files.filter_map(|path| match finding.state {
        State::Live => subject.inventory.get(path.as_bytes()),
        State::Buried => subject.inventory.buried_at(path.as_bytes()).next(),
    });
    found.any(|file| file.layer() < own_from)
}

/// The names of findings, in a few words.
fn named(findings: &[&Finding]) -> String {
    const SHOWN: usize = 4;
    let mut names: Vec<&str> = Vec::new();
    for finding in findings {
        if !names.contains(&finding.subject.as_str()) {
            names.push(&finding.subject);
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

fn is_of_no_use(file: &File<'_>) -> bool {
    let name = file.path();
    let log = path::is_below(name, b"var/log") && file.kind() == Kind::File;
    let backup = path::parent(name) == b"etc" && name.ends_with(b"-");
    let compiled = name.split(|&byte| byte == b'/').any(|part| part == b"__pycache__");
    log || backup || compiled || OF_NO_USE.iter().any(|dir| path::is_below(name, dir))
}

/// Directories below caches and `run` are where servers write; those of package managers are not.
fn is_of_no_use_but_cache(name: &[u8]) -> bool {
    let below = |dir: &&[u8]| path::is_below(name, dir);
    let written: [&[u8]; 2] = [b"run", b"var/cache"];
    OF_NO_USE.iter().filter(|dir| !written.contains(*dir)).any(below)
        || [&b"var/cache/apt"[..], b"var/cache/debconf"].iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::tests::{Layer, layer},
        model::{Fact, PackageRow},
    };

    fn same(base: Layer, own: Layer) -> (Same, Inventory) {
        let now = Inventory::build(vec![base.clone().facts(), own.facts()]);
        let base = Inventory::build(vec![base.facts()]);
        (Same { base, why: String::new(), stays: Vec::new(), names: String::new(), own_from: 1 }, now)
    }

    fn words(base: Layer, own: Layer) -> Result<Vec<String>, Stop> {
        let (same, now) = same(base, own);
        let show = |word: &Removed| match word {
            Removed::Path(path) => String::from_utf8_lossy(path).into_owned(),
            Removed::Inside(dir) => format!("{}/*", String::from_utf8_lossy(dir)),
        };
        Ok(same.removed(&now)?.iter().map(show).collect())
    }

    #[test]
    fn what_the_dockerfile_takes_away_of_the_base_is_said_again() {
        let html = |names: &[&str]| {
            names.iter().fold(layer().file("etc/nginx/nginx.conf"), |l, n| l.file(&format!("srv/html/{n}")))
        };
        let two = html(&["50x.html", "index.html"]);
        for (base, own, want) in [
            (two.clone(), layer().whiteout("srv/html/index.html"), vec!["srv/html/index.html"]),
            (two.clone(), layer().whiteout("srv/html"), vec!["srv/html"]),
            (
                two.clone(),
                layer().whiteout("srv/html").file("srv/html/mine"),
                vec!["srv/html/50x.html", "srv/html/index.html"],
            ),
            (two.clone(), layer().file("srv/html/index.html"), vec![]),
            (
                layer().file("opt/x/a").file("opt/x/b").file("opt/x-y/a").file("opt/z"),
                layer().whiteout("opt/x").whiteout("opt/x-y"),
                vec!["opt/x", "opt/x-y"],
            ),
            (two, layer().link("srv/html", "/app/dist"), vec!["srv/html"]),
            (
                html(&["a", "b", "c", "d"]),
                ["a", "b", "c", "d"]
                    .iter()
                    .fold(layer().file("srv/html/e"), |l, n| l.whiteout(&format!("srv/html/{n}"))),
                vec!["srv/html/*"],
            ),
            (
                html(&["a", "b", "c", "d", "e"]),
                ["a", "b", "c", "d"].iter().fold(layer(), |l, n| l.whiteout(&format!("srv/html/{n}"))),
                vec!["srv/html/a", "srv/html/b", "srv/html/c", "srv/html/d"],
            ),
            (layer().file("var/log/dpkg.log").file("x"), layer().whiteout("var/log/dpkg.log"), vec![]),
            (layer().file("var/lib/apt/lists/a").file("x"), layer().whiteout("var/lib/apt/lists/a"), vec![]),
            (layer().link("var/log/a.log", "/dev/stdout"), layer().whiteout("var/log/a.log"), vec!["var/log/a.log"]),
        ] {
            assert_eq!(words(base, own), Ok(want.iter().map(|word| word.to_string()).collect()));
        }
    }

    #[test]
    fn what_is_taken_away_in_too_many_places_is_refused() {
        let names: Vec<String> = (0..60).map(|number| format!("opt/{number:02}/x")).collect();
        let base = names.iter().fold(layer(), |layer, name| layer.file(name).file(&name.replace('x', "y")));
        let own = names.iter().fold(layer(), |layer, name| layer.whiteout(name));
        assert!(matches!(words(base, own), Err(Stop::Refused(why)) if why.contains("60 files")));
    }

    #[test]
    fn directories_that_were_given_away_or_opened_are_told() {
        let base = layer().of("var/lib/x", Kind::Dir, (0, 0), 0o755).of("srv", Kind::Dir, (0, 0), 0o755);
        let base = base.of("tmp/x", Kind::Dir, (0, 0), 0o755).of("opt", Kind::Dir, (0, 0), 0o755);
        let own = layer().of("var/lib/x", Kind::Dir, (33, 33), 0o755).of("srv", Kind::Dir, (0, 0), 0o775);
        let own = own.of("tmp/x", Kind::Dir, (33, 33), 0o755).of("opt", Kind::Dir, (0, 0), 0o755);
        let (same, now) = same(base, own.of("data", Kind::Dir, (33, 33), 0o755));
        let turned = |path: &str, owner, mode| Turned { path: path.as_bytes().to_vec(), owner, mode };
        let want = [turned("srv", None, Some(0o775)), turned("var/lib/x", Some((33, 33)), None)];
        assert_eq!(same.turned(&now), want, "neither what is as it was, nor what is new, nor what nobody misses");
    }

    #[test]
    fn a_file_of_the_base_is_changed_where_no_package_manager_wrote_it_again() {
        let (same, now) = same(layer().file("etc/a").file("etc/b"), layer().file("etc/a").file("etc/c"));
        for (name, changed) in [("etc/a", true), ("etc/c", false)] {
            let file = now.get(name.as_bytes()).expect("it is there");
            assert_eq!(same.is_changed(&file), changed, "{name}");
        }
    }

    #[test]
    fn packages_of_the_base_in_another_version_are_told_and_packages_of_a_language_are_not() {
        let rows = |version: &str, manager| {
            let row = PackageRow { name: "tar".into(), version: version.into(), ..PackageRow::default() };
            Fact::Packages { manager, rows: vec![row] }
        };
        let of = |version, manager| layer().file("lib/apk/db/installed").fact(rows(version, manager));
        for (version, manager, want) in
            [("1", Manager::Apk, &[][..]), ("2", Manager::Apk, &["tar"]), ("2", Manager::Npm, &[])]
        {
            let (same, now) = same(of("1", Manager::Apk), of(version, manager));
            assert_eq!(same.upgraded(&now).collect::<Vec<_>>(), want, "{version} {manager:?}");
        }
    }
}
