"""The model as an artifact: two pushes of one digest, signed, verified, fetched, and each refusal with its reason."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from golden_path.service.model_signature import provenance
from tests.conftest import written
from tests.labs import oras
from tests.labs import template as lab
from tests.labs.built import Image
from tests.labs.container import RESTRICTED, Container
from tests.labs.images import Lab
from tests.labs.images.places import lab_folder
from tests.labs.images.signing import Authority
from tests.labs.service import make

pytestmark = [pytest.mark.images, pytest.mark.models, pytest.mark.only("model")]

VERSION = "model-v1.2.0"
SERVICE = "model-orders"
RELEASE = f"https://github.com/acme/{SERVICE}/.github/workflows/model-release.yml"
ON_MAIN = f"{RELEASE}@refs/heads/main"
FILES = ("model.onnx", "model.json")


@dataclass(frozen=True)
class Models:
    """A service whose models go to a repository of the lab's registry.

    Attributes:
        folder: the service; its model is packed.
        name: of the repository.
        env: of the verbs.
        authority: who makes the certificates.
    """

    folder: Path
    name: str
    env: Mapping[str, str]
    authority: Authority

    def verb(self, verb: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        everything = {**self.env, "COSIGN_PASSWORD": "", "MODEL_IMAGE": self.name, **env}
        return make(self.folder, "python", "--silent", verb, *arguments, env=everything)

    def push(self, version: str = VERSION) -> str:
        """Push what is packed; return its reference."""
        done = self.verb("model-push", f"MODEL_VERSION={version}")
        assert done.returncode == 0, done.stdout
        told = dict(line.split("=", 1) for line in done.stdout.splitlines())
        assert told == {"model": f"{self.name}@{told['digest']}", "digest": told["digest"], "version": version}
        return told["model"]

    def signed_as(self, workflow: str = ON_MAIN, sha: str = "") -> dict[str, str]:
        return self.authority.identity(workflow, sha=sha or lab.git(self.folder, "rev-parse", "HEAD"))

    def sign(self, reference: str, workflow: str = ON_MAIN, sha: str = "") -> None:
        done = self.verb("model-sign", f"MODEL_REF={reference}", **self.signed_as(workflow, sha))
        assert done.returncode == 0, done.stdout

    def verify(self, reference: str) -> subprocess.CompletedProcess[str]:
        return self.verb("model-verify", f"MODEL_REF={reference}", COSIGN_FLAGS=self.authority.verify_flags)

    def at(self, repository: str) -> Models:
        """The same service, with a repository of its own, in which nothing is signed."""
        return replace(self, name=f"{self.name}-{repository}")

    def crane(self, *arguments: str) -> str:
        done = subprocess.run(["crane", *arguments], env=dict(self.env), capture_output=True, check=True)
        return done.stdout.decode().strip()


def refused(done: subprocess.CompletedProcess[str], reason: str, verb: str = "verify") -> None:
    """It failed, with one line of ours that gives the reason."""
    assert done.returncode != 0, done.stdout
    [line] = [line for line in done.stdout.splitlines() if "FAIL" in line]
    assert line.startswith(f"  FAIL  model-{verb}: "), done.stdout
    assert re.search(reason, line)


@pytest.fixture(scope="module")
def packed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service, with its model trained and packed; a test that changes it takes a copy."""
    folder = written("model", template, tmp_path_factory.mktemp("packed") / SERVICE)
    done = make(folder, "python", "model-pack")
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def models(
    language: str, packed: Path, image_lab: Lab, own_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Models:
    env = image_lab.environment(packed, language)
    env |= {"PATH": os.pathsep.join([str(oras.folder()), env["PATH"]]), "ORAS_FLAGS": "--plain-http"}
    # A version is pushed once, and the registry may know that of an earlier run.
    name = f"{own_registry}/{secrets.token_hex(4)}/{SERVICE}-model"
    return Models(packed, name, env, Authority(tmp_path_factory.mktemp("authority"), env))


@pytest.fixture(scope="module")
def released(models: Models) -> str:
    """A model that the workflow has pushed and signed: its reference."""
    reference = models.push()
    models.sign(reference)
    return reference


def test_the_release_workflow_is_trusted(models: Models, released: str) -> None:
    done = models.verify(released)
    assert done.returncode == 0, done.stdout
    commit = lab.git(models.folder, "rev-parse", "HEAD")
    assert f"signed by .github/workflows/model-release.yml, provenance of commit {commit}" in done.stdout


def test_two_pushes_are_one_artifact_of_modelpack(models: Models, released: str) -> None:
    assert models.push() == released
    assert models.crane("digest", f"{models.name}:{VERSION}") == released.partition("@")[2]
    manifest = json.loads(models.crane("manifest", released))
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json"
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
    assert titles == list(FILES)
    config = json.loads(models.crane("blob", f"{models.name}@{manifest['config']['digest']}"))
    assert config["modelfs"]["diffIds"] == [layer["digest"] for layer in manifest["layers"]]
    assert config["descriptor"]["revision"] == lab.git(models.folder, "rev-parse", "HEAD")
    assert manifest["annotations"]["org.opencontainers.image.created"] == config["descriptor"]["createdAt"]


def test_a_pod_gets_what_was_packed(models: Models, released: str, tmp_path: Path) -> None:
    """By the service's own module, from the registry as it is."""
    done = fetched(models, released, tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == {
        name: (models.folder / "build/model" / name).read_bytes() for name in FILES
    }


def fetched(models: Models, reference: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(models.folder / ".venv/bin/python"),
        "-m",
        f"{SERVICE.replace('-', '_')}.artifact.fetch",
        str(folder),
    ]
    env = {**models.env, "MODEL_REF": reference, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(command, cwd=models.folder, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_what_a_pull_brings(models: Models, released: str, tmp_path: Path) -> None:
    done = models.verb("model-pull", f"MODEL_REF={released}", f"TO={tmp_path}")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "model.json").read_bytes() == (models.folder / "build/model/model.json").read_bytes()


def test_unsigned(models: Models) -> None:
    refused(models.verify(models.at("unsigned").push()), "no signatures found")


@pytest.mark.parametrize(
    "workflow",
    [
        ON_MAIN.replace("model-release.yml", "ci.yml"),
        ON_MAIN.replace("model-release.yml", "release.yml"),
        ON_MAIN.replace("acme", "evil"),
        ON_MAIN.replace("main", "feature"),
        f"{RELEASE}@refs/tags/v1.2.0",
        f"{RELEASE}@refs/pull/1/merge",
        f"{ON_MAIN}-2",
    ],
)
def test_another_identity(models: Models, workflow: str) -> None:
    mine = models.at(re.sub("[^a-z0-9]+", "-", workflow.removeprefix("https://github.com/")))
    reference = mine.push()
    mine.sign(reference, workflow)
    refused(models.verify(reference), "certificate identity|SAN value")


def test_a_release_by_tag(models: Models) -> None:
    mine = models.at("by-tag")
    reference = mine.push()
    mine.sign(reference, f"{RELEASE}@refs/tags/{VERSION}")
    assert models.verify(reference).returncode == 0


def test_a_workflow_that_somebody_changed(models: Models) -> None:
    """A tag on a commit beside main, whose workflow says of its model that it is main's."""
    mine = models.at("another-commit")
    reference = mine.push()
    mine.sign(reference, f"{RELEASE}@refs/tags/{VERSION}", sha="1" * 40)
    refused(models.verify(reference), "GithubWorkflowSHA")


def test_a_commit_beside_main(models: Models, tmp_path: Path) -> None:
    folder = lab.git(tmp_path, "clone", "--quiet", str(models.folder), SERVICE) or tmp_path / SERVICE
    mine = replace(models.at("beside-main"), folder=Path(folder))
    lab.git(mine.folder, "switch", "--quiet", "--create", "evil")
    (mine.folder / "evil").write_text("")
    lab.commit_all(mine.folder, "Evil")
    repack(mine, models, lab.git(mine.folder, "rev-parse", "HEAD"))
    reference = mine.push()
    mine.sign(reference, f"{RELEASE}@refs/tags/{VERSION}")
    refused(mine.verify(reference), "which is not on the main branch that this checkout knows")


def repack(mine: Models, models: Models, revision: str, **change: object) -> None:
    """Pack the model again, as one of another commit or with another card."""
    packed = mine.folder / "build/model"
    packed.mkdir(parents=True, exist_ok=True)
    source = models.folder / "build/model"
    card = json.loads((source / "model.json").read_text()) | {"revision": revision} | change
    (packed / "model.json").write_text(json.dumps(card))
    (packed / "model.onnx").write_bytes((source / "model.onnx").read_bytes())


@pytest.fixture
def copy(models: Models, tmp_path: Path) -> Models:
    """The service in a folder of the test's own."""
    lab.git(tmp_path, "clone", "--quiet", str(models.folder), SERVICE)
    mine = replace(models, folder=tmp_path / SERVICE)
    repack(mine, models, lab.git(models.folder, "rev-parse", "HEAD"))
    return mine


def test_a_tag_that_was_moved(models: Models, copy: Models, released: str) -> None:
    """Nobody verifies a tag; a version is pushed once; and what somebody moves it to is not signed."""
    refused(models.verify(f"{models.name}:{VERSION}"), "name a model by its digest")
    inputs = json.loads((models.folder / "build/model/model.json").read_text())["inputs"]
    repack(copy, models, lab.git(copy.folder, "rev-parse", "HEAD"), inputs={**inputs, "rows": 1})
    refused(copy.verb("model-push", f"MODEL_VERSION={VERSION}"), "is another model already", "push")
    mine = copy.at("moved")
    other = mine.push()
    models.crane("copy", released, f"{mine.name}:right")
    models.crane("tag", other, "right")
    moved = models.crane("digest", f"{mine.name}:right")
    assert moved != released.partition("@")[2]
    refused(models.verify(f"{mine.name}@{moved}"), "no signatures found")


def test_a_tampered_layer(models: Models, released: str, tmp_path: Path) -> None:
    """Somebody with access to the registry's storage changes a byte of the weights: nobody takes it."""
    digest = json.loads(models.crane("manifest", released))["layers"][0]["digest"].partition(":")[2]
    [path] = (lab_folder() / "registry").glob(f"**/blobs/sha256/{digest[:2]}/{digest}/data")
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        refused(models.verify(released), "digest")
        done = fetched(models, released, tmp_path)
        assert done.returncode == 1
        assert f"sha256:{digest} has another digest" in done.stderr
        assert not list(tmp_path.iterdir())
    finally:
        path.write_bytes(good)
    assert models.verify(released).returncode == 0


def test_no_provenance(models: Models) -> None:
    mine = models.at("without-provenance")
    reference = mine.push()
    cosign(mine, "sign", "--yes", reference)
    refused(models.verify(reference), "verify-attestation")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: one["resolvedDependencies"][1].update(digest={"sha256": "1" * 64}), "name another data"),
        (lambda one: one["resolvedDependencies"][2].update(digest={"sha256": "1" * 64}), "name another lock"),
        (lambda one: one["resolvedDependencies"][0].update(digest={"gitCommit": "1" * 40}), "name another commit"),
        (lambda one: one["resolvedDependencies"].pop(), "does not name repository, commit, data and lock"),
        (
            lambda one: one["externalParameters"]["workflow"].update(repository="https://github.com/evil/fork"),
            f"does not name the repository acme/{SERVICE} but https://github.com/evil/fork",
        ),
    ],
)
def test_a_provenance_that_is_not_the_cards(
    models: Models, tmp_path: Path, change: Callable[[Any], Any], reason: str
) -> None:
    """The right workflow attests what the card does not say."""
    card = json.loads((models.folder / "build/model/model.json").read_text())
    predicate = provenance(card, f"acme/{SERVICE}")
    change(predicate["buildDefinition"])
    (tmp_path / "provenance.json").write_text(json.dumps(predicate))
    mine = models.at(f"provenance-{abs(hash(reason)) % 10**8}")
    reference = mine.push()
    cosign(mine, "sign", "--yes", reference)
    file = str(tmp_path / "provenance.json")
    cosign(mine, "attest", "--yes", "--type", "slsaprovenance1", "--predicate", file, reference)
    refused(models.verify(reference), reason)


