"""The forms that a text can get which a rule on adopting found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_LONGEST = 200  # characters of a sentence
_SHORTEST = 10
_LINK = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|\[!\[[^\]]*\]\([^)]*\)\](?:\([^)]*\)|\[[^\]]*\])?")
_NAMED_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^)]*\)|\[[^\]]*\])")


def sentence(text: str) -> str:
    """Return the first sentence of a paragraph in Markdown, plain; empty for badges, markup and a word."""
    plain = re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", _NAMED_LINK.sub(r"\1", _LINK.sub("", text)))
    plain = " ".join(plain.split())
    ended = re.match(r"(.*?[^.\s]{2}[.!?])(?:\s+(?=[^a-z])|$)", plain)
    found = ended[1] if ended else plain.rstrip(":")
    fits = _SHORTEST <= len(found) <= _LONGEST and " " in found
    return found if fits and not re.search(r"[<>\[\]{}|]|https?://", found) else ""


FORMS: Mapping[str, Callable[[str], str]] = {
    "": lambda text: text,
    "lower": str.lower,
    "slug": lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
    "sentence": sentence,
}
