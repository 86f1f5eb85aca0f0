//! Two reports that differ in one thing at a time.

use super::*;
use crate::{
    model::{DockerfileLine, Family, ImagePath, PathGroup, SecretPlace, Severity, State},
    policy::Gates,
    report::{Verdict, testing},
};

/// The words of what changed, in order.
fn words(diff: &Diff) -> Vec<&'static str> {
    diff.findings.changed.iter().flat_map(|changed| &changed.changes).map(|change| change.what.word()).collect()
}

fn changed(change: impl FnOnce(&mut Report)) -> Diff {
    let old = testing::report();
    let mut new = old.clone();
    change(&mut new);
    Diff::between(&old, &new)
}

/// What the gate says of the new image beside the old one.
fn verdict(old: &Report, new: &Report, gate: Option<Severity>) -> String {
    let (diff, mut new) = (Diff::between(old, new), new.clone());
    diff.mark(&mut new);
    Verdict::of(&new, &Gates::at(gate), Some(&diff)).to_string()
}

/// The verdict on a report in which one thing changed.
fn verdict_on(gate: Severity, change: impl FnOnce(&mut Report)) -> String {
    let old = testing::report();
    let mut new = old.clone();
    change(&mut new);
    verdict(&old, &new, Some(gate))
}

fn secret(path: &str, key: &str, line: u32) -> Finding {
    let place =
        SecretPlace { path: Some(path.into()), line: Some(line), key: key.to_string(), ..SecretPlace::default() };
    Finding {
        rule: "secret/password".to_string(),
        family: Family::Secret,
        subject: "password".to_string(),
        paths: vec![PathGroup { root: path.into(), bytes: 90, files: vec![path.into()] }],
        bytes: 90,
        secrets: vec![place],
        fingerprint: format!("{path}/{key}"),
        ..testing::report().findings[0].clone()
    }
}

#[test]
fn an_image_is_the_same_as_itself() {
    let diff = changed(|_| {});
    assert_eq!((diff.findings.same, diff.findings.changed.len()), (3, 0));
    assert_eq!((diff.findings.new.len(), diff.findings.gone.len()), (0, 0));
    assert_eq!((diff.layers.same, diff.layers.new.len(), diff.layers.gone.len()), (2, 0, 0));
    assert_eq!((diff.findings.bytes, diff.notes.len()), (Bytes::default(), 0));
    assert_eq!(verdict_on(Severity::Note, |_| {}), "PASSED: no new finding is note or worse");
}

#[test]
fn only_what_is_new_or_rose_fails_the_gate() {
    let old = testing::report();
    let mut new = old.clone();
    new.findings.remove(0);
    assert_eq!(verdict(&old, &new, Some(Severity::Note)), "PASSED: no new finding is note or worse");
    let back = Diff::between(&new, &old);
    assert_eq!(verdict(&new, &old, Some(Severity::High)), "FAILED: 1 new or risen finding is high or worse");
    assert_eq!(verdict(&new, &old, Some(Severity::Critical)), "PASSED: no new finding is critical");
    assert_eq!(verdict(&new, &old, None), "PASSED: no severity fails this comparison");
    assert_eq!((back.findings.bytes.new, back.findings.new.len()), (312_000_000, 1));

    let rise = |new: &mut Report| new.findings[1].severity = Severity::High;
    assert_eq!(words(&changed(rise)), ["rose"]);
    assert_eq!(verdict_on(Severity::High, rise), "FAILED: 1 new or risen finding is high or worse");
    assert_eq!(verdict_on(Severity::Critical, rise), "PASSED: no new finding is critical");
    let fall = |new: &mut Report| new.findings[0].severity = Severity::Medium;
    assert_eq!(words(&changed(fall)), ["fell"]);
    assert_eq!(verdict_on(Severity::Note, fall), "PASSED: no new finding is note or worse");
    let grow = |new: &mut Report| new.findings[0].bytes += 5;
    let grew = changed(grow);
    assert_eq!(words(&grew), ["grew"]);
    assert_eq!(verdict_on(Severity::Note, grow), "PASSED: no new finding is note or worse");
    assert_eq!(grew.findings.bytes, Bytes { grown: 5, ..Bytes::default() });
}

