//! JavaScript projects: what is installed for them, and what of it production can do without.
//!
//! A project is a directory with a `node_modules` or a map of Plug'n'Play, together with its workspaces. Each is looked
//! at as it is in the finished image, and as it was just before a layer removed something of it. What an installation
//! means is taken from what is really there: the lock file's marks count for directories that exist, and links are
//! followed where they lead. Judges nothing.

mod modules;
mod pnp;
mod survey;
#[cfg(test)]
mod tests;

use std::{cell::Cell, collections::HashMap};

use super::{File, FileId, Inventory};
use crate::model::{Confidence, ImagePath, State, path};

use survey::Survey;

/// Lookups of a package by name over the whole image; a monorepo with 20,000 packages takes less than a million.
///
/// Hostile trees can ask for a lookup of each name at each level of a deep path. Beyond this, projects stay undecided.
const LOOKUPS_MAX: u64 = 50_000_000;

/// Links that lead from one to the next before a name counts as missing.
const LINKS_MAX: usize = 8;

/// Who installed a project's packages.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NodeManager {
    /// npm, or nobody left a trace.
    Npm,
    /// pnpm.
    Pnpm,
    /// Any yarn.
    Yarn,
    /// bun.
    Bun,
}

/// Whether production wants an installed package.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Standing {
    /// A chain of dependencies leads from the project's own to it, see [`NodeProjects::chain`].
    Production,
    /// Only development asks for it.
    Development,
    /// Nothing in the project asks for it.
    Unreached,
    /// The image does not tell what the project asks for.
    Unknown,
}

/// All projects of an image.
#[derive(Debug, Default)]
pub struct NodeProjects {
    projects: Vec<NodeProject>,
    places: HashMap<FileId, (usize, usize)>,
    undecided: Option<FileId>,
}

/// One project, live or as it was before a layer removed some of its packages.
#[derive(Debug)]
pub struct NodeProject {
    /// Its directory.
    pub root: ImagePath,
    /// Where its packages are: its `node_modules`, or with Plug'n'Play the project itself.
    pub place: ImagePath,
    /// Who installed it.
    pub manager: NodeManager,
    /// Buried: seen just before the layer [`NodeProject::hidden_by`] removed packages.
    pub state: State,
    /// The layer that removed packages, for a buried project; the lowest is 0.
    pub hidden_by: Option<u32>,
    /// What tells production from development.
    pub proof: NodeProof,
    /// The installed copies, in the order of their files; for a buried project all that were there, removed or not.
    pub packages: Vec<NodePackage>,
}

/// What tells a project's dev dependencies from those of production.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeProof {
    /// `Certain` when the package manager's own record of the installation says it.
    pub confidence: Confidence,
    /// What it says, in one line.
    pub text: String,
    /// The file that says it.
    pub file: Option<ImagePath>,
}

/// An installed copy of a package.
#[derive(Clone, Debug)]
pub struct NodePackage {
    /// Its `package.json` (the `home` of the [`super::Package`]), or its archive.
    pub home: FileId,
    /// Its directory, or its archive.
    pub dir: ImagePath,
    /// Name.
    pub name: String,
    /// Version, or empty.
    pub version: String,
    /// Whether production wants it.
    pub standing: Standing,
    /// The package that asks for it, by position; `None` when the project itself does, or nothing.
    pub via: Option<usize>,
}

impl NodePackage {
    /// Whether it was there at the project's time and is gone since.
    fn removed_by(&self, inventory: &Inventory, layer: u32) -> bool {
        inventory.file(self.home).hidden_by() == Some(layer)
    }
}

impl NodeProjects {
    /// Finds the projects of an image and what each package is there for. Linear in files and dependencies.
    pub fn read(inventory: &Inventory) -> Self {
        Self::within(inventory, LOOKUPS_MAX)
    }

