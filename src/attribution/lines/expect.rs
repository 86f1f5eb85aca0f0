//! What builders write into the history for each instruction of a stage.
//!
//! Sources: histories recorded from Docker (classic builder and BuildKit) and buildah, see the tests; BuildKit's
//! `frontend/dockerfile/dockerfile2llb/convert.go`; kaniko's `pkg/commands`, which writes the instruction as it is.

use std::collections::BTreeSet;

use super::entry::{Builder, Entry};
use crate::dockerfile::{
    BuildArgs, Command, CommandLine, Expanded, File, Instruction, Keyword, Pair, Scope, Statement, TransferSource, Word,
};

/// Shells that builders use when none is set.
const SHELLS: [&str; 2] = ["/bin/sh -c", "cmd /S /C"];

/// An instruction, and what its entry looks like.
pub(super) struct Step<'a> {
    /// Its number in the file; that of the `ONBUILD` for what it triggers.
    pub(super) instruction: usize,
    pub(super) keyword: Keyword,
    /// Whether a builder may write no entry for it.
    pub(super) may_be_left_out: bool,
    expected: Expected<'a>,
}

/// What an entry has to say behind the keyword, white space squeezed.
enum Expected<'a> {
    /// One of these commands, perhaps with build arguments before it.
    Run(Vec<String>),
    /// One of these texts.
    Texts(Vec<Expanded>),
    Transfer {
        texts: Vec<Expanded>,
        dests: [Expanded; 2],
        is_single: bool,
        is_everything: bool,
    },
    /// These names, with anything else; or some of those that the stage has declared so far (buildah).
    Names {
        names: Vec<&'a str>,
        declared: Vec<&'a str>,
    },
    /// These port numbers; `None` if they are not known.
    Ports(Option<BTreeSet<u32>>),
    /// All of these texts, somewhere.
    Parts(Vec<[String; 2]>),
}

/// The steps of a chain of stages, the lowest stage last in `chain`, its steps first.
pub(super) fn steps<'a>(
    file: &'a File,
    chain: &[usize],
    args: &BuildArgs,
    builder: Builder,
    shell: Option<&str>,
) -> Vec<Step<'a>> {
    let mut writer = Writer {
        file,
        scope: Scope::global(file, args).stage(None).careful(),
        shell: shell.map(str::to_string),
        workdir: Expanded::gap(),
        builder,
        declared: Vec::new(),
        steps: Vec::new(),
    };
    let mut triggers: Vec<(usize, &Instruction)> = Vec::new();
    for stage in chain.iter().rev().filter_map(|&stage| file.stages().get(stage)) {
        writer.scope.leave_stage();
        writer.declared.clear();
        for (number, instruction) in std::mem::take(&mut triggers) {
            // buildah forgets them in images of the OCI format.
            writer.step(number, instruction, instruction.inner(), builder != Builder::Buildkit);
        }
        for number in stage.body.clone() {
            let Some(instruction) = file.instructions().get(number) else { continue };
            let is_trigger = matches!(instruction.statement.command, Command::Onbuild(_));
            if is_trigger {
                triggers.push((number, instruction));
            }
            if !(is_trigger && builder == Builder::Buildkit) {
                writer.step(number, instruction, &instruction.statement, builder == Builder::Written);
            }
        }
    }
    writer.steps
}

struct Writer<'a, 'b> {
    file: &'a File,
    scope: Scope<'b>,
    shell: Option<String>,
    workdir: Expanded,
    builder: Builder,
    /// Arguments that the stage has declared so far.
    declared: Vec<&'a str>,
    steps: Vec<Step<'a>>,
}

