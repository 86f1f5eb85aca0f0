#!/usr/bin/env python3
"""What `offcut fix` makes of Dockerfiles as people write them: it is built by a real engine, started and asked.

usage: fix.py [--offcut PROGRAM] [--work DIR] [--only CASE[,CASE]] [--quick] [--show] [--keep]

needs: root, a Docker daemon, debootstrap, zstd, pip, npm, and the network for Debian, npm and PyPI packages.
Each case is built as it is and has to answer; then it is rewritten, built again and asked again. Printed are the bytes
before and after, what was predicted, and the findings at medium and above. The bases have the names of the official
images and stand for them: `bases.py` says how they are made.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

from bases import APT, GO_CONFIG, NODE_CONFIG, Bases, certificates
from engines import DEMO, HERE, ROOT, Docker, Layout, debian, node_app, run
from suite import Suite, equal

PORT = 18321


class Case:
    """One Dockerfile: what it is built from, what its service answers, and what has to come of it."""

    def __init__(self, name, app, dockerfile, answer="", outcome="rewritten", reason="", to=None, env=()):
        self.name, self.app, self.dockerfile, self.answer = name, app, dockerfile.lstrip("\n"), answer
        self.outcome, self.reason, self.to, self.env = outcome, reason, to, env


GO, C, TS, PY, JAVA = "hello at 12:00", "answer 42", '{"total":12}', "hello from libpq 15 and a template", "hello from a jar"
JS, FLASK = "hello from express", "hello from flask"

CASES = [
    Case(
        "go-single",
        "go",
        """
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server .
# The port of the service.
EXPOSE 8080
CMD ["./server"]
""",
        GO,
        to="debian:bookworm-slim",
    ),
    Case(
        "go-static",
        "go",
        """
# Made with BuildKit.
FROM golang:1.22
LABEL org.opencontainers.image.title="hello"
ENV CGO_ENABLED=0 GREETING=hello
WORKDIR /src
COPY go.mod ./
COPY . .
RUN --mount=type=cache,target=/root/.cache/go-build go build -trimpath -o /usr/local/bin/hello .
ENTRYPOINT ["hello"]
""",
        GO,
        to="gcr.io/distroless/static-debian12",
    ),
    Case(
        "go-lower-case-alpine",
        "go",
        """
from golang:1.22-alpine
run apk --version && mkdir /srv/app
workdir /srv/app
copy . .
run CGO_ENABLED=0 go build -o hello
cmd ./hello
""",
        GO,
    ),
    Case(
        "go-install",
        "go",
        """
ARG VERSION=1.22
FROM golang:${VERSION}
WORKDIR /go/src/hello
COPY . .
RUN go install .
CMD ["hello"]
""",
        GO,
    ),
    Case(
        "go-last-stage-on-builder",
        "go",
        """
FROM golang:1.22 AS compile
WORKDIR /src
COPY . .
RUN go build -o /out/hello .

# Everything is at hand here.
FROM golang:1.22 AS production
COPY --from=compile /src /src
COPY --from=compile /out/hello /usr/local/bin/
WORKDIR /src
USER nobody
CMD ["hello"]
""",
        GO,
    ),
    Case(
        "go-windows-lines",
        "go",
        "FROM golang:1.22\r\nWORKDIR /app\r\nCOPY . .\r\nRUN CGO_ENABLED=0 go build -o server .\r\nCMD [\"./server\"]\r\n",
        GO,
    ),
    Case(
        "go-runs-go",
        "go",
        """
FROM golang:1.22
WORKDIR /app
COPY . .
CMD ["go", "run", "."]
""",
        GO,
        outcome="refused",
    ),
    Case(
        "go-well-made",
        "go",
        """
FROM golang:1.22 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /hello .

FROM gcr.io/distroless/static-debian12
WORKDIR /srv
COPY --from=build /src/templates ./templates
COPY --from=build /hello /hello
USER 65532:65532
ENTRYPOINT ["/hello"]
""",
        GO,
        outcome="nothing",
    ),
    Case(
        "c-make",
        "c",
        """
FROM gcc:12
RUN apt-get update && apt-get install -y libsqlite3-dev
COPY . /usr/src/app
WORKDIR /usr/src/app
RUN make
CMD ["./server"]
""",
        C,
        to="debian:bookworm-slim",
    ),
    Case(
        "c-cmake-health",
        "c",
        """
