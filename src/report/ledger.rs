//! The byte ledger for people and for programs: what `offcut ledger` prints.
//!
//! The JSON form is complete and fixed by `docs/schema/ledger-v1.json`; the table shows the largest owners and says how
//! much it leaves out.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

use super::{table::Look, text};
use crate::{
    inventory::ledger::{Class, LayerAccount, Ledger, OwnerAccount, Sums},
    model::{BaseLayers, Diagnostic, Digest, Origin, Platform, ToolInfo},
    scan::Accounts,
};

/// Name and version of the JSON form, the value of the member `schema`.
pub const SCHEMA: &str = "offcut.ledger/1";

/// Writes everything as indented JSON with a final newline.
///
/// # Errors
/// Those of `out`.
pub fn write_json(accounts: &Accounts, out: &mut dyn Write) -> io::Result<()> {
    let Accounts { image, base, ledger, diagnostics, tool } = accounts;
    let image = Image {
        reference: &image.reference,
        names: &image.names,
        manifest: image.manifest,
        id: image.id,
        platform: image.platform.as_ref(),
    };
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, image, base, ledger, diagnostics, tool })?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    image: Image<'a>,
    base: &'a BaseLayers,
    #[serde(flatten)]
    ledger: &'a Ledger,
    diagnostics: &'a [Diagnostic],
    tool: &'a ToolInfo,
}

#[derive(Serialize)]
struct Image<'a> {
    reference: &'a str,
    names: &'a [String],
    manifest: Option<Digest>,
    id: Option<Digest>,
    platform: Option<&'a Platform>,
}

/// Which tables are wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// One row for each layer.
    pub layers: bool,
    /// One row for each class, and one for each of the largest owners.
    pub owners: bool,
    /// Owners shown.
    pub top: usize,
}

/// Writes the tables.
///
/// # Errors
/// Those of `out`.
pub fn write_table(accounts: &Accounts, wanted: Wanted, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look: Look { width: look.width.max(60), ..look }, out };
    page.header(accounts)?;
    if wanted.layers {
        page.layers(&accounts.ledger)?;
    }
    if wanted.owners {
        page.classes(&accounts.ledger)?;
        page.owners(&accounts.ledger, wanted.top)?;
    }
    Ok(())
}

const BOLD: &str = "1";
const DIM: &str = "2";
const YELLOW: &str = "33";

