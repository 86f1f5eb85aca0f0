#!/usr/bin/env bash
# Puts offcut on the runner and tells where: a program that is there, or that of a release.
#
# What comes over the network has to agree with the release's checksums, and with its proof of origin, before it runs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

program=${OFFCUT_ACTION_PROGRAM:-}
if [ -n "$program" ]; then
  [ -x "$program" ] || program=$(command -v -- "$program") || fail "there is no program \"$OFFCUT_ACTION_PROGRAM\""
  output program "$(realpath -- "$program")"
  exit 0
fi

version=${OFFCUT_ACTION_VERSION#v}
if [ -z "$version" ]; then
  version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml")
fi
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "\"$version\" is no version, such as 0.1.0"

repository=${OFFCUT_ACTION_REPOSITORY:-}
[ -n "$repository" ] || fail "a local copy of the action has no releases: give the input offcut, the path of the program"
[[ $repository =~ ^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] || fail "\"$repository\" is no repository"

case "$(uname -s) $(uname -m)" in
  'Linux x86_64') machine=x86_64 ;;
  'Linux aarch64') machine=aarch64 ;;
  *) fail "there is no release for $(uname -s) on $(uname -m): build offcut and give the input offcut" ;;
esac

name=offcut-$version-$machine-unknown-linux-musl
dir=$(mktemp -d "$RUNNER_TEMP/offcut.XXXXXX")
cd "$dir"

# The token goes to curl through a file, since every process of the machine can read a command line.
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$GH_TOKEN" > token)
for file in "$name.tar.gz" SHA256SUMS; do
  curl --config token --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$file" \
    "$GITHUB_SERVER_URL/$repository/releases/download/v$version/$file" || fail "can not download $file of offcut $version"
done
rm token

# Only the line of this file, and exactly one: a list without it would agree with everything.
awk -v name="$name.tar.gz" '$2 == name || $2 == "*" name' SHA256SUMS > wanted
[ "$(wc -l < wanted)" -eq 1 ] || fail "SHA256SUMS of offcut $version does not name $name.tar.gz once"
sha256sum --check --strict --quiet wanted || fail "$name.tar.gz is not the file that SHA256SUMS names"

if [ "${OFFCUT_ACTION_ATTESTATION:-true}" != false ]; then
  command -v gh > /dev/null || fail "gh is not installed: install it, or set the input attestation to false"
  gh attestation verify "$name.tar.gz" --repo "$repository" \
    || fail "$name.tar.gz was not built by a workflow of $repository"
fi

tar --extract --gzip --file "$name.tar.gz" --no-same-owner "$name/offcut"
output program "$dir/$name/offcut"
