"""Join the images of the platforms, whose references are in build/platforms/*/image-ref, into one index.

Its reference goes into build/image-ref, and to standard output for $GITHUB_OUTPUT: image=NAME@DIGEST and digest=DIGEST.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from golden_path.service.version import local_image


def main() -> int:
    references = sorted(path.read_text().strip() for path in Path("build/platforms").glob("*/image-ref"))
    if not references:
        sys.stderr.write("  FAIL  image-index: no build/platforms/*/image-ref: run 'make image PUSH=digest' first\n")
        return 1
    metadata = Path("build/index.json")
    tag = local_image()
    create = ["docker", "buildx", "imagetools", "create", f"--metadata-file={metadata}", "--tag", tag, *references]
    done = subprocess.run(create, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(f"{done.stderr}  FAIL  image-index: {tag}: see the output above\n")
        return 1
    digest = json.loads(metadata.read_text())["containerimage.descriptor"]["digest"]
    Path("build/image-ref").write_text(f"{os.environ['IMAGE']}@{digest}\n")
    sys.stdout.write(f"image={os.environ['IMAGE']}@{digest}\ndigest={digest}\n")
    return 0
