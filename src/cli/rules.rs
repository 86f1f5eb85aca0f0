//! `rules list`, `rules check` and `explain`: what the rules say about themselves.

mod list;

use std::io::{self, Write};

pub use self::list::{json, markdown, table};

use crate::{
    Error, Result,
    catalogue::{Catalogue, Content, Example, Files, Judgement, Module, Names, Rule, Structure, Tree, TreeMember},
    model::{Manager, NamePattern},
    probe::secret::{FilePath, Find, Form, Reader},
    rule::proof,
};

/// Width of prose, in letters.
const WIDTH: usize = 100;

/// Proves every rule by its examples, looks for unused remedies, and writes one line for each fault, or one line that all is well.
///
/// Returns whether all is well.
///
/// # Errors
/// Only those of `out`.
pub fn check(catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<bool> {
    let mut faults = proof::prove(catalogue);
    faults.extend(proof::unused_remedies(catalogue));
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    if faults.is_empty() {
        let hits: usize = catalogue.rules.iter().map(|rule| rule.hits.len()).sum();
        let misses: usize = catalogue.rules.iter().map(|rule| rule.misses.len()).sum();
        let rules = catalogue.rules.len();
        writeln!(out, "{rules} rules proved: {hits} hits fire, {misses} misses stay silent")?;
    }
    Ok(faults.is_empty())
}

/// Writes everything that a rule knows, for people.
///
/// # Errors
/// A usage error that suggests near ids when there is no such rule; those of `out` are returned inside.
pub fn explain(catalogue: &Catalogue, id: &str, out: &mut dyn Write) -> Result<io::Result<()>> {
    match catalogue.rule(id) {
        Some(rule) => Ok(write_rule(catalogue, rule, out)),
        None => Err(unknown(catalogue, id)),
    }
}

fn unknown(catalogue: &Catalogue, id: &str) -> Error {
    let mut near: Vec<(usize, &str)> =
        catalogue.rules.iter().map(|rule| (distance(id, &rule.about.id), rule.about.id.as_str())).collect();
    near.sort_unstable();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    near.retain(|(distance, _)| *distance <= 3 && *distance == best);
    let near: Vec<&str> = near.into_iter().take(3).map(|(_, id)| id).collect();
    let error = Error::usage(format!("there is no rule \"{}\"", crate::model::path::escape(id.as_bytes())));
    if near.is_empty() {
        error.help("`offcut rules list` names all rules")
    } else {
        error.help(format!("did you mean {}?", near.join(" or ")))
    }
}

/// How far a word is from a rule's id or from the part after the slash, in letters; 0 if it is part of one.
fn distance(word: &str, id: &str) -> usize {
    let name = id.split_once('/').map_or(id, |(_, name)| name);
    if word.len() >= 2 && id.contains(word) {
        return 0;
    }
    levenshtein(word, id).min(levenshtein(word, name))
}

fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(100).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(from != *to)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row.last().copied().unwrap_or(0)
}

fn write_rule(catalogue: &Catalogue, rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    let about = &rule.about;
    writeln!(out, "{}  ({}, {})", about.id, about.severity, rule.subject)?;
    writeln!(out, "{}\n", about.title)?;
    writeln!(out, "{}\n", wrapped(&about.why))?;
    writeln!(out, "What counts as proof")?;
    for proof in proofs(catalogue, rule) {
        writeln!(out, "  - {proof}")?;
    }
    writeln!(out, "\nWhat does not")?;
    for miss in &rule.misses {
        writeln!(out, "  - {}{}", miss.why, shown(miss))?;
    }
    writeln!(out, "\nWhat to do: {}", about.remedy.title)?;
    writeln!(out, "{}\n", wrapped(&about.remedy.text))?;
    for line in about.remedy.dockerfile.lines() {
        writeln!(out, "{}", format!("    {line}").trim_end())?;
    }
    for (remedy, names) in rule.own_remedies() {
        writeln!(out, "\nWhat to do about {} alone: {}", names.join(", "), remedy.title)?;
        for line in remedy.dockerfile.lines() {
            writeln!(out, "{}", format!("    {line}").trim_end())?;
        }
    }
    if !about.weaknesses.is_empty() {
        writeln!(out, "\nWeakness")?;
    }
    for weakness in &about.weaknesses {
        writeln!(out, "  {}: {}", weakness.id, weakness.title)?;
    }
    writeln!(out, "\nMore")?;
    for link in &about.refs {
        writeln!(out, "  {link}")?;
    }
    Ok(())
}

