//! The Go program on the other side of two pipes.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use tempfile::TempDir;

use crate::{
    listing::{self, Listing},
    mutate::Random,
};

pub struct Oracle {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    streams: u64,
    accepted: u64,
    entries: u64,
    _dir: TempDir,
}

impl Oracle {
    /// Builds and starts the Go program; `None` without Go, unless Go is required.
    pub fn start() -> Option<Self> {
        if let Err(error) = Command::new("go").arg("version").stdout(Stdio::null()).status() {
            let required = env::var_os("OFFCUT_REQUIRE_GO").is_some_and(|value| value == "1");
            assert!(!required, "OFFCUT_REQUIRE_GO=1 is set and go can not be started: {error}");
            say(&format!("NOT RUN: go can not be started ({error}); set OFFCUT_REQUIRE_GO=1 to make this a failure"));
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let program = dir.path().join("tar-oracle");
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/tar-oracle.go");
        let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(source).status();
        assert!(built.expect("go was there a moment ago").success(), "the oracle does not build");
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the oracle starts");
        let to = child.stdin.take();
        let from = BufReader::with_capacity(1 << 20, child.stdout.take().expect("its output was asked for"));
        Some(Self { child, to, from, streams: 0, accepted: 0, entries: 0, _dir: dir })
    }

    /// Lets Go and our drivers list the streams, and fails on the first difference.
    pub fn compare(&mut self, streams: &[Vec<u8>], random: &mut Random) {
        let Self { to, from, .. } = self;
        let to = to.as_mut().expect("it is closed at the end only");
        let listings: Vec<_> = thread::scope(|scope| {
            scope.spawn(move || {
                for stream in streams {
                    let len = u32::try_from(stream.len()).expect("archives of a test are small");
                    to.write_all(&len.to_le_bytes()).and_then(|()| to.write_all(stream)).expect("the oracle reads");
                }
                to.flush().expect("the oracle reads");
            });
            streams.iter().map(|_| read_listing(from)).collect()
        });
        for (stream, go) in streams.iter().zip(&listings) {
            let ours = listing::feed(stream, random);
            check(listing::agree(go, &ours), stream, go, &ours);
            let pulled = listing::pull(stream);
            check(pulled == ours, stream, go, &pulled);
            let sought = listing::seek(stream);
            check(sought == ours, stream, go, &sought);
            self.streams += 1;
            self.accepted += u64::from(ours.error.is_none());
            self.entries += ours.lines.len() as u64 / 2;
        }
    }

    /// Says how much was compared.
    pub fn tell(&self) {
        let Self { streams, accepted, entries, .. } = self;
        say(&format!("compared {streams} streams with Go: {accepted} accepted, {entries} entries"));
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.to = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the lines of one stream, the last of which is `ok` or `error`.
fn read_listing(from: &mut impl BufRead) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        let read = from.read_line(&mut line).expect("the oracle writes text");
        assert!(read > 0, "the oracle has stopped");
        line.truncate(line.trim_end_matches('\n').len());
        let last = line == "ok" || line == "error";
        lines.push(line);
        if last {
            return lines;
        }
    }
}

/// Fails with both listings; the stream is kept for a closer look.
fn check(same: bool, stream: &[u8], go: &[String], ours: &Listing) {
    if !same {
        let kept = env::temp_dir().join("offcut-tar-difference.tar");
        let _ = fs::write(&kept, stream);
        assert!(same, "Go and we differ on {}\nGo: {go:#?}\nwe: {ours:#?}", kept.display());
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn say(text: &str) {
    eprintln!("tar_go: {text}");
}
