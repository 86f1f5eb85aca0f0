//! Images that somebody made to mislead, to stop or to exhaust the scanner.
//!
//! Every image is built in code and goes the whole way: archive, layers, inventory, rules and all reports. No network,
//! no daemon.

use std::{
    fs,
    time::{Duration, Instant},
};

use offcut::{
    catalogue::Catalogue,
    error::Error,
    model::{Digest, Report, State},
    policy::Gates,
    report::{Verdict, json, sarif, table},
    scan::{ScanOptions, scan},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

#[allow(dead_code, reason = "not every layout is needed here")]
#[path = "../src/layer/tar/testing.rs"]
mod testing;

use testing::{Item, archive, file, item, pax};

const MAKE: &str = "build-tool/make";

/// A little ELF program that says of itself what GNU make says.
fn make() -> Vec<u8> {
    [&elf(64, 0)[..], b"Report bugs to <bug-make@gnu.org>\0GNUMAKEFLAGS\0"].concat()
}

/// The header of a 64-bit program for x86-64.
fn elf(program_headers_at: u64, program_headers: u16) -> Vec<u8> {
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    head.extend_from_slice(&0x40_0000_u64.to_le_bytes());
    head.extend_from_slice(&program_headers_at.to_le_bytes());
    head.extend_from_slice(&[0; 12]);
    for half in [64, 56, program_headers, 64, 0, 0] {
        head.extend_from_slice(&half.to_le_bytes());
    }
    head
}

fn dir(name: &[u8]) -> Vec<u8> {
    item(b'5', name).bytes()
}

fn link(flag: u8, name: &[u8], target: &[u8]) -> Vec<u8> {
    item(flag, name).link(target).bytes()
}

/// An entry whose name is too long for a header.
fn long(name: &[u8], item: Item) -> Vec<u8> {
    [pax(&[("path", name)]), item.bytes()].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    use std::io::Write;

    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(data).expect("to memory");
    to.finish().expect("to memory")
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// An image as `docker save` writes it, its layers compressed.
fn image(layers: &[Vec<u8>]) -> Vec<u8> {
    let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {"User": "1000"},
        "rootfs": {"type": "layers", "diff_ids": ids},
    });
    let names: Vec<_> = ids.iter().map(|id| format!("{}.tar", id.hex())).collect();
    let manifest = json!([{"Config": "config.json", "RepoTags": ["red:1"], "Layers": names}]);
    let mut members = vec![
        file(b"manifest.json", manifest.to_string().as_bytes()),
        file(b"config.json", config.to_string().as_bytes()),
    ];
    let mut written = Vec::new();
    for (name, layer) in names.iter().zip(layers) {
        if !written.contains(&name) {
            members.push(file(name.as_bytes(), &gzip(layer)));
            written.push(name);
        }
    }
    archive(&members.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn scan_bytes(image: &[u8], jobs: usize) -> Result<Report, Error> {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("image.tar");
    fs::write(&path, image).expect("room");
    let catalogue = Catalogue::builtin().expect("checked when built");
    let options = ScanOptions { jobs, ..ScanOptions::default() };
    let mut report = scan(&format!("docker-archive:{}", path.display()), &catalogue, &options)?;
    report.image.reference = "red:1".into();
    Ok(report)
}

/// Scans an image of these layers with one thread and with four; both must say the same.
fn scanned(layers: &[Vec<u8>]) -> Result<Report, Error> {
    let image = image(layers);
    let one = scan_bytes(&image, 1);
    if let (Ok(one), Ok(four)) = (&one, &scan_bytes(&image, 4)) {
        assert_eq!(reports(one), reports(four));
    }
    one
}

fn judged(layers: &[&[&[u8]]]) -> Report {
    let layers: Vec<_> = layers.iter().map(|pieces| archive(pieces)).collect();
    scanned(&layers).expect("a readable image")
}

/// The report in every format.
fn reports(report: &Report) -> [String; 3] {
    let mut out = [Vec::new(), Vec::new(), Vec::new()];
    let [shown, structured, standard] = &mut out;
    let look = table::Look { width: 80, color: false };
    table::write(report, &Verdict::of(report, &Gates::default(), None), look, shown).expect("to memory");
    json::write(report, structured).expect("to memory");
    sarif::write(report, standard).expect("to memory");
    out.map(|bytes| String::from_utf8(bytes).expect("every report is UTF-8"))
}

fn states(report: &Report, rule: &str) -> Vec<State> {
    report.findings.iter().filter(|f| f.rule == rule).map(|f| f.state).collect()
}

fn is_unread(report: &Report) -> bool {
    report.diagnostics.iter().any(|d| d.unread)
}

fn assert_live_make(what: &str, layers: &[&[&[u8]]]) {
    let report = judged(layers);
    assert!(states(&report, MAKE).contains(&State::Live), "{what}: {:?}", report.diagnostics);
}

// ---- a tool stays a tool ----

#[test]
fn a_tool_is_seen_under_the_name_of_a_record() {
    for name in [
        "make",
        "srv/package.json",
        "a.dist-info/METADATA",
        "a.egg-info/PKG-INFO",
        "a.dist-info/RECORD",
        "etc/passwd",
        "etc/group",
        "var/lib/dpkg/status",
        "var/lib/dpkg/diversions",
        "var/lib/dpkg/info/a.list",
        "var/lib/dpkg/status.d/a",
        "lib/apk/db/installed",
        "var/lib/rpm/Packages",
        "var/lib/rpm/rpmdb.sqlite",
    ] {
        let large = [make(), vec![b'.'; 2 << 20]].concat();
        for body in [make(), large] {
            assert_live_make(name, &[&[&file(name.as_bytes(), &body)]]);
        }
    }
}

#[test]
fn hard_links_keep_a_tool_alive_whatever_becomes_of_its_first_name() {
    let make = file(b"make", &make());
    let gone = file(b".wh.make", b"");
    let chain: Vec<u8> = (0..100)
        .flat_map(|n| {
            let target = if n == 0 { "make".to_string() } else { format!("link{}", n - 1) };
            link(b'1', format!("link{n}").as_bytes(), target.as_bytes())
        })
        .collect();
    let gone_chain: Vec<u8> = (0..99).flat_map(|n| file(format!(".wh.link{n}").as_bytes(), b"")).collect();
    assert_live_make("a chain of links", &[&[&make, &chain], &[&gone, &gone_chain]]);

    let to_lower = link(b'1', b"helper", b"make");
    assert_live_make("a link to a lower layer", &[&[&make], &[&to_lower], &[&gone]]);
    assert_live_make("linked and removed by one layer", &[&[&make], &[&to_lower, &gone]]);
    assert_live_make("linked and replaced by one layer", &[&[&make], &[&to_lower, &file(b"make", b"hello")]]);

    let (bin, usr) = (link(b'2', b"bin", b"usr/bin"), dir(b"usr/bin"));
    let tool = file(b"usr/bin/make", &self::make());
    let behind = link(b'1', b"helper", b"bin/make");
    let gone = file(b"usr/bin/.wh.make", b"");
    assert_live_make("behind a link of the layer", &[&[&usr, &bin, &tool, &behind], &[&gone]]);
    assert_live_make("behind a link of a lower layer", &[&[&usr, &bin, &tool], &[&behind], &[&gone]]);
    assert_live_make("that is linked again", &[&[&usr, &bin, &tool], &[&behind, &link(b'1', b"x", b"helper"), &gone]]);
}

#[test]
fn a_hard_link_to_nothing_is_never_passed_over() {
    for target in ["nothing", "self", "loop/a"] {
        let report = judged(&[&[&link(b'1', b"self", target.as_bytes())]]);
        assert!(is_unread(&report), "{target}");
    }
    let report = judged(&[&[&link(b'1', b"a", b"b"), &link(b'1', b"b", b"a")]]);
    assert!(is_unread(&report));
}

#[test]
fn marks_by_which_an_overlay_moves_files_are_never_passed_over() {
    for key in ["SCHILY.xattr.trusted.overlay.redirect", "SCHILY.xattr.user.overlay.metacopy"] {
        let moved = [pax(&[(key, b"/make")]), dir(b"x")].concat();
        assert!(is_unread(&judged(&[&[&moved]])), "{key}");
    }
}

// ---- time and memory ----

/// Scans within a time that a linear scanner meets twenty times over.
fn quick(what: &str, layers: &[Vec<u8>]) -> Result<Report, Error> {
    let start = Instant::now();
    let report = scan_bytes(&image(layers), 2);
    let spent = start.elapsed();
    assert!(spent < Duration::from_secs(60), "{what} took {spent:?}");
    report
}

#[test]
fn hard_links_of_an_archive_with_doubles_cost_no_square() {
    let mut layer = [file(b"make", &make()), file(b"make", &make())].concat();
    for n in 0..40_000 {
        layer.extend(link(b'1', format!("l{n}").as_bytes(), b"make"));
    }
    let report = quick("hard links", &[archive(&[&layer])]).expect("readable");
    assert_eq!(states(&report, MAKE), [State::Live]);
}

#[test]
fn directories_that_come_and_go_cost_no_square() {
    let mut layer: Vec<u8> = (0..20_000).flat_map(|n| file(format!("f{n}").as_bytes(), b"")).collect();
    for _ in 0..20_000 {
        layer.extend(dir(b"d"));
        layer.extend(file(b"d", b""));
    }
    quick("come and go", &[archive(&[&layer])]).expect("readable");
}

#[test]
fn a_small_elf_file_can_not_ask_for_much_memory() {
    // 4,000 entries of a dynamic section that all name one string of 4,000 colons.
    let (strings_at, dynamic_at) = (0x400_u64, 0x2000_u64);
    let mut file = elf(64, 1);
    file.extend_from_slice(&2_u32.to_le_bytes());
    file.extend_from_slice(&4_u32.to_le_bytes());
    for value in [dynamic_at, dynamic_at, dynamic_at, 64_000, 64_000, 8] {
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.resize(strings_at as usize, 0);
    file.extend(std::iter::repeat_n(b':', 4_000));
    file.resize(dynamic_at as usize, 0);
    for (tag, value) in [(5_u64, strings_at)].into_iter().chain([(29, 0), (1, 0)].repeat(1_999)) {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&value.to_le_bytes());
    }
    let all: Vec<u8> = (0..100).flat_map(|n| testing::file(format!("lib{n}").as_bytes(), &file)).collect();
    quick("lists of libraries", &[archive(&[&all])]).expect("readable");
}

#[test]
fn holes_of_a_sparse_file_hide_nothing_in_it() {
    // A program of Go's, and a hole in front of its build information that is not as long as a multiple of 16.
    let info = b"path\tcmd/compile\nbuild\t-compiler=gc\n";
    let info = [&[b'0'; 16], &info[..], &[b'1'; 16]].concat();
    let build = [&b"\xff Go buildinf:\x08\x02"[..], &[0; 16], b"\x08go1.22.1", &[info.len() as u8], &info].concat();
    let tail = [&build[..], &[b'.'; 100]].concat();
    let plain = judged(&[&[&file(b"helper", &[&elf(0, 0)[..], &vec![0; 512 - 64], &tail].concat())]]);
    assert_eq!(states(&plain, "build-tool/go"), [State::Live], "the file as it is");
    let head = [&elf(0, 0)[..], &[0; 7]].concat();
    for hole in [448_u64, 1 << 20, (1 << 20) + 448, 1 << 34] {
        let at = (64 + hole).next_multiple_of(16);
        let size = at + tail.len() as u64;
        let map = format!("0,{},{at},{}", head.len(), tail.len());
        let records = pax(&[
            ("GNU.sparse.major", b"0"),
            ("GNU.sparse.minor", b"1"),
            ("GNU.sparse.numblocks", b"2"),
            ("GNU.sparse.map", map.as_bytes()),
            ("GNU.sparse.size", size.to_string().as_bytes()),
        ]);
        let body = [&head[..], &tail].concat();
        let report = judged(&[&[&records, &file(b"helper", &body)]]);
        assert_eq!(states(&report, "build-tool/go"), [State::Live], "{hole}");
    }
}

#[test]
fn deep_names_cost_no_square() {
    let deep = |first: String| [first.as_bytes(), &b"/a".repeat(2_000)].concat();
    let apart: Vec<u8> = (0..100).flat_map(|n| long(&deep(format!("{n}")), item(b'0', b"x"))).collect();
    quick("deep names without their directories", &[archive(&[&apart])]).expect("readable");
    let below = |n: usize| [deep("d".into()), format!("/{n}/x").into_bytes()].concat();
    let beside: Vec<u8> = (0..100).flat_map(|n| long(&below(n), item(b'0', b"x"))).collect();
    quick("deep names beside each other", &[archive(&[&beside])]).expect("readable");
    let endless = long(&b"a/".repeat(500_000), item(b'0', b"x"));
    assert!(quick("an endless name", &[archive(&[&endless])]).is_err(), "no engine unpacks it");
}

#[test]
fn rows_of_one_package_do_not_multiply_its_files() {
    let mut status = String::new();
    for n in 0..20_000 {
        status += &format!("Package: make\nStatus: install ok installed\nVersion: {n}\n\n");
    }
    let list: String = (0..20_000).map(|n| format!("/usr/share/make/{n}\n")).collect();
    let mut layer = file(b"var/lib/dpkg/status", status.as_bytes());
    layer.extend(file(b"var/lib/dpkg/info/make.list", list.as_bytes()));
    for n in 0..20_000 {
        layer.extend(file(format!("usr/share/make/{n}").as_bytes(), b"x"));
    }
    let report = quick("rows of one package", &[archive(&[&layer])]).expect("readable");
    assert_eq!(states(&report, MAKE), [State::Live]);
    assert!(is_unread(&report));
}

#[test]
fn a_layer_that_comes_a_thousand_times_is_not_kept_a_thousand_times() {
    let layer: Vec<u8> = (0..20_000).flat_map(|n| file(format!("f{n}").as_bytes(), b"")).collect();
    let error = quick("a thousand times", &vec![archive(&[&layer]); 1_000]).expect_err("20 million entries");
    assert!(error.to_string().contains("limit") || error.to_string().contains("more than"), "{error}");
}
