//! Makes the text: the user's file with its last stage turned into a build stage, and a new last stage behind it.
//!
//! Nothing of the user's text changes but the `FROM` of that stage and what configures the run at its end, which moves.

use std::collections::BTreeMap;

use super::{
    NONROOT, Runs, Subject,
    base::{Chosen, Left, Name},
    cover::Pick,
    evidence::{Evidence, brought, opens_low_port, sets},
    prune::WITHOUT,
    same::Removed,
    select::{SYSTEM, Wanted},
};
use crate::{
    dockerfile::{Command, Instruction, Keyword, PieceKind, Span},
    model::{Change, Family, PATH_DEFAULT, Rewrite, path},
};

/// Names for the build stage; the first that is free is taken.
const NAMES: [&str; 4] = ["build", "builder", "build-stage", "offcut-build"];

/// Instructions that configure the run and are repeated in the last stage.
const OF_RUN: [Keyword; 8] = [
    Keyword::Cmd,
    Keyword::Entrypoint,
    Keyword::Expose,
    Keyword::Healthcheck,
    Keyword::Label,
    Keyword::Maintainer,
    Keyword::Stopsignal,
    Keyword::Volume,
];

/// Writes the file and says what changed.
pub(super) fn write(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    wanted: &Wanted,
    chosen: &Chosen,
    left: &Left,
    packages: &[String],
    rewrite: &mut Rewrite,
) {
    let file = subject.file;
    let Some(stage) = evidence.chain.first().and_then(|&number| file.stages().get(number)) else { return };
    let Some(from) = file.instructions().get(stage.from) else { return };
    let Command::From(base) = &from.statement.command else { return };
    let mut edits: Vec<(Span, String)> = Vec::new();

    // The stage that was last gets a name; one that it had belongs to the new last stage.
    let taken: Vec<&str> = file.stages().iter().filter_map(|stage| stage.name.as_deref()).collect();
    let name = NAMES.iter().find(|name| !taken.contains(*name)).map_or("offcut-build-stage", |name| *name);
    let last_name = base.name.as_ref().map(|name| name.text.clone());
    match &base.name {
        Some(word) => edits.push((word.span, name.to_string())),
        None => edits.push((Span::new(base.image.span.end, base.image.span.end), format!(" AS {name}"))),
    }
    rewrite.changes.push(Change {
        line: Some(from.first_line),
        what: format!("the stage is called {name} and builds only"),
        why: why_build_only(subject),
    });

    // What configures the run moves from its end, with the comments above it.
    let body = file.instructions().get(stage.body.clone()).unwrap_or_default();
    let trailing = body.iter().rev().take_while(|one| is_of_run(one) || keyword(one) == Some(Keyword::User)).count();
    let (kept, moved) = body.split_at(body.len() - trailing);
    let mut tail = String::new();
    for one in moved {
        let span = with_comments(subject, one);
        if is_of_run(one) {
            tail.push_str(file.at(span).trim_end_matches(['\n', '\r']));
            tail.push('\n');
        }
        edits.push((span, String::new()));
    }

    let end = stage_end(subject, stage.body.end);
    let mut text = String::new();
    if !file.text().get(..end).unwrap_or_default().ends_with('\n') {
        text.push('\n');
    }
    if let Some(prune) = &wanted.prune {
        text.push_str(&format!("\n# What only development needs stays here.\nRUN {prune}\n"));
        rewrite.changes.push(Change {
            line: None,
            what: format!("the build ends with {prune}"),
            why: told(subject, Family::DevDependency),
        });
    }
    text.push('\n');
    match &last_name {
        Some(old) => text.push_str(&format!("FROM {} AS {old}\n", chosen.image)),
        None => text.push_str(&format!("FROM {}\n", chosen.image)),
    }
    rewrite.changes.push(Change {
        line: None,
        what: format!("the last stage stands on {}", chosen.image),
        why: chosen.why.clone(),
    });
    leave(left, &evidence.base, rewrite);

    let users = wanted.users.then(|| format!("COPY --from={name} /etc/passwd /etc/group /etc/\n"));
    let needs_root = wanted.needs_shell || !packages.is_empty();
    let base_user = if chosen.same && needs_root { base_user(subject, evidence) } else { None };
    if base_user.is_some() {
        text.push_str("USER 0\n");
    }
    // Where the base stays, packages that are installed again find the numbers of users that they had.
    text.push_str(users.as_deref().filter(|_| chosen.same).unwrap_or_default());
    if let Some(line) = install(subject, packages, wanted.recommended) {
        text.push_str(&line);
        rewrite.changes.push(Change {
            line: None,
            what: format!("it installs {}", packages.join(", ")),
            why: needed(packages),
        });
    }
    text.push_str(users.as_deref().filter(|_| !chosen.same).unwrap_or_default());
    if let Some(line) = removed(&wanted.removed) {
        text.push_str(&line);
        rewrite.changes.push(Change {
            line: None,
            what: "it removes again what the Dockerfile removed of its base".to_string(),
            why: "the files lie in the base image, and would be there again".to_string(),
        });
    }
    if let Some(dir) =
        subject.image.config.as_ref().map(|c| c.working_dir.as_str()).filter(|dir| !dir.is_empty() && *dir != "/")
    {
        text.push_str(&format!("WORKDIR {dir}\n"));
    }
    for line in environment(subject, evidence, chosen) {
        text.push_str(&line);
        text.push('\n');
    }
    if evidence.runs == Runs::Ruby && wanted.prune.is_some() {
        text.push_str(&format!("ENV BUNDLE_WITHOUT={WITHOUT}\n"));
    }
    let user = user(subject, evidence, chosen, left);
    for line in copies(name, &wanted.picks, user.as_ref().filter(|user| user.added).map(|user| user.name.as_str())) {
        text.push_str(&line);
        text.push('\n');
    }
    rewrite.changes.push(Change {
        line: None,
        what: format!("it takes {}", list(&wanted.picks)),
        why: match evidence.runs {
            Runs::Program => {
                format!("the command starts {}, and what is beside it may be read", path::show(evidence.program.path()))
            }
            runs => format!("the command starts {}, which may read all of it", runs.word()),
        },
    });
    if let Some(line) = links(&wanted.links) {
        text.push_str(&line);
    }
    for line in chown(evidence, wanted, chosen, user.as_ref()).into_iter().chain(chmod(&wanted.modes)) {
        text.push_str(&line);
        text.push('\n');
    }
    if wanted.ldconfig && chosen.has_shell {
        text.push_str("RUN ldconfig\n");
    }
    // What was said earlier in the stage, or in those below it, holds for the last one too.
    for one in repeated(subject, evidence, kept) {
        text.push_str(file.at(one.span).trim_end_matches(['\n', '\r']));
        text.push('\n');
    }
    if let Some(user) = user {
        text.push_str(&format!("USER {}\n", user.name));
        if user.added {
            rewrite.user = Some(user.name.clone());
            let what = format!("it runs as {}", user.name);
            rewrite.changes.push(Change { line: None, what, why: user.why });
        }
    } else if let Some(user) = base_user {
        text.push_str(&format!("USER {user}\n"));
    }
    text.push_str(&tail);
    rewrite.stage = text.find("FROM ").and_then(|at| text.get(at..)).unwrap_or_default().to_string();
    edits.push((Span::new(end, end), text));
    let text = tidy(&file.edited(&edits));
    rewrite.dockerfile =
        if file.text().contains("\r\n") { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text };
}

