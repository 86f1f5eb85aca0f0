//! Dev dependencies of npm, pnpm, yarn and bun.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    catalogue::{Catalogue, Judgement, Rule},
    inventory::{
        Inventory,
        node::{NodeManager, NodePackage, NodeProject},
    },
    model::{Confidence, Evidence, EvidenceClass, Finding, ImageInfo, ImagePath, Manager, PackageRef, State, path},
};

use super::{DevPackages, finding};

/// Names that the evidence repeats; the list of packages is complete.
const SHOWN: usize = 5;

/// Finds the dev dependencies of every project, live and removed by a later layer.
pub(super) fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Vec<Finding> {
    let rules: HashMap<NodeManager, &Rule> =
        catalogue.rules.iter().filter_map(|rule| Some((manager_of(rule.code?)?, rule))).collect();
    let mut found: BTreeMap<(&ImagePath, State, NodeManager), Dev<'_>> = BTreeMap::new();
    let mut live: HashSet<&ImagePath> = HashSet::new();
    for project in inventory.node_projects().projects() {
        let mut packages = project.development(inventory);
        match project.state {
            State::Live => live.extend(packages.iter().map(|package| &package.dir)),
            // An older copy of what is still there counts as that one's buried bytes.
            State::Buried => packages.retain(|package| !live.contains(&package.dir)),
        }
        if packages.is_empty() || !rules.contains_key(&project.manager) {
            continue;
        }
        let dev = found.entry((&project.root, project.state, project.manager)).or_default();
        dev.add(inventory, project, packages);
    }
    let finding = |((root, state, manager), dev): ((&ImagePath, State, NodeManager), Dev<'_>)| {
        Some(finding(inventory, image, rules.get(&manager)?, dev.packages(root, state)?))
    };
    found.into_iter().filter_map(finding).collect()
}

fn manager_of(judgement: Judgement) -> Option<NodeManager> {
    match judgement {
        Judgement::DevNpm => Some(NodeManager::Npm),
        Judgement::DevPnpm => Some(NodeManager::Pnpm),
        Judgement::DevYarn => Some(NodeManager::Yarn),
        Judgement::DevBun => Some(NodeManager::Bun),
        _ => None,
    }
}

/// The dev dependencies of one project; of a buried one, what any later layer removed.
#[derive(Default)]
struct Dev<'a> {
    place: Option<&'a ImagePath>,
    confidence: Option<Confidence>,
    evidence: Vec<Evidence>,
    count: usize,
    of: usize,
    packages: Vec<PackageRef>,
    files: Vec<crate::inventory::FileId>,
}

impl<'a> Dev<'a> {
    fn add(&mut self, inventory: &Inventory, project: &'a NodeProject, packages: Vec<&NodePackage>) {
        self.place = Some(&project.place);
        self.confidence = self.confidence.max(Some(project.proof.confidence));
        self.evidence.push(evidence(project, &packages));
        self.count = self.count.saturating_add(packages.len());
        self.of = self.of.max(project.packages.len());
        self.files.extend(project.files(inventory, &packages));
        self.packages.extend(packages.into_iter().map(|package| PackageRef {
            manager: Manager::Npm,
            name: package.name.clone(),
            version: package.version.clone(),
        }));
    }

    fn packages(self, root: &ImagePath, state: State) -> Option<DevPackages> {
        Some(DevPackages {
            root: root.clone(),
            place: self.place?.clone(),
            state,
            confidence: self.confidence?,
            evidence: self.evidence,
            count: self.count,
            of: self.of,
            packages: self.packages,
            files: self.files,
        })
    }
}

fn evidence(project: &NodeProject, packages: &[&NodePackage]) -> Evidence {
    let names = packages.iter().take(SHOWN).map(|package| path::escape(package.name.as_bytes()));
    let names = names.collect::<Vec<_>>().join(", ");
    let rest = packages.len().saturating_sub(SHOWN);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let count = packages.len();
    Evidence {
        class: EvidenceClass::Record,
        witness: format!("{} ({count}: {names}{more})", project.proof.text),
        path: project.proof.file.clone(),
    }
}
