//! Tests of dev dependencies on images of several layers; what files say, the probes read.

use super::*;
use crate::{
    model::{Entry, EntryId, Format, Kind, LayerFacts, Observation, PackageRow, Whiteout},
    probe::{Looker, Probes},
};

const SITE: &str = "app/.venv/lib/python3.11/site-packages";

const POETRY: &str = "\
[[package]]\nname = \"flask\"\nversion = \"3.1.3\"\ngroups = [\"main\"]
[[package]]\nname = \"packaging\"\nversion = \"26.3\"\ngroups = [\"dev\"]
[[package]]\nname = \"pytest\"\nversion = \"8.4.2\"\ngroups = [\"dev\"]
";

#[derive(Default)]
struct Layer(LayerFacts);

impl Layer {
    fn file(mut self, path: &str, body: &str) -> Self {
        let probes = Probes::new([]);
        let mut looker = Looker::new(&probes);
        looker.begin(path.as_bytes(), body.len() as u64);
        looker.body(body.as_bytes());
        let seen = looker.end();
        assert_eq!(seen.faults, Vec::<String>::new(), "{path}");
        let entry = Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: b"",
            kind: Kind::File,
            format: Format::Text,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: body.len() as u64,
        };
        let entry = self.0.entries.push(&entry).expect("room");
        self.0.observations.extend(seen.facts.into_iter().map(|fact| Observation { entry, fact }));
        self
    }

    /// An installed distribution of 100 bytes and its records.
    fn dist(self, site: &str, name: &str, version: &str, requires: &str) -> Self {
        let home = format!("{site}/{name}-{version}.dist-info");
        let requires: String =
            requires.split('|').filter(|r| !r.is_empty()).map(|r| format!("Requires-Dist: {r}\n")).collect();
        self.file(&format!("{home}/METADATA"), &format!("Name: {name}\nVersion: {version}\n{requires}\n"))
            .file(&format!("{home}/RECORD"), &format!("{name}/__init__.py,,\n"))
            .file(&format!("{site}/{name}/__init__.py"), &"#".repeat(100))
    }

    fn without(mut self, path: &str) -> Self {
        self.0.whiteouts.push(Whiteout::Path(ImagePath::from(path)));
        self
    }
}

fn findings(layers: Vec<Layer>) -> Vec<Finding> {
    let inventory = Inventory::build(layers.into_iter().map(|layer| layer.0).collect());
    let catalogue = Catalogue::builtin().expect("the policies compile");
    let found = super::super::judge(&catalogue, &inventory, &ImageInfo::default(), 0).findings;
    found.into_iter().filter(|finding| finding.rule.starts_with("dev-dependency/")).collect()
}

/// Rule, state, bytes and package names of each finding.
fn shown(layers: Vec<Layer>) -> Vec<String> {
    let line = |finding: &Finding| {
        let names: Vec<_> = finding.packages.iter().map(|package| package.name.as_str()).collect();
        format!("{} {} {} {}", finding.rule, finding.state.word(), finding.bytes, names.join("+"))
    };
    findings(layers).iter().map(line).collect()
}

fn full() -> Layer {
    Layer::default()
        .file("app/poetry.lock", POETRY)
        .dist(SITE, "flask", "3.1.3", "")
        .dist(SITE, "pytest", "8.4.2", "packaging>=20")
        .dist(SITE, "packaging", "26.3", "")
}

#[test]
fn one_finding_tells_all_packages_of_an_environment() {
    let found = findings(vec![full()]);
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.title, "2 of 3 packages in /app/.venv/lib/python3.11/site-packages are dev dependencies");
    assert_eq!(finding.bytes, 200);
    assert_eq!(finding.confidence, Confidence::Certain);
    assert_eq!(finding.evidence[0].witness, "2 of the packages are for dev only, not for production");
}

#[test]
fn packages_that_a_later_layer_removes_are_still_shipped() {
    let removed = ["pytest", "pytest-8.4.2.dist-info", "packaging", "packaging-26.3.dist-info"];
    let pruned = removed.iter().fold(Layer::default(), |layer, name| layer.without(&format!("{SITE}/{name}")));
    assert_eq!(shown(vec![full(), pruned]), ["dev-dependency/python buried 200 packaging+pytest"]);
    let gone = Layer::default().without("app/.venv");
    assert_eq!(shown(vec![full(), gone]), ["dev-dependency/python buried 200 packaging+pytest"]);
}

