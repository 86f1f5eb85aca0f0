//! What the reader makes of archives, one behaviour at a time. The comparison with Go itself is the test `tar_go`.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::{
    testing::{Item, archive, file, item, pax, record},
    *,
};

const LIMITS: Limits = Limits { entries: 1000, name_bytes: 100_000 };

/// Keeps what it is told.
#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<(Header, Vec<u8>, bool)>);

impl Sink for Seen {
    type Error = TarError;

    fn entry(&mut self, header: &Header) -> Result<(), TarError> {
        self.0.push((header.clone(), Vec::new(), false));
        Ok(())
    }

    fn body(&mut self, bytes: &[u8]) -> Result<(), TarError> {
        self.0.last_mut().expect("an entry came first").1.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), TarError> {
        let last = self.0.last_mut().expect("an entry came first");
        assert!(!std::mem::replace(&mut last.2, true), "one end for each entry");
        Ok(())
    }
}

fn read_in(chunk: usize, limits: Limits, stream: &[u8]) -> (Seen, Result<Trailer, TarError>) {
    let (mut feed, mut seen) = (Feed::new(limits), Seen::default());
    let fed = stream.chunks(chunk).try_for_each(|chunk| feed.feed(chunk, &mut seen));
    let end = fed.and_then(|()| feed.finish(&mut seen));
    (seen, end)
}

fn entries(stream: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let (seen, end) = read_in(usize::MAX, LIMITS, stream);
    end.expect("a good archive");
    assert!(seen.0.iter().all(|(.., ended)| *ended));
    seen.0.into_iter().map(|(header, body, _)| (header, body)).collect()
}

fn names(stream: &[u8]) -> Vec<String> {
    entries(stream).into_iter().map(|(header, _)| String::from_utf8_lossy(&header.path).into_owned()).collect()
}

fn only(pieces: &[&[u8]]) -> Header {
    let mut entries = entries(&archive(pieces));
    assert_eq!(entries.len(), 1);
    entries.remove(0).0
}

fn reason(stream: &[u8]) -> Reason {
    read_in(usize::MAX, LIMITS, stream).1.expect_err("a bad archive").reason
}

fn long_name(flag: u8, name: &[u8]) -> Vec<u8> {
    item(flag, b"././@LongLink").gnu().body(name).bytes()
}

#[test]
fn kinds_without_a_body_have_none_whatever_their_size_says() {
    let key = file(b"root/.ssh/id_ed25519", b"secret");
    for flag in b'1'..=b'6' {
        for declare in
            [|item: Item| item.size(1024).bytes(), |item: Item| [pax(&[("size", b"1024")]), item.bytes()].concat()]
        {
            let stream = archive(&[&declare(item(flag, b"cover")), &key]);
            let entries = entries(&stream);
            assert_eq!(entries.len(), 2, "flag {flag}");
            assert_eq!((entries[0].0.size, entries[0].0.stored), (0, 0));
            assert_eq!(entries[1].1, b"secret");
        }
    }
}

#[test]
fn type_flags_become_kinds() {
    let kind = |flag, name: &[u8]| only(&[&item(flag, name).set(329, b"0000005\x000000001\0").bytes()]).kind;
    assert_eq!(kind(0, b"file"), EntryKind::File);
    assert_eq!(kind(0, b"dir/"), EntryKind::Dir);
    assert_eq!(kind(b'0', b"file/"), EntryKind::File);
    assert_eq!(kind(b'1', b"a"), EntryKind::Hardlink);
    assert_eq!(kind(b'2', b"a"), EntryKind::Symlink);
    assert_eq!(kind(b'3', b"a"), EntryKind::Char { major: 5, minor: 1 });
    assert_eq!(kind(b'4', b"a"), EntryKind::Block { major: 5, minor: 1 });
    assert_eq!(kind(b'5', b"a"), EntryKind::Dir);
    assert_eq!(kind(b'6', b"a"), EntryKind::Fifo);
    assert_eq!(kind(b'7', b"a"), EntryKind::File);
    assert_eq!(kind(b'V', b"a"), EntryKind::Other(b'V'));
}

#[test]
fn the_flag_tells_what_the_kind_hides() {
    let flag = |flag, name: &[u8]| only(&[&item(flag, name).bytes()]).flag;
    assert_eq!([flag(0, b"a"), flag(0, b"a/"), flag(b'7', b"a")], *b"057");
    let renamed = only(&[&pax(&[("path", b"dir/")]), &item(0, b"file").bytes()]);
    assert_eq!((renamed.kind, renamed.flag), (EntryKind::Dir, b'5'));
}

