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
        let hidden =
            if buried_bytes == 0 { String::new() } else { format!(", {} of it hidden", text::bytes(buried_bytes)) };
        self.line("bytes", &format!("{tar} in {layers}{hidden}; {blob} as stored"))?;
        let base = describe_base(&accounts.base);
        for (at, line) in text::wrap(&base, self.look.width.saturating_sub(12)).iter().enumerate() {
            self.line(if at == 0 { "base" } else { "" }, line)?;
        }
        writeln!(self.out)
    }

    fn layers(&mut self, ledger: &Ledger) -> io::Result<()> {
        // Hardly any archive replaces its own files: the column would be empty.
        let replaced = ledger.totals.replaced_bytes > 0;
        let column = if replaced { format!("{:>10}", "replaced") } else { String::new() };
        self.head(&format!(
            "{:>4} {:<8}{:>9}{:>10}{:>10}{:>10}{column}{:>10}  command",
            "NO", "from", "stored", "unpacked", "live", "buried", "archive"
        ))?;
        for layer in &ledger.layers {
            self.layer(layer, replaced)?;
        }
        let row = numbers(&ledger.totals, replaced);
        let row = self.paint(BOLD, format!("{:>4} {:<8}{row}", "all", ""));
        writeln!(self.out, "{row}\n")
    }

    fn layer(&mut self, layer: &LayerAccount, replaced: bool) -> io::Result<()> {
        let row = format!("{:>4} {:<8}{}", layer.layer.number, word(layer.origin), numbers(&layer.sums, replaced));
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
            let row = if *class == Class::Buried { self.paint(YELLOW, row) } else { row };
            writeln!(self.out, "{row}{}", owner.name)?;
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

fn numbers(sums: &Sums, replaced: bool) -> String {
    let Sums { blob_bytes, tar_bytes, live_bytes, buried_bytes, replaced_bytes, overhead_bytes } = *sums;
    let column = |bytes| format!("{:>10}", dash(bytes));
    let replaced = if replaced { column(replaced_bytes) } else { String::new() };
    let [tar, live, buried, overhead] = [tar_bytes, live_bytes, buried_bytes, overhead_bytes].map(column);
    format!("{:>9}{tar}{live}{buried}{replaced}{overhead}", dash(blob_bytes))
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        inventory::ledger::LayerShare,
        model::{Compression, Confidence, LayerRef, path},
        report::testing,
    };

    fn layer(number: u32, origin: Origin, created_by: &str, classes: &[(Class, u64)]) -> LayerAccount {
        let classes: BTreeMap<Class, u64> = classes.iter().copied().collect();
        let of = |class: Class| classes.get(&class).copied().unwrap_or_default();
        let tar_bytes = classes.values().sum();
        let (buried_bytes, replaced_bytes, overhead_bytes) =
            (of(Class::Buried), of(Class::Replaced), of(Class::Overhead));
        let live_bytes = tar_bytes - buried_bytes - replaced_bytes - overhead_bytes;
        let blob_bytes = tar_bytes / 3;
        let sums = Sums { blob_bytes, tar_bytes, live_bytes, buried_bytes, replaced_bytes, overhead_bytes };
        let diff_id = Some(Digest::new([number as u8; 32]));
        let layer = LayerRef { number, diff_id, created_by: Some(created_by.into()) };
        LayerAccount { layer, origin, compression: Compression::Gzip, sums, classes }
    }

    fn owner(class: Class, name: &str, origin: Origin, bytes: u64, layers: &[u32]) -> OwnerAccount {
        let share = |&number: &u32| LayerShare { number, bytes: bytes / layers.len() as u64 };
        OwnerAccount {
            class,
            name: name.into(),
            origin,
            bytes,
            files: 1_200,
            layers: layers.iter().map(share).collect(),
        }
    }

    fn accounts() -> Accounts {
        let report = testing::report();
        let layers = vec![
            layer(
                1,
                Origin::Base,
                "/bin/sh -c #(nop) ADD file:1 in / ",
                &[(Class::Package, 70_000_000), (Class::Overhead, 9_000_000)],
            ),
            layer(
                2,
                Origin::Own,
                "RUN /bin/sh -c make # buildkit",
                &[(Class::Application, 20_000_000), (Class::Buried, 1_000_000)],
            ),
        ];
        let total = |of: fn(&Sums) -> u64| layers.iter().map(|layer| of(&layer.sums)).sum::<u64>();
        let totals = Sums {
            blob_bytes: total(|s| s.blob_bytes),
            tar_bytes: total(|s| s.tar_bytes),
            live_bytes: total(|s| s.live_bytes),
            buried_bytes: total(|s| s.buried_bytes),
            replaced_bytes: total(|s| s.replaced_bytes),
            overhead_bytes: total(|s| s.overhead_bytes),
        };
        let owners = vec![
            owner(Class::Package, "deb:libc6", Origin::Base, 70_000_000, &[1]),
            owner(Class::Application, "/app", Origin::Own, 20_000_000, &[2]),
            owner(Class::Overhead, "", Origin::Base, 9_000_000, &[1]),
            owner(Class::Buried, "/var/cache", Origin::Own, 1_000_000, &[2]),
        ];
        let base = report.base.clone();
        let ledger = Ledger { totals, layers, owners };
        Accounts {
            image: report.image,
            base,
            ledger,
            diagnostics: vec![testing::unread("cut short")],
            tool: report.tool,
        }
    }

    /// With `name` wherever an image can put a string.
    fn hostile(name: &[u8]) -> Accounts {
        let text = String::from_utf8_lossy(name).into_owned();
        let mut accounts = accounts();
        accounts.image.reference = text.clone();
        accounts.base.name = Some(text.clone());
        accounts.base.how = text.clone();
        for layer in &mut accounts.ledger.layers {
            layer.layer.created_by = Some(text.clone());
        }
        for owner in &mut accounts.ledger.owners {
            owner.name = path::show(name);
        }
        accounts
    }

    fn table(accounts: &Accounts, wanted: Wanted, color: bool) -> String {
        let mut out = Vec::new();
        write_table(accounts, wanted, Look { width: 100, color }, &mut out).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    }

    const ALL: Wanted = Wanted { layers: true, owners: true, top: 2 };

    #[test]
    fn the_tables_read_as_they_should() {
        let want = "\
\x20image      docker:registry.example:5000/shop/api:1.4 (linux/amd64)
 bytes      100 MB in 2 layers, 1.00 MB of it hidden; 33.3 MB as stored
 base       layer 1 of debian:12, high: the history sets CMD after layer 1

  NO from       stored  unpacked      live    buried   archive  command
   1 base      26.3 MB   79.0 MB   70.0 MB         -   9.00 MB  ADD file:1 in /
   2 own       7.00 MB   21.0 MB   20.0 MB   1.00 MB         -  RUN make
 all           33.3 MB    100 MB   90.0 MB   1.00 MB   9.00 MB

 CLASS                bytes   share      base       own   unknown
 package            70.0 MB  70.0 %   70.0 MB         -         -
 application        20.0 MB  20.0 %         -   20.0 MB         -
 buried             1.00 MB   1.0 %         -   1.00 MB         -
 overhead           9.00 MB   9.0 %   9.00 MB         -         -
 all                 100 MB 100.0 %   79.0 MB   21.0 MB         -

 OWNERS               bytes   share     files  from    layers   owner
 package            70.0 MB  70.0 %     1,200  base    1        deb:libc6
 application        20.0 MB  20.0 %     1,200  own     2        /app
 and 1 more owner with 1.00 MB
";
        assert_eq!(table(&accounts(), ALL, false), want);
        let layers = table(&accounts(), Wanted { owners: false, ..ALL }, false);
        assert!(layers.contains("command") && !layers.contains("CLASS"), "{layers}");
        let owners = table(&accounts(), Wanted { layers: false, top: 20, ..ALL }, false);
        assert!(!owners.contains("command") && owners.ends_with("/var/cache\n"), "{owners}");
    }

    #[test]
    fn an_unknown_base_says_why() {
        let mut accounts = accounts();
        accounts.base = BaseLayers { how: "it has a single layer".into(), ..BaseLayers::default() };
        assert!(table(&accounts, ALL, false).contains(" base       unknown: it has a single layer\n"));
        accounts.base.layers = Some(2);
        accounts.base.confidence = Some(Confidence::Certain);
        assert!(table(&accounts, ALL, false).contains(" base       layers 1 to 2, certain: it"));
    }

    #[test]
    fn no_name_of_an_image_reaches_the_terminal_unescaped() {
        let plain = table(&accounts(), ALL, false).lines().count();
        for name in testing::HOSTILE {
            let shown = table(&hostile(name), ALL, false);
            assert!(!shown.replace('\n', "").contains(char::is_control), "{shown:?}");
            assert!(!shown.contains(['\u{202e}', '\u{2066}']), "{shown:?}");
            assert_eq!(shown.lines().count(), plain, "{shown}");
        }
        assert!(table(&accounts(), ALL, true).contains("\x1b["), "colours are ours");
    }

    fn printed(accounts: &Accounts) -> Value {
        let mut out = Vec::new();
        write_json(accounts, &mut out).expect("a Vec takes everything");
        serde_json::from_slice(&out).expect("it is JSON")
    }

    fn schema() -> jsonschema::Validator {
        let schema: Value = serde_json::from_str(include_str!("../../docs/schema/ledger-v1.json")).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    }

    #[test]
    fn the_schema_takes_every_ledger() {
        let schema = schema();
        let mut all = vec![accounts()];
        all.extend(testing::HOSTILE.map(hostile));
        let mut bare = accounts();
        bare.image = crate::model::ImageInfo::default();
        bare.base = BaseLayers::default();
        all.push(bare);
        for accounts in &all {
            let value = printed(accounts);
            let faults: Vec<_> = schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert_eq!(faults, Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_knows_every_member_and_wants_it() {
        let schema = schema();
        let good = printed(&accounts());
        for object in ["", "/image", "/base", "/totals", "/layers/0", "/owners/0", "/owners/0/layers/0", "/tool"] {
            let members = |value: &Value| value.pointer(object).and_then(Value::as_object).cloned().expect("an object");
            let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
                let mut value = good.clone();
                change(value.pointer_mut(object).and_then(Value::as_object_mut).expect("an object"));
                value
            };
            let more = changed(&|members| drop(members.insert("surprise".into(), json!(1))));
            assert!(!schema.is_valid(&more), "{object} takes a member nobody knows");
            for name in members(&good).keys() {
                let less = changed(&|members| drop(members.remove(name)));
                assert!(!schema.is_valid(&less), "{object} does without {name}");
            }
        }
        for (at, wrong) in [
            ("/schema", json!("offcut.ledger/2")),
            ("/owners/0/class", json!("wasted")),
            ("/owners/0/name", json!("a\u{1b}b")),
            ("/layers/0/classes", json!({"wasted": 1})),
            ("/layers/0/origin", json!("theirs")),
            ("/totals/tar_bytes", json!(-1)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(at).unwrap_or_else(|| unreachable!("{at} is in every ledger")) = wrong;
            assert!(!schema.is_valid(&bad), "{at}");
        }
    }
}