def cosign(models: Models, *arguments: str) -> str:
    """Run cosign as the workflow would that signs."""
    identity = models.signed_as()
    flags = [*identity["COSIGN_FLAGS"].split(), "--key", identity["COSIGN_KEY"]]
    command = ["cosign", arguments[0], *flags, *arguments[1:]]
    env = {**models.env, "COSIGN_PASSWORD": ""}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_key_of_ones_own(models: Models) -> None:
    mine = models.at("key")
    reference = mine.push()
    private, public = models.authority.key_pair("own")
    _, other = models.authority.key_pair("other")
    env = {"COSIGN_KEY": str(private), "COSIGN_FLAGS": models.authority.sign_flags}
    done = mine.verb("model-sign", f"MODEL_REF={reference}", **env)
    assert done.returncode == 0, done.stdout
    flags = "--insecure-ignore-tlog=true"
    done = mine.verb("model-verify", f"MODEL_REF={reference}", COSIGN_KEY=str(public), COSIGN_FLAGS=flags)
    assert done.returncode == 0, done.stdout
    done = mine.verb("model-verify", f"MODEL_REF={reference}", COSIGN_KEY=str(other), COSIGN_FLAGS=flags)
    refused(done, "signature")


def test_what_cannot_be_pushed(copy: Models) -> None:
    refused(copy.verb("model-push"), "MODEL_VERSION must be one word, for example model-v1.0.0, not ''", "push")
    (copy.folder / "build/model/model.onnx").write_bytes(b"another")
    refused(copy.verb("model-push", "MODEL_VERSION=model-v9"), "model.onnx is not the one that model.json", "push")
    (copy.folder / "build/model/model.json").write_text("{}")
    refused(copy.verb("model-push", "MODEL_VERSION=model-v9"), "model.json is no card of a model", "push")
    (copy.folder / "build/model/model.json").unlink()
    refused(copy.verb("model-push", "MODEL_VERSION=model-v9"), "run make model-pack first", "push")


