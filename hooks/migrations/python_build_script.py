"""0.1.0: the build script of Python services, ``make/build.sh``, became ``build.py``.

It takes version and revision from the environment now. What of the service's own calls the old one gets the new call.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from golden_path.untrusted import inside
from hooks.migrations.editing import names, read, refused, rewrite

OLD, NEW = "make/build.sh", ".golden-path/build.py"  # where it is since 0.2.0
_VALUE = r'("[^"\n]*"|\$\([\w-]+\)|[\w./-]+)'
# PYTHON PACKAGE VERSION REVISION, as the first one took them.
_CALL = re.compile(
    rf"(?:\./)?make/build\.sh[ ]+{_VALUE}[ ]+{_VALUE}[ ]+{_VALUE}[ ]+{_VALUE}(?=[ ]*(?:$|[;&|)]))", re.MULTILINE
)
_PLACES = ("local.mk", ".github/workflows/*.yml", ".github/workflows/*.yaml", "scripts/*.sh", "*.sh")


def run(service: Path, answers: dict[str, Any]) -> list[str]:
    """Rewrite the calls in files of the service's own."""
    if answers.get("language") != "python" or not inside.is_file(service, NEW):
        return []
    lines = []
    for name in names(service, *_PLACES):
        try:
            changed = rewrite(service, name, lambda text: _CALL.sub(_new_call, text))
            left = OLD in read(service, name)
        except UnicodeDecodeError:
            continue
        except OSError as error:
            if _names_it(service, name):
                lines.append(refused(name, error, f"it names {OLD}, which is {NEW} now: change it there"))
            continue
        if changed:
            lines.append(f"done      {name}: calls {NEW} now")
        if left:
            lines.append(
                f"skip      {name}: names {OLD}, which is {NEW} now, in a way that is not known; change it there"
            )
    return lines


def _names_it(service: Path, name: str) -> bool:
    """Whether a file that is reached by links within the service names the old script."""
    try:
        return OLD.encode() in inside.linked(service, name)
    except OSError:
        return False


def _new_call(found: re.Match[str]) -> str:
    python, package, version, revision = found.groups()
    return f"VERSION={version} REVISION={revision} {python} {NEW} {package}"
