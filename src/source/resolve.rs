//! Finds the one image that is meant among the documents of an archive or a layout, and checks what they promise.
//!
//! Every digest and size on the way from the index to the configuration is verified here; the bytes of layers are
//! not read. What two engines would read in two ways is refused.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::{
    document::{self, Configuration, Descriptor, Document, Form, Saved, quote},
    platform, provenance,
};
use crate::{
    error::{Error, Result},
    model::{Digest, ImageInfo, LayerInfo, Platform},
};

/// Largest manifest or index, in bytes; the limit that registries and engines set (4 MiB).
pub(super) const MANIFEST_MAX: u64 = 4 << 20;

/// Largest configuration, in bytes; four times what engines take, since labels can hold whole documents.
pub(super) const CONFIG_MAX: u64 = 16 << 20;

/// Most descriptors that are looked at in the indexes of one source.
const DESCRIPTORS_MAX: usize = 1000;

/// Deepest nesting of indexes.
const INDEX_DEPTH_MAX: usize = 4;

/// Most images, manifests or names listed in a message.
const LISTED_MAX: usize = 20;

/// A file of an archive or a layout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Member {
    /// Its name, links resolved, escaped where it is not printable.
    pub(super) key: String,
    /// Its length.
    pub(super) bytes: u64,
}

/// The files of an archive or a layout, by path.
pub(super) trait Members {
    /// The regular file that `path` leads to; links lead to members only.
    fn find(&self, path: &str) -> Result<Option<Member>>;

    /// The bytes of a document; not more than `limit`, which the caller compared with the length.
    fn read(&self, member: &Member, limit: u64) -> Result<Vec<u8>>;
}

/// The kinds of archives a user can insist on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// `manifest.json`.
    Docker,
    /// `index.json` and blobs.
    Oci,
}

/// Which image is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The reference as the user gave it.
    pub(super) reference: String,
    /// Name or tag within the archive.
    pub(super) tag: Option<String>,
    /// Digest of an index, of a manifest or (in a docker-archive) of a configuration.
    pub(super) digest: Option<Digest>,
    /// `--platform`.
    pub(super) platform: Option<Platform>,
    /// What the source must be.
    pub(super) shape: Option<Shape>,
}

/// The image that was found.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) image: ImageInfo,
    /// Where each layer lies, lowest first.
    pub(super) layers: Vec<Member>,
    /// Digests by which an engine may call the image: indexes, manifest and configuration.
    pub(super) ids: Vec<Digest>,
}

/// Finds the image in an archive: `manifest.json`, `index.json`, or both if they agree.
pub(super) fn archive(members: &dyn Members, wanted: &Wanted) -> Result<Resolved> {
    let saved = members.find("manifest.json")?;
    let index = members.find("index.json")?;
    match wanted.shape {
        Some(Shape::Docker) if saved.is_none() => return Err(no_image(wanted, "it holds no manifest.json")),
        Some(Shape::Oci) if index.is_none() => return Err(no_image(wanted, "it holds no index.json")),
        _ => {}
    }
    match (saved, index) {
        (None, None) => Err(no_image(wanted, "it holds neither manifest.json nor index.json")),
        (None, Some(_)) => layout(members, wanted),
        (Some(saved), None) => docker(members, &read_saved(members, &saved)?, wanted),
        (Some(saved), Some(_)) => both(members, &read_saved(members, &saved)?, wanted),
    }
}

/// Finds the image in an OCI layout.
pub(super) fn layout(members: &dyn Members, wanted: &Wanted) -> Result<Resolved> {
    let marker = members.find("oci-layout")?.ok_or_else(|| no_image(wanted, "it holds no file oci-layout"))?;
    document::check_layout_version(&read_within(members, &marker, MANIFEST_MAX, "oci-layout")?)
        .map_err(|e| unreadable("oci-layout").cause(e))?;
    let mut notes = Vec::new();
    let index = Index::read(members, wanted)?;
    let leaves = leaves(members, index.roots(members, wanted)?, &mut notes)?;
    let leaf = pick_platform(leaves, wanted, &mut notes)?;
    let mut found = load(members, leaf, wanted, notes)?;
    if let Some(manifest) = found.image.manifest {
        found.image.built_from = provenance::dockerfile(members, manifest, &index.attestations(members));
    }
    Ok(found)
}

