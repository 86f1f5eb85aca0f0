//! Turns policy files into a [`Catalogue`], or into a complete list of what is wrong with them.
//!
//! Checks what a rule means; its form was checked by [`super::schema`], and whether it works is checked by its
//! examples (`offcut rules check`).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::{
    Catalogue, Content, Fault, Files, Glob, Member, Module, Names, Places, Rule, Structure, Tree, framework, ground,
    roles::Roles,
    schema::{self, MemberKind, ModuleManager},
    secret,
    weakness::Weaknesses,
};
use crate::{
    model::{Digest, Family, Format, FormatSet, Kind, Manager, Remedy, RuleAbout},
    probe::{
        secret::SecretRules,
        sieve::{LITERAL_MAX, LITERAL_MIN},
    },
};

/// Texts that thousands of innocent programs hold, with the reason; they prove nothing.
const GENERIC: [(&str, &str); 9] = [
    ("clang version ", "names the compiler that built a file"),
    ("GCC: (", "names the compiler that built a file"),
    ("rustc version ", "names the compiler that built a file"),
    ("library/std/src/panicking.rs", "is in every Rust program"),
    ("-pass-exit-codes", "is in everything that calls a compiler driver"),
    ("fatal flex scanner internal error", "is in every program with a scanner that flex generated"),
    (".cfi_startproc", "is in every code generator"),
    ("GIT_CEILING_DIRECTORIES", "is in programs that look for a repository"),
    ("GNU C++", "is in the front end of every language of GCC"),
];

/// A name that no package has: a pattern that fits it fits everything.
const NO_PACKAGE: &str = "zz-0-no-package-has-this-name";

