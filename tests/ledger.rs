//! The ledger against a second count: thousands of random layers, and every finding's bytes. No network, no daemon.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use offcut::{
    catalogue::Catalogue,
    model::{Digest, State},
    scan::{Accounts, ScanOptions, account, read, scan},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

#[allow(dead_code, reason = "not every layout is needed here")]
#[path = "../src/layer/tar/testing.rs"]
mod testing;

use testing::{archive, file, item, pax};

/// A real image: Alpine with a Node.js application that kept its compiler; see `testdata/README.md`.
const IMAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/node-app.oci.tar");

/// Small numbers that look random and are the same on every run (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Where the bytes of a body lie: its layer, and its number there.
type Content = (usize, usize);

/// What the layers say by the rules of `tar` and of overlay file systems, counted the slow way.
#[derive(Default)]
struct Model {
    /// Bytes of every body.
    bodies: BTreeMap<Content, u64>,
    /// Contents that stood when their layer alone was unpacked.
    standing: BTreeSet<Content>,
    /// The tree of all layers so far.
    tree: BTreeMap<String, Content>,
}

impl Model {
    fn layer(&mut self, number: usize, dice: &mut Dice) -> Vec<u8> {
        let (mut own, mut gone) = (BTreeMap::<String, Content>::new(), BTreeSet::new());
        let mut bytes = Vec::new();
        for at in 0..dice.roll(12) as usize {
            let name = format!("f{}", dice.roll(6));
            let content = (number, at);
            match dice.roll(10) {
                0 | 1 => {
                    // Its body counts, though no engine looks at it.
                    let body = vec![b'w'; dice.roll(700) as usize];
                    self.bodies.insert(content, body.len() as u64);
                    bytes.extend(file(format!(".wh.{name}").as_bytes(), &body));
                    gone.insert(name);
                }
                2 | 3 => {
                    let to = format!("f{}", dice.roll(6));
                    let meant = own.get(&to).or_else(|| self.tree.get(&to)).copied();
                    let Some(meant) = meant.filter(|_| to != name) else { continue };
                    bytes.extend(item(b'1', name.as_bytes()).link(to.as_bytes()).bytes());
                    own.insert(name, meant);
                }
                4 => {
                    let (stored, hole) = (1 + dice.roll(900), 1 << dice.roll(40));
                    let map = format!("{hole},{stored}");
                    bytes.extend(pax(&[
                        ("GNU.sparse.major", b"0"),
                        ("GNU.sparse.minor", b"1"),
                        ("GNU.sparse.numblocks", b"1"),
                        ("GNU.sparse.map", map.as_bytes()),
                        ("GNU.sparse.size", (hole + stored).to_string().as_bytes()),
                    ]));
                    bytes.extend(file(name.as_bytes(), &vec![b's'; stored as usize]));
                    self.bodies.insert(content, stored);
                    own.insert(name, content);
                }
                _ => {
                    let body = vec![b'b'; dice.roll(2000) as usize];
                    self.bodies.insert(content, body.len() as u64);
                    bytes.extend(file(name.as_bytes(), &body));
                    own.insert(name, content);
                }
            }
        }
        self.standing.extend(own.values());
        self.tree.retain(|name, _| !gone.contains(name));
        self.tree.extend(own);
        match dice.roll(3) {
            0 => bytes,
            1 => archive(&[&bytes]),
            _ => [archive(&[&bytes]), vec![dice.roll(2) as u8; dice.roll(3000) as usize]].concat(),
        }
    }

