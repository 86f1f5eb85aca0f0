#!/usr/bin/env python3
"""Secrets in images that a real engine built: each is found, with its layer and its remedy, and its value is nowhere.

usage: planted_secrets.py [--offcut PROGRAM] [--work DIR] [--only ROW[,ROW]] [--show] [--keep]

needs: root, a Docker daemon (DOCKER names the client), debootstrap, zstd, git, go, and the network for Debian packages.
Every secret is made when this runs, from parts, and differs from run to run. Images are built by BuildKit and by the
classic builder. `--show` prints what is found and judges nothing; `--keep` leaves the images in the daemon.
"""

import base64
import json
import py_compile
import random
import string
import subprocess
import sys
import urllib.parse
import uuid
import zipfile
import zlib

from engines import DEMO, Docker, Layout, debian, node_app, run
from formats import FORMATS
from suite import Suite, equal, fresh, options

ALPINE, DEBIAN = "offcut-e2e/alpine", "offcut-e2e/debian"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
LOUD = ("critical", "high", "medium")
APT = "apt-get update && apt-get install -y --no-install-recommends {} && apt-get clean && rm -rf /var/lib/apt/lists/*"


def drawn(alphabet, length):
    return "".join(random.SystemRandom().choices(alphabet, k=length))


def checked(prefix):
    """A token as GitHub and npm make them: thirty characters and their CRC-32 in base 62."""
    body = drawn(BASE62, 30)
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return prefix + "_" + body + digits


def password():
    return drawn(BASE62, 9) + "-" + drawn(BASE62, 9)


def stripe():
    return "sk" + "_live_" + drawn(BASE62, 24)


def webhook():
    upper = string.ascii_uppercase + string.digits
    return "/".join(["https://hooks.slack.com", "services", "T" + drawn(upper, 10), "B" + drawn(upper, 10), drawn(BASE62, 24)])


class Expected:
    """One secret: the rules that may tell it, where it is, and which layers bring and hide it (the lowest is 1).

    Without a path it is in the configuration or in the history.
    """

    def __init__(self, rules, value, path=None, layer=None, hidden_by=None, member=None, least="medium"):
        self.rules, self.value, self.path, self.layer = {f"secret/{rule}" for rule in rules.split()}, value, path, layer
        self.hidden_by, self.member, self.least = hidden_by, member, least

    def __str__(self):
        hidden = f", hidden by layer {self.hidden_by}" if self.hidden_by else ""
        return f"{'|'.join(sorted(self.rules))} in {self.path or 'the configuration'} (layer {self.layer}{hidden})"


class Row:
    """An image: `make` fills the build context and gives Dockerfile, build arguments and what is to be found."""

    def __init__(self, name, make, builders=("buildkit",)):
        self.name, self.make, self.builders = name, make, builders


def removed(context):
    token = checked("ghp")
    (context / "app.env").write_text(f"PORT=80\nGITHUB_TOKEN={token}\n")
    dockerfile = f"FROM {ALPINE}\nCOPY app.env /srv/app.env\nRUN rm /srv/app.env\n"
    return dockerfile, [], [Expected("github-pat", token, "/srv/app.env", layer=2, hidden_by=3)]


def replaced(context):
    token = checked("npm")
    (context / "npmrc").write_text(f"//registry.shop.internal/:_authToken={token}\n")
    dockerfile = f"FROM {ALPINE}\nCOPY npmrc /root/.npmrc\nRUN echo fund=false > /root/.npmrc\n"
    return dockerfile, [], [Expected("npm-token npmrc-auth-token", token, "/root/.npmrc", layer=2, hidden_by=3)]


def argument(context):
    token, pin = checked("npm"), password()
    dockerfile = (
        f"FROM {ALPINE}\nARG NPM_TOKEN\nARG DB_PASSWORD\nARG VERSION=1\n"
        "RUN mkdir -p /srv && echo built > /srv/app\n"
    )
    arguments = ["--build-arg", f"NPM_TOKEN={token}", "--build-arg", f"DB_PASSWORD={pin}"]
    return dockerfile, arguments, [
        Expected("npm-token", token),
        Expected("image-history", pin),
    ]


