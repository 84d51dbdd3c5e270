#!/usr/bin/env bash
# pnpm 12.21.0 takes an empty XDG_CACHE_HOME for a relative path.
#
# The XDG Base Directory Specification: "If $XDG_CACHE_HOME is either not set or empty, a default equal to
# $HOME/.cache should be used." pnpm keeps its metadata in a folder `pnpm` of the project instead, which git then
# shows as new. A CI system that passes a variable on without a value is enough.
#
# Seen (2026-11-27): with the variable unset, the project holds node_modules package.json pnpm-lock.yaml; with it
# empty, also pnpm.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home"
mkdir "$HOME" "$work/unset" "$work/empty"
npm install --silent --prefix "$work/tool" --ignore-scripts --no-audit --no-fund --no-update-notifier pnpm@12.21.0
pnpm="$work/tool/node_modules/pnpm/bin/pnpm.mjs"
echo "pnpm $(node "$pnpm" --version)"
for how in unset empty; do
  cd "$work/$how"
  echo '{"name": "project", "private": true, "dependencies": {"is-number": "7.0.0"}}' >package.json
  if [ "$how" = unset ]; then unset XDG_CACHE_HOME; else export XDG_CACHE_HOME=; fi
  node "$pnpm" install --silent
  echo "$how:" *
done
[ ! -e "$work/unset/pnpm" ] || { echo "changed: a folder pnpm where the variable is unset" >&2; exit 1; }
[ -e "$work/empty/pnpm" ] || { echo "changed: no folder pnpm where the variable is empty" >&2; exit 1; }
