//! Images that are built from a Dockerfile in memory; what fires and what does not stands with the rules in `policies/`.

use serde::Deserialize;

use super::*;
use crate::{
    catalogue::Example,
    model::{Family, Severity},
    rule::{judge_written, proof::built},
};

/// The findings of an image that is built from a Dockerfile and has these files.
fn findings(dockerfile: &str, files: &str) -> Vec<Finding> {
    judged(dockerfile, &format!("files = [{files}]"), |_| {})
}

/// The same with more of the example, and with a change of what was built.
fn judged(dockerfile: &str, example: &str, change: impl FnOnce(&mut built::Built)) -> Vec<Finding> {
    let catalogue = Catalogue::builtin().expect("the policies compile");
    let example: Example = Example::deserialize(toml::Deserializer::parse(example).expect("TOML")).expect("an example");
    let mut built = built::built(&catalogue, &example, dockerfile).expect("it can be built");
    change(&mut built);
    let written = Written { dockerfile: &built.dockerfile, lines: &built.lines };
    let mut findings = judge_written(&catalogue, &built.inventory, &built.image, Some(&written), 0).findings;
    built.dockerfile.tell(&built.lines, &mut findings, |text| masked(&catalogue, text));
    findings
}

fn of<'a>(findings: &'a [Finding], rule: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| {
        let all: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        unreachable!("{rule} is not among {all:?}")
    })
}

fn line(finding: &Finding) -> Option<u32> {
    finding.line.as_ref().map(|line| line.first)
}

const DELETED: &str =
    "FROM debian:12-slim\nRUN apt-get install -y gcc\nCOPY app /usr/bin/app\nRUN apt-get purge -y gcc\n";

#[test]
fn what_a_later_line_deletes_is_told_with_its_bytes_and_both_lines() {
    let files = r#"{ path = "usr/lib/x", size = 60000000, line = 2, deleted = 4 },
        { path = "usr/lib/y", kind = "hardlink", link = "usr/lib/x", line = 2, deleted = 4 },
        { path = "usr/lib/z", size = 5, line = 2 }"#;
    let findings = findings(DELETED, files);
    let found = of(&findings, "dockerfile/deleted-later");
    assert_eq!(
        (found.bytes, line(found), found.severity),
        (60_000_000, Some(2), Severity::Medium),
        "a hard link is once"
    );
    assert_eq!(found.layer.as_ref().map(|layer| layer.number), Some(2));
    assert_eq!(found.hidden_by.as_ref().map(|layer| layer.number), Some(4));
    assert_eq!(found.evidence[0].witness, "line 2 brings 60.0 MB in 2 files that line 4 deletes");
    assert_eq!(found.evidence[1].witness, "line 4: RUN apt-get purge -y gcc");
}

#[test]
fn a_buried_tool_is_part_of_what_a_line_deletes() {
    let files = r#"{ path = "usr/lib/x", size = 60000000, line = 2, deleted = 4 },
        { path = "opt/h", elf = { program = true, needed = ["libc.so.6"] }, contains = ["Report bugs to <bug-make@gnu.org>", "GNUMAKEFLAGS"], size = 2000000, line = 2, deleted = 4 }"#;
    let findings = findings(DELETED, files);
    let (whole, make) = (of(&findings, "dockerfile/deleted-later"), of(&findings, "build-tool/make"));
    assert_eq!((whole.bytes, make.bytes), (62_000_000, 2_000_000));
    assert_eq!((make.part_of.as_ref(), make.severity), (Some(&whole.fingerprint), Severity::Note));
}

#[test]
fn findings_keep_their_fingerprints_when_lines_move() {
    let text = "ARG X\nFROM golang:1.22 AS unused\nRUN go build -o /b ./b\nFROM golang:1.22 AS build\nARG NPM_TOKEN\nRUN \
                fetch $NPM_TOKEN\nFROM debian:12-slim\nCOPY --from=nginx:1 /a /a\nCOPY --from=build / /\nADD \
                https://a.test/x /x\nRUN make-config --now\n";
    let told = |text: &str| -> Vec<(String, String, Option<u32>)> {
        let own = findings(text, "");
        let own = own.iter().filter(|finding| finding.family == Family::Dockerfile);
        own.map(|finding| (finding.rule.clone(), finding.fingerprint.clone(), line(finding))).collect()
    };
    let before = told(text);
    assert_eq!(before.len(), 5, "{before:?}");
    let after = told(&format!("# a comment\n\n{}", text.replace("FROM debian", "# another\nFROM debian")));
    let moved = |number: u32| if number >= 7 { number + 3 } else { number + 2 };
    let want: Vec<_> =
        before.iter().map(|(rule, print, line)| (rule.clone(), print.clone(), line.map(moved))).collect();
    assert_eq!(after, want);
}

