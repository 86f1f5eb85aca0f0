//! The command line: what can be typed, and the checks that need nothing but the text.
//!
//! Every option can be set through the environment as `OFFCUT_<OPTION>`; what is typed wins. Only the formats of
//! other commands than `scan` have names of their own there, such as `OFFCUT_FILES_FORMAT`, since they take other words;
//! so has the output of `diff`.

use std::{ffi::OsString, path::PathBuf, str::FromStr, thread};

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use clap_complete::Shell;

use super::policy::Policy;
use crate::{
    layer::Limits,
    model::{self, Platform, Severity},
    source,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  the image passed
  1  a gate of the policy was not passed, such as --fail-on
  2  the command line or a setting is wrong
  3  the image could not be judged, or only in part";

const FIX_EXIT_CODES: &str = "\
Exit codes:
  0  rewritten, or there is nothing to win
  1  not rewritten, since it could not be done surely
  2  the command line or a setting is wrong
  3  the image could not be read";

const EXIT_CODES_OF_DIFF: &str = "\
Exit codes:
  0  nothing new reaches --fail-on
  1  a finding that is new, or rose, reaches --fail-on
  2  the command line or a setting is wrong
  3  an image could not be judged, or the new one only in part";

/// Finds in a container image what should have stayed in the builder stage.
///
/// `offcut IMAGE` is short for `offcut scan IMAGE`.
#[derive(Debug, Parser)]
#[command(name = "offcut", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) log: Log,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan an image and judge it
    #[command(after_help = EXIT_CODES)]
    Scan(Box<Scan>),
    /// Rewrite the Dockerfile of an image so that it ships without what only the build needs
    #[command(after_help = FIX_EXIT_CODES)]
    Fix(Box<Fix>),
    /// List the files of an image as offcut reads it
    Files(Box<Files>),
    /// Account for every byte of an image, by layer and by owner
    Ledger(Box<Ledger>),
    /// Compare two images: what is new, gone, moved, grown or worse
    #[command(after_help = EXIT_CODES_OF_DIFF)]
    Diff(Box<Diff>),
    /// Show or check the rules
    Rules {
        #[command(subcommand)]
        what: Rules,
    },
    /// Tell everything about one rule
    Explain {
        /// The rule's id, such as build-tool/gcc
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        policies: Policies,
    },
    /// Print the completion script of a shell
    Completion {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands into a directory
    Man {
        /// Where the pages go, one file for each command
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Tell the version of the program and of its rules
    Version {
        /// Form of the answer
        #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_VERSION_FORMAT")]
        format: VersionFormat,
        #[command(flatten)]
        policies: Policies,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// List every rule: id, severity, title
    List {
        /// Form of the list: a line for each rule, all that they know as JSON, or the page docs/rules.md
        #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_RULES_FORMAT")]
        format: ListFormat,
        #[command(flatten)]
        policies: Policies,
    },
    /// Prove every rule by its own examples
    Check {
        #[command(flatten)]
        policies: Policies,
    },
}

#[derive(Args, Debug)]
pub(super) struct Scan {
    #[command(flatten)]
    pub(super) image: Image,
    #[command(flatten)]
    pub(super) policies: Policies,
    /// Form of the report on standard output, or in the FILE of -o
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_FORMAT")]
    pub(super) format: Format,
    /// Write the report to FILE instead of standard output; FORMAT=FILE writes one more report
    #[arg(short, long, value_name = "[FORMAT=]FILE", env = "OFFCUT_OUTPUT")]
    pub(super) output: Vec<Output>,
    /// Write the predicate of an in-toto format alone, as cosign attest --predicate reads it
    #[arg(long, env = "OFFCUT_PREDICATE_ONLY", value_parser = FalseyValueParser::new())]
    pub(super) predicate_only: bool,
    #[command(flatten)]
    pub(super) policy: Policy,
    /// Report of an earlier image, from scan -f json: only what is new since then fails
    #[arg(long, value_name = "FILE", env = "OFFCUT_BASELINE")]
    pub(super) baseline: Option<PathBuf>,
    /// Whether the table is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", env = "OFFCUT_COLOR")]
    pub(super) color: Color,
    /// The image that this one was built upon, so that its own layers are known for certain
    #[arg(long, value_name = "[SCHEME:]REF", env = "OFFCUT_BASE")]
    pub(super) base: Option<String>,
    /// The Dockerfile that the image was built from: findings then name the line that brought them. With auto it is the
    /// one of the sources that agrees with the image's history, if there is exactly one
    #[arg(long, value_name = "FILE|auto", env = "OFFCUT_DOCKERFILE")]
    pub(super) dockerfile: Option<PathBuf>,
    /// Root of the sources: auto looks below it, and reports name the Dockerfile relative to it [default: that of the git
    /// work tree]
    #[arg(long, value_name = "DIR", env = "OFFCUT_SOURCE_ROOT")]
    pub(super) source_root: Option<PathBuf>,
    /// The stage of the Dockerfile that was built [default: the one that fits]
    #[arg(long, value_name = "STAGE", env = "OFFCUT_TARGET")]
    pub(super) target: Option<String>,
    /// Look for no secrets
    #[arg(long, env = "OFFCUT_NO_SECRETS", value_parser = FalseyValueParser::new())]
    pub(super) no_secrets: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("of_context").args(["verify", "dockerignore"]))]
pub(super) struct Fix {
    #[command(flatten)]
    pub(super) image: Image,
    #[command(flatten)]
    pub(super) policies: Policies,
    /// The Dockerfile that the image was built from [default: that of its provenance, or one that is made of
    /// its history]
    #[arg(long, value_name = "FILE", env = "OFFCUT_DOCKERFILE")]
    pub(super) dockerfile: Option<PathBuf>,
    /// The stage of the Dockerfile that was built [default: the one that fits]
    #[arg(long, value_name = "STAGE", env = "OFFCUT_TARGET")]
    pub(super) target: Option<String>,
    /// The image that it was built upon, so that its own layers are known for certain
    #[arg(long, value_name = "[SCHEME:]REF", env = "OFFCUT_BASE")]
    pub(super) base: Option<String>,
    /// Form of what is printed: the Dockerfile with a table beside it, or one JSON document
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_FIX_FORMAT")]
    pub(super) format: FixFormat,
    /// Print the changes as a unified diff
    #[arg(long, conflicts_with = "write", env = "OFFCUT_DIFF", value_parser = FalseyValueParser::new())]
    pub(super) diff: bool,
    /// Build both Dockerfiles with an engine, and compare what they are and do; written is only what holds
    #[arg(long, env = "OFFCUT_VERIFY", value_parser = FalseyValueParser::new())]
    pub(super) verify: bool,
    /// Directory that is built, and in which the .dockerignore is written [default: that of the Dockerfile]
    #[arg(long, value_name = "DIR", requires = "of_context", env = "OFFCUT_CONTEXT")]
    pub(super) context: Option<PathBuf>,
    /// Command line of the engine that builds [default: docker, or podman]
    #[arg(long, value_name = "PROGRAM", requires = "verify", env = "OFFCUT_ENGINE")]
    pub(super) engine: Option<String>,
    /// Build argument, NAME=VALUE; may be given several times
    #[arg(long, value_name = "NAME=VALUE", requires = "verify", env = "OFFCUT_BUILD_ARG")]
    pub(super) build_arg: Vec<String>,
    /// Option of the engine's build command, such as --build-option=--secret=id=npm,src=.npmrc; may be given several times
    #[arg(long, value_name = "OPTION", requires = "verify", allow_hyphen_values = true, env = "OFFCUT_BUILD_OPTION")]
    pub(super) build_option: Vec<String>,
    /// Option of the engine's run command, such as --run-option=--env=PORT=8080; may be given several times
    #[arg(long, value_name = "OPTION", requires = "verify", allow_hyphen_values = true, env = "OFFCUT_RUN_OPTION")]
    pub(super) run_option: Vec<String>,
    /// Shell command that asks the running container ($OFFCUT_ADDRESS, $OFFCUT_CONTAINER): it has to succeed and to print
    /// the same of both images [default: the image's health check]
    #[arg(long, value_name = "COMMAND", requires = "verify", env = "OFFCUT_SMOKE")]
    pub(super) smoke: Option<String>,
    /// Make a .dockerignore that lets in only what the Dockerfile copies, instead of a Dockerfile
    #[arg(long, requires = "dockerfile", conflicts_with_all = ["diff", "verify", "format"], env = "OFFCUT_DOCKERIGNORE", value_parser = FalseyValueParser::new())]
    pub(super) dockerignore: bool,
    /// Write the Dockerfile in place; a .dockerignore in the directory that is built, where none is
    #[arg(long, requires = "dockerfile", env = "OFFCUT_WRITE", value_parser = FalseyValueParser::new())]
    pub(super) write: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum FixFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Args, Debug)]
pub(super) struct Ledger {
    #[command(flatten)]
    pub(super) image: Image,
    #[command(flatten)]
    pub(super) policies: Policies,
    /// Form of the ledger: tables, or one complete JSON document
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_LEDGER_FORMAT")]
    pub(super) format: RowFormat,
    /// Which tables are printed
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", env = "OFFCUT_BY")]
    pub(super) by: By,
    /// Owners in the table, the largest first
    #[arg(long, value_name = "N", default_value_t = 20, env = "OFFCUT_TOP")]
    pub(super) top: usize,
    /// Whether the table is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", env = "OFFCUT_COLOR")]
    pub(super) color: Color,
    /// The image that this one was built upon, so that its own layers are known for certain
    #[arg(long, value_name = "[SCHEME:]REF", env = "OFFCUT_BASE")]
    pub(super) base: Option<String>,
}

#[derive(Args, Debug)]
#[command(mut_arg("reference", |old| old.index(1).value_name("OLD")
    .help("The image before, as for scan; or a report of it that scan -f json wrote: FILE, or report:FILE")))]