/// What proves a rule: one text for each proof.
fn proofs(catalogue: &Catalogue, rule: &Rule) -> Vec<String> {
    let package = |(manager, names): &(Manager, Names)| {
        let (manager, names) = (manager.word(), names.patterns.join(", "));
        format!("a package of the {manager} database whose files are there: {names}")
    };
    let mut proofs: Vec<String> = rule.packages.iter().map(package).collect();
    proofs.extend(rule.modules.iter().map(module_text));
    proofs.extend(rule.contents.iter().map(content_text));
    proofs.extend(rule.structures.iter().map(structure_text));
    proofs.extend(rule.files.iter().map(files_text));
    proofs.extend(rule.trees.iter().map(tree_text));
    proofs.extend(catalogue.secrets.of_rule(&rule.about.id).map(form_text));
    proofs.extend(rule.code.map(|judgement| judgement_text(judgement).to_string()));
    proofs
}

/// Breaks prose into lines of at most [`WIDTH`] letters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.join("\n")
}

fn module_text(module: &Module) -> String {
    let files: Vec<_> = module.files.iter().map(|file| file.path.as_str()).collect();
    let (manager, name) = (module.manager.word(), module.name.patterns.join(", "));
    format!("the {manager} package {name} that holds {}", files.join(" or "))
}

fn content_text(content: &Content) -> String {
    let quoted =
        |list: &[String], joint: &str| list.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(joint);
    let mut parts = Vec::new();
    match content.program {
        Some(true) => parts.push("can be started".to_string()),
        Some(false) => parts.push("can not be started".to_string()),
        None => {}
    }
    for (list, verb, joint) in [
        (&content.all, "holds", " and "),
        (&content.any, "holds", " or "),
        (&content.none, "does not hold", " nor "),
        (&content.needed, "needs a library", " or "),
        (&content.soname, "is the library", " or "),
        (&content.go_path, "was built by Go from", " or "),
    ] {
        if !list.is_empty() {
            parts.push(format!("{verb} {}", quoted(list, joint)));
        }
    }
    match content.go_module {
        Some(true) => parts.push("names a Go module".to_string()),
        Some(false) => parts.push("names no Go module".to_string()),
        None => {}
    }
    let owned = if content.unowned { " that no package owns" } else { "" };
    format!("any file{owned}, whatever its name ({}): it {}", content.name, parts.join(", "))
}

fn structure_text(structure: &Structure) -> String {
    let members: Vec<_> = structure.members.iter().map(|member| member.path.path.as_str()).collect();
    format!("a directory with the shape of {}: {}", structure.name, members.join(", "))
}

fn files_text(files: &Files) -> String {
    let names: Vec<_> = files.names.iter().map(NamePattern::text).collect();
    let owned = if files.unowned { " that no package owns" } else { "" };
    let company = if files.company { ", beside others" } else { "" };
    format!("files{owned} with the content of {}: {}{company}", files.name, names.join(", "))
}

fn tree_text(tree: &Tree) -> String {
    let any = |member: &TreeMember| member.any.iter().map(|path| path.text.as_str()).collect::<Vec<_>>().join(" or ");
    let members: Vec<_> = tree.members.iter().map(any).collect();
    format!("a directory with the shape of {}: {}", tree.name, members.join(", "))
}

