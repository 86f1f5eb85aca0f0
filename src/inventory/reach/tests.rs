//! Tests of the walk on small images, whose files say what the probes say of such files.

use super::*;
use crate::{
    catalogue::Catalogue,
    model::{Elf, Entry, EntryId, Fact, Format, ImageConfig, Kind, LayerFacts, NpmPackage, Observation},
    probe::code::{Code, code_of},
};

/// One layer, written line by line.
#[derive(Default)]
struct Image(LayerFacts);

impl Image {
    fn entry(mut self, path: &str, kind: Kind, link: &str, format: Format, facts: Vec<Fact>) -> Self {
        let entry = Entry {
            id: EntryId(0),
            path: path.as_bytes(),
            link: link.as_bytes(),
            kind,
            format,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 10,
        };
        let entry = self.0.entries.push(&entry).expect("room");
        self.0.observations.extend(facts.into_iter().map(|fact| Observation { entry, fact }));
        self
    }

    fn link(self, path: &str, to: &str) -> Self {
        self.entry(path, Kind::Symlink, to, Format::Other, Vec::new())
    }

    fn file(self, path: &str) -> Self {
        self.entry(path, Kind::File, "", Format::Other, Vec::new())
    }

    /// A program, which needs libraries of the image.
    fn elf(self, path: &str, needed: &[&str]) -> Self {
        let needed = needed.iter().map(|name| name.to_string()).collect();
        let elf = Elf { program: !path.contains(".so"), needed, ..Elf::default() };
        self.entry(path, Kind::File, "", Format::Elf, vec![Fact::Elf(elf)])
    }

    /// A program that can start others.
    fn starter(self, path: &str) -> Self {
        let elf = Elf { program: true, starts_programs: true, ..Elf::default() };
        self.entry(path, Kind::File, "", Format::Elf, vec![Fact::Elf(elf)])
    }

    /// A text, read as the probes read it.
    fn text(self, path: &str, body: &str) -> Self {
        let js = path.ends_with(".js");
        let format = match body.starts_with("#!") {
            true => Format::Script,
            false if js => Format::Js,
            false => Format::Text,
        };
        let code: Option<Code> = code_of(path.as_bytes(), format, body.as_bytes());
        let facts = code.map(|code| code.facts(body.as_bytes())).unwrap_or_default();
        self.entry(path, Kind::File, "", format, facts)
    }

    fn npm(self, dir: &str, npm: NpmPackage) -> Self {
        let path = if dir.is_empty() { "package.json".to_string() } else { format!("{dir}/package.json") };
        self.entry(&path, Kind::File, "", Format::Text, vec![Fact::Npm(npm)])
    }

    /// A package with a main file that needs others.
    fn module(self, dir: &str, needs: &[&str]) -> Self {
        let name = dir.rsplit("node_modules/").next().unwrap_or_default().to_string();
        let dependencies = needs.iter().map(|name| name.to_string()).collect();
        self.npm(dir, NpmPackage { name, dependencies, ..NpmPackage::default() }).file(&format!("{dir}/index.js"))
    }

    fn inventory(self) -> Inventory {
        Inventory::build(vec![self.0])
    }
}

fn image() -> Image {
    Image::default()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_string).collect()
}

fn config(entrypoint: &str, cmd: &str) -> ImageConfig {
    ImageConfig {
        entrypoint: words(entrypoint),
        cmd: words(cmd),
        working_dir: "/app".to_string(),
        env: vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_string()],
        ..ImageConfig::default()
    }
}

fn follow(inventory: &Inventory, config: ImageConfig) -> Reach {
    let catalogue = Catalogue::builtin().expect("the policies compile");
    let image = ImageInfo { config: Some(config), ..ImageInfo::default() };
    Reach::follow(inventory, &image, &catalogue.roles)
}

fn reached(inventory: &Inventory, reach: &Reach) -> Vec<String> {
    let mut paths: Vec<_> = reach.files().map(|id| path::show(inventory.file(id).path())).collect();
    paths.sort();
    paths
}

fn chain(inventory: &Inventory, reach: &Reach, path: &str) -> String {
    let file = inventory.get(path.as_bytes()).unwrap_or_else(|| panic!("no {path}"));
    reach.chain(inventory, file.id()).unwrap_or_else(|| format!("{path} was not met"))
}

