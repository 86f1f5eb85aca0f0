//! Changes of one instruction that mend a finding by themselves: a flag, a clean-up at the end of the same RUN, a user.
//!
//! Only where the line that brought it is known, and where nothing that the line is seen to do needs what goes.

use super::{NONROOT, evidence::may_need_root};
use crate::{
    dockerfile::{Command, File, Instruction, Keyword, Script, Span, shell::Simple},
    model::{Family, Finding, ImageInfo, Patch, path},
};

/// A flag that keeps something out: for findings of these rules, behind these words of a command.
struct Flag {
    rule: &'static str,
    commands: &'static [&'static str],
    verbs: &'static [&'static str],
    flag: &'static str,
}

const FLAGS: [Flag; 8] = [
    Flag { rule: "cache/apk", commands: &["apk"], verbs: &["add"], flag: "--no-cache" },
    Flag { rule: "cache/pip", commands: &["pip", "pip3"], verbs: &["install"], flag: "--no-cache-dir" },
    Flag { rule: "dev-dependency/npm", commands: &["npm"], verbs: &["ci", "install", "i"], flag: "--omit=dev" },
    Flag { rule: "dev-dependency/pnpm", commands: &["pnpm"], verbs: &["install", "i"], flag: "--prod" },
    Flag { rule: "dev-dependency/yarn", commands: &["yarn"], verbs: &["install"], flag: "--production" },
    Flag { rule: "dev-dependency/composer", commands: &["composer"], verbs: &["install"], flag: "--no-dev" },
    Flag { rule: "dev-dependency/python", commands: &["poetry"], verbs: &["install"], flag: "--only main" },
    Flag { rule: "dev-dependency/python", commands: &["uv"], verbs: &["sync"], flag: "--no-dev" },
];

/// A clean-up at the end of the command that made the mess: for findings of this rule below this directory, where this
/// command ran.
struct Purge {
    rule: &'static str,
    below: &'static [u8],
    command: &'static str,
    purge: &'static str,
}

const PURGES: [Purge; 5] = [
    Purge { rule: "cache/apt-lists", below: b"var/cache/apt", command: "apt-get", purge: "apt-get clean" },
    Purge { rule: "cache/apt-lists", below: b"", command: "apt-get", purge: "rm -rf /var/lib/apt/lists/*" },
    Purge { rule: "cache/apt-archives", below: b"", command: "apt-get", purge: "apt-get clean" },
    Purge { rule: "cache/npm", below: b"", command: "npm", purge: "npm cache clean --force" },
    Purge { rule: "cache/yarn", below: b"", command: "yarn", purge: "yarn cache clean" },
];

/// Gives each finding the change that mends it, where there is one.
pub(crate) fn patch(file: &File, image: &ImageInfo, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.patch.is_none()) {
        finding.patch = match finding.family {
            Family::RootUser => user(file, image, finding),
            Family::Cache | Family::DevDependency => command(file, finding),
            _ => None,
        };
    }
}

fn command(file: &File, finding: &Finding) -> Option<Patch> {
    let line = finding.line.as_ref()?;
    let at = file.instructions().iter().position(|one| one.first_line == line.first)?;
    let one = file.instructions().get(at)?;
    if !matches!(one.statement.command, Command::Run(_)) || !one.heredocs.is_empty() {
        return None;
    }
    let script = file.scripts(one).into_iter().next()?;
    let commands = script.commands();
    let named = |simple: &Simple, names: &[&str]| {
        simple
            .plain_words()
            .and_then(|words| Some(words.first()?.rsplit('/').next().unwrap_or_default().to_string()))
            .is_some_and(|name| names.contains(&name.as_str()))
    };
    for flag in FLAGS.iter().filter(|flag| finding.rule == flag.rule) {
        if finding.family == Family::DevDependency && builds_later(file, at, &commands) {
            return None;
        }
        let mut edits = Vec::new();
        for simple in commands.iter().filter(|simple| named(simple, flag.commands)) {
            let verb = simple.words.iter().skip(1).find(|(word, _)| flag.verbs.contains(&word.text.as_str()));
            let has = flag.flag.split(' ').next().unwrap_or_default();
            if let (Some((_, verb)), false) = (verb, simple.words.iter().any(|(word, _)| word.text == has)) {
                let end = script.span(*verb).end;
                edits.push((Span::new(end, end), format!(" {}", flag.flag)));
            }
        }
        if !edits.is_empty() {
            return replaced(file, one, &edits, format!("Add {} in line {}", flag.flag, one.first_line));
        }
    }
    let is_below = |dir: &[u8]| {
        let mut roots = finding.paths.iter().map(|group| group.root.as_bytes());
        dir.is_empty() || roots.any(|root| root == dir || path::is_below(root, dir))
    };
    let purge = PURGES.iter().find(|purge| finding.rule == purge.rule && is_below(purge.below))?;
    if !commands.iter().any(|simple| named(simple, &[purge.command])) {
        return None;
    }
    let last = commands.last()?;
    // Behind a loop or a subshell the end of the last command is not the end of the script.
    if last.depth > 0 || !last.ended_by.is_empty() || commands.iter().any(|simple| simple.ended_by == "||") {
        return None;
    }
    let end = end_of(&script, last);
    let text = format!(" {}\n && {}", file.escape(), purge.purge);
    let what = format!("End line {} with {}", one.last_line, purge.purge);
    replaced(file, one, &[(Span::new(end, end), text)], what)
}

