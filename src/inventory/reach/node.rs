//! Node: the file it is given, what that requires, and the packages that those packages need.
//!
//! A package is a unit: all of its files count once one of them is loaded, and so do the packages that its
//! `package.json` declares as dependencies, optional or peer dependencies. Development dependencies do not.

use std::collections::{HashMap, HashSet};

use super::{
    How, Scope,
    start::{Start, Starter},
    walk::{Walk, is_data, join, join_clean},
};
use crate::{
    catalogue::roles::ProgramKind,
    inventory::{File, FileId, Package, is_module_dir},
    model::{Fact, Imports, Kind, Manager, NpmPackage, State, path},
    probe::{imports, script},
};

/// What node tries behind a name; the last ones only where something compiles on the fly.
const ENDINGS: [&str; 10] = [".js", ".json", ".node", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".jsx"];

/// Modules of node itself (`module.builtinModules` of node 22, without those below others).
const BUILTIN: [&str; 41] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Options of node that take the next word.
const VALUES: [&str; 12] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--title",
    "--input-type",
    "--inspect-port",
    "--icu-data-dir",
];

/// Whether a file is JavaScript or TypeScript: by its name, or by what `#!` says.
pub(super) fn is_javascript(file: &File<'_>) -> bool {
    let path = file.path();
    if path.ends_with(b".py") {
        return false;
    }
    let shebang = file.facts().find_map(|fact| if let Fact::Script(script) = fact { Some(script) } else { None });
    let interpreter = shebang.and_then(|script| script::interpreter(&script.shebang)).unwrap_or_default();
    !interpreter.starts_with("python")
}

