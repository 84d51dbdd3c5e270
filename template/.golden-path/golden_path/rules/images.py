"""Rules on Dockerfiles, wherever they lie in a repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from golden_path.rules import dockerfiles
from golden_path.rules.book import ERROR, SERVICE, WARNING, Fix, Found, rule
from golden_path.rules.dockerfiles import Stage
from golden_path.rules.files import Files, folder

_BESIDE = ("dev", "devcontainer", "gitpod", "test", "tests", "e2e", "playwright", "cypress", "ci")
_NAMES = ("Dockerfile", "dockerfile", "Containerfile")
FILES = (
    *(form.format(name) for name in _NAMES for form in ("{}", "{}.*", "{}-*", "{}_*", "*.{}")),
    # No image of the service's: templates of one, what ignores files, and those that only developers and tests start.
    *(f"!*.{end}" for end in ("dockerignore", "jinja", "jinja2", "j2", "tmpl", "tpl", "template", "erb", "md", "in")),
    *(f"!{form}" for name in _NAMES for one in _BESIDE
      for form in (f"{name}.{one}", f"{name}-{one}", f"*{one}.{name}")),
)  # fmt: skip
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_UNPRIVILEGED = re.compile(r":(?:debug-)?nonroot\b|^cgr\.dev/")  # whose own user is no root
_ROOT = re.compile(r"(?:root|0)(?::|$)")
_USER = b"USER 65532:65532"
_NUMBER = re.compile(r"[1-9]\d*(?::[1-9]\d*)?")
_SMALL = ("gcr.io/distroless/", "cgr.dev/chainguard/")


@rule(
    "GP201", ERROR, "Every base image is pinned by digest.", "a tag can point to another image tomorrow", former="D001"
)
def pinned_bases(files: Files) -> Iterator[Found]:
    """FROM with a tag, or with nothing."""
    for path, stages in _built(files):
        known: set[str] = set()
        for stage in stages:
            image = stage.image
            if image.lower() not in known and image != "scratch" and "$" not in image and not _DIGEST.search(image):
                yield Found(path, stage.lines[0].number, f"{image} is not pinned by digest: add @sha256:...")
            known.add(stage.name)


@rule("GP202", ERROR, "The container does not run as root.", "a process that escapes keeps its user", former="D002")
def unprivileged(files: Files) -> Iterator[Found]:
    """A last stage whose user is root, or nobody's choice."""
    for path, stages in _run(files):
        user = dockerfiles.user(stages)
        if user and _ROOT.match(user.rest):
            yield Found(path, user.number, "the last USER is root: name another one, by number", Fix(path, _no_root))
        elif not user and not _UNPRIVILEGED.search(dockerfiles.root_of(stages)):
            number = stages[-1].lines[0].number
            yield Found(path, number, "has no USER, so it runs as root: name one, by number", Fix(path, _no_root))


def _built(files: Files) -> list[tuple[str, list[Stage]]]:
    """The Dockerfiles of what ships, with their stages."""
    return files.once(_read)


def _read(files: Files) -> list[tuple[str, list[Stage]]]:
    found = ((path, dockerfiles.stages(files.text(path) or "")) for path in files.shipped(*FILES))
    return [(path, stages) for path, stages in found if stages]


def _run(files: Files) -> Iterator[tuple[str, list[Stage]]]:
    """Those of what runs; not of files to copy from, or to export."""
    for path, stages in _built(files):
        starts = any(line.keyword in ("ENTRYPOINT", "CMD") for stage in stages for line in stage.lines)
        if starts or dockerfiles.root_of(stages) != "scratch":
            yield path, stages


def _no_root(content: bytes) -> bytes:
    """Name a user in the last stage: where root was, or before what is started."""
    lines = content.splitlines(keepends=True)
    last = dockerfiles.stages(content.decode(errors="replace"))[-1]
    for wanted in (("USER",), ("ENTRYPOINT", "CMD")):
        found = [line.number - 1 for line in last.lines if line.keyword in wanted]
        if found:
            at = found[-1] if "USER" in wanted else found[0]
            end = b"\r\n" if lines[at].endswith(b"\r\n") else b"\n"
            kept = [] if "USER" in wanted else [lines[at]]
            return b"".join([*lines[:at], _USER + end, *kept, *lines[at + 1 :]])
    return content + (b"" if content.endswith(b"\n") else b"\n") + _USER + b"\n"


@rule(
    "GP205", WARNING, "The user is a number.", "Kubernetes cannot check whether a user name is root",
    scope=SERVICE, former="D002",
)  # fmt: skip
def numbered(files: Files) -> Iterator[Found]:
    """A user by name, or only the base image's; root is of GP202."""
    for path, stages in _run(files):
        user = dockerfiles.user(stages)
        said = "the last USER must be a number above 0: Kubernetes cannot check a name"
        if user and not _NUMBER.fullmatch(user.rest) and not _ROOT.match(user.rest):
            yield Found(path, user.number, said)
        elif not user and _UNPRIVILEGED.search(dockerfiles.root_of(stages)):
            yield Found(path, stages[-1].lines[0].number, said)


@rule(
    "GP206", WARNING, "The entry point is in exec form.", "then the service is process 1 and gets the signals",
    scope=SERVICE, former="D003",
)  # fmt: skip
def exec_form(files: Files) -> Iterator[Found]:
    """No ENTRYPOINT, or one that a shell runs."""
    for path, stages in _run(files):
        entry = dockerfiles.last(stages, "ENTRYPOINT")
        if not entry or not _is_list(entry.rest):
            yield Found(path, entry.number if entry else stages[-1].lines[0].number, "ENTRYPOINT must be a JSON list")


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


@rule(
    "GP207", WARNING, "The final image has no shell and no package manager.", "what is not there needs no patches",
    scope=SERVICE, former="D004",
)  # fmt: skip
def small_base(files: Files) -> Iterator[Found]:
    """A last stage that is neither distroless nor Wolfi."""
    for path, stages in _run(files):
        base = dockerfiles.root_of(stages)
        if base != "scratch" and not any(small in base for small in _SMALL):
            yield Found(path, stages[-1].lines[0].number, f"the last FROM is none of {', '.join(_SMALL)}")


@rule(
    "GP208", WARNING, ".dockerignore lists what the build gets.", "then secrets stay out of the build context",
    scope=SERVICE, former="D005",
)  # fmt: skip
def listed_context(files: Files) -> Iterator[Found]:
    """A Dockerfile at the root whose .dockerignore lets in what nobody listed."""
    ignores = dict.fromkeys(
        own if files.has(own := f"{path}.dockerignore") else ".dockerignore"
        for path, _ in _built(files) if not folder(path)
    )  # fmt: skip
    for path in ignores:
        if not {"*", "**"} & set((files.text(path) or "").splitlines()):
            yield Found(path, 0, "must begin with *, and list what goes in")
