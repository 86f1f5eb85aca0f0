//! Reads what Composer writes: `vendor/composer/installed.json` and `composer.lock`.
//!
//! Format: Composer 1 wrote a bare list; Composer 2 an object with `packages`, `dev` and `dev-package-names`, as 2.5
//! does. Sources, autoloading and hashes are not read.

use std::collections::BTreeMap;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};

use super::malformed::{Malformed, PACKAGES_MAX, Parsed, PathBudget, TEXT_MAX};
use crate::model::{ComposerInstalled, ComposerPackage, ImagePath, path::parent};

/// Dependencies and programs read of one package; drupal/core has some 50.
const DEPENDS_MAX: usize = 1_000;

/// The packages that `installed.json`, which stands at `at`, lists.
///
/// # Errors
/// When it is not JSON of the form Composer writes.
pub fn installed(at: &ImagePath, body: &[u8]) -> Result<Parsed<ComposerInstalled>, Malformed> {
    let (packages, dev) = match read(body)? {
        Installed::Two { packages, dev } => (packages, Some(dev)),
        Installed::One(packages) => (packages, None),
    };
    let home = parent(at.as_bytes());
    let mut budget = PathBudget::new(body.len());
    let mut found = Parsed::<ComposerInstalled>::default();
    found.value.dev = dev;
    for package in packages {
        if found.value.packages.len() == PACKAGES_MAX {
            found.fault(format!("has more than {PACKAGES_MAX} packages"));
            break;
        }
        let dir = match (&package.path, found.value.dev.is_some()) {
            (Some(path), _) => budget.join(home, path.as_bytes()),
            // Composer 1 has no paths; Composer 2 has none for a package that is only a name for others.
            (None, false) if package.kind != "metapackage" => budget.join(parent(home), package.name.as_bytes()),
            (None, _) => None,
        };
        let depends = match package.require {
            Names::Map(map) => map.into_keys().filter(|name| name.contains('/')).take(DEPENDS_MAX).collect(),
            Names::Other(_) => Vec::new(),
        };
        let mut bin = package.bin;
        bin.truncate(DEPENDS_MAX);
        let version = package.version;
        found.value.packages.push(ComposerPackage { name: package.name, version, dir, depends, bin });
    }
    Ok(found)
}

/// The names of `packages-dev` of a `composer.lock`.
///
/// # Errors
/// When it is not JSON of the form Composer writes.
pub fn lock(body: &[u8]) -> Result<Vec<String>, Malformed> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default, rename = "packages-dev")]
        dev: Option<Vec<Named>>,
    }

    #[derive(Deserialize)]
    struct Named {
        name: String,
    }

    let lock: Lock =
        serde_json::from_slice(body).map_err(|cause| Malformed(format!("the file is no composer.lock: {cause}")))?;
    Ok(lock.dev.unwrap_or_default().into_iter().map(|package| package.name).take(PACKAGES_MAX).collect())
}

enum Installed {
    One(Vec<Package>),
    Two { packages: Vec<Package>, dev: Vec<String> },
}

fn read(body: &[u8]) -> Result<Installed, Malformed> {
    #[derive(Deserialize)]
    struct Two {
        packages: Vec<Package>,
        #[serde(default, rename = "dev-package-names")]
        dev: Option<Vec<String>>,
    }

    let is_list = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_list {
        serde_json::from_slice(body).map(Installed::One)
    } else {
        serde_json::from_slice(body).map(|Two { packages, dev }| match dev {
            Some(dev) => Installed::Two { packages, dev },
            // Composer 2.0 before its release had the object, and no names yet.
            None => Installed::One(packages),
        })
    };
    read.map_err(|cause| Malformed(format!("the file is no list of installed packages: {cause}")))
}

#[derive(Deserialize)]
struct Package {
    #[serde(deserialize_with = "short")]
    name: String,
    #[serde(default, deserialize_with = "short")]
    version: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    require: Names,
    #[serde(default)]
    bin: Vec<String>,
    #[serde(default, rename = "install-path")]
    path: Option<String>,
}

/// PHP writes an empty map as a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Map(BTreeMap<String, IgnoredAny>),
    Other(IgnoredAny),
}

impl Default for Names {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

fn short<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let too_long = || serde::de::Error::custom(format!("a name or version has more than {TEXT_MAX} bytes"));
    if text.len() <= TEXT_MAX { Ok(text) } else { Err(too_long()) }
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    /// As Composer 2.5 wrote it, shortened.
    const INSTALLED: &str = r#"{
    "packages": [
        {"name": "acme/unit", "version": "1.0.0", "require": {"php": ">=8", "acme/diff": "*"}, "type": "library",
         "bin": ["bin/unit"], "install-path": "../acme/unit"},
        {"name": "acme/diff", "version": "v2.1", "require": [], "type": "library", "install-path": "../acme/diff"},
        {"name": "acme/all", "version": "1.0.0", "type": "metapackage", "install-path": null}
    ],
    "dev": true,
    "dev-package-names": ["acme/diff", "acme/unit"]
}"#;

    fn at() -> ImagePath {
        ImagePath::from("app/vendor/composer/installed.json")
    }

    #[test]
    fn composer_2_names_its_dev_packages() {
        let found = installed(&at(), INSTALLED.as_bytes()).expect("readable").value;
        let dirs: Vec<_> = found.packages.iter().map(|p| p.dir.as_ref().map(ToString::to_string)).collect();
        assert_eq!(dirs, [Some("/app/vendor/acme/unit".to_string()), Some("/app/vendor/acme/diff".to_string()), None]);
        assert_eq!(found.packages[0].depends, ["acme/diff"]);
        assert_eq!(found.dev, Some(vec!["acme/diff".to_string(), "acme/unit".to_string()]));
    }

    #[test]
    fn composer_1_has_a_bare_list_and_no_paths() {
        let body =
            br#"[{"name": "acme/diff", "version": "1", "type": "library"}, {"name": "a/m", "type": "metapackage"}]"#;
        let found = installed(&at(), body).expect("readable").value;
        assert_eq!(found.packages[0].dir, Some(ImagePath::from("app/vendor/acme/diff")));
        assert_eq!((found.packages[1].dir.clone(), found.dev), (None, None));
    }

    #[test]
    fn a_lock_tells_its_dev_packages() {
        let body = br#"{"packages": [{"name": "a/b"}], "packages-dev": [{"name": "c/d", "version": "1"}]}"#;
        assert_eq!(lock(body), Ok(vec!["c/d".to_string()]));
        assert_eq!(lock(br#"{"packages": []}"#), Ok(Vec::new()));
    }

    #[test]
    fn damage_is_said() {
        assert!(lock(b"{\"packages-dev\": 3}").is_err());
        assert!(installed(&at(), &b"[".repeat(100_000)).is_err());
        assert!(installed(&at(), b"{\"packages\": [{\"version\": \"1\"}]}").is_err());
        accept_parser(INSTALLED.as_bytes(), |body| installed(&at(), body));
    }
}
