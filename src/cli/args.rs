//! The command line: what can be typed, and the checks that need nothing but the text.
//!
//! Every option can be set through the environment as `OFFCUT_<OPTION>`; what is typed wins. Only the formats of
//! `files`, `ledger`, `fix` and `diff` have names of their own there, such as `OFFCUT_FILES_FORMAT`, since they take other
//! words than the format of `scan`; so has the output of `diff`.

use std::{ffi::OsString, path::PathBuf, str::FromStr, thread};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};

use crate::{
    layer::Limits,
    model::{Platform, Severity},
    source,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  the image passed
  1  a finding reached --fail-on
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
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// List every rule: id, severity, title
    List {
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
    /// Least severity that fails the scan with exit code 1
    #[arg(long, value_name = "SEVERITY|never", default_value = "high", env = "OFFCUT_FAIL_ON")]
    pub(super) fail_on: Gate,
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
    /// File of findings that are allowed, each with its reason; may be given several times
    #[arg(long, value_name = "FILE", env = "OFFCUT_ALLOW")]
    pub(super) allow: Vec<PathBuf>,
    /// Look for no secrets
    #[arg(long, env = "OFFCUT_NO_SECRETS", value_parser = FalseyValueParser::new())]
    pub(super) no_secrets: bool,
}

#[derive(Args, Debug)]
pub(super) struct Fix {
    #[command(flatten)]
    pub(super) image: Image,
    #[command(flatten)]
    pub(super) policies: Policies,
    /// The Dockerfile that the image was built from
    #[arg(long, value_name = "FILE", env = "OFFCUT_DOCKERFILE")]
    pub(super) dockerfile: PathBuf,
    /// The stage of the Dockerfile that was built [default: the one that fits]
    #[arg(long, value_name = "STAGE", env = "OFFCUT_TARGET")]
    pub(super) target: Option<String>,
    /// Form of what is printed: the Dockerfile with a table beside it, or one JSON document
    #[arg(short, long, value_enum, default_value_t, env = "OFFCUT_FIX_FORMAT")]
    pub(super) format: FixFormat,
    /// Print the changes as a unified diff
    #[arg(long, conflicts_with = "write", env = "OFFCUT_DIFF", value_parser = FalseyValueParser::new())]
    pub(super) diff: bool,
    /// Write the Dockerfile in place
    #[arg(long, env = "OFFCUT_WRITE", value_parser = FalseyValueParser::new())]
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
    /// Least severity of a new or risen finding that gives exit code 1
    #[arg(long, value_name = "SEVERITY|never", default_value = "high", env = "OFFCUT_FAIL_ON")]
    pub(super) fail_on: Gate,
    /// Whether the table is coloured
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", env = "OFFCUT_COLOR")]
    pub(super) color: Color,
    /// The Dockerfile that the new image was built from, or auto: findings then name the line that brought them
    #[arg(long, value_name = "FILE|auto", env = "OFFCUT_DOCKERFILE")]
    pub(super) dockerfile: Option<PathBuf>,
    /// The Dockerfile that the old image was built from, so that moved lines are told
    #[arg(long, value_name = "FILE", env = "OFFCUT_OLD_DOCKERFILE")]
    pub(super) old_dockerfile: Option<PathBuf>,
    /// File of findings that are allowed, each with its reason; may be given several times
    #[arg(long, value_name = "FILE", env = "OFFCUT_ALLOW")]
    pub(super) allow: Vec<PathBuf>,
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
                    format!(
                        "'{word}' is no format; use table, json, sarif or html, or ./{text} for a file of that name"
                    )
                })?;
                (Some(format), file)
            }
            _ => (None, text),
        };
        if file.is_empty() { Err("the file name is empty".into()) } else { Ok(Self { format, file: file.into() }) }
    }
}

/// Puts `scan` in front of arguments that name no command, so that `offcut IMAGE` works.
pub(super) fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    const COMMANDS: [&str; 11] =
        ["scan", "fix", "files", "ledger", "diff", "rules", "explain", "-h", "--help", "-V", "--version"];
    let named = |first: &OsString| first.to_str().is_some_and(|first| COMMANDS.contains(&first));
    if args.get(1).is_some_and(|first| !named(first)) {
        args.insert(1, "scan".into());
    }
    args
}

fn platform(text: &str) -> Result<Platform, String> {
    let mut parts = text.split('/');
    let mut part = || parts.next().unwrap_or_default().to_string();
    let platform = Platform { os: part(), architecture: part(), variant: part() };
    let whole = platform.to_string() == text && !platform.os.is_empty() && !platform.architecture.is_empty();
    if whole { Ok(platform) } else { Err("a platform is OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64/v8".into()) }
}

/// Reads `20GB`, `512MiB`, `1000000`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err("a size is a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 20GB".into()),
    };
    let number: u64 = number.parse().map_err(|_| "a size starts with a whole number, such as 20GB".to_string())?;
    number.checked_mul(factor).filter(|&bytes| bytes > 0).ok_or_else(|| "the size is zero or too large".to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

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
    fn sizes_are_read_in_both_kinds_of_units() {
        assert_eq!(size("20GB"), Ok(20_000_000_000));
        assert_eq!(size("512 MiB"), Ok(512 << 20));
        assert_eq!(size("7"), Ok(7));
        for bad in ["", "GB", "0", "1.5GB", "-1", "1XB", "99999999999TB", "1é"] {
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
