//! Logins that programs of cloud providers keep as JSON, and keys in JSON.

use super::{
    Item, base64,
    item::members,
    part::Part,
    tree::{Kind, NodeNo, Tree},
};
use crate::{
    model::{Harmless, Standing},
    probe::secret::check::{self, Verdict},
};

/// Reads service accounts of Google, which Firebase and many libraries use.
pub(super) fn gcp_service_account(file: &[u8]) -> Vec<Item> {
    of_type(file, &["service_account"], |tree, node| {
        let pem = tree.value(node, "private_key")?;
        let mut item = Item::private_key(pem.span, "private_key", pem.value)?;
        // The address of an account is no secret, and says which key to revoke.
        if let Some(email) = tree.word(node, "client_email").filter(|email| email.ends_with(".gserviceaccount.com")) {
            let remark = std::mem::take(&mut item.verdict.remark);
            item.verdict.remark = if remark.is_empty() { email } else { format!("{remark}, {email}") };
        }
        Some(item)
    })
}

/// Reads what `gcloud auth application-default login` leaves.
pub(super) fn gcp_user(file: &[u8]) -> Vec<Item> {
    of_type(file, &["authorized_user", "external_account_authorized_user"], |tree, node| {
        Item::leaf(tree.value(node, "refresh_token")?, "refresh_token")
    })
}

/// Items of the objects whose `type` is one of these, wherever they are.
fn of_type(file: &[u8], types: &[&str], item: impl Fn(&Tree<'_>, NodeNo) -> Option<Item>) -> Vec<Item> {
    let tree = Tree::read(file);
    let fits = |node: &NodeNo| {
        tree.kind(*node) == Some(Kind::Map)
            && tree.word(*node, "type").is_some_and(|word| types.contains(&word.as_str()))
    };
    tree.all().filter(fits).filter_map(|node| item(&tree, node)).collect()
}

/// Reads the caches of Azure's command line: `msal_token_cache.json`, `accessTokens.json`,
/// `service_principal_entries.json`.
pub(super) fn azure_cache(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        for kind in ["RefreshToken", "AccessToken", "IdToken"] {
            for entry in tree.child(document, kind).into_iter().flat_map(|group| tree.children(group)) {
                items.extend(tree.value(entry, "secret").and_then(|leaf| Item::leaf(leaf, kind)));
            }
        }
        for entry in tree.children(document).filter(|_| tree.kind(document) == Some(Kind::List)) {
            items.extend(members(&tree, entry, &["refreshToken", "accessToken", "client_secret", "secret"], ""));
        }
    }
    items
}

/// Reads the caches of AWS's command line: `.aws/sso/cache`, `.aws/cli/cache`.
pub(super) fn aws_cache(file: &[u8]) -> Vec<Item> {
    const NAMES: [&str; 6] =
        ["accessToken", "refreshToken", "clientSecret", "SecretAccessKey", "SessionToken", "idToken"];
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        let expires = ["expiresAt"].iter().find_map(|name| tree.word(document, name));
        let inner = tree.child(document, "Credentials");
        let inner_expires = inner.and_then(|inner| tree.word(inner, "Expiration"));
        for (node, expires) in [(Some(document), expires), (inner, inner_expires)] {
            let found = node.map(|node| members(&tree, node, &NAMES, "")).unwrap_or_default();
            let end = expires.and_then(|time| seconds(&time));
            items.extend(found.into_iter().map(|mut item| {
                // A client's secret and a refresh token outlive the access token.
                if !matches!(item.key.as_str(), "clientSecret" | "refreshToken") {
                    item.verdict.expires = item.verdict.expires.or(end);
                }
                item
            }));
        }
    }
    items
}

/// Reads `auth.json` of Composer.
pub(super) fn composer(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        for group in tree.children(document) {
            let kind = tree.name(group);
            const KINDS: [&str; 8] = [
                "http-basic",
                "github-oauth",
                "gitlab-oauth",
                "gitlab-token",
                "bearer",
                "bitbucket-oauth",
                "forgejo-token",
                "custom-headers",
            ];
            for host in tree.children(group).filter(|_| KINDS.contains(&kind.as_str())) {
                let key = format!("{kind} {}", tree.name(host));
                items.extend(tree.leaf(host).and_then(|leaf| Item::leaf(leaf, key.as_str())));
                items.extend(members(&tree, host, &["password", "token", "consumer-secret", "access-token"], &key));
            }
        }
    }
    items
}

