//! The form of policy files: a profile, the user's `offcut.toml`, a file of allowances.
//!
//! Checks what is written and says what it means; what follows from it for an image is for [`super::Policy`].

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    allow::{self, Entry},
    gate::{Growth, Limit},
    pattern::Pattern,
    read::{Source, Table, Value, nearest},
};
use crate::model::{Family, Severity, size};

/// Which keys a file may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `policies/profiles/NAME.toml`.
    Profile,
    /// `offcut.toml`.
    Config,
    /// A file of `--allow`.
    Allow,
}

/// One file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Name of the file, as messages have it.
    pub(super) file: String,
    /// What holds for every image.
    pub(super) all: Layer,
    /// What holds for some images, in the order of the file.
    pub(super) images: Vec<ForImages>,
    /// Path of the baseline, as it is written.
    pub(super) baseline: Option<PathBuf>,
}

/// An `[[image]]`.
#[derive(Debug)]
pub(super) struct ForImages {
    pub(super) names: Vec<Pattern>,
    pub(super) layer: Layer,
}

/// What one table decides; what it does not set is left to the layer below.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) profile: Option<String>,
    /// By family or rule, with the place where it is written.
    pub(super) severity: BTreeMap<String, (Severity, String)>,
    pub(super) gate: GateLayer,
    pub(super) allow: Vec<Entry>,
}

/// What a `[gate]` sets; the inner `None` and [`Limit::Never`] mean that nothing fails.
#[derive(Debug, Default)]
pub(super) struct GateLayer {
    pub(super) severity: Option<Option<Severity>>,
    pub(super) rules: BTreeMap<String, Option<Severity>>,
    pub(super) bytes: Option<Limit<u64>>,
    pub(super) growth: Option<Limit<Growth>>,
}

/// What names in a file are held against.
pub(super) struct Known<'a> {
    /// Ids of the rules, sorted. `None`: a profile that goes with other rules may name what is not there.
    pub(super) rules: Option<Vec<&'a str>>,
    /// Names of the profiles.
    pub(super) profiles: Vec<&'a str>,
}

const PROFILE_KEYS: [&str; 3] = ["about", "severity", "gate"];
const CONFIG_KEYS: [&str; 6] = ["profile", "baseline", "severity", "gate", "allow", "image"];
const ALLOW_KEYS: [&str; 1] = ["allow"];
const IMAGE_KEYS: [&str; 5] = ["name", "profile", "severity", "gate", "allow"];
const GATE_KEYS: [&str; 4] = ["severity", "rules", "bytes", "growth"];

const SEVERITY: &str = "critical, high, medium, low or note";
const THRESHOLD: &str = "critical, high, medium, low, note or never";

/// Reads the text of a file.
///
/// # Errors
/// Every fault with its line.
pub(super) fn read(file: &str, text: &str, form: Form, known: &Known<'_>) -> Result<Document, Vec<(usize, String)>> {
    Source::new(text).read(|table| {
        table.only(match form {
            Form::Profile => &PROFILE_KEYS,
            Form::Config => &CONFIG_KEYS,
            Form::Allow => &ALLOW_KEYS,
        });
        if form == Form::Profile && table.get("about").and_then(|about| about.text("what it is for")).is_none() {
            table.fault("a profile wants `about`, a sentence on what it is for".to_string());
        }
        let images = table.get("image").map(|image| image.tables()).unwrap_or_default();
        Document {
            file: file.to_string(),
            all: layer(file, &table, known),
            images: images.iter().map(|table| for_images(file, table, known)).collect(),
            baseline: table.get("baseline").and_then(|path| path.text("the path of a report")).map(PathBuf::from),
        }
    })
}

fn for_images(file: &str, table: &Table<'_>, known: &Known<'_>) -> ForImages {
    const WANTS: &str = "a pattern for names of images, such as \"shop/*\", or a list of them";
    table.only(&IMAGE_KEYS);
    let names = table.get("name").map(|name| name.texts(WANTS)).unwrap_or_else(|| {
        table.fault(format!("an [[image]] wants `name`: {WANTS}"));
        Vec::new()
    });
    let names = names.iter().filter_map(|name| name.parsed(WANTS, Pattern::name));
    ForImages { names: names.collect(), layer: layer(file, table, known) }
}

