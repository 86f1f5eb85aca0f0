//! Which rules could say something about this image, and what they said: for the formats that auditors read.
//!
//! A rule that had nothing to look at is not one that found nothing: a directory has no user, and nobody looked for secrets
//! with `--no-secrets`.

use std::collections::HashMap;

use crate::model::{Control, Family, Finding, Report, RuleAbout, Severity};

/// The rules of a report with what they found.
pub(super) struct Evaluated<'a> {
    report: &'a Report,
    /// Positions of findings by rule, in the order of the report.
    by_rule: HashMap<&'a str, Vec<usize>>,
    /// Positions of findings by fingerprint: what a part is a part of.
    by_fingerprint: HashMap<&'a str, usize>,
}

/// What became of a control or of a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// Findings that nobody allowed; the worst of them.
    Found(Severity),
    /// Findings, all of them allowed.
    Allowed,
    /// Every rule that bears on it looked, and found nothing.
    Nothing,
    /// Nothing was found by the rules that looked, and others had nothing to look at.
    Partly,
    /// No rule looked.
    Not,
}

/// What became of a control.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    /// The findings that are its evidence, by their positions.
    pub(super) found: Vec<usize>,
    /// What rules had not to look at, each reason once.
    pub(super) missing: Vec<&'static str>,
}

impl<'a> Evaluated<'a> {
    pub(super) fn new(report: &'a Report) -> Self {
        let mut by_rule: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, finding) in report.findings.iter().enumerate() {
            by_rule.entry(finding.rule.as_str()).or_default().push(at);
        }
        let wholes = report.findings.iter().enumerate().filter(|(_, finding)| finding.part_of.is_none());
        let by_fingerprint = wholes.map(|(at, finding)| (finding.fingerprint.as_str(), at)).collect();
        Self { report, by_rule, by_fingerprint }
    }

    /// The findings of a rule.
    pub(super) fn findings(&self, rule: &str) -> &[usize] {
        self.by_rule.get(rule).map_or(&[], Vec::as_slice)
    }

    /// The finding that this one is a part of.
    pub(super) fn whole(&self, part: &Finding) -> Option<&'a Finding> {
        let whole = self.by_fingerprint.get(part.part_of.as_deref()?)?;
        self.report.findings.get(*whole)
    }

    /// What became of one rule.
    pub(super) fn rule(&self, rule: &str) -> Outcome {
        self.outcome(self.findings(rule), &[missing(self.report, rule)])
    }

    /// What became of a control.
    pub(super) fn control(&self, control: &Control) -> Answer {
        let takes = |rule: &str| control.rules.iter().any(|selector| selector.takes(rule));
        let rules: Vec<&RuleAbout> = self.report.rules.iter().filter(|rule| takes(&rule.id)).collect();
        let all: Vec<_> = rules.iter().map(|rule| missing(self.report, &rule.id)).collect();
        // By what was found, not by what the report describes: a finding is evidence even if its rule is not described.
        let found = self.by_rule.iter().filter(|(rule, _)| takes(rule));
        let mut found: Vec<usize> = found.flat_map(|(_, at)| at.iter().copied()).collect();
        found.sort_unstable();
        let outcome = self.outcome(&found, &all);
        let mut missing: Vec<&str> = all.into_iter().flatten().collect();
        missing.sort_unstable();
        missing.dedup();
        Answer { outcome, found, missing }
    }

    fn outcome(&self, found: &[usize], missing: &[Option<&'static str>]) -> Outcome {
        let findings = || found.iter().filter_map(|&at| self.report.findings.get(at));
        let standing = |finding: &'a Finding| {
            // A part is as bad and as allowed as what holds it: on its own it is only a note, so as not to count twice.
            let whole = self.whole(finding).unwrap_or(finding);
            (whole.allowed.is_none() && finding.allowed.is_none()).then_some(whole.severity)
        };
        if let Some(worst) = findings().filter_map(standing).max() {
            return Outcome::Found(worst);
        }
        if !found.is_empty() {
            return Outcome::Allowed;
        }
        match (missing.iter().any(Option::is_none), missing.iter().any(Option::is_some)) {
            (true, false) => Outcome::Nothing,
            (true, true) => Outcome::Partly,
            (false, _) => Outcome::Not,
        }
    }
}

