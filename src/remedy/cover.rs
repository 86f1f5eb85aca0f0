//! Covers what is taken by as few lines of COPY as there can be.

use std::collections::BTreeSet;

use super::{Stop, select::SYSTEM};
use crate::model::path;

/// Most lines of COPY: beyond that nobody would keep the file.
pub(super) const PICKS_MAX: usize = 24;

/// Something to copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Pick {
    /// Its cleaned path.
    pub path: Vec<u8>,
    /// Whether it is a directory, which is taken whole.
    pub is_dir: bool,
    /// Whose it is, where that is not root.
    pub owner: Option<(u32, u32)>,
    /// Its bytes.
    pub bytes: u64,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Leaf {
    /// The base brought it.
    Base(u64),
    /// It is taken.
    Kept { bytes: u64, owner: (u32, u32) },
    /// It is a directory without anything in it, and is taken.
    Empty { owner: (u32, u32) },
    /// It is left behind.
    Dropped,
}

/// Covers what is kept by as few directories and files as there can be. `rows` lie below `dir`, sorted.
pub(super) fn cover(dir: &[u8], rows: &[(&[u8], Leaf)], picks: &mut Vec<Pick>) -> Result<(), Stop> {
    let kept = rows.iter().filter_map(|(_, leaf)| match leaf {
        Leaf::Kept { bytes, owner } => Some((*bytes, owner)),
        Leaf::Empty { owner } => Some((0, owner)),
        Leaf::Base(_) | Leaf::Dropped => None,
    });
    let (count, bytes) =
        kept.clone().fold((0, 0_u64), |(count, sum), (bytes, _)| (count + 1, sum.saturating_add(bytes)));
    if count == 0 {
        return Ok(());
    }
    let dropped = rows.iter().any(|(_, leaf)| *leaf == Leaf::Dropped);
    let of_base = rows.iter().map(|(_, leaf)| if let Leaf::Base(bytes) = leaf { *bytes } else { 0 }).sum::<u64>();
    let packages = matches!(path::name(dir), b"site-packages" | b"dist-packages");
    let whole = !dropped && !SYSTEM.contains(&dir) && (packages || of_base <= bytes / 5);
    let owners: BTreeSet<(u32, u32)> = kept.map(|(_, owner)| *owner).collect();
    // What the base brought would be given to the owner of the rest.
    let foreign = !packages && rows.iter().any(|(_, leaf)| matches!(leaf, Leaf::Base(_)));
    let of_root = owners.iter().all(|owner| *owner == (0, 0));
    if whole && owners.len() == 1 && (of_root || !foreign) {
        let owner = owners.into_iter().next().filter(|owner| *owner != (0, 0));
        picks.push(Pick { path: dir.to_vec(), is_dir: true, owner, bytes: bytes.saturating_add(of_base) });
        return Ok(());
    }
    let depth = if dir.is_empty() { 0 } else { dir.len() + 1 };
    let mut at = 0;
    while let Some(&(name, leaf)) = rows.get(at) {
        let rest = name.get(depth..).unwrap_or_default();
        let Some(slash) = rest.iter().position(|&byte| byte == b'/') else {
            let of = |owner| Some(owner).filter(|owner| *owner != (0, 0));
            match leaf {
                Leaf::Kept { bytes, owner } => {
                    picks.push(Pick { path: name.to_vec(), is_dir: false, owner: of(owner), bytes });
                }
                Leaf::Empty { owner } => {
                    picks.push(Pick { path: name.to_vec(), is_dir: true, owner: of(owner), bytes: 0 })
                }
                Leaf::Base(_) | Leaf::Dropped => {}
            }
            at += 1;
            continue;
        };
        let child = name.get(..depth + slash).unwrap_or(name);
        let inside = |(path, _): &&(&[u8], Leaf)| path::is_below(path, child);
        let end = at + rows.iter().skip(at).take_while(inside).count().max(1);
        cover(child, rows.get(at..end).unwrap_or_default(), picks)?;
        if picks.len() > 10 * PICKS_MAX {
            return Stop::refused("what the command needs lies in many places between what it does not need");
        }
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Leaf = Leaf::Kept { bytes: 10, owner: (0, 0) };

    fn covered(rows: &[(&str, Leaf)]) -> Vec<String> {
        let rows: Vec<(&[u8], Leaf)> = rows.iter().map(|(path, leaf)| (path.as_bytes(), *leaf)).collect();
        let mut picks = Vec::new();
        cover(b"", &rows, &mut picks).expect("few places");
        let show = |pick: &Pick| {
            format!("{}{} {}", String::from_utf8_lossy(&pick.path), if pick.is_dir { "/" } else { "" }, pick.bytes)
        };
        picks.iter().map(show).collect()
    }

    #[test]
    fn a_directory_is_taken_whole_where_nothing_in_it_stays_behind() {
        let rows = [("app/dist/a.js", KEPT), ("app/dist/b.js", KEPT), ("app/src/a.ts", Leaf::Dropped), ("app/x", KEPT)];
        assert_eq!(covered(&rows), ["app/dist/ 20", "app/x 10"]);
        assert_eq!(covered(&[("app/a", KEPT), ("app/b/c", KEPT)]), ["app/ 20"]);
    }

    #[test]
    fn a_directory_of_the_system_or_of_the_base_is_never_taken_whole() {
        assert_eq!(covered(&[("usr/local/bin/app", KEPT)]), ["usr/local/bin/app 10"]);
        let of_base = [("usr/local/lib/x/a", KEPT), ("usr/local/lib/x/b", Leaf::Base(1000))];
        assert_eq!(covered(&of_base), ["usr/local/lib/x/a 10"]);
        let packages = [("usr/lib/site-packages/a", KEPT), ("usr/lib/site-packages/pip", Leaf::Base(1000))];
        assert_eq!(covered(&packages), ["usr/lib/site-packages/ 1010"], "one needs the other");
    }

    #[test]
    fn an_empty_directory_is_taken_as_one() {
        let (empty, other) = (Leaf::Empty { owner: (0, 0) }, Leaf::Empty { owner: (1000, 1000) });
        let rows = [("app/logs", empty), ("app/src/a", Leaf::Dropped), ("data", other), ("data.d/x", KEPT)];
        assert_eq!(covered(&rows), ["app/logs/ 0", "data/ 0", "data.d/ 10"]);
        assert_eq!(covered(&[("app/a", KEPT), ("app/logs", empty)]), ["app/ 10"], "with what is beside it");
        assert_eq!(covered(&[("app/a", KEPT), ("app/logs", other)]), ["app/a 10", "app/logs/ 0"], "another's");
    }

    #[test]
    fn what_the_base_brought_is_given_to_nobody_else() {
        let theirs = Leaf::Kept { bytes: 10, owner: (33, 33) };
        assert_eq!(covered(&[("opt/x/a", theirs), ("opt/x/b", Leaf::Base(1))]), ["opt/x/a 10"]);
        assert_eq!(covered(&[("opt/x/a", KEPT), ("opt/x/b", Leaf::Base(1))]), ["opt/x/ 11"]);
    }

    #[test]
    fn files_of_several_owners_are_taken_one_by_one() {
        let other = Leaf::Kept { bytes: 1, owner: (1000, 1000) };
        assert_eq!(covered(&[("app/a", KEPT), ("app/b", other)]), ["app/a 10", "app/b 1"]);
    }

    #[test]
    fn a_name_that_begins_with_another_is_no_part_of_it() {
        let rows = [("app/a", KEPT), ("app/a.d/x", KEPT), ("app/b", Leaf::Dropped), ("app2/x", KEPT)];
        assert_eq!(covered(&rows), ["app/a 10", "app/a.d/ 10", "app2/ 10"]);
    }

    #[test]
    fn what_lies_in_too_many_places_is_refused() {
        let names: Vec<String> = (0..1000).map(|number| format!("app/{number:04}")).collect();
        let rows: Vec<(&[u8], Leaf)> = names
            .iter()
            .zip([KEPT, Leaf::Dropped].into_iter().cycle())
            .map(|(name, leaf)| (name.as_bytes(), leaf))
            .collect();
        assert!(matches!(cover(b"", &rows, &mut Vec::new()), Err(Stop::Refused(_))));
    }
}
