"""Bad answers end with one line and nothing written; good ones are remembered."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from extensions import answers as rules
from extensions import build_tools, names
from golden_path.service import slo
from tests.labs import template as lab
from tests.labs import warm
from tests.labs.toolchains import ROOT

LONG = "a" * 41
URL = "prometheus_url: must be an http or https URL of a host, for example 'http://prometheus-operated.monitoring:9090'"
WORKFLOW = f"acme/workflows/.github/workflows/release.yml@{'1' * 40}"


@pytest.fixture(scope="module")
def unversioned(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template in a folder that is no repository, of which Copier makes no clone before it looks at the answers."""
    folder = tmp_path_factory.mktemp("unversioned") / "golden-path"
    return Path(shutil.copytree(template, folder, ignore=shutil.ignore_patterns(".git")))


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({"langauge": "go"}, "unknown answer 'langauge'; did you mean 'language'?"),
        ({"language": "rust"}, "language: must be one of go, java, node, python, not 'rust'"),
        (
            {"language": "pyhton"},
            "language: must be one of go, java, node, python, not 'pyhton' (did you mean python?)",
        ),
        (
            {"language": "java", "service_name": "class"},
            "service_name: 'class' is a reserved word of java; choose another, for example 'class-service'",
        ),
        (
            {"service_name": "func"},  # the language is not given: its default is Go
            "service_name: 'func' is a reserved word of go; choose another, for example 'func-service'",
        ),
        (
            {"language": "python", "service_name": "json"},
            "service_name: 'json' is a reserved word of python; choose another, for example 'json-service'",
        ),
        (
            {"language": "node", "service_name": "await"},
            "service_name: 'await' is a reserved word of node; choose another, for example 'await-service'",
        ),
        (
            {"language": "python", "service_name": "calendar"},
            "service_name: 'calendar' is a reserved word of python; choose another, for example 'calendar-service'",
        ),
        (
            {"service_name": "uuid", "organisation": "google"},
            "organisation: the service would be called like github.com/google/uuid, which it needs itself: choose "
            "another name",
        ),
        (
            {"language": "java", "service_name": "springframework", "java_group": "org"},
            "java_group: the service would be called like org.springframework.boot, which it needs itself: choose "
            "another name",
        ),
        ({"service_name": LONG}, "service_name: is 41 characters long; Kubernetes leaves room for 40"),
        (
            {"service_name": "Order_Service"},
            "service_name: must be lower case letters, digits and single hyphens, first a letter",
        ),
        ({"port": 70000}, "port: must be a whole number from 1024 to 65535, not '70000'; lower ports need privileges"),
        ({"port": 80}, "port: must be a whole number from 1024 to 65535, not '80'; lower ports need privileges"),
        ({"port": "http"}, "port: must be a whole number from 1024 to 65535, not 'http'; lower ports need privileges"),
        (
            {"slo_availability": 100},
            "slo_availability: must be from 90 to less than 100, not 100: "
            "an objective of 100 % leaves no error budget, so no release is ever allowed",
        ),
        ({"prometheus_url": "prometheus:9090"}, URL),
        ({"prometheus_url": "http://p:9090/?a=b"}, URL),
        ({"team": "a" * 64}, "team: is 64 characters long; a label in Kubernetes takes 63"),
        ({"slo_latency_target": "fast"}, "slo_latency_target: must be a number, not 'fast'"),
        (
            {"slo_latency_ms": 300},
            "slo_latency_ms: must be a bound of the latency histogram "
            "(5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000), not '300'",
        ),
        ({"tier": "gold"}, "tier: must be one of critical, standard, internal, not 'gold'"),
        ({"licence": "GPL"}, f"licence: must be one of {', '.join(rules.choices('licence'))}, not 'GPL'"),
        ({"provides": "maybe"}, "provides: must be true or false, not 'maybe'"),
        (
            {"upstream": "self", "service_name": "self"},
            "upstream: a service cannot be its own upstream",
        ),
        (
            {"upstream": "http://inventory"},
            "upstream: must be lower case letters, digits and single hyphens, first a letter",
        ),
        ({"team": "the team"}, "team: must be the team's GitHub slug, for example 'payments'"),
        (
            {"organisation": "-acme"},
            "organisation: must be a GitHub organisation: letters, digits and single hyphens",
        ),
        (
            {"registry": "https://ghcr.io/acme"},
            "registry: must be a registry and path in lower case without a scheme, for example 'ghcr.io/acme'",
        ),
        ({"base_image": "alpine"}, "base_image: must be one of distroless, wolfi, not 'alpine'"),
        (
            {"language": "node", "base_image": "wolfi"},
            "base_image: wolfi is for go only: "
            "its free images carry another version of the node runtime than the service's",
        ),
        ({"secrets": "vualt"}, "secrets: must be one of none, vault, aws, gcp, not 'vualt' (did you mean vault?)"),
        ({"delivery": "rolling"}, "delivery: must be one of canary, blue-green, not 'rolling'"),
        (
            {"delivery": "blue-green", "traffic": "gateway"},
            "traffic: gateway is for delivery=canary only: blue-green moves all requests at once, between Services",
        ),
        (
            {"build_workflow": "remote"},
            "build_workflow: must be one of local, organisation, not 'remote'",
        ),
        (
            {"build_workflow": "organisation"},
            "build_workflow: organisation needs release_workflow as well, for example "
            "'acme/golden-path/.github/workflows/service-release.yml@<40 hex digits>'",
        ),
        ({"release_workflow": WORKFLOW}, "release_workflow: is for build_workflow=organisation only"),
        *(
            (
                {"build_workflow": "organisation", "release_workflow": bad},
                "release_workflow: must be a workflow at a commit, for example "
                "'acme/golden-path/.github/workflows/service-release.yml@<40 hex digits>'",
            )
            for bad in (
                WORKFLOW.replace("1" * 40, "v1"),  # a tag can be moved
                WORKFLOW.replace("1" * 40, "1" * 39),
                WORKFLOW.replace("acme/", ""),
                WORKFLOW.replace(".github/workflows/", ""),
                f"./{WORKFLOW}",
                f"{WORKFLOW}\nwith: evil",
            )
        ),
        ({"build_tool": "bazel"}, f"build_tool: must be one of {', '.join(rules.choices('build_tool'))}, not 'bazel'"),
        (
            {"build_tool": "poetri", "language": "python"},
            f"build_tool: must be one of {', '.join(rules.choices('build_tool'))}, not 'poetri' (did you mean poetry?)",
        ),
        ({"build_tool": "npm"}, "build_tool: npm builds services in node, not in go"),
        (
            {"lint_command": "make lint"},
            "lint_command: is for a service with a build tool of its own: give build_tool, too",
        ),
        *(
            (
                {"build_tool": "go", "test_command": bad},
                "test_command: must be one line of shell, at most 400 characters, without a backslash at its end",
            )
            for bad in ("a\nb", "a \\", " a", "x" * 401, "a\tb")
        ),
        *(
            (
                {"build_tool": "go", "dockerfile": bad},
                "dockerfile: must be a path in the repository, for example 'docker/Dockerfile'",
            )
            for bad in ("../Dockerfile", "/Dockerfile", "a/../b", "..", "a b", "$(id)", "a/")
        ),
        (
            {"build_tool": "go", "runtime_version": "latest"},
            "runtime_version: must be a version, for example 3.13 or 24, not 'latest'",
        ),
        (
            {"build_tool": "go", "own_makefile": "GNUmakefile"},
            "own_makefile: must be one of none, Makefile, makefile, not 'GNUmakefile' (did you mean makefile?)",
        ),
        ({"kind": "modell"}, "kind: must be one of service, model, not 'modell' (did you mean model?)"),
        ({"kind": "model", "language": "go"}, "kind: model is for language=python only, not for go"),
        (
            {"kind": "model", "upstream": "inventory"},
            "upstream: is for kind=service only: a model's API calls no other service",
        ),
        (
            {"model_delivery": "volume"},
            "model_delivery: volume is for kind=model only: another service has no model",
        ),
        (
            {"model_registry": "mlflow"},
            "model_registry: mlflow is for kind=model only, with models as artifacts (model_delivery other than image)",
        ),
        (
            {"kind": "model", "model_delivery": "image", "model_registry": "mlflow"},
            "model_registry: mlflow is for kind=model only, with models as artifacts (model_delivery other than image)",
        ),
        (
            {"kind": "model", "model_registry": "mlfow"},
            "model_registry: must be one of oci, mlflow, databricks, not 'mlfow' (did you mean mlflow?)",
        ),
        (
            {"kind": "model", "model_delivery": "vol"},
            "model_delivery: must be one of init, volume, image, not 'vol' (did you mean volume?)",
        ),
        (
            {"kind": "model", "build_tool": "poetry"},
            "build_tool: poetry is for kind=service only: what serves a model is the template's",
        ),
        (
            {"kind": "model", "service_name": "sklearn"},
            "service_name: 'sklearn' is a reserved word of python; choose another, for example 'sklearn-service'",
        ),
        ({"description": ""}, "description: must be one line of 1 to 200 printable characters"),
        ({"description": "a\nb"}, "description: must be one line of 1 to 200 printable characters"),
        (
            {"language": "java", "java_group": "com.new"},
            "java_group: 'new' is a reserved word of java",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(f"{k}={v}"[:30] for k, v in value.items()),
)
def test_bad_answer(unversioned: Path, tmp_path: Path, answers: dict[str, object], line: str) -> None:
    done = lab.copy(unversioned, tmp_path / "service", answers, warm.copier)
    assert done.returncode == 1
    assert done.stderr.strip() == line
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_bad_answer_to_a_version(template: Path, tmp_path: Path) -> None:
    """As users run it: by the program, of a template in a repository."""
    done = lab.copy(template, tmp_path / "service", {"langauge": "go"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "unknown answer 'langauge'; did you mean 'language'?\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["language", "kind", "tier", "licence", "base_image", "secrets", "delivery", "traffic", "build_workflow"]
)
def test_choices_of_the_prompt_are_those_of_the_check(name: str, template: Path, tmp_path: Path) -> None:
    for choice in rules.choices(name):
        assert not rules.CHECKS[name](choice, {"release_workflow": "x"}, Environment())
    done = lab.copy(template, tmp_path / "service", {name: "nothing"})
    assert done.stderr.startswith(f"{name}: must be one of {', '.join(rules.choices(name))}, not 'nothing'")


def test_every_question_is_checked() -> None:
    assert set(rules.CHECKS) == rules.question_names(ROOT / "copier.yml")


def test_the_bounds_of_the_prompt_are_those_of_the_histogram() -> None:
    assert rules.choices("slo_latency_ms") == tuple(map(str, slo.BUCKETS_MS))


def test_answers_of_a_data_file_are_checked_too(template: Path, tmp_path: Path) -> None:
    data = tmp_path / "answers.yml"
    data.write_text("port: 80\n")
    done = warm.copier("copy", "--trust", "--defaults", "--data-file", data, template, tmp_path / "service")
    assert (done.returncode, done.stderr.strip()[:5]) == (1, "port:")
    assert not (tmp_path / "service").exists()


def test_the_organisations_workflow_is_remembered_and_kept(template: Path, tmp_path: Path) -> None:
    """A later run with the answers of the first needs no word about it."""
    given = {"build_workflow": "organisation", "release_workflow": WORKFLOW}
    folder = lab.render(template, tmp_path / "orders", given)
    lab.commit_all(folder)
    done = warm.copier("recopy", "--trust", "--defaults", "--overwrite", "--quiet", "--data", "port=9000", folder)
    assert done.returncode == 0, done.stderr
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert {name: answers[name] for name in given} == given
    assert answers["port"] == 9000
    assert f"uses: {WORKFLOW}" in (folder / ".github/workflows/release.yml").read_text()


def test_defaults_make_a_service_of_the_folders_name(template: Path, tmp_path: Path) -> None:
    folder = lab.render(template, tmp_path / "Order Service", {})
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert answers.pop("_src_path") == str(template)
    assert answers == {
        "_commit": lab.VERSION,
        "base_image": "distroless",
        "build_tool": "golden-path",
        "build_workflow": "local",
        "delivery": "canary",
        "description": "The order-service API",
        "details": False,
        "go_workspace": False,
        "language": "go",
        "licence": "proprietary",
        "organisation": "acme",
        "port": 8080,
        "provides": True,
        "registry": "ghcr.io/acme",
        "secrets": "none",
        "service_name": "order-service",
        "slo_availability": 99.9,
        "slo_latency_ms": 500,
        "slo_latency_target": 99.0,
        "prometheus_url": "http://prometheus-operated.monitoring:9090",
        "team": "platform",
        "tier": "standard",
        "traffic": "replicas",
        "upstream": "",
    }


def test_a_model_is_of_its_language(template: Path, tmp_path: Path) -> None:
    """Without a word about the language; and what only a model needs is no reserved word for others."""
    folder = lab.render(template, tmp_path / "sklearn", {"kind": "model"})
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert (answers["kind"], answers["language"], answers["service_name"]) == ("model", "python", "sklearn-service")
    assert "upstream" not in answers
    folder = lab.render(template, tmp_path / "again" / "sklearn", {"language": "python"})
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text())
    assert (answers["kind"], answers["service_name"]) == ("service", "sklearn")


