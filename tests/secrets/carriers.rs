//! Files that a secret is written into, as people and programs write them.

use crate::{
    archives,
    chance::{BASE62, Chance},
    codec::{base64, escaped, hex, url_encoded, utf16, xml_escaped},
    kinds::Reach,
};

/// A file with one secret.
pub struct Made {
    /// Name of the file, in a directory of its own.
    pub name: String,
    pub bytes: Vec<u8>,
    /// Line of the secret in the file, where it has lines.
    pub line: Option<u32>,
}

pub struct Carrier {
    pub name: &'static str,
    /// The reach that a kind needs to be found here.
    pub for_reach: Reach,
    /// Whether a value with any character can be written.
    pub quotes: bool,
    make: fn(&mut Chance, &str, &str) -> Made,
}

impl Carrier {
    pub fn make(&self, chance: &mut Chance, key: &str, text: &str) -> Made {
        (self.make)(chance, key, text)
    }
}

const fn settings(name: &'static str, quotes: bool, make: fn(&mut Chance, &str, &str) -> Made) -> Carrier {
    Carrier { name, for_reach: Reach::Settings, quotes, make }
}

const fn text(name: &'static str, quotes: bool, make: fn(&mut Chance, &str, &str) -> Made) -> Carrier {
    Carrier { name, for_reach: Reach::Text, quotes, make }
}

const fn apart(name: &'static str, make: fn(&mut Chance, &str, &str) -> Made) -> Carrier {
    Carrier { name, for_reach: Reach::Apart, quotes: true, make }
}

const fn every(name: &'static str, make: fn(&mut Chance, &str, &str) -> Made) -> Carrier {
    Carrier { name, for_reach: Reach::Every, quotes: true, make }
}

