//! Findings and the report that carries them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    AllowedBy, Coverage, Digest, Fix, Framework, ImageInfo, ImagePath, Manager, Patch, PolicyUsed, Rated, Since,
    Standing, Weakness,
};

/// How bad a finding is. Ordered: `Note` is the least.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never fails a gate by default.
    Note,
    /// Untidy.
    Low,
    /// Should be mended.
    Medium,
    /// Must be mended before the image ships.
    High,
    /// Stop everything.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Note];

    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.word() == word)
            .ok_or_else(|| format!("'{word}' is no severity; use critical, high, medium, low or note"))
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One signal that could have another reason.
    Medium,
    /// Two independent signals, or a package row whose files were not looked at.
    High,
    /// A package row with its files present, or content that only the tool has.
    Certain,
}

impl Confidence {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }
}

/// The fixed vocabulary of finding families; the part of a rule id before the slash.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Compilers, linkers, build systems, bundlers, version control clients.
    BuildTool,
    /// Packages that only development needs.
    DevDependency,
    /// Source of languages never needed at run time.
    Source,
    /// Version-control data.
    Vcs,
    /// Headers, static and debug libraries, objects, wheels, tests, source maps.
    Leftover,
    /// Package-manager lists and caches, build caches.
    Cache,
    /// The user the image runs as.
    RootUser,
    /// Set-uid and set-gid programs.
    Setuid,
    /// Secrets.
    Secret,
    /// A builder, test or development stage was shipped.
    WrongStage,
    /// The image can not start.
    BrokenRuntime,
    /// Other settings of the configuration.
    Config,
    /// What the Dockerfile shows and the image alone does not.
    Dockerfile,
}

impl Family {
    /// Every family, with the word used in rule ids.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::BuildTool, "build-tool"),
        (Self::DevDependency, "dev-dependency"),
        (Self::Source, "source"),
        (Self::Vcs, "vcs"),
        (Self::Leftover, "leftover"),
        (Self::Cache, "cache"),
        (Self::RootUser, "root-user"),
        (Self::Setuid, "setuid"),
        (Self::Secret, "secret"),
        (Self::WrongStage, "wrong-stage"),
        (Self::BrokenRuntime, "broken-runtime"),
        (Self::Config, "config"),
        (Self::Dockerfile, "dockerfile"),
    ];

    /// The word used in rule ids and reports.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(f, _)| *f == self).map_or("config", |(_, word)| word)
    }

    /// The family of a rule id `family/name`.
    pub fn of(rule: &str) -> Option<Self> {
        let (family, name) = rule.split_once('/')?;
        Self::ALL.iter().find(|(_, word)| *word == family && !name.is_empty()).map(|(f, _)| *f)
    }
}

/// The class of a piece of evidence, strongest first in the order of declaration.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceClass {
    /// A row of a package database whose files exist.
    Package,
    /// A record of a language package: `package.json`, `METADATA`.
    Record,
    /// The file's own content.
    Content,
    /// The shape of a directory tree.
    Structure,
    /// The image's configuration or history.
    Config,
    /// Another finding that is part of this one.
    Part,
}

impl EvidenceClass {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Record => "record",
            Self::Content => "content",
            Self::Structure => "structure",
            Self::Config => "config",
            Self::Part => "part",
        }
    }
}

/// One piece of evidence with its exact witness.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Evidence {
    /// Which class of evidence.
    pub class: EvidenceClass,
    /// The exact witness in one line, such as `dpkg gcc-12 12.2.0-14` or `GNU assembler: "GNU assembler version %s (%s)"`.
    pub witness: String,
    /// The file it was seen in.
    pub path: Option<ImagePath>,
}

/// Whether what was found can still be reached in the running container.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Part of the merged file system.
    Live,
    /// Hidden by an upper layer; its bytes still ship.
    Buried,
}

impl State {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Buried => "buried",
        }
    }
}

/// Files of a finding that share a root directory.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PathGroup {
    /// The directory.
    pub root: ImagePath,
    /// Bytes of the files, hard links counted once.
    pub bytes: u64,
    /// The files, sorted. Complete.
    pub files: Vec<ImagePath>,
}

/// A package that belongs to a finding.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct PackageRef {
    /// Package manager.
    pub manager: Manager,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A layer of the image, as a finding points to it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LayerRef {
    /// Position, the lowest layer is 1.
    pub number: u32,
    /// Digest of the uncompressed layer.
    pub diff_id: Option<Digest>,
    /// The history entry that made it, or `None` when the history does not say.
    pub created_by: Option<String>,
}

