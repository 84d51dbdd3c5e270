"""Fetch the model that MODEL_REF names into a folder, for a pod before its service starts.

usage: fetch.py [FOLDER], by default /model

The manifest must have the digest, and each layer the one that the manifest gives it, whatever the registry says: so it
is the model that was verified and reviewed. Who signed it was asked then (`make model-verify`, the cluster's policy).

MODEL_LIMIT_MIB is the most that it may have, DOCKER_CONFIG a folder with the config.json of somebody who may pull.
While no model is released, which 64 zeros stand for, the one in the image is taken.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from ..model.card import CARD, MODEL
from .registry import Reference, Registry, RegistryError, credentials_of, reference_of

NOTHING = f"sha256:{'0' * 64}"
# The card comes last, so that it is never there without its model.
FILES = (MODEL, CARD)
_TARGET = Path("/model")
_TITLE = "org.opencontainers.image.title"
_MIB = 2**20
_MANIFEST = 4 * _MIB
_SECONDS = 300.0


class Layer(BaseModel):
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    annotations: dict[str, str] = {}


class Manifest(BaseModel):
    """A manifest of ModelPack, as far as this reads it."""

    type: Annotated[Literal["application/vnd.cncf.model.manifest.v1+json"], Field(alias="artifactType")]
    layers: list[Layer]


def fetch(reference: Reference, folder: Path, limit: int, credentials: str, seconds: float = _SECONDS) -> int:
    """Write the files of a model into a folder.

    Args:
        reference: the model.
        folder: gets `model.onnx` and `model.json`.
        limit: the most bytes that they may have together.
        credentials: of whoever pulls, or nothing.
        seconds: in which all must be there.

    Returns:
        How many bytes it has.

    Raises:
        RegistryError: it cannot be fetched, or is another one.
    """
    registry = Registry(reference, credentials, seconds)
    try:
        manifest = Manifest.model_validate(registry.manifest(_MANIFEST))
    except ValidationError:
        raise RegistryError("the manifest is not that of a model (ModelPack)") from None
    named = [(layer.annotations.get(_TITLE, ""), layer) for layer in manifest.layers]
    layers = {name: layer for name, layer in named if name in FILES}
    if sorted(name for name, _ in named if name in FILES) != sorted(FILES):
        raise RegistryError(f"the manifest must have one {MODEL} and one {CARD}")
    size = sum(layer.size for layer in layers.values())
    if size > limit:
        raise RegistryError(f"it has {size} bytes, and MODEL_LIMIT_MIB allows {limit}")
    for name in FILES:
        registry.blob(layers[name].digest, layers[name].size, folder / name)
    return size


def run(environ: Mapping[str, str], folder: Path) -> str:
    """Put the model into a folder, and return what to say; raises RegistryError."""
    reference = reference_of(environ.get("MODEL_REF", ""))
    if reference.digest == NOTHING:
        for name in FILES:
            shutil.copyfile(Path(environ.get("MODEL_PATH") or "model", name), folder / name)
        return "none is released yet: the one in the image is served"
    limit = environ.get("MODEL_LIMIT_MIB") or "256"
    if not re.fullmatch("[1-9][0-9]{0,5}", limit):
        raise RegistryError("MODEL_LIMIT_MIB must be a number of MiB from 1 to 999999")
    config = environ.get("DOCKER_CONFIG")
    credentials = credentials_of(Path(config), reference) if config else ""
    size = fetch(reference, folder, int(limit) * _MIB, credentials)
    return f"{reference.digest}, {size} bytes"


def main() -> int:
    """Do it; one line says what was done, or why not and exit code 1."""
    given = os.environ.get("MODEL_REF") or "MODEL_REF"
    try:
        said = run(os.environ, Path(sys.argv[1]) if len(sys.argv) > 1 else _TARGET)
    except (RegistryError, OSError) as error:
        sys.stderr.write(f"model: {given}: {error}\n")
        return 1
    sys.stdout.write(f"model: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
