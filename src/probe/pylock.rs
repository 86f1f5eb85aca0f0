//! Reads what tells the groups of a Python project's dependencies: lock files of uv, Poetry, PDM, Pipenv and PEP 751,
//! `pyproject.toml`, and lists of requirements.
//!
//! Formats: PEP 621, 735 and 751, pip's "Requirements File Format", and what uv 0.9, Poetry 1.4 to 2.2, PDM 2.26 and
//! Pipenv 2025 wrote. Hashes, addresses and versions asked for are not read. Which groups are for development is not
//! decided here.

use std::collections::BTreeSet;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{
    malformed::{Malformed, PACKAGES_MAX, Parsed, TEXT_MAX, lines},
    python::{normalise, requirement},
};
use crate::model::{LockedDist, PythonProject, PythonTool, Requirement};

/// Largest file that is read, in bytes. The largest known lock, Airflow's, has 5 MB.
pub const FILE_MAX: usize = 8 << 20;

/// Values, keys and lines that a TOML file may have; Airflow's lock has a fifth.
///
/// A value of two bytes takes fifty in memory, so the size of the file alone bounds too little.
const TOKENS_MAX: usize = 1_000_000;

/// Requirements kept of one file, of all its packages together.
const REQUIRES_MAX: usize = 200_000;

/// Groups read of one project file; each may include the others.
const GROUPS_MAX: usize = 256;

/// Which file about a Python project stands at a path, if it is one. Those that an installed package brought along
/// say nothing about the image.
pub fn tool_of(path: &[u8]) -> Option<PythonTool> {
    let name = crate::model::path::name(path);
    let tool = match name {
        b"uv.lock" => PythonTool::Uv,
        b"poetry.lock" => PythonTool::Poetry,
        b"pdm.lock" => PythonTool::Pdm,
        b"Pipfile.lock" => PythonTool::Pipenv,
        b"pyproject.toml" => PythonTool::Pyproject,
        b"pylock.toml" => PythonTool::Pylock,
        _ if name.starts_with(b"pylock.") && name.ends_with(b".toml") => PythonTool::Pylock,
        _ if is_list(path, name) => PythonTool::Requirements,
        _ => return None,
    };
    let installed = |dir: &[u8]| matches!(dir, b"site-packages" | b"dist-packages" | b"node_modules");
    (!path.split(|&b| b == b'/').any(installed)).then_some(tool)
}

fn is_list(path: &[u8], name: &[u8]) -> bool {
    const WORD: &[u8] = b"requirements";

    (name.ends_with(b".txt") || name.ends_with(b".in"))
        && (name.windows(WORD.len()).any(|part| part == WORD)
            || crate::model::path::name(crate::model::path::parent(path)) == WORD)
}

/// What a file about a Python project says.
///
/// # Errors
/// When it is not UTF-8, not TOML (`Pipfile.lock`: JSON), or asks for too much memory.
pub fn read(tool: PythonTool, body: &[u8]) -> Result<Parsed<PythonProject>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed("the file is not UTF-8".to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { found: Parsed { value: empty(tool), faults: Vec::new() }, requires: 0 };
    match tool {
        PythonTool::Requirements => reader.list(text),
        PythonTool::Pipenv => reader.pipenv(text)?,
        _ => {
            let file = toml(text)?;
            match tool {
                PythonTool::Uv => reader.uv(&file),
                PythonTool::Poetry => reader.poetry(&file),
                PythonTool::Pdm => reader.pdm(&file),
                PythonTool::Pylock => reader.pylock(&file),
                _ => reader.pyproject(&file),
            }
        }
    }
    Ok(reader.found)
}

fn empty(tool: PythonTool) -> PythonProject {
    PythonProject { tool, roots: Vec::new(), includes: Vec::new(), packages: Vec::new() }
}

