#!/usr/bin/env python3
"""The Dockerfiles that this project started from, built by a real engine, against what has to be found in each.

usage: seeds.py [--offcut PROGRAM] [--work DIR] [--only ROW[,ROW]] [--quick] [--show] [--keep]

needs: root, a Docker daemon, debootstrap, zstd, pip, npm, and the network for Debian, npm and PyPI packages.
The table below is complete at medium and above: anything else that is found there fails the row. `--show` prints what
is found and judges nothing; `--quick` takes those that stand for their kind; `--keep` leaves the images in the daemon.
"""

import json
import shutil
import subprocess
import sys

from bases import Bases
from engines import DEMO, HERE, Docker, Layout, debian, node_app, run
from suite import Suite, equal, fresh, options

SEEDS = HERE / "seeds"
# A row of each language and of each kind of stage, and the two whose squashed image has the most to tell.
QUICK = set(
    "s0.1-single s0.2-builder s1.1-go-single s1.2-go-alpine s2.4-python-wheels s2.5-react-nginx s2.6a-development"
    " s3.4-runner".split()
)
QUICK_SQUASHED = {"s0.1-single", "s1.1-go-single"}


class Row:
    """One image: how it is built, and what is to be found in it.

    `found` has every rule at medium and above with its severity; `also` rules that must be there below that; `never`
    beginnings of rule ids of which none may be there at low or above.
    """

    def __init__(self, name, context, found, also=(), never=(), target=None, file=None, role="service"):
        self.name, self.context, self.target = name, context, target
        self.file = SEEDS / f"{file or name}.Dockerfile"
        self.found, self.also, self.never, self.role = found, set(also), tuple(never), role


ROOT_USER = {"root-user/uid-0": "medium"}
DEV = {"dev-dependency/npm": "high"}
# What a base on the full Debian variant brings along.
FULL = {"build-tool/gcc": "high", "build-tool/git": "medium"}
# A cache is low, and medium above 50 MB.
NPM_CACHE = {"cache/npm": "medium"}
MANAGER = {"build-tool/npm"}

ROWS = [
    Row("s0.1-single", "node", FULL | DEV | NPM_CACHE | ROOT_USER | {"source/typescript": "medium"}),
    Row(
        "s0.2-builder",
        "node",
        {"wrong-stage/builder": "high", "source/typescript": "medium"} | DEV | NPM_CACHE | ROOT_USER,
        target="builder",
        file="s2.6-targets",
    ),
    Row("s0.3-unpruned", "node", DEV, also={"root-user/named-user"} | MANAGER, never={"root-user/uid-0", "source/"}),
    Row(
        "s1.1-go-single",
        "go",
        FULL | ROOT_USER | {"build-tool/go": "high", "cache/go-build": "medium", "source/compiled": "medium"},
        never={"secret/"},
    ),
    Row(
        "s1.2-go-alpine",
        "go",
        {"broken-runtime/glibc-on-musl": "high"} | ROOT_USER,
        never={"build-tool/", "source/"},
    ),
    Row("s1.3-node-ci", "node", ROOT_USER, also={"cache/npm"}, never={"dev-dependency/", "build-tool/typescript"}),
    Row("s2.1-node-unpruned", "node", DEV | ROOT_USER),
    Row("s2.2-go-scratch", "go", ROOT_USER, never={"build-tool/", "source/", "leftover/", "cache/"}),
    Row("s2.3-node-pruned", "node", {}, also={"root-user/named-user"}, never={"dev-dependency/", "source/", "cache/"}),
    Row("s2.4-python-wheels", "python", {}, also={"leftover/wheels"}, never={"root-user/uid-0", "source/", "secret/"}),
    Row("s2.5-react-nginx", "react", ROOT_USER, never={"build-tool/", "dev-dependency/", "source/"}),
    Row(
        "s2.6a-development",
        "node",
        {"wrong-stage/dev-server": "high", "dev-dependency/npm": "medium"} | NPM_CACHE | ROOT_USER,
        target="development",
        file="s2.6-targets",
    ),
    Row(
        "s2.6b-test",
        "node",
        {"wrong-stage/test": "high"} | DEV | NPM_CACHE | ROOT_USER,
        target="test",
        file="s2.6-targets",
    ),
    Row("s2.6c-production", "node", DEV | ROOT_USER, target="production", file="s2.6-targets"),
    Row("s3.2-react-maps", "react", ROOT_USER | {"source/map": "medium"}, never={"build-tool/", "dev-dependency/"}),
    Row("s3.3-typescript-api", "node", ROOT_USER, also={"cache/npm"}, never={"dev-dependency/", "source/"}),
    Row("s3.4-runner", "node", {}, also={"root-user/named-user"}, never={"root-user/uid-0", "dev-dependency/"}),
]


