//! Tests of loose files and whole directories on images of several layers.

use std::time::{Duration, Instant};

use crate::{
    catalogue::{Catalogue, Example},
    inventory::Inventory,
    model::{
        Confidence, Entry, EntryId, Fact, Finding, Format, ImageConfig, ImageInfo, ImagePath, Kind, LayerFacts,
        NpmPackage, Observation, Severity, State, Whiteout,
    },
    rule::{judge, proof},
};

/// Rules about invented leftovers, so that the tests do not hang on `policies/`.
const RULES: &str = r#"
[[remedy]]
id = "stages"
title = "Use two stages"
text = "Use two stages."
dockerfile = "FROM scratch"

[[remedy]]
id = "mill"
title = "Grind it before"
text = "Grind it before."
dockerfile = "FROM mill"

[[rule]]
id = "build-tool/oven"
title = "Oven in the final image"
subject = "Oven"
severity = "high"
why = "It is not needed."
remedy = "stages"
refs = ["https://example.com/oven"]
[[rule.structure]]
name = "oven"
members = [{ path = "bin/oven", format = "elf" }, { path = "VERSION" }]
subtree = true
[[rule.hit]]
files = [{ path = "opt/oven/bin/oven", elf = { program = true } }, { path = "opt/oven/VERSION", format = "text" }]
[[rule.miss]]
why = "a text"
files = [{ path = "bin/oven", format = "text" }]

[[rule]]
id = "vcs/diary"
title = "Diary in the final image"
subject = "Diary"
severity = "high"
why = "It tells everything."
remedy = "stages"
refs = ["https://example.com/diary"]
[[rule.tree]]
name = "diary"
members = [{ path = "DIARY", head = ["Dear diary"] }, { path = "pages/" }]
unowned = false
[[rule.hit]]
files = [{ path = "a/DIARY", format = "text", contains = ["Dear diary"] }, { path = "a/pages/1" }]
[[rule.miss]]
why = "another text"
files = [{ path = "a/DIARY", format = "text", contains = ["2024"] }, { path = "a/pages/1" }]

[[rule]]
id = "cache/crumbs"
title = "Crumbs in the final image"
subject = "Crumbs"
severity = "low"
why = "Nobody eats them."
remedy = "stages"
refs = ["https://example.com/crumbs"]
[[rule.tree]]
name = "crumbs"
at = [".cache/crumbs"]
members = [{ path = ["bits/", "bobs/"] }]
keep = ["jar"]
[[rule.hit]]
files = [{ path = "root/.cache/crumbs/bits/a" }]
[[rule.miss]]
why = "only the jar"
files = [{ path = "root/.cache/crumbs/jar/bits" }]

[[rule]]
id = "source/recipe"
title = "Recipes in the final image"
subject = "Recipes"
severity = "medium"
why = "The cake is baked."
remedy = "stages"
refs = ["https://example.com/recipe"]
[[rule.files]]
name = "recipes"
names = ["*.recipe", "*.ts"]
format = ["text"]
output = { endings = [".cake", ".js"], dirs = ["plates"], not_run_by = ["tsx"] }
[[rule.files]]
name = "lists"
names = ["SHOPPING"]
format = ["text"]
company = true
[[rule.files]]
name = "flour"
names = ["*.flour"]
format = ["text"]
remedy = "mill"
[[rule.hit]]
files = [{ path = "app/a.recipe", format = "text" }, { path = "app/a.cake" }]
[[rule.hit]]
files = [{ path = "app/a.flour", format = "text" }]
[[rule.miss]]
why = "nothing was baked"
files = [{ path = "app/a.recipe", format = "text" }]
"#;

fn catalogue() -> Catalogue {
    Catalogue::from_files(vec![("rules.toml".to_string(), RULES.to_string())]).expect("good rules")
}

fn layer(example: &str, whiteouts: &[&str]) -> LayerFacts {
    let example: Example = toml::from_str(example).expect("an example");
    let mut layer = proof::layer(&catalogue(), &example);
    layer.whiteouts = whiteouts.iter().map(|path| Whiteout::Path(ImagePath::from(*path))).collect();
    layer
}

/// Judges layers, lowest first, of an image that starts `cmd` in /app.
fn findings(layers: Vec<LayerFacts>, cmd: &[&str]) -> Vec<Finding> {
    let cmd: Vec<String> = cmd.iter().map(|word| word.to_string()).collect();
    let config = (!cmd.is_empty()).then(|| ImageConfig {
        cmd,
        user: "65532:65532".to_string(),
        working_dir: "/app".to_string(),
        ..ImageConfig::default()
    });
    judge(&catalogue(), &Inventory::build(layers), &ImageInfo { config, ..ImageInfo::default() }, 0).findings
}

