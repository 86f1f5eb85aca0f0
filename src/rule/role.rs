//! Tells what an image is for: whether it runs a program for others, or is itself a place or a tool to build with.
//!
//! Only a service is judged at full severity. Reads the configuration, a few marks of `policies/roles/`, and what the
//! command comes to; what the role does to findings is decided in [`super::need`].

use std::collections::HashSet;

use crate::{
    catalogue::{
        Catalogue,
        roles::{Marker, ProgramKind, fits, without_release},
    },
    inventory::{
        FileId, Inventory,
        reach::{Reach, Step},
    },
    model::{Family, Finding, ImageConfig, ImageInfo, Role, RoleName, Severity, State, path},
};

/// The role of an image, given its findings before they are graded.
pub(super) fn role(
    catalogue: &Catalogue,
    inventory: &Inventory,
    image: &ImageInfo,
    reach: &Reach,
    findings: &[Finding],
) -> Role {
    let Some(config) = &image.config else {
        return Role {
            name: RoleName::Service,
            how: "there is no configuration, so it is judged as a service".to_string(),
        };
    };
    let steps = reach.command().map(|command| command.steps.as_slice()).unwrap_or_default();
    let Some(last) = steps.last() else {
        return marked(catalogue, inventory, config, steps).or_else(|| wrong_stage(findings)).unwrap_or_else(|| Role {
            name: RoleName::Service,
            how: "there is no command, so it is judged as a service".to_string(),
        });
    };
    marked(catalogue, inventory, config, steps)
        .or_else(|| wrong_stage(findings))
        .or_else(|| prompt(catalogue, last))
        .or_else(|| tool(catalogue, inventory, steps, findings))
        .unwrap_or_else(|| Role {
            name: RoleName::Service,
            how: format!("its command runs {}", shown(inventory, last)),
        })
}

/// A stage that is not the one to run: it has the prompt of its base, and is meant to be a service all the same.
fn wrong_stage(findings: &[Finding]) -> Option<Role> {
    let wrong = |finding: &&Finding| finding.family == Family::WrongStage && finding.severity > Severity::Note;
    let stage = findings.iter().find(wrong)?;
    Some(Role { name: RoleName::Service, how: format!("it is a {} that was shipped as a service", stage.subject) })
}

/// A mark of `policies/roles/`.
pub(super) fn marked(
    catalogue: &Catalogue,
    inventory: &Inventory,
    config: &ImageConfig,
    steps: &[Step],
) -> Option<Role> {
    catalogue.roles.markers().iter().find_map(|marker| {
        let sign = sign_of(marker, inventory, config, steps)?;
        Some(Role { name: marker.role, how: format!("{sign} marks {}", marker.what) })
    })
}

fn sign_of(marker: &Marker, inventory: &Inventory, config: &ImageConfig, steps: &[Step]) -> Option<String> {
    let any = |patterns: &[String], name: &str| patterns.iter().any(|pattern| fits(pattern, name));
    if let Some(label) = config.labels.keys().find(|label| any(&marker.labels, label)) {
        return Some(format!("the label {}", path::escape(label.as_bytes())));
    }
    let names = config.env.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    if let Some(name) = names.into_iter().find(|name| any(&marker.env, name)) {
        return Some(format!("the variable {}", path::escape(name.as_bytes())));
    }
    let of_program = |step: &Step| {
        let name = name(step);
        any(&marker.programs, name) || any(&marker.programs, without_release(name))
    };
    if let Some(step) = steps.iter().find(|step| of_program(step)) {
        return Some(format!("the program {}", shown(inventory, step)));
    }
    let file = marker.files.iter().find(|file| inventory.get(file.as_bytes()).is_some())?;
    Some(format!("the file {}", path::show(file.as_bytes())))
}

