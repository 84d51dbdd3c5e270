#!/usr/bin/env bash
# usage: toolchain.sh VERSION
# Checks that this release of Go is installed; a later patch of it is as good.
set -euo pipefail
needed=$1
how="get it from https://go.dev/dl/, or set GOTOOLCHAIN=go$needed where a newer or older Go is installed"
found=$(go version 2>/dev/null) || { echo "Go is missing: go$needed is needed; $how" >&2; exit 1; }
[[ $found =~ go([0-9]+\.[0-9]+)(\.([0-9]+))? ]] || { echo "go version says '$found': go$needed is needed; $how" >&2; exit 1; }
if [ "${BASH_REMATCH[1]}" != "${needed%.*}" ] || [ "${BASH_REMATCH[3]:-0}" -lt "${needed##*.}" ]; then
  echo "found ${BASH_REMATCH[0]}: go$needed is needed; $how" >&2
  exit 1
fi
