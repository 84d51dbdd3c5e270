"""Rules on images and on what runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from fleet.doctor.repository import Repository
from fleet.doctor.rules import ERROR, WARNING, Fix, Found, rule

_FILES = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile", "!*.dockerignore", "!*.jinja")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_UNPRIVILEGED = re.compile(r":(?:debug-)?nonroot\b|^cgr\.dev/")  # whose own user is no root
_ROOT = re.compile(r"(?:root|0)(?::|$)")
_USER = b"USER 65532:65532"
_KINDS = {"Deployment", "StatefulSet", "DaemonSet", "Rollout"}
_MANIFESTS = ("*.yaml", "*.yml", "!/.github/**")


class _Line(NamedTuple):
    number: int
    keyword: str
    rest: str


class _Stage(NamedTuple):
    image: str
    name: str
    lines: list[_Line]


@rule("GP201", ERROR, "Every base image is pinned by digest.", "a tag is another image tomorrow", policy="D001")
def pinned_bases(repository: Repository) -> Iterator[Found]:
    """FROM with a tag, or with nothing."""
    for path in repository.own(*_FILES):
        known: set[str] = set()
        for stage in _stages(repository.text(path) or ""):
            image = stage.image
            if image.lower() not in known and image != "scratch" and "$" not in image and not _DIGEST.search(image):
                yield Found(path, stage.lines[0].number, f"{image} is not pinned by digest: add @sha256:...")
            known.add(stage.name.lower())


@rule("GP202", ERROR, "What runs is not root.", "who breaks out of a container is who it ran as", policy="D002")
def unprivileged(repository: Repository) -> Iterator[Found]:
    """A last stage whose user is root, or nobody's choice."""
    for path in repository.own(*_FILES):
        stages = _stages(repository.text(path) or "")
        if not stages:
            continue
        by_name = {stage.name.lower(): stage for stage in stages if stage.name}
        stage, seen, user = stages[-1], set[str](), None
        while user is None:
            user = next((line for line in reversed(stage.lines) if line.keyword == "USER"), None)
            parent = by_name.get(stage.image.lower())
            if user or not parent or parent.name in seen:
                break
            seen.add(parent.name)
            stage = parent
        if user and _ROOT.match(user.rest):
            yield Found(path, user.number, "the last USER is root: name another one, by number", Fix(path, _no_root))
        elif not user and not _UNPRIVILEGED.search(stage.image):
            number = stages[-1].lines[0].number
            yield Found(path, number, "has no USER, so it runs as root: name one, by number", Fix(path, _no_root))


def _no_root(content: bytes) -> bytes:
    """Name a user in the last stage: where root was, or before what is started."""
    lines = content.splitlines(keepends=True)
    start = _stages(content.decode(errors="replace"))[-1].lines[0].number - 1
    for wanted in (rb"\s*USER\s", rb"\s*(?:ENTRYPOINT|CMD)\s"):
        found = [number for number in range(start, len(lines)) if re.match(wanted, lines[number], re.IGNORECASE)]
        if found:
            at = found[-1] if b"USER" in wanted else found[0]
            end = b"\r\n" if lines[at].endswith(b"\r\n") else b"\n"
            kept = [] if b"USER" in wanted else [lines[at]]
            return b"".join([*lines[:at], _USER + end, *kept, *lines[at + 1 :]])
    return content + (b"" if content.endswith(b"\n") else b"\n") + _USER + b"\n"


def _stages(text: str) -> list[_Stage]:
    """The stages of a Dockerfile; arguments before the first have their defaults filled in."""
    stages: list[_Stage] = []
    defaults: dict[str, str] = {}
    for line in _instructions(text):
        if line.keyword == "FROM":
            words = [word for word in line.rest.split() if not word.startswith("--")]
            image = re.sub(r"\$\{?(\w+)\}?", lambda match: defaults.get(match[1], match[0]), words[0]) if words else ""
            stages.append(_Stage(image, words[2] if len(words) > 2 else "", [line]))
        elif stages:
            stages[-1].lines.append(line)
        elif line.keyword == "ARG" and "=" in line.rest:
            name, _, value = line.rest.partition("=")
            defaults[name.strip()] = value.strip().strip("\"'")
    return stages


def _instructions(text: str) -> Iterator[_Line]:
    start, joined, ends = 0, "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if ends:  # inside a here-document
            ends = "" if line.strip() == ends else ends
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start or number
        joined += line.strip().removesuffix("\\")
        if not line.rstrip().endswith("\\"):
            keyword, _, rest = joined.partition(" ")
            document = re.search(r"<<-?[\"']?(\w+)", rest) if keyword.upper() in ("RUN", "COPY", "ADD") else None
            ends = document[1] if document else ""
            yield _Line(start, keyword.upper(), rest.strip())
            start, joined = 0, ""


@rule("GP203", WARNING, "A manifest names which version runs.", "'latest' is another one at each restart")
def named_versions(repository: Repository) -> Iterator[Found]:
    """Images of containers by 'latest' or no tag, which no kustomization sets."""
    replaced = {
        str(image.get("name"))
        for path in repository.own("kustomization.y*ml")
        for image in _list(repository.mapping(path).get("images"))
        if isinstance(image, dict)
    }
    for path, container, _ in _containers(repository):
        image = str(container["image"])
        name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
        if "@" not in image and tag in ("", "latest") and name not in replaced and "$" not in image:
            number = _number(repository, path, image)
            yield Found(path, number, f"{image} is whatever is newest: name a version, best by digest")


@rule("GP204", WARNING, "The cluster can ask whether it is well.", "one that hangs still gets requests")
def probed(repository: Repository) -> Iterator[Found]:
    """Workloads with no container that has a readiness probe."""
    for path, container, pod in _containers(repository):
        containers = [one for one in _list(pod.get("containers")) if isinstance(one, dict)]
        if any("readinessProbe" in one for one in containers):
            continue
        if container is next(one for one in containers if "image" in one):
            number = _number(repository, path, str(container["image"]))
            yield Found(path, number, "no container has a readinessProbe: serve a health endpoint, and name it here")


def _containers(repository: Repository) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each container with an image, with the file and the pod that it is of."""
    for path in repository.own(*_MANIFESTS):
        text = repository.text(path) or ""
        if "kind:" not in text or "image:" not in text:
            continue
        for document in repository.documents(path):
            if not isinstance(document, dict) or document.get("kind") not in _KINDS:
                continue
            pod: Any = document
            for key in ("spec", "template", "spec"):
                pod = pod.get(key) if isinstance(pod, dict) else None
            for container in _list(pod.get("containers")) if isinstance(pod, dict) else ():
                if isinstance(container, dict) and "image" in container:
                    yield path, container, pod


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(repository: Repository, path: str, part: str) -> int:
    before, found, _ = (repository.text(path) or "").partition(part)
    return before.count("\n") + 1 if found else 1
