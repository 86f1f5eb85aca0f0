#!/usr/bin/env python3
"""What `offcut fix` makes of Dockerfiles as people write them: it is built by a real engine, started and asked.

usage: fix.py [--offcut PROGRAM] [--work DIR] [--only CASE[,CASE]] [--quick] [--show] [--keep]

needs: root, a Docker daemon, debootstrap, zstd, pip, npm, and the network for Debian, npm and PyPI packages; for the cases
that say so a newer engine (`newer.py`).
A case is a file `fix/cases/NAME.Dockerfile`. Each is built as it is and has to answer; then it is rewritten, built again
and asked again. At the end stands a table: what came of it, findings at medium and above and bytes before and after, and
what was predicted. The bases have the names of the official images and stand for them: `official.py` says how they are made.

The first line of a case is `# case:` with words; it is no part of the Dockerfile.
    app=NAME          what is built, of `fix/apps`
    outcome=WORD      `rewritten` if it is not said, `refused` or `nothing`
    reason=TEXT       what the reason of that has in it
    to=IMAGE          what the last stage has to stand on
    left=RULE         the finding that stays, as what it speaks of is meant: a port below 1024, a volume
    stays             findings that the new base has by itself are left out of what is counted at the end
    lock=TOOL         npm, yarn or pnpm: the lock file that lies beside `package.json`
    classic           built by the classic builder, not by BuildKit
    newer             built and run by a newer Docker, as `newer.py` has it
    history           mended from the image alone as well
    verify[=COMMAND]  proved by `offcut fix --verify` as well, by this command or by the health check
    podman            and by Podman, which has no service running (with `verify`)
    ignore            built with the `.dockerignore` that `offcut fix --dockerignore` makes as well
    quick             one of those that stand for their kind
"""

import contextlib
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

from engines import DEMO, HERE, Docker, Layout, Podman, debian, node_app, run
from newer import Newer, program
from official import Official
from suite import Suite, equal, fresh, options

PORT = 18321
# Seconds until a service answers: one of the cases compiles itself first.
PATIENCE = 90
# What each application answers, and where it is asked.
ANSWERS = {
    "addon": "hello from an addon",
    "bundle": "hello from a gem and sqlite 3",
    "c": "answer 42",
    "composer": "hello from a package",
    "cpp": "hello from c++",
    "dotnet": "hello from .NET",
    "esbuild": "hello from a bundle",
    "fastapi": '"hello":"fastapi"',
    "flask": "hello from flask",
    "go": "hello at 12:00",
    "gradle": '{"hello":"gradle"}',
    "java": "hello from a jar",
    "js": "hello from express",
    "maven": '{"hello":"maven"}',
    "nest": "hello from nest",
    "node": '{"total":12}',
    "ocaml": "hello from ocaml",
    "perl": "hello from perl",
    "php": "hello from php OK",
    "phpext": "hello from php and libpq 15",
    "pyext": "hello from an extension and its page",
    "python": "hello from libpq 15 and a template",
    "ruby": "hello from ruby",
    "rust": "hello from rust",
    "spa": "Shop of pages",
    "state": "visits are kept",
}
PATHS = {"node": "/total"}
LOCKS = {
    "npm": ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"],
    "yarn": ["npx", "--yes", "yarn@1.22.22", "install", "--ignore-scripts", "--no-progress"],
    "pnpm": ["npx", "--yes", "pnpm@9.15.9", "install", "--lockfile-only"],
}


class Case:
    """A Dockerfile, what it is built from, and what has to come of it; and then what came of it."""

    def __init__(self, file):
        head, _, self.dockerfile = file.read_bytes().partition(b"\n")
        begin, *words = shlex.split(head.decode(), comments=False)[1:]
        assert begin == "case:", f"{file} does not begin with its expectations"
        self.name = file.name.removesuffix(".Dockerfile")
        self.words = dict(word.partition("=")[::2] for word in words)
        known = "app outcome reason to left stays lock classic newer history verify podman ignore quick".split()
        assert set(self.words) <= set(known), f"{file}: {self.words}"
        self.is_modern = "newer" in self.words
        self.app, self.outcome = self.words["app"], self.words.get("outcome", "rewritten")
        self.row = {}

    @property
    def text(self):
        return self.dockerfile.decode()


