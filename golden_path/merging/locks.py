"""Lock files: made by a tool from a manifest. Lines of two of them are no lock, so they are made anew, never merged."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMES = frozenset(
    "Cargo.lock Gemfile.lock Pipfile.lock bun.lock bun.lockb composer.lock deno.lock flake.lock go.sum go.work.sum "
    "gradle.lockfile mix.lock npm-shrinkwrap.json package-lock.json packages.lock.json pdm.lock pnpm-lock.yaml "
    "poetry.lock pylock.toml uv.lock yarn.lock .terraform.lock.hcl".split()
)
_TEXT = re.compile(r"[\w.-]+\.txt")
_HASHED = re.compile(rb"^\S+==\S+.*(\\\n\s*)?--hash=", re.MULTILINE)


def is_lock(path: str, content: Callable[[], bytes]) -> bool:
    """Whether a file is a lock, by its name, or, of a ``.txt`` of Python's, by the hashes in it.

    Args:
        path: of the file.
        content: reads it; asked only where the name does not tell.
    """
    name = path.rsplit("/", 1)[-1]
    return name in _NAMES or (bool(_TEXT.fullmatch(name)) and bool(_HASHED.search(content())))
