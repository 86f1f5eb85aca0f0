//! Policies from the outside: `offcut.toml`, profiles, exceptions, baselines, and what is said of wrong ones.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// 2026-11-27, as `SOURCE_DATE_EPOCH` has it.
const TODAY: &str = "1795737600";

/// A directory to start in, and a root file system with two things that should not be there.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: TempDir::new().expect("a directory") };
        for (name, text) in [
            ("root/srv/go.mod", "module a\n\ngo 1.22\n"),
            ("root/srv/main.go", "package main\n\nfunc main() {}\n"),
            ("root/srv/.git/HEAD", "ref: refs/heads/main\n"),
            ("root/srv/.git/config", "[core]\n\trepositoryformatversion = 0\n"),
            ("root/srv/.git/objects/info/x", "x"),
            ("root/srv/.git/refs/heads/main", "0123456789012345678901234567890123456789\n"),
        ] {
            place.file(name, text);
        }
        place
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
        command.args(["scan", "dir:root"]).args(args).env_clear().env("SOURCE_DATE_EPOCH", TODAY);
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    fn ran(&self, args: &[&str]) -> (i32, String, String) {
        finished(&mut self.command(args))
    }

    /// Exit code and report of a scan that gives one.
    fn report(&self, args: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.ran(&[&["-q", "-f", "json"], args].concat());
        let report = serde_json::from_str(&out).unwrap_or_else(|error| unreachable!("{error}: {err}"));
        assert_eq!(faults("docs/schema/report-v1.json", &report), Vec::<String>::new());
        (code, report)
    }
}

fn finished(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("offcut writes UTF-8");
    (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
}

fn faults(schema: &str, value: &Value) -> Vec<String> {
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(schema)).expect("the schema is there");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn finding<'r>(report: &'r Value, rule: &str) -> &'r Value {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| unreachable!("{rule} was not found"))
}

/// What is said beside the findings, without what every directory is told.
fn notes(report: &Value) -> Vec<&str> {
    let notes = report["diagnostics"].as_array().expect("a list").iter().filter_map(|note| note["text"].as_str());
    notes.filter(|note| !note.starts_with("a directory has no configuration")).collect()
}

#[test]
fn the_file_of_the_working_directory_decides_unless_it_is_not_wanted() {
    let place = Place::new();
    assert_eq!(place.report(&[]).0, 1, "the image fails by itself");
    assert_eq!(place.report(&[]).1["policy"]["file"], Value::Null);
    place.file("offcut.toml", "gate.severity = \"never\"\n");
    let (code, report) = place.report(&[]);
    assert_eq!((code, &report["policy"]["file"]), (0, &"offcut.toml".into()));
    assert_eq!(place.report(&["--no-config"]).0, 1);
    assert_eq!(place.report(&["--fail-on", "low"]).0, 1, "what is typed wins");

    let other = place.file("other.toml", "profile = \"cis-docker\"\n").display().to_string();
    let (code, report) = place.report(&["--config", &other]);
    assert_eq!((code, &report["policy"]["profile"]), (1, &"cis-docker".into()));
    let (_, table, _) = place.ran(&["--config", "other.toml"]);
    assert!(table.contains("other.toml, profile cis-docker"), "{table}");

    let with = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = place.command(args);
        finished(command.envs(variables.iter().copied()))
    };
    let code = |variables: &[(&str, &str)], args: &[&str]| with(variables, args).0;
    assert_eq!(code(&[("OFFCUT_NO_CONFIG", "1")], &[]), 1);
    assert_eq!(code(&[("OFFCUT_CONFIG", "other.toml")], &[]), 1);
    assert_eq!(code(&[("OFFCUT_CONFIG", "other.toml")], &["--config", "offcut.toml"]), 0);
    assert_eq!(code(&[("OFFCUT_CONFIG", "offcut.toml")], &["--no-config"]), 1, "what is typed wins");
    assert_eq!(code(&[("OFFCUT_NO_CONFIG", "1")], &["--config", "offcut.toml"]), 0, "what is typed wins");
    assert_eq!(code(&[("OFFCUT_FAIL_ON", "low")], &[]), 1);
    assert_eq!(code(&[("OFFCUT_FAIL_ON", "low")], &["--fail-on", "never"]), 0);
    assert_eq!(code(&[("OFFCUT_PROFILE", "cis-docker")], &["--no-config"]), 1);
    assert_eq!(code(&[("OFFCUT_PROFILE", "cis-docker")], &["--no-config", "--profile", "devcontainer"]), 0);
    let (code, out, err) = with(&[], &["--config", "offcut.toml", "--no-config"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("give one of the two"), "{err}");
}

