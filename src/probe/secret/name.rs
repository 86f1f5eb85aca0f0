//! What names say: of the variable before a value, and of the file that may hold settings.
//!
//! A name never makes a secret; it is how people find the place again, and where guessing is worth its time.

use memchr::memmem;

use super::check;
use crate::{
    model::{Format, path},
    probe::code::in_package,
};

/// Longest name of a variable that is told, in bytes.
const NAME_MAX: usize = 64;

/// Largest file in which settings are looked for, in bytes. Settings are written by people.
pub const SETTINGS_MAX: u64 = 1 << 20;

/// Endings of files that hold settings.
const SETTINGS: [&[u8]; 30] = [
    b".env",
    b".yml",
    b".yaml",
    b".json",
    b".json5",
    b".toml",
    b".ini",
    b".conf",
    b".cfg",
    b".cnf",
    b".config",
    b".properties",
    b".xml",
    b".plist",
    b".sh",
    b".bash",
    b".zsh",
    b".ps1",
    b".tf",
    b".tfvars",
    b".hcl",
    b".service",
    b".envrc",
    b".profile",
    b".rc",
    b".secrets",
    b".credentials",
    b".local",
    b".sql",
    b".dockerfile",
];

/// Endings of sources, in which people write settings too.
const SOURCES: [&[u8]; 17] = [
    b".py", b".js", b".mjs", b".cjs", b".ts", b".tsx", b".jsx", b".rb", b".php", b".go", b".java", b".kt", b".cs",
    b".pl", b".groovy", b".scala", b".ipynb",
];

/// Where package managers of languages keep what they fetched.
const STORES: [&[u8]; 8] = [
    b"/_cacache/",
    b"/.pnpm-store/",
    b"/.yarn/cache/",
    b"/.m2/repository/",
    b"/.gradle/caches/",
    b"cargo/registry/",
    b"/pkg/mod/",
    b"/gems/",
];

/// Where a distribution puts what its packages bring.
const DISTRIBUTION: [&[u8]; 6] =
    [b"usr/lib/", b"usr/lib64/", b"usr/share/", b"usr/libexec/", b"usr/include/", b"var/lib/dpkg/"];

/// Whole names of files that hold settings.
const NAMES: [&[u8]; 12] = [
    b"environment",
    b".env",
    b".bashrc",
    b".profile",
    b".bash_profile",
    b".zshrc",
    b"Dockerfile",
    b"Containerfile",
    b"Jenkinsfile",
    b"Makefile",
    b"credentials",
    b"config",
];

/// Whether a text may hold settings that somebody wrote down for this image, so that guessing by names is worth it.
///
/// What package managers brought is looked at for whole tokens only: their settings are the same for everybody.
///
/// `brought` says that a package manager brought the file, or the archive that it is in.
pub fn may_hold_settings(file: &[u8], brought: bool, format: Format, size: u64) -> bool {
    if size > SETTINGS_MAX || !matches!(format, Format::Text | Format::Script | Format::Js | Format::Other) {
        return false;
    }
    let name = path::name(file);
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| name.ends_with(ending));
    let of_program = name.starts_with(b".") && name.ends_with(b"rc");
    if name.starts_with(b".env") || of_program || name == b"credentials" {
        return true;
    }
    if brought {
        return false;
    }
    let in_etc = file.starts_with(b"etc/") && format == Format::Text;
    in_etc || NAMES.contains(&name) || ends(&SETTINGS) || ends(&SOURCES) || format == Format::Script
}

/// Whether a file lies where package managers put what they bring.
pub fn is_brought(file: &[u8]) -> bool {
    let holds = |dirs: &&[u8]| memmem::find(file, dirs).is_some();
    in_package(file) || DISTRIBUTION.iter().any(|dir| file.starts_with(dir)) || STORES.iter().any(holds)
}

/// The name that a value is given: what stands before `=`, `:` or `=>` in front of it, quotes left out.
pub fn name_before(text: &[u8], value: usize) -> Option<String> {
    let before = text.get(value.saturating_sub(2 * NAME_MAX)..value)?;
    let quote = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b'\\');
    let space = |byte: u8| byte == b' ' || byte == b'\t';
    let before = trim_end(before, |byte| quote(byte) || space(byte) || matches!(byte, b'(' | b'[' | b'{'));
    let sign = before.strip_suffix(b"=>").or_else(|| before.strip_suffix(b":="));
    let before = sign.or_else(|| before.strip_suffix(b"=")).or_else(|| before.strip_suffix(b":"))?;
    let before = trim_end(before, |byte| quote(byte) || space(byte) || matches!(byte, b']' | b')'));
    let len = before.iter().rev().take_while(|&&byte| is_name_byte(byte)).count();
    let name = before.get(before.len() - len..)?;
    let name = name.iter().position(u8::is_ascii_alphabetic).and_then(|first| name.get(first..))?;
    // What looks like a secret itself is not repeated.
    let plain = name.len() <= NAME_MAX && (name.len() < 20 || !check::looks_random(name));
    plain.then(|| String::from_utf8_lossy(name).into_owned())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn trim_end(mut bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    while let [rest @ .., last] = bytes {
        if !drop(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_before_the_sign_in_every_syntax() {
        for (text, want) in [
            ("API_TOKEN=@", Some("API_TOKEN")),
            ("export API_TOKEN=\"@", Some("API_TOKEN")),
            ("  \"api.token\": \"@", Some("api.token")),
            ("const token = '@", Some("token")),
            (":token => \"@", Some("token")),
            ("config['token'] = '@", Some("token")),
            ("token := \"@", Some("token")),
            ("\\\"token\\\":\\\"@", Some("token")),
            ("see @", None),
            ("@", None),
            ("= @", None),
        ] {
            let at = text.find('@').expect("every case has one");
            assert_eq!(name_before(text.as_bytes(), at).as_deref(), want, "{text}");
        }
    }
}
