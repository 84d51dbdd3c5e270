"""Rules on manifests of Kubernetes as they stand in the files of any repository."""

from __future__ import annotations

from collections.abc import Iterator

from golden_path.rules import values
from golden_path.rules.book import ERROR, WARNING, Found, rule
from golden_path.rules.documents import line, maps
from golden_path.rules.files import Files
from golden_path.rules.objects import FILES, KUSTOMIZATIONS, containers, objects

_SERVING = ("Deployment", "StatefulSet", "DaemonSet", "Rollout")


@rule("GP203", WARNING, "Manifests name the version that runs.", "'latest' can be another version at each restart")
def named_versions(files: Files) -> Iterator[Found]:
    """Images of containers by 'latest' or no tag, which no kustomization sets."""
    replaced = {
        str(image.get("name"))
        for path in files.own(*KUSTOMIZATIONS)
        for image in maps(files.mapping(path).get("images"))
    }  # fmt: skip
    for one in objects(files):
        for container in (container for pod in one.pods() for container in containers(pod) if "image" in container):
            image = str(container["image"])
            name, _, tag = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
            if "@" not in image and tag in ("", "latest") and name not in replaced and "$" not in image:
                said = f"{image} is whatever is newest: name a version, best by digest"
                yield Found(one.path, line(container, "image"), said)


@rule(
    "GP204",
    WARNING,
    "Every workload that serves has a readiness probe.",
    "without one, a pod that hangs still gets requests",
)
def probed(files: Files) -> Iterator[Found]:
    """Workloads that serve, with no container that has a readiness probe."""
    for one in objects(files):
        for pod in one.pods() if one.kind in _SERVING else ():
            with_images = [container for container in maps(pod.get("containers")) if "image" in container]
            if with_images and not any("readinessProbe" in container for container in maps(pod["containers"])):
                said = "no container has a readinessProbe: serve a health endpoint, and name it here"
                yield Found(one.path, line(with_images[0], "image"), said)


@rule("GP404", ERROR, "Manifests contain no secrets.", "everybody who can read the repository or the object has them")
def no_values(files: Files) -> Iterator[Found]:
    """Values in Secrets, and under names of secrets in ConfigMaps, variables, arguments and literals."""
    shipped = set(files.shipped(*FILES, *KUSTOMIZATIONS))
    for one in objects(files):
        for found in values.values(one) if one.path in shipped else ():
            yield Found(one.path, found.line, f"{one.kind} {one.name} holds {found.what}: {HOW}")
    for path in files.shipped(*KUSTOMIZATIONS):
        for found in values.generated(files.mapping(path)):
            yield Found(path, found.line, f"holds {found.what}: {HOW}")


HOW = "keep it in the environment's store, for an ExternalSecret to read"
