//! Reads one instruction from its joined text: keyword, flags and arguments.
//!
//! What is refused, and what passes, follows BuildKit (`frontend/dockerfile/parser` and `instructions`): an argument is
//! checked as far as it can be without variables.

use std::ops::Range;

use super::{
    error::{Problem, short},
    heredoc,
    instruction::{
        Base, Command, CommandLine, Definition, Flag, Keyword, Pair, Statement, Transfer, TransferSource, Word,
    },
    logical::Logical,
    mount::Mount,
    words::{self, Piece, is_blank},
};

/// A statement, and what is wrong with it.
pub(super) struct Read {
    pub(super) statement: Statement,
    pub(super) problem: Option<Problem>,
    /// Whether documents may follow: no JSON form has any.
    pub(super) takes_heredocs: bool,
}

/// Reads the instruction.
pub(super) fn read(logical: &Logical, escape: char) -> Read {
    let text = logical.text();
    let start = text.len() - text.trim_start().len();
    Reader { logical, text: text.trim_end(), escape }.statement(start, false)
}

struct Reader<'a> {
    logical: &'a Logical,
    /// The joined text, without blanks at its end.
    text: &'a str,
    escape: char,
}

impl Reader<'_> {
    fn statement(&self, start: usize, is_trigger: bool) -> Read {
        let rest = self.text.get(start..).unwrap_or_default();
        let end = start + rest.find(is_blank).unwrap_or(rest.len());
        let word = self.text.get(start..end).unwrap_or_default();
        let (flags, args) = words::flags(self.text, end, self.escape);
        let behind = self.text.get(args..).unwrap_or_default();
        let args = self.text.len() - behind.trim_start().len()..self.text.len();
        let mut statement = Statement {
            keyword: Keyword::of(word),
            keyword_span: self.logical.span(start..end),
            flags: flags.iter().map(|flag| self.flag(flag)).collect(),
            command: Command::Broken,
            args_span: self.logical.span(args.clone()),
        };
        let mut takes_heredocs = false;
        let read = match statement.keyword {
            None => Err(Problem::new(start, format!("unknown instruction \"{}\"", short(word)))),
            Some(Keyword::Onbuild) if is_trigger => Err(Problem::new(start, "ONBUILD can not be chained")),
            Some(keyword @ (Keyword::From | Keyword::Maintainer)) if is_trigger => {
                Err(Problem::new(start, format!("{} can not be an ONBUILD trigger", keyword.word())))
            }
            Some(Keyword::Onbuild) if args.is_empty() => Err(Problem::new(end, "ONBUILD needs an instruction")),
            Some(Keyword::Onbuild) => {
                let inner = self.statement(args.start, true);
                takes_heredocs = inner.takes_heredocs;
                match inner.problem {
                    Some(problem) => Err(problem),
                    None => Ok(Command::Onbuild(Box::new(inner.statement))),
                }
            }
            Some(keyword) => self.command(keyword, args).inspect(|command| {
                takes_heredocs = match command {
                    Command::Run(line) => matches!(line, CommandLine::Shell(_)),
                    Command::Copy(transfer) | Command::Add(transfer) => !transfer.is_json,
                    _ => false,
                }
            }),
        };
        let problem = match read {
            Ok(command) => {
                statement.command = command;
                check_flags(&statement, &flags)
            }
            Err(problem) => Some(problem),
        };
        Read { statement, problem, takes_heredocs }
    }

    fn flag(&self, flag: &Piece) -> Flag {
        let name = flag.text.strip_prefix("--").unwrap_or(&flag.text);
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (name, None),
        };
        let written = self.text.get(flag.range.clone()).unwrap_or_default();
        let value_at = value.as_ref().and_then(|_| written.find('=')).map(|at| flag.range.start + at + 1);
        Flag {
            name: name.to_string(),
            value,
            span: self.logical.span(flag.range.clone()),
            value_span: value_at.map(|at| self.logical.span(at..flag.range.end)),
        }
    }

    fn command(&self, keyword: Keyword, args: Range<usize>) -> Result<Command, Problem> {
        Ok(match keyword {
            Keyword::Add => Command::Add(self.transfer(keyword, args)?),
            Keyword::Copy => Command::Copy(self.transfer(keyword, args)?),
            Keyword::Arg => Command::Arg(self.definitions(args)?),
            Keyword::Cmd => Command::Cmd(self.line(args)?),
            Keyword::Entrypoint => Command::Entrypoint(self.line(args)?),
            Keyword::Run => Command::Run(self.line(args)?),
            Keyword::Env => Command::Env(self.pairs(keyword, args)?),
            Keyword::Label => Command::Label(self.pairs(keyword, args)?),
            Keyword::Expose => Command::Expose(self.some(keyword, words::plain(self.text, args.clone()), &args)?),
            Keyword::From => Command::From(self.base(args)?),
            Keyword::Healthcheck => Command::Healthcheck(self.health(args)?),
            Keyword::Maintainer => Command::Maintainer(self.whole(keyword, args)?),
            Keyword::Stopsignal => Command::Stopsignal(self.whole(keyword, args)?),
            Keyword::User => Command::User(self.whole(keyword, args)?),
            Keyword::Workdir => Command::Workdir(self.whole(keyword, args)?),
            Keyword::Shell => match words::json(self.text, args.clone())? {
                Some(pieces) => Command::Shell(self.some(keyword, pieces, &args)?),
                None => return Err(Problem::new(args.start, "SHELL needs its arguments as a JSON array")),
            },
            Keyword::Volume => {
                let pieces = self.list(args.clone())?.0;
                if let Some(empty) = pieces.iter().find(|piece| piece.text.trim().is_empty()) {
                    return Err(Problem::new(empty.range.start, "VOLUME can not be an empty string"));
                }
                Command::Volume(self.some(keyword, pieces, &args)?)
            }
            // An ONBUILD within an ONBUILD was refused before.
            Keyword::Onbuild => Command::Broken,
        })
    }

    fn word(&self, piece: Piece) -> Word {
        Word { text: piece.text, span: self.logical.span(piece.range) }
    }

    fn part(&self, range: Range<usize>) -> Word {
        let text = self.text.get(range.clone()).unwrap_or_default().to_string();
        Word { text, span: self.logical.span(range) }
    }

    fn some(&self, keyword: Keyword, pieces: Vec<Piece>, args: &Range<usize>) -> Result<Vec<Word>, Problem> {
        if pieces.is_empty() {
            return Err(Problem::new(args.start, format!("{} needs at least one argument", keyword.word())));
        }
        Ok(pieces.into_iter().map(|piece| self.word(piece)).collect())
    }

    fn whole(&self, keyword: Keyword, args: Range<usize>) -> Result<Word, Problem> {
        if args.is_empty() {
            return Err(Problem::new(args.start, format!("{} needs exactly one argument", keyword.word())));
        }
        Ok(self.part(args))
    }

    fn line(&self, args: Range<usize>) -> Result<CommandLine, Problem> {
        Ok(match words::json(self.text, args.clone())? {
            Some(pieces) => CommandLine::Exec(pieces.into_iter().map(|piece| self.word(piece)).collect()),
            None => CommandLine::Shell(self.part(args)),
        })
    }

    /// The strings of a JSON array, or words; and whether it was an array.
    fn list(&self, args: Range<usize>) -> Result<(Vec<Piece>, bool), Problem> {
        Ok(match words::json(self.text, args.clone())? {
            Some(pieces) => (pieces, true),
            None => (words::plain(self.text, args), false),
        })
    }

    fn transfer(&self, keyword: Keyword, args: Range<usize>) -> Result<Transfer, Problem> {
        let (mut pieces, is_json) = self.list(args.clone())?;
        let dest = pieces.pop().filter(|_| !pieces.is_empty());
        let Some(dest) = dest else {
            return Err(Problem::new(args.start, format!("{} needs a source and a destination", keyword.word())));
        };
        let is_mark = |piece: &Piece| matches!(heredoc::mark(&piece.text), Ok(Some(_)));
        if is_mark(&dest) {
            let text = format!("the destination of {} can not be a heredoc", keyword.word());
            return Err(Problem::new(dest.range.start, text));
        }
        let mut number = 0;
        let sources = pieces
            .into_iter()
            .map(|piece| {
                if !is_mark(&piece) {
                    return TransferSource::Path(self.word(piece));
                }
                number += 1;
                TransferSource::Heredoc { number: number - 1, mark: self.word(piece) }
            })
            .collect();
        Ok(Transfer { sources, dest: self.word(dest), is_json })
    }

    fn definitions(&self, args: Range<usize>) -> Result<Vec<Definition>, Problem> {
        let pieces = words::quoted(self.text, args.clone(), self.escape);
        if pieces.is_empty() {
            return Err(Problem::new(args.start, "ARG needs at least one argument"));
        }
        let definition = |piece: Piece| {
            let range = piece.range.clone();
            match piece.text.find('=') {
                Some(0) => Err(Problem::new(range.start, "the name of an ARG is empty")),
                Some(at) => Ok(Definition {
                    name: self.part(range.start..range.start + at),
                    default: Some(self.part(range.start + at + 1..range.end)),
                }),
                None => Ok(Definition { name: self.word(piece), default: None }),
            }
        };
        pieces.into_iter().map(definition).collect()
    }

    fn pairs(&self, keyword: Keyword, args: Range<usize>) -> Result<Vec<Pair>, Problem> {
        let pieces = words::quoted(self.text, args.clone(), self.escape);
        let empty_name = |at| Problem::new(at, format!("a name of {} is empty", keyword.word()));
        let Some(first) = pieces.first() else {
            return Err(Problem::new(args.start, format!("{} needs at least one argument", keyword.word())));
        };
        if !first.text.contains('=') {
            // The old form: all that follows the name is the value.
            let text = self.text.get(args.clone()).unwrap_or_default();
            let name_end = text
                .find(is_blank)
                .ok_or_else(|| Problem::new(args.start, format!("{} needs a name and a value", keyword.word())))?;
            let behind = text.get(name_end..).unwrap_or_default();
            let value_start = args.end - behind.trim_start_matches(is_blank).len();
            return Ok(vec![Pair {
                name: self.part(args.start..args.start + name_end),
                value: self.part(value_start..args.end),
                has_sign: false,
            }]);
        }
        let pair = |piece: Piece| {
            let range = piece.range;
            match piece.text.find('=') {
                None => Err(Problem::new(range.start, "a word is not of the form name=value")),
                Some(0) => Err(empty_name(range.start)),
                Some(at) => Ok(Pair {
                    name: self.part(range.start..range.start + at),
                    value: self.part(range.start + at + 1..range.end),
                    has_sign: true,
                }),
            }
        };
        pieces.into_iter().map(pair).collect()
    }

    fn base(&self, args: Range<usize>) -> Result<Base, Problem> {
        let mut pieces = words::plain(self.text, args.clone());
        let name = match pieces.as_slice() {
            [_] => None,
            [_, word, _] if word.text.eq_ignore_ascii_case("as") => pieces.pop(),
            _ => return Err(Problem::new(args.start, "FROM takes an image, and perhaps AS and a name")),
        };
        if let Some(name) = name.as_ref().filter(|name| !is_stage_name(&name.text)) {
            return Err(Problem::new(name.range.start, format!("\"{}\" is no name for a stage", short(&name.text))));
        }
        let image = pieces.into_iter().next().map(|piece| self.word(piece)).unwrap_or_default();
        Ok(Base { image, name: name.map(|name| self.word(name)) })
    }

    fn health(&self, args: Range<usize>) -> Result<Option<CommandLine>, Problem> {
        let text = self.text.get(args.clone()).unwrap_or_default();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (kind, behind) = text.split_at(end);
        let rest = args.end - behind.trim_start().len()..args.end;
        if kind.eq_ignore_ascii_case("none") {
            return match rest.is_empty() {
                true => Ok(None),
                false => Err(Problem::new(rest.start, "HEALTHCHECK NONE takes no arguments")),
            };
        }
        if !kind.eq_ignore_ascii_case("cmd") {
            let text = match kind {
                "" => "HEALTHCHECK needs CMD or NONE".to_string(),
                kind => format!("HEALTHCHECK needs CMD or NONE, not \"{}\"", short(kind)),
            };
            return Err(Problem::new(args.start, text));
        }
        let line = self.line(rest.clone())?;
        match &line {
            CommandLine::Exec(words) if words.is_empty() => {
                Err(Problem::new(rest.start, "HEALTHCHECK CMD needs a command"))
            }
            CommandLine::Shell(_) if rest.is_empty() => {
                Err(Problem::new(rest.start, "HEALTHCHECK CMD needs a command"))
            }
            _ => Ok(Some(line)),
        }
    }
}