/// Compiles policy files, given as name and text.
///
/// Those of the program itself were proved by its tests: what is expensive to check is not checked again.
///
/// # Errors
/// Every fault of every file, sorted by file and line.
pub fn compile(builtin: Vec<(String, String)>, given: Vec<(String, String)>) -> Result<Catalogue, Vec<Fault>> {
    let proved: BTreeSet<String> = builtin.iter().map(|(name, _)| name.clone()).collect();
    let mut files = builtin;
    files.extend(given);
    files.sort();
    let digest = digest(&files);
    let mut faults = Vec::new();
    let mut parsed = Vec::new();
    for (name, text) in &files {
        match toml::from_str::<schema::File>(text) {
            Ok(file) => parsed.push((name, text, file)),
            Err(error) => faults.push(Fault {
                file: name.clone(),
                line: error.span().map_or(0, |span| line(text, span.start)),
                text: error.message().trim().replace('\n', ", "),
            }),
        }
    }

    let mut remedies = BTreeMap::new();
    for (name, text, file) in &parsed {
        for raw in &file.remedy {
            let mut check = Check::new(name, line(text, raw.id.span().start), &mut faults);
            let remedy = remedy(raw, &mut check);
            if remedies.insert(remedy.id.clone(), remedy).is_some() {
                check.fault(format!("there are two remedies \"{}\"", raw.id.get_ref()));
            }
        }
    }

    let (mut places, mut bases) = (Places::default(), Vec::new());
    for (name, _, file) in &parsed {
        let mut check = Check::new(name, 0, &mut faults);
        file.place.iter().for_each(|place| places.add(place, &mut check));
        bases.extend(file.base.iter().flat_map(|base| ground::bases(base, &mut check)));
    }

    let (mut runtimes, mut origins) = (Vec::new(), Vec::new());
    for (name, _, file) in &parsed {
        let mut check = Check::new(name, 0, &mut faults);
        for origin in &file.origin {
            for image in [Some(&origin.image), origin.slim.as_ref(), origin.alpine.as_ref()].into_iter().flatten() {
                let names = ["{version}", "{major}", "{release}"];
                let rest = names.iter().fold(image.clone(), |text, name| text.replace(name, ""));
                check.needs(!origin.env.is_empty() && !rest.contains(['{', '}', ' ']), || {
                    format!("an origin wants `env`, and images with {{version}}, {{major}}, {{release}} and nothing else in braces: \"{image}\"")
                });
            }
            origins.push(origin.clone());
        }
        for runtime in &file.runtime {
            let images = [&runtime.debian, &runtime.alpine, &runtime.for_static];
            check.needs(!runtime.from.is_empty() && images.iter().any(|image| image.is_some()), || {
                "a runtime wants `from` and `debian`, `alpine` or `static`".to_string()
            });
            for image in images.into_iter().flatten() {
                let names = ["{tag}", "{number}", "{suite}", "{release}", "{java}", "{dotnet}", "{framework}"];
                let rest = names.iter().fold(image.clone(), |text, name| text.replace(name, ""));
                check.needs(!rest.contains(['{', '}', ' ']), || {
                    format!("a runtime's image has {}, and nothing else in braces: \"{image}\"", names.join(", "))
                });
            }
            runtimes.push(runtime.clone());
        }
    }

    let mut known_keys = HashMap::new();
    for (name, _, file) in &parsed {
        let mut check = Check::new(name, 0, &mut faults);
        for known in &file.known {
            for key in &known.keys {
                match format!("sha256:{key}").parse() {
                    Ok(digest) => drop(known_keys.insert(digest, known.name.clone())),
                    Err(_) => {
                        check.fault(format!("`keys` of known \"{}\" wants SHA-256 digits, not \"{key}\"", known.name))
                    }
                }
            }
        }
    }

    let mut roles = Roles::default();
    let mut forms = Vec::new();
    let mut rules = BTreeMap::new();
    let (mut company, mut mapped, mut weak) = (Vec::new(), Vec::new(), Vec::new());
    for (name, text, file) in parsed {
        mapped.extend(file.framework.into_iter().map(|raw| (name, line(text, raw.id.span().start), raw)));
        weak.extend(file.weakness.into_iter().map(|raw| (name, line(text, raw.id.span().start), raw)));
        roles.extend(file.program, file.work, file.marker);
        for raw in file.rule {
            let mut check = Check::new(name, line(text, raw.id.span().start), &mut faults);
            let id = raw.id.get_ref().clone();
            let twin = rules.contains_key(&id);
            company.extend(raw.with.iter().map(|with| (name, check.line, with.clone())));
            let secrets = raw.secret.iter().cloned();
            forms.extend(secrets.filter_map(|secret| secret.compile(&id, proved.contains(name), &mut check)));
            if let Some(rule) = rule(raw, &remedies, &mut check) {
                if twin {
                    check.fault(format!("there are two rules \"{id}\""));
                }
                rules.insert(id, rule);
            }
        }
    }

    for (file, line, with) in company {
        let text = match rules.get(&with) {
            None => format!("`with` names no rule: \"{with}\""),
            Some(Rule { with: more, .. }) if !more.is_empty() => {
                format!("`with` names \"{with}\", which is itself part of another")
            }
            Some(_) => continue,
        };
        Check::new(file, line, &mut faults).fault(text);
    }

    let mut frameworks = BTreeMap::new();
    for (name, line, raw) in &mapped {
        let mut check = Check::new(name, *line, &mut faults);
        let framework = framework::framework(raw, &rules, &mut check);
        if frameworks.insert(framework.id.clone(), framework).is_some() {
            check.fault(format!("there are two frameworks \"{}\"", raw.id.get_ref()));
        }
    }
    let frameworks = frameworks.into_values().collect();

    let mut weaknesses = Weaknesses::default();
    for (name, line, raw) in &weak {
        weaknesses.add(raw, &rules, &mut Check::new(name, *line, &mut faults));
    }
    for (id, rule) in &mut rules {
        rule.about.weaknesses = weaknesses.of(id);
    }

    if !faults.is_empty() {
        faults.sort();
        return Err(faults);
    }
    let rules: Vec<Rule> = rules.into_values().collect();
    let literals = literals(&rules);
    let remedies = remedies.into_values().collect();
    let secrets = Arc::new(SecretRules::new(forms));
    Ok(Catalogue {
        rules,
        remedies,
        runtimes,
        origins,
        places,
        bases,
        frameworks,
        profiles: Vec::new(),
        roles,
        digest,
        known_keys,
        secrets,
        literals,
    })
}

