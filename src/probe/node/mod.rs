//! Reads what JavaScript package managers leave behind: lock files and records of an installation.
//!
//! Each parser sees one file and keeps only what tells development from production; none knows of other files.

pub mod json;
