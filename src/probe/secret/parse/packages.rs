//! Logins to package registries: npm, Yarn, Python, Cargo, RubyGems, Bundler, and repositories of rpm.

use super::{
    Item, base64,
    command::name_says_secret,
    ini::{Entry, entries},
    item::addresses,
    part::Part,
    tree::{NodeNo, Tree},
};
use crate::{model::Standing, probe::secret::check::looks_random};

/// Reads `.npmrc`; the key of an item is the registry.
pub(super) fn npmrc(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries(Part::file(file), b"=") {
        let name = entry.name.unquote();
        let (registry, field) = match name.bytes().iter().rposition(|&byte| byte == b':') {
            Some(colon) => (name.to(colon), name.from(colon + 1)),
            None => (name.to(0), name),
        };
        let registry = String::from_utf8_lossy(registry.bytes()).trim_matches('/').to_string();
        let value = entry.value.unquote();
        match npm_secret(field, value, &registry) {
            Some(item) => items.extend(item),
            None => items.extend(addresses(value, &registry)),
        }
    }
    items
}

/// The item of a field that holds a secret; `None` of other fields.
fn npm_secret(field: Part<'_>, value: Part<'_>, registry: &str) -> Option<Option<Item>> {
    if field.is("_authToken") {
        return Some(Item::field(value, registry));
    }
    let decoded = base64::decode(value.bytes()).filter(|text| std::str::from_utf8(text).is_ok());
    if field.is("_password") {
        // npm writes it in base64; by hand it may be anything.
        let secret = decoded.unwrap_or_else(|| value.bytes().to_vec());
        return Some(
            not_reference(value).and_then(|part| Item::secret(part.span(), registry, secret, Standing::Structured)),
        );
    }
    if field.is("_auth") {
        let secret = match decoded {
            Some(login) => {
                let colon = login.iter().position(|&byte| byte == b':').map_or(0, |colon| colon + 1);
                login.get(colon..).unwrap_or_default().to_vec()
            }
            None => value.bytes().to_vec(),
        };
        return Some(
            not_reference(value).and_then(|part| Item::secret(part.span(), registry, secret, Standing::Structured)),
        );
    }
    let others = ["key", "otp"];
    if others.iter().any(|other| field.is(other)) && value.find("-----BEGIN").is_some() {
        return Some(Item::private_key(value.span(), registry, value.bytes().to_vec()));
    }
    None
}

/// `${X}` is in the environment, whatever it looks like in base64.
fn not_reference(value: Part<'_>) -> Option<Part<'_>> {
    (!value.bytes().starts_with(b"$") && !value.bytes().starts_with(b"{{")).then_some(value)
}

/// Reads `.yarnrc.yml`, and `.yarnrc` of Yarn 1.
pub(super) fn yarnrc(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        items.extend(yarn_login(&tree, document, ""));
        for group in ["npmRegistries", "npmScopes"] {
            for entry in tree.child(document, group).into_iter().flat_map(|group| tree.children(group)) {
                items.extend(yarn_login(&tree, entry, tree.name(entry).trim_matches('/')));
            }
        }
    }
    for line in Part::file(file).lines() {
        let mut words = line.words();
        let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { continue };
        let name = name.unquote();
        let Some(registry) = name.bytes().strip_suffix(b":_authToken") else { continue };
        let registry = String::from_utf8_lossy(registry);
        items.extend(Item::field(value.unquote(), registry.trim_matches('/')));
    }
    items
}

fn yarn_login(tree: &Tree<'_>, node: NodeNo, key: &str) -> Vec<Item> {
    let token = tree.value(node, "npmAuthToken").and_then(|leaf| Item::leaf(leaf, key));
    let ident = tree.value(node, "npmAuthIdent").and_then(|leaf| {
        // `user:password`, or the same in base64.
        let login = if leaf.value.contains(&b':') { leaf.value } else { base64::decode(&leaf.value)? };
        let colon = login.iter().position(|&byte| byte == b':')?;
        let span = if leaf.span.len() == login.len() { leaf.span.start + colon + 1..leaf.span.end } else { leaf.span };
        (!login.starts_with(b"$")).then_some(())?;
        Item::secret(span, key, login.get(colon + 1..)?.to_vec(), Standing::Structured)
    });
    token.into_iter().chain(ident).collect()
}

/// Reads `.pypirc`, and `auth.toml` of Poetry.
pub(super) fn pypirc(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries(Part::file(file), b"=:") {
        let section = entry.section.text();
        if entry.name.is("password") {
            items.extend(Item::field(entry.value.unquote(), section));
        } else if section.starts_with("pypi-token") {
            items.extend(Item::field(entry.value.unquote(), entry.key()));
        } else {
            items.extend(addresses(entry.value, &section));
        }
    }
    items
}

