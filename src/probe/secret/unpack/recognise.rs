//! Tells by a file's first bytes, and by its path where those are not enough, which decoder it wants.

use crate::model::Unread;

/// Bytes of a file that are enough to recognise it.
pub const HEAD_LEN: usize = 512;

/// What a file is, to those who open it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A zip archive: jar, war, wheel, nupkg, Android's apk.
    Zip,
    /// A zip archive that starts with a script or a launcher: Python's zipapps, Spring Boot's executable jars.
    ZipBehindScript,
    /// A gzip stream; what is in it is one member.
    Gzip,
    /// A zstd stream; what is in it is one member.
    Zstd,
    /// A tar archive.
    Tar,
    /// An `ar` archive: Debian packages, static libraries.
    Ar,
    /// One object of git's in a file of its own.
    GitObject,
    /// Many of git's objects.
    GitPack,
    /// Something with content that is not opened, and why not.
    Closed(Unread),
}

/// What a local file header of a zip archive starts with.
pub(super) const ZIP_LOCAL: &[u8; 4] = b"PK\x03\x04";

/// Formats that are not opened, by what they start with.
const CLOSED: &[(&[u8], Unread)] = &[
    (b"\xfd7zXZ\0", Unread::Format),
    (b"7z\xbc\xaf\x27\x1c", Unread::Format),
    (b"Rar!\x1a\x07", Unread::Format),
    // lz4, its older format, lzip, lzop, lrzip
    (b"\x04\x22\x4d\x18", Unread::Format),
    (b"\x02\x21\x4c\x18", Unread::Format),
    (b"LZIP\x01", Unread::Format),
    (b"\x89LZO\0\r\n\x1a\n", Unread::Format),
    (b"LRZI\0", Unread::Format),
    // Cabinet, rpm, squashfs
    (b"MSCF\0\0\0\0", Unread::Format),
    (b"\xed\xab\xee\xdb", Unread::Format),
    (b"hsqs", Unread::Format),
    // age, `openssl enc`
    (b"age-encryption.org/v1\n", Unread::Encrypted),
    (b"Salted__", Unread::Encrypted),
];

/// Names of zip archives that are programs at the same time.
const RUNNABLE: [&[u8]; 5] = [b".jar", b".war", b".pex", b".pyz", b".shiv"];

/// Which decoder a file wants, by its path and its first bytes, [`HEAD_LEN`] of them or as many as it has.
///
/// Formats: PKWARE APPNOTE, RFC 1952, RFC 8878, POSIX.1-2017 `pax`, git's `gitformat-pack(5)`, and what their programs
/// write first.
pub fn recognise(path: &[u8], head: &[u8]) -> Option<Kind> {
    match head {
        [b'P', b'K', 3, 4, ..] => return Some(Kind::Zip),
        [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => return Some(Kind::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Some(Kind::Zstd),
        [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..] => return Some(Kind::GitPack),
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => return Some(Kind::Ar),
        // The number is the level, and the block's magic are digits of pi.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
            return Some(Kind::Closed(Unread::Format));
        }
        // `compress`: how many bits a code has, 16 at most.
        [0x1f, 0x9d, flags, ..] if matches!(flags & 0x7f, 9..=16) => return Some(Kind::Closed(Unread::Format)),
        [0x5d, 0, 0, ..] if has_ending(path, b".lzma") => return Some(Kind::Closed(Unread::Format)),
        [b'#', b'!', ..] if is_runnable_zip(path, head) => return Some(Kind::ZipBehindScript),
        _ => {}
    }
    if is_tar(path, head) {
        return Some(Kind::Tar);
    }
    if is_git_object(path, head) {
        return Some(Kind::GitObject);
    }
    CLOSED.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, why)| Kind::Closed(*why))
}

/// The name of what a compressed file holds, by the file's own: its last component, without what compression added.
pub(super) fn bare_name(path: &[u8]) -> Vec<u8> {
    const ENDINGS: [(&[u8], &[u8]); 7] = [
        (b".gz", b""),
        (b".tgz", b".tar"),
        (b".svgz", b".svg"),
        (b".zst", b""),
        (b".zstd", b""),
        (b".tzst", b".tar"),
        (b".tzstd", b".tar"),
    ];
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let ending = ENDINGS.iter().find(|(ending, _)| name.len() > ending.len() && has_ending(name, ending));
    let (cut, added) = ending.map_or((0, &b""[..]), |(ending, added)| (ending.len(), *added));
    [name.get(..name.len() - cut).unwrap_or_default(), added].concat()
}

