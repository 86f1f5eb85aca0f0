//! Keys of AWS and of what speaks like it, in sections: `.aws/credentials`, `.s3cfg`, `.boto`, `rclone.conf`.

use super::{
    Item, base64,
    ini::{Entry, entries, sections},
    item::addresses,
    part::Part,
    tree::Tree,
};
use crate::{
    model::Standing,
    probe::secret::check::{Check, Value},
};

/// What an id is called, and what the secrets beside it are.
const IDS: [&str; 3] = ["aws_access_key_id", "access_key", "gs_access_key_id"];
const KEYS: [&str; 3] = ["aws_secret_access_key", "secret_key", "gs_secret_access_key"];
const TOKENS: [&str; 4] = ["aws_session_token", "aws_security_token", "gs_oauth2_refresh_token", "access_token"];
const PASSWORDS: [&str; 3] = ["gpg_passphrase", "proxy_pass", "client_secret"];

/// What is secret in a remote of rclone, whatever its kind. Obscured passwords can be taken back by everybody.
const RCLONE: [&str; 16] = [
    "pass",
    "password",
    "password2",
    "secret_access_key",
    "client_secret",
    "bearer_token",
    "access_token",
    "api_key",
    "key",
    "sas_url",
    "key_file_pass",
    "service_account_credentials",
    "api_password",
    "auth_token",
    "application_key",
    "passphrase",
];

/// Reads the secrets of each section; the key of an item is the section and the name.
pub(super) fn credentials(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for section in sections(Part::file(file), b"=:") {
        let is = |entry: &Entry<'_>, names: &[&str]| names.iter().any(|name| entry.name.is(name));
        let id = section.iter().find(|entry| is(entry, &IDS));
        let id = id.and_then(|id| Check::Base32.look(Value::new(id.value.unquote().bytes())));
        for entry in &section {
            let value = entry.value.unquote();
            let item = if is(entry, &KEYS) {
                access_key(entry, id.as_ref().map(|id| id.remark.as_str()))
            } else if is(entry, &TOKENS) || is(entry, &PASSWORDS) {
                Item::field(value, entry.key())
            } else {
                None
            };
            items.extend(item);
        }
    }
    items
}

/// The secret of an access key; the id beside it says whose it is.
fn access_key(entry: &Entry<'_>, account: Option<&str>) -> Option<Item> {
    let value = entry.value.unquote();
    // Published ones have the right form, and are told here.
    let known = Check::AwsSecret.look(Value::new(value.bytes())).filter(|verdict| verdict.harmless.is_some());
    if let Some(verdict) = known {
        return Some(Item::new(value.span(), entry.key(), value.bytes().to_vec(), verdict));
    }
    let mut item = Item::field(value, entry.key())?;
    if let Some(account) = account.filter(|_| item.verdict.remark.is_empty()) {
        item.verdict.remark = account.to_string();
    }
    Some(item)
}

/// Reads the remotes of rclone. A file that is encrypted as a whole has none that could be read.
pub(super) fn rclone(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries(Part::file(file), b"=") {
        let is_secret = RCLONE.iter().any(|name| entry.name.is(name));
        if is_secret {
            items.extend(rclone_value(entry.value, &entry.key()));
        } else if entry.name.is("token") {
            items.extend(rclone_token(entry.value, &entry.section.text()));
        } else {
            items.extend(addresses(entry.value, &entry.key()));
        }
    }
    items
}

/// A password, obscured with a key that is printed in rclone's source: base64 of 16 bytes and more.
fn rclone_value(value: Part<'_>, key: &str) -> Option<Item> {
    if value.bytes().starts_with(b"{") {
        let pem = Tree::read(value.bytes());
        let pem = pem.documents().find_map(|document| pem.value(document, "private_key"))?;
        return Item::private_key(value.span(), key, pem.value);
    }
    let mut item = Item::field(value, key)?;
    if base64::decode(value.bytes()).is_some_and(|bytes| bytes.len() > 16) && key.contains("pass") {
        item.verdict.remark = "obscured, not encrypted".to_string();
    }
    Some(item)
}

/// The token of a remote that was logged in to, as JSON.
fn rclone_token(value: Part<'_>, remote: &str) -> Vec<Item> {
    let tree = Tree::read(value.bytes());
    let mut items = Vec::new();
    for document in tree.documents() {
        for name in ["refresh_token", "access_token"] {
            let Some(leaf) = tree.value(document, name) else { continue };
            let part = value.to(leaf.span.end).from(leaf.span.start);
            items.extend(Item::secret(part.span(), format!("{remote} {name}"), leaf.value, Standing::Structured));
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn sections_have_secrets_beside_their_ids() {
        let file = format!(
            "[default]\naws_access_key_id = x\naws_secret_access_key = {}\n[ci]\naws_secret_access_key={}\naws_session_token = \"{}\"\n\
             region = eu-west-1\n# aws_secret_access_key = {}\n",
            secret(1),
            secret(2),
            secret(3),
            secret(4)
        );
        let want = [("default aws_secret_access_key", 1), ("ci aws_secret_access_key", 2), ("ci aws_session_token", 3)];
        assert_eq!(accept(Parser::AwsCredentials, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::AwsCredentials, &file), [1, 2, 3].map(secret));
        let file =
            format!("[Credentials]\ngs_secret_access_key: {}\n[default]\nsecret_key = {}\n", secret(1), secret(2));
        assert_eq!(found(Parser::AwsCredentials, &file).len(), 2);
    }

    #[test]
    fn references_to_a_process_or_a_role_are_fine() {
        let file =
            "[a]\ncredential_process = /bin/x\nrole_arn = arn:aws:iam::1:role/x\naws_secret_access_key = ${SECRET}\n";
        assert_eq!(found(Parser::AwsCredentials, file), [""; 0]);
    }

    #[test]
    fn remotes_of_rclone_have_obscured_passwords_and_tokens() {
        let file = format!(
            "[box]\ntype = sftp\nhost = h\npass = {}\n\n[drive]\ntype = drive\ntoken = {{\"access_token\":\"{}\",\"refresh_token\":\"{}\",\"expiry\":\"2020\"}}\n",
            secret(1),
            secret(2),
            secret(3)
        );
        let want = [("box pass", 1), ("drive refresh_token", 3), ("drive access_token", 2)];
        assert_eq!(accept(Parser::Rclone, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::Rclone, &file)[1], secret(3));
        assert_eq!(
            found(Parser::Rclone, "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabcdef\n"),
            [""; 0]
        );
    }
}
