//! Proves rules by their own examples: every `hit` must fire and every `miss` stay silent.
//!
//! An example becomes what the probes would say about such an image, and then goes the way of every image: the same
//! inventory, the same judgement. One with a Dockerfile becomes the image that is built from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    catalogue::{Catalogue, Example, ExampleElf, ExampleFile, ExampleModule, ExamplePackage, Fault, Rule, sample},
    dockerfile::File,
    inventory::Inventory,
    model::{
        Elf, Entry, EntryId, Fact, Family, Format, GoBuild, Group, History, ImageConfig, ImageInfo, ImagePath, Kind,
        LayerFacts, LayerInfo, Manager, NpmPackage, Observation, PackageRow, Platform, PythonDist, User,
    },
    probe::{Looker, Probes, Seen, Shapes, shape_of},
};

use super::judge;

pub(super) mod built;

/// The day on which examples are judged, in seconds since 1970: 2026-01-01.
const NOW: i64 = 1_767_225_600;

/// Size of an example's file that gives none, in bytes.
const SIZE: u64 = 1000;

/// Tries every example of every rule.
///
/// Returns what does not hold, in the order of rules; an empty list is the proof.
pub fn prove(catalogue: &Catalogue) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in &catalogue.rules {
        let mut fault = |text: String| {
            faults.push(Fault { file: rule.file.clone(), line: 0, text: format!("{}: {text}", rule.about.id) });
        };
        for (at, hit) in rule.hits.iter().enumerate() {
            let Some(hit) = &made(rule, hit, &mut fault) else { continue };
            let fired = fired(catalogue, hit);
            if !fired.contains(&rule.about.id) {
                let instead =
                    if fired.is_empty() { String::new() } else { format!(" (instead of it: {})", fired.join(", ")) };
                fault(format!("{} stays silent, but must fire{instead}", title("hit", at, hit)));
            }
        }
        for (at, miss) in rule.misses.iter().enumerate() {
            let Some(miss) = &made(rule, miss, &mut fault) else { continue };
            if fired(catalogue, miss).contains(&rule.about.id) {
                fault(format!("{} fires, but must stay silent", title("miss", at, miss)));
            }
        }
    }
    faults
}

/// The example as it is tried: those of secrets are made only now.
fn made(rule: &Rule, example: &Example, fault: &mut impl FnMut(String)) -> Option<Example> {
    let made = match rule.family {
        Family::Secret | Family::Dockerfile => sample::expanded(example).map_err(&mut *fault).ok()?,
        _ => example.clone(),
    };
    // A slip here would make a rule look proved.
    if let Some(text) = &made.dockerfile {
        if let Err(error) = File::parse(text) {
            fault(format!("an example's Dockerfile is refused: {error}"));
        }
        for line in built::strange_lines(&made, text) {
            fault(format!("an example names line {line} of its Dockerfile, which makes no layer"));
        }
    }
    Some(made)
}

/// The remedies that no rule uses.
pub fn unused_remedies(catalogue: &Catalogue) -> Vec<Fault> {
    let named = |rule: &Rule| -> Vec<String> {
        let own = rule.own_remedies().into_iter().map(|(remedy, _)| remedy);
        own.chain([&rule.about.remedy]).map(|remedy| remedy.id.clone()).collect()
    };
    let used: BTreeSet<String> = catalogue.rules.iter().flat_map(named).collect();
    let unused = catalogue.remedies.iter().filter(|remedy| !used.contains(&remedy.id));
    let fault = |text| Fault { file: "remedies".to_string(), line: 0, text };
    unused.map(|remedy| fault(format!("no rule uses the remedy {}", remedy.id))).collect()
}

fn title(kind: &str, at: usize, example: &Example) -> String {
    match example.why.as_str() {
        "" => format!("{kind} {}", at + 1),
        why => format!("{kind} {} ({why})", at + 1),
    }
}

/// The rules that fire on an example.
fn fired(catalogue: &Catalogue, example: &Example) -> Vec<String> {
    let findings = match &example.dockerfile {
        None => {
            let inventory = Inventory::build(vec![layer(catalogue, example)]);
            judge(catalogue, &inventory, &image(example), NOW).findings
        }
        Some(text) => built::judge(catalogue, example, text),
    };
    findings.into_iter().map(|finding| finding.rule).collect()
}

