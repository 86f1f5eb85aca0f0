//! Fetches an image from Docker or Podman over their common API, as a stream and without a file.
//!
//! The only place with futures: they run on a thread of their own and come out as an ordinary reader.

use std::{
    error::Error as _,
    io::{self, ErrorKind, Read},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error as ApiError};
use futures_util::StreamExt;

use super::{
    Options,
    document::quote,
    endpoint::{self, Endpoint, Engine},
    resolve::{Resolved, Wanted},
    stream::Stream,
};
use crate::{
    error::{Error, Result},
    model::Digest,
};

/// How long the engine may take to describe an image.
const ANSWER: Duration = Duration::from_secs(60);

/// How long the engine may be silent during an export. Docker writes the whole archive to its own disk before
/// the first byte comes: a minute for two gigabytes was measured.
const SILENCE: Duration = Duration::from_secs(30 * 60);

/// Chunks under way between the engine and the reader; each is at most some ten kilobytes.
const CHUNKS: usize = 32;

/// What the engine says of an image.
struct Described {
    id: Digest,
    names: Vec<String>,
}

/// What the thread tells: first the description, then the archive, then that it is whole.
enum Message {
    Described(Described),
    Chunk(Box<dyn AsRef<[u8]> + Send>),
    Failed(Error),
    Whole,
}

/// Asks an engine for the image `name`.
pub(super) fn open(engine: Engine, name: &str, wanted: Wanted, options: &Options) -> Result<Stream> {
    if !is_name(name) {
        return Err(Error::usage(format!("\"{name}\" is no name of an image")));
    }
    let endpoint = reachable(engine, options)?;
    let (sender, receiver) = sync_channel(CHUNKS);
    let is_only = wanted.reference != name;
    let task = Task { engine, name: name.to_string(), is_only, endpoint, sender };
    thread::Builder::new()
        .name("engine".to_string())
        .spawn(move || task.run())
        .map_err(|e| Error::judge("can not start a thread").cause(e))?;
    let described = match receiver.recv() {
        Ok(Message::Described(described)) => described,
        Ok(Message::Failed(error)) => return Err(error),
        Ok(Message::Chunk(_) | Message::Whole) | Err(_) => return Err(broken(engine)),
    };
    let reader = Chunks { engine, receiver, chunk: None, at: 0, is_whole: false };
    let check = move |found: &mut Resolved| check_export(found, described, engine);
    Stream::new(Box::new(reader), wanted, options.max_bytes, Some(Box::new(check)))
}

/// The engine can export another image than it described, if the name was given away in between.
fn check_export(found: &mut Resolved, described: Described, engine: Engine) -> Result<()> {
    if !found.ids.contains(&described.id) {
        let id = found.image.id.map_or_else(|| "none".to_string(), |id| id.to_string());
        return Err(Error::judge(format!("{} exported another image than it described", engine.scheme()))
            .cause(format!("the image {} was asked for, {id} came", described.id)));
    }
    if !described.names.is_empty() {
        found.image.names = described.names;
    }
    Ok(())
}

/// Whether `name` can be an image's name; anything else could change the address of the request.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@+".contains(&b);
    (1..=1024).contains(&name.len())
        && name.bytes().all(plain)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The first address that takes a connection.
fn reachable(engine: Engine, options: &Options) -> Result<Endpoint> {
    let candidates = endpoint::endpoints(engine, options, &|name| std::env::var(name).ok())?;
    let command = engine.scheme();
    let mut faults = Vec::new();
    for candidate in candidates {
        let attempt = match &candidate {
            Endpoint::Unix(path) => UnixStream::connect(path).map(drop),
            Endpoint::Tcp(address) => TcpStream::connect(address).map(drop),
        };
        match attempt {
            Ok(()) => return Ok(candidate),
            Err(e) => faults.push((candidate, e)),
        }
    }
    // Usual places where nothing is are no news when something is at another.
    if faults.iter().any(|(_, e)| e.kind() != ErrorKind::NotFound) {
        faults.retain(|(_, e)| e.kind() != ErrorKind::NotFound);
    }
    let denied = faults.iter().any(|(_, e)| e.kind() == ErrorKind::PermissionDenied);
    let help = match (denied, engine) {
        (true, _) => format!("add yourself to the socket's group, or let the client fetch the image: `sudo {command} save IMAGE | offcut scan -`"),
        (false, Engine::Docker) => "start the Docker daemon, set --docker-host, or scan an archive made by `docker save`".to_string(),
        (false, Engine::Podman) => "start it with `systemctl --user start podman.socket`, set --podman-host, or scan an archive made by `podman save`".to_string(),
    };
    let error = Error::judge(format!("can not reach {command}"));
    let error = faults.iter().fold(error, |error, (at, e)| error.cause(format!("{at}: {}", reason(e))));
    Err(error.help(help))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such socket".to_string(),
        ErrorKind::PermissionDenied => "permission denied".to_string(),
        ErrorKind::ConnectionRefused => "nothing listens there".to_string(),
        _ => error.to_string(),
    }
}

