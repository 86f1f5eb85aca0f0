#!/usr/bin/env python3
"""The HTML report in a browser: nothing leaves, nothing fails, everybody can read it, and it opens at once.

usage: browser.py [--offcut PROGRAM] [--work DIR] [--only CASE[,CASE]] [--chromium PROGRAM]

needs: npm, node, and Chromium or Chrome. Opened are the report of the image in `testdata/`, one of names as bad as names get, and one
with 5,000 findings; wide and narrow, light and dark. axe-core judges contrast, names and structure.
"""

import json
import os
import shutil
import sys

from engines import DEMO, HERE, ROOT, run
from formats import bad_root
from suite import Suite, equal, fresh, options

NPM = ["puppeteer-core@25.16.0", "axe-core@4.14.1"]
MANY = 5000
OPEN_SECONDS = 2.0

# How often the large report is opened: the machine may be busy with something else.
TRIES = 3


def main():
    words = options(__doc__)
    words.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome") or "chromium")
    chosen = words.parse_args()
    work = fresh(chosen.work.resolve() / "html")
    suite = Suite(chosen.only)
    offcut = chosen.offcut.resolve()

    with suite.case("html: the driver of the browser"):
        run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", work, *NPM)
    reports = {
        "demo": lambda: [DEMO, "--dockerfile", ROOT / "testdata" / "node-app" / "Dockerfile"],
        "bad": lambda: [f"dir:{bad_root(work / 'bad-root')}"],
    }
    for name, image in reports.items():
        if suite.wants(name):
            file = work / f"{name}.html"
            looks = []
            with suite.case(f"html: {name}: opens in a browser"):
                run(offcut, "scan", *image(), "--fail-on", "never", "-q", "-o", f"html={file}")
                looks = browse(chosen.chromium, work, file)
            judge(suite, name, file, looks)
    if suite.wants("many"):
        with suite.case(f"html: many: {MANY:,} findings open within {OPEN_SECONDS:.0f} s"):
            many(chosen.chromium, work, offcut)
    return suite.report()


def browse(chromium, work, file):
    said = run("node", HERE / "browser.mjs", work / "node_modules", chromium, file)
    return json.loads(said.stdout)[0]["looks"]


def judge(suite, name, file, looks):
    with suite.case(f"html: {name}: no request leaves, no error in the console"):
        assert looks
        for look in looks:
            silent(look, file)
    with suite.case(f"html: {name}: axe finds nothing to complain of"):
        assert looks
        for look in looks:
            equal(look["axe"], [], look["name"])
    with suite.case(f"html: {name}: fits the window, and prints"):
        assert looks
        for look in looks:
            assert look["overflow"] <= 0, f"{look['name']}: {look['overflow']} pixels too wide"
        assert looks[0]["printed"] > 10_000, looks[0]["printed"]
    with suite.case(f"html: {name}: can be read by keyboard"):
        assert looks
        keyboard = looks[0]["keyboard"]
        for stop in keyboard["stops"]:
            assert stop["name"] in ("a", "summary", "section", "pre"), stop
            assert stop["visible"] and stop["outlined"], stop
        assert len({stop["text"] for stop in keyboard["stops"]}) > 15, keyboard["stops"]
        assert keyboard["toggles"], "Enter folds a finding"


def silent(look, file):
    equal(look["requests"], [file.as_uri()], f"{look['name']}: requests")
    equal(look["faults"], [], f"{look['name']}: console")


def many(chromium, work, offcut):
    root = work / "many-root"
    for number in range(MANY):
        repository(root / "srv" / f"{number // 100:02}" / f"project-{number:05}" / ".git", number)
    file, report = work / "many.html", work / "many.json"
    run(offcut, "scan", f"dir:{root}", "--fail-on", "never", "-q", "-o", f"html={file}", "-o", f"json={report}")
    findings = len(json.loads(report.read_text())["findings"])
    assert findings >= MANY, findings
    tries = [browse(chromium, work, file) for _ in range(TRIES)]
    for looks in zip(*tries):
        # On a machine that is busy with something else the clock says nothing of the page.
        busy = os.getloadavg()[0] > os.cpu_count()
        seconds, computed = (min(look[kind] for look in looks) for kind in ("seconds", "computed"))
        for look in looks:
            silent(look, file)
            assert look["findings"] >= MANY, look["findings"]
        print(f"       {looks[0]['name']}: open in {seconds:.2f} s, {computed:.2f} s of the processor")
        assert min(seconds, computed if busy else seconds) <= OPEN_SECONDS, (seconds, computed)


def repository(git, number):
    """As little as git itself takes for a repository."""
    for folder in ("objects/info", "refs/heads"):
        (git / folder).mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tfilemode = {'true' if number % 2 else 'false'}\n")
    (git / "refs/heads/main").write_text(f"{number:040x}\n")
    (git / "objects/info/x").write_text("x")


if __name__ == "__main__":
    sys.exit(main())