/// Parses TOML; the parser itself refuses deep nesting.
fn toml(text: &str) -> Result<DeTable<'_>, Malformed> {
    let tokens = text.bytes().filter(|b| matches!(b, b',' | b'=' | b'\n' | b'[' | b'.')).count();
    // Dots are also in addresses and versions, which are a large part of every lock.
    if tokens / 2 > TOKENS_MAX {
        return Err(Malformed(format!("the file has more than {TOKENS_MAX} values")));
    }
    match DeTable::parse(text) {
        Ok(table) => Ok(table.into_inner()),
        Err(error) => Err(Malformed(format!("the file is no TOML: {}", error.message()))),
    }
}

struct Reader {
    found: Parsed<PythonProject>,
    /// Requirements kept so far.
    requires: usize,
}

impl Reader {
    /// Whether one more requirement may be kept.
    fn room(&mut self) -> bool {
        self.requires += 1;
        if self.requires > REQUIRES_MAX {
            self.found.fault(format!("has more than {REQUIRES_MAX} requirements"));
            return false;
        }
        true
    }

    fn root(&mut self, group: &str, requirement: Option<Requirement>) {
        if let Some(requirement) = requirement
            && self.room()
        {
            self.found.value.roots.push((group.to_string(), requirement));
        }
    }

    fn package(&mut self, mut package: LockedDist) {
        if package.name.is_empty() {
            return;
        }
        if self.found.value.packages.len() == PACKAGES_MAX {
            self.found.fault(format!("has more than {PACKAGES_MAX} packages"));
            return;
        }
        let before = package.requires.len();
        package.requires.truncate(REQUIRES_MAX.saturating_sub(self.requires));
        self.requires += package.requires.len();
        if package.requires.len() < before {
            self.found.fault(format!("has more than {REQUIRES_MAX} requirements"));
        }
        self.found.value.packages.push(package);
    }

    /// `uv.lock`: the project itself is a package with the source `virtual` or `editable`.
    fn uv(&mut self, file: &DeTable<'_>) {
        for raw in tables(file, "package") {
            let mut package = dist(raw);
            let own = table(raw, "source").is_some_and(|s| s.contains_key("virtual") || s.contains_key("editable"));
            let dependencies: Vec<_> = tables(raw, "dependencies").filter_map(uv_requirement).collect();
            let extras: Vec<(String, Requirement)> = lists(raw, "optional-dependencies")
                .flat_map(|(extra, list)| list.iter().map(move |raw| (extra, raw)))
                .filter_map(|(extra, raw)| Some((normalise(extra), uv_requirement(raw.get_ref().as_table()?)?)))
                .collect();
            if own {
                for requirement in &dependencies {
                    self.root("", Some(requirement.clone()));
                }
                for (extra, requirement) in &extras {
                    self.root(&format!("[{extra}]"), Some(requirement.clone()));
                }
                for (group, list) in lists(raw, "dev-dependencies") {
                    for raw in list.iter().filter_map(|raw| raw.get_ref().as_table()) {
                        self.root(group, uv_requirement(raw));
                    }
                }
            }
            package.requires = dependencies;
            package.requires.extend(extras.into_iter().map(|(extra, requirement)| of_extra(requirement, &extra)));
            self.package(package);
        }
    }

    /// `poetry.lock`: version 2.1 has `groups` for each package, 1.x has `category`, and those between have neither.
    fn poetry(&mut self, file: &DeTable<'_>) {
        for raw in tables(file, "package") {
            let mut package = dist(raw);
            let marker = |group: &str| match raw.get("markers").map(|m| m.get_ref()) {
                Some(DeValue::Table(by_group)) => by_group.get(group).and_then(|m| m.get_ref().as_str()),
                Some(one) => one.as_str(),
                None => None,
            };
            let category = text(raw, "category");
            package.groups = strings(raw, "groups")
                .chain((!category.is_empty()).then_some(category))
                .map(|group| (production(group, "main"), marker(group).unwrap_or_default().to_string()))
                .collect();
            for (name, needed) in table(raw, "dependencies").into_iter().flatten() {
                let one = std::slice::from_ref(needed);
                let all = needed.get_ref().as_array().map_or(one, |all| all);
                package
                    .requires
                    .extend(all.iter().filter_map(|needed| poetry_requirement(name.get_ref(), needed.get_ref())));
            }
            for (extra, list) in lists(raw, "extras") {
                let named = list.iter().filter_map(|text| requirement(text.get_ref().as_str()?));
                package.requires.extend(named.map(|requirement| of_extra(requirement, extra)));
            }
            self.package(package);
        }
    }

