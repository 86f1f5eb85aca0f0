//! Tells which line of a Dockerfile made a layer: aligns the image's history with the instructions of a stage.
//!
//! All entries of the stage have to agree, and nothing else may speak against it; otherwise the Dockerfile is not the
//! image's own, and no line is told. Unknown is an answer, a wrong line is none.

mod align;
mod copied;
mod entry;
mod expect;
mod rebuilt;
#[cfg(test)]
mod tests;

use std::fmt;

use self::{
    align::{Alignment, Outcome},
    entry::{Builder, Entry},
    expect::Step,
};
use super::Attribution;
use crate::{
    dockerfile::{BuildArgs, File, Keyword, Parent},
    model::{Confidence, ImageInfo, path, redact},
};

pub use self::{
    copied::{Context, Copied, CopiedFrom, copied, from_context},
    rebuilt::{Rebuilt, rebuild},
};

/// Most stages that are looked at.
const STAGES_MAX: usize = 200;

/// Most entries of a history, and most instructions of a stage, that are aligned; images have up to some hundred.
const STEPS_MAX: usize = 2000;

/// What is known besides the image and the file.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The stage that was built, if it was said; then no other is looked at.
    pub target: Option<&'a str>,
    /// The arguments that the build was given, as far as they are known. Others may have been.
    pub args: &'a BuildArgs,
    /// What else tells the base image's layers from the own ones.
    pub border: Option<&'a Attribution>,
}

/// Which line made what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lines {
    /// The stage that the image is; `None` if nothing is told.
    pub stage: Option<usize>,
    /// For each layer, the lowest first.
    pub layers: Vec<Place>,
    /// For each entry of the history.
    pub entries: Vec<Place>,
}

/// Where something in the image comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// This instruction made it.
    Line(Line),
    /// One of these instructions made it, or each a part: the builder made one layer of them.
    OneOf(Vec<Line>),
    /// It came with the base image, which this `FROM` names.
    Base(Line),
    /// Nothing tells.
    Unknown(Reason),
}

impl Place {
    /// Whether this line, and no other, made it.
    pub(crate) fn is(&self, line: Line) -> bool {
        *self == Self::Line(line)
    }
}

/// An instruction of the file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Line {
    /// Its stage.
    pub stage: usize,
    /// Its number in the file.
    pub instruction: usize,
    /// Its first line, counted from 1.
    pub first_line: u32,
    /// Its last line.
    pub last_line: u32,
}

impl Line {
    /// An instruction by its number; what stands before the first `FROM` counts to the lowest stage.
    pub(crate) fn of(file: &File, instruction: usize) -> Option<Self> {
        let found = file.instructions().get(instruction)?;
        let (first_line, last_line) = (found.first_line, found.last_line);
        Some(Self { stage: found.stage.unwrap_or(0), instruction, first_line, last_line })
    }
}

/// Why no line is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The image has no history.
    NoHistory,
    /// The history has another number of layers than the image.
    LayersDiffer,
    /// The history or the stage is too long to be aligned.
    TooLong,
    /// There is no stage of this name.
    NoSuchStage(String),
    /// The Dockerfile is not the image's own; how that was noticed.
    OtherFile(String),
    /// The stage has too little in it to be sure.
    TooLittle,
    /// More than one stage fits as well.
    Ambiguous,
    /// The layer holds the base image, too.
    Squashed,
    /// The lines say that it came with the base image, and something else that it did not.
    Disputed,
    /// A builder's option made the entry, not a line.
    ByOption,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHistory => f.write_str("the image has no history"),
            Self::LayersDiffer => f.write_str("the history does not match the layers"),
            Self::TooLong => f.write_str("the history is too long"),
            Self::NoSuchStage(name) => write!(f, "the Dockerfile has no stage \"{name}\""),
            Self::OtherFile(how) => write!(f, "this Dockerfile is not the image's own: {how}"),
            Self::TooLittle => f.write_str("the Dockerfile has too little in it to recognise the image"),
            Self::Ambiguous => f.write_str("more than one stage of the Dockerfile fits"),
            Self::Squashed => f.write_str("the base image and the build are one layer"),
            Self::Disputed => f.write_str("nothing tells surely whether it came with the base image"),
            Self::ByOption => f.write_str("an option of the build made it"),
        }
    }
}

