//! Tells .NET programs that were published with their tests: a test framework lies among their libraries.

use std::collections::BTreeMap;

use crate::{
    inventory::{Inventory, Package},
    model::{
        Confidence, Evidence, EvidenceClass, ImagePath, Manager, PackageRef,
        path::{escape, parent},
    },
};

use super::DevPackages;

/// Beginnings of the names of test frameworks, which no other program needs. Lower case.
const FRAMEWORKS: [&str; 6] =
    ["xunit", "nunit", "mstest.", "microsoft.net.test.sdk", "microsoft.testplatform", "coverlet."];

/// Beginnings of what comes with tests; counts only beside a framework.
const COMPANY: [&str; 7] = ["moq", "nsubstitute", "fakeiteasy", "fluentassertions", "shouldly", "bogus", "autofixture"];

/// Finds the test packages beside every published program.
pub(super) fn find(inventory: &Inventory) -> Vec<DevPackages> {
    let mut programs: BTreeMap<_, Vec<&Package>> = BTreeMap::new();
    for package in inventory.packages().iter().filter(|package| package.manager == Manager::Nuget) {
        programs.entry(package.home).or_default().push(package);
    }
    programs.values().filter_map(|packages| judge(inventory, packages)).collect()
}

fn judge(inventory: &Inventory, packages: &[&Package]) -> Option<DevPackages> {
    let home = inventory.file(packages.first()?.home);
    // The SDK brings the runner of tests along; it is a finding of its own.
    let in_sdk = home.path().split(|&b| b == b'/').any(|part| part == b"sdk");
    if in_sdk || home.owner().is_some_and(|owner| owner.manager != Manager::Nuget) {
        return None;
    }
    let starts = |package: &Package, with: &[&str]| {
        let name = package.name.to_ascii_lowercase();
        with.iter().any(|start| name.starts_with(start))
    };
    let framework = packages.iter().find(|package| starts(package, &FRAMEWORKS))?;
    let dev: Vec<_> = packages.iter().filter(|p| starts(p, &FRAMEWORKS) || starts(p, &COMPANY)).collect();
    let dir = ImagePath::new(parent(home.path()));
    let witness = format!("{} is among the libraries of the program", escape(framework.name.as_bytes()));
    Some(DevPackages {
        root: dir.clone(),
        place: dir,
        state: home.state(),
        confidence: Confidence::High,
        evidence: vec![Evidence { class: EvidenceClass::Record, witness, path: Some(ImagePath::new(home.path())) }],
        count: dev.len(),
        of: packages.len(),
        packages: dev
            .iter()
            .map(|p| PackageRef { manager: Manager::Nuget, name: p.name.clone(), version: p.version.clone() })
            .collect(),
        files: dev.iter().flat_map(|package| package.files.iter().copied()).collect(),
    })
}