def settings(context):
    key, beside, hook, basic, probe, url = stripe(), stripe(), webhook(), password(), password(), password()
    dockerfile = f"""FROM {ALPINE}
ENV STRIPE_KEY={key}
ENV DATABASE_URL=postgres://app:{url}@db.shop.internal:5432/shop
ENV PAYMENT={beside} API_TOKEN="" SMTP_PASSWORD_FILE=/run/secrets/smtp
LABEL internal.shop.notify="{hook}"
RUN true || curl -u ci:{basic} https://nexus.shop.internal/
HEALTHCHECK CMD curl -fsu probe:{probe} http://localhost/ || exit 1
CMD ["sleep", "1"]
"""
    return dockerfile, [], [
        Expected("stripe-secret-key", key),
        Expected("stripe-secret-key", beside),
        Expected("database-url", url),
        Expected("slack-webhook", hook),
        Expected("image-history", basic),
        Expected("image-command", probe),
    ]


def checkout(context):
    """`.git/config` as a checkout step of a pipeline leaves it, and an object of a file that was deleted."""
    token, old = checked("ghs"), checked("ghp")
    repository = context / "app"
    git = ["git", "-C", repository, "-c", "user.name=ci", "-c", "user.email=ci@shop.internal"]
    repository.mkdir()
    run("git", "init", "--quiet", repository)
    (repository / "main.sh").write_text("echo hello\n" * 50)
    (repository / "deploy.env").write_text("".join(f"A{n}=1\n" for n in range(60)) + f"TOKEN={old}\n")
    run(*git, "add", ".")
    run(*git, "commit", "--quiet", "-m", "start")
    run(*git, "rm", "--quiet", "deploy.env")
    run(*git, "commit", "--quiet", "-m", "no secrets here")
    run(*git, "gc", "--quiet", "--aggressive", "--prune=now")
    (pack,) = (repository / ".git/objects/pack").glob("*.pack")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    run(*git, "remote", "add", "origin", "https://github.com/shop/api")
    run(*git, "config", "http.https://github.com/.extraheader", f"AUTHORIZATION: basic {basic}")
    dockerfile = f"FROM {ALPINE}\nWORKDIR /srv\nCOPY app /srv/app\n"
    return dockerfile, [], [
        Expected("git-remote-credentials basic-auth-header", token, "/srv/app/.git/config", layer=3),
        Expected("github-pat", old, f"/srv/app/.git/objects/pack/{pack.name}", layer=3),
    ]