/// A shell or an interpreter that is given nothing to run.
fn prompt(catalogue: &Catalogue, last: &Step) -> Option<Role> {
    let kind = catalogue.roles.program(name(last))?.kind;
    let can_prompt = matches!(
        kind,
        ProgramKind::Shell | ProgramKind::Repl | ProgramKind::Node | ProgramKind::Python | ProgramKind::Interpreter
    );
    let starts_bare = ["node", "nodejs", "bun", "deno", "php", "ruby", "perl", "lua", "Rscript"];
    let prompts = match kind {
        ProgramKind::Node | ProgramKind::Interpreter => starts_bare.contains(&without_release(name(last))),
        _ => can_prompt,
    };
    let takes_program = ["-c", "-e", "-m", "-p", "-r", "--eval", "--print"];
    let args = last.argv.get(1..).unwrap_or_default();
    let bare = args.iter().all(|word| word.starts_with('-') && !takes_program.contains(&word.as_str()));
    // `sh -c` of a text that starts nothing is no prompt.
    (prompts && bare).then(|| Role {
        name: RoleName::Base,
        how: format!("its command is the prompt of {}", path::escape(name(last).as_bytes())),
    })
}

/// The command is one of the build tools that were found.
fn tool(catalogue: &Catalogue, inventory: &Inventory, steps: &[Step], findings: &[Finding]) -> Option<Role> {
    // A service that builds or watches at its start has a fault, and no other role.
    if steps.iter().any(|step| catalogue.roles.work(&step.argv).is_some()) {
        return None;
    }
    let starts_others = |step: &&Step| {
        let kind = catalogue.roles.program(name(step)).map(|program| program.kind);
        matches!(kind, Some(ProgramKind::Shell | ProgramKind::Wrapper | ProgramKind::PackageManager))
            || catalogue.roles.is_runtime(name(step))
    };
    steps.iter().filter(|step| !starts_others(step)).find_map(|step| {
        let program = inventory.file(step.program?);
        let names: HashSet<FileId> = HashSet::from([program.id(), program.content()]);
        let owner = program.owner();
        let holds = |finding: &&Finding| {
            let package = owner.is_some_and(|owner| {
                finding.packages.iter().any(|package| package.manager == owner.manager && package.name == owner.name)
            });
            let mut files = finding.paths.iter().flat_map(|group| &group.files);
            package
                || files.any(|file| inventory.get(file.as_bytes()).is_some_and(|file| names.contains(&file.content())))
        };
        let tools = findings.iter().filter(|f| f.family == Family::BuildTool && f.state == State::Live);
        let found = tools.into_iter().find(holds)?;
        let how = format!("its command runs {}, which is {}", shown(inventory, step), found.subject);
        Some(Role { name: RoleName::Tool, how })
    })
}

/// The name a program was started with.
fn name(step: &Step) -> &str {
    step.argv.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default()
}

/// A program as reports may show it: its path, and none of its arguments, which may be secret.
fn shown(inventory: &Inventory, step: &Step) -> String {
    match step.program {
        Some(program) => path::show(inventory.file(program).path()),
        None => path::escape(step.argv.first().map(String::as_bytes).unwrap_or_default()),
    }
}

/// Small images with a command, for the tests of roles and needs.
#[cfg(test)]
pub(super) mod testing {
    use crate::{
        catalogue::{Catalogue, Example},
        inventory::Inventory,
        model::{Entry, EntryId, Format, ImageConfig, ImageInfo, Kind, LayerFacts, Observation},
        probe::code::code_of,
        rule::{Judged, judge, proof},
    };

    pub struct Image {
        catalogue: Catalogue,
        layer: LayerFacts,
        config: ImageConfig,
    }

    /// What an example of a policy file says.
    pub fn image(example: &str) -> Image {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let example: Example = toml::from_str(example).expect("an example");
        let env = vec!["PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin".to_string()];
        let layer = proof::layer(&catalogue, &example);
        Image { catalogue, layer, config: ImageConfig { env, ..ImageConfig::default() } }
    }

    impl Image {
        /// A text, read as the probes read it.
        pub fn text(mut self, path: &str, body: &str) -> Self {
            let format = match body.starts_with("#!") {
                true => Format::Script,
                false if path.ends_with(".js") => Format::Js,
                false => Format::Text,
            };
            let (path, body) = (path.as_bytes(), body.as_bytes());
            let (kind, mode, size) = (Kind::File, 0o755, body.len() as u64);
            let entry = Entry { id: EntryId(0), path, link: b"", kind, format, mode, uid: 0, gid: 0, size };
            let entry = self.layer.entries.push(&entry).expect("room");
            let facts = code_of(path, format, body).map(|code| code.facts(body)).unwrap_or_default();
            self.layer.observations.extend(facts.into_iter().map(|fact| Observation { entry, fact }));
            self
        }

