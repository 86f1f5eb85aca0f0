//! Chooses what the last stage is built upon, by the C library, the release and the interpreter that the program has now.

use super::{
    Runs, Stop, Subject,
    evidence::{Evidence, of_distribution},
    select::Wanted,
};
use crate::{
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
}

/// Images of distributions with nothing installed in them: their slim variants have the same packages.
const PLAIN: [&str; 3] = ["alpine", "debian", "ubuntu"];

/// The name of an image, taken apart.
pub(super) struct Name<'a> {
    pub repository: &'a str,
    pub tag: &'a str,
    pub digest: bool,
}

impl<'a> Name<'a> {
    /// `docker.io/library/node:20@sha256:...` is `node`, `20`.
    pub(super) fn of(image: &'a str) -> Self {
        let (name, digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name.get(slash..).and_then(|last| last.find(':')) {
            Some(colon) => (name.get(..slash + colon).unwrap_or(name), name.get(slash + colon + 1..).unwrap_or("")),
            None => (name, "latest"),
        };
        let short = ["docker.io/library/", "index.docker.io/library/", "docker.io/", "library/"];
        let repository = short.iter().find_map(|prefix| repository.strip_prefix(prefix)).unwrap_or(repository);
        Self { repository, tag, digest }
    }
}

/// Whether an interpreter can be had again by installing packages: the Dockerfile installed it, or upon a base without any
/// other.
pub(super) fn is_as_package(evidence: &Evidence<'_>) -> bool {
    let plain = PLAIN.contains(&Name::of(&evidence.base).repository);
    let again = |file: &File<'_>| of_distribution(file) && (plain || file.layer() >= evidence.own_from);
    evidence.interpreter.as_ref().is_some_and(again)
}

/// Chooses the base.
pub(super) fn choose(subject: &Subject<'_>, evidence: &Evidence<'_>, wanted: &Wanted) -> Result<Chosen, Stop> {
    let name = Name::of(&evidence.base);
    let table =
        subject.catalogue.runtimes.iter().find(|runtime| runtime.from.iter().any(|from| from == name.repository));
    let Some(table) = table else {
        return Stop::refused(format!(
            "offcut does not know what to run on instead of the base image {}",
            evidence.base
        ));
    };
    if table.runs != evidence.runs && table.runs != Runs::Program {
        let (base, runs) = (table.runs.word(), evidence.runs.word());
        return Stop::refused(format!("the base image {} is for {base}, and the command starts {runs}", evidence.base));
    }
    if table.runs == Runs::Program && evidence.runs != Runs::Program {
        if !evidence.interpreter.as_ref().is_some_and(of_distribution) {
            let why = "is no package of the distribution, and what it needs of the base image is not known";
            return Stop::refused(format!("the {} that the command starts {why}", evidence.runs.word()));
        }
        if !is_as_package(evidence) {
            let runs = evidence.runs.word();
            return Stop::refused(format!(
                "{runs} came with the base image {}, and which of its other packages the program uses can not be told",
                evidence.base
            ));
        }
    }
    let alpine = subject.inventory.resolve(b"lib/apk/db/installed").is_some();
    let plain = wanted.packages.is_empty() && !wanted.needs_shell;
    if let (Some(image), true, true) = (&table.for_static, evidence.is_static && !alpine, plain) {
        let why = "the program is linked statically, and nothing starts a shell or another program".to_string();
        return Ok(Chosen { image: image.clone(), why, has_shell: false });
    }
    let pattern = if alpine { &table.alpine } else { &table.debian };
    let Some(pattern) = pattern else {
        return Stop::refused(format!("offcut knows no base for run time that goes with {}", evidence.base));
    };
    let image = fill(subject, pattern, &name)?;
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
    Ok(Chosen { image, why, has_shell: true })
}

/// Puts what the base has in the place of the names in braces.
fn fill(subject: &Subject<'_>, pattern: &str, name: &Name<'_>) -> Result<String, Stop> {
    let mut image = pattern.to_string();
    if image.contains("{release}") {
        let Some(release) = release(subject.inventory) else {
            return Stop::refused(
                "the release of the distribution is not known: /etc/os-release does not name a release of Debian or Alpine",
            );
        };
        image = image.replace("{release}", &release);
    }
    if image.contains("{java}") {
        let Some(java) = java(name.tag) else {
            return Stop::refused(format!("the tag {} does not tell the version of Java", name.tag));
        };
        image = image.replace("{java}", &java);
    }
    if image.contains("{tag}") || image.contains("{number}") {
        if name.digest {
            return Stop::refused("the base is named by its digest, and which tag goes with that is not known here");
        }
        // A variant without compilers stays what it is.
        let slim = name.tag.split('-').any(|part| part == "slim");
        let tag = if slim { name.tag.replace("-slim", "").replace("slim", "latest") } else { name.tag.to_string() };
        let (number, suite) = split_suite(&tag);
        image = image.replace("{number}", number).replace("{suite}", suite).replace("{tag}", &tag);
        image = image.replace(":latest-", ":").replace(":slim-slim", ":slim");
    }
    Ok(image)
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

/// Whether the base, which could be read, has what the command needs of it.
pub(super) fn check(evidence: &Evidence<'_>, chosen: &Chosen, known: &Inventory) -> Result<(), Stop> {
    for wanted in &evidence.of_base {
        if known.resolve(wanted).is_none() {
            let missing = path::show(wanted);
            return Stop::refused(format!("{} has no {missing}, which the command starts", chosen.image));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_wherever_they_come_from() {
        for (image, repository, tag) in [
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
