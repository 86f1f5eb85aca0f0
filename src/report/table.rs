//! The report for people at a terminal: worst first, proof beside every claim, the remedy at the end.
//!
//! Prints whatever severity and state it is given. What came from the image is escaped here.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Display,
    io::{self, Write},
};

use super::{Verdict, text, verdict};
use crate::model::{
    BaseLayers, Diagnostic, EffectiveUser, Evidence, EvidenceClass, Family, Finding, Fix, LayerRef, Origin, PathGroup,
    PolicyUsed, Remedy, Report, Severity, Since, State,
};
use crate::policy::PROFILE;

/// How a table is to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Columns; less than 60 is taken as 60. Paths and single words are never cut and may be longer.
    pub width: usize,
    /// Whether ANSI colours are used.
    pub color: bool,
}

/// Writes the report and the verdict.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, verdict: &Verdict, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let look = Look { width: look.width.max(60), ..look };
    let mut page = Page { look, out };
    page.header(report)?;
    let parts: Vec<&Finding> = report.findings.iter().filter(|f| f.part_of.is_some()).collect();
    let alike = |finding: &&Finding| (finding.rule.clone(), finding.subject.clone(), finding.why.clone());
    let mut notes: HashMap<_, usize> = HashMap::new();
    report.findings.iter().filter(|f| is_note(f)).for_each(|f| *notes.entry(alike(&f)).or_default() += 1);
    for finding in report.findings.iter().filter(|f| f.part_of.is_none()) {
        match finding.severity {
            // Twenty keys of one test suite say no more than the first of them.
            Severity::Note => {
                if let Some(count) = notes.remove(&alike(&finding)) {
                    page.note(finding, count - 1, report.layers.len())?;
                }
            }
            _ => page.finding(finding, &parts, report.layers.len())?,
        }
    }
    page.diagnostics(&report.diagnostics)?;
    page.remedies(&report.findings)?;
    page.fix(report)?;
    page.summary(report, verdict)
}

fn is_note(finding: &Finding) -> bool {
    finding.severity == Severity::Note && finding.part_of.is_none()
}

