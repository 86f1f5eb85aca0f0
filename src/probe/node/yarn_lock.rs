//! Reads which packages a `yarn.lock` took from a registry; what the project asks for, its `package.json` says.
//!
//! Formats: yarn 1 writes a shape of its own, later ones write YAML of which only blocks and plain lines are used.
//! Checked with files that yarn 1.22 and 4 wrote.

use crate::{
    model::release,
    probe::malformed::{PACKAGES_MAX, lines},
};

/// The releases that came from a registry: with a digest of what was fetched, and an address or a protocol that is none
/// of a directory, a file or a repository.
pub fn releases(body: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut block = Block::default();
    for line in lines(body).filter_map(|line| str::from_utf8(line).ok()) {
        if line.starts_with(|first: char| first != ' ' && first != '#') {
            found.extend(std::mem::take(&mut block).release().filter(|_| found.len() < PACKAGES_MAX));
            block.key = line;
        } else if let Some(line) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            let Some((key, value)) = line.split_once(' ') else { continue };
            match key.trim_end_matches(':') {
                "version" => block.version = unquote(value),
                "resolved" | "resolution" => block.resolved = unquote(value),
                "integrity" | "checksum" => block.fetched = true,
                _ => {}
            }
        }
    }
    found.extend(block.release());
    found
}

/// One block: a key of one or more requests, and what was found for them.
#[derive(Default)]
struct Block<'a> {
    key: &'a str,
    version: &'a str,
    resolved: &'a str,
    fetched: bool,
}

impl Block<'_> {
    fn release(self) -> Option<u64> {
        if !self.fetched || self.version.is_empty() {
            return None;
        }
        // `"@a/b@npm:1.0.0"` of later versions; the request for an alias has another name.
        if let Some((name, _)) = self.resolved.split_once("@npm:") {
            return Some(release(name, self.version));
        }
        if !self.resolved.starts_with("https://") && !self.resolved.starts_with("http://") {
            return None;
        }
        // `a@^1.0.0, "a@~1.0.0":` of version 1; `b@npm:a@^1` is an alias of a.
        let first = self.key.trim_end_matches(':').split(", ").next().map(unquote)?;
        let (name, wanted) = split_name(first)?;
        let aliased = wanted.strip_prefix("npm:").and_then(split_name);
        Some(release(aliased.map_or(name, |(name, _)| name), self.version))
    }
}

/// Splits `@scope/name@rest`.
pub(super) fn split_name(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().skip(1).position(|byte| byte == b'@')?;
    Some((text.get(..=at)?, text.get(at + 2..)?))
}

fn unquote(text: &str) -> &str {
    text.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::malformed::accept_parser;

    const V1: &str = "# yarn lockfile v1


\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":
  version \"7.1.0\"
  resolved \"https://registry.example.org/@babel/core/-/core-7.1.0.tgz#abc\"
  integrity sha512-abc
  dependencies:
    version \"9\"

ms@2.0.0:
  version \"2.0.0\"
  resolved \"https://registry.example.org/ms/-/ms-2.0.0.tgz#abc\"
  integrity sha1-abc

other@npm:real@^1.0.0:
  version \"1.0.1\"
  resolved \"https://registry.example.org/real/-/real-1.0.1.tgz\"
  integrity sha512-abc

\"mine@file:../mine\":
  version \"1.0.0\"

\"repo@https://example.org/repo.git\":
  version \"1.0.0\"
  resolved \"https://example.org/repo.git#abc\"

\"tar@file:./tar.tgz\":
  version \"1.0.0\"
  resolved \"file:./tar.tgz#abc\"
  integrity sha512-abc
";

    const V4: &str = "__metadata:
  version: 8
  cacheKey: 10c0

\"@a/b@npm:^1.0.0\":
  version: 1.0.0
  resolution: \"@a/b@npm:1.0.0\"
  checksum: 10c0/abc
  languageName: node

\"shop@workspace:.\":
  version: 0.0.0-use.local
  resolution: \"shop@workspace:.\"

\"g@https://example.org/g.git\":
  version: 1.0.0
  resolution: \"g@https://example.org/g.git#commit=abc\"
  checksum: 10c0/abc
";

    #[test]
    fn what_was_fetched_from_a_registry_is_told_from_what_was_not() {
        let want = [release("@babel/core", "7.1.0"), release("ms", "2.0.0"), release("real", "1.0.1")];
        assert_eq!(releases(V1.as_bytes()), want);
        assert_eq!(releases(V1.replace('\n', "\r\n").as_bytes()), want);
        assert_eq!(releases(V4.as_bytes()), [release("@a/b", "1.0.0")]);
    }

    #[test]
    fn names_may_begin_with_an_at() {
        assert_eq!(split_name("@a/b@1@2"), Some(("@a/b", "1@2")));
        assert_eq!(split_name("a@1"), Some(("a", "1")));
        assert_eq!((split_name("@a"), split_name(""), split_name("a@")), (None, None, Some(("a", ""))));
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(V1.as_bytes(), releases);
        accept_parser(V4.as_bytes(), releases);
    }
}
