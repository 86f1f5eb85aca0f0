//! .NET: what a program asks of its run time, and where what was published of it lies.

use super::{Stop, evidence::of_distribution};
use crate::{
    inventory::{
        File, FileId, Inventory,
        reach::{How, Reach},
    },
    model::{DotnetFramework, Fact, Lang, path},
};

/// Ends of names of projects and of what joins them.
const PROJECTS: [&[u8]; 5] = [b".csproj", b".fsproj", b".vbproj", b".sln", b".slnx"];

/// Ends of names of sources.
const SOURCES: [&[u8]; 4] = [b".cs", b".fs", b".fsi", b".vb"];

/// Directories of a project into which it is compiled.
const OUTPUTS: [&[u8]; 2] = [b"bin", b"obj"];

/// Where the SDK keeps what it remembers of a user, unless it lies there itself.
const REMEMBERED: &[u8] = b".dotnet";

/// The framework of programs that serve HTTP; all others are told by [`CORE`].
const WEB: &str = "Microsoft.AspNetCore.App";
const CORE: &str = "Microsoft.NETCore.App";

/// A program of .NET.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct App {
    /// Whether it serves HTTP by the framework for that.
    pub web: bool,
    /// The framework's version as tags of its images have it: `8.0`.
    pub version: String,
    places: Places,
}

impl App {
    /// By what the command starts, which is the host `dotnet` with its first word, or a program with the same name as the
    /// library that it loads.
    ///
    /// # Errors
    /// When the command needs the SDK, or its framework can not be told.
    pub(super) fn of(
        inventory: &Inventory,
        reach: &Reach,
        host: &File<'_>,
        argv: &[String],
        dir: &[u8],
    ) -> Result<Self, Stop> {
        let (library, settings) = match library_of(inventory, host) {
            Some(library) => library,
            None => {
                if of_distribution(host) {
                    return Stop::refused("dotnet is a package of the distribution: which others it needs is not told");
                }
                let word = argv.get(1).map_or("", String::as_str);
                let shown = path::escape(word.as_bytes());
                if !word.ends_with(".dll") {
                    return Stop::refused(format!("the command starts \"dotnet {shown}\", which needs the SDK"));
                }
                let Some(library) = named(inventory, reach, host.id(), word) else {
                    return Stop::refused(format!("the command starts {shown}, which is not in the image"));
                };
                (library.path().to_vec(), settings_of(inventory, library.path()).unwrap_or_default())
            }
        };
        let shown = path::show(&library);
        let (web, version) = match asked(&settings) {
            Ok(asked) => asked,
            Err(why) => return Stop::refused(format!("which run time {shown} needs is not told: {why}")),
        };
        let project = |file: &File<'_>| PROJECTS.iter().any(|end| file.path().ends_with(end));
        let projects = inventory.files().filter(project).map(|file| path::parent(file.path()).to_vec()).collect();
        let places = Places::new(path::parent(&library), projects, dir, host.path());
        Ok(Self { web, version, places })
    }

    /// The repository that has its run time.
    pub(super) fn repository(&self) -> &'static str {
        if self.web { "aspnet" } else { "runtime" }
    }

    /// Whether it was published into a directory of its own that has this file.
    pub(super) fn publishes(&self, file: &[u8]) -> bool {
        self.places.publishes(file)
    }

    /// Whether it may read a file.
    pub(super) fn may_read(&self, file: &[u8]) -> bool {
        self.places.may_read(file)
    }
}

/// Whether a program only loads the library beside it that has its name: it was made by `dotnet publish`, and needs the
/// run time.
pub(super) fn is_apphost(inventory: &Inventory, program: &File<'_>) -> bool {
    library_of(inventory, program).is_some_and(|(_, frameworks)| !frameworks.is_empty())
}

/// The library that a program loads, and the frameworks that it asks for.
fn library_of(inventory: &Inventory, program: &File<'_>) -> Option<(Vec<u8>, Vec<DotnetFramework>)> {
    let library = [program.path(), b".dll"].concat();
    inventory.get(&library)?;
    let settings = settings_of(inventory, &library)?;
    Some((library, settings))
}

/// The library that the command names in its first word.
fn named<'a>(inventory: &'a Inventory, reach: &Reach, host: FileId, word: &str) -> Option<File<'a>> {
    let name = path::name(word.as_bytes());
    let is_it = |file: &File<'_>| {
        let met = reach.parent(file.id()) == Some(host) && reach.how(file.id()) == Some(How::Names);
        met && path::name(file.path()) == name
    };
    reach.files().map(|id| inventory.file(id)).find(is_it)
}

