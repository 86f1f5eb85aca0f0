//! Evaluates environment markers of Python requirements for the image.
//!
//! Source: the "Dependency specifiers" of the Python Packaging User Guide (PEP 508). What the image does not tell, such
//! as the release of the kernel, is unknown, and unknown counts as true: a package is rather kept than called useless.

/// Parentheses that are followed; real markers have three.
const DEPTH_MAX: usize = 16;

/// What a marker is evaluated for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Environment<'a> {
    /// Major and minor version of Python, where known.
    pub python: Option<(u32, u32)>,
    /// What `uname -m` says, where known.
    pub machine: Option<&'a str>,
    /// The extra whose requirements are asked for; empty for none, `*` for any.
    pub extra: &'a str,
}

/// Whether a marker holds, or may hold. The empty marker does.
pub(super) fn holds(marker: &str, environment: Environment<'_>) -> bool {
    if marker.is_empty() {
        return true;
    }
    let mut parser = Parser { rest: marker, environment, depth: 0 };
    parser.any_of() != Some(false) || !parser.rest.trim_start().is_empty()
}

/// Reads from the front of a marker. A form that is not understood is unknown, and so is all that holds it.
struct Parser<'a> {
    rest: &'a str,
    environment: Environment<'a>,
    depth: usize,
}

/// One side of a comparison.
enum Side<'a> {
    Variable(&'a str),
    Text(&'a str),
}

impl<'a> Parser<'a> {
    fn any_of(&mut self) -> Option<bool> {
        let mut all = self.all_of();
        while self.word("or") {
            all = match (all, self.all_of()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        all
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut all = self.one();
        while self.word("and") {
            all = match (all, self.one()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        all
    }

    fn one(&mut self) -> Option<bool> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                self.rest = ")";
                return None;
            }
            let inside = self.any_of();
            self.depth -= 1;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            return inside;
        }
        let left = self.side()?;
        let operator = self.operator()?;
        let right = self.side()?;
        match (left, right) {
            (Side::Variable(name), Side::Text(text)) => self.compare(name, operator, text),
            (Side::Text(text), Side::Variable(name)) => self.compare(name, turned(operator), text),
            _ => None,
        }
    }

    fn side(&mut self) -> Option<Side<'a>> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next()?;
        if matches!(quote, '\'' | '"') {
            let (text, after) = rest.get(1..)?.split_once(quote)?;
            self.rest = after;
            return Some(Side::Text(text));
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
        self.rest = after;
        Some(Side::Variable(name))
    }

    fn operator(&mut self) -> Option<&'static str> {
        self.rest = self.rest.trim_start();
        for operator in ["===", "==", "!=", "<=", ">=", "~=", "<", ">"] {
            if let Some(rest) = self.rest.strip_prefix(operator) {
                self.rest = rest;
                return Some(operator);
            }
        }
        if self.word("in") {
            return Some("in");
        }
        (self.word("not") && self.word("in")).then_some("not in")
    }

    /// Takes a whole word.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        let rest = rest.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }

    fn compare(&self, name: &str, operator: &str, text: &str) -> Option<bool> {
        let value = match name {
            "python_version" => return version(self.environment.python?, operator, text),
            "python_full_version" => return full_version(self.environment.python?, operator, text),
            "extra" | "extras" if self.environment.extra == "*" => return None,
            "extra" => {
                let same = crate::probe::python::normalise(text) == self.environment.extra;
                return match operator {
                    "==" | "===" => Some(same),
                    "!=" => Some(!same),
                    _ => None,
                };
            }
            "sys_platform" => "linux",
            "platform_system" => "Linux",
            "os_name" => "posix",
            "implementation_name" => "cpython",
            "platform_python_implementation" => "CPython",
            "platform_machine" => self.environment.machine?,
            _ => return None,
        };
        match operator {
            "==" | "===" => Some(value == text),
            "!=" => Some(value != text),
            "in" => Some(text.contains(value)),
            "not in" => Some(!text.contains(value)),
            _ => None,
        }
    }
}

/// The operator with its sides exchanged.
fn turned(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        "in" | "not in" | "~=" => "?",
        same => same,
    }
}

