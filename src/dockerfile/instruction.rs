//! What the instructions of a Dockerfile say: types, and where each part stands.

use super::{heredoc::Heredoc, logical::Logical, mount::Mount, span::Span};

/// The keyword of an instruction.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "the names are those of the instructions")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

impl Keyword {
    /// Every keyword.
    pub const ALL: [Self; 18] = [
        Self::Add,
        Self::Arg,
        Self::Cmd,
        Self::Copy,
        Self::Entrypoint,
        Self::Env,
        Self::Expose,
        Self::From,
        Self::Healthcheck,
        Self::Label,
        Self::Maintainer,
        Self::Onbuild,
        Self::Run,
        Self::Shell,
        Self::Stopsignal,
        Self::User,
        Self::Volume,
        Self::Workdir,
    ];

    /// The keyword in capitals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
        }
    }

    /// The keyword that a word is, in any case.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keyword| keyword.word().eq_ignore_ascii_case(word))
    }

    /// Whether it changes the file system.
    pub fn makes_files(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run | Self::Workdir)
    }
}

/// One instruction of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instruction {
    /// What it says.
    pub statement: Statement,
    /// From its keyword to the end of its last line; without the line end.
    pub span: Span,
    /// Its first line, counted from 1.
    pub first_line: u32,
    /// Its last line, the last one of its heredocs included.
    pub last_line: u32,
    /// The stage that it is in; `None` before the first `FROM`.
    pub stage: Option<usize>,
    /// The documents that follow it, in order.
    pub heredocs: Vec<Heredoc>,
    /// Its text as builders read it.
    pub logical: Logical,
}

impl Instruction {
    /// What it says, or what it makes the next build say (`ONBUILD`).
    pub fn inner(&self) -> &Statement {
        match &self.statement.command {
            Command::Onbuild(trigger) => trigger,
            _ => &self.statement,
        }
    }
}

/// A keyword with its flags and arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// The keyword; `None` if there is no such instruction, which only the lenient parser lets pass.
    pub keyword: Option<Keyword>,
    /// The keyword as it is written.
    pub keyword_span: Span,
    /// Its flags, in order.
    pub flags: Vec<Flag>,
    /// Its arguments.
    pub command: Command,
    /// From the first byte behind the flags to the last; empty where there are no arguments.
    pub args_span: Span,
}

impl Statement {
    /// The value of the first flag of a name; empty for a flag without a value.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let flag = self.flags.iter().find(|flag| flag.name == name)?;
        Some(flag.value.as_deref().unwrap_or_default())
    }

    /// The mounts of a `RUN`. What can not be read as one is left out: the strict parser has refused it.
    pub fn mounts(&self) -> Vec<Mount> {
        let values = self.flags.iter().filter(|flag| flag.name == "mount").filter_map(|flag| flag.value.as_deref());
        values.filter_map(|value| Mount::parse(value).ok()).collect()
    }
}

/// `--name` or `--name=value`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: String,
    /// Its value without quotes; variables are not expanded.
    pub value: Option<String>,
    /// The whole flag.
    pub span: Span,
    /// The value as it is written.
    pub value_span: Option<Span>,
}

/// An argument.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Word {
    /// Its text: quotes and variables as written, except in the JSON form, which is decoded.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What an instruction says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// `ADD`
    Add(Transfer),
    /// `ARG`
    Arg(Vec<Definition>),
    /// `CMD`
    Cmd(CommandLine),
    /// `COPY`
    Copy(Transfer),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `ENV`
    Env(Vec<Pair>),
    /// `EXPOSE`
    Expose(Vec<Word>),
    /// `FROM`
    From(Base),
    /// `HEALTHCHECK`; `None` for `NONE`.
    Healthcheck(Option<CommandLine>),
    /// `LABEL`
    Label(Vec<Pair>),
    /// `MAINTAINER`
    Maintainer(Word),
    /// `ONBUILD`, with what the next build does.
    Onbuild(Box<Statement>),
    /// `RUN`
    Run(CommandLine),
    /// `SHELL`
    Shell(Vec<Word>),
    /// `STOPSIGNAL`
    Stopsignal(Word),
    /// `USER`
    User(Word),
    /// `VOLUME`
    Volume(Vec<Word>),
    /// `WORKDIR`
    Workdir(Word),
    /// What builders refuse. Only the lenient parser lets it pass.
    Broken,
}

/// A command in one of its two forms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CommandLine {
    /// `["a", "b"]`
    Exec(Vec<Word>),
    /// Words for a shell.
    Shell(Word),
}

/// The arguments of `FROM`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Base {
    /// The image, a stage, or `scratch`.
    pub image: Word,
    /// The name behind `AS`.
    pub name: Option<Word>,
}

/// `name=value`, or `name value` in the old form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// The name.
    pub name: Word,
    /// The value as written.
    pub value: Word,
    /// Whether it is written with `=`.
    pub has_sign: bool,
}

/// `name` or `name=default`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Definition {
    /// The name.
    pub name: Word,
    /// The default as written.
    pub default: Option<Word>,
}

/// The arguments of `COPY` and `ADD`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transfer {
    /// What is copied.
    pub sources: Vec<TransferSource>,
    /// Where to.
    pub dest: Word,
    /// Whether it is written as a JSON array.
    pub is_json: bool,
}

impl Transfer {
    /// The sources that are paths, or addresses.
    pub fn paths(&self) -> impl Iterator<Item = &Word> {
        self.sources.iter().filter_map(|source| match source {
            TransferSource::Path(word) => Some(word),
            TransferSource::Heredoc { .. } => None,
        })
    }
}

/// Something to copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TransferSource {
    /// A path in the context, the stage or the image; or an address.
    Path(Word),
    /// A document in the file.
    Heredoc {
        /// Its number in [`Instruction::heredocs`].
        number: usize,
        /// Its mark as written.
        mark: Word,
    },
}