#[test]
fn each_layout_has_its_own_prefix() {
    let split = || item(b'0', b"name").set(345, b"prefix");
    let path = |item: Item| only(&[&item.bytes()]).path;
    assert_eq!(path(split()), b"prefix/name");
    assert_eq!(path(split().v7().set(345, b"prefix")), b"name");
    assert_eq!(
        path(item(b'0', b"name").set(345, &[b'p'; 131]).set(508, b"tar\0")),
        [&[b'p'; 131][..], b"/name"].concat()
    );
    assert_eq!(path(split().gnu()), b"prefix/name", "Go before 1.8 wrote this");
    assert_eq!(path(item(b'0', b"name").gnu().set(345, b"00000000001\0")), b"name", "a time is no prefix");
    let absent = item(b'0', b"name").gnu().set(345, b"00000000001\x00\0junk");
    assert_eq!(path(absent), b"name", "a time that starts with NUL is absent, whatever follows");
    assert_eq!(path(item(b'0', b"name").gnu().set(345, b"pr\xc3\xa4fix")), b"name", "nor is what is not ASCII");
    let full = [&[b'p'; 155][..], b"/", &[b'n'; 100]].concat();
    assert_eq!(path(item(b'0', &[b'n'; 100]).set(345, &[b'p'; 155])), full, "no NUL at the end");
}

#[test]
fn gnu_long_names_hold_for_one_entry_and_beat_pax() {
    let stream = archive(&[
        &long_name(b'L', b"first\0"),
        &long_name(b'L', b"gnu/name\0junk"),
        &long_name(b'K', b"gnu/target\0"),
        &pax(&[("path", b"pax/name"), ("linkpath", b"pax/target")]),
        &item(b'2', b"own").link(b"own target").bytes(),
        &item(b'2', b"next").link(b"next target").bytes(),
    ]);
    let entries = entries(&stream);
    assert_eq!((&entries[0].0.path[..], &entries[0].0.link[..]), (&b"gnu/name"[..], &b"gnu/target"[..]));
    assert_eq!((&entries[1].0.path[..], &entries[1].0.link[..]), (&b"next"[..], &b"next target"[..]));
    assert_eq!(names(&archive(&[&long_name(b'L', b"x"), &long_name(b'L', b""), &file(b"own", b"")])), ["own"]);
}

#[test]
fn pax_records_replace_the_header_of_one_entry() {
    let records: &[(&str, &[u8])] = &[
        ("path", b"first"),
        ("path", b"last"),
        ("linkpath", b"target"),
        ("uid", b"4294967297"),
        ("gid", b"-1"),
        ("size", b"3"),
        ("SCHILY.xattr.security.capability", b"\x01\0\x02"),
        ("unknown", b"\0"),
    ];
    let stream = archive(&[&pax(records), &item(b'0', b"own").bytes(), &[b'x'; 3], &[0; 509], &file(b"next", b"y")]);
    let entries = entries(&stream);
    let (header, body) = &entries[0];
    assert_eq!((&header.path[..], &header.link[..], &body[..]), (&b"last"[..], &b"target"[..], &b"xxx"[..]));
    assert_eq!((header.uid, header.gid, header.size), (1, u32::MAX, 3));
    assert_eq!(header.xattrs, [(b"security.capability".to_vec(), vec![1, 0, 2])]);
    assert_eq!((&entries[1].0.path[..], &entries[1].1[..], entries[1].0.xattrs.len()), (&b"next"[..], &b"y"[..], 0));
}

#[test]
fn a_pax_size_never_holds_for_extension_headers() {
    let stream = archive(&[&pax(&[("size", b"1024")]), &pax(&[("path", b"a")]), &file(b"own", b"x"), &file(b"b", b"")]);
    assert_eq!(names(&stream), ["a", "b"], "the second header replaces the first");
    let stream = archive(&[&pax(&[("size", b"2")]), &long_name(b'L', b"long"), &file(b"own", b"xy")]);
    assert_eq!(names(&stream), ["long"]);
}

