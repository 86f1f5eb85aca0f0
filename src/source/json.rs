//! Reads JSON documents of an image so that no other reader can see other values in them.
//!
//! Go's `encoding/json`, which every engine uses, folds the case of keys and lets the last of several equal keys
//! hold; other readers do neither. So twins are refused here, and keys are looked up as Go looks them up. Knows
//! nothing of what a document means.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::model::path::escape;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 64;

/// Most values in one document: what bounds the memory that a document of small values takes.
const VALUES_MAX: usize = 200_000;

/// Objects of the image specification whose keys are free text, folded (Go reads them into maps, which keep case).
const MAPS: [&str; 4] = ["labels", "annotations", "exposedports", "volumes"];

/// One JSON value; what no document of an image needs (the value of a fraction) is not kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// A fraction, or an integer beyond 64 bits with a sign; Go refuses both where it wants a size.
    OtherNumber,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one document that fills `bytes` from end to end.
    ///
    /// # Errors
    /// A sentence without the document's name: not JSON, nested too deep, too many values, or keys that Go would
    /// take for one and the same.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let values = Cell::new(0);
        let seed = Seed { depth: 0, is_map: false, values: &values };
        let mut from = serde_json::Deserializer::from_slice(bytes);
        let json = seed.deserialize(&mut from).and_then(|json| from.end().map(|()| json));
        json.map_err(|e| format!("not the JSON that is wanted: {e}"))
    }

    /// The members, if this is an object; `null` counts as one without members, as in Go.
    pub(super) fn object(&self) -> Result<Object<'_>, String> {
        match self {
            Self::Object(members) => Ok(Object(members)),
            Self::Null => Ok(Object(&[])),
            other => Err(format!("an object is wanted where {} stands", other.kind())),
        }
    }

    /// The elements, if this is a list; `null` counts as an empty one, as in Go.
    pub(super) fn list(&self) -> Result<&[Json], String> {
        match self {
            Self::List(elements) => Ok(elements),
            Self::Null => Ok(&[]),
            other => Err(format!("a list is wanted where {} stands", other.kind())),
        }
    }

    /// The text; `null` counts as an empty one, as in Go.
    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Null => Ok(""),
            other => Err(format!("a text is wanted where {} stands", other.kind())),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Integer(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a>(&'a [(String, Json)]);

impl<'a> Object<'a> {
    /// The member `name` in any case, as Go finds it; `name` is given in lower case.
    pub(super) fn get(&self, name: &str) -> &'a Json {
        self.0.iter().find(|(key, _)| fold(key) == name).map_or(&Json::Null, |(_, value)| value)
    }

    /// Whether there is a member `name` that is not null.
    pub(super) fn has(&self, name: &str) -> bool {
        *self.get(name) != Json::Null
    }

    /// The text of a member; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, String> {
        self.get(name).text().map_err(|e| format!("{name}: {e}"))
    }

    /// The object of a member; empty when it is not there.
    pub(super) fn object(&self, name: &str) -> Result<Object<'a>, String> {
        self.get(name).object().map_err(|e| format!("{name}: {e}"))
    }

    /// The elements of a member; none when it is not there.
    pub(super) fn list(&self, name: &str) -> Result<&'a [Json], String> {
        self.get(name).list().map_err(|e| format!("{name}: {e}"))
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let texts = self.list(name)?.iter().map(|element| element.text().map(str::to_string));
        texts.collect::<Result<_, _>>().map_err(|e| format!("{name}: {e}"))
    }

    /// The keys and values as they stand, for objects whose keys are free text.
    pub(super) fn members(&self) -> &'a [(String, Json)] {
        self.0
    }
}

/// Folds a key as Go compares it to an ASCII name.
///
/// Beside the ASCII capitals exactly two characters fold to an ASCII letter: the Kelvin sign and the long s
/// (Unicode CaseFolding.txt; Go's `encoding/json`, fold.go).
fn fold(key: &str) -> String {
    let one = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(one).collect()
}

#[derive(Clone, Copy)]
struct Seed<'n> {
    depth: usize,
    is_map: bool,
    values: &'n Cell<usize>,
}

impl Seed<'_> {
    fn inner<E: de::Error>(self, is_map: bool) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(Self { depth: self.depth + 1, is_map, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Json, D::Error> {
        let count = self.values.get() + 1;
        self.values.set(count);
        if count > VALUES_MAX {
            return Err(de::Error::custom(format_args!("more than {VALUES_MAX} values")));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Integer))
    }

    fn visit_f64<E: de::Error>(self, _value: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let inner = self.inner(false)?;
        let mut elements = Vec::new();
        while let Some(element) = from.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = from.next_key::<String>()? {
            let folded = fold(&key);
            let inner = self.inner(!self.is_map && MAPS.contains(&folded.as_str()))?;
            if !seen.insert(if self.is_map { key.clone() } else { folded }) {
                let shown: String = escape(key.as_bytes()).chars().take(80).collect();
                return Err(de::Error::custom(format_args!(
                    "the key \"{shown}\" stands twice (case does not tell keys apart), so that readers may differ"
                )));
            }
            members.push((key, from.next_value_seed(inner)?));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Json::read(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn keys_that_go_takes_for_one_are_refused() {
        for twins in [
            r#"{"User":"1000","User":"0"}"#,
            r#"{"User":"1000","uSER":"0"}"#,
            r#"{"User":"1000","U\u0073er":"0"}"#,
            "{\"User\":\"1000\",\"U\u{17f}er\":\"0\"}",
            "{\"link\":1,\"lin\u{212a}\":2}",
            r#"[{"a":{"Layers":[],"lAYERS":[]}}]"#,
        ] {
            assert!(fault(twins).contains("stands twice"), "{twins}");
        }
    }

    #[test]
    fn a_lone_key_is_found_in_any_case_as_go_finds_it() {
        let json = Json::read("{\"u\u{17f}ER\":\"0\"}".as_bytes()).expect("no twins");
        assert_eq!(json.object().expect("an object").text("user"), Ok("0"));
    }

    #[test]
    fn labels_are_a_map_whose_keys_differ_by_case() {
        assert!(Json::read(br#"{"Labels":{"a":"1","A":"2"}}"#).is_ok());
        assert!(fault(r#"{"Labels":{"a":"1","a":"2"}}"#).contains("stands twice"));
        assert!(fault(r#"{"Labels":{"Labels":{"a":"1","A":"2"}}}"#).contains("stands twice"));
    }

    #[test]
    fn what_is_not_one_whole_document_is_refused() {
        for bad in ["", "{", "{}{}", "{} x", "{'a':1}", "\u{feff}{}", "[1,]", "{\"a\":\"\\ud800\"}", "nul"] {
            fault(bad);
        }
        assert!(Json::read(b" {}\n").is_ok());
        assert!(Json::read(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        assert!(fault(&"[".repeat(100_000)).contains("nested deeper"));
        assert!(fault(&format!("[{}0]", "0,".repeat(VALUES_MAX))).contains("more than"));
        let deepest = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert!(Json::read(deepest.as_bytes()).is_ok());
    }

    #[test]
    fn a_number_that_go_can_not_hold_is_no_integer() {
        for other in ["1.0", "1e3", "9223372036854775808"] {
            assert_eq!(Json::read(other.as_bytes()), Ok(Json::OtherNumber), "{other}");
        }
        assert_eq!(Json::read(b"-1"), Ok(Json::Integer(-1)));
    }
}
