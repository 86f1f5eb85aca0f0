//! Addresses of packages (purl), for those package managers whose names say all that an address needs.
//!
//! Packages of a distribution have none: their address names the distribution, and a report does not know it for sure.
//! Neither have those of Maven and Conda, whose group and channel are not known.
//!
//! Source: package-url/purl-spec, the types npm, pypi, gem, composer and nuget.

use crate::model::{Manager, PackageRef};

/// The address of a package.
pub(super) fn of(package: &PackageRef) -> Option<String> {
    let name = package.name.trim_matches('/');
    let (kind, name) = match package.manager {
        Manager::Npm => ("npm", name.to_string()),
        Manager::Pypi => ("pypi", name.to_lowercase().replace('_', "-")),
        Manager::Gem => ("gem", name.to_string()),
        Manager::Composer => ("composer", name.to_lowercase()),
        Manager::Nuget => ("nuget", name.to_string()),
        Manager::Deb | Manager::Apk | Manager::Rpm | Manager::Conda | Manager::Maven => return None,
    };
    let segments: Vec<String> = name.split('/').map(encode).collect();
    if segments.iter().any(String::is_empty) {
        return None;
    }
    let version = if package.version.is_empty() { String::new() } else { format!("@{}", encode(&package.version)) };
    Some(format!("pkg:{kind}/{}{version}", segments.join("/")))
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_type() {
        for (manager, name, version, want) in [
            (Manager::Npm, "@babel/core", "7.24.0", Some("pkg:npm/%40babel/core@7.24.0")),
            (Manager::Npm, "left-pad", "", Some("pkg:npm/left-pad")),
            (Manager::Pypi, "Typing_Extensions", "4.9", Some("pkg:pypi/typing-extensions@4.9")),
            (Manager::Gem, "rspec", "3.13.0", Some("pkg:gem/rspec@3.13.0")),
            (Manager::Composer, "PHPUnit/phpunit", "11.0.0+dev", Some("pkg:composer/phpunit/phpunit@11.0.0%2Bdev")),
            (Manager::Nuget, "xunit.core", "2.7.0", Some("pkg:nuget/xunit.core@2.7.0")),
            (Manager::Npm, "a b\u{202e}", "1 2", Some("pkg:npm/a%20b%E2%80%AE@1%202")),
            (Manager::Npm, "a//b", "1", None),
            (Manager::Npm, "", "1", None),
            (Manager::Deb, "gcc-12", "12.2.0", None),
            (Manager::Maven, "junit", "4.13", None),
        ] {
            let package = PackageRef { manager, name: name.into(), version: version.into() };
            assert_eq!(of(&package).as_deref(), want, "{name}");
        }
    }
}
