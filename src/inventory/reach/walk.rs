//! The walk from file to file: what was met, what is still to be looked at, where it ended.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use super::{
    Command, How, Opening, Reach, Scope, Step, Via,
    env::Env,
    python::Sites,
    start::{Start, Starter},
};
use crate::{
    catalogue::roles::Roles,
    inventory::{File, FileId, Inventory, loader::Loader},
    model::{Fact, ImageConfig, Imports, Kind, Script, path},
};

/// Commands that are followed; real entry points start a few dozen.
const STARTS_MAX: usize = 4000;

/// Openings that are kept; one of each scope would be enough for a verdict.
const OPENINGS_MAX: usize = 256;

/// Links that are followed before a path counts as a loop, as Linux does.
const LINKS_MAX: usize = 40;

/// What is still to be done.
enum Task {
    /// Read a command line.
    Start(Start),
    /// See what a file that was met leads to.
    Look {
        file: FileId,
        /// Whether what it may start is known from elsewhere.
        quiet: bool,
    },
}

/// One walk over one image.
pub(super) struct Walk<'a> {
    pub inventory: &'a Inventory,
    pub roles: &'a Roles,
    config: &'a ImageConfig,
    pub loader: Loader<'a>,
    pub steps: Vec<Step>,
    /// Directories of Python packages, once they were asked for.
    pub sites: Option<Rc<Sites>>,
    /// Directories in which Python looks for modules of the application.
    pub python_roots: Vec<Vec<u8>>,
    /// Trees that were taken as a whole.
    pub trees: HashSet<Vec<u8>>,
    from: HashMap<FileId, Via>,
    openings: Vec<Opening>,
    tasks: Vec<Task>,
    started: HashSet<(Vec<String>, Vec<u8>)>,
}

impl<'a> Walk<'a> {
    pub fn new(inventory: &'a Inventory, roles: &'a Roles, config: &'a ImageConfig) -> Self {
        Self {
            inventory,
            roles,
            config,
            loader: Loader::new(inventory).with_config(config),
            steps: Vec::new(),
            sites: None,
            python_roots: Vec::new(),
            trees: HashSet::new(),
            from: HashMap::new(),
            openings: Vec::new(),
            tasks: Vec::new(),
            started: HashSet::new(),
        }
    }

    pub fn run(mut self) -> Reach {
        let env = Rc::new(Env::of(self.config));
        self.preloaded(&env);
        let command: Vec<String> = self.config.entrypoint.iter().chain(&self.config.cmd).map(literal).collect();
        let has_command = !command.is_empty();
        if has_command {
            self.start(Start { argv: command, env: env.clone(), parent: None, how: How::Command, main: true });
        }
        self.finish();
        match self.config.healthcheck.split_first() {
            Some((first, rest)) if first == "CMD-SHELL" => {
                let argv = ["/bin/sh".to_string(), "-c".to_string()].into_iter().chain(rest.iter().map(literal));
                self.start(Start { argv: argv.collect(), env, parent: None, how: How::Healthcheck, main: false });
            }
            Some((first, rest)) if first == "CMD" && !rest.is_empty() => {
                let argv = rest.iter().map(literal).collect();
                self.start(Start { argv, env, parent: None, how: How::Healthcheck, main: false });
            }
            _ => {}
        }
        self.finish();
        let command = has_command.then_some(Command { steps: self.steps });
        Reach { command, from: self.from, openings: self.openings }
    }

    /// Libraries and modules that the environment makes every program load.
    fn preloaded(&mut self, env: &Env) {
        const LOADING: [&str; 7] = [
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "RUBYOPT",
            "PERL5OPT",
            "PYTHONSTARTUP",
        ];
        for name in LOADING {
            let value = env.value(name).unwrap_or_default();
            for word in value.split([' ', '=', ':', ',']).filter(|word| word.starts_with('/')) {
                if let Some(file) = self.inventory.resolve(word.as_bytes()).filter(is_data) {
                    self.reach(&file, None, How::Command);
                }
            }
        }
    }

