#!/usr/bin/env python3
"""End-to-end tests: images that real engines built, read through every source, against what the engines say.

usage: run.py [--offcut PROGRAM] [--work DIR] [--only GROUP[,GROUP]]

needs: root, a Docker daemon (DOCKER_HOST, DOCKER names the client), podman, buildah, skopeo, umoci, debootstrap, zstd,
and the network for Debian packages. Groups: demo, findings, sources, tree, ledger, users, damage,
errors, same.
The images are tagged offcut-e2e/* and removed at the end; Podman uses a store of its own below DIR.
"""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile

from engines import DEMO, HERE, ROOT, Docker, Layout, Podman, debian, flip, node_app, run, skopeo, unmount
from suite import Suite, equal, fresh, options, within

# What has to be found in an image, what must not, and the exit code of the default gate.
EXPECTED = {
    "debian-c": (1, {"build-tool/gcc", "build-tool/make", "build-tool/git", "root-user/uid-0"}, {"build-tool/go"}),
    "go-scratch": (0, set(), {""}),
    "node-multi": (1, {"dev-dependency/npm", "build-tool/typescript", "build-tool/webpack"}, {"root-user/uid-0", "build-tool/ninja"}),
    "buried": (0, {"build-tool/gcc", "build-tool/make", "build-tool/git"}, {"root-user/uid-0"}),
}

# USER, a line to add to /etc/passwd. What it comes to is what the daemon says, not a column here.
USERS = [
    ("root", ""),
    ("0", ""),
    ("0:0", ""),
    ("root:1000", ""),
    ("00", ""),
    ("+0", ""),
    ("-0", ""),
    ("app", "app:x:0:0::/:/bin/sh"),
    ("4242", ""),
    ("4242:4242", ""),
    ("nobody", ""),
    ("nobody:root", ""),
    ("0", "0:x:1000:1000::/:/bin/sh"),
    ("0x0", ""),
    ("nonesuch", ""),
]

# What `docker create` puts into a container: files whatever the image has there, directories where it has none.
FILES_OF_THE_ENGINE = {"/.dockerenv", "/dev/console", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}
DIRECTORIES_OF_THE_ENGINE = {"/dev", "/dev/pts", "/dev/shm", "/etc", "/proc", "/sys"}


class Offcut:
    """The program under test, with nothing of the caller's environment that could change what it does."""

    def __init__(self, program, work):
        self.program = program
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work), "LANG": "C.UTF-8"}

    def __call__(self, *arguments, stdin=subprocess.DEVNULL, cwd=None, **env):
        command = [self.program, *map(str, arguments)]
        return subprocess.run(command, stdin=stdin, cwd=cwd, capture_output=True, env=self.env | env, timeout=600)

    def report(self, reference, **more):
        """The JSON report of an image that can be judged."""
        done = self("scan", reference, "-f", "json", **more)
        assert done.returncode in (0, 1), f"offcut ended with {done.returncode}\n{done.stderr.decode()}"
        report = json.loads(done.stdout)
        if reference != "-":
            self.balances(reference, report, **more)
        return report

    def balances(self, reference, report, **more):
        """The ledger of a scanned image explains every byte of its layers, and agrees with the report."""
        done = self("ledger", reference, "-f", "json", **more)
        assert done.returncode in (0, 3), f"offcut ended with {done.returncode}\n{done.stderr.decode()}"
        ledger = json.loads(done.stdout)
        parts = ["live_bytes", "buried_bytes", "replaced_bytes", "overhead_bytes"]
        for layer, scanned in zip(ledger["layers"], report["layers"], strict=True):
            number = layer["number"]
            equal(layer["tar_bytes"], scanned["tar_bytes"], f"layer {number}")
            equal(sum(layer[part] for part in parts), layer["tar_bytes"], f"parts of layer {number}")
            equal(sum(layer["classes"].values()), layer["tar_bytes"], f"classes of layer {number}")
            shares = (s["bytes"] for o in ledger["owners"] for s in o["layers"] if s["number"] == number)
            equal(sum(shares), layer["tar_bytes"], f"owners of layer {number}")
        equal(ledger["totals"]["live_bytes"], report["totals"]["bytes"], "live bytes")
        equal(ledger["totals"]["buried_bytes"], report["totals"]["buried_bytes"], "buried bytes")
        return ledger

    def refuses(self, code, words, *arguments, **more):
        """Asserts the exit code, that standard error says each of `words`, and that nothing is reported."""
        done = self(*arguments, **more)
        said = done.stderr.decode(errors="replace")
        equal(done.returncode, code, f"exit code of {' '.join(map(str, arguments))}\n{said}")
        for word in words:
            within(word, said, "standard error")
        equal(done.stdout, b"", "standard output")
        assert "panicked" not in said, said


