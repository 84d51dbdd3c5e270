"""Rendering with Copier's public API, in a worker process that serves many services."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from golden_path.errors import Exit, FleetError, UntrustedError
from golden_path.rendering import surroundings, worker
from golden_path.source.release import Release
from golden_path.store import git, scratch
from golden_path.store.trees import Entry, Store, Tree

TIMEOUT = 600
HIDDEN = "***"  # in place of a secret


class Renderer:
    """A worker process, started with its first job and ended with the context.

    Args:
        trust: let templates run code of their own, as ``copier --trust`` does; Copier's settings can trust them too.
    """

    def __init__(self, *, trust: bool = False) -> None:
        self._trust = trust
        self._process: subprocess.Popen[str] | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None  # of the worker: empty
        self._shared: contextlib.ExitStack | None = None
        self._folder = Path()
        self._turn = threading.Lock()  # one job at a time, whoever asks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker."""
        process, self._process = self._process, None
        if process and process.stdin and process.stdout:
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._home:
            self._home.cleanup()
            self._home = None
        if self._shared:
            self._shared.close()
            self._shared = None

    def render(self, release: Release, target: Path, answers_file: str, data: dict[str, Any]) -> list[str]:
        """Render a version of a template into a folder, without its tasks.

        Args:
            release: the template at that version.
            target: the folder; its name is what ``_folder_name`` will be. Answers in it are taken over.
            answers_file: the name of the answers file.
            data: answers that come before those.

        Returns:
            The lines that the template says to who updates.

        Raises:
            FleetError: an answer is missing or not accepted, the template is not trusted, or fails.
        """
        return self._render(release, target, answers_file, data)[1]

    def tree(
        self, release: Release, target: Path, answers_file: str, data: dict[str, Any], store: Store
    ) -> tuple[Tree, list[str]]:
        """Render a version of a template into a store, without its tasks.

        Args:
            release: the template at that version.
            target: a folder, as for ``render``; afterwards it has the answers file, and no other file for certain.
            answers_file: its name.
            data: answers that come before those.
            store: takes the files.

        Returns:
            The tree, and the lines that the template says to who updates.

        Raises:
            FleetError: as for ``render``.
        """
        attributes = store.attributes.decode(errors="surrogateescape")
        shared = self.lend(store)
        sink = {"objects": str(store.objects), "shared": str(shared), "form": store.form, "attributes": attributes}
        files, said = self._render(release, target, answers_file, data, sink)
        if files is None:
            return store.add(target), said
        return {path: Entry(mode, blob) for path, mode, blob in files}, said

    def lend(self, store: Store) -> Path:
        """Let a store read what several services have; before its first content is read, that costs nothing.

        Args:
            store: of a service, which ends before this.

        Returns:
            The object folder, which lasts as long as the worker.
        """
        with self._turn:
            if self._shared is None:
                self._shared = contextlib.ExitStack()
                self._folder = self._shared.enter_context(scratch.folder())
            folder = self._folder / store.form
            folder.mkdir(exist_ok=True)
        store.borrow(folder)
        return folder

    def _render(
        self, release: Release, target: Path, answers_file: str, data: dict[str, Any],
        sink: Mapping[str, str] | None = None,
    ) -> tuple[list[tuple[str, str, str]] | None, list[str]]:  # fmt: skip
        job = {
            "source": release.template.source,
            "version": release.version,
            "export": str(release.export),
            "target": str(target),
            "data": data,
            "answers_file": answers_file,
            "trust": self._trust,
            **(sink or {}),
        }
        with self._turn:
            result = self._ask(json.dumps(job, default=str))
        if "kind" in result:
            raise _failure(result["kind"], result["reason"], release.version, answers_file)
        messages = [_public(line, (release,), target, data) for line in result["messages"]]
        return result.get("files"), messages

    def migrate(
        self, old: Release, new: Release, stage: str, target: Path, answers_file: str, *, dry: bool
    ) -> tuple[int, str]:
        """Run a stage of a template's ``_migrations`` in a folder, as ``copier update`` would.

        Args:
            old: the version that the service has.
            new: the version that it gets, whose migrations are run.
            stage: ``before`` or ``after``.
            target: the folder, with an answers file; its name is what ``_folder_name`` will be.
            answers_file: its name.
            dry: only count them.

        Returns:
            How many there are to run, and what they printed.

        Raises:
            FleetError: the template is not trusted, or a migration failed.
        """
        done = self._run_stage("migration", stage, (old, new), target, answers_file, {}, dry=dry)
        return int(done["count"]), _public(done["said"], (old, new), target, {})

    def tasks(
        self, old: Release, new: Release, target: Path, answers_file: str, data: Mapping[str, Any], *,
        dry: bool,
    ) -> list[str]:  # fmt: skip
        """Run a template's ``_tasks`` in a folder, as ``copier update`` would.

        Args:
            old: the version that the service has.
            new: the version that it gets, whose tasks are run.
            target: the folder, with an answers file of the new version.
            answers_file: its name.
            data: answers that the user gave, which that file may not have.
            dry: only say which.

        Returns:
            The commands.

        Raises:
            FleetError: the template is not trusted, or a task failed.
        """
        done = self._run_stage("task", worker.TASKS, (old, new), target, answers_file, data, dry=dry)
        return [_public(command, (old, new), target, data) for command in done["commands"]]

    def _run_stage(
        self, what: str, stage: str, releases: tuple[Release, Release], target: Path, answers_file: str,
        data: Mapping[str, Any], *, dry: bool,
    ) -> dict[str, Any]:  # fmt: skip
        old, new = releases
        job = {
            "stage": stage,
            "source": new.template.source,
            "old": old.version,
            "version": new.version,
            "exports": {one.version: str(one.export) for one in releases},
            "target": str(target),
            "answers_file": answers_file,
            "trust": self._trust,
            "dry": dry,
            "data": dict(data),
        }
        with self._turn:
            result = self._ask(json.dumps(job, default=str))
        if "kind" in result and result["kind"] != worker.TRUST:
            reason = _public(result["reason"], releases, target, data)
            raise FleetError(f"a {what} of version {new.version} of the template failed: {reason}", Exit.TEMPLATE)
        if "kind" in result:
            raise _failure(result["kind"], result["reason"], new.version, answers_file)
        return result

    def _ask(self, job: str) -> dict[str, Any]:
        if self._process is None:
            self._home = tempfile.TemporaryDirectory(prefix="golden-path-home-", ignore_cleanup_errors=True)
            variables = surroundings.of(Path(self._home.name), worker.VARIABLES, worker.settings())
            # Not from the folder that it is run in, which may be a service's: -P.
            command = [sys.executable, "-P", "-m", "golden_path.rendering.worker"]
            self._process = subprocess.Popen(
                command,
                env={**variables, **git.alone(), "PYTHONPATH": _path(variables)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise FleetError("the renderer has no pipes")
        try:
            process.stdin.write(f"{job}\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], TIMEOUT)
            line = process.stdout.readline() if ready else ""
            if ready and not line:
                process.wait(timeout=5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            line = ""
        if not line:
            reason = f"did not answer within {TIMEOUT} seconds" if process.poll() is None else "ended"
            process.kill()
            self.close()
            raise FleetError(f"rendering failed: the process that runs Copier {reason}", Exit.TEMPLATE)
        found: dict[str, Any] = json.loads(line)
        return found


def _public(text: str, releases: Sequence[Release], target: Path, data: Mapping[str, Any]) -> str:
    """Text without secrets that were given, and without our folders: the same upgrade is the same commit."""
    for name in releases[-1].config.secrets:
        if given := str(data.get(name, "")):
            text = text.replace(given, HIDDEN)
    named = {str(target): ".", **{str(one.export): "TEMPLATE" for one in releases}}
    for place, name in list(named.items()):
        named[str(Path(place).resolve())] = name
    for place in sorted(named, key=len, reverse=True):
        text = text.replace(place, named[place])
    return text


def _path(variables: Mapping[str, str]) -> str:
    """Where the worker finds this package, and what the caller names by its whole path."""
    own = str(Path(__file__).resolve().parents[2])
    others = [one for one in variables.get("PYTHONPATH", "").split(os.pathsep) if Path(one).is_absolute()]
    return os.pathsep.join(dict.fromkeys([own, *others]))


def _failure(kind: str, reason: str, version: str, answers_file: str) -> FleetError:
    first = next((line for line in reason.splitlines() if line.strip()), "failed")
    if kind == worker.TRUST:
        used = re.search(r"features?[^:]*: (.+)", " ".join(reason.split()))
        what = f" ({used[1].split(' Use')[0].rstrip('.')})" if used else ""
        return UntrustedError(
            f"the template runs code of its own{what}: if you trust it, pass --trust or list it under 'trust' in "
            "Copier's settings",
            Exit.TEMPLATE,
        )
    if missing := re.search(r'Question "(.+?)" is required', reason):
        return FleetError(
            f"version {version} of the template asks {missing[1]!r} and has no default: pass --data {missing[1]}=VALUE",
            Exit.ANSWERS,
        )
    if kind == worker.ANSWER:
        return FleetError(
            f"version {version} of the template does not accept an answer of {answers_file}: {first}", Exit.ANSWERS
        )
    return FleetError(f"version {version} of the template cannot be rendered: {first}", Exit.TEMPLATE)
