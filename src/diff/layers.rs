//! Which layers of two images are the same bytes, and which were made again by the same step.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use super::pair::step;
use crate::model::LayerSummary;

/// The layers of two images, each once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Layers {
    /// The same bytes in both, at any position.
    pub same: usize,
    /// Stored bytes of those, in the new image.
    pub same_bytes: u64,
    /// Made by the same step, with other bytes.
    pub rebuilt: Vec<Rebuilt>,
    /// Only the new image has them.
    pub new: Vec<LayerSummary>,
    /// Only the old image has them.
    pub gone: Vec<LayerSummary>,
}

/// A layer that the same step made with other bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rebuilt {
    /// Before.
    pub old: LayerSummary,
    /// After.
    pub new: LayerSummary,
}

impl Layers {
    /// Compares by digest, then by the step that the history tells.
    pub(super) fn between(old: &[LayerSummary], new: &[LayerSummary]) -> Self {
        let mut layers = Self::default();
        let mut by_digest: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (at, layer) in old.iter().enumerate() {
            if let Some(digest) = layer.layer.diff_id {
                by_digest.entry(digest).or_default().push_back(at);
            }
        }
        let mut is_left = vec![true; old.len()];
        let mut fresh = Vec::new();
        for layer in new {
            let same = layer.layer.diff_id.and_then(|digest| by_digest.get_mut(&digest)?.pop_front());
            match same {
                Some(at) => {
                    is_left[at] = false;
                    layers.same += 1;
                    layers.same_bytes = layers.same_bytes.saturating_add(layer.blob_bytes);
                }
                None => fresh.push(layer),
            }
        }
        let mut left: Vec<&LayerSummary> =
            old.iter().zip(is_left).filter(|(_, is_left)| *is_left).map(|(layer, _)| layer).collect();
        for layer in fresh {
            let made_by = step(layer.layer.created_by.as_deref());
            let by_step =
                left.iter().position(|old| made_by.is_some() && step(old.layer.created_by.as_deref()) == made_by);
            match by_step {
                Some(at) => layers.rebuilt.push(Rebuilt { old: left.remove(at).clone(), new: layer.clone() }),
                None => layers.new.push(layer.clone()),
            }
        }
        layers.gone = left.into_iter().cloned().collect();
        layers
    }
}