#[test]
fn a_file_that_is_not_the_images_own_is_not_judged() {
    let text = "FROM debian:12-slim\nCOPY --from=nginx:1 /a /a\nRUN make-config --now\n";
    let other = judged(text, "", |built| {
        let entry = built.image.config.as_mut().and_then(|config| config.history.last_mut()).expect("an entry");
        entry.created_by = "RUN /bin/sh -c something else # buildkit".to_string();
        built.lines = built.dockerfile.lines(&built.image, &crate::attribution::attribute(&built.image, &[]));
    });
    assert!(other.iter().all(|finding| finding.family != Family::Dockerfile && finding.line.is_none()), "{other:?}");
    // What can not be told, as of a squashed image, says nothing against the file that the user names.
    let squashed = judged(text, "", |built| {
        if let Some(config) = &mut built.image.config {
            config.history.clear();
        }
        built.lines = built.dockerfile.lines(&built.image, &crate::attribution::attribute(&built.image, &[]));
    });
    assert_eq!(line(of(&squashed, "dockerfile/unpinned-copy")), Some(2));
}

#[test]
fn a_secret_of_the_dockerfile_is_nowhere_in_its_finding() {
    let text = "FROM golang:1.22 AS build\nENV DB_PASSWORD=Xk3v9Qp2LmZ7rT\nRUN curl -u a:Xk3v9Qp2LmZ7rT https://x.test\nFROM \
                debian:12-slim\nADD https://ci:Xk3v9Qp2LmZ7rT@a.test/x /x\nRUN make-config --now\n";
    let findings = findings(text, "");
    let found = of(&findings, "dockerfile/secret-value");
    assert_eq!((found.severity, line(found)), (Severity::Note, Some(2)), "its name alone says so");
    let told = serde_json::to_string(&findings).expect("JSON");
    let at = told.find("Xk3v9Qp2LmZ7rT").map(|at| told.get(at.saturating_sub(200)..at));
    assert_eq!(at, None);
}

#[test]
fn findings_about_the_configuration_point_to_the_line_that_set_it() {
    let root = findings("FROM debian:12-slim\nUSER root\nCOPY app /app\nRUN make-config --now\n", "");
    assert_eq!(line(of(&root, "root-user/uid-0")), Some(2));
    let inherited = findings("# x\nFROM debian:12-slim\nCOPY app /app\nRUN make-config --now\n", "");
    assert_eq!(line(of(&inherited, "root-user/uid-0")), Some(2), "the base image brought the user");
    let text = "FROM debian:12-slim\nCOPY app /app\nENV DB_PASSWORD=Xk3v9Qp2LmZ7rT\nRUN make-config --now\n";
    let secret = judged(text, "env = [\"DB_PASSWORD=Xk3v9Qp2LmZ7rT\"]", |_| {});
    assert_eq!(line(of(&secret, "secret/image-history")), Some(3));
}

const STAGES: &str = "FROM node:22 AS development\nCOPY src /app/src\nRUN npm ci\nCMD [\"vite\"]\nFROM node:22-slim AS \
                      production\nCOPY --from=development /app /app\nCMD [\"node\", \"/app/server.js\"]\n";

/// The development stage, with the server that its command starts.
fn development(more: &str) -> String {
    format!(
        r##"cmd = ["vite"]
        workdir = "/app"
        target = "development"
        {more}
        npm = [{{ path = "app", name = "shop" }}, {{ path = "app/node_modules/vite", name = "vite", version = "5.0.0", files = ["dist/node/cli.js", "bin/vite.js"] }}]
        files = [{{ path = "usr/local/bin/vite", kind = "symlink", link = "/app/node_modules/vite/bin/vite.js" }}, {{ path = "usr/local/bin/node", elf = {{ program = true }} }},
            {{ path = "app/node_modules/vite/bin/vite.js", body = "#!/usr/bin/env node\nimport('../dist/node/cli.js')\n" }}]"##
    )
}

