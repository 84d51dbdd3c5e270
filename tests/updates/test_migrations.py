"""Migrations: each function on what it knows and on what it does not, and both ways of running them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.upgrade import apply, migrated
from hooks import migrations
from hooks.migrations import ALL, overlay_resources, preview_at_once, python_build_script
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.labs.warm import copier
from tests.updates import foreign, hard_cases

LINE = '"$(PYTHON)" "$(PACKAGE)" "$(VERSION)" "$(REVISION)"'
PYTHON = {"language": "python", "service_name": "orders"}
BUILD = python_build_script.NEW
OVERLAY = preview_at_once.OVERLAY
STAGING = "deploy/overlays/staging/kustomization.yaml"
BEFORE_PATCH = f"""\
# Mine.
namespace: orders-preview
patches:
  - target:
      kind: Rollout
{preview_at_once._OLD}  - target:
      kind: HorizontalPodAutoscaler
    patch: |
      - op: replace
        path: /spec/minReplicas
        value: 1
"""
RESOURCES = """\
# Mine.
resources:
  - namespace.yaml # first
  - ../../base
components:
  - ../../releases/staging
"""

Files = dict[str, str]
Case = tuple[str, Callable[[Path, dict[str, Any]], list[str]], dict[str, Any], Files, dict[str, str], str]

# Name, migration, answers, files, texts that are in a file afterwards, and the start of what it says.
CASES: list[Case] = [
    (
        "build script: the call of the template's own Makefile",
        python_build_script.run, PYTHON,
        {BUILD: "", "local.mk": f"x:\n\t./make/build.sh {LINE}\n"},
        {"local.mk": 'x:\n\tVERSION="$(VERSION)" REVISION="$(REVISION)" "$(PYTHON)" ' + f'{BUILD} "$(PACKAGE)"\n'},
        "done      local.mk",
    ),
    (
        "build script: a workflow with Windows line ends",
        python_build_script.run, PYTHON,
        {BUILD: "", ".github/workflows/own.yml": "run: |\r\n  make/build.sh python src/orders 1.0 abc\r\n"},
        {".github/workflows/own.yml": f"run: |\r\n  VERSION=1.0 REVISION=abc python {BUILD} src/orders\r\n"},
        "done      .github/workflows/own.yml",
    ),
    (
        "build script: a call that is not known",
        python_build_script.run, PYTHON,
        {BUILD: "", "local.mk": "x:\n\t./make/build.sh $(ARGS)\n"},
        {"local.mk": "x:\n\t./make/build.sh $(ARGS)\n"},
        "skip      local.mk",
    ),
    (
        "build script: another language",
        python_build_script.run, {"language": "go"},
        {BUILD: "", "local.mk": "x:\n\tmake/build.sh a b c d\n"},
        {"local.mk": "x:\n\tmake/build.sh a b c d\n"},
        "",
    ),
    (
        "preview: the patch that the template wrote",
        preview_at_once.run, {},
        {OVERLAY: BEFORE_PATCH, preview_at_once.PATCH: ""},
        {OVERLAY: BEFORE_PATCH.replace(preview_at_once._OLD, "    path: at-once.yaml\n")},
        f"done      {OVERLAY}",
    ),
    (
        "preview: a patch that was edited",
        preview_at_once.run, {},
        {OVERLAY: BEFORE_PATCH.replace("value: []", "value: [{setWeight: 50}]"), preview_at_once.PATCH: ""},
        {OVERLAY: BEFORE_PATCH.replace("value: []", "value: [{setWeight: 50}]")},
        f"skip      {OVERLAY}",
    ),
    (
        "preview: a service without the file",
        preview_at_once.run, {}, {OVERLAY: BEFORE_PATCH}, {OVERLAY: BEFORE_PATCH}, "",
    ),
    (
        "resources: a route",
        overlay_resources.run, {},
        {STAGING: RESOURCES, "deploy/overlays/staging/httproute.yaml": ""},
        {STAGING: RESOURCES.replace("base\n", "base\n  - httproute.yaml\n")},
        f"done      {STAGING}",
    ),
    (
        "resources: a store, with the entry of the environment",
        overlay_resources.run, {"service_name": "orders", "secrets": "gcp"},
        {STAGING: RESOURCES, "deploy/overlays/staging/secretstore.yaml": ""},
        {STAGING: RESOURCES.replace("base\n", "base\n  - secretstore.yaml\n")
         + "patches:\n" + overlay_resources._PATCH.format("orders-staging")},
        f"done      {STAGING}",
    ),
    (
        "resources: a list in one line",
        overlay_resources.run, {},
        {STAGING: "resources: [../../base]\n", "deploy/overlays/staging/httproute.yaml": ""},
        {STAGING: "resources: [../../base]\n"},
        f"skip      {STAGING}",
    ),
    (
        "resources: no YAML at all",
        overlay_resources.run, {},
        {STAGING: "resources: [\n", "deploy/overlays/staging/httproute.yaml": ""},
        {STAGING: "resources: [\n"},
        f"skip      {STAGING}",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_migration_changes_what_it_knows_once(case: Case, tmp_path: Path) -> None:
    _, run, answers, files, expected, said = case
    service = tmp_path / "service"
    for name, text in files.items():
        foreign.write(name, text)(service)
    lines = run(service, answers)
    assert {name: (service / name).read_bytes().decode() for name in expected} == expected
    assert len(lines) == bool(said)
    assert all(line.startswith(said) for line in lines)
    assert not [line for line in run(service, answers) if line.startswith("done")]
    assert {name: (service / name).read_bytes().decode() for name in expected} == expected
    assert {path.relative_to(service).as_posix() for path in service.rglob("*") if path.is_file()} == set(files)


def test_each_version_with_migrations_has_an_entry() -> None:
    raw = yaml.safe_load((ROOT / "copier.yml").read_text())["_migrations"]
    versions = {str(one["version"]): one["command"] for one in raw if "version" in one}
    assert set(versions) == {one.version for one in ALL}
    assert all(str(command[-1]) == version for version, command in versions.items())
    assert raw[0]["command"][2] == "guard"
    assert raw[-1]["command"][2] == "summary"
    assert len({one.name for one in ALL}) == len(ALL)


# ---- This template as it was before its first release --------------------------------------------------------------
BUILD_SH = """\
#!/usr/bin/env bash
# usage: build.sh PYTHON PACKAGE VERSION REVISION
set -euo pipefail
printf '{"version": "%s", "revision": "%s"}\\n' "$3" "$4" >"$2/platform/build_info.json"
"$1" -m compileall -q --invalidation-mode checked-hash "$2"
"""
CALL_OLD = '$(STEP) "build" ./make/build.sh "$(PYTHON)" "$(PACKAGE)" "$(VERSION)" "$(REVISION)"'
CALL_NEW = '$(STEP) "build" $(PYTHON) .golden-path/build.py "$(PACKAGE)"'


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v0.0.9, in which the build script, the preview and the overlays are as they were once, and v0.1.0 of today."""
    folder = lab.snapshot(tmp_path_factory.mktemp("history") / "golden-path")
    git(folder, "tag", "--delete", lab.VERSION)
    today = git(folder, "rev-parse", "HEAD")
    files = folder / "template"
    makefile = files / "[[ python ]]" / ".golden-path" / "language.mk.jinja"
    assert CALL_NEW in makefile.read_text()
    makefile.write_text(makefile.read_text().replace(CALL_NEW, CALL_OLD))
    (files / "[[ python ]]" / ".golden-path" / "build.py").unlink()
    foreign.write("[[ python ]]/make/build.sh", BUILD_SH)(files)
    foreign.executable("[[ python ]]/make/build.sh")(files)
    overlay = files / f"{OVERLAY}.jinja"
    assert "    path: at-once.yaml\n" in overlay.read_text()
    overlay.write_text(overlay.read_text().replace("    path: at-once.yaml\n", preview_at_once._OLD))
    (files / f"{preview_at_once.PATCH}.jinja").unlink()
    for path in (files / "deploy" / "overlays").glob("*/*secretstore.yaml*"):
        path.unlink()
    for path in (files / "deploy" / "overlays").glob("*/kustomization.yaml.jinja"):
        text = re.sub(r"\[% if secrets.*?%\].*?\[% endif %\]\n", "", path.read_text(), flags=re.DOTALL)
        path.write_text(text)
    commit_all(folder, "As it was")
    git(folder, "tag", "v0.0.9")
    git(folder, "checkout", "--quiet", today, "--", ".")
    git(folder, "clean", "-fdq")
    (files / "[[ python ]]" / "make" / "build.sh").unlink()
    commit_all(folder, "Today")
    git(folder, "tag", "v0.1.0")
    assert git(folder, "rev-parse", "HEAD^{tree}") == git(folder, "rev-parse", f"{today}^{{tree}}")
    return folder


