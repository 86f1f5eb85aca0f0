//! What a shell knows when it runs a command: variables, arguments and the directory it is in.
//!
//! Expands words as far as that is certain; a word of which a part is unknown has no value.

use std::collections::HashMap;

use super::walk::literal;
use crate::model::{ImageConfig, LITERAL_DOLLAR, PATH_DEFAULT, path};

/// Values of one variable that are told apart.
const VALUES_MAX: usize = 6;

/// Variables in the values of variables that are followed.
const DEPTH_MAX: usize = 4;

/// Longest text of an expanded word, in bytes; variables can hold each other many times.
const TEXT_MAX: usize = 4096;

/// Variables, arguments and directory of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Env {
    /// Every value that a variable may have, as it was written.
    pub vars: HashMap<String, Vec<String>>,
    /// What `$@` may stand for, the likeliest first; never empty within a script.
    pub args: Vec<Vec<String>>,
    /// `$0`.
    pub script: String,
    /// Cleaned path of the working directory.
    pub cwd: Vec<u8>,
    /// Directories that a package manager puts before `PATH`.
    pub bins: Vec<Vec<u8>>,
}

impl Env {
    /// What the engine gives to the first program.
    pub fn of(config: &ImageConfig) -> Self {
        let vars = config.env.iter().filter_map(|line| line.split_once('='));
        let literal = |text: &str| vec![text.replace('$', &LITERAL_DOLLAR.to_string())];
        Self {
            vars: vars.map(|(name, value)| (name.to_string(), literal(value))).collect(),
            cwd: path::clean(config.working_dir.as_bytes()),
            ..Self::default()
        }
    }

    /// Notes that a variable may have this value; earlier ones may hold as well, since branches are not followed.
    pub fn assign(&mut self, name: &str, value: &str) {
        let own = [format!("${name}"), format!("${{{name}}}")];
        // `PATH=/opt/bin:$PATH` would never end.
        let value = if own.iter().any(|own| value.contains(own)) {
            match self.single(name) {
                Some(old) if old.len() + value.len() <= TEXT_MAX / 4 => {
                    own.iter().fold(value.to_string(), |text, own| text.replace(own, &old))
                }
                _ => own.iter().fold(value.to_string(), |text, own| text.replace(own, "")),
            }
        } else {
            value.to_string()
        };
        let values = self.vars.entry(name.to_string()).or_default();
        if values.len() < VALUES_MAX && !values.contains(&value) && value.len() <= TEXT_MAX {
            values.push(value);
        }
    }

    /// The value of a variable that has one only.
    pub fn value(&self, name: &str) -> Option<String> {
        self.text(&self.single(name)?, 0)
    }

    fn single(&self, name: &str) -> Option<String> {
        match self.vars.get(name)?.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// Every value that a word which is nothing but a variable may have, each as far as it is known; `None` for
    /// any other word.
    pub fn values(&self, word: &str) -> Option<Vec<Option<String>>> {
        let name = word.strip_prefix('$')?;
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        let values = self.vars.get(name)?;
        Some(values.iter().map(|value| self.text(value, 0)).collect())
    }

    /// The directories of `PATH`, as cleaned paths.
    pub fn path(&self) -> Vec<Vec<u8>> {
        let values = self.vars.get("PATH").map(Vec::as_slice).unwrap_or_default();
        let known = values.iter().filter_map(|value| self.text(value, 0)).collect::<Vec<_>>();
        let texts = if known.is_empty() { vec![PATH_DEFAULT.to_string()] } else { known };
        let dirs = texts.iter().flat_map(|text| text.split(':'));
        self.bins.iter().cloned().chain(dirs.map(|dir| self.absolute(dir.as_bytes()))).collect()
    }

    /// A path as seen from the working directory, cleaned.
    pub fn absolute(&self, word: &[u8]) -> Vec<u8> {
        if word.starts_with(b"/") { path::clean(word) } else { path::clean(&[&self.cwd[..], b"/", word].concat()) }
    }

    /// The value of a word; `None` if a part of it is not known.
    pub fn word(&self, word: &str) -> Option<String> {
        self.text(word, 0).map(|text| text.replace(LITERAL_DOLLAR, "$"))
    }

    /// Words as the program gets them; one that has no value is shown as it was written.
    pub fn shown(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.word(word).unwrap_or_else(|| word.clone())).collect()
    }

