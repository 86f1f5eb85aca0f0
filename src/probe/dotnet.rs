//! Reads what a .NET program asks of its host: `NAME.runtimeconfig.json`.
//!
//! Format: `documentation/specs/runtime-configuration-file.md` of github.com/dotnet/sdk. A program that brings its run time
//! along has `includedFrameworks` instead, and asks for none.

use serde::Deserialize;

use super::malformed::{Malformed, TEXT_MAX};
use crate::model::DotnetFramework;

/// Frameworks kept of one program; there are three that anybody has heard of.
const FRAMEWORKS_MAX: usize = 16;

/// The shared frameworks of a `*.runtimeconfig.json`, as they stand there.
///
/// # Errors
/// When it is not JSON of the documented form.
pub fn frameworks(body: &[u8]) -> Result<Vec<DotnetFramework>, Malformed> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let file: File = serde_json::from_slice(body)
        .map_err(|cause| Malformed(format!("the file is no runtimeconfig.json: {cause}")))?;
    let all = file.options.framework.into_iter().chain(file.options.frameworks);
    let all = all.filter(|one| one.name.len() <= TEXT_MAX && one.version.len() <= TEXT_MAX);
    Ok(all.take(FRAMEWORKS_MAX).map(|Framework { name, version }| DotnetFramework { name, version }).collect())
}

#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "runtimeOptions")]
    options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    framework: Option<Framework>,
    #[serde(default)]
    frameworks: Vec<Framework>,
}

#[derive(Deserialize)]
struct Framework {
    name: String,
    #[serde(default)]
    version: String,
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    #[test]
    fn one_framework_or_several_are_read_and_what_is_included_is_none() {
        let framework = |name: &str| format!(r#"{{"name": "{name}", "version": "8.0.0"}}"#);
        let (core, web) = (framework("Microsoft.NETCore.App"), framework("Microsoft.AspNetCore.App"));
        let read = |options: String| {
            let body = format!(r#"{{"runtimeOptions": {{"tfm": "net8.0", {options}}}}}"#);
            accept_parser(body.as_bytes(), frameworks);
            let found = frameworks(body.as_bytes()).expect("readable");
            found.into_iter().map(|one| format!("{} {}", one.name, one.version)).collect::<Vec<_>>()
        };
        assert_eq!(read(format!(r#""framework": {web}"#)), ["Microsoft.AspNetCore.App 8.0.0"]);
        let both = ["Microsoft.NETCore.App 8.0.0", "Microsoft.AspNetCore.App 8.0.0"];
        assert_eq!(read(format!(r#""frameworks": [{core}, {web}]"#)), both);
        assert_eq!(read(format!(r#""includedFrameworks": [{core}]"#)), [""; 0]);
        assert_eq!(frameworks(b"{}").expect("readable"), []);
        assert!(frameworks(b"3").is_err());
    }
}
