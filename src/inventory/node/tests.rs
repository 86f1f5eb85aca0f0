//! Tests of projects on layers made in code; what files say, the probes read.

use super::*;
use crate::{
    model::{Entry, EntryId, Format, Kind, LayerFacts, Observation, Whiteout},
    probe::{Looker, Probes},
};

#[derive(Default)]
struct Layer(LayerFacts);

impl Layer {
    fn entry(mut self, path: &str, kind: Kind, link: &str, body: &str) -> Self {
        let probes = Probes::new([]);
        let mut looker = Looker::new(&probes);
        looker.begin(path.as_bytes(), body.len() as u64);
        looker.body(body.as_bytes());
        let seen = looker.end();
        let entry = Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: link.as_bytes(),
            kind,
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

    fn file(self, path: &str, body: &str) -> Self {
        self.entry(path, Kind::File, "", body)
    }

    fn link(self, path: &str, to: &str) -> Self {
        self.entry(path, Kind::Symlink, to, "")
    }

    /// A package in `dir` with its `package.json`, one file more, and what `more` adds.
    fn package(self, dir: &str, more: &str) -> Self {
        let name = dir.rsplit("node_modules/").next().expect("a name");
        let body = format!(r#"{{"name": "{name}", "version": "1.0.0"{more}}}"#);
        self.file(&format!("{dir}/package.json"), &body).file(&format!("{dir}/index.js"), "code")
    }

    fn whiteout(mut self, path: &str) -> Self {
        self.0.whiteouts.push(Whiteout::Path(path.into()));
        self
    }
}

fn layer() -> Layer {
    Layer::default()
}

fn image<const N: usize>(layers: [Layer; N]) -> Inventory {
    Inventory::build(layers.into_iter().map(|layer| layer.0).collect())
}

/// The packages of a project that have a standing, by place below the project.
fn with(project: &NodeProject, standing: Standing) -> String {
    let root = project.root.as_bytes().len();
    let place =
        |package: &NodePackage| String::from_utf8_lossy(&package.dir.as_bytes()[root..]).replace("/node_modules", "");
    project.packages.iter().filter(|p| p.standing == standing).map(place).collect::<Vec<_>>().join(" ")
}

fn development(image: &Inventory, project: &NodeProject) -> String {
    project.development(image).iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(" ")
}

const HIDDEN: &str = r#"{"lockfileVersion": 3, "packages": {
    "node_modules/express": {}, "node_modules/mocha": {"dev": true}, "node_modules/gone": {"dev": true}}}"#;

const PRUNED: &str = r#"{"lockfileVersion": 3, "packages": {"node_modules/express": {}}}"#;

