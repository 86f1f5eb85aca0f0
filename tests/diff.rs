//! `offcut diff` from the outside, on images that are made here. No network and no engine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use offcut::model::Digest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

#[allow(dead_code, reason = "not every layout is needed here")]
#[path = "../src/layer/tar/testing.rs"]
mod testing;

use testing::{archive, file};

/// A layer: the step that made it, and its files.
type Layer<'a> = (&'a str, &'a [(&'a str, &'a str)]);

const BASE: Layer<'_> = ("debootstrap", &[("etc/passwd", "root:x:0:0::/:/bin/sh\n"), ("etc/group", "root:x:0:\n")]);
const SOURCES: Layer<'_> =
    ("COPY . /srv", &[("srv/go.mod", "module a\n\ngo 1.22\n"), ("srv/main.go", "package main\n\nfunc main() {}\n")]);
const HISTORY: Layer<'_> = (
    "COPY .git /srv/.git",
    &[
        ("srv/.git/HEAD", "ref: refs/heads/main\n"),
        ("srv/.git/config", "[core]\n\trepositoryformatversion = 0\n"),
        ("srv/.git/objects/info/x", "x"),
        ("srv/.git/refs/heads/main", "0123456789012345678901234567890123456789\n"),
    ],
);

struct Images {
    dir: TempDir,
}

