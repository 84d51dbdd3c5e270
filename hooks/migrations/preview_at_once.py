"""0.1.0: how a preview skips the steps of a canary moved from its ``kustomization.yaml``, which is the service's, to
``at-once.yaml``, which follows the answers: the old patch fails where the service goes out blue/green or by weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from golden_path.rules import bounded
from golden_path.untrusted import inside
from hooks.migrations.editing import read, refused, rewrite

OVERLAY = "deploy/overlays/preview/kustomization.yaml"
PATCH = "deploy/overlays/preview/at-once.yaml"
_OLD = """\
    patch: |
      - op: replace
        path: /spec/strategy/canary/steps
        value: []
"""
_NEW = "    path: at-once.yaml\n"


def run(service: Path, _: dict[str, Any]) -> list[str]:
    """Point the overlay to the file."""
    if not (service / OVERLAY).is_file() or not inside.is_file(service, PATCH):
        return []
    try:
        if rewrite(service, OVERLAY, lambda text: text.replace(_OLD, _NEW, 1) if text.count(_OLD) == 1 else text):
            return [f"done      {OVERLAY}: its patch of the Rollout is at-once.yaml now"]
        text = read(service, OVERLAY)
    except (OSError, UnicodeDecodeError) as error:
        return [refused(OVERLAY, error, "see that it has 'path: at-once.yaml' for kind Rollout")]
    try:
        patches = (bounded.load(text) or {}).get("patches") or []
        named = any(isinstance(one, dict) and one.get("path") == "at-once.yaml" for one in patches)
    except (yaml.YAMLError, AttributeError):
        named = False
    if named:
        return []
    return [f"skip      {OVERLAY}: has no patch that is known; let it have 'path: at-once.yaml' for kind Rollout"]
