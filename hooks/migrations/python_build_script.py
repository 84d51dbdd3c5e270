"""0.1.0: the build script of Python services, ``make/build.sh``, became ``make/build.py``.

It takes version and revision from the environment now. What of the service's own calls the old one gets the new call.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hooks.migration import rewrite

OLD, NEW = "make/build.sh", "make/build.py"
_VALUE = r'("[^"\n]*"|\$\([\w-]+\)|[\w./-]+)'
# PYTHON PACKAGE VERSION REVISION, as the first one took them.
_CALL = re.compile(
    rf"(?:\./)?make/build\.sh[ ]+{_VALUE}[ ]+{_VALUE}[ ]+{_VALUE}[ ]+{_VALUE}(?=[ ]*(?:$|[;&|)]))", re.MULTILINE
)
_PLACES = ("local.mk", ".github/workflows/*.yml", ".github/workflows/*.yaml", "scripts/*.sh", "*.sh")


def run(service: Path, answers: dict[str, Any]) -> list[str]:
    """Rewrite the calls in files of the service's own."""
    if answers.get("language") != "python" or not (service / NEW).is_file():
        return []
    lines = []
    for file in sorted({path for pattern in _PLACES for path in service.glob(pattern) if path.is_file()}):
        name = file.relative_to(service).as_posix()
        try:
            changed = rewrite(file, lambda text: _CALL.sub(_new_call, text))
            left = OLD in file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if changed:
            lines.append(f"done      {name}: calls {NEW} now")
        if left:
            lines.append(
                f"skip      {name}: names {OLD}, which is {NEW} now, in a way that is not known; change it there"
            )
    return lines


def _new_call(found: re.Match[str]) -> str:
    python, package, version, revision = found.groups()
    return f"VERSION={version} REVISION={revision} {python} {NEW} {package}"
