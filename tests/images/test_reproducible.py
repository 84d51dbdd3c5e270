"""One commit makes one image; and an empty builder with the registry's cache does not make the dependencies again."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import Built, Image
from tests.labs.images import Builder, Lab
from tests.labs.service import make

pytestmark = pytest.mark.images

# A source file of each language and a harmless change of it.
CHANGE = {
    "go": ("cmd/service/main.go", "\nfunc init() { println() }\n"),
    "java": ("src/main/java/com/acme/{}/Changed.java", "package com.acme.{};\n\nfinal class Changed {{}}\n"),
    "node": ("src/changed.ts", "export const changed = 1;\n"),
    "python": ("src/{}/changed.py", "CHANGED = 1\n"),
}
# What may run again when only sources change: RUN steps by a part of their text.
MAY_RUN = {
    "go": ("go list", "go build -ldflags"),
    "java": ("launcher.Launcher",),
    "node": ("typescript/bin/tsc", "build-info.mjs"),
    "python": ("/build.py",),
}


def change(folder: Path, language: str) -> None:
    path, text = CHANGE[language]
    module = folder.name.replace("-", "_" if language == "python" else "")
    target = folder / path.format(module)
    before = target.read_text() if target.exists() else ""
    target.write_text(before + text.format(module) if "{" in path else before + text)


def push(folder: Path, language: str, env: Mapping[str, str], name: str, **variables: str) -> tuple[str, str]:
    """Push the image; return the digest of the platform's manifest (the index also holds times) and BuildKit's log."""
    done = make(folder, language, "image", "PUSH=true", f"IMAGE={name}", env={**env, **variables})
    assert done.returncode == 0, done.stdout[-5000:]
    reference = (folder / "build/image-ref").read_text().strip()
    raw = subprocess.run(["crane", "manifest", reference], env=dict(env), capture_output=True, check=True).stdout
    images = [entry for entry in json.loads(raw)["manifests"] if entry["platform"]["os"] != "unknown"]
    assert len(images) == 1
    return images[0]["digest"], (folder / "build/image.log").read_text()


def layers(folder: Path, image: Image) -> tuple[list[str], list[str]]:
    """Return the digests of the layers, unpacked: of what the folder pushed, and of the image in the engine."""
    reference = (folder / "build/image-ref").read_text().strip()
    commands = (["crane", "config", reference], ["docker", "image", "inspect", image.name])
    outputs = [subprocess.run(one, env=dict(image.env), capture_output=True, check=True).stdout for one in commands]
    pushed, loaded = map(json.loads, outputs)
    return pushed["rootfs"]["diff_ids"], loaded[0]["RootFS"]["Layers"]


def ran(log: str) -> list[str]:
    """Return the RUN steps that were not taken from the cache, where they are CACHED, or loaded layer by layer."""
    steps = dict(re.findall(r"^#(\d+) \[[^\]]*\d+/\d+\] RUN (.*)$", log, re.MULTILINE))
    return [
        text
        for number, text in steps.items()
        if not re.search(rf"^#{number} (CACHED$|sha256:|extracting sha256:)", log, re.MULTILINE)
    ]


def clone(built: Built, target: Path, umask: int) -> Path:
    """Clone the service, so that nothing that was built counts, as a user with this umask does."""
    before = os.umask(umask)
    try:
        lab.git(built.folder.parent, "clone", "--quiet", str(built.folder), str(target))
    finally:
        os.umask(before)
    return target


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_one_commit_makes_one_image(built: Built, image: Image, image_lab: Lab, tmp_path: Path) -> None:
    """Whoever checks it out, and with or without the cache."""
    language = built.language
    folder = clone(built, tmp_path / "one" / built.folder.name, 0o022)
    other_user = clone(built, tmp_path / "other" / built.folder.name, 0o002)
    assert modes(folder) == {0o644, 0o755}
    assert modes(other_user) == {0o664, 0o775}
    name = f"{image_lab.registry}/acme/{folder.name}"
    cache = f"{image_lab.registry}/acme/{folder.name}-cache:main"

    def fresh(where: Path, builder: Builder, **variables: str) -> tuple[str, str]:
        return push(where, language, image_lab.environment(where, language, builder), name, **variables)

    with image_lab.fresh_builder() as builder:
        first, log = fresh(folder, builder, CACHE_TO=cache)
    dependencies = [text for text in ran(log) if not any(part in text for part in MAY_RUN[language])]
    assert dependencies, "the cold build makes them"
    # The builder of the lab remembers other builds; what it loads into the engine is compressed in another way only.
    pushed, loaded = layers(folder, image)
    assert pushed == loaded

    with image_lab.fresh_builder() as builder:
        again, log = fresh(other_user, builder)
    assert again == first
    assert ran(log), "the second builder was empty"

    with image_lab.fresh_builder() as builder:
        cached, log = fresh(folder, builder, CACHE_FROM=cache)
    assert cached == first
    assert ran(log) == []

    changed = tmp_path / "changed" / folder.name
    shutil.copytree(folder, changed)
    change(changed, language)
    with image_lab.fresh_builder() as builder:
        # As the next commit would be built: later, and with another version and revision.
        later = {"VERSION": "v1.2.4", "REVISION": "0" * 40, "COMMIT_TIME": "1767312000"}
        other, log = fresh(changed, builder, CACHE_FROM=cache, **later)
    assert other != first
    assert ran(log), "the sources are compiled"
    assert [text for text in ran(log) if not any(part in text for part in MAY_RUN[language])] == []
