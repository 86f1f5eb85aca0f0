//! One small archive for each thing a tar can do: what mutation starts from.

use crate::testing::{Item, archive, file, item, pax, record};

pub fn archives() -> Vec<Vec<u8>> {
    [plain(), extended(), sparse()].concat()
}

fn plain() -> Vec<Vec<u8>> {
    let old = |flag, name: &[u8]| item(flag, name).v7().bytes();
    let star = item(b'0', b"star").set(345, b"prefix").set(476, b"00000000001 00000000002 ").set(508, b"tar\0");
    let device = |flag| item(flag, b"dev").set(329, b"0000005\0").set(337, b"0000001\0").bytes();
    vec![
        archive(&[]),
        archive(&[&item(b'5', b"dir/").bytes(), &file(b"dir/file", b"some bytes"), &file(b"empty", b"")]),
        archive(&[&item(b'1', b"hard").link(b"file").bytes(), &item(b'2', b"soft").link(b"../file").bytes()]),
        archive(&[&device(b'3'), &device(b'4'), &item(b'6', b"fifo").bytes()]),
        archive(&[&old(0, b"dir/"), &old(0, b"file"), &item(b'7', b"contiguous").body(b"x").bytes()]),
        archive(&[&item(b'0', b"name").set(345, b"the/prefix").body(&[7; 600]).bytes()]),
        archive(&[&star.body(b"body").bytes()]),
        archive(&[&item(b'0', b"name").gnu().set(345, b"pre-Go1.8 prefix").bytes()]),
        archive(&[&item(b'0', b"name").gnu().set(345, b"00000000001\x00\0junk").bytes()]),
        archive(&[&item(b'0', b"name").gnu().set(345, b"00000000001\x0000000000002\0").bytes()]),
        archive(&[&item(b'0', b"big ids").gnu().set(108, b"\x80\0\0\0\0\x20\0\0").set(116, &[0xff; 8]).bytes()]),
        archive(&[&item(b'5', b"sized").size(512).bytes(), &file(b"hidden", b"key")]),
        archive(&[&item(b'0', b"high \xff\xfe\x80").bytes_with_signed_sum()]),
        archive(&[&item(b'V', b"label").bytes(), &item(b'D', b"list").body(b"Yfile\0\0").bytes()]),
        file(b"no end marker", b"body"),
        [&[0; 512][..], &file(b"lone zero block", b"")].concat(),
        [archive(&[&file(b"a", b"")]), file(b"behind the end", b"")].concat(),
    ]
}

fn extended() -> Vec<Vec<u8>> {
    let long = |flag, name: &[u8]| item(flag, b"././@LongLink").gnu().body(name).bytes();
    let global = |text: &[u8]| item(b'g', b"pax_global_header").body(text).bytes();
    let all: &[(&str, &[u8])] = &[
        ("path", b"a/long/name"),
        ("linkpath", b"target"),
        ("uid", b"70000000"),
        ("gid", b"-1"),
        ("size", b"5"),
        ("mtime", b"1700000000.123456789"),
        ("atime", b"-1.5"),
        ("ctime", b"0"),
        ("uname", b"me"),
        ("SCHILY.xattr.security.capability", b"\x01\0\0\x02"),
        ("SCHILY.xattr.user.a", b"1"),
    ];
    vec![
        archive(&[&pax(all), &item(b'0', b"short").set(0, b"short").bytes(), b"hello", &[0; 507]]),
        archive(&[&pax(&[("path", b"first"), ("path", b"last")]), &file(b"own", b"x")]),
        archive(&[&pax(&[("path", b"dir/")]), &item(0, b"own").bytes(), &pax(&[("path", b"x")])]),
        archive(&[&pax(&[("size", b"1024")]), &item(b'5', b"dir").bytes(), &file(b"hidden", b"key")]),
        archive(&[&pax(&[("size", b"1024")]), &pax(&[("path", b"twice")]), &file(b"own", b"x")]),
        archive(&[&long(b'L', b"a/long/name\0"), &long(b'K', b"target\0junk"), &item(b'2', b"a").link(b"b").bytes()]),
        archive(&[&long(b'L', b"gnu"), &pax(&[("path", b"pax")]), &file(b"own", b""), &file(b"next", b"")]),
        archive(&[&global(&record("comment", b"0123456789abcdef")), &file(b"file", b"x")]),
        archive(&[&pax(&[("path", b"lost")]), &global(&record("path", b"global")), &file(b"file", b"x")]),
        archive(&[&global(&[record("uid", b"x"), record("SCHILY.xattr.a", b"1")].concat()), &file(b"file", b"x")]),
    ]
}

fn sparse() -> Vec<Vec<u8>> {
    let old = |fields: &[&[u8]], more: u8| -> Item {
        let item = item(b'S', b"old").gnu().set(482, &[more]).set(483, b"00000002000\0");
        fields.iter().enumerate().fold(item, |item, (at, field)| item.set(386 + 12 * at, field))
    };
    let mut map_block = [0; 512];
    map_block[..24].copy_from_slice(b"00000001000\x0000000000004\0");
    let many: Vec<_> = (0..200).flat_map(|at| format!("{}\n1\n", 2 * at).into_bytes()).collect();
    let many = [&b"200\n"[..], &many].concat();
    let many = [&many[..], &vec![0; many.len().wrapping_neg() % 512], &[b'x'; 200]].concat();
    let version = |major: &'static [u8], minor: &'static [u8]| {
        [("GNU.sparse.major", major), ("GNU.sparse.minor", minor), ("GNU.sparse.name", &b"real name"[..])]
    };
    let (offset, len) = ("GNU.sparse.offset", "GNU.sparse.numbytes");
    let zero_zero: &[(&str, &[u8])] = &[
        ("GNU.sparse.size", b"20"),
        ("GNU.sparse.numblocks", b"2"),
        (offset, b"2"),
        (len, b"3"),
        (offset, b"10"),
        (len, b"1"),
    ];
    let zero_one: &[(&str, &[u8])] = &[
        ("GNU.sparse.size", b"20"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.map", b"0,1,10,3"),
        ("GNU.sparse.name", b"real name"),
    ];
    let one_zero = [&version(b"1", b"0")[..], &[("GNU.sparse.realsize", &b"1000"[..])]].concat();
    let body = [&b"2\n0\n4\n900\n100\n"[..], &[0; 497], &[9; 104]].concat();
    vec![
        archive(&[&old(&[b"00000000000\0", b"00000000002\0", b"00000000020\0", b"00000000003\0"], 0)
            .body(b"abcde")
            .bytes()]),
        archive(&[&old(&[b"00000000000\0", b"00000000002\0"], 1).size(6).bytes(), &map_block, b"abcdef", &[0; 506]]),
        archive(&[&old(&[], 0).bytes(), &file(b"next", b"x")]),
        archive(&[&pax(zero_zero), &file(b"GNUSparseFile.0/x", b"abcd"), &file(b"next", b"x")]),
        archive(&[&pax(zero_one), &file(b"GNUSparseFile.0/x", b"abcd"), &file(b"next", b"x")]),
        archive(&[&pax(&one_zero), &file(b"GNUSparseFile.0/x", &body), &file(b"next", b"x")]),
        archive(&[&pax(&one_zero), &file(b"GNUSparseFile.0/x", &many), &file(b"next", b"x")]),
        archive(&[&pax(&[("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"0,1")]), &file(b"one byte", b"x")]),
        archive(&[&pax(&version(b"2", b"0")), &file(b"own", b"abcd")]),
    ]
}
