//! What else would go if the packages of a finding were removed, so that advice never takes the program along.
//!
//! Works on the live rows of a distribution's database. Two kinds of packages go with the ones that are removed: those
//! that need them, which go at once; and, where the clean-up asks for it (`apt-get --auto-remove`, always with apk),
//! those that came only because of them. The latter is what a clean-up wants, unless the image's program is among them.
//!
//! Verified against `apt-get -s remove`, `apt-get -s --auto-remove remove` and `apk del -rs`, see the tests.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    inventory::{FileId, Inventory, Package},
    model::{Finding, Manager, State},
};

/// Names of packages that a caution spells out; the rest is counted.
const NAMES_MAX: usize = 5;

/// Packages that apk's own base needs whoever asked for them.
const APK_BASE: [&str; 6] = ["alpine-base", "alpine-baselayout", "apk-tools", "busybox", "busybox-binsh", "musl"];

/// Fills [`Finding::removal`] of every live finding with packages of a distribution.
///
/// `runs` are the files that the image's command is known to use.
pub(super) fn fill(inventory: &Inventory, runs: &[FileId], findings: &mut [Finding]) {
    let of_distribution = |finding: &&mut Finding| finding.state == State::Live && !finding.packages.is_empty();
    for manager in [Manager::Deb, Manager::Apk, Manager::Rpm] {
        let mut graph = None;
        for finding in findings.iter_mut().filter(of_distribution) {
            let names = finding.packages.iter().filter(|package| package.manager == manager);
            let names: BTreeSet<&str> = names.map(|package| package.name.as_str()).collect();
            if names.is_empty() {
                continue;
            }
            let graph = graph.get_or_insert_with(|| Graph::new(inventory, manager, runs));
            let removed = graph.removed(&names);
            let caution = graph.caution(&names, &removed);
            finding.removal.also = graph.names(removed.dependents.iter().copied());
            finding.removal.caution = caution;
        }
    }
}

/// Names of the packages that `apk del` of a virtual package removes with it.
pub(super) fn with_group(inventory: &Inventory, group: &str) -> BTreeSet<String> {
    let graph = Graph::new(inventory, Manager::Apk, &[]);
    let removed = graph.removed(&[group].into());
    graph.names(removed.orphans.into_iter()).into_iter().collect()
}

/// The live packages of one manager and what they need. Packages are known by their places, and so are names, so that
/// a database of whatever shape is gone through once for each question.
struct Graph<'a> {
    manager: Manager,
    packages: Vec<&'a Package>,
    names: Vec<Name>,
    by_name: HashMap<&'a str, usize>,
    groups: Vec<Group>,
    /// Those whose files the image's command uses.
    runs: HashSet<usize>,
    /// Those that stay though nobody needs them; `None` where the image does not tell.
    wanted: Option<Vec<usize>>,
}

/// A name that packages have, provide or need.
#[derive(Default)]
struct Name {
    /// Packages that have or provide it.
    providers: Vec<usize>,
    /// Packages that need it.
    dependents: Vec<usize>,
    /// Groups of which it is a member.
    groups: Vec<usize>,
}

/// Names of which one is enough.
struct Group {
    package: usize,
    /// Members that an installed package has or provides.
    met: usize,
}

/// What goes, by the places of the packages.
struct Removed {
    /// Those that need what is removed.
    dependents: BTreeSet<usize>,
    /// Those that nobody needs any more, and that were needed before.
    orphans: BTreeSet<usize>,
}

impl<'a> Graph<'a> {
    fn new(inventory: &'a Inventory, manager: Manager, runs: &[FileId]) -> Self {
        let live = |package: &&Package| package.manager == manager && package.state == State::Live;
        let packages: Vec<&Package> = inventory.packages().iter().filter(live).collect();
        let (names, by_name, groups) = Default::default();
        let mut graph = Self { manager, packages, names, by_name, groups, runs: HashSet::new(), wanted: None };
        for at in 0..graph.packages.len() {
            graph.add_names(at);
        }
        for at in 0..graph.packages.len() {
            graph.add_needs(at);
        }
        let owners: HashSet<(&str, &str, &str)> = runs
            .iter()
            .filter_map(|&file| inventory.owner(file))
            .filter(|owner| owner.manager == manager)
            .map(|owner| (owner.name.as_str(), owner.version.as_str(), owner.arch.as_str()))
            .collect();
        let all = graph.packages.iter().enumerate();
        graph.runs =
            all.filter(|(_, p)| owners.contains(&(&*p.name, &*p.version, &*p.arch))).map(|(at, _)| at).collect();
        graph.wanted = graph.find_wanted(inventory);
        graph
    }

