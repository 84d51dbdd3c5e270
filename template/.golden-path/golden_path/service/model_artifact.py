"""A model in a registry: an OCI artifact as ModelPack describes it (github.com/modelpack/model-spec), pushed with oras.

In the shape of a volume it is an image of one layer and of that artifact type, which a node can mount. The same commit,
model and version have the same digest. ORAS_FLAGS adds flags to oras, for a registry without TLS.
"""

import datetime
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from golden_path.service.errors import RefusedError
from golden_path.service.signature import Layout
from golden_path.service.version import tag

PACKED = Path("build/model")
WEIGHTS, CARD = "model.onnx", "model.json"

TYPE = "application/vnd.cncf.model.manifest.v1+json"
CONFIG = "application/vnd.cncf.model.config.v1+json"
LAYERS = {
    WEIGHTS: "application/vnd.cncf.model.weight.v1.raw",
    CARD: "application/vnd.cncf.model.weight.config.v1.raw",
}
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TITLE = "org.opencontainers.image.title"


def oras(verb: str, *arguments: str, folder: Path | None = None) -> str:
    """What oras says; raises RefusedError."""
    if shutil.which("oras") is None:
        raise RefusedError("oras is missing: install oras 1.3 (oras.land)")
    command = ["oras", *verb.split(), *shlex.split(os.environ.get("ORAS_FLAGS", "")), *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    except subprocess.TimeoutExpired:
        raise RefusedError(f"oras {verb}: no end within 15 minutes") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RefusedError(f"oras {verb}: {re.sub('^Error: ', '', lines[0] if lines else 'failed')}")
    return done.stdout.strip()


def card_of(content: bytes) -> dict[str, Any]:
    """The card of a model, as far as this reads it; raises RefusedError."""
    try:
        card: dict[str, Any] = json.loads(content)
        fields = {
            "sha256": card["sha256"],
            **{f"{one}_sha256": card["inputs"][f"{one}_sha256"] for one in ("data", "lock")},
        }
        commit = card["revision"]
    except (ValueError, KeyError, TypeError):
        raise RefusedError(f"{CARD} is no card of a model: run make model-pack") from None
    if bad := [name for name, value in fields.items() if not re.fullmatch("[0-9a-f]{64}", str(value))]:
        raise RefusedError(f"{CARD}: {bad[0]} must be 64 hex digits")
    if not re.fullmatch("[0-9a-f]{40}([0-9a-f]{24})?", str(commit)):
        raise RefusedError(f"{CARD}: revision must be the commit that the model was trained at, not {commit!r}")
    return card


def checked(files: dict[str, bytes]) -> dict[str, Any]:
    """The card, if the model is the one that it describes; raises RefusedError."""
    card = card_of(files[CARD])
    if hashlib.sha256(files[WEIGHTS]).hexdigest() != card["sha256"]:
        raise RefusedError(f"{WEIGHTS} is not the one that {CARD} describes")
    return card


def packed() -> dict[str, bytes]:
    """What `make model-pack` has left."""
    try:
        return {name: (PACKED / name).read_bytes() for name in LAYERS}
    except OSError:
        raise RefusedError(f"{PACKED} has no {WEIGHTS} and {CARD}: run make model-pack first") from None


def archive(files: dict[str, bytes]) -> bytes:
    """A tar of files, the same for the same files."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o444
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


class Shape(NamedTuple):
    """What an artifact is made of.

    Attributes:
        layers: their content and media types, by file name.
        type: of the configuration.
        config: the configuration.
    """

    layers: dict[str, tuple[bytes, str]]
    type: str
    config: dict[str, Any]


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def model_of(files: dict[str, bytes], labels: dict[str, str]) -> Shape:
    """An artifact of ModelPack."""
    about = {key.rpartition(".")[2]: value for key, value in labels.items()}
    descriptor = {
        "createdAt": about["created"],
        "name": about["title"],
        "version": about["version"],
        "sourceURL": about["source"],
        "revision": about["revision"],
    }
    layers = {"type": "layers", "diffIds": [_digest(content) for content in files.values()]}
    config = {"descriptor": descriptor, "config": {"format": "onnx"}, "modelfs": layers}
    return Shape({name: (content, LAYERS[name]) for name, content in files.items()}, CONFIG, config)


def image_of(files: dict[str, bytes], labels: dict[str, str]) -> Shape:
    """An image of one layer."""
    whole = archive(files)
    # An image has to name a platform; any node may mount it. Not compressed: each version of zlib does that otherwise.
    config = {
        "created": labels["org.opencontainers.image.created"],
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [_digest(whole)]},
    }
    return Shape({"model.tar.gz": (gzip.compress(whole, 0, mtime=0), IMAGE_LAYER)}, IMAGE_CONFIG, config)


SHAPES = {"init": model_of, "volume": image_of}


def push(name: str, version: str, repository: str, shape: str) -> str:
    """Push build/model; returns its reference."""
    if not re.fullmatch(r"\S{1,250}", version) or not version.isprintable():
        raise RefusedError(f"MODEL_VERSION must be one word, for example model-v1.0.0, not {version!r}")
    files = packed()
    card = checked(files)
    seconds = int(os.environ.get("COMMIT_TIME") or 0)
    created = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"title": name.rpartition("/")[2], "version": version, "revision": card["revision"], "created": created}
    labels = {f"org.opencontainers.image.{key}": value for key, value in about.items()}
    labels["org.opencontainers.image.source"] = f"https://github.com/{repository}"
    made = SHAPES[shape](files, labels)
    with tempfile.TemporaryDirectory() as folder:
        for file, (content, _) in made.layers.items():
            Path(folder, file).write_bytes(content)
        config = json.dumps(made.config, separators=(",", ":"))
        Path(folder, "config.json").write_text(config, encoding="utf-8")
        told = [part for key, value in labels.items() for part in ("--annotation", f"{key}={value}")]
        contents = [f"{file}:{kind}" for file, (_, kind) in made.layers.items()]
        what = ["--artifact-type", TYPE, "--config", f"config.json:{made.type}", *told]
        said = oras("push", "--no-tty", "--format", "json", *what, name, *contents, folder=Path(folder))
    reference = f"{name}@{json.loads(said)['digest']}"
    named(reference, tag(version))
    return reference


def named(reference: str, called: str) -> None:
    """Give an artifact its tag; raises RefusedError if that is another's, for a version is one model."""
    name, _, digest = reference.partition("@")
    try:
        other = oras("resolve", f"{name}:{called}")
    except RefusedError as reason:
        if not str(reason).endswith("not found"):
            raise
        other = digest
    if other != digest:
        raise RefusedError(f"{name}:{called} is another model already ({other}): give this one a version of its own")
    oras("tag", reference, called)


@contextmanager
def pulled(reference: str) -> Iterator[tuple[Layout, dict[str, Any]]]:
    """The artifact in an OCI layout, and its manifest, which has the digest."""
    name, _, digest = reference.partition("@")
    with tempfile.TemporaryDirectory() as folder:
        blobs = Path(folder, "blobs", "sha256")
        blobs.mkdir(parents=True)
        layout = Layout(Path(folder))
        oras("manifest fetch", "--output", str(blobs / digest.partition(":")[2]), reference)
        manifest = layout.json({"digest": digest})
        if manifest.get("artifactType") != TYPE:
            raise RefusedError(f"{reference} is no model: its artifact type is not {TYPE}")
        for part in (manifest["config"], *manifest["layers"]):
            if not re.fullmatch("sha256:[0-9a-f]{64}", str(part["digest"])):
                raise RefusedError(f"{reference} has a layer with a digest that is none: {part['digest']!r}")
            file = blobs / part["digest"].partition(":")[2]
            oras("blob fetch", "--no-tty", "--output", str(file), f"{name}@{part['digest']}")
        yield layout, manifest


def files_of(layout: Layout, manifest: dict[str, Any]) -> dict[str, bytes]:
    """The files of an artifact, each as its digest says."""
    layout.read(manifest["config"])
    found: dict[str, bytes] = {}
    for layer in manifest["layers"]:
        content = layout.read(layer)
        if layer["mediaType"] == IMAGE_LAYER:
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                members = [(one.name, tar.extractfile(one)) for one in tar.getmembers() if one.isreg()]
                found |= {name: file.read() for name, file in members if file and name in LAYERS}
        elif layer.get("annotations", {}).get(TITLE) in LAYERS:
            found[layer["annotations"][TITLE]] = content
    if missing := [name for name in LAYERS if name not in found]:
        raise RefusedError(f"it holds no {missing[0]}")
    return found


def pull(reference: str, folder: Path) -> str:
    """Write the files of a model into a folder."""
    with pulled(reference) as (layout, manifest):
        files = files_of(layout, manifest)
        checked(files)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return f"{reference} is in {folder}"
