"""Render with the speed patches and without, and compare what git would have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from golden_path.errors import FleetError
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.store.trees import Store, Tree
from tests.updates import foreign
from tests.updates.foreign import Step, write

Answers = Mapping[str, Any]
Files = dict[str, tuple[str, bytes]]
VERSIONS = (foreign.OLD, foreign.NEW)
SETTINGS = "_subdirectory: template\n_preserve_symlinks: true\n"
LOADED = SETTINGS + "_jinja_extensions: [copier_template_extensions.TemplateExtensionLoader, extension.py:Added]\n"


def extension(init: str = "pass", before: str = "", base: str = "Extension", members: str = "") -> Step:
    """Write a template's extension.

    Args:
        init: what it does with ``environment``, a line each.
        before: code of its module.
        base: its class.
        members: more of the class, indented.
    """
    lines = "\n".join(f"        {one}" for one in init.splitlines())
    text = f"""\
import itertools, secrets
from pathlib import Path
import jinja2
from copier_template_extensions import ContextHook
from jinja2 import nodes, pass_context, pass_environment
from jinja2.ext import Extension
from jinja2.runtime import Context

def declared(*files):
    return lambda function: setattr(function, "golden_path_reads", files) or function

{before}

class Added({base}):
{members}
    def __init__(self, environment):
        super().__init__(environment)
        here = Path(environment.loader.searchpath[0])
{lines}
"""
    return lambda folder: write("extension.py", text)(folder.parent)


class Watched(Store):
    """A store that knows whether Copier wrote files for it to read.

    Attributes:
        copied: whether it did.
    """

    copied = False

    def add(self, folder: Path) -> Tree:
        """Note it, and do it."""
        self.copied = True
        return super().add(folder)


def rendered(
    renderer: Renderer, source: Path, version: str, folder: Path, answers: Answers, *, attributes: bytes = b"",
    sha256: bool = False, answers_file: str = foreign.ANSWERS, there: Mapping[str, str] | None = None,
) -> tuple[Files | str, bool]:  # fmt: skip
    """Render into a store.

    Args:
        renderer: with the patches, or without.
        source: the template.
        version: of it.
        folder: a missing one, whose name is the service's.
        answers: as of ``--data``.
        attributes: the service's ``.gitattributes``.
        sha256: whether the service has git's newer format.
        answers_file: its path.
        there: files that the folder has before, such as the answers file.

    Returns:
        Mode and content by path, or why it failed; and whether it went to git's objects at once.
    """
    template = Template(str(source))
    template.refresh()
    folder.mkdir(parents=True)
    (empty := folder.with_name("objects")).mkdir()
    for path, text in (there or {}).items():
        foreign.write(path, text)(folder)
    with Watched(empty, attributes, sha256=sha256) as store:
        try:
            tree, _ = renderer.tree(template.at(version), folder, answers_file, dict(answers), store)
        except FleetError as error:
            return re.sub(r"/[^'\s]*/", "", str(error)), False
        store.run("fsck", "--strict", "--no-dangling", store.write(tree))
        return {path: (entry.mode, store.read(entry.blob)) for path, entry in tree.items()}, not store.copied


def compared(
    renderers: tuple[Renderer, Renderer], source: Path, folder: Path, services: Sequence[Answers] = ({},),
    versions: Sequence[str] = VERSIONS, *, reasons: bool = True, **more: Any,
) -> tuple[list[Files | str], set[bool]]:  # fmt: skip
    """Render services twice with the patches, in both orders, and once without; all have to be the same.

    Args:
        renderers: with the patches, and without.
        source: the template.
        folder: for what is rendered.
        services: their answers.
        versions: of the template.
        reasons: whether those of failures are compared, too.
        more: as for ``rendered``.

    Returns:
        What was rendered, service by service and version by version; and which ways it went.
    """
    jobs = [(number, answers, version) for number, answers in enumerate(services) for version in versions]
    patched, bare = renderers
    expected = {}
    ways = set()
    for number, answers, version in jobs:
        place = folder / f"off-{number}-{version}" / "orders"
        expected[number, version] = rendered(bare, source, version, place, answers, **more)[0]
    for turn, order in enumerate((jobs, jobs[::-1])):
        for number, answers, version in order:
            place = folder / f"on-{turn}-{number}-{version}" / "orders"
            found, fast = rendered(patched, source, version, place, answers, **more)
            wanted = expected[number, version]
            failed = isinstance(found, str) and isinstance(wanted, str)
            assert found == wanted or (failed and not reasons), (turn, number, version)
            ways.add(fast)
    return list(expected.values()), ways
