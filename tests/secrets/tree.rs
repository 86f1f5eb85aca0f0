//! The labelled tree: files on disk, and what is to be said of each.

use std::{collections::BTreeSet, fs, path::Path};

use crate::token::Token;

/// What a scan is to say of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expect {
    /// A secret: medium or worse.
    Alarm,
    /// Told, but below medium: it is protected, has expired, opens a test environment.
    Note,
    /// A note at most, or silence.
    Quiet,
    /// Silence, and at most a note by mistake.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Label {
    /// Path in the tree, without a slash in front.
    pub path: String,
    /// The kind of its row: a rule's name, or what a set of harmless files is.
    pub kind: String,
    /// Rules that may be named for it; empty for harmless files.
    pub rules: Vec<String>,
    pub line: Option<u32>,
    pub expect: Expect,
    /// How it is written down, for the message.
    pub carrier: String,
    /// Whether it counts, or is only told.
    pub counts: bool,
}

#[derive(Default)]
pub struct Tree {
    pub labels: Vec<Label>,
    /// Every secret that was written, the harmless ones too.
    pub tokens: Vec<Token>,
    files: Vec<(String, Vec<u8>)>,
    taken: BTreeSet<String>,
    next: usize,
}

impl Tree {
    /// A directory that nothing else is in. What it is called says nothing of what it holds.
    pub fn dir(&mut self) -> String {
        self.next += 1;
        format!("srv/{:02x}/app{:04}", self.next % 61, self.next)
    }

    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        assert!(self.taken.insert(path.to_string()), "{path} is there already");
        self.files.push((path.to_string(), bytes.into()));
    }

    /// A file with a secret of a rule.
    pub fn secret(&mut self, rule: &str, path: &str, bytes: impl Into<Vec<u8>>, expect: Expect) -> &mut Label {
        self.file(path, bytes);
        self.label(rule, path, expect)
    }

    pub fn label(&mut self, rule: &str, path: &str, expect: Expect) -> &mut Label {
        let accepted = crate::kinds::accepted(rule);
        let rules = [&[rule][..], accepted].concat().into_iter().map(|rule| format!("secret/{rule}")).collect();
        let name = path.rsplit('/').next().unwrap_or_default();
        self.labels.push(Label {
            path: path.into(),
            kind: rule.into(),
            rules,
            line: None,
            expect,
            carrier: name.into(),
            counts: true,
        });
        self.labels.last_mut().expect("it was just added")
    }

    /// A file without any.
    pub fn harmless(&mut self, kind: &str, path: &str, bytes: impl Into<Vec<u8>>, expect: Expect) {
        self.file(path, bytes);
        let name = path.rsplit('/').next().unwrap_or_default();
        self.labels.push(Label {
            path: path.into(),
            kind: format!("~{kind}"),
            rules: Vec::new(),
            line: None,
            expect,
            carrier: name.into(),
            counts: true,
        });
    }

    pub fn write(&self, root: &Path) {
        for (path, bytes) in &self.files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
            fs::write(path, bytes).expect("written");
        }
    }
}