/// Reads the logins of Terraform: `credentials.tfrc.json`, and `.terraformrc` in its own language.
pub(super) fn terraform_credentials(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let hosts = tree.documents().filter_map(|document| tree.child(document, "credentials"));
    let hosts = hosts.flat_map(|credentials| tree.children(credentials));
    let item = |host| Item::leaf(tree.value(host, "token")?, tree.name(host));
    let mut items: Vec<Item> = hosts.filter_map(item).collect();
    let mut host = None;
    for line in Part::file(file).lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix("credentials") {
            host = name.trim().bytes().starts_with(b"\"").then(|| name.unquote().text());
        }
        let inner = match line.bytes().iter().position(|&byte| byte == b'{') {
            Some(brace) => line.from(brace + 1).trim(),
            None => line,
        };
        let value = inner.strip_prefix("token").map(Part::trim).and_then(|rest| rest.strip_prefix("="));
        if let (Some(host), Some(value)) = (&host, value) {
            items.extend(Item::field(value.unquote(), host.as_str()));
        }
        if line.bytes().ends_with(b"}") {
            host = None;
        }
    }
    items
}

/// Reads keys in JSON that have their private half: RFC 7517, 7518 and 8037.
pub(super) fn jwk(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let maps = tree.all().filter(|&node| tree.kind(node) == Some(Kind::Map));
    maps.filter_map(|node| private_jwk(&tree, node)).collect()
}

fn private_jwk(tree: &Tree<'_>, node: NodeNo) -> Option<Item> {
    let kind = tree.word(node, "kty")?;
    let len = |name: &str| base64::decode(&tree.value(node, name)?.value).map(|bytes| bytes.len());
    let (name, remark) = match kind.as_str() {
        "RSA" => {
            let (modulus, exponent) = (len("n")?, len("d")?);
            (64..=2048).contains(&modulus).then_some(())?;
            (exponent <= modulus && exponent * 2 > modulus).then_some(("d", format!("RSA, {} bits", modulus * 8)))?
        }
        "EC" | "OKP" => {
            let curve = tree.word(node, "crv")?;
            let size = match curve.as_str() {
                "Ed25519" | "X25519" | "P-256" | "secp256k1" => 32,
                "P-384" => 48,
                "P-521" => 66,
                "Ed448" => 57,
                "X448" => 56,
                _ => return None,
            };
            (len("d")? == size && len("x")? == size).then_some(("d", curve))?
        }
        "oct" => (len("k")? >= 16).then_some(("k", format!("symmetric, {} bits", len("k")? * 8)))?,
        _ => return None,
    };
    let leaf = tree.value(node, name)?;
    let is_published = |name| tree.value(node, name).is_some_and(|leaf| check::is_published(&leaf.value));
    let harmless = ["n", "x", "k"].into_iter().any(is_published).then_some(Harmless::Public);
    let verdict = Verdict { standing: Standing::Structured, harmless, remark, expires: None, public_key: None };
    let key = tree.word(node, "kid").unwrap_or_else(|| name.to_string());
    Some(Item::new(leaf.span, key, leaf.value, verdict))
}

/// Reads the logins that Firefox has saved. The key to them is in a file beside them.
pub(super) fn browser_logins(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let logins = tree.documents().filter_map(|document| tree.child(document, "logins"));
    let logins = logins.flat_map(|logins| tree.children(logins));
    let item =
        |login| Item::leaf(tree.value(login, "encryptedPassword")?, tree.word(login, "hostname").unwrap_or_default());
    logins.filter_map(item).collect()
}

