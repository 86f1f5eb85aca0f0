//! Digests of files as package databases record them, and releases as lock files do: shortened, to be compared only.
//!
//! Nobody is kept from writing a digest of his own into a database, so eight bytes of one are as good as all of it:
//! by chance no two files have them in common.

use serde::{Deserialize, Serialize};

/// The algorithm of a digest.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// MD5: dpkg, and rpm of old.
    #[default]
    Md5,
    /// SHA-1: apk.
    Sha1,
    /// SHA-256: rpm, Python's `RECORD`, apk 3.
    Sha256,
}

/// What a record says of the bytes of a package's files; all by one algorithm.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Sums {
    algorithm: Algorithm,
    sums: Vec<Sum>,
}

/// What a record says of the bytes of one file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Sum {
    /// The [`mark`] of its path as the record spells it, cleaned.
    pub path: u32,
    /// The first bytes of its digest.
    pub digest: [u8; 8],
}

impl Sums {
    /// Notes the digest of the file at a cleaned path. The first one decides the algorithm; others are passed over.
    pub fn add(&mut self, path: &[u8], algorithm: Algorithm, digest: [u8; 8]) {
        if self.sums.is_empty() {
            self.algorithm = algorithm;
        }
        if self.algorithm == algorithm {
            self.sums.push(Sum { path: mark(path), digest });
        }
    }

    /// Gives back spare memory once the record is read.
    pub fn shrink(&mut self) {
        self.sums.shrink_to_fit();
    }

    /// The algorithm of all of them.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// One for each file, in the order of the record.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Sum> {
        self.sums.iter().copied()
    }

    /// Whether no file has a digest.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }
}

/// A number that stands for a path, the same everywhere and always.
pub fn mark(path: &[u8]) -> u32 {
    let hash = fnv(&[path]);
    (hash >> 32) as u32 ^ hash as u32
}

/// A number that stands for a version of a package, the same everywhere and always.
pub fn release(name: &str, version: &str) -> u64 {
    fnv(&[name.as_bytes(), b"\0", version.as_bytes()])
}

/// FNV-1a with 64 bits.
fn fnv(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().copied().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_the_same_from_one_version_to_the_next() {
        // The test vectors of FNV-1a for "", "a" and "foobar".
        assert_eq!(fnv(&[b""]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(&[b"a"]), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(&[b"foo", b"bar"]), 0x8594_4171_f739_67e8);
        assert_eq!(mark(b"foobar"), 0x8594_4171 ^ 0xf739_67e8);
        assert_ne!(release("a", "b1"), release("ab", "1"));
    }

    #[test]
    fn the_first_digest_decides_the_algorithm() {
        let mut sums = Sums::default();
        sums.add(b"a", Algorithm::Sha256, [1; 8]);
        sums.add(b"b", Algorithm::Sha1, [2; 8]);
        sums.add(b"c", Algorithm::Sha256, [3; 8]);
        assert_eq!(
            (sums.algorithm(), sums.iter().map(|sum| sum.digest[0]).collect::<Vec<_>>()),
            (Algorithm::Sha256, vec![1, 3])
        );
    }
}
