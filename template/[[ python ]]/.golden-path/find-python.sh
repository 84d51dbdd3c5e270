#!/usr/bin/env bash
# usage: find-python.sh UV VERSION
# Prints the path of a Python of that version: from PATH, found by uv, or else downloaded by uv into .tools/.
set -uo pipefail
uv=$1
version=$2
export UV_PYTHON_INSTALL_DIR="$PWD/.tools/cpython"

# A file called python3.13 may be a shim that only prints an error.
works() {
  [ -n "$1" ] && [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ]
}
find_it() {
  "$uv" python find --no-project --no-python-downloads "$version" 2>/dev/null
}

python=$(command -v "python$version")
works "$python" || python=$(find_it)
if ! works "$python"; then
  UV_HTTP_TIMEOUT=20 UV_HTTP_RETRIES=0 "$uv" python install --no-bin --quiet "$version" >/dev/null 2>&1
  python=$(find_it)
fi
if ! works "$python"; then
  found=$(python3 --version 2>/dev/null || echo "no Python")
  echo "Python $version is needed, found $found, and uv could not download it: install Python $version so that python$version is on PATH" >&2
  exit 1
fi
echo "$python"
