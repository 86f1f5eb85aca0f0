//! Judges whether the image's command can start: the program, its loader and libraries, the interpreters of scripts,
//! and what is started behind wrappers.
//!
//! Only what is on the way of the command is looked at, and only what is certain to fail is reported: what may be
//! mounted, computed or chosen at run time is passed over. Whether a program works once it runs is not known here.

mod addon;
mod links;
mod lookup;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::{
    catalogue::{Catalogue, Judgement},
    inventory::{
        File, FileId, Inventory,
        loader::{Libc, Load, Loader, Need},
        reach::{Reach, Step},
    },
    model::{
        Confidence, Elf, Evidence, EvidenceClass, Fact, Finding, Format, ImageConfig, ImageInfo, ImagePath, Kind,
        LITERAL_DOLLAR, Script, State, path,
    },
};

use self::lookup::{Lookup, Stop};
use super::{
    effective_user,
    group::{self, Found},
    signal::Root,
};

/// Interpreters of scripts that are scripts themselves, as deep as Linux follows them.
const SCRIPTS_MAX: usize = 5;

/// Libraries of one program that are named; a program that lacks more lacks its base.
const LIBRARIES_MAX: usize = 10;

/// Commands that a shell runs itself, or may.
const BUILTINS: [&str; 43] = [
    ".", ":", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "echo", "eval", "exec", "exit",
    "export", "false", "fg", "for", "getopts", "hash", "if", "jobs", "kill", "let", "local", "printf", "pwd", "read",
    "return", "set", "shift", "source", "test", "time", "trap", "true", "type", "ulimit", "umask", "unset", "until",
    "wait", "while",
];

/// What the judgement found out.
#[derive(Default)]
pub(super) struct Started {
    /// What can not start.
    pub findings: Vec<Finding>,
    /// Programs on the command's way with their loaders and libraries.
    pub files: Vec<FileId>,
}

/// Judges the command of an image; a source without a configuration, and a configuration without a command, say
/// nothing.
pub(super) fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo, reach: &Reach) -> Started {
    let Some(config) = &image.config else { return Started::default() };
    let argv: Vec<&str> = config.entrypoint.iter().chain(&config.cmd).map(String::as_str).collect();
    let Some(first) = argv.first().filter(|word| !word.is_empty()) else { return Started::default() };
    let user = effective_user(&config.user, inventory.users(), inventory.groups());
    let mut check = Check {
        inventory,
        lookup: Lookup::new(inventory, config, user.uid.zip(user.gid)),
        loader: Loader::new(inventory).with_config(config),
        machines: image.platform.as_ref().map(|p| machines(&p.architecture)).unwrap_or_default(),
        platform: image.platform.as_ref().map(ToString::to_string).unwrap_or_default(),
        seen: HashSet::new(),
        files: Vec::new(),
        faults: Vec::new(),
        named: Vec::new(),
    };
    check.named = vec![format!("command {}", shown_command(&argv))];
    check.start(first, true);
    if check.faults.is_empty() {
        check.arguments(&argv, config);
        check.plain_text(&argv, config);
        let steps = reach.command().map(|command| &command.steps[..]).unwrap_or_default();
        steps.iter().for_each(|step| check.step(step, config));
    }
    check.faults.extend(addon::faults(inventory, reach, &check.loader, &check.files));
    check.faults.extend(links::fault(inventory, &check.files));
    let Check { faults, files, .. } = check;
    let findings = faults.into_iter().filter_map(|fault| {
        let rule = catalogue.rules.iter().find(|rule| rule.code == Some(fault.judgement))?;
        let (root, state) = (Root::Dir(fault.at), State::Live);
        let Fault { confidence, evidence, .. } = fault;
        let (version, packages, files) = Default::default();
        let found = Found { root, state, confidence, evidence, version, packages, files };
        Some(group::finding_of(inventory, image, rule, found))
    });
    Started { findings: findings.collect(), files }
}

