//! Projects with Plug'n'Play: packages are archives and unpacked directories that a map names.

use std::collections::{HashMap, VecDeque};

use super::{
    NodeManager, NodePackage, NodeProject, NodeProof, Standing, View, join,
    survey::{self, Team},
};
use crate::{
    inventory::{File, FileId},
    model::{Confidence, ImagePath, NodeRecord, PnpPackage, path},
};

/// Looks at a project in one state; `None` when it has no map there.
pub(super) fn project(team: &Team<'_>, view: View<'_>) -> Option<NodeProject> {
    let maps = [&b".pnp.data.json"[..], b".pnp.cjs"].into_iter().filter_map(|name| view.get(&join(team.root, name)));
    let (file, map) = maps.into_iter().find_map(|file| Some((file, map_of(&file)?)))?;
    let standings = standings(team, view, map);
    let mut packages: Vec<NodePackage> = Vec::new();
    let mut places: HashMap<FileId, usize> = HashMap::new();
    for (package, standing) in map.iter().zip(standings).filter(|(package, _)| !package.workspace) {
        let Some((home, dir)) = place(team.root, view, &package.location) else { continue };
        let at = *places.entry(home.id()).or_insert_with(|| {
            packages.push(NodePackage {
                home: home.id(),
                dir: ImagePath::new(&dir),
                name: package.name.clone(),
                version: package.version.clone(),
                standing,
                via: None,
            });
            packages.len().saturating_sub(1)
        });
        // One archive serves several virtual packages: production wants it if it wants one of them.
        if let Some(known) = packages.get_mut(at).filter(|_| standing == Standing::Production) {
            known.standing = standing;
        }
    }
    packages.sort_by(|a, b| a.dir.cmp(&b.dir));
    Some(NodeProject {
        root: ImagePath::new(team.root),
        place: ImagePath::new(team.root),
        manager: NodeManager::Yarn,
        state: view.state(),
        hidden_by: view.before,
        proof: NodeProof {
            confidence: Confidence::High,
            text: "only devDependencies lead to them in the map of Plug'n'Play".to_string(),
            file: Some(ImagePath::new(file.path())),
        },
        packages,
    })
}

/// A map that is not in another file.
fn map_of<'a>(file: &File<'a>) -> Option<&'a [PnpPackage]> {
    match survey::record(file) {
        Some(NodeRecord::Pnp(map)) if !map.is_empty() => Some(map),
        _ => None,
    }
}

/// What each package of the map is there for. A workspace without its `package.json` counts as all production.
fn standings(team: &Team<'_>, view: View<'_>, map: &[PnpPackage]) -> Vec<Standing> {
    let mut standings = vec![Standing::Unreached; map.len()];
    let mut queues = [VecDeque::new(), VecDeque::new()];
    for workspace in map.iter().filter(|package| package.workspace) {
        let dir = path::clean(&join(team.root, workspace.location.as_bytes()));
        let said = view.get(&join(&dir, b"package.json")).as_ref().and_then(survey::package);
        for (name, at) in &workspace.needs {
            let production = said.is_none_or(|said| {
                let asked = |list: &[String]| list.binary_search(name).is_ok();
                !asked(&said.dev) || asked(&said.dependencies) || asked(&said.optional)
            });
            let [wanted, developed] = &mut queues;
            if production { wanted.push_back(*at) } else { developed.push_back(*at) }
        }
    }
    for (mut queue, standing) in queues.into_iter().zip([Standing::Production, Standing::Development]) {
        while let Some(at) = queue.pop_front() {
            let Some((slot, package)) =
                usize::try_from(at).ok().and_then(|at| Some((standings.get_mut(at)?, map.get(at)?)))
            else {
                continue;
            };
            if *slot == Standing::Unreached && !package.workspace {
                *slot = standing;
                queue.extend(package.needs.iter().map(|(_, next)| *next));
            }
        }
    }
    standings
}

/// The archive that holds a package, or the `package.json` of its directory, with the place that would be removed.
fn place<'a>(root: &[u8], view: View<'a>, location: &str) -> Option<(File<'a>, Vec<u8>)> {
    let real = physical(root, location.as_bytes())?;
    let end = real.windows(5).position(|five| five == b".zip/").map(|at| at.saturating_add(4));
    if let Some(archive) = end.and_then(|end| real.get(..end)) {
        return Some((view.get(archive)?, archive.to_vec()));
    }
    Some((view.get(&join(&real, b"package.json"))?, real))
}

/// Where a location really is: `.yarn/__virtual__/HASH/1/x` is `x` in the directory one above that of `__virtual__`.
fn physical(root: &[u8], location: &[u8]) -> Option<Vec<u8>> {
    let clean = path::clean(&join(root, location));
    let mut at = 0_usize;
    for part in clean.split(|&b| b == b'/') {
        let after = at.checked_add(part.len())?.checked_add(1)?;
        if matches!(part, b"__virtual__" | b"$$virtual") {
            let mut rest = clean.get(after..)?.splitn(3, |&b| b == b'/');
            let (_, depth, rest) = (rest.next()?, rest.next()?, rest.next()?);
            let depth: usize = str::from_utf8(depth).ok()?.parse().ok()?;
            let mut dir = clean.get(..at.saturating_sub(1))?;
            for _ in 0..depth.min(clean.len()) {
                dir = path::parent(dir);
            }
            return Some(join(dir, rest));
        }
        at = after;
    }
    Some(clean)
}
