//! What a user has decided about findings, beside the rules: severities, gates, exceptions.
//!
//! Profiles come with the rules, `offcut.toml` and files of `--allow` are the user's. Knows findings and what was decided;
//! nothing of how images are read, and nothing of formats. The clock is not looked at: the day is given.

mod allow;
mod document;
mod gate;
mod pattern;
mod read;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

pub use self::gate::{Breach, Gates, Growth};
use self::{
    allow::Entry,
    document::{Document, Form, Known, Layer},
    gate::Limit,
    pattern::Pattern,
};
use crate::{
    Error, Result,
    catalogue::Catalogue,
    diff::{Diff, read_report_file},
    model::{Diagnostic, Finding, ImageInfo, PolicyUsed, Rated, Report, RuleAbout, Severity, date},
    remedy, rule,
};

/// Name of the user's file, where it is looked for.
pub const CONFIG_NAME: &str = "offcut.toml";

/// The profile when nobody names one.
pub const PROFILE: &str = "default";

/// Largest policy file that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// Where the user's file is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Config {
    /// `offcut.toml` in the working directory, if it is there.
    #[default]
    Find,
    /// None is read.
    Nowhere,
    /// This one.
    File(PathBuf),
}

/// What the user says beside the files.
#[derive(Clone, Debug, Default)]
pub struct Wishes<'a> {
    /// Where `offcut.toml` is.
    pub config: Config,
    /// The profile, instead of that of `offcut.toml`.
    pub profile: Option<&'a str>,
    /// The least severity that fails, instead of that of `offcut.toml` and profile; the inner `None`: nothing fails.
    pub fail_on: Option<Option<Severity>>,
    /// Files of allowances.
    pub allow: &'a [PathBuf],
    /// The baseline, instead of that of `offcut.toml`.
    pub baseline: Option<&'a Path>,
    /// The time that exceptions are held against, in seconds since 1970.
    pub now: i64,
}

/// All that was decided, for any image.
#[derive(Debug)]
pub struct Settings {
    profiles: BTreeMap<String, Document>,
    config: Option<Document>,
    allow: Vec<Document>,
    profile: Option<String>,
    fail_on: Option<Option<Severity>>,
    baseline: Option<PathBuf>,
    today: String,
}

/// An earlier report, which what is new is told by.
#[derive(Debug)]
pub struct Baseline {
    file: String,
    report: Report,
}

impl Settings {
    /// Reads and checks every file.
    ///
    /// # Errors
    /// A usage error that names file, line, key and what was expected.
    pub fn load(wishes: &Wishes<'_>, catalogue: &Catalogue) -> Result<Self> {
        let rules: Vec<&str> = catalogue.rules.iter().map(|rule| rule.about.id.as_str()).collect();
        let names: Vec<&str> = catalogue.profiles.iter().map(|(name, _)| name.as_str()).collect();
        let mut profiles = BTreeMap::new();
        for (name, text) in &catalogue.profiles {
            // The profiles of the program go with any rules, and a rule that is not there can not fire.
            let known = Known { rules: None, profiles: Vec::new() };
            let file = format!("profiles/{name}.toml");
            profiles.insert(name.clone(), checked(&file, document::read(&file, text, Form::Profile, &known))?);
        }
        let known = Known { rules: Some(rules), profiles: names };
        let config = match &wishes.config {
            Config::Nowhere => None,
            Config::File(file) => Some(read(file, Form::Config, &known)?),
            Config::Find => found(Path::new(CONFIG_NAME))?.map(|file| read(file, Form::Config, &known)).transpose()?,
        };
        if let Some(name) = wishes.profile.filter(|name| !known.profiles.contains(name)) {
            return Err(Error::usage(document::no_profile(name, &known.profiles)));
        }
        let allow = wishes.allow.iter().map(|file| read(file, Form::Allow, &known)).collect::<Result<_>>()?;
        let own = config.as_ref().and_then(|config| {
            // Beside the file that names it, wherever offcut is started.
            let dir = Path::new(&config.file).parent().unwrap_or(Path::new(""));
            config.baseline.as_ref().map(|baseline| dir.join(baseline))
        });
        Ok(Self {
            profiles,
            config,
            allow,
            profile: wishes.profile.map(str::to_string),
            fail_on: wishes.fail_on,
            baseline: wishes.baseline.map(Path::to_path_buf).or(own),
            today: date::day(wishes.now),
        })
    }

