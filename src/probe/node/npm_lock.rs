//! Reads npm's lock files of versions 1, 2 and 3, and bun's text lock file.
//!
//! Formats: `docs.npmjs.com`, "package-lock.json"; `bun.com/docs/install/lockfile`. Checked with files that npm 6 and
//! 11 and bun 1.2 wrote.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};

use super::{
    IMPORTERS_MAX, is_fetched,
    json::{self, Key, Levels, Loose},
    yarn_lock::split_name,
};
use crate::{
    model::{Importer, NodeRecord, release},
    probe::malformed::{Malformed, PACKAGES_MAX, TEXT_MAX},
};

/// Reads a lock file of npm, and the releases that came from a registry.
///
/// Version 2 says everything twice; its `packages` are taken, since they name directories.
///
/// # Errors
/// When the file is not JSON, has other shapes than a lock file, or asks for unreasonably much memory.
pub fn read(body: &[u8]) -> Result<(NodeRecord, Vec<u64>), Malformed> {
    let mut lock = Lock { left: body.len().saturating_mul(32), ..Lock::default() };
    let mut from = serde_json::Deserializer::from_slice(body);
    from.deserialize_map(Top(&mut lock)).and_then(|()| from.end()).map_err(json::no_json)?;
    let (dev, releases) = match lock.has_packages {
        true => (lock.dev, lock.releases),
        false => (lock.dev_by_name, lock.releases_by_name),
    };
    Ok((NodeRecord::Npm { dev, importers: lock.importers }, releases))
}

/// Reads `bun.lock`, which is JSON with commas before closing brackets, and the releases that came from a registry.
///
/// # Errors
/// When it is not.
pub fn bun(body: &[u8]) -> Result<(NodeRecord, Vec<u64>), Malformed> {
    let strict = without_trailing_commas(body);
    let [workspaces, packages] = json::pick(&strict, [("workspaces", 3), ("packages", 2)])?;
    let all = workspaces.members().iter().take(IMPORTERS_MAX);
    let importers = all.map(|(dir, asks)| importer(dir, asks)).collect();
    // `["a@1.0.0", "", {}, "sha512-..."]`; what is no release has fewer elements.
    let release_of = |row: &Loose<'_>| match row.elements() {
        [id, Loose::Text(_), _, digest] if is_fetched(None, digest.text()) => {
            split_name(id.text()?).map(|(name, version)| release(name, version))
        }
        _ => None,
    };
    let releases = packages.members().iter().filter_map(|(_, row)| release_of(row)).collect();
    Ok((NodeRecord::Importers(importers), releases))
}

/// Blanks every comma that only white space divides from a closing bracket.
fn without_trailing_commas(body: &[u8]) -> Vec<u8> {
    let mut strict = body.to_vec();
    let (mut in_text, mut escaped, mut comma) = (false, false, None);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => (in_text, comma) = (!in_text, None),
            _ if in_text => {}
            b',' => comma = Some(at),
            b']' | b'}' => {
                if let Some(slot) = comma.take().and_then(|at| strict.get_mut(at)) {
                    *slot = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
    }
    strict
}

/// What a project or workspace asks for, from an object with the lists of a `package.json`.
fn importer(dir: &str, asks: &Loose<'_>) -> Importer {
    let names = |list: &str| {
        let members = asks.get(list).map(Loose::members).unwrap_or_default();
        members.iter().map(|(name, _)| name.to_string()).filter(|name| name.len() <= TEXT_MAX)
    };
    let production = names("dependencies").chain(names("optionalDependencies")).chain(names("peerDependencies"));
    Importer { dir: dir.to_string(), production: production.collect(), development: names("devDependencies").collect() }
}

/// What has been read so far.
#[derive(Default)]
struct Lock {
    has_packages: bool,
    dev: Vec<String>,
    dev_by_name: Vec<String>,
    importers: Vec<Importer>,
    releases: Vec<u64>,
    releases_by_name: Vec<u64>,
    /// Bytes that paths made of nested names may still take.
    left: usize,
}

impl Lock {
    /// Notes the release in a directory, if it came from a registry.
    fn release(&mut self, dir: &str, package: &Loose<'_>) {
        let text = |key: &str| package.get(key).and_then(Loose::text);
        let name = text("name").or_else(|| dir.rsplit("node_modules/").next()).unwrap_or_default();
        let linked = package.get("link").is_some_and(Loose::is_true);
        if let Some(version) = text("version")
            && !linked
            && is_fetched(text("resolved"), text("integrity"))
            && self.releases.len() < PACKAGES_MAX
        {
            self.releases.push(release(name, version));
        }
    }
}

struct Top<'l>(&'l mut Lock);

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lock file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "packages" => {
                    self.0.has_packages = true;
                    map.next_value_seed(Packages(self.0))?;
                }
                "dependencies" => map.next_value_seed(ByName { lock: self.0, prefix: "" })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// `packages`: an object for each directory.
struct Packages<'l>(&'l mut Lock);

