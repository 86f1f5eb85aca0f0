//! Images as archives, layouts, streams and engines give them, well and ill formed.
//!
//! Every image is built in code; no network and no daemon: the engine is a thread that answers on a socket.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    thread,
};

use offcut::{
    error::{Error, Fault},
    model::{Digest, ImageInfo, Platform},
    source::{self, Options, Source},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

// ---- building ----

/// A tar archive; a member is a file, or a symbolic link if it starts with `->`.
fn tar<N: AsRef<str>, B: AsRef<[u8]>>(members: &[(N, B)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, body) in members {
        let body = body.as_ref();
        let (kind, link, body) = match body.strip_prefix(b"->") {
            Some(target) => (b'2', target, &[][..]),
            None => (b'0', &[][..], body),
        };
        let mut block = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, name.as_ref().as_bytes());
        put(100, b"0000644\x000000000\x000000000\x00");
        put(124, format!("{:011o}\0", body.len()).as_bytes());
        put(136, b"00000000000\x00        ");
        put(156, &[kind]);
        put(157, link);
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&block);
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

type Members = Vec<(String, Vec<u8>)>;

/// An image of two layers of which the first comes twice.
struct Built {
    layers: Vec<Vec<u8>>,
    config: Vec<u8>,
}

impl Built {
    fn new(user: &str, change: impl FnOnce(&mut Value)) -> Self {
        let (low, high) = (tar(&[("etc/x", "low")]), tar(&[("etc/y", user)]));
        let layers = vec![low.clone(), high, low];
        let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
        let mut config = json!({
            "architecture": "amd64", "os": "linux", "config": {"User": user, "Env": ["A=1"]},
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": [{"created_by": "ADD a"}, {"created_by": "ENV A=1", "empty_layer": true},
                        {"created_by": "COPY b"}, {"created_by": "COPY a"}],
        });
        change(&mut config);
        Self { layers, config: config.to_string().into_bytes() }
    }

    fn plain() -> Self {
        Self::new("1000", |_| {})
    }

    fn id(&self) -> Digest {
        digest(&self.config)
    }

    /// What `docker save` before 25 writes: one directory for each layer, a link for a repeated one.
    fn saved(&self, tag: &str) -> Members {
        let config = format!("{}.json", self.id().hex());
        let manifest =
            json!([{"Config": config, "RepoTags": [tag], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]}]);
        vec![
            ("a/VERSION".into(), b"1.0".to_vec()),
            ("a/json".into(), b"{}".to_vec()),
            ("a/layer.tar".into(), self.layers[0].clone()),
            ("b/layer.tar".into(), self.layers[1].clone()),
            ("c/layer.tar".into(), b"->../a/layer.tar".to_vec()),
            (config, self.config.clone()),
            ("manifest.json".into(), manifest.to_string().into_bytes()),
        ]
    }

    fn manifest(&self) -> Value {
        let layer = |layer: &Vec<u8>| descriptor("application/vnd.oci.image.layer.v1.tar", layer);
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &self.config),
            "layers": self.layers.iter().map(layer).collect::<Vec<_>>(),
        })
    }

    fn manifest_bytes(&self) -> Vec<u8> {
        self.manifest().to_string().into_bytes()
    }

    fn blobs(&self) -> Members {
        [&self.config, &self.manifest_bytes(), &self.layers[0], &self.layers[1]].map(|bytes| blob(bytes)).into()
    }

    /// The entry of an index for this image.
    fn entry(&self, platform: &str) -> Value {
        entry(MANIFEST, &self.manifest_bytes(), platform)
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()})
}

fn entry(kind: &str, bytes: &[u8], platform: &str) -> Value {
    let mut entry = descriptor(kind, bytes);
    if let Some((os, architecture)) = platform.split_once('/') {
        entry["platform"] = json!({"os": os, "architecture": architecture});
    }
    entry
}

fn named(mut entry: Value, name: &str) -> Value {
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    entry
}

fn blob(bytes: &[u8]) -> (String, Vec<u8>) {
    (format!("blobs/sha256/{}", digest(bytes).hex()), bytes.to_vec())
}

fn index_of(entries: &[Value]) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string().into_bytes()
}