/// Finds the image in an archive with two tables of contents; engines read one or the other.
fn both(members: &dyn Members, saved: &[Saved], wanted: &Wanted) -> Result<Resolved> {
    let mut found = layout(members, wanted)?;
    let any_platform = Wanted { platform: None, ..wanted.clone() };
    let id = found.image.id;
    let differ = |other: Option<Digest>| {
        let show = |id: Option<Digest>| id.map_or_else(|| "none".to_string(), |id| id.to_string());
        Error::judge(format!("\"{}\" is two images in one archive", wanted.reference))
            .cause("manifest.json and index.json differ, and engines read one or the other")
            .cause(format!("index.json has the configuration {}, manifest.json {}", show(id), show(other)))
            .help("export the image again, or give --platform if the archive holds several platforms")
    };
    if wanted.digest.is_some() {
        let configs = config_ids(members, saved)?;
        return if configs.iter().any(|&config| Some(config) == id) { Ok(found) } else { Err(differ(None)) };
    }
    let twin = docker(members, saved, &any_platform)?;
    if twin.image.id == id {
        if twin.layers != found.layers {
            return Err(differ(id).cause("the layers are listed at different places"));
        }
    } else if wanted.platform.is_none() || !siblings(members, &any_platform)?.contains(&twin.image.id) {
        return Err(differ(twin.image.id));
    }
    found.image.names = tidy(merged(twin.image.names, found.image.names));
    Ok(found)
}

/// The configurations of all images the index leads to.
fn siblings(members: &dyn Members, wanted: &Wanted) -> Result<HashSet<Option<Digest>>> {
    let roots = Index::read(members, wanted)?.roots(members, wanted)?;
    Ok(leaves(members, roots, &mut Vec::new())?.into_iter().map(|leaf| Some(leaf.config)).collect())
}

/// Finds the image in `manifest.json` alone.
fn docker(members: &dyn Members, saved: &[Saved], wanted: &Wanted) -> Result<Resolved> {
    let item = pick_saved(members, saved, wanted)?;
    let mut notes = Vec::new();
    let (bytes, id) = read_config(members, item)?;
    let config = read_configuration(&bytes, &id.to_string())?;
    check_platform(&config.platform, wanted, &mut notes)?;
    let mut layers = Vec::new();
    let mut infos = Vec::new();
    for path in &item.layers {
        let member = members.find(path)?.ok_or_else(|| missing(format!("the layer \"{}\"", quote(path))))?;
        infos.push(LayerInfo { blob: blob_name(&member.key), ..LayerInfo::default() });
        layers.push(member);
    }
    let image = describe(wanted, config, id, infos, notes)?;
    Ok(Resolved { image: ImageInfo { names: tidy(item.tags.clone()), ..image }, layers, ids: vec![id] })
}

fn pick_saved<'s>(members: &dyn Members, saved: &'s [Saved], wanted: &Wanted) -> Result<&'s Saved> {
    let named = |item: &Saved| wanted.tag.as_ref().is_none_or(|tag| item.tags.iter().any(|name| is_named(name, tag)));
    let fitting: Vec<&Saved> = match wanted.digest {
        None => saved.iter().filter(|item| named(item)).collect(),
        Some(digest) => {
            let ids = config_ids(members, saved)?;
            saved.iter().zip(ids).filter(|(item, id)| *id == digest && named(item)).map(|(item, _)| item).collect()
        }
    };
    match fitting[..] {
        // More than one: the same image saved under several names.
        [item, ref more @ ..] if more.iter().all(|m| m.config == item.config && m.layers == item.layers) => Ok(item),
        _ => Err(choose(wanted, fitting.is_empty(), saved.iter().map(|item| list_or(&item.tags, &item.config)))),
    }
}

