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

#[test]
fn archives_of_real_tools_hold_what_was_put_in() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tar");
    for (name, want) in [("gnu-v7.tar", &["dir/", "dir/hard", "dir/soft", "file"][..])] {
        let bytes = fs::read(dir.join(name)).expect("an archive of the repository");
        assert_eq!(listing::names(&bytes), want, "{name}");
    }
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
