//! One line for every path of an image: what `offcut files` prints.
//!
//! Rows are written as they come, so the columns are fixed and not fitted: path last, each field one word, to be read
//! by people and by `grep` and `awk` alike.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Serialize, Serializer};

use crate::model::{Kind, State, path};

/// One file of the image, live or buried.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row<'a> {
    /// Cleaned path, bytes as [`crate::model::ImagePath`] holds them.
    #[serde(serialize_with = "absolute")]
    pub path: &'a [u8],
    /// Layer that brought it, lowest is 1.
    pub layer: u32,
    /// Kind of file.
    pub kind: Kind,
    /// Permission bits with set-uid, set-gid and sticky.
    #[serde(serialize_with = "octal")]
    pub mode: u16,
    /// Size in bytes; 0 for anything but a regular file.
    pub size: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Package that owns it, such as `deb:gcc-12`.
    pub package: Option<&'a str>,
    /// Live or buried.
    pub state: State,
    /// Layer that hid it, for a buried file.
    pub hidden_by: Option<u32>,
    /// Target of a link: raw for a symbolic link, a cleaned path for a hard link, else empty.
    #[serde(serialize_with = "escaped")]
    pub link: &'a [u8],
}

/// Writes one row as text: layer, state, mode, size, owner, package, path and ` -> target`.
///
/// # Errors
/// Those of `out`.
pub fn write_text(row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let state = match row.hidden_by {
        Some(layer) if row.state == State::Buried => Cow::Owned(format!("buried:{layer}")),
        _ => Cow::Borrowed(row.state.word()),
    };
    let owner = format!("{}:{}", row.uid, row.gid);
    let package = row.package.map_or_else(|| "-".to_string(), word);
    write!(
        out,
        "{:>3} {state:<9} {} {:>11} {owner:<11} {package:<28} {}",
        row.layer,
        permissions(row.kind, row.mode),
        row.size,
        path::show(row.path)
    )?;
    match row.kind {
        Kind::Symlink => writeln!(out, " -> {}", path::escape(row.link)),
        Kind::Hardlink => writeln!(out, " -> {}", path::show(row.link)),
        _ => writeln!(out),
    }
}

/// Writes one row as a JSON object on a line of its own.
///
/// # Errors
/// Those of `out`.
pub fn write_json(row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

/// A name as one word, so that it can not shift the columns after it.
fn word(name: &str) -> String {
    let word = path::escape(name.as_bytes());
    if word.contains(char::is_whitespace) { word.replace(char::is_whitespace, "\\x20") } else { word }
}

/// The ten characters of `ls -l`; a hard link is `h`, as tar lists it.
fn permissions(kind: Kind, mode: u16) -> String {
    let mut out = String::with_capacity(10);
    out.push(match kind {
        Kind::File => '-',
        Kind::Dir => 'd',
        Kind::Symlink => 'l',
        Kind::Hardlink => 'h',
        Kind::Char => 'c',
        Kind::Block => 'b',
        Kind::Fifo => 'p',
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    out
}

fn absolute<S: Serializer>(path: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path::show(path))
}

fn escaped<S: Serializer>(link: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path::escape(link))
}

fn octal<S: Serializer>(mode: &u16, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{mode:04o}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::HOSTILE;

    const GCC: Row<'static> = Row {
        path: b"usr/bin/gcc",
        layer: 3,
        kind: Kind::File,
        mode: 0o755,
        size: 1_234_567,
        uid: 0,
        gid: 0,
        package: Some("deb:gcc-12"),
        state: State::Live,
        hidden_by: None,
        link: b"",
    };

    fn text(row: &Row<'_>) -> String {
        let mut out = Vec::new();
        write_text(row, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_columns_stand_still() {
        let rows = [
            GCC,
            Row { path: b"tmp", kind: Kind::Dir, mode: 0o1777, size: 0, package: None, layer: 12, ..GCC },
            Row { path: b"usr/bin/cc", kind: Kind::Symlink, mode: 0o777, link: b"gcc", ..GCC },
            Row { path: b"usr/bin/g", kind: Kind::Hardlink, link: b"usr/bin/gcc", uid: 65534, gid: 65534, ..GCC },
            Row { path: b"bin/su", mode: 0o4754, state: State::Buried, hidden_by: Some(7), ..GCC },
        ];
        let lines = rows.map(|row| text(&row));
        let want = [
            "  3 live      -rwxr-xr-x     1234567 0:0         deb:gcc-12                   /usr/bin/gcc\n",
            " 12 live      drwxrwxrwt           0 0:0         -                            /tmp\n",
            "  3 live      lrwxrwxrwx     1234567 0:0         deb:gcc-12                   /usr/bin/cc -> gcc\n",
            "  3 live      hrwxr-xr-x     1234567 65534:65534 deb:gcc-12                   /usr/bin/g -> /usr/bin/gcc\n",
            "  3 buried:7  -rwsr-xr--     1234567 0:0         deb:gcc-12                   /bin/su\n",
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn a_row_is_one_line_of_seven_fields_whatever_the_names() {
        for name in HOSTILE {
            let package = String::from_utf8_lossy(name);
            let line = text(&Row { path: name, package: Some(&package), kind: Kind::Symlink, link: name, ..GCC });
            assert_eq!(line.lines().count(), 1, "{line:?}");
            assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
            assert!(line.split_whitespace().nth(6).is_some_and(|path| path.starts_with('/')), "{line:?}");
        }
    }

    #[test]
    fn json_rows_carry_the_same_as_text() {
        let mut out = Vec::new();
        write_json(&Row { path: b"a\xff", mode: 0o4755, ..GCC }, &mut out).expect("a Vec takes everything");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "{\"path\":\"/a\\\\xff\",\"layer\":3,\"kind\":\"file\",\"mode\":\"4755\",\"size\":1234567,\"uid\":0,\"gid\":0,\
             \"package\":\"deb:gcc-12\",\"state\":\"live\",\"hidden_by\":null,\"link\":\"\"}\n"
        );
    }
}