# Made with BuildKit.
FROM debian:bookworm
RUN apt-get update
RUN apt-get install -y --no-install-recommends build-essential cmake libsqlite3-dev curl
WORKDIR /src
COPY . .
RUN cmake -S . -B build -DCMAKE_BUILD_TYPE=Release \\
 && cmake --build build \\
 && install build/server /usr/local/bin/server
HEALTHCHECK CMD curl --fail http://localhost:${PORT:-8080}/ || exit 1
CMD server
""",
        C,
    ),
    Case(
        "ts-npm",
        "node",
        """
# The service of the orders.
FROM node:20
WORKDIR /app
COPY package*.json ./
RUN npm ci
COPY . .
RUN npm run build
ENV NODE_ENV=production
EXPOSE 3000
CMD ["node", "dist/server.js"]
""",
        TS,
        to="node:20-slim",
    ),
    Case(
        "ts-npm-start-alpine",
        "node",
        """
FROM node:20-alpine
WORKDIR /usr/src/app
COPY . .
RUN npm install && npm run build
CMD npm start
""",
        TS,
        to="node:20-alpine",
    ),
    Case(
        "ts-yarn",
        "node",
        """
FROM node:20
RUN npm install --global yarn@1.22.22
WORKDIR /app
COPY package.json ./
RUN yarn install
COPY . .
RUN yarn build
CMD ["node", "dist/index.js"]
""",
        TS,
    ),
    Case(
        "ts-pnpm-user",
        "node",
        """
FROM node:20
RUN npm install --global pnpm@9
USER node
WORKDIR /home/node/app
COPY --chown=node:node package.json ./
RUN pnpm install
COPY --chown=node:node . .
RUN pnpm run build
CMD ["node", "dist/index.js"]
""",
        TS,
    ),
    Case(
        "ts-dev-server",
        "node",
        """
FROM node:20
WORKDIR /app
COPY . .
RUN npm ci && npm run build
CMD ["npm", "run", "dev"]
""",
        TS,
        outcome="refused",
        reason="stage",
    ),
    Case(
        "python-libpq",
        "python",
        """
FROM python:3.11
RUN apt-get update && apt-get install -y gcc libpq-dev python3-dev
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-binary psycopg2 -r requirements.txt
COPY . .
CMD ["python3", "app.py"]
""",
        PY,
        to="python:3.11-slim",
    ),
    Case(
        "python-gunicorn-venv",
        "python",
        """
FROM python:3.11
RUN apt-get update \\
 && apt-get install -y --no-install-recommends gcc libpq-dev python3-dev python3-venv \\
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
WORKDIR /srv/app
COPY requirements.txt .
RUN pip install --no-binary psycopg2 -r requirements.txt
COPY . .
EXPOSE 8000
CMD gunicorn -b 0.0.0.0:${PORT:-8000} app:app
""",
        PY,
    ),
    Case(
        "java-jar",
        "java",
        """
FROM eclipse-temurin:17-jdk
WORKDIR /app
COPY . .
RUN mkdir -p target/classes && javac -d target/classes Server.java && jar --create --file target/server.jar --main-class Server -C target/classes .
CMD ["java", "-jar", "target/server.jar"]
""",
        JAVA,
        to="eclipse-temurin:17-jre",
    ),
    Case(
        "go-stage-on-stage",
        "go",
        """
FROM golang:1.22 AS deps
WORKDIR /src
COPY go.mod ./
ENV CGO_ENABLED=0

FROM deps
COPY . .
RUN go build -o /bin/hello .
CMD ["hello"]
""",
        GO,
    ),
    Case(
        "go-copies-too-much",
        "go",
        """
FROM golang:1.22 AS compile
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o server .

FROM debian:bookworm
# Everything, to be sure.
COPY --from=compile /src /src
COPY --from=compile /usr/local/go /usr/local/go
WORKDIR /src
EXPOSE 8080/tcp
CMD ["./server"]
""",
        GO,
    ),
    Case(
        "go-entrypoint-script",
        "go",
        """
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server . \\
 && printf '#!/bin/sh\\nset -e\\nexec ./server "$@"\\n' > entrypoint.sh \\
 && chmod +x entrypoint.sh
