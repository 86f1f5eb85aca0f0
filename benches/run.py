#!/usr/bin/env python3
"""How fast a scan is, as a ratio to the floor: inflating every layer and hashing what must be hashed, nothing else.

usage: benches/run.py LAYOUT [--offcut PROGRAM] [--runs N] [--peer syft]

LAYOUT is an OCI layout directory with gzip or zstd layers (`benches/make-image.sh` makes some). The floor is
`igzip -dc | openssl sha256` (or `zstd -dc`) for every layer and `openssl sha256` of every blob, on all cores: the same
digests that offcut checks, by the fastest tools of a distribution. Everything is run in turn, A B A B, in one go, after
one run that warms the page cache; the median of the wall times is printed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

from clock import cpu, timed

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNPACK = {b"\x1f\x8b": "igzip -dc", b"\x28\xb5": "zstd -dcq --long=31"}


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("layout", type=pathlib.Path)
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--runs", type=int, default=5)
    words.add_argument("--peer", choices=["syft"])
    chosen = words.parse_args()
    for tool in ["openssl", "igzip", "zstd"]:
        if shutil.which(tool) is None:
            sys.exit(f"error: {tool} is not installed")

    offcut = [chosen.offcut, "scan", f"oci-dir:{chosen.layout}", "-f", "json", "--fail-on", "never", "--no-progress"]
    contenders = {"floor": lambda: floor(chosen.layout), "offcut": lambda: timed(offcut)}
    if chosen.peer:
        contenders[chosen.peer] = lambda: timed([chosen.peer, "scan", f"oci-dir:{chosen.layout}", "-q", "-o", "json"])

    print(f"{chosen.layout}: {about(chosen.layout)}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    results = {name: [] for name in contenders}
    for run in range(chosen.runs + 1):
        for name, contender in contenders.items():
            result = contender()
            if run > 0:
                results[name].append(result)
    floors = [statistics.median(r[i] for r in results["floor"]) for i in (0, 1)]
    print(f"{'':8} {'wall':>8} {'cpu':>8} {'peak RSS':>10}   wall/floor  cpu/floor   (median of {chosen.runs})")
    for name, rows in results.items():
        wall, cpu = (statistics.median(r[i] for r in rows) for i in (0, 1))
        peak = max(r[2] for r in rows)
        memory = f"{peak / 1024:.0f} MiB" if peak else ""
        print(f"{name:8} {wall:6.2f} s {cpu:6.2f} s {memory:>10}   {wall / floors[0]:10.2f} {cpu / floors[1]:10.2f}")


def layers(layout):
    """The layers of the layout's first image: file, how to unpack it."""
    blobs = layout / "blobs" / "sha256"

    def blob(descriptor):
        return blobs / descriptor["digest"].removeprefix("sha256:")

    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(index["manifests"][0]).read_bytes())
    files = sorted({blob(layer) for layer in manifest["layers"]}, key=lambda f: -f.stat().st_size)
    return [(file, UNPACK.get(file.open("rb").read(2), "cat")) for file in files]


def about(layout):
    files = layers(layout)
    return (
        f"{len(files)} layers, {sum(f.stat().st_size for f, _ in files) / 1e6:.0f} MB stored, {files[0][1].split()[0]}"
    )


def floor(layout):
    """Wall and CPU seconds of the floor; its memory says nothing, it is that of a few pipes."""
    steps = []
    for file, unpack in layers(layout):
        steps += [f"{unpack} < '{file}' | openssl dgst -sha256 -r", f"openssl dgst -sha256 -r < '{file}'"]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(lambda step: subprocess.run(["sh", "-c", step], stdout=subprocess.DEVNULL), steps):
            done.check_returncode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - started, cpu(after) - cpu(before), 0


if __name__ == "__main__":
    main()
