#!/usr/bin/env bash
# Makes the image that benches/run.py measures: what is left behind when nobody uses a second stage, about 2 GB.
#
# usage: benches/make-image.sh OUTDIR
# makes: OUTDIR/oci-gzip OUTDIR/oci-zstd      the same image with either compression
#        OUTDIR/oci-one-gzip                  its files squashed into one layer: nothing to spread over cores
#        OUTDIR/image.tar                     docker save
# needs: root, docker (DOCKER names another client), debootstrap, skopeo, npm, Debian's and npm's registries
set -euo pipefail
[ $# = 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
out=$(realpath "$1")
docker=${DOCKER:-docker}
copy() { skopeo --insecure-policy copy --quiet "$@"; }

echo 'base: Debian'
[ -e "$out/debian/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$out/debian" > "$out/debootstrap.log"
tar -C "$out/debian" --numeric-owner -c . | "$docker" import --change 'CMD ["/bin/sh"]' - offcut-bench/debian

echo 'application: production and development packages of npm'
app=$out/context/app
mkdir -p "$app/src"
cat > "$app/package.json" <<'J'
{
  "name": "bench",
  "version": "1.0.0",
  "private": true,
  "dependencies": { "express": "^4", "react": "^18", "react-dom": "^18", "lodash": "^4", "axios": "^1", "pg": "^8" },
  "devDependencies": {
    "typescript": "^5", "webpack": "^5", "webpack-cli": "^5", "vite": "^5", "rollup": "^4", "jest": "^29", "eslint": "^8",
    "prettier": "^3", "@babel/core": "^7", "@babel/preset-env": "^7", "@types/node": "^20", "@types/react": "^18",
    "storybook": "^8", "sass": "^1", "core-js": "^3", "date-fns": "^3", "rxjs": "^7", "@mui/material": "^5",
    "@mui/icons-material": "^5", "@emotion/react": "^11", "@emotion/styled": "^11"
  }
}
J
[ -d "$app/node_modules" ] || (cd "$app" && npm install --ignore-scripts --no-audit --no-fund)
for number in $(seq 400); do
  echo "export const answer$number = (n: number): number => n * $number;" > "$app/src/module$number.ts"
done

echo 'image'
cat > "$out/context/Dockerfile" <<'D'
FROM offcut-bench/debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq && apt-get install -qq --yes build-essential cmake pkg-config git python3 > /dev/null
RUN apt-get install -qq --yes golang-go > /dev/null
RUN apt-get install -qq --yes nodejs npm > /dev/null
WORKDIR /app
COPY app/package.json ./
COPY app/node_modules ./node_modules
# once more, as `COPY . .` does when there is no .dockerignore
COPY app ./
RUN rm -rf src /var/lib/apt/lists/*
CMD ["node", "dist/server.js"]
D
"$docker" build --network host --quiet --tag offcut-bench/fat "$out/context"
"$docker" save --output "$out/image.tar" offcut-bench/fat
copy --dest-compress-format gzip "docker-archive:$out/image.tar" "oci:$out/oci-gzip:bench"
copy --dest-compress-format zstd "docker-archive:$out/image.tar" "oci:$out/oci-zstd:bench"

container=$("$docker" create offcut-bench/fat)
"$docker" export "$container" | "$docker" import - offcut-bench/squashed
"$docker" rm "$container" > /dev/null
"$docker" save --output "$out/squashed.tar" offcut-bench/squashed
copy --dest-compress-format gzip "docker-archive:$out/squashed.tar" "oci:$out/oci-one-gzip:bench"
rm "$out/squashed.tar"
du -sh "$out"/oci-* "$out/image.tar"
