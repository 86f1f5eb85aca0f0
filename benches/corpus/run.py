#!/usr/bin/env python3
"""How many real build tools are found, and how many ordinary files are taken for one.

usage: run.py [--offcut PROGRAM] [--work DIR] [--quick] [--files N] [--seed N]

Positive: the files of `tools.txt`, each out of a package that its makers or a distribution publish, laid alone into a
directory under another name: as shipped, stripped, as a hard link, and without its executable bit. There is no package
database, so only the content can tell. Negative: Debian packages drawn at random (`--seed`) from the sections that
hold programs and libraries until `--files` executables and libraries are there, npm and PyPI packages of `ordinary.txt`,
also without a package database. Prints recall and precision for each rule, every file that was missed, and every false
alarm. The exit code is 1 if there is one of either.

needs: apt with Debian sources, dpkg-deb, strip, pip, npm, and the network. `--quick` takes a tenth.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Debian sections whose packages are programs and libraries for use, not for building.
ORDINARY = """admin comm database education electronics games gnome graphics hamradio httpd interpreters java javascript kde libs
mail math misc net news perl php python ruby science shells sound text utils video web x11 xfce""".split()
DEB_MAX = 4_000_000  # bytes of one drawn package, so that a few large ones do not make the sample
VARIANTS = ["shipped", "stripped", "linked", "plain"]


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


class Debian:
    """Packages of one release, fetched with apt from the machine's own mirror."""

    def __init__(self, suite, work):
        self.suite, self.home = suite, work / "apt" / (suite or "own")
        (self.home / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.home / "debs").mkdir(exist_ok=True)
        self.options = []
        if suite:
            uris = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)").decode().split("\n")
            mirror = next(line.split()[0] for line in uris if line and "security" not in line)
            sources = self.home / "sources.list"
            sources.write_text(f"deb [signed-by={keyring()}] {mirror} {suite} main\n")
            self.options = ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null"]
            self.options += ["-o", f"Dir::State::Lists={self.home / 'lists'}", "-o", f"Dir::Cache={self.home}"]
            if not list((self.home / "lists").glob("*_Packages*")):
                run("apt-get", *self.options, "update")

    def fetch(self, names):
        """The archives of packages by name; those that the release does not have are left out."""
        missing = [name for name in names if not self.archive(name)]
        for at in range(0, len(missing), 50):
            some = missing[at : at + 50]
            command = ["apt-get", *self.options, "download", *some]
            if subprocess.run(command, cwd=self.home / "debs", capture_output=True).returncode != 0:
                for name in some:
                    subprocess.run([*command[:-len(some)], name], cwd=self.home / "debs", capture_output=True)
        return {name: archive for name in names if (archive := self.archive(name))}

    def archive(self, name):
        return next((self.home / "debs").glob(f"{name}_*.deb"), None)

    def ordinary(self, seed):
        """Names of ordinary packages in the random order of the seed."""
        names = []
        for text in run("apt-cache", *self.options, "dumpavail").decode(errors="replace").split("\n\n"):
            row = dict(re.findall(r"^(Package|Section|Size|Architecture): (.+)$", text, re.MULTILINE))
            if row.get("Section", "").split("/")[-1] in ORDINARY and int(row.get("Size", 0)) <= DEB_MAX:
                names.append(row["Package"])
        names = sorted(set(names))
        random.Random(seed).shuffle(names)
        return names


def keyring():
    rings = pathlib.Path("/usr/share/keyrings")
    return next(str(ring) for ring in sorted(rings.glob("debian-archive-keyring.*")))


def unpack_deb(archive, into):
    into.mkdir(parents=True)
    run("dpkg-deb", "--extract", archive, into)


def wheel(requirement, work):
    """The wheel of a PyPI package."""
    folder = work / "wheels" / re.sub(r"\W+", "-", requirement)
    if not list(folder.glob("*.whl")):
        run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder, requirement)
    return next(folder.glob("*.whl"))


