//! What looks like a secret and is none: broken tokens, stand-ins, hashes, public halves, programs that talk of passwords.

use crate::{
    archives,
    carriers::{CARRIERS, bundle},
    chance::{self, BASE62, BASE64, Chance, HEX, LOWER},
    codec::{base64, base64url, crc32_base62, escaped},
    keys,
    kinds::{ANY, KINDS, Reach},
    token::Token,
    tree::{Expect, Tree},
};

pub fn plant(tree: &mut Tree, chance: &Chance) {
    let mut chance = chance.branch("negatives");
    broken(tree, &mut chance);
    placeholders(tree, &mut chance);
    lockfiles(tree, &mut chance);
    public(tree, &mut chance);
    quiet(tree, &mut chance);
    for (kind, name, body) in TEXTS {
        let path = format!("{}/{name}", tree.dir());
        // Addresses with a well-known stand-in are worth a note at most.
        let expect = if *kind == "documents" || *name == ".env.example" { Expect::Quiet } else { Expect::Nothing };
        tree.harmless(kind, &path, *body, expect);
    }
    noise(tree, &mut chance);
}

/// Tokens of which a checksum, a length or a part is wrong.
fn broken(tree: &mut Tree, chance: &mut Chance) {
    let checked: Vec<_> = KINDS.iter().filter(|kind| kind.templates[0].contains("crc")).collect();
    for round in 0..3 {
        for kind in &checked {
            let good = Token::make(kind.templates[0], chance).text;
            // One character of the checksum is another one.
            let (head, last) = good.split_at(good.len() - 1);
            let other = if last == "a" || last == "A" { "B" } else { "A" };
            let other = if kind.rule == "gitlab-pat-routable" { if last == "b" { "c" } else { "b" } } else { other };
            put(tree, chance, ANY, "a wrong checksum", &format!("{head}{other}"), round);
            let short = &good[..good.len() - 2];
            if kind.rule != "gitlab-pat-routable" {
                put(tree, chance, ANY, "cut short", short, round);
                let prefix = kind.templates[0].split('{').next().unwrap_or_default();
                let long = format!("{prefix}{}", chance.text(BASE62, if prefix.len() > 5 { 300 } else { 47 }));
                put(tree, chance, ANY, "too long", &long, round);
            }
        }
        let mut wrong = |kind: &str, text: String| put(tree, chance, NEUTRAL, kind, &text, round);
        let mut draw = Chance::new(u64::from(round as u32) + 77);
        let d = &mut draw;
        wrong("wrong characters", format!("AKIA{}", d.text(b"0189abcdef", 16)));
        wrong("wrong characters", format!("AKIA{}", d.text(LOWER, 16)));
        wrong(
            "a part of something longer",
            format!("{}AKIA{}{}", d.text(chance::UPPER, 9), d.text(chance::BASE32, 16), d.text(chance::UPPER, 5)),
        );
        wrong("documentation", format!("AKIA{}EXAMPLE", "IOSFODNN7"));
        wrong("documentation", format!("wJalrXUtnFEMI/K7MDENG/bPxRfi{}", "CYEXAMPLEKEY"));
        wrong(
            "documentation",
            format!("https://hooks.slack.com/services/T{0}/B{0}/{1}", "0".repeat(8), "X".repeat(24)),
        );
        wrong("documentation", format!("xoxb-{}", "your-token-goes-here-please"));
        wrong("documentation", format!("ghp_{}", "x".repeat(36)));
        wrong("documentation", format!("ghp_{}", "1234567890".repeat(4).split_at(36).0));
        wrong("documentation", format!("glpat-{}", "x".repeat(20)));
        wrong("documentation", format!("sk_live_{}", "x".repeat(24)));
        wrong("documentation", format!("hf_{}", "x".repeat(34)));
        wrong("documentation", format!("npm_{}", "X".repeat(36)));
        wrong("documentation", format!("SG.{}.{}", "x".repeat(22), "x".repeat(43)));
        wrong(
            "no token inside",
            format!(
                "eyJ{}.eyJ{}.{}",
                d.text(chance::BASE64URL, 30),
                d.text(chance::BASE64URL, 60),
                d.text(chance::BASE64URL, 43)
            ),
        );
        wrong("no token inside", format!("pypi-AgEIcHlwaS5vcmc{}", d.text(chance::BASE64URL, 150)));
        wrong("no token inside", format!("AGE-SECRET-KEY-1{}", d.text(b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)));
        wrong("no token inside", format!("M{}.{}.{}", d.text(LOWER, 23), d.text(LOWER, 6), d.text(LOWER, 27)));
        wrong("names with such a beginning", "hf_hub_download_with_progress_bars_off".into());
        wrong("names with such a beginning", "npm_config_registry_authentication_tokens".into());
        wrong("names with such a beginning", "pk_live_streaming_is_not_a_secret_key".into());
        wrong("names with such a beginning", "glpat-container--fluid-width".into());
        wrong("names with such a beginning", "ghp_import_options_for_github_pages_now1".into());
        wrong("names with such a beginning", "secret_manager_service_client_configuration_v1".into());
        wrong("names with such a beginning", "dapi_abcdef_function_pointer_table_entries".into());
        wrong("names with such a beginning", "sk-button-primary-large-rounded-full-width".into());
        wrong("names with such a beginning", "key-value-store-replication-controller".into());
        wrong("names with such a beginning", "key-frames-abcdef-animation-container-x1".into());
        wrong("names with such a beginning", "r8_unorm_pack_and_unpack_with_saturation".into());
        wrong(
            "names with such a beginning",
            "xai-explainability-dashboard-component-with-a-very-long-name-that-keeps-going-on-and-on".into(),
        );
        wrong("names with such a beginning", "dp.st.production.getElementById".into());
        wrong("names with such a beginning", "cioCommandInputOutputPortHandlerImp".into());
        wrong(
            "names with such a beginning",
            "SG.sendgridTransportModule.connectionPoolAndRetryPolicyImplemented".into(),
        );
    }
}

