//! Files of Kubernetes: who may talk to a cluster, and manifests of secrets.

use memchr::memmem;

use super::{
    Item, base64,
    command::name_says_secret,
    docker, ini,
    item::addresses,
    part::Part,
    tree::{Kind, Leaf, NodeNo, Tree},
};
use crate::{
    model::Standing,
    probe::secret::check::{self, Verdict, looks_random},
};

/// The kind of manifests that hold secrets.
const KIND: &[u8] = b"Secret";

/// Bytes before it in which its name stands: a colon, quotes, spaces, a line end and a tag may lie between.
const KIND_BEFORE: usize = 64;

/// Shortest value that counts for its randomness alone, where no name speaks for it.
const RANDOM_MIN: usize = 20;

/// Reads the users of a kubeconfig, in YAML or JSON.
///
/// Who logs in by a program (`exec`) or by a file (`tokenFile`, `client-key`) keeps the secret elsewhere.
pub(super) fn kubeconfig(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        for entry in tree.child(document, "users").into_iter().flat_map(|users| tree.children(users)) {
            let name = format!("user {}", tree.word(entry, "name").unwrap_or_default());
            if let Some(user) = tree.child(entry, "user") {
                items.extend(kubeconfig_user(&tree, user, &name));
            }
        }
    }
    items
}

fn kubeconfig_user(tree: &Tree<'_>, user: NodeNo, name: &str) -> Vec<Item> {
    let mut items = Vec::new();
    if let Some(leaf) = tree.value(user, "client-key-data") {
        let pem = base64::decode(&leaf.value);
        items.extend(pem.and_then(|pem| Item::private_key(leaf.span, format!("{name} client-key-data"), pem)));
    }
    for field in ["token", "password"] {
        items.extend(tree.value(user, field).and_then(|leaf| Item::leaf(leaf, format!("{name} {field}"))));
    }
    if let Some(provider) = tree.at(user, &["auth-provider", "config"]) {
        for field in ["access-token", "refresh-token", "id-token", "client-secret"] {
            items.extend(tree.value(provider, field).and_then(|leaf| Item::leaf(leaf, format!("{name} {field}"))));
        }
    }
    items
}

/// Reads manifests of the kind `Secret`, also in a `List`.
///
/// Sealed ones and those that SOPS has encrypted are safe to keep. Not every value in a secret is one: user names and
/// addresses are left out.
pub(super) fn secret(file: &[u8]) -> Vec<Item> {
    // Every file of JSON and YAML comes here, and few of them are manifests.
    let before = |at: usize| file.get(at.saturating_sub(KIND_BEFORE)..at).unwrap_or_default();
    let named = |at: usize| memmem::find(before(at), b"kind").is_some();
    if !memmem::find_iter(file, KIND).any(named) {
        return Vec::new();
    }
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        let listed = tree.child(document, "items").into_iter().flat_map(|items| tree.children(items));
        for manifest in std::iter::once(document).chain(listed) {
            if tree.word(manifest, "kind").is_some_and(|kind| kind.as_bytes() == KIND)
                && tree.child(manifest, "sops").is_none()
            {
                items.extend(manifest_values(&tree, manifest));
            }
        }
    }
    items
}

fn manifest_values(tree: &Tree<'_>, manifest: NodeNo) -> Vec<Item> {
    let name = tree.at(manifest, &["metadata", "name"]).and_then(|node| tree.leaf(node));
    let name = name.map(|leaf| String::from_utf8_lossy(&leaf.value).into_owned()).unwrap_or_default();
    // Helm keeps the state of a release in one, packed.
    if tree.word(manifest, "type").is_some_and(|kind| kind.starts_with("helm.sh/")) {
        return Vec::new();
    }
    let mut items = Vec::new();
    for (group, encoded) in [("data", true), ("stringData", false)] {
        for child in tree.child(manifest, group).into_iter().flat_map(|group| tree.children(group)) {
            let Some(leaf) = tree.leaf(child).filter(|_| tree.kind(child) == Some(Kind::Text)) else { continue };
            if leaf.value.starts_with(b"ENC[") {
                continue;
            }
            let value = if encoded { base64::decode(&leaf.value) } else { Some(leaf.value) };
            let field = tree.name(child);
            items.extend(value.and_then(|value| manifest_value(Leaf { span: leaf.span, value }, &name, &field)));
        }
    }
    items
}

