//! Reads what a shell script starts: its simple commands, word by word.
//!
//! Also reads command lines that stand elsewhere: the shell form of `CMD`, the scripts of a `package.json`. Expands
//! nothing and decides nothing; both branches of an `if` count. Other languages than the shell are only recognised.

use crate::model::{LITERAL_DOLLAR, Script};

/// Longest script that is read, in bytes; the entry points of the official images have at most 20 KB.
pub const SCRIPT_MAX: usize = 64 << 10;

/// Commands that are kept of one script, and words of one command.
const COMMANDS_MAX: usize = 512;
const WORDS_MAX: usize = 48;

/// Longest word that is kept, in bytes: a word may be a script of its own (`sh -c '...'`).
const WORD_MAX: usize = 4096;

/// Longest word of a condition that is kept, in bytes: it is an argument that people type.
const COMPARED_MAX: usize = 64;

/// Bytes that all words of a script may have.
const BYTES_MAX: usize = 32 << 10;

/// Substitutions in substitutions that are followed.
const DEPTH_MAX: usize = 8;

/// Commands of the shell itself that start nothing and change nothing that matters here.
const BUILTINS: [&str; 36] = [
    ":", "[", "[[", "alias", "bg", "break", "case", "continue", "declare", "echo", "export", "false", "fg", "for",
    "getopts", "hash", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly", "return", "select",
    "shopt", "test", "times", "true", "typeset", "ulimit", "umask", "unset", "wait", "exit",
];

/// Shells whose scripts are read.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// The words of the `#!` line; empty when there is none.
///
/// Linux takes everything behind the interpreter as one argument; it is split here, since only `env` is ever given
/// more than one word, and then with `-S`, which splits it.
pub fn shebang(head: &[u8]) -> Vec<String> {
    let Some(line) = head.strip_prefix(b"#!") else { return Vec::new() };
    let line = line.split(|&b| b == b'\n').next().unwrap_or_default();
    let words = line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
    words.take(8).map(|word| String::from_utf8_lossy(word.get(..512).unwrap_or(word)).into_owned()).collect()
}

/// The name of the program that reads a script: `python3` for `#!/usr/bin/env -S python3 -u`.
pub fn interpreter(shebang: &[String]) -> Option<&str> {
    let name = |word: &'_ String| word.rfind('/').map_or(0, |at| at + 1);
    let first = shebang.first()?;
    let first = first.get(name(first)..)?;
    if first != "env" {
        return Some(first);
    }
    let word = shebang.iter().skip(1).find(|word| !word.starts_with('-') && !word.contains('='))?;
    word.get(name(word)..)
}

/// Whether a program of this name reads shell scripts.
pub fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// Reads a script with or without a `#!` line.
pub fn script(body: &[u8]) -> Script {
    let shebang = shebang(body);
    let crlf = !shebang.is_empty() && body.split(|&b| b == b'\n').next().is_some_and(|line| line.ends_with(b"\r"));
    match interpreter(&shebang) {
        None => Script { shebang, ..shell(body) },
        Some(name) if is_shell(name) || name == "busybox" => Script { shebang, crlf, ..shell(body) },
        Some(name) => {
            let unread = Some(format!("{} code is not followed", name.trim_end_matches(['.', '0', '1', '2', '3'])));
            Script { shebang, crlf, unread, ..Script::default() }
        }
    }
}

/// Reads text that a POSIX shell or bash would be given.
///
/// Never fails: what can not be told apart becomes a word too many, and what is too long is said in `unread`.
/// Grammar: POSIX.1-2017, volume 3, chapter 2.
pub fn shell(text: &[u8]) -> Script {
    let mut out = Script::default();
    let mut room = BYTES_MAX;
    let (read, cut) = text.get(..SCRIPT_MAX).map_or((text, false), |start| (start, text.len() > SCRIPT_MAX));
    if cut {
        out.unread = Some(format!("has more than {} KiB", SCRIPT_MAX >> 10));
    }
    Lexer::new(read, 0, &mut out, &mut room).run();
    out
}

