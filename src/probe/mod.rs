//! Looks at one file and says what it is.
//!
//! A probe knows nothing of other files and nothing of severity.

pub mod apk;
pub mod code;
pub mod conda;
pub mod dotnet;
pub mod dpkg;
pub mod elf;
pub mod imports;
pub mod jvm;
pub mod lang;
pub mod loader;
mod look;
pub mod malformed;
pub mod node;
pub mod npm;
pub mod nuget;
pub mod passwd;
pub mod php;
mod provides;
pub mod pylock;
pub mod python;
pub mod release;
pub mod rpm;
pub mod ruby;
pub mod script;
pub mod secret;
pub mod served;
mod shape;
pub mod sieve;
mod sum;

pub use self::{
    look::{Looker, Probes, Seen, UNSEARCHED},
    shape::Shapes,
    shape::shape_of,
};
