//! Reads a Dockerfile into pieces that, one after the other, are its text again.
//!
//! Semantics: BuildKit's `frontend/dockerfile/parser/parser.go`.

use std::fmt;

use super::{
    error::{Problem, SyntaxError, short},
    heredoc::{self, Heredoc},
    instruction::{Command, Instruction, Keyword},
    logical::Logical,
    span::{Lines, Span},
    stage::{self, Stage, StageNames},
    statement,
};

/// Largest Dockerfile, in bytes; real ones have some ten thousand at most.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A parsed Dockerfile. Printed, it is the text that was parsed, byte for byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    text: String,
    pieces: Vec<Piece>,
    directives: Vec<Directive>,
    instructions: Vec<Instruction>,
    stages: Vec<Stage>,
    names: StageNames,
    errors: Vec<SyntaxError>,
    escape: char,
    lines: Lines,
}

/// A part of the file, line ends included. The pieces follow each other without gaps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Where it stands.
    pub span: Span,
}

/// What a part of the file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PieceKind {
    /// The byte order mark.
    Mark,
    /// A parser directive: its number in [`File::directives`].
    Directive(usize),
    /// A comment between instructions.
    Comment,
    /// An empty line between instructions.
    Blank,
    /// An instruction with its heredocs: its number in [`File::instructions`].
    Instruction(usize),
}

/// `# syntax=`, `# escape=`, `# check=` at the top of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directive {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its line, counted from 1.
    pub line: u32,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| f.write_str(piece.span.of(&self.text)))
    }
}

impl File {
    /// Parses a Dockerfile.
    ///
    /// # Errors
    /// What a builder would not accept, with its place.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser::new(text, true);
        parser.run();
        parser.finish()
    }

    /// Parses the bytes of a Dockerfile.
    ///
    /// # Errors
    /// As [`File::parse`], and when they are no UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, SyntaxError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let valid = std::str::from_utf8(valid).unwrap_or_default();
                let (line, column) = Lines::new(valid).position(valid, valid.len());
                Err(SyntaxError { line, column, text: "this is no UTF-8".to_string() })
            }
        }
    }

    /// Parses what can be parsed. What builders refuse is in [`File::errors`], and stays in the file as a
    /// [`Command::Broken`].
    pub fn parse_lenient(text: &str) -> Self {
        let mut parser = Parser::new(text, false);
        parser.run();
        parser.into_file()
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands in a range.
    pub fn at(&self, span: Span) -> &str {
        span.of(&self.text)
    }

    /// All of the file, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The parser directives, in order.
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// The instructions, in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The stages, in order.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    pub(super) fn names(&self) -> &StageNames {
        &self.names
    }

    /// What is wrong with the file. Empty for a strictly parsed one.
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }

    /// The character that escapes, and continues lines.
    pub fn escape(&self) -> char {
        self.escape
    }

    /// Line and column of an offset, counted from 1; columns are characters.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        self.lines.position(&self.text, offset)
    }

    /// The text with parts of it replaced. Where two ranges overlap, the first counts.
    pub fn edited(&self, edits: &[(Span, String)]) -> String {
        let mut sorted: Vec<&(Span, String)> = edits.iter().collect();
        sorted.sort_by_key(|(span, _)| span.start);
        let (mut text, mut done) = (String::new(), 0);
        for (span, with) in sorted {
            if let Some(kept) = self.text.get(done..span.start) {
                text.push_str(kept);
                text.push_str(with);
                done = span.end;
            }
        }
        text.push_str(self.text.get(done..).unwrap_or_default());
        text
    }
}

struct Parser {
    file: File,
    is_strict: bool,
    /// Offset of the next line.
    next: usize,
    /// Whether a directive may follow.
    takes_directives: bool,
    has_from: bool,
}

/// A line of the file.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    /// Behind its line end.
    end: usize,
    /// Without its line end.
    text: &'a str,
}

