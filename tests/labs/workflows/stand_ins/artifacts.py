"""``actions/upload-artifact`` and ``download-artifact``: files carried from job to job in a folder of the lab."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.labs.workflows.stand_ins import record
from tests.labs.workflows.stand_ins.failure import StepError


def _store() -> Path:
    return Path(record.settings()["artifacts"])


def _workspace() -> Path:
    return Path(os.environ["GITHUB_WORKSPACE"])


def _absolute(pattern: str) -> str:
    return os.path.normpath(_workspace() / Path(pattern).expanduser())


def _root(pattern: str) -> Path:
    """Return the folder that a search starts from: what stands before the first wildcard."""
    parts = Path(pattern).parts
    fixed = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    path = Path(*parts[:fixed])
    return path if path.is_dir() else path.parent


def _search(text: str, hidden: bool) -> tuple[Path, list[Path]]:
    """Find the files of an upload and the folder that their names in the artifact are relative to."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wanted = [_absolute(line) for line in lines if not line.startswith("!")]
    unwanted = [_absolute(line[1:].strip()) for line in lines if line.startswith("!")]
    found: set[Path] = set()
    for pattern in wanted:
        # Path.glob finds hidden files, and takes no absolute pattern.
        for path in map(Path, glob.glob(pattern, recursive=True, include_hidden=hidden)):  # noqa: PTH207
            found.update(inner for inner in (path.rglob("*") if path.is_dir() else [path]) if inner.is_file())
    base = Path(os.path.commonpath([_root(pattern) for pattern in wanted])) if wanted else _workspace()

    def kept(path: Path) -> bool:
        shown = hidden or not any(part.startswith(".") for part in path.relative_to(base).parts)
        return shown and not any(fnmatch.fnmatch(str(path), pattern) for pattern in unwanted)

    return base, sorted(path for path in found if kept(path))


def upload(inputs: Mapping[str, str]) -> dict[str, str]:
    """Keep files as an artifact.

    Args:
        inputs: those of the action.

    Returns:
        Its outputs.

    Raises:
        StepError: no file was found and that is an error, or there is an artifact of that name.
    """
    name = inputs.get("name", "artifact")
    base, files = _search(inputs["path"], inputs.get("include-hidden-files") == "true")
    if not files:
        text = f"no files were found with the path {' '.join(inputs['path'].split())}"
        if inputs.get("if-no-files-found") == "error":
            raise StepError(text)
        sys.stdout.write(f"::warning::{text}\n")
        return {}
    target = _store() / name
    with record.locked(record.folder()):
        if target.exists() and inputs.get("overwrite") != "true":
            raise StepError(f"an artifact with the name {name} already exists")
        shutil.rmtree(target, ignore_errors=True)
        whole = hashlib.sha256()
        for file in files:
            place = target / file.relative_to(base)
            place.parent.mkdir(parents=True, exist_ok=True)
            content = file.read_bytes()
            # Not copied with its mode: an artifact loses the permission to execute.
            place.write_bytes(content)
            whole.update(str(file.relative_to(base)).encode() + content)
    number = str(len(list(_store().iterdir())))
    run = f"{os.environ['GITHUB_REPOSITORY']}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    return {
        "artifact-id": number,
        "artifact-url": f"https://github.com/{run}/artifacts/{number}",
        "artifact-digest": whole.hexdigest(),
    }


def download(inputs: Mapping[str, str]) -> dict[str, str]:
    """Bring files of artifacts into the workspace.

    Args:
        inputs: those of the action.

    Returns:
        Its outputs.

    Raises:
        StepError: there is no artifact of that name.
    """
    target = Path(_absolute(inputs.get("path", ".")))
    names = sorted(path.name for path in _store().iterdir())
    name = inputs.get("name", "")
    if name and name not in names:
        raise StepError(f"artifact not found: {name}; there are: {', '.join(names) or 'none'}")
    chosen = [name] if name else fnmatch.filter(names, inputs.get("pattern", "*"))
    flat = bool(name) or inputs.get("merge-multiple") == "true"
    for one in chosen:
        shutil.copytree(_store() / one, target if flat else target / one, dirs_exist_ok=True)
    return {"download-path": str(target)}
