"""Rules on images and on what runs them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from golden_path.doctor import dockerfiles
from golden_path.doctor.repository import Repository
from golden_path.doctor.rules import ERROR, WARNING, Fix, Found, rule

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
_KINDS = {"Deployment", "StatefulSet", "DaemonSet", "Rollout"}
_MANIFESTS = ("*.yaml", "*.yml", "!/.github/**")


@rule("GP201", ERROR, "Every base image is pinned by digest.", "a tag is another image tomorrow", policy="D001")
def pinned_bases(repository: Repository) -> Iterator[Found]:
    """FROM with a tag, or with nothing."""
    for path in repository.shipped(*FILES):
        known: set[str] = set()
        for stage in dockerfiles.stages(repository.text(path) or ""):
            image = stage.image
            if image.lower() not in known and image != "scratch" and "$" not in image and not _DIGEST.search(image):
                yield Found(path, stage.lines[0].number, f"{image} is not pinned by digest: add @sha256:...")
            known.add(stage.name)


@rule("GP202", ERROR, "What runs is not root.", "who breaks out of a container is who it ran as", policy="D002")
def unprivileged(repository: Repository) -> Iterator[Found]:
    """A last stage whose user is root, or nobody's choice."""
    for path in repository.shipped(*FILES):
        stages = dockerfiles.stages(repository.text(path) or "")
        if not stages or (dockerfiles.root_of(stages) == "scratch" and not _starts(stages)):
            continue  # files to copy from, or to export: nothing runs
        user = dockerfiles.user(stages)
        if user and _ROOT.match(user.rest):
            yield Found(path, user.number, "the last USER is root: name another one, by number", Fix(path, _no_root))
        elif not user and not _UNPRIVILEGED.search(dockerfiles.root_of(stages)):
            number = stages[-1].lines[0].number
            yield Found(path, number, "has no USER, so it runs as root: name one, by number", Fix(path, _no_root))


def _starts(stages: list[dockerfiles.Stage]) -> bool:
    return any(line.keyword in ("ENTRYPOINT", "CMD") for stage in stages for line in stage.lines)


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


@rule("GP203", WARNING, "A manifest names which version runs.", "'latest' is another one at each restart")
def named_versions(repository: Repository) -> Iterator[Found]:
    """Images of containers by 'latest' or no tag, which no kustomization sets."""
    replaced = {
        str(image.get("name"))
        for path in repository.own("kustomization.y*ml")
        for image in _list(repository.mapping(path).get("images"))
        if isinstance(image, dict)
    }
    seen: Counter[tuple[str, str]] = Counter()
    for path, container, _ in all_of(repository):
        image = str(container["image"])
        seen[path, image] += 1
        name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
        if "@" not in image and tag in ("", "latest") and name not in replaced and "$" not in image:
            number = _number(repository, path, image, seen[path, image])
            yield Found(path, number, f"{image} is whatever is newest: name a version, best by digest")


@rule("GP204", WARNING, "The cluster can ask whether it is well.", "one that hangs still gets requests")
def probed(repository: Repository) -> Iterator[Found]:
    """Workloads with no container that has a readiness probe."""
    seen: Counter[tuple[str, str]] = Counter()
    for path, container, pod in all_of(repository):
        image = str(container["image"])
        seen[path, image] += 1
        containers = [one for one in _list(pod.get("containers")) if isinstance(one, dict)]
        if any("readinessProbe" in one for one in containers):
            continue
        if container is next(one for one in containers if "image" in one):
            number = _number(repository, path, image, seen[path, image])
            yield Found(path, number, "no container has a readinessProbe: serve a health endpoint, and name it here")


def all_of(repository: Repository) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
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


def _number(repository: Repository, path: str, image: str, time: int) -> int:
    """The line on which an image stands in a file for the first, second, ... time."""
    lines = (repository.text(path) or "").splitlines()
    named = re.compile(rf"image[\"']?\s*:\s*[\"']?{re.escape(image)}(?![\w.:@/-])")
    found = [number for number, line in enumerate(lines, 1) for _ in named.finditer(line)]
    return found[min(time, len(found)) - 1] if found else 1
