//! The whole way from a reference to a report.

use std::{
    collections::HashMap,
    io::Read,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    attribution::{self, Attribution, find, lines::Lines, told::Dockerfile},
    catalogue::Catalogue,
    error::{Error, Result},
    inventory::{Inventory, ledger::Ledger},
    layer::{self, Limits, PeelError, Peeler, Promise},
    model::{
        BaseLayers, BuiltFrom, Coverage, Diagnostic, Fix, GivenBase, ImageInfo, LayerFacts, LayerInfo, LayerSummary,
        Report, ToolInfo,
    },
    probe::Probes,
    remedy, rule,
    source::{self, Layout, Source, Stream},
};

/// How a scan is done.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Where images are looked for.
    pub source: source::Options,
    /// The image that this one was built upon, if the user knows it.
    pub base: Option<String>,
    /// The Dockerfile that the image is built from, if the user knows it.
    pub dockerfile: Option<Dockerfile>,
    /// Where it is looked for otherwise: the root of the image's sources.
    pub sources: Option<PathBuf>,
    /// The stage of a Dockerfile below `sources` that was built.
    pub target: Option<String>,
    /// Threads that decompress, hash and read; 0 means one for each core.
    pub jobs: usize,
    /// What an image may ask for.
    pub limits: Limits,
    /// Whether secrets are looked for; [`read`] and [`account`] never do.
    pub secrets: bool,
    /// The time that tokens are held against, in seconds since 1970.
    pub now: i64,
    /// How far the scan is; read it from another thread.
    pub progress: Arc<Progress>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            source: source::Options::default(),
            base: None,
            dockerfile: None,
            sources: None,
            target: None,
            jobs: 0,
            limits: Limits::default(),
            secrets: true,
            now: i64::try_from(now).unwrap_or(i64::MAX),
            progress: Arc::default(),
        }
    }
}

/// How far a scan is, in stored bytes.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read.
    pub done: AtomicU64,
    /// Bytes to read; 0 while unknown.
    pub total: AtomicU64,
}

/// Scans the image that `[SCHEME:]REF` names, and judges it.
///
/// # Errors
/// When there is no such image, or a part of it can not be read: then nothing was judged.
pub fn scan(reference: &str, catalogue: &Catalogue, options: &ScanOptions) -> Result<Report> {
    scan_source(source::open(reference, &options.source)?, catalogue, options)
}

/// Scans the image whose archive `from` gives, and judges it; `reference` is what it is called.
///
/// # Errors
/// As [`scan`].
pub fn scan_stream(
    reference: &str,
    from: Box<dyn Read + Send>,
    catalogue: &Catalogue,
    options: &ScanOptions,
) -> Result<Report> {
    scan_source(source::stream(reference, from, &options.source)?, catalogue, options)
}

/// Like [`scan`]; where the image turns out to be that of `known`, which the same options gave, its layers are not read
/// again. An image that comes as a stream is known only when it has been read.
///
/// # Errors
/// As [`scan`].
pub fn scan_unless_known(
    reference: &str,
    catalogue: &Catalogue,
    options: &ScanOptions,
    known: &Report,
) -> Result<Report> {
    let source = source::open(reference, &options.source)?;
    let is_known = |image: &ImageInfo| {
        let same = |a: &ImageInfo, b: &ImageInfo| (a.id, a.manifest, &a.notes) == (b.id, b.manifest, &b.notes);
        image.id.is_some() && same(image, &known.image)
    };
    match &source {
        Source::Layout(layout) if is_known(&layout.image) => {
            let mut report = known.clone();
            report.image.reference.clone_from(&layout.image.reference);
            report.image.names.clone_from(&layout.image.names);
            Ok(report)
        }
        _ => scan_source(source, catalogue, options),
    }
}

