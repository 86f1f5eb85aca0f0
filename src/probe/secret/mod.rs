//! Looks for secrets in the bytes of one file, and in what is inside of it.
//!
//! The engine (`hunt`, `search`, `filter` with `heads`, `needle`, `rules`) finds places, `check` says whether a value is what
//! it looks like, `parse` reads files whose form is known, `unpack` opens archives and repositories. A value never leaves
//! this module: what leaves it is a [`crate::model::SeenSecret`].

mod aside;
pub mod check;
mod filter;
mod heads;
mod hunt;
mod name;
mod needle;
pub mod parse;
mod rules;
mod search;
#[cfg(test)]
mod tests;
pub mod unpack;

pub use self::{
    aside::{Aside, Batch, Lost, Searched},
    hunt::Hunter,
    rules::{Edge, FilePath, Find, Form, Holds, MATCH_MAX, Pattern, Reader, Scope, SecretRules},
    search::{BEFORE_MAX, Context, Found, merge, search},
};
