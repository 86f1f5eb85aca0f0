//! Finds, in the sources that a user has at hand, the Dockerfile that an image is built from.
//!
//! Every file of a Dockerfile's name is held against the image's history; only one that agrees is taken, and none where
//! two agree as well. Files are named by the user, never guessed from the image alone.

use std::{
    collections::VecDeque,
    fs,
    path::{Component, Path, PathBuf},
};

use super::{
    Attribution,
    lines::{Lines, Reason},
    told::Dockerfile,
};
use crate::model::ImageInfo;

/// Deepest directory that is looked at, below the root.
const DEPTH_MAX: usize = 6;

/// Most entries of directories that are looked at.
const ENTRIES_MAX: usize = 20_000;

/// Most Dockerfiles that are held against the image.
const FILES_MAX: usize = 64;

/// Directories of other people's code, and of what was built.
const SKIPPED: [&str; 8] = [".git", "node_modules", "vendor", "target", ".venv", "venv", "__pycache__", ".tox"];

/// The label by which docker buildx names the Dockerfile, relative to the root of its git repository
/// (`build/git.go` of docker/buildx, with `BUILDX_GIT_LABELS`).
const LABEL: &str = "com.docker.image.source.entrypoint";

/// What was found.
pub struct Found {
    /// The Dockerfile, and the lines that it tells.
    pub dockerfile: Option<(Dockerfile, Lines)>,
    /// Why there is none, in one sentence.
    pub why: Option<String>,
}

/// Finds the Dockerfile below `root` that the image is built from.
pub fn find(root: &Path, target: Option<&str>, image: &ImageInfo, border: &Attribution) -> Found {
    let Search { mut files, is_cut } = Search::below(root);
    let named = image.config.as_ref().and_then(|config| config.labels.get(LABEL)).and_then(|path| inside(root, path));
    if let Some(named) = named.as_ref().filter(|named| named.is_file() && !files.contains(named)) {
        files.insert(0, named.clone());
    }
    let mut fitting: Vec<(usize, Dockerfile, Lines)> = Vec::new();
    let mut reason = None;
    for file in &files {
        // One that can not be read, or has no such stage, is not the image's.
        let Ok(dockerfile) = Dockerfile::read_in(file, target, Some(root)) else { continue };
        let lines = dockerfile.lines(image, border);
        if lines.stage.is_some() {
            let explained = if Some(file) == named.as_ref() { usize::MAX } else { lines.explained() };
            fitting.push((explained, dockerfile, lines));
        } else if reason.is_none() {
            reason = lines.reason().map(Reason::to_string).map(|why| (dockerfile.name().to_string(), why));
        }
    }
    let most = fitting.iter().map(|(explained, ..)| *explained).max();
    fitting.retain(|(explained, ..)| Some(*explained) == most);
    let root = root.display();
    let cut = if is_cut { "; there are more directories and files than are looked at" } else { "" };
    let why = match fitting.as_slice() {
        [_] => None,
        [] if files.is_empty() => Some(format!("there is no Dockerfile below \"{root}\"{cut}")),
        [] => {
            let first = reason.map_or_else(String::new, |(name, why)| format!("; of \"{name}\": {why}"));
            Some(format!("no Dockerfile below \"{root}\" is the image's own ({} looked at){first}{cut}", files.len()))
        }
        [(_, first, _), (_, second, _), ..] => Some(format!(
            "more than one Dockerfile below \"{root}\" may be the image's, \"{}\" and \"{}\"; name it with --dockerfile",
            first.name(),
            second.name()
        )),
    };
    let only = if fitting.len() == 1 { fitting.pop() } else { None };
    Found { dockerfile: only.map(|(_, dockerfile, lines)| (dockerfile, lines)), why }
}

/// The root of the git work tree that a directory is in: the nearest with `.git`, be that a directory or, in a linked
/// work tree or a submodule, a file.
pub fn work_tree(dir: &Path) -> Option<PathBuf> {
    let dir = fs::canonicalize(dir).ok()?;
    dir.ancestors().find(|dir| dir.join(".git").exists()).map(Path::to_path_buf)
}

/// A path that an image names, if it lies below the root as it is written.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (is_plain && path.file_name().is_some()).then(|| root.join(path))
}

struct Search {
    /// Those nearest to the root first.
    files: Vec<PathBuf>,
    is_cut: bool,
}

impl Search {
    fn below(root: &Path) -> Self {
        let (mut files, mut is_cut, mut left) = (Vec::new(), false, ENTRIES_MAX);
        let mut dirs = VecDeque::from([(root.to_path_buf(), 0)]);
        while let Some((dir, depth)) = dirs.pop_front() {
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            let mut entries: Vec<_> = entries.flatten().take(left.saturating_add(1)).collect();
            is_cut |= entries.len() > left;
            left = left.saturating_sub(entries.len());
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                // Links are not followed: they may lead out of the sources, or up.
                let Ok(kind) = entry.file_type() else { continue };
                let name = entry.file_name().to_string_lossy().to_lowercase();
                if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                    if depth < DEPTH_MAX {
                        dirs.push_back((entry.path(), depth + 1));
                    }
                } else if kind.is_file() && is_dockerfile(&name) {
                    files.push(entry.path());
                }
            }
        }
        is_cut |= files.len() > FILES_MAX;
        files.truncate(FILES_MAX);
        Self { files, is_cut }
    }
}

