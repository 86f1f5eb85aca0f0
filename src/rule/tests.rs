//! Tests of the judgement on images of several layers, each written as an example of a policy file.

use std::time::{Duration, Instant};

use super::*;
use crate::{
    catalogue::Example,
    model::{
        Confidence, Entry, EntryId, EvidenceClass, Format, History, ImagePath, Kind, LayerFacts, LayerInfo, Severity,
        State, Whiteout,
    },
};

/// Rules about invented tools, so that the tests do not hang on `policies/`.
const RULES: &str = r#"
[[remedy]]
id = "stages"
title = "Use two stages"
text = "Use two stages."
dockerfile = "FROM scratch"

[[rule]]
id = "build-tool/cake"
title = "Cake in the final image"
subject = "Cake"
severity = "high"
why = "It is not needed."
remedy = "stages"
refs = ["https://example.com/cake"]
[rule.packages]
deb = ["cake", "cake-[0-9]+"]
apk = ["cake", "cake-tools"]
[[rule.module]]
manager = "npm"
name = "cake"
files = ["lib/cake.js"]
[[rule.module]]
manager = "pypi"
name = "cake"
files = ["cake/bin/cake"]
[[rule.content]]
name = "cake baker"
format = ["elf", "js"]
all = ["cake: usage: bake"]
none = ["pie: embeds cake"]
[[rule.structure]]
name = "bakery"
members = [{ path = "VERSION" }, { path = "bin/cake", format = "elf" }, { path = "lib/cake-*.jar", format = "zip" }]
subtree = true
[[rule.hit]]
packages = [{ deb = "cake", files = ["usr/bin/cake"] }]
[[rule.miss]]
why = "a text"
files = [{ path = "usr/bin/cake", format = "text" }]

[[rule]]
id = "build-tool/pie"
title = "Pie in the final image"
subject = "Pie"
severity = "low"
why = "It is not needed."
remedy = "stages"
refs = ["https://example.com/pie"]
[rule.packages]
deb = ["pie"]
[[rule.content]]
name = "pie"
format = "elf"
program = true
needed = ["libpie."]
[[rule.content]]
name = "embedded pie"
format = "elf"
unowned = true
any = ["pie: embeds cake", "pie: and ale too"]
[[rule.hit]]
packages = [{ deb = "pie", files = ["usr/bin/pie"] }]
[[rule.miss]]
why = "a text"
files = [{ path = "usr/bin/pie", format = "text" }]

[[rule]]
id = "build-tool/whisk"
with = ["build-tool/cake"]
title = "whisk in the image"
subject = "whisk"
severity = "low"
why = "It is not needed."
remedy = "stages"
refs = ["https://example.com/whisk"]
[rule.packages]
deb = ["whisk"]
[[rule.hit]]
packages = [{ deb = "whisk", files = ["usr/bin/whisk"] }]
[[rule.miss]]
why = "a text"
files = [{ path = "usr/bin/whisk", format = "text" }]
"#;

fn catalogue() -> Catalogue {
    Catalogue::from_files(vec![("rules.toml".to_string(), RULES.to_string())]).expect("good rules")
}

/// A layer made of an example, with whiteouts.
fn layer(example: &str, whiteouts: &[&str]) -> LayerFacts {
    let example: Example = toml::from_str(example).expect("an example");
    let mut layer = proof::layer(&catalogue(), &example);
    layer.whiteouts = whiteouts.iter().map(|path| Whiteout::Path(ImagePath::from(*path))).collect();
    layer
}

/// Judges layers given as example and whiteouts, lowest first.
fn findings(layers: &[(&str, &[&str])]) -> Vec<Finding> {
    judge_layers(layers.iter().map(|(example, whiteouts)| layer(example, whiteouts)).collect())
}

fn judge_layers(layers: Vec<LayerFacts>) -> Vec<Finding> {
    let history = |at: usize| History { created_by: format!("RUN step {at}"), ..History::default() };
    let infos = (1..=layers.len()).map(|at| LayerInfo { history: Some(history(at)), ..LayerInfo::default() }).collect();
    let image = ImageInfo { layers: infos, ..ImageInfo::default() };
    judge(&catalogue(), &Inventory::build(layers), &image, 0).findings
}

