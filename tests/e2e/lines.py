#!/usr/bin/env python3
"""Lines of Dockerfiles: images that four builders made of many styles of Dockerfile, and on which line each finding is.

usage: lines.py [--offcut PROGRAM] [--work DIR] [--only STYLE[,STYLE]]

needs: root, a Docker daemon, buildah, podman, zstd. No network. Each step of a Dockerfile in `lines/` makes a git repository
below /opt/NAME; NAME stands on no other line of the file's stages that are in the image. A finding of /opt/NAME has to be on
that line, or on none; at least half have to be on it. Then a line is put on top, and every finding has to move and keep its
fingerprint. The images are tagged offcut-lines/* and removed at the end; buildah uses a store of its own below DIR.
"""

import json
import re
import subprocess
import sys

from engines import DEMO, HERE, Docker, Layout, run, unmount
from suite import Suite, equal, fresh, options

STYLES = sorted(file.name.removesuffix(".Dockerfile") for file in (HERE / "lines").glob("*.Dockerfile"))
# Builders, and styles that each can not read.
BUILDERS = {
    "classic": {"mounts"},
    "buildkit": set(),
    "buildah": set(),
    "buildah-one-layer": set(),
}


def main():
    chosen = options(__doc__, "STYLE", work="lines").parse_args()
    work = chosen.work.resolve()
    unmount(work / "store")
    fresh(work)
    suite, docker = Suite(chosen.only), Docker()
    store = ["--root", work / "store", "--runroot", work / "store-run"]
    count = {"right": 0, "unknown": 0, "images": 0}
    try:
        base(docker, store, work)
        context(work / "context")
        for style in filter(suite.wants, STYLES):
            for builder, can_not in BUILDERS.items():
                if style not in can_not:
                    with suite.case(f"{style}: {builder}"):
                        judge(chosen.offcut.resolve(), docker, store, work, style, builder, count)
    finally:
        docker.clean()
        unmount(work / "store")
    print("{images} images: {right} findings on the right line, {unknown} on none".format(**count))
    return suite.report()


def base(docker, store, work):
    """Alpine, the lowest layer of the image in testdata/, for the daemon and for buildah."""
    layout = Layout.unpack(DEMO, work / "demo")
    lowest = layout.blob(layout.manifest()["layers"][0])
    (work / "alpine.tar").write_bytes(run("zstd", "--decompress", "--long=31", "--stdout", lowest).stdout)
    with (work / "alpine.tar").open("rb") as stream:
        docker.import_root(stream, "offcut-lines/alpine")
    run("podman", *store, "import", "--change", 'CMD ["/bin/sh"]', work / "alpine.tar", "offcut-lines/alpine")
    # The images that this one is built upon run something at the next build.
    docker.build("offcut-lines/onbuild", HERE / "lines" / "onbuild-base", buildkit=False)
    run("buildah", *store, "bud", "--format", "docker", "--isolation", "chroot", "--tag", "offcut-lines/onbuild", HERE / "lines" / "onbuild-base")


def context(path):
    """A context with a repository under every name that a COPY or an ADD takes."""
    for file in (HERE / "lines").glob("*.Dockerfile"):
        for name in set(re.findall(r"\b(?:copied|added)\w*", file.read_text())):
            repository(path / name / "git")
            with_tar = path / f"{name}.tar"
            run("tar", "-C", path / name, "-cf", with_tar, "git")


def repository(path):
    (path / "objects").mkdir(parents=True, exist_ok=True)
    (path / "refs").mkdir(exist_ok=True)
    (path / "HEAD").write_text("ref: refs/heads/main\n")
    (path / "config").write_text("[core]\n\trepositoryformatversion = 0\n")
    (path / "objects" / "x").write_text("x\n")
    (path / "refs" / "x").write_text("x\n")


def judge(offcut, docker, store, work, style, builder, count):
    dockerfile = HERE / "lines" / f"{style}.Dockerfile"
    tag = f"offcut-lines/{style}-{builder}"
    archive = work / f"{style}-{builder}.tar"
    build(docker, store, work, dockerfile, tag, archive, builder)
    count["images"] += 1
    text = dockerfile.read_bytes().decode()
    own = work / "own" / style
    (own / ".git").mkdir(parents=True, exist_ok=True)
    told = lines(offcut, archive, own, text)
    expected = {name: places(text, name) for name, *_ in told}
    right = 0
    for name, _, line in told:
        assert line is None or line in expected[name], f"/opt/{name} is on line {line}, and stands on {expected[name]}"
        right += line is not None
    assert told, "nothing was found"
    if builder != "buildah-one-layer":
        assert 2 * right >= len(told), f"only {right} of {len(told)} are on a line: {told}"
    count["right"] += right
    count["unknown"] += len(told) - right
    # Behind the directives, which have to stand first.
    kept = re.match(r"(?:#\s*(?:syntax|escape)=.*\n)*", text)[0]
    moved = lines(offcut, archive, own, kept + "# another line\n\n" + text[len(kept):])
    equal(moved, [(name, print_, line and line + 2) for name, print_, line in told], "lines moved by two")


def build(docker, store, work, dockerfile, tag, archive, builder):
    if builder in ("classic", "buildkit"):
        docker.build(tag, work / "context", "--file", dockerfile, buildkit=builder == "buildkit")
        docker.save(tag, archive)
    else:
        layers = "--layers=false" if builder == "buildah-one-layer" else "--layers"
        run("buildah", *store, "bud", layers, "--format", "docker", "--isolation", "chroot", "--tag", tag, "--file", dockerfile, work / "context")
        run("podman", *store, "save", "--quiet", "--output", archive, tag)


def lines(offcut, archive, own, text):
    """Name, fingerprint and line of each repository that is found."""
    (own / "Dockerfile").write_bytes(text.encode())
    command = [offcut, "scan", archive, "-f", "json", "--fail-on", "never", "--dockerfile", "Dockerfile"]
    done = subprocess.run(list(map(str, command)), cwd=own, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    found = []
    for finding in report["findings"]:
        name = re.match(r"/opt/(\w+)/", finding["paths"][0]["files"][0]) if finding["paths"] else None
        if name and finding["rule"] == "vcs/git":
            line = finding.get("line")
            assert line is None or line["file"] == "Dockerfile", line
            found.append((name[1], finding["fingerprint"], line and line["first"]))
    return found


def places(text, name):
    """First lines of the instructions that a name stands in: an instruction goes on behind a backslash and in documents."""
    escape = "`" if re.match(r"#\s*escape=`", text) else "\\"
    found, first, goes_on, mark = [], 0, False, None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if mark is not None:
            if bare == mark:
                mark = None
        elif not (bare.startswith("#") or not bare) or goes_on:
            if not goes_on:
                first = number
            if not bare.startswith("#"):
                goes_on = bare.endswith(escape)
            opened = re.search(r"<<-?\"?(\w+)\"?", line)
            mark = opened[1] if opened else None
        if re.search(rf"\b{name}\b", line) and not (bare.startswith("#") and mark is None):
            found.append(first)
    return found


if __name__ == "__main__":
    sys.exit(main())