fn scan_source(source: Source, catalogue: &Catalogue, options: &ScanOptions) -> Result<Report> {
    let pool = threads(options)?;
    let (image, inventory) = read_with(&pool, source, catalogue, options, options.secrets)?;
    // Lines are recognised by what the history really says, secrets included.
    let Given { dockerfile, mut untold } = given(&image, catalogue, options);
    let written = dockerfile.as_ref().map(|(dockerfile, lines)| rule::Written { dockerfile, lines });
    let rule::Judged { mut findings, role, base, image: masked } =
        pool.install(|| rule::judge_written(catalogue, &inventory, &image, written.as_ref(), options.now));
    if let Some((dockerfile, lines)) = &dockerfile {
        untold.extend(dockerfile.tell(lines, &mut findings, |text| rule::masked(catalogue, text)));
    }
    let file = dockerfile.as_ref().map(|(dockerfile, _)| dockerfile);
    // What the bases have is not asked: that may take longer than the scan.
    let rewrite = || remedy::fix(&image, &inventory, &findings, file, catalogue, &|_| None);
    let fix = remedy::is_worth(&findings).then(|| pool.install(rewrite)).map(|fix| shown(fix, catalogue));
    if let Some(fix) = &fix {
        remedy::fill(fix, &mut findings);
    }
    if let Some(file) = file {
        remedy::local::patch(file.file(), &image, &mut findings);
        findings.iter_mut().for_each(|finding| {
            finding.patch = finding.patch.take().filter(|patch| rule::shown(catalogue, &patch.text) == patch.text);
        });
    }
    let image = masked;
    let user = image.config.as_ref().map(|c| rule::effective_user(&c.user, inventory.users(), inventory.groups()));
    Ok(Report {
        layers: summarise(&image, &inventory),
        totals: inventory.totals(),
        user,
        role,
        base,
        findings,
        fix,
        searched: options.secrets.then(|| searched(&inventory)),
        diagnostics: diagnose(&image, &inventory).into_iter().chain(untold).collect(),
        rules: catalogue.about(),
        policy: None,
        dockerfile: dockerfile.as_ref().map(|(dockerfile, _)| dockerfile.name().to_string()),
        frameworks: catalogue.frameworks.clone(),
        tool: tool(catalogue),
        image: image.redacted(),
    })
}

/// What a report may show of a rewrite: no value of a secret, whoever wrote it.
fn shown(fix: Fix, catalogue: &Catalogue) -> Fix {
    let Fix::Rewritten(mut rewrite) = fix else { return fix };
    rewrite.old.clear();
    for text in [&mut rewrite.dockerfile, &mut rewrite.stage, &mut rewrite.diff] {
        *text = rule::shown(catalogue, text);
    }
    Fix::Rewritten(rewrite)
}

/// The Dockerfile of an image.
struct Given {
    dockerfile: Option<(Dockerfile, Lines)>,
    /// Why there is none, where one was looked for.
    untold: Vec<Diagnostic>,
}

/// The Dockerfile that the user gave, or one of the sources that the image is surely built from.
fn given(image: &ImageInfo, catalogue: &Catalogue, options: &ScanOptions) -> Given {
    let border = || attribution::attribute(image, &catalogue.bases);
    let note = |why| Diagnostic { layer: None, path: None, text: rule::masked(catalogue, why), unread: false };
    match (&options.dockerfile, &options.sources) {
        (Some(given), _) => {
            let lines = given.lines(image, &border());
            Given { dockerfile: Some((given.clone(), lines)), untold: Vec::new() }
        }
        (None, Some(root)) => {
            let found = find::find(root, options.target.as_deref(), image, &border());
            Given { dockerfile: found.dockerfile, untold: found.why.map(note).into_iter().collect() }
        }
        (None, None) => match &image.built_from {
            Some(built) => match attested_dockerfile(built, image, options.target.as_deref(), &border()) {
                Ok(told) => Given { dockerfile: Some(told), untold: Vec::new() },
                Err(why) => Given { dockerfile: None, untold: vec![note(why)] },
            },
            None => Given { dockerfile: None, untold: Vec::new() },
        },
    }
}

