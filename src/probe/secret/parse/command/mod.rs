//! Finds secrets on command lines: in histories of shells, and in what an image says it was built and is started with.
//!
//! Nothing is run and no variable is looked up: what the shell fills in (`$X`, `$(cat file)`), what is read from a file
//! or from standard input, and mounts of build secrets are how it should be done, and no finding.

mod names;
mod programs;
mod words;

use std::ops::Range;

use self::{
    programs::{PROGRAMS, Program, Takes},
    words::{Byte, Piece, Split, Token, bytes, split},
};
use super::{Item, database, git, netrc, part::Part, tree::Tree, url};
use crate::{
    model::Standing,
    probe::secret::check::{Check, Value, looks_random},
};

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
        let piped = before.map(printed).unwrap_or_default();
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

    /// Commands whose secret stands where an order of words says so.
    fn verbs(&mut self, name: &[u8], arguments: &[Vec<Byte>]) {
        let plain = |no: usize| arguments.get(no).map(|word| text(word)).unwrap_or_default();
        match name {
            b"sh" | b"bash" | b"ash" | b"dash" | b"zsh" | b"ksh" | b"su" | b"busybox" => {
                let flag = arguments
                    .iter()
                    .position(|word| starts(word, b"-") && word.last().is_some_and(|byte| byte.byte == b'c'));
                let script = flag.and_then(|flag| arguments.get(flag + 1));
                script.into_iter().for_each(|script| self.later(script.clone()));
            }
            b"eval" => arguments.iter().for_each(|script| self.later(script.clone())),
            b"setenv" => self.pair_of_words(arguments.first(), arguments.get(1)),
            b"set" => {
                let words: Vec<_> = arguments.iter().filter(|word| !starts(word, b"-")).collect();
                self.pair_of_words(words.first().copied(), words.get(1).copied());
            }
            b"ENV" | b"ARG" => self.pair_of_words(arguments.first(), arguments.get(1)),
            b"npm" | b"pnpm" | b"yarn" | b"aws" | b"git" | b"gem" | b"bundle" | b"bundler" | b"composer"
            | b"poetry" | b"pip" | b"glab" => {
                self.configured(arguments);
            }
            b"vault" if plain(0) == b"login" => {
                let token = arguments.iter().skip(1).find(|word| !starts(word, b"-"));
                let token = token.filter(|token| looks_random(&text(token)));
                self.add(token.and_then(|token| item(token, "vault login", Standing::Structured)));
            }
            b"rabbitmqctl" if matches!(plain(0).as_slice(), b"add_user" | b"change_password") => {
                self.add(arguments.get(2).and_then(|word| item(word, "rabbitmqctl", Standing::Structured)));
            }
            b"htpasswd" => {
                let batch = arguments.iter().any(|word| {
                    starts(word, b"-") && !starts(word, b"--") && word.iter().any(|byte| byte.byte == b'b')
                });
                let last = arguments.last().filter(|_| batch && arguments.len() >= 3);
                self.add(last.and_then(|word| item(word, "htpasswd -b", Standing::Structured)));
            }
            _ => {}
        }
    }

    fn pair_of_words(&mut self, name: Option<&Vec<Byte>>, value: Option<&Vec<Byte>>) {
        if let (Some(name), Some(value)) = (name, value) {
            self.named(name, value);
        }
    }

    /// `config set NAME value`.
    fn configured(&mut self, arguments: &[Vec<Byte>]) {
        if !arguments.iter().take(3).any(|word| is(word, &["config", "configure", "set"])) {
            return;
        }
        let words: Vec<&Vec<Byte>> = arguments.iter().filter(|word| !starts(word, b"-")).collect();
        for (name, value) in words.iter().zip(words.iter().skip(1)) {
            let full = text(name);
            let last = full.rsplit(|byte| matches!(byte, b':' | b'/' | b'.')).next().unwrap_or_default();
            let key = String::from_utf8_lossy(&full).into_owned();
            let by_host = |kind: &str| full.starts_with(kind.as_bytes());
            if by_host("http-basic.") {
                // The user stands in between.
                self.add(
                    words
                        .last()
                        .filter(|word| word.as_ptr() != value.as_ptr())
                        .and_then(|word| item(word, &key, Standing::Structured)),
                );
            } else if by_host("github-oauth.")
                || by_host("gitlab-token.")
                || by_host("gitlab-oauth.")
                || by_host("bearer.")
                || by_host("pypi-token.")
            {
                self.add(item(value, &key, Standing::Structured));
            } else if name_says_secret(last) && may_be_secret(&text(value)) {
                self.add(item(value, &key, Standing::Structured));
            } else if value.iter().filter(|byte| byte.byte == b':').count() == 1
                && full.contains(&b'.')
                && is_host_login(&key)
            {
                let secret = value.iter().position(|byte| byte.byte == b':').and_then(|at| value.get(at + 1..));
                self.add(secret.and_then(|secret| item(secret, &key, Standing::Structured)));
            }
        }
    }

    /// `IDENTIFIED BY 'secret'` and `PASSWORD 'secret'`, as words or within one.
    fn sql(&mut self, words: &[Vec<Byte>]) {
        let changes = words.first().is_some_and(|word| is(word, &["create", "alter", "grant", "set"]));
        for (at, word) in words.iter().enumerate() {
            let by =
                is(word, &["by"]) && words.get(at.wrapping_sub(1)).is_some_and(|before| is(before, &["identified"]));
            let password = changes && is(word, &["password"]);
            if by || password {
                self.add(words.get(at + 1).and_then(|value| item(value, "SQL password", Standing::Structured)));
            }
            let plain = text(word);
            if !plain.contains(&b' ') {
                continue;
            }
            for mark in ["identified by", "password"] {
                let Some(start) = Part::at(&plain, 0).find(mark) else { continue };
                let has = |what: &str| Part::at(&plain, 0).find(what).is_some();
                let changes = has("alter ") || has("create ") || has("grant ");
                let rest = word.get(start + mark.len()..).unwrap_or_default();
                let blank = rest.iter().take_while(|byte| byte.byte == b' ').count();
                let Some(quote) = rest.get(blank).filter(|byte| changes && matches!(byte.byte, b'\'' | b'"')) else {
                    continue;
                };
                let inner = rest.get(blank + 1..).unwrap_or_default();
                let end = inner.iter().position(|byte| byte.byte == quote.byte && !byte.live);
                self.add(end.and_then(|end| item(inner.get(..end)?, "SQL password", Standing::Structured)));
            }
        }
    }

    /// `echo text > file`: settings in the text, or all of it when the file's name says so.
    fn written(&mut self, command: &Command) {
        let texts = printed(command);
        for text in &texts {
            for line in lines(text) {
                if let Some((name, value)) = pair(line, b'=').or_else(|| pair(line, b':')) {
                    self.named(name, trim(value));
                }
            }
        }
        for file in &command.writes {
            let name = text(base_name(file));
            let stem = name.split(|byte| *byte == b'.').find(|part| !part.is_empty()).unwrap_or_default();
            for piece in &texts {
                let plain = text(piece);
                let found = match name.as_slice() {
                    b".netrc" | b"_netrc" | b"auth.conf" => netrc::read(&plain),
                    b".pgpass" => database::pgpass(&plain),
                    _ => Vec::new(),
                };
                for found in found {
                    if let Some(inner) = piece.get(found.span.clone()).filter(|inner| !is_live(inner)) {
                        self.items.push(Item { span: span(inner), ..found });
                    }
                }
                let token = !plain.iter().any(u8::is_ascii_whitespace) && plain.len() >= 6 && !plain.contains(&b'=');
                if token && (name_says_secret(stem) || name_says_secret(&name)) {
                    self.add(item(piece, &String::from_utf8_lossy(&name), Standing::Named));
                }
            }
        }
    }

    /// What is fed into a program that wants a password.
    fn fed(&mut self, command: &Command, given: &Piece) {
        let words = &command.words;
        let has = |option: &str| words.iter().any(|word| is(word, &[option]));
        if words.iter().any(|word| is(base_name(word), &["chpasswd"])) {
            for line in lines(given) {
                let Some(colon) = line.iter().position(|byte| byte.byte == b':') else { continue };
                let user = String::from_utf8_lossy(&text(line.get(..colon).unwrap_or_default())).into_owned();
                let secret = line.get(colon + 1..).unwrap_or_default();
                self.add(item(secret, &format!("chpasswd {user}"), Standing::Structured));
            }
            return;
        }
        let passwd = words.iter().any(|word| is(base_name(word), &["passwd", "smbpasswd"]));
        if has("--password-stdin") || has("--with-token") || passwd || has("-S") && has("sudo") {
            let first = lines(given).find(|line| !line.is_empty());
            let key = String::from_utf8_lossy(&text(program_name(words))).into_owned();
            self.add(first.and_then(|line| item(line, &key, Standing::Structured)));
        }
    }
}

