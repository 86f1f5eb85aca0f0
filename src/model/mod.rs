//! The nouns: paths, digests, layer facts, images, findings. Plain serialisable data.
//!
//! Nothing in here reads or writes anything.

pub mod date;
mod digest;
mod facts;
mod finding;
mod framework;
mod image;
mod lang;
mod node;
pub mod path;
pub mod redact;
mod run;
mod secret;
mod shape;
mod sums;

pub use self::{
    digest::Digest, facts::*, finding::*, framework::*, image::*, lang::*, node::*, path::ImagePath, run::*, secret::*,
    shape::*, sums::*,
};
