//! Tests of the merge, the questions and the owners, on layers made in code.

use std::collections::BTreeMap;

use super::*;
use crate::model::{ImagePath, NpmPackage, Observation, PackageRow, PythonDist, Whiteout};

/// A layer, written line by line.
#[derive(Clone, Default)]
pub(crate) struct Layer(LayerFacts);

impl Layer {
    pub(super) fn entry(mut self, path: &str, kind: Kind, link: &str, size: u64) -> Self {
        let (path, link) = (path.as_bytes(), link.as_bytes());
        let entry = Entry { path, link, kind, size, mode: 0o755, ..NO_ENTRY };
        self.0.entries.push(&entry).expect("room");
        self
    }

    pub(crate) fn file(self, path: &str) -> Self {
        self.entry(path, Kind::File, "", 10)
    }

    pub(crate) fn dir(self, path: &str) -> Self {
        self.entry(path, Kind::Dir, "", 0)
    }

    /// A directory or a file of somebody, with these bits.
    pub(crate) fn of(mut self, path: &str, kind: Kind, owner: (u32, u32), mode: u16) -> Self {
        let entry = Entry { path: path.as_bytes(), kind, size: 10, uid: owner.0, gid: owner.1, mode, ..NO_ENTRY };
        self.0.entries.push(&entry).expect("room");
        self
    }

    pub(crate) fn link(self, path: &str, to: &str) -> Self {
        self.entry(path, Kind::Symlink, to, 0)
    }

    pub(super) fn hard(self, path: &str, to: &str) -> Self {
        self.entry(path, Kind::Hardlink, to, 0)
    }

    pub(crate) fn whiteout(mut self, path: &str) -> Self {
        self.0.whiteouts.push(Whiteout::Path(path.into()));
        self
    }

    fn opaque(mut self, path: &str) -> Self {
        self.0.whiteouts.push(Whiteout::Opaque(path.into()));
        self
    }

    pub(crate) fn facts(self) -> LayerFacts {
        self.0
    }

    /// Adds a fact about the last entry.
    pub(crate) fn fact(mut self, fact: Fact) -> Self {
        let entry = EntryId(self.0.entries.len() as u32 - 1);
        self.0.observations.push(Observation { entry, fact });
        self
    }
}

pub(crate) fn layer() -> Layer {
    Layer::default()
}

pub(super) fn image<const N: usize>(layers: [Layer; N]) -> Inventory {
    Inventory::build(layers.into_iter().map(|l| l.0).collect())
}

