//! One file for each output format. A reporter prints what it is given and filters nothing.
//!
//! Knows nothing of where reports go (files, pipes, terminals) and of how they came to be.

pub mod csv;
pub mod diff;
pub mod files;
pub mod fix;
pub mod github;
pub mod gitlab;
pub mod intoto;
pub mod json;
pub mod junit;
pub mod ledger;
pub mod markdown;
pub mod oscal;
pub mod sarif;
pub mod table;
pub(crate) mod text;
pub(crate) mod time;
mod verdict;

#[cfg(test)]
pub(crate) mod testing;

pub use self::verdict::Verdict;
