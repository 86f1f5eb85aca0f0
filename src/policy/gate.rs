//! What fails an image: findings by severity, family or rule; bytes; growth.
//!
//! Knows reports and comparisons; exit codes are the command line's.

use std::{
    collections::{BTreeMap, HashSet},
    str::FromStr,
};

use crate::{
    diff::{Changed, Diff},
    model::{Family, Finding, GatesUsed, Report, Severity, size},
};

/// What fails an image; nothing does by [`Default`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Gates {
    /// Least severity of any finding.
    pub severity: Option<Severity>,
    /// Least severity by family or rule, instead of the one for all; `None`: none of them fails.
    pub rules: BTreeMap<String, Option<Severity>>,
    /// Most bytes that need not ship.
    pub bytes: Option<u64>,
    /// Most growth of the image since the baseline.
    pub growth: Option<Growth>,
}

/// A limit that can be lifted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Limit<T> {
    Never,
    Most(T),
}

/// By how much an image may grow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Growth {
    /// By this many bytes.
    Bytes(u64),
    /// By this many hundredths of what it was.
    Percent(u64),
}

/// A gate that an image did not pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Breach {
    /// Findings that are bad enough.
    Findings {
        /// The family or rule that the gate is for; `None`: for all.
        of: Option<String>,
        /// The least severity that fails.
        gate: Severity,
        /// How many findings.
        findings: usize,
    },
    /// Bytes that need not ship.
    Bytes {
        /// How many, at least.
        bytes: u64,
        /// How many may be.
        most: u64,
    },
    /// The image grew.
    Growth {
        /// By how many bytes.
        bytes: u64,
        /// By how much it may.
        most: Growth,
    },
}

impl<T> Limit<T> {
    pub(super) fn most(self) -> Option<T> {
        match self {
            Self::Never => None,
            Self::Most(most) => Some(most),
        }
    }
}

impl Gates {
    /// The gate of one severity.
    pub fn at(severity: Option<Severity>) -> Self {
        Self { severity, ..Self::default() }
    }

    /// Whether a finding by itself fails an image.
    pub fn fails(&self, finding: &Finding) -> bool {
        counts_at_all(finding) && self.gate(finding).1.is_some_and(|gate| finding.severity >= gate)
    }

    /// Which gates a report does not pass; with a baseline, by what is new alone.
    pub fn breaches(&self, report: &Report, baseline: Option<&Diff>) -> Vec<Breach> {
        let mut breaches = self.by_severity(report);
        if let Some(most) = self.bytes {
            let bytes = spare(report).saturating_add(baseline.map_or(0, grown));
            if bytes > most {
                breaches.push(Breach::Bytes { bytes, most });
            }
        }
        if let (Some(most), Some(diff)) = (self.growth, baseline) {
            let ships = |totals: &crate::model::Totals| totals.bytes.saturating_add(totals.buried_bytes);
            let (was, is) = (ships(&diff.old.totals), ships(&diff.new.totals));
            let bytes = is.saturating_sub(was);
            if bytes > most.bytes(was) {
                breaches.push(Breach::Growth { bytes, most });
            }
        }
        breaches
    }

    fn by_severity(&self, report: &Report) -> Vec<Breach> {
        let mut counts: BTreeMap<Option<&str>, (Severity, usize)> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| self.fails(finding)) {
            if let (of, Some(gate)) = self.gate(finding) {
                counts.entry(of).or_insert((gate, 0)).1 += 1;
            }
        }
        let breach =
            |(of, (gate, findings)): (Option<&str>, _)| Breach::Findings { of: of.map(str::to_string), gate, findings };
        counts.into_iter().map(breach).collect()
    }

    /// The gate for a finding: that of its rule, else that of its family, else the one for all.
    fn gate(&self, finding: &Finding) -> (Option<&str>, Option<Severity>) {
        let by_rule = self.rules.get_key_value(&finding.rule);
        let own = by_rule.or_else(|| self.rules.get_key_value(finding.family.word()));
        own.map_or((None, self.severity), |(of, gate)| (Some(of.as_str()), *gate))
    }

    /// As reports tell it.
    pub fn used(&self) -> GatesUsed {
        GatesUsed {
            severity: self.severity,
            rules: self.rules.clone(),
            bytes: self.bytes,
            growth: self.growth.map(|growth| match growth {
                Growth::Bytes(bytes) => bytes.to_string(),
                Growth::Percent(percent) => format!("{percent}%"),
            }),
        }
    }
}

impl Growth {
    fn bytes(self, of: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => u64::try_from(u128::from(of) * u128::from(percent) / 100).unwrap_or(u64::MAX),
        }
    }
}

impl FromStr for Growth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix('%') {
            Some(number) => match number.trim_end().parse() {
                Ok(percent) => Ok(Self::Percent(percent)),
                Err(_) => Err("a share is a whole number and %, such as 5%".to_string()),
            },
            None => size::parse(text).map(Self::Bytes),
        }
    }
}

/// Whether a finding can fail a gate: nobody lets it pass, and the baseline does not have it.
fn counts_at_all(finding: &Finding) -> bool {
    finding.allowed.is_none() && finding.since.is_none_or(|since| since.counts())
}

/// Bytes that need not ship, of what counts; files that two findings share count once, so that it is never too much.
fn spare(report: &Report) -> u64 {
    let mut seen = HashSet::new();
    let mut sum = 0_u64;
    for finding in report.findings.iter().filter(|finding| counts_at_all(finding) && weighs(finding)) {
        let mut is_shared = false;
        let mut own = 0_u64;
        for group in &finding.paths {
            let mut fresh = true;
            for file in &group.files {
                fresh &= seen.insert((finding.state, file));
            }
            is_shared |= !fresh;
            own = own.saturating_add(if fresh { group.bytes } else { 0 });
        }
        let whole = finding.bytes.saturating_add(finding.buried_bytes);
        sum = sum.saturating_add(if is_shared { own.min(whole) } else { whole });
    }
    sum
}

/// By how much findings grew that the baseline has, too.
fn grown(diff: &Diff) -> u64 {
    let whole = |finding: &Finding| finding.bytes.saturating_add(finding.buried_bytes);
    let counts = |changed: &&Changed| changed.new.allowed.is_none() && !changed.bites() && weighs(&changed.new);
    let grown = diff.findings.changed.iter().filter(counts);
    grown.fold(0, |sum, changed| sum.saturating_add(whole(&changed.new).saturating_sub(whole(&changed.old))))
}

/// What is merely noted may well be needed, what is part of another is counted there, and a secret weighs nothing.
fn weighs(finding: &Finding) -> bool {
    finding.severity > Severity::Note && finding.part_of.is_none() && finding.family != Family::Secret
}
