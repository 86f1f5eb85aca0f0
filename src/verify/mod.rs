//! Proves a rewrite: builds the old Dockerfile and the new one with the user's engine, and compares what came of them.
//!
//! Compared are the findings, the bytes, the configuration of the run and, where there is something to ask, the behaviour: what
//! the user's own command says, or the image's health check. Images and containers that were made for it go again.

mod engine;

use std::{
    collections::BTreeSet,
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use self::engine::{Build, Built, Container, Engine, Failed, Said};
use crate::{
    catalogue::Catalogue,
    error::{Error, Result},
    model::{ImageConfig, Report, Rewrite, Severity},
    rule,
    scan::{self, ScanOptions},
};

/// How long a container may take until it answers, by default.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(300);

/// How long a container that nothing can be asked of is watched.
const WATCHED: Duration = Duration::from_secs(3);

/// What is proved with.
#[derive(Clone, Debug)]
pub struct Proof<'a> {
    /// The command line of an engine; `None` for the first that answers.
    pub engine: Option<&'a str>,
    /// The directory that is built.
    pub context: &'a Path,
    /// Build arguments, `NAME=value` each.
    pub arguments: &'a [String],
    /// More options of the engine's build command.
    pub build_options: &'a [String],
    /// More options of the engine's run command.
    pub run_options: &'a [String],
    /// The user's own command that asks the container.
    pub smoke: Option<&'a str>,
    /// How long that may fail.
    pub patience: Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// The old image.
    pub before: Measured,
    /// The new one.
    pub after: Measured,
    /// Bytes that were predicted to be saved, where the new base is known.
    pub predicted: Option<u64>,
    /// What of the configuration is not as it was, each in a sentence without a full stop.
    pub changed: Vec<String>,
    /// What was asked of both.
    pub asked: String,
    /// What is not as it was when they run; `None` if all of it is.
    pub fault: Option<String>,
}

/// An image as it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// Bytes of all files in all layers.
    pub bytes: u64,
    /// Findings at medium and above.
    pub loud: usize,
    /// Their rules, each once.
    pub rules: BTreeSet<String>,
}

impl Verified {
    /// Whether the new image does all that the old one did, and is not worse.
    pub fn holds(&self) -> bool {
        self.fault.is_none() && self.changed.is_empty() && self.after.loud <= self.before.loud
    }

    /// Bytes that are saved.
    pub fn saved(&self) -> u64 {
        self.before.bytes.saturating_sub(self.after.bytes)
    }

    /// By how much of the measured saving the prediction is off.
    pub fn error(&self) -> Option<f64> {
        let saved = self.saved();
        (saved > 0).then_some(self.predicted?.abs_diff(saved) as f64 / saved as f64)
    }
}

/// Builds both and compares them.
///
/// # Errors
/// When there is no engine, or when the old Dockerfile does not build: then nothing can be compared. A new one that does not
/// build is an error, too, and a bug of offcut.
pub fn verify(
    old: &str,
    rewrite: &Rewrite,
    proof: &Proof<'_>,
    catalogue: &Catalogue,
    options: &ScanOptions,
) -> Result<Verified> {
    let engine = Engine::find(proof.engine)?;
    let build = Build { context: proof.context, arguments: proof.arguments, options: proof.build_options };
    let tag = |what: &str| format!("offcut-verify-{}:{what}", process::id());
    let failed = |what: &str, Failed(why): Failed| Error::judge(what.to_string()).cause(rule::masked(catalogue, why));
    let context = proof.context.display();
    let before = engine.build(&build, old, &tag("before")).map_err(|why| {
        failed("the Dockerfile as it is does not build", why)
            .help(format!("is \"{context}\" its context? name it with --context"))
    })?;
    let after = engine.build(&build, &rewrite.dockerfile, &tag("after")).map_err(|why| {
        failed("the rewritten Dockerfile does not build", why)
            .help("report it with the Dockerfile: this is a bug in offcut")
    })?;
    // By the engine's own command: its address, and whether it has one, is no matter of ours.
    let scanned = |built: &Built| {
        let read = |archive| scan::scan_stream(&built.tag, Box::new(archive), catalogue, options);
        built.save(read).map_err(|why| failed("the engine can not save what it built", why))?
    };
    let (old_report, new_report) = (scanned(&before)?, scanned(&after)?);
    let config = |report: &Report| report.image.config.clone().unwrap_or_default();
    let (asked, fault) = behaviour(&before, &after, &config(&old_report), proof)
        .map_err(|why| failed("the containers can not be compared", why))?;
    Ok(Verified {
        before: measured(&old_report),
        after: measured(&new_report),
        predicted: rewrite.after().map(|after| rewrite.before.saturating_sub(after)),
        changed: changed(&config(&old_report), &config(&new_report), &rewrite.left),
        asked,
        fault: fault.map(|text| rule::masked(catalogue, text)),
    })
}

fn measured(report: &Report) -> Measured {
    let loud = report.findings.iter().filter(|finding| finding.reaches(Severity::Medium));
    Measured {
        bytes: report.totals.bytes.saturating_add(report.totals.buried_bytes),
        loud: loud.clone().count(),
        rules: loud.map(|finding| finding.rule.clone()).collect(),
    }
}