/// The work of the thread. It ends when the reader is dropped, at the next chunk.
struct Task {
    engine: Engine,
    name: String,
    /// Whether no other engine is asked.
    is_only: bool,
    endpoint: Endpoint,
    sender: SyncSender<Message>,
}

impl Task {
    fn run(self) {
        let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.export()),
            Err(e) => Err(Error::judge("can not start the client").cause(e)),
        };
        // When nobody listens any more there is nobody to tell.
        let _ = self.sender.send(outcome.map_or_else(Message::Failed, |()| Message::Whole));
    }

    async fn export(&self) -> Result<()> {
        let timeout = SILENCE.as_secs();
        let client = match &self.endpoint {
            Endpoint::Unix(path) => Docker::connect_with_unix(&path.to_string_lossy(), timeout, API_DEFAULT_VERSION),
            Endpoint::Tcp(address) => Docker::connect_with_http(address, timeout, API_DEFAULT_VERSION),
        };
        let client = client.map_err(|e| self.fault(&e))?;
        let asked = tokio::time::timeout(ANSWER, async {
            let client = client.negotiate_version().await?;
            let image = client.inspect_image(&self.name).await?;
            Ok((client, image))
        });
        let (client, image) = match asked.await {
            Ok(answer) => answer.map_err(|e| self.fault(&e))?,
            Err(_) => return Err(self.silent(ANSWER)),
        };
        let id = image.id.unwrap_or_default();
        let digest = id.parse().ok().or_else(|| Digest::from_hex(&id));
        let digest = digest
            .ok_or_else(|| Error::judge(format!("{} gave no image id for \"{}\"", self.engine.scheme(), self.name)))?;
        let names = image.repo_tags.into_iter().chain(image.repo_digests).flatten().collect();
        if self.sender.send(Message::Described(Described { id: digest, names })).is_err() {
            return Ok(());
        }
        // By id: the name may be given to another image at any time.
        let mut archive = std::pin::pin!(client.export_image(&id));
        loop {
            let Ok(next) = tokio::time::timeout(SILENCE, archive.next()).await else {
                return Err(self.silent(SILENCE));
            };
            let Some(chunk) = next else { return Ok(()) };
            let chunk = Message::Chunk(Box::new(chunk.map_err(|e| self.fault(&e))?));
            if self.sender.send(chunk).is_err() {
                return Ok(());
            }
        }
    }

    fn silent(&self, after: Duration) -> Error {
        Error::judge(format!("{} did not answer for {} seconds", self.engine.scheme(), after.as_secs()))
    }

    fn fault(&self, error: &ApiError) -> Error {
        let (command, name) = (self.engine.scheme(), &self.name);
        match error {
            ApiError::DockerResponseServerError { status_code: 404, .. } => {
                let other = match self.engine {
                    _ if !self.is_only => "",
                    Engine::Docker => "; if Podman has it, write podman:IMAGE",
                    Engine::Podman => "; if Docker has it, write docker:IMAGE",
                };
                Error::judge(format!("{command} has no image \"{name}\""))
                    .help(format!("fetch it with `{command} pull {name}`{other}"))
            }
            _ => {
                let mut failed =
                    Error::judge(format!("{command} at {} failed", self.endpoint)).cause(quote(&error.to_string()));
                let mut source = error.source();
                while let Some(cause) = source {
                    failed = failed.cause(quote(&cause.to_string()));
                    source = cause.source();
                }
                failed
            }
        }
    }
}

fn broken(engine: Engine) -> Error {
    Error::judge(format!("{} broke the connection", engine.scheme()))
}

/// The archive as the thread sends it.
struct Chunks {
    engine: Engine,
    receiver: Receiver<Message>,
    chunk: Option<Box<dyn AsRef<[u8]> + Send>>,
    at: usize,
    is_whole: bool,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.chunk.as_deref().map(AsRef::as_ref).unwrap_or_default();
            let mut rest = bytes.get(self.at..).unwrap_or_default();
            if !rest.is_empty() || into.is_empty() || self.is_whole {
                let read = rest.read(into)?;
                self.at += read;
                return Ok(read);
            }
            self.at = 0;
            self.chunk = None;
            match self.receiver.recv() {
                Ok(Message::Chunk(chunk)) => self.chunk = Some(chunk),
                Ok(Message::Whole) => self.is_whole = true,
                Ok(Message::Failed(error)) => return Err(io::Error::other(error)),
                Ok(Message::Described(_)) | Err(_) => return Err(io::Error::other(broken(self.engine))),
            }
        }
    }
}
