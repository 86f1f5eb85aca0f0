//! Each command, from its checked arguments to its exit code.

use std::{
    io::{self, Write},
    panic,
    path::Path,
    sync::Arc,
    thread,
    time::Instant,
};

use super::{
    NOT_JUDGED,
    args::{Command, Files, Format, Image, ListFormat, Output, Policies, RowFormat, Rules, Scan},
    clock, diff,
    dockerfile::Given,
    fix, ledger,
    log::{Level, Log},
    output,
    progress::Bar,
    rules, shell, terminal,
};
use crate::{
    catalogue::Catalogue,
    error::{Error, Result},
    inventory,
    model::Report,
    policy::Gates,
    report::{
        Verdict, csv, cyclonedx,
        files::{self, Row},
        github, gitlab, html,
        intoto::{self, Part},
        json, junit, markdown, oscal, sarif, table, text,
    },
    scan::{self, ScanOptions},
};

/// Where a command writes.
pub(super) struct Console<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) err: Log<'a>,
    pub(super) out_terminal: bool,
    pub(super) err_terminal: bool,
}

/// Runs a command and returns its exit code.
pub(super) fn run(command: Command, console: &mut Console<'_>) -> Result<u8> {
    match command {
        Command::Scan(args) => scan(&args, console),
        Command::Fix(args) => fix::run(&args, console),
        Command::Files(args) => list_files(&args, console),
        Command::Ledger(args) => ledger::run(&args, console),
        Command::Diff(args) => diff::run(&args, console),
        Command::Rules { what: Rules::List { format, policies } } => {
            let catalogue = load(&policies)?;
            let written = match format {
                ListFormat::Table => rules::table(&catalogue, console.out),
                ListFormat::Json => rules::json(&catalogue, console.out),
                ListFormat::Markdown => rules::markdown(&catalogue, console.out),
            };
            printed(written, console).map(|()| 0)
        }
        Command::Rules { what: Rules::Check { policies } } => {
            let catalogue = load(&policies)?;
            let mut proved = false;
            let written = rules::check(&catalogue, console.out).map(|all| proved = all);
            printed(written, console).map(|()| u8::from(!proved))
        }
        Command::Explain { id, policies } => {
            let catalogue = load(&policies)?;
            let written = rules::explain(&catalogue, &id, console.out)?;
            printed(written, console).map(|()| 0)
        }
        Command::Completion { shell } => printed(shell::completion(shell, console.out), console).map(|()| 0),
        Command::Man { dir: None } => printed(shell::manual(console.out), console).map(|()| 0),
        Command::Man { dir: Some(dir) } => shell::manuals(&dir).map(|()| 0),
        Command::Version { format, policies } => {
            let catalogue = load(&policies)?;
            printed(shell::version(&catalogue, format, console.out), console).map(|()| 0)
        }
    }
}

fn scan(args: &Scan, console: &mut Console<'_>) -> Result<u8> {
    let outputs = plan(args)?;
    let started = Instant::now();
    let now = clock::made()?;
    let catalogue = load(&args.policies)?;
    console.err.debug(|| {
        let (rules, digest) = (catalogue.rules.len(), catalogue.digest);
        format!("{rules} rules ready in {}; {digest}", seconds(started))
    });
    let given = Given::read(args.dockerfile.as_deref(), args.target.as_deref(), args.source_root.as_deref())?;
    let options = ScanOptions {
        base: args.base.clone(),
        dockerfile: given.file,
        sources: given.sources,
        target: args.target.clone(),
        secrets: !args.no_secrets,
        now,
        ..options(&args.image)
    };
    let settings = args.policy.settings(args.baseline.as_deref(), now, &catalogue)?;
    let baseline = settings.baseline()?;
    console.err.debug(|| format!("reading \"{}\" with {}", args.image.reference, text::plural(options.jobs, "thread")));
    let started = Instant::now();
    let mut report = {
        let _bar = bar(&args.image, &options, console);
        scan::scan(&args.image.reference, &catalogue, &options)?
    };
    report.diagnostics.extend(given.note);
    tell_what_was_read(&report, started, &mut console.err);
    let policy = settings.policy(&report.image);
    let since = policy.apply(&mut report, baseline.as_ref());
    let verdict = Verdict::of(&report, policy.gates(), since.as_ref());
    let part = part(args);
    let told = Told { report: &report, verdict: &verdict, gates: policy.gates(), part, at: now };
    deliver(&told, args, &outputs, console)
}