/// Why packages are installed.
fn needed(packages: &[String]) -> String {
    let trust = "the certificates of authorities, which were there before";
    let used = "libraries that the program loads, or programs that it starts";
    match packages.iter().any(|name| name == "ca-certificates") {
        true if packages.len() == 1 => trust.to_string(),
        true => format!("{used}, and {trust}"),
        false => used.to_string(),
    }
}

/// Says what of the old base's own run the new one does without.
fn leave(left: &Left, base: &str, rewrite: &mut Rewrite) {
    if let Some(entry) = &left.entry {
        rewrite.left.push("ENTRYPOINT");
        rewrite.changes.push(Change {
            line: None,
            what: format!("{} does not start the command any more", path::show(entry)),
            why: format!("it came with {base} and prepares what builds"),
        });
    }
    if !left.volumes.is_empty() {
        rewrite.left.push("VOLUME");
        rewrite.changes.push(Change {
            line: None,
            what: format!("it declares no volume at {} any more", left.volumes.join(", ")),
            why: format!("{base} did, and the Dockerfile does not"),
        });
    }
}

/// Where a stage ends: behind its last instruction.
fn stage_end(subject: &Subject<'_>, end: usize) -> usize {
    let last = end.checked_sub(1).and_then(|last| subject.file.instructions().get(last));
    last.map_or(subject.file.text().len(), |last| with_comments(subject, last).end)
}

