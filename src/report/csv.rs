//! The findings as a table for spreadsheets: RFC 4180, one row for each finding, a header.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection").

use std::io::{self, Write};

use super::text;
use crate::model::{Finding, Report};

const HEADER: [&str; 20] = [
    "image",
    "digest",
    "severity",
    "rule",
    "subject",
    "version",
    "state",
    "bytes",
    "buried_bytes",
    "layer",
    "origin",
    "owner",
    "confidence",
    "reach",
    "path",
    "dockerfile",
    "line",
    "title",
    "remedy",
    "allowed",
];

/// Writes the table.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(HEADER)?;
    let digest = report.image.manifest.or(report.image.id).map_or_else(String::new, |digest| digest.to_string());
    for finding in &report.findings {
        table.write_record(row(&report.image.reference, &digest, finding).map(|cell| harmless(&cell)))?;
    }
    table.flush()
}

fn row(image: &str, digest: &str, finding: &Finding) -> [String; 20] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        image.to_string(),
        digest.to_string(),
        finding.severity.to_string(),
        finding.rule.clone(),
        finding.subject.clone(),
        optional(&finding.version),
        finding.state.word().to_string(),
        finding.bytes.to_string(),
        finding.buried_bytes.to_string(),
        finding.layer.as_ref().map_or_else(String::new, |layer| layer.number.to_string()),
        finding.origin.word().to_string(),
        finding.owner.clone(),
        finding.confidence.word().to_string(),
        finding.need.reach.word().to_string(),
        finding.first_path().map_or_else(String::new, ToString::to_string),
        finding.line.as_ref().map_or_else(String::new, |line| line.file.clone()),
        finding.line.as_ref().map_or_else(String::new, |line| line.first.to_string()),
        finding.title.clone(),
        finding.remedy.title.clone(),
        optional(&finding.allowed),
    ]
}

/// A cell of one line that no spreadsheet computes.
fn harmless(cell: &str) -> String {
    let plain = text::plain(cell);
    let computes = plain.starts_with(['=', '+', '-', '@']);
    if computes { format!("'{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn rows(report: &Report) -> Vec<csv::StringRecord> {
        let mut out = Vec::new();
        write(report, &mut out).expect("a Vec takes everything");
        let rows = csv::Reader::from_reader(&out[..]).into_records().collect::<Result<Vec<_>, _>>();
        rows.expect("it can be read again")
    }

    #[test]
    fn every_finding_is_a_row_with_all_its_cells() {
        let report = testing::mended();
        let rows = rows(&report);
        assert_eq!(rows.len(), report.findings.len());
        assert_eq!(rows[0].iter().nth(3), Some("build-tool/gcc"));
        assert_eq!((rows[0].iter().nth(15), rows[0].iter().nth(16)), (Some("Dockerfile"), Some("2")));
    }

    #[test]
    fn nothing_of_an_image_is_a_formula_or_another_row() {
        for name in testing::HOSTILE {
            let report = testing::hostile(name);
            let rows = rows(&report);
            assert_eq!(rows.len(), report.findings.len());
            for cell in rows.iter().flatten() {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !cell.contains('\n'), "{cell}");
            }
        }
        assert_eq!(harmless("=1+1"), "'=1+1");
        assert_eq!(harmless(" @a"), "'@a");
    }
}
