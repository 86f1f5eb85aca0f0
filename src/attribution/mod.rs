//! Tells the layers that came with the base image (`FROM`) from the image's own, and says how sure that is.
//!
//! Nothing is left unread or unjudged because of it: it only decides whom a finding is for. The evidence, strongest first:
//! the image that the user names, a table of known layers, what buildpacks record, the history. Where nothing tells, the
//! answer is that nothing tells.

mod base;
pub mod find;
pub mod lines;
pub mod told;

use serde_json::Value;

use crate::{
    catalogue::KnownBase,
    model::{BaseLayers, Confidence, Digest, ImageInfo, Origin},
};

/// The label of the OCI image specification (`annotations.md`) that names the base image.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// The label of the Cloud Native Buildpacks platform specification that records the run image's top layer.
const BUILDPACKS: &str = "io.buildpacks.lifecycle.metadata";

/// Longest name of a base image that is taken from an image, in characters.
const NAME_MAX: usize = 200;

/// Which layers came with the base image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attribution {
    /// What reports say.
    pub base: BaseLayers,
    /// The lowest layer, counted from 0, that is surely the image's own; between the base and it nothing tells.
    own_from: u32,
}

impl Attribution {
    /// Where a layer came from; the lowest is 0.
    pub fn origin(&self, layer: u32) -> Origin {
        match self.base.layers {
            Some(count) if layer < count => Origin::Base,
            Some(_) if layer >= self.own_from => Origin::Own,
            _ => Origin::Unknown,
        }
    }

    /// The lowest layer, counted from 0, that is surely the image's own; more than there are if none is.
    fn own_layers_from(&self) -> usize {
        let from = self.base.layers.map(|count| count.max(self.own_from));
        from.and_then(|from| usize::try_from(from).ok()).unwrap_or(usize::MAX)
    }

    fn unknown(how: impl Into<String>) -> Self {
        Self { base: BaseLayers { how: how.into(), ..BaseLayers::default() }, own_from: 0 }
    }

    fn exact(layers: usize, confidence: Confidence, name: Option<String>, how: String) -> Self {
        let layers = u32::try_from(layers).unwrap_or(u32::MAX);
        Self { base: BaseLayers { layers: Some(layers), confidence: Some(confidence), name, how }, own_from: layers }
    }
}

/// Attributes the layers of an image.
///
/// `known` are the base images of the catalogue; the one that the user names is in [`ImageInfo::base`].
pub fn attribute(image: &ImageInfo, known: &[KnownBase]) -> Attribution {
    let Some(given) = &image.base else { return guess(image, known) };
    let begins = starts_with(image, &given.layers);
    if begins {
        let how = format!("its lowest {} of \"{}\"", layers_are(given.layers.len()), given.reference);
        return Attribution::exact(given.layers.len(), Confidence::Certain, Some(given.reference.clone()), how);
    }
    let mut guessed = guess(image, known);
    let how = guessed.base.how;
    guessed.base.how = format!("it is not built on \"{}\" as that is now; {how}", given.reference);
    guessed
}

fn guess(image: &ImageInfo, known: &[KnownBase]) -> Attribution {
    let mut guessed = buildpacks(image).unwrap_or_else(|| base::by_history(image));
    if let (Some(layers), None) = (guessed.base.layers, &guessed.base.name) {
        guessed.base.name = label(image, layers);
    }
    let known = known.iter().filter(|base| starts_with(image, &base.layers));
    match known.max_by_key(|base| base.layers.len()) {
        Some(known) => with_known(guessed, known),
        None => guessed,
    }
}

