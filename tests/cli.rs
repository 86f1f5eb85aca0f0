//! The binary from the outside: what is typed, printed and returned. No network and no engine.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A real image: Alpine with a Node.js application that kept its compiler; see `testdata/README.md`.
const IMAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/node-app.oci.tar");

fn offcut(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

fn ran(args: &[&str]) -> (i32, String, String) {
    finished(offcut(args).output().expect("it starts"))
}

fn finished(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("offcut writes UTF-8");
    (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
}

fn is_valid(document: &str, schema: &str) -> bool {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(schema)).expect("the schema is there");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    schema.is_valid(&serde_json::from_str::<Value>(document).expect("JSON"))
}

#[test]
fn help_and_version_are_no_errors() {
    for args in
        [&["--help"][..], &["-V"], &["scan", "--help"], &["files", "-h"], &["ledger", "-h"], &["rules", "check", "-h"]]
    {
        let (code, out, err) = ran(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(out.contains("offcut"), "{args:?}");
    }
}

#[test]
fn a_wrong_command_line_is_code_2_and_prints_no_report() {
    for args in [
        &[][..],
        &["scan"],
        &["scan", "a", "b"],
        &["--no-such-option"],
        &["scan", IMAGE, "--fail-on", "severe"],
        &["scan", IMAGE, "-f", "xml"],
        &["scan", IMAGE, "-o", "jsn=x"],
        &["scan", IMAGE, "-o", "/no/such/dir/x"],
        &["scan", IMAGE, "-j", "0"],
        &["scan", IMAGE, "--max-image-size", "big"],
        &["scan", IMAGE, "--log-format", "xml"],
        &["completion"],
        &["ledger", IMAGE, "--by", "file"],
        &["fix", IMAGE, "--write"],
        &["fix", IMAGE, "--smoke", "true"],
        &["fix", IMAGE, "--context", "."],
        &["fix", IMAGE, "--dockerfile", "/no/such/file"],
        &["fix", IMAGE, "--dockerfile", "x", "--diff", "--write"],
        &["scan", IMAGE, "--policies", "/no/such/dir"],
        &["scan", "docker-archive:/no/such/file"],
        &["rules"],
        &["explain", "build-tool/no-such-rule"],
    ] {
        let (code, out, err) = ran(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(!err.is_empty(), "{args:?}");
    }
}

#[test]
fn what_can_not_be_read_is_code_3_and_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let cut = dir.path().join("cut.tar");
    let whole = fs::read(IMAGE).expect("the image is there");
    fs::write(&cut, whole.get(..whole.len() / 2).expect("a half")).expect("written");
    let cut = cut.display().to_string();
    for args in
        [&["scan", &cut][..], &["scan", &cut, "--fail-on", "never"], &["scan", &cut, "-f", "sarif"], &["files", &cut]]
    {
        let (code, out, err) = ran(args);
        assert_eq!((code, out.as_str()), (3, ""), "{args:?}: {err}");
        assert!(err.starts_with("error: "), "{err}");
        assert!(err.lines().skip(1).all(|l| l.starts_with("  cause: ") || l.starts_with("  help: ")), "{err}");
    }
}

#[test]
fn the_gate_decides_between_0_and_1_in_every_format() {
    for format in ["table", "json", "sarif"] {
        assert_eq!(ran(&["scan", IMAGE, "-f", format, "--fail-on", "never"]).0, 0);
        assert_eq!(ran(&["scan", IMAGE, "-f", format, "--fail-on", "note"]).0, 1);
    }
}

#[test]
fn one_scan_of_a_real_image_gives_three_valid_reports() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let json = format!("json={}", at("a.json").display());
    let sarif = format!("sarif={}", at("a.sarif").display());
    let (code, table, err) = ran(&[IMAGE, "--fail-on", "never", "-o", &json, "-o", &sarif]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        table.contains("dev-dependency/npm") && table.contains("TypeScript 5.5.4") && table.contains("root-user/uid-0"),
        "{table}"
    );
    assert!(!table.contains('\x1b'), "no colours into a pipe");
    let read = |name: &str| fs::read_to_string(at(name)).expect("written");
    assert!(is_valid(&read("a.json"), "docs/schema/report-v1.json"));
    assert!(is_valid(&read("a.sarif"), "tests/schema/sarif-schema-2.1.0.json"));
    assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 2, "no temporary file is left");
}

