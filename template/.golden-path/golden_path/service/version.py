"""What a build is called: what git says of HEAD, and how the engines that name things by it spell that.

usage: version git     VERSION COMMIT TIME of HEAD in one line: `git describe`, 40 digits, seconds since 1970
       version image   $IMAGE with the tag of $VERSION
       version build   fails if $VERSION or $REVISION cannot be fixed into what is built

A folder without git, or without a commit yet, is 0.0.0-dev of no commit. A repository that git refuses to read is an
error: what is built there would not say what it is.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from golden_path.service.errors import RefusedError

NONE = "0.0.0-dev unknown 0"
# The tag of the OCI distribution specification. Each of its characters stands for itself in a URL, too.
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
# In the broker's URLs it is another resource.
RESERVED = "latest"
MARK = 8
# In a service whose model is an artifact of its own.
MODELS = Path(".golden-path/components/model")
UNFIT = re.compile(r"[^!-~]|['\"`\\$@]")


def tag(version: str) -> str:
    """The tag of an image: the version itself if the specification allows it.

    Args:
        version: any name that git takes for a tag, or what `git describe` makes of it.

    Returns:
        If not, what is left of it and a mark of its own, so that two versions never share a tag.
    """
    return version if TAG.fullmatch(version) else _marked(version)


def pact(version: str) -> str:
    """The version of a pacticipant: a part of the broker's URLs, where + and / get lost on the way.

    Args:
        version: as for `tag`.

    Returns:
        The version, or what is left of it and a mark.
    """
    return version if TAG.fullmatch(version) and version != RESERVED else _marked(version)


def _marked(version: str) -> str:
    digest = hashlib.sha256(os.fsencode(version)).hexdigest()[:MARK]
    left = re.sub(r"[^A-Za-z0-9_.]+", "-", version).strip("-.")[: 127 - MARK]
    return f"{left}-{digest}" if left else digest


def given() -> str:
    """$VERSION; raises RefusedError without one."""
    if not (version := os.environ.get("VERSION", "")):
        raise RefusedError("set VERSION to what the build is called")
    return version


def buildable() -> str:
    """Nothing; raises RefusedError if what a build is called would not arrive in it as it is.

    Go's linker splits at quotes and spaces, Maven replaces what is between @ or in ${}, a properties file unescapes,
    and a JVM without a locale reads ASCII.
    """
    for name in ("VERSION", "REVISION"):
        if found := UNFIT.search(os.environ.get(name, "")):
            rule = f"{name} must be ASCII without spaces, quotes, \\, $ and @"
            raise RefusedError(f"{rule}, not with {found[0]!r}: name the tag otherwise, or pass {name}=")
    return ""


def local_image() -> str:
    """The name of the image in the local engine: $IMAGE with the tag of $VERSION."""
    return f"{os.environ['IMAGE']}:{tag(given())}"


def describe() -> list[str]:
    """What asks git for the version of the image: tags of models, where they are released on their own, are none."""
    return ["describe", "--tags", "--always", *(["--exclude=model-v*"] if MODELS.is_dir() else [])]


def head() -> str:
    """Version, commit and time of HEAD.

    Returns:
        All three, separated by spaces; `NONE` without a repository or a commit.

    Raises:
        RefusedError: there is a repository, and git does not read it; the message is git's own.
    """
    here = Path.cwd()
    if "GIT_DIR" not in os.environ and not any((folder / ".git").exists() for folder in (here, *here.parents)):
        return NONE
    if shutil.which("git") is None:
        raise RefusedError("git is missing: install it, or pass VERSION and REVISION")
    try:
        version = _git(*describe(), "--dirty")
        time, commit = _git("rev-list", "--max-count=1", "--timestamp", "HEAD").split()
    except RefusedError:
        if _unborn():
            return NONE
        raise
    return f"{version} {commit} {time}"


def _unborn() -> bool:
    """Whether HEAD is a branch without a commit."""
    try:
        branch = _git("symbolic-ref", "--quiet", "HEAD")
    except RefusedError:
        return False
    return not _git("for-each-ref", "--count=1", branch)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(done.stderr.strip() or f"git {arguments[0]} failed")
    return done.stdout.strip()


def main(verb: str) -> int:
    try:
        verbs: dict[str, Callable[[], str]] = {"git": head, "image": local_image, "build": buildable}
        said = verbs[verb]()
    except RefusedError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    if said:
        sys.stdout.write(f"{said}\n")
    return 0