fn steps(reach: &Reach) -> Vec<String> {
    let steps = reach.command().map(|command| command.steps.as_slice()).unwrap_or_default();
    steps.iter().map(|step| step.argv.join(" ")).collect()
}

fn openings(inventory: &Inventory, reach: &Reach) -> Vec<String> {
    reach.openings().iter().map(|opening| reach.told(inventory, opening)).collect()
}

fn closed_elf() -> Image {
    let libc = Elf { soname: Some("libc.so.6".to_string()), ..Elf::default() };
    image().entry("lib/libc.so.6", Kind::File, "", Format::Elf, vec![Fact::Elf(libc)])
}

#[test]
fn a_static_program_alone_is_all_that_is_reached() {
    let inventory = image().elf("main", &[]).file("other").inventory();
    let reach = follow(&inventory, config("/main", ""));
    assert_eq!(reached(&inventory, &reach), ["/main"]);
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());
    assert_eq!(steps(&reach), ["/main"]);
}

#[test]
fn libraries_are_followed_through_libraries() {
    let inventory = closed_elf().elf("usr/bin/app", &["liba.so"]).elf("usr/lib/liba.so", &["libc.so.6"]).inventory();
    let reach = follow(&inventory, config("app", ""));
    assert_eq!(
        chain(&inventory, &reach, "lib/libc.so.6"),
        "command → /usr/bin/app → /usr/lib/liba.so → /lib/libc.so.6"
    );
    assert_eq!(reach.openings().len(), 1, "{:?}", openings(&inventory, &reach));
    assert_eq!(reach.openings().first().map(|opening| opening.scope.clone()), Some(Scope::Libraries));
}

#[test]
fn wrappers_and_scripts_lead_to_what_the_image_runs() {
    let inventory = image()
        .link("bin/sh", "dash")
        .elf("bin/dash", &[])
        .elf("usr/bin/tini", &[])
        .elf("usr/bin/gosu", &[])
        .elf("usr/local/bin/server", &[])
        .elf("usr/bin/unused", &[])
        .text("entrypoint.sh", "#!/bin/sh\nset -e\nif [ \"$1\" = help ]; then echo; fi\nexec gosu app \"$@\"\n")
        .inventory();
    let reach = follow(&inventory, config("tini -- /entrypoint.sh", "server --port 80"));
    let want =
        ["tini -- /entrypoint.sh server --port 80", "/entrypoint.sh server --port 80", "gosu app server --port 80"];
    assert_eq!(steps(&reach), [&want[..], &["server --port 80"]].concat());
    assert_eq!(chain(&inventory, &reach, "usr/local/bin/server"), "command → /entrypoint.sh → /usr/local/bin/server");
    assert_eq!(chain(&inventory, &reach, "bin/dash"), "command → /entrypoint.sh → /bin/sh → /bin/dash");
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());
    assert!(!reach.has(inventory.get(b"usr/bin/unused").expect("there").id()));
}

#[test]
fn a_script_that_compares_its_argument_comes_to_what_stands_behind_the_comparison() {
    let run = |script: &str, cmd: &str| {
        let sh = image().elf("bin/sh", &[]).elf("app/server", &[]).elf("app/worker", &[]).elf("usr/bin/env", &[]);
        let inventory = sh.text("start.sh", &format!("#!/bin/sh\n{script}\n")).inventory();
        steps(&follow(&inventory, config("/start.sh", cmd))).last().cloned().unwrap_or_default()
    };
    let case =
        "case \"$1\" in\n web|server) exec /app/server ;;\n (worker) exec /app/worker \"$2\" ;;\nesac\nexec \"$@\"";
    for (script, cmd, want) in [
        ("if [ \"$1\" = server ]; then exec /app/server; fi\nexec \"$@\"", "server", "/app/server"),
        ("if [[ $1 == server ]]; then exec /app/server -x; fi\nexec \"$@\"", "server", "/app/server -x"),
        ("if test \"$1\" != server; then exec \"$@\"; fi\nexec /app/server", "server", "/app/server"),
        (case, "server", "/app/server"),
        (case, "worker 3", "/app/worker 3"),
        // A program is started, whatever else is compared; so is what nothing compares with.
        ("if [ \"$1\" = server ]; then exec /app/server; fi\nexec \"$@\"", "env", "env"),
        ("if [ \"$1\" = env ]; then exec /app/server; fi\nexec \"$@\"", "env", "env"),
        (case, "other", "other"),
        // Behind the comparison stands nothing that could be started.
        ("if [ \"$1\" = server ]; then exec /app/none; fi\nexec \"$@\"", "server", "server"),
    ] {
        assert_eq!(run(script, cmd), want, "{script}");
    }
}

