"""What an export has to render, in the order in which Copier finds it; for the worker process only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from golden_path.rendering.names import NotPlainError

FILE, PROGRAM, LINK = "100644", "100755", "120000"


@dataclass(frozen=True)
class Entry:
    """A file or folder of an export.

    Attributes:
        name: as it is rendered, without the suffix of templates.
        plain: whether it is that already.
        place: where it is.
        source: the same below the template.
        template: whether its content is rendered.
        link: where it leads to, of a link.
        mode: git's.
        inside: of a folder, what is in it, in the order in which Copier finds it.
    """

    name: str
    plain: bool
    place: str
    source: str = ""
    template: bool = False
    link: str | None = None
    mode: str = FILE
    inside: tuple[Entry, ...] | None = None


def inside(worker: Any, folder: str) -> Iterator[Entry]:
    """Yield what is in a folder.

    Args:
        worker: Copier's.
        folder: of the export.

    Raises:
        NotPlainError: Copier does more with it than writing a file for each.
    """
    suffix, modes = worker.template.templates_suffix, worker.template.git_index_modes
    marks = [getattr(worker.jinja_env, f"{one}_start_string") for one in ("block", "variable", "comment")]
    prefixes = worker.jinja_env.line_statement_prefix or worker.jinja_env.line_comment_prefix
    for one in os.scandir(folder):
        link = os.readlink(one.path) if one.is_symlink() else None  # noqa: PTH115 - a path would change it
        if "yield" in one.name or (link is not None and not worker.template.preserve_symlinks):
            raise NotPlainError
        plain = not prefixes and not any(mark in one.name for mark in (*marks, "\n", "\r"))
        if link is None and one.is_dir():
            if one.name.endswith(suffix):
                raise NotPlainError  # Copier makes another folder, too
            yield Entry(one.name, plain, one.path, inside=tuple(inside(worker, one.path)))
        elif not os.path.exists(f"{one.path}{suffix}"):  # noqa: PTH110 - else there is a template of the name
            template = one.name.endswith(suffix)
            name = Path(one.name).with_suffix("").name if template else one.name
            source = Path(one.path).relative_to(worker.template.local_abspath).as_posix()
            known = modes.get(PurePosixPath(source))
            runs = (one.stat(follow_symlinks=False).st_mode if known is None else known) & 0o100
            yield Entry(name, plain, one.path, source, template, link, PROGRAM if runs else FILE)
