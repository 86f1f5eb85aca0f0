//! Examples that are built from a Dockerfile: each step that makes files is a layer, and the history is what BuildKit writes.

use std::collections::BTreeMap;

use super::{NOW, image, layer};
use crate::{
    attribution::{self, lines::Lines, told::Dockerfile},
    catalogue::{Catalogue, Example},
    dockerfile::{BuildArgs, File, Instruction, Keyword, Parent},
    inventory::Inventory,
    model::{Finding, History, ImageConfig, ImageInfo, ImagePath, LayerInfo, Whiteout},
    rule::{Written, judge_written},
};

/// What the rules say of the example. Without a Dockerfile that builders take there is nothing to be judged.
pub(super) fn judge(catalogue: &Catalogue, example: &Example, text: &str) -> Vec<Finding> {
    let Some(Built { inventory, image, dockerfile, lines }) = built(catalogue, example, text) else {
        return Vec::new();
    };
    let written = Written { dockerfile: &dockerfile, lines: &lines };
    judge_written(catalogue, &inventory, &image, Some(&written), NOW).findings
}

/// An image and its Dockerfile.
pub(in crate::rule) struct Built {
    pub(in crate::rule) inventory: Inventory,
    pub(in crate::rule) image: ImageInfo,
    pub(in crate::rule) dockerfile: Dockerfile,
    pub(in crate::rule) lines: Lines,
}

/// Builds the example's stage.
pub(in crate::rule) fn built(catalogue: &Catalogue, example: &Example, text: &str) -> Option<Built> {
    let file = File::parse(text).ok()?;
    let stage = file.target(example.target.as_deref())?;
    let (chain, parent) = file.chain(stage, &BuildArgs::new());
    let steps: Vec<&Instruction> = chain
        .iter()
        .rev()
        .filter_map(|&stage| file.stages().get(stage))
        .filter_map(|stage| file.instructions().get(stage.body.clone()))
        .flatten()
        .collect();
    let base = History { created_by: "debootstrap".to_string(), ..History::default() };
    let base = (parent != Parent::Scratch).then_some(base);
    let history: Vec<History> = base.iter().cloned().chain(steps.iter().map(|step| entry(step))).collect();
    let makers: Vec<u32> = steps.iter().filter(|step| makes_layer(step)).map(|step| step.first_line).collect();

    let mut layers: Vec<_> = base.iter().map(|_| layer(catalogue, &of_line(example, None))).collect();
    layers.extend(makers.iter().map(|&line| {
        let mut facts = layer(catalogue, &of_line(example, Some(line)));
        let deleted = example.files.iter().filter(|file| file.deleted == Some(line));
        facts.whiteouts = deleted.map(|file| Whiteout::Path(ImagePath::from(file.path.as_str()))).collect();
        facts
    }));
    let mut image = image(example);
    let with_layer = history.iter().filter(|entry| !entry.empty_layer).cloned();
    image.layers = with_layer.map(|entry| LayerInfo { history: Some(entry), ..LayerInfo::default() }).collect();
    image.config.get_or_insert_with(ImageConfig::default).history = history;
    let target = example.target.as_deref().filter(|_| example.target_given);
    let dockerfile = Dockerfile::parsed("Dockerfile", file, target);
    let lines = dockerfile.lines(&image, &attribution::attribute(&image, &[]));
    Some(Built { inventory: Inventory::build(layers), image, dockerfile, lines })
}

/// The part of an example that one layer has; what is no file is in the base image.
fn of_line(example: &Example, line: Option<u32>) -> Example {
    let files = example.files.iter().filter(|file| file.line == line).cloned().collect();
    match line {
        None => Example { files, ..example.clone() },
        Some(_) => Example { files, ..Example::default() },
    }
}

/// What BuildKit writes of a step.
fn entry(step: &Instruction) -> History {
    let text = step.logical.text().trim();
    let keyword = step.statement.keyword.map_or("", Keyword::word);
    let mut rest = text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
    while let Some((_, behind)) = rest.split_once(char::is_whitespace).filter(|(flag, _)| flag.starts_with("--")) {
        rest = behind.trim_start();
    }
    let created_by = match step.statement.keyword {
        Some(Keyword::Run) => format!("RUN /bin/sh -c {rest} # buildkit"),
        Some(Keyword::Add | Keyword::Copy) => format!("{keyword} {rest} # buildkit"),
        _ => format!("{keyword} {rest}"),
    };
    let comment = "buildkit.dockerfile.v0".to_string();
    History { created_by, comment, empty_layer: !makes_layer(step), ..History::default() }
}

fn makes_layer(step: &Instruction) -> bool {
    matches!(step.statement.keyword, Some(Keyword::Run | Keyword::Add | Keyword::Copy))
}

/// The lines that an example names and that make no layer.
pub(in crate::rule) fn strange_lines(example: &Example, text: &str) -> Vec<u32> {
    let Ok(file) = File::parse(text) else { return Vec::new() };
    let makers: BTreeMap<u32, bool> =
        file.instructions().iter().map(|step| (step.first_line, makes_layer(step))).collect();
    let named = example.files.iter().flat_map(|file| [file.line, file.deleted]).flatten();
    named.filter(|line| makers.get(line) != Some(&true)).collect()
}
