"""Render what Kubernetes is to get in each environment, or show what this checkout changes in it.

usage: manifests render          into build/manifests/ENVIRONMENT.yaml
       manifests diff REVISION   against what that revision of the repository renders, as a unified diff

Kustomize is `kustomize`, or that of `kubectl`, from the PATH; 5.0 or newer.
"""

import difflib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from golden_path.rules import every, exceptions  # noqa: F401 - every has all rules
from golden_path.rules.environments import problems
from golden_path.rules.work_tree import WorkTree
from golden_path.service.errors import RefusedError

OVERLAYS = Path("deploy/overlays")
OUTPUT = Path("build/manifests")
READ = (".golden-path/slo", ".golden-path/components")  # by the base, and by overlays
# What Argo CD is told: what the service makes of it, else what the template writes.
TOLD = ("deploy/argocd", ".golden-path/argocd")


def kustomize() -> list[str]:
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]):
            return command
    raise RefusedError("kustomize is missing: install kustomize 5, or kubectl")


def build(folder: Path) -> str:
    """What Kustomize makes of a folder."""
    done = subprocess.run([*kustomize(), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["failed"]
        # kubectl writes some as a log line.
        logged = re.search(r'^E\d{4} .* err="(.*)"$', lines[-1])
        reason = logged[1] if logged else re.sub("^[Ee]rror: ", "", lines[-1])
        raise RefusedError(f"{folder.name}: {reason}")
    return done.stdout


def overlays(root: Path) -> list[Path]:
    """The folder of each environment, which has its name."""
    return [one.parent for one in sorted((root / OVERLAYS).glob("*/kustomization.yaml"))]


def told(root: Path) -> str:
    """The manifests that Argo CD is told; empty in a repository without any."""
    folders = [root / one for one in TOLD if (root / one / "kustomization.yaml").exists()]
    return build(folders[0]) if folders else ""


def render(root: Path) -> dict[str, str]:
    """The manifests by environment."""
    found = {}
    project = told(root)
    for overlay in overlays(root):
        environment = overlay.name
        found[environment] = build(overlay)
        if broken := exceptions.without(WorkTree(Path()), problems(environment, found[environment], project)):
            raise RefusedError(str(broken[0]))
    return found


def write(manifests: dict[str, str]) -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for old in OUTPUT.glob("*.yaml"):
        old.unlink()
    for environment, text in manifests.items():
        (OUTPUT / f"{environment}.yaml").write_text(text, encoding="utf-8")


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], capture_output=True, check=False)


def at(revision: str) -> dict[str, str]:
    """The manifests by environment, of another revision."""
    with tempfile.TemporaryDirectory() as folder:
        listed = git("ls-tree", "-d", "--name-only", revision, "deploy", *READ, *TOLD[1:])
        if listed.returncode:
            lines = listed.stderr.decode().strip().splitlines()
            raise RefusedError(f"{revision}: {lines[-1].removeprefix('fatal: ')}; fetch it, or name another with BASE=")
        if not (there := listed.stdout.decode().split()):
            return {}
        archive = git("archive", "--format=tar", revision, *there)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        return render(Path(folder))


def diff(revision: str) -> str:
    before, after = at(revision), render(Path())
    text = ""
    for environment in sorted(before.keys() | after.keys()):
        old, new = (some.get(environment, "").splitlines(keepends=True) for some in (before, after))
        lines = list(difflib.unified_diff(old, new, f"{environment} at {revision}", f"{environment} here"))
        text += "".join(lines) or f"{environment}: no change\n"
    return text


def main(*arguments: str) -> int:
    try:
        if arguments[0] == "diff":
            sys.stdout.write(diff(arguments[1]))
        else:
            write(render(Path()))
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  {arguments[0]}: {reason}\n")
        return 1
    return 0