/// The configuration of an example; none where it says nothing of one.
fn image(example: &Example) -> ImageInfo {
    let says = example.user.is_some() || !example.cmd.is_empty() || !example.workdir.is_empty();
    let says = says || !(example.env.is_empty() && example.labels.is_empty() && example.healthcheck.is_empty());
    let label = |pair: &String| pair.split_once('=').map(|(name, value)| (name.to_string(), value.to_string()));
    let config = says.then(|| ImageConfig {
        user: example.user.clone().unwrap_or_default(),
        env: example.env.clone(),
        cmd: example.cmd.clone(),
        healthcheck: example.healthcheck.clone(),
        labels: example.labels.iter().filter_map(label).collect(),
        working_dir: example.workdir.clone(),
        ..ImageConfig::default()
    });
    let platform = example.arch.clone().map(|architecture| Platform {
        os: "linux".to_string(),
        architecture,
        ..Platform::default()
    });
    let history = example.created_by.clone().map(|created_by| History { created_by, ..History::default() });
    let layers = vec![LayerInfo { history, ..LayerInfo::default() }];
    ImageInfo { config, platform, layers, ..ImageInfo::default() }
}

/// What the probes would say about a layer that holds just this.
pub(super) fn layer(catalogue: &Catalogue, example: &Example) -> LayerFacts {
    Image::new(catalogue).example(example).layer()
}

/// A file on its way into a layer.
#[derive(Default)]
struct Body {
    kind: Option<Kind>,
    link: Vec<u8>,
    format: Format,
    size: u64,
    mode: Option<u16>,
    facts: Vec<Fact>,
}

/// The one layer of an example.
struct Image<'a> {
    catalogue: &'a Catalogue,
    shapes: Shapes,
    files: BTreeMap<ImagePath, Body>,
}

impl<'a> Image<'a> {
    fn new(catalogue: &'a Catalogue) -> Self {
        Self { catalogue, shapes: catalogue.shapes(), files: BTreeMap::new() }
    }

    fn example(mut self, example: &Example) -> Self {
        self.packages(&example.packages);
        for module in &example.npm {
            self.npm(module);
        }
        for module in &example.pypi {
            self.pypi(module);
        }
        // Last: they say more about files that packages only name.
        for file in &example.files {
            self.file(file);
        }
        self.accounts(example);
        self
    }

    fn packages(&mut self, packages: &[ExamplePackage]) {
        let mut rows: BTreeMap<Manager, Vec<PackageRow>> = BTreeMap::new();
        for package in packages {
            let names = [(Manager::Deb, &package.deb), (Manager::Apk, &package.apk), (Manager::Rpm, &package.rpm)];
            let Some((manager, name)) = names.into_iter().find_map(|(m, name)| Some((m, name.as_ref()?))) else {
                continue;
            };
            for file in &package.files {
                self.plain(file);
            }
            let files =
                package.files.iter().chain(&package.missing).map(|file| ImagePath::from(file.as_str())).collect();
            let (name, version, depends) = (name.clone(), package.version.clone(), package.depends.clone());
            let mut row = PackageRow { name: name.clone(), version, depends, ..PackageRow::default() };
            if manager == Manager::Deb {
                let list = Fact::FileList { package: name.clone(), files };
                self.fact(&format!("var/lib/dpkg/info/{name}.list"), list);
            } else {
                row.files = files;
            }
            rows.entry(manager).or_default().push(row);
        }
        for (manager, rows) in rows {
            let database = match manager {
                Manager::Deb => "var/lib/dpkg/status",
                Manager::Apk => "lib/apk/db/installed",
                _ => "usr/lib/sysimage/rpm/rpmdb.sqlite",
            };
            self.fact(database, Fact::Packages { manager, rows });
        }
    }

    fn npm(&mut self, module: &ExampleModule) {
        let (name, version) = (module.name.clone(), module.version.clone());
        self.fact(
            &format!("{}/package.json", module.path),
            Fact::Npm(NpmPackage { name, version, ..NpmPackage::default() }),
        );
        for file in &module.files {
            self.plain(&format!("{}/{file}", module.path));
        }
    }

    fn pypi(&mut self, module: &ExampleModule) {
        let home = format!("{}/{}-{}.dist-info", module.path, module.name.replace('-', "_"), module.version);
        let files: Vec<String> = module.files.iter().map(|file| format!("{}/{file}", module.path)).collect();
        for file in &files {
            self.plain(file);
        }
        let (name, version) = (module.name.clone(), module.version.clone());
        self.fact(&format!("{home}/METADATA"), Fact::Python(PythonDist { name, version, ..PythonDist::default() }));
        let files = files.iter().map(|file| ImagePath::from(file.as_str())).collect();
        self.fact(&format!("{home}/RECORD"), Fact::Python(PythonDist { files, ..PythonDist::default() }));
    }