    /// Words with their values in place, for a script that reads them again; one that has none stays as it was written.
    pub fn known<'w>(&self, words: impl IntoIterator<Item = &'w String>) -> Vec<String> {
        words.into_iter().map(|word| self.word(word).map_or_else(|| word.clone(), literal)).collect()
    }

    /// The arguments that `$@` in a command stands for: the command once for each possibility.
    pub fn arguments(&self, command: &[String]) -> Vec<Vec<String>> {
        let all = |word: &String| matches!(word.as_str(), "$@" | "$*" | "${@}" | "${*}");
        if !command.iter().any(all) {
            return vec![command.to_vec()];
        }
        let none = [Vec::new()];
        let args = if self.args.is_empty() { &none[..] } else { &self.args };
        let fill = |args: &Vec<String>| {
            let words = command.iter().flat_map(|word| if all(word) { args.clone() } else { vec![word.clone()] });
            words.collect::<Vec<_>>()
        };
        let mut filled: Vec<_> = args.iter().map(fill).filter(|command| !command.is_empty()).collect();
        filled.dedup();
        filled
    }

    fn text(&self, word: &str, depth: usize) -> Option<String> {
        let mut out = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (value, left) = self.variable(after, depth)?;
            out.push_str(&value);
            rest = left;
            if out.len() > TEXT_MAX {
                return None;
            }
        }
        out.push_str(rest);
        Some(out)
    }

    /// The value of the variable whose name a text begins with, and what stands behind it.
    fn variable<'t>(&self, text: &'t str, depth: usize) -> Option<(String, &'t str)> {
        if depth >= DEPTH_MAX {
            return None;
        }
        if let Some(inner) = text.strip_prefix('{') {
            let end = matching_brace(inner)?;
            let (inner, rest) = (inner.get(..end)?, inner.get(end + 1..)?);
            return Some((self.braces(inner, depth)?, rest));
        }
        let len = match text.bytes().next()? {
            b if b.is_ascii_alphabetic() || b == b'_' => {
                text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count()
            }
            b if b.is_ascii_digit() => 1,
            _ => return None,
        };
        let (name, rest) = text.split_at_checked(len)?;
        Some((self.named(name, depth)?, rest))
    }

    /// `${NAME}` and `${NAME:-default}`; other forms have no value.
    fn braces(&self, inner: &str, depth: usize) -> Option<String> {
        let len = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let (name, rest) = inner.split_at_checked(len)?;
        if rest.is_empty() {
            return self.named(name, depth);
        }
        let default = [":-", "-", ":=", "="].iter().find_map(|sign| rest.strip_prefix(sign))?;
        match self.vars.contains_key(name) {
            true => self.named(name, depth),
            false => self.text(default, depth + 1),
        }
    }

    fn named(&self, name: &str, depth: usize) -> Option<String> {
        if let Ok(number) = name.parse::<usize>() {
            return match number.checked_sub(1) {
                None => Some(self.script.clone()),
                Some(at) => self.args.first()?.get(at).cloned(),
            };
        }
        if name == "PWD" && !self.vars.contains_key(name) {
            return Some(format!("/{}", String::from_utf8_lossy(&self.cwd)));
        }
        self.text(&self.single(name)?, depth + 1)
    }
}

/// Where the brace closes that was open before the text.
fn matching_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        let config = ImageConfig {
            env: ["A=one", "PATH=/opt/bin:/bin", "PRICE=5$A"].map(str::to_string).to_vec(),
            working_dir: "/srv/app/".to_string(),
            ..ImageConfig::default()
        };
        Env { script: "/run.sh".to_string(), args: vec![vec!["x".to_string(), "y".to_string()]], ..Env::of(&config) }
    }

    #[test]
    fn words_are_expanded_as_far_as_they_are_certain() {
        let mut env = env();
        env.assign("B", "$A-two");
        env.assign("C", "a");
        env.assign("C", "b");
        env.assign("LOOP", "$POOL");
        env.assign("POOL", "$LOOP");
        for (word, want) in [
            ("plain", Some("plain")),
            ("$A/x", Some("one/x")),
            ("${B}", Some("one-two")),
            ("${D:-$A}", Some("one")),
            ("${A:-no}", Some("one")),
            ("$2 of $0", Some("y of /run.sh")),
            ("$PRICE", Some("5$A")),
            ("\u{1}A", Some("$A")),
            ("$PWD/x", Some("/srv/app/x")),
            ("$C", None),
            ("$D", None),
            ("${A#o}", None),
            ("$()", None),
            ("${A", None),
            ("$LOOP", None),
            ("$9", None),
        ] {
            assert_eq!(env.word(word).as_deref(), want, "{word}");
        }
        assert_eq!(env.values("$C"), Some(vec![Some("a".to_string()), Some("b".to_string())]));
    }

    #[test]
    fn a_path_that_is_prolonged_keeps_its_directories() {
        let mut env = env();
        env.assign("PATH", "/new:$PATH");
        let dirs: Vec<_> = env.path().iter().map(|dir| String::from_utf8_lossy(dir).into_owned()).collect();
        assert_eq!(dirs, ["opt/bin", "bin", "new", "opt/bin", "bin"]);
        assert_eq!(Env::default().path().len(), 6);
    }

    #[test]
    fn all_arguments_stand_for_every_possibility() {
        let mut env = env();
        env.args.push(vec!["node".to_string(), "x".to_string()]);
        let command = ["exec".to_string(), "$@".to_string()];
        assert_eq!(env.arguments(&command), [vec!["exec", "x", "y"], vec!["exec", "node", "x"]]);
        assert_eq!(Env::default().arguments(&command), [["exec"]]);
    }

    #[test]
    fn variables_that_hold_each_other_do_not_grow() {
        let mut env = Env::default();
        for (name, value) in [("A", "x".repeat(4000)), ("B", "$A$A".to_string()), ("C", "$B$B".to_string())] {
            env.assign(name, &value);
        }
        assert_eq!(env.word("$C"), None);
    }
}
