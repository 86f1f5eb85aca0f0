//! The shell scripts of an instruction: the command of its shell form, and the documents that a shell reads.

use super::{
    file::File,
    instruction::{Command, CommandLine, Instruction},
    logical::Logical,
    shell::{self, Simple},
    span::Span,
};

/// Programs that read a document as a script.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "ksh", "zsh"];

/// A script, and the way back from a place in it to the file.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    /// Its text; for a command, as builders join it.
    pub text: &'a str,
    origin: Origin<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Origin<'a> {
    /// The joined text of an instruction, from an offset on.
    Joined(&'a Logical, usize),
    /// The file, from an offset on.
    File(usize),
}

impl Script<'_> {
    /// Its simple commands, with places in its text.
    pub fn commands(&self) -> Vec<Simple> {
        shell::commands(self.text)
    }

    /// The place in the file of a place in its text.
    pub fn span(&self, span: Span) -> Span {
        match self.origin {
            Origin::Joined(logical, offset) => logical.span(offset + span.start..offset + span.end),
            Origin::File(offset) => Span::new(offset + span.start, offset + span.end),
        }
    }
}

impl File {
    /// The scripts that an instruction runs when the image is built or started; none for the exec form.
    pub fn scripts<'a>(&'a self, instruction: &'a Instruction) -> Vec<Script<'a>> {
        let line = match &instruction.inner().command {
            Command::Run(line) | Command::Cmd(line) | Command::Entrypoint(line) | Command::Healthcheck(Some(line)) => {
                line
            }
            _ => return Vec::new(),
        };
        let CommandLine::Shell(word) = line else { return Vec::new() };
        let documents = instruction.heredocs.iter().filter_map(|heredoc| {
            let text = self.at(heredoc.body);
            is_for_shell(text).then_some((heredoc.mark, Script { text, origin: Origin::File(heredoc.body.start) }))
        });
        if let [only] = instruction.heredocs.as_slice()
            && only.mark == word.span
        {
            return documents.map(|(_, script)| script).collect();
        }
        let joined = instruction.logical.text().trim_end();
        let offset = joined.len().saturating_sub(word.text.len());
        let text = joined.get(offset..).unwrap_or_default();
        let command = Script { text, origin: Origin::Joined(&instruction.logical, offset) };
        let commands = command.commands();
        let is_read = |mark: &Span| {
            commands.iter().any(|simple| {
                let place = command.span(simple.span);
                let name =
                    simple.words.first().map_or("", |(word, _)| word.text.rsplit('/').next().unwrap_or_default());
                // With an argument it runs a file, or `-c`, and the document is its input.
                let has_arguments =
                    simple.words.iter().skip(1).any(|(word, _)| !word.text.starts_with('-') || word.text == "-c");
                place.start <= mark.start && mark.end <= place.end && SHELLS.contains(&name) && !has_arguments
            })
        };
        let documents = documents.filter(|(mark, _)| is_read(mark)).map(|(_, script)| script);
        std::iter::once(command).chain(documents).collect()
    }
}

/// Whether a document has no first line that names another interpreter.
fn is_for_shell(text: &str) -> bool {
    let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) else { return true };
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or_default());
    let program = words.find(|&word| word != "env" && !word.starts_with('-'));
    program.is_some_and(|program| SHELLS.contains(&program))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of each command, as they stand in the file.
    fn told(text: &str) -> Vec<Vec<String>> {
        let file = File::parse(text).unwrap();
        let run = file.instructions().last().unwrap();
        let mut found = Vec::new();
        for script in file.scripts(run) {
            for simple in script.commands() {
                found.push(simple.words.iter().map(|(_, span)| file.at(script.span(*span)).to_string()).collect());
            }
        }
        found
    }

    #[test]
    fn packages_are_found_where_they_stand_in_the_file() {
        let text = "FROM a\nRUN --mount=type=cache,target=/x apt-get update \\\n # why\n && apt-get install -y \\\n    gcc \\\n\n    \"make\" \t\n";
        let expected: [&[&str]; 2] = [&["apt-get", "update"], &["apt-get", "install", "-y", "gcc", "\"make\""]];
        assert_eq!(told(text), expected);
    }

    #[test]
    fn documents_are_scripts_where_a_shell_reads_them() {
        assert_eq!(told("FROM a\nRUN <<EOF\nset -e\nx y\nEOF\n"), [vec!["set", "-e"], vec!["x", "y"]]);
        assert_eq!(told("FROM a\nRUN <<EOF\n#!/usr/bin/env bash\nx\nEOF\n"), [["x"]]);
        assert!(told("FROM a\nRUN <<EOF\n#!/usr/bin/python3\nx()\nEOF\n").is_empty());
        assert_eq!(
            told("FROM a\nRUN bash -e <<A && cat <<B > /x\nin\nA\nno\nB\n"),
            [vec!["bash", "-e"], vec!["cat"], vec!["in"]]
        );
        assert_eq!(told("FROM a\nHEALTHCHECK CMD curl -f x || exit 1\n"), [vec!["curl", "-f", "x"], vec!["exit", "1"]]);
        assert!(told("FROM a\nRUN [\"x\", \"y\"]\n").is_empty());
        assert_eq!(told("FROM a\nONBUILD RUN x y\n"), [["x", "y"]]);
    }
}
