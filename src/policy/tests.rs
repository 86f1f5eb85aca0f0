//! Policies on made-up reports: layers of settings, exceptions, gates, baselines.

use std::sync::OnceLock;

use super::*;
use crate::{
    model::{Digest, ExceptionState, PathGroup},
    report::{Verdict, testing},
};

/// 2026-11-27.
const NOW: i64 = 1_795_737_600;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }

    fn settings(&self, config: &str) -> Settings {
        self.wishing(config, &Wishes::default()).expect("a good policy")
    }

    fn wishing(&self, config: &str, wishes: &Wishes<'_>) -> Result<Settings> {
        let config = Config::File(self.file(CONFIG_NAME, config));
        Settings::load(&Wishes { config, now: NOW, ..wishes.clone() }, catalogue())
    }

    /// The report of [`testing::report`] under a policy.
    fn judged(&self, config: &str) -> (Report, Verdict) {
        let settings = self.settings(config);
        let mut report = testing::report();
        let policy = settings.policy(&report.image);
        let diff = policy.apply(&mut report, settings.baseline().expect("readable").as_ref());
        let verdict = Verdict::of(&report, policy.gates(), diff.as_ref());
        (report, verdict)
    }
}

/// Compiled once for all tests.
fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::builtin().expect("the policies compile"))
}

/// What an error says, without the path of the test's directory.
fn told(error: &Error) -> String {
    assert_eq!(error.fault, crate::error::Fault::Usage);
    error.causes.join("\n")
}

fn by_rule<'r>(report: &'r Report, rule: &str) -> &'r Finding {
    report.findings.iter().find(|finding| finding.rule == rule).expect(rule)
}

fn notes(report: &Report) -> Vec<&str> {
    report.diagnostics.iter().map(|diagnostic| diagnostic.text.as_str()).collect()
}

#[test]
fn every_profile_of_the_program_is_right_and_names_only_rules_that_are_there() {
    let catalogue = catalogue();
    let names: Vec<&str> = catalogue.profiles.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ci-runner", "cis-docker", "default", "devcontainer", "strict"]);
    let rules = Some(catalogue.rules.iter().map(|rule| rule.about.id.as_str()).collect());
    let known = Known { rules, profiles: Vec::new() };
    for (name, text) in &catalogue.profiles {
        document::read(name, text, Form::Profile, &known).expect(name);
    }
}

#[test]
fn profiles_judge_the_same_image_differently() {
    let dir = Dir::new();
    for (profile, want) in [
        ("default", "FAILED: 1 finding is high or worse"),
        ("strict", "FAILED: 3 findings are low or worse"),
        ("ci-runner", "PASSED: no finding is high or worse"),
        ("devcontainer", "PASSED: no finding is high or worse"),
        ("cis-docker", "FAILED: 2 findings of build-tool are low or worse; 1 finding of root-user is low or worse"),
    ] {
        let (report, verdict) = dir.judged(&format!("profile = \"{profile}\"\n"));
        assert_eq!(verdict.to_string(), want, "{profile}");
        assert_eq!(report.policy.expect("judged").profile, profile);
    }
}

#[test]
fn what_is_typed_wins_over_the_file_and_the_file_over_the_profile() {
    let dir = Dir::new();
    let gate = |config: &str, profile, fail_on| {
        let settings = dir.wishing(config, &Wishes { profile, fail_on, ..Wishes::default() }).expect("good");
        settings.policy(&ImageInfo::default()).gates().clone()
    };
    assert_eq!(gate("", None, None).severity, Some(Severity::High));
    assert_eq!(gate("profile = \"strict\"", None, None).severity, Some(Severity::Low));
    assert_eq!(
        gate("profile = \"strict\"\ngate.severity = \"critical\"", None, None).severity,
        Some(Severity::Critical)
    );
    assert_eq!(gate("gate.severity = \"critical\"", Some("strict"), None).severity, Some(Severity::Critical));
    assert_eq!(gate("profile = \"default\"", Some("strict"), None).severity, Some(Severity::Low));
    let typed = Some(Some(Severity::Medium));
    assert_eq!(gate("gate.severity = \"critical\"", Some("strict"), typed).severity, Some(Severity::Medium));
    let rules = "[gate]\nbytes = \"1MB\"\n[gate.rules]\nsecret = \"low\"\n";
    assert_eq!(gate(rules, None, typed).rules.len(), 1, "a gate of its own");
    assert_eq!(gate(rules, None, Some(None)), Gates::default(), "never turns off every gate");
    let off = gate(
        "[gate]\nbytes = \"never\"\ngrowth = \"never\"\n[gate.rules]\nsecret = \"never\"",
        Some("cis-docker"),
        None,
    );
    assert_eq!((off.bytes, off.growth, off.rules["secret"]), (None, None, None));
    assert_eq!(off.rules["root-user"], Some(Severity::Low));
}

