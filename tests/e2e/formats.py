#!/usr/bin/env python3
"""What others say of the reports: each format goes through a validator that its readers use.

usage: formats.py [--offcut PROGRAM] [--work DIR] [--only CASE[,CASE]]

needs: npm, and Python with junitparser, in-toto-attestation, compliance-trestle, cyclonedx-python-lib[json-validation] and
check-jsonschema (the interpreter that runs this). Validated are the reports of the image in `testdata/`, with its Dockerfile, and of a root file system whose
names are as bad as names get.
"""

import csv
import io
import json
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

from engines import DEMO, ROOT, run
from suite import Suite, equal, fresh, options

FORMATS = {
    "json": "json",
    "sarif": "sarif",
    "html": "html",
    "markdown": "md",
    "github": "gh",
    "junit": "xml",
    "csv": "csv",
    "gitlab": "gitlab.json",
    "gitlab-secret": "gitlab-secret.json",
    "gitlab-codequality": "gitlab-codequality.json",
    "in-toto-test-result": "test-result.json",
    "in-toto-svr": "svr.json",
    "oscal": "oscal.json",
    "cyclonedx": "cdx.json",
}
OF_DIGEST = {"in-toto-test-result", "in-toto-svr"}
NPM = ["@microsoft/sarif-multitool@5.7.0", "@microsoft/sarif-multitool-linux@5.7.0", "html-validate@10.17.0"]

# Advice that does not fit: messages by id, artifacts without more to say, embedded files.
ADVICE = {"SARIF2002", "SARIF2004", "SARIF2013"}

BAD_NAMES = [
    b"::error file=x::y",
    b"=cmd|'!A1",
    b"]]><x>&amp;",
    b"|@user `x` <img src=x onerror=alert(1)>",
    "b\u202eidi".encode(),
    b"\xff\xfe\x01",
    b"a\x1b[31m",
    b"new\nline",
]


def main():
    chosen = options(__doc__).parse_args()
    work = fresh(chosen.work.resolve() / "formats")
    suite = Suite(chosen.only)
    offcut = chosen.offcut.resolve()

    with suite.case("formats: validators of npm"):
        run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", work, *NPM)
    (work / "demo").mkdir()
    with suite.case("formats: one scan writes all of them"):
        dockerfile = ROOT / "testdata" / "node-app" / "Dockerfile"
        write(offcut, work / "demo", FORMATS, DEMO, "--dockerfile", dockerfile)
    (work / "bad").mkdir()
    with suite.case("formats: names as bad as names get"):
        root = bad_root(work / "root")
        write(offcut, work / "bad", [name for name in FORMATS if name not in OF_DIGEST], f"dir:{root}")
    for name in ("demo", "bad"):
        folder = work / name
        with suite.case(f"formats: {name}: SARIF by the multitool with the rules of GitHub"):
            sarif(work, folder / "report.sarif")
        with suite.case(f"formats: {name}: JSON by its schema"):
            schema = ROOT / "docs" / "schema" / "report-v1.json"
            run(sys.executable, "-m", "check_jsonschema", "--schemafile", schema, folder / "report.json")
        with suite.case(f"formats: {name}: HTML by html-validate"):
            html(work, folder / "report.html")
        with suite.case(f"formats: {name}: JUnit by junitparser"):
            junit(folder)
        with suite.case(f"formats: {name}: CSV and annotations line by line"):
            lines(folder)
        with suite.case(f"formats: {name}: CycloneDX by its own library"):
            cyclonedx(folder / "report.cdx.json")
        with suite.case(f"formats: {name}: OSCAL by compliance-trestle"):
            oscal(folder / "report.oscal.json")
    with suite.case("formats: in-toto by its own library"):
        for name in OF_DIGEST:
            statement(work / "demo" / f"report.{FORMATS[name]}")
    with suite.case("formats: a predicate alone is that of the statement"):
        predicate(offcut, work / "demo" / f"report.{FORMATS['in-toto-test-result']}", DEMO, "--dockerfile", dockerfile)
    return suite.report()


def write(offcut, folder, formats, *image):
    outputs = [word for name in formats for word in ("-o", f"{name}={folder}/report.{FORMATS[name]}")]
    run(offcut, "scan", *image, "--fail-on", "never", *outputs)