/// What of the configuration of the run is not as it was. A user is meant to change, and so is what the old base `left`.
fn changed(old: &ImageConfig, new: &ImageConfig, left: &[&str]) -> Vec<String> {
    let mut changed = Vec::new();
    let mut compare = |what: &str, same: bool| {
        if !same && !left.contains(&what) {
            changed.push(format!("{what} is not as it was"));
        }
    };
    compare("ENTRYPOINT", old.entrypoint == new.entrypoint);
    compare("CMD", old.cmd == new.cmd);
    compare("WORKDIR", old.working_dir == new.working_dir);
    compare("EXPOSE", old.exposed_ports == new.exposed_ports);
    compare("HEALTHCHECK", old.healthcheck == new.healthcheck);
    compare("VOLUME", old.volumes == new.volumes);
    compare("LABEL", old.labels.iter().all(|(name, value)| new.labels.get(name) == Some(value)));
    changed
}

/// What was asked, and what is not as it was.
fn behaviour(
    before: &Built,
    after: &Built,
    config: &ImageConfig,
    proof: &Proof<'_>,
) -> Result<(String, Option<String>), Failed> {
    let has_health = config.healthcheck.first().is_some_and(|word| word != "NONE");
    let ask: &dyn Fn(&Built, &Container<'_>) -> Result<Said, Failed> = match proof.smoke {
        Some(command) => &|built, container| smoke(built, container, command, proof.patience),
        None if has_health => &|_, container| health(container, proof.patience),
        None => &|_, container| alive(container),
    };
    let asked = match proof.smoke {
        Some(command) => format!("`{command}`"),
        None if has_health => "the health check".to_string(),
        None => format!("whether it runs after {} seconds: give --smoke a command that asks more", WATCHED.as_secs()),
    };
    let answer = |built: &Built| -> Result<(Said, String), Failed> {
        let container = built.start(proof.run_options)?;
        let answer = ask(built, &container)?;
        let logs = if answer.good { String::new() } else { container.logs() };
        Ok((answer, logs))
    };
    let (old, logs) = answer(before)?;
    if !old.good {
        return Err(Failed(format!("the image as it is gives no good answer to {asked}: {}\n{logs}", old.text)));
    }
    let (new, logs) = match answer(after) {
        Ok(answer) => answer,
        Err(Failed(why)) => return Ok((asked, Some(format!("the new image does not start: {why}")))),
    };
    let fault = match (new.good, new.text == old.text) {
        (true, true) => None,
        (true, false) => Some("the new image answers, and not the same".to_string()),
        (false, _) => Some(format!("the new image gives no good answer: {}\n{logs}", new.text)),
    };
    Ok((asked, fault))
}

/// Asks until the user's command succeeds, or until there is no hope.
fn smoke(built: &Built, container: &Container<'_>, command: &str, patience: Duration) -> Result<Said, Failed> {
    let deadline = Instant::now() + patience;
    loop {
        let said = container.smoke(command, &built.tag, deadline)?;
        let ended = !container.status()?.starts_with("running");
        if said.good || ended || Instant::now() >= deadline {
            return Ok(said);
        }
        thread::sleep(PAUSE);
    }
}

fn health(container: &Container<'_>, patience: Duration) -> Result<Said, Failed> {
    let start = Instant::now();
    loop {
        let health = container.health()?;
        let ended = !container.status()?.starts_with("running");
        if health == "healthy" || ended || health == "unhealthy" || start.elapsed() > patience {
            return Ok(Said { good: health == "healthy", text: health });
        }
        thread::sleep(PAUSE);
    }
}

/// Whether it runs on, or has ended well.
fn alive(container: &Container<'_>) -> Result<Said, Failed> {
    let start = Instant::now();
    loop {
        let status = container.status()?;
        let runs = status.starts_with("running");
        if !runs || start.elapsed() > WATCHED {
            return Ok(Said { good: runs || status == "exited 0", text: status });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_run_is_configured_by_is_compared() {
        let old = ImageConfig { user: "0".into(), cmd: vec!["a".into()], ..ImageConfig::default() };
        let mut new = ImageConfig { user: "1".into(), ..old.clone() };
        new.labels.insert("base".into(), "x".into());
        assert!(changed(&old, &new, &[]).is_empty(), "a label of the base may be new");
        new.cmd = vec!["b".into()];
        assert_eq!(changed(&old, &new, &[]), ["CMD is not as it was"]);
        assert_eq!(changed(&new, &old, &[]), ["CMD is not as it was", "LABEL is not as it was"]);
        let of_base = ImageConfig { entrypoint: vec!["/prepare".into()], ..old.clone() };
        assert_eq!(changed(&of_base, &old, &[]), ["ENTRYPOINT is not as it was"]);
        assert!(changed(&of_base, &old, &["ENTRYPOINT"]).is_empty(), "it prepared what builds");
    }

    #[test]
    fn the_error_of_a_prediction_is_a_part_of_what_was_saved() {
        let measured = |bytes| Measured { bytes, ..Measured::default() };
        let mut verified = Verified {
            before: measured(1_000),
            after: measured(200),
            predicted: Some(780),
            changed: Vec::new(),
            asked: String::new(),
            fault: None,
        };
        assert!(verified.holds());
        assert_eq!(verified.error(), Some(0.025));
        verified.after.loud = 1;
        assert!(!verified.holds(), "it is worse");
        verified.predicted = None;
        assert_eq!(verified.error(), None);
    }

    #[test]
    fn an_engine_that_is_not_there_is_named() {
        let error = Engine::find(Some("no-such-engine")).expect_err("it is not there");
        assert!(error.to_string().contains("no-such-engine"), "{error}");
        assert!(error.help.is_some_and(|help| help.contains("--engine")));
    }
}
