//! One layer's bytes: digests, decompression, tar, whiteouts, limits.
//!
//! Knows no rule and no policy; what a file *is* it leaves to the probes.

pub mod tar;
