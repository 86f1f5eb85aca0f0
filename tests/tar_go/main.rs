//! Holds the tar reader against Go's `archive/tar`, entry by entry, on good and on broken streams.
//!
//! Needs `go` on the path for the comparison; without it the test says that it did not run, or fails if
//! `OFFCUT_REQUIRE_GO=1` is set. `OFFCUT_TAR_STREAMS` sets the number of mutated streams, `OFFCUT_TAR_SEED` where the
//! random numbers start, and `OFFCUT_TAR_ARCHIVES` a directory with further archives to read and to mutate.

mod build;
mod listing;
mod mutate;
mod oracle;
#[path = "../../src/layer/tar/testing.rs"]
mod testing;

use std::{env, fs, path::Path};

use mutate::{Random, mutate};
use oracle::Oracle;

/// Archives above this size are compared but not mutated.
const MUTABLE_MAX: usize = 64 * 1024;
/// Streams that are handed to Go at a time.
const BATCH: usize = 2_000;

#[test]
fn go_lists_the_same_entries() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut seeds = build::archives();
    seeds.extend(archives_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tar")));
    if let Some(dir) = env::var_os("OFFCUT_TAR_ARCHIVES") {
        seeds.extend(archives_in(Path::new(&dir)));
    }
    let mut random = Random::new(number("OFFCUT_TAR_SEED", 1));
    oracle.compare(&seeds, &mut random);

    seeds.retain(|seed| seed.len() <= MUTABLE_MAX);
    let mut left = number("OFFCUT_TAR_STREAMS", 20_000) as usize;
    while left > 0 {
        let batch: Vec<_> = (0..left.min(BATCH)).map(|_| mutate(&seeds, &mut random)).collect();
        left -= batch.len();
        oracle.compare(&batch, &mut random);
    }
    oracle.tell();
}

/// The archives were written by GNU tar 1.34 in the format their name says; `testdata/tar/README.md` has the commands.
#[test]
fn archives_of_gnu_tar_hold_what_was_put_in() {
    let long = format!("dir/{}", "n".repeat(120));
    let split = format!("dir/{0}/{0}/f", "s".repeat(60));
    let target = "n".repeat(240);
    let (file, hard) = (("dir/file", "", 11), ("dir/hard", "dir/file", 0));
    let (soft, fifo) = (("dir/soft", "../other", 0), ("dir/fifo", "", 0));
    let all = [file, hard, soft, fifo, (&long, "", 5), ("dir/longlink", &target, 0)];
    for (name, want) in [
        ("v7", &all[..3]),
        ("ustar", &[file, hard, soft, fifo, (&split, "", 6)]),
        ("oldgnu", &all),
        ("gnu", &all),
        ("posix", &all),
    ] {
        let got = listing::headers(&testdata(&format!("gnutar-{name}.tar")));
        let got: Vec<_> = got.iter().map(|h| (text(&h.path), text(&h.link), h.size)).collect();
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn sparse_files_of_gnu_tar_keep_name_size_and_holes() {
    for name in ["old", "0.0", "0.1", "1.0"] {
        let archive = testdata(&format!("gnutar-sparse-{name}.tar"));
        let headers = listing::headers(&archive);
        assert_eq!(headers.len(), 1);
        let header = &headers[0];
        // One MiB with three bytes at 4,096 and three at 300,000; the file system stores blocks of 4 KiB.
        assert_eq!((text(&header.path), header.size, header.stored), ("sp", 1 << 20, 2 * 4096), "{name}");
        let holds = |at: u64| {
            let fragments = header.sparse.as_deref().unwrap_or_default();
            fragments.iter().any(|fragment| (fragment.offset..fragment.offset + fragment.len).contains(&at))
        };
        assert!(holds(4096) && holds(300_000) && !holds(0) && !holds(500_000), "{name}");
    }
}

fn testdata(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tar").join(name)).expect("an archive of the tree")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the names are ASCII")
}

/// The bytes of every `.tar` in a directory, sorted by name.
fn archives_in(dir: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(dir).expect("the directory of archives");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tar"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("an archive")).collect()
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().expect("a number in the variable"))
}
