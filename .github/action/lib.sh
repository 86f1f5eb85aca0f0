# shellcheck shell=bash
# What the scripts of the action share. They run on a runner of GitHub, or anywhere else with GITHUB_* files.

# Ends the step with a message that the run shows. Usage: fail TEXT
fail() {
  printf '::error title=offcut::%s\n' "$(escaped "$1")"
  exit 2
}

# Text as a workflow command takes it: it can not end the command and begin another one.
escaped() {
  local text=$1
  text=${text//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  text=${text//$'\n'/'%0A'}
  printf '%s' "$text"
}

# A word that nobody can guess.
unguessable() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Sets an output of the step, whatever is in it. Usage: output NAME VALUE
output() {
  local mark
  mark=$(unguessable)
  printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >> "$GITHUB_OUTPUT"
}