/// The digest over sorted files; lengths are hashed too, so that no text can pass for two.
fn digest(files: &[(String, String)]) -> Digest {
    let mut hash = Sha256::new();
    for part in files.iter().flat_map(|(name, text)| [name, text]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Digest::new(hash.finalize().into())
}

/// The line of a byte offset, from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&b| b == b'\n').count() + 1
}

/// Collects what is wrong with one rule or remedy.
pub(super) struct Check<'a> {
    file: &'a str,
    line: usize,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Check<'a> {
    fn new(file: &'a str, line: usize, faults: &'a mut Vec<Fault>) -> Self {
        Self { file, line, faults }
    }

    pub(super) fn fault(&mut self, text: impl Into<String>) {
        self.faults.push(Fault { file: self.file.to_string(), line: self.line, text: text.into() });
    }

    pub(super) fn needs(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.fault(text());
        }
    }

    /// One line of prose for people: something, and without a full stop where it is a title.
    pub(super) fn title(&mut self, key: &str, text: &str) {
        self.needs(!text.trim().is_empty(), || format!("`{key}` is empty"));
        self.needs(!text.contains('\n') && !text.ends_with('.'), || {
            format!("`{key}` wants one line without a full stop, not \"{text}\"")
        });
    }

    /// The remedy of this name.
    pub(super) fn remedy(&mut self, id: &str, remedies: &BTreeMap<String, Remedy>) -> Option<Remedy> {
        let remedy = remedies.get(id).cloned();
        self.needs(remedy.is_some(), || {
            let known: Vec<_> = remedies.keys().map(String::as_str).collect();
            format!("there is no remedy \"{id}\"; there are {}", known.join(", "))
        });
        remedy
    }
}

fn remedy(raw: &schema::Remedy, check: &mut Check<'_>) -> Remedy {
    let id = raw.id.get_ref();
    check.needs(is_word(id), || format!("`id` wants lower-case words joined by '-', not \"{id}\""));
    check.title("title", &raw.title);
    check.needs(!raw.text.trim().is_empty(), || "`text` is empty".to_string());
    check.needs(raw.dockerfile.lines().any(|line| line.starts_with("FROM ")), || {
        "`dockerfile` has no FROM line".to_string()
    });
    Remedy {
        id: id.clone(),
        title: raw.title.clone(),
        text: raw.text.trim().to_string(),
        dockerfile: raw.dockerfile.clone(),
        own: false,
    }
}