/// An OCI layout of these images and index entries.
fn layout(images: &[&Built], entries: &[Value]) -> Members {
    let mut members: Members = images.iter().flat_map(|image| image.blobs()).collect();
    members.sort();
    members.dedup();
    members.push(("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    members.push(("index.json".into(), index_of(entries)));
    members
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(&path, bytes).expect("written");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

// ---- reading ----

fn options(platform: &str) -> Options {
    let mut parts = platform.split('/').map(str::to_string);
    let mut next = || parts.next().unwrap_or_default();
    let platform = Platform { os: next(), architecture: next(), variant: next() };
    Options { platform: (!platform.os.is_empty()).then_some(platform), ..Options::default() }
}

/// The image and the bytes of its layers, however the source gives them.
fn read(reference: &str, options: &Options) -> Result<(ImageInfo, Vec<Vec<u8>>), Error> {
    let mut layers = Vec::new();
    match source::open(reference, options)? {
        Source::Layout(layout) => {
            for at in 0..layout.image.layers.len() {
                let mut bytes = Vec::new();
                layout.layer(at)?.read_to_end(&mut bytes).map_err(|e| Error::judge("layer").cause(e))?;
                layers.push(bytes);
            }
            assert!(layout.layer(layers.len()).is_err());
            Ok((layout.image, layers))
        }
        Source::Stream(mut stream) => {
            let mut blobs = std::collections::HashMap::new();
            while let Some(blob) = stream.next_blob()? {
                let mut bytes = Vec::new();
                blob.reader.read_to_end(&mut bytes).map_err(|e| Error::judge("blob").cause(e))?;
                assert_eq!(blob.bytes, bytes.len() as u64);
                if blob.promised.is_some_and(|promised| promised != digest(&bytes)) {
                    return Err(Error::judge(format!("{} does not match its descriptor", blob.key)));
                }
                blobs.insert(blob.key, bytes);
            }
            let (image, keys) = stream.finish()?;
            layers.extend(keys.iter().map(|key| blobs[key].clone()));
            Ok((image, layers))
        }
        Source::Rootfs(rootfs) => Ok((rootfs.image, layers)),
    }
}

/// Reads an archive as a file and as a compressed stream; both must say the same.
fn read_both(members: &Members, selector: &str, platform: &str) -> Result<ImageInfo, Error> {
    let dir = TempDir::new().expect("a directory");
    let scheme = if members.iter().any(|(name, _)| name == "manifest.json") { "docker-archive" } else { "oci-archive" };
    let bytes = tar(members);
    let [mut file, mut stream] = [("x.tar", bytes.clone()), ("x.tar.gz", gzip(&bytes))].map(|(name, bytes)| {
        let path = put(dir.path(), name, &bytes);
        read(&format!("{scheme}:{}{selector}", path.display()), &options(platform))
    });
    for (image, layers) in file.iter_mut().chain(&mut stream) {
        let ids: Vec<_> = layers.iter().map(|layer| Some(digest(layer))).collect();
        assert_eq!(ids, image.layers.iter().map(|layer| layer.diff_id).collect::<Vec<_>>());
        image.reference.clear();
    }
    assert_eq!(file.is_ok(), stream.is_ok(), "{:?} {:?}", file.err(), stream.err());
    if let (Ok(file), Ok(stream)) = (&file, &stream) {
        assert_eq!(file, stream);
    }
    file.map(|(image, _)| image)
}

#[track_caller]
fn refused(members: &Members, selector: &str, platform: &str, why: &str) {
    let error = read_both(members, selector, platform).expect_err(why);
    assert_eq!(error.fault, Fault::Judge);
    assert!(error.to_string().contains(why), "wanted \"{why}\" in: {error}");
}

// ---- docker-archive ----

#[test]
fn an_archive_of_docker_save_is_read_as_a_file_and_as_a_stream() {
    let built = Built::plain();
    let mut members = built.saved("shop/api:1.4");
    let image = read_both(&members, "", "").expect("an image");
    assert_eq!(image.names, ["shop/api:1.4"]);
    assert_eq!(image.id, Some(built.id()));
    assert_eq!(image.config.expect("one").user, "1000");
    let commands: Vec<_> = image.layers.iter().map(|l| l.history.as_ref().map(|h| h.created_by.as_str())).collect();
    assert_eq!(commands, [Some("ADD a"), Some("COPY b"), Some("COPY a")]);
    members.reverse();
    assert!(read_both(&members, "", "").is_ok(), "the order of members does not matter");
}

#[test]
fn one_of_several_images_is_chosen_by_name_or_digest() {
    let (one, two) = (Built::plain(), Built::new("0", |_| {}));
    let mut members = one.saved("shop/api:1.4");
    members.retain(|(name, _)| name != "manifest.json");
    members.push((format!("{}.json", two.id().hex()), two.config.clone()));
    members.push(("d/layer.tar".into(), two.layers[1].clone()));
    let manifest = json!([
        {"Config": format!("{}.json", one.id().hex()), "RepoTags": ["shop/api:1.4"], "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]},
        {"Config": format!("{}.json", two.id().hex()), "RepoTags": ["redis:latest"], "Layers": ["a/layer.tar", "d/layer.tar", "c/layer.tar"]},
    ]);
    members.push(("manifest.json".into(), manifest.to_string().into_bytes()));
    refused(&members, "", "", "shop/api:1.4; redis:latest");
    refused(&members, ":nope", "", "is called \"nope\"");
    for (selector, want) in [
        (":shop/api:1.4".to_string(), &one),
        (":1.4".to_string(), &one),
        (":redis".to_string(), &two),
        (":docker.io/library/redis:latest".to_string(), &two),
        (format!("@{}", two.id()), &two),
    ] {
        assert_eq!(read_both(&members, &selector, "").expect(&selector).id, Some(want.id()), "{selector}");
    }
}

#[test]
fn a_configuration_that_is_not_what_its_name_says_is_refused() {
    let built = Built::plain();
    let mut members = built.saved("x:1");
    members[5].1 = Built::new("0", |_| {}).config;
    refused(&members, "", "", &format!("blob {} does not match its digest", built.id()));
}

#[test]
fn doubled_documents_are_refused() {
    let mut members = Built::plain().saved("x:1");
    let twin = members[6].1.clone();
    members.insert(0, ("./a/../manifest.json".into(), twin));
    refused(&members, "", "", "\"manifest.json\" stands twice");
}

#[test]
fn an_archive_that_unpacks_to_something_else_is_refused() {
    let mut members = Built::plain().saved("x:1");
    members.insert(0, ("z".into(), b"->.".to_vec()));
    assert!(read_both(&members, "", "").is_ok(), "a link alone does no harm");
    members.push(("z/manifest.json".into(), b"[]".to_vec()));
    refused(&members, "", "", "lies below the link");
}

#[test]
fn twin_keys_are_refused_where_go_would_take_the_last() {
    let built = Built::plain();
    let mut members = built.saved("x:1");
    let text = String::from_utf8(members[6].1.clone()).expect("text");
    members[6].1 = text.replace("\"Layers\":", "\"lAYERS\":[],\"Layers\":").into_bytes();
    refused(&members, "", "", "stands twice");
}

#[test]
fn layers_and_configuration_must_agree_in_number() {
    let built = Built::new("1", |config| drop(config["rootfs"]["diff_ids"].as_array_mut().expect("a list").pop()));
    refused(&built.saved("x:1"), "", "", "it lists 2 layers (rootfs.diff_ids), the manifest 3");
}

#[test]
fn a_history_that_does_not_match_is_left_out_with_a_note() {
    let built = Built::new("1", |config| drop(config["history"].as_array_mut().expect("a list").pop()));
    let image = read_both(&built.saved("x:1"), "", "").expect("an image");
    assert!(image.layers.iter().all(|layer| layer.history.is_none()));
    assert!(image.notes.iter().any(|note| note.contains("history")));
}

#[test]
fn windows_images_are_refused() {
    let built = Built::new("1", |config| config["os"] = json!("windows"));
    refused(&built.saved("x:1"), "", "", "is a Windows image");
}

#[test]
fn layers_outside_the_archive_are_missing() {
    let dir = TempDir::new().expect("a directory");
    let host = put(dir.path(), "layer.tar", b"host");
    for target in [host.display().to_string(), "../../../../../../etc/passwd".to_string()] {
        let mut members = Built::plain().saved("x:1");
        members[2].1 = format!("->{target}").into_bytes();
        refused(&members, "", "", "is missing");
    }
}

#[test]
fn a_layer_that_looks_like_a_document_is_refused() {
    let mut members = Built::plain().saved("x:1");
    members[3].1 = b"{}".to_vec();
    let dir = TempDir::new().expect("a directory");
    let path = put(dir.path(), "x.tar.gz", &gzip(&tar(&members)));
    let error = read(&path.display().to_string(), &Options::default()).expect_err("no layer");
    assert!(error.to_string().contains("looks like JSON"), "{error}");
}

// ---- OCI ----

#[test]
fn an_oci_layout_is_read_as_directory_archive_and_stream() {
    let built = Built::plain();
    let members = layout(&[&built], &[named(built.entry(""), "1.4")]);
    let from_archive = read_both(&members, "", "").expect("an image");
    assert_eq!(from_archive.manifest, Some(digest(&built.manifest_bytes())));
    assert_eq!(from_archive.layers[1].blob_bytes, Some(built.layers[1].len() as u64));
    let dir = TempDir::new().expect("a directory");
    for (name, bytes) in &members {
        put(dir.path(), name, bytes);
    }
    let (mut from_dir, layers) = read(&dir.path().display().to_string(), &Options::default()).expect("an image");
    from_dir.reference.clear();
    assert_eq!(from_dir, from_archive);
    assert_eq!(layers, built.layers);
    assert!(read(&format!("oci-dir:{}:1.4", dir.path().display()), &Options::default()).is_ok());
    assert!(read(&format!("oci-dir:{}:nope", dir.path().display()), &Options::default()).is_err());
}

#[test]
fn every_document_is_verified_against_digest_and_size() {
    let built = Built::plain();
    let good = layout(&[&built], &[built.entry("")]);
    for bytes in [&built.config, &built.manifest_bytes()] {
        let (name, _) = blob(bytes);
        let mut members = good.clone();
        let member = members.iter_mut().find(|(n, _)| *n == name).expect("the blob");
        member.1 = String::from_utf8(member.1.clone())
            .expect("text")
            .replace("linux", "Linux")
            .replace("config", "Config")
            .into_bytes();
        refused(&members, "", "", &format!("blob {} does not match its digest", digest(bytes)));
        member_of(&mut members, &name).push(b' ');
        refused(&members, "", "", &format!("blob {} does not match its descriptor", digest(bytes)));
        members.retain(|(n, _)| *n != name);
        assert!(read_both(&members, "", "").is_err());
    }
    let mut members = good.clone();
    member_of(&mut members, &blob(&built.layers[1]).0).pop();
    refused(&members, "", "", "does not match its descriptor");
}

fn member_of<'m>(members: &'m mut Members, name: &str) -> &'m mut Vec<u8> {
    &mut members.iter_mut().find(|(n, _)| n == name).expect("the member").1
}

#[test]
fn the_platform_is_chosen_and_said() {
    let (amd, arm) = (Built::plain(), Built::new("7", |config| config["architecture"] = json!("arm64")));
    let attestation = entry(MANIFEST, b"not here", "unknown/unknown");
    let inner = index_of(&[amd.entry("linux/amd64"), arm.entry("linux/arm64"), attestation]);
    let mut members = layout(&[&amd, &arm], &[entry(INDEX, &inner, "")]);
    members.push(blob(&inner));
    let image = read_both(&members, "", "linux/arm64").expect("arm64");
    assert_eq!(image.id, Some(arm.id()));
    assert!(image.notes.iter().any(|note| note.contains("linux/amd64, linux/arm64")), "{:?}", image.notes);
    assert!(image.notes.iter().any(|note| note.contains("1 attestation")));
    assert_eq!(read_both(&members, "", "linux/amd64").expect("amd64").id, Some(amd.id()));
    refused(&members, "", "linux/s390x", "the platforms are linux/amd64, linux/arm64");
    let by_digest = format!("@{}", digest(&arm.manifest_bytes()));
    assert_eq!(read_both(&members, &by_digest, "").expect("by digest").id, Some(arm.id()));
}

#[test]
fn the_only_platform_there_is_is_taken_with_a_note() {
    let odd = Built::new("7", |config| config["architecture"] = json!("mips"));
    let inner = index_of(&[odd.entry("linux/mips")]);
    let mut members = layout(&[&odd], &[entry(INDEX, &inner, "")]);
    members.push(blob(&inner));
    let image = read_both(&members, "", "").expect("the only one");
    assert!(image.notes.iter().any(|note| note.contains("linux/mips")), "{:?}", image.notes);
    refused(&members, "", "linux/amd64", "there is no image for linux/amd64");
}

#[test]
fn an_annotation_does_not_hide_the_image_that_engines_choose() {
    let built = Built::plain();
    let mut sly = built.entry("linux/amd64");
    sly["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let other = Built::new("0", |config| config["architecture"] = json!("arm64"));
    let members = layout(&[&built, &other], &[sly, other.entry("linux/arm64")]);
    assert_eq!(read_both(&members, "", "linux/amd64").expect("an image").id, Some(built.id()));
}

/// The attestation of an image and its statement, as BuildKit 0.13 of Docker 26 writes them with `--provenance=mode=max`;
/// the steps of the build are left out.
fn attested(image: &Built, dockerfile: &str) -> (Value, Members) {
    let range = json!({"start": {"line": 2}, "end": {"line": 2}});
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2", "subject": [],
        "predicate": {
            "builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1",
            "materials": [{"uri": "pkg:docker/base@latest?platform=linux%2Famd64", "digest": {"sha256": "8280eef0"}}],
            "invocation": {
                "configSource": {"entryPoint": "app.Dockerfile"},
                "parameters": {
                    "frontend": "dockerfile.v0", "args": {"build-arg:WHO": "me", "force-network-mode": "host"},
                    "locals": [{"name": "context"}, {"name": "dockerfile"}],
                },
                "environment": {"platform": "linux/amd64"},
            },
            "buildConfig": {"llbDefinition": []},
            "metadata": {
                "completeness": {"parameters": true, "environment": true, "materials": false}, "reproducible": false,
                "https://mobyproject.org/buildkit@v1#metadata": {"source": {
                    "locations": {"step0": {"locations": [{"ranges": [range]}]}, "step1": {}},
                    "infos": [{"filename": "app.Dockerfile", "language": "Dockerfile", "data": dockerfile}],
                }},
            },
        },
    });
    let statement = statement.to_string().into_bytes();
    let mut layer = descriptor("application/vnd.in-toto+json", &statement);
    layer["annotations"] = json!({"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"});
    let ids = [digest(&statement)];
    let config = json!({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": ids}});
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer],
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut beside = entry(MANIFEST, &manifest, "unknown/unknown");
    beside["annotations"] = json!({
        "vnd.docker.reference.digest": digest(&image.manifest_bytes()),
        "vnd.docker.reference.type": "attestation-manifest",
    });
    (beside, vec![blob(&statement), blob(&config), blob(&manifest)])
}

#[test]
fn the_dockerfile_of_the_provenance_belongs_to_its_image_alone() {
    const DATA: &str = "RlJPTSBiYXNlCkNPUFkgYSAvCg==";
    let (amd, arm) = (Built::plain(), Built::new("7", |config| config["architecture"] = json!("arm64")));
    let (beside, documents) = attested(&amd, DATA);
    let inner = index_of(&[amd.entry("linux/amd64"), arm.entry("linux/arm64"), beside.clone()]);
    let mut members = layout(&[&amd, &arm], &[entry(INDEX, &inner, "")]);
    members.push(blob(&inner));
    members.extend(documents.clone());
    let read = |members: &Members, platform: &str| {
        let image = read_both(members, "", platform).expect("an image");
        image.built_from.map(|built| (built.name, String::from_utf8(built.text).expect("text"), built.target))
    };
    let want = Some(("app.Dockerfile".to_string(), "FROM base\nCOPY a /\n".to_string(), None));
    assert_eq!(read(&members, "linux/amd64"), want);
    assert_eq!(read(&members, "linux/arm64"), None);
    // Beside the images in `index.json`, where only they have names; and an image that is chosen by its digest.
    let tops = [named(amd.entry("linux/amd64"), "a"), named(arm.entry("linux/arm64"), "b"), beside];
    let flat = [layout(&[&amd, &arm], &tops), documents.clone()].concat();
    let by_digest = format!("@{}", digest(&amd.manifest_bytes()));
    for (members, tag, want) in [(&flat, ":a", &want), (&flat, ":b", &None), (&members, &by_digest, &want)] {
        let image = read_both(members, tag, "").expect("an image");
        let built =
            image.built_from.map(|built| (built.name, String::from_utf8(built.text).expect("text"), built.target));
        assert_eq!(&built, want, "{tag}");
    }
    // What is damaged, or is not there, is no fault of the image.
    for (name, _) in &documents {
        let mut damaged = members.clone();
        *member_of(&mut damaged, name).last_mut().expect("it has bytes") = b' ';
        assert_eq!(read(&damaged, "linux/amd64").is_some(), *name == documents[1].0, "{name}");
        damaged.retain(|(other, _)| other != name);
        assert_eq!(read(&damaged, "linux/amd64").is_some(), *name == documents[1].0, "{name}");
    }
}

#[test]
fn two_images_for_one_platform_are_refused() {
    let (one, two) = (Built::plain(), Built::new("0", |_| {}));
    let members = layout(&[&one, &two], &[one.entry("linux/amd64"), two.entry("linux/amd64")]);
    refused(&members, "", "linux/amd64", "several images for linux/amd64");
    let members = layout(&[&one, &two], &[named(one.entry(""), "a"), named(two.entry(""), "b")]);
    refused(&members, "", "linux/amd64", "there are: a; b");
    assert_eq!(read_both(&members, ":b", "").expect("b").id, Some(two.id()));
}

#[test]
fn a_foreign_layer_that_is_not_there_is_not_fetched() {
    let built = Built::plain();
    let mut manifest = built.manifest();
    manifest["layers"][1]["urls"] = json!(["ftp://there.invalid/layer"]);
    let bytes = manifest.to_string().into_bytes();
    let mut members = layout(&[&built], &[entry(MANIFEST, &bytes, "")]);
    members.push(blob(&bytes));
    assert!(read_both(&members, "", "").is_ok(), "its blob is there");
    members.retain(|(name, _)| *name != blob(&built.layers[1]).0);
    refused(&members, "", "", "foreign layer, and nothing is fetched");
}

#[test]
fn an_artefact_is_no_image() {
    let built = Built::plain();
    let mut manifest = built.manifest();
    manifest["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
    let bytes = manifest.to_string().into_bytes();
    let mut members = layout(&[&built], &[entry(MANIFEST, &bytes, "")]);
    members.push(blob(&bytes));
    refused(&members, "", "", "artefact of the type \"application/vnd.cncf.helm.config.v1+json\"");
}

#[test]
fn indexes_that_name_each_other_end() {
    // A digest can not name itself, so a chain of many levels is the worst there is.
    let built = Built::plain();
    let mut below = entry(INDEX, &index_of(&[built.entry("linux/amd64")]), "");
    let mut members = layout(&[&built], &[]);
    members.push(blob(&index_of(&[built.entry("linux/amd64")])));
    for _ in 0..10 {
        let bytes = index_of(&[below]);
        below = entry(INDEX, &bytes, "");
        members.push(blob(&bytes));
    }
    *member_of(&mut members, "index.json") = index_of(&[below]);
    refused(&members, "", "", "levels of indexes");
}

// ---- both tables of contents ----

/// What `docker save` since 25 writes.
fn saved_as_oci(built: &Built, listed: &Built) -> Members {
    let mut entry = named(built.entry(""), "1.4");
    entry["annotations"]["io.containerd.image.name"] = json!("docker.io/shop/api:1.4");
    let mut members = layout(&[built, listed], &[entry]);
    let path = |bytes: &Vec<u8>| blob(bytes).0;
    let manifest = json!([{
        "Config": path(&listed.config), "RepoTags": ["shop/api:1.4"],
        "Layers": listed.layers.iter().map(path).collect::<Vec<_>>(),
    }]);
    members.push(("manifest.json".into(), manifest.to_string().into_bytes()));
    members
}

#[test]
fn two_tables_of_contents_that_agree_are_one_image() {
    let built = Built::plain();
    let members = saved_as_oci(&built, &built);
    let image = read_both(&members, "", "").expect("an image");
    assert_eq!(image.names, ["docker.io/shop/api:1.4"]);
    assert_eq!(image.layers[0].blob, Some(digest(&built.layers[0])));
    for selector in [":shop/api:1.4", ":1.4", &format!("@{}", digest(&built.manifest_bytes()))] {
        assert!(read_both(&members, selector, "").is_ok(), "{selector}");
    }
}

#[test]
fn two_tables_of_contents_that_differ_are_refused() {
    let (clean, sly) = (Built::plain(), Built::new("0", |_| {}));
    refused(&saved_as_oci(&clean, &sly), "", "", "manifest.json and index.json differ");
    refused(&saved_as_oci(&sly, &clean), "", "linux/amd64", "manifest.json and index.json differ");
    let root = Built::new("1000", |config| config["config"]["User"] = json!("0"));
    assert_eq!(root.layers, clean.layers);
    refused(&saved_as_oci(&clean, &root), "", "", &root.id().to_string());
}

#[test]
fn another_platform_than_the_listed_one_is_read_when_it_is_asked_for() {
    // Docker lists the one platform it runs; the index has them all.
    let (amd, arm) = (Built::plain(), Built::new("7", |config| config["architecture"] = json!("arm64")));
    let mut members = saved_as_oci(&amd, &amd);
    let inner = index_of(&[amd.entry("linux/amd64"), arm.entry("linux/arm64")]);
    *member_of(&mut members, "index.json") = index_of(&[entry(INDEX, &inner, "")]);
    members.push(blob(&inner));
    members.extend(arm.blobs().into_iter().filter(|(name, _)| !amd.blobs().iter().any(|(known, _)| known == name)));
    assert_eq!(read_both(&members, "", "linux/arm64").expect("arm64").id, Some(arm.id()));
    let stranger = Built::new("0", |_| {});
    let listed = json!([{"Config": blob(&stranger.config).0, "Layers": stranger.layers.iter().map(|l| blob(l).0).collect::<Vec<_>>()}]);
    *member_of(&mut members, "manifest.json") = listed.to_string().into_bytes();
    members
        .extend(stranger.blobs().into_iter().filter(|(name, _)| !amd.blobs().iter().any(|(known, _)| known == name)));
    refused(&members, "", "linux/arm64", "manifest.json and index.json differ");
}

// ---- damage ----

#[test]
fn an_archive_cut_short_anywhere_is_never_a_smaller_image() {
    let built = Built::plain();
    let bytes = tar(&built.saved("x:1"));
    let dir = TempDir::new().expect("a directory");
    let padding = built.saved("x:1")[6].1.len().next_multiple_of(512) - built.saved("x:1")[6].1.len();
    let end_of_members = bytes.len() - 1024 - padding;
    for len in (0..bytes.len()).step_by(131) {
        for (name, cut) in [("x.tar", bytes[..len].to_vec()), ("x.tar.gz", gzip(&bytes[..len]))] {
            let path = put(dir.path(), name, &cut);
            let outcome = read(&path.display().to_string(), &Options::default());
            // As in Go, padding and end marker may be missing; nothing else may.
            assert!(outcome.is_err() || len >= end_of_members, "{name} of {len} bytes");
        }
    }
    for whole in [gzip(&bytes), zstd::encode_all(&bytes[..], 1).expect("in memory")] {
        assert!(read(&put(dir.path(), "y", &whole).display().to_string(), &Options::default()).is_ok());
        for len in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
            let path = put(dir.path(), "y", &whole[..len]);
            assert!(read(&path.display().to_string(), &Options::default()).is_err(), "{len} compressed bytes");
        }
    }
}

#[test]
fn changed_bytes_never_panic_and_never_change_what_is_verified() {
    let built = Built::plain();
    let good = tar(&saved_as_oci(&built, &built));
    let dir = TempDir::new().expect("a directory");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).expect("small")
    };
    for round in 0..400 {
        let mut bytes = good.clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = u8::try_from(random(256)).expect("a byte");
        }
        let path = put(dir.path(), "x.tar", &bytes);
        if let Ok((image, _)) = read(&path.display().to_string(), &Options::default()) {
            assert_eq!(image.id, Some(built.id()), "round {round}");
            assert_eq!(image.config.expect("one").user, "1000");
        }
    }
}

