//! Arguments ► validated plan ► wiring ► exit code.
//!
//! The only place that knows how errors are shown and what exit codes mean.

mod args;
mod clock;
mod diff;
mod dockerfile;
mod fix;
mod ledger;
mod log;
mod output;
mod plugin;
mod policy;
mod progress;
pub mod rules;
mod run;
mod shell;
mod terminal;

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::FromArgMatches;

use self::{
    args::{Cli, LogFormat},
    log::Log,
    plugin::Called,
    run::Console,
};
use crate::error::{Error, Fault};

/// The command line or a setting is wrong.
const USAGE: u8 = 2;
/// The image could not be judged, or only in part.
const NOT_JUDGED: u8 = 3;

/// Runs the command line and returns the exit code: 0 passed, 1 failed the gate, 2 usage, 3 could not judge.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().collect();
    let format = args::log_format(&args, |name| env::var(name).ok());
    let (args, plugin) = match plugin::called(args) {
        Ok(Called::Line { args, plugin }) => (args, plugin),
        Ok(Called::Metadata) => {
            // The client that asked has nobody to complain to either.
            let _ = plugin::describe(&mut io::stdout());
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&error, &mut Log::new(&mut io::stderr(), format, false)),
    };
    let parsed = plugin::command(plugin).try_get_matches_from(args);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(refused) => return refuse(&refused, format),
    };
    let (stdout, mut stderr) = (io::stdout(), io::stderr());
    let (out_terminal, err_terminal) = (stdout.is_terminal(), stderr.is_terminal());
    // Not locked: the progress bar writes to standard error from its own thread.
    let verbose = cli.log.verbose && !cli.command.is_quiet();
    let err = Log::new(&mut stderr, cli.log.log_format, verbose);
    let mut console = Console { out: &mut io::BufWriter::new(stdout), err, out_terminal, err_terminal };
    match run::run(cli.command, &mut console) {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error, &mut console.err),
    }
}

/// Tells why a command line was refused. Help and version come this way too.
fn refuse(refused: &clap::Error, format: LogFormat) -> ExitCode {
    if !refused.use_stderr() {
        // A closed pipe is no reason to say anything.
        let _ = refused.print();
        return ExitCode::SUCCESS;
    }
    if format == LogFormat::Text {
        // There is nowhere left to complain about standard error.
        let _ = refused.print();
        return ExitCode::from(USAGE);
    }
    let text = refused.to_string();
    let (what, more) = text.split_once('\n').unwrap_or((&text, ""));
    let error = Error::usage(what.trim_start_matches("error: "));
    let more: Vec<_> = more.split_whitespace().collect();
    let error = if more.is_empty() { error } else { error.help(more.join(" ")) };
    failed(&error, &mut Log::new(&mut io::stderr(), format, false))
}

fn failed(error: &Error, log: &mut Log<'_>) -> ExitCode {
    // There is nowhere left to complain about standard error.
    let _ = log.error(error);
    ExitCode::from(exit_code(error))
}

fn exit_code(error: &Error) -> u8 {
    match error.fault {
        Fault::Usage => USAGE,
        Fault::Judge => NOT_JUDGED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_fault_it_is_decides_the_exit_code() {
        assert_eq!((exit_code(&Error::judge("x")), exit_code(&Error::usage("x"))), (3, 2));
    }
}