fn keyword(one: &Instruction) -> Option<Keyword> {
    one.statement.keyword
}

fn is_of_run(one: &Instruction) -> bool {
    keyword(one).is_some_and(|keyword| OF_RUN.contains(&keyword))
}

/// The instruction with the comments that stand directly above it.
fn with_comments(subject: &Subject<'_>, one: &Instruction) -> Span {
    let pieces = subject.file.pieces();
    let Some(at) =
        pieces.iter().position(|piece| piece.span.start <= one.span.start && one.span.start < piece.span.end)
    else {
        return one.span;
    };
    let above = pieces.iter().take(at).rev().take_while(|piece| matches!(piece.kind, PieceKind::Comment)).count();
    let start = pieces.get(at - above).map_or(one.span.start, |piece| piece.span.start);
    let end = pieces.get(at).map_or(one.span.end, |piece| piece.span.end);
    Span::new(start, end)
}

/// Instructions that configure the run and do not stand at the end of the stage: of each kind that counts once the last.
fn repeated<'f>(subject: &Subject<'f>, evidence: &Evidence<'_>, kept: &'f [Instruction]) -> Vec<&'f Instruction> {
    let stages = evidence.chain.iter().skip(1).rev().filter_map(|&number| subject.file.stages().get(number));
    let below = stages.flat_map(|stage| subject.file.instructions().get(stage.body.clone()).unwrap_or_default());
    let all: Vec<&Instruction> = below.chain(kept).filter(|one| is_of_run(one)).collect();
    let once = [Keyword::Cmd, Keyword::Entrypoint, Keyword::Healthcheck, Keyword::Stopsignal];
    let counts = |at: usize, one: &Instruction| {
        let same = |other: &&Instruction| keyword(other) == keyword(one);
        !keyword(one).is_some_and(|keyword| once.contains(&keyword)) || !all.iter().skip(at + 1).any(same)
    };
    let mut found: Vec<&Instruction> =
        all.iter().enumerate().filter(|(at, one)| counts(*at, one)).map(|(_, one)| *one).collect();
    // A command that is set again at the end of the stage was moved from there.
    let stage = evidence.chain.first().and_then(|&number| subject.file.stages().get(number));
    let body = stage.and_then(|stage| subject.file.instructions().get(stage.body.clone())).unwrap_or_default();
    let moved: Vec<Keyword> = body.get(kept.len()..).unwrap_or_default().iter().filter_map(keyword).collect();
    found.retain(|one| keyword(one).is_none_or(|keyword| !(once.contains(&keyword) && moved.contains(&keyword))));
    found
}

/// The lines that set variables, with the arguments that they use.
fn environment(subject: &Subject<'_>, evidence: &Evidence<'_>, chosen: &Chosen) -> Vec<String> {
    let file = subject.file;
    let stages = evidence.chain.iter().rev().filter_map(|&number| file.stages().get(number));
    let body: Vec<&Instruction> =
        stages.flat_map(|stage| file.instructions().get(stage.body.clone()).unwrap_or_default()).collect();
    let env: Vec<&Instruction> = body.iter().copied().filter(|one| keyword(one) == Some(Keyword::Env)).collect();
    let uses = |name: &str| env.iter().any(|one| mentions(file.at(one.span), name));
    let mut lines = Vec::new();
    for one in &body {
        match &one.statement.command {
            Command::Env(pairs) if !pairs.iter().all(|pair| is_of_build(&pair.name.text)) => {
                lines.push(file.at(one.span).trim_end().to_string());
            }
            Command::Arg(names) if names.iter().any(|name| uses(&name.name.text)) => {
                lines.push(file.at(one.span).trim_end().to_string());
            }
            _ => {}
        }
    }
    // A program that is started by its name alone is looked for where it was.
    let config = subject.image.config.as_ref();
    let here = config.and_then(|config| config.variable("PATH"));
    let dir = [b"/", path::parent(evidence.program.path())].concat();
    let by_default = PATH_DEFAULT.split(':').any(|known| known.as_bytes() == dir);
    let listed = here.is_some_and(|here| here.split(':').any(|one| one.as_bytes() == dir));
    let set = chosen.same || lines.iter().any(|line| mentions(line, "PATH"));
    if evidence.runs == Runs::Program && listed && !by_default && !set {
        lines.push(format!("ENV PATH={}:{PATH_DEFAULT}", String::from_utf8_lossy(&dir)));
    }
    lines
}