#[test]
fn of_the_values_of_a_variable_that_is_in_the_image_is_started() {
    // As the start scripts of Gradle do; the first is where IBM has it.
    let script = "#!/bin/sh\nif [ -x \"$JAVA_HOME/jre/sh/java\" ]; then\n JAVACMD=\"$JAVA_HOME/jre/sh/java\"\n\
                  else\n JAVACMD=\"$JAVA_HOME/bin/java\"\nfi\n[ -x \"$JAVACMD\" ] || JAVACMD=java\nexec \"$JAVACMD\" \"$@\"\n";
    for (java, want) in [
        (&["opt/java/bin/java"][..], "/opt/java/bin/java -x"),
        (&["usr/bin/java"], "java -x"),
        (&["opt/java/bin/java", "opt/java/jre/sh/java", "usr/bin/java"], "/opt/java/jre/sh/java -x"),
        (&[], "/opt/java/jre/sh/java -x"),
    ] {
        let sh = image().elf("bin/sh", &[]).text("app/run", script);
        let inventory = java.iter().fold(sh, |image, java| image.elf(java, &[])).inventory();
        let env = vec!["PATH=/usr/bin:/bin".to_string(), "JAVA_HOME=/opt/java".to_string()];
        let reach = follow(&inventory, ImageConfig { env, ..config("/app/run", "-x") });
        assert_eq!(steps(&reach), ["/app/run -x", want]);
        assert_eq!(reach.command().expect("a command").last().expect("a step").program.is_some(), !java.is_empty());
    }
}

#[test]
fn a_text_that_a_script_hands_on_to_a_shell_is_read() {
    let sh = image().elf("bin/sh", &[]).elf("usr/bin/uvicorn", &[]);
    let inventory = sh.text("start.sh", "#!/bin/sh\nset -e\nexec \"$@\"\n").inventory();
    let cmd = ["sh", "-c", "exec uvicorn app:app --port $PORT"].map(str::to_string).to_vec();
    let reach = follow(&inventory, ImageConfig { cmd, ..config("/start.sh", "") });
    assert_eq!(steps(&reach).last().map(String::as_str), Some("uvicorn app:app --port $PORT"));
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());
}

#[test]
fn a_source_file_of_java_is_named_by_its_command_and_wants_a_compiler() {
    let files = ["app/Server.java", "app/Other.java"].into_iter().fold(image(), Image::file);
    let programs = ["usr/bin/java", "usr/bin/javac", "opt/javac"].into_iter();
    let inventory = programs.fold(files, |image, program| image.elf(program, &[])).inventory();
    let met = |cmd| {
        let reach = follow(&inventory, config("", cmd));
        let files = ["app/Server.java", "app/Other.java", "usr/bin/javac", "opt/javac"];
        files.map(|file| reach.how(inventory.get(file.as_bytes()).expect("there").id()))
    };
    let part = Some(How::Part);
    assert_eq!(met("java -Xmx1g /app/Server.java /app/Other.java"), [Some(How::Names), None, Some(How::Starts), None]);
    assert_eq!(met("java -cp /app Server"), [part, part, None, None]);
}

#[test]
fn the_entry_point_of_official_images_runs_node_where_the_argument_is_no_program() {
    let script = "#!/bin/sh\nset -e\nif [ \"${1#-}\" != \"${1}\" ] || [ -z \"$(command -v \"${1}\")\" ]; then\n  set -- node \"$@\"\nfi\nexec \"$@\"\n";
    let make = || {
        let sh = image().elf("bin/sh", &[]).elf("usr/local/bin/node", &[]).elf("usr/local/bin/other", &[]);
        sh.text("usr/local/bin/docker-entrypoint.sh", script).text("app/server.js", "1").inventory()
    };
    let inventory = make();
    let reach = follow(&inventory, config("docker-entrypoint.sh", "server.js"));
    assert_eq!(steps(&reach).last().map(String::as_str), Some("node server.js"));
    assert!(reach.has(inventory.get(b"app/server.js").expect("there").id()));
    for (cmd, last) in [("other x", "other x"), ("node server.js", "node server.js")] {
        let reach = follow(&inventory, config("docker-entrypoint.sh", cmd));
        assert_eq!(steps(&reach).last().map(String::as_str), Some(last));
        assert_eq!(openings(&inventory, &reach), Vec::<String>::new(), "{cmd}");
    }
}