def main():
    words = options(__doc__, "ROW")
    words.add_argument("--quick", action="store_true", help="one row of each kind")
    words.add_argument("--show", action="store_true")
    words.add_argument("--keep", action="store_true", help="leave the images in the daemon")
    chosen = words.parse_args()

    work = fresh(chosen.work.resolve() / "seeds")
    suite, docker = Suite(chosen.only), Docker()
    rows = [row for row in ROWS if suite.wants(row.name) and (row.name in QUICK or not chosen.quick)]
    try:
        bases = Bases(docker, chosen.work.resolve(), work)
        with suite.case("seeds: Debian, Alpine and the lockfiles"):
            debian(docker, chosen.work.resolve())
            node_app(docker, Layout.unpack(DEMO, work / "demo"), work)
            contexts(work, {row.context for row in rows})
        for row in rows:
            with suite.case(f"seeds: {row.name}"):
                bases.need(row.file)
                build(docker, row, work / row.context)
                judge(chosen.offcut.resolve(), docker, row, chosen.show)
        for row in rows:
            if row.found and not chosen.show and (row.name in QUICK_SQUASHED or not chosen.quick):
                with suite.case(f"seeds: {row.name}, squashed into one layer without history"):
                    squash(docker, row, work / "squashed.tar")
                    squashed(chosen.offcut.resolve(), docker, row)
    finally:
        if not chosen.keep:
            docker.clean()
    return suite.report()


def contexts(work, names):
    """Copies the build contexts; npm writes their lockfiles, so that no version is pinned here."""
    for name in names:
        shutil.copytree(SEEDS / name, work / name)
        if (work / name / "package.json").exists():
            run("npm", "install", "--package-lock-only", "--no-audit", "--no-fund", cwd=work / name)


def build(docker, row, context):
    target = ["--target", row.target] if row.target else []
    docker.build(tag(row), context, "--file", row.file, *target)


def tag(row):
    return f"offcut-seed/{row.name}"


def scan(offcut, docker, reference):
    """The report of an image of the daemon."""
    command = [offcut, "scan", f"docker:{reference}", "-f", "json", "--fail-on", "never"]
    done = subprocess.run(command, capture_output=True, env=docker.env, timeout=600)
    equal(done.returncode, 0, f"exit code\n{done.stderr.decode()}")
    return json.loads(done.stdout)


def judge(offcut, docker, row, show):
    report = scan(offcut, docker, tag(row))
    lines = [line(finding) for finding in report["findings"]]
    if show:
        print(f"{report['role']}\n{report['base']}", *lines, sep="\n")
        return
    told = "\n".join(lines)
    worst = {f["rule"]: f["severity"] for f in report["findings"] if f["severity"] in ("critical", "high", "medium")}
    equal(worst, row.found, f"findings at medium and above\n{told}\n")
    below = {f["rule"] for f in report["findings"]}
    assert row.also <= below, f"missing {row.also - below}\n{told}"
    loud = [f["rule"] for f in report["findings"] if f["severity"] != "note" and f["rule"].startswith(row.never)]
    equal(loud if row.never else [], [], f"what must not be reported\n{told}\n")
    equal(report["role"]["name"], row.role, "role")
    equal(report["diagnostics"], [], "diagnostics")


def line(finding):
    layer = finding["layer"]["number"] if finding["layer"] else "-"
    reach, origin = finding["need"]["reach"], finding["origin"]
    part = " (part of another)" if finding["part_of"] else ""
    size = f"{finding['bytes']:>11,}"
    return f"  {finding['severity']:8} {finding['rule']:34} {size} layer {layer} {origin} {reach}{part}: {finding['title']}"


def squash(docker, row, file):
    """The same file system and settings in one layer, with nothing said of where it came from."""
    docker.export(tag(row), file)
    config = json.loads(docker("image", "inspect", tag(row)).stdout)[0]["Config"]
    changes = [f"USER {config['User']}"] if config["User"] else []
    changes += [f"WORKDIR {config['WorkingDir']}"] if config["WorkingDir"] else []
    changes += [f"ENV {variable}" for variable in config["Env"]]
    changes += [f"{name.upper()} {json.dumps(config[name])}" for name in ("Entrypoint", "Cmd") if config[name]]
    with file.open("rb") as stream:
        options = [word for change in changes for word in ("--change", change)]
        docker("import", *options, "-", f"{tag(row)}-squashed", stdin=stream)
    docker.tags.append(f"{tag(row)}-squashed")


def squashed(offcut, docker, row):
    report = scan(offcut, docker, f"{tag(row)}-squashed")
    found = {f["rule"] for f in report["findings"] if f["severity"] in ("critical", "high", "medium")}
    # what only the history tells is unknown here
    wanted = {rule for rule in row.found if not rule.startswith("wrong-stage/")}
    assert wanted <= found, f"missing {wanted - found}, found {found}"
    equal(report["base"]["layers"], None, "base layers of an image without history")
    equal({f["origin"] for f in report["findings"] if f["paths"]} - {"unknown"}, set(), "origins")


if __name__ == "__main__":
    sys.exit(main())