    /// Reads the baseline, where there is one.
    ///
    /// # Errors
    /// A usage error when it is no report of this version.
    pub fn baseline(&self) -> Result<Option<Baseline>> {
        let read = |file: &PathBuf| Ok(Baseline { file: file.display().to_string(), report: read_report_file(file)? });
        self.baseline.as_ref().map(read).transpose()
    }

    /// What of it holds for an image.
    pub fn policy(&self, image: &ImageInfo) -> Policy<'_> {
        let names = names(image);
        let mut own: Vec<&Layer> = Vec::new();
        if let Some(config) = &self.config {
            own.push(&config.all);
            let for_it = config.images.iter().filter(|it| it.names.iter().any(|name| is_meant(name, &names)));
            own.extend(for_it.map(|it| &it.layer));
        }
        let named = own.iter().rev().find_map(|layer| layer.profile.as_deref());
        let profile = self.profile.as_deref().or(named).unwrap_or(PROFILE);
        let below = self.profiles.get(profile).map(|profile| &profile.all);
        let layers: Vec<&Layer> = below.into_iter().chain(own).chain(self.allow.iter().map(|file| &file.all)).collect();
        let gates = self.gates(&layers);
        Policy { settings: self, profile: profile.to_string(), layers, gates }
    }

    /// Folds what each layer sets, the last one wins.
    fn gates(&self, layers: &[&Layer]) -> Gates {
        if self.fail_on == Some(None) {
            return Gates::default();
        }
        let mut gates = Gates::default();
        for gate in layers.iter().map(|layer| &layer.gate) {
            gates.severity = gate.severity.unwrap_or(gates.severity);
            gates.rules.extend(gate.rules.iter().map(|(selector, least)| (selector.clone(), *least)));
            gates.bytes = gate.bytes.map_or(gates.bytes, Limit::most);
            gates.growth = gate.growth.map_or(gates.growth, Limit::most);
        }
        gates.severity = self.fail_on.unwrap_or(gates.severity);
        gates
    }
}

/// What was decided for one image.
#[derive(Debug)]
pub struct Policy<'s> {
    settings: &'s Settings,
    profile: String,
    /// The lowest first: profile, file, `[[image]]`s, files of allowances.
    layers: Vec<&'s Layer>,
    gates: Gates,
}

