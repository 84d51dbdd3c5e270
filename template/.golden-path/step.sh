#!/usr/bin/env bash
# usage: step.sh LABEL COMMAND [ARGUMENT...]
# Runs the command; one line when it succeeds, its whole output and its exit code when it fails. V=1 shows everything.
set -u
label=$1
shift
if [ "${V:-}" = 1 ]; then
  exec "$@"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$SECONDS
"$@" >"$log" 2>&1
code=$?
if [ "$code" -eq 0 ]; then
  printf '  ok    %s (%d s)\n' "$label" "$((SECONDS - start))"
else
  cat "$log"
  printf '  FAIL  %s: exit code %d of: %s\n' "$label" "$code" "$*" >&2
fi
exit "$code"
