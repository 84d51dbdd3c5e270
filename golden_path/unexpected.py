"""What nobody expected becomes one line, with an exit code, and a file with the details."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import threading
import traceback
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.store import git
from golden_path.untrusted import credentials

LARGEST = 1 << 20  # bytes of the file; a fleet may meet the same mistake in each service
_lock = threading.Lock()
_file: list[Path] = []  # one a process


def told(error: Exception) -> tuple[str, Exit]:
    """Return the line and the exit code for whatever ended the work on a service, or a command.

    Args:
        error: which; where it is a mistake of ours, its details are written to a file that only this user can read.
    """
    if isinstance(error, FleetError):
        return str(error), error.code
    if isinstance(error, git.GitError):
        return credentials.masked(str(error)), Exit.REPOSITORY
    if isinstance(error, OSError) and error.strerror:
        named = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        return credentials.masked(f"{error.strerror}{named}"), Exit.FAILED
    last = traceback.extract_tb(error.__traceback__)[-1:] if error.__traceback__ else []
    where = f" in {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    kept = _keep(error)
    more = f"details for a report are in {kept}" if kept else "its details cannot be written to the temporary folder"
    return f"unexpected {type(error).__name__}{where}, which is a mistake of golden-path: {more}", Exit.FAILED


def _keep(error: Exception) -> Path | None:
    text = "".join(traceback.format_exception(error, limit=-50, chain=True))
    text = credentials.redacted(text, variables=credentials.secrets(os.environ))
    words = " ".join(map(credentials.masked, sys.argv))
    entry = f"golden-path, Python {platform.python_version()}, {platform.platform()}\n{words}\n{text[-50_000:]}\n"
    with _lock, contextlib.suppress(OSError):
        if not _file:
            handle, name = tempfile.mkstemp(prefix="golden-path-error-", suffix=".txt")  # for this user alone
            os.close(handle)
            _file.append(Path(name))
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(_file[0], flags), "ab") as stream:  # noqa: PTH123 - of a handle
            if os.fstat(stream.fileno()).st_size < LARGEST:
                stream.write(entry.encode(errors="backslashreplace"))
        return _file[0]
    return None
