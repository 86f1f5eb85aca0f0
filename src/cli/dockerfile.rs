//! Which Dockerfile the command line means: `--dockerfile`, `--source-root` and `--target`.
//!
//! Without one of the first two no file beside the image is looked at: what a scan says must not depend on the directory
//! it is started in.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    attribution::{find::work_tree, told::Dockerfile},
    error::{Error, Result},
    model::Diagnostic,
};

/// The word that takes the place of a file's name; a file of that name is `./auto`.
const AUTO: &str = "auto";

/// What the command line says of the Dockerfile.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// The file that was named.
    pub(super) file: Option<Dockerfile>,
    /// The root of the sources in which it is to be found.
    pub(super) sources: Option<PathBuf>,
    /// What to say in the report.
    pub(super) note: Option<Diagnostic>,
}

impl Given {
    /// Reads the file, or finds the root of the sources.
    ///
    /// # Errors
    /// When the file can not be used, the root is no directory, or a stage was typed and no Dockerfile.
    pub(super) fn read(file: Option<&Path>, target: Option<&str>, root: Option<&Path>) -> Result<Self> {
        if let Some(root) = root.filter(|root| !root.is_dir()) {
            return Err(Error::usage(format!("the source root \"{}\" is no directory", root.display()))
                .help("give --source-root the directory that holds the image's sources"));
        }
        match (file, root) {
            (Some(file), _) if file != Path::new(AUTO) => {
                Ok(Self { file: Some(Dockerfile::read_in(file, target, root)?), ..Self::default() })
            }
            (_, Some(root)) => Ok(Self { sources: Some(root.to_path_buf()), ..Self::default() }),
            (Some(_), None) => Ok(match work_tree(Path::new(".")) {
                Some(root) => Self { sources: Some(root), ..Self::default() },
                None => Self { note: Some(no_sources()), ..Self::default() },
            }),
            (None, None) => match target {
                // One that only the environment names is meant for the scans that have a Dockerfile.
                Some(target) if env::var("OFFCUT_TARGET").as_deref() != Ok(target) => {
                    Err(Error::usage(format!("--target \"{target}\" needs a Dockerfile"))
                        .help("give --dockerfile FILE, or --dockerfile auto, too"))
                }
                _ => Ok(Self::default()),
            },
        }
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.file.is_none() && self.sources.is_none()
    }
}

fn no_sources() -> Diagnostic {
    let text = "no Dockerfile is looked for: the working directory is in no git work tree; give --source-root DIR";
    Diagnostic { layer: None, path: None, text: text.to_string(), unread: false }
}
