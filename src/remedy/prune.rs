//! How dev dependencies are taken out at the end of the build stage, by the package manager that put them in.

use std::collections::{BTreeSet, HashSet};

use super::{
    Runs, Stop, Subject,
    evidence::{Evidence, is_gone},
};
use crate::{
    inventory::{File, Inventory},
    model::{Fact, Family, Finding, ImageConfig, Lang, State, path},
};

/// The files that go when dev dependencies are pruned.
pub(super) fn pruned<'a>(
    subject: &'a Subject<'_>,
    prune: Option<&str>,
    runs: Runs,
    unwanted: &'a HashSet<Vec<u8>>,
) -> HashSet<&'a [u8]> {
    if prune.is_none() {
        return HashSet::new();
    }
    if let Some(rule) = match runs {
        Runs::Php => Some(COMPOSER),
        Runs::Ruby => Some(BUNDLER),
        _ => None,
    } {
        let files = of_rule(subject, rule).flat_map(|f| &f.paths).flat_map(|group| &group.files);
        return files.map(|file| file.as_bytes()).collect();
    }
    if runs == Runs::Python {
        return python_dev(subject).flat_map(|f| &f.paths).flat_map(|g| &g.files).map(|file| file.as_bytes()).collect();
    }
    let in_modules = |file: &&[u8]| file.split(|&byte| byte == b'/').any(|part| part == b"node_modules");
    unwanted.iter().map(Vec::as_slice).filter(in_modules).collect()
}

/// Dev dependencies of Composer.
const COMPOSER: &str = "dev-dependency/composer";

/// Dev dependencies of Bundler.
const BUNDLER: &str = "dev-dependency/bundler";

/// Live findings of a rule.
fn of_rule<'s>(subject: &Subject<'s>, rule: &'static str) -> impl Iterator<Item = &'s Finding> {
    subject.findings.iter().filter(move |f| f.rule == rule && f.state == State::Live)
}

/// Whether a finding was not there before: interpreters come with packages of their own.
fn is_own(subject: &Subject<'_>, evidence: &Evidence<'_>, finding: &Finding) -> bool {
    let mut files = finding.paths.iter().flat_map(|group| &group.files);
    files.any(|path| subject.inventory.get(path.as_bytes()).is_some_and(|file| file.layer() >= evidence.own_from))
}

/// Files of dev dependencies that nothing can take out: those who load the others ask for these as well, so all of them stay.
pub(super) fn bound<'s>(subject: &Subject<'s>, prune: Option<&str>, runs: Runs) -> HashSet<&'s [u8]> {
    let rule = match runs {
        Runs::Php => COMPOSER,
        Runs::Ruby => BUNDLER,
        _ => return HashSet::new(),
    };
    if prune.is_some() {
        return HashSet::new();
    }
    let files = of_rule(subject, rule).flat_map(|f| &f.paths).flat_map(|group| &group.files);
    files.map(|file| file.as_bytes()).collect()
}

/// Findings of distributions that only development needs.
fn python_dev<'s>(subject: &Subject<'s>) -> impl Iterator<Item = &'s Finding> {
    let python = |f: &&Finding| f.rule == "dev-dependency/python" && f.state == State::Live && is_gone(f);
    subject.findings.iter().filter(python)
}

