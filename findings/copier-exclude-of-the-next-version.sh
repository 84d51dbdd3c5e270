#!/usr/bin/env bash
# Copier 9.19.1: at an update, `_exclude` of the new version is rendered with the questions of the old one.
#
# The documentation says that patterns of `_exclude` can use answers. A version that adds a question, and a pattern that
# uses it, is copied without a fault, with StrictUndefined as Jinja's undefined. `copier update` from the version before
# ends with "'heavy' is undefined", whatever the answer is: Copier renders the old version once more, leaves out what
# either version excludes, and its context has only the questions of that version. A default in the pattern helps.
#
# Seen (2026-11-28): copy of v2: exit code 0. Update from v1 to v2: exit code 1, UndefinedError. With
# `heavy | default(false)` in the pattern: exit code 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home" GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
mkdir "$HOME"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check copier==9.19.1
"$work/venv/bin/copier" --version
template="$work/template"
mkdir -p "$template/files"
cd "$template"
git init --quiet
echo "# {{ _copier_answers|to_nice_yaml }}" >"files/{{ _copier_conf.answers_file }}.jinja"
sed -i 's/^# //' "files/{{ _copier_conf.answers_file }}.jinja"
echo text >files/large.txt
settings='_subdirectory: files
_envops: {undefined: jinja2.StrictUndefined}
name: {type: str, default: orders}'
version() { # NAME QUESTIONS: commits copier.yml
  printf '%s\n%s\n' "$settings" "$2" >copier.yml
  git add --all && git commit --quiet --message "$1" && git tag "$1"
}
version v1.0.0 ''
version v2.0.0 'heavy: {type: bool, default: true}
_exclude: ["{% if not heavy %}/large.txt{% endif %}"]'
version v3.0.0 'heavy: {type: bool, default: true}
_exclude: ["{% if not heavy | default(true) %}/large.txt{% endif %}"]'
"$work/venv/bin/copier" copy --quiet --defaults --vcs-ref v2.0.0 "$template" "$work/new"
echo "copy of v2.0.0: exit code $?"
"$work/venv/bin/copier" copy --quiet --defaults --vcs-ref v1.0.0 "$template" "$work/service"
cd "$work/service"
git init --quiet && git add --all && git commit --quiet --message Start
code=0
"$work/venv/bin/copier" update --quiet --defaults --vcs-ref v2.0.0 >"$work/said" 2>&1 || code=$?
echo "update from v1.0.0 to v2.0.0: exit code $code, $(tail -n 1 "$work/said")"
[ "$code" != 0 ] || { echo "changed: the update is done" >&2; exit 1; }
grep -q "UndefinedError: 'heavy' is undefined" "$work/said" || { echo "changed: another reason" >&2; exit 1; }
git reset --quiet --hard && git clean --quiet --force -d
"$work/venv/bin/copier" update --quiet --defaults --vcs-ref v3.0.0
echo "update from v1.0.0 to v3.0.0, with a default in the pattern: exit code $?"
