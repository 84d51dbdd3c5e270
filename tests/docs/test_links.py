"""Links in Markdown lead to a file, and to a heading where they name one: in this repository, and in a service."""

from __future__ import annotations

import functools
import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.labs.template import render
from tests.labs.toolchains import ROOT

OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
TEMPLATE = "template/"  # Jinja; a service's files are looked at instead


def parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def links(path: Path) -> Iterator[str]:
    """Yield where the links and pictures of a file lead to, within the repository."""
    for token in parsed(path):
        for inner in token.children or []:
            target = str(inner.attrGet("href") or inner.attrGet("src") or "")
            if target and not OUTSIDE.match(target):
                yield unquote(target)


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a file's headings, as GitHub makes them."""
    found: set[str] = set()
    tokens = parsed(path)
    for opened, inside in itertools.pairwise(tokens):
        if opened.type == "heading_open":
            text = "".join(part.content for part in inside.children or [] if part.type in ("text", "code_inline"))
            name = first = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            number = 0
            while name in found:
                number += 1
                name = f"{first}-{number}"
            found.add(name)
    return frozenset(found)


def broken(path: Path) -> list[str]:
    """Return the links of a file that lead nowhere, each with the reason."""
    found = []
    for link in links(path):
        place, _, anchor = link.partition("#")
        target = (path.parent / place) if place else path
        if not target.exists():
            found.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"{link}: no such heading")
    return found


def pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    return [one for one in listed if one and not one.startswith(TEMPLATE) and (ROOT / one).is_file()]


@pytest.mark.parametrize("page", pages())
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    assert broken(ROOT / page) == []


def test_the_links_of_a_service_lead_somewhere(template: Path, language: str, tmp_path: Path) -> None:
    service = render(template, tmp_path / "orders", {"service_name": "orders", "language": language})
    found = sorted(service.rglob("*.md"))
    assert found
    assert {str(page.relative_to(service)): broken(page) for page in found if broken(page)} == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[x](none.md)", "no such file"),
        ("[x](#no)", "no such heading"),
        ("![x](none.png)", "no such file"),
        ("| a |\n|---|\n| [x](none.md) |", "no such file"),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(f"# One\n\n{text}\n")
    assert [reason in one for one in broken(tmp_path / "page.md")] == [True]


def test_what_leads_somewhere(tmp_path: Path) -> None:
    there = "[1](#a-b-c) [2](#a-b-c-1) [3](page.md#a-b-c) [4](https://example.com/x)"
    text = f"# A `b`, c\n\n## A `b`, c\n\n{there}\n\n```\n[5](no.md)\n```\n"
    (tmp_path / "page.md").write_text(text)
    assert broken(tmp_path / "page.md") == []
