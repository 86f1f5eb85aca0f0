//! Judges packages that only development needs: one finding for each project, of all its ecosystem's.
//!
//! What is a project, and which of its packages production can do without, the inventory knows; here it becomes a
//! finding.

mod graph;
mod jvm;
mod marker;
mod node;
mod nuget;
mod php;
mod project;
mod python;
mod ruby;
#[cfg(test)]
mod tests;

use crate::{
    catalogue::{Catalogue, Judgement, Rule},
    inventory::{File, FileId, Inventory},
    model::{Confidence, Evidence, Fact, Finding, ImageInfo, ImagePath, Lang, PackageRef, State, path},
};

use super::{
    group::{self, Found},
    signal::Root,
};

/// Applies the rules about dev dependencies.
pub(super) fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Vec<Finding> {
    let mut findings = node::judge(catalogue, inventory, image);
    findings.extend(languages(catalogue, inventory, image));
    findings
}

/// Applies the rules about dev dependencies of other languages than JavaScript.
fn languages(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Vec<Finding> {
    let records: Vec<(File<'_>, &Lang)> = inventory
        .observed()
        .filter_map(|(file, fact)| if let Fact::Lang(lang) = fact { Some((file, lang)) } else { None })
        .collect();
    let rules = catalogue.rules.iter().filter_map(|rule| Some((rule, rule.code?)));
    let found = |(rule, judgement)| {
        let whole = |found: Vec<DevPackages>| found.into_iter().map(|dev| (dev, None)).collect();
        let found: Vec<(DevPackages, Option<u64>)> = match judgement {
            Judgement::DevPython => whole(python::find(inventory, image, &records)),
            Judgement::DevBundler => whole(ruby::find(inventory, &records)),
            Judgement::DevComposer => whole(php::find(inventory, &records)),
            Judgement::DevNuget => whole(nuget::find(inventory)),
            Judgement::DevJvm => jvm::find(inventory, &records),
            _ => Vec::new(),
        };
        found.into_iter().map(move |(dev, bytes)| {
            let mut finding = finding(inventory, image, rule, dev);
            finding.bytes = bytes.unwrap_or(finding.bytes);
            finding
        })
    };
    rules.flat_map(found).collect()
}

/// The dev dependencies of one project.
pub(super) struct DevPackages {
    /// The project: the directory that holds its manifest or its environment.
    pub root: ImagePath,
    /// Where the packages are, such as `app/node_modules`.
    pub place: ImagePath,
    pub state: State,
    pub confidence: Confidence,
    /// What tells that they are dev dependencies, with the file that says so.
    pub evidence: Vec<Evidence>,
    /// Installed copies that only development needs; one package may be there in several.
    pub count: usize,
    /// Installed copies in all.
    pub of: usize,
    pub packages: Vec<PackageRef>,
    /// Their files.
    pub files: Vec<FileId>,
}

/// Makes the finding of one project.
pub(super) fn finding(inventory: &Inventory, image: &ImageInfo, rule: &Rule, dev: DevPackages) -> Finding {
    let DevPackages { root, place, state, confidence, evidence, count, of, packages, files } = dev;
    let place = path::show(place.as_bytes());
    let found = Found { root: Root::Dir(root), state, confidence, evidence, version: None, packages, files };
    let mut finding = group::finding_of(inventory, image, rule, found);
    finding.title = match state {
        State::Live if of == 1 => format!("the only package in {place} is a dev dependency"),
        State::Live if count == 1 => format!("1 of {of} packages in {place} is a dev dependency"),
        State::Live => format!("{count} of {of} packages in {place} are dev dependencies"),
        State::Buried if count == 1 => {
            format!("1 dev dependency in {place} of a lower layer: removed later, still shipped")
        }
        State::Buried => format!("{count} dev dependencies in {place} of a lower layer: removed later, still shipped"),
    };
    finding
}
