//! What the command of an image can get at: from `ENTRYPOINT`, `CMD` and `HEALTHCHECK` through scripts, links,
//! interpreters, libraries, modules and class paths.
//!
//! Follows what is written and never what is computed. Where following ends, an [`Opening`] says so, and what might
//! lie behind it: what was not met is unreachable only where no opening leads there. `docs/reachability.md` tells what
//! is followed for each language. Judges nothing.

mod env;
mod java;
mod load;
mod node;
mod python;
mod start;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;

use super::{File, FileId, Inventory};
use crate::{
    catalogue::roles::Roles,
    model::{ImageInfo, Manager, path},
};

/// Links of a chain that are shown; what lies between the first and the last of a longer one is left out.
const CHAIN_MAX: usize = 8;

/// What the command of an image can get at.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    command: Option<Command>,
    from: HashMap<FileId, Via>,
    openings: Vec<Opening>,
}

/// What a container runs when it is started without arguments, as far as it can be followed in a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Command {
    /// What starts what, the configuration's own command first: a wrapper, the command behind it, the last command of
    /// a shell script, what a script of `package.json` says.
    pub steps: Vec<Step>,
}

/// One command on the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The words, expanded as far as they are known.
    pub argv: Vec<String>,
    /// The file that is started, links followed; `None` when the image does not have it.
    pub program: Option<FileId>,
    /// The script or `package.json` that holds the command; `None` for the configuration.
    pub written_in: Option<FileId>,
}

impl Command {
    /// What is started in the end: the last step.
    pub fn last(&self) -> Option<&Step> {
        self.steps.last()
    }
}

/// How a file was met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Via {
    /// The file that leads to it; `None` for what the configuration names.
    parent: Option<FileId>,
    how: How,
}

/// The kind of a step from one file to another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum How {
    /// The configuration's `ENTRYPOINT` or `CMD` names it.
    Command,
    /// The configuration's `HEALTHCHECK` names it.
    Healthcheck,
    /// It is started.
    Starts,
    /// It is loaded: a library, a module, a class path.
    Loads,
    /// It belongs to a package or a tree that is loaded.
    Part,
    /// It is an argument, or a literal path.
    Names,
}

/// A place where following stopped, and what may lie behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// What may lie behind it.
    pub scope: Scope,
    /// The file in which following stopped; `None` for the configuration.
    pub at: Option<FileId>,
    /// Why, as the end of a sentence about the file: `runs $cmd`.
    pub why: String,
}

/// What may lie behind an [`Opening`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Any program of the image.
    Programs,
    /// Any file below one of these directories.
    Below(Vec<Vec<u8>>),
    /// Any shared library that the dynamic loader finds by name, and the plug-ins of the C library.
    Libraries,
}

impl Reach {
    /// Follows the command of an image.
    ///
    /// Takes time in proportion to what is reached, not to the image.
    pub fn follow(inventory: &Inventory, image: &ImageInfo, roles: &Roles) -> Self {
        match &image.config {
            Some(config) => walk::Walk::new(inventory, roles, config).run(),
            None => Self::default(),
        }
    }

    /// What a container runs; `None` when the image has no command or no configuration.
    pub fn command(&self) -> Option<&Command> {
        self.command.as_ref()
    }

    /// Whether a file was met.
    pub fn has(&self, file: FileId) -> bool {
        self.from.contains_key(&file)
    }

    /// How a file was met.
    pub fn how(&self, file: FileId) -> Option<How> {
        self.from.get(&file).map(|via| via.how)
    }

    /// The file that leads to one that was met; `None` when the configuration does, or when it was not met.
    pub fn parent(&self, file: FileId) -> Option<FileId> {
        self.from.get(&file)?.parent
    }

    /// Every file that was met, in no order.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.from.keys().copied()
    }

    /// Where following stopped, in the order in which it did.
    pub fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// The way to a file in one line: `CMD → /entrypoint.sh → /app/server.js → express`.
    pub fn chain(&self, inventory: &Inventory, file: FileId) -> Option<String> {
        let mut names = Vec::new();
        let mut at = Some(file);
        while let Some(id) = at {
            let via = self.from.get(&id)?;
            let name = name(&inventory.file(id), via.how);
            if names.last() != Some(&name) {
                names.push(name);
            }
            if via.parent.is_none() {
                names.push(if via.how == How::Healthcheck { "HEALTHCHECK" } else { "command" }.to_string());
            }
            at = via.parent.filter(|_| names.len() < 1000);
        }
        names.reverse();
        if names.len() > CHAIN_MAX {
            names.splice(CHAIN_MAX / 2..names.len() - CHAIN_MAX / 2, ["...".to_string()]);
        }
        Some(names.join(" → "))
    }

    /// An opening in one line: the way to it, and why following stopped.
    pub fn told(&self, inventory: &Inventory, opening: &Opening) -> String {
        match opening.at {
            Some(at) => format!("{} {}", path::show(inventory.file(at).path()), opening.why),
            None => format!("the command {}", opening.why),
        }
    }
}

/// What a file is called in a chain: a package's file by the package, any other by its path.
fn name(file: &File<'_>, how: How) -> String {
    match file
        .owner()
        .filter(|package| how == How::Part && !matches!(package.manager, Manager::Deb | Manager::Apk | Manager::Rpm))
    {
        Some(package) => path::escape(package.name.as_bytes()),
        None => path::show(file.path()),
    }
}
