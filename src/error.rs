//! Errors: what stops a run, so that nothing was judged.
//!
//! A finding is about the image and a diagnostic about a part that could not be read; neither is an error.

use std::fmt;

/// Whose fault an error is; decides the exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The command line, a policy file or another setting: exit code 2.
    Usage,
    /// The image, the engine or a limit: nothing could be judged, exit code 3.
    Judge,
}

/// Why a run stopped: what could not be done, the causes, and what to try.
///
/// All texts are lower case, without a full stop, and quote what they speak of. Bytes that came from an image are
/// escaped by whoever puts them into a text ([`crate::model::path::escape`]).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// Whose fault it is.
    pub fault: Fault,
    /// What could not be done, such as `can not read layer 3 of "shop/api:1.4"`.
    pub what: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to try.
    pub help: Option<String>,
}

/// A result whose error stops the run.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The command line or a setting is wrong.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { fault: Fault::Usage, what: what.into(), causes: Vec::new(), help: None }
    }

    /// The image could not be judged.
    pub fn judge(what: impl Into<String>) -> Self {
        Self { fault: Fault::Judge, what: what.into(), causes: Vec::new(), help: None }
    }

    /// Adds a cause below the ones already there.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Says what to try; the innermost advice wins.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// Puts a wider description in front: the old one becomes the first cause.
    #[must_use]
    pub fn context(mut self, what: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.what, what.into());
        self.causes.insert(0, inner);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
