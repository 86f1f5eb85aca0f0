//! What the image proves of its own run: which stage it is, what starts, and what the command needs of the base.

use std::collections::HashSet;

use super::{
    Runs, Stop, Subject,
    dotnet::{self, App},
};
use crate::{
    attribution::{
        self,
        lines::{self, Options, Place},
    },
    dockerfile::{BuildArgs, Command, Keyword, Parent},
    inventory::{
        File, Inventory,
        loader::{Libc, Loader},
        reach::{How, Reach, Scope},
    },
    model::{Fact, Family, Finding, ImageConfig, Kind, Manager, Origin, Severity, State, path},
    probe::script,
};

/// What is known of the image.
pub(super) struct Evidence<'a> {
    /// The stage that the image is, and those that it is built upon, itself first.
    pub chain: Vec<usize>,
    /// The image that the lowest of them is built upon.
    pub base: String,
    /// How the Dockerfile writes it.
    pub base_text: String,
    /// The lowest layer of its own, counted from 0.
    pub own_from: u32,
    /// What runs.
    pub runs: Runs,
    /// The program, or the file that the interpreter runs.
    pub program: File<'a>,
    /// What interprets the file, or the interpreter itself; `None` for compiled programs.
    pub interpreter: Option<File<'a>>,
    /// What the program is for .NET, if it is one.
    pub dotnet: Option<App>,
    /// Whether the program asks for no loader.
    pub is_static: bool,
    /// The C library that the program gets; `None` for a static one and for interpreters.
    pub libc: Option<Libc>,
    /// Directory of the application: where the command is started.
    pub dir: Vec<u8>,
    /// What the command starts that the base brought: the new one must have it, too.
    pub of_base: Vec<Vec<u8>>,
    /// Everything that the command was seen to reach.
    pub reach: Reach,
    /// Whether the command may start any program.
    pub starts_any: bool,
}

/// Families of findings that another stage keeps out.
const BUILD_ONLY: [Family; 5] = [Family::BuildTool, Family::DevDependency, Family::Source, Family::Vcs, Family::Cache];

/// Package managers of interpreters, which their slim images have as well.
const OF_INTERPRETER: [&str; 4] = ["build-tool/npm", "build-tool/yarn", "build-tool/corepack", "build-tool/pip"];

/// Programs of distributions that start whatever they are told: what they need of the image can not be told.
const STARTERS: [&[u8]; 14] = [
    b"ash", b"bash", b"busybox", b"cat", b"cron", b"crond", b"dash", b"make", b"sh", b"sleep", b"sshd", b"tail",
    b"true", b"zsh",
];

/// The findings at medium and above that go with the build stage.
pub(super) fn gone<'s>(subject: &Subject<'s>) -> impl Iterator<Item = &'s Finding> {
    subject.findings.iter().filter(|finding| is_gone(finding))
}

/// Whether it is one.
pub(super) fn is_gone(finding: &Finding) -> bool {
    finding.reaches(Severity::Medium) && BUILD_ONLY.contains(&finding.family)
}

/// Whether the command needs a build tool when it runs.
pub(super) fn is_needed(finding: &Finding) -> bool {
    finding.need.reach == crate::model::Reach::Reachable && finding.family == Family::BuildTool
}

/// Live files of findings that another stage keeps out.
pub(super) fn unwanted(subject: &Subject<'_>) -> HashSet<Vec<u8>> {
    let findings = subject.findings.iter().filter(|f| BUILD_ONLY.contains(&f.family) && f.state == State::Live);
    findings.flat_map(|f| f.paths.iter().flat_map(|group| &group.files)).map(|path| path.as_bytes().to_vec()).collect()
}