fn manifest_value(leaf: Leaf, name: &str, field: &str) -> Option<Item> {
    let key = format!("{name}/{field}");
    let Leaf { span, value } = leaf;
    if field == ".dockerconfigjson" || field == ".dockercfg" {
        let inner = docker::read(&value).into_iter().next()?;
        return Some(Item::new(span, key, inner.value, inner.verdict));
    }
    if let Some(item) = Item::private_key(span.clone(), key.as_str(), value.clone()) {
        return Some(item);
    }
    let store = check::jks(&value).into_iter().chain(check::pkcs12(&value)).next();
    if let Some(verdict) = store {
        return Some(Item::new(span, key, value, verdict));
    }
    if value.starts_with(b"-----BEGIN ") {
        return None;
    }
    let named = name_says_secret(field.as_bytes());
    if is_time(&value) {
        return None;
    }
    let Ok(text) = std::str::from_utf8(&value) else {
        // Thirty-two bytes of a key are no text.
        let verdict = Verdict {
            standing: Standing::Structured,
            harmless: None,
            remark: "binary".to_string(),
            expires: None,
            public_key: None,
        };
        return (named && value.len() >= 16).then(|| Item::new(span, key, value, verdict));
    };
    if text.trim().contains('\n') {
        return lines(&value).map(|inner| Item::new(span, key, inner.value, inner.verdict));
    }
    if let Some(inner) = addresses(Part::file(&value), &key).into_iter().next() {
        return Some(Item::new(span, key, inner.value, inner.verdict));
    }
    let is_random = has_random(text);
    let value = value.trim_ascii().to_vec();
    (named || is_random).then(|| Item::secret(span, key, value, Standing::Structured)).flatten()
}

/// `2019-03-20T17:54:53Z`: when a password was changed (RFC 3339).
fn is_time(value: &[u8]) -> bool {
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    value.len() <= 35 && value.len() >= 20 && value.iter().zip(b"0000-00-00T00:00:00").all(fits)
}

/// Whether a value looks random; of an address what follows the host, as in that of a webhook.
fn has_random(text: &str) -> bool {
    let is_random =
        |text: &str| text.len() >= RANDOM_MIN && !text.contains(char::is_whitespace) && looks_random(text.as_bytes());
    match text.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '&', '=', '#']).skip(1).any(is_random),
        None => is_random(text),
    }
}

