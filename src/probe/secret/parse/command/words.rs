//! Splits command lines into words as a POSIX shell does, and remembers of each byte where it stood.
//!
//! What a shell fills in (`$X`, `${X}`, `$(...)`) is marked and not followed; the scripts in `$(...)` are handed out.

/// One byte of a command line.
#[derive(Clone, Copy)]
pub(super) struct Byte {
    pub(super) byte: u8,
    /// Its offset in the line.
    pub(super) at: u32,
    /// Whether something else will stand there when the command runs.
    pub(super) live: bool,
}

/// A word, or a piece of one, without quotes.
pub(super) type Piece = [Byte];

/// What a line is made of.
pub(super) enum Token {
    /// A word.
    Word(Vec<Byte>),
    /// The next command reads what this one writes.
    Pipe,
    /// The next command begins.
    End,
    /// The next word is the file that is written.
    Write,
    /// The next word is the file that is read, or where a text ends.
    Read,
    /// The next word is what is read.
    Text,
}

/// The tokens of a script, and the scripts in it.
pub(super) struct Split {
    pub(super) tokens: Vec<Token>,
    pub(super) inner: Vec<Vec<Byte>>,
}

/// The bytes of a line, as they stand.
pub(super) fn bytes(line: &[u8]) -> Vec<Byte> {
    (0..).zip(line).map(|(at, &byte)| Byte { byte, at, live: false }).collect()
}

/// Splits a script.
pub(super) fn split(script: &Piece) -> Split {
    let mut splitter = Splitter { script, at: 0, word: None, out: Split { tokens: Vec::new(), inner: Vec::new() } };
    while splitter.at < script.len() {
        splitter.step();
    }
    splitter.end_word();
    splitter.out
}

struct Splitter<'s> {
    script: &'s Piece,
    at: usize,
    /// The word that is being read; `Some` with nothing in it behind a pair of quotes.
    word: Option<Vec<Byte>>,
    out: Split,
}

