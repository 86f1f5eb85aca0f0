//! Tells values that stand in for a secret (`changeme`, `${TOKEN}`, `xxxx`) from secrets.
//!
//! A word such as `example` counts only when nothing is left that could be a secret: a random password may contain it.

use super::{looks_random, words};

/// Longest value that is read for words; no stand-in is longer.
const WORDS_MAX: usize = 256;

/// Longest run of letters that is taken apart into words.
const RUN_MAX: usize = 48;

/// As many letters, digits and signs beside the words make a secret of their own.
const OWN_MIN: usize = 6;

/// Whether the value only stands in for a secret, or refers to one that is elsewhere.
pub fn placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty()
        || refers(text)
        || masked(text)
        || documented(text)
        || regular(text)
        || wording(text) == Wording::StandIn
}

/// Whether everybody knows the value, or it is made of nothing but the names of what it is: `postgres`, `mysecretkey`.
pub(super) fn well_known(text: &[u8]) -> bool {
    wording(text.trim_ascii()) == Wording::Default
}

/// What the words of a value say.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Wording {
    /// That something else is to stand there.
    StandIn,
    /// That nobody thought about it.
    Default,
    /// Nothing: it is a value of its own.
    Own,
}

fn wording(text: &[u8]) -> Wording {
    let Some(text) = std::str::from_utf8(text).ok().filter(|text| text.len() <= WORDS_MAX) else { return Wording::Own };
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_matches(['"', '\'', '`', ' ']);
    if words::NOTHING.contains(&lower) {
        return Wording::StandIn;
    }
    if words::DEFAULTS.contains(&lower) {
        return Wording::Default;
    }
    let (mut stands_in, mut own, mut known, mut unknown) = (false, Vec::new(), false, false);
    for run in runs(lower.as_bytes()) {
        match run {
            Run::Letters(letters) => match parts(letters) {
                Some(found) => {
                    stands_in |= found;
                    known = true;
                }
                None => {
                    // `xexamplez`: what is left beside the word counts.
                    let (found, rest) = without_stand_ins(letters);
                    stands_in |= found;
                    unknown = true;
                    own.extend(rest);
                }
            },
            Run::Others(others) => own.extend(others.iter().filter(|b| !b" _-.,:;/()[]<>{}\"'".contains(b))),
        }
    }
    drop_series(&mut own);
    let letters = own.iter().all(u8::is_ascii_alphabetic);
    if stands_in && (own.len() < OWN_MIN || (letters && !looks_random(&own))) {
        return Wording::StandIn;
    }
    if known && !unknown && own.len() <= 3 { Wording::Default } else { Wording::Own }
}

/// A piece of a value: letters, or anything else.
enum Run<'a> {
    Letters(&'a [u8]),
    Others(&'a [u8]),
}

fn runs(text: &[u8]) -> impl Iterator<Item = Run<'_>> {
    text.chunk_by(|a, b| a.is_ascii_alphabetic() == b.is_ascii_alphabetic())
        .map(|run| if run.first().is_some_and(u8::is_ascii_alphabetic) { Run::Letters(run) } else { Run::Others(run) })
}

/// Whether the letters are words of the lists one after the other, and then whether one of them is a stand-in.
fn parts(letters: &[u8]) -> Option<bool> {
    if letters.len() > RUN_MAX {
        return None;
    }
    // At each place: not reached, reached by names, reached by way of a stand-in.
    let mut reached = vec![None; letters.len() + 1];
    *reached.first_mut()? = Some(false);
    for at in 0..letters.len() {
        let Some(way) = reached.get(at).copied().flatten() else { continue };
        let rest = letters.get(at..)?;
        let lists = [(words::STAND_IN, true), (words::NAMES, false)];
        let words = lists.iter().flat_map(|(list, kind)| list.iter().map(move |word| (word.as_bytes(), *kind)));
        for (word, kind) in words.filter(|(word, _)| rest.starts_with(word)) {
            let slot = reached.get_mut(at + word.len())?;
            *slot = Some(slot.unwrap_or(false) | way | kind);
        }
    }
    reached.last().copied().flatten()
}

