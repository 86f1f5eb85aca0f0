//! Python: the file or module it is given, what that imports, and the distributions of what is imported.
//!
//! A distribution is a unit, with those that it requires. Packages load much by name (drivers, plug-ins, workers), so
//! as soon as one is loaded, all others may be: the directories of packages are an opening.

use std::{collections::HashMap, rc::Rc};

use super::{
    How, Scope,
    env::Env,
    start::{Start, Starter},
    walk::{Walk, is_data, join},
};
use crate::{
    inventory::{File, FileId, Package, PackageId},
    model::{Imports, Kind, Manager, State, path},
    probe::imports,
};

/// Files that a server reads in its working directory when nobody names one.
const DEFAULTS: [&str; 3] = ["gunicorn.conf.py", "app.py", "wsgi.py"];

/// Options of Python that take the next word.
const VALUES: [&str; 3] = ["-W", "-X", "--check-hash-based-pycs"];

/// Parts of the standard library that no program loads but by name.
const UNUSED: [&[u8]; 7] =
    [b"site-packages", b"dist-packages", b"test", b"ensurepip", b"idlelib", b"lib2to3", b"turtledemo"];

/// Where Python looks for packages, and which distribution has a name.
#[derive(Default)]
pub(super) struct Sites {
    dirs: Vec<Vec<u8>>,
    /// A file of each package or module, by its name.
    tops: HashMap<Vec<u8>, FileId>,
    by_name: HashMap<String, Vec<PackageId>>,
    /// Whether the records say what distributions require.
    requirements_known: bool,
}

impl<'a> Starter<'_, 'a> {
    /// `python [options] file`, `-m module` or `-c code`.
    pub(super) fn python(&mut self, start: &Start, file: &File<'a>) {
        let id = file.id();
        self.standard_library(file);
        self.roots(&start.env);
        let mut words = start.argv.iter().skip(1);
        while let Some(raw) = words.next() {
            let Some(word) = start.env.word(raw) else {
                if raw.starts_with('-') {
                    continue;
                }
                let why = format!("is given {}, which is not known before it runs", path::escape(raw.as_bytes()));
                self.walk.open(Scope::Below(vec![Vec::new()]), Some(id), why.clone());
                return self.walk.open(Scope::Programs, Some(id), why);
            };
            match word.as_str() {
                "-m" => {
                    let Some(module) = words.next().and_then(|word| start.env.word(word)) else { return };
                    let rest: Vec<String> = words.cloned().collect();
                    self.walk.import(&module, id);
                    self.walk.import(&format!("{module}.__main__"), id);
                    return self.server_arguments(start, &module, &rest, id);
                }
                "-c" => {
                    let code = words.next().and_then(|word| start.env.word(word)).unwrap_or_default();
                    let imports = imports::python(code.as_bytes());
                    for module in &imports.modules {
                        self.walk.import(module, id);
                    }
                    if let Some(why) = imports.more_programs {
                        self.walk.open(Scope::Programs, Some(id), why);
                    }
                    return;
                }
                _ if VALUES.contains(&word.as_str()) => drop(words.next()),
                _ if word.starts_with('-') && word != "-" => {}
                _ => return self.python_file(start, &word, id),
            }
        }
        if start.main {
            self.walk.open(Scope::Programs, Some(id), "is a prompt: whoever uses it may start anything");
        }
    }

    fn python_file(&mut self, start: &Start, word: &str, python: FileId) {
        let place = start.env.absolute(word.as_bytes());
        let Some(found) = self.walk.inventory.resolve(&place) else { return };
        let place = if found.kind() == Kind::Dir { join(found.path(), b"__main__.py") } else { place };
        self.walk.root(path::parent(&place));
        let Some(file) = self.walk.reach_path(&place, Some(python), How::Starts) else { return };
        if self.walk.imports_of(&file).is_none() {
            self.walk.open(Scope::Below(vec![Vec::new()]), Some(file.id()), "was not read");
            self.walk.open(Scope::Programs, Some(file.id()), "was not read");
        }
    }

    /// A server that loads the module which an argument names: `gunicorn --bind :80 shop.wsgi:app`.
    pub(super) fn python_server(&mut self, start: &Start, file: &File<'a>) {
        self.roots(&start.env);
        let name = String::from_utf8_lossy(path::name(file.path())).into_owned();
        let words: Vec<String> = start.argv.iter().skip(1).cloned().collect();
        self.server_arguments(start, &name, &words, file.id());
    }

    fn server_arguments(&mut self, start: &Start, name: &str, words: &[String], from: FileId) {
        let mut words: Vec<String> = words.iter().filter_map(|word| start.env.word(word)).collect();
        words.extend(
            ["FLASK_APP", "DJANGO_SETTINGS_MODULE", "CELERY_APP", "APP_MODULE"]
                .iter()
                .filter_map(|n| start.env.value(n)),
        );
        for word in &words {
            let value =
                word.split_once('=').filter(|_| word.starts_with('-')).map_or(word.as_str(), |(_, value)| value);
            let place = start.env.absolute(value.as_bytes());
            match self.walk.inventory.resolve(&place) {
                Some(found) if found.kind() == Kind::Dir => self.walk.root(found.path()),
                Some(found) if is_data(&found) && !value.is_empty() => {
                    self.walk.root(path::parent(&place));
                    self.walk.reach_path(&place, Some(from), How::Loads);
                }
                _ => {}
            }
        }
        for word in &words {
            let value =
                word.split_once('=').filter(|_| word.starts_with('-')).map_or(word.as_str(), |(_, value)| value);
            let module = value.split([':', '(']).next().unwrap_or_default();
            if is_dotted(module) {
                self.walk.import(module, from);
            }
        }
        let serves =
            self.walk.roles.program(name).is_some_and(|p| p.kind == crate::catalogue::roles::ProgramKind::PythonServer);
        if serves {
            for default in DEFAULTS {
                self.walk.reach_path(&start.env.absolute(default.as_bytes()), Some(from), How::Loads);
            }
        }
        if words.iter().any(|word| word.contains("--ini") || word.ends_with(".ini") || word.contains("--factory")) {
            self.walk.open(Scope::Below(vec![start.env.cwd.clone()]), Some(from), "loads what its configuration names");
        }
    }

    fn roots(&mut self, env: &Env) {
        self.walk.root(&env.cwd);
        for dir in env.value("PYTHONPATH").unwrap_or_default().split(':').filter(|dir| !dir.is_empty()) {
            self.walk.root(&env.absolute(dir.as_bytes()));
        }
    }

    /// The modules that come with the interpreter, as a unit.
    fn standard_library(&mut self, python: &File<'a>) {
        let bin = path::parent(python.path());
        let lib = join(path::parent(bin), b"lib");
        let name = path::name(python.path());
        let named = name.contains(&b'.').then(|| join(&lib, name)).filter(|dir| self.walk.inventory.get(dir).is_some());
        let guessed = || (0..40).map(|minor| join(&lib, format!("python3.{minor}").as_bytes()));
        let found = named.or_else(|| guessed().find(|dir| self.walk.inventory.get(dir).is_some()));
        let Some(dir) = found else { return };
        let skip = dir.len() + 1;
        let wanted = |file: &File<'a>| {
            let rest = file.path().get(skip..).unwrap_or_default();
            let top = rest.split(|&b| b == b'/').next().unwrap_or_default();
            !UNUSED.contains(&top) && !top.starts_with(b"config-")
        };
        self.walk.reach_below(&dir, Some(python.id()), true, wanted);
    }
}

