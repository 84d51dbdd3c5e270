"""The model as an artifact in the registry, beside the image: push it, pull it, sign it, verify it.

usage: model push NAME VERSION --repository OWNER/NAME [--as volume]   build/model, which `make model-pack` has left
       model pull REFERENCE FOLDER                      model.onnx and model.json, each byte checked against its digest
       model sign REFERENCE --repository OWNER/NAME     signature and provenance
       model verify REFERENCE --repository OWNER/NAME   all that must hold before it is trusted

push prints model=NAME@sha256:..., digest= and version= for $GITHUB_OUTPUT, and leaves the first in build/model-ref.
"""

import argparse
import re
import sys
from pathlib import Path

from golden_path.service.errors import RefusedError
from golden_path.service.model_artifact import pull, push
from golden_path.service.model_signature import sign, verify

LEFT = Path("build/model-ref")
REFERENCE = r"\S+@sha256:[0-9a-f]{64}"


def main(verb: str, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("more", nargs="?", default="")
    parser.add_argument("--repository", default="")
    parser.add_argument("--as", dest="shape", choices=["init", "volume"], default="init")
    given = parser.parse_args(arguments)
    try:
        if verb != "push" and not re.fullmatch(REFERENCE, given.name):
            raise RefusedError("name a model by its digest, MODEL_REF=name@sha256:...; a tag can be moved")
        if verb == "push":
            LEFT.unlink(missing_ok=True)
            reference = push(given.name, given.more, given.repository, given.shape)
            LEFT.write_text(f"{reference}\n", encoding="utf-8")
            sys.stdout.write(f"model={reference}\ndigest={reference.partition('@')[2]}\nversion={given.more}\n")
            return 0
        if verb == "pull":
            result = pull(given.name, Path(given.more))
        else:
            result = {"sign": sign, "verify": verify}[verb](given.name, given.repository)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  model-{verb}: {reason}\n")
        return 1
    sys.stdout.write(f"  ok    {result}\n")
    return 0
