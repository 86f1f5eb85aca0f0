//! Reads files whose form is known, and tells which of their values are secrets.
//!
//! A parser gets the whole file. It knows the form of the file, not its path and not what other rules say.

pub mod command;

use std::ops::Range;

use serde::Deserialize;

use super::check::Verdict;

/// Which parser, by the word in policies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parser {
    /// `config.json` of Docker, `auth.json` of Podman and Kaniko.
    DockerConfig,
}

/// A secret that a parser found.
pub struct Item {
    /// The bytes of the file that hold it, encoded or not.
    pub span: Range<usize>,
    /// The name that the file gives it.
    pub key: String,
    /// The value, decoded. It goes nowhere but into a validator.
    pub value: Vec<u8>,
    /// How sure it is.
    pub verdict: Verdict,
}

impl Parser {
    /// The secrets of a whole file; none of what is no such file.
    pub fn read(self, _file: &[u8]) -> Vec<Item> {
        Vec::new()
    }
}