#[test]
fn the_same_image_gives_the_same_bytes_at_any_number_of_threads() {
    for format in ["table", "json", "sarif"] {
        let one = ran(&["scan", IMAGE, "-f", format, "-j", "1"]).1;
        assert_eq!(ran(&["scan", IMAGE, "-f", format, "-j", "4"]).1, one, "{format}");
    }
}

#[test]
fn a_fixed_time_gives_the_same_page_and_a_wrong_one_is_refused_before_the_scan() {
    let page = |time: &str, jobs: &str| {
        let mut command = offcut(&["scan", IMAGE, "-f", "html", "-j", jobs]);
        finished(command.env("SOURCE_DATE_EPOCH", time).output().expect("it starts"))
    };
    let (code, one, _) = page("1700000000", "1");
    assert_eq!(code, 1);
    assert_eq!(page("1700000000", "4").1, one);
    assert!(one.starts_with("<!DOCTYPE html>") && one.ends_with("</html>\n"));
    assert!(one.contains("2023-11-14T22:13:20Z") && one.contains("<h3>CIS Docker Benchmark 1.6.0</h3>"));
    let (code, out, err) = page("yesterday", "1");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("SOURCE_DATE_EPOCH") && err.contains("\"yesterday\" is no number of seconds"), "{err}");
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let with = |args: &[&str]| {
        let mut command = offcut(args);
        command.env("OFFCUT_FORMAT", "json").env("OFFCUT_FAIL_ON", "never").env("OFFCUT_QUIET", "1");
        finished(command.output().expect("it starts"))
    };
    let (code, out, err) = with(&["scan", IMAGE]);
    assert_eq!((code, err.as_str()), (0, ""), "quiet prints no verdict either");
    assert!(out.starts_with('{'));
    let (code, out, _) = with(&["scan", IMAGE, "-f", "table", "--fail-on", "note"]);
    assert_eq!(code, 1);
    assert!(!out.starts_with('{'));
}

#[test]
fn standard_error_is_text_or_an_object_a_line_and_says_more_when_asked() {
    let lines = |err: &str| -> Vec<(String, String)> {
        let object = |line: &str| {
            let object: Value = serde_json::from_str(line).expect("an object a line");
            assert!(object["elapsed_ms"].is_u64(), "{line}");
            (object["level"].as_str().expect("a level").into(), object["message"].as_str().expect("a text").into())
        };
        err.lines().map(object).collect()
    };
    let (code, out, err) = ran(&["scan", IMAGE, "-f", "json", "--log-format", "json"]);
    assert_eq!((code, lines(&err)), (1, vec![("warning".into(), "FAILED: 2 findings are high or worse".into())]));
    let (_, verbose, err) = ran(&["-v", "scan", IMAGE, "-f", "json", "--log-format=json"]);
    assert_eq!(verbose, out, "the report stays the same");
    assert!(lines(&err).iter().filter(|(level, _)| level == "debug").count() >= 3, "{err}");
    let (_, _, err) = ran(&["scan", IMAGE, "-f", "json", "--verbose"]);
    assert!(err.starts_with("debug: ") && err.ends_with("\nFAILED: 2 findings are high or worse\n"), "{err}");
    assert_eq!(ran(&["scan", IMAGE, "-f", "json", "-v", "-q"]).2, "", "quiet wins");
    for args in [&["files", IMAGE, "-v"][..], &["ledger", IMAGE, "-v"], &["diff", IMAGE, IMAGE, "-v"]] {
        assert!(ran(args).2.starts_with("debug: read \""), "{args:?}");
    }

    for (args, want) in [
        (&["--log-format", "json", "scan", "docker-archive:/no/such/file"][..], 2),
        (&["scan", "--log-format", "json"], 2),
        (&["scan", "--no-such-option", "--log-format=json"], 2),
        (&["explain", "gc", "--log-format", "json"], 2),
        (&["scan", "docker:x", "--docker-host", "unix:///no/such.sock", "--log-format", "json"], 3),
    ] {
        let (code, out, err) = ran(args);
        assert_eq!((code, out.as_str()), (want, ""), "{args:?}: {err}");
        let lines = lines(&err);
        assert!(lines.len() == 1 && lines[0].0 == "error" && !lines[0].1.starts_with("error"), "{args:?}: {err}");
    }
}

