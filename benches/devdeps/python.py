"""Python projects for `run.py`: uv, Poetry with its three forms of lock, PDM, Pipenv, and lists of requirements.

What is not in the lock, such as pip itself, is nobody's dev dependency; it counts neither before nor after.
"""

import re
import shutil
import sys

from run import Project, call

PRODUCTION = ["flask>=3", "requests[socks]"]
DEV = ["pytest>=8", "black"]
# What comes with an environment and not with a project.
COMPANY = {"pip", "setuptools", "wheel"}


def tool(tools, name, *packages):
    """Installs a tool into an environment of its own and gives the directory of its programs."""
    home = tools / name
    if not home.exists():
        call([sys.executable, "-m", "venv", str(home)], tools)
        call([str(home / "bin/pip"), "install", "-q", *packages], tools)
    return home / "bin"


class Python(Project):
    """A project with a `.venv`."""

    rule = "dev-dependency/python"

    def __init__(self, name, manifest, quick=False):
        self.name, self.manifest, self.quick = name, manifest, quick

    def copies(self, root):
        found = []
        for record in root.glob(".venv/lib/python3*/site-packages/*.dist-info/METADATA"):
            said = dict(line.split(": ", 1) for line in record.read_text().split("\n\n")[0].splitlines()[::-1] if ": " in line)
            name = re.sub(r"[-_.]+", "-", said["Name"]).lower()
            if name not in COMPANY:
                found.append((name, said["Version"], str(record.parent.relative_to(root))))
        return found


class Uv(Python):
    def install(self, root, tools):
        (root / "pyproject.toml").write_text(self.manifest)
        self.sync(root, tools)

    def prune(self, root, tools):
        self.sync(root, tools, "--no-dev")

    def sync(self, root, tools, *more):
        call([str(tool(tools, "uv", "uv") / "uv"), "sync", "-q", "--python", sys.executable, *more], root, VIRTUAL_ENV="")


class Poetry(Python):
    def __init__(self, name, manifest, version, quick=False):
        super().__init__(name, manifest, quick)
        self.version = version

    def install(self, root, tools):
        (root / "pyproject.toml").write_text(self.manifest)
        self.poetry(root, tools, "install")

    def prune(self, root, tools):
        self.poetry(root, tools, "install", "--only", "main", "--sync")

    def poetry(self, root, tools, *arguments):
        program = tool(tools, f"poetry-{self.version}", f"poetry=={self.version}.*") / "poetry"
        settings = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_NO_INTERACTION": "1", "VIRTUAL_ENV": ""}
        call([str(program), *arguments], root, **settings)


class Pdm(Python):
    def install(self, root, tools):
        (root / "pyproject.toml").write_text(self.manifest)
        self.pdm(root, tools, "install")

    def prune(self, root, tools):
        # `--clean` removes only what is not in the lock at all, so groups for development stay.
        self.pdm(root, tools, "sync", "--prod", "--only-keep")

    def pdm(self, root, tools, *arguments):
        # Releases that go together.
        packages = ["pdm==2.10.4", "findpython<0.5", "setuptools<80"]
        call([str(tool(tools, "pdm", *packages) / "pdm"), *arguments], root, PDM_CHECK_UPDATE="0", VIRTUAL_ENV="")


class Pipenv(Python):
    def install(self, root, tools):
        (root / "Pipfile").write_text(self.manifest)
        self.pipenv(root, tools, "install", "--dev")

    def prune(self, root, tools):
        shutil.rmtree(root / ".venv")
        self.pipenv(root, tools, "sync")

    def pipenv(self, root, tools, *arguments):
        settings = {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_YES": "1"}
        call([str(tool(tools, "pipenv", "pipenv") / "pipenv"), *arguments], root, **settings)


class Lists(Python):
    """pip with lists of requirements. `manifest` gives the files; pip can not prune, so it installs anew."""

    def install(self, root, tools):
        for name, text in self.manifest.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        self.pip(root, list(self.manifest))

    def prune(self, root, tools):
        shutil.rmtree(root / ".venv")
        self.pip(root, list(self.manifest)[:1])

    def pip(self, root, files):
        call([sys.executable, "-m", "venv", ".venv"], root)
        call([str(root / ".venv/bin/pip"), "install", "-q", *[part for name in files for part in ("-r", name)]], root)


def toml(words):
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


PROJECT = f"""[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = {toml(PRODUCTION)}
"""
GROUPS = f"""[dependency-groups]
dev = ["pytest>=8", "black", {{include-group = "lint"}}]
lint = ["ruff"]
"""
EXTRAS = """[project.optional-dependencies]
pg = ["peewee"]
"""
# packaging is in production by itself, and black and pytest want it, too.
SHARED = PROJECT.replace("flask>=3", "packaging")
POETRY = """[tool.poetry]
name = "shop"
version = "0.1.0"
description = ""
authors = ["a <a@example.com>"]
packages = []
[tool.poetry.dependencies]
python = "^3.11"
flask = "^3"
requests = {version = "*", extras = ["socks"]}
[tool.poetry.group.dev.dependencies]
pytest = "^8"
black = "*"
[tool.poetry.group.docs.dependencies]
mkdocs = "*"
[[tool.poetry.source]]
name = "simple"
url = "@@INDEX@@"
"""


def poetry(version):
    """Poetry asks the index for JSON of its own, which mirrors do not have; as a source it takes the simple form."""
    find = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    index = call([sys.executable, "-c", find], ".").strip()
    priority = 'priority = "primary"\n' if version >= "1.5" else "default = true\n"
    extra = 'package-mode = false\n' if version >= "1.8" else ""
    return POETRY.replace("@@INDEX@@", index).replace("packages = []\n", extra) + priority


PROJECTS = [
    Uv("uv-groups", PROJECT + GROUPS, quick=True),
    Uv("uv-extras", PROJECT + EXTRAS + GROUPS),
    Uv("uv-shared", SHARED + GROUPS),
    Poetry("poetry-1.4-category", poetry("1.4"), "1.4"),
    Poetry("poetry-1.8-no-groups", poetry("1.8"), "1.8"),
    Poetry("poetry-2-groups", poetry("2.2"), "2.2"),
    Pdm("pdm", PROJECT + f'[tool.pdm.dev-dependencies]\ntest = {toml(DEV)}\nlint = ["ruff"]\n'),
    Pipenv(
        "pipenv",
        '[packages]\nflask = "*"\nrequests = {extras = ["socks"], version = "*"}\n'
        '[dev-packages]\npytest = "*"\nblack = "*"\n',
    ),
    Lists("requirements", {"requirements.txt": "\n".join(PRODUCTION), "requirements-dev.txt": "\n".join(DEV)}, quick=True),
    Lists(
        "requirements-dir",
        {"requirements/prod.txt": "packaging\nclick\n", "requirements/test.txt": "-r prod.txt\npytest\nblack\n"},
    ),
]