#[test]
fn what_is_allowed_is_new_and_fails_nothing() {
    let old = testing::empty();
    let mut new = testing::report();
    new.findings.iter_mut().for_each(|finding| finding.allowed = Some("known".to_string()));
    assert_eq!(Diff::between(&old, &new).findings.new.len(), 3);
    assert_eq!(verdict(&old, &new, Some(Severity::Note)), "PASSED: no new finding is note or worse");
    let no_longer = Diff::between(&new, &testing::report());
    assert_eq!(words(&no_longer), ["allowed", "allowed", "allowed"]);
    let said = verdict(&new, &testing::report(), Some(Severity::Note));
    assert_eq!(said, "FAILED: 3 new or risen findings are note or worse");
}

#[test]
fn the_same_files_elsewhere_are_moved_and_others_are_not() {
    let moved = |new: &mut Report| {
        let move_to = |path: &ImagePath| ImagePath::from(format!("opt{path}").as_str());
        for group in &mut new.findings[0].paths {
            group.root = move_to(&group.root);
            group.files = group.files.iter().map(move_to).collect();
        }
        new.findings[0].fingerprint = "another".to_string();
    };
    let diff = changed(moved);
    assert_eq!((words(&diff), diff.findings.new.len(), diff.findings.gone.len()), (vec!["path"], 0, 0));
    let change = &diff.findings.changed[0].changes[0];
    assert_eq!((change.old.as_str(), change.new.as_str()), ("/usr/bin", "/opt/usr/bin"));
    for differ in [
        |finding: &mut Finding| finding.bytes += 1,
        |finding: &mut Finding| finding.version = Some("13".to_string()),
        |finding: &mut Finding| finding.subject = "G++".to_string(),
        |finding: &mut Finding| finding.packages.clear(),
        |finding: &mut Finding| finding.paths[0].files[0] = "opt/usr/bin/other".into(),
    ] {
        let diff = changed(|new| {
            moved(new);
            differ(&mut new.findings[0]);
        });
        assert_eq!((diff.findings.new.len(), diff.findings.gone.len()), (1, 1));
    }
    // Two that fit as well: nothing tells which is which.
    let two = changed(|new| {
        moved(new);
        let twin = Finding { fingerprint: "twin".to_string(), ..new.findings[0].clone() };
        new.findings.push(twin);
    });
    assert_eq!((two.findings.new.len(), two.findings.gone.len()), (2, 1));
}

#[test]
fn a_secret_elsewhere_is_another_secret() {
    let (mut old, mut new) = (testing::empty(), testing::empty());
    old.findings = vec![secret("app/a.env", "DB", 3)];
    new.findings = vec![secret("srv/a.env", "DB", 3)];
    let diff = Diff::between(&old, &new);
    assert_eq!((diff.findings.new.len(), diff.findings.gone.len()), (1, 1));
    new.findings = vec![secret("app/a.env", "DB", 9)];
    assert_eq!(words(&Diff::between(&old, &new)), ["line"]);
    // Deleted in a later layer it still ships: the same one, now hidden.
    new.findings =
        vec![Finding { state: State::Buried, fingerprint: "other".to_string(), ..secret("app/a.env", "DB", 3) }];
    assert_eq!(words(&Diff::between(&old, &new)), ["state"]);
    new.findings =
        vec![Finding { state: State::Buried, fingerprint: "other".to_string(), ..secret("app/a.env", "KEY", 3) }];
    assert_eq!(Diff::between(&old, &new).findings.new.len(), 1);
}