    /// `pdm.lock`.
    fn pdm(&mut self, file: &DeTable<'_>) {
        for raw in tables(file, "package") {
            let mut package = dist(raw);
            let marker = text(raw, "marker");
            package.groups =
                strings(raw, "groups").map(|group| (production(group, "default"), marker.to_string())).collect();
            package.requires = strings(raw, "dependencies").filter_map(requirement).collect();
            self.package(package);
        }
    }

    /// `pylock.toml`: groups are conditions on `dependency_groups` in the marker of a package.
    fn pylock(&mut self, file: &DeTable<'_>) {
        let default: BTreeSet<&str> = strings(file, "default-groups").collect();
        for raw in tables(file, "packages") {
            let mut package = dist(raw);
            let marker = text(raw, "marker");
            package.groups = groups_in(marker)
                .map(|group| if default.contains(group) { "" } else { group })
                .map(|group| (group.to_string(), String::new()))
                .collect();
            // Also what is bound to an extra may be wanted in production.
            if package.groups.is_empty() {
                package.groups.push((String::new(), String::new()));
            }
            self.package(package);
        }
    }

    /// `Pipfile.lock`: `default`, `develop`, and groups with names of their own.
    fn pipenv(&mut self, text: &str) -> Result<(), Malformed> {
        let file: Value =
            serde_json::from_str(text).map_err(|cause| Malformed(format!("the file is no JSON: {cause}")))?;
        let groups = file.as_object().into_iter().flatten().filter(|(group, _)| *group != "_meta").take(GROUPS_MAX);
        for (group, packages) in groups {
            let group = if group == "default" { "" } else { group };
            for (name, about) in packages.as_object().into_iter().flatten() {
                let field = |key| about.get(key).and_then(Value::as_str).filter(|text| text.len() <= TEXT_MAX);
                self.package(LockedDist {
                    name: normalise(name),
                    version: field("version").unwrap_or_default().trim_start_matches("==").to_string(),
                    groups: vec![(group.to_string(), field("markers").unwrap_or_default().to_string())],
                    requires: Vec::new(),
                });
            }
        }
        Ok(())
    }

    /// `pyproject.toml`.
    fn pyproject(&mut self, file: &DeTable<'_>) {
        let tool = |name| table(file, "tool").and_then(|tools| table(tools, name));
        if let Some(project) = table(file, "project") {
            for text in strings(project, "dependencies") {
                self.root("", requirement(text));
            }
            self.lists("[", lists(project, "optional-dependencies"));
        }
        if let Some(groups) = table(file, "dependency-groups") {
            for group in groups.keys().take(GROUPS_MAX) {
                self.group(groups, group.get_ref());
            }
        }
        for text in tool("uv").into_iter().flat_map(|uv| strings(uv, "dev-dependencies")) {
            self.root("dev", requirement(text));
        }
        if let Some(pdm) = tool("pdm") {
            self.lists("", lists(pdm, "dev-dependencies"));
        }
        if let Some(poetry) = tool("poetry") {
            self.poetry_group("", table(poetry, "dependencies"));
            self.poetry_group("dev", table(poetry, "dev-dependencies"));
            for (group, about) in table(poetry, "group").into_iter().flatten().take(GROUPS_MAX) {
                let about = about.get_ref().as_table();
                self.poetry_group(&production(group.get_ref(), "main"), about.and_then(|a| table(a, "dependencies")));
            }
        }
    }

