//! Commands whose secret is no value of an option: it stands in a place, in a text, or is fed in.

use super::{
    super::{Item, database, netrc, part::Part},
    Command, Reader, name_says_secret,
    piece::{
        base_name, is, is_host_login, is_live, item, lines, may_be_secret, pair, printed, program_name, span, starts,
        text, trim,
    },
    words::{Byte, Piece},
};
use crate::{model::Standing, probe::secret::check::looks_random};

impl Reader {
    /// Commands whose secret stands where an order of words says so.
    pub(super) fn verbs(&mut self, name: &[u8], arguments: &[Vec<Byte>]) {
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
        const BY_HOST: [&str; 5] = ["github-oauth.", "gitlab-token.", "gitlab-oauth.", "bearer.", "pypi-token."];
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
            } else if BY_HOST.iter().any(|kind| by_host(kind)) || name_says_secret(last) && may_be_secret(&text(value))
            {
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
    pub(super) fn sql(&mut self, words: &[Vec<Byte>]) {
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
    pub(super) fn written(&mut self, command: &Command) {
        let texts = printed(&command.words);
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
    pub(super) fn fed(&mut self, command: &Command, given: &Piece) {
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
