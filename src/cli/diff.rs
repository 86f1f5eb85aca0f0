//! `offcut diff`: what changed between two images, and a gate for what is new.

use std::{path::Path, time::Instant};

use super::{
    NOT_JUDGED,
    args::{Diff as Args, RowFormat},
    clock,
    dockerfile::Given,
    log::Level,
    output,
    run::{Console, bar, load, options, printed, tell_read},
    terminal,
};
use crate::{
    catalogue::Catalogue,
    diff::{Diff, read_report},
    error::{Error, Result},
    model::Report,
    report::{
        Verdict,
        diff::{self, Judged},
        table::Look,
    },
    scan::{self, ScanOptions},
};

/// Reads both sides, compares them and prints what changed.
pub(super) fn run(args: &Args, console: &mut Console<'_>) -> Result<u8> {
    let (old, new) = (args.image.reference.as_str(), args.new.as_str());
    if old == "-" && new == "-" {
        return Err(Error::usage("both images would come from standard input")
            .help("give one of them as a file, or as a report that scan -f json wrote"));
    }
    if let Some(file) = &args.output {
        output::check(file).map_err(|e| Error::usage(format!("can not write \"{}\"", file.display())).cause(e))?;
    }
    let catalogue = load(&args.policies)?;
    let now = clock::made()?;
    let settings = args.policy.settings(None, now, &catalogue)?;
    let [old_file, new_file] =
        [&args.old_dockerfile, &args.dockerfile].map(|file| Given::read(file.as_deref(), None, None));
    let [old_file, new_file] = [old_file?, new_file?];
    let same_options = old_file.is_empty() && new_file.is_empty();

    let mut before = side(args, old, &catalogue, old_file, (now, None), console)?;
    let known = before.as_image().filter(|_| same_options);
    let mut after = match known.filter(|_| old == new) {
        Some(report) => Read::Image(report.clone()),
        None => side(args, new, &catalogue, new_file, (now, known), console)?,
    };
    for report in [before.report_mut(), after.report_mut()] {
        // What is allowed and not there is told by scan: here one side may well lack it.
        settings.policy(&report.image).apply_quietly(report);
    }
    let diff = Diff::between(before.report_mut(), after.report_mut());
    let new = after.report_mut();
    diff.mark(new);
    let policy = settings.policy(&new.image);
    deliver(&diff, &Judged::of(&diff, new, policy.gates()), args, console)
}

/// A side of the comparison, and where it is from.
enum Read {
    Image(Report),
    File(Report),
}

impl Read {
    fn as_image(&self) -> Option<&Report> {
        match self {
            Self::Image(report) => Some(report),
            Self::File(_) => None,
        }
    }

    fn report_mut(&mut self) -> &mut Report {
        match self {
            Self::Image(report) | Self::File(report) => report,
        }
    }
}

fn side(
    args: &Args,
    reference: &str,
    catalogue: &Catalogue,
    given: Given,
    (now, known): (i64, Option<&Report>),
    console: &mut Console<'_>,
) -> Result<Read> {
    if let Some(report) = read_report(reference)? {
        return Ok(Read::File(report));
    }
    let options = ScanOptions {
        dockerfile: given.file,
        sources: given.sources,
        secrets: !args.no_secrets,
        now,
        ..options(&args.image)
    };
    let started = Instant::now();
    let report = {
        let _bar = bar(&args.image, &options, console);
        match known {
            Some(known) => scan::scan_unless_known(reference, catalogue, &options, known)?,
            None => scan::scan(reference, catalogue, &options)?,
        }
    };
    tell_read(reference, started, &mut console.err);
    Ok(Read::Image(report))
}

fn deliver(diff: &Diff, judged: &Judged<'_>, args: &Args, console: &mut Console<'_>) -> Result<u8> {
    let verdict = &judged.verdict;
    let write = |out: &mut dyn std::io::Write, look: Look| match args.format {
        RowFormat::Json => diff::write_json(diff, judged, out),
        RowFormat::Table => diff::write_table(diff, verdict, look, out),
    };
    match args.output.as_deref().filter(|file| *file != Path::new("-")) {
        Some(file) => output::write(file, |out| write(out, terminal::look_in_file(args.color)))
            .map_err(|e| Error::judge(format!("can not write the comparison to \"{}\"", file.display())).cause(e))?,
        None => {
            let written = write(&mut *console.out, terminal::look(args.color, console.out_terminal));
            printed(written, console)?;
        }
    }
    let told = args.format == RowFormat::Table && args.output.is_none();
    if !told && !args.image.quiet {
        let level = if matches!(verdict, Verdict::Passed { .. }) { Level::Info } else { Level::Warning };
        console.err.tell(level, &verdict.to_string());
    }
    Ok(match verdict {
        Verdict::Passed { .. } => 0,
        Verdict::Failed { .. } => 1,
        Verdict::Partial { .. } => NOT_JUDGED,
    })
}