/// An image of names, layer by layer; a directory's ends with a slash.
pub(crate) fn named(layers: &[&[&str]]) -> Inventory {
    let add = |layer: Layer, name: &&str| match name.strip_suffix('/') {
        Some(dir) => layer.dir(dir),
        None => layer.file(name),
    };
    Inventory::build(layers.iter().map(|names| names.iter().fold(layer(), add).0).collect())
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// `path@layer` of every live file.
fn live(image: &Inventory) -> Vec<String> {
    image.files().map(|f| format!("{}@{}", text(f.path()), f.layer())).collect()
}

/// `path@layer<hider` of every buried file.
fn buried(image: &Inventory) -> Vec<String> {
    image.buried().map(|f| format!("{}@{}<{}", text(f.path()), f.layer(), f.hidden_by().expect("buried"))).collect()
}

#[test]
fn an_upper_file_buries_the_lower_one() {
    let image = image([layer().file("a"), layer().file("a"), layer().file("a")]);
    assert_eq!(live(&image), ["a@2"]);
    assert_eq!(buried(&image), ["a@0<1", "a@1<2"]);
}

#[test]
fn whiteout_hides_lower_layers_only() {
    let image = image([layer().dir("d").file("d/x").file("dx"), layer().whiteout("d").dir("d").file("d/x")]);
    assert_eq!(live(&image), ["d@1", "d/x@1", "dx@0"]);
    assert_eq!(buried(&image), ["d@0<1", "d/x@0<1"]);
}

#[test]
fn a_whiteout_does_not_follow_a_linked_parent() {
    let image = image([
        layer().dir("usr").dir("usr/lib").file("usr/lib/key").link("lib", "usr/lib"),
        layer().whiteout("lib/key"),
    ]);
    assert!(image.get(b"usr/lib/key").is_some());
}

#[test]
fn a_file_below_a_link_turns_the_link_into_a_directory() {
    let image = image([layer().dir("usr").dir("usr/bin").link("bin", "usr/bin"), layer().file("bin/x")]);
    assert_eq!(image.get(b"bin").map(|f| f.kind()), Some(Kind::Dir));
    assert_eq!(buried(&image), ["bin@0<1"]);
    assert!(image.get(b"usr/bin/x").is_none());
}

#[test]
fn an_opaque_directory_hides_what_lower_layers_put_in_it_and_keeps_its_own() {
    let image =
        image([layer().dir("d").file("d/old").dir("d/s").file("d/s/deep"), layer().dir("d").file("d/new").opaque("d")]);
    assert_eq!(live(&image), ["d@1", "d/new@1"]);
    assert_eq!(buried(&image), ["d/old@0<1", "d/s@0<1", "d/s/deep@0<1"]);
}

#[test]
fn a_file_over_a_directory_buries_the_whole_tree_for_good() {
    let image = image([layer().dir("d").file("d/x"), layer().file("d"), layer().dir("d").file("d/y")]);
    assert_eq!(live(&image), ["d@2", "d/y@2"]);
    assert_eq!(buried(&image), ["d@0<1", "d@1<2", "d/x@0<1"]);
}

#[test]
fn directories_without_an_entry_are_shown_once_and_never_replace_a_described_one() {
    let image = image([layer().dir("opt"), layer().file("opt/a/b/c"), layer().file("opt/a/d")]);
    assert_eq!(live(&image), ["opt@0", "opt/a@1", "opt/a/b@1", "opt/a/b/c@1", "opt/a/d@2"]);
}

#[test]
fn the_nearest_hider_is_named() {
    let image = image([layer().dir("d").file("d/x"), layer().whiteout("d/x"), layer().whiteout("d")]);
    assert_eq!(buried(&image), ["d@0<2", "d/x@0<1"]);
}

#[test]
fn links_are_followed_in_the_finished_tree_and_loops_end() {
    let image = image([layer()
        .dir("usr")
        .dir("usr/bin")
        .file("usr/bin/gcc-12")
        .link("usr/bin/gcc", "gcc-12")
        .link("bin", "usr/bin")
        .link("abs", "/bin/../bin/gcc")
        .link("loop", "loop2")
        .link("loop2", "/loop")
        .link("out", "../../../usr/bin/gcc-12")]);
    for path in ["usr/bin/gcc", "bin/gcc", "abs", "out", "/usr/./bin/../bin/gcc"] {
        assert_eq!(image.resolve(path.as_bytes()).map(|f| text(f.path())).as_deref(), Some("usr/bin/gcc-12"), "{path}");
    }
    for path in ["loop", "usr/bin/gcc-12/x", "nothing"] {
        assert!(image.resolve(path.as_bytes()).is_none(), "{path}");
    }
}

#[test]
fn a_hard_link_has_the_content_of_its_target_even_when_the_target_is_replaced_above() {
    let image = image([
        layer().file("a").fact(Fact::Literals(vec!["old".into()])).hard("b", "a").hard("c", "b"),
        layer().file("a"),
    ]);
    for name in ["b", "c"] {
        let link = image.get(name.as_bytes()).expect("live");
        assert_eq!(link.target().map(|t| (text(t.path()), t.layer())), Some(("a".into(), 0)));
        assert_eq!(link.facts().count(), 1);
        assert_eq!(link.size(), 0);
    }
    let loops = self::image([layer().hard("x", "y").hard("y", "x"), layer().hard("z", "z")]);
    assert!(loops.files().all(|f| f.target().is_none() && f.content() == f.id()));
}

#[test]
fn ranges_below_a_directory_hold_it_all_and_nothing_beside_it() {
    let image = image([layer().dir("a").file("a/x").file("a-b").dir("a/y").file("a/y/z").file("ab")]);
    assert_eq!(image.under(b"a").map(|f| text(f.path())).collect::<Vec<_>>(), ["a/x", "a/y", "a/y/z"]);
    assert_eq!(image.under(b"").count(), 6);
}

fn row(name: &str, version: &str) -> PackageRow {
    PackageRow { name: name.into(), version: version.into(), ..PackageRow::default() }
}

fn deb(rows: Vec<PackageRow>) -> Fact {
    Fact::Packages { manager: Manager::Deb, rows }
}

fn list(package: &str, files: &[&str]) -> Fact {
    Fact::FileList { package: package.into(), files: files.iter().map(|f| ImagePath::from(*f)).collect() }
}

#[test]
fn a_deb_owns_its_files_through_merged_usr_and_diversions() {
    let image = image([layer()
        .dir("usr")
        .dir("usr/bin")
        .link("bin", "usr/bin")
        .file("usr/bin/sh")
        .file("usr/bin/gcc.orig")
        .file("var/lib/dpkg/diversions")
        .fact(Fact::Diversions(vec![("usr/bin/gcc".into(), "usr/bin/gcc.orig".into())]))
        .file("var/lib/dpkg/info/dash.list")
        .fact(list("dash", &["bin", "bin/sh", "usr/share/doc/absent"]))
        .file("var/lib/dpkg/info/gcc.list")
        .fact(list("gcc", &["usr/bin/gcc"]))
        .file("var/lib/dpkg/status")
        .fact(deb(vec![row("dash", "0.5"), row("gcc", "12")]))]);
    let owner = |path: &str| image.owner(image.get(path.as_bytes()).expect("live").id()).map(|p| p.name.clone());
    assert_eq!(owner("usr/bin/sh").as_deref(), Some("dash"));
    assert_eq!(owner("usr/bin/gcc.orig").as_deref(), Some("gcc"));
    assert_eq!(owner("bin"), Some("dash".to_string()), "the link itself is listed by the package");
}

#[test]
fn a_package_removed_above_is_buried_with_its_files_and_a_kept_one_is_not_doubled() {
    let image = image([
        layer()
            .file("usr/bin/gcc")
            .file("usr/bin/sh")
            .file("var/lib/dpkg/info/gcc.list")
            .fact(list("gcc", &["usr/bin/gcc"]))
            .file("var/lib/dpkg/info/dash.list")
            .fact(list("dash", &["usr/bin/sh"]))
            .file("var/lib/dpkg/status")
            .fact(deb(vec![row("dash", "1"), row("gcc", "12")])),
        layer()
            .whiteout("usr/bin/gcc")
            .whiteout("var/lib/dpkg/info/gcc.list")
            .file("var/lib/dpkg/status")
            .fact(deb(vec![row("dash", "1")])),
    ]);
    let all: Vec<_> = image.packages().iter().map(|p| (p.name.as_str(), p.state, p.files.len())).collect();
    assert_eq!(all, [("dash", State::Live, 1), ("gcc", State::Buried, 1)]);
    assert_eq!(image.totals().packages, 1);
}

#[test]
fn a_deleted_database_still_describes_the_files_that_stayed() {
    let image = image([
        layer()
            .file("usr/bin/gcc")
            .file("usr/bin/gone")
            .file("var/lib/dpkg/info/gcc.list")
            .fact(list("gcc", &["usr/bin/gcc"]))
            .file("var/lib/dpkg/info/old.list")
            .fact(list("old", &["usr/bin/gone"]))
            .file("var/lib/dpkg/status")
            .fact(deb(vec![row("gcc", "12"), row("old", "1")])),
        layer().whiteout("var/lib/dpkg").whiteout("usr/bin/gone"),
    ]);
    let all: Vec<_> = image.packages().iter().map(|p| (p.name.as_str(), p.state, p.files.len())).collect();
    assert_eq!(all, [("gcc", State::Live, 1), ("old", State::Buried, 1)]);
}

#[test]
fn a_module_owns_its_directory_without_nested_modules_and_the_application_is_no_module() {
    let npm =
        |name: &str| Fact::Npm(NpmPackage { name: name.into(), version: "1.0.0".into(), ..NpmPackage::default() });
    let image = image([layer()
        .file("app/package.json")
        .fact(npm("shop"))
        .file("app/node_modules/webpack/package.json")
        .fact(npm("webpack"))
        .file("app/node_modules/webpack/lib/index.js")
        .file("app/node_modules/webpack/node_modules/ws/package.json")
        .fact(npm("ws"))
        .file("app/node_modules/webpack/dist/compiled/x/package.json")
        .fact(npm("inner"))
        .file("app/node_modules/@babel/core/package.json")
        .fact(npm("@babel/core"))]);
    let all: Vec<_> = image.packages().iter().map(|p| (p.name.as_str(), p.files.len())).collect();
    assert_eq!(all, [("@babel/core", 1), ("ws", 1), ("webpack", 3)]);
}

#[test]
fn a_python_distribution_owns_what_its_record_lists() {
    let dist = |name: &str, files: &[&str]| {
        let files = files.iter().map(|f| ImagePath::from(*f)).collect();
        let version = if name.is_empty() { String::new() } else { "3.28".to_string() };
        Fact::Python(PythonDist { name: name.into(), version, files, ..PythonDist::default() })
    };
    let image = image([layer()
        .file("opt/venv/bin/cmake")
        .file("opt/venv/lib/cmake-3.28.dist-info/METADATA")
        .fact(dist("cmake", &[]))
        .file("opt/venv/lib/cmake-3.28.dist-info/RECORD")
        .fact(dist("", &["opt/venv/bin/cmake", "opt/venv/lib/cmake-3.28.dist-info/METADATA"]))]);
    let owned = image.get(b"opt/venv/bin/cmake").and_then(|f| f.owner());
    assert_eq!(owned.map(|p| (p.manager, p.name.as_str(), p.files.len())), Some((Manager::Pypi, "cmake", 2)));
}

/// The merge as one would do it by hand: lowest layer first, on a map of paths.
#[derive(Default)]
struct SlowTree(BTreeMap<String, (u32, Kind, bool)>);

impl SlowTree {
    fn apply(&mut self, layer: u32, facts: &LayerFacts) {
        let text_of = |p: &ImagePath| text(p.as_bytes());
        for whiteout in &facts.whiteouts {
            match whiteout {
                Whiteout::Path(p) => self.remove(&text_of(p)),
                Whiteout::Opaque(p) => self.empty(&text_of(p)),
            }
        }
        for entry in facts.entries.iter() {
            let path = text(entry.path);
            for dir in path::ancestors(entry.path).map(text).collect::<Vec<_>>().into_iter().rev() {
                if self.0.get(&dir).is_none_or(|(_, kind, _)| *kind != Kind::Dir) {
                    self.remove(&dir);
                    self.0.insert(dir, (layer, Kind::Dir, true));
                }
            }
            let both_dirs = entry.kind == Kind::Dir && self.0.get(&path).is_some_and(|(_, kind, _)| *kind == Kind::Dir);
            if !both_dirs {
                self.remove(&path);
            }
            self.0.insert(path, (layer, entry.kind, false));
        }
    }

    fn remove(&mut self, path: &str) {
        self.0.remove(path);
        self.empty(path);
    }

    fn empty(&mut self, dir: &str) {
        self.0.retain(|p, _| !path::is_below(p.as_bytes(), dir.as_bytes()));
    }
}

#[test]
fn the_merge_equals_the_slow_one_on_thousands_of_random_images() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for round in 0..4_000 {
        let mut layers = Vec::new();
        for _ in 0..=random(5) {
            let mut made: BTreeMap<String, Kind> = BTreeMap::new();
            let mut layer = layer();
            for _ in 0..random(7) {
                let depth = 1 + random(3);
                let path = (0..depth).map(|_| ["a", "b", "a-"][random(3) as usize]).collect::<Vec<_>>().join("/");
                match random(6) {
                    0 => layer = layer.whiteout(&path),
                    1 => layer = layer.opaque(&path),
                    n => {
                        made.insert(path, if n == 2 { Kind::Dir } else { Kind::File });
                    }
                }
            }
            // A settled layer holds nothing below a file of its own.
            let files: Vec<String> = made.iter().filter(|(_, k)| **k != Kind::Dir).map(|(p, _)| p.clone()).collect();
            made.retain(|p, _| !files.iter().any(|f| path::is_below(p.as_bytes(), f.as_bytes())));
            for (path, kind) in made {
                layer = layer.entry(&path, kind, "", 1);
            }
            layers.push(layer.0);
        }
        let mut slow = SlowTree::default();
        for (at, facts) in layers.iter().enumerate() {
            slow.apply(at as u32, facts);
        }
        let want: Vec<_> =
            slow.0.iter().map(|(p, (layer, kind, implied))| (p.clone(), *layer, *kind, *implied)).collect();
        let shown = format!("{layers:?}");
        let merged = Inventory::build(layers);
        let got: Vec<_> = merged.files().map(|f| (text(f.path()), f.layer(), f.kind(), f.node.implied)).collect();
        assert_eq!(got, want, "round {round}: {shown}");
    }
}
