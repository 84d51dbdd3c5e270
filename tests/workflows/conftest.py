"""A repository whose workflows are run, and the runner that runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import Built, Image
from tests.labs.clones import cloned as cloned
from tests.labs.clones import edit as edit
from tests.labs.clones import link_tools as link_tools
from tests.labs.images import Lab as ImageLab
from tests.labs.images.signing import Authority
from tests.labs.places import digest
from tests.labs.workflows import engine
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder

# What a repository sets, when everything is set.
SECRETS = {"REGISTRY_PASSWORD": "hunter2", "AUTOMATION_APP_KEY": "key-of-the-app"}
VARIABLES = {"REGISTRY_USERNAME": "robot", "AUTOMATION_APP_ID": "7"}
# Each release of the tests has a version that is no tag of an image: every engine gets its own spelling.
VERSION = "v2.0.0+build/7"
# GitHub with no pull request yet.
GITHUB = Recorder(
    (Answer("^pr list", stdout="[]"), Answer("^pr create", stdout="https://github.com/acme/go-orders/pull/8")),
    env=("GH_TOKEN",),
)


@dataclass
class Release:
    """A service that releases to the image lab's registry.

    Attributes:
        folder: its repository.
        env: of the jobs; without ``cosign``, which ``signed_as`` adds.
        authority: makes the certificates that stand in for keyless ones.
        programs: folder in front of the jobs' PATH.
        elsewhere: shell lines with which a program finds GitHub's registry in the lab's; empty where it need not.
    """

    folder: Path
    env: dict[str, str]
    authority: Authority
    programs: Path
    elsewhere: str = ""

    def copied(self, folder: Path) -> Release:
        """Copy the service into a folder; programs and authority are the same."""
        target = folder / self.folder.name
        shutil.copytree(self.folder, target, symlinks=True)
        return replace(self, folder=target)

    def signed_as(self, workflow: str, *, repository: str = "", ref: str = "") -> None:
        """Let cosign sign with a certificate of this identity, and trust the authority when it verifies."""
        identity = self.authority.identity(workflow, repository=repository, ref=ref)
        script = (
            'verb=$1; shift\ncase "$verb" in\n'
            f'  sign) set -- {identity["COSIGN_FLAGS"]} --key {identity["COSIGN_KEY"]} "$@" ;;\n'
            f'  verify) set -- {self.authority.verify_flags} "$@" ;;\n'
            f'esac\nset -- "$verb" "$@"\nexport COSIGN_PASSWORD=\n{self.elsewhere}'
        )
        engine.wrap(self.programs, "cosign", self.authority.env, script=script)


@pytest.fixture
def runner(tmp_path: Path) -> Lab:
    """The workflow lab, in a folder of the test's own."""
    return Lab(tmp_path / "runs")


@pytest.fixture
def clone(built: Built, tmp_path: Path) -> Callable[[], Path]:
    """Make a clone of the service, with what is installed in it."""
    return lambda: cloned(built, tmp_path)


@pytest.fixture(scope="module")
def job_env(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the jobs: the toolchain, and a docker that is the image lab's."""
    programs = tmp_path_factory.mktemp("programs")
    engine.wrap(programs, "docker", image.env, names=engine.DOCKER)
    if image.language == "go":
        # What is compiled in one job's folder is in the cache for that of the next.
        engine.wrap(programs, "go", {**image.env, "GOFLAGS": "-trimpath"}, names=("GOFLAGS",))
    return engine.before(image.env, programs)


@pytest.fixture(scope="module")
def released(
    template: Path, built: Built, image_lab: ImageLab, own_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Release]:
    """Make a service that releases to a registry: the lab's, or GitHub's, for which a folder of the lab's stands in.

    The same answers make the same commit, so what is built of it is in the cache of the builder.
    """

    def make(registry: str, **more: str) -> Release:
        place = tmp_path_factory.mktemp("released")
        service = f"{built.language}-orders"
        answers = {"language": built.language, "service_name": service, "registry": registry, **more}
        folder = lab.render(template, place / service, answers)
        lab.commit_all(folder)
        lab.git(folder, "tag", VERSION)
        link_tools(built, folder)
        env = image_lab.environment(folder, built.language)
        # A folder for each: two modules release the same commit at the same time, each with an authority of its own.
        stand_in = f"{own_registry}/ghcr-{digest(str(place))}"
        elsewhere = _elsewhere(registry, stand_in) if registry.startswith("ghcr.io/") else ""
        programs = place / "programs"
        engine.wrap(programs, "docker", env, names=engine.DOCKER, script=elsewhere)
        (place / "authority").mkdir()
        authority = Authority(place / "authority", env)
        made = Release(folder, engine.before(env, programs), authority, programs, elsewhere)
        made.signed_as(f"https://github.com/acme/{service}/.github/workflows/release.yml@refs/heads/main")
        return made

    return make


def _elsewhere(registry: str, stand_in: str) -> str:
    """Return shell lines that replace a registry in arguments, and in the variables that docker-bake.hcl reads."""
    name = registry.replace("/", r"\/")
    replaced = f"//{name}/{stand_in}"
    variables = "".join(f'export {one}="${{{one}{replaced}}}"\n' for one in ("IMAGE", "CACHE_FROM", "CACHE_TO"))
    return f'set -- "${{@{replaced}}}"\n{variables}'


@pytest.fixture(scope="module")
def first_release(released: Callable[[str], Release], own_registry: str) -> Release:
    """A service that releases to the lab's registry; nobody changes it."""
    return released(f"{own_registry}/release")


@pytest.fixture
def release(first_release: Release, tmp_path: Path) -> Release:
    """A copy of that service, for the test to change."""
    return first_release.copied(tmp_path)


def built_again(first: Result, release: Release, before: str, after: str, folder: Path) -> Path:
    """Put what a release built where another service releases to, and where nobody has signed it yet.

    Args:
        first: the release.
        release: that of the other service.
        before: the registry of the first.
        after: the registry of the other.
        folder: where the artifacts go.

    Returns:
        The artifacts, as the other's job ``build`` would leave them.
    """
    artifacts = folder / "built"
    shutil.copytree(first.artifacts, artifacts)
    for file in artifacts.rglob("image-ref"):
        reference = file.read_text().strip()
        copied = reference.replace(before, after, 1)
        tag = f"{copied.partition('@')[0]}:{file.parent.name}"
        subprocess.run(["crane", "copy", reference, tag], env=release.env, check=True, capture_output=True)
        file.write_text(f"{copied}\n")
    return artifacts


def pushed_diff(result: Result, repository: str, branch: str) -> tuple[str, str, str]:
    """Return the one file that the last commit of a pushed branch changes, and the line before and after."""
    remote = result.remotes / repository
    text = lab.git(remote, "show", "--format=", "--unified=0", branch)
    [file] = re.findall(r"^\+\+\+ b/(.+)$", text, re.MULTILINE)
    [removed] = re.findall(r"^-(?!-- )(.*)$", text, re.MULTILINE)
    [added] = re.findall(r"^\+(?!\+\+ )(.*)$", text, re.MULTILINE)
    return file, removed, added
