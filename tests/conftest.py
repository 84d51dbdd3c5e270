"""Fixtures that all tests share, and the choice of languages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.grouping import Grouped, rank
from tests.labs import cluster, leftovers
from tests.labs import template as lab
from tests.labs.built import UPSTREAM, VERSION, Built, Image
from tests.labs.images import Lab, engine
from tests.labs.places import digest, once, remove
from tests.labs.service import make
from tests.labs.toolchains import KINDS, OF_MAKE, ROOT, answers_of
from tests.selection import plugin as selection


def pytest_addoption(parser: pytest.Parser) -> None:
    selection.add_options(parser)
    parser.addoption("--stops", type=int, default=10, help="how often the services are stopped under load")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests be the same from a shell, in the background, and under ``make test``.

    What a shell starts in the background ignores SIGINT, and so do its children. A ``make`` that a ``make`` has started
    calls itself another name in its errors, and takes over its options.
    """
    for name in OF_MAKE:
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    selection.set_up(config, ROOT)
    if not hasattr(config, "workerinput"):
        leftovers.end_with_this()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "language" in metafunc.fixturenames:
        names = selection.chosen(metafunc.config)
        if metafunc.definition.get_closest_marker("one_language"):
            names = names[:1]
        if metafunc.definition.get_closest_marker("models") and "python" in names:
            names = [*names, *KINDS]
        if only := metafunc.definition.get_closest_marker("only"):
            names = [name for name in names if name in only.args]
        if mark := metafunc.definition.get_closest_marker("spread"):
            metafunc.parametrize(("language", mark.args[0]), spread(names, list(mark.args[1])), scope="session")
        elif mark := metafunc.definition.get_closest_marker("each"):
            pairs = [(name, value) for name in names for value in mark.args[1][name]]
            metafunc.parametrize(("language", mark.args[0]), pairs, scope="session")
        else:
            metafunc.parametrize("language", names, scope="session")


def spread(languages: list[str], values: list[str]) -> list[tuple[str, str]]:
    """Return pairs: the first value with every language, each of the others with one of them."""
    rest = [(languages[number % len(languages)], value) for number, value in enumerate(values[1:])]
    return [*((language, values[0]) for language in languages), *rest]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:
    return Grouped(config, log)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder of this run, the same for all of its processes; of several runs, where one is given (.ci/run)."""
    if given := os.environ.get("GOLDEN_PATH_SHARED"):
        return Path(given)
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """A snapshot of the template as it stands, tagged."""
    return once(shared / "golden-path", lab.snapshot)


def written(language: str, template: Path, folder: Path, **more: str) -> Path:
    """Write and commit the service of a language that the tests share, with more answers where there are any."""
    upstream = {} if language in KINDS else {"upstream": UPSTREAM}
    answers = {**answers_of(language), "service_name": f"{language}-orders", **upstream, **more}
    lab.render(template, folder, answers)
    lab.commit_all(folder)
    lab.git(folder, "tag", VERSION)
    return folder


@pytest.fixture(scope="session")
def build(template: Path, shared: Path) -> Callable[[str], Built]:
    """Write the service of a language and run ``make check`` in it, once a run; who comes second waits."""

    def one(language: str) -> Built:
        folder = shared / "services" / f"{language}-orders"

        def check(record: Path) -> None:
            remove(folder)
            done = make(written(language, template, folder), language, "check", env={"CI": "true"})
            record.write_text(json.dumps([done.args, done.returncode, done.stdout, done.stderr]))

        record = once(shared / f"{language}.json", check)
        return Built(language, folder, subprocess.CompletedProcess(*json.loads(record.read_text())))

    return one


@pytest.fixture(scope="session")
def checked(language: str, build: Callable[[str], Built]) -> Built:
    """The service, with ``make check`` run; whether it succeeded is for the test of that to say."""
    return build(language)


@pytest.fixture(scope="session")
def built(checked: Built) -> Built:
    """The service, built; every test of its behaviour is an error where it does not build."""
    if checked.check.returncode != 0:
        pytest.fail(f"make check failed, so there is no service to test:\n{checked.check.stdout[-3000:]}")
    return checked


@pytest.fixture(scope="session")
def stops(request: pytest.FixtureRequest) -> int:
    """How often a service is stopped under load."""
    number: int = request.config.getoption("--stops")
    return number


@pytest.fixture(scope="session")
def image_lab() -> Iterator[Lab]:
    """The image lab, up; what this run started is ended with it."""
    with Lab() as running:
        yield running


@pytest.fixture(scope="session")
def own(shared: Path) -> str:
    """A folder for names of images that only this run has: others may use the image lab at the same time."""
    return f"{engine.OF_ONE_RUN}/{digest(str(shared))}"


@pytest.fixture(scope="session")
def own_registry(image_lab: Lab, own: str) -> str:
    """Where only this run pushes to and pulls from: the lab's registry, and a folder in it."""
    return f"{image_lab.registry}/{own}"


@pytest.fixture(scope="session")
def image(built: Built, image_lab: Lab, shared: Path, own: str) -> Image:
    """The service's image, made by its own ``make image``, once a run."""
    name = f"{own}/{built.folder.name}"
    env = image_lab.environment(built.folder, built.language)

    def build(log: Path) -> None:
        done = make(built.folder, built.language, "image", f"IMAGE={name}", env=env)
        if done.returncode != 0:
            pytest.fail(f"make image failed, so there is no image to test:\n{done.stdout[-5000:]}")
        log.write_text(done.stdout)

    once(shared / f"{built.language}-image.log", build)
    return Image(built.language, built.folder, f"{name}:{VERSION}", env)


@pytest.fixture(scope="session")
def cluster_lab() -> Iterator[cluster.Lab]:
    """The cluster lab, up; what this run started is ended with it."""
    with cluster.Lab() as running:
        yield running


@pytest.fixture
def namespace(cluster_lab: cluster.Lab) -> Iterator[str]:
    """A namespace of the cluster lab that only this test uses."""
    with cluster_lab.namespace() as name:
        yield name