/// ELF machines that run on a platform, by its architecture in Go's spelling; empty where that is not known.
///
/// Kernels for 64 bits run programs for 32 bits of the same family. Numbers: System V gABI, `e_machine`.
fn machines(architecture: &str) -> Vec<u16> {
    match architecture {
        "amd64" => vec![62, 3],
        "386" => vec![3],
        "arm64" => vec![183, 40],
        "arm" => vec![40],
        "ppc64le" | "ppc64" => vec![21],
        "s390x" => vec![22],
        "riscv64" => vec![243],
        "loong64" => vec![258],
        "mips64le" | "mips64" | "mipsle" | "mips" => vec![8],
        _ => Vec::new(),
    }
}

fn machine_name(machine: u16) -> String {
    let known =
        [(3, "x86"), (8, "MIPS"), (20, "PowerPC"), (21, "PowerPC 64"), (22, "s390"), (40, "ARM"), (62, "x86-64")];
    let more = [(183, "AArch64"), (243, "RISC-V"), (258, "LoongArch")];
    let name = known.iter().chain(&more).find(|(number, _)| *number == machine);
    name.map_or_else(|| format!("ELF machine {machine}"), |(_, name)| (*name).to_string())
}

fn shown_command(argv: &[&str]) -> String {
    const SHOWN: usize = 6;
    let mut words: Vec<String> = argv.iter().take(SHOWN).map(|word| path::escape(word.as_bytes())).collect();
    if argv.len() > SHOWN {
        words.push("...".to_string());
    }
    words.join(" ").chars().take(200).collect()
}

/// Something that does not start.
struct Fault {
    judgement: Judgement,
    /// The path that the finding is known by.
    at: ImagePath,
    confidence: Confidence,
    evidence: Vec<Evidence>,
}

struct Check<'a> {
    inventory: &'a Inventory,
    lookup: Lookup<'a>,
    loader: Loader<'a>,
    /// Machines of the platform that the image says it is for.
    machines: Vec<u16>,
    platform: String,
    seen: HashSet<FileId>,
    files: Vec<FileId>,
    faults: Vec<Fault>,
    /// What led here, for the evidence: the command, a script.
    named: Vec<String>,
}