fn tell_what_was_read(report: &Report, started: Instant, log: &mut Log<'_>) {
    log.debug(|| {
        let id = report.image.id.map_or_else(|| "no id".to_string(), |id| id.to_string());
        let stored: u64 = report.layers.iter().map(|layer| layer.blob_bytes).sum();
        let (layers, files) = (report.layers.len(), report.totals.files);
        format!(
            "read {} in {}: {id}, {}, {files} files, {} packages, {}",
            text::bytes(stored),
            seconds(started),
            text::plural(layers, "layer"),
            report.totals.packages,
            text::plural(report.findings.len(), "finding"),
        )
    });
    for diagnostic in &report.diagnostics {
        log.debug(|| {
            let layer = diagnostic.layer.map_or_else(String::new, |layer| format!("layer {layer}: "));
            let path = diagnostic.path.as_ref().map_or_else(String::new, |path| format!("{path}: "));
            format!("{layer}{path}{}", diagnostic.text)
        });
    }
}

/// Tells `--verbose` how long it took to read an image, for commands that have no report.
pub(super) fn tell_read(reference: &str, started: Instant, log: &mut Log<'_>) {
    log.debug(|| format!("read \"{reference}\" in {}", seconds(started)));
}

fn seconds(since: Instant) -> String {
    format!("{:.2} s", since.elapsed().as_secs_f64())
}

/// What is written where; refuses what could not work before time is spent.
///
/// A plain `-o FILE` takes the place of standard output, `-o FORMAT=FILE` adds to it.
fn plan(args: &Scan) -> Result<Vec<Output>> {
    let main = Output { format: Some(args.format), file: "-".into() };
    let replaced = args.output.iter().any(|o| o.format.is_none() || o.file == Path::new("-"));
    let given =
        args.output.iter().map(|o| Output { format: Some(o.format.unwrap_or(args.format)), file: o.file.clone() });
    let outputs: Vec<Output> = (!replaced).then_some(main).into_iter().chain(given).collect();
    let attests = |o: &Output| matches!(o.format, Some(Format::InTotoTestResult | Format::InTotoSvr));
    if args.predicate_only && !outputs.iter().any(attests) {
        return Err(Error::usage("no report has a predicate")
            .help("--predicate-only belongs to in-toto-test-result and in-toto-svr"));
    }
    for (at, Output { file, .. }) in outputs.iter().enumerate() {
        if outputs.iter().take(at).any(|o| o.file == *file) {
            return Err(Error::usage(format!("two reports would go to \"{}\"", file.display()))
                .help("give every -o a file of its own"));
        }
        if file != Path::new("-") {
            output::check(file).map_err(|e| Error::usage(format!("can not write \"{}\"", file.display())).cause(e))?;
        }
    }
    Ok(outputs)
}

/// Writes the report wherever it is wanted, and turns the verdict into the exit code.
///
/// Files are written side by side: each waits for the disk at its end, and one that can not be written costs no other.
fn deliver(told: &Told<'_>, args: &Scan, outputs: &[Output], console: &mut Console<'_>) -> Result<u8> {
    let format = |output: &Output| output.format.unwrap_or(args.format);
    let (shown, kept): (Vec<&Output>, Vec<&Output>) = outputs.iter().partition(|output| output.file == Path::new("-"));
    let look = terminal::look_in_file(args.color);
    thread::scope(|scope| {
        let files: Vec<_> = kept
            .iter()
            .map(|kept| {
                let (format, file) = (format(kept), kept.file.as_path());
                let job = move || output::write(file, |out| write(told, format, look, out));
                // Where no more threads may be had, it is written here.
                (file, thread::Builder::new().spawn_scoped(scope, job).map_err(|_| job()))
            })
            .collect();
        for output in &shown {
            let look = terminal::look(args.color, console.out_terminal);
            let written = write(told, format(output), look, console.out);
            printed(written, console)?;
        }
        for (file, writer) in files {
            writer
                .map_or_else(|done| done, |writer| writer.join().unwrap_or_else(|fault| panic::resume_unwind(fault)))
                .map_err(|e| Error::judge(format!("can not write the report to \"{}\"", file.display())).cause(e))?;
            console.err.debug(|| format!("wrote \"{}\"", file.display()));
        }
        Ok(())
    })?;
    let is_shown = shown.iter().any(|output| format(output) == Format::Table);
    if !is_shown && !args.image.quiet {
        // Whoever only looks at the terminal learns why the command failed.
        let level = if matches!(told.verdict, Verdict::Passed { .. }) { Level::Info } else { Level::Warning };
        console.err.tell(level, &told.verdict.to_string());
    }
    Ok(match told.verdict {
        Verdict::Passed { .. } => 0,
        Verdict::Failed { .. } => 1,
        Verdict::Partial { .. } => NOT_JUDGED,
    })
}

fn part(args: &Scan) -> Part {
    if args.predicate_only { Part::Predicate } else { Part::Statement }
}

/// What reporters tell.
struct Told<'a> {
    report: &'a Report,
    verdict: &'a Verdict,
    gates: &'a Gates,
    /// What is written of an attestation.
    part: Part,
    /// Seconds since 1970.
    at: i64,
}