pub(super) struct Diff {
    /// The image before, and how both are read.
    #[command(flatten)]
    pub(super) image: Image,
    /// The image after, or a report of it
    #[arg(value_name = "NEW", index = 2)]
    pub(super) new: String,
    #[command(flatten)]
    pub(super) policies: Policies,
    /// Form of the comparison: a table, or one complete JSON document
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_DIFF_FORMAT")]
    pub(super) format: RowFormat,
    /// Write the comparison to FILE instead of standard output
    #[arg(short, long, value_name = "FILE", env = "OFFCUT_DIFF_OUTPUT")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) policy: Policy,
    /// Whether the table is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", env = "OFFCUT_COLOR")]
    pub(super) color: Color,
    /// The Dockerfile that the new image was built from, or auto: findings then name the line that brought them
    #[arg(long, value_name = "FILE|auto", env = "OFFCUT_DOCKERFILE")]
    pub(super) dockerfile: Option<PathBuf>,
    /// The Dockerfile that the old image was built from, so that moved lines are told
    #[arg(long, value_name = "FILE", env = "OFFCUT_OLD_DOCKERFILE")]
    pub(super) old_dockerfile: Option<PathBuf>,
    /// Look for no secrets
    #[arg(long, env = "OFFCUT_NO_SECRETS", value_parser = FalseyValueParser::new())]
    pub(super) no_secrets: bool,
}