def archives(context):
    token, pin = checked("gho"), password()
    with zipfile.ZipFile(context / "app.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
        properties = f"server.port=8080\ngithub.token={token}\nspring.datasource.url=jdbc:postgresql://app:{pin}@db.shop.internal/shop\n"
        jar.writestr("BOOT-INF/classes/application.properties", properties)
    member = "application.properties"
    dockerfile = f"FROM {ALPINE}\nCOPY app.jar /app/app.jar\n"
    return dockerfile, [], [
        Expected("github-oauth-token", token, "/app/app.jar", layer=2, member=member),
        Expected("database-url", pin, "/app/app.jar", layer=2, member=member),
    ]


GO = """package main

import ("fmt"; "net/http")

var token string

func main() {
\trequest, _ := http.NewRequest("GET", "https://api.shop.internal/", nil)
\trequest.Header.Set("Authorization", "Bearer "+token)
\tfmt.Println(http.DefaultClient.Do(request))
}
"""


def go_program(context):
    source = context / "source"
    source.mkdir()
    (source / "main.go").write_text(GO)
    (source / "go.mod").write_text("module shop.internal/api\n\ngo 1.19\n")
    expected, lines = [], []
    makers = {"ghp": "github-pat", "npm": "npm-token", "stripe": "stripe-secret-key"}
    for name, flags in {"plain": [], "trimmed": ["-trimpath"], "stripped": ["-trimpath", "-s -w"]}.items():
        kind = list(makers)[len(expected) % 3]
        token = stripe() if kind == "stripe" else checked(kind)
        link = " ".join([f"-X main.token={token}", *[flag for flag in flags if flag.startswith("-s")]])
        more = [flag for flag in flags if flag == "-trimpath"]
        env = {"PATH": "/usr/local/go/bin:/usr/bin:/bin", "HOME": str(context), "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
        run("go", "build", *more, "-ldflags", link, "-o", context / name, ".", cwd=source, env=env)
        lines.append(f"COPY {name} /usr/local/bin/{name}\n")
        expected.append(Expected(makers[kind], token, f"/usr/local/bin/{name}", layer=len(expected) + 1))
    return "FROM scratch\n" + "".join(lines) + 'CMD ["plain"]\n', [], expected


def compiled(context):
    token, key = checked("ghp"), stripe()
    source = context / "config.py"
    source.write_text(f"import os\n\nTOKEN = '{token}'\nLEVEL = None\n\ndef pay():\n    return charge('{key}', None)\n")
    py_compile.compile(str(source), str(context / "config.pyc"), doraise=True)
    source.unlink()
    dockerfile = f"FROM {ALPINE}\nCOPY config.pyc /srv/app/config.pyc\n"
    return dockerfile, [], [
        Expected("github-pat", token, "/srv/app/config.pyc", layer=2),
        Expected("stripe-secret-key", key, "/srv/app/config.pyc", layer=2),
    ]


def package_managers(context):
    token, basic, pin = str(uuid.uuid4()), password(), password()
    (context / "npmrc").write_text(f"//npm.shop.internal/:_authToken={token}\n")
    auth = base64.b64encode(f"ci:{basic}".encode()).decode()
    (context / "config.json").write_text(json.dumps({"auths": {"registry.shop.internal": {"auth": auth}}}))
    (context / "netrc").write_text(f"machine git.shop.internal\nlogin ci\npassword {pin}\n")
    dockerfile = f"FROM {ALPINE}\nCOPY npmrc /root/.npmrc\nCOPY config.json /root/.docker/config.json\nCOPY netrc /root/.netrc\n"
    return dockerfile, [], [
        Expected("npmrc-auth-token", token, "/root/.npmrc", layer=2),
        Expected("docker-config-auth", basic, "/root/.docker/config.json", layer=3),
        Expected("netrc", pin, "/root/.netrc", layer=4),
    ]


def host_keys(context):
    """Keys that the installation of packages makes: nobody's value is known here, so none is looked for."""
    dockerfile = f"FROM {DEBIAN}\nRUN {APT.format('openssh-server')}\nRUN {APT.format('ssl-cert')}\n"
    kinds = ["rsa", "ecdsa", "ed25519"]
    keys = [Expected("ssh-host-key", None, f"/etc/ssh/ssh_host_{kind}_key", layer=2) for kind in kinds]
    snakeoil = Expected("private-key snakeoil-key", None, "/etc/ssl/private/ssl-cert-snakeoil.key", layer=3)
    return dockerfile, [], [*keys, snakeoil]


def real_keys(context):
    """Keys as their own tools write them, plain and with a passphrase."""
    word = password()
    run("openssl", "genrsa", "-out", context / "rsa.pem", "2048")
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", context / "ed25519.pem")
    run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-out", context / "ec.pem")
    run("openssl", "pkcs8", "-topk8", "-in", context / "rsa.pem", "-out", context / "locked.pem", "-passout", f"pass:{word}")
    run("openssl", "rsa", "-in", context / "rsa.pem", "-outform", "DER", "-out", context / "rsa.der")
    run("openssl", "req", "-x509", "-new", "-key", context / "rsa.pem", "-subj", "/CN=shop", "-out", context / "cert.pem")
    run("openssl", "pkcs12", "-export", "-inkey", context / "rsa.pem", "-in", context / "cert.pem", "-passout", "pass:changeit", "-out", context / "store.p12")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", context / "id_ed25519")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", word, "-f", context / "id_locked")
    values = {}
    for name in ("rsa.pem", "ed25519.pem", "ec.pem", "id_ed25519"):
        body = [line for line in (context / name).read_text().splitlines() if not line.startswith("-")]
        values[name] = "".join(body)[-60:-8]
    expected = [Expected("private-key", value, f"/keys/{name}", layer=2) for name, value in values.items()]
    expected += [
        Expected("private-key-der private-key", None, "/keys/rsa.der", layer=2),
        Expected("pkcs12-keystore", None, "/keys/store.p12", layer=2),
        Expected("private-key-encrypted private-key", None, "/keys/locked.pem", layer=2, least="note"),
        Expected("private-key-encrypted private-key", None, "/keys/id_locked", layer=2, least="note"),
    ]
    return f"FROM {ALPINE}\nCOPY . /keys/\n", [], expected


def nothing(context):
    """What is done right is no finding at all."""
    (context / "npmrc").write_text("//npm.shop.internal/:_authToken=${NPM_TOKEN}\n")
    dockerfile = f"""# syntax of BuildKit's own front end
FROM {ALPINE}
ARG NPM_TOKEN
ENV DB_PASSWORD_FILE=/run/secrets/db API_TOKEN="" GPG_KEY={drawn(string.hexdigits[:16].upper(), 40)}
ENV NODE_SHA256={drawn("0123456789abcdef", 64)}
COPY npmrc /srv/.npmrc
RUN --mount=type=secret,id=npm,target=/run/npm true
LABEL org.opencontainers.image.revision={drawn("0123456789abcdef", 40)}
"""
    return dockerfile, [], []


BOTH = ("buildkit", "classic")
ROWS = [
    Row("removed", removed, BOTH),
    Row("replaced", replaced),
    Row("argument", argument, BOTH),
    Row("settings", settings, BOTH),
    Row("checkout", checkout),
    Row("jar", archives),
    Row("go", go_program),
    Row("python", compiled),
    Row("package-managers", package_managers),
    Row("host-keys", host_keys),
    Row("real-keys", real_keys),
    Row("nothing", nothing),
]


def main():
    words = options(__doc__, "ROW")
    words.add_argument("--show", action="store_true")
    words.add_argument("--keep", action="store_true", help="leave the images in the daemon")
    chosen = words.parse_args()

    work = fresh(chosen.work.resolve() / "secrets")
    suite, docker = Suite(chosen.only), Docker()
    rows = [row for row in ROWS if suite.wants(row.name)]
    try:
        with suite.case("secrets: Alpine and Debian"):
            node_app(docker, Layout.unpack(DEMO, work / "demo"), work)
            if any(row.make is host_keys for row in rows):
                debian(docker, chosen.work.resolve())
        for row in rows:
            for builder in row.builders:
                with suite.case(f"secrets: {row.name}, {builder}"):
                    image(chosen.offcut.resolve(), docker, row, builder, work, chosen.show)
    finally:
        if not chosen.keep:
            docker.clean()
    return suite.report()


def image(offcut, docker, row, builder, work, show):
    context = work / f"{row.name}-{builder}"
    context.mkdir()
    dockerfile, arguments, expected = row.make(context)
    file = work / f"{row.name}-{builder}.Dockerfile"
    file.write_text(dockerfile)
    tag = f"offcut-secrets/{row.name}-{builder}"
    docker.build(tag, context, "--file", file, *arguments, buildkit=builder == "buildkit")
    outputs = scan(offcut, docker, tag, work / "reports")
    report = json.loads(outputs["json"])
    found = [finding for finding in report["findings"] if finding["family"] == "secret"]
    told = "\n".join(line(finding) for finding in found)
    if show:
        print(told)
        return
    matched = []
    for wanted in expected:
        matched.append(the_one([finding for finding in found if finding not in matched], wanted, told))
    loud = [finding for finding in found if finding["severity"] in LOUD and finding not in matched]
    equal([line(finding) for finding in loud], [], f"what nobody planted\n{told}\n")
    for wanted, finding in zip(expected, matched, strict=True):
        in_sarif(json.loads(outputs["sarif"]), wanted, finding)
        in_table(outputs["table"].decode(), finding)
    written = scan(offcut, docker, tag, work / "reports", "--dockerfile", file)
    outputs |= {f"{name}, with the Dockerfile": said for name, said in written.items()}
    # Whether it can be mended or not: nothing is told of the values that the history has.
    fixed = subprocess.run([offcut, "fix", f"docker:{tag}"], capture_output=True, env=docker.env, timeout=600)
    outputs |= {"fix": fixed.stdout, "errors of fix": fixed.stderr}
    for wanted in expected:
        nowhere(wanted, outputs)


def scan(offcut, docker, tag, place, *options):
    """What is said in every format, and besides."""
    place.mkdir(exist_ok=True)
    reports = [word for name in FORMATS for word in ("-o", f"{name}={place / name}")]
    command = [offcut, "scan", f"docker:{tag}", *options, "-v", "--fail-on", "never", *reports]
    done = subprocess.run(command, capture_output=True, env=docker.env, timeout=600)
    equal(done.returncode, 0, f"exit code\n{done.stderr.decode()}")
    said = {name: (place / name).read_bytes() for name in FORMATS}
    return said | {"table": done.stdout, "standard error": done.stderr}


def the_one(found, wanted, told):
    """The finding of a planted secret."""
    fits = [finding for finding in found if any(at_place(finding, place, wanted) for place in finding["secrets"])]
    assert fits, f"missed {wanted}\n{told}"
    best = min(fits, key=lambda finding: (*LOUD, "low", "note").index(finding["severity"]))
    if wanted.least == "medium":
        assert best["severity"] in LOUD, f"{wanted} is only {best['severity']}\n{told}"
    if wanted.path:
        equal(best["layer"]["number"], wanted.layer, f"layer of {wanted}")
        hidden = best["hidden_by"] and best["hidden_by"]["number"]
        equal(hidden, wanted.hidden_by, f"what hides {wanted}")
        equal(best["state"], "buried" if wanted.hidden_by else "live", f"state of {wanted}")
    assert best["remedy"]["id"] and best["remedy"]["text"], f"no remedy for {wanted}"
    return best


def at_place(finding, place, wanted):
    if finding["rule"] not in wanted.rules or place["path"] != wanted.path:
        return False
    if wanted.member and wanted.member not in (place["member"] or ""):
        return False
    # A form may tell a part of what is planted only, or the user, too.
    return wanted.path is not None or 0 < place["length"] <= len(wanted.value) + 8


def in_sarif(sarif, wanted, finding):
    results = [result for run in sarif["runs"] for result in run["results"] if result["ruleId"] == finding["rule"]]
    assert results, f"{wanted} is not in SARIF"
    rules = {rule["id"]: json.dumps(rule) for run in sarif["runs"] for rule in run["tool"]["driver"]["rules"]}
    said = json.dumps(results) + rules[finding["rule"]]
    title = json.dumps(finding["remedy"]["title"])[1:-1]
    assert title in said, f"SARIF does not name the remedy {title} of {wanted}"


def in_table(table, finding):
    assert finding["rule"] in table, f"{finding['rule']} is not in the table:\n{table}"


def nowhere(wanted, outputs):
    """No piece of eight bytes of a value, in no form, in no output."""
    if wanted.value is None:
        return
    # What its format makes public may be shown.
    value = wanted.value.split("/")[-1] if "/" in wanted.value else wanted.value[8:]
    raw = value.encode()
    forms = [raw, raw[::-1], urllib.parse.quote(value).encode(), raw.hex().encode()]
    forms += [base64.b64encode(raw[skip:])[:-4] for skip in range(3)]
    for form in forms:
        size = 16 if form == raw.hex().encode() else 8
        pieces = {form[at : at + size] for at in range(len(form) - size + 1)}
        for name, said in outputs.items():
            leaked = [said.index(piece) for piece in pieces if piece in said]
            where = leaked and said[max(min(leaked) - 60, 0) : min(leaked)].decode(errors="replace")
            assert not leaked, f"{name} holds a part of the value of {wanted}, after {where!r}"


def line(finding):
    places = "; ".join(
        f"{place['path'] or ''} {place['member'] or ''} {place['key']} layer {place['layer']} hidden by {place['hidden_by']}"
        for place in finding["secrets"][:4]
    )
    return f"  {finding['severity']:8} {finding['rule']:34} {finding['state']}: {places} -> {finding['remedy']['id']}"


if __name__ == "__main__":
    sys.exit(main())
