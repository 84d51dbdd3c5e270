"""What goes wrong most often, each said in one line at the end, with what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs.built import Image
from tests.labs.images import Lab
from tests.labs.service import make

pytestmark = pytest.mark.images

Build = Callable[..., subprocess.CompletedProcess[str]]
LOCK = {
    "go": "go.sum",
    "java": ".mvn/checksums/checksums.sha256",
    "node": "pnpm-lock.yaml",
    "python": "requirements.txt",
}


def _replace(path: Path, pattern: str, replacement: str) -> None:
    text = path.read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {path.name}"
    path.write_text(changed)


@pytest.fixture
def folder(image: Image, tmp_path: Path) -> Path:
    """A copy of the service to break."""
    target = tmp_path / image.folder.name
    ignored = shutil.ignore_patterns(".tools", "node_modules", "target", ".venv", "bin", "dist")
    shutil.copytree(image.folder, target, ignore=ignored)
    return target


@pytest.fixture
def make_image(image: Image, image_lab: Lab, folder: Path) -> Build:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return make(folder, image.language, "image", *arguments, env=image_lab.environment(folder, image.language))

    return run


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if not line.startswith("make: ")]
    return lines[-1]


def test_missing_lock(image: Image, folder: Path, make_image: Build) -> None:
    lock = LOCK[image.language]
    (folder / lock).unlink()
    done = make_image()
    assert last_line(done) == f"  FAIL  image: {lock} is missing: run 'make lock' and commit it"
    assert len(done.stdout.splitlines()) == 2, "nothing was built"


# How the manifest and the lock come apart, and what is said then.
APART = {
    "go": ("go.sum", r"^github\.com/google/uuid .*\n", "", "go.sum does not match go.mod"),
    "java": (
        ".mvn/checksums/checksums.sha256",
        r"^.*spring-core-[\d.]+\.jar\n",
        "",
        "has no checksum in .mvn/checksums",
    ),
    "node": (
        "package.json",
        r'"fastify": "[\d.]+"',
        '"fastify": "5.0.0"',
        "pnpm-lock.yaml does not match package.json",
    ),
    "python": (
        "pyproject.toml",
        r'^(  "fastapi)[^"]*"',
        r'\1==0.100.0"',
        "requirements.txt does not match the dependencies in pyproject.toml",
    ),
}


def test_lock_that_does_not_match(image: Image, folder: Path, make_image: Build) -> None:
    file, pattern, replacement, reason = APART[image.language]
    _replace(folder / file, pattern, replacement)
    line = last_line(make_image())
    assert reason in line
    assert line.endswith(": run 'make lock' and commit it")


# A hash of the lock that the package does not have.
TAMPERED = {
    "go": (r"^(github\.com/google/uuid \S+ h1:)....", r"\1AAAA"),
    "java": (r"^....(.*spring-core-[\d.]+\.jar)$", r"0000\1"),
    "node": (r"(fastify@5[^{]*\{integrity: sha512-)....", r"\1AAAA"),
    "python": (r"(^fastapi==(?:.*\n)+?.*--hash=sha256:)....", r"\g<1>0000"),
}


def test_package_that_is_not_the_locked_one(image: Image, folder: Path, make_image: Build) -> None:
    pattern, replacement = TAMPERED[image.language]
    if image.language == "python":
        # Every file of that package.
        path = folder / "requirements.txt"
        block = re.search(r"^fastapi==(?:.*\\\n)+.*\n", path.read_text(), re.MULTILINE)
        assert block
        path.write_text(path.read_text().replace(block[0], re.sub(r"sha256:....", "sha256:0000", block[0])))
    else:
        _replace(folder / LOCK[image.language], pattern, replacement)
    assert "a package is not the one that the lock names" in last_line(make_image())


def test_registry_that_cannot_be_reached(make_image: Build) -> None:
    line = last_line(make_image("PUSH=true", "IMAGE=127.0.0.1:1/acme/orders"))
    assert line == "  FAIL  image: 127.0.0.1:1 cannot be reached: check the network, the registry and the proxy"


def test_without_docker(image: Image, folder: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("bash", "sh", "make", "git", "cat", "find"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["make", "image"], cwd=folder, env={"PATH": str(tools)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    assert last_line(done) == "  FAIL  image: docker is missing: install Docker with its buildx plugin"
    assert image.folder.exists()


def test_image_check(image: Image, image_lab: Lab, folder: Path) -> None:
    """BuildKit's own checks pass on the Dockerfile, and fail on a bad one for the reason."""
    env = image_lab.environment(folder, image.language)
    done = make(folder, image.language, "image-check", env=env)
    assert done.returncode == 0, done.stdout
    with (folder / "Dockerfile").open("a") as file:
        file.write("CMD /bin/run it\n")
    done = make(folder, image.language, "image-check", env=env)
    assert done.returncode != 0
    assert "JSONArgsRecommended" in done.stdout
