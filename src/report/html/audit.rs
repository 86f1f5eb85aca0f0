//! What auditors ask: framework by framework what bears on each control, and which rules looked and found nothing.
//!
//! A control is never called met. "Nothing found" says what it says: the rules that bear on it were silent.

use std::{
    collections::{BTreeSet, HashMap},
    io::{self, Write},
};

use super::{
    anchor, escape, family_name,
    findings::{self, badge},
};
use crate::{
    model::{Aspect, Control, Family, Framework, Report, RuleAbout},
    report::{
        NO_ATTESTATION,
        evaluated::{self, Answer, Evaluated, Outcome},
        table, text,
    },
};

/// Findings named beside a control.
const NAMED: usize = 6;

/// Writes the sections.
pub(super) fn write(report: &Report, evaluated: &Evaluated<'_>, out: &mut dyn Write) -> io::Result<()> {
    if !report.frameworks.is_empty() {
        writeln!(out, "<section id=\"frameworks\">\n<h2>Frameworks</h2>\n<p class=\"notice\">{}</p>", NO_ATTESTATION)?;
        for framework in &report.frameworks {
            self::framework(report, framework, evaluated, out)?;
        }
        writeln!(out, "</section>")?;
    }
    rules(report, evaluated, out)
}

fn framework(report: &Report, framework: &Framework, evaluated: &Evaluated<'_>, out: &mut dyn Write) -> io::Result<()> {
    let name = format!("{} {}", escape::short(&framework.name), escape::short(&framework.version));
    let controls: Vec<_> = framework.controls.iter().map(|control| (control, evaluated.control(control))).collect();
    let count = |fits: fn(&Outcome) -> bool| controls.iter().filter(|(_, answer)| fits(&answer.outcome)).count();
    let found = count(|outcome| matches!(outcome, Outcome::Found(_)));
    let allowed = count(|outcome| matches!(outcome, Outcome::Allowed));
    let silent = count(|outcome| matches!(outcome, Outcome::Nothing | Outcome::Partly));
    let not = count(|outcome| matches!(outcome, Outcome::Not));
    let counts = [(found, "with findings"), (allowed, "allowed"), (silent, "nothing found"), (not, "not evaluated")];
    let counts: Vec<_> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    writeln!(
        out,
        "<h3>{name}</h3>\n<p class=\"aside\">{}; {}: {}</p>",
        escape::short(&framework.scope),
        text::plural(controls.len(), "item"),
        counts.join(", ")
    )?;
    writeln!(
        out,
        "<section class=\"scroll\" tabindex=\"0\" aria-label=\"{name}\"><table class=\"controls\">\n<thead><tr>\
         <th scope=\"col\">Item</th><th scope=\"col\">What it asks for</th><th scope=\"col\">Result</th><th \
         scope=\"col\">Evidence</th></tr></thead>\n<tbody>"
    )?;
    for (control, answer) in &controls {
        self::control(report, control, answer, out)?;
    }
    writeln!(out, "</tbody>\n</table></section>")
}

fn control(report: &Report, control: &Control, answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let by = control.by.map_or_else(String::new, |by| format!(" <span class=\"tag\">{}</span>", by.word()));
    writeln!(
        out,
        "<tr><th scope=\"row\">{}</th><td>{}{by}</td><td>{}</td><td>",
        escape::short(&control.id),
        escape::short(&control.title),
        result(answer.outcome)
    )?;
    if !answer.found.is_empty() {
        writeln!(out, "<p>{}</p>", named(report, &answer.found))?;
    }
    for aspect in &control.shows {
        writeln!(out, "<p>{}</p>", shown(report, *aspect))?;
    }
    match (answer.outcome, answer.missing.join("; ")) {
        (Outcome::Not, none) if none.is_empty() && !control.rules.is_empty() => {
            writeln!(out, "<p>No rule of this set looks for it.</p>")?;
        }
        (_, none) if none.is_empty() => {}
        (Outcome::Not, why) => writeln!(out, "<p>No rule looked: {why}.</p>")?,
        (_, why) => writeln!(out, "<p>Some rules did not look: {why}.</p>")?,
    }
    if let Some(beyond) = &control.beyond {
        let label = if control.rules.is_empty() { "" } else { "Not looked at: " };
        writeln!(out, "<p class=\"beyond\">{label}{}.</p>", escape::plain(beyond))?;
    }
    writeln!(out, "</td></tr>")
}

/// The findings by name, those of one name once.
fn named(report: &Report, found: &[usize]) -> String {
    let mut names: Vec<(String, usize)> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (at, finding) in found.iter().filter_map(|&at| Some((at, report.findings.get(at)?))) {
        let count = counts.entry(findings::name(finding)).or_default();
        *count += 1;
        if *count == 1 {
            names.push((findings::name(finding), at));
        }
    }
    let link = |(name, at): &(String, usize)| {
        let times = counts.get(name).copied().unwrap_or_default();
        let times = if times > 1 { format!(" (\u{d7}{})", text::count(times as u64)) } else { String::new() };
        format!("<a href=\"#{}\">{}</a>{times}", anchor(*at), escape::clipped(name, 60))
    };
    let links: Vec<String> = names.iter().take(NAMED).map(link).collect();
    match names.len().saturating_sub(NAMED) {
        0 => links.join(", "),
        more => format!("{} and {} more", links.join(", "), text::count(more as u64)),
    }
}

