//! Paths inside an image: bytes, as the tar archive wrote them, cleaned.
//!
//! Knows how a path is cleaned, compared and shown; nothing about files.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A cleaned path inside an image: no leading or trailing slash, no empty, `.` or `..` component.
///
/// The root is the empty path. `..` above the root is clamped, as container engines do. Names are
/// bytes; showing and serialising one escapes what is not printable UTF-8 as `\xNN` and a backslash as
/// `\\`, so that every path has exactly one spelling and no report carries raw control bytes.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ImagePath(Box<[u8]>);

impl ImagePath {
    /// Cleans `raw` as engines do before they unpack it.
    pub fn new(raw: &[u8]) -> Self {
        Self(clean(raw).into_boxed_slice())
    }

    /// The bytes of the path, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root directory.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for ImagePath {
    fn from(raw: &str) -> Self {
        Self::new(raw.as_bytes())
    }
}

impl fmt::Display for ImagePath {
    /// Writes the path as a user knows it: absolute and escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.0))
    }
}

impl Serialize for ImagePath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&show(&self.0))
    }
}

impl<'de> Deserialize<'de> for ImagePath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let shown = String::deserialize(from)?;
        let raw = unescape(&shown).ok_or_else(|| de::Error::custom("bad escape in a path"))?;
        Ok(Self::new(&raw))
    }
}

/// Cleans a path: drops empty and `.` components, clamps `..` at the root.
pub fn clean(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    clean_into(raw, &mut out);
    out
}

/// Cleans `raw` and appends it to `out`; what `out` held before is not touched.
pub fn clean_into(raw: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    for part in raw.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let cut = out[start..].iter().rposition(|&b| b == b'/').unwrap_or(0);
                out.truncate(start + cut);
            }
            _ => {
                if out.len() > start {
                    out.push(b'/');
                }
                out.extend_from_slice(part);
            }
        }
    }
}

/// The directory a cleaned path lies in; the root for a top-level name.
pub fn parent(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(b"", |at| &path[..at])
}

/// The last component of a cleaned path.
pub fn name(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..])
}

/// Whether `path` lies below the directory `dir` (the root holds everything; nothing lies below itself).
pub fn is_below(path: &[u8], dir: &[u8]) -> bool {
    dir.is_empty() && !path.is_empty() || path.len() > dir.len() && path.starts_with(dir) && path[dir.len()] == b'/'
}

/// Whether `path` lies in the directory `dir`, or is it (the root holds everything).
pub fn is_in(path: &[u8], dir: &[u8]) -> bool {
    dir.is_empty() || path == dir || is_below(path, dir)
}

/// Every proper ancestor directory of a cleaned path, nearest first, the root left out.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(parent(path)), |p| Some(parent(p))).take_while(|p| !p.is_empty())
}

/// Length of the deepest directory that two cleaned paths both lie in; 0 for the root.
pub fn shared_dir(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    a.get(..same).and_then(|start| start.iter().rposition(|&byte| byte == b'/')).unwrap_or(0)
}

/// Writes path bytes as an absolute, escaped string.
pub fn show(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    out.push('/');
    escape_into(path, &mut out);
    out
}

/// Escapes bytes that did not come from us, for output: control and bidirectional characters, bytes that
/// are not UTF-8, and the backslash itself.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    escape_into(bytes, &mut out);
    out
}

fn escape_into(bytes: &[u8], out: &mut String) {
    use fmt::Write;

    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' {
                out.push_str("\\\\");
            } else if c.is_control() || is_bidi_control(c) {
                let mut utf8 = [0; 4];
                for b in c.encode_utf8(&mut utf8).bytes() {
                    let _ = write!(out, "\\x{b:02x}");
                }
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
}

/// Characters that reorder the text around them (Unicode UAX #9), and line separators.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn unescape(shown: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(shown.len());
    let mut rest = shown.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        match rest {
            [b'\\', tail @ ..] => {
                out.push(b'\\');
                rest = tail;
            }
            [b'x', hi, lo, tail @ ..] => {
                let digit = |b: u8| char::from(b).to_digit(16);
                out.push(u8::try_from(digit(*hi)? * 16 + digit(*lo)?).ok()?);
                rest = tail;
            }
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_follows_the_engines() {
        for (raw, want) in [
            ("./usr/bin/", "usr/bin"),
            ("/etc//passwd", "etc/passwd"),
            ("a/../b", "b"),
            ("../../etc/x", "etc/x"),
            ("a/b/../../..", ""),
            ("./", ""),
            ("", ""),
        ] {
            assert_eq!(clean(raw.as_bytes()), want.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn cleaning_in_place_never_eats_what_stood_before() {
        let mut arena = b"etc".to_vec();
        clean_into(b"../x", &mut arena);
        assert_eq!(arena, b"etcx");
    }

    #[test]
    fn every_byte_string_survives_the_way_through_text() {
        for raw in [&b"plain"[..], b"b\\ack", b"new\nline", b"\xff\xfe", "b\u{202e}idi".as_bytes(), "é".as_bytes()] {
            let path = ImagePath::new(raw);
            let text = serde_json::to_string(&path).expect("a string");
            assert!(!text.chars().any(|c| c.is_control() || is_bidi_control(c)), "{text}");
            assert_eq!(serde_json::from_str::<ImagePath>(&text).expect("the same"), path);
        }
    }

    #[test]
    fn below_means_inside_and_not_beside() {
        assert!(is_below(b"usr/bin/gcc", b"usr/bin"));
        assert!(is_below(b"usr", b""));
        assert!(!is_below(b"usr/bin", b"usr/bin"));
        assert!(!is_below(b"usr/binx", b"usr/bin"));
        assert!(is_in(b"usr/bin", b"usr/bin") && is_in(b"usr", b"") && is_in(b"", b""));
        assert!(is_in(b"usr/bin/gcc", b"usr/bin") && !is_in(b"usr/binx", b"usr/bin") && !is_in(b"usr", b"usr/bin"));
        assert_eq!(ancestors(b"a/b/c").collect::<Vec<_>>(), [&b"a/b"[..], b"a"]);
        for (a, b, shared) in [("a/b/x", "a/b/y", "a/b"), ("a/bx", "a/by", "a"), ("a", "a/b", ""), ("x/y", "z", "")] {
            assert_eq!(shared_dir(a.as_bytes(), b.as_bytes()), shared.len(), "{a} {b}");
        }
    }
}
