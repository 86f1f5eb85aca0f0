//! Which variables an instruction sees: `ARG`, `ENV`, and those of the base image.
//!
//! An `ARG` before the first `FROM` is seen by `FROM` alone, until a stage declares it again. `ENV` beats `ARG`. A stage
//! that is built on a stage of the same file begins with the variables of that one.

use std::collections::BTreeMap;

use super::{
    expand::{self, Expanded, Style, Var},
    file::File,
    instruction::{Command, Statement},
    stage::Parent,
};

/// Arguments that builders set themselves.
/// Source: <https://docs.docker.com/build/building/variables/#multi-platform-build-arguments>
const PLATFORM_ARGS: [&str; 9] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
];

/// Longest value that is kept, in bytes; a longer one counts as not known.
const VALUE_MAX: usize = 8 * 1024;

/// Most bytes of values that are made: `ENV B=$A$A$A` in many lines. Behind that nothing more is known.
const SPENT_MAX: usize = 4 * 1024 * 1024;

/// The values given with `--build-arg`.
pub type BuildArgs = BTreeMap<String, String>;

/// The variables at one place of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    escape: char,
    args: &'a BuildArgs,
    global: BTreeMap<String, Var>,
    vars: BTreeMap<String, Held>,
    /// The base image's variables, where they are known.
    base: Option<BTreeMap<String, String>>,
    /// Where builders disagree, nothing is known.
    is_careful: bool,
    /// Bytes of values that were made.
    spent: usize,
}

#[derive(Clone, Debug)]
struct Held {
    value: Var,
    is_env: bool,
}

impl<'a> Scope<'a> {
    /// What `FROM` sees: the arguments before the first one.
    pub fn global(file: &File, args: &'a BuildArgs) -> Self {
        let mut scope = Self {
            escape: file.escape(),
            args,
            global: BTreeMap::new(),
            vars: BTreeMap::new(),
            base: Some(BTreeMap::new()),
            is_careful: false,
            spent: 0,
        };
        for name in PLATFORM_ARGS {
            let value = args.get(name).map_or(Var::Unknown, |value| Var::Set(Expanded::text(value)));
            scope.vars.insert(name.to_string(), Held { value, is_env: false });
        }
        for instruction in file.instructions().iter().take_while(|one| one.stage.is_none()) {
            let Command::Arg(definitions) = &instruction.statement.command else { continue };
            for definition in definitions {
                let name = &definition.name.text;
                let given = args.get(name).map(|value| Var::Set(Expanded::text(value)));
                let default = definition.default.as_ref();
                if let Some(value) = given.or_else(|| default.map(|default| scope.value(&default.text))) {
                    scope.hold(name, value, false);
                }
            }
        }
        scope
    }

    /// What a stage sees before its first instruction. `base` are the variables of the image it starts from, if known.
    pub fn stage(&self, base: Option<BTreeMap<String, String>>) -> Self {
        let global = self.vars.iter().map(|(name, held)| (name.clone(), held.value.clone())).collect();
        Self { global, vars: BTreeMap::new(), base, ..self.clone() }
    }

    /// The same, with nothing known of what another build may have been given: an `ARG` whose value is not among the
    /// arguments; and where builders are at odds: an `ARG` behind an `ENV` of its name, or of the stage below.
    pub fn careful(mut self) -> Self {
        self.is_careful = true;
        self
    }

    /// What the stage sees behind its last instruction, with those that it is built upon.
    pub fn of_stage(file: &File, stage: usize, args: &'a BuildArgs) -> Self {
        let (chain, parent) = file.chain(stage, args);
        let mut scope = Self::global(file, args).stage((parent == Parent::Scratch).then(BTreeMap::new));
        for stage in chain.into_iter().rev().filter_map(|number| file.stages().get(number)) {
            for instruction in file.instructions().get(stage.body.clone()).unwrap_or_default() {
                scope.apply(&instruction.statement);
            }
        }
        scope
    }

    /// Takes in what an instruction sets.
    pub fn apply(&mut self, statement: &Statement) {
        match &statement.command {
            Command::Arg(definitions) => {
                for definition in definitions {
                    let name = &definition.name.text;
                    let value = match (self.args.get(name), &definition.default) {
                        (Some(given), _) => Some(Var::Set(Expanded::text(given))),
                        (None, _) if self.is_careful => Some(Var::Unknown),
                        (None, Some(default)) => Some(self.value(&default.text)),
                        (None, None) => self.global.get(name).cloned(),
                    };
                    self.declare(name, value);
                }
            }
            Command::Env(pairs) => {
                // All values of one instruction see what was set before it.
                let values: Vec<Var> = pairs.iter().map(|pair| self.value(&pair.value.text)).collect();
                for (pair, value) in pairs.iter().zip(values) {
                    let name = self.value(&pair.name.text);
                    let Var::Set(name) = name else { continue };
                    let name = name.known().unwrap_or(&pair.name.text).to_string();
                    self.hold(&name, value, true);
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, name: &str, value: Option<Var>) {
        let Some(value) = value else { return };
        match self.vars.get_mut(name) {
            Some(held) if held.is_env => {
                if self.is_careful && held.value != value {
                    held.value = Var::Unknown;
                }
            }
            _ => self.hold(name, value, false),
        }
    }

    fn hold(&mut self, name: &str, value: Var, is_env: bool) {
        let bytes = if let Var::Set(value) = &value { value.bytes() } else { 0 };
        let value = if bytes <= VALUE_MAX { value } else { Var::Unknown };
        self.vars.insert(name.to_string(), Held { value, is_env });
    }

    /// Forgets the arguments' values, as another stage begins.
    pub fn leave_stage(&mut self) {
        if self.is_careful {
            self.vars.values_mut().filter(|held| !held.is_env).for_each(|held| held.value = Var::Unknown);
        }
    }

    /// What is known of a variable.
    pub fn get(&self, name: &str) -> Var {
        match (self.vars.get(name), &self.base) {
            (Some(held), _) => held.value.clone(),
            (None, Some(base)) => base.get(name).map_or(Var::Unset, |value| Var::Set(Expanded::text(value))),
            (None, None) => Var::Unknown,
        }
    }

    /// Expands a word.
    ///
    /// # Errors
    /// What is wrong with the word.
    pub fn expand(&self, word: &str) -> Result<Expanded, String> {
        expand::expand(word, Style::plain(self.escape), &|name| self.get(name))
    }

    /// The value of a word; what can not be read is not known.
    fn value(&mut self, word: &str) -> Var {
        if self.spent > SPENT_MAX {
            return Var::Unknown;
        }
        let value = self.expand(word).map_or(Var::Unknown, Var::Set);
        // One that could not be read may have been too long.
        self.spent = self.spent.saturating_add(if let Var::Set(value) = &value { value.bytes() } else { VALUE_MAX });
        value
    }
}
