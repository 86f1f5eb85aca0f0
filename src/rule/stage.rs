//! Judges whether the stage that was shipped is the one to run: a command that watches, builds or tests, and a builder
//! stage that has no command of its own.
//!
//! Which commands do such work is data (`policies/roles/work.toml`). An image without a project in it is a tool for
//! others, whatever it runs. With its Dockerfile the stage is known by its steps, and a stage that the user named is no
//! alarm.

use crate::{
    catalogue::{
        Catalogue, Judgement, Rule,
        roles::{ProgramKind, Roles, WorkKind},
    },
    dockerfile::{BuildArgs, LinkKind, LinkSource},
    inventory::{
        File, Inventory,
        reach::{Reach, Step},
    },
    model::{
        Confidence, Evidence, EvidenceClass, Fact, Family, Finding, Format, ImageConfig, ImageInfo, ImagePath, Kind,
        Severity, State, path,
    },
};

use super::{
    Written, dockerfile,
    group::{self, Found},
    role,
    signal::Root,
};

/// Ends of names of files that are sources of a program in a language that is compiled, or bundled.
const SOURCES: [&[u8]; 17] = [
    b".ts", b".tsx", b".jsx", b".vue", b".svelte", b".go", b".rs", b".java", b".kt", b".scala", b".cs", b".c", b".cc",
    b".cpp", b".swift", b".hs", b".zig",
];

/// Directories of a project in which its build tools leave what they make.
const OUTPUTS: [&[u8]; 9] =
    [b"dist", b"build", b"out", b"target", b".next", b".output", b"bin", b"publish", b"release"];

/// Files that make a directory a project.
const MANIFESTS: [&[u8]; 18] = [
    b"package.json",
    b"go.mod",
    b"Cargo.toml",
    b"pom.xml",
    b"build.gradle",
    b"build.gradle.kts",
    b"build.sbt",
    b"pyproject.toml",
    b"setup.py",
    b"requirements.txt",
    b"Pipfile",
    b"Gemfile",
    b"composer.json",
    b"mix.exs",
    b"CMakeLists.txt",
    b"Makefile",
    b"Package.swift",
    b"stack.yaml",
];

/// Directories of a project that hold other people's code.
const FOREIGN: [&[u8]; 6] = [b"node_modules", b"vendor", b"site-packages", b".venv", b"venv", b".git"];

/// Tools that start without a word of arguments when a base image of theirs is used as it is.
const IDLE_TOOLS: [&str; 8] = ["mvn", "gradle", "sbt", "cargo", "go", "dotnet", "composer", "deno"];

/// Title and reason of a test stage that is known by its steps.
const TESTS: (&str, &str) = (
    "A test stage was shipped: its steps run the tests, and it has no command of its own",
    "The stage is there to test while it is built. What serves is in another stage.",
);

/// Title and reason of a builder stage that is known by what copies from it.
const COPIED: (&str, &str) = (
    "A builder stage was shipped: the last stage copies from it, and it has no command of its own",
    "Nothing starts what was built here, and all that it was built with ships: the last stage of the Dockerfile has the result \
     alone.",
);

/// Files of a project that are looked at; what is not there by then makes no difference to the judgement.
const FILES_MAX: usize = 200_000;

/// Applies the rules about stages. `findings` are those that were made before: they know the tools of the image.
pub(super) fn judge(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    reach: &Reach,
    findings: &[Finding],
    written: Option<&Written<'_>>,
) -> Vec<Finding> {
    let Some(config) = &image.config else { return Vec::new() };
    let rule = |judgement| catalogue.rules.iter().find(|rule| rule.code == Some(judgement));
    let make = |rule: &Rule, root: &[u8], confidence, evidence| {
        let (version, packages, files) = Default::default();
        let found = Found {
            root: Root::Dir(ImagePath::new(root)),
            state: State::Live,
            confidence,
            evidence,
            version,
            packages,
            files,
        };
        group::finding_of(inventory, image, rule, found)
    };
    let cwd = path::clean(config.working_dir.as_bytes());
    let steps = reach.command().map(|command| &command.steps[..]).unwrap_or_default();
    // Such images are meant to be worked in.
    if role::marked(catalogue, inventory, config, steps).is_some() {
        return Vec::new();
    }
    let known = written.and_then(KnownStage::of);
    let other = known.as_ref().filter(|known| !known.is_last && !known.is_meant);
    let is_idle = || idle(&catalogue.roles, steps, config);
    let work = steps.iter().find_map(|step| Some((step, catalogue.roles.work(&step.argv)?)));
    let found = if let Some((step, kind)) = work {
        let judgement = if kind == WorkKind::Test { Judgement::TestCommand } else { Judgement::DevServer };
        let project = project(inventory, &cwd);
        let evidence = (project.is_some() || other.is_some()).then(|| worked(inventory, step, project));
        evidence.map(|evidence| (judgement, evidence, None))
    } else if let Some(evidence) =
        is_idle().then(|| Stage { inventory, dir: &cwd, findings }.evidence(config)).flatten()
    {
        Some((Judgement::BuilderStage, evidence, None))
    } else {
        other.map(|other| {
            let (judgement, texts) = match () {
                () if is_idle() && other.tests(catalogue) => (Judgement::TestCommand, Some(TESTS)),
                () if is_idle() && other.is_copied_from() => (Judgement::BuilderStage, Some(COPIED)),
                () => (Judgement::OtherStage, None),
            };
            (judgement, Vec::new(), texts)
        })
    };
    let made = found.and_then(|(judgement, evidence, texts)| {
        let mut finding = make(rule(judgement)?, &cwd, Confidence::High, evidence);
        // What is known by the Dockerfile is not said by the rule, which looks at files and commands.
        if let Some((title, why)) = texts {
            (finding.title, finding.why) = (title.to_string(), why.to_string());
        }
        Some(finding)
    });
    let mut made: Vec<Finding> = made.into_iter().collect();
    for finding in &mut made {
        known.iter().for_each(|known| known.tell(finding));
    }
    made
}

