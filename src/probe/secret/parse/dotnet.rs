//! Settings in XML that are not Java's: NuGet, ASP.NET, FileZilla.

use super::{
    Item, base64,
    command::name_says_secret,
    java::element,
    part::Part,
    tree::{Leaf, NodeNo, Tree},
    xml,
};
use crate::{
    model::{Harmless, Standing},
    probe::secret::check::Verdict,
};

/// Reads the logins of `NuGet.Config`.
///
/// What Windows has encrypted opens for the user who saved it, on that machine.
pub(super) fn nuget(file: &[u8]) -> Vec<Item> {
    let tree = xml::read(file);
    let mut items = Vec::new();
    for group in tree.all().filter(|&node| tree.is_named(node, "packageSourceCredentials")) {
        for source in tree.children(group) {
            for add in tree.children(source).filter(|&node| tree.is_named(node, "add")) {
                let (kind, value) = (tree.word(add, "key").unwrap_or_default(), tree.value(add, "value"));
                // Names of elements have no blanks: they are written as `_x0020_`.
                let key = tree.name(source).replace("_x0020_", " ");
                match kind.to_ascii_lowercase().as_str() {
                    "cleartextpassword" => items.extend(value.and_then(|leaf| Item::leaf(leaf, key))),
                    "password" => items.extend(value.map(|leaf| protected(leaf, key, "encrypted by Windows"))),
                    _ => {}
                }
            }
        }
    }
    for add in tree.all().filter(|&node| tree.is_named(node, "apikeys")).flat_map(|group| tree.children(group)) {
        let key = tree.word(add, "key").unwrap_or_default();
        items.extend(tree.value(add, "value").map(|leaf| protected(leaf, key, "encrypted by Windows")));
    }
    items
}

fn protected(leaf: Leaf, key: impl Into<String>, remark: &str) -> Item {
    let verdict = Verdict {
        standing: Standing::Structured,
        harmless: Some(Harmless::Protected),
        remark: remark.to_string(),
        expires: None,
        public_key: None,
    };
    Item::new(leaf.span, key, leaf.value, verdict)
}

/// Reads `web.config`, `app.config` and their transforms.
pub(super) fn web_config(file: &[u8]) -> Vec<Item> {
    let tree = xml::read(file);
    let mut items = Vec::new();
    for node in tree.all() {
        match tree.name(node).as_str() {
            "add" => items.extend(setting(&tree, node)),
            "machineKey" => {
                for name in ["validationKey", "decryptionKey"] {
                    let key = tree.value(node, name).filter(|leaf| leaf.value.iter().all(u8::is_ascii_hexdigit));
                    items.extend(key.and_then(|leaf| Item::leaf(leaf, format!("machineKey {name}"))));
                }
            }
            name @ ("identity" | "network" | "sessionState" | "user") => {
                let password = tree.value(node, "password");
                items.extend(password.and_then(|leaf| Item::leaf(leaf, format!("{name} password"))));
            }
            _ => {}
        }
    }
    items
}

fn setting(tree: &Tree<'_>, node: NodeNo) -> Option<Item> {
    let key = tree.word(node, "name").or_else(|| tree.word(node, "key"))?;
    if let Some(leaf) = tree.value(node, "connectionString") {
        return connection(leaf, key);
    }
    let leaf = tree.value(node, "value")?;
    if name_says_secret(key.as_bytes()) { Item::leaf(leaf, key) } else { connection(leaf, key) }
}

/// The password of a connection string; the span is the whole string when entities stand in it.
fn connection(leaf: Leaf, key: String) -> Option<Item> {
    let verbatim = leaf.span.len() == leaf.value.len();
    let text = Part::at(&leaf.value, leaf.span.start);
    // A string that names no server is another setting.
    let field = |part: Part<'_>| part.split_once(b'=').map(|(name, _)| name.trim().text().to_ascii_lowercase());
    const SERVERS: [&str; 8] =
        ["server", "data source", "host", "address", "addr", "database", "initial catalog", "endpoint"];
    let names: Vec<String> = text.split(b';').filter_map(field).collect();
    names.iter().any(|name| SERVERS.contains(&name.as_str())).then_some(())?;
    const SECRETS: [&str; 4] = ["password", "pwd", "sharedaccesskey", "accountkey"];
    let secret = text.split(b';').find_map(|part| {
        let (name, value) = part.split_once(b'=')?;
        SECRETS.iter().any(|secret| name.trim().is(secret)).then(|| value.unquote())
    })?;
    let span = if verbatim { secret.span() } else { leaf.span.clone() };
    Item::secret(span, key, secret.bytes().to_vec(), Standing::Structured)
}

