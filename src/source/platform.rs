//! Compares platforms as engines do.
//!
//! Knows Go's names of architectures and their default variants; nothing of indexes or images.

use crate::model::Platform;

/// Linux on the architecture this program runs on, in Go's spelling.
pub(super) fn of_this_machine() -> Platform {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    };
    Platform { os: "linux".to_string(), architecture: architecture.to_string(), variant: String::new() }
}

/// Whether `platform` may be taken where `wanted` is asked for; an empty variant asks for any.
pub(super) fn suits(platform: &Platform, wanted: &Platform) -> bool {
    let (have, want) = (normal(platform), normal(wanted));
    let any_variant = wanted.variant.is_empty() && !wanted.architecture.eq_ignore_ascii_case("armel");
    have.os == want.os && have.architecture == want.architecture && (any_variant || have.variant == want.variant)
}

/// The same platform in one spelling: Go's architecture, and the default variant left out (or `v7` for arm).
///
/// Source: containerd/platforms, `normalizeArch`.
pub(super) fn normal(platform: &Platform) -> Platform {
    let variant = platform.variant.to_ascii_lowercase();
    let (architecture, variant) = match (platform.architecture.to_ascii_lowercase().as_str(), variant.as_str()) {
        ("amd64" | "x86_64" | "x86-64", "" | "v1") => ("amd64", ""),
        ("amd64" | "x86_64" | "x86-64", other) => ("amd64", other),
        ("arm64" | "aarch64", "" | "8" | "v8" | "v8.0") => ("arm64", ""),
        ("arm64" | "aarch64", other) => ("arm64", other),
        ("arm", "" | "7") | ("armhf", _) => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") | ("armel", _) => ("arm", "v6"),
        ("i386", _) => ("386", ""),
        (other, variant) => return Platform { os: os(platform), architecture: other.into(), variant: variant.into() },
    };
    Platform { os: os(platform), architecture: architecture.to_string(), variant: variant.to_string() }
}

fn os(platform: &Platform) -> String {
    platform.os.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_string);
        let mut next = || parts.next().unwrap_or_default();
        Platform { os: next(), architecture: next(), variant: next() }
    }

    #[test]
    fn one_platform_has_several_spellings() {
        for (have, wanted) in [
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64", "linux/arm64/v8"),
            ("linux/amd64", "linux/x86_64"),
            ("linux/arm/v7", "linux/arm/7"),
            ("linux/arm/v6", "linux/armel"),
            ("linux/arm/v6", "linux/arm"),
            ("Linux/AMD64", "linux/amd64"),
        ] {
            assert!(suits(&platform(have), &platform(wanted)), "{have} for {wanted}");
        }
    }

    #[test]
    fn other_platforms_do_not_suit() {
        for (have, wanted) in [
            ("linux/arm/v6", "linux/arm/v7"),
            ("linux/arm/v7", "linux/armel"),
            ("linux/arm64", "linux/arm"),
            ("windows/amd64", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v2"),
        ] {
            assert!(!suits(&platform(have), &platform(wanted)), "{have} for {wanted}");
        }
    }
}