/// Seconds since 1970 of `2030-01-31T12:00:00Z`; other zones and fractions are not told apart.
fn seconds(time: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the odd day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
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
    use crate::catalogue::sample::make as testing;

    #[test]
    fn the_keys_of_the_standards_are_published() {
        let jwk = |x: &str| {
            let private = base64::encode(&[7; 32]);
            let file = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{private}"}}"#);
            Parser::Jwk.read(file.as_bytes()).into_iter().map(|item| item.verdict.harmless).collect::<Vec<_>>()
        };
        assert_eq!(jwk("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), [Some(Harmless::Public)]);
        assert_eq!(jwk("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp"), [None]);
    }

    #[test]
    fn caches_have_their_tokens() {
        let user = format!(r#"{{"client_id":"x","refresh_token":"{}","type":"authorized_user"}}"#, secret(1));
        assert_eq!(accept(Parser::GcpUser, &user), [format!("refresh_token={}", secret(1))]);
        assert_eq!(found(Parser::GcpUser, &user.replace("authorized_user", "external_account")), [""; 0]);
        let msal = format!(
            r#"{{"RefreshToken":{{"a-b":{{"secret":"{}","home":"x"}}}},"Account":{{"c":{{"name":"d"}}}}}}"#,
            secret(2)
        );
        assert_eq!(accept(Parser::AzureCache, &msal), [format!("RefreshToken={}", secret(2))]);
        let old = format!(r#"[{{"refreshToken":"{}","userId":"x"}}]"#, secret(3));
        assert_eq!(found(Parser::AzureCache, &old), [format!("refreshToken={}", secret(3))]);
        assert_eq!(places(Parser::AzureCache, &old), [secret(3)]);
    }

    #[test]
    fn a_service_account_is_known_by_its_key() {
        let pem = testing::pem("PRIVATE", &testing::ed25519(&mut testing::Rng::new(1)));
        let account = |kind: &str, pem: &str| {
            let pem = pem.replace('\n', "\\n");
            format!(r#"{{"type": "{kind}", "private_key": "{pem}", "client_email": "me@p.iam.gserviceaccount.com"}}"#)
        };
        let file = account("service_account", &pem);
        assert_eq!(found(Parser::GcpServiceAccount, &file), [format!("private_key={pem}")]);
        assert_eq!(places(Parser::GcpServiceAccount, &file), [pem.replace('\n', "\\n")]);
        let items = Parser::GcpServiceAccount.read(file.as_bytes());
        assert!(items[0].verdict.remark.ends_with("me@p.iam.gserviceaccount.com"));
        assert_eq!(found(Parser::GcpServiceAccount, &account("other", &pem)), [""; 0]);
        assert_eq!(
            found(Parser::GcpServiceAccount, &account("service_account", "-----BEGIN PRIVATE KEY-----\n...")),
            [""; 0]
        );
    }

    #[test]
    fn a_cache_of_aws_says_until_when() {
        let file = format!(
            r#"{{"accessToken":"{}","clientSecret":"{}","expiresAt":"2001-09-09T01:46:40Z"}}"#,
            secret(1),
            secret(2)
        );
        let items = Parser::AwsCache.read(file.as_bytes());
        assert_eq!(items.iter().map(|item| item.verdict.expires).collect::<Vec<_>>(), [Some(1_000_000_000), None]);
        let file = format!(r#"{{"Credentials":{{"SecretAccessKey":"{}","Expiration":"x"}}}}"#, secret(1));
        assert_eq!(accept(Parser::AwsCache, &file), [format!("SecretAccessKey={}", secret(1))]);
    }

    #[test]
    fn composer_and_terraform_keep_logins_by_host() {
        let file = format!(
            r#"{{"http-basic":{{"a.test":{{"username":"u","password":"{}"}}}},"github-oauth":{{"g.test":"{}"}},"config":{{"x":"y"}}}}"#,
            secret(1),
            secret(2)
        );
        let want = [format!("http-basic a.test password={}", secret(1)), format!("github-oauth g.test={}", secret(2))];
        assert_eq!(accept(Parser::ComposerAuth, &file), want);
        let json = format!(r#"{{"credentials":{{"app.test":{{"token":"{}"}}}}}}"#, secret(3));
        assert_eq!(accept(Parser::TerraformCredentials, &json), [format!("app.test={}", secret(3))]);
        let own = format!(
            "plugin_cache_dir = \"x\"\ncredentials \"app.test\" {{\n  token = \"{}\"\n}}\ntoken = \"no\"\n",
            secret(4)
        );
        assert_eq!(accept(Parser::TerraformCredentials, &own), [format!("app.test={}", secret(4))]);
    }

    #[test]
    fn a_key_in_json_is_private_with_its_exponent() {
        let part = |len: u8| base64::encode(&(0..len).map(|at| at.wrapping_mul(37)).collect::<Vec<_>>());
        let ec =
            format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}","d":"{0}","kid":"one"}}]}}"#, part(32));
        assert_eq!(accept(Parser::Jwk, &ec), [format!("one={}", part(32))]);
        assert_eq!(found(Parser::Jwk, &ec.replace("\"d\"", "\"e\"")), [""; 0]);
        assert_eq!(found(Parser::Jwk, &ec.replace("P-256", "P-384")), [""; 0]);
        let oct = format!(r#"{{"kty":"oct","k":"{}"}}"#, part(32));
        assert_eq!(found(Parser::Jwk, &oct).len(), 1);
        assert_eq!(found(Parser::Jwk, r#"{"kty":"oct","k":"AAAA"}"#), [""; 0]);
    }

    #[test]
    fn saved_logins_of_a_browser_are_told_by_host() {
        let file =
            format!(r#"{{"nextId":1,"logins":[{{"hostname":"https://h.test","encryptedPassword":"{}"}}]}}"#, secret(1));
        assert_eq!(accept(Parser::BrowserLogins, &file), [format!("https://h.test={}", secret(1))]);
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2000-02-29T12:30:15.123Z"), Some(951_827_415));
        assert_eq!(seconds("2000-13-01T00:00:00Z"), None);
        assert_eq!(seconds("tomorrow"), None);
    }
}