pub const CARRIERS: &[Carrier] = &[
    settings("env", false, |c, k, v| {
        lines(c, ".env", "LOG_LEVEL=info\nPORT=8080\n", &format!("{k}={v}"), "\nREGION=eu\n")
    }),
    settings("env-quoted", true, |c, k, v| {
        lines(c, ".env.production", "LOG_LEVEL=info\n", &format!("{k}=\"{}\"", escaped(v)), "\nCACHE=on\n")
    }),
    settings("env-crlf", false, |c, k, v| {
        crlf(lines(c, ".env", "LOG_LEVEL=info\nPORT=1\n", &format!("{k}={v}"), "\nX=1\n"))
    }),
    settings("yaml", false, |c, k, v| {
        lines(c, "config.yaml", "server:\n  port: 80\n", &format!("  {k}: {v}"), "\n  tls: true\n")
    }),
    settings("yaml-quoted", true, |c, k, v| {
        lines(
            c,
            "values.yml",
            "app:\n  replicas: 2\n",
            &format!("  {k}: '{}'", v.replace('\'', "''")),
            "\n  debug: false\n",
        )
    }),
    settings("json", true, |c, k, v| {
        lines(
            c,
            "config.json",
            "{\n  \"port\": 80,\n",
            &format!("  \"{k}\": \"{}\"", escaped(v)),
            ",\n  \"tls\": true\n}\n",
        )
    }),
    settings("json-compact", true, |c, k, v| {
        lines(c, "settings.json", "", &format!("{{\"port\":80,\"{k}\":\"{}\",\"tls\":true}}", escaped(v)), "")
    }),
    settings("toml", true, |c, k, v| {
        lines(
            c,
            "app.toml",
            "[server]\nport = 80\n",
            &format!("{k} = \"{}\"", escaped(v)),
            "\n[log]\nlevel = \"info\"\n",
        )
    }),
    settings("ini", false, |c, k, v| {
        lines(c, "app.ini", "; settings\n[main]\n", &format!("{k} = {v}"), "\n[other]\na = 1\n")
    }),
    settings("properties", false, |c, k, v| {
        lines(
            c,
            "application.properties",
            "server.port=8080\n",
            &format!("app.{k}={v}"),
            "\nspring.jpa.show-sql=false\n",
        )
    }),
    settings("xml", true, |c, k, v| {
        lines(
            c,
            "app.config",
            "<configuration>\n <appSettings>\n",
            &format!("  <add key=\"{k}\" value=\"{}\"/>", xml_escaped(v)),
            "\n </appSettings>\n</configuration>\n",
        )
    }),
    settings("shell", true, |c, k, v| {
        lines(c, "start.sh", "#!/bin/sh\nset -eu\n", &format!("export {k}='{v}'"), "\nexec /srv/app\n")
    }),
    settings("python", true, |c, k, v| {
        lines(c, "settings.py", "import os\n\nDEBUG = False\n", &format!("{k} = \"{}\"", escaped(v)), "\nPORT = 80\n")
    }),
    settings("js", true, |c, k, v| {
        lines(
            c,
            "config.js",
            "'use strict'\nconst port = 80\n",
            &format!("const {k} = '{v}'"),
            "\nmodule.exports = { port }\n",
        )
    }),
    settings("go", true, |c, k, v| {
        lines(
            c,
            "main.go",
            "package main\n\nconst port = 80\n",
            &format!("const {k} = \"{}\"", escaped(v)),
            "\n\nfunc main() {}\n",
        )
    }),
    settings("dockerfile", true, |c, k, v| {
        lines(
            c,
            "Dockerfile",
            "FROM scratch\nCOPY app /app\n",
            &format!("ENV {k}=\"{}\"", escaped(v)),
            "\nCMD [\"/app\"]\n",
        )
    }),
    settings("compose", false, |c, k, v| {
        lines(
            c,
            "docker-compose.yml",
            "services:\n  app:\n    environment:\n",
            &format!("      - {k}={v}"),
            "\n      - PORT=80\n",
        )
    }),
    text("log", true, |c, k, v| {
        lines(
            c,
            "app.log",
            LOG,
            &format!("2025-03-04T05:06:08Z DEBUG request headers {{{k}: {v}}}"),
            "\n2025-03-04T05:06:09Z INFO done\n",
        )
    }),
    text("log-coloured", true, |c, _, v| {
        lines(c, "ci.log", LOG, &format!("\x1b[32m+ upload --with\x1b[0m \x1b[1;33m{v}\x1b[0m --fast"), "\nok\n")
    }),
    text("header", true, |c, _, v| {
        lines(
            c,
            "trace.txt",
            "GET /v1 HTTP/1.1\nHost: api\n",
            &format!("Authorization: Bearer {v}"),
            "\nAccept: */*\n\n",
        )
    }),
    text("markdown", true, |c, _, v| {
        lines(c, "RUNBOOK.md", "# Release\n\nLog in with\n\n", &format!("    login `{v}`"), "\n\nand go on.\n")
    }),
    text("notebook", true, |c, k, v| {
        let line = escaped(&escaped(&format!("{k} = \"{v}\"\n")));
        lines(
            c,
            "run.ipynb",
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n",
            &format!("   \"{}\"", line.replace("\\\\\\\\", "\\\\")),
            "\n]}]}\n",
        )
    }),
    text("json-in-json", true, |c, k, v| {
        let inner = format!("{{\"{k}\":\"{}\"}}", escaped(v));
        lines(c, "event.json", "{\n", &format!("  \"body\": \"{}\"", escaped(&inner)), "\n}\n")
    }),
    text("json-line-break", true, |c, _, v| {
        lines(c, "dump.json", "{\n", &format!("  \"stdout\": \"logging in\\n{}\\nlogged in\\n\"", escaped(v)), "\n}\n")
    }),
    text("source-map", true, |c, k, v| {
        let source = format!("export const {k} = \"{v}\";\n");
        lines(
            c,
            "app.js.map",
            "",
            &format!(
                "{{\"version\":3,\"sources\":[\"a.ts\"],\"sourcesContent\":[\"{}\"],\"mappings\":\"AAAA,SAASA\"}}",
                escaped(&source)
            ),
            "",
        )
    }),
    text("query", true, |c, _, v| {
        lines(
            c,
            "access.log",
            "",
            &format!("10.0.0.1 - - \"GET /hook?x=1&token={}&y=2 HTTP/1.1\" 200", v),
            "\n10.0.0.1 - - \"GET / HTTP/1.1\" 200\n",
        )
    }),
    text("sql", true, |c, _, v| {
        lines(
            c,
            "dump.sql",
            "CREATE TABLE t (a int, b text);\n",
            &format!("INSERT INTO t VALUES (1,'{v}',NULL),(2,'x',NULL);"),
            "\n",
        )
    }),
    text("html", true, |c, k, v| {
        lines(
            c,
            "index.html",
            "<!doctype html>\n<html>\n",
            &format!("<script>window.{k}=\"{}\"</script>", escaped(v)),
            "\n</html>\n",
        )
    }),
    text("minified", true, minified),
    text("no-line-end", true, |c, _, v| lines(c, "token.txt", "", v, "")),
    text("utf16-le", true, |c, k, v| {
        let made = lines(c, "export.reg.txt", "settings\r\n", &format!("{k}={v}"), "\r\nend\r\n");
        Made { bytes: utf16(&String::from_utf8_lossy(&made.bytes), true), ..made }
    }),
    text("utf16-be", true, |c, k, v| {
        let made = lines(c, "notes.txt", "settings\r\n", &format!("{k}={v}"), "\r\nend\r\n");
        Made { bytes: utf16(&String::from_utf8_lossy(&made.bytes), false), ..made }
    }),
    apart("binary-nul", |c, _, v| {
        let noise = c.bytes(6000);
        binary("app.bin", &[&noise[..], b"\0usage: app\0", v.as_bytes(), b"\0%s: %d\n\0", &noise[..500]])
    }),
    apart("elf-strings", |c, _, v| {
        let noise = c.bytes(3000);
        binary(
            "service",
            &[
                b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0",
                &noise,
                b"\0\0",
                v.as_bytes(),
                b"\0\0",
                &noise,
            ],
        )
    }),
    every("pyc", |_, _, v| {
        // Code objects hold short strings with one byte for the length, long ones with four; None follows as `N`.
        let mut head = vec![0xa7, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 1, 2, 3, 4, 100, 0, 0, 0, 0xe3, 0, 0, 0, 0, 0x29, 0x03];
        match u8::try_from(v.len()) {
            Ok(len) => head.extend([0xda, len]),
            Err(_) => head.extend([&[0xe1][..], &(v.len() as u32).to_le_bytes()].concat()),
        }
        binary("config.pyc", &[&head, v.as_bytes(), b"N)\x02\xda\x05TOKENr\x02\0\0\0\xda\x08<module>"])
    }),
    every("java-class", |_, _, v| {
        let len = (v.len() as u16).to_be_bytes();
        binary(
            "Config.class",
            &[b"\xca\xfe\xba\xbe\0\0\0\x34\0\x10\x01\0\x04Code\x01", &len, v.as_bytes(), b"\x01\0\x05TOKEN\x08\0\x0c"],
        )
    }),
    every("go-strings", |c, _, v| {
        // Strings of a Go program lie side by side, without anything between them.
        let noise = c.bytes(800);
        binary(
            "server",
            &[
                b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0",
                &noise,
                b"invalid argument to Intnreflect: call of",
                v.as_bytes(),
                b"strconv: illegal base",
                b"runtime: bad g0",
                &noise,
            ],
        )
    }),
    apart("zip", |c, k, v| wrapped("bundle.zip", archives::zip(&[("conf/app.env", &env(c, k, v))], true))),
    apart("zip-stored", |c, k, v| {
        wrapped("bundle.zip", archives::zip(&[("README", b"hello"), ("conf/.env", &env(c, k, v))], false))
    }),
    apart("jar", |c, k, v| {
        let manifest = b"Manifest-Version: 1.0\r\n\r\n".to_vec();
        wrapped(
            "app.jar",
            archives::zip(
                &[("META-INF/MANIFEST.MF", &manifest), ("BOOT-INF/classes/application.properties", &env(c, k, v))],
                true,
            ),
        )
    }),
    apart("jar-in-jar", |c, k, v| {
        let inner = archives::zip(&[("application.properties", &env(c, k, v))], true);
        wrapped("fat.jar", archives::zip(&[("BOOT-INF/lib/inner.jar", &inner)], false))
    }),
    apart("tar", |c, k, v| wrapped("backup.tar", archives::tar(&[("home/app/.env", &env(c, k, v))]))),
    apart("tar-gz", |c, k, v| wrapped("backup.tar.gz", archives::gzip(&archives::tar(&[("app/.env", &env(c, k, v))])))),
    apart("tgz-in-zip", |c, k, v| {
        let inner = archives::gzip(&archives::tar(&[("package/.env", &env(c, k, v))]));
        wrapped("all.zip", archives::zip(&[("package.tgz", &inner)], true))
    }),
    apart("gz", |c, k, v| {
        let made = lines(c, "app.log", LOG, &format!("{k}: {v}"), "\n");
        wrapped("app.log.1.gz", archives::gzip(&made.bytes))
    }),
    apart("no-suffix-gz", |c, k, v| wrapped("blob", archives::gzip(&env(c, k, v)))),
];