impl<'a> Writer<'a, '_> {
    fn step(&mut self, number: usize, instruction: &'a Instruction, statement: &'a Statement, may_be_left_out: bool) {
        let Some(keyword) = statement.keyword else { return };
        let expected = self.expected(instruction, statement);
        self.scope.apply(statement);
        if let Command::Shell(words) = &statement.command {
            self.shell = Some(joined(words));
        }
        self.steps.push(Step { instruction: number, keyword, may_be_left_out, expected });
    }

    fn expected(&mut self, instruction: &'a Instruction, statement: &'a Statement) -> Expected<'a> {
        let raw = Expanded::text(squeezed(&self.raw(instruction, statement)));
        let whole = |word: &Word| Expected::Texts(vec![self.expand(&word.text).squeezed(), raw.clone()]);
        match &statement.command {
            Command::Run(line) => Expected::Run(self.commands(instruction, statement, line)),
            Command::Add(transfer) | Command::Copy(transfer) => {
                let dest = self.expand(&transfer.dest.text).squeezed();
                let mut text = Expanded::default();
                for path in transfer.paths() {
                    text.append(&self.expand(&path.text));
                    text.push_str(" ");
                }
                for source in &transfer.sources {
                    if let TransferSource::Heredoc { number, .. } = source {
                        let name = instruction.heredocs.get(*number).map_or("", |heredoc| heredoc.name.as_str());
                        text.push_str(&format!("<<{name} "));
                    }
                }
                text.append(&dest);
                let is_everything = transfer.paths().chain([&transfer.dest]).all(|word| is_vague(&word.text));
                let is_single = transfer.sources.len() == 1
                    && !transfer.paths().any(|word| word.text.contains(['*', '?', '[', '$']));
                let flags = text_between(instruction, statement);
                let texts = vec![text.squeezed(), raw, Expanded::text(squeezed(&flags))];
                let written = Expanded::text(squeezed(&transfer.dest.text));
                Expected::Transfer { texts, dests: [dest, written], is_single, is_everything }
            }
            Command::Arg(definitions) => {
                let names: Vec<&str> = definitions.iter().map(|it| it.name.text.as_str()).collect();
                self.declared.extend(&names);
                Expected::Names { names, declared: self.declared.clone() }
            }
            Command::Env(pairs) | Command::Label(pairs) => Expected::Texts(vec![self.pairs(pairs), raw]),
            Command::Cmd(line) | Command::Entrypoint(line) => Expected::Texts(vec![command(line), raw]),
            Command::Expose(words) => Expected::Ports(self.ports(words)),
            Command::Volume(words) => {
                let mut text = Expanded::text("[");
                for (number, word) in words.iter().enumerate() {
                    text.push_str(if number == 0 { "" } else { " " });
                    text.append(&self.expand(&word.text));
                }
                text.push_str("]");
                Expected::Texts(vec![text.squeezed(), raw])
            }
            Command::Shell(words) => {
                Expected::Texts(vec![Expanded::text(squeezed(&format!("[{}]", joined(words)))), raw])
            }
            Command::Workdir(word) => {
                let written = self.expand(&word.text).squeezed();
                self.workdir = resolve(&self.workdir, &written);
                Expected::Texts(vec![self.workdir.clone(), written, raw])
            }
            Command::User(word) | Command::Stopsignal(word) | Command::Maintainer(word) => whole(word),
            Command::Healthcheck(None) => Expected::Parts(vec![["none".to_string(), "NONE".to_string()]]),
            Command::Healthcheck(Some(line)) => {
                let words = match line {
                    CommandLine::Exec(words) => words.iter().collect(),
                    CommandLine::Shell(word) => vec![word],
                };
                let part = |word: &&Word| [squeezed(&word.text), squeezed(&quoted(&word.text))];
                Expected::Parts(words.iter().map(part).collect())
            }
            Command::Onbuild(_) => Expected::Texts(vec![raw]),
            Command::From(_) | Command::Broken => Expected::Texts(Vec::new()),
        }
    }

    /// The arguments as they are written, without flags.
    fn raw(&self, instruction: &Instruction, statement: &Statement) -> String {
        let text = instruction.logical.text();
        // The joined text has no comments in it, so the end of it is looked for, not its place in the file.
        let all = text_between(instruction, statement);
        let flags = statement.flags.iter().fold(all.as_str(), |rest, flag| {
            let flag = squeezed(self.file.at(flag.span));
            rest.trim_start().strip_prefix(flag.as_str()).unwrap_or(rest)
        });
        if flags.is_empty() { text.to_string() } else { flags.trim().to_string() }
    }

    fn expand(&self, word: &str) -> Expanded {
        self.scope.expand(word).unwrap_or_else(|_| Expanded::gap())
    }

    fn commands(&self, instruction: &Instruction, statement: &Statement, line: &CommandLine) -> Vec<String> {
        let raw = self.raw(instruction, statement);
        let mut bodies = vec![raw.clone()];
        match line {
            CommandLine::Exec(_) => {}
            CommandLine::Shell(word) => match instruction.heredocs.as_slice() {
                [] => {}
                [only] if only.mark == word.span => {
                    let body = self.file.at(only.body);
                    bodies = vec![if body.starts_with("#!") {
                        format!("/dev/pipes/{}", only.name)
                    } else {
                        body.to_string()
                    }];
                }
                heredocs => {
                    let mut text = word.text.clone();
                    for heredoc in heredocs {
                        text.push_str(&format!("\n{}{}", self.file.at(heredoc.body), heredoc.name));
                    }
                    bodies = vec![text];
                }
            },
        }
        let shells = self.shell.as_deref().into_iter().chain(SHELLS);
        let mut commands: Vec<String> = Vec::new();
        for shell in shells {
            commands.extend(bodies.iter().map(|body| squeezed(&format!("{shell} {body}"))));
            let has_documents = self.builder == Builder::Nop && !instruction.heredocs.is_empty();
            if !statement.flags.is_empty() || has_documents {
                // buildah keeps the mounts, and the marks of documents.
                commands.push(squeezed(&format!("{shell} {}", text_between(instruction, statement))));
            }
            if has_documents {
                // Their texts follow, without the lines that end them; not where there are build arguments.
                let texts = instruction.heredocs.iter().map(|heredoc| self.file.at(heredoc.body));
                let texts = texts.collect::<Vec<_>>().join("\n");
                commands.push(squeezed(&format!("{shell} {} {texts}", text_between(instruction, statement))));
            }
        }
        if let CommandLine::Exec(words) = line {
            commands.push(squeezed(&joined(words)));
        }
        if self.builder == Builder::Written {
            commands.push(squeezed(&text_between(instruction, statement)));
            commands.push(squeezed(&raw));
        }
        commands
    }

    fn pairs(&self, pairs: &[Pair]) -> Expanded {
        let mut text = Expanded::default();
        for (number, pair) in pairs.iter().enumerate() {
            text.push_str(if number == 0 { "" } else { " " });
            text.append(&self.expand(&pair.name.text));
            text.push_str("=");
            text.append(&self.expand(&pair.value.text));
        }
        text.squeezed()
    }

    fn ports(&self, words: &[Word]) -> Option<BTreeSet<u32>> {
        let mut ports = BTreeSet::new();
        for word in words {
            for port in self.expand(&word.text).words() {
                ports.insert(port.known()?.split('/').next()?.parse().ok()?);
            }
        }
        Some(ports)
    }
}