    fn finish(&mut self) {
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Start(start) => Starter { walk: self }.follow(start),
                Task::Look { file, quiet } => self.look(file, quiet),
            }
        }
    }

    /// Notes a command to be followed, unless it was.
    pub fn start(&mut self, start: Start) {
        if self.started.len() >= STARTS_MAX {
            self.open(Scope::Programs, start.parent, "starts more commands than are followed");
        } else if self.started.insert((start.argv.clone(), start.env.cwd.clone())) {
            self.tasks.push(Task::Start(start));
        }
    }

    /// Notes that a file was met; what it leads to is looked at later.
    pub fn reach(&mut self, file: &File<'a>, parent: Option<FileId>, how: How) {
        self.meet(file, parent, how, false);
    }

    /// As [`Walk::reach`], for a file of which is known what it starts.
    pub fn reach_quietly(&mut self, file: &File<'a>, parent: Option<FileId>, how: How) {
        self.meet(file, parent, how, true);
    }

    fn meet(&mut self, file: &File<'a>, parent: Option<FileId>, how: How, quiet: bool) {
        let parent = parent.filter(|parent| *parent != file.id());
        // What was only named so far was not followed: `docker-entrypoint.sh node server.js` names what node starts.
        match self.from.get(&file.id()) {
            Some(Via { how: How::Names, .. }) if how != How::Names => {}
            Some(_) => return,
            None => {}
        }
        self.from.insert(file.id(), Via { parent, how });
        let content = file.content();
        if content != file.id() {
            self.from.entry(content).or_insert(Via { parent: Some(file.id()), how: How::Part });
        }
        if how != How::Names {
            self.tasks.push(Task::Look { file: file.id(), quiet });
        }
    }

    /// Takes everything below a directory; files of which `wanted` is false are left out.
    pub fn reach_below(&mut self, dir: &[u8], parent: Option<FileId>, quiet: bool, wanted: impl Fn(&File<'a>) -> bool) {
        if !self.trees.insert(dir.to_vec()) {
            return;
        }
        let files: Vec<File<'a>> = self.inventory.under(dir).filter(|f| f.kind() != Kind::Dir && wanted(f)).collect();
        for file in files {
            self.meet(&file, parent, How::Part, quiet);
        }
    }

    /// Notes that a file was met as a part of what is loaded.
    pub fn reach_part(&mut self, file: &File<'a>, parent: Option<FileId>, quiet: bool) {
        self.meet(file, parent, How::Part, quiet);
    }

    /// Notes that following stopped; the same reason at the same place counts once.
    pub fn open(&mut self, scope: Scope, at: Option<FileId>, why: impl Into<String>) {
        let opening = Opening { scope, at, why: why.into() };
        if self.openings.len() < OPENINGS_MAX && !self.openings.contains(&opening) {
            self.openings.push(opening);
        }
    }

    /// The file that a path leads to and every link on the way, as far as the last component is a link.
    pub fn find(&self, path: &[u8]) -> Option<(Vec<File<'a>>, File<'a>)> {
        let target = self.inventory.resolve(path)?;
        let mut links = Vec::new();
        let mut at = path::clean(path);
        for _ in 0..LINKS_MAX {
            let dir = match path::parent(&at) {
                b"" => Vec::new(),
                dir => self.inventory.resolve(dir)?.path().to_vec(),
            };
            let here = join(&dir, path::name(&at));
            let Some(link) = self.inventory.get(&here).filter(|file| file.kind() == Kind::Symlink) else { break };
            links.push(link);
            at = if link.link().starts_with(b"/") { path::clean(link.link()) } else { join_clean(&dir, link.link()) };
        }
        Some((links, target))
    }

    /// Notes a path that leads to a file, with the links on the way; returns the file.
    pub fn reach_path(&mut self, path: &[u8], parent: Option<FileId>, how: How) -> Option<File<'a>> {
        let (links, file) = self.find(path).filter(|(_, file)| is_data(file))?;
        for link in links {
            self.meet(&link, parent, how, true);
        }
        self.meet(&file, parent, how, false);
        Some(file)
    }

    fn look(&mut self, id: FileId, quiet: bool) {
        let file = self.inventory.file(id);
        for fact in file.facts() {
            match fact {
                Fact::Elf(elf) => self.libraries(&file, elf, quiet),
                Fact::Imports(imports) => self.imports(&file, imports),
                Fact::StartsPrograms if !quiet => {
                    self.open(Scope::Programs, Some(id), "uses child_process, which starts programs");
                }
                _ => {}
            }
        }
    }

    fn imports(&mut self, file: &File<'a>, imports: &'a Imports) {
        if super::node::is_javascript(file) {
            self.javascript(file, imports);
        } else {
            self.python_code(file, imports);
        }
        if let Some(why) = &imports.more_programs {
            self.open(Scope::Programs, Some(file.id()), why.clone());
        }
        let cwd = path::clean(self.config.working_dir.as_bytes());
        for command in &imports.commands {
            let env = Rc::new(Env { cwd: cwd.clone(), ..Env::of(self.config) });
            let argv = match command.as_slice() {
                [line] => vec!["/bin/sh".to_string(), "-c".to_string(), literal(line)],
                words => words.iter().map(literal).collect(),
            };
            self.start(Start { argv, env, parent: Some(file.id()), how: How::Starts, main: false });
        }
    }

    /// What a script starts, if it was read.
    pub fn script_of(&self, file: &File<'a>) -> Option<&'a Script> {
        file.facts().find_map(|fact| if let Fact::Script(script) = fact { Some(script) } else { None })
    }

    /// What a file of an interpreted language loads, if it was read.
    pub fn imports_of(&self, file: &File<'a>) -> Option<&'a Imports> {
        file.facts().find_map(|fact| if let Fact::Imports(imports) = fact { Some(imports) } else { None })
    }
}

/// A word that no shell reads: its dollars are dollars.
pub(super) fn literal(word: impl AsRef<str>) -> String {
    word.as_ref().replace('$', &crate::model::LITERAL_DOLLAR.to_string())
}

/// Whether it is a regular file or another name of one.
pub(super) fn is_data(file: &File<'_>) -> bool {
    matches!(file.kind(), Kind::File | Kind::Hardlink)
}

/// A name below a cleaned directory.
pub(super) fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() }
}

/// A relative path below a cleaned directory, cleaned.
pub(super) fn join_clean(dir: &[u8], relative: &[u8]) -> Vec<u8> {
    path::clean(&[dir, b"/", relative].concat())
}
