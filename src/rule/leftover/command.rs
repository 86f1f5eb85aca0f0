//! What the image starts, as far as its configuration and `package.json` say: enough to know whether sources are run
//! as they are.

use std::collections::BTreeSet;

use crate::{
    inventory::Inventory,
    model::{Fact, ImageInfo, NamePattern, path},
};

/// Programs that run a script of `package.json`.
const SCRIPT_RUNNERS: [&str; 4] = ["npm", "yarn", "pnpm", "bun"];

/// Scripts that call scripts are followed so far.
const DEPTH: usize = 4;

/// The words of `ENTRYPOINT` and `CMD`, and of the scripts they call.
pub(super) struct Command {
    words: BTreeSet<String>,
    /// The words that are paths, as cleaned paths of the image.
    paths: BTreeSet<Vec<u8>>,
}

impl Command {
    pub fn of(inventory: &Inventory, image: &ImageInfo) -> Self {
        let mut command = Self { words: BTreeSet::new(), paths: BTreeSet::new() };
        let Some(config) = &image.config else { return command };
        let workdir = path::clean(config.working_dir.as_bytes());
        let mut texts: Vec<String> = config.entrypoint.iter().chain(&config.cmd).cloned().collect();
        let manifest = inventory.resolve(&join(&workdir, b"package.json"));
        let scripts = manifest.into_iter().flat_map(|file| file.facts()).find_map(|fact| match fact {
            Fact::Npm(npm) => Some(&npm.scripts[..]),
            _ => None,
        });
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            let words: Vec<&str> = texts.iter().flat_map(|text| words(text)).collect();
            if words.iter().any(|word| SCRIPT_RUNNERS.contains(&base(word))) {
                let called = scripts.into_iter().flatten().filter(|(name, _)| words.contains(&name.as_str()));
                next.extend(called.map(|(_, text)| text.clone()));
            }
            for word in words {
                let parts = word.split(':').filter(|part| part.contains(['/', '.']));
                command.paths.extend(parts.map(|part| join(&workdir, part.as_bytes())));
                command.words.insert(word.to_string());
            }
            texts = next;
        }
        command
    }

    /// Whether nothing is known of what the image starts.
    pub fn is_unknown(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether one of these programs is called.
    pub fn calls(&self, programs: &[String]) -> bool {
        self.words.iter().any(|word| programs.iter().any(|program| base(word) == program))
    }

    /// Whether a file of one of these names below `root` is named.
    pub fn names(&self, names: &[NamePattern], root: &[u8]) -> bool {
        let fits = |file: &[u8]| names.iter().any(|name| name.matches(path::name(file)));
        self.paths.iter().any(|file| path::is_below(file, root) && fits(file))
    }

    /// The files and directories below `root` that are named.
    pub fn paths_below(&self, root: &[u8]) -> Vec<&[u8]> {
        self.paths.iter().map(Vec::as_slice).filter(|path| path::is_below(path, root)).collect()
    }
}

/// Splits a shell command into what may be names; good enough to find a name, not to run it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\"'`;&|()=,".contains(c)).filter(|word| !word.is_empty())
}

/// The program's name: `tsx` of `./node_modules/.bin/tsx`.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The cleaned path that a program in `dir` means by `path`.
fn join(dir: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") { path::clean(path) } else { path::clean(&[dir, b"/", path].concat()) }
}
