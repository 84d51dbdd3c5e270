"""What all builders have in common, and how a test uses one that starts empty."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Protocol, Self


class Kit(Protocol):
    """A BuildKit daemon that a builder of the same name stands for."""

    @property
    def name(self) -> str:
        """The builder's name."""
        ...

    def start(self, registry: str) -> None:
        """Start it unless it runs; it reaches the registry at this host and port."""

    def remove(self) -> None:
        """End it and remove its cache."""

    def cpu_seconds(self) -> float:
        """Return the CPU time of the daemon and of all that ran under it so far."""
        ...


def fresh_name() -> str:
    """Return a name that no other builder has."""
    return f"fresh-{uuid.uuid4().hex[:8]}"


class Builder:
    """A builder that starts empty, as that of a CI run does; a context manager that removes every trace of it."""

    def __init__(self, kit: Kit, registry: str) -> None:
        self._kit = kit
        self._registry = registry

    def __enter__(self) -> Self:
        try:
            self._kit.start(self._registry)
        except BaseException:
            self._kit.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kit.remove()

    @property
    def name(self) -> str:
        """What ``BUILDX_BUILDER`` is to be."""
        return self._kit.name

    def cpu_seconds(self) -> float:
        """Return the CPU time of its daemon and of all that ran under it so far, RUN steps that ended included."""
        return self._kit.cpu_seconds()