#[test]
fn a_severity_replaces_that_of_the_rule_and_not_what_was_graded_down() {
    let dir = Dir::new();
    let (report, verdict) = dir.judged("[severity]\nbuild-tool = \"low\"\n\"build-tool/gcc\" = \"critical\"\n");
    let gcc = by_rule(&report, "build-tool/gcc");
    assert_eq!(gcc.severity, Severity::Critical);
    let rated = gcc.rated.as_ref().expect("it was changed");
    assert_eq!((rated.severity, rated.entry.rsplit('/').next()), (Severity::High, Some("offcut.toml:3")));
    assert_eq!(by_rule(&report, "build-tool/make").rated, None, "low it was before");
    assert!(matches!(verdict, Verdict::Failed { .. }));

    let settings = dir.settings("[severity]\nbuild-tool = \"critical\"\nroot-user = \"note\"\n");
    let mut report = testing::report();
    report.findings.iter_mut().filter(|f| f.rule == "build-tool/gcc").for_each(|f| f.severity = Severity::Note);
    settings.policy(&report.image).apply(&mut report, None);
    assert_eq!(by_rule(&report, "build-tool/gcc").severity, Severity::Note, "it has a reason to be a note");
    assert_eq!(by_rule(&report, "root-user/uid-0").severity, Severity::Note);
    assert_eq!(report.findings[0].rule, "build-tool/make", "worst first");
    let again = report.clone();
    settings.policy(&again.image).apply(&mut report, None);
    assert_eq!(report.findings, again.findings, "deciding twice changes nothing");
}

#[test]
fn an_image_has_settings_of_its_own_by_its_name() {
    let dir = Dir::new();
    for (pattern, image, want) in [
        ("shop/api", "docker:shop/api:1.4", true),
        ("shop/api", "docker:shop/api@sha256:00", true),
        ("shop/*:1.*", "shop/api:1.4", true),
        ("shop/*:1.*", "shop/api:2.4", false),
        ("shop/*", "shop/a/b", false),
        ("**/api", "registry.example:5000/shop/api", true),
        ("registry.example:5000/**", "podman:registry.example:5000/shop/api:1", true),
        ("nginx", "docker.io/library/nginx:1", true),
        ("nginx", "shop/nginx", false),
        ("*", "docker-archive:x.tar", true),
    ] {
        let text = format!("[[image]]\nname = [\"other\", \"{pattern}\"]\nprofile = \"strict\"\ngate.bytes = 7\n");
        let settings = dir.settings(&text);
        let info = ImageInfo { reference: image.to_string(), ..ImageInfo::default() };
        let policy = settings.policy(&info);
        let is = (policy.profile.as_str(), policy.gates().bytes);
        assert_eq!(is, if want { ("strict", Some(7)) } else { ("default", None) }, "{pattern} {image}");
    }
    let text = "[[image]]\nname = \"a\"\ngate.bytes = 1\n[[image]]\nname = \"*\"\ngate.bytes = 2\n";
    let by_tag = ImageInfo { reference: "x.tar".into(), names: vec!["a:1".into()], ..ImageInfo::default() };
    assert_eq!(dir.settings(text).policy(&by_tag).gates().bytes, Some(2), "the last that fits wins");
}