/// What may come one day and is told, but not asked for.
pub const WISHES: &[Carrier] = &[
    text("base64", true, |c, _, v| lines(c, "secret.txt", "data:\n", &base64(format!("token={v}\n").as_bytes()), "\n")),
    text("hex", true, |c, _, v| lines(c, "dump.hex", "", &hex(v.as_bytes()), "\n")),
    text("url-encoded", true, |c, _, v| {
        lines(c, "access.log", "", &format!("GET /cb?q=auth%3D{}%26x%3D1 200", url_encoded(v)), "\n")
    }),
    text("json-unicode", true, |c, _, v| lines(c, "a.json", "{\"a\":\n", &format!("\"\\u003d{v}\\u0026\""), "}\n")),
    apart("utf16-in-binary", |c, _, v| {
        let noise = c.bytes(700);
        binary("App.dll", &[b"MZ\x90\0\x03\0", &noise, b"\0\0", &utf16(v, true)[2..], b"\0\0", &noise])
    }),
];

const LOG: &str = "2025-03-04T05:06:07Z INFO started\n2025-03-04T05:06:07Z INFO listening on :8080\n";

fn lines(chance: &mut Chance, name: &str, before: &str, line: &str, after: &str) -> Made {
    // More lines in front, in the manner of the file, so that line numbers say something.
    let comment = match name.rsplit('.').next().unwrap_or_default() {
        "env" | "yaml" | "yml" | "toml" | "py" | "properties" | "production" => "# note\n",
        "js" | "go" => "// note\n",
        _ => "",
    };
    let before = comment.repeat(chance.below(4)) + before;
    let number = before.matches('\n').count() as u32 + 1;
    Made { name: name.into(), bytes: format!("{before}{line}{after}").into_bytes(), line: Some(number) }
}

