"""Small repositories with a build tool of their own, in the shapes in which people have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MAKEFILE = """IMAGE ?= theirs
SHELL := bash
.PHONY: check lint test build hello
check: lint test
lint:
\techo this is theirs
test: hello
\t@test "$(IMAGE)" = theirs
\t{test}
build:
\tmkdir -p out && {build}
hello:
\t@echo hello from theirs
again:
\t$(MAKE) hello
"""
_GO = {
    "go.mod": "module github.com/acme/reader/v2\n\ngo 1.24\n",
    "main.go": 'package main\n\nimport "net/http"\n\nfunc main() { _ = http.ListenAndServe(":9000", nil) }\n\n'
               "func double(n int) int { return 2 * n }\n",
    "main_test.go": 'package main\n\nimport "testing"\n\nfunc TestDouble(t *testing.T) {\n\tif double(2) != 4 {\n'
                    '\t\tt.Fatal("not twice")\n\t}\n}\n',
    ".gitignore": "out/\n",
    "Dockerfile": "FROM golang:1.24\nCOPY . .\nEXPOSE 9000\nCMD [\"/app\"]\n",
    ".github/workflows/theirs.yml": "on: push\njobs: {build: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n",
}  # fmt: skip
_COMMAND = 'package main\n\nimport "example.com/shop/internal/sums"\n\nfunc main() { println(sums.Double(2)) }\n'
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.acme</groupId><artifactId>shop</artifactId><version>1.0</version>{modules}
  <properties>
    <maven.compiler.release>21</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency>
      <groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId><version>6.0.3</version>
      <scope>test</scope>
    </dependency>
  </dependencies>
  <build><pluginManagement><plugins>
    <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.5.6</version></plugin>
    <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.14.1</version></plugin>
    <plugin><artifactId>maven-jar-plugin</artifactId><version>3.4.2</version></plugin>
    <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin>
  </plugins></pluginManagement></build>
</project>
"""
_MODULE = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>io.acme</groupId><artifactId>shop</artifactId><version>1.0</version></parent>
  <artifactId>{}</artifactId>{}
</project>
"""
_SUMS = "package io.acme;\n\npublic class Sums {\n  public static int twice(int n) { return 2 * n; }\n}\n"
_SUMS_TEST = """package io.acme;

import static org.junit.jupiter.api.Assertions.assertEquals;

class SumsTest {
  @org.junit.jupiter.api.Test
  void twice() { assertEquals(4, Sums.twice(2)); }
}
"""
_USES = "package io.acme.app;\n\npublic class App {\n  int four() { return io.acme.Sums.twice(2); }\n}\n"
# Gradle itself cannot be had here: this stands in for it, and fails where the test of the repository would.
_GRADLEW = """#!/bin/sh
set -e
for word; do case $word in
  test) grep -q "== 4" src/test/java/SumsTest.java ;;
  assemble) mkdir -p build/libs && touch build/libs/shop.jar ;;
esac; done
"""
_SCRIPTS = '"lint": "node --check index.js", "test": "node --test", "build": "node build.js"'
_NODE = {
    "package.json": '{"name": "shop", "version": "1.0.0", "private": true, "scripts": {'
                    + _SCRIPTS + '}, "dependencies": {"ms": "2.1.3"}}\n',
    "index.js": "const ms = require('ms')\nmodule.exports = (n) => (ms('2ms') / 1) * n\n",
    "build.js": "require('fs').mkdirSync('dist', { recursive: true })\n",
    "index.test.js": "const { test } = require('node:test')\nconst assert = require('node:assert')\n"
                     "test('twice', () => assert.equal(require('./index')(2), 4))\n",
    ".gitignore": "node_modules\ndist\n",
}  # fmt: skip
_PYTEST = "from shop import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
_SHOP = "def double(n):\n    return 2 * n\n"
_PROJECT = '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
_HERE = '\n[tool.pytest.ini_options]\npythonpath = ["."]\n'
_SETTINGS = "SECRET_KEY = 'no secret'\nINSTALLED_APPS = ['shop']\nDATABASES = {}\n"
_MANAGE = ("import os, sys\nfrom django.core.management import execute_from_command_line\n"
           "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_of.settings'\n"
           "execute_from_command_line(sys.argv)\n")  # fmt: skip
_DJANGO_TEST = ("from django.test import SimpleTestCase\nfrom shop.sums import double\n\n\n"
                "class Double(SimpleTestCase):\n    def test(self):\n"
                "        self.assertEqual(double(2), 4)\n")  # fmt: skip
_UNITTEST = ("import unittest\nfrom shop import double\n\n\nclass Double(unittest.TestCase):\n    def test(self):\n"
             "        self.assertEqual(double(2), 4)\n")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A repository.

    Attributes:
        files: by path.
        answers: that are to be found.
        lock: what its people run before they commit.
        tool: that has to be on PATH, as ``tests.labs.build_tools`` calls it.
        broken: a file, what to replace in it, and by what, so that a test of theirs fails.
        made: what its build leaves behind.
    """

    files: Mapping[str, str]
    answers: Mapping[str, str]
    broken: tuple[str, str, str]
    lock: str = ""
    tool: str = ""
    made: str = ""


