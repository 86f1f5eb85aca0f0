//! Command lines that were kept: histories of shells and clients, and what a machine runs when it first starts.

use super::{
    Item, base64,
    command::command_secrets,
    item::members,
    part::Part,
    tree::{Kind, Leaf, NodeNo, Tree},
};

/// Reads histories of bash, zsh, fish, PowerShell, and of database clients.
pub(super) fn shell(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    for line in Part::file(file).lines() {
        let line = command(line);
        items.extend(moved(command_secrets(line.bytes()), line));
    }
    items
}

/// The command without the time that zsh and fish keep with it; bash has a line `#1700000000` for it.
fn command(line: Part<'_>) -> Part<'_> {
    if let Some(fish) = line.strip_prefix("- cmd: ") {
        return fish;
    }
    let zsh = line.strip_prefix(": ").and_then(|rest| rest.split_once(b';'));
    let timed =
        |time: &Part<'_>| !time.is_empty() && time.bytes().iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    zsh.filter(|(time, _)| timed(time)).map_or(line, |(_, command)| command)
}

/// Items of a line, as items of the file.
fn moved(items: Vec<Item>, line: Part<'_>) -> impl Iterator<Item = Item> {
    let base = line.span().start;
    items.into_iter().map(move |mut item| {
        item.span = item.span.start + base..item.span.end + base;
        item
    })
}

/// Reads user data of cloud-init: `#cloud-config`, or a script.
pub(super) fn cloud_init(file: &[u8]) -> Vec<Item> {
    let text = Part::file(file);
    if text.bytes().starts_with(b"#!") {
        return text.lines().flat_map(|line| moved(command_secrets(line.bytes()), line)).collect();
    }
    let tree = Tree::read(file);
    tree.documents().flat_map(|document| cloud_config(&tree, document, text)).collect()
}

fn cloud_config(tree: &Tree<'_>, document: NodeNo, file: Part<'_>) -> Vec<Item> {
    let mut items = members(tree, document, &["password"], "");
    let children = |of: NodeNo, name: &str| {
        tree.child(of, name).into_iter().flat_map(|node| tree.children(node)).collect::<Vec<_>>()
    };
    for user in children(document, "users") {
        let name = tree.word(user, "name").unwrap_or_default();
        for field in ["passwd", "hashed_passwd", "plain_text_passwd"] {
            let leaf = tree.value(user, field).filter(|leaf| !matches!(leaf.value.first(), Some(b'*' | b'!')));
            items.extend(leaf.and_then(|leaf| Item::leaf(leaf, format!("user {name}"))));
        }
    }
    if let Some(chpasswd) = tree.child(document, "chpasswd") {
        for user in children(chpasswd, "users") {
            let name = tree.word(user, "name").unwrap_or_default();
            let random = tree.word(user, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("random"));
            let leaf = tree.value(user, "password").filter(|_| !random);
            items.extend(leaf.and_then(|leaf| Item::leaf(leaf, format!("user {name}"))));
        }
        // A block with a line for each, or a list.
        let list = tree.child(chpasswd, "list");
        for node in list.into_iter().chain(children(chpasswd, "list")) {
            if let Some(leaf) = tree.leaf(node) {
                let part = file
                    .to(leaf.span.end.saturating_sub(file.span().start))
                    .from(leaf.span.start.saturating_sub(file.span().start));
                items.extend(part.lines().filter_map(chpasswd_line));
            }
        }
    }
    for key in children(document, "ssh_keys") {
        items.extend(tree.leaf(key).and_then(|leaf| Item::private_key(leaf.span, tree.name(key), leaf.value)));
    }
    for written in children(document, "write_files") {
        items.extend(written_file(tree, written));
    }
    for group in ["runcmd", "bootcmd"] {
        for command in children(document, group) {
            items.extend(run(tree, command, file));
        }
    }
    items
}

fn chpasswd_line(line: Part<'_>) -> Option<Item> {
    let (user, password) = line.trim().split_once(b':')?;
    // `R` and `RANDOM` ask for a password that nobody knows yet.
    if password.bytes() == b"R" || password.bytes() == b"RANDOM" || user.bytes().iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    Item::field(password, format!("user {}", user.text()))
}

/// A key that is written to a file.
fn written_file(tree: &Tree<'_>, written: NodeNo) -> Option<Item> {
    let leaf = tree.value(written, "content")?;
    let encoding = tree.word(written, "encoding").unwrap_or_default();
    let value = if matches!(encoding.as_str(), "b64" | "base64") { base64::decode(&leaf.value)? } else { leaf.value };
    Item::private_key(leaf.span, tree.word(written, "path").unwrap_or_default(), value)
}

/// A command as a line, or as a list of words.
fn run(tree: &Tree<'_>, command: NodeNo, file: Part<'_>) -> Vec<Item> {
    let here = |leaf: &Leaf| {
        let base = file.span().start;
        file.to(leaf.span.end.saturating_sub(base)).from(leaf.span.start.saturating_sub(base))
    };
    if tree.kind(command) == Some(Kind::List) {
        let words: Vec<Leaf> = tree.children(command).filter_map(|word| tree.leaf(word)).collect();
        let values: Vec<&[u8]> = words.iter().map(|word| word.value.as_slice()).collect();
        let found = super::command::argument_secrets(&values);
        let placed = |(no, mut item): (usize, Item)| {
            let span = words.get(no)?.span.clone();
            item.span = if span.len() == values.get(no)?.len() {
                span.start + item.span.start..span.start + item.span.end
            } else {
                span
            };
            Some(item)
        };
        return found.into_iter().filter_map(placed).collect();
    }
    let Some(leaf) = tree.leaf(command) else { return Vec::new() };
    let part = here(&leaf);
    part.lines().flat_map(|line| moved(command_secrets(line.bytes()), line)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn commands_are_read_from_every_shell() {
        let file = format!(
            "ls\n#1700000000\ncurl -u me:{} https://h.test\n: 1700000000:0;mysql -p{} db\n- cmd: export API_TOKEN={}\n  when: 1700000000\ncurl -u \"$USER:$PASS\" x\n",
            secret(1),
            secret(2),
            secret(3)
        );
        let items = accept(Parser::ShellHistory, &file);
        assert_eq!(items.len(), 3, "{items:?}");
        assert_eq!(places(Parser::ShellHistory, &file), [1, 2, 3].map(secret));
    }

    #[test]
    fn machines_are_told_passwords_in_many_ways() {
        let file = format!(
            "#cloud-config\npassword: {}\nchpasswd:\n  list: |\n    root:{}\n    me:RANDOM\n  users:\n    - {{name: you, password: {}, type: text}}\n    - {{name: z, type: RANDOM}}\n\
             users:\n  - default\n  - name: x\n    plain_text_passwd: '{}'\n    lock_passwd: true\n  - name: l\n    passwd: \"!\"\n\
             runcmd:\n  - curl -u a:{} https://h.test\n  - [mysql, '-p{}', db]\n  - echo done\n",
            secret(1),
            secret(2),
            secret(3),
            secret(4),
            secret(5),
            secret(6)
        );
        let values: Vec<_> =
            accept(Parser::CloudInit, &file).iter().map(|item| item.split('=').nth(1).unwrap().to_string()).collect();
        let mut want = [1, 4, 3, 2, 5, 6].map(secret).to_vec();
        want.sort();
        let mut values = values;
        values.sort();
        assert_eq!(values, want);
        let script = format!("#!/bin/sh\necho root:{} | chpasswd\n", secret(1));
        assert_eq!(found(Parser::CloudInit, &script).len(), 1);
        assert_eq!(
            found(Parser::CloudInit, "#cloud-config\npackages: [a]\nusers:\n- name: b\n  lock_passwd: true\n"),
            [""; 0]
        );
    }
}