/// The Dockerfile of the image's provenance, if the history agrees with it; else why not.
fn attested_dockerfile(
    built: &BuiltFrom,
    image: &ImageInfo,
    target: Option<&str>,
    border: &Attribution,
) -> Result<(Dockerfile, Lines), String> {
    let dockerfile = Dockerfile::attested(built, target).map_err(|e| format!("no line is told: {e}"))?;
    let lines = dockerfile.lines(image, border);
    match (lines.stage, lines.reason()) {
        (Some(_), _) => Ok((dockerfile, lines)),
        (None, reason) => {
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            Err(format!("no line of \"{}\", which the provenance has, is told{reason}", built.name))
        }
    }
}

/// Reads the image that `[SCHEME:]REF` names and merges its layers, without judging it.
///
/// # Errors
/// When there is no such image, or a part of it can not be read.
pub fn read(reference: &str, catalogue: &Catalogue, options: &ScanOptions) -> Result<(ImageInfo, Inventory)> {
    read_with(&threads(options)?, source::open(reference, &options.source)?, catalogue, options, false)
}

/// Scans the image that `[SCHEME:]REF` names, and rewrites its Dockerfile so that it ships without what was found.
///
/// Without `dockerfile` it is that of the image's provenance, where the history agrees with it, or else one that is made of
/// the history. The base of the new last stage is read from where the image is, if it is there: what is said of it is then
/// certain.
///
/// # Errors
/// When there is no such image, or a part of it can not be read.
pub fn mend(
    reference: &str,
    catalogue: &Catalogue,
    dockerfile: Option<&Dockerfile>,
    options: &ScanOptions,
) -> Result<Fix> {
    let pool = threads(options)?;
    let source = source::open(reference, &options.source)?;
    let (image, inventory) = read_with(&pool, source, catalogue, options, false)?;
    let rule::Judged { findings, .. } = pool.install(|| rule::judge(catalogue, &inventory, &image, options.now));
    // Only an engine knows images by the names that a Dockerfile uses.
    let engine =
        image.reference.split_once(':').map(|(scheme, _)| scheme).filter(|s| matches!(*s, "docker" | "podman"));
    let read_base = |name: &str| {
        let reference = format!("{}:{name}", engine?);
        let source = source::open(&reference, &options.source).ok()?;
        read_with(&pool, source, catalogue, options, false).ok().map(|(_, inventory)| inventory)
    };
    let border = || attribution::attribute(&image, &catalogue.bases);
    let attested = image.built_from.as_ref().filter(|_| dockerfile.is_none());
    let attested = attested.and_then(|built| attested_dockerfile(built, &image, None, &border()).ok());
    let dockerfile = dockerfile.or(attested.as_ref().map(|(dockerfile, _)| dockerfile));
    Ok(remedy::fix(&image, &inventory, &findings, dockerfile, catalogue, &read_base))
}

/// Scans the image that `[SCHEME:]REF` names, and says what of the context its Dockerfile needs.
///
/// # Errors
/// When there is no such image, or a part of it can not be read.
pub fn ignore(
    reference: &str,
    catalogue: &Catalogue,
    dockerfile: &Dockerfile,
    options: &ScanOptions,
) -> Result<remedy::Ignored> {
    let pool = threads(options)?;
    let (image, inventory) = read_with(&pool, source::open(reference, &options.source)?, catalogue, options, false)?;
    let rule::Judged { findings, .. } = pool.install(|| rule::judge(catalogue, &inventory, &image, options.now));
    Ok(remedy::ignore(&image, &inventory, &findings, dockerfile, catalogue))
}

fn threads(options: &ScanOptions) -> Result<ThreadPool> {
    let pool = ThreadPoolBuilder::new().num_threads(options.jobs).thread_name(|n| format!("offcut-{n}")).build();
    pool.map_err(|e| Error::judge("can not start threads").cause(e))
}

