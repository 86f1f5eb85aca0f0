//! What scripts and programs written in an interpreted language say they start and load.
//!
//! Words as they are written: nothing is resolved here, since one file does not know the others.

use serde::{Deserialize, Serialize};

/// Stands in a word of a [`Script`] for a `$` that the shell takes literally (`'$x'`, `\$x`).
///
/// A plain `$` in such a word begins a variable. The character is a control code that no command holds.
pub const LITERAL_DOLLAR: char = '\u{1}';

/// What a script starts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// The words behind `#!`; empty where there is no such line.
    pub shebang: Vec<String>,
    /// Whether the `#!` line ends in a carriage return, which the kernel takes for a part of its last word.
    pub crlf: bool,
    /// The simple commands of a shell script, in order, without quotes; see [`LITERAL_DOLLAR`].
    pub commands: Vec<Vec<String>>,
    /// `NAME=value` of a shell script, in order.
    pub assigns: Vec<(String, String)>,
    /// Functions that a shell script defines.
    pub functions: Vec<String>,
    /// Words that `[`, `[[`, `test` or `case` compare with, each with the number of commands in front of it.
    pub compared: Vec<(String, usize)>,
    /// Why the commands are not all there is: too long, another language, text that is executed.
    pub unread: Option<String>,
}

/// What a file of JavaScript, TypeScript or Python loads and starts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Imports {
    /// What is loaded by a literal name, as it is written, sorted: `./routes`, `express`; `.models`, `flask.json`.
    pub modules: Vec<String>,
    /// Commands that are started by a literal: one text for a shell, or a program and its first arguments.
    pub commands: Vec<Vec<String>>,
    /// Why more modules may be loaded: a computed name, a file that was not read.
    pub more_modules: Option<String>,
    /// Why more programs may be started.
    pub more_programs: Option<String>,
}