#[test]
fn an_exception_carries_reason_owner_and_day_into_every_format() {
    let place = Place::new();
    let allow = "[[allow]]\nrule = \"vcs\"\npath = \"/srv/.git/**\"\nreason = \"shown in the demo\"\nowner = \"team-a\"\nexpires = 2026-11-27\n";
    place.file("offcut.toml", allow);
    let (_, report) = place.report(&[]);
    let git = finding(&report, "vcs/git");
    assert_eq!(git["allowed"], "shown in the demo");
    assert_eq!(
        git["allowed_by"],
        serde_json::json!({"owner": "team-a", "expires": "2026-11-27", "entry": "offcut.toml:1"})
    );
    assert!(finding(&report, "source/compiled")["allowed"].is_null());
    assert_eq!(report["policy"]["exceptions"][0]["state"], "used");
    let (_, table, _) = place.ran(&[]);
    assert!(table.contains("allowed    shown in the demo (owner team-a, until 2026-11-27)"), "{table}");
    let (_, sarif, _) = place.ran(&["-f", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).expect("JSON");
    assert_eq!(faults("tests/schema/sarif-schema-2.1.0.json", &sarif), Vec::<String>::new());
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let suppressed = |rule: &str| {
        let result = results.iter().find(|result| result["ruleId"] == rule).expect("it is there");
        result["suppressions"][0].clone()
    };
    let told = suppressed("vcs/git");
    assert_eq!(told["justification"], "shown in the demo (owner team-a, until 2026-11-27)");
    assert_eq!((&told["properties"]["owner"], &told["status"]), (&"team-a".into(), &"accepted".into()));
    assert_eq!(told["properties"]["expires"], "2026-11-27");
    assert_eq!(suppressed("source/compiled"), Value::Null);

    // One day later it is over, and says so.
    let mut command = place.command(&["-q", "-f", "json"]);
    let (_, out, _) = finished(command.env("SOURCE_DATE_EPOCH", "1795824000"));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert!(finding(&report, "vcs/git")["allowed"].is_null());
    let want = "line 1 of \"offcut.toml\" no longer allows vcs/git: it ended on 2026-11-27, owner team-a";
    assert_eq!(notes(&report), [want]);

    // A file of --allow is the same mechanism; what fits nothing is said.
    let file = place.file("allow.toml", &allow.replace("/srv/", "/opt/")).display().to_string();
    let (_, report) = place.report(&["--no-config", "--allow", &file]);
    assert!(notes(&report)[0].ends_with("allow.toml\" allows what was not found; remove it"), "{report}");
    assert_eq!(report["policy"]["exceptions"][0]["state"], "stale");
}

#[test]
fn an_exception_that_is_bound_to_its_evidence_ends_when_the_content_changes() {
    let place = Place::new();
    let (_, report) = place.report(&[]);
    let digest = finding(&report, "source/compiled")["evidence_digest"].as_str().expect("it has one").to_string();
    let allow = format!("[[allow]]\nrule = \"source/compiled\"\nreason = \"taught with\"\nevidence = \"{digest}\"\n");
    place.file("offcut.toml", &allow);
    assert_eq!(finding(&place.report(&[]).1, "source/compiled")["allowed"], "taught with");
    place.file("root/srv/main.go", "package main\n\nfunc main() { println() }\n");
    let (_, report) = place.report(&[]);
    assert!(finding(&report, "source/compiled")["allowed"].is_null());
    let want =
        format!("line 1 of \"offcut.toml\" does not allow source/compiled: its evidence was {digest}, and is sha256:");
    assert!(notes(&report)[0].starts_with(&want), "{report}");
}

#[test]
fn with_a_baseline_only_what_is_new_fails() {
    let place = Place::new();
    let strict = ["--profile", "strict"];
    fs::rename(place.dir.path().join("root/srv/.git"), place.dir.path().join("git")).expect("moved");
    let (code, _, err) = place.ran(&["--fail-on", "never", "-f", "json", "-o", "old.json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(place.report(&strict).0, 1);
    let since = [&strict[..], &["--baseline", "old.json"]].concat();
    let (code, report) = place.report(&since);
    assert_eq!((code, &finding(&report, "source/compiled")["since"]), (0, &"known".into()));
    assert_eq!(report["policy"]["baseline"], "old.json");

    fs::rename(place.dir.path().join("git"), place.dir.path().join("root/srv/.git")).expect("moved");
    let (code, report) = place.report(&since);
    assert_eq!((code, &finding(&report, "vcs/git")["since"]), (1, &"new".into()));
    let (_, table, _) = place.ran(&since);
    assert!(table.ends_with("FAILED: 1 new or risen finding is low or worse\n"), "{table}");
    assert!(
        table.contains("new        not in the baseline") && table.contains("what is new since old.json"),
        "{table}"
    );
    let (_, sarif, _) = place.ran(&[&since[..], &["-f", "sarif"]].concat());
    assert!(sarif.contains("\"baselineState\": \"new\"") && sarif.contains("\"baselineState\": \"unchanged\""));

    // The file names one beside itself, and what is typed wins.
    place.file("conf/offcut.toml", "profile = \"strict\"\nbaseline = \"../old.json\"\n");
    let named = ["--config", "conf/offcut.toml"];
    assert!(finding(&place.report(&named).1, "vcs/git")["since"] == "new");
    let (code, _, err) = place.ran(&[&named[..], &["--baseline", "none.json"]].concat());
    assert_eq!(code, 2, "{err}");
    place.file("offcut.toml", "gate.growth = \"1GB\"\n");
    let growth = "growth was not judged: there is no baseline";
    assert!(notes(&place.report(&[]).1).contains(&growth));
    assert!(!notes(&place.report(&["--baseline", "old.json"]).1).contains(&growth));
    place.file("offcut.toml", "gate.severity = \"never\"\ngate.growth = \"10\"\n");
    let (code, table, _) = place.ran(&["--baseline", "old.json"]);
    assert!(code == 1 && table.contains("FAILED: the image grew by "), "{table}");
}

#[test]
fn a_baseline_of_another_version_and_what_is_no_report_are_refused() {
    let place = Place::new();
    assert_eq!(place.ran(&["--fail-on", "never", "-f", "json", "-o", "old.json"]).0, 0);
    let text = fs::read_to_string(place.dir.path().join("old.json")).expect("it is there");
    place.file("version.json", &text.replace("offcut.report/1", "offcut.report/2"));
    place.file("sarif.json", "{\"version\": \"2.1.0\", \"runs\": []}");
    place.file("cut.json", &text[..text.len() / 2]);
    for (file, want) in [
        ("version.json", "cause: its form is \"offcut.report/2\", and this offcut reads \"offcut.report/1\"\n"),
        ("sarif.json", "cause: it has no member \"schema\", so it is no report of offcut\n"),
        ("cut.json", "cause: it is no JSON report: EOF"),
        ("none.json", "cause: No such file or directory"),
        ("root", "cause: Is a directory"),
    ] {
        let (code, out, err) = place.ran(&["--baseline", file]);
        assert_eq!((code, out.as_str()), (2, ""), "{file}: {err}");
        assert!(err.starts_with(&format!("error: can not use the report \"{file}\"\n  ")), "{err}");
        assert!(err.contains(want) && err.contains("help: write it with `offcut scan IMAGE -f json`"), "{err}");
    }
}

#[test]
fn a_wrong_policy_is_code_2_and_says_where_and_what_was_expected() {
    let place = Place::new();
    for (text, want) in [
        ("profil = \"strict\"\n", "line 1: unknown key `profil`; did you mean `profile`?"),
        ("\n[gate]\nseverty = \"low\"\n", "line 3: unknown key `severty`; did you mean `severity`? `gate` takes"),
        (
            "[severity]\n\"vcs/gti\" = \"low\"\n",
            "line 2: `severity.vcs/gti` is no key here: there is no rule \"vcs/gti\"; did you mean \"vcs/git\"?",
        ),
        (
            "[gate]\nseverity = 3\n",
            "line 2: `gate.severity` wants critical, high, medium, low, note or never, not a number",
        ),
        (
            "[[allow]]\nrule = \"vcs\"\npath = \"srv/[a\"\nreason = \"x\"\n",
            "line 3: `allow.path` can not be \"srv/[a\": a `[` has no `]`",
        ),
        (
            "[[allow]]\nrule = \"vcs\"\nexpires = \"31.12.2026\"\nreason = \"x\"\n",
            "line 3: `allow.expires` wants a day such as 2026-12-31, not \"31.12.2026\"",
        ),
        ("[[allow]]\nrule = \"vcs\"\nexpires = 2026-02-29\nreason = \"x\"\n", "line 3: "),
        ("[[allow]]\nrule = \"vcs\"\n", "line 1: an [[allow]] wants `reason`"),
        ("profile = \n", "line 1: it is no TOML: "),
    ] {
        place.file("offcut.toml", text);
        let (code, out, err) = place.ran(&[]);
        assert_eq!((code, out.as_str()), (2, ""), "{text}: {err}");
        assert!(err.starts_with("error: can not use the policy file \"offcut.toml\"\n  cause: "), "{err}");
        assert!(err.contains(want) && err.ends_with("  help: docs/policy.md explains every key\n"), "{err}");
    }
    fs::remove_file(place.dir.path().join("offcut.toml")).expect("removed");
    for (args, want) in [
        (&["--config", "none.toml"][..], "can not use the policy file \"none.toml\"\n  cause: No such file"),
        (&["--config", "root"], "can not use the policy file \"root\"\n  cause: "),
        (
            &["--profile", "strickt"],
            "there is no profile \"strickt\"; did you mean \"strict\"? profiles are ci-runner, ",
        ),
        (&["--allow", "none.toml"], "can not use the policy file \"none.toml\""),
        (&["--fail-on", "severe"], "'severe' is no severity"),
    ] {
        let (code, out, err) = place.ran(args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains(want), "{err}");
    }
    let (code, out, err) = finished(place.command(&[]).env("SOURCE_DATE_EPOCH", "tomorrow"));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: can not use SOURCE_DATE_EPOCH\n"), "{err}");
    fs::create_dir(place.dir.path().join("offcut.toml")).expect("made");
    let (code, _, err) = place.ran(&[]);
    assert!(code == 2 && err.starts_with("error: can not use the policy file \"offcut.toml\"\n"), "{err}");
}

#[test]
fn an_image_is_judged_by_the_settings_for_its_name_and_diff_by_the_same_file() {
    let place = Place::new();
    place.file(
        "offcut.toml",
        "[[image]]\nname = \"ro*\"\ngate.severity = \"never\"\n[image.severity]\nvcs = \"note\"\n",
    );
    let (code, report) = place.report(&[]);
    assert_eq!((code, &finding(&report, "vcs/git")["severity"]), (0, &"note".into()));
    assert_eq!(finding(&report, "vcs/git")["rated"]["entry"], "offcut.toml:5");
    let (_, table, _) = place.ran(&[]);
    assert!(table.contains("rated      high by the rules, note by offcut.toml:5"), "{table}");
    place.file("offcut.toml", "[[image]]\nname = \"other\"\ngate.severity = \"never\"\n");
    assert_eq!(place.report(&[]).0, 1);

    fs::create_dir(place.dir.path().join("empty")).expect("made");
    let diff = |config: &str| {
        place.file("offcut.toml", config);
        let mut command = Command::new(env!("CARGO_BIN_EXE_offcut"));
        command.args(["diff", "dir:empty", "dir:root"]).env_clear().current_dir(place.dir.path());
        finished(&mut command).0
    };
    assert_eq!(diff(""), 1);
    assert_eq!(diff("gate.severity = \"critical\"\n"), 0);
    assert_eq!(diff("[[allow]]\npath = \"/srv/**\"\nreason = \"x\"\n"), 0);
}

/// A text of TOML as the JSON that an editor's schema sees; dates are texts there.
fn json(text: &str) -> Value {
    fn convert(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => Value::String(date.to_string()),
            toml::Value::Array(items) => items.into_iter().map(convert).collect(),
            toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, convert(value))).collect(),
            other => serde_json::to_value(other).expect("a plain value"),
        }
    }
    convert(toml::from_str(text).expect("it is TOML"))
}

