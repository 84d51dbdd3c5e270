"""Running git: without prompts, hooks or a pager, bounded in time, and with its reason as one line.

The same input gives the same output and the same objects whoever runs it: of a person's configuration and variables
only what is about access counts (``access``), and the settings of a repository that would change what we read or write
are overruled.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.store import access, processes

TIMEOUT = 900
LONGEST, FILES = 1000, 5  # characters of a reason, and names in it
EMAIL = "golden-path@noreply.invalid"  # nobody's address: a branch with a commit of another one holds somebody's work
_SAFE = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.quotePath=false", "color.ui=false",
         "column.ui=never", "gc.auto=0", "maintenance.auto=false", "submodule.recurse=false",
         "core.attributesFile=/dev/null")  # fmt: skip
# What a repository's own configuration may say otherwise, and would change what we read or write.
_PLAIN = (
    "core.autocrlf=false", "core.eol=lf", "core.safecrlf=false", "core.bigFileThreshold=512m",
    "core.excludesFile=/dev/null", "core.warnAmbiguousRefs=true", "log.showSignature=false", "log.follow=false",
    "log.diffMerges=separate", "log.mailmap=false", "i18n.logOutputEncoding=UTF-8", "i18n.commitEncoding=UTF-8",
    "diff.renames=true", "diff.algorithm=default", "merge.conflictStyle=merge", "tag.sort=refname",
    "grep.lineNumber=false", "grep.column=false", "grep.fullName=false", "push.followTags=false",
    "push.gpgSign=false", "push.recurseSubmodules=no", "push.pushOption=", "fetch.recurseSubmodules=false",
    "fetch.pruneTags=false", "fetch.writeCommitGraph=false",
)  # fmt: skip
_OVERRULED = [part for one in (*_SAFE, *_PLAIN) for part in ("-c", one)]
_OVERRULED_IN_A_WORK_TREE = [part for one in _SAFE for part in ("-c", one)]
# What a caller has set for a repository of its own must not lead us to another one.
FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
           "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX")  # fmt: skip
_ALWAYS = {
    "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TEMPLATE_DIR": "",
    "GIT_AUTHOR_NAME": "golden-path", "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": "golden-path", "GIT_COMMITTER_EMAIL": EMAIL,
}  # fmt: skip
_PROGRESS = re.compile(r".*: +\d+% \(\d+/\d+\).*|(?:Enumerating|Counting|Total|Delta compression|Generating pack) ?.*")
_REJECTED = re.compile(r"! \[(?:remote )?rejected\] .*\((.+)\)")
_NO_REASON = re.compile(r"failed to push some refs|hook declined to update|hook declined$")


class GitError(Exception):
    """git failed.

    Args:
        verb: which of its commands.
        reason: what of its output says why, on one line.
    """

    def __init__(self, verb: str, reason: str) -> None:
        super().__init__(f"git {verb}: {reason}")
        self.reason = reason


def environment(extra: Mapping[str, str] | None = None, *, reached_from: Path | None = None) -> dict[str, str]:
    """Return the environment that git runs in.

    Args:
        extra: variables to add.
        reached_from: the person's repository whose conditional includes say how a server is reached.

    Returns:
        The caller's variables, of git's only those about access, and what makes git the same for everybody.
    """
    now = dict(os.environ)
    return {**access.variables(now), **settings(reached_from, now), "LC_ALL": "C", **(extra or {})}


def alone() -> dict[str, str]:
    """Return the variables of a git that reaches no server: for programs of others, who get no access of a person's."""
    return {**_ALWAYS, "GIT_CONFIG_GLOBAL": os.devnull}


