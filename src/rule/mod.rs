//! The judgements: what of the inventory does not belong in a final image.
//!
//! Nearly all of it is one generic rule over the data of the catalogue: `signal` collects what proves something,
//! `group` makes one finding of what belongs together. Loose files and directories that were left from building have a
//! matcher of their own (`leftover`); the user an image runs as has code of its own. Bytes are not seen here.

mod broken;
mod deps;
mod dockerfile;
mod fold;
mod group;
mod leftover;
mod need;
mod packages;
pub mod proof;
mod removal;
mod role;
mod secret;
mod signal;
mod stage;
#[cfg(test)]
mod tests;
mod user;
mod wanted;

pub use self::{dockerfile::Written, user::effective_user};

use std::{cmp::Reverse, collections::HashSet};

use crate::{
    attribution::{self, Attribution},
    catalogue::Catalogue,
    inventory::{Inventory, reach::Reach},
    model::{BaseLayers, Finding, ImageInfo, Origin, Role, redact},
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
    /// The image without the secrets of its configuration and history.
    pub image: ImageInfo,
}

/// Judges an image by every rule of the catalogue.
///
/// The same image gives the same findings in the same order; `now`, in seconds since 1970, only tells which tokens have
/// run out.
pub fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo, now: i64) -> Judged {
    judge_written(catalogue, inventory, image, None, now)
}

/// Like [`judge`], with the Dockerfile of the image where it is known.
pub fn judge_written(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    written: Option<&Written<'_>>,
    now: i64,
) -> Judged {
    // The configuration is read once as it is; from here on nobody sees its secrets.
    let masked = secret::mask(catalogue, image);
    let metadata = secret::judge_metadata(catalogue, image, &masked, now);
    let image = &masked;
    let tools = || {
        let signals = signal::collect(catalogue, inventory);
        let proofs = signals.iter().filter(|signal| signal.proof);
        let claimed: HashSet<_> = proofs.flat_map(|signal| signal.files.iter().copied()).collect();
        let mut findings = group::findings(catalogue, inventory, image, signals);
        findings.extend(secret::judge(catalogue, inventory, image, &claimed, now));
        findings.extend(leftover::judge(catalogue, inventory, image, claimed));
        findings
    };
    let others = || {
        let mut findings = user::judge(catalogue, inventory, image);
        findings.extend(deps::judge(catalogue, inventory, image));
        findings.extend(packages::judge(catalogue, inventory, image));
        (findings, Reach::follow(inventory, image, &catalogue.roles))
    };
    let (mut findings, (more, reach)) = rayon::join(tools, others);
    findings.extend(more);
    findings.extend(metadata);
    let started = broken::judge(catalogue, inventory, image, &reach);
    findings.extend(started.findings);
    let stage = stage::judge(catalogue, inventory, image, &reach, &findings, written);
    findings.extend(stage);
    findings.extend(written.into_iter().flat_map(|it| dockerfile::judge(catalogue, inventory, image, it, now)));
    let attribution = attribution::attribute(image, &catalogue.bases);
    findings.iter_mut().for_each(|finding| finding.origin = origin(finding, &attribution));
    let role = role::role(catalogue, inventory, image, &reach, &findings);
    removal::fill(inventory, &started.files, &mut findings);
    wanted::grade(inventory, &mut findings);
    need::grade(catalogue, inventory, &reach, &role, &mut findings);
    fold::fold(&mut findings);
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings.iter_mut().for_each(|finding| hide_secrets(catalogue, finding));
    Judged { findings, role, base: attribution.base, image: masked }
}

/// Takes secrets out of a text.
pub(crate) fn masked(catalogue: &Catalogue, text: String) -> String {
    secret::mask_text(&catalogue.secrets, &text).unwrap_or(text)
}

/// A Dockerfile, or a part of one, without secrets.
pub(crate) fn shown(catalogue: &Catalogue, text: &str) -> String {
    masked(catalogue, redact::dockerfile(text))
}

/// Takes secrets out of the words that a finding took over from the image: commands, scripts, names.
fn hide_secrets(catalogue: &Catalogue, finding: &mut Finding) {
    let texts = finding.evidence.iter_mut().map(|evidence| &mut evidence.witness);
    let texts = texts.chain(&mut finding.need.witness).chain(&mut finding.removal.caution);
    for text in texts.chain([&mut finding.why]) {
        if let Some(masked) = secret::mask_text(&catalogue.secrets, text) {
            *text = masked;
        }
    }
}

/// Whether a finding came with the base image: by the layer that brought most of its bytes. What is about no layer is
/// about the configuration, which is the image's own to change.
fn origin(finding: &Finding, attribution: &Attribution) -> Origin {
    match &finding.layer {
        Some(layer) => attribution.origin(layer.number.saturating_sub(1)),
        None if attribution.base.layers.is_some() => Origin::Own,
        None => Origin::Unknown,
    }
}

/// Worst first, then by rule, live before buried, then by root.
fn order(finding: &Finding) -> impl Ord + '_ {
    let root = finding.paths.first().map(|group| &group.root);
    (Reverse(finding.severity), &finding.rule, finding.state, root, &finding.fingerprint)
}
