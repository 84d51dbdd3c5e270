"""What is in the image of a service, what is not, and how it is set to run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import VERSION, Image
from tests.labs.images import Lab, archive
from tests.labs.service import make

pytestmark = [pytest.mark.images, pytest.mark.models]

PROGRAMS = re.compile(
    r"(^|/)s?bin/(sh|bash|dash|ash|busybox|apt.*|dpkg.*|apk|pip.*|npm|npx|pnpm|yarn|corepack|mvn|uv|go|gofmt|gcc.*|g\+\+.*|cc|ld|make"
    r"|javac|jshell|jlink|curl|wget|git|perl)$"
)
TESTS = re.compile(r"^(app|service)/(?!dependencies/|node_modules/|lib/).*(test|spec|pact)", re.IGNORECASE)
SECRET = "hunter2-is-not-in-the-image"


@pytest.fixture(scope="module")
def files(image: Image) -> dict[str, bytes]:
    return archive.files(image.name, image.env)


def test_nothing_but_what_runs(files: dict[str, bytes]) -> None:
    assert [name for name in files if PROGRAMS.search(name)] == []
    assert [name for name in files if TESTS.search(name)] == []
    assert [name for name in files if re.search(r"\.(tsx?|java|go|mk)$|Dockerfile|Makefile|pom\.xml$", name)
            and name.startswith("app/") and "/node_modules/" not in name] == []  # fmt: skip


@pytest.mark.only("model")
def test_of_the_training_only_the_model(files: dict[str, bytes], image: Image) -> None:
    """It is the one of the checkout, trained by another Python, and its card has the commit of the image."""
    assert [name for name in files if re.search(r"(^|/)(training|sklearn|skl2onnx|onnx|scipy)/", name)] == []
    assert files["app/model/model.onnx"] == (image.folder / "model/model.onnx").read_bytes()
    card, here = json.loads(files["app/model/model.json"]), json.loads((image.folder / "model/model.json").read_text())
    assert card == here
    assert card["revision"] == lab.git(image.folder, "rev-parse", "HEAD")


def test_the_patterns_find_what_they_look_for(image: Image) -> None:
    """Each would be empty for another reason if it could match nothing."""
    for name in (
        "bin/sh",
        "usr/bin/dash",
        "usr/local/bin/pip3.13",
        "usr/bin/apt-get",
        "usr/bin/gcc-14",
        "opt/jdk/bin/javac",
    ):
        assert PROGRAMS.search(name)
    assert TESTS.search("app/src/orders/tests/test_items.py")
    assert image.folder.exists()


def test_how_it_is_set_to_run(image: Image) -> None:
    config = archive.inspect(image.name, image.env)["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"][0].startswith("/"), "exec form: the service is process 1 and gets the signals"
    assert not config.get("Cmd")
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    labels = {key: value for key, value in config["Labels"].items() if key.startswith("org.opencontainers.")}
    head = lab.git(image.folder, "rev-parse", "HEAD")
    name = image.folder.name
    assert labels == {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.description": f"The {name} API",
        "org.opencontainers.image.vendor": "acme",
        "org.opencontainers.image.licenses": "LicenseRef-Proprietary",
        "org.opencontainers.image.source": f"https://github.com/acme/{name}",
        "org.opencontainers.image.version": VERSION,
        "org.opencontainers.image.revision": head,
        "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
    }


def test_a_secret_in_the_folder_stays_out(
    image: Image, image_lab: Lab, files: dict[str, bytes], tmp_path: Path
) -> None:
    """Whatever lies around in a developer's or a runner's checkout: only what .dockerignore lists is sent."""
    folder = tmp_path / image.folder.name
    shutil.copytree(image.folder, folder, ignore=shutil.ignore_patterns(".tools", "node_modules", "target", ".venv"))
    sources = next(folder / name for name in ("src", "internal") if (folder / name).exists())
    planted = [folder / ".env", folder / "id_rsa", sources / ".env", sources / "key.pem", sources / "secret.json"]
    for path in planted:
        path.write_text(SECRET)
    env = {**image_lab.environment(folder, image.language), "VERSION": VERSION}
    done = make(folder, image.language, "image", f"IMAGE={image.repository}-secret", env=env)
    assert done.returncode == 0, done.stdout
    assert archive.inspect(f"{image.repository}-secret:{VERSION}", env)["Id"] == archive.inspect(image.name, env)["Id"]
    assert [path for path, content in files.items() if SECRET.encode() in content] == []


@pytest.mark.one_language
def test_the_secret_would_be_found(image: Image, tmp_path: Path) -> None:
    """The search above finds a secret where an image has one."""
    (tmp_path / ".env").write_text(SECRET)

    def docker(*arguments: str | Path) -> str:
        command = ["docker", *map(str, arguments)]
        return subprocess.run(command, env=dict(image.env), capture_output=True, text=True, check=True).stdout.strip()

    container = docker("create", "--pull", "never", image.name)
    docker("cp", tmp_path / ".env", f"{container}:/planted")
    docker("commit", container, f"{image.repository}-leaky")
    docker("rm", container)
    found = archive.files(f"{image.repository}-leaky", image.env)
    assert [path for path, content in found.items() if SECRET.encode() in content] == ["planted"]
