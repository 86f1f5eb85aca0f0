//! Finds secrets on command lines: in histories of shells, and in what an image says it was built and is started with.
//!
//! Nothing is run and no variable is looked up: what the shell fills in (`$X`, `$(cat file)`), what is read from a file
//! or from standard input, and mounts of build secrets are how it should be done, and no finding.

mod names;
mod orders;
mod piece;
mod programs;
mod words;

use self::{
    piece::{
        base_name, header_name, is, is_live, is_switch, item, may_be_secret, pair, printed, program_name, source, span,
        starts, text, valued,
    },
    programs::{PROGRAMS, Program, Takes},
    words::{Byte, Piece, Split, Token, bytes, split},
};
use super::{Item, git, part::Part, tree::Tree, url};
use crate::model::Standing;

pub use self::names::name_says_secret;

/// Longest line that is read, in bytes.
const LINE_MAX: usize = 256 * 1024;

/// How deep scripts in scripts are followed: `sh -c "... $(...)"`.
const DEPTH_MAX: usize = 4;

/// Words of a command among which its program is looked for: behind `sudo -u x env A=b`, for instance. Each of them
/// may have the whole rest for arguments, which must not take quadratic time.
const PROGRAMS_MAX: usize = 16;

/// Variables of programs that are passwords whatever they look like.
const VARIABLES: [&[u8]; 8] = [
    b"PGPASSWORD",
    b"MYSQL_PWD",
    b"SSHPASS",
    b"REDISCLI_AUTH",
    b"RESTIC_PASSWORD",
    b"BORG_PASSPHRASE",
    b"SQLCMDPASSWORD",
    b"VAULT_TOKEN",
];

/// The secrets of a shell's command line, or of several; spans are places in it.
pub fn command_secrets(line: &[u8]) -> Vec<Item> {
    let script = bytes(line.get(..LINE_MAX).unwrap_or(line));
    let mut reader = Reader::default();
    reader.script(&script);
    reader.end()
}

/// The secrets of a command that no shell reads, such as the list of `CMD ["a", "b"]`: the number of the word, and an
/// item whose span is a place in that word.
pub fn argument_secrets(words: &[&[u8]]) -> Vec<(usize, Item)> {
    let (mut starts, mut at) = (Vec::new(), 0_usize);
    let mut command = Command::default();
    for word in words {
        if at + word.len() > LINE_MAX {
            break;
        }
        starts.push(at);
        let here = bytes(word).into_iter().map(|byte| Byte { at: byte.at + at as u32, ..byte });
        command.words.push(here.collect());
        // One byte between them, so that no place is in two.
        at += word.len() + 1;
    }
    let mut reader = Reader::default();
    reader.command(&command, None);
    reader.inner();
    let placed = |mut item: Item| {
        let no = starts.partition_point(|start| *start <= item.span.start).checked_sub(1)?;
        let start = *starts.get(no)?;
        item.span = item.span.start - start..item.span.end.saturating_sub(start);
        Some((no, item))
    };
    reader.end().into_iter().filter_map(placed).collect()
}

/// One simple command.
#[derive(Default)]
struct Command {
    words: Vec<Vec<Byte>>,
    /// Files that it writes.
    writes: Vec<Vec<Byte>>,
    /// What it is given to read.
    reads: Option<Vec<Byte>>,
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    /// Scripts that are still to be read, and how deep they are.
    scripts: Vec<(Vec<Byte>, usize)>,
    depth: usize,
}

impl Reader {
    fn script(&mut self, script: &Piece) {
        self.one_script(script);
        self.inner();
    }

    fn inner(&mut self) {
        while let Some((script, depth)) = self.scripts.pop() {
            self.depth = depth;
            self.one_script(&script);
        }
    }

    fn end(mut self) -> Vec<Item> {
        self.items.sort_by_key(|item| (item.span.start, std::cmp::Reverse(item.span.end)));
        // Two ways to the same bytes are one secret.
        let mut end = 0;
        self.items.retain(|item| {
            let new = item.span.start >= end || item.span.is_empty();
            end = end.max(item.span.end);
            new
        });
        self.items
    }

    fn later(&mut self, script: Vec<Byte>) {
        if self.depth < DEPTH_MAX {
            self.scripts.push((script, self.depth + 1));
        }
    }

    fn one_script(&mut self, script: &Piece) {
        let Split { tokens, inner } = split(script);
        inner.into_iter().for_each(|inner| self.later(inner));
        let mut command = Command::default();
        let mut before: Option<Command> = None;
        let mut target = None;
        for token in tokens {
            match token {
                Token::Word(word) => match target.take() {
                    Some(Token::Write) => command.writes.push(word),
                    Some(Token::Text) => command.reads = Some(word),
                    Some(_) => {}
                    None => command.words.push(word),
                },
                Token::Pipe | Token::End => {
                    let done = std::mem::take(&mut command);
                    self.command(&done, before.as_ref());
                    before = matches!(token, Token::Pipe).then_some(done);
                    target = None;
                }
                other => target = Some(other),
            }
        }
        self.command(&command, before.as_ref());
    }

