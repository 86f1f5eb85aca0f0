//! Which packages of the distribution the last stage installs, and how many bytes they bring.

use std::collections::HashSet;

use super::{
    Runs, Subject,
    base::{Chosen, is_as_package},
    cover::{Leaf, Pick},
    evidence::{Evidence, is_needed, of_distribution},
    same::Same,
    select::Wanted,
};
use crate::{
    inventory::{
        Inventory, Package,
        loader::{Loader, Need},
        reach::How,
    },
    model::{Fact, Family, Manager, State, path},
};

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

/// The packages that own the libraries of what is taken.
pub(super) fn libraries(subject: &Subject<'_>, evidence: &Evidence<'_>, rows: &[(&[u8], Leaf)], wanted: &mut Wanted) {
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
pub(super) fn started(subject: &Subject<'_>, evidence: &Evidence<'_>, wanted: &mut Wanted) {
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
        // A server in C starts no interpreter by itself; what its scripts start was met on the way.
        let roles = &subject.catalogue.roles;
        let idle = |name: &str| evidence.runs == Runs::Server && roles.is_runtime(name);
        let is_needed = |name: &str| !flagged.contains(name) && !idle(name);
        let named = by_name(subject, evidence).map(|package| package.name.as_str());
        wanted.packages.extend(named.filter(|name| is_needed(name)).map(str::to_string));
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
    same: Option<&Same>,
) -> Vec<String> {
    if !chosen.has_shell {
        return Vec::new();
    }
    let newer: HashSet<&str> = same.into_iter().flat_map(|same| same.upgraded(subject.inventory)).collect();
    let has = |name: &str| match known {
        Some(_) if newer.contains(name) => false,
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
        if there(name) && !names.iter().any(|named| named == name) || !seen.insert(name) {
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