impl Splitter<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        let byte = self.script.get(self.at + ahead)?;
        // What the outer shell has filled in is no syntax any more.
        (!byte.live).then_some(byte.byte)
    }

    fn step(&mut self) {
        let Some(byte) = self.script.get(self.at).copied() else { return };
        if byte.live {
            self.push(byte);
            self.at += 1;
            return;
        }
        match byte.byte {
            b' ' | b'\t' | b'\r' => {
                self.end_word();
                self.at += 1;
            }
            b'\n' | b';' | b'(' | b')' => self.operator(Token::End, 1),
            b'|' if self.peek(1) == Some(b'|') => self.operator(Token::End, 2),
            b'|' => self.operator(Token::Pipe, 1),
            b'&' if self.peek(1) == Some(b'>') => self.operator(Token::Write, 2),
            b'&' => self.operator(Token::End, 1),
            b'>' => {
                let len = if matches!(self.peek(1), Some(b'>' | b'&' | b'|')) { 2 } else { 1 };
                self.operator(Token::Write, len);
            }
            b'<' if self.peek(1) == Some(b'<') && self.peek(2) == Some(b'<') => self.operator(Token::Text, 3),
            b'<' => {
                let len = if matches!(self.peek(1), Some(b'<' | b'>' | b'&')) { 2 } else { 1 };
                self.operator(Token::Read, len);
            }
            b'#' if self.word.is_none() => {
                while self.peek(0) != Some(b'\n') && self.at < self.script.len() {
                    self.at += 1;
                }
            }
            b'\'' => self.single(),
            b'"' => self.double(),
            b'\\' => {
                self.at += 1;
                if let Some(next) = self.script.get(self.at).copied() {
                    if next.byte != b'\n' {
                        self.push(next);
                    }
                    self.at += 1;
                }
            }
            b'$' | b'`' => self.filled(false),
            _ => {
                self.push(byte);
                self.at += 1;
            }
        }
    }

    fn push(&mut self, byte: Byte) {
        self.word.get_or_insert_default().push(byte);
    }

    fn end_word(&mut self) {
        self.out.tokens.extend(self.word.take().map(Token::Word));
    }

    fn operator(&mut self, token: Token, len: usize) {
        self.end_word();
        self.out.tokens.push(token);
        self.at += len;
    }

    fn single(&mut self) {
        self.word.get_or_insert_default();
        self.at += 1;
        while let Some(byte) = self.script.get(self.at).copied() {
            self.at += 1;
            if byte.byte == b'\'' && !byte.live {
                return;
            }
            self.push(byte);
        }
    }

    fn double(&mut self) {
        self.word.get_or_insert_default();
        self.at += 1;
        while let Some(byte) = self.script.get(self.at).copied() {
            match byte.byte {
                _ if byte.live => self.push(byte),
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' if matches!(self.peek(1), Some(b'"' | b'\\' | b'$' | b'`' | b'\n')) => {
                    self.at += 1;
                    let next = self.script.get(self.at).copied().filter(|next| next.byte != b'\n');
                    next.into_iter().for_each(|next| self.push(next));
                }
                b'$' | b'`' => {
                    self.filled(true);
                    continue;
                }
                _ => self.push(byte),
            }
            self.at += 1;
        }
    }

    /// `$X`, `${X}`, `$(...)` or a command between back quotes.
    fn filled(&mut self, quoted: bool) {
        let Some(first) = self.script.get(self.at).copied() else { return };
        let start = self.at;
        let mark = Byte { live: true, ..first };
        match (first.byte, self.peek(1)) {
            (b'`', _) => {
                let end = self.close(start + 1, b'`', b'`');
                self.inner(start + 1, end);
                self.push(mark);
                self.at = end + 1;
            }
            (_, Some(b'(')) => {
                let end = self.close(start + 2, b'(', b')');
                self.inner(start + 2, end);
                self.push(mark);
                self.at = end + 1;
            }
            (_, Some(b'{')) => {
                let end = self.close(start + 2, b'{', b'}') + 1;
                self.live(start, end);
            }
            // Escapes of C, between quotes that a `\'` does not end.
            (_, Some(b'\'')) if !quoted => {
                self.word.get_or_insert_default();
                self.at += 2;
                while let Some(byte) = self.script.get(self.at).copied() {
                    self.at += 1;
                    match byte.byte {
                        b'\'' => return,
                        b'\\' => {
                            let next = self.script.get(self.at).copied();
                            next.into_iter().for_each(|next| self.push(next));
                            self.at += 1;
                        }
                        _ => self.push(byte),
                    }
                }
            }
            (_, Some(b'"')) if !quoted => self.at += 1,
            (_, Some(next)) if next.is_ascii_alphabetic() || next == b'_' => {
                let name = |byte: &Byte| !byte.live && (byte.byte.is_ascii_alphanumeric() || byte.byte == b'_');
                let len = self.script.get(start + 1..).unwrap_or_default().iter().take_while(|byte| name(byte)).count();
                self.live(start, start + 1 + len);
            }
            (_, Some(next)) if next.is_ascii_digit() || b"@*#?$!-".contains(&next) => self.live(start, start + 2),
            _ => {
                self.push(first);
                self.at += 1;
            }
        }
    }

    fn live(&mut self, start: usize, end: usize) {
        for byte in self.script.get(start..end.min(self.script.len())).unwrap_or_default() {
            self.word.get_or_insert_default().push(Byte { live: true, ..*byte });
        }
        self.at = end;
    }

    fn inner(&mut self, start: usize, end: usize) {
        self.out.inner.extend(self.script.get(start..end).map(<[Byte]>::to_vec));
    }

    /// Where the bracket closes that was opened before `from`; the end when nothing closes it.
    fn close(&self, from: usize, open: u8, close: u8) -> usize {
        let (mut depth, mut quote, mut escaped) = (1_usize, None, false);
        for (at, byte) in self.script.iter().enumerate().skip(from).filter(|(_, byte)| !byte.live) {
            let byte = byte.byte;
            if std::mem::take(&mut escaped) {
                continue;
            }
            match (byte, quote) {
                (b'\\', _) if quote != Some(b'\'') => escaped = true,
                (_, Some(open)) => quote = quote.filter(|_| byte != open),
                _ if byte == close => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                _ if byte == open => depth += 1,
                (b'\'' | b'"', None) => quote = Some(byte),
                _ => {}
            }
        }
        self.script.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words between bars, what is filled in as `~`, operators as they are.
    fn show(line: &str) -> String {
        let split = split(&bytes(line.as_bytes()));
        let mut out = Vec::new();
        for token in &split.tokens {
            out.push(match token {
                Token::Word(word) => {
                    let shown: Vec<u8> = word.iter().map(|byte| if byte.live { b'~' } else { byte.byte }).collect();
                    assert!(
                        word.iter().all(|byte| byte.live || line.as_bytes()[byte.at as usize] == byte.byte),
                        "{line}"
                    );
                    format!("[{}]", String::from_utf8_lossy(&shown))
                }
                Token::Pipe => "|".into(),
                Token::End => ";".into(),
                Token::Write => ">".into(),
                Token::Read => "<".into(),
                Token::Text => "<<<".into(),
            });
        }
        let inner = split.inner.iter().map(|inner| inner.iter().map(|byte| char::from(byte.byte)).collect::<String>());
        out.extend(inner.map(|inner| format!("{{{inner}}}")));
        out.concat()
    }

    #[test]
    fn quotes_variables_and_operators_are_those_of_a_shell() {
        for (line, want) in [
            ("a  b\t'c d' \"e f\"g", "[a][b][c d][e fg]"),
            ("a\\ b \"c\\\"d\\x\" '' e\\\n f", "[a b][c\"d\\x][][e][f]"),
            ("$A ${B:-c d} \"x$C\" '$D' \\$E $ 5$", "[~~][~~~~~~~~~][x~~][$D][$E][$][5$]"),
            ("a $(b \"c)\" (d)) `e` f", "[a][~][~][f]{b \"c)\" (d)}{e}"),
            ("a|b||c&&d;e\nf &", "[a]|[b];[c];;[d];[e];[f];"),
            ("a >b 2>>c <d <<<e &>f", "[a]>[b][2]>[c]<[d]<<<[e]>[f]"),
            ("a #b c\nd#e", "[a];[d#e]"),
            ("$'a\\'b' $\"c\" \"$(x)y\"", "[a'b][c][~y]{x}"),
            ("'open", "[open]"),
            ("$(open", "[~]{open}"),
        ] {
            assert_eq!(show(line), want, "{line}");
        }
    }

    #[test]
    fn noise_ends() {
        for noise in ["$(", "`", "${", "'", "\"", "\\", "$'", "<<<", "\"$(\"", "a=$(b) "] {
            let _ = show(&noise.repeat(10_000));
        }
    }
}
