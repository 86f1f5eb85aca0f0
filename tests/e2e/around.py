#!/usr/bin/env python3
"""What stands around the program: its own image, the plugin of docker, releases, hooks, a full disk.

usage: tests/e2e/around.py [--offcut PROGRAM] [--only WORD,...]

needs: root (it mounts small file systems), a Docker daemon (DOCKER_HOST, DOCKER names the client), git, and pre-commit and
PyYAML of PyPI. The program has to be one without a loader, such as that of
RUSTFLAGS='-C target-feature=+crt-static' cargo build --target x86_64-unknown-linux-gnu
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

import yaml

from engines import DEMO, ROOT, Docker, Layout, run
from suite import Suite, equal, within

# Stands for the compiler, which no machine without a registry can have as an image: it gives out what was built outside,
# if everything is there that it would have needed.
CARGO = """#!/bin/sh
set -e
[ "$*" = "build --locked --release" ]
test -f Cargo.toml -a -f Cargo.lock -a -f build.rs -a -f src/main.rs -a -f policies/README.md
mkdir -p target/release
cp /usr/local/lib/built target/release/offcut
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--offcut", default=str(ROOT / "target" / "debug" / "offcut"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    suite, docker = Suite(options.only), Docker()
    offcut = pathlib.Path(options.offcut).resolve()
    with tempfile.TemporaryDirectory(prefix="offcut-around-") as work:
        for group in (image, plugin, release, hooks, gitlab, disk):
            if suite.wants(group.__name__):
                place = pathlib.Path(work) / group.__name__
                place.mkdir()
                group(suite, docker, offcut, place)
    return suite.report()


def image(suite, docker, offcut, work):
    """The Dockerfile of offcut's own image, with a stand-in for the compiler."""
    tag, context = "offcut-around/own", work / "context"
    with suite.case("image: the Dockerfile builds from what .dockerignore lets through"):
        stand_in = work / "rust"
        stand_in.mkdir()
        layout = Layout.unpack(DEMO, work / "demo")
        lowest = layout.blob(layout.manifest()["layers"][0])
        (stand_in / "alpine.tar").write_bytes(run("zstd", "--decompress", "--long=31", "--stdout", lowest).stdout)
        for name, body in {"cargo": CARGO.encode(), "apk": b"#!/bin/sh\n", "strip": b"#!/bin/sh\n"}.items():
            (stand_in / name).write_bytes(body)
            (stand_in / name).chmod(0o755)
        shutil.copy(offcut, stand_in / "built")
        (stand_in / "Dockerfile").write_text(
            "FROM scratch\nADD alpine.tar /\nCOPY cargo apk strip /usr/local/bin/\nCOPY built /usr/local/lib/built\n"
            "ENV PATH=/usr/local/bin:/usr/bin:/bin\n")
        docker.build("offcut-around/rust", stand_in)
        text = (ROOT / "Dockerfile").read_text()
        equal(len(re.findall("^FROM rust:.* AS build$", text, re.M)), 1, "the stage of the compiler")
        tracked = run("git", "-c", "safe.directory=*", "ls-files", "-z", cwd=ROOT).stdout.decode().split("\0")
        for name in filter(None, tracked):
            if (ROOT / name).is_file():
                (context / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, context / name)
        (context / "Dockerfile").write_text(re.sub("^FROM rust:.* AS", "FROM offcut-around/rust AS", text, flags=re.M))
        docker.build(tag, context)
    with suite.case("image: offcut finds nothing in it"):
        done = subprocess.run([offcut, "scan", f"docker:{tag}", "--dockerfile", context / "Dockerfile", "-f", "json",
                               "--fail-on", "note"], env=docker.env, capture_output=True, check=False)
        report = json.loads(done.stdout)
        equal((done.returncode, report["findings"]), (0, []), done.stderr.decode())
        equal((report["user"]["uid"], report["user"]["gid"], report["totals"]["files"]), (65532, 65532, 2), "user, files")
    with suite.case("image: it runs as its numeric user, and scans what is piped into it"):
        equal(docker("run", "--rm", tag, "-V").stdout.decode().split()[0], "offcut", "-V")
        with open(DEMO, "rb") as demo:
            done = docker("run", "--rm", "--interactive", "--network", "none", "--read-only", tag, "scan", "-",
                          "-f", "json", stdin=demo, check=False)
        equal(done.returncode, 1, done.stderr.decode())
        piped, direct = json.loads(done.stdout), json.loads(
            subprocess.run([offcut, "scan", DEMO, "-f", "json"], stdout=subprocess.PIPE, check=False).stdout)
        equal(piped["findings"], direct["findings"], "findings")
    with suite.case("image: it reaches an engine by its socket"):
        socket = docker.host.removeprefix("unix://")
        done = docker("run", "--rm", "--volume", f"{socket}:/var/run/docker.sock", "--user", "0", tag, "scan",
                      f"docker:{tag}")
        within("PASSED", done.stdout.decode(), "report")


