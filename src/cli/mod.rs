//! Arguments ► validated plan ► wiring ► exit code.

pub mod rules;

use std::process::ExitCode;

/// Runs the command line and returns the exit code: 0 passed, 1 failed the gate, 2 usage, 3 could not judge.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