/// The image id of each saved image; a configuration that several share is read once.
fn config_ids(members: &dyn Members, saved: &[Saved]) -> Result<Vec<Digest>> {
    let mut known = HashMap::new();
    let mut ids = Vec::new();
    for item in saved {
        let file = members.find(&item.config)?.map(|member| member.key);
        let id = match known.get(&file) {
            Some(&id) => id,
            None => read_config(members, item)?.1,
        };
        known.insert(file, id);
        ids.push(id);
    }
    Ok(ids)
}

/// Reads the configuration of a saved image and checks it against its own name, if that is a digest.
fn read_config(members: &dyn Members, item: &Saved) -> Result<(Vec<u8>, Digest)> {
    let name = format!("the configuration \"{}\"", quote(&item.config));
    let member = members.find(&item.config)?.ok_or_else(|| missing(&name))?;
    let bytes = read_within(members, &member, CONFIG_MAX, &name)?;
    let id = digest_of(&bytes);
    let file = member.key.rsplit('/').next().unwrap_or_default();
    let file = file.strip_prefix("sha256:").unwrap_or(file);
    match Digest::from_hex(file.strip_suffix(".json").unwrap_or(file)) {
        Some(promised) if promised != id => Err(mismatch(promised)),
        _ => Ok((bytes, id)),
    }
}

/// The digest that the place of a blob promises.
pub(super) fn blob_name(key: &str) -> Option<Digest> {
    key.strip_prefix("blobs/sha256/").and_then(Digest::from_hex)
}

struct Index(Vec<Descriptor>);

impl Index {
    fn read(members: &dyn Members, wanted: &Wanted) -> Result<Self> {
        let member = members.find("index.json")?.ok_or_else(|| no_image(wanted, "it holds no index.json"))?;
        let bytes = read_within(members, &member, MANIFEST_MAX, "index.json")?;
        match Document::read(&bytes, Some(Form::Index)).map_err(|e| unreadable("index.json").cause(e))? {
            Document::Index(descriptors) => Ok(Self(descriptors)),
            Document::Manifest { .. } => Err(unreadable("index.json").cause("it is a manifest")),
        }
    }

    /// The descriptors among which only the platform is left to choose.
    fn roots(&self, members: &dyn Members, wanted: &Wanted) -> Result<Vec<Node>> {
        let tops: Vec<_> = self.0.iter().map(|d| Node::top(d.clone())).collect();
        if let Some(digest) = wanted.digest {
            let found = walk(members, tops)?.into_iter().find(|node| node.descriptor.digest == digest);
            return found.map(|node| vec![node]).ok_or_else(|| self.choose(wanted, true));
        }
        let mut roots: Vec<Node> = Vec::new();
        for top in tops {
            let named = wanted.tag.as_ref().is_none_or(|tag| top.names.iter().any(|name| is_named(name, tag)));
            if !named || top.descriptor.platform.as_ref().is_some_and(is_attestation) {
                continue;
            }
            match roots.iter_mut().find(|known| known.descriptor.digest == top.descriptor.digest) {
                Some(known) => known.names = merged(std::mem::take(&mut known.names), top.names),
                None => roots.push(top),
            }
        }
        let one_image =
            wanted.tag.is_some() || roots.iter().all(|root| Some(&root.names) == roots.first().map(|r| &r.names));
        if roots.is_empty() || !one_image { Err(self.choose(wanted, roots.is_empty())) } else { Ok(roots) }
    }

    /// What attests something of any image, wherever it lies: beside the image, or, without a name, beside its name.
    fn attestations(&self, members: &dyn Members) -> Vec<Descriptor> {
        let all = walk(members, self.0.iter().cloned().map(Node::top).collect()).unwrap_or_default();
        let is_one = |descriptor: &Descriptor| descriptor.platform.as_ref().is_some_and(is_attestation);
        all.into_iter().map(|node| node.descriptor).filter(is_one).collect()
    }

