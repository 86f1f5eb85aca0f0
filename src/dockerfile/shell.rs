//! Splits the commands of a shell: words, operators, redirections, comments, each with its place.
//!
//! Good enough to find a command and its arguments in a `RUN`; it runs nothing and expands nothing. A word that a shell
//! would change (a variable, a substitution, a pattern) says so.
//!
//! Source: POSIX.1-2017, Shell Command Language, 2.3 and 2.4.

use super::span::Span;

/// A piece of a script.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands in the script.
    pub span: Span,
}

/// What a piece of a script is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenKind {
    /// A word.
    Word(Text),
    /// `&&`, `||`, `;`, `;;`, `&`, `|`, `|&`, `(`, `)`, or a line's end (`\n`).
    Operator(&'static str),
    /// `>`, `2>>`, `<`, `&>`, `<<`, `<<<` and the like. Its target is the next word.
    Redirect,
    /// `# ...`
    Comment,
}

/// A word, read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text {
    /// What is left when quotes and escapes are taken away; variables and substitutions stay as written.
    pub text: String,
    /// Whether a shell would put something else in its place.
    pub changes: bool,
    /// Whether a part of it is quoted.
    pub is_quoted: bool,
}

/// A simple command of a script: its words without assignments and redirections.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Simple {
    /// `NAME=value` in front of it.
    pub assignments: Vec<(Text, Span)>,
    /// The command and its arguments.
    pub words: Vec<(Text, Span)>,
    /// Targets of redirections.
    pub targets: Vec<(Text, Span)>,
    /// The operator in front of it; empty for the first, and behind reserved words.
    pub joined_by: &'static str,
    /// The operator behind it; empty for the last.
    pub ended_by: &'static str,
    /// From its first word to its last; redirections included.
    pub span: Span,
    /// How many `(`, `{`, `if`, `for` and the like it is in.
    pub depth: usize,
}

impl Simple {
    /// Its words as text, if no shell would change any of them.
    pub fn plain_words(&self) -> Option<Vec<&str>> {
        self.words.iter().map(|(word, _)| (!word.changes).then_some(word.text.as_str())).collect()
    }
}

/// The tokens of a script, in order. What does not end (a quote, a substitution) goes on to the script's end.
pub fn tokens(script: &str) -> Vec<Token> {
    Lexer { text: script, at: 0, heredocs: Vec::new(), tokens: Vec::new() }.run()
}

/// Operators, longer ones first.
const OPERATORS: [&str; 10] = ["&&", "||", ";;", "|&", ";", "&", "|", "(", ")", "\n"];