impl Parser {
    fn new(text: &str, is_strict: bool) -> Self {
        let file = File {
            text: text.to_string(),
            pieces: Vec::new(),
            directives: Vec::new(),
            instructions: Vec::new(),
            stages: Vec::new(),
            names: StageNames::default(),
            errors: Vec::new(),
            escape: '\\',
            lines: Lines::new(text),
        };
        Self { file, is_strict, next: 0, takes_directives: true, has_from: false }
    }

    fn run(&mut self) {
        let text = std::mem::take(&mut self.file.text);
        self.read(&text);
        self.file.text = text;
        (self.file.stages, self.file.names) = stage::stages(&mut self.file.instructions);
        if self.file.errors.is_empty() && self.file.stages.is_empty() {
            let what =
                if self.file.instructions.is_empty() { "the file has no instructions" } else { "there is no FROM" };
            let last = self.file.pieces.last().map_or(0, |piece| piece.span.start);
            let (line, column) = self.file.position(last);
            self.file.errors.push(SyntaxError { line, column, text: what.to_string() });
        }
    }

    fn finish(self) -> Result<File, SyntaxError> {
        match self.file.errors.first() {
            Some(error) => Err(error.clone()),
            None => Ok(self.file),
        }
    }

    fn into_file(self) -> File {
        self.file
    }

    fn read(&mut self, text: &str) {
        if text.len() > BYTES_MAX {
            self.error(text, 0, format!("the file is larger than {BYTES_MAX} bytes"));
            self.piece(PieceKind::Comment, Span::new(0, text.len()));
            return;
        }
        if text.starts_with('\u{feff}') {
            self.next = '\u{feff}'.len_utf8();
            self.piece(PieceKind::Mark, Span::new(0, self.next));
        }
        while let Some(line) = self.line(text) {
            let content = line.text.trim_start();
            let start = line.start + line.text.len() - content.len();
            let span = Span::new(line.start, line.end);
            if let Some(comment) = content.strip_prefix('#') {
                let kind = match self.directive(text, comment, start) {
                    Some(directive) => {
                        self.file.directives.push(directive);
                        PieceKind::Directive(self.file.directives.len() - 1)
                    }
                    None => PieceKind::Comment,
                };
                self.piece(kind, span);
            } else {
                self.takes_directives = false;
                if content.is_empty() {
                    self.piece(PieceKind::Blank, span);
                } else {
                    self.instruction(text, line, start, content);
                }
            }
            if self.is_strict && !self.file.errors.is_empty() {
                return;
            }
        }
    }

