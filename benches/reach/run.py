#!/usr/bin/env python3
"""Whether what offcut calls unreachable stays untouched: six images are built, run under strace, and compared.

usage: benches/reach/run.py [--base IMAGE] [--reach PROGRAM] [--work DIR] [--only NAME[,NAME]]

Every file of code that a container opened or started must be reached, or lie behind an opening. Each image answers
requests first, and its health check runs. PROGRAM is `target/debug/examples/reach` (`cargo build --example reach`).

needs: root, a Docker daemon (DOCKER names the client), strace, go, npm, javac and the network for Debian packages, npm
and PyPI. IMAGE is a Debian 12 with apt.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCKER = os.environ.get("DOCKER", "docker").split()
APT = "RUN apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n"

NODE_SERVER = """
const express = require('express')
const app = express()
app.use('/hello', require('./routes/hello'))
app.get('/', (_, response) => response.json({ ok: true }))
app.listen(process.env.PORT)
"""
NODE_ROUTE = """
const router = require('express').Router()
router.get('/', (_, response) => response.send('hello'))
module.exports = router
"""
PYTHON_WSGI = "from shop.views import app\n"
PYTHON_VIEWS = """
from flask import Flask, jsonify
from . import models
app = Flask(__name__)
@app.get("/")
def index():
    return jsonify(models.items())