/// Joins what the digests say with what else tells: the known image may be the base of the base.
fn with_known(guessed: Attribution, known: &KnownBase) -> Attribution {
    let how = format!("its lowest {} of {} by their digests", layers_are(known.layers.len()), known.name);
    let count = u32::try_from(known.layers.len()).unwrap_or(u32::MAX);
    let Attribution { base, own_from } = guessed;
    if base.layers.is_some_and(|layers| layers > count) {
        return Attribution { base: BaseLayers { how: format!("{}; {how}", base.how), ..base }, own_from };
    }
    // Where the history shows the same border, nothing hides between the known image and the own build.
    let is_same = base.layers == Some(count) && own_from == count;
    let confidence = Some(if is_same { Confidence::Certain } else { Confidence::High });
    let base = BaseLayers { layers: Some(count), confidence, name: Some(known.name.clone()), how };
    Attribution { base, own_from: own_from.max(count) }
}

/// Whether the image has these layers at the bottom, as they are uncompressed or as they are stored.
fn starts_with(image: &ImageInfo, layers: &[Digest]) -> bool {
    let same = |by: fn(&crate::model::LayerInfo) -> Option<Digest>| {
        let lowest = image.layers.iter().map(by).take(layers.len());
        lowest.eq(layers.iter().copied().map(Some))
    };
    layers.len() <= image.layers.len() && (same(|layer| layer.diff_id) || same(|layer| layer.blob))
}

/// The run image of an image that buildpacks made, if nothing was built upon it.
fn buildpacks(image: &ImageInfo) -> Option<Attribution> {
    let text = image.config.as_ref()?.labels.get(BUILDPACKS)?;
    let metadata: Value = serde_json::from_str(text).ok()?;
    let run = metadata.get("runImage")?;
    let top: Digest = run.get("topLayer")?.as_str()?.parse().ok()?;
    let layers = image.layers.iter().position(|layer| layer.diff_id == Some(top))?.checked_add(1)?;
    // The label is inherited: a later build has a last layer that the lifecycle knows nothing of.
    let last = image.layers.last()?.diff_id?;
    (last == top || text.contains(&last.to_string())).then_some(())?;
    let name = run.get("reference").and_then(Value::as_str).map(short);
    let how = "the label of the buildpacks lifecycle names the top layer of its run image".to_string();
    Some(Attribution::exact(layers, Confidence::High, name.filter(|name| !name.is_empty()), how))
}

/// The base image that a label names. A base image hands its labels on, so one that its part of the history sets names
/// the base of the base.
fn label(image: &ImageInfo, layers: u32) -> Option<String> {
    let config = image.config.as_ref()?;
    let name = config.labels.get(BASE_NAME).filter(|name| !name.is_empty())?;
    let mut left = layers;
    let of_base = config.history.iter().take_while(|entry| {
        left = left.saturating_sub(u32::from(!entry.empty_layer));
        left > 0 || entry.empty_layer
    });
    let inherited = of_base.into_iter().any(|entry| entry.created_by.contains(BASE_NAME));
    (!inherited).then(|| short(name))
}