class Image:
    """One image in all its forms."""

    def __init__(self, name, work):
        self.name, self.tag = name, f"offcut-e2e/{name}"
        self.archive = work / f"{name}.tar"
        self.layout = work / f"{name}.oci"
        self.zstd = work / f"{name}.zstd.oci.tar"

    def save(self, docker, podman):
        docker.save(self.tag, self.archive)
        skopeo(f"docker-archive:{self.archive}", f"oci:{self.layout}:{self.tag}")
        skopeo(
            "--dest-compress-format", "zstd", f"docker-archive:{self.archive}", f"oci-archive:{self.zstd}:{self.tag}"
        )
        podman("load", "--quiet", "--input", self.archive)


def main():
    chosen = options(__doc__, "GROUP").parse_args()

    work = chosen.work.resolve()
    unmount(work / "run" / "podman")
    fresh(work / "run")
    offcut, suite = Offcut(chosen.offcut.resolve(), work), Suite(chosen.only)
    docker, podman = Docker(), Podman(work / "run")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    print(f"{docker.version()}, {podman.version()}", flush=True)
    podman.start()
    try:
        images = build(suite, docker, podman, work)
        for group in [demo, findings, sources, tree, ledger, users, damage, errors, same]:
            if suite.wants(group.__name__):
                group(suite, offcut, docker, podman, images, work / "run")
    finally:
        podman.stop()
        docker.clean()
    return suite.report()


def build(suite, docker, podman, work):
    """Builds every image and brings it into every form."""
    images = {}
    with suite.case("build: base images"):
        debian(docker, work)
        layout = Layout.unpack(DEMO, work / "run" / "demo")
        node_app(docker, layout, work / "run")
    for name in EXPECTED:
        with suite.case(f"build: {name}"):
            image = Image(name, work / "run")
            # one of them by the builder that came before BuildKit: it writes history and layers of another form
            docker.build(image.tag, HERE / "images" / name, buildkit=name != "debian-c")
            image.save(docker, podman)
            images[name] = image
    return images


