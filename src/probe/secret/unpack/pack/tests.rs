//! Packs as git writes them, and as nobody should, made here by hand.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use sha1::{Digest, Sha1};

use super::{
    super::{
        Kind,
        testing::{Member, Recorder, bear, however_cut, noise, unpack, zlib},
    },
    Id,
};
use crate::model::Unread;

const COMMIT: u8 = 1;
const TREE: u8 = 2;
const BLOB: u8 = 3;
const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

/// A pack that is being written.
struct Writer {
    bytes: Vec<u8>,
    count: u32,
}

impl Writer {
    fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), count: 0 }
    }

    /// Adds an object, and tells where.
    fn put(&mut self, kind: u8, before: &[u8], body: &[u8]) -> u64 {
        self.put_sized(kind, body.len(), before, body)
    }

    fn put_sized(&mut self, kind: u8, size: usize, before: &[u8], body: &[u8]) -> u64 {
        let at = self.bytes.len() as u64;
        let more = |rest: usize| if rest > 0 { 0x80 } else { 0 };
        self.bytes.push(kind << 4 | (size & 15) as u8 | more(size >> 4));
        if size >> 4 > 0 {
            self.bytes.extend_from_slice(&varint(size >> 4));
        }
        self.bytes.extend_from_slice(before);
        self.bytes.extend_from_slice(&zlib(body));
        self.count += 1;
        at
    }

    /// As `put`, without compression.
    fn put_stored(&mut self, kind: u8, body: &[u8]) -> u64 {
        let mut to = ZlibEncoder::new(Vec::new(), Compression::none());
        to.write_all(body).expect("to memory");
        let at = self.put_sized(kind, body.len(), b"", b"");
        self.bytes.truncate(self.bytes.len() - zlib(b"").len());
        self.bytes.extend_from_slice(&to.finish().expect("to memory"));
        at
    }

    /// A difference to the object at `base`.
    fn ofs(&mut self, base: u64, delta: &[u8]) -> u64 {
        let mut back = self.bytes.len() as u64 - base;
        let mut distance = vec![(back & 0x7f) as u8];
        while back >> 7 > 0 {
            back = (back >> 7) - 1;
            distance.insert(0, (back & 0x7f) as u8 | 0x80);
        }
        self.put(OFS_DELTA, &distance, delta)
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
        self.bytes.extend_from_slice(&[0x5a; 20]);
        self.bytes
    }
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while number >= 0x80 {
        all.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    all.push(number as u8);
    all
}

enum Part<'a> {
    Copy(usize, usize),
    Insert(&'a [u8]),
}
use Part::{Copy, Insert};

