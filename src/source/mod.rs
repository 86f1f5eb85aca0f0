//! Where images are: engines, archives, layouts, directories, standard input.
//!
//! Gives the image's description and the raw bytes of its layers; knows nothing of what is in a layer. Index,
//! manifest and configuration are verified here; the bytes of layers are the reader's to verify, against the digests
//! in [`ImageInfo::layers`].

mod contents;
mod document;
mod endpoint;
mod engine;
mod json;
mod layout;
mod platform;
mod provenance;
mod resolve;
mod stream;

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};

use self::{
    document::Saved,
    endpoint::Engine,
    resolve::{Shape, Wanted},
    stream::Start,
};
pub use self::{
    layout::Layout,
    stream::{Blob, Stream},
};
use crate::{
    error::{Error, Result},
    model::{Digest, ImageInfo, LayerInfo, Platform},
};

/// How images are looked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--platform`: which image of a multi-platform index; without it Linux on this machine's architecture.
    pub platform: Option<Platform>,
    /// `--docker-host`: the engine's address, before every other setting.
    pub docker_host: Option<String>,
    /// `--podman-host`: Podman's address, before every other setting.
    pub podman_host: Option<String>,
    /// `--docker-context`: the context that names the engine's address.
    pub docker_context: Option<String>,
    /// `--docker-config`: the directory of the docker client's settings, before `DOCKER_CONFIG`.
    pub docker_config: Option<String>,
    /// Most bytes of an image that is read as a stream, decompressed; without it there is no limit here.
    pub max_bytes: Option<u64>,
}

/// An image whose description is or will be known, and whose layers can be read.
pub enum Source {
    /// Layers can be read in any order and at once.
    Layout(Layout),
    /// Layers come once, and the description at the end.
    Stream(Stream),
    /// A root file system without layers and configuration.
    Rootfs(Rootfs),
}

/// A directory that holds a root file system.
#[derive(Clone, Debug)]
pub struct Rootfs {
    /// The description: no configuration, one layer without digests.
    pub image: ImageInfo,
    /// The directory.
    pub root: PathBuf,
}

/// Opens `[SCHEME:]REF`.
///
/// Schemes are `docker:`, `podman:`, `docker-archive:PATH`, `oci-archive:PATH`, `oci-dir:PATH` and `dir:PATH`; `-` is
/// an archive on standard input. Behind the three paths of images `:TAG` or `@sha256:...` chooses one of several.
/// Without a scheme an existing path is taken for what it looks like, and any other reference is asked of Docker,
/// then of Podman.
///
/// # Errors
/// When there is no such image, or what is there is not one image that every engine would read alike.
pub fn open(reference: &str, options: &Options) -> Result<Source> {
    if reference == "-" {
        return stream(reference, Box::new(io::stdin()), options);
    }
    let wanted = wanted(reference, options);
    match reference.split_once(':') {
        Some(("docker", name)) => engine::open(Engine::Docker, name, wanted, options).map(Source::Stream),
        Some(("podman", name)) => engine::open(Engine::Podman, name, wanted, options).map(Source::Stream),
        Some(("docker-archive", rest)) => {
            let (path, wanted) = selected(rest, Wanted { shape: Some(Shape::Docker), ..wanted });
            archive(&path, wanted, options)
        }
        Some(("oci-archive", rest)) => {
            let (path, wanted) = selected(rest, Wanted { shape: Some(Shape::Oci), ..wanted });
            archive(&path, wanted, options)
        }
        Some(("oci-dir", rest)) => {
            let (path, wanted) = selected(rest, wanted);
            Layout::directory(&directory(&path)?, &wanted).map(Source::Layout)
        }
        Some(("dir", rest)) => rootfs(&directory(Path::new(rest))?, reference).map(Source::Rootfs),
        _ if reference.is_empty() => Err(Error::usage("the image's name is empty")),
        _ if fs::symlink_metadata(reference).is_ok() => sniffed(Path::new(reference), wanted, options),
        _ => any_engine(reference, &wanted, options),
    }
}

