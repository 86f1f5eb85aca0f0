#!/usr/bin/env bash
# Ends the job as offcut ended, after the report was uploaded.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

code=$OFFCUT_ACTION_EXIT_CODE
[ "$code" != 0 ] || exit 0
[[ $code =~ ^[0-9]+$ ]] || code=3
printf '::error title=offcut::%s\n' "$(escaped "${OFFCUT_ACTION_VERDICT:-ended with exit code $code}")"
exit "$code"