fn short(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

fn layers_are(count: usize) -> String {
    if count == 1 { "layer is that".to_string() } else { format!("{count} layers are those") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GivenBase, History, ImageConfig, LayerInfo};

    fn digest(number: u8) -> Digest {
        Digest::new([number; 32])
    }

    /// An image whose layers have the diffIDs 1, 2, ... and the blobs 101, 102, ...
    fn image(layers: u8) -> ImageInfo {
        let layer = |n: u8| LayerInfo { diff_id: Some(digest(n)), blob: Some(digest(100 + n)), ..LayerInfo::default() };
        let config = Some(ImageConfig::default());
        ImageInfo { layers: (1..=layers).map(layer).collect(), config, ..ImageInfo::default() }
    }

    fn known(name: &str, layers: &[u8]) -> KnownBase {
        KnownBase { name: name.to_string(), layers: layers.iter().map(|&n| digest(n)).collect() }
    }

    #[test]
    fn the_image_that_the_user_names_is_certain_if_its_layers_are_the_lowest() {
        let mut image = image(3);
        image.base = Some(GivenBase { reference: "our/base".into(), layers: vec![digest(1), digest(2)] });
        let told = attribute(&image, &[]);
        assert_eq!((told.base.layers, told.base.confidence), (Some(2), Some(Confidence::Certain)));
        assert_eq!([0, 1, 2].map(|layer| told.origin(layer)), [Origin::Base, Origin::Base, Origin::Own]);
        for wrong in [vec![digest(1), digest(9)], vec![digest(2)], (1..=4).map(digest).collect()] {
            image.base = Some(GivenBase { reference: "our/base".into(), layers: wrong });
            let told = attribute(&image, &[]);
            assert_eq!((told.base.layers, told.origin(0)), (None, Origin::Unknown));
            assert!(told.base.how.starts_with("it is not built on \"our/base\""), "{}", told.base.how);
        }
    }

    #[test]
    fn the_longest_known_base_counts_by_either_kind_of_digest() {
        let bases = [known("one", &[1]), known("two", &[1, 2]), known("other", &[3]), known("long", &[1, 2, 3, 4])];
        let told = attribute(&image(3), &bases).base;
        assert_eq!(
            (told.layers, told.name.as_deref(), told.confidence),
            (Some(2), Some("two"), Some(Confidence::High))
        );
        let told = attribute(&image(3), &[known("stored", &[101])]).base;
        assert_eq!((told.layers, told.name.as_deref()), (Some(1), Some("stored")));
        assert_eq!(attribute(&image(3), &[known("mixed", &[1, 102])]).base.layers, None);
    }

    #[test]
    fn a_known_base_may_be_the_base_of_the_base() {
        let step = |by: &str, comment: &str| History {
            created_by: by.to_string(),
            created: Some("2026-08-03T00:00:00Z".to_string()),
            comment: comment.to_string(),
            empty_layer: false,
        };
        let with = |steps: [History; 3]| {
            let mut image = image(3);
            if let Some(config) = &mut image.config {
                config.history = steps.into();
            }
            attribute(&image, &[known("debian", &[1])])
        };
        let (debian, build) = (step("# debian.sh", "debuerreotype 0.17"), step("RUN x # buildkit", ""));
        let told = with([debian.clone(), build.clone(), build.clone()]);
        assert_eq!((told.base.layers, told.base.confidence), (Some(1), Some(Confidence::Certain)));
        assert_eq!(told.base.name.as_deref(), Some("debian"));
        let told = with([debian.clone(), build.clone(), step("/bin/sh -c x", "FROM example/python")]);
        assert_eq!((told.base.layers, told.base.confidence), (Some(2), Some(Confidence::High)));
        assert_eq!(told.base.name.as_deref(), Some("example/python"));
        let late = History { created: Some("2026-10-03T00:00:00Z".to_string()), ..build.clone() };
        let told = with([debian, build, late]);
        assert_eq!((told.base.layers, told.base.confidence), (Some(1), Some(Confidence::High)));
        assert_eq!([0, 1, 2].map(|layer| told.origin(layer)), [Origin::Base, Origin::Unknown, Origin::Own]);
    }

    #[test]
    fn buildpacks_record_their_run_image() {
        let text = |top: u8, app: u8| {
            format!(
                r#"{{"app":[{{"sha":"{}"}}],"runImage":{{"topLayer":"{}","reference":"example/run"}}}}"#,
                digest(app),
                digest(top)
            )
        };
        let mut image = image(3);
        let mut told = |label: String| {
            if let Some(config) = &mut image.config {
                config.labels.insert(BUILDPACKS.into(), label);
            }
            attribute(&image, &[]).base
        };
        let base = told(text(2, 3));
        assert_eq!((base.layers, base.confidence), (Some(2), Some(Confidence::High)));
        assert_eq!(base.name.as_deref(), Some("example/run"));
        assert_eq!(told(text(1, 2)).layers, None, "something was built upon it");
        assert_eq!(told(text(9, 3)).layers, None, "rebased by hand");
        assert_eq!(told("{".into()).layers, None);
    }
}
