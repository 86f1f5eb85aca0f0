//! The policy files as they are written: one structure for each TOML table, nothing checked beyond its form.
//!
//! `policies/README.md` explains every key to the people who write them; [`super::compile`] checks what they mean.

use serde::{Deserialize, de::IntoDeserializer};
use toml::Spanned;

use crate::model::{Format, Kind, Severity};

/// One file of `policies/`: rules and remedies in any mix.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// `[[rule]]`.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// `[[remedy]]`.
    #[serde(default)]
    pub remedy: Vec<Remedy>,
    /// `[[place]]`.
    #[serde(default)]
    pub place: Vec<Place>,
    /// `[[base]]`.
    #[serde(default)]
    pub base: Vec<Base>,
    /// `[[framework]]`.
    #[serde(default)]
    pub framework: Vec<super::framework::Raw>,
    /// `[[weakness]]`.
    #[serde(default)]
    pub weakness: Vec<super::weakness::Raw>,
    /// `[[program]]`.
    #[serde(default)]
    pub program: Vec<super::roles::Program>,
    /// `[[work]]`.
    #[serde(default)]
    pub work: Vec<super::roles::Work>,
    /// `[[known]]`.
    #[serde(default)]
    pub known: Vec<Known>,
    /// `[[runtime]]`.
    #[serde(default)]
    pub runtime: Vec<Runtime>,
    /// `[[origin]]`.
    #[serde(default)]
    pub origin: Vec<Origin>,
    /// `[[marker]]`.
    #[serde(default)]
    pub marker: Vec<super::roles::Marker>,
}

/// `[[place]]`: directories and files that no package owns and that are no application.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What they are.
    pub kind: super::PlaceKind,
    /// Relative paths; `*` stands for one component, `**/NAME` for a directory anywhere.
    pub paths: Vec<String>,
}

/// `[[base]]`: a base image and the digests of its layers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// Where the digests are listed.
    pub source: String,
    /// Digests of the uncompressed layers, lowest first; a list for each platform.
    #[serde(default)]
    pub diff_ids: Vec<Vec<String>>,
    /// Digests of the layers as the registry stores them, lowest first; a list for each platform.
    #[serde(default)]
    pub blobs: Vec<Vec<String>>,
}

/// What a base runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runs {
    /// A program that was compiled.
    Program,
    /// JavaScript.
    Node,
    /// Python.
    Python,
    /// Java.
    Java,
    /// .NET.
    Dotnet,
    /// PHP.
    Php,
    /// Ruby.
    Ruby,
    /// Perl.
    Perl,
    /// A program that came with the distribution or the base image: a web server, a database.
    Server,
}

impl Runs {
    /// As people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Program => "a compiled program",
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Java => "Java",
            Self::Dotnet => ".NET",
            Self::Php => "PHP",
            Self::Ruby => "Ruby",
            Self::Perl => "Perl",
            Self::Server => "a server",
        }
    }
}

/// `[[runtime]]`: what base images for building are replaced with at run time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Repositories, without a registry.
    pub from: Vec<String>,
    /// What they run.
    pub runs: Runs,
    /// The image on Debian or Ubuntu; `{tag}`, its `{number}` and its `{suite}` (`-bookworm`), `{release}` and `{java}`
    /// stand for what the base has, `{dotnet}` and `{framework}` for what the program asks for.
    #[serde(default)]
    pub debian: Option<String>,
    /// The image on Alpine.
    #[serde(default)]
    pub alpine: Option<String>,
    /// The image for programs that need no C library.
    #[serde(default, rename = "static")]
    pub for_static: Option<String>,
    /// Entry points of the repositories that prepare the builder alone and then start what they are told: paths in the image.
    #[serde(default)]
    pub prepares: Vec<String>,
}

/// `[[origin]]`: a base image that tells by a variable of its environment what it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The variable that holds the version.
    pub env: String,
    /// The image with compilers; `{version}`, `{major}` and `{release}` stand for what it has.
    pub image: String,
    /// The one without.
    #[serde(default)]
    pub slim: Option<String>,
    /// The one on Alpine.
    #[serde(default)]
    pub alpine: Option<String>,
}

/// `[[known]]`: private keys that everybody has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Who publishes them.
    pub name: String,
    /// SHA-256 of each public half (SubjectPublicKeyInfo, DER), in hexadecimal digits.
    pub keys: Vec<String>,
}

/// `[[remedy]]`: what to write instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Name that rules use.
    pub id: Spanned<String>,
    /// Imperative title.
    pub title: String,
    /// The change in plain words.
    pub text: String,
    /// A short multi-stage excerpt.
    pub dockerfile: String,
}

