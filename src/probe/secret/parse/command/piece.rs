//! Pieces of words: what they say, where they stand, and the items that they make.

use std::ops::Range;

use super::{
    super::Item,
    words::{Byte, Piece},
};
use crate::{
    model::Standing,
    probe::secret::check::{Check, Value, looks_random},
};

/// The texts that `echo` or `printf` writes; nothing of other commands.
pub(super) fn printed(words: &[Vec<Byte>]) -> Vec<&Piece> {
    let Some(at) = words.iter().position(|word| is(base_name(word), &["echo", "printf"])) else {
        return Vec::new();
    };
    let options = |word: &&Vec<Byte>| is(word, &["-n", "-e", "-E", "-ne", "-en", "--"]);
    words.iter().skip(at + 1).skip_while(options).map(Vec::as_slice).collect()
}

/// The lines of a text in which `\n` may stand for the end of one.
pub(super) fn lines(text: &Piece) -> impl Iterator<Item = &Piece> {
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
pub(super) fn is_switch(name: &[u8]) -> bool {
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
pub(super) fn may_be_secret(value: &[u8]) -> bool {
    let number = value.len() < 6 && value.iter().all(u8::is_ascii_digit);
    let path =
        [&b"/"[..], b"./", b"../", b"~/", b"@"].iter().any(|start| value.starts_with(start)) && !looks_random(value);
    let switch = [&b"true"[..], b"false", b"yes", b"none", b"null"].iter().any(|word| value.eq_ignore_ascii_case(word));
    value.len() >= 4 && !number && !path && !switch
}

/// Whether a setting of Bundler is the name of a host.
pub(super) fn is_host_login(key: &str) -> bool {
    let first = key.split('.').next().unwrap_or_default();
    !["build", "local", "mirror", "alias", "user", "core", "remote", "url", "http"].contains(&first)
}

/// `pass:secret` without its prefix.
pub(super) fn source(value: &Piece) -> &Piece {
    if starts(value, b"pass:") { value.get(5..).unwrap_or_default() } else { value }
}

/// `NAME=value`, or `NAME: value`, where the name is one.
pub(super) fn pair(word: &Piece, sign: u8) -> Option<(&Piece, &Piece)> {
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
pub(super) fn unquote(value: &Piece) -> &Piece {
    match value {
        [first, inner @ .., last] if first.byte == last.byte && matches!(first.byte, b'"' | b'\'') => inner,
        _ => value,
    }
}

pub(super) fn trim(mut piece: &Piece) -> &Piece {
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
pub(super) fn item(piece: &Piece, key: &str, standing: Standing) -> Option<Item> {
    valued(piece, text(piece), key, standing)
}

pub(super) fn valued(piece: &Piece, value: Vec<u8>, key: &str, standing: Standing) -> Option<Item> {
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
pub(super) fn password_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["passw", "passphrase", "pwd", "_pass"].iter().any(|part| lower.contains(part)) || lower == "pass"
}

pub(super) fn header_name(header: &[u8]) -> String {
    let name = header.split(|byte| *byte == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii()).into_owned()
}

/// The first word that is a command and no assignment.
pub(super) fn program_name(words: &[Vec<Byte>]) -> &Piece {
    const WRAPPERS: [&str; 10] = ["sudo", "doas", "env", "time", "nohup", "exec", "command", "then", "do", "if"];
    let plain = |word: &&Vec<Byte>| pair(word, b'=').is_none() && !starts(word, b"-") && !is(word, &WRAPPERS);
    words.iter().find(plain).map(|word| base_name(word)).unwrap_or_default()
}

pub(super) fn base_name(word: &Piece) -> &Piece {
    word.rsplit(|byte| byte.byte == b'/').next().unwrap_or_default()
}

pub(super) fn text(piece: &Piece) -> Vec<u8> {
    piece.iter().map(|byte| byte.byte).collect()
}

pub(super) fn span(piece: &Piece) -> Range<usize> {
    let at = |byte: Option<&Byte>| byte.map_or(0, |byte| byte.at as usize);
    at(piece.first())..at(piece.last()) + usize::from(!piece.is_empty())
}

pub(super) fn is_live(piece: &Piece) -> bool {
    piece.iter().any(|byte| byte.live)
}

pub(super) fn is(word: &Piece, names: &[&str]) -> bool {
    let same = |name: &&str| {
        word.len() == name.len()
            && word.iter().zip(name.bytes()).all(|(byte, other)| byte.byte.eq_ignore_ascii_case(&other) && !byte.live)
    };
    names.iter().any(same)
}

pub(super) fn starts(word: &Piece, with: &[u8]) -> bool {
    word.get(..with.len())
        .is_some_and(|head| head.iter().zip(with).all(|(byte, other)| byte.byte == *other && !byte.live))
}