def bad_root(root):
    """A Node.js project with packages of development, below directories that nobody would call so."""
    for number, name in enumerate(BAD_NAMES):
        project = bytes(root) + b"/srv/" + name
        tool = project + b"/node_modules/typescript"
        pathlib.Path(tool.decode("utf-8", "surrogateescape")).mkdir(parents=True)
        files = {
            project + b"/package.json": {"name": f"p{number}", "devDependencies": {"typescript": "5.5.4"}},
            tool + b"/package.json": {"name": "typescript", "version": "5.5.4"},
        }
        for path, text in files.items():
            with open(path, "w") as file:
                json.dump(text, file)
        with open(tool + b"/README", "w") as file:
            file.write("x")
    return root


def sarif(work, report):
    tool = next(work.glob("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"))
    tool.chmod(0o755)
    config, said = work / "gh.xml", report.with_suffix(".said")
    # It is self-contained but for the tables of languages, which it can do without.
    env = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    run(tool, "export-validation-config", config, env=env)
    text = re.sub(
        r'(Key="GH100[1-7]\.[^"]*">\s*<Property Key="RuleEnabled" Value=)"Default"', r'\1"Error"', config.read_text()
    )
    # It would ask the network for every address of a rule.
    text = re.sub(r'(Key="SARIF2006\.[^"]*">\s*<Property Key="RuleEnabled" Value=)"Default"', r'\1"Disabled"', text)
    # Its limits on arrays are older than those of GitHub, which are tested in the reporter.
    config.write_text(re.sub(r'(Key="GH1004\.[^"]*">\s*<Property Key="RuleEnabled" Value=)"Error"', r'\1"Default"', text))
    words = ["--rule-kind", "Sarif;Ghas", "--config", config, "--level", "Error;Warning", "-o", said, "--log", "ForceOverwrite"]
    # Its exit code is 0 whatever it finds.
    run(tool, "validate", report, *words, env=env)
    judged = json.loads(said.read_text(encoding="utf-8-sig"))["runs"][0]
    assert judged["invocations"][0]["executionSuccessful"], judged["invocations"]
    faults = {
        (result["ruleId"], result.get("level", "warning"), result["message"].get("text") or str(result["message"]))
        for result in judged["results"]
        if result["ruleId"].split("/")[0] not in ADVICE
    }
    errors = [fault for fault in faults if fault[1] == "error"]
    assert not errors, errors[:5]


def html(work, report):
    config = work / ".htmlvalidate.json"
    # A title as long as the name of the image is no fault of the page.
    config.write_text(json.dumps({"extends": ["html-validate:recommended"], "rules": {"long-title": "off"}}))
    run(work / "node_modules" / ".bin" / "html-validate", "--config", config, report)
    text = report.read_text()
    assert "<script" not in text and "http-equiv=\"Content-Security-Policy\"" in text, "a script, or no policy"


def junit(folder):
    from junitparser import JUnitXml

    report = json.loads((folder / "report.json").read_text())
    suites = JUnitXml.fromfile(str(folder / "report.xml"))
    equal((suites.tests, suites.failures), (len(report["rules"]) + 1, 0), "tests and failures")
    ET.parse(folder / "report.xml")


def lines(folder):
    report = json.loads((folder / "report.json").read_text())
    rows = list(csv.reader(io.StringIO((folder / "report.csv").read_text(), newline="")))
    equal(len(rows), len(report["findings"]) + 1, "rows")
    equal({len(row) for row in rows}, {len(rows[0])}, "cells of a row")
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell], "a formula"
    for line in (folder / "report.gh").read_text().splitlines():
        assert re.fullmatch(r"::(error|warning|notice) ((file|line|endLine|title)=[^,:]*,?)+::.*", line), line


def oscal(report):
    from trestle.oscal.assessment_results import Model

    Model.model_validate_json(report.read_text())


def cyclonedx(report):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator, text = JsonStrictValidator(SchemaVersion.V1_6), report.read_text()
    fault = validator.validate_str(text)
    assert fault is None, str(fault)[:500]
    # It does refuse what is not in the format.
    assert validator.validate_str(text.replace('"aggregate"', '"aggregat"')) is not None
    document = json.loads(text)
    kinds = {component["properties"][0]["value"].split("/")[0] for component in document["components"]}
    assert kinds and kinds <= {"build-tool", "dev-dependency"}, kinds


def statement(report):
    import in_toto_attestation.v1.statement_pb2 as message
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1.statement import Statement

    Statement.copy_from_pb(ParseDict(json.loads(report.read_text()), message.Statement())).validate()


def predicate(offcut, report, *image):
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult

    words = ("--fail-on", "never", "-f", "in-toto-test-result", "--predicate-only")
    alone = json.loads(run(offcut, "scan", *image, *words).stdout)
    ParseDict(alone, TestResult())
    equal(alone, json.loads(report.read_text())["predicate"], "predicate")


if __name__ == "__main__":
    sys.exit(main())