/// The texts that `echo` or `printf` writes; nothing of other commands.
fn printed(command: &Command) -> Vec<&Piece> {
    let Some(at) = command.words.iter().position(|word| is(base_name(word), &["echo", "printf"])) else {
        return Vec::new();
    };
    let options = |word: &&Vec<Byte>| is(word, &["-n", "-e", "-E", "-ne", "-en", "--"]);
    command.words.iter().skip(at + 1).skip_while(options).map(Vec::as_slice).collect()
}

/// The lines of a text in which `\n` may stand for the end of one.
fn lines(text: &Piece) -> impl Iterator<Item = &Piece> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let part = rest?;
        let ends = |at: &usize| {
            let byte = |at: usize| part.get(at).map(|byte| byte.byte);
            byte(*at) == Some(b'\n') || byte(*at) == Some(b'\\') && byte(at + 1) == Some(b'n')
        };
        match (0..part.len()).find(ends) {
            Some(end) => {
                let len = if part.get(end).is_some_and(|byte| byte.byte == b'\n') { 1 } else { 2 };
                rest = part.get(end + len..);
                part.get(..end)
            }
            None => {
                rest = None;
                Some(part)
            }
        }
    })
}

/// Options that switch something and take no value.
fn is_switch(name: &[u8]) -> bool {
    const SWITCHES: [&[u8]; 32] = [
        b"no",
        b"without",
        b"with",
        b"disable",
        b"disabled",
        b"enable",
        b"enabled",
        b"require",
        b"ask",
        b"prompt",
        b"use",
        b"skip",
        b"ignore",
        b"allow",
        b"generate",
        b"random",
        b"show",
        b"print",
        b"empty",
        b"check",
        b"reset",
        b"change",
        b"force",
        b"read",
        b"insecure",
        b"anonymous",
        b"verify",
        b"keep",
        b"save",
        b"blank",
        b"get",
        b"hide",
    ];
    let first = name.split(|byte| *byte == b'-').next().unwrap_or_default();
    SWITCHES.contains(&first)
}

