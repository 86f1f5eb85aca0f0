//! Reads the `package.json` of an npm package.
//!
//! What it is, what it needs and what it starts; whether the package was installed or is the application itself, its
//! path tells.

use std::{collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{
    malformed::{Malformed, TEXT_MAX, text},
    node::json::{Key, Levels, Loose},
};
use crate::model::NpmPackage;

/// Where a `package.json` lies, which decides what of it can matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Below a `node_modules`: nobody develops it there, so its `devDependencies`, `scripts` and `workspaces` say
    /// nothing about the image.
    Installed,
    /// Anywhere else: an application, a workspace, or a mere directory.
    Own,
}

impl Place {
    /// Tells by the path.
    pub fn of(path: &[u8]) -> Self {
        if path.split(|&b| b == b'/').any(|part| part == b"node_modules") { Self::Installed } else { Self::Own }
    }
}

/// What a `package.json` says; `None` when it says nothing of interest.
///
/// Files of the same name that are no package (`{"type": "module"}`, a name that is no string) are common and no
/// fault. The last of several equal keys wins, as in JavaScript. Entries of the wrong shape, and names and commands of
/// more than [`TEXT_MAX`] bytes, are passed over; of a list no more than [`super::node::json::MEMBERS_MAX`] are kept.
/// Format: `docs.npmjs.com`, "package.json".
///
/// # Errors
/// When the file is not JSON, or name or version have more than [`TEXT_MAX`] bytes.
pub fn package_json(place: Place, body: &[u8]) -> Result<Option<NpmPackage>, Malformed> {
    // npm, too, reads over a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut top = Top::default();
    let mut from = serde_json::Deserializer::from_slice(body);
    let read = TopSeed { place, top: &mut top }.deserialize(&mut from).and_then(|()| from.end());
    read.map_err(|cause| Malformed(format!("the file is no JSON: {cause}")))?;
    let package = top.package()?;
    Ok((package != NpmPackage::default()).then_some(package))
}

/// The keys that are read of any JSON value; a value that is no object has none.
#[derive(Default)]
struct Top<'a> {
    name: Loose<'a>,
    version: Loose<'a>,
    main: Loose<'a>,
    dependencies: Loose<'a>,
    optional: Loose<'a>,
    peer: Loose<'a>,
    peer_meta: Loose<'a>,
    dev: Loose<'a>,
    bin: Loose<'a>,
    scripts: Loose<'a>,
    workspaces: Loose<'a>,
}

impl Top<'_> {
    fn package(self) -> Result<NpmPackage, Malformed> {
        let word = |what, value: &Loose<'_>| match value.text() {
            Some(value) if !value.trim_ascii().is_empty() => text(what, value.as_bytes()),
            _ => Ok(String::new()),
        };
        let name = word("the package name", &self.name)?;
        let meta = self.peer_meta.members().iter();
        let may_miss: HashSet<&str> = meta
            .filter(|(_, meta)| meta.get("optional").is_some_and(Loose::is_true))
            .map(|(name, _)| name.as_ref())
            .collect();
        let (optional_peer, peer) = names(&self.peer).into_iter().partition(|peer| may_miss.contains(peer.as_str()));
        let bin = match &self.bin {
            // One file is a command that is called as the package, without its scope.
            Loose::Text(file) => {
                let command = name.rsplit('/').next().unwrap_or_default();
                if command.is_empty() || file.len() > TEXT_MAX {
                    Vec::new()
                } else {
                    vec![(command.to_string(), file.to_string())]
                }
            }
            bin => pairs(bin),
        };
        let patterns = self.workspaces.get("packages").unwrap_or(&self.workspaces).elements();
        Ok(NpmPackage {
            version: word("the version", &self.version)?,
            main: self.main.text().filter(|main| main.len() <= TEXT_MAX).unwrap_or_default().to_string(),
            dependencies: names(&self.dependencies),
            optional: names(&self.optional),
            peer,
            optional_peer,
            dev: names(&self.dev),
            bin,
            scripts: pairs(&self.scripts),
            workspaces: patterns.iter().filter_map(Loose::text).filter(|p| fits(p)).map(str::to_string).collect(),
            name,
        })
    }
}

/// The keys of an object, sorted, each once.
fn names(value: &Loose<'_>) -> Vec<String> {
    let mut names: Vec<&str> = value.members().iter().map(|(name, _)| name.as_ref()).filter(|n| fits(n)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_string).collect()
}