fn read_with(
    pool: &ThreadPool,
    source: Source,
    catalogue: &Catalogue,
    options: &ScanOptions,
    secrets: bool,
) -> Result<(ImageInfo, Inventory)> {
    let base = options.base.as_ref().map(|base| given_base(base, &options.source)).transpose()?;
    let mut probes = Probes::new(catalogue.literals()).with_shapes(catalogue.shapes());
    if secrets {
        probes = probes.with_secrets(Arc::clone(&catalogue.secrets));
    }
    let (image_bytes, image_entries) = (AtomicU64::new(0), AtomicU64::new(0));
    let peeler = Peeler {
        pool,
        probes: &probes,
        limits: options.limits,
        progress: &options.progress.done,
        image_bytes: &image_bytes,
        image_entries: &image_entries,
    };
    let (mut image, layers) = match source {
        Source::Layout(layout) => {
            let layers = peel_all(&layout, &peeler, &options.progress)?;
            (layout.image, layers)
        }
        Source::Stream(stream) => peel_stream(stream, &peeler)?,
        Source::Rootfs(rootfs) => {
            let facts = pool.install(|| layer::walk(&rootfs.root, &probes, options.limits)).map_err(|e| {
                Error::judge(format!("can not read the directory \"{}\"", rootfs.root.display())).cause(e)
            })?;
            (rootfs.image, vec![facts])
        }
    };
    image.base = base;
    Ok((image, pool.install(|| Inventory::build(layers))))
}

/// Reads the description of the base image; its layers are not looked at.
fn given_base(reference: &str, options: &source::Options) -> Result<GivenBase> {
    let failed = |e: Error| e.context(format!("can not read the base image \"{reference}\""));
    let image = source::describe(reference, options).map_err(failed)?;
    let layers = image.layers.iter().map(|layer| layer.diff_id).collect::<Option<Vec<_>>>().unwrap_or_default();
    Ok(GivenBase { reference: reference.to_string(), layers })
}

/// Reads the image that `[SCHEME:]REF` names and accounts for every byte of its layers.
///
/// # Errors
/// When there is no such image, or a part of it can not be read.
pub fn account(reference: &str, catalogue: &Catalogue, options: &ScanOptions) -> Result<Accounts> {
    let (image, inventory) = read(reference, catalogue, options)?;
    let attribution = attribution::attribute(&image, &catalogue.bases);
    let ledger = inventory.ledger(&catalogue.places, &image, |layer| attribution.origin(layer));
    Ok(Accounts {
        base: attribution.base,
        ledger,
        diagnostics: diagnose(&image, &inventory),
        tool: tool(catalogue),
        image: image.redacted(),
    })
}

/// The bytes of an image by layer and by owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Accounts {
    /// The image, without the values of build arguments and environment variables.
    pub image: ImageInfo,
    /// Which layers came with the base image.
    pub base: BaseLayers,
    /// The bytes.
    pub ledger: Ledger,
    /// What was not read or is odd.
    pub diagnostics: Vec<Diagnostic>,
    /// Which program and which rules made it.
    pub tool: ToolInfo,
}

fn tool(catalogue: &Catalogue) -> ToolInfo {
    ToolInfo { version: env!("CARGO_PKG_VERSION").to_string(), catalogue: Some(catalogue.digest) }
}

