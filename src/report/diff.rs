//! What changed between two images, for people and for programs: what `offcut diff` prints.
//!
//! The JSON form is complete and fixed by `docs/schema/diff-v1.json`; the table says of each finding what it is, where it
//! came from and what changed.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    Verdict,
    table::{Look, describe_allowed},
    text,
};
use crate::{
    diff::{Change, Changed, Diff, What},
    model::{Family, Finding, GatesUsed, LayerSummary, Report, Severity, State},
    policy::Gates,
};

/// Name and version of the JSON form, the value of the member `schema`.
pub const SCHEMA: &str = "offcut.diff/1";

/// What the gates say of the new image.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The gates.
    pub gates: &'a Gates,
    /// The new image, its findings marked with what they are beside the old one ([`Diff::mark`]).
    pub new: &'a Report,
    /// The answer.
    pub verdict: Verdict,
}

impl<'a> Judged<'a> {
    /// Judges what the new image has more than the old one.
    pub fn of(diff: &Diff, new: &'a Report, gates: &'a Gates) -> Self {
        Self { gates, new, verdict: Verdict::of(new, gates, Some(diff)) }
    }
}

/// Writes everything as indented JSON with a final newline.
///
/// # Errors
/// Those of `out`.
pub fn write_json(diff: &Diff, judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let GatesUsed { severity, rules, bytes, growth } = judged.gates.used();
    let failing = judged.new.findings.iter().filter(|finding| judged.gates.fails(finding));
    let failed_by = failing.map(|finding| finding.fingerprint.as_str()).collect();
    let gate = Gate { fail_on: severity, rules, bytes, growth, failed_by, reasons: judged.verdict.reasons() };
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, gate, diff })?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    gate: Gate<'a>,
    #[serde(flatten)]
    diff: &'a Diff,
}

#[derive(Serialize)]
struct Gate<'a> {
    fail_on: Option<Severity>,
    rules: BTreeMap<String, Option<Severity>>,
    bytes: Option<u64>,
    growth: Option<String>,
    failed_by: Vec<&'a str>,
    reasons: Vec<String>,
}

/// Writes the table and the verdict.
///
/// # Errors
/// Those of `out`.
pub fn write_table(diff: &Diff, verdict: &Verdict, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look: Look { width: look.width.max(60), ..look }, out };
    page.header(diff)?;
    page.layers(diff)?;
    for finding in &diff.findings.new {
        page.found("NEW", finding)?;
    }
    for changed in &diff.findings.changed {
        page.changed(changed)?;
    }
    for finding in &diff.findings.gone {
        page.found("GONE", finding)?;
    }
    page.summary(diff, verdict)
}

/// Columns before the value of a labelled line.
const INDENT: usize = 12;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "1;32";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";

