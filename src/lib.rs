//! Finds in a container image what should have stayed in the builder stage of a multi-stage build.
//!
//! The way of the data, each arrow a module boundary:
//!
//! ```text
//! source ──► layer ──► facts ──► inventory ──► findings ──► report
//! ```
//!
//! `docs/architecture.md` in the repository tells what each module knows and what it does not.

pub mod attribution;
pub mod catalogue;
pub mod cli;
pub mod diff;
pub mod dockerfile;
pub mod error;
pub mod inventory;
pub mod layer;
pub mod model;
pub mod policy;
pub mod probe;
pub mod remedy;
pub mod report;
pub mod rule;
pub mod scan;
pub mod source;
pub mod verify;

pub use error::{Error, Result};