def npm(requirement, work):
    """The `node_modules` of an npm package, installed with what it needs."""
    folder = work / "npm" / re.sub(r"\W+", "-", requirement)
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", requirement, cwd=folder)
    return folder / "node_modules"


def rows(quick):
    """Rows of `tools.txt`: source, package, file or `*` for the whole tree, rule."""
    lines = [line.split("#")[0].split() for line in (HERE / "tools.txt").read_text().splitlines()]
    lines = [line for line in lines if line]
    return lines[:: 10 if quick else 1]


def lay_tools(work, root, quick):
    """Lays every tool into directories of its own; returns directory to (rule, variant, what)."""
    wanted = {}
    sources = collections.defaultdict(set)
    table = rows(quick)
    for source, package, _, _ in table:
        sources[source].add(package)
    debs = collections.defaultdict(dict)
    for source, names in sources.items():
        kind, _, suite = source.partition(":")
        if kind == "deb":
            debs[source] = Debian(suite, work).fetch(sorted(names))
    trees = work / "trees"
    for number, (source, package, file, rule) in enumerate(table):
        tree = trees / f"{source.replace(':', '-')}-{re.sub(r'[^A-Za-z0-9.+-]+', '-', package)}"
        if not tree.exists() and not unpack(source, package, tree, debs, work):
            print(f"not to be had: {source} {package}")
            continue
        place = root / f"{number:04}"
        what = f"{source} {package} {file}"
        if file == "*":
            shutil.copytree(tree, place / "tree", symlinks=True)
            wanted[f"/{number:04}/tree"] = (rule, "tree", what)
            continue
        original = tree / file
        if not original.is_file():
            print(f"not there: {what}")
            continue
        for variant in VARIANTS:
            if lay(variant, original, place / variant):
                wanted[f"/{number:04}/{variant}"] = (rule, variant, what)
    return wanted


def unpack(source, package, tree, debs, work):
    kind = source.partition(":")[0]
    if kind == "deb":
        archive = debs[source].get(package)
        if archive:
            unpack_deb(archive, tree)
        return bool(archive)
    if kind == "pypi":
        with zipfile.ZipFile(wheel(package, work)) as archive:
            archive.extractall(tree)
        return True
    pack(package, tree / "node_modules", work)
    return True


def pack(requirement, modules, work):
    """Unpacks one npm package as an installation would lay it down, without what it needs."""
    folder = work / "packs" / re.sub(r"\W+", "-", requirement)
    if not list(folder.glob("*.tgz")):
        folder.mkdir(parents=True, exist_ok=True)
        run("npm", "pack", "--silent", requirement, cwd=folder)
    place = modules / requirement.rpartition("@")[0]
    place.mkdir(parents=True)
    run("tar", "-C", place, "--strip-components=1", "-xzf", next(folder.glob("*.tgz")))


def lay(variant, original, place):
    """Lays one file under another name; `False` where the variant makes no sense for it."""
    elf = original.read_bytes()[:4] == b"\x7fELF"
    if variant == "stripped" and not elf:
        return False
    place.mkdir(parents=True)
    helper = place / "helper"
    shutil.copy(original, helper)
    helper.chmod(0o644 if variant == "plain" else 0o755)
    if variant == "stripped":
        subprocess.run(["strip", "--strip-all", helper], capture_output=True)
    if variant == "linked":
        os.link(helper, place / "other")
    return True


