//! Password hashes of accounts: `/etc/shadow`, `/etc/gshadow`, and the files of web servers.

use super::{Item, part::Part};
use crate::{
    model::Standing,
    probe::secret::check::{Verdict, placeholder},
};

/// Reads the second field of each line where it is a hash.
///
/// What locks an account (`*`, `!`, `!!`, `x`, `*LK*`, and a hash behind `!`) is none. Format: shadow(5), crypt(5).
pub(super) fn shadow(file: &[u8]) -> Vec<Item> {
    hashes(file, crypt)
}

/// Reads the accounts that need no password at all. The span is the line: there is nothing in the field.
pub(super) fn shadow_empty(file: &[u8]) -> Vec<Item> {
    let open = |line: Part<'_>| {
        let mut fields = line.split(b':');
        let (name, password) = (fields.next()?, fields.next()?);
        // A line of another file has fewer fields.
        let is_account = is_name(name) && fields.count() == 7;
        let verdict = verdict(Standing::Structured, "no password");
        (is_account && password.is_empty()).then(|| Item::new(line.span(), name.text(), Vec::new(), verdict))
    };
    Part::file(file).lines().filter_map(open).collect()
}

/// Reads `user:hash`, as Apache's `htpasswd` and `htdigest` write it.
pub(super) fn htpasswd(file: &[u8]) -> Vec<Item> {
    let mut items = hashes(file, |hash| web(hash).or_else(|| crypt(hash)));
    items.extend(Part::file(file).lines().filter_map(|line| {
        let fields: Vec<Part<'_>> = line.split(b':').take(4).collect();
        let [user, _realm, digest] = fields.as_slice() else { return None };
        let is_md5 = digest.bytes().len() == 32 && digest.bytes().iter().all(u8::is_ascii_hexdigit);
        let verdict = verdict(Standing::Structured, "MD5 of user, realm and password");
        (is_md5 && is_name(*user)).then(|| Item::new(digest.span(), user.text(), digest.bytes().to_vec(), verdict))
    }));
    items.sort_by_key(|item| item.span.start);
    items
}

fn hashes(file: &[u8], algorithm: impl Fn(&[u8]) -> Option<&'static str>) -> Vec<Item> {
    let item = |line: Part<'_>| {
        let (name, rest) = line.split_once(b':')?;
        let hash = rest.split(b':').next()?.trim();
        let verdict = verdict(Standing::Structured, algorithm(hash.bytes())?);
        is_name(name).then(|| Item::new(hash.span(), name.text(), hash.bytes().to_vec(), verdict))
    };
    Part::file(file).lines().filter_map(item).collect()
}

fn verdict(standing: Standing, remark: &str) -> Verdict {
    Verdict { standing, harmless: None, remark: remark.to_string(), expires: None, public_key: None }
}

fn is_name(name: Part<'_>) -> bool {
    let bytes = name.bytes();
    (1..=64).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic) && !bytes.starts_with(b"#")
}

/// The algorithm of a hash of crypt(5); lengths are those of the last field.
fn crypt(hash: &[u8]) -> Option<&'static str> {
    let fields: Vec<&[u8]> = hash.split(|&byte| byte == b'$').take(8).collect();
    let last = fields.last().filter(|last| last.iter().all(|byte| is_crypt(*byte)) && !placeholder(last))?;
    match fields.as_slice() {
        [b"", b"1", _, _] if last.len() == 22 => Some("MD5-crypt"),
        [b"", b"5", _, ..] if last.len() == 43 => Some("SHA-256-crypt"),
        [b"", b"6", _, ..] if last.len() == 86 => Some("SHA-512-crypt"),
        [b"", b"2" | b"2a" | b"2b" | b"2x" | b"2y", _, _] if last.len() == 53 => Some("bcrypt"),
        [b"", b"y", _, _, _] if last.len() == 43 => Some("yescrypt"),
        [b"", b"gy", _, _, _] if last.len() == 43 => Some("gost-yescrypt"),
        [b"", b"7", _, _] if last.len() == 43 => Some("scrypt"),
        [b"", b"sha1", _, _, _] if last.len() == 28 => Some("SHA-1-crypt"),
        // Thirteen letters of no variety are a word.
        [des] if des.len() == 13 && varied(des) => Some("DES-crypt"),
        _ => None,
    }
}