#[test]
fn shells_and_packagers_get_completions_pages_and_versions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, script, err) = ran(&["completion", shell]);
        assert_eq!((code, err.as_str()), (0, ""), "{shell}");
        assert!(script.contains("source-root") && script.contains("ledger"), "{shell}");
    }
    assert_eq!(ran(&["completion", "tcsh"]).0, 2);

    let (_, page, _) = ran(&["man"]);
    assert!(page.contains(".TH offcut 1") && page.contains("offcut\\-scan(1)"), "{page}");
    let dir = tempfile::tempdir().expect("a directory");
    let below = dir.path().join("share/man1");
    let (code, out, err) = ran(&["man", &below.display().to_string()]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let scan = fs::read_to_string(below.join("offcut-scan.1")).expect("a page for each command");
    assert!(scan.contains("OFFCUT_FAIL_ON") && scan.contains("Exit codes"), "{scan}");
    assert!(below.join("offcut-rules-check.1").is_file());
    let file = below.join("offcut.1/no");
    assert_eq!(ran(&["man", &file.display().to_string()]).0, 2, "below a file");

    let (_, text, _) = ran(&["version"]);
    let (_, json, _) = ran(&["version", "-f", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let rules = ran(&["rules", "list"]).1.lines().count();
    assert_eq!((&json["version"], &json["rules"]), (&env!("CARGO_PKG_VERSION").into(), &rules.into()));
    let digest = json["catalogue"].as_str().expect("a digest");
    assert_eq!(text, format!("offcut {}\n{rules} rules, {digest}\n", env!("CARGO_PKG_VERSION")));
    let report: Value = serde_json::from_str(&ran(&["scan", IMAGE, "-f", "json"]).1).expect("JSON");
    assert_eq!(report["tool"]["catalogue"], json["catalogue"]);
}

#[test]
fn a_full_disk_is_told_and_leaves_no_part_of_a_file() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("every Linux has it");
    for args in [&["scan", IMAGE, "-f", "json"][..], &["rules", "list"], &["completion", "zsh"], &["man"], &["version"]]
    {
        let (code, _, err) = finished(offcut(args).stdout(full()).output().expect("it starts"));
        assert_eq!(code, 3, "{args:?}");
        assert!(err.starts_with("error: can not write to standard output\n  cause: No space left"), "{args:?}: {err}");
    }
    let (code, _, err) = ran(&["scan", IMAGE, "-q", "-o", "/dev/full"]);
    assert_eq!(code, 3);
    assert!(err.starts_with("error: can not write the report to \"/dev/full\"\n  cause: No space left"), "{err}");
}

#[test]
fn an_archive_comes_through_standard_input_too() {
    let mut command = offcut(&["scan", "-", "-f", "json", "--fail-on", "never"]);
    command.stdin(fs::File::open(IMAGE).expect("the image is there"));
    let (code, out, err) = finished(command.output().expect("it starts"));
    assert_eq!(code, 0, "{err}");
    let findings = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["findings"].clone();
    assert_eq!(findings(&out), findings(&ran(&["scan", IMAGE, "-f", "json"]).1));
}

#[test]
fn every_file_is_one_line_and_one_object() {
    let (code, lines, _) = ran(&["files", IMAGE]);
    assert_eq!(code, 0);
    assert!(lines.lines().any(|l| l.ends_with(" /bin/busybox")), "{lines}");
    let (_, objects, _) = ran(&["files", IMAGE, "-f", "json"]);
    let objects: Vec<Value> = objects.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(objects.len(), lines.lines().count());
    assert!(objects.iter().all(|o| o["state"] == "live"));
    let (_, all, _) = ran(&["files", IMAGE, "--all", "-f", "json"]);
    assert!(all.lines().count() >= objects.len());
}

#[test]
fn the_ledger_is_one_valid_document_or_tables() {
    let (code, json, err) = ran(&["ledger", IMAGE, "-f", "json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(is_valid(&json, "docs/schema/ledger-v1.json"), "{json}");
    assert_eq!(ran(&["ledger", IMAGE, "-f", "json", "-j", "1"]).1, json);
    let ledger: Value = serde_json::from_str(&json).expect("JSON");
    let scanned: Value = serde_json::from_str(&ran(&["scan", IMAGE, "-f", "json"]).1).expect("JSON");
    let tar_bytes = |of: &Value| -> Vec<u64> {
        let layers = of["layers"].as_array().expect("layers").iter();
        layers.map(|layer| layer["tar_bytes"].as_u64().expect("bytes")).collect()
    };
    assert_eq!(tar_bytes(&ledger), tar_bytes(&scanned));
    assert_eq!((&ledger["base"], &ledger["totals"]["live_bytes"]), (&scanned["base"], &scanned["totals"]["bytes"]));
    let (code, tables, _) = ran(&["ledger", IMAGE, "--top", "3"]);
    assert_eq!(code, 0);
    assert!(tables.contains("npm:typescript") && tables.contains("more owners"), "{tables}");
    let (_, layers, _) = ran(&["ledger", IMAGE, "--by", "layer"]);
    assert!(layers.contains("unpacked") && !layers.contains("npm:typescript"), "{layers}");
}

#[test]
fn the_base_that_the_user_names_is_believed_if_it_is_one() {
    let with = |command, base| {
        let (code, out, err) = ran(&[command, IMAGE, "--base", base, "-f", "json"]);
        assert!(matches!(code, 0 | 1), "{err}");
        serde_json::from_str::<Value>(&out).expect("JSON")
    };
    // An image is built upon itself, with nothing on top.
    for command in ["scan", "ledger"] {
        let base = &with(command, IMAGE)["base"];
        assert_eq!((&base["layers"], &base["confidence"]), (&11.into(), &"certain".into()), "{command}");
    }
    let findings = with("scan", IMAGE)["findings"].take();
    let origin = |finding: &Value| (finding["layer"].is_null(), finding["origin"].clone());
    let origins: Vec<_> = findings.as_array().expect("findings").iter().map(origin).collect();
    assert!(origins.iter().all(|(about_config, origin)| origin == if *about_config { "own" } else { "base" }));
    for wrong in ["-", "docker-archive:/no/such/file", concat!("dir:", env!("CARGO_MANIFEST_DIR"), "/testdata")] {
        let (code, out, err) = ran(&["scan", IMAGE, "--base", wrong]);
        assert_eq!((code, out.as_str()), (2, ""), "{wrong}: {err}");
        assert!(err.contains("base image"), "{err}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = offcut(&["files", IMAGE]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let (code, _, err) = finished(child.wait_with_output().expect("it ends"));
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn listed_rules_can_be_explained() {
    let (code, list, _) = ran(&["rules", "list"]);
    assert_eq!(code, 0);
    assert!(list.lines().count() > 1, "{list}");
    // A start for each: every fifteenth is enough.
    for rule in list.lines().step_by(15).filter_map(|line| line.split_whitespace().next()) {
        let (code, told, _) = ran(&["explain", rule]);
        assert_eq!(code, 0, "{rule}");
        assert!(told.contains(rule), "{rule}");
    }
}

#[test]
fn a_dockerfile_gives_findings_their_lines() {
    let scan = |file: &str, format: &str| {
        let mut command = offcut(&["scan", IMAGE, "-f", format, "--fail-on", "never", "--dockerfile", file]);
        let (code, out, err) = finished(command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("it starts"));
        assert_eq!(code, 0, "{err}");
        out
    };
    let own = "testdata/node-app/Dockerfile";
    let text = scan(own, "json");
    assert!(is_valid(&text, "docs/schema/report-v1.json"));
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let lines: Vec<&Value> = findings.iter().map(|f| &f["line"]).filter(|line| !line.is_null()).collect();
    let written = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(own)).expect("it is there");
    for line in &lines {
        let first = line["first"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number");
        assert_eq!(written.lines().nth(first - 1), line["instruction"].as_str());
    }
    for want in ["COPY node_modules ./node_modules", "COPY ninja /usr/local/bin/ninja"] {
        assert!(lines.iter().any(|line| line["instruction"] == want), "{want}: {lines:?}");
    }
    assert!(scan(own, "table").contains("testdata/node-app/Dockerfile:13: COPY ninja"));
    let sarif: Value = serde_json::from_str(&scan(own, "sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let ninja = results.iter().find(|result| result["ruleId"] == "build-tool/ninja").expect("it is in the image");
    let place = &ninja["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"testdata/node-app/Dockerfile".into(), &13.into())
    );
    let inside = ninja["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].as_str().expect("a name");
    assert!(inside.ends_with(":/usr/local/bin/ninja"), "{inside}");
    assert_eq!(ninja["locations"].as_array().map(Vec::len), Some(1));

    let dir = tempfile::tempdir().expect("a directory");
    let other = dir.path().join("Dockerfile").display().to_string();
    fs::write(&other, "FROM debian:12\nRUN make everything\nCOPY a /b\n").expect("written");
    let report = scan(&other, "json");
    assert!(!report.contains("\"instruction\""), "{report}");
    let told: Value = serde_json::from_str(&report).expect("JSON");
    let notes: Vec<&str> =
        told["diagnostics"].as_array().expect("a list").iter().filter_map(|d| d["text"].as_str()).collect();
    let want = "this Dockerfile is not the image's own: line 3 is \"COPY a /b\" there, and step";
    assert!(notes.iter().any(|note| note.contains(want) && note.contains("in the image is \"")), "{notes:?}");
    fs::write(&other, "FROM debian:12\nRUM make\n").expect("written");
    let (code, out, err) = ran(&["scan", IMAGE, "--dockerfile", &other]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("line 2, column 1"), "{err}");
}

#[test]
fn what_can_not_be_rewritten_surely_is_refused_with_the_reason_and_stays_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let other = dir.path().join("Dockerfile");
    let text = "FROM node:20\nRUN make everything\nCOPY a /b\nCMD [\"node\", \"a.js\"]\n";
    fs::write(&other, text).expect("written");
    let name = other.display().to_string();
    let (code, out, err) = ran(&["fix", IMAGE, "--dockerfile", &name, "--write"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.starts_with("not rewritten: the lines of the Dockerfile can not be told from the image: "), "{err}");
    assert_eq!(fs::read_to_string(&other).expect("it is there"), text);
    let (code, out, err) = ran(&["fix", IMAGE, "--dockerfile", &name, "-f", "json"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(is_valid(&out, "docs/schema/fix-v1.json"), "{out}");
    assert!(out.contains("\"outcome\": \"refused\""));
}

/// The Dockerfile of the image, changed, in a directory that stands for its repository.
fn in_repository(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/node-app/Dockerfile");
    fs::create_dir_all(dir.path().join(".git")).expect("made");
    fs::create_dir_all(dir.path().join("deploy")).expect("made");
    let text = change(&fs::read_to_string(own).expect("it is there"));
    fs::write(dir.path().join("deploy/Dockerfile"), text).expect("written");
    dir
}

/// What a scan in a directory says of each finding: rule, fingerprint, file and line.
fn lines_told(dir: &Path, args: &[&str]) -> (Vec<[String; 4]>, Value) {
    let args = [&["scan", IMAGE, "-f", "json", "--fail-on", "never"], args].concat();
    let (code, out, err) = finished(offcut(&args).current_dir(dir).output().expect("it starts"));
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let told = report["findings"].as_array().expect("findings").iter();
    let told = told.map(|f| [&f["rule"], &f["fingerprint"], &f["line"]["file"], &f["line"]["first"]].map(word));
    (told.collect(), report)
}

#[test]
fn a_line_that_moves_takes_its_finding_along_and_keeps_the_fingerprint() {
    let before = in_repository(str::to_string);
    let file = ["--dockerfile", "deploy/Dockerfile"];
    let (told, _) = lines_told(before.path(), &file);
    assert!(told.iter().any(|[rule, _, file, line]| {
        (rule.as_str(), file.as_str(), line.as_str()) == ("build-tool/ninja", "deploy/Dockerfile", "13")
    }));
    let after = in_repository(|text| format!("# what it is\n\n{text}"));
    let (moved, _) = lines_told(after.path(), &file);
    let plus_two = |line: &str| line.parse::<u32>().map_or_else(|_| line.to_string(), |line| (line + 2).to_string());
    let want: Vec<_> = told.iter().map(|[a, b, c, line]| [a.clone(), b.clone(), c.clone(), plus_two(line)]).collect();
    assert_eq!(moved, want);
    let windows = in_repository(|text| text.replace('\n', "\r\n"));
    assert_eq!(lines_told(windows.path(), &file).0, told, "line ends of Windows");
}

#[test]
fn the_dockerfile_is_found_in_the_sources_if_it_is_the_images_own() {
    let own = in_repository(str::to_string);
    let (told, _) = lines_told(own.path(), &["--dockerfile", "deploy/Dockerfile"]);
    assert_eq!(
        lines_told(&own.path().join("deploy"), &["--dockerfile", "auto"]).0,
        told,
        "the root is the work tree's"
    );
    let root = own.path().display().to_string();
    assert_eq!(lines_told(Path::new("/"), &["--source-root", &root]).0, told);
    assert!(lines_told(own.path(), &[]).0.iter().all(|[.., line]| line == "null"), "nobody asked");

    let other = in_repository(|text| text.replace("COPY src ./src", "COPY lib ./lib"));
    let (lines, report) = lines_told(other.path(), &["--dockerfile", "auto"]);
    assert!(lines.iter().all(|[.., line]| line == "null"));
    let notes = report["diagnostics"].to_string();
    assert!(notes.contains("is the image's own (1 looked at); of \\\"deploy/Dockerfile\\\""), "{notes}");
    let empty = tempfile::tempdir().expect("a directory");
    let (_, report) = lines_told(empty.path(), &["--dockerfile", "auto"]);
    assert!(report["diagnostics"].to_string().contains("in no git work tree"), "{report}");
}

#[test]
fn a_stage_without_a_dockerfile_is_wrong_only_when_it_is_typed() {
    let (code, out, err) = ran(&["scan", IMAGE, "--target", "x"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--target \"x\" needs a Dockerfile\n  help: give --dockerfile FILE"), "{err}");
    let mut command = offcut(&["scan", IMAGE, "--fail-on", "never", "-q"]);
    let (code, _, err) = finished(command.env("OFFCUT_TARGET", "production").output().expect("it starts"));
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, _, err) = ran(&["scan", IMAGE, "--source-root", "/no/such/dir"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: the source root \"/no/such/dir\" is no directory"), "{err}");
}