    fn choose(&self, wanted: &Wanted, none: bool) -> Error {
        choose(wanted, none, self.0.iter().map(|d| list_or(&d.names, &format!("@{}", d.digest))))
    }
}

/// A descriptor, and how it was reached.
#[derive(Clone, Debug)]
struct Node {
    descriptor: Descriptor,
    /// Digests of the indexes above it.
    above: Vec<Digest>,
    names: Vec<String>,
}

impl Node {
    fn top(descriptor: Descriptor) -> Self {
        Self { names: descriptor.names.clone(), descriptor, above: Vec::new() }
    }
}

/// The roots and everything below them, each digest once.
fn walk(members: &dyn Members, roots: Vec<Node>) -> Result<Vec<Node>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut left = roots;
    left.reverse();
    while let Some(node) = left.pop() {
        if !seen.insert(node.descriptor.digest) {
            continue;
        }
        if seen.len() > DESCRIPTORS_MAX || node.above.len() > INDEX_DEPTH_MAX {
            return Err(Error::judge("can not choose an image")
                .cause(format!("more than {DESCRIPTORS_MAX} manifests or {INDEX_DEPTH_MAX} levels of indexes")));
        }
        let may_be_index = matches!(node.descriptor.form(), Ok(None | Some(Form::Index)));
        if may_be_index
            && is_there(members, &node)?
            && let Document::Index(inner) = read_document(members, &node.descriptor)?
        {
            let above: Vec<_> = node.above.iter().copied().chain([node.descriptor.digest]).collect();
            let below = |d| Node { descriptor: d, above: above.clone(), names: node.names.clone() };
            left.extend(inner.into_iter().rev().map(below));
        }
        found.push(node);
    }
    Ok(found)
}

fn is_there(members: &dyn Members, node: &Node) -> Result<bool> {
    Ok(members.find(&blob_path(node.descriptor.digest))?.is_some())
}

/// One image manifest that is there.
#[derive(Clone, Debug)]
struct Leaf {
    node: Node,
    platform: Platform,
    config: Digest,
}

/// All images that `roots` lead to and that are there.
fn leaves(members: &dyn Members, roots: Vec<Node>, notes: &mut Vec<String>) -> Result<Vec<Leaf>> {
    let mut found = Vec::new();
    // Platforms that only configurations tell; one that many manifests share is read once.
    let mut known: HashMap<Digest, Platform> = HashMap::new();
    let (mut attestations, mut absent, mut others) = (0_usize, 0_usize, Vec::new());
    for node in walk(members, roots)? {
        if node.descriptor.platform.as_ref().is_some_and(is_attestation) {
            attestations += 1;
        } else if let Err(reason) = node.descriptor.form() {
            others.push(format!("{}: {reason}", node.descriptor.digest));
        } else if !is_there(members, &node)? {
            absent += 1;
            others.push(format!("{} is not there", node.descriptor.digest));
        } else if let Document::Manifest { config, .. } = read_document(members, &node.descriptor)? {
            let platform = match (&node.descriptor.platform, known.get(&config.digest)) {
                (Some(platform), _) | (None, Some(platform)) => platform.clone(),
                (None, None) => read_configuration_blob(members, &config)?.platform,
            };
            if node.descriptor.platform.is_none() {
                known.insert(config.digest, platform.clone());
            }
            if is_attestation(&platform) {
                attestations += 1;
            } else {
                found.push(Leaf { node, platform, config: config.digest });
            }
        }
    }
    if found.is_empty() {
        let error = Error::judge("there is no container image in the index");
        return Err(others.into_iter().take(LISTED_MAX).fold(error, Error::cause));
    }
    if attestations > 0 {
        notes.push(format!("left out {attestations} attestation manifest(s)"));
    }
    if absent > 0 {
        notes.push(format!("{absent} manifest(s) of the index are not here"));
    }
    Ok(found)
}

/// BuildKit gives attestations the platform `unknown/unknown`. Their annotation is not asked: engines choose by
/// platform, so an annotation alone could hide the image that runs.
fn is_attestation(platform: &Platform) -> bool {
    platform.os == "unknown" && platform.architecture == "unknown"
}