def plugin(suite, docker, offcut, work):
    """`docker offcut`, under every docker client of this machine."""
    (work / "cli-plugins").mkdir()
    (work / "cli-plugins" / "docker-offcut").symlink_to(offcut)
    (work / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\nUSER 1:1\n")
    docker.build("offcut-around/plugin", work)
    clients = {os.path.realpath(client) for client in (shutil.which(docker.client), shutil.which("docker")) if client}
    for client in sorted(clients):
        bare = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "DOCKER_CONFIG": str(work)}

        def ran(*words, client=client, bare=bare, **more):
            done = subprocess.run([client, *words], env=bare | more, capture_output=True, check=False)
            return done.returncode, done.stdout.decode(), done.stderr.decode()

        version = ran("--version")[1].split(",")[0]
        with suite.case(f"plugin: {version} lists it without a warning"):
            code, out, err = ran("--help")
            equal(code, 0, err)
            line = next((line for line in out.splitlines() if "offcut*" in line), None)
            assert line and "container image" in line, out
            assert "offcut" not in err, err
        with suite.case(f"plugin: {version} hands on engine, arguments and exit code"):
            image = "docker:offcut-around/plugin"
            code, out, err = ran("offcut", "scan", image, DOCKER_HOST=docker.host)
            equal((code, "PASSED" in out), (0, True), out + err)
            code, out, err = ran("--host", docker.host, "offcut", image, DOCKER_HOST="tcp://127.0.0.1:1")
            equal((code, "PASSED" in out), (0, True), out + err)
            code, out, err = ran("-H", "tcp://127.0.0.1:1", "offcut", "scan", image, DOCKER_HOST=docker.host)
            equal(code, 3, out + err)
            within("127.0.0.1:1", err, "the error")
            equal(ran("offcut", "scan", str(DEMO))[0], 1, "a finding")
            equal(ran("offcut", "scan", "--no-such-option")[0], 2, "a wrong option")
            code, out, err = ran("-D", "offcut", "scan", str(DEMO), "-f", "json")
            within("debug: read ", err, "verbose")
        with suite.case(f"plugin: {version}, contexts"):
            equal(ran("context", "create", "far", "--docker", f"host={docker.host}")[0], 0, "a context")
            try:
                code, out, err = ran("--context", "far", "offcut", "scan", image)
                equal((code, "PASSED" in out), (0, True), out + err)
                code, out, err = ran("--config", str(work), "--context", "far", "offcut", "scan", image, DOCKER_CONFIG="/none")
                equal((code, "PASSED" in out), (0, True), out + err)
            finally:
                equal(ran("context", "rm", "far")[0], 0, "removed")
        with suite.case(f"plugin: {version}, help"):
            code, out, err = ran("offcut", "--help")
            equal(code, 0, err)
            within("docker offcut", out, "usage")
            code, out, err = ran("offcut", "scan", "--help")
            within("Usage: docker offcut scan", out, err)