/// Compiles one rule; `None` when even its family is unknown.
fn rule(raw: schema::Rule, remedies: &BTreeMap<String, Remedy>, check: &mut Check<'_>) -> Option<Rule> {
    let id = raw.id.into_inner();
    let family = Family::of(&id);
    check.needs(family.is_some() && id.split('/').all(is_word), || {
        let families: Vec<_> = Family::ALL.iter().map(|(_, word)| *word).collect();
        format!("`id` wants \"family/name\", not \"{id}\"; families are {}", families.join(", "))
    });
    check.title("title", &raw.title);
    check.title("subject", &raw.subject);
    check.needs(!raw.why.trim().is_empty(), || "`why` is empty: say what it is and what it costs".to_string());
    check.needs(!raw.refs.is_empty(), || "`refs` is empty: a rule wants at least one document".to_string());
    for link in raw.refs.iter().filter(|link| !link.starts_with("https://")) {
        check.fault(format!("`refs` wants https addresses, not \"{link}\""));
    }
    let remedy = check.remedy(&raw.remedy, remedies);
    check.needs(!raw.hit.is_empty(), || "a rule wants at least one [[rule.hit]], on which it must fire".to_string());
    check.needs(!raw.miss.is_empty(), || {
        "a rule wants at least one [[rule.miss]], on which it must stay silent".to_string()
    });
    for (at, miss) in raw.miss.iter().enumerate().filter(|(_, miss)| miss.why.trim().is_empty()) {
        check.fault(format!("miss {} has no `why`: say why {} is none", at + 1, first_path(miss)));
    }

    for (kind, examples) in [("hit", &raw.hit), ("miss", &raw.miss)] {
        for (at, example) in examples.iter().enumerate() {
            self::example(&format!("{kind} {}", at + 1), example, check);
        }
    }

    let packages = packages(&raw.packages, check);
    let modules: Vec<_> = raw.module.into_iter().filter_map(|module| self::module(module, check)).collect();
    let contents: Vec<_> = raw.content.into_iter().map(|content| self::content(content, check)).collect();
    let structures: Vec<_> =
        raw.structure.into_iter().filter_map(|structure| self::structure(structure, check)).collect();
    let files: Vec<_> = raw.files.into_iter().map(|files| Files::compile(files, remedies, check)).collect();
    let trees: Vec<_> = raw.tree.into_iter().map(|tree| Tree::compile(tree, remedies, check)).collect();
    let has_proof = !(packages.is_empty() && modules.is_empty() && contents.is_empty() && structures.is_empty());
    let secrets: Vec<_> = raw.secret.iter().map(secret::RawSecret::about).collect();
    check.needs(secrets.is_empty() || family == Some(Family::Secret), || {
        "a rule with [[rule.secret]] wants the family `secret`".to_string()
    });
    let has_data = has_proof || !files.is_empty() || !trees.is_empty() || !secrets.is_empty();
    check.needs(has_data != raw.code.is_some(), || {
        if has_data {
            "a rule with `code` takes no packages, module, content, structure, files, tree or secret".to_string()
        } else {
            "a rule wants one of [rule.packages], [[rule.module]], [[rule.content]], [[rule.structure]], [[rule.files]], \
             [[rule.tree]], [[rule.secret]] or `code`"
                .to_string()
        }
    });

    let about = RuleAbout {
        id,
        title: raw.title,
        severity: raw.severity,
        why: raw.why.trim().to_string(),
        remedy: remedy.unwrap_or_default(),
        refs: raw.refs,
        weaknesses: Vec::new(),
    };
    Some(Rule {
        about,
        family: family?,
        subject: raw.subject,
        with: raw.with,
        packages,
        modules,
        contents,
        structures,
        files,
        trees,
        secrets,
        code: raw.code,
        hits: raw.hit,
        misses: raw.miss,
        file: check.file.to_string(),
    })
}

/// Lower-case letters, digits and single `-` between them.
pub(super) fn is_word(text: &str) -> bool {
    text.split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.')))
}

fn first_path(example: &schema::Example) -> String {
    let file = example.files.first().map(|file| &file.path);
    let package = example.packages.first().and_then(|p| p.deb.as_ref().or(p.apk.as_ref()).or(p.rpm.as_ref()));
    file.or(package).map_or_else(|| "it".to_string(), |name| format!("\"{name}\""))
}

/// Checks that an example means something: a slip in it would make a rule look proved.
fn example(title: &str, raw: &schema::Example, check: &mut Check<'_>) {
    let says = raw.files.len() + raw.packages.len() + raw.npm.len() + raw.pypi.len() + usize::from(raw.user.is_some());
    let says = says + raw.cmd.len() + raw.env.len() + raw.labels.len() + raw.healthcheck.len();
    let says = says + usize::from(raw.created_by.is_some()) + usize::from(raw.dockerfile.is_some());
    check.needs(says > 0, || {
        format!("{title} shows nothing: it wants files, packages, npm, pypi, user, cmd, env, labels, created_by or dockerfile")
    });
    let of_dockerfile = raw.target.is_some() || raw.target_given;
    let of_dockerfile = of_dockerfile || raw.files.iter().any(|file| file.line.is_some() || file.deleted.is_some());
    check.needs(raw.dockerfile.is_some() || !of_dockerfile, || {
        format!("{title}: `target`, and `line` and `deleted` of files, want `dockerfile`")
    });
    for pair in raw.env.iter().chain(&raw.labels).filter(|pair| !pair.contains('=')) {
        check.fault(format!("{title}: `env` and `labels` want NAME=value, not \"{pair}\""));
    }
    for file in &raw.files {
        check.needs(file.contains.is_empty() || file.elf.is_some() || file.format.is_some(), || {
            format!("{title}: file \"{}\" has `contains`, so it wants `elf` or `format`", file.path)
        });
        let link = matches!(file.kind, Some(Kind::Symlink | Kind::Hardlink));
        check.needs(link == file.link.is_some(), || {
            format!("{title}: file \"{}\" wants `link` together with kind symlink or hardlink", file.path)
        });
    }
    for package in &raw.packages {
        let names = [&package.deb, &package.apk, &package.rpm].into_iter().flatten().count();
        check.needs(names == 1, || format!("{title}: a package wants exactly one of deb, apk and rpm as its name"));
    }
    for (key, lines, numbers) in [("passwd", &raw.passwd, 2..4), ("group", &raw.group, 2..3)] {
        for line in lines {
            let good =
                numbers.clone().all(|at| line.split(':').nth(at).is_some_and(|text| text.parse::<u32>().is_ok()));
            check.needs(good, || {
                format!("{title}: `{key}` wants lines with numbers after the second ':', not \"{line}\"")
            });
        }
    }
}

