//! Settles what one archive says twice, in the order of the archive, as engines do when they unpack it.
//!
//! A later entry replaces an earlier one of the same name, and what lay below it unless both are directories; a name
//! behind a linked directory of the same archive means the directory that the link leads to. Ordinary archives have
//! neither, so the usual cost is one look at each name.

use std::{collections::BTreeMap, ops::Bound};

use hashbrown::{HashMap, HashSet};

use crate::model::{Entry, EntryId, EntryTable, Kind, LayerFacts, Notice, Observation, path};

/// Links followed in one name before it counts as a loop, as Linux does (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// Brings the entries into the state in which every path is there once and nothing lies below a file.
pub(super) fn settle(facts: &mut LayerFacts) {
    if !is_settled(&facts.entries) {
        Unpacked::replay(facts);
    }
}

fn is_settled(entries: &EntryTable) -> bool {
    let mut kinds: HashMap<&[u8], Kind> = HashMap::with_capacity(entries.len());
    if !entries.iter().all(|e| kinds.insert(e.path, e.kind).is_none()) {
        return false;
    }
    let is_dir = |dir: &[u8]| kinds.get(dir).is_none_or(|kind| *kind == Kind::Dir);
    let mut last: &[u8] = b"";
    entries.iter().all(|e| {
        // Directories that this name shares with the last were looked at then.
        let shared = path::shared_dir(last, e.path);
        last = e.path;
        path::ancestors(e.path).take_while(|dir| dir.len() > shared).all(is_dir)
            && (e.kind != Kind::Hardlink || path::ancestors(e.link).all(is_dir))
    })
}

/// The tree as it grows while the archive is unpacked.
#[derive(Default)]
struct Unpacked {
    rows: EntryTable,
    /// Old entry of every row.
    from: Vec<EntryId>,
    /// Row that stands at a path now; sorted, so that what lies below a directory is found without a look at the rest.
    now: BTreeMap<Vec<u8>, EntryId>,
    /// Rows that were replaced.
    dead: HashSet<EntryId>,
    /// Row that a hard link meant when it was made.
    meant: HashMap<EntryId, EntryId>,
    doubled: u64,
    below_files: u64,
}

impl Unpacked {
    fn replay(facts: &mut LayerFacts) {
        let mut tree = Self::default();
        for entry in facts.entries.iter() {
            tree.unpack(&entry, facts.entries.stored(entry.id));
        }
        tree.finish(facts);
    }

    fn unpack(&mut self, entry: &Entry<'_>, stored: u64) {
        let Some(path) = self.real_path(entry.path) else {
            self.below_files += 1;
            return;
        };
        let link = match entry.kind {
            Kind::Hardlink => self.real_path(entry.link).unwrap_or_else(|| entry.link.to_vec()),
            _ => entry.link.to_vec(),
        };
        if let Some(&old) = self.now.get(&path) {
            self.doubled += 1;
            let was_dir = self.rows.get(old).is_some_and(|e| e.kind == Kind::Dir);
            self.dead.insert(old);
            if was_dir && entry.kind != Kind::Dir {
                self.remove_below(&path);
            }
        }
        let meant = (entry.kind == Kind::Hardlink).then(|| self.now.get(&link).copied()).flatten();
        let Some(row) = self.rows.push(&Entry { path: &path, link: &link, ..*entry }) else { return };
        self.rows.set_stored(row, stored);
        self.from.push(entry.id);
        self.now.insert(path, row);
        if let Some(meant) = meant {
            // A link to a link means what that one meant.
            let first = self.meant.get(&meant).copied().unwrap_or(meant);
            self.meant.insert(row, first);
        }
    }

    fn remove_below(&mut self, dir: &[u8]) {
        let first = [dir, b"/"].concat();
        let below = self.now.range::<[u8], _>((Bound::Included(&first[..]), Bound::Unbounded));
        let gone: Vec<Vec<u8>> = below.map(|(path, _)| path).take_while(|p| p.starts_with(&first)).cloned().collect();
        for path in gone {
            self.dead.extend(self.now.remove(&path));
        }
    }

