"""Fix version and revision into the package and compile it: what runs is the source tree itself.

usage: VERSION=... REVISION=... build.py ROOT PACKAGE, the root of the layer and the package's folder in it
"""

import compileall
import json
import os
import py_compile
import sys
from pathlib import Path


def main(root: Path, package: str) -> int:
    info = root / package / "platform" / "build_info.json"
    fixed = json.dumps({"version": os.environ["VERSION"], "revision": os.environ["REVISION"]}) + "\n"
    if not info.exists() or info.read_text(encoding="utf-8") != fixed:
        info.write_text(fixed, encoding="utf-8")
    # checked-hash: the compiled files hold no timestamps. They name the sources as they are found where they run.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    if not compileall.compile_dir(root / package, quiet=1, invalidation_mode=mode, stripdir=root, prependdir="/"):
        return 1
    for path in (*root.rglob("*"), root):
        os.utime(path, (0, 0), follow_symlinks=False)  # one commit makes one image
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