#[test]
fn an_exception_lets_pass_what_it_means_and_says_whose_it_is() {
    let dir = Dir::new();
    let what = |entry: &str| {
        let text = format!("[[allow]]\n{entry}\nreason = \"known\"\nowner = \"team-a\"\nexpires = 2026-11-27\n");
        let (report, _) = dir.judged(&text);
        let allowed = report.findings.iter().filter(|finding| finding.allowed.is_some());
        let rules: Vec<String> = allowed.map(|finding| finding.rule.clone()).collect();
        for finding in report.findings.iter().filter(|finding| finding.allowed.is_some()) {
            let by = finding.allowed_by.as_ref().expect("by somebody");
            assert_eq!((by.owner.as_deref(), by.expires.as_deref()), (Some("team-a"), Some("2026-11-27")));
            assert!(by.entry.ends_with("offcut.toml:1"), "{}", by.entry);
        }
        let used = report.policy.expect("judged").exceptions;
        assert_eq!(used.len(), 1);
        let is = if rules.is_empty() { ExceptionState::Stale } else { ExceptionState::Used };
        assert_eq!((used[0].state, used[0].findings.len()), (is, rules.len()));
        rules
    };
    assert_eq!(what("fingerprint = \"00112233445566aa\""), ["build-tool/gcc"]);
    assert_eq!(what("rule = \"build-tool/make\"\npath = \"bin/m*\""), ["build-tool/make"]);
    assert_eq!(what("rule = \"build-tool\""), ["build-tool/gcc", "build-tool/make"]);
    assert_eq!(what("rule = \"root-user/uid-0\""), ["root-user/uid-0"], "it has no file");
    assert_eq!(what("path = \"/usr/**\""), ["build-tool/gcc", "build-tool/make"]);
    // Near misses: only a part of its files, another rule, no file at all.
    assert_eq!(what("rule = \"build-tool/gcc\"\npath = \"/usr/bin/**\""), [""; 0]);
    assert_eq!(what("rule = \"build-tool/cmake\""), [""; 0]);
    assert_eq!(what("rule = \"root-user/uid-0\"\npath = \"**\""), [""; 0]);
}

#[test]
fn an_exception_ends_with_its_day_and_the_next_one_still_holds() {
    let dir = Dir::new();
    let text = "[[allow]]\nrule = \"build-tool/gcc\"\nreason = \"a\"\nowner = \"team-a\"\nexpires = \"2026-11-26\"\n";
    let (report, verdict) = dir.judged(text);
    assert_eq!(by_rule(&report, "build-tool/gcc").allowed, None);
    let notes = notes(&report);
    assert!(notes[0].ends_with("no longer allows build-tool/gcc: it ended on 2026-11-26, owner team-a"), "{notes:?}");
    assert_eq!(report.policy.as_ref().expect("judged").exceptions[0].state, ExceptionState::Expired);
    assert_eq!(verdict.to_string(), "FAILED: 1 finding is high or worse");

    let (report, _) = dir.judged(&format!("{text}[[allow]]\nrule = \"build-tool/gcc\"\nreason = \"b\"\n"));
    assert_eq!(by_rule(&report, "build-tool/gcc").allowed.as_deref(), Some("b"));
    let (report, _) = dir.judged("[[allow]]\nfingerprint = \"x\"\nreason = \"a\"\nexpires = 2026-01-31\n");
    let notes: Vec<&str> = report.diagnostics.iter().map(|diagnostic| diagnostic.text.as_str()).collect();
    assert!(notes[0].ends_with("ended on 2026-01-31 and fits nothing; remove it"), "{notes:?}");
    let (report, _) = dir.judged("\n[[allow]]\nfingerprint = \"x\"\nreason = \"a\"\n");
    let text = &report.diagnostics[0].text;
    assert!(text.starts_with("line 2 of \"") && text.ends_with("allows what was not found; remove it"), "{text}");
    assert!(!report.diagnostics[0].unread, "it is no part of the image");
}