fn only(layers: Vec<LayerFacts>) -> Finding {
    let mut all = findings(layers, &[]);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn files(finding: &Finding) -> Vec<String> {
    finding.paths.iter().flat_map(|group| &group.files).map(ToString::to_string).collect()
}

const DIARY: &str = r#"files = [
    { path = "app/.d/DIARY", format = "text", contains = ["Dear diary"] },
    { path = "app/.d/pages/1" },
    { path = "app/.d/pages/2", size = 5000 },
]"#;

#[test]
fn the_rules_of_these_tests_hold() {
    assert_eq!(proof::prove(&catalogue()), []);
}

#[test]
fn a_tree_holds_all_that_lies_below_and_is_found_by_content() {
    let finding = only(vec![layer(DIARY, &[])]);
    assert_eq!((finding.rule.as_str(), finding.severity, finding.bytes), ("vcs/diary", Severity::High, 7000));
    assert_eq!(files(&finding), ["/app/.d/DIARY", "/app/.d/pages/1", "/app/.d/pages/2"]);
    assert_eq!(finding.evidence[0].witness, "diary: DIARY, pages");
}

#[test]
fn what_a_later_layer_removed_is_still_shipped_and_a_history_still_read() {
    let finding = only(vec![layer(DIARY, &[]), layer("", &["app/.d"])]);
    assert_eq!((finding.state, finding.severity, finding.bytes), (State::Buried, Severity::Medium, 7000));
    let crumbs = r#"files = [{ path = "root/.cache/crumbs/bits/a", size = 60_000_000 }]"#;
    let finding = only(vec![layer(crumbs, &[]), layer("", &["root/.cache"])]);
    assert_eq!((finding.state, finding.severity), (State::Buried, Severity::Medium), "large");
    let emptied =
        layer(r#"files = [{ path = "root/.cache/crumbs/lock", format = "empty" }]"#, &["root/.cache/crumbs/bits"]);
    let finding = only(vec![layer(crumbs, &[]), emptied]);
    assert_eq!((finding.state, files(&finding).len()), (State::Buried, 1));
}

#[test]
fn an_older_copy_counts_as_buried_bytes_of_the_live_one() {
    let crumbs = r#"files = [{ path = "root/.cache/crumbs/bits/a" }]"#;
    let finding = only(vec![layer(crumbs, &[]), layer(crumbs, &[])]);
    assert_eq!((finding.state, finding.bytes, finding.buried_bytes), (State::Live, 1000, 1000));
}

#[test]
fn what_is_large_weighs_more() {
    let of = |size: u64| {
        let crumbs = format!(r#"files = [{{ path = "root/.cache/crumbs/bits/a", size = {size} }}]"#);
        only(vec![layer(&crumbs, &[])]).severity
    };
    assert_eq!((of(50_000_000), of(50_000_001)), (Severity::Low, Severity::Medium));
}

#[test]
fn a_file_with_another_name_that_stays_is_not_freed() {
    let finding = only(vec![layer(
        r#"files = [
            { path = "app/used" },
            { path = "root/.cache/crumbs/bits/a", kind = "hardlink", link = "app/used" },
            { path = "root/.cache/crumbs/bits/b" },
            { path = "root/.cache/crumbs/bits/c", kind = "hardlink", link = "root/.cache/crumbs/bits/b" },
            { path = "root/.cache/crumbs/jar/d" },
        ]"#,
        &[],
    )]);
    assert_eq!(files(&finding), ["/root/.cache/crumbs/bits/b", "/root/.cache/crumbs/bits/c"]);
    assert_eq!(finding.bytes, 1000);
}

#[test]
fn the_outer_of_two_trees_and_a_tools_tree_explain_what_lies_in_them() {
    let nested = DIARY.replace("app/.d", "root/.cache/crumbs/bits/.d");
    assert_eq!(only(vec![layer(&nested, &[])]).rule, "cache/crumbs");
    let oven = r#"files = [
        { path = "opt/oven/bin/oven", elf = { program = true } },
        { path = "opt/oven/VERSION", format = "text" },
        { path = "opt/oven/a.recipe", format = "text" },
        { path = "opt/oven/a.cake" },
    ]"#;
    assert_eq!(only(vec![layer(oven, &[])]).rule, "build-tool/oven");
}

#[test]
fn loose_files_are_told_by_project_with_what_keeps_them_company() {
    let mut all = findings(
        vec![layer(
            r#"files = [
                { path = "srv/a/package.json", format = "text" },
                { path = "srv/a/src/x.recipe", format = "text" },
                { path = "srv/a/src/deep/y.recipe", format = "text" },
                { path = "srv/a/plates/all.cake" },
                { path = "srv/a/SHOPPING", format = "text" },
                { path = "opt/b/z.recipe", format = "text" },
                { path = "opt/b/z.cake" },
                { path = "opt/c/SHOPPING", format = "text" },
                { path = "app/node_modules/d/a.recipe", format = "text" },
                { path = "app/node_modules/d/a.cake" },
            ]"#,
            &[],
        )],
        &[],
    );
    all.sort_by_key(files);
    let told: Vec<_> = all.iter().map(|f| (f.paths[0].root.to_string(), files(f).len(), f.confidence)).collect();
    assert_eq!(told, [("/opt/b".to_string(), 1, Confidence::High), ("/srv/a".to_string(), 3, Confidence::High)]);
    assert_eq!(
        all[1].evidence.iter().map(|e| e.witness.as_str()).collect::<Vec<_>>(),
        ["lists: 1 file", "recipes: 2 files"]
    );
}