struct Page<'a> {
    look: Look,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn header(&mut self, accounts: &Accounts) -> io::Result<()> {
        let image = &accounts.image;
        let platform =
            image.platform.as_ref().map_or_else(String::new, |p| format!(" ({})", text::plain(&p.to_string())));
        let name = self.paint(BOLD, text::plain(&image.reference));
        self.line("image", &format!("{name}{platform}"))?;
        let Sums { blob_bytes, tar_bytes, buried_bytes, .. } = accounts.ledger.totals;
        let layers = text::plural(accounts.ledger.layers.len(), "layer");
        let (tar, blob) = (text::bytes(tar_bytes), text::bytes(blob_bytes));
        self.line(
            "bytes",
            &format!("{tar} in {layers}, {blob} as stored, {} of it hidden", text::bytes(buried_bytes)),
        )?;
        let base = describe_base(&accounts.base);
        for (at, line) in text::wrap(&base, self.look.width.saturating_sub(12)).iter().enumerate() {
            self.line(if at == 0 { "base" } else { "" }, line)?;
        }
        writeln!(self.out)
    }

    fn layers(&mut self, ledger: &Ledger) -> io::Result<()> {
        let head = format!(
            "{:>4} {:<8}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}  command",
            "NO", "from", "stored", "unpacked", "live", "buried", "replaced", "archive"
        );
        self.head(&head)?;
        for layer in &ledger.layers {
            self.layer(layer)?;
        }
        let row = numbers(&ledger.totals);
        let row = self.paint(BOLD, format!("{:>4} {:<8}{row}", "all", ""));
        writeln!(self.out, "{row}\n")
    }

    fn layer(&mut self, layer: &LayerAccount) -> io::Result<()> {
        let row = format!("{:>4} {:<8}{}", layer.layer.number, word(layer.origin), numbers(&layer.sums));
        let command = layer.layer.created_by.as_deref().map(text::command).filter(|command| !command.is_empty());
        let command =
            text::clip(command.as_deref().unwrap_or("-"), self.look.width.saturating_sub(row.len() + 2).max(8));
        let row = if layer.origin == Origin::Base { self.paint(DIM, row) } else { row };
        writeln!(self.out, "{row}  {command}")
    }

    /// The classes by where they came from: the answer in nine lines.
    fn classes(&mut self, ledger: &Ledger) -> io::Result<()> {
        let mut sums: BTreeMap<Class, [u64; 3]> = BTreeMap::new();
        for layer in &ledger.layers {
            for (class, bytes) in &layer.classes {
                if let Some(sum) = sums.entry(*class).or_default().get_mut(column(layer.origin)) {
                    *sum = sum.saturating_add(*bytes);
                }
            }
        }
        let all = |by: [u64; 3]| by.into_iter().fold(0, u64::saturating_add);
        let total = ledger.totals.tar_bytes;
        self.head(&format!(
            " {:<17}{:>9}{:>8}{:>10}{:>10}{:>10}",
            "CLASS", "bytes", "share", "base", "own", "unknown"
        ))?;
        for class in Class::ALL {
            let Some(by) = sums.get(&class) else { continue };
            let row = format!(
                " {:<17}{:>9}{:>8}{}",
                class.word(),
                text::bytes(all(*by)),
                share(all(*by), total),
                columns(*by)
            );
            let row = if class == Class::Buried { self.paint(YELLOW, row) } else { row };
            writeln!(self.out, "{row}")?;
        }
        let by = sums.values().fold([0; 3], |sum: [u64; 3], by| {
            let mut pairs = sum.into_iter().zip(*by);
            std::array::from_fn(|_| pairs.next().map_or(0, |(a, b)| a.saturating_add(b)))
        });
        let row = format!(" {:<17}{:>9}{:>8}{}", "all", text::bytes(all(by)), share(all(by), total), columns(by));
        let row = self.paint(BOLD, row);
        writeln!(self.out, "{row}\n")
    }

    fn owners(&mut self, ledger: &Ledger, top: usize) -> io::Result<()> {
        self.head(&format!(
            " {:<17}{:>9}{:>8}{:>10}  {:<8}{:<9}owner",
            "OWNERS", "bytes", "share", "files", "from", "layers"
        ))?;
        let named: Vec<&OwnerAccount> = ledger.owners.iter().filter(|owner| !owner.name.is_empty()).collect();
        for owner in named.iter().take(top) {
            let OwnerAccount { class, bytes, files, origin, .. } = owner;
            let row = format!(
                " {:<17}{:>9}{:>8}{:>10}  {:<8}{:<9}",
                class.word(),
                text::bytes(*bytes),
                share(*bytes, ledger.totals.tar_bytes),
                text::count(*files),
                word(*origin),
                layers(owner)
            );
            // A path is escaped, and a package's name is not.
            let name = if owner.name.starts_with('/') { owner.name.clone() } else { text::plain(&owner.name) };
            let row = if *class == Class::Buried { self.paint(YELLOW, row) } else { row };
            writeln!(self.out, "{row}{name}")?;
        }
        let rest = named.get(top..).unwrap_or_default();
        if !rest.is_empty() {
            let bytes = rest.iter().fold(0_u64, |sum, owner| sum.saturating_add(owner.bytes));
            let count = text::plural(rest.len(), "owner");
            let (number, noun) = count.split_once(' ').unwrap_or((&count, ""));
            let line = self.paint(DIM, format!(" and {number} more {noun} with {}", text::bytes(bytes)));
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn head(&mut self, text: &str) -> io::Result<()> {
        let line = self.paint(DIM, text);
        writeln!(self.out, "{line}")
    }

    fn line(&mut self, label: &str, value: &str) -> io::Result<()> {
        let label = if label.is_empty() { format!("{:10}", "") } else { self.paint(DIM, format!("{label:<10}")) };
        writeln!(self.out, " {label} {value}")
    }

    fn paint(&self, color: &str, text: impl Display) -> String {
        let text = text.to_string();
        if self.look.color && !text.is_empty() { format!("\x1b[{color}m{text}\x1b[0m") } else { text }
    }
}

fn describe_base(base: &BaseLayers) -> String {
    let how = text::plain(&base.how);
    let Some(count) = base.layers else { return format!("unknown: {how}") };
    let layers = match count {
        0 => "no layer".to_string(),
        1 => "layer 1".to_string(),
        n => format!("layers 1 to {n}"),
    };
    let name = base.name.as_ref().map_or_else(String::new, |name| format!(" of {}", text::plain(name)));
    let confidence = base.confidence.map_or_else(String::new, |confidence| format!(", {}", confidence.word()));
    format!("{layers}{name}{confidence}: {how}")
}

fn numbers(sums: &Sums) -> String {
    let Sums { blob_bytes, tar_bytes, live_bytes, buried_bytes, replaced_bytes, overhead_bytes } = *sums;
    let rest = [tar_bytes, live_bytes, buried_bytes, replaced_bytes, overhead_bytes];
    let rest: String = rest.map(|bytes| format!("{:>10}", dash(bytes))).concat();
    format!("{:>9}{rest}", dash(blob_bytes))
}

fn columns(by: [u64; 3]) -> String {
    by.map(|bytes| format!("{:>10}", dash(bytes))).concat()
}

/// A size, and a dash for nothing: zeros hide what there is.
fn dash(bytes: u64) -> String {
    if bytes == 0 { "-".to_string() } else { text::bytes(bytes) }
}

fn share(bytes: u64, total: u64) -> String {
    let tenths = u128::from(bytes) * 1000 / u128::from(total.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn column(origin: Origin) -> usize {
    match origin {
        Origin::Base => 0,
        Origin::Own => 1,
        Origin::Unknown => 2,
    }
}

/// A word for the table, where most rows would say `unknown` otherwise.
fn word(origin: Origin) -> &'static str {
    if origin == Origin::Unknown { "-" } else { origin.word() }
}

/// The layers of an owner: `3`, `2-5`, `1,4`, or the first with a plus.
fn layers(owner: &OwnerAccount) -> String {
    let numbers: Vec<u32> = owner.layers.iter().map(|share| share.number).collect();
    match numbers[..] {
        [] => "-".to_string(),
        [one] => one.to_string(),
        [first, .., last] if (last - first) as usize + 1 == numbers.len() => format!("{first}-{last}"),
        [first, second] => format!("{first},{second}"),
        [first, ..] => format!("{first}+{}", numbers.len() - 1),
    }
}
