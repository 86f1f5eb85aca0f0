//! `offcut fix`: the Dockerfile on standard output or in its place, what changed and why on standard error.

use std::time::Instant;

use super::{
    args::{Fix as Args, FixFormat},
    output,
    run::{Console, bar, load, options, printed, tell_read},
};
use crate::{
    attribution::told::Dockerfile,
    error::{Error, Result},
    remedy::Fix,
    report::fix,
    scan::{self, ScanOptions},
};

/// What could not be rewritten surely.
const REFUSED: u8 = 1;

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args, console: &mut Console<'_>) -> Result<u8> {
    let catalogue = load(&args.policies)?;
    let dockerfile = Dockerfile::read(&args.dockerfile, args.target.as_deref())?;
    let what = || format!("can not write the Dockerfile \"{}\"", args.dockerfile.display());
    if args.write {
        output::check(&args.dockerfile).map_err(|e| Error::usage(what()).cause(e))?;
    }
    let options = ScanOptions { secrets: false, ..options(&args.image) };
    let started = Instant::now();
    let made = {
        let _bar = bar(&args.image, &options, console);
        scan::mend(&args.image.reference, &catalogue, &dockerfile, &options)?
    };
    tell_read(&args.image.reference, started, &mut console.err);
    let old = dockerfile.file().text();
    if let (Fix::Rewritten(rewrite), true) = (&made, args.write) {
        output::write(&args.dockerfile, |out| out.write_all(rewrite.dockerfile.as_bytes()))
            .map_err(|e| Error::judge(what()).cause(e))?;
    }
    match (args.format, &made) {
        (FixFormat::Json, _) => printed(fix::write_json(&made, old, dockerfile.name(), console.out), console)?,
        (FixFormat::Text, Fix::Rewritten(rewrite)) if args.diff => {
            let diff = fix::diff(old, &rewrite.dockerfile, dockerfile.name());
            printed(console.out.write_all(diff.as_bytes()), console)?;
        }
        (FixFormat::Text, Fix::Rewritten(rewrite)) if !args.write => {
            printed(console.out.write_all(rewrite.dockerfile.as_bytes()), console)?;
        }
        (FixFormat::Text, _) => {}
    }
    if args.format == FixFormat::Text && !args.image.quiet {
        // Nowhere to complain if this fails.
        let _ = fix::write_text(&made, &mut console.err);
    }
    Ok(if matches!(made, Fix::Refused(_)) { REFUSED } else { 0 })
}