    fn command(&mut self, command: &Command, before: Option<&Command>) {
        let words = &command.words;
        for word in words {
            self.anywhere(word);
        }
        let program = program_name(words);
        let installs = words.iter().take(4).any(|word| is(word, &["install", "add", "apt-get", "apk", "brew"]));
        let mut candidates = 0;
        for (at, word) in words.iter().enumerate() {
            self.assignment(word);
            self.long_option(word, words.get(at + 1).map(Vec::as_slice), program);
            if candidates >= PROGRAMS_MAX || starts(word, b"-") || pair(word, b'=').is_some() {
                continue;
            }
            candidates += 1;
            let arguments = words.get(at + 1..).unwrap_or_default();
            let name = base_name(word);
            for program in PROGRAMS.iter().filter(|program| !installs && is(name, program.names)) {
                self.options(program, &text(name), arguments);
            }
            self.verbs(&text(name), arguments);
        }
        self.sql(words);
        self.written(command);
        let given = command.reads.iter().map(Vec::as_slice);
        let piped = before.map(|before| printed(&before.words)).unwrap_or_default();
        for text in given.chain(piped) {
            self.fed(command, text);
        }
    }

    fn add(&mut self, item: Option<Item>) {
        self.items.extend(item);
    }

    /// What counts in any word: addresses with a password, and headers.
    fn anywhere(&mut self, word: &Piece) {
        let plain = text(word);
        for login in url::logins(Part::file(&plain)) {
            if let Some((part, value)) = login.secret()
                && let Some(piece) = word.get(part.span())
            {
                self.add(valued(piece, value, &login.host.text(), Standing::Structured));
            }
        }
        if let Some(at) = Part::at(&plain, 0).find("authorization:") {
            self.header(word.get(at..).unwrap_or_default());
        }
        // `//registry/:_authToken=`, in which more than a name stands before the sign.
        if let Some(at) = Part::at(&plain, 0).find(":_authtoken=") {
            let rest = word.get(at + ":_authToken=".len()..).unwrap_or_default();
            let len = rest
                .iter()
                .position(|byte| byte.byte.is_ascii_whitespace() || byte.byte == b'\\')
                .unwrap_or(rest.len());
            self.add(item(rest.get(..len).unwrap_or_default(), "_authToken", Standing::Structured));
        }
    }

    fn header(&mut self, header: &Piece) {
        let plain = text(header);
        // Where the text is that was given: a header ends with its line.
        let found =
            git::header_value(Part::at(&plain, 0).lines().next().unwrap_or(Part::at(&plain, 0)), &header_name(&plain));
        if let Some(found) = found
            && let Some(piece) = header.get(found.span.clone())
            && !is_live(piece)
        {
            self.items.push(Item { span: span(piece), ..found });
        }
    }

    /// `NAME=value`, also in `-DNAME=value`.
    fn assignment(&mut self, word: &Piece) {
        let stripped =
            if starts(word, b"-D") || starts(word, b"-P") || starts(word, b"-e") { word.get(2..) } else { Some(word) };
        for piece in stripped.unwrap_or_default().split(|byte| byte.byte == b'\n') {
            if let Some((name, value)) = pair(piece, b'=') {
                self.named(name, value);
            }
        }
    }

    /// A value behind a name.
    fn named(&mut self, name: &Piece, value: &Piece) {
        let plain = text(name);
        if is_live(name) || is_live(value) {
            return;
        }
        let key = String::from_utf8_lossy(&plain).into_owned();
        if VARIABLES.contains(&plain.as_slice()) {
            self.add(item(value, &key, Standing::Structured));
        } else if name_says_secret(&plain) && may_be_secret(&text(value)) {
            self.add(item(value, &key, Standing::Named));
        }
    }

