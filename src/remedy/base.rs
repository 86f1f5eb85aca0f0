//! Chooses what the last stage is built upon, by the C library, the release and the interpreter that the program has now.

use super::{
    Runs, Stop, Subject, dotnet,
    evidence::{Evidence, of_distribution, sets},
    same::Same,
    select::Wanted,
};
use crate::{
    catalogue::Runtime,
    dockerfile::Keyword,
    inventory::{File, Inventory, loader::Libc},
    model::path,
};

/// The base of the last stage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen {
    /// Its name.
    pub image: String,
    /// Why this one.
    pub why: String,
    /// Whether it has a shell and a package manager.
    pub has_shell: bool,
    /// Whether it is the one that the old stage stands on, which it is called by as before.
    pub same: bool,
}

/// Images of distributions with nothing installed in them: their slim variants have the same packages.
const PLAIN: [&str; 3] = ["alpine", "debian", "ubuntu"];

/// The name of an image, taken apart.
pub(super) struct Name<'a> {
    /// What stands before the repository of an official image in another registry: `public.ecr.aws/docker/library/`.
    pub prefix: &'a str,
    pub repository: &'a str,
    pub tag: &'a str,
    pub digest: bool,
}

impl<'a> Name<'a> {
    /// `docker.io/library/node:20@sha256:...` is `node`, `20`, and so is `mirror.gcr.io/library/node:20` with a prefix.
    pub(super) fn of(image: &'a str) -> Self {
        let (name, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name.get(slash..).and_then(|last| last.find(':')) {
            Some(colon) => (name.get(..slash + colon).unwrap_or(name), name.get(slash + colon + 1..).unwrap_or("")),
            None => (name, "latest"),
        };
        let short = ["docker.io/library/", "index.docker.io/library/", "docker.io/", "library/"];
        if let Some(repository) = short.iter().find_map(|prefix| repository.strip_prefix(prefix)) {
            return Self { prefix: "", repository, tag, digest };
        }
        // Official images alone lie below `library`, wherever they are mirrored; a name without it may be anybody's.
        let mirrored = repository.rfind("/library/").map(|at| repository.split_at(at + "/library/".len()));
        let (prefix, repository) = mirrored.filter(|(_, rest)| !rest.contains('/')).unwrap_or(("", repository));
        Self { prefix, repository, tag, digest }
    }
}

/// Whether an interpreter can be had again by installing packages: the Dockerfile installed it, or upon a base without any
/// other.
pub(super) fn is_as_package(evidence: &Evidence<'_>) -> bool {
    let plain = PLAIN.contains(&Name::of(&evidence.base).repository);
    let again = |file: &File<'_>| of_distribution(file) && (plain || file.layer() >= evidence.own_from);
    evidence.interpreter.as_ref().is_some_and(again)
}

/// What the last stage may stand on.
pub(super) enum Stand<'s> {
    /// The image of a table.
    Table { table: &'s Runtime, image: String },
    /// The image that the old one stands on.
    Same(Box<Same>),
}

impl Stand<'_> {
    /// The base that stays, if it does.
    pub(super) fn same(&self) -> Option<&Same> {
        if let Self::Same(same) = self { Some(same) } else { None }
    }
}

/// Finds what the last stage may stand on: what a table says, or else what the old one stands on.
///
/// # Errors
/// When that would win nothing.
pub(super) fn stand<'s>(subject: &'s Subject<'_>, evidence: &Evidence<'_>) -> Result<Stand<'s>, Stop> {
    let why = match in_table(subject, evidence) {
        Ok(stand) => return Ok(stand),
        Err(why) => why,
    };
    Ok(Stand::Same(Box::new(Same::of(subject, evidence, why)?)))
}

/// What a table says of the base, or why none serves.
fn in_table<'s>(subject: &'s Subject<'_>, evidence: &Evidence<'_>) -> Result<Stand<'s>, String> {
    let name = Name::of(&evidence.base);
    let find = |repository: &str| {
        subject.catalogue.runtimes.iter().find(|runtime| runtime.from.iter().any(|from| from == repository))
    };
    let again = is_as_package(evidence);
    let (base, runs) = (&evidence.base, evidence.runs.word());
    let table = match find(name.repository) {
        Some(table) if table.runs == evidence.runs || table.runs == Runs::Program && again => table,
        // What the Dockerfile installed of the distribution needs nothing else of the base.
        _ if again => match find("debian") {
            Some(table) => table,
            None => return Err(format!("no base is known that has {runs} as a package")),
        },
        Some(table) if table.runs == Runs::Program => return Err(format!("{runs} came with the base image {base}")),
        Some(table) => {
            return Err(format!("the base image {base} is for {}, and the command starts {runs}", table.runs.word()));
        }
        None => return Err(format!("offcut does not know what to run on instead of the base image {base}")),
    };
    let alpine = subject.inventory.resolve(b"lib/apk/db/installed").is_some();
    let pattern = if alpine { &table.alpine } else { &table.debian };
    let Some(pattern) = pattern else { return Err(format!("offcut knows no base for run time that goes with {base}")) };
    Ok(Stand::Table { table, image: fill(subject, evidence, pattern, &name)? })
}

