"""Make the programs of the labs, and say what each cost: ``python -m tests.labs.programs [GROUP...]``.

What is there already is not made again. Every lab and test makes what it needs itself, too; who comes second waits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.labs import costs, events, go_tools, kustomize, mlflow, needs, oras, spark
from tests.labs.cluster import argocd, kyverno, redis
from tests.labs.cluster import external_secrets as secrets
from tests.labs.cluster import tools as cluster
from tests.labs.debian import SUITE
from tests.labs.errors import LabError
from tests.labs.images import tools as images
from tests.labs.toolchains import MissingToolchainError
from tests.labs.workflows import tools as workflows

_IMAGES = {
    "buildkitd": ("github.com/moby/buildkit", "builds the images"),
    "buildctl": ("github.com/moby/buildkit", "asks whether it is up"),
    "dockerfile-frontend": ("github.com/moby/buildkit", "stands in for `docker/dockerfile`"),
    "buildx": ("github.com/docker/buildx", "`docker buildx`, which `make image` calls"),
    "crane": ("github.com/google/go-containerregistry", "puts the stand-ins into the registry; reads what was pushed"),
    "cosign": ("github.com/sigstore/cosign/v3", "signs and verifies"),
    "registry": ("github.com/distribution/distribution/v3", "the registry; of its storages only the file system"),
    "scanner": ("", "stands in for BuildKit's SBOM scanner"),
}
_CLUSTER = {
    "kubernetes": ("k8s.io/kubernetes", f"one program that is {', '.join(cluster.KUBERNETES)}"),
    "kubectl-argo-rollouts": ("github.com/argoproj/argo-rollouts", "`kubectl argo rollouts`"),
    "rollouts-controller": ("github.com/argoproj/argo-rollouts", "rolls out"),
    "kwok": ("sigs.k8s.io/kwok", "plays nodes and pods"),
}
_KYVERNO = {
    kyverno.COMMAND_LINE: "Kyverno's own command line says what policies refuse",
    kyverno.ADMISSION: "its admission controller refuses it in the cluster",
    kyverno.CLEANUP: "removes what previews left",
}
_DEBIAN = {"prometheus": "answers the queries of analyses", "promtool": "tests rules and alerts"}
_WORKFLOWS = {"actionlint": "checks workflows", "act": "runs workflows", "zizmor": "checks what workflows may do"}
_OURS = "-"


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        name: of its file.
        version: of what it is made from.
        source: from where that comes.
        purpose: what it is for.
        file: where it is, once it is made.
        folder: what is made at once, with its cost.
    """

    name: str
    version: str
    source: str
    purpose: str
    file: Path
    folder: Path

    @property
    def cost(self) -> costs.Cost:
        """What it cost: CPU seconds of its own, and on the clock those of all that was made at once."""
        whole = costs.kept(self.folder)
        return costs.Cost(whole.wall, whole.parts.get(self.name, whole.cpu))


@dataclass(frozen=True)
class Group:
    """Programs that are made together.

    Attributes:
        make: makes those that are not there.
        programs: returns them, whether they are there or not.
        fixtures: who takes one of these needs them.
        modules: who imports one of these needs them.
    """

    make: Callable[[], object]
    programs: Callable[[], list[Program]]
    fixtures: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


def _go(name: str, module: str, purpose: str, folder: Path) -> Program:
    version = go_tools.versions()[module].removeprefix("v") if module else _OURS
    return Program(name, version, "Go", purpose, folder / name, folder)


def _of_images() -> list[Program]:
    built = [_go(name, *what, images.folder()) for name, what in _IMAGES.items()]
    folder, version = images.folder(), images.SYFT.partition("==")[2]
    return [*built, Program("syft", version, "PyPI", "lists what is in an image", folder / "syft", folder / "wheel")]


def _of_cluster() -> list[Program]:
    built = [_go(name, *what, cluster.folder()) for name, what in _CLUSTER.items()]
    folder = cluster.prometheus_folder()
    return [*built, *(Program(one, SUITE, "Debian", what, folder / one, folder) for one, what in _DEBIAN.items())]


def _of_workflows() -> list[Program]:
    found = []
    for name, what in _WORKFLOWS.items():
        source, file = "PyPI" if name in workflows.WHEELS else "Go", workflows.file(name)
        found.append(Program(name, workflows.version(name), source, what, file, file.parent))
    return found


def _of_kustomize() -> list[Program]:
    what = "renders manifests for a service's own verbs where the machine has none"
    return [_go("kustomize", kustomize.PACKAGE, what, kustomize.target())]


def _of_oras() -> list[Program]:
    what = "pushes and pulls models for a service's own verbs"
    return [Program("oras", oras.version().removeprefix("v"), "Go", what, oras.target() / "oras", oras.target())]


def _of_mlflow() -> list[Program]:
    what = "the server whose aliases follow a service's pull requests; with its packages 0.6 GB"
    return [Program("mlflow", mlflow.VERSION, "PyPI", what, mlflow.target() / "bin" / "mlflow", mlflow.target())]


