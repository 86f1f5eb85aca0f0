#!/usr/bin/env bash
# Makes ../node-app.oci.tar again: builds the application, builds the image with a real engine, saves it.
#
# usage: make.sh ALPINE_MINIROOTFS.tar.gz     (alpine-minirootfs-3.20.3-x86_64.tar.gz)
# needs: node, npm, pip, docker, skopeo, zstd, python3; DOCKER names another client
#
# Times and with them digests differ from run to run; what is in the image does not.
set -euo pipefail
base=$(realpath "$1")
cd "$(dirname "$0")"
docker=${DOCKER:-docker}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo 'd4e6fd67dcf75e40c451560ac7265166c2b72a0f38ddc9aae756a7de3d1efa0c  -' > "$work/sum"
sha256sum --check --quiet "$work/sum" < "$base"

cp -r . "$work/context"
cd "$work/context"
npm ci --ignore-scripts --no-audit --no-fund
npm run build
pip download --quiet --no-deps --only-binary=:all: --platform musllinux_1_2_x86_64 --dest "$work" ninja==1.13.2
python3 -m zipfile -e "$work"/ninja-*.whl "$work/wheel"
install -m 755 "$work"/wheel/ninja-*.data/scripts/ninja ninja
# modes must not depend on the umask of the machine that builds
chmod -R u=rwX,go=rX .
cd - > /dev/null

"$docker" import --message "ADD $(basename "$base") in /" --change 'CMD ["/bin/sh"]' "$base" alpine:3.20
DOCKER_BUILDKIT=1 "$docker" build --quiet --tag offcut/shop-api:1.0.0 "$work/context"
"$docker" save --output "$work/image.tar" offcut/shop-api:1.0.0
skopeo copy --quiet "docker-archive:$work/image.tar" "oci:$work/layout:offcut/shop-api:1.0.0"
python3 recompress.py "$work/layout" ../node-app.oci.tar
ls -l ../node-app.oci.tar