/// What a rule did not have to look at.
pub(super) fn missing(report: &Report, rule: &str) -> Option<&'static str> {
    const NO_CONFIG: &str = "a directory has no configuration";
    const NO_FILE: &str = "no Dockerfile was given or found";
    const NO_SECRETS: &str = "secrets were not looked for";
    let of_config = |why| report.image.config.is_none().then_some(why);
    match Family::of(rule)? {
        Family::Dockerfile => report.dockerfile.is_none().then_some(NO_FILE),
        Family::WrongStage if rule == "wrong-stage/not-last" => report.dockerfile.is_none().then_some(NO_FILE),
        Family::RootUser | Family::BrokenRuntime | Family::WrongStage | Family::Config => of_config(NO_CONFIG),
        // They judge the configuration, which is always read.
        Family::Secret if rule.starts_with("secret/image-") => of_config(NO_CONFIG),
        Family::Secret => report.searched.is_none().then_some(NO_SECRETS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Coverage, Selector},
        report::testing,
    };

    fn control(rules: &[&str]) -> Control {
        let selector = |rule: &&str| match Family::ALL.iter().find(|(_, word)| word == rule) {
            Some((family, _)) => Selector::Family(*family),
            None => Selector::Rule(rule.to_string()),
        };
        Control {
            id: "1".into(),
            title: "One".into(),
            by: None,
            rules: rules.iter().map(selector).collect(),
            shows: Vec::new(),
            beyond: None,
        }
    }

    fn about(report: &mut Report, id: &str) {
        let rule = RuleAbout { id: id.into(), ..report.rules[0].clone() };
        report.rules.push(rule);
    }

    #[test]
    fn a_control_is_as_bad_as_the_worst_finding_that_is_not_allowed() {
        let mut report = testing::report();
        let of = |report: &Report, rules: &[&str]| {
            let Answer { outcome, found, .. } = Evaluated::new(report).control(&control(rules));
            (outcome, found)
        };
        assert_eq!(of(&report, &["build-tool"]), (Outcome::Found(Severity::High), vec![0, 2]));
        assert_eq!(of(&report, &["build-tool/make", "root-user"]), (Outcome::Found(Severity::Medium), vec![1, 2]));
        report.findings[0].allowed = Some("known".into());
        assert_eq!(of(&report, &["build-tool"]), (Outcome::Found(Severity::Low), vec![0, 2]));
        report.findings[2].allowed = Some("known".into());
        assert_eq!(of(&report, &["build-tool"]), (Outcome::Allowed, vec![0, 2]));
    }

    #[test]
    fn a_part_stands_as_what_it_is_a_part_of() {
        let mut report = testing::report();
        report.findings[2].part_of = Some(report.findings[0].fingerprint.clone());
        report.findings[2].severity = Severity::Note;
        let of = |report: &Report| Evaluated::new(report).rule("build-tool/make");
        assert_eq!(of(&report), Outcome::Found(Severity::High));
        report.findings[0].allowed = Some("known".into());
        assert_eq!(of(&report), Outcome::Allowed);
    }

    #[test]
    fn what_had_nothing_to_look_at_found_not_nothing() {
        let mut report = testing::empty();
        for id in
            ["dockerfile/unused-stage", "secret/jwt", "secret/image-env", "wrong-stage/test", "wrong-stage/not-last"]
        {
            about(&mut report, id);
        }
        let of = |report: &Report, rule: &str| Evaluated::new(report).rule(rule);
        for (rule, why) in [
            ("build-tool/gcc", None),
            ("dockerfile/unused-stage", Some("no Dockerfile was given or found")),
            ("wrong-stage/not-last", Some("no Dockerfile was given or found")),
            ("secret/jwt", Some("secrets were not looked for")),
            ("secret/image-env", None),
        ] {
            assert_eq!(missing(&report, rule), why, "{rule}");
            assert_eq!(of(&report, rule), if why.is_some() { Outcome::Not } else { Outcome::Nothing }, "{rule}");
        }
        let both = Evaluated::new(&report).control(&control(&["secret", "dockerfile"]));
        let reasons = vec!["no Dockerfile was given or found", "secrets were not looked for"];
        assert_eq!(both, Answer { outcome: Outcome::Partly, found: vec![], missing: reasons });
        (report.dockerfile, report.searched) = (Some("Dockerfile".into()), Some(Coverage::default()));
        for rule in ["dockerfile/unused-stage", "secret/jwt", "wrong-stage/not-last"] {
            assert_eq!(of(&report, rule), Outcome::Nothing, "{rule}");
        }
        report.image.config = None;
        for rule in ["root-user/uid-0", "secret/image-env", "wrong-stage/test"] {
            assert_eq!(missing(&report, rule), Some("a directory has no configuration"), "{rule}");
            assert_eq!(of(&report, rule), Outcome::Not, "{rule}");
        }
        assert_eq!(Evaluated::new(&report).control(&control(&["setuid"])).outcome, Outcome::Not, "no such rule");
        assert_eq!(Evaluated::new(&report).control(&control(&[])).outcome, Outcome::Not);
    }
}