#[test]
fn an_exception_that_is_bound_ends_when_the_content_or_the_layer_changes() {
    let dir = Dir::new();
    let (first, _) = dir.judged("");
    let gcc = by_rule(&first, "build-tool/gcc");
    let evidence = gcc.evidence_digest.expect("it has one");
    let layer = gcc.layer.as_ref().and_then(|layer| layer.diff_id).expect("it has one");
    let bound = |key: &str, digest: Digest, change: &dyn Fn(&mut Finding)| {
        let text = format!("[[allow]]\nrule = \"build-tool/gcc\"\nreason = \"a\"\n{key} = \"{digest}\"\n");
        let settings = dir.settings(&text);
        let mut report = testing::report();
        report.findings.iter_mut().filter(|finding| finding.rule == "build-tool/gcc").for_each(change);
        settings.policy(&report.image).apply(&mut report, None);
        let used = report.policy.as_ref().expect("judged").exceptions[0].state;
        let note = notes(&report).first().map(|note| note.to_string());
        (by_rule(&report, "build-tool/gcc").allowed.is_some(), used, note)
    };
    assert_eq!(bound("evidence", evidence, &|_| {}), (true, ExceptionState::Used, None));
    assert_eq!(bound("layer", layer, &|_| {}), (true, ExceptionState::Used, None));
    // What says nothing of the content does not end it.
    assert!(bound("evidence", evidence, &|gcc| (gcc.severity, gcc.why) = (Severity::Low, "other".into())).0);
    assert!(bound("evidence", evidence, &|gcc| gcc.layer = None).0);
    let changes: [&dyn Fn(&mut Finding); 5] = [
        &|gcc| gcc.version = Some("13".into()),
        &|gcc| gcc.packages[0].version = "13".into(),
        &|gcc| gcc.paths[0].bytes += 1,
        &|gcc| gcc.paths.push(PathGroup { root: "opt".into(), bytes: 0, files: vec!["opt/x".into()] }),
        &|gcc| gcc.evidence[0].witness.push('x'),
    ];
    for change in changes {
        let (allowed, state, note) = bound("evidence", evidence, change);
        assert_eq!((allowed, state), (false, ExceptionState::Changed));
        let note = note.expect("it is told");
        assert!(note.contains(&format!("does not allow build-tool/gcc: its evidence was {evidence}, and is sha256:")));
    }
    let (allowed, _, note) = bound("layer", layer, &|gcc| gcc.layer = None);
    assert!(!allowed && note.is_some_and(|note| note.ends_with("and is no layer now")));
}

#[test]
fn only_what_is_new_worse_or_no_longer_excused_fails_beside_a_baseline() {
    let dir = Dir::new();
    let keep = |report: &Report| {
        let mut text = Vec::new();
        crate::report::json::write(report, &mut text).expect("a Vec takes everything");
        dir.file("old.json", &String::from_utf8(text).expect("text"));
    };
    let config = "baseline = \"old.json\"\n[gate]\nseverity = \"low\"\nbytes = 0\n";
    let since = |report: &Report| {
        let word = |rule: &str| by_rule(report, rule).since.expect("compared").word();
        [word("build-tool/gcc"), word("root-user/uid-0"), word("build-tool/make")]
    };
    keep(&testing::report());
    let (report, verdict) = dir.judged(config);
    assert_eq!(since(&report), ["known", "known", "known"]);
    assert_eq!(verdict.to_string(), "PASSED: no new finding is low or worse, and 1 more gate holds");
    assert!(report.policy.is_some_and(|policy| policy.baseline.is_some_and(|file| file.ends_with("old.json"))));

    let mut old = testing::report();
    old.findings.retain(|finding| finding.rule != "build-tool/gcc");
    old.findings.iter_mut().filter(|f| f.rule == "root-user/uid-0").for_each(|f| f.severity = Severity::Note);
    old.findings.iter_mut().filter(|f| f.rule == "build-tool/make").for_each(|f| f.allowed = Some("known".into()));
    keep(&old);
    let (report, verdict) = dir.judged(config);
    assert_eq!(since(&report), ["new", "risen", "ended"]);
    assert_eq!(
        verdict.to_string(),
        "FAILED: 3 new or risen findings are low or worse; 312 MB more need not ship, at most 0 B may"
    );

    // Another severity by the policy is no worse image.
    keep(&testing::report());
    let (report, _) = dir.judged(&format!("{config}[severity]\nroot-user = \"critical\"\n"));
    assert_eq!(since(&report), ["known", "known", "known"]);
}

