//! What the projects of all languages share: which groups are for development, and which project an environment
//! belongs to.

use std::collections::{HashMap, HashSet};

use crate::model::path::ancestors;

/// Words in the name of a group that say it is for development. What a group called `worker` is for, nobody can know.
const DEVELOPMENT: [&str; 44] = [
    "dev",
    "devel",
    "develop",
    "development",
    "developer",
    "test",
    "tests",
    "testing",
    "unittest",
    "pytest",
    "tox",
    "nox",
    "ci",
    "lint",
    "linter",
    "linters",
    "linting",
    "format",
    "formatting",
    "fmt",
    "style",
    "typing",
    "typecheck",
    "typechecking",
    "types",
    "mypy",
    "doc",
    "docs",
    "documentation",
    "qa",
    "quality",
    "check",
    "checks",
    "coverage",
    "cov",
    "bench",
    "benchmark",
    "benchmarks",
    "debug",
    "profiling",
    "precommit",
    "release",
    "local",
    "tooling",
];

/// Projects without an environment of their own that are held against every other environment.
const HOMELESS_MAX: usize = 32;

/// Environments outside of every project that are held against such projects.
const SHARED_MAX: usize = 256;

/// Whether the name of a group, an extra or a list says that it is for development.
pub(super) fn is_development(group: &str) -> bool {
    let group = group.to_ascii_lowercase();
    let mut words = group.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| DEVELOPMENT.contains(&word))
}

/// Which projects an environment may belong to.
pub(super) struct Homes<'a> {
    by_dir: HashMap<&'a [u8], usize>,
    /// Projects whose directory holds no environment.
    homeless: Vec<usize>,
}

impl<'a> Homes<'a> {
    /// Takes the directories of the projects, and those of the environments.
    pub fn of(dirs: impl Iterator<Item = &'a [u8]> + Clone, trees: impl Iterator<Item = &'a [u8]>) -> Self {
        let with_trees: HashSet<&[u8]> = trees.flat_map(ancestors).collect();
        let homeless = dirs.clone().enumerate().filter(|(_, dir)| !with_trees.contains(dir)).map(|(at, _)| at);
        Self {
            homeless: homeless.take(HOMELESS_MAX).collect(),
            by_dir: dirs.enumerate().map(|(at, dir)| (dir, at)).collect(),
        }
    }

    /// The project whose directory holds the environment, else those that hold none at all. `at` counts environments.
    pub fn of_tree(&self, at: usize, root: &[u8]) -> Vec<usize> {
        match ancestors(root).find_map(|dir| self.by_dir.get(dir)) {
            Some(own) => vec![*own],
            None if at < SHARED_MAX => self.homeless.clone(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_say_so_are_for_development() {
        for group in ["dev", "[Test]", "requirements-dev.txt", "lint_all", "docs", "pre-commit-checks"] {
            assert!(is_development(group), "{group}");
        }
        for group in ["", "worker", "prod", "contest", "requirements.txt", "devices"] {
            assert!(!is_development(group), "{group}");
        }
    }

    #[test]
    fn an_environment_belongs_to_the_nearest_project_around_it() {
        let dirs: [&[u8]; 4] = [b"", b"app", b"app/sub", b"srv"];
        let trees: [&[u8]; 2] = [b"app/sub/.venv/lib", b"usr/lib/python3/site-packages"];
        let homes = Homes::of(dirs.into_iter(), trees.into_iter());
        assert_eq!(homes.of_tree(0, trees[0]), [2]);
        assert_eq!(homes.of_tree(1, trees[1]), [0, 3]);
    }
}