/// The frameworks that the settings beside a library ask for.
fn settings_of(inventory: &Inventory, library: &[u8]) -> Option<Vec<DotnetFramework>> {
    let settings = [library.strip_suffix(b".dll")?, b".runtimeconfig.json"].concat();
    inventory.get(&settings)?.facts().find_map(|fact| match fact {
        Fact::Lang(Lang::DotnetRuntime(frameworks)) => Some(frameworks.clone()),
        _ => None,
    })
}

/// Whether these are the frameworks for HTTP, and their version.
fn asked(frameworks: &[DotnetFramework]) -> Result<(bool, String), &'static str> {
    if frameworks.is_empty() {
        return Err("no runtimeconfig.json beside it names a framework");
    }
    if frameworks.iter().any(|one| one.name != WEB && one.name != CORE) {
        return Err("its runtimeconfig.json names a framework that no image has");
    }
    let versions: Vec<Option<String>> = frameworks.iter().map(|one| release(&one.version)).collect();
    match versions.first() {
        Some(Some(first)) if versions.iter().all(|version| version.as_ref() == Some(first)) => {
            Ok((frameworks.iter().any(|one| one.name == WEB), first.clone()))
        }
        _ => Err("its runtimeconfig.json names no release"),
    }
}

/// The first two numbers of a version that is no preview.
fn release(version: &str) -> Option<String> {
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(major) && is_number(minor) && !version.contains('-')).then(|| format!("{major}.{minor}"))
}

/// What stands behind the version in a tag of the SDK: `-alpine3.20` of `8.0.404-alpine3.20`.
pub(super) fn variant(tag: &str) -> &str {
    let rest = tag.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    if rest.starts_with('-') { rest } else { "" }
}

/// Where the program and the projects lie.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Places {
    /// Directory of the library that is started.
    app: Vec<u8>,
    /// Directories of projects.
    projects: Vec<Vec<u8>>,
    /// Where the command is started: programs that serve HTTP read their pages and settings there.
    dir: Vec<u8>,
    /// Whether the host lies where the SDK remembers things.
    host_is_remembered: bool,
}

impl Places {
    fn new(app: &[u8], projects: Vec<Vec<u8>>, dir: &[u8], host: &[u8]) -> Self {
        let host_is_remembered = host.split(|&byte| byte == b'/').any(|part| part == REMEMBERED);
        Self { app: app.to_vec(), projects, dir: dir.to_vec(), host_is_remembered }
    }

    fn publishes(&self, file: &[u8]) -> bool {
        let of_project = |project: &Vec<u8>| path::is_in(project, &self.app) && path::is_in(file, project);
        path::is_in(file, &self.app) && !self.projects.iter().any(of_project)
    }

