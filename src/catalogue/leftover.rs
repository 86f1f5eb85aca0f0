//! `[[rule.files]]` and `[[rule.tree]]`: loose files and directories that were left from building, as they are written
//! and as they are judged.
//!
//! `policies/README.md` explains every key. Whether a file of an image fits is asked by [`crate::rule`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::compile::Check;
use crate::{
    model::{Format, FormatSet, NamePattern, Remedy, ShapeWant, path},
    probe::sieve::{LITERAL_MAX, LITERAL_MIN},
};

/// `[[rule.files]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFiles {
    name: String,
    names: Vec<String>,
    #[serde(default)]
    but: Vec<String>,
    #[serde(default)]
    format: Vec<Format>,
    #[serde(default)]
    head: Vec<String>,
    #[serde(default)]
    no_head: Vec<String>,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    dirs: Vec<String>,
    #[serde(default)]
    outside: Vec<String>,
    #[serde(default)]
    manifest: Vec<String>,
    #[serde(default)]
    output: Option<Output>,
    #[serde(default = "one")]
    min: usize,
    #[serde(default)]
    min_bytes: u64,
    #[serde(default = "yes")]
    unowned: bool,
    #[serde(default)]
    company: bool,
    #[serde(default)]
    root: RootOf,
    #[serde(default)]
    remedy: Option<String>,
}

/// `[[rule.tree]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTree {
    name: String,
    #[serde(default)]
    at: Vec<String>,
    #[serde(default)]
    members: Vec<RawMember>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default = "yes")]
    unowned: bool,
    #[serde(default)]
    remedy: Option<String>,
}

/// One member of a [`RawTree`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMember {
    path: OneOrMany,
    #[serde(default)]
    head: Vec<String>,
    #[serde(default)]
    format: Option<Format>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

/// Which directory the files of a finding are gathered under.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootOf {
    /// The project they lie in: the outermost directory with a manifest, else the working directory, else the top.
    #[default]
    Project,
    /// The outermost directory that `dirs` names.
    Dirs,
    /// The directory of each file.
    Parent,
}

/// What sources are compiled to, and who needs no compiling.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Endings of the compiled files, the dot with them.
    pub endings: Vec<String>,
    /// Directories of a project that hold compiled files under other names.
    pub dirs: Vec<String>,
    /// Programs that run the sources as they are.
    pub not_run_by: Vec<String>,
}

/// Loose files that belong together.
#[derive(Debug)]
pub struct Files {
    /// What they are, for the evidence line.
    pub name: String,
    /// Their names.
    pub names: Vec<NamePattern>,
    /// Names that are none though they fit.
    pub but: Vec<NamePattern>,
    /// What their first bytes say; empty for anything.
    pub formats: FormatSet,
    /// Texts of which one is in the first 512 bytes, if there are any here.
    pub head: Vec<String>,
    /// Texts of which none is.
    pub no_head: Vec<String>,
    /// Texts of which one is anywhere in the file, if there are any here.
    pub contains: Vec<String>,
    /// Texts of which none is.
    pub without: Vec<String>,
    /// Directories they lie below, if there are any here.
    pub dirs: Vec<Place>,
    /// Directories they do not lie below.
    pub outside: Vec<Place>,
    /// Names of which one is in a directory above, if there are any here.
    pub manifest: Vec<NamePattern>,
    /// What they must be compiled to.
    pub output: Option<Output>,
    /// How many there must be below one root.
    pub min: usize,
    /// Smallest file that counts, in bytes.
    pub min_bytes: u64,
    /// Whether files of packages do not count.
    pub unowned: bool,
    /// Whether they count only beside other files of the same rule.
    pub company: bool,
    /// Where they are gathered.
    pub root: RootOf,
    /// What to write instead where nothing else is found beside them; else what the rule says.
    pub remedy: Option<Remedy>,
}

/// A directory that belongs to a rule with what lies below.
#[derive(Debug)]
pub struct Tree {
    /// What it is, for the evidence line.
    pub name: String,
    /// Where it is; empty when the first member tells.
    pub at: Vec<Place>,
    /// What it holds, all of it.
    pub members: Vec<TreeMember>,
    /// Paths relative to it of which none is there.
    pub without: Vec<String>,
    /// Names of the parts that belong to it; empty for all.
    pub only: Vec<NamePattern>,
    /// Directories right below it that do not belong to it.
    pub keep: Vec<String>,
    /// Whether files of packages do not count.
    pub unowned: bool,
    /// What to write instead where nothing else is found beside it; else what the rule says.
    pub remedy: Option<Remedy>,
}

