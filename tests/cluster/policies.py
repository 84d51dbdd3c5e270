"""Two of the engines that judge the policies of a service, `make policy` and the API server, over the same objects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from golden_path import cli
from tests.cluster.policy_cases import Object
from tests.cluster.services import objects
from tests.labs import kustomize
from tests.labs.cluster import Lab

RULES, SIGNATURE = Path(".golden-path/policies"), Path("policy/signature.yaml")  # in a service
ADMISSION, KYVERNO = Path("admission"), Path("kyverno")  # of the platform
_KINDS = {ADMISSION: "ValidatingAdmissionPolicy", KYVERNO: "ValidatingPolicy"}


def path() -> dict[str, str]:
    """Return an environment with a Kustomize on PATH."""
    return {**os.environ, "PATH": kustomize.on(os.environ.get("PATH", os.defpath))}


def manifests(folder: Path) -> str:
    """Return what Kustomize makes of a folder with a kustomization."""
    env = path()
    command = ["kustomize", "build"] if shutil.which("kustomize", path=env["PATH"]) else ["kubectl", "kustomize"]
    done = subprocess.run([*command, folder], env=env, capture_output=True, text=True, check=True, timeout=180)
    return done.stdout


def built(folder: Path) -> list[Object]:
    """Return the objects of a folder with a kustomization."""
    return objects(manifests(folder))


_JUDGE = """
import json, sys
sys.path.insert(0, ".golden-path")
from golden_path.service import admission
given = json.load(sys.stdin)
found = [list(admission.judge(given["policies"], given["exceptions"], some)) for some in given["environments"]]
json.dump(found, sys.stdout)
"""


def platform(template: Path, folder: Path, *registries: str) -> Path:
    """Write the policies of a cluster as a platform does.

    Args:
        template: a snapshot.
        folder: where to.
        registries: from which images may come.

    Returns:
        The folder.
    """
    named = [part for one in registries or ("ghcr.io/acme",) for part in ("--registry", one)]
    assert cli.main(["platform", "policies", str(folder), "--template", str(template), "--trust", *named]) == 0
    return folder


def local(
    service: Path, environments: Sequence[Sequence[Object]], exceptions: Sequence[Object] = ()
) -> list[list[str]]:
    """Return what the engine of ``make policy`` finds.

    Args:
        service: the service whose policies they are.
        environments: the objects, by environment.
        exceptions: what is permitted all the same.

    Returns:
        The findings of each environment.
    """
    policies = [one for one in built(service / RULES) if one["kind"] == "ValidatingPolicy"]
    given = {"policies": policies, "exceptions": exceptions, "environments": environments}
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE], input=json.dumps(given), cwd=service, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    found: list[list[str]] = json.loads(done.stdout)
    return found


# As a platform does that chooses other namespaces.
_KUSTOMIZATION = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - platform/FORM
patches:
  - target:
      kind: KIND
    patch: |
      - op: replace
        path: /spec/matchConstraints/namespaceSelector
        value: {matchLabels: {test: MARK}}
"""


def for_namespaces(platform: Path, work: Path, mark: str, form: Path = ADMISSION) -> list[Object]:
    """Return the policies of a platform for the namespaces of one test, with their bindings or roles.

    Args:
        platform: the folder of its policies.
        work: a folder that is not there yet.
        mark: the namespaces' label ``test``; ends the names, since there is one cluster for all tests.
        form: of the API server alone, or of Kyverno.
    """
    shutil.copytree(platform, work / "platform")
    text = _KUSTOMIZATION.replace("FORM", str(form)).replace("KIND", _KINDS[form]).replace("MARK", mark)
    (work / "kustomization.yaml").write_text(text, encoding="utf-8")
    found = built(work)
    for one in found:
        one["metadata"]["name"] += f"-{mark}"
        if one["kind"].endswith("Binding"):
            one["spec"]["policyName"] += f"-{mark}"
    return found


@contextmanager
def enforced(cluster_lab: Lab, found: list[Object], namespace: str = "default") -> Iterator[None]:
    """Apply policies and what belongs to them, and remove them in the end.

    Args:
        cluster_lab: up.
        found: the objects.
        namespace: of those that have one.
    """
    cluster_lab.apply(found, namespace)
    try:
        yield
    finally:
        objects = "\n---\n".join(json.dumps(one) for one in found)
        cluster_lab.kubectl("delete", "--ignore-not-found", "--namespace", namespace, "--filename", "-", input=objects)
