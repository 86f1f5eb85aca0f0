//! Passwords that Git keeps: in its configuration, and in the file of its helper `store`.
//!
//! A helper's name, a user without a password and an address of SSH are no secrets.

use super::{Item, base64, item::addresses, part::Part, url};
use crate::model::Standing;

/// Names of variables that hold a secret themselves.
const SECRETS: [&str; 7] = ["token", "oauth-token", "password", "smtppass", "passwd", "secret", "accesstoken"];

/// Reads `.git/config`, `.gitconfig`, `.gitmodules` and what they include.
///
/// Format: git-config(1), "Syntax".
pub(super) fn config(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut section = String::new();
    for line in Part::file(file).lines() {
        let mut line = line.trim();
        if line.bytes().starts_with(b"[") {
            let len = header(line);
            let head = line.to(len).from(1);
            section = section_name(head);
            // `[url "https://user:token@host/"]` puts the token into what is fetched.
            items.extend(addresses(head, section.split(' ').next().unwrap_or_default()));
            line = line.from(len + 1).trim();
        }
        if matches!(line.bytes().first(), None | Some(b'#' | b';')) {
            continue;
        }
        if let Some((name, value)) = line.split_once(b'=') {
            items.extend(variable(&section, name.trim(), value.trim()));
        }
    }
    items
}

/// Reads lines of addresses, as `git credential-store` writes them.
pub(super) fn credentials(file: &[u8]) -> Vec<Item> {
    Part::file(file)
        .lines()
        .filter(|line| !line.trim().bytes().starts_with(b"#"))
        .flat_map(|line| addresses(line, ""))
        .collect()
}

/// Where the bracket is that ends a section's name; one between quotes does not.
fn header(line: Part<'_>) -> usize {
    let mut quoted = false;
    let end = line.bytes().iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b']' && !quoted
    });
    end.unwrap_or(line.bytes().len())
}

/// `remote origin` of `remote "origin"`; addresses without what is secret in them.
fn section_name(head: Part<'_>) -> String {
    let Some((section, name)) = head.split_once(b'"') else { return head.trim().text() };
    let name = name.to(name.bytes().iter().rposition(|&byte| byte == b'"').unwrap_or(name.bytes().len()));
    let bare = match url::logins(name).next() {
        Some(login) => format!("https://{}", login.host.text()),
        None => name.text(),
    };
    format!("{} {bare}", section.trim().text())
}

fn variable(section: &str, name: Part<'_>, value: Part<'_>) -> Vec<Item> {
    if name.is("extraheader") {
        let key = match section.split_once(' ') {
            Some((section, of)) => format!("{section}.{of}.extraheader"),
            None => format!("{section}.extraheader"),
        };
        return header_value(value.unquote(), &key).into_iter().collect();
    }
    if SECRETS.iter().any(|secret| name.is(secret)) {
        return Item::field(value.unquote(), format!("{section} {}", name.text())).into_iter().collect();
    }
    if section.starts_with("credential") && name.is("helper") {
        return helper(value, section).into_iter().collect();
    }
    let key = if name.is("url") { section.to_string() } else { format!("{section} {}", name.text()) };
    addresses(value, &key)
}

/// `AUTHORIZATION: basic BASE64` or `Authorization: bearer TOKEN`.
pub(super) fn header_value(value: Part<'_>, key: &str) -> Option<Item> {
    let (name, value) = value.split_once(b':')?;
    let mut words = value.words();
    let (scheme, token) = (words.next()?, words.next());
    if !name.trim().is("authorization") {
        let named = super::command::name_says_secret(name.trim().bytes());
        return named.then(|| Item::field(scheme, key)).flatten();
    }
    let Some(token) = token else { return Item::field(scheme, key) };
    if !scheme.is("basic") {
        return Item::field(token, key);
    }
    let decoded = base64::decode(token.bytes())?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (user, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    let secret = if password.is_empty() || password == b"x-oauth-basic" { user } else { password };
    Item::secret(token.span(), key, secret.to_vec(), Standing::Structured)
}

/// A helper that is a script of its own: `!f() { echo password=...; }; f`.
fn helper(value: Part<'_>, section: &str) -> Option<Item> {
    let at = value.find("password=")?;
    let rest = value.from(at + "password=".len());
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'\\');
    let rest = if matches!(rest.bytes().first(), Some(b'"' | b'\'')) { rest.from(1) } else { rest };
    let password = rest.to(rest.bytes().iter().position(ends).unwrap_or(rest.bytes().len()));
    // What the shell fills in is kept elsewhere.
    let literal = !password.bytes().starts_with(b"$") && !password.bytes().starts_with(b"`");
    literal.then(|| Item::field(password, format!("{section} helper"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser, base64,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn addresses_and_headers_of_a_configuration_are_read() {
        let basic = base64::encode(format!("x-access-token:{}", secret(3)).as_bytes());
        let file = format!(
            "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://me:{}@git.test/a.git\n\tpushurl = https://me:{}@git.test/b\n\
             [http \"https://git.test/\"]\n\textraheader = AUTHORIZATION: basic {basic}\n[http]\n\textraHeader = \"Authorization: Bearer {}\"\n\
             [url \"https://me:{}@git.test/\"]\n\tinsteadOf = https://git.test/\n[github]\n\ttoken = {} ; mine\n\
             [credential]\n\thelper = \"!f() {{ echo username=x; echo password={}; }}; f\"\n",
            secret(1), secret(2), secret(4), secret(5), secret(6), secret(7)
        )
        .replace(" ; mine", "");
        let want = [
            ("remote origin", 1),
            ("remote origin pushurl", 2),
            ("http.https://git.test/.extraheader", 3),
            ("http.extraheader", 4),
            ("url", 5),
            ("github token", 6),
            ("credential helper", 7),
        ];
        assert_eq!(accept(Parser::GitConfig, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::GitConfig, &file)[2], basic);
    }

    #[test]
    fn a_token_may_stand_where_the_user_should() {
        let file = format!("[remote \"o\"]\nurl = https://{}:x-oauth-basic@git.test/a\n", secret(1));
        assert_eq!(found(Parser::GitConfig, &file), [format!("remote o={}", secret(1))]);
    }

    #[test]
    fn users_helpers_variables_and_ssh_are_fine() {
        for line in [
            "url = https://me@git.test/a",
            "url = git@git.test:a/b.git",
            "url = ssh://git@git.test:22/a",
            "url = https://git.test/a?x=http://u:p",
            "url = https://x:${TOKEN}@git.test/a",
            "helper = store --file=/x",
            "helper = \"!f() { echo password=$TOKEN; }; f\"",
            "extraheader = X-Trace: 12345",
            "# url = https://a:b@c",
        ] {
            let file = format!("[remote \"o\"]\n\t{line}\n[credential]\n\t{line}\n");
            assert_eq!(found(Parser::GitConfig, &file), [""; 0], "{line}");
        }
    }

    #[test]
    fn every_line_of_the_store_is_an_address() {
        let file =
            format!("https://me:{}@a.test\nhttp://you:{}%21@b.test:8080/x\nhttps://me@c.test\n", secret(1), secret(2));
        assert_eq!(
            accept(Parser::GitCredentials, &file),
            [format!("a.test={}", secret(1)), format!("b.test:8080={}!", secret(2))]
        );
    }
}
