//! Reads the map that yarn's Plug'n'Play resolves packages by: `.pnp.cjs` and `.pnp.data.json`.
//!
//! The program around the map is not looked at. Format: `yarnpkg.com/advanced/pnp-spec`; checked with files that yarn
//! 3.8 and 4.18 wrote.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;

use super::json::no_json;
use crate::{
    model::{NodeRecord, PnpPackage},
    probe::malformed::{Malformed, PACKAGES_MAX, TEXT_MAX},
};

/// What the loader calls with the map.
const CALL: &[u8] = b"hydrateRuntimeState({";

/// Reads a map.
///
/// # Errors
/// When there is none, or it has another shape.
pub fn read(body: &[u8]) -> Result<NodeRecord, Malformed> {
    let map = map_of(body)?;
    let mut values = serde_json::Deserializer::from_slice(&map).into_iter::<Map<'_>>();
    let map = values.next().ok_or_else(|| Malformed("it holds no package map".to_string()))?.map_err(no_json)?;
    packages(&map.registry)
}

/// The JSON text of the map: the file itself, a string of the loader, or an object within it.
fn map_of(body: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(Cow::Borrowed(body));
    }
    let text = body.windows(2).position(|two| two == b"'{");
    let inline = body.windows(CALL.len()).position(|call| call == CALL);
    match (text, inline) {
        (Some(at), inline) if inline.is_none_or(|inline| at < inline) => {
            Ok(Cow::Owned(unescape(body.get(at.saturating_add(1)..).unwrap_or_default())))
        }
        (_, Some(at)) => {
            let brace = at.saturating_add(CALL.len()).saturating_sub(1);
            Ok(Cow::Borrowed(body.get(brace..).unwrap_or_default()))
        }
        // The map is in `.pnp.data.json` beside it.
        _ => Ok(Cow::Borrowed(br#"{"packageRegistryData":[]}"#)),
    }
}

/// The value of a JavaScript string in single quotes, up to its end. Yarn escapes quotes, backslashes and line ends.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' => break,
            b'\\' => match bytes.next() {
                Some(b'\n') | None => {}
                Some(b'\r') => {}
                Some(escaped) => value.push(escaped),
            },
            byte => value.push(byte),
        }
    }
    value
}

#[derive(Deserialize)]
struct Map<'a> {
    #[serde(rename = "packageRegistryData", borrow)]
    registry: Registry<'a>,
}

/// Names with what they have of references.
type Registry<'a> = Vec<(Option<Cow<'a, str>>, Vec<(Option<Cow<'a, str>>, Package<'a>)>)>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    #[serde(borrow)]
    package_location: Cow<'a, str>,
    #[serde(borrow, default)]
    package_dependencies: Vec<(Cow<'a, str>, Option<Target<'a>>)>,
    #[serde(default)]
    link_type: Cow<'a, str>,
}

