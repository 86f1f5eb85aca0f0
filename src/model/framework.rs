//! Frameworks of audits, and which rules bear on their controls.
//!
//! A mapping says where to look; whether a control is met is for an auditor to say.

use super::Family;

/// A framework, such as the CIS Docker Benchmark.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Framework {
    /// Lower-case words joined by `-`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Which part of it the controls are.
    pub scope: String,
    /// Where it is published.
    pub source: String,
    /// Its controls in its own order, those included that no rule bears on.
    pub controls: Vec<Control>,
}

/// One control of a framework.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Control {
    /// Its number, as the framework has it.
    pub id: String,
    /// What it asks for, in few words of our own.
    pub title: String,
    /// How the framework says that it is assessed, where it does.
    pub by: Option<Assessment>,
    /// The rules whose findings are evidence.
    pub rules: Vec<Selector>,
    /// What of the image belongs beside it, unjudged.
    pub shows: Vec<Aspect>,
    /// What of it no rule looks at, in one sentence without a full stop.
    pub beyond: Option<String>,
}

/// How a framework wants a control to be assessed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assessment {
    /// By a program.
    Automated,
    /// By a person.
    Manual,
}

impl Assessment {
    /// The lower-case word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Manual => "manual",
        }
    }
}

/// Something that a report says of the image without judging it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The user that it runs as.
    User,
    /// The base image.
    Base,
    /// `HEALTHCHECK`.
    Healthcheck,
    /// `EXPOSE`.
    Ports,
}

/// Rules by their family, or one by its id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selector {
    /// Every rule of a family.
    Family(Family),
    /// The rule `family/name`.
    Rule(String),
}

impl Selector {
    /// Whether a rule with this id is meant.
    pub fn takes(&self, rule: &str) -> bool {
        match self {
            Self::Family(family) => Family::of(rule) == Some(*family),
            Self::Rule(id) => id == rule,
        }
    }
}
