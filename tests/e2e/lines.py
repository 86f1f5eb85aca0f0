#!/usr/bin/env python3
"""Lines of Dockerfiles: images that eight builders made of many styles of Dockerfile, and on which line each finding is.

usage: lines.py [--offcut PROGRAM] [--work DIR] [--only STYLE[,STYLE]]

needs: root, a Docker daemon, buildah, podman, zstd; for the newer builders (`newer.py`) debootstrap and the network for
Debian packages, once. Each step of a Dockerfile in `lines/` makes a git repository below /opt/NAME; NAME stands on no other
line of the file's stages that are in the image. A finding of /opt/NAME has to be on that line, or on none; at least half
have to be on it. Then a line is put on top, and every finding has to move and keep its fingerprint. Where the image has
provenance, the Dockerfile in there has to tell the same lines, and to become the same in `offcut fix`. The images are tagged offcut-lines/* and removed at the end;
buildah uses a store of its own below DIR, and the newer engine all of its own.
"""

import json
import re
import subprocess
import sys

from engines import DEMO, HERE, Docker, Layout, run, unmount
from newer import Newer
from suite import Suite, equal, fresh, options

STYLES = sorted(file.name.removesuffix(".Dockerfile") for file in (HERE / "lines").glob("*.Dockerfile"))
# Styles that only newer builders can read.
NEW = {"documents", "links", "scripts"}
# What the names of those builders end with, and of the case that makes their root.
NEWER = ("-26", "-1.39", "-1.39-one-layer", "newer bases")
# Styles that `offcut fix` rewrites.
MENDED = {"program"}
# Builders, and styles that each can not read.
BUILDERS = {
    "classic": NEW | {"mounts"},
    "buildkit": NEW,
    "buildkit-26": set(),
    "buildah": NEW,
    "buildah-one-layer": NEW,
    "podman": NEW,
    "buildah-1.39": {"links"},
    "buildah-1.39-one-layer": {"links"},
}


def main():
    chosen = options(__doc__, "STYLE").parse_args()
    cache = chosen.work.resolve()
    work = cache / "lines"
    unmount(work / "store")
    fresh(work)
    suite, count, images = Suite(chosen.only), {"right": 0, "unknown": 0, "images": 0}, Images(cache, work)
    try:
        with suite.case("bases"):
            images.start()
        with suite.case("newer bases"):
            images.start_newer()
        for style in filter(suite.wants, STYLES):
            for builder, can_not in BUILDERS.items():
                if style not in can_not:
                    with suite.case(f"{style}: {builder}"):
                        judge(chosen.offcut.resolve(), images, work, style, builder, count)
    finally:
        images.stop()
    print("{images} images: {right} findings on the right line, {unknown} on none".format(**count))
    print(f"{sum(seconds for name, seconds, _ in suite.rows if name.endswith(NEWER)):.0f} s for the newer builders")
    return suite.report()


class Images:
    """The builders, each with its bases: Alpine, the lowest layer of the image in testdata/, and one with `ONBUILD`."""

    def __init__(self, cache, work):
        self.work, self.context, self.alpine = work, work / "context", work / "alpine.tar"
        self.newer = Newer(cache, attests=True)
        self.dockers = {"host": Docker()}
        self.store = ["--root", work / "store", "--runroot", work / "store-run"]

    def start(self):
        context(self.context)
        layout = Layout.unpack(DEMO, self.work / "demo")
        lowest = layout.blob(layout.manifest()["layers"][0])
        self.alpine.write_bytes(run("zstd", "--decompress", "--long=31", "--stdout", lowest).stdout)
        run("podman", *self.store, "import", "--change", 'CMD ["/bin/sh"]', self.alpine, "offcut-lines/alpine")
        self.bases("host", "buildah")

    def start_newer(self):
        saved = self.work / "base.tar"
        run("podman", *self.store, "save", "--quiet", "--output", saved, "offcut-lines/alpine")
        self.dockers["newer"] = self.newer.start()
        self.newer.buildah("pull", f"docker-archive:{saved}")
        self.bases("newer", "buildah-1.39")

    def bases(self, docker, buildah):
        with self.alpine.open("rb") as stream:
            self.dockers[docker].import_root(stream, "offcut-lines/alpine")
        # The images that this one is built upon run something at the next build.
        base = HERE / "lines" / "onbuild-base"
        self.dockers[docker].build("offcut-lines/onbuild", base, buildkit=False)
        self.buildah(buildah, "offcut-lines/onbuild", base / "Dockerfile", base)

    def build(self, builder, dockerfile, tag, archive):
        if builder in ("classic", "buildkit", "buildkit-26"):
            docker = self.dockers["newer" if builder == "buildkit-26" else "host"]
            more = ["--provenance=mode=max"] if builder == "buildkit-26" else []
            docker.build(tag, self.context, "--file", dockerfile, *more, buildkit=builder != "classic")
            docker.save(tag, archive)
            return
        try:
            self.buildah(builder, tag, dockerfile, self.context)
        except AssertionError as error:
            # A step of it was seen to fail once in thousands of times; the second time it is a failure.
            print(f"{builder} is asked once more: {error}", flush=True)
            self.buildah(builder, tag, dockerfile, self.context)
        if "1.39" in builder:
            self.newer.buildah("push", "--quiet", tag, f"docker-archive:{archive}:{tag}")
        else:
            run("podman", *self.store, "save", "--quiet", "--output", archive, tag)

    def buildah(self, builder, tag, dockerfile, place):
        layers = "--layers=false" if "one-layer" in builder else "--layers"
        options = [layers, "--format", "docker", "--tag", tag, "--file", dockerfile, place]
        if "1.39" in builder:
            self.newer.buildah("bud", *options)
        else:
            # Podman would take the steps that buildah has left in the store.
            program, *verb = ["podman", "build", "--no-cache"] if builder == "podman" else ["buildah", "bud"]
            run(program, *self.store, *verb, "--isolation", "chroot", *options)

    def stop(self):
        for docker in self.dockers.values():
            docker.clean()
        self.newer.stop()
        unmount(self.work / "store")


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


