//! Command lines: which file a word starts, and what the program makes of its own arguments.

use std::rc::Rc;

use super::{
    How, Scope, Step,
    env::Env,
    walk::{Walk, is_data, join_clean, literal},
};
use crate::{
    catalogue::roles::{Program, ProgramKind},
    inventory::{File, FileId},
    model::{Fact, Format, Script, path},
    probe::script,
};

/// Values of a variable that is a command of its own; each is tried.
const CHOICES_MAX: usize = 8;

/// Ends of the name of a text that a shell may be given without a `#!` line.
const JAR: &str = ".jar";

/// A command line that is to be followed.
pub(super) struct Start {
    /// The words, as a shell script writes them.
    pub argv: Vec<String>,
    pub env: Rc<Env>,
    pub parent: Option<FileId>,
    pub how: How,
    /// Whether it is what the container runs in the end, as far as is known.
    pub main: bool,
}

/// Follows one command line.
pub(super) struct Starter<'w, 'a> {
    pub walk: &'w mut Walk<'a>,
}

impl<'a> Starter<'_, 'a> {
    pub fn follow(&mut self, start: Start) {
        for (at, argv) in start.env.arguments(&start.argv).into_iter().enumerate() {
            let Start { ref env, parent, how, main, .. } = start;
            // Only the likeliest is what the container comes to.
            self.one(Start { argv, env: env.clone(), parent, how, main: main && at == 0 });
        }
    }

    fn one(&mut self, mut start: Start) {
        let Some(first) = start.argv.first().cloned() else { return };
        match first.as_str() {
            "exec" => return self.wrapped(&start, &["-a"], 0),
            "command" | "builtin" if !start.argv.get(1).is_some_and(|word| word.starts_with("-v")) => {
                return self.wrapped(&start, &[], 0);
            }
            "command" | "builtin" | "type" | "which" | "hash" => return,
            "." | "source" => return self.source(&start),
            "eval" => return self.eval(&start),
            "trap" => return self.trap(&start),
            _ => {}
        }
        let Some(word) = start.env.word(&first) else { return self.unknown_program(&mut start, &first) };
        if word.is_empty() {
            return;
        }
        let Some((links, file)) = self.program(&word, &start.env) else {
            self.missing(&start, &word);
            return;
        };
        if start.main {
            let argv = start.env.shown(&start.argv);
            self.walk.steps.push(Step { argv, program: Some(file.id()), written_in: start.parent });
        }
        let kind = self.kind_of(&word, &file);
        let mut parent = start.parent;
        for link in links {
            self.walk.reach_quietly(&link, parent, start.how);
            parent = Some(link.id());
        }
        // What an interpreter starts is in the program that it reads.
        let known = kind.is_some() || path::name(file.path()) == b"busybox";
        if known {
            self.walk.reach_quietly(&file, parent, start.how);
        } else {
            self.walk.reach(&file, parent, start.how);
        }
        self.interpreter_of(&start, &file);
        match kind {
            Some(program) => self.arguments(&start, &program, &file),
            None => self.named_files(&start, &file),
        }
    }

    /// The program that a word starts: a path, or the first hit in `PATH`.
    fn program(&self, word: &str, env: &Env) -> Option<(Vec<File<'a>>, File<'a>)> {
        if word.contains('/') {
            return self.walk.find(&env.absolute(word.as_bytes())).filter(|(_, file)| is_data(file));
        }
        let startable = |(_, file): &(Vec<File<'a>>, File<'a>)| is_data(file) && file.mode() & 0o111 != 0;
        env.path().iter().find_map(|dir| self.walk.find(&join_clean(dir, word.as_bytes())).filter(startable))
    }

    /// How a program's arguments are read, by the name it was started with or by its own.
    fn kind_of(&self, word: &str, file: &File<'a>) -> Option<Program> {
        let by_name = self.walk.roles.program(word.rsplit('/').next().unwrap_or_default());
        let own = String::from_utf8_lossy(path::name(file.path()));
        // A link to busybox is what its own name says.
        let by_file = || self.walk.roles.program(&own).filter(|_| own != "busybox" || word.ends_with("busybox"));
        by_name.or_else(by_file).cloned()
    }

    fn missing(&mut self, start: &Start, word: &str) {
        if start.main {
            let argv = start.env.shown(&start.argv);
            self.walk.steps.push(Step { argv, program: None, written_in: start.parent });
            if start.parent.is_none() {
                self.walk.open(Scope::Programs, None, format!("{} is not in the image", path::escape(word.as_bytes())));
            }
        }
    }

    /// The program is the value of a variable: each that is known is tried.
    fn unknown_program(&mut self, start: &mut Start, first: &str) {
        let values = start.env.values(first).unwrap_or_default();
        let mut followed = false;
        let there = |value: &Option<String>| {
            let word = value.as_ref().and_then(|value| start.env.word(value.split_whitespace().next()?));
            word.is_some_and(|word| self.program(&word, &start.env).is_some())
        };
        // `if [ -x "$JAVA_HOME/jre/sh/java" ]`: what the image does not have is what the script does not take.
        let likely = values.iter().take(CHOICES_MAX).position(there).unwrap_or(0);
        let mut starts = Vec::new();
        for (at, value) in values.iter().enumerate().take(CHOICES_MAX) {
            match value {
                Some(value) => {
                    let words = value.split_whitespace().map(str::to_string);
                    let argv: Vec<String> = words.chain(start.argv.iter().skip(1).cloned()).collect();
                    followed |= !argv.is_empty();
                    let (env, parent, how) = (start.env.clone(), start.parent, start.how);
                    starts.push(Start { argv, env, parent, how, main: start.main && at == likely });
                }
                None => followed = false,
            }
        }
        self.start_all(starts);
        // `$(dirname "$0")/run`: beside the script, if it is there.
        if let Some((_, name)) = first.rsplit_once('/')
            && !name.contains('$')
            && let Some(script) = start.parent
        {
            let beside = join_clean(path::parent(self.walk.inventory.file(script).path()), name.as_bytes());
            if self.walk.inventory.resolve(&beside).is_some_and(|file| is_data(&file)) {
                let program = format!("/{}", String::from_utf8_lossy(&beside));
                let argv = std::iter::once(literal(program)).chain(start.argv.iter().skip(1).cloned()).collect();
                let (env, parent, how, main) = (start.env.clone(), start.parent, start.how, start.main);
                self.walk.start(Start { argv, env, parent, how, main });
                followed = true;
            }
        }
        if !followed {
            let shown = path::escape(first.replace(crate::model::LITERAL_DOLLAR, "$").as_bytes());
            self.walk.open(Scope::Programs, start.parent, format!("runs {shown}, which is not known before it runs"));
        }
    }

    /// The command behind a wrapper's options and own words.
    fn wrapped(&mut self, start: &Start, values: &[&str], skip: usize) {
        let mut words = start.argv.iter().skip(1).peekable();
        let mut env = None;
        while let Some(word) = words.peek() {
            if *word == "--" {
                words.next();
                break;
            }
            if word.starts_with('-') && word.len() > 1 {
                let takes = values.contains(&word.as_str());
                words.next();
                if takes {
                    words.next();
                }
            } else if let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.contains('/')) {
                env.get_or_insert_with(|| (*start.env).clone()).assign(name, value);
                words.next();
            } else {
                break;
            }
        }
        let argv: Vec<String> = words.skip(skip).cloned().collect();
        let argv = match argv.split_first() {
            Some((dashes, rest)) if dashes == "--" => rest.to_vec(),
            _ => argv,
        };
        if !argv.is_empty() {
            let env = env.map_or_else(|| start.env.clone(), Rc::new);
            let how = if start.parent.is_none() { start.how } else { How::Starts };
            self.walk.start(Start { argv, env, parent: start.parent, how, main: start.main });
        }
    }

    /// A text that a shell reads in place.
    fn text(&mut self, start: &Start, text: &str, args: Vec<String>, parent: Option<FileId>) {
        let script = script::shell(text.as_bytes());
        let mut env = (*start.env).clone();
        if let Some((zero, rest)) = args.split_first() {
            env.script.clone_from(zero);
            env.args = vec![rest.to_vec()];
        }
        self.commands(start, &script, env, parent);
    }

    fn eval(&mut self, start: &Start) {
        let words: Option<Vec<String>> = start.argv.iter().skip(1).map(|word| start.env.word(word)).collect();
        match words {
            Some(words) => self.text(start, &words.join(" "), Vec::new(), start.parent),
            None => self.walk.open(Scope::Programs, start.parent, "evaluates text that is not known before it runs"),
        }
    }

    fn trap(&mut self, start: &Start) {
        if let Some(text) = start.argv.get(1).and_then(|word| start.env.word(word)).filter(|word| word != "-") {
            let Start { argv, env, parent, how, .. } = start;
            let start = Start { argv: argv.clone(), env: env.clone(), parent: *parent, how: *how, main: false };
            self.text(&start, &text, Vec::new(), *parent);
        }
    }

    fn source(&mut self, start: &Start) {
        let Some(word) = start.argv.get(1).and_then(|word| start.env.word(word)) else {
            self.walk.open(Scope::Programs, start.parent, "reads a script whose name is not known before it runs");
            return;
        };
        let found = self.walk.reach_path(&start.env.absolute(word.as_bytes()), start.parent, How::Loads);
        let Some(file) = found else { return };
        self.script_file(start, &file, Vec::new(), false);
    }

    /// What stands in a `#!` line, and what a script of a shell does.
    fn interpreter_of(&mut self, start: &Start, file: &File<'a>) {
        if file.format() != Format::Script {
            return;
        }
        let args = start.env.known(start.argv.get(1..).unwrap_or_default());
        let Some(script) = self.walk.script_of(file) else {
            self.walk.open(Scope::Programs, Some(file.id()), "is a script that was not read");
            return;
        };
        let itself = literal(format!("/{}", String::from_utf8_lossy(file.path())));
        let name = script::interpreter(&script.shebang).unwrap_or_default();
        let interpreted = script.shebang.iter().map(literal).chain([itself]).chain(args.iter().cloned()).collect();
        if script::is_shell(name) || name == "busybox" {
            // Its commands are read below, with arguments; here only the shell itself counts.
            let shell: Vec<String> = script.shebang.iter().take_while(|word| !word.starts_with('-')).cloned().collect();
            self.walk.start(Start {
                argv: [shell, vec!["-c".to_string(), String::new()]].concat(),
                env: start.env.clone(),
                parent: Some(file.id()),
                how: How::Starts,
                main: false,
            });
            self.script_file(start, file, args, start.main);
        } else if !script.shebang.is_empty() {
            let (env, parent) = (start.env.clone(), Some(file.id()));
            self.walk.start(Start { argv: interpreted, env, parent, how: How::Starts, main: false });
        }
    }

    /// The commands of a file that a shell reads.
    fn script_file(&mut self, start: &Start, file: &File<'a>, args: Vec<String>, main: bool) {
        let id = Some(file.id());
        let Some(script) = self.walk.script_of(file) else {
            self.walk.open(Scope::Programs, id, "is read by a shell and was not read here");
            return;
        };
        let mut env = (*start.env).clone();
        env.script = format!("/{}", String::from_utf8_lossy(file.path()));
        env.args = vec![args];
        let Start { argv, how, .. } = start;
        let within = Start { argv: argv.clone(), env: start.env.clone(), parent: id, how: *how, main };
        self.commands(&within, script, env, id);
    }

    /// Notes the commands of a script; the last `exec`, or else the last command, is what it comes to.
    fn commands(&mut self, start: &Start, script: &Script, mut env: Env, parent: Option<FileId>) {
        for (name, value) in &script.assigns {
            env.assign(name, value);
        }
        if let Some(why) = &script.unread {
            self.walk.open(Scope::Programs, parent, why.clone());
        }
        self.other_arguments(script, &mut env);
        let own = |words: &&Vec<String>| words.first().is_some_and(|first| !script.functions.contains(first));
        let changes = |first: &str| matches!(first, "cd" | "pushd" | "set" | "shift");
        let count = script.commands.len();
        let last_exec = self.chosen(script, &env).or_else(|| script.commands.iter().rposition(|words| is_exec(words)));
        let last = last_exec.or_else(|| {
            let plain = |words: &Vec<String>| own(&words) && words.first().is_some_and(|first| !changes(first));
            script.commands.iter().rposition(plain)
        });
        let mut shared = Rc::new(env);
        let mut starts = Vec::new();
        for (at, words) in script.commands.iter().enumerate().take(count) {
            let Some(first) = words.first() else { continue };
            if matches!(first.as_str(), "cd" | "pushd") {
                if let Some(dir) = words.get(1).and_then(|word| shared.word(word)) {
                    let cwd = shared.absolute(dir.as_bytes());
                    shared = Rc::new(Env { cwd, ..(*shared).clone() });
                }
                continue;
            }
            if changes(first) || script.functions.contains(first) {
                continue;
            }
            let how = if parent.is_none() { start.how } else { How::Starts };
            let main = start.main && Some(at) == last;
            starts.push(Start { argv: words.clone(), env: shared.clone(), parent, how, main });
        }
        self.start_all(starts);
    }

    /// The tasks are a stack: what it all comes to is noted last, so that it is followed first.
    fn start_all(&mut self, starts: Vec<Start>) {
        let (main, others): (Vec<Start>, Vec<Start>) = starts.into_iter().partition(|start| start.main);
        others.into_iter().chain(main).for_each(|start| self.walk.start(start));
    }

    /// The `exec` behind a comparison with the first argument, where that is a word for the script and no program:
    /// `if [ "$1" = server ]; then exec /app/server; fi; exec "$@"`.
    fn chosen(&self, script: &Script, env: &Env) -> Option<usize> {
        let word = env.args.first()?.first().and_then(|word| env.word(word))?;
        let (_, from) = script.compared.iter().find(|(compared, _)| *compared == word)?;
        if self.program(&word, env).is_some() {
            return None;
        }
        let starts = |words: &[String]| {
            is_exec(words)
                && words.get(1).and_then(|word| env.word(word)).is_some_and(|w| self.program(&w, env).is_some())
        };
        let behind = script.commands.get(*from..)?;
        behind.iter().position(|words| starts(words)).map(|at| from + at)
    }

    /// `set -- node "$@"` and `shift`: what else `$@` may stand for. A script does so when its first argument is no
    /// program; where it is one, its own arguments stay the likeliest.
    fn other_arguments(&mut self, script: &Script, env: &mut Env) {
        for words in &script.commands {
            let other = match words.first().map(String::as_str) {
                Some("set") => {
                    let words = words.get(2..).unwrap_or_default();
                    let filled = env.arguments(words).into_iter().next().unwrap_or_default();
                    filled.iter().map(|word| env.word(word).map(literal)).collect::<Option<Vec<_>>>()
                }
                Some("shift") => env.args.first().and_then(|args| args.get(1..)).map(<[String]>::to_vec),
                _ => None,
            };
            if let Some(other) = other.filter(|other| !other.is_empty() && !env.args.contains(other))
                && env.args.len() < CHOICES_MAX
            {
                env.args.push(other);
            }
        }
        let starts = |args: &Vec<String>| {
            let word = args.first().and_then(|word| env.word(word)).filter(|word| !word.starts_with('-'));
            word.is_some_and(|word| self.program(&word, env).is_some())
        };
        if env.args.len() > 1
            && let Some(at) = env.args.iter().position(starts)
        {
            env.args.swap(0, at);
        }
    }

    /// What a program that starts or reads others makes of its arguments.
    fn arguments(&mut self, start: &Start, program: &Program, file: &File<'a>) {
        let values: Vec<&str> = program.values.iter().map(String::as_str).collect();
        match program.kind {
            ProgramKind::Shell => self.shell(start, file),
            ProgramKind::Wrapper => self.wrapped(start, &values, program.skip),
            ProgramKind::Node => self.node(start, file, &values),
            ProgramKind::Python => self.python(start, file),
            ProgramKind::PythonServer => self.python_server(start, file),
            ProgramKind::Java => self.java(start, file),
            ProgramKind::PackageManager => self.package_manager(start, file),
            ProgramKind::Repl | ProgramKind::Interpreter | ProgramKind::Runtime => {
                self.named_files(start, file);
                let name = String::from_utf8_lossy(path::name(file.path())).into_owned();
                self.walk.open(
                    Scope::Programs,
                    Some(file.id()),
                    format!("runs a program that is not followed ({name})"),
                );
                self.walk.open(Scope::Below(vec![Vec::new()]), Some(file.id()), "loads what is not followed");
            }
            ProgramKind::Plain => self.named_files(start, file),
        }
    }

    fn shell(&mut self, start: &Start, file: &File<'a>) {
        let mut words = start.argv.iter().skip(1);
        // A chain shows the shell only where it is all there is.
        let parent = start.parent;
        while let Some(word) = words.next() {
            let option = word.strip_prefix(['-', '+']).filter(|option| !option.is_empty());
            match option {
                Some("-") => {}
                Some(option) if word.starts_with('-') && !option.starts_with('-') && option.contains('c') => {
                    let Some(text) = words.next() else { return };
                    let Some(text) = start.env.word(text) else {
                        self.walk.open(
                            Scope::Programs,
                            parent,
                            "gives a shell a text that is not known before it runs",
                        );
                        return;
                    };
                    return self.text(start, &text, start.env.known(words), parent);
                }
                Some("o" | "O") => drop(words.next()),
                Some(_) => {}
                None => {
                    let Some(name) = start.env.word(word) else {
                        self.walk.open(Scope::Programs, parent, "runs a script whose name is not known before it runs");
                        return;
                    };
                    let path = start.env.absolute(name.as_bytes());
                    let how = if parent.is_none() { start.how } else { How::Starts };
                    let Some(script) = self.walk.reach_path(&path, parent, how) else { return };
                    let args = start.env.known(words);
                    if start.main {
                        let argv = std::iter::once(name).chain(start.env.shown(&args)).collect();
                        self.walk.steps.push(Step { argv, program: Some(script.id()), written_in: parent });
                    }
                    return self.script_file(start, &script, args, start.main);
                }
            }
        }
        if start.main {
            self.walk.open(Scope::Programs, Some(file.id()), "is a prompt: whoever uses it may start anything");
        }
    }

    /// Arguments that are files of the image: configurations, scripts, programs.
    pub fn named_files(&mut self, start: &Start, file: &File<'a>) {
        for word in start.argv.iter().skip(1).filter_map(|word| start.env.word(word)) {
            let word = match word.split_once('=') {
                Some((option, value)) if option.starts_with('-') => value,
                _ => word.as_str(),
            };
            if word.is_empty() || word.starts_with('-') {
                continue;
            }
            let how = if word.ends_with(JAR) { How::Loads } else { How::Names };
            self.walk.reach_path(&start.env.absolute(word.as_bytes()), Some(file.id()), how);
        }
    }

    /// What the probes saw of npm's record at a path.
    pub fn npm_at(&self, dir: &[u8]) -> Option<(File<'a>, &'a crate::model::NpmPackage)> {
        let file = self.walk.inventory.resolve(&join_clean(dir, b"package.json"))?;
        let npm = file.facts().find_map(|fact| if let Fact::Npm(npm) = fact { Some(npm) } else { None })?;
        Some((file, npm))
    }
}

fn is_exec(words: &[String]) -> bool {
    words.first().is_some_and(|first| first == "exec") && words.len() > 1
}