impl Images {
    fn new() -> Self {
        Self { dir: TempDir::new().expect("a directory") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An image as `docker save` writes it; `spoil` puts other bytes in the place of its layers.
    fn image(&self, name: &str, layers: &[Layer<'_>], spoil: bool) -> String {
        let tars: Vec<Vec<u8>> = layers
            .iter()
            .map(|(_, files)| {
                let files: Vec<_> = files.iter().map(|(name, text)| file(name.as_bytes(), text.as_bytes())).collect();
                archive(&files.iter().map(Vec::as_slice).collect::<Vec<_>>())
            })
            .collect();
        let ids: Vec<_> = tars.iter().map(|tar| Digest::new(Sha256::digest(tar).into())).collect();
        let history: Vec<_> = layers.iter().map(|(by, _)| json!({"created_by": by})).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "history": history,
            "config": {"User": "1000:1000", "Cmd": ["/srv/app"]},
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        let names: Vec<_> = (0..layers.len()).map(|at| format!("{at}/layer.tar")).collect();
        let manifest = json!([{"Config": "config.json", "RepoTags": ["shop:1"], "Layers": names}]);
        let text = |value: &Value| value.to_string().into_bytes();
        let mut members = vec![file(b"manifest.json", &text(&manifest)), file(b"config.json", &text(&config))];
        let spoilt = archive(&[]);
        for (name, tar) in names.iter().zip(&tars) {
            members.push(file(name.as_bytes(), if spoil { &spoilt } else { tar }));
        }
        let path = self.at(name);
        fs::write(&path, archive(&members.iter().map(Vec::as_slice).collect::<Vec<_>>())).expect("room");
        path.display().to_string()
    }
}

fn ran(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
    let output = command.args(args).env_clear().stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("offcut writes UTF-8");
    (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
}

fn compared(args: &[&str]) -> (i32, Value) {
    let (code, out, err) = ran(&[&["diff", "-f", "json"], args].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|_| unreachable!("no JSON: {out}{err}")))
}

fn rules(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|finding| finding["rule"].as_str()).collect()
}

#[test]
fn what_is_new_fails_and_what_was_there_does_not() {
    let images = Images::new();
    let old = images.image("old.tar", &[BASE, SOURCES], false);
    let new = images.image("new.tar", &[BASE, SOURCES, HISTORY], false);
    let gate = ["--fail-on", "low"];
    let (code, diff) = compared(&[&[old.as_str(), &new], &gate[..]].concat());
    assert_eq!((code, rules(&diff["findings"]["new"])), (1, vec!["vcs/git"]), "{diff}");
    assert_eq!((&diff["findings"]["gone"], &diff["findings"]["changed"]), (&json!([]), &json!([])));
    assert!(diff["findings"]["same"].as_u64() >= Some(1), "the sources stay: {diff}");
    assert_eq!((&diff["layers"]["same"], &diff["layers"]["new"][0]["number"]), (&json!(2), &json!(3)));
    assert_eq!(diff["gate"]["failed_by"][0], diff["findings"]["new"][0]["fingerprint"]);

    let (code, diff) = compared(&[&[new.as_str(), &old], &gate[..]].concat());
    assert_eq!((code, rules(&diff["findings"]["gone"])), (0, vec!["vcs/git"]));
    let (code, table, err) = ran(&["diff", &old, &new, "--fail-on", "low"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(table.contains(" NEW ") && table.contains("vcs/git") && table.contains("FAILED: 1 new"), "{table}");
    assert_eq!(ran(&["diff", &old, &new, "--fail-on", "never"]).0, 0);
}

#[test]
fn a_kept_report_stands_for_its_image() {
    let images = Images::new();
    let old = images.image("old.tar", &[BASE, SOURCES], false);
    let new = images.image("new.tar", &[BASE, SOURCES, HISTORY], false);
    let keep = |image: &str, name: &str| {
        let file = images.at(name).display().to_string();
        assert_eq!(ran(&["scan", image, "-f", "json", "-o", &file, "--fail-on", "never"]).0, 0);
        file
    };
    let [before, after] = [keep(&old, "before.json"), keep(&new, "after.json")];
    let want = compared(&[&old, &new]);
    assert_eq!(compared(&[&before, &new]), want);
    assert_eq!(compared(&[&format!("report:{before}"), &after]), want);
    assert_eq!(compared(&[&old, &after]), want);

    let text = fs::read_to_string(&before).expect("written");
    for (text, want) in [
        (text.replace("offcut.report/1", "offcut.report/9"), "its form is \"offcut.report/9\""),
        ("{}".to_string(), "no member \"schema\""),
    ] {
        let other = images.at("other.json");
        fs::write(&other, text).expect("written");
        let (code, out, err) = ran(&["diff", &other.display().to_string(), &new]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(want) && err.contains("  help: write it with `offcut scan IMAGE -f json`"), "{err}");
    }
}

#[test]
fn one_image_under_two_names_is_read_once() {
    let images = Images::new();
    let whole = images.image("whole.tar", &[BASE, SOURCES], false);
    let spoilt = images.image("spoilt.tar", &[BASE, SOURCES], true);
    assert_eq!(ran(&["scan", &spoilt]).0, 3, "its layers can not be read");
    let (code, diff) = compared(&[&whole, &spoilt]);
    assert_eq!((code, &diff["findings"]["new"], &diff["new"]["reference"]), (0, &json!([]), &json!(spoilt)));
    assert_eq!(compared(&[&whole, &whole]).1["findings"]["changed"], json!([]));
}

#[test]
fn files_that_moved_are_one_finding() {
    let images = Images::new();
    let elsewhere: Vec<(String, &str)> =
        SOURCES.1.iter().map(|(name, text)| (name.replacen("srv", "opt/x", 1), *text)).collect();
    let elsewhere: Vec<(&str, &str)> = elsewhere.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let old = images.image("old.tar", &[BASE, SOURCES], false);
    let new = images.image("new.tar", &[BASE, ("COPY . /opt/x", &elsewhere)], false);
    let (code, diff) = compared(&[&old, &new, "--fail-on", "note"]);
    let changed = &diff["findings"]["changed"];
    assert_eq!(
        (code, rules(&diff["findings"]["new"]), rules(&diff["findings"]["gone"])),
        (0, vec![], vec![]),
        "{diff}"
    );
    let what: Vec<&Value> = changed[0]["changes"].as_array().expect("changes").iter().map(|c| &c["what"]).collect();
    assert_eq!(what, [&json!("path"), &json!("layer")]);
}

#[test]
fn every_gate_of_the_policy_holds_for_what_came() {
    let images = Images::new();
    let big = "x".repeat(40_000);
    let more: Layer<'_> = ("COPY data /data", &[("data/big", &big)]);
    let old = images.image("old.tar", &[BASE, SOURCES], false);
    let new = images.image("new.tar", &[BASE, SOURCES, HISTORY, more], false);
    let policy = |name: &str, text: &str| {
        fs::write(images.at(name), text).expect("room");
        images.at(name).display().to_string()
    };
    let judged = |text: &str, more: &[&str]| {
        let (code, diff) = compared(&[&[old.as_str(), &new, "--config", &policy("offcut.toml", text)], more].concat());
        let reasons = diff["gate"]["reasons"].as_array().expect("a list").clone();
        let reasons: Vec<String> = reasons.iter().filter_map(|reason| reason.as_str().map(str::to_string)).collect();
        (code, reasons)
    };
    let none = (0, Vec::new());
    // By rule or family: a repository fails, what was there before does not, and a rule outweighs its family.
    let (code, reasons) = judged("[gate]\nseverity = \"never\"\n[gate.rules]\nvcs = \"low\"\n", &[]);
    assert_eq!((code, reasons.join("|").as_str()), (1, "1 new or risen finding of vcs is low or worse"));
    let (code, reasons) = judged("[gate.rules]\n\"vcs/git\" = \"note\"\n", &[]);
    assert_eq!((code, reasons.join("|").as_str()), (1, "1 new or risen finding of vcs/git is note or worse"));
    assert_eq!(judged("[gate]\nseverity = \"low\"\n[gate.rules]\nvcs = \"never\"\n", &[]), none);
    assert_eq!(judged("[gate]\nseverity = \"never\"\n[gate.rules]\nsource = \"note\"\n", &[]), none, "it was there");
    // Bytes of what came, not of what was there.
    let (code, reasons) = judged("[gate]\nseverity = \"never\"\nbytes = 50\n", &[]);
    assert_eq!((code, reasons.len()), (1, 1));
    assert!(reasons[0].ends_with("more need not ship, at most 50 B may"), "{reasons:?}");
    assert_eq!(judged("[gate]\nseverity = \"never\"\nbytes = 1000\n", &[]), none);
    // Growth of the image, findings or not.
    let (code, reasons) = judged("[gate]\nseverity = \"never\"\ngrowth = \"10%\"\n", &[]);
    assert_eq!((code, reasons.len()), (1, 1));
    assert!(reasons[0].ends_with("at most 10 % may be added"), "{reasons:?}");
    assert_eq!(judged("[gate]\nseverity = \"never\"\ngrowth = 50000\n", &[]), none);
    // All of them are told, and `never` on the command line turns all of them off.
    let all = "[gate]\nbytes = 50\ngrowth = 50\n[gate.rules]\nvcs = \"low\"\n";
    assert_eq!(judged(all, &[]).1.len(), 3);
    assert_eq!(judged(all, &["--fail-on", "never"]), none);
    // The other way round nothing came.
    let file = policy("all.toml", all);
    assert_eq!(compared(&[&new, &old, "--config", &file]).0, 0);
}

#[test]
fn what_can_not_be_compared_is_refused() {
    let images = Images::new();
    let image = images.image("a.tar", &[BASE], false);
    let spoilt = images.image("spoilt.tar", &[BASE, SOURCES], true);
    for args in [
        &["-", "-"][..],
        &[image.as_str()],
        &[&image, &image, "-o", "/no/such/dir/x"],
        &[&image, &image, "-f", "sarif"],
        &["report:/no/such/file", &image],
        &[&image, "docker-archive:/no/such/file"],
    ] {
        let (code, out, err) = ran(&[&["diff"], args].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
    }
    for args in [[image.as_str(), &spoilt], [&spoilt, &image]] {
        let (code, out, err) = ran(&[&["diff"], &args[..]].concat());
        assert_eq!((code, out.as_str()), (3, ""), "{args:?}: {err}");
    }
    let written = images.at("out.json").display().to_string();
    let (code, out, err) = ran(&["diff", &image, &image, "-f", "json", "-o", &written]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", "PASSED: no new finding is high or worse\n"));
    assert!(Path::new(&written).is_file());
}
