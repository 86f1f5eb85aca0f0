//! Files whose name and form tell what they hold: settings of package managers, of clients, of servers.

use crate::{
    archives,
    chance::{BASE62, BASE64URL, Chance, HEX, PASSWORD},
    codec::{base64, escaped},
    keys,
    token::Token,
    tree::{Expect, Tree},
};

/// Rule, name of the file, its text; `@` stands for the secret that the template makes.
const PLAIN: &[(&str, &str, &str, &str)] = &[
    (
        "npmrc-auth-token",
        ".npmrc",
        "{uuid}",
        "registry=https://npm.shop.internal/\n//npm.shop.internal/:_authToken=@\nalways-auth=true\n",
    ),
    ("npmrc-auth-token", ".npmrc", "{w40}", "//npm.pkg.shop.internal/:_authToken=@\n"),
    (
        "npmrc-auth-token",
        ".yarnrc.yml",
        "{w40}",
        "npmScopes:\n  shop:\n    npmAuthToken: \"@\"\nnodeLinker: node-modules\n",
    ),
    ("npmrc-auth-token", ".yarnrc.yml", "{uuid}", "npmAuthToken: @\n"),
    (
        "pypirc-password",
        ".pypirc",
        "{p18}",
        "[distutils]\nindex-servers = shop\n\n[shop]\nrepository = https://pypi.shop.internal/\nusername = ci\npassword = @\n",
    ),
    ("pypirc-password", ".pypirc", "{human}", "[shop]\nusername: ci\npassword: @\n"),
    ("pip-conf-credentials", "pip.conf", "{w24}", "[global]\nindex-url = https://ci:@@pypi.shop.internal/simple\n"),
    (
        "pip-conf-credentials",
        "pip.conf",
        "{p16}",
        "[global]\ntimeout = 9\nextra-index-url =\n    https://ci:@@pypi.shop.internal/simple\n",
    ),
    (
        "pip-conf-credentials",
        "requirements.txt",
        "{w24}",
        "--extra-index-url https://ci:@@pypi.shop.internal/simple\nflask==3.0\n",
    ),
    ("poetry-auth", "pypoetry/auth.toml", "{p16}", "[http-basic.shop]\nusername = \"ci\"\npassword = \"@\"\n"),
    ("gem-credentials", ".gem/credentials", "{h40}", "---\n:shop: @\n"),
    (
        "bundler-credentials",
        ".bundle/config",
        "{w20}",
        "---\nBUNDLE_PATH: \"vendor\"\nBUNDLE_GEMS__SHOP__INTERNAL: \"ci:@\"\n",
    ),
    ("cargo-credentials", ".cargo/credentials.toml", "{w36}", "[registries.shop]\ntoken = \"@\"\n"),
    ("cargo-credentials", ".cargo/credentials", "{w36}", "[registry]\ntoken = \"@\"\n"),
    (
        "nuget-config-password",
        "NuGet.Config",
        "{p16}",
        "<configuration>\n <packageSourceCredentials>\n  <shop>\n   <add key=\"Username\" value=\"ci\" />\n   <add key=\"ClearTextPassword\" value=\"@\" />\n  </shop>\n </packageSourceCredentials>\n</configuration>\n",
    ),
    (
        "maven-settings-password",
        ".m2/settings.xml",
        "{p16}",
        "<settings>\n <servers>\n  <server>\n   <id>shop</id>\n   <username>ci</username>\n   <password>@</password>\n  </server>\n </servers>\n</settings>\n",
    ),
    (
        "composer-auth",
        "auth.json",
        "{w32}",
        "{\n  \"http-basic\": {\n    \"repo.shop.internal\": {\n      \"username\": \"ci\",\n      \"password\": \"@\"\n    }\n  }\n}\n",
    ),
    (
        "composer-auth",
        ".composer/auth.json",
        "{w32}",
        "{\"http-basic\":{\"repo.shop.internal\":{\"username\":\"ci\",\"password\":\"@\"}}}",
    ),
    ("apt-auth-conf", "etc/apt/auth.conf", "{p16}", "machine apt.shop.internal login ci password @\n"),
    (
        "apt-auth-conf",
        "etc/apt/auth.conf.d/shop.conf",
        "{w24}",
        "machine apt.shop.internal/debian\n  login ci\n  password @\n",
    ),
    (
        "yum-repo-password",
        "etc/yum.repos.d/shop.repo",
        "{p16}",
        "[shop]\nbaseurl=https://yum.shop.internal/\nenabled=1\nusername=ci\npassword=@\n",
    ),
    ("git-credentials", ".git-credentials", "{w40}", "https://ci:@@git.shop.internal\n"),
    (
        "git-remote-credentials",
        ".git/config",
        "{w40}",
        "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://ci:@@git.shop.internal/shop/api.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
    ),
    (
        "git-remote-credentials",
        ".gitconfig",
        "{w40}",
        "[user]\n\tname = ci\n[url \"https://ci:@@git.shop.internal/\"]\n\tinsteadOf = https://git.shop.internal/\n",
    ),
    ("netrc", ".netrc", "{p16}", "machine git.shop.internal\n  login ci\n  password @\n"),
    ("netrc", ".netrc", "{w32}", "machine api.shop.internal login ci password @\n"),
    ("netrc", "_netrc", "{human}", "default login ci password @\n"),
    ("pgpass", ".pgpass", "{p16}", "# host:port:db:user:password\npg.shop.internal:5432:shop:app:@\n"),
    ("pgpass", ".pgpass", "{human}", "*:*:*:postgres:@\n"),
    ("mysql-cnf", ".my.cnf", "{p16}", "[client]\nuser=app\npassword=@\nhost=db\n"),
    ("mysql-cnf", "debian.cnf", "{w16}", "[client]\nhost     = localhost\nuser     = debian-sys-maint\npassword = @\n"),
    (
        "shadow-hash",
        "etc/shadow",
        "$6${w16}${w86}",
        "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\napp:@:19500:0:99999:7:::\n",
    ),
    ("shadow-hash", "etc/shadow", "$y$j9T${w22}${w43}", "root:@:19500:0:99999:7:::\nbin:!:19000::::::\n"),
    ("shadow-hash", "etc/shadow-", "$1${w8}${w22}", "root:@:19500:0:99999:7:::\n"),
    ("shadow-hash", "etc/shadow", "$2b$12${w53}", "app:@:19500:0:99999:7:::\n"),
    ("htpasswd-hash", ".htpasswd", "$apr1${w8}${w22}", "# users\nadmin:@\n"),
    ("htpasswd-hash", ".htpasswd", "$2y$10${w53}", "admin:@\n"),
    ("htpasswd-hash", "etc/nginx/htpasswd", "{w27}", "admin:{SHA}@=\n"),
    (
        "wp-config",
        "wp-config.php",
        "{p16}",
        "<?php\ndefine( 'DB_NAME', 'shop' );\ndefine( 'DB_PASSWORD', '@' );\ndefine( 'DB_HOST', 'db' );\n",
    ),
    ("rails-master-key", "config/master.key", "{h32}", "@"),
    ("rails-master-key", "config/credentials/production.key", "{h32}", "@\n"),
    ("vault-password-file", ".vault_pass", "{p24}", "@\n"),
    ("vault-password-file", "vault_pass.txt", "{w32}", "@"),
    (
        "wireguard-private-key",
        "etc/wireguard/wg0.conf",
        "{B32}",
        "[Interface]\nAddress = 10.9.0.1/24\nPrivateKey = @\n\n[Peer]\nAllowedIPs = 10.9.0.2/32\n",
    ),
    ("wireguard-private-key", "wg-client.conf", "{B32}", "[Interface]\nPrivateKey=@\n"),
    (
        "cloud-init-password",
        "user-data",
        "{p16}",
        "#cloud-config\nusers:\n  - name: ops\n    plain_text_passwd: @\n    lock_passwd: false\n",
    ),
    (
        "cloud-init-password",
        "user-data",
        "{human}",
        "#cloud-config\nchpasswd:\n  expire: false\n  list: |\n    ops:@\n",
    ),
    ("shell-history-password", ".bash_history", "{p14}", "ls\nmysql -u root -p@ shop\nexit\n"),
    ("shell-history-password", ".ash_history", "{w24}", "cd /srv\ncurl -u ci:@ https://nexus.shop.internal/x\n"),
    ("shell-history-password", ".bash_history", "{p16}", "docker login -u ci -p @ registry.shop.internal\n"),
    ("shell-history-password", ".zsh_history", "{p16}", ": 1700000000:0;PGPASSWORD=@ psql -h pg.shop.internal\n"),
    (
        "ftp-client-password",
        ".config/filezilla/sitemanager.xml",
        "{w20}",
        "<FileZilla3>\n <Server>\n  <Host>ftp.shop.internal</Host>\n  <Pass>@</Pass>\n </Server>\n</FileZilla3>\n",
    ),
    (
        "browser-logins",
        ".mozilla/firefox/a.default/logins.json",
        "MDIEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECA{b42}=",
        "{\"logins\":[{\"hostname\":\"https://x\",\"encryptedPassword\":\"@\",\"guid\":\"1\"}]}",
    ),
    (
        "azure-cli-token-cache",
        ".azure/msal_token_cache.json",
        "0.A{u400}",
        "{\"RefreshToken\":{\"x\":{\"credential_type\":\"RefreshToken\",\"secret\":\"@\",\"client_id\":\"y\"}}}",
    ),
    (
        "gcp-adc-user-credentials",
        "gcloud/application_default_credentials.json",
        "{u24}",
        "{\n  \"client_id\": \"1.apps.googleusercontent.com\",\n  \"client_secret\": \"@\",\n  \"type\": \"authorized_user\"\n}\n",
    ),
    (
        "terraform-state-secret",
        "terraform.tfstate",
        "{p20}",
        "{\n  \"version\": 4,\n  \"terraform_version\": \"1.7.0\",\n  \"resources\": [{\n    \"type\": \"aws_db_instance\",\n    \"instances\": [{\"attributes\": {\n      \"password\": \"@\",\n      \"port\": 5432}}]}]\n}\n",
    ),
];

