"""Bases with the names that Dockerfiles of other people use: `golang:1.22`, `node:20-slim`, `eclipse-temurin:17-jre`.

They stand for the official images and are made as `bases.py` says, of Debian packages and of wheels: the same programs at
the places where those have them, as far as that can be had; their sizes are not those of the official ones.
"""

import re

from bases import APT, NODE_CONFIG, Bases, certificates


class Official(Bases):
    """The bases under the names of the official images, each made once."""

    def need(self, text):
        """Makes every base that a text names, and what a rewrite may put in its place."""
        named = [name for name in OFFICIAL if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", text)]
        for name in [*named, *(other for word, others in RUNTIME.items() if word in text for other in others)]:
            self.have(name)

    def have(self, name):
        if (known := f"official {name}") not in self.made:
            self.made.add(known)
            OFFICIAL[name](self, name)

    def tag(self, name, source):
        self.docker("tag", source, name)
        self.docker.tags.append(name)

    def official(self, name, base, config, files=()):
        if base in OFFICIAL:
            self.have(base)
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
    text = """\
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


def rust(bases, name):
    """Cargo of Debian, with the variables that the official image has."""
    bases.make("buildpack-deps")
    config = APT.format("cargo") + (
        "ENV RUST_VERSION=1.63.0 CARGO_HOME=/usr/local/cargo\n"
        "ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        'CMD ["bash"]'
    )
    bases.official(name, "offcut-seed/buildpack-deps", config)


OFFICIAL = {
    "alpine:3.20": same("offcut-e2e/alpine"),
    "golang:1.22-alpine": same("offcut-seed/golang:1.22-alpine"),
    "golang:1.22": same("offcut-seed/golang:1.21"),
    "gcc:12": same("offcut-seed/buildpack-deps"),
    "buildpack-deps:bookworm": same("offcut-seed/buildpack-deps"),
    "rust:1.63": rust,
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
# What rewritten files stand on, by a word that the old ones have.
RUNTIME = {
    "golang": ["debian:bookworm-slim", "gcr.io/distroless/static-debian12"],
    "alpine": ["alpine:3.20"],
    "gcc": ["debian:bookworm-slim"],
    "buildpack": ["debian:bookworm-slim"],
    "rust": ["debian:bookworm-slim"],
    "debian": ["debian:bookworm-slim"],
    "node:20": ["node:20-slim"],
    "python": ["python:3.11-slim"],
    "temurin": ["eclipse-temurin:17-jre"],
}