#[test]
fn a_stream_has_the_limit_it_is_given() {
    let dir = TempDir::new().expect("a directory");
    let path = put(dir.path(), "x.tar.gz", &gzip(&tar(&Built::plain().saved("x:1"))));
    let limited = Options { max_bytes: Some(4096), ..Options::default() };
    let error = read(&path.display().to_string(), &limited).expect_err("too long");
    assert!(error.to_string().contains("limit exceeded"), "{error}");
}

// ---- what else a path can be ----

#[test]
fn what_is_no_image_is_said_to_be_what_it_looks_like() {
    let dir = TempDir::new().expect("a directory");
    for (bytes, why) in [
        (Vec::new(), "an empty file"),
        (b"\x7fELF\x02\x01\x01".to_vec(), "a program"),
        (b"\xfd7zXZ\0".to_vec(), "an xz archive"),
        (b"FROM scratch\n".to_vec(), "a Dockerfile"),
        (tar(&[("etc/passwd", ""), ("usr/bin/x", "")]), "looks like a root file system"),
        (tar(&[("some/file", "")]), "neither manifest.json nor index.json"),
        (gzip(&tar(&[("etc/passwd", ""), ("usr/bin/x", "")])), "looks like a root file system"),
        (vec![7; 4000], "no tar header"),
    ] {
        let path = put(dir.path(), "file", &bytes);
        let error = read(&path.display().to_string(), &Options::default()).expect_err(why);
        assert!(error.to_string().contains(why), "wanted \"{why}\" in: {error}");
    }
}