/// Reads the addresses of `pip.conf`, `requirements.txt` and `uv.toml`.
pub(super) fn pip_conf(file: &[u8]) -> Vec<Item> {
    let plain = |line: &Part<'_>| !matches!(line.trim().bytes().first(), Some(b'#' | b';'));
    Part::file(file).lines().filter(plain).flat_map(|line| addresses(line, "")).collect()
}

/// Reads `credentials.toml` of Cargo; the key is the registry.
pub(super) fn cargo_credentials(file: &[u8]) -> Vec<Item> {
    let item = |entry: Entry<'_>| {
        let secret = entry.name.is("token") || entry.name.is("secret-key");
        let registry = entry.section.strip_prefix("registries.").unwrap_or(entry.section);
        secret.then(|| Item::field(entry.value.unquote(), registry.unquote().text())).flatten()
    };
    entries(Part::file(file), b"=").filter_map(item).collect()
}

/// Reads `.gem/credentials`.
pub(super) fn gem_credentials(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let leaves = tree.documents().flat_map(|document| tree.children(document));
    let item = |node| {
        let mut leaf = tree.leaf(node)?;
        // Private servers want the whole header.
        if let Some(rest) = leaf.value.strip_prefix(b"Bearer ") {
            leaf.span.start += "Bearer ".len();
            leaf.value = rest.to_vec();
        }
        Item::leaf(leaf, tree.name(node).trim_matches(':'))
    };
    leaves.filter_map(item).collect()
}

/// Reads `.bundle/config`: logins by host, whose dots are written as `__`.
pub(super) fn bundle_config(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for node in tree.documents().flat_map(|document| tree.children(document)) {
        let (name, Some(leaf)) = (tree.name(node), tree.leaf(node)) else { continue };
        let Some(name) = name.strip_prefix("BUNDLE_") else { continue };
        let key = name.replace("___", "-").replace("__", ".").to_ascii_lowercase();
        let value = Part::at(&leaf.value, leaf.span.start);
        if value.find("://").is_some() {
            items.extend(addresses(value, &key));
            continue;
        }
        // `build.nokogiri` has options, `local.x` a path.
        let is_host = name.contains("__")
            && !["BUILD__", "LOCAL__", "MIRROR__", "DISABLE"].iter().any(|other| name.starts_with(other));
        let plain = !leaf.value.iter().any(u8::is_ascii_whitespace) && !leaf.value.starts_with(b"-");
        if !is_host || !plain {
            continue;
        }
        let filler = value.split_once(b':').filter(|(_, password)| password.is("x-oauth-basic") || password.is_empty());
        let secret = match (filler, value.split_once(b':')) {
            (Some((user, _)), _) => Some(user),
            (None, Some((_, password))) => Some(password),
            _ => looks_random(value.bytes()).then_some(value),
        };
        items.extend(secret.and_then(|secret| Item::field(secret, key)));
    }
    items
}

/// Reads `.repo` files, `yum.conf`, `dnf.conf`, and the logins of zypper.
pub(super) fn yum_repo(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for entry in entries(Part::file(file), b"=") {
        if name_says_secret(entry.name.bytes()) {
            items.extend(Item::field(entry.value, entry.key()));
        } else {
            items.extend(addresses(entry.value, &entry.key()));
        }
    }
    items
}

