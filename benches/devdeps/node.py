"""JavaScript projects for `run.py`: npm 6 and 11, pnpm 9 and 10, yarn 1, 3 and 4, bun.

Every project is small and has a reason: a form of lock file, a layout of `node_modules`, or a trap.
"""

import json
import re
import shutil

from run import Project, call

SERVICE = {
    "dependencies": {"express": "^4.18.0", "debug": "^4.3.4", "pino": "^9.0.0"},
    "devDependencies": {"typescript": "^5.4.0", "eslint": "^8.57.0", "mocha": "^10.4.0", "rimraf": "^5.0.0"},
}
TS_NODE = {
    # ts-node wants typescript as a peer, so production keeps it although it is named for development.
    "dependencies": {"ts-node": "^10.9.0", "express": "^4.18.0"},
    "devDependencies": {"typescript": "^5.4.0", "nodemon": "^3.1.0"},
}
PEERS = {
    # vue names typescript as an optional peer; ws has two optional peers that nobody installs.
    "dependencies": {"vue": "^3.4.0", "ws": "^8.17.0"},
    "devDependencies": {"typescript": "^5.4.0", "vite": "^5.2.0", "prettier": "^3.2.0"},
}
OPTIONAL = {
    "dependencies": {"chokidar": "^3.6.0"},
    "optionalDependencies": {"esbuild": "^0.20.0", "bufferutil": "^4.0.8"},
    "devDependencies": {"tsx": "^4.7.0", "jest-worker": "^29.7.0"},
}
ALIASES = {
    # The same package in several releases, under another name and nested.
    "dependencies": {"lodash": "^4.17.0", "chalk": "^4.1.0", "debug": "^2.6.0"},
    "devDependencies": {"old-lodash": "npm:lodash@^3.10.0", "chalk5": "npm:chalk@^5.3.0", "eslint": "^8.57.0"},
}
BUNDLED = {
    # npm carries its own dependencies in its archive.
    "dependencies": {"semver": "^7.6.0"},
    "devDependencies": {"npm": "^10.8.0"},
}
WEB = {
    "dependencies": {"react": "^18.3.0", "react-dom": "^18.3.0", "next": "^14.2.0"},
    "devDependencies": {"webpack": "^5.91.0", "webpack-cli": "^5.1.0", "@babel/core": "^7.24.0", "@types/node": "^20.0.0"},
}
FASTIFY = {
    "dependencies": {"fastify": "^4.26.0", "zod": "^3.23.0"},
    "devDependencies": {"vitest": "^1.6.0", "@swc/core": "^1.5.0", "@types/node": "^20.0.0"},
}
MEMBER_A = {"dependencies": {"debug": "^2.6.0"}, "devDependencies": {"mocha": "^9.2.0"}}
MEMBER_B = {"dependencies": {"@shop/a": "1.0.0", "commander": "^11.0.0"}, "devDependencies": {"rimraf": "^3.0.0"}}