/// Chooses the base.
pub(super) fn choose(subject: &Subject<'_>, evidence: &Evidence<'_>, wanted: &Wanted, stand: &Stand<'_>) -> Chosen {
    let (table, image) = match stand {
        Stand::Table { table, image } => (table, image),
        Stand::Same(same) => {
            let mut why = format!("{}, so that everything of it is there again", same.why);
            if !same.names.is_empty() {
                why.push_str(&format!("; what it brought itself stays: {}", same.names));
            }
            let has_shell = same.base.resolve(b"bin/sh").is_some();
            return Chosen { image: evidence.base_text.clone(), why, has_shell, same: true };
        }
    };
    let alpine = subject.inventory.resolve(b"lib/apk/db/installed").is_some();
    let plain = wanted.packages.is_empty() && !wanted.needs_shell;
    if let (Some(image), true, true) = (&table.for_static, evidence.is_static && !alpine, plain) {
        let why = "the program is linked statically, and nothing starts a shell or another program".to_string();
        return Chosen { image: image.clone(), why, has_shell: false, same: false };
    }
    let release = release(subject.inventory).unwrap_or_default();
    let why = match evidence.runs {
        Runs::Program if evidence.is_static => format!("the same release ({release}) without compilers"),
        Runs::Program => {
            let libc = if evidence.libc == Some(Libc::Musl) { "musl" } else { "glibc" };
            format!("the program needs {libc} as {release} has it, and no compiler")
        }
        runs if table.runs == Runs::Program => {
            format!("the same release ({release}), which has {} as a package, without compilers", runs.word())
        }
        runs => format!("the same version of {} without compilers", runs.word()),
    };
    let why = why + if takes_port_of_base(subject, evidence) { PORT_OF_BASE } else { "" };
    Chosen { image: image.clone(), why, has_shell: true, same: false }
}

/// What is said where nothing tells a server of .NET on which port it listens: the images of the SDK set none, and then it is
/// 5000 of the container alone.
const PORT_OF_BASE: &str = ", which sets the port, since neither ASPNETCORE_URLS nor ASPNETCORE_HTTP_PORTS does";

/// Whether a server of .NET listens where the image says that it stands on.
fn takes_port_of_base(subject: &Subject<'_>, evidence: &Evidence<'_>) -> bool {
    let env = subject.image.config.as_ref().map_or(&[][..], |config| &config.env);
    let argv = evidence.reach.command().and_then(|command| command.last()).map_or(&[][..], |step| &step.argv);
    evidence.dotnet.as_ref().is_some_and(|app| app.web) && !names_port(env, argv)
}

/// Whether the environment or the command says on which port ASP.NET listens.
fn names_port(env: &[String], argv: &[String]) -> bool {
    let mut set = env.iter().filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty());
    let is_port = |name: &str| ["URLS", "HTTP_PORTS", "HTTPS_PORTS"].iter().any(|end| name.ends_with(end));
    set.any(|(name, _)| is_port(name)) || argv.iter().any(|word| word.starts_with("--urls"))
}

/// Puts what the base has in the place of the names in braces.
fn fill(subject: &Subject<'_>, evidence: &Evidence<'_>, pattern: &str, name: &Name<'_>) -> Result<String, String> {
    let mut image = pattern.to_string();
    if image.contains("{release}") {
        let Some(release) = release(subject.inventory) else {
            let why = "/etc/os-release does not name a release of Debian or Alpine";
            return Err(format!("the release of the distribution is not known: {why}"));
        };
        image = image.replace("{release}", &release);
    }
    if let Some(app) = &evidence.dotnet {
        let tag = format!("{}{}", app.version, dotnet::variant(name.tag));
        image = image.replace("{framework}", app.repository()).replace("{dotnet}", &tag);
    }
    if image.contains("{java}") {
        let Some(java) = java(name.tag) else {
            return Err(format!("the tag {} does not tell the version of Java", name.tag));
        };
        image = image.replace("{java}", &java);
    }
    if image.contains("{tag}") || image.contains("{number}") {
        if name.digest {
            return Err("the base is named by its digest, and which tag goes with that is not known here".to_string());
        }
        // A variant without compilers stays what it is.
        let slim = name.tag.split('-').any(|part| part == "slim");
        let tag = if slim { name.tag.replace("-slim", "").replace("slim", "latest") } else { name.tag.to_string() };
        let (number, suite) = split_suite(&tag);
        image = image.replace("{number}", number).replace("{suite}", suite).replace("{tag}", &tag);
        image = image.replace(":latest-", ":").replace(":slim-slim", ":slim");
    }
    // Where the old base was had from, the new one is likely to be, too.
    Ok(format!("{}{image}", name.prefix))
}

