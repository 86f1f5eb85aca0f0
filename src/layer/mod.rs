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

pub use self::{
    build::{Builder, Meta},
    error::PeelError,
    peel::{Limits, Peeler, Promise},
    walk::walk,
};
