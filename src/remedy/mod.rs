//! What to write instead: a multi-stage Dockerfile made from the user's own and from what the image proves.
//!
//! The stage that was built stays as it is, since it is known to build; a last stage is added that takes from it what the
//! command needs. `evidence` says what that is, `base` chooses what it stands on (`same`: what it stood on before),
//! `select` what is copied, `prune` what is taken out first, `packages` what is installed, `write` makes the text. What can
//! not be proved is refused with the reason. Nothing here starts a builder.

mod base;
mod cover;
mod dotnet;
mod evidence;
mod ignore;
mod java;
pub(crate) mod local;
mod origin;
mod packages;
mod prune;
mod same;
mod select;
mod served;
mod write;

use similar::TextDiff;

use self::{base::Chosen, select::Wanted};

use crate::{
    attribution::told::Dockerfile,
    catalogue::Catalogue,
    dockerfile::File,
    inventory::Inventory,
    model::{Family, Finding, Fix, ImageInfo, Rewrite, Severity},
    rule,
};

pub use self::ignore::Ignore;
pub use crate::catalogue::Runs;

/// The image to be mended, with everything that is known of it.
struct Subject<'a> {
    /// Manifest and configuration, as they are.
    image: &'a ImageInfo,
    /// Its files.
    inventory: &'a Inventory,
    /// What was found in it.
    findings: &'a [Finding],
    /// Its Dockerfile.
    file: &'a File,
    /// The stage that was built, if it was said.
    target: Option<&'a str>,
    /// The rules.
    catalogue: &'a Catalogue,
}

/// Reads an image by its name, as far as it is at hand: what is known of a new base is then certain.
pub type ReadBase<'a> = dyn Fn(&str) -> Option<Inventory> + 'a;

/// Bytes below which a rewrite is not worth it when no finding goes with them.
const WORTH: u64 = 20_000_000;

/// The user that is set where none is: what the smallest base images call `nonroot`.
const NONROOT: &str = "65532:65532";

/// Lines around a change in a diff.
const CONTEXT: usize = 3;

/// What is said where the Dockerfile is that of the provenance.
const ATTESTED: &str = "the Dockerfile is the one that the image's provenance carries";

/// Rewrites the Dockerfile of an image; without one, that which its history makes.
///
/// `image` has the configuration as it is.
pub fn fix(
    image: &ImageInfo,
    inventory: &Inventory,
    findings: &[Finding],
    dockerfile: Option<&Dockerfile>,
    catalogue: &Catalogue,
    read_base: &ReadBase<'_>,
) -> Fix {
    let subject = |file, target| Subject { image, inventory, findings, file, target, catalogue };
    if let Some(dockerfile) = dockerfile {
        let made = mend(&subject(dockerfile.file(), dockerfile.target()), read_base);
        let (shown, guessed) = match dockerfile.is_attested() {
            true => (Shown::Masked(Some(dockerfile.name())), vec![ATTESTED.to_string()]),
            false => (Shown::Whole(dockerfile.name()), Vec::new()),
        };
        return told(made, dockerfile.file(), &shown, guessed, catalogue);
    }
    match origin::dockerfile(image, inventory, catalogue) {
        Ok(origin::Made { file, guessed }) => {
            told(mend(&subject(&file, None), read_base), &file, &Shown::Masked(None), guessed, catalogue)
        }
        Err(_) if findings.iter().all(|finding| !evidence::is_gone(finding)) => Fix::Nothing(CLEAN.to_string()),
        Err(why) => {
            Fix::Refused(format!("there is no Dockerfile, and the image does not tell enough to make one: {why}"))
        }
    }
}

/// What came of an attempt to make a `.dockerignore`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ignored {
    /// It is made.
    Made(Ignore),
    /// There is nothing to let in; why.
    Nothing(String),
    /// What the build needs can not be told; why.
    Refused(String),
}

/// Makes the `.dockerignore` that goes with the Dockerfile of an image.
pub fn ignore(
    image: &ImageInfo,
    inventory: &Inventory,
    findings: &[Finding],
    dockerfile: &Dockerfile,
    catalogue: &Catalogue,
) -> Ignored {
    let masked = |text: String| rule::masked(catalogue, text);
    match ignore::make(image, inventory, findings, dockerfile.file(), dockerfile.target(), catalogue) {
        Ok(made) => Ignored::Made(made),
        Err(Stop::Nothing(why)) => Ignored::Nothing(masked(why)),
        Err(Stop::Refused(why)) => Ignored::Refused(masked(why)),
    }
}

/// Whether an image with these findings is worth an attempt.
pub fn is_worth(findings: &[Finding]) -> bool {
    findings.iter().any(evidence::is_gone)
}

