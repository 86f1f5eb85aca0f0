//! The documents of an image: descriptors, indexes, manifests, configuration.
//!
//! Turns JSON into plain values and refuses what is no container image or could be read in two ways. Knows neither
//! where documents come from nor which image is wanted. Formats: OCI image specification 1.1 (descriptor.md,
//! image-index.md, manifest.md, config.md) and Docker's image specification 1.2 (`manifest.json`).

use std::{borrow::Cow, collections::BTreeMap};

use super::json::{Json, Object};
use crate::model::{Digest, History, ImageConfig, Platform, path::escape};

/// Most layers of one image; engines refuse above 125 or 127.
pub(super) const LAYERS_MAX: usize = 1000;

/// What a descriptor says of a blob.
#[derive(Clone, Debug)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) platform: Option<Platform>,
    /// Names that the index gives it: `org.opencontainers.image.ref.name` and containerd's full name.
    pub(super) names: Vec<String>,
    /// The manifest that it says something of: `vnd.docker.reference.digest`.
    pub(super) refers: Option<Digest>,
    /// Whether it points to another place for its bytes.
    pub(super) has_urls: bool,
}

/// What the media type of a manifest or index says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Index,
    Manifest,
}

/// A manifest or an index.
#[derive(Clone, Debug)]
pub(super) enum Document {
    Index(Vec<Descriptor>),
    Manifest { config: Descriptor, layers: Vec<Descriptor> },
}

/// One image of a docker-archive's `manifest.json`.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    /// Path of the configuration in the archive.
    pub(super) config: String,
    pub(super) tags: Vec<String>,
    /// Paths of the layers in the archive, lowest first.
    pub(super) layers: Vec<String>,
}

/// A configuration as the image carries it.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    pub(super) platform: Platform,
    pub(super) config: ImageConfig,
    pub(super) diff_ids: Vec<Digest>,
}

impl Descriptor {
    /// Reads one.
    pub(super) fn read(json: &Json) -> Result<Self, String> {
        let object = json.object()?;
        let digest = object.text("digest")?;
        let digest = digest.parse().map_err(|e| format!("digest \"{}\": {e}", quote(digest)))?;
        let bytes = match object.get("size") {
            Json::Integer(size) => u64::try_from(*size).map_err(|_| format!("the size of {digest} is negative"))?,
            _ => return Err(format!("the size of {digest} is not a whole number")),
        };
        if object.has("data") {
            return Err(format!("the descriptor of {digest} carries a second copy of the blob in \"data\""));
        }
        let platform = object.has("platform").then(|| platform(object.object("platform")?)).transpose()?;
        Ok(Self {
            media_type: object.text("mediatype")?.to_string(),
            digest,
            bytes,
            platform,
            names: names(object.object("annotations")?)?,
            refers: refers(object.object("annotations")?),
            has_urls: !object.list("urls")?.is_empty(),
        })
    }

    /// Whether this is an index or a manifest; `None` when the descriptor does not say.
    pub(super) fn form(&self) -> Result<Option<Form>, String> {
        form(&self.media_type)
    }

    fn check_layer(&self) -> Result<(), String> {
        let kind = self.media_type.as_str();
        if kind.contains("+encrypted") {
            return Err(format!("layer {} is encrypted ({})", self.digest, quote(kind)));
        }
        let base = ["+gzip", "+zstd", ".gzip", ".zstd"].iter().find_map(|end| kind.strip_suffix(end)).unwrap_or(kind);
        match base {
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar" => Ok(()),
            _ => Err(format!("layer {} is no file system layer: its media type is \"{}\"", self.digest, quote(kind))),
        }
    }
}