    fn file(&mut self, file: &ExampleFile) {
        let kind = file.kind.unwrap_or(Kind::File);
        let body = file.body.as_ref().map(|body| body.clone().into_bytes());
        let body = body.or_else(|| sample::binary(file.make.as_ref()?));
        let seen = body.map(|body| self.seen(&file.path, &body));
        let format = file.format.unwrap_or(match (&file.elf, &seen) {
            (Some(_), _) => Format::Elf,
            (None, Some(seen)) => seen.format,
            (None, None) => Format::Other,
        });
        let literals = self.literals(format, &file.contains);
        let mut facts = match (&file.elf, seen) {
            (_, Some(seen)) => seen.facts,
            (Some(elf), _) => vec![Fact::Elf(self::elf(elf, literals))],
            _ if literals.is_empty() => Vec::new(),
            _ => vec![Fact::Literals(literals)],
        };
        facts.extend(shape_of(&self.shapes, file.path.as_bytes(), file.contains.join("\n").as_bytes()));
        let empty = kind != Kind::File || format == Format::Empty;
        let size = file.size.unwrap_or(if empty { 0 } else { SIZE });
        let body = self.files.entry(ImagePath::from(file.path.as_str())).or_default();
        body.kind = Some(kind);
        body.link = match (kind, file.link.as_deref().unwrap_or_default()) {
            (Kind::Hardlink, link) => ImagePath::from(link).as_bytes().to_vec(),
            (_, link) => link.as_bytes().to_vec(),
        };
        body.format = format;
        body.size = size;
        body.mode = file.mode;
        body.facts.extend(facts);
    }

    /// What the probes say about a file of this content.
    fn seen(&self, path: &str, body: &[u8]) -> Seen {
        let probes = Probes::new(self.catalogue.literals()).with_secrets(Arc::clone(&self.catalogue.secrets));
        let mut looker = Looker::new(&probes);
        looker.begin(path.as_bytes(), body.len() as u64);
        looker.body(body);
        looker.end()
    }

    /// The literals of the catalogue that a probe would find in a file of this format.
    fn literals(&self, format: Format, texts: &[String]) -> Vec<String> {
        let wanted = self.catalogue.literals().filter(|(_, formats)| formats.contains(format));
        let found = wanted.filter(|(literal, _)| texts.iter().any(|text| text.contains(literal)));
        found.map(|(literal, _)| literal.to_string()).collect()
    }

    fn accounts(&mut self, example: &Example) {
        let field = |line: &str, at: usize| line.split(':').nth(at).and_then(|text| text.parse().ok()).unwrap_or(0);
        let name = |line: &str| line.split(':').next().unwrap_or_default().to_string();
        let users: Vec<_> =
            example.passwd.iter().map(|l| User { name: name(l), uid: field(l, 2), gid: field(l, 3) }).collect();
        let groups: Vec<_> = example.group.iter().map(|l| Group { name: name(l), gid: field(l, 2) }).collect();
        if !users.is_empty() {
            self.fact("etc/passwd", Fact::Users(users));
        }
        if !groups.is_empty() {
            self.fact("etc/group", Fact::Groups(groups));
        }
    }

    fn plain(&mut self, path: &str) {
        let format = if path.ends_with(".js") { Format::Js } else { Format::Other };
        self.files.entry(ImagePath::from(path)).or_insert(Body { format, size: SIZE, ..Body::default() });
    }

    fn fact(&mut self, path: &str, fact: Fact) {
        self.plain(path);
        if let Some(body) = self.files.get_mut(&ImagePath::from(path)) {
            body.facts.push(fact);
        }
    }

    fn layer(self) -> LayerFacts {
        let mut layer = LayerFacts::default();
        for (path, body) in &self.files {
            let entry = Entry {
                id: EntryId(0),
                path: path.as_bytes(),
                link: &body.link,
                kind: body.kind.unwrap_or(Kind::File),
                format: body.format,
                mode: body.mode.unwrap_or(0o755),
                uid: 0,
                gid: 0,
                size: body.size,
            };
            let Some(entry) = layer.entries.push(&entry) else { break };
            layer.observations.extend(body.facts.iter().map(|fact| Observation { entry, fact: fact.clone() }));
        }
        layer
    }
}

fn elf(elf: &ExampleElf, literals: Vec<String>) -> Elf {
    let go = elf.go_path.clone().map(|path| GoBuild {
        version: elf.go_version.clone().unwrap_or_default(),
        path,
        module: elf.go_module.clone().map(|module| (module, "v1.0.0".to_string())),
    });
    let (soname, needed, interpreter) = (elf.soname.clone(), elf.needed.clone(), elf.interpreter.clone());
    Elf { program: elf.program, machine: elf.machine, interpreter, soname, needed, go, literals, ..Elf::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_program_is_proved_by_its_examples() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let faults: Vec<String> = prove(&catalogue).iter().map(Fault::to_string).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(unused_remedies(&catalogue), []);
    }
}
