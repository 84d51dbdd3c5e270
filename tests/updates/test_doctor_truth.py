"""What the doctor says of repositories as they are: no finding that is none, and none missed, in each language."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from golden_path.doctor import checkup
from golden_path.rendering.render import Renderer
from golden_path.rules import book
from golden_path.rules.work_tree import WorkTree
from golden_path.source import adoption_rules, infer
from tests.labs.template import commit_all
from tests.labs.toolchains import ROOT
from tests.updates import foreign

Files = Mapping[str, str]
Expected = list[tuple[str, int, str]]

MOST = 3  # seconds of the processor
DIGEST = f"sha256:{'b' * 64}"
PINNED = f"FROM golang:1@{DIGEST}\n"
JOBS = "jobs: {test: {runs-on: ubuntu-24.04, steps: [{run: make}]}}\n"
RANDOM = "q8Zt2LmX5vBn7RkP0c" + "Yw4HsJd1GfTe9uAoKiQz3x"
SLACK = "xoxb-" + "284917365012-" + RANDOM[:24]
HOOK = "https://hooks.slack.com/services/" + "T0Q2K9/B7X4M1/" + RANDOM[:24]
AWS = "AKIA" + "Z7QK2PTV9WXE4RHB"
SIGNED = f"eyJ{RANDOM}.eyJ{RANDOM}.{RANDOM}"
PACKAGE = '{"name": "shop", "dependencies": {"express": "^5.1.0"}}\n'
OLD_LOCK = '{"name": "shop", "lockfileVersion": 1, "dependencies": {"express": {"version": "5.1.0"}}}\n'
GO_MOD = (
    "module a.example/shop\n\nrequire (\n\tc.example/d v1.2.3 // indirect\n)\n\nexclude (\n\te.example/f v1.0.0\n)\n"
)
GO_SUM = "c.example/d v1.2.3 h1:x=\n"
GRADLE = "plugins { id 'java' }\ndependencies {\n  implementation 'a.example:b:1.0'\n}\n"

# A rule, the files, and all that it is to find in them.
CASES: dict[str, tuple[str, Files, Expected]] = {
    # ---- Images
    "a devcontainer": ("GP201", {".devcontainer/Dockerfile": "FROM debian\n"}, []),
    "a devcontainer of several": ("GP202", {".devcontainer/api/Dockerfile": "FROM debian\n"}, []),
    "packaging": ("GP201", {"packaging/debian/Dockerfile": "FROM debian\n"}, []),
    "end-to-end tests": ("GP202", {"e2e/Dockerfile": "FROM debian\n", "tests/x/Dockerfile": "FROM a\n"}, []),
    "a Dockerfile for tests": ("GP202", {"Dockerfile.test": "FROM a\n", "docker/e2e-tests/Dockerfile": "FROM b\n"}, []),
    "a Dockerfile for developers": ("GP201", {"Dockerfile.dev": "FROM a\n", "w/Dockerfile.playwright": "FROM b\n"}, []),
    "one below the root": ("GP201", {"cmd/x/Dockerfile": "FROM alpine\n"}, [("cmd/x/Dockerfile", 1, "alpine")]),
    "other names": (
        "GP202",
        {"dockerfile": "FROM a\n", "Dockerfile-prod": "FROM a\n", "api.dockerfile": "FROM a\n"},
        [("Dockerfile-prod", 1, "no USER"), ("api.dockerfile", 1, "no USER"), ("dockerfile", 1, "no USER")],
    ),
    "a template of one": ("GP201", {"Dockerfile.j2": "FROM {{ x }}\n", "Dockerfile.md": "FROM here to there\n"}, []),
    "two here-documents": (
        "GP202", {"Dockerfile": f"{PINNED}RUN <<A cat <<-'B'\nUSER 1\nA\n\tUSER 2\n\tB\nUSER root\n"},
        [("Dockerfile", 7, "root")],
    ),
    "a word that looks like one": ("GP202", {"Dockerfile": f"{PINNED}RUN echo $((1<<N)) \"<<EOF\"\nUSER 65532\n"}, []),
    "an end with spaces is none": (
        "GP202", {"Dockerfile": f"{PINNED}RUN <<A\n  A\nUSER 1\nA\n"}, [("Dockerfile", 1, "no USER")],
    ),
    "a default in the FROM": (
        "GP201", {"Dockerfile": "ARG TAG=3\nARG BASE=\"alpine:${TAG}\"\nFROM ${BASE:-x} AS a\nFROM a\n"},
        [("Dockerfile", 3, "alpine:3 is not pinned")],
    ),
    "a word in the FROM": ("GP201", {"Dockerfile": "FROM ${BASE:-alpine:3}\n"}, [("Dockerfile", 1, "alpine:3")]),
    "a user by an argument": (
        "GP202", {"Dockerfile": f"ARG WHO=root\n{PINNED}ARG WHO\nUSER $WHO\n"}, [("Dockerfile", 4, "root")],
    ),
    "a user by a variable": ("GP202", {"Dockerfile": f"{PINNED}ENV UID=1000 GID=1000\nUSER ${{UID}}:${{GID}}\n"}, []),
    "another escape": ("GP202", {"Dockerfile": f"# escape=`\n{PINNED}RUN a `\n  USER root\nUSER app\n"}, []),
    "files only": ("GP202", {"Dockerfile": "FROM scratch\nCOPY . /\n"}, []),
    # ---- Workflows
    "Jenkins": ("GP103", {"Jenkinsfile": "pipeline {}\n"}, []),
    "Jenkins in a folder": ("GP103", {"ci/Jenkinsfile.build": "pipeline {}\n"}, []),
    "others' CI": ("GP103", {".gitlab-ci.yaml": "a: {}\n"}, []),
    "Azure": ("GP103", {"build/azure-pipelines-ci.yml": "a: {}\n"}, []),
    "no CI": ("GP103", {"README.md": "x\n"}, [(".github/workflows", 0, "none runs")]),
    "all at the top": (
        "GP102", {".github/workflows/a.yml": f"on: push\npermissions: write-all\n{JOBS}"},
        [(".github/workflows/a.yml", 2, "write-all")],
    ),
    "all in a job": (
        "GP102", {".github/workflows/a.yml": "on: push\njobs:\n  a:\n    permissions: 'write-all'\n    steps: []\n"},
        [(".github/workflows/a.yml", 4, "write-all")],
    ),
    "all to read": ("GP102", {".github/workflows/a.yml": f"on: push\npermissions: read-all\n{JOBS}"}, []),
    "an action in a script": (
        "GP101",
        {".github/workflows/a.yml": "on: push\njobs:\n  a:\n    steps:\n      - run: |\n          cat <<X\n"
                                    "          - uses: a/b@v1\n          X\n"},
        [],
    ),
    "an action in braces": (
        "GP101", {".github/workflows/a.yml": "on: push\njobs:\n  a: {steps: [{uses: a/b@v1}, {uses: ./x}]}\n"},
        [(".github/workflows/a.yml", 3, "a/b@v1")],
    ),
    "owners by another pattern": ("GP105", {"CODEOWNERS": "/** @acme/shop\n", "docs/CODEOWNERS": "x\n"}, []),
    # ---- Dependencies
    "an old lock of npm": ("GP302", {"package.json": PACKAGE, "package-lock.json": OLD_LOCK}, []),
    "an old lock of npm that lacks one": (
        "GP302", {"package.json": PACKAGE, "package-lock.json": OLD_LOCK.replace("express", "koa")},
        [("package-lock.json", 0, "express")],
    ),
    "an old lock of pnpm": (
        "GP302", {"package.json": PACKAGE,
                  "pnpm-lock.yaml": "specifiers: {express: ^5.1.0}\ndependencies: {express: 5.1.0}\n"},
        [],
    ),
    "a workspace of yarn": (
        "GP302",
        {"package.json": '{"dependencies": {"b": "1.0.0"}}', "b/package.json": '{"name": "b"}', "yarn.lock": "# v1\n"},
        [],
    ),
    "excluded modules": ("GP302", {"go.mod": GO_MOD, "go.sum": GO_SUM}, []),
    "modules below the root": (
        "GP301", {"api/go.mod": GO_MOD, "web/package.json": PACKAGE},
        [("web/package.json", 1, "no lock file"), ("api/go.mod", 1, "no lock file")],
    ),
    "a workspace": ("GP301", {"web/package.json": PACKAGE, "pnpm-lock.yaml": "importers: {}\n"}, []),
    "an empty lock": ("GP301", {"package.json": PACKAGE, "yarn.lock": "\n"}, [("package.json", 1, "no lock file")]),
    "tests and examples": ("GP301", {"examples/a/package.json": PACKAGE, "tests/x/go.mod": GO_MOD}, []),
    "no versions": ("GP301", {"requirements.txt": "flask\nclick>=8\n"}, [("requirements.txt", 1, "flask and 1 more")]),
    "versions": ("GP301", {"requirements.txt": "flask[async]==3.0 ; python_version > '3'  # x\n./lib\n"}, []),
    "a wild version": ("GP301", {"requirements.txt": "flask==3.*\n"}, [("requirements.txt", 1, "flask==3.*")]),
    "included": (
        "GP301",
        {"requirements.txt": "# all\n-r requirements/base.txt\n", "requirements/base.txt": "a==1\n\nflask ~= 3.0\n"},
        [("requirements/base.txt", 3, "flask ~= 3.0")],
    ),
    "a circle of includes": ("GP301", {"requirements.txt": "-r requirements.txt\na==1\n"}, []),
    "constrained": ("GP301", {"requirements.txt": "-c c.txt\nflask\n", "c.txt": "Flask==3.0\n"}, []),
    "from a branch": (
        "GP301", {"requirements.txt": "x @ git+https://a.example/x@main\n"}, [("requirements.txt", 1, "x @ git")],
    ),
    "from a commit": ("GP301", {"requirements.txt": f"git+https://a.example/x@{'a' * 40}\n"}, []),
    "requirements beside a lock": ("GP301", {"requirements.txt": "flask\n", "uv.lock": "x\n"}, []),
    "included, with a hash": (
        "GP303", {"requirements.txt": "-r base.in\n", "base.in": f"a==1 --hash={DIGEST}\nb==2\n"},
        [("base.in", 2, "b==2")],
    ),
    "a Pipfile": ("GP301", {"Pipfile": '[packages]\nflask = "*"\n'}, [("Pipfile", 1, "Pipfile.lock")]),
    "a Pipfile with its lock": (
        "GP302", {"Pipfile": '[packages]\nflask = "*"\n', "Pipfile.lock": '{"default": {"click": {}}}'},
        [("Pipfile.lock", 0, "flask")],
    ),
    "a setup.py": ("GP301", {"setup.py": "setup(install_requires=['flask>=3'])\n"}, [("setup.py", 1, "no lock file")]),
    "a setup.py without any": ("GP301", {"setup.py": "setup(install_requires=[])\n"}, []),
    "Gradle": ("GP301", {"build.gradle": GRADLE}, [("build.gradle", 1, "gradle.lockfile")]),
    "Gradle with an address": (
        "GP301", {"build.gradle": f"repositories {{ maven {{ url 'https://a.example' }} }}\n{GRADLE}"},
        [("build.gradle", 1, "gradle.lockfile")],
    ),
    "Gradle of several": (
        "GP301",
        {"settings.gradle.kts": "x\n", "a/build.gradle.kts": 'dependencies { }\n', "b/build.gradle": GRADLE,
         "c/build.gradle.kts": 'dependencies {\n    implementation("a.example:b:1")\n}\n'},
        [("b/build.gradle", 1, "gradle.lockfile")],
    ),
    "Gradle, locked": ("GP301", {"build.gradle": GRADLE, "gradle.lockfile": "a.example:b:1.0=compileClasspath\n"}, []),
    "Rust": ("GP301", {"Cargo.toml": '[dependencies]\nserde = "1"\n'}, [("Cargo.toml", 1, "Cargo.lock")]),
    ".NET": ("GP301", {"a/a.csproj": '<PackageReference Include="X" />'}, [("a/a.csproj", 1, "packages.lock.json")]),
    "Ruby": ("GP301", {"Gemfile": "gem 'rails'\n"}, [("Gemfile", 1, "Gemfile.lock")]),
    "PHP": ("GP301", {"composer.json": '{"require": {"a/b": "1"}}'}, [("composer.json", 1, "composer.lock")]),
    # ---- Secrets
    "places to fill in": (
        "GP304",
        {"README.md": "postgres://user:password@host:5432/db mongodb://USER:PASSWORD@HOST/x\n"
                      "redis://:secret@cache/0 amqp://guest:guest@rabbitmq:5672 mysql://app:change-me@db.acme.net/x\n",
         ".env.example": "DATABASE_URL=postgres://user:password@host.acme.net:5432/db\nTOKEN=abc123def\n"},
        [],
    ),
    "tokens in tests": (
        "GP304",
        {"src/test/java/ATest.java": f'"{SIGNED}"', "web/a.spec.ts": f"'{SIGNED}'", "t/__tests__/a.js": f"'{SIGNED}'"},
        [],
    ),
    "examples of tokens": ("GP304", {"a.md": "AKIAIOSFODNN7EXAMPLE ghp_" + "x" * 36 + "\n"}, []),
    "Slack": (
        "GP304", {"a.py": f"T = '{SLACK}'\n", "b.js": f"\nfetch('{HOOK}')\n"},
        [("a.py", 1, "a Slack token"), ("b.js", 2, "a Slack address")],
    ),
    "AWS": (
        "GP304", {"a.go": f'var id = "{AWS}"\n', "b.yml": f"aws_secret_access_key: {RANDOM[:40]}\n"},
        [("a.go", 1, "an AWS access key"), ("b.yml", 1, "an AWS secret key")],
    ),
    "GitLab": ("GP304", {"a.rb": f"t = 'glpat-{RANDOM[:20]}'\n"}, [("a.rb", 1, "a GitLab token")]),
    "other environments": (
        "GP304",
        {".env.staging": "PORT=1\nAPI_TOKEN=k3Jd9x\n", "deploy/prod.env": "export DB_PASSWORD='s3Cr3t!x'\n",
         ".env.test": "API_TOKEN=k3Jd9x\n", "config.env": "PORT=1\nTOKEN_TTL=5\nTOKEN_FILE=/run/x\n",
         ".env.development": "SECRET_KEY=changeme\nDB_PASSWORD=postgres\nPUBLIC_KEY=k3Jd9x\n"},
        [(".env.staging", 0, "values of secrets"), ("deploy/prod.env", 0, "values of secrets")],
    ),
    "a real address in a document": (
        "GP304", {"README.md": f"postgres://app:{RANDOM[:12]}@db.acme.net/x\n"}, [("README.md", 1, "a password")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str, tmp_path: Path, renderer: Renderer) -> None:
    rule, files, expected = CASES[name]
    for path, content in files.items():
        foreign.write(path, content)(tmp_path / "shop")
    commit_all(tmp_path / "shop")
    findings = checkup.examine(tmp_path / "shop", renderer, only=[rule]).findings
    known = [one for one in book.findings(WorkTree(tmp_path / "shop"), service=False) if one.rule.identifier == rule]
    assert [str(one) for one in known] == [str(one) for one in findings]  # make policy says the same
    found = [one.found for one in findings]
    assert [(one.path, one.line) for one in found] == [one[:2] for one in expected], found
    for one, (_, _, said) in zip(found, expected, strict=True):
        assert said in one.message
        assert RANDOM[:12] not in one.message


WANTS = '{"dependencies": {"x": "^1.0.0"}}'
PYPROJECT = '[project]\nname = "shop"\ndependencies = ["Fast_API>=1", "click; python_version > \'3\'"]\n'
NAMES = '[[package]]\nname = "fast-api"\n\n[[package]]\nname = "click"\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.12"\nhttpx = "*"\n'
# A lock and its text, the manifest, and one that wants something else besides.
LOCKS = [
    *((lock, content, "package.json", WANTS, WANTS.replace("}}", ', "y": "2.0.0"}}')) for lock, content in (
        ("pnpm-lock.yaml",
         "importers:\n  .:\n    dependencies:\n      x:\n        specifier: ^1.0.0\n        version: 1.2.0\n"),
        ("yarn.lock", '"x@^1.0.0":\n  version "1.2.0"\n'),
        ("yarn.lock", '"x@npm:^1.0.0":\n  version: 1.2.0\n'),
        ("bun.lock", '{"workspaces": {"": {"dependencies": {"x": "^1.0.0"}}}}\n'),
    )),
    *((lock, NAMES, "pyproject.toml", PYPROJECT, PYPROJECT + POETRY) for lock in ("uv.lock", "poetry.lock")),
]  # fmt: skip


@pytest.mark.parametrize(("lock", "content", "manifest", "good", "bad"), LOCKS)
def test_each_lock(
    lock: str, content: str, manifest: str, good: str, bad: str, tmp_path: Path, renderer: Renderer
) -> None:
    foreign.write(lock, content)(tmp_path)
    for text, expected in ((good, []), (bad, [("GP302", lock)])):
        foreign.write(manifest, text)(tmp_path)
        commit_all(tmp_path)
        found = checkup.examine(tmp_path, renderer, only=["GP301", "GP302"]).findings
        assert [(one.rule.identifier, one.found.path) for one in found] == expected


@pytest.mark.parametrize("content", ["[]", "{", '{"packages": []}', '{"packages": {"": {"dependencies": [1]}}}'])
def test_a_lock_of_another_form(content: str, tmp_path: Path, renderer: Renderer) -> None:
    for path, text in (("package.json", PACKAGE), ("package-lock.json", content)):
        foreign.write(path, text)(tmp_path)
    commit_all(tmp_path)
    [finding] = checkup.examine(tmp_path, renderer, only=["GP302"]).findings
    assert finding.found.path == "package-lock.json"


# Texts that a reader could take very long for, or grow without end.
LONG: dict[str, str] = {
    "Dockerfile": "ARG A=x\n" + "ARG A=${A}${A}\n" * 60 + "FROM $A\n" + "RUN <<X cat\n" * 20000,
    "build.gradle": "\n" * 300000,
    "setup.py": "\n" * 300000,
    "Gemfile": "\n" * 300000,
    "requirements.txt": "-r requirements/a.txt\n" * 2000,
    "requirements/a.txt": "-r ../requirements.txt\n-r b.txt\n" * 2000,
    "requirements/b.txt": "-r a.txt\n-r b.txt\n" * 2000,
    "package.json": "[" * 100000,
    "a.txt": "a://b:" * 100000 + "-----BEGIN " + "A " * 100000,
}


@pytest.mark.parametrize("path", LONG)
def test_no_text_takes_long(path: str, tmp_path: Path, renderer: Renderer) -> None:
    files = {name: text for name, text in LONG.items() if name.startswith("requirements")}
    for name, text in {**files, path: LONG[path]}.items():
        foreign.write(name, text)(tmp_path / "shop")
    commit_all(tmp_path / "shop")
    before = time.process_time()
    checkup.examine(tmp_path / "shop", renderer)
    assert time.process_time() - before < MOST


@pytest.mark.parametrize("path", ["LICENSE", "README.md", "Dockerfile", "requirements.txt", "Makefile", "a.py"])
def test_no_text_takes_long_to_find_answers_in(path: str) -> None:
    rules = adoption_rules.load((ROOT / "adopt.yml").read_text(encoding="utf-8"))
    parts = ("Redistribution and use in source ", "\n", " \n", "ENV A=1 \\\n", "x.run( ", "[![x](y)](z)\n", "flake8 ")
    for part in parts:
        texts = {path: (part * 20000).encode()}
        repository = infer.Repository([path], texts.__getitem__, "", "x")
        before = time.process_time()
        infer.answers(rules, repository, {"language": "python"})
        assert all(infer.holds(case, repository) is not None for case in rules.warn)
        assert time.process_time() - before < MOST, part