/// Opens the archive that `from` gives, compressed or not; `reference` is what it is called.
///
/// # Errors
/// When its beginning can not be read.
pub fn stream(reference: &str, from: Box<dyn Read + Send>, options: &Options) -> Result<Source> {
    Stream::new(from, wanted(reference, options), options.max_bytes, None).map(Source::Stream)
}

fn wanted(reference: &str, options: &Options) -> Wanted {
    Wanted { reference: reference.to_string(), platform: options.platform.clone(), ..Wanted::default() }
}

/// What [`open`] finds, without a look at the layers. An archive that comes as a stream is read to its end, since what
/// describes it may come last.
///
/// # Errors
/// As [`open`]; a directory has no description, and standard input is the image's own.
pub fn describe(reference: &str, options: &Options) -> Result<ImageInfo> {
    if reference == "-" {
        return Err(Error::usage("standard input can not be described beside the image")
            .help("name an archive, a layout or an engine's image"));
    }
    match open(reference, options)? {
        Source::Layout(layout) => Ok(layout.image),
        Source::Stream(stream) => stream.finish().map(|(image, _)| image),
        Source::Rootfs(_) => Err(Error::usage(format!("\"{reference}\" is a directory and no image"))),
    }
}

/// Splits `PATH[:TAG][@sha256:...]`; an existing path of the whole name wins, then the longest that exists.
fn selected(rest: &str, wanted: Wanted) -> (PathBuf, Wanted) {
    let exists = |path: &str| !path.is_empty() && fs::symlink_metadata(path).is_ok();
    if exists(rest) {
        return (rest.into(), wanted);
    }
    let (rest, digest) = match rest.rsplit_once('@') {
        Some((before, digest)) => match digest.parse::<Digest>() {
            Ok(digest) => (before, Some(digest)),
            Err(_) => (rest, None),
        },
        None => (rest, None),
    };
    let (path, tag) = match rest.rmatch_indices(':').find(|(at, _)| rest.get(..*at).is_some_and(exists)) {
        Some((at, _)) if !exists(rest) => (rest.get(..at).unwrap_or(rest), rest.get(at + 1..)),
        _ => (rest, None),
    };
    (path.into(), Wanted { tag: tag.filter(|tag| !tag.is_empty()).map(str::to_string), digest, ..wanted })
}

fn directory(path: &Path) -> Result<PathBuf> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(path.to_path_buf()),
        Ok(_) => Err(Error::usage(format!("\"{}\" is no directory", path.display()))),
        Err(e) => Err(Error::usage(format!("can not open \"{}\"", path.display())).cause(e)),
    }
}

fn archive(path: &Path, wanted: Wanted, options: &Options) -> Result<Source> {
    let unreadable = |e: io::Error| Error::usage(format!("can not open \"{}\"", path.display())).cause(e);
    if fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Err(Error::usage(format!("\"{}\" is a directory", path.display()))
            .help("write oci-dir:PATH for an OCI layout, dir:PATH for a root file system"));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Stream::new(Box::new(file), wanted, options.max_bytes, None).map(Source::Stream);
    }
    let mut head = Vec::new();
    (&file).take(stream::START as u64).read_to_end(&mut head).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    match stream::start(&head) {
        Start::Gzip | Start::Zstd => {
            Stream::new(Box::new(file), wanted, options.max_bytes, None).map(Source::Stream)
        }
        Start::Alien(what) => Err(Error::judge(format!("\"{}\" is no image", wanted.reference))
            .cause(format!("it looks like {what}"))
            .help("an image is a directory, an archive of `docker save` or an OCI archive, or a name that an engine knows")),
        Start::Other => Layout::archive(file, &wanted).map(Source::Layout),
    }
}