#[test]
fn what_can_not_be_followed_is_an_opening() {
    for (script, want) in [
        ("#!/bin/sh\neval \"$X\"\n", "/run.sh evaluates text that is not known before it runs"),
        ("#!/bin/sh\n\"$X\" now\n", "/run.sh runs $X, which is not known before it runs"),
        ("#!/bin/sh\nsh -c \"$X\"\n", "/run.sh gives a shell a text that is not known before it runs"),
        ("#!/usr/bin/perl\n1;\n", "/usr/bin/perl runs a program that is not followed (perl)"),
    ] {
        let inventory = image().elf("bin/sh", &[]).elf("usr/bin/perl", &[]).text("run.sh", script).inventory();
        let reach = follow(&inventory, config("/run.sh", ""));
        let told = openings(&inventory, &reach);
        assert!(told.iter().any(|told| told == want), "{script}: {told:?}");
        assert!(reach.openings().iter().any(|opening| opening.scope == Scope::Programs));
    }
    let inventory = image().starter("app/daemon").inventory();
    let reach = follow(&inventory, config("./daemon", ""));
    assert_eq!(openings(&inventory, &reach), ["/app/daemon can start other programs"]);
    let reach = follow(&inventory, config("/mnt/run", ""));
    assert_eq!(openings(&inventory, &reach), ["the command /mnt/run is not in the image"]);
}

#[test]
fn node_loads_files_packages_and_what_those_declare() {
    let inventory = image()
        .elf("usr/bin/node", &[])
        .npm("app", NpmPackage { name: "shop".to_string(), ..NpmPackage::default() })
        .text("app/server.js", "const e = require('express'); require('./routes'); require('fs')")
        .text("app/routes/index.js", "export default 1")
        .text("app/unused.js", "1")
        .module("app/node_modules/express", &["debug"])
        .module("app/node_modules/express/node_modules/debug", &[])
        .module("app/node_modules/debug", &[])
        .module("app/node_modules/typescript", &[])
        .inventory();
    let reach = follow(&inventory, config("node", "server.js"));
    assert_eq!(
        chain(&inventory, &reach, "app/node_modules/express/node_modules/debug/index.js"),
        "command → /usr/bin/node → /app/server.js → express → debug"
    );
    for path in ["app/node_modules/typescript/index.js", "app/node_modules/debug/index.js", "app/unused.js"] {
        assert!(chain(&inventory, &reach, path).ends_with("was not met"), "{path}");
    }
    assert!(chain(&inventory, &reach, "app/routes/index.js").ends_with("/app/server.js → /app/routes/index.js"));
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());
}

#[test]
fn a_computed_require_opens_the_packages_of_the_project_and_nothing_else() {
    let inventory = image()
        .elf("usr/bin/node", &[])
        .npm("app", NpmPackage::default())
        .text("app/server.js", "require(process.argv[2])")
        .module("app/node_modules/express", &[])
        .inventory();
    let reach = follow(&inventory, config("node", "server.js"));
    assert_eq!(openings(&inventory, &reach), ["/app/server.js requires a name that is computed"]);
    assert_eq!(reach.openings().first().map(|o| o.scope.clone()), Some(Scope::Below(vec![b"app".to_vec()])));
}