CASES = [Case(file) for file in sorted((HERE / "fix" / "cases").glob("*.Dockerfile"))]


def main():
    words = options(__doc__)
    words.add_argument("--quick", action="store_true", help="one case of each kind")
    words.add_argument("--show", action="store_true", help="print what the files become")
    words.add_argument("--keep", action="store_true", help="leave the images in the daemon")
    chosen = words.parse_args()

    cache = chosen.work.resolve()
    work = fresh(cache / "fix")
    suite, docker, newer = Suite(chosen.only), Docker(), Newer(cache)
    cases = [case for case in CASES if suite.wants(case.name) and ("quick" in case.words or not chosen.quick)]
    engines = {False: docker}
    try:
        with suite.case("fix: bases"):
            debian(docker, cache)
            node_app(docker, Layout.unpack(DEMO, work / "demo"), work)
            official = Official(docker, cache, work)
            official.need("\n".join(case.text.replace("${VERSION}", "1.22") for case in cases))
        if modern := [case for case in cases if case.is_modern]:
            with suite.case("fix: bases of the newer engine"):
                engines[True] = newer.start()
                bases = set(official.need("\n".join(case.text for case in modern)))
                carry(docker, engines[True], bases, work)
                engines[True].tags += bases
        for case in cases:
            with suite.case(f"fix: {case.name}"):
                prove(chosen.offcut.resolve(), engines[case.is_modern], case, work / case.name, cache, chosen.show)
            if not chosen.keep:
                engines[case.is_modern]("rmi", "--force", *images(case), check=False)
    finally:
        table([case.row for case in cases if case.row])
        if not chosen.keep:
            for engine in engines.values():
                engine.clean()
        newer.stop()
    return suite.report()


def carry(docker, other, names, work):
    """Brings images from one engine to the other."""
    docker("save", "--output", work / "bases.tar", *names)
    other("load", "--input", work / "bases.tar")
    (work / "bases.tar").unlink()


def images(case):
    """What is built of a case: as it is, rewritten, of its history, with its `.dockerignore`."""
    return [f"offcut-fix/{case.name}{end}" for end in ("", "-fixed", "-rebuilt", "-ignored")]


def prove(offcut, docker, case, work, cache, show):
    """Builds, asks, rewrites, builds and asks again."""
    before, after, rebuilt, ignored = images(case)
    row, context, file = case.row, work / "context", work / "Dockerfile"
    row |= {"case": case.name, "outcome": "broken"}
    lay_out(case, context, cache)
    if "ignore" in case.words:
        repository(context)
    file.write_bytes(case.dockerfile)
    docker.build(before, context, "--file", file, buildkit="classic" not in case.words)
    ask(docker, before, case)
    row["before"] = size(docker, before)
    command = [offcut, "fix", f"docker:{before}", "--dockerfile", file, "--format", "json"]
    done = subprocess.run(command, capture_output=True, env=docker.env, timeout=600)
    assert done.returncode in (0, 1), done.stderr.decode()
    made = json.loads(done.stdout)
    if show:
        print(made["dockerfile"] or made["reason"])
        for change in made["changes"]:
            print(f"    {change['what']}: {change['why']}")
    row |= {"said": made["reason"] or ""}
    if made["outcome"] != "rewritten":
        row["outcome"] = made["outcome"]
    equal(made["outcome"], case.outcome, f"outcome ({made['reason']})")
    equal(done.returncode, int(case.outcome == "refused"), "exit code")
    if case.outcome != "rewritten":
        assert case.words.get("reason", "") in made["reason"], made["reason"]
        return
    equal(made["base"]["to"], case.words.get("to", made["base"]["to"]), "new base")
    same_text(case, made["dockerfile"])
    file.write_bytes(made["dockerfile"].encode())
    docker.build(after, context, "--file", file)
    row["builds"] = "yes"
    ask(docker, after, case)
    row |= {"outcome": "works", "answers": "yes", "after": size(docker, after)}
    same_config(docker, before, after, made)
    seen = scan(offcut, docker, after, None, work)[0]
    left = loud(seen)
    if "stays" in case.words:
        of_base = loud(scan(offcut, docker, made["base"]["to"], None, work)[0])
        named = [change["why"] for change in made["changes"] if "stays" in change["why"]]
        equal(bool(named), made["base"]["to"] == made["base"]["from"], "what stays is said")
        subjects = {f["rule"]: f["subject"] for f in seen["findings"]}
        is_said = lambda rule: any(subjects[rule] in why for why in named)
        left = [rule for rule in left if not (rule in of_base or is_said(rule)) or rule == case.words.get("left")]
    measured, predicted = row["before"] - row["after"], made["bytes"]["saved"]
    assert predicted is not None, "the base is at hand, and its size was not read"
    row |= {"left": len(left), "predicted": made["bytes"]["after"], "error": abs(predicted - measured) / measured}
    if "quick" in case.words:
        file.write_bytes(case.dockerfile)
        in_scan(*scan(offcut, docker, before, file, work), made)
    if "ignore" in case.words:
        with_ignore_file(offcut, docker, case, before, ignored, context, work)
    if "history" in case.words:
        without_file(offcut, docker, case, before, rebuilt, context, file)
    if "verify" in case.words:
        verify(offcut, docker, case, before, context, work, [docker.client])
        if "podman" in case.words:
            with podman(docker, {made["base"]["from"], made["base"]["to"]}, work) as engine:
                verify(offcut, docker, case, before, context, work, engine)
    assert row["error"] <= 0.05, f"predicted {predicted:,} and measured {measured:,} bytes saved"
    equal(left, [rule for rule in [case.words.get("left")] if rule], "findings at medium and above")