#[test]
fn bytes_that_two_findings_share_count_once() {
    let dir = Dir::new();
    let settings = dir.settings("[gate]\nseverity = \"never\"\nbytes = 312_000_000\n");
    let mut report = testing::report();
    let twin = Finding { rule: "build-tool/g++".into(), ..by_rule(&report, "build-tool/gcc").clone() };
    report.findings.retain(|finding| finding.rule != "build-tool/make");
    report.findings.push(twin);
    let policy = settings.policy(&report.image);
    assert_eq!(policy.gates().breaches(&report, None), []);
    report.findings[0].bytes += 1;
    assert!(matches!(policy.gates().breaches(&report, None)[..], [Breach::Bytes { bytes: 312_000_001, .. }]));
}

#[test]
fn growth_is_held_against_the_baseline_and_said_where_there_is_none() {
    let dir = Dir::new();
    let (report, _) = dir.judged("[gate]\ngrowth = \"5%\"\n");
    assert!(notes(&report).contains(&"growth was not judged: there is no baseline"));
    let mut old = testing::report();
    let ships = old.totals.bytes + old.totals.buried_bytes;
    old.totals.buried_bytes = 0;
    old.totals.bytes = ships - 1_000_000;
    let mut text = Vec::new();
    crate::report::json::write(&old, &mut text).expect("a Vec takes everything");
    dir.file("old.json", &String::from_utf8(text).expect("text"));
    for (most, fails) in [("\"1MB\"", false), ("999_999", true), ("\"0%\"", true), ("\"100%\"", false)] {
        let (_, verdict) =
            dir.judged(&format!("baseline = \"old.json\"\n[gate]\nseverity = \"never\"\ngrowth = {most}\n"));
        assert_eq!(matches!(verdict, Verdict::Failed { .. }), fails, "{most}: {verdict}");
        assert!(!fails || verdict.to_string().starts_with("FAILED: the image grew by 1.00 MB, at most "));
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_by_line_key_and_what_was_expected() {
    let dir = Dir::new();
    for (text, want) in [
        ("profil = \"strict\"", "line 1: unknown key `profil`; did you mean `profile`? the file takes `profile`, "),
        ("[gate]\nseverty = \"low\"", "line 2: unknown key `severty`; did you mean `severity`? `gate` takes "),
        ("colour = 1", "line 1: unknown key `colour`; the file takes "),
        ("about = \"x\"", "unknown key `about`"),
        (
            "profile = \"stric\"",
            "`profile` can not be \"stric\": there is no profile \"stric\"; did you mean \"strict\"?",
        ),
        ("profile = 1", "line 1: `profile` wants the name of a profile, not a number"),
        ("[gate]\nseverity = \"severe\"", "line 2: `gate.severity` can not be \"severe\": it wants critical, high, "),
        ("[severity]\nsecret = \"never\"", "`severity.secret` can not be \"never\": 'never' is no severity"),
        (
            "[severity]\nsecrets = \"low\"",
            "line 2: `severity.secrets` is no key here: there is no family or rule \"secrets\"; did you mean \"secret\"?",
        ),
        ("[gate.rules]\n\"build-tool/gc\" = \"low\"", "there is no rule \"build-tool/gc\"; did you mean \"build-tool/"),
        (
            "[gate]\nbytes = \"10 apples\"",
            "line 2: `gate.bytes` wants a size such as \"50MB\", or never: a size is a number",
        ),
        ("[gate]\nbytes = 1.5", "`gate.bytes` wants a size such as \"50MB\", or never, not a number"),
        ("[gate]\nbytes = -1", "`gate.bytes` wants a size such as \"50MB\", or never: a size "),
        (
            "[gate]\ngrowth = \"5.5%\"",
            "`gate.growth` wants a size such as \"5MB\", a share such as \"5%\", or never: a share",
        ),
        ("gate = 1", "`gate` wants a table, not a number"),
        ("allow = 1", "`allow` wants tables, each under [[allow]], not a number"),
        ("[allow]\nreason = \"x\"", "`allow` wants tables, each under [[allow]], not a table"),
        ("[[image]]\nprofile = \"strict\"", "line 1: an [[image]] wants `name`"),
        (
            "[[image]]\nname = []",
            "`image.name` wants a pattern for names of images, such as \"shop/*\", or a list of them, not an empty list",
        ),
        ("[[image]]\nname = [\"a\",\n\"b[\"]", "line 3: `image.name` can not be \"b[\": a `[` has no `]`"),
        ("[[image]]\nname = \"a\"\nbaseline = \"x\"", "line 3: unknown key `baseline`; `image` takes "),
        ("[[allow]]\nfingerprint = \"a\"\n", "line 1: an [[allow]] wants `reason`"),
        (
            "\n[[allow]]\nfingerprint = \"a\"\nreason = \" \"\n",
            "line 4: `allow.reason` wants the reason, a sentence, not an empty text",
        ),
        (
            "[[allow]]\nreason = \"a\"\n",
            "line 1: an [[allow]] wants either `fingerprint`, or `rule` and `path`, or one",
        ),
        ("[[allow]]\nfingerprint = \"a\"\nrule = \"secret\"\nreason = \"a\"\n", "wants either `fingerprint`, or"),
        (
            "[[allow]]\nrule = \"a/b\"\npath = \"x\"\nreason = \"a\"\n",
            "line 2: `allow.rule` is wrong: there is no rule \"a/b\"",
        ),
        (
            "[[allow]]\nrule = \"secret\"\npath = \"a**\"\nreason = \"a\"\n",
            "line 3: `allow.path` can not be \"a**\": `**` stands for whole",
        ),
        ("[[allow]]\nreason = \"a\"\nrule = \"secret\"\nwhy = 1\n", "line 4: unknown key `why`; `allow` takes "),
        (
            "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nexpires = \"2026-02-30\"\n",
            "line 4: `allow.expires` wants a day such as 2026-12-31, not \"2026-02-30\"",
        ),
        (
            "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nexpires = 2026-02-28T10:00:00Z\n",
            "wants a day such as 2026-12-31, not \"2026-02-28T",
        ),
        (
            "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nexpires = true\n",
            "wants a day such as 2026-12-31, not true or false",
        ),
        (
            "[[allow]]\nreason = \"a\"\nrule = \"secret\"\nevidence = \"abc\"\n",
            "`allow.evidence` can not be \"abc\": the digest is not",
        ),
        ("[severity]\n\"a\\n::error::\\u001b[m\" = \"low\"", "there is no family or rule \"a\\x0a::error::\\x1b[m\""),
        ("[[allow]]\nrule = \"vcs\"\nreason = \"a\"\nexpires = \"\\n::x\"", "not \"\\x0a::x\""),
        ("a = \n", "line 1: it is no TOML: "),
        ("profile = \"strict\"\nprofile = \"strict\"\n", "line 2: it is no TOML: duplicate key"),
    ] {
        let error = dir.wishing(text, &Wishes::default()).expect_err(want);
        assert!(told(&error).contains(want), "{text}\n{}", told(&error));
    }
    let error = dir.wishing("x = 1\ny = 2\n", &Wishes::default()).expect_err("two faults");
    assert_eq!(error.causes.len(), 2, "every fault is told");
    assert!(error.what.starts_with("can not use the policy file \"") && error.help.is_some());
    let allow = [dir.file("allow.toml", "profile = \"strict\"\n")];
    let error = dir.wishing("", &Wishes { allow: &allow, ..Wishes::default() }).expect_err("more than allowances");
    assert!(told(&error).contains("unknown key `profile`; the file takes `allow`"), "{}", told(&error));
    let error = dir.wishing("", &Wishes { profile: Some("defualt"), ..Wishes::default() }).expect_err("no profile");
    assert!(error.what.contains("did you mean \"default\"?"), "{}", error.what);
}

#[test]
fn a_rewrite_is_proposed_as_long_as_it_mends_what_nobody_allowed() {
    let dir = Dir::new();
    let allowed = |rules: &[&str]| {
        let mut report = testing::mended();
        let entries = rules.iter().map(|rule| format!("[[allow]]\nrule = \"{rule}\"\nreason = \"it is meant\"\n"));
        dir.settings(&entries.collect::<String>()).policy(&report.image).apply_quietly(&mut report);
        report.fix.is_some()
    };
    assert!(allowed(&[]));
    assert!(allowed(&["root-user/uid-0"]), "the compiler is still there");
    assert!(!allowed(&["build-tool/gcc", "root-user/uid-0"]));
}
