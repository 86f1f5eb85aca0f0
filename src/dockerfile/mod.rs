//! Dockerfiles: parsed without loss, with the place of every part; their stages and variables.
//!
//! Knows nothing of images. What builders accept and what they make of it follows BuildKit's frontend.

mod error;
mod expand;
mod file;
mod heredoc;
mod instruction;
mod logical;
mod mount;
mod pattern;
mod scope;
mod script;
pub mod shell;
mod span;
mod stage;
mod statement;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use self::heredoc::documents;
pub use self::{
    error::SyntaxError,
    expand::{Expanded, Var},
    file::*,
    heredoc::Heredoc,
    instruction::*,
    logical::Logical,
    mount::Mount,
    scope::*,
    script::Script,
    span::Span,
    stage::{Link, LinkKind, LinkSource, Parent, Stage},
};
