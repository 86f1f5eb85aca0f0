"""Builders that are newer than those of the host: Docker 26 with its BuildKit and Buildah 1.39, as Debian trixie has them.

They run in a root of trixie on the host's kernel and network, and see the directories they are given under the same paths.
Everything is mounted in a mount namespace of their own: nothing stays mounted, however a run ends.
"""

import json
import os
import shutil
import subprocess
import time

from engines import ROOT, Docker, run

# Those of Buildah's package want a network stack, which nothing here uses.
PACKAGES = ["docker.io", "docker-cli", "docker-buildx", "buildah", "netavark", "iptables", "ca-certificates"]
# The root has to be a mount of its own, or containers can not change theirs.
ENTER = """#!/bin/sh
set -e
root=$1 && shift
mount --bind "$root" "$root"
for dir in /proc /sys /dev; do mount --rbind "$dir" "$root$dir"; done
while [ "$1" != -- ]; do mkdir -p "$root$1" && mount --bind "$1" "$root$1" && shift; done
shift
exec setpriv --pdeathsig TERM chroot "$root" "$@"
"""
# The client runs where the daemon does.
CLIENT = """#!/bin/sh
exec nsenter --target {pid} --mount --root --wd=/ docker "$@"
"""


class Newer:
    """The root, and a Docker daemon in it. `cache` is seen in there, and so is the project.

    With `attests` images are kept by containerd, packed and with what is attested of them.
    """

    def __init__(self, cache, attests=False):
        self.cache, self.root, self.attests = cache, cache / "newer", attests
        self.socket = self.root / "run" / "docker.sock"
        self.daemon = None

    def start(self):
        """Makes the root if it is not there, and starts the daemon."""
        self.make()
        self.fresh_run()
        shutil.copy("/etc/resolv.conf", self.root / "etc" / "resolv.conf")
        settings = {"features": {"containerd-snapshotter": self.attests}}
        (self.root / "etc" / "docker" / "daemon.json").write_text(json.dumps(settings))
        # Without a network of its own (`--bridge=none`) it would take away that of the host's daemon, which has the same name.
        command = ["dockerd", "--iptables=false", "--ip6tables=false"]
        with (self.cache / "newer.log").open("wb") as log:
            self.daemon = subprocess.Popen(self.inside(*command), stdout=log, stderr=log, env=environment())
        client = program(self.cache / "newer-docker", CLIENT.format(pid=self.daemon.pid))
        docker = Docker(client, f"unix://{self.socket}")
        for _ in range(120):
            if self.socket.exists() and docker("version", check=False).returncode == 0:
                return docker
            assert self.daemon.poll() is None, (self.cache / "newer.log").read_text()[-2000:]
            time.sleep(0.5)
        raise AssertionError("the newer dockerd does not answer\n" + (self.cache / "newer.log").read_text()[-2000:])

    def make(self):
        if not self.root.exists():
            part = self.cache / "newer.part"
            shutil.rmtree(part, ignore_errors=True)
            run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "trixie", part)
            part.rename(self.root)

    def fresh_run(self):
        """Leaves nothing of a daemon that was killed."""
        shutil.rmtree(self.root / "run")
        (self.root / "run" / "lock").mkdir(parents=True)

    def inside(self, *command):
        """A command that runs in the root."""
        seen = [str(self.cache), str(ROOT)]
        enter = program(self.cache / "newer-enter", ENTER)
        return ["unshare", "--mount", str(enter), str(self.root), *seen, "--", *map(str, command)]

    def buildah(self, *arguments):
        """Buildah with a store of its own; steps run in containers, as without these their documents can not be run."""
        store = ["--root", "/var/lib/buildah", "--runroot", "/run/buildah"]
        if arguments[0] == "bud":
            # It sets limits that need not be those of the machine, and may not be allowed.
            limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
            arguments = ["bud", "--isolation", "oci", "--runtime", "runc", "--network", "host", *limits, *arguments[1:]]
        return run(*self.inside("buildah", *store, *arguments), env=environment())

    def stop(self):
        if self.daemon is not None:
            self.daemon.terminate()
            self.daemon.wait()


def program(file, text):
    file.write_text(text)
    file.chmod(0o755)
    return file


def environment():
    """The host's, and a search path that Debian's daemons want."""
    return os.environ | {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
