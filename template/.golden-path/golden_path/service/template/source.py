"""What the verbs share: where the template is, which versions it has, and a clean work tree of what is committed."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from golden_path.service.errors import RefusedError

ANSWERS = ".copier-answers.yml"
RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)")

# What a person's git does otherwise must not change the update; Copier's own git obeys them, too.
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.quotePath": "false",
    "core.autocrlf": "false",
    "core.eol": "lf",
    "core.attributesFile": "/dev/null",
    "color.ui": "false",
    "column.ui": "never",
    "log.showSignature": "false",
}
# What leads git to another repository than the one of the folder.
ELSEWHERE = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
    "GIT_DEFAULT_HASH",
}


def run(
    *command: str | Path, cwd: Path | None = None, codes: tuple[int, ...] = (0,), env: dict[str, str] | None = None
) -> bytes:
    variables = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    number = int(variables.get("GIT_CONFIG_COUNT") or 0)
    for key, value in SETTINGS.items():
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        number += 1
    variables |= {"GIT_CONFIG_COUNT": str(number), "GIT_TERMINAL_PROMPT": "0", **(env or {})}
    verb = next(word for word in map(str, command[1:]) if re.fullmatch("[a-z][a-z-]*", word))
    what = f"{Path(command[0]).name} {verb}"
    try:
        done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, check=False, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"{what}: {error}") from None
    if done.returncode not in codes:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise RefusedError(f"{what}: {lines[-1] if lines else 'failed'}")
    return done.stdout


def git(*arguments: str | Path, cwd: Path | None = None, **env: str) -> str:
    return run("git", *arguments, cwd=cwd, env=env).decode(errors="surrogateescape").strip()


@contextlib.contextmanager
def work_tree() -> Iterator[tuple[Path, Path]]:
    """A clean work tree of HEAD, and a folder for more."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "service")
        git("worktree", "add", "--quiet", "--detach", tree, "HEAD")
        try:
            yield tree, Path(folder)
        finally:
            git("worktree", "remove", "--force", tree)


def origin() -> tuple[str, str]:
    """Where the template is, and the version of it that this service has."""
    try:
        answers = git("show", f"HEAD:{ANSWERS}")
    except RefusedError:
        raise RefusedError(f"no {ANSWERS} is committed: the service does not know its template") from None
    found = dict(re.findall(r"""^(_src_path|_commit): ['"]?(.+?)['"]?$""", answers, re.MULTILINE))
    if len(found) != 2:
        raise RefusedError(f"{ANSWERS} has no _src_path and _commit: the service does not know its template")
    source = found["_src_path"]
    if not re.match(r"/|~|\w[\w+.-]*:|[\w.-]+@[\w.-]+:", source):
        raise RefusedError(
            f"_src_path in {ANSWERS} depends on the folder: write the address of the template instead of {source!r}"
        )
    return source, found["_commit"]


def number(version: str) -> tuple[int, ...]:
    found = RELEASE.match(version)
    return tuple(map(int, found[1].split("."))) if found else ()


def newest(source: str, current: str, wanted: str) -> str:
    """The version to go to, or nothing where there is nothing to do."""
    address = re.sub(
        r"^gl:", "https://gitlab.com/", re.sub(r"^gh:", "https://github.com/", source.removeprefix("git+"))
    )
    listed = git("ls-remote", "--tags", "--refs", "--", os.path.expanduser(address))
    tags = re.findall(r"refs/tags/(v?\d[\w.+-]*)$", listed, re.MULTILINE)
    releases = sorted((tag for tag in tags if RELEASE.fullmatch(tag)), key=number)
    if wanted and wanted not in tags:
        raise RefusedError(
            f"the template has no version {wanted!r}; the newest are {', '.join(releases[-3:]) or 'none'}"
        )
    if wanted and number(wanted) < number(current):
        raise RefusedError(f"{wanted} is older than {current}, which the service has: an update does not go back")
    if wanted:
        return "" if wanted == current else wanted
    return releases[-1] if releases and number(releases[-1]) > number(current) else ""