    /// `--password=value` and `--password value` of any program.
    fn long_option(&mut self, word: &Piece, next: Option<&Piece>, program: &Piece) {
        let Some(option) = word.get(2..).filter(|_| starts(word, b"--")) else { return };
        let (name, value) = match option.iter().position(|byte| byte.byte == b'=') {
            Some(sign) => (option.get(..sign), option.get(sign + 1..)),
            None => (Some(option), None),
        };
        let name = name.unwrap_or_default();
        let plain = text(name);
        if let Some(value) = value {
            // `--from-literal=password=...`, `--build-arg=TOKEN=...`
            if let Some((name, value)) = pair(value, b'=') {
                self.named(name, value);
            }
        }
        if !name_says_secret(&plain) || plain.ends_with(b"auth") || is_live(name) {
            return;
        }
        let detached = next.filter(|next| !starts(next, b"-") && !is_switch(&plain));
        let Some(value) = value.or(detached) else { return };
        let key = format!("{} --{}", String::from_utf8_lossy(&text(program)), String::from_utf8_lossy(&plain));
        if may_be_secret(&text(value)) {
            self.add(item(source(value), key.trim(), Standing::Structured));
        }
    }

    /// The options of a program that is known.
    fn options(&mut self, program: &Program, name: &[u8], arguments: &[Vec<Byte>]) {
        let name = String::from_utf8_lossy(name);
        if program.verb.is_some_and(|verb| !arguments.iter().any(|word| is(word, &[verb]))) {
            return;
        }
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            if is_live(word.get(..1).unwrap_or_default()) || !starts(word, b"-") {
                continue;
            }
            let option = word.get(if starts(word, b"--") { 2 } else { 1 }..).unwrap_or_default();
            let sign = option.iter().position(|byte| byte.byte == b'=');
            let head = option.get(..sign.unwrap_or(option.len())).unwrap_or_default();
            if let Some((long, takes)) = program.words.iter().find(|(long, _)| text(head) == long.as_bytes()) {
                let value = sign.and_then(|sign| option.get(sign + 1..));
                let value = value.or_else(|| arguments.next().map(Vec::as_slice));
                value.into_iter().for_each(|value| self.taken(*takes, value, &format!("{name} {long}")));
                continue;
            }
            if starts(word, b"--") {
                continue;
            }
            for (at, letter) in option.iter().enumerate() {
                let rest = option.get(at + 1..).unwrap_or_default();
                if let Some((_, takes)) = program.letters.iter().find(|(known, _)| *known == letter.byte) {
                    let mut next = || if program.attached { None } else { arguments.next().map(Vec::as_slice) };
                    let value = if rest.is_empty() { next() } else { Some(rest) };
                    let key = format!("{name} -{}", char::from(letter.byte));
                    value.into_iter().for_each(|value| self.taken(*takes, value, &key));
                    break;
                }
                if program.others.contains(&letter.byte) {
                    if rest.is_empty() {
                        arguments.next();
                    }
                    break;
                }
                if !letter.byte.is_ascii_alphanumeric() {
                    break;
                }
            }
        }
    }

    fn taken(&mut self, takes: Takes, value: &Piece, key: &str) {
        let split =
            |sign: u8| value.iter().position(|byte| byte.byte == sign && !byte.live).and_then(|at| value.get(at + 1..));
        match takes {
            Takes::Secret => {
                // A port, or the next option: then no secret was given.
                let port = value.iter().all(|byte| byte.byte.is_ascii_digit() || byte.byte == b':') && value.len() <= 5
                    || value.iter().all(|byte| byte.byte.is_ascii_digit() || matches!(byte.byte, b':' | b'.' | b'/'))
                        && split(b':').is_some();
                if !port && !starts(value, b"-") {
                    self.add(item(value, key, Standing::Structured));
                }
            }
            Takes::Login => self.add(split(b':').and_then(|secret| item(secret, key, Standing::Structured))),
            Takes::Percent => self.add(split(b'%').and_then(|secret| item(secret, key, Standing::Structured))),
            Takes::Comma => self.add(split(b',').and_then(|secret| item(secret, key, Standing::Structured))),
            Takes::Source if starts(value, b"pass:") => self.add(item(source(value), key, Standing::Structured)),
            Takes::Source => {}
            Takes::Header => self.header(value),
            Takes::Data if starts(value, b"@") => {}
            Takes::Data if starts(value, b"{") => self.json(value),
            Takes::Data => self.fields(value, b'&'),
            Takes::List => self.fields(value, b','),
        }
    }

    fn fields(&mut self, value: &Piece, sign: u8) {
        for field in value.split(|byte| byte.byte == sign) {
            if let Some((name, value)) = pair(field, b'=') {
                self.named(name, value);
            }
        }
    }

    fn json(&mut self, value: &Piece) {
        let plain = text(value);
        let tree = Tree::read(&plain);
        for node in tree.all() {
            let name = tree.name(node);
            if name_says_secret(name.as_bytes())
                && let Some(leaf) = tree.leaf(node)
                && let Some(piece) = value.get(leaf.span)
                && may_be_secret(&leaf.value)
            {
                self.add(valued(piece, leaf.value, &name, Standing::Named));
            }
        }
    }
}

#[cfg(test)]
mod tests;
