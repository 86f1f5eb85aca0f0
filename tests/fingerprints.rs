//! What code scanning knows a finding by: the same after a rebuild under another name, another for each leftover of one
//! line. On images that are made here; no network and no engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use offcut::model::Digest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

#[allow(dead_code, reason = "not every layout is needed here")]
#[path = "../src/layer/tar/testing.rs"]
mod testing;

use testing::{archive, file};

/// One line brings two leftovers: sources, and the repository that they are from.
const DOCKERFILE: &str = "FROM scratch\nCOPY etc /etc\nCOPY . /srv\nUSER 1000:1000\nCMD [\"/srv/app\"]\n";

/// Writes an image as `docker save` does; `salt` stands for what differs from build to build.
fn image(place: &Path, tag: &str, salt: &str) {
    let base = [("etc/passwd", "root:x:0:0::/:/bin/sh\n"), ("etc/group", "root:x:0:\n"), ("etc/machine-id", salt)];
    let sources = [
        ("srv/go.mod", "module a\n\ngo 1.22\n"),
        ("srv/main.go", "package main\n\nfunc main() {}\n"),
        ("srv/.git/HEAD", "ref: refs/heads/main\n"),
        ("srv/.git/config", "[core]\n\trepositoryformatversion = 0\n"),
        ("srv/.git/objects/info/x", salt),
        ("srv/.git/refs/heads/main", "0123456789012345678901234567890123456789\n"),
    ];
    let tar = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(name, text)| file(name.as_bytes(), text.as_bytes())).collect();
        archive(&files.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let tars = [tar(&base), tar(&sources)];
    let ids: Vec<_> = tars.iter().map(|tar| Digest::new(Sha256::digest(tar).into())).collect();
    let step = |by: &str| json!({"created_by": by, "comment": "buildkit.dockerfile.v0"});
    let unseen = |by: &str| json!({"created_by": by, "comment": "buildkit.dockerfile.v0", "empty_layer": true});
    let config = json!({
        "architecture": "amd64", "os": "linux", "author": salt,
        "history": [
            step("COPY etc /etc # buildkit"), step("COPY . /srv # buildkit"),
            unseen("USER 1000:1000"), unseen("CMD [\"/srv/app\"]"),
        ],
        "config": {"User": "1000:1000", "Cmd": ["/srv/app"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [tag], "Layers": ["0.tar", "1.tar"]}]);
    let text = |value: &Value| value.to_string().into_bytes();
    let members = [
        file(b"manifest.json", &text(&manifest)),
        file(b"config.json", &text(&config)),
        file(b"0.tar", &tars[0]),
        file(b"1.tar", &tars[1]),
    ];
    fs::write(place, archive(&members.iter().map(Vec::as_slice).collect::<Vec<_>>())).expect("room");
}

/// Rule, place and fingerprint of each result, as SARIF has them.
fn results(dir: &Path, image: &str) -> BTreeMap<String, (Value, Value)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
    command.args(["scan", image, "-f", "sarif", "--fail-on", "never", "--dockerfile", "Dockerfile"]);
    let output = command.current_dir(dir).env_clear().output().expect("it starts");
    let log: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| unreachable!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
    let results = log["runs"][0]["results"].as_array().expect("a list").iter().map(|result| {
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let rule = result["ruleId"].as_str().unwrap_or_default().to_string();
        (rule, (region.clone(), result["partialFingerprints"].clone()))
    });
    results.collect()
}

#[test]
fn a_rebuild_under_another_tag_has_the_same_and_two_leftovers_of_one_line_have_not() {
    let dir = TempDir::new().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("Dockerfile"), DOCKERFILE).expect("room");
    image(&at("one.tar"), "registry.example/shop/api:1.4", "one");
    image(&at("two.tar"), "mirror.example:5000/shop/api:2.0", "another build");
    let [one, two] = ["one.tar", "two.tar"].map(|name| results(dir.path(), name));
    assert_eq!(one, two);

    let (sources, repository) = (&one["source/compiled"], &one["vcs/git"]);
    assert_eq!(sources.0, json!({"startLine": 3, "endLine": 3}));
    assert_eq!(sources.0, repository.0, "both are of one line");
    assert_ne!(sources.1["primaryLocationLineHash"], repository.1["primaryLocationLineHash"]);

    let all: Vec<&Value> = one.values().map(|(_, fingerprints)| &fingerprints["primaryLocationLineHash"]).collect();
    let distinct: BTreeSet<String> = all.iter().map(|hash| hash.to_string()).collect();
    assert_eq!(distinct.len(), all.len());
}
