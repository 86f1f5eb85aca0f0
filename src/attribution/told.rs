//! Tells of each finding which line of the user's Dockerfile brought it, and why not where nothing is told.
//!
//! Reads the file, and puts what [`lines`] says into findings; it decides nothing.

use std::{env, fs, io::Read, path::Path, sync::Arc};

use super::{
    Attribution,
    find::work_tree,
    lines::{self, Line, Lines, Options, Place, Reason},
};
use crate::{
    dockerfile::{BuildArgs, Command, File},
    error::{Error, Result},
    model::{BuiltFrom, Diagnostic, DockerfileLine, Family, Finding, ImageInfo, redact},
};

/// Largest Dockerfile that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// Longest instruction that is shown, in characters.
const SHOWN_MAX: usize = 200;

/// The Dockerfile that the user says the image is built from.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    name: String,
    file: Arc<File>,
    target: Option<String>,
    has_ignore_file: bool,
    is_attested: bool,
}

impl Dockerfile {
    /// Reads it.
    ///
    /// # Errors
    /// When it can not be read, builders would refuse it, or it has no stage `target`.
    pub fn read(path: &Path, target: Option<&str>) -> Result<Self> {
        Self::read_in(path, target, None)
    }

    /// Reads it; reports call it by its path below `root`.
    ///
    /// # Errors
    /// As [`Dockerfile::read`].
    pub fn read_in(path: &Path, target: Option<&str>, root: Option<&Path>) -> Result<Self> {
        let what = || Error::usage(format!("can not read the Dockerfile \"{}\"", path.display()));
        let mut bytes = Vec::new();
        fs::File::open(path)
            .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes))
            .map_err(|e| what().cause(e).help("give --dockerfile the file that the image was built from"))?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(what().cause("it is larger than 4 MiB").help("give --dockerfile a Dockerfile"));
        }
        let file = File::parse_bytes(&bytes).map_err(|e| {
            what().cause(e).help("mend the line, or give --dockerfile the file that the image was built from")
        })?;
        if let Some(target) = target.filter(|target| file.target(Some(target)).is_none()) {
            return Err(what()
                .cause(format!("it has no stage \"{target}\""))
                .help("give --target a name that stands behind AS in a FROM line"));
        }
        // The builder takes that of the file's own name, or that of the context, which is most often beside the file.
        let own = path.file_name().map(|name| path.with_file_name(format!("{}.dockerignore", name.to_string_lossy())));
        let shared = [path.parent(), root].into_iter().flatten().map(|dir| dir.join(".dockerignore"));
        let has_ignore_file = own.into_iter().chain(shared).any(|file| file.is_file());
        Ok(Self { has_ignore_file, ..Self::parsed(&name_below(path, root), file, target) })
    }

    /// The one that the image's provenance carries; `target` is the stage that the user says was built.
    ///
    /// # Errors
    /// Builders would refuse it, or it has no such stage.
    pub fn attested(built: &BuiltFrom, target: Option<&str>) -> Result<Self> {
        let what = || Error::usage(format!("can not read the Dockerfile \"{}\" of the provenance", built.name));
        let file = File::parse_bytes(&built.text).map_err(|e| what().cause(e))?;
        let target = target.or(built.target.as_deref());
        match target.filter(|target| file.target(Some(target)).is_none()) {
            Some(target) => Err(what().cause(format!("it has no stage \"{target}\""))),
            None => Ok(Self { is_attested: true, ..Self::parsed(&built.name, file, target) }),
        }
    }

    /// A Dockerfile that is no file.
    pub(crate) fn parsed(name: &str, file: File, target: Option<&str>) -> Self {
        let (name, target) = (name.to_string(), target.map(str::to_string));
        Self { name, file: Arc::new(file), target, has_ignore_file: false, is_attested: false }
    }

    /// Whether a `.dockerignore` lies where builders look for it.
    pub(crate) fn has_ignore_file(&self) -> bool {
        self.has_ignore_file
    }

    /// What reports call it: its path below the root of its repository where there is one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it came with the image, and is no file of the user's own.
    pub fn is_attested(&self) -> bool {
        self.is_attested
    }

    /// What it says.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The stage that the user says was built.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Which line made which layer.
    pub fn lines(&self, image: &ImageInfo, border: &Attribution) -> Lines {
        let args = BuildArgs::new();
        let options = Options { target: self.target.as_deref(), args: &args, border: Some(border) };
        lines::attribute(image, &self.file, &options)
    }

    /// Gives each finding its line where that is sure, and returns why it is not for the others.
    ///
    /// `mask` takes secrets out of a text.
    pub fn tell(&self, told: &Lines, findings: &mut [Finding], mask: impl Fn(String) -> String) -> Option<Diagnostic> {
        let mut why = told.reason().map(Reason::to_string);
        for finding in findings.iter_mut().filter(|finding| finding.line.is_none()) {
            let layer = finding.layer.as_ref().and_then(|layer| usize::try_from(layer.number).ok()?.checked_sub(1));
            // A wrong stage is not the fault of the line that brought the project's manifest.
            let Some(layer) = layer.filter(|_| finding.family != Family::WrongStage) else {
                finding.line = self.line_of_setting(told, finding).and_then(|line| self.line(line, &mask));
                continue;
            };
            match told.layers.get(layer) {
                Some(Place::Line(line) | Place::Base(line)) => finding.line = self.line(*line, &mask),
                Some(Place::OneOf(_)) => {
                    why.get_or_insert_with(|| format!("layer {} was made of several lines", layer + 1));
                }
                Some(Place::Unknown(reason)) => {
                    why.get_or_insert_with(|| format!("of layer {}: {reason}", layer + 1));
                }
                None => {}
            }
        }
        let text = mask(format!("no line of \"{}\" is told: {}", self.name, why?));
        Some(Diagnostic { layer: None, path: None, text, unread: false })
    }

    /// The line that set what a finding about the configuration is about, where the image's own stages do: the last
    /// `USER`, or the `FROM` that brought the user; the `ENV`, `ARG` or `LABEL` of a secret's name; the
    /// `FROM` of the stage; the last command.
    fn line_of_setting(&self, told: &Lines, finding: &Finding) -> Option<Line> {
        let (chain, _) = self.file.chain(told.stage?, &BuildArgs::new());
        let body = |&stage: &usize| self.file.stages().get(stage).map(|stage| stage.body.clone());
        let last = |fits: &dyn Fn(&Command) -> bool| {
            let numbers = chain.iter().filter_map(body).flat_map(|body| body.rev());
            let mut found = numbers
                .filter(|&number| self.file.instructions().get(number).is_some_and(|one| fits(&one.statement.command)));
            found.next().and_then(|number| Line::of(&self.file, number))
        };
        match finding.family {
            Family::WrongStage => Line::of(&self.file, self.file.stages().get(told.stage?)?.from),
            Family::BrokenRuntime => last(&|command| matches!(command, Command::Cmd(_) | Command::Entrypoint(_))),
            Family::RootUser => last(&|command| matches!(command, Command::User(_))).or_else(|| {
                let lowest = chain.last().and_then(|&lowest| self.file.stages().get(lowest))?;
                Line::of(&self.file, lowest.from)
            }),
            Family::Secret => {
                let key = finding.secrets.first().map(|place| place.key.as_str()).filter(|key| !key.is_empty())?;
                last(&|command| match command {
                    Command::Env(pairs) | Command::Label(pairs) => pairs.iter().any(|pair| pair.name.text == key),
                    Command::Arg(definitions) => definitions.iter().any(|one| one.name.text == key),
                    _ => false,
                })
            }
            _ => None,
        }
    }

    /// An instruction as findings point to it.
    pub(crate) fn line(&self, line: Line, mask: impl Fn(String) -> String) -> Option<DockerfileLine> {
        let instruction = self.file.instructions().get(line.instruction)?;
        let keyword = instruction.statement.keyword?.word();
        let written = self.file.at(instruction.span).lines().next().unwrap_or_default();
        // Redaction knows keywords as builders record them.
        let rest = written.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
        let shown = mask(redact::created_by(&format!("{keyword} {rest}")));
        Some(DockerfileLine {
            file: self.name.clone(),
            first: line.first_line,
            last: line.last_line,
            instruction: shown.chars().take(SHOWN_MAX).collect(),
        })
    }
}

