//! The data of `policies/`, checked and compiled once.
//!
//! Knows rules, remedies and what counts as proof; knows nothing of any image. The judging is done by [`crate::rule`].

mod builtin;
mod compile;
mod framework;
mod ground;
mod leftover;
pub mod roles;
pub(crate) mod sample;
mod schema;
mod secret;
mod weakness;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use regex::Regex;
use serde::Deserialize;

pub use self::ground::{KnownBase, PlaceKind, Places};
pub use self::{
    leftover::{Files, MemberPath, Output, Place, RootOf, Tree, TreeMember},
    schema::{Example, ExampleElf, ExampleFile, ExampleModule, ExamplePackage, Origin, Runs, Runtime},
    secret::SecretForm,
};
use crate::{
    Error, Result,
    model::{Digest, Family, Format, FormatSet, Framework, Manager, Remedy, RuleAbout, ShapeWant},
    probe::{Shapes, secret::SecretRules},
};

/// Largest policy file that is read, in bytes; the largest of ours has a hundredth of it.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// All rules and remedies, ready for use.
#[derive(Debug)]
pub struct Catalogue {
    /// The rules, sorted by id.
    pub rules: Vec<Rule>,
    /// The remedies, sorted by id.
    pub remedies: Vec<Remedy>,
    /// What base images for building are replaced with at run time.
    pub runtimes: Vec<Runtime>,
    /// Base images that tell by a variable what they are.
    pub origins: Vec<Origin>,
    /// Where caches and package managers keep their files.
    pub places: Places,
    /// Base images known by their layers.
    pub bases: Vec<KnownBase>,
    /// Policies to choose from, name and text, sorted by name; [`crate::policy`] reads them.
    pub profiles: Vec<(String, String)>,
    /// Frameworks of audits, sorted by id.
    pub frameworks: Vec<Framework>,
    /// Programs that start others, commands that build, marks of roles.
    pub roles: roles::Roles,
    /// Digest over names and contents of all policy files.
    pub digest: Digest,
    /// Private keys that everybody has, by the digest of their public half, with who publishes them.
    pub known_keys: HashMap<Digest, String>,
    /// The forms of secrets, ready for the probes.
    pub secrets: Arc<SecretRules>,
    literals: Vec<(String, FormatSet)>,
}

/// One rule: what it says and what proves it.
#[derive(Debug)]
pub struct Rule {
    /// Id, title, severity, reason, remedy and documents.
    pub about: RuleAbout,
    /// The part of the id before the slash.
    pub family: Family,
    /// Name of the tool.
    pub subject: String,
    /// Ids of the rules whose finding this one's is a part of, where both are found in the same place; the first that
    /// is found counts.
    pub with: Vec<String>,
    /// Names of distribution packages, by manager.
    pub packages: Vec<(Manager, Names)>,
    /// Language packages.
    pub modules: Vec<Module>,
    /// Content of single files.
    pub contents: Vec<Content>,
    /// Shapes of directory trees.
    pub structures: Vec<Structure>,
    /// Loose files.
    pub files: Vec<Files>,
    /// Directories that were left whole.
    pub trees: Vec<Tree>,
    /// Forms of a secret.
    pub secrets: Vec<SecretForm>,
    /// A judgement written in Rust; such a rule has none of the tables above.
    pub code: Option<Judgement>,
    /// Images on which the rule must fire.
    pub hits: Vec<Example>,
    /// Images on which it must stay silent.
    pub misses: Vec<Example>,
    /// Policy file that holds it, relative to the policy directory.
    pub file: String,
}

impl Rule {
    /// What its loose files and directories say is to be written instead where nothing else is found, each with their names.
    pub fn own_remedies(&self) -> Vec<(&Remedy, Vec<&str>)> {
        let files = self.files.iter().map(|files| (&files.remedy, &files.name));
        let trees = self.trees.iter().map(|tree| (&tree.remedy, &tree.name));
        let mut own: Vec<(&Remedy, Vec<&str>)> = Vec::new();
        for (remedy, name) in files.chain(trees).filter_map(|(remedy, name)| Some((remedy.as_ref()?, name.as_str()))) {
            match own.iter_mut().find(|(other, _)| other.id == remedy.id) {
                Some((_, names)) => names.push(name),
                None => own.push((remedy, vec![name])),
            }
        }
        own
    }
}

