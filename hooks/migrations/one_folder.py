"""0.2.0: what is the platform's lies in ``.golden-path``; before, it was ``make``, ``policy`` and some files between.

The update moves the files. What of the service's own names them gets the new names; what is not known is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from golden_path.service import slo
from golden_path.untrusted import inside
from hooks.migrations.editing import names, read, refused, rewrite

FOLDER = ".golden-path"
ARGOCD, OBJECTIVES = "deploy/argocd/kustomization.yaml", "slo.yaml"
_SAME = (
    "ci.mk contract.mk deploy.mk events.mk image.mk language.mk template.mk tools.mk help.awk step.sh "
    "verify-provider.sh toolchain.sh pact-ffi.sh jdk.sh maven.sh build-info.mjs build.py lock.py find-python.sh"
).split()
_LOCKS = "copier.txt tools.txt syft.txt uv.txt pact-ffi.txt maven.sha512 pnpm".split()
# Scripts that are verbs of one program now.
_VERBS = (
    "admission broker ci deploy_event deployments dora freeze image image_index image_released image_test manifests "
    "preview promote promotion signature slo"
).split()
_SCRIPTS = [f"make/{one}.py" for one in _VERBS]
_PACKAGES = ("policy", "template")
_GONE = "automation.py web.py manifest_rules.py".split()
MOVED = {
    **{f"make/{name}": f"{FOLDER}/{name}" for name in _SAME},
    **{f"make/{name}": f"{FOLDER}/locks/{name}" for name in _LOCKS},
    "policy/kyverno/signature.yaml": "policy/signature.yaml",
    "policy/kyverno/isolation.yaml": f"{FOLDER}/policies/isolation.yaml",
    **{
        f"policy/rules/{name}.yaml": f"{FOLDER}/policies/{name}.yaml"
        for name in ("images", "network", "pods", "secrets")
    },
    **{
        f"deploy/argocd/{name}.yaml": f"{FOLDER}/argocd/{name}.yaml"
        for name in ("environments", "previews", "projects")
    },
    "deploy/argocd": f"{FOLDER}/argocd",
    "docker-bake.hcl": f"{FOLDER}/docker-bake.hcl",
    ".github/ruleset.json": f"{FOLDER}/ruleset.json",
    ".github/zizmor.yml": f"{FOLDER}/zizmor.yml",
    "deploy/base/slo": f"{FOLDER}/slo",
    **{f"deploy/base/slo/{name}.yaml": f"{FOLDER}/slo/{name}.yaml" for name in ("analysis", "dashboard", "rules")},
}
# Nothing of the service's takes their place.
REMOVED = {
    "policy/kyverno": "the platform's, by golden-path platform policies",
    "policy/admission": "the platform's, by golden-path platform policies",
    "deploy/argocd/sweep.yaml": "the platform's, by golden-path platform policies",
    **{f"make/{name}": f"a module in {FOLDER}/golden_path/service" for name in _GONE},
}


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


# In front of a path: no other path, but for a variable that names the checkout.
_BEFORE = r"(?:(?<![\w./-])(?:\./)?|(?<=[)}\"']/))"
_AFTER = r"(?![\w-]|\.\w)"
_SCRIPT = rf"(?:\./)?make/(?:(?P<verb>{_any(_VERBS)})\.py|(?P<package>{_any(_PACKAGES)})/?(?=[ ]|$)){_AFTER}"
_PYTHON = r"""(?P<python>[^\s;&|]*python[\d.]*["')}]*[ ]+|["']?\$[({]\w*PYTHON\w*[)}]["']?[ ]+)"""
_BY_PYTHON = re.compile(_PYTHON + _SCRIPT, re.MULTILINE)
_ALONE = re.compile(rf"(?P<python>^[\t @+-]*|[;&|(][ ]*|run:[ ]+){_SCRIPT}", re.MULTILINE)
_PATH = re.compile(rf"(?P<before>{_BEFORE})(?P<path>{_any(MOVED)})(?P<inside>(?<=pnpm)/\w[\w./-]*)?{_AFTER}(?!/\w)")
_WHOLE = re.compile(r"(?P<before>^[ ]*/?|['\"]|[,\[][ ]*)make/(?P<inside>\*\*|(?=[ \t]))", re.MULTILINE)
_COPIED = re.compile(r"^(?P<copy>COPY[ ][^\n]*[ ])make/(?=[ ]*$)", re.MULTILINE)
_LEFT = re.compile(
    rf"(?<![\w.-])(?P<path>{_any(one for one in (*_SCRIPTS, *MOVED, *REMOVED) if one.startswith('make/'))}"
    rf"|(?<!/)(?:{_any(one for one in (*MOVED, *REMOVED) if not one.startswith('make/'))})){_AFTER}(?!/)"
)
CODE = (
    "Makefile", "*.mk", "*.sh", "scripts/**/*", "Dockerfile*", ".dockerignore", ".pre-commit-config.yaml",
    ".github/workflows/*.yml", ".github/workflows/*.yaml", ".github/actions/*/action.yml", ".github/CODEOWNERS",
    ".gitattributes",
)  # fmt: skip
TEXT = ("*.md", "docs/**/*.md")


def run(service: Path, _: dict[str, Any]) -> list[str]:
    """Rewrite the names in files of the service's own."""
    if not inside.is_file(service, f"{FOLDER}/service.mk"):
        return []
    lines, theirs = [*_objectives(service), *_argocd(service)], inside.is_file(service, ARGOCD)
    texts = set(names(service, *TEXT))
    for name in names(service, *CODE, *TEXT):
        if not (service / name).is_file():
            continue
        try:
            changed = rewrite(service, name, lambda text: renamed(text, argocd=not theirs))
            left = [] if name in texts else sorted({found["path"] for found in _LEFT.finditer(read(service, name))})
        except UnicodeDecodeError:
            continue
        except OSError as error:
            if _names_any(service, name):
                lines.append(refused(name, error, f"it names files that are in {FOLDER} now: change it there"))
            continue
        if changed:
            lines.append(f"done      {name}: names the files in {FOLDER}")
        lines += [f"skip      {name}: names {path}, now {_now(path)}; change it there" for path in left]
    return lines