    /// The next line, which is then done.
    fn line<'a>(&mut self, text: &'a str) -> Option<Line<'a>> {
        let start = self.next;
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = start + rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.next = end;
        Some(Line { start, end, text: text.get(start..end)?.trim_end_matches(['\r', '\n']) })
    }

    fn piece(&mut self, kind: PieceKind, span: Span) {
        self.file.pieces.push(Piece { kind, span });
    }

    fn error(&mut self, text: &str, offset: usize, what: impl Into<String>) {
        let (line, column) = self.file.lines.position(text, offset);
        self.file.errors.push(SyntaxError { line, column, text: what.into() });
    }

    /// Reads a comment as a directive, as long as there were only directives before.
    fn directive(&mut self, text: &str, comment: &str, offset: usize) -> Option<Directive> {
        if !self.takes_directives {
            return None;
        }
        let found = name_and_value(comment.trim_start());
        let known = found.filter(|(name, _)| ["syntax", "escape", "check"].contains(&name.as_str()));
        let Some((name, value)) = known else {
            self.takes_directives = false;
            return None;
        };
        if self.file.directives.iter().any(|directive| directive.name == name) {
            self.error(text, offset, format!("the directive \"{name}\" is given twice"));
            return None;
        }
        if name == "escape" {
            match value {
                "\\" => self.file.escape = '\\',
                "`" => self.file.escape = '`',
                _ => {
                    self.error(text, offset, format!("the escape has to be \\ or `, not \"{}\"", short(value)));
                    return None;
                }
            }
        }
        Some(Directive { name, value: value.to_string(), line: self.file.lines.line(offset) })
    }

    fn instruction(&mut self, text: &str, first: Line<'_>, start: usize, content: &str) {
        let mut logical = Logical::default();
        let (kept, mut goes_on) = continued(content, self.file.escape);
        logical.push(kept, start);
        let mut last = first;
        while goes_on {
            let Some(line) = self.line(text) else { break };
            last = line;
            let trimmed = line.text.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let (kept, more) = continued(line.text, self.file.escape);
            logical.push(kept, line.start);
            goes_on = more;
        }
        let read = statement::read(&logical, self.file.escape);
        let mut problem = read.problem.map(|problem| (logical.span(problem.at..problem.at).start, problem.text));
        let mut heredocs = Vec::new();
        if read.takes_heredocs && problem.is_none() {
            match self.heredocs(text, &logical, &mut last) {
                Ok(found) => heredocs = found,
                Err(Problem { at, text }) => problem = Some((logical.span(at..at).start, text)),
            }
        }
        let keyword = read.statement.keyword;
        self.has_from |= keyword == Some(Keyword::From);
        if problem.is_none() && !self.has_from && keyword != Some(Keyword::Arg) {
            let word = keyword.map_or("this", Keyword::word);
            problem = Some((start, format!("{word} stands before the first FROM")));
        }
        let mut statement = read.statement;
        if let Some((offset, what)) = problem {
            self.error(text, offset.min(text.len()), what);
            statement.command = Command::Broken;
        }
        self.piece(PieceKind::Instruction(self.file.instructions.len()), Span::new(first.start, last.end));
        self.file.instructions.push(Instruction {
            statement,
            span: Span::new(start, last.start + last.text.len()),
            first_line: self.file.lines.line(start),
            last_line: self.file.lines.line(last.start),
            stage: None,
            heredocs,
            logical,
        });
    }

    /// Reads the documents of an instruction; `last` becomes its last line.
    fn heredocs<'a>(&mut self, text: &'a str, logical: &Logical, last: &mut Line<'a>) -> Result<Vec<Heredoc>, Problem> {
        let marks = heredoc::marks(logical.text())?;
        let mut found = Vec::new();
        for (at, end, mark) in marks {
            let start = self.next;
            let (body_end, line) = loop {
                // What is missing its end has all the rest as its body, so that no line is looked at twice.
                let Some(line) = self.line(text) else {
                    let what = format!("the heredoc has no line \"{}\" at its end", short(&mark.name));
                    return Err(Problem::new(at, what));
                };
                *last = line;
                let content = if mark.chomps { line.text.trim_start_matches('\t') } else { line.text };
                if content == mark.name {
                    break (line.start, line);
                }
            };
            found.push(Heredoc {
                name: mark.name,
                expands: mark.expands,
                chomps: mark.chomps,
                mark: logical.span(at..end),
                body: Span::new(start, body_end),
                end: Span::new(line.start, line.start + line.text.len()),
            });
        }
        Ok(found)
    }
}

/// What a line adds to its instruction, and whether the next one goes on.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        // An escaped escape is none. (`\\\` is none either: BuildKit looks at one character only.)
        Some(kept) if !kept.ends_with(escape) && (!kept.is_empty() || trimmed.len() == escape.len_utf8()) => {
            (kept, true)
        }
        _ => (line, false),
    }
}

/// `name = value` of a directive. Source: BuildKit's `parser/directives.go`.
fn name_and_value(comment: &str) -> Option<(String, &str)> {
    let is_space = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ');
    let (name, value) = comment.split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let is_name =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let trimmed = value.trim_matches(is_space);
    let value = if trimmed.is_empty() { value } else { trimmed };
    (is_name && !value.is_empty()).then(|| (name.to_ascii_lowercase(), value))
}