/// The only finding of an image.
fn only(layers: &[(&str, &[&str])]) -> Finding {
    let mut all = findings(layers);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn files(finding: &Finding) -> Vec<String> {
    finding.paths.iter().flat_map(|group| &group.files).map(ToString::to_string).collect()
}

#[test]
fn one_version_is_that_of_the_tool_and_two_are_told_apart() {
    for (packages, want) in [
        // As Debian's gcc, which has two scripts and the version of a package of links.
        (
            r#"{ deb = "cake", version = "4:12-3", files = ["usr/bin/c89"] }, { deb = "cake-12", version = "12.2", files = ["usr/bin/cake-12"] }"#,
            "12.2",
        ),
        (
            r#"{ deb = "cake-11", version = "11.3", files = ["usr/bin/cake-11"] }, { deb = "cake-12", version = "12.2", files = ["usr/bin/cake-12"] }"#,
            "cake-11 11.3, cake-12 12.2",
        ),
        (
            r#"{ deb = "cake-11", version = "9", files = ["usr/bin/cake-11"] }, { deb = "cake-12", version = "9", files = ["usr/bin/cake-12"] }"#,
            "9",
        ),
        (
            r#"{ apk = "cake", version = "1", files = ["usr/bin/cake"] }, { apk = "cake-tools", version = "7", files = ["usr/bin/tools"] }"#,
            "1",
        ),
    ] {
        assert_eq!(only(&[(&format!("packages = [{packages}]"), &[])]).version.as_deref(), Some(want), "{packages}");
    }
}

#[test]
fn a_package_of_links_gives_no_version_beside_the_package_it_leads_to() {
    let finding = only(&[(
        r#"
        files = [{ path = "usr/bin/cake", kind = "symlink", link = "cake-12" }]
        packages = [
            { deb = "cake-99", version = "4:12-3", files = ["usr/bin/cake"] },
            { deb = "cake-12", version = "12.2", files = ["usr/bin/cake-12"] },
        ]"#,
        &[],
    )]);
    assert_eq!(finding.version.as_deref(), Some("12.2"));
    assert_eq!(finding.packages.len(), 2);
}

const BAKER: &str = r#"elf = { program = true }, contains = ["cake: usage: bake"]"#;

#[test]
fn packages_of_one_manager_are_one_finding_with_all_their_files() {
    let finding = only(&[(
        r#"packages = [
            { deb = "cake", version = "1:2", files = ["usr/share/doc/cake/copyright"] },
            { deb = "cake-2", version = "2.0", files = ["usr/bin/cake-2", "usr/lib/cake/oven", "usr/share/doc/cake-2/copyright"] },
            { deb = "libcake", version = "2.0", files = ["usr/lib/libcake.so"] },
        ]"#,
        &[],
    )]);
    assert_eq!(finding.version.as_deref(), Some("2.0"), "a package of nothing but texts does not give the version");
    assert_eq!(finding.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["cake", "cake-2"]);
    assert_eq!(finding.bytes, 4000);
    assert_eq!((finding.confidence, finding.state, finding.owner.as_str()), (Confidence::Certain, State::Live, "deb"));
    assert_eq!(finding.evidence[1].witness, "dpkg cake-2 2.0");
    assert_eq!(finding.evidence[1].path, Some(ImagePath::from("var/lib/dpkg/status")));
    assert_eq!(finding.layer.as_ref().and_then(|layer| layer.created_by.as_deref()), Some("RUN step 1"));
    let want =
        ["/usr/bin/cake-2", "/usr/lib/cake/oven", "/usr/share/doc/cake-2/copyright", "/usr/share/doc/cake/copyright"];
    assert_eq!(files(&finding), want);
}

#[test]
fn the_links_of_a_merged_usr_belong_to_no_package() {
    let finding = only(&[(
        r#"packages = [{ deb = "cake", version = "2", missing = ["lib", "lib/cake"] }]
           files = [{ path = "lib", kind = "symlink", link = "usr/lib" }, { path = "usr/lib/cake" }]"#,
        &[],
    )]);
    assert_eq!(files(&finding), ["/usr/lib/cake"]);
}