def _own(folder: str, test: str, build: str) -> dict[str, str]:
    return {folder: _MAKEFILE.replace("{test}", test).replace("{build}", build)}


_GO_BROKEN = ("main.go", "2 * n", "3 * n")
_NODE_BROKEN = ("index.js", "* n", "* n * n")
_PYTHON_BROKEN = ("shop.py", "2 * n", "3 * n")
KINDS: dict[str, dict[str, Kind]] = {
    "go": {
        "main-at-the-root": Kind(
            _GO,
            {"build_tool": "go", "test_command": "go test ./...", "runtime_version": "1.24", "own_makefile": "none",
             "lint_command": ""},
            _GO_BROKEN,
        ),
        "own-makefile": Kind(
            {**_GO, **_own("Makefile", "go vet ./... && go test ./...", "go build -o out/reader .")},
            {"build_tool": "go", "test_command": "make test", "build_command": "make build",
             "lint_command": "go vet ./..."},
            _GO_BROKEN, made="out/reader",
        ),
        "several-commands-and-overlays": Kind(
            {"go.mod": "module example.com/shop\n\ngo 1.24\n", "cmd/a/main.go": _COMMAND, "cmd/b/main.go": _COMMAND,
             "internal/sums/sums.go": "package sums\n\nfunc Double(n int) int { return 2 * n }\n",
             "internal/sums/sums_test.go": _GO["main_test.go"].replace("package main", "package sums")
                                                              .replace("double(", "Double("),
             "cmd/a/Dockerfile": "FROM golang:1.24\nCOPY . .\nEXPOSE 9000\nCMD [\"/a\"]\n",
             "deploy/overlays/staging/kustomization.yaml": "resources: [../../base]\n",
             "deploy/base/kustomization.yaml": "resources: []\n"},
            {"build_tool": "go", "dockerfile": "cmd/a/Dockerfile", "build_command": "go build -o /dev/null ./..."},
            ("internal/sums/sums.go", "2 * n", "3 * n"),
        ),
    },
    "java": {
        "maven": Kind(
            {"pom.xml": _POM.replace("{modules}", ""), "src/main/java/io/acme/Sums.java": _SUMS,
             "src/test/java/io/acme/SumsTest.java": _SUMS_TEST, ".gitignore": "target/\n", "Jenkinsfile": "node {}\n"},
            {"build_tool": "maven", "runtime_version": "21"},
            ("src/main/java/io/acme/Sums.java", "2 * n", "3 * n"), made="target/shop-1.0.jar",
        ),
        "maven-of-two-modules": Kind(
            {"pom.xml": _POM.replace("{modules}", "<packaging>pom</packaging>"
                                                  "<modules><module>sums</module><module>app</module></modules>"),
             "sums/pom.xml": _MODULE.format("sums", ""), "sums/src/main/java/io/acme/Sums.java": _SUMS,
             "sums/src/test/java/io/acme/SumsTest.java": _SUMS_TEST, ".gitignore": "target/\n",
             "app/pom.xml": _MODULE.format("app", "<dependencies><dependency><groupId>io.acme</groupId><artifactId>sums"
                                                  "</artifactId><version>1.0</version></dependency></dependencies>"),
             "app/src/main/java/io/acme/app/App.java": _USES},
            {"build_tool": "maven"},
            ("sums/src/main/java/io/acme/Sums.java", "2 * n", "3 * n"), made="app/target/app-1.0.jar",
        ),
        "gradle": Kind(
            {"build.gradle.kts": "java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }\n",
             "settings.gradle.kts": 'rootProject.name = "shop"\n', "gradlew": _GRADLEW,
             "src/test/java/SumsTest.java": "// == 4\n", ".gitignore": "build/\n"},
            {"language": "java", "build_tool": "gradle", "test_command": "./gradlew --no-daemon test",
             "runtime_version": "21"},
            ("src/test/java/SumsTest.java", "== 4", "== 6"), made="build/libs/shop.jar",
        ),
    },
    "node": {
        "npm": Kind(
            _NODE, {"build_tool": "npm", "setup_command": "npm ci", "lint_command": "npm run lint"}, _NODE_BROKEN,
            lock="npm install --package-lock-only", made="dist",
        ),
        "npm-without-a-lock": Kind(
            {**_NODE, "package.json": _NODE["package.json"].replace(_SCRIPTS, '"test": "node --test"')},
            {"build_tool": "npm", "setup_command": "npm install --no-package-lock", "lint_command": "",
             "build_command": ""},
            _NODE_BROKEN,
        ),
        "yarn": Kind(
            _NODE, {"build_tool": "yarn", "test_command": "yarn run test"}, _NODE_BROKEN,
            lock="yarn install --silent", tool="yarn", made="dist",
        ),
        "yarn-without-node-modules": Kind(
            {**_NODE, ".yarnrc.yml": "enableTelemetry: false\n", ".gitignore": "dist\n.pnp.*\n.yarn\n"},
            {"build_tool": "yarn", "setup_command": "yarn install --immutable"}, _NODE_BROKEN,
            lock="touch yarn.lock && YARN_ENABLE_IMMUTABLE_INSTALLS=false yarn install --mode=update-lockfile",
            tool="berry", made="dist",
        ),
        "pnpm": Kind(
            _NODE, {"build_tool": "pnpm", "test_command": "pnpm run test"}, _NODE_BROKEN,
            lock="pnpm install --lockfile-only", tool="pnpm", made="dist",
        ),
    },
    "python": {
        "requirements": Kind(
            {"requirements.txt": "Flask==3.1.2\n", "requirements-dev.txt": "-r requirements.txt\npytest==9.0.1\n",
             "shop.py": _SHOP, "tests/test_shop.py": _PYTEST, "tests/__init__.py": "",
             "pytest.ini": "[pytest]\npythonpath = .\n",
             "Procfile": "web: flask run --port 5005\n"},
            {"build_tool": "pip", "test_command": "pytest", "lint_command": ""}, _PYTHON_BROKEN,
        ),
        "django": Kind(
            {"requirements.txt": "Django==5.2.8\n", "manage.py": _MANAGE, "site_of/__init__.py": "",
             "site_of/settings.py": _SETTINGS, "shop/__init__.py": "", "shop/sums.py": _SHOP,
             "shop/tests.py": _DJANGO_TEST},
            {"build_tool": "pip", "test_command": "python manage.py test"}, ("shop/sums.py", "2 * n", "3 * n"),
        ),
        "setuptools-flat": Kind(
            {"pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
                               f'{_PROJECT}\n[project.optional-dependencies]\ntest = ["pytest"]\n',
             "shop/__init__.py": _SHOP, "tests/test_shop.py": _PYTEST, ".gitignore": "*.egg-info\nbuild\nout\n",
             **_own("Makefile", "python -m pytest", "pip wheel --quiet --no-deps --wheel-dir out .")},
            {"build_tool": "pip", "test_command": "make test", "lint_command": "make lint", "own_makefile": "Makefile"},
            ("shop/__init__.py", "2 * n", "3 * n"), made="out",
        ),
        "unittest-with-pipenv": Kind(
            {"Pipfile": '[packages]\nidna = "*"\n', "shop.py": _SHOP, "test_shop.py": _UNITTEST},
            {"build_tool": "pipenv", "test_command": "python -m unittest"}, _PYTHON_BROKEN,
            lock="pipenv lock --quiet", tool="pipenv",
        ),
        "uv": Kind(
            {"pyproject.toml": f'{_PROJECT}\n[dependency-groups]\ndev = ["pytest"]\n{_HERE}',
             "shop.py": _SHOP, "tests/test_shop.py": _PYTEST, ".gitignore": ".venv\n"},
            {"build_tool": "uv", "test_command": "pytest", "runtime_version": "3.11"}, _PYTHON_BROKEN,
            lock="uv lock --quiet", tool="uv",
        ),
        "poetry": Kind(
            {"pyproject.toml": '[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\npython = ">=3.11"\n',
             "shop.py": _SHOP, "tests/__init__.py": "", "tests/test_shop.py": _UNITTEST},
            {"build_tool": "poetry", "test_command": "python -m unittest discover -s tests -t .",
             "runtime_version": "3.11"},
            _PYTHON_BROKEN, lock="poetry lock --quiet", tool="poetry",
        ),
        "pdm": Kind(
            {"pyproject.toml": f'{_PROJECT}\n[dependency-groups]\ndev = ["pytest"]\n'
                               f'[tool.pdm]\ndistribution = false\n{_HERE}',
             "shop.py": _SHOP, "tests/test_shop.py": _PYTEST, ".gitignore": ".venv\n.pdm-python\n"},
            {"build_tool": "pdm", "test_command": "pytest"}, _PYTHON_BROKEN, lock="pdm lock --quiet", tool="pdm",
        ),
    },
}  # fmt: skip