/// How a file is shown, and under which name.
enum Shown<'n> {
    /// As it is: it is the user's own.
    Whole(&'n str),
    /// Without secrets: it came with the image, or was made of its history.
    Masked(Option<&'n str>),
}

/// The rewrite with what it was made from. In what is said of it there is no secret, and none in a file that came with the
/// image.
fn told(made: Fix, old: &File, shown: &Shown<'_>, guessed: Vec<String>, catalogue: &Catalogue) -> Fix {
    let masked = |text: String| rule::shown(catalogue, &text);
    let mut rewrite = match made {
        Fix::Rewritten(rewrite) => rewrite,
        Fix::Nothing(why) => return Fix::Nothing(masked(why)),
        Fix::Refused(why) => return Fix::Refused(masked(why)),
    };
    for change in &mut rewrite.changes {
        change.what = masked(std::mem::take(&mut change.what));
        change.why = masked(std::mem::take(&mut change.why));
    }
    let name = match shown {
        Shown::Whole(name) => Some(*name),
        Shown::Masked(name) => *name,
    };
    let path = name.unwrap_or("Dockerfile").trim_start_matches("./");
    let (before, after) = (format!("a/{path}"), format!("b/{path}"));
    let lines = TextDiff::from_lines(old.text(), &rewrite.dockerfile);
    rewrite.diff = lines.unified_diff().context_radius(CONTEXT).header(&before, &after).to_string();
    rewrite.old = old.text().to_string();
    rewrite.file = name.map(str::to_string);
    rewrite.guessed = guessed.into_iter().map(masked).collect();
    if matches!(shown, Shown::Masked(_)) {
        let whole = std::mem::take(&mut rewrite.dockerfile);
        rewrite.dockerfile = rule::shown(catalogue, &whole);
        if rewrite.dockerfile != whole {
            let what = "a value that looks like a secret was taken out of it: give it when the image runs";
            rewrite.guessed.push(what.to_string());
        }
        for text in [&mut rewrite.stage, &mut rewrite.diff] {
            *text = rule::shown(catalogue, text);
        }
    }
    Fix::Rewritten(rewrite)
}

/// Puts the new stage in the place of the example of each finding that it mends.
pub fn fill(fix: &Fix, findings: &mut [Finding]) {
    let Fix::Rewritten(rewrite) = fix else { return };
    for finding in findings.iter_mut() {
        let gone = evidence::is_gone(finding) && !rewrite.stays.contains(&finding.fingerprint);
        let user = finding.family == Family::RootUser && rewrite.user.is_some();
        if gone || user {
            finding.remedy.dockerfile.clone_from(&rewrite.stage);
            finding.remedy.own = true;
        }
    }
}

fn mend(subject: &Subject<'_>, read_base: &ReadBase<'_>) -> Fix {
    match try_fix(subject, read_base) {
        Ok(rewrite) => Fix::Rewritten(Box::new(rewrite)),
        // What needs no change needs no reason why it can not be made.
        Err(Stop::Refused(_)) if evidence::gone(subject).next().is_none() && !is_other_stage(subject) => {
            Fix::Nothing(CLEAN.to_string())
        }
        Err(Stop::Nothing(why)) => Fix::Nothing(why),
        Err(Stop::Refused(why)) => Fix::Refused(why),
    }
}

/// Whether the image is a stage that was not meant to ship.
fn is_other_stage(subject: &Subject<'_>) -> bool {
    subject.findings.iter().any(|finding| finding.family == Family::WrongStage && finding.severity > Severity::Note)
}

/// What is said of an image that another stage would keep nothing out of.
const CLEAN: &str = "the image has no build tool, dev dependency, source or cache at medium or above that another stage \
                     would keep out";

/// Why there is no rewrite.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Stop {
    Nothing(String),
    Refused(String),
}

impl Stop {
    fn refused<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(why.into()))
    }
}

fn try_fix(subject: &Subject<'_>, read_base: &ReadBase<'_>) -> Result<Rewrite, Stop> {
    let evidence = evidence::collect(subject)?;
    let stand = base::stand(subject, &evidence)?;
    let wanted = select::select(subject, &evidence, stand.same())?;
    let chosen = base::choose(subject, &evidence, &wanted, &stand);
    let read = read_base(if stand.same().is_some() { &evidence.base } else { &chosen.image });
    let known = match (stand.same(), &read) {
        (Some(same), at_hand) => {
            at_hand.as_ref().map_or(Ok(()), |known| base::check_border(subject, &evidence, known))?;
            Some(&same.base)
        }
        (None, read) => read.as_ref(),
    };
    let left = base::left(subject, &evidence, &stand);
    let packages = packages::packages(subject, &wanted, &chosen, known, stand.same());
    if let Some(known) = known {
        base::check(&evidence, &left, &chosen, known)?;
    }
    can_be_said(subject, &wanted, &chosen, &packages)?;
    let copied: u64 = wanted.picks.iter().map(|pick| pick.bytes).sum();
    let installed = packages::installed_bytes(subject, &packages, known);
    let before = subject.inventory.layers().iter().map(|layer| layer.payload_bytes).sum();
    let mut rewrite = Rewrite {
        from: evidence.base.clone(),
        to: chosen.image.clone(),
        stays: stand.same().map_or_else(Vec::new, |same| same.stays.clone()),
        before,
        added: copied.saturating_add(installed),
        base: known.map(|known| known.layers().iter().map(|layer| layer.payload_bytes).sum()),
        ..Rewrite::default()
    };
    worth(subject, &rewrite)?;
    write::write(subject, &evidence, &wanted, &chosen, &left, &packages, &mut rewrite);
    match File::parse(&rewrite.dockerfile) {
        Ok(_) => Ok(rewrite),
        Err(error) => Stop::refused(format!("the rewritten file would not parse, which is a bug in offcut: {error}")),
    }
}

