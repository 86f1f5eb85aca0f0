//! What Java loads of what a build made: the archives and classes that lie where builds put their output.

use super::{
    Runs, Subject,
    evidence::{Evidence, of_distribution},
    select::{SYSTEM, is_source},
};
use crate::{
    inventory::File,
    model::{Format, NamePattern, path},
};

/// Archives that Maven and Gradle write beside the one that is run: before it was shaded or repackaged, and for who develops.
const SPARE: [&str; 5] = ["original-*.jar", "*-plain.jar", "*-sources.jar", "*-javadoc.jar", "*-tests.jar"];

/// What is loaded.
#[derive(Debug, Default)]
pub(super) struct Loads {
    /// Where the classes are, where the command does not tell.
    classes: Option<Vec<u8>>,
    /// Directories of the archives that were seen to be loaded: their manifests may name others beside and below them.
    archives: Vec<Vec<u8>>,
    spare: Vec<NamePattern>,
}

impl Loads {
    /// Nothing where the image does not run Java.
    pub(super) fn of(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Self {
        if evidence.runs != Runs::Java {
            return Self::default();
        }
        let own = |file: &File<'_>| file.layer() >= evidence.own_from && !of_distribution(file);
        let met = evidence.reach.files().map(|id| subject.inventory.file(id)).filter(own);
        let loaded: Vec<&[u8]> = met.map(|file| file.path()).filter(|path| is_loaded(path)).collect();
        let steps = evidence.reach.command().map_or(&[][..], |command| &command.steps);
        let scripts = steps.iter().rev().filter_map(|step| step.program).map(|id| subject.inventory.file(id));
        let script = scripts.into_iter().find(|file| own(file) && file.format() == Format::Script);
        Self::new(&loaded, script.map(|script| script.path()))
    }

    /// By the archives and classes that the command was seen to load, and by the script that starts it.
    fn new(loaded: &[&[u8]], script: Option<&[u8]>) -> Self {
        let classes = || script.map_or_else(Vec::new, |script| around(script).to_vec());
        let mut archives: Vec<Vec<u8>> =
            loaded.iter().filter(|path| path.ends_with(b".jar")).map(|path| path::parent(path).to_vec()).collect();
        archives.sort_unstable();
        archives.dedup();
        let spare = SPARE.iter().map(|name| NamePattern::new(name)).collect();
        Self { classes: loaded.is_empty().then(classes), archives, spare }
    }

    /// Whether a file is loaded; none where that is not told by where it lies.
    pub(super) fn says(&self, file: &[u8]) -> Option<bool> {
        let name = path::name(file);
        if self.classes.as_ref().is_some_and(|dir| path::is_in(file, dir)) {
            return Some(name.ends_with(b".class") || !is_source(name));
        }
        let is_beside = name.ends_with(b".jar") && self.archives.iter().any(|dir| path::is_in(file, dir));
        is_beside.then(|| !self.spare.iter().any(|pattern| pattern.matches(name)))
    }
}

fn is_loaded(path: &[u8]) -> bool {
    [&b".class"[..], b".jar", b".war"].iter().any(|end| path.ends_with(end))
}

/// The directory of what a script belongs to: its own, or that around `bin`, as the start scripts of Gradle have it
/// (`bin/shop` and `lib/*.jar`); the empty path where it may belong to anything.
fn around(script: &[u8]) -> &[u8] {
    let dir = path::parent(script);
    let home = if path::name(dir) == b"bin" { path::parent(dir) } else { dir };
    if SYSTEM.contains(&dir) || SYSTEM.contains(&home) { b"" } else { home }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_that_a_manifest_may_name_are_loaded_and_those_for_who_develops_are_not() {
        let loads = Loads::new(&[b"app/target/shop.jar"], None);
        for (file, want) in [
            ("app/target/shop.jar", Some(true)),
            ("app/target/lib/gson-2.10.jar", Some(true)),
            ("app/target/original-shop.jar", Some(false)),
            ("app/target/shop-sources.jar", Some(false)),
            ("app/target/classes/Server.class", None),
            ("app/target/maven-status/inputFiles.lst", None),
            ("app/build/libs/shop.jar", None),
        ] {
            assert_eq!(loads.says(file.as_bytes()), want, "{file}");
        }
        assert_eq!(Loads::new(&[b"app/classes/Server.class"], None).says(b"app/classes/x.jar"), None);
        assert_eq!(Loads::default().says(b"app/target/shop.jar"), None, "what runs is no Java");
    }

    #[test]
    fn where_nothing_was_seen_all_around_the_script_is_loaded() {
        let loads = Loads::new(&[], Some(b"app/build/install/shop/bin/shop"));
        for (file, want) in [
            ("app/build/install/shop/lib/shop.jar", Some(true)),
            ("app/build/install/shop/lib/Server.class", Some(true)),
            ("app/build/install/shop/Server.java", Some(false)),
            ("app/build/libs/shop.jar", None),
        ] {
            assert_eq!(loads.says(file.as_bytes()), want, "{file}");
        }
        assert_eq!(Loads::new(&[], None).says(b"srv/target/x.jar"), Some(true), "it may be anywhere");
    }

    #[test]
    fn a_start_script_has_its_archives_beside_it_and_one_of_the_system_anywhere() {
        for (script, dir) in [
            ("app/build/install/shop/bin/shop", "app/build/install/shop"),
            ("srv/app/run.sh", "srv/app"),
            ("app/bin/run.sh", "app"),
            ("usr/local/bin/run.sh", ""),
            ("opt/bin/run.sh", ""),
            ("run.sh", ""),
        ] {
            assert_eq!(around(script.as_bytes()), dir.as_bytes(), "{script}");
        }
    }
}
