//! Tests of what the examples of the policies can not say: evidence, confidence, chains of scripts, permissions.

use std::sync::LazyLock;

use super::*;
use crate::{
    model::{Entry, EntryId, LayerFacts, Observation, Platform},
    probe::script,
};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::builtin().expect("the policies compile"));

/// One layer, written line by line.
#[derive(Default)]
struct Image {
    layer: LayerFacts,
    config: ImageConfig,
}

impl Image {
    fn entry(mut self, path: &str, kind: Kind, mode: u16, link: &str, format: Format, fact: Option<Fact>) -> Self {
        let (path, link, size) = (path.as_bytes(), link.as_bytes(), 10);
        let entry = Entry { id: EntryId(0), path, link, kind, format, mode, uid: 0, gid: 0, size };
        let entry = self.layer.entries.push(&entry).expect("room");
        self.layer.observations.extend(fact.map(|fact| Observation { entry, fact }));
        self
    }

    fn elf(self, path: &str, interpreter: Option<&str>, needed: &[&str]) -> Self {
        let needed = needed.iter().map(ToString::to_string).collect();
        let soname = path.contains("ld-").then(|| path.rsplit('/').next().unwrap_or_default().to_string());
        let interpreter = interpreter.map(str::to_string);
        let elf = Elf { program: true, interpreter, soname, needed, machine: 62, wide: true, ..Elf::default() };
        self.entry(path, Kind::File, 0o755, "", Format::Elf, Some(Fact::Elf(elf)))
    }

    fn script(self, path: &str, text: &str) -> Self {
        let fact = Fact::Script(script::script(text.as_bytes()));
        self.entry(path, Kind::File, 0o755, "", Format::Script, Some(fact))
    }

    fn file(self, path: &str, mode: u16) -> Self {
        self.entry(path, Kind::File, mode, "", Format::Elf, None)
    }

    fn dir(self, path: &str, mode: u16) -> Self {
        self.entry(path, Kind::Dir, mode, "", Format::Other, None)
    }

    fn link(self, path: &str, to: &str) -> Self {
        self.entry(path, Kind::Symlink, 0o777, to, Format::Other, None)
    }

    fn user(mut self, user: &str) -> Self {
        self.config.user = user.to_string();
        self
    }

    /// `rule confidence: witness; witness` of every finding, when the image starts this.
    fn starts(mut self, entrypoint: &str, cmd: &str) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().map(str::to_string).collect();
        (self.config.entrypoint, self.config.cmd) = (words(entrypoint), words(cmd));
        let inventory = Inventory::build(vec![self.layer]);
        let platform = Some(Platform { os: "linux".into(), architecture: "amd64".into(), ..Platform::default() });
        let image = ImageInfo { config: Some(self.config), platform, ..ImageInfo::default() };
        let reach = Reach::follow(&inventory, &image, &CATALOGUE.roles);
        let shown = |finding: Finding| {
            let witnesses: Vec<String> = finding.evidence.into_iter().map(|evidence| evidence.witness).collect();
            format!("{} {}: {}", finding.rule, finding.confidence.word(), witnesses.join("; "))
        };
        judge(&CATALOGUE, &inventory, &image, &reach).findings.into_iter().map(shown).collect()
    }
}

fn image() -> Image {
    Image::default()
}

#[test]
fn a_chain_of_scripts_is_followed_to_what_can_not_start() {
    let image = image()
        .elf("bin/sh", None, &[])
        .script("entrypoint.sh", "#!/bin/sh\nset -e\nexec \"$@\"\n")
        .elf("lib/ld-musl-x86_64.so.1", None, &[])
        .elf("srv/app", Some("/lib64/ld-linux-x86-64.so.2"), &["libc.so.6"]);
    assert_eq!(
        image.starts("/entrypoint.sh", "/srv/app --port 80"),
        [
            "broken-runtime/glibc-on-musl high: /srv/app asks for the loader /lib64/ld-linux-x86-64.so.2, which is not in \
          the image; command /entrypoint.sh /srv/app --port 80, /entrypoint.sh runs /srv/app --port 80"
        ]
    );
}

#[test]
fn an_interpreter_that_lacks_a_library_keeps_the_script_from_starting() {
    let image = image()
        .script("app/run", "#!/usr/bin/env python3\n")
        .elf("usr/bin/env", None, &[])
        .link("usr/bin/python3", "python3.11")
        .elf("usr/bin/python3.11", Some("/lib64/ld-linux-x86-64.so.2"), &["libpython3.11.so.1.0"])
        .elf("lib64/ld-linux-x86-64.so.2", None, &[])
        .link("opt/libpython3.11.so.1.0", "gone");
    assert_eq!(
        image.starts("/app/run", ""),
        [
            "broken-runtime/missing-library certain: /usr/bin/python3.11 needs libpython3.11.so.1.0, which the loader does \
          not find: /opt/libpython3.11.so.1.0 is a link that leads nowhere; command /app/run, /app/run is run by \
          /usr/bin/python3.11"
        ]
    );
}

