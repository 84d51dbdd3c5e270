"""Credentials in addresses: refused in files, which many people have, and masked in all that is said.

Needs the standard library only, but for the one list of what looks like a token.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import quote

from golden_path.rules.secrets import MASKED

MASK = "***"
HOW = "leave it out, and give git a credential helper, or GIT_ASKPASS"
SHORTEST = 8  # characters of a value that is looked for; shorter ones are words that stand anywhere

# Each repetition is bounded: a long text of somebody's must not take long.
_WITH_USER = re.compile(r"(?:git\+)?https?://[^/?#\s]*@", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"[a-z][\w+.-]{0,20}://[^/?#\s@]*:[^\s]*@", re.IGNORECASE)
_IN_QUERY = re.compile(
    r"([?&][\w-]{0,40}(?:token|secret|password|passwd|key|auth|sig)[\w-]{0,40}=)[^&\s'\"]+", re.IGNORECASE
)
_USER = re.compile(
    r"([a-z][\w+.-]{0,20}://)([^\s/?#'\"<>]{0,1000}@|[^\s/?#@:'\"<>]{0,200}:[^\s'\"<>]{0,1000}@)", re.IGNORECASE
)
_SECRET = re.compile(
    r"token|secret|passw|passphrase|key|credential|auth(?!or)|cookie|private|(?:^|_)(?:pat|pw|sig)(?:_|$)", re.I
)
# Variables whose values say nothing, whatever their names look like.
_KNOWN = ("SSH_AUTH_SOCK", "XAUTHORITY")


def reason(address: str) -> str:
    """Return why an address has no place in a file; empty where it has one.

    Args:
        address: of a repository. A user of SSH is none that has to be secret; one of HTTP is, as it may be a token.
    """
    if _WITH_USER.match(address):
        return f"must not have a password, a token or a user before the host: {HOW}"
    if _WITH_PASSWORD.match(address):
        return f"must not have a password: {HOW}"
    if _IN_QUERY.search(address) or MASKED.search(address):
        return f"must not have a token: {HOW}"
    return ""


def masked(text: str) -> str:
    """Return a text without users, passwords and tokens of addresses; ``ssh://git@host`` stays."""
    if "@" in text and "://" in text:
        text = _USER.sub(_user, text)
    return MASKED.sub(MASK, _IN_QUERY.sub(rf"\1{MASK}", text))


def _user(found: re.Match[str]) -> str:
    plain = found[1].lower().endswith("ssh://") and ":" not in found[2]
    return found[0] if plain else f"{found[1]}{MASK}@"


def redacted(text: str, allowed: Collection[str] = (), variables: Mapping[str, str] | None = None) -> str:
    """Return what a program printed without the values of secrets, as they are or in base64 or percent-encoded.

    Args:
        text: what it printed.
        allowed: names of variables that it was given; their values stay, unless their names look like secrets.
        variables: the caller's, by default this process's.
    """
    known = os.environ if variables is None else variables
    forms: set[str] = set()
    for name, value in known.items():
        if name not in _KNOWN and (_SECRET.search(name) or name not in allowed):
            forms.update(_forms(value))
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return masked(text)


def secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables whose names look like secrets."""
    return {name: value for name, value in variables.items() if name not in _KNOWN and _SECRET.search(name)}


def _forms(value: str) -> set[str]:
    parts = {value, *value.splitlines()} if "\n" in value else {value}
    long = {part.strip() for part in parts if len(part.strip()) >= SHORTEST}
    coded = {base64.b64encode(part.encode(errors="surrogateescape")).decode().rstrip("=") for part in long}
    return long | coded | {quote(part, safe="", errors="surrogateescape") for part in long}
