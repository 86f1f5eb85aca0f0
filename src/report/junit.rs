//! The report as JUnit XML: a test case for each rule that could fire, those that found nothing included.
//!
//! A rule fails when one of its findings reaches the gate; what is below is told as output of the case. What was allowed is
//! skipped, and what could not be read is an error.
//!
//! Source: the JUnit schema that Jenkins and GitLab read (`testsuites`, `testsuite`, `testcase`).

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::text;
use crate::{
    model::{Finding, Report, date},
    policy::Gates,
};

/// Writes the report; `gates` say what fails, `at` is the time of the scan in seconds since 1970.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, gates: &Gates, at: i64, out: &mut dyn Write) -> io::Result<()> {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for rule in &report.rules {
        by_rule.entry(&rule.id).or_default();
    }
    report.findings.iter().for_each(|finding| by_rule.entry(&finding.rule).or_default().push(finding));
    let fails = |finding: &&Finding| gates.fails(finding);
    let failures = by_rule.values().filter(|findings| findings.iter().any(&fails)).count();
    let is_skipped = |findings: &&Vec<&Finding>| !findings.is_empty() && findings.iter().all(|f| f.allowed.is_some());
    let skipped = by_rule.values().filter(is_skipped).count();
    let unread: Vec<_> = report.diagnostics.iter().filter(|diagnostic| diagnostic.unread).collect();
    let errors = usize::from(!unread.is_empty());

    let mut xml = Writer::new_with_indent(out, b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let tests = (by_rule.len() + 1).to_string();
    let (failures, errors, skipped) = (failures.to_string(), errors.to_string(), skipped.to_string());
    let counts =
        [("tests", &tests[..]), ("failures", &failures), ("errors", &errors), ("skipped", &skipped), ("time", "0")];
    let name = clean(&report.image.reference);
    let time = date::zoneless(at);
    let suites = BytesStart::new("testsuites").with_attributes([("name", "offcut")]).with_attributes(counts);
    let suite = BytesStart::new("testsuite")
        .with_attributes([("name", &name[..]), ("timestamp", &time)])
        .with_attributes(counts);
    xml.write_event(Event::Start(suites))?;
    xml.write_event(Event::Start(suite))?;

    let said: Vec<String> = unread
        .iter()
        .map(|d| format!("{}{}", d.path.as_ref().map_or_else(String::new, |path| format!("{path}: ")), d.text))
        .collect();
    case(&mut xml, "offcut", "everything was read", |xml| match said.is_empty() {
        true => Ok(()),
        false => element(xml, "error", &[("message", &format!("{} not read", text::things(said.len())))], &said),
    })?;
    for (rule, findings) in by_rule {
        let family = rule.split('/').next().unwrap_or_default();
        case(&mut xml, &format!("offcut.{family}"), rule, |xml| {
            let failed: Vec<&Finding> = findings.iter().copied().filter(|f| fails(f)).collect();
            if let Some(first) = failed.first() {
                let lines: Vec<String> = failed.iter().map(|finding| line(finding)).collect();
                element(xml, "failure", &[("message", &first.title), ("type", first.severity.word())], &lines)?;
            } else if let (Some(first), true) = (findings.first(), is_skipped(&&findings)) {
                element(xml, "skipped", &[("message", first.allowed.as_deref().unwrap_or_default())], &[])?;
            }
            let below: Vec<String> = findings.iter().filter(|f| !fails(f)).map(|finding| line(finding)).collect();
            if below.is_empty() { Ok(()) } else { element(xml, "system-out", &[], &below) }
        })?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))?;
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.get_mut().write_all(b"\n")
}

type Xml<'a> = Writer<&'a mut dyn Write>;

fn case(
    xml: &mut Xml<'_>,
    class: &str,
    name: &str,
    fill: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let (class, name) = (clean(class), clean(name));
    let start =
        BytesStart::new("testcase").with_attributes([("classname", &class[..]), ("name", &name), ("time", "0")]);
    xml.write_event(Event::Start(start))?;
    fill(xml)?;
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn element(xml: &mut Xml<'_>, name: &str, attributes: &[(&str, &str)], lines: &[String]) -> io::Result<()> {
    let attributes: Vec<(&str, String)> = attributes.iter().map(|(key, value)| (*key, clean(value))).collect();
    let start = BytesStart::new(name).with_attributes(attributes.iter().map(|(key, value)| (*key, &value[..])));
    xml.write_event(Event::Start(start))?;
    let lines: Vec<String> = lines.iter().map(|line| clean(line)).collect();
    xml.write_event(Event::Text(BytesText::new(&lines.join("\n"))))?;
    xml.write_event(Event::End(BytesEnd::new(name)))
}

fn line(finding: &Finding) -> String {
    let path = finding.first_path().map_or_else(String::new, |path| format!(", seen in {path}"));
    let layer = finding.layer.as_ref().map_or_else(String::new, |layer| format!(" in layer {}", layer.number));
    let at = finding.line.as_ref().map_or_else(String::new, |line| format!(" ({}:{})", line.file, line.first));
    let (severity, subject, remedy) = (finding.severity, finding.named(), &finding.remedy.title);
    format!("{severity}: {subject}{layer}{at}, {}{path}. Remedy: {remedy}.", text::bytes(finding.bytes))
}

/// One line without what XML 1.0 has no place for.
fn clean(foreign: &str) -> String {
    let is_none = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}') || c.is_control();
    text::plain(foreign).replace(is_none, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;

    use super::*;
    use crate::{model::Severity, report::testing};

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, &Gates::at(Some(Severity::High)), 0, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    /// The names of all elements, in order.
    fn elements(text: &str) -> Vec<String> {
        let mut reader = Reader::from_str(text);
        let mut names = Vec::new();
        loop {
            match reader.read_event().expect("it is XML") {
                Event::Start(start) => {
                    start.attributes().for_each(|attribute| drop(attribute.expect("an attribute")));
                    names.push(start.name().as_ref().to_string());
                }
                Event::Eof => return names,
                _ => {}
            }
        }
    }

    #[test]
    fn every_rule_is_a_case_and_what_reaches_the_gate_fails() {
        let text = printed(&testing::report());
        assert!(text.contains("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{text}");
        let names = elements(&text);
        assert_eq!(names.iter().filter(|name| *name == "testcase").count(), 4);
        assert_eq!(names.iter().filter(|name| *name == "failure").count(), 1);
        assert_eq!(names.iter().filter(|name| *name == "system-out").count(), 2);
        assert!(text.contains("timestamp=\"1970-01-01T00:00:00\""), "{text}");
    }

    #[test]
    fn what_is_allowed_is_skipped_and_what_was_not_read_is_an_error() {
        let mut report = testing::report();
        report.findings[0].allowed = Some("it compiles on demand".into());
        report.diagnostics.push(testing::unread("it is encrypted"));
        let text = printed(&report);
        assert!(text.contains("failures=\"0\" errors=\"1\" skipped=\"1\""), "{text}");
        assert!(text.contains("<skipped message=\"it compiles on demand\">"), "{text}");
    }

    #[test]
    fn nothing_of_an_image_is_markup_or_no_character() {
        let plain = elements(&printed(&testing::hostile(b"x")));
        for name in testing::HOSTILE {
            let text = printed(&testing::hostile(name));
            assert_eq!(elements(&text), plain, "{text}");
            assert!(!text.contains(['\u{0}', '\u{1b}', '\u{202e}', '\u{fffe}']), "{text}");
        }
    }
}