fn installed() -> Layer {
    layer()
        .file("app/package.json", r#"{"dependencies": {"express": "4"}, "devDependencies": {"mocha": "10"}}"#)
        .link("app/node_modules/.bin/mocha", "../mocha/bin/mocha.js")
        .link("app/node_modules/.bin/mime", "../express/cli.js")
        .file("app/node_modules/.package-lock.json", HIDDEN)
        .package("app/node_modules/express", "")
        .package("app/node_modules/mocha", "")
        .file("app/node_modules/mocha/node_modules/.cache/x", "kept apart")
}

#[test]
fn marks_count_for_what_is_installed() {
    let image = image([installed()]);
    let [project] = image.node_projects().projects() else { panic!("one project") };
    assert_eq!((project.manager, project.proof.confidence), (NodeManager::Npm, Confidence::Certain));
    assert_eq!(
        (with(project, Standing::Development), with(project, Standing::Production)),
        ("/mocha".into(), "/express".into())
    );
    let files = project.files(&image, &project.development(&image));
    let files: Vec<_> =
        files.into_iter().map(|id| String::from_utf8_lossy(image.file(id).path()).into_owned()).collect();
    assert_eq!(
        files,
        ["app/node_modules/.bin/mocha", "app/node_modules/mocha/index.js", "app/node_modules/mocha/package.json"]
    );
}

#[test]
fn what_a_later_layer_pruned_is_buried() {
    let pruned = layer()
        .whiteout("app/node_modules/mocha")
        .whiteout("app/node_modules/.bin/mocha")
        .file("app/node_modules/.package-lock.json", PRUNED);
    let image = image([installed(), layer().file("app/dist/a.js", ""), pruned]);
    let [live, buried] = image.node_projects().projects() else { panic!("two states") };
    assert_eq!((live.state, development(&image, live)), (State::Live, String::new()));
    assert_eq!((buried.hidden_by, development(&image, buried)), (Some(2), "mocha".to_string()));
    assert_eq!(buried.files(&image, &buried.development(&image)).len(), 3);
}

#[test]
fn a_removed_node_modules_is_judged_as_it_was() {
    let image = image([installed(), layer().whiteout("app/node_modules")]);
    let [buried] = image.node_projects().projects() else { panic!("one state") };
    assert_eq!((buried.state, development(&image, buried)), (State::Buried, "mocha".to_string()));
    assert_eq!(buried.packages.len(), 2);
}

#[test]
fn names_are_resolved_from_the_package_upwards_and_cycles_end() {
    let manifest = r#"{"dependencies": {"a": "1"}, "devDependencies": {"ts": "1", "d": "1"}}"#;
    let image = image([layer()
        .file("app/package.json", manifest)
        .package("app/node_modules/a", r#", "dependencies": {"b": "1", "@x/c": "1"}"#)
        .package(
            "app/node_modules/a/node_modules/b",
            r#", "dependencies": {"a": "1"}, "peerDependencies": {"ts": "*"}"#,
        )
        .package("app/node_modules/b", "")
        .package("app/node_modules/@x/c", "")
        .package("app/node_modules/d", r#", "dependencies": {"b": "2", "a": "1"}"#)
        .package("app/node_modules/ts", "")
        .package("app/node_modules/stray", "")]);
    let projects = image.node_projects();
    let [project] = projects.projects() else { panic!("one project") };
    assert_eq!(with(project, Standing::Production), "/@x/c /a/b /a /ts");
    assert_eq!(with(project, Standing::Development), "/b /d");
    assert_eq!(with(project, Standing::Unreached), "/stray");
    let home = |path: &str| image.get(path.as_bytes()).expect("live").id();
    assert_eq!(projects.chain(home("app/node_modules/ts/package.json")), ["a", "b", "ts"]);
    assert_eq!(projects.chain(home("app/node_modules/b/package.json")), ["d", "b"]);
    assert!(projects.chain(home("app/node_modules/stray/package.json")).is_empty());
    assert_eq!(projects.standing(home("app/package.json")), Standing::Unknown);
}

#[test]
fn workspaces_belong_to_their_project_and_others_do_not() {
    let root = r#"{"workspaces": ["packages/*", "!packages/no"], "devDependencies": {"lint": "1"}}"#;
    let member = r#"{"dependencies": {"p": "1"}, "devDependencies": {"q": "1"}}"#;
    let image = image([layer()
        .file("r/package.json", root)
        .package("r/node_modules/lint", "")
        .package("r/node_modules/q", "")
        .link("r/node_modules/@s/m", "../../packages/m")
        .file("r/packages/m/package.json", member)
        .package("r/packages/m/node_modules/p", r#", "dependencies": {"lint": "1"}"#)
        .file("r/packages/no/package.json", member)
        .package("r/packages/no/node_modules/q", "")]);
    let [project, other] = image.node_projects().projects() else { panic!("two projects") };
    assert_eq!(
        (with(project, Standing::Production), with(project, Standing::Development)),
        ("/lint /packages/m/p".into(), "/q".into())
    );
    assert_eq!((other.root.to_string(), development(&image, other)), ("/r/packages/no".to_string(), "q".to_string()));
}

#[test]
fn in_the_store_of_pnpm_links_are_what_counts() {
    let store = "app/node_modules/.pnpm";
    let pnpm = |dev: bool| {
        layer()
            .file("app/package.json", r#"{"dependencies": {"a": "1"}, "devDependencies": {"d": "1", "gone": "1"}}"#)
            .file("app/node_modules/.modules.yaml", &format!("included:\n  devDependencies: {dev}\n"))
            .link("app/node_modules/a", ".pnpm/a@1/node_modules/a")
            .link("app/node_modules/d", ".pnpm/d@1/node_modules/d")
            .link("app/node_modules/gone", ".pnpm/gone@1/node_modules/gone")
            .file("app/node_modules/.bin/dd", "#!/bin/sh")
            .package(&format!("{store}/a@1/node_modules/a"), "")
            .link(&format!("{store}/a@1/node_modules/@x/b"), "../../../@x+b@1/node_modules/@x/b")
            .package(&format!("{store}/@x+b@1/node_modules/@x/b"), "")
            .package(&format!("{store}/d@1/node_modules/d"), r#", "bin": {"dd": "x"}, "dependencies": {"e": "1"}"#)
            .link(&format!("{store}/d@1/node_modules/e"), "../../e@1/node_modules/e")
            .package(&format!("{store}/e@1/node_modules/e"), "")
    };
    let full = image([pnpm(true)]);
    let [project] = full.node_projects().projects() else { panic!("one project") };
    assert_eq!((project.manager, development(&full, project)), (NodeManager::Pnpm, "d e".to_string()));
    let files = project.files(&full, &project.development(&full));
    let names: Vec<_> =
        files.iter().map(|&id| String::from_utf8_lossy(path::name(full.file(id).path())).into_owned()).collect();
    assert_eq!(names, ["dd", "index.js", "package.json", "e", "index.js", "package.json", "d"]);
    let pruned = image([pnpm(false)]);
    let [project] = pruned.node_projects().projects() else { panic!("one project") };
    assert_eq!(development(&pruned, project), "", "the installation left them out");
}

/// A map with `a` for production, `d` for development, and `v`, which both want under two virtual names.
fn map(cache: &str, virtual_cache: &str) -> String {
    let package = |name: &str, reference: &str, location: &str, needs: &str| {
        format!(
            r#"["{name}", [["{reference}", {{"packageLocation": "{location}/node_modules/{name}/", "packageDependencies": [{needs}], "linkType": "HARD"}}]]]"#
        )
    };
    let rows = [
        r#"[null, [[null, {"packageLocation": "./", "packageDependencies": [["a", "npm:1"], ["d", "npm:1"]], "linkType": "SOFT"}]]]"#.to_string(),
        package("a", "npm:1", &format!("{cache}/a.zip"), r#"["v", "virtual:1#npm:1"]"#),
        package("d", "npm:1", &format!("{cache}/d.zip"), r#"["v", "virtual:2#npm:1"], ["u", "npm:2"]"#),
        package("v", "virtual:1#npm:1", &format!("{virtual_cache}/v.zip"), ""),
        package("v", "virtual:2#npm:1", &format!("{virtual_cache}/v.zip"), ""),
        package("u", "npm:2", "./.yarn/unplugged/u-npm-2", ""),
        package("w", "npm:1", &format!("{cache}/absent.zip"), ""),
    ];
    format!(r#"{{"packageRegistryData": [{}]}}"#, rows.join(","))
}

#[test]
fn archives_of_plug_n_play_are_found_where_the_map_has_them() {
    let manifest = r#"{"dependencies": {"a": "1"}, "devDependencies": {"d": "1"}}"#;
    for (cache, virtual_cache, real) in [
        ("./.yarn/cache", "./.yarn/__virtual__/v-virtual-1/0/cache", "srv/app/.yarn/cache"),
        (
            "../../root/.yarn/berry/cache",
            "./.yarn/__virtual__/v-virtual-1/3/root/.yarn/berry/cache",
            "root/.yarn/berry/cache",
        ),
    ] {
        let mut layer = layer()
            .file("srv/app/package.json", manifest)
            .file("srv/app/.pnp.data.json", &map(cache, virtual_cache))
            .package("srv/app/.yarn/unplugged/u-npm-2/node_modules/u", "");
        for name in ["a", "d", "v"] {
            layer = layer.file(&format!("{real}/{name}.zip"), "PK");
        }
        let image = image([layer]);
        let project = image.node_projects().projects().first().expect("a project");
        assert_eq!(project.root.to_string(), "/srv/app");
        let shown = |standing| {
            let of = project.packages.iter().filter(|package| package.standing == standing);
            of.map(|package| package.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        let mut dev: Vec<_> = project.development(&image).iter().map(|package| package.name.as_str()).collect();
        dev.sort_unstable();
        assert_eq!((shown(Standing::Production), dev.join(" ")), ("a v".to_string(), "d u".to_string()), "{cache}");
        assert_eq!(project.files(&image, &project.development(&image)).len(), 3);
    }
}

#[test]
fn a_project_that_asks_for_too_much_stays_unknown_and_is_told() {
    let wanted: Vec<String> = (0..200).map(|n| format!("\"n{n}\": \"1\"")).collect();
    let deep = "app/node_modules/a/lib".to_string() + &"/node_modules/x".repeat(50);
    let image = image([layer()
        .file("app/package.json", r#"{"dependencies": {"a": "1"}, "devDependencies": {"d": "1"}}"#)
        .package("app/node_modules/d", "")
        .package("app/node_modules/a", &format!(", \"dependencies\": {{{}}}", wanted.join(",")))
        .package(&deep, "")]);
    assert!(image.node_projects().undecided().is_none());
    let few = NodeProjects::within(&image, 100);
    assert!(few.undecided().is_some());
    assert!(few.projects().iter().flat_map(|project| &project.packages).all(|p| p.standing == Standing::Unknown));
}