/// Whether what stands behind a name is more than a switch, a number or a path.
fn may_be_secret(value: &[u8]) -> bool {
    let number = value.len() < 6 && value.iter().all(u8::is_ascii_digit);
    let path =
        [&b"/"[..], b"./", b"../", b"~/", b"@"].iter().any(|start| value.starts_with(start)) && !looks_random(value);
    let switch = [&b"true"[..], b"false", b"yes", b"none", b"null"].iter().any(|word| value.eq_ignore_ascii_case(word));
    value.len() >= 4 && !number && !path && !switch
}

/// Whether a setting of Bundler is the name of a host.
fn is_host_login(key: &str) -> bool {
    let first = key.split('.').next().unwrap_or_default();
    !["build", "local", "mirror", "alias", "user", "core", "remote", "url", "http"].contains(&first)
}

/// `pass:secret` without its prefix.
fn source(value: &Piece) -> &Piece {
    if starts(value, b"pass:") { value.get(5..).unwrap_or_default() } else { value }
}

/// `NAME=value`, or `NAME: value`, where the name is one.
fn pair(word: &Piece, sign: u8) -> Option<(&Piece, &Piece)> {
    let word = trim(word);
    let word = if starts(word, b"export ") { word.get(7..)? } else { word };
    let at = word.iter().position(|byte| byte.byte == sign)?;
    let name = trim(word.get(..at)?);
    let value = word.get(at + 1..)?;
    let is_name =
        |byte: &Byte| !byte.live && (byte.byte.is_ascii_alphanumeric() || matches!(byte.byte, b'_' | b'.' | b'-'));
    let begins = name.first().is_some_and(|byte| byte.byte.is_ascii_alphabetic() || byte.byte == b'_');
    // `a:b` is many things, `a: b` is a setting.
    let sure = sign == b'=' || value.first().is_some_and(|byte| byte.byte == b' ');
    (begins && sure && name.iter().all(is_name)).then(|| (name, unquote(trim(value))))
}

