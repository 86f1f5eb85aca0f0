//! A `.dockerignore` that lets in only what the Dockerfile copies: everything is denied, and what is needed named.
//!
//! What `COPY . .` needs is what its layer shows that it brought, without what no build reads. What is not seen is refused:
//! a context that lacks a file does not build, or builds something else.

use std::collections::BTreeSet;

use super::Stop;
use crate::{
    attribution::{
        self,
        lines::{self, Context, Options, Place},
    },
    catalogue::Catalogue,
    dockerfile::{BuildArgs, Command, File, Instruction},
    inventory::Inventory,
    model::{Finding, ImageInfo, Kind, path},
};

/// Most names that a copy of the whole context may have brought: a longer list nobody would keep.
const NAMES_MAX: usize = 60;

/// Rules whose files no build reads, but where its commands name them.
const LITTER: [&str; 8] = [
    "leftover/ci-files",
    "leftover/coverage",
    "leftover/dockerfile",
    "leftover/editor-files",
    "vcs/bzr",
    "vcs/cvs",
    "vcs/git",
    "vcs/svn",
];

/// Files of projects whose builds may ask the version control for their version.
const ASK_GIT: [&str; 7] =
    ["build.gradle", "build.gradle.kts", "build.rs", "pom.xml", "pyproject.toml", "setup.cfg", "setup.py"];

/// The file, and what it leaves out of what was copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ignore {
    /// Its text.
    pub text: String,
    /// What was in the image's layers and is let in no more.
    pub left_out: Vec<String>,
}

/// Makes it.
///
/// # Errors
/// Why it can not be told what the build needs.
pub(super) fn make(
    image: &ImageInfo,
    inventory: &Inventory,
    findings: &[Finding],
    file: &File,
    target: Option<&str>,
    catalogue: &Catalogue,
) -> Result<Ignore, Stop> {
    let args = BuildArgs::new();
    let border = attribution::attribute(image, &catalogue.bases);
    let lines = lines::attribute(image, file, &Options { target, args: &args, border: Some(&border) });
    if lines.stage.is_none() {
        let why = lines.reason().map_or_else(|| "nothing tells".to_string(), ToString::to_string);
        return Stop::refused(format!("the lines of the Dockerfile can not be told from the image: {why}"));
    }
    let litter: BTreeSet<&[u8]> = findings
        .iter()
        .filter(|finding| LITTER.contains(&finding.rule.as_str()))
        .flat_map(|finding| finding.paths.iter().flat_map(|group| &group.files))
        .map(|path| path.as_bytes())
        .collect();
    let commands = commands(file);
    let mut made = Made::default();
    for (number, one) in file.instructions().iter().enumerate() {
        let line = one.first_line;
        if matches!(one.statement.command, Command::Onbuild(_)) {
            return Stop::refused(format!("line {line} is ONBUILD: what the images built upon it copy is not known"));
        }
        made.mounted(one)?;
        let Some(Context { sources, dest }) = lines::from_context(file, number, &args) else { continue };
        for source in sources {
            let Some(source) = source else {
                return Stop::refused(format!("line {line} copies what a variable names that has no value here"));
            };
            if !source.is_empty() {
                made.need(&source, line)?;
                continue;
            }
            let dest = dest.as_ref().map(|dest| path::clean(dest.as_bytes()));
            let (Some(dest), Some(layer)) = (dest, layer(&lines.layers, number)) else {
                return Stop::refused(format!(
                    "line {line} copies the whole context, and its layer is not in this image: build that stage with \
                     --target, and give its image"
                ));
            };
            made.whole(inventory, (layer, line), &dest, &litter, &commands)?;
        }
    }
    if made.needed.is_empty() {
        return Err(Stop::Nothing("the Dockerfile copies nothing of its context".to_string()));
    }
    Ok(Ignore { text: made.text(), left_out: made.left_out.into_iter().collect() })
}

/// The layer that an instruction made, if it is told surely.
fn layer(layers: &[Place], instruction: usize) -> Option<u32> {
    let of = |place: &Place| matches!(place, Place::Line(line) if line.instruction == instruction);
    layers.iter().position(of).and_then(|at| u32::try_from(at).ok())
}

/// What all RUN instructions execute.
fn commands(file: &File) -> String {
    let runs = file.instructions().iter().filter(|one| matches!(one.statement.command, Command::Run(_)));
    runs.map(|one| file.at(one.span)).collect::<Vec<_>>().join("\n")
}

/// What was found to be needed, as names below the context.
#[derive(Debug, Default)]
struct Made {
    needed: BTreeSet<String>,
    /// Files below what is needed that are not.
    but: BTreeSet<String>,
    left_out: BTreeSet<String>,
}

impl Made {
    fn need(&mut self, name: &str, line: u32) -> Result<(), Stop> {
        if name.starts_with(['!', '#']) || name.contains(['\n', '\r', '\\']) || name != name.trim() {
            return Stop::refused(format!("line {line} copies a name that a .dockerignore can not have in it"));
        }
        self.needed.insert(name.to_string());
        Ok(())
    }

    /// What a command reads of the context by a mount.
    fn mounted(&mut self, one: &Instruction) -> Result<(), Stop> {
        for mount in one.statement.mounts().iter().filter(|mount| mount.kind() == "bind" && mount.from().is_none()) {
            let source = mount.source().unwrap_or_default();
            let name = String::from_utf8_lossy(&path::clean(source.as_bytes())).into_owned();
            if name.is_empty() || name.contains('$') {
                let line = one.first_line;
                return Stop::refused(format!(
                    "line {line} mounts the context, and what its command reads is not known"
                ));
            }
            self.need(&name, one.first_line)?;
        }
        Ok(())
    }

