//! What the records of JavaScript package managers say: lock files and what an installation leaves in `node_modules`.

use serde::{Deserialize, Serialize};

/// One record of npm, pnpm, yarn or bun; which, the file's name tells.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeRecord {
    /// A lock file that marks packages: npm's `package-lock.json`, `npm-shrinkwrap.json` and the hidden
    /// `node_modules/.package-lock.json`.
    Npm {
        /// Directories of packages marked `dev`, relative to the project: `node_modules/a/node_modules/b`.
        dev: Vec<String>,
        /// What the project and its workspaces ask for; the hidden lock file and version 1 do not say.
        importers: Vec<Importer>,
    },
    /// A lock file that lists what was asked for: `pnpm-lock.yaml`, `node_modules/.pnpm/lock.yaml`, `bun.lock`.
    Importers(Vec<Importer>),
    /// An installation's own note whether it holds dev dependencies: `node_modules/.modules.yaml` of pnpm,
    /// `node_modules/.yarn-integrity` of yarn 1.
    Installed {
        /// Whether it was asked to hold them.
        dev: bool,
    },
    /// The map of Plug'n'Play: `.pnp.cjs`, `.pnp.data.json`.
    Pnp(Vec<PnpPackage>),
}

/// What one project or workspace asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Importer {
    /// Its directory, relative to the lock file's project; empty for the project itself.
    pub dir: String,
    /// Names for production, the optional ones among them.
    pub production: Vec<String>,
    /// Names for development only.
    pub development: Vec<String>,
}

/// One package of a Plug'n'Play map.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PnpPackage {
    /// Name; empty for the project itself.
    pub name: String,
    /// Version, or what stands for it.
    pub version: String,
    /// Where it is, relative to the map, as the map has it: `./.yarn/cache/a.zip/node_modules/a/`.
    pub location: String,
    /// Whether it is a workspace.
    pub workspace: bool,
    /// What it may load: the name it uses, and the position in the map.
    pub needs: Vec<(String, u32)>,
}
