#!/usr/bin/env python3
"""Whether images start as offcut says: some fifty are built, scanned, started and compared.

usage: benches/start/run.py --alpine IMAGE --debian IMAGE [--offcut PROGRAM] [--only NAME[,NAME]]

An image must be reported under broken-runtime/ when, and only when, `docker run` of it fails. The exceptions are those
that `docs/start.md` names: what may be mounted, or made by a script, is passed over; they are marked here.

needs: a Docker daemon (DOCKER names the client), go, gcc and musl-gcc. Nothing is fetched.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCKER = os.environ.get("DOCKER", "docker").split()
TAG = "offcut-start"

GO = """package main
import ("fmt"; "net"; "os/user")
func main() { u, _ := user.Current(); fmt.Println("started", u != nil); net.LookupHost("localhost") }
"""
PLAIN = '#include <stdio.h>\nint main() { puts("started"); return 0; }\n'
CALLS = '#include <stdio.h>\nint f(void);\nint main() { puts("started"); return f(); }\n'
LIBRARY = "int f(void) { return 0; }\n"

SCRIPTS = {
    "e.bash": "#!/bin/bash\nexec app\n",
    "e.sh": '#!/bin/sh\nset -e\nexec "$@"\n',
    "e.crlf": '#!/bin/sh\r\nexec "$@"\r\n',
    "e.crlfenv": '#!/usr/bin/env bash\r\nexec "$@"\r\n',
    "e.env": '#!/usr/bin/env no-such-language\nprint("started")\n',
    "e.none": "echo started\n",
    "e.nothing": "#!/usr/bin/nothing-here\necho\n",
    "e.make": "#!/bin/sh\nprintf '#!/bin/sh\\necho started\\n' > /tmp/x\nchmod 755 /tmp/x\nexec /tmp/x\n",
}

# Name, base, instructions. What nobody could tell without running the image is in SILENT.
IMAGES = [
    ("cgo-on-alpine", "alpine", 'COPY cgo /app\nCMD ["/app"]'),
    ("static-on-alpine", "alpine", 'COPY static /app\nCMD ["/app"]'),
    ("cgo-on-debian", "debian", 'COPY cgo /app\nCMD ["/app"]'),
    ("static-on-scratch", "scratch", 'COPY static /app\nENTRYPOINT ["/app"]'),
    ("cgo-on-scratch", "scratch", 'COPY cgo /app\nENTRYPOINT ["/app"]'),
    ("shell-form-on-scratch", "scratch", "COPY static /app\nENTRYPOINT /app"),
    ("arm-on-amd64", "alpine", 'COPY arm /app\nENTRYPOINT ["/app"]'),
    ("musl-on-debian", "debian", 'COPY musl /app\nENTRYPOINT ["/app"]'),
    ("musl-on-alpine", "alpine", 'COPY musl /app\nENTRYPOINT ["/app"]'),
    ("library-missing", "debian", 'COPY calls /app\nENTRYPOINT ["/app"]'),
    ("library-without-ldconfig", "debian", 'COPY calls /app\nCOPY libf.so.1 /usr/local/lib/\nENTRYPOINT ["/app"]'),
    ("library-with-ldconfig", "debian", 'COPY calls /app\nCOPY libf.so.1 /usr/local/lib/\nRUN ldconfig\nENTRYPOINT ["/app"]'),
    ("library-by-environment", "debian", 'COPY calls /app\nCOPY libf.so.1 /opt/l/\nENV LD_LIBRARY_PATH=/opt/l\nENTRYPOINT ["/app"]'),
    ("library-by-origin", "debian", 'COPY origin /opt/a/bin/app\nCOPY libf.so.1 /opt/a/lib/\nENTRYPOINT ["/opt/a/bin/app"]'),
    ("library-by-wrong-origin", "debian", 'COPY origin /app\nCOPY libf.so.1 /opt/a/lib/\nENTRYPOINT ["/app"]'),
    ("musl-library-missing", "alpine", 'COPY muslcalls /app\nENTRYPOINT ["/app"]'),
    ("musl-library", "alpine", 'COPY muslcalls /app\nCOPY libfm.so.1 /usr/local/lib/\nENTRYPOINT ["/app"]'),
    ("not-there", "alpine", 'ENTRYPOINT ["/app/server"]'),
    ("not-in-path", "alpine", 'COPY musl /opt/app/server\nENTRYPOINT ["server"]'),
    ("in-path", "alpine", 'COPY musl /opt/app/server\nENV PATH=/opt/app:/bin\nENTRYPOINT ["server"]'),
    ("relative", "alpine", 'WORKDIR /opt\nCOPY musl ./app/server\nENTRYPOINT ["./app/server"]'),
    ("relative-to-another-directory", "alpine", 'WORKDIR /opt/x\nCOPY musl /opt/app/server\nRUN touch here\nENTRYPOINT ["./app/server"]'),
    ("dangling-link", "alpine", 'RUN ln -s /opt/y /usr/local/bin/app\nENTRYPOINT ["/usr/local/bin/app"]'),
    ("link", "alpine", 'COPY musl /opt/x\nRUN ln -s ../../../opt/x /usr/local/bin/app\nENTRYPOINT ["app"]'),
    ("directory", "alpine", 'COPY musl /app/app\nENTRYPOINT ["/app"]'),
    ("not-executable", "alpine", 'COPY musl /app\nRUN chmod 644 /app\nENTRYPOINT ["/app"]'),
    ("not-executable-for-user", "alpine", 'COPY musl /app\nRUN chmod 700 /app\nUSER 1000:1000\nENTRYPOINT ["/app"]'),
    ("home-of-root-for-user", "alpine", 'COPY musl /root/app\nRUN chmod 700 /root\nUSER 1000:1000\nENTRYPOINT ["/root/app"]'),
    ("executable-for-root", "alpine", 'COPY musl /root/app\nRUN chmod 744 /root/app\nENTRYPOINT ["/root/app"]'),
    ("directory-to-pass", "alpine", 'COPY musl /srv/p/app\nRUN chmod 711 /srv/p\nUSER 1000:1000\nENTRYPOINT ["/srv/p/app"]'),
    ("executable-for-group", "alpine", 'COPY musl /app\nRUN chmod 710 /app && chgrp 5000 /app\nUSER 1000:5000\nENTRYPOINT ["/app"]'),
    ("bash-on-alpine", "alpine", 'COPY e.bash /e\nCOPY musl /usr/bin/app\nENTRYPOINT ["/e"]'),
    ("sh-on-alpine", "alpine", 'COPY e.sh /e\nCOPY musl /usr/bin/app\nENTRYPOINT ["/e"]\nCMD ["app"]'),
    ("script-runs-nothing", "alpine", 'COPY e.sh /e\nENTRYPOINT ["/e"]\nCMD ["/no-such/app"]'),
    ("script-runs-glibc", "alpine", 'COPY e.sh /e\nCOPY glibc /srv/app\nENTRYPOINT ["/e"]\nCMD ["/srv/app"]'),
    ("carriage-return", "alpine", 'COPY e.crlf /e\nCOPY musl /usr/bin/app\nENTRYPOINT ["/e"]\nCMD ["app"]'),
    ("carriage-return-env", "debian", 'COPY e.crlfenv /e\nCOPY glibc /usr/bin/app\nENTRYPOINT ["/e"]\nCMD ["app"]'),
    ("env-finds-nothing", "debian", 'COPY e.env /e\nENTRYPOINT ["/e"]'),
    ("interpreter-missing", "alpine", 'COPY e.nothing /e\nENTRYPOINT ["/e"]'),
    ("no-first-line", "alpine", 'COPY e.none /e\nENTRYPOINT ["/e"]'),
    ("no-first-line-by-shell", "alpine", 'COPY e.none /e\nENTRYPOINT ["/bin/sh", "/e"]'),
    ("empty-file", "alpine", 'RUN touch /e && chmod 755 /e\nENTRYPOINT ["/e"]'),
    ("made-at-start", "alpine", 'COPY e.make /e\nENTRYPOINT ["/e"]'),
    ("builtin", "alpine", "CMD echo started"),
    ("either-or", "alpine", "CMD /nothing || echo started"),
    ("shell-form-of-nothing", "alpine", "CMD exec /nothing"),
    ("shell-is-given-nothing", "alpine", 'ENTRYPOINT ["sh", "/entrypoint.sh"]'),
    ("env-as-wrapper", "alpine", 'CMD ["env", "A=b", "echo", "started"]'),
    ("wrapper-of-nothing", "alpine", 'CMD ["nice", "/nothing"]'),
    ("in-an-empty-directory", "alpine", 'ENTRYPOINT ["/srv/app"]'),
]
SILENT = {"in-an-empty-directory"}


def run(command, **how):
    return subprocess.run(command, capture_output=True, text=True, **how)


def must(command, **how):
    done = run(command, **how)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")


def make(work):
    """Builds the programs and scripts that the images are made of."""
    for name, text in SCRIPTS.items():
        (work / name).write_text(text, newline="")
        (work / name).chmod(0o755)
    for name, text in [("main.go", GO), ("plain.c", PLAIN), ("calls.c", CALLS), ("f.c", LIBRARY)]:
        (work / name).write_text(text)
    for out, more in [("cgo", {"CGO_ENABLED": "1"}), ("static", {"CGO_ENABLED": "0"}), ("arm", {"CGO_ENABLED": "0", "GOARCH": "arm64"})]:
        must(["go", "build", "-o", out, "main.go"], cwd=work, env={**os.environ, **more})
    shared = ["-shared", "-fPIC", "f.c"]
    for compiler, library, program in [("gcc", "libf.so.1", "calls"), ("musl-gcc", "libfm.so.1", "muslcalls")]:
        must([compiler, *shared, "-o", library, f"-Wl,-soname,{library}"], cwd=work)
        must([compiler, "-o", program, "calls.c", library], cwd=work)
    must(["gcc", "-o", "origin", "calls.c", "libf.so.1", "-Wl,-rpath,$ORIGIN/../lib"], cwd=work)
    must(["gcc", "-o", "glibc", "plain.c"], cwd=work)
    must(["musl-gcc", "-o", "musl", "plain.c"], cwd=work)


def try_image(options, work, name, base, instructions):
    """Whether prediction and outcome agree, and a line that says so."""
    image = f"{TAG}:{name}"
    base = {"alpine": options.alpine, "debian": options.debian}.get(base, base)
    (work / "Dockerfile").write_text(f"FROM {base}\n{instructions}\n")
    must([*DOCKER, "build", "-q", "-t", image, str(work)])
    try:
        try:
            started = "started" in run([*DOCKER, "run", "--rm", image], timeout=60).stdout
        except subprocess.TimeoutExpired:
            started = True
        report = json.loads(run([options.offcut, "scan", "-f", "json", f"docker:{image}"]).stdout)
    finally:
        run([*DOCKER, "rmi", "-f", image])
    found = [f["rule"] for f in report["findings"] if f["rule"].startswith("broken-runtime/")]
    agree = started != bool(found) or (name in SILENT and not found)
    outcome = "starts" if started else "fails"
    return agree, f"{'ok ' if agree else 'BAD'}  {name:32} {outcome:7} {', '.join(found) or '-'}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpine", required=True)
    parser.add_argument("--debian", required=True)
    parser.add_argument("--offcut", default=str(ROOT / "target/release/offcut"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))
    bad = 0
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        make(work)
        for name, base, instructions in IMAGES:
            if not only or name in only:
                agree, line = try_image(options, work, name, base, instructions)
                bad += not agree
                print(line, flush=True)
    print(f"{bad} differ")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
