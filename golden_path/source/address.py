"""Addresses of templates: what git fetches from, what is shown of it, and which are of one template."""

from __future__ import annotations

import re
from pathlib import Path

_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
_SECURE = re.compile(
    r"(?:https://(?P<web>[\w.-]+)(?::443)?/+|ssh://git@(?P<ssh>[\w.-]+)(?::22)?/+|git@(?P<scp>[\w.-]+):/*)(?P<path>[^/].*)"
)


def fetched(source: str) -> str:
    """Return what git fetches from, for what an answers file says.

    Args:
        source: ``_src_path``: an address, a path, or one of Copier's short forms.
    """
    for short, host in _SHORT.items():
        if source.startswith(short):
            return f"{host}{source.removeprefix(short).lstrip('/').removesuffix('.git')}.git"
    plain = source.removeprefix("git+")
    return str(Path(plain).expanduser()) if plain.startswith("~") else plain


def shown(source: str) -> str:
    """Return an address without the user and password that it may have."""
    return re.sub(r"(?<=//)[^/@]+@", "", source)


def same(one: str, other: str) -> bool:
    """Whether two addresses are of one template.

    They are by ``https`` and by ``ssh`` as ``git``, both on the port that is the default, and with and without
    ``.git``. Another protocol, port or user may lead to somebody else, so there nothing but the same text counts.
    """
    return _place(one) == _place(other)


def _place(source: str) -> tuple[str, str]:
    text = fetched(source).rstrip("/").removesuffix(".git")
    found = _SECURE.fullmatch(text)
    return ((found["web"] or found["ssh"] or found["scp"]).lower(), found["path"]) if found else ("", text)