/// Pieces of evidence and of paths shown of one finding; JSON has them all.
const SHOWN: usize = 3;
/// Packages shown of those that would be removed along.
const REMOVED_SHOWN: usize = 8;
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
    fn header(&mut self, report: &Report) -> io::Result<()> {
        let image = &report.image;
        let platform =
            image.platform.as_ref().map_or_else(String::new, |p| format!(" ({})", text::plain(&p.to_string())));
        let name = self.paint(BOLD, text::plain(&image.reference));
        self.line("image", &format!("{name}{platform}"))?;
        if let Some(id) = &image.id {
            self.line("id", &format!("sha256:{}", id.short()))?;
        }
        let totals = &report.totals;
        let contents = [
            format!("{} in {} files", text::bytes(totals.bytes), text::count(totals.files)),
            text::plural(report.layers.len(), "layer"),
            format!("{} packages", text::count(totals.packages)),
        ];
        self.line("size", &contents.join(", "))?;
        if totals.buried_files > 0 {
            let (bytes, files) = (text::bytes(totals.buried_bytes), text::count(totals.buried_files));
            self.line("buried", &format!("{bytes} in {files} files that upper layers hide and that still ship"))?;
        }
        if let Some(searched) = &report.searched {
            let mut parts = vec![format!("{} files searched for secrets", text::count(searched.files))];
            if searched.opened > 0 {
                let (opened, members) = (text::count(searched.opened), text::count(searched.members));
                parts.push(format!("and {members} files inside of {opened} archives and repositories"));
            }
            let closed: u64 = searched.unread.values().map(|unread| unread.count).sum();
            if closed > 0 {
                parts.push(format!("({} not opened: other formats, encrypted or damaged)", text::count(closed)));
            }
            self.wrapped("secrets", &parts.join(" "))?;
        }
        if let Some(user) = &report.user {
            self.wrapped("user", &describe_user(user))?;
        }
        if !report.role.how.is_empty() {
            let how = text::plain(&report.role.how);
            self.wrapped("role", &format!("{}: {how}", report.role.name.word()))?;
        }
        if !report.base.how.is_empty() {
            self.wrapped("base", &describe_base(&report.base, report.layers.len()))?;
        }
        if let Some(policy) = report.policy.as_ref().and_then(describe_policy) {
            self.wrapped("policy", &policy)?;
        }
        writeln!(self.out)
    }

    fn finding(&mut self, finding: &Finding, parts: &[&Finding], layers: usize) -> io::Result<()> {
        self.headline(finding)?;
        self.wrapped("why", &text::plain(&finding.why))?;
        self.layer_lines(finding, layers)?;
        self.evidence(&finding.evidence)?;
        self.parts(finding, parts)?;
        if finding.family != Family::Secret {
            self.groups(&finding.paths)?;
        }
        self.need(finding)?;
        self.removal(finding)?;
        if finding.buried_bytes > 0 {
            let older = text::bytes(finding.buried_bytes);
            self.line("also", &format!("{older} of older copies in lower layers"))?;
        }
        let remedy = format!("{} [{}]", text::plain(&finding.remedy.title), text::plain(&finding.remedy.id));
        self.wrapped("remedy", &remedy)?;
        if let Some(patch) = &finding.patch {
            self.wrapped("change", &text::plain(&patch.what))?;
        }
        self.decided(finding)?;
        writeln!(self.out)
    }

    /// What the user decided about it, and what the baseline says.
    fn decided(&mut self, finding: &Finding) -> io::Result<()> {
        if let Some(since) = finding.since.filter(|since| *since != Since::Known) {
            let what = match since {
                Since::Risen => "in the baseline, with a lower severity",
                Since::Ended => "in the baseline, let pass by an exception that ended",
                _ => "not in the baseline",
            };
            self.line(since.word(), what)?;
        }
        if let Some(rated) = &finding.rated {
            self.wrapped(
                "rated",
                &format!("{} by the rules, {} by {}", rated.severity, finding.severity, text::plain(&rated.entry)),
            )?;
        }
        match &finding.allowed {
            Some(_) => self.wrapped("allowed", &describe_allowed(finding)),
            None => Ok(()),
        }
    }

    /// What is merely noted: what it is, why it is no more than a note, and one proof.
    /// `more` others are alike.
    fn note(&mut self, finding: &Finding, more: usize, layers: usize) -> io::Result<()> {
        self.headline(finding)?;
        self.wrapped("why", &text::plain(&finding.why))?;
        self.layer_lines(finding, layers)?;
        if let Some(piece) = finding.evidence.first() {
            self.wrapped("proof", &describe_evidence(piece))?;
        }
        if more > 0 {
            self.wrapped("", &format!("and {} of the same kind", text::plural(more, "more finding")))?;
        }
        self.need(finding)?;
        self.decided(finding)?;
        writeln!(self.out)
    }

    /// The findings that are part of this one: what it holds.
    fn parts(&mut self, whole: &Finding, parts: &[&Finding]) -> io::Result<()> {
        let held = parts.iter().filter(|part| part.part_of.as_ref() == Some(&whole.fingerprint));
        let held: Vec<String> = held.map(|part| subject(part)).collect();
        if held.is_empty() { Ok(()) } else { self.wrapped("holds", &held.join("; ")) }
    }

    fn need(&mut self, finding: &Finding) -> io::Result<()> {
        match &finding.need.witness {
            Some(witness) => self.wrapped("need", &format!("{}: {}", finding.need.reach.word(), text::plain(witness))),
            None => Ok(()),
        }
    }

    fn removal(&mut self, finding: &Finding) -> io::Result<()> {
        let removal = &finding.removal;
        if !removal.also.is_empty() {
            let shown: Vec<_> = removal.also.iter().take(REMOVED_SHOWN).map(|name| text::plain(name)).collect();
            let more = match removal.also.len().saturating_sub(REMOVED_SHOWN) {
                0 => String::new(),
                more => format!(" and {}", text::plural(more, "more package")),
            };
            self.wrapped("takes", &format!("{}{more} along when it is removed", shown.join(", ")))?;
        }
        match &removal.caution {
            Some(caution) => self.wrapped("caution", &text::plain(caution)),
            None => Ok(()),
        }
    }

    /// Badge, rule and subject to the left, bytes flush right.
    fn headline(&mut self, finding: &Finding) -> io::Result<()> {
        let (rule, size) = (text::plain(&finding.rule), text::bytes(finding.bytes));
        // What a secret weighs does not matter.
        let size = if finding.bytes > 0 && finding.family != Family::Secret { size } else { String::new() };
        let badge = format!(" {:<8} ", finding.severity.word().to_uppercase());
        let left = badge.len() + 1 + text::width(&rule) + 2;
        let room = self.look.width.saturating_sub(left + 2 + size.len());
        let subject = text::clip(&subject(finding), room);
        let gap = room.saturating_sub(text::width(&subject)) + 2;
        let gap = if size.is_empty() { 0 } else { gap };
        let badge = self.paint(badge_color(finding.severity), badge);
        let (rule, size) = (self.paint(BOLD, rule), self.paint(BOLD, size));
        writeln!(self.out, "{badge} {rule}  {subject}{:gap$}{size}", "")
    }

    fn layer_lines(&mut self, finding: &Finding, layers: usize) -> io::Result<()> {
        if let Some(layer) = &finding.layer {
            let from = if finding.origin == Origin::Base { ", of the base image" } else { "" };
            self.clipped("layer", &describe_layer(layer, layers, from))?;
        }
        if let Some(line) = &finding.line {
            let (file, instruction) = (text::plain(&line.file), text::plain(&line.instruction));
            self.clipped("line", &format!("{file}:{}: {instruction}", line.first))?;
        }
        if let (State::Buried, Some(layer)) = (finding.state, &finding.hidden_by) {
            self.clipped("hidden by", &describe_layer(layer, layers, ""))?;
        }
        Ok(())
    }

    fn evidence(&mut self, evidence: &[Evidence]) -> io::Result<()> {
        // Seventy module files that say the same show less than one of them and a launcher.
        let mut told = HashSet::new();
        let evidence: Vec<&Evidence> = evidence.iter().filter(|piece| piece.class != EvidenceClass::Part).collect();
        let (new, again): (Vec<_>, Vec<_>) = evidence.iter().copied().partition(|piece| told.insert(&piece.witness));
        for (at, piece) in new.into_iter().chain(again).take(SHOWN).enumerate() {
            self.wrapped(if at == 0 { "proof" } else { "" }, &describe_evidence(piece))?;
        }
        self.more(evidence.len(), "piece", " of evidence")
    }

    fn groups(&mut self, groups: &[PathGroup]) -> io::Result<()> {
        // Where the bytes are, and not the three directories of settings that come first in the alphabet.
        let mut groups: Vec<&PathGroup> = groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.bytes));
        let shown = groups.iter().take(SHOWN);
        let rows: Vec<_> =
            shown.map(|g| (g.root.to_string(), text::plural(g.files.len(), "file"), text::bytes(g.bytes))).collect();
        // A long path must not push the numbers of the others off the screen.
        let most = self.look.width.saturating_sub(INDENT + 2 + 12 + 10);
        let root_width = rows.iter().map(|(root, ..)| text::width(root)).filter(|&w| w <= most).max().unwrap_or(0);
        for (at, (root, files, bytes)) in rows.iter().enumerate() {
            let pad = root_width.saturating_sub(text::width(root));
            let label = if at == 0 { "files" } else { "" };
            self.line(label, &format!("{root}{:pad$}  {files:>12} {bytes:>9}", ""))?;
        }
        let rest: usize = groups.iter().skip(SHOWN).map(|g| g.files.len()).sum();
        self.more(groups.len(), "directory", &format!(" with {}", text::plural(rest, "file")))
    }

    fn more(&mut self, all: usize, noun: &str, tail: &str) -> io::Result<()> {
        match all.checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => {
                let count = text::plural(more, noun);
                let (number, noun) = count.split_once(' ').unwrap_or((&count, ""));
                let line = self.paint(DIM, format!("and {number} more {noun}{tail}"));
                self.line("", &line)
            }
        }
    }

    fn diagnostics(&mut self, diagnostics: &[Diagnostic]) -> io::Result<()> {
        for diagnostic in diagnostics {
            let place =
                [diagnostic.layer.map(|n| format!("layer {n}")), diagnostic.path.as_ref().map(|path| path.to_string())];
            let place: Vec<_> = place.into_iter().flatten().collect();
            let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) };
            let label = if diagnostic.unread { "not read" } else { "note" };
            self.wrapped(label, &format!("{place}{}", text::plain(&diagnostic.text)))?;
        }
        if diagnostics.is_empty() { Ok(()) } else { writeln!(self.out) }
    }

    /// Every remedy that a finding names, once, in the order of the findings; what is merely noted needs none.
    fn remedies(&mut self, findings: &[Finding]) -> io::Result<()> {
        let mut seen = HashSet::new();
        let findings = findings.iter().filter(|f| f.severity > Severity::Note);
        for remedy in findings.map(|f| &f.remedy).filter(|r| seen.insert(r.id.as_str())) {
            self.remedy(remedy)?;
        }
        Ok(())
    }

    fn remedy(&mut self, remedy: &Remedy) -> io::Result<()> {
        let title = format!("{} [{}]", text::plain(&remedy.title), text::plain(&remedy.id));
        for (at, line) in text::wrap(&title, self.look.width - INDENT).into_iter().enumerate() {
            let label = if at == 0 { "REMEDY" } else { "" };
            let line = self.paint(BOLD, line);
            writeln!(self.out, " {label:<9} {line}")?;
        }
        for line in text::wrap(&text::plain(&remedy.text), self.look.width - INDENT) {
            self.line("", &line)?;
        }
        // What is made for this image is shown once, at the end.
        if !remedy.own {
            self.quoted(&remedy.dockerfile)?;
        }
        writeln!(self.out)
    }

    /// The last stage that mends the image, or why there is none.
    fn fix(&mut self, report: &Report) -> io::Result<()> {
        let rewrite = match &report.fix {
            Some(Fix::Rewritten(rewrite)) => rewrite,
            Some(Fix::Refused(why)) => {
                self.wrapped("no fix", &text::plain(why))?;
                return writeln!(self.out);
            }
            Some(Fix::Nothing(_)) | None => return Ok(()),
        };
        let title = self.paint(BOLD, "A last stage for this image, in the place of the one that it has");
        writeln!(self.out, " {:<9} {title}", "FIX")?;
        self.quoted(&rewrite.stage)?;
        for guess in &rewrite.guessed {
            self.wrapped("guessed", &text::plain(guess))?;
        }
        let sum = format!(
            "{} before; {} on top of {} then",
            text::bytes(rewrite.before),
            text::bytes(rewrite.added),
            text::plain(&rewrite.to)
        );
        self.wrapped("bytes", &sum)?;
        let file =
            rewrite.file.as_ref().map_or_else(String::new, |file| format!(" --dockerfile {}", text::plain(file)));
        self.wrapped("whole", &format!("offcut fix {}{file}", text::plain(&report.image.reference)))?;
        writeln!(self.out)
    }

    fn quoted(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            let line = format!("| {}", text::verbatim(line));
            let line = self.paint(DIM, line.trim_end());
            self.line("", &line)?;
        }
        Ok(())
    }

    fn summary(&mut self, report: &Report, verdict: &Verdict) -> io::Result<()> {
        for line in text::wrap(&describe_outcome(report), self.look.width) {
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

    /// A label and its value, which may hold colours.
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

fn badge_color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;97;45",
        Severity::High => "1;97;41",
        Severity::Medium => "1;30;43",
        Severity::Low => "1;30;46",
        Severity::Note => "1;30;47",
    }
}