/// Reads the layers of a layout, the largest first and several at once. A layer that comes
/// twice is read once.
fn peel_all(layout: &Layout, peeler: &Peeler<'_>, progress: &Progress) -> Result<Vec<LayerFacts>> {
    let infos = &layout.image.layers;
    let first_like = |at: usize| infos.iter().position(|l| same_layer(l, &infos[at])).unwrap_or(at);
    let mut order: Vec<usize> = (0..infos.len()).filter(|&at| first_like(at) == at).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(infos[at].blob_bytes));
    progress.total.store(order.iter().filter_map(|&at| infos[at].blob_bytes).sum(), Ordering::Relaxed);

    let next = AtomicUsize::new(0);
    let drive = || {
        let mut done = Vec::new();
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let facts =
                layout.layer(at).map_err(|e| e.context(layer_name(at, &layout.image))).and_then(|mut stored| {
                    peeler.peel(&mut *stored, promise(&infos[at])).map_err(|e| unreadable(at, &layout.image, e))
                });
            done.push((at, facts));
        }
        done
    };
    // The drivers are threads of their own: they wait for files and for the pool, which a task of the pool must not.
    let mut read: HashMap<usize, Result<LayerFacts>> = thread::scope(|scope| {
        // Half as many again as the pool has threads: while one reads its file, the pool works for another.
        let threads = peeler.pool.current_num_threads();
        let count = (threads + threads.div_ceil(2)).min(order.len());
        let drivers: Vec<_> = (0..count).map(|_| scope.spawn(drive)).collect();
        drivers.into_iter().flat_map(|d| d.join().unwrap_or_default()).collect()
    });

    let mut layers: Vec<LayerFacts> = Vec::with_capacity(infos.len());
    for at in 0..infos.len() {
        let first = first_like(at);
        let facts = match read.remove(&at) {
            Some(facts) => facts?,
            None if first < at => {
                peeler.again(&layers[first]).map_err(|e| unreadable(at, &layout.image, e))?;
                layers[first].clone()
            }
            None => return Err(Error::judge(layer_name(at, &layout.image)).cause("its reader failed")),
        };
        layers.push(facts);
    }
    Ok(layers)
}

fn same_layer(a: &LayerInfo, b: &LayerInfo) -> bool {
    (a.blob, a.blob_bytes, a.diff_id) == (b.blob, b.blob_bytes, b.diff_id) && a.diff_id.is_some()
}

/// Reads every member of a stream that may be a layer as it passes by, and learns at the end which were.
fn peel_stream(mut stream: Stream, peeler: &Peeler<'_>) -> Result<(ImageInfo, Vec<LayerFacts>)> {
    let mut read: HashMap<String, Result<LayerFacts, PeelError>> = HashMap::new();
    while let Some(blob) = stream.next_blob()? {
        let promise = Promise { blob: blob.promised, blob_bytes: Some(blob.bytes), diff_id: None };
        let facts = peeler.peel(blob.reader, promise);
        read.insert(blob.key, facts);
    }
    let (image, keys) = stream.finish()?;
    let mut layers = Vec::with_capacity(keys.len());
    for (at, key) in keys.iter().enumerate() {
        let again = keys[at + 1..].contains(key);
        let facts = match read.get(key) {
            Some(Ok(facts)) if again => Some(peeler.again(facts).map(|()| facts.clone())),
            _ => read.remove(key),
        };
        let missing = || Error::judge(layer_name(at, &image)).cause(format!("\"{key}\" is not in the archive"));
        let facts = facts.ok_or_else(missing)?.map_err(|e| unreadable(at, &image, e))?;
        let promise = promise(&image.layers[at]);
        promise.check(&facts).map_err(|e| unreadable(at, &image, e))?;
        layers.push(facts);
    }
    Ok((image, layers))
}

fn promise(layer: &LayerInfo) -> Promise {
    Promise { blob: layer.blob, blob_bytes: layer.blob_bytes, diff_id: layer.diff_id }
}

fn layer_name(at: usize, image: &ImageInfo) -> String {
    let blob = image.layers.get(at).and_then(|l| l.blob).map(|d| format!(" (blob {d})")).unwrap_or_default();
    format!("can not read layer {}{blob} of \"{}\"", at + 1, image.reference)
}