impl Step<'_> {
    /// Whether an entry is of this step.
    pub(super) fn agrees(&self, entry: &Entry<'_>) -> bool {
        if entry.keyword != Some(self.keyword) {
            return false;
        }
        let rest = entry.squeezed.as_str();
        match &self.expected {
            Expected::Run(commands) => {
                let rest = if entry.builder == Builder::Nop { without_checksums(rest) } else { rest };
                commands.iter().any(|command| {
                    rest == command
                        || rest.starts_with('|')
                            && rest.strip_suffix(command.as_str()).is_some_and(|args| args.ends_with(' '))
                })
            }
            Expected::Texts(texts) => texts.iter().any(|text| text.matches(rest)),
            Expected::Transfer { texts, dests, is_single, .. } => {
                let plain = rest.split(' ').skip_while(|word| word.starts_with("--")).collect::<Vec<_>>().join(" ");
                if texts.iter().any(|text| text.matches(rest) || text.matches(&plain)) {
                    return true;
                }
                let Some((what, dest)) = rest.split_once(" in ").filter(|_| entry.builder == Builder::Nop) else {
                    return false;
                };
                let is_single_there = !what.contains("multi:");
                (is_single_there || !is_single) && !what.contains(' ') && dests.iter().any(|text| text.matches(dest))
            }
            Expected::Names { names, declared } => {
                let mut there = rest.split(' ').filter_map(|word| word.split('=').next());
                let has = |name: &&str| rest.split(' ').any(|word| word.split('=').next() == Some(*name));
                names.iter().all(has) || entry.builder == Builder::Nop && there.all(|name| declared.contains(&name))
            }
            Expected::Ports(None) => true,
            Expected::Ports(Some(ports)) => {
                let numbers = rest.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
                numbers.collect::<BTreeSet<u32>>() == *ports
            }
            Expected::Parts(parts) => parts.iter().all(|forms| forms.iter().any(|form| rest.contains(form.as_str()))),
        }
    }

    /// How much it tells that an entry agrees.
    pub(super) fn weight(&self, entry: &Entry<'_>) -> usize {
        match &self.expected {
            Expected::Run(commands) => {
                let least = commands.iter().map(String::len).min().unwrap_or_default();
                if least >= "/bin/sh -c make".len() { 3 } else { 2 }
            }
            Expected::Transfer { is_everything: true, .. } => 1,
            Expected::Transfer { .. } if entry.builder == Builder::Nop => 2,
            Expected::Transfer { .. } => 3,
            _ => 1,
        }
    }
}