/// The tool and its version; of dev dependencies how many there are, which the title says.
pub(super) fn subject(finding: &Finding) -> String {
    if finding.family == Family::DevDependency {
        return text::plain(&finding.title);
    }
    let buried = if finding.state == State::Buried { " (buried)" } else { "" };
    text::plain(&format!("{}{buried}", finding.named()))
}

pub(super) fn describe_evidence(piece: &Evidence) -> String {
    let path = piece.path.as_ref().map_or_else(String::new, |p| format!(" in {p}"));
    format!("{}: {}{path}", piece.class.word(), text::plain(&piece.witness))
}

pub(super) fn describe_base(base: &BaseLayers, all: usize) -> String {
    let name = base.name.as_deref().map_or_else(String::new, |name| format!("{}, ", text::plain(name)));
    let confidence = base.confidence.map_or_else(String::new, |c| format!(" ({})", c.word()));
    let layers = match base.layers {
        None => "unknown".to_string(),
        Some(0) => "none of the layers".to_string(),
        Some(1) => format!("the lowest of {all} layers"),
        Some(n) => format!("the lowest {n} of {all} layers"),
    };
    format!("{name}{layers}{confidence}: {}", text::plain(&base.how))
}

/// Whose policy decided; `None` for that of the program alone.
fn describe_policy(policy: &PolicyUsed) -> Option<String> {
    let file = policy.file.as_deref().map(text::plain);
    let profile = (policy.profile != PROFILE).then(|| format!("profile {}", text::plain(&policy.profile)));
    let baseline = policy.baseline.as_deref().map(|file| format!("what is new since {}", text::plain(file)));
    let parts: Vec<String> = [file, profile, baseline].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The reason, who answers for it and until when.
pub(super) fn describe_allowed(finding: &Finding) -> String {
    let reason = text::plain(finding.allowed.as_deref().unwrap_or_default());
    let by = finding.allowed_by.as_ref();
    let owner = by.and_then(|by| by.owner.as_deref()).map(|owner| format!("owner {}", text::plain(owner)));
    let expires = by.and_then(|by| by.expires.as_deref()).map(|day| format!("until {}", text::plain(day)));
    let terms: Vec<String> = [owner, expires].into_iter().flatten().collect();
    if terms.is_empty() { reason } else { format!("{reason} ({})", terms.join(", ")) }
}

pub(super) fn describe_layer(layer: &LayerRef, layers: usize, from: &str) -> String {
    let command = layer.created_by.as_deref().map(text::command).filter(|c| !c.is_empty());
    let command = command.unwrap_or_else(|| "the history does not say what made it".to_string());
    format!("{} of {layers}{from}: {command}", layer.number)
}

pub(super) fn describe_user(user: &EffectiveUser) -> String {
    let id = |id: Option<u32>| id.map_or_else(|| "?".to_string(), |id| id.to_string());
    let ids = format!("{}:{}", id(user.uid), id(user.gid));
    let name = user.name.as_deref().map_or_else(|| ids.clone(), |name| format!("{} ({ids})", text::plain(name)));
    if user.how.is_empty() { name } else { format!("{name}: {}", text::plain(&user.how)) }
}

/// What was found in one sentence without a full stop, and how much was not read.
pub(super) fn describe_outcome(report: &Report) -> String {
    let unread = verdict::unread(report);
    if report.findings.is_empty() {
        return match unread {
            0 => "nothing found that should have stayed in the builder stage".to_string(),
            n => format!("nothing found, but {} not read", text::things(n)),
        };
    }
    let unread = if unread > 0 { format!("; {} not read", text::things(unread)) } else { String::new() };
    format!("{}{unread}", count_findings(&report.findings))
}

fn count_findings(findings: &[Finding]) -> String {
    let (parts, findings): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|f| f.part_of.is_some());
    let mut counts = BTreeMap::<_, usize>::new();
    for finding in &findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().rev().map(|(severity, n)| format!("{n} {severity}")).collect();
    // What is merely noted may well be needed: the run-time image of Java that holds the compiler holds the rest too.
    // A secret's weight is nothing, and the file that holds it may be the program itself.
    let spare = || findings.iter().copied().filter(|f| f.severity > Severity::Note && f.family != Family::Secret);
    let bytes = spare().fold(0_u64, |sum, f| sum.saturating_add(f.bytes).saturating_add(f.buried_bytes));
    // Two findings may share a file; then the sum counts it twice, and the line says that it is a bound.
    let most = if share_files(&spare().collect::<Vec<_>>()) { "at most " } else { "" };
    let cost = if bytes > 0 { format!("; {most}{} need not ship", text::bytes(bytes)) } else { String::new() };
    let with = match parts.len() {
        0 => String::new(),
        n => format!(" with {}", text::plural(n, "part")),
    };
    format!("{}{with} ({}){cost}", text::plural(findings.len(), "finding"), counts.join(", "))
}

