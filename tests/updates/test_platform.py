"""``golden-path platform policies``: what a cluster is given, from the files that `make policy` of a service reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from golden_path import cli
from golden_path.errors import Exit
from tests.labs import template as lab
from tests.updates import first_release

REGISTRY = "ghcr.io/acme"


def run(template: Path, folder: Path, *registries: str, more: tuple[str, ...] = ()) -> int:
    named = [part for one in registries for part in ("--registry", one)]
    return cli.main(["platform", "policies", str(folder), "--template", str(template), "--trust", *named, *more])


def written(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_rules_are_those_of_a_service(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "platform" / "policies"
    assert run(template, folder, REGISTRY) == Exit.DONE
    found = written(folder)
    assert capsys.readouterr().out.splitlines() == [f"wrote {folder / name}" for name in sorted(found)]
    service = lab.render(template, tmp_path / "orders", {"registry": REGISTRY}) / ".golden-path/policies"
    rules = {path.name: path.read_text() for path in service.glob("*.yaml") if path.name != "kustomization.yaml"}
    assert {Path(name).name: text for name, text in found.items() if Path(name).name in rules} == rules
    assert set(found) == {
        *(
            f"rules/{name}"
            for name in ("images.yaml", "kustomization.yaml", "network.yaml", "pods.yaml", "secrets.yaml")
        ),
        *(f"kyverno/{name}" for name in ("isolation.yaml", "kustomization.yaml", "reports.yaml", "sweep.yaml")),
        *(f"admission/{name}" for name in ("bindings.yaml", "kustomization.yaml")),
    }
    bound = {one["spec"]["policyName"] for one in yaml.safe_load_all(found["admission/bindings.yaml"])}
    listed = [f"rules/{name}" for name in yaml.safe_load(found["rules/kustomization.yaml"])["resources"]]
    assert bound == {one["metadata"]["name"] for name in listed for one in yaml.safe_load_all(found[name])}


def test_several_registries_and_files_of_the_platforms_own(template: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("mine\n")
    assert run(template, tmp_path, REGISTRY, "registry.example.com:5000/mesh") == Exit.DONE
    rules = {one["metadata"]["name"]: one for one in yaml.safe_load_all((tmp_path / "rules/images.yaml").read_text())}
    [allowed] = [one for one in rules["image-registry"]["spec"]["variables"] if one["name"] == "allowed"]
    assert yaml.safe_load(allowed["expression"]) == ["ghcr.io/acme/", "registry.example.com:5000/mesh/"]
    before = written(tmp_path)
    assert before.pop("own.yaml") == "mine\n"
    assert run(template, tmp_path, REGISTRY, "registry.example.com:5000/mesh") == Exit.DONE
    assert written(tmp_path) == {**before, "own.yaml": "mine\n"}


@pytest.mark.parametrize(
    ("registries", "code", "said"),
    [
        ((REGISTRY, "https://ghcr.io"), Exit.TEMPLATE, "registry"),
        (("",), Exit.TEMPLATE, "registry"),
    ],
)
def test_what_is_no_registry_is_one_line(
    registries: tuple[str, ...],
    code: int,
    said: str,
    template: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(template, tmp_path / "policies", *registries) == code
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "policies").exists()


def test_a_file_in_the_place_of_the_folder(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policies").write_text("mine\n")
    assert run(template, tmp_path / "policies", REGISTRY) == Exit.USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("name another folder")
    assert (tmp_path / "policies").read_text() == "mine\n"


def test_a_version_without_them_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = first_release.history(tmp_path / "golden-path")
    assert run(template, tmp_path / "policies", REGISTRY, more=("--to", first_release.OLD)) == Exit.TEMPLATE
    [line] = capsys.readouterr().err.splitlines()
    assert "version v0.1.0 of the template has no policies that are known: name another with --to" in line
    assert not (tmp_path / "policies").exists()