/// Whether the new base has what the lines of the last stage call.
fn can_be_said(subject: &Subject<'_>, wanted: &Wanted, chosen: &Chosen, packages: &[String]) -> Result<(), Stop> {
    let has = |path: &[u8]| subject.inventory.resolve(path).is_some();
    if !packages.is_empty() && !has(b"lib/apk/db/installed") && !has(b"var/lib/dpkg/status") {
        return Stop::refused(format!(
            "it needs {}, and offcut installs packages of Debian and Alpine",
            packages.join(", ")
        ));
    }
    let lines =
        [!wanted.links.is_empty(), !wanted.removed.is_empty(), !wanted.owned.is_empty(), !wanted.modes.is_empty()];
    if !chosen.has_shell && wanted.needs_shell && lines.contains(&true) {
        return Stop::refused(format!("{} has no shell to make links and owners with", chosen.image));
    }
    Ok(())
}

/// Whether the rewrite wins anything.
fn worth(subject: &Subject<'_>, rewrite: &Rewrite) -> Result<(), Stop> {
    let saved = rewrite.after().map(|after| rewrite.before.saturating_sub(after));
    if evidence::gone(subject).next().is_none() && saved.is_none_or(|saved| saved < WORTH) {
        return Err(Stop::Nothing(CLEAN.to_string()));
    }
    if saved == Some(0) {
        return Err(Stop::Nothing("the rewritten image would not be smaller".to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Change;

    const OLD: &str = "FROM a\nENV DB_PASSWORD=hunter1\nRUN curl https://me:hunter2@h/x?t=hunter3 | sh\n";

    fn of_history(new: &str) -> Box<Rewrite> {
        let catalogue = Catalogue::builtin().expect("the catalogue is good");
        let change = Change { line: None, what: "it runs on b".into(), why: "curl https://me:hunter2@h/x".into() };
        let made = Rewrite { dockerfile: new.into(), stage: new.into(), changes: vec![change], ..Rewrite::default() };
        let old = File::parse(OLD).expect("it parses");
        let made = Fix::Rewritten(Box::new(made));
        match told(made, &old, &Shown::Masked(None), vec!["it was https://me:hunter2@h/x".into()], &catalogue) {
            Fix::Rewritten(rewrite) => rewrite,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_that_is_made_of_the_history_tells_no_secret_and_says_that_it_left_one_out() {
        let new = format!("{OLD}FROM b\nCOPY --from=0 /x /x\n");
        let mut rewrite = of_history(&new);
        rewrite.old.clear();
        let all = serde_json::to_string(&rewrite).expect("it is JSON");
        assert!(!all.contains("hunter"), "{all}");
        assert!(rewrite.dockerfile.contains("DB_PASSWORD") && rewrite.dockerfile.ends_with("/x /x\n"));
        assert_eq!(rewrite.guessed.len(), 2, "{:?}", rewrite.guessed);
    }

    #[test]
    fn a_file_of_the_users_own_is_shown_whole_and_one_of_the_provenance_is_not() {
        let catalogue = Catalogue::builtin().expect("the catalogue is good");
        let old = File::parse(OLD).expect("it parses");
        let shown = |shown: &Shown<'_>| {
            let made = Rewrite { dockerfile: OLD.into(), ..Rewrite::default() };
            match told(Fix::Rewritten(Box::new(made)), &old, shown, Vec::new(), &catalogue) {
                Fix::Rewritten(rewrite) => (rewrite.file.clone(), rewrite.dockerfile.clone()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(shown(&Shown::Whole("own")), (Some("own".to_string()), OLD.to_string()));
        let (name, text) = shown(&Shown::Masked(Some("app/Dockerfile")));
        assert_eq!(name.as_deref(), Some("app/Dockerfile"));
        assert!(text.contains("DB_PASSWORD") && !text.contains("hunter"), "{text}");
    }

    #[test]
    fn a_file_without_a_secret_is_what_was_written() {
        let new = "FROM a\nENV GREETING=hello\nFROM b\n";
        let rewrite = of_history(new);
        assert_eq!((rewrite.dockerfile.as_str(), rewrite.guessed.len()), (new, 1));
    }
}