def test_detail_given_without_the_question_for_details_is_kept(template: Path, tmp_path: Path) -> None:
    """A detail is not asked for, but a given one is used, remembered, and survives the next copy."""
    folder = lab.render(template, tmp_path / "orders", {"port": 9000, "slo_availability": 99})
    for _ in range(2):
        answers = yaml.safe_load((folder / ".copier-answers.yml").read_text())
        assert (answers["port"], answers["slo_availability"], answers["details"]) == (9000, 99.0, False)
        assert "PORT ?= 9000" in (folder / "Makefile").read_text()
        lab.commit_all(folder)
        done = warm.copier("recopy", "--trust", "--defaults", "--overwrite", "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr
    assert lab.git(folder, "status", "--porcelain") == ""


def test_without_trust_it_says_how(template: Path, tmp_path: Path) -> None:
    done = warm.copier("copy", "--defaults", template, tmp_path / "service")
    assert done.returncode == 4
    assert "--trust" in done.stderr
    assert not (tmp_path / "service").exists()


def test_settings_line_replaces_trust(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line of Copier's settings that the README gives."""
    settings = tmp_path / "settings.yml"
    settings.write_text(f"trust: [{template}]\n")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(settings))
    done = warm.copier("copy", "--defaults", "--quiet", template, tmp_path / "service")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "service" / "Makefile").exists()