fn version(python: (u32, u32), operator: &str, text: &str) -> Option<bool> {
    if matches!(operator, "in" | "not in") {
        let listed = text.split([',', ' ', '|']).filter_map(release).any(|(release, _)| release == python);
        return Some(listed == (operator == "in"));
    }
    if let Some(major) = text.strip_suffix(".*")
        && !major.contains('.')
    {
        let same = major.parse() == Ok(python.0);
        return matches!(operator, "==" | "!=").then_some(same == (operator == "=="));
    }
    let (wanted, _) = release(text)?;
    ordered(python.cmp(&wanted), python.0 == wanted.0, operator)
}

/// As [`version`], for a text that may name a patch release, which the image does not tell.
fn full_version(python: (u32, u32), operator: &str, text: &str) -> Option<bool> {
    let (wanted, patch) = release(text)?;
    if python != wanted {
        return ordered(python.cmp(&wanted), python.0 == wanted.0, operator);
    }
    match (operator, patch) {
        (">=", 0) => Some(true),
        ("<", 0) => Some(false),
        _ => None,
    }
}

fn ordered(order: std::cmp::Ordering, same_major: bool, operator: &str) -> Option<bool> {
    Some(match operator {
        "==" | "===" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "~=" => order.is_ge() && same_major,
        _ => return None,
    })
}

/// Major and minor version, and the patch release.
fn release(text: &str) -> Option<((u32, u32), u32)> {
    let mut parts = text.trim().split('.');
    let major = parts.next()?.parse().ok()?;
    let mut number = || parts.next().map_or(Ok(0), |part| if part == "*" { Ok(0) } else { part.parse() }).ok();
    Some(((major, number()?), number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds_for(marker: &str, extra: &str) -> bool {
        holds(marker, Environment { python: Some((3, 11)), machine: Some("x86_64"), extra })
    }

    #[test]
    fn markers_are_evaluated_for_linux_and_the_python_of_the_image() {
        // Compared with what `packaging.markers` gives for CPython 3.11.7 on Linux.
        for (marker, want) in [
            ("", true),
            ("python_version < '3.8'", false),
            ("python_version >= \"3.10\"", true),
            ("'3.12' > python_version", true),
            ("python_version == '3.*'", true),
            ("python_version ~= '3.8'", true),
            ("python_version in '2.7, 3.11'", true),
            ("python_full_version < '3.11.0'", false),
            ("python_full_version >= '3.12.1'", false),
            ("sys_platform == 'win32'", false),
            ("platform_system != 'Windows' and os_name == 'posix'", true),
            ("sys_platform == 'win32' or (python_version < '4' and platform_machine == 'x86_64')", true),
            ("platform_machine == 'aarch64'", false),
            ("platform_python_implementation == 'PyPy'", false),
            ("extra == 'socks'", false),
        ] {
            assert_eq!(holds_for(marker, ""), want, "{marker}");
        }
        assert!(holds_for("python_version > '3' and extra == 'So_cks'", "so-cks"));
        assert!(!holds_for("sys_platform == 'win32' and extra == 'socks'", "*"));
    }

    #[test]
    fn what_the_image_does_not_tell_or_nobody_understands_may_hold() {
        for marker in [
            "platform_release > '5'",
            "python_full_version < '3.11.4'",
            "nonsense",
            "(((",
            "sys_platform == 'win32') x",
            "'a' == 'b'",
            "\u{e9} == 'a'",
            &"(".repeat(1000),
            &format!("{}sys_platform == 'win32'{}", "(".repeat(40), ")".repeat(40)),
        ] {
            assert!(holds_for(marker, ""), "{marker}");
        }
        assert!(holds("python_version < '3'", Environment::default()));
    }

    #[test]
    fn no_damage_panics() {
        crate::probe::malformed::accept_parser("(os_name != \"a\" or 'x' not in extra)".as_bytes(), |marker| {
            holds_for(&String::from_utf8_lossy(marker), "x")
        });
    }
}