impl Document {
    /// Reads a manifest or an index; `promised` is what the descriptor says it is.
    pub(super) fn read(bytes: &[u8], promised: Option<Form>) -> Result<Self, String> {
        let json = Json::read(bytes)?;
        let object = json.object()?;
        let own = form(object.text("mediatype")?)?;
        if *object.get("schemaversion") == Json::Integer(1) || object.has("fslayers") {
            return Err("it is a manifest of schema 1, which engines no longer run".to_string());
        }
        if !matches!(object.get("schemaversion"), Json::Integer(2) | Json::Null) {
            return Err("its schemaVersion is not 2".to_string());
        }
        let as_index = object.has("manifests");
        if as_index && (object.has("layers") || object.has("config")) {
            return Err("it is an index and a manifest in one, so that readers may differ (CVE-2021-41190)".to_string());
        }
        let form = if as_index { Form::Index } else { Form::Manifest };
        if own.or(promised).is_some_and(|own| own != form) || promised.is_some_and(|promised| promised != form) {
            return Err("its media type and its content differ".to_string());
        }
        match form {
            Form::Index => Ok(Self::Index(descriptors(object, "manifests")?)),
            Form::Manifest => Self::manifest(object),
        }
    }

    fn manifest(object: Object<'_>) -> Result<Self, String> {
        if !object.has("config") {
            return Err("it has neither a configuration nor a list of manifests".to_string());
        }
        let config = Descriptor::read(object.get("config")).map_err(|e| format!("config: {e}"))?;
        match config.media_type.as_str() {
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => {}
            other => {
                let artifact = object.text("artifacttype")?;
                let kind = if artifact.is_empty() { other } else { artifact };
                return Err(format!("it is no container image but an artefact of the type \"{}\"", quote(kind)));
            }
        }
        if object.list("layers")?.len() > LAYERS_MAX {
            return Err(format!("it has more than {LAYERS_MAX} layers"));
        }
        let layers = descriptors(object, "layers")?;
        layers.iter().try_for_each(Descriptor::check_layer)?;
        Ok(Self::Manifest { config, layers })
    }
}

impl Saved {
    /// Reads `manifest.json` of a docker-archive.
    pub(super) fn read(bytes: &[u8]) -> Result<Vec<Self>, String> {
        let json = Json::read(bytes)?;
        let one = |json: &Json| {
            let object = json.object()?;
            let layers = object.texts("layers")?;
            if layers.len() > LAYERS_MAX {
                return Err(format!("an image has more than {LAYERS_MAX} layers"));
            }
            Ok(Self { config: object.text("config")?.to_string(), tags: object.texts("repotags")?, layers })
        };
        json.list()?.iter().map(one).collect()
    }
}

impl Configuration {
    /// Reads an image's configuration.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let json = Json::read(bytes)?;
        let object = json.object()?;
        let mut platform = platform(object)?;
        if platform.os.is_empty() {
            // Docker takes its own system for an empty one, and it only runs here as Linux.
            platform.os = "linux".to_string();
        }
        let rootfs = object.object("rootfs")?;
        if !matches!(rootfs.text("type")?, "layers" | "") {
            return Err("its root file system is not made of layers".to_string());
        }
        let diff_id = |text: &String| text.parse().map_err(|e| format!("diffID \"{}\": {e}", quote(text)));
        let diff_ids = rootfs.texts("diff_ids")?.iter().map(diff_id).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { platform, config: image_config(object)?, diff_ids })
    }

    /// The history entry of each of `layers` layers; `None` when there are more or fewer entries than layers.
    pub(super) fn history_of_layers(&self) -> Option<Vec<History>> {
        let made: Vec<_> = self.config.history.iter().filter(|entry| !entry.empty_layer).cloned().collect();
        (made.len() == self.diff_ids.len()).then_some(made)
    }
}

/// Cuts and escapes a text of the image for a message.
pub(super) fn quote(text: &str) -> String {
    escape(cut(text).as_bytes())
}

/// Cuts a text that is already escaped, so that no image fills the screen.
pub(super) fn cut(text: &str) -> Cow<'_, str> {
    const SHOWN_MAX: usize = 200;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => Cow::Owned(format!("{}...", text.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// Checks the marker file of an OCI layout.
pub(super) fn check_layout_version(bytes: &[u8]) -> Result<(), String> {
    let json = Json::read(bytes)?;
    match json.object()?.text("imagelayoutversion")? {
        "1.0.0" => Ok(()),
        other => Err(format!("layout version \"{}\" is not known, only 1.0.0", quote(other))),
    }
}

fn form(media_type: &str) -> Result<Option<Form>, String> {
    match media_type {
        "" => Ok(None),
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            Ok(Some(Form::Index))
        }
        "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
            Ok(Some(Form::Manifest))
        }
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => {
            Err("it is a manifest of schema 1, which engines no longer run".to_string())
        }
        other => Err(format!("its media type \"{}\" is neither an image manifest nor an index", quote(other))),
    }
}

