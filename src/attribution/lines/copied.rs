//! Follows `COPY --from` back: which path of the other stage a path of the image is, and which line made that.

use std::collections::HashSet;

use super::{Line, expect::clean};
use crate::dockerfile::{
    BuildArgs, Command, CommandLine, Expanded, File, Instruction, LinkSource, Scope, Statement, Transfer,
};

/// Most copies that are followed for one path.
const COPIES_MAX: usize = 256;

/// Most stages that are gone back through, one after the other.
const DEPTH_MAX: usize = 16;

/// Where a copied path comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copied {
    /// The stage or image that it was copied out of.
    pub from: CopiedFrom,
    /// What it is called there, each way that it can be; empty where that is not known.
    pub paths: Vec<String>,
    /// Lines that name it there, or copy it there: hints, the likeliest first. A command that makes it without naming it
    /// is not among them; with no hints, only the stage is known.
    pub makers: Vec<Line>,
}

/// What something was copied out of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CopiedFrom {
    /// The build context.
    Context,
    /// A stage of the file.
    Stage(usize),
    /// An image, or a context that has a name.
    Image(String),
}

/// Follows a path of the image that the `COPY` of a line brought; `None` if the line brings no such path.
pub fn copied(file: &File, line: &Line, path: &str, args: &BuildArgs) -> Option<Copied> {
    Follower { file, args, left: COPIES_MAX }.follow(line.instruction, path, 0)
}

/// What an instruction copies out of the build context.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    /// What it names, below the context and cleaned; empty for all of it, `None` where a variable has no value here.
    pub sources: Vec<Option<String>>,
    /// Where it goes, if that is known.
    pub dest: Option<String>,
}

/// What an instruction copies out of the build context; `None` where it copies nothing of it.
pub fn from_context(file: &File, number: usize, args: &BuildArgs) -> Option<Context> {
    let instruction = file.instructions().get(number)?;
    let stage = instruction.stage?;
    let statement = instruction.inner();
    let (Command::Copy(transfer) | Command::Add(transfer)) = &statement.command else { return None };
    if !file.sources(stage, statement).is_empty() {
        return None;
    }
    let (scope, workdir) = before(file, stage, number, args);
    let source = |written: &str| match known(&scope, written) {
        Some(name) if name.contains("://") || name.starts_with("git@") => None,
        name => Some(name.map(|name| clean(&format!("/{name}")).trim_start_matches('/').to_string())),
    };
    let sources: Vec<_> = transfer.paths().filter_map(|word| source(&word.text)).collect();
    let dest = known(&scope, &transfer.dest.text).and_then(|dest| absolute(workdir.as_deref(), &dest));
    (!sources.is_empty()).then_some(Context { sources, dest })
}

struct Follower<'a> {
    file: &'a File,
    args: &'a BuildArgs,
    left: usize,
}

impl Follower<'_> {
    fn follow(&mut self, number: usize, path: &str, depth: usize) -> Option<Copied> {
        let (file, args) = (self.file, self.args);
        self.left = self.left.checked_sub(1).filter(|_| depth <= DEPTH_MAX)?;
        let instruction = file.instructions().get(number)?;
        let statement = instruction.inner();
        let (Command::Copy(transfer) | Command::Add(transfer)) = &statement.command else { return None };
        let stage = instruction.stage?;
        let (scope, workdir) = before(file, stage, number, args);
        let paths = sources(&scope, workdir.as_deref(), statement, transfer, &clean(path))?;
        let source = file.sources(stage, statement).into_iter().next();
        let (from, makers) = match source {
            None => (CopiedFrom::Context, Vec::new()),
            Some((LinkSource::Image(name), ..)) => (CopiedFrom::Image(name), Vec::new()),
            Some((LinkSource::Stage(other), ..)) => {
                let mut makers = Vec::new();
                // A stage can only take from those above it.
                if other < stage {
                    let mut found = paths.iter().map(|path| self.makers(other, path, depth + 1));
                    makers.extend(found.find(|found| !found.is_empty()).unwrap_or_default());
                }
                let mut seen = HashSet::new();
                makers.retain(|&line| seen.insert(line));
                (CopiedFrom::Stage(other), makers)
            }
        };
        Some(Copied { from, paths, makers })
    }

    /// The lines of a stage, and of those below it, that may have made a path.
    fn makers(&mut self, stage: usize, path: &str, depth: usize) -> Vec<Line> {
        let (file, args) = (self.file, self.args);
        let (chain, _) = file.chain(stage, args);
        let mut scope = Scope::global(file, args).stage(None);
        let mut workdir: Option<String> = None;
        // Lines that name it, those that name a directory of it, and those that copy a directory of it.
        let (mut exact, mut near, mut covering) = (Vec::new(), Vec::new(), Vec::new());
        for below in chain.iter().rev().filter_map(|&stage| file.stages().get(stage)) {
            for number in below.body.clone() {
                let (Some(instruction), Some(line)) = (file.instructions().get(number), Line::of(file, number)) else {
                    continue;
                };
                enter(&scope, &mut workdir, instruction);
                scope.apply(&instruction.statement);
                match &instruction.statement.command {
                    Command::Run(command) => match mention(file, instruction, command, workdir.as_deref(), path) {
                        Some(true) => exact.push(line),
                        Some(false) => near.push(line),
                        None => {}
                    },
                    Command::Copy(_) | Command::Add(_) => {
                        if let Some(found) = self.follow(number, path, depth + 1) {
                            // What a stage below made is named there; the copy is what brought it here.
                            covering.push(std::iter::once(line).chain(found.makers));
                        }
                    }
                    _ => {}
                }
            }
        }
        let mut makers = exact;
        makers.reverse();
        if makers.is_empty() {
            near.reverse();
            makers = near;
        }
        makers.extend(covering.into_iter().rev().flatten());
        makers
    }
}

