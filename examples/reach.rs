//! Prints, as JSON, what the command of an image can get at: files, their bytes, and where following stopped.
//!
//! usage: cargo run --example reach -- [SCHEME:]REF

use std::process::ExitCode;

use offcut::{
    catalogue::Catalogue,
    inventory::reach::{Reach, Scope},
    model::path,
    scan::{self, ScanOptions},
};
use serde_json::json;

fn main() -> ExitCode {
    let Some(reference) = std::env::args().nth(1) else { return ExitCode::from(2) };
    match print(&reference) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn print(reference: &str) -> offcut::Result<()> {
    let catalogue = Catalogue::builtin()?;
    let (image, inventory) = scan::read(reference, &catalogue, &ScanOptions::default())?;
    let reach = Reach::follow(&inventory, &image, &catalogue.roles);
    let files = inventory.files().map(|file| {
        let chain = reach.has(file.id()).then(|| reach.chain(&inventory, file.id()));
        json!({ "path": path::show(file.path()), "bytes": file.size(), "chain": chain })
    });
    let openings = reach.openings().iter().map(|opening| {
        let (kind, dirs) = match &opening.scope {
            Scope::Programs => ("programs", &[][..]),
            Scope::Libraries => ("libraries", &[][..]),
            Scope::Below(dirs) => ("below", &dirs[..]),
        };
        let dirs: Vec<String> = dirs.iter().map(|dir| path::show(dir)).collect();
        json!({ "kind": kind, "dirs": dirs, "why": reach.told(&inventory, opening) })
    });
    let steps =
        reach.command().iter().flat_map(|command| &command.steps).map(|step| step.argv.clone()).collect::<Vec<_>>();
    let all = json!({ "steps": steps, "files": files.collect::<Vec<_>>(), "openings": openings.collect::<Vec<_>>() });
    println!("{all}");
    Ok(())
}
