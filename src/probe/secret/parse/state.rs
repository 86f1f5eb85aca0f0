//! What a Terraform state says in plain text: passwords and keys of everything that was built.

use std::collections::HashSet;

use super::{
    Item,
    command::name_says_secret,
    item::addresses,
    part::Part,
    tree::{Kind, NodeNo, Tree},
};

/// Shortest value that is taken for a secret by the name of its attribute alone.
const VALUE_MIN: usize = 6;

/// Reads a state of version 3 or 4: attributes whose name says so or that are marked as sensitive, and outputs that are.
pub(super) fn read(file: &[u8]) -> Vec<Item> {
    let tree = Tree::read(file);
    let mut items = Vec::new();
    for state in tree.documents().filter(|&node| tree.child(node, "version").is_some()) {
        outputs(&tree, state, &mut items);
        for resource in tree.child(state, "resources").into_iter().flat_map(|node| tree.children(node)) {
            let kind = tree.word(resource, "type").unwrap_or_default();
            let name = format!("{kind}.{}", tree.word(resource, "name").unwrap_or_default());
            for instance in tree.child(resource, "instances").into_iter().flat_map(|node| tree.children(node)) {
                attributes(&tree, instance, &kind, &name, &mut items);
            }
        }
        for module in tree.child(state, "modules").into_iter().flat_map(|node| tree.children(node)) {
            outputs(&tree, module, &mut items);
            for resource in tree.child(module, "resources").into_iter().flat_map(|node| tree.children(node)) {
                let kind = tree.word(resource, "type").unwrap_or_default();
                if let Some(primary) = tree.child(resource, "primary") {
                    attributes(&tree, primary, &kind, &tree.name(resource), &mut items);
                }
            }
        }
    }
    items
}

fn outputs(tree: &Tree<'_>, of: NodeNo, items: &mut Vec<Item>) {
    for output in tree.child(of, "outputs").into_iter().flat_map(|node| tree.children(node)) {
        if tree.is_true(output, "sensitive") {
            let key = format!("output {}", tree.name(output));
            items.extend(tree.value(output, "value").and_then(|leaf| Item::leaf(leaf, key)));
        }
    }
}

fn attributes(tree: &Tree<'_>, instance: NodeNo, kind: &str, resource: &str, items: &mut Vec<Item>) {
    let marked = marked(tree, instance);
    let Some(attributes) = tree.child(instance, "attributes") else { return };
    for top in tree.children(attributes) {
        let sensitive = marked.contains(&tree.name(top));
        // The attribute itself, and what is in it.
        for node in std::iter::once(top).chain(tree.within(top)) {
            let Some(leaf) = tree.leaf(node) else { continue };
            let name = tree.name(node);
            let key = format!("{resource}.{}", if name.is_empty() { tree.name(top) } else { name.clone() });
            let generated = kind == "random_password" && name == "result";
            let named = generated || is_secret(&name);
            if named && leaf.value.starts_with(b"-----BEGIN") {
                items.extend(Item::private_key(leaf.span, key, leaf.value));
            } else if named && leaf.value.len() >= VALUE_MIN {
                items.extend(Item::leaf(leaf, key));
            } else {
                let secret = Part::at(&leaf.value, leaf.span.start);
                match addresses(secret, &key).into_iter().next() {
                    Some(inner) => items.push(Item::new(leaf.span, key, inner.value, inner.verdict)),
                    None if sensitive && leaf.value.len() >= VALUE_MIN => items.extend(Item::leaf(leaf, key)),
                    None => {}
                }
            }
        }
    }
}

/// Names of state files are flat in version 3: `settings.0.password`.
fn is_secret(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    const OTHERS: [&str; 5] =
        ["private_key_openssh", "private_key_pem_pkcs8", "kube_config_raw", "connection_string", "private_key_pem"];
    name_says_secret(last.as_bytes()) || OTHERS.iter().any(|other| last.ends_with(other))
}

/// The attributes that `sensitive_attributes` names; of a path its first step.
fn marked(tree: &Tree<'_>, instance: NodeNo) -> HashSet<String> {
    let Some(paths) = tree.child(instance, "sensitive_attributes") else { return HashSet::new() };
    let first = |path: NodeNo| match tree.kind(path) {
        Some(Kind::List) => tree.children(path).next().and_then(|step| tree.word(step, "value")),
        _ => None,
    };
    tree.children(paths).filter_map(first).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn sensitive_attributes_and_outputs_are_told_with_their_resource() {
        let file = format!(
            r#"{{"version": 4, "terraform_version": "1.9.0", "outputs": {{
 "dsn": {{"value": "{}", "type": "string", "sensitive": true}}, "host": {{"value": "{}", "type": "string"}} }},
 "resources": [ {{"mode": "managed", "type": "aws_db_instance", "name": "main", "instances": [ {{
   "attributes": {{"id": "db-1", "password": "{}", "password_length": 16, "username": "app", "auth": {{"token": "{}"}},
     "hidden": "{}", "kms_secret_id": "arn:x", "url": "postgres://u:{}@h/d"}},
   "sensitive_attributes": [[{{"type": "get_attr", "value": "hidden"}}]] }} ]}},
  {{"type": "random_password", "name": "p", "instances": [{{"attributes": {{"result": "{}", "length": 16}}}}]}} ]}}"#,
            secret(1),
            secret(2),
            secret(3),
            secret(4),
            secret(5),
            secret(6),
            secret(7)
        );
        let want = [
            ("output dsn", 1),
            ("aws_db_instance.main.password", 3),
            ("aws_db_instance.main.token", 4),
            ("aws_db_instance.main.hidden", 5),
            ("aws_db_instance.main.url", 6),
            ("random_password.p.result", 7),
        ];
        assert_eq!(accept(Parser::TerraformState, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::TerraformState, &file)[1], secret(3));
    }

    #[test]
    fn states_of_old_have_flat_names() {
        let file = format!(
            r#"{{"version":3,"modules":[{{"resources":{{"a.b":{{"type":"a","primary":{{"attributes":{{"x.0.password":"{}"}}}}}}}}}}]}}"#,
            secret(1)
        );
        assert_eq!(found(Parser::TerraformState, &file), [format!("a.b.x.0.password={}", secret(1))]);
    }

    #[test]
    fn other_json_and_empty_states_are_fine() {
        for file in [
            r#"{"version":4,"resources":[]}"#.to_string(),
            r#"{"version":4,"resources":[{"type":"a","name":"b","instances":[{"attributes":{"password":null,"token":""}}]}]}"#.to_string(),
            format!(r#"{{"resources":[{{"instances":[{{"attributes":{{"password":"{}"}}}}]}}]}}"#, secret(1)),
        ] {
            assert_eq!(found(Parser::TerraformState, &file), [""; 0], "{file}");
        }
    }
}
