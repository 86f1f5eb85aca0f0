//! An image as its manifest and configuration describe it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, LayerRef, redact};

/// What is known of an image before any layer is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// The reference as the user gave it, scheme included.
    pub reference: String,
    /// Tags and repository digests the source knows for it.
    pub names: Vec<String>,
    /// Digest of the manifest that was chosen, where the source has one.
    pub manifest: Option<Digest>,
    /// Digest of the configuration: the image id. `None` for a directory source.
    pub id: Option<Digest>,
    /// Operating system and architecture.
    pub platform: Option<Platform>,
    /// The configuration; `None` for a directory source.
    pub config: Option<ImageConfig>,
    /// The layers, lowest first.
    pub layers: Vec<LayerInfo>,
    /// The base image that the user names.
    #[serde(skip)]
    pub base: Option<GivenBase>,
    /// The Dockerfile that its provenance names.
    #[serde(skip)]
    pub built_from: Option<BuiltFrom>,
    /// What the user should know about how the image was chosen (platforms, attestations left out).
    pub notes: Vec<String>,
}

/// The Dockerfile that the provenance of an image carries; nobody vouches for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BuiltFrom {
    /// Its path in its sources, as far as that is known.
    pub name: String,
    /// Its bytes.
    pub text: Vec<u8>,
    /// The stage that was built, if the build named one.
    pub target: Option<String>,
}

impl ImageInfo {
    /// A layer as findings and summaries point to it; the lowest is 0 here and number 1 there.
    pub fn layer_ref(&self, layer: u32) -> LayerRef {
        let info = self.layers.get(layer as usize);
        LayerRef {
            number: layer.saturating_add(1),
            diff_id: info.and_then(|l| l.diff_id),
            created_by: info.and_then(|l| l.history.as_ref()).map(|h| redact::created_by(&h.created_by)),
        }
    }

    /// The description as reports may show it: without the values of build arguments and environment variables,
    /// which is where secrets are.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        let of_config = self.config.iter_mut().flat_map(|c| &mut c.history);
        for history in self.layers.iter_mut().filter_map(|l| l.history.as_mut()).chain(of_config) {
            history.created_by = redact::created_by(&history.created_by);
        }
        for variable in self.config.iter_mut().flat_map(|c| &mut c.env) {
            *variable = redact::assignment(variable);
        }
        self
    }
}

/// An image that the user says this one was built upon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GivenBase {
    /// The reference as the user gave it.
    pub reference: String,
    /// The digests of its uncompressed layers, lowest first.
    pub layers: Vec<Digest>,
}

/// One layer as manifest, configuration and history describe it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// Digest of the stored blob; `None` where the source promises none (docker-archive, directory).
    pub blob: Option<Digest>,
    /// Stored size the manifest promises, in bytes.
    pub blob_bytes: Option<u64>,
    /// Digest of the uncompressed tar; `None` for a directory source.
    pub diff_id: Option<Digest>,
    /// The history entry that made it; `None` when the history does not match the layers.
    pub history: Option<History>,
}

/// One entry of the configuration's history.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The command that made the layer, as the builder recorded it.
    #[serde(default)]
    pub created_by: String,
    /// When, RFC 3339.
    #[serde(default)]
    pub created: Option<String>,
    /// Free text.
    #[serde(default)]
    pub comment: String,
    /// Whether the entry made no layer.
    #[serde(default)]
    pub empty_layer: bool,
}

/// The run-time part of an image's configuration, and its history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// `USER`, verbatim.
    pub user: String,
    /// `ENV`, each `NAME=value`; in a report each `NAME=...`.
    pub env: Vec<String>,
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub cmd: Vec<String>,
    /// `WORKDIR`.
    pub working_dir: String,
    /// `LABEL`, sorted by name.
    pub labels: std::collections::BTreeMap<String, String>,
    /// `EXPOSE`, sorted.
    pub exposed_ports: Vec<String>,
    /// `HEALTHCHECK` command.
    pub healthcheck: Vec<String>,
    /// `VOLUME`, sorted; no part of reports.
    #[serde(skip)]
    pub volumes: Vec<String>,
    /// When the image was made, RFC 3339.
    pub created: Option<String>,
    /// The whole history, layers and empty entries.
    pub history: Vec<History>,
}

/// Where commands are looked for when `PATH` is not set: what Docker, Podman and containerd set then.
pub const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl ImageConfig {
    /// The value of a variable of the image, where it is set; the last one counts.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
    }

    /// `PATH` of the first process.
    pub fn path(&self) -> &str {
        self.variable("PATH").unwrap_or(PATH_DEFAULT)
    }
}

/// Operating system, architecture and variant, written `linux/arm64/v8`.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Platform {
    /// Operating system, such as `linux`.
    pub os: String,
    /// Architecture in Go's spelling, such as `amd64`.
    pub architecture: String,
    /// Variant, such as `v8`; often empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}