struct Page<'a> {
    look: Look,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn header(&mut self, diff: &Diff) -> io::Result<()> {
        for (label, side) in [("old", &diff.old), ("new", &diff.new)] {
            let id = side.id.map_or_else(String::new, |id| format!("  sha256:{}", id.short()));
            let platform = side.platform.as_ref().map(|platform| text::plain(&platform.to_string()));
            let platform = platform.map_or_else(String::new, |platform| format!(" ({platform})"));
            let name = self.paint(BOLD, text::plain(&side.reference));
            self.line(label, &format!("{name}{platform}{id}"))?;
        }
        let (old, new) = (&diff.old.totals, &diff.new.totals);
        self.line("size", &format!("{} in {} files", step(old.bytes, new.bytes), text::count(new.files)))?;
        if old.buried_bytes > 0 || new.buried_bytes > 0 {
            self.line("buried", &step(old.buried_bytes, new.buried_bytes))?;
        }
        self.line("stored", &step(diff.old.stored_bytes, diff.new.stored_bytes))?;
        for note in &diff.notes {
            self.wrapped("note", &text::plain(note))?;
        }
        writeln!(self.out)
    }

    fn layers(&mut self, diff: &Diff) -> io::Result<()> {
        let layers = &diff.layers;
        let same = format!("{} the same, {}", text::plural(layers.same, "layer"), text::bytes(layers.same_bytes));
        self.line("layers", &same)?;
        for rebuilt in &layers.rebuilt {
            let (was, is) = (rebuilt.old.blob_bytes, rebuilt.new.blob_bytes);
            self.layer("rebuilt", &rebuilt.new, &step(was, is))?;
        }
        for layer in &layers.new {
            self.layer("new", layer, &text::bytes(layer.blob_bytes))?;
        }
        for layer in &layers.gone {
            self.layer("gone", layer, &text::bytes(layer.blob_bytes))?;
        }
        writeln!(self.out)
    }

    fn layer(&mut self, label: &str, layer: &LayerSummary, bytes: &str) -> io::Result<()> {
        let command = layer.layer.created_by.as_deref().map(text::command).unwrap_or_default();
        self.clipped(&format!("  {label}"), &format!("{}, {bytes}: {command}", layer.layer.number))
    }

    fn found(&mut self, badge: &str, finding: &Finding) -> io::Result<()> {
        let size = match finding.family {
            Family::Secret => String::new(),
            _ if finding.bytes == 0 => String::new(),
            _ => text::bytes(finding.bytes),
        };
        self.headline(badge, finding, &size)?;
        if badge == "NEW" {
            self.place(finding)?;
            let remedy = format!("{} [{}]", text::plain(&finding.remedy.title), text::plain(&finding.remedy.id));
            self.wrapped("remedy", &remedy)?;
        }
        if finding.allowed.is_some() {
            self.wrapped("allowed", &describe_allowed(finding))?;
        }
        writeln!(self.out)
    }

    fn place(&mut self, finding: &Finding) -> io::Result<()> {
        if let Some(line) = &finding.line {
            let (file, instruction) = (text::plain(&line.file), text::plain(&line.instruction));
            self.clipped("line", &format!("{file}:{}: {instruction}", line.first))?;
        } else if let Some(layer) = &finding.layer {
            let command = layer.created_by.as_deref().map(text::command).unwrap_or_default();
            self.clipped("layer", &format!("{}: {command}", layer.number))?;
        }
        let witness = finding.evidence.iter().find_map(|piece| piece.path.as_ref());
        match witness.or_else(|| finding.paths.first().map(|group| &group.root)) {
            Some(path) => self.line("seen in", &path.to_string()),
            None => Ok(()),
        }
    }

    fn changed(&mut self, changed: &Changed) -> io::Result<()> {
        let badge = match changed.changes.first().map(|change| change.what) {
            Some(What::Rose) => "WORSE",
            Some(What::Fell) => "BETTER",
            Some(What::Grew) => "GREW",
            Some(What::Shrank) => "SHRANK",
            _ if changed.moved() => "MOVED",
            _ => "CHANGED",
        };
        self.headline(badge, &changed.new, "")?;
        for Change { what, old, new } in &changed.changes {
            let bytes = |text: &str| text.parse().ok();
            let shown = match (what, bytes(old), bytes(new)) {
                (What::Grew | What::Shrank, Some(old), Some(new)) => step(old, new),
                (What::Layer, ..) => format!("{} -> {}", text::command(old), text::command(new)),
                _ => format!("{} -> {}", text::plain(old), text::plain(new)),
            };
            self.wrapped(what.word(), &shown)?;
        }
        writeln!(self.out)
    }

    fn headline(&mut self, badge: &str, finding: &Finding, size: &str) -> io::Result<()> {
        let version = finding.version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
        let buried = if finding.state == State::Buried { " (buried)" } else { "" };
        let (rule, severity) = (text::plain(&finding.rule), finding.severity.word());
        let left = 1 + 8 + 1 + 9 + text::width(&rule) + 2;
        let room = self.look.width.saturating_sub(left + 2 + size.len());
        let subject = text::clip(&text::plain(&format!("{}{version}{buried}", finding.subject)), room);
        let gap = if size.is_empty() { 0 } else { room.saturating_sub(text::width(&subject)) + 2 };
        let color = match badge {
            "NEW" | "WORSE" => RED,
            "GONE" | "BETTER" => GREEN,
            _ => YELLOW,
        };
        let badge = self.paint(color, format!("{badge:<8}"));
        let (rule, size) = (self.paint(BOLD, rule), self.paint(BOLD, size));
        writeln!(self.out, " {badge} {severity:<8} {rule}  {subject}{:gap$}{size}", "")
    }

    fn summary(&mut self, diff: &Diff, verdict: &Verdict) -> io::Result<()> {
        let findings = &diff.findings;
        let count = |what: What| {
            findings.changed.iter().filter(|changed| changed.changes.iter().any(|change| change.what == what)).count()
        };
        let moved = findings.changed.iter().filter(|changed| changed.moved()).count();
        let counts = format!(
            "{} new, {} gone, {moved} moved, {} grown, {} worse, {} the same",
            findings.new.len(),
            findings.gone.len(),
            count(What::Grew),
            count(What::Rose),
            findings.same
        );
        let bytes = findings.bytes;
        let sums = [("came", bytes.new), ("grew", bytes.grown), ("went", bytes.gone), ("shrank", bytes.shrunk)];
        let sums =
            sums.iter().filter(|(_, bytes)| *bytes > 0).map(|(word, bytes)| format!("{} {word}", text::bytes(*bytes)));
        let sums = sums.collect::<Vec<_>>().join(", ");
        let sums = if sums.is_empty() { sums } else { format!("; bytes of findings: {sums}") };
        for line in text::wrap(&format!("{counts}{sums}"), self.look.width) {
            writeln!(self.out, "{line}")?;
        }
        let color = match verdict {
            Verdict::Passed { .. } => GREEN,
            Verdict::Failed { .. } => RED,
            Verdict::Partial { .. } => YELLOW,
        };
        let line = self.paint(color, verdict);
        writeln!(self.out, "{line}")
    }

    fn line(&mut self, label: &str, value: &str) -> io::Result<()> {
        let label = if label.is_empty() { format!("{:10}", "") } else { self.paint(DIM, format!("{label:<10}")) };
        writeln!(self.out, " {label} {value}")
    }

    fn clipped(&mut self, label: &str, value: &str) -> io::Result<()> {
        self.line(label, &text::clip(value, self.look.width - INDENT))
    }

    fn wrapped(&mut self, label: &str, value: &str) -> io::Result<()> {
        for (at, line) in text::wrap(value, self.look.width - INDENT).iter().enumerate() {
            self.line(if at == 0 { label } else { "" }, line)?;
        }
        Ok(())
    }

    fn paint(&self, color: &str, text: impl Display) -> String {
        let text = text.to_string();
        if self.look.color && !text.is_empty() { format!("\x1b[{color}m{text}\x1b[0m") } else { text }
    }
}