def release(suite, _docker, offcut, work):
    env = os.environ | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    pack = ROOT / ".github" / "release" / "pack"
    with suite.case("release: an archive holds the program, its pages and completions, and is the same again"):
        digests = set()
        for name in ("one", "two"):
            run(pack, offcut, "x86_64-unknown-linux-musl", work / name, cwd=ROOT, env=env)
            (archive,) = (work / name).iterdir()
            digests.add(hashlib.sha256(archive.read_bytes()).hexdigest())
        equal(len(digests), 1, "archives")
        with tarfile.open(archive) as members:
            names = {member.name.partition("/")[2]: member for member in members}
            assert all((member.uid, member.gid) == (0, 0) for member in names.values())
        want = {"offcut", "LICENSE", "README.md", "CHANGELOG.md", "man/offcut.1", "man/offcut-rules-list.1"}
        want |= {f"completions/offcut.{shell}" for shell in ("bash", "elvish", "fish", "powershell", "zsh")}
        equal(want - names.keys(), set(), "members")
        equal(oct(names["offcut"].mode & 0o777), "0o755", "mode")
    with suite.case("release: a program that needs a loader is refused"):
        done = run(pack, "/bin/true", "x86_64-unknown-linux-musl", work / "bad", cwd=ROOT, env=env, check=False)
        equal((done.returncode, (work / "bad").exists()), (1, False), done.stderr.decode())
        within("is not static", done.stderr.decode(), "error")
    with suite.case("release: shells and man take what is generated"):
        run(offcut, "man", work / "man")
        for page in sorted((work / "man").iterdir()):
            within(".TH", page.read_text(), page.name)
        for shell in filter(shutil.which, ("bash", "fish", "zsh")):
            script = work / f"completion.{shell}"
            script.write_bytes(run(offcut, "completion", shell).stdout)
            run(shell, "-n", script)
        asks = f"source {work}/completion.bash; COMP_WORDS=(offcut sc); COMP_CWORD=1; _offcut offcut sc offcut; echo ${{COMPREPLY[@]}}"
        equal(run("bash", "-c", asks).stdout.decode().split(), ["scan"], "offcut sc<TAB>")


def hooks(suite, _docker, offcut, work):
    bin, repository = work / "bin", work / "repository"
    bin.mkdir()
    (bin / "offcut").symlink_to(offcut)
    tools = pathlib.Path(sys.executable).parent
    env = {"HOME": str(work), "PATH": os.pathsep.join([str(bin), str(tools), os.environ["PATH"]]), "PRE_COMMIT_HOME": str(work / "cache")}
    env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    commit = run("git", "rev-parse", "HEAD", cwd=ROOT, env=env).stdout.decode().strip()

    def hooked(arguments, *words):
        (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [
            {"repo": str(ROOT), "rev": commit, "hooks": [{"id": "offcut-system", "args": arguments}]}]}))
        run("git", "add", ".", cwd=repository, env=env)
        command = [sys.executable, "-m", "pre_commit", "run", "--hook-stage", "pre-push", *words]
        return run(*command, cwd=repository, env=env, check=False)

    run("git", "init", "--quiet", repository, env=env)
    (repository / "Dockerfile").write_text("FROM scratch\n")
    (repository / "main.c").write_text("int main;\n")
    with suite.case("hooks: a finding stops the push, and the report is shown"):
        done = hooked([str(DEMO)], "--all-files")
        equal(done.returncode, 1, done.stdout.decode())
        within("dev-dependency/npm", done.stdout.decode(), "report")
    with suite.case("hooks: an image that passes, and files that are no concern of it"):
        done = hooked([str(DEMO), "--fail-on", "never"], "--all-files")
        within("Passed", done.stdout.decode(), done.stderr.decode())
        done = hooked([str(DEMO)], "--files", "main.c")
        within("no files to check", done.stdout.decode(), done.stderr.decode())


