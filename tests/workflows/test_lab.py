"""The workflow lab itself, on a tiny repository of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from extensions import pins
from extensions.pins import Actions
from tests.labs import template
from tests.labs.errors import LabError
from tests.labs.workflows import inputs, metadata
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.lint import lint
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder

ACTION = Actions(pins.load()["actions"])
WORKFLOW = ".github/workflows/ci.yml"

CI = f"""\
name: CI
on:
  push:
    branches: [main]
permissions: {{}}
concurrency:
  group: ci-${{{{ github.ref }}}}
  cancel-in-progress: true
jobs:
  build:
    name: Build
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read # checks out
    outputs:
      word: ${{{{ steps.build.outputs.word }}}}
    steps:
      - uses: {ACTION("actions/checkout")}
        with:
          persist-credentials: false
      - uses: ./.github/actions/setup
        with:
          version: "1.26"
      - id: build
        name: Build
        run: make build
      - uses: {ACTION("actions/upload-artifact")}
        with:
          name: out
          path: |
            out/*
            !out/secret
  gate:
    name: Gate
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - name: Fail on demand
        run: test "$FAIL" != yes
        env:
          FAIL: ${{{{ vars.FAIL }}}}
      - name: After
        run: echo after
  ci-ok:
    name: CI
    needs: [build, gate]
    if: always()
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: {ACTION("actions/download-artifact")}
        with:
          name: out
          path: got
      - name: Say
        run: |
          ls -l got
          echo "the word is $WORD" >>"$GITHUB_STEP_SUMMARY"
          echo "{{}}" | gh api repos/acme/orders/statuses --input -
          echo "title is $(gh pr view --json title)"
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          WORD: ${{{{ needs.build.outputs.word }}}}
      - name: Verdict
        if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')
        run: |
          echo "$NEEDS"
          exit 1
        env:
          NEEDS: ${{{{ toJSON(needs) }}}}
"""

SETUP = f"""\
name: Set up
description: Set up
inputs:
  version:
    description: Version
    required: true
runs:
  using: composite
  steps:
    - uses: {ACTION("actions/setup-go")}
      with:
        go-version: ${{{{ inputs.version }}}}
"""

MAKEFILE = """\
SHELL := bash
.PHONY: build
build:
\t@test -x .tools/tool && .tools/tool
\t@mkdir out && echo built >out/service && echo s >out/secret && echo h >out/.hidden && chmod +x out/service
\t@echo "word=green" >>"$$GITHUB_OUTPUT"
\t@echo "built from $$(git describe --tags --always)"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    for name, text in {
        WORKFLOW: CI,
        ".github/actions/setup/action.yml": SETUP,
        "Makefile": MAKEFILE,
        # It wants $/ in place of ./, which neither actionlint nor act reads.
        ".github/zizmor.yml": "rules:\n  self-repository:\n    disable: true\n",
        ".gitignore": "/.tools/\n/out/\n",
        ".tools/tool": "#!/bin/sh\necho the installed tool ran\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".tools" / "tool").chmod(0o755)
    template.commit_all(folder)
    template.git(folder, "tag", "v1.2.3")
    return folder


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


GH = Recorder((Answer("pr view", stdout='{"title": "Green"}\n'),), env=("GH_TOKEN",))


@pytest.fixture
def push(repository: Path, lab: Lab) -> Callable[..., Result]:
    def run(**options: object) -> Result:
        return lab.run(repository, "push", {}, "ci.yml", recorders={"gh": GH}, **options)  # type: ignore[arg-type]

    return run


def edit(repository: Path, before: str, after: str, file: str = WORKFLOW) -> None:
    text = (repository / file).read_text()
    assert before in text
    (repository / file).write_text(text.replace(before, after))


def test_run_that_succeeds(push: Callable[..., Result]) -> None:
    result = push()
    assert result.code == 0, result.stdout
    assert result.results == {"build": "success", "gate": "success", "ci-ok": "success"}
    assert result.jobs["gate"].began > result.jobs["build"].ended
    assert result.jobs["ci-ok"].summary == "the word is green\n"
    assert [(step.name, step.result) for step in result.jobs["ci-ok"].steps][1:] == [
        ("Say", "success"),
        ("Verdict", "skipped"),
    ]


def test_job_has_the_real_repository_as_shallow_as_on_a_runner(push: Callable[..., Result], repository: Path) -> None:
    step = push().jobs["build"].step("build")
    assert step.outputs == {"word": "green"}
    output = step.output
    assert "the installed tool ran" in output
    # A shallow checkout has no tags.
    assert f"built from {template.git(repository, 'rev-parse', '--short', 'HEAD')}" in output
    assert not (repository / "out").exists()


def test_artifacts_are_carried_as_the_real_actions_do(push: Callable[..., Result]) -> None:
    result = push()
    assert [path.name for path in (result.artifacts / "out").iterdir()] == ["service"]
    assert "-rw-r--r--" in result.jobs["ci-ok"].step("Say").output


def test_calls_are_recorded_with_job_and_step(push: Callable[..., Result]) -> None:
    result = push()
    assert [(call.name, call.job, call.step) for call in result.calls] == [
        ("actions/checkout", "build", "0"),
        ("actions/setup-go", "build", "1/0"),
        ("actions/upload-artifact", "build", "3"),
        ("actions/download-artifact", "ci-ok", "0"),
        ("gh", "ci-ok", "1"),
        ("gh", "ci-ok", "1"),
    ]
    assert result.called("actions/setup-go")[0].inputs == {"go-version": "1.26"}
    post, view = result.called("gh", "ci-ok")
    assert (post.line, post.stdin) == ("gh api repos/acme/orders/statuses --input -", "{}\n")
    assert view.env == {"GH_TOKEN": "lab-token"}
    assert 'title is {"title": "Green"}' in result.jobs["ci-ok"].output


def test_job_that_fails(push: Callable[..., Result]) -> None:
    result = push(variables={"FAIL": "yes"})
    assert result.code == 1
    assert result.results == {"build": "success", "gate": "failure", "ci-ok": "failure"}
    assert result.jobs["gate"].step("Fail on demand").result == "failure"
    assert result.jobs["gate"].step("After").result == "skipped"


def test_action_that_is_told_to_fail(push: Callable[..., Result]) -> None:
    result = push(fails=["actions/setup-go"])
    assert result.results == {"build": "failure", "gate": "skipped", "ci-ok": "failure"}


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [("success", "success"), ("failure", "failure"), ("cancelled", "failure"), ("skipped", "success")],
)
def test_job_that_ends_as_wanted(push: Callable[..., Result], ending: str, verdict: str) -> None:
    result = push(ended={"gate": Ended(ending)})  # type: ignore[arg-type]
    assert result.results == {"build": "success", "gate": ending, "ci-ok": verdict}
    if verdict == "failure":
        output = result.jobs["ci-ok"].step("Verdict").output
        needs = json.loads(output[output.index("{") : output.rindex("}") + 1])
        assert needs["gate"]["result"] == ending
        assert needs["build"] == {"result": "success", "outputs": {"word": "green"}}


def test_outputs_of_a_job_that_does_not_run(push: Callable[..., Result]) -> None:
    result = push(ended={"build": Ended("success", {"word": "blue"})})
    assert not result.called("actions/checkout")
    assert result.jobs["ci-ok"].step("0").result == "failure"
    assert "::error::actions/download-artifact: artifact not found: out; there are: none" in result.jobs["ci-ok"].output


MORE = f"""\
name: More
on: [pull_request]
permissions: {{}}
jobs:
  legs:
    strategy:
      fail-fast: false
      matrix:
        arch: [amd64, arm64]
    runs-on: ${{{{ matrix.arch == 'arm64' && 'ubuntu-24.04-arm' || 'ubuntu-24.04' }}}}
    steps:
      - run: |
          gh leg "${{{{ matrix.arch }}}}"
          test "${{{{ matrix.arch }}}}" = arm64
  push:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
      artifact-metadata: write # act refuses this one
    steps:
      - uses: {ACTION("actions/checkout")}
        with:
          repository: acme/deploy
          path: deploy
          token: ${{{{ secrets.DEPLOY }}}}
      - run: |
          echo "token '$TOKEN' on $GITHUB_REF"
          git config user.name bot
          git config user.email bot@example.com
          git commit --quiet --allow-empty --message Promote
          git push --quiet origin HEAD:promote
        working-directory: deploy
        env:
          TOKEN: ${{{{ secrets.DEPLOY }}}}
      - run: until gh run view; do true; done
  call:
    uses: ./.github/workflows/called.yml
    with:
      word: hello
"""
CALLED = """\
name: Called
on:
  workflow_call:
    inputs:
      word:
        type: string
        required: true
permissions: {}
jobs:
  inner:
    runs-on: ubuntu-24.04
    steps:
      - run: gh called "$WORD"
        env:
          WORD: ${{ inputs.word }}
"""


@pytest.fixture
def more(repository: Path, lab: Lab, tmp_path: Path) -> Callable[[bool], Result]:
    (repository / ".github/workflows/more.yml").write_text(MORE)
    (repository / ".github/workflows/called.yml").write_text(CALLED)
    template.commit_all(repository)
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    template.commit_all(deploy)
    waiting = Recorder((Answer("run view", code=1, times=2),))

    def run(fork: bool) -> Result:
        request = {"number": 7, "head": {"ref": "topic", "repo": {"fork": fork}}, "base": {"ref": "main"}}
        return lab.run(
            repository, "pull_request", {"pull_request": request}, "more.yml", name="acme/orders",
            secrets={"DEPLOY": "deploy-key"}, recorders={"gh": waiting}, repositories={"acme/deploy": deploy},
        )  # fmt: skip

    return run


def test_matrix_called_workflow_push_and_answers_in_turn(more: Callable[[bool], Result]) -> None:
    result = more(False)
    assert result.results == {
        "legs (amd64)": "failure",
        "legs (arm64)": "success",
        "push": "success",
        "call/inner": "success",
    }, result.stdout
    assert (result.result("legs"), result.result("call")) == ("failure", "success")
    assert {call.job: call.arguments for call in result.called("gh") if call.arguments[0] != "run"} == {
        "legs (amd64)": ("leg", "amd64"),
        "legs (arm64)": ("leg", "arm64"),
        "call/inner": ("called", "hello"),
    }
    assert len(result.called("gh", "push")) == 3
    assert template.git(result.remotes / "acme/deploy", "log", "-1", "--format=%s", "promote") == "Promote"


def test_fork_gets_no_secrets(more: Callable[[bool], Result]) -> None:
    assert "token '***' on refs/pull/7/merge" in more(False).jobs["push"].output
    assert "token '' on refs/pull/7/merge" in more(True).jobs["push"].output


def test_what_does_not_fit_is_said_in_one_line(push: Callable[..., Result], repository: Path, lab: Lab) -> None:
    def refused(pattern: str, **options: object) -> None:
        with pytest.raises(LabError, match=pattern) as error:
            push(**options)
        assert "\n" not in str(error.value)

    refused("ci.yml has no job gat: it has build, gate, ci-ok", ended={"gat": Ended("success")})
    refused("actions/cache has no output hit: it has cache-hit", values={"actions/cache": {"hit": "true"}})
    refused("the workflow lab does not know acme/x", fails=["acme/x"])
    with pytest.raises(LabError, match=r"has no workflow .github/workflows/none.yml"):
        lab.run(repository, "push", {}, "none.yml")
    with pytest.raises(LabError, match=r"has no refs/tags/v9"):
        lab.run(repository, "push", {"ref": "refs/tags/v9"}, "ci.yml")
    edit(repository, "runs-on: ubuntu-24.04", "runs-on: windows-2025")
    refused("has changes that are not committed")
    template.commit_all(repository)
    refused("did not end the job build of ci.yml: the lab has no runner windows-2025")
    edit(repository, "needs: build", "needs: nothing")
    template.commit_all(repository)
    refused("act cannot run ci.yml")


def test_metadata_is_of_the_pinned_actions() -> None:
    known = {"/".join(name.split("/")[:2]) for name in metadata.load()}
    assert known == set(pins.load()["actions"])


def test_good_repository_has_no_findings(repository: Path) -> None:
    assert inputs.check(repository) == []
    assert lint(repository) == []


def test_what_does_not_fit_an_action_is_found(repository: Path) -> None:
    sha, _, version = pins.load()["actions"]["actions/checkout"].partition(" # ")
    edit(repository, f"actions/checkout@{sha} # {version}", f"actions/checkout@{sha} # v1.0.0")
    edit(repository, "persist-credentials", "persist-credential")
    edit(repository, "          path: |\n            out/*\n            !out/secret\n", "")
    edit(repository, "- id: build\n", "- id: build\n        if: steps.go.outputs.version != ''\n")
    edit(repository, "- uses: ./.github/actions/setup", f"- id: go\n        uses: {ACTION('actions/setup-go')}")
    edit(repository, 'version: "1.26"', 'go-version: "1.26"')
    edit(repository, "actions/download-artifact@", "acme/download@")
    pin = pins.load()["actions"]["actions/checkout"]
    assert inputs.check(repository) == [
        f"{WORKFLOW}:19: actions/checkout@{sha} # v1.0.0 is not the pin {pin}",
        f"{WORKFLOW}:21: actions/checkout has no input persist-credential",
        f"{WORKFLOW}:30: actions/upload-artifact needs the input path",
        f"{WORKFLOW}:27: actions/setup-go has no output version",
        f"{WORKFLOW}:52: acme/download is not pinned: add it to pins.yaml and actions.json",
    ]


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("needs: build", "needs: biuld", "actionlint: .github/workflows/ci.yml:"),
        ("          persist-credentials: false\n", "          clean: true\n", "[artipacked]"),
        ("    timeout-minutes: 5\n    steps", "    steps", "custom.github-workflows-require-timeout"),
        ("runs-on: ubuntu-24.04", "runs_on: ubuntu-24.04", "vendor.github-workflows: .github/workflows/ci.yml"),
        ('exit 1\n', 'exit 1\n          echo $NEEDS\n', "SC2086"),
    ],
)  # fmt: skip
def test_linters_find(repository: Path, before: str, after: str, finding: str) -> None:
    edit(repository, before, after)
    assert any(finding in line for line in lint(repository)), lint(repository)