#[test]
fn wrong_pax_values_are_refused_and_empty_ones_are_none() {
    for key in ["uid", "gid", "size", "mtime", "atime", "ctime"] {
        assert_eq!(reason(&archive(&[&pax(&[(key, b"1x")]), &file(b"a", b"")])), Reason::PaxNumber(key));
        assert_eq!(names(&archive(&[&pax(&[(key, b"1x"), (key, b"")]), &file(b"a", b"")])), ["a"]);
    }
    assert_eq!(reason(&archive(&[&pax(&[("size", b"-1")]), &file(b"a", b"")])), Reason::NegativeSize);
    let broken = item(b'x', b"x").body(b"11 path=a\n").bytes();
    assert_eq!(reason(&archive(&[&broken, &file(b"a", b"")])), Reason::PaxRecord);
}

#[test]
fn a_global_header_is_an_entry_of_its_own_and_changes_no_other() {
    let global = |text: &[u8]| item(b'g', b"pax_global_header").body(text).bytes();
    let stream = archive(&[&global(&record("size", b"1024")), &file(b"a", b"x"), &file(b"b", b"")]);
    let entries = entries(&stream);
    assert_eq!(
        entries[0].0,
        Header { path: b"pax_global_header".to_vec(), kind: EntryKind::Global, flag: b'g', ..Header::default() }
    );
    assert_eq!((entries[1].0.size, entries.len()), (1, 3));
    let lost = archive(&[&pax(&[("path", b"lost")]), &global(&record("path", b"named")), &file(b"own", b"")]);
    assert_eq!(names(&lost), ["named", "own"]);
    let wrong = archive(&[&global(&record("uid", b"x")), &file(b"own", b"")]);
    assert_eq!(names(&wrong), ["", "own"]);
}

#[test]
fn numbers_are_octal_or_base_256() {
    let sized = |field: &[u8]| [item(b'0', b"a").set(124, field).bytes(), vec![b'x'; 3], vec![0; 509 + 1024]].concat();
    for field in [&b"00000000003\0"[..], b"         3  ", b"\0\0\0\x003\0      ", b"\x80\0\0\0\0\0\0\0\0\0\0\x03"] {
        assert_eq!(entries(&sized(field))[0].1, b"xxx", "{}", field.escape_ascii());
    }
    assert_eq!(reason(&sized(&[0xff; 12])), Reason::NegativeSize);
    assert_eq!(reason(&sized(b"00000000009\0")), Reason::Number("size"));
    assert_eq!(reason(&sized(b"-0000000003\0")), Reason::Number("size"));
    assert_eq!(only(&[&item(b'0', b"a").set(108, &[0xff; 8]).bytes()]).uid, u32::MAX, "Go lets ids be negative");
    assert_eq!(only(&[&item(b'5', b"a").set(124, &[0xff; 12]).bytes()]).size, 0, "nothing of a directory's size holds");
    for (at, name) in [(100, "mode"), (116, "group"), (136, "modification time"), (329, "major device number")] {
        assert_eq!(reason(&archive(&[&item(b'0', b"a").set(at, b"x").bytes()])), Reason::Number(name));
    }
    assert_eq!(only(&[&item(b'0', b"a").v7().set(329, b"x").bytes()]).path, b"a", "V7 has no devices");
}

#[test]
fn checksums_may_be_signed_but_not_wrong() {
    let odd = item(b'0', b"\xff\xfe");
    assert_eq!(only(&[&odd.clone().bytes_with_signed_sum()]).path, b"\xff\xfe");
    let mut wrong = archive(&[&file(b"a", b"x"), &odd.bytes()]);
    wrong[1024] ^= 1;
    let (seen, end) = read_in(usize::MAX, LIMITS, &wrong);
    assert_eq!(end, Err(TarError { offset: 1024, reason: Reason::Checksum }));
    assert_eq!(seen.0.len(), 1);
}

#[test]
fn old_gnu_sparse_files_keep_their_holes() {
    let sparse = item(b'S', b"sparse").gnu().set(386, b"00000000010\x0000000000002\0").set(483, b"00000001000\0");
    let mut more = [0; 512];
    more[..24].copy_from_slice(b"00000000100\x0000000000001\0");
    let stream =
        archive(&[&sparse.clone().set(482, &[1]).size(3).bytes(), &more, b"abc", &[0; 509], &file(b"next", b"")]);
    let entries = entries(&stream);
    let (header, body) = &entries[0];
    assert_eq!((header.size, header.stored, &body[..]), (512, 3, &b"abc"[..]));
    assert_eq!(header.sparse, Some(vec![Fragment { offset: 8, len: 2 }, Fragment { offset: 64, len: 1 }]));
    assert_eq!((entries.len(), &entries[1].0.sparse), (2, &None));

    assert_eq!(reason(&archive(&[&sparse.clone().body(b"x").bytes()])), Reason::SparseData { mapped: 2, stored: 1 });
    let posix = sparse.clone().set(257, b"ustar\x0000").set(345, b"\0");
    assert!(matches!(reason(&archive(&[&posix.bytes()])), Reason::SparseMap(_)));
    more[504] = 1;
    let endless = [sparse.set(482, &[1]).bytes(), more.repeat(2049)].concat();
    assert_eq!(reason(&endless), Reason::ExtensionTooLong(Part::SparseMap));
}

