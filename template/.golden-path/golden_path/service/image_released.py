"""Find the newest commit of this branch whose image is in the registry: image=NAME@DIGEST, or image= if there is none.

The tag of an image is what `git describe` said when it was released, as version.py spells it.
"""

import os
import subprocess
import sys

from golden_path.service.version import describe, tag

# Commits whose release failed, or which are being released at this moment.
LOOK_BACK = 20


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main() -> int:
    name = os.environ["IMAGE"]
    for commit in run("git", "rev-list", "--first-parent", f"--max-count={LOOK_BACK}", "HEAD").split():
        version = run("git", *describe(), commit)
        show = (
            "docker",
            "buildx",
            "imagetools",
            "inspect",
            f"{name}:{tag(version)}",
            "--format",
            "{{.Manifest.Digest}}",
        )
        if digest := run(*show):
            sys.stdout.write(f"image={name}@{digest}\n")
            return 0
    sys.stderr.write(f"none of the last {LOOK_BACK} commits has an image in {name}\n")
    sys.stdout.write("image=\n")
    return 0
