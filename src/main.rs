//! The command `offcut`.

use std::process::ExitCode;

fn main() -> ExitCode {
    offcut::cli::main()
}