/// Names that promise nothing: behind one that does, any random value may be a guess of the general rule. What has the
/// beginning of a vendor, and fails its test, must not come back as one.
const NEUTRAL: &[&str] = &["value", "reference", "item", "NOTE", "label", "cursor"];

/// Writes a text in turn into a binary, a source, a log and settings.
fn put(tree: &mut Tree, chance: &mut Chance, names: &[&str], kind: &str, text: &str, round: usize) {
    let fits: Vec<_> = CARRIERS.iter().filter(|c| c.for_reach != Reach::Settings || c.quotes).collect();
    let carrier = fits[(chance.below(fits.len()) + round) % fits.len()];
    let name = names[chance.below(names.len())];
    let made = carrier.make(chance, name, text);
    let path = format!("{}/{}", tree.dir(), made.name);
    let expect = if kind == "documentation" { Expect::Quiet } else { Expect::Nothing };
    tree.harmless(kind, &path, made.bytes, expect);
    if let Some(label) = tree.labels.last_mut() {
        label.carrier = format!("{} of {}", carrier.name, text.get(..12).unwrap_or(text));
    }
}

const NAMES: &[&str] =
    &["DB_PASSWORD", "API_KEY", "CLIENT_SECRET", "auth_token", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY", "npm_token"];

const STAND_INS: &[&str] = &[
    "changeme",
    "change-me",
    "CHANGE_ME_PLEASE",
    "changeit",
    "password",
    "secret",
    "example",
    "todo",
    "xxxxxxxxxxxx",
    "XXXXXXXXXXXXXXXX",
    "****************",
    "................",
    "<your-token>",
    "<password>",
    "<INSERT_SECRET_HERE>",
    "your-secret-key",
    "your_api_key_here",
    "YOUR-TOKEN-HERE",
    "REPLACE_ME",
    "replace-with-your-key",
    "${DB_PASSWORD}",
    "${SECRET:-}",
    "${SECRET:?missing}",
    "$DB_PASSWORD",
    "$(cat /run/secrets/db)",
    "{{ db_password }}",
    "{{ .Values.db.password }}",
    "{{vault.db}}",
    "%DB_PASSWORD%",
    "@DB_PASSWORD@",
    "#{DbPassword}#",
    "%(password)s",
    "[[password]]",
    "__DB_PASSWORD__",
    "null",
    "none",
    "undefined",
    "true",
    "redacted",
    "[REDACTED]",
    "(hidden)",
    "not-a-secret",
    "notasecret",
    "dummy-password",
    "placeholder",
    "test",
    "admin",
    "root",
    "12345678",
    "1234567890abcdef",
    "abcdefghijklmnop",
    "aaaaaaaaaaaaaaaa",
    "0000000000000000",
    "/run/secrets/db_password",
    "/etc/app/tls.key",
    "file:///run/secrets/x",
    "vault:secret/data/db#password",
    "op://vault/item/field",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
    "projects/shop/secrets/db/versions/latest",
    "secretsmanager:db",
    "ssm:/prod/db/password",
    "process.env.DB_PASSWORD",
    "os.environ['DB_PASSWORD']",
    "os.getenv(\"DB_PASSWORD\")",
    "ENV['DB_PASSWORD']",
    "System.getenv(\"DB\")",
    "config.database.password",
    "settings.SECRET_KEY",
    "get_secret_value",
    "getSecretValue()",
    "string",
    "required",
    "optional",
    "password field",
    "false",
    "ENC[AES256_GCM,data:abc=,iv:def=,tag:ghi=,type:str]",
    "!vault |",
    "{cipher}0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "https://vault.internal/v1/db",
    "http://localhost:8200",
    "db-password-secret",
    "my-app-credentials",
    "app-tls-secret",
    "2024-01-01T00:00:00Z",
    "1.2.3-beta.4",
    "user@shop.internal",
    "en-US,en;q=0.5",
    "application/json",
];

/// What everybody tries first: worth a note at most.
const WEAK: &[&str] = &["Password123", "s3cr3t", "test1234", "postgres", "P@ssw0rd", "admin123"];

fn placeholders(tree: &mut Tree, chance: &mut Chance) {
    for (at, value) in STAND_INS.iter().chain(WEAK).enumerate() {
        for round in 0..2 {
            let name = NAMES[(at + round * 3) % NAMES.len()];
            let carriers: Vec<_> = CARRIERS.iter().filter(|c| c.for_reach == Reach::Settings && c.quotes).collect();
            let carrier = carriers[(at * 7 + round * 5) % carriers.len()];
            let made = carrier.make(chance, name, value);
            let path = format!("{}/{}", tree.dir(), made.name);
            let weak = WEAK.contains(value);
            let kind = if weak { "passwords that everybody tries" } else { "stand-ins for a secret" };
            tree.harmless(kind, &path, made.bytes, if weak { Expect::Quiet } else { Expect::Nothing });
            if let Some(label) = tree.labels.last_mut() {
                label.carrier = format!("{name} = {value} in {}", carrier.name);
            }
        }
    }
    // Names that speak of secrets, with values that are none.
    let word = chance.word();
    for (name, value) in [
        ("DB_PASSWORD_FILE", "/run/secrets/db_password".to_string()),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/pg".into()),
        ("TOKEN_TTL", "86400".into()),
        ("SECRET_NAME", format!("{word}-credentials")),
        ("SECRET_ID", format!("{word}-prod-secret")),
        ("SSH_AUTH_SOCK", "/run/user/1000/keyring/ssh".into()),
        ("GPG_KEY", chance.text(chance::HEX_UPPER, 40)),
        ("PYTHON_SHA256", chance.text(HEX, 64)),
        ("NODE_CHECKSUM", chance.text(HEX, 64)),
        ("PASSWORD_MIN_LENGTH", "12".into()),
        ("PASSWORD_HASHERS", "django.contrib.auth.hashers.PBKDF2PasswordHasher".into()),
        ("AUTH_USER_MODEL", "accounts.User".into()),
        ("AUTH_URL", "https://login.shop.internal/oauth2/authorize".into()),
        ("TOKEN_URL", "https://login.shop.internal/oauth2/token".into()),
        ("KEY_VERSION", "4".into()),
        ("API_KEY_HEADER", "X-Shop-Api-Key".into()),
        ("CACHE_KEY_PREFIX", format!("{word}:session:v2")),
        ("ENCRYPTION_KEY_ID", chance.uuid()),
        ("KMS_KEY_ID", format!("arn:aws:kms:eu-west-1:123456789012:key/{}", chance.uuid())),
        ("SECRETS_PROVIDER", "aws-secrets-manager".into()),
        ("PRIMARY_KEY", "order_id,line_number".into()),
        ("PUBLIC_KEY", base64(&keys::Rsa::any(chance).public())),
        ("KEYBOARD_LAYOUT", "us-international-dead-keys".into()),
        ("MONKEY_PATCH", "gevent-monkey-patch-all".into()),
        ("COMMIT_SHA", chance.text(HEX, 40)),
        ("GITHUB_SHA", chance.text(HEX, 40)),
        ("IMAGE_DIGEST", format!("sha256:{}", chance.text(HEX, 64))),
        ("AUTHOR", "Passwordless Systems GmbH".into()),
        ("CSRF_COOKIE_NAME", "csrftoken_shop_v2".into()),
        ("PASS_THROUGH_HEADERS", "x-request-id,x-trace-id".into()),
        ("TRACE_ID", chance.text(HEX, 32)),
        ("ETAG", chance.text(HEX, 32)),
        ("BUILD_ID", chance.uuid()),
        ("TOKENIZER", "bert-base-uncased-v1.2".into()),
    ] {
        for file in [".env", "app.properties", "config.toml"] {
            let path = format!("{}/{file}", tree.dir());
            let body = if file == "config.toml" {
                format!("a = 1\n{name} = \"{value}\"\n")
            } else {
                format!("a=1\n{name}={value}\n")
            };
            tree.harmless("names that only sound like secrets", &path, body, Expect::Nothing);
            if let Some(label) = tree.labels.last_mut() {
                label.carrier = format!("{name} in {file}");
            }
        }
    }
}

fn lockfiles(tree: &mut Tree, chance: &mut Chance) {
    let mut all = |name: &str, head: &str, line: &dyn Fn(&mut Chance, usize) -> String, tail: &str| {
        let body: String = (0..80).map(|at| line(chance, at)).collect();
        let path = format!("{}/{name}", tree.dir());
        tree.harmless("lockfiles and lists of digests", &path, format!("{head}{body}{tail}"), Expect::Nothing);
    };
    let sri = |c: &mut Chance| format!("sha512-{}", base64(&c.bytes(64)));
    all(
        "package-lock.json",
        "{\"lockfileVersion\":3,\"packages\":{\n",
        &|c, n| {
            format!(
                "\"node_modules/p{n}\":{{\"version\":\"1.{n}.0\",\"resolved\":\"https://r.internal/p{n}/-/p{n}-1.{n}.0.tgz\",\"integrity\":\"{}\"}},\n",
                sri(c)
            )
        },
        "\"x\":{}}}\n",
    );
    all(
        "yarn.lock",
        "# yarn lockfile v1\n\n",
        &|c, n| {
            format!(
                "token-{n}@^1.0.0:\n  version \"1.0.{n}\"\n  resolved \"https://r.internal/t-{n}.tgz#{}\"\n  integrity {}\n\n",
                c.text(HEX, 40),
                sri(c)
            )
        },
        "",
    );
    all(
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\npackages:\n",
        &|c, n| format!("  secret-{n}@1.0.0:\n    resolution: {{integrity: {}}}\n", sri(c)),
        "",
    );
    all(
        "Cargo.lock",
        "version = 3\n\n",
        &|c, n| {
            format!("[[package]]\nname = \"secret-{n}\"\nversion = \"0.{n}.0\"\nchecksum = \"{}\"\n\n", c.text(HEX, 64))
        },
        "",
    );
    all(
        "go.sum",
        "",
        &|c, n| {
            format!(
                "github.com/shop/token{n} v1.{n}.0 h1:{}\ngithub.com/shop/token{n} v1.{n}.0/go.mod h1:{}\n",
                base64(&c.bytes(32)),
                base64(&c.bytes(32))
            )
        },
        "",
    );
    all(
        "poetry.lock",
        "# poetry\n",
        &|c, n| {
            format!(
                "[[package]]\nname = \"password-{n}\"\nversion = \"1.{n}\"\nfiles = [\n    {{file = \"p-1.{n}.whl\", hash = \"sha256:{}\"}},\n]\n\n",
                c.text(HEX, 64)
            )
        },
        "",
    );
    all(
        "composer.lock",
        "{\"packages\":[\n",
        &|c, n| {
            format!(
                "{{\"name\":\"auth/token{n}\",\"source\":{{\"reference\":\"{}\"}},\"dist\":{{\"shasum\":\"{}\"}}}},\n",
                c.text(HEX, 40),
                c.text(HEX, 40)
            )
        },
        "{}],\"content-hash\":\"0123456789abcdef0123456789abcdef\"}\n",
    );
    all("Gemfile.lock", "GEM\n  specs:\n", &|c, n| format!("    secret{n} (1.{n}.0) sha256={}\n", c.text(HEX, 64)), "");
    all("requirements.txt", "", &|c, n| format!("secret{n}==1.{n} --hash=sha256:{}\n", c.text(HEX, 64)), "");
    all("SHA256SUMS", "", &|c, n| format!("{}  password-{n}.tar.gz\n", c.text(HEX, 64)), "");
    all("RECORD", "", &|c, n| format!("token/key{n}.py,sha256={},{}\n", base64url(&c.bytes(32)), n + 100), "");
    all(
        "packed-refs",
        "# pack-refs with: peeled fully-peeled sorted\n",
        &|c, n| format!("{} refs/tags/v{n}\n", c.text(HEX, 40)),
        "",
    );
    all(
        "CHANGELOG.md",
        "# Changes\n",
        &|c, n| {
            format!("- rotate the secret key {n} ([{}](https://git.internal/c/{}))\n", &c.text(HEX, 7), c.text(HEX, 40))
        },
        "",
    );
    all("ids.csv", "id,key,token_type\n", &|c, n| format!("{},{n},bearer\n", c.uuid()), "");
    all(
        "uuids.json",
        "[\n",
        &|c, _| format!("{{\"apiKeyId\":\"{}\",\"secretId\":\"{}\"}},\n", c.uuid(), c.uuid()),
        "{}]\n",
    );
    all(
        "go.mod",
        "module shop\n\nrequire (\n",
        &|c, n| format!("\tgithub.com/shop/auth{n} v0.0.0-20240102030405-{}\n", c.text(HEX, 12)),
        ")\n",
    );
}

/// Public halves, and what else stands between BEGIN and END.
fn public(tree: &mut Tree, chance: &mut Chance) {
    let rsa = keys::Rsa::any(chance);
    let mut broken_base64 = keys::pem("RSA PRIVATE KEY", &rsa.pkcs1());
    broken_base64.insert_str(200, "*** removed ***");
    let begin = ["-----BEGIN RSA", "PRIVATE KEY-----"].join(" ");
    let end = begin.replace("BEGIN", "END");
    let cases = vec![
        ("pub.pem", keys::pem("PUBLIC KEY", &rsa.public())),
        ("cert.pem", keys::pem("CERTIFICATE", &keys::certificate(chance))),
        ("chain.crt", (0..5).map(|_| keys::pem("CERTIFICATE", &keys::certificate(chance))).collect()),
        ("server.csr", keys::pem("CERTIFICATE REQUEST", &keys::request(chance))),
        (
            "dh.pem",
            keys::pem("DH PARAMETERS", &keys::seq(&[&keys::der(2, &[&[0x40], &chance.bytes(255)]), &keys::int(2)])),
        ),
        ("key.asc", keys::pgp_public(chance)),
        ("sig.asc", keys::pem_wide("PGP SIGNATURE", "\n", &chance.bytes(400), 64)),
        ("id_rsa.pub", format!("ssh-rsa {} deploy@build\n", base64(&chance.bytes(279)))),
        ("authorized_keys", format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} ops@shop\n", chance.text(BASE64, 43))),
        (
            "known_hosts",
            format!(
                "|1|{}|{} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}\n",
                base64(&chance.bytes(20)),
                base64(&chance.bytes(20)),
                chance.text(BASE64, 43)
            ),
        ),
        ("parser.py", format!("HEADER = \"{begin}\"\nFOOTER = \"{end}\"\nif data.startswith(HEADER): parse(data)\n")),
        ("empty.pem", format!("{begin}\n{end}\n")),
        ("docs.md", format!("Paste the key:\n\n{begin}\nMIIEow...\n{end}\n")),
        ("docs2.md", format!("{begin}\n<your key here>\n{end}\n")),
        ("docs3.md", format!("{begin}\n{}\n{end}\n", "A".repeat(64))),
        ("random.pem", keys::pem("RSA PRIVATE KEY", &chance.bytes(600))),
        ("broken.pem", keys::pem("RSA PRIVATE KEY", &rsa.broken())),
        ("cut.pem", keys::pem("RSA PRIVATE KEY", &rsa.pkcs1()[..400])),
        ("edited.pem", broken_base64),
        ("mixed.pem", keys::pem("PRIVATE KEY", &keys::certificate(chance))),
        (
            "public.jwks.json",
            format!(
                "{{\"keys\":[{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{}\",\"y\":\"{}\",\"use\":\"sig\"}}]}}",
                Token::make("{V32}", chance).text,
                Token::make("{V32}", chance).text
            ),
        ),
        ("wg.conf", format!("[Peer]\nPublicKey = {}\nEndpoint = vpn.internal:51820\n", base64(&chance.bytes(32)))),
        ("age.txt", format!("# public key: age1{}\n", chance.text(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l", 58))),
        ("x.ppk.txt", "PuTTY-User-Key-File-2: ssh-rsa\n".into()),
        (
            "pem.json",
            format!("{{\"certificate\":\"{}\"}}", escaped(&keys::pem("CERTIFICATE", &keys::certificate(chance)))),
        ),
    ];
    for (name, body) in cases {
        let path = format!("{}/{name}", tree.dir());
        tree.harmless("public keys, certificates, headers without a key", &path, body, Expect::Nothing);
    }
}

/// What is told as a note, or not at all.
fn quiet(tree: &mut Tree, chance: &mut Chance) {
    for round in 0..3 {
        let mut note = |rule: &str, name: &str, body: String, expect: Expect| {
            let path = format!("{}/{name}", tree.dir());
            let label = tree.secret(rule, &path, body, expect);
            if expect == Expect::Quiet {
                label.kind = "~published or local defaults".into();
            }
        };
        note("jwt", "token.txt", format!("{}\n", Token::make("{jwt-expired}", chance).text), Expect::Note);
        note("jwt", ".env", format!("ACCESS_TOKEN={}\n", Token::make("{jwt-expired}", chance).text), Expect::Note);
        note(
            "stripe-secret-key",
            ".env",
            format!("STRIPE_KEY={}\n", Token::make("sk_test_{w24}", chance).text),
            Expect::Note,
        );
        note(
            "stripe-secret-key",
            "pay.js",
            format!("pay('{}')\n", Token::make("sk_test_51{w99}", chance).text),
            Expect::Note,
        );
        note(
            "password-hash",
            "users.sql",
            format!("INSERT INTO u VALUES ('a','{}');\n", Token::make("$2y$10${w53}", chance).text),
            Expect::Note,
        );
        let local = [
            "postgres://postgres:postgres@localhost:5432/shop",
            "mysql://root:root@127.0.0.1/shop",
            "amqp://guest:guest@localhost:5672",
        ][round];
        note("database-url", ".env", format!("DATABASE_URL={local}\n"), Expect::Quiet);
        note(
            "django-secret-key",
            "settings.py",
            format!("SECRET_KEY = 'django-insecure-{}'\n", chance.text(BASE62, 50)),
            Expect::Quiet,
        );
        note(
            "azure-storage-key",
            ".env",
            format!(
                "AZ=UseDevelopmentStorage=true;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMG{}==\n",
                "w"
            ),
            Expect::Quiet,
        );
        let public = [
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
            "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ",
            "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        ];
        note("jwt", "README.md", format!("For example `{}`.\n", public.join(".")), Expect::Quiet);
        let alone = base64url(br#"{"alg":"none"}"#);
        note("jwt", "unsigned.txt", format!("{alone}.{}.\n", base64url(b"{\"sub\":\"1\"}")), Expect::Quiet);
    }
}

fn noise(tree: &mut Tree, chance: &mut Chance) {
    let mut put = |kind: &str, name: &str, bytes: Vec<u8>| {
        let path = format!("{}/{name}", tree.dir());
        tree.harmless(kind, &path, bytes, Expect::Nothing);
    };
    for _ in 0..3 {
        put("random bytes", "noise.bin", chance.bytes(300_000));
        put("random text", "random.b64", wrap(&base64(&chance.bytes(90_000)), 76));
        put("random text", "random.hex", wrap(&chance.text(HEX, 90_000), 64));
        put("random text", "words.txt", wrap(&chance.text(b"abcdefghijklmnopqrstuvwxyz      ", 60_000), 80));
        put(
            "random text",
            "ids.txt",
            (0..3000).flat_map(|_| format!("{}\n", chance.text(BASE62, 24)).into_bytes()).collect(),
        );
        let image = base64(&chance.bytes(20_000));
        put(
            "data in base64",
            "style.css",
            format!(".logo{{background:url(data:image/png;base64,{image})}}.secret-key:before{{content:'x'}}")
                .into_bytes(),
        );
        put(
            "data in base64",
            "font.css",
            format!("@font-face{{src:url(data:font/woff2;charset=utf-8;base64,{image}) format('woff2')}}").into_bytes(),
        );
        put(
            "data in base64",
            "logo.svg",
            format!("<svg><image href=\"data:image/png;base64,{image}\"/></svg>").into_bytes(),
        );
        put("data in base64", "snapshot.json", format!("{{\"preview\":\"{image}\",\"key\":\"thumb\"}}").into_bytes());
        let mut code = String::new();
        while code.len() < 150_000 {
            code += &bundle(chance);
        }
        put("minified programs", "vendor.min.js", code.clone().into_bytes());
        let mappings: String =
            (0..20_000).map(|_| format!("{},", chance.text(b"ACEGIKMOQSUWYcegikmoqsuwy", 4))).collect();
        put(
            "minified programs",
            "vendor.js.map",
            format!("{{\"version\":3,\"sources\":[],\"mappings\":\"{mappings}\"}}").into_bytes(),
        );
        put(
            "archives",
            "vendor.jar",
            archives::zip(&[("a/b.class", &chance.bytes(4000)), ("vendor.min.js", code.as_bytes())], true),
        );
        put(
            "archives",
            "sources.tar.gz",
            archives::gzip(&archives::tar(&[("app.js", code.as_bytes()), ("x.bin", &chance.bytes(9000))])),
        );
    }
    // A value that passes all tests is one wherever it stands; this one misses a letter of its prefix.
    let near: String = (0..2000)
        .map(|_| {
            let body = chance.text(BASE62, 30);
            format!("gh_{body}{}\n", crc32_base62(&body))
        })
        .collect();
    put("random text", "near.txt", near.into_bytes());
}

fn wrap(text: &str, width: usize) -> Vec<u8> {
    text.as_bytes().chunks(width).flat_map(|line| [line, b"\n"].concat()).collect()
}

include!("texts.rs");
