"""Trees of real software without a secret of anybody's: what a secret scanner has to keep quiet about.

A Debian root with the big interpreters and their sources, `node_modules` of 200 npm packages, the site-packages of 50
PyPI packages twice (unpacked into one directory, and in a virtual environment that has its records). Each tree is made
once in the work directory; a tree that was not finished is made again.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

DEBIAN = """
    ca-certificates cargo cron curl default-mysql-client git gnupg golang golang-1.19-src gpg less nodejs npm openjdk-17-jdk-headless
    openssh-client openssl perl postgresql-client python3 python3-boto3 python3-cryptography python3-pip python3-requests
    python3-venv redis-tools ruby vim wget libwww-perl libnet-ssleay-perl python3-twisted python3-paramiko
""".split()

# Groups that are installed together, as projects would; their dependencies come along.
NPM = [
    """lodash underscore async bluebird moment dayjs date-fns luxon uuid nanoid ms debug chalk colors commander yargs
       minimist inquirer ora glob execa""",
    """express koa fastify restify connect body-parser cookie-parser express-session cors helmet morgan compression
       multer passport passport-local passport-jwt jsonwebtoken bcryptjs csurf serve-static""",
    """react react-dom react-router-dom redux react-redux @reduxjs/toolkit vue vue-router vuex svelte preact next
       @angular/core @angular/common rxjs zone.js styled-components @emotion/react classnames prop-types""",
    """webpack webpack-cli rollup vite esbuild parcel @babel/core @babel/preset-env babel-loader typescript ts-node
       ts-loader eslint prettier stylelint postcss autoprefixer sass less terser""",
    """jest mocha chai sinon supertest ava tape nyc karma jasmine cypress @playwright/test puppeteer-core nock
       @testing-library/react enzyme jsdom cheerio faker-js @faker-js/faker""".replace("faker-js ", "", 1),
    """axios node-fetch got superagent request ws socket.io socket.io-client graphql apollo-server @apollo/client
       @grpc/grpc-js protobufjs nodemailer form-data qs cross-fetch undici follow-redirects http-proxy""",
    """mongoose mongodb mysql mysql2 pg sequelize typeorm knex prisma redis ioredis sqlite3 better-sqlite3 amqplib kafkajs
       nats memcached level bull bullmq""",
    """aws-sdk @aws-sdk/client-s3 @aws-sdk/client-dynamodb @azure/storage-blob @azure/identity @google-cloud/storage
       firebase firebase-admin stripe twilio @sendgrid/mail @slack/web-api @octokit/rest googleapis openai
       @sentry/node newrelic dd-trace @elastic/elasticsearch algoliasearch""",
    """fs-extra rimraf mkdirp chokidar cross-env dotenv config nconf winston pino bunyan log4js semver joi yup zod ajv
       validator class-validator class-transformer""",
    """node-forge crypto-js elliptic tweetnacl jose openid-client sshpk ssh2 node-rsa pem jsrsasign selfsigned asn1.js
       bootstrap jquery d3 three chart.js leaflet swagger-ui-dist""",
]

PYPI = """
    boto3 botocore requests urllib3 certifi charset-normalizer idna cryptography pyopenssl pyjwt paramiko pynacl numpy
    pandas scipy matplotlib pillow django flask fastapi starlette uvicorn aiohttp tornado twisted sqlalchemy alembic
    psycopg2-binary pymysql redis pymongo celery kombu jinja2 pyyaml click pydantic pytest tox virtualenv pip setuptools
    wheel google-auth google-api-python-client azure-identity azure-storage-blob kubernetes docker ansible-core
    scikit-learn
""".split()


def every(work):
    """Makes what is missing; gives (name, what to scan) of each tree."""
    work.mkdir(parents=True, exist_ok=True)
    for name, maker in MAKERS.items():
        tree = work / name
        done = work / f"{name}.made"
        if not done.exists():
            print(f"making {tree}", file=sys.stderr, flush=True)
            shutil.rmtree(tree, ignore_errors=True)
            tree.mkdir()
            maker(tree)
            done.touch()
        yield name, tree


def debian(tree):
    """`debootstrap` and the packages, installed as an image would have them; without archives and lists."""
    run("debootstrap", "--variant=minbase", "bookworm", tree)
    (tree / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (tree / "usr/sbin/policy-rc.d").chmod(0o755)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    env |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    run("mount", "-t", "proc", "proc", tree / "proc")
    try:
        run("chroot", tree, "apt-get", "update", "-qq", env=env)
        run("chroot", tree, "apt-get", "install", "-qq", "--yes", "--no-install-recommends", *DEBIAN, env=env)
        run("chroot", tree, "apt-get", "clean", env=env)
    finally:
        run("umount", tree / "proc")
    for leftover in (tree / "var/lib/apt/lists").glob("*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    (tree / "usr/sbin/policy-rc.d").unlink()
    for device in (tree / "dev").iterdir():
        shutil.rmtree(device) if device.is_dir() and not device.is_symlink() else device.unlink()


def node(tree):
    for number, group in enumerate(NPM):
        project = tree / f"srv/project{number}"
        project.mkdir(parents=True)
        (project / "package.json").write_text(json.dumps({"name": project.name, "private": True, "license": "MIT"}))
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps", "--loglevel=error"]
        run("npm", "install", *flags, *group.split(), cwd=project)


def python(tree):
    """Twice: unpacked without records of where (`--target`), and in a virtual environment with its dependencies."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
    run(*pip, "--no-deps", "--target", tree / "app/vendor", *PYPI)
    run(sys.executable, "-m", "venv", tree / "opt/venv")
    run(tree / "opt/venv/bin/python", *pip[1:], *PYPI)


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace")[-3000:]
        sys.exit(f"error: {' '.join(map(str, command))} ended with {done.returncode}\n{said}")


MAKERS = {"debian": debian, "node": node, "python": python}


if __name__ == "__main__":
    for made in every(pathlib.Path(sys.argv[1])):
        print(*made)