impl Lines {
    fn unknown(image: &ImageInfo, entries: usize, reason: Reason) -> Self {
        let unknown = Place::Unknown(reason);
        Self { stage: None, layers: vec![unknown.clone(); image.layers.len()], entries: vec![unknown; entries] }
    }

    /// How many entries of the history are known to be of the file.
    pub fn explained(&self) -> usize {
        self.entries.iter().filter(|place| matches!(place, Place::Line(_) | Place::OneOf(_))).count()
    }

    /// The line that made a layer, the lowest is 0; `None` unless it is sure and not the `FROM` of the base image.
    pub fn line(&self, layer: u32) -> Option<Line> {
        match self.layers.get(usize::try_from(layer).ok()?)? {
            Place::Line(line) => Some(*line),
            _ => None,
        }
    }

    /// Why nothing is told of the whole image.
    pub fn reason(&self) -> Option<&Reason> {
        match self.entries.last().or(self.layers.last()) {
            Some(Place::Unknown(reason)) if self.stage.is_none() => Some(reason),
            _ => None,
        }
    }
}

/// Finds the line of each layer.
pub fn attribute(image: &ImageInfo, file: &File, options: &Options<'_>) -> Lines {
    let history = image.config.as_ref().map_or(&[][..], |config| &config.history);
    let nothing = |reason| Lines::unknown(image, history.len(), reason);
    if history.is_empty() {
        return nothing(Reason::NoHistory);
    }
    if history.len() > STEPS_MAX {
        return nothing(Reason::TooLong);
    }
    let stages = match options.target {
        Some(name) => match file.target(Some(name)) {
            Some(stage) => vec![stage],
            None => return nothing(Reason::NoSuchStage(name.to_string())),
        },
        None => (0..file.stages().len()).rev().take(STAGES_MAX).collect(),
    };
    let entries: Vec<Entry> = history.iter().map(Entry::read).collect();
    let mut best: Vec<Fit> = Vec::new();
    let mut refusal = None;
    let mut left = STEPS_MAX.saturating_mul(8);
    for stage in stages {
        match Fit::of(image, file, options, &entries, stage, &mut left) {
            Ok(fit) => best.push(fit),
            // The last stage is the one that is built without being named: what speaks against it is told.
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    let most = best.iter().map(|fit| fit.explained).max();
    best.retain(|fit| Some(fit.explained) == most);
    let last = file.stages().len().checked_sub(1);
    let fit = match best.as_slice() {
        [] => return nothing(refusal.unwrap_or(Reason::OtherFile("it has no stage".to_string()))),
        [fit] => fit,
        [fit, ..] if Some(fit.stage) == last => fit,
        _ => return nothing(Reason::Ambiguous),
    };
    fit.lines(image, file, &entries)
}

/// A stage whose instructions agree with the end of the history.
struct Fit<'a> {
    stage: usize,
    steps: Vec<Step<'a>>,
    alignment: Alignment,
    /// The `FROM` of the base image.
    from: Option<Line>,
    is_from_scratch: bool,
    explained: usize,
    /// Layers from here on are known as own by other means.
    own_from: usize,
}

impl<'a> Fit<'a> {
    fn of(
        image: &ImageInfo,
        file: &'a File,
        options: &Options<'_>,
        entries: &[Entry<'_>],
        stage: usize,
        left: &mut usize,
    ) -> Result<Self, Reason> {
        let (chain, parent) = file.chain(stage, options.args);
        let lowest = chain.last().and_then(|&lowest| file.stages().get(lowest));
        let last = entries.iter().rev().find(|entry| !entry.is_merge);
        let builder = last.map_or(Builder::Unknown, |entry| entry.builder);
        let shell = entry::shell(entries);
        let steps = expect::steps(file, &chain, options.args, builder, shell.as_deref());
        if steps.len() > STEPS_MAX || steps.len() > *left {
            return Err(Reason::TooLong);
        }
        *left -= steps.len();
        let alignment = match align::align(entries, &steps) {
            Outcome::Fits(alignment) => alignment,
            Outcome::Differs { entry, step } => {
                return Err(Reason::OtherFile(difference(file, entries, &steps, entry, step)));
            }
        };
        let is_from_scratch = parent == Parent::Scratch;
        let fit = Self {
            stage,
            explained: alignment.end - alignment.start,
            from: lowest.and_then(|lowest| Line::of(file, lowest.from)),
            steps,
            alignment,
            is_from_scratch,
            own_from: options.border.map_or(usize::MAX, Attribution::own_layers_from),
        };
        fit.check(image, options, entries)?;
        Ok(fit)
    }

    /// Looks for what speaks against the border between the base and the own part.
    fn check(&self, image: &ImageInfo, options: &Options<'_>, entries: &[Entry<'_>]) -> Result<(), Reason> {
        let start = self.alignment.start;
        let other = |how: &str| Err(Reason::OtherFile(how.to_string()));
        if self.is_from_scratch && start > 0 {
            return other("the stage is built from scratch, and the history has steps before its first");
        }
        let of_same_build = entries.get(start).is_some_and(Entry::goes_on) && start < self.alignment.end;
        if of_same_build && !entry::are_triggered(entries, start) {
            return other("the history says that the step before the first one of the stage belongs to the same build");
        }
        let layers_below = entries.iter().take(start).filter(|entry| entry.makes_layer).count();
        if let Some(border) = options.border {
            let base = border.base.layers.and_then(|count| usize::try_from(count).ok());
            let sure = border.base.confidence == Some(Confidence::Certain);
            if sure && base.is_some_and(|base| base > layers_below && base <= image.layers.len()) {
                return other("layers that its lines would have made are known to be those of the base image");
            }
            if sure && self.own_from < layers_below {
                return other("more layers than its lines make are known to be built upon the base image");
            }
        }
        let weight: usize =
            self.matched().map(|(entry, step)| entries.get(entry).map_or(0, |it| step.weight(it))).sum();
        let has_files = self.matched().any(|(_, step)| step.keyword.makes_files());
        let weight = weight + if self.is_from_scratch { 2 } else { 0 };
        if weight < 3 || !has_files {
            return Err(Reason::TooLittle);
        }
        Ok(())
    }

    /// Entries and the step that each surely is.
    fn matched(&self) -> impl Iterator<Item = (usize, &Step<'a>)> {
        self.alignment.steps.iter().enumerate().filter_map(|(number, steps)| match steps.as_slice() {
            [step] => Some((self.alignment.start + number, self.steps.get(*step)?)),
            _ => None,
        })
    }

    fn lines(&self, image: &ImageInfo, file: &File, entries: &[Entry<'_>]) -> Lines {
        let base = self.from.map_or(Place::Unknown(Reason::Squashed), Place::Base);
        let (start, end) = (self.alignment.start, self.alignment.end);
        let line = |&step: &usize| self.steps.get(step).and_then(|step| Line::of(file, step.instruction));
        let place = |number: usize| match number {
            _ if number < start => base.clone(),
            _ if number >= end => Place::Unknown(Reason::ByOption),
            _ => {
                let steps = self.alignment.steps.get(number - start);
                let lines: Vec<Line> = steps.into_iter().flatten().filter_map(line).collect();
                one_of(lines)
            }
        };
        let places: Vec<Place> = (0..entries.len()).map(place).collect();
        let made = self.layers(entries, &places);
        let mut places = places;
        let disputed = entries.iter().enumerate().filter(|(_, entry)| entry.makes_layer).zip(&made);
        for ((number, _), _) in disputed.filter(|(_, place)| **place == Place::Unknown(Reason::Disputed)) {
            if let Some(place) = places.get_mut(number) {
                *place = Place::Unknown(Reason::Disputed);
            }
        }
        let layers = match made.len() == image.layers.len() {
            true => made,
            false => vec![Place::Unknown(Reason::LayersDiffer); image.layers.len()],
        };
        Lines { stage: Some(self.stage), layers, entries: places }
    }

    /// The place of each layer. A builder that does not keep layers apart makes one of several steps.
    fn layers(&self, entries: &[Entry<'_>], places: &[Place]) -> Vec<Place> {
        let (start, end) = (self.alignment.start, self.alignment.end);
        let mut layers = Vec::new();
        // Steps that made files, or may have, since the last layer.
        let mut surely: Vec<Line> = Vec::new();
        let mut perhaps: Vec<Line> = Vec::new();
        let has_base = self.is_from_scratch || entries.iter().take(start).any(|entry| entry.makes_layer);
        // A command of buildah's always makes a layer, unless all of the stage becomes one; others may have made nothing.
        let mut is_of_buildah = false;
        for (number, (entry, place)) in entries.iter().zip(places).enumerate() {
            let is_own = (start..end).contains(&number);
            let makes_files = match (place, entry.keyword) {
                (Place::Line(line), Some(keyword)) if keyword.makes_files() => Some(*line),
                _ => None,
            };
            is_of_buildah |= entry.is_of_buildah();
            if !entry.makes_layer {
                if matches!(entry.keyword, Some(Keyword::Add | Keyword::Copy))
                    || is_of_buildah && entry.keyword == Some(Keyword::Run)
                {
                    surely.extend(makes_files);
                }
                perhaps.extend(makes_files);
                continue;
            }
            let is_whole_stage = entry.is_whole_stage(number.checked_sub(1).and_then(|before| entries.get(before)));
            let joins = !surely.is_empty()
                || (is_whole_stage && number > start)
                || (is_own || number >= end) && makes_files.is_none();
            let mut place = place.clone();
            if joins && number >= start {
                let mut lines = perhaps.clone();
                lines.extend(makes_files);
                lines.sort_unstable();
                lines.dedup();
                if !lines.is_empty() {
                    place = one_of(lines);
                }
            }
            if number < start && layers.len() >= self.own_from {
                place = Place::Unknown(Reason::Disputed);
            }
            if is_own && layers.is_empty() && !has_base {
                // There is no layer below that could hold the base image.
                place = Place::Unknown(Reason::Squashed);
            }
            layers.push(place);
            (surely, perhaps) = Default::default();
            is_of_buildah &= is_own;
        }
        layers
    }
}

fn one_of(lines: Vec<Line>) -> Place {
    match lines.as_slice() {
        [] => Place::Unknown(Reason::Ambiguous),
        [line] => Place::Line(*line),
        _ => Place::OneOf(lines),
    }
}

/// What differs, for people; without the values of variables.
fn difference(file: &File, entries: &[Entry<'_>], steps: &[Step<'_>], entry: Option<usize>, step: usize) -> String {
    let short = |text: &str| -> String {
        const SHOWN: usize = 50;
        let line = text.lines().next().unwrap_or_default();
        let cut: String = line.chars().take(SHOWN).collect();
        let dots = if cut.len() < text.len() { "..." } else { "" };
        path::escape(cut.as_bytes()) + dots
    };
    let line = steps.get(step).and_then(|step| file.instructions().get(step.instruction));
    let line = line.map_or(String::new(), |it| {
        format!("line {} is \"{}\" there", it.first_line, short(&redact::created_by(it.logical.text())))
    });
    match entry.and_then(|number| Some((number, entries.get(number)?))) {
        Some((number, entry)) => {
            let text = short(&redact::created_by(entry.text));
            format!("{line}, and step {} of {} in the image is \"{text}\"", number + 1, entries.len())
        }
        None => format!("{line}, and the image has no step for it"),
    }
}
