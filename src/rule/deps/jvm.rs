//! Tells libraries for tests and development among the jars of an application: inside of its archive, or beside it.
//!
//! Maven's scopes `test` and `provided` never go into an archive, so such a library is there by mistake. Build tools
//! and caches have them for good reason and are findings of their own.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    inventory::{File, Inventory},
    model::{
        Confidence, Evidence, EvidenceClass, ImagePath, Jar, Lang, Manager, PackageRef, State,
        path::{escape, name, parent},
    },
};

use super::DevPackages;

/// Names of artifacts that production does not need; with `-` at the end their beginning.
const LIBRARIES: [&str; 26] = [
    "junit",
    "junit-jupiter",
    "junit-jupiter-",
    "junit-platform-",
    "junit-vintage-",
    "testng",
    "mockito-",
    "hamcrest",
    "hamcrest-",
    "assertj-core",
    "spring-test",
    "spring-boot-test",
    "spring-boot-test-",
    "spring-boot-starter-test",
    "spring-security-test",
    "spring-boot-devtools",
    "reactor-test",
    "lombok",
    "testcontainers",
    "testcontainers-",
    "powermock-",
    "easymock",
    "wiremock",
    "spock-core",
    "jsonassert",
    "rest-assured",
];

/// Beginnings of jars beside which test libraries belong: build tools, compilers, test runners, and frameworks that
/// are shipped with what their users test with.
const TOOLS: [&str; 13] = [
    "gradle-",
    "maven-",
    "ant.jar",
    "ant-",
    "kotlin-compiler",
    "scala-compiler",
    "scala3-compiler",
    "groovy",
    "sbt-",
    "jmeter",
    "ApacheJMeter",
    "surefire-",
    "hadoop-",
];

/// Directories of caches and repositories.
const CACHES: [&[u8]; 5] = [b".m2", b".gradle", b"maven-repo", b".ivy2", b".sbt"];

/// An archive of Java and what matters of its members.
type Archive<'a> = (File<'a>, &'a Jar);

/// A finding with the bytes of the parts of an archive that belong to it, where these are less than whole files.
pub(super) type Found = (DevPackages, Option<u64>);

