//! The command line of the user's engine: builds, starts, asks, and cleans up after itself.
//!
//! The command line and not the interface, since a build wants the user's own builder, credentials and cache.

use std::{
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ChildStdout, Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// Most bytes of an answer that are kept.
const ANSWER_MAX: u64 = 1 << 20;

/// Between two looks at a process.
const WAIT: Duration = Duration::from_millis(20);

/// What ends a process whose output nobody reads any more (signal(7)).
const SIGPIPE: i32 = 13;

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

/// What a command said, and whether it ended well.
pub(super) struct Said {
    pub good: bool,
    pub text: String,
}

/// Reads the beginning of what a process prints.
fn reader(pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until an error is what it said; nobody may be waiting for it any more.
        let _ = pipe.take(ANSWER_MAX).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
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

    /// Gives its archive to `read`. Where the engine fails at it, that is why the archive could not be read.
    pub(super) fn save<T>(&self, read: impl FnOnce(ChildStdout) -> T) -> Result<T, Failed> {
        let mut command = Command::new(&self.engine.program);
        command.args(["save", &self.tag]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take().map(reader));
        let done = out.map(read).ok_or_else(|| Failed("it has no output".to_string()))?;
        let status = child.wait()?;
        // Whoever stopped reading has a reason that says more.
        if status.success() || status.signal() == Some(SIGPIPE) {
            return Ok(done);
        }
        let stderr = err.and_then(|err| err.recv().ok()).unwrap_or_default();
        Err(Failed::of(&Output { status, stdout: Vec::new(), stderr }))
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

    /// Runs the user's command, which finds the container by its variables. It is stopped at the deadline, and of what it
    /// prints the beginning is kept.
    pub(super) fn smoke(&self, command: &str, image: &str, deadline: Instant) -> std::io::Result<Said> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", command])
            .env("OFFCUT_CONTAINER", &self.id)
            .env("OFFCUT_ADDRESS", self.address())
            .env("OFFCUT_IMAGE", image)
            .env("OFFCUT_ENGINE", &self.engine.program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (out, err) = (child.stdout.take().map(reader), child.stderr.take().map(reader));
        let status = loop {
            match child.try_wait()? {
                Some(status) => break Some(status),
                None if Instant::now() >= deadline => {
                    child.kill()?;
                    child.wait()?;
                    break None;
                }
                None => std::thread::sleep(WAIT),
            }
        };
        let Some(status) = status else {
            // What it started may go on and hold the pipes: nobody waits for that.
            return Ok(Said { good: false, text: "it did not end in time".to_string() });
        };
        let pipe = if status.success() { out } else { err };
        // What it left running may hold the pipe open for as long as it likes.
        let left = deadline.saturating_duration_since(Instant::now()).max(WAIT);
        let text = pipe.and_then(|pipe| pipe.recv_timeout(left).ok()).unwrap_or_default();
        Ok(Said { good: status.success(), text: String::from_utf8_lossy(&text).trim().to_string() })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: &str, patience: Duration) -> Said {
        let engine = Engine { program: "/bin/true".to_string() };
        let container = Container { engine: &engine, id: "c0ffee".to_string() };
        container.smoke(command, "offcut:image", Instant::now() + patience).expect("a shell is there")
    }

    #[test]
    fn a_command_finds_its_container_and_says_how_it_went() {
        let long = Duration::from_secs(20);
        let good = said("echo $OFFCUT_CONTAINER $OFFCUT_IMAGE; echo no >&2", long);
        assert_eq!((good.good, good.text.as_str()), (true, "c0ffee offcut:image"));
        let bad = said("echo yes; echo why >&2; exit 3", long);
        assert_eq!((bad.good, bad.text.as_str()), (false, "why"));
    }

    #[test]
    fn a_command_that_does_not_end_or_prints_without_end_is_stopped() {
        let start = Instant::now();
        let said = said("sleep 60 & yes", Duration::from_millis(300));
        assert!(!said.good, "{}", said.text.len());
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn what_a_command_leaves_running_is_not_waited_for() {
        let start = Instant::now();
        let said = said("sleep 60 & echo up", Duration::from_millis(500));
        assert!(said.good && start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn an_archive_is_what_the_engine_saves() {
        let built = |program: &str| {
            let engine = Engine { program: program.to_string() };
            Built { engine, tag: "offcut:image".to_string() }
        };
        let text = |mut archive: ChildStdout| {
            let mut text = String::new();
            archive.read_to_string(&mut text).expect("a pipe");
            text
        };
        let saved = built("echo").save(text);
        assert_eq!(saved.map_err(|Failed(why)| why), Ok("save offcut:image\n".to_string()));
        // It knows neither file, and says so.
        let Err(Failed(why)) = built("ls").save(text) else { panic!("it failed") };
        assert!(why.contains("offcut:image"), "{why}");
        // More than a pipe holds: it is stopped, and what the reader made of it counts.
        assert!(built("yes").save(drop).is_ok());
    }
}
