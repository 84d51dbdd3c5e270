"""What the rules look at: the files of a repository, wherever they are kept."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, TypeVar, cast

from golden_path.rules import documents, patterns

LARGEST = 1 << 20  # bytes; larger files are not read
FOREIGN = ("node_modules", "vendor", "testdata", "third_party")
# Folders of what is built and tested with, or shown; nothing in them runs in production.
BESIDE = (
    ".devcontainer", ".gitpod", ".circleci", ".github", ".gitlab", "packaging", "test", "tests", "__tests__", "testing",
    "e2e", "fixtures", "example", "examples", "docs", "doc", "benchmark", "benchmarks",
)  # fmt: skip
_BESIDE = re.compile(r"(?:^|[-_])(?:e2e|tests?)(?:$|[-_])|^end-to-end|(?:^|[-_.])devcontainers?$")
# What says that the template wrote or adopted it: this package, in its place.
MARK = ".golden-path/golden_path/"

Read = TypeVar("Read")


class Files(ABC):
    """The files of a repository.

    Attributes:
        paths: all that it has, links too, in order.
    """

    paths: list[str]

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._read: dict[Any, Any] = {}

    @abstractmethod
    def content(self, path: str) -> bytes | None:
        """Return a file's content; None if it is missing, a link, or larger than ``LARGEST``."""

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.paths)

    @cached_property
    def service(self) -> bool:
        """Whether the template wrote or adopted it."""
        return any(path.startswith(MARK) for path in self.paths)

    def has(self, path: str) -> bool:
        """Whether there is such a file, or a link."""
        return path in self._names

    def text(self, path: str) -> str | None:
        """Return a file's text; None if it has none to read."""
        content = self.content(path)
        return None if content is None or b"\0" in content else content.decode(errors="replace")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield all files that are text, by path."""
        for path in self.paths:
            if (text := self.text(path)) is not None:
                yield path, text

    def once(self, read: Callable[[Files], Read]) -> Read:
        """Return what a function reads; several rules share it."""
        if read not in self._read:
            self._read[read] = read(self)
        return cast(Read, self._read[read])

    def own(self, *wanted: str) -> list[str]:
        """Return the files that match patterns as in ``.gitignore``, without those of others that are kept here."""
        return [
            path
            for path in self.paths
            if patterns.matches(wanted, path) and not set(PurePosixPath(path).parts[:-1]) & set(FOREIGN)
        ]

    def shipped(self, *wanted: str) -> list[str]:
        """Return those of ``own`` that are of the service, not of its tests, examples and developers' machines."""
        return [path for path in self.own(*wanted) if not _beside(path)]

    def documents(self, path: str) -> list[Any]:
        """Return the YAML documents of a file, read once; none if it is not valid."""
        if path not in self._read:
            self._read[path] = documents.read(self.text(path) or "")
        found: list[Any] = self._read[path]
        return found

    def mapping(self, path: str) -> dict[str, Any]:
        """Return a YAML or JSON file that is one mapping; empty if it is none."""
        if path.endswith(".json"):
            try:
                data = json.loads(self.text(path) or "{}")
            except (ValueError, RecursionError):
                return {}
            return data if isinstance(data, dict) else {}
        found = self.documents(path)
        return found[0] if len(found) == 1 and isinstance(found[0], dict) else {}


def _beside(path: str) -> bool:
    return any(part in BESIDE or _BESIDE.search(part) for part in PurePosixPath(path.lower()).parts[:-1])


def folder(path: str) -> str:
    """Return the folder of a file with a slash at its end; empty for the root."""
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else f"{parent}/"


def above(path: str) -> list[str]:
    """Return the folder of a file and those above it, the nearest first."""
    return ["" if str(one) == "." else f"{one}/" for one in PurePosixPath(path).parents]
