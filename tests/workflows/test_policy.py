"""Each rule of `make policy` passes on what the template writes, and finds the one thing that it is about."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

SHA = "0" * 40
WORKFLOW = ".github/workflows/ci.yml"
RELEASE = ".github/workflows/release.yml"
# Rule, file, what is replaced there, by what, and what is said of it. A file that is replaced by nothing is removed.
BREAKS = [
    ("W001", WORKFLOW, r"(uses: actions/checkout@)\w+", r"\1v7", "is not pinned by commit"),
    ("W001", WORKFLOW, r"(uses: actions/checkout@\w+) # v[\d.]+", r"\1", "has no comment that names the version"),
    ("W001", ".github/actions/setup/action.yml", r"(uses: actions/cache@)\w+", r"\1main", "is not pinned by commit"),
    ("W002", WORKFLOW, r"^permissions: \{\}", "permissions: read-all", "write 'permissions: {}' at the top"),
    ("W002", WORKFLOW, r"^    permissions:\n      contents: read\n", "", "the job lint does not say its permissions"),
    ("W003", WORKFLOW, r"^    timeout-minutes: 15\n", "", "the job lint has no timeout-minutes"),
    ("W004", WORKFLOW, r"^  pull_request:", "  pull_request_target:", "pull_request_target runs with secrets"),
    (
        "W005",
        WORKFLOW,
        r"run: make lint",
        "run: make lint '${{ github.event.pull_request.title }}'",
        "pass it through env",
    ),
    ("W005", WORKFLOW, r"run: make lint", "run: git switch ${{ github.head_ref }}", "pass it through env"),
    ("W006", WORKFLOW, r"^          persist-credentials: false\n", "", "the checkout keeps its token"),
    ("W007", WORKFLOW, r"^      packages: read.*", "      id-token: write", "has id-token: write in a pull request"),
    ("W008", WORKFLOW, r"ubuntu-24\.04", "ubuntu-latest", "ubuntu-latest changes under you"),
    ("W009", WORKFLOW, r"^  image:", "  deploy-image:", "the job deploy-image does not wait for a job that verifies"),
    (
        "W010",
        RELEASE,
        r"^      packages: read.*",
        "      id-token: write",
        "the job verify has id-token: write and no step",
    ),
    (
        "W010",
        RELEASE,
        r"^      contents: read\n    env:",
        "      id-token: write\n    env:",
        "the job promote has id-token: write and",
    ),
    (
        "W010",
        RELEASE,
        r"uses: actions/attest@",
        "uses: actions/cache@",
        "the job sign has attestations: write and no step",
    ),
    (
        "W010",
        RELEASE,
        r"    permissions:\n      contents: read\n      packages: read.*",
        "    permissions: write-all",
        "the job verify has id-token: write and no step",
    ),
    ("D001", "Dockerfile", r"^(FROM .*golang:\S+?)@\S+", r"\1", "golang:1.26-trixie is not pinned by digest"),
    ("D002", "Dockerfile", r"^USER .*", "USER nonroot", "the last USER must be a number above 0"),
    ("D002", "Dockerfile", r"^USER .*\n", "", "the last USER must be a number above 0"),
    ("D003", "Dockerfile", r"^ENTRYPOINT .*", "ENTRYPOINT /service", "ENTRYPOINT must be a JSON list"),
    (
        "D004",
        "Dockerfile",
        r"^FROM gcr\.io/distroless/static-debian13:nonroot",
        "FROM debian:13",
        "the last FROM is none of",
    ),
    ("D005", ".dockerignore", r"^\*\n", "", "must begin with *"),
    ("R001", "SECURITY.md", None, "", "say where to report a vulnerability"),
    ("R002", ".github/CODEOWNERS", r"^\*", "docs/", "must give * an owner"),
    ("R003", ".github/dependabot.yml", r"default-days: 7", "default-days: 1", "set cooldown.default-days to 3 or more"),
    ("R004", "go.sum", None, "", "run 'make lock'"),
]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    answers = {"language": "go", "upstream": "inventory"}
    return lab.render(template, tmp_path_factory.mktemp("policy") / "orders", answers)


def policy(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, folder / ".golden-path", "policy", *(arguments or (folder,))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rules(folder: Path) -> dict[str, str]:
    lines = policy(folder, "--list").stdout.splitlines()
    return dict(line.split("  ", 1) for line in lines)


def test_what_the_template_writes_passes(template: Path, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language})
    done = policy(folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(("identifier", "file", "pattern", "replacement", "said"), BREAKS)
def test_a_break_is_found(
    service: Path, tmp_path: Path, identifier: str, file: str, pattern: str | None, replacement: str, said: str
) -> None:
    folder = tmp_path / "orders"
    shutil.copytree(service, folder)
    path = folder / file
    if pattern is None:
        path.unlink()
    else:
        # The last one, so that the job lint is the first job that breaks a rule on jobs.
        text = path.read_text()
        assert re.search(pattern, text, re.MULTILINE), f"{pattern} is not in {file}"
        start = text.find("  lint:") if "the job lint" in said else 0
        path.write_text(text[:start] + re.sub(pattern, replacement, text[start:], count=1, flags=re.MULTILINE))
    done = policy(folder)
    assert done.returncode == 1, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith(f"{file}:")
    assert f": {identifier} " in line
    assert said in line


def test_every_rule_is_broken_above(service: Path) -> None:
    assert set(rules(service)) == {identifier for identifier, *_ in BREAKS}


def test_every_rule_is_documented(service: Path) -> None:
    page = (ROOT / "docs/reference/policy.md").read_text()
    documented = dict(re.findall(r"^\| (\w\d{3}) \| (.+?) \|", page, re.MULTILINE))
    assert documented == rules(service)
