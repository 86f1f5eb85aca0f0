"""The engines and tools that make images: Docker, Podman, Buildah, skopeo, umoci, debootstrap.

Everything is started as a real program. A tool that is missing is a failure, never a reason to skip.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEMO = ROOT / "testdata" / "node-app.oci.tar"


def run(*command, check=True, **more):
    """Runs a program to its end; its output is bytes. Fails with what it wrote to standard error."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, stdin=more.pop("stdin", subprocess.DEVNULL), **more
    )
    if check and done.returncode != 0:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}\n{said}")
    return done


class Docker:
    """A Docker daemon, by the client of the same release; the host's if no other is named."""

    def __init__(self, client=None, host=None):
        self.client = client or os.environ.get("DOCKER", "docker")
        self.host = host or os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        self.env = os.environ | {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"}
        self.tags = []

    def __call__(self, *arguments, **more):
        return run(self.client, *arguments, env=self.env, **more)

    def version(self):
        return self("version", "--format", "Docker {{.Server.Version}}").stdout.decode().strip()

    def import_root(self, stream, tag):
        """Makes a base image of a root file system's tar stream."""
        self("import", "--change", 'CMD ["/bin/sh"]', "-", tag, stdin=stream)
        self.tags.append(tag)

    def build(self, tag, context, *arguments, buildkit=True):
        env = self.env | {"DOCKER_BUILDKIT": "1" if buildkit else "0"}
        run(self.client, "build", "--network", "host", "--tag", tag, *arguments, context, env=env)
        self.tags.append(tag)

    def save(self, tag, file):
        self("save", "--output", file, tag)

    def export(self, tag, file):
        """Writes the merged root file system of an image as the daemon sees it."""
        container = self("create", tag, "none").stdout.decode().strip()
        try:
            self("export", "--output", file, container)
        finally:
            self("rm", container)

    def clean(self):
        for tag in reversed(self.tags):
            self("rmi", "--force", tag, check=False)


class Podman:
    """A Podman service with a store of its own, so that it leaves nothing behind."""

    def __init__(self, work):
        # Podman takes a directory of at most 50 characters for what it holds while it runs.
        self.state = tempfile.TemporaryDirectory(prefix="podman-")
        self.store = ["--root", work / "podman", "--runroot", self.state.name]
        self.socket = work / "podman.sock"
        self.host = f"unix://{self.socket}"
        self.service = None

    def __call__(self, *arguments, **more):
        return run("podman", *self.store, *arguments, **more)

    def version(self):
        return run("podman", "--version").stdout.decode().strip()

    def start(self):
        self.socket.unlink(missing_ok=True)
        command = ["podman", *map(str, self.store), "system", "service", "--time", "0", self.host]
        self.service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.socket.exists():
                return
            time.sleep(0.1)
        raise AssertionError("podman system service does not answer")

    def build(self, tag, context):
        """Builds with Buildah, without the privileges a container would need."""
        run("buildah", *self.store, "bud", "--isolation", "chroot", "--tag", tag, context)

    def stop(self):
        if self.service is not None:
            self.service.terminate()
            self.service.wait()
        unmount(self.store[1])
        self.state.cleanup()


def unmount(store):
    """Lets go of what Podman keeps mounted in its store, also after a run that was killed."""
    run("umount", "--recursive", "--lazy", store / "overlay", check=False)


def skopeo(*arguments):
    """Copies an image from one form to another."""
    return run("skopeo", "--insecure-policy", "copy", "--quiet", *arguments)


def debian(docker, cache):
    """Debian bookworm as `debootstrap` makes it; the root file system is kept between runs."""
    root = cache / "debian"
    if not (root / "etc" / "debian_version").exists():
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "bookworm", root)
    left_out = ["--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*"]
    tar = ["tar", "-C", str(root), "--numeric-owner", "--sort=name", "--mtime=@0", *left_out, "-c", "."]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as packed:
        docker.import_root(packed.stdout, "offcut-e2e/debian")


def node_app(docker, layout, work):
    """The image in `testdata/`, and Alpine Linux, which is its lowest layer.

    Docker 20.10 and skopeo 1.9 do not turn zstd layers into a Docker archive, so it is put together here.
    """
    manifest = layout.manifest()
    layers = [f"{number}.tar" for number in range(len(manifest["layers"]))]
    listing = {"Config": "config.json", "RepoTags": ["offcut-e2e/node-app:latest"], "Layers": layers}
    for name, descriptor in zip(layers, manifest["layers"], strict=True):
        packed = layout.blob(descriptor)
        (work / name).write_bytes(run("zstd", "--decompress", "--long=31", "--stdout", packed).stdout)
    (work / "manifest.json").write_text(json.dumps([listing]))
    shutil.copy(layout.blob(manifest["config"]), work / "config.json")
    with tarfile.open(work / "demo.tar", "w") as archive:
        for name in ["manifest.json", "config.json", *layers]:
            archive.add(work / name, name)
    docker("load", "--input", work / "demo.tar")
    docker.tags.append("offcut-e2e/node-app")
    (work / layers[0]).rename(work / "alpine.tar")
    with (work / "alpine.tar").open("rb") as stream:
        docker.import_root(stream, "offcut-e2e/alpine")


class Layout:
    """An OCI image layout on disk, to be read and to be damaged."""

    def __init__(self, path):
        self.path = path

    @classmethod
    def unpack(cls, archive, path):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        with tarfile.open(archive) as tar:
            tar.extractall(path, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(path)
        return cls(path)

    def copy(self, path):
        """Another layout with the same blobs; files are hard links and must be replaced, not written."""
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.path, path, copy_function=os.link)
        return Layout(path)

    def index(self):
        return json.loads((self.path / "index.json").read_bytes())

    def blob(self, descriptor):
        return self.path / "blobs" / "sha256" / descriptor["digest"].removeprefix("sha256:")

    def manifest(self):
        return json.loads(self.blob(self.index()["manifests"][0]).read_bytes())

    def blobs(self):
        return sorted((self.path / "blobs" / "sha256").iterdir())

    def put(self, value):
        """Stores a document and returns its descriptor's digest and size."""
        data = json.dumps(value).encode()
        name = hashlib.sha256(data).hexdigest()
        (self.path / "blobs" / "sha256" / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    def rewrite(self, change):
        """Lets `change(manifest, config, descriptor)` alter the image, then makes every digest right again."""
        index, manifest = self.index(), self.manifest()
        config = json.loads(self.blob(manifest["config"]).read_bytes())
        change(manifest, config, index["manifests"][0])
        manifest["config"].update(self.put(config))
        index["manifests"][0].update(self.put(manifest))
        self.replace("index.json", json.dumps(index).encode())

    def replace(self, name, data):
        file = self.path / name
        file.unlink()
        file.write_bytes(data)

    def pack(self, archive):
        with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as out:
            for name in ["oci-layout", "index.json", "blobs"]:
                out.add(self.path / name, name)
        return archive


def flip(file, to, at):
    """Writes a copy of `file` with one bit inverted at byte `at`."""
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    to.unlink(missing_ok=True)
    to.write_bytes(data)