impl<'a> Check<'a> {
    /// Looks up and checks the program that a word starts. `by_engine`: by the engine itself and not by a script.
    fn start(&mut self, word: &str, by_engine: bool) -> Option<File<'a>> {
        match self.lookup.program(word) {
            Ok(file) => {
                self.runs(file, by_engine, 0);
                Some(file)
            }
            Err(Stop::Unknown) => None,
            Err(Stop::Nothing(text) | Stop::Unfit(text)) => {
                self.fault(Judgement::MissingProgram, word.as_bytes(), by_engine, text, None);
                None
            }
        }
    }

    /// Checks what the kernel and the loader need of a program that is there.
    fn runs(&mut self, file: File<'a>, by_engine: bool, depth: usize) {
        if !self.seen.insert(file.id()) || depth > SCRIPTS_MAX {
            return;
        }
        self.files.push(file.id());
        match file.format() {
            Format::Elf => self.elf(file, by_engine),
            Format::Script => self.script(file, by_engine, depth),
            // A shell reads such a file itself when the kernel refuses it; engines do not.
            Format::Empty | Format::Text | Format::Js if by_engine && depth == 0 => {
                let what = if file.format() == Format::Empty { "is empty" } else { "is a text without a #! line" };
                let text = format!("{} {what}, which the kernel can not start", path::show(file.path()));
                self.fault(Judgement::MissingProgram, file.path(), by_engine, text, Some(file));
            }
            _ => {}
        }
    }

    fn elf(&mut self, file: File<'a>, by_engine: bool) {
        let Some(elf) = elf_of(file) else { return };
        let shown = path::show(file.path());
        if !self.machines.is_empty() && elf.machine != 0 && !self.machines.contains(&elf.machine) {
            let machine = machine_name(elf.machine);
            let text = format!("{shown} is a program for {machine}, the image is for {}", self.platform);
            return self.fault(Judgement::WrongArchitecture, file.path(), by_engine, text, Some(file));
        }
        let Some(load) = self.loader.load(file) else { return };
        match load.interpreter {
            Some(Need::Missing { name }) => return self.no_loader(file, elf, name, by_engine),
            Some(Need::Found { file, .. }) => self.files.push(file.id()),
            None => {}
        }
        self.files.extend(load.objects.iter().map(|object| object.file.id()));
        if load.complete && !load.missing.is_empty() && load.interpreter.is_some() {
            self.no_library(file, &load, by_engine);
        }
    }

    fn no_loader(&mut self, file: File<'a>, elf: &Elf, name: &str, by_engine: bool) {
        if let Err(Stop::Unknown) = self.lookup.file(name) {
            return;
        }
        let (shown, loader) = (path::show(file.path()), path::escape(name.as_bytes()));
        let text = format!("{shown} asks for the loader {loader}, which is not in the image");
        let for_glibc = name.contains("ld-linux") || elf.needed.iter().any(|needed| needed == "libc.so.6");
        let judgement =
            if for_glibc && self.loader.has_musl() { Judgement::GlibcOnMusl } else { Judgement::MissingLoader };
        self.fault(judgement, file.path(), by_engine, text, Some(file));
    }

    fn no_library(&mut self, file: File<'a>, load: &Load<'a>, by_engine: bool) {
        let mut evidence = Vec::new();
        for missing in load.missing.iter().take(LIBRARIES_MAX) {
            let by = load.objects.get(missing.by).map(|object| object.file).unwrap_or(file);
            let name = path::escape(missing.name.as_bytes());
            let hint = self.elsewhere(missing.name, file).unwrap_or_default();
            evidence.push(format!("{} needs {name}, which the loader does not find{hint}", path::show(by.path())));
        }
        let mut lines = evidence.into_iter();
        let Some(first) = lines.next() else { return };
        self.fault(Judgement::MissingLibrary, file.path(), by_engine, first, Some(file));
        if let Some(fault) = self.faults.last_mut() {
            let witness = |witness| Evidence { class: EvidenceClass::Content, witness, path: None };
            fault.evidence.extend(lines.map(witness));
        }
    }

    /// Where a library of that name is, which the loader passes over.
    fn elsewhere(&self, name: &str, program: File<'a>) -> Option<String> {
        let named = |file: &File<'_>| file.kind() != Kind::Dir && path::name(file.path()) == name.as_bytes();
        let file = self.inventory.files().find(named)?;
        let shown = path::show(file.path());
        Some(match self.inventory.resolve(file.path()).map(elf_of) {
            None => format!(": {shown} is a link that leads nowhere"),
            Some(Some(elf)) if elf_of(program).is_some_and(|p| (p.machine, p.wide) != (elf.machine, elf.wide)) => {
                format!(": {shown} is for {}", machine_name(elf.machine))
            }
            Some(_) => format!(": {shown} is not where it looks"),
        })
    }

    /// Follows the `#!` line as the kernel does, and `env` behind it.
    fn script(&mut self, file: File<'a>, by_engine: bool, depth: usize) {
        let Some(script) = script_of(file) else { return };
        let Some(interpreter) = script.shebang.first() else { return };
        let shown = path::show(file.path());
        if script.crlf {
            let line = script.shebang.join(" ");
            let line = path::escape(line.as_bytes());
            let text =
                format!("{shown}: the line #!{line} ends in a carriage return, which becomes part of its last word");
            return self.fault(Judgement::MissingInterpreter, file.path(), by_engine, text, Some(file));
        }
        let found = self.lookup.program(&path_like(interpreter));
        let found = self.interpreter(file, interpreter, found, by_engine, depth);
        if found.is_some_and(|_| interpreter.rsplit('/').next() == Some("env"))
            && let Some(word) = behind_env(&script.shebang)
        {
            let found = self.lookup.program(word);
            self.interpreter(file, word, found, by_engine, depth);
        }
    }

    fn interpreter(
        &mut self,
        script: File<'a>,
        word: &str,
        found: Result<File<'a>, Stop>,
        by_engine: bool,
        depth: usize,
    ) -> Option<File<'a>> {
        match found {
            Ok(program) => {
                self.named.push(format!("{} is run by {}", path::show(script.path()), path::show(program.path())));
                self.runs(program, by_engine, depth + 1);
                self.named.pop();
                Some(program)
            }
            Err(Stop::Unknown) => None,
            Err(Stop::Nothing(why) | Stop::Unfit(why)) => {
                let word = path::escape(word.as_bytes());
                let text = format!("{} is a script for {word}: {why}", path::show(script.path()));
                self.fault(Judgement::MissingInterpreter, script.path(), by_engine, text, Some(script));
                None
            }
        }
    }

    /// Checks that the program which an interpreter is given is there: `node dist/server.js`.
    fn arguments(&mut self, argv: &[&str], config: &ImageConfig) {
        let Some(word) = given_file(argv) else { return };
        if word.contains('$') || word.contains(LITERAL_DOLLAR) {
            return;
        }
        let there = |ending: &str| !matches!(self.lookup.file(&format!("{word}{ending}")), Err(Stop::Nothing(_)));
        let endings: &[&str] = if is_node(argv) { &["", ".js", ".cjs", ".mjs", ".json", ".node"] } else { &[""] };
        if endings.iter().any(|ending| there(ending)) {
            return;
        }
        let shown = path::show(&path::clean(&self.lookup.absolute(word.as_bytes())));
        let program = path::escape(argv.first().map(|word| word.as_bytes()).unwrap_or_default());
        let cwd = if word.starts_with('/') {
            String::new()
        } else {
            format!(" (WORKDIR is {})", path::show(&path::clean(config.working_dir.as_bytes())))
        };
        let text = format!("{program} is given {shown}, which is not in the image{cwd}");
        self.fault(Judgement::MissingProgram, shown.as_bytes(), false, text, None);
    }

    /// Checks the command of a shell form that has one and nothing else: `CMD exec /srv/app --port 80`.
    fn plain_text(&mut self, argv: &[&str], config: &ImageConfig) {
        let [shell, "-c", text, ..] = argv else { return };
        let is_shell = matches!(shell.rsplit('/').next(), Some("sh" | "bash" | "dash" | "ash"));
        if !is_shell || text.contains(|c: char| !c.is_ascii_alphanumeric() && !" /._-:=,@+".contains(c)) {
            return;
        }
        let words: Vec<&str> =
            text.split(' ').filter(|word| !word.is_empty()).skip_while(|word| *word == "exec").collect();
        let Some(first) = words.first().filter(|word| !word.contains('=') && !BUILTINS.contains(word)) else { return };
        self.start(first, false);
        self.arguments(&words, config);
    }

    /// Checks a command behind a wrapper or a script.
    fn step(&mut self, step: &Step, config: &ImageConfig) {
        let script = step.written_in.map(|file| path::show(self.inventory.file(file).path()));
        let words: Vec<&str> = step.argv.iter().map(String::as_str).collect();
        let line = shown_command(&words);
        self.named.push(match script {
            Some(script) => format!("{script} runs {line}"),
            None => format!("which runs {line}"),
        });
        match step.program {
            Some(file) => self.runs(self.inventory.file(file), false, 0),
            // Scripts may make what they start; what the configuration names is there or not.
            None if !text_of_shell(config) && (step.written_in.is_none() || passed_on(step, config)) => {
                if let Some(word) = step.argv.first().filter(|word| !word.contains(['$', LITERAL_DOLLAR])) {
                    self.start(word, false);
                }
            }
            None => {}
        }
        let is_absolute = given_file(&words).is_some_and(|word| word.starts_with('/'));
        if is_absolute || !text_of_shell(config) && self.stays(step, config) {
            self.arguments(&words, config);
        }
        self.named.pop();
    }

    /// Whether a command is started in the directory in which the container begins.
    fn stays(&self, step: &Step, config: &ImageConfig) -> bool {
        let Some(file) = step.written_in else { return true };
        let moves = |script: &Script| script.commands.iter().flatten().any(|word| matches!(&**word, "cd" | "pushd"));
        let script = script_of(self.inventory.file(file));
        step.argv == config.cmd && script.is_some_and(|script| script.unread.is_none() && !moves(script))
    }

    fn fault(&mut self, judgement: Judgement, at: &[u8], by_engine: bool, text: String, file: Option<File<'a>>) {
        let at = ImagePath::new(at);
        if self.faults.iter().any(|fault| fault.at == at && fault.judgement == judgement) {
            return;
        }
        let chain = self.named.join(", ");
        let config = |witness| Evidence { class: EvidenceClass::Config, witness, path: None };
        let evidence = match file {
            Some(file) => {
                let path = Some(ImagePath::new(file.path()));
                vec![Evidence { class: EvidenceClass::Content, witness: text, path }, config(chain)]
            }
            None => vec![config(format!("{chain}: {text}"))],
        };
        let confidence = if by_engine { Confidence::Certain } else { Confidence::High };
        self.faults.push(Fault { judgement, at, confidence, evidence });
    }
}