/// Source: BuildKit's `instructions/parse.go` (`validStageName`).
fn is_stage_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}

/// What a flag takes.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Takes {
    /// Nothing, or `true` or `false`.
    Claim,
    /// A value.
    Value,
    /// A value, and it may be repeated.
    Values,
}

fn takes(keyword: Keyword, name: &str) -> Option<Takes> {
    let table: &[(&str, Takes)] = match keyword {
        Keyword::Add => &[
            ("chown", Takes::Value),
            ("chmod", Takes::Value),
            ("link", Takes::Claim),
            ("keep-git-dir", Takes::Claim),
            ("checksum", Takes::Value),
            ("unpack", Takes::Claim),
            ("exclude", Takes::Values),
        ],
        Keyword::Copy => &[
            ("chown", Takes::Value),
            ("chmod", Takes::Value),
            ("from", Takes::Value),
            ("link", Takes::Claim),
            ("parents", Takes::Claim),
            ("exclude", Takes::Values),
        ],
        Keyword::From => &[("platform", Takes::Value)],
        Keyword::Run => &[
            ("mount", Takes::Values),
            ("network", Takes::Value),
            ("security", Takes::Value),
            ("device", Takes::Values),
        ],
        Keyword::Healthcheck => &[
            ("interval", Takes::Value),
            ("timeout", Takes::Value),
            ("start-period", Takes::Value),
            ("start-interval", Takes::Value),
            ("retries", Takes::Value),
        ],
        _ => &[],
    };
    table.iter().find(|(flag, _)| *flag == name).map(|&(_, takes)| takes)
}