fn share_files(findings: &[&Finding]) -> bool {
    let mut seen = HashSet::new();
    let files = findings.iter().flat_map(|f| f.paths.iter().map(move |g| (f.state, g)));
    files.flat_map(|(state, g)| g.files.iter().map(move |file| (state, file))).any(|file| !seen.insert(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn printed(report: &Report, width: usize, color: bool) -> String {
        let mut out = Vec::new();
        let verdict = Verdict::of(report, &crate::policy::Gates::at(Some(Severity::High)), None);
        write(report, &verdict, Look { width, color }, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    /// The text without its colours.
    fn bare(colored: &str) -> String {
        let mut parts = colored.split('\x1b');
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |out, part| out + part.split_once('m').map_or(part, |(_, text)| text))
    }

    #[test]
    fn the_whole_table_at_eighty_columns() {
        assert_eq!(printed(&testing::report(), 80, false), include_str!("testdata/table-80.txt"));
    }

    #[test]
    fn the_whole_table_at_a_hundred_and_forty_columns() {
        assert_eq!(printed(&testing::report(), 140, false), include_str!("testdata/table-140.txt"));
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let plain = printed(&testing::report(), 100, false);
        let colored = printed(&testing::report(), 100, true);
        assert!(!plain.contains('\x1b'));
        assert!(colored.contains("\x1b[1;97;41m HIGH     \x1b[0m"), "{colored}");
        assert_eq!(bare(&colored), plain);
    }

    #[test]
    fn lines_keep_the_width_unless_one_word_is_longer() {
        for width in [80, 100, 140] {
            for line in printed(&testing::report(), width, false).lines() {
                assert!(text::width(line) <= width, "{width}: {line:?}");
                assert_eq!(line.trim_end(), line, "no blanks at the end");
            }
        }
    }

    #[test]
    fn a_long_title_of_a_remedy_is_wrapped() {
        let mut report = testing::report();
        report.findings[0].remedy.title =
            "Build with all dependencies and ship only those of production, please".into();
        let page = printed(&report, 80, false);
        assert!(page.lines().all(|line| text::width(line) <= 80), "{page}");
    }

    #[test]
    fn a_clean_image_says_so_in_one_line() {
        let page = printed(&testing::empty(), 100, false);
        let tail: Vec<_> = page.lines().skip_while(|l| !l.is_empty()).collect();
        assert_eq!(
            tail,
            ["", "nothing found that should have stayed in the builder stage", "PASSED: no finding is high or worse"]
        );
    }

    #[test]
    fn an_image_that_was_not_read_whole_is_not_called_clean() {
        let mut report = testing::empty();
        report.diagnostics = vec![testing::unread("the gzip stream ends early"), testing::unread("no tar header")];
        let page = printed(&report, 100, false);
        assert!(page.contains(" not read   layer 2, /var/lib/x: the gzip stream ends early\n"), "{page}");
        assert!(page.ends_with("nothing found, but 2 things were not read\nNOT JUDGED: 2 things were not read\n"));
        report.findings = testing::report().findings;
        let page = printed(&report, 100, false);
        assert!(
            page.contains("3 findings (1 high, 1 medium, 1 low); 312 MB need not ship; 2 things were not read\n"),
            "{page}"
        );
        assert!(page.ends_with("FAILED: 1 finding is high or worse\n"));
    }

    #[test]
    fn what_is_only_noted_is_not_said_to_be_spare() {
        let mut report = testing::report();
        report.findings.iter_mut().for_each(|f| f.severity = Severity::Note);
        let page = printed(&report, 100, false);
        assert!(page.contains("3 findings (3 note)\n"), "{page}");
    }

    #[test]
    fn proof_that_says_something_new_comes_first() {
        let mut report = testing::report();
        let gcc = &mut report.findings[0];
        let [first, second, ..] = &gcc.evidence[..] else { panic!("two pieces") };
        gcc.evidence = [vec![first.clone(); 5], vec![second.clone()]].concat();
        let page = printed(&report, 140, false);
        let (first, second) = (page.find("dpkg gcc-12"), page.find("dpkg cpp-12"));
        assert!(first.is_some() && first < second, "{page}");
        assert!(page.contains("and 3 more pieces of evidence"), "{page}");
    }

    #[test]
    fn the_directories_with_most_bytes_are_shown() {
        let mut report = testing::report();
        report.findings[0].paths[3].bytes += 1;
        let page = printed(&report, 140, false);
        assert!(page.contains(" files      /usr/share/doc/gcc-12 "), "{page}");
    }

    #[test]
    fn a_remedy_is_told_once() {
        let page = printed(&testing::many(3), 100, false);
        assert_eq!(page.matches(" REMEDY ").count(), 1);
        assert_eq!(page.matches(" remedy ").count(), 3);
    }

    #[test]
    fn files_of_two_findings_make_the_sum_a_bound() {
        let mut report = testing::report();
        report.findings.push(report.findings[0].clone());
        let page = printed(&report, 100, false);
        assert!(page.contains("; at most 624 MB need not ship\n"), "{page}");
    }

    #[test]
    fn no_name_in_an_image_reaches_the_terminal_raw() {
        for name in testing::HOSTILE {
            let page = printed(&testing::hostile(name), 80, false);
            let raw =
                |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!page.contains(raw), "{page:?}");
        }
    }

    #[test]
    fn every_finding_is_printed_however_many() {
        let page = printed(&testing::many(5_001), 100, false);
        assert_eq!(page.matches(" build-tool/gcc ").count(), 5_001);
    }
}
