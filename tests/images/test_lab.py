"""The image lab itself, with images that are none of a service's."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from extensions import pins
from tests.labs import leftovers
from tests.labs.container import Container
from tests.labs.errors import LabError
from tests.labs.images import buildkit, engine, mounts, overrides, places, tools
from tests.labs.images.docker import VARIABLE, mode
from tests.labs.images.lab import Lab
from tests.labs.service import free_port

GO = """\
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, os.Getuid(), " ", os.WriteFile("/tmp/x", nil, 0o600) != nil)
	})
	panic(http.ListenAndServe(":8080", nil))
}
"""

DOCKERFILE = """\
# syntax={dockerfile}
FROM {go-build} AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /out/server .

FROM {java-build} AS java
RUN mvn --version && javac --version && touch /done
FROM {node-build} AS node
RUN npm view left-pad version && touch /done
FROM {python-build} AS python
RUN python -m venv /venv && /venv/bin/pip install idna==3.10 && touch /done

FROM {java-run} AS java-run
COPY --from=java /done /done
FROM {node-run} AS node-run
COPY --from=node /done /done
FROM {python-run} AS python-run
COPY --from=python /done /done

FROM {go-run} AS server
COPY --from={go-run-wolfi} /etc/os-release /other-release
COPY --from=build /out/server /server
ENTRYPOINT ["/server"]
"""

BAKE = """\
variable "SBOM_SCANNER" {
  default = "docker/buildkit-syft-scanner:stable-1"
}
variable "REGISTRY" {
  default = ""
}
target "_common" {
  attest = ["type=provenance,mode=max", "type=sbom,generator=${SBOM_SCANNER}"]
}
target "image" {
  inherits = ["_common"]
  matrix   = { stage = ["server", "java-run", "node-run", "python-run"] }
  name     = stage
  target   = stage
  tags     = ["${REGISTRY}/lab/${stage}:1"]
}
"""

# Busy for five seconds of CPU time, however loaded the machine is.
BURN = """\
# syntax={dockerfile}
FROM {python-build}
RUN python -c "import time; any(time.process_time() > 5 for _ in iter(int, 1))"
"""


def run(*command: str, env: Mapping[str, str], cwd: Path | None = None) -> str:
    """Run a program that must succeed; returns what it printed."""
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def write(folder: Path, dockerfile: str) -> Path:
    """Write a build that names the images as a service does."""
    text = re.sub(r"\{([a-z-]+)\}", lambda name: pins.load()["images"][name[1]], dockerfile)
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    (folder / overrides.BAKE_FILE).parent.mkdir()
    (folder / overrides.BAKE_FILE).write_text(BAKE, encoding="utf-8")
    (folder / "go.mod").write_text("module server\n\ngo 1.26\n", encoding="utf-8")
    (folder / "main.go").write_text(GO, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pushed(image_lab: Lab, own_registry: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which one image on each base was built and pushed."""
    folder = write(tmp_path_factory.mktemp("lab"), DOCKERFILE)
    env = {**image_lab.environment(folder, "go"), "REGISTRY": own_registry}
    run("docker", "buildx", "bake", "--push", "image", cwd=folder, env=env)
    return env


def test_runs_an_image_read_only_as_nonroot_with_a_port_on_loopback(pushed: dict[str, str]) -> None:
    port = free_port()
    options = ["--rm", "--detach", "--read-only", "--cap-drop", "ALL", "--publish", f"127.0.0.1:{port}:8080"]
    name = f"lab-server-{port}"
    run("docker", "run", *options, "--name", name, f"{pushed['REGISTRY']}/lab/server:1", env=pushed)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), trust_env=False) as http:
            answer = http.get(f"http://127.0.0.1:{port}/")
    finally:
        run("docker", "rm", "--force", name, env=pushed)
    assert answer.text == "65532 true"


@pytest.mark.parametrize(
    ("stage", "arguments", "expected"),
    [
        ("java-run", ["--version"], r"openjdk 25"),
        ("node-run", ["--print", "process.version + process.getuid()"], r"v24\..*65532"),
        ("python-run", ["-c", "import os, ssl, sys; print(sys.version, os.getuid())"], r"3\.13\..* 65532"),
    ],
)
def test_a_run_image_starts_its_runtime(
    pushed: dict[str, str], stage: str, arguments: list[str], expected: str
) -> None:
    image = f"{pushed['REGISTRY']}/lab/{stage}:1"
    options = ["--rm", "--network", "host", "--read-only", "--cap-drop", "ALL"]
    entrypoint = ["--entrypoint", "java"] if stage == "java-run" else []
    printed = run("docker", "run", *options, *entrypoint, image, *arguments, env=pushed)
    assert re.search(expected, printed), printed


def test_an_image_carries_an_sbom_of_its_base(pushed: dict[str, str]) -> None:
    image = f"{pushed['REGISTRY']}/lab/server:1"
    sbom = run("docker", "buildx", "imagetools", "inspect", image, "--format", "{{ json .SBOM.SPDX }}", env=pushed)
    names = {package["name"] for package in json.loads(sbom)["packages"]}
    assert {"base-files", "netbase", "tzdata"} <= names


def test_up_again_starts_nothing(image_lab: Lab) -> None:
    before = image_lab.status()
    assert image_lab.up() == []
    assert image_lab.status() == before


def test_a_lab_that_found_everything_up_takes_nothing_down(image_lab: Lab) -> None:
    before = image_lab.status()
    with Lab() as second:
        assert second.registry == image_lab.registry
    assert image_lab.status() == before