#[test]
fn the_schema_for_editors_takes_every_example_that_offcut_takes_and_refuses_what_it_refuses() {
    const SCHEMA: &str = "docs/schema/offcut-toml-v1.json";
    let place = Place::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/policy.md")).expect("it is there");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```").map(|(text, _)| text)).collect();
    assert_eq!(examples.len(), 4);
    assert_eq!(place.ran(&["--fail-on", "never", "-f", "json", "-o", "baseline.json"]).0, 0);
    for text in examples {
        assert_eq!(faults(SCHEMA, &json(text)), Vec::<String>::new(), "{text}");
        place.file("offcut.toml", text);
        let (code, _, err) = place.ran(&[]);
        assert!(matches!(code, 0 | 1), "{text}: {err}");
    }
    for text in [
        "profil = \"strict\"",
        "profile = 1",
        "[gate]\nseverity = \"severe\"",
        "[gate]\nbytes = \"10 apples\"",
        "[gate]\nbytes = 1.5",
        "[gate]\ngrowth = \"5.5%\"",
        "[gate.rules]\nsecrets = \"low\"",
        "[severity]\nsecret = \"never\"",
        "[[image]]\nprofile = \"strict\"",
        "[[image]]\nname = []",
        "[[image]]\nname = \"a/\"",
        "[[allow]]\nfingerprint = \"a\"",
        "[[allow]]\nfingerprint = \"a\"\nreason = \" \"",
        "[[allow]]\nreason = \"a\"",
        "[[allow]]\nreason = \"a\"\nfingerprint = \"a\"\nrule = \"secret\"",
        "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nexpires = \"31.12.2026\"",
        "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nexpires = 2026-12-31T10:00:00Z",
        "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nevidence = \"abc\"",
        "[[allow]]\nreason = \"a\"\nrule = \"secret\"\npath = \"a/\"",
        "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nwhy = 1",
    ] {
        assert!(!faults(SCHEMA, &json(text)).is_empty(), "{text}");
        place.file("offcut.toml", text);
        assert_eq!(place.ran(&[]).0, 2, "{text}");
    }
}