/// A judgement that data can not express.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The effective user id is 0.
    #[serde(rename = "uid-0")]
    Uid0,
    /// The user is given by name and is not root.
    NamedUser,
    /// The effective group id is 0 though the user id is not.
    #[serde(rename = "group-0")]
    Group0,
    /// The engine can not resolve the user or the group.
    UnknownUser,
    /// The command names a program or a file that is not there or can not be started.
    MissingProgram,
    /// A script's interpreter is not there.
    MissingInterpreter,
    /// A program's dynamic loader is not there.
    MissingLoader,
    /// A program for glibc stands in an image with musl.
    GlibcOnMusl,
    /// A library that a program needs is not there.
    MissingLibrary,
    /// A program is for another machine than the image.
    WrongArchitecture,
    /// A compiled part of a Node package is for another C library.
    ForeignAddon,
    /// A link of a tree that was copied leads nowhere.
    DanglingLink,
    /// A virtual package of apk is still there.
    ApkVirtual,
    /// A virtual package of apk is there and empty.
    ApkVirtualEmpty,
    /// The command watches and serves sources, or builds at the start.
    DevServer,
    /// The command runs tests.
    TestCommand,
    /// A builder stage without a command of its own.
    BuilderStage,
    /// Packages that npm would remove with `npm prune --omit=dev`.
    DevNpm,
    /// Packages that pnpm would remove with `pnpm prune --prod`.
    DevPnpm,
    /// Packages that yarn would not install for production.
    DevYarn,
    /// Packages that bun would not install for production.
    DevBun,
    /// Python distributions that only groups for development lead to.
    DevPython,
    /// Gems that only groups for development lead to.
    DevBundler,
    /// Packages that `composer install --no-dev` would remove.
    DevComposer,
    /// Libraries for tests among the jars of an application.
    DevJvm,
    /// Packages for tests beside a published .NET program.
    DevNuget,
    /// A variable of the image's environment holds a secret.
    ImageEnv,
    /// A label holds a secret.
    ImageLabel,
    /// The history holds a secret: a build argument, or a word of a command.
    ImageHistory,
    /// The command, the entry point or the health check holds a secret.
    ImageCommand,
    /// The image is a stage of its Dockerfile other than the last.
    OtherStage,
    /// Files are copied out of an image that has no digest.
    UnpinnedCopy,
    /// A file of an address is added without a checksum.
    UncheckedAdd,
    /// A build argument is a secret by its name.
    SecretArgument,
    /// A value of the Dockerfile that does not reach the image is a secret.
    SecretValue,
    /// A whole file system is copied into the image.
    WholeFileSystem,
    /// A stage builds something and nothing is taken from it.
    UnusedStage,
    /// A line deletes what another line brought.
    DeletedLater,
    /// A line writes files again that another line brought.
    CopiedAgain,
    /// The whole build context was copied, with more than the program in it.
    WholeContext,
}

/// Patterns for whole names.
#[derive(Debug)]
pub struct Names {
    /// The patterns as they were written.
    pub patterns: Vec<String>,
    /// Those that stand for one name, sorted.
    plain: Vec<String>,
    /// The others. Most rules have none, and to compile one takes as long as to read a small image.
    regex: Option<Regex>,
}

impl Names {
    /// Whether one of the patterns fits the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.plain.binary_search_by(|plain| plain.as_str().cmp(name)).is_ok()
            || self.regex.as_ref().is_some_and(|regex| regex.is_match(name))
    }
}

/// A language package that is proof: its record and at least one of these files.
#[derive(Debug)]
pub struct Module {
    /// `npm` or `pypi`.
    pub manager: Manager,
    /// Its name.
    pub name: Names,
    /// Files of which one must be there and not empty: below the package directory (npm), or the end of a path
    /// that `RECORD` lists (PyPI).
    pub files: Vec<Glob>,
}

/// Content that is proof, under any name.
#[derive(Debug)]
pub struct Content {
    /// What it recognises.
    pub name: String,
    /// Formats it applies to.
    pub formats: FormatSet,
    /// Whether an ELF file must (or must not) be startable.
    pub program: Option<bool>,
    /// Literals that must all occur.
    pub all: Vec<String>,
    /// Literals of which one must occur, if there are any here.
    pub any: Vec<String>,
    /// Literals that must not occur.
    pub none: Vec<String>,
    /// Beginnings of needed libraries of which one must occur, if there are any here.
    pub needed: Vec<String>,
    /// Beginnings of the library's own name of which one must fit, if there are any here.
    pub soname: Vec<String>,
    /// Paths of a Go main package of which one must fit, if there are any here: the beginning of the path when it
    /// ends in a slash, else the whole.
    pub go_path: Vec<String>,
    /// Whether the Go build information must (not) name a main module.
    pub go_module: Option<bool>,
    /// Whether the file counts only where no package of any kind owns it.
    pub unowned: bool,
    /// Where the version is read from.
    pub version: Option<VersionFrom>,
}