#[derive(Args, Debug)]
pub(super) struct Files {
    #[command(flatten)]
    pub(super) image: Image,
    /// List also what upper layers hide
    #[arg(long, env = "OFFCUT_ALL", value_parser = FalseyValueParser::new())]
    pub(super) all: bool,
    /// Form of a row: a line of columns, or a JSON object
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_FILES_FORMAT")]
    pub(super) format: RowFormat,
}

/// What is said on standard error beside errors, and in which form.
#[derive(Args, Debug)]
pub(super) struct Log {
    /// Tell on standard error what is done, and how long it took; --quiet wins
    #[arg(short, long, global = true, env = "OFFCUT_VERBOSE", value_parser = FalseyValueParser::new())]
    pub(super) verbose: bool,
    /// Form of what goes to standard error: text, or a JSON object a line
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT", env = "OFFCUT_LOG_FORMAT")]
    pub(super) log_format: LogFormat,
}

impl Command {
    /// Whether nothing but errors is to be said.
    pub(super) fn is_quiet(&self) -> bool {
        match self {
            Self::Scan(args) => args.image.quiet,
            Self::Fix(args) => args.image.quiet,
            Self::Files(args) => args.image.quiet,
            Self::Ledger(args) => args.image.quiet,
            Self::Diff(args) => args.image.quiet,
            Self::Rules { .. } | Self::Explain { .. } | Self::Completion { .. } | Self::Man { .. } => false,
            Self::Version { .. } => false,
        }
    }
}

