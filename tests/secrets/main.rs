//! Holds the search for secrets against a labelled tree, and every output against the secrets in it.
//!
//! The tree is made from a seed (`OFFCUT_SECRETS_SEED`), with generators of its own: of what the program knows of checksums
//! and formats nothing is used. `cargo test --release --test secrets -- --nocapture` prints the table; with
//! `OFFCUT_SECRETS_KEEP=DIR` the tree and the report stay there, with `OFFCUT_SECRETS_SHOW=1` every miss and every false
//! alarm is printed.

mod archives;
mod canary;
mod carriers;
mod chance;
mod codec;
mod files;
mod keys;
mod kinds;
mod negatives;
mod number;
mod owned;
mod plant;
mod score;
mod texts;
mod token;
mod tree;

use std::{
    env,
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use chance::Chance;
use tree::Tree;

/// The least share of alarms that are right, and of secrets that are found: overall, and for each kind.
const LEAST: f64 = 0.98;
/// Guesses by a name alone are the poorest: a password of two words and digits looks like a name.
const LEAST_OF_KIND: f64 = 0.7;
/// The greatest share of harmless files of which a note is made.
const NOTES: f64 = 0.02;

/// Formats of reports; statements of in-toto are of images with a digest.
const FORMATS: [&str; 11] = [
    "json",
    "sarif",
    "markdown",
    "github",
    "junit",
    "csv",
    "gitlab",
    "gitlab-secret",
    "gitlab-codequality",
    "oscal",
    "html",
];

#[test]
fn secrets_are_found_and_nothing_else() {
    let scanned = scanned();
    let said = String::from_utf8_lossy(&scanned.output.stderr);
    // 3: something was not searched, which the table does not say
    assert!(matches!(scanned.output.status.code(), Some(0 | 3)), "{said}");
    let table = score::score(&scanned.tree, &scanned.reports[0].1);
    println!("{table}");
    assert!(table.precision() >= LEAST && table.recall() >= LEAST, "{table}");
    let poor = table.poor(LEAST_OF_KIND);
    assert!(poor.is_empty(), "below {LEAST_OF_KIND}: {poor:?}\n{table}");
    assert!(table.notes() <= NOTES, "{table}");
    assert!(table.lines() >= LEAST, "{table}");
    assert_eq!(scanned.output.status.code(), Some(0), "{said}");
}

#[test]
fn no_output_holds_a_secret_or_a_part_of_one() {
    let scanned = scanned();
    let canaries = canary::Canaries::new(&scanned.tree);
    let Scanned { output, wrong, listed, reports, .. } = scanned;
    let streams = [("scan", output), ("a wrong command line", wrong), ("files", listed)];
    let mut said: Vec<(&str, &[u8])> = reports.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    said.extend(streams.iter().flat_map(|(name, output)| [(*name, &output.stdout[..]), (*name, &output.stderr[..])]));
    assert!(said.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 100_000, "something was said");
    for (name, bytes) in said {
        let seen = canaries.seen_in(bytes);
        assert!(seen.is_empty(), "{name} holds parts of secrets, next to {seen:?}");
    }
}

/// The tree, and what was said of it.
struct Scanned {
    tree: Tree,
    /// A scan that prints its table.
    output: Output,
    /// The same in each format that can be written of a directory, JSON first.
    reports: Vec<(&'static str, Vec<u8>)>,
    /// What is said when an option is wrong, and of the files.
    wrong: Output,
    listed: Output,
}

/// Scans once for all tests.
fn scanned() -> &'static Scanned {
    static ONCE: OnceLock<Scanned> = OnceLock::new();
    ONCE.get_or_init(|| {
        let (place, tree) = planted();
        let source = format!("dir:{}", place.join("tree").display());
        let mut command = vec!["scan".to_string(), source.clone(), "--fail-on".to_string(), "never".to_string()];
        for format in FORMATS {
            command.extend(["-o".to_string(), format!("{format}={}", place.join(format).display())]);
        }
        let output = run(&command);
        let read = |format| fs::read(place.join(format)).expect("the report is there");
        Scanned {
            tree,
            output,
            reports: FORMATS.map(|format| (format, read(format))).into(),
            wrong: run(&["scan", &source, "-f", "json", "--no-such-option"]),
            listed: run(&["files", &source]),
        }
    })
}

/// The tree, on disk below a directory that is removed, unless it is to be kept.
fn planted() -> (Place, Tree) {
    let seed = env::var("OFFCUT_SECRETS_SEED").map_or(1, |text| text.parse().expect("a number"));
    let chance = Chance::new(seed);
    let mut tree = Tree::default();
    plant::plant(&mut tree, &chance);
    files::plant(&mut tree, &chance);
    owned::plant(&mut tree, &chance);
    negatives::plant(&mut tree, &chance);
    let place = match env::var_os("OFFCUT_SECRETS_KEEP") {
        Some(dir) => Place::Kept(tempfile::tempdir_in(dir).expect("a directory").keep()),
        None => Place::Passing(tempfile::tempdir().expect("a directory")),
    };
    tree.write(&place.join("tree"));
    (place, tree)
}

enum Place {
    Passing(tempfile::TempDir),
    Kept(PathBuf),
}

impl Place {
    fn join(&self, name: &str) -> PathBuf {
        match self {
            Self::Passing(dir) => dir.path().join(name),
            Self::Kept(dir) => dir.join(name),
        }
    }
}

fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
    command.args(arguments).env_clear().stdin(Stdio::null()).output().expect("it starts")
}
