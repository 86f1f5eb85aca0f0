//! The stages of a Dockerfile, and what each takes from the others.

use std::{collections::HashMap, ops::Range};

use super::{
    expand::Expanded,
    file::File,
    instruction::{Command, Instruction, Statement},
    scope::{BuildArgs, Scope},
    span::Span,
};

/// A stage: a `FROM` and what follows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stage {
    /// Its name in lower case.
    pub name: Option<String>,
    /// The number of its `FROM` among the instructions.
    pub from: usize,
    /// The numbers of the instructions behind its `FROM`.
    pub body: Range<usize>,
    /// What it is built upon.
    pub parent: Parent,
}

/// What a stage is built upon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Parent {
    /// A stage above it.
    Stage(usize),
    /// An image, as it is written; variables are not expanded.
    Image(String),
    /// Nothing.
    Scratch,
}

/// Something that a stage takes from elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The stage that takes it.
    pub user: usize,
    /// The number of the instruction.
    pub instruction: usize,
    /// From where.
    pub source: LinkSource,
    /// How.
    pub kind: LinkKind,
    /// Where the source is named.
    pub span: Span,
}

/// Where something is taken from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LinkSource {
    /// A stage of the file.
    Stage(usize),
    /// An image, or a context that has a name.
    Image(String),
}

/// How something is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkKind {
    /// `FROM`
    From,
    /// `COPY --from`
    Copy,
    /// `RUN --mount=from=`
    Mount,
}

/// The stages of each name, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct StageNames(HashMap<String, Vec<usize>>);

impl StageNames {
    /// The last stage of a name among the lowest `count`.
    fn find(&self, name: &str, count: usize) -> Option<usize> {
        let stages = self.0.get(&name.to_lowercase())?;
        let before = stages.partition_point(|&stage| stage < count);
        before.checked_sub(1).and_then(|last| stages.get(last)).copied()
    }
}

/// Finds the stages, and tells each instruction which one it is in.
pub(super) fn stages(instructions: &mut [Instruction]) -> (Vec<Stage>, StageNames) {
    let (mut stages, mut names): (Vec<Stage>, _) = (Vec::new(), StageNames::default());
    for (number, instruction) in instructions.iter_mut().enumerate() {
        if let Command::From(base) = &instruction.statement.command {
            let image = base.image.text.as_str();
            let parent = match names.find(image, stages.len()) {
                Some(stage) => Parent::Stage(stage),
                None if image == "scratch" => Parent::Scratch,
                None => Parent::Image(image.to_string()),
            };
            let name = base.name.as_ref().map(|name| name.text.to_lowercase());
            if let Some(name) = &name {
                names.0.entry(name.clone()).or_default().push(stages.len());
            }
            stages.push(Stage { name, from: number, body: number + 1..number + 1, parent });
        }
        if let Some(stage) = stages.last_mut() {
            stage.body.end = number + 1;
        }
        instruction.stage = stages.len().checked_sub(1);
    }
    (stages, names)
}

impl File {
    /// The stage that is built: the last one, or the one of a name or number; `None` if there is no such stage.
    pub fn target(&self, name: Option<&str>) -> Option<usize> {
        let count = self.stages().len();
        let Some(name) = name else { return count.checked_sub(1) };
        self.names().find(name, count).or_else(|| name.parse().ok().filter(|&number| number < count))
    }

    /// What a stage is built upon, with variables expanded: an `ARG` may hold the name of a stage.
    pub fn parent(&self, stage: usize, args: &BuildArgs) -> Option<Parent> {
        self.parent_in(stage, &Scope::global(self, args))
    }

    fn parent_in(&self, stage: usize, global: &Scope<'_>) -> Option<Parent> {
        let written = self.stages().get(stage)?;
        let Parent::Image(image) = &written.parent else { return Some(written.parent.clone()) };
        let name = global.expand(image).unwrap_or_else(|_| Expanded::gap());
        Some(match name.known() {
            Some("scratch") => Parent::Scratch,
            Some(known) => match self.names().find(known, stage) {
                Some(below) => Parent::Stage(below),
                None => Parent::Image(known.to_string()),
            },
            None => Parent::Image(image.clone()),
        })
    }

