"""The environment of programs that somebody else wrote: what they need to run, and no more.

A check, a migration, a task or an extension of a template sees these variables, those that ``fleet.yaml`` names for
checks, and an empty home: no token, and no key file or login where programs look for them. That is no sandbox: such a
program can read what the user can read, and it has the network.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from golden_path.store.trees import EMAIL
from golden_path.untrusted import credentials

# Where programs, texts and certificates are; with what ``*`` stands for.
ALLOWED = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "TERM", "SHELL", "CI", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "PYTHONPATH", "PYTHONHASHSEED",
    "PYTHONWARNINGS", "SOURCE_DATE_EPOCH", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy",
    "https_proxy", "all_proxy", "no_proxy", "GIT_CONFIG_NOSYSTEM", "LD_LIBRARY_PATH", "VIRTUAL_ENV",
)  # fmt: skip
_WHO = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "golden-path"), ("EMAIL", EMAIL))}  # fmt: skip


def names(extra: Sequence[str] = ()) -> frozenset[str]:
    """Return the variables of this process that are given on.

    Args:
        extra: names besides those of ``ALLOWED``. A name there whose value has a password, as a proxy's may, is left
            out unless it is here.
    """
    allowed = {name for name in os.environ if name in ALLOWED or name.startswith("LC_")}
    return frozenset({name for name in allowed if credentials.masked(os.environ[name]) == os.environ[name]} | {
        name for name in extra if name in os.environ
    })  # fmt: skip


@contextlib.contextmanager
def made(extra: Sequence[str] = (), more: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Make an environment with an empty home, which is removed with the context.

    Args:
        extra: names of variables that are given on besides.
        more: variables to set.

    Yields:
        The environment.
    """
    with tempfile.TemporaryDirectory(prefix="golden-path-home-", ignore_cleanup_errors=True) as home:
        yield of(Path(home), extra, more)


def of(home: Path, extra: Sequence[str] = (), more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment with a folder as its home.

    Args:
        home: the folder.
        extra: names of variables that are given on besides.
        more: variables to set.
    """
    given = {name: os.environ[name] for name in names(extra)}
    return {"HOME": str(home), **_WHO, "GIT_TERMINAL_PROMPT": "0", **given, **(more or {})}
