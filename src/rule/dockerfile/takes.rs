//! What a build takes from elsewhere and nobody checks: files of images whose tag can move, and of addresses.

use std::collections::BTreeMap;

use super::View;
use crate::{
    attribution::lines::Line,
    catalogue::Judgement,
    dockerfile::{Command, LinkKind, LinkSource},
    model::{Confidence, Finding},
};

pub(super) fn judge(view: &View<'_>) -> Vec<Finding> {
    let mut findings = images(view);
    findings.extend(addresses(view));
    findings
}

/// `COPY --from` and `RUN --mount=from` of an image without a digest.
fn images(view: &View<'_>) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::UnpinnedCopy) else { return Vec::new() };
    let mut by_image: BTreeMap<String, Vec<(Line, LinkKind)>> = BTreeMap::new();
    for link in view.file.links(&view.args) {
        let LinkSource::Image(name) = &link.source else { continue };
        let is_used = link.kind != LinkKind::From && view.used.get(link.user) == Some(&true);
        // What a variable holds was given to the build, perhaps with a digest.
        if !is_used || name.contains(['@', '$']) || name == "scratch" {
            continue;
        }
        if let Some(line) = view.line(link.instruction) {
            by_image.entry(name.clone()).or_default().push((line, link.kind));
        }
    }
    let finding = |(name, lines): (String, Vec<(Line, LinkKind)>)| {
        let (first, _) = *lines.first()?;
        let told = lines.iter().map(|(line, kind)| {
            let how = if *kind == LinkKind::Mount { "mounts" } else { "copies from" };
            format!("line {} {how} {name}, which has no digest", line.first_line)
        });
        let mut told: Vec<String> = told.collect();
        let tagless = name.rsplit('/').next().is_some_and(|last| !last.contains(':'));
        // `docker build --build-context NAME=...` gives such names, too.
        let may_be_context = tagless && !name.contains('/');
        if tagless {
            told.push(format!("without a tag it is {name}:latest"));
        }
        if may_be_context {
            told.push(format!("it is no image where the build gives a context of the name {name}"));
        }
        let repository = match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => before,
            _ => name.as_str(),
        };
        let mut finding = view.finding(rule, first, repository, told);
        finding.subject = format!("copy of files from {name}");
        if may_be_context {
            finding.confidence = Confidence::Medium;
        }
        Some(finding)
    };
    by_image.into_iter().filter_map(finding).collect()
}

/// `ADD` of an address without a checksum.
fn addresses(view: &View<'_>) -> Vec<Finding> {
    let Some(rule) = view.rule(Judgement::UncheckedAdd) else { return Vec::new() };
    let mut findings = Vec::new();
    for stage in view.used.iter().enumerate().filter(|(_, used)| **used).map(|(stage, _)| stage) {
        for number in view.file.stages().get(stage).map(|stage| stage.body.clone()).unwrap_or_default() {
            let Some(statement) = view.file.instructions().get(number).map(|one| &one.statement) else { continue };
            let Command::Add(transfer) = &statement.command else { continue };
            let found = transfer.paths().map(|word| word.text.as_str()).find(|path| is_file_address(path));
            let (Some(address), Some(line)) =
                (found.filter(|_| statement.flag("checksum").is_none()), view.line(number))
            else {
                continue;
            };
            let bare = without_secrets(address);
            let told = format!("line {} adds {bare} without --checksum", line.first_line);
            findings.push(view.finding(rule, line, &bare, vec![told]));
        }
    }
    findings
}

/// Whether it is the address of a file; a git repository is named by a commit, and is none.
fn is_file_address(path: &str) -> bool {
    let rest = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let bare = rest.split(['#', '?']).next().unwrap_or_default();
        !bare.ends_with(".git") && !rest.contains('#')
    })
}

/// An address without user, password and query, which may hold secrets.
fn without_secrets(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_repository_is_no_file() {
        for file in ["https://a.test/x.tgz", "http://a.test/x?y=1", "https://u:p@a.test/x"] {
            assert!(is_file_address(file), "{file}");
        }
        for other in
            ["https://a.test/x.git", "https://a.test/x.git#v1", "git@a.test:x.git", "x.tgz", "https://a.test/x#main"]
        {
            assert!(!is_file_address(other), "{other}");
        }
    }

    #[test]
    fn what_is_told_of_an_address_holds_no_password() {
        assert_eq!(without_secrets("https://ci:s3cret@a.test/x/y.tgz?token=abc"), "https://a.test/x/y.tgz");
        assert_eq!(without_secrets("https://a.test"), "https://a.test/");
    }
}
