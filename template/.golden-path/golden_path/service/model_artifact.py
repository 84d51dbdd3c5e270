"""A model in a registry: an OCI artifact as ModelPack describes it (github.com/modelpack/model-spec), pushed with oras.

In the shape of a volume it is an image of one layer and of that artifact type, which a node can mount. The same commit,
model and version have the same digest. ORAS_FLAGS adds flags to oras, for a registry without TLS.
"""

import datetime
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
from typing import Any

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
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar"
TITLE = "org.opencontainers.image.title"


def oras(verb: str, *arguments: str, folder: Path | None = None) -> str:
    """What oras says; raises RefusedError."""
    if shutil.which("oras") is None:
        raise RefusedError("oras is missing: install oras 1.3 (oras.land)")
    flags = shlex.split(os.environ.get("ORAS_FLAGS", ""))
    try:
        done = subprocess.run(
            ["oras", verb, *flags, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=900
        )
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


def layers_of(files: dict[str, bytes], shape: str) -> tuple[dict[str, bytes], dict[str, str], str]:
    """The layers of an artifact by name, their media types, and that of its configuration."""
    if shape == "volume":
        return {"model.tar": archive(files)}, {"model.tar": IMAGE_LAYER}, IMAGE_CONFIG
    return files, LAYERS, CONFIG


def config_of(layers: dict[str, bytes], labels: dict[str, str], shape: str) -> dict[str, Any]:
    """The configuration of the artifact."""
    digests = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in layers.values()]
    about = {key.rpartition(".")[2]: value for key, value in labels.items()}
    if shape == "volume":
        # Any node may mount it; an image has to name a platform.
        rootfs = {"type": "layers", "diff_ids": digests}
        return {
            "created": about["created"],
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels},
            "rootfs": rootfs,
        }
    descriptor = {
        "createdAt": about["created"],
        "name": about["title"],
        "version": about["version"],
        "sourceURL": about["source"],
        "revision": about["revision"],
    }
    return {"descriptor": descriptor, "config": {"format": "onnx"}, "modelfs": {"type": "layers", "diffIds": digests}}


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
    layers, types, config_type = layers_of(files, shape)
    with tempfile.TemporaryDirectory() as folder:
        for file, content in layers.items():
            Path(folder, file).write_bytes(content)
        config = config_of(layers, labels, shape)
        Path(folder, "config.json").write_text(json.dumps(config, separators=(",", ":")), encoding="utf-8")
        told = [part for key, value in labels.items() for part in ("--annotation", f"{key}={value}")]
        contents = [f"{file}:{types[file]}" for file in layers]
        what = ["--artifact-type", TYPE, "--config", f"config.json:{config_type}", *told]
        said = oras("push", "--no-tty", "--format", "json", *what, name, *contents, folder=Path(folder))
    reference = f"{name}@{json.loads(said)['digest']}"
    named(reference, tag(version))
    return reference


def named(reference: str, called: str) -> None:
    """Give an artifact its tag; raises RefusedError if that is another's, for a version is one model."""
    name, _, digest = reference.partition("@")
    if called in oras("repo", "tags", name).splitlines() and (other := oras("resolve", f"{name}:{called}")) != digest:
        raise RefusedError(f"{name}:{called} is another model already ({other}): give this one a version of its own")
    oras("tag", "--no-tty", reference, called)


@contextmanager
def pulled(reference: str) -> Iterator[tuple[Layout, dict[str, Any]]]:
    """The artifact in an OCI layout, and its manifest, which has the digest."""
    with tempfile.TemporaryDirectory() as folder:
        oras("cp", "--no-tty", "--to-oci-layout", reference, f"{folder}:model")
        layout = Layout(Path(folder))
        manifest = layout.json({"digest": reference.partition("@")[2]})
        if manifest.get("artifactType") != TYPE:
            raise RefusedError(f"{reference} is no model: its artifact type is not {TYPE}")
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