/// The first secret of a file that is a value: settings line by line.
fn lines(text: &[u8]) -> Option<Item> {
    let entry = |entry: ini::Entry<'_>| {
        let name = Part::unquote(entry.name);
        let named = name_says_secret(name.bytes());
        let value = entry.value.to(entry.value.bytes().trim_ascii_end().len()).unquote();
        named.then(|| Item::secret(value.span(), name.text(), value.bytes().to_vec(), Standing::Named)).flatten()
    };
    let mut settings = ini::entries(Part::file(text), b"=:");
    settings.find_map(entry).or_else(|| addresses(Part::file(text), "").into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser, base64,
        testing::{accept, found, places, secret},
    };
    use crate::catalogue::sample::make as testing;

    #[test]
    fn users_of_a_kubeconfig_have_tokens_and_passwords() {
        let file = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: AAAA\n  name: c\nusers:\n- name: admin\n  user:\n    \
             token: {}\n- name: \"other\"\n  user:\n    username: u\n    password: '{}'\n- name: prog\n  user:\n    exec:\n      command: aws\n    tokenFile: /x\n",
            secret(1),
            secret(2)
        );
        let want = [format!("user admin token={}", secret(1)), format!("user other password={}", secret(2))];
        assert_eq!(accept(Parser::Kubeconfig, &file), want);
        let json = format!(r#"{{"kind":"Config","users":[{{"name":"a","user":{{"token":"{}"}}}}]}}"#, secret(3));
        assert_eq!(found(Parser::Kubeconfig, &json), [format!("user a token={}", secret(3))]);
        assert_eq!(places(Parser::Kubeconfig, &json), [secret(3)]);
    }

    #[test]
    fn private_keys_are_decoded_and_certificates_are_not_told() {
        let pem = testing::pem("PRIVATE", &testing::ed25519(&mut testing::Rng::new(1)));
        let (key, other) = (base64::encode(pem.as_bytes()), base64::encode(b"-----BEGIN CERTIFICATE-----"));
        let file =
            format!("users:\n- name: a\n  user:\n    client-certificate-data: {other}\n    client-key-data: {key}\n");
        assert_eq!(accept(Parser::Kubeconfig, &file), [format!("user a client-key-data={pem}")]);
        assert_eq!(places(Parser::Kubeconfig, &file), [key.as_str()]);
        let file = format!("kind: Secret\nmetadata:\n  name: t\ndata:\n  tls.crt: {other}\n  tls.key: {key}\n");
        assert_eq!(accept(Parser::K8sSecret, &file), [format!("t/tls.key={pem}")]);
    }

    #[test]
    fn manifests_have_their_values_decoded() {
        let password = base64::encode(secret(1).as_bytes());
        let file = format!(
            "---\napiVersion: v1\nkind: ConfigMap\ndata:\n  password: {password}\n---\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  \
             password: {password}\n  username: {}\n  host: {}\nstringData:\n  app.env: |\n    A=b\n    API_TOKEN={}\n  url: postgres://u:{}@h/d\n",
            base64::encode(b"alice"),
            base64::encode(b"db.internal"),
            secret(2),
            secret(3),
        );
        let want = [
            format!("db/password={}", secret(1)),
            format!("db/app.env={}", secret(2)),
            format!("db/url={}", secret(3)),
        ];
        assert_eq!(accept(Parser::K8sSecret, &file), want);
        assert_eq!(places(Parser::K8sSecret, &file)[0], password);
    }

    #[test]
    fn an_address_is_a_secret_by_what_follows_the_host() {
        let hook = format!("https://hooks.example.com/services/T00/{}{}", secret(4), secret(5));
        let file = format!("kind: Secret\nmetadata:\n  name: a\ndata:\n  hook: {}\n", base64::encode(hook.as_bytes()));
        assert_eq!(accept(Parser::K8sSecret, &file), [format!("a/hook={hook}")]);
    }

    #[test]
    fn a_registry_login_in_a_manifest_is_read_as_one() {
        let auth = base64::encode(format!("me:{}", secret(1)).as_bytes());
        let json = base64::encode(format!(r#"{{"auths":{{"r":{{"auth":"{auth}"}}}}}}"#).as_bytes());
        let file = format!(
            "kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {{name: pull}}\ndata:\n  .dockerconfigjson: {json}\n"
        );
        assert_eq!(found(Parser::K8sSecret, &file), [format!("pull/.dockerconfigjson={}", secret(1))]);
    }

    #[test]
    fn sealed_encrypted_and_templated_secrets_are_fine() {
        let encoded = base64::encode(secret(1).as_bytes());
        for file in [
            format!("kind: SealedSecret\nspec:\n  encryptedData:\n    password: {encoded}\n"),
            "kind: Secret\nmetadata:\n  name: a\ndata:\n  password: ENC[AES256_GCM,data:abcd]\n".to_string(),
            format!("kind: Secret\ndata:\n  password: {encoded}\nsops:\n  version: 3\n"),
            "kind: Secret\ndata:\n  password: {{ .Values.password | b64enc }}\n".to_string(),
            format!("kind: Secret\ndata:\n  password: {}\n", base64::encode(b"changeme")),
            "kind: Secret\nstringData:\n  issuerUrl: http://hydra.hydra.svc:4444/\n  audience: lokistack\n".to_string(),
            "kind: Secret\nstringData:\n  admin.passwordMtime: 2019-03-20T17:54:53Z\n".to_string(),
            format!("kind: Secret\ndata:\n  issuer: {}\n", base64::encode(b"https://login.xk3q.example.com:8443/oidc")),
            format!("kind: Secret\ndata:\n  ca.crt: {}\n", base64::encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n")),
        ] {
            let alarms =
                Parser::K8sSecret.read(file.as_bytes()).into_iter().filter(|item| item.verdict.harmless.is_none());
            assert_eq!(alarms.count(), 0, "{file}");
        }
    }
}
