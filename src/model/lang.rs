//! What the records of language package managers say: Python projects and locks, gems, Composer, jars, NuGet, conda.
//!
//! Each value is what one file says. Names of Python distributions are normalised as PEP 503 says.

use serde::{Deserialize, Serialize};

use super::ImagePath;

/// What one record of a language's package manager says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    /// `entry_points.txt` of a Python distribution: its console scripts.
    EntryPoints(Vec<EntryPoint>),
    /// A lock file, project file or list of requirements of a Python project.
    PythonProject(PythonProject),
    /// `specifications/NAME-VERSION.gemspec`.
    Gem(Gem),
    /// A `Gemfile`.
    Gemfile(Gemfile),
    /// A `Gemfile.lock`.
    GemLock(GemLock),
    /// `vendor/composer/installed.json`.
    ComposerInstalled(ComposerInstalled),
    /// `composer.lock`: names of `packages-dev`.
    ComposerLock(Vec<String>),
    /// The member names of a jar or war that matter.
    Jar(Jar),
    /// `*.deps.json` of a .NET program.
    DotnetDeps(Vec<NugetPackage>),
    /// `*.runtimeconfig.json` of a .NET program: the shared frameworks that it asks for.
    DotnetRuntime(Vec<DotnetFramework>),
    /// `conda-meta/*.json`.
    Conda(CondaPackage),
}

/// A command that a Python distribution installs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct EntryPoint {
    /// Name of the command.
    pub name: String,
    /// The module it imports.
    pub module: String,
    /// What it calls in the module, or empty.
    pub object: String,
}

/// One requirement of a Python distribution: PEP 508 without the version.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Requirement {
    /// Normalised name.
    pub name: String,
    /// Extras asked for, normalised.
    pub extras: Vec<String>,
    /// The environment marker as written, or empty.
    pub marker: String,
}

/// The tool that wrote a file about a Python project, or the kind of file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PythonTool {
    /// `uv.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `pdm.lock`.
    Pdm,
    /// `pylock.toml`, `pylock.NAME.toml` (PEP 751).
    Pylock,
    /// `Pipfile.lock`.
    Pipenv,
    /// `pyproject.toml`.
    Pyproject,
    /// `requirements*.txt`.
    Requirements,
}

/// What one file says about the dependencies of a Python project.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PythonProject {
    /// What file it is.
    pub tool: PythonTool,
    /// What the project asks for, by group; the group of production is empty. An extra `x` of the project is `[x]`.
    pub roots: Vec<(String, Requirement)>,
    /// Names of other lists of requirements that this one includes.
    pub includes: Vec<String>,
    /// What a lock lists.
    pub packages: Vec<LockedDist>,
}

/// One package of a Python lock file.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LockedDist {
    /// Normalised name.
    pub name: String,
    /// Version, or empty where the lock gives none.
    pub version: String,
    /// Groups it belongs to, each with the marker that must hold, where the lock tells; production is empty.
    pub groups: Vec<(String, String)>,
    /// What it needs. A requirement of its extra `x` has the marker `extra == 'x'`.
    pub requires: Vec<Requirement>,
}

/// An installed gem.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Gem {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// `ruby`, or the platform its binary parts are for.
    pub platform: String,
    /// Gems it needs at run time.
    pub depends: Vec<String>,
}

/// The literal part of a `Gemfile`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Gemfile {
    /// Gems with the groups they are in; a gem outside of every group has none.
    pub gems: Vec<(String, Vec<String>)>,
    /// Whether a `gemspec` line brings in the development dependencies of a gem.
    pub gemspec: bool,
}

/// A `Gemfile.lock`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct GemLock {
    /// Resolved gems: name, version without the platform, and names it needs.
    pub gems: Vec<(String, String, Vec<String>)>,
    /// Names of `DEPENDENCIES`.
    pub roots: Vec<String>,
    /// Names of gems that are the project's own (`PATH`).
    pub own: Vec<String>,
}

/// What Composer installed into a vendor directory.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ComposerInstalled {
    /// The packages.
    pub packages: Vec<ComposerPackage>,
    /// Names that `composer install --no-dev` would leave out; `None` before Composer 2, which has no such list.
    pub dev: Option<Vec<String>>,
}

/// A package of Composer.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ComposerPackage {
    /// `vendor/name`.
    pub name: String,
    /// Version.
    pub version: String,
    /// Where it lies; `None` for a package without files.
    pub dir: Option<ImagePath>,
    /// Packages it needs.
    pub depends: Vec<String>,
    /// Its programs, relative to `dir`.
    pub bin: Vec<String>,
}

/// What matters of the members of a jar, war or ear.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Jar {
    /// Jars inside of it with their stored size in bytes.
    pub nested: Vec<(String, u64)>,
    /// Libraries that production does not need and that the archive is, each by the path of a class.
    pub marks: Vec<String>,
    /// The same of archives inside of it that are not compressed.
    pub inner: Vec<String>,
}

/// A package that a .NET program was published with.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct NugetPackage {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Packages it needs.
    pub depends: Vec<String>,
    /// File names of its libraries, which lie beside the `*.deps.json`.
    pub files: Vec<String>,
}

/// A shared framework that a .NET program runs on.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct DotnetFramework {
    /// Name, such as `Microsoft.AspNetCore.App`.
    pub name: String,
    /// The lowest version that serves.
    pub version: String,
}

/// A package of conda.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct CondaPackage {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Packages it needs, versions dropped.
    pub depends: Vec<String>,
    /// Its files as cleaned paths in the image.
    pub files: Vec<ImagePath>,
}