    /// Live, buried and replaced bytes of a layer.
    fn sums(&self, layer: usize) -> [u64; 3] {
        let live: BTreeSet<&Content> = self.tree.values().collect();
        let mut sums = [0; 3];
        for (content, bytes) in self.bodies.iter().filter(|((number, _), _)| *number == layer) {
            let stands = self.standing.contains(content);
            let part = match (live.contains(content), stands) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            sums[part] += bytes;
        }
        sums
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// An image as `docker save` writes it.
fn image(layers: &[Vec<u8>]) -> Vec<u8> {
    let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    let config =
        json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}}).to_string();
    let names: Vec<_> = (0..layers.len()).map(|at| format!("{at}/layer.tar")).collect();
    let manifest = json!([{"Config": "config.json", "RepoTags": ["bytes:1"], "Layers": names}]).to_string();
    let mut members = vec![file(b"manifest.json", manifest.as_bytes()), file(b"config.json", config.as_bytes())];
    members.extend(names.iter().zip(layers).map(|(name, layer)| file(name.as_bytes(), layer)));
    archive(&members.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn accounts(reference: &str, catalogue: &Catalogue) -> Accounts {
    account(reference, catalogue, &ScanOptions { jobs: 1, ..ScanOptions::default() }).expect("a readable image")
}

fn assert_balanced(accounts: &Accounts, what: &str) {
    let ledger = &accounts.ledger;
    assert!(ledger.totals.is_balanced(), "{what}: {:?}", ledger.totals);
    for layer in &ledger.layers {
        assert!(layer.sums.is_balanced(), "{what}: {layer:?}");
        assert_eq!(layer.classes.values().sum::<u64>(), layer.sums.tar_bytes, "{what}: classes of {layer:?}");
        let number = layer.layer.number;
        let shares = ledger.owners.iter().flat_map(|owner| &owner.layers).filter(|share| share.number == number);
        assert_eq!(shares.map(|share| share.bytes).sum::<u64>(), layer.sums.tar_bytes, "{what}: owners of {layer:?}");
    }
    assert_eq!(ledger.owners.iter().map(|owner| owner.bytes).sum::<u64>(), ledger.totals.tar_bytes, "{what}: owners");
}

#[test]
fn the_sums_of_random_layers_equal_their_archives() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("image.tar");
    let catalogue = Catalogue::builtin().expect("checked when built");
    for seed in 1..=400 {
        let (mut dice, mut model) = (Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15)), Model::default());
        let layers: Vec<_> = (0..1 + dice.roll(4) as usize).map(|number| model.layer(number, &mut dice)).collect();
        fs::write(&path, image(&layers)).expect("room");
        let accounts = accounts(&format!("docker-archive:{}", path.display()), &catalogue);
        assert_balanced(&accounts, &format!("seed {seed}"));
        for (at, (layer, account)) in layers.iter().zip(&accounts.ledger.layers).enumerate() {
            let sums = account.sums;
            assert_eq!(sums.tar_bytes, layer.len() as u64, "seed {seed}, layer {at}");
            let parts = [sums.live_bytes, sums.buried_bytes, sums.replaced_bytes];
            assert_eq!(parts, model.sums(at), "seed {seed}, layer {at}: live, buried, replaced");
        }
    }
}

#[test]
fn a_directory_has_the_bytes_of_its_files_and_nothing_else() {
    let dir = TempDir::new().expect("a directory");
    fs::create_dir(dir.path().join("d")).expect("made");
    for (name, bytes) in [("a", 700), ("d/b", 41)] {
        fs::write(dir.path().join(name), vec![b'x'; bytes]).expect("room");
    }
    fs::hard_link(dir.path().join("a"), dir.path().join("d/again")).expect("linked");
    let catalogue = Catalogue::builtin().expect("checked when built");
    let accounts = accounts(&format!("dir:{}", dir.path().display()), &catalogue);
    assert_balanced(&accounts, "a directory");
    assert_eq!((accounts.ledger.totals.tar_bytes, accounts.ledger.totals.live_bytes), (741, 741));
}

#[test]
fn the_bytes_of_every_finding_are_in_the_ledger() {
    let catalogue = Catalogue::builtin().expect("checked when built");
    let options = ScanOptions::default();
    let report = scan(IMAGE, &catalogue, &options).expect("a readable image");
    let (_, inventory) = read(IMAGE, &catalogue, &options).expect("a readable image");
    let accounts = accounts(IMAGE, &catalogue);
    assert_balanced(&accounts, "the example");
    assert_eq!(report.totals.bytes, accounts.ledger.totals.live_bytes);
    assert_eq!(report.totals.buried_bytes, accounts.ledger.totals.buried_bytes);
    let mut live = 0;
    for finding in &report.findings {
        let paths = || finding.paths.iter().flat_map(|group| &group.files);
        let files: Vec<_> = match finding.state {
            State::Live => paths().filter_map(|path| inventory.get(path.as_bytes())).collect(),
            State::Buried => paths().flat_map(|path| inventory.buried_at(path.as_bytes())).collect(),
        };
        assert_eq!(inventory.contents_of(files).values().sum::<u64>(), finding.bytes, "{}", finding.rule);
        live += u64::from(finding.bytes > 0);
    }
    assert!(live >= 3, "the example has findings with bytes");
    // TypeScript is one package of one layer: its row is the finding.
    let finding = report.findings.iter().find(|f| f.rule == "build-tool/typescript").expect("the example has it");
    let owner = accounts.ledger.owners.iter().find(|owner| owner.name == "npm:typescript").expect("it owns bytes");
    assert_eq!(owner.bytes, finding.bytes);
}
