"""What decides how a suite's tests end: the files that go in, the tools, the settings, and which tests they are."""

from __future__ import annotations

import ast
import functools
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.labs import toolchains
from tests.labs.needs import imports
from tests.labs.places import digest
from tests.labs.toolchains import KINDS, LANGUAGES, MissingToolchainError, answers_of
from tests.selection.suites import ALWAYS, Suite

# How each tool says its version; those of a language are asked for in its environment.
TOOLS = {
    "": (("git", "--version"), ("make", "--version"), ("bash", "--version")),
    "go": (("go", "version"),),
    "java": (("java", "-version"), ("mvn", "-version")),
    "node": (("node", "--version"), ("npm", "--version")),
    "python": (("python3", "-V"),),
}

_MODULE = re.compile(r"[a-z]\w*(\.\w+)+")
# What a module of a lab reads, where it does not lie beside it.
READ_BY = {"tests/labs/go_tools.py": ("tests/labs/go",)}
# Variables that choose another lab or another mirror.
SETTINGS = ("GOLDEN_PATH_IMAGE_LAB", "GOLDEN_PATH_DEBIAN_MIRROR", "SSL_CERT_FILE")


def tools(languages: Iterable[str]) -> dict[str, list[str]]:
    """Return what the machine's tools say of themselves, by language; those of all languages under "".

    Args:
        languages: to ask for.
    """
    machine = [platform.platform(), platform.machine(), sys.version, f"root: {os.geteuid() == 0}"]
    settings = [f"{name}={os.environ.get(name, '')}" for name in SETTINGS]
    found = {"": [*machine, *settings, *_answers(TOOLS[""], None)]}
    for language in languages:
        try:
            found[language] = _answers(TOOLS[language], toolchains.environment(language))
        except MissingToolchainError as error:
            found[language] = [str(error)]
    return found


def _answers(commands: Iterable[Sequence[str]], env: Mapping[str, str] | None) -> list[str]:
    return [_answer(command, env) for command in commands]


def _answer(command: Sequence[str], env: Mapping[str, str] | None) -> str:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=180)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return done.stdout + done.stderr


class Checkout:
    """A checkout, read once for a run.

    Attributes:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        """Name its folder."""
        self.root = root

    @functools.cached_property
    def files(self) -> frozenset[str]:
        """Every file that git knows or would add, relative to the checkout."""
        return frozenset(name for name in self._listed if (self.root / name).is_file())

    @functools.cached_property
    def _listed(self) -> list[str]:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        return [name for name in listed.split("\0") if name]

    @functools.cached_property
    def links(self) -> dict[str, str]:
        """Where links to folders lead, relative to the checkout."""
        links = [name for name in self._listed if (self.root / name).is_symlink() and (self.root / name).is_dir()]
        return {name: (self.root / name).resolve().relative_to(self.root.resolve()).as_posix() for name in links}

    def _real(self, path: str) -> str:
        """The path of a file that a link in the checkout leads to."""
        link = next((one for one in self.links if path.startswith(f"{one}/")), "")
        return self.links[link] + path.removeprefix(link) if link else path

    def below(self, path: str) -> set[str]:
        """Return a file, or all files of a folder."""
        return {name for name in self.files if name == path or name.startswith(f"{path}/")}

    def imported(self, file: str) -> set[str]:
        """Return a Python file and all of the checkout that it imports, directly or not, with the packages around it.

        What is no Python and lies beside a module of a lab is read by it, for example its go.mod.

        Args:
            file: relative to the checkout.
        """
        found: set[str] = set()
        waiting = [file]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.files:
                continue
            found.add(name)
            waiting += self._around(name)
            if name.endswith(".py"):
                waiting += self._imports(name)
        return found

    def _around(self, file: str) -> list[str]:
        folders = [str(folder) for folder in Path(file).parents if str(folder) != "."]
        around = [f"{folder}/{name}" for folder in folders for name in ("__init__.py", "conftest.py")]
        folder = str(Path(file).parent)
        if folder.startswith("tests/labs/"):
            around += [name for name in self.below(folder) if not name.endswith(".py")]
        return [*around, *(name for read in READ_BY.get(file, ()) for name in self.below(read))]

    @functools.cache  # noqa: B019 - lives as long as the run
    def _imports(self, file: str) -> tuple[str, ...]:
        tree = ast.parse((self.root / file).read_text(encoding="utf-8"))
        modules = set(imports(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _MODULE.fullmatch(node.value):
                modules.add(node.value)  # started with `python -m`
        paths = (module.replace(".", "/") for module in modules)
        places = (self._real(place) for path in paths for place in (f"{path}.py", f"{path}/__init__.py"))
        return tuple(name for name in places if name in self.files)

    @functools.cache  # noqa: B019
    def digest(self, file: str) -> str:
        """Return a hash of a file's content and mode."""
        path = self.root / file
        return digest(path, path.stat().st_mode & 0o111)


def foreign(file: str, language: str) -> bool:
    """Return whether a file goes into services of other languages only.

    Args:
        file: relative to the checkout.
        language: the one language; with an empty one, no file is foreign.
    """
    ours = {language, answers_of(language)["language"]}
    others = [other for other in (*LANGUAGES, *KINDS) if language and other not in ours]
    return any(
        file.startswith(f"template/[[ {other} ]]/") or re.fullmatch(rf"partials/[\w-]*-{other}\.\S+", file)
        for other in others
    )


def files_of(checkout: Checkout, suite: Suite, language: str, tests: Iterable[str]) -> frozenset[str]:
    """Return the files that decide how tests of a suite end.

    Args:
        checkout: where they are.
        suite: of the tests.
        language: that they run for; empty where they have none.
        tests: the files of the tests.
    """
    names = {name for path in (*ALWAYS, *suite.reads) for name in checkout.below(path)}
    for test in tests:
        names |= checkout.imported(test)
    if suite.one_language:
        names = {name for name in names if not foreign(name, language)}
    return frozenset(names)


def key(
    checkout: Checkout, files: Iterable[str], tests: Iterable[str], machine: Mapping[str, list[str]], language: str
) -> str:
    """Return the hash of everything that decides how tests end.

    Args:
        checkout: where the files are.
        files: as ``files_of`` returns them.
        tests: their ids: another choice of tests is another run.
        machine: what ``tools`` returned.
        language: of the tests; without one, the tools of all languages count.
    """
    of = answers_of(language)["language"]
    told = machine if not language else {name: machine.get(name, []) for name in ("", of)}
    return digest(sorted((name, checkout.digest(name)) for name in files), sorted(tests), told)
