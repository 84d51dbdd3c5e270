"""One commit makes one image; and an empty builder with the registry's cache does not make the dependencies again."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.labs.built import Image, clone
from tests.labs.images import Builder, Lab, archive, overrides
from tests.labs.service import make

pytestmark = [pytest.mark.images, pytest.mark.models]

# A source file of each language and a harmless change of it.
CHANGE = {
    "go": ("cmd/service/main.go", "\nfunc init() { println() }\n"),
    "java": ("src/main/java/com/acme/{}/Changed.java", "package com.acme.{};\n\nfinal class Changed {{}}\n"),
    "node": ("src/changed.ts", "export const changed = 1;\n"),
    "python": ("src/{}/changed.py", "CHANGED = 1\n"),
    "model": ("src/{}/predictions/changed.py", "CHANGED = 1\n"),
}
# What may run again when only sources change: RUN steps by a part of their text.
MAY_RUN = {
    "go": ("go list", "go build -ldflags"),
    "java": ("launcher.Launcher",),
    "node": ("typescript/bin/tsc", "build-info.mjs"),
    "python": ("/build.py",),
    "model": ("/build.py", "/stamp.py"),
}

# As docker-bake.hcl says it, and that every layer is compressed anew.
RELEASED = "type=registry,oci-mediatypes=true,compression=zstd,force-compression=true"


def change(folder: Path, language: str) -> None:
    path, text = CHANGE[language]
    module = folder.name.replace("-", "_" if language in {"python", "model"} else "")
    target = folder / path.format(module)
    before = target.read_text() if target.exists() else ""
    target.write_text(before + text.format(module) if "{" in path else before + text)


def push(folder: Path, language: str, env: Mapping[str, str], name: str, **variables: str) -> tuple[str, str]:
    """Push the image, without attestations, which hold times; return its digest and BuildKit's log."""
    done = make(folder, language, "image", "PUSH=true", f"IMAGE={name}", env={**env, **variables})
    assert done.returncode == 0, done.stdout[-5000:]
    return (folder / "build/image-ref").read_text().strip().partition("@")[2], (folder / "build/image.log").read_text()


def crane(env: Mapping[str, str], what: str, reference: str) -> dict[str, Any]:
    done = subprocess.run(["crane", what, reference], env=dict(env), capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def ran(log: str) -> list[str]:
    """Return the RUN steps that were not taken from the cache, where they are CACHED, or loaded layer by layer."""
    steps = dict(re.findall(r"^#(\d+) \[[^\]]*\d+/\d+\] RUN (.*)$", log, re.MULTILINE))
    return [
        text
        for number, text in steps.items()
        if not re.search(rf"^#{number} (CACHED$|sha256:|extracting sha256:)", log, re.MULTILINE)
    ]


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_one_commit_makes_one_image(image: Image, image_lab: Lab, own_registry: str, tmp_path: Path) -> None:
    """Whoever checks it out, on whatever builder, and with or without the cache.

    One builder is empty. The other is the lab's, which was empty when it made each of its layers by itself, for this
    run's image or an earlier one's: an empty builder of another day.
    """
    language = image.language
    folder = clone(image.folder, tmp_path / "one" / image.folder.name, 0o022)
    other_user = clone(image.folder, tmp_path / "other" / image.folder.name, 0o002)
    assert modes(folder) == {0o644, 0o755}
    assert modes(other_user) == {0o664, 0o775}
    name = f"{own_registry}/{folder.name}-reproduced"
    cache = f"{name}-cache:main"

    def built(where: Path, builder: Builder | None, settings: Mapping[str, object], **more: str) -> tuple[str, str]:
        env = image_lab.environment(where, language, builder)
        return push(where, language, overrides.released(env, where / "build/released.json", settings), name, **more)

    with image_lab.fresh_builder() as builder:
        first, log = built(other_user, builder, overrides.NO_ATTESTATIONS, CACHE_TO=cache)
    dependencies = [text for text in ran(log) if not any(part in text for part in MAY_RUN[language])]
    assert dependencies, "the cold build makes them"

    # It has the layers uncompressed, as the engine got them: compressed anew, with those of the base, which were not.
    again, _ = built(folder, None, overrides.NO_ATTESTATIONS | {"output": [RELEASED]})
    one, other = (crane(image.env, "manifest", f"{name}@{digest}") for digest in (first, again))
    assert one["config"] == other["config"], "what is set, and the layers unpacked"
    compressed = [layer for layer in one["layers"] if layer["mediaType"].endswith("+zstd")]
    assert compressed
    assert [layer for layer in other["layers"] if layer in compressed] == compressed
    loaded = archive.inspect(image.name, image.env)["RootFS"]["Layers"]
    assert crane(image.env, "config", f"{name}@{first}")["rootfs"]["diff_ids"] == loaded

    with image_lab.fresh_builder() as builder:
        cached, log = built(other_user, builder, overrides.NO_ATTESTATIONS, CACHE_FROM=cache)
    assert cached == first
    assert ran(log) == []

    change(other_user, language)
    with image_lab.fresh_builder() as builder:
        # As the next commit would be built: later, and with another version and revision.
        later = {"VERSION": "v1.2.4", "REVISION": "0" * 40, "COMMIT_TIME": "1767312000"}
        changed, log = built(other_user, builder, overrides.NO_ATTESTATIONS, CACHE_FROM=cache, **later)
    assert changed != first
    assert ran(log), "the sources are compiled"
    assert [text for text in ran(log) if not any(part in text for part in MAY_RUN[language])] == []