fn crlf(made: Made) -> Made {
    let text = String::from_utf8_lossy(&made.bytes).replace('\n', "\r\n");
    Made { bytes: text.into_bytes(), ..made }
}

fn env(chance: &mut Chance, key: &str, value: &str) -> Vec<u8> {
    format!("# {}\n{key}={value}\nPORT=80\n", chance.text(BASE62, 5)).into_bytes()
}

fn binary(name: &str, parts: &[&[u8]]) -> Made {
    Made { name: name.into(), bytes: parts.concat(), line: None }
}

fn wrapped(name: &str, bytes: Vec<u8>) -> Made {
    Made { name: name.into(), bytes, line: None }
}

/// One line of 200 KB, as bundlers write it.
fn minified(chance: &mut Chance, key: &str, value: &str) -> Made {
    let half = |chance: &mut Chance| {
        let mut text = String::new();
        while text.len() < 100_000 {
            text += &bundle(chance);
        }
        text
    };
    let text = format!("{}{key}:\"{}\",n=e.password=r.x;{}", half(chance), escaped(value), half(chance));
    Made { name: "app.min.js".into(), bytes: text.into_bytes(), line: Some(1) }
}

pub fn bundle(chance: &mut Chance) -> String {
    let [a, b, d] = std::array::from_fn(|_| char::from(b'a' + chance.below(26) as u8));
    let number = chance.below(9000);
    format!(
        "function {a}{b}({d},t){{return {d}.token=t.accessToken||{d}[{number}],{a}.auth=\"{d}-{a}\",void 0!==t?{b}:{a}}}var {b}{number}={{secret:{a},key:{b}.key,password:function(e){{return e.value}}}};"
    )
}
