#!/usr/bin/env bash
# Jinja2 3.1.6: meta.find_undeclared_variables leaves out a variable that has the name of one of the environment's globals.
#
# Its documentation: "Returns a set of all variables in the AST that will be looked up from the context at runtime." A
# name that the environment has as a global is looked up in the context first, and the context wins; it is not in the
# set. Who decides by that set whether a text has to be rendered again, or which answers a file depends on, misses it.
#
# Seen (2026-11-28): for "{{ region }} {{ other }}" the set is {'other'} where the environment has a global region, and
# the text renders with the context's region all the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Jinja2==3.1.6
"$work/venv/bin/python" - <<'P'
import sys
from importlib.metadata import version

from jinja2 import Environment, meta

environment = Environment()
text = "{{ region }} {{ other }}"
before = meta.find_undeclared_variables(environment.parse(text))
environment.globals["region"] = "of the environment"
after = meta.find_undeclared_variables(environment.parse(text))
rendered = environment.from_string(text).render(region="of the context", other="x")
print(f"Jinja2 {version('jinja2')}: without a global {sorted(before)}, with one {sorted(after)}; rendered: {rendered}")
if before != {"region", "other"} or after != {"other"} or rendered != "of the context x":
    sys.exit("changed: the set or the text is another one")
P
