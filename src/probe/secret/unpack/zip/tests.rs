//! Archives as different writers make them, made here by hand.

use super::super::{
    Kind,
    testing::{bear, deflate, however_cut, noise, unpack, unpack_some},
};
use crate::model::Unread;

/// A member to be written.
#[derive(Clone)]
struct Made {
    name: &'static str,
    method: u16,
    flags: u16,
    data: Vec<u8>,
    size: usize,
    /// How the descriptor looks, of a writer that can not go back.
    descriptor: Option<(bool, bool)>,
    zip64: bool,
}

fn stored(name: &'static str, body: &[u8]) -> Made {
    Made { name, method: 0, flags: 0, data: body.to_vec(), size: body.len(), descriptor: None, zip64: false }
}

fn deflated(name: &'static str, body: &[u8]) -> Made {
    Made { method: 8, data: deflate(body), ..stored(name, body) }
}

fn zstded(name: &'static str, body: &[u8]) -> Made {
    let data = zstd::encode_all(body, 1).expect("to memory");
    Made { method: 93, data, ..stored(name, body) }
}

impl Made {
    /// With sizes behind the body: with a magic or not, long or short.
    fn streamed(self, magic: bool, long: bool) -> Self {
        Self { descriptor: Some((magic, long)), flags: self.flags | 8, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let (packed, size) = match self.descriptor {
            Some(_) => (0, 0),
            None => (self.data.len() as u64, self.size as u64),
        };
        let mut extra = b"UT\x05\0\x01abcd".to_vec();
        let mut fields = (packed as u32, size as u32);
        if self.zip64 {
            fields = (u32::MAX, u32::MAX);
            extra.extend_from_slice(b"\x01\0\x10\0");
            extra.extend_from_slice(&size.to_le_bytes());
            extra.extend_from_slice(&packed.to_le_bytes());
        }
        let mut all = b"PK\x03\x04\x14\0".to_vec();
        all.extend_from_slice(&self.flags.to_le_bytes());
        all.extend_from_slice(&self.method.to_le_bytes());
        all.extend_from_slice(b"timeCRC!");
        all.extend_from_slice(&fields.0.to_le_bytes());
        all.extend_from_slice(&fields.1.to_le_bytes());
        all.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        all.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        all.extend_from_slice(self.name.as_bytes());
        all.extend_from_slice(&extra);
        all.extend_from_slice(&self.data);
        if let Some((magic, long)) = self.descriptor {
            all.extend_from_slice(if magic { b"PK\x07\x08" } else { b"" });
            all.extend_from_slice(b"CRC!");
            for number in [self.data.len(), self.size] {
                let bytes = (number as u64).to_le_bytes();
                all.extend_from_slice(if long { &bytes } else { &bytes[..4] });
            }
        }
        all
    }
}

fn directory(members: &[Made]) -> Vec<u8> {
    let mut all = Vec::new();
    for member in members {
        let mut entry = [0; 46];
        entry[..4].copy_from_slice(b"PK\x01\x02");
        entry[28] = member.name.len() as u8;
        entry[30] = 4;
        all.extend_from_slice(&entry);
        all.extend_from_slice(member.name.as_bytes());
        // In an extra field, a magic is none.
        all.extend_from_slice(b"PK\x03\x04");
    }
    all.extend_from_slice(b"PK\x06\x06\x2c\0\0\0\0\0\0\0");
    all.extend_from_slice(&[0; 44]);
    all.extend_from_slice(b"PK\x06\x07");
    all.extend_from_slice(&[0; 16]);
    all.extend_from_slice(b"PK\x05\x06");
    all.extend_from_slice(&[0; 16]);
    all.extend_from_slice(b"\x07\0comment");
    all
}

fn archive(members: &[Made]) -> Vec<u8> {
    let bodies: Vec<u8> = members.iter().flat_map(Made::bytes).collect();
    [bodies, directory(members)].concat()
}

fn broken(name: &str) -> (Vec<u8>, Unread) {
    (name.as_bytes().to_vec(), Unread::Broken)
}

#[test]
fn members_are_given_as_any_writer_writes_them() {
    let text = noise(200_000);
    let mut all = vec![stored("META-INF/", b""), stored("META-INF/MANIFEST.MF", b"a: b"), stored("empty", b"")];
    all.push(Made { zip64: true, ..deflated("zip64", &text) });
    all.push(Made { zip64: true, ..stored("zip64 stored", &text) });
    all.push(zstded("zstd", &text));
    let mut names = vec!["META-INF/MANIFEST.MF", "empty", "zip64", "zip64 stored", "zstd"];
    for (magic, long) in [(true, false), (true, true), (false, false), (false, true)] {
        all.push(stored("dir/", b"").streamed(magic, long));
        all.push(deflated("streamed", &text).streamed(magic, long));
        all.push(deflated("streamed, empty", b"").streamed(magic, long));
        all.push(zstded("streamed zstd", &text).streamed(magic, long));
        names.extend(["streamed", "streamed, empty", "streamed zstd"]);
    }
    let seen = however_cut(Kind::Zip, b"a.jar", &archive(&all));
    assert_eq!(seen.names(), names);
    assert_eq!(seen.unread, []);
    for member in &seen.members {
        match &member.name[..] {
            "META-INF/MANIFEST.MF" => assert_eq!((&member.bytes[..], member.size), (&b"a: b"[..], Some(4))),
            "empty" | "streamed, empty" => assert!(member.bytes.is_empty()),
            _ => assert!(member.bytes == text, "{}", member.name),
        }
    }
}

#[test]
fn a_stored_member_without_length_ends_at_its_descriptor() {
    // The magic, and a whole nested archive with descriptors of its own, are not its end.
    let nested = archive(&[deflated("x", b"abc").streamed(true, false), stored("y", b"PK\x07").streamed(true, true)]);
    let body = [&b"PPK\x07\x08 PK\x07"[..], &nested, b"PK\x07"].concat();
    for long in [true, false] {
        let all = archive(&[stored("open", &body).streamed(true, long), stored("last", b"z")]);
        let seen = however_cut(Kind::Zip, b"a.zip", &all);
        assert_eq!(seen.names(), ["open", "last"]);
        assert!(seen.members[0].bytes == body);
        assert_eq!(seen.unread, []);
    }
    let without = archive(&[stored("open", &body).streamed(false, false), stored("last", b"z")]);
    let seen = however_cut(Kind::Zip, b"a.zip", &without);
    assert_eq!((seen.names(), &seen.unread[..]), (vec!["open"], &[broken("")][..]));
}

#[test]
fn what_can_not_be_opened_is_said_and_the_next_member_is_found() {
    let closed = |name, method, flags| Made { method, flags, ..stored(name, &noise(999)) };
    let all = archive(&[
        closed("bzip2", 12, 0),
        closed("secret", 8, 1),
        closed("aes", 99, 1),
        closed("xz", 95, 0).streamed(true, false),
        closed("secret, streamed", 8, 1).streamed(false, false),
        deflated("open", b"abc"),
    ]);
    let seen = however_cut(Kind::Zip, b"a.zip", &all);
    assert_eq!(seen.names(), ["open"]);
    let said: Vec<_> =
        seen.unread.iter().map(|(name, why)| (std::str::from_utf8(name).expect("ASCII"), *why)).collect();
    let (format, encrypted) = (Unread::Format, Unread::Encrypted);
    assert_eq!(
        said,
        [("bzip2", format), ("secret", encrypted), ("aes", encrypted), ("xz", format), ("secret, streamed", encrypted)]
    );
}

#[test]
fn a_damaged_member_does_not_hide_the_next() {
    let text = noise(5_000);
    let mut bad = deflated("bad", &text);
    // A block of a type that does not exist.
    bad.data[0] |= 6;
    let mut lying = deflated("lying", b"short");
    lying.data.extend_from_slice(b"hidden behind the stream");
    let mut cut = deflated("cut", &text);
    cut.data.truncate(1_000);
    let streamed = bad.clone().streamed(true, false);
    let all = archive(&[bad, lying, cut, streamed, deflated("good", &text)]);
    let seen = however_cut(Kind::Zip, b"a.zip", &all);
    assert_eq!(seen.names(), ["bad", "lying", "cut", "bad", "good"]);
    assert!(seen.members[4].bytes == text);
    assert!(text.starts_with(&seen.members[2].bytes) && seen.members[2].bytes.len() > 500);
    assert_eq!(seen.unread, [broken("bad"), broken("lying"), broken("cut"), broken("bad")]);
}

#[test]
fn gaps_are_damage_unless_android_left_them() {
    let members = [stored("a", b"1"), stored("b", b"2")];
    let with =
        |gap: &[u8], end: &[u8]| [&members[0].bytes(), gap, &members[1].bytes(), end, &directory(&members)].concat();
    let seen = however_cut(Kind::Zip, b"a.zip", &with(b"left over P PK PK\x03", b""));
    assert_eq!((seen.names(), &seen.unread[..]), (vec!["a", "b"], &[broken("")][..]));
    let signed = with(b"", &[&noise(700)[..], b"APK Sig Block 42"].concat());
    let seen = however_cut(Kind::Zip, b"a.apk", &signed);
    assert_eq!((seen.names(), &seen.unread[..]), (vec!["a", "b"], &[][..]));
}

#[test]
fn archives_behind_a_script_and_behind_each_other_are_read() {
    let one = archive(&[stored("a", b"1")]);
    let seen =
        however_cut(Kind::ZipBehindScript, b"a.jar", &[&b"#!/bin/sh\nPK PK\x03 exit\n"[..], &one, &one].concat());
    assert_eq!((seen.names(), &seen.unread[..]), (vec!["a", "a"], &[][..]));
    let seen = however_cut(Kind::ZipBehindScript, b"a.jar", b"#!/bin/sh\n");
    assert_eq!((seen.names(), &seen.unread[..]), (vec![], &[][..]));
}

#[test]
fn a_cut_archive_is_broken_and_gives_what_it_has() {
    let members = [stored("a", &noise(300)), deflated("b", &noise(300)).streamed(true, false)];
    let whole = archive(&members);
    let directory = whole.len() - directory(&members).len();
    for cut in 0..whole.len() {
        let seen = unpack(Kind::Zip, b"a.zip", &whole[..cut], 50);
        // A descriptor is only believed with what follows it.
        let said = if cut < directory + 46 { vec![broken("")] } else { vec![] };
        assert_eq!(seen.unread, said, "{cut}");
        assert_eq!(seen.members.len(), usize::from(cut >= 40) + usize::from(cut >= 340 + 40), "{cut}");
    }
    bear(Kind::Zip, &archive(&[deflated("a", b"abcabc").streamed(true, false), stored("b", b"PK\x07\x08")]));
    bear(Kind::Zip, &archive(&[stored("a", b"abc").streamed(true, true), stored("c", b"abc")]));
}

#[test]
fn a_bomb_is_expanded_no_further_than_is_wanted() {
    let bomb = archive(&[deflated("a", &vec![0; 64 << 20]), deflated("b", &[0; 9])]);
    let seen = unpack_some(Kind::Zip, b"a.zip", &bomb, bomb.len(), Some(1_000_000));
    assert!((1_000_000..1_000_000 + (64 << 10)).contains(&seen.bytes));
    assert_eq!((seen.members.len(), seen.unread.len()), (1, 0));
}