def old_service(history: Path, folder: Path, *edits: foreign.Step) -> Path:
    done = copier("copy", "--trust", "--defaults", "--quiet", "--vcs-ref", "v0.0.9", "--data", "language=python",
                  "--data", "secrets=vault", history, folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    commit_all(folder)
    for edit in edits:
        edit(folder)
    commit_all(folder, "Edits")
    return folder


LOCAL = foreign.write("local.mk", 'own:\n\t./make/build.sh "$(PYTHON)" "$(PACKAGE)" "$(VERSION)" "$(REVISION)"\n')


def test_copier_and_the_engine_run_them_alike(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    plain = old_service(history, tmp_path / "plain" / "orders", LOCAL)
    engine = old_service(history, tmp_path / "engine" / "orders", LOCAL)
    before = foreign.state(engine)
    done = apply.apply(engine, renderer)
    assert foreign.state(engine)[1:] == before[1:], "the work tree was touched"
    assert not done.plan.conflicts
    by = {one.path: one for one in done.plan.changes}
    assert by["local.mk"].reason == migrated.REASON
    assert by[OVERLAY].reason == migrated.REASON
    assert any("local.mk: calls .golden-path/build.py now" in note for note in done.plan.notes)
    git(engine, "switch", "--quiet", done.branch)
    updated = copier("update", "--trust", "--defaults", plain)
    assert updated.returncode == 0, updated.stderr
    assert "done      local.mk" in updated.stderr
    assert hard_cases.read(plain) == hard_cases.read(engine)
    files = hard_cases.read(engine)
    assert b"make/build.sh" not in files["local.mk"][1]
    assert "make/build.sh" not in files
    fresh = tmp_path / "fresh" / "orders"
    done_copy = copier("copy", "--trust", "--defaults", "--quiet", "--data", "language=python", "--data",
                       "secrets=vault", history, fresh)  # fmt: skip
    assert done_copy.returncode == 0, done_copy.stderr
    for environment in ("preview", "staging", "production"):
        name = f"deploy/overlays/{environment}/kustomization.yaml"
        mine, new = (yaml.safe_load(text) for text in (files[name][1], (fresh / name).read_bytes()))
        for key in ("resources", "patches"):  # the order of resources and patches makes no difference to Kustomize here
            assert sorted(map(str, mine[key])) == sorted(map(str, new[key])), (name, key)
    assert apply.apply(engine, renderer).status == apply.CURRENT


def test_an_edited_build_script_is_not_lost(history: Path, tmp_path: Path) -> None:
    service = old_service(history, tmp_path / "orders", foreign.append("make/build.sh", "echo mine\n"))
    before = foreign.state(service)
    done = copier("update", "--trust", "--defaults", service)
    assert done.returncode == 1
    said = next(line for line in done.stderr.splitlines() if line.startswith("golden-path: "))
    assert "make/build.sh (removed)" in said
    assert "make template-update" in said
    assert foreign.state(service) == before


# ---- Migrations of other templates ---------------------------------------------------------------------------------
OTHERS = """
_migrations:
  - "echo unversioned >>log.txt"
  - version: v2.0.0
    when: "{{ _stage == 'before' }}"
    command: git mv a.txt moved.txt
  - version: v2.0.0
    working_directory: dir
    command: >-
      printf '%s' "{{ name }} $STAGE $VERSION_FROM $VERSION_TO $VERSION_CURRENT {{ _copier_operation }}" >env.txt
  - version: v1.0.0
    command: exit 9
  - version: v3.0.0
    command: exit 9
  - version: v2.0.0
    before: ["echo legacy before >>log.txt && git add log.txt"]
    after: ["echo legacy after $STAGE >>log.txt"]
"""


def others(folder: Path, migrations: str) -> Path:
    source = foreign.template(
        folder,
        [foreign.write("a.txt"), foreign.write("dir/one.txt")],
        [foreign.move("a.txt", "moved.txt")],
    )
    (source / "copier.yml").write_text(foreign.SETTINGS + foreign.QUESTIONS + migrations)
    commit_all(source, "Migrations")
    git(source, "tag", "--force", foreign.NEW)
    return source


def test_migrations_of_any_template_run_as_copier_runs_them(tmp_path: Path, renderer: Renderer) -> None:
    source = others(tmp_path / "template", OTHERS)
    service = foreign.service(renderer, source, tmp_path / "service")
    git(tmp_path, "clone", "--quiet", str(service), "plain/service")
    updated = copier("update", "--trust", "--defaults", tmp_path / "plain" / "service")
    assert updated.returncode == 0, updated.stderr
    done = apply.apply(service, renderer)
    git(service, "switch", "--quiet", done.branch)
    files = hard_cases.read(service)
    assert files == hard_cases.read(tmp_path / "plain" / "service")
    assert files["dir/env.txt"][1] == b"orders after v1.0.0 v2.0.0 v2.0.0 update"
    assert files["log.txt"][1] == b"legacy before\nunversioned\nlegacy after after\n"


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, renderer: Renderer) -> None:
    source = others(tmp_path / "template", "_migrations: ['echo gone wrong >&2; touch half; exit 4']\n")
    service = foreign.service(renderer, source, tmp_path / "service")
    before = foreign.state(service)
    with pytest.raises(
        FleetError, match=r"a migration of version v2\.0\.0 .* failed: gone wrong \(exit code 4\)"
    ) as failed:
        apply.apply(service, renderer)
    assert failed.value.code == Exit.TEMPLATE
    assert foreign.state(service) == before


def test_migrations_need_trust(tmp_path: Path) -> None:
    source = others(tmp_path / "template", "_migrations: ['touch run']\n")
    with Renderer() as untrusted:
        service = foreign.service(untrusted, source, tmp_path / "service")
        before = foreign.state(service)
        with pytest.raises(FleetError, match=r"code of its own \(migrations\).*--trust") as refused:
            apply.apply(service, untrusted)
    assert refused.value.code == Exit.TEMPLATE
    assert foreign.state(service) == before


def test_what_a_migration_says_is_in_the_plan(tmp_path: Path, renderer: Renderer) -> None:
    source = others(tmp_path / "template", "_migrations: ['echo skip: x.txt is not known']\n")
    service = foreign.service(renderer, source, tmp_path / "service")
    done = apply.apply(service, renderer)
    assert "migration: skip: x.txt is not known" in done.plan.notes
    assert "skip: x.txt is not known" in git(service, "log", "-1", "--format=%B", done.branch)


def test_the_names_of_versions() -> None:
    assert migrations.of("0.1.0") == migrations.of("v0.1.0")
    assert migrations.of("9.9.9") == []


def test_another_tool_can_see_to_lost_edits_itself(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As make template-update does: no guard, no summary, and the migrations all the same."""
    service = old_service(history, tmp_path / "orders", foreign.append("make/build.sh", "echo mine\n"), LOCAL)
    monkeypatch.setenv("GOLDEN_PATH_GUARD", "off")
    done = copier("update", "--trust", "--defaults", "--quiet", service)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "template  v" in line or "golden-path:" in line] == []
    assert ".golden-path/build.py" in (service / "local.mk").read_text()
