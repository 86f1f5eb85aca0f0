//! Which records of language package managers are read, and by what.
//!
//! Only paths are looked at here; the formats are known to [`super::python`], [`super::pylock`], [`super::ruby`],
//! [`super::php`], [`super::nuget`] and [`super::conda`].

use super::{
    malformed::{Malformed, Parsed},
    pylock, python,
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
}

/// The record at a path, and the largest size in bytes at which it is read.
pub fn record_of(path: &[u8]) -> Option<(LangRecord, usize)> {
    const MIB: usize = 1 << 20;

    let record = match name(path) {
        b"entry_points.txt" if python::is_metadata_dir(parent(path)) => (LangRecord::EntryPoints, MIB),
        _ => (LangRecord::PythonProject(pylock::tool_of(path)?), pylock::FILE_MAX),
    };
    Some(record)
}

/// What a record says, and what is wrong with it.
pub fn read(record: LangRecord, _path: &ImagePath, body: &[u8]) -> (Option<Lang>, Vec<String>) {
    match record {
        LangRecord::EntryPoints => some(Ok(python::entry_points(body).map(Lang::EntryPoints))),
        LangRecord::PythonProject(tool) => some(pylock::read(tool, body).map(|read| read.map(Lang::PythonProject))),
    }
}

fn some(read: Result<Parsed<Lang>, Malformed>) -> (Option<Lang>, Vec<String>) {
    match read {
        Ok(parsed) => (Some(parsed.value), parsed.faults),
        Err(malformed) => (None, vec![malformed.0]),
    }
}