def lay_out(case, context, cache):
    """Copies the application; its lock file is made by the real tool, once."""
    shutil.copytree((HERE / "seeds" if case.app == "node" else HERE / "fix" / "apps") / case.app, context)
    if tool := case.words.get("lock"):
        made = cache / "locks" / f"{case.app}-{tool}"
        package = (context / "package.json").read_text()
        if not made.exists() or (made / "package.json").read_text() != package:
            shutil.rmtree(made, ignore_errors=True)
            shutil.copytree(context, made)
            run(*LOCKS[tool], cwd=made)
            shutil.rmtree(made / "node_modules", ignore_errors=True)
        for lock in ("package-lock.json", "yarn.lock", "pnpm-lock.yaml"):
            if (made / lock).exists():
                shutil.copy(made / lock, context)


def repository(context):
    """Makes a repository of the context, as that of a developer is."""
    git = ["git", "-C", context, "-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    run(*git, "init", "--quiet")
    run(*git, "add", ".")
    run(*git, "commit", "--quiet", "--message", "all of it")


def scan(offcut, docker, image, file, work):
    """The report of a scan, and its SARIF."""
    sarif = work / "scan.sarif"
    command = [offcut, "scan", f"docker:{image}", "-f", "json", "-o", "-", "-o", f"sarif={sarif}", "--fail-on", "never"]
    command += ["--dockerfile", file] if file else []
    return json.loads(run(*command, env=docker.env).stdout), json.loads(sarif.read_text())


def loud(report):
    return [f["rule"] for f in report["findings"] if f["severity"] in ("critical", "high", "medium")]


def size(docker, image):
    return int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)


def same_text(case, made):
    """Comments and line ends of the old file are those of the new one."""
    comments = [line for line in case.text.splitlines() if line.startswith("#")]
    assert all(comment in made for comment in comments), "a comment is lost"
    if "\r\n" in case.text:
        equal(made.count("\n"), made.count("\r\n"), "line ends of Windows")