    fn lists<'t>(&mut self, mark: &str, lists: impl Iterator<Item = (&'t str, &'t toml::de::DeArray<'t>)>) {
        for (group, list) in lists.take(GROUPS_MAX) {
            let group = if mark.is_empty() { group.to_string() } else { format!("[{}]", normalise(group)) };
            for text in list.iter().filter_map(|text| text.get_ref().as_str()) {
                self.root(&group, requirement(text));
            }
        }
    }

    /// One group of PEP 735 with the groups it includes, each once.
    fn group(&mut self, groups: &DeTable<'_>, group: &str) {
        let mut todo = vec![normalise(group)];
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if !seen.insert(name.clone()) || seen.len() > GROUPS_MAX {
                continue;
            }
            let list = groups.iter().find(|(key, _)| normalise(key.get_ref()) == name);
            for item in list.and_then(|(_, list)| list.get_ref().as_array()).into_iter().flatten() {
                match item.get_ref() {
                    DeValue::String(text) => self.root(group, requirement(text)),
                    DeValue::Table(other) => todo.push(normalise(text(other, "include-group"))),
                    _ => {}
                }
            }
            if self.requires > REQUIRES_MAX {
                return;
            }
        }
    }

    fn poetry_group(&mut self, group: &str, needed: Option<&DeTable<'_>>) {
        for (name, needed) in needed.into_iter().flatten().filter(|(name, _)| name.get_ref() != "python") {
            let one = std::slice::from_ref(needed);
            for needed in needed.get_ref().as_array().map_or(one, |all| all) {
                let optional = needed.get_ref().as_table().is_some_and(is_optional);
                let marker = if optional { None } else { poetry_requirement(name.get_ref(), needed.get_ref()) };
                // What is optional may be wanted by an extra: it belongs to production wherever it is installed.
                let plain = || Requirement { name: normalise(name.get_ref()), ..Requirement::default() };
                self.root(group, Some(marker.unwrap_or_else(plain)));
            }
        }
    }

    /// `requirements.txt`.
    fn list(&mut self, text: &str) {
        let mut whole = String::new();
        for line in lines(text.as_bytes()) {
            let line = String::from_utf8_lossy(line);
            let (part, goes_on) = match line.strip_suffix('\\') {
                Some(part) => (part, true),
                None => (&*line, false),
            };
            if whole.len() + part.len() <= 16 * TEXT_MAX {
                whole.push_str(part);
            }
            if !goes_on {
                self.line(&whole);
                whole.clear();
            }
        }
        self.line(&whole);
    }

    fn line(&mut self, line: &str) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(option) = line.strip_prefix('-') {
            let file = ["r", "-requirement"].iter().find_map(|name| option.strip_prefix(name));
            let file = file
                .filter(|rest| rest.starts_with([' ', '=', '\t']))
                .map(|rest| rest.trim_start_matches(['=', ' ', '\t']));
            if let Some(file) = file.filter(|file| !file.is_empty() && file.len() <= TEXT_MAX)
                && self.room()
            {
                self.found.value.includes.push(file.to_string());
            }
            return;
        }
        let line = line.split(" --").next().unwrap_or_default();
        let address = line.split(['[', ';', ' ', '=', '<', '>', '!', '~', '@']).next().unwrap_or_default();
        if address.contains(['/', '\\', ':']) {
            let egg = line.split_once("#egg=").map(|(_, egg)| egg.split('&').next().unwrap_or_default());
            self.root("", egg.and_then(requirement));
        } else {
            self.root("", requirement(line));
        }
    }
}

/// The group as it is kept: the name that a tool gives production is empty.
fn production(group: &str, name: &str) -> String {
    if group == name { String::new() } else { group.to_string() }
}

/// Names `x` in `"x" in dependency_groups`.
fn groups_in(marker: &str) -> impl Iterator<Item = &str> {
    marker.match_indices("dependency_groups").filter_map(|(at, _)| {
        let before = marker.get(..at)?.trim_end().strip_suffix("in")?.trim_end();
        let quote = before.chars().last().filter(|c| matches!(c, '\'' | '"'))?;
        let inside = before.strip_suffix(quote)?;
        inside.get(inside.rfind(quote)? + 1..)
    })
}

fn dist(raw: &DeTable<'_>) -> LockedDist {
    LockedDist {
        name: normalise(text(raw, "name")),
        version: text(raw, "version").to_string(),
        ..LockedDist::default()
    }
}

