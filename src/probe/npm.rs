//! Reads the `package.json` of an npm package.
//!
//! Only name and version; whether the package was installed or is the application itself, its path tells.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::malformed::{Malformed, text};
use crate::model::NpmPackage;

/// Name and version of a package; `None` when the file gives no name.
///
/// Files of the same name that are no package (`{"type": "module"}`, a name that is no string) are common and no
/// fault. The last of several equal keys wins, as in JavaScript. A version that is missing or no string is empty.
///
/// # Errors
/// When the file is not JSON, or name or version have more than [`super::malformed::TEXT_MAX`] bytes.
pub fn package_json(body: &[u8]) -> Result<Option<NpmPackage>, Malformed> {
    // npm, too, reads over a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Top { name, version } =
        serde_json::from_slice(body).map_err(|cause| Malformed(format!("the file is no JSON: {cause}")))?;
    let read = |what, value: Option<Cow<'_, str>>| match value {
        Some(value) if !value.trim_ascii().is_empty() => text(what, value.as_bytes()).map(Some),
        _ => Ok(None),
    };
    let Some(name) = read("the package name", name)? else { return Ok(None) };
    let version = read("the version", version)?.unwrap_or_default();
    Ok(Some(NpmPackage { name, version, ..NpmPackage::default() }))
}

/// The two keys of any JSON value; a value that is no object has none.
#[derive(Default)]
struct Top<'a> {
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for Top<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TopVisitor)
    }
}

struct TopVisitor;

impl<'de> Visitor<'de> for TopVisitor {
    type Value = Top<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top<'de>, A::Error> {
        let mut top = Top::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.0.as_deref() {
                Some("name") => top.name = map.next_value::<Text<'de>>()?.0,
                Some("version") => top.version = map.next_value::<Text<'de>>()?.0,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(top)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Top<'de>, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Top::default())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Top<'de>, E> {
        Ok(Top::default())
    }
}

/// A string borrowed where it has no escapes; any other value is `None`.
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.to_string()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text<'de>, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Text<'de>, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Text(None))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    fn read(body: &str) -> Option<(String, String)> {
        package_json(body.as_bytes()).expect("JSON").map(|package| (package.name, package.version))
    }

    fn some(name: &str, version: &str) -> Option<(String, String)> {
        Some((name.to_string(), version.to_string()))
    }

    /// Cut from the package.json of npm's own `@npmcli/fs`.
    const REAL: &str = r#"{
  "name": "@npmcli/fs",
  "version": "3.1.0",
  "description": "filesystem utilities for the npm cli",
  "main": "lib/index.js",
  "files": ["bin/", "lib/"],
  "scripts": {"test": "tap", "lint": "eslint \"**/*.js\""},
  "author": "GitHub Inc.",
  "engines": {"node": "^14.17.0 || ^16.13.0 || >=18.0.0"}
}
"#;

    #[test]
    fn a_package_has_a_name_and_a_version() {
        assert_eq!(read(REAL), some("@npmcli/fs", "3.1.0"));
        assert_eq!(read(&format!("\u{feff}{}", REAL.replace('\n', "\r\n"))), some("@npmcli/fs", "3.1.0"));
        assert_eq!(read(r#"{"version":"1","n\u0061me":"\u0061 "}"#), some("a", "1"));
        assert_eq!(read(r#"{"name":"a","version":"1","name":"b"}"#), some("b", "1"));
        assert_eq!(read(r#"{"name":"a","version":{"x":1}}"#), some("a", ""));
    }

    #[test]
    fn other_json_is_no_package_and_no_fault() {
        for body in [
            r#"{"type":"module"}"#,
            r#"{"name":["a"],"version":"1"}"#,
            r#"{"name":{"name":"a"}}"#,
            r#"{"name":null}"#,
            r#"{"name":1.5}"#,
            r#"{"name":-1}"#,
            r#"{"name":true}"#,
            r#"{"name":" "}"#,
            r#"["name","version"]"#,
            r#""name""#,
            "{}",
            "null",
            "true",
            "1",
            "-1",
            "1.5",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for body in [&b""[..], b"{", b"{\"name\":\"a\"", b"name: a", b"{\"name\":\"\xff\"}", b"{} x", b"{'name':'a'}"] {
            assert!(package_json(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let long = format!(r#"{{"name":"{}"}}"#, "n".repeat(5000));
        let fault = Malformed("the package name has 5000 bytes, more than 4096".to_string());
        assert_eq!(package_json(long.as_bytes()), Err(fault));
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(read(&format!(r#"{{"x":{deep},"name":"a"}}"#)), some("a", ""));
        assert_eq!(read(&format!(r#"{{"name":{deep}}}"#)), None);
        assert_eq!(read(&deep), None);
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(REAL.as_bytes(), package_json);
    }
}
