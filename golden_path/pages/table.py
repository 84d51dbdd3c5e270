"""A page that a person looks at: a table of services to sort and filter, in one file that loads nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template as Text
from typing import Generic, TypeVar

from golden_path.untrusted.foreign import html as escape

Row = TypeVar("Row")
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Table(Generic[Row]):
    """What a table of services has.

    Attributes:
        heads: of its columns; the first one is the service.
        shows: what a person may want to see alone, by the words of the page.
        group: what services are grouped by, for example rings.
    """

    heads: Sequence[str]
    shows: Mapping[str, Callable[[Row], bool]]
    group: str

    def tiles(self, rows: Sequence[Row]) -> dict[str, str]:
        """Return how many services there are, and how many of each kind."""
        return {"services": str(len(rows))} | {name: str(sum(map(is_one, rows))) for name, is_one in self.shows.items()}

    def start(self, row: Row, name: str, group: str) -> str:
        """Return the beginning of a row, before its cells."""
        shows = " ".join(_word(one) for one, is_one in self.shows.items() if is_one(row))
        return f'<tr data-name="{escape(name.lower())}" data-group="{escape(group)}" data-is="{shows}">'

    def page(
        self,
        title: str,
        lead: str,
        tiles: Mapping[str, str],
        groups: Iterable[str],
        rows: Sequence[str],
        above: str = "",
    ) -> str:
        """Return a page.

        Args:
            title: of the page, as text.
            lead: a sentence below it, as HTML.
            tiles: numbers by their names.
            groups: which there are.
            rows: the table's, as HTML.
            above: what stands above the table, as HTML.
        """
        script = (_FOLDER / "page.js").read_text(encoding="utf-8")
        return Text((_FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
            hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            title=escape(title),
            heading=escape(title),
            lead=lead,
            tiles="".join(f"<div><dt>{escape(name)}</dt><dd>{escape(said)}</dd></div>" for name, said in tiles.items()),
            above=above,
            group=escape(self.group),
            groups="".join(f"<option>{escape(one)}</option>" for one in groups),
            shows="".join(f'<option value="{_word(name)}">{escape(name)}</option>' for name in self.shows),
            heads="".join(
                f'<th scope="col" aria-sort="none"><button type="button">{escape(one)}</button></th>'
                for one in self.heads
            ),
            total=len(rows),
            rows="\n".join(rows),
            script=script,
        )


def name(key: str, content: str) -> str:
    """Return the cell that says which row it is: what it is sorted by, and its HTML."""
    return f'<th scope="row" data-sort="{escape(key)}">{content}</th>'


def cell(key: str, content: str) -> str:
    """Return a cell: what it is sorted by, and its HTML."""
    return f'<td data-sort="{escape(key)}">{content}</td>'


def link(address: str, text: str) -> str:
    """Return a link where an address is one of the web, else the text."""
    if address.startswith(("https://", "http://")):
        return f'<a href="{escape(address)}">{escape(text)}</a>'
    return escape(text)


def _word(text: str) -> str:
    return text.replace(" ", "-")