    fn add_names(&mut self, at: usize) {
        let Some(&package) = self.packages.get(at) else { return };
        for name in package.provides.iter().chain([&package.name]) {
            let number = self.number(name);
            if let Some(name) = self.names.get_mut(number) {
                name.providers.push(at);
            }
        }
    }

    fn add_needs(&mut self, at: usize) {
        let Some(&package) = self.packages.get(at) else { return };
        for choice in &package.choices {
            let members: Vec<usize> = choice.iter().map(|name| self.number(name)).collect();
            let is_met = |&&number: &&usize| self.names.get(number).is_some_and(|name| !name.providers.is_empty());
            let met = members.iter().filter(is_met).count();
            let group = self.groups.len();
            self.groups.push(Group { package: at, met });
            for number in members {
                if let Some(name) = self.names.get_mut(number) {
                    name.groups.push(group);
                }
            }
        }
        let choices: HashSet<&str> = package.choices.iter().flatten().map(String::as_str).collect();
        for name in package.depends.iter().filter(|name| !choices.contains(name.as_str())) {
            let number = self.number(name);
            if let Some(name) = self.names.get_mut(number) {
                name.dependents.push(at);
            }
        }
    }

    fn number(&mut self, name: &'a str) -> usize {
        let next = self.names.len();
        let number = *self.by_name.entry(name).or_insert(next);
        if number == next {
            self.names.push(Name::default());
        }
        number
    }

    /// What was asked for by name, or belongs to the base.
    fn find_wanted(&self, inventory: &Inventory) -> Option<Vec<usize>> {
        match self.manager {
            Manager::Deb => {
                let auto = inventory.auto_installed()?;
                let stays = |package: &&Package| package.essential || auto.binary_search(&package.name).is_err();
                Some((0..self.packages.len()).filter(|&at| self.packages.get(at).is_some_and(stays)).collect())
            }
            Manager::Apk => {
                let asked: HashSet<&str> = inventory.world()?.iter().map(String::as_str).collect();
                let names = |package: &Package| {
                    asked.contains(&*package.name) || package.provides.iter().any(|name| asked.contains(&**name))
                };
                Some((0..self.packages.len()).filter(|&at| self.packages.get(at).is_some_and(|p| names(p))).collect())
            }
            _ => None,
        }
    }

    fn removed(&self, names: &BTreeSet<&str>) -> Removed {
        let first: BTreeSet<usize> = self.of_names(names);
        let mut gone: HashSet<usize> = first.iter().copied().collect();
        let mut todo: Vec<usize> = first.iter().copied().collect();
        // How many providers a name, and how many met members a group has lost.
        let (mut lost_names, mut lost_groups): (HashMap<usize, usize>, HashMap<usize, usize>) = Default::default();
        while let Some(package) = todo.pop().and_then(|at| self.packages.get(at)) {
            for (number, name) in package.provides.iter().chain([&package.name]).filter_map(|name| self.known(name)) {
                let lost = lost_names.entry(number).or_default();
                *lost += 1;
                if *lost < name.providers.len() {
                    continue;
                }
                let of_groups = name.groups.iter().filter_map(|&at| {
                    let lost = lost_groups.entry(at).or_default();
                    *lost += 1;
                    self.groups.get(at).filter(|group| *lost == group.met).map(|group| group.package)
                });
                for at in name.dependents.iter().copied().chain(of_groups) {
                    if gone.insert(at) {
                        todo.push(at);
                    }
                }
            }
        }
        let orphans = self.orphans(names, &gone);
        let dependents = gone.into_iter().filter(|at| !first.contains(at)).collect();
        Removed { dependents, orphans }
    }

    /// Packages that only what goes was a reason for.
    fn orphans(&self, names: &BTreeSet<&str>, gone: &HashSet<usize>) -> BTreeSet<usize> {
        let Some(wanted) = &self.wanted else { return BTreeSet::new() };
        let asked_for = |at: &usize| self.name(*at).is_none_or(|name| !names.contains(name));
        let before = self.needed_by(wanted.clone(), &HashSet::new());
        let after = self.needed_by(wanted.iter().copied().filter(asked_for).collect(), gone);
        before.difference(&after).copied().filter(|at| !gone.contains(at)).collect()
    }

