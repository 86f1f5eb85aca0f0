//! The nouns: paths, digests, layer facts, images, findings. Plain serialisable data.
//!
//! Nothing in here reads or writes anything.

pub mod base64;
pub mod date;
mod digest;
mod facts;
mod finding;
mod fix;
mod framework;
mod image;
mod lang;
mod node;
pub mod path;
mod policy;
pub mod redact;
mod run;
mod secret;
mod shape;
pub mod size;
mod sums;
mod weakness;

pub use self::{
    digest::Digest, facts::*, finding::*, fix::*, framework::*, image::*, lang::*, node::*, path::ImagePath, policy::*,
    run::*, secret::*, shape::*, sums::*, weakness::*,
};
