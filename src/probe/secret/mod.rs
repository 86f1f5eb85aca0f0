//! Finds secrets in one file while its bytes stream by, and says everything of them but their value.

pub mod unpack;