/// Where the version of a tool is read from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionFrom {
    /// The Go release that built the program; right for Go's own programs.
    Go,
    /// The version of the program's main Go module.
    Module,
}

/// The shape of a directory tree that is proof.
#[derive(Debug)]
pub struct Structure {
    /// What it recognises.
    pub name: String,
    /// What must be there, all of it; the first member has a format.
    pub members: Vec<Member>,
    /// Whether everything below the root belongs to the finding.
    pub subtree: bool,
}

/// One member of a [`Structure`].
#[derive(Debug)]
pub struct Member {
    /// Where it is, below the root.
    pub path: Glob,
    /// Whether it is a directory; else a regular file.
    pub dir: bool,
    /// What its first bytes must say.
    pub format: Option<Format>,
}

/// A relative path whose last component may hold one `*`.
#[derive(Debug)]
pub struct Glob {
    /// The path as it was written.
    pub path: String,
    dir: String,
    head: String,
    tail: Option<String>,
}

impl Glob {
    fn new(path: &str) -> Self {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (head, tail) = match name.split_once('*') {
            Some((head, tail)) => (head, Some(tail.to_string())),
            None => (name, None),
        };
        Self { path: path.to_string(), dir: dir.to_string(), head: head.to_string(), tail }
    }

    /// The directory part, without a slash at either end; empty for a single name.
    pub fn dir(&self) -> &str {
        &self.dir
    }

    /// The last component when it holds no `*`.
    pub fn plain_name(&self) -> Option<&str> {
        self.tail.is_none().then_some(self.head.as_str())
    }

    /// Whether the last component fits `name`.
    pub fn matches_name(&self, name: &[u8]) -> bool {
        match &self.tail {
            None => name == self.head.as_bytes(),
            Some(tail) => {
                name.len() >= self.head.len() + tail.len()
                    && name.starts_with(self.head.as_bytes())
                    && name.ends_with(tail.as_bytes())
            }
        }
    }

    /// The root below which `path` would be this member: `usr/local/go` for `usr/local/go/bin/go` and `bin/go`.
    pub fn root_of<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        if !self.matches_name(crate::model::path::name(path)) {
            return None;
        }
        let parent = crate::model::path::parent(path);
        if self.dir.is_empty() {
            return Some(parent);
        }
        let above = parent.strip_suffix(self.dir.as_bytes())?;
        if above.is_empty() { Some(above) } else { above.strip_suffix(b"/") }
    }
}

/// Something wrong in a policy file.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Fault {
    /// File, relative to the policy directory.
    pub file: String,
    /// Line, from 1; 0 when it is about no line.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub text: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

impl Catalogue {
    /// The rules of `dir`, or those compiled into the program when there is none, and those of `more` files.
    ///
    /// # Errors
    /// A usage error that names file, line and what was expected when a policy file can not be read or is wrong.
    pub fn load(dir: Option<&Path>, more: &[PathBuf]) -> Result<Self> {
        let more = more.iter().map(|file| Ok((file.display().to_string(), read_file(file)?)));
        let mut more: Vec<_> = more.collect::<Result<_>>()?;
        match dir {
            None => {
                let (rules, profiles) = apart(builtin::files());
                Self::compile(rules, more, profiles)
            }
            Some(dir) => {
                let (rules, profiles) = apart(Self::files_of(dir)?);
                more.extend(rules);
                // Rules of one's own need no profiles of one's own.
                let profiles = if profiles.is_empty() { apart(builtin::files()).1 } else { profiles };
                Self::compile(Vec::new(), more, profiles)
            }
        }
    }

    /// The rules compiled into the program.
    ///
    /// # Errors
    /// Only if a wrong policy file was compiled in, which a test excludes.
    pub fn builtin() -> Result<Self> {
        Self::load(None, &[])
    }

    /// Every `*.toml` file below `dir`.
    fn files_of(dir: &Path) -> Result<Vec<(String, String)>> {
        let mut files = Vec::new();
        read_dir(dir, "", &mut files)?;
        if files.is_empty() {
            return Err(Error::usage(format!("no policy file in \"{}\"", dir.display()))
                .help("name a directory that holds *.toml files, such as policies/ of the source tree"));
        }
        Ok(files)
    }