def test_each_build_tool_is_a_choice() -> None:
    assert tuple(build_tools.BUILD_TOOLS) == rules.choices("build_tool")


@pytest.mark.parametrize(
    "text", ["a", 'echo "$HOME" $(id) `id` $$ # no comment', r"a\#b \\# ${X} $X", "a=b; c := d", "x,y"]
)
def test_a_command_is_the_same_in_make(text: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(
        f"VALUE = {build_tools.make_value(text)}\nexport VALUE\nall:\n\t@printenv VALUE\n"
    )
    assert (
        subprocess.run(["make", "--silent"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        == f"{text}\n"
    )


class _Noted(dict[str, Any]):
    """Answers that note which of them somebody asks for."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(answers)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def test_the_hook_checks_again_where_an_answer_changed_that_counts() -> None:
    """Every answer that a check of another one looks at is one of those that the hook compares."""
    environment = Environment(extensions=[names.NamesExtension, build_tools.BuildToolsExtension])
    environment.globals["LATENCY_BUCKETS_MS"] = (100,)
    given = {"service_name": "uuid", "organisation": "google", "base_image": "wolfi", "traffic": "gateway",
             "java_group": "org", "build_workflow": "organisation", "release_workflow": "x",
             "upstream": "y", "kind": "service"}  # fmt: skip
    asked = set()
    for language in rules.choices("language"):
        noted = _Noted({**given, "language": language})
        for name, check in rules.CHECKS.items():
            check(given.get(name, "100"), noted, environment)
        asked |= noted.asked
    assert asked == set(rules._DECISIVE)
