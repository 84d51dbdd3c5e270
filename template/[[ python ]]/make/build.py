"""Fix version and revision into the package and compile it: what runs is the source tree itself.

usage: VERSION=... REVISION=... build.py PACKAGE
"""

import compileall
import json
import os
import py_compile
import sys
from pathlib import Path


def main(package: Path) -> int:
    info = package / "platform" / "build_info.json"
    fixed = json.dumps({"version": os.environ["VERSION"], "revision": os.environ["REVISION"]}) + "\n"
    if not info.exists() or info.read_text(encoding="utf-8") != fixed:
        info.write_text(fixed, encoding="utf-8")
    # checked-hash: the compiled files hold no timestamps.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    return 0 if compileall.compile_dir(package, quiet=1, invalidation_mode=mode) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