    /// What a copy of the whole context brought, in this layer by this line.
    fn whole(
        &mut self,
        inventory: &Inventory,
        (layer, line): (u32, u32),
        dest: &[u8],
        litter: &BTreeSet<&[u8]>,
        commands: &str,
    ) -> Result<(), Stop> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let (mut kept, mut litters): (BTreeSet<String>, Vec<String>) = (BTreeSet::new(), Vec::new());
        let mut soiled: BTreeSet<String> = BTreeSet::new();
        let brought = |path: &[u8]| dest.is_empty() || path::is_below(path, dest);
        for file in inventory.all().filter(|file| file.layer() == layer && brought(file.path())) {
            let below = file.path().get(if dest.is_empty() { 0 } else { dest.len() + 1 }..).unwrap_or_default();
            let Ok(below) = std::str::from_utf8(below) else {
                return Stop::refused("a copied name is no UTF-8");
            };
            let top = below.split('/').next().unwrap_or_default().to_string();
            if litter.contains(file.path()) {
                litters.push(below.to_string());
                soiled.insert(top.clone());
            } else if file.kind() != Kind::Dir {
                kept.insert(top.clone());
            }
            names.insert(top);
        }
        let asks_git = ASK_GIT.iter().any(|name| names.contains(*name)) || commands.contains("git ");
        let installs = ["npm ", "yarn", "pnpm "].iter().any(|word| commands.contains(word));
        for name in &names {
            let version_control = [".git", ".hg", ".svn", ".bzr", "CVS"].contains(&name.as_str());
            let is_asked_for = version_control && asks_git || commands.contains(name.as_str());
            let is_litter = soiled.contains(name) && !kept.contains(name) && !is_asked_for;
            if is_litter || name == "node_modules" && installs {
                self.left_out.insert(name.clone());
            } else {
                self.need(name, line)?;
            }
        }
        for below in litters.iter().filter(|below| below.contains('/')) {
            let (top, name) =
                (below.split('/').next().unwrap_or_default(), below.rsplit('/').next().unwrap_or_default());
            if self.needed.contains(top) && top != ".git" && !commands.contains(name) && self.but.len() < NAMES_MAX {
                self.but.insert(below.clone());
                self.left_out.insert(below.clone());
            }
        }
        if names.len() > NAMES_MAX {
            return Stop::refused(format!("a copy of the whole context brought {} names", names.len()));
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = "# Nothing goes to the builder but what the Dockerfile copies.\n*\n".to_string();
        for name in &self.needed {
            text.push_str(&format!("!{name}\n"));
        }
        for name in &self.but {
            text.push_str(&format!("{name}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests;

    /// What a copy of the whole context to `/app` needs, what of it not, and what is left out.
    fn whole(names: &[&str], commands: &str) -> [String; 3] {
        let inventory = tests::named(&[&["etc/os-release"], names]);
        let litter = names.iter().filter(|name| name.contains(".git/") || name.contains(".idea/"));
        let litter: BTreeSet<&[u8]> = litter.map(|name| name.as_bytes()).collect();
        let mut made = Made::default();
        made.whole(&inventory, (1, 2), b"app", &litter, commands).expect("few names");
        [made.needed, made.but, made.left_out].map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_a_copy_of_everything_brought_is_let_in_without_what_no_build_reads() {
        let names = ["app/", "app/.git/HEAD", "app/node_modules/a", "app/public/", "app/src/.idea/x", "app/src/a.js"];
        let want = ["public src", "src/.idea/x", ".git node_modules src/.idea/x"];
        assert_eq!(whole(&names, "RUN npm ci && npm run build"), want);
        assert_eq!(whole(&names, "RUN make")[0], "node_modules public src", "nothing installs them again");
        assert_eq!(whole(&names, "RUN git describe > version")[0], ".git node_modules public src");
        let asks = ["app/.git/HEAD", "app/build.rs", "other/x"];
        assert_eq!(whole(&asks, "RUN cargo build"), [".git build.rs", "", ""], "its build may ask for a version");
        assert_eq!(whole(&["app/.gitlab-ci.yml", "app/.git/HEAD", "app/.git/"], "RUN make")[0], ".gitlab-ci.yml");
    }

    #[test]
    fn everything_is_denied_before_anything_is_let_in() {
        let mut made = Made::default();
        made.need("src", 1).expect("a name");
        made.need("package*.json", 1).expect("a pattern");
        made.but.insert("src/.idea".into());
        let text =
            "# Nothing goes to the builder but what the Dockerfile copies.\n*\n!package*.json\n!src\nsrc/.idea\n";
        assert_eq!(made.text(), text);
    }

    #[test]
    fn a_name_that_would_mean_something_else_is_refused() {
        for name in ["!src", "#a", " a", "a\\b"] {
            assert!(
                matches!(Made::default().need(name, 3), Err(Stop::Refused(why)) if why.contains("line 3")),
                "{name}"
            );
        }
    }

    #[test]
    fn a_mount_of_the_whole_context_is_refused_and_one_of_a_part_is_let_in() {
        let mounts = |text: &str| {
            let file = File::parse(text).expect("it parses");
            let mut made = Made::default();
            let done = file.instructions().iter().try_for_each(|one| made.mounted(one));
            done.map(|()| made.needed.into_iter().collect::<Vec<_>>())
        };
        let part = "FROM a\nRUN --mount=type=bind,source=go.mod,target=go.mod --mount=type=cache,target=/x b\n";
        assert_eq!(mounts(part), Ok(vec!["go.mod".to_string()]));
        assert_eq!(mounts("FROM a\nRUN --mount=type=bind,from=c,target=/c b\n"), Ok(Vec::new()));
        assert!(mounts("FROM a\nRUN --mount=target=/src b\n").is_err());
    }
}
