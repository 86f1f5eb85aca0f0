//! The three forms of `rules list`: a line for each rule, a JSON document with all they know, and the page
//! `docs/rules.md`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{proofs, shown, wrapped};
use crate::{
    catalogue::{Catalogue, Example, Rule},
    model::{Digest, Remedy, Severity, Weakness},
};

/// Name and version of the JSON form; `docs/schema/rules-v1.json` fixes it.
const SCHEMA: &str = "offcut.rules/1";

/// Writes every rule in one line: id, severity, title.
///
/// # Errors
/// Only those of `out`.
pub fn table(catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<()> {
    let width = catalogue.rules.iter().map(|rule| rule.about.id.len()).max().unwrap_or(0);
    for rule in &catalogue.rules {
        writeln!(out, "{:width$}  {:8}  {}", rule.about.id, rule.about.severity, rule.about.title)?;
    }
    Ok(())
}

/// Writes everything that every rule knows as one JSON document.
///
/// # Errors
/// Only those of `out`.
pub fn json(catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<()> {
    let rules = catalogue.rules.iter().map(|rule| RuleRow::of(catalogue, rule)).collect();
    let version = env!("CARGO_PKG_VERSION");
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, version, catalogue: catalogue.digest, rules })?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    catalogue: Digest,
    rules: Vec<RuleRow<'a>>,
}

#[derive(Serialize)]
struct RuleRow<'a> {
    id: &'a str,
    title: &'a str,
    severity: Severity,
    subject: &'a str,
    why: &'a str,
    proofs: Vec<String>,
    not_proofs: Vec<String>,
    part_of: &'a [String],
    remedy: &'a Remedy,
    refs: &'a [String],
    weaknesses: &'a [Weakness],
}

impl<'a> RuleRow<'a> {
    fn of(catalogue: &Catalogue, rule: &'a Rule) -> Self {
        let about = &rule.about;
        let miss = |miss: &Example| format!("{}{}", miss.why, shown(miss));
        Self {
            id: &about.id,
            title: &about.title,
            severity: about.severity,
            subject: &rule.subject,
            why: &about.why,
            proofs: proofs(catalogue, rule),
            not_proofs: rule.misses.iter().map(miss).collect(),
            part_of: &rule.with,
            remedy: &about.remedy,
            refs: &about.refs,
            weaknesses: &about.weaknesses,
        }
    }
}

