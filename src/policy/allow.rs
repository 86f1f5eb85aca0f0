//! Findings that somebody has looked at and lets pass, each with the reason.
//!
//! What is allowed stays in every report and fails no gate. An entry that fits nothing is said, so that a list does not
//! outlive what it was written for.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::{
    Error, Result,
    catalogue::Catalogue,
    model::{Diagnostic, Finding},
    probe::secret::FilePath,
};

/// Largest file of allowances that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// What is allowed.
#[derive(Debug, Default)]
pub struct Allowances {
    entries: Vec<Entry>,
    /// The file, as the user gave it.
    file: String,
}

#[derive(Debug)]
struct Entry {
    what: What,
    reason: String,
    line: usize,
}

#[derive(Debug)]
enum What {
    Fingerprint(String),
    Place { rule: String, path: FilePath },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    allow: Vec<toml::Spanned<Raw>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    fingerprint: Option<String>,
    rule: Option<String>,
    path: Option<String>,
    reason: String,
}

impl Allowances {
    /// Reads a TOML file of `[[allow]]` tables.
    ///
    /// # Errors
    /// A usage error that names file, line and what was expected.
    pub fn read(file: &Path, catalogue: &Catalogue) -> Result<Self> {
        let what = || format!("can not use the file of allowances \"{}\"", file.display());
        let meta = fs::metadata(file).map_err(|error| Error::usage(what()).cause(error))?;
        if meta.len() > FILE_MAX {
            return Err(Error::usage(what()).cause(format!("it has {} bytes, the limit is {FILE_MAX}", meta.len())));
        }
        let text = fs::read_to_string(file).map_err(|error| Error::usage(what()).cause(error))?;
        let entries = parse(&text, catalogue).map_err(|(line, fault)| {
            Error::usage(what())
                .cause(format!("line {line}: {fault}"))
                .help("an [[allow]] has a `reason`, and either `fingerprint` or `rule` and `path`")
        })?;
        Ok(Self { entries, file: file.display().to_string() })
    }

    /// Marks what is allowed, and says which entries fit nothing.
    pub fn apply(&self, findings: &mut [Finding]) -> Vec<Diagnostic> {
        let mut used = vec![false; self.entries.len()];
        for finding in findings {
            let fits = self.entries.iter().position(|entry| entry.what.fits(finding));
            if let Some((at, entry)) = fits.and_then(|at| Some((at, self.entries.get(at)?))) {
                finding.allowed = Some(entry.reason.clone());
                used[at] = true;
            }
        }
        let stale = self.entries.iter().zip(used).filter(|(_, used)| !used);
        stale
            .map(|(entry, _)| Diagnostic {
                layer: None,
                path: None,
                text: format!("line {} of \"{}\" allows what was not found; remove it", entry.line, self.file),
                unread: false,
            })
            .collect()
    }
}

impl What {
    /// Whether a finding is meant; by its place when all of its files are.
    fn fits(&self, finding: &Finding) -> bool {
        match self {
            Self::Fingerprint(fingerprint) => finding.fingerprint == *fingerprint,
            Self::Place { rule, path } => {
                let mut files = finding.paths.iter().flat_map(|group| &group.files).peekable();
                finding.rule == *rule && files.peek().is_some() && files.all(|file| path.matches(file.as_bytes()))
            }
        }
    }
}

/// Reads the tables; an error has its line.
fn parse(text: &str, catalogue: &Catalogue) -> Result<Vec<Entry>, (usize, String)> {
    let line_of = |at: usize| text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1;
    let document: Document = toml::from_str(text).map_err(|error| {
        (error.span().map_or(1, |span| line_of(span.start)), error.message().trim().replace('\n', ", "))
    })?;
    let entry = |raw: toml::Spanned<Raw>| {
        let line = line_of(raw.span().start);
        let raw = raw.into_inner();
        if raw.reason.trim().is_empty() {
            return Err((line, "`reason` is empty".to_string()));
        }
        let what = match (raw.fingerprint, raw.rule, raw.path) {
            (Some(fingerprint), None, None) => What::Fingerprint(fingerprint),
            (None, Some(rule), Some(path)) if catalogue.rule(&rule).is_some() => {
                What::Place { rule, path: FilePath::new(&path) }
            }
            (None, Some(rule), Some(_)) => {
                return Err((line, format!("there is no rule \"{rule}\"; `offcut rules list` names all")));
            }
            _ => return Err((line, "it wants either `fingerprint`, or `rule` and `path`".to_string())),
        };
        Ok(Entry { what, reason: raw.reason.trim().to_string(), line })
    };
    document.allow.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn allowances(text: &str) -> Result<Allowances, (usize, String)> {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        Ok(Allowances { entries: parse(text, &catalogue)?, file: "allow.toml".into() })
    }

    #[test]
    fn a_finding_is_allowed_by_fingerprint_or_by_rule_and_path() {
        let mut findings = testing::report().findings;
        let (gcc, root) = (findings[0].fingerprint.clone(), findings[1].rule.clone());
        let text = format!("[[allow]]\nfingerprint = \"{gcc}\"\nreason = \"known\"\n");
        assert_eq!(allowances(&text).expect("good").apply(&mut findings), []);
        assert_eq!(findings[0].allowed.as_deref(), Some("known"));
        assert_eq!(findings[1].allowed, None);
        let text = format!("[[allow]]\nrule = \"{root}\"\npath = \"no/such\"\nreason = \"known\"\n");
        let stale = allowances(&text).expect("good").apply(&mut findings);
        assert_eq!(stale[0].text, "line 1 of \"allow.toml\" allows what was not found; remove it");
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, line, want) in [
            ("[[allow]]\nfingerprint = \"a\"\n", 1, "missing field `reason`"),
            ("\n[[allow]]\nfingerprint = \"a\"\nreason = \" \"\n", 2, "`reason` is empty"),
            ("[[allow]]\nreason = \"a\"\n", 1, "it wants either `fingerprint`, or `rule` and `path`"),
            ("[[allow]]\nrule = \"a/b\"\npath = \"x\"\nreason = \"a\"\n", 1, "there is no rule \"a/b\""),
            ("[[allow]]\nreason = \"a\"\nwhy = 1\n", 3, "unknown field `why`"),
        ] {
            let (at, fault) = allowances(text).expect_err(want);
            assert!(fault.contains(want) && at == line, "{at}: {fault}");
        }
    }
}
