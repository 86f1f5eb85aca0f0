//! Findings that somebody has looked at and lets pass, each with the reason.
//!
//! What is allowed stays in every report and fails no gate. An exception ends with its day, and when what it was bound to
//! is not the same any more; one that fits nothing is said, so that a list does not outlive what it was written for.

use sha2::{Digest as _, Sha256};

use super::{
    pattern::Pattern,
    read::{Table, Value},
};
use crate::model::{AllowedBy, Diagnostic, Digest, ExceptionState, ExceptionUsed, Finding, date};

const KEYS: [&str; 8] = ["fingerprint", "rule", "path", "reason", "owner", "expires", "evidence", "layer"];

/// One `[[allow]]`.
#[derive(Debug)]
pub(super) struct Entry {
    what: What,
    reason: String,
    owner: Option<String>,
    /// The last day on which it holds, `2026-12-31`; such texts sort as the days do.
    expires: Option<String>,
    evidence: Option<Digest>,
    layer: Option<Digest>,
    file: String,
    line: usize,
}

#[derive(Debug)]
enum What {
    Fingerprint(String),
    Place { rule: Option<String>, path: Option<Pattern> },
}

/// Reads an `[[allow]]`; `rule` says whether a text is a family or a rule.
pub(super) fn entry(
    file: &str,
    table: &Table<'_>,
    rule: impl FnOnce(&Value<'_>, &str) -> Option<String>,
) -> Option<Entry> {
    table.only(&KEYS);
    let text =
        |key: &str, wants: &str| table.get(key).map(|value| value.text(wants).map(|text| text.trim().to_string()));
    let reason = text("reason", "the reason, a sentence").unwrap_or_else(|| {
        table.fault("an [[allow]] wants `reason`".to_string());
        None
    });
    let owner = text("owner", "who answers for it");
    let expires = table.get("expires").map(|value| {
        const WANTS: &str = "a day such as 2026-12-31";
        let text = value.date(WANTS)?;
        if date::is_day(&text) {
            return Some(text);
        }
        value.fault(&format!("wants {WANTS}, not \"{text}\""));
        None
    });
    let digest = |key: &str, wants: &str| table.get(key).map(|value| value.parsed(wants, str::parse::<Digest>));
    let evidence = digest("evidence", "the evidence_digest of a finding");
    let layer = digest("layer", "the diff_id of a layer");
    let fingerprint = text("fingerprint", "the fingerprint of a finding");
    let rule = table.get("rule").map(|value| value.text("a rule or a family").and_then(|text| rule(&value, text)));
    let path = table.get("path").map(|value| value.parsed("a pattern for paths", Pattern::path));
    let what = match (fingerprint, rule, path) {
        (Some(fingerprint), None, None) => What::Fingerprint(fingerprint?),
        (None, None, None) | (Some(_), ..) => {
            table.fault(
                "an [[allow]] wants either `fingerprint`, or `rule` and `path`, or one of these two".to_string(),
            );
            return None;
        }
        (None, rule, path) => What::Place { rule: fine(rule)?, path: fine(path)? },
    };
    Some(Entry {
        what,
        reason: reason?,
        owner: fine(owner)?,
        expires: fine(expires)?,
        evidence: fine(evidence)?,
        layer: fine(layer)?,
        file: file.to_string(),
        line: table.line,
    })
}

/// A key that may be missing, but not be wrong: that was told already.
fn fine<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(it) => Some(it),
        None => Some(None),
    }
}

/// What became of the exceptions for one image.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) used: Vec<ExceptionUsed>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Marks what is allowed on a day, and says which exceptions do nothing and why.
pub(super) fn apply(entries: &[&Entry], findings: &mut [Finding], today: &str) -> Applied {
    let mut applied = Applied::default();
    let mut fates: Vec<Fate> = entries.iter().map(|_| Fate::default()).collect();
    for finding in &mut *findings {
        let mut marked = None;
        for (entry, fate) in entries.iter().zip(&mut fates).filter(|(entry, _)| entry.what.fits(finding)) {
            if entry.is_over(today) {
                fate.expired.push(finding.rule.clone());
            } else if let Some(change) = entry.changed(finding) {
                fate.changed.push(change);
            } else {
                fate.used.push(finding.fingerprint.clone());
                marked.get_or_insert(*entry);
            }
        }
        if let Some(entry) = marked {
            finding.allowed = Some(entry.reason.clone());
            finding.allowed_by = Some(entry.by());
        }
    }
    for (entry, fate) in entries.iter().zip(fates) {
        applied.diagnostics.extend(entry.tell(&fate, today));
        applied.used.push(entry.told(fate, today));
    }
    applied
}

/// What an exception fits.
#[derive(Debug, Default)]
struct Fate {
    /// Fingerprints.
    used: Vec<String>,
    /// Rules of the findings that it would let pass if its day were not over.
    expired: Vec<String>,
    /// Why it lets findings not pass.
    changed: Vec<String>,
}

impl Entry {
    fn is_over(&self, today: &str) -> bool {
        self.expires.as_deref().is_some_and(|last| last < today)
    }