ENTRYPOINT ["./entrypoint.sh"]
""",
        GO,
    ),
    Case(
        "go-backtick-escape",
        "go",
        """
# escape=`
FROM golang:1.22
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 `
    go build -o /usr/local/bin/server .
ENTRYPOINT ["/usr/local/bin/server"]
""",
        GO,
    ),
    Case(
        "go-own-user",
        "go",
        """
FROM golang:1.22
RUN groupadd --gid 4711 shop && useradd --uid 4711 --gid shop --create-home shop
WORKDIR /home/shop
COPY --chown=shop:shop . .
RUN go build -o server . && chown shop:shop server
USER shop
CMD ["/home/shop/server"]
""",
        GO,
    ),
    Case(
        "go-args-labels-signals",
        "go",
        """
FROM golang:1.22
ARG REVISION=unknown
ENV REVISION=$REVISION LOG=json
LABEL maintainer="team@example.org" \\
      org.opencontainers.image.revision=$REVISION
MAINTAINER somebody
STOPSIGNAL SIGTERM
VOLUME /data
WORKDIR /srv
ADD . .
RUN set -eux; \\
    # comments stand between the lines
    go vet . ; \\
    go build -o server
EXPOSE 80 443
CMD exec ./server
""",
        GO,
    ),
    Case(
        "go-onbuild",
        "go",
        """
FROM golang:1.22
WORKDIR /app
COPY . .
RUN go build -o server .
ONBUILD COPY config /app/config
CMD ["./server"]
""",
        GO,
        outcome="refused",
        reason="ONBUILD",
    ),
    Case(
        "java-classpath",
        "java",
        """
FROM eclipse-temurin:17-jdk
COPY . /app
WORKDIR /app
RUN javac -d classes Server.java
ENTRYPOINT ["java", "-Xmx64m", "-cp", "classes", "Server"]
""",
        JAVA,
    ),
    Case(
        "java-options",
        "java",
        """
FROM eclipse-temurin:17-jdk
ENV JAVA_OPTS="-Xmx64m"
WORKDIR /srv
COPY . .
RUN javac Server.java && jar cfe app.jar Server *.class && rm *.class
CMD java $JAVA_OPTS -jar app.jar
""",
        JAVA,
    ),
    Case(
        "c-purged-later",
        "c",
        """
FROM debian:bookworm
RUN apt-get update && apt-get install -y gcc make libc6-dev libsqlite3-dev
WORKDIR /src
COPY . .
RUN make && cp server /usr/local/bin/
RUN apt-get purge -y gcc make libc6-dev && apt-get autoremove -y && rm -rf /src /var/lib/apt/lists/*
WORKDIR /
CMD ["server"]
""",
        C,
    ),
    Case(
        "js-all-dependencies",
        "js",
        """
FROM node:20
WORKDIR /app
COPY . .
RUN npm install
EXPOSE 3000
CMD ["node", "server.js"]
""",
        JS,
    ),
    Case(
        "js-production-only",
        "js",
        """
FROM node:20
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev --no-audit && npm cache clean --force
COPY server.js .
USER 1000
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["server.js"]
""",
        JS,
    ),
    Case(
        "ts-ships-the-builder",
        "node",
        """
FROM node:20 AS builder
WORKDIR /app
COPY . .
RUN npm ci && npm run build

FROM node:20
WORKDIR /app
COPY --from=builder /app ./
CMD ["node", "dist/server.js"]
""",
        TS,
    ),
    Case(
        "python-plain",
        "flask",
        """
FROM python:3.11
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
ENV FLASK_APP=app.py
CMD python3 -m flask run --host 0.0.0.0 --port ${PORT:-5000}
""",
        FLASK,
    ),
    Case(
        "python-slim-with-compiler",
        "python",
        """
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev libc6-dev python3-dev
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary psycopg2 -r requirements.txt
COPY . .
ENTRYPOINT ["python3"]
CMD ["app.py"]
""",
        PY,
    ),
    Case(
        "python-of-debian",
        "flask",
        """
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends gcc python3-flask
WORKDIR /app
COPY . .
CMD python3 -m flask run --host 0.0.0.0 --port ${PORT:-5000}
""",
        FLASK,
        outcome="refused",
        reason="distribution",
    ),
]


QUICK = {"go-single", "go-static", "go-runs-go", "go-well-made", "c-cmake-health", "ts-npm", "python-libpq", "java-jar"}


# Cases whose image alone is mended as well.
WITHOUT_FILE = {"go-single", "ts-npm"}
# Cases that `--verify` proves as well, by this command or by their health check.
VERIFIED = {"go-static": f"curl -fsS http://127.0.0.1:{PORT}/", "c-cmake-health": ""}


class Official(Bases):
    """The bases under the names of the official images."""

    def need(self, text):
        for name, maker in OFFICIAL.items():
            if name in text:
                maker(self, name)

    def tag(self, name, source):
        self.docker("tag", source, name)
        self.docker.tags.append(name)

    def official(self, name, base, config, files=()):
        self.build("tmp", base, config, files)
        self.tag(name, "offcut-seed/tmp")


def same(source):
    def maker(bases, name):
        if source.startswith("offcut-seed/"):
            bases.make(source.removeprefix("offcut-seed/"))
        bases.tag(name, source)

    return maker


# What the official images set so that apt keeps neither packages nor their index.
DOCKER_CLEAN = b"""APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


def debian_slim(bases, name):
    bases.official(name, "offcut-e2e/debian", "", [("etc/apt/apt.conf.d/docker-clean", 0o644, DOCKER_CLEAN)])


def node_slim(bases, name):
    users = "RUN groupadd -g 1000 node && useradd -u 1000 -g node -s /bin/bash -m node\n"
    bases.official(name, "debian:bookworm-slim", users + NODE_CONFIG, bases.node_files("manylinux_2_17_x86_64"))


PYTHON = (
    APT.format("python3-minimal python3-pip libpython3-stdlib")
    + "ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_CERT=/etc/ssl/machine.crt PIP_ROOT_USER_ACTION=ignore\n"
    'CMD ["python3"]'
)


def python_slim(bases, name):
    bases.official(name, "debian:bookworm-slim", PYTHON, [certificates()])


def python_full(bases, name):
    bases.make("buildpack-deps")
    bases.official(name, "offcut-seed/buildpack-deps", PYTHON, [certificates()])


def static(bases, name):
    """Certificates, time zones and a user: what the smallest distroless image has."""
    bases.make("buildpack-deps")
    text = f"""\
FROM offcut-seed/buildpack-deps AS files
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/usr/share /root-fs/tmp /root-fs/home/nonroot \\
 && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \\
 && cp -r /usr/share/zoneinfo /root-fs/usr/share/ \\
 && printf 'root:x:0:0:root:/root:/sbin/nologin\\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\\n' > /root-fs/etc/passwd \\
 && printf 'root:x:0:\\nnobody:x:65534:\\nnonroot:x:65532:\\n' > /root-fs/etc/group \\
 && chmod 1777 /root-fs/tmp
FROM scratch
COPY --from=files /root-fs /
"""
    context = bases.work / "static"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(text)
    bases.docker.build(name, context)


def java(package):
    def maker(bases, name):
        config = APT.format(f"ca-certificates {package}") + (
            "ENV JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64\n" 'CMD ["bash"]'
        )
        bases.official(name, "debian:bookworm-slim", config)

    return maker


# In this order: a name that another begins with comes behind it.
OFFICIAL = {
    "alpine:3.20": same("offcut-e2e/alpine"),
    "golang:1.22-alpine": same("offcut-seed/golang:1.22-alpine"),
    "golang:1.22": same("offcut-seed/golang:1.21"),
    "gcc:12": same("offcut-seed/buildpack-deps"),
    "debian:bookworm-slim": debian_slim,
    "debian:bookworm": same("offcut-e2e/debian"),
    "node:20-alpine": same("offcut-seed/node:20-alpine"),
    "node:20-slim": node_slim,
    "node:20": same("offcut-seed/node:20"),
    "python:3.11-slim": python_slim,
    "python:3.11": python_full,
    "eclipse-temurin:17-jdk": java("openjdk-17-jdk-headless"),
    "eclipse-temurin:17-jre": java("openjdk-17-jre-headless"),
    "gcr.io/distroless/static-debian12": static,
}
# What the rewritten files stand on.
RUNTIME = "alpine:3.20 debian:bookworm-slim node:20-slim node:20-alpine python:3.11-slim eclipse-temurin:17-jre gcr.io/distroless/static-debian12"

QUICK_RUNTIME = RUNTIME.replace("alpine:3.20 ", "").replace("node:20-alpine ", "")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "e2e")
    words.add_argument("--only", default="", metavar="CASE[,CASE]")
    words.add_argument("--quick", action="store_true", help="one case of each kind")
    words.add_argument("--show", action="store_true", help="print what the files become")
    words.add_argument("--keep", action="store_true", help="leave the images in the daemon")
    chosen = words.parse_args()

    work = chosen.work.resolve() / "fix"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    suite, docker, rows = Suite(chosen.only), Docker(), []
    cases = [case for case in CASES if suite.wants(case.name) and (case.name in QUICK or not chosen.quick)]
    try:
        with suite.case("fix: bases"):
            debian(docker, chosen.work.resolve())
            node_app(docker, Layout.unpack(DEMO, work / "demo"), work)
            bases = Official(docker, chosen.work.resolve(), work)
            bases.need("\n".join(case.dockerfile.replace("${VERSION}", "1.22") for case in cases) + (QUICK_RUNTIME if chosen.quick else RUNTIME))
        for case in cases:
            with suite.case(f"fix: {case.name}"):
                rows.append(prove(chosen.offcut.resolve(), docker, case, work / case.name, chosen.show))
    finally:
        table(rows)
        if not chosen.keep:
            docker.clean()
    return suite.report()


def prove(offcut, docker, case, work, show):
    """Builds, asks, rewrites, builds and asks again; gives a row of the table."""
    context = work / "context"
    shutil.copytree((HERE / "seeds" if case.app == "node" else HERE / "fix") / case.app, context)
    if (context / "package.json").exists() and "npm" in case.dockerfile and "global" not in case.dockerfile:
        run("npm", "install", "--package-lock-only", "--no-audit", "--no-fund", cwd=context)
    before = f"offcut-fix/{case.name}"
    file = work / "Dockerfile"
    file.write_bytes(case.dockerfile.encode())
    docker.build(before, context, "--file", file)
    if case.outcome != "refused":
        ask(docker, before, case.answer)
    command = [offcut, "fix", f"docker:{before}", "--dockerfile", file, "--format", "json"]
    done = subprocess.run(command, capture_output=True, env=docker.env, timeout=600)
    assert done.returncode in (0, 1), done.stderr.decode()
    made = json.loads(done.stdout)
    if show:
        print(made["dockerfile"] or made["reason"])
        for change in made["changes"]:
            print(f"    {change['what']}: {change['why']}")
    equal(made["outcome"], case.outcome, f"outcome ({made['reason']})")
    equal(done.returncode, int(case.outcome == "refused"), "exit code")
    if case.outcome != "rewritten":
        assert case.reason in made["reason"], made["reason"]
        return (case.name, case.outcome, "", "", "", "", made["reason"])
    if case.to:
        equal(made["base"]["to"], case.to, "new base")
    comments = [line for line in case.dockerfile.splitlines() if line.startswith("#")]
    assert all(comment in made["dockerfile"] for comment in comments), "a comment is lost"
    if "\r\n" in case.dockerfile:
        assert made["dockerfile"].count("\n") == made["dockerfile"].count("\r\n"), "mixed line ends"
    after = f"{before}-fixed"
    file.write_bytes(made["dockerfile"].encode())
    docker.build(after, context, "--file", file)
    ask(docker, after, case.answer)
    same_config(docker, before, after)
    left = loud(offcut, docker, after)
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout) for image in (before, after)]
    measured, predicted = sizes[0] - sizes[1], made["bytes"]["saved"]
    assert predicted is not None, "the base is at hand, and its size was not read"
    error = abs(predicted - measured) / measured
    row = (case.name, "works", sizes[0], sizes[1], measured, f"{error:.1%}", ", ".join(left))
    if case.name in WITHOUT_FILE:
        without_file(offcut, docker, case, before, context, file)
    if case.name in VERIFIED:
        verify(offcut, docker, case, before, context, work)
    assert error <= 0.05, f"predicted {predicted:,} and measured {measured:,} bytes saved"
    equal(left, [], "findings at medium and above")
    return row


def without_file(offcut, docker, case, before, context, file):
    """The image alone: its history stands for the Dockerfile, and what is made of it builds and answers, too."""
    (base,) = [line.split()[1] for line in case.dockerfile.splitlines() if line.startswith("FROM ")]
    command = [offcut, "fix", f"docker:{before}", "--base", f"docker:{base}", "--format", "json"]
    made = json.loads(run(*command, env=docker.env).stdout)
    equal(made["outcome"], "rewritten", f"outcome without the Dockerfile ({made['reason']})")
    assert made["guessed"], "nothing is guessed"
    file.write_bytes(made["dockerfile"].encode())
    image = f"{before}-rebuilt"
    docker.build(image, context, "--file", file)
    ask(docker, image, case.answer)


def verify(offcut, docker, case, before, context, work):
    """`--verify` comes to the same: it builds both, asks both and measures both."""
    own = work / "Dockerfile.own"
    own.write_bytes(case.dockerfile.encode())
    command = [offcut, "fix", f"docker:{before}", "--dockerfile", own, "--verify", "--context", context, "--format", "json"]
    command += ["--engine", docker.client, "--build-option=--network=host", "--run-option=--network=host"]
    command += [f"--run-option=--env=PORT={PORT}"]
    command += ["--smoke", VERIFIED[case.name]] if VERIFIED[case.name] else []
    done = run(*command, env=docker.env)
    verified = json.loads(done.stdout)["verified"]
    equal((verified["fault"], verified["changed"]), (None, []), "verified")
    equal(verified["after"]["loud"], 0, "findings at medium and above, verified")
    saved = verified["before"]["bytes"] - verified["after"]["bytes"]
    assert abs(verified["predicted"] - saved) <= 0.05 * saved, verified
    # One that answers something else is told apart.
    command[command.index("--format") + 1] = "text"
    wrong = [*command[:-2], "--smoke", "date +%N"] if VERIFIED[case.name] else None
    if wrong:
        done = subprocess.run(wrong, capture_output=True, env=docker.env, timeout=900)
        equal(done.returncode, 1, "exit code for another answer")
        assert b"NOT VERIFIED" in done.stderr, done.stderr.decode()


def ask(docker, image, answer):
    """Starts the image and waits for its answer."""
    name = f"offcut-fix-{PORT}"
    docker("rm", "--force", name, check=False)
    docker("run", "--detach", "--name", name, "--network", "host", "--env", f"PORT={PORT}", image)
    try:
        fault = None
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{'/total' if answer == TS else '/'}", timeout=2) as got:
                    text = got.read().decode()
                assert answer in text, f"{image} answers {text!r}"
                return
            except OSError as error:
                fault = error
                time.sleep(0.2)
        logs = docker("logs", name)
        raise AssertionError(f"{image} does not answer: {fault}\n{logs.stdout.decode()}{logs.stderr.decode()}")
    finally:
        docker("rm", "--force", name, check=False)


def same_config(docker, before, after):
    """What configures the run is the same, but for the user and what the base brings."""
    old, new = (json.loads(docker("image", "inspect", image).stdout)[0]["Config"] for image in (before, after))
    for key in ("Cmd", "Entrypoint", "WorkingDir", "ExposedPorts", "Healthcheck", "Labels", "Volumes"):
        equal(new.get(key), old.get(key), key)


def loud(offcut, docker, image):
    command = [offcut, "scan", f"docker:{image}", "-f", "json", "--fail-on", "never"]
    done = run(*command, env=docker.env)
    report = json.loads(done.stdout)
    return [f["rule"] for f in report["findings"] if f["severity"] in ("critical", "high", "medium")]


def table(rows):
    print(f"\n{'case':26} {'outcome':10} {'before':>14} {'after':>14} {'saved':>14} {'error':>6}  left, or why not")
    for name, outcome, before, after, saved, error, left in rows:
        sizes = [f"{size:,}" if size != "" else "" for size in (before, after, saved)]
        print(f"{name:26} {outcome:10} {sizes[0]:>14} {sizes[1]:>14} {sizes[2]:>14} {error:>6}  {left}")


if __name__ == "__main__":
    sys.exit(main())
