//! Turns what packages need (`so:libz.so.1`, `/bin/sh`) into the names of the installed packages that provide it.
//!
//! Looks at one database only; what no installed package provides is left as the database has it.

use std::collections::{HashMap, HashSet};

use crate::model::PackageRow;

/// Longest package name that replaces what it provides, in bytes.
///
/// Real names are far shorter; a longer one would let a database of two-byte needs grow a thousandfold.
const PROVIDER_MAX: usize = 256;

/// Providers of one name that are kept; more make no difference to whether one of them stays.
const PROVIDERS_MAX: usize = 8;

/// Which packages (by their places among the rows) provide a name that is no package name; the first ones stay.
#[derive(Debug, Default)]
pub struct Provides(HashMap<String, Vec<usize>>);

impl Provides {
    /// Notes that a package provides a name.
    pub fn add(&mut self, name: String, at: usize) {
        let providers = self.0.entry(name).or_default();
        if providers.len() < PROVIDERS_MAX && providers.last() != Some(&at) {
            providers.push(at);
        }
    }
}

/// Replaces provided names in `depends` by the providers' names; then sorts them, each once, the package itself left
/// out. Where several packages provide a name, all of them are there, and among `choices`.
pub fn resolve(rows: &mut [PackageRow], provides: &Provides) {
    let needs: Vec<_> = rows.iter_mut().map(|row| std::mem::take(&mut row.depends)).collect();
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let met_by = |need: &str| -> Vec<String> {
        let providers = provides.0.get(need).into_iter().flatten().filter_map(|&at| rows.get(at));
        providers.map(|row| &row.name).filter(|name| name.len() <= PROVIDER_MAX).cloned().collect()
    };
    let resolve = |(row, needs): (&PackageRow, Vec<String>)| {
        let (mut depends, mut choices) = (Vec::new(), Vec::new());
        for need in needs {
            let mut providers = if names.contains(need.as_str()) { Vec::new() } else { met_by(&need) };
            providers.sort_unstable();
            providers.dedup();
            match providers.len() {
                0 => depends.push(need),
                // What it brings itself, it can not lose.
                _ if providers.contains(&row.name) => {}
                1 => depends.append(&mut providers),
                _ => choices.push(providers),
            }
        }
        depends.retain(|need| *need != row.name);
        let choices = settle(&mut depends, choices);
        (depends, choices)
    };
    let resolved: Vec<_> = rows.iter().zip(needs).map(resolve).collect();
    for (row, (depends, choices)) in rows.iter_mut().zip(resolved) {
        (row.depends, row.choices) = (depends, choices);
    }
}

/// Sorts what a package needs, each once, and adds every alternative to it; gives back the alternatives of which none
/// is needed anyway.
pub fn settle(depends: &mut Vec<String>, mut choices: Vec<Vec<String>>) -> Vec<Vec<String>> {
    depends.sort_unstable();
    depends.dedup();
    choices.retain(|choice| !choice.iter().any(|name| depends.binary_search(name).is_ok()));
    choices.sort_unstable();
    choices.dedup();
    depends.extend(choices.iter().flatten().cloned());
    depends.sort_unstable();
    depends.dedup();
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, depends: &[&str]) -> PackageRow {
        PackageRow {
            name: name.to_string(),
            depends: depends.iter().map(ToString::to_string).collect(),
            ..PackageRow::default()
        }
    }

    fn provides(all: &[(&str, usize)]) -> Provides {
        let mut provides = Provides::default();
        all.iter().for_each(|(name, at)| provides.add(name.to_string(), *at));
        provides
    }

    #[test]
    fn what_several_packages_provide_is_a_choice() {
        let mut rows =
            [row("dash", &[]), row("busybox", &[]), row("a", &["/bin/sh", "cmd:x"]), row("b", &["/bin/sh", "dash"])];
        resolve(&mut rows, &provides(&[("/bin/sh", 0), ("/bin/sh", 1), ("cmd:x", 2)]));
        assert_eq!(rows[2].depends, ["busybox", "dash"]);
        assert_eq!(rows[2].choices, [["busybox", "dash"]]);
        assert_eq!((rows[3].depends.join(" "), rows[3].choices.len()), ("dash".to_string(), 0));
    }

    #[test]
    fn needs_become_the_packages_that_meet_them() {
        let mut rows = [
            row("musl", &["so:libc"]),
            row("zlib", &["so:libc", "musl", "so:other"]),
            row("virtual", &["zlib", "cmd:zip"]),
        ];
        resolve(&mut rows, &provides(&[("so:libc", 0), ("zlib", 0), ("cmd:zip", 9)]));
        let depends: Vec<_> = rows.iter().map(|row| row.depends.join(" ")).collect();
        assert_eq!(depends, ["", "musl so:other", "cmd:zip zlib"]);
    }

    #[test]
    fn a_provider_with_an_endless_name_replaces_nothing() {
        let mut rows = [row(&"n".repeat(PROVIDER_MAX + 1), &[]), row("b", &["a"])];
        resolve(&mut rows, &provides(&[("a", 0)]));
        assert_eq!(rows[1].depends, ["a"]);
    }
}
