//! Where an engine listens: options, environment, contexts and the usual sockets, in the order of the docker client.
//!
//! Reads settings only; nothing is connected here. The order was measured with docker 28.2: `--host`, `--context`,
//! `DOCKER_HOST`, `DOCKER_CONTEXT`, then `currentContext` of the configuration file.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{Options, json::Json};
use crate::{
    error::{Error, Result},
    model::Digest,
};

/// Largest configuration file of the docker client that is read, in bytes.
const SETTINGS_MAX: u64 = 4 << 20;

/// A container engine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Engine {
    Docker,
    Podman,
}

impl Engine {
    /// The scheme of its references, and its command.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// An address an engine may listen at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Endpoint {
    Unix(PathBuf),
    /// `host:port`, without encryption.
    Tcp(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

/// Looks up an environment variable; a parameter so that tests need not change the process.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The addresses to try, in order: the one that was set, or the usual ones.
///
/// # Errors
/// When a setting can not be read, or asks for what is not built in (TLS, ssh).
pub(super) fn endpoints(engine: Engine, options: &Options, env: Env<'_>) -> Result<Vec<Endpoint>> {
    let set = |name: &str| match &options.docker_config {
        Some(dir) if name == "DOCKER_CONFIG" => Some(dir.clone()),
        _ => env(name).filter(|value| !value.is_empty()),
    };
    match engine {
        Engine::Docker => docker(options, &set),
        Engine::Podman => match options.podman_host.clone().or_else(|| set("CONTAINER_HOST")) {
            Some(host) => Ok(vec![parse(&host, engine)?]),
            None => {
                let own = set("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("podman/podman.sock"));
                let all = own.into_iter().chain(["/run/podman/podman.sock".into()]);
                Ok(all.map(Endpoint::Unix).collect())
            }
        },
    }
}

fn docker(options: &Options, set: Env<'_>) -> Result<Vec<Endpoint>> {
    if let Some(host) = &options.docker_host {
        return one(host, set);
    }
    if let Some(context) = &options.docker_context {
        return of_context(context, set);
    }
    if let Some(host) = set("DOCKER_HOST") {
        return one(&host, set);
    }
    if let Some(context) = set("DOCKER_CONTEXT") {
        return of_context(&context, set);
    }
    match current_context(set)? {
        Some(context) => of_context(&context, set),
        None => Ok(usual(set)),
    }
}

fn one(host: &str, set: Env<'_>) -> Result<Vec<Endpoint>> {
    let endpoint = parse(host, Engine::Docker)?;
    if matches!(endpoint, Endpoint::Tcp(_)) && set("DOCKER_TLS_VERIFY").is_some() {
        return Err(refuse(host, "DOCKER_TLS_VERIFY asks for TLS, which is not built in", Engine::Docker));
    }
    Ok(vec![endpoint])
}

fn of_context(name: &str, set: Env<'_>) -> Result<Vec<Endpoint>> {
    if name == "default" {
        return set("DOCKER_HOST").map_or_else(|| Ok(usual(set)), |host| one(&host, set));
    }
    let fault = |cause: String| Error::usage(format!("can not use the docker context \"{name}\"")).cause(cause);
    let contexts =
        config_dir(set).ok_or_else(|| fault("the home directory is not known".to_string()))?.join("contexts");
    let id = Digest::new(Sha256::digest(name.as_bytes()).into()).hex();
    let path = contexts.join("meta").join(&id).join("meta.json");
    let json = settings(&path)?.ok_or_else(|| fault(format!("there is no \"{}\"", path.display())))?;
    let host = json.object().and_then(|meta| Ok(meta.object("endpoints")?.object("docker")?.text("host")?.to_string()));
    let host = host.map_err(&fault)?;
    if host.is_empty() {
        return Err(fault("it has no docker endpoint".to_string()));
    }
    if contexts.join("tls").join(&id).exists() {
        return Err(refuse(&host, "the context asks for TLS, which is not built in", Engine::Docker));
    }
    Ok(vec![parse(&host, Engine::Docker)?])
}

fn current_context(set: Env<'_>) -> Result<Option<String>> {
    let Some(path) = config_dir(set).map(|dir| dir.join("config.json")) else { return Ok(None) };
    let Some(json) = settings(&path)? else { return Ok(None) };
    let name = json.object().and_then(|config| Ok(config.text("currentcontext")?.to_string()));
    let name = name.map_err(|e| Error::usage(format!("can not read \"{}\"", path.display())).cause(e))?;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn settings(path: &Path) -> Result<Option<Json>> {
    let fault = |cause: String| Error::usage(format!("can not read \"{}\"", path.display())).cause(cause);
    match fs::metadata(path) {
        Ok(meta) if meta.len() > SETTINGS_MAX => return Err(fault(format!("it has more than {SETTINGS_MAX} bytes"))),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fault(e.to_string())),
    }
    let bytes = fs::read(path).map_err(|e| fault(e.to_string()))?;
    Json::read(&bytes).map(Some).map_err(fault)
}

fn config_dir(set: Env<'_>) -> Option<PathBuf> {
    let home = || set("HOME").map(|home| Path::new(&home).join(".docker"));
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(home)
}

/// The system's socket, that of a rootless engine, and that of Docker Desktop.
fn usual(set: Env<'_>) -> Vec<Endpoint> {
    let home = set("HOME").map(PathBuf::from);
    let mut all = vec![PathBuf::from("/var/run/docker.sock")];
    all.extend(set("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("docker.sock")));
    all.extend(
        home.iter().flat_map(|home| [home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]),
    );
    all.into_iter().map(Endpoint::Unix).collect()
}

/// Reads an address as `DOCKER_HOST` has it.
fn parse(host: &str, engine: Engine) -> Result<Endpoint> {
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    match scheme {
        "unix" if rest.starts_with('/') => Ok(Endpoint::Unix(rest.into())),
        "unix" => Err(refuse(host, "the path of the socket is not absolute", engine)),
        "tcp" | "http" if !rest.is_empty() && !rest.contains('/') => {
            let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            Ok(Endpoint::Tcp(if has_port { rest.to_string() } else { format!("{rest}:2375") }))
        }
        "tcp" | "http" => Err(refuse(host, "it is not HOST:PORT; a socket is written unix:///PATH", engine)),
        "https" => Err(refuse(host, "TLS is not built in", engine)),
        "ssh" => Err(refuse(host, "ssh is not built in", engine)),
        _ => Err(refuse(host, "only unix:// and tcp:// are known", engine)),
    }
}

fn refuse(host: &str, why: &str, engine: Engine) -> Error {
    let command = engine.scheme();
    Error::usage(format!("can not talk to {command} at \"{host}\""))
        .cause(why)
        .help(format!("let the client fetch the image: `{command} save IMAGE | offcut scan -`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(options: &Options, env: &[(&str, &str)]) -> Vec<String> {
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        let found = endpoints(Engine::Docker, options, &env).expect("endpoints");
        found.iter().map(Endpoint::to_string).collect()
    }

    fn config() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, host) in [("one", "unix:///one.sock"), ("two", "tcp://two:99")] {
            let id = Digest::new(Sha256::digest(name.as_bytes()).into()).hex();
            let meta = dir.path().join("contexts/meta").join(id);
            fs::create_dir_all(&meta).expect("made");
            let text =
                format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#);
            fs::write(meta.join("meta.json"), text).expect("written");
        }
        fs::write(dir.path().join("config.json"), r#"{"auths":{},"currentContext":"one"}"#).expect("written");
        dir
    }

    #[test]
    fn settings_rank_as_the_docker_client_ranks_them() {
        let dir = config();
        let dir = dir.path().to_str().expect("plain");
        let mut env = vec![("DOCKER_CONFIG", dir)];
        let mut options = Options::default();
        assert_eq!(shown(&options, &env), ["unix:///one.sock"]);
        env.push(("DOCKER_CONTEXT", "two"));
        assert_eq!(shown(&options, &env), ["tcp://two:99"]);
        env.push(("DOCKER_HOST", "unix:///env.sock"));
        assert_eq!(shown(&options, &env), ["unix:///env.sock"]);
        options.docker_context = Some("one".to_string());
        assert_eq!(shown(&options, &env), ["unix:///one.sock"]);
        options.docker_host = Some("tcp://flag".to_string());
        assert_eq!(shown(&options, &env), ["tcp://flag:2375"]);
    }

    #[test]
    fn the_directory_of_settings_may_be_typed() {
        let dir = config();
        let typed = dir.path().to_str().map(str::to_string);
        let options = Options { docker_config: typed, ..Options::default() };
        assert_eq!(shown(&options, &[("DOCKER_CONFIG", "/no/such/dir"), ("DOCKER_CONTEXT", "two")]), ["tcp://two:99"]);
        assert_eq!(shown(&options, &[]), ["unix:///one.sock"]);
    }

    #[test]
    fn without_settings_the_usual_sockets_are_tried() {
        let found = shown(&Options::default(), &[("XDG_RUNTIME_DIR", "/run/user/7"), ("DOCKER_HOST", "")]);
        assert_eq!(found, ["unix:///var/run/docker.sock", "unix:///run/user/7/docker.sock"]);
    }

    #[test]
    fn what_is_not_built_in_is_refused_with_a_way_out() {
        for host in
            ["ssh://me@there", "https://there:2376", "npipe:////./pipe/x", "/var/run/docker.sock", "unix://x", ""]
        {
            let options = Options { docker_host: Some(host.to_string()), ..Options::default() };
            let error = endpoints(Engine::Docker, &options, &|_| None).expect_err(host);
            assert!(error.help.is_some_and(|help| help.contains("docker save")), "{host}");
        }
        let options = Options { docker_host: Some("tcp://there:2376".to_string()), ..Options::default() };
        assert!(
            endpoints(Engine::Docker, &options, &|name| (name == "DOCKER_TLS_VERIFY").then(|| "1".to_string()))
                .is_err()
        );
    }

    #[test]
    fn a_context_that_is_not_there_is_named() {
        let options = Options { docker_context: Some("none".to_string()), ..Options::default() };
        let error = endpoints(Engine::Docker, &options, &|name| (name == "HOME").then(|| "/nowhere".to_string()));
        assert!(error.expect_err("missing").to_string().contains("\"none\""));
    }
}
