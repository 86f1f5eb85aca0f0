//! What a report means for the gate: passed, failed, or judged only in part.
//!
//! Knows severities and diagnostics; the exit code is the command line's.

use std::fmt;

use super::text;
use crate::model::{Report, Severity};

/// The answer to "may this image ship?".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Everything was read, and no finding reached the gate.
    Passed {
        /// The least severity that fails; `None` when nothing does.
        gate: Option<Severity>,
    },
    /// At least one finding reached the gate, whatever else was not read.
    Failed {
        /// The least severity that fails.
        gate: Severity,
        /// Findings at or above it.
        findings: usize,
    },
    /// No finding reached the gate, but something was not read.
    Partial {
        /// How many things were not read.
        unread: usize,
    },
}

impl Verdict {
    /// Judges a report; a failed gate weighs more than something unread. `None` as the gate fails nothing.
    pub fn of(report: &Report, gate: Option<Severity>) -> Self {
        let unread = unread(report);
        let reached = gate
            .map(|gate| (gate, report.findings.iter().filter(|f| f.severity >= gate && f.allowed.is_none()).count()));
        match reached {
            Some((gate, findings)) if findings > 0 => Self::Failed { gate, findings },
            _ if unread > 0 => Self::Partial { unread },
            _ => Self::Passed { gate },
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Passed { gate: None } => f.write_str("PASSED: no severity fails this scan"),
            Self::Passed { gate: Some(gate) } => write!(f, "PASSED: no finding is {}", at_least(gate)),
            Self::Failed { gate, findings } => {
                let are = if findings == 1 { "is" } else { "are" };
                write!(f, "FAILED: {} {are} {}", text::plural(findings, "finding"), at_least(gate))
            }
            Self::Partial { unread } => write!(f, "NOT JUDGED: {} not read", text::things(unread)),
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
    use super::*;
    use crate::report::testing;

    #[test]
    fn a_failed_gate_weighs_more_than_something_unread() {
        let mut report = testing::report();
        report.diagnostics.push(testing::unread("layer 2 ends early"));
        let failed = Verdict::of(&report, Some(Severity::High));
        assert_eq!(failed, Verdict::Failed { gate: Severity::High, findings: 1 });
        assert_eq!(failed.to_string(), "FAILED: 1 finding is high or worse");
    }

    #[test]
    fn something_unread_is_never_a_pass() {
        let mut report = testing::empty();
        assert_eq!(Verdict::of(&report, None), Verdict::Passed { gate: None });
        report.diagnostics.push(testing::unread("layer 2 ends early"));
        assert_eq!(Verdict::of(&report, None), Verdict::Partial { unread: 1 });
        assert_eq!(Verdict::of(&report, Some(Severity::Note)).to_string(), "NOT JUDGED: 1 thing was not read");
    }

    #[test]
    fn the_gate_includes_its_own_severity() {
        let report = testing::report();
        let worst = report.findings.iter().map(|f| f.severity).max().expect("the report has findings");
        assert!(matches!(Verdict::of(&report, Some(worst)), Verdict::Failed { .. }));
        assert_eq!(
            Verdict::of(&report, Some(Severity::Critical)).to_string(),
            "PASSED: no finding is critical",
            "nothing is worse than critical"
        );
    }
}