/// What to write instead.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Remedy {
    /// Id of the remedy in the catalogue.
    pub id: String,
    /// Short imperative title.
    pub title: String,
    /// The multi-stage change in plain words.
    pub text: String,
    /// A short Dockerfile excerpt: an example, or the last stage that mends this very image.
    pub dockerfile: String,
    /// Whether the excerpt is made for this image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// One thing that should not be in the image.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Rule id, `family/name`.
    pub rule: String,
    /// Family.
    pub family: Family,
    /// What was found, as a sentence without a full stop.
    pub title: String,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// What was found, by name: `GCC`, `typescript`.
    pub subject: String,
    /// Its version, where known; several are joined with `, `, each behind its tool's name where the subject is a family
    /// of tools (`cython 3.3.1, maturin 1.16.0`).
    pub version: Option<String>,
    /// Live or buried.
    pub state: State,
    /// Why it matters here, in one or two sentences.
    pub why: String,
    /// The evidence, strongest first.
    pub evidence: Vec<Evidence>,
    /// The files, by root directory.
    pub paths: Vec<PathGroup>,
    /// The packages.
    pub packages: Vec<PackageRef>,
    /// Bytes of all files of the finding, hard links counted once.
    pub bytes: u64,
    /// Bytes of older copies of the same files that lower layers still ship (for a live finding).
    pub buried_bytes: u64,
    /// The layer that brought most of it; `None` for findings about the configuration.
    pub layer: Option<LayerRef>,
    /// The layer that hid it, for a buried finding.
    pub hidden_by: Option<LayerRef>,
    /// Who owns the files: the word of a [`Manager`], or `none`.
    pub owner: String,
    /// Whether it came with the base image.
    pub origin: Origin,
    /// Whether the image's command needs it.
    pub need: Need,
    /// What else would go with it.
    pub removal: Removal,
    /// Fingerprint of the finding that holds all of its files; its bytes are part of that finding's bytes.
    pub part_of: Option<String>,
    /// Where the secret stands, each place once; empty for findings of other families.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretPlace>,
    /// The line of the Dockerfile that brought it, where that is sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<DockerfileLine>,
    /// The change of that line that mends it, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Patch>,
    /// Why the user lets it pass; then it fails no gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Whose decision that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_by: Option<AllowedBy>,
    /// The severity that the rules gave it, where the policy gave it another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rated: Option<Rated>,
    /// What it is beside the baseline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Digest of what this report says of its content, which exceptions can be bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_digest: Option<Digest>,
    /// What to do.
    pub remedy: Remedy,
    /// Documents that back the rule.
    pub refs: Vec<String>,
    /// Stable when the image is rebuilt: hash of rule, subject, root and state; no version, tag or digest.
    pub fingerprint: String,
}

impl Finding {
    /// What was found with its version: `GCC 12.2.0`.
    pub fn named(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.subject),
            None => self.subject.clone(),
        }
    }

    /// The file that stands for it: where the strongest evidence was seen, else the first of its files.
    pub fn first_path(&self) -> Option<&ImagePath> {
        let witness = self.evidence.iter().find_map(|piece| piece.path.as_ref());
        witness.or_else(|| self.paths.first().map(|group| group.files.first().unwrap_or(&group.root)))
    }

    /// Whether it is at least this bad, and nobody lets it pass.
    pub fn reaches(&self, severity: Severity) -> bool {
        self.severity >= severity && self.allowed.is_none()
    }
}

/// An instruction of the Dockerfile that the image is built from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DockerfileLine {
    /// Its path below the root of its repository, or of the sources that the user names; else as the user named it.
    pub file: String,
    /// Its first line, from 1.
    pub first: u32,
    /// Its last line.
    pub last: u32,
    /// The start of it, without the values of variables; `FROM` for what came with the base image.
    pub instruction: String,
}

/// One place where a secret stands. The value is nowhere.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SecretPlace {
    /// The file; `None` in the configuration.
    pub path: Option<ImagePath>,
    /// The member of an archive, the object of a repository, or the part of the configuration.
    pub member: Option<String>,
    /// Line in the file or member, from 1.
    pub line: Option<u32>,
    /// Name of the variable, key or field; empty where it has none.
    pub key: String,
    /// Length of the value in bytes.
    pub length: u32,
    /// First characters that its format makes public.
    pub shown: String,
    /// How sure it is that it is a secret.
    pub standing: Standing,
    /// The layer that ships it, the lowest is 1; 0 for the configuration.
    pub layer: u32,
    /// The layer that hides it, where one does.
    pub hidden_by: Option<u32>,
}

/// Whether something came with the base image (`FROM`) or was added on top of it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Added by the image's own Dockerfile.
    Own,
    /// Came with the base image: the remedy is another base, or another stage.
    Base,
    /// The image does not tell.
    #[default]
    Unknown,
}

impl Origin {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Base => "base",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether the command that the image starts can get at something.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// A chain of references leads from the command to it.
    Reachable,
    /// Everything the command can start or load was followed, and it was not met.
    Unreachable,
    /// Something on the way can not be followed without running it.
    #[default]
    Unknown,
}

impl Reach {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
        }
    }
}

/// Run-time need of a finding, by static analysis.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Need {
    /// The answer.
    pub reach: Reach,
    /// The chain that leads to it, or what could not be followed; in one line.
    pub witness: Option<String>,
}