fn end_of(script: &Script<'_>, last: &Simple) -> usize {
    script.span(last.span).end
}

/// Whether something that may need the packages of development runs after they are installed.
fn builds_later(file: &File, at: usize, commands: &[Simple]) -> bool {
    let stage = file.stages().iter().find(|stage| stage.body.contains(&at));
    let end = stage.map_or(at, |stage| stage.body.end);
    let later = file.instructions().get(at + 1..end).unwrap_or_default();
    let verbs = ["run", "run-script", "build", "exec", "test", "rebuild"];
    let runs = |simple: &Simple| {
        let mut words = simple.words.iter().map(|(word, _)| word.text.as_str());
        let first = words.next().unwrap_or_default();
        ["npx", "node", "tsc", "make", "vite"].contains(&first) || words.any(|word| verbs.contains(&word))
    };
    later.iter().any(|one| matches!(one.statement.command, Command::Run(_))) || commands.iter().any(runs)
}

/// A user for an image that runs as root, where nothing says that it has to.
fn user(file: &File, image: &ImageInfo, finding: &Finding) -> Option<Patch> {
    let config = image.config.as_ref()?;
    if !finding.rule.ends_with("/uid-0") || may_need_root(config) {
        return None;
    }
    let stage = file.stages().last()?;
    let body = file.instructions().get(stage.body.clone())?;
    let last = body.iter().rposition(|one| one.statement.keyword == Some(Keyword::User));
    let behind = last.map_or(0, |at| at + 1);
    let needs_root = body.get(behind..)?.iter().any(|one| one.statement.keyword.is_some_and(Keyword::makes_files));
    match last.and_then(|at| body.get(at)) {
        Some(old) if !needs_root => {
            let what = format!("Run as {NONROOT} instead of root");
            let Command::User(word) = &old.statement.command else { return None };
            replaced(file, old, &[(word.span, NONROOT.to_string())], what)
        }
        _ => {
            let command = body.iter().rev().take_while(|one| !one.statement.keyword.is_some_and(Keyword::makes_files));
            let command =
                command.filter(|one| matches!(one.statement.keyword, Some(Keyword::Cmd | Keyword::Entrypoint)));
            let one = command.last()?;
            let start = one.span.start;
            let what = format!("Run as {NONROOT} instead of root");
            replaced(file, one, &[(Span::new(start, start), format!("USER {NONROOT}\n"))], what)
        }
    }
}

