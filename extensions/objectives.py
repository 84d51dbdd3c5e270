"""What follows from a service's objectives: one script writes it here and, once slo.yaml has changed, there."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from jinja2 import Environment
from jinja2.ext import Extension

FOLDER = Path(__file__).resolve().parent.parent / "template" / ".golden-path" / "golden_path" / "service"
PACKAGE = "_golden_path_service_of_the_template"


@functools.cache
def script() -> ModuleType:
    """Load the script that a service gets, once.

    Returns:
        The module ``golden_path.service.slo`` of this version of the template.
    """
    spec = importlib.util.spec_from_file_location(PACKAGE, FOLDER / "__init__.py")
    if spec is None:
        raise ImportError(f"{FOLDER} cannot be loaded")
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{PACKAGE}.slo")
    finally:
        # One process may render several versions of the template.
        for name in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@functools.cache
def _files(source: str) -> dict[str, str]:
    written: dict[str, str] = script().files(script().read(source))
    return written


def slo_file(name: str, source: str) -> str:
    """Write one file that follows from the objectives.

    Args:
        name: in ``.golden-path/slo``, for example ``rules.yaml``.
        source: the text of ``slo.yaml``.

    Returns:
        Its text.
    """
    return _files(source)[name]


slo_file.golden_path_reads = tuple(f"template/.golden-path/golden_path/service/{one}.py" for one in ("slo", "drift"))  # type: ignore[attr-defined] # the engine need not ask twice


class ObjectivesExtension(Extension):
    """Offer the templates ``slo_file``, and the checks on the answers the buckets of the histogram."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["slo_file"] = slo_file
        environment.globals["LATENCY_BUCKETS_MS"] = script().BUCKETS_MS
