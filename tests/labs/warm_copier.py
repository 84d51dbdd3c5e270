"""The process behind ``tests.labs.warm``: it has imported what Copier uses, and is Copier in a fork of itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import NoReturn

# These look at the environment when they are imported.
AFRESH = ("copier", "plumbum")


def _be_copier(given: int, out: int, errors: int) -> NoReturn:
    """Run one command; the arguments are files: what is asked, its standard output, its standard error."""
    with os.fdopen(given, "rb") as file:
        file.seek(0)
        arguments, cwd, env = json.load(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(out, 1)
    os.dup2(errors, 2)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["copier", *arguments]
    from copier._cli import CopierApp

    CopierApp.run()
    raise AssertionError("it ends the process itself")


def serve(asked: socket.socket) -> None:
    """Run commands until nobody asks any more.

    Args:
        asked: each message has the three files of a command; the answer is its exit code.
    """
    import copier.__main__  # noqa: F401 - it imports all the others

    for name in list(sys.modules):
        if name.partition(".")[0] in AFRESH:
            del sys.modules[name]
    while (message := socket.recv_fds(asked, 1, 3))[0]:
        child = os.fork()
        if child == 0:
            asked.close()
            _be_copier(*message[1])
        for one in message[1]:
            os.close(one)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        asked.send(str(code).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the process that started it
    with socket.socket(fileno=int(sys.argv[1])) as from_that:
        serve(from_that)
