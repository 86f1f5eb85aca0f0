//! Turns what packages need (`so:libz.so.1`, `/bin/sh`) into the names of the installed packages that provide it.
//!
//! Looks at one database only; what no installed package provides is left as the database has it.

use std::collections::{HashMap, HashSet};

use crate::model::PackageRow;

/// Longest package name that replaces what it provides, in bytes.
///
/// Real names are far shorter; a longer one would let a database of two-byte needs grow a thousandfold.
const PROVIDER_MAX: usize = 256;

/// Which package (by its place among the rows) provides a name that is no package name; the first one stays.
pub type Provides = HashMap<String, usize>;

/// Replaces provided names in `depends` by the providers' names; then sorts them, each once, the package itself left
/// out.
pub fn resolve(rows: &mut [PackageRow], provides: &Provides) {
    let needs: Vec<_> = rows.iter_mut().map(|row| std::mem::take(&mut row.depends)).collect();
    let names: HashSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let met_by = |need: String| {
        let provider = provides.get(&need).and_then(|&at| rows.get(at)).map(|row| &row.name);
        match provider.filter(|name| name.len() <= PROVIDER_MAX) {
            Some(name) if !names.contains(need.as_str()) => name.clone(),
            _ => need,
        }
    };
    let resolve = |(row, needs): (&PackageRow, Vec<String>)| {
        let mut depends: Vec<_> = needs.into_iter().map(met_by).filter(|need| *need != row.name).collect();
        depends.sort_unstable();
        depends.dedup();
        depends
    };
    let resolved: Vec<_> = rows.iter().zip(needs).map(resolve).collect();
    for (row, depends) in rows.iter_mut().zip(resolved) {
        row.depends = depends;
    }
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

    #[test]
    fn needs_become_the_packages_that_meet_them() {
        let mut rows = [
            row("musl", &["so:libc"]),
            row("zlib", &["so:libc", "musl", "so:other"]),
            row("virtual", &["zlib", "cmd:zip"]),
        ];
        let provides = [("so:libc", 0), ("zlib", 0), ("cmd:zip", 9)];
        resolve(&mut rows, &provides.map(|(name, at)| (name.to_string(), at)).into());
        let depends: Vec<_> = rows.iter().map(|row| row.depends.join(" ")).collect();
        assert_eq!(depends, ["", "musl so:other", "cmd:zip zlib"]);
    }

    #[test]
    fn a_provider_with_an_endless_name_replaces_nothing() {
        let mut rows = [row(&"n".repeat(PROVIDER_MAX + 1), &[]), row("b", &["a"])];
        resolve(&mut rows, &[("a".to_string(), 0)].into());
        assert_eq!(rows[1].depends, ["a"]);
    }
}