fn pick_platform(leaves: Vec<Leaf>, wanted: &Wanted, notes: &mut Vec<String>) -> Result<Leaf> {
    let target = wanted.platform.clone().unwrap_or_else(platform::of_this_machine);
    let all: Vec<_> = leaves.iter().map(|leaf| quote(&leaf.platform.to_string())).collect();
    let all = all.join(", ");
    let (mut fitting, others): (Vec<_>, Vec<_>) =
        leaves.into_iter().partition(|leaf| platform::suits(&leaf.platform, &target));
    if fitting.len() > 1 {
        fitting.retain(|leaf| platform::normal(&leaf.platform) == platform::normal(&target));
    }
    let several = fitting.len() + others.len() > 1;
    match (<[_; 1]>::try_from(fitting), <[_; 1]>::try_from(others)) {
        (Ok([leaf]), _) => {
            if several {
                notes.push(format!("chose {} among the platforms {all}", quote(&leaf.platform.to_string())));
            }
            Ok(leaf)
        }
        // `load` says that the one platform there is is not the one of this machine.
        (Err(none), Ok([leaf])) if none.is_empty() && wanted.platform.is_none() => Ok(leaf),
        (Err(none), _) if none.is_empty() => Err(Error::judge(format!("there is no image for {target}"))
            .cause(format!("the platforms are {all}"))
            .help("choose one with --platform")),
        _ => Err(Error::judge(format!("there are several images for {target}"))
            .cause(format!("the platforms are {all}"))
            .help("choose one with --platform OS/ARCH/VARIANT or by its digest, @sha256:...")),
    }
}

/// Reads manifest and configuration of the chosen image.
fn load(members: &dyn Members, leaf: Leaf, wanted: &Wanted, mut notes: Vec<String>) -> Result<Resolved> {
    let descriptor = &leaf.node.descriptor;
    let manifest = descriptor.digest;
    let Document::Manifest { config, layers } = read_document(members, descriptor)? else {
        return Err(unreadable(&format!("blob {manifest}")).cause("it is an index"));
    };
    let configuration = read_configuration_blob(members, &config)?;
    if platform::normal(&configuration.platform) != platform::normal(&leaf.platform) {
        notes.push(format!(
            "the index says {}, the configuration {}",
            quote(&leaf.platform.to_string()),
            quote(&configuration.platform.to_string())
        ));
    }
    check_platform(&leaf.platform, wanted, &mut notes)?;
    let mut found = Vec::new();
    let mut infos = Vec::new();
    for layer in &layers {
        found.push(find_blob(members, layer)?);
        infos.push(LayerInfo { blob: Some(layer.digest), blob_bytes: Some(layer.bytes), ..LayerInfo::default() });
    }
    let image = describe(wanted, configuration, config.digest, infos, notes)?;
    let ids = leaf.node.above.into_iter().chain([manifest, config.digest]).collect();
    Ok(Resolved {
        image: ImageInfo { manifest: Some(manifest), names: tidy(leaf.node.names), ..image },
        layers: found,
        ids,
    })
}

/// Says when the one platform there is differs from this machine's, and refuses when it differs from `--platform`.
fn check_platform(have: &Platform, wanted: &Wanted, notes: &mut Vec<String>) -> Result<()> {
    let shown = quote(&have.to_string());
    match &wanted.platform {
        Some(target) if !platform::suits(have, target) => Err(Error::judge(format!("there is no image for {target}"))
            .cause(format!("the only platform is {shown}"))
            .help("leave --platform out to scan it")),
        Some(_) => Ok(()),
        None => {
            let machine = platform::of_this_machine();
            if !platform::suits(have, &machine) {
                notes.push(format!("the image is for {shown}, this machine is {machine}"));
            }
            Ok(())
        }
    }
}