def test_as_an_image_that_a_node_mounts(copy: Models, tmp_path: Path) -> None:
    """With model_delivery=volume it is an image of one layer, with the files at its root."""
    mine = copy.at("volume")
    makefile = mine.folder / ".golden-path/model.mk"
    text = makefile.read_text()
    makefile.write_text(re.sub(r"(model push .*)$", r"\1 --as volume", text, flags=re.MULTILINE))
    reference = mine.push()
    assert mine.push() == reference
    models_crane = mine.crane("validate", "--remote", reference)
    assert "PASS" in models_crane
    archive = tmp_path / "image.tar"
    mine.crane("export", reference, str(archive))
    listed = subprocess.run(["tar", "-tf", str(archive)], capture_output=True, text=True, check=True).stdout
    assert sorted(listed.split()) == sorted(FILES)
    mine.sign(reference)
    assert mine.verify(reference).returncode == 0
    done = mine.verb("model-pull", f"MODEL_REF={reference}", f"TO={tmp_path / 'pulled'}")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "pulled/model.onnx").read_bytes() == (mine.folder / "build/model/model.onnx").read_bytes()


@pytest.mark.parametrize("which", ["released", "none"])
def test_the_init_container_gives_the_service_its_model(
    models: Models, released: str, image: Image, tmp_path: Path, which: str
) -> None:
    """As the Rollout has both: the service's image, restricted, and a folder that one writes and the other reads."""
    folder = tmp_path / "model"
    folder.mkdir()
    folder.chmod(0o777)
    reference = released if which == "released" else f"{models.name}@sha256:{'0' * 64}"
    volume, init = f"{folder}:/model", ["--entrypoint", "/usr/bin/python3", "--env", f"MODEL_REF={reference}"]
    run = ["docker", "run", "--rm", "--network", "host", *RESTRICTED, "--volume", volume, *init, image.name]
    module = f"{SERVICE.replace('-', '_')}.artifact.fetch"
    command = [*run, "-m", module]
    done = subprocess.run(command, env=dict(image.env), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    card = json.loads((folder / "model.json").read_text())
    if which == "released":
        assert done.stdout.startswith(f"model: {released.partition('@')[2]}, ")
        assert (folder / "model.json").read_bytes() == (models.folder / "build/model/model.json").read_bytes()
    else:
        assert done.stdout == "model: none is released yet: the one in the image is served\n"
        assert card["revision"] == lab.git(image.folder, "rev-parse", "HEAD")
    with Mounted(
        image.folder, image.language, image=image.name, docker_env=image.env, volume=f"{folder}:/app/model:ro"
    ) as service:
        assert service.http.get("/v1/model").json()["revision"] == card["revision"]


@dataclass
class Mounted(Container):
    """A container with one more volume."""

    volume: str = ""

    def _start_command(self, variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        command, env = super()._start_command(variables)
        return [*command[:-1], "--volume", self.volume, command[-1]], env
