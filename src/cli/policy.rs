//! The options that say what was decided about findings, and how they go together.

use std::path::{Path, PathBuf};

use clap::{
    ArgMatches, Args, Command, FromArgMatches, builder::FalseyValueParser, error::ErrorKind, parser::ValueSource,
};

use super::args::Gate;
use crate::{
    Result,
    catalogue::Catalogue,
    policy::{Config, Settings, Wishes},
};

/// The options of every command that judges findings.
#[derive(Args, Debug)]
pub(super) struct Policy {
    #[command(flatten)]
    config: ConfigOption,
    /// Profile: default, strict, ci-runner, devcontainer or cis-docker [default: that of the configuration, or default]
    #[arg(long, value_name = "NAME", env = "OFFCUT_PROFILE")]
    profile: Option<String>,
    /// Least severity that fails with exit code 1; never turns every gate off [default: that of the policy, or high]
    #[arg(long, value_name = "SEVERITY|never", env = "OFFCUT_FAIL_ON")]
    fail_on: Option<Gate>,
    /// File of findings that are allowed, each with its reason; may be given several times
    #[arg(long, value_name = "FILE", env = "OFFCUT_ALLOW")]
    allow: Vec<PathBuf>,
}

impl Policy {
    /// Reads what the options name.
    pub(super) fn settings(&self, baseline: Option<&Path>, now: i64, catalogue: &Catalogue) -> Result<Settings> {
        let wishes = Wishes {
            config: self.config.0.clone(),
            profile: self.profile.as_deref(),
            fail_on: self.fail_on.map(|gate| gate.0),
            allow: &self.allow,
            baseline,
            now,
        };
        Settings::load(&wishes, catalogue)
    }
}

/// `--config` and `--no-config`, of which what is typed outweighs what the environment says.
#[derive(Debug)]
struct ConfigOption(Config);

#[derive(Args, Debug)]
struct ConfigArgs {
    /// Policy to use instead of the offcut.toml of the working directory
    #[arg(long, value_name = "FILE", env = "OFFCUT_CONFIG")]
    config: Option<PathBuf>,
    /// Do not look for an offcut.toml
    #[arg(long, env = "OFFCUT_NO_CONFIG", value_parser = FalseyValueParser::new())]
    no_config: bool,
}

impl FromArgMatches for ConfigOption {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let args = ConfigArgs::from_arg_matches(matches)?;
        let is_typed = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        Ok(Self(match (args.config, args.no_config) {
            (None, false) => Config::Find,
            (None, true) => Config::Nowhere,
            (Some(file), false) => Config::File(file),
            (Some(file), true) => match (is_typed("config"), is_typed("no_config")) {
                (true, false) => Config::File(file),
                (false, true) => Config::Nowhere,
                _ => {
                    let text = "--config names a file, and --no-config wants none: give one of the two\n";
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, text));
                }
            },
        }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ConfigOption {
    fn augment_args(command: Command) -> Command {
        ConfigArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ConfigArgs::augment_args_for_update(command)
    }
}
