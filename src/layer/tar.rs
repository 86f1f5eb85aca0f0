//! Reads tar streams as Go's `archive/tar` does, since that is what container engines use.
//!
//! No input or output of its own, no file is written, nothing is unpacked.
