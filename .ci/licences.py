#!/usr/bin/env python3
"""Checks that every dependency has a licence that deny.toml allows and comes from the registry of Cargo.

A stand-in for two of the four checks of `cargo deny`, whose own build takes longer than everything else here. The
advisories are checked by cargo-deny itself in the workflow: their database is not reachable from every machine.
"""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    packages = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)["packages"]
    faults, needed = [], set()
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if package["source"] and not package["source"].startswith("registry+"):
            faults.append(f"{name}: comes from {package['source']}")
        chosen = choose((package["license"] or "").replace("/", " OR "), allowed)
        if chosen is None:
            faults.append(f"{name}: licence '{package['license']}' is not allowed")
        else:
            needed |= chosen
    faults += [f"deny.toml: nothing needs '{licence}'" for licence in sorted(allowed - needed)]
    print("\n".join(faults) or f"{len(packages)} packages, {len(needed)} licences: all allowed")
    return 1 if faults else 0


def choose(expression, allowed):
    """The allowed licences that satisfy an SPDX expression, or None."""
    words = re.findall(r"\(|\)|[^\s()]+", expression)

    def either():
        result = both()
        while words and words[0] == "OR":
            words.pop(0)
            other = both()
            result = other if result is None else result if other is None else min(result, other, key=sorted)
        return result

    def both():
        result = one()
        while words and words[0] == "AND":
            words.pop(0)
            other = one()
            result = None if result is None or other is None else result | other
        return result

    def one():
        word = words.pop(0) if words else ""
        if word == "(":
            result = either()
            words.pop(0)
            return result
        if words and words[0] == "WITH":
            words.pop(0)
            word = f"{word} WITH {words.pop(0)}"
        return {word} if word in allowed else None

    return either()


if __name__ == "__main__":
    sys.exit(main())