fn has_ending(path: &[u8], ending: &[u8]) -> bool {
    path.len()
        .checked_sub(ending.len())
        .and_then(|at| path.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// The launcher of a Spring Boot jar is longer than the head, so there the name decides.
fn is_runnable_zip(path: &[u8], head: &[u8]) -> bool {
    head.windows(4).any(|four| four == ZIP_LOCAL) || RUNNABLE.iter().any(|ending| has_ending(path, ending))
}

/// By the magic that every tar but those of Unix V7 has; for what is called tar, the checksum will do.
fn is_tar(path: &[u8], head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") || has_ending(path, b".tar") && has_tar_checksum(head)
}

fn has_tar_checksum(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<512>() else { return false };
    let (before, rest) = block.split_at(148);
    let (field, behind) = rest.split_at(8);
    let digits = field.iter().skip_while(|&&b| b == b' ').take_while(|b| (b'0'..=b'7').contains(b));
    let promised = digits.fold(0_u64, |sum, &digit| sum * 8 + u64::from(digit - b'0'));
    let sum = before.iter().chain(behind).map(|&b| u64::from(b)).sum::<u64>() + 8 * u64::from(b' ');
    sum == promised && block.first() != Some(&0)
}

/// Git keeps an object under its id, of which two digits are the directory, as a zlib stream.
fn is_git_object(path: &[u8], head: &[u8]) -> bool {
    let mut parts = path.rsplit(|&b| b == b'/');
    let is_hex = |part: &[u8]| part.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    let rest = parts.next().is_some_and(|part| matches!(part.len(), 38 | 62) && is_hex(part));
    let named = rest && parts.next().is_some_and(|part| part.len() == 2 && is_hex(part));
    let zlib = |method: u8, flags: u8| method & 15 == 8 && (u16::from(method) * 256 + u16::from(flags)) % 31 == 0;
    named && parts.next() == Some(b"objects") && matches!(head, [method, flags, ..] if zlib(*method, *flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_tells_the_kind() {
        let closed = Some(Kind::Closed(Unread::Format));
        for (head, kind) in [
            (&b"PK\x03\x04\x14"[..], Some(Kind::Zip)),
            (b"PK\x05\x06", None),
            (b"\x1f\x8b\x08\0", Some(Kind::Gzip)),
            (b"\x1f\x8b\x08\xff", None),
            (b"\x28\xb5\x2f\xfd", Some(Kind::Zstd)),
            (b"\x51\x2a\x4d\x18", Some(Kind::Zstd)),
            (b"PACK\0\0\0\x02\0\0\0\x01", Some(Kind::GitPack)),
            (b"PACKAGE", None),
            (b"!<arch>\ndebian-binary", Some(Kind::Ar)),
            (b"!<thin>\n", None),
            (b"\xfd7zXZ\0\0\x04", closed),
            (b"BZh91AY&SY", closed),
            (b"BZh9 is no archive", None),
            (b"Rar!\x1a\x07\x01\0", closed),
            (b"age-encryption.org/v1\n-> X25519", Some(Kind::Closed(Unread::Encrypted))),
            (b"text", None),
            (b"", None),
        ] {
            assert_eq!(recognise(b"some/file", head), kind, "{:?}", head.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_zip_may_stand_behind_a_script() {
        let head = b"#!/usr/bin/env python3\nPK\x03\x04";
        assert_eq!(recognise(b"bin/tool", head), Some(Kind::ZipBehindScript));
        assert_eq!(recognise(b"bin/tool", b"#!/bin/sh\n"), None);
        assert_eq!(recognise(b"opt/app.JAR", b"#!/bin/bash\n"), Some(Kind::ZipBehindScript));
    }

    #[test]
    fn a_tar_has_its_magic_or_its_name_and_checksum() {
        use super::super::testing::tars::item;
        let posix = item(b'0', b"a").bytes();
        let old = item(b'0', b"a").v7().bytes();
        assert_eq!(recognise(b"layer", &posix), Some(Kind::Tar));
        assert_eq!(recognise(b"layer", &old), None);
        assert_eq!(recognise(b"old.tar", &old), Some(Kind::Tar));
        assert_eq!(recognise(b"old.tar", &[0; 512]), None);
        assert_eq!(recognise(b"old.tar", &[b' '; 512]), None);
        assert_eq!(recognise(b"old.tar", &old[..300]), None);
    }

    #[test]
    fn a_git_object_is_known_by_its_path() {
        let name = "a1".repeat(19);
        let path = |dir: &str| format!("src/.git/{dir}/0f/{name}").into_bytes();
        assert_eq!(recognise(&path("objects"), b"\x78\x01..."), Some(Kind::GitObject));
        assert_eq!(recognise(&path("objects"), b"\x78\x02..."), None);
        assert_eq!(recognise(&path("subjects"), b"\x78\x01..."), None);
        assert_eq!(recognise(b"src/.git/objects/0f/short", b"\x78\x01..."), None);
    }

    #[test]
    fn what_compression_added_to_a_name_is_taken_away() {
        for (path, name) in [
            ("a/b/settings.xml.gz", "settings.xml"),
            ("app.TGZ", "app.tar"),
            ("data.tar.zst", "data.tar"),
            ("a.d/initrd", "initrd"),
            (".gz", ".gz"),
            ("", ""),
        ] {
            assert_eq!(bare_name(path.as_bytes()), name.as_bytes(), "{path}");
        }
    }
}