fn write(told: &Told<'_>, format: Format, look: table::Look, out: &mut dyn Write) -> io::Result<()> {
    let Told { report, verdict, gates, part, at } = told;
    match format {
        Format::Table => table::write(report, verdict, look, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Markdown => markdown::write(report, verdict, out),
        Format::Github => github::write(report, verdict, out),
        Format::Junit => junit::write(report, gates, *at, out),
        Format::Csv => csv::write(report, out),
        Format::Gitlab => gitlab::container(report, *at, out),
        Format::GitlabSecret => gitlab::secrets(report, *at, out),
        Format::GitlabCodequality => gitlab::code_quality(report, out),
        Format::InTotoTestResult => intoto::test_result(report, verdict, gates, *part, out),
        Format::InTotoSvr => intoto::svr(report, *at, *part, out),
        Format::Oscal => oscal::write(report, *at, out),
        Format::Cyclonedx => cyclonedx::write(report, *at, out),
        Format::Html => html::write(report, verdict, *at, out),
    }
}

fn list_files(args: &Files, console: &mut Console<'_>) -> Result<u8> {
    let catalogue = Catalogue::builtin()?;
    let options = options(&args.image);
    let started = Instant::now();
    let inventory = {
        let _bar = bar(&args.image, &options, console);
        scan::read(&args.image.reference, &catalogue, &options)?.1
    };
    tell_read(&args.image.reference, started, &mut console.err);
    let written = if args.all {
        inventory.all().try_for_each(|file| write_row(file, args.format, console.out))
    } else {
        inventory.files().try_for_each(|file| write_row(file, args.format, console.out))
    };
    printed(written, console)?;
    let unread: Vec<_> = inventory.notices().filter(|(_, notice)| notice.unread).collect();
    for (layer, notice) in &unread {
        let path = notice.path.as_ref().map_or_else(String::new, |path| format!(" {path}:"));
        console.err.tell(Level::Warning, &format!("not read: layer {}:{path} {}", layer + 1, notice.text));
    }
    Ok(if unread.is_empty() { 0 } else { NOT_JUDGED })
}

fn write_row(file: inventory::File<'_>, format: RowFormat, out: &mut dyn Write) -> io::Result<()> {
    let package = file.owner().map(|package| format!("{}:{}", package.manager.word(), package.name));
    let row = Row {
        path: file.path(),
        layer: file.layer() + 1,
        kind: file.kind(),
        mode: file.mode(),
        size: file.size(),
        uid: file.uid(),
        gid: file.gid(),
        package: package.as_deref(),
        state: file.state(),
        hidden_by: file.hidden_by().map(|layer| layer + 1),
        link: file.link(),
    };
    match format {
        RowFormat::Table => files::write_text(&row, out),
        RowFormat::Json => files::write_json(&row, out),
    }
}

pub(super) fn options(image: &Image) -> ScanOptions {
    ScanOptions { source: image.source(), jobs: image.jobs(), limits: image.limits(), ..ScanOptions::default() }
}

pub(super) fn load(policies: &Policies) -> Result<Catalogue> {
    Catalogue::load(policies.dir.as_deref(), &policies.rules)
}

pub(super) fn bar(image: &Image, options: &ScanOptions, console: &Console<'_>) -> Option<Bar> {
    let wanted = console.err_terminal && console.err.is_text() && !image.quiet && !image.no_progress;
    wanted.then(|| Bar::watch(Arc::clone(&options.progress)))
}

/// Ends a write to standard output. A reader that went away wanted no more: that is no error.
pub(super) fn printed(written: io::Result<()>, console: &mut Console<'_>) -> Result<()> {
    match written.and_then(|()| console.out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::judge("can not write to standard output").cause(e))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{
        cli::args::{Cli, LogFormat},
        report::testing,
    };

    fn typed(line: &[&str]) -> Scan {
        let cli = Cli::try_parse_from(["offcut", "scan", "x"].iter().chain(line)).expect("it is right");
        match cli.command {
            Command::Scan(scan) => *scan,
            _ => unreachable!("scan was typed"),
        }
    }

    fn judged(report: &Report, args: &Scan) -> (Verdict, Gates) {
        let catalogue = Catalogue::from_files(Vec::new()).expect("no rules are rules");
        let settings = args.policy.settings(None, 0, &catalogue).expect("no file is read");
        let gates = settings.policy(&report.image).gates().clone();
        (Verdict::of(report, &gates, None), gates)
    }

    fn delivered(report: &Report, line: &[&str]) -> (u8, String, String) {
        let args = typed(line);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outputs = plan(&args).expect("a plan");
        let (verdict, gates) = judged(report, &args);
        let told = Told { report, verdict: &verdict, gates: &gates, part: part(&args), at: 0 };
        let code = {
            let err = Log::new(&mut err, LogFormat::Text, false);
            let mut console = Console { out: &mut out, err, out_terminal: false, err_terminal: false };
            deliver(&told, &args, &outputs, &mut console).expect("written")
        };
        (code, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
    }

    /// Takes nothing, like a pipe without a reader or a full disk.
    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn the_exit_code_is_the_verdict_whatever_the_format() {
        let mut report = testing::report();
        for format in ["table", "json", "sarif", "html"] {
            assert_eq!(delivered(&report, &["-f", format]).0, 1);
            assert_eq!(delivered(&report, &["-f", format, "--fail-on", "critical"]).0, 0);
            assert_eq!(delivered(&report, &["-f", format, "--fail-on", "never"]).0, 0);
            assert_eq!(delivered(&testing::empty(), &["-f", format]).0, 0);
        }
        report.diagnostics.push(testing::unread("cut short"));
        assert_eq!(delivered(&report, &[]).0, 1, "a failed gate weighs more");
        assert_eq!(delivered(&report, &["--fail-on", "never"]).0, 3, "never clean");
    }

    #[test]
    fn a_plain_file_replaces_standard_output_and_a_format_adds_to_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name).display().to_string();
        let (_, out, err) = delivered(&testing::report(), &["-f", "json", "-o", &at("a.json")]);
        assert_eq!((out.as_str(), err.as_str()), ("", "FAILED: 1 finding is high or worse\n"));
        let (_, _, quiet) = delivered(&testing::report(), &["-q", "-f", "json", "-o", &at("a.json")]);
        assert_eq!(quiet, "");
        let sarif = format!("sarif={}", at("b.sarif"));
        let table = format!("table={}", at("c.txt"));
        let (_, out, err) = delivered(&testing::report(), &["-o", &sarif, "-o", &table]);
        assert!(out.ends_with("FAILED: 1 finding is high or worse\n") && err.is_empty());
        assert!(fs::read_to_string(at("a.json")).expect("read").contains(json::SCHEMA));
        assert!(fs::read_to_string(at("b.sarif")).expect("read").contains("sarif-2.1.0.json"));
        assert_eq!(fs::read_to_string(at("c.txt")).expect("read"), out);
    }

    #[test]
    fn a_file_holds_no_colours_unless_they_are_asked_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("out.txt");
        let name = file.display().to_string();
        for (color, colored) in [("auto", false), ("always", true), ("never", false)] {
            delivered(&testing::report(), &["--color", color, "-o", &name]);
            assert_eq!(fs::read_to_string(&file).expect("read").contains('\x1b'), colored, "{color}");
        }
    }

    #[test]
    fn what_can_not_be_written_is_refused_before_the_scan() {
        for wrong in [
            &["-o", "/no/such/dir/x"][..],
            &["-o", "/"],
            &["-o", "a", "-o", "json=a"],
            &["-o", "-", "-o", "json=-"],
            &["--predicate-only"],
            &["-f", "sarif", "--predicate-only"],
        ] {
            let error = plan(&typed(wrong)).expect_err("it can not work");
            assert_eq!(error.fault, crate::error::Fault::Usage, "{wrong:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_keeps_the_verdict() {
        let (args, report, mut err) = (typed(&[]), testing::report(), Vec::new());
        let mut pipe = Refusing(io::ErrorKind::BrokenPipe);
        let outputs = plan(&args).expect("a plan");
        let (verdict, gates) = judged(&report, &args);
        let told = Told { report: &report, verdict: &verdict, gates: &gates, part: part(&args), at: 0 };
        {
            let err = Log::new(&mut err, LogFormat::Text, false);
            let mut console = Console { out: &mut pipe, err, out_terminal: false, err_terminal: false };
            assert_eq!(deliver(&told, &args, &outputs, &mut console), Ok(1));
        }
        assert!(err.is_empty());
    }

    #[test]
    fn a_full_disk_is_not_quiet_and_costs_no_other_report() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("report.json");
        let kept = format!("json={}", file.display());
        let (args, report, mut err) = (typed(&["-o", &kept]), testing::report(), Vec::new());
        let mut full = Refusing(io::ErrorKind::StorageFull);
        let err = Log::new(&mut err, LogFormat::Text, false);
        let mut console = Console { out: &mut full, err, out_terminal: false, err_terminal: false };
        let outputs = plan(&args).expect("a plan");
        let (verdict, gates) = judged(&report, &args);
        let told = Told { report: &report, verdict: &verdict, gates: &gates, part: part(&args), at: 0 };
        let error = deliver(&told, &args, &outputs, &mut console).expect_err("nothing was written");
        assert_eq!(error.what, "can not write to standard output");
        assert!(fs::read_to_string(file).expect("read").contains(json::SCHEMA));
    }
}
