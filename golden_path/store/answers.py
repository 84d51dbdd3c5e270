"""The answers file of a service: which template, which version, which answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.untrusted import credentials, foreign

PATTERN = re.compile(r"\.copier-answers(?:\.[\w.-]+)?\.ya?ml")
LONGEST = 1000  # characters of an address
_ABSOLUTE = re.compile(r"/|~|[\w.-]+@[\w.-]+:|\w[\w+.-]*:")


@dataclass(frozen=True)
class Answers:
    """What an answers file says.

    Attributes:
        path: of the file, in the repository.
        source: where the template is (``_src_path``), as it stands there.
        version: which version of it was rendered (``_commit``).
        values: the answers by question.
        content: the file's bytes.
    """

    path: str
    source: str
    version: str
    values: dict[str, Any]
    content: bytes


NONE = Answers("", "", "", {}, b"")


def find(names: Sequence[str], wanted: str = "", elsewhere: Callable[[], Sequence[str]] = tuple) -> str:
    """Choose the answers file of a repository.

    Args:
        names: the files at its root, and the one that the user named, if that is in a folder.
        wanted: the one that the user named.
        elsewhere: says which files in folders may be one, for the message.

    Returns:
        Its name.

    Raises:
        FleetError: there is none, or more than one and none was named.
    """
    if wanted:
        if wanted not in names:
            raise FleetError(f"there is no {wanted} in the last commit; name the service's answers file", Exit.ANSWERS)
        return wanted
    found = sorted(name for name in names if PATTERN.fullmatch(name))
    if not found and (others := elsewhere()):
        raise FleetError(
            f"no .copier-answers.yml at the root of the last commit: if {others[0]} is the service's answers file, "
            f"name it with --answers-file {others[0]}",
            Exit.ANSWERS,
        )
    if not found:
        raise FleetError(
            "no .copier-answers.yml in the last commit: the service does not know its template; commit the file that "
            "copier copy wrote, or name another with --answers-file",
            Exit.ANSWERS,
        )
    if len(found) > 1:
        raise FleetError(f"several answers files: choose with --answers-file ({', '.join(found)})", Exit.ANSWERS)
    return found[0]


def parse(path: str, content: bytes) -> Answers:
    """Read an answers file.

    Args:
        path: its name, for messages.
        content: its bytes.

    Raises:
        FleetError: it is no YAML, more than answers are, or does not say where the template is.
    """
    how = f"restore it, for example with 'git log -p -- {path}'"
    try:
        data = bounded.load(content)
    except bounded.TooMuchError as error:
        raise FleetError(f"{path}{bounded.line(error)} {error}: {how}", Exit.ANSWERS) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        found = bounded.line(error).replace(":", " in line ", 1)
        raise FleetError(f"{path} is not valid YAML{found}: {how}", Exit.ANSWERS) from None
    if not isinstance(data, dict) or not all(isinstance(data.get(key), str) for key in ("_src_path", "_commit")):
        raise FleetError(
            f"{path} has no _src_path and _commit (as text): the service does not know its template; restore them, "
            f"for example with 'git log -p -- {path}'",
            Exit.ANSWERS,
        )
    source, version = data["_src_path"], data["_commit"]
    if not _ABSOLUTE.match(source):
        raise FleetError(
            f"_src_path in {path} is {source!r}, which depends on the folder: write the template's address or its "
            "absolute path",
            Exit.ANSWERS,
        )
    for name in ("_src_path", "_commit"):
        if foreign.escaped(data[name]) != data[name] or len(data[name]) > LONGEST:
            raise FleetError(f"{name} in {path} is no address and no version: {how}", Exit.ANSWERS)
    if reason := credentials.reason(source):
        raise FleetError(f"_src_path in {path} {reason}", Exit.ANSWERS)
    if reason := _odd(data):
        raise FleetError(f"{path} has {reason}: {how}", Exit.ANSWERS)
    values = {str(name): value for name, value in data.items() if not str(name).startswith("_")}
    return Answers(path, source, version, values, content)


def _odd(data: Any, place: str = "") -> str:
    """Say what no question can have as an answer; empty where there is nothing."""
    if isinstance(data, dict):
        for name, value in data.items():
            if not isinstance(name, str | int | float | bool | None):
                return f"a key that is no text{place}"
            if reason := _odd(value, place or f" in {name}"):
                return reason
    elif isinstance(data, list | tuple):
        return next(filter(None, (_odd(one, place) for one in data)), "")
    elif isinstance(data, bytes | set):
        return f"a value of a kind that no answer has{place}"
    elif isinstance(data, str) and any("\ud800" <= one <= "\udfff" or one == "\0" for one in data):
        return f"a text that is no text{place}"
    return ""