pub fn plant(tree: &mut Tree, chance: &Chance) {
    let mut chance = chance.branch("files");
    for round in 0..2 {
        for (rule, name, template, body) in PLAIN {
            let token = Token::make(template, &mut chance);
            let at = body.find('@').unwrap_or(body.find("ThisToken").unwrap_or_default());
            let line = body[..at].matches('\n').count() as u32 + 1;
            let text = body.replacen('@', &token.text, 1);
            let windows = round == 1 && !["etc/", "history", "user-data"].iter().any(|part| name.contains(part));
            let text = if windows { text.replace('\n', "\r\n") } else { text };
            let dir = tree.dir();
            // What is a path below the root stays one.
            let path = format!("{dir}/{name}");
            tree.secret(rule, &path, text, Expect::Alarm).line = Some(line);
            tree.tokens.push(token);
        }
    }
    for _ in 0..3 {
        encoded(tree, &mut chance);
        private_keys(tree, &mut chance);
        stores(tree, &mut chance);
        repositories(tree, &mut chance);
    }
}

fn encoded(tree: &mut Tree, chance: &mut Chance) {
    let mut auth = |tree: &mut Tree, name: &str, before: &str, after: &str, rule: &str| {
        let password = Token::whole(chance.text(PASSWORD, 18));
        let path = format!("{}/{name}", tree.dir());
        let body = format!("{before}{}{after}", base64(format!("ci:{}", password.text).as_bytes()));
        tree.secret(rule, &path, body, Expect::Alarm).line = Some(before.matches('\n').count() as u32 + 1);
        tree.tokens.push(password);
    };
    auth(
        tree,
        ".docker/config.json",
        "{\n \"auths\": {\n  \"registry.shop.internal\": {\n   \"auth\": \"",
        "\"\n  }\n }\n}\n",
        "docker-config-auth",
    );
    auth(
        tree,
        ".dockercfg",
        "{\"registry.shop.internal\":{\"auth\":\"",
        "\",\"email\":\"a@b\"}}",
        "docker-config-auth",
    );
    auth(
        tree,
        "kaniko/.docker/config.json",
        "{\"auths\":{\"r.shop.internal\":{\"auth\":\"",
        "\"}}}",
        "docker-config-auth",
    );
    auth(
        tree,
        ".npmrc",
        "registry=https://npm.shop.internal/\n//npm.shop.internal/:_auth=",
        "\nalways-auth=true\n",
        "npmrc-basic-auth",
    );
    auth(
        tree,
        ".git/config",
        "[remote \"origin\"]\n\turl = https://git.shop.internal/api\n[http \"https://git.shop.internal/\"]\n\textraheader = AUTHORIZATION: basic ",
        "\n",
        "git-remote-credentials",
    );
    let password = Token::whole(chance.text(PASSWORD, 18));
    let path = format!("{}/.npmrc", tree.dir());
    let body = format!(
        "//npm.shop.internal/:username=ci\n//npm.shop.internal/:_password={}\n",
        base64(password.text.as_bytes())
    );
    tree.secret("npmrc-basic-auth", &path, body, Expect::Alarm).line = Some(2);
    tree.tokens.push(password);

    let password = Token::whole(chance.text(PASSWORD, 18));
    let body = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: {}\n",
        base64(password.text.as_bytes())
    );
    let path = format!("{}/secret.yaml", tree.dir());
    tree.secret("k8s-secret-manifest", &path, body, Expect::Alarm).line = Some(6);
    tree.tokens.push(password);
    let password = Token::whole(chance.text(PASSWORD, 18));
    let body = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\nstringData:\n  user: app\n  password: {}\n",
        password.text
    );
    let path = format!("{}/deploy.yml", tree.dir());
    tree.secret("k8s-secret-manifest", &path, body, Expect::Alarm).line = Some(8);
    tree.tokens.push(password);

    let head = "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- name: ops\n  user:\n";
    let token = Token::whole(chance.text(BASE64URL, 64));
    let path = format!("{}/.kube/config", tree.dir());
    tree.secret("kubeconfig-credentials", &path, format!("{head}    token: {}\n", token.text), Expect::Alarm).line =
        Some(7);
    tree.tokens.push(token);
    let key = keys::pem("RSA PRIVATE KEY", &keys::Rsa::any(chance).pkcs1());
    let path = format!("{}/admin.kubeconfig", tree.dir());
    let body = format!(
        "{head}    client-certificate-data: {}\n    client-key-data: {}\n",
        base64(b"-----BEGIN CERTIFICATE-----\n"),
        base64(key.as_bytes())
    );
    tree.secret("kubeconfig-credentials", &path, body, Expect::Alarm).line = Some(8);
    tree.tokens.push(pem_token(&key));

    let [x, y, d] = std::array::from_fn(|_| Token::make("{V32}", chance));
    let body = format!(
        "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{}\",\"y\":\"{}\",\"d\":\"{}\",\"kid\":\"1\"}}",
        x.text, y.text, d.text
    );
    let path = format!("{}/jwks.json", tree.dir());
    tree.secret("jwk-private-key", &path, body, Expect::Alarm).line = Some(1);
    tree.tokens.push(d);

    let key = Token::make("{B34}", chance);
    let body = format!(
        "{{\"primaryKeyId\":1,\"key\":[{{\"keyData\":{{\"typeUrl\":\"type.googleapis.com/google.crypto.tink.AesGcmKey\",\"value\":\"{}\",\"keyMaterialType\":\"SYMMETRIC\"}},\"status\":\"ENABLED\"}}]}}",
        key.text
    );
    let path = format!("{}/keyset.json", tree.dir());
    tree.secret("tink-keyset", &path, body, Expect::Alarm);
    tree.tokens.push(key);
}