def tool(tools, package, entry):
    """Installs a package manager beside the projects and gives the command that starts it."""
    home = tools / re.sub(r"\W+", "-", package).strip("-")
    if not home.exists():
        home.mkdir()
        (home / "package.json").write_text('{"private": true}')
        call(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", package], home)
    return ["node", str(home / "node_modules" / entry)]


class Node(Project):
    """A project with a `node_modules`."""

    def __init__(self, name, manifest, workspaces=False, quick=False):
        self.name, self.manifest, self.workspaces, self.quick = name, manifest, workspaces, quick

    def write(self, root):
        manifest = {"name": "shop", "version": "1.0.0", "private": True, **self.manifest}
        if self.workspaces:
            manifest["workspaces"] = ["packages/*"]
            for name, member in [("a", MEMBER_A), ("b", MEMBER_B)]:
                member = json.loads(json.dumps(member).replace('"1.0.0"', f'"{self.member_range()}"'))
                (root / "packages" / name).mkdir(parents=True)
                member = {"name": f"@shop/{name}", "version": "1.0.0", **member}
                (root / "packages" / name / "package.json").write_text(json.dumps(member, indent=2))
        (root / "package.json").write_text(json.dumps(manifest, indent=2))

    def member_range(self):
        return "1.0.0"

    def copies(self, root):
        found = []
        for manifest in root.rglob("package.json"):
            place = manifest.parent
            dirs = place.parent if not place.parent.name.startswith("@") else place.parent.parent
            if dirs.name != "node_modules" or any(part.is_symlink() for part in [place, *place.parents]):
                continue
            said = json.loads(manifest.read_text(encoding="utf-8-sig"))
            name = place.name if dirs == place.parent else f"{place.parent.name}/{place.name}"
            found.append((said.get("name", name), said.get("version", ""), str(place.relative_to(root))))
        return found

    def clear(self, root):
        for modules in [root, *root.glob("packages/*")]:
            shutil.rmtree(modules / "node_modules", ignore_errors=True)


class Npm(Node):
    rule = "dev-dependency/npm"
    lock = 3
    hidden = True

    def __init__(self, name, manifest, lock=3, hidden=True, **more):
        super().__init__(name, manifest, **more)
        self.lock, self.hidden = lock, hidden

    def npm(self, tools):
        return tool(tools, "npm@6", "npm/bin/npm-cli.js") if self.lock == 1 else ["npm"]

    def install(self, root, tools):
        self.write(root)
        version = [] if self.lock == 1 else [f"--lockfile-version={self.lock}"]
        call([*self.npm(tools), "install", "--ignore-scripts", "--no-audit", "--no-fund", *version], root)
        if not self.hidden:
            (root / "node_modules/.package-lock.json").unlink()

    def prune(self, root, tools):
        omit = ["--production"] if self.lock == 1 else ["--omit=dev"]
        call([*self.npm(tools), "prune", "--ignore-scripts", "--no-audit", *omit], root)


class Pnpm(Node):
    rule = "dev-dependency/pnpm"

    def __init__(self, name, manifest, release="9", linker="isolated", **more):
        super().__init__(name, manifest, **more)
        self.release, self.linker = release, linker
        self.exact = linker != "hoisted"

    def member_range(self):
        return "workspace:*"

    def pnpm(self, root, tools, *arguments):
        entry = "pnpm/bin/pnpm.cjs"
        command = tool(tools, f"pnpm@{self.release}", entry)
        call([*command, *arguments, "--ignore-scripts", f"--config.node-linker={self.linker}"], root)

    def install(self, root, tools):
        self.write(root)
        if self.workspaces:
            (root / "pnpm-workspace.yaml").write_text("packages:\n  - packages/*\n")
        self.pnpm(root, tools, "install", "--no-frozen-lockfile")

    def prune(self, root, tools):
        if self.workspaces or self.linker == "hoisted":
            # pnpm prune knows no workspaces; the same with install.
            self.clear(root)
            self.pnpm(root, tools, "install", "--prod", "--frozen-lockfile")
        else:
            self.pnpm(root, tools, "prune", "--prod")


class Yarn1(Node):
    rule = "dev-dependency/yarn"
    exact = False

    def yarn(self, root, tools, *arguments):
        command = tool(tools, "yarn@1", "yarn/bin/yarn.js")
        call([*command, *arguments, "--ignore-scripts", "--ignore-engines", "--non-interactive"], root)

    def install(self, root, tools):
        self.write(root)
        self.yarn(root, tools, "install")

    def prune(self, root, tools):
        self.yarn(root, tools, "install", "--production", "--frozen-lockfile")


class Berry(Node):
    rule = "dev-dependency/yarn"
    exact = False

    def __init__(self, name, manifest, release="4", linker="node-modules", **more):
        super().__init__(name, manifest, **more)
        self.release, self.linker = release, linker

    def member_range(self):
        return "workspace:*"

    def yarn(self, root, tools, *arguments):
        command = tool(tools, f"@yarnpkg/cli-dist@{self.release}", "@yarnpkg/cli-dist/bin/yarn.js")
        call([*command, *arguments], root, YARN_ENABLE_IMMUTABLE_INSTALLS="false", YARN_ENABLE_TELEMETRY="0")

    def install(self, root, tools):
        self.write(root)
        (root / "yarn.lock").touch()
        settings = f"nodeLinker: {self.linker}\nenableGlobalCache: false\nenableScripts: false\n"
        (root / ".yarnrc.yml").write_text(settings)
        self.yarn(root, tools, "install")

    def prune(self, root, tools):
        self.yarn(root, tools, "workspaces", "focus", "--all", "--production")


class Pnp(Berry):
    """Plug'n'Play: archives instead of directories."""

    def copies(self, root):
        script = """
            const api = require('./.pnp.cjs'), fs = require('fs'), found = {};
            for (const locator of api.getAllLocators()) {
                const said = api.getPackageInformation(locator);
                if (said.linkType === 'SOFT') continue;
                let place = said.packageLocation.replace(/[.]zip[/].*/, '.zip');
                place = api.resolveVirtual(place) || place;
                const version = (/npm(?::|%3A)([^#:]+)/.exec(locator.reference) || [])[1];
                if (fs.existsSync(place)) found[place] = [locator.name, version, place];
            }
            console.log(JSON.stringify(Object.values(found)))"""
        return [tuple(copy) for copy in json.loads(call(["node", "-e", script], root))]


class Bun(Node):
    rule = "dev-dependency/bun"
    exact = False

    def member_range(self):
        return "workspace:*"

    def bun(self, root, tools, *arguments):
        tool(tools, "bun@1.2", "bun")
        # Its own start-up script picks one of several; any that starts will do.
        binaries = (tools / "bun-1-2/node_modules/@oven").glob("*/bin/bun")
        binary = sorted(binaries, key=lambda path: ("baseline" not in str(path), "musl" in str(path)))[0]
        call([str(binary), *arguments, "--ignore-scripts"], root)

    def install(self, root, tools):
        self.write(root)
        self.bun(root, tools, "install")

    def prune(self, root, tools):
        self.clear(root)
        self.bun(root, tools, "install", "--production", "--frozen-lockfile")


PROJECTS = [
    Npm("npm-service", SERVICE, quick=True),
    Npm("npm-lock-v2", SERVICE, lock=2, hidden=False),
    Npm("npm-lock-v1", SERVICE, lock=1),
    Npm("npm-workspaces", SERVICE, workspaces=True),
    Npm("npm-ts-node", TS_NODE, quick=True),
    Npm("npm-peers", PEERS),
    Npm("npm-optional", OPTIONAL),
    Npm("npm-aliases", ALIASES),
    Npm("npm-bundled", BUNDLED),
    Npm("npm-web", WEB),
    Npm("npm-fastify", FASTIFY),
    Pnpm("pnpm-service", SERVICE, quick=True),
    Pnpm("pnpm-ts-node", TS_NODE, release="10"),
    Pnpm("pnpm-peers", PEERS),
    Pnpm("pnpm-web", WEB, release="10"),
    Pnpm("pnpm-workspaces", SERVICE, workspaces=True),
    Pnpm("pnpm-hoisted", FASTIFY, linker="hoisted"),
    Yarn1("yarn1-service", SERVICE, quick=True),
    Yarn1("yarn1-aliases", ALIASES),
    Yarn1("yarn1-peers", PEERS),
    Yarn1("yarn1-workspaces", SERVICE, workspaces=True),
    Berry("yarn4-service", SERVICE),
    Berry("yarn4-peers", PEERS),
    Berry("yarn4-workspaces", SERVICE, workspaces=True),
    Pnp("yarn4-pnp", SERVICE, linker="pnp"),
    Pnp("yarn4-pnp-web", WEB, linker="pnp"),
    Berry("yarn3-service", SERVICE, release="3"),
    Pnp("yarn3-pnp", SERVICE, linker="pnp", release="3"),
    Bun("bun-service", SERVICE),
    Bun("bun-peers", PEERS),
    Bun("bun-ts-node", TS_NODE),
    Bun("bun-workspaces", SERVICE, workspaces=True),
]