impl<'a> Starter<'_, 'a> {
    /// `node [options] file [arguments]`, and programs that are called alike.
    pub(super) fn node(&mut self, start: &Start, file: &File<'a>, values: &[&str]) {
        let id = file.id();
        self.walk.own_modules(file);
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
            let (option, joined) = match word.split_once('=') {
                Some((option, value)) => (option, Some(value.to_string())),
                None => (word.as_str(), None),
            };
            match option {
                "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
                    let value = joined.or_else(|| words.next().and_then(|word| start.env.word(word)));
                    if let Some(value) = value {
                        self.walk.require(&start.env.cwd, &value, Some(id));
                    }
                }
                "-e" | "--eval" | "-p" | "--print" | "-pe" => {
                    let code = joined.or_else(|| words.next().and_then(|word| start.env.word(word)));
                    return self.code(&start.env.cwd, &code.unwrap_or_default(), id);
                }
                _ if VALUES.contains(&option) || values.contains(&option) => {
                    if joined.is_none() {
                        words.next();
                    }
                }
                "run" | "start" | "serve" | "inspect" => {}
                _ if option.starts_with('-') => {}
                _ => return self.main_file(start, &word, id),
            }
        }
        if let Some((_, npm)) = self.npm_at(&start.env.cwd).filter(|_| start.argv.len() > 1)
            && !npm.main.is_empty()
        {
            let main = npm.main.clone();
            return self.main_file(start, &main, id);
        }
        if start.main {
            self.walk.open(Scope::Programs, Some(id), "is a prompt: whoever uses it may start anything");
        }
    }

    fn main_file(&mut self, start: &Start, word: &str, node: FileId) {
        let place = start.env.absolute(word.as_bytes());
        let how = How::Starts;
        if self.walk.module_at(&place, Some(node), how).is_none() && start.main {
            let why = format!("is given {}, which is not in the image", path::show(&place));
            self.walk.open(Scope::Below(vec![Vec::new()]), Some(node), why);
        }
    }

    /// Code on the command line.
    fn code(&mut self, dir: &[u8], code: &str, node: FileId) {
        let imports = imports::javascript(code.as_bytes());
        for module in &imports.modules {
            self.walk.require(dir, module, Some(node));
        }
        if let Some(why) = imports.more_programs {
            self.walk.open(Scope::Programs, Some(node), why);
        }
        if let Some(why) = imports.more_modules {
            let scope = self.walk.loadable(dir);
            self.walk.open(Scope::Below(scope), Some(node), why);
        }
    }

    /// `npm start`, `npm run NAME`, `yarn NAME`, `npx NAME`.
    pub(super) fn package_manager(&mut self, start: &Start, file: &File<'a>) {
        let manager = start.argv.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default().to_string();
        let mut cwd = start.env.cwd.clone();
        let mut words = Vec::new();
        let mut rest = start.argv.iter().skip(1).filter_map(|word| start.env.word(word));
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--prefix" | "--cwd" | "-C" | "--dir" => {
                    cwd = rest.next().map_or(cwd, |dir| start.env.absolute(dir.as_bytes()));
                }
                "--" => words.extend(rest.by_ref()),
                _ if words.is_empty() && word.starts_with('-') => {}
                _ => words.push(word),
            }
        }
        let mut env = (*start.env).clone();
        env.bins = bins(&cwd);
        env.cwd.clone_from(&cwd);
        let record = self.npm_at(&cwd);
        let scripts = record.map(|(_, npm)| npm.scripts.as_slice()).unwrap_or_default();
        let script = |name: &str| scripts.iter().find(|(own, _)| own == name).map(|(_, text)| text.clone());
        let sub = words.first().map(String::as_str).unwrap_or_default();
        let (name, args) = match sub {
            "run" | "run-script" => (words.get(1).map(String::as_str).unwrap_or_default(), words.get(2..)),
            "exec" | "dlx" | "x" => ("", None),
            _ => (sub, words.get(1..)),
        };
        let text = script(name).filter(|_| manager != "npx" && manager != "pnpx");
        match (text, record) {
            (Some(text), Some((package_json, _))) => {
                self.walk.reach_quietly(&package_json, Some(file.id()), How::Names);
                let args = args.unwrap_or_default().iter().fold(String::new(), |all, word| all + " '" + word + "'");
                let hooks = ["pre", "post"].map(|hook| script(&format!("{hook}{name}")));
                for (text, main) in
                    hooks.into_iter().flatten().map(|text| (text, false)).chain([(text + &args, start.main)])
                {
                    let argv = ["/bin/sh".to_string(), "-c".to_string(), super::walk::literal(&text)].to_vec();
                    let (env, parent) = (std::rc::Rc::new(env.clone()), Some(package_json.id()));
                    self.walk.start(Start { argv, env, parent, how: How::Starts, main });
                }
            }
            (None, _) if name == "start" && manager == "npm" => {
                let argv = ["node", "server.js"].map(str::to_string).to_vec();
                let parent = Some(file.id());
                let env = std::rc::Rc::new(env);
                self.walk.start(Start { argv, env, parent, how: How::Starts, main: start.main });
            }
            _ => {
                let command =
                    if sub == "exec" || sub == "dlx" || sub == "x" { words.get(1..) } else { Some(&words[..]) };
                let argv: Vec<String> = command.unwrap_or_default().iter().map(super::walk::literal).collect();
                let (env, parent) = (std::rc::Rc::new(env), Some(file.id()));
                let may_start = manager != "npm" || sub == "exec" || sub == "x";
                if may_start && !argv.is_empty() {
                    self.walk.start(Start { argv, env, parent, how: How::Starts, main: start.main });
                } else {
                    let why = format!("does \"{}\", which may run anything", path::escape(sub.as_bytes()));
                    self.walk.open(Scope::Programs, parent, why);
                }
            }
        }
    }
}

/// Where a package manager looks for commands before `PATH`.
fn bins(cwd: &[u8]) -> Vec<Vec<u8>> {
    let dirs = std::iter::once(cwd).chain(path::ancestors(cwd));
    dirs.map(|dir| join(dir, b"node_modules/.bin")).collect()
}