/// Collects it.
pub(super) fn collect<'a>(subject: &Subject<'a>) -> Result<Evidence<'a>, Stop> {
    let Placed { chain, base, base_text, own_from } = place(subject)?;
    let Some(config) = &subject.image.config else { return Stop::refused("the image has no configuration") };
    for finding in subject.findings {
        if finding.family == Family::WrongStage && finding.severity > Severity::Note {
            let title = &finding.title;
            return Stop::refused(format!("it is no stage to ship, build the one that runs the program: {title}"));
        }
        if finding.family == Family::BrokenRuntime && finding.severity >= Severity::High {
            return Stop::refused(format!("it does not run as it is: {}", finding.title));
        }
        // What a package of the distribution brings is installed again.
        let loose = finding.paths.iter().flat_map(|group| &group.files).any(|path| {
            subject.inventory.get(path.as_bytes()).is_some_and(|file| is_file(&file) && !of_distribution(&file))
        });
        if is_needed(finding) && loose && !OF_INTERPRETER.contains(&finding.rule.as_str()) {
            let how = finding.need.witness.as_deref().map_or_else(String::new, |witness| format!(" ({witness})"));
            return Stop::refused(format!("the command needs {} when it runs{how}", finding.subject));
        }
    }
    let inventory = subject.inventory;
    let reach = Reach::follow(inventory, subject.image, &subject.catalogue.roles);
    let steps = reach.command().map(|command| command.steps.clone()).unwrap_or_default();
    let Some(last) = steps.last() else { return Stop::refused("the image has no command") };
    let Some(program) = last.program.map(|id| inventory.file(id)) else {
        let word = last.argv.first().map_or("", String::as_str);
        return Stop::refused(format!("what starts \"{}\" was not found in the image", path::escape(word.as_bytes())));
    };
    let dir = path::clean(config.working_dir.as_bytes());
    let own = |file: &File<'_>| file.layer() >= own_from && !of_distribution(file);
    let started = steps.iter().filter_map(|step| step.program).map(|id| inventory.file(id));
    let of_base = started.filter(|file| file.layer() < own_from).map(|file| file.path().to_vec()).collect();
    let name = path::name(program.path()).to_vec();
    let is_elf = program.facts().any(|fact| matches!(fact, Fact::Elf(_)));
    let (runs, program) = match &name[..] {
        _ if is_elf && own(&program) && dotnet::is_apphost(inventory, &program) => (Runs::Dotnet, program),
        b"dotnet" if is_elf => (Runs::Dotnet, program),
        _ if is_elf && own(&program) => (Runs::Program, program),
        _ if language(&name).is_some() => (language(&name).unwrap_or(Runs::Program), program),
        _ if interpreter(&program).is_some() => (interpreter(&program).unwrap_or(Runs::Program), program),
        _ if !own(&program) && !STARTERS.contains(&&name[..]) => (Runs::Server, program),
        _ => {
            let shown = path::show(program.path());
            return Stop::refused(format!(
                "the command comes to {shown}; offcut moves compiled programs, servers, .NET, Java, Node.js, Perl, PHP, Python and Ruby to a stage of their own"
            ));
        }
    };
    // One that only lies in a directory of classes is not compiled.
    let is_named =
        |file: &File<'_>| reach.parent(file.id()) == Some(program.id()) && reach.how(file.id()) == Some(How::Names);
    let source = |file: &File<'_>| file.path().ends_with(b".java") && is_named(file);
    if let Some(source) = reach.files().map(|id| inventory.file(id)).find(source) {
        let shown = path::show(source.path());
        return Stop::refused(format!("the command compiles {shown} whenever it starts, and needs the JDK for that"));
    }
    let app = || App::of(inventory, &reach, &program, &last.argv, &dir);
    let dotnet = (runs == Runs::Dotnet).then(app).transpose()?;
    let loader = Loader::new(inventory).with_config(config);
    let load = loader.load(program).filter(|_| runs == Runs::Program);
    let is_static = load.as_ref().is_some_and(|load| load.interpreter.is_none() && load.objects.len() == 1);
    let libc = load.as_ref().filter(|_| !is_static).map(|load| load.libc);
    let starts_any = reach.openings().iter().any(|opening| opening.scope == Scope::Programs);
    let interpreter = (runs != Runs::Program).then(|| interpreter_of(inventory, config, program)).flatten();
    Ok(Evidence {
        chain,
        base,
        base_text,
        own_from,
        runs,
        program,
        interpreter,
        dotnet,
        is_static,
        libc,
        dir,
        of_base,
        reach,
        starts_any,
    })
}

/// Where the image stands in its Dockerfile.
struct Placed {
    chain: Vec<usize>,
    base: String,
    base_text: String,
    own_from: u32,
}

/// Which stage the image is, what it is built upon, and where its own layers begin.
fn place(subject: &Subject<'_>) -> Result<Placed, Stop> {
    let args = BuildArgs::new();
    let border = attribution::attribute(subject.image, &subject.catalogue.bases);
    let options = Options { target: subject.target, args: &args, border: Some(&border) };
    let lines = lines::attribute(subject.image, subject.file, &options);
    let Some(stage) = lines.stage else {
        let why = lines.reason().map_or_else(|| "nothing tells".to_string(), ToString::to_string);
        return Stop::refused(format!("the lines of the Dockerfile can not be told from the image: {why}"));
    };
    if stage + 1 != subject.file.stages().len() {
        let name = subject.file.stages().get(stage).and_then(|stage| stage.name.clone()).unwrap_or_default();
        return Stop::refused(format!("the image is the stage \"{name}\" and not the last one: build the last stage"));
    }
    let own = |place: &Place| match place {
        Place::Line(_) => Some(true),
        Place::Base(_) => Some(false),
        Place::OneOf(_) | Place::Unknown(_) => None,
    };
    let told: Option<Vec<bool>> = lines.layers.iter().map(own).collect();
    let Some(told) = told else {
        return Stop::refused("it is not sure which layers came with the base image");
    };
    let own_from = told.iter().take_while(|own| !**own).count();
    if told.iter().skip(own_from).any(|own| !own) {
        return Stop::refused("layers of the base image lie above those of the Dockerfile, as far as its lines tell");
    }
    let (chain, parent) = subject.file.chain(stage, &args);
    let Parent::Image(base) = parent else {
        return Err(Stop::Nothing("it is built upon nothing, and holds what was copied".to_string()));
    };
    if base.contains('$') {
        return Stop::refused(format!("the base image {base} depends on a build argument without a default"));
    }
    let stages = chain.iter().filter_map(|&stage| subject.file.stages().get(stage));
    let mut statements =
        stages.flat_map(|stage| subject.file.instructions().get(stage.body.clone()).unwrap_or_default());
    if statements.any(|one| one.statement.keyword == Some(Keyword::Onbuild)) {
        return Stop::refused("it has ONBUILD instructions: it is meant to be built upon");
    }
    let lowest = chain.last().and_then(|&stage| subject.file.stages().get(stage));
    let from = lowest.and_then(|stage| subject.file.instructions().get(stage.from));
    let base_text = match from.map(|from| &from.statement.command) {
        Some(Command::From(from)) => subject.file.at(from.image.span).to_string(),
        _ => base.clone(),
    };
    Ok(Placed { chain, base, base_text, own_from: u32::try_from(own_from).unwrap_or(u32::MAX) })
}

