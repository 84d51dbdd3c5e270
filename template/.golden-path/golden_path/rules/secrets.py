"""What looks like a secret: the one list of forms and of names, for files, for manifests, and for what is masked."""

from __future__ import annotations

import re
from typing import NamedTuple


class Look(NamedTuple):
    """A form of secrets.

    Attributes:
        what: it is, with its article.
        pattern: finds one that could be real.
        masked: an expression for what is masked where a program prints it, also if it is cut; empty for none.
    """

    what: str
    pattern: re.Pattern[str]
    masked: str = ""


KEY, SIGNED, ADDRESS, AWS = "a private key", "a signed token", "a password in an address", "an AWS secret key"
LOOKS = (
    Look(KEY, re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    Look("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), r"(?:AKIA|ASIA)[A-Z0-9]{12,}"),
    Look(AWS, re.compile(
        r"(?i:aws_?)?(?i:secret_?(?:access_?)?key)\b[\"']?\s*[:=]\s*[\"']?[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])"
    )),
    Look(
        "a GitHub token", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})"),
        r"gh[pousr]_\w{10,}|github_pat_\w{10,}",
    ),
    Look("a GitLab token", re.compile(r"\bgl(?:pat|dt|rt|ft)-[\w-]{20,}"), r"gl[a-z]{2,6}-[\w-]{10,}"),
    Look(
        "a Slack token", re.compile(r"\b(?:xox[abeoprs]-[0-9A-Za-z]{6,}|xapp-\d-[0-9A-Z]+)-[0-9A-Za-z-]{10,}"),
        r"xox[a-z]-[\w-]{10,}|xapp-\d-[\w-]{10,}",
    ),
    Look("a Slack address to post to", re.compile(r"https://hooks\.slack\.com/services/T\w+/B\w+/[0-9A-Za-z]{20,}")),
    Look("a token of npm", re.compile(r"\bnpm_[0-9A-Za-z]{36}\b"), r"npm_\w{20,}"),
    Look("a token of PyPI", re.compile(r"\bpypi-AgE[\w-]{50,}"), r"pypi-[\w-]{20,}"),
    Look(SIGNED, re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    Look(ADDRESS, re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@\"']+:[^\s/@\"']+@")),
)  # fmt: skip
# Tokens that say themselves what they are, to be masked.
MASKED = re.compile(rf"\b(?:{'|'.join(one.masked for one in LOOKS if one.masked)})")

# How what holds a secret is called. What says where one is (TOKEN_FILE, TOKEN_URL) is not.
NAMES = (
    r"(?i:(?:password|passwd|passphrase|secret|token|(?:api|access|private|secret)[_-]?key|credentials?)"
    r"|(?:^|[_.-])(?:pass|pwd))"
)
_CALLED = re.compile(rf"(?:{NAMES}|[a-z0-9](?:Pass|Pwd))$")
# A value that only stands for one: a variable, a template's place, a reference to a store.
_STANDS = re.compile(
    r"\$\(\w+\)|\$\{[^}]*\}|\$\w+|\{\{.*\}\}|\[\[.*\]\]|<[^<>]*>|%\w+%|ENC\[.*|(?:ref\+|vault:|op://|arn:aws:secretsmanager:).*",
    re.DOTALL,
)


def called(name: str) -> bool:
    """Whether what has a name would hold a secret."""
    return bool(_CALLED.search(name))


def written(value: object) -> bool:
    """Whether a value is one, and not empty or only a place for it."""
    text = str(value).strip() if value is not None else ""
    return bool(text) and not _STANDS.fullmatch(text)