    /// Follows linked directories of this archive; `None` when a parent is a file or a loop.
    fn real_path(&self, wanted: &[u8]) -> Option<Vec<u8>> {
        let mut wanted = wanted.to_vec();
        for _ in 0..LINKS_MAX {
            let parents: Vec<&[u8]> = path::ancestors(&wanted).collect();
            let odd = parents.into_iter().rev().find_map(|dir| {
                let entry = self.rows.get(*self.now.get(dir)?)?;
                (entry.kind != Kind::Dir).then_some((dir.len(), entry))
            });
            let Some((len, entry)) = odd else { return Some(wanted) };
            if entry.kind != Kind::Symlink {
                return None;
            }
            let base = if entry.link.starts_with(b"/") { b"" } else { path::parent(entry.path) };
            wanted = path::clean(&[base, b"/", entry.link, &wanted[len..]].concat());
        }
        None
    }

    fn finish(mut self, facts: &mut LayerFacts) {
        let mut observed: HashMap<EntryId, Vec<Observation>> = HashMap::new();
        for observation in std::mem::take(&mut facts.observations) {
            observed.entry(observation.entry).or_default().push(observation);
        }
        self.give_content_to_links(&mut observed);

        let Self { mut rows, from, dead, doubled, below_files, .. } = self;
        let moved = rows.retain(|row| !dead.contains(&row));
        for (old, new) in from.into_iter().zip(moved) {
            let Some(new) = new else { continue };
            facts
                .observations
                .extend(observed.remove(&old).into_iter().flatten().map(|o| Observation { entry: new, ..o }));
        }
        facts.entries = rows;
        let mut notice = |count: u64, unread: bool, text: &str| {
            if count > 0 {
                facts.notices.push(Notice { path: None, text: format!("{count} {text}"), unread });
            }
        };
        notice(
            doubled,
            false,
            "entries of the archive are doubled; the last of each counts, some engines refuse the layer",
        );
        notice(below_files, true, "entries of the archive lie below a file; engines refuse the layer");
    }

    /// A hard link to a file that was replaced later keeps the old content: the first such link becomes the file.
    fn give_content_to_links(&mut self, observed: &mut HashMap<EntryId, Vec<Observation>>) {
        let mut heirs: HashMap<EntryId, EntryId> = HashMap::new();
        let mut rows = EntryTable::default();
        let meant = std::mem::take(&mut self.meant);
        for row in self.rows.iter() {
            let target = meant.get(&row.id).filter(|t| self.dead.contains(*t) && !self.dead.contains(&row.id));
            let Some((&target, file)) = target.and_then(|t| Some((t, self.rows.get(*t)?))) else {
                if let Some(id) = rows.push(&row) {
                    rows.set_stored(id, self.rows.stored(row.id));
                }
                continue;
            };
            let heir = heirs.get(&target).and_then(|heir| self.rows.get(*heir));
            match heir {
                Some(heir) => {
                    rows.push(&Entry { link: heir.path, ..row });
                }
                None => {
                    heirs.insert(target, row.id);
                    let origin = |at: EntryId| self.from.get(at.0 as usize).copied();
                    if let (Some(old), Some(new)) = (origin(target), origin(row.id)) {
                        let facts = observed.remove(&old);
                        observed.entry(new).or_default().extend(facts.into_iter().flatten());
                    }
                    if let Some(id) = rows.push(&Entry { path: row.path, id: row.id, ..file }) {
                        rows.set_stored(id, self.rows.stored(target));
                    }
                }
            }
        }
        self.rows = rows;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fact, Format};

