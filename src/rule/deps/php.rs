//! Tells which installed packages of Composer only development needs: Composer itself writes them down.

use std::collections::{HashMap, HashSet};

use crate::{
    inventory::{File, FileId, Inventory, Package},
    model::{Confidence, Evidence, EvidenceClass, ImagePath, Lang, Manager, PackageRef, State, path::parent},
};

use super::DevPackages;

/// Finds the dev dependencies of every `vendor` directory.
pub(super) fn find(inventory: &Inventory, records: &[(File<'_>, &Lang)]) -> Vec<DevPackages> {
    let mut packages: HashMap<FileId, Vec<&Package>> = HashMap::new();
    for package in inventory.packages().iter().filter(|package| package.manager == Manager::Composer) {
        packages.entry(package.home).or_default().push(package);
    }
    let mut locks: HashMap<&[u8], (File<'_>, &[String])> = HashMap::new();
    for (file, lang) in records {
        if let Lang::ComposerLock(dev) = lang
            && (file.state() == State::Live || !locks.contains_key(parent(file.path())))
        {
            locks.insert(parent(file.path()), (*file, dev));
        }
    }
    let judge = |(file, lang): &(File<'_>, &Lang)| {
        let Lang::ComposerInstalled(installed) = lang else { return None };
        let vendor = parent(parent(file.path()));
        let (by, dev) = match &installed.dev {
            Some(dev) => (*file, &dev[..]),
            // Composer 1 keeps it in the lock alone.
            None => *locks.get(parent(vendor))?,
        };
        let live: HashSet<&str> = match file.state() {
            State::Live => HashSet::new(),
            State::Buried => {
                let live = inventory.get(file.path()).and_then(|live| packages.get(&live.id()));
                live.into_iter().flatten().map(|package| package.name.as_str()).collect()
            }
        };
        if file.owner().is_some_and(|owner| owner.manager != Manager::Composer) {
            return None;
        }
        let names: HashSet<&str> = dev.iter().map(String::as_str).filter(|name| !live.contains(name)).collect();
        let all = packages.get(&file.id())?;
        let dev: Vec<_> = all.iter().filter(|package| names.contains(package.name.as_str())).collect();
        if dev.is_empty() {
            return None;
        }
        let witness = format!("{} of the packages are ones that Composer installed for development", dev.len());
        Some(DevPackages {
            root: ImagePath::new(vendor),
            place: ImagePath::new(vendor),
            state: file.state(),
            confidence: Confidence::Certain,
            evidence: vec![Evidence { class: EvidenceClass::Record, witness, path: Some(ImagePath::new(by.path())) }],
            count: dev.len(),
            of: all.len(),
            packages: dev
                .iter()
                .map(|p| PackageRef { manager: Manager::Composer, name: p.name.clone(), version: p.version.clone() })
                .collect(),
            files: dev.iter().flat_map(|package| package.files.iter().copied()).collect(),
        })
    };
    records.iter().filter_map(judge).collect()
}
