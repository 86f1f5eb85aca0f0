//! What came of a rewrite: a short table for people, a document for programs, the diff for both.
//!
//! The document has the form that `docs/schema/fix-v1.json` fixes.

use std::io::{self, Write};

use super::text;
use crate::{
    model::{Fix, Rewrite},
    verify::Verified,
};
use serde::Serialize;

/// Name and version of the form, the value of the member `schema`.
pub const SCHEMA: &str = "offcut.fix/1";

/// Writes what was changed and why, and what it wins.
///
/// # Errors
/// Those of `out`.
pub fn write_text(fix: &Fix, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
    let rewrite = match fix {
        Fix::Rewritten(rewrite) => rewrite,
        Fix::Nothing(why) => return writeln!(out, "nothing to rewrite: {why}"),
        Fix::Refused(why) => return writeln!(out, "not rewritten: {why}"),
    };
    for change in &rewrite.changes {
        let line = change.line.map_or_else(|| "new".to_string(), |line| format!("line {line}"));
        writeln!(out, "{line:>8}  {}", change.what)?;
        writeln!(out, "{:>8}  {}", "", change.why)?;
    }
    for guess in &rewrite.guessed {
        writeln!(out, "{:>8}  {guess}", "guessed")?;
    }
    writeln!(out)?;
    match rewrite.after() {
        Some(after) => {
            let saved = rewrite.before.saturating_sub(after);
            let (before, after, saved) = (text::bytes(rewrite.before), text::bytes(after), text::bytes(saved));
            writeln!(out, "{before} before, {after} expected, {saved} saved")?;
        }
        None => writeln!(
            out,
            "{} before, {} expected on top of {}, whose size is not known here: pull it to know the sum",
            text::bytes(rewrite.before),
            text::bytes(rewrite.added),
            rewrite.to
        )?,
    }
    verified.map_or(Ok(()), |verified| write_verified(verified, out))
}

fn write_verified(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (&verified.before, &verified.after);
    let error =
        verified.error().map_or_else(String::new, |error| format!(", {:.1} % off what was expected", error * 100.0));
    let saved = text::bytes(verified.saved());
    writeln!(
        out,
        "\n{:>8}  {} before, {} after: {saved} saved{error}",
        "built",
        text::bytes(before.bytes),
        text::bytes(after.bytes)
    )?;
    let left: Vec<&str> = after.rules.iter().map(String::as_str).collect();
    let left = if left.is_empty() { "none".to_string() } else { format!("{} ({})", after.loud, left.join(", ")) };
    writeln!(out, "{:>8}  findings at medium or above: {} before, {left} after", "", before.loud)?;
    writeln!(out, "{:>8}  {}", "asked", text::plain(&verified.asked))?;
    for change in &verified.changed {
        writeln!(out, "{:>8}  {change}", "changed")?;
    }
    match &verified.fault {
        Some(fault) => {
            for (at, line) in fault.lines().enumerate() {
                writeln!(out, "{:>8}  {}", if at == 0 { "broken" } else { "" }, text::plain(line))?;
            }
        }
        None => writeln!(out, "{:>8}  both answer the same", "")?,
    }
    let verdict =
        if verified.holds() { "VERIFIED: it does what it did" } else { "NOT VERIFIED: do not use it as it is" };
    writeln!(out, "\n{verdict}")
}

