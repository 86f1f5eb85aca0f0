//! What the probes say about a secret: everything but the secret.
//!
//! A value stays in the probe that saw it (`probe/secret`). What leaves it is the rule, the place, the name it was
//! given, its length, and as many of its first characters as the format makes public.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, ImagePath};

/// How sure it is that a value is a secret. Ordered: `Named` is the least.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Its name says so, and the value does not speak against it.
    #[default]
    Named,
    /// It fits a pattern that hardly anything else fits, and is random enough.
    Pattern,
    /// It has the structure of its format: parsed, decoded.
    Structured,
    /// A checksum or a relation inside of it holds.
    Validated,
}

impl Standing {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Pattern => "pattern",
            Self::Structured => "structured",
            Self::Validated => "validated",
        }
    }
}

/// Why a secret is no alarm though it is one by its form.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harmless {
    /// A passphrase protects it.
    Protected,
    /// It is printed in public documentation, or shipped by its vendor for everyone.
    Public,
    /// It opens nothing but a test environment.
    TestMode,
    /// A default that everybody knows, for a server on the same machine.
    LocalDefault,
}

/// One secret in one file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SeenSecret {
    /// Rule id.
    pub rule: String,
    /// Which form of the rule, such as `classic`; empty where there is one only.
    pub form: String,
    /// Where it is inside of the file, when that is an archive, a repository or the like: the member's name.
    pub member: Option<String>,
    /// Line, from 1; `None` in what has no lines.
    pub line: Option<u32>,
    /// Offset of the value in the file, or in the member, in bytes.
    pub offset: u64,
    /// Name of the variable, key or field that holds it; empty when it has none.
    pub key: String,
    /// Length of the value in bytes.
    pub length: u32,
    /// First characters that its format makes public, such as `ghp_`.
    pub shown: String,
    /// How sure it is.
    pub standing: Standing,
    /// Whether its name alone made it worth a look.
    pub guess: bool,
    /// Why it is no alarm.
    pub harmless: Option<Harmless>,
    /// What else is known and safe to say, in a few words: `RSA, 2048 bits`, `account 123456789012`.
    pub remark: String,
    /// Until when it is valid, in seconds since 1970; of tokens that say so.
    pub expires: Option<i64>,
    /// SHA-256 of the public half (SubjectPublicKeyInfo) of a private key, which is no secret.
    pub public_key: Option<Digest>,
    /// Equal for equal values within one run of the program, different in the next: keyed by chance, and never written.
    #[serde(skip)]
    pub echo: u64,
}

/// The secrets of one file.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct FileSecrets {
    /// In the order of the file; of no rule more than the probe's limit.
    pub seen: Vec<SeenSecret>,
    /// How many more there were, by rule.
    pub more: BTreeMap<String, u64>,
    /// Digests of the whole file, by which a package manager's record can vouch for it; `None` for large files.
    pub sums: Option<FileSums>,
}

/// Digests of a whole file, as package managers record them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FileSums {
    /// MD5: dpkg, and rpm of old.
    pub md5: [u8; 16],
    /// SHA-1: apk.
    pub sha1: [u8; 20],
    /// SHA-256: rpm, Python's `RECORD`.
    pub sha256: [u8; 32],
}

/// How much of a layer was searched for secrets, and what was not.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Files that were searched whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Archives, compressed files and repositories that were opened.
    pub opened: u64,
    /// Files and objects found in them.
    pub members: u64,
    /// Their bytes.
    pub member_bytes: u64,
    /// What was not read, by reason.
    pub unread: BTreeMap<Unread, UnreadCount>,
}

impl Coverage {
    /// Adds that of another layer.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.opened += other.opened;
        self.members += other.members;
        self.member_bytes = self.member_bytes.saturating_add(other.member_bytes);
        for (why, unread) in &other.unread {
            let all = self.unread.entry(*why).or_insert_with(|| UnreadCount { count: 0, first: unread.first.clone() });
            all.count += unread.count;
        }
    }
}

/// Why something was not searched.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    /// An archive of a kind that is not opened: xz, bzip2, 7z, rar ...
    Format,
    /// An archive or a member that needs a password.
    Encrypted,
    /// It is damaged, or only looks like an archive.
    Broken,
    /// It is nested deeper than is followed.
    Depth,
    /// It unpacks to more than the limit.
    Size,
}

impl Unread {
    /// What happened to `count` files, in one sentence without a full stop.
    pub fn sentence(self, count: u64) -> String {
        let (is, files) =
            if count == 1 { ("is", "1 archive".to_string()) } else { ("are", format!("{count} archives")) };
        match self {
            Self::Format => {
                format!("{files} {is} of a kind that is not opened: not searched inside for secrets, the first here")
            }
            Self::Encrypted => format!("{files} {is} encrypted: not searched inside for secrets, the first here"),
            Self::Broken => {
                format!("{files} {is} damaged or none: searched for secrets as far as possible, the first here")
            }
            Self::Depth => format!("{files} {is} nested too deep: not searched inside for secrets, the first here"),
            Self::Size => format!("{files} or files hold too much: not searched whole for secrets, the first here"),
        }
    }

    /// Whether the image can not be called clean: a limit was met, not a format that is documented as not opened.
    pub fn is_limit(self) -> bool {
        matches!(self, Self::Depth | Self::Size)
    }
}

/// How often, and where first.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UnreadCount {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: ImagePath,
}
