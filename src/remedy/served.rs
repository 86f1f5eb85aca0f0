//! What a server reads of the image's own files: everything but projects that something was built of.
//!
//! A web server reads what its settings name. What lies in the directory of a project and is named by none of them was
//! there for the build, which put its outcome elsewhere.

use super::Runs;
use crate::{
    inventory::Inventory,
    model::{Fact, Kind, path},
};

/// Files that say that a directory is a project.
const MARKS: [&[u8]; 9] = [
    b"Cargo.toml",
    b"Gemfile",
    b"angular.json",
    b"composer.json",
    b"go.mod",
    b"package.json",
    b"pnpm-workspace.yaml",
    b"pom.xml",
    b"pubspec.yaml",
];

/// Directories in which servers look without being told so in a file: projects that lie there are what is served.
const ROOTS: [&[u8]; 6] =
    [b"srv", b"usr/local/apache2", b"usr/share/caddy", b"usr/share/nginx", b"var/lib", b"var/www"];

/// What is read, and what is not.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Directories of projects.
    projects: Vec<Vec<u8>>,
    /// Places that settings name.
    named: Vec<Vec<u8>>,
}

impl Served {
    /// Looks for projects and settings, where a server is started.
    pub(super) fn of(inventory: &Inventory, runs: Runs) -> Self {
        if runs != Runs::Server {
            return Self::default();
        }
        let below = |name: &[u8], dirs: &[&[u8]]| dirs.iter().any(|dir| path::is_below(name, dir));
        let marks = inventory.files().filter(|file| {
            let name = file.path();
            let module = name.split(|&byte| byte == b'/').any(|part| part == b"node_modules");
            file.kind() == Kind::File && MARKS.contains(&path::name(name)) && !module && !below(name, &ROOTS)
        });
        let projects = marks.map(|file| path::parent(file.path()).to_vec()).filter(|dir| !dir.is_empty()).collect();
        let settings = inventory.files().flat_map(|file| file.facts());
        let named = settings.filter_map(|fact| if let Fact::Served(places) = fact { Some(places) } else { None });
        let named = named.flatten().map(|place| match inventory.resolve(place.as_bytes()) {
            Some(file) => file.path().to_vec(),
            None => place.as_bytes().to_vec(),
        });
        Self { projects, named: named.collect() }
    }

    /// Whether a file may be read.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let below =
            |dirs: &[Vec<u8>]| dirs.iter().any(|dir| dir.is_empty() || name == dir || path::is_below(name, dir));
        !below(&self.projects) || below(&self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::layer;

    #[test]
    fn a_project_is_read_where_the_settings_of_the_server_name_it() {
        let served = |named: &[&str], runs| {
            let places = named.iter().map(|place| (*place).into()).collect();
            let layer = layer().file("app/package.json").file("app/dist/index.html").file("app/src/main.js");
            let layer = layer.file("srv/site/package.json").file("etc/nginx/nginx.conf").fact(Fact::Served(places));
            let inventory = Inventory::build(vec![layer.facts()]);
            let served = Served::of(&inventory, runs);
            let files = ["app/dist/index.html", "app/src/main.js", "srv/site/package.json", "opt/x"];
            files.into_iter().filter(|file| served.has(file.as_bytes())).collect::<Vec<_>>()
        };
        let own = ["srv/site/package.json", "opt/x"];
        assert_eq!(served(&["usr/share/nginx/html"], Runs::Server), own);
        assert_eq!(served(&["app/dist"], Runs::Server), ["app/dist/index.html", own[0], own[1]]);
        for everything in [&["app"][..], &[""]] {
            assert_eq!(served(everything, Runs::Server).len(), 4, "{everything:?}");
        }
        assert_eq!(served(&[], Runs::Python).len(), 4);
    }
}