def renamed(text: str, *, argocd: bool = True) -> str:
    """Return a text with the new names.

    Args:
        text: of a Makefile, script, workflow or the like.
        argocd: whether ``deploy/argocd`` moved; a kustomization of the service's own stays there.
    """

    def verb(found: re.Match[str]) -> str:
        return f"{FOLDER} {(found['verb'] or found['package']).replace('_', '-')}"

    def path(found: re.Match[str]) -> str:
        if found["path"] == "deploy/argocd" and not argocd:
            return found[0]
        return f"{found['before']}{MOVED[found['path']]}{found['inside'] or ''}"

    text = _BY_PYTHON.sub(lambda found: f"{found['python']}{verb(found)}", text)
    text = _ALONE.sub(lambda found: f"{found['python']}python3 {verb(found)}", text)
    text = _COPIED.sub(rf"\g<copy>{FOLDER}/", _PATH.sub(path, text))
    return _WHOLE.sub(rf"\g<before>{FOLDER}/\g<inside>", text)


def _now(path: str) -> str:
    verb = path.removeprefix("make/").removesuffix(".py").replace("_", "-")
    return REMOVED.get(path) or MOVED.get(path) or f"python3 {FOLDER} {verb}"


def _names_any(service: Path, name: str) -> bool:
    """Whether a file that is reached by links within the service names one of the old ones."""
    try:
        text = inside.linked(service, name).decode(errors="replace")
    except OSError:
        return False
    return bool(_LEFT.search(text))


def _given(text: str, _: str) -> str:
    return text


def _objectives(service: Path) -> Iterator[str]:
    """What follows from the objectives of the service, which need no longer be those of its answers."""
    if not inside.is_file(service, OBJECTIVES):
        return
    try:
        made = slo.files(slo.read(read(service, OBJECTIVES)))
        changed = [name for name in made if rewrite(service, f"{slo.TARGET}/{name}", partial(_given, made[name]))]
    except (OSError, ValueError) as error:
        yield f"skip      {OBJECTIVES}: {error}; mend it, and run make slo"
        return
    if changed:
        yield f"done      {slo.TARGET}: follows from {OBJECTIVES}"


def _argocd(service: Path) -> Iterator[str]:
    """A kustomization of the service's own that stays: what it lists is elsewhere."""
    if not inside.is_file(service, ARGOCD):
        return
    listed = re.compile(r"^(?P<indent>[ ]*- )(?:projects|environments|previews)\.yaml[ ]*\n", re.MULTILINE)

    def change(text: str) -> str:
        first = listed.search(text)
        if not first:
            return text
        return (
            text[: first.start()] + f"{first['indent']}../../{FOLDER}/argocd\n" + listed.sub("", text[first.start() :])
        )

    try:
        if rewrite(service, ARGOCD, change):
            yield f"done      {ARGOCD}: its resource is {FOLDER}/argocd"
    except (OSError, UnicodeDecodeError) as error:
        yield refused(ARGOCD, error, f"let its resource be ../../{FOLDER}/argocd")
