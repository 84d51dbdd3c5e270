#!/usr/bin/env bash
# ONNX Runtime 1.32.0 from PyPI keeps an identifier of the machine, and a database of events for its makers, on Linux.
#
# Its Privacy.md: "Telemetry is turned ON by default in the official builds", sent "to Microsoft's telemetry backend over
# HTTPS"; ORT_DISABLE_TELEMETRY=1 before it is loaded prevents "the uploader, events, and persistent device identifier".
# In a container without a writable home it writes a warning to standard error instead, whatever the session's log level.
#
# Seen (2026-11-28): without the variable, loading it leaves Microsoft/DeveloperTools/.onnxruntime/deviceid and
# onnxruntime.db in XDG_CACHE_HOME; with it, nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0
load="import onnxruntime; onnxruntime.get_available_providers(); onnxruntime.SessionOptions()"
for how in on off; do
  mkdir "$work/$how"
  if [ "$how" = off ]; then export ORT_DISABLE_TELEMETRY=1; fi
  HOME="$work/$how" XDG_CACHE_HOME="$work/$how" "$work/venv/bin/python" -c "$load"
  echo "$how:" $(cd "$work/$how" && find . -type f)
done
[ -n "$(find "$work/on" -type f)" ] || { echo "changed: nothing is written without the variable" >&2; exit 1; }
[ -z "$(find "$work/off" -type f)" ] || { echo "changed: something is written with the variable" >&2; exit 1; }