/// Puts the description together and checks what configuration and layers say of each other.
fn describe(
    wanted: &Wanted,
    configuration: Configuration,
    id: Digest,
    mut layers: Vec<LayerInfo>,
    mut notes: Vec<String>,
) -> Result<ImageInfo> {
    if configuration.platform.os.eq_ignore_ascii_case("windows") {
        return Err(Error::judge(format!("\"{}\" is a Windows image", wanted.reference))
            .cause("only images whose layers are Unix file systems can be read"));
    }
    if configuration.diff_ids.len() != layers.len() {
        return Err(unreadable(&format!("configuration {id}")).cause(format!(
            "it lists {} layers (rootfs.diff_ids), the manifest {}",
            configuration.diff_ids.len(),
            layers.len()
        )));
    }
    let history = configuration.history_of_layers();
    if history.is_none() && !configuration.config.history.is_empty() {
        notes.push("the history does not match the layers, so no layer is told its command".to_string());
    }
    for (at, (layer, diff_id)) in layers.iter_mut().zip(&configuration.diff_ids).enumerate() {
        layer.diff_id = Some(*diff_id);
        layer.history = history.as_ref().and_then(|history| history.get(at).cloned());
    }
    Ok(ImageInfo {
        reference: wanted.reference.clone(),
        id: Some(id),
        platform: Some(configuration.platform),
        config: Some(configuration.config),
        layers,
        notes,
        ..ImageInfo::default()
    })
}

fn read_saved(members: &dyn Members, member: &Member) -> Result<Vec<Saved>> {
    let bytes = read_within(members, member, MANIFEST_MAX, "manifest.json")?;
    let saved = Saved::read(&bytes).map_err(|e| unreadable("manifest.json").cause(e))?;
    if saved.len() > DESCRIPTORS_MAX {
        return Err(unreadable("manifest.json").cause(format!("it lists more than {DESCRIPTORS_MAX} images")));
    }
    Ok(saved)
}

fn read_document(members: &dyn Members, descriptor: &Descriptor) -> Result<Document> {
    let bytes = read_blob(members, descriptor, MANIFEST_MAX)?;
    let fault = |e: String| unreadable(&format!("blob {}", descriptor.digest)).cause(e);
    Document::read(&bytes, descriptor.form().map_err(fault)?).map_err(fault)
}

fn read_configuration_blob(members: &dyn Members, descriptor: &Descriptor) -> Result<Configuration> {
    read_configuration(&read_blob(members, descriptor, CONFIG_MAX)?, &descriptor.digest.to_string())
}

fn read_configuration(bytes: &[u8], name: &str) -> Result<Configuration> {
    Configuration::read(bytes).map_err(|e| unreadable(&format!("configuration {name}")).cause(e))
}

/// Reads a document blob and compares it with its descriptor.
pub(super) fn read_blob(members: &dyn Members, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>> {
    let member = find_blob(members, descriptor)?;
    let bytes = read_within(members, &member, limit, &format!("blob {}", descriptor.digest))?;
    if digest_of(&bytes) != descriptor.digest {
        return Err(mismatch(descriptor.digest));
    }
    Ok(bytes)
}

/// Finds a blob and compares its length with its descriptor.
fn find_blob(members: &dyn Members, descriptor: &Descriptor) -> Result<Member> {
    let digest = descriptor.digest;
    let foreign = descriptor.has_urls
        || descriptor.media_type.contains("nondistributable")
        || descriptor.media_type.contains("foreign");
    let Some(member) = members.find(&blob_path(digest))? else {
        let error = missing(format!("blob {digest}"));
        return Err(if foreign { error.cause("it is a foreign layer, and nothing is fetched") } else { error });
    };
    if member.bytes != descriptor.bytes {
        return Err(Error::judge(format!("blob {digest} does not match its descriptor"))
            .cause(format!("it has {} bytes, the descriptor says {}", member.bytes, descriptor.bytes)));
    }
    Ok(member)
}

fn read_within(members: &dyn Members, member: &Member, limit: u64, name: &str) -> Result<Vec<u8>> {
    if member.bytes > limit {
        return Err(unreadable(name).cause(format!("it has {} bytes, the limit is {limit}", member.bytes)));
    }
    members.read(member, limit).map_err(|e| e.context(format!("can not read {name}")))
}

fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// Whether `name`, as the archive gives it, is what the user calls `wanted`: the whole name in any of its
/// spellings, its end, or the tag alone.
fn is_named(name: &str, wanted: &str) -> bool {
    let ends = name.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']));
    ends || full_name(name) == full_name(wanted)
}

/// The name with what Docker adds to short ones. Source: distribution/reference, `ParseNormalizedNamed`.
fn full_name(name: &str) -> String {
    let (host, rest) = match name.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
        _ => ("docker.io", name),
    };
    let library = if host == "docker.io" && !rest.contains('/') { "library/" } else { "" };
    let tag = if rest.contains([':', '@']) { "" } else { ":latest" };
    format!("{host}/{library}{rest}{tag}")
}

