//! The report as annotations of a GitHub Actions run.
//!
//! Not more than the runner keeps of one step: ten of each kind, the worst first; the rest is counted. Everything is escaped
//! as workflow commands want it, so that no name in an image is a command of its own.
//!
//! Source: GitHub documentation, "Workflow commands for GitHub Actions"; the runner's `ActionCommand.cs` for the escapes.

use std::io::{self, Write};

use super::{Verdict, text};
use crate::model::{Family, Finding, Report, Severity};

/// Most annotations of one kind that a step keeps.
pub const OF_A_KIND_MAX: usize = 10;

/// Writes the annotations, and the verdict.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let mut left = 0;
    for kind in ["error", "warning", "notice"] {
        let of_kind = report.findings.iter().filter(|f| f.allowed.is_none() && kind_of(f.severity) == Some(kind));
        let (mut room, mut over) = (OF_A_KIND_MAX - usize::from(kind == "notice"), 0);
        for finding in of_kind {
            match room.checked_sub(1) {
                Some(less) => {
                    room = less;
                    writeln!(out, "{}", annotation(kind, finding, &report.image.reference))?;
                }
                None => over += 1,
            }
        }
        left += over;
    }
    let unread = report.diagnostics.iter().filter(|d| d.unread).count();
    let more = if left > 0 { format!("; {} not annotated", text::plural(left, "more finding")) } else { String::new() };
    let unread = if unread > 0 { format!("; {} not read", text::things(unread)) } else { String::new() };
    let said = data(&format!("{verdict}{more}{unread} ({})", report.image.reference));
    writeln!(out, "::notice title=offcut::{said}")
}

/// The kind of annotation; what is merely noted is none.
fn kind_of(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical | Severity::High => Some("error"),
        Severity::Medium => Some("warning"),
        Severity::Low => Some("notice"),
        Severity::Note => None,
    }
}

fn annotation(kind: &str, finding: &Finding, image: &str) -> String {
    let place = finding.line.as_ref().map_or_else(String::new, |line| {
        format!("file={},line={},endLine={},", property(&line.file), line.first, line.last)
    });
    let title = property(&format!("{}: {}", finding.rule, finding.named()));
    let layer = finding.layer.as_ref().map_or_else(String::new, |layer| format!(" in layer {}", layer.number));
    let takes = match finding.family {
        Family::Secret => String::new(),
        _ if finding.bytes == 0 => String::new(),
        _ => format!(", {}", text::bytes(finding.bytes)),
    };
    let said = data(&format!("{}{layer} of {image}{takes}. Remedy: {}.", finding.title, finding.remedy.title));
    format!("::{kind} {place}title={title}::{said}")
}

/// Text behind the second `::`.
fn data(foreign: &str) -> String {
    text::plain(foreign).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, which a comma or a colon would end.
fn property(foreign: &str) -> String {
    data(foreign).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Gates, report::testing};

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &Verdict::of(report, &Gates::at(Some(Severity::High)), None), &mut out)
            .expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_finding_stands_at_its_line() {
        let text = printed(&testing::mended());
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("::error file=Dockerfile,line=2,endLine=2,title=build-tool/gcc%3A GCC"), "{first}");
        assert!(text.contains("::notice title=offcut::FAILED: 1 finding is high or worse"), "{text}");
    }

    #[test]
    fn no_name_starts_a_command_of_its_own_or_ends_a_property() {
        for name in testing::HOSTILE {
            let mut report = testing::hostile(name);
            let name = String::from_utf8_lossy(name).into_owned();
            report.findings[0].line =
                Some(crate::model::DockerfileLine { file: name, first: 1, last: 1, instruction: String::new() });
            for line in printed(&report).lines() {
                let command = line.strip_prefix("::").and_then(|line| line.split_once("::"));
                let (head, _) = command.unwrap_or_else(|| panic!("no annotation: {line}"));
                let (kind, properties) = head.split_once(' ').expect("properties");
                assert!(["error", "warning", "notice"].contains(&kind), "{line}");
                for property in properties.split(',') {
                    let key = property.split_once('=').map(|(key, _)| key).unwrap_or_default();
                    assert!(["file", "line", "endLine", "title"].contains(&key), "{property} in {line}");
                }
            }
        }
        assert_eq!(property("a::b,%0A"), "a%3A%3Ab%2C%250A");
    }

    #[test]
    fn a_step_keeps_ten_of_a_kind_and_the_rest_is_counted() {
        let text = printed(&testing::many(25));
        assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), OF_A_KIND_MAX);
        assert!(text.contains("15 more findings not annotated"), "{text}");
    }
}
