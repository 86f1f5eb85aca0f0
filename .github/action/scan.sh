#!/usr/bin/env bash
# Scans the image, and leaves the gate to a later step, so that what was found is uploaded first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v jq > /dev/null || fail "jq is not installed"
[ -n "${OFFCUT_ACTION_IMAGE:-}" ] || fail "the input image is empty"

dir=$(mktemp -d "$RUNNER_TEMP/offcut.XXXXXX")
arguments=(scan --format table --output "sarif=$dir/offcut.sarif" --output "json=$dir/offcut.json" --no-progress)
arguments+=(--output "markdown=$dir/summary.md" --output "github=$dir/annotations" --output "table=$dir/table")
[ -z "${OFFCUT_ACTION_CONFIG:-}" ] || arguments+=(--config "$OFFCUT_ACTION_CONFIG")
[ -z "${OFFCUT_ACTION_PROFILE:-}" ] || arguments+=(--profile "$OFFCUT_ACTION_PROFILE")
[ -z "${OFFCUT_ACTION_FAIL_ON:-}" ] || arguments+=(--fail-on "$OFFCUT_ACTION_FAIL_ON")
[ -z "${OFFCUT_ACTION_DOCKERFILE:-}" ] || arguments+=(--dockerfile "$OFFCUT_ACTION_DOCKERFILE")
[ -z "${OFFCUT_ACTION_TARGET:-}" ] || arguments+=(--target "$OFFCUT_ACTION_TARGET")
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=(--allow "$line")
done <<< "${OFFCUT_ACTION_ALLOW:-}"
# Nothing is expanded or split: an argument is a line as it stands.
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=("$line")
done <<< "${OFFCUT_ACTION_ARGS:-}"

# A line of the log that begins with :: is a command to the runner, and the log shows names and texts of the image.
mark=$(unguessable)
code=0
printf '::stop-commands::%s\n' "$mark"
"$OFFCUT_ACTION_PROGRAM" "${arguments[@]}" -- "$OFFCUT_ACTION_IMAGE" 2> "$dir/messages" || code=$?
printf '\n'
cat "$dir/messages"
printf '\n::%s::\n' "$mark"

output exit-code "$code"
if [ ! -s "$dir/offcut.json" ] || [ ! -s "$dir/offcut.sarif" ]; then
  # Nothing was judged: no numbers, and nothing to upload.
  output verdict "$(head -c 4000 "$dir/messages")"
  exit 0
fi
if [ -n "${OFFCUT_ACTION_CATEGORY:-}" ]; then
  # The upload has an input for this, which counts only for a report that names none.
  # shellcheck disable=SC2016 # the variable is jq's
  jq --arg category "$OFFCUT_ACTION_CATEGORY" '.runs[].automationDetails.id = "offcut/\($category)/"' \
    "$dir/offcut.sarif" > "$dir/named.sarif"
  mv "$dir/named.sarif" "$dir/offcut.sarif"
fi
output sarif "$dir/offcut.sarif"
output json "$dir/offcut.json"
output digest "$(jq -r '.image.manifest // .image.id // ""' "$dir/offcut.json")"
output findings "$(jq '[.findings[] | select(.allowed == null)] | length' "$dir/offcut.json")"
# shellcheck disable=SC2016 # the variables are jq's
worst='["none", "note", "low", "medium", "high", "critical"] as $scale
  | [.findings[] | select(.allowed == null) | .severity as $s | $scale | index($s)] | $scale[max // 0]'
output worst-severity "$(jq -r "$worst" "$dir/offcut.json")"
# The last line of the table is the verdict.
output verdict "$(tail -n 1 "$dir/table")"
if [ "${OFFCUT_ACTION_SUMMARY:-true}" != false ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$dir/summary.md" >> "$GITHUB_STEP_SUMMARY"
fi
# These lines are commands, made by offcut for this: at most ten errors and ten warnings, which is what GitHub shows.
if [ "${OFFCUT_ACTION_ANNOTATIONS:-false}" = true ]; then
  cat "$dir/annotations"
fi