fn merged(mut names: Vec<String>, more: Vec<String>) -> Vec<String> {
    names.extend(more);
    names.sort();
    names.dedup();
    names
}

/// Leaves out a bare tag where the whole name is known.
fn tidy(names: Vec<String>) -> Vec<String> {
    let is_short = |name: &String| names.iter().any(|longer| longer.len() > name.len() && is_named(longer, name));
    names.iter().filter(|name| !is_short(name)).cloned().collect()
}

fn list_or(names: &[String], otherwise: &str) -> String {
    quote(&if names.is_empty() { otherwise.to_string() } else { names.join(", ") })
}

fn choose(wanted: &Wanted, none: bool, images: impl Iterator<Item = String>) -> Error {
    let what = match (none, &wanted.tag, wanted.digest) {
        (true, Some(tag), _) => format!("no image in \"{}\" is called \"{}\"", wanted.reference, quote(tag)),
        (true, None, Some(digest)) => format!("no image in \"{}\" has the digest {digest}", wanted.reference),
        (true, None, None) => return no_image(wanted, "it holds no image at all"),
        (false, _, _) => format!("\"{}\" holds several images", wanted.reference),
    };
    let listed: Vec<_> = images.take(LISTED_MAX).collect();
    Error::judge(what)
        .cause(format!("there are: {}", listed.join("; ")))
        .help("choose one with SCHEME:PATH:TAG, or by its digest with SCHEME:PATH@sha256:...")
}

/// Whether an error says that the archive holds no image, rather than that one can not be read.
pub(super) fn is_no_image(error: &Error) -> bool {
    error.what.ends_with(NO_IMAGE)
}

const NO_IMAGE: &str = " is no image";

fn no_image(wanted: &Wanted, why: &str) -> Error {
    Error::judge(format!("\"{}\"{NO_IMAGE}", wanted.reference)).cause(why)
}

fn unreadable(name: &str) -> Error {
    Error::judge(format!("can not read {name}"))
}

fn missing(name: impl std::fmt::Display) -> Error {
    Error::judge(format!("{name} is missing"))
}

fn mismatch(digest: Digest) -> Error {
    Error::judge(format!("blob {digest} does not match its digest"))
        .help("export the image again; the archive is damaged or was changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_its_spellings_its_end_and_its_tag() {
        for wanted in ["docker.io/library/redis:7", "library/redis:7", "redis:7", "7"] {
            assert!(is_named("docker.io/library/redis:7", wanted), "{wanted}");
        }
        assert!(is_named("redis:latest", "docker.io/redis"));
        assert!(is_named("1.4", "1.4"));
        for wanted in ["redis", "dis:7", "bitnami/redis:7", "quay.io/library/redis:7", ".7"] {
            assert!(!is_named("redis:7", wanted), "{wanted}");
        }
    }

    #[test]
    fn a_bare_tag_is_left_out_where_the_whole_name_is_known() {
        let names = ["1.4", "docker.io/shop/api:1.4", "2.0"].map(str::to_string);
        assert_eq!(tidy(names.to_vec()), ["docker.io/shop/api:1.4", "2.0"]);
    }
}