#[test]
fn what_is_found_alone_has_a_remedy_of_its_own() {
    let remedy = |names: &[&str]| {
        let file = |name: &&str| format!("{{ path = \"app/{name}\", format = \"text\" }}, ");
        let files: String = names.iter().map(file).collect();
        only(vec![layer(&format!("files = [{files}{{ path = \"app/a.cake\" }}]"), &[])]).remedy.id
    };
    assert_eq!(remedy(&["a.flour"]), "mill");
    assert_eq!(remedy(&["a.flour", "SHOPPING"]), "mill", "a list has no say");
    assert_eq!(remedy(&["a.flour", "a.recipe"]), "stages");
    assert_eq!(remedy(&["a.recipe"]), "stages");
}

#[test]
fn sources_that_the_command_runs_are_the_program() {
    let sources = || {
        let mut layer = layer(
            r#"files = [{ path = "app/main.ts", format = "text" }, { path = "app/main.js", format = "js" }, { path = "app/package.json", format = "text" }]"#,
            &[],
        );
        let manifest = layer.entries.iter().find(|entry| entry.path == b"app/package.json").map(|entry| entry.id);
        let script = |name: &str, text: &str| (name.to_string(), text.to_string());
        let npm = NpmPackage {
            name: "shop".to_string(),
            scripts: vec![
                script("start", "npm run serve"),
                script("serve", "tsx watch main"),
                script("prod", "node main.js"),
            ],
            ..NpmPackage::default()
        };
        layer.observations.push(Observation { entry: manifest.expect("the manifest"), fact: Fact::Npm(npm) });
        vec![layer]
    };
    for (cmd, want) in [
        (&["node", "main.js"][..], 1),
        (&["node", "main.ts"], 0),
        (&["npm", "start"], 0),
        (&["npm", "run", "prod"], 1),
        (&["/bin/sh", "-c", "exec ./node_modules/.bin/tsx 'main'"], 0),
    ] {
        assert_eq!(findings(sources(), cmd).len(), want, "{cmd:?}");
    }
}

#[test]
fn a_table_that_trusts_names_alone_is_refused() {
    for (old, new, want) in [
        ("format = [\"text\"]\noutput", "output", "files \"recipes\" want `format`, `head` or `contains`"),
        ("names = [\"SHOPPING\"]", "names = [\"*\"]", "at most one '*' beside other letters"),
        ("at = [\".cache/crumbs\"]", "at = [\"crumbs\"]", "tree \"crumbs\" wants a member with `head` or `format`"),
        ("{ path = \"DIARY\", head = [\"Dear diary\"] }", "{ path = \"x/\" }", "tree \"diary\" wants `at`, or a file"),
        ("head = [\"Dear diary\"]", "head = [\"\"]", "has not 1 to 256 bytes"),
        ("company = true", "company = true\ncontains = [\"short\"]", "has not 10 to 256 bytes"),
        ("company = true", "company = true\nroot = \"dirs\"", "want `dirs`"),
    ] {
        assert!(RULES.contains(old), "{old}");
        let rules = vec![("rules.toml".to_string(), RULES.replacen(old, new, 1))];
        let error = format!("{:?}", Catalogue::from_files(rules).expect_err(want));
        assert!(error.contains(&want.replace('"', "\\\"")), "{want} is not in {error}");
    }
}

#[test]
fn deep_and_wide_names_cost_no_more_than_their_bytes() {
    let mut layer = LayerFacts::default();
    let mut push = |path: &str, format| {
        let entry = Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: b"",
            kind: Kind::File,
            format,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 10,
        };
        layer.entries.push(&entry).expect("room");
    };
    for at in 0..50 {
        push(&format!("d{at:04}/{}x.recipe", ".cache/crumbs/".repeat(250)), Format::Text);
    }
    for at in 0..2_000 {
        push(&format!("many/p{at:04}/x.recipe"), Format::Text);
        push(&format!("many/p{at:04}/x.cake"), Format::Other);
        push(&format!("many/p{at:04}/package.json"), Format::Text);
    }
    let (catalogue, inventory) = (catalogue(), Inventory::build(vec![layer]));
    let start = Instant::now();
    let all = judge(&catalogue, &inventory, &ImageInfo::default(), 0).findings;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(all.iter().map(|finding| files(finding).len()).collect::<Vec<_>>(), [2_000]);
}