/// Whether a name, in lower case, is one that people give Dockerfiles: `Dockerfile`, `Dockerfile.dev`, `api.Dockerfile`.
fn is_dockerfile(name: &str) -> bool {
    ["dockerfile", "containerfile"].iter().any(|word| {
        let rest = name.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with('.'));
        let before = name.strip_suffix(word).filter(|before| before.ends_with('.'));
        rest.or(before).is_some() && !name.ends_with(".dockerignore")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        attribution::{Attribution, attribute},
        model::{History, ImageConfig, LayerInfo},
    };

    const API: &str = "FROM debian:12\nCOPY api /usr/bin/api\nRUN make api\nCMD [\"api\"]\n";
    const WEB: &str = "FROM debian:12\nCOPY web /usr/bin/web\nRUN make web\nCMD [\"web\"]\n";

    /// The image of [`API`], as BuildKit builds it.
    fn api(label: Option<&str>) -> ImageInfo {
        let comment = "buildkit.dockerfile.v0".to_string();
        let entry =
            |text: &str| History { created_by: text.to_string(), comment: comment.clone(), ..History::default() };
        let steps = ["debootstrap", "COPY api /usr/bin/api # buildkit", "RUN /bin/sh -c make api # buildkit"];
        let command = History { empty_layer: true, ..entry("CMD [\"api\"]") };
        let history = steps.into_iter().map(entry).chain([command]).collect();
        let labels = label.map(|path| (LABEL.to_string(), path.to_string())).into_iter().collect();
        let config = Some(ImageConfig { history, labels, ..ImageConfig::default() });
        ImageInfo { layers: vec![LayerInfo::default(); 3], config, ..ImageInfo::default() }
    }

    fn border(image: &ImageInfo) -> Attribution {
        attribute(image, &[])
    }

    /// A tree of files, and what is found in it for the image.
    fn found(files: &[(&str, &str)], image: &ImageInfo) -> (Option<String>, String) {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, text).expect("written");
        }
        let found = find(dir.path(), None, image, &border(image));
        (found.dockerfile.map(|(file, _)| file.name().to_string()), found.why.unwrap_or_default())
    }

    #[test]
    fn of_many_dockerfiles_the_one_that_agrees_is_taken() {
        let files = [("Dockerfile", WEB), ("services/api/Containerfile", API), ("node_modules/x/Dockerfile", API)];
        assert_eq!(found(&files, &api(None)), (Some("services/api/Containerfile".to_string()), String::new()));
        let files =
            [("docker/api.Dockerfile", API), ("Dockerfile", "FROM debian:12\nRUM x\n"), ("Dockerfile.txt", WEB)];
        assert_eq!(found(&files, &api(None)).0.as_deref(), Some("docker/api.Dockerfile"));
    }

    #[test]
    fn where_two_agree_none_is_taken_unless_the_image_names_it() {
        let files = [("a/Dockerfile", API), ("b/Dockerfile", API)];
        let (none, why) = found(&files, &api(None));
        assert!(none.is_none() && why.contains("\"a/Dockerfile\" and \"b/Dockerfile\""), "{why}");
        assert_eq!(found(&files, &api(Some("b/Dockerfile"))).0.as_deref(), Some("b/Dockerfile"));
        // The label names one that is not the image's: it was built from another state of the sources.
        let files = [("a/Dockerfile", API), ("b/Dockerfile", WEB)];
        assert_eq!(found(&files, &api(Some("b/Dockerfile"))).0.as_deref(), Some("a/Dockerfile"));
        let files = [("a/Dockerfile", API), ("deploy/image", API)];
        assert_eq!(found(&files, &api(Some("deploy/image"))).0.as_deref(), Some("deploy/image"));
    }

    #[test]
    fn nothing_is_taken_that_does_not_agree_and_why_is_said() {
        let (none, why) = found(&[("Dockerfile", WEB)], &api(None));
        assert!(none.is_none(), "{why}");
        for want in ["is the image's own (1 looked at)", "of \"Dockerfile\": this Dockerfile is not the image's own"] {
            assert!(why.contains(want), "{want} is not in {why}");
        }
        assert!(found(&[("README", "")], &api(None)).1.starts_with("there is no Dockerfile below"));
        for outside in ["../Dockerfile", "/etc/passwd", "", "."] {
            assert_eq!(inside(Path::new("/x"), outside), None, "{outside}");
        }
    }

    #[test]
    fn names_are_those_that_people_give() {
        for name in ["dockerfile", "containerfile", "dockerfile.dev", "api.dockerfile", "containerfile.x.y"] {
            assert!(is_dockerfile(name), "{name}");
        }
        for name in ["dockerfiles", "mydockerfile", "dockerfile.dockerignore", ".dockerignore", "dockerfile-x"] {
            assert!(!is_dockerfile(name), "{name}");
        }
    }
}
