#!/usr/bin/env python3
"""Real software as a test for silence: what offcut says of secrets in trees that hold none of anybody's.

usage: benches/secrets/negatives.py WORK [--offcut PROGRAM] [--only TREE[,TREE]] [--notes] [--known]

WORK keeps the trees (`trees.py`: a Debian root, `node_modules` of 200 npm packages, the site-packages of 50 PyPI
packages; about 7 GB). Prints how many findings there are by severity, and each at medium and above with its places.
`--notes` prints the quiet ones, too. `--known` prints a table for `policies/secrets/known-keys.toml` instead: the SHA-256
of the public half of every private key that these packages publish.

needs: root, debootstrap, npm, pip and the network for Debian, npm and PyPI packages, when a tree is to be made.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import time

import trees

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOUD = ("critical", "high", "medium")


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("work", type=pathlib.Path)
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--only", default="", metavar="TREE[,TREE]")
    words.add_argument("--notes", action="store_true", help="print what is below medium, too")
    words.add_argument("--known", action="store_true", help="print the public halves of the keys")
    chosen = words.parse_args()

    only = [name for name in chosen.only.split(",") if name]
    known, loud = {}, 0
    for name, tree in trees.every(chosen.work):
        if only and name not in only:
            continue
        started = time.monotonic()
        report = scan(chosen.offcut, tree)
        seconds = time.monotonic() - started
        findings = [f for f in report["findings"] if f["family"] == "secret"]
        if chosen.known:
            known |= public_keys(name, findings)
            continue
        counts = collections.Counter(finding["severity"] for finding in findings)
        loud += sum(counts[severity] for severity in LOUD)
        told = ", ".join(f"{counts[s]} {s}" for s in (*LOUD, "low", "note") if counts[s]) or "nothing"
        totals = report["totals"]
        print(f"== {name}: {totals['files']:,} files, {totals['bytes'] / 1e6:,.0f} MB, {seconds:.0f} s: {told}")
        for key in ("secrets_read", "coverage"):
            if key in report:
                print(f"   {key}: {json.dumps(report[key])}")
        for finding in findings:
            if chosen.notes or finding["severity"] in LOUD:
                show(finding)
    if chosen.known:
        print("# Made by benches/secrets/negatives.py --known: private keys that packages publish, with their tests mostly.")
        by_name = collections.defaultdict(list)
        for digest, name in known.items():
            by_name[name].append(digest.removeprefix("sha256:"))
        for name, digests in sorted(by_name.items()):
            print(f'\n[[known]]\nname = "{name}"\nkeys = [')
            print("".join(f'    "{digest}",\n' for digest in sorted(digests)) + "]")
    else:
        print(f"\n{loud} at medium and above")


def scan(offcut, tree):
    command = [offcut, "scan", f"dir:{tree}", "-f", "json", "--fail-on", "never", "--no-progress"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    # 3: something was not read, and the report says what
    if done.returncode not in (0, 3) or not done.stdout:
        sys.exit(f"error: offcut ended with {done.returncode}\n{done.stderr.decode()[-2000:]}")
    return json.loads(done.stdout)


def show(finding):
    print(f"   {finding['severity']:8} {finding['rule']:36} owner {finding['owner']}")
    for evidence in finding["evidence"][:8]:
        print(f"      {evidence['path']}: {evidence['witness']}")
    if len(finding["evidence"]) > 8:
        print(f"      and {len(finding['evidence']) - 8} more places")


def public_keys(tree, findings):
    """Digest of the public half, and who publishes it: the package that the path tells."""
    keys = {}
    for finding in findings:
        for place, evidence in zip(finding["secrets"], finding["evidence"], strict=False):
            digest = place.get("public_key") or digest_in(evidence["witness"])
            if digest:
                keys.setdefault(digest, publisher(tree, place["path"], finding))
    return keys


def digest_in(witness):
    found = re.search(r"sha256:([0-9a-f]{64})", witness)
    return found and f"sha256:{found[1]}"


def publisher(tree, path, finding):
    if finding["packages"]:
        return finding["packages"][0]["name"]
    parts = path.split("/")
    if "node_modules" in parts:
        after = parts[len(parts) - parts[::-1].index("node_modules") :]
        return "npm " + "/".join(after[: 2 if after[0].startswith("@") else 1])
    for top in ("site-packages", "vendor"):
        if top in parts:
            return f"PyPI {parts[parts.index(top) + 1]}"
    return f"{tree} {path}"


if __name__ == "__main__":
    main()
