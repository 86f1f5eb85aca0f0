//! What stages hand on: whole file systems, and nothing at all.

use super::{View, has_command, is_whole, known};
use crate::{
    catalogue::{Catalogue, Judgement, roles::WorkKind},
    dockerfile::{Command, CommandLine, File, LinkSource, Parent},
    model::{Finding, Severity},
    report::text,
};

pub(super) fn judge(view: &View<'_>) -> Vec<Finding> {
    let mut findings = whole(view);
    findings.extend(unused(view));
    findings
}

/// `COPY --from=x / ...` into the image: all that the stage has ships.
fn whole(view: &View<'_>) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::WholeFileSystem) else { return Vec::new() };
    let mut findings = Vec::new();
    for &stage in &view.chain {
        view.walk(stage, |number, instruction, scope| {
            let Command::Copy(transfer) = &instruction.statement.command else { return };
            let source = view.file.sources(stage, &instruction.statement).into_iter().next();
            let Some((source, ..)) = source else { return };
            let is_root = |path: &str| known(scope, path).is_some_and(|path| is_whole(&path));
            let (true, Some(line)) = (transfer.paths().any(|word| is_root(&word.text)), view.line(number)) else {
                return;
            };
            let (from, identity) = match &source {
                LinkSource::Stage(from) => (view.told(*from), view.stage_name(*from)),
                LinkSource::Image(name) => (format!("the image {name}"), name.clone()),
            };
            let mut told = vec![format!("line {} copies the whole file system of {from}", line.first_line)];
            let layer = view.lines.layers.iter().position(|place| place.is(line));
            let stored = layer.and_then(|at| view.image.layers.get(at)?.blob_bytes);
            told.extend(stored.map(|stored| format!("its layer has {} as stored", text::bytes(stored))));
            let mut finding = view.finding(rule, line, &identity, told);
            if view.file.parent(stage, &view.args) == Some(Parent::Scratch) {
                // The usual way to make one layer of a stage: nothing comes on top of what that stage is.
                finding.severity = finding.severity.min(Severity::Low);
            }
            findings.push(finding);
        });
    }
    findings
}

/// A stage that builds something of which nothing is taken.
fn unused(view: &View<'_>) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::UnusedStage) else { return Vec::new() };
    let links = view.file.links(&view.args);
    // The image may be another stage than the last: what that is made of is used, too.
    let by_last = view.file.target(None).map(|last| view.file.used_stages(last, &view.args)).unwrap_or_default();
    let mut findings = Vec::new();
    for (stage, body) in view.file.stages().iter().enumerate() {
        let is_taken = links.iter().any(|link| link.source == LinkSource::Stage(stage));
        // What has a command of its own, or tests, is built by --target.
        let is_used = [&view.used, &by_last].iter().any(|used| used.get(stage) == Some(&true));
        if is_used || is_taken || has_command(view.file, stage) || tests(view, stage) {
            continue;
        }
        let instructions = view.file.instructions().get(body.body.clone()).unwrap_or_default();
        let builds = instructions.iter().any(|one| matches!(one.statement.command, Command::Run(_)));
        let Some(line) = view.line(body.from).filter(|_| builds) else { continue };
        let told =
            format!("{} is not part of {}, and no stage copies from it", view.told(stage), view.told(view.target));
        let mut finding = view.finding(rule, line, &view.stage_name(stage), vec![told]);
        finding.layer = None;
        findings.push(finding);
    }
    findings
}

/// Whether a stage runs tests while it is built.
fn tests(view: &View<'_>, stage: usize) -> bool {
    runs(view.catalogue, view.file, stage, WorkKind::Test)
}

/// Whether a `RUN` of a stage does such work.
pub(in crate::rule) fn runs(catalogue: &Catalogue, file: &File, stage: usize, kind: WorkKind) -> bool {
    let body = file.stages().get(stage).and_then(|stage| file.instructions().get(stage.body.clone()));
    let does = |words: Vec<&str>| {
        let words: Vec<String> = words.into_iter().map(str::to_string).collect();
        catalogue.roles.work(&words) == Some(kind)
    };
    body.unwrap_or_default().iter().any(|instruction| match &instruction.statement.command {
        Command::Run(CommandLine::Exec(words)) => does(words.iter().map(|word| word.text.as_str()).collect()),
        Command::Run(CommandLine::Shell(_)) => {
            let scripts = file.scripts(instruction);
            scripts.iter().flat_map(|script| script.commands()).any(|command| command.plain_words().is_some_and(does))
        }
        _ => false,
    })
}
