//! Secrets in one file.

pub mod check;
