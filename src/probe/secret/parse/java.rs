//! Settings of the Java world: Maven, Gradle, Spring and its relatives.

use super::{
    Item,
    command::name_says_secret,
    item::addresses,
    part::Part,
    properties::{Property, properties},
    tree::{NodeNo, Tree},
    xml,
};
use crate::{
    model::{Harmless, Standing},
    probe::secret::check::Verdict,
};

/// Reads `settings.xml` of Maven, and `settings-security.xml`, whose master password is encrypted with a key that is
/// printed in Maven's source.
pub(super) fn maven(file: &[u8]) -> Vec<Item> {
    let tree = xml::read(file);
    let mut items = Vec::new();
    for node in tree.all() {
        let name = tree.name(node);
        match name.as_str() {
            "server" | "proxy" => {
                let id = element(&tree, node, "id").map(|leaf| String::from_utf8_lossy(&leaf.value).into_owned());
                let key = format!("{name} {}", id.unwrap_or_default());
                for field in ["password", "passphrase"] {
                    let leaf = element(&tree, node, field);
                    items.extend(leaf.and_then(|leaf| maven_password(leaf, format!("{key} {field}"))));
                }
            }
            "settingsSecurity" => {
                let master = element(&tree, node, "master").filter(|leaf| leaf.value.starts_with(b"{"));
                items.extend(master.map(|leaf| {
                    Item::new(
                        leaf.span,
                        "master",
                        leaf.value,
                        verdict(None, "encrypted with a key that everybody knows"),
                    )
                }));
            }
            _ => {}
        }
    }
    items
}

fn maven_password(leaf: super::tree::Leaf, key: String) -> Option<Item> {
    let encrypted = leaf.value.starts_with(b"{") && leaf.value.ends_with(b"}") && leaf.value.len() > 12;
    if encrypted {
        let verdict = verdict(Some(Harmless::Protected), "encrypted by Maven");
        return Some(Item::new(leaf.span, key, leaf.value, verdict));
    }
    Item::leaf(leaf, key)
}

/// The text of the element of that name.
pub(super) fn element(tree: &Tree<'_>, node: NodeNo, name: &str) -> Option<super::tree::Leaf> {
    tree.value(tree.child(node, name)?, xml::TEXT)
}

fn verdict(harmless: Option<Harmless>, remark: &str) -> Verdict {
    Verdict { standing: Standing::Structured, harmless, remark: remark.to_string(), expires: None, public_key: None }
}

/// Reads `gradle.properties`, and any other properties, by the names of their keys.
pub(super) fn gradle(file: &[u8]) -> Vec<Item> {
    properties(Part::file(file)).flat_map(|property| setting(Part::file(file), property)).collect()
}

/// Reads `application.properties` and `bootstrap.properties`.
pub(super) fn application_properties(file: &[u8]) -> Vec<Item> {
    gradle(file)
}

/// Reads `application.yml` and others whose names are paths of keys.
pub(super) fn application_yaml(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for document in tree.documents() {
        // Each group at the top is a piece of the program; deeper names are told from it on.
        let mut path: Vec<(usize, String)> = Vec::new();
        for node in tree.within(document) {
            while path.last().is_some_and(|(end, _)| *end <= node) {
                path.pop();
            }
            let name = tree.name(node);
            let Some(leaf) = tree.leaf(node) else {
                path.push((tree.within(node).end, name));
                continue;
            };
            let names = path.iter().map(|(_, name)| name.as_str()).chain([name.as_str()]);
            let key = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(".");
            let property = Property { name: key, value: leaf.value, span: leaf.span };
            items.extend(setting(Part::file(file), property));
        }
    }
    items
}

