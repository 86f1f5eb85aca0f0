//! Reads what RubyGems and Bundler write: `specifications/*.gemspec`, `Gemfile.lock`, and the literal part of a
//! `Gemfile`.
//!
//! A gemspec and a Gemfile are Ruby programs. Of a gemspec the form is read that RubyGems itself writes when it
//! installs (tried with RubyGems 2.7 to 3.5), of a Gemfile what Bundler's documentation shows: `gem` and `group` with
//! literal names. A Gemfile that holds more than that is not believed, except where it can only add gems.

use super::malformed::{Malformed, PACKAGES_MAX, Parsed, TEXT_MAX, lines, text};
use crate::model::{Gem, GemLock, Gemfile};

/// Dependencies read of one gem; rails has some 15.
const DEPENDS_MAX: usize = 1_000;

/// Blocks inside of each other that a Gemfile may have.
const DEPTH_MAX: usize = 32;

/// Groups that one gem may be in.
const GROUPS_MAX: usize = 16;

/// Name, version, platform and run-time dependencies of an installed gem's specification.
///
/// # Errors
/// When the second line is not RubyGems' own mark, `# stub: NAME VERSION PLATFORM ...`.
pub fn gemspec(body: &[u8]) -> Result<Gem, Malformed> {
    let mut words =
        lines(body).take(5).find_map(|line| line.strip_prefix(b"# stub: ")).unwrap_or_default().split(|&b| b == b' ');
    let mut word = |what| text(what, words.next().unwrap_or_default());
    let (name, version) = (word("the gem's name")?, word("the gem's version")?);
    let platform = word("the gem's platform")?;
    // What follows `else` is the same once more for RubyGems of 2009, development included.
    let depends = lines(body)
        .map(<[u8]>::trim_ascii_start)
        .take_while(|line| *line != b"else")
        .filter_map(|line| {
            let rest = line.strip_prefix(b"s.add_runtime_dependency(%q<".as_slice());
            let rest = rest.or_else(|| line.strip_prefix(b"s.add_dependency(%q<".as_slice()))?;
            rest.split(|&b| b == b'>').next().and_then(|name| text("a dependency", name).ok())
        })
        .take(DEPENDS_MAX)
        .collect();
    Ok(Gem { name, version, platform, depends })
}