fn packages(raw: &schema::Packages, check: &mut Check<'_>) -> Vec<(Manager, Names)> {
    [(Manager::Deb, &raw.deb), (Manager::Apk, &raw.apk), (Manager::Rpm, &raw.rpm)]
        .into_iter()
        .filter(|(_, patterns)| !patterns.is_empty())
        .filter_map(|(manager, patterns)| Some((manager, names(manager.word(), patterns.clone(), check)?)))
        .collect()
}

/// Sorts out patterns for whole names, and compiles those that need it into one.
fn names(key: &str, patterns: Vec<String>, check: &mut Check<'_>) -> Option<Names> {
    let mut plain: Vec<String> = patterns.iter().filter_map(|pattern| one_name(pattern)).collect();
    plain.sort_unstable();
    let others: Vec<&String> = patterns.iter().filter(|pattern| one_name(pattern).is_none()).collect();
    for pattern in &others {
        match whole(pattern) {
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
                check.fault(format!("`{key}` has a pattern \"{pattern}\" that does not compile: {reason}"));
                return None;
            }
            Ok(regex) => check.needs(!regex.is_match("") && !regex.is_match(NO_PACKAGE), || {
                format!("`{key}` has a pattern \"{pattern}\" that fits every name")
            }),
        }
    }
    let regex = match &others[..] {
        [] => None,
        others => Some(whole(&others.iter().map(|p| format!("(?:{p})")).collect::<Vec<_>>().join("|")).ok()?),
    };
    Some(Names { patterns, plain, regex })
}

/// The only name that a pattern fits, if it is plain text; `g\+\+` is.
fn one_name(pattern: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = pattern.chars();
    while let Some(next) = chars.next() {
        name.push(match next {
            '\\' => chars.next().filter(char::is_ascii_punctuation)?,
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '@' | '/' => next,
            _ => return None,
        });
    }
    (!name.is_empty()).then_some(name)
}

fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

fn module(raw: schema::Module, check: &mut Check<'_>) -> Option<Module> {
    check.needs(!raw.files.is_empty(), || {
        format!("module \"{}\" has no `files`: a record without the tool's files is a stub", raw.name)
    });
    let files = raw.files.iter().filter_map(|path| glob("files", path, check)).collect();
    let manager = match raw.manager {
        ModuleManager::Npm => Manager::Npm,
        ModuleManager::Pypi => Manager::Pypi,
        ModuleManager::Gem => Manager::Gem,
        ModuleManager::Composer => Manager::Composer,
        ModuleManager::Nuget => Manager::Nuget,
        ModuleManager::Conda => Manager::Conda,
    };
    Some(Module { manager, name: names("name", vec![raw.name], check)?, files })
}

/// Reads a relative path whose last component may hold one `*`.
fn glob(key: &str, path: &str, check: &mut Check<'_>) -> Option<Glob> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let clean = crate::model::path::clean(path.as_bytes()) == path.as_bytes() && !path.is_empty();
    let stars = name.matches('*').count();
    let good = clean && !dir.contains('*') && stars <= 1 && name != "*";
    check.needs(good, || {
        format!(
            "`{key}` wants a relative path whose last component may hold one '*' beside other letters, not \"{path}\""
        )
    });
    good.then(|| Glob::new(path))
}