/// A difference to a base of `base` bytes.
fn delta(base: usize, parts: &[Part<'_>]) -> Vec<u8> {
    let size = parts.iter().map(|part| if let Copy(_, len) = part { *len } else { 0 }).sum::<usize>()
        + parts.iter().map(|part| if let Insert(text) = part { text.len() } else { 0 }).sum::<usize>();
    let mut all = [varint(base), varint(size)].concat();
    for part in parts {
        match part {
            Copy(from, len) => {
                all.push(0xff);
                all.extend_from_slice(&(*from as u32).to_le_bytes());
                all.extend_from_slice(&(*len as u32).to_le_bytes()[..3]);
            }
            Insert(text) => text.chunks(127).for_each(|text| {
                all.push(text.len() as u8);
                all.extend_from_slice(text);
            }),
        }
    }
    all
}

fn id(kind: &str, content: &[u8]) -> Id {
    Sha1::digest([format!("{kind} {}\0", content.len()).as_bytes(), content].concat()).into()
}

fn name(content: &[u8]) -> String {
    id("blob", content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(mode: &str, name: &str, id: &Id) -> Vec<u8> {
    [format!("{mode} {name}\0").as_bytes(), id].concat()
}

fn read(pack: &[u8]) -> Recorder {
    however_cut(Kind::GitPack, b".git/objects/pack/pack-1.pack", pack)
}

fn bodies(seen: &Recorder) -> Vec<&[u8]> {
    seen.members.iter().map(|member| &member.bytes[..]).collect()
}

const SHORT: (Vec<u8>, Unread) = (Vec::new(), Unread::Size);
const BROKEN: (Vec<u8>, Unread) = (Vec::new(), Unread::Broken);

#[test]
fn blobs_have_the_path_that_a_tree_gives_them() {
    let (env, other) = (b"TOKEN=1\n", noise(100_000));
    let inner = line("100644", ".env", &id("blob", env));
    let root = [line("40000", "deploy", &id("tree", &inner)), line("100644", "other", &id("blob", b"other"))].concat();
    let mut pack = Writer::new();
    pack.put(COMMIT, b"", b"tree 1\n");
    pack.put(TREE, b"", &root);
    pack.put(TREE, b"", &inner);
    pack.put(BLOB, b"", env);
    pack.put(BLOB, b"", &other);
    let seen = read(&pack.finish());
    let commit = id("commit", b"tree 1\n").iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(seen.names(), [commit, name(env) + "/deploy/.env", name(&other)]);
    assert_eq!(bodies(&seen)[1..], [&env[..], &other]);
    assert_eq!(seen.unread, []);
}

#[test]
fn of_a_difference_what_is_new_is_given() {
    let base = noise(40_000);
    let second = [&base[..20_000], b"NEW", &base[20_000..]].concat();
    let third = [&second[..5_000], b"ALSO", &second[5_000..]].concat();
    let mut pack = Writer::new();
    let at = pack.put(BLOB, b"", &base);
    let at = pack.ofs(at, &delta(40_000, &[Copy(0, 20_000), Insert(b"NEW"), Copy(20_000, 20_000)]));
    pack.put(REF_DELTA, &id("blob", &second), &delta(40_003, &[Copy(0, 5_000), Insert(b"ALSO"), Copy(5_000, 35_003)]));
    // Shorter, and nothing else.
    pack.ofs(at, &delta(40_003, &[Copy(0, 20_000)]));
    let seen = read(&pack.finish());
    assert_eq!(seen.names(), [name(&base), name(&second), name(&third)]);
    let newlines = |range: &[u8]| range.iter().filter(|&&b| b == b'\n').count() as u64;
    let part = |content: &[u8], start: usize, end: usize| Member {
        name: name(content),
        size: Some(content.len() as u64),
        bytes: content[start..end].to_vec(),
        gaps: vec![(0, 0, Some(0)), (0, start as u64, Some(newlines(&content[..start])))],
    };
    assert_eq!(seen.members[1], part(&second, 19_488, 20_515));
    assert_eq!(seen.members[2], part(&third, 4_488, 5_516));
    assert_eq!(seen.unread, []);
}

#[test]
fn a_tree_may_come_behind_its_blobs() {
    let (env, other) = (b"TOKEN=1\n", b"other");
    let mut pack = Writer::new();
    let at = pack.put(BLOB, b"", env);
    pack.put(BLOB, b"", other);
    pack.ofs(at, &delta(8, &[Copy(0, 6), Insert(b"2")]));
    let lines = [line("100644", ".env", &id("blob", env)), line("100644", "old.env", &id("blob", b"TOKEN=2"))];
    pack.put(TREE, b"", &lines.concat());
    let seen = read(&pack.finish());
    assert_eq!(seen.names(), [name(env) + "/.env", name(other), name(b"TOKEN=2") + "/old.env"]);
}

#[test]
fn a_small_object_and_an_archive_are_given_whole() {
    let base = noise(5_000);
    let archive = [&b"PK\x03\x04"[..], &noise(30_000)].concat();
    let mut pack = Writer::new();
    let at = pack.put(BLOB, b"", &base);
    pack.ofs(at, &delta(5_000, &[Insert(b"x"), Copy(0, 5_000)]));
    let at = pack.put(BLOB, b"", &archive);
    pack.ofs(at, &delta(30_004, &[Copy(0, 30_004), Insert(b"end")]));
    let seen = read(&pack.finish());
    let (small, large) = ([b"x", &base[..]].concat(), [&archive[..], b"end"].concat());
    assert_eq!(bodies(&seen), [&base[..], &small, &archive, &large]);
    assert!(seen.members.iter().all(|member| member.gaps.is_empty()));
}

#[test]
fn a_base_may_come_last() {
    let base = noise(3_000);
    let one = [&base[..], b"1"].concat();
    let two = [&one[..], b"2"].concat();
    let three = [&two[..], b"3"].concat();
    let mut pack = Writer::new();
    pack.put(REF_DELTA, &id("blob", &two), &delta(3_002, &[Copy(0, 3_002), Insert(b"3")]));
    let at = pack.put(REF_DELTA, &id("blob", &base), &delta(3_000, &[Copy(0, 3_000), Insert(b"1")]));
    pack.ofs(at, &delta(3_001, &[Copy(0, 3_001), Insert(b"2")]));
    pack.put(BLOB, b"", &base);
    let seen = read(&pack.finish());
    assert_eq!(bodies(&seen), [&base[..], &one, &two, &three]);
    assert_eq!(seen.unread, []);
}

#[test]
fn without_its_base_a_difference_gives_what_it_inserts() {
    let mut pack = Writer::new();
    let new = noise(300);
    let first = pack.put(REF_DELTA, &[7; 20], &delta(99, &[Insert(b"a"), Copy(0, 9), Insert(&new), Copy(9, 5)]));
    let second = pack.put(REF_DELTA, &[8; 20], &delta(99, &[Copy(0, 9), Insert(b"b")]));
    let seen = read(&pack.finish());
    assert_eq!(seen.names(), [format!("delta at {first}"), format!("delta at {second}")]);
    assert_eq!(bodies(&seen), [&[b"a", &new[..]].concat()[..], b"b"]);
    assert_eq!(seen.members[0].gaps, [(0, 0, Some(0)), (1, 9, None), (310, 5, None)]);
    assert_eq!(seen.unread, [SHORT]);
}

#[test]
fn a_base_that_is_no_longer_held_is_missed_once() {
    let mut pack = Writer::new();
    let first = pack.put(BLOB, b"", b"first");
    let mut last = 0;
    for _ in 0..70 {
        last = pack.put_stored(BLOB, &noise(1 << 20));
    }
    pack.ofs(first, &delta(5, &[Copy(0, 5), Insert(b"1")]));
    pack.ofs(first, &delta(5, &[Copy(0, 5), Insert(b"2")]));
    pack.ofs(last, &delta(1 << 20, &[Copy(0, 5), Insert(b"3")]));
    let seen = unpack(Kind::GitPack, b"a.pack", &pack.finish(), 100_000);
    assert_eq!(bodies(&seen)[70..], [&b"1"[..], b"2", b"first", &[&noise(5)[..], b"3"].concat()]);
    assert_eq!(seen.unread, [SHORT]);
}

#[test]
fn what_is_too_large_to_be_held_is_passed_on() {
    let large = noise(9 << 20);
    let mut pack = Writer::new();
    let at = pack.put(BLOB, b"", &large);
    let tree = pack.put(TREE, b"", &large);
    let from_large = pack.ofs(at, &delta(9 << 20, &[Copy(0, 9), Insert(b"small")]));
    let insert = pack.ofs(tree, &delta(9 << 20, &[Copy(0, 9), Insert(&large)]));
    let base = pack.put(BLOB, b"", &large[..100_000]);
    // A result that is too large.
    let copies: Vec<_> = (0..100).map(|_| Copy(0, 100_000)).chain([Insert(b"new")]).collect();
    let grown = pack.ofs(base, &delta(100_000, &copies));
    let seen = unpack(Kind::GitPack, b"a.pack", &pack.finish(), 100_000);
    let names = [(at, "blob"), (from_large, "delta"), (insert, "delta")].map(|(at, kind)| format!("{kind} at {at}"));
    assert_eq!(seen.names()[..3], names);
    assert_eq!(seen.names()[3..], [format!("delta at {grown}"), name(&large[..100_000])]);
    assert!(seen.members[0].bytes == large && seen.members[2].bytes == large);
    assert_eq!((bodies(&seen)[1], bodies(&seen)[3]), (&b"small"[..], &b"new"[..]));
    assert_eq!(seen.unread, [SHORT]);
}

#[test]
fn sizes_that_lie_are_damage() {
    for (size, given) in [(4, &b"bod"[..]), (2, b"bo")] {
        let mut pack = Writer::new();
        pack.put(BLOB, b"", b"first");
        let at = pack.put_sized(BLOB, size, b"", b"bod");
        pack.put(BLOB, b"", b"last");
        let seen = read(&pack.finish());
        assert_eq!(seen.names(), [format!("blob at {at}"), name(b"first")]);
        assert_eq!((bodies(&seen)[0], &seen.unread[..]), (given, &[BROKEN][..]));
    }
    let mut pack = Writer::new();
    let base = pack.put(BLOB, b"", b"base");
    let wrong = pack.ofs(base, &delta(5, &[Copy(0, 5), Insert(b"new")]));
    pack.put(BLOB, b"", b"last");
    let seen = read(&pack.finish());
    let said = format!("delta at {wrong}");
    assert_eq!(seen.names(), [said.clone(), name(b"base"), name(b"last")]);
    assert_eq!(seen.unread, [(said.into_bytes(), Unread::Broken), SHORT]);
}

#[test]
fn a_cut_pack_gives_what_it_has() {
    let text = noise(2_000);
    let mut pack = Writer::new();
    pack.put(BLOB, b"", &text);
    let at = pack.put(BLOB, b"", b"base");
    pack.put(REF_DELTA, &[9; 20], &delta(4, &[Insert(b"waits")]));
    pack.ofs(at, &delta(4, &[Copy(0, 4), Insert(b"new")]));
    let whole = pack.finish();
    for cut in 0..whole.len() - 20 {
        let seen = unpack(Kind::GitPack, b"a.pack", &whole[..cut], 10);
        assert_eq!(seen.unread.last(), Some(&BROKEN), "{cut}");
        let known = [&text[..], b"base", b"waits", b"basenew", b"new"];
        assert!(seen.members.iter().all(|member| known.iter().any(|all| all.starts_with(&member.bytes))));
    }
    assert!(!unpack(Kind::GitPack, b"a.pack", &whole[..1_000], 10).members.is_empty());
    assert_eq!(unpack(Kind::GitPack, b"a.pack", &whole[..whole.len() - 20], 10).unread, [SHORT]);
}

#[test]
fn objects_that_are_not_counted_are_said() {
    let mut pack = Writer::new();
    pack.put(BLOB, b"", b"first");
    pack.put(BLOB, b"", &noise(99));
    pack.count = 1;
    let seen = read(&pack.finish());
    assert_eq!((seen.names(), &seen.unread[..]), (vec![&name(b"first")[..]], &[BROKEN][..]));
}

#[test]
fn damage_is_borne() {
    let base = noise(60);
    let inner = line("100644", "a", &id("blob", &base));
    let mut pack = Writer::new();
    pack.put(TREE, b"", &inner);
    let at = pack.put(BLOB, b"", &base);
    pack.ofs(at, &delta(60, &[Copy(0, 30), Insert(b"new"), Copy(30, 30)]));
    pack.put(REF_DELTA, &id("blob", &base), &delta(60, &[Insert(b"more"), Copy(9, 9)]));
    bear(Kind::GitPack, &pack.finish());
}
