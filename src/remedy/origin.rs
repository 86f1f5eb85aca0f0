//! The Dockerfile of an image that came without one: its history, on the base image that the image itself names or shows.

use super::base::{codename, full};
use crate::{
    attribution::{self, Attribution, lines},
    catalogue::{Catalogue, Origin},
    dockerfile::File,
    inventory::Inventory,
    model::{Confidence, ImageInfo, path},
};

/// Most names that one COPY gets: beyond that it was a directory.
const NAMES_MAX: usize = 12;

/// A Dockerfile made of a history, and what of it is a guess.
pub(crate) struct Made {
    /// The file.
    pub file: File,
    /// Each in a sentence without a full stop.
    pub guessed: Vec<String>,
}

/// Makes it.
///
/// # Errors
/// Why the image does not tell enough.
pub(crate) fn dockerfile(image: &ImageInfo, inventory: &Inventory, catalogue: &Catalogue) -> Result<Made, String> {
    let border = attribution::attribute(image, &catalogue.bases);
    let (base, told) = base(image, inventory, catalogue, &border)?;
    let copied = |layer: u32, place: &str| copied(inventory, layer, &path::clean(place.as_bytes()));
    let lines::Rebuilt { text, mut guessed } = lines::rebuild(image, &border, &base, &copied)?;
    guessed.insert(0, told);
    let file = File::parse(&text).map_err(|error| format!("its history makes no Dockerfile: {error}"))?;
    Ok(Made { file, guessed })
}

/// The base image, and what told it.
fn base(
    image: &ImageInfo,
    inventory: &Inventory,
    catalogue: &Catalogue,
    border: &Attribution,
) -> Result<(String, String), String> {
    let sure = border.base.confidence >= Some(Confidence::High);
    // What is known by its digests may be the base of the base.
    let known = |name: &str| catalogue.bases.iter().any(|base| base.name == name);
    if let Some(name) = border.base.name.as_deref().filter(|name| sure && !known(name)).and_then(in_registry) {
        return Ok((name.to_string(), format!("the base image is {name}: {}", border.base.how)));
    }
    let value = |name: &str| image.config.as_ref()?.variable(name);
    for origin in &catalogue.origins {
        if let Some(name) = value(&origin.env).and_then(|value| of_variable(origin, value, inventory, border)) {
            return Ok((name.clone(), format!("the base image is {name}, by its variable {}", origin.env)));
        }
    }
    let release = inventory.release().ok_or("nothing names the base image, and there is no /etc/os-release")?;
    let name = match (release.id.as_str(), release.version.as_str(), release.codename.as_str()) {
        ("debian", _, name) if !name.is_empty() => format!("debian:{name}"),
        ("ubuntu", version, _) if !version.is_empty() => format!("ubuntu:{version}"),
        ("alpine", version, _) if version.split('.').count() > 1 => {
            format!("alpine:{}", version.split('.').take(2).collect::<Vec<_>>().join("."))
        }
        (other, ..) => {
            return Err(format!("nothing names the base image, and offcut knows none for a release of \"{other}\""));
        }
    };
    Ok((name.clone(), format!("the base image is {name}, by /etc/os-release")))
}

/// The name that a Dockerfile can use of one that the user gave: an archive has none.
fn in_registry(name: &str) -> Option<&str> {
    match name.split_once(':') {
        Some(("docker" | "podman", name)) => Some(name),
        Some(("docker-archive" | "oci-archive" | "oci-dir" | "dir", _)) => None,
        _ => Some(name).filter(|name| !name.starts_with(['/', '.', '-'])),
    }
}

/// The image that sets a variable, with the version that it has.
fn of_variable(origin: &Origin, value: &str, inventory: &Inventory, border: &Attribution) -> Option<String> {
    let version: String = value
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let plain = version.trim_end_matches('.');
    let major = plain.split('.').next().filter(|major| !major.is_empty())?;
    let has_compiler = inventory
        .resolve(b"usr/bin/gcc")
        .is_some_and(|file| border.base.layers.is_some_and(|count| file.layer() < count));
    let alpine = inventory.resolve(b"lib/apk/db/installed").is_some();
    let pattern = match (alpine, &origin.slim) {
        (true, _) => origin.alpine.as_ref()?,
        (false, Some(slim)) if !has_compiler => slim,
        _ => &origin.image,
    };
    let release = if alpine { full(inventory) } else { codename(inventory) }?;
    Some(pattern.replace("{version}", plain).replace("{major}", major).replace("{release}", &release))
}

/// The names that a layer brought to a place: those in a directory, or that of the file.
fn copied(inventory: &Inventory, layer: u32, place: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for file in inventory.all().filter(|file| file.layer() == layer) {
        let name = file.path();
        let direct = if name == place {
            path::name(name)
        } else if place.is_empty() || path::is_below(name, place) {
            let below = name.get(if place.is_empty() { 0 } else { place.len() + 1 }..).unwrap_or_default();
            below.split(|&byte| byte == b'/').next().unwrap_or_default()
        } else {
            continue;
        };
        let direct = String::from_utf8_lossy(direct).into_owned();
        if file.path() == place && file.kind() == crate::model::Kind::Dir || direct.is_empty() {
            continue;
        }
        if !names.contains(&direct) {
            names.push(direct);
        }
        if names.len() > NAMES_MAX {
            return Vec::new();
        }
    }
    names
}