fn descriptors(object: Object<'_>, name: &str) -> Result<Vec<Descriptor>, String> {
    let read = |(at, json)| Descriptor::read(json).map_err(|e| format!("{name}[{at}]: {e}"));
    object.list(name)?.iter().enumerate().map(read).collect()
}

fn platform(object: Object<'_>) -> Result<Platform, String> {
    Ok(Platform {
        os: object.text("os")?.to_string(),
        architecture: object.text("architecture")?.to_string(),
        variant: object.text("variant")?.to_string(),
    })
}

/// The names an index gives to a descriptor; keys of annotations are free text and so case counts.
fn names(annotations: Object<'_>) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for (key, value) in annotations.members() {
        if matches!(key.as_str(), "io.containerd.image.name" | "org.opencontainers.image.ref.name") {
            names.push(value.text().map_err(|e| format!("annotation {key}: {e}"))?.to_string());
        }
    }
    names.sort();
    names.retain(|name| !name.is_empty());
    Ok(names)
}

/// The digest that BuildKit writes beside an attestation.
fn refers(annotations: Object<'_>) -> Option<Digest> {
    let (_, value) = annotations.members().iter().find(|(key, _)| key == "vnd.docker.reference.digest")?;
    value.text().ok()?.parse().ok()
}

fn image_config(object: Object<'_>) -> Result<ImageConfig, String> {
    let run = object.object("config")?;
    let labels = run.object("labels")?.members().iter();
    let labels = labels.map(|(key, value)| Ok((key.clone(), value.text()?.to_string())));
    let mut exposed_ports: Vec<_> = run.object("exposedports")?.members().iter().map(|(key, _)| key.clone()).collect();
    exposed_ports.sort();
    Ok(ImageConfig {
        user: run.text("user")?.to_string(),
        env: run.texts("env")?,
        entrypoint: command(run, "entrypoint")?,
        cmd: command(run, "cmd")?,
        working_dir: run.text("workingdir")?.to_string(),
        labels: labels.collect::<Result<BTreeMap<_, _>, String>>().map_err(|e| format!("labels: {e}"))?,
        exposed_ports,
        healthcheck: run.object("healthcheck")?.texts("test")?,
        volumes: run.object("volumes")?.members().iter().map(|(key, _)| key.clone()).collect(),
        created: time(object)?,
        history: object.list("history")?.iter().map(history).collect::<Result<_, _>>()?,
    })
}

/// A command: a list, or one text, which Docker takes as a list of one.
fn command(run: Object<'_>, name: &str) -> Result<Vec<String>, String> {
    match run.get(name) {
        Json::Text(text) => Ok(vec![text.clone()]),
        _ => run.texts(name),
    }
}

fn history(json: &Json) -> Result<History, String> {
    let entry = json.object()?;
    let empty_layer = match entry.get("empty_layer") {
        Json::Bool(empty) => *empty,
        Json::Null => false,
        _ => return Err("empty_layer is neither true nor false".to_string()),
    };
    Ok(History {
        created_by: entry.text("created_by")?.to_string(),
        created: time(entry)?,
        comment: entry.text("comment")?.to_string(),
        empty_layer,
    })
}

