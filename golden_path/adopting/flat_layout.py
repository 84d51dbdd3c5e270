"""Keep what setuptools finds by itself: with more folders at the root than one it finds nothing, and stops.

A project without ``src`` that names no packages ("flat layout") builds as long as one folder at its root can be a
package. What an adoption adds would be more of them, so it names the one in a ``setup.cfg``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

NAME = "setup.cfg"
WHY = "not of the template: it names your package, which setuptools no longer finds beside more folders"
# What setuptools takes for no package, and for no module.
_FOLDERS = (
    "ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news", "newsfragments", "changelog", "test",
    "tests", "unit_test", "unit_tests", "example", "examples", "scripts", "tools", "util", "utils", "python", "build",
    "benchmark", "benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile", "site_scons",
)  # fmt: skip
_MODULES = (
    "setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile", "noxfile", "pavement", "dodo",
    "tasks", "fabfile", "[Ss][Cc]onstruct", "conanfile", "manage", "benchmark", "benchmarks", "exercise", "exercises",
    "[._]*",
)  # fmt: skip


def named(ours: Collection[str], added: Collection[str], read: Callable[[str], bytes]) -> str:
    """Return the ``setup.cfg`` that names what setuptools finds now, and would not find with more folders.

    Args:
        ours: the files that are there.
        added: the files that come.
        read: returns a file's content.

    Returns:
        Its text; empty where nothing changes for setuptools, or where there is nothing that it finds.
    """
    if not _finds_itself(ours, read) or not _folders(added) - _folders(ours):
        return ""
    folders, modules = _folders(ours), _modules(ours)
    if len(folders) == 1:
        [folder] = folders
        what = f"packages = find_namespace:\n\n[options.packages.find]\ninclude =\n    {folder}\n    {folder}.*\n"
    elif not folders and len(modules) == 1:
        what = f"py_modules = {modules.pop()}\n"
    else:
        return ""
    return f"# Named, since setuptools finds it by itself only where no other folder is at the root.\n[options]\n{what}"


def _finds_itself(ours: Collection[str], read: Callable[[str], bytes]) -> bool:
    if "pyproject.toml" not in ours or {"setup.py", NAME} & set(ours) or any(one.startswith("src/") for one in ours):
        return False
    try:
        data = tomllib.loads(read("pyproject.toml").decode())
        backend = data.get("build-system", {}).get("build-backend", "setuptools")
        settings = data.get("tool", {}).get("setuptools", {})
    except (ValueError, AttributeError):
        return False
    named = isinstance(settings, dict) and {"packages", "py-modules", "package-dir"} & set(settings)
    return "project" in data and str(backend).startswith("setuptools") and not named


def _folders(paths: Collection[str]) -> set[str]:
    tops = {path.partition("/")[0] for path in paths if "/" in path}
    return {one for one in tops if one.isidentifier() and one not in _FOLDERS}


def _modules(paths: Collection[str]) -> set[str]:
    names = {path.removesuffix(".py") for path in paths if "/" not in path and path.endswith(".py")}
    return {one for one in names if one.isidentifier() and not any(fnmatchcase(one, no) for no in _MODULES)}