/// What of a PEM text is secret: the base64, without its first characters, which all keys share.
fn pem_token(pem: &str) -> Token {
    let body: String = pem.lines().filter(|line| !line.starts_with('-') && !line.contains(':')).skip(1).collect();
    Token::whole(body)
}

/// A private key in PEM, in the ways that one is passed around.
fn private_keys(tree: &mut Tree, chance: &mut Chance) {
    let rsa = keys::Rsa::any(chance);
    let pems = [
        ("private-key", keys::pem("RSA PRIVATE KEY", &rsa.pkcs1())),
        ("private-key", keys::pem("PRIVATE KEY", &rsa.pkcs8())),
        ("private-key", keys::pem("EC PRIVATE KEY", &keys::sec1(chance))),
        ("private-key", keys::pem("PRIVATE KEY", &keys::ec_pkcs8(chance))),
        ("private-key", keys::pem("PRIVATE KEY", &keys::ed25519_pkcs8(chance))),
        ("private-key", keys::openssh(chance, false)),
        ("pgp-private-key", keys::pgp(chance, false)),
    ];
    for (rule, pem) in pems {
        type Write = fn(&str) -> String;
        let ways: &[(&str, u32, Write)] = &[
            ("server.key", 1, |pem| pem.into()),
            ("id_deploy", 1, |pem| pem.replace('\n', "\r\n")),
            ("bundle.pem", 3, |pem| format!("Bag Attributes\n    friendlyName: x\n{pem}")),
            ("config.json", 2, |pem| format!("{{\n \"key\": \"{}\"\n}}\n", escaped(pem))),
            ("values.yaml", 3, |pem| format!("tls:\n  key: |\n    {}\n", pem.trim_end().replace('\n', "\n    "))),
            (".env", 2, |pem| format!("PORT=80\nSIGNING_KEY=\"{}\"\n", escaped(pem.trim_end()))),
            ("main.py", 2, |pem| format!("import jwt\nKEY = \"\"\"{pem}\"\"\"\n")),
            ("client.ovpn", 3, |pem| format!("client\n<key>\n{pem}</key>\n")),
        ];
        for (name, line, write) in ways {
            let path = format!("{}/{name}", tree.dir());
            tree.secret(rule, &path, write(&pem), Expect::Alarm).line = Some(*line);
        }
        // in one word, as variables of pipelines hold it
        let path = format!("{}/.env", tree.dir());
        let label =
            tree.secret(rule, &path, format!("PORT=80\nSIGNING_KEY_B64={}\n", base64(pem.as_bytes())), Expect::Alarm);
        label.carrier = "base64 in .env".into();
        let noise = chance.bytes(900);
        let path = format!("{}/firmware.bin", tree.dir());
        tree.secret(rule, &path, [&noise[..], b"\0", pem.as_bytes(), b"\0", &noise].concat(), Expect::Alarm);
        let path = format!("{}/certs.zip", tree.dir());
        tree.secret(rule, &path, archives::zip(&[("certs/tls.key", pem.as_bytes())], true), Expect::Alarm);
        tree.tokens.push(pem_token(&pem));
    }
    let ppk = keys::putty(chance, false);
    let path = format!("{}/deploy.ppk", tree.dir());
    tree.secret("putty-private-key", &path, ppk, Expect::Alarm).line = Some(1);
    let host = keys::openssh(chance, false);
    let path = format!("{}/etc/ssh/ssh_host_ed25519_key", tree.dir());
    tree.secret("ssh-host-key", &path, host.clone(), Expect::Alarm).line = Some(1);
    tree.tokens.push(pem_token(&host));
    for (name, pem) in [
        ("enc.pem", keys::pem("ENCRYPTED PRIVATE KEY", &keys::encrypted_pkcs8(chance))),
        ("old.pem", keys::pem_encrypted_rsa(chance)),
        ("id_ed25519", keys::openssh(chance, true)),
    ] {
        let path = format!("{}/{name}", tree.dir());
        let label = tree.secret("private-key-encrypted", &path, pem.clone(), Expect::Note);
        label.rules.push("secret/private-key".into());
        tree.tokens.push(pem_token(&pem));
    }
    let path = format!("{}/release.asc", tree.dir());
    tree.secret("pgp-private-key", &path, keys::pgp(chance, true), Expect::Note);
    let path = format!("{}/deploy.ppk", tree.dir());
    tree.secret("putty-private-key", &path, keys::putty(chance, true), Expect::Note);

    let key = keys::pem("PRIVATE KEY", &keys::Rsa::any(chance).pkcs8());
    let project = chance.word();
    let body = format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"{project}\",\n  \"private_key_id\": \"{}\",\n  \"private_key\": \"{}\",\n  \"client_email\": \"ci@{project}.iam.gserviceaccount.com\",\n  \"token_uri\": \"https://oauth2.googleapis.com/token\"\n}}\n",
        chance.text(HEX, 40),
        escaped(&key)
    );
    let path = format!("{}/gcp.json", tree.dir());
    tree.secret("gcp-service-account-key", &path, body, Expect::Alarm).line = Some(5);
}