fn result(outcome: Outcome) -> String {
    match outcome {
        Outcome::Found(worst) => format!("{} <span class=\"word\">findings</span>", badge(worst)),
        Outcome::Allowed => "<span class=\"badge plain\">allowed</span>".to_string(),
        Outcome::Nothing => "<span class=\"badge good\">nothing found</span>".to_string(),
        Outcome::Partly => {
            "<span class=\"badge plain\">in part</span> <span class=\"word\">nothing found</span>".to_string()
        }
        Outcome::Not => "<span class=\"badge none\">not evaluated</span>".to_string(),
    }
}

/// What the image says of itself, unjudged.
fn shown(report: &Report, aspect: Aspect) -> String {
    let Some(config) = &report.image.config else {
        return "A directory has no configuration.".to_string();
    };
    match aspect {
        Aspect::User => match &report.user {
            Some(user) => format!("User: {}", escape::plain(&table::describe_user(user))),
            None => "User: not known".to_string(),
        },
        Aspect::Base if report.base.how.is_empty() => "Base image: not known".to_string(),
        Aspect::Base => {
            format!("Base image: {}", escape::plain(&table::describe_base(&report.base, report.layers.len())))
        }
        Aspect::Healthcheck if config.healthcheck.is_empty() => "HEALTHCHECK: none in the configuration".to_string(),
        Aspect::Healthcheck => format!("HEALTHCHECK: <code>{}</code>", escape::short(&config.healthcheck.join(" "))),
        Aspect::Ports if config.exposed_ports.is_empty() => "Ports: none is exposed by the configuration".to_string(),
        Aspect::Ports => format!("Ports: <code>{}</code>", escape::short(&config.exposed_ports.join(" "))),
    }
}

/// Family by family which rules found something, which nothing, and which could not look.
fn rules(report: &Report, evaluated: &Evaluated<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"rules\">\n<h2>Rules</h2>\n<p>Every rule of this rule set, by family, and what became of it.</p>\n<section \
         class=\"scroll\" tabindex=\"0\" aria-label=\"Rules by family\"><table>\n<thead><tr><th \
         scope=\"col\">Family</th><th scope=\"col\" class=\"num\">Rules</th><th scope=\"col\" class=\"num\">With \
         findings</th><th scope=\"col\" class=\"num\">Nothing found</th><th scope=\"col\" class=\"num\">Not \
         evaluated</th></tr></thead>\n<tbody>"
    )?;
    let (mut silent, mut idle) = (Vec::new(), Vec::new());
    for (family, word) in Family::ALL {
        let rules: Vec<&RuleAbout> = report.rules.iter().filter(|rule| Family::of(&rule.id) == Some(family)).collect();
        if rules.is_empty() {
            continue;
        }
        let (mut nothing, mut not, mut reasons) = (Vec::new(), Vec::new(), BTreeSet::new());
        for rule in &rules {
            let name = rule.id.split_once('/').map_or(rule.id.as_str(), |(_, name)| name);
            match evaluated.rule(&rule.id) {
                Outcome::Nothing => nothing.push(escape::short(name)),
                Outcome::Not => {
                    not.push(escape::short(name));
                    reasons.extend(evaluated::missing(report, &rule.id));
                }
                _ => {}
            }
        }
        let found = rules.len() - nothing.len() - not.len();
        writeln!(
            out,
            "<tr><th scope=\"row\">{} <code class=\"id\">{word}</code></th><td class=\"num\">{}</td><td class=\"num\">{found}\
             </td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            family_name(family),
            rules.len(),
            nothing.len(),
            not.len()
        )?;
        silent.push((word, nothing, String::new()));
        idle.push((word, not, reasons.into_iter().collect::<Vec<_>>().join("; ")));
    }
    writeln!(out, "</tbody>\n</table></section>")?;
    names("Looked and found nothing", &silent, out)?;
    names("Not evaluated", &idle, out)?;
    writeln!(out, "</section>")
}

fn names(title: &str, families: &[(&str, Vec<String>, String)], out: &mut dyn Write) -> io::Result<()> {
    let mut families = families.iter().filter(|(_, names, _)| !names.is_empty()).peekable();
    if families.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "<h3>{title}</h3>\n<dl class=\"names\">")?;
    for (word, names, why) in families {
        let why = if why.is_empty() { String::new() } else { format!(" <span class=\"word\">({why})</span>") };
        let names: Vec<_> = names.iter().map(|name| format!("<code>{name}</code>")).collect();
        writeln!(out, "<div><dt>{word}/{why}</dt><dd>{}</dd></div>", names.join(" "))?;
    }
    writeln!(out, "</dl>")
}