#[test]
fn an_upgrade_is_no_removal() {
    let lock = POETRY.replace("8.4.2", "8.5.0");
    let upgrade = Layer::default()
        .without(&format!("{SITE}/pytest-8.4.2.dist-info"))
        .file("app/poetry.lock", &lock)
        .dist(SITE, "pytest", "8.5.0", "packaging");
    assert_eq!(shown(vec![full(), upgrade]), ["dev-dependency/python live 200 packaging+pytest"]);
}

#[test]
fn what_something_beside_the_lock_needs_is_left_alone() {
    let image = full().dist(SITE, "gunicorn", "23.0", "packaging");
    assert_eq!(shown(vec![image]), ["dev-dependency/python live 100 pytest"]);
}

#[test]
fn another_release_than_the_locked_one_is_somebody_elses() {
    let image = Layer::default()
        .file("app/poetry.lock", POETRY)
        .dist(SITE, "flask", "3.1.3", "")
        .dist(SITE, "pytest", "7.0", "");
    assert_eq!(shown(vec![image]), Vec::<String>::new());
}

#[test]
fn the_lock_of_a_program_that_is_not_installed_says_nothing() {
    let site = "usr/lib/python3.11/site-packages";
    let image = Layer::default().file("srv/other/poetry.lock", POETRY).dist(site, "pytest", "8.4.2", "");
    assert_eq!(shown(vec![image]), Vec::<String>::new());
}

#[test]
fn a_marker_that_does_not_hold_is_no_reason_to_stay() {
    let lock = "\
[[package]]\nname = \"flask\"\nversion = \"3.1.3\"\ngroups = [\"main\"]
[[package]]\nname = \"colorama\"\nversion = \"0.4\"\ngroups = [\"main\", \"dev\"]\nmarkers = {main = \"sys_platform == 'win32'\"}
";
    let image = |lock: &str| {
        Layer::default()
            .file("app/poetry.lock", lock)
            .dist(SITE, "flask", "3.1.3", "")
            .dist(SITE, "colorama", "0.4", "")
    };
    assert_eq!(shown(vec![image(lock)]), ["dev-dependency/python live 100 colorama"]);
    assert_eq!(shown(vec![image(&lock.replace("win32", "linux"))]), Vec::<String>::new());
}

#[test]
fn what_a_distribution_owns_is_never_for_development() {
    let site = "usr/lib/python3/dist-packages";
    let image = Layer::default()
        .file("app/poetry.lock", POETRY)
        .dist(site, "flask", "3.1.3", "")
        .dist(site, "pytest", "8.4.2", "");
    assert_eq!(shown(vec![image]).len(), 1);
    let mut image = Layer::default()
        .file("app/poetry.lock", POETRY)
        .dist(site, "flask", "3.1.3", "")
        .dist(site, "pytest", "8.4.2", "")
        .file(
            "var/lib/dpkg/status",
            "Package: python3-pytest\nStatus: install ok installed\nVersion: 8\nArchitecture: all\n",
        );
    let list = Fact::FileList {
        package: "python3-pytest".to_string(),
        files: vec![ImagePath::from(format!("{site}/pytest-8.4.2.dist-info/METADATA").as_str())],
    };
    let entry = EntryId(image.0.entries.len() as u32 - 1);
    assert!(
        matches!(&image.0.observations.last().expect("status").fact, Fact::Packages { rows, .. } if rows != &[PackageRow::default()])
    );
    image.0.observations.push(Observation { entry, fact: list });
    assert_eq!(shown(vec![image]), Vec::<String>::new());
}

#[test]
fn groups_that_may_be_for_production_are() {
    let image = full().0;
    let lock = POETRY.replace("[\"dev\"]", "[\"worker\"]");
    assert_eq!(shown(vec![Layer(image), Layer::default().file("app/poetry.lock", &lock)]), Vec::<String>::new());
}

#[test]
fn lists_of_requirements_count_where_production_is_installed() {
    let lists = || {
        Layer::default()
            .file("app/requirements/base.txt", "flask[async]>=3  # web\n")
            .file("app/requirements/dev.txt", "-r base.txt\npytest==8.4.2 --hash=sha256:x\n")
            .dist(SITE, "pytest", "8.4.2", "packaging")
            .dist(SITE, "packaging", "26.3", "")
    };
    let production = lists().dist(SITE, "flask", "3.1.3", "asgiref;extra == 'async'");
    assert_eq!(shown(vec![production]), ["dev-dependency/python live 200 packaging+pytest"]);
    assert_eq!(shown(vec![lists()]), Vec::<String>::new());
    let both = lists().dist(SITE, "flask", "3.1.3", "packaging; extra == 'async'");
    assert_eq!(shown(vec![both]), ["dev-dependency/python live 100 pytest"]);
}