#[test]
fn a_directory_is_a_root_file_system() {
    let dir = TempDir::new().expect("a directory");
    for reference in [dir.path().display().to_string(), format!("dir:{}", dir.path().display())] {
        let found = match source::open(&reference, &Options::default()) {
            Ok(Source::Rootfs(rootfs)) => Some((rootfs.root, rootfs.image.config, rootfs.image.layers.len())),
            _ => None,
        };
        assert_eq!(found, Some((dir.path().to_path_buf(), None, 1)));
    }
    let error = source::open("dir:/does/not/exist", &Options::default()).err().expect("missing");
    assert_eq!(error.fault, Fault::Usage);
}

#[test]
fn an_unpacked_archive_is_no_root_file_system() {
    let dir = TempDir::new().expect("a directory");
    for (name, bytes) in Built::plain().saved("x:1") {
        put(dir.path(), &name, &bytes);
    }
    let error = read(&dir.path().display().to_string(), &Options::default()).expect_err("an image, unpacked");
    assert!(error.to_string().contains("unpacked archive"), "{error}");
    assert!(read(&format!("dir:{}", dir.path().display()), &Options::default()).is_ok());
}

#[test]
fn a_layout_of_links_is_read_and_one_of_odd_files_is_not() {
    let built = Built::plain();
    let (store, dir) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    for (name, bytes) in layout(&[&built], &[built.entry("")]) {
        let file = put(store.path(), &name, &bytes);
        let link = dir.path().join(&name);
        fs::create_dir_all(link.parent().expect("a parent")).expect("made");
        symlink(file, link).expect("linked");
    }
    let reference = format!("oci-dir:{}", dir.path().display());
    assert!(read(&reference, &Options::default()).is_ok());
    let layer = dir.path().join(blob(&built.layers[1]).0);
    fs::remove_file(&layer).expect("removed");
    symlink("/dev/zero", &layer).expect("linked");
    assert!(read(&reference, &Options::default()).expect_err("endless").to_string().contains("no regular file"));
}

