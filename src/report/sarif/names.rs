//! Names from an image in the three disguises SARIF wants: URI, logical name, message text.
//!
//! Whatever the bytes are, a URI that comes out is relative, has no colon and no empty or dot segment.

use crate::{
    model::{ImageInfo, ImagePath, path},
    report::text,
};

/// Longest name shown, in characters; in a URI, in bytes before encoding. Real paths are far shorter, and a file with
/// thousands of long ones would be refused as a whole.
const NAME_MAX: usize = 300;
/// What of a name is looked at: enough to fill [`NAME_MAX`], so that a name of megabytes costs no more than others.
const HEAD_MAX: usize = 2 * NAME_MAX;

/// What an image is called in a SARIF file.
pub(super) struct Names {
    /// Repository path without registry host, tag and digest, percent-encoded; never empty.
    pub(super) repository: String,
    /// Name for messages.
    pub(super) image: String,
    /// Name with the digest that pins it, where there is one.
    pub(super) pinned: String,
}

impl Names {
    /// Derives the names from what is known of an image.
    pub(super) fn of(image: &ImageInfo) -> Self {
        let (named, rest) = split_scheme(&image.reference);
        let own = repository(rest);
        let known = image.names.iter().map(|name| (name.as_str(), repository(name)));
        let known: Vec<_> = known.filter(|(_, repository)| !repository.is_empty()).collect();
        // An image may have several names: the one that was asked for wins over the first.
        let asked = known.iter().find(|(_, repository)| named && *repository == own).or(known.first());
        let (name, repository) = match asked {
            Some((name, repository)) => (*name, repository.clone()),
            None if named && !rest.starts_with(['/', '.']) => (rest, own),
            None => (rest, stem(rest)),
        };
        let name = show(name);
        let digest = image.manifest.or(image.id);
        let bare = name.split_once("@sha256:").map_or(name.as_str(), |(bare, _)| bare);
        let pinned = digest.map_or_else(|| name.clone(), |digest| format!("{bare}@{digest}"));
        Self { repository: encode_all(&repository), image: name, pinned }
    }

    /// A relative URI for a path of the image; of its configuration if there is none.
    pub(super) fn uri(&self, path: Option<&ImagePath>) -> String {
        let path = path.map_or(&b"image-configuration"[..], ImagePath::as_bytes);
        let path = path.get(..NAME_MAX).unwrap_or(path);
        let segments = path.split(|&b| b == b'/').filter(|s| !s.is_empty());
        segments.fold(self.repository.clone(), |uri, segment| format!("{uri}/{}", encode(segment)))
    }
}

/// A relative URI for a file beside the user, `None` if it may lie outside of the repository.
pub(super) fn file_uri(file: &str) -> Option<String> {
    let segments: Vec<&str> = file.split('/').filter(|s| *s != ".").collect();
    if segments.iter().any(|s| s.is_empty() || *s == ".." || s.contains([':', '\\'])) || segments.is_empty() {
        return None;
    }
    Some(segments.iter().map(|segment| encode(segment.as_bytes())).collect::<Vec<_>>().join("/"))
}

/// Foreign text on one line, escaped and not too long.
pub(super) fn show(name: &str) -> String {
    let head: String = name.chars().take(HEAD_MAX).collect();
    text::clip(&text::plain(&head), NAME_MAX)
}

/// A path as a user knows it, not too long.
pub(super) fn show_path(path: &ImagePath) -> String {
    let head = path.as_bytes().get(..HEAD_MAX).unwrap_or(path.as_bytes());
    text::clip(&path::show(head), NAME_MAX)
}

