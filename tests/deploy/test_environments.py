"""What the environments give the service, as `make image-test` reads it out of what Kustomize makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.labs import kustomize
from tests.labs import template as lab

pytestmark = pytest.mark.one_language

_TRIALS = """
import sys
sys.path.insert(0, ".golden-path")
from golden_path.service import image_test
if sys.argv[1:]:
    sys.exit(image_test.main("", "8080", "orders"))
print([names for names, _ in image_test.trials("orders")])
"""
_GIVEN = """
import json, sys
sys.path.insert(0, ".golden-path")
from pathlib import Path
from golden_path.service import environments, errors
try:
    print(json.dumps(environments.given(Path(), "orders")))
except errors.RefusedError as reason:
    sys.exit(str(reason))
"""
PLAIN = {"PORT": "8080", "LOG_LEVEL": "info", "SHUTDOWN_DRAIN_SECONDS": "5", "SHUTDOWN_GRACE_SECONDS": "20"}
ENV = """
patches:
  - target: {kind: Rollout}
    patch: |
      - op: add
        path: /spec/template/spec/containers/0/env
        value:
          - {name: LOG_LEVEL, value: warn}
          - {name: SAID, value: "level $(LOG_LEVEL) at $(PORT), $(NOBODY)"}
          - {name: TAKEN, valueFrom: {configMapKeyRef: {name: orders, key: PORT}}}
          - {name: HOST_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
          - {name: KEY, valueFrom: {secretKeyRef: {name: x, key: y, optional: true}}}
          - {name: EMPTY}
      - op: add
        path: /spec/template/spec/containers/0/envFrom/-
        value: {prefix: X_, configMapRef: {name: orders}}
      - op: add
        path: /spec/template/spec/containers/-
        value: {name: other, image: "ghcr.io/acme/orders-proxy:1", env: [{name: OTHER, value: x}]}
      - op: replace
        path: /spec/template/spec/terminationGracePeriodSeconds
        value: 50
"""


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    return lab.render(template, tmp_path / "orders", {"language": "go", "service_name": "orders", "port": 8080})


def asked(service: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": kustomize.on(os.environ.get("PATH", os.defpath))}
    command = [sys.executable, "-c", _GIVEN]
    return subprocess.run(command, cwd=service, env=env, capture_output=True, text=True, check=False, timeout=120)


def given(service: Path) -> dict[str, list[Any]]:
    """Return what each environment gives: its variables, the port and the seconds to stop."""
    done = asked(service)
    assert done.returncode == 0, done.stderr
    return {name: rest for name, *rest in json.loads(done.stdout)}


def test_what_the_template_gives(service: Path) -> None:
    assert given(service) == {
        "preview": [{**PLAIN, "LOG_LEVEL": "debug"}, 8080, 35],
        "production": [PLAIN, 8080, 35],
        "staging": [PLAIN, 8080, 35],
    }


def test_an_overlay_says_otherwise(service: Path) -> None:
    """A file of variables, a patch, another registry, more containers."""
    overlay = service / "deploy/overlays/staging"
    (overlay / "config.env").write_text("LOG_LEVEL=error\nNEW=a b\n")
    path = overlay / "kustomization.yaml"
    changed = "images: [{name: ghcr.io/acme/orders, newName: mirror.example.com:5000/x/orders, newTag: v1}]\n"
    path.write_text(path.read_text() + ENV + changed)
    config = {**PLAIN, "LOG_LEVEL": "error", "NEW": "a b"}
    more = {"LOG_LEVEL": "warn", "SAID": "level warn at 8080, $(NOBODY)", "TAKEN": "8080", "EMPTY": ""}
    found = given(service)
    assert found["staging"] == [{**config, **{f"X_{name}": value for name, value in config.items()}, **more}, 8080, 50]
    assert found["production"] == [PLAIN, 8080, 35]


def test_an_environment_without_the_service(service: Path) -> None:
    """It would be started with nothing of it, and that looks like success."""
    rollout = service / "deploy/base/rollout.yaml"
    rollout.write_text(rollout.read_text().replace("        - name: orders\n", "        - name: app\n"))
    done = asked(service)
    assert (done.returncode, done.stderr) == (1, "preview: no workload has a container that is called orders\n")


def trials(service: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run what names the runs of the image, or with an argument the verb itself."""
    command = [sys.executable, "-c", _TRIALS, *arguments]
    return subprocess.run(command, cwd=service, env=env, capture_output=True, text=True, check=False, timeout=120)


def test_equal_environments_are_one_run(service: Path) -> None:
    done = trials(service, PATH=kustomize.on(os.environ.get("PATH", os.defpath)))
    assert done.stdout == "[['preview'], ['production', 'staging']]\n", done.stderr


def test_without_kustomize(service: Path, tmp_path: Path) -> None:
    """A laptop starts the image with nothing, and says so; CI does not."""
    done = trials(service, PATH=str(tmp_path))
    skipped, names = done.stdout.splitlines()
    assert skipped == (
        "  skip  what the environments give: kustomize is missing: install kustomize 5, or kubectl; "
        "CI starts the image with it"
    )
    assert names == "[[]]"
    done = trials(service, "run", PATH=str(tmp_path), CI="true")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "  FAIL  image-test: kustomize is missing: install kustomize 5, or kubectl\n"


def test_without_environments(service: Path, tmp_path: Path) -> None:
    """As in a repository that was adopted without its deployment."""
    shutil.rmtree(service / "deploy")
    assert trials(service, PATH=str(tmp_path), CI="true").stdout == "[[]]\n"
