#!/usr/bin/env bash
# jinja2-ansible-filters 1.3.2 with Jinja2 3.1.6: ans_random of a constant is drawn when the text is compiled.
#
# Each rendering of a template should draw anew, as Jinja's own filter random does. Jinja calls a filter at compile time
# where its arguments are constants, unless the filter asks for the context; ans_random and shuffle do not. So a compiled
# template gives the same "random" number each time: to every user of a template cache, and to each file of a loop.
#
# Seen (2026-11-28): 20 renderings of "{{ 1000000 | ans_random }}" give one number, 20 of "{{ n | ans_random }}" give
# 20; Jinja's own random draws anew also of a constant.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Jinja2==3.1.6 jinja2-ansible-filters==1.3.2
"$work/venv/bin/python" - <<'P'
import sys
from importlib.metadata import version

from jinja2 import Environment

environment = Environment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"])


def numbers(text):
    """How many numbers 20 renderings of one compiled text give."""
    template = environment.from_string(text)
    return len({template.render(n=1000000) for _ in range(20)})


texts = ["{{ 1000000 | ans_random }}", "{{ n | ans_random }}", "{{ range(1000000) | random }}"]
found = [numbers(text) for text in texts]
print(f"jinja2-ansible-filters {version('jinja2-ansible-filters')}, Jinja2 {version('jinja2')}:")
for text, number in zip(texts, found):
    print(f"  {text}: {number}")
if found[0] != 1 or min(found[1:]) < 15:
    sys.exit("changed: a constant is drawn at each rendering, or another text is not")
P