/// Text for a message: brackets would make links of it (SARIF 2.1.0, 3.11.6).
pub(super) fn escape(shown: &str) -> String {
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars() {
        if matches!(c, '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether the reference names an image (and not a file), and the reference without its scheme.
fn split_scheme(reference: &str) -> (bool, &str) {
    for (scheme, named) in [
        ("docker:", true),
        ("podman:", true),
        ("docker-archive:", false),
        ("oci-archive:", false),
        ("oci-dir:", false),
        ("dir:", false),
    ] {
        if let Some(rest) = reference.strip_prefix(scheme) {
            return (named, rest);
        }
    }
    (reference != "-", reference)
}

/// The repository path of a reference: no registry host, tag or digest. Empty for a bare digest.
///
/// A first component with a dot or a colon, or `localhost`, is a host: that is how engines tell them apart
/// (distribution/reference, `splitDockerDomain`).
fn repository(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    if name.starts_with("sha256:") {
        return String::new();
    }
    let last = name.rfind('/').map_or(0, |at| at + 1);
    let tagless = match name.get(last..).and_then(|last_part| last_part.find(':')) {
        Some(colon) => name.get(..last + colon).unwrap_or(name),
        None => name,
    };
    let path = match tagless.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => tagless,
    };
    path.strip_prefix("library/").unwrap_or(path).to_string()
}

/// The name of a file or directory without its last extension.
fn stem(file: &str) -> String {
    let name = file.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_string()
}

fn encode_all(repository: &str) -> String {
    let clean = path::clean(repository.as_bytes());
    let clean = clean.get(..NAME_MAX).unwrap_or(&clean);
    let segments: Vec<_> = clean.split(|&b| b == b'/').filter(|s| !s.is_empty()).map(encode).collect();
    if segments.is_empty() { "image".to_string() } else { segments.join("/") }
}

/// One segment of a URI: all but the unreserved characters of RFC 3986 become `%XX`; so do the dots of a segment of
/// dots, which a reader would resolve away.
fn encode(segment: &[u8]) -> String {
    use std::fmt::Write;

    let dots = segment.iter().all(|&b| b == b'.');
    let mut out = String::with_capacity(segment.len());
    for &b in segment {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~') || b == b'.' && !dots {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(reference: &str, names: &[&str]) -> String {
        let names = names.iter().map(|n| n.to_string()).collect();
        Names::of(&ImageInfo { reference: reference.into(), names, ..ImageInfo::default() }).repository
    }

    #[test]
    fn the_repository_is_the_same_for_every_tag_host_and_source() {
        for (reference, names) in [
            ("shop/api:1.4", &[][..]),
            ("docker:registry.example:5000/shop/api:1.4", &[]),
            ("docker:localhost/shop/api", &[]),
            ("podman:shop/api@sha256:0a", &[]),
            ("docker-archive:/tmp/x.tar", &["shop/api:2"]),
            ("-", &["registry.example/shop/api:2"]),
            ("docker:shop/api:3", &["other/name:1", "shop/api:3"]),
            ("docker:sha256:0a0a", &["shop/api:3"]),
        ] {
            assert_eq!(named(reference, names), "shop/api", "{reference}");
        }
        assert_eq!(named("docker:docker.io/library/nginx:1", &[]), "nginx");
    }

    #[test]
    fn an_image_without_a_name_is_called_after_its_file() {
        assert_eq!(named("docker-archive:/tmp/my image.tar", &[]), "my%20image");
        assert_eq!(named("oci-dir:build/out:latest", &[]), "out");
        assert_eq!(named("./rootfs", &[]), "rootfs");
        assert_eq!(named("-", &[]), "-");
        for nameless in ["", "docker:sha256:0a", "dir:/", "dir:..", "docker:../.."] {
            assert_eq!(named(nameless, &[]), "image", "{nameless}");
        }
    }

    #[test]
    fn a_segment_never_holds_what_a_uri_reader_would_act_on() {
        assert_eq!(encode(b"a b:c?d#e%f\xff\\"), "a%20b%3Ac%3Fd%23e%25f%FF%5C");
        assert_eq!(encode(b".."), "%2E%2E");
        assert_eq!(encode(b"..."), "%2E%2E%2E");
        assert_eq!(encode(b".npmrc"), ".npmrc");
    }
}