/// `[[rule]]`: what is looked for, what it means, and the proof that the rule works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `family/name`.
    pub id: Spanned<String>,
    /// What a finding says, a sentence without a full stop.
    pub title: String,
    /// Name of the tool.
    pub subject: String,
    /// Default severity.
    pub severity: Severity,
    /// What it is and what it costs the owner.
    pub why: String,
    /// Id of a remedy.
    pub remedy: String,
    /// Documents, `https` only.
    pub refs: Vec<String>,
    /// Rules whose finding this one's is a part of, where both are found in the same place.
    #[serde(default)]
    pub with: Vec<String>,
    /// A judgement written in Rust instead of the tables below.
    #[serde(default)]
    pub code: Option<super::Judgement>,
    /// `[rule.packages]`.
    #[serde(default)]
    pub packages: Packages,
    /// `[[rule.module]]`.
    #[serde(default)]
    pub module: Vec<Module>,
    /// `[[rule.content]]`.
    #[serde(default)]
    pub content: Vec<Content>,
    /// `[[rule.structure]]`.
    #[serde(default)]
    pub structure: Vec<Structure>,
    /// `[[rule.files]]`.
    #[serde(default)]
    pub files: Vec<super::leftover::RawFiles>,
    /// `[[rule.tree]]`.
    #[serde(default)]
    pub tree: Vec<super::leftover::RawTree>,
    /// `[[rule.secret]]`.
    #[serde(default)]
    pub secret: Vec<super::secret::RawSecret>,
    /// `[[rule.hit]]`: images on which the rule must fire.
    #[serde(default)]
    pub hit: Vec<Example>,
    /// `[[rule.miss]]`: images on which it must stay silent.
    #[serde(default)]
    pub miss: Vec<Example>,
}

/// `[rule.packages]`: patterns for whole package names, by package manager.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// dpkg.
    #[serde(default)]
    pub deb: Vec<String>,
    /// apk.
    #[serde(default)]
    pub apk: Vec<String>,
    /// rpm.
    #[serde(default)]
    pub rpm: Vec<String>,
}

/// Package manager of a language.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModuleManager {
    /// `package.json`.
    Npm,
    /// `*.dist-info`.
    Pypi,
    /// `specifications/*.gemspec`.
    Gem,
    /// `vendor/composer/installed.json`.
    Composer,
    /// `*.deps.json`.
    Nuget,
    /// `conda-meta/*.json`.
    Conda,
}

/// `[[rule.module]]`: a language package of this name that holds one of these files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Which package manager.
    pub manager: ModuleManager,
    /// Pattern for the whole package name.
    pub name: String,
    /// Files of which one must be there and not empty.
    pub files: Vec<String>,
}

/// `[[rule.content]]`: the bytes of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// What it recognises, for the evidence line.
    pub name: String,
    /// Formats it applies to.
    #[serde(deserialize_with = "one_or_many")]
    pub format: Vec<ContentFormat>,
    /// Whether the ELF file must (or must not) be startable.
    #[serde(default)]
    pub program: Option<bool>,
    /// Literals that must all occur.
    #[serde(default)]
    pub all: Vec<String>,
    /// Literals of which one must occur.
    #[serde(default)]
    pub any: Vec<String>,
    /// Literals that must not occur.
    #[serde(default)]
    pub none: Vec<String>,
    /// Beginnings of needed libraries of which one must occur.
    #[serde(default)]
    pub needed: Vec<String>,
    /// Beginnings of the library's own name of which one must fit.
    #[serde(default)]
    pub soname: Vec<String>,
    /// Paths of a Go main package: the beginning when it ends in a slash, else the whole path.
    #[serde(default)]
    pub go_path: Vec<String>,
    /// Whether the Go build information must (not) name a main module.
    #[serde(default)]
    pub go_module: Option<bool>,
    /// Whether the file counts only where no package of any kind owns it.
    #[serde(default)]
    pub unowned: bool,
    /// Where the version is read from.
    #[serde(default)]
    pub version: Option<super::VersionFrom>,
}

/// Formats whose bytes are searched.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentFormat {
    /// An ELF object.
    Elf,
    /// A zip archive or a jar.
    Zip,
    /// A Java module file.
    Jmod,
    /// A Java run-time image.
    Jimage,
    /// A script that starts with `#!`.
    Script,
    /// JavaScript by its name.
    Js,
    /// Any other text.
    Text,
}

impl From<ContentFormat> for Format {
    fn from(format: ContentFormat) -> Self {
        match format {
            ContentFormat::Elf => Self::Elf,
            ContentFormat::Zip => Self::Zip,
            ContentFormat::Jmod => Self::Jmod,
            ContentFormat::Jimage => Self::Jimage,
            ContentFormat::Script => Self::Script,
            ContentFormat::Js => Self::Js,
            ContentFormat::Text => Self::Text,
        }
    }
}

/// `[[rule.structure]]`: the shape of a directory tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structure {
    /// What it recognises, for the evidence line.
    pub name: String,
    /// What must be there, all of it.
    pub members: Vec<Member>,
    /// Whether everything below the root belongs to the finding.
    #[serde(default)]
    pub subtree: bool,
}

/// One member of a tree.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Path below the root; the last component may hold one `*`.
    pub path: String,
    /// Kind of file.
    #[serde(default)]
    pub kind: MemberKind,
    /// What its first bytes must say.
    #[serde(default)]
    pub format: Option<Format>,
}

/// Kind of a member.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberKind {
    /// A regular file.
    #[default]
    File,
    /// A directory.
    Dir,
}