    /// Everything that these packages need or would like to have, themselves among it.
    fn needed_by(&self, mut todo: Vec<usize>, gone: &HashSet<usize>) -> HashSet<usize> {
        todo.retain(|at| !gone.contains(at));
        let mut needed: HashSet<usize> = todo.iter().copied().collect();
        let mut followed: HashSet<usize> = HashSet::new();
        while let Some(package) = todo.pop().and_then(|at| self.packages.get(at)) {
            let names = package.depends.iter().chain(&package.weak).filter_map(|name| self.known(name));
            for (number, name) in names {
                if followed.insert(number) {
                    todo.extend(name.providers.iter().filter(|at| !gone.contains(at) && needed.insert(**at)));
                }
            }
        }
        needed
    }

    fn known(&self, name: &str) -> Option<(usize, &Name)> {
        let number = *self.by_name.get(name)?;
        Some((number, self.names.get(number)?))
    }

    fn of_names(&self, names: &BTreeSet<&str>) -> BTreeSet<usize> {
        (0..self.packages.len()).filter(|&at| self.name(at).is_some_and(|name| names.contains(name))).collect()
    }

    /// Why the packages must not simply be removed.
    fn caution(&self, names: &BTreeSet<&str>, removed: &Removed) -> Option<String> {
        let itself = self.of_names(names);
        let runs = |all: &mut dyn Iterator<Item = usize>| self.listed(all.filter(|at| self.runs.contains(at)));
        let of_finding = self.list(names.iter().map(ToString::to_string).collect());
        if let Some(own) = runs(&mut itself.iter().copied()) {
            return Some(format!("the image's command uses files of {own}: do not remove it without the command"));
        }
        if let Some(others) = runs(&mut removed.dependents.iter().copied()) {
            return Some(format!("removing {of_finding} would remove {others}, which runs the image"));
        }
        if let Some(orphans) = runs(&mut removed.orphans.iter().copied()) {
            let how = match self.manager {
                Manager::Apk => "apk del would remove",
                _ => "apt-get with --auto-remove would remove",
            };
            return Some(format!(
                "{how} {orphans} as well, which runs the image and was never asked for by name: install it by name first"
            ));
        }
        let essential = |at: &usize| {
            self.packages
                .get(*at)
                .is_some_and(|p| p.essential || self.manager == Manager::Apk && APK_BASE.contains(&p.name.as_str()))
        };
        let essential = itself.iter().chain(&removed.dependents).copied().filter(essential);
        self.listed(essential)
            .map(|base| format!("{base} belongs to the base of the distribution and can not be removed"))
    }

    fn listed(&self, places: impl Iterator<Item = usize>) -> Option<String> {
        let names = self.names(places);
        (!names.is_empty()).then(|| self.list(names))
    }

    fn list(&self, mut names: Vec<String>) -> String {
        let more = names.len().saturating_sub(NAMES_MAX);
        names.truncate(NAMES_MAX);
        match more {
            0 => names.join(", "),
            _ => format!("{} and {more} more", names.join(", ")),
        }
    }

    fn names(&self, places: impl Iterator<Item = usize>) -> Vec<String> {
        let names: BTreeSet<&str> = places.filter_map(|at| self.name(at)).collect();
        names.into_iter().map(str::to_string).collect()
    }

    fn name(&self, at: usize) -> Option<&'a str> {
        self.packages.get(at).map(|package| package.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, EntryId, Fact, Format, ImagePath, Kind, LayerFacts, Observation, PackageRow};

    /// `name: needs | one-of/these | =provided | ?weak`, and `!` for an essential one.
    fn row(line: &str) -> PackageRow {
        let (name, rest) = line.split_once(':').expect("a name");
        let mut row = PackageRow { name: name.to_string(), version: "1".to_string(), ..PackageRow::default() };
        for word in rest.split_whitespace() {
            let list = |text: &str| text.split('/').map(str::to_string).collect::<Vec<_>>();
            match word.split_at(1) {
                ("=", name) => row.provides.push(name.to_string()),
                ("?", name) => row.weak.push(name.to_string()),
                ("!", "") => row.essential = true,
                _ if word.contains('/') => {
                    row.depends.extend(list(word));
                    row.choices.push(list(word));
                }
                _ => row.depends.push(word.to_string()),
            }
        }
        row.files = vec![ImagePath::from(format!("usr/bin/{name}").as_str())];
        row
    }

