//! `offcut fix`: the Dockerfile on standard output or in its place, what changed and why on standard error.

use std::{io::Write, path::Path, time::Instant};

use super::{
    args::{Fix as Args, FixFormat},
    output,
    run::{Console, bar, load, options, printed, tell_read},
};
use crate::{
    attribution::told::Dockerfile,
    catalogue::Catalogue,
    error::{Error, Result},
    model::{Fix, Rewrite},
    remedy::Ignored,
    report::{fix, text},
    scan::{self, ScanOptions},
    verify::{self, Proof, Verified},
};

/// What could not be rewritten surely, or does not do what it did.
const REFUSED: u8 = 1;

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args, console: &mut Console<'_>) -> Result<u8> {
    let catalogue = load(&args.policies)?;
    let given = args.dockerfile.as_deref();
    let dockerfile = given.map(|file| Dockerfile::read(file, args.target.as_deref())).transpose()?;
    if let (Some(given), Some(dockerfile), true) = (given, &dockerfile, args.dockerignore) {
        return ignore(args, given, dockerfile, &catalogue, console);
    }
    let what = |file: &Path| format!("can not write the Dockerfile \"{}\"", file.display());
    let in_place = given.filter(|_| args.write);
    if let Some(file) = in_place {
        output::check(file).map_err(|e| Error::usage(what(file)).cause(e))?;
    }
    let options = ScanOptions { base: args.base.clone(), secrets: false, ..options(&args.image) };
    let started = Instant::now();
    let made = {
        let _bar = bar(&args.image, &options, console);
        scan::mend(&args.image.reference, &catalogue, dockerfile.as_ref(), &options)?
    };
    tell_read(&args.image.reference, started, &mut console.err);
    let verified = match &made {
        Fix::Rewritten(rewrite) if args.verify => Some(verify(args, rewrite, &catalogue, &options)?),
        _ => None,
    };
    let holds = verified.as_ref().is_none_or(Verified::holds);
    if let (Fix::Rewritten(rewrite), Some(file)) = (&made, in_place.filter(|_| holds)) {
        output::write(file, |out| out.write_all(rewrite.dockerfile.as_bytes()))
            .map_err(|e| Error::judge(what(file)).cause(e))?;
    }
    match (args.format, &made) {
        (FixFormat::Json, _) => printed(fix::write_json(&made, verified.as_ref(), console.out), console)?,
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
        let _ = fix::write_text(&made, verified.as_ref(), &mut console.err);
    }
    Ok(if matches!(made, Fix::Refused(_)) || !holds { REFUSED } else { 0 })
}

/// Makes the `.dockerignore`; one that is there already is the user's, and stays.
fn ignore(
    args: &Args,
    given: &Path,
    dockerfile: &Dockerfile,
    catalogue: &Catalogue,
    console: &mut Console<'_>,
) -> Result<u8> {
    let file = context(args, given)?.join(".dockerignore");
    let what = || format!("can not write \"{}\"", file.display());
    if args.write && file.symlink_metadata().is_ok() {
        return Err(Error::usage(what())
            .cause("it is there already")
            .help("leave out --write, and take over what is printed"));
    }
    let options = ScanOptions { secrets: false, ..options(&args.image) };
    let made = {
        let _bar = bar(&args.image, &options, console);
        scan::ignore(&args.image.reference, catalogue, dockerfile, &options)?
    };
    let (code, said) = match made {
        Ignored::Made(ignore) => {
            if args.write {
                output::write(&file, |out| out.write_all(ignore.text.as_bytes()))
                    .map_err(|e| Error::judge(what()).cause(e))?;
            } else {
                printed(console.out.write_all(ignore.text.as_bytes()), console)?;
            }
            (0, ignore.left_out.iter().map(|name| format!("left out: {}\n", text::plain(name))).collect::<String>())
        }
        Ignored::Refused(why) => (REFUSED, format!("no .dockerignore: {}\n", text::plain(&why))),
        Ignored::Nothing(why) => (0, format!("no .dockerignore: {}\n", text::plain(&why))),
    };
    if !args.image.quiet {
        // Nowhere to complain if this fails.
        let _ = console.err.write_all(said.as_bytes());
    }
    Ok(code)
}

/// The directory that is built.
fn context<'a>(args: &'a Args, dockerfile: &'a Path) -> Result<&'a Path> {
    let beside = dockerfile.parent().filter(|dir| *dir != Path::new(""));
    let context = args.context.as_deref().or(beside).unwrap_or(Path::new("."));
    if !context.is_dir() {
        return Err(Error::usage(format!("the context \"{}\" is no directory", context.display()))
            .help("give --context the directory that is built"));
    }
    Ok(context)
}

fn verify(args: &Args, rewrite: &Rewrite, catalogue: &Catalogue, options: &ScanOptions) -> Result<Verified> {
    let context = context(args, args.dockerfile.as_deref().unwrap_or(Path::new("Dockerfile")))?;
    let proof = Proof {
        engine: args.engine.as_deref(),
        context,
        arguments: &args.build_arg,
        build_options: &args.build_option,
        run_options: &args.run_option,
        smoke: args.smoke.as_deref(),
        patience: verify::PATIENCE,
    };
    // The base is that of the old image alone.
    let options = ScanOptions { base: None, secrets: true, ..options.clone() };
    verify::verify(&rewrite.old, rewrite, &proof, catalogue, &options)
}
