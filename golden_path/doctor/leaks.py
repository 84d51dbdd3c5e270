"""The rule on secrets: what looks like one, and what only stands for one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.doctor.repository import Repository
from golden_path.doctor.rules import ERROR, Found, rule

# As service.manifest_rules looks for them in manifests.
LOOKS_LIKE = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "an AWS secret key": re.compile(
        r"(?i:aws_?)?(?i:secret_?(?:access_?)?key)\b[\"']?\s*[:=]\s*[\"']?[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])"
    ),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})"),
    "a GitLab token": re.compile(r"\bgl(?:pat|dt|rt|ft)-[\w-]{20,}"),
    "a Slack token": re.compile(r"\b(?:xox[abeoprs]-[0-9A-Za-z]{6,}|xapp-\d-[0-9A-Z]+)-[0-9A-Za-z-]{10,}"),
    "a Slack address to post to": re.compile(r"https://hooks\.slack\.com/services/T\w+/B\w+/[0-9A-Za-z]{20,}"),
    "a signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@\"']+:[^\s/@\"']+@"),
}
_ADDRESS, _SIGNED = "a password in an address", "a signed token"
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

_ENVIRONMENT = (".env", ".env.*", "*.env", ".envrc")
_SHOWN = re.compile(
    r"(?:^|[._-])(?:example|sample|template|tmpl|tpl|dist|defaults?|schema|test|tests|testing|ci)(?:$|[._-])"
)
_VALUE = re.compile(
    r"^[ \t]*(?:export )?(\w*(?:PASS|PASSWORD|PASSWD|PASSPHRASE|PWD|SECRET|TOKEN|KEY|CREDENTIALS?)(?:_BASE)?)[ \t]*="
    r"[ \t]*([\"']?)([^\s#\"']+)\2",
    re.MULTILINE | re.IGNORECASE,
)
_PUBLIC = re.compile(r"PUBLIC|PUBLISHABLE|_FILE$|CACHE|SORT|PRIMARY_KEY|FOREIGN_KEY", re.IGNORECASE)
_NO_VALUE = re.compile(r"[\d.]+[smhd]?|/\S*|\./\S*|[a-z]+://\S*|[$<{%\[].*", re.IGNORECASE)


@rule("GP304", ERROR, "No secret is in the repository.", "whoever reads it has it, and history does not forget")
def no_secrets(repository: Repository) -> Iterator[Found]:
    """What looks like a secret, without the secret itself; and a committed .env."""
    for path, text in repository.texts():
        for what, pattern in LOOKS_LIKE.items():
            if what in (_ADDRESS, _SIGNED) and _TESTS.search(path):
                continue
            found = next((one for one in pattern.finditer(text) if _real(what, text, one)), None)
            if found:
                number = text[: found.start()].count("\n") + 1
                yield Found(path, number, f"has what looks like {what}: revoke it, and keep it in a store of secrets")
    for path in repository.own(*_ENVIRONMENT):
        name = path.rpartition("/")[2].lower()
        if not _SHOWN.search(name) and not _TESTS.search(path) and _with_secrets(repository.text(path) or ""):
            yield Found(path, 0, "is committed, with values of secrets: remove it, revoke them, and ignore the file")


def _with_secrets(text: str) -> bool:
    return any(
        not (
            _PUBLIC.search(name) or _NO_VALUE.fullmatch(value) or _WORDS.fullmatch(value) or _CAPITALS.fullmatch(value)
        )
        for name, _, value in _VALUE.findall(text)
    )


def _real(what: str, text: str, found: re.Match[str]) -> bool:
    if what == _ADDRESS:
        return _real_address(text[found.start() : found.end() + 40].split()[0], found[0])
    if what == "a private key":
        return True
    secret = re.split(r"[=:\s\"']+", found[0].rstrip("\"'"))[-1] if "secret key" in what else found[0]
    return not _EXAMPLE.search(secret) and len(set(secret.rpartition("_")[2])) > _FEW


def _real_address(shown: str, address: str) -> bool:
    parts = _PARTS.search(address)
    if not parts or _PLACEHOLDER.search(shown):
        return False
    user, password = parts[1], parts[2]
    return not (_WORDS.fullmatch(password) or _CAPITALS.fullmatch(password) or user.lower() == password.lower())
