//! `offcut ledger`: who owns the bytes of an image.

use std::time::Instant;

use super::{
    NOT_JUDGED,
    args::{By, Ledger, RowFormat},
    log::Level,
    run::{Console, bar, load, options, printed, tell_read},
    terminal,
};
use crate::{
    error::Result,
    report::ledger::{self, Wanted},
    scan::{self, ScanOptions},
};

/// Prints the ledger. Code 3 when something was not read: the bytes are right all the same, their owners may not be.
pub(super) fn run(args: &Ledger, console: &mut Console<'_>) -> Result<u8> {
    let catalogue = load(&args.policies)?;
    let options = ScanOptions { base: args.base.clone(), ..options(&args.image) };
    let started = Instant::now();
    let accounts = {
        let _bar = bar(&args.image, &options, console);
        scan::account(&args.image.reference, &catalogue, &options)?
    };
    tell_read(&args.image.reference, started, &mut console.err);
    let written = match args.format {
        RowFormat::Json => ledger::write_json(&accounts, console.out),
        RowFormat::Table => {
            let wanted = Wanted { layers: args.by != By::Owner, owners: args.by != By::Layer, top: args.top };
            let look = terminal::look(args.color, console.out_terminal);
            ledger::write_table(&accounts, wanted, look, console.out)
        }
    };
    printed(written, console)?;
    let mut unread = false;
    for diagnostic in accounts.diagnostics.iter().filter(|diagnostic| diagnostic.unread) {
        unread = true;
        let layer = diagnostic.layer.map_or_else(String::new, |layer| format!(" layer {layer}:"));
        let path = diagnostic.path.as_ref().map_or_else(String::new, |path| format!(" {path}:"));
        console.err.tell(Level::Warning, &format!("not read:{layer}{path} {}", diagnostic.text));
    }
    Ok(if unread { NOT_JUDGED } else { 0 })
}