/// Which image, and how it is read.
#[derive(Args, Debug)]
pub(super) struct Image {
    /// The image: docker:NAME, podman:NAME, docker-archive:FILE, oci-archive:FILE, oci-dir:DIR, dir:DIR, - for an
    /// archive on standard input; without a scheme an existing path, else a name that Docker or Podman knows
    #[arg(value_name = "[SCHEME:]REF")]
    pub(super) reference: String,
    /// Which image of several, such as linux/arm64 [default: linux on this machine's architecture]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = platform, env = "OFFCUT_PLATFORM")]
    platform: Option<Platform>,
    /// Address of the Docker engine
    #[arg(long, value_name = "URL", env = "OFFCUT_DOCKER_HOST")]
    docker_host: Option<String>,
    /// Docker context that names the engine
    #[arg(long, value_name = "NAME", env = "OFFCUT_DOCKER_CONTEXT")]
    docker_context: Option<String>,
    /// Directory of the docker client's settings, which hold its contexts [default: DOCKER_CONFIG, or ~/.docker]
    #[arg(long, value_name = "DIR", env = "OFFCUT_DOCKER_CONFIG")]
    docker_config: Option<String>,
    /// Address of Podman's service
    #[arg(long, value_name = "URL", env = "OFFCUT_PODMAN_HOST")]
    podman_host: Option<String>,
    /// Threads [default: as many as the machine runs at once]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "OFFCUT_JOBS")]
    jobs: Option<u16>,
    /// Most uncompressed bytes of an image, such as 20GB
    #[arg(long, value_name = "SIZE", value_parser = size, env = "OFFCUT_MAX_IMAGE_SIZE")]
    max_image_size: Option<u64>,
    /// Most archive entries of one layer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), env = "OFFCUT_MAX_FILES")]
    max_files: Option<u64>,
    /// Most uncompressed bytes for each stored byte of a large layer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), env = "OFFCUT_MAX_RATIO")]
    max_ratio: Option<u64>,
    /// Print nothing on standard error but errors
    #[arg(short, long, env = "OFFCUT_QUIET", value_parser = FalseyValueParser::new())]
    pub(super) quiet: bool,
    /// Draw no progress bar
    #[arg(long, env = "OFFCUT_NO_PROGRESS", value_parser = FalseyValueParser::new())]
    pub(super) no_progress: bool,
}

/// Where the rules come from.
#[derive(Args, Debug)]
pub(super) struct Policies {
    /// Directory of rules to use instead of the built-in ones
    #[arg(long = "policies", value_name = "DIR", env = "OFFCUT_POLICIES")]
    pub(super) dir: Option<PathBuf>,
    /// File of more rules, such as secrets of your own; may be given several times
    #[arg(long = "rules", value_name = "FILE", env = "OFFCUT_RULES")]
    pub(super) rules: Vec<PathBuf>,
}

impl Image {
    /// How the source is to look for the image.
    pub(super) fn source(&self) -> source::Options {
        source::Options {
            platform: self.platform.clone(),
            docker_host: self.docker_host.clone(),
            podman_host: self.podman_host.clone(),
            docker_context: self.docker_context.clone(),
            docker_config: self.docker_config.clone(),
            max_bytes: Some(self.limits().image_bytes),
        }
    }

    /// The limits, the built-in ones where nothing else was said.
    pub(super) fn limits(&self) -> Limits {
        let built_in = Limits::default();
        Limits {
            image_bytes: self.max_image_size.unwrap_or(built_in.image_bytes),
            entries: self.max_files.unwrap_or(built_in.entries),
            ratio: self.max_ratio.unwrap_or(built_in.ratio),
            ..built_in
        }
    }

    /// Threads to use.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from)
    }
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Table,
    /// For programs; complete
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For the comment of a pull request and the summary of a job
    Markdown,
    /// For the annotations of a GitHub Actions run
    Github,
    /// For continuous integration: a test case for each rule
    Junit,
    /// For spreadsheets
    Csv,
    /// For GitLab: container scanning
    Gitlab,
    /// For GitLab: secret detection
    GitlabSecret,
    /// For GitLab: code quality
    GitlabCodequality,
    /// For attestations: an in-toto statement with a test result
    InTotoTestResult,
    /// For attestations: an in-toto statement with the properties that hold
    InTotoSvr,
    /// For audits: OSCAL assessment results
    Oscal,
    /// For inventories: tools and packages of development as components of a CycloneDX 1.6 document
    Cyclonedx,
    /// To print and to keep: one HTML file
    Html,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum RowFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people
    #[default]
    Table,
    /// For programs; complete
    Json,
    /// The page docs/rules.md
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum VersionFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs: a JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum By {
    /// One row for each layer
    Layer,
    /// One row for each owner
    Owner,
    /// Both
    #[default]
    Both,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What `--fail-on` says: the least severity that fails, or none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gate(pub(super) Option<Severity>);

impl FromStr for Gate {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "never" {
            return Ok(Self(None));
        }
        word.parse().map(|severity| Self(Some(severity))).map_err(|e: String| format!("{e}, or never"))
    }
}