    /// Why it does not hold for a finding that it fits.
    fn changed(&self, finding: &Finding) -> Option<String> {
        let is = digest(finding);
        if let Some(was) = self.evidence.filter(|was| *was != is) {
            return Some(format!("{}: its evidence was {was}, and is {is} now", finding.rule));
        }
        let layer = finding.layer.as_ref().and_then(|layer| layer.diff_id);
        let was = self.layer.filter(|was| Some(*was) != layer)?;
        let is = layer.map_or_else(|| "no layer".to_string(), |is| is.to_string());
        Some(format!("{}: its layer was {was}, and is {is} now", finding.rule))
    }

    fn by(&self) -> AllowedBy {
        AllowedBy { owner: self.owner.clone(), expires: self.expires.clone(), entry: self.place() }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// What the user should know of it: that it does nothing, or no longer.
    fn tell(&self, fate: &Fate, today: &str) -> Vec<Diagnostic> {
        let place = format!("line {} of \"{}\"", self.line, self.file);
        let owner = self.owner.as_deref().map_or_else(String::new, |owner| format!(", owner {owner}"));
        let texts = match (&self.expires, fate) {
            (Some(last), _) if self.is_over(today) => match fate.expired.first() {
                Some(rule) => {
                    let more = match fate.expired.len() - 1 {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    vec![format!("{place} no longer allows {rule}{more}: it ended on {last}{owner}")]
                }
                None => vec![format!("{place} ended on {last} and fits nothing{owner}; remove it")],
            },
            (_, Fate { changed, .. }) if !changed.is_empty() => {
                changed.iter().map(|change| format!("{place} does not allow {change}{owner}")).collect()
            }
            (_, Fate { used, .. }) if used.is_empty() => {
                vec![format!("{place} allows what was not found; remove it")]
            }
            _ => Vec::new(),
        };
        texts.into_iter().map(|text| Diagnostic { layer: None, path: None, text, unread: false }).collect()
    }

    fn told(&self, fate: Fate, today: &str) -> ExceptionUsed {
        let state = match fate {
            _ if self.is_over(today) => ExceptionState::Expired,
            Fate { ref used, .. } if !used.is_empty() => ExceptionState::Used,
            Fate { ref changed, .. } if !changed.is_empty() => ExceptionState::Changed,
            _ => ExceptionState::Stale,
        };
        ExceptionUsed {
            entry: self.place(),
            what: self.what.text(),
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            expires: self.expires.clone(),
            state,
            findings: fate.used,
        }
    }
}

impl What {
    /// Whether a finding is meant; by its place when all of its files are.
    fn fits(&self, finding: &Finding) -> bool {
        let (rule, path) = match self {
            Self::Fingerprint(fingerprint) => return finding.fingerprint == *fingerprint,
            Self::Place { rule, path } => (rule, path),
        };
        let mut files = finding.paths.iter().flat_map(|group| &group.files).peekable();
        rule.as_ref().is_none_or(|rule| finding.rule == *rule || finding.family.word() == rule)
            && path
                .as_ref()
                .is_none_or(|path| files.peek().is_some() && files.all(|file| path.matches(file.as_bytes())))
    }

    fn text(&self) -> String {
        match self {
            Self::Fingerprint(fingerprint) => format!("fingerprint {fingerprint}"),
            Self::Place { rule, path } => {
                let rule = rule.as_deref().unwrap_or("everything");
                path.as_ref().map_or_else(|| rule.to_string(), |path| format!("{rule} in {}", path.text()))
            }
        }
    }
}

/// Digest of what a report says of a finding's content: proofs, packages and versions, files and bytes, where secrets
/// stand. Neither severity nor layer nor texts of the rule go in.
///
/// Files are not hashed when an image is read, and a secret's value must not be told by a digest of it; so a change that
/// keeps names, bytes and proofs is not seen.
pub(super) fn digest(finding: &Finding) -> Digest {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(finding.rule.as_bytes());
    part(finding.subject.as_bytes());
    part(finding.version.as_deref().unwrap_or_default().as_bytes());
    part(finding.state.word().as_bytes());
    for evidence in &finding.evidence {
        part(b"evidence");
        part(evidence.class.word().as_bytes());
        part(evidence.witness.as_bytes());
        part(evidence.path.as_ref().map_or(&[], |path| path.as_bytes()));
    }
    for package in &finding.packages {
        part(b"package");
        part(package.manager.word().as_bytes());
        part(package.name.as_bytes());
        part(package.version.as_bytes());
    }
    for group in &finding.paths {
        part(b"files");
        part(group.root.as_bytes());
        part(&group.bytes.to_le_bytes());
        group.files.iter().for_each(|file| part(file.as_bytes()));
    }
    for secret in &finding.secrets {
        part(b"secret");
        part(secret.path.as_ref().map_or(&[], |path| path.as_bytes()));
        part(secret.member.as_deref().unwrap_or_default().as_bytes());
        part(secret.key.as_bytes());
        part(secret.shown.as_bytes());
        part(&secret.length.to_le_bytes());
    }
    part(&finding.bytes.to_le_bytes());
    Digest::new(hash.finalize().into())
}