/// Whether a variable speaks to compilers and installers only.
fn is_of_build(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "CGO_ENABLED",
        "GO111MODULE",
        "GOOS",
        "GOARCH",
        "GOPROXY",
        "GOFLAGS",
        "GOCACHE",
        "GOMODCACHE",
        "DEBIAN_FRONTEND",
        "CARGO_HOME",
        "RUSTFLAGS",
        "MAVEN_OPTS",
    ];
    NAMES.contains(&name)
}

/// Whether a text uses or sets a variable.
fn mentions(text: &str, name: &str) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        edge(before.chars().next_back()) && edge(after.chars().next())
    })
}

/// The line that installs packages.
fn install(subject: &Subject<'_>, packages: &[String], recommended: bool) -> Option<String> {
    if packages.is_empty() {
        return None;
    }
    let names = packages.join(" ");
    let option = if recommended { "" } else { " --no-install-recommends" };
    Some(match subject.inventory.resolve(b"lib/apk/db/installed") {
        Some(_) => format!("RUN apk add --no-cache {names}\n"),
        None => format!(
            "RUN apt-get update \\\n && apt-get install -y{option} {names} \\\n && rm -rf /var/lib/apt/lists/*\n"
        ),
    })
}

/// The user that the base may run as, where the image does not run as root: commands of the last stage need root.
fn base_user(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Option<String> {
    let user = &subject.image.config.as_ref()?.user;
    let root = matches!(user.as_str(), "" | "0" | "root" | "0:0" | "root:root");
    (!user.is_empty() && (!root || sets(subject, evidence, Keyword::User))).then(|| user.clone())
}

/// Who the last stage runs as.
struct User {
    name: String,
    /// Whether the old one ran as root.
    added: bool,
    why: String,
}

fn user(subject: &Subject<'_>, evidence: &Evidence<'_>, chosen: &Chosen, left: &Left) -> Option<User> {
    let config = subject.image.config.as_ref()?;
    let root =
        subject.findings.iter().any(|finding| finding.family == Family::RootUser && finding.rule.ends_with("/uid-0"));
    if !config.user.is_empty() && !root {
        let set = sets(subject, evidence, Keyword::User);
        return set.then(|| User { name: config.user.clone(), added: false, why: String::new() });
    }
    // What a base starts may have to be root, whatever is started in the end: it was never run as anybody else.
    let volumes = config.volumes != left.volumes;
    if opens_low_port(config) || volumes || evidence.runs == Runs::Server || chosen.same && !evidence.of_base.is_empty()
    {
        return None;
    }
    let name = match evidence.runs {
        Runs::Node if Name::of(&chosen.image).repository == "node" => "1000:1000",
        _ => NONROOT,
    };
    let why = "it ran as root, opens no port below 1024 and declares no volume".to_string();
    Some(User { name: name.to_string(), added: true, why })
}

/// The lines that copy: a directory each, and files together that go to the same directory.
fn copies(from: &str, picks: &[Pick], chown: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut done = vec![false; picks.len()];
    for (at, pick) in picks.iter().enumerate() {
        if std::mem::replace(&mut done[at], true) {
            continue;
        }
        let owner = pick.owner.map(|(uid, gid)| format!("{uid}:{gid}"));
        // What was root's before goes to the user that the program runs as now, where it may have to be written.
        let owner = owner.or_else(|| chown.filter(|_| pick.is_dir).map(str::to_string));
        let flag = owner.map_or_else(String::new, |owner| format!("--chown={owner} "));
        let dir = path::parent(&pick.path);
        let mut sources = vec![pick.path.as_slice()];
        if !pick.is_dir {
            for (other, taken) in picks.iter().zip(&mut done).skip(at + 1) {
                let same = !other.is_dir && other.owner == pick.owner && path::parent(&other.path) == dir;
                if same && !*taken {
                    *taken = true;
                    sources.push(&other.path);
                }
            }
        }
        let to = if pick.is_dir { pick.path.clone() } else { [dir, b"/"].concat() };
        let words: Vec<String> = sources.iter().map(|source| format!("/{}", String::from_utf8_lossy(source))).collect();
        let to = format!("/{}", String::from_utf8_lossy(&to).trim_start_matches('/'));
        let spaced = words.iter().chain([&to]).any(|word| word.contains([' ', '"', '\\', '$', '[']));
        if spaced {
            let quoted: Vec<String> = words.iter().chain([&to]).map(|word| format!("{word:?}")).collect();
            lines.push(format!("COPY --from={from} {flag}[{}]", quoted.join(", ")));
        } else {
            lines.push(format!("COPY --from={from} {flag}{} {to}", words.join(" ")));
        }
    }
    lines
}

/// The lines that give directories to whom they belonged, and the one where the command is started to a new user.
fn chown(evidence: &Evidence<'_>, wanted: &Wanted, chosen: &Chosen, user: Option<&User>) -> Vec<String> {
    let mut dirs: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for (dir, (uid, gid)) in &wanted.owned {
        dirs.entry(format!("{uid}:{gid}")).or_default().push(dir);
    }
    let dir = &evidence.dir[..];
    let whole = wanted.picks.iter().any(|pick| pick.is_dir && (pick.path == dir || path::is_below(dir, &pick.path)));
    let known = SYSTEM.contains(&dir) || wanted.owned.iter().any(|(owned, _)| owned == dir);
    if let Some(user) = user.filter(|user| user.added && chosen.has_shell && !whole && !known) {
        dirs.entry(user.name.clone()).or_default().push(dir);
    }
    let line = |(owner, dirs): (&String, &Vec<&[u8]>)| {
        format!("RUN chown {owner} {}", dirs.iter().map(|dir| quoted(b"/", dir)).collect::<Vec<_>>().join(" "))
    };
    dirs.iter().map(line).collect()
}

/// The line that makes links again.
fn links(links: &[(Vec<u8>, Vec<u8>)]) -> Option<String> {
    let made = links.iter().map(|(path, to)| {
        let dir = path::parent(path);
        let mkdir = if SYSTEM.contains(&dir) { String::new() } else { format!("mkdir -p {} && ", quoted(b"/", dir)) };
        format!("{mkdir}ln -sfn {} {}", quoted(b"", to), quoted(b"/", path))
    });
    let made: Vec<String> = made.collect();
    (!made.is_empty()).then(|| format!("RUN {}\n", made.join(" \\\n && ")))
}

/// The line that removes again what the Dockerfile removed of the base that stays.
fn removed(words: &[Removed]) -> Option<String> {
    let word = |removed: &Removed| match removed {
        Removed::Path(path) => quoted(b"/", path),
        Removed::Inside(dir) => format!("{}/*", quoted(b"/", dir)),
    };
    let words: Vec<String> = words.iter().map(word).collect();
    (!words.is_empty()).then(|| format!("RUN rm -rf {}\n", words.join(" ")))
}

/// The lines that let others write to directories again.
fn chmod(modes: &[(Vec<u8>, u16)]) -> Vec<String> {
    let mut dirs: BTreeMap<u16, Vec<&[u8]>> = BTreeMap::new();
    for (dir, mode) in modes {
        dirs.entry(*mode).or_default().push(dir);
    }
    let line = |(mode, dirs): (&u16, &Vec<&[u8]>)| {
        format!("RUN chmod {mode:04o} {}", dirs.iter().map(|dir| quoted(b"/", dir)).collect::<Vec<_>>().join(" "))
    };
    dirs.iter().map(line).collect()
}

/// A path as a word of a shell.
fn quoted(before: &[u8], path: &[u8]) -> String {
    let word = String::from_utf8_lossy(&[before, path].concat()).into_owned();
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c));
    if plain { word } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn list(picks: &[Pick]) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = picks.iter().take(SHOWN).map(|pick| path::show(&pick.path)).collect();
    match picks.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