    /// The rules of files given as name and text, in any order.
    ///
    /// # Errors
    /// As [`Catalogue::load`].
    pub fn from_files(files: Vec<(String, String)>) -> Result<Self> {
        Self::compile(Vec::new(), files, apart(builtin::files()).1)
    }

    fn compile(
        builtin: Vec<(String, String)>,
        given: Vec<(String, String)>,
        profiles: Vec<(String, String)>,
    ) -> Result<Self> {
        let compiled = compile::compile(builtin, given).map(|rules| Self { profiles, ..rules });
        compiled.map_err(|faults| {
            let mut faults = faults.into_iter();
            let first = faults.next().map(|fault| fault.to_string()).unwrap_or_default();
            let rest: Vec<String> = faults.map(|fault| fault.to_string()).collect();
            let error = Error::usage("can not use the policy files").cause(first);
            if rest.is_empty() {
                error.help("policies/README.md explains every key")
            } else {
                error.help(format!("there are {} more faults:\n{}", rest.len(), rest.join("\n")))
            }
        })
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let at = self.rules.binary_search_by(|rule| rule.about.id.as_str().cmp(id)).ok()?;
        self.rules.get(at)
    }

    /// Every literal that some rule asks for, once, sorted, with the formats in which it counts.
    pub fn literals(&self) -> impl Iterator<Item = (&str, FormatSet)> {
        self.literals.iter().map(|(literal, formats)| (literal.as_str(), *formats))
    }

    /// What is looked for in files of certain names, ready for the probes.
    pub fn shapes(&self) -> Shapes {
        let files = self.rules.iter().flat_map(|rule| &rule.files).filter_map(Files::want);
        let trees = self.rules.iter().flat_map(|rule| &rule.trees).flat_map(Tree::wants);
        Shapes::new(files.chain(trees).collect::<Vec<ShapeWant>>())
    }

    /// What the rules say about themselves, sorted by id.
    pub fn about(&self) -> Vec<RuleAbout> {
        self.rules.iter().map(|rule| rule.about.clone()).collect()
    }
}

/// Reads the policy files below a directory; names are relative, with `/`, whatever the machine.
/// Names and texts.
type Texts = Vec<(String, String)>;

/// Files of rules, and profiles by their name.
fn apart(files: Texts) -> (Texts, Texts) {
    let name = |file: &str| Some(file.strip_prefix("profiles/")?.strip_suffix(".toml")?.to_string());
    let (mut rules, mut profiles) = (Vec::new(), Vec::new());
    for (file, text) in files {
        match name(&file) {
            Some(name) => profiles.push((name, text)),
            None => rules.push((file, text)),
        }
    }
    profiles.sort();
    (rules, profiles)
}

fn read_dir(dir: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::usage(format!("can not read the policy directory \"{}\"", dir.display())).cause(error)
    };
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // Not `is_dir`: a link to a directory above would never end.
        if entry.file_type().map_err(failed)?.is_dir() {
            read_dir(&path, &format!("{name}/"), files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push((name, read_file(&path)?));
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<String> {
    let what = || format!("can not read the policy file \"{}\"", path.display());
    let meta = fs::metadata(path).map_err(|error| Error::usage(what()).cause(error))?;
    if meta.len() > FILE_MAX {
        return Err(Error::usage(what()).cause(format!("it has {} bytes, the limit is {FILE_MAX}", meta.len())));
    }
    fs::read_to_string(path).map_err(|error| Error::usage(what()).cause(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_member_is_what_stands_before_it() {
        let go = Glob::new("bin/go");
        assert_eq!(go.root_of(b"usr/local/go/bin/go"), Some(&b"usr/local/go"[..]));
        assert_eq!(go.root_of(b"bin/go"), Some(&b""[..]));
        assert_eq!(go.root_of(b"usr/sbin/go"), None);
        assert_eq!(go.root_of(b"usr/bin/gofmt"), None);
        let jar = Glob::new("lib/maven-core-*.jar");
        assert_eq!(jar.root_of(b"opt/maven/lib/maven-core-3.9.6.jar"), Some(&b"opt/maven"[..]));
        assert!(!Glob::new("ab*bc").matches_name(b"abc"), "head and tail must not overlap");
        assert_eq!(Glob::new("VERSION").root_of(b"x/VERSION"), Some(&b"x"[..]));
    }
}