/// Whether a script starts what `CMD` names by its path: `exec "$@"`.
fn passed_on(step: &Step, config: &ImageConfig) -> bool {
    step.argv == config.cmd && step.argv.first().is_some_and(|word| word.starts_with('/'))
}

/// Whether the configuration's command is a text for a shell, in which anything may stand before a command.
fn text_of_shell(config: &ImageConfig) -> bool {
    let words: Vec<&String> = config.entrypoint.iter().chain(&config.cmd).collect();
    matches!(words[..], [_, flag, ..] if flag.starts_with('-') && flag.contains('c'))
}

/// The kernel takes an interpreter without a slash from the working directory and never from `PATH`.
fn path_like(interpreter: &str) -> String {
    if interpreter.contains('/') { interpreter.to_string() } else { format!("./{interpreter}") }
}

/// The program that `env` starts; `None` when it is given anything but `-S` and assignments.
fn behind_env(shebang: &[String]) -> Option<&str> {
    let mut words = shebang.iter().skip(1).map(String::as_str);
    let word =
        words.find(|word| !matches!(*word, "-S" | "--split-string" | "--" | "-i" | "-") && !word.contains('='))?;
    let word = word.strip_prefix("-S").unwrap_or(word);
    (!word.starts_with('-') && !word.contains(['$', '\\', '"', '\''])).then_some(word)
}

