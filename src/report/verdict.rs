//! What a report means for the gate: passed, failed, or judged only in part.
//!
//! Knows severities and diagnostics; the exit code is the command line's.

use std::fmt;

use super::text;
use crate::{
    diff::Diff,
    model::{Report, Severity},
    policy::{Breach, Gates, Growth},
};

/// The answer to "may this image ship?".
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Everything was read, and every gate was passed.
    Passed {
        /// What would have failed it.
        gates: Gates,
        /// Whether only what the baseline does not have counted.
        new: bool,
    },
    /// At least one gate was not passed, whatever else was not read.
    Failed {
        /// Which ones; never empty.
        breaches: Vec<Breach>,
        /// Whether only what the baseline does not have counted.
        new: bool,
    },
    /// Every gate was passed, but something was not read.
    Partial {
        /// How many things were not read.
        unread: usize,
    },
}

impl Verdict {
    /// Judges a report, with a baseline by what changed since; a failed gate weighs more than something unread.
    pub fn of(report: &Report, gates: &Gates, baseline: Option<&Diff>) -> Self {
        let (unread, breaches, new) = (unread(report), gates.breaches(report, baseline), baseline.is_some());
        if !breaches.is_empty() {
            Self::Failed { breaches, new }
        } else if unread > 0 {
            Self::Partial { unread }
        } else {
            Self::Passed { gates: gates.clone(), new }
        }
    }

    /// Every gate that was not passed, in one sentence without a full stop.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Failed { breaches, new } => breaches.iter().map(|breach| describe(breach, *new)).collect(),
            Self::Passed { .. } | Self::Partial { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { gates, new } if *gates == Gates::default() => {
                let what = if *new { "comparison" } else { "scan" };
                write!(f, "PASSED: no severity fails this {what}")
            }
            Self::Passed { gates, new } => {
                let more = gates.rules.values().flatten().count()
                    + usize::from(gates.bytes.is_some())
                    + usize::from(gates.growth.is_some());
                let new = if *new { "new " } else { "" };
                match (gates.severity, more) {
                    (Some(gate), 0) => write!(f, "PASSED: no {new}finding is {}", at_least(gate)),
                    (Some(gate), more) => {
                        let hold = if more == 1 { "holds" } else { "hold" };
                        let more = text::plural(more, "more gate");
                        write!(f, "PASSED: no {new}finding is {}, and {more} {hold}", at_least(gate))
                    }
                    (None, 1) => f.write_str("PASSED: the gate of the policy holds"),
                    (None, more) => write!(f, "PASSED: all {} of the policy hold", text::plural(more, "gate")),
                }
            }
            Self::Failed { .. } => write!(f, "FAILED: {}", self.reasons().join("; ")),
            Self::Partial { unread } => write!(f, "NOT JUDGED: {} not read", text::things(*unread)),
        }
    }
}

fn describe(breach: &Breach, new: bool) -> String {
    match breach {
        Breach::Findings { of, gate, findings } => {
            let are = if *findings == 1 { "is" } else { "are" };
            let noun = if new { "new or risen finding" } else { "finding" };
            let of = of.as_deref().map_or_else(String::new, |of| format!(" of {}", text::plain(of)));
            format!("{}{of} {are} {}", text::plural(*findings, noun), at_least(*gate))
        }
        Breach::Bytes { bytes, most } => {
            let more = if new { " more" } else { "" };
            format!("{}{more} need not ship, at most {} may", text::bytes(*bytes), text::bytes(*most))
        }
        Breach::Growth { bytes, most } => {
            let most = match most {
                Growth::Bytes(most) => text::bytes(*most),
                Growth::Percent(percent) => format!("{percent} %"),
            };
            format!("the image grew by {}, at most {most} may be added", text::bytes(*bytes))
        }
    }
}

/// How many things of the image were left unread.
pub(super) fn unread(report: &Report) -> usize {
    report.diagnostics.iter().filter(|d| d.unread).count()
}

fn at_least(gate: Severity) -> String {
    if gate == Severity::Critical { gate.to_string() } else { format!("{gate} or worse") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::testing;

    fn at(report: &Report, gate: Option<Severity>) -> Verdict {
        Verdict::of(report, &Gates::at(gate), None)
    }

    #[test]
    fn a_failed_gate_weighs_more_than_something_unread() {
        let mut report = testing::report();
        report.diagnostics.push(testing::unread("layer 2 ends early"));
        let failed = at(&report, Some(Severity::High));
        assert_eq!(
            failed,
            Verdict::Failed {
                breaches: vec![Breach::Findings { of: None, gate: Severity::High, findings: 1 }],
                new: false
            }
        );
        assert_eq!(failed.to_string(), "FAILED: 1 finding is high or worse");
    }

    #[test]
    fn something_unread_is_never_a_pass() {
        let mut report = testing::empty();
        assert_eq!(at(&report, None).to_string(), "PASSED: no severity fails this scan");
        report.diagnostics.push(testing::unread("layer 2 ends early"));
        assert_eq!(at(&report, None), Verdict::Partial { unread: 1 });
        assert_eq!(at(&report, Some(Severity::Note)).to_string(), "NOT JUDGED: 1 thing was not read");
    }

    #[test]
    fn the_gate_includes_its_own_severity() {
        let report = testing::report();
        let worst = report.findings.iter().map(|f| f.severity).max().expect("the report has findings");
        assert!(matches!(at(&report, Some(worst)), Verdict::Failed { .. }));
        assert_eq!(
            at(&report, Some(Severity::Critical)).to_string(),
            "PASSED: no finding is critical",
            "nothing is worse than critical"
        );
    }

    #[test]
    fn every_gate_that_is_not_passed_is_told() {
        let rules = BTreeMap::from([("root-user".to_string(), Some(Severity::Low)), ("vcs".to_string(), None)]);
        let gates = Gates { severity: Some(Severity::High), rules, bytes: Some(1_000_000), growth: None };
        assert_eq!(
            Verdict::of(&testing::report(), &gates, None).to_string(),
            "FAILED: 1 finding is high or worse; 1 finding of root-user is low or worse; 312 MB need not ship, at most \
             1.00 MB may"
        );
        assert_eq!(
            Verdict::of(&testing::empty(), &gates, None).to_string(),
            "PASSED: no finding is high or worse, and 2 more gates hold"
        );
        let alone = Gates { severity: None, ..gates };
        assert_eq!(Verdict::of(&testing::empty(), &alone, None).to_string(), "PASSED: all 2 gates of the policy hold");
    }
}