/// What a name resolves to.
#[derive(Deserialize)]
#[serde(untagged)]
enum Target<'a> {
    Same(#[serde(borrow)] Cow<'a, str>),
    Alias(#[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Cow<'a, str>),
}

fn packages(registry: &Registry<'_>) -> Result<NodeRecord, Malformed> {
    let rows = || {
        registry.iter().flat_map(|(name, references)| {
            let name = name.as_deref().unwrap_or_default();
            references.iter().map(move |(reference, package)| (name, reference.as_deref().unwrap_or_default(), package))
        })
    };
    let count = rows().count();
    if count > PACKAGES_MAX {
        return Err(Malformed(format!("it has {count} packages, more than {PACKAGES_MAX}")));
    }
    let places: HashMap<(&str, &str), u32> =
        rows().zip(0..).map(|((name, reference, _), at)| ((name, reference), at)).collect();
    let package = |(name, reference, package): (&str, &str, &Package<'_>)| {
        let needs = package.package_dependencies.iter().filter_map(|(alias, target)| {
            let key = match target.as_ref()? {
                Target::Same(reference) => (alias.as_ref(), reference.as_ref()),
                Target::Alias(name, reference) => (name.as_ref(), reference.as_ref()),
            };
            Some((alias.to_string(), *places.get(&key)?))
        });
        PnpPackage {
            name: name.to_string(),
            version: version(reference).to_string(),
            location: package.package_location.to_string(),
            workspace: package.link_type == "SOFT",
            needs: needs.collect(),
        }
    };
    let fits =
        |row: &(&str, &str, &Package<'_>)| [row.0, row.1, &row.2.package_location].iter().all(|t| t.len() <= TEXT_MAX);
    if !rows().all(|row| fits(&row)) {
        return Err(Malformed(format!("a name or a location has more than {TEXT_MAX} bytes")));
    }
    Ok(NodeRecord::Pnp(rows().map(package).collect()))
}

/// The version in a reference: `npm:1.2.3`, `virtual:HASH#npm:1.2.3`, `patch:a@npm%3A1.2.3#...`.
fn version(reference: &str) -> &str {
    let reference =
        if reference.starts_with("virtual:") { reference.split('#').nth(1).unwrap_or_default() } else { reference };
    if let Some(patched) = reference.strip_prefix("patch:") {
        let source = patched.split('#').next().unwrap_or_default();
        return source.rsplit("npm%3A").next().unwrap_or_default();
    }
    reference.strip_prefix("npm:").unwrap_or(reference).split("::").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::malformed::accept_parser;

    /// Written by yarn 4.18, shortened: the project, a virtual package and one that it loads under another name.
    const MAP: &str = r#"{"__info": ["generated"], "ignorePatternData": "(^(?:\\.yarn\\/sdks))", "packageRegistryData": [
        [null, [[null, {"packageLocation": "./", "packageDependencies": [["ts-node", "virtual:6a03#npm:10.9.2"],
            ["it's", ["typescript", "patch:typescript@npm%3A5.9.3#optional!builtin<compat/typescript>::version=5.9.3&hash=5786d5"]]],
            "linkType": "SOFT"}]]],
        ["ts-node", [["virtual:6a03#npm:10.9.2", {"packageLocation": "./.yarn/__virtual__/ts-node-virtual-1/0/cache/a.zip/node_modules/ts-node/",
            "packageDependencies": [["@types/swc", null], ["gone", "npm:1.0.0"]], "packagePeers": ["x"], "linkType": "HARD"}]]],
        ["typescript", [["patch:typescript@npm%3A5.9.3#optional!builtin<compat/typescript>::version=5.9.3&hash=5786d5",
            {"packageLocation": "./.yarn/cache/b.zip/node_modules/typescript/", "linkType": "HARD"}]]]]}"#;

    fn escaped(map: &str) -> String {
        map.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\\n")
    }

    #[test]
    fn the_map_is_read_as_file_as_text_and_as_object() {
        let four =
            format!("#!/usr/bin/env node\n\nconst RAW_RUNTIME_STATE =\n'{}';\n\nfunction f() {{ '{{' }}", escaped(MAP));
        let three = format!("  return hydrateRuntimeState(JSON.parse('{}'), {{basePath: x}});\n", escaped(MAP));
        let two = format!("  return hydrateRuntimeState({MAP}, {{basePath: x}});\nvar x = '{{'");
        let want = read(MAP.as_bytes()).expect("a map");
        for body in [four, three, two] {
            assert_eq!(read(body.as_bytes()).as_ref(), Ok(&want), "{body}");
        }
        let NodeRecord::Pnp(packages) = want else { panic!("a map") };
        let shown: Vec<_> = packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.workspace)).collect();
        assert_eq!(shown, [("", "", true), ("ts-node", "10.9.2", false), ("typescript", "5.9.3", false)]);
        let needs: Vec<_> = packages.iter().map(|p| p.needs.clone()).collect();
        assert_eq!(needs, [vec![("ts-node".to_string(), 1), ("it's".to_string(), 2)], Vec::new(), Vec::new()]);
    }

    #[test]
    fn what_holds_no_map_is_malformed_and_a_loader_of_another_file_is_empty() {
        for body in ["{}", "{\"packageRegistryData\": 1}", "'{\\\n", "{\"packageRegistryData\": [[1]]}"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        let loader = b"#!/usr/bin/env node\nconst data = require(`./.pnp.data.json`);\n";
        assert_eq!(read(loader), Ok(NodeRecord::Pnp(Vec::new())));
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(MAP.as_bytes(), read);
        accept_parser(escaped(MAP).as_bytes(), |body| read(&[b"'", body].concat()));
    }
}
