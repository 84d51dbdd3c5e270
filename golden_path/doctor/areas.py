"""What there is to judge in a repository; one with nothing to judge has no good health, but none."""

from __future__ import annotations

from golden_path.doctor.repository import Repository
from golden_path.rules import images, objects, packages, workflows

_WITHOUT_LOCKS = ("pom.xml", "requirements*.txt", "requirements/*.txt")  # manifests that no kind of lock goes with


def judged(repository: Repository) -> list[str]:
    """Return what there is to judge of the repository's own; what an adoption only added is not that."""
    files = {
        "workflows": repository.own(workflows.FILES),
        "images": repository.shipped(*images.FILES),
        "manifests of the cluster": list(
            dict.fromkeys(one.path for one in objects.objects(repository) if any(one.pods()))
        ),
        "dependencies": repository.shipped(*(name for kind in packages.KINDS for name in kind.files), *_WITHOUT_LOCKS),
    }
    if files["dependencies"]:
        return [name for name, paths in files.items() if paths]
    wrote = repository.member.wrote
    unknown = bool(repository.member.answers) and not wrote  # then all of it may be the template's
    return [] if unknown else [
        name for name, paths in files.items() if any(repository.tree[path] != wrote.get(path) for path in paths)
    ]  # fmt: skip