/// Finds the test libraries of applications.
pub(super) fn find(inventory: &Inventory, records: &[(File<'_>, &Lang)]) -> Vec<Found> {
    let jars: Vec<Archive<'_>> = records
        .iter()
        .filter_map(|(file, lang)| if let Lang::Jar(jar) = lang { Some((*file, jar)) } else { None })
        .filter(|(file, _)| file.owner().is_none())
        .filter(|(file, _)| !file.path().split(|&b| b == b'/').any(|part| CACHES.contains(&part)))
        .collect();
    let mut found: Vec<Found> = jars.iter().filter_map(|(file, jar)| in_archive(*file, jar)).collect();
    let mut dirs: BTreeMap<(&[u8], State), Vec<Archive<'_>>> = BTreeMap::new();
    for (file, jar) in jars.into_iter().filter(|(_, jar)| !jar.marks.is_empty()) {
        dirs.entry((parent(file.path()), file.state())).or_default().push((file, jar));
    }
    found.extend(dirs.iter().filter_map(|(place, jars)| Some((in_dir(inventory, *place, jars)?, None))));
    found
}

/// Libraries inside of a fat jar or war, by the names they were packed under.
fn in_archive(file: File<'_>, jar: &Jar) -> Option<Found> {
    let dev: Vec<_> = jar
        .nested
        .iter()
        .filter(|(_, size)| *size > 0)
        .filter_map(|(path, size)| Some((library_in(path)?, *size)))
        .collect();
    if dev.is_empty() || !jar.marks.is_empty() {
        return None;
    }
    let path = ImagePath::new(file.path());
    let names: Vec<&str> = dev.iter().map(|((name, _), _)| *name).take(5).collect();
    let witness = format!("the archive holds {}", escape(names.join(", ").as_bytes()));
    let mut evidence = vec![Evidence { class: EvidenceClass::Record, witness, path: Some(path.clone()) }];
    evidence.extend(jar.inner.iter().map(|mark| of_content(mark, &file)));
    let bytes = dev.iter().fold(0_u64, |sum, (_, size)| sum.saturating_add(*size)).min(file.size());
    let found = DevPackages {
        root: path.clone(),
        place: path,
        state: file.state(),
        confidence: if jar.inner.is_empty() { Confidence::High } else { Confidence::Certain },
        evidence,
        count: dev.len(),
        of: jar.nested.len(),
        packages: dev.iter().map(|((name, version), _)| package(name, version)).collect(),
        files: vec![file.id()],
    };
    Some((found, Some(bytes)))
}

/// Artifact and version of a nested jar that is a library for tests.
fn library_in(path: &str) -> Option<(&str, &str)> {
    let (dir, file) = path.rsplit_once('/')?;
    let is_libs = dir.ends_with("BOOT-INF/lib") || dir.ends_with("WEB-INF/lib") || dir == "lib";
    artifact(file).filter(|(name, _)| is_libs && is_library(name))
}

/// Libraries that lie in a directory with others, by what is in them.
fn in_dir(inventory: &Inventory, (dir, state): (&[u8], State), jars: &[Archive<'_>]) -> Option<DevPackages> {
    let beside: HashMap<&[u8], File<'_>> = match state {
        State::Live => {
            inventory.under(dir).filter(|file| parent(file.path()) == dir).map(|f| (name(f.path()), f)).collect()
        }
        State::Buried => {
            inventory.buried_under(dir).filter(|file| parent(file.path()) == dir).map(|f| (name(f.path()), f)).collect()
        }
    };
    let all: HashSet<&[u8]> = beside.keys().copied().filter(|file| file.ends_with(b".jar")).collect();
    if all.iter().any(|file| TOOLS.iter().any(|tool| file.starts_with(tool.as_bytes()))) {
        return None;
    }
    let package = |file: &File<'_>| {
        let file = String::from_utf8_lossy(name(file.path())).into_owned();
        let (name, version) = artifact(&file).unwrap_or((&file, ""));
        self::package(name, version)
    };
    Some(DevPackages {
        root: ImagePath::new(dir),
        place: ImagePath::new(dir),
        state,
        confidence: Confidence::Certain,
        evidence: jars.iter().flat_map(|(file, jar)| jar.marks.iter().map(|mark| of_content(mark, file))).collect(),
        count: jars.len(),
        of: all.len().max(jars.len()),
        packages: jars.iter().map(|(file, _)| package(file)).collect(),
        files: jars.iter().map(|(file, _)| file.id()).collect(),
    })
}

fn of_content(mark: &str, file: &File<'_>) -> Evidence {
    let path = Some(ImagePath::new(file.path()));
    Evidence { class: EvidenceClass::Content, witness: format!("the class {mark}"), path }
}

fn package(name: &str, version: &str) -> PackageRef {
    PackageRef { manager: Manager::Maven, name: name.to_string(), version: version.to_string() }
}

/// Artifact and version of a file name: `junit` and `4.13.2` of `junit-4.13.2.jar`.
fn artifact(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".jar")?;
    let digit = |at: usize| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    match stem.match_indices('-').map(|(at, _)| at).find(|at| digit(*at)) {
        Some(at) => Some((stem.get(..at)?, stem.get(at + 1..)?)),
        None => Some((stem, "")),
    }
}

fn is_library(name: &str) -> bool {
    LIBRARIES.iter().any(|library| if library.ends_with('-') { name.starts_with(library) } else { name == *library })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_artifact_and_version() {
        for (file, want) in [
            ("junit-4.13.2.jar", Some(("junit", "4.13.2"))),
            ("junit-jupiter-api-5.9.2.jar", Some(("junit-jupiter-api", "5.9.2"))),
            ("log4j-1.2-api-2.20.jar", Some(("log4j", "1.2-api-2.20"))),
            ("lombok.jar", Some(("lombok", ""))),
            ("a.war", None),
        ] {
            assert_eq!(artifact(file), want, "{file}");
        }
    }

    #[test]
    fn a_library_is_one_by_its_whole_name() {
        for name in ["junit", "mockito-core", "junit-platform-launcher", "spring-boot-devtools"] {
            assert!(is_library(name), "{name}");
        }
        for name in ["junitparams-reports", "spring-boot", "hamcrestify", "testing-tools"] {
            assert!(!is_library(name), "{name}");
        }
    }
}