    fn within(inventory: &Inventory, lookups: u64) -> Self {
        let survey = Survey::of(inventory);
        let lookups = Cell::new(lookups);
        let mut projects = Vec::new();
        for team in survey.teams() {
            let views = team.hiders.iter().map(|&by| View { inventory, before: Some(by) });
            for view in std::iter::once(View { inventory, before: None }).chain(views) {
                // Each state looks at every package again.
                lookups.set(lookups.get().saturating_sub(team.manifests.len() as u64));
                if lookups.get() == 0 && view.before.is_some() {
                    break;
                }
                projects.extend(modules::project(&survey, team, view, &lookups));
                projects.extend(pnp::project(team, view));
            }
        }
        let some = || survey.teams().iter().find_map(|team| team.manifests.first().copied());
        let undecided = if lookups.get() == 0 { some() } else { None };
        let mut places = HashMap::new();
        for (at, project) in projects.iter().enumerate() {
            let homes = project.packages.iter().map(|package| package.home).enumerate();
            // Live projects come first, and what was there before tells less.
            homes.for_each(|(nth, home)| _ = places.entry(home).or_insert((at, nth)));
        }
        Self { projects, places, undecided }
    }

    /// The projects, by directory, each live one before its older states.
    pub fn projects(&self) -> &[NodeProject] {
        &self.projects
    }

    /// A file of the image's projects when they ask for more than is reasonable to follow; some are unknown then.
    pub fn undecided(&self) -> Option<FileId> {
        self.undecided
    }

    /// Whether production wants the package with this `package.json`; `Unknown` for one that no project has.
    pub fn standing(&self, home: FileId) -> Standing {
        self.package(home).map_or(Standing::Unknown, |(_, package)| package.standing)
    }

    /// The names that lead from the project's own dependency to a package, itself last; empty if nothing asks for it.
    pub fn chain(&self, home: FileId) -> Vec<&str> {
        let Some((project, package)) = self.package(home) else { return Vec::new() };
        if !matches!(package.standing, Standing::Production | Standing::Development) {
            return Vec::new();
        }
        let up = std::iter::successors(Some(package), |package| project.packages.get(package.via?));
        let mut chain: Vec<&str> = up.take(project.packages.len()).map(|package| package.name.as_str()).collect();
        chain.reverse();
        chain
    }

    /// The project of the package with this `package.json`.
    pub fn project_of(&self, home: FileId) -> Option<&NodeProject> {
        self.package(home).map(|(project, _)| project)
    }

    fn package(&self, home: FileId) -> Option<(&NodeProject, &NodePackage)> {
        let &(at, nth) = self.places.get(&home)?;
        let project = self.projects.get(at)?;
        Some((project, project.packages.get(nth)?))
    }
}

impl NodeProject {
    /// The dev dependencies that the project has, or for a buried one: that its layer removed.
    pub fn development(&self, inventory: &Inventory) -> Vec<&NodePackage> {
        let gone = |package: &&NodePackage| self.hidden_by.is_none_or(|by| package.removed_by(inventory, by));
        self.packages.iter().filter(|package| package.standing == Standing::Development).filter(gone).collect()
    }

    /// The files of some of its packages, those of packages nested in them left out; with the links that lead into
    /// them, and their commands.
    pub fn files(&self, inventory: &Inventory, packages: &[&NodePackage]) -> Vec<FileId> {
        modules::files(self, inventory, packages)
    }
}

/// The image as it is, or as it was just before a layer.
#[derive(Clone, Copy)]
struct View<'a> {
    inventory: &'a Inventory,
    before: Option<u32>,
}

impl<'a> View<'a> {
    /// Whether a file is seen.
    fn sees(&self, file: &File<'_>) -> bool {
        match self.before {
            None => file.hidden_by().is_none(),
            Some(layer) => file.layer() < layer && file.hidden_by().is_none_or(|by| by >= layer),
        }
    }

    /// The file at a cleaned path; links are not followed.
    fn get(&self, path: &[u8]) -> Option<File<'a>> {
        match self.before {
            None => self.inventory.get(path),
            Some(_) => {
                let all = self.inventory.buried_at(path).chain(self.inventory.get(path));
                all.filter(|file| self.sees(file)).max_by_key(File::layer)
            }
        }
    }

    fn state(&self) -> State {
        if self.before.is_some() { State::Buried } else { State::Live }
    }
}

/// Joins two cleaned paths.
fn join(dir: &[u8], rest: &[u8]) -> Vec<u8> {
    if dir.is_empty() || rest.is_empty() { [dir, rest].concat() } else { [dir, b"/", rest].concat() }
}

/// Where a symbolic link leads, by its text alone.
fn leads_to(link: &File<'_>) -> Vec<u8> {
    let target = link.link();
    if target.starts_with(b"/") {
        path::clean(target)
    } else {
        path::clean(&[path::parent(link.path()), b"/", target].concat())
    }
}