fn uv_requirement(raw: &DeTable<'_>) -> Option<Requirement> {
    let name = normalise(text(raw, "name"));
    // A marker with `extra` tells variants of the project that exclude each other apart: each of them may be meant.
    let marker = text(raw, "marker");
    let marker = if marker.contains("extra") { "" } else { marker };
    let extras = strings(raw, "extra").map(normalise).collect();
    (!name.is_empty()).then(|| Requirement { name, extras, marker: marker.to_string() })
}

/// `None` for what only an extra asks for.
fn poetry_requirement(name: &str, raw: &DeValue<'_>) -> Option<Requirement> {
    let about = raw.as_table();
    if about.is_some_and(is_optional) {
        return None;
    }
    let extras = about.into_iter().flat_map(|about| strings(about, "extras")).map(normalise).collect();
    let marker = about.map(|about| text(about, "markers")).unwrap_or_default().to_string();
    Some(Requirement { name: normalise(name), extras, marker })
}

fn is_optional(about: &DeTable<'_>) -> bool {
    about.get("optional").and_then(|optional| optional.get_ref().as_bool()) == Some(true)
}

/// The requirement as one that only an extra has.
fn of_extra(mut requirement: Requirement, extra: &str) -> Requirement {
    let extra = format!("extra == '{}'", normalise(extra));
    requirement.marker = match requirement.marker.as_str() {
        "" => extra,
        // Only the extra decides for Poetry, whose markers name it already.
        marker if marker.contains("extra") => extra,
        marker => format!("({marker}) and {extra}"),
    };
    requirement
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> &'t str {
    let text = table.get(key).and_then(|value| value.get_ref().as_str()).unwrap_or_default();
    if text.len() <= TEXT_MAX { text } else { "" }
}

fn table<'t, 'i>(of: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    of.get(key)?.get_ref().as_table()
}

fn strings<'t>(table: &'t DeTable<'_>, key: &str) -> impl Iterator<Item = &'t str> {
    let list = table.get(key).and_then(|list| list.get_ref().as_array());
    list.into_iter().flatten().filter_map(|text| text.get_ref().as_str()).filter(|text| text.len() <= TEXT_MAX)
}

fn tables<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> impl Iterator<Item = &'t DeTable<'i>> {
    let list = table.get(key).and_then(|list| list.get_ref().as_array());
    list.into_iter().flatten().filter_map(|item| item.get_ref().as_table())
}