def in_scan(report, sarif, made):
    """A scan carries the fix: the same stages, at the findings that it mends, in SARIF as well."""
    equal(report["fix"]["outcome"], "rewritten", "outcome in the scan")
    stages = [[line for line in text.splitlines() if line.startswith("FROM ")] for text in (report["fix"]["is"]["dockerfile"], made["dockerfile"])]
    equal(stages[0], stages[1], "stages in the scan")
    own = [f["fingerprint"] for f in report["findings"] if f["remedy"].get("own")]
    gone = [f["rule"] for f in report["findings"] if f["severity"] in ("critical", "high", "medium") and not f["remedy"].get("own")]
    assert own, f"no finding has the fix as its remedy: {gone}"
    results = sarif["runs"][0]["results"]
    fixes = [result for result in results if result.get("fixes")]
    patched = sum(bool(f.get("patch")) for f in report["findings"])
    assert len(fixes) >= max(patched, 1), f"{len(fixes)} results have fixes, and {patched} findings a patch"


def with_ignore_file(offcut, docker, case, before, image, context, work):
    """Built with the `.dockerignore` that is made for it, it answers as before; the repository, and what came later, stay out."""
    (context / "notes").mkdir()
    (context / "notes" / "private.txt").write_text("of no use\n")
    own, ignore = context / "Dockerfile", context / ".dockerignore"
    own.write_bytes(case.dockerfile)
    command = [offcut, "fix", f"docker:{before}", "--dockerfile", own, "--dockerignore"]
    printed = run(*command, env=docker.env).stdout
    assert not ignore.exists(), "it was not asked to write"
    # A Dockerfile that lies elsewhere wants it where the context is.
    elsewhere = work / "Dockerfile.elsewhere"
    elsewhere.write_bytes(case.dockerfile)
    run(*command[:4], elsewhere, "--dockerignore", "--context", context, "--write", env=docker.env)
    equal(ignore.read_bytes(), printed, "what is written and what is printed")
    again = subprocess.run([*map(str, command), "--write"], capture_output=True, env=docker.env, timeout=600)
    equal((again.returncode, ignore.read_bytes()), (2, printed), "one that is there")
    file = work / "Dockerfile.seen"
    base = [line.split()[1] for line in case.text.splitlines() if line.upper().startswith("FROM ")][0]
    file.write_text(f"FROM {base.replace('${VERSION}', '1.22')}\nCOPY . /seen\nCMD [\"ls\", \"-A\", \"/seen\"]\n")
    docker.build(image, context, "--file", file)
    seen = set(docker("run", "--rm", "--entrypoint", "ls", image, "-A", "/seen").stdout.decode().split())
    equal(seen & {".git", "notes"}, set(), "what the builder sees and does not need")
    docker.build(image, context, "--file", own)
    ask(docker, image, case)
    ignore.unlink()


def without_file(offcut, docker, case, before, image, context, file):
    """The image alone: its history stands for the Dockerfile, and what is made of it builds and answers, too."""
    (base,) = [line.split()[1] for line in case.text.splitlines() if line.startswith("FROM ")]
    command = [offcut, "fix", f"docker:{before}", "--base", f"docker:{base}", "--format", "json"]
    made = json.loads(run(*command, env=docker.env).stdout)
    equal(made["outcome"], "rewritten", f"outcome without the Dockerfile ({made['reason']})")
    assert made["guessed"], "nothing is guessed"
    file.write_bytes(made["dockerfile"].encode())
    docker.build(image, context, "--file", file)
    ask(docker, image, case)


def verify(offcut, docker, case, before, context, work, engine):
    """`--verify` comes to the same: it builds both, asks both and measures both. `engine` is a program, and more options."""
    own, smoke = work / "Dockerfile.own", case.words["verify"]
    own.write_bytes(case.dockerfile)
    command = [offcut, "fix", f"docker:{before}", "--dockerfile", own, "--verify", "--context", context]
    command += ["--engine", *engine, "--build-option=--network=host", "--run-option=--network=host"]
    command += [f"--run-option=--env=PORT={PORT}"]
    asked = ["--smoke", f"{smoke}:{PORT}/"] if smoke else []
    done = run(*command, *asked, "--format", "json", env=docker.env)
    verified = json.loads(done.stdout)["verified"]
    equal((verified["fault"], verified["changed"]), (None, []), "verified")
    equal(verified["after"]["loud"], 0, "findings at medium and above, verified")
    saved = verified["before"]["bytes"] - verified["after"]["bytes"]
    assert abs(verified["predicted"] - saved) <= 0.05 * saved, verified
    # One that answers something else is told apart.
    if smoke:
        done = subprocess.run([*command, "--smoke", "date +%N"], capture_output=True, env=docker.env, timeout=900)
        equal(done.returncode, 1, "exit code for another answer")
        assert b"NOT VERIFIED" in done.stderr, done.stderr.decode()


