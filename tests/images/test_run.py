"""`make run-image`, and the image where it may do the least. Its behaviour is in tests/services/conformance."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import httpx
import pytest

from tests.labs.built import Image
from tests.labs.container import Container
from tests.labs.service import await_ready, free_port

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