/// One setting, by its name or by the address in it.
fn setting(file: Part<'_>, property: Property) -> Vec<Item> {
    let Property { name, value, span } = property;
    let last = name.rsplit('.').next().unwrap_or_default();
    if name_says_secret(last.as_bytes()) {
        // What Jasypt and the configuration server decrypt has its key elsewhere.
        let encrypted = value.starts_with(b"ENC(") || value.starts_with(b"{cipher}");
        if encrypted {
            return vec![Item::new(span, name, value, verdict(Some(Harmless::Protected), "encrypted"))];
        }
        return Item::secret(span, name, value, Standing::Named).into_iter().collect();
    }
    let start = span.start.saturating_sub(file.span().start);
    let end = span.end.saturating_sub(file.span().start);
    addresses(file.to(end).from(start), &name)
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
    fn servers_of_maven_have_passwords() {
        let file = format!(
            "<?xml version=\"1.0\"?>\n<settings><servers>\n<!-- <server><id>no</id><password>{}</password></server> -->\n<server><id>repo</id>\
             <username>u</username><password>{}&amp;1</password></server>\n<server><id>key</id><passphrase>{}</passphrase></server>\n\
             <server><id>env</id><password>${{env.PASS}}</password></server>\n<server><id>enc</id><password>{{{}{}}}</password></server>\n</servers></settings>",
            secret(9),
            secret(1),
            secret(2),
            secret(3),
            secret(4)
        );
        let items = Parser::MavenSettings.read(file.as_bytes());
        let keys: Vec<_> = items.iter().map(|item| (item.key.as_str(), item.verdict.harmless)).collect();
        let want = [
            ("server repo password", None),
            ("server key passphrase", None),
            ("server enc password", Some(Harmless::Protected)),
        ];
        assert_eq!(keys, want);
        assert_eq!(accept(Parser::MavenSettings, &file)[0], format!("server repo password={}&1", secret(1)));
        assert_eq!(places(Parser::MavenSettings, &file)[0], format!("{}&amp;1", secret(1)));
    }

    #[test]
    fn the_master_password_opens_to_everybody() {
        let file = format!("<settingsSecurity><master>{{{}}}</master></settingsSecurity>", secret(1));
        let items = Parser::MavenSettings.read(file.as_bytes());
        assert_eq!((items[0].key.as_str(), items[0].verdict.harmless), ("master", None));
    }

    #[test]
    fn properties_are_told_by_their_names() {
        let file = format!(
            "org.gradle.jvmargs=-Xmx1g\nnexusPassword={}\nsigning.keyId=ABCD\nrepo.api-token : {}\npasswordFile=/x\nsystemProp.http.proxyUser=u\n\
             a.secret=${{SECRET}}\ndb.url=jdbc:postgresql://u:{}@h/d\nb.password=ENC({})\n",
            secret(1),
            secret(2),
            secret(3),
            secret(4)
        );
        let items = Parser::GradleProperties.read(file.as_bytes());
        let keys: Vec<_> = items.iter().map(|item| (item.key.as_str(), item.verdict.harmless)).collect();
        let want = [
            ("nexusPassword", None),
            ("repo.api-token", None),
            ("db.url", None),
            ("b.password", Some(Harmless::Protected)),
        ];
        assert_eq!(keys, want);
        assert_eq!(accept(Parser::ApplicationProperties, &file).len(), 4);
        assert_eq!(places(Parser::GradleProperties, &file)[..3], [1, 2, 3].map(secret));
    }

    #[test]
    fn settings_in_yaml_have_the_same_names() {
        let file = format!(
            "spring:\n  datasource:\n    url: jdbc:x\n    password: {}\n  mail:\n    password: ${{MAIL}}\napp:\n  list:\n    - client-secret: \"{}\"\n",
            secret(1),
            secret(2)
        );
        let want =
            [format!("spring.datasource.password={}", secret(1)), format!("app.list.client-secret={}", secret(2))];
        assert_eq!(accept(Parser::ApplicationYaml, &file), want);
        assert_eq!(found(Parser::ApplicationYaml, "spring:\n  password-length: 12\n"), [""; 0]);
    }
}
