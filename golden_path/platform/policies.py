"""The policies of a cluster, until there is a repository of the platform's that has them.

The rules are those that `make policy` of a service reads: the template writes both. Around them stand what makes them
policies of Kyverno or of the API server alone, and the sweep of previews, in the folders beside this module.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.source.release import Release
from golden_path.untrusted import inside

PLACE = ".golden-path/policies"
RULES, KYVERNO = "rules", "kyverno"
NEEDS_KYVERNO = "isolation.yaml"
_KUSTOMIZATION = """\
# What Kyverno and the API server both can judge, written once.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""


def files(release: Release, renderer: Renderer, registries: Sequence[str]) -> dict[str, str]:
    """Return the files by their paths.

    Args:
        release: of the template.
        renderer: a worker.
        registries: from which images may come, as the template's answer ``registry``; one or more.

    Raises:
        FleetError: a registry is none, or this version has no such policies.
    """
    rules = [_rules(release, renderer, one) for one in registries]
    found = {f"{KYVERNO if name == NEEDS_KYVERNO else RULES}/{name}": text for name, text in sorted(rules[0].items())}
    mine, every = (json.dumps([f"{one}/" for one in some]) for some in (registries[:1], registries))
    if sum(text.count(mine) for text in found.values()) != 1:
        raise _unknown(release)
    found = {path: text.replace(mine, every) for path, text in found.items()}
    listed = "".join(f"  - {path.partition('/')[2]}\n" for path in found if path.startswith(f"{RULES}/"))
    around = {path: one.read_text(encoding="utf-8") for path, one in _around()}
    return {**found, f"{RULES}/kustomization.yaml": _KUSTOMIZATION + listed, **around}


def write(folder: Path, found: dict[str, str]) -> None:
    """Write the files; others in the folder stay.

    Args:
        folder: made where it is missing.
        found: as ``files`` returns them.

    Raises:
        FleetError: they cannot be written there.
    """
    try:
        for path, text in found.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            inside.write(folder, path, text.encode())
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise FleetError(f"{folder}: {reason}: name another folder", Exit.USAGE) from None


def _rules(release: Release, renderer: Renderer, registry: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as temporary:
        service = Path(temporary, "policies")
        service.mkdir()
        renderer.render(release, service, release.config.answers_file, {"registry": registry})
        paths = [path for path in (service / PLACE).glob("*.yaml") if path.name != "kustomization.yaml"]
        if not any(path.name == NEEDS_KYVERNO for path in paths):
            raise _unknown(release)
        return {path.name: path.read_text(encoding="utf-8") for path in paths}


def _unknown(release: Release) -> FleetError:
    return FleetError(
        f"version {release.version} of the template has no policies that are known: name another with --to",
        Exit.TEMPLATE,
    )


def _around() -> Iterator[tuple[str, Traversable]]:
    for folder in resources.files(__package__).iterdir():
        if folder.is_dir() and not folder.name.startswith("_"):
            yield from ((f"{folder.name}/{one.name}", one) for one in folder.iterdir() if one.name.endswith(".yaml"))
