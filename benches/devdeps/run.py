#!/usr/bin/env python3
"""Compares what offcut calls dev dependencies with what the package managers themselves remove.

Each project is installed in full, scanned, and then brought to production by its own package manager. What is gone
afterwards must be what offcut named: the same packages, and where the manager prunes in place the same number of copies.
Afterwards the production installation is scanned, too, and must be silent.

    benches/devdeps/run.py [--quick] [--offcut PROGRAM] [--only WORD] [--keep DIR] [ECOSYSTEM ...]

Wants the network and the package managers; an ecosystem is a file beside this one with a list PROJECTS. Lock files are
made at run time, so the numbers change with the releases of the packages; the comparison does not.
"""

import argparse
import importlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


class Project:
    """One project. An ecosystem makes its own kind of it.

    `rule` is the id of the finding; `exact` tells whether pruning keeps the remaining copies where they are.
    """

    rule = ""
    exact = True
    quick = False
    name = ""

    def install(self, root, tools):
        """Writes the manifests below `root` and installs everything. `tools` is a directory for package managers."""
        raise NotImplementedError

    def prune(self, root, tools):
        """Brings the installation to production."""
        raise NotImplementedError

    def copies(self, root):
        """What is installed: a list of (name, version, place)."""
        raise NotImplementedError


def call(command, cwd, **env):
    """Runs a command and raises with its output when it fails."""
    import os

    done = subprocess.run(command, cwd=cwd, env={**os.environ, "CI": "1", **env}, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done.stdout


def scan(offcut, root, rule):
    """The findings of a rule: copies and packages of each, by root."""
    done = subprocess.run([offcut, "scan", f"dir:{root}", "-f", "json"], capture_output=True, text=True, timeout=600)
    if not done.stdout:
        raise RuntimeError(f"offcut: {done.stderr[-800:]}")
    report = json.loads(done.stdout)
    unread = [d["text"] for d in report["diagnostics"] if d["unread"]]
    if unread:
        raise RuntimeError(f"offcut did not read everything: {unread}")
    dev = [f for f in report["findings"] if f["family"] == "dev-dependency"]
    other = [f["rule"] for f in dev if f["rule"] != rule]
    if other:
        raise RuntimeError(f"offcut reports {other}")
    count = sum(int(re.match(r"(\d+)|the only", f["title"]).group(1) or 1) for f in dev)
    packages = {(p["name"], p["version"]) for f in dev for p in f["packages"]}
    return count, packages


def compare(project, offcut, work, tools):
    """One row of the table, and whether all is well."""
    root = work / project.name
    root.mkdir(parents=True)
    project.install(root, tools)
    before = project.copies(root)
    count, named = scan(offcut, root, project.rule)
    project.prune(root, tools)
    after = project.copies(root)
    left, _ = scan(offcut, root, project.rule)
    stay = {(name, version) for name, version, _ in after}
    gone = {(name, version) for name, version, _ in before} - stay
    missed, wrong = gone - named, named - gone
    if project.exact:
        places = {place for _, _, place in after}
        removed = sum(1 for _, _, place in before if place not in places)
        # Of a package that stays, one of several copies may go.
        wrong = {package for package in wrong if package not in stay}
        good = not missed and not wrong and removed == count and left == 0
    else:
        removed = len(gone)
        wrong = {package for package in wrong if package not in stay or not nested(before, package)}
        count = len(named & gone)
        good = not missed and not wrong and left == 0
    row = (project.name, project.rule, len(before), removed, count, len(missed), len(wrong), left)
    return row, good, missed, wrong


def nested(copies, package):
    """Whether a package is there in more than one copy."""
    return sum(1 for name, version, _ in copies if (name, version) == package) > 1


def main():
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem != "run")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only a few small projects")
    parser.add_argument("--offcut", default=str(HERE.parent.parent / "target/release/offcut"))
    parser.add_argument("--only", default="", help="only projects whose name holds this")
    parser.add_argument("--keep", help="work in this directory and leave it there")
    parser.add_argument("ecosystem", nargs="*", help=f"one or more of: {', '.join(known)}")
    args = parser.parse_args()
    sys.modules["run"] = sys.modules["__main__"]
    projects = [p for name in args.ecosystem or known for p in importlib.import_module(name).PROJECTS]
    projects = [p for p in projects if args.only in p.name and (p.quick or not args.quick)]
    work = pathlib.Path(args.keep or tempfile.mkdtemp(prefix="offcut-devdeps-"))
    tools = work / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    form = "{:26} {:22} {:>9} {:>8} {:>7} {:>7} {:>6} {:>6}"
    print(form.format("project", "rule", "installed", "removed", "offcut", "missed", "wrong", "after"), flush=True)
    bad = 0
    for project in projects:
        try:
            row, good, missed, wrong = compare(project, args.offcut, work, tools)
            print(form.format(*row), "" if good else "  DIFFERS", flush=True)
            for what, packages in [("missed", missed), ("wrong", wrong)]:
                for name, version in sorted(packages)[:8]:
                    print(f"    {what}: {name} {version}")
        except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
            good = False
            print(f"{project.name}: {error}", flush=True)
        bad += not good
        if not args.keep:
            shutil.rmtree(work / project.name, ignore_errors=True)
    if not args.keep:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{len(projects) - bad} of {len(projects)} projects agree")
    return 1 if bad or not projects else 0


if __name__ == "__main__":
    sys.exit(main())
