//! Finds the project that a loose file belongs to.

use std::collections::HashMap;

use crate::model::{ImageInfo, NameIndex, NamePattern, path};

/// Files that say "here is a project".
pub(super) const MANIFESTS: [&str; 42] = [
    "package.json",
    "deno.json",
    "go.mod",
    "go.work",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "build.sbt",
    "build.sc",
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "*.sln",
    "*.slnx",
    "pyproject.toml",
    "setup.py",
    "requirements.txt",
    "Pipfile",
    "Gemfile",
    "composer.json",
    "CMakeLists.txt",
    "meson.build",
    "configure.ac",
    "Makefile",
    "SConstruct",
    "WORKSPACE",
    "MODULE.bazel",
    "Package.swift",
    "build.zig",
    "stack.yaml",
    "*.cabal",
    "dune-project",
    "dub.json",
    "dub.sdl",
    "mix.exs",
    "rebar.config",
    "shard.yml",
    "pubspec.yaml",
    "*.nimble",
];

/// Directories that many programs share: none of them is a project, whatever lies in it.
const SHARED: [&[u8]; 22] = [
    b"",
    b"usr",
    b"usr/local",
    b"usr/local/lib",
    b"usr/local/share",
    b"usr/local/src",
    b"usr/lib",
    b"usr/share",
    b"usr/src",
    b"opt",
    b"srv",
    b"home",
    b"root",
    b"var",
    b"var/lib",
    b"var/cache",
    b"var/tmp",
    b"var/www",
    b"tmp",
    b"mnt",
    b"lib",
    b"etc",
];

/// Installed packages, whose manifests are not the user's.
const PACKAGED: [&[u8]; 3] = [b"node_modules", b"site-packages", b"dist-packages"];

/// Directories above a file that are asked for a manifest: what lies deeper is nobody's project, and a name may have
/// two thousand components.
const DEPTH_MAX: usize = 32;

/// The names of manifests by directory.
pub(super) type Manifests<'a> = HashMap<&'a [u8], Vec<&'a [u8]>>;

/// Where projects are.
pub(super) struct Roots<'a> {
    manifests: &'a Manifests<'a>,
    workdir: Vec<u8>,
}

impl<'a> Roots<'a> {
    pub fn new(image: &ImageInfo, manifests: &'a Manifests<'a>) -> Self {
        let workdir =
            image.config.as_ref().map(|config| path::clean(config.working_dir.as_bytes())).unwrap_or_default();
        Self { manifests, workdir }
    }

    /// The outermost directory with a manifest above a file, else the working directory, else the top directory.
    pub fn project<'p>(&self, file: &'p [u8]) -> &'p [u8] {
        let is_project =
            |dir: &&'p [u8]| self.manifests.contains_key(dir) && !SHARED.contains(dir) && !is_packaged(dir);
        let project = from_the_top(file).take(DEPTH_MAX).find(is_project);
        project.or_else(|| self.in_workdir(file)).unwrap_or_else(|| top(file))
    }

    fn in_workdir<'p>(&self, file: &'p [u8]) -> Option<&'p [u8]> {
        let shared = SHARED.contains(&self.workdir.as_slice());
        (!shared && path::is_below(file, &self.workdir)).then(|| file.get(..self.workdir.len()).unwrap_or_default())
    }

    /// Whether a directory above a file holds a manifest of one of these names.
    pub fn has_manifest(&self, file: &[u8], names: &NameIndex<()>) -> bool {
        let manifests = from_the_top(file).take(DEPTH_MAX).filter_map(|dir| self.manifests.get(dir)).flatten();
        manifests.into_iter().any(|name| names.find(name).next().is_some())
    }
}

/// The directories above a file, the outermost first, the root left out.
fn from_the_top(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = file.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    ends.filter_map(|(at, _)| file.get(..at))
}

/// The first directory on the way to a file that is not shared by many.
fn top(file: &[u8]) -> &[u8] {
    let first = from_the_top(file).find(|dir| !SHARED.contains(dir));
    first.unwrap_or_else(|| path::parent(file))
}

fn is_packaged(dir: &[u8]) -> bool {
    dir.split(|&b| b == b'/').any(|part| PACKAGED.contains(&part))
}

/// An index that only tells whether a name fits.
pub(super) fn index(names: &[NamePattern]) -> NameIndex<()> {
    let mut index = NameIndex::default();
    names.iter().for_each(|name| index.insert(name, ()));
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_first_directory_that_is_not_shared() {
        for (file, want) in [
            ("app/src/a.go", "app"),
            ("usr/src/app/a.go", "usr/src/app"),
            ("opt/x/y/a.go", "opt/x"),
            ("a.go", ""),
            ("usr/local/include/x/a.h", "usr/local/include"),
            ("tmp/a.go", "tmp"),
        ] {
            assert_eq!(top(file.as_bytes()), want.as_bytes(), "{file}");
        }
    }
}
