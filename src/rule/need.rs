//! Says of each finding whether the image's command needs it, and grades it by that and by the image's role.
//!
//! Lowers severities and never raises one: what is not met may still be needed, and what is met may still be built
//! away.

use std::collections::{HashMap, HashSet};

use crate::{
    catalogue::Catalogue,
    inventory::{
        FileId, Inventory,
        reach::{How, Opening, Reach, Scope},
    },
    model::{Family, Finding, ImagePath, Need, Reach as Answer, Role, RoleName, Severity, State, path},
};

/// Packages of a finding that its text names.
const NAMED_MAX: usize = 3;

/// Fills the need of every finding, and lowers the severity where it follows.
pub(super) fn grade(
    catalogue: &Catalogue,
    inventory: &Inventory,
    reach: &Reach,
    role: &Role,
    findings: &mut [Finding],
) {
    let judge = Judge::new(catalogue, inventory, reach);
    for finding in findings.iter_mut().filter(|finding| !finding.paths.is_empty()) {
        let (need, met) = judge.need(finding);
        if is_graded(finding.family) {
            match met {
                Some(met) if finding.family == Family::DevDependency => judge.advise_packages(finding, &met),
                Some(_) => advise(finding, &need),
                None => {}
            }
            by_role(finding, role);
        }
        finding.need = need;
    }
}

/// Whether need and role say anything about how bad a finding of the family is.
fn is_graded(family: Family) -> bool {
    matches!(family, Family::BuildTool | Family::DevDependency | Family::Source | Family::Leftover | Family::Cache)
}

fn advise(finding: &mut Finding, need: &Need) {
    finding.severity = finding.severity.min(Severity::Low);
    let chain = need.witness.as_deref().unwrap_or_default();
    finding.why =
        format!("{} The image's command uses it ({chain}): build it away first, then it can go.", finding.why);
}

fn by_role(finding: &mut Finding, role: &Role) {
    if role.name != RoleName::Service && finding.severity > Severity::Note {
        finding.severity = Severity::Note;
        finding.why = format!("{} It is a note only, because of what the image is for: {}.", finding.why, role.how);
    }
}

/// What was followed, arranged for questions about findings.
struct Judge<'a> {
    catalogue: &'a Catalogue,
    inventory: &'a Inventory,
    reach: &'a Reach,
    /// Files that were met, by path.
    met: HashMap<&'a [u8], FileId>,
    /// The first opening behind which any program may be.
    programs: Option<&'a Opening>,
    libraries: Option<&'a Opening>,
    /// The first opening for each directory.
    below: HashMap<&'a [u8], &'a Opening>,
}

impl<'a> Judge<'a> {
    fn new(catalogue: &'a Catalogue, inventory: &'a Inventory, reach: &'a Reach) -> Self {
        let met = reach.files().map(|id| (inventory.file(id).path(), id)).collect();
        let first = |scope: &Scope| reach.openings().iter().find(|opening| opening.scope == *scope);
        let mut below = HashMap::new();
        for opening in reach.openings() {
            if let Scope::Below(dirs) = &opening.scope {
                for dir in dirs {
                    below.entry(dir.as_slice()).or_insert(opening);
                }
            }
        }
        let (programs, libraries) = (first(&Scope::Programs), first(&Scope::Libraries));
        Self { catalogue, inventory, reach, met, programs, libraries, below }
    }

    /// Whether a finding is needed, and its files that were met.
    fn need(&self, finding: &Finding) -> (Need, Option<Vec<FileId>>) {
        if finding.state == State::Buried {
            let by = finding.hidden_by.as_ref().map(|layer| format!("hidden by layer {}", layer.number));
            return (Need { reach: Answer::Unreachable, witness: by }, None);
        }
        if self.reach.command().is_none() {
            let witness = Some("the image says no command that could be followed".to_string());
            return (Need { reach: Answer::Unknown, witness }, None);
        }
        let files = || finding.paths.iter().flat_map(|group| &group.files);
        let met: Vec<FileId> =
            files().filter_map(|file| self.met.get(file.as_bytes()).copied()).filter(|&id| self.counts(id)).collect();
        if let Some(witness) = met.iter().min_by_key(|&&id| (self.reach.how(id), id)) {
            let witness = self.reach.chain(self.inventory, *witness);
            return (Need { reach: Answer::Reachable, witness }, Some(met));
        }
        let need = match self.opening(finding) {
            Some(opening) => Need { reach: Answer::Unknown, witness: Some(self.reach.told(self.inventory, opening)) },
            None => Need { reach: Answer::Unreachable, witness: None },
        };
        (need, None)
    }

