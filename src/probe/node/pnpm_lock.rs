//! Reads what the projects of a pnpm lock file ask for, lock file versions 5 to 9.
//!
//! pnpm writes a small part of YAML: block mappings indented by two, one key on each line. Only the importers are
//! read, and which packages came from a registry; which package got what, the links in the store tell. Checked with files that pnpm 6, 8, 9 and 10 wrote.

use std::collections::BTreeMap;

use super::IMPORTERS_MAX;
use crate::{
    model::{Importer, NodeRecord, release},
    probe::malformed::{Malformed, PACKAGES_MAX, TEXT_MAX, lines, quote},
};

/// Reads `pnpm-lock.yaml` or `node_modules/.pnpm/lock.yaml`, and the releases that came from a registry.
///
/// # Errors
/// When it has no `lockfileVersion`, is not UTF-8, or a line of the importers is no key.
pub fn read(body: &[u8]) -> Result<(NodeRecord, Vec<u64>), Malformed> {
    let mut importers: BTreeMap<String, Importer> = BTreeMap::new();
    let mut versioned = false;
    let (mut package, mut releases) = (&b""[..], Vec::new());
    // The importer, and which of its lists, that the lines belong to.
    let (mut section, mut dir, mut list) = (Section::Other, String::new(), List::Other);
    for line in lines(body) {
        let content = line.trim_ascii();
        let indent = line.iter().take_while(|&&byte| byte == b' ').count();
        if content.is_empty() || content.starts_with(b"#") || content == b"---" {
            continue;
        }
        if indent == 0 {
            versioned |= content.starts_with(b"lockfileVersion:");
            list = List::of(content);
            section = match content {
                b"importers:" => Section::Importers,
                b"packages:" => Section::Packages,
                _ if list != List::Other => Section::Single,
                _ => Section::Other,
            };
            dir.clear();
            continue;
        }
        // A lock file of one project has its lists where one of many has its importers.
        let level = match section {
            Section::Other => continue,
            Section::Packages if indent == 2 => {
                package = content;
                continue;
            }
            Section::Packages => {
                if is_fetched(content) && releases.len() < PACKAGES_MAX {
                    releases.extend(release_of(package));
                }
                continue;
            }
            Section::Importers => indent,
            Section::Single => indent.saturating_add(4),
        };
        match level {
            2 => {
                let name = key(content)?;
                dir = if name == "." { String::new() } else { name };
                list = List::Other;
            }
            4 => list = List::of(content),
            6 if list != List::Other => {
                if importers.len() >= IMPORTERS_MAX && !importers.contains_key(&dir) {
                    continue;
                }
                let name = key(content)?;
                let importer = importers
                    .entry(dir.clone())
                    .or_insert_with(|| Importer { dir: dir.clone(), ..Importer::default() });
                match list {
                    List::Development => importer.development.push(name),
                    _ => importer.production.push(name),
                }
            }
            _ => {}
        }
    }
    if !versioned {
        return Err(Malformed("it has no lockfileVersion".to_string()));
    }
    Ok((NodeRecord::Importers(importers.into_values().collect()), releases))
}

/// What a key at the left margin opens.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Section {
    Importers,
    Packages,
    /// The lists of the only project.
    Single,
    Other,
}

/// The lists of one importer.
#[derive(Clone, Copy, Eq, PartialEq)]
enum List {
    Production,
    Development,
    Other,
}

impl List {
    fn of(line: &[u8]) -> Self {
        match line {
            b"dependencies:" | b"optionalDependencies:" => Self::Production,
            b"devDependencies:" => Self::Development,
            _ => Self::Other,
        }
    }
}

/// Whether a line is the `resolution` of a package from a registry, which has a digest and no address of its own.
fn is_fetched(line: &[u8]) -> bool {
    line.strip_prefix(b"resolution:").is_some_and(|value| {
        let value = value.trim_ascii();
        value.starts_with(b"{integrity: ") && !value.contains(&b',')
    })
}

/// The release that a key of `packages` names: `/@a/b/1.0.0_peer`, `/@a/b@1.0.0(peer)` or `@a/b@1.0.0`.
fn release_of(line: &[u8]) -> Option<u64> {
    let id = match line {
        [b'\'' | b'"', ..] => key(line).ok()?,
        _ => str::from_utf8(line.strip_suffix(b":")?).ok()?.to_string(),
    };
    let id = id.strip_prefix('/').unwrap_or(&id);
    let name_at = if id.starts_with('@') { id.find('/')?.checked_add(1)? } else { 0 };
    let end = name_at.checked_add(id.get(name_at..)?.find(['/', '@'])?)?;
    let name = id.get(..end)?;
    let version = id.get(end..)?.get(1..)?.split(['(', '_']).next()?;
    Some(release(name, version))
}