"""
PYTHON_MODELS = "def items():\n    import sqlite3\n    return [sqlite3.sqlite_version]\n"
GO_MAIN = """
package main
import ("net/http"; "os")
func main() {
    http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
    http.ListenAndServe("127.0.0.1:" + os.Getenv("PORT"), nil)
}
"""
C_MAIN = """
#include <arpa/inet.h>
#include <netdb.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    sqlite3 *db;
    sqlite3_open(":memory:", &db);
    getaddrinfo("localhost", 0, 0, &(struct addrinfo *){0});
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bind(s, (void *)&a, sizeof a);
    listen(s, 8);
    for (;;) {
        int c = accept(s, 0, 0);
        char buffer[1000], *answer = "HTTP/1.0 200 OK\\r\\n\\r\\nok";
        read(c, buffer, sizeof buffer);
        write(c, answer, strlen(answer));
        close(c);
    }
}
"""
JAVA_MAIN = """
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Main {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
        server.createContext("/", exchange -> {
            byte[] body = part.Part.text().getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
"""
JAVA_PART = 'package part; public class Part { public static String text() { return "ok"; } }\n'
SHELL_ENTRY = """#!/bin/sh
set -e
: "${ROOT:=/srv/www}"
. /etc/server.env
if [ "${1#-}" != "$1" ] || [ -z "$1" ]; then
    set -- httpd -f -p "127.0.0.1:$PORT" -h "$ROOT" "$@"
fi
for script in /docker-entrypoint.d/*.sh; do "$script"; done
exec "$@"
"""


def images(base):
    """Name, files of the context, commands that prepare it, Dockerfile, and what to ask for."""
    return {
        "node": {
            "files": {
                "package.json": '{"name":"shop","dependencies":{"express":"4.21.2"},"devDependencies":{"typescript":"5.4.5"}}',
                "server.js": NODE_SERVER,
                "routes/hello.js": NODE_ROUTE,
            },
            "prepare": [["npm", "install", "--no-audit", "--no-fund", "--silent"]],
            "dockerfile": f"FROM {base}\n" + APT.format("nodejs") + "WORKDIR /app\nCOPY . .\nENV PORT=18411\n"
            'CMD ["node", "server.js"]\n',
            "ask": ["/", "/hello", "/missing"],
        },
        "python": {
            "files": {"shop/__init__.py": "", "shop/wsgi.py": PYTHON_WSGI, "shop/views.py": PYTHON_VIEWS, "shop/models.py": PYTHON_MODELS},
            "prepare": [
                ["pip", "download", "-q", "-d", "wheels", "--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux2014_x86_64",
                 "flask", "gunicorn", "pytest"],
            ],
            "dockerfile": f"FROM {base}\n" + APT.format("python3 python3-venv")
            + "COPY wheels /wheels\n"
            "RUN python3 -m venv /venv && /venv/bin/pip install --no-index --find-links /wheels flask gunicorn pytest\n"
            "ENV PATH=/venv/bin:$PATH PORT=18412\nWORKDIR /app\nCOPY shop shop\n"
            'CMD ["gunicorn", "--bind", "127.0.0.1:18412", "--worker-tmp-dir", "/tmp", "shop.wsgi:app"]\n',
            "ask": ["/", "/missing"],
        },
        "go": {
            "files": {"main.go": GO_MAIN, "go.mod": "module example.org/shop\ngo 1.19\n"},
            "prepare": [["go", "build", "-o", "shop", "."]],
            "dockerfile": 'FROM scratch\nCOPY shop /shop\nENV PORT=18413\nENTRYPOINT ["/shop"]\n',
            "ask": ["/"],
        },
        "c": {
            "files": {"main.c": C_MAIN},
            "dockerfile": f"FROM {base}\n" + APT.format("gcc libc6-dev libsqlite3-dev")
            + "COPY main.c /src/\nRUN gcc -O2 -o /usr/local/bin/shop /src/main.c -lsqlite3\nENV PORT=18414\nCMD shop\n",
            "ask": ["/"],
        },
        "java": {
            "files": {"Main.java": JAVA_MAIN, "part/Part.java": JAVA_PART, "manifest": "Main-Class: Main\nClass-Path: lib/part.jar\n"},
            "prepare": [
                ["javac", "--release", "11", "Main.java", "part/Part.java"],
                ["sh", "-c", "mkdir -p lib && jar cf lib/part.jar part/*.class && jar cfm shop.jar manifest Main*.class"],
            ],
            "dockerfile": f"FROM {base}\n" + APT.format("default-jre-headless")
            + "WORKDIR /app\nCOPY shop.jar .\nCOPY lib lib\nENV PORT=18415\n"
            'ENTRYPOINT ["java", "-Xshare:auto", "-jar", "shop.jar"]\n',
            "ask": ["/"],
        },
        "shell": {
            "files": {
                "entrypoint.sh": SHELL_ENTRY,
                "server.env": "PORT=18416\n",
                "10-page.sh": '#!/bin/sh\nmkdir -p "${ROOT:-/srv/www}"\necho hello > /srv/www/index.html\n',
            },
            "dockerfile": f"FROM {base}\n" + APT.format("busybox wget make")
            + "RUN ln -s /bin/busybox /usr/local/bin/httpd\nCOPY entrypoint.sh /\nCOPY server.env /etc/\n"
            "COPY 10-page.sh /docker-entrypoint.d/\nRUN chmod +x /entrypoint.sh /docker-entrypoint.d/*\n"
            "ENV PORT=18416\nHEALTHCHECK CMD wget -q -O - http://127.0.0.1:18416/index.html || exit 1\n"
            'ENTRYPOINT ["/entrypoint.sh"]\nCMD ["-v"]\n',
            "ask": ["/index.html"],
        },
    }


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--base", default="debian:bookworm")
    words.add_argument("--reach", type=pathlib.Path, default=ROOT / "target" / "debug" / "examples" / "reach")
    words.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/offcut-reach"))
    words.add_argument("--only", default="")
    chosen = words.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    failed = 0
    print(f"{'image':8} {'opened':>7} {'reached':>8} {'behind':>7} {'data':>5} {'missed':>7}   reached / unknown / unreached bytes")
    for name, image in images(chosen.base).items():
        if chosen.only and name not in chosen.only.split(","):
            continue
        failed += bool(check(name, image, chosen))
    sys.exit(1 if failed else 0)


def check(name, image, chosen):
    """Builds, runs and compares one image; returns what was missed."""
    context = chosen.work / name / "context"
    shutil.rmtree(chosen.work / name, ignore_errors=True)
    for path, text in image["files"].items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(text)
    for command in image.get("prepare", []):
        subprocess.run(command, cwd=context, check=True, env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"})
    (context / "Dockerfile").write_text(image["dockerfile"])
    tag = f"offcut-reach/{name}"
    run([*DOCKER, "build", "-q", "--network", "host", "-t", tag, str(context)])
    config = json.loads(run([*DOCKER, "image", "inspect", tag]))[0]["Config"]
    archive = chosen.work / name / "image.tar"
    run([*DOCKER, "save", "-o", str(archive), tag])
    said = json.loads(run([str(chosen.reach), f"docker-archive:{archive}"]))
    archive.unlink()
    root = unpack(tag, chosen.work / name)
    opened = traced(root, config, image["ask"])
    missed = compare(name, root, said, opened)
    shutil.rmtree(root)
    return missed


def run(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def unpack(tag, work):
    container = run([*DOCKER, "create", tag]).decode().strip()
    run([*DOCKER, "export", "-o", str(work / "root.tar"), container])
    run([*DOCKER, "rm", container])
    root = (work / "root").resolve()
    root.mkdir()
    with tarfile.open(work / "root.tar") as archive:
        archive.extractall(root, filter="fully_trusted")
    (work / "root.tar").unlink()
    return root


# Enters the tree and becomes the command: what the engine would start, as it would start it.
ENTER = "import os,sys; os.chroot(sys.argv[1]); os.chdir(sys.argv[2]); os.execvp(sys.argv[3], sys.argv[3:])"


def traced(root, config, ask):
    """The files below the root that the command and the health check opened, each with the program that did."""
    for directory in ["proc", "dev"]:
        (root / directory).mkdir(exist_ok=True)
        subprocess.run(["mount", "--rbind", f"/{directory}", str(root / directory)], check=True)
    environment = dict(line.split("=", 1) for line in config["Env"])
    logs = [root.parent / "command.log", root.parent / "health.log"]
    try:
        command = (config["Entrypoint"] or []) + (config["Cmd"] or [])
        process = subprocess.Popen(strace(logs[0], root, config, command), env=environment, start_new_session=True)
        port = int(environment["PORT"])
        await_port(port, process)
        for path in ask * 2:
            answer(port, path)
        health = (config.get("Healthcheck") or {}).get("Test") or []
        if health[:1] in (["CMD"], ["CMD-SHELL"]):
            command = health[1:] if health[0] == "CMD" else ["/bin/sh", "-c", health[1]]
            subprocess.run(strace(logs[1], root, config, command), env=environment, check=True, stdout=subprocess.DEVNULL)
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        for directory in ["proc", "dev"]:
            subprocess.run(["umount", "-l", str(root / directory)], check=False)
    return {path: program for log in logs if log.exists() for path, program in read(log, root)}


def strace(log, root, config, command):
    trace = ["/usr/bin/strace", "-f", "-y", "-qq", "-s", "4096", "-e", "trace=open,openat,execve", "-o", str(log)]
    return [*trace, sys.executable, "-c", ENTER, str(root), config["WorkingDir"] or "/", *command]


def await_port(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"error: the command ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("error: nobody listens")


def answer(port, path):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        data = connection.recv(65536)
        if not data.startswith(b"HTTP/1."):
            sys.exit(f"error: no answer to {path}")


def read(log, root):
    """Path and program of every successful open and start below the root, real paths without it."""
    programs = {}
    inside = str(root)
    for line in log.read_text(errors="replace").splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if found := re.search(r"^open(?:at)?\(.*\) = \d+<([^>]*)>", call):
            path = found[1]
            if path.startswith(inside + "/"):
                yield path[len(inside):], programs.get(pid, "")
        elif found := re.match(r'execve\("([^"]*)".* = 0$', call):
            path = real(root, found[1])
            if path is not None:
                programs[pid] = path
                yield path, path


def real(root, path):
    """A path as seen from inside, links followed."""
    for _ in range(40):
        at = root
        for part in pathlib.PurePosixPath(path).parts[1:]:
            at = at / part
            if at.is_symlink():
                target = os.readlink(at)
                rest = path.split("/")[len(at.relative_to(root).parts) + 1:]
                start = target if target.startswith("/") else os.path.join("/", at.parent.relative_to(root), target)
                path = os.path.normpath(os.path.join(start, *rest))
                break
        else:
            return path if at.is_file() else None
    return None


def is_code(root, path):
    """Whether a file is started or loaded, rather than read as data."""
    if re.search(r"\.(js|mjs|cjs|ts|py|pyc|jar|node|sh|so(\.[0-9.]+)?|jsa)$", path) or path.endswith("/lib/modules"):
        return True
    with open(root / path[1:], "rb") as file:
        head = file.read(4)
    return head == b"\x7fELF" or head[:2] == b"#!"


def compare(name, root, said, opened):
    files = {file["path"]: file for file in said["files"]}
    reached = {path for path, file in files.items() if file["chain"]}
    kinds = {opening["kind"] for opening in said["openings"]}
    dirs = [directory.rstrip("/") + "/" for opening in said["openings"] for directory in opening["dirs"]]

    def behind(path, program):
        library = re.search(r"\.so(\.|$)", path) and "libraries" in kinds
        # What a program loads that stands behind an opening stands behind it as well.
        other = "programs" in kinds and program not in reached
        return library or other or any(path.startswith(directory) for directory in dirs)

    counts = dict.fromkeys(["reached", "behind", "data"], 0)
    missed = []
    for path, program in sorted(opened.items()):
        # What is made at run time is no file of the image.
        if path not in files or not (root / path[1:]).is_file():
            continue
        if path in reached:
            counts["reached"] += 1
        elif behind(path, program):
            counts["behind"] += 1
        elif not is_code(root, path):
            counts["data"] += 1
        else:
            missed.append((path, program))
    shares = [0, 0, 0]
    for path, file in files.items():
        runnable = "programs" in kinds and (root / path[1:]).is_file() and os.access(root / path[1:], os.X_OK)
        at = 0 if path in reached else 1 if behind(path, path if runnable else "") or runnable else 2
        shares[at] += file["bytes"]
    total = sum(shares) or 1
    shown = " / ".join(f"{share / 1e6:.1f} MB ({100 * share / total:.0f} %)" for share in shares)
    print(f"{name:8} {len(opened):7} {counts['reached']:8} {counts['behind']:7} {counts['data']:5} {len(missed):7}   {shown}", flush=True)
    for path, program in missed:
        print(f"    missed: {path} by {program}")
    return missed


if __name__ == "__main__":
    main()
