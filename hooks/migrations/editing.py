"""What migrations read and change files of a service with: no link is followed, and an interruption does no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from golden_path.untrusted import inside


def names(service: Path, *patterns: str) -> list[str]:
    """Return the paths of files that match patterns as of ``Path.glob``, sorted; links are among them."""
    return sorted({path.relative_to(service).as_posix() for pattern in patterns for path in service.glob(pattern)})


def read(service: Path, name: str) -> str:
    """Return the text of a file of the service.

    Raises:
        OSError: a link leads there, or it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    return inside.read(service, name).decode("utf-8")


def rewrite(service: Path, name: str, change: Callable[[str], str]) -> bool:
    """Change a text file, its line ends and mode kept; whoever interrupts it leaves the old one or the new one.

    Args:
        service: the root of the service.
        name: the path of the file in it.
        change: from the old text to the new one; lines end in ``\\n`` in it.

    Returns:
        Whether it changed.

    Raises:
        OSError: a link leads there, or it cannot be read or written.
        UnicodeDecodeError: it is no text.
    """
    raw = read(service, name)
    windows = "\r\n" in raw
    text = raw.replace("\r\n", "\n") if windows else raw
    changed = change(text)
    if changed == text:
        return False
    inside.write(service, name, (changed.replace("\n", "\r\n") if windows else changed).encode("utf-8"))
    return True


def refused(name: str, error: OSError | UnicodeDecodeError, todo: str) -> str:
    """Return the line for a file that was left alone.

    Args:
        name: of the file.
        error: why.
        todo: what a person should do.
    """
    reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is no text"
    return f"skip      {name}: {reason[:1].lower()}{reason[1:]}, so it was not changed; {todo}"