/// What of a family was found, in a few words.
fn told(subject: &Subject<'_>, family: Family) -> String {
    let found: Vec<String> = subject
        .findings
        .iter()
        .filter(|finding| finding.family == family)
        .take(3)
        .map(|finding| format!("{} {}", finding.subject, brought(finding.origin)))
        .collect();
    found.join(", ")
}

fn why_build_only(subject: &Subject<'_>) -> String {
    let mut found: Vec<&str> = Vec::new();
    let families = [Family::BuildTool, Family::DevDependency, Family::Source, Family::Cache, Family::Vcs];
    for finding in subject.findings.iter().filter(|finding| families.contains(&finding.family)) {
        if !found.contains(&finding.subject.as_str()) {
            found.push(&finding.subject);
        }
    }
    let more = found.len().saturating_sub(5);
    found.truncate(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it holds {}{more}, which the command does not need", found.join(", "))
}

/// At most one empty line in a row, and one line end at the end.
fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        if !(line.trim().is_empty() && lines.last().is_some_and(|last| last.trim().is_empty())) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.trim().is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(path: &str, is_dir: bool, owner: Option<(u32, u32)>) -> Pick {
        Pick { path: path.as_bytes().to_vec(), is_dir, owner, bytes: 1 }
    }

    #[test]
    fn files_for_one_directory_share_a_line_and_directories_have_their_own() {
        let picks = [
            pick("app/dist", true, None),
            pick("app/package.json", false, None),
            pick("app/server.js", false, None),
            pick("srv/data", true, Some((7, 8))),
        ];
        let want = [
            "COPY --from=build --chown=65532:65532 /app/dist /app/dist",
            "COPY --from=build /app/package.json /app/server.js /app/",
            "COPY --from=build --chown=7:8 /srv/data /srv/data",
        ];
        assert_eq!(copies("build", &picks, Some("65532:65532")), want);
    }

    #[test]
    fn links_are_made_again_since_copying_one_copies_what_it_leads_to() {
        let all = [
            (b"usr/local/bin/serve".to_vec(), b"../lib/node_modules/serve/main.js".to_vec()),
            (b"srv/now here".to_vec(), b"/srv/it's".to_vec()),
        ];
        let want = "RUN ln -sfn ../lib/node_modules/serve/main.js /usr/local/bin/serve \\\n && \
                    ln -sfn '/srv/it'\\''s' '/srv/now here'\n";
        assert_eq!(links(&all).as_deref(), Some(want));
        assert!(
            links(&[(b"app/x/y".to_vec(), b"z".to_vec())])
                .is_some_and(|line| line.starts_with("RUN mkdir -p /app/x && "))
        );
        assert_eq!(links(&[]), None);
    }

    #[test]
    fn what_is_removed_and_opened_again_is_a_line_of_the_shell() {
        let words = [Removed::Path(b"etc/a b".to_vec()), Removed::Inside(b"srv/html".to_vec())];
        assert_eq!(removed(&words).as_deref(), Some("RUN rm -rf '/etc/a b' /srv/html/*\n"));
        assert_eq!(removed(&[]), None);
        let modes = [(b"b".to_vec(), 0o775), (b"a".to_vec(), 0o1777), (b"c".to_vec(), 0o775)];
        assert_eq!(chmod(&modes), ["RUN chmod 0775 /b /c", "RUN chmod 1777 /a"]);
        assert!(chmod(&[]).is_empty());
    }

    #[test]
    fn names_that_a_line_would_split_are_written_as_json() {
        let lines = copies("build", &[pick("srv/my app", true, None)], None);
        assert_eq!(lines, [r#"COPY --from=build ["/srv/my app", "/srv/my app"]"#]);
    }

    #[test]
    fn a_variable_is_mentioned_as_a_whole_name() {
        assert!(mentions("ENV PATH=/opt/bin:$PATH", "PATH"));
        assert!(mentions("ENV A=${VERSION}", "VERSION"));
        assert!(!mentions("ENV A=$GO_VERSION_FULL", "VERSION"));
        assert!(!mentions("ENV LD_LIBRARY_PATH=/x", "PATH"));
    }

    #[test]
    fn at_most_one_empty_line_stays_in_a_row() {
        assert_eq!(tidy("a\n\n\n\nb\r\n\n"), "a\n\nb\n");
    }
}