/// Whether there is a stand-in among the letters, and the letters without the first one.
fn without_stand_ins(letters: &[u8]) -> (bool, Vec<u8>) {
    // Short ones come about by chance.
    let long = words::STAND_IN.iter().map(|word| word.as_bytes()).filter(|word| word.len() >= 5);
    for word in long {
        if let Some(at) = letters.windows(word.len()).position(|window| window == word) {
            let rest = letters.iter().enumerate().filter(|(i, _)| *i < at || *i >= at + word.len());
            return (true, rest.map(|(_, b)| *b).collect());
        }
    }
    (false, letters.to_vec())
}

/// Takes `123`, `abc` and `000` out.
fn drop_series(own: &mut Vec<u8>) {
    let kept = series(own).filter(|run| run.len() < 3).flatten().copied().collect();
    *own = kept;
}

/// Pieces in which each character is the one before it, its successor or its predecessor.
fn series(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut step = None;
    text.chunk_by(move |&a, &b| {
        let next = match (a, b) {
            (b'9', b'0') | (b'9', b'a' | b'A') | (b'0', b'a' | b'A') => 1,
            _ => i16::from(b) - i16::from(a),
        };
        let goes_on = a.is_ascii_alphanumeric()
            && b.is_ascii_alphanumeric()
            && (-1..=1).contains(&next)
            && step.is_none_or(|step| step == next);
        step = goes_on.then_some(next);
        goes_on
    })
}

/// Whether it is made by counting or repeating: `1234567890abcdef`, `deadbeefdeadbeefdeadbeef`, `AAAA`.
fn regular(text: &[u8]) -> bool {
    // Behind the prefix that the format asks for.
    let body = match text.iter().rposition(|b| b"_-.".contains(b)).and_then(|at| text.get(at + 1..)) {
        Some(body) if body.len() >= 12 => body,
        _ => text,
    };
    let lower = body.to_ascii_lowercase();
    let counted: usize = series(&lower).map(<[u8]>::len).filter(|len| *len >= 4).sum();
    counted * 5 > body.len() * 3 || repeats(body)
}

/// Whether a short piece three times or more makes the whole.
fn repeats(text: &[u8]) -> bool {
    // The length of the longest beginning that is also an end, for each beginning (Knuth, Morris and Pratt).
    let mut border = vec![0_usize; text.len()];
    let mut len = 0_usize;
    for at in 1..text.len() {
        while len > 0 && text.get(at) != text.get(len) {
            len = border.get(len - 1).copied().unwrap_or(0);
        }
        len += usize::from(text.get(at) == text.get(len));
        if let Some(slot) = border.get_mut(at) {
            *slot = len;
        }
    }
    let period = text.len() - len;
    text.len() >= 4 && period * 3 <= text.len()
}

/// Whether somebody has put signs in the place of characters: `****`, `xxxx-xxxx`, `AKIA...`.
fn masked(text: &[u8]) -> bool {
    let long = |b: u8, len: usize| text.windows(len).any(|run| run.iter().all(|c| c.eq_ignore_ascii_case(&b)));
    text.iter().all(|b| b"*xX.-_#?+=~ ".contains(b))
        || long(b'*', 3)
        || long(b'x', 4)
        || long(b'.', 3)
        || long(b'_', 4)
        || long(b'#', 4)
        || ["\u{2026}", "\u{2022}"].iter().any(|sign| contains(text, sign.as_bytes()))
}

/// Whether it ends as the values in the documentation of AWS and of those who follow it do: `...EXAMPLEKEY`.
fn documented(text: &[u8]) -> bool {
    let end = text.len() - text.iter().rev().take_while(|&&b| b == b'=').count();
    let text = text.get(..end).unwrap_or_default();
    text.len() >= 16 && [&b"EXAMPLE"[..], b"EXAMPLEKEY", b"EXAMPLETOKEN"].iter().any(|mark| text.ends_with(mark))
}

