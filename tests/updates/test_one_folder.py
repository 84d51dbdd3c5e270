"""The first move that breaks: services of version 0.1.0 get the platform's files into one folder, nothing lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pathspec import PathSpec

from golden_path.adopting import adopt
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.upgrade import apply
from hooks.migrations import one_folder
from tests.labs.service import make
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import existing, first_release, foreign, hard_cases
from tests.updates.first_release import NEW, OLD

OWN = """\
include make/own.mk

release-notes: ## Write them
\t@$(STEP) "notes" python3 make/promote.py --show staging
\t@./make/step.sh "done" true
"""
WORKFLOW = """\
on: {push: {paths: [make/**]}}
jobs:
  own:
    steps:
      - run: make/image_released.py
      - run: cat make/web.py
"""
# What a person has of their own: nothing of it is in a file that moves.
BESIDE = [
    foreign.write("local.mk", OWN),
    foreign.write("make/own.mk", "own: ## Mine\n\t@echo mine\n"),
    foreign.write(".github/workflows/own.yml", WORKFLOW),
    foreign.append("README.md", "\nRun `kubectl apply --kustomize deploy/argocd`.\n"),
    foreign.append(".github/CODEOWNERS", "/make/ @acme/platform\n"),
    foreign.append("deploy/base/config.env", "OWN_SETTING=1\n"),
    foreign.append("deploy/overlays/staging/config.env", "OWN_SETTING=2\n"),
]
# And changes to files that move.
MARK = "# Of this service.\n"
MOVED = {
    "make/ci.mk": ".golden-path/ci.mk",
    "make/promote.py": ".golden-path/golden_path/service/promote.py",
    "make/tools.txt": ".golden-path/locks/tools.txt",
    "policy/rules/images.yaml": ".golden-path/policies/images.yaml",
    "policy/kyverno/signature.yaml": "policy/signature.yaml",
    "docker-bake.hcl": ".golden-path/docker-bake.hcl",
    "deploy/argocd/projects.yaml": ".golden-path/argocd/projects.yaml",
}


def marked(name: str) -> foreign.Step:
    """Write a line into a file: in scripts before a setting, since the template changes their ends."""

    def step(folder: Path) -> None:
        text = (folder / name).read_text()
        before, here, after = text.partition("NOTHING = ") if name.endswith(".py") else (text, "", "")
        (folder / name).write_text(before + MARK + here + after)

    return step


EDITS = [marked(name) for name in MOVED]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return first_release.history(tmp_path_factory.mktemp("first") / "golden-path")


def written(renderer: Renderer, history: Path, version: str, folder: Path, language: str) -> Path:
    known = Template(str(history))
    known.refresh()
    renderer.render(known.at(version), folder, foreign.ANSWERS, {"language": language})
    return folder


def service(renderer: Renderer, history: Path, folder: Path, language: str, *edits: foreign.Step) -> Path:
    commit_all(written(renderer, history, OLD, folder, language))
    for edit in edits:
        edit(folder)
    commit_all(folder, "Edits")
    return folder


def upgraded(folder: Path, renderer: Renderer) -> apply.Outcome:
    done = apply.apply(folder, renderer)
    git(folder, "switch", "--quiet", done.branch)
    return done


def test_what_nobody_changed_is_as_a_new_service_has_it(
    language: str, history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    """But for what is the service's after birth."""
    folder = service(renderer, history, tmp_path / "old" / "orders", language)
    assert not upgraded(folder, renderer).plan.conflicts
    now, new = (
        hard_cases.read(one) for one in (folder, written(renderer, history, NEW, tmp_path / "new" / "orders", language))
    )
    seeded = PathSpec.from_lines("gitignore", Template(str(history)).at(NEW).config.skip_if_exists)
    other = {name for name in now.keys() | new.keys() if now.get(name) != new.get(name)}
    assert {name for name in other if not seeded.match_file(name)} == set()
    assert make(folder, language, "help").returncode == 0


def test_own_files_come_along(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """By the engine and by plain Copier alike."""
    engine = service(renderer, history, tmp_path / "engine" / "orders", "go", *BESIDE)
    plain = service(renderer, history, tmp_path / "plain" / "orders", "go", *BESIDE)
    done = upgraded(engine, renderer)
    assert not done.plan.conflicts
    notes = "\n".join(done.plan.notes)
    assert "skip      .github/workflows/own.yml: names make/web.py" in notes
    updated = copier("update", "--trust", "--defaults", plain)
    assert updated.returncode == 0, updated.stderr
    assert hard_cases.read(plain) == hard_cases.read(engine)
    text = {name: content.decode() for name, (_, content) in hard_cases.read(engine).items()}
    assert "include make/own.mk\n" in text["local.mk"]
    assert "python3 .golden-path promote --show staging" in text["local.mk"]
    assert "run: python3 .golden-path image-released\n" in text[".github/workflows/own.yml"]
    assert "[.golden-path/**]" in text[".github/workflows/own.yml"]
    assert "/.golden-path/ @acme/platform\n" in text[".github/CODEOWNERS"]
    assert "OWN_SETTING=1\n" in text["deploy/base/config.env"]
    assert "deploy/argocd`" not in text["README.md"]
    kept = {name for name in text if name.startswith(("make/", "policy/"))}
    assert kept == {"make/own.mk", "policy/signature.yaml"}
    ran = make(engine, "go", "release-notes", "own")
    assert ran.returncode == 0, ran.stdout
    assert "mine" in ran.stdout


def test_objectives_of_the_services_own_come_along(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """Generated as they are, they follow from slo.yaml, which is the service's, and not from its answers."""
    folder = service(renderer, history, tmp_path / "orders", "go")
    text = (folder / one_folder.OBJECTIVES).read_text()
    (folder / one_folder.OBJECTIVES).write_text(text.replace("objective: 99.9", "objective: 99.5"))
    assert "99.5" in (folder / one_folder.OBJECTIVES).read_text()
    subprocess.run([sys.executable, "make/slo.py", "write"], cwd=folder, check=True)
    commit_all(folder, "Objectives")
    assert not upgraded(folder, renderer).plan.conflicts
    checked = subprocess.run(
        [sys.executable, ".golden-path", "slo", "check"], cwd=folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "0.005" in (folder / ".golden-path/slo/rules.yaml").read_text()
    assert not (folder / "deploy/base/slo").exists()


def test_changes_in_files_that_move_are_in_their_new_places(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    folder = service(renderer, history, tmp_path / "orders", "go", *EDITS)
    before = foreign.state(folder)
    refused = copier("update", "--trust", "--defaults", folder)
    assert refused.returncode == 1
    said = next(line for line in refused.stderr.splitlines() if line.startswith("golden-path: "))
    assert all(name in said for name in MOVED)
    assert foreign.state(folder) == before
    done = upgraded(folder, renderer)
    assert not done.plan.conflicts, [one.path for one in done.plan.conflicts]
    files = hard_cases.read(folder)
    assert {name for name in MOVED if name in files} == set()
    assert {new for new in MOVED.values() if files[new][1].decode().count(MARK) != 1} == set()


def test_an_adopted_service_comes_along(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """It has a Makefile of its own that includes parts of the template's, and its own Dockerfile."""
    folder = existing.write(tmp_path / "parcel-tracker", existing.GO)
    done = adopt.adopt(folder, renderer, source=str(history), to=OLD, data={"organisation": "Acme-Shop"})
    git(folder, "switch", "--quiet", done.branch)
    own = {name: (folder / name).read_bytes() for name in existing.GO}
    foreign.append("Makefile", "\nSTEP := ./make/step.sh\ninclude make/tools.mk\n")(folder)
    commit_all(folder, "Use the tools")
    upgrade = upgraded(folder, renderer)
    assert not upgrade.plan.conflicts, [one.path for one in upgrade.plan.conflicts]
    text = (folder / "Makefile").read_text()
    assert text.startswith(existing.MAKEFILE)
    assert text.endswith("STEP := ./.golden-path/step.sh\ninclude .golden-path/tools.mk\n")
    assert {
        name for name, content in own.items() if name != "Makefile" and (folder / name).read_bytes() != content
    } == set()
    assert not (folder / "make").exists()
    assert make(folder, "go", "--dry-run", "setup-tools").returncode == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\t@python3 make/promote.py --to x", "\t@python3 .golden-path promote --to x"),
        ("\t./make/deploy_event.py x", "\tpython3 .golden-path deploy-event x"),
        ('"$(PYTHON)" make/slo.py check', '"$(PYTHON)" .golden-path slo check'),
        ("python3 make/policy .", "python3 .golden-path policy ."),
        ("$(CURDIR)/make/step.sh x", "$(CURDIR)/.golden-path/step.sh x"),
        ("COPY make/lock.py make/", "COPY .golden-path/lock.py .golden-path/"),
        ("hashFiles('make/**')", "hashFiles('.golden-path/**')"),
        ("cp make/pnpm/package.json .", "cp .golden-path/locks/pnpm/package.json ."),
        ("policy/kyverno/signature.yaml", "policy/signature.yaml"),
        ("make policy", "make policy"),
        ("include make/own.mk make/steps.sh", "include make/own.mk make/steps.sh"),
        ("deploy/argocd/own.yaml my-docker-bake.hcl", "deploy/argocd/own.yaml my-docker-bake.hcl"),
    ],
)  # fmt: skip
def test_names(old: str, new: str) -> None:
    assert one_folder.renamed(old) == new
    assert one_folder.renamed(new) == new


def test_a_kustomization_of_the_services_own_names_the_new_folder(tmp_path: Path) -> None:
    foreign.write(".golden-path/service.mk", "")(tmp_path)
    foreign.write(
        one_folder.ARGOCD, "namespace: mine\nresources:\n  - projects.yaml\n  - own.yaml\n  - previews.yaml\n"
    )(tmp_path)
    foreign.write("README.md", "kubectl apply --kustomize deploy/argocd\n")(tmp_path)
    assert one_folder.run(tmp_path, {}) == [f"done      {one_folder.ARGOCD}: its resource is .golden-path/argocd"]
    assert (tmp_path / one_folder.ARGOCD).read_text() == (
        "namespace: mine\nresources:\n  - ../../.golden-path/argocd\n  - own.yaml\n"
    )
    assert (tmp_path / "README.md").read_text() == "kubectl apply --kustomize deploy/argocd\n"
    assert one_folder.run(tmp_path, {}) == []