/// `[[rule.hit]]` and `[[rule.miss]]`: a small image.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What the example shows; a miss must say why it is none.
    #[serde(default)]
    pub why: String,
    /// Files.
    #[serde(default)]
    pub files: Vec<ExampleFile>,
    /// Packages of a distribution.
    #[serde(default)]
    pub packages: Vec<ExamplePackage>,
    /// npm packages.
    #[serde(default)]
    pub npm: Vec<ExampleModule>,
    /// Python distributions.
    #[serde(default)]
    pub pypi: Vec<ExampleModule>,
    /// The command that the image starts: `ENTRYPOINT` and `CMD` together.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// `WORKDIR` of the configuration.
    #[serde(default)]
    pub workdir: String,
    /// Architecture that the configuration names, in Go's spelling.
    #[serde(default)]
    pub arch: Option<String>,
    /// What the last entry of the history says.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Variables of `ENV`, each `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// Labels, each `name=value`.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The command of `HEALTHCHECK`.
    #[serde(default)]
    pub healthcheck: Vec<String>,
    /// `USER` of the configuration.
    #[serde(default)]
    pub user: Option<String>,
    /// Lines of `/etc/passwd`, as `name:x:uid:gid`.
    #[serde(default)]
    pub passwd: Vec<String>,
    /// Lines of `/etc/group`, as `name:x:gid`.
    #[serde(default)]
    pub group: Vec<String>,
    /// The Dockerfile that the image is built from; its steps are the history.
    #[serde(default)]
    pub dockerfile: Option<String>,
    /// The stage of the Dockerfile that the image is; the last one where it is left out.
    #[serde(default)]
    pub target: Option<String>,
    /// Whether the user named the stage.
    #[serde(default)]
    pub target_given: bool,
}

/// A file of an example.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleFile {
    /// Where it is.
    pub path: String,
    /// Its kind; a file unless said otherwise.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// Target, for a link.
    #[serde(default)]
    pub link: Option<String>,
    /// What its first bytes say; follows from `elf` and `contains` where it is left out.
    #[serde(default)]
    pub format: Option<Format>,
    /// Size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// What its ELF headers say.
    #[serde(default)]
    pub elf: Option<ExampleElf>,
    /// Texts that occur in it.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Permission bits; 0o755 where it is left out.
    #[serde(default)]
    pub mode: Option<u16>,
    /// Its whole content, which the probes read as they read that of a real file.
    #[serde(default)]
    pub body: Option<String>,
    /// Line of the Dockerfile whose layer has it; the base image has it where that is left out.
    #[serde(default)]
    pub line: Option<u32>,
    /// Line of the Dockerfile whose step deletes it.
    #[serde(default)]
    pub deleted: Option<u32>,
    /// Instead of `body`: a binary file that is made when the example is tried, of a rule about secrets.
    #[serde(default)]
    pub make: Option<String>,
}

/// The ELF headers of an example's file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleElf {
    /// Whether it can be started.
    #[serde(default)]
    pub program: bool,
    /// Needed libraries.
    #[serde(default)]
    pub needed: Vec<String>,
    /// The library's own name.
    #[serde(default)]
    pub soname: Option<String>,
    /// The loader that it asks for.
    #[serde(default)]
    pub interpreter: Option<String>,
    /// Number of the machine that it is for.
    #[serde(default)]
    pub machine: u16,
    /// Path of the Go main package.
    #[serde(default)]
    pub go_path: Option<String>,
    /// Version of the Go that built it.
    #[serde(default)]
    pub go_version: Option<String>,
    /// Main module of a Go program.
    #[serde(default)]
    pub go_module: Option<String>,
}

/// A package of an example's distribution. Exactly one of `deb`, `apk` and `rpm` is its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExamplePackage {
    /// Name, in dpkg's database.
    #[serde(default)]
    pub deb: Option<String>,
    /// Name, in apk's database.
    #[serde(default)]
    pub apk: Option<String>,
    /// Name, in rpm's database.
    #[serde(default)]
    pub rpm: Option<String>,
    /// Version.
    #[serde(default)]
    pub version: String,
    /// Files it owns that are in the image.
    #[serde(default)]
    pub files: Vec<String>,
    /// Files it owns that are not in the image.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Names of packages it needs.
    #[serde(default)]
    pub depends: Vec<String>,
}

/// A language package of an example.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleModule {
    /// Package directory (npm) or site directory (Python).
    pub path: String,
    /// Name.
    pub name: String,
    /// Version.
    #[serde(default)]
    pub version: String,
    /// Files it holds, relative to `path`.
    #[serde(default)]
    pub files: Vec<String>,
}

/// Reads `format = "js"` and `format = ["js", "script"]` alike.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<ContentFormat>, D::Error> {
    struct Visitor;

    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<ContentFormat>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a format or a list of formats")
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
            ContentFormat::deserialize(word.into_deserializer()).map(|format| vec![format])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(format) = from.next_element()? {
                all.push(format);
            }
            Ok(all)
        }
    }

    from.deserialize_any(Visitor)
}
