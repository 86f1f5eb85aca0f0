//! Tells of each finding which line of the user's Dockerfile brought it, and why not where nothing is told.
//!
//! Reads the file, and puts what [`lines`] says into findings; it decides nothing.

use std::{fs, io::Read, path::Path, sync::Arc};

use super::{
    Attribution,
    lines::{self, Line, Options, Place, Reason},
};
use crate::{
    dockerfile::{BuildArgs, File},
    error::{Error, Result},
    model::{Diagnostic, DockerfileLine, Finding, ImageInfo, redact},
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
}

impl Dockerfile {
    /// Reads it.
    ///
    /// # Errors
    /// When it can not be read, builders would refuse it, or it has no stage `target`.
    pub fn read(path: &Path, target: Option<&str>) -> Result<Self> {
        let name = path.display().to_string();
        let what = || Error::usage(format!("can not read the Dockerfile \"{name}\""));
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
        Ok(Self { name, file: Arc::new(file), target: target.map(str::to_string) })
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its name, as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stage that was built, if it was said.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Gives each finding its line where that is sure, and returns why it is not for the others.
    ///
    /// `mask` takes secrets out of a text.
    pub fn tell(
        &self,
        image: &ImageInfo,
        border: &Attribution,
        findings: &mut [Finding],
        mask: impl Fn(String) -> String,
    ) -> Option<Diagnostic> {
        let args = BuildArgs::new();
        let options = Options { target: self.target.as_deref(), args: &args, border: Some(border) };
        let told = lines::attribute(image, &self.file, &options);
        let mut why = told.reason().map(Reason::to_string);
        for finding in findings {
            let layer = finding.layer.as_ref().and_then(|layer| usize::try_from(layer.number).ok()?.checked_sub(1));
            let Some(layer) = layer else { continue };
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

    fn line(&self, line: Line, mask: impl Fn(String) -> String) -> Option<DockerfileLine> {
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