/// Redirections without their numbers, longer ones first.
const REDIRECTS: [&str; 12] = ["&>>", "<<<", "<<-", "&>", ">>", ">&", ">|", "<<", "<&", "<>", ">", "<"];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Marks of documents that begin behind this line: the word, and whether tabs are dropped.
    heredocs: Vec<(String, bool)>,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(mut self) -> Vec<Token> {
        let mut mark: Option<bool> = None;
        while let Some(c) = self.peek() {
            let start = self.at;
            if self.rest().starts_with("\\\n") || self.rest().starts_with("\\\r\n") {
                self.at += if self.rest().starts_with("\\\n") { 2 } else { 3 };
            } else if matches!(c, ' ' | '\t' | '\r') {
                self.at += 1;
            } else if c == '#' {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                self.push(start, TokenKind::Comment);
            } else if let Some(length) = self.redirect() {
                let text = self.text.get(start..start + length).unwrap_or_default();
                mark = text.ends_with("<<").then_some(false).or_else(|| text.ends_with("<<-").then_some(true));
                self.at += length;
                self.push(start, TokenKind::Redirect);
            } else if let Some(operator) = OPERATORS.into_iter().find(|&operator| self.rest().starts_with(operator)) {
                self.at += operator.len();
                self.push(start, TokenKind::Operator(operator));
                if operator == "\n" {
                    self.skip_heredocs();
                }
            } else {
                let text = self.word();
                if let Some(drops_tabs) = mark.take() {
                    self.heredocs.push((text.text.clone(), drops_tabs));
                }
                self.push(start, TokenKind::Word(text));
            }
        }
        self.tokens
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn push(&mut self, start: usize, kind: TokenKind) {
        self.tokens.push(Token { kind, span: Span::new(start, self.at) });
    }

    /// The length of the redirection that stands here, with its number.
    fn redirect(&self) -> Option<usize> {
        let rest = self.rest();
        let sign = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = rest.len() - sign.len();
        let found = REDIRECTS.into_iter().find(|&redirect| sign.starts_with(redirect))?;
        // `<(` and `>(` begin a word, and no number stands before `&>`.
        let is_process = matches!(found, "<" | ">") && sign.get(1..).is_some_and(|behind| behind.starts_with('('));
        (!is_process && (number == 0 || !found.starts_with('&'))).then_some(number + found.len())
    }

    /// Goes behind the documents whose marks stood in the line.
    fn skip_heredocs(&mut self) {
        for (name, drops_tabs) in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let rest = self.rest();
                let line = rest.split_inclusive('\n').next().unwrap_or_default();
                let length = line.len();
                let line = line.trim_end_matches(['\r', '\n']);
                let is_end = if drops_tabs { line.trim_start_matches('\t') } else { line } == name;
                self.at += length;
                if is_end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Text {
        let mut word = Text::default();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | ')' => break,
                '&' => break,
                '<' | '>' | '(' if !word.text.ends_with(['<', '>', '$', '@', '!', '?', '*', '+', '=']) || c != '(' => {
                    let is_process = self.rest().get(1..).is_some_and(|rest| rest.starts_with('('));
                    if c == '(' || !is_process {
                        break;
                    }
                    word.changes = true;
                    self.next();
                    word.text.push(c);
                }
                '(' => {
                    let start = self.at;
                    self.skip_nested();
                    word.text.push_str(self.text.get(start..self.at).unwrap_or_default());
                    word.changes = true;
                }
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') => {}
                        Some(c) => {
                            word.is_quoted = true;
                            word.text.push(c);
                        }
                        None => word.text.push('\\'),
                    }
                }
                '\'' => {
                    self.next();
                    word.is_quoted = true;
                    let end = self.rest().find('\'').unwrap_or(self.rest().len());
                    word.text.push_str(self.rest().get(..end).unwrap_or_default());
                    self.at = (self.at + end + 1).min(self.text.len());
                }
                '"' => self.double_quoted(&mut word),
                '$' | '`' => self.dollar(&mut word),
                _ => {
                    word.changes |= matches!(c, '*' | '?' | '[') || c == '~' && word.text.is_empty();
                    word.changes |= c == '{' && self.rest().len() > 1;
                    self.next();
                    word.text.push(c);
                }
            }
        }
        // A lone brace is a reserved word.
        if word.text == "{" || word.text == "}" || word.text == "[" || word.text == "[[" {
            word.changes = false;
        }
        word
    }

    fn double_quoted(&mut self, word: &mut Text) {
        self.next();
        word.is_quoted = true;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.next();
                    return;
                }
                '$' | '`' => self.dollar(word),
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') | None => {}
                        Some(c @ ('$' | '`' | '"' | '\\')) => word.text.push(c),
                        Some(c) => word.text.extend(['\\', c]),
                    }
                }
                _ => {
                    self.next();
                    word.text.push(c);
                }
            }
        }
    }

    /// Takes `$x`, `${x}`, `$(x)` and `` `x` `` as they are written.
    fn dollar(&mut self, word: &mut Text) {
        let start = self.at;
        let mark = self.next();
        match (mark, self.peek()) {
            (Some('`'), _) => {
                while let Some(c) = self.next() {
                    match c {
                        '\\' => drop(self.next()),
                        '`' => break,
                        _ => {}
                    }
                }
                word.changes = true;
            }
            (_, Some('(' | '{')) => {
                self.skip_nested();
                word.changes = true;
            }
            (_, Some(c)) if c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '*' | '#' | '?' | '$' | '!' | '-') => {
                word.changes = true;
            }
            _ => {}
        }
        word.text.push_str(self.text.get(start..self.at).unwrap_or_default());
    }

    /// Goes behind the bracket that closes the one here; quotes within are looked at.
    fn skip_nested(&mut self) {
        let mut open: Vec<char> = Vec::new();
        while let Some(c) = self.next() {
            match (open.last().copied(), c) {
                (_, '\\') if open.last() != Some(&'\'') => drop(self.next()),
                (Some('\''), '\'') | (Some('"'), '"') => drop(open.pop()),
                (Some('\''), _) => {}
                (_, '\'') if open.last() != Some(&'"') => open.push('\''),
                (_, '"') => open.push('"'),
                (Some('"'), '(' | '{') => {
                    let before = self.text.get(..self.at - 1).unwrap_or_default();
                    if before.ends_with('$') {
                        open.push(if c == '(' { ')' } else { '}' });
                    }
                }
                (_, '(') => open.push(')'),
                (_, '{') => open.push('}'),
                (Some(close), c) if close == c => drop(open.pop()),
                _ => {}
            }
            if open.is_empty() {
                return;
            }
        }
    }
}