#[test]
fn composer_without_dev_in_a_later_layer_leaves_the_bytes() {
    let record = |dev: &str, names: &str| format!(r#"{{"packages": [{names}], "dev-package-names": [{dev}]}}"#);
    let unit = r#"{"name": "acme/unit", "bin": ["bin/unit"], "install-path": "../acme/unit"}"#;
    let log = r#"{"name": "acme/log", "install-path": "../acme/log"}"#;
    let full = Layer::default()
        .file("app/vendor/composer/installed.json", &record("\"acme/unit\"", &format!("{log}, {unit}")))
        .file("app/vendor/acme/log/A.php", "12345")
        .file("app/vendor/acme/unit/A.php", "1234567")
        .file("app/vendor/bin/unit", "123");
    let pruned = Layer::default()
        .file("app/vendor/composer/installed.json", &record("", log))
        .without("app/vendor/acme/unit")
        .without("app/vendor/bin/unit");
    assert_eq!(shown(vec![full, pruned]), ["dev-dependency/composer buried 10 acme/unit"]);
}

#[test]
fn gems_that_bundler_cleaned_in_a_later_layer_are_still_shipped() {
    let gem = |layer: Layer, name: &str| {
        layer
            .file(&format!("bundle/specifications/{name}-1.gemspec"), &format!("# stub: {name} 1 ruby lib\n"))
            .file(&format!("bundle/gems/{name}-1/lib/{name}.rb"), "12345")
            .file(&format!("bundle/extensions/x86_64-linux/3.1.0/{name}-1/{name}.so"), "123")
    };
    let full = Layer::default()
        .file("app/Gemfile", "gem 'web'\ngem 'tester', group: :test\n")
        .file("app/Gemfile.lock", "GEM\n  specs:\n    tester (1)\n    web (1)\n\nDEPENDENCIES\n  tester\n  web\n");
    let full = ["web", "tester"].into_iter().fold(full, gem);
    let cleaned = ["specifications/tester-1.gemspec", "gems/tester-1", "extensions/x86_64-linux/3.1.0/tester-1"]
        .iter()
        .fold(Layer::default(), |layer, path| layer.without(&format!("bundle/{path}")));
    assert_eq!(shown(vec![full, cleaned]), ["dev-dependency/bundler buried 34 tester"]);
}

#[test]
fn gems_that_ruby_brings_beside_its_own_are_none_of_the_projects() {
    let gem = |layer: Layer, name: &str| {
        let root = "usr/local/lib/ruby/gems/3.1.0";
        layer
            .file(&format!("{root}/specifications/{name}-1.gemspec"), &format!("# stub: {name} 1 ruby lib\n"))
            .file(&format!("{root}/gems/{name}-1/lib/{name}.rb"), "12345")
    };
    let default = "usr/local/lib/ruby/gems/3.1.0/specifications/default/json-2.gemspec";
    let ruby = || Layer::default().file(default, "# stub: json 2 ruby lib\n");
    let project = |test: &str| {
        let lock = format!("GEM\n  specs:\n    {test} (1)\n    web (1)\n\nDEPENDENCIES\n  {test}\n  web\n");
        Layer::default()
            .file("app/Gemfile", &format!("gem 'web'\ngem '{test}', group: :test\n"))
            .file("app/Gemfile.lock", &lock)
    };
    let bundled = shown(vec![gem(ruby(), "test-unit"), gem(project("test-unit"), "web")]);
    assert_eq!(bundled, [""; 0]);
    let later = shown(vec![ruby(), gem(gem(project("test-unit"), "web"), "test-unit")]);
    assert_eq!(later.len(), 1, "Bundler installed it: {later:?}");
    let other = shown(vec![gem(ruby(), "tester"), gem(project("tester"), "web")]);
    assert_eq!(other.len(), 1, "Ruby brings no such gem: {other:?}");
    let elsewhere = shown(vec![gem(Layer::default(), "test-unit"), gem(project("test-unit"), "web")]);
    assert_eq!(elsewhere.len(), 1, "Ruby is not there: {elsewhere:?}");
}
