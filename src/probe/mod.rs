//! Looks at one file and says what it is.
//!
//! A probe knows nothing of other files and nothing of severity.