@contextlib.contextmanager
def podman(docker, names, work):
    """Podman with a store of its own that has these images; it builds and runs without privileges it may not have."""
    engine = Podman(work)
    words = shlex.join(map(str, ["podman", *engine.store, "--runtime", "runc", "--cgroup-manager", "cgroupfs"]))
    client = program(work / "podman-client", f'#!/bin/sh\nexec {words} "$@"\n')
    try:
        carry(docker, engine, names, work)
        limits = ["--run-option=--ulimit=nofile=1024:1024", "--run-option=--ulimit=nproc=1024:1024"]
        yield [client, "--build-option=--isolation=chroot", *limits]
    finally:
        engine.stop()


def ask(docker, image, case):
    """Starts the image and waits for its answer."""
    name, address = f"offcut-fix-{PORT}", f"http://127.0.0.1:{PORT}{PATHS.get(case.app, '/')}"
    docker("rm", "--force", name, check=False)
    docker("run", "--detach", "--name", name, "--network", "host", "--env", f"PORT={PORT}", image)
    try:
        fault, end = None, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(address, timeout=2) as got:
                    text = got.read().decode()
                assert ANSWERS[case.app] in text, f"{image} answers {text!r}"
                return
            except OSError as error:
                fault = error
                time.sleep(0.2)
        logs = docker("logs", name)
        raise AssertionError(f"{image} does not answer: {fault}\n{logs.stdout.decode()}{logs.stderr.decode()}")
    finally:
        docker("rm", "--force", name, check=False)


def same_config(docker, before, after, made):
    """What configures the run is the same, but for the user and what the base brings.

    The entry point and the volumes of a base that builds may go with it, where that is said.
    """
    config = lambda image: json.loads(docker("image", "inspect", image).stdout)[0]["Config"]
    old, new = config(before), config(after)
    equal(new["WorkingDir"] or "/", old["WorkingDir"] or "/", "WorkingDir")
    for key in ("Cmd", "Entrypoint", "ExposedPorts", "Healthcheck", "Labels", "Volumes"):
        want = old.get(key)
        if key in ("Entrypoint", "Volumes") and new.get(key) != want:
            was, now = (config(made["base"][end]).get(key) for end in ("from", "to"))
            equal(want, was, f"{key}, which the old base did not set")
            assert any("any more" in change["what"] for change in made["changes"]), f"{key} goes, and that is not said"
            want = now
        equal(new.get(key), want, key)


COLUMNS = ["case", "outcome", "builds", "answers", "left", "before", "after", "predicted", "error", "said"]
HEADS = COLUMNS[:4] + ["findings left", "before, MB", "after, MB", "predicted, MB", "error", "why not"]


def table(rows):
    """Markdown: what came of each, and the sums of it."""

    def cell(row, name):
        value = row.get(name, "")
        if name == "error" and value != "":
            return f"{value:.1%}"
        return f"{value / 1e6:.1f}" if name in ("before", "after", "predicted") and value != "" else str(value)

    print(f"\n| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for row in rows:
        print(f"| {' | '.join(cell(row, name) for name in COLUMNS)} |")
    count = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in ("works", "refused", "nothing", "broken")}
    saved = [(row["before"] - row["after"]) / row["before"] for row in rows if row["outcome"] == "works"]
    print(f"\n{len(rows)} Dockerfiles: {count['works']} rewritten and working ({count['works'] / max(len(rows), 1):.0%}),", end=" ")
    print(f"{count['refused']} refused, {count['nothing']} with nothing to win, {count['broken']} broken;", end=" ")
    errors = [row["error"] for row in rows if "error" in row]
    print(f"saved {statistics.median(saved):.0%} in the median, prediction at most {max(errors):.1%} off" if errors else "none saved")


if __name__ == "__main__":
    sys.exit(main())
