//! Lays a report over the labels: what was found, missed, and cried about for nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env, fmt,
};

use serde_json::Value;

use crate::tree::{Expect, Label, Tree};

/// A place of a finding.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Told {
    rule: String,
    alarm: bool,
    line: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Secrets, and those of them that were found.
    secrets: usize,
    found: usize,
    /// Alarms that were raised for nothing.
    false_alarms: usize,
    /// Files that are harmless, and those of them that got a note.
    harmless: usize,
    notes: usize,
}

impl Row {
    fn recall(self) -> f64 {
        ratio(self.found, self.secrets)
    }

    fn precision(self) -> f64 {
        ratio(self.found, self.found + self.false_alarms)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

pub struct Table {
    rows: BTreeMap<String, Row>,
    faults: Vec<String>,
    wishes: BTreeMap<String, (usize, usize)>,
    lines: (usize, usize),
}

/// Rules that tell of a file by its presence, at a low level: they stand beside what is in it.
fn is_of_presence(rule: &str) -> bool {
    rule.starts_with("secret/path-") || rule == "secret/dotenv-file"
}

pub fn score(tree: &Tree, report: &[u8]) -> Table {
    let mut told = places(report);
    let mut table = Table { rows: BTreeMap::new(), faults: Vec::new(), wishes: BTreeMap::new(), lines: (0, 0) };
    for label in &tree.labels {
        let places = told.remove(&label.path).unwrap_or_default();
        if label.counts {
            table.count(label, &places);
        } else {
            let wish = table.wishes.entry(label.carrier.clone()).or_default();
            wish.0 += usize::from(places.iter().any(|told| told.alarm));
            wish.1 += 1;
        }
    }
    for (path, places) in told {
        for told in places.iter().filter(|told| told.alarm) {
            table.rows.entry(name(&told.rule)).or_default().false_alarms += 1;
            table.faults.push(format!("false alarm  {:28} /{path}: not labelled at all", told.rule));
        }
    }
    table
}

/// What the report says of secrets, by path.
fn places(report: &[u8]) -> HashMap<String, BTreeSet<Told>> {
    let report: Value = serde_json::from_slice(report).expect("the report is JSON");
    let mut all: HashMap<String, BTreeSet<Told>> = HashMap::new();
    for finding in report["findings"].as_array().expect("a list") {
        let text = |field: &str| finding[field].as_str().unwrap_or_default().to_string();
        if text("family") != "secret" || is_of_presence(&text("rule")) {
            continue;
        }
        let alarm = ["medium", "high", "critical"].contains(&text("severity").as_str());
        for place in finding["secrets"].as_array().expect("a finding of a secret has places") {
            let Some(path) = place["path"].as_str() else { continue };
            let line = place["line"].as_u64().map(|line| line as u32);
            let told = Told { rule: text("rule"), alarm, line };
            all.entry(path.trim_start_matches('/').into()).or_default().insert(told);
        }
    }
    all
}

fn name(rule: &str) -> String {
    rule.trim_start_matches("secret/").into()
}

impl Table {
    fn count(&mut self, label: &Label, places: &BTreeSet<Told>) {
        let right = |told: &&Told| label.rules.contains(&told.rule);
        let row = self.rows.entry(label.kind.clone()).or_default();
        let wanted = match label.expect {
            Expect::Alarm => places.iter().find(|told| told.alarm && label.rules.contains(&told.rule)),
            Expect::Note => places.iter().find(|told| !told.alarm && label.rules.contains(&told.rule)),
            Expect::Quiet | Expect::Nothing => None,
        };
        if matches!(label.expect, Expect::Alarm | Expect::Note) {
            row.secrets += 1;
            row.found += usize::from(wanted.is_some());
        } else {
            row.harmless += 1;
        }
        if label.expect == Expect::Nothing && places.iter().any(|told| !told.alarm) {
            row.notes += 1;
            let rules: Vec<_> = places.iter().map(|told| &told.rule).collect();
            self.faults.push(format!("note         {:28} {} in {}: {rules:?}", label.kind, label.carrier, label.path));
        }
        if let (Some(told), Some(line)) = (wanted, label.line) {
            self.lines.1 += 1;
            self.lines.0 += usize::from(told.line == Some(line));
            if told.line != Some(line) {
                self.faults.push(format!(
                    "line         {:28} {} in {}: {:?} for {line}",
                    label.kind, label.carrier, label.path, told.line
                ));
            }
        }
        if wanted.is_none() && matches!(label.expect, Expect::Alarm | Expect::Note) {
            let others: Vec<_> = places.iter().map(|told| (&told.rule, told.alarm)).collect();
            self.faults.push(format!("missed       {:28} {} in {}: {others:?}", label.kind, label.carrier, label.path));
        }
        // One alarm for one secret: a second one for the same is noise, whatever its rule.
        let alarms: Vec<&Told> = places.iter().filter(|told| told.alarm).collect();
        let due = usize::from(label.expect == Expect::Alarm && alarms.iter().any(right));
        for told in alarms.iter().filter(|told| due == 0 || !right(told)) {
            let kind = if label.rules.is_empty() { label.kind.clone() } else { name(&told.rule) };
            self.rows.entry(kind).or_default().false_alarms += 1;
            self.faults
                .push(format!("false alarm  {:28} {} of {} in {}", told.rule, label.carrier, label.kind, label.path));
        }
    }

    fn sum(&self) -> Row {
        self.rows.values().fold(Row::default(), |sum, row| Row {
            secrets: sum.secrets + row.secrets,
            found: sum.found + row.found,
            false_alarms: sum.false_alarms + row.false_alarms,
            harmless: sum.harmless + row.harmless,
            notes: sum.notes + row.notes,
        })
    }

    pub fn precision(&self) -> f64 {
        self.sum().precision()
    }

    pub fn recall(&self) -> f64 {
        self.sum().recall()
    }

    /// The share of harmless files that got a note.
    pub fn notes(&self) -> f64 {
        let sum = self.sum();
        if sum.harmless == 0 { 0.0 } else { sum.notes as f64 / sum.harmless as f64 }
    }

    /// The share of secrets of which the line is right, where there is one.
    pub fn lines(&self) -> f64 {
        ratio(self.lines.0, self.lines.1)
    }

    /// Kinds that are found or raised worse than that.
    pub fn poor(&self, least: f64) -> Vec<&str> {
        let poor = |row: &Row| {
            let quiet = ratio(row.harmless.saturating_sub(row.false_alarms), row.harmless);
            row.recall() < least || row.secrets > 0 && row.precision() < least || row.secrets == 0 && quiet < least
        };
        self.rows.iter().filter(|(_, row)| poor(row)).map(|(kind, _)| kind.as_str()).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:52} {:>7} {:>6} {:>6} {:>10} {:>7}",
            "kind", "secrets", "found", "false", "precision", "recall"
        )?;
        let mut line = |kind: &str, row: &Row| {
            let Row { secrets, found, false_alarms, .. } = *row;
            writeln!(
                f,
                "{kind:52} {secrets:7} {found:6} {false_alarms:6} {:10.3} {:7.3}",
                row.precision(),
                row.recall()
            )
        };
        for (kind, row) in self.rows.iter().filter(|(_, row)| row.harmless == 0) {
            line(kind, row)?;
        }
        line("all", &self.sum())?;
        writeln!(f, "\n{:52} {:>7} {:>6} {:>6}", "harmless", "files", "alarms", "notes")?;
        for (kind, row) in self.rows.iter().filter(|(_, row)| row.harmless > 0) {
            let kind = kind.trim_start_matches('~');
            writeln!(f, "{kind:52} {:7} {:6} {:6}", row.harmless, row.false_alarms, row.notes)?;
        }
        writeln!(f, "\nlines: {} of {} are right", self.lines.0, self.lines.1)?;
        for (wish, (found, all)) in &self.wishes {
            writeln!(f, "not asked for: {wish}: {found} of {all} found")?;
        }
        if env::var_os("OFFCUT_SECRETS_SHOW").is_some() {
            writeln!(f)?;
            self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))?;
        }
        Ok(())
    }
}