def _of_spark() -> list[Program]:
    what = "what runs a pipeline and jobs as Databricks does, with their lock and the typed bundle library: 1.4 GB"
    return [Program("spark", spark.VERSION, "PyPI", what, spark.target() / "bin/spark-pipelines", spark.target())]


def _of_events() -> list[Program]:
    what = "CDEvents' own SDK says whether an event is one"
    folder = events.folder()
    return [Program("validator", events.version(), "Rust", what, folder / "validator", folder)]


def _of_argocd() -> list[Program]:
    what = f"one program that is {', '.join(argocd.PARTS)}, and says what a project permits"
    cached = "keeps what Argo CD has rendered"
    return [
        _go("argocd", argocd.MODULE, what, argocd.folder()),
        Program(redis.NAME, SUITE, "Debian", cached, redis.folder() / redis.NAME, redis.folder()),
    ]


def _of_secrets() -> list[Program]:
    what, folder = "reads stores and writes Secrets", secrets.folder()
    return [Program(secrets.NAME, secrets.VERSION, "Go", what, folder / secrets.NAME, folder)]


def _of_kyverno() -> list[Program]:
    return [_go(name, kyverno.MODULE, what, kyverno.folder()) for name, what in _KYVERNO.items()]


# First what is needed first, and what costs little.
GROUPS = {
    "workflows": Group(
        lambda: [workflows.program(name) for name in _WORKFLOWS],
        _of_workflows,
        modules=("tests.labs.workflows.lab", "tests.labs.workflows.lint"),
    ),
    # `make check` renders manifests, and so may the jobs of a workflow.
    "kustomize": Group(
        kustomize.folder,
        _of_kustomize,
        fixtures=("build",),
        modules=("tests.labs.kustomize", "tests.labs.workflows.lab"),
    ),
    "oras": Group(oras.folder, _of_oras, modules=("tests.labs.oras",)),
    "mlflow": Group(mlflow.folder, _of_mlflow, modules=("tests.labs.mlflow",)),
    "spark": Group(spark.folder, _of_spark, modules=("tests.labs.spark",)),
    "events": Group(events.validator, _of_events, modules=("tests.labs.events",)),
    "images": Group(images.build, _of_images, fixtures=("image_lab",), modules=("tests.labs.images.tools",)),
    "cluster": Group(
        cluster.build,
        _of_cluster,
        fixtures=("cluster_lab",),
        modules=("tests.labs.cluster.tools", "tests.labs.cluster.prometheus"),
    ),
    "argocd": Group(
        lambda: [argocd.program(), redis.command()],
        _of_argocd,
        fixtures=("argo",),
        modules=("tests.labs.cluster.argocd",),
    ),
    "kyverno": Group(
        kyverno.program,
        _of_kyverno,
        modules=("tests.labs.cluster.kyverno", "tests.labs.cluster.kyverno_running"),
    ),
    "secrets": Group(secrets.program, _of_secrets, modules=("tests.labs.cluster.external_secrets",)),
}


def lines(name: str) -> Iterator[str]:
    """Yield one line for each program of a group that is there: from where, what it cost, how large it is.

    Args:
        name: of the group.
    """
    for one in GROUPS[name].programs():
        cost, size = one.cost, one.file.stat().st_size
        yield f"{name:<10} {one.name:<22} {one.source:<7} {cost.wall:6.0f} s {cost.cpu:7.1f} CPU s {size:12,} bytes"


def cost_table() -> Iterator[str]:
    """Yield the lines of the table of all programs, with what each cost when it was made here."""
    yield "| program | version | from | CPU seconds | MB | what it is for |"
    yield "|---|---|---|---|---|---|"
    for name, group in GROUPS.items():
        programs = group.programs()
        made = [costs.kept(folder) for folder in dict.fromkeys(one.folder for one in programs)]
        cpu, wall = sum(cost.cpu for cost in made), sum(cost.wall for cost in made)
        yield f"| **{name}** | | | **{cpu:.0f}**, in {wall:.0f} s | | |"
        for one in programs:
            size = one.file.stat().st_size / 1e6
            yield f"| {one.name} | {one.version} | {one.source} | {one.cost.cpu:.1f} | {size:.0f} | {one.purpose} |"


def need_table() -> Iterator[str]:
    """Yield the lines of the table of the test files that need each group."""
    yield "| group | needed by |"
    yield "|---|---|"
    for name, group in GROUPS.items():
        files = (f"`{file.removeprefix('tests/')}`" for file in needs.test_files(group.fixtures, group.modules))
        yield f"| {name} | {', '.join(files)} |"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make programs.

    Args:
        arguments: of the command line; this process's by default.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.labs.programs", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; all by default")
    parser.add_argument("--table", action="store_true", help="print the tables of docs/reference/lab-programs.md")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.groups) - set(GROUPS)):
        parser.error(f"there is no group {unknown[0]}, there are {', '.join(GROUPS)}")
    try:
        for name in given.groups or GROUPS:
            GROUPS[name].make()
            if not given.table:
                for line in lines(name):
                    _say(line)
    except (LabError, MissingToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if given.table:
        for line in (*cost_table(), "", *need_table()):
            _say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
