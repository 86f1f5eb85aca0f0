//! The tables of `policies/roles/`: which programs start others, which commands build or test, what marks a role.
//!
//! Knows names and words; which of them an image has is found in [`crate::inventory::reach`] and [`crate::rule`].

use std::collections::HashMap;

use serde::Deserialize;

use crate::model::RoleName;

/// How the command line of a program is read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramKind {
    /// A shell: a script, or `-c` and a text.
    Shell,
    /// A prompt that no service is.
    Repl,
    /// Node, or what runs programs with it.
    Node,
    /// Python.
    Python,
    /// A Python program that loads a module which one of its arguments names.
    PythonServer,
    /// The Java launcher.
    Java,
    /// An interpreter whose programs are not followed.
    Interpreter,
    /// npm and its like: `start` and `run` look into `package.json`.
    PackageManager,
    /// Starts the command that stands behind its own options.
    Wrapper,
    /// Does its own work and starts nothing that its arguments do not name.
    Plain,
    /// What a run time needs of itself, whatever package it came in.
    Runtime,
}

/// `[[program]]`: programs whose command lines are read alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// How they are read.
    pub kind: ProgramKind,
    /// Names, without a release.
    pub names: Vec<String>,
    /// Options that take the next word.
    #[serde(default)]
    pub values: Vec<String>,
    /// Words of their own that stand before the command of a wrapper.
    #[serde(default)]
    pub skip: usize,
}

/// What a command does at the start that a builder stage is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkKind {
    /// Serves and watches sources.
    DevServer,
    /// Compiles, or installs packages.
    BuildAtStart,
    /// Runs tests.
    Test,
}

/// `[[work]]`: commands that do such work.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// What they do.
    pub kind: WorkKind,
    /// Name of the program, and words that must follow in this order.
    pub commands: Vec<Vec<String>>,
}

/// `[[marker]]`: what tells that an image has a role. A trailing `*` stands for any end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// The role.
    pub role: RoleName,
    /// What such an image is, with its article.
    pub what: String,
    /// Names of labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Names of environment variables.
    #[serde(default)]
    pub env: Vec<String>,
    /// Live files.
    #[serde(default)]
    pub files: Vec<String>,
    /// Programs that the command starts.
    #[serde(default)]
    pub programs: Vec<String>,
}

/// The tables, ready for use.
#[derive(Debug, Default)]
pub struct Roles {
    programs: Vec<Program>,
    by_name: HashMap<String, usize>,
    runtimes: Vec<String>,
    works: Vec<Work>,
    markers: Vec<Marker>,
}

impl Roles {
    /// Adds the tables of one file.
    pub(super) fn extend(&mut self, programs: Vec<Program>, works: Vec<Work>, markers: Vec<Marker>) {
        for program in programs {
            if program.kind == ProgramKind::Runtime {
                self.runtimes.extend(program.names);
                continue;
            }
            let at = self.programs.len();
            self.by_name.extend(program.names.iter().map(|name| (name.clone(), at)));
            self.programs.push(program);
        }
        self.works.extend(works);
        self.markers.extend(markers);
    }

    /// How the command line of the program with this name is read; nothing for a program like any other.
    pub fn program(&self, name: &str) -> Option<&Program> {
        let at = self.by_name.get(name).or_else(|| self.by_name.get(without_release(name)))?;
        self.programs.get(*at)
    }

    /// Whether a name is that of a run time.
    pub fn is_runtime(&self, name: &str) -> bool {
        let bare = without_release(name);
        self.runtimes.iter().any(|runtime| runtime == name || runtime == bare)
    }

    /// What a command does that a builder stage is for; its first word may be a path.
    pub fn work(&self, argv: &[String]) -> Option<WorkKind> {
        let (program, words) = argv.split_first()?;
        let name = program.rsplit('/').next().unwrap_or_default();
        let fits = |command: &Vec<String>| {
            let mut wanted = command.iter();
            if wanted.next().is_none_or(|first| first != name && first != without_release(name)) {
                return false;
            }
            let mut words = words.iter();
            wanted.all(|want| words.any(|word| word == want))
        };
        self.works.iter().find(|work| work.commands.iter().any(fits)).map(|work| work.kind)
    }

    /// What marks roles, in the order in which they count.
    pub fn markers(&self) -> &[Marker] {
        &self.markers
    }
}

/// The name of a program without the release at its end: `python` of `python3.11`, `php` of `php8`.
pub fn without_release(name: &str) -> &str {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    if bare.is_empty() { name } else { bare }
}

/// Whether a name fits a pattern that may end in `*`.
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_string).collect()
    }

    #[test]
    fn a_release_is_no_part_of_a_name() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let roles = &catalogue.roles;
        for (name, want) in [
            ("python3.11", Some(ProgramKind::Python)),
            ("php-fpm8.2", Some(ProgramKind::Interpreter)),
            ("su-exec", Some(ProgramKind::Wrapper)),
            ("nginx", None),
            ("", None),
        ] {
            assert_eq!(roles.program(name).map(|program| program.kind), want, "{name}");
        }
        assert!(roles.is_runtime("python3") && !roles.is_runtime("javac"));
    }

    #[test]
    fn commands_that_build_or_test_are_told_by_their_words_in_order() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        for (line, want) in [
            ("/usr/local/go/bin/go run ./cmd/api", Some(WorkKind::BuildAtStart)),
            ("go version", None),
            ("mvn -q -B spring-boot:run", Some(WorkKind::BuildAtStart)),
            ("flask --app shop run --debug", Some(WorkKind::DevServer)),
            ("flask --app shop run", None),
            ("uvicorn app:app --reload", Some(WorkKind::DevServer)),
            ("npm run dev", Some(WorkKind::DevServer)),
            ("npm start", None),
            ("node --watch app.js", Some(WorkKind::DevServer)),
            ("node app.js", None),
            ("pytest", Some(WorkKind::Test)),
            ("run go", None),
        ] {
            assert_eq!(catalogue.roles.work(&words(line)), want, "{line}");
        }
        assert_eq!(catalogue.roles.work(&[]), None);
    }
}