    fn may_read(&self, file: &[u8]) -> bool {
        if self.publishes(file) {
            return true;
        }
        let remembered = file.split(|&byte| byte == b'/').any(|part| part == REMEMBERED);
        if remembered && !self.host_is_remembered || SOURCES.iter().chain(&PROJECTS).any(|end| file.ends_with(end)) {
            return false;
        }
        let mut around = self.projects.iter().filter(|project| path::is_in(file, project));
        around.all(|project| {
            let output = OUTPUTS.iter().any(|output| path::is_in(file, &[&project[..], b"/", output].concat()));
            (path::is_in(&self.dir, project) || path::is_in(&self.app, project)) && !output
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::Catalogue,
        inventory::tests::layer,
        model::{Elf, ImageConfig, ImageInfo},
    };

    /// What is made of a command in `/app`; the release and the framework, or why not.
    fn app(command: &[&str]) -> Result<String, String> {
        let web = DotnetFramework { name: WEB.to_string(), version: "8.0.0".to_string() };
        let elf = |path| layer().file(path).fact(Fact::Elf(Elf { program: true, ..Elf::default() }));
        let layers = [
            elf("usr/bin/dotnet"),
            elf("app/Shop").file("app/Shop.dll").file("app/Bare.dll").file("app/Shop.csproj"),
            layer().file("app/Shop.runtimeconfig.json").fact(Fact::Lang(Lang::DotnetRuntime(vec![web]))),
        ];
        let inventory = Inventory::build(layers.map(|layer| layer.facts()).into());
        let config = ImageConfig {
            cmd: command.iter().map(ToString::to_string).collect(),
            working_dir: "/app".to_string(),
            ..ImageConfig::default()
        };
        let image = ImageInfo { config: Some(config), ..ImageInfo::default() };
        let roles = &Catalogue::builtin().expect("the policies compile").roles;
        let reach = Reach::follow(&inventory, &image, roles);
        let last = reach.command().and_then(|command| command.last()).expect("a command");
        let host = inventory.file(last.program.expect("it is there"));
        match App::of(&inventory, &reach, &host, &last.argv, b"app") {
            Ok(app) => Ok(format!("{} {}", app.repository(), app.version)),
            Err(Stop::Nothing(why) | Stop::Refused(why)) => Err(why),
        }
    }

    #[test]
    fn a_library_that_was_published_or_the_program_beside_it_is_started() {
        for command in [&["dotnet", "Shop.dll"][..], &["dotnet", "/app/Shop.dll", "--urls", "http://*:80"], &["./Shop"]]
        {
            assert_eq!(app(command), Ok("aspnet 8.0".to_string()), "{command:?}");
        }
        for (command, why) in [
            (&["dotnet", "run"][..], "\"dotnet run\", which needs the SDK"),
            (&["dotnet", "watch", "Shop.dll"], "\"dotnet watch\", which needs the SDK"),
            (&["dotnet", "Shop.csproj"], "which needs the SDK"),
            (&["dotnet", "Gone.dll"], "Gone.dll, which is not in the image"),
            (&["dotnet", "Bare.dll"], "no runtimeconfig.json beside it"),
        ] {
            let said = app(command).expect_err("refused");
            assert!(said.contains(why), "{command:?}: {said}");
        }
    }

    fn places(app: &str, projects: &[&str], dir: &str) -> Places {
        let projects = projects.iter().map(|project| project.as_bytes().to_vec()).collect();
        Places::new(app.as_bytes(), projects, dir.as_bytes(), b"usr/share/dotnet/dotnet")
    }

    #[test]
    fn what_was_published_is_read_and_its_project_is_not() {
        let apart = places("app", &["src", "src/Shop"], "app");
        for (file, want) in [
            ("app/Shop.dll", true),
            ("app/wwwroot/site.css", true),
            ("app/Shop.cs", true),
            ("src/Shop/wwwroot/site.css", false),
            ("src/Shop/bin/Release/net8.0/Shop.dll", false),
            ("src/global.json", false),
            ("srv/data.json", true),
            ("root/.dotnet/sentinel", false),
        ] {
            assert_eq!(apart.may_read(file.as_bytes()), want, "{file}");
        }
    }

    #[test]
    fn a_project_in_which_the_command_is_started_is_read_but_for_sources_and_output() {
        let beside = places("app", &["src"], "src");
        let within = places("src/bin/Release/net8.0", &["src"], "");
        let same = places("src", &["src"], "src");
        for (places, file, want) in [
            (&beside, "src/wwwroot/site.css", true),
            (&beside, "src/Program.cs", false),
            (&beside, "src/Shop.csproj", false),
            (&beside, "src/obj/project.assets.json", false),
            (&within, "src/bin/Release/net8.0/Shop.dll", true),
            (&within, "src/bin/Debug/net8.0/Shop.dll", false),
            (&within, "src/appsettings.json", true),
            (&same, "src/Shop.dll", true),
            (&same, "src/Program.cs", false),
            (&same, "src/obj/x", false),
        ] {
            assert_eq!(places.may_read(file.as_bytes()), want, "{file}");
        }
    }

    #[test]
    fn a_host_that_was_installed_for_a_user_stays() {
        let own = Places::new(b"app", Vec::new(), b"app", b"root/.dotnet/dotnet");
        assert!(own.may_read(b"root/.dotnet/shared/Microsoft.NETCore.App/8.0.1/libcoreclr.so"));
    }

    #[test]
    fn a_framework_is_told_by_its_name_and_by_its_release() {
        let framework = |name: &str, version: &str| DotnetFramework { name: name.into(), version: version.into() };
        let core = |version| framework(CORE, version);
        assert_eq!(asked(&[core("8.0.0")]), Ok((false, "8.0".to_string())));
        assert_eq!(asked(&[core("8.0.0"), framework(WEB, "8.0.1")]), Ok((true, "8.0".to_string())));
        for none in [
            vec![],
            vec![core("9.0.0-preview.1")],
            vec![core("8")],
            vec![core("6.0.0"), framework(WEB, "8.0.0")],
            vec![framework("Microsoft.WindowsDesktop.App", "8.0.0")],
        ] {
            assert!(asked(&none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn the_variant_of_a_tag_stands_behind_its_version() {
        for (tag, want) in [
            ("8.0", ""),
            ("8.0.404", ""),
            ("latest", ""),
            ("8.0-alpine", "-alpine"),
            ("8.0.404-alpine3.20", "-alpine3.20"),
            ("8.0-bookworm-slim", "-bookworm-slim"),
        ] {
            assert_eq!(variant(tag), want, "{tag}");
        }
    }
}
