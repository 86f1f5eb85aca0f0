//! Reads what JavaScript package managers leave behind: lock files and records of an installation.
//!
//! Each parser sees one file and keeps only what tells development from production, and which releases a registry gave;
//! none knows of other files.

mod installed;
pub mod json;
mod npm_lock;
mod pnp;
mod pnpm_lock;
mod yarn_lock;

use super::malformed::Malformed;
use crate::model::{NodeRecord, path};

/// Importers that are read of one lock file; the largest public monorepos have some thousands.
const IMPORTERS_MAX: usize = 20_000;

/// A record of a package manager, by the name of its file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NodeFile {
    /// `package-lock.json`, `npm-shrinkwrap.json`, `.package-lock.json`.
    NpmLock,
    /// `pnpm-lock.yaml`, `.pnpm/lock.yaml`.
    PnpmLock,
    /// `.modules.yaml`.
    PnpmModules,
    /// `.yarn-integrity`.
    YarnIntegrity,
    /// `.pnp.cjs` and `.pnp.data.json`.
    Pnp,
    /// `bun.lock`.
    BunLock,
    /// `yarn.lock`.
    YarnLock,
}

impl NodeFile {
    /// Which record lies at a cleaned path, if any.
    ///
    /// Lock files within an installed package describe its author's machine and are none.
    pub fn of(path: &[u8]) -> Option<Self> {
        let dir = path::parent(path);
        let (file, project) = match path::name(path) {
            b"package-lock.json" | b"npm-shrinkwrap.json" => (Self::NpmLock, dir),
            b"pnpm-lock.yaml" => (Self::PnpmLock, dir),
            b"bun.lock" => (Self::BunLock, dir),
            b"yarn.lock" => (Self::YarnLock, dir),
            b".pnp.cjs" | b".pnp.data.json" => (Self::Pnp, dir),
            b".package-lock.json" => (Self::NpmLock, above_modules(dir)?),
            b".modules.yaml" => (Self::PnpmModules, above_modules(dir)?),
            b".yarn-integrity" => (Self::YarnIntegrity, above_modules(dir)?),
            b"lock.yaml" if path::name(dir) == b".pnpm" => (Self::PnpmLock, above_modules(path::parent(dir))?),
            _ => return None,
        };
        let installed = project.split(|&b| b == b'/').any(|part| part == b"node_modules");
        (!installed).then_some(file)
    }

    /// Reads the record, and the [`crate::model::release`] of each package that it says came from a registry.
    ///
    /// # Errors
    /// When the file is not of the format that its name promises.
    pub fn read(self, body: &[u8]) -> Result<(Option<NodeRecord>, Vec<u64>), Malformed> {
        let (record, releases) = match self {
            Self::NpmLock => npm_lock::read(body)?,
            Self::PnpmLock => pnpm_lock::read(body)?,
            Self::PnpmModules => (installed::pnpm_modules(body)?, Vec::new()),
            Self::YarnIntegrity => (installed::yarn_integrity(body)?, Vec::new()),
            Self::Pnp => (pnp::read(body)?, Vec::new()),
            Self::BunLock => npm_lock::bun(body)?,
            Self::YarnLock => return Ok((None, yarn_lock::releases(body))),
        };
        Ok((Some(record), releases))
    }
}

/// Whether a package with this address and this digest came from a registry, or at least from the network: what a
/// directory or a repository gave has no digest, and a file on the disk has no such address.
fn is_fetched(resolved: Option<&str>, integrity: Option<&str>) -> bool {
    let remote = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    integrity.is_some_and(|digest| !digest.is_empty()) && resolved.is_none_or(remote)
}

/// The directory that holds a `node_modules`.
fn above_modules(dir: &[u8]) -> Option<&[u8]> {
    (path::name(dir) == b"node_modules").then(|| path::parent(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_within_an_installed_package_is_none() {
        for (path, want) in [
            ("app/package-lock.json", Some(NodeFile::NpmLock)),
            ("app/node_modules/.package-lock.json", Some(NodeFile::NpmLock)),
            ("node_modules/.modules.yaml", Some(NodeFile::PnpmModules)),
            ("app/node_modules/.pnpm/lock.yaml", Some(NodeFile::PnpmLock)),
            ("app/lock.yaml", None),
            ("app/.package-lock.json", None),
            ("app/node_modules/a/package-lock.json", None),
            ("app/node_modules/a/node_modules/.package-lock.json", None),
            ("app/node_modules/a/bun.lock", None),
            ("app/yarn.lock", Some(NodeFile::YarnLock)),
            ("app/node_modules/a/yarn.lock", None),
        ] {
            assert_eq!(NodeFile::of(path.as_bytes()), want, "{path}");
        }
    }
}