fn content(raw: schema::Content, check: &mut Check<'_>) -> Content {
    let name = &raw.name;
    check.title("name", name);
    check.needs(!raw.format.is_empty(), || format!("content \"{name}\" has no `format`"));
    for literal in raw.all.iter().chain(&raw.any).chain(&raw.none) {
        check.needs((LITERAL_MIN..=LITERAL_MAX).contains(&literal.len()), || {
            format!("literal \"{literal}\" of content \"{name}\" has not {LITERAL_MIN} to {LITERAL_MAX} bytes")
        });
    }
    for literal in raw.all.iter().chain(&raw.any) {
        let generic = |text: &str| text.contains(literal.as_str()) || literal.starts_with(text);
        if let Some((_, reason)) = GENERIC.iter().find(|(text, _)| generic(text)) {
            check.fault(format!("literal \"{literal}\" of content \"{name}\" proves nothing: it {reason}"));
        }
    }
    let header = [&raw.needed, &raw.soname, &raw.go_path];
    check.needs(header.iter().all(|list| list.iter().all(|text| !text.is_empty())), || {
        format!("content \"{name}\" has an empty text in `needed`, `soname` or `go_path`")
    });
    let proof = !(raw.all.is_empty() && raw.any.is_empty()) || header.iter().any(|list| !list.is_empty());
    check.needs(proof, || {
        format!("content \"{name}\" proves nothing: it wants `all`, `any`, `needed`, `soname` or `go_path`")
    });
    let only_elf = raw.format.iter().all(|&format| format == schema::ContentFormat::Elf);
    let of_elf = raw.program.is_some() || header.iter().any(|list| !list.is_empty()) || raw.go_module.is_some();
    check.needs(only_elf || !of_elf, || {
        format!("`program`, `needed`, `soname`, `go_path` and `go_module` of content \"{name}\" want format = \"elf\"")
    });
    check.needs(!raw.go_path.is_empty() || (raw.go_module.is_none() && raw.version.is_none()), || {
        format!("`go_module` and `version` of content \"{name}\" want `go_path`")
    });
    Content {
        formats: raw.format.iter().map(|&format| Format::from(format)).collect(),
        name: raw.name,
        program: raw.program,
        all: raw.all,
        any: raw.any,
        none: raw.none,
        needed: raw.needed,
        soname: raw.soname,
        go_path: raw.go_path,
        go_module: raw.go_module,
        unowned: raw.unowned,
        version: raw.version,
    }
}

fn structure(raw: schema::Structure, check: &mut Check<'_>) -> Option<Structure> {
    let name = &raw.name;
    check.title("name", name);
    check.needs(raw.members.len() >= 2, || {
        format!("structure \"{name}\" wants at least two members: a path alone is no proof")
    });
    let mut members: Vec<Member> = raw
        .members
        .iter()
        .filter_map(|member| {
            let dir = member.kind == MemberKind::Dir;
            check.needs(!dir || member.format.is_none(), || {
                format!("member \"{}\" of structure \"{name}\" is a directory and has no format", member.path)
            });
            Some(Member { path: glob("path", &member.path, check)?, dir, format: member.format })
        })
        .collect();
    // The search starts from the first member, so it has to be the telling one.
    let Some(anchor) = members.iter().position(|member| member.format.is_some_and(is_telling)) else {
        check.fault(format!(
            "structure \"{name}\" wants a member with `format` elf, zip, jmod, jimage, ar, script or js: names alone are no proof"
        ));
        return None;
    };
    members.swap(0, anchor);
    Some(Structure { name: raw.name, members, subtree: raw.subtree })
}

fn is_telling(format: Format) -> bool {
    !matches!(format, Format::Other | Format::Empty | Format::Text)
}

