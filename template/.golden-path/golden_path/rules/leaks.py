"""The rule on secrets: what looks like one, and what only stands for one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.rules import secrets
from golden_path.rules.book import ERROR, Found, rule
from golden_path.rules.files import Files

# What documents and tests are full of: places to fill in, and hosts that are nobody's.
_PLACEHOLDER = re.compile(
    r"[$<{%*]|\.\.\.|://[^@]*@(?:localhost|127\.|0\.0\.0\.0|\[::1\]|host(?:name)?\b|HOST|server\b|[\w.-]*example\b"
    r"|(?:my|your)[-_.]?\w*|[\w.-]+\.(?:test|invalid|local|localhost)\b)"
)
_PARTS = re.compile(r"://([^:/@]+):([^@]+)@")
# Words that stand where a password goes; nobody's system has them as one, or everybody's has.
_WORDS = re.compile(
    r"(?:(?:my|your|the|some|a|db|user|test|dev|local|default|example|sample|fake|dummy)?[-_.]?"
    r"(?:pass(?:word|wd)?|pwd|pw|secret|token|key|credentials?)"
    r"|change[-_]?(?:me|it|this)\w*|example|sample|fake|dummy|test(?:ing)?|dev(?:elopment)?|local|none|null|todo|foo|bar"
    r"|x{3,}|\.{3,}|redacted|placeholder|insert\w*|your[-_ ]?\w*|replace\w*|admin|root|guest|postgres|mysql|redis|true"
    r"|false|on|off|yes|no)[-_\d!]{0,5}",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"[A-Z][A-Z_]*")
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testdata|__tests__|__fixtures__|fixtures|spec|e2e)/|_test\.\w+$|(?:^|/)(?:test_[^/]*|conftest\.py)$"
    r"|Tests?\.(?:java|kt|cs)$|\.(?:test|spec)\.\w+$"
)
_EXAMPLE = re.compile(r"example|dummy|fake|sample|x{5,}|0123456789|1234567890", re.IGNORECASE)
_FEW = 7  # different characters; a real token has more

ENVIRONMENT = (".env", ".env.*", "*.env", ".envrc")
_SHOWN = re.compile(
    r"(?:^|[._-])(?:example|sample|template|tmpl|tpl|dist|defaults?|schema|test|tests|testing|ci)(?:$|[._-])"
)
_VALUE = re.compile(r"^[ \t]*(?:export )?(\w+)[ \t]*=[ \t]*([\"']?)([^\s#\"']+)\2", re.MULTILINE)
_KEYS = re.compile(r"(?:KEY|PASS)(?:_BASE)?$", re.IGNORECASE)  # in such a file these words say enough
_PUBLIC = re.compile(r"PUBLIC|PUBLISHABLE|_FILE$|CACHE|SORT|PRIMARY_KEY|FOREIGN_KEY", re.IGNORECASE)
_NO_VALUE = re.compile(r"[\d.]+[smhd]?|/\S*|\./\S*|[a-z]+://\S*|[$<{%\[].*", re.IGNORECASE)


@rule(
    "GP304",
    ERROR,
    "The repository contains no secrets.",
    "everybody who can read the repository has them, and they stay in its history",
)
def no_secrets(files: Files) -> Iterator[Found]:
    """What looks like a secret, without the secret itself; and a committed .env."""
    for path, text in files.texts():
        for what, pattern, _ in secrets.LOOKS:
            if what in (secrets.ADDRESS, secrets.SIGNED) and _TESTS.search(path):
                continue
            if found := next((one for one in pattern.finditer(text) if real(what, text, one)), None):
                number = text[: found.start()].count("\n") + 1
                yield Found(path, number, f"has what looks like {what}: revoke it, and keep it in a store of secrets")
    for path in files.own(*ENVIRONMENT):
        name = path.rpartition("/")[2].lower()
        if not _SHOWN.search(name) and not _TESTS.search(path) and _with_secrets(files.text(path) or ""):
            yield Found(path, 0, "is committed, with values of secrets: remove it, revoke them, and ignore the file")


def _with_secrets(text: str) -> bool:
    return any(
        _KEYS.search(name) or secrets.called(name)
        for name, _, value in _VALUE.findall(text)
        if (
            not _PUBLIC.search(name)
            and not _NO_VALUE.fullmatch(value)
            and not _WORDS.fullmatch(value)
            and not _CAPITALS.fullmatch(value)
        )
    )


def real(what: str, text: str, found: re.Match[str]) -> bool:
    """Whether what was found in a text could be one, and no example or place to fill in.

    Args:
        what: the form of it.
        text: that it stands in.
        found: where.
    """
    if what == secrets.ADDRESS:
        return _real_address(text[found.start() : found.end() + 40].split()[0], found[0])
    if what == secrets.KEY:
        return True
    secret = re.split(r"[=:\s\"']+", found[0].rstrip("\"'"))[-1] if what == secrets.AWS else found[0]
    return not _EXAMPLE.search(secret) and len(set(secret.rpartition("_")[2])) > _FEW


def _real_address(shown: str, address: str) -> bool:
    parts = _PARTS.search(address)
    if not parts or _PLACEHOLDER.search(shown):
        return False
    user, password = parts[1], parts[2]
    return not (_WORDS.fullmatch(password) or _CAPITALS.fullmatch(password) or user.lower() == password.lower())