/// Binary stores: key stores of Java, PKCS#12, DER.
fn stores(tree: &mut Tree, chance: &mut Chance) {
    for (name, rule, bytes) in [
        ("server.jks", "java-keystore", keys::jks(chance, true)),
        ("release.keystore", "java-keystore", keys::jks(chance, true)),
        ("server.p12", "pkcs12-keystore", keys::pkcs12(chance, true)),
        ("client.pfx", "pkcs12-keystore", keys::pkcs12(chance, true)),
        ("server.der", "private-key-der", keys::Rsa::any(chance).pkcs8()),
        ("signing.key", "private-key-der", keys::Rsa::any(chance).pkcs1()),
        ("signing.pk8", "private-key-der", keys::ec_pkcs8(chance)),
    ] {
        let path = format!("{}/{name}", tree.dir());
        tree.secret(rule, &path, bytes, Expect::Alarm);
    }
    for (name, bytes) in [
        ("trust.jks", keys::jks(chance, false)),
        ("cacerts.p12", keys::pkcs12(chance, false)),
        ("root.der", keys::certificate(chance)),
        ("public.der", keys::Rsa::any(chance).public()),
    ] {
        let path = format!("{}/{name}", tree.dir());
        tree.harmless("trust stores, certificates in DER", &path, bytes, Expect::Nothing);
    }
}