/// Every literal of every rule, once, with the formats in which it counts.
fn literals(rules: &[Rule]) -> Vec<(String, FormatSet)> {
    let mut all: BTreeMap<&str, FormatSet> = BTreeMap::new();
    for content in rules.iter().flat_map(|rule| &rule.contents) {
        let own: BTreeSet<&String> = content.all.iter().chain(&content.any).chain(&content.none).collect();
        for literal in own {
            let formats = all.entry(literal).or_default();
            *formats = formats.union(content.formats);
        }
    }
    all.into_iter().map(|(literal, formats)| (literal.to_string(), formats)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMEDY: &str = r#"
[[remedy]]
id = "two-stage"
title = "Use two stages"
text = "Build there, run here."
dockerfile = "FROM a AS b\nFROM c\n"
"#;

    const RULE: &str = r#"
[[rule]]
id = "build-tool/cake"
title = "Cake in the final image"
subject = "Cake"
severity = "high"
why = "Nobody needs it."
remedy = "two-stage"
refs = ["https://example.com/cake"]
[rule.packages]
deb = ["cake-[0-9]+"]
[[rule.content]]
name = "cake"
format = "elf"
all = ["cake: usage: bake"]
[[rule.hit]]
packages = [{ deb = "cake-1", files = ["usr/bin/cake"] }]
[[rule.miss]]
why = "documentation"
packages = [{ deb = "cake-doc", files = ["usr/share/doc/cake/copyright"] }]
"#;

    /// Compiles the rule above after one replacement.
    fn with(old: &str, new: &str) -> Result<Catalogue, Vec<Fault>> {
        assert!(RULE.contains(old), "{old}");
        let rule = RULE.replacen(old, new, 1);
        compile(Vec::new(), vec![("remedies.toml".to_string(), REMEDY.to_string()), ("rule.toml".to_string(), rule)])
    }

    fn fault(old: &str, new: &str) -> String {
        let faults = with(old, new).expect_err("a fault");
        faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_pattern_of_plain_text_fits_what_its_regular_expression_fits() {
        let names =
            ["g++", "g", "gg", "ggg", "make", "Make", "xmake", "makex", "@babel/core", "a_b-c", "python3.11", "", "\n"];
        for pattern in [
            "g\\+\\+",
            "g+",
            "make",
            "@babel/core",
            "a_b-c",
            "python3\\.11",
            "python3.11",
            "make|g",
            "[ab]_b-c",
            "\\w+",
            "\\d",
        ] {
            let mut faults = Vec::new();
            let patterns = vec![pattern.to_string()];
            let compiled = super::names("deb", patterns, &mut Check::new("x", 1, &mut faults)).expect("a pattern");
            let regex = whole(pattern).expect("a pattern");
            for name in names {
                assert_eq!(compiled.matches(name), regex.is_match(name), "{pattern} on {name:?}");
            }
        }
        assert_eq!(one_name("g\\+\\+").as_deref(), Some("g++"));
        assert_eq!(one_name("python3.11"), None, "a bare dot fits any character");
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_expectation() {
        for (old, new, want) in [
            ("title =", "titel =", "rule.toml:4: unknown field `titel`, expected one of `id`, `title`"),
            ("\"high\"", "\"hihg\"", "rule.toml:6: unknown variant `hihg`, expected one of `note`"),
            ("subject = \"Cake\"\n", "", "rule.toml:2: missing field `subject`"),
            ("build-tool/cake", "buildtool/cake", "rule.toml:3: `id` wants \"family/name\""),
            ("build-tool/cake", "build-tool/Cake", "`id` wants \"family/name\""),
            ("image\"\n", "image.\"\n", "`title` wants one line without a full stop"),
            ("two-stage", "one-stage", "there is no remedy \"one-stage\"; there are two-stage"),
            (
                "[[rule.hit]]",
                "[[rule.files]]\nname = \"c\"\nnames = [\"*.c\"]\nformat = [\"text\"]\nremedy = \"bake\"\n[[rule.hit]]",
                "there is no remedy \"bake\"; there are two-stage",
            ),
            ("https:", "http:", "`refs` wants https addresses"),
            ("[\"https://example.com/cake\"]", "[]", "at least one document"),
            ("[[rule.hit]]\npackages = [{ deb = \"cake-1\", files = [\"usr/bin/cake\"] }]\n", "", "one [[rule.hit]]"),
            ("why = \"documentation\"\n", "", "miss 1 has no `why`: say why \"cake-doc\" is none"),
            ("cake-[0-9]+", "cake-[0-9+", "does not compile"),
            ("cake-[0-9]+", "(cake)?", "fits every name"),
            ("cake-[0-9]+", ".*", "fits every name"),
            ("cake: usage: bake", "cake", "has not 10 to"),
            ("cake: usage: bake", "clang version ", "proves nothing: it names the compiler"),
            ("all = [\"cake: usage: bake\"]", "none = [\"cake: usage: bake\"]", "content \"cake\" proves nothing"),
            ("format = \"elf\"", "format = [\"elf\", \"js\"]\nprogram = true", "want format = \"elf\""),
            ("format = \"elf\"", "format = \"exe\"", "unknown variant `exe`"),
            ("deb = \"cake-1\"", "deb = \"cake-1\", rpm = \"cake\"", "hit 1: a package wants exactly one of"),
            (
                "packages = [{ deb = \"cake-doc\"",
                "passwd = [\"a:x:b:c\"]\npackages = [{ deb = \"cake-doc\"",
                "miss 1: `passwd`",
            ),
            (
                "packages = [{ deb = \"cake-1\", files = [\"usr/bin/cake\"] }]",
                "files = [{ path = \"x\", contains = [\"cake: usage: bake\"] }]",
                "wants `elf` or `format`",
            ),
            ("[rule.packages]", "code = \"uid-0\"\n[rule.packages]", "a rule with `code` takes no packages"),
        ] {
            let text = fault(old, new);
            assert!(text.contains(want), "{want:?} is not in {text:?}");
        }
    }

    #[test]
    fn the_good_rule_compiles_and_its_patterns_fit_whole_names() {
        let catalogue = with("cake", "cake").expect("a good rule");
        let rule = catalogue.rule("build-tool/cake").expect("the rule");
        let (_, names) = &rule.packages[0];
        assert!(names.matches("cake-12"));
        assert!(!names.matches("cake-12-base") && !names.matches("pancake-1"));
        assert_eq!(catalogue.literals().map(|(literal, _)| literal).collect::<Vec<_>>(), ["cake: usage: bake"]);
    }

    #[test]
    fn a_structure_wants_two_members_and_a_telling_format() {
        let add = |members: &str| {
            let tree = format!("[[rule.structure]]\nname = \"root\"\nmembers = [{members}]\n[[rule.hit]]");
            with("[[rule.hit]]", &tree)
        };
        let text = |members: &str| format!("{:?}", add(members).expect_err("a fault"));
        assert!(text("{ path = \"bin/cake\", format = \"elf\" }").contains("at least two members"));
        assert!(text("{ path = \"bin/cake\" }, { path = \"VERSION\", format = \"text\" }").contains("names alone"));
        assert!(text("{ path = \"../cake\", format = \"elf\" }, { path = \"x\" }").contains("relative path"));
        assert!(text("{ path = \"lib/*\", format = \"elf\" }, { path = \"x\" }").contains("relative path"));
        let good = add("{ path = \"VERSION\" }, { path = \"lib/cake-*.jar\", format = \"zip\" }").expect("good");
        assert_eq!(good.rules[0].structures[0].members[0].path.path, "lib/cake-*.jar", "the telling member is first");
    }

    #[test]
    fn twins_are_refused_across_files() {
        let files = |rule: &str| {
            vec![
                ("a".to_string(), REMEDY.to_string()),
                ("b".to_string(), RULE.to_string()),
                ("c".to_string(), rule.to_string()),
            ]
        };
        assert_eq!(
            compile(Vec::new(), files(RULE)).expect_err("twins")[0].to_string(),
            "c:3: there are two rules \"build-tool/cake\""
        );
        assert!(compile(Vec::new(), files(REMEDY)).expect_err("twins")[0].text.contains("two remedies"));
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_files_but_on_every_byte() {
        let (a, b) = (("a".to_string(), REMEDY.to_string()), ("b".to_string(), RULE.to_string()));
        let digest = |files| compile(Vec::new(), files).expect("good").digest;
        let first = digest(vec![a.clone(), b.clone()]);
        assert_eq!(first, digest(vec![b.clone(), a.clone()]));
        let other = (a.0.clone(), REMEDY.replace("run here", "run there"));
        assert_ne!(first, digest(vec![other, b]));
    }

    #[test]
    fn the_policies_of_the_program_compile() {
        let error = Catalogue::builtin().err();
        assert!(error.is_none(), "{error:#?}");
    }
}
