//! Walks a Berkeley DB hash file (`Packages`, used by rpm before 4.16).
//!
//! Format: Berkeley DB 4 and 5, `src/dbinc/db_page.h` (hash metadata, page header, `H_KEYDATA`, `H_OFFPAGE`, overflow
//! pages). Numbers are in the byte order of the machine that made the file; its magic tells which. Pages are visited
//! in file order and not bucket by bucket: every header is found and no chain of buckets has to end. Encrypted or
//! checksummed files, which rpm never wrote, are not read.

use super::{super::malformed::Malformed, Headers};

const HASH_MAGIC: u32 = 0x0006_1561;
const MAGIC_AT: usize = 12;
const PAGE_SIZE_AT: usize = 20;
const LAST_PAGE_AT: usize = 32;

/// Fields of every page, and where its items or bytes start.
const NEXT_AT: usize = 16;
const ENTRIES_AT: usize = 20;
const USED_AT: usize = 22;
const TYPE_AT: usize = 25;
const START: usize = 26;

/// Page types: hash buckets with unsorted and sorted items, and overflow.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Item types: bytes on the page, and bytes on overflow pages.
const KEYDATA: u8 = 1;
const OFFPAGE: u8 = 3;

/// Whether the file is a Berkeley DB hash of either byte order.
pub fn is_hash(body: &[u8]) -> bool {
    order(body).is_some()
}

/// Hands every package's header to `headers`.
///
/// # Errors
/// When the first page is damaged or the headers overlap; a bad item is a fault of its own.
pub fn read(body: &[u8], headers: &mut Headers) -> Result<(), Malformed> {
    let first = || Malformed("the first page of the rpm database is damaged".to_string());
    let order = order(body).ok_or_else(first)?;
    let page_size = order.u32(body, PAGE_SIZE_AT).and_then(|size| usize::try_from(size).ok()).ok_or_else(first)?;
    if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
        return Err(first());
    }
    let last = order.u32(body, LAST_PAGE_AT).and_then(|last| usize::try_from(last).ok()).ok_or_else(first)?;
    if last.checked_add(1).and_then(|pages| pages.checked_mul(page_size)).is_none_or(|len| len > body.len()) {
        headers.found.fault(format!("the rpm database ends before its page {last}"));
    }
    let pages: Vec<_> = body.chunks_exact(page_size).take(last.saturating_add(1)).collect();
    let mut file = File { used: vec![false; pages.len()], pages, order };
    for number in 1..file.pages.len() {
        file.bucket(number, headers)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

fn order(body: &[u8]) -> Option<Order> {
    let is = |order: &Order| order.u32(body, MAGIC_AT) == Some(HASH_MAGIC);
    [Order::Little, Order::Big].into_iter().find(is)
}

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let &bytes = bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<usize> {
        let &bytes = bytes.get(at..)?.first_chunk()?;
        Some(usize::from(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }))
    }
}

struct File<'a> {
    pages: Vec<&'a [u8]>,
    /// Overflow pages that belong to an item already: one read twice would make a loop or a bomb.
    used: Vec<bool>,
    order: Order,
}

impl File<'_> {
    fn bucket(&mut self, number: usize, headers: &mut Headers) -> Result<(), Malformed> {
        let Some(&page) = self.pages.get(number) else { return Ok(()) };
        if !matches!(page.get(TYPE_AT), Some(&(HASH | HASH_UNSORTED))) {
            return Ok(());
        }
        let entries = self.order.u16(page, ENTRIES_AT).unwrap_or_default();
        // Keys and values take turns, and an item ends where the one before it starts.
        for value in (1..entries).step_by(2) {
            let offset = |item: usize| self.order.u16(page, START + item * 2);
            let item = offset(value).zip(offset(value - 1)).and_then(|(start, end)| page.get(start..end));
            match item.and_then(|item| self.value(item)) {
                // Key 0 holds the number of the next package, not a header.
                Some(blob) if blob.len() == 4 => {}
                Some(blob) => headers.take(&blob)?,
                None => headers.found.fault(format!("item {value} on page {number} of the rpm database is damaged")),
            }
        }
        Ok(())
    }

    fn value(&mut self, item: &[u8]) -> Option<Vec<u8>> {
        match item {
            [KEYDATA, bytes @ ..] => Some(bytes.to_vec()),
            [OFFPAGE, ..] => {
                let page = usize::try_from(self.order.u32(item, 4)?).ok()?;
                let len = usize::try_from(self.order.u32(item, 8)?).ok()?;
                self.overflow(page, len)
            }
            _ => None,
        }
    }

    fn overflow(&mut self, mut number: usize, len: usize) -> Option<Vec<u8>> {
        let mut blob = Vec::new();
        while blob.len() < len {
            let &page = self.pages.get(number)?;
            if std::mem::replace(self.used.get_mut(number)?, true) || page.get(TYPE_AT) != Some(&OVERFLOW) {
                return None;
            }
            blob.extend_from_slice(page.get(START..)?.get(..self.order.u16(page, USED_AT)?)?);
            number = usize::try_from(self.order.u32(page, NEXT_AT)?).ok()?;
        }
        (blob.len() == len).then_some(blob)
    }
}