fn layer(file: &str, table: &Table<'_>, known: &Known<'_>) -> Layer {
    let profile = table.get("profile").and_then(|value| {
        value.parsed("the name of a profile", |name| {
            let is_known = known.profiles.contains(&name);
            if is_known { Ok(name.to_string()) } else { Err(no_profile(name, &known.profiles)) }
        })
    });
    let mut severity = BTreeMap::new();
    if let Some(table) = table.get("severity").and_then(|value| value.table("a table of families and rules")) {
        for (selector, value) in table.each() {
            let to = value.parsed(SEVERITY, str::parse);
            if let (true, Some(to)) = (is_selector(&selector, &value, known), to) {
                severity.insert(selector, (to, format!("{file}:{}", value.line)));
            }
        }
    }
    let gate = table.get("gate").and_then(|value| value.table("a table")).map(|table| gate(&table, known));
    let allow = table.get("allow").map(|allow| allow.tables()).unwrap_or_default();
    let allow = allow.iter().filter_map(|table| allow::entry(file, table, |value, text| rule(value, text, known)));
    Layer { profile, severity, gate: gate.unwrap_or_default(), allow: allow.collect() }
}

fn gate(table: &Table<'_>, known: &Known<'_>) -> GateLayer {
    table.only(&GATE_KEYS);
    let mut rules = BTreeMap::new();
    if let Some(table) = table.get("rules").and_then(|value| value.table("a table of families and rules")) {
        for (selector, value) in table.each() {
            let least = value.parsed(THRESHOLD, threshold);
            if let (true, Some(least)) = (is_selector(&selector, &value, known), least) {
                rules.insert(selector, least);
            }
        }
    }
    GateLayer {
        severity: table.get("severity").and_then(|value| value.parsed(THRESHOLD, threshold)),
        rules,
        bytes: table.get("bytes").and_then(|value| limit(&value, "a size such as \"50MB\", or never", size::parse)),
        growth: table
            .get("growth")
            .and_then(|value| limit(&value, "a size such as \"5MB\", a share such as \"5%\", or never", str::parse)),
    }
}

fn threshold(word: &str) -> Result<Option<Severity>, String> {
    if word == "never" {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|_| format!("it wants {THRESHOLD}"))
}

fn limit<T>(value: &Value<'_>, wants: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<Limit<T>> {
    let text = value.number(wants)?;
    if text == "never" {
        return Some(Limit::Never);
    }
    match read(&text) {
        Ok(most) => Some(Limit::Most(most)),
        Err(why) => {
            value.fault(&format!("wants {wants}: {why}"));
            None
        }
    }
}

/// Whether a key is a family or a rule; tells it otherwise.
fn is_selector(text: &str, value: &Value<'_>, known: &Known<'_>) -> bool {
    let fault = selector(text, known);
    if let Err(fault) = &fault {
        value.fault(&format!("is no key here: {fault}"));
    }
    fault.is_ok()
}

/// A family or a rule that an exception names.
fn rule(value: &Value<'_>, text: &str, known: &Known<'_>) -> Option<String> {
    match selector(text, known) {
        Ok(()) => Some(text.to_string()),
        Err(fault) => {
            value.fault(&format!("is wrong: {fault}"));
            None
        }
    }
}

fn selector(text: &str, known: &Known<'_>) -> Result<(), String> {
    if Family::ALL.iter().any(|(_, word)| *word == text) {
        return Ok(());
    }
    match &known.rules {
        None if Family::of(text).is_some() => return Ok(()),
        Some(rules) if rules.binary_search(&text).is_ok() => return Ok(()),
        _ => {}
    }
    let words: Vec<&str> = match known.rules.as_ref().filter(|_| text.contains('/')) {
        Some(rules) => rules.clone(),
        None => Family::ALL.iter().map(|(_, word)| *word).collect(),
    };
    let meant = nearest(text, &words).map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
    let kind = if text.contains('/') { "rule" } else { "family or rule" };
    Err(format!("there is no {kind} \"{text}\"; {meant}`offcut rules list` names all"))
}

/// Why a name is none of a profile.
pub(super) fn no_profile(name: &str, profiles: &[&str]) -> String {
    let meant = nearest(name, profiles).map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
    format!("there is no profile \"{name}\"; {meant}profiles are {}", profiles.join(", "))
}