/// Writes the page `docs/rules.md`: every rule under its id, then every remedy.
///
/// # Errors
/// Only those of `out`.
pub fn markdown(catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<()> {
    let mut families: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &catalogue.rules {
        families.entry(family(rule)).or_default().push(rule);
    }
    let count = catalogue.rules.len();
    writeln!(out, "# Rules\n\n<!-- Written by `offcut rules list -f markdown`; a test holds it equal. -->\n")?;
    let intro = format!(
        "{count} rules. The severity is that of a live finding in an image that runs a service; what the command needs, \
         what is buried and images that are tools themselves are judged more mildly. `offcut explain ID` tells in \
         addition what counts as proof, and what does not."
    );
    writeln!(out, "{}\n\n| family | rules |\n|---|---|", wrapped(&intro))?;
    for (family, rules) in &families {
        writeln!(out, "| [`{family}/...`](#{family}) | {} |", rules.len())?;
    }
    writeln!(out, "| [remedies](#remedies) | {} |", catalogue.remedies.len())?;
    for (family, rules) in &families {
        writeln!(out, "\n## {family}")?;
        for rule in rules {
            let about = &rule.about;
            writeln!(out, "\n### {}\n\n**{}** ({})\n", about.id, plain(&about.title), about.severity)?;
            writeln!(out, "{}\n", wrapped(&plain(&about.why)))?;
            if !about.weaknesses.is_empty() {
                let link = |weakness: &Weakness| format!("[{}]({})", weakness.id, weakness.link());
                let links: Vec<_> = about.weaknesses.iter().map(link).collect();
                writeln!(out, "Weakness: {}.", links.join(", "))?;
            }
            let link = |remedy: &Remedy| format!("[{}](#remedy-{})", plain(&remedy.title), remedy.id);
            writeln!(out, "Remedy: {}.", link(&about.remedy))?;
            for (remedy, names) in rule.own_remedies() {
                writeln!(out, "Of {} alone: {}.", plain(&names.join(", ")), link(remedy))?;
            }
            let links: Vec<_> = about.refs.iter().map(|link| format!("<{link}>")).collect();
            writeln!(out, "More: {}", links.join(", "))?;
        }
    }
    writeln!(out, "\n## Remedies")?;
    for remedy in &catalogue.remedies {
        writeln!(out, "\n### Remedy {}\n\n**{}**\n", remedy.id, plain(&remedy.title))?;
        writeln!(out, "{}\n\n```dockerfile", wrapped(&plain(&remedy.text)))?;
        writeln!(out, "{}\n```", remedy.dockerfile.trim_end())?;
    }
    Ok(())
}

/// The part of the id before the slash.
fn family(rule: &Rule) -> &str {
    rule.about.id.split_once('/').map_or(rule.about.id.as_str(), |(family, _)| family)
}

/// Text that Markdown shows as it is; what stands between backticks stays code.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for letter in text.chars() {
        code ^= letter == '`';
        if !code && matches!(letter, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn written(write: impl Fn(&Catalogue, &mut dyn Write) -> io::Result<()>) -> (Catalogue, String) {
        let (catalogue, mut out) = (Catalogue::builtin().expect("the policies compile"), Vec::new());
        write(&catalogue, &mut out).expect("memory");
        (catalogue, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn the_table_is_aligned_and_complete() {
        let (catalogue, text) = written(table);
        assert_eq!(text.lines().count(), catalogue.rules.len());
        let line = text.lines().find(|line| line.starts_with("build-tool/make ")).expect("a line");
        assert!(line.ends_with("  medium    GNU make in the final image"), "{line}");
    }

    #[test]
    fn the_json_form_has_everything_and_fits_its_schema() {
        let (catalogue, text) = written(json);
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let schema = serde_json::from_str(include_str!("../../../docs/schema/rules-v1.json")).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let faults: Vec<_> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:?}");
        let rules = document["rules"].as_array().expect("rules");
        assert_eq!(rules.len(), catalogue.rules.len());
        let go = rules.iter().find(|rule| rule["id"] == "build-tool/go").expect("a rule");
        assert_eq!((&go["severity"], &go["subject"]), (&Value::from("high"), &Value::from("Go")));
        let has = |list: &Value, part: &str| {
            list.as_array().expect("texts").iter().any(|t| t.as_str().expect("text").contains(part))
        };
        assert!(has(&go["proofs"], "the shape of GOROOT") && has(&go["not_proofs"], "app/server"), "{go}");
        let mut broken = document.clone();
        broken["rules"][0]["proofs"] = Value::from("none");
        assert!(!schema.is_valid(&broken), "the schema refuses something");
    }

    #[test]
    fn the_page_is_the_one_in_the_documentation() {
        let (_, text) = written(markdown);
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
        let kept = std::fs::read_to_string(page).expect("the page is there");
        assert!(
            kept == text,
            "docs/rules.md is old: write it anew with `offcut rules list -f markdown > docs/rules.md`"
        );
    }

    #[test]
    fn every_link_of_the_page_leads_to_a_heading() {
        let (catalogue, text) = written(markdown);
        // As GitHub names the place of a heading: lower case, blanks become hyphens, other marks go.
        let place = |heading: &str| {
            let kept = heading.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
        };
        let places: Vec<_> =
            text.lines().filter(|l| l.starts_with('#')).map(|l| place(l.trim_start_matches('#').trim())).collect();
        let links: Vec<_> =
            text.split("](#").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to).collect();
        assert!(links.len() > catalogue.rules.len());
        for link in links {
            assert!(places.iter().any(|place| place == link), "{link}");
        }
        for rule in &catalogue.rules {
            assert!(text.contains(&format!("\n### {}\n", rule.about.id)), "{}", rule.about.id);
        }
    }

    #[test]
    fn marks_of_markdown_are_shown_and_code_stays_code() {
        assert_eq!(plain("a *_X `b_c <d>` <e>"), "a \\*\\_X `b_c <d>` \\<e\\>");
    }
}
