#!/usr/bin/env bash
# usage: build.sh PYTHON PACKAGE VERSION REVISION
# Fixes version and revision into the package and compiles it: what runs is the source tree itself.
set -euo pipefail
python=$1
package=$2
info=$package/platform/build_info.json

printf '{"version": "%s", "revision": "%s"}\n' "$3" "$4" >"$info.new"
if cmp -s "$info.new" "$info"; then rm "$info.new"; else mv "$info.new" "$info"; fi
# checked-hash: the compiled files hold no timestamps.
"$python" -m compileall -q --invalidation-mode checked-hash "$package"
