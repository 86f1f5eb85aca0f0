//! Where a path or a command leads in a running container, and why it leads nowhere.
//!
//! As [`Inventory::resolve`], with the reason of a failure, and with the permissions of the user that the image runs
//! as. What only exists at run time (`/proc`, `/dev`, `/sys`, volumes) is never called missing.

use crate::{
    inventory::{File, Inventory},
    model::{ImageConfig, Kind, path},
};

/// Links that are followed before a path counts as a loop, as Linux does (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// File systems that the engine mounts.
const MOUNTED: [&[u8]; 3] = [b"proc", b"dev", b"sys"];

/// Looks up paths as the first process of a container does.
pub(super) struct Lookup<'a> {
    inventory: &'a Inventory,
    /// User and group; `None` where the engine can not tell either.
    user: Option<(u32, u32)>,
    /// Where the process begins; the engine makes the directory if there is none.
    cwd: Vec<u8>,
    /// The directories of `PATH`.
    dirs: Vec<String>,
    /// Cleaned paths at which the configuration declares volumes.
    volumes: Vec<Vec<u8>>,
}

/// Why a path leads to no program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// Nothing is there; a sentence about the path.
    Nothing(String),
    /// What is there can not be started; a sentence about the path.
    Unfit(String),
    /// Something else may be there when the container runs.
    Unknown,
}

impl<'a> Lookup<'a> {
    pub fn new(inventory: &'a Inventory, config: &ImageConfig, user: Option<(u32, u32)>) -> Self {
        let dirs = config.path().split(':').map(str::to_string).collect();
        let volumes = config.volumes.iter().map(|volume| path::clean(volume.as_bytes())).collect();
        Self { inventory, user, cwd: path::clean(config.working_dir.as_bytes()), dirs, volumes }
    }

