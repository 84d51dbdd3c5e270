"""Check this repository against the policy: `python make/policy [--list] [FOLDER]`."""

import sys
from pathlib import Path

import image  # noqa: F401 - registers its rules
import repository  # noqa: F401
import workflows  # noqa: F401
from rules import RULES, findings


def main(arguments: list[str]) -> int:
    if "--list" in arguments:
        for identifier, check in sorted(RULES.items()):
            sys.stdout.write(f"{identifier}  {(check.__doc__ or '').splitlines()[0]}\n")
        return 0
    found = findings(Path(arguments[0] if arguments else ".").resolve())
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
