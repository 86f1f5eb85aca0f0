//! Documents in a Dockerfile: `<<EOF`, `<<-EOF`, `<<"EOF"`.
//!
//! Semantics: BuildKit's `frontend/dockerfile/parser/parser.go`. It looks for marks by its own rules, not by those of a
//! shell: `$(( 1 << 2 ))` starts a document there.

use super::{
    error::Problem,
    expand::{self, Style, Var},
    span::Span,
};

/// A document that follows an instruction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heredoc {
    /// The word that ends it, without quotes.
    pub name: String,
    /// Whether variables in it are expanded: its mark has no quotes.
    pub expands: bool,
    /// Whether tabs at the starts of its lines are dropped (`<<-`).
    pub chomps: bool,
    /// Where its mark stands.
    pub mark: Span,
    /// Its lines, the last line end included.
    pub body: Span,
    /// The line that ends it, without its line end; empty where it is missing.
    pub end: Span,
}

/// What a mark says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) expands: bool,
    pub(super) chomps: bool,
}

/// Reads a word as a mark; `None` if it is none.
///
/// # Errors
/// When it begins as one and its name can not be read.
pub(super) fn mark(word: &str) -> Result<Option<Mark>, String> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix("<<") else { return Ok(None) };
    let (rest, chomps) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let rest = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let split = |keeps_quotes| {
        let style = Style { escape: '\\', keeps_quotes, keeps_escapes: false, keeps_unset: true };
        expand::split(rest, style, &|_| Var::Unset)
    };
    let words = split(false)?;
    let [(_, name)] = words.as_slice() else { return Ok(None) };
    let written = split(true)?;
    let quotes = |text: &str| text.chars().filter(|c| matches!(c, '\'' | '"')).count();
    let [(_, written)] = written.as_slice() else { return Ok(None) };
    Ok(Some(Mark { name: name.clone(), expands: quotes(name) == quotes(written), chomps }))
}

/// The names of the documents that belong to a line, as it stands in a history: without them, and without a keyword.
pub(crate) fn documents(line: &str) -> Vec<String> {
    marks(line).unwrap_or_default().into_iter().map(|(_, _, mark)| mark.name).collect()
}

/// The marks of an instruction's joined text, with their offsets. A line that can not be read as words has none.
pub(super) fn marks(line: &str) -> Result<Vec<(usize, usize, Mark)>, Problem> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let style = Style { escape: '\\', keeps_quotes: true, keeps_escapes: true, keeps_unset: true };
    let mut found = Vec::new();
    for (at, word) in expand::split(line, style, &|_| Var::Unset).unwrap_or_default() {
        let end = (at + word.len()).min(line.len());
        if let Some(mark) = mark(&word).map_err(|text| Problem::new(at, text))? {
            found.push((at, end, mark));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_as_buildkit_finds_them() {
        let names = |line: &str| -> Vec<String> {
            marks(line)
                .unwrap()
                .into_iter()
                .map(|(_, _, mark)| format!("{}{}{}", mark.name, mark.expands, mark.chomps))
                .collect()
        };
        assert_eq!(names("RUN <<EOF"), ["EOFtruefalse"]);
        assert_eq!(names("RUN 3<<-'E' cat <<\"A B\" > x"), ["Efalsetrue", "A Bfalsefalse"]);
        assert_eq!(names("COPY << one <<two /x"), ["onetruefalse", "twotruefalse"]);
        assert_eq!(names("RUN echo $((1<<2)) a<<b <<<c << <<-  x"), Vec::<String>::new());
        assert_eq!(names("RUN (( x = 1 << 2 ))"), ["2truefalse"]);
        assert_eq!(names("RUN echo it's <<EOF"), Vec::<String>::new(), "no words, no marks");
        assert_eq!(names("RUN <<E\\ F"), ["E Ftruefalse"]);
    }
}
