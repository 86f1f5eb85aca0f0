//! The judgements: what of the inventory does not belong in a final image.
//!
//! Nearly all of it is one generic rule over the data of the catalogue: `signal` collects what proves something,
//! `group` makes one finding of what belongs together. Only the user an image runs as has code of its own. Bytes
//! are not seen here.

mod broken;
mod deps;
mod fold;
mod group;
mod need;
mod packages;
pub mod proof;
mod removal;
mod role;
mod signal;
mod stage;
#[cfg(test)]
mod tests;
mod user;

pub use self::user::effective_user;

use std::cmp::Reverse;

use crate::{
    catalogue::Catalogue,
    inventory::{Inventory, reach::Reach},
    model::{BaseLayers, Finding, ImageInfo, Role},
};

/// What the rules make of an image.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Worst first, then by rule, then by root.
    pub findings: Vec<Finding>,
    /// What the image is for.
    pub role: Role,
    /// Which layers came with the base image.
    pub base: BaseLayers,
}

/// Judges an image by every rule of the catalogue.
///
/// The same image gives the same findings in the same order.
pub fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Judged {
    let signals = signal::collect(catalogue, inventory);
    let mut findings = group::findings(catalogue, inventory, image, signals);
    findings.extend(user::judge(catalogue, inventory, image));
    findings.extend(deps::judge(catalogue, inventory, image));
    let reach = Reach::follow(inventory, image, &catalogue.roles);
    let started = broken::judge(catalogue, inventory, image, &reach);
    findings.extend(started.findings);
    findings.extend(packages::judge(catalogue, inventory, image));
    let stage = stage::judge(catalogue, inventory, image, &reach, &findings);
    findings.extend(stage);
    removal::fill(inventory, &started.files, &mut findings);
    let role = role::role(catalogue, inventory, image, &reach, &findings);
    need::grade(catalogue, inventory, &reach, &role, &mut findings);
    fold::fold(&mut findings);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    Judged { findings, role, ..Judged::default() }
}

/// Worst first, then by rule, live before buried, then by root.
fn order(finding: &Finding) -> impl Ord + '_ {
    let root = finding.paths.first().map(|group| &group.root);
    (Reverse(finding.severity), &finding.rule, finding.state, root, &finding.fingerprint)
}
