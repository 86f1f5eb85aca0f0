//! Judges what of the Dockerfile decides about what ships and the image alone can not show.
//!
//! Style is nobody's business here. A file that is not the image's own is not judged; what is measured is told only where
//! the history says surely which line made a layer.

mod context;
mod secrets;
mod space;
mod stages;
mod takes;
#[cfg(test)]
mod tests;

pub(super) use self::stages::runs;

use crate::{
    attribution::{
        lines::{Line, Lines, Reason},
        told::Dockerfile,
    },
    catalogue::{Catalogue, Judgement, Rule},
    dockerfile::{BuildArgs, Command, Expanded, File, Instruction, Scope},
    inventory::Inventory,
    model::{Confidence, Evidence, EvidenceClass, Finding, ImageInfo, State},
};

use super::{group, masked};

/// The Dockerfile of an image, and which line made which of its layers.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The file.
    pub dockerfile: &'a Dockerfile,
    /// What it tells of the image.
    pub lines: &'a Lines,
}

/// Applies the rules about Dockerfiles.
pub(super) fn judge(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    written: &Written<'_>,
    now: i64,
) -> Vec<Finding> {
    let Some(view) = View::of(catalogue, image, written) else { return Vec::new() };
    let mut findings = takes::judge(&view);
    findings.extend(stages::judge(&view));
    findings.extend(secrets::judge(&view, now));
    findings.extend(space::judge(&view, inventory));
    findings.extend(context::judge(&view, inventory));
    findings
}

/// What the judgements look at.
struct View<'a> {
    catalogue: &'a Catalogue,
    image: &'a ImageInfo,
    dockerfile: &'a Dockerfile,
    file: &'a File,
    lines: &'a Lines,
    args: BuildArgs,
    /// The stage that was built.
    target: usize,
    /// It and the stages that it is built upon: what they make is in the image.
    chain: Vec<usize>,
    /// The stages that a build of it goes through.
    used: Vec<bool>,
}

impl<'a> View<'a> {
    fn of(catalogue: &'a Catalogue, image: &'a ImageInfo, written: &Written<'a>) -> Option<Self> {
        let Written { dockerfile, lines } = *written;
        let file = dockerfile.file();
        if matches!(lines.reason(), Some(Reason::OtherFile(_) | Reason::NoSuchStage(_))) {
            return None;
        }
        let target = lines.stage.or_else(|| file.target(dockerfile.target()))?;
        let args = BuildArgs::new();
        let (chain, _) = file.chain(target, &args);
        let used = file.used_stages(target, &args);
        Some(Self { catalogue, image, dockerfile, file, lines, args, target, chain, used })
    }

    fn rule(&self, judgement: Judgement) -> Option<&'a Rule> {
        self.catalogue.rules.iter().find(|rule| rule.code == Some(judgement))
    }

    /// A finding about a line. `identity` makes its fingerprint: nothing that changes when lines move.
    fn finding(&self, rule: &Rule, line: Line, identity: &str, evidence: Vec<String>) -> Finding {
        let mut finding = group::empty_finding(rule, identity, State::Live);
        finding.confidence = Confidence::Certain;
        finding.line = self.dockerfile.line(line, |text| masked(self.catalogue, text));
        let layer = self.lines.layers.iter().position(|place| place.is(line)).and_then(|at| u32::try_from(at).ok());
        finding.layer = layer.map(|layer| self.image.layer_ref(layer));
        let piece = |witness| Evidence { class: EvidenceClass::Config, witness, path: None };
        finding.evidence = evidence.into_iter().map(piece).collect();
        finding
    }

    /// An instruction in one line, without secrets.
    fn shown(&self, line: Line) -> String {
        let shown = self.dockerfile.line(line, |text| masked(self.catalogue, text));
        shown.map_or_else(String::new, |line| line.instruction)
    }

    /// A stage in words: its name, or its line.
    fn told(&self, stage: usize) -> String {
        let found = self.file.stages().get(stage);
        let line = || self.line(found?.from).map(|line| format!("the stage of line {}", line.first_line));
        let name = found.and_then(|stage| stage.name.as_ref()).map(|name| format!("the stage \"{name}\""));
        name.or_else(line).unwrap_or_default()
    }

    /// What a stage is called in fingerprints: its name, or its number.
    fn stage_name(&self, stage: usize) -> String {
        let name = self.file.stages().get(stage).and_then(|stage| stage.name.clone());
        name.unwrap_or_else(|| stage.to_string())
    }

    fn line(&self, instruction: usize) -> Option<Line> {
        Line::of(self.file, instruction)
    }

    /// The instructions of a stage with the variables before each.
    fn walk(&self, stage: usize, mut see: impl FnMut(usize, &Instruction, &Scope<'_>)) {
        let (chain, _) = self.file.chain(stage, &self.args);
        let mut scope = Scope::global(self.file, &self.args).stage(None);
        for below in chain.iter().rev().filter_map(|&number| Some((number, self.file.stages().get(number)?))) {
            for number in below.1.body.clone() {
                let Some(instruction) = self.file.instructions().get(number) else { continue };
                if below.0 == stage {
                    see(number, instruction, &scope);
                }
                scope.apply(&instruction.statement);
            }
            scope.leave_stage();
        }
    }
}

/// A word with its variables expanded, where that is known.
fn known(scope: &Scope<'_>, word: &str) -> Option<String> {
    scope.expand(word).ok().as_ref().and_then(Expanded::known).map(str::to_string)
}

/// Whether a path is the whole of what it is taken from.
fn is_whole(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| matches!(part, "" | "." | "*"))
}

/// Whether a stage says what to run.
fn has_command(file: &File, stage: usize) -> bool {
    let body = file.stages().get(stage).and_then(|stage| file.instructions().get(stage.body.clone()));
    let runs = |one: &Instruction| {
        matches!(one.statement.command, Command::Cmd(_) | Command::Entrypoint(_) | Command::Healthcheck(Some(_)))
    };
    body.is_some_and(|body| body.iter().any(runs))
}
