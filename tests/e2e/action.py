#!/usr/bin/env python3
"""Runs the GitHub action outside of GitHub: its steps as a runner would run them, with the files GITHUB_* in a directory.

usage: tests/e2e/action.py [--offcut PROGRAM] [--only WORD,...]

Reads action.yml itself, so that what is tested is what runs. Needs bash, jq and PyYAML; no engine, no network and no token.
The upload is another action, and is only noted. What a runner does with a script's output (workflow commands, and how they
are stopped) follows the documentation of GitHub's "Workflow commands for GitHub Actions".
"""

import argparse
import hashlib
import html
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

import yaml

from suite import Suite, equal, within

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGE = ROOT / "testdata" / "node-app.oci.tar"
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.S)
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
# What a text would do if a shell, a workflow command, Markdown or HTML took it for more than a text.
HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "x\ntouch pwned",
    "--version",
    "-o=/dev/stdout",
    "x\n::error title=pwned::pwned",
    "x%0A::add-mask::pwned",
    "<script>pwned</script>|[p](javascript:pwned) `x` *y* \u202egnp",
    "${{ github.token }}",
    "*",
    "~",
]


class Runner:
    """One job with this action in it."""

    def __init__(self, action, work, **inputs):
        self.action, self.work, self.outputs, self.log = action, work, {}, ""
        self.inputs = {name: str(about.get("default", "")) for name, about in action["inputs"].items()}
        self.inputs.update({name.replace("_", "-"): value for name, value in inputs.items()})
        self.uploads, self.codes, self.repository, self.path = [], [], "offcut/offcut", []
        self.work.mkdir(parents=True, exist_ok=True)
        self.summary = work / "summary"

    def run(self):
        """Runs every step whose condition holds; returns the exit code of the first that failed."""
        for step in self.action["runs"]["steps"]:
            wanted = step.get("if")
            failed = any(self.codes)
            if failed and "cancelled()" not in str(wanted):
                continue
            if wanted and not self.holds(EXPRESSION.fullmatch(wanted).group(1)):
                continue
            if "uses" in step:
                self.uploads.append({name: self.value(value) for name, value in step["with"].items()})
                continue
            self.codes.append(self.start(step))
        return next((code for code in self.codes if code), 0)

    def start(self, step):
        file = self.work / f"output-{len(self.codes)}"
        file.touch()
        env = {"PATH": os.pathsep.join([*map(str, self.path), os.environ["PATH"]]), "HOME": str(self.work)}
        env |= {name: self.value(value) for name, value in step["env"].items()}
        env |= {"GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(self.work), "GITHUB_OUTPUT": str(file)}
        env |= {"GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_SERVER_URL": "https://github.example"}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.log += done.stdout.decode()
        if "id" in step:
            self.outputs[step["id"]] = parsed(file.read_text())
        return done.returncode

    def value(self, text):
        return EXPRESSION.sub(lambda match: self.look_up(match.group(1).strip()), text)

    def look_up(self, name):
        match name.split("."):
            case ["inputs", name]:
                return self.inputs[name]
            case ["steps", step, "outputs", name]:
                return self.outputs.get(step, {}).get(name, "")
            case ["github", "action_repository"]:
                return self.repository
        raise AssertionError(f"a runner does not know {name}")

    def holds(self, condition):
        name = re.compile(r"(?:inputs|steps)\.[\w.-]+")
        python = condition.replace("&&", " and ").replace("!cancelled()", "True")
        return eval(name.sub(lambda match: repr(self.look_up(match.group())), python).strip(), {"__builtins__": {}})

    def commands(self):
        """The workflow commands in the log that a runner would follow."""
        found, stopped = [], None
        for line in self.log.splitlines():
            line = line.strip()
            if stopped:
                stopped = None if line == f"::{stopped}::" else stopped
            elif line.startswith("::stop-commands::"):
                stopped = line.removeprefix("::stop-commands::")
            elif line.startswith("::") or "##[" in line:
                found.append(line)
        assert stopped is None, "commands stay stopped"
        return found


def parsed(text):
    """The outputs of a step, as a runner reads the file."""
    outputs, lines = {}, iter(text.splitlines())
    for line in lines:
        name, mark = line.split("<<", 1)
        value = []
        for line in lines:
            if line == mark:
                break
            value.append(line)
        else:
            raise AssertionError(f"{name} does not end")
        outputs[name] = "\n".join(value)
    return outputs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--offcut", default=str(ROOT / "target" / "debug" / "offcut"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    suite, action = Suite(options.only), yaml.safe_load((ROOT / "action.yml").read_text())
    offcut = str(pathlib.Path(options.offcut).resolve())
    with tempfile.TemporaryDirectory(prefix="offcut-action-") as work:
        work = pathlib.Path(work)
        for group in (definition, images, hostile, outputs, releases):
            if suite.wants(group.__name__):
                group(suite, action, offcut, work / group.__name__)
    return suite.report()


def definition(suite, action, _offcut, _work):
    with suite.case("definition: no expression is a part of a script"):
        scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
        assert len(scripts) == 3 and not any("${{" in script for script in scripts), scripts
    with suite.case("definition: every input is used, and every output is one of a step"):
        text = (ROOT / "action.yml").read_text()
        for name in action["inputs"]:
            within(f"inputs.{name} ", text, "inputs")
    with suite.case("definition: what is used is pinned by its digest, in all workflows too"):
        files = [ROOT / "action.yml", *(ROOT / ".github" / "workflows").glob("*.yml")]
        uses = [line.strip().removeprefix("- ") for file in files for line in file.read_text().splitlines()
                if re.match(r"\s*(- )?uses:", line)]
        local = [line for line in uses if line == "uses: ./"]
        assert len(uses) - len(local) > 5, uses
        equal([line for line in uses if line not in local and not PINNED.match(line)], [], "not pinned")
    with suite.case("definition: no script of a workflow holds an expression"):
        for file in (ROOT / ".github" / "workflows").glob("*.yml"):
            for name, job in yaml.safe_load(file.read_text())["jobs"].items():
                for step in job["steps"]:
                    assert "${{" not in step.get("run", ""), f"{file.name}, {name}: {step['run']}"


def images(suite, action, offcut, work):
    report = json.loads(subprocess.run([offcut, "scan", "-q", "-f", "json", str(IMAGE)], stdout=subprocess.PIPE,
                                       check=False).stdout)
    with suite.case("images: what was found is uploaded, and then fails the job"):
        job = Runner(action, work / "failed", image=str(IMAGE), offcut=offcut, category="shop")
        equal(job.run(), 1, job.log)
        outputs = job.outputs["scan"]
        equal(outputs["exit-code"], "1", "exit-code")
        equal(outputs["findings"], str(len(report["findings"])), "findings")
        equal(outputs["worst-severity"], report["findings"][0]["severity"], "worst-severity")
        equal(outputs["digest"], report["image"]["manifest"], "digest")
        equal(job.uploads, [{"sarif_file": outputs["sarif"]}], "uploads")
        sarif = json.loads(pathlib.Path(outputs["sarif"]).read_text())
        equal((sarif["version"], sarif["runs"][0]["automationDetails"]["id"]), ("2.1.0", "offcut/shop/"), "SARIF")
        equal(json.loads(pathlib.Path(outputs["json"]).read_text())["findings"], report["findings"], "JSON")
        equal(job.commands(), ["::error title=offcut::FAILED: 2 findings are high or worse"], "commands")
        within("FAILED: ", job.log, "the table is in the log")
        within("FAILED", job.summary.read_text(), "summary")
    with suite.case("images: one that passes, without upload and summary"):
        job = Runner(action, work / "passed", image=str(IMAGE), offcut=offcut, fail_on="never", upload="false",
                     summary="false")
        equal(job.run(), 0, job.log)
        equal((job.uploads, job.commands(), job.summary.exists()), ([], [], False), "upload, commands, summary")
        equal(job.outputs["scan"]["exit-code"], "0", "exit-code")
    with suite.case("images: findings are allowed, and more arguments are handed on"):
        allow = work / "allow.toml"
        allow.parent.mkdir(exist_ok=True)
        worst = [finding["fingerprint"] for finding in report["findings"] if finding["severity"] == "high"]
        allow.write_text("".join(f'[[allow]]\nfingerprint = "{known}"\nreason = "a test"\n' for known in worst))
        job = Runner(action, work / "allowed", image=str(IMAGE), offcut=offcut, args="--no-secrets\n\n--jobs=1\n",
                     allow=f"{allow}\n")
        job.run()
        kept = json.loads(pathlib.Path(job.outputs["scan"]["json"]).read_text())
        left = [finding["severity"] for finding in kept["findings"] if "allowed" not in finding]
        assert "searched" not in kept or kept["searched"] is None, "--no-secrets was not handed on"
        assert worst and len(left) == len(kept["findings"]) - len(worst), f"{left}, and {worst} were allowed"
        equal(job.outputs["scan"]["findings"], str(len(left)), "findings")
        equal(job.outputs["scan"]["worst-severity"], left[0] if left else "none", "worst-severity")
    with suite.case("images: the policy decides, unless something else is said"):
        policy = work / "policy.toml"
        policy.write_text('[gate]\nseverity = "never"\n')
        for inputs, code in [({"config": str(policy)}, 0), ({"config": str(policy), "fail_on": "medium"}, 1),
                             ({"profile": "strict"}, 1)]:
            job = Runner(action, work / f"policy-{len(inputs)}-{code}", image=str(IMAGE), offcut=offcut, **inputs)
            equal(job.run(), code, job.log)
    with suite.case("images: the Dockerfile is handed on, and the summary names its lines"):
        file = work / "Dockerfile"
        file.write_text("FROM scratch\nCOPY x /x\n")
        job = Runner(action, work / "file", image=str(IMAGE), offcut=offcut, dockerfile=str(file), fail_on="never")
        equal(job.run(), 0, job.log)
        within("Dockerfile", job.log, "log")
    with suite.case("images: one that is cut short is not judged, and nothing is uploaded"):
        cut = work / "cut.tar"
        cut.write_bytes(IMAGE.read_bytes()[: 1 << 20])
        job = Runner(action, work / "cut", image=str(cut), offcut=offcut, fail_on="never")
        equal(job.run(), 3, job.log)
        equal((job.uploads, job.summary.exists(), job.outputs["scan"].get("findings")), ([], False, None), "nothing")
        within("::error title=offcut::error: ", "\n".join(job.commands()), "commands")
    with suite.case("images: no image, no program, a wrong word: a clear error"):
        for inputs, code, words in [
            ({"image": ""}, 2, "the input image is empty"),
            ({"image": "x", "offcut": "/no/such/offcut"}, 2, "there is no program \"/no/such/offcut\""),
            ({"image": str(IMAGE), "fail_on": "severe"}, 2, "severe"),
            ({"image": str(IMAGE), "args": "--no-such-option"}, 2, "--no-such-option"),
        ]:
            job = Runner(action, work / "wrong" / words[:9].strip("-/ "), **{"offcut": offcut, **inputs})
            equal(job.run(), code, job.log)
            equal(len(job.commands()), 1, job.log)
            within(words, job.commands()[0], "commands")
            equal(job.uploads, [], "uploads")


def hostile(suite, action, offcut, work):
    with suite.case("hostile: no input is more than a text"):
        for at, text in enumerate(HOSTILE):
            for name in ("image", "dockerfile", "target", "config", "profile", "fail_on", "allow", "args", "offcut"):
                if name == "args" and text.startswith("-"):
                    continue  # arguments they are
                inputs = {"image": str(IMAGE), "offcut": offcut, name: text}
                job = Runner(action, work / f"{at}-{name}", **inputs)
                code = job.run()
                assert code in (2, 3), f"{name}={text!r}: {code}\n{job.log}"
                made = sorted(file.name for file in job.work.rglob("*") if "pwned" in file.name)
                equal(made, [], f"{name}={text!r}")
                commands = job.commands()
                assert all(command.startswith("::error title=offcut::") for command in commands), commands
                equal(job.uploads, [], f"{name}={text!r}")
    with suite.case("hostile: a category is a text of the report"):
        for at, text in enumerate(HOSTILE):
            job = Runner(action, work / f"category-{at}", image=str(IMAGE), offcut=offcut, category=text, fail_on="never",
                         args="--no-secrets")
            equal(job.run(), 0, job.log)
            sarif = json.loads(pathlib.Path(job.outputs["scan"]["sarif"]).read_text())
            equal(sarif["runs"][0]["automationDetails"]["id"], f"offcut/{text}/", "category")
            equal((job.commands(), [file.name for file in job.work.rglob("*pwned*")]), ([], []), "commands, files")
    with suite.case("hostile: what an image or a program prints is no command to the runner"):
        stub = program(work / "stub", "offcut", """
            printf '::add-mask::pwned\\n  ::error title=pwned::pwned\\n##[error]pwned\\n::set-output name=sarif::pwned\\n'
            printf '::stop-commands::pwned\\n::pwned::\\n::error::pwned' ; printf '::error::pwned\\n' >&2; exit 3""")
        job = Runner(action, work / "prints", image="x", offcut=str(stub))
        equal(job.run(), 3, job.log)
        equal(job.commands(), ["::error title=offcut::::error::pwned"], job.log)
        assert "sarif" not in job.outputs["scan"], job.outputs


def outputs(suite, action, offcut, work):
    def told(name, findings):
        text = work / f"{name}.json"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(json.dumps({"image": {"manifest": None, "id": "sha256:0"}, "findings": findings}))
        stub = program(work / name, "offcut", f"""
            for word; do case $word in json=*) cp '{text}' "${{word#json=}}" ;;
            *=/*) echo '{{}}' > "${{word#*=}}" ;; esac; done""")
        job = Runner(action, work / f"job-{name}", image="x", offcut=str(stub))
        equal(job.run(), 0, job.log)
        found = job.outputs["scan"]
        return found["findings"], found["worst-severity"], found["digest"]

    with suite.case("outputs: what is allowed does not count"):
        equal(told("nothing", []), ("0", "none", "sha256:0"), "nothing")
        findings = [{"severity": "low"}, {"severity": "high"}, {"severity": "critical", "allowed": "known"}]
        equal(told("some", findings), ("2", "high", "sha256:0"), "some")
    with suite.case("outputs: the summary, and annotations that are asked for"):
        job = Runner(action, work / "told", image=str(IMAGE), offcut=offcut, annotations="true", fail_on="never")
        equal(job.run(), 0, job.log)
        within("dev-dependency/npm", html.unescape(job.summary.read_text()), "summary")
        kinds = [command.split(" ")[0] for command in job.commands()]
        equal((kinds.count("::error"), kinds[-1]), (2, "::notice"), job.commands())
    with suite.case("outputs: names in an image are no commands and no markup"):
        name = "x\n::error title=pwned::pwned\n<script>`|[a](javascript:b)"
        repository = work / "root" / name.replace("/", "")
        repository.mkdir(parents=True)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.test", "-C", str(repository)]
        (repository / "a").write_text("a")
        for command in (["init", "--quiet"], ["add", "a"], ["commit", "--quiet", "--message=a"]):
            subprocess.run([*git, *command], check=True)
        job = Runner(action, work / "names", image=f"dir:{work}/root", offcut=offcut, annotations="true", fail_on="never")
        equal(job.run(), 0, job.log)
        report = json.loads(pathlib.Path(job.outputs["scan"]["json"]).read_text())
        within("vcs/git", str([finding["rule"] for finding in report["findings"]]), "rules")
        assert all(re.match(r"::(error|warning|notice) .*title=", command) for command in job.commands()), job.commands()
        assert not any("title=pwned" in command.split("::")[1] for command in job.commands()), job.commands()
        text = job.summary.read_text()
        assert "<script>" not in text and "](javascript" not in text and "\n::" not in text, text


def releases(suite, action, offcut, work):
    version = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
    machine = os.uname().machine

    def release(name, number=version, sums=None, proof=0, system=None):
        """A job that finds a release of this kind where GitHub has it."""
        files, bin = work / name / "files", work / name / "bin"
        files.mkdir(parents=True)
        base = f"offcut-{number}-{machine}-unknown-linux-musl"
        with tarfile.open(files / f"{base}.tar.gz", "w:gz") as archive:
            archive.add(program(work / name / "built", "offcut", f'exec \'{offcut}\' "$@"'), f"{base}/offcut")
            archive.add(__file__, f"{base}/../outside")
        digest = hashlib.sha256((files / f"{base}.tar.gz").read_bytes()).hexdigest()
        (files / "SHA256SUMS").write_text((sums or "{digest}  {base}.tar.gz\n").format(digest=digest, base=base))
        program(bin, "curl", f"""
            printf '%s\\n' "$@" >> '{work / name}/asked'; cat "$2" >> '{work / name}/token'
            while [ $# -gt 1 ]; do [ "$1" != --output ] || to=$2; shift; done
            cp "{files}/$(basename "$1")" "$to" """)
        program(bin, "gh", f"""printf '%s\\n' "$*" > '{work / name}/gh'; exit {proof}""")
        if system:
            program(bin, "uname", f"echo {system}")
        job = Runner(action, work / name / "job", image=str(IMAGE), fail_on="never", token="t0ken")
        job.path = [bin]
        return job

    with suite.case("releases: the one that belongs to the action is fetched, compared and proved"):
        job = release("good")
        equal(job.run(), 0, job.log)
        asked = (work / "good" / "asked").read_text()
        at = "https://github.example/offcut/offcut/releases/download"
        within(f"{at}/v{version}/offcut-{version}-{machine}-unknown-linux-musl.tar.gz", asked, "curl")
        assert "t0ken" not in asked, "the token is in a command line"
        within("t0ken", (work / "good" / "token").read_text(), "token")
        within("attestation verify", (work / "good" / "gh").read_text(), "gh")
        left = {file.name for file in job.work.rglob("*")}
        assert "token" not in left and "outside" not in left, left
    with suite.case("releases: another version, and no proof if nobody wants it"):
        job = release("other", number="9.8.7", proof=1)
        job.inputs |= {"version": "v9.8.7", "attestation": "false"}
        equal(job.run(), 0, job.log)
    with suite.case("releases: what does not agree never runs"):
        for name, words, more in [
            ("sum", "is not the file that SHA256SUMS names", {"sums": "0" * 64 + "  {base}.tar.gz\n"}),
            ("list", "does not name", {"sums": "{digest}  other.tar.gz\n"}),
            ("twice", "does not name", {"sums": "{digest}  {base}.tar.gz\n" * 2}),
            ("proof", "was not built by a workflow of offcut/offcut", {"proof": 1}),
            ("machine", "there is no release for", {"system": "s390x"}),
        ]:
            job = release(name, **more)
            equal(job.run(), 2, job.log)
            equal((len(job.codes), job.uploads), (1, []), "steps")
            within(words, job.log, name)
    with suite.case("releases: no address is made of something else"):
        for at, (name, value) in enumerate([
            ("version", "1.0.0/../../x"), ("version", "1.0.0\nx"), ("version", "$(id)"), ("repository", "a/b/c"),
            ("repository", ""), ("repository", "a/b?c"),
        ]):
            job = release(f"address-{at}")
            if name == "version":
                job.inputs["version"] = value
            else:
                job.repository = value
            equal(job.run(), 2, job.log)
            assert not (work / f"address-{at}" / "asked").exists(), value


def program(dir, name, script):
    """Writes a script that can be started."""
    dir.mkdir(parents=True, exist_ok=True)
    file = dir / name
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)
    return file


if __name__ == "__main__":
    sys.exit(main())
