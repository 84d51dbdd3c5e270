"""Start the image as the cluster would, with what each environment gives it; wait until it is ready, and stop it.

usage: image-test IMAGE PORT SERVICE

Environments that give the same count as one. What only a cluster has, such as Secrets, is given in RUN_IMAGE_FLAGS.
"""

import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from golden_path.service.environments import Given, given
from golden_path.service.errors import RefusedError
from golden_path.service.manifests import kustomize, overlays

READY_SECONDS = 60
ENDED = "ended before it was ready"
RESTRICTED = (
    "--read-only --tmpfs /tmp:mode=1777,size=64m --user 65532:65532 --cap-drop ALL --security-opt no-new-privileges"
)
# Without an environment: the defaults of SHUTDOWN_DRAIN_SECONDS and SHUTDOWN_GRACE_SECONDS, and some seconds more.
BARE = Given("", {}, None, 30)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def logs(container: str) -> str:
    command = ["docker", "logs", container]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout


def ready(container: str, port: int) -> bool:
    # Loopback never goes through a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        where = docker("port", container, f"{port}/tcp")
        with opener.open(f"http://{where}/readyz", timeout=2) as answer:
            status: int = answer.status
            return status == 200
    except (OSError, subprocess.CalledProcessError):  # one that has ended has no port
        return False


def listed(names: list[str]) -> str:
    """In words: where what it was given is from; nothing for nowhere."""
    words = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)
    return words and f" with what it gets in {words}"


def trials(service: str) -> Iterator[tuple[list[str], Given]]:
    """With what it is started: what the environments give, each once, with their names."""
    if not list(overlays(Path())):
        yield [], BARE
        return
    try:
        kustomize()
    except RefusedError as reason:
        if os.environ.get("CI"):
            raise
        sys.stdout.write(f"  skip  what the environments give: {reason}; CI starts the image with it\n")
        yield [], BARE
        return
    found: dict[str, list[Given]] = {}
    for one in given(Path(), service):
        found.setdefault(repr((sorted(one.variables.items()), one.port, one.seconds)), []).append(one)
    yield from (([one.name for one in alike], alike[0]) for alike in found.values())


def tried(image: str, port: int, names: list[str], trial: Given) -> str:
    """Start it and stop it; returns what went wrong, after its output."""
    variables = [part for name, value in trial.variables.items() for part in ("--env", f"{name}={value}")]
    flags = [*shlex.split(RESTRICTED), *variables, *shlex.split(os.environ.get("RUN_IMAGE_FLAGS", ""))]
    container = docker("run", "--detach", "--publish", f"127.0.0.1::{port}", *flags, image)
    try:
        begun = time.monotonic()
        while not ready(container, port):
            running = docker("inspect", "--format", "{{.State.Running}}", container) == "true"
            if not running or time.monotonic() - begun > READY_SECONDS:
                late = f"was not ready at port {port} within {READY_SECONDS} s"
                return f"{logs(container)}  FAIL  {image} {late if running else ENDED}{listed(names)}\n"
            time.sleep(0.05)
        begun = time.monotonic()
        docker("stop", "--time", str(trial.seconds), container)
        if time.monotonic() - begun >= trial.seconds:
            return f"  FAIL  {image} did not stop within {trial.seconds} s of SIGTERM{listed(names)}\n"
        return ""
    finally:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)


def main(image: str, port: str, service: str) -> int:
    begun = time.monotonic()
    wanted: list[tuple[list[str], Given]] = []
    try:
        wanted += trials(service)
        with ThreadPoolExecutor() as pool:
            wrong = "".join(pool.map(lambda one: tried(image, one[1].port or int(port), *one), wanted))
    except subprocess.CalledProcessError as error:
        wrong = f"{' '.join(error.cmd)}: {error.stderr}\n"
    except RefusedError as reason:
        wrong = f"  FAIL  image-test: {reason}\n"
    if wrong:
        sys.stderr.write(wrong)
        return 1
    where = listed([name for names, _ in wanted for name in names])
    sys.stdout.write(f"  ok    image starts and stops{where} ({time.monotonic() - begun:.0f} s)\n")
    return 0