/// What stands behind the keyword in the joined text.
fn text_between(instruction: &Instruction, statement: &Statement) -> String {
    let text = instruction.logical.text().trim();
    let behind =
        |text: &str| text.split_once(char::is_whitespace).map_or(String::new(), |(_, rest)| rest.trim().to_string());
    let all = behind(text);
    // What an ONBUILD triggers has a keyword of its own.
    if std::ptr::eq(statement, &instruction.statement) { all } else { behind(&all) }
}

/// A command without the digests that buildah appends: those of what is mounted from the context.
pub(super) fn without_checksums(command: &str) -> &str {
    let mut rest = command;
    while let Some((before, digest)) = rest.rsplit_once(":sha256:") {
        if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            break;
        }
        rest = before;
    }
    rest
}

/// A text with its white space squeezed.
pub(super) fn squeezed(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !made.is_empty() {
            made.push(' ');
        }
        made.push_str(word);
    }
    made
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// A list of strings as Go prints it, and a command of a shell whose name is not known.
fn command(line: &CommandLine) -> Expanded {
    match line {
        CommandLine::Exec(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(&word.text)).collect();
            Expanded::text(squeezed(&format!("[{}]", words.join(" "))))
        }
        CommandLine::Shell(word) => {
            let mut text = Expanded::text("[");
            text.append(&Expanded::gap());
            text.push_str(&squeezed(&format!("{}]", quoted(&word.text))));
            text
        }
    }
}

/// A string in Go's quotes.
fn quoted(text: &str) -> String {
    let mut made = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => made.extend(['\\', c]),
            '\n' => made.push_str("\\n"),
            '\t' => made.push_str("\\t"),
            '\r' => made.push_str("\\r"),
            '\0'..='\u{1f}' | '\u{7f}' => made.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => made.push(c),
        }
    }
    made.push('"');
    made
}

/// A path that says nothing of the file it stands in.
fn is_vague(path: &str) -> bool {
    path.chars().all(|c| matches!(c, '.' | '/'))
}

/// A working directory, seen from the one before.
fn resolve(before: &Expanded, path: &Expanded) -> Expanded {
    let Some(path) = path.known() else { return Expanded::gap() };
    let joined = match (path.starts_with('/'), before.known()) {
        (true, _) => path.to_string(),
        (false, Some(before)) => format!("{before}/{path}"),
        (false, None) if path.split('/').any(|part| part == "..") => return Expanded::gap(),
        (false, None) => {
            let mut text = Expanded::gap();
            text.push_str(&clean(path));
            return text;
        }
    };
    Expanded::text(clean(&joined))
}

/// An absolute path without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
