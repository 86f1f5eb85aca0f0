//! Finds links that lead nowhere in a Java run time which was copied from another image.
//!
//! Packages of distributions have such links for good reason (manual pages that were left out); a tree that no package
//! owns was copied, and with it links to what only the other image has.

use crate::{
    catalogue::Judgement,
    inventory::{File, FileId, Inventory},
    model::{Confidence, Evidence, EvidenceClass, ImagePath, Kind, path},
};

use super::Fault;

/// Links that are named.
const LINKS_MAX: usize = 10;

/// Directories of a run time that nothing loads.
const UNUSED: [&[u8]; 5] = [b"man", b"legal", b"docs", b"demo", b"sample"];

/// The run time of `bin/java` among the programs of the command.
pub(super) fn fault(inventory: &Inventory, files: &[FileId]) -> Option<Fault> {
    let is_java = |file: &File<'_>| file.path().ends_with(b"/bin/java") && file.owner().is_none();
    let java = files.iter().map(|&id| inventory.file(id)).find(is_java)?;
    let home = path::parent(path::parent(java.path()));
    if matches!(home, b"" | b"usr" | b"usr/local") {
        return None;
    }
    let used = |file: &File<'_>| !file.path().split(|&b| b == b'/').any(|part| UNUSED.contains(&part));
    let links = inventory.under(home).filter(|file| file.kind() == Kind::Symlink && used(file));
    let dangling = links.filter(|link| inventory.resolve(link.path()).is_none());
    let evidence: Vec<Evidence> = dangling
        .take(LINKS_MAX)
        .map(|link| Evidence {
            class: EvidenceClass::Structure,
            witness: format!("{} leads to {}, which is not there", path::show(link.path()), path::escape(link.link())),
            path: Some(ImagePath::new(link.path())),
        })
        .collect();
    let (judgement, at, confidence) = (Judgement::DanglingLink, ImagePath::new(home), Confidence::High);
    (!evidence.is_empty()).then_some(Fault { judgement, at, confidence, evidence })
}
