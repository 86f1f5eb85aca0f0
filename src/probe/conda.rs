//! Reads what conda writes for each installed package: `conda-meta/NAME-VERSION-BUILD.json`.
//!
//! Format: the class `PrefixRecord` of conda 23. Only name, version, dependencies and files are read.

use serde::Deserialize;

use super::malformed::{Malformed, Parsed, PathBudget, TEXT_MAX};
use crate::model::{CondaPackage, ImagePath, path::parent};

/// Dependencies kept of one package.
const DEPENDS_MAX: usize = 1_000;

/// The package whose record stands at `at`.
///
/// # Errors
/// When it is not JSON with a name.
pub fn package(at: &ImagePath, body: &[u8]) -> Result<Parsed<CondaPackage>, Malformed> {
    #[derive(Deserialize)]
    struct Record {
        name: String,
        #[serde(default)]
        version: String,
        #[serde(default)]
        depends: Vec<String>,
        #[serde(default)]
        files: Vec<String>,
    }

    let record: Record =
        serde_json::from_slice(body).map_err(|cause| Malformed(format!("the file is no record of conda: {cause}")))?;
    if record.name.is_empty() || record.name.len() > TEXT_MAX || record.version.len() > TEXT_MAX {
        return Err(Malformed(format!("the name is empty, or name or version have more than {TEXT_MAX} bytes")));
    }
    let prefix = parent(parent(at.as_bytes()));
    let mut budget = PathBudget::new(body.len());
    let mut found = Parsed::<CondaPackage>::default();
    for file in &record.files {
        match budget.join(prefix, file.as_bytes()) {
            Some(path) => found.value.files.push(path),
            None => {
                found.fault("its list of files asks for too much memory");
                break;
            }
        }
    }
    let depends = record.depends.iter().filter_map(|text| text.split(' ').next()).take(DEPENDS_MAX);
    found.value.depends = depends.map(str::to_string).collect();
    found.value.name = record.name;
    found.value.version = record.version;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    /// Written by hand after the class named above.
    const RECORD: &str = r#"{"build": "h1", "depends": ["python >=3.11,<3.12.0a0", "numpy"], "name": "pytest",
        "version": "8.0", "files": ["bin/pytest", "lib/python3.11/site-packages/pytest/__init__.py"]}"#;

    #[test]
    fn files_are_below_the_environment() {
        let at = ImagePath::from("opt/conda/conda-meta/pytest-8.0-h1.json");
        let found = package(&at, RECORD.as_bytes()).expect("readable").value;
        assert_eq!((found.name.as_str(), found.version.as_str()), ("pytest", "8.0"));
        assert_eq!(found.depends, ["python", "numpy"]);
        assert_eq!(found.files[0], ImagePath::from("opt/conda/bin/pytest"));
        assert!(package(&at, b"{}").is_err());
        accept_parser(RECORD.as_bytes(), |body| package(&at, body));
    }
}
