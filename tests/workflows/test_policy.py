"""`make policy` in a service: what the template writes passes, each promise is kept, and the doctor says the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from golden_path.doctor import checkup
from golden_path.rendering.render import Renderer
from golden_path.rules.book import ANY, SERVICE
from golden_path.rules.every import RULES
from tests.labs import template as lab

CI = ".github/workflows/ci.yml"
RELEASE = ".github/workflows/release.yml"
GRANTED = "    permissions:\n      contents: read\n      packages: read.*"
# Rule, file, what is replaced there, by what, and what is said of it. A file that is replaced by nothing is removed.
Break = tuple[str, str, str | None, str, str]
BREAKS: list[Break] = [
    ("GP101", CI, r"(uses: actions/checkout@)\w+", r"\1v7", "is not pinned by commit"),
    ("GP101", ".github/actions/setup/action.yml", r"(uses: actions/cache@)\w+", r"\1main", "is not pinned by commit"),
    ("GP106", CI, r"(uses: actions/checkout@\w+) # v[\d.]+", r"\1", "has no comment that names the version"),
    ("GP107", CI, r"^permissions: \{\}", "permissions: read-all", "write 'permissions: {}' at the top"),
    ("GP107", CI, r"^    permissions:\n      contents: read\n", "", "the job lint does not say its permissions"),
    ("GP108", CI, r"^    timeout-minutes: 15\n", "", "the job lint has no timeout-minutes"),
    ("GP110", CI, r"run: make lint", "run: make lint '${{ github.event.pull_request.title }}'", "pass it through env"),
    ("GP110", CI, r"run: make lint", "run: git switch ${{ github.head_ref }}", "pass it through env"),
    ("GP111", CI, r"^          persist-credentials: false\n", "", "the checkout keeps its token"),
    ("GP112", CI, r"^      packages: read.*", "      id-token: write", "has id-token: write in a pull request"),
    ("GP113", CI, r"ubuntu-24\.04", "ubuntu-latest", "ubuntu-latest changes under you"),
    ("GP114", CI, r"^  image:", "  deploy-image:", "the job deploy-image does not wait for a job that verifies"),
    ("GP115", RELEASE, r"^      packages: read.*", "      id-token: write", "verify has id-token: write and no step"),
    (
        "GP115",
        RELEASE,
        r"^      contents: read\n    env:",
        "      id-token: write\n    env:",
        "promote has id-token: write",
    ),
    ("GP115", RELEASE, r"uses: actions/attest@", "uses: actions/cache@", "sign has attestations: write and no step"),
    ("GP115", RELEASE, GRANTED, "    permissions:\n      id-token: write", "verify has id-token: write and no step"),
    ("GP118", CI, r"^  pull_request:", "  pull_request_target:", "pull_request_target runs with secrets"),
    ("GP119", CI, r"run: make lint", "run: make lint ${{ github.ref_name }}", "pass it through env"),
    ("GP201", "Dockerfile", r"^(FROM .*golang:\S+?)@\S+", r"\1", "golang:1.26-trixie is not pinned by digest"),
    ("GP202", "Dockerfile", r"^USER .*", "USER root", "the last USER is root"),
    ("GP205", "Dockerfile", r"^USER .*", "USER nonroot", "the last USER must be a number above 0"),
    ("GP205", "Dockerfile", r"^USER .*\n", "", "the last USER must be a number above 0"),
    ("GP206", "Dockerfile", r"^ENTRYPOINT .*", "ENTRYPOINT /service", "ENTRYPOINT must be a JSON list"),
    ("GP206", "Dockerfile", r"^ENTRYPOINT .*\n", "", "ENTRYPOINT must be a JSON list"),
    (
        "GP207",
        "Dockerfile",
        r"^FROM gcr\.io/distroless/static-debian13:nonroot",
        "FROM debian:13",
        "the last FROM is none of",
    ),
    ("GP208", ".dockerignore", r"^\*\n", "", "must begin with *"),
    ("GP105", ".github/CODEOWNERS", r"^\*", "docs/", "gives * no owner"),
    ("GP116", "SECURITY.md", None, "", "say where to report a vulnerability"),
    (
        "GP117",
        ".github/dependabot.yml",
        r"default-days: 7",
        "default-days: 1",
        "set cooldown.default-days to 3 or more",
    ),
    ("GP117", ".github/dependabot.yml", None, "", "nobody would move the libraries"),
    ("GP301", "go.sum", None, "", "has dependencies and no lock file (go.sum)"),
]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    answers = {"language": "go", "upstream": "inventory"}
    return lab.render(template, tmp_path_factory.mktemp("policy") / "orders", answers)


def alone(work: Path) -> Path:
    """A folder with PyYAML and nothing else, as .tools of a service may have it: nothing more is needed."""
    work.mkdir()
    (work / "yaml").symlink_to(Path(yaml.__file__).parent)
    return work


def policy(folder: Path, *arguments: str, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the rules that a service has, as its verb does."""
    start = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_path(sys.argv.pop(1), None, '__main__')"
    paths = (str(packages or Path(yaml.__file__).parent.parent), str(folder / ".golden-path"), "policy")
    command = [sys.executable, "-I", "-S", "-c", start, *paths, *(arguments or (str(folder),))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def broken(folder: Path, file: str, pattern: str | None, replacement: str, said: str) -> Path:
    path = folder / file
    if pattern is None:
        path.unlink()
        return path
    # The last one, so that the job lint is the first job that breaks a rule on jobs.
    text = path.read_text()
    assert re.search(pattern, text, re.MULTILINE), f"{pattern} is not in {file}"
    start = text.find("  lint:") if "the job lint" in said else 0
    path.write_text(text[:start] + re.sub(pattern, replacement, text[start:], count=1, flags=re.MULTILINE))
    return path


def test_what_the_template_writes_passes(template: Path, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language})
    done = policy(folder, packages=alone(tmp_path / "packages"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("registry", ["oci", "mlflow", "databricks"])
def test_what_the_template_writes_for_a_model_passes(template: Path, tmp_path: Path, registry: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"kind": "model", "model_registry": registry})
    done = policy(folder, packages=alone(tmp_path / "packages"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(("identifier", "file", "pattern", "replacement", "said"), BREAKS)
def test_a_break_is_found(
    service: Path, tmp_path: Path, identifier: str, file: str, pattern: str | None, replacement: str, said: str
) -> None:
    folder = tmp_path / "orders"
    shutil.copytree(service, folder)
    broken(folder, file, pattern, replacement, said)
    done = policy(folder)
    assert done.returncode == 1, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith("go.mod:1:" if identifier == "GP301" else f"{file}:")
    assert f": {identifier} " in line
    assert said in line


def test_maven_has_checksums(template: Path, tmp_path: Path) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": "java"})
    (folder / ".mvn/checksums/checksums.sha256").unlink()
    [line] = policy(folder).stdout.splitlines()
    assert line.startswith("pom.xml:1: GP305 .mvn/checksums/checksums.sha256 is missing: run 'make lock'")


def test_every_promise_of_a_service_is_broken_above() -> None:
    promised = {identifier for identifier, one in RULES.items() if one.scope == SERVICE}
    assert promised - {identifier for identifier, *_ in BREAKS} == {"GP305"}


def test_the_doctor_finds_the_same(service: Path, tmp_path: Path) -> None:
    """Of all breaks that do not hide each other: the same rules, files, lines and words; and the same list of rules."""
    folder = tmp_path / "orders"
    shutil.copytree(service, folder)
    for _, file, pattern, replacement, said in BREAKS:
        if (folder / file).exists() and re.search(pattern or "", (folder / file).read_text(), re.MULTILINE):
            broken(folder, file, pattern, replacement, said)
    (folder / ".golden-path.yaml").write_text(
        "exceptions:\n  - {rule: W003, path: /.github/**, reason: none is needed, until: 2999-01-01}\n"
    )
    lab.commit_all(folder)
    lines = policy(folder).stdout.splitlines()
    with Renderer(trust=True) as renderer:
        report = checkup.examine(folder, renderer)
    assert lines == [str(one) for one in report.findings if one.rule.scope in (ANY, SERVICE)]
    rules = {line.split(": ")[1].split()[0] for line in lines}
    assert {"GP101", "GP107", "GP110", "GP115", "GP116", "GP202", "GP207", "GP208", "GP301"} <= rules
    assert "GP108" not in rules
    listed = subprocess.run(
        [sys.executable, "-m", "golden_path", "doctor", "--list"], capture_output=True, text=True, check=True
    )
    assert policy(folder, "--list").stdout == listed.stdout


def test_what_cannot_be_read_is_a_line(service: Path) -> None:
    done = policy(service, str(service / "none"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "there is no folder" in done.stderr