fn form_text(form: &Form) -> String {
    let quoted = |words: &[String]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
    let mut parts = vec![match &form.find {
        Find::Start(starts) => format!("a text that begins with {}", quoted(starts)),
        Find::Words { words, .. } => format!("a text with {}", quoted(words)),
        Find::File => "a text".to_string(),
    }];
    match &form.reader {
        Reader::Pattern(pattern) => parts.push(format!("that fits {}", pattern.text())),
        Reader::Parser(_) => parts.push("where files of this form keep a secret".to_string()),
    }
    if !form.files.is_empty() {
        let files: Vec<_> = form.files.iter().map(FilePath::text).collect();
        parts.push(format!("in {}", files.join(", ")));
    }
    let mut demands: Vec<String> = form.check.map(|check| check.demands().to_string()).into_iter().collect();
    demands.extend(form.min_entropy.map(|bits| format!("it has {bits} bits of entropy for each character, or more")));
    let name = if form.name.is_empty() { String::new() } else { format!("{}: ", form.name) };
    let demands = if demands.is_empty() { String::new() } else { format!(": {}", demands.join(", ")) };
    format!("{name}{}{demands}", parts.join(" "))
}

fn judgement_text(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Uid0 => "USER, resolved as the engine does, is user id 0",
        Judgement::NamedUser => "USER is a name, and the user is not root",
        Judgement::Group0 => "USER gives no group, the group is 0 and the user is not",
        Judgement::UnknownUser => "the engine can not resolve USER and refuses to start",
        Judgement::DevNpm => "installed packages that npm prune --omit=dev would remove",
        Judgement::DevPnpm => "installed packages that pnpm prune --prod would remove",
        Judgement::DevYarn => "installed packages that yarn would leave out of production",
        Judgement::DevBun => "installed packages that bun would leave out of production",
        Judgement::DevPython => "installed distributions that only groups for development lead to",
        Judgement::DevBundler => "installed gems that only groups for development lead to",
        Judgement::DevComposer => "installed packages that composer install --no-dev would remove",
        Judgement::DevJvm => "libraries for tests and development among the jars of an application",
        Judgement::DevNuget => "packages for tests beside a published .NET program",
        Judgement::MissingProgram => "the command names a program or a file that is not there, or can not be started",
        Judgement::MissingInterpreter => {
            "the `#!` line of a script on the command's way names a program that is not there"
        }
        Judgement::MissingLoader => "a program on the command's way asks for a loader that is not there",
        Judgement::GlibcOnMusl => "a program on the command's way asks for glibc's loader, and the image has musl",
        Judgement::MissingLibrary => "the loader does not find a library that a program on the command's way needs",
        Judgement::WrongArchitecture => "a program on the command's way is for another machine than the image",
        Judgement::ForeignAddon => {
            "a compiled part of a Node package that the command reaches is for another C library or machine"
        }
        Judgement::DanglingLink => "a link in the Java run time that the command starts leads nowhere",
        Judgement::ApkVirtual => "apk's database has a virtual package (`apk add --virtual`)",
        Judgement::ApkVirtualEmpty => "a RUN made a virtual package without members and installed packages beside it",
        Judgement::ImageEnv => {
            "a variable of ENV whose name says that its value is a secret, and whose value can be one"
        }
        Judgement::ImageLabel => "a label whose name says that its value is a secret, and whose value can be one",
        Judgement::ImageHistory => {
            "a build argument, a variable or a word of a command in the history that is a secret by its name or place"
        }
        Judgement::ImageCommand => "a word of ENTRYPOINT, CMD or HEALTHCHECK that is a secret by its place",
        Judgement::OtherStage => "the image is a stage of its Dockerfile that is not the last, and nobody said so",
        Judgement::UnpinnedCopy => {
            "COPY --from or RUN --mount=from of an image without a digest, in a stage that is used"
        }
        Judgement::UncheckedAdd => "ADD of an address without --checksum, in a stage that is used",
        Judgement::SecretArgument => "ARG without a value, whose name says secret, and which a step uses",
        Judgement::SecretValue => "a value of ARG or ENV that is a secret, in a stage that is not in the image",
        Judgement::WholeFileSystem => "COPY --from of `/`, in a stage that is in the image",
        Judgement::UnusedStage => {
            "a stage with RUN steps that no other uses, without a command of its own and without tests"
        }
        Judgement::DeletedLater => {
            "files of 1 MB or more that one line brought and a later RUN deleted: they still ship"
        }
        Judgement::CopiedAgain => {
            "files of 1 MB or more that one line brought and a later RUN with chown, chmod or the like wrote again"
        }
        Judgement::WholeContext => "COPY of the whole build context whose layer holds a git repository or a file .env",
        Judgement::DevServer => "the command serves and watches sources, or builds at the start",
        Judgement::TestCommand => "the command runs tests",
        Judgement::BuilderStage => {
            "sources, what was built of them and the tools are there, and no command of the image's own"
        }
    }
}

