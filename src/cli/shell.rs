//! `completion`, `man` and `version`: what packages and shells want to know of the program itself.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde::Serialize;

use super::{
    args::{Cli, VersionFormat},
    output,
};
use crate::{
    catalogue::Catalogue,
    error::{Error, Result},
    model::Digest,
};

/// Writes the completion script of a shell.
///
/// # Errors
/// Those of `out`.
pub(super) fn completion(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // The generator can not give back an error of its writer, and memory has none.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "offcut", &mut script);
    out.write_all(&script)
}

/// Writes the manual page of the program itself.
///
/// # Errors
/// Those of `out`.
pub(super) fn manual(out: &mut dyn Write) -> io::Result<()> {
    Man::new(complete()).render(out)
}

/// Writes the manual pages of all commands into a directory, which is made if need be: `offcut.1`, `offcut-scan.1` and
/// so on.
///
/// # Errors
/// When one can not be written; those before it stay.
pub(super) fn manuals(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)
        .map_err(|e| Error::usage(format!("can not make the directory \"{}\"", dir.display())).cause(e))?;
    let mut commands = vec![complete()];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|below| !below.is_hide_set()).cloned());
        // The names of all commands down to this one, with hyphens between.
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_string();
        let file = dir.join(format!("{name}.1"));
        let page = Man::new(command);
        output::write(&file, |out| page.render(out))
            .map_err(|e| Error::judge(format!("can not write \"{}\"", file.display())).cause(e))?;
    }
    Ok(())
}

/// The definition with everything that is worked out only when a line is read: names of commands in commands, options
/// that all of them take.
fn complete() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Writes the version of the program, and how many rules it has.
///
/// # Errors
/// Those of `out`.
pub(super) fn version(catalogue: &Catalogue, format: VersionFormat, out: &mut dyn Write) -> io::Result<()> {
    let version = Version {
        name: "offcut",
        version: env!("CARGO_PKG_VERSION"),
        catalogue: catalogue.digest,
        rules: catalogue.rules.len(),
    };
    match format {
        VersionFormat::Text => {
            writeln!(out, "offcut {}\n{} rules, {}", version.version, version.rules, version.catalogue)
        }
        VersionFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &version)?;
            out.write_all(b"\n")
        }
    }
}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    /// Digest over the policy files.
    catalogue: Digest,
    rules: usize,
}
