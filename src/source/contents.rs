//! What an image archive holds: the members by cleaned name, links between them, and the doubtful ones.
//!
//! Knows the outer tar of `docker save` and of OCI archives; nothing of what its documents mean.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    document::{cut, quote},
    resolve::Member,
};
use crate::{
    error::{Error, Result},
    layer::tar::{EntryKind, Header, Limits},
    model::path::{clean, escape, parent},
};

/// What the outer archive may ask for: far above the thousand layers an image can have.
pub(super) const ARCHIVE_LIMITS: Limits = Limits { entries: 100_000, name_bytes: 16 << 20 };

/// Most links from a name to the file it stands for.
const LINKS_MAX: usize = 16;

/// The members of an archive.
#[derive(Debug, Default)]
pub(super) struct Contents(BTreeMap<String, Kind>);

#[derive(Debug)]
enum Kind {
    File {
        offset: u64,
        bytes: u64,
    },
    /// A symbolic or hard link, as the name it leads to.
    Link(String),
    /// What no image archive needs as a document or a layer.
    Odd(&'static str),
}

impl Contents {
    /// The name by which members are found: cleaned, and escaped where it is not printable.
    pub(super) fn key(raw: &[u8]) -> String {
        escape(&clean(raw))
    }

    /// Notes one entry of the archive, whose body starts at `offset`.
    pub(super) fn add(&mut self, header: &Header, offset: u64) {
        let path = clean(&header.path);
        let kind = match header.kind {
            EntryKind::Dir | EntryKind::Global => return,
            EntryKind::File if header.sparse.is_some() => Kind::Odd("is stored as a sparse file"),
            EntryKind::File => Kind::File { offset, bytes: header.size },
            EntryKind::Hardlink => Kind::Link(Self::key(&header.link)),
            EntryKind::Symlink if header.link.starts_with(b"/") => Kind::Link(Self::key(&header.link)),
            EntryKind::Symlink => Kind::Link(Self::key(&[parent(&path), b"/", &header.link].concat())),
            _ => Kind::Odd("is no regular file"),
        };
        match self.0.entry(escape(&path)) {
            Entry::Vacant(place) => drop(place.insert(kind)),
            // Engines differ in whether the first or the last holds.
            Entry::Occupied(mut place) => drop(place.insert(Kind::Odd("stands twice in the archive"))),
        }
    }

    /// Refuses an archive that would look different when it is unpacked: engines that unpack it write a member below
    /// a link to where the link leads.
    pub(super) fn check(&self) -> Result<()> {
        for (link, kind) in &self.0 {
            let below = format!("{link}/");
            let next = self.0.range(below.clone()..).next();
            if let (Kind::Link(_), Some((name, _))) = (kind, next.filter(|(name, _)| name.starts_with(&below))) {
                return Err(Error::judge("can not read the archive").cause(format!(
                    "the member \"{}\" lies below the link \"{}\"",
                    cut(name),
                    cut(link)
                )));
            }
        }
        Ok(())
    }

    /// The regular file that `path` leads to, and where its bytes start.
    pub(super) fn find(&self, path: &str) -> Result<Option<(Member, u64)>> {
        let mut key = Self::key(path.as_bytes());
        for _ in 0..LINKS_MAX {
            match self.0.get(&key) {
                None => return Ok(None),
                Some(Kind::File { offset, bytes }) => return Ok(Some((Member { key, bytes: *bytes }, *offset))),
                Some(Kind::Link(target)) => key = target.clone(),
                Some(Kind::Odd(why)) => {
                    return Err(Error::judge(format!("the archive's member \"{}\" {why}", cut(&key))));
                }
            }
        }
        Err(Error::judge(format!("the archive's member \"{}\" is a link without end", quote(path))))
    }

    /// What the archive looks like if it is no image.
    pub(super) fn guess(&self) -> Option<&'static str> {
        let any =
            |start: &str| self.0.range(start.to_string()..).next().is_some_and(|(name, _)| name.starts_with(start));
        if any("repositories") {
            return Some("it looks like an archive of a Docker older than 1.10");
        }
        (any("etc/") && (any("bin") || any("usr/"))).then_some(
            "it looks like a root file system: unpack it and scan dir:PATH, or import it with `docker import`",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(members: &[(&str, EntryKind, &str)]) -> Contents {
        let mut contents = Contents::default();
        for (at, (path, kind, link)) in members.iter().enumerate() {
            let header = Header {
                path: path.as_bytes().to_vec(),
                link: link.as_bytes().to_vec(),
                kind: *kind,
                ..Header::default()
            };
            contents.add(&header, at as u64);
        }
        contents
    }

    #[test]
    fn links_lead_to_members_of_the_archive_only() {
        let archive = contents(&[
            ("./a/layer.tar", EntryKind::File, ""),
            ("b/layer.tar", EntryKind::Symlink, "../a/layer.tar"),
            ("c", EntryKind::Symlink, "../../../b/layer.tar"),
            ("d", EntryKind::Hardlink, "a/layer.tar"),
            ("e", EntryKind::Symlink, "/etc/passwd"),
            ("f", EntryKind::Symlink, "f"),
        ]);
        for path in ["b/layer.tar", "c", "d", "../a/./layer.tar"] {
            let (member, offset) = archive.find(path).expect(path).expect(path);
            assert_eq!((member.key.as_str(), offset), ("a/layer.tar", 0));
        }
        assert_eq!(archive.find("e"), Ok(None));
        assert!(archive.find("f").is_err());
    }

    #[test]
    fn a_doubled_member_is_refused_when_it_is_needed() {
        let archive = contents(&[("manifest.json", EntryKind::File, ""), ("./manifest.json", EntryKind::File, "")]);
        assert!(archive.find("manifest.json").expect_err("twice").to_string().contains("twice"));
    }

    #[test]
    fn a_member_below_a_link_is_refused() {
        let sly = contents(&[("x", EntryKind::Symlink, "."), ("x/manifest.json", EntryKind::File, "")]);
        assert!(sly.check().is_err());
        let plain =
            contents(&[("x", EntryKind::Symlink, "y"), ("x-y", EntryKind::File, ""), ("y/z", EntryKind::File, "")]);
        assert_eq!(plain.check(), Ok(()));
    }
}
