//! Standard error: text for people, or a JSON object a line for programs that collect logs.
//!
//! What is written here is beside the report; nothing of the report depends on it. Texts arrive without secrets and with
//! control characters escaped, as they do everywhere.

use std::{
    io::{self, Write},
    time::Instant,
};

use serde::Serialize;

use super::args::LogFormat;
use crate::error::Error;

/// How much a line matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// The run stopped.
    Error,
    /// The image did not pass, or something was not read.
    Warning,
    /// What people want to know.
    Info,
    /// What `--verbose` adds.
    Debug,
}

/// Standard error.
///
/// It is a `Write` too: what is written as text becomes a line of the level `info`.
pub(super) struct Log<'a> {
    out: &'a mut dyn Write,
    format: LogFormat,
    verbose: bool,
    started: Instant,
    /// The beginning of a line that was written as text.
    line: Vec<u8>,
}

impl<'a> Log<'a> {
    pub(super) fn new(out: &'a mut dyn Write, format: LogFormat, verbose: bool) -> Self {
        Self { out, format, verbose, started: Instant::now(), line: Vec::new() }
    }

    /// Whether people read it, so that a progress bar may be drawn on it.
    pub(super) fn is_text(&self) -> bool {
        self.format == LogFormat::Text
    }

    /// Writes one line. There is nowhere to complain when standard error is gone; the exit code says the same.
    pub(super) fn tell(&mut self, level: Level, message: &str) {
        let _ = match self.format {
            LogFormat::Text if level == Level::Debug => writeln!(self.out, "debug: {message}"),
            LogFormat::Text => writeln!(self.out, "{message}"),
            LogFormat::Json => self.object(level, message, &[], None),
        };
    }

    /// Writes a line that only `--verbose` asks for; the text is not made otherwise.
    pub(super) fn debug(&mut self, message: impl FnOnce() -> String) {
        if self.verbose {
            self.tell(Level::Debug, &message());
        }
    }

    /// Writes what could not be done, why, and what to try: each on a line of its own, or as one object.
    ///
    /// # Errors
    /// Those of standard error.
    pub(super) fn error(&mut self, error: &Error) -> io::Result<()> {
        if self.format == LogFormat::Json {
            return self.object(Level::Error, &error.what, &error.causes, error.help.as_deref());
        }
        writeln!(self.out, "error: {}", error.what)?;
        for cause in &error.causes {
            writeln!(self.out, "  cause: {cause}")?;
        }
        if let Some(help) = &error.help {
            writeln!(self.out, "  help: {help}")?;
        }
        Ok(())
    }

    fn object(&mut self, level: Level, message: &str, causes: &[String], help: Option<&str>) -> io::Result<()> {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut line = serde_json::to_vec(&Object { elapsed_ms, level, message, causes, help })?;
        line.push(b'\n');
        // One write, so that lines of several programs on one pipe do not mix.
        self.out.write_all(&line)
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        match String::from_utf8_lossy(&line).trim_end() {
            "" => Ok(()),
            text => self.object(Level::Info, text, &[], None),
        }
    }
}

/// A line of `--log-format json`.
#[derive(Serialize)]
struct Object<'a> {
    /// Since the start of the program. Collectors add the time of the day, which differs between machines.
    elapsed_ms: u64,
    level: Level,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    causes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl Write for Log<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_text() {
            return self.out.write(bytes);
        }
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Log<'_> {
    fn drop(&mut self) {
        // Nowhere to complain.
        let _ = self.end_line();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn logged(format: LogFormat, verbose: bool, write: impl FnOnce(&mut Log<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Log::new(&mut out, format, verbose));
        String::from_utf8(out).expect("text")
    }

    fn objects(text: &str) -> Vec<Value> {
        let object = |line: &str| {
            let mut object: Value = serde_json::from_str(line).expect("an object a line");
            let time = object.as_object_mut().expect("an object").remove("elapsed_ms");
            assert!(time.is_some_and(|ms| ms.is_u64()), "{line}");
            object
        };
        text.lines().map(object).collect()
    }

    #[test]
    fn an_error_says_what_why_and_what_to_try() {
        let error = Error::judge("gzip stream ends early")
            .cause("unexpected end of file")
            .help("export the image again")
            .context("can not read layer 3 of \"shop/api:1.4\"");
        let text = logged(LogFormat::Text, false, |log| log.error(&error).expect("memory"));
        assert_eq!(
            text,
            "error: can not read layer 3 of \"shop/api:1.4\"\n  cause: gzip stream ends early\n  cause: unexpected end \
             of file\n  help: export the image again\n"
        );
        let text = logged(LogFormat::Json, false, |log| log.error(&error).expect("memory"));
        assert_eq!(
            objects(&text),
            [json!({
                "level": "error",
                "message": "can not read layer 3 of \"shop/api:1.4\"",
                "causes": ["gzip stream ends early", "unexpected end of file"],
                "help": "export the image again",
            })]
        );
    }

    #[test]
    fn what_is_verbose_is_told_only_when_asked_for() {
        let write = |log: &mut Log<'_>| {
            log.debug(|| "602 rules".to_string());
            log.tell(Level::Warning, "FAILED");
        };
        assert_eq!(logged(LogFormat::Text, false, write), "FAILED\n");
        assert_eq!(logged(LogFormat::Text, true, write), "debug: 602 rules\nFAILED\n");
        let levels = |text: &str| objects(text).iter().map(|o| o["level"].clone()).collect::<Vec<_>>();
        assert_eq!(levels(&logged(LogFormat::Json, true, write)), ["debug", "warning"]);
    }

    #[test]
    fn text_becomes_lines_of_json_however_it_is_cut() {
        let write = |log: &mut Log<'_>| {
            for part in ["a ta", "ble\n\n  of two\nli", "nes"] {
                log.write_all(part.as_bytes()).expect("memory");
            }
        };
        assert_eq!(logged(LogFormat::Text, false, write), "a table\n\n  of two\nlines");
        let text = logged(LogFormat::Json, false, write);
        let messages: Vec<_> = objects(&text).iter().map(|o| o["message"].clone()).collect();
        assert_eq!(messages, ["a table", "  of two", "lines"]);
    }
}
