//! What is wrong with a Dockerfile, and where.

use thiserror::Error;

/// A Dockerfile that builders refuse.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}, column {column}: {text}")]
pub struct SyntaxError {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// What is wrong; lower case, no full stop.
    pub text: String,
}

/// What is wrong with one instruction, at an offset of its joined text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) at: usize,
    pub(super) text: String,
}

impl Problem {
    pub(super) fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

/// The start of a text that may be long, for messages.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_string(),
    }
}