/// A `Gemfile.lock`: resolved gems, the gems of the project itself, and what the Gemfile asks for.
pub fn lock(body: &[u8]) -> Parsed<GemLock> {
    let mut found = Parsed::<GemLock>::default();
    let mut section = Section::Other;
    for line in lines(body) {
        let indent = line.iter().take_while(|&&b| b == b' ').count();
        let rest = line.get(indent..).unwrap_or_default().trim_ascii_end();
        if indent == 0 {
            section = match rest {
                b"GEM" | b"GIT" | b"PLUGIN SOURCE" => Section::Gems,
                b"PATH" => Section::Own,
                b"DEPENDENCIES" => Section::Roots,
                _ => Section::Other,
            };
            continue;
        }
        let mut halves = rest.splitn(2, |&b| b == b' ');
        let name = halves.next().unwrap_or_default();
        let version = halves.next().and_then(|v| v.strip_prefix(b"(")?.strip_suffix(b")")).unwrap_or_default();
        let Ok(name) = text("a gem", name.strip_suffix(b"!").unwrap_or(name)) else { continue };
        let full = found.value.gems.len() + found.value.roots.len() >= PACKAGES_MAX;
        match (section, indent) {
            (Section::Gems | Section::Own | Section::Roots, 2 | 4) if full => {
                found.fault(format!("has more than {PACKAGES_MAX} gems"));
            }
            (Section::Gems | Section::Own, 4) => {
                // The platform of a version stands behind it: `1.16.0-x86_64-linux`.
                let version = version.split(|&b| b == b'-').next().unwrap_or_default();
                let version = String::from_utf8_lossy(version.get(..TEXT_MAX).unwrap_or(version)).into_owned();
                if matches!(section, Section::Own) {
                    found.value.own.push(name.clone());
                }
                found.value.gems.push((name, version, Vec::new()));
            }
            (Section::Gems | Section::Own, 6) => {
                if let Some((_, _, depends)) = found.value.gems.last_mut().filter(|gem| gem.2.len() < DEPENDS_MAX) {
                    depends.push(name);
                }
            }
            (Section::Roots, 2) => found.value.roots.push(name),
            _ => {}
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Section {
    Gems,
    Own,
    Roots,
    Other,
}

/// The literal part of a `Gemfile`.
///
/// # Errors
/// When its blocks do not end where they should: then nobody can tell by reading which gems are in a group.
pub fn gemfile(body: &[u8]) -> Result<Gemfile, Malformed> {
    let mut file = Gemfile::default();
    // The groups that each open block adds; a block of another kind adds none.
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let lost = || Malformed("its blocks are not ones that can be read without Ruby".to_string());
    for line in lines(body) {
        let line = String::from_utf8_lossy(line.get(..TEXT_MAX).unwrap_or(line));
        let line = without_comment(&line).trim();
        let (word, rest) = line.split_at(line.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(line.len()));
        let opens = line.ends_with(" do") || line.rsplit_once(" do |").is_some_and(|(_, names)| names.ends_with('|'));
        match word {
            "end" => {
                blocks.pop().ok_or_else(lost)?;
            }
            "group" if opens => blocks.push(symbols(rest.trim_end_matches(" do")).collect()),
            "if" | "unless" | "case" | "begin" | "while" | "until" | "def" | "class" | "module" => {
                blocks.push(Vec::new())
            }
            _ if opens => blocks.push(Vec::new()),
            "gemspec" => file.gemspec = true,
            "gem" if file.gems.len() < PACKAGES_MAX => {
                if let Some(name) = strings(rest).next() {
                    let mut groups: Vec<String> = option(rest).into_iter().flat_map(symbols).collect();
                    groups.extend(blocks.iter().flatten().cloned());
                    groups.sort();
                    groups.dedup();
                    groups.truncate(GROUPS_MAX);
                    file.gems.push((name.to_string(), groups));
                }
            }
            _ => {}
        }
        if blocks.len() > DEPTH_MAX {
            return Err(lost());
        }
    }
    if blocks.is_empty() { Ok(file) } else { Err(lost()) }
}

/// The line up to a `#` outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return line.get(..at).unwrap_or_default(),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    line
}

/// The value of `group:`, `groups:` or `:group =>`, up to the next option.
fn option(rest: &str) -> Option<&str> {
    let after = ["group: ", "groups: ", ":group => ", ":groups => "].iter().find_map(|key| {
        let (before, after) = rest.split_once(key)?;
        before.ends_with([' ', ',']).then_some(after)
    })?;
    let end = if after.trim_start().starts_with(['[', '%']) {
        after.find(']')?
    } else {
        after.find(',').unwrap_or(after.len())
    };
    after.get(..end)
}

/// The names in `:development, "test", %i[a b]`; options such as `optional: true` are none.
fn symbols(list: &str) -> impl Iterator<Item = String> {
    let words = list.split([',', ' ', '[', ']', '(', ')']).filter_map(|word| {
        let name = word.strip_prefix(':').unwrap_or(word).trim_matches(['\'', '"']);
        let good = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        (good && !matches!(name, "optional" | "true" | "false")).then(|| name.to_string())
    });
    words.filter(|name| name != "i" && name != "w").take(GROUPS_MAX)
}

/// The texts between quotes.
fn strings(rest: &str) -> impl Iterator<Item = &str> {
    let mut rest = rest;
    std::iter::from_fn(move || {
        let start = rest.find(['\'', '"'])?;
        let quote = rest.get(start..)?.chars().next()?;
        let (inside, after) = rest.get(start + 1..)?.split_once(quote)?;
        rest = after;
        Some(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    /// As RubyGems 3.3 wrote it when it installed the gem.
    const GEMSPEC: &str = "\
# -*- encoding: utf-8 -*-
# stub: linter 1.2.0 ruby lib

Gem::Specification.new do |s|
  s.name = \"linter\".freeze
  if s.respond_to? :add_runtime_dependency then
    s.add_runtime_dependency(%q<parsy>.freeze, [\">= 1\"])
    s.add_development_dependency(%q<zzz>.freeze, [\">= 0\"])
  else
    s.add_dependency(%q<parsy>.freeze, [\">= 1\"])
    s.add_dependency(%q<zzz>.freeze, [\">= 0\"])
  end
end
";

    /// As Bundler 2.3 wrote it, with a platform and a path added.
    const LOCK: &str = "\
PATH
  remote: .
  specs:
    shop (0.1.0)
      web (~> 1.0)

GEM
  remote: https://example.com/
  specs:
    expect (1.2.0)
      diffy (>= 1)
    nokogiri (1.16.0-x86_64-linux)
      racc (~> 1.4)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  expect
  nokogiri (~> 1.16)
  shop!

BUNDLED WITH
   2.3.15
";

    const GEMFILE: &str = "\
source 'https://example.com'
ruby '3.1.2' # not a 'gem
gem 'web', '~> 7.0' # group: :test
gem 'pry', group: :development, require: false
gem \"a\", groups: [:development, :test], require: false
gem 'b', :group => 'test'
group :development, :test, optional: true do
  gem 'tester'
  platforms :ruby do
    gem 'deep'
  end
end
if ENV['X']
  gem 'maybe'
end
gem 'group_thing', git: 'https://example.com/group: x'
";

    #[test]
    fn a_gemspec_tells_what_the_gem_needs_at_run_time() {
        let gem = gemspec(GEMSPEC.as_bytes()).expect("a gem");
        assert_eq!((gem.name.as_str(), gem.version.as_str(), gem.platform.as_str()), ("linter", "1.2.0", "ruby"));
        assert_eq!(gem.depends, ["parsy"]);
        let newer = GEMSPEC.replace("add_runtime_dependency(", "add_dependency(");
        assert_eq!(gemspec(newer.as_bytes()).expect("a gem").depends, ["parsy"]);
        assert!(gemspec(b"Gem::Specification.new do |s|\n").is_err());
    }

    #[test]
    fn a_lock_tells_versions_without_platforms() {
        let lock = lock(LOCK.as_bytes()).value;
        let shown: Vec<_> = lock.gems.iter().map(|(n, v, d)| format!("{n} {v} {}", d.join("+"))).collect();
        assert_eq!(shown, ["shop 0.1.0 web", "expect 1.2.0 diffy", "nokogiri 1.16.0 racc"]);
        assert_eq!(
            (lock.roots.join(" "), lock.own.join(" ")),
            ("expect nokogiri shop".to_string(), "shop".to_string())
        );
    }

    #[test]
    fn literal_groups_are_read() {
        let file = gemfile(GEMFILE.as_bytes()).expect("readable");
        let shown: Vec<_> = file.gems.iter().map(|(name, groups)| format!("{name}:{}", groups.join("+"))).collect();
        assert_eq!(
            shown,
            [
                "web:",
                "pry:development",
                "a:development+test",
                "b:test",
                "tester:development+test",
                "deep:development+test",
                "maybe:",
                "group_thing:"
            ]
        );
        assert!(!file.gemspec);
    }

    #[test]
    fn a_gemfile_whose_blocks_are_not_plain_is_not_believed() {
        for body in ["end", "group :test do\n", "x = if a\ngem 'b'\nend\nend", &"group :a do\n".repeat(99)] {
            assert!(gemfile(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(GEMSPEC.as_bytes(), gemspec);
        accept_parser(LOCK.as_bytes(), lock);
        accept_parser(GEMFILE.as_bytes(), gemfile);
    }
}