impl<'a> Walk<'a> {
    /// Modules that node brings itself: Debian keeps some of them in packages of their own, which node's needs.
    fn own_modules(&mut self, node: &File<'a>) {
        let inventory = self.inventory;
        let Some(owner) = node.owner().filter(|owner| owner.manager == Manager::Deb) else { return };
        if !self.trees.insert(b"deb:nodejs".to_vec()) {
            return;
        }
        let is_node = |name: &str| name.starts_with("node-") || name.starts_with("libnode");
        let live = inventory.packages().iter().filter(|p| p.manager == Manager::Deb && p.state == State::Live);
        let by_name: HashMap<&str, &Package> =
            live.filter(|p| is_node(&p.name)).map(|p| (p.name.as_str(), p)).collect();
        let mut todo = vec![owner];
        let mut known: HashSet<&str> = HashSet::new();
        while let Some(package) = todo.pop() {
            for name in package.depends.iter().filter(|name| is_node(name)) {
                if let Some(needed) = by_name.get(name.as_str()).filter(|_| known.insert(name)) {
                    let scripts = needed.files.iter().map(|&id| inventory.file(id));
                    for file in scripts.filter(|file| path::is_below(file.path(), b"usr/share/nodejs")) {
                        self.reach_part(&file, Some(node.id()), true);
                    }
                    todo.push(needed);
                }
            }
        }
    }

    /// What a file of JavaScript requires.
    pub(super) fn javascript(&mut self, file: &File<'a>, imports: &'a Imports) {
        let dir = path::parent(file.path());
        for module in &imports.modules {
            self.require(dir, module, Some(file.id()));
        }
        if let Some(why) = &imports.more_modules {
            let scope = self.loadable(dir);
            self.open(Scope::Below(scope), Some(file.id()), why.clone());
        }
    }

    /// The directories of which code in `dir` can load any file: its project, and the packages above it.
    pub(super) fn loadable(&self, dir: &[u8]) -> Vec<Vec<u8>> {
        let project = std::iter::once(dir)
            .chain(path::ancestors(dir))
            .find(|dir| self.inventory.get(&join(dir, b"package.json")).is_some())
            .unwrap_or(dir);
        let above = path::ancestors(project).map(|dir| join(dir, b"node_modules"));
        let above = above.chain([b"node_modules".to_vec()]).filter(|dir| self.inventory.get(dir).is_some());
        std::iter::once(project.to_vec()).chain(above).collect()
    }

    /// Follows `require(name)` in a directory.
    pub(super) fn require(&mut self, dir: &[u8], name: &str, parent: Option<FileId>) {
        let bare = name.split(['?', '!']).next().unwrap_or_default();
        if bare.starts_with('/') {
            self.module_at(&path::clean(bare.as_bytes()), parent, How::Loads);
        } else if bare == "." || bare == ".." || bare.starts_with("./") || bare.starts_with("../") {
            self.module_at(&join_clean(dir, bare.as_bytes()), parent, How::Loads);
        } else if bare.starts_with('#') || bare.starts_with("@/") || bare.starts_with('~') {
            let scope = self.loadable(dir);
            self.open(
                Scope::Below(scope),
                parent,
                format!("loads {}, a name of its own", path::escape(bare.as_bytes())),
            );
        } else if !bare.starts_with("node:") && !BUILTIN.contains(&bare.split('/').next().unwrap_or_default()) {
            self.package_named(dir, bare, parent, false);
        }
    }

    /// The package that code in `dir` gets by a name; a path behind the package's name is ignored.
    fn package_named(&mut self, dir: &[u8], name: &str, parent: Option<FileId>, quiet: bool) {
        let parts = if name.starts_with('@') { 2 } else { 1 };
        let end = name.match_indices('/').nth(parts - 1).map_or(name.len(), |(at, _)| at);
        let package = name.get(..end).unwrap_or(name).as_bytes();
        let above = std::iter::once(dir).chain(path::ancestors(dir)).chain([&b""[..]]);
        let places = above.filter(|dir| path::name(dir) != b"node_modules").map(|dir| join(dir, b"node_modules"));
        let places = places.chain([b"usr/share/nodejs".to_vec(), b"usr/lib/node_modules".to_vec()]);
        for place in places {
            if let Some((links, home)) = self.find(&join(&place, package)) {
                for link in links {
                    self.reach_quietly(&link, parent, How::Loads);
                }
                if home.kind() == Kind::Dir {
                    self.package(home.path(), parent, quiet);
                } else {
                    self.reach(&home, parent, How::Loads);
                }
                return;
            }
        }
        // Plug'n'Play keeps packages in archives.
        let project = std::iter::once(dir).chain(path::ancestors(dir));
        let pnp = project.filter_map(|dir| self.inventory.get(&join(dir, b".pnp.cjs"))).next();
        if let Some(pnp) = pnp {
            let scope = vec![join(path::parent(pnp.path()), b".yarn")];
            self.reach_quietly(&pnp, parent, How::Loads);
            self.open(Scope::Below(scope), Some(pnp.id()), "loads packages from archives");
        }
    }

