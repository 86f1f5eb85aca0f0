//! One layer's bytes: digests, decompression, tar, whiteouts, limits.
//!
//! Knows no rule and no policy; what a file *is* it leaves to the probes.

mod build;
pub mod decode;
mod error;
mod peel;
mod settle;
pub mod tar;
mod walk;

/// What is read begins at such addresses: the kernel copies from the beginning of a page, and a processor whose stores go
/// a few bytes further than its loads within theirs waits for each of them (six times the time, measured on AMD EPYC).
const ALIGN: usize = 64;

pub use self::{
    build::{Builder, Meta},
    error::PeelError,
    peel::{Limits, Peeler, Promise},
    walk::walk,
};
