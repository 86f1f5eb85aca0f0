//! `[[weakness]]`: which rules find an instance of an entry of the CWE list, for code scanning.
//!
//! Checks that ids have the form of the list and that rules exist. Whether the list has the entry, and whether its text
//! fits the rule, is for people to say.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Rule,
    compile::Check,
    framework::{selector, unknown_selector},
};
use crate::model::{Selector, Weakness};

/// The table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// `CWE-` and a number.
    pub id: Spanned<String>,
    title: String,
    rules: Vec<String>,
}

/// Weaknesses with the rules that find them.
#[derive(Default)]
pub(super) struct Weaknesses {
    all: Vec<(Weakness, Vec<Selector>)>,
}

impl Weaknesses {
    /// Takes a table; every rule that it names has to be there.
    pub(super) fn add(&mut self, raw: &Raw, rules: &BTreeMap<String, Rule>, check: &mut Check<'_>) {
        let id = raw.id.get_ref();
        check.needs(Weakness::number(id).is_some(), || {
            format!("`id` wants \"CWE-\" and a number without leading zeros, such as \"CWE-250\", not \"{id}\"")
        });
        check.title("title", &raw.title);
        check.needs(!raw.rules.is_empty(), || format!("the weakness \"{id}\" has no `rules`"));
        check.needs(self.all.iter().all(|(known, _)| known.id != *id), || format!("there are two weaknesses \"{id}\""));
        let mut selectors = Vec::new();
        for rule in &raw.rules {
            match selector(rule, rules) {
                Some(selector) => selectors.push(selector),
                None => check.fault(unknown_selector(&format!("the weakness \"{id}\""), rule)),
            }
        }
        self.all.push((Weakness { id: id.clone(), title: raw.title.clone() }, selectors));
    }

    /// What a rule finds: the weaknesses that name it, else those that name its family.
    pub(super) fn of(&self, rule: &str) -> Vec<Weakness> {
        let named = |own: bool| {
            let fits = move |selector: &Selector| matches!(selector, Selector::Rule(_)) == own && selector.takes(rule);
            let all = self.all.iter().filter(move |(_, selectors)| selectors.iter().any(fits));
            all.map(|(weakness, _)| weakness.clone()).collect::<BTreeSet<_>>()
        };
        let own = named(true);
        let mut found: Vec<_> = if own.is_empty() { named(false) } else { own }.into_iter().collect();
        found.sort_by_key(|weakness| Weakness::number(&weakness.id));
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::{catalogue::Catalogue, model::Weakness};

    fn ids(catalogue: &Catalogue, rule: &str) -> Vec<String> {
        let rule = catalogue.rule(rule).unwrap_or_else(|| unreachable!("{rule} is there"));
        rule.about.weaknesses.iter().map(|weakness| weakness.id.clone()).collect()
    }

    #[test]
    fn slips_of_the_pen_are_faults() {
        let table = |id: &str, rest: &str| format!("[[weakness]]\nid = \"{id}\"\ntitle = \"One\"\n{rest}");
        let good = table("CWE-1", "rules = [\"vcs\"]\n");
        for (text, want) in [
            (table("CWE-0250", "rules = [\"vcs\"]\n"), "without leading zeros"),
            (table("250", "rules = [\"vcs\"]\n"), "wants \"CWE-\" and a number"),
            (table("CWE-1", "rules = []\n"), "has no `rules`"),
            (table("CWE-1", ""), "missing field `rules`"),
            (table("CWE-1", "rules = [\"version\"]\n"), "names no family and no rule: \"version\""),
            (table("CWE-1", "rules = [\"vcs/none\"]\n"), "names no family and no rule: \"vcs/none\""),
            (good.replace("One", "One."), "without a full stop"),
            (good.repeat(2), "two weaknesses \"CWE-1\""),
        ] {
            let error = Catalogue::from_files(vec![("a.toml".to_string(), text.clone())]).expect_err(want);
            let said = format!("{:?} {:?}", error.causes, error.help);
            assert!(said.contains(&want.replace('"', "\\\"")), "{text}: {said}");
        }
        assert!(Catalogue::from_files(vec![("a.toml".to_string(), good)]).is_ok());
    }

    #[test]
    fn what_names_a_rule_outweighs_what_names_its_family() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        for (rule, want) in [
            ("secret/github-pat", &["CWE-312", "CWE-798"][..]),
            ("secret/private-key", &["CWE-321"]),
            ("secret/shadow-hash", &["CWE-798"]),
            ("secret/empty-password", &["CWE-258"]),
            ("secret/image-env", &["CWE-526", "CWE-798"]),
            ("root-user/uid-0", &["CWE-250"]),
            ("root-user/named-user", &[]),
            ("vcs/git", &["CWE-527"]),
            ("source/map", &["CWE-540"]),
            ("source/map-names", &[]),
            ("dockerfile/unchecked-add", &["CWE-494"]),
            ("build-tool/gcc", &[]),
        ] {
            assert_eq!(ids(&catalogue, rule), want, "{rule}");
        }
    }

    #[test]
    fn every_rule_for_secrets_has_a_weakness() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let secrets = catalogue.rules.iter().filter(|rule| rule.about.id.starts_with("secret/"));
        let bare: Vec<_> = secrets.filter(|rule| rule.about.weaknesses.is_empty()).map(|rule| &rule.about.id).collect();
        assert_eq!(bare, Vec::<&String>::new());
    }

    #[test]
    fn a_weakness_links_to_its_page() {
        let weakness = Weakness { id: "CWE-250".into(), title: "x".into() };
        assert_eq!(weakness.link(), "https://cwe.mitre.org/data/definitions/250.html");
    }
}
