//! Walks rpm's own database format, ndb (`Packages.db`, used by SUSE).
//!
//! Format: rpm `lib/backend/ndb/rpmpkg.c`. All numbers are 32-bit little-endian. Pages of 4096 bytes at the front hold
//! slots of 16 bytes (magic, package, first block, blocks), the first two slots are the file's header (magic, version,
//! generation, slot pages, next package). A blob is a head of 16 bytes (magic, package, generation, length), the data
//! and a tail, in blocks of 16 bytes. The checksum in the tail is not compared: damage shows in the header.

use super::{super::malformed::Malformed, Headers};

/// First bytes of the file.
pub const MAGIC: &[u8] = b"RpmP";

const SLOT_MAGIC: &[u8; 4] = b"Slot";
const BLOB_MAGIC: &[u8; 4] = b"BlbS";
const PAGE: usize = 4096;
const BLOCK: usize = 16;

/// Hands every package's header to `headers`.
///
/// # Errors
/// When the file's header is damaged or the blobs overlap; a bad slot is a fault of its own.
pub fn read(body: &[u8], headers: &mut Headers) -> Result<(), Malformed> {
    let [_, version, _, pages] = words(body, 0).ok_or_else(|| malformed("ends in its header"))?;
    if version != 0 {
        return Err(Malformed(format!("the rpm database has version {version}, known is 0")));
    }
    let slots = to_usize(pages).checked_mul(PAGE).and_then(|end| body.get(..end));
    let slots = slots.ok_or_else(|| malformed("ends before its slots do"))?;
    for (slot, _) in slots.as_chunks::<BLOCK>().0.iter().enumerate().skip(2) {
        let Some([magic, package, block, _]) = words(slots, slot) else { break };
        if magic != u32::from_le_bytes(*SLOT_MAGIC) {
            headers.found.fault(format!("slot {slot} of the rpm database is damaged"));
        } else if block != 0 {
            match blob(body, package, to_usize(block)) {
                Some(blob) => headers.take(blob)?,
                None => headers.found.fault(format!("package {package} of the rpm database can not be read")),
            }
        }
    }
    Ok(())
}

fn blob(body: &[u8], package: u32, block: usize) -> Option<&[u8]> {
    let [magic, owner, _, len] = words(body, block)?;
    if magic != u32::from_le_bytes(*BLOB_MAGIC) || owner != package {
        return None;
    }
    body.get(block.checked_mul(BLOCK)?.checked_add(BLOCK)?..)?.get(..to_usize(len))
}

/// The four numbers of a block.
fn words(body: &[u8], block: usize) -> Option<[u32; 4]> {
    let bytes = body.as_chunks::<BLOCK>().0.get(block)?;
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    Some(words)
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn malformed(what: &str) -> Malformed {
    Malformed(format!("the rpm database {what}"))
}