/// The path of a file below the root, or below that of the git work tree that it is in, or below the working directory; else
/// as the user wrote it. Links are resolved: code scanning looks for the file itself.
fn name_below(path: &Path, root: Option<&Path>) -> String {
    let Ok(real) = fs::canonicalize(path) else { return path.display().to_string() };
    let roots = [
        root.and_then(|root| fs::canonicalize(root).ok()),
        real.parent().and_then(work_tree),
        env::current_dir().and_then(fs::canonicalize).ok(),
    ];
    let below = roots.into_iter().flatten().find_map(|root| real.strip_prefix(root).ok().map(Path::to_path_buf));
    below.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_by_its_path_below_the_root_of_its_repository() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("repo/svc/api")).expect("made");
        fs::create_dir_all(at("loose")).expect("made");
        for file in ["repo/svc/api/Dockerfile", "loose/Dockerfile"] {
            fs::write(at(file), "FROM scratch\nCOPY a /\n").expect("written");
        }
        std::os::unix::fs::symlink("svc/api/Dockerfile", at("repo/link")).expect("linked");
        fs::write(at("repo/.git"), "gitdir: elsewhere\n").expect("written");
        let name = |file: &str, root: Option<&str>| {
            let root = root.map(at);
            Dockerfile::read_in(&at(file), None, root.as_deref()).expect("good").name().to_string()
        };
        assert_eq!(name("repo/svc/api/Dockerfile", None), "svc/api/Dockerfile");
        assert_eq!(name("repo/svc/../svc/api/Dockerfile", None), "svc/api/Dockerfile");
        assert_eq!(name("repo/link", None), "svc/api/Dockerfile");
        assert_eq!(name("repo/svc/api/Dockerfile", Some("repo/svc")), "api/Dockerfile");
        assert_eq!(name("repo/svc/api/Dockerfile", Some("loose")), "svc/api/Dockerfile", "it is not below that");
        assert_eq!(name("loose/Dockerfile", None), at("loose/Dockerfile").display().to_string(), "no repository");
    }
}
