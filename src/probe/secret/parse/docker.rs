//! Registry logins of Docker, Podman, Kaniko and others: `config.json`, `auth.json`, `.dockercfg`.
//!
//! A helper's name (`credsStore`, `credHelpers`) and an entry without a login are no secrets.

use super::{
    Item, base64,
    item::members,
    tree::{Kind, Leaf, NodeNo, Tree},
};
use crate::model::Standing;

/// Reads one entry for each secret of each registry.
pub(super) fn read(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        // The old form has the registries at the top.
        let auths = tree.child(document, "auths").unwrap_or(document);
        for registry in tree.children(auths).filter(|&node| tree.kind(node) == Some(Kind::Map)) {
            items.extend(entry(&tree, registry));
        }
    }
    items
}

fn entry(tree: &Tree<'_>, registry: NodeNo) -> Vec<Item> {
    let key = tree.name(registry);
    let login = tree.value(registry, "auth").and_then(|auth| login(auth, &key));
    let mut items: Vec<Item> = login.into_iter().collect();
    items.extend(members(tree, registry, &["identitytoken", "registrytoken", "password"], &key));
    items
}

/// The password in `user:password` in base64.
fn login(auth: Leaf, key: &str) -> Option<Item> {
    let decoded = base64::decode(&auth.value)?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (user, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    if user.is_empty() || password.is_empty() {
        return None;
    }
    if user == b"_json_key" || user == b"_json_key_base64" {
        return service_account(auth, key, password);
    }
    let mut item = Item::secret(auth.span, key, password.to_vec(), Standing::Structured)?;
    if user == b"AWS" {
        item.verdict.expires = expiration(password);
    }
    Some(item)
}

/// Google's registry takes a whole service account for a password.
fn service_account(auth: Leaf, key: &str, password: &[u8]) -> Option<Item> {
    let json = if password.starts_with(b"{") { password.to_vec() } else { base64::decode(password)? };
    let tree = Tree::read(&json);
    let pem = tree.documents().find_map(|document| tree.value(document, "private_key"))?;
    Item::private_key(auth.span, format!("{key} service account"), pem.value)
}

/// Until when a password of Amazon's registry is good: twelve hours, which it says itself.
fn expiration(password: &[u8]) -> Option<i64> {
    let json = base64::decode(password)?;
    let tree = Tree::read(&json);
    let time = tree.documents().find_map(|document| tree.word(document, "expiration"))?;
    time.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Parser,
            testing::{accept, found, places, secret},
        },
        *,
    };

    #[test]
    fn every_registry_with_a_login_is_told() {
        let auth = base64::encode(format!("me:{}", secret(1)).as_bytes());
        let file = format!(
            r#"{{ "auths": {{
  "r.test": {{ "auth": "{auth}", "email": "a@b" }},
  "empty.test": {{}},
  "helped.test": {{ "auth": "" }},
  "half.test": {{ "auth": "{}" }},
  "id.test": {{ "identitytoken": "{}" }},
  "plain.test": {{ "username": "me", "password": "{}" }} }},
  "credsStore": "desktop", "credHelpers": {{ "x.test": "ecr-login" }} }}"#,
            base64::encode(b"me:"),
            secret(2),
            secret(3),
        );
        let want = [
            format!("r.test={}", secret(1)),
            format!("id.test identitytoken={}", secret(2)),
            format!("plain.test password={}", secret(3)),
        ];
        assert_eq!(accept(Parser::DockerConfig, &file), want);
        assert_eq!(places(Parser::DockerConfig, &file)[0], auth);
    }

    #[test]
    fn the_old_form_has_registries_at_the_top() {
        let auth = base64::encode(format!("me:{}", secret(1)).as_bytes());
        let file = format!(r#"{{"https://index.test/v1/": {{"auth": "{auth}", "email": "a@b"}}}}"#);
        assert_eq!(found(Parser::DockerConfig, &file), [format!("https://index.test/v1/={}", secret(1))]);
    }

    #[test]
    fn stand_ins_and_helpers_are_no_logins() {
        for file in [
            r#"{"auths":{}}"#.to_string(),
            r#"{"credsStore":"pass"}"#.to_string(),
            format!(r#"{{"auths":{{"r":{{"auth":"{}"}}}}}}"#, base64::encode(b"user:${PASSWORD}")),
            r#"{"auths":{"r":{"auth":"{{ auth }}"}}}"#.to_string(),
            r#"{"HttpHeaders":{"User-Agent":"Docker"}}"#.to_string(),
        ] {
            assert_eq!(found(Parser::DockerConfig, &file), [""; 0], "{file}");
        }
    }

    #[test]
    fn a_password_of_amazon_says_its_end() {
        let password = base64::encode(br#"{"payload":"x","version":"2","type":"DATA_KEY","expiration":1700000000}"#);
        let auth = base64::encode(format!("AWS:{password}").as_bytes());
        let file = format!(r#"{{"auths":{{"r":{{"auth":"{auth}"}}}}}}"#);
        let items = Parser::DockerConfig.read(file.as_bytes());
        assert_eq!(items[0].verdict.expires, Some(1_700_000_000));
    }
}
