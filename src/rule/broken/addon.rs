//! Finds compiled parts of Node packages that the image's node can not load: built for another C library or machine,
//! since the packages were installed in a builder stage of another base.

use std::collections::{BTreeMap, HashSet};

use crate::{
    catalogue::Judgement,
    inventory::{
        File, FileId, Inventory, is_module_dir,
        loader::{Libc, Loader},
        reach::Reach,
    },
    model::{Confidence, Elf, Evidence, EvidenceClass, Fact, ImagePath, path},
};

use super::{Fault, elf_of, libc_of, machine_name};

/// Parts of names that tell platforms apart: packages of one library for several platforms differ in them.
const PLATFORM_WORDS: [&str; 10] = ["linux", "linuxmusl", "musl", "gnu", "glibc", "x64", "arm64", "x86", "ia32", "arm"];

/// glibc's loaders; a musl image that has one (gcompat, libc6-compat) may well load what was built for glibc.
const GLIBC_LOADERS: [&[u8]; 4] = [
    b"lib64/ld-linux-x86-64.so.2",
    b"lib/ld-linux-x86-64.so.2",
    b"lib/ld-linux-aarch64.so.1",
    b"lib64/ld-linux-aarch64.so.1",
];

/// Addons of packages that the command reaches and that none of its builds fits; `files` are the programs of the
/// command with their libraries.
pub(super) fn faults<'a>(inventory: &'a Inventory, reach: &Reach, loader: &Loader<'a>, files: &[FileId]) -> Vec<Fault> {
    let is_node = |file: &File<'_>| matches!(path::name(file.path()), b"node" | b"nodejs");
    let Some(node) = files.iter().map(|&id| inventory.file(id)).find(is_node) else { return Vec::new() };
    let (Some(program), Some(libc)) = (elf_of(node), libc_of(loader, node)) else { return Vec::new() };
    // Builds of one library, however many packages they are spread over.
    let mut builds: BTreeMap<Vec<u8>, Vec<(File<'a>, &'a Elf)>> = BTreeMap::new();
    for file in inventory.files().filter(|file| file.path().ends_with(b".node")) {
        if let (Some(dir), Some(elf)) = (module_dir(file.path()), elf_of(file)) {
            builds.entry(without_platform(dir)).or_default().push((file, elf));
        }
    }
    let compatible = GLIBC_LOADERS.iter().any(|loader| inventory.resolve(loader).is_some());
    let fits = |elf: &Elf| {
        (elf.machine, elf.wide) == (program.machine, program.wide)
            && built_for(elf).is_none_or(|built| built == libc || built == Libc::Glibc && compatible)
    };
    builds.retain(|_, all| !all.iter().any(|(_, elf)| fits(elf)) && all.iter().any(|(file, _)| reach.has(file.id())));
    if builds.is_empty() {
        return Vec::new();
    }
    let required = required_names(inventory);
    let faults = builds.values().filter_map(|all| {
        let (file, elf) = all.iter().find(|(file, _)| reach.has(file.id()))?;
        let dir = module_dir(file.path())?;
        // What is merely optional has a way to do without it.
        let name = String::from_utf8_lossy(module_name(dir));
        if !required.contains(&*name) && without_platform(dir) == dir {
            return None;
        }
        let machine = (elf.machine != program.machine).then(|| machine_name(elf.machine));
        let built = machine.unwrap_or_else(|| built_for(elf).map_or("another machine", word).to_string());
        let witness = format!(
            "{} is built for {built}, {} runs with {}",
            path::show(file.path()),
            path::show(node.path()),
            word(libc)
        );
        let at = ImagePath::new(dir);
        let path = Some(ImagePath::new(file.path()));
        let evidence = vec![Evidence { class: EvidenceClass::Content, witness, path }];
        Some(Fault { judgement: Judgement::ForeignAddon, at, confidence: Confidence::High, evidence })
    });
    faults.collect()
}

fn word(libc: Libc) -> &'static str {
    match libc {
        Libc::Glibc => "glibc",
        Libc::Musl => "musl",
    }
}

/// The C library that a library was linked with; `None` for one that names none.
fn built_for(elf: &Elf) -> Option<Libc> {
    let needs = |name: &dyn Fn(&str) -> bool| elf.needed.iter().any(|needed| name(needed));
    if needs(&|name| name.starts_with("libc.musl-") || name == "libc.so") {
        Some(Libc::Musl)
    } else if needs(&|name| name == "libc.so.6" || name.starts_with("ld-linux")) {
        Some(Libc::Glibc)
    } else {
        None
    }
}

/// The directory of the nearest npm package above a file.
fn module_dir(file: &[u8]) -> Option<&[u8]> {
    path::ancestors(file).find(|dir| is_module_dir(dir))
}

/// `sharp`, or `@img/sharp-linux-x64` with its scope.
fn module_name(dir: &[u8]) -> &[u8] {
    let parent = path::parent(dir);
    let scoped = path::name(parent).starts_with(b"@");
    let start = if scoped { path::parent(parent).len() } else { parent.len() };
    dir.get(start + 1..).unwrap_or_default()
}

/// A package directory without the words that tell platforms apart.
fn without_platform(dir: &[u8]) -> Vec<u8> {
    let name = path::name(dir);
    let words = name.split(|&b| b == b'-').filter(|word| !PLATFORM_WORDS.iter().any(|known| known.as_bytes() == *word));
    let kept = words.collect::<Vec<_>>().join(&b'-');
    [dir.get(..dir.len() - name.len()).unwrap_or_default(), &kept].concat()
}

/// Names that some `package.json` of the image has among its dependencies, the optional ones left out.
fn required_names(inventory: &Inventory) -> HashSet<&str> {
    let npm = inventory.observed().filter_map(|(_, fact)| if let Fact::Npm(npm) = fact { Some(npm) } else { None });
    let required = npm.flat_map(|npm| npm.dependencies.iter().filter(|name| !npm.optional.contains(name)));
    required.map(String::as_str).collect()
}
