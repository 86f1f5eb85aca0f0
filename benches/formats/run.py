#!/usr/bin/env python3
"""What more formats cost: one scan that writes one, and one that writes eight, in turn.

usage: benches/formats/run.py IMAGE [--offcut PROGRAM] [--runs N]

IMAGE is anything that `offcut scan` takes, such as the layouts of `make-image.sh`. After a run of each that warms the page
cache, the two take turns, A B A B. Printed are medians of wall and CPU time, and the median of the ratios of neighbours,
which the load of the machine moves least. The bound is 1.10 in wall time.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benches"))
from clock import timed  # noqa: E402

BOUND = 1.10

# 3: something was not read, and the report says so
SCANNED = (0, 3)

ONE = ["json"]
EIGHT = ["json", "sarif", "html", "markdown", "junit", "csv", "gitlab", "oscal"]


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("image")
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--runs", type=int, default=7)
    chosen = words.parse_args()

    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; median of {chosen.runs}")
    with tempfile.TemporaryDirectory(prefix="offcut-formats-") as place:
        ways = {f"{len(formats)} formats": command(chosen, place, formats) for formats in (ONE, EIGHT)}
        results = {way: [] for way in ways}
        for turn in range(chosen.runs + 1):
            for way, words in ways.items():
                result = timed(words, SCANNED)
                if turn > 0:
                    results[way].append(result)
        sizes = {path.name: path.stat().st_size for path in pathlib.Path(place).iterdir()}
    for way, rows in results.items():
        wall, cpu = (statistics.median(row[at] for row in rows) for at in (0, 1))
        print(f"{way:10} {wall:7.3f} s {cpu:7.3f} s CPU {max(row[2] for row in rows) / 1024:5.0f} MiB")
    one, eight = results.values()
    ratio = [statistics.median(more[at] / less[at] for less, more in zip(one, eight)) for at in (0, 1)]
    print(f"8 / 1      {ratio[0]:7.3f}   {ratio[1]:7.3f} CPU; wrote " + ", ".join(f"{n} {s:,}" for n, s in sorted(sizes.items())))
    if ratio[0] > BOUND:
        sys.exit(f"more than {BOUND}")


def command(chosen, place, formats):
    outputs = [word for name in formats for word in ("-o", f"{name}={place}/{len(formats)}.{name}")]
    return [chosen.offcut, "scan", chosen.image, "--fail-on", "never", "--no-progress", "-q", *outputs]


if __name__ == "__main__":
    main()
