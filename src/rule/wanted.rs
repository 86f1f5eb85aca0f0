//! Says of build tools that came as JavaScript packages whether production asks for them.
//!
//! A compiler that production drags in is not forgotten in the builder stage: another remedy, and another severity.

use std::collections::HashMap;

use crate::{
    inventory::{FileId, Inventory, node::Standing},
    model::{Family, Finding, ImagePath, Manager, Severity, State},
};

/// Lowers build tools whose packages production dependencies need, and says through which.
///
/// What the project itself lists among its production dependencies stays medium: that list is its owner's to mend.
pub(super) fn grade(inventory: &Inventory, findings: &mut [Finding]) {
    let live = inventory.packages().iter().filter(|p| p.manager == Manager::Npm && p.state == State::Live);
    let homes: HashMap<ImagePath, FileId> =
        live.map(|package| (ImagePath::new(inventory.file(package.home).path()), package.home)).collect();
    for finding in findings.iter_mut().filter(|f| f.family == Family::BuildTool && f.state == State::Live) {
        let files = finding.paths.iter().flat_map(|group| &group.files);
        let homes: Vec<FileId> = files.filter_map(|file| homes.get(file).copied()).collect();
        let chains = chains(inventory, &homes);
        let Some(shortest) = chains.iter().flatten().min_by_key(|chain| chain.len()) else { continue };
        let all_wanted = chains.iter().all(Option::is_some);
        if all_wanted && shortest.len() > 1 {
            finding.severity = finding.severity.min(Severity::Low);
            finding.why = format!(
                "{} Production dependencies need it ({}): bundle the application, or replace the dependency, and it can go.",
                finding.why,
                shortest.join(" → ")
            );
        } else if all_wanted {
            finding.severity = finding.severity.min(Severity::Medium);
            finding.why = format!(
                "{} package.json lists {} under dependencies, so every production install brings it: devDependencies is its place \
                 unless the application loads it.",
                finding.why,
                shortest.join(" → ")
            );
        }
    }
}

/// For each package that a project knows: the names that lead to it from a production dependency, or `None`. A tool's
/// own packages, nested in it or needed by it alone, come after it in their chains, so the shortest tells most.
fn chains<'a>(inventory: &'a Inventory, homes: &[FileId]) -> Vec<Option<Vec<&'a str>>> {
    let projects = inventory.node_projects();
    let standings = homes.iter().map(|&home| (home, projects.standing(home)));
    let known = standings.filter(|(_, standing)| *standing != Standing::Unknown);
    known.map(|(home, standing)| (standing == Standing::Production).then(|| projects.chain(home))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{Catalogue, Example},
        model::ImageInfo,
        rule::{judge, proof},
    };

    /// The finding about TypeScript in an application with this `package.json`; `builder` needs typescript.
    fn typescript(manifest: &str) -> Finding {
        let example = format!(
            r#"files = [
                {{ path = "app/package.json", body = '{manifest}' }},
                {{ path = "app/node_modules/builder/package.json", body = '{{"name":"builder","version":"1.0.0","dependencies":{{"typescript":"5"}}}}' }},
                {{ path = "app/node_modules/builder/index.js", format = "js", size = 5 }},
                {{ path = "app/node_modules/typescript/package.json", body = '{{"name":"typescript","version":"5.4.5"}}' }},
                {{ path = "app/node_modules/typescript/lib/tsc.js", format = "js", size = 9 }},
            ]"#
        );
        let example: Example = toml::from_str(&example).expect("an example");
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let inventory = Inventory::build(vec![proof::layer(&catalogue, &example)]);
        let findings = judge(&catalogue, &inventory, &ImageInfo::default(), 0).findings;
        let found = findings.into_iter().find(|finding| finding.rule == "build-tool/typescript");
        found.unwrap_or_else(|| panic!("no finding for {manifest}"))
    }

    #[test]
    fn a_compiler_that_a_production_dependency_needs_is_low_and_names_it() {
        let finding = typescript(r#"{"name":"a","dependencies":{"builder":"1"}}"#);
        assert_eq!((finding.severity, finding.part_of.as_ref()), (Severity::Low, None));
        assert!(finding.why.contains("(builder → typescript)"), "{}", finding.why);
    }

    #[test]
    fn a_compiler_among_the_dependencies_themselves_is_medium() {
        let finding = typescript(r#"{"name":"a","dependencies":{"builder":"1","typescript":"5"}}"#);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.why.contains("package.json lists typescript"), "{}", finding.why);
    }

    #[test]
    fn a_compiler_that_nothing_wants_stays_as_bad_as_it_is() {
        let finding = typescript(r#"{"name":"a","dependencies":{}}"#);
        assert_eq!(finding.severity, Severity::High);
    }

    #[test]
    fn a_compiler_for_development_is_part_of_the_dev_dependencies() {
        let finding = typescript(r#"{"name":"a","devDependencies":{"builder":"1","typescript":"5"}}"#);
        assert!(finding.part_of.is_some(), "{finding:#?}");
    }
}
