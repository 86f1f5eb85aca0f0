//! Packs the files of `policies/` into one compressed blob, which the program carries.
//!
//! Compressed for a reason: the plain texts hold every literal that rules search for, so that offcut would find all
//! build tools in its own executable.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::DeflateEncoder};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=policies");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("policies");
    let mut files = Vec::new();
    list(&root, "", &mut files)?;
    files.sort();

    let target = fs::File::create(PathBuf::from(variable("OUT_DIR")?).join("policies.deflate"))?;
    let mut pack = DeflateEncoder::new(target, Compression::best());
    for (name, path) in files {
        let text = fs::read_to_string(path)?;
        // Read back by `catalogue::builtin`: name, length in bytes, text.
        write!(pack, "{name}\n{}\n{text}", text.len())?;
    }
    pack.finish()?;
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|e| io::Error::other(format!("{name}: {e}")))
}

/// Lists the `.toml` files below a directory by their names relative to `policies/`.
fn list(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(|| io::Error::other("a name is not UTF-8"))?;
        if path.is_dir() {
            list(&path, &format!("{prefix}{name}/"), files)?;
        } else if name.ends_with(".toml") {
            files.push((format!("{prefix}{name}"), path));
        }
    }
    Ok(())
}
