//! `offcut fix`: the Dockerfile on standard output or in its place, what changed and why on standard error.

use std::path::Path;

use super::{
    args::{Fix as Args, FixFormat},
    output,
    run::{Console, bar, load, options, printed},
};
use crate::{
    attribution::told::Dockerfile,
    error::{Error, Result},
    model::Fix,
    report::fix,
    scan::{self, ScanOptions},
};

/// What could not be rewritten surely.
const REFUSED: u8 = 1;

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args, console: &mut Console<'_>) -> Result<u8> {
    let catalogue = load(&args.policies)?;
    let given = args.dockerfile.as_deref();
    let dockerfile = given.map(|file| Dockerfile::read(file, args.target.as_deref())).transpose()?;
    let what = |file: &Path| format!("can not write the Dockerfile \"{}\"", file.display());
    let in_place = given.filter(|_| args.write);
    if let Some(file) = in_place {
        output::check(file).map_err(|e| Error::usage(what(file)).cause(e))?;
    }
    let options = ScanOptions { base: args.base.clone(), secrets: false, ..options(&args.image) };
    let made = {
        let _bar = bar(&args.image, &options, console);
        scan::mend(&args.image.reference, &catalogue, dockerfile.as_ref(), &options)?
    };
    if let (Fix::Rewritten(rewrite), Some(file)) = (&made, in_place) {
        output::write(file, |out| out.write_all(rewrite.dockerfile.as_bytes()))
            .map_err(|e| Error::judge(what(file)).cause(e))?;
    }
    match (args.format, &made) {
        (FixFormat::Json, _) => printed(fix::write_json(&made, console.out), console)?,
        (FixFormat::Text, Fix::Rewritten(rewrite)) if args.diff => {
            printed(console.out.write_all(rewrite.diff.as_bytes()), console)?;
        }
        (FixFormat::Text, Fix::Rewritten(rewrite)) if !args.write => {
            printed(console.out.write_all(rewrite.dockerfile.as_bytes()), console)?;
        }
        (FixFormat::Text, _) => {}
    }
    if args.format == FixFormat::Text && !args.image.quiet {
        // Nowhere to complain if this fails.
        let _ = fix::write_text(&made, console.err);
    }
    Ok(if matches!(made, Fix::Refused(_)) { REFUSED } else { 0 })
}