/// What removing the finding's packages would take along.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    /// Installed packages that depend on those of the finding and would go, too; sorted.
    pub also: Vec<String>,
    /// Why the packages must not simply be removed, such as the interpreter that would go with them.
    pub caution: Option<String>,
}

/// What an image is for, which decides how hard it is judged.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Runs a program for others: the default, and the only one judged at full severity.
    #[default]
    Service,
    /// Meant to be built upon: its command is a shell or the prompt of an interpreter.
    Base,
    /// Its command is itself a build tool.
    Tool,
    /// Runs builds for others.
    Ci,
    /// A place to develop in.
    Devcontainer,
    /// Interactive computing.
    Notebook,
}

impl RoleName {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Base => "base",
            Self::Tool => "tool",
            Self::Ci => "ci",
            Self::Devcontainer => "devcontainer",
            Self::Notebook => "notebook",
        }
    }
}

/// The role an image was judged by.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// The role.
    pub name: RoleName,
    /// What of the image told it, in one sentence without a full stop.
    pub how: String,
}

/// Which of the lowest layers came with the base image.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct BaseLayers {
    /// How many; `None` when nothing tells.
    pub layers: Option<u32>,
    /// How sure that is; `None` with `layers`.
    pub confidence: Option<Confidence>,
    /// Name of the base image, where labels or a table give it.
    pub name: Option<String>,
    /// What told it, in one sentence without a full stop.
    pub how: String,
}

/// Something that was not read or not judged; the report says so.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The layer, lowest is 1.
    pub layer: Option<u32>,
    /// The file.
    pub path: Option<ImagePath>,
    /// What happened, in one sentence.
    pub text: String,
    /// Whether something was left unread: such an image is never called clean.
    pub unread: bool,
}

/// One layer in the report's summary.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Position, digest and history.
    #[serde(flatten)]
    pub layer: LayerRef,
    /// Digest of the stored blob.
    pub blob: Option<Digest>,
    /// Stored bytes.
    pub blob_bytes: u64,
    /// Uncompressed bytes of the tar stream.
    pub tar_bytes: u64,
    /// Entries.
    pub entries: u64,
}

/// Totals over the merged image.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Live regular files.
    pub files: u64,
    /// Their bytes, hard links counted once.
    pub bytes: u64,
    /// Files that lower layers brought and upper layers hid.
    pub buried_files: u64,
    /// Their bytes.
    pub buried_bytes: u64,
    /// Packages known to package databases and language package managers.
    pub packages: u64,
}

/// The whole result of one scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The image.
    pub image: ImageInfo,
    /// Its layers as read.
    pub layers: Vec<LayerSummary>,
    /// Totals.
    pub totals: Totals,
    /// Who the image runs as.
    pub user: Option<EffectiveUser>,
    /// What the image is for.
    pub role: Role,
    /// Which layers came with the base image.
    pub base: BaseLayers,
    /// The findings, worst first, then by rule and root.
    pub findings: Vec<Finding>,
    /// What came of rewriting the Dockerfile, where something at medium or above should go with a builder stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
    /// How much was searched for secrets; `None` when none were looked for.
    pub searched: Option<Coverage>,
    /// What was not read or is odd.
    pub diagnostics: Vec<Diagnostic>,
    /// What the rules say about themselves, for reporters: only the rules that can fire.
    pub rules: Vec<RuleAbout>,
    /// The policy that it was judged by; `None` before it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyUsed>,
    /// Name of the Dockerfile that it was judged with, where there is one; no part of JSON.
    #[serde(skip)]
    pub dockerfile: Option<String>,
    /// The frameworks that the rules are mapped to, for reporters; no part of JSON.
    #[serde(skip)]
    pub frameworks: Vec<Framework>,
    /// Version of offcut and digest of the catalogue.
    pub tool: ToolInfo,
}

/// A rule's description, as reporters need it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RuleAbout {
    /// `family/name`.
    pub id: String,
    /// Title.
    pub title: String,
    /// Default severity.
    pub severity: Severity,
    /// What a finding means and costs.
    pub why: String,
    /// The remedy.
    pub remedy: Remedy,
    /// Documents.
    pub refs: Vec<String>,
    /// Entries of the CWE list that its findings are instances of, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaknesses: Vec<Weakness>,
}

/// Which program and which rules made a report.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ToolInfo {
    /// Version of offcut.
    pub version: String,
    /// Digest over the catalogue's data.
    pub catalogue: Option<Digest>,
}

/// The user that a container of the image runs as, resolved as the engine does it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct EffectiveUser {
    /// `USER`, verbatim.
    pub declared: String,
    /// User id; `None` when the engine would refuse to start it.
    pub uid: Option<u32>,
    /// Group id.
    pub gid: Option<u32>,
    /// Name in `/etc/passwd`, if any.
    pub name: Option<String>,
    /// How it was resolved, in one sentence.
    pub how: String,
}
