"""An upgrade: a service, the version that it has, the one that it gets, and what both are rendered with."""

from __future__ import annotations

import contextlib
import functools
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_path.rendering.render import Renderer
from golden_path.source.config import Config
from golden_path.source.ownership import rendered
from golden_path.source.release import Release
from golden_path.store import answers, ignored
from golden_path.store.service import Service
from golden_path.store.trees import FILE, Store, Tree


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade is computed from.

    Attributes:
        service: the repository.
        old: the version that it has.
        new: the version that it gets; ``old`` where somebody only looks.
        renderer: a worker; it may have served others before.
        store: where the trees are made, for this repository.
        data: answers that the user gave.
    """

    service: Service
    old: Release
    new: Release
    renderer: Renderer
    store: Store
    data: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def has(self) -> Tree:
        """What the service has committed."""
        return self.store.list(self.service.head)

    @functools.cached_property
    def wrote(self) -> Tree:
        """What the version that the service has wrote, with the answers that it has.

        Raises:
            FleetError: it cannot be rendered, for example since an answer was edited by hand to what is not accepted.
        """
        values = self.service.answers.values
        unsaved = {name: value for name, value in self.data.items()
                   if name in self.old.config.questions and name not in values}  # fmt: skip
        folder = self._place("old", self.old)
        file = self.service.answers.path
        return self.renderer.tree(self.old, folder, file, {**values, **unsaved}, self.store)[0]

    @functools.cached_property
    def known(self) -> Tree:
        """The same, without what the service ignores and has not committed: that it did not delete."""
        unknown = ignored.ignored(self.store, self.has, set(self.wrote) - set(self.has))
        return {path: entry for path, entry in self.wrote.items() if path not in unknown}

    def writes(self, more: Mapping[str, Any] | None = None, side: str = "new") -> tuple[Tree, list[str]]:
        """Render the version that the service gets.

        Answers that it does not know or accept any more are left behind, as Copier does.

        Args:
            more: answers that come before those of the user.
            side: the name of a folder that nothing was rendered into.

        Returns:
            What it writes, and what the template says to who upgrades.

        Raises:
            FleetError: it cannot be rendered.
        """
        folder, file = self._place(side, self.new), self.service.answers.path
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(self.service.answers.content)
        return self.renderer.tree(self.new, folder, file, {**self.data, **(more or {})}, self.store)

    def folder(self, side: str) -> Path:
        """Where a side is: ``old`` and ``new`` have the answers file of that version once it is rendered."""
        return self.store.folder / side / self.service.name

    def external(self, release: Release) -> list[str]:
        """The files of the service that a version reads (``_external_data``), as far as the answers say which."""
        config: Config = release.config
        return [posixpath.normpath(path) for path in rendered(config.external, config, self.service.answers.values)]

    def _place(self, side: str, release: Release) -> Path:
        """Make the folder for a rendering, with the files of the service that the template reads."""
        folder = self.folder(side)
        folder.mkdir(parents=True)
        others = [name for name in self.has if answers.PATTERN.fullmatch(name)] if release.config.external else []
        for name in (*self.external(release), *others):
            entry = self.has.get(name)
            if entry and entry.kind == FILE and name != self.service.answers.path and ".." not in name.split("/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(self.store.read(entry.blob))
        return folder


@contextlib.contextmanager
def between(
    service: Service, old: Release, new: Release, renderer: Renderer, data: Mapping[str, str] | None = None
) -> Iterator[Upgrade]:
    """Open a store for the upgrade of a service, and close it afterwards.

    Args:
        service: the repository.
        old: the version that it has.
        new: the version that it gets.
        renderer: a worker.
        data: answers that the user gave.
    """
    with Store(service.objects, service.attributes, sha256=service.sha256) as store:
        renderer.lend(store)
        yield Upgrade(service, old, new, renderer, store, data or {})