impl<'de> DeserializeSeed<'de> for Packages<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let lock = self.0;
        while let Some(Key(dir)) = map.next_key()? {
            if dir.len() > TEXT_MAX {
                map.next_value::<IgnoredAny>()?;
            } else if dir.split('/').any(|part| part == "node_modules") {
                let package = map.next_value_seed(Levels(1))?;
                lock.release(&dir, &package);
                if package.get("dev").is_some_and(Loose::is_true) && lock.dev.len() < PACKAGES_MAX {
                    lock.dev.push(dir.into_owned());
                }
            } else {
                let asks = map.next_value_seed(Levels(2))?;
                if lock.importers.len() < IMPORTERS_MAX {
                    lock.importers.push(importer(&dir, &asks));
                }
            }
        }
        Ok(())
    }
}

/// `dependencies` of version 1: an object for each name, which may hold `dependencies` of its own.
struct ByName<'l, 'p> {
    lock: &'l mut Lock,
    prefix: &'p str,
}

impl<'de> DeserializeSeed<'de> for ByName<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ByName<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key()? {
            let dir = format!("{}node_modules/{name}", self.prefix);
            let left = self.lock.left.checked_sub(dir.len());
            self.lock.left = left.ok_or_else(|| A::Error::custom("packages are nested too deeply"))?;
            map.next_value_seed(Named { lock: &mut *self.lock, dir, name: &name })?;
        }
        Ok(())
    }
}

/// One package of version 1.
struct Named<'l, 'n> {
    lock: &'l mut Lock,
    dir: String,
    name: &'n str,
}

