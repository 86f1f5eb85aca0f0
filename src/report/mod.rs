//! One file for each output format. A reporter prints what it is given and filters nothing.
//!
//! Knows nothing of where reports go (files, pipes, terminals) and of how they came to be.

pub mod csv;
pub mod cyclonedx;
pub mod diff;
mod evaluated;
pub mod files;
pub mod fix;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod intoto;
pub mod json;
pub mod junit;
pub mod ledger;
pub mod markdown;
pub mod oscal;
pub mod sarif;
pub mod table;
pub(crate) mod text;
mod verdict;

#[cfg(test)]
pub(crate) mod testing;

pub use self::verdict::Verdict;

/// What a mapping to frameworks is not.
const NO_ATTESTATION: &str = "The mapping of rules to frameworks is made by the authors of offcut. It is not an \
                              attestation of compliance, and nobody who issues a framework has reviewed it. An item with \
                              nothing found is not an item that is met.";
