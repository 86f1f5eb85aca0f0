//! Reads lines of `name = value` in sections: the many dialects of INI, and the flat part of TOML.

use super::part::Part;

/// One line.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// What stands in brackets above it; empty before the first section.
    pub(super) section: Part<'a>,
    pub(super) name: Part<'a>,
    /// Without blanks around it; quotes and comments are still there.
    pub(super) value: Part<'a>,
}

impl Entry<'_> {
    /// `section name`, as keys of items are told.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.section.text(), self.name.text()).trim().to_string()
    }
}

/// The entries, in order. The first of `signs` in a line parts name and value.
pub(super) fn entries<'a>(file: Part<'a>, signs: &'static [u8]) -> impl Iterator<Item = Entry<'a>> {
    let mut section = file.to(0);
    file.lines().filter_map(move |line| {
        let line = line.trim();
        match line.bytes().first()? {
            b'#' | b';' => None,
            b'[' => {
                let end = line.bytes().iter().rposition(|&byte| byte == b']').unwrap_or(line.bytes().len());
                section = line.to(end).from(1).trim();
                None
            }
            _ => {
                let (name, value) = line.split_at_any(signs)?;
                Some(Entry { section, name: name.trim(), value: value.trim() })
            }
        }
    })
}

/// The entries of each section, sections of the same name side by side as they come.
pub(super) fn sections<'a>(file: Part<'a>, signs: &'static [u8]) -> Vec<Vec<Entry<'a>>> {
    let mut sections: Vec<Vec<Entry<'a>>> = Vec::new();
    for entry in entries(file, signs) {
        match sections.last_mut() {
            Some(last) if last.last().is_some_and(|last| last.section.span() == entry.section.span()) => {
                last.push(entry)
            }
            _ => sections.push(vec![entry]),
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_section() {
        let file = "a=1\r\n# c=2\n[ one \"x]\" ]\n\td = 'e' # f\n;g=h\n[]\nno sign\ni: j=k\n";
        let flat: Vec<_> = entries(Part::file(file.as_bytes()), b"=:")
            .map(|entry| (entry.section.text(), entry.name.text(), entry.value.unquote().text()))
            .collect();
        let own = |a: &str, b: &str, c: &str| (a.to_string(), b.to_string(), c.to_string());
        assert_eq!(flat, [own("", "a", "1"), own("one \"x]\"", "d", "e"), own("", "i", "j=k")]);
        assert_eq!(sections(Part::file(file.as_bytes()), b"=:").len(), 3);
    }
}