/// Something that a [`Tree`] holds.
#[derive(Debug)]
pub struct TreeMember {
    /// Where it is, one of them.
    pub any: Vec<MemberPath>,
    /// Texts of which one is in its first 512 bytes, if there are any here.
    pub head: Vec<String>,
    /// What its first bytes say.
    pub format: Option<Format>,
}

/// A path below the root of a [`Tree`].
#[derive(Debug)]
pub struct MemberPath {
    /// As it was written.
    pub text: String,
    /// The directory part; empty for a single name.
    pub dir: String,
    /// The last component.
    pub name: NamePattern,
    /// The last component, when it has no `*`.
    pub plain: bool,
    /// Whether it is a directory; else a file.
    pub is_dir: bool,
}

/// The end of a directory's path, or all of it.
#[derive(Debug)]
pub struct Place {
    parts: Vec<NamePattern>,
    absolute: bool,
}

impl Place {
    /// Reads a place: components that may hold one `*` each; a leading slash means the whole path.
    pub fn new(text: &str) -> Self {
        let parts = text.split('/').filter(|part| !part.is_empty()).map(NamePattern::new).collect();
        Self { parts, absolute: text.starts_with('/') }
    }

    /// The pattern of the last component.
    pub fn last(&self) -> Option<&NamePattern> {
        self.parts.last()
    }

    /// Whether a cleaned path of a directory is this place.
    pub fn is(&self, dir: &[u8]) -> bool {
        let mut rest = dir.rsplit(|&b| b == b'/');
        let fits = self.parts.iter().rev().all(|part| rest.next().is_some_and(|name| part.matches(name)));
        fits && !dir.is_empty() && (!self.absolute || rest.next().is_none())
    }

    /// The outermost directory above a file that is this place.
    pub fn above<'p>(&self, file: &'p [u8]) -> Option<&'p [u8]> {
        let last = self.last()?;
        path::ancestors(file).filter(|dir| last.matches(path::name(dir)) && self.is(dir)).last()
    }
}

impl Files {
    pub(super) fn compile(raw: RawFiles, remedies: &BTreeMap<String, Remedy>, check: &mut Check<'_>) -> Self {
        let name = &raw.name;
        check.title("name", name);
        check.needs(!raw.names.is_empty(), || format!("files \"{name}\" have no `names`"));
        for pattern in raw.names.iter().chain(&raw.but).chain(&raw.manifest) {
            check.needs(is_name(pattern), || {
                format!("files \"{name}\" want names with at most one '*' beside other letters, not \"{pattern}\"")
            });
        }
        texts(&format!("files \"{name}\""), raw.head.iter().chain(&raw.no_head), 1, check);
        texts(&format!("files \"{name}\""), raw.contains.iter().chain(&raw.without), LITERAL_MIN, check);
        let proof = !raw.format.is_empty() || !raw.head.is_empty() || !raw.contains.is_empty();
        check
            .needs(proof, || format!("files \"{name}\" want `format`, `head` or `contains`: a name alone is no proof"));
        check.needs(raw.min > 0, || format!("files \"{name}\" want a `min` of at least 1"));
        check.needs(raw.root != RootOf::Dirs || !raw.dirs.is_empty(), || {
            format!("files \"{name}\" with root = \"dirs\" want `dirs`")
        });
        let patterns = |texts: &[String]| texts.iter().map(|text| NamePattern::new(text)).collect();
        let places = |texts: &[String]| texts.iter().map(|text| Place::new(text)).collect();
        Self {
            names: patterns(&raw.names),
            but: patterns(&raw.but),
            formats: raw.format.into_iter().collect(),
            dirs: places(&raw.dirs),
            outside: places(&raw.outside),
            manifest: patterns(&raw.manifest),
            name: raw.name,
            head: raw.head,
            no_head: raw.no_head,
            contains: raw.contains,
            without: raw.without,
            output: raw.output,
            min: raw.min,
            min_bytes: raw.min_bytes,
            unowned: raw.unowned,
            company: raw.company,
            root: raw.root,
            remedy: raw.remedy.and_then(|id| check.remedy(&id, remedies)),
        }
    }

    /// What has to be looked for in the files of these names.
    pub(super) fn want(&self) -> Option<ShapeWant> {
        let head: Vec<String> = self.head.iter().chain(&self.no_head).cloned().collect();
        let body: Vec<String> = self.contains.iter().chain(&self.without).cloned().collect();
        let wanted = !head.is_empty() || !body.is_empty();
        wanted.then(|| ShapeWant { names: self.names.clone(), head, body })
    }
}