struct Lexer<'t, 'o> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    out: &'o mut Script,
    room: &'o mut usize,
    word: Option<Vec<u8>>,
    command: Vec<String>,
    /// The next word belongs to a redirection.
    redirects: bool,
    /// Inside of `[[ ]]`, where `&&` and `<` are no operators of the shell.
    condition: bool,
    /// Open `case`s.
    cases: usize,
    /// Reading the patterns of a `case`.
    pattern: bool,
    /// Ends of here-documents that begin on the next line; with whether tabs before the end are dropped.
    heredocs: Vec<(Vec<u8>, bool)>,
}

impl<'t, 'o> Lexer<'t, 'o> {
    fn new(text: &'t [u8], depth: usize, out: &'o mut Script, room: &'o mut usize) -> Self {
        let (word, command, heredocs) = Default::default();
        let (redirects, condition, pattern) = (false, false, false);
        Self { text, at: 0, depth, out, room, word, command, redirects, condition, cases: 0, pattern, heredocs }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    fn push(&mut self, byte: u8) {
        let word = self.word.get_or_insert_default();
        if word.len() < WORD_MAX {
            word.push(byte);
        }
    }

    fn run(&mut self) {
        while let Some(byte) = self.next() {
            match byte {
                b' ' | b'\t' | b'\r' => self.end_word(),
                b'\n' => {
                    self.end_command();
                    self.skip_heredocs();
                }
                b';' | b'&' | b'|' => self.operator(byte),
                b'(' => self.open(),
                b')' => self.close(),
                b'#' if self.word.is_none() => self.skip_line(),
                b'\'' => self.single(),
                b'"' => self.double(),
                b'\\' => self.escape(),
                b'$' => self.dollar(),
                b'`' => self.backtick(),
                b'<' | b'>' if !self.condition => self.redirect(byte),
                _ => self.push(byte),
            }
        }
        self.end_command();
    }

    fn operator(&mut self, byte: u8) {
        if self.condition || self.pattern {
            self.end_word();
            return;
        }
        // `&>file`
        if byte == b'&' && self.peek() == Some(b'>') {
            self.end_word();
            return;
        }
        self.end_command();
        if byte == b';' && (self.eat(b';') || self.eat(b'&')) {
            self.eat(b'&');
            self.pattern = self.cases > 0;
        }
    }

    fn open(&mut self) {
        if self.pattern || self.condition {
            self.end_word();
            return;
        }
        if self.word.as_ref().is_some_and(|word| word.ends_with(b"=")) {
            self.skip_to_close();
            return;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|b| **b == b' ').count();
        let named = self.word.is_some() && self.command.is_empty() || self.word.is_none() && self.command.len() == 1;
        if named && rest.get(blank) == Some(&b')') {
            self.at += blank + 1;
            let word = self.word.take().map(text_of).or_else(|| self.command.pop());
            self.command.clear();
            self.keep_function(word.unwrap_or_default());
            return;
        }
        self.end_command();
    }

    fn close(&mut self) {
        if self.pattern {
            self.end_word();
            self.command.clear();
            self.pattern = false;
        } else if self.condition {
            self.end_word();
        } else {
            self.end_command();
        }
    }

    fn keep_function(&mut self, name: String) {
        if !name.is_empty() && self.out.functions.len() < COMMANDS_MAX && self.pay(name.len()) {
            self.out.functions.push(name);
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn single(&mut self) {
        self.word.get_or_insert_default();
        while let Some(byte) = self.next().filter(|&byte| byte != b'\'') {
            self.push(literal(byte));
        }
    }

    fn double(&mut self) {
        self.word.get_or_insert_default();
        while let Some(byte) = self.next().filter(|&byte| byte != b'"') {
            match byte {
                b'\\' => match self.next() {
                    Some(b'\n') | None => {}
                    Some(b @ (b'$' | b'`' | b'"' | b'\\')) => self.push(literal(b)),
                    Some(b) => {
                        self.push(b'\\');
                        self.push(b);
                    }
                },
                b'$' => self.dollar(),
                b'`' => self.backtick(),
                _ => self.push(byte),
            }
        }
    }

    fn escape(&mut self) {
        match self.next() {
            Some(b'\n') | None => {}
            Some(byte) => self.push(literal(byte)),
        }
    }

    fn dollar(&mut self) {
        match self.peek() {
            Some(b'(') if self.text.get(self.at + 1) == Some(&b'(') => {
                self.at += 1;
                self.skip_to_close();
                self.eat(b')');
                self.push(b'0');
            }
            Some(b'(') => {
                self.at += 1;
                let start = self.at;
                self.skip_to_close();
                let inner = self.text.get(start..self.at.saturating_sub(1)).unwrap_or_default();
                self.nested(inner);
            }
            Some(b'{') => {
                let mut open = 0_usize;
                self.push(b'$');
                while let Some(byte) = self.next() {
                    self.push(byte);
                    match byte {
                        b'{' => open += 1,
                        b'}' => open -= 1,
                        _ => {}
                    }
                    if open == 0 {
                        break;
                    }
                }
            }
            Some(b'\'') => {
                self.at += 1;
                self.single();
            }
            Some(b) if b.is_ascii_alphanumeric() || b"_@*#?$!-".contains(&b) => {
                self.at += 1;
                self.push(b'$');
                self.push(b);
            }
            _ => self.push(LITERAL_DOLLAR as u8),
        }
    }

    fn backtick(&mut self) {
        let start = self.at;
        while let Some(byte) = self.next().filter(|&byte| byte != b'`') {
            if byte == b'\\' {
                self.at += 1;
            }
        }
        let end = self.at.min(self.text.len()).saturating_sub(1);
        let inner = self.text.get(start..end).unwrap_or_default();
        self.nested(inner);
    }

    /// What a command prints becomes a word that nobody knows.
    fn nested(&mut self, inner: &'t [u8]) {
        if self.depth < DEPTH_MAX {
            Lexer::new(inner, self.depth + 1, self.out, self.room).run();
        } else {
            self.out.unread = Some("has substitutions within substitutions that were not read".to_string());
        }
        self.push(b'$');
        self.push(b'(');
        self.push(b')');
    }

    /// Moves behind the parenthesis that closes the one before the current place.
    fn skip_to_close(&mut self) {
        let mut open = 1_usize;
        let mut quote = None;
        while let Some(byte) = self.next() {
            match (quote, byte) {
                (Some(q), b) if q == b => quote = None,
                (Some(b'\''), _) => {}
                (_, b'\\') => self.at += 1,
                (Some(_), _) => {}
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, b'(') => open += 1,
                (None, b')') => open -= 1,
                (None, _) => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    fn redirect(&mut self, byte: u8) {
        // `2>file`: the digit is no word.
        if self.word.as_ref().is_some_and(|word| word.iter().all(u8::is_ascii_digit)) {
            self.word = None;
        }
        self.end_word();
        if self.eat(b'(') {
            let start = self.at;
            self.skip_to_close();
            let inner = self.text.get(start..self.at.saturating_sub(1)).unwrap_or_default();
            self.nested(inner);
            return;
        }
        if byte == b'<' && self.eat(b'<') && !self.eat(b'<') {
            let tabs = self.eat(b'-');
            self.begin_heredoc(tabs);
            return;
        }
        self.eat(b'>');
        self.eat(b'|');
        self.eat(b'&');
        self.redirects = true;
    }

    fn begin_heredoc(&mut self, tabs: bool) {
        while self.eat(b' ') {}
        let mut end = Vec::new();
        while let Some(byte) = self.peek().filter(|b| !b.is_ascii_whitespace() && !b";&|<>()".contains(b)) {
            self.at += 1;
            if !b"'\"\\".contains(&byte) {
                end.push(byte);
            }
        }
        if !end.is_empty() {
            self.heredocs.push((end, tabs));
        }
    }

    fn skip_heredocs(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let line = rest.split(|&b| b == b'\n').next().unwrap_or_default();
                self.at = (self.at + line.len() + 1).min(self.text.len());
                let line = if tabs { line.trim_ascii_start() } else { line };
                if line.strip_suffix(b"\r").unwrap_or(line) == end {
                    break;
                }
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take().map(text_of) else { return };
        if std::mem::take(&mut self.redirects) {
            return;
        }
        if self.pattern {
            if word == "esac" {
                self.cases = self.cases.saturating_sub(1);
                self.pattern = false;
            } else {
                self.keep_compared(&word);
            }
            return;
        }
        if self.condition {
            self.condition = word != "]]";
            self.keep_compared(&word);
            return;
        }
        match (self.command.first().map(String::as_str), word.as_str()) {
            (
                None,
                "if" | "then" | "elif" | "else" | "fi" | "while" | "until" | "do" | "done" | "!" | "{" | "}" | "time",
            ) => {}
            (None, "[[") => self.condition = true,
            (None, "esac") => self.cases = self.cases.saturating_sub(1),
            (Some("case"), "in") => {
                self.command.clear();
                self.cases += 1;
                self.pattern = true;
            }
            (Some("function"), _) => {
                self.command.clear();
                self.keep_function(word);
            }
            _ if self.command.len() < WORDS_MAX => self.command.push(word),
            _ => self.out.unread = Some("has commands with more words than are read".to_string()),
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.redirects = false;
        let mut words = std::mem::take(&mut self.command);
        let leading = words.iter().take_while(|word| assignment(word).is_some()).count();
        let declares = words.get(leading).is_some_and(|word| {
            matches!(word.as_str(), "export" | "local" | "readonly" | "declare" | "typeset" | "set")
        });
        for word in words.iter().take(if declares { words.len() } else { leading }) {
            if let Some((name, value)) = assignment(word) {
                self.keep_assignment(name, value);
            }
        }
        words.drain(..leading);
        if words.first().is_some_and(|first| matches!(first.as_str(), "[" | "test")) {
            words.iter().skip(1).for_each(|word| self.keep_compared(word));
        }
        let boring = match words.first().map(String::as_str) {
            // `set -- node "$@"` gives the script other arguments.
            Some("set") => words.get(1).is_none_or(|word| word != "--"),
            Some(first) => BUILTINS.contains(&first),
            None => true,
        };
        if boring || self.out.commands.last() == Some(&words) {
            return;
        }
        if self.out.commands.len() < COMMANDS_MAX && self.pay(words.iter().map(|word| word.len() + 24).sum()) {
            self.out.commands.push(words);
        }
    }

    /// Notes a plain word of a condition; operators and what is not known before it runs are none.
    fn keep_compared(&mut self, word: &str) {
        let plain =
            word.starts_with(|first: char| first.is_ascii_alphanumeric()) && !word.contains(['$', '*', '?', '[']);
        // They take nothing from the room of the commands: without one of them a script is still read.
        if plain && word.len() <= COMPARED_MAX && self.out.compared.len() < COMMANDS_MAX {
            self.out.compared.push((word.to_string(), self.out.commands.len()));
        }
    }

    fn keep_assignment(&mut self, name: &str, value: &str) {
        if self.out.assigns.len() < COMMANDS_MAX && self.pay(name.len() + value.len() + 48) {
            self.out.assigns.push((name.to_string(), value.to_string()));
        }
    }

    /// Takes from what a script may keep; says so when nothing is left.
    fn pay(&mut self, bytes: usize) -> bool {
        let left = self.room.checked_sub(bytes);
        match left {
            Some(left) => *self.room = left,
            None => self.out.unread = Some("has more commands than are read".to_string()),
        }
        left.is_some()
    }
}

fn literal(byte: u8) -> u8 {
    if byte == b'$' { LITERAL_DOLLAR as u8 } else { byte }
}

fn text_of(word: Vec<u8>) -> String {
    String::from_utf8(word).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Name and value of `NAME=value` or `NAME+=value`.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let first = name.bytes().next()?;
    let good = !first.is_ascii_digit() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    good.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands, words joined by a bar.
    fn commands(text: &str) -> Vec<String> {
        shell(text.as_bytes()).commands.iter().map(|words| words.join("|")).collect()
    }

    #[test]
    fn simple_commands_are_found_wherever_they_stand() {
        for (text, want) in [
            ("node server.js", &["node|server.js"][..]),
            ("cd /app && exec node server.js; echo done", &["cd|/app", "exec|node|server.js"]),
            ("A=1 B=2 migrate --up & gunicorn app:app", &["migrate|--up", "gunicorn|app:app"]),
            ("if [ \"$1\" = x ]; then su-exec app \"$@\"; fi", &["su-exec|app|$@"]),
            ("for f in a b; do run $f; done", &["run|$f"]),
            (
                "case \"$1\" in\n a|b) first ;;\n (c) second;;\n *) third\nesac\nlast",
                &["first", "second", "third", "last"],
            ),
            ("x=$(which gcc) y=`date +%s`", &["which|gcc", "date|+%s"]),
            ("echo \"$(inner \"a b\")\"", &["inner|a b"]),
            ("cat <<EOF >/etc/x\nrm -rf /\nEOF\nnext", &["cat", "next"]),
            ("cat <<-'EOF'\n\tnot this\n\tEOF\nnext", &["cat", "next"]),
            ("run 2>&1 >/dev/null </dev/zero", &["run"]),
            ("[[ -n \"$x\" && $y < z ]] && go run .", &["go|run|."]),
            ("start() {\n  inner\n}\nfunction stop { other; }\nstart", &["inner", "other", "start"]),
            ("exec java -cp \"a b\":c Main # comment", &["exec|java|-cp|a b:c|Main"]),
            ("ls=(a b c); ! grep -q x f || { boot; }", &["grep|-q|x|f", "boot"]),
            ("run \\\n  --more", &["run|--more"]),
            ("a=1;b=2;;", &[]),
        ] {
            assert_eq!(commands(text), want, "{text}");
        }
    }

    #[test]
    fn a_dollar_the_shell_takes_literally_is_told_from_a_variable() {
        let script = shell(b"sh -c 'echo $x' \"$y\" \\$z ${w:-a b}");
        assert_eq!(script.commands, [["sh", "-c", "echo \u{1}x", "$y", "\u{1}z", "${w:-a b}"]]);
    }

    #[test]
    fn assignments_and_functions_are_kept() {
        let script = shell(b"JAVA=/opt/java\nexport PATH=$PATH:/opt/bin OPTS+=' -x'\nmain() { :; }\nmain \"$@\"\n");
        let assigns: Vec<_> = script.assigns.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(assigns, ["JAVA=/opt/java", "PATH=$PATH:/opt/bin", "OPTS= -x"]);
        assert_eq!(script.functions, ["main"]);
        assert_eq!(script.commands, [["main", "$@"]]);
    }

    #[test]
    fn words_of_conditions_are_kept_with_the_number_of_commands_before_them() {
        let script =
            shell(b"a\nif [ \"$1\" = web ]; then b; fi\n[[ $1 == w* || -z x ]] && c\ncase $1 in d|e) f;; (g*) esac\n");
        let compared: Vec<_> = script.compared.iter().map(|(word, at)| format!("{word} {at}")).collect();
        assert_eq!(compared, ["web 1", "x 2", "d 3", "e 3"]);
        let words: Vec<String> = (0..900).map(|no| format!("{no:060}")).collect();
        let script = shell(format!("case $1 in {}) exec a;; esac", words.join("|")).as_bytes());
        assert_eq!((script.commands, script.unread), (vec![vec!["exec".to_string(), "a".to_string()]], None));
        assert_eq!(script.compared.len(), COMMANDS_MAX);
    }

    #[test]
    fn the_interpreter_is_behind_env() {
        for (line, want) in [
            ("#!/bin/sh -e\n", Some("sh")),
            ("#! /usr/bin/env python3\n", Some("python3")),
            ("#!/usr/bin/env -S A=1 node --flag", Some("node")),
            ("#!\n", None),
            ("echo", None),
        ] {
            assert_eq!(interpreter(&shebang(line.as_bytes())), want, "{line}");
        }
        let perl = script(b"#!/usr/bin/perl -w\nsystem('gcc');\n");
        assert_eq!(perl.commands, Vec::<Vec<String>>::new());
        assert_eq!(perl.unread.as_deref(), Some("perl code is not followed"));
    }

    #[test]
    fn no_text_takes_too_much_or_panics() {
        let whole =
            "case \"$1\" in a) f() { x \"$(y `z`)\" ${q:-${r}}; } ;; esac <<A\nb\nA\n[[ a < b ]] 'c' $'d' $((1+(2)))";
        for cut in 0..whole.len() {
            let _ = shell(&whole.as_bytes()[..cut]);
            let _ = shell(&whole.as_bytes()[cut..]);
        }
        for text in ["$(", "`a", "(((", "${", "'", "a b\n", "a=b\n", "x<<E\n", "f() ", "case x in "] {
            let long = shell(text.repeat(SCRIPT_MAX + 1).as_bytes());
            assert!(long.unread.is_some(), "{text}");
            assert!(long.commands.len() <= COMMANDS_MAX);
        }
        let long = shell("echo x\nrun a b c d e f\nrun b\n".repeat(2000).as_bytes());
        assert_eq!(long.unread.as_deref(), Some("has more commands than are read"));
    }
}