    /// Whether meeting a file is a use of the tool that brought it: a run time that came with a compiler is none.
    fn counts(&self, id: FileId) -> bool {
        let mut at = Some(id);
        // Along what is loaded, up to the program that loads it.
        for _ in 0..1000 {
            let Some(id) = at else { return true };
            let name = path::name(self.inventory.file(id).path());
            if self.catalogue.roles.is_runtime(&String::from_utf8_lossy(name)) {
                return false;
            }
            if !matches!(self.reach.how(id), Some(How::Loads | How::Part)) {
                return true;
            }
            at = self.reach.parent(id);
        }
        true
    }

    /// The opening behind which the finding may be.
    fn opening(&self, finding: &Finding) -> Option<&'a Opening> {
        if self.programs.is_some() {
            return self.programs;
        }
        let mut files = finding.paths.iter().flat_map(|group| &group.files).map(ImagePath::as_bytes);
        files.find_map(|file| {
            let below = || {
                let dirs = std::iter::once(file).chain(path::ancestors(file)).chain([&b""[..]]);
                dirs.into_iter().find_map(|dir| self.below.get(dir).copied())
            };
            self.libraries.filter(|_| is_library(file)).or_else(below)
        })
    }

    /// Says which packages of a project's dev dependencies the command loads: they are no dev dependencies. The others
    /// stay as bad as they were.
    fn advise_packages(&self, finding: &mut Finding, met: &[FileId]) {
        let owners: HashSet<&str> =
            met.iter().filter_map(|&id| self.inventory.owner(id)).map(|package| package.name.as_str()).collect();
        let mut names: Vec<&str> = finding.packages.iter().map(|package| package.name.as_str()).collect();
        names.retain(|name| owners.contains(name));
        names.dedup();
        let all = finding.packages.len();
        if names.is_empty() || all == 0 {
            return;
        }
        let shown: Vec<String> = names.iter().take(NAMED_MAX).map(|name| path::escape(name.as_bytes())).collect();
        let more = if names.len() > NAMED_MAX { ", ..." } else { "" };
        let why = format!(
            "{} The image's command loads {} of the {all} ({}{more}): they belong to what production needs, or are to \
             be built away.",
            finding.why,
            names.len(),
            shown.join(", ")
        );
        finding.why = why;
        if names.len() == all {
            finding.severity = finding.severity.min(Severity::Low);
        }
    }
}

