//! Secrets in files of packages: published ones are known to everybody, changed ones are not.

use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::{
    chance::Chance,
    codec::{base64url, hex},
    keys,
    token::Token,
    tree::{Expect, Tree},
};

pub fn plant(tree: &mut Tree, chance: &Chance) {
    let mut chance = chance.branch("owned");
    debian(tree, &mut chance);
    python(tree, &mut chance);
}

/// A package of Debian with a test key, a token in its documentation, and a file that somebody wrote a token into later.
fn debian(tree: &mut Tree, chance: &mut Chance) {
    let token = |chance: &mut Chance| Token::make("ghp_{w30}{crc62}", chance);
    let key = keys::pem("RSA PRIVATE KEY", &keys::Rsa::any(chance).pkcs1());
    let shipped = token(chance);
    let added = token(chance);
    let before = "token =\n";
    let files = [
        ("usr/share/libshop/tests/server.key", key.clone(), key),
        ("usr/share/doc/libshop/README", format!("Try {}\n", shipped.text), format!("Try {}\n", shipped.text)),
        ("usr/share/libshop/defaults.ini", before.to_string(), format!("token = {}\n", added.text)),
    ];
    let mut list = String::from("/.\n/usr\n/usr/share\n");
    let mut sums = String::new();
    for (path, packed, now) in &files {
        list += &format!("/{path}\n");
        sums += &format!("{}  {path}\n", hex(&Md5::digest(packed.as_bytes())));
        tree.file(path, now.as_bytes());
    }
    tree.label("private-key", files[0].0, Expect::Quiet).kind = "~files of packages, as published".into();
    tree.label("github-pat", files[1].0, Expect::Quiet).kind = "~files of packages, as published".into();
    tree.label("github-pat", files[2].0, Expect::Alarm).carrier = "packaged file, changed".into();
    tree.tokens.extend([shipped, added]);
    tree.file("var/lib/dpkg/info/libshop.list", list);
    tree.file("var/lib/dpkg/info/libshop.md5sums", sums);
    let status = "Package: libshop\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 10\nMaintainer: Shop <a@b.c>\nArchitecture: amd64\nVersion: 1.0-1\nDescription: shop\n\n";
    tree.file("var/lib/dpkg/status", status);
    tree.file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
}

/// A wheel as pip installs it, with digests in `RECORD`.
fn python(tree: &mut Tree, chance: &mut Chance) {
    let site = "usr/lib/python3/dist-packages";
    let shipped = Token::make("glpat-{u20}", chance);
    let added = Token::make("npm_{w30}{crc62}", chance);
    let key = keys::pem("PRIVATE KEY", &keys::ec_pkcs8(chance));
    let files = [
        ("shoplib/tests/key.pem", key.clone(), key),
        ("shoplib/examples.py", format!("client('{}')\n", shipped.text), format!("client('{}')\n", shipped.text)),
        ("shoplib/config.py", "TOKEN = None\n".into(), format!("TOKEN = '{}'\n", added.text)),
    ];
    let mut record = String::new();
    for (path, packed, now) in &files {
        record += &format!("{path},sha256={},{}\n", base64url(&Sha256::digest(packed.as_bytes())), packed.len());
        tree.file(&format!("{site}/{path}"), now.as_bytes());
    }
    let info = format!("{site}/shoplib-1.0.dist-info");
    record += "shoplib-1.0.dist-info/METADATA,,\nshoplib-1.0.dist-info/RECORD,,\n";
    tree.file(&format!("{info}/METADATA"), "Metadata-Version: 2.1\nName: shoplib\nVersion: 1.0\n");
    tree.file(&format!("{info}/RECORD"), record);
    let path = |at: usize| format!("{site}/{}", files[at].0);
    tree.label("private-key", &path(0), Expect::Quiet).kind = "~files of packages, as published".into();
    tree.label("gitlab-pat", &path(1), Expect::Quiet).kind = "~files of packages, as published".into();
    tree.label("npm-token", &path(2), Expect::Alarm).carrier = "packaged file, changed".into();
    tree.tokens.extend([shipped, added]);
}
