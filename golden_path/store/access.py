"""What a person's configuration of git says about access: all that the engine's own git takes over from it.

Credentials, proxies, ssh, other addresses and trusted folders are needed to reach a repository. Everything else
(conversions, filters, signatures, formats of the output, default names) would make another branch of the same upgrade.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from golden_path.errors import FleetError
from golden_path.store import processes, scratch

SWITCH, IDLE = "GOLDEN_PATH_GIT_TIMEOUT", 120
_KEYS = re.compile(
    r"(?:credential|url|http|ssh|protocol)\..+|safe\.directory|core\.(?:sshcommand|gitproxy|askpass)"
    r"|remote\..+\.proxy(?:authmethod)?",
    re.DOTALL,
)
# How a person's work tree is written: needed only to say whether it has changes.
_FORM = re.compile(r"core\.(?:autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|trustctime|excludesfile)")
# Variables of git's that lead to a server; any other one is not passed on.
_VARIABLES = re.compile(
    r"GIT_(?:SSH(?:_COMMAND|_VARIANT)?|ASKPASS|PROXY_\w+|SSL_\w+|HTTP_\w+|CURL_\w+|ALLOW_PROTOCOL|PROTOCOL_FROM_USER"
    r"|EXEC_PATH)"
)
_WHERE = ("HOME", "XDG_CONFIG_HOME", SWITCH)  # where git finds a person's configuration, and what we add to it


class Files(NamedTuple):
    """Configuration files for git.

    Attributes:
        access: what a person's configuration says about access.
        work_tree: the same, and how their work tree is written.
    """

    access: Path
    work_tree: Path


_held = contextlib.ExitStack()
atexit.register(_held.close)
_turn = threading.Lock()
_known: dict[tuple[object, ...], Files] = {}


def idle() -> int:
    """Return how many seconds a server may be silent: ``GOLDEN_PATH_GIT_TIMEOUT``, or 120.

    Raises:
        FleetError: the variable is no number.
    """
    text = os.environ.get(SWITCH, "") or str(IDLE)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise FleetError(f"{SWITCH} must be a number of seconds from 1 to 9999, not {text!r}")
    return int(text)


def variables(now: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of the environment, of git's only those that are about access.

    Args:
        now: the environment, where the caller has it as a dictionary, which is much faster to look at.
    """
    return {name: value for name, value in (now or os.environ).items()
            if not name.startswith("GIT_") or _VARIABLES.fullmatch(name)}  # fmt: skip


def files(repository: Path | None = None, now: Mapping[str, str] | None = None) -> Files:
    """Return the configuration that git is to read in place of a person's; made once.

    Args:
        repository: whose conditional includes count; None for those of no repository.
        now: as for ``variables``.

    Raises:
        FleetError: the person's configuration cannot be read.
    """
    settings = {name: value for name, value in (now or os.environ).items()
                if name.startswith("GIT_CONFIG") or name in _WHERE}  # fmt: skip
    key = (repository, *sorted(settings.items()))
    with _turn:
        if key not in _known:
            folder = _held.enter_context(scratch.folder())
            made = Files(folder / "access", folder / "work-tree")
            entries = list(_listed(repository, folder, settings))
            _write(made.access, (one for one in entries if _KEYS.fullmatch(one[0])))
            _write(made.work_tree, (one for one in entries if _KEYS.fullmatch(one[0]) or _FORM.fullmatch(one[0])))
            _known[key] = made
        return _known[key]


def _listed(repository: Path | None, folder: Path, settings: dict[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yield keys and values, in the order that counts; a value is None where the file has a key alone."""
    env = {**variables(), **settings, "LC_ALL": "C", "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "config", "--list", "--includes", "--show-scope", "-z"]
    try:
        done = processes.run(command, env=env, cwd=repository or folder, limit=60)
    except FileNotFoundError as error:
        raise FleetError(f"git cannot be run: {error.strerror}: {error.filename}") from None
    except subprocess.TimeoutExpired:
        raise FleetError("your configuration of git cannot be read: no end after 60 seconds") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines() or ["failed"]
        raise FleetError(f"your configuration of git cannot be read: {lines[-1].removeprefix('fatal: ')}")
    parts = done.stdout.decode(errors="surrogateescape").split("\0")
    for scope, entry in zip(parts[::2], parts[1::2], strict=False):
        name, equals, value = entry.partition("\n")
        if scope not in ("local", "worktree"):  # those git reads itself, in their repository
            yield name, value if equals else None


def _write(file: Path, entries: Iterable[tuple[str, str | None]]) -> None:
    # A server that sends nothing is left, also where the engine was killed; what a person says comes after it.
    text = f"[http]\n\tlowSpeedLimit = 1\n\tlowSpeedTime = {idle()}\n"
    for name, value in entries:
        section, _, key = name.rpartition(".")
        section, dot, inner = section.partition(".")
        head = f'[{section} "{_quoted(inner)}"]' if dot else f"[{section}]"
        text += f"{head}\n\t{key}" + ("" if value is None else f' = "{_quoted(value)}"') + "\n"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
