//! The nouns: paths, digests, layer facts, images, findings. Plain serialisable data.
//!
//! Nothing in here reads or writes anything.

mod digest;
mod facts;
mod finding;
mod fix;
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
    digest::Digest, facts::*, finding::*, fix::*, image::*, lang::*, node::*, path::ImagePath, run::*, secret::*,
    shape::*, sums::*,
};
