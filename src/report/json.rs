//! The whole report as JSON, for programs: every path, every package, nothing cut.
//!
//! The form is fixed by `docs/schema/report-v1.json`; a change that breaks a reader raises [`SCHEMA`].

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Report;

/// Name and version of the form, the value of the member `schema`.
pub const SCHEMA: &str = "offcut.report/1";

/// Writes the report as indented JSON with a final newline.
///
/// The same report gives the same bytes.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, report })?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'a Report,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::testing;

    fn printed(report: &Report) -> Value {
        let mut out = Vec::new();
        write(report, &mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("it is JSON")
    }

    fn schema() -> jsonschema::Validator {
        let schema: Value = serde_json::from_str(include_str!("../../docs/schema/report-v1.json")).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    }

    fn faults(schema: &jsonschema::Validator, value: &Value) -> Vec<String> {
        schema.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
    }

    #[test]
    fn the_schema_takes_every_report() {
        let schema = schema();
        let mut reports = vec![testing::empty(), testing::report(), testing::mended()];
        reports.extend(testing::HOSTILE.map(testing::hostile));
        let mut bare = testing::hostile(b"x");
        bare.image = crate::model::ImageInfo::default();
        bare.user = None;
        bare.tool.catalogue = None;
        reports.push(bare);
        for report in &reports {
            assert_eq!(faults(&schema, &printed(report)), Vec::<String>::new());
        }
    }

    #[test]
    fn the_report_comes_back_whole() {
        for report in [testing::mended(), testing::hostile(testing::HOSTILE[0])] {
            let mut value = printed(&report);
            assert_eq!(value["schema"], SCHEMA);
            value.as_object_mut().expect("an object").remove("schema");
            assert_eq!(serde_json::from_value::<Report>(value).expect("a report"), report);
        }
    }

    #[test]
    fn the_schema_refuses_what_offcut_never_writes() {
        let schema = schema();
        let good = printed(&testing::report());
        assert!(schema.is_valid(&good));
        for (at, wrong) in [
            ("/schema", json!("offcut.report/2")),
            ("/findings/0/severity", json!("fatal")),
            ("/findings/0/rule", json!("gcc")),
            ("/findings/0/bytes", json!(-1)),
            ("/findings/0/bytes", json!("312 MB")),
            ("/findings/0/paths/0/root", json!("usr/bin")),
            ("/findings/0/paths/0/files/0", json!("/a\u{1b}b")),
            ("/findings/0/evidence", json!([])),
            ("/findings/0/evidence/0/class", json!("path")),
            ("/findings/0/packages/0/manager", json!("brew")),
            ("/findings/0/layer/number", json!(0)),
            ("/findings/0/layer/diff_id", json!("sha512:00")),
            ("/findings/0/remedy", Value::Null),
            ("/findings/0/fingerprint", json!("")),
            ("/layers/0/entries", Value::Null),
            ("/totals/files", json!(1.5)),
            ("/user/uid", json!("0")),
            ("/image/platform", json!("linux/amd64")),
            ("/rules/0/refs", json!("none")),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(at).unwrap_or_else(|| unreachable!("{at} is in every report")) = wrong;
            assert!(!schema.is_valid(&bad), "{at}");
        }
    }

    #[test]
    fn the_schema_knows_every_member_and_wants_it() {
        let schema = schema();
        let good = printed(&testing::report());
        for object in
            ["", "/image", "/layers/0", "/totals", "/user", "/findings/0", "/findings/0/layer", "/rules/0", "/tool"]
        {
            let mut more = good.clone();
            let members = more.pointer_mut(object).and_then(Value::as_object_mut).expect("an object");
            members.insert("surprise".into(), json!(1));
            assert!(!schema.is_valid(&more), "{object} takes a member nobody knows");
            let names: Vec<_> = good.pointer(object).and_then(Value::as_object).expect("an object").keys().collect();
            for name in names {
                let mut less = good.clone();
                less.pointer_mut(object).and_then(Value::as_object_mut).expect("an object").remove(name);
                assert!(!schema.is_valid(&less), "{object} does without {name}");
            }
        }
    }
}
