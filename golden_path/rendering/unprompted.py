"""Import Copier without what it asks people with, which takes a third of the time and is never used here.

For the worker process only, which answers every question itself. Whatever imports those libraries later, such as an
extension of a template, gets the real ones.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

LEFT_OUT = ("questionary", "prompt_toolkit", "pygments")


class Choice:
    """A choice of a question, as ``questionary.Choice`` keeps it: Copier compares answers with its value.

    Args:
        title: as it is shown.
        value: the answer; the title where there is none.
        disabled: why it cannot be chosen.
    """

    def __init__(self, title: str, value: Any = None, disabled: str | None = None) -> None:
        self.title, self.disabled, self.checked = title, disabled, False
        self.value = title if value is None else value


class _Module(types.ModuleType):
    """A module in which every name is a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = Choice if name == "Choice" else type(name, (), {})
        setattr(self, name, found)
        return found


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, _: Sequence[str] | None, __: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in LEFT_OUT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def import_copier() -> None:
    """Import Copier, with nothing in place of the libraries that it asks people with."""
    if any(name in sys.modules for name in (*LEFT_OUT, "copier")):
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        import copier  # noqa: F401
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] in LEFT_OUT]:
            del sys.modules[name]