/// Quotes that stand within the quotes of the shell.
fn unquote(value: &Piece) -> &Piece {
    match value {
        [first, inner @ .., last] if first.byte == last.byte && matches!(first.byte, b'"' | b'\'') => inner,
        _ => value,
    }
}

fn trim(mut piece: &Piece) -> &Piece {
    while let [first, rest @ ..] = piece
        && first.byte.is_ascii_whitespace()
    {
        piece = rest;
    }
    while let [rest @ .., last] = piece
        && last.byte.is_ascii_whitespace()
    {
        piece = rest;
    }
    piece
}

/// An item of a piece that nothing fills in.
fn item(piece: &Piece, key: &str, standing: Standing) -> Option<Item> {
    valued(piece, text(piece), key, standing)
}

fn valued(piece: &Piece, value: Vec<u8>, key: &str, standing: Standing) -> Option<Item> {
    if piece.is_empty() || is_live(piece) {
        return None;
    }
    if standing == Standing::Named && !password_name(key) {
        // A token is more than a word.
        let verdict = Check::GenericValue.look(Value::new(&value))?;
        return Some(Item::new(span(piece), key, value, verdict));
    }
    Item::secret(span(piece), key, value, standing)
}

/// Whether a name asks for something that people make up themselves.
fn password_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["passw", "passphrase", "pwd", "_pass"].iter().any(|part| lower.contains(part)) || lower == "pass"
}

fn header_name(header: &[u8]) -> String {
    let name = header.split(|byte| *byte == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii()).into_owned()
}

/// The first word that is a command and no assignment.
fn program_name(words: &[Vec<Byte>]) -> &Piece {
    const WRAPPERS: [&str; 10] = ["sudo", "doas", "env", "time", "nohup", "exec", "command", "then", "do", "if"];
    let plain = |word: &&Vec<Byte>| pair(word, b'=').is_none() && !starts(word, b"-") && !is(word, &WRAPPERS);
    words.iter().find(plain).map(|word| base_name(word)).unwrap_or_default()
}

fn base_name(word: &Piece) -> &Piece {
    word.rsplit(|byte| byte.byte == b'/').next().unwrap_or_default()
}

fn text(piece: &Piece) -> Vec<u8> {
    piece.iter().map(|byte| byte.byte).collect()
}

fn span(piece: &Piece) -> Range<usize> {
    let at = |byte: Option<&Byte>| byte.map_or(0, |byte| byte.at as usize);
    at(piece.first())..at(piece.last()) + usize::from(!piece.is_empty())
}

fn is_live(piece: &Piece) -> bool {
    piece.iter().any(|byte| byte.live)
}

fn is(word: &Piece, names: &[&str]) -> bool {
    let same = |name: &&str| {
        word.len() == name.len()
            && word.iter().zip(name.bytes()).all(|(byte, other)| byte.byte.eq_ignore_ascii_case(&other) && !byte.live)
    };
    names.iter().any(|name| same(name))
}

fn starts(word: &Piece, with: &[u8]) -> bool {
    word.get(..with.len())
        .is_some_and(|head| head.iter().zip(with).all(|(byte, other)| byte.byte == *other && !byte.live))
}

#[cfg(test)]
mod tests;