/// The variables and the working directory before an instruction.
fn before<'a>(file: &File, stage: usize, number: usize, args: &'a BuildArgs) -> (Scope<'a>, Option<String>) {
    let (chain, _) = file.chain(stage, args);
    let mut scope = Scope::global(file, args).stage(None);
    let mut workdir = None;
    for stage in chain.iter().rev().filter_map(|&stage| file.stages().get(stage)) {
        for instruction in stage.body.clone().filter(|&it| it < number).filter_map(|it| file.instructions().get(it)) {
            enter(&scope, &mut workdir, instruction);
            scope.apply(&instruction.statement);
        }
    }
    (scope, workdir)
}

fn enter(scope: &Scope<'_>, workdir: &mut Option<String>, instruction: &Instruction) {
    if let Command::Workdir(word) = &instruction.statement.command {
        *workdir = known(scope, &word.text).and_then(|path| absolute(workdir.as_deref(), &path));
    }
}

fn known(scope: &Scope<'_>, word: &str) -> Option<String> {
    scope.expand(word).ok().as_ref().and_then(Expanded::known).map(str::to_string)
}

fn absolute(workdir: Option<&str>, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return Some(clean(path));
    }
    Some(clean(&format!("{}/{path}", workdir?)))
}

/// What a path of the destination is called at the source; `None` if it is surely not copied.
fn sources(
    scope: &Scope<'_>,
    workdir: Option<&str>,
    statement: &Statement,
    transfer: &Transfer,
    path: &str,
) -> Option<Vec<String>> {
    let Some(dest) = known(scope, &transfer.dest.text) else { return Some(Vec::new()) };
    let is_dir =
        dest.ends_with('/') || transfer.sources.len() > 1 || matches!(dest.rsplit('/').next(), Some("." | ".."));
    let Some(dest) = absolute(workdir, &dest) else { return Some(Vec::new()) };
    let inside = match path.strip_prefix(dest.as_str()) {
        Some("") => "",
        Some(rest) if dest == "/" => rest,
        Some(rest) => rest.strip_prefix('/')?,
        None => return None,
    };
    if statement.flag("parents").is_some() {
        return Some(Vec::new());
    }
    // A source that is a file, or that is a directory of which the content is copied; the name tells which is likelier.
    let (mut files, mut contents) = (Vec::new(), Vec::new());
    let first = inside.split('/').next().unwrap_or_default();
    for source in transfer.paths() {
        let Some(written) = known(scope, &source.text) else { continue };
        let source = clean(&written);
        let name = source.rsplit('/').next().unwrap_or_default();
        let has_pattern = source.contains(['*', '?', '[']);
        if inside.is_empty() {
            if transfer.sources.len() == 1 && (is_dir || !has_pattern) {
                files.push(source);
            }
            continue;
        }
        let is_of_name = if has_pattern { fits(name, first) } else { name == first };
        if is_of_name && inside == first && (has_pattern || !written.ends_with('/')) {
            files.push(clean(&format!("{}/{first}", source.strip_suffix(name).unwrap_or_default())));
            if !has_pattern {
                files.push(clean(&format!("{source}/{inside}")));
            }
        } else if !has_pattern {
            contents.push(clean(&format!("{source}/{inside}")));
        }
    }
    Some(if files.is_empty() { contents } else { files })
}

/// Whether a name fits a pattern of `*` and `?`; brackets fit any character.
fn fits(pattern: &str, name: &str) -> bool {
    let mut expected = Expanded::default();
    for c in pattern.chars() {
        match c {
            '*' | '?' | '[' => expected.append(&Expanded::gap()),
            c => expected.push_str(c.encode_utf8(&mut [0; 4])),
        }
    }
    expected.matches(name)
}

/// Whether a command names a path (`true`), or a directory that it is in (`false`).
fn mention(
    file: &File,
    instruction: &Instruction,
    command: &CommandLine,
    workdir: Option<&str>,
    path: &str,
) -> Option<bool> {
    let mut texts: Vec<&str> = match command {
        CommandLine::Exec(words) => words.iter().map(|word| word.text.as_str()).collect(),
        CommandLine::Shell(word) => vec![word.text.as_str()],
    };
    texts.extend(instruction.heredocs.iter().map(|heredoc| file.at(heredoc.body)));
    let names = |what: &str| texts.iter().any(|text| has_word(text, what));
    let inside = workdir.and_then(|dir| path.strip_prefix(dir)).map(|rest| rest.trim_start_matches('/'));
    let inside = inside.filter(|rest| !rest.is_empty());
    if names(path) || inside.is_some_and(names) {
        return Some(true);
    }
    let parents = |path: &str| -> Vec<String> {
        path.char_indices()
            .filter(|&(at, c)| c == '/' && at > 0)
            .filter_map(|(at, _)| Some(path.get(..at)?.to_string()))
            .collect()
    };
    let mut dirs = parents(path);
    dirs.extend(inside.map(parents).unwrap_or_default());
    dirs.iter().any(|dir| names(dir)).then_some(false)
}

/// Whether a path stands in a text, and not within a longer one.
fn has_word(text: &str, path: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    text.match_indices(path).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let before = match before {
            // `./app` is `app`.
            Some('/') => text.get(..at).is_some_and(|text| !text.ends_with("./") || text.ends_with("../")),
            Some(c) => is_part(c),
            None => false,
        };
        let after = text.get(at + path.len()..).unwrap_or_default().trim_start_matches('/').chars().next();
        !before && !after.is_some_and(|c| is_part(c) && !(c == '.' && text.ends_with('.')))
    })
}