/// The lists of a table, by key.
fn lists<'t, 'i>(of: &'t DeTable<'i>, key: &str) -> impl Iterator<Item = (&'t str, &'t toml::de::DeArray<'i>)> {
    let entries = table(of, key).into_iter().flatten();
    entries.filter_map(|(key, list)| Some((key.get_ref().as_ref(), list.get_ref().as_array()?)))
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    fn said(tool: PythonTool, body: &str) -> Parsed<PythonProject> {
        read(tool, body.as_bytes()).expect("readable")
    }

    /// Groups with names, and packages with version, groups and needs, in one line each.
    fn shown(tool: PythonTool, body: &str) -> Vec<String> {
        let read = said(tool, body).value;
        let needs = |all: &[Requirement]| {
            let one = |r: &Requirement| format!("{}[{}]{{{}}}", r.name, r.extras.join(","), r.marker);
            all.iter().map(one).collect::<Vec<_>>().join(" ")
        };
        let roots = read.roots.iter().map(|(group, root)| format!("{group}: {}", needs(std::slice::from_ref(root))));
        let packages = read.packages.iter().map(|p| {
            let groups: Vec<_> = p.groups.iter().map(|(group, marker)| format!("({group}|{marker})")).collect();
            format!("{} {} {} {}", p.name, p.version, groups.join(""), needs(&p.requires)).trim_end().to_string()
        });
        roots.chain(packages).collect()
    }

    #[test]
    fn uv_names_roots_extras_and_groups_of_the_project() {
        let body = r#"
[[package]]
name = "shop"
source = { editable = "." }
dependencies = [{ name = "requests", extra = ["socks"] }, { name = "torch", marker = "extra == 'extra-4-shop-cpu'" }]
[package.optional-dependencies]
pg = [{ name = "peewee" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "requests"
version = "2.34.2"
dependencies = [{ name = "idna", marker = "python_version < '4'" }]
[package.optional-dependencies]
socks = [{ name = "pysocks" }]
"#;
        let want = [
            ": requests[socks]{}",
            ": torch[]{}",
            "[pg]: peewee[]{}",
            "dev: pytest[]{}",
            "shop   requests[socks]{} torch[]{} peewee[]{extra == 'pg'}",
            "requests 2.34.2  idna[]{python_version < '4'} pysocks[]{extra == 'socks'}",
        ];
        assert_eq!(shown(PythonTool::Uv, body), want);
    }

    #[test]
    fn every_form_of_poetrys_lock_is_read() {
        let body = r#"
[[package]]
name = "Py_Test"
version = "8"
groups = ["main", "dev"]
markers = {main = "os_name == 'nt'"}
[package.dependencies]
colorama = {version = ">=0.4", markers = "sys_platform == \"win32\""}
PySocks = {version = "1", optional = true, markers = "extra == \"socks\""}
iniconfig = [{version = "1", markers = "python_version < \"3\""}, {version = "2", extras = ["x"]}]
[package.extras]
socks = ["PySocks (>=1.5.6,!=1.5.7)"]
[[package]]
name = "old"
version = "1"
category = "main"
"#;
        let want = ["py-test 8 (|os_name == 'nt')(dev|) pysocks[]{} colorama[]{} iniconfig[]{}", "old 1 (|)"];
        let shown = shown(PythonTool::Poetry, body);
        assert_eq!(shown.len(), want.len());
        assert!(shown[0].starts_with("py-test 8 (|os_name == 'nt')(dev|) "), "{shown:?}");
        for part in [
            "colorama[]{sys_platform == \"win32\"}",
            "iniconfig[]{python_version < \"3\"} iniconfig[x]{}",
            "pysocks[]{extra == 'socks'}",
        ] {
            assert!(shown[0].contains(part), "{part} in {shown:?}");
        }
        assert_eq!(shown[1], want[1]);
    }

    #[test]
    fn pdm_and_pep_751_tell_groups() {
        let pdm = "[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"default\", \"lint\"]\nmarker = \"os_name == 'posix'\"\ndependencies = [\"b<2; extra == 'x'\"]\n";
        assert_eq!(
            shown(PythonTool::Pdm, pdm),
            ["a 1 (|os_name == 'posix')(lint|os_name == 'posix') b[]{extra == 'x'}"]
        );
        let pylock = "default-groups = ['default']\n[[packages]]\nname = 'a'\nversion = '1'\nmarker = '\"default\" in dependency_groups or \"dev\" in dependency_groups'\n[[packages]]\nname = 'b'\nmarker = '\"dev\" in dependency_groups'\n[[packages]]\nname = 'c'\n";
        assert_eq!(shown(PythonTool::Pylock, pylock), ["a 1 (|)(dev|)", "b  (dev|)", "c  (|)"]);
    }

    #[test]
    fn pipenv_has_a_list_for_each_group() {
        let body = r#"{"_meta": {"pipfile-spec": 6}, "default": {"Flask": {"version": "==3.1", "markers": "os_name == 'nt'"}},
            "develop": {"pytest": {}}, "tools": {"x": "*"}}"#;
        assert_eq!(
            shown(PythonTool::Pipenv, body),
            ["flask 3.1 (|os_name == 'nt')", "pytest  (develop|)", "x  (tools|)"]
        );
    }

    #[test]
    fn a_project_file_tells_groups_of_every_tool() {
        let body = r#"
[project]
dependencies = ["flask>=3"]
[project.optional-dependencies]
Test_all = ["tox"]
[dependency-groups]
dev = ["pytest", {include-group = "lint"}]
lint = ["ruff", {include-group = "dev"}]
[tool.uv]
dev-dependencies = ["black"]
[tool.pdm.dev-dependencies]
doc = ["sphinx"]
[tool.poetry.dependencies]
python = "^3.11"
peewee = {version = "1", optional = true}
[tool.poetry.dev-dependencies]
mypy = "*"
[tool.poetry.group.main.dependencies]
redis = "*"
"#;
        let want = [
            ": flask[]{}",
            "[test-all]: tox[]{}",
            "dev: pytest[]{}",
            "dev: ruff[]{}",
            "lint: ruff[]{}",
            "lint: pytest[]{}",
            "dev: black[]{}",
            "doc: sphinx[]{}",
            ": peewee[]{}",
            "dev: mypy[]{}",
            ": redis[]{}",
        ];
        assert_eq!(shown(PythonTool::Pyproject, body), want);
    }

    #[test]
    fn lists_of_requirements_are_read_as_pip_reads_them() {
        let body = "# c\n-r base.txt\n--requirement=more.txt\n-e .\n-c limits.txt\n--index-url x\nflask[async] == 3 \\\n  --hash=sha256:1 \\\n  --hash=sha256:2\nrequests ; python_version < '3' # c\ngit+https://example.com/x.git#egg=eggy&y=1\n./wheels/a.whl\nurl @ https://example.com/a.zip\n";
        let read = said(PythonTool::Requirements, body).value;
        assert_eq!(read.includes, ["base.txt", "more.txt"]);
        let names: Vec<_> =
            read.roots.iter().map(|(_, r)| format!("{}[{}]{}", r.name, r.extras.join(""), r.marker)).collect();
        assert_eq!(names, ["flask[async]", "requests[]python_version < '3'", "eggy[]", "url[]"]);
    }

    #[test]
    fn only_the_projects_own_files_are_taken() {
        for path in [
            "uv.lock",
            "app/pylock.dev.toml",
            "app/requirements/dev.txt",
            "app/dev-requirements.txt",
            "requirements.in",
        ] {
            assert!(tool_of(path.as_bytes()).is_some(), "{path}");
        }
        for path in
            ["x/site-packages/a/pyproject.toml", "app/requirements.md", "app/x.txt", "node_modules/a/requirements.txt"]
        {
            assert_eq!(tool_of(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn bombs_are_refused_soon() {
        let start = std::time::Instant::now();
        let many = "0,".repeat(4 << 20);
        for body in [
            format!("a = {}", "[".repeat(1 << 20)),
            format!("a = {}", "{a=".repeat(1 << 20)),
            format!("{}a = 1", "a.".repeat(1 << 20)),
            format!("[{}a]", "a.".repeat(1 << 20)),
            format!("a = [{many}]"),
            "[[package]]\n".repeat(1 << 18) + "broken",
        ] {
            assert!(read(PythonTool::Uv, body.as_bytes()).is_err(), "{}", &body[..20]);
        }
        assert!(read(PythonTool::Pipenv, "[".repeat(1 << 20).as_bytes()).is_err());
        assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
    }

    #[test]
    fn groups_that_include_each_other_end() {
        let group = |n: usize| {
            format!(
                "g{n} = [\"x\", {}]\n",
                (0..40).map(|m| format!("{{include-group = \"g{m}\"}}")).collect::<Vec<_>>().join(",")
            )
        };
        let body = format!("[dependency-groups]\n{}", (0..40).map(group).collect::<String>());
        assert_eq!(said(PythonTool::Pyproject, &body).value.roots.len(), 40 * 40);
    }

    #[test]
    fn no_damage_panics() {
        let lock = b"[[package]]\nname = \"a\"\ngroups = [\"main\"]\nmarkers = \"x\"\n[package.dependencies]\nb = {optional = true}\n";
        for tool in [
            PythonTool::Uv,
            PythonTool::Poetry,
            PythonTool::Pdm,
            PythonTool::Pylock,
            PythonTool::Pyproject,
            PythonTool::Requirements,
        ] {
            accept_parser(lock, |body| read(tool, body).is_ok());
        }
        accept_parser(br#"{"default": {"a": {"version": "==1"}}}"#, |body| read(PythonTool::Pipenv, body).is_ok());
    }
}