#[test]
fn layers_are_read_from_several_threads_at_once() {
    let dir = TempDir::new().expect("a directory");
    let built = Built::plain();
    let path = put(dir.path(), "x.tar", &tar(&built.saved("x:1")));
    let layout = match source::open(&path.display().to_string(), &Options::default()) {
        Ok(Source::Layout(layout)) => Some(layout),
        _ => None,
    };
    let layout = layout.expect("a plain file has random access");
    thread::scope(|scope| {
        for round in 0..8 {
            let (layout, built) = (&layout, &built);
            scope.spawn(move || {
                let mut bytes = Vec::new();
                layout.layer(round % 3).expect("a layer").read_to_end(&mut bytes).expect("read");
                assert_eq!(bytes, built.layers[round % 3]);
            });
        }
    });
}

// ---- engines ----

/// Answers like an engine's API until the test ends: the image id it tells, and the archive it exports, cut or not.
fn engine(dir: &Path, id: Digest, archive: Vec<u8>, is_whole: bool) -> Options {
    let socket = dir.join("engine.sock");
    let listener = UnixListener::bind(&socket).expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, body) = if path.ends_with("/version") {
                ("200 OK", json!({"ApiVersion": "1.41"}).to_string().into_bytes())
            } else if path.ends_with("/shop/api/json") {
                ("200 OK", json!({"Id": id, "RepoTags": ["shop/api:1.4"]}).to_string().into_bytes())
            } else if path.ends_with(&format!("/images/{id}/get")) {
                ("200 OK", archive.clone())
            } else {
                ("404 Not Found", json!({"message": "no such image"}).to_string().into_bytes())
            };
            let is_cut = path.ends_with("/get") && !is_whole;
            let promised = if is_cut { body.len() + 1 } else { body.len() };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {promised}\r\nConnection: close\r\n\r\n"
            );
            // The reader may have left.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    Options { docker_host: Some(format!("unix://{}", socket.display())), ..Options::default() }
}