/// The paths or names of an example, for a line about it.
fn shown(example: &Example) -> String {
    let files = example.files.iter().map(|file| file.path.clone());
    let packages = example.packages.iter().filter_map(|p| p.deb.clone().or(p.apk.clone()).or(p.rpm.clone()));
    let modules = example.npm.iter().chain(&example.pypi).map(|module| module.name.clone());
    let user = example.user.iter().map(|user| format!("USER {user}"));
    let all: Vec<String> = files.chain(packages).chain(modules).chain(user).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::builtin().expect("the policies compile")
    }

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn explain_tells_proof_near_miss_remedy_and_documents() {
        let text = written(|out| explain(&catalogue(), "build-tool/go", out).expect("a rule"));
        for part in [
            "build-tool/go  (high, Go)",
            "it can be started, was built by Go from \"cmd/\", names no Go module",
            "the shape of GOROOT: bin/go, src/runtime, VERSION",
            "an application built by Go, which every Go service is: app/server",
            "    FROM scratch\n",
            "https://go.dev/doc/install",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        let text = written(|out| explain(&catalogue(), "source/compiled", out).expect("a rule"));
        assert!(text.contains("What to do about C, C++ alone: Compile in a builder stage"), "{text}");
    }

    #[test]
    fn prose_is_broken_between_words() {
        let text = "word ".repeat(60);
        assert!(wrapped(&text).lines().all(|line| line.len() == 99 && !line.ends_with(' ')), "{}", wrapped(&text));
        assert_eq!(wrapped(&"x".repeat(200)).len(), 200, "a word is never cut");
    }

    #[test]
    fn every_rule_can_be_explained() {
        let catalogue = catalogue();
        for rule in &catalogue.rules {
            let text = written(|out| explain(&catalogue, &rule.about.id, out).expect("a rule"));
            assert!(text.contains("What counts as proof\n  - "), "{text}");
            assert!(text.contains("What does not\n  - "), "{text}");
        }
    }

    #[test]
    fn an_unknown_id_suggests_near_ones() {
        let help = |id: &str| {
            let error = explain(&catalogue(), id, &mut io::sink()).expect_err("no such rule");
            error.help.expect("help")
        };
        assert_eq!(help("build-tool/mak"), "did you mean build-tool/make?");
        assert!(help("gcc").contains("build-tool/gcc"));
        assert!(help("tpyescript").contains("build-tool/typescript"));
        assert_eq!(help("no-such-thing-at-all"), "`offcut rules list` names all rules");
    }

    #[test]
    fn a_broken_rule_is_named_with_its_example() {
        let policy = r#"
[[remedy]]
id = "stages"
title = "Use stages"
text = "Use stages."
dockerfile = "FROM scratch"
[[remedy]]
id = "unused"
title = "Use nothing"
text = "Use nothing."
dockerfile = "FROM scratch"
[[rule]]
id = "build-tool/cake"
title = "Cake"
subject = "Cake"
severity = "low"
why = "Why not."
remedy = "stages"
refs = ["https://example.com"]
[rule.packages]
deb = ["cake"]
[[rule.hit]]
why = "misspelt"
packages = [{ deb = "cakes", files = ["usr/bin/cake"] }]
[[rule.miss]]
why = "the real one"
packages = [{ deb = "cake", files = ["usr/bin/cake"] }]
"#;
        let catalogue = Catalogue::from_files(vec![("a.toml".to_string(), policy.to_string())]).expect("well formed");
        let mut good = true;
        let text = written(|out| check(&catalogue, out).map(|all| good = all));
        assert!(!good);
        let want = "a.toml: build-tool/cake: hit 1 (misspelt) stays silent, but must fire\n\
                    a.toml: build-tool/cake: miss 1 (the real one) fires, but must stay silent\n\
                    remedies: no rule uses the remedy unused\n";
        assert_eq!(text, want);
    }
}