def judge(offcut, images, work, style, builder, count):
    dockerfile = HERE / "lines" / f"{style}.Dockerfile"
    tag = f"offcut-lines/{style}-{builder}"
    archive = work / f"{style}-{builder}.tar"
    images.build(builder, dockerfile, tag, archive)
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
    if "one-layer" not in builder:
        assert 2 * right >= len(told), f"only {right} of {len(told)} are on a line: {told}"
    if builder == "buildkit-26":
        equal(lines(offcut, archive, own, None, dockerfile.name), told, "lines of the Dockerfile that the provenance has")
        mended = mend(offcut, images, builder, archive, own / "Dockerfile", f"{tag}-fixed", work)
        equal(mended, style in MENDED, "whether the Dockerfile of the provenance is rewritten")
    count["right"] += right
    count["unknown"] += len(told) - right
    # Behind the directives, which have to stand first.
    kept = re.match(r"(?:#\s*(?:syntax|escape)=.*\n)*", text)[0]
    moved = lines(offcut, archive, own, kept + "# another line\n\n" + text[len(kept):])
    equal(moved, [(name, print_, line and line + 2) for name, print_, line in told], "lines moved by two")


def mend(offcut, images, builder, archive, dockerfile, tag, work):
    """What becomes of the Dockerfile that the provenance has; whether it is rewritten, and builds without what was found."""
    given, found = fix(offcut, archive, "--dockerfile", dockerfile), fix(offcut, archive)
    made = lambda fixed: {key: fixed[key] for key in ("outcome", "reason", "dockerfile", "changes", "bytes", "base")}
    equal(made(found), made(given), "what is made of the Dockerfile that the provenance has")
    if found["outcome"] != "rewritten":
        return False
    assert any("provenance" in guess for guess in found["guessed"]), found["guessed"]
    (work / "Dockerfile.fixed").write_text(found["dockerfile"])
    images.build(builder, work / "Dockerfile.fixed", tag, work / "fixed.tar")
    equal(lines(offcut, work / "fixed.tar", work, None), [], "what the rewritten one ships")
    return True


def fix(offcut, archive, *more):
    done = subprocess.run([offcut, "fix", archive, "--format", "json", *map(str, more)], capture_output=True, timeout=600)
    assert done.returncode in (0, 1), done.stderr.decode()
    return json.loads(done.stdout)


def lines(offcut, archive, own, text, name="Dockerfile"):
    """Name, fingerprint and line of each repository that is found; without a text those of the provenance."""
    command = [offcut, "scan", archive, "-f", "json", "--fail-on", "never"]
    if text is not None:
        (own / name).write_bytes(text.encode())
        command += ["--dockerfile", name]
    done = subprocess.run(list(map(str, command)), cwd=own, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    found = []
    for finding in report["findings"]:
        path = re.match(r"/opt/(\w+)/", finding["paths"][0]["files"][0]) if finding["paths"] else None
        if path and finding["rule"] == "vcs/git":
            line = finding.get("line")
            assert line is None or line["file"] == name, line
            found.append((path[1], finding["fingerprint"], line and line["first"]))
    return found


def places(text, name):
    """First lines of the instructions that a name stands in: an instruction goes on behind a backslash and in documents."""
    escape = "`" if re.match(r"#\s*escape=`", text) else "\\"
    found, first, goes_on, marks = [], 0, False, []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if marks:
            if bare == marks[0]:
                marks.pop(0)
        elif not (bare.startswith("#") or not bare) or goes_on:
            if not goes_on:
                first = number
            if not bare.startswith("#"):
                goes_on = bare.endswith(escape)
            marks = re.findall(r"<<-?[\"']?(\w+)", line)
        if re.search(rf"\b{name}\b", line) and not (bare.startswith("#") and not marks):
            found.append(first)
    return found


if __name__ == "__main__":
    sys.exit(main())