/// Two sizes and the difference: `51.7 MB -> 60.0 MB (+8.30 MB)`.
fn step(old: u64, new: u64) -> String {
    let (was, is) = (text::bytes(old), text::bytes(new));
    match new.checked_sub(old) {
        Some(0) => format!("{is} in both"),
        Some(more) => format!("{was} -> {is} (+{})", text::bytes(more)),
        None => format!("{was} -> {is} (-{})", text::bytes(old - new)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::testing;

    /// Two images: the compiler is new, make moved to another step, root is worse.
    fn diff() -> (Diff, Report) {
        let mut old = testing::report();
        old.findings.remove(0);
        let mut new = testing::report();
        new.findings[1].severity = Severity::High;
        if let Some(layer) = &mut new.findings[2].layer {
            layer.created_by = Some("RUN /bin/sh -c apt-get install -y make # buildkit".to_string());
        }
        new.totals.bytes += 312_000_000;
        between(&old, &new)
    }

    fn between(old: &Report, new: &Report) -> (Diff, Report) {
        let (diff, mut new) = (Diff::between(old, new), new.clone());
        diff.mark(&mut new);
        (diff, new)
    }

    fn table((diff, new): &(Diff, Report), width: usize) -> String {
        let mut out = Vec::new();
        let look = Look { width, color: false };
        let verdict = Judged::of(diff, new, &Gates::at(Some(Severity::High))).verdict;
        write_table(diff, &verdict, look, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    fn printed(compared: &(Diff, Report)) -> Value {
        judged(compared, &Gates::at(Some(Severity::High)))
    }

    fn judged((diff, new): &(Diff, Report), gates: &Gates) -> Value {
        let mut out = Vec::new();
        write_json(diff, &Judged::of(diff, new, gates), &mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("it is JSON")
    }

    fn schema() -> jsonschema::Validator {
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let report = read(include_str!("../../docs/schema/report-v1.json"));
        let registry = jsonschema::Registry::new()
            .add("json-schema:///report-v1.json", report)
            .expect("a schema")
            .prepare()
            .expect("resolved");
        let schema = read(include_str!("../../docs/schema/diff-v1.json"));
        jsonschema::options().with_registry(&registry).build(&schema).expect("a schema")
    }

    #[test]
    fn the_table_says_what_changed() {
        let page = table(&diff(), 100);
        for want in [
            " NEW      high     build-tool/gcc  GCC 12.2.0-14",
            " WORSE    high     root-user/uid-0  root\n rose       medium -> high\n",
            " MOVED    low      build-tool/make  GNU make 4.3 (buried)\n layer      1: debootstrap -> 1: RUN",
            " size       731 MB -> 1.04 GB (+312 MB) in 8,211 files\n",
            "1 new, 0 gone, 1 moved, 0 grown, 1 worse, 0 the same; bytes of findings: 312 MB came\n",
            "FAILED: 2 new or risen findings are high or worse\n",
        ] {
            assert!(page.contains(want), "{want:?} is not in\n{page}");
        }
        assert!(page.lines().all(|line| text::width(line) <= 100 && line.trim_end() == line), "{page}");
    }

    #[test]
    fn no_name_in_an_image_reaches_the_terminal_raw() {
        for name in testing::HOSTILE {
            let hostile = testing::hostile(name);
            for diff in [between(&testing::report(), &hostile), between(&testing::empty(), &hostile)] {
                let page = table(&diff, 80);
                let raw = |c: char| {
                    c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                };
                assert!(!page.contains(raw), "{page:?}");
            }
        }
    }

    #[test]
    fn the_schema_takes_every_comparison_and_no_other() {
        let schema = schema();
        let same = between(&testing::report(), &testing::report());
        let bare = Report { image: crate::model::ImageInfo::default(), ..testing::empty() };
        let hostile = testing::HOSTILE.map(|name| between(&testing::empty(), &testing::hostile(name)));
        for diff in [diff(), same, between(&bare, &bare)].iter().chain(&hostile) {
            let value = printed(diff);
            let faults: Vec<_> = schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert_eq!(faults, Vec::<String>::new());
        }
        let good = printed(&diff());
        assert_eq!(
            good["gate"],
            json!({
                "fail_on": "high", "rules": {}, "bytes": null, "growth": null,
                "failed_by": ["00112233445566aa", "00112233445566bb"],
                "reasons": ["2 new or risen findings are high or worse"],
            })
        );
        let rules = BTreeMap::from([("root-user".to_string(), None)]);
        let growth = "5%".parse().ok();
        let gates = Gates { severity: Some(Severity::High), rules, bytes: Some(1_000_000), growth };
        let all = judged(&diff(), &gates);
        assert_eq!(schema.iter_errors(&all).count(), 0, "{all}");
        assert_eq!(all["gate"]["failed_by"], json!(["00112233445566aa"]));
        assert_eq!(
            all["gate"]["reasons"],
            json!([
                "1 new or risen finding is high or worse",
                "312 MB more need not ship, at most 1.00 MB may",
                "the image grew by 312 MB, at most 5 % may be added"
            ])
        );
        for (at, wrong) in [
            ("/schema", json!("offcut.diff/2")),
            ("/gate/fail_on", json!("never")),
            ("/gate/growth", json!("much")),
            ("/gate/rules", json!({"vcs": "fatal"})),
            ("/old/stored_bytes", json!(-1)),
            ("/findings/new/0/severity", json!("fatal")),
            ("/findings/changed/0/changes/0/what", json!("fled")),
            ("/findings/changed/0/changes", json!([])),
            ("/findings/same", json!("1")),
            ("/layers/same_bytes", Value::Null),
            ("/notes", json!("none")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(at).unwrap_or_else(|| unreachable!("{at} is there")) = wrong;
            assert!(!schema.is_valid(&bad), "{at}");
        }
        for object in ["", "/old", "/gate", "/findings", "/findings/bytes", "/findings/changed/0", "/layers"] {
            let mut more = good.clone();
            more.pointer_mut(object).and_then(Value::as_object_mut).expect("an object").insert("x".into(), json!(1));
            assert!(!schema.is_valid(&more), "{object}");
        }
    }
}
