//! Which records of language package managers are read, and by what.
//!
//! Only paths are looked at here; the formats are known to [`super::python`], [`super::pylock`], [`super::ruby`],
//! [`super::php`], [`super::nuget`] and [`super::conda`].

use super::{
    conda, dotnet,
    malformed::{Malformed, Parsed},
    nuget, php, pylock, python, ruby,
};
use crate::model::{
    ImagePath, Lang, PythonTool,
    path::{name, parent},
};

/// A file whose path says which parser may read it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LangRecord {
    /// `entry_points.txt`.
    EntryPoints,
    /// A lock, project file or list of requirements.
    PythonProject(PythonTool),
    /// `specifications/*.gemspec`.
    Gemspec,
    /// `Gemfile`.
    Gemfile,
    /// `Gemfile.lock`.
    GemLock,
    /// `vendor/composer/installed.json`.
    ComposerInstalled,
    /// `composer.lock`.
    ComposerLock,
    /// `*.deps.json`.
    DotnetDeps,
    /// `*.runtimeconfig.json`.
    DotnetRuntime,
    /// `conda-meta/*.json`.
    Conda,
}

/// The record at a path, and the largest size in bytes at which it is read.
pub fn record_of(path: &[u8]) -> Option<(LangRecord, usize)> {
    const MIB: usize = 1 << 20;

    let record = match name(path) {
        b"entry_points.txt" if python::is_metadata_dir(parent(path)) => (LangRecord::EntryPoints, MIB),
        b"Gemfile" | b"gems.rb" => (LangRecord::Gemfile, MIB),
        b"Gemfile.lock" | b"gems.locked" => (LangRecord::GemLock, 4 * MIB),
        b"composer.lock" => (LangRecord::ComposerLock, 8 * MIB),
        b"installed.json" if name(parent(path)) == b"composer" => (LangRecord::ComposerInstalled, 8 * MIB),
        file if file.ends_with(b".gemspec") && name(parent(path)) == b"specifications" => (LangRecord::Gemspec, MIB),
        file if file.ends_with(b".deps.json") => (LangRecord::DotnetDeps, 8 * MIB),
        file if file.ends_with(b".runtimeconfig.json") => (LangRecord::DotnetRuntime, MIB),
        file if file.ends_with(b".json") && name(parent(path)) == b"conda-meta" => (LangRecord::Conda, 16 * MIB),
        _ => (LangRecord::PythonProject(pylock::tool_of(path)?), pylock::FILE_MAX),
    };
    Some(record)
}

/// What a record says, and what is wrong with it.
pub fn read(record: LangRecord, path: &ImagePath, body: &[u8]) -> (Option<Lang>, Vec<String>) {
    match record {
        LangRecord::EntryPoints => some(Ok(python::entry_points(body).map(Lang::EntryPoints))),
        LangRecord::PythonProject(tool) => some(pylock::read(tool, body).map(|read| read.map(Lang::PythonProject))),
        LangRecord::Gemspec => some(ruby::gemspec(body).map(|gem| whole(Lang::Gem(gem)))),
        // Other Gemfiles than literal ones are common and no fault; then nothing is known of groups.
        LangRecord::Gemfile => (ruby::gemfile(body).ok().map(Lang::Gemfile), Vec::new()),
        LangRecord::GemLock => some(Ok(ruby::lock(body).map(Lang::GemLock))),
        LangRecord::ComposerInstalled => some(php::installed(path, body).map(|read| read.map(Lang::ComposerInstalled))),
        LangRecord::ComposerLock => some(php::lock(body).map(|names| whole(Lang::ComposerLock(names)))),
        LangRecord::DotnetDeps => some(nuget::packages(body).map(|found| whole(Lang::DotnetDeps(found)))),
        LangRecord::DotnetRuntime => some(dotnet::frameworks(body).map(|found| whole(Lang::DotnetRuntime(found)))),
        LangRecord::Conda => some(conda::package(path, body).map(|read| read.map(Lang::Conda))),
    }
}

fn whole(value: Lang) -> Parsed<Lang> {
    Parsed { value, faults: Vec::new() }
}

fn some(read: Result<Parsed<Lang>, Malformed>) -> (Option<Lang>, Vec<String>) {
    match read {
        Ok(parsed) => (Some(parsed.value), parsed.faults),
        Err(malformed) => (None, vec![malformed.0]),
    }
}