#[test]
fn an_engine_exports_the_image_it_described() {
    let dir = TempDir::new().expect("a directory");
    let built = Built::plain();
    let options = engine(dir.path(), built.id(), tar(&built.saved("other:name")), true);
    for reference in ["docker:shop/api", "shop/api"] {
        let (image, layers) = read(reference, &options).expect(reference);
        assert_eq!(
            (image.id, image.names, layers),
            (Some(built.id()), vec!["shop/api:1.4".to_string()], built.layers.clone())
        );
    }
    let error = read("docker:nope", &options).expect_err("not there");
    assert!(error.to_string().contains("no image \"nope\""), "{error}");
    assert!(error.help.expect("help").contains("docker pull nope"));
    assert_eq!(read("docker:../../containers", &options).expect_err("no name").fault, Fault::Usage);
}

#[test]
fn an_engine_that_exports_another_image_is_refused() {
    let dir = TempDir::new().expect("a directory");
    let options = engine(dir.path(), Built::plain().id(), tar(&Built::new("0", |_| {}).saved("x:1")), true);
    let error = read("docker:shop/api", &options).expect_err("another");
    assert!(error.to_string().contains("another image than it described"), "{error}");
}

#[test]
fn an_export_that_breaks_off_is_never_a_whole_image() {
    let dir = TempDir::new().expect("a directory");
    let built = Built::plain();
    let options = engine(dir.path(), built.id(), tar(&built.saved("x:1")), false);
    let error = read("docker:shop/api", &options).expect_err("cut after the last byte of the archive");
    assert!(error.to_string().contains("failed"), "{error}");
}

#[test]
fn an_engine_that_is_not_there_is_named_with_its_socket() {
    let options = Options { podman_host: Some("unix:///does/not/exist.sock".to_string()), ..Options::default() };
    let error = read("podman:x", &options).expect_err("no engine");
    assert!(error.to_string().contains("unix:///does/not/exist.sock: there is no such socket"), "{error}");
}
