"""Fix version and revision into the package and compile it: what runs is the source tree itself.

usage: VERSION=... REVISION=... build.py PACKAGE [IMAGE]

With IMAGE, the folder that becomes the root of an image, all time stamps in it become 0 and all modes what a umask of 022
gives, so one commit makes one image.
"""

import compileall
import json
import os
import py_compile
import sys
from pathlib import Path


def main(package: Path, image: Path | None) -> int:
    info = package / "platform" / "build_info.json"
    fixed = json.dumps({"version": os.environ["VERSION"], "revision": os.environ["REVISION"]}) + "\n"
    if not info.exists() or info.read_text(encoding="utf-8") != fixed:
        info.write_text(fixed, encoding="utf-8")
    # Compiled files name their source as it will be found.
    moved = {"stripdir": str(image), "prependdir": "/"} if image else {}
    # checked-hash: the compiled files hold no timestamps.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    if not compileall.compile_dir(package, quiet=1, invalidation_mode=mode, **moved):
        return 1
    for path in (*image.rglob("*"), image) if image else ():
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (0, 0), follow_symlinks=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