fn is_node(argv: &[&str]) -> bool {
    matches!(program_name(argv), Some("node" | "nodejs"))
}

fn program_name<'w>(argv: &[&'w str]) -> Option<&'w str> {
    argv.first().map(|word| word.rsplit('/').next().unwrap_or_default())
}

/// The file that an interpreter is told to run, where the words leave no doubt.
fn given_file<'w>(argv: &[&'w str]) -> Option<&'w str> {
    let (second, third) = (argv.get(1).copied()?, argv.get(2).copied());
    let name = program_name(argv)?;
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let plain = |word: &'w str| Some(word).filter(|word| !word.starts_with('-') && !word.is_empty());
    match bare {
        // `node inspect app.js`
        "node" | "nodejs" => plain(second).filter(|word| word.contains(['/', '.'])),
        "python" => plain(second).filter(|word| word.ends_with(".py")),
        "sh" | "bash" | "dash" | "ash" => plain(second).filter(|word| word.contains('/')),
        "ruby" => plain(second).filter(|word| word.ends_with(".rb")),
        "perl" => plain(second).filter(|word| word.ends_with(".pl")),
        "java" if second == "-jar" => third.and_then(plain),
        _ => None,
    }
}

fn elf_of(file: File<'_>) -> Option<&Elf> {
    file.facts().find_map(|fact| if let Fact::Elf(elf) = fact { Some(elf) } else { None })
}

fn script_of(file: File<'_>) -> Option<&Script> {
    file.facts().find_map(|fact| if let Fact::Script(script) = fact { Some(script) } else { None })
}

/// The C library that node, or another program, runs with.
fn libc_of(loader: &Loader<'_>, program: File<'_>) -> Option<Libc> {
    let load = loader.load(program)?;
    load.interpreter.is_some().then_some(load.libc)
}
