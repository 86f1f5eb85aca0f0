//! Java: class paths and the files of the run time. Archives are units; what their classes load is not followed.

use super::{
    How, Scope,
    start::{Start, Starter},
    walk::{is_data, join},
};
use crate::{inventory::File, model::path};

/// Options that name a class path or a module path in the next word.
const PATHS: [&str; 5] = ["-cp", "-classpath", "--class-path", "-p", "--module-path"];

/// Options that take the next word for something else.
const VALUES: [&str; 5] = ["--add-modules", "--add-opens", "--add-exports", "--add-reads", "--patch-module"];

impl<'a> Starter<'_, 'a> {
    /// `java [options] -jar FILE` or `java [options] CLASS`.
    pub(super) fn java(&mut self, start: &Start, file: &File<'a>) {
        let id = file.id();
        self.runtime_tree(file);
        if let Some(value) = start.env.value("CLASSPATH") {
            self.class_path(start, &value, file);
        }
        let mut words = start.argv.iter().skip(1);
        while let Some(raw) = words.next() {
            let Some(word) = start.env.word(raw) else {
                let why = format!("is given {}, which is not known before it runs", path::escape(raw.as_bytes()));
                self.walk.open(Scope::Below(vec![Vec::new()]), Some(id), why);
                continue;
            };
            if PATHS.contains(&word.as_str()) || word == "-jar" {
                match words.next().map(|raw| start.env.word(raw)) {
                    Some(Some(value)) => self.class_path(start, &value, file),
                    _ => self.walk.open(
                        Scope::Below(vec![Vec::new()]),
                        Some(id),
                        "is given a class path that is not known before it runs",
                    ),
                }
                if word == "-jar" {
                    break;
                }
            } else if VALUES.contains(&word.as_str()) {
                words.next();
            } else if let Some(value) = word.strip_prefix("-javaagent:").or_else(|| word.strip_prefix("-agentpath:")) {
                let agent = value.split('=').next().unwrap_or_default();
                self.class_path(start, agent, file);
            } else if let Some(list) = word.strip_prefix('@') {
                let found = self.walk.reach_path(&start.env.absolute(list.as_bytes()), Some(id), How::Names);
                let scope = found.map(|list| path::parent(list.path()).to_vec()).unwrap_or_default();
                self.walk.open(Scope::Below(vec![scope]), Some(id), "reads its options from a file");
            } else if !word.starts_with('-') {
                // JEP 330: a source file is compiled and run, by the compiler that `javac` starts, too.
                if word.ends_with(".java") {
                    self.walk.reach_path(&start.env.absolute(word.as_bytes()), Some(id), How::Names);
                    self.walk.reach_path(&join(path::parent(file.path()), b"javac"), Some(id), How::Starts);
                }
                break;
            }
        }
        self.walk.open(Scope::Programs, Some(id), "runs compiled classes, which may start programs");
    }

    fn class_path(&mut self, start: &Start, value: &str, java: &File<'a>) {
        let mut dirs = Vec::new();
        for part in value.split(':').filter(|part| !part.is_empty()) {
            let (place, all) = match part.strip_suffix("/*") {
                Some(dir) => (dir, true),
                None => (part, part == "*"),
            };
            let place = start.env.absolute(if part == "*" { b"." } else { place.as_bytes() });
            let Some(found) = self.walk.inventory.resolve(&place) else { continue };
            let dir = if is_data(&found) { path::parent(found.path()) } else { found.path() };
            dirs.push(dir.to_vec());
            if is_data(&found) {
                self.walk.reach_path(&place, Some(java.id()), How::Loads);
            } else if all {
                let depth = dir.len() + usize::from(!dir.is_empty());
                let flat = move |file: &File<'a>| {
                    let name = file.path().get(depth..).unwrap_or_default();
                    name.ends_with(b".jar") && !name.contains(&b'/')
                };
                self.walk.reach_below(dir, Some(java.id()), false, flat);
            } else {
                self.walk.reach_below(dir, Some(java.id()), false, |_| true);
            }
        }
        if !dirs.is_empty() {
            dirs.sort();
            dirs.dedup();
            self.walk.open(Scope::Below(dirs), Some(java.id()), "loads what the archives' manifests name");
        }
    }

    /// The files that belong to a Java run time: everything below `lib` and `conf` but what only a compiler reads.
    fn runtime_tree(&mut self, java: &File<'a>) {
        let bin = path::parent(java.path());
        if path::name(bin) != b"bin" {
            return;
        }
        let home = path::parent(bin).to_vec();
        let of_compilers = [&b"src.zip"[..], b"ct.sym", b"libattach.so"];
        for dir in ["lib", "conf", "jre/lib"] {
            let dir = join(&home, dir.as_bytes());
            self.walk.reach_below(&dir, Some(java.id()), true, |file| !of_compilers.contains(&path::name(file.path())));
        }
    }
}
