//! What a user has decided about an image, as reports tell it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Severity;

/// Whose decision lets a finding pass, beside the reason.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct AllowedBy {
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds, `2026-12-31`.
    pub expires: Option<String>,
    /// File and line where it is written.
    pub entry: String,
}

/// The severity that a finding had before the policy gave it another one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Rated {
    /// The severity that the rules gave.
    pub severity: Severity,
    /// File and line of what changed it.
    pub entry: String,
}

/// What a finding is beside the baseline.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    /// The baseline does not have it.
    New,
    /// The baseline has it with a lower severity.
    Risen,
    /// The baseline has it, let pass by an exception that no longer does.
    Ended,
    /// The baseline has it.
    Known,
}

impl Since {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Risen => "risen",
            Self::Ended => "ended",
            Self::Known => "known",
        }
    }

    /// Whether it can fail a gate.
    pub fn counts(self) -> bool {
        self != Self::Known
    }
}

/// The policy that an image was judged by.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PolicyUsed {
    /// Name of the profile.
    pub profile: String,
    /// The user's file.
    pub file: Option<String>,
    /// The baseline.
    pub baseline: Option<String>,
    /// What fails the image.
    pub gates: GatesUsed,
    /// Every exception, in the order of the files.
    pub exceptions: Vec<ExceptionUsed>,
}

/// What fails an image; what is not set fails none.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct GatesUsed {
    /// Least severity of any finding.
    pub severity: Option<Severity>,
    /// Least severity by family or rule, instead of the one for all; null where none fails.
    pub rules: BTreeMap<String, Option<Severity>>,
    /// Most bytes that need not ship.
    pub bytes: Option<u64>,
    /// Most growth of the image since the baseline: `5%` or bytes.
    pub growth: Option<String>,
}

/// One exception, and what became of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ExceptionUsed {
    /// File and line where it is written.
    pub entry: String,
    /// What it lets pass.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<String>,
    /// What became of it.
    pub state: ExceptionState,
    /// Fingerprints of the findings that it lets pass.
    pub findings: Vec<String>,
}

/// What became of an exception.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExceptionState {
    /// It lets findings pass.
    Used,
    /// It fits no finding.
    Stale,
    /// Its day is over.
    Expired,
    /// It fits, and what it was bound to is not the same any more.
    Changed,
}

impl ExceptionState {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Changed => "changed",
        }
    }
}
