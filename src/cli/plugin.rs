//! `docker offcut ...`: how the docker client starts offcut as one of its plugins.
//!
//! The client looks for a program `docker-offcut` in its directories of plugins, asks it for a description, and hands on
//! the whole line, its own options in front: `docker-offcut --context far offcut scan shop/api`. What is told here of the
//! client was seen with the clients 20.10 and 28.2; its `cli-plugins` directory has the names.

use std::{ffi::OsString, io::Write, path::Path};

use clap::{Command, CommandFactory};
use serde::Serialize;

use super::args::{Cli, with_default_command};
use crate::error::{Error, Result};

/// The name of the file that makes it a plugin.
const FILE: &str = "docker-offcut";
/// What the client types to get the description.
const METADATA: &str = "docker-cli-plugin-metadata";
/// The command of the client: its own name among the plugins.
const COMMAND: &str = "offcut";

/// How the program was called.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Called {
    /// By its own name, or by the docker client: with the line to read, the name of the program first.
    Line { args: Vec<OsString>, plugin: bool },
    /// By the docker client, which wants its description.
    Metadata,
}

/// Finds out from the whole command line how the program was called.
///
/// # Errors
/// When an option of the docker client asks for what is not built in.
pub(super) fn called(mut args: Vec<OsString>) -> Result<Called> {
    let name = args.first().and_then(|first| Path::new(first).file_stem());
    if name.is_none_or(|name| name != FILE) {
        return Ok(Called::Line { args: with_default_command(args), plugin: false });
    }
    if args.get(1).is_some_and(|word| word == METADATA) {
        return Ok(Called::Metadata);
    }
    let (client, length) = Client::read(args.get(1..).unwrap_or_default())?;
    args.drain(1..=length);
    let mut args = with_default_command(args);
    client.tell(&mut args);
    Ok(Called::Line { args, plugin: true })
}

/// Writes the description that the docker client asks for.
///
/// # Errors
/// Those of `out`.
pub(super) fn describe(out: &mut dyn Write) -> std::io::Result<()> {
    let about = Cli::command().get_about().map(ToString::to_string).unwrap_or_default();
    let metadata = Metadata {
        schema_version: "0.1.0",
        vendor: "The offcut authors",
        version: env!("CARGO_PKG_VERSION"),
        short_description: about.trim_end_matches('.'),
    };
    serde_json::to_writer(&mut *out, &metadata)?;
    out.write_all(b"\n")
}

/// The definition of the command line, with the name that is typed.
pub(super) fn command(plugin: bool) -> Command {
    let command = Cli::command();
    if plugin { command.bin_name("docker offcut") } else { command }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    schema_version: &'a str,
    vendor: &'a str,
    version: &'a str,
    short_description: &'a str,
}

/// What the options of the docker client mean for offcut.
#[derive(Debug, Default)]
struct Client {
    /// Options of offcut that name the engine.
    engine: Vec<OsString>,
    verbose: bool,
}

impl Client {
    /// Reads the client's options up to the command, and tells how many words these are with the command. A line without
    /// the command was not typed by the client and is offcut's own.
    fn read(args: &[OsString]) -> Result<(Self, usize)> {
        let mut client = Self::default();
        let mut at = 0;
        while let Some(word) = args.get(at) {
            if word == COMMAND {
                return Ok((client, at + 1));
            }
            let Some(word) = word.to_str().filter(|word| word.starts_with('-')) else { break };
            let (option, attached) = split(word);
            let own = match option {
                "-H" | "--host" => Some("--docker-host"),
                "-c" | "--context" => Some("--docker-context"),
                "--config" => Some("--docker-config"),
                "-l" | "--log-level" | "--tlscacert" | "--tlscert" | "--tlskey" => None,
                "-D" | "--debug" => {
                    client.verbose = attached != Some("false");
                    at += 1;
                    continue;
                }
                "--tls" | "--tlsverify" if attached == Some("false") => {
                    at += 1;
                    continue;
                }
                "--tls" | "--tlsverify" => {
                    return Err(Error::usage(format!("can not use the docker client's option {option}"))
                        .cause("TLS is not built in")
                        .help("reach the engine by its socket, or scan what `docker save` writes"));
                }
                _ => break,
            };
            let value = match attached {
                Some(value) => value.into(),
                None => {
                    at += 1;
                    args.get(at).cloned().unwrap_or_default()
                }
            };
            client.engine.extend(own.map(|own| [own.into(), value]).into_iter().flatten());
            at += 1;
        }
        Ok((Self::default(), 0))
    }