/// Reads configurations of command lines in YAML that name a token by host: `gh`, `glab`, `hub`, `doctl`.
pub(super) fn gh_hosts(file: &[u8]) -> Vec<Item> {
    const NAMES: [&str; 4] = ["oauth_token", "token", "access-token", "access_token"];
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        let mut path: Vec<(usize, String)> = Vec::new();
        for node in tree.within(document) {
            while path.last().is_some_and(|(end, _)| *end <= node) {
                path.pop();
            }
            let name = tree.name(node);
            match tree.leaf(node) {
                Some(leaf) if NAMES.contains(&name.as_str()) => {
                    let host = path.iter().map(|(_, name)| name.as_str()).find(|name| name.contains('.'));
                    items.extend(Item::leaf(leaf, host.unwrap_or(&name)));
                }
                Some(_) => {}
                None => path.push((tree.within(node).end, name)),
            }
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser, base64,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn registries_of_npm_have_tokens_and_logins() {
        let login = base64::encode(format!("me:{}", secret(2)).as_bytes());
        let password = base64::encode(secret(3).as_bytes());
        let file = format!(
            "registry=https://r.test/\n//r.test/:_authToken={}\n; //r.test/:_authToken={}\n//s.test/npm/:_auth = \"{login}\"\n\
             //t.test/:username=me\n//t.test/:_password={password}\nproxy=http://u:{}@proxy:1\n//u.test/:_authToken=${{NPM_TOKEN}}\nalways-auth=true\n",
            secret(1),
            secret(9),
            secret(4)
        );
        let want = [("r.test", 1), ("s.test/npm", 2), ("t.test", 3), ("proxy:1", 4)];
        assert_eq!(accept(Parser::Npmrc, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::Npmrc, &file), [secret(1), login, password, secret(4)]);
    }

    #[test]
    fn variables_in_npmrc_are_fine_however_they_are_written() {
        for value in ["${NPM_TOKEN}", "$NPM_TOKEN", "\"${NPM_TOKEN}\"", "", "<token>", "${NPM_TOKEN-}"] {
            for field in ["_authToken", "_auth", "_password"] {
                assert_eq!(found(Parser::Npmrc, &format!("//r.test/:{field}={value}\n")), [""; 0], "{field} {value}");
            }
        }
    }

    #[test]
    fn yarn_has_tokens_by_registry_and_scope() {
        let file = format!(
            "npmAuthToken: {}\nnpmRegistries:\n  \"//r.test\":\n    npmAuthIdent: \"me:{}\"\nnpmScopes:\n  acme:\n    npmAuthToken: ${{TOKEN:-}}\n",
            secret(1),
            secret(2)
        );
        assert_eq!(accept(Parser::Yarnrc, &file), [format!("={}", secret(1)), format!("r.test={}", secret(2))]);
        assert_eq!(places(Parser::Yarnrc, &file)[1], secret(2));
        let classic = format!("registry \"https://r.test\"\n\"//r.test/:_authToken\" \"{}\"\n", secret(3));
        assert_eq!(accept(Parser::Yarnrc, &classic), [format!("r.test={}", secret(3))]);
    }

    #[test]
    fn indexes_of_python_have_passwords_and_addresses() {
        let file = format!(
            "[distutils]\nindex-servers =\n    pypi\n[pypi]\nusername = __token__\npassword = {}\n[own]\nrepository: https://me:{}@r.test/\npassword: %(PASS)s\n",
            secret(1),
            secret(2)
        );
        assert_eq!(accept(Parser::Pypirc, &file), [format!("pypi={}", secret(1)), format!("own={}", secret(2))]);
        let file = format!(
            "[global]\nindex-url = https://me:{}@i.test/simple\n# extra = https://a:b@c\nextra-index-url =\n  https://me:{}@j.test/x\n",
            secret(1),
            secret(2)
        );
        assert_eq!(accept(Parser::PipConf, &file), [format!("i.test={}", secret(1)), format!("j.test={}", secret(2))]);
    }

    #[test]
    fn cargo_and_gems_have_tokens() {
        let file = format!(
            "[registry]\ntoken = \"{}\" # mine\n[registries.own]\ntoken = '{}'\nindex = \"x\"\n",
            secret(1),
            secret(2)
        );
        assert_eq!(
            accept(Parser::CargoCredentials, &file),
            [format!("registry={}", secret(1)), format!("own={}", secret(2))]
        );
        let file = format!("---\n:rubygems_api_key: {}\nhttps://g.test: Bearer {}\n", secret(1), secret(2));
        assert_eq!(
            accept(Parser::GemCredentials, &file),
            [format!("rubygems_api_key={}", secret(1)), format!("https://g.test={}", secret(2))]
        );
        assert_eq!(places(Parser::GemCredentials, &file)[1], secret(2));
    }

    #[test]
    fn bundler_has_logins_beside_other_settings() {
        let file = format!(
            "---\nBUNDLE_PATH: \"vendor/bundle\"\nBUNDLE_BUILD__NOKOGIRI: \"--use-system:x\"\nBUNDLE_GEMS__MY___OWN__TEST: \"me:{}\"\n\
             BUNDLE_WITHOUT: \"development:test\"\nBUNDLE_GITHUB__TEST: \"{}:x-oauth-basic\"\nBUNDLE_MIRROR__ALL: \"https://me:{}@m.test\"\n",
            secret(1),
            secret(2),
            secret(3)
        );
        let want = [("gems.my-own.test", 1), ("github.test", 2), ("mirror.all", 3)];
        assert_eq!(accept(Parser::BundleConfig, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
    }

    #[test]
    fn repositories_of_rpm_have_passwords() {
        let file = format!(
            "[own]\nbaseurl=https://me:{}@y.test/r\nusername=me\npassword={}\ngpgkey=file:///x\n",
            secret(1),
            secret(2)
        );
        assert_eq!(
            accept(Parser::YumRepo, &file),
            [format!("own baseurl={}", secret(1)), format!("own password={}", secret(2))]
        );
    }

    #[test]
    fn tokens_of_command_lines_are_told_by_host() {
        let file = format!(
            "git.test:\n    oauth_token: {}\n    user: me\n    users:\n        me:\n            oauth_token: {}\n",
            secret(1),
            secret(2)
        );
        assert_eq!(
            accept(Parser::GhHosts, &file),
            [format!("git.test={}", secret(1)), format!("git.test={}", secret(2))]
        );
        assert_eq!(
            found(Parser::GhHosts, &format!("access-token: {}\n", secret(3))),
            [format!("access-token={}", secret(3))]
        );
        assert_eq!(found(Parser::GhHosts, "git.test:\n  git_protocol: ssh\n"), [""; 0]);
    }
}