/// Repositories that hold a file which is in no work tree any more.
fn repositories(tree: &mut Tree, chance: &mut Chance) {
    let text = |chance: &mut Chance| {
        let token = Token::make("ghp_{w30}{crc62}", chance);
        let filler: String = (0..40).map(|n| format!("setting_{n}={}\n", chance.text(BASE62, 6))).collect();
        (format!("{filler}GH={}\n", token.text), filler, token)
    };
    let (body, _, token) = text(chance);
    let dir = tree.dir();
    let (name, bytes) = archives::loose("blob", body.as_bytes());
    tree.secret("github-pat", &format!("{dir}/.git/{name}"), bytes, Expect::Alarm).carrier = "git loose object".into();
    tree.tokens.push(token);
    for delta in [false, true] {
        let (body, filler, token) = text(chance);
        let other = b"# hello\n".repeat(30);
        let pack = archives::pack(&[filler.as_bytes(), &other, body.as_bytes()], delta);
        let path = format!("{}/.git/objects/pack/pack-{}.pack", tree.dir(), chance.text(HEX, 40));
        let label = tree.secret("github-pat", &path, pack, Expect::Alarm);
        label.carrier = if delta { "git pack, delta".into() } else { "git pack".into() };
        tree.tokens.push(token);
    }
    // A commit message, too.
    let token = Token::make("npm_{w30}{crc62}", chance);
    let commit = format!(
        "tree {}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nrevert, the token {} leaked\n",
        chance.text(HEX, 40),
        token.text
    );
    let (name, bytes) = archives::loose("commit", commit.as_bytes());
    let path = format!("{}/.git/{name}", tree.dir());
    tree.secret("npm-token", &path, bytes, Expect::Alarm).carrier = "git commit".into();
    tree.tokens.push(token);
}
