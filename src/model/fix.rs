//! What comes of mending a Dockerfile: a new file, or why there is none; and changes of single lines.

use serde::{Deserialize, Serialize};

/// What came of an attempt to rewrite a Dockerfile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "is", rename_all = "lowercase")]
pub enum Fix {
    /// There is a better one.
    Rewritten(Box<Rewrite>),
    /// Nothing worth a change is to be won; why.
    Nothing(String),
    /// It can not be done surely; why.
    Refused(String),
}

/// A rewritten Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rewrite {
    /// What the old file is called; `None` where the image's history stands for it.
    pub file: Option<String>,
    /// The whole old file; no part of reports.
    #[serde(skip)]
    pub old: String,
    /// The whole new file.
    pub dockerfile: String,
    /// Its last stage.
    pub stage: String,
    /// The changes as a unified diff.
    pub diff: String,
    /// What was changed, in the order of the file.
    pub changes: Vec<Change>,
    /// What of the old file is a guess, each in a sentence without a full stop.
    pub guessed: Vec<String>,
    /// The image that the last stage was built upon.
    pub from: String,
    /// The image that it is built upon now.
    pub to: String,
    /// Fingerprints of the findings that stay, since the base that stays brought them; no part of reports.
    #[serde(skip)]
    pub stays: Vec<String>,
    /// Instructions of the old base for its own run that the new one does without (`ENTRYPOINT`); no part of reports.
    #[serde(skip)]
    pub left: Vec<&'static str>,
    /// The user that the last stage is made to run as, where it ran as root.
    pub user: Option<String>,
    /// Bytes of all files in all layers, before.
    pub before: u64,
    /// Bytes that are copied or installed on top of the new base.
    pub added: u64,
    /// Bytes of the new base, if it could be read.
    pub base: Option<u64>,
}

impl Rewrite {
    /// Bytes of all files in all layers that are expected, where the new base is known.
    pub fn after(&self) -> Option<u64> {
        self.base.map(|base| base.saturating_add(self.added))
    }
}

/// One change, for people.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Line of the old file that it is about; `None` for what is new.
    pub line: Option<u32>,
    /// What.
    pub what: String,
    /// Why, by what was seen.
    pub why: String,
}

/// A change of a few lines of the Dockerfile that mends a finding by itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    /// What it does, as an imperative sentence without a full stop.
    pub what: String,
    /// The first line that is replaced, from 1.
    pub first: u32,
    /// The last line that is replaced.
    pub last: u32,
    /// What stands there instead, without the last line's end.
    pub text: String,
}