impl Tree {
    pub(super) fn compile(raw: RawTree, remedies: &BTreeMap<String, Remedy>, check: &mut Check<'_>) -> Self {
        let name = &raw.name;
        check.title("name", name);
        let members: Vec<TreeMember> =
            raw.members.into_iter().map(|member| self::member(member, name, check)).collect();
        let at: Vec<Place> = raw.at.iter().map(|text| Place::new(text)).collect();
        let anchored = members.first().and_then(|member| member.any.first().filter(|_| member.any.len() == 1));
        check.needs(!at.is_empty() || anchored.is_some_and(|path| path.plain && !path.is_dir), || {
            format!("tree \"{name}\" wants `at`, or a file with one plain path as its first member")
        });
        let content = members.iter().any(|member| !member.head.is_empty() || member.format.is_some());
        let names = at.iter().map(|place| place.parts.len()).min().unwrap_or(0) + members.len();
        check.needs(content || names >= 3 && !members.is_empty(), || {
            format!(
                "tree \"{name}\" wants a member with `head` or `format`, or three names in `at` and members together: \
                 a path alone is no proof"
            )
        });
        Self {
            name: raw.name,
            at,
            members,
            without: raw.without,
            only: raw.only.iter().map(|text| NamePattern::new(text)).collect(),
            keep: raw.keep,
            unowned: raw.unowned,
            remedy: raw.remedy.and_then(|id| check.remedy(&id, remedies)),
        }
    }

    /// What has to be looked for in the files that are members.
    pub(super) fn wants(&self) -> impl Iterator<Item = ShapeWant> {
        let asking = self.members.iter().filter(|member| !member.head.is_empty());
        asking.map(|member| ShapeWant {
            names: member.any.iter().map(|path| path.name.clone()).collect(),
            head: member.head.clone(),
            body: Vec::new(),
        })
    }
}

fn member(raw: RawMember, tree: &str, check: &mut Check<'_>) -> TreeMember {
    let paths = match raw.path {
        OneOrMany::One(path) => vec![path],
        OneOrMany::Many(paths) => paths,
    };
    check.needs(!paths.is_empty(), || format!("a member of tree \"{tree}\" has no `path`"));
    texts(&format!("tree \"{tree}\""), raw.head.iter(), 1, check);
    let asks = !raw.head.is_empty() || raw.format.is_some();
    let any = paths.iter().map(|text| {
        let plain = text.trim_end_matches('/');
        let (dir, name) = plain.rsplit_once('/').unwrap_or(("", plain));
        let is_dir = text.ends_with('/');
        check.needs(!dir.contains('*') && !name.is_empty() && name.matches('*').count() <= 1, || {
            format!("tree \"{tree}\" wants paths whose last component holds at most one '*', not \"{text}\"")
        });
        check.needs(!is_dir || !asks, || {
            format!("member \"{text}\" of tree \"{tree}\" is a directory and has no bytes")
        });
        MemberPath {
            text: text.clone(),
            dir: dir.to_string(),
            name: NamePattern::new(name),
            plain: !name.contains('*'),
            is_dir,
        }
    });
    TreeMember { any: any.collect(), head: raw.head, format: raw.format }
}

fn is_name(pattern: &str) -> bool {
    let stars = pattern.matches('*').count();
    stars <= 1 && pattern.len() > stars && !pattern.contains('/')
}

fn texts<'a>(what: &str, texts: impl Iterator<Item = &'a String>, min: usize, check: &mut Check<'_>) {
    for text in texts {
        check.needs((min..=LITERAL_MAX).contains(&text.len()), || {
            format!("{what}: text \"{text}\" has not {min} to {LITERAL_MAX} bytes")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_end_of_a_path_or_all_of_it() {
        let pip = Place::new(".cache/pip");
        assert!(pip.is(b"root/.cache/pip") && pip.is(b".cache/pip"));
        assert!(!pip.is(b"root/x.cache/pip") && !pip.is(b"pip") && !pip.is(b"") && !pip.is(b".cache/pip/http"));
        let lists = Place::new("/var/lib/apt/lists");
        assert!(lists.is(b"var/lib/apt/lists") && !lists.is(b"x/var/lib/apt/lists"));
        let python = Place::new("lib/python*");
        assert_eq!(
            python.above(b"usr/local/lib/python3.12/config-3.12/lib/python/x.c"),
            Some(&b"usr/local/lib/python3.12"[..])
        );
        assert_eq!(python.above(b"usr/local/lib/x.c"), None);
    }
}