/// Writes the document.
///
/// # Errors
/// Those of `out`.
pub fn write_json(fix: &Fix, verified: Option<&Verified>, out: &mut dyn Write) -> io::Result<()> {
    let (outcome, reason, rewrite) = match fix {
        Fix::Rewritten(rewrite) => ("rewritten", None, Some(rewrite)),
        Fix::Nothing(why) => ("nothing", Some(why.as_str()), None),
        Fix::Refused(why) => ("refused", Some(why.as_str()), None),
    };
    let document = Document {
        schema: SCHEMA,
        outcome,
        reason,
        dockerfile: rewrite.map(|rewrite| rewrite.dockerfile.as_str()),
        diff: rewrite.map(|rewrite| rewrite.diff.as_str()),
        changes: rewrite.map(|rewrite| changes(rewrite)).unwrap_or_default(),
        guessed: rewrite.map_or(&[], |rewrite| &rewrite.guessed),
        bytes: rewrite.map(|rewrite| Bytes {
            before: rewrite.before,
            added: rewrite.added,
            base: rewrite.base,
            after: rewrite.after(),
            saved: rewrite.after().map(|after| rewrite.before.saturating_sub(after)),
        }),
        base: rewrite.map(|rewrite| Base { from: &rewrite.from, to: &rewrite.to }),
        verified,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn changes(rewrite: &Rewrite) -> Vec<Row<'_>> {
    rewrite.changes.iter().map(|change| Row { line: change.line, what: &change.what, why: &change.why }).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    outcome: &'static str,
    reason: Option<&'a str>,
    dockerfile: Option<&'a str>,
    diff: Option<&'a str>,
    changes: Vec<Row<'a>>,
    guessed: &'a [String],
    bytes: Option<Bytes>,
    base: Option<Base<'a>>,
    verified: Option<&'a Verified>,
}

#[derive(Serialize)]
struct Row<'a> {
    line: Option<u32>,
    what: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Bytes {
    before: u64,
    added: u64,
    base: Option<u64>,
    after: Option<u64>,
    saved: Option<u64>,
}

#[derive(Serialize)]
struct Base<'a> {
    from: &'a str,
    to: &'a str,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{model::Change, verify::Measured};

    fn rewritten(base: Option<u64>) -> Fix {
        let change = Change { line: Some(1), what: "the stage builds only".into(), why: "it holds Go".into() };
        Fix::Rewritten(Box::new(Rewrite {
            dockerfile: "FROM golang:1.22 AS build\n\nFROM debian:bookworm-slim\nCMD [\"app\"]\n".into(),
            changes: vec![change],
            from: "golang:1.22".into(),
            to: "debian:bookworm-slim".into(),
            guessed: vec!["the base image is golang:1.22, by its variable GOLANG_VERSION".into()],
            before: 800_000_000,
            added: 5_000_000,
            base,
            ..Rewrite::default()
        }))
    }

    fn verified() -> Verified {
        let measured =
            |bytes, loud| Measured { bytes, loud, rules: (0..loud).map(|_| "build-tool/go".to_string()).collect() };
        Verified {
            before: measured(800_000_000, 1),
            after: measured(79_000_000, 0),
            predicted: Some(721_000_000),
            changed: Vec::new(),
            asked: "`curl x`".into(),
            fault: None,
        }
    }

    #[test]
    fn what_was_proved_is_told_and_what_broke() {
        let told = |verified: &Verified| {
            let mut out = Vec::new();
            write_text(&rewritten(None), Some(verified), &mut out).expect("a Vec takes everything");
            String::from_utf8(out).expect("text")
        };
        let good = told(&verified());
        assert!(good.contains("800 MB before, 79.0 MB after: 721 MB saved, 0.0 % off what was expected"), "{good}");
        assert!(good.ends_with("both answer the same\n\nVERIFIED: it does what it did\n"), "{good}");
        let bad = told(&Verified { fault: Some("it answers\n\u{1b}[31mno".into()), ..verified() });
        assert!(
            bad.contains("  broken  it answers\n") && bad.contains("NOT VERIFIED") && !bad.contains('\u{1b}'),
            "{bad}"
        );
    }

    #[test]
    fn the_schema_takes_every_outcome() {
        let schema: Value = serde_json::from_str(include_str!("../../docs/schema/fix-v1.json")).expect("JSON");
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        let all = [rewritten(Some(74_000_000)), rewritten(None), Fix::Nothing("a".into()), Fix::Refused("b".into())];
        for fix in all {
            let mut out = Vec::new();
            write_json(&fix, Some(&verified()), &mut out).expect("a Vec takes everything");
            let value: Value = serde_json::from_slice(&out).expect("JSON");
            let faults: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}");
        }
    }

    #[test]
    fn the_table_says_what_is_won_and_what_is_guessed() {
        let told = |fix: &Fix| {
            let mut out = Vec::new();
            write_text(fix, None, &mut out).expect("a Vec takes everything");
            String::from_utf8(out).expect("text")
        };
        let table = told(&rewritten(Some(74_000_000)));
        assert!(table.contains("line 1  the stage builds only\n") && table.contains("it holds Go"), "{table}");
        assert!(table.contains(" guessed  the base image is golang:1.22"), "{table}");
        assert!(table.contains("721") && table.contains("saved"), "{table}");
        assert!(told(&rewritten(None)).contains("whose size is not known here"));
        assert_eq!(told(&Fix::Refused("no command".into())), "not rewritten: no command\n");
    }
}