/// The release of the distribution, as the tags of its images have it.
fn release(inventory: &Inventory) -> Option<String> {
    match inventory.release()?.id.as_str() {
        "alpine" => full(inventory),
        "debian" => codename(inventory),
        _ => None,
    }
}

/// The first two numbers of the release.
pub(super) fn full(inventory: &Inventory) -> Option<String> {
    let mut numbers = inventory.release()?.version.split('.');
    Some(format!("{}.{}", numbers.next()?, numbers.next()?))
}

/// The name of the release.
pub(super) fn codename(inventory: &Inventory) -> Option<String> {
    Some(inventory.release()?.codename.clone()).filter(|name| !name.is_empty())
}

/// A tag that ends with the name of a release of Debian, before it and with its hyphen: `3.12`, `-bookworm`.
fn split_suite(tag: &str) -> (&str, &str) {
    const SUITES: [&str; 6] = ["buster", "bullseye", "bookworm", "trixie", "forky", "sid"];
    match tag.rfind('-') {
        Some(at) if tag.get(at + 1..).is_some_and(|name| SUITES.contains(&name)) => tag.split_at(at),
        _ => (tag, ""),
    }
}

/// The version of Java in a tag: `3.9-eclipse-temurin-17-alpine`, `17-jdk-slim`, `jdk17`.
fn java(tag: &str) -> Option<String> {
    let behind = ["temurin-", "openjdk-", "corretto-", "sapmachine-", "jdk-", "jdk"];
    let rest = behind.iter().find_map(|word| tag.find(word).and_then(|at| tag.get(at + word.len()..)));
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let found = rest.map(digits).filter(|digits| !digits.is_empty()).unwrap_or_else(|| digits(tag));
    (!found.is_empty() && found.len() <= 2).then_some(found)
}

/// What the old base set for its own run, and the new one does without.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Left {
    /// Its entry point, which prepares the builder and starts what it is told.
    pub entry: Option<Vec<u8>>,
    /// Its volumes: where the builder keeps what it fetches.
    pub volumes: Vec<String>,
}

/// Tells it; what the Dockerfile says itself is repeated, and so is no part of it.
pub(super) fn left(subject: &Subject<'_>, evidence: &Evidence<'_>, stand: &Stand<'_>) -> Left {
    let (Stand::Table { table, .. }, Some(config)) = (stand, &subject.image.config) else { return Left::default() };
    left_of(&evidence.of_base, &table.prepares, &config.volumes, |keyword| sets(subject, evidence, keyword))
}

/// What is left of what the command starts of the base, and of its volumes.
fn left_of(of_base: &[Vec<u8>], prepares: &[String], volumes: &[String], is_said: impl Fn(Keyword) -> bool) -> Left {
    let entry = of_base.iter().find(|path| prepares.iter().any(|one| one.as_bytes() == &path[..]));
    let volumes = if is_said(Keyword::Volume) { &[] } else { volumes };
    Left { entry: entry.filter(|_| !is_said(Keyword::Entrypoint)).cloned(), volumes: volumes.to_vec() }
}

/// Whether the base, which could be read, has what the command needs of it.
pub(super) fn check(evidence: &Evidence<'_>, left: &Left, chosen: &Chosen, known: &Inventory) -> Result<(), Stop> {
    for wanted in evidence.of_base.iter().filter(|wanted| left.entry.as_ref() != Some(*wanted)) {
        if known.resolve(wanted).is_none() {
            let missing = path::show(wanted);
            return Stop::refused(format!("{} has no {missing}, which the command starts", chosen.image));
        }
    }
    Ok(())
}

