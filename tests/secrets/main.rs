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
mod token;
mod tree;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use chance::Chance;
use tree::Tree;

/// The least share of alarms that are right, and of secrets that are found: overall, and for each kind.
const LEAST: f64 = 0.98;
const LEAST_OF_KIND: f64 = 0.9;
/// The greatest share of harmless files of which a note is made.
const NOTES: f64 = 0.02;

#[test]
fn secrets_are_found_and_nothing_else() {
    let (root, tree) = planted();
    let report = root.join("report.json");
    let done = scan(&root.join("tree"), &["-f", "json", "-o", &format!("json={}", report.display())]);
    let said = String::from_utf8_lossy(&done.stderr);
    // 3: something was not searched, which the table does not say
    assert!(matches!(done.status.code(), Some(0 | 3)), "{said}");
    let table = score::score(&tree, &fs::read(report).expect("the report is there"));
    println!("{table}");
    assert!(table.precision() >= LEAST && table.recall() >= LEAST, "{table}");
    let poor = table.poor(LEAST_OF_KIND);
    assert!(poor.is_empty(), "below {LEAST_OF_KIND}: {poor:?}\n{table}");
    assert!(table.notes() <= NOTES, "{table}");
    assert!(table.lines() >= LEAST, "{table}");
    assert_eq!(done.status.code(), Some(0), "{said}");
}

#[test]
fn no_output_holds_a_secret_or_a_part_of_one() {
    let (root, tree) = planted();
    let canaries = canary::Canaries::new(&tree);
    let dir = root.join("tree");
    let sarif = root.join("report.sarif");
    let mut outputs = vec![];
    for options in [
        &["-f", "table"][..],
        &["-f", "table", "-v"],
        &["-f", "json"],
        &["-f", "sarif", "-o", &format!("sarif={}", sarif.display())],
        &["-f", "json", "--no-such-option"],
    ] {
        let done = scan(&dir, options);
        outputs.push((format!("{options:?}, standard output"), done.stdout));
        outputs.push((format!("{options:?}, standard error"), done.stderr));
    }
    outputs.push(("the SARIF file".into(), fs::read(sarif).expect("written")));
    let listed = run(&["files", &format!("dir:{}", dir.display())]);
    outputs.push(("files, standard output".into(), listed.stdout));
    outputs.push(("files, standard error".into(), listed.stderr));
    assert!(outputs.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 100_000, "something was said");
    for (name, bytes) in &outputs {
        let seen = canaries.seen_in(bytes);
        assert!(seen.is_empty(), "{name} holds parts of secrets, next to {seen:?}");
    }
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

fn scan(dir: &Path, options: &[&str]) -> Output {
    let source = format!("dir:{}", dir.display());
    run(&[&["scan", &source, "--fail-on", "never"], options].concat())
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
    command.args(arguments).env_clear().stdin(Stdio::null()).output().expect("it starts")
}