/// The key of a line, which pnpm quotes where YAML wants it.
fn key(line: &[u8]) -> Result<String, Malformed> {
    let raw = match line {
        [quote @ (b'\'' | b'"'), rest @ ..] => rest.split(|byte| byte == quote).next(),
        // A name holds no colon; a version behind it may.
        _ => line.iter().position(|&byte| byte == b':').and_then(|end| line.get(..end)),
    };
    let key = raw.filter(|raw| (1..=TEXT_MAX).contains(&raw.len())).and_then(|raw| str::from_utf8(raw).ok());
    key.map(str::to_string).ok_or_else(|| Malformed(format!("{} is no key", quote(line))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::malformed::accept_parser;

    /// Written by pnpm 9, shortened.
    const V9: &str = "lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      express:
        specifier: ^4.18.0
        version: 4.22.3
    devDependencies:
      '@types/node':
        specifier: ^20.0.0
        version: 20.0.0

  packages/a:
    optionalDependencies:
      fsevents:
        specifier: ^2.6.0
        version: 2.6.9

packages:

  '@cspotcode/source-map-support@0.8.1':
    resolution: {integrity: sha512-IchN}
    dependencies:
      wrong: 1.0.0
";

    /// The shape of pnpm 6: one project, no importers.
    const V5: &str = "lockfileVersion: 5.3

specifiers:
  express: ^4.18.0

dependencies:
  express: 4.22.3

devDependencies:
  '@types/node': 20.0.0
  rimraf: /rimraf/5.0.10:x

packages:

  /wrong/1.0.0:
    dependencies:
      wrong: 1.0.0
";

    fn shown(body: &str) -> Vec<(String, String, String)> {
        let Ok((NodeRecord::Importers(importers), _)) = read(body.as_bytes()) else { panic!("a lock file: {body}") };
        importers.into_iter().map(|i| (i.dir, i.production.join(" "), i.development.join(" "))).collect()
    }

    fn row(dir: &str, production: &str, development: &str) -> (String, String, String) {
        (dir.to_string(), production.to_string(), development.to_string())
    }

    #[test]
    fn importers_are_read_from_every_version() {
        assert_eq!(shown(V9), [row("", "express", "@types/node"), row("packages/a", "fsevents", "")]);
        assert_eq!(shown(&V9.replace('\n', "\r\n")).len(), 2);
        assert_eq!(shown(V5), [row("", "express", "@types/node rimraf")]);
        let v6 = "lockfileVersion: '6.0'\n\ndependencies:\n  express:\n    specifier: ^4\n    version: 4.22.3\n";
        assert_eq!(shown(v6), [row("", "express", "")]);
    }

    #[test]
    fn releases_of_a_registry_are_read_from_every_version() {
        let lock = |rows: &str| format!("lockfileVersion: '9.0'\n\npackages:\n\n{rows}\nsnapshots:\n\n  x@1:\n");
        let fetched = "    resolution: {integrity: sha512-x==}\n    engines: {node: '>=1'}\n\n";
        let keys = ["/a/1.0.0", "/@s/b/2.0.0_react@18.0.0", "/c@3.0.0(react@18.0.0)(x@1)", "d@4.0.0", "'@s/e@5.0.0'"];
        let rows: String = keys.iter().map(|key| format!("  {key}:\n{fetched}")).collect();
        let want = [("a", "1.0.0"), ("@s/b", "2.0.0"), ("c", "3.0.0"), ("d", "4.0.0"), ("@s/e", "5.0.0")];
        let (_, releases) = read(lock(&rows).as_bytes()).expect("a lock file");
        assert_eq!(releases, want.map(|(name, version)| release(name, version)));
        for other in
            ["directory: ../f, type: directory", "tarball: https://x/f.tgz", "integrity: sha512-x, tarball: file:f.tgz"]
        {
            let rows = format!("  f@1.0.0:\n    resolution: {{{other}}}\n");
            assert!(read(lock(&rows).as_bytes()).expect("a lock file").1.is_empty(), "{other}");
        }
    }

    #[test]
    fn what_is_no_lock_file_is_malformed() {
        for body in [
            "",
            "a: b\n",
            "lockfileVersion: 9\nimporters:\n\n  no key\n",
            "lockfileVersion: 9\ndependencies:\n  \"\": 1\n",
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(V9.as_bytes(), read);
        accept_parser(V5.as_bytes(), read);
    }
}