/// Whether the base, where it is at hand and still what the image was built upon, ends where the lines of the Dockerfile say.
pub(super) fn check_border(subject: &Subject<'_>, evidence: &Evidence<'_>, known: &Inventory) -> Result<(), Stop> {
    let ids = |inventory: &Inventory| inventory.layers().iter().map(|layer| layer.diff_id).collect::<Vec<_>>();
    let (base, all) = (ids(known), ids(subject.inventory));
    let is_it = base.iter().all(Option::is_some) && all.starts_with(&base);
    let own_from = usize::try_from(evidence.own_from).unwrap_or(usize::MAX);
    if is_it && base.len() != own_from {
        let (name, count) = (&evidence.base, base.len());
        return Stop::refused(format!(
            "{name} has {count} layers, and by the lines of the Dockerfile {own_from} came with the base image"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_old_base_set_for_itself_is_left_unless_the_dockerfile_says_it() {
        let start = b"usr/local/bin/mvn-entrypoint.sh".to_vec();
        let java = b"opt/java/bin/java".to_vec();
        let prepares = [String::from("usr/local/bin/mvn-entrypoint.sh")];
        let volumes = [String::from("/home/gradle/.gradle")];
        let left = |of_base: &[Vec<u8>], said: &[Keyword]| {
            left_of(of_base, &prepares, &volumes, |keyword| said.contains(&keyword))
        };
        let all = Left { entry: Some(start.clone()), volumes: volumes.to_vec() };
        assert_eq!(left(&[start.clone(), java.clone()], &[]), all);
        assert_eq!(left(std::slice::from_ref(&start), &[Keyword::Entrypoint]), Left { entry: None, ..all.clone() });
        assert_eq!(left(&[start], &[Keyword::Volume]), Left { volumes: Vec::new(), ..all.clone() });
        assert_eq!(left(&[java], &[]), Left { entry: None, ..all }, "another one may do what the command needs");
    }

    #[test]
    fn a_server_of_dotnet_is_told_its_port_by_a_variable_or_a_word() {
        let told = |env: &[&str], argv: &[&str]| {
            let [env, argv] = [env, argv].map(|words| words.iter().map(ToString::to_string).collect::<Vec<_>>());
            names_port(&env, &argv)
        };
        for env in ["ASPNETCORE_URLS=http://*:80", "DOTNET_URLS=http://*:80", "ASPNETCORE_HTTP_PORTS=8080"] {
            assert!(told(&[env], &["dotnet", "Shop.dll"]), "{env}");
        }
        for argv in [&["--urls", "http://*:80"][..], &["--urls=http://*:80"]] {
            assert!(told(&[], argv), "{argv:?}");
        }
        assert!(!told(&["ASPNETCORE_URLS=", "SHOP_URL=http://shop"], &["dotnet", "Shop.dll", "urls"]));
    }

    #[test]
    fn names_are_taken_apart_wherever_they_come_from() {
        for (image, repository, tag) in [
            ("mirror.gcr.io/library/node:20", "node", "20"),
            ("registry.example.com/hub/library/python:3", "python", "3"),
            ("registry.example.com/library/team/python:3", "registry.example.com/library/team/python", "3"),
            ("registry.example.com/golang:1.22", "registry.example.com/golang", "1.22"),
            ("node", "node", "latest"),
            ("node:20-alpine", "node", "20-alpine"),
            ("docker.io/library/golang:1.22@sha256:0123", "golang", "1.22"),
            ("localhost:5000/team/base", "localhost:5000/team/base", "latest"),
            ("localhost:5000/team/base:1", "localhost:5000/team/base", "1"),
        ] {
            let name = Name::of(image);
            assert_eq!((name.repository, name.tag), (repository, tag), "{image}");
        }
    }

    #[test]
    fn a_mirror_of_official_images_is_told_by_their_directory() {
        for (image, prefix) in [
            ("public.ecr.aws/docker/library/golang:1.22", "public.ecr.aws/docker/library/"),
            ("mirror.gcr.io/library/node", "mirror.gcr.io/library/"),
            ("docker.io/library/node:20", ""),
            ("library/node", ""),
            ("registry.example.com/golang", ""),
            ("registry.example.com/mylibrary/golang", ""),
        ] {
            assert_eq!(Name::of(image).prefix, prefix, "{image}");
        }
    }

    #[test]
    fn the_release_stands_behind_the_variant_where_tags_have_it_so() {
        assert_eq!(split_suite("3.12-bookworm"), ("3.12", "-bookworm"));
        assert_eq!(split_suite("3.12"), ("3.12", ""));
        assert_eq!(split_suite("3.12-alpine"), ("3.12-alpine", ""));
    }

    #[test]
    fn the_version_of_java_is_the_one_of_the_jdk() {
        for (tag, version) in [
            ("3.9-eclipse-temurin-17-alpine", Some("17")),
            ("17-jdk-slim", Some("17")),
            ("8.5-jdk21", Some("21")),
            ("21", Some("21")),
            ("latest", None),
        ] {
            assert_eq!(java(tag).as_deref(), version, "{tag}");
        }
    }
}