/// The stage of its Dockerfile that an image surely is.
struct KnownStage<'a> {
    written: &'a Written<'a>,
    stage: usize,
    is_last: bool,
    /// The user said that this stage was to be built.
    is_meant: bool,
}

impl<'a> KnownStage<'a> {
    fn of(written: &'a Written<'a>) -> Option<Self> {
        let stage = written.lines.stage?;
        let is_last = stage + 1 == written.dockerfile.file().stages().len();
        Some(Self { written, stage, is_last, is_meant: written.dockerfile.target().is_some() })
    }

    /// Whether its steps run tests.
    fn tests(&self, catalogue: &Catalogue) -> bool {
        dockerfile::runs(catalogue, self.written.dockerfile.file(), self.stage, WorkKind::Test)
    }

    /// Whether the last stage, or one that it is built of, copies from it.
    fn is_copied_from(&self) -> bool {
        let (file, args) = (self.written.dockerfile.file(), BuildArgs::new());
        let Some(last) = file.target(None) else { return false };
        let used = file.used_stages(last, &args);
        file.links(&args).iter().any(|link| {
            let is_used = used.get(link.user) == Some(&true);
            is_used && link.kind != LinkKind::From && link.source == LinkSource::Stage(self.stage)
        })
    }

    /// Adds the stage, its line and the last stage to the finding; a stage that is meant is a note.
    fn tell(&self, finding: &mut Finding) {
        let file = self.written.dockerfile.file();
        let named = |stage: usize| {
            let stage = file.stages().get(stage)?;
            let line = file.instructions().get(stage.from)?.first_line;
            let name = stage.name.as_ref().map(|name| format!(" \"{}\"", path::escape(name.as_bytes())));
            Some(format!("the stage{} of line {line}", name.unwrap_or_default()))
        };
        let last = file.target(None).filter(|_| !self.is_last).and_then(named);
        let Some(name) = named(self.stage) else { return };
        let witness = match last {
            Some(last) => format!("the image is {name}, and the last one is {last}"),
            None => format!("the image is {name}, which is the last one"),
        };
        finding.evidence.push(Evidence { class: EvidenceClass::Config, witness, path: None });
        finding.confidence = Confidence::Certain;
        if self.is_meant && finding.severity > Severity::Note {
            finding.severity = Severity::Note;
            finding.why.push_str(" It is a note only: --target names this stage.");
        }
    }
}

/// What a command that builds, watches or tests is known by.
fn worked(inventory: &Inventory, step: &Step, project: Option<File<'_>>) -> Vec<Evidence> {
    let words: Vec<String> = step.argv.iter().map(|word| path::escape(word.as_bytes())).collect();
    let from = match step.written_in {
        Some(file) => format!("{} runs ", path::show(inventory.file(file).path())),
        None => "the image runs ".to_string(),
    };
    let command: String = words.join(" ").chars().take(200).collect();
    let command = Evidence { class: EvidenceClass::Config, witness: format!("{from}{command}"), path: None };
    let manifest = project.map(|project| Evidence {
        class: EvidenceClass::Structure,
        witness: format!("{} is the manifest of a project", path::show(project.path())),
        path: Some(ImagePath::new(project.path())),
    });
    [command].into_iter().chain(manifest).collect()
}

/// The manifest of the project in a directory, or in the nearest above it.
fn project<'a>(inventory: &'a Inventory, cwd: &[u8]) -> Option<File<'a>> {
    let dirs = std::iter::once(cwd).chain(path::ancestors(cwd));
    let at = |dir: &[u8], name: &[u8]| if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
    let mut places = dirs.flat_map(|dir| MANIFESTS.iter().map(move |name| at(dir, name)));
    places.find_map(|place| inventory.get(&place).filter(|file| is_data(file) && !of_distribution(file)))
}

