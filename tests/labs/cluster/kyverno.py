"""Kyverno's programs, and its command line: what Kyverno itself says of objects, without a cluster.

``kyverno_running`` starts its controllers in the cluster lab.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.labs import go_tools
from tests.labs.cluster import definitions
from tests.labs.cluster.places import lab_folder
from tests.labs.errors import LabError
from tests.labs.places import digest, once

MODULE = "github.com/kyverno/kyverno"
COMMAND_LINE, ADMISSION, CLEANUP = "kubectl-kyverno", "kyverno", "cleanup-controller"
PROGRAMS = tuple(f"{MODULE}/cmd/{path}" for path in (f"cli/{COMMAND_LINE}", ADMISSION, CLEANUP))
# As its own go.mod has them. The API server of the cluster lab must not have them: it would judge otherwise.
REPLACEMENTS = (
    go_tools.Replacement(
        "k8s.io/pod-security-admission",
        "github.com/kyverno/pod-security-admission",
        "v0.0.0-20251031094455-46f20778634f",
        ("h1:9u+4QYMLdZPC8qeUB1TnfiUYRrFGYHxjYQsPiHKgJjI=", "h1:2oJ/wAoh8hld09eMTT1KzlN3dHjKEQn1xJdu1WAZMa0="),
    ),
    go_tools.Replacement(
        "github.com/google/cel-go",
        "github.com/google/cel-go",
        "v0.30.0",
        ("h1:ll54AkzKunWkBn9wSoiUXbFZXYZTkdJGNXTBXUoolGo=", "h1:X0bD6iVNR8pkROSOoHVdgTkzmRcosof7WQqCD6wcMc8="),
    ),
)
Object = Mapping[str, Any]
_LOG = "log.txt"
_REFUSED = re.compile(r'image verification failed error=("(?:[^"\\]|\\.)*") .*image=(\S+)')


@dataclass(frozen=True)
class Verdict:
    """What a policy says of an object.

    Attributes:
        policy: its name.
        object: the object's name.
        result: ``pass``, ``fail``, ``error`` or ``skip``.
        message: why.
    """

    policy: str
    object: str
    result: str
    message: str


def folder() -> Path:
    """Return the folder of the programs, whether they are there or not."""
    replaced = [asdict(one) for one in REPLACEMENTS]
    return lab_folder() / f"kyverno-{digest(*go_tools.sources(PROGRAMS), PROGRAMS, replaced)}"


def program(name: str = COMMAND_LINE) -> Path:
    """Return a program, built unless it is there, which takes some minutes.

    Args:
        name: of it.

    Raises:
        LabError: it cannot be built.
        MissingToolchainError: Go is missing.
    """
    made = once(folder(), lambda target: go_tools.build(target, PROGRAMS, "", "Kyverno", REPLACEMENTS))
    return made / name


def apply(
    work: Path,
    policies: Sequence[Object],
    objects: Sequence[Object],
    namespaces: Mapping[str, Mapping[str, str]],
    beside: Sequence[Object] = (),
    exceptions: Sequence[Object] = (),
) -> list[Verdict]:
    """Return what policies say of objects.

    Args:
        work: a folder for the files that Kyverno reads.
        policies: the policies.
        objects: the objects, each with a name of its own.
        namespaces: the labels of the namespaces.
        beside: what else is in the cluster.
        exceptions: Kyverno's PolicyExceptions.

    Raises:
        LabError: Kyverno cannot read one of them.
    """
    work.mkdir(parents=True, exist_ok=True)
    values = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Values", "metadata": {"name": "values"}}
    context = {"apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Context", "metadata": {"name": "context"}}
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
        for name, labels in namespaces.items()
    ]
    selected = [{"name": name, "labels": dict(labels)} for name, labels in namespaces.items()]
    files = {
        "policies": policies,
        "objects": objects,
        "exceptions": exceptions,
        "values": [{**values, "namespaces": spaces, "namespaceSelector": selected}],
        "context": [{**context, "spec": {"resources": list(beside)}}],
    }
    for name, content in files.items():
        (work / f"{name}.yaml").write_text("\n---\n".join(json.dumps(one) for one in content), encoding="utf-8")
    # Of several files it takes the last only.
    crds = [
        (definitions.crds() / f"{kind}-crd.yaml").read_text(encoding="utf-8") for kind in ("application", "rollout")
    ]
    (work / "crds.yaml").write_text("\n---\n".join(crds), encoding="utf-8")
    command: list[str | Path] = [
        program(), "apply", work / "policies.yaml", "--resource", work / "objects.yaml", "--policy-report",
        "--output-format", "json", "--remove-color", "--values-file", work / "values.yaml",
        "--context-file", work / "context.yaml", "--crd-paths", work / "crds.yaml", "-v", "0",
    ]  # fmt: skip
    if exceptions:
        command += ["--exception", work / "exceptions.yaml"]
    # Nothing of the user's: no cluster, no password of a registry, and not whom Sigstore's clients found to trust.
    own = {"KUBECONFIG": os.devnull, "HOME": str(work / "home"), "TUF_ROOT": str(work / "tuf"), "NO_COLOR": "1"}
    (work / "home").mkdir(exist_ok=True)
    env = {**os.environ, **own}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
    (work / _LOG).write_text(done.stderr, encoding="utf-8")
    # Before the report it says how many there are; of nothing it says nothing.
    start = done.stdout.find("{")
    if start < 0 and done.returncode == 0 and not done.stderr.strip():
        return []
    if start < 0:
        raise LabError(f"kyverno apply: {(done.stderr or done.stdout).strip()}")
    return _verdicts(json.loads(done.stdout[start:]))


def reasons(work: Path) -> dict[str, str]:
    """Return why signatures were refused, by image: the verdicts say it with the policy's own message only.

    Args:
        work: the folder that ``apply`` was given.
    """
    found = _REFUSED.findall((work / _LOG).read_text(encoding="utf-8"))
    return {image: json.loads(reason) for reason, image in found}


def _verdicts(report: Mapping[str, Any]) -> list[Verdict]:
    return [
        Verdict(one["policy"], resource["name"], one["result"], one.get("message", ""))
        for one in report.get("results") or ()
        for resource in one.get("resources") or ()
    ]
