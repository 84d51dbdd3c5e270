"""Check this repository against the policy: `python .golden-path policy [--list] [FOLDER]`."""

import sys
from pathlib import Path

from golden_path.policy import image, repository, workflows  # noqa: F401 - they register their rules
from golden_path.policy.rules import RULES, findings


def main(*arguments: str) -> int:
    if "--list" in arguments:
        for identifier, check in sorted(RULES.items()):
            sys.stdout.write(f"{identifier}  {(check.__doc__ or '').splitlines()[0]}\n")
        return 0
    found = findings(Path(arguments[0] if arguments else ".").resolve())
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    return 1 if found else 0