fn time(object: Object<'_>) -> Result<Option<String>, String> {
    let time = object.text("created")?;
    Ok((!time.is_empty()).then(|| time.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCI: &str = "application/vnd.oci.image";

    fn hex(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    fn manifest(config_type: &str, layer_type: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{config_type}","digest":"{}","size":2}},
            "layers":[{{"mediaType":"{layer_type}","digest":"{}","size":3}}]}}"#,
            hex("a"),
            hex("b")
        )
    }

    fn fault(text: &str) -> String {
        Document::read(text.as_bytes(), None).expect_err(text)
    }

    #[test]
    fn layers_of_the_two_specifications_are_read() {
        for layer in [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ] {
            let text = manifest(&format!("{OCI}.config.v1+json"), layer);
            assert!(matches!(Document::read(text.as_bytes(), Some(Form::Manifest)), Ok(Document::Manifest { .. })));
        }
    }

    #[test]
    fn every_other_kind_of_layer_has_its_own_refusal() {
        let config = format!("{OCI}.config.v1+json");
        assert!(fault(&manifest(&config, &format!("{OCI}.layer.v1.tar+gzip+encrypted"))).contains("is encrypted"));
        assert!(fault(&manifest(&config, "application/vnd.wasm.content.layer.v1+wasm")).contains("+wasm"));
        assert!(fault(&manifest(&config, "application/vnd.in-toto+json")).contains("no file system layer"));
        assert!(fault(&manifest("application/vnd.oci.empty.v1+json", "x")).contains("artefact"));
        assert!(fault(r#"{"schemaVersion":1,"fsLayers":[]}"#).contains("schema 1"));
    }

    #[test]
    fn a_document_that_is_two_things_is_refused() {
        assert!(fault(r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#).contains("CVE-2021-41190"));
        let index = format!(r#"{{"mediaType":"{OCI}.manifest.v1+json","manifests":[]}}"#);
        assert!(fault(&index).contains("differ"));
        assert!(Document::read(br#"{"manifests":[]}"#, Some(Form::Manifest)).is_err());
    }

    #[test]
    fn sizes_and_digests_must_be_what_they_are_meant_to_be() {
        let good = manifest(&format!("{OCI}.config.v1+json"), &format!("{OCI}.layer.v1.tar"));
        assert!(Document::read(good.as_bytes(), None).is_ok());
        for (from, to) in [
            ("\"size\":3", "\"size\":-1"),
            ("\"size\":3", "\"size\":3.0"),
            ("\"size\":3", "\"size\":99999999999999999999"),
            ("\"size\":3", "\"sizes\":3"),
            ("\"size\":3", "\"size\":3,\"data\":\"YWJj\""),
            ("sha256:b", "sha256:../../../etc/passwd"),
            ("sha256:b", "sha512:b"),
            ("sha256:bb", "sha256:BB"),
        ] {
            fault(&good.replace(from, to));
        }
    }

    #[test]
    fn a_configuration_is_read_as_go_reads_it() {
        let text = format!(
            r#"{{"Architecture":"amd64","os":"linux","config":{{"uSER":"0","Env":null,"Entrypoint":"sh",
            "Cmd":["a","b"],"Labels":{{"b":"2","a":"1"}},"ExposedPorts":{{"80/tcp":{{}}}}}},
            "rootfs":{{"type":"layers","diff_ids":["{}"]}},
            "history":[{{"created_by":"ADD x"}},{{"created_by":"ENV","empty_layer":true}}]}}"#,
            hex("c")
        );
        let read = Configuration::read(text.as_bytes()).expect("a configuration");
        assert_eq!(read.config.user, "0");
        assert_eq!(read.config.entrypoint, ["sh"]);
        assert_eq!(read.config.cmd, ["a", "b"]);
        assert_eq!(read.config.exposed_ports, ["80/tcp"]);
        assert_eq!(read.platform.architecture, "amd64");
        assert_eq!(read.history_of_layers().expect("one each").len(), 1);
        let odd = text.replace(r#""created_by":"ENV","empty_layer":true"#, r#""created_by":"ENV""#);
        assert_eq!(Configuration::read(odd.as_bytes()).expect("still one").history_of_layers(), None);
        assert!(Configuration::read(text.replace("\"0\"", "0").as_bytes()).is_err(), "a number is no user");
    }

    #[test]
    fn quoted_texts_are_short_and_harmless() {
        assert_eq!(quote("a\u{1b}[31m"), "a\\x1b[31m");
        assert_eq!(quote(&"ä".repeat(1000)).chars().count(), 203);
    }
}