/// Reads the servers that FileZilla has saved; base64 hides nothing.
pub(super) fn filezilla(file: &[u8]) -> Vec<Item> {
    let tree = xml::read(file);
    let mut items = Vec::new();
    for server in tree.all().filter(|&node| tree.is_named(node, "Server")) {
        let host = element(&tree, server, "Host").map(|leaf| String::from_utf8_lossy(&leaf.value).into_owned());
        let (Some(host), Some(pass)) = (host, tree.child(server, "Pass")) else { continue };
        let Some(leaf) = tree.value(pass, xml::TEXT) else { continue };
        match tree.word(pass, "encoding").as_deref() {
            Some("crypt") => items.push(protected(leaf, host, "a master password protects it")),
            Some("base64") => {
                let password = base64::decode(&leaf.value);
                items.extend(password.and_then(|value| Item::secret(leaf.span, host, value, Standing::Structured)));
            }
            _ => items.extend(Item::leaf(leaf, host)),
        }
    }
    items
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
    fn sources_of_nuget_have_plain_and_encrypted_passwords() {
        let file = format!(
            "<configuration><packageSources><add key=\"a\" value=\"https://a.test\" /></packageSources>\n<packageSourceCredentials>\n<My_x0020_Feed>\
             <add key=\"Username\" value=\"u\" /><add key=\"ClearTextPassword\" value=\"{}\" /></My_x0020_Feed>\n<b><add key=\"Password\" value=\"{}\" /></b>\
             <c><add key=\"ClearTextPassword\" value=\"%NUGET_TOKEN%\"/></c></packageSourceCredentials></configuration>",
            secret(1),
            secret(2)
        );
        let items = Parser::NugetConfig.read(file.as_bytes());
        let keys: Vec<_> = items.iter().map(|item| (item.key.as_str(), item.verdict.harmless)).collect();
        assert_eq!(keys, [("My Feed", None), ("b", Some(Harmless::Protected))]);
        accept(Parser::NugetConfig, &file);
    }

    #[test]
    fn connection_strings_and_settings_hold_passwords() {
        let file = format!(
            "<configuration>\n<connectionStrings><add name=\"Main\" connectionString=\"Server=s;Database=d;User Id=u;Password={};\" />\n\
             <add name=\"Trusted\" connectionString=\"Server=s;Integrated Security=true\"/></connectionStrings>\n<appSettings>\
             <add key=\"ApiToken\" value='{}'/><add key=\"PasswordLength\" value=\"12\"/><add key=\"x\" value=\"password=1\"/></appSettings>\n\
             <machineKey validationKey=\"{}\" decryptionKey=\"AutoGenerate,IsolateApps\"/></configuration>",
            secret(1),
            secret(2),
            "0123456789ab7def".repeat(4)
        );
        let keys: Vec<_> = Parser::WebConfig.read(file.as_bytes()).into_iter().map(|item| item.key).collect();
        assert_eq!(keys[..2], ["Main", "ApiToken"]);
        assert_eq!(places(Parser::WebConfig, &file)[..2], [1, 2].map(secret));
        accept(Parser::WebConfig, &file);
    }

    #[test]
    fn saved_servers_have_their_password_in_base64() {
        let file = format!(
            "<FileZilla3><Servers><Server><Host>h.test</Host><User>u</User><Pass encoding=\"base64\">{}</Pass></Server>\n\
             <Server><Host>i.test</Host><Pass encoding=\"crypt\" pubkey=\"x\">{}</Pass></Server></Servers></FileZilla3>",
            base64::encode(secret(1).as_bytes()),
            secret(2)
        );
        let want = [format!("h.test={}", secret(1)), format!("i.test={}", secret(2))];
        assert_eq!(accept(Parser::Filezilla, &file), want);
        assert_eq!(found(Parser::Filezilla, "<Server><Host>h</Host></Server>"), [""; 0]);
    }
}