/// What `--output` says: a file, and the form if it is one more report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Output {
    pub(super) format: Option<Format>,
    /// `-` is standard output.
    pub(super) file: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    /// A word before `=` must be a format: a misspelt one would silently become a file of that name.
    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((word, file)) if !word.contains(['/', '.']) => {
                let format = <Format as ValueEnum>::from_str(word, false).map_err(|_| {
                    let known: Vec<String> = Format::value_variants()
                        .iter()
                        .filter_map(|format| Some(format.to_possible_value()?.get_name().to_string()))
                        .collect();
                    format!("'{word}' is no format; use {}, or ./{text} for a file of that name", known.join(", "))
                })?;
                (Some(format), file)
            }
            _ => (None, text),
        };
        if file.is_empty() { Err("the file name is empty".into()) } else { Ok(Self { format, file: file.into() }) }
    }
}

/// Puts `scan` in front of arguments that name no command, so that `offcut IMAGE` works.
///
/// Options that every command takes may stand in front of it.
pub(super) fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let word = |at: usize| args.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let mut at = 1;
    loop {
        at += match word(at) {
            "-v" | "--verbose" => 1,
            "--log-format" => 2,
            assigned if assigned.starts_with("--log-format=") => 1,
            _ => break,
        };
    }
    if args.len() > 1 && !COMMANDS.contains(&word(at)) {
        args.insert(1, "scan".into());
    }
    args
}

/// The form of standard error, before the line is read as a whole: a line that is refused is told in it too.
pub(super) fn log_format(args: &[OsString], env: impl Fn(&str) -> Option<String>) -> LogFormat {
    const OPTION: &str = "--log-format";
    let mut words = args.iter().skip(1).filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let typed = words.find_map(|word| match word.split_once('=') {
        Some((OPTION, value)) => Some(Some(value.to_string())),
        None if word == OPTION => Some(None),
        _ => None,
    });
    let value = match typed {
        Some(value) => value.or_else(|| words.next().map(str::to_string)),
        None => env("OFFCUT_LOG_FORMAT"),
    };
    value.and_then(|value| LogFormat::from_str(&value, false).ok()).unwrap_or_default()
}

/// What may stand in the place of a command.
const COMMANDS: [&str; 14] = [
    "scan",
    "fix",
    "files",
    "ledger",
    "diff",
    "rules",
    "explain",
    "completion",
    "man",
    "version",
    "-h",
    "--help",
    "-V",
    "--version",
];

fn platform(text: &str) -> Result<Platform, String> {
    let mut parts = text.split('/');
    let mut part = || parts.next().unwrap_or_default().to_string();
    let platform = Platform { os: part(), architecture: part(), variant: part() };
    let whole = platform.to_string() == text && !platform.os.is_empty() && !platform.architecture.is_empty();
    if whole { Ok(platform) } else { Err("a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64/v8".into()) }
}