/// Whether a file is a shared library where the dynamic loader looks, or a plug-in of the C library.
fn is_library(file: &[u8]) -> bool {
    let name = path::name(file);
    let shared = name.ends_with(b".so") || name.windows(4).any(|part| part == b".so.");
    let dir = path::parent(file);
    let dir = dir.strip_prefix(b"usr/").unwrap_or(dir);
    let dir = dir.strip_prefix(b"local/").unwrap_or(dir);
    // `lib`, `lib64`, `lib/x86_64-linux-gnu`
    let depth = dir.split(|&b| b == b'/').count();
    let plugins = [&b"gconv"[..], b"security", b"engines-3", b"ossl-modules", b"sasl2"];
    shared && dir.starts_with(b"lib") && (depth <= 2 || plugins.contains(&path::name(dir)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Role, Severity},
        rule::{Judged, role::testing::image},
    };

    const NODE: &str = r#"
        files = [
            { path = "usr/local/bin/node", elf = { program = true } },
            { path = "usr/bin/make", elf = { program = true } },
            { path = "bin/sh", elf = { program = true } },
        ]
        packages = [{ deb = "make", version = "4.3", files = ["usr/bin/make"] }]
        npm = [{ path = "app/node_modules/typescript", name = "typescript", version = "5.4.5", files = ["lib/tsc.js"] }]
    "#;

    fn need(judged: &Judged, rule: &str) -> (Answer, Severity, String) {
        let finding =
            judged.findings.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("no {rule}"));
        (finding.need.reach, finding.severity, finding.need.witness.clone().unwrap_or_default())
    }

    #[test]
    fn what_the_command_loads_is_low_and_what_it_can_not_get_at_keeps_its_severity() {
        let judged = image(NODE).text("app/server.js", "require('typescript')").judge("node /app/server.js");
        let (answer, severity, witness) = need(&judged, "build-tool/typescript");
        assert_eq!((answer, severity), (Answer::Reachable, Severity::Low));
        assert_eq!(witness, "command → /usr/local/bin/node → /app/server.js → typescript");
        let typescript = judged.findings.iter().find(|finding| finding.rule == "build-tool/typescript");
        assert!(
            typescript.is_some_and(|f| f.why.contains("The image's command uses it (command → ")),
            "{typescript:?}"
        );
        let (answer, severity, _) = need(&judged, "build-tool/make");
        assert_eq!((answer, severity), (Answer::Unreachable, Severity::Medium));
    }

    #[test]
    fn an_opening_counts_for_what_may_lie_behind_it() {
        let judged =
            image(NODE).text("app/server.js", "require(x)").text("app/package.json", "{}").judge("node /app/server.js");
        let (answer, severity, witness) = need(&judged, "build-tool/typescript");
        assert_eq!((answer, severity), (Answer::Unknown, Severity::High));
        assert_eq!(witness, "/app/server.js requires a name that is computed");
        assert_eq!(need(&judged, "build-tool/make").0, Answer::Unreachable);

        let judged = image(NODE).text("run.sh", "#!/bin/sh\n$TOOL all\nexec node /app/x.js").judge("/run.sh");
        for rule in ["build-tool/typescript", "build-tool/make"] {
            assert_eq!(need(&judged, rule).0, Answer::Unknown, "{rule}");
        }
        let judged = image(NODE).text("run.sh", "#!/bin/sh\nmake all\nexec node /app/x.js").judge("/run.sh");
        assert_eq!(
            need(&judged, "build-tool/make"),
            (Answer::Reachable, Severity::Low, "command → /run.sh → /usr/bin/make".to_string())
        );
    }

    #[test]
    fn without_a_command_nothing_is_known() {
        let judged = image(NODE).judge("");
        let want = (Answer::Unknown, Severity::Medium, "the image says no command that could be followed".to_string());
        assert_eq!(need(&judged, "build-tool/make"), want);
    }

    #[test]
    fn a_run_time_that_a_build_tool_brings_is_no_use_of_the_tool() {
        let judged = image(
            r#"packages = [{ deb = "openjdk-17-jdk-headless", files = ["usr/lib/jvm/java-17/bin/javac", "usr/lib/jvm/java-17/bin/java", "usr/lib/jvm/java-17/lib/modules"] }]"#,
        )
        .file("app.jar")
        .judge("/usr/lib/jvm/java-17/bin/java -jar /app.jar");
        let jdk = judged.findings.iter().find(|finding| finding.family == Family::BuildTool).expect("a JDK");
        assert_eq!((jdk.need.reach, jdk.severity), (Answer::Unknown, Severity::High), "{jdk:?}");
        assert_eq!(judged.role.name, RoleName::Service);
        assert_ne!(judged.role, Role::default());
    }

    #[test]
    fn libraries_are_those_that_a_loader_finds() {
        for (path, want) in [
            ("usr/lib/x86_64-linux-gnu/libLLVM-15.so.1", true),
            ("lib/libc.so.6", true),
            ("usr/local/lib/libx.so", true),
            ("usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", true),
            ("usr/lib/gcc/x86_64-linux-gnu/12/liblto_plugin.so", false),
            ("app/node_modules/x/y.so", false),
            ("usr/lib/libx.a", false),
        ] {
            assert_eq!(is_library(path.as_bytes()), want, "{path}");
        }
    }
}