fn unreadable(at: usize, image: &ImageInfo, error: PeelError) -> Error {
    let help = match &error {
        PeelError::Limit(_) => "raise the limit if you trust the image: see offcut scan --help",
        PeelError::Decode(layer::decode::DecodeError::Unsupported(_)) => "store the image with gzip or zstd layers",
        PeelError::Entry { .. } => "container engines refuse this layer too; build it with another tool",
        _ => "export or pull the image again; what is stored is damaged or was changed",
    };
    Error::judge(layer_name(at, image)).cause(error).help(help)
}

/// How much of all layers was searched for secrets.
fn searched(inventory: &Inventory) -> Coverage {
    let mut all = Coverage::default();
    inventory.layers().iter().for_each(|facts| all.add(&facts.coverage));
    all
}

fn summarise(image: &ImageInfo, inventory: &Inventory) -> Vec<LayerSummary> {
    let summary = |(at, facts): (usize, &LayerFacts)| LayerSummary {
        layer: image.layer_ref(at as u32),
        blob: facts.blob,
        blob_bytes: facts.blob_bytes,
        tar_bytes: facts.tar_bytes,
        entries: facts.entries.len() as u64,
    };
    inventory.layers().iter().enumerate().map(summary).collect()
}

fn diagnose(image: &ImageInfo, inventory: &Inventory) -> Vec<Diagnostic> {
    let of_layer = |(layer, notice): (u32, &crate::model::Notice)| Diagnostic {
        layer: Some(layer + 1),
        path: notice.path.clone(),
        text: notice.text.clone(),
        unread: notice.unread,
    };
    let about_image = |text: String| Diagnostic { layer: None, path: None, text, unread: false };
    let mut all: Vec<Diagnostic> = image.notes.iter().cloned().map(about_image).collect();
    all.extend(inventory.notices().map(of_layer));
    for (layer, facts) in inventory.layers().iter().enumerate() {
        // What is documented as not opened is counted in the report, and no more than that.
        let limits = facts.coverage.unread.iter().filter(|(why, _)| why.is_limit());
        all.extend(limits.map(|(why, unread)| Diagnostic {
            layer: u32::try_from(layer + 1).ok(),
            path: Some(unread.first.clone()),
            text: why.sentence(unread.count),
            unread: why.is_limit(),
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{History, ImageConfig};

    #[test]
    fn the_dockerfile_of_the_provenance_is_taken_where_the_history_agrees() {
        let entry = |text: &str| History {
            created_by: text.to_string(),
            comment: "buildkit.dockerfile.v0".to_string(),
            ..History::default()
        };
        let steps = ["ADD x /", "COPY api /usr/bin/api # buildkit", "RUN /bin/sh -c make api # buildkit"];
        let config = Some(ImageConfig { history: steps.map(entry).into(), ..ImageConfig::default() });
        let image = ImageInfo { layers: vec![LayerInfo::default(); 3], config, ..ImageInfo::default() };
        let border = attribution::attribute(&image, &[]);
        let told = |text: &str, target: &str| {
            let target = Some(target.to_string()).filter(|target| !target.is_empty());
            let built = BuiltFrom { name: "api.Dockerfile".to_string(), text: text.into(), target };
            attested_dockerfile(&built, &image, None, &border).map(|(_, lines)| lines.stage)
        };
        let own = "FROM debian:12 AS api\nCOPY api /usr/bin/api\nRUN make api\n";
        assert_eq!(told(own, ""), Ok(Some(0)));
        assert_eq!(told(own, "api"), Ok(Some(0)));
        let no_file = told("FROM debian:12\nRUM x\n", "").expect_err("no Dockerfile");
        assert!(no_file.contains("can not read the Dockerfile \"api.Dockerfile\" of the provenance"), "{no_file}");
        for (text, target, why) in [
            (own, "web", "no stage \"web\""),
            ("FROM debian:12\nCOPY web /usr/bin/web\nRUN make web\n", "", "is not the image's own"),
        ] {
            let refused = told(text, target).expect_err(text);
            assert!(refused.contains(why), "{refused}");
        }
    }
}
