//! Reads a report that `offcut scan -f json` wrote, to compare an image with what it was.

use std::{fs::File, io::Read, path::Path};

use serde::Deserialize;

use crate::{
    error::{Error, Result},
    model::Report,
    report::json::SCHEMA,
};

/// Largest report that is read, in bytes; one of an image with a million files of dev dependencies has some 100 MB.
const FILE_MAX: u64 = 512 << 20;

const HELP: &str = "write it with `offcut scan IMAGE -f json` of this version of offcut";

/// Whether a path is a file that begins as JSON does, which no image does.
pub(super) fn is_json(path: &Path) -> bool {
    let mut head = [0; 64];
    let is_file = std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
    let read = is_file.then(|| File::open(path).and_then(|mut file| file.read(&mut head)));
    let Some(Ok(count)) = read else { return false };
    head.get(..count).is_some_and(|head| head.trim_ascii_start().starts_with(b"{"))
}

/// The report that a side of a comparison names: `report:FILE`, or an existing file that holds JSON. `None` for what
/// names an image.
///
/// # Errors
/// When it is none of this form and version.
pub fn read_report(reference: &str) -> Result<Option<Report>> {
    match reference.strip_prefix("report:") {
        Some(file) => read_report_file(Path::new(file)).map(Some),
        None if is_json(Path::new(reference)) => read_report_file(Path::new(reference)).map(Some),
        None => Ok(None),
    }
}

/// The report in a file.
///
/// # Errors
/// When it is none of this form and version.
pub fn read_report_file(path: &Path) -> Result<Report> {
    let what = || Error::usage(format!("can not use the report \"{}\"", path.display()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| what().cause(error).help(HELP))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(what().cause("it is larger than 512 MiB").help(HELP));
    }
    parse(&bytes).map_err(|cause| what().cause(cause).help(HELP))
}

/// The member that tells what a document is.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

fn parse(bytes: &[u8]) -> Result<Report, String> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON report: {error}"))?;
    match head.schema.as_deref() {
        Some(SCHEMA) => {}
        Some(other) => {
            let other: String = crate::model::path::escape(other.as_bytes()).chars().take(60).collect();
            return Err(format!("its form is \"{other}\", and this offcut reads \"{SCHEMA}\""));
        }
        None => return Err("it has no member \"schema\", so it is no report of offcut".to_string()),
    }
    serde_json::from_slice(bytes).map_err(|error| format!("it is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, testing};

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        json::write(report, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_report_comes_back_as_it_was_written() {
        for report in [testing::report(), testing::hostile(testing::HOSTILE[0])] {
            assert_eq!(parse(written(&report).as_bytes()), Ok(report));
        }
    }

    #[test]
    fn what_is_no_report_of_this_version_is_told() {
        let text = written(&testing::report());
        for (text, want) in [
            (text.replace("offcut.report/1", "offcut.report/2"), "its form is \"offcut.report/2\""),
            (text.replace("offcut.report/1", "offcut.ledger/1"), "its form is \"offcut.ledger/1\""),
            ("{\"runs\": []}".to_string(), "no member \"schema\""),
            (text[..text.len() / 2].to_string(), "it is no JSON report: EOF"),
            (text.replace("\"severity\": \"high\"", "\"severity\": \"fatal\""), "it is damaged: unknown variant"),
            ("[]".to_string(), "it is no JSON report"),
            ("{}".to_string(), "no member"),
        ] {
            let error = parse(text.as_bytes()).expect_err(want);
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn only_a_file_that_begins_as_json_is_taken_for_a_report() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str, text: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        assert!(is_json(&file("a", b"\n {\"schema\"")));
        assert!(!is_json(&file("b", b"index.json\0\0{")));
        assert!(!is_json(&file("c", b"")));
        assert!(!is_json(dir.path()) && !is_json(Path::new("/no/such/file")));
    }
}
