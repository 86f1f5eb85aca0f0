"""Runs named cases, keeps what happened to each, prints the table; and what all scripts of cases are started with."""

import argparse
import contextlib
import pathlib
import shutil
import time
import traceback

from engines import ROOT


def options(doc, case="CASE", work="e2e"):
    """The options that every script has; `case` is what it calls what can be chosen, `work` where it keeps its own."""
    words = argparse.ArgumentParser(description=doc.split("\n")[0])
    words.add_argument("--offcut", type=pathlib.Path, default=ROOT / "target" / "release" / "offcut")
    words.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / work)
    words.add_argument("--only", default="", metavar=f"{case}[,{case}]")
    return words


def fresh(place):
    """An empty directory, whatever was there."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


class Suite:
    """Cases in the order they ran; a case is everything inside `with suite.case(name):`."""

    def __init__(self, only=""):
        self.only = only
        self.rows = []

    @contextlib.contextmanager
    def case(self, name):
        """One case: passes unless its body raises. A failed case does not stop the others."""
        started, fault = time.monotonic(), None
        try:
            yield
        except Exception as error:
            fault = error
            if not isinstance(error, AssertionError):
                traceback.print_exc()
        seconds = time.monotonic() - started
        self.rows.append((name, seconds, fault))
        print(f"{'ok  ' if fault is None else 'FAIL'} {seconds:6.1f} s  {name}", flush=True)
        if fault is not None:
            print("\n".join(f"       {line}" for line in str(fault).splitlines()[:40]), flush=True)

    def wants(self, group):
        """Whether a group of cases was asked for on the command line; an empty `only` asks for all."""
        return any(name in group for name in self.only.split(","))

    def report(self):
        """Prints the failures once more and the totals; returns the exit code."""
        failed = [row for row in self.rows if row[2] is not None]
        print()
        for name, _, fault in failed:
            first = (str(fault).splitlines() or [type(fault).__name__])[0]
            print(f"FAIL  {name}: {first}")
        print(f"{len(self.rows) - len(failed)} passed, {len(failed)} failed")
        return 1 if failed or not self.rows else 0


def equal(got, want, what):
    """Fails with both values when they differ."""
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def within(part, whole, what):
    """Fails when `part` is not in `whole`, and shows `whole`."""
    assert part in whole, f"{what}: {part!r} is not in:\n{whole}"