    /// Puts into a line what the client's options mean, if its command can take it.
    fn tell(self, args: &mut Vec<OsString>) {
        let definition = Cli::command();
        let command = |word: &OsString| word.to_str().and_then(|word| definition.find_subcommand(word));
        let Some((at, command)) = args.iter().enumerate().find_map(|(at, word)| Some((at, command(word)?))) else {
            return;
        };
        if self.verbose {
            args.insert(at + 1, "--verbose".into());
        }
        if command.get_arguments().any(|option| option.get_long() == Some("docker-host")) {
            args.splice(at + 1..at + 1, self.engine);
        }
    }
}

/// Splits `--option=value` and `-Ovalue`.
fn split(word: &str) -> (&str, Option<&str>) {
    match word.split_once('=') {
        Some((option, value)) if word.starts_with("--") => (option, Some(value)),
        _ if word.starts_with("--") => (word, None),
        _ => match word.split_at_checked(2) {
            Some((option, "")) => (option, None),
            Some((option, value)) => (option, Some(value.trim_start_matches('='))),
            None => (word, None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Vec<String> {
        match called(words.split(' ').map(OsString::from).collect()).expect("it is right") {
            Called::Line { args, .. } => args.into_iter().map(|word| word.into_string().expect("text")).collect(),
            Called::Metadata => vec!["metadata".to_string()],
        }
    }

    #[test]
    fn by_its_own_name_nothing_is_the_clients() {
        assert_eq!(line("/usr/bin/offcut offcut"), ["/usr/bin/offcut", "scan", "offcut"]);
        assert_eq!(line("offcut docker-cli-plugin-metadata"), ["offcut", "scan", "docker-cli-plugin-metadata"]);
    }

    #[test]
    fn the_clients_options_come_first_and_name_the_engine() {
        for (typed, want) in [
            ("offcut scan x", "scan x"),
            ("offcut x", "scan x"),
            ("offcut offcut", "scan offcut"),
            ("-H tcp://h:1 offcut scan x", "scan --docker-host tcp://h:1 x"),
            ("--host=tcp://h:1 offcut x -q", "scan --docker-host tcp://h:1 x -q"),
            ("-Htcp://h:1 offcut diff a b", "diff --docker-host tcp://h:1 a b"),
            ("--config /c -c far offcut ledger x", "ledger --docker-config /c --docker-context far x"),
            ("-D -l debug offcut scan x", "scan --verbose x"),
            ("--tlsverify=false offcut scan x", "scan x"),
            ("-H tcp://h:1 offcut rules list", "rules list"),
            ("--log-level=info offcut", ""),
        ] {
            let want: Vec<_> = ["docker-offcut"].into_iter().chain(want.split_terminator(' ')).collect();
            assert_eq!(line(&format!("docker-offcut {typed}")), want, "{typed}");
        }
    }

    #[test]
    fn the_file_of_the_plugin_is_offcut_as_well() {
        assert_eq!(line("/x/docker-offcut.exe scan x"), ["/x/docker-offcut.exe", "scan", "x"]);
        assert_eq!(line("docker-offcut -f json x"), ["docker-offcut", "scan", "-f", "json", "x"]);
        assert_eq!(line("docker-offcut -H"), ["docker-offcut", "scan", "-H"]);
    }

    #[test]
    fn tls_is_refused_rather_than_forgotten() {
        for option in ["--tls", "--tlsverify", "--tlsverify=true"] {
            let args = ["docker-offcut", option, "offcut", "scan", "x"].map(OsString::from).to_vec();
            assert!(called(args).is_err(), "{option}");
        }
    }

    #[test]
    fn the_description_is_what_the_client_wants() {
        assert_eq!(called(["docker-offcut", METADATA].map(OsString::from).to_vec()), Ok(Called::Metadata));
        let mut out = Vec::new();
        describe(&mut out).expect("memory");
        let metadata: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(metadata["SchemaVersion"], "0.1.0");
        assert!(metadata["ShortDescription"].as_str().is_some_and(|text| text.len() > 20), "{metadata}");
        assert!(metadata["Vendor"].is_string() && metadata["Version"].is_string());
    }
}