def test_a_fresh_builder_counts_what_run_steps_burn_and_leaves_nothing(image_lab: Lab, tmp_path: Path) -> None:
    folder = write(tmp_path, BURN)
    with image_lab.fresh_builder() as builder:
        env = image_lab.environment(folder, "python", builder)
        listed = run("docker", "buildx", "ls", "--format", "{{.Name}}", env=env)
        assert builder.name in listed.split()
        command = ("docker", "buildx", "bake", "_common", "--set", "_common.attest=")
        run(*command, cwd=folder, env=env)
        cold = builder.cpu_seconds()
        run(*command, cwd=folder, env=env)
        warm = builder.cpu_seconds() - cold
        run(*command, "--no-cache", cwd=folder, env=env)
        again = builder.cpu_seconds() - cold - warm
    # Pulling and unpacking the base is work of the builder too; the later builds have it in their cache.
    assert 5 < cold < 60
    assert warm < 2
    assert 5 < again < 8
    assert builder.name not in run("docker", "buildx", "ls", "--format", "{{.Name}}", env=env).split()
    assert not traces(builder.name)


def test_a_fresh_builder_is_in_memory_where_there_is_enough(
    image_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with image_lab.fresh_builder() as builder:
        [mount] = [line for line in traces(builder.name) if " - " in line]
        assert " - tmpfs " in mount
    monkeypatch.setattr(mounts, "NEEDED", 2**60)
    assert not mounts.in_memory(tmp_path)
    assert not traces(str(tmp_path))


def test_a_container_ends_with_its_run_where_its_client_was_killed(
    image_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {**os.environ, **({"DOCKER_HOST": engine.host()} if image_lab.mode == "stand-ins" else {})}
    name, mark = f"lab/waits:{os.getpid()}", f"killed-{os.getpid()}"
    entrypoint = json.dumps(["/crane", "registry", "serve", "--address", f"127.0.0.1:{free_port()}"])
    with tarfile.open(tmp_path / "image.tar", "w") as archive:
        archive.add(tools.folder() / "crane", "crane")
    run("docker", "import", "--change", f"ENTRYPOINT {entrypoint}", str(tmp_path / "image.tar"), name, env=env)
    monkeypatch.setenv(leftovers.MARK, mark)
    with Container(tmp_path, "go", await_ready=False, image=name, docker_env=env) as container:
        shown = ("docker", "ps", "--quiet", "--filter", f"name={container.name}")
        while not run(*shown, env=env):
            time.sleep(0.1)
        container.process.kill()
        container.process.wait(180)
        assert run(*shown, env=env)
        leftovers.end(mark)
        while run(*shown, "--all", env=env):
            time.sleep(0.1)
    run("docker", "image", "rm", name, env=env)


@pytest.fixture
def own_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A second lab that shares what was built, so that the lab of the other tests stays up."""
    shared = {name: places.lab_folder() / name for name in ("layers", "registry", tools.folder().name)}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    places.lab_folder().mkdir(parents=True)
    for name, folder in shared.items():
        (places.lab_folder() / name).symlink_to(folder)
    lab = Lab()
    with lab.holding():
        yield lab
        lab.down()


@pytest.mark.usefixtures("image_lab")
def test_up_starts_again_what_was_killed(own_lab: Lab, tmp_path: Path) -> None:
    """The engine without the images of runs of the tests, none of which goes on."""
    own_lab.up()
    env = {**os.environ, "DOCKER_HOST": engine.host()}
    tarfile.open(tmp_path / "empty.tar", "w").close()
    for name in (f"{engine.OF_ONE_RUN}/1/orders:1", f"{own_lab.registry}/{engine.OF_ONE_RUN}/1/orders:1", "kept:1"):
        run("docker", "import", str(tmp_path / "empty.tar"), name, env=env)
    for daemon in (buildkit.LAB.daemon, engine.DAEMON):
        assert daemon.pid
        os.kill(daemon.pid, signal.SIGKILL)
    assert own_lab.up() == ["buildkitd", "dockerd"]
    assert run("docker", "image", "ls", "--format", "{{.Repository}}", env=env).split() == ["kept"]


@pytest.mark.usefixtures("image_lab")
def test_down_leaves_no_process_and_no_mount(own_lab: Lab) -> None:
    assert own_lab.up() == ["registry", "buildkitd", "dockerd"]
    run_folder = places.run_folder()
    assert traces(str(run_folder))
    # The engines do not give the same addresses.
    networks = bridges()
    own = f"gp-{run_folder.name[-8:]}"
    assert [name for name, address in networks.items() if address == networks[own]] == [own]
    own_lab.down()
    assert own not in bridges()
    assert not any(own_lab.status().values())
    assert not traces(str(run_folder))
    assert not traces(str(places.lab_folder()))
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{run_folder.name}"))
    assert not run_folder.exists()


def bridges() -> dict[str, str]:
    """Return the networks of this machine's bridges."""
    command = ["ip", "-json", "-4", "address", "show", "type", "bridge"]
    shown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {one["ifname"]: one["addr_info"][0]["local"] for one in shown if one.get("addr_info")}


def traces(text: str) -> list[str]:
    """Return the processes and mounts that name something."""
    found = [line for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines() if text in line]
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def test_an_image_that_nothing_stands_in_for_is_an_error_that_names_it() -> None:
    pinned = f"docker.io/library/ruby:3@sha256:{'0' * 64}"
    with pytest.raises(LabError, match=re.escape(pinned)):
        overrides.contexts(f"FROM {pinned}\n", "127.0.0.1:1")


def test_the_mode_is_what_the_variable_says_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    choose = mode.__wrapped__
    for name in ("stand-ins", "docker"):
        monkeypatch.setenv(VARIABLE, name)
        assert choose() == name
    monkeypatch.setenv(VARIABLE, "podman")
    with pytest.raises(LabError, match="set it to stand-ins or docker"):
        choose()