impl<'de> DeserializeSeed<'de> for Named<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Named<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a package")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let prefix = format!("{}/", self.dir);
        let mut dev = false;
        let (mut version, mut resolved, mut integrity) = (Loose::Other, Loose::Other, Loose::Other);
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "dev" => dev = map.next_value_seed(Levels(0))?.is_true(),
                "version" => version = map.next_value_seed(Levels(0))?,
                "resolved" => resolved = map.next_value_seed(Levels(0))?,
                "integrity" => integrity = map.next_value_seed(Levels(0))?,
                "dependencies" => map.next_value_seed(ByName { lock: &mut *self.lock, prefix: &prefix })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let releases = &mut self.lock.releases_by_name;
        if let Some(version) = version.text()
            && is_fetched(resolved.text(), integrity.text())
            && releases.len() < PACKAGES_MAX
        {
            let aliased = version.strip_prefix("npm:").and_then(split_name);
            let (name, version) = aliased.unwrap_or((self.name, version));
            releases.push(release(name, version));
        }
        if dev && self.dir.len() <= TEXT_MAX && self.lock.dev_by_name.len() < PACKAGES_MAX {
            self.lock.dev_by_name.push(self.dir);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::malformed::accept_parser;

    /// Written by npm 11, shortened.
    const V3: &str = r#"{"name": "shop", "lockfileVersion": 3, "requires": true, "packages": {
        "": {"name": "shop", "workspaces": ["packages/*"], "dependencies": {"express": "^4.18.0"},
            "devDependencies": {"mocha": "^10.0.0"}},
        "node_modules/@shop/a": {"resolved": "packages/a", "link": true},
        "node_modules/express": {"version": "4.22.3", "dependencies": {"dev": "1"}},
        "node_modules/mocha": {"version": "10.8.2", "dev": true, "bin": {"mocha": "bin/mocha.js"}},
        "node_modules/typescript": {"version": "5.9.3", "devOptional": true},
        "packages/a": {"name": "@shop/a", "dependencies": {"debug": "^2.6.0"}, "optionalDependencies": {"x": "1"}},
        "packages/a/node_modules/ms": {"version": "2.0.0", "dev": true}}}"#;

    /// Written by npm 6, shortened.
    const V1: &str = r#"{"name": "shop", "lockfileVersion": 1, "requires": true, "dependencies": {
        "express": {"version": "4.22.3", "requires": {"debug": "2.6.9"}},
        "mocha": {"version": "10.8.2", "dev": true, "requires": {"debug": "^4.3.5"}, "dependencies": {
            "debug": {"version": "4.4.3", "dev": true, "requires": {"ms": "^2.1.3"}}}}}}"#;

    #[test]
    fn marked_packages_and_what_was_asked_for_are_read() {
        let Ok((NodeRecord::Npm { dev, importers }, _)) = read(V3.as_bytes()) else { panic!("a lock file") };
        assert_eq!(dev, ["node_modules/mocha", "packages/a/node_modules/ms"]);
        let [root, a] = &importers[..] else { panic!("{importers:?}") };
        assert_eq!(
            (root.dir.as_str(), &root.production[..], &root.development[..]),
            ("", &["express".into()][..], &["mocha".into()][..])
        );
        assert_eq!((a.dir.as_str(), a.production.join(" ")), ("packages/a", "debug x".to_string()));
    }

    #[test]
    fn names_of_version_1_become_directories() {
        let Ok((NodeRecord::Npm { dev, .. }, _)) = read(V1.as_bytes()) else { panic!("a lock file") };
        assert_eq!(dev, ["node_modules/mocha/node_modules/debug", "node_modules/mocha"]);
        let both = V1.replacen('{', r#"{"packages": {"node_modules/a": {"dev": true}}, "#, 1);
        let Ok((NodeRecord::Npm { dev, .. }, _)) = read(both.as_bytes()) else { panic!("{both}") };
        assert_eq!(dev, ["node_modules/a"], "version 2 has both, and directories are exact");
    }

    #[test]
    fn releases_of_a_registry_are_told_from_links_files_and_repositories() {
        let v3 = r#"{"packages": {
            "node_modules/a": {"version": "1.0.0", "resolved": "https://r.example.org/a.tgz", "integrity": "sha512-x"},
            "node_modules/b": {"version": "1.0.0", "integrity": "sha512-x"},
            "node_modules/a/node_modules/@s/c": {"version": "2.0.0", "resolved": "http://x/c.tgz", "integrity": "sha1-x"},
            "node_modules/alias": {"name": "real", "version": "3.0.0", "integrity": "sha512-x"},
            "node_modules/d": {"resolved": "packages/d", "link": true},
            "node_modules/e": {"version": "1.0.0", "resolved": "file:../e"},
            "node_modules/f": {"version": "1.0.0", "resolved": "file:f.tgz", "integrity": "sha512-x"},
            "node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@example.org/g.git#1"},
            "node_modules/h": {"version": "1.0.0", "inBundle": true}},
            "dependencies": {"a": {"version": "9.9.9", "integrity": "sha512-x"}}}"#;
        let (_, releases) = read(v3.as_bytes()).expect("a lock file");
        let want = [("a", "1.0.0"), ("b", "1.0.0"), ("@s/c", "2.0.0"), ("real", "3.0.0")];
        assert_eq!(releases, want.map(|(name, version)| release(name, version)));
        let v1 = r#"{"dependencies": {"a": {"version": "1.0.0", "resolved": "https://x/a.tgz", "integrity": "sha512-x",
            "dependencies": {"b": {"version": "npm:@s/real@2.0.0", "integrity": "sha512-x"}}},
            "e": {"version": "file:../e"}, "f": {"version": "file:f.tgz", "integrity": "sha512-x", "resolved": "file:f.tgz"}}}"#;
        let (_, releases) = read(v1.as_bytes()).expect("a lock file");
        assert_eq!(releases, [release("@s/real", "2.0.0"), release("a", "1.0.0")]);
        let bun_lock = br#"{"packages": {"a": ["a@1.0.0", "", {}, "sha512-x"], "w": ["w@workspace:packages/w"],
            "f": ["f@f.tgz", {}, "sha512-x"], "@s/c": ["@s/c@2.0.0", "", {"dependencies": {}}, "sha512-x"],}}"#;
        let (_, releases) = bun(bun_lock).expect("a lock file");
        assert_eq!(releases, [release("a", "1.0.0"), release("@s/c", "2.0.0")]);
    }

    #[test]
    fn commas_before_closing_brackets_are_taken_from_bun_only() {
        let body = br#"{"workspaces": {"": {"name": "a,]", "devDependencies": {"ty\",}": "^5", "b": "1", }, },
            "packages/a": {"dependencies": {"c": "1",},},}, "packages": {"x": ["x@1", "", {}, "h"],},}"#;
        let Ok((NodeRecord::Importers(importers), _)) = bun(body) else { panic!("a lock file") };
        let shown: Vec<_> =
            importers.iter().map(|i| (i.dir.as_str(), i.production.join(" "), i.development.join(" "))).collect();
        assert_eq!(
            shown,
            [("", String::new(), "ty\",} b".to_string()), ("packages/a", "c".to_string(), String::new())]
        );
        assert!(read(body).is_err());
        assert!(bun(b"{,}").is_ok(), "no worse than what it stands for");
    }

    #[test]
    fn what_is_no_lock_file_is_malformed_and_nesting_is_bounded() {
        for body in [
            "",
            "[]",
            "null",
            "{\"packages\": []}",
            "{\"packages\": {\"\": 1}",
            "{\"dependencies\": {\"a\": 1}}",
            "<<<<<<< HEAD",
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        let deep = "{\"dependencies\": {\"a\": ".repeat(100_000);
        assert!(read(deep.as_bytes()).is_err());
        let name = "n".repeat(50_000);
        let wide = format!(
            "{{\"dependencies\": {{\"{name}\": {{\"dependencies\": {{{}\"z\": {{}}}}}}}}}}",
            "\"a\": {},".repeat(10_000)
        );
        let fault = read(wide.as_bytes()).expect_err("half a gigabyte of paths");
        assert!(fault.0.contains("nested too deeply"), "{fault}");
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(V3.as_bytes(), read);
        accept_parser(V1.as_bytes(), read);
        accept_parser(V1.as_bytes(), bun);
    }
}
