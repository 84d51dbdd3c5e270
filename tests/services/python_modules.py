"""Write the modules that services in Python cannot be called like: ``python -m tests.services.python_modules``.

They are those of the interpreter and of the locked packages, as both say; a test compares the files with them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from tests.labs import template as lab
from tests.labs.service import make
from tests.labs.toolchains import ROOT, answers_of

FILES = {name: ROOT / "extensions" / f"{name}_modules.txt" for name in ("python", "model")}
_ASK = """
import importlib.metadata, json, sys
names = {name.split("/")[0] for name in importlib.metadata.packages_distributions()}
called = [one.metadata["Name"].lower() for one in importlib.metadata.distributions()]
names |= {name.replace("-", "_").replace(".", "_") for name in called}
print(json.dumps(sorted(names | sys.stdlib_module_names)))
"""
# What a service's name can become (extensions/answers.py): lower case, digits, single underscores.
_POSSIBLE = re.compile(r"[a-z](?:_?[a-z0-9])*")


def of(service: Path) -> list[str]:
    """Return the modules of a Python service's interpreter and of all its packages, those for tests among them.

    Args:
        service: the root of a service, set up.
    """
    done = subprocess.run([".venv/bin/python", "-c", _ASK], cwd=service, capture_output=True, text=True, check=True)
    return sorted(name for name in json.loads(done.stdout) if _POSSIBLE.fullmatch(name))


def written(kind: str, names: list[str]) -> str:
    """Return the text of a file: of a service for a model, what no other has.

    Args:
        kind: a key of ``FILES``.
        names: the modules of a service of that kind.
    """
    what = "the interpreter and of the locked packages"
    if kind == "model":
        what = "the packages that only a service for a model has"
        known = FILES["python"].read_text(encoding="utf-8").partition("\n")[2].split()
        names = sorted({*names} - {*known})
    head = f"# Modules of {what}: python -m tests.services.python_modules\n"
    return head + textwrap.fill(" ".join(names), 118, break_on_hyphens=False) + "\n"


def main() -> int:
    """Write the files for the template as it stands; returns the exit code."""
    with tempfile.TemporaryDirectory() as place:
        snapshot = lab.snapshot(Path(place, "golden-path"))
        for kind, file in FILES.items():
            service = lab.render(snapshot, Path(place, f"{kind}-orders"), answers_of(kind))
            done = make(service, kind, "setup")
            if done.returncode != 0:
                sys.stdout.write(done.stdout)
                return 1
            file.write_text(written(kind, of(service)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