    /// A stage and those that it is built upon, itself first; and what the lowest is built upon.
    pub fn chain(&self, stage: usize, args: &BuildArgs) -> (Vec<usize>, Parent) {
        let global = Scope::global(self, args);
        let mut chain = vec![stage];
        loop {
            let last = chain.last().copied().unwrap_or(stage);
            match self.parent_in(last, &global) {
                // A parent stands above its child, so this ends.
                Some(Parent::Stage(below)) => chain.push(below),
                Some(parent) => return (chain, parent),
                None => return (chain, Parent::Scratch),
            }
        }
    }

    /// Everything that stages take from stages and images, in the order of the file.
    pub fn links(&self, args: &BuildArgs) -> Vec<Link> {
        let global = Scope::global(self, args);
        let mut links = Vec::new();
        for (user, stage) in self.stages().iter().enumerate() {
            let from = self.instructions().get(stage.from);
            if let (Some(instruction), Some(parent)) = (from, self.parent_in(user, &global)) {
                let source = match parent {
                    Parent::Stage(below) => Some(LinkSource::Stage(below)),
                    Parent::Image(name) => Some(LinkSource::Image(name)),
                    Parent::Scratch => None,
                };
                let span = match &instruction.statement.command {
                    Command::From(base) => base.image.span,
                    _ => instruction.span,
                };
                links.extend(source.map(|source| Link {
                    user,
                    instruction: stage.from,
                    source,
                    kind: LinkKind::From,
                    span,
                }));
            }
            for number in stage.body.clone() {
                let Some(instruction) = self.instructions().get(number) else { continue };
                for (source, kind, span) in self.sources(user, instruction.inner()) {
                    links.push(Link { user, instruction: number, source, kind, span });
                }
            }
        }
        links
    }

    /// What an instruction of a stage takes from elsewhere, its `FROM` left aside.
    pub fn sources(&self, user: usize, statement: &Statement) -> Vec<(LinkSource, LinkKind, Span)> {
        let stages = self.stages();
        let find = |name: &str| self.names().find(name, user).or_else(|| self.names().find(name, stages.len()));
        let named = |name: &str| match find(name) {
            Some(stage) => LinkSource::Stage(stage),
            None => LinkSource::Image(name.to_string()),
        };
        match &statement.command {
            Command::Copy(_) => {
                let flag = statement.flags.iter().find(|flag| flag.name == "from");
                let value = flag.and_then(|flag| Some((flag.value.as_deref()?, flag.value_span?)));
                let source = value.filter(|(name, _)| !name.is_empty()).map(|(name, span)| {
                    let by_number = name.parse().ok().filter(|&number| number < stages.len());
                    (by_number.map_or_else(|| named(name), LinkSource::Stage), LinkKind::Copy, span)
                });
                source.into_iter().collect()
            }
            Command::Run(_) => {
                let flags = statement.flags.iter().filter(|flag| flag.name == "mount");
                let found = flags.filter_map(|flag| {
                    let mount = super::Mount::parse(flag.value.as_deref()?).ok()?;
                    Some((named(mount.from()?), LinkKind::Mount, flag.value_span?))
                });
                found.collect()
            }
            _ => Vec::new(),
        }
    }

    /// Which stages a build of `target` goes through.
    pub fn used_stages(&self, target: usize, args: &BuildArgs) -> Vec<bool> {
        let mut used = vec![false; self.stages().len()];
        let links = self.links(args);
        let mut todo = vec![target];
        while let Some(stage) = todo.pop() {
            match used.get_mut(stage) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            let from = links.partition_point(|link| link.user < stage);
            let own = links.iter().skip(from).take_while(|link| link.user == stage);
            todo.extend(own.filter_map(|link| match link.source {
                LinkSource::Stage(stage) => Some(stage),
                LinkSource::Image(_) => None,
            }));
        }
        used
    }
}
