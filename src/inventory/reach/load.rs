//! Compiled programs: the libraries they need, and those they may ask for by a name.

use super::{How, Scope, walk::Walk};
use crate::{
    inventory::{File, loader::Need},
    model::{Elf, path},
};

/// Libraries that hold the functions which start programs, and so do not say that anybody calls them.
const C_LIBRARIES: [&[u8]; 6] = [b"libc.so", b"ld-linux", b"ld-musl", b"libc.musl", b"libpthread", b"libdl.so"];

impl<'a> Walk<'a> {
    /// The interpreter and the libraries of a program or library.
    pub(super) fn libraries(&mut self, file: &File<'a>, elf: &'a Elf, quiet: bool) {
        let id = file.id();
        let needs = self.loader.interpreter(*file).into_iter().chain(self.loader.needs(*file)).collect::<Vec<_>>();
        for need in needs {
            if let Need::Found { file: library, .. } = need {
                self.reach_library(&library, id, quiet);
            }
        }
        let name = path::name(file.path());
        if C_LIBRARIES.iter().any(|library| name.starts_with(library)) {
            self.open(Scope::Libraries, Some(id), "loads plug-ins by name (name services, character sets)");
        } else if !quiet && elf.starts_programs {
            self.open(Scope::Programs, Some(id), "can start other programs");
        }
        if elf.loads_libraries && !C_LIBRARIES.iter().any(|library| name.starts_with(library)) {
            self.open(Scope::Libraries, Some(id), "can load libraries by name");
        }
    }

    fn reach_library(&mut self, library: &File<'a>, parent: crate::inventory::FileId, quiet: bool) {
        if quiet {
            self.reach_quietly(library, Some(parent), How::Loads);
        } else {
            self.reach(library, Some(parent), How::Loads);
        }
    }
}
