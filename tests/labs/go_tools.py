"""The labs' own programs that are built with Go: all from one pinned module, so that each package is compiled once."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.labs import costs, toolchains
from tests.labs.errors import LabError, run

MODULE = Path(__file__).resolve().parent / "go"
# The same for all: who compiles with other flags compiles everything anew. What a debugger needs is left out of what is
# linked, and an eighth of the work of compiling it.
_ENV = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath -gcflags=all=-dwarf=false", "GOWORK": "off"}


@dataclass(frozen=True)
class Replacement:
    """A module that one program needs in another form than all others.

    Attributes:
        path: of the module.
        by: path of what takes its place.
        version: of that.
        sums: what its content and its ``go.mod`` hash to, as in a ``go.sum``.
    """

    path: str
    by: str
    version: str
    sums: tuple[str, str]


def environment() -> dict[str, str]:
    """Return the environment of Go for this module.

    Raises:
        MissingToolchainError: Go is missing.
    """
    return toolchains.environment("go") | _ENV


def versions(module: Path = MODULE) -> dict[str, str]:
    """Return the versions of the modules that programs are built from.

    Args:
        module: the folder of the go.mod.
    """
    text = (module / "go.mod").read_text(encoding="utf-8")
    return dict(re.findall(r"^\t(\S+) (v\S+)", text, re.MULTILINE))


def checksum(path: str) -> str:
    """Return what the content of one of these modules hashes to.

    Raises:
        LabError: it is none of them.
    """
    version = versions().get(path, "")
    for line in (MODULE / "go.sum").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{path} {version} "):
            return line.split()[2]
    raise LabError(f"{MODULE}/go.sum does not pin {path}: run go mod tidy there")


def sources(programs: Iterable[str], module: Path = MODULE) -> list[Path]:
    """Return the files whose content says what programs are: versions, checksums and, of the project's own, the source.

    Args:
        programs: their packages.
        module: the folder of the go.mod that they are built from.
    """
    own = (module / program / "main.go" for program in programs if program.startswith("./"))
    return [module / "go.mod", module / "go.sum", *own]


@contextmanager
def definition(replacements: Sequence[Replacement], module: Path = MODULE) -> Iterator[Path]:
    """Yield a ``go.mod``, with its ``go.sum`` beside it, in which modules are replaced."""
    if not replacements:
        yield module / "go.mod"
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(module / name, Path(folder, name))
        with Path(folder, "go.sum").open("a", encoding="utf-8") as file:
            for one in replacements:
                file.write("{0} {1} {2}\n{0} {1}/go.mod {3}\n".format(one.by, one.version, *one.sums))
        changes = [f"-replace={one.path}={one.by}@{one.version}" for one in replacements]
        changed = Path(folder, "go.mod")
        run("go", "mod", "edit", *changes, changed, failure="cannot change go.mod", env=environment(), cwd=module)
        yield changed


@contextmanager
def workspace(module: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which a module is built with the versions of this one, where both name one.

    Args:
        module: its folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "go.work")
        version = re.findall(r"^go \S+$", (MODULE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)[0]
        file.write_text(f"{version}\n\nuse (\n\t{MODULE}\n\t{module}\n)\n", encoding="utf-8")
        yield environment() | {"GOWORK": str(file)}


def build(
    target: Path,
    programs: Sequence[str],
    link_flags: str,
    what: str,
    replacements: Sequence[Replacement] = (),
    module: Path = MODULE,
    shared: bool = False,
) -> None:
    """Build programs.

    Args:
        target: the folder to make for them; what each cost is kept there too.
        programs: their packages.
        link_flags: for the linker, besides those that leave debugging information out.
        what: names the programs in an error.
        replacements: of modules.
        module: the folder of the go.mod.
        shared: whether it is built with this module's versions, where both name one; it takes no replacements then.

    Raises:
        LabError: they cannot be built.
        MissingToolchainError: Go is missing.
    """
    target.mkdir(parents=True)
    graph = target / "actions.json"
    with _place(replacements, module, shared) as (place, env), costs.measured(target) as cost:
        run(
            "go", "build", "-mod=readonly", *place, f"-debug-actiongraph={graph}",
            f"-ldflags=-s -w {link_flags}", "-o", f"{target}{os.sep}", *programs,
            failure=f"cannot build {what}, check that Go can download modules",
            env=env, cwd=module, timeout=3600,
        )  # fmt: skip
        cost.parts = split(graph)
    graph.unlink()


@contextmanager
def _place(
    replacements: Sequence[Replacement], module: Path, shared: bool
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield options and environment with which Go finds the modules."""
    if shared:
        with workspace(module) as env:
            yield [], env
    else:
        with definition(replacements, module) as file:
            yield [f"-modfile={file}"], environment()


def split(graph: Path) -> dict[str, float]:
    """Return the CPU time of each program, in seconds: what several are built from counts for the first of them."""
    actions = {action["ID"]: action for action in json.loads(graph.read_text(encoding="utf-8"))}
    counted: set[int] = set()
    found = {}
    for program in (action for action in actions.values() if action["Mode"] == "link-install"):
        nanoseconds, waiting = 0, [program["ID"]]
        while waiting:
            number = waiting.pop()
            if number not in counted:
                counted.add(number)
                nanoseconds += actions[number].get("CmdUser", 0) + actions[number].get("CmdSys", 0)
                waiting += actions[number].get("Deps") or ()
        found[Path(program["Target"]).name] = nanoseconds / 1e9
    return found