#[test]
fn what_may_be_there_at_run_time_is_not_missing() {
    let mut volume = image().dir("data", 0o755).file("data/README", 0o644);
    volume.config.volumes = vec!["/data/".to_string()];
    assert_eq!(volume.starts("/data/run", ""), [""; 0]);
    assert_eq!(image().dir("mnt", 0o755).starts("/mnt/run", ""), [""; 0]);
    assert_eq!(image().starts("/proc/self/exe", ""), [""; 0]);
    assert_eq!(image().link("run.sh", "/dev/stdin").starts("/run.sh", ""), [""; 0]);
    assert_eq!(image().starts("", ""), [""; 0]);
    let made = image().elf("bin/sh", None, &[]).script("e", "#!/bin/sh\ncp x /tmp/app\nexec /tmp/app\n");
    assert_eq!(made.starts("/e", ""), [""; 0]);
}

#[test]
fn a_text_for_a_shell_is_judged_only_when_it_is_one_command() {
    let shell = |text: &str| {
        let mut image = image().elf("bin/sh", None, &[]);
        image.config.cmd = vec!["/bin/sh".into(), "-c".into(), text.into()];
        let config = image.config.clone();
        let inventory = Inventory::build(vec![image.layer]);
        let image = ImageInfo { config: Some(config), ..ImageInfo::default() };
        let reach = Reach::follow(&inventory, &image, &CATALOGUE.roles);
        judge(&CATALOGUE, &inventory, &image, &reach).findings.len()
    };
    for (text, want) in [
        ("exec /srv/app --port=80", 1),
        ("srv", 1),
        ("/srv/app || sleep 9", 0),
        ("cd /srv && ./app", 0),
        ("$APP", 0),
        ("echo hello", 0),
        ("A=b /srv/app", 0),
    ] {
        assert_eq!(shell(text), want, "{text}");
    }
}

#[test]
fn permissions_are_those_of_the_user_that_the_image_runs_as() {
    for (user, mode, dir, starts) in [
        ("0", 0o100, 0o000, true),
        ("0", 0o644, 0o755, false),
        ("1000:1000", 0o755, 0o755, true),
        ("1000:1000", 0o700, 0o755, false),
        ("1000:1000", 0o755, 0o700, false),
        ("1000:0", 0o750, 0o710, true),
        ("1000:0", 0o745, 0o755, false),
        // Another group of the user's may be the one.
        ("1000:1000", 0o750, 0o755, true),
    ] {
        let image = image().dir("srv", dir).file("srv/app", mode).user(user);
        assert_eq!(image.starts("/srv/app", "").is_empty(), starts, "{user} {mode:o} {dir:o}");
    }
}

#[test]
fn a_program_for_another_machine_is_not_asked_for_its_libraries() {
    let elf =
        Elf { program: true, interpreter: Some("/lib/ld-linux-aarch64.so.1".into()), machine: 183, ..Elf::default() };
    let image = image().entry("app", Kind::File, 0o755, "", Format::Elf, Some(Fact::Elf(elf)));
    let want = "broken-runtime/wrong-architecture certain: /app is a program for AArch64, the image is for linux/amd64; \
                command /app";
    assert_eq!(image.starts("/app", ""), [want]);
}

#[test]
fn env_is_followed_only_where_its_words_are_plain() {
    let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
    for (line, want) in [
        ("/usr/bin/env node", Some("node")),
        ("/usr/bin/env -S node --enable-source-maps", Some("node")),
        ("/usr/bin/env -S A=b deno run", Some("deno")),
        ("/usr/bin/env -u X node", None),
        ("/usr/bin/env", None),
    ] {
        assert_eq!(behind_env(&words(line)), want, "{line}");
    }
}

#[test]
fn links_in_a_circle_and_scripts_that_run_each_other_come_to_an_end() {
    let circle = image().link("a", "b").link("b", "a").starts("/a", "");
    assert_eq!(circle.len(), 1);
    assert!(circle[0].contains("is a link that leads in a circle"), "{circle:?}");
    assert_eq!(image().script("a", "#!/b\n").script("b", "#!/a\n").starts("/a", ""), [""; 0]);
}
