"""What our adopt.yml finds in repositories as people have them: no silent guess, nothing of theirs broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from golden_path.adopting import adopt, adoption
from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.source import adoption_rules, infer
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates import existing, foreign
from tests.updates.commands import as_json, golden_path

Files = Mapping[str, str]
RULES = adoption_rules.load((ROOT / "adopt.yml").read_text(encoding="utf-8"))
GNU = "{}\n                    GNU {} GENERAL PUBLIC LICENSE\n                       Version {}, 29 June 2007\n"
BSD = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted\n"
MANIFEST = {
    "go": {"go.mod": "module example.com/shop\n"},
    "java": {"pom.xml": "<project><artifactId>shop</artifactId></project>"},
    "node": {"package.json": '{"name": "shop"}'},
    "python": {"pyproject.toml": '[project]\nname = "shop"\n'},
}


GIVEN = {"language": "go"}


def found(files: Files, remote: str = "", given: Mapping[str, str] = GIVEN) -> dict[str, infer.Found]:
    repository = infer.Repository(sorted(files), lambda path: files[path].encode(), remote, "folder")
    return infer.answers(RULES, repository, given)


# What is refused, and with which words.
OTHERS: list[tuple[Files, str]] = [
    ({"Cargo.toml": "", "src/main.rs": "", "package.json": "{}"}, "the repository is written in Rust (Cargo.toml)"),
    ({"Shop.sln": "", "package.json": "{}"}, "the repository is written for .NET (Shop.sln)"),
    ({"src/Shop/Shop.csproj": "", "package.json": "{}"}, "the repository is written for .NET (src/Shop/Shop.csproj)"),
    (
        {"settings.gradle": "", "app/build.gradle": "plugins { id 'com.android.application' }\n"},
        "the repository is an Android app (app/build.gradle)",
    ),
    ({"Gemfile": "", "package.json": "{}"}, "the repository is written in Ruby (Gemfile)"),
    ({"composer.json": "{}", "package.json": "{}"}, "the repository is written in PHP (composer.json)"),
    ({"README.md": "# Empty\n"}, "nothing at the root says its language: pass --data language=VALUE"),
    (
        {"a/go.mod": "", "b/package.json": "{}", "c/requirements.txt": ""},
        "nothing at the root says its language; below the root there are a/go.mod, b/package.json, c/requirements.txt",
    ),
]


@pytest.mark.parametrize(("files", "said"), OTHERS)
def test_a_language_that_nobody_wrote_is_refused(files: Files, said: str) -> None:
    with pytest.raises(FleetError) as caught:
        found(files, given={})
    assert str(caught.value).startswith(said)
    assert "--data language=VALUE" in str(caught.value)
    assert caught.value.code == Exit.ANSWERS


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        *((files, language) for language, files in MANIFEST.items()),
        ({"go.mod": "", "package.json": "{}", "Cargo.toml": ""}, "go"),
        ({"pom.xml": "", "build.gradle": "", "package.json": "{}"}, "java"),
        ({"settings.gradle": "", "app/build.gradle": "", "package.json": "{}"}, "java"),
        ({"setup.py": "", "CMakeLists.txt": ""}, "python"),
        ({"requirements-base.txt": ""}, "python"),
        ({"Pipfile": "", "package.json": "{}"}, "python"),
    ],
)
def test_a_language_that_we_write(files: Files, kind: str) -> None:
    assert found(files, given={})["language"].value == kind


PORTS: list[tuple[Files, str | None, str]] = [
    ({"Dockerfile": "FROM a\nENV NODE_ENV=production \\\n    PORT=3000\n"}, "3000", "Dockerfile"),
    ({"Dockerfile": "FROM a\nENV PORT 3000\nEXPOSE ${PORT}\n"}, "3000", "Dockerfile"),
    ({"Dockerfile": "FROM a\nARG HTTP_PORT=3100\nexpose $HTTP_PORT\n"}, "3100", "Dockerfile"),
    ({"cmd/server/Dockerfile": "FROM a\nEXPOSE 9000/tcp\n"}, "9000", "cmd/server/Dockerfile"),
    ({"docker/api.Dockerfile": "FROM a\nEXPOSE 9000\n"}, "9000", "docker/api.Dockerfile"),
    ({".devcontainer/Dockerfile": "FROM a\nEXPOSE 9000\n"}, None, ""),
    ({"Dockerfile": 'CMD ["gunicorn", "--bind", "0.0.0.0:8001", "app"]\n'}, "8001", "Dockerfile"),
    ({".env.example": "HTTP_PORT=3000\n"}, "3000", ".env.example"),
    ({".env.example": "DB_PORT=5432\n"}, None, ""),
    ({"Procfile": "web: uvicorn app:app --port 5005\n"}, "5005", "Procfile"),
    ({"k8s/app.yaml": "      - containerPort: 7000\n"}, "7000", "k8s/app.yaml"),
    ({"k8s/db.yml": "- containerPort: 5432\n", "pom.xml": "spring-boot"}, "8080", "pom.xml: its framework's default"),
    ({"db/Dockerfile": "FROM postgres\nEXPOSE 5432\n"}, None, ""),
    ({"main.go": 'http.ListenAndServe(":9000", nil)\n', "a_test.go": 'x.Run(":9999")'}, "9000", "main.go"),
    ({"src/app.ts": "const port = process.env.PORT ?? 3333\n"}, "3333", "src/app.ts"),
    ({"index.js": "app.listen(3001, () => {})\n"}, "3001", "index.js"),
    ({"app.py": 'app.run(host="0.0.0.0", port=5001)\n'}, "5001", "app.py"),
    ({"api/src/main/resources/application.properties": "quarkus.http.port=8181\n"}, "8181",
     "api/src/main/resources/application.properties"),
    ({"requirements.txt": "Flask==3.0\n"}, "5000", "requirements.txt: Flask's default"),
    ({"requirements/base.txt": "django~=5.0\n"}, "8000", "requirements/base.txt: Django's default"),
    ({"pyproject.toml": '[project]\ndependencies = [\n  "fastapi[standard]>=0.1",\n]\n'}, "8000",
     "pyproject.toml: Uvicorn's default"),
    ({"package.json": '{"dependencies": {"express": "4"}}'}, "3000", "package.json: what its framework's guides use"),
    ({"pom.xml": "<artifactId>spring-boot-starter</artifactId>"}, "8080", "pom.xml: its framework's default"),
    ({"README.md": "PORT=3000\n"}, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "port", "where"), PORTS)
def test_the_port(files: Files, port: str | None, where: str) -> None:
    assert found(files).get("port") == (infer.Found(port, where) if port else None)


@pytest.mark.parametrize(
    ("files", "remote", "name"),
    [
        ({"go.mod": "module example.com/acme/reader/v2\n"}, "", "reader"),
        ({"go.mod": "module reader.app/v2 // moved\n"}, "", "reader-app"),
        ({"go.mod": "module example.com/acme/reader/v2\n"}, "github.com/acme/reader", "reader"),
        ({"go.mod": "module reader.app/v2\n"}, "github.com/reader/v2", "reader"),
        ({"go.mod": "module shop\n"}, "", "shop"),
        ({"go.mod": "module example.com/a/v2\n"}, "/reader", "reader"),
        ({"setup.py": "setup(name='Stock.Keeper')\n"}, "", "stock-keeper"),
        ({"README.md": "x\n"}, "", None),
    ],
)
def test_the_name(files: Files, remote: str, name: str | None) -> None:
    one = found(files, remote).get("service_name")
    assert (one and one.value) == name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Shop\n\nThis repository is for the\nservice that sells. It has more\nto say.\n\nMore.\n",
         "This repository is for the service that sells."),
        ("# Shop\n\n[![CI](https://x/a.svg)](https://x) ![b](c.png)\n\nSells *all* kinds of `things`.\n",
         "Sells all kinds of things."),
        ("<p align=center>\n<img src=x>\n</p>\n\n# Shop\n\n> A quote that is none.\n\nIt sells things\n\n## Build\n",
         "It sells things"),
        ("Shop\n====\n\nSells [things](https://x), e.g. shoes, to people.\n", "Sells things, e.g. shoes, to people."),
        ("# Shop\n\n![badge](x)\n", None),
        ("# Shop\n\n## Use it\n\nClick on the button at the top.\n", None),
        ("# Shop [![CI](a)](b)\n\n[![Open](a)](b)\n\n## Diagrams\n\n[See the slides](https://x)\n", None),
        ("# Shop\n\n## Build\n\n- one\n- two\n\n| a | b |\n", None),
        ("# Shop\n\n" + "word " * 100, None),
        ("# Shop\n", None),
    ],
)  # fmt: skip
def test_the_description(text: str, sentence: str | None) -> None:
    one = found({"README.md": text}).get("description")
    assert (one and one.value) == sentence


def test_a_badge_in_a_manifest_is_no_description() -> None:
    files = {"package.json": '{"description": "[![x](y)](z)"}', "README.md": "# A\n\nSells all things.\n"}
    assert found(files)["description"] == infer.Found("Sells all things.", "README.md")


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": GNU.format("", "AFFERO", "3"), "package.json": '{"license": "MIT"}'}, "AGPL-3.0-only"),
        ({"COPYING": GNU.format("", "", "3").replace("GNU  G", "GNU G")}, "GPL-3.0-only"),
        ({"LICENSE.txt": GNU.format("Copyright", "LESSER", "3")}, "LGPL-3.0-only"),
        ({"LICENSE": f"{BSD}\n3. Neither the name of the copyright holder nor\n"}, "BSD-3-Clause"),
        ({"LICENSE.md": BSD}, "BSD-2-Clause"),
        ({"LICENCE": "Permission to use, copy, modify, and/or distribute this software for any\n"}, "ISC"),
        ({"LICENSE": "Mozilla Public License Version 2.0\n=====\n"}, "MPL-2.0"),
        ({"license": existing.MIT}, "MIT"),
        ({"LICENSE": "All rights are ours.\n", "package.json": '{"license": "MIT"}'}, "proprietary"),
        ({"pyproject.toml": '[project]\nlicense = {text = "MIT"}\n'}, "MIT"),
        ({"package.json": '{"license": "ISC"}'}, "ISC"),
        ({"README.md": "x\n"}, None),
    ],
)
def test_the_licence_is_that_of_the_text(files: Files, licence: str | None) -> None:
    one = found(files).get("licence")
    assert (one and one.value) == licence


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.snapshot(tmp_path_factory.mktemp("source") / "golden-path")


def repository(folder: Path, files: Files, remote: str = "") -> Path:
    return existing.write(folder, files, remote)


def left(done: adoption.Outcome) -> dict[str, str]:
    return {one.path: one.reason for one in done.adoption.files if one.status == adoption.LEFT_OUT}


def test_what_is_refused_leaves_the_repository_alone(tmp_path: Path, source: Path) -> None:
    folder = repository(tmp_path / "shop", {"Cargo.toml": "[package]\n", "README.md": "x\n"})
    before = foreign.state(folder)
    done = golden_path("adopt", folder, "--template", source, "--trust")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("golden-path: the repository is written in Rust (Cargo.toml), which the template ")
    assert foreign.state(folder) == before
    assert as_json("adopt", folder, "--template", source, "--trust", "--data", "language=java")["status"] == "created"


def test_defaults_are_shown_as_such(tmp_path: Path, source: Path) -> None:
    """In the text, the commit and the JSON; a guess is a question, and the exit code says so."""
    folder = repository(tmp_path / "shop", MANIFEST["go"])
    done = golden_path("adopt", folder, "--template", source, "--trust")
    assert done.returncode == Exit.CONFLICT
    lines = done.stdout.splitlines()
    assert "  default   port: 8080" in lines
    assert "  asked     port: on which port does it listen?" in lines
    assert "  answer    language: 'go' (go.mod)" in lines
    text = git(folder, "log", "-1", "--format=%B", done.stdout.splitlines()[-2].split(":")[0].strip())
    answers, defaults = text.split("# Answers\n")[1].split("# Defaults\n")
    assert "- language: `go` (go.mod)" in answers
    assert "(default)" not in answers
    assert "- port: `8080` (default)" in defaults
    assert "- [ ] port is `8080` by default: on which port does it listen?" in text
    data = as_json("adopt", folder, "--template", source, "--trust")
    assert set(data["asked"]) == {"port", "organisation", "team", "licence"}
    given = as_json("adopt", folder, "--template", source, "--trust", "--data", "port=8080", "--data", "team=a")
    assert set(given["asked"]) == {"organisation", "licence"}


@pytest.mark.parametrize(
    ("remote", "files", "comes"),
    [
        ("https://gitlab.com/acme/shop.git", {}, False),
        ("git@bitbucket.org:acme/shop.git", {}, False),
        ("git@git.example.com:acme/shop.git", {".github/CODEOWNERS": "* @acme/shop\n"}, True),
        ("https://github.com/acme/shop.git", {}, True),
        ("", {}, True),
    ],
)
def test_what_is_of_another_forge_is_left_out(
    remote: str, files: Files, comes: bool, tmp_path: Path, source: Path, renderer: Renderer
) -> None:
    folder = repository(tmp_path / "shop", {**MANIFEST["go"], **files}, remote)
    done = adopt.adopt(folder, renderer, source=str(source), show=True)
    reasons = left(done)
    assert (".github/workflows/ci.yml" not in reasons) == comes
    if not comes:
        assert "another forge than GitHub" in reasons[".github/workflows/ci.yml"]
        asked = adopt.adopt(folder, renderer, source=str(source), show=True, wanted=["/.github/**"])
        assert not [path for path in left(asked) if path.startswith(".github/workflows/")]


@pytest.mark.parametrize("kind", list(MANIFEST))
@pytest.mark.parametrize("path", ["cmd/server/Dockerfile", "docker/api.dockerfile", "Containerfile"])
def test_no_build_is_starved(path: str, kind: str, tmp_path: Path, source: Path, renderer: Renderer) -> None:
    folder = repository(tmp_path / "shop", {**MANIFEST[kind], path: "FROM a\nCOPY . .\n"})
    ours = {"build_tool": "golden-path"}
    assert ".dockerignore" in left(adopt.adopt(folder, renderer, source=str(source), show=True, data=ours))
    own = adopt.adopt(folder, renderer, source=str(source), show=True).adoption.files
    assert not {".dockerignore", "Dockerfile"} & {one.path for one in own}


def test_a_dockerfile_of_ours_has_its_dockerignore(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    folder = repository(tmp_path / "shop", MANIFEST["go"])
    ours = {"build_tool": "golden-path"}
    assert ".dockerignore" not in left(adopt.adopt(folder, renderer, source=str(source), show=True, data=ours))


WARNINGS: list[tuple[str, Files, str]] = [
    ("java", {"pom.xml": "<project><artifactId>nohttp-checkstyle</artifactId></project>"}, "addresses with http"),
    ("java", {"pom.xml": "<project><artifactId>apache-rat-plugin</artifactId></project>"}, "licence headers"),
    ("node", {"package.json": '{"scripts": {"lint": "prettier --check ."}}'}, "a linter reads all files"),
    ("node", {"package.json": '{"scripts": {"lint": "eslint src", "fmt": "prettier src"}}'}, ""),
    ("go", {".pre-commit-config.yaml": "repos:\n- repo: https://x\n"}, "a linter reads all files"),
    ("python", {".github/workflows/a.yml": "jobs: {a: {steps: [{run: x}]}}\n# flake8 .\n"}, "a linter reads all files"),
    ("python", {"Makefile": "lint:\n\truff check src\n"}, ""),
    ("python", {"GNUmakefile": "lint:\n\truff check src\n"}, "call it Makefile"),
    ("go", {"deploy/overlays/staging/kustomization.yaml": "resources: []\n"}, ""),
    ("go", {}, ""),
]


@pytest.mark.parametrize(("kind", "files", "said"), WARNINGS)
def test_what_may_break_is_named(
    kind: str, files: Files, said: str, tmp_path: Path, source: Path, renderer: Renderer
) -> None:
    folder = repository(tmp_path / "shop", {**MANIFEST[kind], **files})
    if kind == "python":
        foreign.write("pyproject.toml", '[project]\nname = "shop"\n[tool.setuptools]\npackages = ["shop"]\n'
                                        '[build-system]\nrequires = ["setuptools"]\n')(folder)  # fmt: skip
        commit_all(folder, "Packages")
    done = adopt.adopt(folder, renderer, source=str(source))
    assert [said in one for one in done.adoption.warnings] == ([True] if said else [])
    text = git(folder, "log", "-1", "--format=%B", done.branch)
    assert ("# What may break" in text) == bool(said)


def test_manifests_of_their_own_keep_ours_out_with_all_that_needs_them(
    tmp_path: Path, source: Path, renderer: Renderer
) -> None:
    folder = repository(
        tmp_path / "shop",
        {**MANIFEST["go"], "Dockerfile": "FROM a\n", "deploy/x/kustomization.yaml": "resources: []\n"},
    )
    reasons = left(adopt.adopt(folder, renderer, source=str(source), show=True))
    for path in ("deploy/base/rollout.yaml", "slo.yaml", ".github/workflows/release.yml"):
        assert reasons[path].startswith("you have deploy/x/kustomization.yaml: the template's manifests would")
    assert ".github/workflows/ci.yml" not in reasons
    done = adopt.adopt(folder, renderer, source=str(source), show=True, wanted=["/deploy/**"])
    assert "deploy/base/rollout.yaml" not in left(done)
    assert ["your overlays stay" in one for one in done.adoption.warnings] == [True]


POETRY = '[tool.poetry]\n[tool.poetry.dependencies]\npython = "^3.12"\n'
COMMANDS: list[tuple[str, Files, Mapping[str, str | None]]] = [
    ("go", {"go.mod": "go 1.24\ntoolchain go1.24.3\n"}, {"build_tool": "go", "runtime_version": "1.24.3"}),
    ("go", {"go.mod": "", "GNUmakefile": "test:\n", "Makefile": "test:\n"},
     {"own_makefile": "none", "test_command": None}),
    ("go", {"go.mod": "", "makefile": "test := a\nbuild: out\n"},
     {"own_makefile": "makefile", "test_command": None, "build_command": "make build"}),
    ("java", {"pom.xml": "<java.version>1.8</java.version>", "mvnw": ""},
     {"build_tool": "maven", "runtime_version": "8",
      "test_command": "./mvnw --batch-mode --no-transfer-progress test"}),
    ("java", {"pom.xml": "<x>spotless-maven-plugin</x>"},
     {"lint_command": "mvn --batch-mode --no-transfer-progress spotless:check"}),
    ("java", {"build.gradle": "sourceCompatibility = '1.8'\n"}, {"build_tool": "gradle", "runtime_version": "8"}),
    ("java", {"build.gradle": "sourceCompatibility = JavaVersion.VERSION_17\n"}, {"runtime_version": "17"}),
    ("node", {"package.json": '{"packageManager": "yarn@4.1.0", "engines": {"node": ">=20.1"}}'},
     {"build_tool": "yarn", "runtime_version": "20", "setup_command": "yarn install --no-lockfile"}),
    ("node", {"package.json": '{"scripts": {"lint:check": "a", "lint": "a --fix"}}', "pnpm-lock.yaml": "",
              ".nvmrc": "v22\n"},
     {"build_tool": "pnpm", "lint_command": "pnpm run lint:check", "runtime_version": "22"}),
    ("node", {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
     {"build_tool": "npm", "test_command": None, "build_command": None}),
    ("python", {"pyproject.toml": POETRY, "poetry.lock": 'name = "pytest"\n', "package-lock.json": "{}"},
     {"build_tool": "poetry", "runtime_version": "3.12", "test_command": "pytest", "setup_command": None}),
    ("python", {"requirements/base.txt": "", "requirements/dev.txt": "Pytest==1\n",
                "Dockerfile": "FROM python:3.11-slim\n"},
     {"build_tool": "pip", "runtime_version": "3.11", "test_command": "pytest", "setup_command":
      "python3 -m venv .tools/venv && .tools/venv/bin/pip install --quiet -r requirements/base.txt "
      "-r requirements/dev.txt"}),
    ("python", {"setup.py": "setup()", "tox.ini": "[tox]\n"}, {"test_command": "tox -e py", "setup_command":
     'python3 -m venv .tools/venv && .tools/venv/bin/pip install --quiet -e . tox'}),
    ("python", {"pyproject.toml": "[project]\n[project.optional-dependencies]\ntest = ['pytest']\n", "uv.lock": ""},
     {"build_tool": "uv", "setup_command": "uv sync --locked --extra test"}),
    ("python", {"Pipfile": "", ".github/workflows/a.yml": "      - run: pipenv run ruff check src\n"},
     {"build_tool": "pipenv", "lint_command": "ruff check src --extend-exclude .golden-path,.tools,.venv"}),
    ("python", {"requirements.txt": "", "nested/api.Dockerfile": "", "app/Dockerfile": "", "tests/Dockerfile": ""},
     {"dockerfile": "app/Dockerfile"}),
    ("go", {".golden-path/language.mk": "BUILD_TOOL := go\n", "go.mod": "", "GNUmakefile": "include makefile\n"},
     {"build_tool": "go", "own_makefile": "makefile"}),
    ("go", {".golden-path/language.mk": "", "go.mod": "", "Makefile": ""},
     {"build_tool": "golden-path", "own_makefile": None, "runtime_version": None, "dockerfile": None}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "files", "wanted"), COMMANDS)
def test_the_build_tool_and_its_commands(kind: str, files: Files, wanted: Mapping[str, str | None]) -> None:
    """None is left to the default of the tool."""
    answers = found(files, given={"language": kind})
    assert {name: answers[name].value if name in answers else None for name in wanted} == wanted


def test_each_file_of_the_template_is_of_a_part_or_of_an_application() -> None:
    """And each pattern names one, so that none is left of what has moved."""
    trees = [tree.read_text().splitlines() for tree in (ROOT / "tests/render/golden").glob("*.tree")]
    paths = {line.split()[1] for lines in trees for line in lines if line.startswith("==== ")} | {"GNUmakefile"}
    patterns = [pattern for part in RULES.parts.values() for pattern in part.files]
    assert [pattern for pattern in patterns if not any(infer.matches([pattern], path) for path in paths)] == []
    rest = {path for path in paths if not infer.matches([*patterns, *RULES.leave_out], path)}
    assert rest == {foreign.ANSWERS, ".gitattributes"}