    /// The program that a word starts: a path, or the first hit in `PATH`.
    pub fn program(&self, word: &str) -> Result<File<'a>, Stop> {
        if word.contains('/') {
            return self.executable(&self.absolute(word.as_bytes()));
        }
        let mut unknown = false;
        for dir in &self.dirs {
            let place = self.absolute(format!("{dir}/{word}").as_bytes());
            match self.executable(&place) {
                Ok(file) => return Ok(file),
                // Base images come with empty directories in PATH; and Go refuses what it finds through a relative
                // entry, a shell does not.
                Err(stop) => {
                    unknown |= stop == Stop::Unknown && !self.is_empty(dir.as_bytes()) || !dir.starts_with('/')
                }
            }
        }
        if unknown {
            return Err(Stop::Unknown);
        }
        let dirs = self.dirs.iter().map(|dir| path::escape(dir.as_bytes())).collect::<Vec<_>>().join(", ");
        Err(Stop::Nothing(format!("no directory of PATH has {} ({dirs})", path::escape(word.as_bytes()))))
    }

    /// The file at a path, for a program that reads it.
    pub fn file(&self, word: &str) -> Result<File<'a>, Stop> {
        self.follow(&self.absolute(word.as_bytes()))
    }

    /// A path as seen from the working directory, not cleaned: `..` behind a link is the kernel's to follow.
    pub fn absolute(&self, word: &[u8]) -> Vec<u8> {
        if word.starts_with(b"/") { word.to_vec() } else { [b"/", &self.cwd[..], b"/", word].concat() }
    }

    fn is_empty(&self, dir: &[u8]) -> bool {
        let dir = path::clean(dir);
        !self.volumes.contains(&dir) && self.inventory.under(&dir).next().is_none()
    }

    fn executable(&self, place: &[u8]) -> Result<File<'a>, Stop> {
        let file = self.follow(place)?;
        let shown = path::show(file.path());
        match file.kind() {
            Kind::File | Kind::Hardlink => {}
            Kind::Dir => return Err(Stop::Unfit(format!("{shown} is a directory"))),
            _ => return Err(Stop::Unknown),
        }
        let content = file.target().unwrap_or(file);
        if content.mode() & 0o111 == 0 {
            return Err(Stop::Unfit(format!("{shown} is not executable (mode {:04o})", content.mode())));
        }
        match self.user {
            Some((uid, _)) if uid != 0 && !self.may_execute(&content) => Err(Stop::Unfit(format!(
                "{shown} may not be started by user {uid} (mode {:04o}, owner {})",
                content.mode(),
                content.uid()
            ))),
            _ => Ok(file),
        }
    }

    /// Follows a path in the finished tree.
    fn follow(&self, place: &[u8]) -> Result<File<'a>, Stop> {
        let parts = |text: &[u8]| -> Vec<Vec<u8>> {
            let parts = text.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".");
            parts.rev().map(<[u8]>::to_vec).collect()
        };
        let mut todo = parts(place);
        let mut at: Vec<u8> = Vec::new();
        let mut found = None;
        let mut by: Option<File<'a>> = None;
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == b".." {
                at.truncate(path::parent(&at).len());
                found = self.inventory.get(&at);
                continue;
            }
            let here = at.len();
            if here > 0 {
                at.push(b'/');
            }
            at.extend_from_slice(&part);
            if here == 0 && MOUNTED.contains(&&part[..]) {
                return Err(Stop::Unknown);
            }
            let Some(file) = self.inventory.get(&at) else {
                return Err(self.nothing(place, &at, by, !todo.is_empty()));
            };
            match file.kind() {
                Kind::Symlink => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Stop::Unfit(format!("{} is a link that leads in a circle", path::show(&at))));
                    }
                    by = Some(file);
                    at.truncate(if file.link().starts_with(b"/") { 0 } else { here });
                    todo.extend(parts(file.link()));
                    found = self.inventory.get(&at);
                }
                Kind::Dir => {
                    if let Some((uid, _)) = self.user.filter(|(uid, _)| *uid != 0 && !todo.is_empty())
                        && !self.may_execute(&file)
                    {
                        let text = format!("user {uid} may not enter {} (mode {:04o})", path::show(&at), file.mode());
                        return Err(Stop::Unfit(text));
                    }
                    found = Some(file);
                }
                _ if !todo.is_empty() => {
                    return Err(Stop::Nothing(format!("{} is no directory", path::show(&at))));
                }
                _ => found = Some(file),
            }
        }
        found.ok_or(Stop::Unknown)
    }

    /// Nothing is at `at`, on the way to `place`.
    fn nothing(&self, place: &[u8], at: &[u8], by: Option<File<'a>>, on_the_way: bool) -> Stop {
        let in_volume = |volume: &Vec<u8>| at == volume || path::is_below(at, volume);
        let parent = path::parent(at);
        // An empty directory was made for something to be put into it.
        let for_a_mount = by.is_none()
            && !on_the_way
            && !parent.is_empty()
            && self.inventory.get(parent).is_some()
            && self.inventory.under(parent).next().is_none();
        if self.volumes.iter().any(in_volume) || for_a_mount {
            return Stop::Unknown;
        }
        let shown = path::show(&path::clean(place));
        Stop::Nothing(match by {
            None => format!("{shown} is not in the image"),
            Some(link) => {
                let (link, to) = (path::show(link.path()), path::escape(link.link()));
                format!("{shown} is not in the image: {link} is a link to {to}, which leads nowhere")
            }
        })
    }

    /// Whether the user may start a file or enter a directory. Groups beside the first are not known: what a group may
    /// do, the user may be allowed to do.
    fn may_execute(&self, file: &File<'_>) -> bool {
        let Some((uid, gid)) = self.user else { return true };
        let mode = file.mode();
        match () {
            () if uid == file.uid() => mode & 0o100 != 0,
            () if gid == file.gid() => mode & 0o010 != 0,
            () => mode & 0o011 != 0,
        }
    }
}