def lay_ordinary(work, root, files, seed, quick):
    """Lays ordinary packages side by side until there are enough executables and libraries; returns their number."""
    count, names = 0, iter(Debian("", work).ordinary(seed))
    debian = Debian("", work)
    while count < files:
        batch = [name for _, name in zip(range(50), names)]
        if not batch:
            break
        for name, archive in debian.fetch(batch).items():
            unpack_deb(archive, root / "deb" / name)
            count += executables(root / "deb" / name)
    lines = [line.split() for line in (HERE / "ordinary.txt").read_text().splitlines() if line and line[0] != "#"]
    for kind, name in lines[:: 10 if quick else 1]:
        place = root / kind / re.sub(r"\W+", "-", name)
        if kind == "pypi":
            with zipfile.ZipFile(wheel(name, work)) as archive:
                archive.extractall(place)
        else:
            shutil.copytree(npm(name, work), place, symlinks=True)
        count += executables(place)
    return count


def executables(tree):
    """ELF programs and libraries, scripts and jars below a directory."""
    count = 0
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                head = file.read(4)
            count += head == b"\x7fELF" or head[:2] == b"#!" or name.endswith((".jar", ".node"))
    return count


def scan(offcut, root):
    done = subprocess.run([offcut, "scan", f"dir:{root}", "-f", "json", "--fail-on", "never"], capture_output=True)
    if not done.stdout:
        sys.exit(done.stderr.decode())
    return [f for f in json.loads(done.stdout)["findings"] if f["family"] == "build-tool"]


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "corpus")
    words.add_argument("--quick", action="store_true")
    words.add_argument("--files", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    work = chosen.work.resolve()
    tools, ordinary = work / "tools", work / "ordinary"
    for folder in (tools, ordinary, work / "trees"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    wanted = lay_tools(work, tools, chosen.quick)
    claims = collections.defaultdict(set)
    for finding in scan(chosen.offcut, tools):
        for group in finding["paths"]:
            for file in group["files"]:
                parts = file.split("/")
                claims["/" + "/".join(parts[1:3])].add(finding["rule"])
    found, missed = collections.Counter(), []
    for place, (rule, variant, what) in wanted.items():
        if rule in claims[place]:
            found[rule] += 1
        else:
            missed.append(f"missed   {rule}: {what} ({variant}), found {sorted(claims[place]) or 'nothing'}")

    files = lay_ordinary(work, ordinary, chosen.files // (10 if chosen.quick else 1), chosen.seed, chosen.quick)
    known = [line.split(None, 2) for line in (HERE / "known.txt").read_text().splitlines() if line and line[0] != "#"]
    alarms, explained = collections.Counter(), 0
    false = []
    for finding in scan(chosen.offcut, ordinary):
        for place in {"/".join(file.split("/")[2:3]) for group in finding["paths"] for file in group["files"]}:
            if any(re.fullmatch(name, place) and re.fullmatch(rule, finding["rule"]) for name, rule, _ in known):
                explained += 1
                continue
            alarms[finding["rule"]] += 1
            false.append(f"alarm    {finding['rule']}: {place}, {finding['evidence'][0]['witness']}")

    totals = collections.Counter(rule for rule, _, _ in wanted.values())
    print(f"{'rule':34} {'files':>6} {'found':>6} {'recall':>7} {'alarms':>7} {'precision':>9}")
    for rule in sorted(totals | alarms):
        recall = f"{found[rule] / totals[rule]:.3f}" if totals[rule] else "-"
        claimed = found[rule] + alarms[rule]
        precision = f"{found[rule] / claimed:.3f}" if claimed else "-"
        print(f"{rule:34} {totals[rule]:6} {found[rule]:6} {recall:>7} {alarms[rule]:7} {precision:>9}")
    whole, hits, wrong = sum(totals.values()), sum(found.values()), sum(alarms.values())
    precision = f"{hits / (hits + wrong):.4f}" if hits + wrong else "-"
    print(*missed, *false, sep="\n")
    print(f"\n{hits} of {whole} tool files found (recall {hits / max(whole, 1):.4f}); {wrong} false alarms in {files:,} ordinary")
    print(f"executables and libraries (precision {precision}); {explained} findings there are real tools, see known.txt")
    return 1 if missed or false else 0


if __name__ == "__main__":
    sys.exit(main())