    /// Takes a package as a unit, with what it declares to need.
    fn package(&mut self, dir: &[u8], parent: Option<FileId>, quiet: bool) {
        if self.trees.contains(dir) {
            return;
        }
        let record = self.inventory.get(&join(dir, b"package.json"));
        let leader = match &record {
            Some(record) => {
                self.reach_part(record, parent, quiet);
                Some(record.id())
            }
            None => parent,
        };
        let skip = dir.len() + 1;
        let nested = |file: &File<'a>| {
            let rest = file.path().get(skip..).unwrap_or_default();
            rest.split(|&b| b == b'/').any(|part| part == b"node_modules")
        };
        self.reach_below(dir, leader, quiet, |file| !nested(file));
        let npm =
            record.iter().flat_map(File::facts).find_map(|f| if let Fact::Npm(npm) = f { Some(npm) } else { None });
        let Some(NpmPackage { dependencies, optional, peer, .. }) = npm else { return };
        for name in dependencies.iter().chain(optional).chain(peer) {
            self.package_named(dir, name, leader, quiet);
        }
    }

    /// The module at a path: the file, one with an ending, or the main file of a directory.
    pub(super) fn module_at(&mut self, place: &[u8], parent: Option<FileId>, how: How) -> Option<FileId> {
        let (links, file) = self.module_file(place)?;
        for link in links {
            self.reach_quietly(&link, parent, how);
        }
        let home = std::iter::once(file.path()).chain(path::ancestors(file.path())).find(|dir| is_module_dir(dir));
        match home {
            Some(home) => {
                let name = String::from_utf8_lossy(path::name(home)).into_owned();
                let manager = self.roles.program(&name).is_some_and(|p| p.kind == ProgramKind::PackageManager);
                self.package(home, parent, manager);
            }
            None => {
                self.reach(&file, parent, how);
                let is_code = !file.path().ends_with(b".json") && !file.path().ends_with(b".node");
                if is_code && self.imports_of(&file).is_none() {
                    let scope = self.loadable(path::parent(file.path()));
                    self.open(Scope::Below(scope), Some(file.id()), "was not read");
                    self.open(Scope::Programs, Some(file.id()), "was not read");
                }
            }
        }
        Some(file.id())
    }

    fn module_file(&self, place: &[u8]) -> Option<(Vec<File<'a>>, File<'a>)> {
        let data = |place: &[u8]| self.find(place).filter(|(_, file)| is_data(file));
        let with_ending = |place: &[u8]| ENDINGS.iter().find_map(|ending| data(&[place, ending.as_bytes()].concat()));
        if let Some(found) = data(place).or_else(|| with_ending(place)) {
            return Some(found);
        }
        // TypeScript names the file that it will have become.
        if let Some(stem) = place.strip_suffix(b".js")
            && let Some(found) = data(&[stem, b".ts"].concat()).or_else(|| data(&[stem, b".tsx"].concat()))
        {
            return Some(found);
        }
        let dir = self.inventory.resolve(place).filter(|file| file.kind() == Kind::Dir)?;
        let record = self.inventory.get(&join(dir.path(), b"package.json"));
        let npm =
            record.iter().flat_map(File::facts).find_map(|f| if let Fact::Npm(npm) = f { Some(npm) } else { None });
        let main = npm.map(|npm| npm.main.as_bytes()).filter(|main| !main.is_empty());
        let main = main.map(|main| join_clean(dir.path(), main));
        main.and_then(|main| data(&main).or_else(|| with_ending(&main)))
            .or_else(|| with_ending(&join(dir.path(), b"index")))
    }
}