/// The members of an object that are texts, in order.
fn pairs(value: &Loose<'_>) -> Vec<(String, String)> {
    let texts = value.members().iter().filter_map(|(key, value)| Some((key.as_ref(), value.text()?)));
    texts.filter(|(key, value)| fits(key) && fits(value)).map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn fits(text: &str) -> bool {
    (1..=TEXT_MAX).contains(&text.len())
}

struct TopSeed<'t, 'a> {
    place: Place,
    top: &'t mut Top<'a>,
}

impl<'de> DeserializeSeed<'de> for TopSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TopSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { place, top } = self;
        let own = place == Place::Own;
        while let Some(Key(key)) = map.next_key()? {
            let (value, levels) = match key.as_ref() {
                "name" => (&mut top.name, 0),
                "version" => (&mut top.version, 0),
                "main" => (&mut top.main, 0),
                "dependencies" => (&mut top.dependencies, 1),
                "optionalDependencies" => (&mut top.optional, 1),
                "peerDependencies" => (&mut top.peer, 1),
                "peerDependenciesMeta" => (&mut top.peer_meta, 2),
                "bin" => (&mut top.bin, 1),
                "devDependencies" if own => (&mut top.dev, 1),
                "scripts" if own => (&mut top.scripts, 1),
                "workspaces" if own => (&mut top.workspaces, 2),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *value = map.next_value_seed(Levels(levels))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        IgnoredAny.visit_seq(seq).map(drop)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    fn read(body: &str) -> Option<(String, String)> {
        whole(body).filter(|p| !p.name.is_empty()).map(|package| (package.name, package.version))
    }

    fn whole(body: &str) -> Option<NpmPackage> {
        package_json(Place::Own, body.as_bytes()).expect("JSON")
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
            assert!(package_json(Place::Own, body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let long = format!(r#"{{"name":"{}"}}"#, "n".repeat(5000));
        let fault = Malformed("the package name has 5000 bytes, more than 4096".to_string());
        assert_eq!(package_json(Place::Own, long.as_bytes()), Err(fault));
    }

    #[test]
    fn what_a_package_needs_and_starts_is_read() {
        let package = whole(
            r#"{"name":"@x/shop","main":"dist/a.js","dependencies":{"b":"1","a":"^2"},"devDependencies":{"tsc":"1"},
            "optionalDependencies":{"o":"1"},"peerDependencies":{"p":"1","q":"*"},"bin":"cli.js",
            "peerDependenciesMeta":{"q":{"optional":true},"p":{"optional":false}},
            "scripts":{"start":"node .","bad":1},"workspaces":{"packages":["packages/*"]}}"#,
        );
        let package = package.expect("a package");
        assert_eq!(package.dependencies, ["a", "b"]);
        assert_eq!((package.dev, package.optional), (vec!["tsc".to_string()], vec!["o".to_string()]));
        assert_eq!((package.peer, package.optional_peer), (vec!["p".to_string()], vec!["q".to_string()]));
        assert_eq!(package.bin, [("shop".to_string(), "cli.js".to_string())]);
        assert_eq!(package.scripts, [("start".to_string(), "node .".to_string())]);
        assert_eq!((package.main.as_str(), package.workspaces), ("dist/a.js", vec!["packages/*".to_string()]));
        let listed = whole(r#"{"workspaces":["a","b"],"bin":{"x":"./x.js"},"dependencies":["a"]}"#).expect("a package");
        assert_eq!((listed.name.as_str(), listed.workspaces.len(), listed.dependencies.len()), ("", 2, 0));
        assert_eq!(listed.bin, [("x".to_string(), "./x.js".to_string())]);
    }

    #[test]
    fn nobody_develops_an_installed_package() {
        let body = br#"{"name":"a","dependencies":{"b":"1"},"devDependencies":{"c":"1"},"scripts":{"test":"x"}}"#;
        let read = |path: &[u8]| package_json(Place::of(path), body).expect("JSON").expect("a package");
        let installed = read(b"app/node_modules/a/package.json");
        assert_eq!((installed.dependencies.len(), installed.dev.len(), installed.scripts.len()), (1, 0, 0));
        let own = read(b"app/my_node_modules/package.json");
        assert_eq!((own.dependencies.len(), own.dev.len(), own.scripts.len()), (1, 1, 1));
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
        accept_parser(REAL.as_bytes(), |body| package_json(Place::Own, body));
    }
}
