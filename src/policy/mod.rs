//! What a user has decided about findings, beside the rules.
//!
//! Knows findings and what was decided; nothing of images or reports.

mod allow;

pub use self::allow::Allowances;
