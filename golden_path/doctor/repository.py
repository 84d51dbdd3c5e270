"""What the rules look at: the files of the last commit, and how they stand to the template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import yaml
from pathspec import PathSpec

from golden_path.doctor import beginnings
from golden_path.doctor.beginnings import Beginning
from golden_path.errors import FleetError, UntrustedError
from golden_path.rendering.render import Renderer
from golden_path.source import versions
from golden_path.source.ownership import Ownership
from golden_path.source.template import Templates
from golden_path.store.answers import Answers
from golden_path.store.service import Service
from golden_path.store.trees import FILE, Store, Tree
from golden_path.untrusted import bounded
from golden_path.upgrade import plan, tasks
from golden_path.upgrade.upgrade import Upgrade

LARGEST = 1 << 20  # bytes; larger files are not read
FOREIGN = ("node_modules", "vendor", "testdata", "third_party")
# Folders of what is built and tested with, or shown; nothing in them runs in production.
BESIDE = (
    ".devcontainer", ".gitpod", ".circleci", ".github", ".gitlab", "packaging", "test", "tests", "__tests__", "testing",
    "e2e", "fixtures", "example", "examples", "docs", "doc", "benchmark", "benchmarks",
)  # fmt: skip
_BESIDE = re.compile(r"(?:^|[-_])(?:e2e|tests?)(?:$|[-_])|^end-to-end|(?:^|[-_.])devcontainers?$")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which `on` is a word, and in which unknown tags are no fault."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_multi_constructor("!", lambda *_: None)


@dataclass(frozen=True)
class Membership:
    """How a repository stands to its template.

    Attributes:
        answers: what its answers file says; None where it has none, or none that can be read.
        answers_file: its name; empty where there is none.
        problem: why it cannot be read.
        lost: why the template, or the version of it that the repository has, cannot be looked at.
        skipped: why the files were not compared.
        behind: the versions after its own, oldest first.
        wrote: what its version writes, by path.
        owner: which files are the service's.
        leave_out: patterns of files of which an adopted service has its own.
        beginning: how they came together.
    """

    answers: Answers | None = None
    answers_file: str = ""
    problem: str = ""
    lost: str = ""
    skipped: str = ""
    behind: Sequence[str] = ()
    wrote: Tree = field(default_factory=dict)
    owner: Ownership | None = None
    leave_out: Sequence[str] = ()
    beginning: Beginning = field(default_factory=Beginning)


def membership(opened: Service, answers_file: str, problem: str, renderer: Renderer, store: Store) -> Membership:
    """Find out how a repository stands to its template.

    Args:
        opened: the repository; with empty answers where they cannot be read.
        answers_file: its name, empty where there is none.
        problem: why the answers cannot be read.
        renderer: a worker.
        store: where trees are made.
    """
    found = opened.answers
    if not found.source:
        return Membership(None, answers_file, problem)
    try:
        template = Templates().get(found.source)
        newest = plan.target(template, found.version, "")
        behind = versions.between(template.tags, found.version, newest)
        release = template.at(found.version)
        owner = Ownership(release.config, found.values)
        leave_out = release.rules.leave_out
    except FleetError as error:
        return Membership(found, answers_file, lost=str(error))
    try:
        renderer.lend(store)
        looked_at = Upgrade(opened, release, release, renderer, store)
        has, wrote = looked_at.has, looked_at.known
        if release.config.tasks:  # they make other files of a rendering
            differ = {path for path, entry in wrote.items() if has.get(path) != entry} - {found.path}
            alone = tasks.template_alone(opened, differ)
            wrote = {path: entry for path, entry in wrote.items() if path not in alone}
    except UntrustedError as error:
        return Membership(found, answers_file, skipped=str(error), behind=behind)
    except FleetError as error:
        return Membership(found, answers_file, lost=str(error), behind=behind)
    beginning = beginnings.find(opened, found.path, wrote, owner, store)
    return Membership(
        found, answers_file, behind=behind, wrote=wrote, owner=owner, leave_out=leave_out, beginning=beginning
    )


class Repository:
    """The files of a commit, read at once.

    Args:
        tree: of the commit.
        store: that has them.
        member: how it stands to its template.
    """

    def __init__(self, tree: Tree, store: Store, member: Membership) -> None:
        self.tree, self.store, self.member = tree, store, member
        self.paths = sorted(tree)

    @cached_property
    def _contents(self) -> dict[str, bytes]:
        return dict(_read(self.store, {entry.blob for entry in self.tree.values() if entry.kind == FILE}))

    def text(self, path: str) -> str | None:
        """Return a file's text; None where it is missing, no text, a link, or larger than ``LARGEST``."""
        entry = self.tree.get(path)
        content = self._contents.get(entry.blob) if entry else None
        return None if content is None or b"\0" in content else content.decode(errors="replace")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield all files that are text, by path."""
        for path in self.paths:
            if (text := self.text(path)) is not None:
                yield path, text

    def own(self, *patterns: str) -> list[str]:
        """Return the files that match patterns as in ``.gitignore``, without those of others that are kept here."""
        spec = PathSpec.from_lines("gitignore", patterns)
        return [
            path
            for path in self.paths
            if spec.match_file(path) and not set(PurePosixPath(path).parts[:-1]) & set(FOREIGN)
        ]

    def shipped(self, *patterns: str) -> list[str]:
        """Return those of ``own`` that are of the service, not of its tests, examples and developers' machines."""
        folders = set(BESIDE)
        return [
            path
            for path in self.own(*patterns)
            if not any(part in folders or _BESIDE.search(part) for part in PurePosixPath(path.lower()).parts[:-1])
        ]

    def documents(self, path: str) -> list[Any]:
        """Return the YAML documents of a file; none where it is not valid, for example a template of Helm's."""
        text = self.text(path)
        try:
            return bounded.load_all(text, _Loader) if text else []
        except (yaml.YAMLError, ValueError, RecursionError):
            return []

    def mapping(self, path: str) -> dict[str, Any]:
        """Return a YAML or JSON file that is one mapping; empty where it is none."""
        if path.endswith(".json"):
            try:
                data = json.loads(self.text(path) or "{}")
            except (ValueError, RecursionError):
                return {}
            return data if isinstance(data, dict) else {}
        found = self.documents(path)
        return found[0] if len(found) == 1 and isinstance(found[0], dict) else {}

    @cached_property
    def go_modules(self) -> set[str]:
        """The modules of Go that it has itself."""
        texts = (self.text(path) or "" for path in self.own("go.mod"))
        return {found[1] for text in texts if (found := re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE))}

    @cached_property
    def node_packages(self) -> set[str]:
        """The packages of Node.js that it has itself."""
        return {str(self.mapping(path).get("name")) for path in self.own("package.json")}


def _read(store: Store, blobs: set[str]) -> Iterator[tuple[str, bytes]]:
    """Read files, each in one go, but for those that are large."""
    names = sorted(blobs)
    sizes = store.run("cat-file", "--batch-check=%(objectname) %(objectsize)", data="\n".join(names).encode())
    small = [name for name, size in (line.split() for line in sizes.decode().splitlines())
             if size.isdigit() and int(size) <= LARGEST]  # fmt: skip
    output, at = store.run("cat-file", "--batch", data="\n".join(small).encode()), 0
    for name in small:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        yield name, output[end + 1 : end + 1 + size]
        at = end + 2 + size