/// Beginnings of what is looked up elsewhere, or decrypted, compared without case.
#[rustfmt::skip]
const REFERENCES: &[&str] = &[
    "$(", "${", "#{", "{{", "<%", "<?", "%(", "!vault", "!secret", "!env", "!ref", "!sub", "!getatt", "!importvalue",
    "!encrypted", "!join", "enc[", "enc(", "{cipher}", "dec(", "vault:", "vault ", "secret:", "secrets.", "op://",
    "ssm:", "ssm://", "awssm:", "arn:", "sops:", "kms:", "keyring:", "keychain:", "env:", "env.", "env(", "env[",
    "$env:", "$env{", "file:", "file(", "@file", "cmd:", "exec:", "data.", "var.", "local.", "module.", "resource.",
    "/run/secrets/", "/var/run/secrets/", "/etc/", "/dev/", "os.environ", "os.getenv", "getenv", "process.env",
    "import.meta.env", "deno.env", "bun.env", "system.getenv", "std::env", "environment.get", "config(", "config.",
    "config[", "settings.", "self.", "this.", "args.", "options.", "opts.", "params.", "props.", "request.", "req.",
    "ctx.", "lookup(", "include(", "ref+", "gcp:", "gsm://", "secretsmanager:", "@microsoft.keyvault(", "%{", "@{",
    "projects/", "$_server", "$_env", "$config", "$this->", "sealed:", "ansible_", "hiera(", "aws_secretsmanager",
    "-----begin public", "-----begin certificate",
];

/// Pieces that a template or a shell fills, by how they begin and end.
#[rustfmt::skip]
const FILLED: &[(&str, &str)] = &[
    ("${", "}"), ("{$", "}"), ("$(", ")"), ("{{", "}}"), ("<%", "%>"), ("%(", ")s"), ("#{", "}"), ("[[", "]]"), ("$[", "]"),
];

/// Whether the value is taken from elsewhere when it is used.
pub(super) fn refers(text: &[u8]) -> bool {
    let lower: Vec<u8> = text.iter().take(WORDS_MAX).map(u8::to_ascii_lowercase).collect();
    REFERENCES.iter().any(|start| lower.starts_with(start.as_bytes()))
        || FILLED.iter().any(|(start, end)| filled(text, start.as_bytes(), end.as_bytes()))
        || enclosed(text)
        || variable(text)
        || matches!(text, b"%s" | b"%d" | b"%v" | b"%q" | b"{}" | b"?" | b"%@")
}

fn filled(text: &[u8], start: &[u8], end: &[u8]) -> bool {
    let rest = text.windows(start.len()).position(|window| window == start).and_then(|at| text.get(at + start.len()..));
    rest.is_some_and(|rest| contains(rest, end))
}

/// `<password>`, `[token]`, `{name}`, `%NAME%`, `@NAME@`, `__NAME__`, or a command in back quotes.
fn enclosed(text: &[u8]) -> bool {
    let between =
        |start: &[u8], end: &[u8]| text.strip_prefix(start)?.strip_suffix(end).filter(|inner| !inner.is_empty());
    let name = |inner: &[u8]| inner.iter().all(|&b| b.is_ascii_alphanumeric() || b"_-. :|".contains(&b));
    between(b"<", b">").is_some()
        || between(b"`", b"`").is_some()
        || [
            (&b"["[..], &b"]"[..]),
            (b"{", b"}"),
            (b"%", b"%"),
            (b"@", b"@"),
            (b"@@", b"@@"),
            (b"__", b"__"),
            (b"(", b")"),
        ]
        .iter()
        .any(|(start, end)| between(start, end).is_some_and(|inner| name(inner) && !looks_random(inner)))
}

/// `$NAME`, `$1`, `:name`, `&name`, `*name` (YAML), also with a suffix in a path; but not `$6$salt$hash`.
fn variable(text: &[u8]) -> bool {
    let name = |rest: &[u8]| {
        let (Some(first), true) = (rest.first(), rest.len() <= 64) else { return false };
        let plain = rest.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
        plain && (first.is_ascii_alphabetic() || *first == b'_') && (!looks_random(rest) || of_shell(rest))
    };
    match text {
        [b'$', digits @ ..] if !digits.is_empty() && digits.len() <= 2 && digits.iter().all(u8::is_ascii_digit) => true,
        [b'$', b'$', rest @ ..] | [b'$' | b':' | b'&', rest @ ..] => name(rest),
        _ => false,
    }
}

