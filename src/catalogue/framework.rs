//! `[[framework]]`: which rules bear on the controls of a framework, for reports to auditors.
//!
//! Judges nothing. That a mapping names only rules and families that exist is checked here; whether it is a good one
//! is for people to say.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Rule,
    compile::{Check, is_word},
};
use crate::model::{Aspect, Assessment, Control, Family, Framework, Selector};

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// Lower-case words joined by `-`.
    pub id: Spanned<String>,
    name: String,
    version: String,
    scope: String,
    source: String,
    #[serde(default)]
    control: Vec<RawControl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    id: String,
    title: String,
    by: Option<Assessment>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    shows: Vec<Aspect>,
    beyond: Option<String>,
}

/// Reads a table; every rule that it names has to be there.
pub(super) fn framework(raw: &Raw, rules: &BTreeMap<String, Rule>, check: &mut Check<'_>) -> Framework {
    let id = raw.id.get_ref();
    check.needs(is_word(id), || format!("`id` wants lower-case words joined by '-', not \"{id}\""));
    for (key, text) in [("name", &raw.name), ("version", &raw.version), ("scope", &raw.scope)] {
        check.title(key, text);
    }
    check.needs(raw.source.starts_with("https://"), || {
        format!("`source` wants the https address where \"{id}\" is published, not \"{}\"", raw.source)
    });
    check.needs(!raw.control.is_empty(), || format!("the framework \"{id}\" has no [[framework.control]]"));
    let mut seen = BTreeSet::new();
    let mut control = |raw: &RawControl| {
        check.title("id", &raw.id);
        check.title("title", &raw.title);
        check.needs(seen.insert(raw.id.clone()), || format!("the control \"{}\" is there twice", raw.id));
        raw.beyond.iter().for_each(|beyond| check.title("beyond", beyond));
        check.needs(!raw.rules.is_empty() || raw.beyond.is_some(), || {
            format!("the control \"{}\" wants `rules`, or `beyond` to say why there are none", raw.id)
        });
        let rules = raw.rules.iter().filter_map(|rule| {
            let selector = selector(rule, rules);
            check.needs(selector.is_some(), || unknown_selector(&format!("the control \"{}\"", raw.id), rule));
            selector
        });
        Control {
            rules: rules.collect(),
            id: raw.id.clone(),
            title: raw.title.clone(),
            by: raw.by,
            shows: raw.shows.clone(),
            beyond: raw.beyond.clone(),
        }
    };
    Framework {
        controls: raw.control.iter().map(&mut control).collect(),
        id: id.clone(),
        name: raw.name.clone(),
        version: raw.version.clone(),
        scope: raw.scope.clone(),
        source: raw.source.clone(),
    }
}

/// A family or the id of a rule.
pub(super) fn selector(text: &str, rules: &BTreeMap<String, Rule>) -> Option<Selector> {
    match Family::ALL.iter().find(|(_, word)| *word == text) {
        Some((family, _)) => Some(Selector::Family(*family)),
        None => rules.contains_key(text).then(|| Selector::Rule(text.to_string())),
    }
}

/// What is said of a text that is no [`selector`].
pub(super) fn unknown_selector(of: &str, text: &str) -> String {
    format!("`rules` of {of} names no family and no rule: \"{text}\"")
}

#[cfg(test)]
mod tests {
    use crate::catalogue::Catalogue;

    const HEAD: &str =
        "[[framework]]\nid = \"x\"\nname = \"X\"\nversion = \"1\"\nscope = \"all\"\nsource = \"https://x\"\n";

    #[test]
    fn slips_of_the_pen_are_faults() {
        let control = |text: &str| format!("{HEAD}[[framework.control]]\nid = \"1\"\ntitle = \"One\"\n{text}");
        for (text, want) in [
            (HEAD.to_string(), "has no [[framework.control]]"),
            (control("").replace("https://x", "x"), "https address"),
            (control("").replace("id = \"x\"", "id = \"X y\""), "lower-case words"),
            (control(""), "wants `rules`, or `beyond`"),
            (control("rules = [\"build-tools\"]\n"), "names no family and no rule: \"build-tools\""),
            (control("rules = [\"build-tool/none\"]\n"), "names no family and no rule: \"build-tool/none\""),
            (control("beyond = \"Two.\"\n"), "without a full stop"),
            (control("beyond = \"a\"\n[[framework.control]]\nid = \"1\"\ntitle = \"b\"\nbeyond = \"c\"\n"), "twice"),
            (control("beyond = \"a\"\nshows = [\"weather\"]\n"), "weather"),
            (format!("{}{}", control("beyond = \"a\"\n"), control("beyond = \"a\"\n")), "two frameworks \"x\""),
        ] {
            let error = Catalogue::from_files(vec![("a.toml".to_string(), text.clone())]).expect_err(want);
            let said = format!("{:?} {:?}", error.causes, error.help);
            assert!(said.contains(&want.replace('"', "\\\"")), "{text}: {said}");
        }
    }

    #[test]
    fn every_built_in_rule_bears_on_some_control() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let mapped = |id: &str| {
            let mut controls = catalogue.frameworks.iter().flat_map(|framework| &framework.controls);
            controls.any(|control| control.rules.iter().any(|selector| selector.takes(id)))
        };
        let missed: Vec<_> = catalogue.rules.iter().map(|rule| &rule.about.id).filter(|id| !mapped(id)).collect();
        assert_eq!(missed, Vec::<&String>::new());
    }

    #[test]
    fn section_4_of_the_benchmark_is_there_item_by_item() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let cis = catalogue.frameworks.iter().find(|framework| framework.id == "cis-docker").expect("it is there");
        let ids: Vec<_> = cis.controls.iter().map(|control| control.id.clone()).collect();
        assert_eq!(ids, (1..=12).map(|item| format!("4.{item}")).collect::<Vec<_>>());
    }
}
