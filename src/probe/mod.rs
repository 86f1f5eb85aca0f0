//! Looks at one file and says what it is.
//!
//! A probe knows nothing of other files and nothing of severity.

pub mod apk;
pub mod dpkg;
pub mod elf;
mod look;
pub mod malformed;
pub mod npm;
pub mod passwd;
mod provides;
pub mod python;
pub mod rpm;
mod shape;
pub mod sieve;

pub use self::{
    look::{Looker, Probes, Seen},
    shape::Shapes,
    shape::shape_of,
};