/// Words that stand before a command and are none.
const RESERVED: [&str; 13] =
    ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "fi", "done", "}"];

/// The simple commands of a script, in order. `for x in ...` and `case x in` are commands named `for` and `case`.
pub fn commands(script: &str) -> Vec<Simple> {
    let mut found = Vec::new();
    let mut now = Simple::default();
    let (mut depth, mut is_target, mut joined_by) = (0_usize, false, "");
    let mut tokens = tokens(script);
    let end = script.len();
    tokens.push(Token { kind: TokenKind::Operator(""), span: Span::new(end, end) });
    for token in tokens {
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::Redirect => {
                is_target = true;
                now.grow(token.span);
            }
            TokenKind::Word(text) => {
                let is_first = now.words.is_empty() && !is_target;
                if is_first && !text.is_quoted && now.assignments.is_empty() && RESERVED.contains(&text.text.as_str()) {
                    match text.text.as_str() {
                        "if" | "while" | "until" | "{" => depth += 1,
                        "fi" | "done" | "}" => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    joined_by = "";
                    continue;
                }
                now.grow(token.span);
                if is_target {
                    now.targets.push((text, token.span));
                    is_target = false;
                } else if is_first && is_assignment(&text.text) {
                    now.assignments.push((text, token.span));
                } else {
                    if is_first && matches!(text.text.as_str(), "for" | "case") {
                        depth += 1;
                    }
                    if is_first && text.text == "esac" {
                        depth = depth.saturating_sub(1);
                        continue;
                    }
                    now.words.push((text, token.span));
                }
            }
            TokenKind::Operator(operator) => {
                is_target = false;
                let is_empty = now.words.is_empty() && now.assignments.is_empty() && now.targets.is_empty();
                if !is_empty {
                    (now.depth, now.joined_by, now.ended_by) = (depth, joined_by, operator);
                    found.push(std::mem::take(&mut now));
                    joined_by = operator;
                } else if operator != "\n" {
                    joined_by = operator;
                }
                now = Simple::default();
                match operator {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }
    found
}

impl Simple {
    fn grow(&mut self, span: Span) {
        let is_new = self.words.is_empty() && self.assignments.is_empty() && self.targets.is_empty();
        let start = if is_new && self.span == Span::default() { span.start } else { self.span.start };
        self.span = Span::new(start, span.end);
    }
}

fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.strip_suffix('+').unwrap_or(name);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_name) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(script: &str) -> Vec<String> {
        let words = |simple: &Simple| -> Vec<String> {
            simple
                .words
                .iter()
                .map(|(word, _)| format!("{}{}", word.text, if word.changes { "~" } else { "" }))
                .collect()
        };
        let commands = commands(script);
        commands
            .iter()
            .map(|simple| format!("{}[{}]{}", simple.joined_by, words(simple).join("|"), simple.ended_by))
            .collect()
    }

    #[test]
    fn commands_are_split_at_operators_outside_of_quotes() {
        assert_eq!(told("a && b; c | d"), ["[a]&&", "&&[b];", ";[c]|", "|[d]"]);
        assert_eq!(told("echo 'a && b' \"c ; $d\" e\\;f"), ["[echo|a && b|c ; $d~|e;f]"]);
        assert_eq!(told("a||b&\nc"), ["[a]||", "||[b]&", "&[c]"]);
        assert_eq!(told("(cd x && make) && { y; }"), ["([cd|x]&&", "&&[make])", "[y];"]);
        assert_eq!(told("A=1 B=\"x y\" env C=2 cmd"), ["[env|C=2|cmd]"]);
        assert_eq!(told("a # b && c\nd#e"), ["[a]\n", "\n[d#e]"]);
        assert_eq!(told("a \\\n  b \\\r\n c"), ["[a|b|c]"]);
    }

    #[test]
    fn redirections_and_documents_are_no_words() {
        assert_eq!(told("a > x 2>&1 b >> y && c 2>/dev/null"), ["[a|b]&&", "&&[c]"]);
        assert_eq!(told("cat <<EOF > x && b\n rm -rf / ; x\nEOF\nc"), ["[cat]&&", "&&[b]\n", "\n[c]"]);
        assert_eq!(told("cat <<-'E' <<F\n\tE\nx\nF\nd &> z"), ["[cat]\n", "\n[d]"]);
        assert_eq!(told("diff <(a b) x"), ["[diff|<(a b)~|x]"]);
        let targets: Vec<String> =
            commands("a >x 2>\"y z\"")[0].targets.iter().map(|(word, _)| word.text.clone()).collect();
        assert_eq!(targets, ["x", "y z"]);
    }

    #[test]
    fn what_a_shell_changes_says_so() {
        let script = "rm -rf *.o $x ${y:-a b} $(echo a; echo \")\") `b c` ~/x a{b,c} \\$x '$y' $((1 + (2)))";
        let expected = "[rm|-rf|*.o~|$x~|${y:-a b}~|$(echo a; echo \")\")~|`b c`~|~/x~|a{b,c}~|$x|$y|$((1 + (2)))~]";
        assert_eq!(told(script), [expected]);
    }

    #[test]
    fn reserved_words_are_no_commands() {
        assert_eq!(told("if a; then b; else c; fi"), ["[a];", "[b];", "[c];"]);
        assert_eq!(told("for i in a b; do c $i; done && d"), ["[for|i|in|a|b];", "[c|$i~];", "&&[d]"]);
        assert_eq!(told("! a && while b; do c; done"), ["[a]&&", "[b];", "[c];"]);
    }

    #[test]
    fn places_are_those_of_the_script() {
        let script = "apt-get update && apt-get install -y \\\n  gcc=\"1 2\" make && x";
        let install = &commands(script)[1];
        assert_eq!(
            install.words.iter().map(|(_, span)| span.of(script)).collect::<Vec<_>>(),
            ["apt-get", "install", "-y", "gcc=\"1 2\"", "make"]
        );
        assert_eq!(install.span.of(script), "apt-get install -y \\\n  gcc=\"1 2\" make");
        assert_eq!(install.plain_words().unwrap()[3], "gcc=1 2");
    }

    #[test]
    fn what_does_not_end_goes_on_to_the_end() {
        for script in [
            "'a",
            "\"a",
            "$(a",
            "`a",
            "${a",
            "a \\",
            "<<x\n",
            "a >",
            "((((",
            "))))",
            "\"$(\"",
            "&&&&&",
            "2>",
            "\u{e9}'\u{e9}",
        ] {
            let tokens = tokens(script);
            assert!(
                tokens
                    .iter()
                    .all(|token| token.span.end <= script.len()
                        && script.get(token.span.start..token.span.end).is_some()),
                "{script}"
            );
            commands(script);
        }
    }
}