/// What only web servers take.
fn web(hash: &[u8]) -> Option<&'static str> {
    if let Some(rest) = hash.strip_prefix(b"$apr1$") {
        let mut fields = rest.split(|&byte| byte == b'$');
        let digest = fields
            .nth(1)
            .filter(|digest| digest.len() == 22 && digest.iter().all(|byte| is_crypt(*byte)) && !placeholder(digest));
        return digest.map(|_| "MD5-crypt of Apache");
    }
    let sha = |prefix: &[u8], len: usize| {
        let decoded = super::base64::decode(hash.strip_prefix(prefix)?)?;
        (decoded.len() >= len).then_some(())
    };
    if sha(b"{SHA}", 20).is_some() {
        return Some("SHA-1, no salt");
    }
    sha(b"{SSHA}", 21).map(|()| "SHA-1 with salt")
}

fn is_crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

fn varied(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
        || text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found},
    };
    use crate::catalogue::sample::make::Rng;

    fn hash(prefix: &str, len: usize) -> String {
        format!(
            "{prefix}{}",
            Rng::new(len as u64).text("abcdefghijkmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ0123456789./", len)
        )
    }

    #[test]
    fn hashes_of_every_algorithm_are_told_by_their_form() {
        let cases = [
            ("$1$salt$", 22, "MD5-crypt"),
            ("$5$salt$", 43, "SHA-256-crypt"),
            ("$5$rounds=5000$salt$", 43, "SHA-256-crypt"),
            ("$6$salt$", 86, "SHA-512-crypt"),
            ("$2b$12$", 53, "bcrypt"),
            ("$y$j9T$salt$", 43, "yescrypt"),
            ("$gy$j9T$salt$", 43, "gost-yescrypt"),
            ("$7$CU..../....salt$", 43, "scrypt"),
            ("", 13, "DES-crypt"),
        ];
        for (prefix, len, algorithm) in cases {
            let file = format!("root:{}:19000:0:99999:7:::\nbin:*:19000:0:99999:7:::\n", hash(prefix, len));
            let items = Parser::Shadow.read(file.as_bytes());
            assert_eq!(items.len(), 1, "{prefix}");
            assert_eq!((items[0].key.as_str(), items[0].verdict.remark.as_str()), ("root", algorithm));
            assert_eq!(file[items[0].span.clone()], hash(prefix, len));
            accept(Parser::Shadow, &file);
        }
    }

    #[test]
    fn locked_accounts_are_fine() {
        for field in [
            "*",
            "!",
            "!!",
            "x",
            "*LK*",
            "!*",
            "*NP*",
            "",
            &hash("!$6$salt$", 86),
            &hash("$6$salt$", 20),
            "changepasswor",
            &format!("$6$salt${}", "x".repeat(86)),
        ] {
            let file = format!("root:{field}:19000:0:99999:7:::\n");
            assert_eq!(found(Parser::Shadow, &file), [""; 0], "{field}");
        }
    }

    #[test]
    fn an_empty_field_is_an_account_without_a_password() {
        let file = "root::0:0:99999:7:::\nbin:!::0:::::\nmail:*:0:0:99999:7:::\nstaff::\n";
        assert_eq!(accept(Parser::ShadowEmpty, file), ["root="]);
        assert_eq!(found(Parser::ShadowEmpty, "staff:::\na:b::c"), [""; 0]);
    }

    #[test]
    fn web_servers_have_hashes_of_their_own() {
        let digest = "0123456789abcdef".repeat(2);
        let file = format!(
            "# c\na:{}\nb:{}\nc:{{SHA}}{}=\nd:realm:{digest}\ne:plain\n",
            hash("$apr1$salt$", 22),
            hash("$2y$05$", 53),
            "abcd".repeat(7).get(..27).unwrap()
        );
        let keys: Vec<_> =
            accept(Parser::Htpasswd, &file).iter().map(|item| item.split('=').next().unwrap().to_string()).collect();
        assert_eq!(keys, ["a", "b", "c", "d"]);
    }
}
