//! The command line of the user's engine: builds, starts, asks, and cleans up after itself.
//!
//! The command line and not the interface, since a build wants the user's own builder, credentials and cache.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::error::{Error, Result};

/// Lines of what a failed command said that an error shows.
const TOLD_LINES: usize = 12;

/// An engine that is at hand.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    program: String,
}

impl Engine {
    /// The engine of that name, or the first of Docker and Podman that answers.
    pub(super) fn find(named: Option<&str>) -> Result<Self> {
        let all = named.map_or_else(|| vec!["docker", "podman"], |name| vec![name]);
        let mut why = Vec::new();
        for program in all {
            let engine = Self { program: program.to_string() };
            match engine.output(&["version"]) {
                Ok(output) if output.status.success() => return Ok(engine),
                Ok(output) => why.push(format!("{program}: {}", last_line(&output.stderr))),
                Err(error) => why.push(format!("{program}: {error}")),
            }
        }
        let error = Error::judge("no engine can build the Dockerfiles").cause(why.join("; "));
        Err(error.help("start Docker or Podman, or name one with --engine"))
    }

    /// What a reference to one of its images begins with.
    pub(super) fn scheme(&self) -> &'static str {
        if self.program.ends_with("podman") { "podman" } else { "docker" }
    }

    /// Builds the Dockerfile into an image, which goes when it is dropped.
    pub(super) fn build(&self, build: &Build<'_>, dockerfile: &str, tag: &str) -> Result<Built, Failed> {
        let mut command = Command::new(&self.program);
        command.args(["build", "--tag", tag, "--file", "-"]);
        for argument in build.arguments {
            command.args(["--build-arg", argument]);
        }
        command.args(build.options).arg(build.context);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Written by a thread of its own: the engine may speak before it has read all of it.
        let writer = child.stdin.take().map(|mut stdin| {
            let text = dockerfile.as_bytes().to_vec();
            std::thread::spawn(move || stdin.write_all(&text))
        });
        let output = child.wait_with_output()?;
        drop(writer.map(std::thread::JoinHandle::join));
        if !output.status.success() {
            return Err(Failed::of(&output));
        }
        Ok(Built { engine: self.clone(), tag: tag.to_string() })
    }

    /// Runs a command of the engine and returns what it printed.
    fn ask(&self, words: &[&str]) -> Result<String, Failed> {
        let output = self.output(words)?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
        } else {
            Err(Failed::of(&output))
        }
    }

    fn output(&self, words: &[&str]) -> std::io::Result<Output> {
        Command::new(&self.program).args(words).stdin(Stdio::null()).output()
    }
}

/// What both Dockerfiles are built with.
#[derive(Clone, Debug)]
pub(super) struct Build<'a> {
    pub context: &'a Path,
    /// `NAME=value` each.
    pub arguments: &'a [String],
    pub options: &'a [String],
}

/// Why a command of the engine failed: the end of what it said.
#[derive(Clone, Debug)]
pub(super) struct Failed(pub String);

impl Failed {
    fn of(output: &Output) -> Self {
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let skipped = lines.len().saturating_sub(TOLD_LINES);
        Self(lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n"))
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// An image that was built.
pub(super) struct Built {
    engine: Engine,
    pub tag: String,
}

impl Built {
    /// Starts it.
    pub(super) fn start(&self, options: &[String]) -> Result<Container<'_>, Failed> {
        let mut words = vec!["run", "--detach"];
        words.extend(options.iter().map(String::as_str));
        words.push(&self.tag);
        let id = self.engine.ask(&words)?;
        Ok(Container { engine: &self.engine, id: id.lines().last().unwrap_or_default().to_string() })
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        // What can not be removed is left to the user's own cleaning.
        let _ = self.engine.output(&["rmi", "--force", &self.tag]);
    }
}

/// A container that was started, which goes when it is dropped.
pub(super) struct Container<'a> {
    engine: &'a Engine,
    pub id: String,
}

impl Container<'_> {
    /// `running`, `exited` and the like.
    pub(super) fn status(&self) -> Result<String, Failed> {
        self.engine.ask(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", &self.id])
    }

    /// `starting`, `healthy`, `unhealthy`.
    pub(super) fn health(&self) -> Result<String, Failed> {
        self.engine.ask(&["inspect", "--format", "{{.State.Health.Status}}", &self.id])
    }

    /// Its address, where it has one of its own.
    pub(super) fn address(&self) -> String {
        let form = "{{.NetworkSettings.IPAddress}}";
        self.engine.ask(&["inspect", "--format", form, &self.id]).unwrap_or_default()
    }

    /// The end of what it printed.
    pub(super) fn logs(&self) -> String {
        self.engine
            .output(&["logs", "--tail", "10", &self.id])
            .map_or_else(|e| e.to_string(), |output| Failed::of(&output).0)
    }

    /// Runs the user's command, which finds the container by its variables.
    pub(super) fn smoke(&self, command: &str, image: &str) -> std::io::Result<Output> {
        let engine: PathBuf = PathBuf::from(&self.engine.program);
        Command::new("/bin/sh")
            .args(["-c", command])
            .env("OFFCUT_CONTAINER", &self.id)
            .env("OFFCUT_ADDRESS", self.address())
            .env("OFFCUT_IMAGE", image)
            .env("OFFCUT_ENGINE", engine)
            .stdin(Stdio::null())
            .output()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.engine.output(&["rm", "--force", "--volumes", &self.id]);
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or("it failed")
        .to_string()
}
