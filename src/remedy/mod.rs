//! What to write instead: a multi-stage Dockerfile made from the user's own and from what the image proves.
//!
//! The stage that was built stays as it is, since it is known to build; a last stage is added that takes from it what the
//! command needs. `evidence` says what that is, `base` chooses what it stands on, `select` what is copied, `write`
//! makes the text. What can not be proved is refused with the reason. Nothing here starts a builder.

mod base;
mod evidence;
mod select;
mod write;

use crate::{
    catalogue::Catalogue,
    dockerfile::File,
    inventory::Inventory,
    model::{Family, Finding, ImageInfo, Severity},
};

pub use crate::catalogue::Runs;

/// What came of an attempt to rewrite a Dockerfile.
#[derive(Clone, Debug, PartialEq)]
pub enum Fix {
    /// There is a better one.
    Rewritten(Box<Rewrite>),
    /// Nothing worth a change is to be won; why.
    Nothing(String),
    /// It can not be done surely; why.
    Refused(String),
}

/// A rewritten Dockerfile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rewrite {
    /// The whole file.
    pub dockerfile: String,
    /// What was changed, in the order of the file.
    pub changes: Vec<Change>,
    /// The image that the last stage was built upon.
    pub from: String,
    /// The image that it is built upon now.
    pub to: String,
    /// Bytes of all files in all layers, before.
    pub before: u64,
    /// Bytes that are copied or installed on top of the new base.
    pub added: u64,
    /// Bytes of the new base, if it could be read.
    pub base: Option<u64>,
}

impl Rewrite {
    /// Bytes of all files in all layers that are expected, where the new base is known.
    pub fn after(&self) -> Option<u64> {
        self.base.map(|base| base.saturating_add(self.added))
    }
}

/// One change, for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Line of the old file that it is about; `None` for what is new.
    pub line: Option<u32>,
    /// What.
    pub what: String,
    /// Why, by what was seen.
    pub why: String,
}

/// The image to be mended, with everything that is known of it.
pub struct Subject<'a> {
    /// Manifest and configuration, as they are.
    pub image: &'a ImageInfo,
    /// Its files.
    pub inventory: &'a Inventory,
    /// What was found in it.
    pub findings: &'a [Finding],
    /// Its Dockerfile.
    pub file: &'a File,
    /// The stage that was built, if it was said.
    pub target: Option<&'a str>,
    /// The rules.
    pub catalogue: &'a Catalogue,
}

/// Reads an image by its name, as far as it is at hand: what is known of a new base is then certain.
pub type ReadBase<'a> = dyn Fn(&str) -> Option<Inventory> + 'a;

/// Bytes below which a rewrite is not worth it when no finding goes with them.
const WORTH: u64 = 20_000_000;

/// Rewrites the Dockerfile of an image.
pub fn fix(subject: &Subject<'_>, read_base: &ReadBase<'_>) -> Fix {
    match try_fix(subject, read_base) {
        Ok(rewrite) => Fix::Rewritten(Box::new(rewrite)),
        // What needs no change needs no reason why it can not be made.
        Err(Stop::Refused(_)) if evidence::gone(subject).next().is_none() && !is_other_stage(subject) => {
            Fix::Nothing(CLEAN.to_string())
        }
        Err(Stop::Nothing(why)) => Fix::Nothing(why),
        Err(Stop::Refused(why)) => Fix::Refused(why),
    }
}

/// Whether the image is a stage that was not meant to ship.
fn is_other_stage(subject: &Subject<'_>) -> bool {
    subject.findings.iter().any(|finding| finding.family == Family::WrongStage && finding.severity > Severity::Note)
}

/// What is said of an image that another stage would keep nothing out of.
const CLEAN: &str = "the image has no build tool, dev dependency, source or cache at medium or above that another stage \
                     would keep out";

/// Why there is no rewrite.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Stop {
    Nothing(String),
    Refused(String),
}

impl Stop {
    fn refused<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(why.into()))
    }
}

fn try_fix(subject: &Subject<'_>, read_base: &ReadBase<'_>) -> Result<Rewrite, Stop> {
    let evidence = evidence::collect(subject)?;
    let wanted = select::select(subject, &evidence)?;
    let chosen = base::choose(subject, &evidence, &wanted)?;
    let known = read_base(&chosen.image);
    let packages = select::packages(subject, &wanted, &chosen, known.as_ref());
    if let Some(known) = &known {
        base::check(&evidence, &chosen, known)?;
    }
    let copied: u64 = wanted.picks.iter().map(|pick| pick.bytes).sum();
    let installed = select::installed_bytes(subject, &packages, known.as_ref());
    let before = subject.inventory.layers().iter().map(|layer| layer.payload_bytes).sum();
    let mut rewrite = Rewrite {
        from: evidence.base.clone(),
        to: chosen.image.clone(),
        before,
        added: copied.saturating_add(installed),
        base: known.as_ref().map(|known| known.layers().iter().map(|layer| layer.payload_bytes).sum()),
        ..Rewrite::default()
    };
    worth(subject, &rewrite)?;
    write::write(subject, &evidence, &wanted, &chosen, &packages, &mut rewrite);
    match File::parse(&rewrite.dockerfile) {
        Ok(_) => Ok(rewrite),
        Err(error) => Stop::refused(format!("the rewritten file would not parse, which is a bug in offcut: {error}")),
    }
}

/// Whether the rewrite wins anything.
fn worth(subject: &Subject<'_>, rewrite: &Rewrite) -> Result<(), Stop> {
    let saved = rewrite.after().map(|after| rewrite.before.saturating_sub(after));
    if evidence::gone(subject).next().is_none() && saved.is_none_or(|saved| saved < WORTH) {
        return Err(Stop::Nothing(CLEAN.to_string()));
    }
    if saved == Some(0) {
        return Err(Stop::Nothing("the rewritten image would not be smaller".to_string()));
    }
    Ok(())
}