#[test]
fn pax_sparse_files_get_their_name_from_the_record() {
    let map = [&b"2\n1\n2\n900\n1\n"[..], &[0; 500], b"abc"].concat();
    type Records<'a> = &'a [(&'a str, &'a [u8])];
    let versions: [(Records<'_>, &[u8]); 3] = [
        (
            &[
                ("GNU.sparse.numblocks", b"2"),
                ("GNU.sparse.offset", b"1"),
                ("GNU.sparse.numbytes", b"2"),
                ("GNU.sparse.offset", b"900"),
                ("GNU.sparse.numbytes", b"1"),
            ],
            b"abc",
        ),
        (&[("GNU.sparse.numblocks", b"2"), ("GNU.sparse.map", b"1,2,900,1")], b"abc"),
        (&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")], &map),
    ];
    for (records, stored) in versions {
        let records = [records, &[("GNU.sparse.name", b"real"), ("GNU.sparse.size", b"1000")]].concat();
        let stream = archive(&[&pax(&records), &file(b"GNUSparseFile.0/real", stored), &file(b"next", b"")]);
        let entries = entries(&stream);
        let (header, body) = &entries[0];
        assert_eq!((&header.path[..], header.size, &body[..]), (&b"real"[..], 1000, &b"abc"[..]));
        assert_eq!(header.sparse, Some(vec![Fragment { offset: 1, len: 2 }, Fragment { offset: 900, len: 1 }]));
        assert_eq!(entries.len(), 2);
    }
    let unknown = pax(&[("GNU.sparse.major", b"2"), ("GNU.sparse.name", b"real")]);
    assert_eq!(names(&archive(&[&unknown, &file(b"own", b"x")])), ["own"]);
}

#[test]
fn sparse_maps_that_make_no_sense_are_refused() {
    let with = |map: &[u8], count: &[u8]| {
        let records = [("GNU.sparse.map", map), ("GNU.sparse.numblocks", count), ("GNU.sparse.size", b"10")];
        reason(&archive(&[&pax(&records), &file(b"a", b"ab")]))
    };
    assert_eq!(with(b"5,1,0,1", b"2"), Reason::SparseMap("it runs backwards"));
    assert_eq!(with(b"0,2,1,0", b"2"), Reason::SparseMap("it runs backwards"));
    assert_eq!(with(b"9,2", b"1"), Reason::SparseMap("it goes beyond the file's end"));
    assert_eq!(with(b"9,9223372036854775807", b"1"), Reason::SparseMap("it goes beyond the file's end"));
    assert!(matches!(with(b"0,-2", b"1"), Reason::SparseMap(_)));
    for (map, count) in [("0,2", "2"), ("0,2,3", "1"), ("0,2", ""), ("0,2", "-1"), ("0,2", "4611686018427387905")] {
        assert!(matches!(with(map.as_bytes(), count.as_bytes()), Reason::SparseMap(_)), "{map} {count}");
    }
    assert_eq!(with(b"0,3", b"1"), Reason::SparseData { mapped: 3, stored: 2 });
    let records: [(&str, &[u8]); 2] = [("GNU.sparse.map", b"0,0"), ("GNU.sparse.numblocks", b"1")];
    let dir = archive(&[&pax(&records), &item(b'5', b"dir").bytes()]);
    assert_eq!(reason(&dir), Reason::SparseMap("the entry can have no body"));
}

#[test]
fn a_sparse_map_in_the_body_ends_with_the_body_or_at_1_mib() {
    let version = pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")]);
    let with = |body: &[u8]| reason(&archive(&[&version, &file(b"a", body)]));
    assert_eq!(with(b"0\n"), Reason::SparseMap("it is longer than the body"));
    assert_eq!(with(&[b'1'; 1024]), Reason::SparseMap("it is longer than the body"));
    assert_eq!(with(&[b'\n'; 512]), Reason::SparseMap("its number of fragments is wrong"));
    assert_eq!(with(&[b'1'; (1 << 20) + 1024]), Reason::ExtensionTooLong(Part::SparseMap));
}

#[test]
fn extensions_end_at_1_mib() {
    let long = |len: usize| archive(&[&long_name(b'L', &vec![b'n'; len]), &file(b"own", b"")]);
    let limits = Limits { name_bytes: u64::MAX, ..LIMITS };
    let (seen, end) = read_in(usize::MAX, limits, &long(1 << 20));
    assert_eq!((seen.0[0].0.path.len(), end.is_ok()), (1 << 20, true));
    let (_, end) = read_in(usize::MAX, limits, &long((1 << 20) + 1));
    assert_eq!(end, Err(TarError { offset: 0, reason: Reason::ExtensionTooLong(Part::Extension) }));
    for flag in [b'x', b'g', b'K'] {
        let huge = item(flag, b"huge").size(1 << 32).bytes();
        assert_eq!(reason(&huge), Reason::ExtensionTooLong(Part::Extension));
    }
}

#[test]
fn two_zero_blocks_end_the_archive_and_one_does_not() {
    let one = file(b"a", b"x");
    let end = |tail: &[u8]| read_in(100, LIMITS, &[&one[..], tail].concat()).1;
    let trailer =
        |end_marker, trailing_bytes, trailing_nonzero| Ok(Trailer { end_marker, trailing_bytes, trailing_nonzero });
    assert_eq!(end(&[0; 1024]), trailer(true, 0, false));
    assert_eq!(end(&[0; 1024 + 777]), trailer(true, 777, false));
    assert_eq!(end(&[&[0; 1024], &one[..]].concat()), trailer(true, 1024, true));
    assert_eq!(end(&[]), trailer(false, 0, false));
    assert_eq!(end(&[0; 512]), trailer(false, 0, false));
    assert_eq!(end(&[0; 600]), Err(TarError { offset: 1536, reason: Reason::Truncated(Part::EndMarker) }));
    assert_eq!(end(&[&[0; 512], &one[..]].concat()), Err(TarError { offset: 1536, reason: Reason::LoneZeroBlock }));
    let hidden = [&one[..], &[0; 1024], &one].concat();
    assert_eq!(names(&hidden), ["a"]);
}

#[test]
fn a_cut_stream_is_an_error_wherever_go_says_so() {
    let stream = [pax(&[("path", b"a")]), file(b"own", &[7; 600]), item(b'5', b"b").bytes()].concat();
    let header = 512;
    let records_end = 1024;
    let body = 1536;
    for cut in 0..stream.len() {
        let whole = match cut {
            // Nothing, or the records without their padding: Go finds no entry and no fault.
            0 => true,
            _ if (header + 9..=records_end).contains(&cut) => true,
            // The body is there, its padding need not be.
            _ => (body + 600..=body + 1024).contains(&cut),
        };
        let (seen, end) = read_in(1000, LIMITS, &stream[..cut]);
        assert_eq!(end.is_ok(), whole, "cut at {cut}");
        assert!(end.is_err() || seen.0.iter().all(|(.., ended)| *ended));
        for pulled in [drain(Pull::new(&stream[..cut], LIMITS)), drain(seekable(&stream[..cut]))] {
            assert_eq!(pulled.is_ok(), whole, "cut at {cut}");
        }
    }
}

#[test]
fn chunks_of_any_size_tell_the_same() {
    let stream = archive(&[
        &pax(&[("path", b"a")]),
        &file(b"own", &[7; 1300]),
        &long_name(b'L', &[b'n'; 700]),
        &file(b"own", b"x"),
        &item(b'5', b"dir/").bytes(),
    ]);
    let whole = read_in(usize::MAX, LIMITS, &stream);
    assert_eq!(whole.0.0.len(), 3);
    for chunk in [1, 2, 511, 512, 513, 1000, 1024, 4096] {
        assert_eq!(read_in(chunk, LIMITS, &stream), whole, "chunks of {chunk}");
    }
}

#[test]
fn limits_are_errors_by_name() {
    let three = archive(&[&file(b"abc", b""), &file(b"abc", b""), &file(b"abc", b"")]);
    let end = |limits| read_in(usize::MAX, limits, &three).1.map(|_| ()).map_err(|error| error.reason);
    assert_eq!(end(Limits { entries: 3, name_bytes: 9 }), Ok(()));
    assert_eq!(end(Limits { entries: 2, name_bytes: 9 }), Err(Reason::TooManyEntries(2)));
    assert_eq!(end(Limits { entries: 3, name_bytes: 8 }), Err(Reason::TooManyNameBytes(8)));
}

#[test]
fn an_error_stays() {
    let mut feed = Feed::new(LIMITS);
    let mut seen = Seen::default();
    let error = feed.feed(&[1; 512], &mut seen).expect_err("no header");
    assert_eq!(feed.feed(&file(b"a", b""), &mut seen), Err(error.clone()));
    assert_eq!(feed.finish(&mut seen), Err(error));
    assert!(seen.0.is_empty());
}

#[test]
fn a_sink_stops_the_reading_for_good() {
    #[derive(Debug, PartialEq)]
    enum Stop {
        Enough,
        Tar(TarError),
    }
    impl From<TarError> for Stop {
        fn from(error: TarError) -> Self {
            Self::Tar(error)
        }
    }
    struct First;
    impl Sink for First {
        type Error = Stop;
        fn entry(&mut self, _: &Header) -> Result<(), Stop> {
            Err(Stop::Enough)
        }
        fn body(&mut self, _: &[u8]) -> Result<(), Stop> {
            Ok(())
        }
        fn end(&mut self) -> Result<(), Stop> {
            Ok(())
        }
    }
    let mut feed = Feed::new(LIMITS);
    assert_eq!(feed.feed(&file(b"a", b"x"), &mut First), Err(Stop::Enough));
    let stopped = TarError { offset: 512, reason: Reason::Stopped };
    assert_eq!(feed.feed(&[0], &mut First), Err(Stop::Tar(stopped)));
}

#[test]
fn pulling_reads_or_skips_bodies() {
    let stream = archive(&[&file(b"a", &[1; 700]), &file(b"b", &[2; 700]), &file(b"c", b"end")]);
    let mut pull = Pull::new(&stream[..], LIMITS);
    let mut body = Vec::new();
    assert_eq!(pull.next_entry().expect("good").expect("a").path, b"a");
    pull.by_ref().take(10).read_to_end(&mut body).expect("memory");
    assert_eq!(pull.next_entry().expect("good").expect("b").path, b"b");
    assert_eq!(pull.next_entry().expect("good").expect("c").path, b"c");
    pull.read_to_end(&mut body).expect("memory");
    assert_eq!(body, [&[1; 10][..], b"end"].concat());
    assert_eq!(pull.next_entry().expect("good"), None);
    assert_eq!(pull.next_entry().expect("still good"), None);
}

#[test]
fn seeking_reads_headers_only_and_tells_where_bodies_are() {
    /// Counts what is read.
    struct Counting(Cursor<Vec<u8>>, u64);
    impl Read for Counting {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(into)?;
            self.1 += read as u64;
            Ok(read)
        }
    }
    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }
    let stream = archive(&[&file(b"a", &[1; 7000]), &file(b"b", b"body")]);
    let mut reader = Counting(Cursor::new([&[9; 100][..], &stream].concat()), 0);
    reader.seek(SeekFrom::Start(100)).expect("memory");
    let mut pull = Pull::seekable(reader, LIMITS).expect("memory");
    let mut offsets = Vec::new();
    while let Some(header) = pull.next_entry().expect("good") {
        offsets.push((pull.body_offset(), header.stored));
    }
    assert_eq!(offsets, [(100 + 512, 7000), (100 + 512 + 7168 + 512, 4)]);
    assert_eq!(pull.into_inner().1, 4 * 512);
}

#[test]
fn a_body_cut_short_is_an_error_for_whoever_reads_it() {
    let stream = file(b"a", &[1; 700]);
    let mut pull = Pull::new(&stream[..600], LIMITS);
    pull.next_entry().expect("good").expect("a");
    let error = pull.read_to_end(&mut Vec::new()).expect_err("cut");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(matches!(pull.next_entry(), Err(PullError::Tar(error)) if error.reason == Reason::Truncated(Part::Body)));
}

#[test]
fn a_reader_that_fails_is_not_asked_again() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut pull = Pull::new(Failing, LIMITS);
    assert!(matches!(pull.next_entry(), Err(PullError::Io(_))));
    assert!(matches!(pull.next_entry(), Err(PullError::Tar(error)) if error.reason == Reason::Stopped));
}

fn seekable(stream: &[u8]) -> Pull<Cursor<&[u8]>> {
    Pull::seekable(Cursor::new(stream), LIMITS).expect("memory")
}

/// Asks for entries up to the end, without reading bodies.
fn drain<R: Read>(mut pull: Pull<R>) -> Result<(), PullError> {
    while pull.next_entry()?.is_some() {}
    Ok(())
}