        pub fn file(self, path: &str) -> Self {
            self.text(path, "")
        }

        pub fn label(mut self, name: &str) -> Self {
            self.config.labels.insert(name.to_string(), "1".to_string());
            self
        }

        /// Judges it with this command line.
        pub fn judge(self, command: &str) -> Judged {
            let cmd = command.split_whitespace().map(str::to_string).collect();
            let config = Some(ImageConfig { cmd, ..self.config });
            let inventory = Inventory::build(vec![self.layer]);
            judge(&self.catalogue, &inventory, &ImageInfo { config, ..ImageInfo::default() }, 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::image, *};
    use crate::model::Severity;

    /// A Go tool chain beside everything that the commands below name.
    const GO: &str = r#"
        files = [
            { path = "usr/local/go/bin/go", elf = { program = true, go_path = "cmd/go", go_version = "go1.22.1" } },
            { path = "app/shop", elf = { program = true, go_path = "example.org/shop", go_module = "example.org/shop" } },
            { path = "bin/bash", elf = { program = true } },
            { path = "usr/local/bin/node", elf = { program = true } },
            { path = "usr/bin/python3.11", elf = { program = true } },
            { path = "usr/bin/python3", kind = "symlink", link = "python3.11" },
            { path = "usr/bin/gitlab-runner", elf = { program = true } },
            { path = "usr/bin/lua5.3", elf = { program = true } },
            { path = "usr/bin/iex", elf = { program = true } },
        ]
    "#;

    #[test]
    fn the_command_tells_the_role() {
        let official = "#!/bin/bash\nset -- node \"$@\"\nexec \"$@\"\n";
        for (command, want, severity) in [
            ("bash", RoleName::Base, Severity::Note),
            ("/bin/bash -l", RoleName::Base, Severity::Note),
            ("python3", RoleName::Base, Severity::Note),
            ("node", RoleName::Base, Severity::Note),
            ("docker-entrypoint.sh node", RoleName::Base, Severity::Note),
            ("lua5.3", RoleName::Base, Severity::Note),
            ("lua5.3 app.lua", RoleName::Service, Severity::High),
            ("iex", RoleName::Base, Severity::Note),
            ("iex -S mix phx.server", RoleName::Service, Severity::High),
            ("/app/shop", RoleName::Service, Severity::High),
            ("bash -c /app/shop", RoleName::Service, Severity::High),
            ("node server.js", RoleName::Service, Severity::High),
            ("python3 -m http.server", RoleName::Service, Severity::High),
            ("go version", RoleName::Tool, Severity::Note),
            ("go run .", RoleName::Service, Severity::Low),
            ("gitlab-runner run", RoleName::Ci, Severity::Note),
            ("jupyter lab", RoleName::Notebook, Severity::Note),
            ("", RoleName::Service, Severity::High),
        ] {
            let image =
                image(GO).text("usr/local/bin/docker-entrypoint.sh", official).file("server.js").file("app.lua");
            let judged = image.judge(command);
            let go = judged.findings.iter().find(|finding| finding.rule == "build-tool/go").expect("Go");
            assert_eq!((judged.role.name, go.severity), (want, severity), "{command}: {}", judged.role.how);
            assert!(!judged.role.how.is_empty(), "{command}");
        }
    }

    #[test]
    fn marks_tell_the_role_whatever_the_command_is() {
        let judged = image(GO).label("devcontainer.metadata").judge("/app/shop");
        assert_eq!(judged.role.name, RoleName::Devcontainer);
        assert_eq!(judged.role.how, "the label devcontainer.metadata marks a development container");
        let judged = image(GO).file("actions-runner/bin/Runner.Listener").judge("/app/shop");
        assert_eq!(judged.role.name, RoleName::Ci);
    }

    #[test]
    fn an_image_without_a_configuration_is_a_service() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let role = role(&catalogue, &Inventory::build(Vec::new()), &ImageInfo::default(), &Reach::default(), &[]);
        assert_eq!(role.name, RoleName::Service);
    }
}
