//! The policy files that the program carries, packed by `build.rs`.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// Names, lengths and texts, compressed.
static PACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policies.deflate"));

/// Name, relative to `policies/`, and text of every policy file; sorted by name.
pub fn files() -> Vec<(String, String)> {
    let mut text = String::new();
    // The blob was made by this very build: whatever were wrong with it, the test below would show.
    let _ = DeflateDecoder::new(PACK).read_to_string(&mut text);
    let mut rest = text.as_str();
    let mut files = Vec::new();
    while let Some((name, len, after)) = header(rest) {
        let Some((text, next)) = after.split_at_checked(len) else { break };
        files.push((name.to_string(), text.to_string()));
        rest = next;
    }
    files
}

fn header(pack: &str) -> Option<(&str, usize, &str)> {
    let (name, rest) = pack.split_once('\n')?;
    let (len, rest) = rest.split_once('\n')?;
    Some((name, len.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_file_of_the_policy_directory_is_carried_and_no_other() {
        let mut on_disk = Vec::new();
        super::super::read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"), "", &mut on_disk)
            .expect("the directory of the repository");
        on_disk.sort();
        assert_eq!(super::files(), on_disk);
    }
}
