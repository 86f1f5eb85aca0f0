//! What a set of packages needs, and what that needs in turn: the closure over names that Python, Ruby and Composer
//! records share.

use std::collections::{HashMap, HashSet};

use crate::model::Requirement;

use super::marker::{Environment, holds};

/// Extras followed one by one of one package; beyond that all of them are.
const EXTRAS_MAX: usize = 16;

/// Packages by name with what they need.
#[derive(Default)]
pub(super) struct Graph<'a> {
    nodes: HashMap<&'a str, Vec<&'a [Requirement]>>,
}

impl<'a> Graph<'a> {
    /// Adds what one package needs; a name may be added more than once.
    pub fn add(&mut self, name: &'a str, requires: &'a [Requirement]) {
        self.nodes.entry(name).or_default().push(requires);
    }

    /// The names that the roots need, the roots included, for an environment. Each package is looked at once for
    /// each of its extras.
    pub fn closure(
        &self,
        roots: impl Iterator<Item = &'a Requirement>,
        environment: Environment<'_>,
    ) -> HashSet<&'a str> {
        let mut walk = Walk { environment, todo: Vec::new(), extras: HashMap::new() };
        roots.for_each(|root| walk.follow(root, ""));
        walk.finish(self)
    }

    /// The names that these packages need, without extras; the packages are included.
    pub fn closure_of(&self, names: impl Iterator<Item = &'a str>, environment: Environment<'_>) -> HashSet<&'a str> {
        let mut walk = Walk { environment, todo: Vec::new(), extras: HashMap::new() };
        names.for_each(|name| walk.ask(name, ""));
        walk.finish(self)
    }
}

/// The names that these need, themselves included.
pub(super) fn names_needed<'a>(
    needs: &HashMap<&'a str, Vec<&'a [String]>>,
    roots: impl Iterator<Item = &'a str>,
) -> HashSet<&'a str> {
    let mut todo: Vec<&str> = roots.collect();
    let mut seen = HashSet::new();
    while let Some(name) = todo.pop() {
        if seen.insert(name) {
            todo.extend(needs.get(name).into_iter().flatten().copied().flatten().map(String::as_str));
        }
    }
    seen
}

struct Walk<'a, 'e> {
    environment: Environment<'e>,
    todo: Vec<(&'a str, &'a str)>,
    /// Packages that were met with their extras.
    extras: HashMap<&'a str, HashSet<&'a str>>,
}

impl<'a> Walk<'a, '_> {
    fn follow(&mut self, requirement: &'a Requirement, extra: &str) {
        if holds(&requirement.marker, Environment { extra, ..self.environment }) {
            self.ask(&requirement.name, "");
            requirement.extras.iter().for_each(|extra| self.ask(&requirement.name, extra));
        }
    }

    fn ask(&mut self, name: &'a str, extra: &'a str) {
        let seen = self.extras.entry(name).or_default();
        let extra = if seen.len() > EXTRAS_MAX { "*" } else { extra };
        if seen.insert(extra) {
            self.todo.push((name, extra));
        }
    }

    fn finish(mut self, graph: &Graph<'a>) -> HashSet<&'a str> {
        while let Some((name, extra)) = self.todo.pop() {
            for requirement in graph.nodes.get(name).into_iter().flatten().copied().flatten() {
                self.follow(requirement, extra);
            }
        }
        self.extras.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Vec<Requirement> {
        text.split(' ').filter_map(crate::probe::python::requirement).collect()
    }

    fn closure(packages: &[(&str, &str)], roots: &str) -> Vec<String> {
        let packages: Vec<_> = packages.iter().map(|(name, text)| (*name, needs(text))).collect();
        let roots = needs(roots);
        let mut graph = Graph::default();
        packages.iter().for_each(|(name, requires)| graph.add(name, requires));
        let mut names: Vec<_> =
            graph.closure(roots.iter(), Environment::default()).into_iter().map(str::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn extras_are_followed_where_they_are_asked_for() {
        let packages = [
            ("uvicorn", "click httptools;extra=='standard'"),
            ("httptools", "uvicorn"),
            ("click", "colorama;sys_platform=='win32'"),
        ];
        assert_eq!(closure(&packages, "uvicorn"), ["click", "uvicorn"]);
        assert_eq!(closure(&packages, "uvicorn[standard]"), ["click", "httptools", "uvicorn"]);
    }

    #[test]
    fn an_extra_that_asks_for_another_of_itself_is_followed() {
        let packages = [("a", "a[y];extra=='x' b;extra=='y'")];
        assert_eq!(closure(&packages, "a[x]"), ["a", "b"]);
    }

    #[test]
    fn more_extras_than_anyone_asks_for_are_all_of_them() {
        let packages = [("a", "b;extra=='never'")];
        let roots: Vec<String> = (0..40).map(|n| format!("a[x{n}]")).collect();
        assert_eq!(closure(&packages, &roots.join(" ")), ["a", "b"]);
    }
}