fn is_dotted(text: &str) -> bool {
    let part = |part: &str| {
        part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && part.bytes().next().is_some_and(|b| !b.is_ascii_digit())
    };
    !text.is_empty() && text.split('.').all(part)
}

impl<'a> Walk<'a> {
    /// Notes a directory in which modules are looked for.
    fn root(&mut self, dir: &[u8]) {
        if !self.python_roots.iter().any(|root| root == dir) && self.python_roots.len() < 64 {
            self.python_roots.push(dir.to_vec());
        }
    }

    /// What a file of Python imports.
    pub(super) fn python_code(&mut self, file: &File<'a>, imports: &'a Imports) {
        let dir = path::parent(file.path());
        for module in &imports.modules {
            let dots = module.bytes().take_while(|&b| b == b'.').count();
            let rest = module.get(dots..).unwrap_or_default();
            if dots == 0 {
                if !self.module_below(dir, rest, file.id()) {
                    self.import(rest, file.id());
                }
            } else {
                let base = (1..dots).fold(dir, |dir, _| path::parent(dir));
                self.module_below(base, rest, file.id());
            }
        }
        if let Some(why) = &imports.more_modules {
            let mut scope = self.sites().dirs.clone();
            scope.extend(self.python_roots.iter().filter(|root| !root.is_empty()).cloned());
            scope.push(dir.to_vec());
            self.open(Scope::Below(scope), Some(file.id()), why.clone());
        }
    }

    /// Follows an absolute import: modules of the application first, then distributions.
    fn import(&mut self, module: &str, from: FileId) {
        for root in self.python_roots.clone() {
            if self.module_below(&root, module, from) {
                return;
            }
        }
        let top = module.split('.').next().unwrap_or_default();
        if top.is_empty() {
            return;
        }
        let sites = self.sites();
        if let Some(file) = sites.tops.get(top.as_bytes()).map(|&id| self.inventory.file(id)) {
            self.distribution_of(&file, from);
        }
    }