/// How the dev dependencies of a project are removed.
pub(super) fn prune(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Result<Option<String>, Stop> {
    let dev = subject.findings.iter().any(|f| f.family == Family::DevDependency && f.state == State::Live);
    match evidence.runs {
        Runs::Node if dev => prune_node(subject, evidence),
        Runs::Python if dev => Ok(prune_python(subject)),
        Runs::Php => Ok(prune_composer(subject, evidence)),
        Runs::Ruby => Ok(prune_bundler(subject, evidence)),
        _ => Ok(None),
    }
}

/// `pip uninstall` with the distributions that findings name, where there is one pip that removes them.
fn prune_python(subject: &Subject<'_>) -> Option<String> {
    let is_home = |dir: &[u8]| matches!(path::name(dir), b"site-packages" | b"dist-packages");
    let roots =
        python_dev(subject).flat_map(|f| &f.paths).map(|group| group.root.as_bytes()).filter(|root| is_home(root));
    let roots: BTreeSet<&[u8]> = roots.collect();
    let (Some(root), 1) = (roots.first(), roots.len()) else { return None };
    let pip = pip_of(subject.inventory, subject.image.config.as_ref()?, root)?;
    let names: BTreeSet<&str> =
        python_dev(subject).flat_map(|f| &f.packages).map(|package| package.name.as_str()).collect();
    let is_plain = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let plain = !names.is_empty() && names.iter().all(is_plain) && !pip.contains(char::is_whitespace);
    plain.then(|| format!("{pip} uninstall --yes {}", names.into_iter().collect::<Vec<_>>().join(" ")))
}

/// `composer install --no-dev` over what it installed, where the Dockerfile has it install a project with a lock file.
fn prune_composer(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Option<String> {
    of_rule(subject, COMPOSER).find(|finding| is_own(subject, evidence, finding))?;
    composer_of(subject.inventory, subject.image.config.as_ref()?, subject.file.text(), evidence.own_from)
}

/// The command, where the image and the text of its Dockerfile allow it.
fn composer_of(inventory: &Inventory, config: &ImageConfig, text: &str, own_from: u32) -> Option<String> {
    let mut locks = inventory.files().filter(|file| path::name(file.path()) == b"composer.lock");
    let lock = locks.find(|file| {
        let vendor = [path::parent(file.path()), b"/vendor/composer/installed.json"].concat();
        file.layer() >= own_from && inventory.resolve(&path::clean(&vendor)).is_some()
    })?;
    let dir = path::show(path::parent(lock.path()));
    let there = config
        .path()
        .split(':')
        .any(|bin| inventory.resolve(&path::clean(format!("{bin}/composer").as_bytes())).is_some());
    let has = |name: &str| inventory.resolve(&path::clean(format!("{dir}/{name}").as_bytes())).is_some();
    // What frameworks note of the packages that are there names those for development as well, and is loaded when they start:
    // Laravel's manifest, and the bundles of Symfony where the environment is not the one without them.
    let noted = has("bootstrap/cache/packages.php")
        || has("config/bundles.php") && config.variable("APP_ENV").is_none_or(|name| name != "prod");
    if !there
        || noted
        || !is_root(config)
        || !text.contains("composer install")
        || dir.contains(|c: char| c.is_whitespace() || "'\"$\\".contains(c))
    {
        return None;
    }
    // Options that decide what is written, as they were.
    let kept = ["--optimize-autoloader", "--classmap-authoritative", "--ignore-platform-reqs"];
    let kept: String = kept.iter().filter(|option| text.contains(*option)).map(|option| format!(" {option}")).collect();
    Some(format!("composer install --no-dev --no-interaction --no-scripts{kept} --working-dir={dir}"))
}

/// `bundle clean` without the groups that only development needs, where all gems are those of the project.
fn prune_bundler(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Option<String> {
    of_rule(subject, BUNDLER).find(|finding| is_own(subject, evidence, finding))?;
    let own = |name: &[u8]| {
        let at = path::clean(&[&evidence.dir[..], b"/", name].concat());
        subject.inventory.get(&at).filter(|file| file.layer() >= evidence.own_from)
    };
    own(b"Gemfile.lock")?;
    bundler_of(own(b"Gemfile")?, subject.image.config.as_ref()?, subject.file.text())
}

/// The command, where the project's `Gemfile` and the text of the Dockerfile allow it.
fn bundler_of(gemfile: File<'_>, config: &ImageConfig, text: &str) -> Option<String> {
    // It removes every gem that is not in the lock file.
    let others = text
        .lines()
        .any(|line| line.split("&&").any(|one| one.contains("gem install") && !one.contains("gem install bundler")));
    let set = text.contains("BUNDLE_WITHOUT");
    // Gems of other groups would be asked for when the program starts.
    let known = |group: &String| ["default", "development", "production", "test"].contains(&group.as_str());
    let plain = gemfile.facts().any(|fact| match fact {
        Fact::Lang(Lang::Gemfile(gemfile)) => gemfile.gems.iter().all(|(_, groups)| groups.iter().all(known)),
        _ => false,
    });
    let safe = !others && !set && plain && is_root(config);
    safe.then(|| format!("BUNDLE_WITHOUT={} bundle clean --force", WITHOUT))
}

/// Groups of a Gemfile that only development needs, as `BUNDLE_WITHOUT` has them.
pub(super) const WITHOUT: &str = "development:test";

/// Whether the last commands of the stage run as root.
fn is_root(config: &ImageConfig) -> bool {
    matches!(config.user.split(':').next().unwrap_or_default(), "" | "0" | "root")
}

/// The pip that can remove what lies in `PREFIX/lib/python3.11/site-packages`, as a command of the build stage.
fn pip_of(inventory: &Inventory, config: &ImageConfig, packages: &[u8]) -> Option<String> {
    if !is_root(config) {
        return None;
    }
    let version = path::name(path::parent(packages));
    let prefix = path::parent(path::parent(path::parent(packages)));
    let there = |parts: &[&[u8]]| inventory.resolve(&path::clean(&parts.join(&b'/'))).is_some();
    if there(&[prefix, b"pyvenv.cfg"]) {
        return there(&[prefix, b"bin/pip"]).then(|| format!("{}/bin/pip", path::show(prefix)));
    }
    // PEP 668: pip leaves to the distribution what is the distribution's, unless it is told otherwise.
    let told = config.variable("PIP_BREAK_SYSTEM_PACKAGES").is_some_and(|value| !matches!(value, "" | "0"));
    let managed = |home: &[u8]| there(&[home, version, b"EXTERNALLY-MANAGED"]);
    if !told && (managed(b"usr/lib") || managed(b"usr/local/lib")) {
        return None;
    }
    config.path().split(':').any(|dir| there(&[dir.as_bytes(), b"pip"])).then(|| "pip".to_string())
}

/// How the package manager of a Node.js project removes them.
fn prune_node(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Result<Option<String>, Stop> {
    let has = |name: &str| {
        let at = [&evidence.dir[..], b"/", name.as_bytes()].concat();
        subject.inventory.resolve(&path::clean(&at)).is_some()
    };
    if has("pnpm-lock.yaml") {
        return Ok(Some("CI=true pnpm prune --prod".to_string()));
    }
    if has("yarn.lock") {
        if has(".yarnrc.yml") {
            return Stop::refused("dev dependencies are installed, and yarn 2 and above can not take them out again");
        }
        let words = "yarn install --production --ignore-scripts --prefer-offline --frozen-lockfile";
        return Ok(Some(words.to_string()));
    }
    if has("package.json") {
        return Ok(Some("npm prune --omit=dev".to_string()));
    }
    Stop::refused("dev dependencies are installed, and the directory of the command has no package.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::tests::layer,
        model::{Entry, EntryId, Format, Gemfile, Kind, LayerFacts},
    };

    fn config(user: &str) -> ImageConfig {
        ImageConfig { user: user.to_string(), ..ImageConfig::default() }
    }

    #[test]
    fn composer_is_called_where_it_installed_the_project_and_can_be_started() {
        let project = ["app/composer.lock", "app/vendor/composer/installed.json", "usr/bin/composer"];
        let asked = |files: &[&str], user: &str, text: &str| {
            let own = files.iter().fold(layer(), |layer, file| layer.file(file));
            let inventory = Inventory::build(vec![layer().file("etc/passwd").facts(), own.facts()]);
            composer_of(&inventory, &config(user), text, 1)
        };
        let command = "composer install --no-dev --no-interaction --no-scripts";
        for (files, user, text, want) in [
            (&project[..], "", "RUN composer install", Some(format!("{command} --working-dir=/app"))),
            (
                &project,
                "0",
                "RUN cd x && composer install -n --optimize-autoloader",
                Some(format!("{command} --optimize-autoloader --working-dir=/app")),
            ),
            (&project, "www-data", "RUN composer install", None),
            (&project, "", "RUN composer update", None),
            (&project[..2], "", "RUN composer install", None),
            (&["app/composer.lock", project[2]], "", "RUN composer install", None),
            (&[project[1], project[2]], "", "RUN composer install", None),
            (
                &["a b/composer.lock", "a b/vendor/composer/installed.json", project[2]],
                "",
                "RUN composer install",
                None,
            ),
        ] {
            assert_eq!(asked(files, user, text), want, "{files:?} {user} {text}");
        }
        // What a framework noted names the packages for development, too.
        let with = |file, env: &str| {
            let own = project.iter().chain([&file]).fold(layer(), |layer, file| layer.file(file));
            let config = ImageConfig { env: vec![env.to_string()], ..config("") };
            composer_of(&Inventory::build(vec![own.facts()]), &config, "RUN composer install", 0).is_some()
        };
        assert!(!with("app/bootstrap/cache/packages.php", "APP_ENV=prod"));
        assert!(!with("app/config/bundles.php", "APP_ENV=dev") && with("app/config/bundles.php", "APP_ENV=prod"));
        assert!(with("app/bootstrap/cache/.gitignore", ""), "nothing is noted yet");
        let base = project.iter().fold(layer(), |layer, file| layer.file(file));
        let inventory = Inventory::build(vec![base.facts(), layer().file("app/x").facts()]);
        assert_eq!(composer_of(&inventory, &config(""), "RUN composer install", 1), None, "the base's own");
    }

    #[test]
    fn bundler_is_called_where_all_gems_are_those_of_the_project() {
        let asked = |groups: &[&str], user: &str, text: &str| {
            let groups = groups.iter().map(|group| group.to_string()).collect();
            let gems = vec![("rack".to_string(), Vec::new()), ("rspec".to_string(), groups)];
            let fact = Fact::Lang(Lang::Gemfile(Gemfile { gems, gemspec: false }));
            let inventory = Inventory::build(vec![layer().file("app/Gemfile").fact(fact).facts()]);
            bundler_of(inventory.get(b"app/Gemfile").expect("it is there"), &config(user), text)
        };
        let text = "RUN gem install bundler && bundle install";
        let command = Some("BUNDLE_WITHOUT=development:test bundle clean --force".to_string());
        for (groups, user, text, want) in [
            (&["test"][..], "", text, command.clone()),
            (&["development", "test"], "root", text, command),
            (&["test"], "app", text, None),
            (&["assets"], "", text, None),
            (&["test"], "", "RUN gem install foreman && bundle install", None),
            (&["test"], "", "ENV BUNDLE_WITHOUT=test\nRUN bundle install", None),
        ] {
            assert_eq!(asked(groups, user, text), want, "{groups:?} {user} {text}");
        }
        let inventory = Inventory::build(vec![layer().file("app/Gemfile").facts()]);
        let unread = inventory.get(b"app/Gemfile").expect("it is there");
        assert_eq!(bundler_of(unread, &config(""), text), None, "what it says is not known");
    }

    #[test]
    fn pip_is_called_where_it_removes_what_is_installed() {
        let entry = |path: &'static str| Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: b"",
            kind: Kind::File,
            format: Format::Other,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 10,
        };
        let asked = |files: &[&'static str], env: &[&str], user: &str, packages: &str| {
            let mut layer = LayerFacts::default();
            for path in files {
                layer.entries.push(&entry(path)).expect("room");
            }
            let env = env.iter().map(|one| one.to_string()).collect();
            let config = ImageConfig { env, user: user.to_string(), ..ImageConfig::default() };
            pip_of(&Inventory::build(vec![layer]), &config, packages.as_bytes())
        };
        let (global, own) = ("usr/local/lib/python3.11/site-packages", "opt/venv/lib/python3.11/site-packages");
        let (pip, held) = ("usr/local/bin/pip", "usr/lib/python3.11/EXTERNALLY-MANAGED");
        let (venv, its) = ("opt/venv/pyvenv.cfg", "opt/venv/bin/pip");
        for (files, env, user, packages, want) in [
            (&[pip][..], &[][..], "", global, Some("pip")),
            (&[pip], &[], "0:0", global, Some("pip")),
            (&[pip], &[], "app", global, None),
            (&[], &[], "", global, None),
            (&[pip], &["PATH=/usr/bin"], "", global, None),
            (&[pip, held], &[], "", global, None),
            (&[pip, held], &["PIP_BREAK_SYSTEM_PACKAGES=1"], "", global, Some("pip")),
            (&[pip, "usr/lib/python3.12/EXTERNALLY-MANAGED"], &[], "", global, Some("pip")),
            (&[pip, held, venv, its], &[], "", own, Some("/opt/venv/bin/pip")),
            (&[pip, venv], &[], "", own, None),
        ] {
            assert_eq!(asked(files, env, user, packages).as_deref(), want, "{files:?} {env:?} {user}");
        }
    }
}
