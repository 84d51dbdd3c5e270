"""`make run-image`, and the image where it may do the least. Its behaviour is in tests/services/conformance."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.labs import template as lab
from tests.labs.built import VERSION, Image, clone
from tests.labs.container import Container
from tests.labs.images import Lab
from tests.labs.service import await_ready, free_port, make

pytestmark = [pytest.mark.images, pytest.mark.models]


def publishing(image: Image, port: int) -> list[str]:
    """Return the ids of the containers that publish a port; others may run the very same image at the same time."""
    ps = ["docker", "ps", "--quiet", "--filter", f"publish={port}"]
    return subprocess.run(ps, env=dict(image.env), capture_output=True, text=True, check=True).stdout.split()


def test_make_run_image(image: Image) -> None:
    """The verb as it is: builds, publishes the port on loopback, runs, and Ctrl-C stops it."""
    port = free_port()
    env = {**image.env, "PORT": str(port)}
    command = ["make", "run-image", f"IMAGE={image.repository}"]
    with subprocess.Popen(
        command, cwd=image.folder, env=env, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            await_ready(process, http, 120)
        assert len(publishing(image, port)) == 1
        os.killpg(process.pid, signal.SIGINT)
        process.wait(180)
    assert publishing(image, port) == []


def test_as_the_cluster_runs_it(image: Image) -> None:
    """Whoever it runs as, and what it may, as the kernel says it."""
    with Container(image.folder, image.language, image=image.name, docker_env=image.env) as service:
        top = ["docker", "top", service.name, "-eo", "uid,pid"]
        done = subprocess.run(top, env=dict(image.env), capture_output=True, text=True, check=True)
        [(uid, pid)] = [line.split() for line in done.stdout.splitlines()[1:]]
        assert uid == "65532"
        with open(f"/proc/{pid}/status") as file:  # noqa: PTH123 - of the kernel
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        begun = time.monotonic()
        service.signal()
        service.wait(30)
        assert time.monotonic() - begun < 25, "the default drain and grace periods together"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(image: Image, tmp_path: Path) -> Path:
    """A clone of the service, whose overlays a test may change; the image is the one that is built."""
    return clone(image.folder, tmp_path / image.folder.name)


@pytest.fixture
def image_test(image: Image, image_lab: Lab, folder: Path) -> Run:
    """`make image-test` there."""
    commit = lab.git(image.folder, "rev-parse", "HEAD")
    variables = (f"IMAGE={image.repository}", f"VERSION={VERSION}", f"REVISION={commit}")

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        env = {**image_lab.environment(folder, image.language), "CI": "true", **more}
        return make(folder, image.language, "image-test", *variables, env=env)

    return run


def test_with_what_each_environment_gives(image_test: Run, folder: Path) -> None:
    done = image_test()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "  ok    image starts and stops with what it gets in preview, production and staging (" in done.stdout
    config = folder / "deploy/overlays/staging/config.env"
    config.write_text(config.read_text() + 'LOG_LEVEL="debug"\n')
    done = image_test()
    assert done.returncode != 0
    said = done.stdout[done.stdout.index("  ok    image") :]
    assert "LOG_LEVEL" in said.splitlines()[1], "what the service says, which names the variable"
    assert "ended before it was ready with what it gets in staging" in said
    assert "production" not in said


@pytest.mark.one_language
def test_what_the_service_takes_and_the_pod_does_not(image_test: Run, folder: Path) -> None:
    """More time to stop than the pod has; what only a cluster has is given by hand, and wins."""
    config = folder / "deploy/overlays/production/config.env"
    config.write_text(config.read_text() + "SHUTDOWN_DRAIN_SECONDS=40\n")
    done = image_test()
    assert "did not stop within 35 s of SIGTERM with what it gets in production" in done.stdout
    done = image_test(RUN_IMAGE_FLAGS="--env SHUTDOWN_DRAIN_SECONDS=0 --env 'LOG_LEVEL=wa rn'")
    assert "ended before it was ready with what it gets in preview" in done.stdout
    assert "config: LOG_LEVEL: must be one of" in done.stdout
