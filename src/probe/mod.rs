//! Looks at one file and says what it is.
//!
//! A probe knows nothing of other files and nothing of severity.

pub mod apk;
pub mod code;
pub mod dpkg;
pub mod elf;
pub mod imports;
pub mod lang;
pub mod loader;
mod look;
pub mod malformed;
pub mod node;
pub mod npm;
pub mod passwd;
mod provides;
pub mod pylock;
pub mod python;
pub mod rpm;
pub mod script;
pub mod sieve;

pub use self::look::{Looker, Probes, Seen};