def settings(reached_from: Path | None = None, now: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that make git the same for everybody.

    Args:
        reached_from: as for ``environment``.
        now: the environment, where the caller has it as a dictionary.
    """
    return {**_ALWAYS, "GIT_CONFIG_GLOBAL": str(access.files(reached_from, now).access)}


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    data: bytes | None = None,
    codes: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
    reached_from: Path | None = None,
) -> bytes:
    """Run git.

    Args:
        arguments: what comes after ``git``, the command first; with ``--progress``, and of ``ls-remote``, the
            other side may not be silent for longer than ``access.idle()`` seconds.
        cwd: where.
        data: its standard input.
        codes: exit codes that are no failure.
        env: variables to add.
        reached_from: as for ``environment``.

    Returns:
        Its standard output.

    Raises:
        GitError: it failed, or took longer than ``TIMEOUT`` seconds.
        FleetError: git is not installed.
    """
    return _run([*_OVERRULED, *arguments], environment(env, reached_from=reached_from), cwd, data or b"", codes)


def text(*arguments: str | Path, cwd: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
    """Run git, and return its output as text without the last line's end.

    Raises:
        GitError: it failed.
    """
    return run(*arguments, cwd=cwd, codes=codes).decode(errors="surrogateescape").rstrip("\n")


def changed(folder: Path, settings: bytes) -> bool:
    """Whether a work tree has changes of tracked files that are not committed; no program of anybody's is run.

    Args:
        folder: the work tree.
        settings: the text of the configuration files of its repository.

    Raises:
        GitError: it cannot be read.
    """
    options, env = in_work_tree(None)
    filters: list[str] = []
    if re.search(rb"filter|include", settings, re.IGNORECASE):
        listed = _run(["config", "--list", "--includes", "--name-only", "-z"], env, folder)
        names = {one.rpartition(".")[0] for one in listed.decode(errors="surrogateescape").split("\0")
                 if one.startswith("filter.")}  # fmt: skip
        filters = [f"{name}.{key}" for name in sorted(names) for key in ("clean", "smudge", "process", "required")]
    env["GIT_CONFIG_COUNT"] = str(len(filters))
    for number, name in enumerate(filters):
        env[f"GIT_CONFIG_KEY_{number}"] = name
        env[f"GIT_CONFIG_VALUE_{number}"] = "false" if name.endswith(".required") else ""
    asked = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return bool(_run([*options, *asked], env, folder))


def in_work_tree(folder: Path | None) -> tuple[list[str], dict[str, str]]:
    """Return the options and the environment of a git that reads a work tree as its person's git writes it.

    Args:
        folder: the work tree; None where conditional includes do not count.
    """
    return _OVERRULED_IN_A_WORK_TREE, environment({"GIT_CONFIG_GLOBAL": str(access.files(folder).work_tree)})


def switch(folder: Path, branch: str) -> None:
    """Switch a work tree to a branch as its person's own git does it, with their filters and line ends.

    Args:
        folder: the work tree.
        branch: its name.

    Raises:
        GitError: something is in the way; the work tree is as it was.
    """
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    command = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "switch",
        "--quiet",
        "--no-overwrite-ignore",
        branch,
    ]
    _run(command, {**env, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}, folder)


def _run(
    arguments: list[str | Path] | list[str], env: Mapping[str, str], cwd: Path | None, data: bytes = b"",
    codes: tuple[int, ...] = (0,),
) -> bytes:  # fmt: skip
    words = iter([str(word) for word in arguments])
    verb = next(word for word in words if not (word.startswith("-") and (word not in ("-c", "-C") or next(words))))
    idle = access.idle() if "--progress" in arguments or verb == "ls-remote" else None
    try:
        done = processes.run(["git", *arguments], env=env, cwd=cwd, data=data, limit=TIMEOUT, idle=idle)
    except FileNotFoundError as error:
        raise FleetError(f"git cannot be run: {error.strerror}: {error.filename}") from None
    except subprocess.TimeoutExpired as late:
        silent = f"the other side sent nothing for {idle} seconds" if late.timeout == idle else ""
        raise GitError(verb, silent or f"no end after {TIMEOUT} seconds") from None
    if done.returncode not in codes:
        raise GitError(verb, _reason(done.stderr))
    return done.stdout


def _reason(output: bytes) -> str:
    """What git and the other side say: why it was refused, else the line that is fatal, else the first one."""
    shown = output.decode(errors="replace")
    files = [line.strip() for line in shown.splitlines() if line.startswith("\t")]
    lines = list(filter(None, (line.strip() for line in re.split(r"[\r\n]+", shown))))
    said = list(dict.fromkeys(_said(lines)))
    named = [line for line in lines if line.startswith(("fatal:", "error:")) and not _NO_REASON.search(line)]
    own = [line.removeprefix("fatal: ").removeprefix("error: ") for line in (named or lines or ["failed"])[:1]]
    if own[0].endswith(":"):
        own = [f"{own[0]} {', '.join(files[:FILES])}" + (" ..." if len(files) > FILES else "")]
    reason = "; ".join(said + (own if named else []) if said else own)
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]} ..."


def _said(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("remote:"):
            words = line.removeprefix("remote:").strip()
            if words and not _PROGRESS.fullmatch(words) and not _NO_REASON.search(words):
                yield words.removeprefix("error: ")
        elif (found := _REJECTED.match(line)) and not _NO_REASON.search(found[1]):
            yield found[1]


def refuse(error: GitError, message: str, code: Exit) -> FleetError:
    """Return the error of ours for one of git's, with git's reason at its end."""
    return FleetError(f"{message} ({error.reason})", code)
