//! Secrets that stand in the Dockerfile, or that it wants as build arguments.
//!
//! What reaches the image's configuration or history is judged there; here is what only the file shows: stages that are
//! not in the image, and arguments whose value the build is given.

use super::View;
use crate::{
    catalogue::Judgement,
    dockerfile::{Command, Instruction, Statement},
    model::{Finding, Severity},
    probe::secret::parse::command::name_says_secret,
    rule::secret,
};

pub(super) fn judge(view: &View<'_>, now: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, instruction) in view.file.instructions().iter().enumerate() {
        findings.extend(values(view, number, instruction, now));
        findings.extend(arguments(view, number, instruction));
    }
    findings
}

/// Values of `ARG` and `ENV` that are secrets, where the image does not have them.
fn values(view: &View<'_>, number: usize, instruction: &Instruction, now: i64) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::SecretValue) else { return Vec::new() };
    let is_in_image = view.lines.stage.is_some() && instruction.stage.is_some_and(|stage| view.chain.contains(&stage));
    let Some(line) = view.line(number).filter(|_| !is_in_image) else { return Vec::new() };
    let finding = |(name, value): (&str, &str)| {
        let bare = value.trim_matches(['"', '\'']);
        // What a variable holds is judged where it gets its value.
        let graded = (!bare.contains('$')).then(|| secret::judge_assignment(view.catalogue, name, bare, now))??;
        let place = instruction.stage.map_or_else(|| "global".to_string(), |stage| view.stage_name(stage));
        let told = vec![format!("line {}: {}", line.first_line, graded.told)];
        let mut finding = view.finding(rule, line, &format!("{place}#{name}"), told);
        finding.subject = graded.subject.map_or_else(|| format!("value of {name}"), |kind| format!("{kind} in {name}"));
        finding.severity = graded.severity;
        finding.confidence = graded.confidence;
        finding.why.extend(graded.reason.map(|reason| format!(" {reason}")));
        finding.layer = None;
        Some(finding)
    };
    assigned(&instruction.statement).into_iter().filter_map(finding).collect()
}

/// `ARG NAME` without a value, whose name says secret and which a step uses: a note.
fn arguments(view: &View<'_>, number: usize, instruction: &Instruction) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::SecretArgument) else { return Vec::new() };
    let Command::Arg(definitions) = &instruction.statement.command else { return Vec::new() };
    let Some(stage) = instruction.stage.filter(|&stage| view.used.get(stage) == Some(&true)) else { return Vec::new() };
    let body = view.file.stages().get(stage).map(|stage| stage.body.clone()).unwrap_or_default();
    let finding = |name: &str| {
        let user = body
            .clone()
            .filter(|&it| it > number)
            .find(|&it| view.file.instructions().get(it).is_some_and(|one| uses(view, one, name)));
        let (user, line) = (view.line(user?)?, view.line(number)?);
        let ships = view.chain.contains(&stage);
        let fate = if ships { "its value is in the history of the image" } else { "its value is in the build cache" };
        let told = format!("line {} declares it, line {} uses it: {fate}", line.first_line, user.first_line);
        let mut finding = view.finding(rule, line, &format!("{}#{name}", view.stage_name(stage)), vec![told]);
        finding.subject = format!("build argument {name}");
        finding.severity = Severity::Note;
        finding.layer = None;
        Some(finding)
    };
    let empty = |default: &str| default.trim_matches(['"', '\'']).is_empty();
    let open = definitions.iter().filter(|one| one.default.as_ref().is_none_or(|default| empty(&default.text)));
    let names = open.map(|one| one.name.text.as_str()).filter(|name| name_says_secret(name.as_bytes()));
    names.filter_map(finding).collect()
}

/// Names and values that an instruction sets.
fn assigned(statement: &Statement) -> Vec<(&str, &str)> {
    match &statement.command {
        Command::Arg(definitions) => definitions
            .iter()
            .filter_map(|one| Some((one.name.text.as_str(), one.default.as_ref()?.text.as_str())))
            .collect(),
        Command::Env(pairs) => pairs.iter().map(|pair| (pair.name.text.as_str(), pair.value.text.as_str())).collect(),
        _ => Vec::new(),
    }
}

/// Whether an instruction has a variable expanded: `$NAME`, `${NAME...}`.
fn uses(view: &View<'_>, instruction: &Instruction, name: &str) -> bool {
    let is_user = matches!(
        instruction.statement.command,
        Command::Run(_) | Command::Env(_) | Command::Add(_) | Command::Copy(_) | Command::Label(_)
    );
    let documents = instruction.heredocs.iter().map(|heredoc| view.file.at(heredoc.body));
    let texts = std::iter::once(instruction.logical.text()).chain(documents);
    is_user && texts.into_iter().any(|text| mentions(text, name))
}

fn mentions(text: &str, name: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let behind = rest.strip_prefix(name).map(|behind| behind.chars().next());
        behind.is_some_and(|next| !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_used_by_its_whole_name() {
        for text in ["curl -H $TOKEN", "${TOKEN}", "a=\"$TOKEN\"", "${TOKEN:-x}"] {
            assert!(mentions(text, "TOKEN"), "{text}");
        }
        for text in ["TOKEN", "$TOKENS", "$TOKEN_FILE", "$ TOKEN", "$A_TOKEN"] {
            assert!(!mentions(text, "TOKEN"), "{text}");
        }
    }
}
