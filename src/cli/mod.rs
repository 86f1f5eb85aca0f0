//! Arguments ► validated plan ► wiring ► exit code.
//!
//! The only place that knows how errors are shown and what exit codes mean.

mod args;
mod clock;
mod diff;
mod dockerfile;
mod fix;
mod ledger;
mod output;
mod progress;
pub mod rules;
mod run;
mod terminal;

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;

use self::{args::Cli, run::Console};
use crate::error::{Error, Fault};

/// The command line or a setting is wrong.
const USAGE: u8 = 2;
/// The image could not be judged, or only in part.
const NOT_JUDGED: u8 = 3;

/// Runs the command line and returns the exit code: 0 passed, 1 failed the gate, 2 usage, 3 could not judge.
pub fn main() -> ExitCode {
    let args = args::with_default_command(env::args_os().collect());
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(refused) => {
            // Help and version come this way too. A closed pipe is no reason to say anything.
            let _ = refused.print();
            return if refused.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let (out_terminal, err_terminal) = (stdout.is_terminal(), stderr.is_terminal());
    // Not locked: the progress bar writes to standard error from its own thread.
    let mut console = Console { out: &mut io::BufWriter::new(stdout), err: &mut &stderr, out_terminal, err_terminal };
    ExitCode::from(match run::run(cli.command, &mut console) {
        Ok(code) => code,
        Err(error) => {
            // There is nowhere left to complain about standard error.
            let _ = show_error(&error, &mut console.err);
            exit_code(&error)
        }
    })
}

fn exit_code(error: &Error) -> u8 {
    match error.fault {
        Fault::Usage => USAGE,
        Fault::Judge => NOT_JUDGED,
    }
}

/// Writes what could not be done, why, and what to try, each on a line of its own.
fn show_error(error: &Error, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "error: {}", error.what)?;
    for cause in &error.causes {
        writeln!(out, "  cause: {cause}")?;
    }
    if let Some(help) = &error.help {
        writeln!(out, "  help: {help}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_why_and_what_to_try() {
        let error = Error::judge("gzip stream ends early")
            .cause("unexpected end of file")
            .help("export the image again")
            .context("can not read layer 3 of \"shop/api:1.4\"");
        let mut out = Vec::new();
        show_error(&error, &mut out).expect("a Vec takes everything");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "error: can not read layer 3 of \"shop/api:1.4\"\n  cause: gzip stream ends early\n  cause: unexpected end \
             of file\n  help: export the image again\n"
        );
        assert_eq!((exit_code(&error), exit_code(&Error::usage("x"))), (3, 2));
    }
}