    /// Follows a dotted name below a directory, package by package; whether its first part is there.
    fn module_below(&mut self, root: &[u8], module: &str, from: FileId) -> bool {
        let mut dir = root.to_vec();
        let mut met = false;
        for (at, part) in module.split('.').enumerate() {
            let place = join(&dir, part.as_bytes());
            let source = [&place[..], b".py"].concat();
            if let Some(file) = self.inventory.resolve(&source).filter(is_data) {
                self.reach(&file, Some(from), How::Loads);
                self.unread_python(&file);
                return true;
            }
            if part.is_empty() || self.inventory.resolve(&place).is_none_or(|file| file.kind() != Kind::Dir) {
                // An attribute of the module before.
                return at > 0 && met;
            }
            if let Some(init) = self.inventory.resolve(&join(&place, b"__init__.py")).filter(is_data) {
                self.reach(&init, Some(from), How::Loads);
                self.unread_python(&init);
                met = true;
            } else if at == 0 && self.sites().dirs.contains(&place) {
                return false;
            }
            dir = place;
        }
        met
    }

    /// Python below an application that was not read: too large, or in a place that is not looked at.
    fn unread_python(&mut self, file: &File<'a>) {
        if file.size() > 0 && self.imports_of(file).is_none() {
            let mut scope = self.sites().dirs.clone();
            scope.push(path::parent(file.path()).to_vec());
            self.open(Scope::Below(scope), Some(file.id()), "was not read");
            self.open(Scope::Programs, Some(file.id()), "was not read");
        }
    }

    /// Takes the distribution that a file belongs to, and those that it requires.
    fn distribution_of(&mut self, file: &File<'a>, from: FileId) {
        let sites = self.sites();
        self.open(
            Scope::Below(sites.dirs.clone()),
            Some(file.id()),
            "belongs to a package, and packages load others by name",
        );
        self.open(Scope::Programs, Some(file.id()), "belongs to a Python package, whose code was not read");
        let Some(owner) = file.owner() else {
            self.reach_part(file, Some(from), true);
            let package = std::iter::once(file.path()).chain(path::ancestors(file.path()));
            let package = package.take_while(|dir| !is_site(path::name(dir))).last().unwrap_or_default();
            return self.reach_below(package, Some(file.id()), true, |_| true);
        };
        self.distribution(owner, file.id(), from, &sites);
    }

    fn distribution(&mut self, owner: &'a Package, leader: FileId, from: FileId, sites: &Sites) {
        let inventory = self.inventory;
        let mut todo = vec![(owner, leader, from)];
        while let Some((package, leader, from)) = todo.pop() {
            self.reach_part(&inventory.file(leader), Some(from), true);
            for &id in &package.files {
                self.reach_part(&inventory.file(id), Some(leader), true);
            }
            if !self.trees.insert(format!("{}:{}", package.manager.word(), package.name).into_bytes()) {
                continue;
            }
            for name in &package.depends {
                for required in sites.by_name.get(name).into_iter().flatten() {
                    if let Some(required) = inventory.packages().get(required.index())
                        && let Some(&first) = required.files.first()
                    {
                        todo.push((required, first, leader));
                    }
                }
            }
        }
        if !sites.requirements_known {
            self.open(
                Scope::Below(sites.dirs.clone()),
                Some(leader),
                "belongs to a package whose requirements are unknown",
            );
        }
    }

    fn sites(&mut self) -> Rc<Sites> {
        let inventory = self.inventory;
        self.sites.get_or_insert_with(|| Rc::new(Sites::find(inventory))).clone()
    }
}

impl Sites {
    fn find(inventory: &crate::inventory::Inventory) -> Self {
        let dirs = inventory.files().filter(|file| file.kind() == Kind::Dir && is_site(path::name(file.path())));
        let mut sites = Self { dirs: dirs.map(|file| file.path().to_vec()).collect(), ..Self::default() };
        for dir in &sites.dirs {
            let skip = if dir.is_empty() { 0 } else { dir.len() + 1 };
            for file in inventory.under(dir).filter(is_data) {
                let rest = file.path().get(skip..).unwrap_or_default();
                let end = rest.iter().position(|b| matches!(b, b'/' | b'.')).unwrap_or(rest.len());
                let (top, inside) = rest.split_at_checked(end).unwrap_or_default();
                if inside == b"/__init__.py" || !sites.tops.contains_key(top) {
                    sites.tops.insert(top.to_vec(), file.id());
                }
            }
        }
        for (at, package) in inventory.packages().iter().enumerate() {
            let python = package.manager == Manager::Pypi
                || package.manager == Manager::Deb && package.name.starts_with("python3-");
            if python && package.state == State::Live {
                sites.by_name.entry(package.name.clone()).or_default().push(PackageId::at(at));
                sites.requirements_known |= package.manager == Manager::Pypi && !package.depends.is_empty();
            }
        }
        sites
    }
}

/// Whether a directory of this name holds packages.
fn is_site(name: &[u8]) -> bool {
    matches!(name, b"site-packages" | b"dist-packages")
}