/// Whether the image starts nothing of its own: no command, a shell, a prompt, or a tool without arguments.
fn idle(roles: &Roles, steps: &[Step], config: &ImageConfig) -> bool {
    let Some(last) = steps.last() else { return config.entrypoint.is_empty() && config.cmd.is_empty() };
    let Some((program, words)) = last.argv.split_first() else { return true };
    if words.iter().any(|word| !matches!(word.as_str(), "-l" | "-i" | "--login")) {
        return false;
    }
    let name = program.rsplit('/').next().unwrap_or_default();
    let kind = roles.program(name).map(|program| program.kind);
    let prompt = matches!(kind, Some(ProgramKind::Shell | ProgramKind::Repl | ProgramKind::Node | ProgramKind::Python));
    prompt || IDLE_TOOLS.contains(&name)
}

/// A directory that may be a builder stage's.
struct Stage<'a> {
    inventory: &'a Inventory,
    dir: &'a [u8],
    findings: &'a [Finding],
}

impl Stage<'_> {
    /// Sources, what was built of them, and the tools, all together; `None` when one is not there.
    fn evidence(&self, config: &ImageConfig) -> Option<Vec<Evidence>> {
        if self.dir.is_empty() {
            return None;
        }
        let manifest = project(self.inventory, self.dir)?;
        let (source, output) = self.source_and_output()?;
        let tool = self.findings.iter().find(|finding| {
            matches!(finding.family, Family::BuildTool | Family::DevDependency)
                && finding.state == State::Live
                && finding.severity >= Severity::Medium
        })?;
        let structure = |what: &str, file: File<'_>| Evidence {
            class: EvidenceClass::Structure,
            witness: format!("{what}: {}", path::show(file.path())),
            path: Some(ImagePath::new(file.path())),
        };
        let words: Vec<&str> = config.entrypoint.iter().chain(&config.cmd).map(String::as_str).collect();
        let command = match words[..] {
            [] => "the image has no command".to_string(),
            _ => format!(
                "the command is {}, which runs nothing of the image's own",
                path::escape(words.join(" ").as_bytes())
            ),
        };
        Some(vec![
            structure("the project", manifest),
            structure("a source", source),
            structure("what was built", output),
            Evidence { class: EvidenceClass::Config, witness: command, path: None },
            Evidence { class: EvidenceClass::Config, witness: format!("the tools: {}", tool.subject), path: None },
        ])
    }

    fn source_and_output(&self) -> Option<(File<'_>, File<'_>)> {
        let own = |file: &File<'_>| {
            let below = file.path().get(self.dir.len()..).unwrap_or_default();
            !below.split(|&b| b == b'/').any(|part| FOREIGN.contains(&part))
        };
        let (mut source, mut output) = (None, None);
        for file in self.inventory.under(self.dir).take(FILES_MAX).filter(is_data).filter(own) {
            if self.is_output(&file) {
                output.get_or_insert(file);
            } else if SOURCES.iter().any(|end| file.path().ends_with(end)) {
                source.get_or_insert(file);
            }
            if source.is_some() && output.is_some() {
                break;
            }
        }
        // A program is often put where programs are.
        Some((source?, output.or_else(|| self.installed_program())?))
    }

    fn is_output(&self, file: &File<'_>) -> bool {
        let below = file.path().get(self.dir.len() + 1..).unwrap_or_default();
        let mut parts = below.split(|&b| b == b'/').rev().skip(1);
        let built = parts.any(|part| OUTPUTS.contains(&part));
        let program =
            file.format() == Format::Elf && file.facts().any(|fact| matches!(fact, Fact::Elf(elf) if elf.program));
        program || built && !SOURCES.iter().any(|end| file.path().ends_with(end) && !file.path().ends_with(b".d.ts"))
    }

    fn installed_program(&self) -> Option<File<'_>> {
        let own_go = |fact: &Fact| matches!(fact, Fact::Elf(elf) if elf.program && elf.go.as_ref().is_some_and(|go| !go.path.starts_with("cmd/")));
        let dirs = [&b"usr/local/bin"[..], b"bin", b"usr/bin", b"go/bin"];
        let mut files = dirs.into_iter().flat_map(|dir| self.inventory.under(dir));
        let direct = files.by_ref().find(|file| is_data(file) && !of_distribution(file) && file.facts().any(own_go));
        direct.or_else(|| {
            let top = |file: &File<'_>| is_data(file) && path::parent(file.path()).is_empty();
            self.inventory.files().filter(top).find(|file| file.facts().any(own_go))
        })
    }
}

fn is_data(file: &File<'_>) -> bool {
    matches!(file.kind(), Kind::File | Kind::Hardlink)
}

fn of_distribution(file: &File<'_>) -> bool {
    file.owner().is_some()
}
