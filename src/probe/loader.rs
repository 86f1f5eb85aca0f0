//! Reads where dynamic loaders look for libraries: glibc's `ld.so.cache` and musl's `ld-musl-ARCH.path`.
//!
//! `ld.so.conf` is not read: the loader does not read it either, only `ldconfig` does when it writes the cache. A
//! directory that is listed there and not in the cache is one in which nothing is found.

use super::malformed::{Malformed, TEXT_MAX};
use crate::model::ImagePath;

/// What a cache in the format of glibc 2.2 and later starts with.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

/// What a cache starts with that older loaders can read, too; the newer part follows.
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";

/// Most bytes of text for each byte of a cache; real ones have less than one.
const GROWTH: usize = 8;

/// The libraries of `ld.so.cache`, in file order: what a program asks for, and the file.
///
/// # Errors
/// When it is no cache, or its table does not lie in it. A single entry that points nowhere is left out.
/// Format: glibc `sysdeps/generic/dl-cache.h` (`struct cache_file_new`); numbers have the byte order of the machine.
pub fn cache(body: &[u8]) -> Result<Vec<(String, ImagePath)>, Malformed> {
    const HEADER: usize = 48;
    const ENTRY: usize = 24;

    let body = new_part(body).ok_or_else(|| Malformed("is no cache of glibc's loader".to_string()))?;
    let table = body.get(HEADER..).unwrap_or_default();
    let fits = |count: &u32| usize::try_from(*count).is_ok_and(|count| count <= table.len() / ENTRY);
    let count = |read: fn([u8; 4]) -> u32| number(body, 20, read).filter(fits);
    let (read, count) = [u32::from_le_bytes as fn([u8; 4]) -> u32, u32::from_be_bytes]
        .into_iter()
        .find_map(|read| Some((read, count(read)?)))
        .ok_or_else(|| Malformed("promises more libraries than it holds".to_string()))?;
    // Entries may share their texts: ten thousand of them must not ask for ten thousand copies of a long one.
    let mut left = body.len().saturating_mul(GROWTH);
    let mut entry = |raw: &[u8]| {
        let (name, file) = (text(body, number(raw, 4, read)?)?, text(body, number(raw, 8, read)?)?);
        left = left.checked_sub(name.len() + file.len())?;
        Some((String::from_utf8_lossy(name).into_owned(), ImagePath::new(file)))
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(table.chunks_exact(ENTRY).take(count).filter_map(&mut entry).collect())
}

/// The directories of `ld-musl-ARCH.path`, which stand apart by newlines or colons.
///
/// Source: musl `ldso/dynlink.c` (`path_open` splits at both).
pub fn path(body: &[u8]) -> Vec<ImagePath> {
    let parts = body.split(|b| b":\n\r".contains(b)).map(<[u8]>::trim_ascii);
    parts.filter(|part| !part.is_empty() && part.len() < TEXT_MAX).map(ImagePath::new).collect()
}

/// The part of a cache that today's loaders read.
fn new_part(body: &[u8]) -> Option<&[u8]> {
    const OLD_HEADER: usize = 16;
    const OLD_ENTRY: usize = 12;

    if body.starts_with(MAGIC) {
        return Some(body);
    }
    if !body.starts_with(OLD_MAGIC) {
        return None;
    }
    [u32::from_le_bytes as fn([u8; 4]) -> u32, u32::from_be_bytes].into_iter().find_map(|read| {
        let count = usize::try_from(number(body, 12, read)?).ok()?;
        let at = count.checked_mul(OLD_ENTRY)?.checked_add(OLD_HEADER)?.checked_next_multiple_of(8)?;
        body.get(at..).filter(|rest| rest.starts_with(MAGIC))
    })
}

fn number(body: &[u8], at: usize, read: fn([u8; 4]) -> u32) -> Option<u32> {
    Some(read(*body.get(at..)?.first_chunk()?))
}

fn text(body: &[u8], at: u32) -> Option<&[u8]> {
    let rest = body.get(usize::try_from(at).ok()?..)?;
    let end = rest.iter().take(TEXT_MAX).position(|&b| b == 0)?;
    rest.get(..end).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    /// A cache as `ldconfig` of glibc 2.36 lays it out.
    fn written(libraries: &[(&str, &str)], number: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let mut strings = Vec::new();
        let mut table = Vec::new();
        let start = 48 + 24 * libraries.len();
        for (name, file) in libraries {
            table.extend_from_slice(&number(0x0303));
            for text in [name, file] {
                table.extend_from_slice(&number((start + strings.len()) as u32));
                strings.extend_from_slice(text.as_bytes());
                strings.push(0);
            }
            table.extend_from_slice(&[0; 12]);
        }
        let mut body = MAGIC.to_vec();
        body.extend_from_slice(&number(libraries.len() as u32));
        body.extend_from_slice(&number(strings.len() as u32));
        body.resize(48, 0);
        [body, table, strings].concat()
    }

    const LIBRARIES: [(&str, &str); 2] =
        [("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"), ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6")];

    fn wanted() -> Vec<(String, ImagePath)> {
        LIBRARIES.map(|(name, file)| (name.to_string(), file.into())).to_vec()
    }

    #[test]
    fn libraries_are_read_in_both_byte_orders_and_behind_an_old_cache() {
        let new = written(&LIBRARIES, u32::to_le_bytes);
        assert_eq!(cache(&new), Ok(wanted()));
        assert_eq!(cache(&written(&LIBRARIES, u32::to_be_bytes)), Ok(wanted()));
        let mut old = OLD_MAGIC.to_vec();
        old.extend_from_slice(&1_u32.to_le_bytes());
        old.resize(32, 0);
        assert_eq!(cache(&[old, new].concat()), Ok(wanted()));
    }

    #[test]
    fn what_is_no_cache_is_said() {
        assert_eq!(cache(b"nonsense"), Err(Malformed("is no cache of glibc's loader".to_string())));
        let mut many = written(&LIBRARIES, u32::to_le_bytes);
        many[20..24].copy_from_slice(&[0x7f; 4]);
        assert_eq!(cache(&many), Err(Malformed("promises more libraries than it holds".to_string())));
        accept_parser(&written(&LIBRARIES, u32::to_le_bytes), cache);
    }

    #[test]
    fn a_small_cache_can_not_ask_for_endless_text() {
        let long = "n".repeat(4000);
        let mut body = written(&[(&long, &long)], u32::to_le_bytes);
        let entry = body[48..72].to_vec();
        // Every entry points to the same two long texts.
        body.truncate(48);
        body[20..24].copy_from_slice(&10_000_u32.to_le_bytes());
        body.extend(entry.repeat(10_000));
        for at in (48..240_048).step_by(24) {
            body[at + 4..at + 8].copy_from_slice(&240_048_u32.to_le_bytes());
            body[at + 8..at + 12].copy_from_slice(&240_048_u32.to_le_bytes());
        }
        body.extend([long.as_bytes(), b"\0"].concat());
        let libraries = cache(&body).expect("a cache");
        let bytes: usize = libraries.iter().map(|(name, file)| name.len() + file.as_bytes().len()).sum();
        assert!(bytes > 0 && bytes <= body.len() * GROWTH, "{bytes} of {}", body.len());
    }

    #[test]
    fn musl_takes_lines_and_colons() {
        let dirs = path(b"/lib:/usr/lib\n/opt/x/lib\n\n");
        assert_eq!(dirs, ["lib", "usr/lib", "opt/x/lib"].map(ImagePath::from));
    }
}