fn rootfs(path: &Path, reference: &str) -> Result<Rootfs> {
    // Tells now that it can not be read, rather than in the middle of the scan.
    fs::read_dir(path).map_err(|e| Error::usage(format!("can not open \"{}\"", path.display())).cause(e))?;
    let image = ImageInfo {
        reference: reference.to_string(),
        layers: vec![LayerInfo::default()],
        notes: vec!["a directory has no configuration and no history, so neither is judged".to_string()],
        ..ImageInfo::default()
    };
    Ok(Rootfs { image, root: path.to_path_buf() })
}

/// Opens an existing path that was given without a scheme.
fn sniffed(path: &Path, wanted: Wanted, options: &Options) -> Result<Source> {
    let note = may_be_name(&wanted.reference).then(|| {
        format!("\"{0}\" was taken for the path; for the image of that name write docker:{0}", wanted.reference)
    });
    let marks = [path.join("oci-layout"), path.join("blobs/sha256")];
    let is_layout = path.join("index.json").is_file() && marks.iter().any(|mark| mark.exists());
    let mut source = if path.is_dir() && is_layout {
        Layout::directory(path, &wanted).map(Source::Layout)
    } else if path.is_dir() {
        refuse_unpacked(path)?;
        rootfs(path, &wanted.reference).map(Source::Rootfs)
    } else {
        archive(path, wanted, options)
    }?;
    match &mut source {
        Source::Layout(layout) => layout.image.notes.extend(note),
        Source::Rootfs(rootfs) => rootfs.image.notes.extend(note),
        Source::Stream(stream) => stream.note(note),
    }
    Ok(source)
}

/// Refuses an unpacked `docker save`: as a root file system nothing would be found in it.
fn refuse_unpacked(path: &Path) -> Result<()> {
    let mut bytes = Vec::new();
    let file = path.join("manifest.json");
    let is_read = file.is_file()
        && File::open(&file).is_ok_and(|file| file.take(resolve::MANIFEST_MAX).read_to_end(&mut bytes).is_ok());
    let is_saved = |bytes: &[u8]| Saved::read(bytes).is_ok_and(|all| all.iter().any(|saved| !saved.layers.is_empty()));
    if is_read && is_saved(&bytes) {
        return Err(Error::usage(format!("\"{}\" is an unpacked archive of an image", path.display())).help(
            "pack it again with `tar -C PATH -cf IMAGE.tar .` and scan that; for a root file system write dir:PATH",
        ));
    }
    Ok(())
}

/// Whether a path could also be the name of an image: no leading dot or slash, nothing but an image's characters.
fn may_be_name(reference: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/:@".contains(&b);
    let is_archive = [".tar", ".gz", ".tgz", ".zst"].iter().any(|end| reference.ends_with(end));
    reference.starts_with(|c: char| c.is_ascii_alphanumeric()) && reference.bytes().all(plain) && !is_archive
}

fn any_engine(name: &str, wanted: &Wanted, options: &Options) -> Result<Source> {
    if !engine::is_name(name) {
        return Err(Error::usage(format!("\"{name}\" is neither a file nor a name of an image")));
    }
    let mut tried = Error::judge(format!("can not find the image \"{name}\"")).cause("there is no such file");
    if let Some((path, tag)) = name.rsplit_once(':').filter(|(path, _)| Path::new(path).exists()) {
        tried = tried.help(format!(
            "for the image \"{tag}\" in \"{path}\" write oci-dir:, oci-archive: or docker-archive: before it"
        ));
    }
    for engine in [Engine::Docker, Engine::Podman] {
        match engine::open(engine, name, wanted.clone(), options) {
            Ok(stream) => return Ok(Source::Stream(stream)),
            // A wrong setting must not be hidden by what the next engine says.
            Err(error) if error.fault == crate::error::Fault::Usage => return Err(error),
            Err(error) => {
                if let Some(help) = &error.help {
                    tried = tried.help(help.clone());
                }
                tried = tried.cause(format!("{}: {error}", engine.scheme()));
            }
        }
    }
    Err(tried)
}
