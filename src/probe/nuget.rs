//! Reads which NuGet packages a .NET program was published with: `NAME.deps.json`.
//!
//! Format: `runtime-configuration-file.md` of github.com/dotnet/cli, part "deps.json"; libraries of the type `package`
//! count. Hashes, resources and files for other platforms are not read.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::malformed::{Malformed, PACKAGES_MAX, TEXT_MAX};
use crate::model::NugetPackage;

/// Files and dependencies kept of one package.
const ITEMS_MAX: usize = 1_000;

/// The packages of a `*.deps.json`, sorted by name and version.
///
/// # Errors
/// When it is not JSON of the documented form.
pub fn packages(body: &[u8]) -> Result<Vec<NugetPackage>, Malformed> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let file: File =
        serde_json::from_slice(body).map_err(|cause| Malformed(format!("the file is no deps.json: {cause}")))?;
    let mut targets: BTreeMap<&str, &Target> = BTreeMap::new();
    targets.extend(file.targets.values().flatten().map(|(id, target)| (id.as_str(), target)));
    let packages = file.libraries.iter().filter(|(id, about)| about.kind == "package" && id.len() <= TEXT_MAX);
    let package = |(id, _): (&String, &Library)| {
        let (name, version) = id.split_once('/')?;
        let target = targets.get(id.as_str());
        let file_name = |path: &String| path.rsplit('/').next().unwrap_or_default().to_string();
        Some(NugetPackage {
            name: name.to_string(),
            version: version.to_string(),
            depends: target.map(|t| t.dependencies.keys().take(ITEMS_MAX).cloned().collect()).unwrap_or_default(),
            files: target.map(|t| t.runtime.keys().map(file_name).take(ITEMS_MAX).collect()).unwrap_or_default(),
        })
    };
    Ok(packages.take(PACKAGES_MAX).filter_map(package).collect())
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    targets: BTreeMap<String, BTreeMap<String, Target>>,
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    runtime: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(default, rename = "type")]
    kind: String,
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    /// Written by hand after the document named above.
    const DEPS: &str = r#"{
  "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0", "signature": ""},
  "targets": {".NETCoreApp,Version=v8.0": {
    "Shop.Tests/1.0.0": {"dependencies": {"xunit.assert": "2.4.2"}, "runtime": {"Shop.Tests.dll": {}}},
    "xunit.assert/2.4.2": {"dependencies": {"NETStandard.Library": "1.6.1"},
      "runtime": {"lib/netstandard1.1/xunit.assert.dll": {"assemblyVersion": "2.4.2.0"}}}}},
  "libraries": {
    "Shop.Tests/1.0.0": {"type": "project", "serviceable": false},
    "xunit.assert/2.4.2": {"type": "package", "serviceable": true}}
}"#;

    #[test]
    fn packages_are_told_from_projects() {
        let found = packages(DEPS.as_bytes()).expect("readable");
        let want = NugetPackage {
            name: "xunit.assert".to_string(),
            version: "2.4.2".to_string(),
            depends: vec!["NETStandard.Library".to_string()],
            files: vec!["xunit.assert.dll".to_string()],
        };
        assert_eq!(found, [want]);
        assert!(packages(b"3").is_err());
        accept_parser(DEPS.as_bytes(), packages);
    }
}