#[test]
fn a_package_of_nothing_but_texts_is_no_proof() {
    assert!(
        findings(&[(r#"packages = [{ deb = "cake", files = ["usr/share/doc/cake/copyright"] }]"#, &[])]).is_empty()
    );
}

#[test]
fn a_row_whose_files_no_list_names_is_less_than_certain() {
    let mut only_row = layer(r#"packages = [{ deb = "cake", version = "2", files = ["usr/bin/cake"] }]"#, &[]);
    only_row.observations.retain(|seen| !matches!(seen.fact, crate::model::Fact::FileList { .. }));
    let all = judge_layers(vec![only_row]);
    assert_eq!((all.len(), all[0].confidence, all[0].bytes), (1, Confidence::High, 0));
}

#[test]
fn a_renamed_copy_is_a_finding_of_its_own_root() {
    let example = format!(
        r#"packages = [{{ deb = "cake", version = "2", files = ["usr/bin/cake"] }}]
           files = [{{ path = "usr/bin/cake", {BAKER} }}, {{ path = "opt/x/helper", {BAKER} }}]"#
    );
    let all = findings(&[(&example, &[])]);
    let roots: Vec<_> = all.iter().map(|finding| finding.paths[0].root.to_string()).collect();
    assert_eq!(roots, ["/opt/x", "/usr"]);
    assert_eq!(all[0].evidence[0].witness, "cake baker: \"cake: usage: bake\"");
    assert_eq!(all[0].owner, "none");
    let classes: Vec<_> = all[1].evidence.iter().map(|evidence| evidence.class).collect();
    assert_eq!(classes, [EvidenceClass::Package, EvidenceClass::Content], "content joins the package that owns it");
    assert_ne!(all[0].fingerprint, all[1].fingerprint);
}

#[test]
fn names_and_links_alone_say_nothing() {
    let nothing = r#"files = [
        { path = "bin/busybox", elf = { program = true } },
        { path = "bin/cake", kind = "symlink", link = "busybox" },
        { path = "usr/bin/pie", kind = "symlink", link = "/usr/bin/cake" },
        { path = "usr/bin/cake", format = "script" },
    ]"#;
    assert!(findings(&[(nothing, &[])]).is_empty());
}

#[test]
fn every_name_of_a_file_is_listed_and_its_bytes_count_once() {
    let example = format!(
        r#"files = [
            {{ path = "opt/x/bin/helper", size = 700, {BAKER} }},
            {{ path = "opt/x/bin/same", kind = "hardlink", link = "opt/x/bin/helper" }},
            {{ path = "usr/bin/cc", kind = "symlink", link = "../../opt/x/bin/same" }},
            {{ path = "usr/bin/a", kind = "symlink", link = "b" }},
            {{ path = "usr/bin/b", kind = "symlink", link = "/usr/bin/cc" }},
            {{ path = "usr/bin/gone", kind = "symlink", link = "nowhere" }},
        ]"#
    );
    let finding = only(&[(&example, &[])]);
    assert_eq!(files(&finding), ["/opt/x/bin/helper", "/opt/x/bin/same", "/usr/bin/a", "/usr/bin/b", "/usr/bin/cc"]);
    assert_eq!(finding.bytes, 700);
    assert_eq!(finding.paths.iter().map(|group| group.bytes).sum::<u64>(), 700);
}

#[test]
fn what_a_later_layer_removed_is_buried_and_names_that_layer() {
    let first = format!(r#"files = [{{ path = "opt/x/helper", size = 700, {BAKER} }}]"#);
    let finding = only(&[(&first, &[]), (r#"files = [{ path = "app/x" }]"#, &["opt/x/helper"])]);
    assert_eq!((finding.state, finding.bytes, finding.buried_bytes), (State::Buried, 700, 0));
    assert_eq!(finding.layer.map(|layer| layer.number), Some(1));
    let by = finding.hidden_by.expect("a layer");
    assert_eq!((by.number, by.created_by.as_deref()), (2, Some("RUN step 2")));
    assert_eq!(finding.title, "Cake in a lower layer: removed later, still shipped");
}

#[test]
fn a_removed_package_is_buried_with_its_record() {
    let finding = only(&[
        (r#"packages = [{ deb = "cake", version = "2", files = ["usr/bin/cake"] }]"#, &[]),
        (
            r#"packages = [{ deb = "base", version = "1", files = ["bin/sh"] }]"#,
            &["usr/bin/cake", "var/lib/dpkg/info/cake.list"],
        ),
    ]);
    assert_eq!((finding.state, finding.bytes, finding.owner.as_str()), (State::Buried, 1000, "deb"));
    assert_eq!(finding.evidence[0].witness, "dpkg cake 2");
}

#[test]
fn files_that_rm_took_from_an_installed_package_are_buried_with_its_record() {
    let first = format!(
        r#"packages = [{{ deb = "cake", version = "2", missing = ["lib", "lib/oven/cake", "lib/oven/recipe"] }}]
           files = [
               {{ path = "lib", kind = "symlink", link = "usr/lib" }},
               {{ path = "usr/lib/oven/recipe" }},
               {{ path = "usr/lib/oven/cake", {BAKER} }},
           ]"#
    );
    let finding = only(&[(&first, &[]), ("", &["usr/lib/oven"])]);
    assert_eq!((finding.state, finding.bytes, finding.owner.as_str()), (State::Buried, 2000, "deb"));
    let classes: Vec<_> = finding.evidence.iter().map(|evidence| evidence.class).collect();
    assert_eq!(classes, [EvidenceClass::Package, EvidenceClass::Content]);

    let part = findings(&[(&first, &[]), ("", &["usr/lib/oven/cake"])]);
    let states: Vec<_> = part.iter().map(|finding| (finding.state, finding.bytes)).collect();
    assert_eq!(states, [(State::Live, 1000), (State::Buried, 1000)], "each file counts where it is");
}

#[test]
fn a_hard_link_keeps_a_tool_alive_when_its_first_name_is_removed() {
    let first = format!(
        r#"files = [
            {{ path = "usr/bin/cake", {BAKER} }},
            {{ path = "opt/x/helper", kind = "hardlink", link = "usr/bin/cake" }},
        ]"#
    );
    let finding = only(&[(&first, &[]), ("", &["usr/bin/cake"])]);
    assert_eq!((finding.state, finding.bytes), (State::Live, 1000));
    assert_eq!(files(&finding), ["/opt/x/helper"]);
    assert_eq!(finding.evidence[0].path, Some(ImagePath::from("opt/x/helper")));
}

#[test]
fn older_copies_count_as_buried_bytes_and_make_no_second_finding() {
    let version = |version: &str, size: u32| {
        format!(
            r#"packages = [{{ deb = "cake", version = "{version}", files = ["usr/bin/cake"] }}]
               files = [{{ path = "usr/bin/cake", size = {size}, {BAKER} }}]"#
        )
    };
    let finding = only(&[(&version("1", 300), &[]), (&version("2", 500), &[])]);
    assert_eq!((finding.bytes, finding.buried_bytes), (500, 300));
    assert_eq!(finding.version.as_deref(), Some("2"));
    assert_eq!(finding.layer.map(|layer| layer.number), Some(2));
}

const BAKERY: &str = r#"files = [
    { path = "srv/bakery/VERSION" },
    { path = "srv/bakery/bin/cake", elf = { program = true } },
    { path = "srv/bakery/lib/cake-2.jar", format = "zip" },
    { path = "srv/bakery/doc/recipe" },
    { path = "srv/bakery/bin/pie", elf = { program = true, needed = ["libpie.so"] } },
    { path = "srv/bakeries" },
]"#;

#[test]
fn a_tree_owns_everything_below_its_root() {
    let finding = only(&[(BAKERY, &[])]);
    assert_eq!(finding.confidence, Confidence::High);
    assert_eq!(finding.evidence[0].witness, "bakery: bin/cake, VERSION, lib/cake-*.jar");
    assert_eq!(finding.paths.len(), 1);
    assert_eq!((finding.paths[0].root.to_string().as_str(), finding.bytes), ("/srv/bakery", 5000));
}

#[test]
fn a_tree_lacking_a_member_is_none() {
    for gone in ["VERSION", "lib/cake-2.jar"] {
        let path = format!("srv/bakery/{gone}");
        let all = findings(&[(BAKERY, &[]), ("", &[&path])]);
        assert!(!all.iter().any(|finding| finding.rule == "build-tool/cake" && finding.state == State::Live), "{gone}");
    }
}

#[test]
fn a_tree_at_a_shared_directory_owns_its_members_only() {
    let finding = findings(&[(&BAKERY.replace("srv/bakery", "usr/local"), &[])]);
    let cake = finding.iter().find(|finding| finding.rule == "build-tool/cake").expect("the tree");
    assert_eq!(files(cake), ["/usr/local/VERSION", "/usr/local/bin/cake", "/usr/local/lib/cake-2.jar"]);
    assert!(finding.iter().any(|finding| finding.rule == "build-tool/pie"), "the rest is judged on its own");
}

#[test]
fn a_member_may_be_reached_through_a_link() {
    let linked = BAKERY.replace(
        r#"{ path = "srv/bakery/VERSION" }"#,
        r#"{ path = "srv/bakery/VERSION", kind = "symlink", link = "../../usr/share/version" }, { path = "usr/share/version" }"#,
    );
    assert_eq!(only(&[(&linked, &[])]).rule, "build-tool/cake");
}

#[test]
fn a_mild_tree_does_not_hide_a_worse_tool() {
    let finding = only(&[(
        &format!(
            r#"files = [{{ path = "srv/bakery/bin/x", {BAKER} }}, {{ path = "srv/bakery/VERSION" }}]
               packages = [{{ deb = "pies", files = ["srv/bakery/bin/x"] }}]"#
        ),
        &[],
    )]);
    assert_eq!((finding.rule.as_str(), finding.owner.as_str()), ("build-tool/cake", "deb"));
}

#[test]
fn a_file_belongs_to_the_rule_that_names_its_package() {
    let owned = format!(
        r#"packages = [{{ deb = "pie", version = "1", files = ["usr/bin/pie"] }}]
           files = [{{ path = "usr/bin/pie", {BAKER} }}]"#
    );
    assert_eq!(only(&[(&owned, &[])]).rule, "build-tool/pie");
}

#[test]
fn content_that_others_embed_counts_only_where_nobody_owns_it() {
    let file = r#"files = [{ path = "usr/bin/x", elf = {}, contains = ["pie: embeds cake", "cake: usage: bake"] }]"#;
    assert_eq!(only(&[(file, &[])]).rule, "build-tool/pie");
    let owned = format!("{file}\npackages = [{{ deb = \"x\", files = [\"usr/bin/x\"] }}]");
    assert!(findings(&[(&owned, &[])]).is_empty());
}

#[test]
fn modules_are_grouped_by_the_outermost_tree() {
    let finding = only(&[(
        r#"npm = [
            { path = "app/node_modules/cake", name = "cake", version = "2.0.0", files = ["lib/cake.js"] },
            { path = "app/node_modules/a/node_modules/cake", name = "cake", version = "1.0.0", files = ["lib/cake.js"] },
            { path = "app/node_modules/stub/node_modules/cake", name = "cake", version = "0.0.0" },
        ]
        files = [{ path = "app/node_modules/.bin/cake", kind = "symlink", link = "../cake/lib/cake.js" }]"#,
        &[],
    )]);
    assert_eq!(finding.version.as_deref(), Some("1.0.0, 2.0.0"));
    assert_eq!((finding.paths.len(), finding.paths[0].root.to_string().as_str()), (1, "/app/node_modules"));
    assert_eq!(finding.bytes, 4000);
    assert!(files(&finding).contains(&"/app/node_modules/.bin/cake".to_string()));
    assert_eq!(finding.evidence[0].class, EvidenceClass::Record);
    assert_eq!(finding.owner, "npm");
}

#[test]
fn a_python_package_is_known_by_its_record() {
    let finding = only(&[(
        r#"pypi = [{ path = "venv/lib/python3.13/site-packages", name = "cake", version = "3", files = ["cake/bin/cake", "../../../bin/cake"] }]"#,
        &[],
    )]);
    assert_eq!((finding.owner.as_str(), finding.version.as_deref()), ("pypi", Some("3")));
    assert!(files(&finding).contains(&"/venv/bin/cake".to_string()));
}

#[test]
fn a_distribution_explains_the_language_packages_it_owns() {
    let owned = |name: &str| {
        format!(
            r#"npm = [{{ path = "usr/share/nodejs/cake", name = "cake", version = "2", files = ["lib/cake.js"] }}]
               packages = [{{ deb = "{name}", files = ["usr/share/nodejs/cake/package.json", "usr/share/nodejs/cake/lib/cake.js"] }}]"#
        )
    };
    assert!(findings(&[(&owned("node-bakery"), &[])]).is_empty());
    assert_eq!(only(&[(&owned("cake"), &[])]).owner, "deb");
}

#[test]
fn the_fingerprint_survives_a_rebuild_and_tells_live_from_buried() {
    let version =
        |version: &str| format!(r#"packages = [{{ deb = "cake", version = "{version}", files = ["usr/bin/cake"] }}]"#);
    let first = only(&[(&version("1"), &[])]);
    let second = only(&[("", &[]), (&version("2"), &[])]);
    let buried = only(&[(&version("1"), &[]), ("", &["usr", "var"])]);
    assert_eq!(first.fingerprint, second.fingerprint);
    assert_ne!(first.fingerprint, buried.fingerprint);
    assert_eq!(first.fingerprint.len(), 16);
}

#[test]
fn findings_come_worst_first() {
    let all = findings(&[(
        r#"packages = [
            { deb = "pie", files = ["usr/bin/pie"] }, { deb = "cake", files = ["usr/bin/cake"] },
            { apk = "cake", files = ["opt/bin/cake"] },
        ]"#,
        &[],
    )]);
    let rules: Vec<_> = all.iter().map(|finding| (finding.rule.as_str(), finding.owner.as_str())).collect();
    assert_eq!(rules, [("build-tool/cake", "apk"), ("build-tool/cake", "deb"), ("build-tool/pie", "deb")]);
}

#[test]
fn sizes_that_overflow_do_not_stop_the_scan() {
    let (a, b) = (u64::MAX / 2 + 1, u64::MAX / 2 + 1);
    let mut facts = layer(&format!(r#"files = [{{ path = "x/a", {BAKER} }}, {{ path = "x/b", {BAKER} }}]"#), &[]);
    let mut table = crate::model::EntryTable::default();
    for (entry, size) in facts.entries.iter().zip([a, b]) {
        table.push(&Entry { size, ..entry }).expect("room");
    }
    facts.entries = table;
    assert_eq!(judge_layers(vec![facts])[0].bytes, u64::MAX);
}

#[test]
fn trees_inside_trees_cost_no_more_than_their_files() {
    let mut facts = LayerFacts::default();
    let mut root = String::from("t");
    for _ in 0..200 {
        for (member, format) in [("VERSION", Format::Text), ("bin/cake", Format::Elf), ("lib/cake-1.jar", Format::Zip)]
        {
            let path = format!("{root}/{member}");
            let path = path.as_bytes();
            let id = EntryId(0);
            let (link, kind, mode) = (&b""[..], Kind::File, 0o644);
            facts.entries.push(&Entry { id, path, link, kind, format, mode, uid: 0, gid: 0, size: 1 }).expect("room");
        }
        root.push_str("/t");
    }
    let start = Instant::now();
    let all = judge_layers(vec![facts]);
    assert_eq!((all.len(), all[0].bytes), (1, 600));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn what_came_along_with_a_tool_in_one_layer_is_part_of_its_finding() {
    let cake = r#"{ deb = "cake-12", version = "12", files = ["usr/bin/cake-12"] }"#;
    let whisk = r#"{ deb = "whisk", version = "3", files = ["usr/bin/whisk"] }"#;
    let sizes = r#"files = [{ path = "usr/bin/cake-12", format = "elf", size = 100 }, { path = "usr/bin/whisk", format = "elf", size = 7 }]"#;
    let both = format!("packages = [{cake}, {whisk}]\n{sizes}");
    let found = findings(&[(&both, &[])]);
    let [whole, part] = &found[..] else { panic!("{found:#?}") };
    assert_eq!((whole.rule.as_str(), whole.bytes), ("build-tool/cake", 107));
    assert_eq!(files(whole), ["/usr/bin/cake-12", "/usr/bin/whisk"]);
    assert_eq!((part.rule.as_str(), part.bytes, part.severity), ("build-tool/whisk", 7, Severity::Note));
    assert_eq!(part.part_of.as_ref(), Some(&whole.fingerprint));
    assert!(whole.evidence.iter().any(|piece| piece.witness == "whisk 3 [build-tool/whisk]"), "{whole:#?}");

    let alone = only(&[(&format!("packages = [{whisk}]"), &[])]);
    assert_eq!((alone.severity, alone.part_of), (Severity::Low, None), "without the other it stands for itself");
}