    fn image(lines: &[&str], database: &str, more: Option<(&str, Fact)>) -> Inventory {
        let rows: Vec<PackageRow> = lines.iter().map(|line| row(line)).collect();
        let manager = if database.contains("apk") { Manager::Apk } else { Manager::Deb };
        let mut facts = vec![(database, Fact::Packages { manager, rows: rows.clone() })];
        facts.extend(more);
        let mut layer = LayerFacts::default();
        let lists: Vec<String> = rows.iter().map(|row| format!("var/lib/dpkg/info/{}.list", row.name)).collect();
        for (row, list) in rows.iter().zip(&lists) {
            facts.push((list, Fact::FileList { package: row.name.clone(), files: row.files.clone() }));
        }
        let paths = rows.iter().flat_map(|row| &row.files).map(|path| (path.as_bytes(), None));
        for (path, fact) in facts.iter().map(|(path, fact)| (path.as_bytes(), Some(fact))).chain(paths) {
            let (kind, format, link) = (Kind::File, Format::Other, &b""[..]);
            let entry = Entry { id: EntryId(0), path, link, kind, format, mode: 0o755, uid: 0, gid: 0, size: 1 };
            let entry = layer.entries.push(&entry).expect("room");
            layer.observations.extend(fact.map(|fact| Observation { entry, fact: fact.clone() }));
        }
        Inventory::build(vec![layer])
    }

    const DPKG: &str = "var/lib/dpkg/status";
    const APK: &str = "lib/apk/db/installed";

    /// What goes with a package, and the caution.
    fn without(image: &Inventory, manager: Manager, program: &str, package: &str) -> (String, String) {
        let runs: Vec<FileId> = image.get(program.as_bytes()).iter().map(|file| file.id()).collect();
        let graph = Graph::new(image, manager, &runs);
        let names = [package].into();
        let removed = graph.removed(&names);
        let also = graph.names(removed.dependents.iter().copied()).join(" ");
        (also, graph.caution(&names, &removed).unwrap_or_default())
    }

    #[test]
    fn what_needs_a_package_goes_with_it_unless_something_else_will_do() {
        let lines = ["mawk: =awk", "gawk: =awk", "a: awk", "b: gawk", "c: b/x", "d: b/mawk", "e: c ?f", "f:"];
        let image = image(&lines, DPKG, None);
        let also = |package| without(&image, Manager::Deb, "", package).0;
        assert_eq!(also("gawk"), "b c e");
        assert_eq!(also("mawk"), "");
        assert_eq!(also("f"), "", "a wish is no need");
    }

    #[test]
    fn the_interpreter_must_not_go_with_its_headers() {
        let auto = Fact::AutoInstalled(vec!["libruby".into(), "ruby".into()]);
        let lines = ["ruby-dev: ruby", "ruby: libruby", "libruby:", "make:"];
        let image = image(&lines, DPKG, Some(("var/lib/apt/extended_states", auto)));
        let caution = |package| without(&image, Manager::Deb, "usr/bin/ruby", package).1;
        assert_eq!(
            caution("ruby-dev"),
            "apt-get with --auto-remove would remove ruby as well, which runs the image and was never asked for by \
             name: install it by name first"
        );
        assert_eq!(caution("libruby"), "removing libruby would remove ruby, which runs the image");
        assert_eq!(caution("ruby"), "the image's command uses files of ruby: do not remove it without the command");
        assert_eq!(caution("make"), "");
    }

    #[test]
    fn apk_keeps_what_the_world_asks_for() {
        let lines = [".build-deps: gcc nodejs", "gcc: musl", "nodejs: musl =nodejs-lts", "musl:"];
        let world =
            |names: &[&str]| Some(("etc/apk/world", Fact::World(names.iter().map(ToString::to_string).collect())));
        let asked = image(&lines, APK, world(&[".build-deps", "nodejs-lts"]));
        assert_eq!(without(&asked, Manager::Apk, "usr/bin/nodejs", ".build-deps").1, "");
        let not_asked = image(&lines, APK, world(&[".build-deps"]));
        let (also, caution) = without(&not_asked, Manager::Apk, "usr/bin/nodejs", ".build-deps");
        assert_eq!(also, "");
        assert!(caution.starts_with("apk del would remove nodejs as well, which runs the image"), "{caution}");
        let caution = without(&asked, Manager::Apk, "", "musl").1;
        assert_eq!(caution, "musl belongs to the base of the distribution and can not be removed");
    }

    #[test]
    fn the_base_of_a_distribution_stays() {
        let image = image(&["perl-base: !", "dpkg: ! libc", "libc:", "perl: perl-base"], DPKG, None);
        let caution = |package| without(&image, Manager::Deb, "", package).1;
        assert_eq!(caution("libc"), "dpkg belongs to the base of the distribution and can not be removed");
        assert_eq!(caution("perl"), "");
    }
}