    fn settled(entries: &[(&str, Kind, &str)]) -> (Vec<String>, Vec<String>) {
        let mut facts = LayerFacts::default();
        for (number, (path, kind, link)) in entries.iter().enumerate() {
            let (path, link, size) = (path.as_bytes(), link.as_bytes(), number as u64);
            let (id, format) = (EntryId(0), Format::Other);
            let entry = Entry { id, path, link, kind: *kind, format, mode: 0, uid: 0, gid: 0, size };
            let entry = facts.entries.push(&entry).expect("room");
            facts.observations.push(Observation { entry, fact: Fact::Literals(vec![number.to_string()]) });
        }
        settle(&mut facts);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = facts.entries.iter().map(|e| {
            let seen = facts.observations.iter().filter(|o| o.entry == e.id).map(|o| match &o.fact {
                Fact::Literals(number) => number.concat(),
                _ => String::new(),
            });
            let seen = seen.collect::<Vec<_>>().join("+");
            format!("{} {:?} {} {seen}", text(e.path), e.kind, text(e.link))
        });
        (shown.collect(), facts.notices.into_iter().map(|n| n.text).collect())
    }

    #[test]
    fn an_ordinary_archive_stays_as_it_is() {
        let (entries, notices) =
            settled(&[("a", Kind::Dir, ""), ("a/x", Kind::File, ""), ("b", Kind::Hardlink, "a/x")]);
        assert_eq!(entries, ["a Dir  0", "a/x File  1", "b Hardlink a/x 2"]);
        assert!(notices.is_empty());
    }

    #[test]
    fn the_last_of_two_entries_counts_and_it_is_said() {
        let (entries, notices) = settled(&[("a", Kind::File, ""), ("b", Kind::File, ""), ("a", Kind::File, "")]);
        assert_eq!(entries, ["b File  1", "a File  2"]);
        assert_eq!(notices.len(), 1);
    }

    #[test]
    fn a_file_in_the_place_of_a_directory_takes_all_below_it_away() {
        let (entries, _) =
            settled(&[("d", Kind::Dir, ""), ("d/x", Kind::File, ""), ("d", Kind::File, ""), ("dx", Kind::File, "")]);
        assert_eq!(entries, ["d File  2", "dx File  3"]);
        let (entries, _) = settled(&[("d", Kind::Dir, ""), ("d/x", Kind::File, ""), ("d", Kind::Dir, "")]);
        assert_eq!(entries, ["d/x File  1", "d Dir  2"]);
    }

    #[test]
    fn a_hard_link_keeps_the_content_of_a_file_that_is_replaced_later() {
        let (entries, _) = settled(&[
            ("gcc", Kind::File, ""),
            ("helper", Kind::Hardlink, "gcc"),
            ("again", Kind::Hardlink, "helper"),
            ("gcc", Kind::File, ""),
        ]);
        assert_eq!(entries, ["helper File  1+0", "again Hardlink helper 2", "gcc File  3"]);
    }

    #[test]
    fn a_name_behind_a_linked_directory_means_the_directory() {
        let (entries, _) = settled(&[
            ("usr/bin", Kind::Dir, ""),
            ("bin", Kind::Symlink, "usr/bin"),
            ("bin/x", Kind::File, ""),
            ("abs", Kind::Symlink, "/usr/../bin"),
            ("abs/y", Kind::File, ""),
        ]);
        assert_eq!(
            entries,
            [
                "usr/bin Dir  0",
                "bin Symlink usr/bin 1",
                "usr/bin/x File  2",
                "abs Symlink /usr/../bin 3",
                "usr/bin/y File  4"
            ]
        );
    }

    #[test]
    fn loops_and_entries_below_files_are_said_and_left_out() {
        let (entries, notices) = settled(&[
            ("a", Kind::Symlink, "b"),
            ("b", Kind::Symlink, "a"),
            ("a/x", Kind::File, ""),
            ("f", Kind::File, ""),
            ("f/x", Kind::File, ""),
        ]);
        assert_eq!(entries.len(), 3);
        assert_eq!(notices, ["2 entries of the archive lie below a file; engines refuse the layer"]);
    }
}
