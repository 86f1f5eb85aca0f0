//! Shell patterns of substitutions: `*`, `?` and escapes.

use regex::{NoExpand, Regex, RegexBuilder};

/// Largest compiled pattern, in bytes.
const COMPILED_MAX: usize = 1 << 20;

/// Takes the shortest, or longest, part off the start.
pub(super) fn trim_prefix(value: &str, pattern: &str, longest: bool) -> Result<String, String> {
    let regex = compile(pattern.chars(), longest, true)?;
    let end = regex.find(value).map_or(0, |found| found.end());
    Ok(value.get(end..).unwrap_or_default().to_string())
}

/// Takes the shortest, or longest, part off the end.
pub(super) fn trim_suffix(value: &str, pattern: &str, longest: bool) -> Result<String, String> {
    // Regular expressions look for the leftmost match, so both are turned round; an escape stays before its character.
    let mut turned = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(escaped)) => {
                chars.next();
                turned.extend([escaped, '\\']);
            }
            _ => turned.push(c),
        }
    }
    let value: String = value.chars().rev().collect();
    let regex = compile(turned.into_iter().rev(), longest, true)?;
    let end = regex.find(&value).map_or(0, |found| found.end());
    Ok(value.get(end..).unwrap_or_default().chars().rev().collect())
}

/// Replaces the first match, or all of them.
pub(super) fn replace(value: &str, pattern: &str, with: &str, all: bool) -> Result<String, String> {
    let regex = compile(pattern.chars(), true, false)?;
    let limit = if all { 0 } else { 1 };
    Ok(regex.replacen(value, limit, NoExpand(with)).into_owned())
}

fn compile(pattern: impl Iterator<Item = char>, longest: bool, at_start: bool) -> Result<Regex, String> {
    let mut text = String::new();
    if at_start {
        text.push('^');
    }
    let mut chars = pattern.peekable();
    while let Some(c) = chars.next() {
        let c = match c {
            '*' => {
                text.push_str(if longest { ".*" } else { ".*?" });
                continue;
            }
            '?' => {
                text.push('.');
                continue;
            }
            '\\' => match chars.next() {
                Some(c @ ('}' | '/' | '*' | '?' | '\\')) => c,
                _ => return Err("a pattern has an escape that there is none of".to_string()),
            },
            c => c,
        };
        text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }
    let built = RegexBuilder::new(&text).size_limit(COMPILED_MAX).build();
    built.map_err(|_| "a pattern is too long".to_string())
}
