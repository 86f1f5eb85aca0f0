//! Decides which files are read as code of the application, and how.
//!
//! Code of packages and of the distribution is left alone: there is too much of it, and packages are taken as units.

use crate::model::{Fact, Format, path};

use super::{imports, script};

/// How a file is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Code {
    /// Only its `#!` line counts.
    Shebang,
    /// A script of a shell.
    Shell,
    /// JavaScript or TypeScript.
    JavaScript,
    /// Python.
    Python,
}

impl Code {
    /// Bytes of the file that are wanted; one more tells that it is longer.
    pub fn limit(self) -> usize {
        match self {
            Self::Shebang => 0,
            Self::Shell => script::SCRIPT_MAX + 1,
            Self::JavaScript | Self::Python => imports::SOURCE_MAX + 1,
        }
    }

    /// What a file says, given its first bytes.
    pub fn facts(self, body: &[u8]) -> Vec<Fact> {
        let script = body.starts_with(b"#!") || self == Self::Shell;
        let script = script.then(|| Fact::Script(script::script(body)));
        let imports = match self {
            Self::JavaScript => Some(imports::javascript(body)),
            Self::Python => Some(imports::python(body)),
            Self::Shebang | Self::Shell => None,
        };
        script.into_iter().chain(imports.map(Fact::Imports)).collect()
    }
}

/// How the file at a path is read, if it is code at all; `head` are its first bytes.
pub fn code_of(path: &[u8], format: Format, head: &[u8]) -> Option<Code> {
    match format {
        Format::Script if path.starts_with(b"var/lib/dpkg/") => None,
        Format::Script => {
            let shebang = script::shebang(head);
            let interpreter = script::interpreter(&shebang).unwrap_or_default();
            let code = match interpreter {
                "node" | "nodejs" | "bun" | "deno" => Code::JavaScript,
                "" | "busybox" => Code::Shell,
                name if script::is_shell(name) => Code::Shell,
                name if name.starts_with("python") || name.starts_with("pypy") => Code::Python,
                _ => Code::Shebang,
            };
            Some(if in_package(path) { Code::Shebang } else { code })
        }
        Format::Js if !in_package(path) && !of_system(path) => Some(Code::JavaScript),
        Format::Text => {
            let code = by_ending(path::name(path))?;
            (!in_package(path) && !of_system(path)).then_some(code)
        }
        _ => None,
    }
}

/// Whether a file is of a package that a language's package manager installed.
pub fn in_package(path: &[u8]) -> bool {
    path.split(|&b| b == b'/').any(|part| matches!(part, b"node_modules" | b"site-packages" | b"dist-packages"))
}

fn by_ending(name: &[u8]) -> Option<Code> {
    let at = name.iter().rposition(|&b| b == b'.')?;
    match name.get(at..)? {
        b".py" => Some(Code::Python),
        b".sh" | b".bash" => Some(Code::Shell),
        b".ts" | b".tsx" | b".mts" | b".cts" | b".jsx" => {
            let declares = name.get(..at).is_some_and(|stem| stem.ends_with(b".d"));
            (!declares).then_some(Code::JavaScript)
        }
        _ => None,
    }
}

/// Directories of distributions, interpreters and tool chains: no application of its own lies there.
fn of_system(path: &[u8]) -> bool {
    const DIRS: [&[u8]; 9] = [
        b"usr/lib/",
        b"usr/lib64/",
        b"usr/share/",
        b"usr/libexec/",
        b"usr/local/lib/",
        b"usr/local/share/",
        b"usr/local/go/",
        b"lib/",
        b"var/lib/",
    ];
    DIRS.iter().any(|dir| path.starts_with(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_application_is_read_and_that_of_packages_is_not() {
        for (path, format, head, want) in [
            ("app/server.js", Format::Js, "", Some(Code::JavaScript)),
            ("app/src/main.ts", Format::Text, "", Some(Code::JavaScript)),
            ("app/src/types.d.ts", Format::Text, "", None),
            ("app/node_modules/x/index.js", Format::Js, "", None),
            ("app/node_modules/x/cli.js", Format::Script, "#!/usr/bin/env node", Some(Code::Shebang)),
            ("srv/wsgi.py", Format::Text, "", Some(Code::Python)),
            ("usr/lib/python3.11/os.py", Format::Text, "", None),
            ("usr/local/bin/gunicorn", Format::Script, "#!/usr/local/bin/python3.12\n", Some(Code::Python)),
            ("entrypoint", Format::Script, "#!/bin/sh\n", Some(Code::Shell)),
            ("usr/bin/perldoc", Format::Script, "#!/usr/bin/perl\n", Some(Code::Shebang)),
            ("var/lib/dpkg/info/x.postinst", Format::Script, "#!/bin/sh\n", None),
            ("app/readme", Format::Text, "", None),
        ] {
            assert_eq!(code_of(path.as_bytes(), format, head.as_bytes()), want, "{path}");
        }
    }
}
