//! Reads `os-release`: which release of which distribution an image is made of (os-release(5)).

use crate::model::Release;

/// Reads the file; what it does not say stays empty.
pub fn release(body: &[u8]) -> Release {
    let mut release = Release::default();
    for line in String::from_utf8_lossy(body).lines() {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let value = value.trim_matches(['"', '\'']).to_string();
        match name {
            "ID" => release.id = value,
            "VERSION_ID" => release.version = value,
            "VERSION_CODENAME" => release.codename = value,
            _ => {}
        }
    }
    release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_what_is_missing_do_no_harm() {
        let debian = b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n# a comment\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        let want = Release { id: "debian".into(), version: "12".into(), codename: "bookworm".into() };
        assert_eq!(release(debian), want);
        let alpine = Release { id: "alpine".into(), version: "3.18.9".into(), codename: String::new() };
        assert_eq!(release(b"ID=alpine\nVERSION_ID=3.18.9\n"), alpine);
        assert_eq!(release(b"\xff\xfe no release\n="), Release::default());
    }
}
