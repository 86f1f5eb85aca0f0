"""PHP projects for `run.py`: Composer from the PATH, with packages that are made here and that it resolves itself."""

import json
import shutil

from run import Project, call

# name: what it needs, and its programs
PACKAGES = {
    "acme/log": (["acme/psr-log"], []),
    "acme/psr-log": ([], []),
    "acme/view": (["acme/polyfill"], []),
    "acme/polyfill": ([], []),
    "acme/unit": (["acme/diff", "acme/coverage", "acme/polyfill"], ["bin/unit"]),
    "acme/diff": ([], []),
    "acme/coverage": (["acme/parser"], []),
    "acme/parser": ([], ["bin/parse"]),
    "acme/stan": (["acme/parser"], ["bin/stan"]),
}


class Composer(Project):
    """A project with a `vendor` directory. `required` and `dev` are what it asks for."""

    rule = "dev-dependency/composer"

    def __init__(self, name, required, dev, quick=False):
        self.name, self.required, self.dev, self.quick = name, required, dev, quick

    def install(self, root, tools):
        for name, (needs, programs) in PACKAGES.items():
            home = tools / "php" / name
            (home / "src").mkdir(parents=True, exist_ok=True)
            (home / "src/A.php").write_text("<?php\n" + "// code\n" * 50)
            for program in programs:
                (home / program).parent.mkdir(exist_ok=True)
                (home / program).write_text("#!/usr/bin/env php\n<?php\n")
            said = {"name": name, "version": "1.0.0", "require": {need: "*" for need in needs}, "bin": programs}
            (home / "composer.json").write_text(json.dumps(said))
        local = {"type": "path", "url": str(tools / "php/acme/*"), "options": {"symlink": False}}
        manifest = {
            "name": "acme/shop",
            "repositories": [{"packagist": False}, local],
            "require": {name: "*" for name in self.required},
            "require-dev": {name: "*" for name in self.dev},
        }
        (root / "composer.json").write_text(json.dumps(manifest))
        self.composer(root)

    def prune(self, root, tools):
        self.composer(root, "--no-dev")

    def composer(self, root, *more):
        call(["composer", "install", "--no-interaction", "--no-progress", *more], root, COMPOSER_ALLOW_SUPERUSER="1")

    def copies(self, root):
        manifests = root.glob("vendor/*/*/composer.json")
        said = [(json.loads(path.read_text()), path) for path in manifests]
        return [(about["name"], about["version"], str(path.parent.relative_to(root))) for about, path in said]


# Without Composer there is nothing to compare with.
PROJECTS = (
    [
        Composer("composer", ["acme/log", "acme/view"], ["acme/unit", "acme/stan"], quick=True),
        Composer("composer-shared", ["acme/parser"], ["acme/unit", "acme/stan", "acme/log"]),
        Composer("composer-no-dev", ["acme/log"], []),
    ]
    if shutil.which("composer")
    else []
)