/// What is wrong with the flags of a statement; `pieces` are where they stand.
fn check_flags(statement: &Statement, pieces: &[Piece]) -> Option<Problem> {
    let keyword = statement.keyword?;
    // BuildKit does not look at those.
    if matches!(statement.command, Command::Stopsignal(_) | Command::Healthcheck(None)) {
        return None;
    }
    let mut seen: Vec<&str> = Vec::new();
    for (flag, piece) in statement.flags.iter().zip(pieces) {
        let problem = |text: String| Some(Problem::new(piece.range.start, text));
        let name = short(&flag.name);
        let Some(takes) = takes(keyword, &flag.name) else {
            return problem(format!("{} has no flag \"--{name}\"", keyword.word()));
        };
        if takes != Takes::Values && seen.contains(&flag.name.as_str()) {
            return problem(format!("\"--{name}\" is given twice"));
        }
        seen.push(&flag.name);
        match (takes, flag.value.as_deref()) {
            (Takes::Claim, None) => {}
            (Takes::Claim, Some(value)) if ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(value)) => {}
            (Takes::Claim, Some(value)) => {
                return problem(format!("\"--{name}\" takes true or false, not \"{}\"", short(value)));
            }
            (_, None) => return problem(format!("\"--{name}\" needs a value")),
            (_, Some(value)) if flag.name == "mount" => {
                if let Err(text) = Mount::parse(value) {
                    return problem(text);
                }
            }
            (_, Some(value)) if flag.name == "retries" => {
                let is_count = value.is_empty() || value.parse::<i32>().is_ok_and(|count| count >= 0);
                let text = format!("\"--retries\" takes a number, not \"{}\"", short(value));
                if !is_count {
                    return problem(text);
                }
            }
            (_, Some(value)) if keyword == Keyword::Healthcheck && !is_duration(value) => {
                return problem(format!("\"--{name}\" takes a duration such as 30s, not \"{}\"", short(value)));
            }
            _ => {}
        }
    }
    None
}

/// Whether Go reads it as a span of time that is none, or a millisecond at least.
fn is_duration(text: &str) -> bool {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned.is_empty() || unsigned == "0" {
        return text.is_empty() || unsigned == "0";
    }
    let (mut rest, mut seconds) = (unsigned, 0.0);
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, behind) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
        let (unit, next) = behind.split_at(behind.find(is_number).unwrap_or(behind.len()));
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return false,
        };
        let Ok(number) = number.parse::<f64>() else { return false };
        seconds += number * scale;
        rest = next;
    }
    seconds == 0.0 || seconds >= 1e-3
}
