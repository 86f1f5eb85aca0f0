"""Ruby projects for `run.py`: gem and Bundler from the PATH, with gems that are made here and that Bundler resolves."""

import re
import shutil

from run import Project, call

# name: what it needs
GEMS = {
    "web": ["router", "logsmall"],
    "router": [],
    "logsmall": [],
    "tester": ["expect", "diffy"],
    "expect": ["diffy"],
    "diffy": [],
    "linter": ["parsy", "logsmall"],
    "parsy": [],
    "console": [],
}


class Bundler(Project):
    """A project with `vendor/bundle`."""

    rule = "dev-dependency/bundler"

    def __init__(self, name, gemfile, groups, quick=False):
        self.name, self.gemfile, self.groups, self.quick = name, gemfile, groups, quick

    def install(self, root, tools):
        index = tools / "gems"
        if not index.exists():
            (index / "gems").mkdir(parents=True)
            for name, needs in GEMS.items():
                self.build(tools / "gem-source" / name, index, name, needs)
            call(["gem", "generate_index", "-q"], index)
        (root / "Gemfile").write_text(f'source "file://{index}"\n{self.gemfile}')
        call(["bundle", "config", "set", "--local", "path", "vendor/bundle"], root)
        call(["bundle", "install", "--quiet"], root)

    def build(self, home, index, name, needs):
        (home / "lib").mkdir(parents=True)
        (home / f"lib/{name}.rb").write_text(f"# {name}\n")
        lines = [f"s.add_runtime_dependency '{need}', '>= 1'" for need in needs]
        lines.append("s.add_development_dependency 'unknown'")
        about = f"s.name='{name}'; s.version='1.2.0'; s.summary='x'; s.authors=['a']; s.files=['lib/{name}.rb']"
        body = "\n  ".join([about, *lines])
        (home / f"{name}.gemspec").write_text(f"Gem::Specification.new do |s|\n  {body}\nend\n")
        call(["gem", "build", "-q", f"{name}.gemspec"], home)
        shutil.move(home / f"{name}-1.2.0.gem", index / "gems")

    def prune(self, root, tools):
        call(["bundle", "config", "set", "--local", "without", self.groups], root)
        call(["bundle", "clean"], root)

    def copies(self, root):
        specs = root.glob("vendor/bundle/ruby/*/specifications/*.gemspec")
        parts = [(re.match(r"(.+)-(\d[^-]*)$", spec.stem), spec) for spec in specs]
        return [(match.group(1), match.group(2), str(spec.relative_to(root))) for match, spec in parts]


BLOCKS = """gem "web"
group :development, :test do
  gem "tester"
  gem "linter", require: false
end
gem "console", group: :development
"""
SHARED = """gem "web"
gem "diffy"
gem "console", groups: [:development, :default]
gem "tester", :group => :test
group(:assets) do
  gem "parsy"
end
"""

# Without Bundler there is nothing to compare with.
PROJECTS = (
    [
        Bundler("bundler-groups", BLOCKS, "development test", quick=True),
        Bundler("bundler-shared", SHARED, "development test"),
    ]
    if shutil.which("bundle")
    else []
)