#[test]
fn npm_start_leads_to_its_script_and_needs_npm() {
    let scripts = [("start", "node dist/main"), ("prestart", "prepare"), ("dev", "vite --host")];
    let scripts = scripts.map(|(name, text)| (name.to_string(), text.to_string())).to_vec();
    let inventory = image()
        .elf("bin/sh", &[])
        .elf("usr/local/bin/node", &[])
        .link("usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js")
        .module("usr/local/lib/node_modules/npm", &[])
        .text("usr/local/lib/node_modules/npm/bin/npm-cli.js", "#!/usr/bin/env node\n")
        .link("usr/bin/env", "busybox")
        .elf("usr/bin/busybox", &[])
        .npm("app", NpmPackage { name: "shop".to_string(), scripts, ..NpmPackage::default() })
        .text("app/dist/main.js", "1")
        .link("app/node_modules/.bin/vite", "../vite/bin/vite.js")
        .module("app/node_modules/vite", &[])
        .text("app/node_modules/vite/bin/vite.js", "#!/usr/bin/env node\n")
        .elf("usr/local/bin/prepare", &[])
        .inventory();
    let reach = follow(&inventory, config("npm", "start"));
    assert_eq!(steps(&reach), ["npm start", "/bin/sh -c node dist/main", "node dist/main"]);
    let way = "command → /usr/local/bin/npm → /usr/local/lib/node_modules/npm/bin/npm-cli.js → /app/package.json";
    assert_eq!(chain(&inventory, &reach, "usr/local/bin/prepare"), format!("{way} → /usr/local/bin/prepare"));
    assert!(reach.has(inventory.get(b"usr/local/lib/node_modules/npm/index.js").expect("there").id()));
    assert!(!reach.has(inventory.get(b"app/node_modules/vite/index.js").expect("there").id()));
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());

    let reach = follow(&inventory, config("npm", "run dev"));
    assert_eq!(steps(&reach), ["npm run dev", "/bin/sh -c vite --host", "vite --host"]);
    assert!(reach.has(inventory.get(b"app/node_modules/vite/index.js").expect("there").id()));
}

#[test]
fn nodemon_starts_what_it_is_told() {
    let inventory = image()
        .elf("bin/sh", &[])
        .elf("usr/local/bin/node", &[])
        .link("usr/local/bin/nodemon", "../lib/node_modules/nodemon/bin/nodemon.js")
        .module("usr/local/lib/node_modules/nodemon", &[])
        .text("usr/local/lib/node_modules/nodemon/bin/nodemon.js", "#!/usr/local/bin/node\n")
        .elf("usr/local/bin/compile", &[])
        .text("app/src/main.ts", "1")
        .inventory();
    let command = |words: &[&str]| ImageConfig {
        entrypoint: words.iter().map(|word| word.to_string()).collect(),
        ..config("", "")
    };
    let reach = follow(&inventory, command(&["nodemon", "--watch", "src", "--exec", "compile && run"]));
    assert!(reach.has(inventory.get(b"usr/local/bin/compile").expect("there").id()));
    let reach = follow(&inventory, command(&["nodemon", "-w", "src", "src/main.ts"]));
    assert!(reach.has(inventory.get(b"app/src/main.ts").expect("there").id()));
    assert_eq!(openings(&inventory, &reach), Vec::<String>::new());
    let reach = follow(&inventory, command(&["nodemon"]));
    assert_eq!(reach.openings().len(), 2, "{:?}", openings(&inventory, &reach));
}

#[test]
fn python_imports_the_application_and_opens_its_packages() {
    let inventory = image()
        .elf("usr/local/bin/python3.12", &[])
        .link("usr/local/bin/python", "python3.12")
        .file("usr/local/lib/python3.12/os.py")
        .entry("usr/local/lib/python3.12", Kind::Dir, "", Format::Other, Vec::new())
        .entry("usr/local/lib/python3.12/site-packages", Kind::Dir, "", Format::Other, Vec::new())
        .file("usr/local/lib/python3.12/site-packages/flask/__init__.py")
        .file("usr/local/lib/python3.12/site-packages/pytest/__init__.py")
        .text("usr/local/bin/gunicorn", "#!/usr/local/bin/python\nfrom gunicorn.app.wsgiapp import run\n")
        .text("app/shop/__init__.py", "from . import views\n")
        .text("app/shop/views.py", "import flask, os\n")
        .text("app/shop/wsgi.py", "from shop.models import x\n")
        .text("app/shop/models.py", "1")
        .text("app/tests/test_all.py", "1")
        .inventory();
    let reach = follow(&inventory, config("gunicorn", "--bind 0.0.0.0:80 shop.wsgi:app"));
    for path in ["app/shop/views.py", "app/shop/models.py", "usr/local/lib/python3.12/os.py"] {
        assert!(!chain(&inventory, &reach, path).contains("was not met"), "{path}");
    }
    let way = chain(&inventory, &reach, "usr/local/lib/python3.12/site-packages/flask/__init__.py");
    assert!(way.ends_with("/app/shop/views.py → /usr/local/lib/python3.12/site-packages/flask/__init__.py"), "{way}");
    assert!(!reach.has(inventory.get(b"app/tests/test_all.py").expect("there").id()));
    let site = b"usr/local/lib/python3.12/site-packages".to_vec();
    assert!(reach.openings().iter().any(|opening| opening.scope == Scope::Below(vec![site.clone()])));
}