/// The lines of an instruction after some edits, as a change.
fn replaced(file: &File, one: &Instruction, edits: &[(Span, String)], what: String) -> Option<Patch> {
    let text = file.edited(edits);
    File::parse(&text).ok()?;
    let added = text.lines().count().checked_sub(file.text().lines().count())?;
    let (first, last) = (usize::try_from(one.first_line).ok()?, usize::try_from(one.last_line).ok()?);
    let lines: Vec<&str> = text.lines().skip(first.checked_sub(1)?).take(last + 1 - first + added).collect();
    Some(Patch { what, first: one.first_line, last: one.last_line, text: lines.join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{DockerfileLine, ImageConfig},
        report::testing,
    };

    /// The text that a finding of this rule gets for the line.
    fn patched(text: &str, rule: &str, line: u32) -> Option<String> {
        let file = File::parse(text).expect("it parses");
        let mut finding = testing::report().findings.remove(0);
        finding.rule = rule.to_string();
        finding.family = Family::of(rule).expect("a family");
        finding.line =
            Some(DockerfileLine { file: "Dockerfile".into(), first: line, last: line, instruction: String::new() });
        let image = ImageInfo { config: Some(ImageConfig::default()), ..ImageInfo::default() };
        let mut findings = [finding];
        patch(&file, &image, &mut findings);
        findings[0].patch.as_ref().map(|patch| patch.text.clone())
    }

    #[test]
    fn a_flag_or_a_clean_up_is_added_where_the_mess_is_made() {
        for (run, rule, want) in [
            ("RUN apk add  git && make", "cache/apk", Some("RUN apk add --no-cache  git && make")),
            ("RUN apk add --no-cache git", "cache/apk", None),
            ("RUN pip3 install -r a.txt", "cache/pip", Some("RUN pip3 install --no-cache-dir -r a.txt")),
            ("RUN [\"pip\", \"install\", \"a\"]", "cache/pip", None),
            (
                "RUN apt-get update && apt-get install -y gcc",
                "cache/apt-lists",
                Some("RUN apt-get update && apt-get install -y gcc \\\n && rm -rf /var/lib/apt/lists/*"),
            ),
            (
                "RUN apt-get install -y gcc",
                "cache/apt-archives",
                Some("RUN apt-get install -y gcc \\\n && apt-get clean"),
            ),
            ("RUN npm i a", "cache/npm", Some("RUN npm i a \\\n && npm cache clean --force")),
            ("RUN yarn", "cache/yarn", Some("RUN yarn \\\n && yarn cache clean")),
            ("RUN pnpm i", "dev-dependency/pnpm", Some("RUN pnpm i --prod")),
            (
                "RUN yarn install --frozen-lockfile",
                "dev-dependency/yarn",
                Some("RUN yarn install --production --frozen-lockfile"),
            ),
            ("RUN composer install -n", "dev-dependency/composer", Some("RUN composer install --no-dev -n")),
            ("RUN poetry install", "dev-dependency/python", Some("RUN poetry install --only main")),
            ("RUN uv sync --frozen", "dev-dependency/python", Some("RUN uv sync --no-dev --frozen")),
            ("RUN pipenv install --dev", "dev-dependency/python", None),
            ("RUN npm ci --omit=dev", "dev-dependency/npm", None),
            ("RUN <<EOF\npip install a\nEOF", "cache/pip", None),
            ("RUN (apt-get update && apt-get install -y gcc)", "cache/apt-lists", None),
            ("RUN apt-get update || true", "cache/apt-lists", None),
            ("RUN make", "cache/apt-lists", None),
        ] {
            assert_eq!(patched(&format!("FROM a\n{run}\n"), rule, 2).as_deref(), want, "{run}");
        }
    }

    #[test]
    fn what_is_cleaned_up_is_what_was_found() {
        let file = File::parse("FROM a\nRUN apt-get update\n").expect("it parses");
        let mut finding = testing::mended().findings.remove(0);
        (finding.rule, finding.family) = ("cache/apt-lists".into(), Family::Cache);
        finding.paths[0].root = "var/cache/apt".into();
        patch(&file, &ImageInfo::default(), std::slice::from_mut(&mut finding));
        let text = finding.patch.map(|patch| patch.text);
        assert_eq!(text.as_deref(), Some("RUN apt-get update \\\n && apt-get clean"));
    }

    #[test]
    fn packages_of_development_stay_where_something_is_built_with_them() {
        let npm = |rest: &str| patched(&format!("FROM a\nRUN npm ci{rest}"), "dev-dependency/npm", 2);
        assert_eq!(npm("\nCOPY . .\nCMD [\"node\", \"a\"]\n").as_deref(), Some("RUN npm ci --omit=dev"));
        assert_eq!(npm("\nCOPY . .\nRUN npm run build\n"), None);
        assert_eq!(npm(" && npm run build\n"), None);
        assert_eq!(npm("\nFROM b\nRUN make\n").as_deref(), Some("RUN npm ci --omit=dev"), "another stage");
    }

    #[test]
    fn a_user_is_set_before_the_command_and_after_what_needs_root() {
        let user = |text: &str| patched(text, "root-user/uid-0", 1);
        let want = "USER 65532:65532\nENTRYPOINT [\"a\"]";
        assert_eq!(user("FROM a\nCOPY a /\nENTRYPOINT [\"a\"]\nCMD [\"b\"]\n").as_deref(), Some(want));
        assert_eq!(user("FROM a\nCOPY a /\nUSER root\nCMD a\n").as_deref(), Some("USER 65532:65532"));
        assert_eq!(user("FROM a\nUSER root\nRUN b\nCMD a\n").as_deref(), Some("USER 65532:65532\nCMD a"));
        assert_eq!(user("FROM a\nCMD a\nRUN b\n"), None, "the command is set before");
    }
}