/// Whether a package of the distribution owns the file.
pub(super) fn of_distribution(file: &File<'_>) -> bool {
    file.owner().is_some_and(|owner| matches!(owner.manager, Manager::Deb | Manager::Apk | Manager::Rpm))
}

/// What runs a script, by its first line.
fn interpreter(file: &File<'_>) -> Option<Runs> {
    language(script::interpreter(shebang(file)?)?.as_bytes())
}

/// The words of a script's first line.
fn shebang<'a>(file: &File<'a>) -> Option<&'a [String]> {
    file.facts().find_map(|fact| if let Fact::Script(script) = fact { Some(&script.shebang[..]) } else { None })
}

/// The file that interprets a script; a program is its own.
fn interpreter_of<'a>(inventory: &'a Inventory, config: &ImageConfig, program: File<'a>) -> Option<File<'a>> {
    let shebang = shebang(&program).unwrap_or_default();
    let Some(name) = script::interpreter(shebang) else { return inventory.resolve(program.path()) };
    match shebang.first().map(|first| first.as_bytes()) {
        Some(first) if path::name(first) == name.as_bytes() => inventory.resolve(&path::clean(first)),
        _ => {
            config.path().split(':').find_map(|dir| inventory.resolve(&path::clean(format!("{dir}/{name}").as_bytes())))
        }
    }
}

/// What an interpreter of this name runs; a version may stand behind it, a word may not (`perlbug`).
fn language(name: &[u8]) -> Option<Runs> {
    let end = name.iter().rposition(|byte| !(byte.is_ascii_digit() || *byte == b'.')).map_or(0, |last| last + 1);
    match name.get(..end)? {
        b"node" | b"nodejs" => Some(Runs::Node),
        b"java" => Some(Runs::Java),
        b"python" => Some(Runs::Python),
        b"php" => Some(Runs::Php),
        b"ruby" => Some(Runs::Ruby),
        b"perl" => Some(Runs::Perl),
        _ => None,
    }
}

/// Whether the Dockerfile has an instruction of this kind in the stage, or in those that it is built upon.
pub(super) fn sets(subject: &Subject<'_>, evidence: &Evidence<'_>, wanted: Keyword) -> bool {
    let stages = evidence.chain.iter().filter_map(|&stage| subject.file.stages().get(stage));
    let mut all = stages.flat_map(|stage| subject.file.instructions().get(stage.body.clone()).unwrap_or_default());
    all.any(|one| one.statement.keyword == Some(wanted) && !matches!(one.statement.command, Command::Broken))
}

/// Whether something is a file with bytes of its own, or a link.
pub(super) fn is_file(file: &File<'_>) -> bool {
    matches!(file.kind(), Kind::File | Kind::Hardlink | Kind::Symlink)
}

/// Whether something in the configuration says that the program may have to be root.
///
/// Ports below 1024 may be opened by anybody since Docker 20.10, but not everywhere; volumes belong to whom they belong.
pub(super) fn may_need_root(config: &ImageConfig) -> bool {
    opens_low_port(config) || !config.volumes.is_empty()
}

/// Whether it declares a port below 1024.
pub(super) fn opens_low_port(config: &ImageConfig) -> bool {
    let low = |port: &String| {
        port.split('/').next().and_then(|port| port.parse::<u16>().ok()).is_some_and(|port| port < 1024)
    };
    config.exposed_ports.iter().any(low)
}

/// What the origin of a finding says, for a table.
pub(super) fn brought(origin: Origin) -> &'static str {
    match origin {
        Origin::Base => "came with the base image",
        Origin::Own | Origin::Unknown => "was added",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_known_by_its_name_with_a_version_or_without() {
        for (name, runs) in [
            ("node", Some(Runs::Node)),
            ("python3.11", Some(Runs::Python)),
            ("php8.2", Some(Runs::Php)),
            ("perl", Some(Runs::Perl)),
            ("ruby3.1", Some(Runs::Ruby)),
            ("perlbug", None),
            ("python3-config", None),
            ("3.11", None),
            ("", None),
        ] {
            assert_eq!(language(name.as_bytes()), runs, "{name}");
        }
    }
}