def demo(suite, offcut, docker, podman, images, work):
    """The image that the README shows."""
    with suite.case("demo: compiler, bundler, buried tool and root user are found"):
        report = offcut.report(DEMO)
        found = {(f["rule"], f["state"]) for f in report["findings"]}
        wanted = {("build-tool/typescript", "live"), ("build-tool/webpack", "live"), ("root-user/uid-0", "live")}
        assert wanted <= found, f"missing {wanted - found}"
        within(("build-tool/ninja", "buried"), found, "the buried tool")
    with suite.case("demo: the README shows what is printed"):
        printed = offcut("scan", DEMO.relative_to(ROOT), cwd=ROOT).stdout.decode()
        shown_there = re.search(r"```text\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
        for part in shown_there.split("[...]"):
            within(part.strip("\n"), printed, "README.md")
    with suite.case("demo: every finding has evidence, a remedy and, when it is about files, a layer and bytes"):
        for finding in report["findings"]:
            assert finding["evidence"] and finding["remedy"]["text"] and finding["refs"], finding["rule"]
            if finding["paths"]:
                assert finding["layer"]["created_by"] and finding["bytes"] > 0, finding["rule"]
            equal(finding["state"] == "buried", finding["hidden_by"] is not None, finding["rule"])
    with suite.case("demo: one run writes all formats"):
        done = offcut(
            "scan", DEMO, "-o", f"json={work}/demo.json", "-o", f"sarif={work}/demo.sarif", "--fail-on", "never"
        )
        equal(done.returncode, 0, "exit code")
        # What fails it is another policy, and the report says so.
        written = json.loads((work / "demo.json").read_bytes())
        equal(written.pop("policy")["gates"]["severity"], None, "the gate")
        equal(written, {key: value for key, value in report.items() if key != "policy"}, "the report")
        results = json.loads((work / "demo.sarif").read_bytes())["runs"][0]["results"]
        equal([r["ruleId"] for r in results], [f["rule"] for f in report["findings"]], "SARIF results")


def findings(suite, offcut, docker, podman, images, work):
    """What is found in each image, and the exit code."""
    for name, (code, wanted, unwanted) in EXPECTED.items():
        with suite.case(f"findings: {name}"):
            done = offcut("scan", f"docker-archive:{images[name].archive}", "-f", "json")
            equal(done.returncode, code, f"exit code\n{done.stderr.decode()}")
            report = json.loads(done.stdout)
            found = {f["rule"] for f in report["findings"]}
            assert wanted <= found, f"missing {wanted - found}, found {found}"
            assert not [r for r in found for u in unwanted if r.startswith(u)], f"too much: {found}"
            equal(report["diagnostics"], [], "diagnostics")
            if name == "buried":
                states = {f["rule"]: f["state"] for f in report["findings"] if f["rule"] in wanted}
                equal(set(states.values()), {"buried"}, "states")
    with suite.case("findings: the gate follows --fail-on and nothing else"):
        archive = f"docker-archive:{images['debian-c'].archive}"
        for gate, code in [("never", 0), ("critical", 0), ("high", 1), ("note", 1)]:
            for form in ["table", "json", "sarif"]:
                equal(offcut("scan", archive, "--fail-on", gate, "-f", form).returncode, code, f"{gate} {form}")
    with suite.case("findings: an image that Buildah built gives the same ones"):
        podman("pull", "--quiet", f"docker-archive:{work / 'demo.tar'}")
        root = work / "alpine.tar"
        podman("import", root, "offcut-e2e/alpine")
        podman.build("offcut-e2e/by-buildah", HERE / "images" / "node-multi")
        built = offcut.report("podman:offcut-e2e/by-buildah", CONTAINER_HOST=podman.host)
        by_docker = offcut.report(f"docker-archive:{images['node-multi'].archive}")
        prints = [sorted(f["fingerprint"] for f in r["findings"]) for r in (built, by_docker)]
        equal(prints[0], prints[1], "fingerprints")


def sources(suite, offcut, docker, podman, images, work):
    """The same image through every source gives the same report."""
    for name, image in images.items():
        want = None
        with suite.case(f"sources: {name} through docker-archive:"):
            want = comparable(offcut.report(f"docker-archive:{image.archive}"))
        references = {
            "docker:": (f"docker:{image.tag}", {"DOCKER_HOST": docker.host}),
            "podman:": (f"podman:{image.tag}", {"CONTAINER_HOST": podman.host}),
            "oci-dir:, gzip": (f"oci-dir:{image.layout}", {}),
            "oci-archive:, zstd": (f"oci-archive:{image.zstd}", {}),
            "a path": (image.archive, {}),
        }
        for what, (reference, env) in references.items():
            with suite.case(f"sources: {name} through {what}"):
                differs(comparable(offcut.report(reference, **env)), want)
        with suite.case(f"sources: {name} through docker save | offcut scan -"):
            save = [docker.client, "save", image.tag]
            with subprocess.Popen(save, stdout=subprocess.PIPE, env=docker.env) as saving:
                differs(comparable(offcut.report("-", stdin=saving.stdout)), want)
        with suite.case(f"sources: {name} through podman save | offcut scan -, as OCI archive"):
            save = ["podman", *map(str, podman.store), "save", "--quiet", "--format", "oci-archive", image.tag]
            with subprocess.Popen(save, stdout=subprocess.PIPE) as saving:
                differs(comparable(offcut.report("-", stdin=saving.stdout)), want)
        with suite.case(f"sources: {name} through gzip of the archive, from standard input"):
            with subprocess.Popen(["gzip", "-1", "-c", image.archive], stdout=subprocess.PIPE) as packing:
                differs(comparable(offcut.report("-", stdin=packing.stdout)), want)
    with suite.case("sources: without a scheme the daemon is asked"):
        image = images["node-multi"]
        want = comparable(offcut.report(f"docker-archive:{image.archive}"))
        differs(comparable(offcut.report(image.tag, DOCKER_HOST=docker.host)), want)


def comparable(report):
    """What of a report belongs to the image and not to the form it was read in."""
    layers = [{k: v for k, v in layer.items() if k not in ("blob", "blob_bytes")} for layer in report["layers"]]
    return {k: report[k] for k in ("findings", "totals", "user", "diagnostics")} | {"layers": layers}


def differs(got, want, at="report"):
    """Fails at the first place where two JSON values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        equal(sorted(got), sorted(want), f"members of {at}")
        for name in want:
            differs(got[name], want[name], f"{at}.{name}")
    elif isinstance(want, list) and isinstance(got, list):
        for number, (one, other) in enumerate(zip(got, want)):
            differs(one, other, f"{at}[{number}]")
        equal(len(got), len(want), f"length of {at}")
    else:
        equal(got, want, at)


def tree(suite, offcut, docker, podman, images, work):
    """The merged tree, file by file, against two readers that are not ours."""
    for name, image in images.items():
        seen = {}
        with suite.case(f"tree: {name} is listed"):
            seen = listed(offcut, f"docker-archive:{image.archive}")
        with suite.case(f"tree: {name} as docker export has it"):
            docker.export(image.tag, work / "export.tar")
            ignored = FILES_OF_THE_ENGINE | (DIRECTORIES_OF_THE_ENGINE - seen.keys())
            compare(seen, exported(work / "export.tar"), ignored)
        with suite.case(f"tree: {name} as umoci unpacks it"):
            shutil.rmtree(work / "bundle", ignore_errors=True)
            run("umoci", "unpack", "--image", f"{image.layout}:{image.tag}", work / "bundle")
            compare(seen, walked(work / "bundle" / "rootfs"), set())
        with suite.case(f"tree: {name} as a plain directory gives the live findings"):
            plain = offcut.report(f"dir:{work / 'bundle' / 'rootfs'}")["findings"]
            whole = offcut.report(f"docker-archive:{image.archive}")["findings"]
            live = {f["fingerprint"] for f in whole if f["state"] == "live" and f["paths"]}
            equal({f["fingerprint"] for f in plain if f["paths"]}, live, "fingerprints")


def ledger(suite, offcut, docker, podman, images, work):
    """The payload of every layer, by Python's own reader of archives."""
    for name, image in images.items():
        with suite.case(f"ledger: {name} has the bytes that its archives have"):
            reference = f"docker-archive:{image.archive}"
            book = offcut.balances(reference, offcut.report(reference))
            with tarfile.open(image.archive) as archive:
                listed = json.load(archive.extractfile("manifest.json"))[0]["Layers"]
                for layer, member in zip(book["layers"], listed, strict=True):
                    number, body = layer["number"], archive.extractfile(member)
                    with tarfile.open(fileobj=body) as entries:
                        payload = sum(entry.size for entry in entries if entry.isreg())
                    parts = ["live_bytes", "buried_bytes", "replaced_bytes"]
                    equal(sum(layer[part] for part in parts), payload, f"bodies of layer {number}")
                    equal(layer["tar_bytes"], archive.getmember(member).size, f"archive of layer {number}")


def listed(offcut, reference):
    """What `offcut files` says: path to kind, mode, size, owner."""
    done = offcut("files", reference, "-f", "json")
    equal(done.returncode, 0, f"exit code\n{done.stderr.decode()}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    sizes = {row["path"]: row["size"] for row in rows}
    return {row["path"]: listed_row(row, sizes) for row in rows if row["path"] != "/"}


def listed_row(row, sizes):
    kind, size = row["kind"], row["size"]
    if kind == "hardlink":
        kind, size = "file", sizes["/" + row["link"]]
    return kind, row["mode"], size, row["uid"], row["gid"], row["link"] if kind == "symlink" else ""


def exported(file):
    """The same of a tar archive, by Python's own reader."""
    kinds = {
        tarfile.DIRTYPE: "dir",
        tarfile.SYMTYPE: "symlink",
        tarfile.CHRTYPE: "char",
        tarfile.BLKTYPE: "block",
        tarfile.FIFOTYPE: "fifo",
    }
    rows = {}
    with tarfile.open(file, errors="surrogateescape") as archive:
        for member in archive:
            path = shown(os.fsencode(member.name))
            link = shown(os.fsencode(member.linkname))[1:] if member.issym() else ""
            if member.issym() and member.linkname.startswith("/"):
                link = "/" + link
            size = rows[shown(os.fsencode(member.linkname))][2] if member.islnk() else member.size
            rows[path] = (
                kinds.get(member.type, "file"),
                f"{member.mode & 0o7777:04o}",
                size,
                member.uid,
                member.gid,
                link,
            )
    rows.pop("/", None)
    return rows


def walked(root):
    """The same of a directory."""
    kinds = [
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "dir"),
        (stat.S_ISLNK, "symlink"),
        (stat.S_ISCHR, "char"),
        (stat.S_ISBLK, "block"),
        (stat.S_ISFIFO, "fifo"),
    ]
    rows, base = {}, os.fsencode(root)
    for directory, directories, files in os.walk(base):
        for name in directories + files:
            path = os.path.join(directory, name)
            about = os.lstat(path)
            kind = next(word for holds, word in kinds if holds(about.st_mode))
            size = about.st_size if kind == "file" else 0
            link = escaped(os.readlink(path)) if kind == "symlink" else ""
            rows[shown(path[len(base) :])] = (
                kind,
                f"{stat.S_IMODE(about.st_mode):04o}",
                size,
                about.st_uid,
                about.st_gid,
                link,
            )
    return rows


def compare(seen, want, ignored):
    """Fails with the first differences of two listings."""
    lines = []
    for path in sorted(seen.keys() | want.keys()):
        if path not in ignored and seen.get(path) != want.get(path):
            lines.append(f"{path}: offcut {seen.get(path)}, the other {want.get(path)}")
    assert not lines, f"{len(lines)} of {len(want)} paths differ\n" + "\n".join(lines[:20])
    assert len(want) > 0, "nothing to compare"


def shown(raw):
    """A path as offcut writes it: absolute, cleaned, escaped."""
    return "/" + escaped(b"/".join(part for part in raw.split(b"/") if part not in (b"", b".")))


def escaped(raw):
    text = raw.decode(errors="surrogateescape").replace("\\", "\\\\")
    out = (rf"\x{ord(c) - 0xDC00:02x}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)
    return re.sub(r"[\x00-\x1f\x7f]", lambda c: rf"\x{ord(c[0]):02x}", "".join(out))


def users(suite, offcut, docker, podman, images, work):
    """Who an image runs as: the daemon starts it and is asked."""
    cases = [(None, "")] + USERS
    for number, (run_as, passwd) in enumerate(cases):
        tag = "offcut-e2e/alpine" if run_as is None else f"offcut-e2e/user:{number}"
        title = "no USER" if run_as is None else f"USER {run_as}" + (f" with {passwd}" if passwd else "")
        with suite.case(f"users: {title}"):
            if run_as is not None:
                arguments = ["--build-arg", f"RUN_AS={run_as}", "--build-arg", f"PASSWD={passwd}"]
                docker.build(tag, HERE / "images" / "user", *arguments)
            started = docker("run", "--rm", "--network", "none", tag, "sh", "-c", "id -u; id -g", check=False)
            real = list(map(int, started.stdout.split())) if started.returncode == 0 else [None]
            report = offcut.report(f"docker:{tag}", DOCKER_HOST=docker.host)
            equal(report["user"]["declared"], run_as or "", "USER as declared")
            equal(report["user"]["uid"], real[0], f"user id\n{started.stderr.decode()}")
            if real[0] is not None:
                equal(report["user"]["gid"], real[1], "group id")
            rules = {f["rule"] for f in report["findings"]}
            equal("root-user/uid-0" in rules, real[0] == 0, f"root is reported, found {rules}")


def damage(suite, offcut, docker, podman, images, work):
    """Bytes that are not what the manifest promises are never judged."""
    for form, origin in [("zstd", Layout(work / "demo")), ("gzip", Layout(images["node-multi"].layout))]:
        for blob in origin.blobs():
            name = blob.name[:12]
            with suite.case(f"damage: one bit of {form} blob {name} ({blob.stat().st_size} bytes)"):
                for at in sorted({0, blob.stat().st_size // 2, blob.stat().st_size - 1}):
                    bad = origin.copy(work / "bad.oci")
                    flip(blob, bad.path / "blobs" / "sha256" / blob.name, at)
                    offcut.refuses(3, [f"sha256:{blob.name}"], "scan", f"oci-dir:{bad.path}")
        with suite.case(f"damage: one bit of a {form} layer, from standard input"):
            bad = origin.copy(work / "bad.oci")
            layer = bad.blob(bad.manifest()["layers"][-1])
            flip(layer, layer, layer.stat().st_size // 2)
            with bad.pack(work / "bad.tar").open("rb") as archive:
                offcut.refuses(3, [layer.name], "scan", "-", stdin=archive)
        with suite.case(f"damage: a {form} blob is missing"):
            bad = origin.copy(work / "bad.oci")
            layer = bad.blob(bad.manifest()["layers"][0])
            layer.unlink()
            offcut.refuses(3, [layer.name], "scan", f"oci-dir:{bad.path}")
    archive = images["node-multi"].archive
    with suite.case("damage: one bit of a layer in a docker archive"):
        with tarfile.open(archive) as tar:
            layers = [m for m in tar if m.isfile() and m.size > 100_000]
        for layer in layers:
            flip(archive, work / "bad.tar", layer.offset_data + layer.size // 2)
            offcut.refuses(3, ["layer"], "scan", work / "bad.tar")
    with suite.case("damage: an archive that ends too early"):
        data = archive.read_bytes()
        for cut in [100, 512, 1024, len(data) // 4, len(data) // 2, len(data) - 20_000]:
            (work / "bad.tar").write_bytes(data[:cut])
            offcut.refuses(3, ["error"], "scan", f"docker-archive:{work / 'bad.tar'}")
            with (work / "bad.tar").open("rb") as cut_short:
                offcut.refuses(3, ["error"], "scan", "-", stdin=cut_short)


def errors(suite, offcut, docker, podman, images, work):
    """What can not be judged, and what is asked wrongly: exit code and words."""
    layout = Layout(images["node-multi"].layout)

    def broken(change):
        bad = layout.copy(work / "bad.oci")
        bad.rewrite(change)
        return f"oci-dir:{bad.path}"

    with suite.case("errors: no daemon behind DOCKER_HOST"):
        offcut.refuses(3, [f"{work}/none.sock"], "scan", "docker:alpine", DOCKER_HOST=f"unix://{work}/none.sock")
        offcut.refuses(3, ["127.0.0.1:1"], "scan", "docker:alpine", DOCKER_HOST="tcp://127.0.0.1:1")
        offcut.refuses(3, [f"{work}/none.sock"], "scan", "podman:alpine", CONTAINER_HOST=f"unix://{work}/none.sock")
    with suite.case("errors: the daemon does not have the image"):
        offcut.refuses(3, ["offcut-e2e/none"], "scan", "docker:offcut-e2e/none", DOCKER_HOST=docker.host)
        offcut.refuses(3, ["offcut-e2e/none"], "scan", "podman:offcut-e2e/none", CONTAINER_HOST=podman.host)
    with suite.case("errors: a file that is no image"):
        offcut.refuses(3, ["README.md"], "scan", ROOT / "README.md")
        offcut.refuses(3, ["README.md"], "scan", f"docker-archive:{ROOT / 'README.md'}")
    with suite.case("errors: a path that does not exist"):
        offcut.refuses(2, ["none.tar"], "scan", f"oci-archive:{work / 'none.tar'}")
    with suite.case("errors: nothing on standard input"):
        offcut.refuses(3, ["error"], "scan", "-")
    with suite.case("errors: a platform that the index does not have"):
        here = {"os": "linux", "architecture": "amd64"}
        bad = broken(lambda manifest, config, descriptor: descriptor.update(platform=here))
        offcut.refuses(3, ["linux/riscv64", "linux/amd64"], "scan", bad, "--platform", "linux/riscv64")
    with suite.case("errors: a Windows image"):
        bad = broken(lambda manifest, config, descriptor: config.update(os="windows"))
        offcut.refuses(3, ["indows"], "scan", bad)
    with suite.case("errors: an encrypted layer"):
        kind = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
        bad = broken(lambda manifest, config, descriptor: manifest["layers"][-1].update(mediaType=kind))
        offcut.refuses(3, ["encrypted"], "scan", bad)
    with suite.case("errors: a layer too few for the configuration"):
        bad = broken(lambda manifest, config, descriptor: manifest["layers"].pop())
        offcut.refuses(3, ["layer"], "scan", bad)
    with suite.case("errors: a diffID that is not the layer's"):
        bad = broken(lambda manifest, config, descriptor: config["rootfs"]["diff_ids"].reverse())
        offcut.refuses(3, ["layer"], "scan", bad)
    with suite.case("errors: wrong usage"):
        for arguments in [
            ["scan"],
            ["scan", "--no-such-option", DEMO],
            ["scan", DEMO, "--fail-on", "purple"],
            ["scan", DEMO, "-f", "pdf"],
            ["scan", DEMO, "-j", "many"],
            ["scan", DEMO, "--platform", "/"],
            ["explain", "build-tool/no-such-tool"],
        ]:
            offcut.refuses(2, ["error"], *arguments)


def same(suite, offcut, docker, podman, images, work):
    """The same image gives the same bytes."""
    for form in ["table", "json", "sarif"]:
        with suite.case(f"same: {form} at 1, 2 and 16 threads, and again"):
            reference = f"oci-dir:{images['debian-c'].layout}"
            outputs = [offcut("scan", reference, "-f", form, "-j", str(jobs)).stdout for jobs in (1, 2, 16, 16)]
            assert len(outputs[0]) > 1000, outputs[0]
            assert len(set(outputs)) == 1, "outputs differ"
    with suite.case("same: offcut files at 1, 2 and 16 threads"):
        reference = f"docker-archive:{images['debian-c'].archive}"
        outputs = [offcut("files", reference, "--all", "-j", str(jobs)).stdout for jobs in (1, 2, 16)]
        assert len(outputs[0]) > 1000 and len(set(outputs)) == 1, "outputs differ"
    with suite.case("same: a rebuilt image keeps its fingerprints"):
        docker.build("offcut-e2e/again", HERE / "images" / "node-multi", "--no-cache")
        again = offcut.report("docker:offcut-e2e/again", DOCKER_HOST=docker.host)
        first = offcut.report(f"docker-archive:{images['node-multi'].archive}")
        prints = [[f["fingerprint"] for f in r["findings"]] for r in (again, first)]
        equal(prints[0], prints[1], "fingerprints")


if __name__ == "__main__":
    sys.exit(main())