#[test]
fn a_layer_moves_when_another_step_brings_it_and_not_by_its_number() {
    let by = |text: &str, number: u32| {
        changed(|new| {
            if let Some(layer) = &mut new.findings[0].layer {
                (layer.created_by, layer.number) = (Some(text.to_string()), number);
            }
        })
    };
    let same = testing::report().findings[0].layer.clone().and_then(|layer| layer.created_by).expect("it has one");
    assert_eq!(words(&by(&same, 7)), [""; 0]);
    assert_eq!(words(&by("COPY gcc /usr/bin/gcc", 2)), ["layer"]);
    let unknown = changed(|new| {
        if let Some(layer) = &mut new.findings[0].layer {
            (layer.created_by, layer.number) = (None, 5);
        }
    });
    assert_eq!(words(&unknown), ["layer"]);
    let [one, two] = ["1", "a"].map(|digit| format!("/bin/sh -c #(nop) COPY file:{} in /app ", digit.repeat(64)));
    assert_eq!(pair::step(Some(&one)), pair::step(Some(&two)));
    assert_ne!(pair::step(Some("COPY file:1 in /app")), pair::step(Some("COPY file:a in /app")));
}

#[test]
fn a_line_of_the_dockerfile_moves() {
    let at = |report: &mut Report, first| {
        report.findings[0].line = Some(DockerfileLine {
            file: "Dockerfile".to_string(),
            first,
            last: first,
            instruction: "RUN x".to_string(),
        });
    };
    let (mut old, mut new) = (testing::report(), testing::report());
    at(&mut old, 3);
    at(&mut new, 4);
    let diff = Diff::between(&old, &new);
    assert_eq!(words(&diff), ["line"]);
    assert!(diff.findings.changed[0].moved());
    assert_eq!(words(&Diff::between(&testing::report(), &new)), [""; 0], "a line that was not known has not moved");
    // Another builder writes another history of the same line.
    at(&mut new, 3);
    if let Some(layer) = &mut new.findings[0].layer {
        layer.created_by = Some("/bin/sh -c #(nop) COPY file:1 in /x".to_string());
    }
    assert_eq!(words(&Diff::between(&old, &new)), [""; 0]);
}

#[test]
fn layers_are_the_same_by_their_bytes_and_rebuilt_by_their_step() {
    let old = testing::report();
    let mut new = old.clone();
    new.layers[1].layer.diff_id = Some(Digest::new([8; 32]));
    new.layers[1].blob_bytes += 1_000;
    let mut third = new.layers[1].clone();
    (third.layer.number, third.layer.created_by) = (3, Some("COPY . /app".to_string()));
    third.layer.diff_id = Some(Digest::new([9; 32]));
    new.layers.push(third);
    let layers = Diff::between(&old, &new).layers;
    assert_eq!((layers.same, layers.rebuilt.len(), layers.new.len(), layers.gone.len()), (1, 1, 1, 0));
    assert_eq!(layers.rebuilt[0].new.blob_bytes - layers.rebuilt[0].old.blob_bytes, 1_000);
    let swapped = Report { layers: old.layers.iter().rev().cloned().collect(), ..old.clone() };
    assert_eq!(Diff::between(&old, &swapped).layers.same, 2);
}

#[test]
fn what_makes_it_less_than_sure_is_said() {
    let notes = |change: fn(&mut Report)| changed(change).notes.join("; ");
    assert!(notes(|new| new.tool.version = "9.9".to_string()).contains("different rules (offcut 0.1.0 and 9.9)"));
    assert!(notes(|new| new.searched = Some(Default::default())).contains("not searched for secrets"));
    assert!(notes(|new| new.diagnostics.push(testing::unread("x"))).contains("1 thing of the new image not read"));
    let other = changed(|new| {
        if let Some(platform) = &mut new.image.platform {
            platform.architecture = "arm64".to_string();
        }
    });
    assert!(other.notes[0].contains("linux/amd64 and linux/arm64"));
    let unread = |new: &mut Report| new.diagnostics.push(testing::unread("x"));
    assert_eq!(verdict_on(Severity::High, unread), "NOT JUDGED: 1 thing was not read");
    let before = Report { diagnostics: vec![testing::unread("x")], ..testing::report() };
    assert_eq!(verdict(&before, &testing::report(), Some(Severity::High)), "PASSED: no new finding is high or worse");
}
