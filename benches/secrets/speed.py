#!/usr/bin/env python3
"""What looking for secrets costs: scans with and without it, in turn, on real files and on hard ones.

usage: benches/secrets/speed.py WORK [--offcut PROGRAM] [--runs N] [--only CASE[,CASE]] [--cap SECONDS]

WORK keeps the trees of `trees.py` and what is made of them: a root file system of 1 GB of mixed files as a directory
and as an image with gzip layers, its files sort by sort, and the hard cases, each in a directory of its own. With and without `--no-secrets` are
run in turn, A B A B, after one run each that warms the page cache. Printed are medians of wall and CPU time, the greatest
resident memory, and with / without. The bound for the mixed files is 1.25 in wall time.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import statistics
import string
import sys
import tarfile
import zipfile
import zlib

import trees

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benches"))
from clock import timed  # noqa: E402

MIB, GIB = 1 << 20, 1 << 30
BOUND = 1.25
# 3: something was not read, as in a bomb, and the report says so
SCANNED = (0, 3)

# Share of the bytes of the mixed tree, by sort: that of a Debian image with a service in it.
MIX = {"elf": 0.40, "text": 0.12, "script": 0.17, "python": 0.08, "pyc": 0.08, "archive": 0.10, "other": 0.05}


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("work", type=pathlib.Path)
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--runs", type=int, default=5)
    words.add_argument("--only", default="", metavar="CASE[,CASE]")
    words.add_argument("--cap", type=int, default=600, help="seconds after which a scan is given up")
    chosen = words.parse_args()

    only = [name for name in chosen.only.split(",") if name]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; median of {chosen.runs}")
    print(f"{'case':18} {'':8} {'wall':>9} {'cpu':>9} {'peak RSS':>10}   {'wall':>5} {'cpu':>5}  (with / without)")
    failed = False
    for name, (maker, bounded) in CASES.items():
        if only and name not in only:
            continue
        source = prepare(chosen.work, name, maker)
        ratio = compare(name, source, chosen)
        if bounded and ratio > BOUND:
            failed = True
            print(f"   more than {BOUND}")
    sys.exit(failed)


def prepare(work, name, maker):
    """Makes a case once; gives what to scan."""
    place, done = work / f"speed-{name}", work / f"speed-{name}.made"
    if not done.exists():
        print(f"making {place}", file=sys.stderr, flush=True)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        maker(work, place)
        done.touch()
    return f"oci-dir:{place}" if (place / "oci-layout").exists() else f"dir:{place}"


def compare(name, source, chosen):
    command = [chosen.offcut, "scan", source, "-f", "json", "--fail-on", "never", "--no-progress"]
    ways = {"without": [*command, "--no-secrets"], "with": command}
    results = {way: [] for way in ways}
    for run in range(chosen.runs + 1):
        for way, words in ways.items():
            result = timed(["timeout", str(chosen.cap), *words], SCANNED)
            if run > 0:
                results[way].append(result)
    medians = {way: [statistics.median(r[i] for r in rows) for i in (0, 1)] for way, rows in results.items()}
    ratios = [medians["with"][i] / max(medians["without"][i], 0.001) for i in (0, 1)]
    for way, rows in results.items():
        wall, cpu = medians[way]
        ratio = f"{ratios[0]:5.2f} {ratios[1]:5.2f}" if way == "with" else ""
        peak = max(r[2] for r in rows) / 1024
        print(f"{name:18} {way:8} {wall:7.2f} s {cpu:7.2f} s {peak:6.0f} MiB   {ratio}", flush=True)
    return ratios[0]


# The mixed tree


def sort_of(path, head):
    name = path.name
    if head.startswith(b"\x7fELF"):
        return "elf"
    if name.endswith(".pyc"):
        return "pyc"
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"!<arch>", b"\xfd7zXZ")):
        return "archive"
    if name.endswith((".js", ".mjs", ".cjs", ".ts", ".map")):
        return "script"
    if name.endswith(".py"):
        return "python"
    return "other" if b"\0" in head else "text"


def mixed(work, place):
    """1 GB of the real trees: files in an order that digests of their paths give, until each sort has its share."""
    files = []
    for _, tree in trees.every(work):
        for folder, names, members in os.walk(tree):
            names.sort()
            for member in members:
                path = pathlib.Path(folder, member)
                if path.is_file() and not path.is_symlink():
                    # one root file system: Debian, with node's projects in /srv and Python's in /app and /opt
                    files.append((digest_of(path.relative_to(work)), path, path.relative_to(tree)))
    left = {sort: share * GIB for sort, share in MIX.items()}
    for _, path, name in sorted(files):
        with path.open("rb") as stream:
            sort = sort_of(path, stream.read(512))
        size = path.stat().st_size
        if left[sort] < size or size == 0:
            continue
        left[sort] -= size
        to = place / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
    for name in ("etc/os-release", "var/lib/dpkg/status"):
        to = place / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(work / "debian" / name, to)
    # What of a sort there was not enough of is made up for with archives of the rest, as jars and wheels are.
    short = {sort: f"{rest / MIB:.0f} MiB" for sort, rest in left.items() if rest > 8 * MIB}
    if short:
        print(f"   less of {short}", file=sys.stderr)


def digest_of(path):
    return hashlib.sha256(str(path).encode()).digest()


def only(sort):
    """The files of one sort of the mixed tree."""

    def make(work, place):
        prepare(work, "mixed", mixed)
        tree = work / "speed-mixed"
        for folder, _, members in os.walk(tree):
            for path in (pathlib.Path(folder, member) for member in members):
                with path.open("rb") as stream:
                    fits = sort_of(path, stream.read(512)) == sort
                if fits:
                    to = place / path.relative_to(tree)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, to)

    return make


def image(work, place):
    """The mixed tree as an OCI layout of three gzip layers."""
    tree = work / "speed-mixed"
    prepare(work, "mixed", mixed)
    (place / "blobs/sha256").mkdir(parents=True)
    # the base, and what two steps of a build bring
    tops = [[], [], []]
    for entry in sorted(tree.iterdir()):
        tops[{"srv": 1, "app": 2, "opt": 2}.get(entry.name, 0)].append(entry)
    layers, diffs = [], []
    for entries in filter(None, tops):
        part = place / "part"
        with part.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
            hashing = Hashing(packed)
            with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.GNU_FORMAT) as archive:
                for entry in entries:
                    archive.add(entry, entry.relative_to(tree))
        diffs.append(f"sha256:{hashing.digest.hexdigest()}")
        layers.append(blob(place, part, "application/vnd.oci.image.layer.v1.tar+gzip"))
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": document(place, config, "application/vnd.oci.image.config.v1+json"),
        "layers": layers,
    }
    index = {"schemaVersion": 2, "manifests": [document(place, manifest, manifest["mediaType"])]}
    (place / "index.json").write_text(json.dumps(index))
    (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


class Hashing:
    """Writes through, and digests what passes."""

    def __init__(self, to):
        self.to, self.digest = to, hashlib.sha256()

    def write(self, data):
        self.digest.update(data)
        return self.to.write(data)


def document(place, value, kind):
    part = place / "part"
    part.write_text(json.dumps(value))
    return blob(place, part, kind)


def blob(place, part, kind):
    digest, size = hashlib.sha256(), part.stat().st_size
    with part.open("rb") as stream:
        while piece := stream.read(MIB):
            digest.update(piece)
    part.rename(place / "blobs/sha256" / digest.hexdigest())
    return {"mediaType": kind, "digest": f"sha256:{digest.hexdigest()}", "size": size}


# The hard cases


def minified(_work, place):
    """1 GB in one line, as a bundler writes it."""
    piece = bytearray()
    draw = random.Random(1)
    while len(piece) < 4 * MIB:
        a, b, c = draw.choices(string.ascii_letters, k=3)
        piece += (
            f"function {a}{b}(e,t){{return e.token=t.accessToken||{c}[{draw.randrange(9999)}],{b}.auth=\"x\"}}"
            f"var {c}={{secret:{a},key:{b}.key,password:function(e){{return e.value}},n:e.password=r.x}};"
        ).encode()
    repeat(place / "app.js", bytes(piece), GIB)


def near(_work, place):
    """1 GB of what nearly is a token: the beginning and the length are right, the checksum is not."""
    draw = random.Random(2)
    starts = ["ghp_", "npm_", "glpat-", "xoxb-", "sk_live_", "AKIA", "eyJ", "hf_", "dop_v1_", "SG.", "AIza", "github_pat_"]
    letters = string.ascii_letters + string.digits
    words = (draw.choice(starts) + "".join(draw.choices(letters, k=36)) for _ in range(100_000))
    repeat(place / "tokens.txt", " ".join(words).encode() + b" ", GIB)


def assignments(_work, place):
    """Settings of 900 KB each whose every line looks like a guess: 128 MB."""
    draw = random.Random(3)
    for number in range(140):
        lines = (
            f"{draw.choice(['DB_PASSWORD', 'API_KEY', 'SECRET', 'AUTH_TOKEN'])}_{n}=${{{draw.choice(['A', 'B'])}_{n}}}\n"
            for n in range(30_000)
        )
        (place / f"app{number}.env").write_text("".join(lines))


def headers(_work, place):
    """1 GB of beginnings of private keys that never end."""
    header = " ".join(["-----BEGIN", "RSA", "PRIVATE", "KEY-----"])
    repeat(place / "keys.txt", (header + "\n").encode() * 20_000, GIB // 2)
    repeat(place / "long.txt", (header + "\n" + ("A" * 64 + "\n") * 100).encode() * 200, GIB // 2)


def addresses(_work, place):
    """256 MB of addresses with something like a password."""
    repeat(place / "urls.txt", b"see https://user:$PASSWORD@host/ or http://a:b:c:d@x or ://:@ " * 4096, GIB // 4)


def sparse(_work, place):
    """A file of 4 GB with nothing in it."""
    with (place / "disk.img").open("wb") as stream:
        stream.truncate(4 * GIB)


def nested_bomb(_work, place):
    """Six levels of zip with sixteen members each, of which the innermost have 4 GB of zeros."""
    inner = pack_zeros(4 * GIB)
    for level in range(6):
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(16):
                name = f"{level}-{number}.zip" if level else f"{number}.gz"
                archive.writestr(zipfile.ZipInfo(name), inner, zipfile.ZIP_DEFLATED)
        inner = body.getvalue()
    (place / "42.zip").write_bytes(inner)


def flat_bomb(_work, place):
    """10 GB of zeros in a gzip file."""
    (place / "zeros.gz").write_bytes(pack_zeros(10 * GIB))


def pack_zeros(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros, out = bytes(16 * MIB), io.BytesIO()
    for _ in range(size // len(zeros)):
        out.write(packer.compress(zeros))
    out.write(packer.flush())
    return out.getvalue()


def repeat(file, piece, size):
    with file.open("wb") as stream:
        for _ in range(size // len(piece)):
            stream.write(piece)


CASES = {
    "mixed": (mixed, True),
    "image": (image, True),
    **{f"only-{sort}": (only(sort), False) for sort in MIX},
    "minified": (minified, False),
    "near": (near, False),
    "assignments": (assignments, False),
    "headers": (headers, False),
    "addresses": (addresses, False),
    "sparse": (sparse, False),
    "nested-bomb": (nested_bomb, False),
    "flat-bomb": (flat_bomb, False),
}

if __name__ == "__main__":
    main()