#[test]
fn java_takes_class_paths_as_units_and_leaves_the_compiler() {
    let inventory = image()
        .elf("opt/java/bin/java", &[])
        .elf("opt/java/lib/libjli.so", &[])
        .elf("opt/java/bin/javac", &[])
        .file("opt/java/lib/src.zip")
        .file("app/shop.jar")
        .file("app/lib/a.jar")
        .file("app/lib/a.txt")
        .inventory();
    let java = ImageConfig { entrypoint: words("/opt/java/bin/java -Xmx1g -cp shop.jar:lib/* Main"), ..config("", "") };
    let reach = follow(&inventory, java);
    assert_eq!(
        reached(&inventory, &reach),
        ["/app/lib/a.jar", "/app/shop.jar", "/opt/java/bin/java", "/opt/java/lib/libjli.so"]
    );
    assert!(reach.openings().iter().any(|opening| opening.scope == Scope::Programs));
}

#[test]
fn health_checks_are_followed_and_told_apart() {
    let inventory = image().elf("main", &[]).elf("usr/bin/curl", &[]).elf("bin/sh", &[]).inventory();
    let healthcheck = ["CMD-SHELL", "curl -f http://localhost/ || exit 1"].map(str::to_string).to_vec();
    let reach = follow(&inventory, ImageConfig { healthcheck, ..config("/main", "") });
    assert_eq!(chain(&inventory, &reach, "usr/bin/curl"), "HEALTHCHECK → /usr/bin/curl");
    let healthcheck = ["NONE"].map(str::to_string).to_vec();
    let reach = follow(&inventory, ImageConfig { healthcheck, ..config("/main", "") });
    assert_eq!(reached(&inventory, &reach), ["/main"]);
}

#[test]
fn scripts_that_start_each_other_come_to_an_end() {
    let inventory = image()
        .elf("bin/sh", &[])
        .text("a.sh", "#!/bin/sh\n/b.sh x$1\n. /a.sh\nexec \"$0\" \"$@\"\n")
        .text("b.sh", "#!/bin/sh\nexec /a.sh y$1 \"$@\" \"$@\"\n")
        .inventory();
    let reach = follow(&inventory, config("/a.sh", "1"));
    assert!(reach.openings().iter().all(|opening| opening.scope == Scope::Programs));
    assert!(reach.has(inventory.get(b"b.sh").expect("there").id()));
}

#[test]
fn an_image_without_a_configuration_says_nothing() {
    let catalogue = Catalogue::builtin().expect("the policies compile");
    let inventory = image().elf("main", &[]).inventory();
    let reach = Reach::follow(&inventory, &ImageInfo::default(), &catalogue.roles);
    assert!(reach.command().is_none() && reach.files().next().is_none());
}

#[test]
fn what_was_only_named_is_followed_when_it_is_loaded() {
    let script = "#!/bin/sh\nif [ \"${1#-}\" != \"${1}\" ]; then\n  set -- node \"$@\"\nfi\nexec \"$@\"\n";
    let image =
        image().elf("bin/sh", &[]).elf("usr/local/bin/node", &[]).text("usr/local/bin/docker-entrypoint.sh", script);
    let inventory =
        image.text("app/server.js", "require('express')").module("app/node_modules/express", &[]).inventory();
    let reach = follow(
        &inventory,
        ImageConfig { working_dir: "/app".into(), ..config("docker-entrypoint.sh", "node server.js") },
    );
    let express = inventory.get(b"app/node_modules/express/index.js").expect("a file");
    assert!(reach.has(express.id()));
}