def gitlab(suite, _docker, offcut, work):
    job = yaml.safe_load((ROOT / "docs" / "ci" / "gitlab.yml").read_text())[".offcut"]
    name = f"offcut-1.2.3-{os.uname().machine}-unknown-linux-musl"
    bin, files = work / "bin", work / "files" / "v1.2.3"
    bin.mkdir()
    files.mkdir(parents=True)
    with tarfile.open(files / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(offcut, f"{name}/offcut")
    (bin / "wget").write_text(f'#!/bin/sh\ncp "{work}/files/${{4#https://example.test/}}" "$3"\n')
    (bin / "wget").chmod(0o755)
    digest = hashlib.sha256((files / f"{name}.tar.gz").read_bytes()).hexdigest()

    def ran(**variables):
        place = pathlib.Path(tempfile.mkdtemp(dir=work))
        given = {"OFFCUT_RELEASE": "1.2.3", "OFFCUT_RELEASE_URL": "https://example.test", "OFFCUT_RELEASE_SHA256": digest,
                 "OFFCUT_IMAGE": str(DEMO)}
        env = {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": str(place)} | job["variables"] | given | variables
        return run("sh", "-e", "-c", "\n".join(job["script"]), cwd=place, env=env, check=False), place

    with suite.case("gitlab: the job fails with the exit code and keeps the reports; variables are options"):
        done, place = ran()
        equal(done.returncode, 1, done.stderr.decode())
        kept = [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]
        equal([json.loads((place / file).read_text()) != {} for file in kept], [True] * 4, "artifacts")
        equal(ran(OFFCUT_FAIL_ON="never")[0].returncode, 0, "OFFCUT_FAIL_ON")
    with suite.case("gitlab: another archive than the checked one never runs, and nothing is guessed"):
        done, place = ran(OFFCUT_RELEASE_SHA256="0" * 64)
        equal((done.returncode, (place / "offcut.json").exists()), (1, False), done.stdout.decode())
        within("OFFCUT_RELEASE: is empty", ran(OFFCUT_RELEASE="")[0].stderr.decode(), "error")


def disk(suite, _docker, offcut, work):
    """Where reports can not be written: a clear message, and never a part of a file."""
    small, fixed = work / "small", work / "fixed"

    def scanned(*words):
        done = subprocess.run([offcut, "scan", DEMO, "-q", "--fail-on", "never", *words], capture_output=True, check=False)
        return done.returncode, done.stderr.decode()

    with mounted(small, "size=64k"), mounted(fixed, "size=1m,ro"):
        for form in ("json", "sarif", "table"):
            with suite.case(f"disk: a full one, {form}"):
                old = small / "old"
                old.write_text("old")
                # Room for a beginning: what fails is the middle, not the first byte.
                fill(small / "fill", 8192 if form != "table" else 0)
                for file in (small / "new", old):
                    code, err = scanned("-f", form, "-o", file)
                    equal(code, 3, err)
                    within(f'error: can not write the report to "{file}"\n  cause: No space left on device', err, "error")
                equal(sorted(f.name for f in small.iterdir()), ["fill", "old"], "files")
                equal(old.read_text(), "old", "the old file")
                for file in small.iterdir():
                    file.unlink()
        with suite.case("disk: one that is read-only is told before the scan"):
            code, err = scanned("-o", fixed / "out")
            equal(code, 2, err)
            within(f'error: can not write "{fixed}/out"\n  cause: Read-only file system', err, "error")
        with suite.case("disk: standard output that is full, and the device of that name"):
            for words in (["-f", "json"], ["-f", "table"]):
                with open("/dev/full", "wb") as full:
                    done = subprocess.run([offcut, "scan", DEMO, *words], stdout=full, stderr=subprocess.PIPE, check=False)
                equal(done.returncode, 3, "exit code")
                within("error: can not write to standard output\n  cause: No space left on device", done.stderr.decode(), "error")
            code, err = scanned("-o", "/dev/full")
            equal(code, 3, err)
            within('can not write the report to "/dev/full"', err, "error")
        with suite.case("disk: the other commands"):
            (small / "Dockerfile").write_text("FROM scratch\n")
            fill(small / "fill", 0)
            done = subprocess.run([offcut, "man", small / "man"], capture_output=True, check=False)
            equal(done.returncode, 3, done.stderr.decode())
            within("No space left on device", done.stderr.decode(), "man")
            equal(list((small / "man").iterdir()), [], "a page")
            done = subprocess.run([offcut, "diff", DEMO, DEMO, "-f", "json", "-o", small / "diff"], capture_output=True, check=False)
            equal((done.returncode, (small / "diff").exists()), (3, False), done.stderr.decode())
            with open("/dev/full", "wb") as full:
                for words in (["rules", "list"], ["completion", "bash"], ["man"], ["version"], ["files", DEMO]):
                    done = subprocess.run([offcut, *words], stdout=full, stderr=subprocess.PIPE, check=False)
                    equal(done.returncode, 3, words)
                    within("error: can not write to standard output", done.stderr.decode(), words)


def fill(file, left):
    """Writes a file until there is no more room than `left` bytes."""
    with open(file, "wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(b"x" * 4096):
            pass
    os.truncate(file, file.stat().st_size - left)


@contextlib.contextmanager
def mounted(place, options):
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", options, "tmpfs", place)
    try:
        yield
    finally:
        run("umount", place)


if __name__ == "__main__":
    sys.exit(main())