impl Policy<'_> {
    /// What fails the image.
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    /// Gives findings the severities that were decided, marks what is allowed and what the baseline has, and says what of
    /// the policy does nothing. Returns what changed since the baseline, where there is one.
    pub fn apply(&self, report: &mut Report, baseline: Option<&Baseline>) -> Option<Diff> {
        let mut used = PolicyUsed {
            profile: self.profile.clone(),
            file: self.settings.config.as_ref().map(|config| config.file.clone()),
            baseline: baseline.map(|baseline| baseline.file.clone()),
            gates: self.gates.used(),
            exceptions: Vec::new(),
        };
        let applied = self.decide(report);
        used.exceptions = applied.used;
        report.diagnostics.extend(applied.diagnostics);
        let diff = baseline.map(|baseline| self.compare(report, &baseline.report));
        if diff.is_none() && self.gates.growth.is_some() {
            report.diagnostics.push(note("growth was not judged: there is no baseline".to_string()));
        }
        report.policy = Some(used);
        diff
    }

    /// Like [`Policy::apply`], for one side of a comparison: an exception for the other side is not idle.
    pub fn apply_quietly(&self, report: &mut Report) {
        self.decide(report);
    }

    /// Grades and allows. A rewrite that mends only what is allowed is not proposed.
    fn decide(&self, report: &mut Report) -> allow::Applied {
        self.rate(&mut report.findings, &report.rules);
        for finding in &mut report.findings {
            finding.evidence_digest = Some(allow::digest(finding));
        }
        let entries: Vec<&Entry> = self.layers.iter().flat_map(|layer| &layer.allow).collect();
        let applied = allow::apply(&entries, &mut report.findings, &self.settings.today);
        if !remedy::is_worth(&report.findings) {
            report.fix = None;
        }
        applied
    }

    /// Gives findings the severities that were decided for their rule or family.
    ///
    /// What was graded down has a reason of its own (the command needs it, it is part of another finding, the secret is a
    /// placeholder), which a rule's severity does not outweigh: it falls with it, but does not rise.
    fn rate(&self, findings: &mut [Finding], rules: &[RuleAbout]) {
        let by_rule: HashMap<&str, Severity> = rules.iter().map(|rule| (rule.id.as_str(), rule.severity)).collect();
        for finding in &mut *findings {
            let judged = finding.rated.take().map_or(finding.severity, |rated| rated.severity);
            finding.severity = judged;
            let Some((to, entry)) = self.severity(finding) else { continue };
            let is_graded_down = by_rule.get(finding.rule.as_str()).is_some_and(|own| judged < *own);
            let to = if is_graded_down { judged.min(*to) } else { *to };
            if to != judged {
                finding.severity = to;
                finding.rated = Some(Rated { severity: judged, entry: entry.clone() });
            }
        }
        rule::sort(findings);
    }

    /// The severity for its rule, else that for its family; the last layer that has one wins.
    fn severity(&self, finding: &Finding) -> Option<&(Severity, String)> {
        let of = |selector: &str| self.layers.iter().rev().find_map(|layer| layer.severity.get(selector));
        of(&finding.rule).or_else(|| of(finding.family.word()))
    }

    /// Marks what each finding is beside the baseline.
    fn compare(&self, report: &mut Report, baseline: &Report) -> Diff {
        let mut baseline = baseline.clone();
        // A severity that the policy changed since then is no worse image.
        self.rate(&mut baseline.findings, &baseline.rules);
        let diff = Diff::between(&baseline, report);
        diff.mark(report);
        report.diagnostics.extend(diff.notes.iter().map(|text| note(format!("baseline: {text}"))));
        diff
    }
}

fn note(text: String) -> Diagnostic {
    Diagnostic { layer: None, path: None, text, unread: false }
}

/// Names of an image as patterns see them: without scheme, and without the registry that is meant when none is named.
fn names(image: &ImageInfo) -> Vec<String> {
    const SCHEMES: [&str; 6] = ["docker:", "podman:", "docker-archive:", "oci-archive:", "oci-dir:", "dir:"];
    let given = SCHEMES.iter().find_map(|scheme| image.reference.strip_prefix(scheme)).unwrap_or(&image.reference);
    let all = [given].into_iter().chain(image.names.iter().map(String::as_str));
    all.map(|name| plain(name).to_string()).collect()
}

fn plain(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

/// A pattern without tag and digest means every one of them.
fn is_meant(pattern: &Pattern, names: &[String]) -> bool {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().contains([':', '@']);
    names.iter().any(|name| {
        let bare = name.split_once('@').map_or(name.as_str(), |(bare, _)| bare);
        let bare = bare.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(bare, |(bare, _)| bare);
        pattern.matches(if last(pattern.text()) { name.as_bytes() } else { bare.as_bytes() })
    })
}

/// The file if it is there; what is there and is no file is an error later.
fn found(file: &Path) -> Result<Option<&Path>> {
    match fs::symlink_metadata(file) {
        Ok(_) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&file.display().to_string()).cause(error)),
    }
}

fn read(file: &Path, form: Form, known: &Known<'_>) -> Result<Document> {
    let name = file.display().to_string();
    let meta = fs::metadata(file).map_err(|error| unusable(&name).cause(error))?;
    if meta.len() > FILE_MAX {
        return Err(unusable(&name).cause(format!("it has {} bytes, the limit is {FILE_MAX}", meta.len())));
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(&name).cause(error))?;
    checked(&name, document::read(&name, &text, form, known))
}

fn checked(file: &str, document: Result<Document, Vec<(usize, String)>>) -> Result<Document> {
    document.map_err(|faults| {
        let faults = faults.iter().map(|(line, fault)| format!("line {line}: {fault}"));
        faults.fold(unusable(file), |error, fault| error.cause(fault)).help("docs/policy.md explains every key")
    })
}

fn unusable(file: &str) -> Error {
    Error::usage(format!("can not use the policy file \"{file}\""))
}