/// A size that is not zero.
fn size(text: &str) -> Result<u64, String> {
    model::size::parse(text).and_then(|bytes| if bytes > 0 { Ok(bytes) } else { Err("the size is zero".into()) })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Every command of the program, those of commands too.
    fn commands() -> Vec<clap::Command> {
        let mut root = Cli::command();
        root.build();
        let (mut all, mut at) = (vec![root], 0);
        while let Some(command) = all.get(at) {
            let below: Vec<_> = command.get_subcommands().cloned().collect();
            all.extend(below);
            at += 1;
        }
        all
    }

    #[test]
    fn every_option_can_be_set_through_the_environment() {
        // Two commands may share a variable only where it means the same and takes the same words.
        let mut seen: std::collections::HashMap<String, (String, String)> = std::collections::HashMap::new();
        let mut options = 0;
        for command in commands() {
            for option in command.get_arguments().filter(|o| !o.is_positional()) {
                let Some(long) = option.get_long() else { panic!("{} has only a letter", option.get_id()) };
                if matches!(long, "help" | "version") {
                    continue;
                }
                options += 1;
                let at = format!("{} --{long}", command.get_name());
                let variable = option.get_env().unwrap_or_else(|| panic!("{at} has no variable"));
                let variable = variable.to_str().expect("text").to_string();
                let plain = format!("OFFCUT_{}", long.to_ascii_uppercase().replace('-', "_"));
                let (_, ending) = plain.split_at("OFFCUT_".len());
                assert!(
                    variable == plain || variable.starts_with("OFFCUT_") && variable.ends_with(&format!("_{ending}"))
                );
                let words: Vec<_> = option.get_possible_values().iter().map(|v| v.get_name().to_string()).collect();
                let takes = format!("{:?} {words:?}", option.get_value_names());
                let (other, before) = seen.entry(variable.clone()).or_insert_with(|| (at.clone(), takes.clone()));
                if words.len() > 1 {
                    assert_eq!(*before, takes, "{variable} is that of {other} and of {at}");
                }
            }
        }
        assert!(options > 60, "only {options} options were seen");
    }

    #[test]
    fn the_form_of_errors_is_known_before_the_line_is_read() {
        let format = |line: &str, env: Option<&str>| {
            let args: Vec<_> = line.split(' ').map(OsString::from).collect();
            log_format(&args, |name| env.filter(|_| name == "OFFCUT_LOG_FORMAT").map(str::to_string))
        };
        for line in
            ["offcut --log-format json", "offcut scan --no-such --log-format=json", "offcut x --log-format json"]
        {
            assert_eq!(format(line, None), LogFormat::Json, "{line}");
        }
        for line in ["offcut", "offcut --log-format", "offcut --log-format xml", "offcut -- --log-format json"] {
            assert_eq!(format(line, None), LogFormat::Text, "{line}");
        }
        assert_eq!(format("offcut x", Some("json")), LogFormat::Json);
        assert_eq!(format("offcut x --log-format text", Some("json")), LogFormat::Text);
    }

    #[test]
    fn no_command_is_taken_for_an_image() {
        for command in Cli::command().get_subcommands() {
            assert!(COMMANDS.contains(&command.get_name()), "{}", command.get_name());
        }
    }

    fn typed(line: &str) -> Vec<String> {
        let args = with_default_command(line.split(' ').map(OsString::from).collect());
        args.into_iter().map(|a| a.into_string().expect("text")).collect()
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_image_alone_is_scanned() {
        assert_eq!(typed("offcut nginx"), ["offcut", "scan", "nginx"]);
        assert_eq!(typed("offcut -"), ["offcut", "scan", "-"]);
        assert_eq!(typed("offcut -f json nginx"), ["offcut", "scan", "-f", "json", "nginx"]);
        assert_eq!(typed("offcut -v nginx"), ["offcut", "scan", "-v", "nginx"]);
        assert_eq!(typed("offcut --log-format json nginx"), ["offcut", "scan", "--log-format", "json", "nginx"]);
        for line in ["offcut -v files x", "offcut --log-format json -v rules list", "offcut --log-format=json version"]
        {
            assert_eq!(typed(line).join(" "), line);
        }
        for line in ["offcut", "offcut scan rules", "offcut rules list", "offcut --help", "offcut -V"] {
            assert_eq!(typed(line).join(" "), line);
        }
    }

    #[test]
    fn an_output_is_a_file_or_a_format_and_a_file() {
        let output = |format, file: &str| Ok(Output { format, file: file.into() });
        assert_eq!("a.txt".parse(), output(None, "a.txt"));
        assert_eq!("-".parse(), output(None, "-"));
        assert_eq!("sarif=a.sarif".parse(), output(Some(Format::Sarif), "a.sarif"));
        assert_eq!("json=-".parse(), output(Some(Format::Json), "-"));
        assert_eq!("./a=b".parse(), output(None, "./a=b"));
        for bad in ["", "json=", "jsn=x", "a=b"] {
            assert!(bad.parse::<Output>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_a_size_above_zero() {
        assert_eq!(size("20GB"), Ok(20_000_000_000));
        for bad in ["0", "0GB", "1.5GB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn platforms_are_read_whole_or_not_at_all() {
        assert_eq!(platform("linux/arm64/v8").map(|p| p.to_string()), Ok("linux/arm64/v8".into()));
        assert_eq!(platform("linux/amd64").map(|p| p.variant), Ok(String::new()));
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/arm/"] {
            assert!(platform(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_that_were_not_typed_stay_the_built_in_ones() {
        let cli = Cli::try_parse_from(["offcut", "files", "x", "--max-files", "7"]).expect("it is right");
        let Command::Files(files) = cli.command else { unreachable!("files was typed") };
        assert_eq!(files.image.limits(), Limits { entries: 7, ..Limits::default() });
    }

    #[test]
    fn a_gate_is_a_severity_or_never() {
        assert_eq!("never".parse(), Ok(Gate(None)));
        assert_eq!("low".parse(), Ok(Gate(Some(Severity::Low))));
        assert!("none".parse::<Gate>().is_err());
    }
}