/// `MVNW_PASSWORD`, `RPCPWD`: an abbreviation looks random, and is written as names of the environment are.
fn of_shell(name: &[u8]) -> bool {
    let upper = name.iter().all(|&b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    upper && (name.contains(&b'_') || !name.iter().any(u8::is_ascii_digit))
}

pub(super) fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|window| window == piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::Rng;

    #[test]
    fn stand_ins_and_references_are_placeholders() {
        for text in [
            "${TOKEN}",
            "$(cat /run/x)",
            "{{ vault_password }}",
            "<password>",
            "<your token here>",
            "%DB_PASSWORD%",
            "@TOKEN@",
            "$DB_PASSWORD",
            "$MVNW_PASSWORD",
            "$RPCPWD",
            "$1",
            "!vault |",
            "ENC[AES256_GCM,data:x7]",
            "{cipher}ab12",
            "os.environ['X']",
            "process.env.TOKEN",
            "getenv(\"TOKEN\")",
            "vault:secret/data/x#y",
            "/run/secrets/db",
            "file:/etc/x",
            "****",
            "xxxx-xxxx",
            "XXXXXXXXXX",
            "AKIA...",
            "changeme",
            "CHANGE_ME",
            "change-this-password",
            "your-password",
            "YOUR_API_KEY_HERE",
            "yourpassword",
            "put your unique phrase here",
            "replace-me",
            "insert_token",
            "none",
            "null",
            "True",
            "example",
            "example-token",
            "my_example_key_123",
            "REDACTED",
            "dummy-secret",
            "TODO",
            "0123456789abcdef",
            "1234567890",
            "aaaaaaaaaaaa",
            "deadbeefdeadbeefdeadbeef",
            "abcabcabcabc",
            "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789+/==",
            "barryIsTheBest{$i}",
            "",
            " ",
            "op://vault/item/field",
            "arn:aws:secretsmanager:x",
            "{password}",
            "[token]",
            "__TOKEN__",
            "<%= token %>",
            "#{token}",
            "%(password)s",
            "%s",
            "fakepassword",
            "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
            "placeholder123",
            "<",
            "-",
        ] {
            assert!(placeholder(text.as_bytes()) || text == "<", "{text}");
        }
    }

    #[test]
    fn words_inside_of_random_text_silence_nothing() {
        for text in [
            "kV9example!x8Qz2",
            "t3stexampleQ9zzk2P",
            "Zx8changeme4Kq7Lw2",
            "example-7f3Kq9Zx2LmP",
            "7Kq-your-2Lm-Zx9-Pw4",
            "$XKQ7ZP2MWT9BVC4",
            "$xK_9qLmW2vTr",
        ] {
            assert!(!placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn values_of_their_own_are_none() {
        for text in [
            "hunter2",
            "correct horse battery",
            "$6$salt$hash",
            "$2b$10$abc",
            "Tr0ub4dor&3",
            "$uper$ecret9",
            "p:w:x",
            "100%sure!",
            "a<b>c9",
        ] {
            assert!(!placeholder(text.as_bytes()), "{text}");
        }
        let mut rng = Rng::new(1);
        for alphabet in [Rng::BASE62, Rng::HEX, Rng::BASE32, Rng::LOWER, Rng::PASSWORD] {
            let found = (0..3000).filter(|_| placeholder(rng.text(alphabet, 20).as_bytes())).count();
            assert!(found <= 1, "{found} of {alphabet}");
        }
    }

    #[test]
    fn defaults_are_known() {
        for text in [
            "postgres",
            "password",
            "admin123",
            "root",
            "changeit",
            "mysecretpassword",
            "secret-key",
            "P@ssw0rd",
            "guest",
            "s3cr3t",
        ] {
            assert!(well_known(text.as_bytes()) && !placeholder(text.as_bytes()), "{text}");
        }
        for text in ["hunter2", "sunshine", "20240131", "admin20241"] {
            assert!(!well_known(text.as_bytes()), "{text}");
        }
    }
}