#[test]
fn a_stage_that_is_not_the_last_is_named_with_both_lines() {
    let findings = judged(STAGES, &development(""), |_| {});
    let stage = of(&findings, "wrong-stage/dev-server");
    assert_eq!((stage.severity, line(stage)), (Severity::High, Some(1)));
    let want =
        "the image is the stage \"development\" of line 1, and the last one is the stage \"production\" of line 5";
    assert!(stage.evidence.iter().any(|piece| piece.witness == want), "{:?}", stage.evidence);
    assert_eq!(findings.iter().filter(|finding| finding.family == Family::WrongStage).count(), 1);
    // The command needs its server: to delete it is no advice.
    let vite = of(&findings, "build-tool/vite");
    assert!(vite.severity <= Severity::Low && vite.why.contains("The image's command uses it"), "{vite:?}");
}

#[test]
fn a_stage_that_the_user_names_is_no_alarm() {
    let findings = judged(STAGES, &development("target_given = true"), |_| {});
    let stage = of(&findings, "wrong-stage/dev-server");
    assert_eq!(stage.severity, Severity::Note);
    assert!(stage.why.ends_with("--target names this stage."), "{}", stage.why);
}

#[test]
fn a_stage_without_a_name_is_told_by_its_line() {
    let text = "FROM golang:1.22\nCOPY cmd /src\nRUN go build -o /app ./cmd/app\nFROM debian:12-slim\nCOPY --from=0 /app /app\n";
    let findings = judged(
        text,
        "target = \"0\"\ncmd = [\"bash\"]\nfiles = [{ path = \"bin/bash\", elf = { program = true } }]",
        |_| {},
    );
    let stage = of(&findings, "wrong-stage/builder");
    assert!(stage.evidence.iter().any(|piece| piece.witness.starts_with("the image is the stage of line 1, and")));
}

/// Small numbers that look random and are the same on every run (xorshift, Marsaglia 2003).
fn roll(dice: &mut u64, sides: usize) -> usize {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    usize::try_from(*dice % 1_000_000).unwrap_or(0) % sides.max(1)
}

#[test]
fn whatever_is_written_findings_stand_on_lines_of_the_file() {
    let catalogue = Catalogue::builtin().expect("the policies compile");
    let rules = catalogue.rules.iter().filter(|rule| rule.family == Family::Dockerfile);
    let examples: Vec<&Example> = rules.flat_map(|rule| rule.hits.iter().chain(&rule.misses)).collect();
    let pieces: Vec<&str> = examples.iter().filter_map(|one| one.dockerfile.as_deref()).flat_map(str::lines).collect();
    let (mut dice, mut judged, mut found) = (0x9e37_79b9_7f4a_7c15_u64, 0, 0);
    for round in 0..300 {
        let example = examples[round % examples.len()];
        let mut lines: Vec<&str> = example.dockerfile.as_deref().unwrap_or_default().lines().collect();
        for _ in 0..roll(&mut dice, 6) {
            let at = roll(&mut dice, lines.len() + 1);
            match roll(&mut dice, 3) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 if at < lines.len() => lines[at] = pieces[roll(&mut dice, pieces.len())],
                _ => lines.insert(at, pieces[roll(&mut dice, pieces.len())]),
            }
        }
        let text = lines.join(if round % 7 == 0 { "\r\n" } else { "\n" });
        let Some(built) = built::built(&catalogue, example, &text) else { continue };
        let written = Written { dockerfile: &built.dockerfile, lines: &built.lines };
        let findings = judge(&catalogue, &built.inventory, &built.image, &written, 0);
        judged += 1;
        for finding in findings {
            found += 1;
            let line = finding.line.expect("a line");
            let there = text.lines().nth(line.first as usize - 1).expect("a line of the file");
            assert!(
                there.trim_start().starts_with(line.instruction.split(' ').next().unwrap_or("?")),
                "{text}\n{line:?}"
            );
            assert!(!finding.evidence.is_empty() && line.first <= line.last);
        }
    }
    assert!(judged > 100 && found > 100, "{judged} {found}");
}
